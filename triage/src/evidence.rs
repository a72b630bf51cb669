//! What does the desk know about a ticket? Neighbours, pages, alerts and facts, gathered once; decisions and answer use nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use engine::{Bundle, BundleRequest, Desk, DeskError, FactKind, Filters, Hit, Leg, Query, Subject};
use jiff::Timestamp;
use models::KnownName;
use ontology::{Kind, Record, RecordId, Reference, Relation, Scope};

use crate::agent::TriageOptions;
use crate::finding::{Alert, Neighbour, Page};
use crate::fit::{self, Fit};
use crate::names::{page_names, people};
use crate::place::Precedents;
use crate::story;

/// Tickets that vote at most.
const NEIGHBOURS: usize = 12;
/// Records of each bundle, and of the search for alerts.
const TICKETS: usize = 12;
const PAGES: usize = 8;
const ALERTS: usize = 5;
/// How fast the vote falls with the score: a ticket with half the best one's score has a sixteenth of its vote.
const VOTE_POWER: i32 = 4;
/// Vote of a ticket that nobody has solved yet, beside a solved one.
const UNSOLVED_VOTE: f64 = 0.4;

/// Everything that was found.
pub(crate) struct Evidence {
    pub(crate) neighbours: Vec<Neighbour>,
    pub(crate) pages: Vec<Page>,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) tickets: Bundle,
    pub(crate) knowledge: Bundle,
    pub(crate) people: Vec<KnownName>,
    pub(crate) precedents: Precedents,
}

impl Evidence {
    /// Whether the ticket is in the embedder's language, as far as can be told.
    pub(crate) fn is_english(&self) -> bool {
        is_english(&self.tickets)
    }

    /// Whether the ticket hits this item or service.
    pub(crate) fn affects(&self, id: &RecordId) -> bool {
        self.tickets.facts.iter().any(|fact| fact.kind == FactKind::Affected && fact.object == *id)
    }
}

/// Reads the desk for one ticket.
pub(crate) struct Gather<'a> {
    pub(crate) desk: &'a Desk,
    pub(crate) scope: &'a Scope,
    pub(crate) now: Timestamp,
    /// What names lead to, asked once each.
    found: BTreeMap<String, Vec<RecordId>>,
}

impl<'a> Gather<'a> {
    pub(crate) fn new(desk: &'a Desk, scope: &'a Scope, now: Timestamp) -> Self {
        Self { desk, scope, now, found: BTreeMap::new() }
    }

    pub(crate) fn evidence(
        &mut self,
        ticket: &Record,
        options: &TriageOptions<'_>,
    ) -> Result<Evidence, DeskError> {
        let subject = Subject::Ticket(Box::new(ticket.clone()));
        let bundle = |about: Subject, kinds: &[Kind], limit| {
            let filters = Filters { kinds: kinds.to_vec(), ..Filters::default() };
            let request = BundleRequest {
                filters,
                limit,
                budget_tokens: options.budget_tokens,
                deadline_millis: options.deadline_millis,
                ..BundleRequest::new(about)
            };
            self.desk.bundle(self.scope, &request, self.now)
        };
        let ticket_kinds = [Kind::Incident, Kind::ServiceRequest, Kind::Problem, Kind::Change];
        let tickets = bundle(subject.clone(), &ticket_kinds, TICKETS)?;
        let knowledge = bundle(subject.clone(), &[Kind::Article, Kind::Runbook], PAGES)?;
        let mut neighbours = self.neighbours(&subject, ticket)?;
        let mut pages = self.pages(&knowledge)?;
        let alerts = self.alerts(&tickets.question, options)?;
        let cited = neighbours.iter().flat_map(|neighbour| neighbour.cites.iter());
        let wanted: BTreeSet<RecordId> =
            cited.chain(alerts.iter().flat_map(|alert| alert.leads_to.iter())).cloned().collect();
        for id in wanted {
            if pages.iter().all(|page| page.record.id != id) {
                pages.extend(self.page(&id, 0.0, None)?);
            }
        }
        symmetric(&mut pages);
        if is_english(&tickets) {
            let at_hand = story::Pages::new(pages.iter().map(|page| &page.record));
            for neighbour in neighbours.iter_mut().filter(|one| one.is_solved() && one.cites.is_empty()) {
                neighbour.told_by = at_hand.told_by(&neighbour.record);
            }
        }
        self.compare(ticket, &mut neighbours, &mut pages)?;
        let people = people(ticket, &neighbours);
        let precedents = Precedents::of(self, ticket)?;
        Ok(Evidence { neighbours, pages, alerts, tickets, knowledge, people, precedents })
    }

    /// Holds the ticket against each neighbour and page, statement by statement.
    fn compare(
        &self,
        ticket: &Record,
        neighbours: &mut [Neighbour],
        pages: &mut [Page],
    ) -> Result<(), DeskError> {
        let earlier = neighbours.iter().map(|neighbour| &neighbour.record);
        let records: Vec<&Record> = earlier.chain(pages.iter().map(|page| &page.record)).collect();
        let fits = fit::fits(self.desk, ticket, &records)?;
        let (of_neighbours, of_pages) = fits.split_at(neighbours.len());
        for (neighbour, fit) in neighbours.iter_mut().zip(of_neighbours) {
            neighbour.fit = fit.clone();
        }
        for (page, fit) in pages.iter_mut().zip(of_pages) {
            page.fit = fit.clone();
        }
        Ok(())
    }

    /// All that one record says, as a bundle.
    pub(crate) fn bundle_of(
        &self,
        record: &Record,
        options: &TriageOptions<'_>,
    ) -> Result<Bundle, DeskError> {
        let filters = Filters { records: vec![record.id.clone()], ..Filters::default() };
        let about = Subject::Text(record.title.clone());
        let budget_tokens = options.budget_tokens;
        let request = BundleRequest { filters, limit: 1, budget_tokens, ..BundleRequest::new(about) };
        self.desk.bundle(self.scope, &request, self.now)
    }

    pub(crate) fn record(&self, id: &RecordId) -> Result<Option<Record>, DeskError> {
        Ok(self.desk.record(self.scope, id, None)?.map(|observation| observation.record))
    }

    fn neighbours(&mut self, subject: &Subject, ticket: &Record) -> Result<Vec<Neighbour>, DeskError> {
        let related = self.desk.related(self.scope, subject, NEIGHBOURS, self.now)?;
        let best = related.tickets.iter().map(|ticket| ticket.hit.score).fold(f64::EPSILON, f64::max);
        let mut neighbours = Vec::new();
        for related in related.tickets {
            let Some(record) = self.record(&related.hit.record)? else { continue };
            if record.id == ticket.id {
                continue;
            }
            let cites = self.cites(&record)?;
            let mut tied = BTreeSet::new();
            for relation in [Relation::CausedBy, Relation::RelatedTo, Relation::PartOf, Relation::DuplicateOf]
            {
                tied.extend(self.targets(&record, relation)?);
            }
            let solved =
                if record.state.is_some_and(ontology::State::is_resolved) { 1.0 } else { UNSOLVED_VOTE };
            let weight = (related.hit.score / best).clamp(0.0, 1.0).powi(VOTE_POWER) * solved;
            neighbours.push(Neighbour {
                ticket: related,
                record,
                weight,
                fit: Fit::default(),
                cites,
                told_by: None,
                tied,
            });
        }
        // What a source links stands in front of `related`; here the nearest speaks first.
        neighbours.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        Ok(neighbours)
    }

    /// The pages that solved a ticket: by link, or named in its notes by number or file.
    pub(crate) fn cites(&mut self, record: &Record) -> Result<BTreeSet<RecordId>, DeskError> {
        let mut cited = self.targets(record, Relation::ResolvedBy)?;
        for name in page_names(record) {
            cited.extend(self.find(&name)?);
        }
        let mut pages = BTreeSet::new();
        for id in cited {
            if self.record(&id)?.is_some_and(|record| record.kind.is_knowledge()) {
                pages.insert(id);
            }
        }
        Ok(pages)
    }

    fn pages(&mut self, knowledge: &Bundle) -> Result<Vec<Page>, DeskError> {
        let best = knowledge.items.iter().map(|item| item.score).fold(f64::EPSILON, f64::max);
        let mut pages: Vec<Page> = Vec::new();
        for item in &knowledge.items {
            if pages.iter().all(|page| page.record.id != item.record) {
                let cosine = item.legs.iter().find(|leg| leg.leg == Leg::Dense).map(|leg| leg.raw);
                pages.extend(self.page(&item.record, item.score / best, cosine)?);
            }
        }
        Ok(pages)
    }

    fn page(&mut self, id: &RecordId, score: f64, cosine: Option<f64>) -> Result<Option<Page>, DeskError> {
        let Some(record) = self.record(id)? else { return Ok(None) };
        let replaces = self.targets(&record, Relation::Supersedes)?;
        let contradicts = self.targets(&record, Relation::Contradicts)?;
        let documents = self.targets(&record, Relation::Documents)?;
        let expired = record.is_expired(self.now);
        Ok(Some(Page {
            record,
            score,
            documents,
            cosine,
            fit: Fit::default(),
            expired,
            replaces,
            contradicts,
        }))
    }

    fn alerts(&mut self, question: &str, options: &TriageOptions<'_>) -> Result<Vec<Alert>, DeskError> {
        let filters = Filters { kinds: vec![Kind::Alert], ..Filters::default() };
        let deadline = options.deadline_millis.map(|millis| Instant::now() + Duration::from_millis(millis));
        let query = Query { filters, limit: ALERTS, deadline, ..Query::new(question, self.now) };
        let mut alerts = Vec::new();
        for hit in self.desk.search(self.scope, &query)?.hits {
            let Some(record) = self.record(&hit.record)? else { continue };
            let leads_to = self.targets(&record, Relation::ResolvedBy)?;
            alerts.push(Alert { is_named: is_named(&hit, question), record, leads_to });
        }
        Ok(alerts)
    }

    pub(crate) fn targets(
        &mut self,
        record: &Record,
        relation: Relation,
    ) -> Result<BTreeSet<RecordId>, DeskError> {
        let mut targets = BTreeSet::new();
        for link in record.links.iter().filter(|link| link.relation == relation) {
            match &link.target {
                Reference::Record(id) => {
                    targets.insert(id.clone());
                }
                Reference::Name(name) => targets.extend(self.find(name)?),
            }
        }
        Ok(targets)
    }

    /// The title of the team that a record's link names; the name as it stands where no such record is known.
    pub(crate) fn team(&mut self, record: &Record, relation: Relation) -> Result<Option<String>, DeskError> {
        let Some(link) = record.links.iter().find(|link| link.relation == relation) else { return Ok(None) };
        let (name, ids) = match &link.target {
            Reference::Record(id) => (id.external().to_owned(), vec![id.clone()]),
            Reference::Name(name) => (name.clone(), self.find(name)?),
        };
        for id in ids {
            if let Some(team) = self.record(&id)?.filter(|team| team.kind == Kind::Team) {
                return Ok(Some(team.title));
            }
        }
        Ok(Some(name))
    }

    pub(crate) fn find(&mut self, name: &str) -> Result<Vec<RecordId>, DeskError> {
        if let Some(ids) = self.found.get(name) {
            return Ok(ids.clone());
        }
        let ids = self.desk.find(self.scope, name)?;
        self.found.insert(name.to_owned(), ids.clone());
        Ok(ids)
    }
}

fn is_named(hit: &Hit, question: &str) -> bool {
    question.contains(&hit.title)
}

fn is_english(bundle: &Bundle) -> bool {
    bundle.language.as_deref().is_none_or(|language| language.starts_with("en"))
}

/// A contradiction and a replacement hold from both ends.
fn symmetric(pages: &mut [Page]) {
    let said: Vec<(RecordId, RecordId)> = pages
        .iter()
        .flat_map(|page| page.contradicts.iter().map(|other| (page.record.id.clone(), other.clone())))
        .collect();
    for (from, to) in said {
        for page in pages.iter_mut().filter(|page| page.record.id == to) {
            page.contradicts.insert(from.clone());
        }
    }
}
