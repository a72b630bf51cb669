//! Which way does a ticket go? From received to answered or handed over; every step says what it used and why.

use std::time::Duration;

use engine::{Bundle, Degraded, Desk, DeskError};
use jiff::Timestamp;
use models::{KnownName, LanguageModel, Limits, RedactionPolicy, RedactionSession};
use ontology::{Record, Scope};

use crate::answer::{answer, cite};
use crate::changed::changes_before;
use crate::cited::Answer;
use crate::classify;
use crate::doubt::doubt;
use crate::evidence::{Evidence, Gather};
use crate::extract::extract;
use crate::hiding::{Hiding, withheld};
use crate::lead::{Lead, second};
use crate::learned::{Hearing, Learned, Opinion};
use crate::material::Material;
use crate::page::{self, Chosen};
use crate::policy::{Boundaries, HandOver};
use crate::result::{BundleRef, Outcome, RelatedLine, Strength, TRIAGE_SCHEMA, Triage};
use crate::sources::{Passage, Sources};
pub(crate) use crate::steps::Trace;
use crate::strength::strength;
use crate::warnings::warnings;

/// Related tickets that are shown, and the vote from which one is.
const SHOWN_RELATED: usize = 5;
const SHOWN_WEIGHT: f64 = 0.05;

/// How to triage.
pub struct TriageOptions<'a> {
    /// Words the answer; without one the answer is made of the sources' own sentences.
    pub language_model: Option<&'a dyn LanguageModel>,
    /// How far what it says is heard.
    pub hearing: Hearing,
    /// The desk's own models, where it has any: see [`crate::learned`].
    pub learned: Option<&'a Learned>,
    /// What one answer of the language model may cost: time, and tokens of what it says.
    pub model_limits: Limits,
    /// What agents may read, and when they hand over.
    pub boundaries: Boundaries,
    /// What must not reach a language model, or be shown of other people's tickets. People whom tickets name are always known.
    pub policy: RedactionPolicy,
    /// Names that the policy may ask for.
    pub known_names: Vec<KnownName>,
    /// Tokens of each bundle.
    pub budget_tokens: u32,
    /// Milliseconds for each search; legs that are late are left out and named.
    pub deadline_millis: Option<u64>,
}

impl Default for TriageOptions<'_> {
    fn default() -> Self {
        Self {
            language_model: None,
            hearing: Hearing::default(),
            learned: None,
            model_limits: Limits { max_tokens: 400, timeout: Duration::from_secs(60) },
            boundaries: Boundaries::default(),
            policy: RedactionPolicy::default(),
            known_names: Vec::new(),
            budget_tokens: 4000,
            deadline_millis: None,
        }
    }
}

/// Why a ticket cannot be triaged. A language model that fails is no error: the answer is then extractive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TriageError {
    /// The desk.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

impl TriageError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Desk(error) => error.code(),
        }
    }
}

/// Triages a ticket, which need not be in the desk.
///
/// # Errors
/// [`TriageError`] for another tenant's scope or a damaged desk.
pub fn triage(
    desk: &Desk,
    scope: &Scope,
    ticket: &Record,
    options: &TriageOptions<'_>,
    now: Timestamp,
) -> Result<Triage, TriageError> {
    triage_within(desk, scope, ticket, options, &options.boundaries, now)
}

/// The same within other boundaries than those of the options.
pub(crate) fn triage_within(
    desk: &Desk,
    scope: &Scope,
    ticket: &Record,
    options: &TriageOptions<'_>,
    boundaries: &Boundaries,
    now: Timestamp,
) -> Result<Triage, TriageError> {
    let _agent = models::agent_span("triage").entered();
    let mut trace = Trace::default();
    trace.add("received", ticket.id.as_str(), format!("{} sections", ticket.sections.len()));
    let [surroundings, own, guided] = boundaries.scopes(scope);
    let mut gather = Gather::new(desk, &guided, now);
    let evidence = tracing::info_span!("gather").in_scope(|| gather.evidence(ticket, options))?;
    let hiding = Hiding::new(desk, scope, &evidence, options)?;
    let (for_model, among_us) = hiding.sessions(ticket, &mut trace);
    let affected = classify::affected(&Gather::new(desk, &surroundings, now), &evidence)?;
    trace.add("enriched", &evidence.tickets.id, evidence.surroundings(&affected));

    trace.limit(boundaries);
    // Who classifies may see less, or more, than who answers.
    let mut voting = (own != guided).then(|| Gather::new(desk, &own, now));
    let voters = voting.as_mut().map(|gather| gather.evidence(ticket, options)).transpose()?;
    let voters = voters.as_ref().unwrap_or(&evidence);
    let ranked = page::ranked(&evidence);
    let chosen = ranked.first();
    let opinions =
        options.learned.map(|learned| learned.opinions(desk, ticket)).transpose()?.unwrap_or_default();
    let category = classify::category(ticket, voters, &opinions);
    let priority = classify::priority(ticket, voters, &opinions);
    trace.add("classified", &used_to_classify(&opinions), voters.voted());

    let strength = strength(ticket, &evidence, chosen);
    let lead = Lead::of(&evidence, &ranked);
    let page = lead.page().filter(|page| own.shows(page.page.record.kind));
    let team = classify::team(voting.as_mut().unwrap_or(&mut gather), voters, page, &affected)?;
    let team = classify::heard(team, &opinions);
    let of_lead = lead.record().map(|record| gather.bundle_of(record, options)).transpose()?;
    let of_second = second(&evidence, lead).map(|record| gather.bundle_of(record, options)).transpose()?;
    let material = Material {
        ticket,
        evidence: &evidence,
        lead,
        lead_passages: of_lead.iter().flat_map(Passage::all).collect(),
        second_passages: of_second.iter().flat_map(Passage::all).collect(),
        redactor: &among_us,
        for_model: &for_model,
    };
    trace.add("context", &evidence.knowledge.id, evidence.found(&strength));

    let mut warnings = warnings(ticket, &evidence, lead, chosen);
    let changes = changes_before(desk, &surroundings, ticket, &affected, now)?;
    warnings.extend(changes.iter().map(|change| change.warning(&affected)));
    let (outcome, answer) = conclude(&material, &strength, options, boundaries.hand_over(), &mut trace);
    if let Some(answer) = &answer {
        cite(desk, answer, now)?;
    }
    let read = [Some(&evidence.tickets), Some(&evidence.knowledge), of_lead.as_ref(), of_second.as_ref()];
    Ok(Triage {
        schema: TRIAGE_SCHEMA.to_owned(),
        ticket: ticket.id.clone(),
        title: ticket.title.clone(),
        triaged: now,
        outcome,
        category,
        priority,
        team,
        page: lead.page().map(Chosen::shown),
        related: related(&evidence, &among_us),
        affected,
        changes,
        answer,
        strength,
        bundles: read.iter().flatten().map(|bundle| reference(bundle)).collect(),
        warnings,
        degraded: degraded(&evidence),
        opinions,
        notes: trace.notes,
        calls: trace.calls,
        steps: trace.steps,
        withheld: withheld(&for_model, &evidence, &read),
    })
}

fn used_to_classify(opinions: &[Opinion]) -> String {
    let models = opinions.iter().filter(|opinion| opinion.counts);
    let models: String = models.map(|one| format!(", {} model {}", one.task, one.version)).collect();
    format!("neighbours, graph, impact × urgency{models}")
}

fn reference(bundle: &Bundle) -> BundleRef {
    BundleRef { id: bundle.id.clone(), generation: bundle.generation }
}

/// Answers, or hands over.
fn conclude(
    material: &Material<'_>,
    strength: &Strength,
    options: &TriageOptions<'_>,
    hand_over_at: HandOver,
    trace: &mut Trace,
) -> (Outcome, Option<Answer>) {
    let mut hand_over = |reason: String| {
        trace.add("handed_over", "", reason.clone());
        (Outcome::HandedOver { reason }, None)
    };
    if let Some(reason) = doubt(material, strength, hand_over_at) {
        return hand_over(reason);
    }
    let mut sources = Sources::default();
    let extracted = extract(material, &mut sources);
    if extracted.what_to_do.is_empty() && extracted.check_first.is_empty() {
        return hand_over("no page and no solved ticket tells what to do".to_owned());
    }
    let answer = answer(material, extracted, sources, options, trace);
    let why = format!("{} sentences, {} sources", answer.claims().count(), answer.sources.len());
    trace.add("answered", &answer.by, why);
    (Outcome::Answered, Some(answer))
}

/// The legs that took no part in one search or the other.
fn degraded(evidence: &Evidence) -> Vec<Degraded> {
    let mut degraded = evidence.tickets.degraded.clone();
    for one in &evidence.knowledge.degraded {
        if !degraded.contains(one) {
            degraded.push(one.clone());
        }
    }
    degraded
}

fn related(evidence: &Evidence, redactor: &RedactionSession<'_>) -> Vec<RelatedLine> {
    let shown =
        evidence.neighbours.iter().filter(|neighbour| neighbour.weight >= SHOWN_WEIGHT).take(SHOWN_RELATED);
    let line = |neighbour: &crate::finding::Neighbour| RelatedLine {
        record: neighbour.id().clone(),
        kind: neighbour.record.kind,
        title: redactor.redact(&neighbour.record.title).text().to_owned(),
        state: neighbour.record.state,
        created: neighbour.record.created,
        weight: neighbour.weight,
        reasons: neighbour.ticket.reasons.clone(),
    };
    shown.map(line).collect()
}
