//! `keys`: who may come in over HTTP, as what, and until when?

use std::str::FromStr;

use anyhow::Context;
use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use ontology::Audiences;
use triage::access::{Grant, Keys as Ring, NewKey};
use triage::policy::Role;

use crate::cli::Outcome;
use crate::http::{KeyBody, random};
use crate::output::{self, BOLD, DIM, ID, paint};
use crate::settings::Global;

/// Make, list and revoke keys for people and services that come over HTTP.
///
/// While the desk is served, its server has it: ask that with POST, GET and DELETE on /v1/keys.
#[derive(Debug, Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key and print it, once. With --audience it shows only records for these
    Create {
        /// Who it is for: the account of a person or the name of a service
        #[arg(long, value_name = "NAME")]
        name: String,
        /// As what: agent, lead, knowledge-manager, service, auditor, admin; may be given more than once
        #[arg(long = "role", value_name = "ROLE", required = true, value_delimiter = ',', value_parser = role)]
        roles: Vec<Role>,
        /// How long it is good: days like 90d, hours like 12h, or never for one that is good until it is revoked
        #[arg(long, value_name = "TIME", default_value = "90d")]
        expires: Expiry,
    },
    /// List the keys, the newest first; their secrets are kept nowhere
    List,
    /// Take a key back
    Revoke {
        /// Its id, as `keys list` shows it
        id: String,
    },
}

/// How long a key is good; nothing for as long as it is not revoked.
#[derive(Debug, Clone, Copy)]
struct Expiry(Option<SignedDuration>);

impl FromStr for Expiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self(None));
        }
        let wrong = || format!("{text:?} is no time: write 90d, 12h or never");
        let (number, hours) = match text.strip_suffix('d') {
            Some(days) => (days, 24),
            None => (text.strip_suffix('h').ok_or_else(wrong)?, 1),
        };
        let number: u16 = number.parse().map_err(|_error| wrong())?;
        Ok(Self(Some(SignedDuration::from_hours(i64::from(number) * hours))))
    }
}

fn role(text: &str) -> Result<Role, String> {
    let word = text.replace('-', "_");
    let found = Role::ALL.iter().copied().find(|role| role.as_str() == word);
    found.ok_or_else(|| "a role is agent, lead, knowledge-manager, service, auditor or admin".to_owned())
}

impl Keys {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        global.check_exists()?;
        let desk = global.open().context(
            "keys of a desk that is served are made by its server: POST, GET and DELETE on /v1/keys",
        )?;
        let ring = Ring::open(desk.store(), global.tenant.clone())?;
        let (operator, now) = (Grant::operator().person, Timestamp::now());
        match &self.command {
            Command::Create { name, roles, expires } => {
                let wanted = NewKey {
                    name: name.clone(),
                    roles: roles.iter().copied().collect(),
                    audiences: audiences(global),
                    expires: expires.0.map(|time| now + time),
                };
                let (key, secret) = ring.create(wanted, &random()?, &operator, now)?;
                let shown = KeyBody::new(&key, Some(secret.reveal()), now);
                if global.json {
                    output::json(&shown)?;
                } else {
                    output::note(told(&shown));
                    output::note(paint(DIM, "this is the only time that the key is shown:"));
                    output::line(secret.reveal());
                }
            }
            Command::List => {
                let shown: Vec<KeyBody> =
                    ring.list().iter().map(|key| KeyBody::new(key, None, now)).collect();
                if global.json {
                    output::json(&shown)?;
                } else if shown.is_empty() {
                    output::note("there are no keys: make one with `triagraph keys create`");
                }
                for key in shown.iter().filter(|_| !global.json) {
                    output::line(told(key));
                }
            }
            Command::Revoke { id } => {
                let shown = KeyBody::new(&ring.revoke(id, &operator, now)?, None, now);
                if global.json {
                    output::json(&shown)?;
                } else {
                    output::line(told(&shown));
                }
            }
        }
        Ok(Outcome::Fine)
    }
}

fn audiences(global: &Global) -> Audiences {
    if global.audience.is_empty() {
        return Audiences::All;
    }
    Audiences::Only(global.audience.iter().cloned().collect())
}

/// A key in a line.
fn told(key: &KeyBody) -> String {
    let sees = key.audiences.as_ref().map_or("all audiences".to_owned(), |only| only.join(", "));
    let until = key.expires.as_ref().map_or("no end".to_owned(), |at| format!("until {at}"));
    format!(
        "{}  {}  {}  {}; {sees}; {until}",
        paint(ID, &key.id),
        key.state,
        paint(BOLD, &key.name),
        key.roles.join(", ")
    )
}
