//! How often did people use what agents made as it was, change it, or refuse it? By agent, by category, and by what made it.

use std::collections::BTreeMap;

use engine::{LogError, Store};
use ontology::RecordId;
use serde::{Deserialize, Serialize};

use super::{Feedback, Ruled, each};
use crate::policy::{Agent, Deed};

/// What people did with the work of one agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedbackShare {
    /// The agent.
    pub agent: Agent,
    /// The first of the category's path, as the agent saw it; nothing where it saw none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Models that counted, or who worded the answer.
    pub made_by: Vec<String>,
    /// Deeds that people ruled on, or of which they told.
    pub deeds: u64,
    /// The share of these that they used as it was.
    pub used: f64,
    /// That they changed and used.
    pub edited: f64,
    /// That they refused, or put their own in place of.
    pub rejected: f64,
    /// Mean share of the words that they changed, of what was used and edited.
    pub edited_words: f64,
    /// How often somebody said that it helped.
    pub helpful: u64,
    /// Or that it did not.
    pub unhelpful: u64,
}

/// What became of one deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Used,
    Edited,
    Rejected,
}

#[derive(Default)]
struct Counted {
    fates: Vec<(Fate, f64)>,
    helpful: u64,
    unhelpful: u64,
}

/// Of one deed: what became of it by now, and what was said of it.
struct Course {
    of: (Agent, Option<String>, Vec<String>),
    fate: Option<(Fate, f64)>,
    helpful: u64,
    unhelpful: u64,
}

/// The shares, those with the most deeds first.
///
/// # Errors
/// When the store cannot be read.
pub fn feedback_shares(store: &Store) -> Result<Vec<FeedbackShare>, LogError> {
    // A deed is a proposal; what has none is one with the others of its sort on the ticket.
    let mut courses: BTreeMap<(RecordId, Deed, String), Course> = BTreeMap::new();
    each(store, &mut |_, feedback| {
        let key = (feedback.ticket.clone(), feedback.deed, feedback.proposal.clone());
        courses.entry(key).or_insert_with(|| Course::of(&feedback)).hear(&feedback);
    })?;
    let mut counted: BTreeMap<(Agent, Option<String>, Vec<String>), Counted> = BTreeMap::new();
    for course in courses.into_values() {
        let of = counted.entry(course.of).or_default();
        of.fates.extend(course.fate);
        of.helpful += course.helpful;
        of.unhelpful += course.unhelpful;
    }
    let mut shares: Vec<FeedbackShare> = counted.into_iter().map(share).collect();
    shares.sort_by_key(|share| std::cmp::Reverse(share.deeds));
    Ok(shares)
}

impl Course {
    fn of(feedback: &Feedback) -> Self {
        let agent = match feedback.deed {
            Deed::Route => Agent::Triage,
            Deed::Reply | Deed::Execute => Agent::Guidance,
            Deed::Declare => Agent::Escalation,
        };
        let of = (agent, feedback.category.first().cloned(), feedback.made_by.clone());
        Self { of, fate: None, helpful: 0, unhelpful: 0 }
    }

    fn hear(&mut self, feedback: &Feedback) {
        let changed = feedback.edited_share;
        let fate = match feedback.ruling {
            Ruled::Helpful => {
                self.helpful += 1;
                return;
            }
            Ruled::Unhelpful => {
                self.unhelpful += 1;
                return;
            }
            // Who approves what somebody changed uses it changed.
            Ruled::Approve if changed > 0.0 => Fate::Edited,
            Ruled::Approve | Ruled::Used => Fate::Used,
            // An override by the agent's own values is none.
            Ruled::Override | Ruled::Corrected if feedback.deed == Deed::Route && !feedback.disagrees() => {
                Fate::Used
            }
            Ruled::Edit | Ruled::Edited | Ruled::Corrected => Fate::Edited,
            Ruled::Reject | Ruled::Rejected | Ruled::Override => Fate::Rejected,
        };
        self.fate = Some((fate, changed));
    }
}

fn share(
    ((agent, category, made_by), counted): ((Agent, Option<String>, Vec<String>), Counted),
) -> FeedbackShare {
    let Counted { fates, helpful, unhelpful } = counted;
    let of = |wanted: Fate| fates.iter().filter(|(fate, _)| *fate == wanted).count();
    let share = |part: usize| part as f64 / fates.len().max(1) as f64;
    let words: Vec<f64> =
        fates.iter().filter(|(fate, _)| *fate != Fate::Rejected).map(|(_, words)| *words).collect();
    FeedbackShare {
        agent,
        category,
        made_by,
        deeds: fates.len() as u64,
        used: share(of(Fate::Used)),
        edited: share(of(Fate::Edited)),
        rejected: share(of(Fate::Rejected)),
        // The sum of nothing is -0.
        edited_words: (0.0 + words.iter().sum::<f64>()) / words.len().max(1) as f64,
        helpful,
        unhelpful,
    }
}
