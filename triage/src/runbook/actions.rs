//! Which actions are there, what may their arguments be, and where is the executor that does them? `executor.toml`, kept by the desk's operator.
//!
//! Without the file no step of a runbook is proposed. A change of the file ends proposals that were made under the one before, since its hash is
//! among what people approve.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::Call;
use super::line::{is_name, is_plain};
use crate::policy::{Fault, PolicyError};
use crate::proposal::hex;

/// Seconds that an action has, where nothing is said, and at most.
const SECONDS: u32 = 30;
const MOST_SECONDS: u32 = 600;
/// Bytes that a compiled pattern may take.
const PATTERN_BYTES: usize = 1 << 16;

/// What a desk lets be done, and by whom.
#[derive(Debug, Clone, Default)]
pub struct Executor {
    /// A hash of the text: another one where it says something else. Empty without one.
    pub version: String,
    /// Where the executor takes what is to be done.
    pub url: Option<String>,
    actions: BTreeMap<String, Action>,
}

/// Something that can be done.
#[derive(Debug, Clone)]
pub struct Action {
    /// Whether it can be tried without effect.
    pub has_dry_run: bool,
    /// How long the executor has for it.
    pub timeout_seconds: u32,
    arguments: BTreeMap<String, Kind>,
}

/// What the sources say of a ticket in fields of their own: what placeholders stand for. Nothing of it is read out of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hit {
    /// The ticket's number.
    pub(crate) ticket: String,
    /// The configuration items that it is linked to, by the names that the graph has for them.
    pub(crate) items: BTreeSet<String>,
    /// The services.
    pub(crate) services: BTreeSet<String>,
}

/// What an argument may be.
#[derive(Debug, Clone)]
enum Kind {
    OneOf(BTreeSet<String>),
    Pattern(Regex),
    Number { least: i64, most: i64 },
    Item,
    Service,
    Ticket,
}

impl Executor {
    /// Reads `executor.toml`.
    ///
    /// # Errors
    /// [`PolicyError::Executor`] with the line and what to write instead.
    pub fn parse(file: &str, text: &str) -> Result<Self, PolicyError> {
        let written: Written = toml::from_str(text)
            .map_err(|error| PolicyError::Executor(Fault::of_toml(file, text, &error)))?;
        let refuse = |at: usize, problem: String| PolicyError::Executor(Fault::at(file, text, at, problem));
        let url = written.webhook.url;
        if let Err(problem) = check_url(url.get_ref()) {
            return Err(refuse(url.span().start, problem));
        }
        let mut actions = BTreeMap::new();
        for action in written.actions {
            let at = action.span().start;
            let (name, action) = action.into_inner().checked().map_err(|problem| refuse(at, problem))?;
            if actions.insert(name.clone(), action).is_some() {
                return Err(refuse(at, format!("the action {name} is there twice")));
            }
        }
        let version = hex(&Sha256::digest(text.as_bytes()));
        Ok(Self { version, url: Some(url.into_inner()), actions })
    }

    /// Whether nothing can be done here.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// The actions by name.
    pub fn actions(&self) -> &BTreeMap<String, Action> {
        &self.actions
    }

    /// Whether a call is one that this desk lets be done; gives its action.
    ///
    /// # Errors
    /// Why it is not.
    pub(crate) fn check(&self, call: &Call, hit: &Hit) -> Result<&Action, String> {
        let name = &call.action;
        let action = self.actions.get(name).ok_or_else(|| format!("executor.toml lists no action {name}"))?;
        if let Some(other) = call.arguments.keys().find(|given| !action.arguments.contains_key(*given)) {
            return Err(format!("{name} takes no argument {other}"));
        }
        for (argument, kind) in &action.arguments {
            let value = call.arguments.get(argument).ok_or_else(|| format!("{name} wants {argument}"))?;
            if !is_plain(value) || !kind.fits(value, hit) {
                return Err(format!("{argument} of {name} has to be {}", kind.told()));
            }
        }
        Ok(action)
    }
}

impl Kind {
    fn fits(&self, value: &str, hit: &Hit) -> bool {
        match self {
            Self::OneOf(values) => values.contains(value),
            Self::Pattern(pattern) => pattern.is_match(value),
            Self::Number { least, most } => {
                let number = value.parse().ok().filter(|number: &i64| number.to_string() == value);
                number.is_some_and(|number| (*least..=*most).contains(&number))
            }
            Self::Item => hit.items.contains(value),
            Self::Service => hit.services.contains(value),
            Self::Ticket => hit.ticket == value,
        }
    }

    fn told(&self) -> String {
        match self {
            Self::OneOf(values) => {
                format!("one of {}", values.iter().cloned().collect::<Vec<_>>().join(", "))
            }
            Self::Pattern(_) => "as its pattern says".to_owned(),
            Self::Number { least, most } => format!("a whole number from {least} to {most}"),
            Self::Item => "a configuration item that the ticket's own fields name".to_owned(),
            Self::Service => "a service that the ticket's own fields name".to_owned(),
            Self::Ticket => "the ticket's number".to_owned(),
        }
    }
}

/// Only what is private on its way, or does not leave this machine.
fn check_url(url: &str) -> Result<(), String> {
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || c == '@' || c == '\\' || c == '#';
    if url.chars().any(is_odd) {
        return Err("an address has no spaces, no #, and no name or password in front of its host".to_owned());
    }
    let host_of = |rest: &str| {
        let authority = rest.split(['/', '?']).next().unwrap_or_default().to_owned();
        match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => format!("[{address}]"),
            None => authority.split(':').next().unwrap_or_default().to_owned(),
        }
    };
    if let Some(rest) = url.strip_prefix("https://") {
        return if host_of(rest).is_empty() { Err("the address names no host".to_owned()) } else { Ok(()) };
    }
    let local = ["127.0.0.1", "[::1]", "localhost"];
    match url.strip_prefix("http://") {
        Some(rest) if local.contains(&host_of(rest).as_str()) => Ok(()),
        _ => Err("an address begins with https://, or with http:// where it is on this machine".to_owned()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    webhook: WrittenWebhook,
    #[serde(default, rename = "action")]
    actions: Vec<Spanned<WrittenAction>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWebhook {
    url: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAction {
    name: String,
    #[serde(default = "yes")]
    dry_run: bool,
    #[serde(default = "seconds")]
    timeout_seconds: u32,
    #[serde(default)]
    arguments: BTreeMap<String, WrittenKind>,
}

/// `{ one_of = […] }`, `{ pattern = "…" }`, `{ least = 1, most = 9 }`, `{ is = "ci" }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenKind {
    one_of: Option<BTreeSet<String>>,
    pattern: Option<String>,
    least: Option<i64>,
    most: Option<i64>,
    is: Option<String>,
}

fn yes() -> bool {
    true
}

fn seconds() -> u32 {
    SECONDS
}

impl WrittenAction {
    fn checked(self) -> Result<(String, Action), String> {
        let name = self.name;
        if !is_name(&name) {
            return Err(format!("{name:?} is no name: a small letter, then small letters, digits, - and _"));
        }
        if !(1..=MOST_SECONDS).contains(&self.timeout_seconds) {
            return Err(format!("timeout_seconds of {name} is 1 to {MOST_SECONDS}"));
        }
        let mut arguments = BTreeMap::new();
        for (argument, kind) in self.arguments {
            if !is_name(&argument) {
                return Err(format!("{argument:?} of {name} is no name of an argument"));
            }
            let kind = kind.checked().map_err(|problem| format!("{argument} of {name}: {problem}"))?;
            arguments.insert(argument, kind);
        }
        let (has_dry_run, timeout_seconds) = (self.dry_run, self.timeout_seconds);
        Ok((name, Action { has_dry_run, timeout_seconds, arguments }))
    }
}

impl WrittenKind {
    fn checked(self) -> Result<Kind, String> {
        match (self.one_of, self.pattern, self.least, self.most, self.is.as_deref()) {
            (Some(values), None, None, None, None) if !values.is_empty() => Ok(Kind::OneOf(values)),
            (None, Some(pattern), None, None, None) => {
                let whole = format!(r"\A(?:{pattern})\z");
                let built = regex::RegexBuilder::new(&whole).size_limit(PATTERN_BYTES).build();
                // Its message points into the pattern on lines of its own.
                built.map(Kind::Pattern).map_err(|error| {
                    format!("no pattern: {}", error.to_string().lines().last().unwrap_or_default().trim())
                })
            }
            (None, None, Some(least), Some(most), None) if least <= most => Ok(Kind::Number { least, most }),
            (None, None, None, None, Some("ci")) => Ok(Kind::Item),
            (None, None, None, None, Some("service")) => Ok(Kind::Service),
            (None, None, None, None, Some("ticket")) => Ok(Kind::Ticket),
            _ => Err("write one_of = […], pattern = \"…\", least and most, or is = \"ci\", \"service\" or \"ticket\""
                .to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
