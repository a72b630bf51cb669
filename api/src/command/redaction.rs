//! What is hidden? The flag `--redaction`, and the policy that its file gives.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use models::RedactionPolicy;
use triage::TriageOptions;

/// What a triage hides.
#[derive(Debug, Args)]
pub(crate) struct Redaction {
    /// What is hidden from a language model, and of other people's tickets from the answer: a TOML file with lines like
    /// `hosts = false`, of secrets, payment_cards, ibans, national_ids, emails, ip_addresses, phones, people, hosts [default: all of them]
    #[arg(long, value_name = "FILE")]
    redaction: Option<PathBuf>,
}

impl Redaction {
    pub(crate) fn policy(&self) -> anyhow::Result<RedactionPolicy> {
        let Some(path) = &self.redaction else { return Ok(TriageOptions::default().policy) };
        let text = std::fs::read_to_string(path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        let invalid = || format!("{} is no redaction policy", path.display());
        // What the file does not name stays as it is without one.
        let mut policy = toml::Table::try_from(TriageOptions::default().policy)?;
        policy.extend(text.parse::<toml::Table>().with_context(invalid)?);
        policy.try_into().with_context(invalid)
    }
}
