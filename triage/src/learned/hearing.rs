//! Is a language model asked about a ticket, and does what it says count?

use ontology::RecordId;

use super::Stage;
use crate::policy::Share;

/// How far what a language model says is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hearing {
    stage: Stage,
    share: u8,
}

impl Default for Hearing {
    /// Whoever names a model for one triage hears it.
    fn default() -> Self {
        Self { stage: Stage::Active, share: 0 }
    }
}

impl Hearing {
    pub(super) fn new(stage: Stage, share: u8) -> Self {
        Self { stage, share }
    }

    /// Whether it is asked at all.
    pub fn is_asked(self) -> bool {
        matches!(self.stage, Stage::Shadow | Stage::Canary | Stage::Active)
    }

    /// Whether what it says goes into the answer to a ticket.
    pub fn counts(self, ticket: &RecordId) -> bool {
        match self.stage {
            Stage::Active => true,
            Stage::Canary => Share::try_from(self.share).is_ok_and(|share| share.has(ticket.as_str())),
            _ => false,
        }
    }
}
