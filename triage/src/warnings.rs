//! What should the reader beware of? Expired, replaced and contradicting pages, and tickets that speak to an assistant.

use ontology::Record;

use crate::evidence::Evidence;
use crate::lead::Lead;
use crate::page::Chosen;

/// Phrases by which a text speaks to an assistant instead of a person. They change nothing; people are told.
const SPEAKS_TO_ASSISTANT: [&str; 6] = [
    "ignore all previous instructions",
    "ignore previous instructions",
    "ignore the above",
    "disregard previous",
    "note to the assistant",
    "system prompt",
];

/// What people should know before they follow the answer.
pub(crate) fn warnings(
    ticket: &Record,
    evidence: &Evidence,
    lead: Lead<'_>,
    chosen: Option<&Chosen<'_>>,
) -> Vec<String> {
    let mut warnings = evidence.tickets.warnings.clone();
    warnings.extend(
        evidence.knowledge.warnings.iter().filter(|one| !evidence.tickets.warnings.contains(one)).cloned(),
    );
    let told = ticket.sections.iter().map(|section| section.text.as_str()).chain([ticket.title.as_str()]);
    if told.map(str::to_lowercase).any(|text| SPEAKS_TO_ASSISTANT.iter().any(|phrase| text.contains(phrase)))
    {
        warnings.push(
            "the ticket holds instructions to an assistant: they were read as text and not followed"
                .to_owned(),
        );
    }
    if tells_of_several(ticket) {
        warnings.push(
            "the ticket seems to tell of more than one matter: see that each of them is answered".to_owned(),
        );
    }
    if let (Lead::Ticket(_), Some(chosen)) = (lead, chosen.filter(|chosen| chosen.page.expired)) {
        warnings.push(format!(
            "{} has expired, and like tickets were solved since: do not work by it",
            chosen.page.record.title
        ));
    }
    if let Some(chosen) = lead.page() {
        if chosen.is_guess() {
            warnings.push(format!(
                "{} is a guess: compare its symptom before you follow it",
                chosen.page.record.title
            ));
        }
        if chosen.page.expired {
            warnings
                .push(format!("{} has expired: check it before you work by it", chosen.page.record.title));
        }
        for id in &chosen.page.contradicts {
            let title = evidence
                .pages
                .iter()
                .find(|page| page.record.id == *id)
                .map_or(id.external(), |page| &page.record.title);
            warnings.push(format!("{title} says the opposite of {}", chosen.page.record.title));
        }
        for id in &chosen.page.replaces {
            let title = evidence
                .pages
                .iter()
                .find(|page| page.record.id == *id)
                .map_or(id.external(), |page| &page.record.title);
            warnings.push(format!("do not work by the older page {title}: it was replaced"));
        }
    }
    warnings
}

/// Whether a text counts its matters: a line that begins with 1 and one that begins with 2.
fn tells_of_several(ticket: &Record) -> bool {
    let begins = |number: &str| {
        let texts = ticket.sections.iter().map(|section| section.text.as_str());
        texts.flat_map(str::lines).any(|line| {
            let rest = line.trim_start().strip_prefix(number);
            rest.is_some_and(|rest| rest.starts_with(['.', ')', ':']) && rest[1..].starts_with(' '))
        })
    };
    begins("1") && begins("2")
}
