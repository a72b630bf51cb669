//! What is hidden in one triage, and from whom? From a language model all that the policy says; among people of the desk what is another person's.

use std::collections::BTreeSet;

use engine::{Bundle, Desk, DeskError};
use models::{KnownName, NameKind, RedactionPolicy, RedactionSession, Redactor};
use ontology::{Record, RecordId, Scope};

use crate::agent::{Trace, TriageOptions};
use crate::evidence::Evidence;
use crate::vault::Withheld;

/// The redactors of one triage.
pub(crate) struct Hiding {
    from_model: Redactor,
    among_us: Redactor,
}

impl Hiding {
    /// Hides what the policy says, with the people whom the tickets name and, from a language model, all whom and what the desk knows.
    pub(crate) fn new(
        desk: &Desk,
        scope: &Scope,
        evidence: &Evidence,
        options: &TriageOptions<'_>,
    ) -> Result<Self, DeskError> {
        let mut names: Vec<KnownName> = options.known_names.iter().chain(&evidence.people).cloned().collect();
        let mut add = |found: BTreeSet<String>, kind| {
            names.extend(found.into_iter().map(|name| KnownName { name, kind }));
        };
        let is_asked = options.language_model.is_some();
        if is_asked && options.policy.people {
            add(desk.people(scope)?, NameKind::Person);
        }
        if is_asked && options.policy.hosts {
            add(desk.hosts(scope)?, NameKind::Host);
        }
        // Who may read the desk may read its addresses and hosts: they are what a solution is made of.
        let among_us = RedactionPolicy { ip_addresses: false, hosts: false, ..options.policy };
        Ok(Self {
            from_model: Redactor::new(&options.policy, &names),
            among_us: Redactor::new(&among_us, &names),
        })
    }

    /// For a language model, and for people of the desk, under the same placeholders; the trace says how much of the ticket is hidden.
    pub(crate) fn sessions(
        &self,
        ticket: &Record,
        trace: &mut Trace,
    ) -> (RedactionSession<'_>, RedactionSession<'_>) {
        let places = |text: &str| self.from_model.redact(text).replacements().len();
        let hidden: usize = ticket.sections.iter().map(|section| places(&section.text)).sum();
        let why = format!("{hidden} places of the ticket are hidden from a language model");
        trace.add("redacted", "rules and known names", why);
        let for_model = self.from_model.session();
        let among_us = for_model.under(&self.among_us);
        (for_model, among_us)
    }
}

/// What was hidden, with the records whose text was read.
pub(crate) fn withheld(
    session: &RedactionSession<'_>,
    evidence: &Evidence,
    read: &[Option<&Bundle>],
) -> Withheld {
    let bundles = read.iter().flatten();
    let items = bundles.clone().flat_map(|bundle| &bundle.items).map(|item| &item.record);
    let facts = bundles.flat_map(|bundle| &bundle.facts).map(|fact| &fact.object);
    let neighbours = evidence.neighbours.iter().map(crate::finding::Neighbour::id);
    let about: BTreeSet<RecordId> = items.chain(facts).chain(neighbours).cloned().collect();
    Withheld { values: session.hidden(), about }
}
