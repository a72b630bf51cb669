//! Is the evidence to be answered from, or does a person have to look? The desk says where the line is, in `policy/autonomy.toml`.

use crate::lead::{Lead, other_code};
use crate::material::Material;
use crate::policy::{HandOver, PerMille};
use crate::result::Strength;

/// Why the evidence is not to be answered from, if it is not.
pub(crate) fn doubt(material: &Material<'_>, strength: &Strength, hand_over: HandOver) -> Option<String> {
    if PerMille::of(strength.score) < hand_over.below_strength {
        let nearest = strength
            .cosine
            .map(|cosine| format!(", the nearest text has similarity {cosine:.2}"))
            .unwrap_or_default();
        return Some(format!(
            "nothing in the desk is near enough: {:.0} % of the ticket's words are known{nearest}",
            strength.coverage * 100.0
        ));
    }
    let other_code = || other_code(material.ticket, material.lead, material.evidence);
    if let Some((code, other)) = hand_over.unknown_code.then(other_code).flatten() {
        return Some(format!("nothing in the desk tells of {code}, the nearest record is about {other}"));
    }
    match material.lead {
        Lead::Page(chosen)
            if hand_over.expired_page && chosen.page.expired && material.agreeing().is_empty() =>
        {
            Some(format!("the only page about this has expired: {}", chosen.page.record.title))
        }
        _ => None,
    }
}
