//! Do the policies decide as their people expect? Cases from a TOML file, each with its verdict in a line.
//!
//! ```toml
//! [ticket]                                  # what every case begins with
//! kind = "incident"
//! # … all facts of a ticket
//!
//! [[case]]
//! name = "weak evidence goes to a person"
//! agent = "guidance"                        # or person = "anna" and roles = ["lead"]
//! action = "reply"
//! ticket = { strength = 450 }               # what is different here
//! expect = "deny"
//! policy = "reply-needs-evidence"           # which policy has to say so; may be left out
//! ```
//! A case with `records = "change"` asks whether an agent may read all records of a kind, one with `proposal = { … }` asks about a proposal, one with `setting = { … }` about a level for a category; stopping, resuming,
//! reading the audit log and calls over HTTP are about the desk; all else is about the ticket. `stopped = true` throws the kill switch.

use std::collections::BTreeSet;
use std::fmt;

use ontology::Kind;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::{Spanned, Table, Value};

use super::decide::{Policies, Verdict};
use super::error::{Fault, PolicyError};
use super::facts::{PersonId, Principal, Question, Resource};
use super::vocabulary::{Action, Agent, Role};

/// What a case expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It may be done.
    Allow,
    /// It may not.
    Deny,
}

/// How a case went. Shown, it is one line for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseResult {
    /// What the case is called.
    pub name: String,
    /// Whether the policies decided as expected, by the expected policy where one is named.
    pub has_passed: bool,
    /// What was expected.
    pub expected: Effect,
    /// The policy that had to say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_policy: Option<String>,
    /// What the policies decided.
    pub verdict: Verdict,
}

impl fmt::Display for CaseResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |effect| if effect == Effect::Allow { "allow" } else { "deny" };
        let decided = if self.verdict.is_allowed { Effect::Allow } else { Effect::Deny };
        let word = if self.has_passed { "ok  " } else { "FAIL" };
        write!(formatter, "{word}  {:<5}  {}", told(decided), self.name)?;
        let by = self.verdict.policies.join(", ");
        match (by.as_str(), self.has_passed) {
            ("", _) => write!(formatter, "  [{}]", self.verdict.reasons.join("; "))?,
            (by, true) => write!(formatter, "  [{by}]")?,
            (by, false) => write!(formatter, "  [{by}: {}]", self.verdict.reasons.join("; "))?,
        }
        match (&self.expected_policy, self.has_passed) {
            (_, true) => Ok(()),
            (Some(policy), false) => write!(formatter, "  expected {} by {policy}", told(self.expected)),
            (None, false) => write!(formatter, "  expected {}", told(self.expected)),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    #[serde(default)]
    ticket: Table,
    #[serde(default)]
    proposal: Table,
    #[serde(default, rename = "case")]
    cases: Vec<Spanned<Case>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    agent: Option<Agent>,
    person: Option<PersonId>,
    #[serde(default)]
    roles: BTreeSet<Role>,
    action: Action,
    ticket: Option<Table>,
    proposal: Option<Table>,
    setting: Option<Table>,
    records: Option<Kind>,
    #[serde(default)]
    stopped: bool,
    expect: Effect,
    policy: Option<String>,
}

/// Runs every case of a file.
///
/// # Errors
/// [`PolicyError::Cases`] where the file is no file of cases, has none, or a case lacks facts or expects a policy that there is not.
pub fn run_cases(file: &str, text: &str, policies: &Policies) -> Result<Vec<CaseResult>, PolicyError> {
    let parsed: Cases =
        toml::from_str(text).map_err(|error| PolicyError::Cases(Fault::of_toml(file, text, &error)))?;
    if parsed.cases.is_empty() {
        return Err(PolicyError::Cases(Fault::at(file, text, 0, "no [[case]] in this file")));
    }
    let run = |spanned: &Spanned<Case>| {
        let case = spanned.get_ref();
        let (question, policy) = question(case, &parsed)
            .and_then(|question| Ok((question, known(case, policies)?)))
            .map_err(|problem| {
                let problem = format!("case {:?}: {problem}", case.name);
                PolicyError::Cases(Fault::at(file, text, spanned.span().start, problem))
            })?;
        Ok(result(case, policy, policies.decide(&question)))
    };
    parsed.cases.iter().map(run).collect()
}

fn result(case: &Case, policy: Option<String>, verdict: Verdict) -> CaseResult {
    let is_as_expected = verdict.is_allowed == (case.expect == Effect::Allow);
    let is_by_policy = policy.as_ref().is_none_or(|policy| verdict.policies.contains(policy));
    CaseResult {
        name: case.name.clone(),
        has_passed: is_as_expected && is_by_policy,
        expected: case.expect,
        expected_policy: policy,
        verdict,
    }
}

/// The policy that a case names, if there is one of that name.
fn known(case: &Case, policies: &Policies) -> Result<Option<String>, String> {
    match &case.policy {
        Some(id) if !policies.written().iter().any(|policy| policy.id == *id) => {
            Err(format!("there is no policy with the id {id}"))
        }
        named => Ok(named.clone()),
    }
}

fn question(case: &Case, all: &Cases) -> Result<Question, String> {
    let principal = match (case.agent, &case.person) {
        (Some(agent), None) if case.roles.is_empty() => Principal::Agent(agent),
        (None, Some(id)) => Principal::Person { id: id.clone(), roles: case.roles.clone() },
        _ => return Err("write either agent = \"…\", or person = \"…\" and roles = […]".to_owned()),
    };
    let ticket = over(&all.ticket, case.ticket.as_ref());
    let resource = match (&case.proposal, &case.setting, case.records) {
        (None, None, Some(kind)) => Resource::Records(kind),
        (Some(_), Some(_), _) | (_, _, Some(_)) => {
            return Err("a proposal, a setting or records, not several".to_owned());
        }
        (Some(proposal), None, None) => {
            let mut proposal = over(&all.proposal, Some(proposal));
            proposal.insert("ticket".to_owned(), Value::Table(ticket));
            Resource::Proposal(facts(proposal)?)
        }
        (None, Some(setting), None) => Resource::Setting(facts(setting.clone())?),
        (None, None, None) if case.action.is_of_desk() => Resource::Desk,
        (None, None, None) => Resource::Ticket(facts(ticket)?),
    };
    Ok(Question { principal, action: case.action, resource, is_stopped: case.stopped })
}

/// A table with another one's values in the place of its own.
fn over(base: &Table, with: Option<&Table>) -> Table {
    let mut table = base.clone();
    table.extend(with.cloned().unwrap_or_default());
    table
}

fn facts<T: DeserializeOwned>(table: Table) -> Result<T, String> {
    Value::Table(table).try_into().map_err(|error: toml::de::Error| error.message().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../policy/cases.toml");

    #[test]
    fn the_shipped_cases_hold_for_the_built_in_policies() {
        let results = run_cases("cases.toml", SHIPPED, &Policies::built_in().unwrap()).unwrap();
        assert!(results.len() >= 25, "only {}", results.len());
        let failed: Vec<String> =
            results.iter().filter(|result| !result.has_passed).map(CaseResult::to_string).collect();
        assert!(failed.is_empty(), "{failed:#?}");
    }

    /// So that nobody adds a policy to the defaults without a case for it.
    #[test]
    fn each_built_in_policy_determines_a_case() {
        let policies = Policies::built_in().unwrap();
        let results = run_cases("cases.toml", SHIPPED, &policies).unwrap();
        let named: BTreeSet<String> =
            results.into_iter().filter_map(|result| result.expected_policy).collect();
        let silent: Vec<&str> = policies
            .written()
            .iter()
            .map(|policy| policy.id.as_str())
            .filter(|id| !named.contains(*id))
            .collect();
        assert!(silent.is_empty(), "no case names {silent:?}");
    }

    #[test]
    fn a_case_that_fails_says_what_was_expected_and_why_not() {
        let policies = Policies::built_in().unwrap();
        let case =
            "[[case]]\nname = \"a lead stops\"\nperson = \"anna\"\nroles = [\"lead\"]\naction = \"stop\"\n";
        let run =
            |rest: &str| run_cases("ours.toml", &format!("{case}{rest}"), &policies).unwrap()[0].to_string();
        assert_eq!(run("expect = \"allow\""), "ok    allow  a lead stops  [kill-switch]");
        let denied = "FAIL  allow  a lead stops  [kill-switch: leads and admins may stop and resume the desk]  expected deny";
        assert_eq!(run("expect = \"deny\""), denied);
        assert_eq!(
            run("expect = \"allow\"\npolicy = \"read-audit\""),
            format!("{} allow by read-audit", denied.trim_end_matches(" deny"))
        );
    }

    #[test]
    fn cases_that_cannot_be_run_say_where() {
        let policies = Policies::built_in().unwrap();
        let check = |text: &str, says: &str| {
            let error = run_cases("ours.toml", text, &policies).unwrap_err();
            assert_eq!(error.code(), "policy-cases-invalid");
            assert!(error.to_string().contains(says), "{says:?} in {error}");
        };
        check("", "ours.toml, line 1: no [[case]]");
        check("\n[[case]]\nname = \"a\"\nact = \"stop\"", "line 4: unknown field `act`");
        let case = |rest: &str| format!("\n[[case]]\nname = \"a\"\nexpect = \"deny\"\n{rest}");
        check(&case("person = \"anna\"\naction = \"halt\""), "line 6: unknown variant `halt`");
        check(&case("action = \"stop\""), "line 2: case \"a\": write either agent");
        check(&case("agent = \"guidance\"\nperson = \"anna\"\naction = \"stop\""), "write either agent");
        check(&case("agent = \"guidance\"\naction = \"reply\""), "case \"a\": missing field `kind`");
        check(
            &case("agent = \"guidance\"\naction = \"stop\"\npolicy = \"none\""),
            "no policy with the id none",
        );
        let ticket =
            "agent = \"guidance\"\naction = \"reply\"\nticket = { kind = \"incident\", strength = 6000 }";
        check(&case(ticket), "6000 is more than 1000");
    }
}
