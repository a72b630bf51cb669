//! Which runbook or article is to be worked by? Search, what solved the neighbours, and what an alert leads to, together.

use std::collections::{BTreeMap, BTreeSet};

use ontology::RecordId;

use crate::evidence::Evidence;
use crate::finding::Page;
use crate::result::PageChoice;
use crate::words;

/// What speaks for a page, beside 1 for the best by search. Links weigh most: people chose them. An alert that the
/// ticket names leads to its page by the word of those who wrote it.
const SEARCH: f64 = 1.0;
/// Search for a ticket in another language than the embedder's finds pages in that language first, whatever they are about.
const SEARCH_IN_OTHER_LANGUAGE: f64 = 0.4;
const SOLVED_NEIGHBOURS: f64 = 1.2;
const NAMED_ALERT: f64 = 1.5;
const LIKE_ALERT: f64 = 0.15;
/// What the nearest solved tickets tell of cause and solution, found in the page's words: it speaks for a page that nobody
/// cited, and in the desk's language whatever the caller writes in. Ordinary words alone give the first share.
const SAME_STORY: f64 = 1.2;
const ORDINARY_SHARE: f64 = 0.15;
const STORIES: usize = 5;
/// The page is about what the ticket hits.
const ABOUT_AFFECTED: f64 = 0.25;
/// An expired page counts this much of its points; with a replacement at hand, its points are the replacement's.
const EXPIRED: f64 = 0.5;
/// Pages named in fewer votes than this have no word of neighbours: one distant ticket proves nothing.
const LEAST_VOTES: f64 = 0.15;
/// Votes from which a neighbour is near.
const NEAR_VOTE: f64 = 0.2;
/// Cosine range over which meaning alone turns from doubtful to sure; MiniLM's unrelated texts stay below the first.
const DOUBTFUL_COSINE: f64 = 0.25;
const SURE_COSINE: f64 = 0.65;

/// Below the first confidence no answer is built on a page (one in four of them was right when the desk's solved incidents were
/// asked again); below the second (half of them) the reader is told to compare.
const ENOUGH: f64 = 0.25;
pub(crate) const LIKELY: f64 = 0.45;

/// A page with what speaks for it.
pub(crate) struct Chosen<'a> {
    pub(crate) page: &'a Page,
    /// How far it is ahead of the next, 0 to 1.
    pub(crate) margin: f64,
    /// Share of the solved neighbours' votes that it was named by, 0 to 1.
    pub(crate) votes: f64,
    /// Whether an alert that the ticket names leads to it.
    pub(crate) by_alert: bool,
    /// Whether like tickets were solved in its way.
    pub(crate) by_story: bool,
    pub(crate) why: Vec<String>,
}

#[derive(Default)]
struct Points {
    points: f64,
    votes: f64,
    by_alert: bool,
    by_story: bool,
    why: Vec<String>,
}

/// The pages by their points, best first.
pub(crate) fn ranked(evidence: &Evidence) -> Vec<Chosen<'_>> {
    let mut points = points(evidence);
    pass_on_to_replacements(evidence, &mut points);
    let mut ranked: Vec<(&Page, Points)> = evidence
        .pages
        .iter()
        .filter_map(|page| {
            let mut its = points.remove(&page.record.id)?;
            if page.expired {
                its.points *= EXPIRED;
                its.why.push("its time has passed".to_owned());
            }
            Some((page, its))
        })
        .collect();
    ranked.sort_by(|a, b| b.1.points.total_cmp(&a.1.points).then_with(|| a.0.record.id.cmp(&b.0.record.id)));
    let nexts: Vec<f64> = ranked.iter().skip(1).map(|(_, its)| its.points).chain([0.0]).collect();
    let chosen = ranked.into_iter().zip(nexts).map(|((page, its), next)| {
        let margin = if its.points > 0.0 { (its.points - next) / its.points } else { 0.0 };
        Chosen {
            page,
            margin,
            votes: its.votes,
            by_alert: its.by_alert,
            by_story: its.by_story,
            why: its.why,
        }
    });
    chosen.collect()
}

fn points(evidence: &Evidence) -> BTreeMap<RecordId, Points> {
    let mut points: BTreeMap<RecordId, Points> = BTreeMap::new();
    let search = if evidence.is_english() { SEARCH } else { SEARCH_IN_OTHER_LANGUAGE };
    for page in &evidence.pages {
        let its = points.entry(page.record.id.clone()).or_default();
        its.points += search * page.score;
        if page.score > 0.0 {
            its.why.push(match page.cosine {
                Some(cosine) => format!("its text fits the ticket (similarity {cosine:.2})"),
                None => "its words fit the ticket".to_owned(),
            });
        }
    }
    stories(evidence, &mut points);
    for page in evidence.pages.iter().filter(|page| page.documents.iter().any(|id| evidence.affects(id))) {
        let its = points.entry(page.record.id.clone()).or_default();
        its.points += ABOUT_AFFECTED;
        its.why.push("it is about what is hit".to_owned());
    }
    // A solved ticket that no page solved is a voice against all of them. Whose nearness rests on a foreign language is none.
    let voting = evidence.neighbours.iter().filter(|neighbour| {
        let tells = || neighbour.is_solved() && !words::story(&neighbour.record).is_empty();
        neighbour.solved_with().next().is_some() || (evidence.is_english() && tells())
    });
    let all: f64 = voting.clone().map(|neighbour| neighbour.weight).sum();
    let trust = trust_in_neighbours(evidence);
    let mut by_page: BTreeMap<&RecordId, (f64, Vec<&str>)> = BTreeMap::new();
    for neighbour in voting {
        for id in neighbour.solved_with() {
            let (weight, tickets) = by_page.entry(id).or_default();
            *weight += neighbour.weight / neighbour.solved_with().count() as f64;
            tickets.push(neighbour.id().external());
        }
    }
    for (id, (weight, tickets)) in by_page {
        let its = points.entry(id.clone()).or_default();
        if weight < LEAST_VOTES {
            continue;
        }
        its.votes = weight / all;
        // Half of a full vote speaks half as loud: many far tickets do not make one near one.
        its.points += SOLVED_NEIGHBOURS * trust * its.votes * weight.min(1.0);
        its.why.push(format!("like tickets went by it: {}", listed(&tickets)));
    }
    for alert in &evidence.alerts {
        let weight = if alert.is_named { NAMED_ALERT } else { LIKE_ALERT };
        for id in &alert.leads_to {
            let its = points.entry(id.clone()).or_default();
            its.points += weight;
            if alert.is_named {
                its.by_alert = true;
                its.why.insert(0, format!("the alert {} leads to it", alert.record.title));
            }
        }
        if !alert.is_named {
            break;
        }
    }
    points
}

/// How much more than pages the neighbours are to be believed: the better they tell what the ticket tells, the more.
fn trust_in_neighbours(evidence: &Evidence) -> f64 {
    let near = evidence.neighbours.iter().filter(|neighbour| neighbour.weight >= NEAR_VOTE);
    let of_neighbours = near.map(|neighbour| neighbour.fit.whole()).fold(0.0, f64::max);
    let of_pages = evidence.pages.iter().map(|page| page.fit.whole()).fold(0.0, f64::max);
    if of_neighbours <= 0.0 || of_pages <= 0.0 {
        return 1.0;
    }
    (of_neighbours / of_pages).powi(2).clamp(0.5, 2.5)
}

/// How much of the nearest solved tickets' causes and solutions stands in each page.
fn stories(evidence: &Evidence, points: &mut BTreeMap<RecordId, Points>) {
    let told: Vec<(f64, BTreeSet<String>)> = evidence
        .neighbours
        .iter()
        .filter(|neighbour| neighbour.is_solved())
        .map(|neighbour| (neighbour.weight, words::story(&neighbour.record)))
        .filter(|(_, story)| !story.is_empty())
        .take(STORIES)
        .collect();
    let all: f64 = told.iter().map(|(weight, _)| weight).sum();
    if all <= 0.0 {
        return;
    }
    for page in &evidence.pages {
        let known = words::of_record(&page.record);
        let share =
            told.iter().map(|(weight, story)| weight * words::overlap(story, &known)).sum::<f64>() / all;
        let its = points.entry(page.record.id.clone()).or_default();
        its.points += SAME_STORY * ((share - ORDINARY_SHARE) / (1.0 - ORDINARY_SHARE)).max(0.0);
        if share >= 0.4 {
            its.by_story = true;
            its.why.push("like tickets were solved in its way".to_owned());
        }
    }
}

/// What people found in an old page is told by the page that replaced it.
fn pass_on_to_replacements(evidence: &Evidence, points: &mut BTreeMap<RecordId, Points>) {
    for page in evidence.pages.iter().filter(|page| !page.expired) {
        for old in &page.replaces {
            let Some(its) = points.remove(old) else { continue };
            let new = points.entry(page.record.id.clone()).or_default();
            new.points = new.points.max(its.points) + its.points.min(new.points) * EXPIRED;
            new.votes = (new.votes + its.votes).min(1.0);
            new.by_alert |= its.by_alert;
            new.by_story |= its.by_story;
            new.why.push(format!("it replaces {}", old.external()));
        }
    }
}

fn listed(tickets: &[&str]) -> String {
    const SHOWN: usize = 3;
    let shown = tickets.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if tickets.len() > SHOWN { format!("{shown} and {} more", tickets.len() - SHOWN) } else { shown }
}

impl Chosen<'_> {
    /// Whether an answer may be built on it.
    pub(crate) fn is_enough(&self) -> bool {
        self.confidence() >= ENOUGH
    }

    /// Whether the reader should compare before following it.
    pub(crate) fn is_guess(&self) -> bool {
        self.confidence() < LIKELY
    }

    /// How sure it is: words and meaning, votes, and how far it is ahead.
    pub(crate) fn confidence(&self) -> f64 {
        let meaning = self.page.cosine.map_or(0.5, |cosine| {
            ((cosine - DOUBTFUL_COSINE) / (SURE_COSINE - DOUBTFUL_COSINE)).clamp(0.0, 1.0)
        });
        let confidence = 0.35 * meaning
            + 0.35 * self.votes.max(if self.by_alert { 1.0 } else { 0.0 })
            + 0.3 * self.margin.min(1.0);
        confidence.clamp(0.0, 1.0)
    }

    pub(crate) fn shown(&self) -> PageChoice {
        let record = &self.page.record;
        PageChoice {
            record: record.id.clone(),
            kind: record.kind,
            title: record.title.clone(),
            confidence: self.confidence(),
            why: self.why.clone(),
            expired: self.page.expired,
            url: record.url.clone(),
        }
    }
}
