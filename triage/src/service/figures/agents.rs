//! What do the desk's agents and its pages contribute, and how often are agents wrong?

use std::collections::{BTreeMap, BTreeSet};

use ontology::RecordId;
use serde::Serialize;

use super::super::life::TicketLife;
use super::super::work::{AgentDeed, Fate};
use super::{Definition, Figure, Tally, Unit, View};
use crate::policy::Deed;

/// The name of the automation rate, to which the drift belongs.
pub(super) const AUTOMATION: &str = "automation_rate";
/// Pages that are named, at most.
const NAMED: usize = 10;

const AUTOMATED: Definition = Definition {
    name: AUTOMATION,
    title: "Automated",
    definition: "Of the tickets whose first event came in the period, the share for which agents did something alone, as the policies let them: \
                 routed it or answered it.",
    unit: Unit::Share,
};
const DRIFT: Definition = Definition {
    name: "automation_drift",
    title: "Drift of automation",
    definition: "automation_rate less that of the period of the same length before.",
    unit: Unit::Difference,
};
const WRONG: Definition = Definition {
    name: "false_positive_rate",
    title: "Agents wrong",
    definition: "Of what agents did alone in the period, or proposed and people ruled on, the share that people rejected, changed before it was \
                 done, or put right afterwards: overridden, told of as refused, changed or no help, a reply after which the ticket came back, a route \
                 after which it ended under another category or team.",
    unit: Unit::Share,
};
const USED: Definition = Definition {
    name: "agent_utilisation",
    title: "Agents used",
    definition: "Of the tickets whose first event came in the period, the share on which something that an agent made was done, alone or by people.",
    unit: Unit::Share,
};
const KNOWLEDGE: Definition = Definition {
    name: "knowledge_contribution",
    title: "Solved by a page",
    definition: "Of the tickets solved in the period, the share for which a page is known: its source links one, it names one, or an answer that \
                 was sent cites one.",
    unit: Unit::Share,
};

const EDITED: Definition = Definition {
    name: "edited_share",
    title: "Words changed",
    definition: "Of the replies that agents made in the period and of which people said what they did with them, the mean share of words that were \
                 put in or taken out before they were used.",
    unit: Unit::Share,
};
const HELPFUL: Definition = Definition {
    name: "helpful_share",
    title: "Answers that helped",
    definition: "Of what was said in the period on whether an answer helped, the share that said so.",
    unit: Unit::Share,
};

/// A page, and how many tickets it helped to solve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PageUse {
    /// The page.
    pub record: RecordId,
    /// Its title, where a ticket names it; empty otherwise.
    pub title: String,
    /// Tickets of the period.
    pub tickets: u64,
}

/// The figures of agents and pages.
pub(super) fn agents(view: &View<'_>) -> Vec<Figure> {
    let (mut alone, mut wrong, mut used) = (Tally::default(), Tally::default(), Tally::default());
    let (mut edited, mut helpful) = (Tally::default(), Tally::default());
    for life in view.lives {
        let Some(work) = &life.work else { continue };
        for deed in work.deeds.iter().filter(|deed| view.period.has(deed.at) && deed.fate != Fate::Unruled) {
            wrong.ask(Some(deed.deed.as_str().to_owned()), is_wrong(life, deed));
        }
        for deed in work.deeds.iter().filter(|deed| view.period.has(deed.at) && deed.deed == Deed::Reply) {
            if let Some(changed) = deed.edited_share {
                edited.add(None, changed);
            }
        }
        for (_, has_helped) in work.helped.iter().filter(|(moment, _)| view.period.has(*moment)) {
            helpful.ask(None, *has_helped);
        }
        if view.period.has(work.received) {
            alone.ask(None, work.deeds.iter().any(|deed| deed.fate == Fate::Alone));
            used.ask(None, work.deeds.iter().any(AgentDeed::is_done));
        }
    }
    let mut knowledge = Tally::default();
    for life in solved(view) {
        knowledge.ask(None, !pages_of(life).is_empty());
    }
    vec![
        alone.figure(&AUTOMATED),
        wrong.figure(&WRONG),
        edited.figure(&EDITED),
        helpful.figure(&HELPFUL),
        used.figure(&USED),
        knowledge.figure(&KNOWLEDGE),
    ]
}

/// How the automation rate moved.
pub(super) fn drift(automation: &Figure) -> Figure {
    let mut figure = Tally::default().figure(&DRIFT);
    figure.value = automation.value.zip(automation.previous).map(|(now, before)| now - before);
    figure.denominator = automation.denominator;
    figure.numerator = figure.value.unwrap_or(0.0) * figure.denominator as f64;
    figure.note = match (automation.value, automation.previous) {
        (None, _) => automation.note.clone(),
        (_, None) => {
            Some("not enough data: no ticket came over the workflow in the period before".to_owned())
        }
        _ => None,
    };
    figure
}

/// The pages that most tickets of the period were solved by.
pub(crate) fn pages(view: &View<'_>) -> Vec<PageUse> {
    let mut used: BTreeMap<&RecordId, (&str, u64)> = BTreeMap::new();
    for life in solved(view) {
        for (record, title) in pages_of(life) {
            let page = used.entry(record).or_default();
            page.0 = if title.is_empty() { page.0 } else { title };
            page.1 += 1;
        }
    }
    let page = |(record, (title, tickets)): (&RecordId, (&str, u64))| PageUse {
        record: record.clone(),
        title: title.to_owned(),
        tickets,
    };
    let mut pages: Vec<PageUse> = used.into_iter().map(page).collect();
    pages.sort_by_key(|page| std::cmp::Reverse(page.tickets));
    pages.truncate(NAMED);
    pages
}

fn solved<'a>(view: &View<'a>) -> impl Iterator<Item = &'a TicketLife> {
    let (period, levels) = (view.period, view.levels);
    let solved =
        view.lives.iter().filter(move |life| life.resolved().is_some_and(|moment| period.has(moment)));
    solved.filter(move |life| levels.has(life.kind))
}

/// The pages of a ticket, each once.
fn pages_of(life: &TicketLife) -> BTreeSet<(&RecordId, &str)> {
    let mut pages: BTreeSet<(&RecordId, &str)> =
        life.pages.iter().map(|page| (&page.record, page.title.as_str())).collect();
    let done = life.work.iter().flat_map(|work| work.deeds.iter().filter(|deed| deed.is_done()));
    for cited in done.flat_map(|deed| &deed.cited) {
        if !pages.iter().any(|(record, _)| *record == cited) {
            pages.insert((cited, ""));
        }
    }
    pages
}

fn is_wrong(life: &TicketLife, deed: &AgentDeed) -> bool {
    match deed.fate {
        Fate::Rejected | Fate::Changed => return true,
        Fate::Unruled => return false,
        Fate::Alone | Fate::Approved if deed.is_put_right => return true,
        Fate::Alone | Fate::Approved => {}
    }
    if deed.deed == Deed::Reply {
        let back = life.states.windows(2).filter(|pair| pair[0].is_over() && !pair[1].is_over());
        return back.into_iter().any(|pair| pair[1].since > deed.at);
    }
    let (Some(route), true) = (&deed.route, life.ended().is_some()) else { return false };
    let is_other = |one: &str, other: &str| one.trim().to_lowercase() != other.trim().to_lowercase();
    let team = route.team.as_ref().zip(life.team.as_ref()).is_some_and(|(meant, had)| is_other(meant, had));
    let category =
        route.category.first().zip(life.category.first()).is_some_and(|(meant, was)| is_other(meant, was));
    team || category
}
