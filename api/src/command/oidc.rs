//! Which identity provider lets people in? The flags of `serve` that name it, also as variables.

use clap::Args;

use crate::http::{OidcSettings, Provider};

/// An OpenID Connect provider. Its keys are fetched from it; no other call to it is made.
#[derive(Debug, Args)]
#[command(next_help_heading = "Identity provider")]
pub(crate) struct Oidc {
    /// Address of an OpenID Connect provider whose tokens let people in, as its tokens name it
    #[arg(long, env = "TRIAGRAPH_OIDC_ISSUER", value_name = "URL", requires = "oidc_audience")]
    oidc_issuer: Option<String>,
    /// What tokens for this desk name as their audience
    #[arg(long, env = "TRIAGRAPH_OIDC_AUDIENCE", value_name = "NAME")]
    oidc_audience: Option<String>,
    /// The claim with the roles: a list of agent, lead, knowledge_manager, service, auditor, admin; a path like realm_access.roles where it lies deeper
    #[arg(long, env = "TRIAGRAPH_OIDC_ROLES_CLAIM", value_name = "CLAIM", default_value = "roles")]
    oidc_roles_claim: String,
    /// The claim with the audiences of the records that somebody sees [default: all records]
    #[arg(long, env = "TRIAGRAPH_OIDC_AUDIENCES_CLAIM", value_name = "CLAIM")]
    oidc_audiences_claim: Option<String>,
}

impl Oidc {
    /// The provider, where one is named.
    pub(crate) fn provider(&self) -> anyhow::Result<Option<Provider>> {
        let (Some(issuer), Some(audience)) = (&self.oidc_issuer, &self.oidc_audience) else {
            return Ok(None);
        };
        let settings = OidcSettings {
            issuer: issuer.clone(),
            audience: audience.clone(),
            roles_claim: self.oidc_roles_claim.clone(),
            audiences_claim: self.oidc_audiences_claim.clone(),
        };
        Provider::new(settings).map(Some).map_err(anyhow::Error::msg)
    }
}
