//! What does a token say of its holder? Who, as what, which records, until when.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ontology::{Audience, Audiences};
use serde_json::{Map, Value};
use triage::access::Grant;
use triage::policy::{PersonId, Role};

use super::OidcSettings;

/// What a token that was checked gives. Roles that the desk does not know are left out: a provider has others too.
pub(super) fn grant(claims: &Map<String, Value>, settings: &OidcSettings) -> Result<Grant, String> {
    let subject = claims.get("sub").and_then(Value::as_str).filter(|subject| !subject.is_empty());
    let subject = subject.ok_or("it does not say whose it is")?;
    let until = claims
        .get("exp")
        .and_then(Value::as_f64)
        .and_then(|seconds| Timestamp::from_second(seconds as i64).ok());
    let named = words(claim(claims, &settings.roles_claim));
    let roles: BTreeSet<Role> =
        Role::ALL.iter().copied().filter(|role| named.contains(&role.as_str().to_owned())).collect();
    let audiences = match &settings.audiences_claim {
        None => Audiences::All,
        Some(name) => {
            let named = words(claim(claims, name));
            Audiences::Only(named.iter().filter_map(|name| Audience::new(name).ok()).collect())
        }
    };
    Ok(Grant {
        // Apart from the names of keys, which have no colon.
        person: PersonId::new(format!("oidc:{subject}")),
        roles,
        audiences,
        key: None,
        until: Some(until.ok_or("it does not say until when it is good")?),
    })
}

/// A claim by its name; where there is none of that name, by the path that it is.
fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    claim(claims.get(first)?.as_object()?, rest)
}

/// A list of words, or words with spaces between them; hyphens stand for the underscores of our words.
fn words(value: Option<&Value>) -> Vec<String> {
    let word = |text: &str| text.replace('-', "_");
    match value {
        Some(Value::String(text)) => text.split_whitespace().map(word).collect(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(word).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(roles: &str, audiences: Option<&str>) -> OidcSettings {
        OidcSettings {
            issuer: "https://id.example.org".to_owned(),
            audience: "desk".to_owned(),
            roles_claim: roles.to_owned(),
            audiences_claim: audiences.map(str::to_owned),
        }
    }

    fn of(claims: &Value, settings: &OidcSettings) -> Result<Grant, String> {
        grant(claims.as_object().unwrap(), settings)
    }

    #[test]
    fn roles_are_found_by_name_or_path_and_unknown_ones_left_out() {
        let roles = |claims: Value, name: &str| -> Vec<Role> {
            let mut all = json!({"sub": "mia", "exp": 2_000_000_000});
            all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
            of(&all, &settings(name, None)).unwrap().roles.into_iter().collect()
        };
        assert_eq!(roles(json!({"roles": ["agent", "king"]}), "roles"), [Role::Agent]);
        assert_eq!(roles(json!({"realm_access": {"roles": ["lead"]}}), "realm_access.roles"), [Role::Lead]);
        assert_eq!(
            roles(json!({"https://x.org/roles": "admin lead"}), "https://x.org/roles"),
            [Role::Lead, Role::Admin]
        );
        assert_eq!(roles(json!({"roles": ["knowledge-manager"]}), "roles"), [Role::KnowledgeManager]);
        assert_eq!(roles(json!({"roles": 7}), "roles"), []);
        assert_eq!(roles(json!({}), "roles"), []);
    }

    #[test]
    fn audiences_narrow_where_a_claim_is_named_also_when_it_is_not_there() {
        let seen = |claims: Value, name| of(&claims, &settings("roles", name)).unwrap().audiences;
        let mia = json!({"sub": "mia", "exp": 2_000_000_000, "groups": ["staff", "not an audience"]});
        assert_eq!(seen(mia.clone(), None), Audiences::All);
        assert_eq!(seen(mia.clone(), Some("groups")), Audiences::Only([Audience::staff()].into()));
        assert_eq!(seen(mia, Some("teams")), Audiences::Only(BTreeSet::new()));
    }

    #[test]
    fn a_token_says_whose_it_is_and_until_when() {
        let settings = settings("roles", None);
        assert!(of(&json!({"exp": 2_000_000_000}), &settings).is_err());
        assert!(of(&json!({"sub": "", "exp": 2_000_000_000}), &settings).is_err());
        assert!(of(&json!({"sub": "mia"}), &settings).is_err());
        assert_eq!(
            of(&json!({"sub": "mia", "exp": 2_000_000_000}), &settings).unwrap().person.as_str(),
            "oidc:mia"
        );
    }
}
