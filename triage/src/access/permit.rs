//! May somebody do this to the desk? The policies' word, and where it is no, who may.

use std::collections::BTreeSet;

use super::{AccessError, Grant};
use crate::policy::{Action, PersonId, Policies, Principal, Question, Resource, Role};

/// Asks the policies whether somebody may do something to the desk as a whole.
///
/// # Errors
/// [`AccessError::Denied`], which names the roles that may.
pub fn permit(
    policies: &Policies,
    grant: &Grant,
    action: Action,
    is_stopped: bool,
) -> Result<(), AccessError> {
    let may = |id: &PersonId, roles: &BTreeSet<Role>| {
        let principal = Principal::Person { id: id.clone(), roles: roles.clone() };
        policies.decide(&Question { principal, action, resource: Resource::Desk, is_stopped })
    };
    let verdict = may(&grant.person, &grant.roles);
    if verdict.is_allowed {
        return Ok(());
    }
    let who = format!(
        "{} ({})",
        grant.person.as_str(),
        listed(&grant.roles.iter().copied().collect::<Vec<_>>(), "and")
    );
    let others: Vec<Role> =
        Role::ALL.iter().copied().filter(|role| may(&grant.person, &[*role].into()).is_allowed).collect();
    let wanted = match others.as_slice() {
        _ if !verdict.policies.is_empty() => verdict.reasons.join("; "),
        [] => "no role may".to_owned(),
        roles => format!("it takes the role {}", listed(roles, "or")),
    };
    Err(AccessError::Denied { who, action, wanted })
}

fn listed(roles: &[Role], word: &str) -> String {
    match roles {
        [] => "no role".to_owned(),
        [one] => one.to_string(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(|role| role.as_str()).collect();
            format!("{} {word} {last}", first.join(", "))
        }
    }
}
