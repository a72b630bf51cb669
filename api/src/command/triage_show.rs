//! How does a triage look in a terminal? Decisions first, then what to do, then why; handles lead to the sources below.

use ontology::{Kind, RecordId};
use triage::{Answer, Claim, Decision, Otherwise, Outcome, PageChoice, RelatedLine, Source, Triage};

use crate::command::related::in_words;
use crate::command::search::tell_limits;
use crate::output::{self, BAD, BOLD, DIM, GOOD, ID, WARN, line, paint};

/// `called` gives the name that people use for a record.
pub(crate) fn show(triage: &Triage, explain: bool, called: &dyn Fn(&RecordId) -> String) {
    line(format!("{}  {}", paint(ID, triage.ticket.external()), paint(BOLD, &triage.title)));
    match &triage.outcome {
        Outcome::Answered => line(paint(GOOD, "Answered from the desk's own records")),
        Outcome::HandedOver { reason } => line(format!("{} {reason}", paint(BAD, "Handed over:"))),
    }
    line("");
    decision("Team", &triage.team, Clone::clone);
    decision("Category", &triage.category, |path| path.join(" / "));
    decision("Priority", &triage.priority, ToString::to_string);
    if let Some(chosen) = &triage.page {
        page(chosen);
    }
    for item in &triage.affected {
        let owner = item.owner.as_ref().map(|owner| format!(", owned by {owner}")).unwrap_or_default();
        line(format!("{} {}{}", label("Affected"), item.name, paint(DIM, owner)));
    }
    for warning in &triage.warnings {
        line(output::wrap(&format!("{} {warning}", paint(WARN, "!")), output::width(), 0));
    }
    related(&triage.related, called);
    if let Some(answer) = &triage.answer {
        told(answer);
        sources(&answer.sources);
        for dropped in &answer.dropped {
            line(paint(
                DIM,
                output::wrap(
                    &format!("taken out: {} ({})", dropped.text, dropped.reason),
                    output::width(),
                    2,
                ),
            ));
        }
        line("");
        line(paint(DIM, format!("Answer by: {}", answer.by)));
        for note in &triage.notes {
            line(paint(DIM, output::wrap(note, output::width(), 0)));
        }
    }
    if explain {
        heading("How it came about");
        for step in &triage.steps {
            line(paint(
                DIM,
                output::wrap(&format!("{}: {} ({})", step.step, step.why, step.used), output::width(), 2),
            ));
        }
    }
    tell_limits(&triage.degraded, &[]);
    line("");
}

/// What the answer says, part by part.
fn told(answer: &Answer) {
    claims("Known on what is hit", &answer.known, false);
    claims("Compare: the page holds when", &answer.compare, false);
    if let Some(ticket) = &answer.precedent {
        let name = ticket.external();
        let heading = format!("Likely cause, as in {name} (names and numbers are of that ticket)");
        claims(&heading, &answer.likely_cause, false);
        claims(&format!("What was found in {name}"), &answer.check_first, false);
        claims(&how_it_was_solved(name), &answer.what_to_do, true);
    } else {
        claims("Likely cause", &answer.likely_cause, false);
        claims("Check first", &answer.check_first, true);
        claims("What to do", &answer.what_to_do, true);
    }
    claims("How to see that it is solved", &answer.verification, false);
    claims("If it does not help", &answer.escalation, false);
    if let Some(other) = &answer.otherwise {
        otherwise(other);
    }
    for earlier in &answer.earlier {
        let name = earlier.record.external();
        let title = match earlier.kind {
            Kind::Problem | Kind::Change => format!("What {name} says"),
            _ => format!("{name} was like it (names and numbers are of that ticket)"),
        };
        claims(&title, &earlier.claims, false);
    }
}

fn otherwise(other: &Otherwise) {
    let name = match other.kind {
        Kind::Article | Kind::Runbook => other.title.clone(),
        _ => format!("{} {} (names and numbers are of that ticket)", other.record.external(), other.title),
    };
    heading(&format!("This fits too: {name}"));
    claims("  It holds when", &other.compare, false);
    claims("  Its cause", &other.likely_cause, false);
    claims("  What to do then", &other.what_to_do, true);
}

fn how_it_was_solved(ticket: &str) -> String {
    format!("How {ticket} was solved (names and numbers are of that ticket)")
}

fn label(text: &str) -> String {
    format!("{text:<9}")
}

fn decision<T>(name: &str, decision: &Decision<T>, words: impl Fn(&T) -> String) {
    let value =
        decision.value.as_ref().map_or_else(|| paint(WARN, "undecided"), |value| paint(BOLD, words(value)));
    let sure = if decision.value.is_some() { paint(DIM, sure(decision.confidence)) } else { String::new() };
    line(format!("{} {value}  {sure}", label(name)));
    for why in decision.why.iter().take(2) {
        line(paint(DIM, output::wrap(why, output::width(), 10)));
    }
}

fn sure(confidence: f64) -> String {
    let word = match confidence {
        sure if sure >= 0.7 => "sure",
        likely if likely >= 0.45 => "likely",
        _ => "a guess",
    };
    format!("{:.0} %, {word}", confidence * 100.0)
}

fn page(page: &PageChoice) {
    let expired = if page.expired { paint(WARN, "  expired") } else { String::new() };
    let kind = if page.kind == ontology::Kind::Runbook { "Runbook" } else { "Article" };
    line(format!(
        "{} {}{expired}  {}",
        label(kind),
        paint(BOLD, &page.title),
        paint(DIM, sure(page.confidence))
    ));
    let place = page.url.as_deref().unwrap_or(page.record.as_str());
    line(format!("          {}", paint(ID, place)));
    for why in page.why.iter().take(3) {
        line(paint(DIM, output::wrap(why, output::width(), 10)));
    }
}

fn heading(text: &str) {
    line("");
    line(paint(BOLD, text));
}

fn related(tickets: &[RelatedLine], called: &dyn Fn(&RecordId) -> String) {
    if tickets.is_empty() {
        return;
    }
    heading("Related tickets");
    for ticket in tickets {
        let state = ticket.state.map(|state| state.as_str().replace('_', " ")).unwrap_or_default();
        let day = ticket.created.map(|created| created.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
        line(format!(
            "  {}  {}  {}",
            paint(ID, ticket.record.external()),
            output::shorten(&ticket.title, 70),
            paint(DIM, format!("{state} {day}"))
        ));
        let why: Vec<String> = ticket.reasons.iter().map(|reason| in_words(reason, called)).collect();
        line(paint(DIM, output::wrap(&why.join("; "), output::width(), 6)));
    }
}

fn claims(title: &str, claims: &[Claim], is_ordered: bool) {
    if claims.is_empty() {
        return;
    }
    heading(title);
    for (index, claim) in claims.iter().enumerate() {
        let mark = if is_ordered { format!("{:>2}.", index + 1) } else { " –".to_owned() };
        let text =
            output::wrap(&format!("{} [{}]", claim.text, claim.handles.join(", ")), output::width(), 5);
        // The mark stands in the indent of the first line.
        line(format!(" {mark:<4}{}", text.trim_start()));
    }
}

fn sources(sources: &[Source]) {
    if sources.is_empty() {
        return;
    }
    heading("Sources");
    for source in sources {
        let day = source.date.map(|date| date.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
        let part = source
            .section_kind
            .map(|kind| kind.as_str().replace('_', " "))
            .unwrap_or_else(|| "graph".to_owned());
        let expired = if source.expired { paint(WARN, " expired") } else { String::new() };
        // A fact's words begin with the record that they are about.
        let record =
            source.section_kind.map(|_| format!("{} ", source.record.external())).unwrap_or_default();
        line(format!(
            "  {} {record}{}  {}{expired}",
            paint(ID, format!("{:<4}", source.handle)),
            output::shorten(&source.title, 60),
            paint(DIM, format!("{part} {day}")),
        ));
    }
}
