//! What does another system tell of what people did? A helpdesk tells whether a draft was sent, an ITSM system which team it really was.

use serde::{Deserialize, Serialize};

use super::Ruled;
use crate::policy::Deed;
use crate::proposal::Route;

/// Characters of a text that was sent, of a reason, and of a name.
const TEXT: usize = 100_000;
const REASON: usize = 2000;
const NAME: usize = 200;
/// Steps of a category's path.
const PATH: usize = 10;

/// What people did with the desk's work on a ticket, as another system tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The proposal; without one it is about the latest work of that sort on the ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// `route` or `reply`; may be left out with a proposal, a text, or a correction. Else it is about the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deed: Option<Deed>,
    /// What they did.
    pub verdict: Did,
    /// The reply that was sent, of `edited`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What the category really is, of `edited` and `corrected`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub category: Vec<String>,
    /// What the priority really is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Whose ticket it really is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Who, as that system calls them; without, the system itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What people did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    /// They used it as it was.
    Used,
    /// They used it otherwise than it was.
    Edited,
    /// They did not use it.
    Rejected,
    /// It helped.
    Helpful,
    /// It did not help.
    Unhelpful,
    /// Category, priority or team are others.
    Corrected,
}

impl From<Did> for Ruled {
    fn from(did: Did) -> Self {
        match did {
            Did::Used => Self::Used,
            Did::Edited => Self::Edited,
            Did::Rejected => Self::Rejected,
            Did::Helpful => Self::Helpful,
            Did::Unhelpful => Self::Unhelpful,
            Did::Corrected => Self::Corrected,
        }
    }
}

impl Told {
    /// What is wrong with it, so that its sender hears of it.
    ///
    /// # Errors
    /// In words.
    pub fn check(&self) -> Result<(), &'static str> {
        let corrects = !self.route().is_empty();
        let is_long = |text: &str, most: usize| text.chars().nth(most).is_some();
        let is_name = |name: &String| !name.trim().is_empty() && !is_long(name, NAME);
        if self.text.is_some() && self.verdict != Did::Edited {
            return Err("`text` is what was sent instead: it goes with `edited`");
        }
        if corrects && !matches!(self.verdict, Did::Edited | Did::Corrected) {
            return Err("category, priority and team go with `edited` and `corrected`");
        }
        match (self.verdict, &self.text) {
            (Did::Edited, Some(text)) if text.trim().is_empty() || is_long(text, TEXT) => {
                return Err("`text` is 1 to 100,000 characters");
            }
            (Did::Edited, text) if text.is_some() == corrects => {
                return Err("`edited` has either the `text` that was sent, or category, priority or team");
            }
            (Did::Corrected, _) if !corrects => {
                return Err("`corrected` has a category, a priority or a team");
            }
            _ => {}
        }
        if self.priority.is_some_and(|priority| !(1..=5).contains(&priority)) {
            return Err("a priority is 1 to 5");
        }
        if self.category.len() > PATH || !self.category.iter().chain(&self.team).all(is_name) {
            return Err("names of categories and teams are 1 to 200 characters, ten steps at most");
        }
        if is_long(&self.reason, REASON) || self.by.as_ref().is_some_and(|by| !is_name(by)) {
            return Err("a reason has 2,000 characters at most, a name 1 to 200");
        }
        match self.deed {
            Some(Deed::Route) if self.text.is_some() => Err("a route has no `text`"),
            Some(Deed::Reply) if corrects => Err("a reply has no category, priority or team"),
            Some(Deed::Declare | Deed::Execute) => Err("feedback is about a `route` or a `reply`"),
            _ => Ok(()),
        }
    }

    /// What people put in the place of category, priority and team.
    pub(super) fn route(&self) -> Route {
        Route { category: self.category.clone(), priority: self.priority, team: self.team.clone() }
    }

    /// What it is about, where it says so by itself.
    pub(super) fn about(&self) -> Option<Deed> {
        let by_text = self.text.as_ref().map(|_| Deed::Reply);
        let by_route = (!self.route().is_empty()).then_some(Deed::Route);
        self.deed.or(by_text).or(by_route)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contradicts_itself_is_refused() {
        let check = |json: &str, is_fine: bool| {
            let told: Told = serde_json::from_str(json).unwrap();
            assert_eq!(told.check().is_ok(), is_fine, "{json}: {:?}", told.check());
        };
        check(r#"{"verdict": "used"}"#, true);
        check(r#"{"verdict": "used", "text": "Hello"}"#, false);
        check(r#"{"verdict": "edited"}"#, false);
        check(r#"{"verdict": "edited", "text": " "}"#, false);
        check(r#"{"verdict": "edited", "text": "Hello", "team": "Mail"}"#, false);
        check(r#"{"verdict": "edited", "text": "Hello", "deed": "route"}"#, false);
        check(r#"{"verdict": "edited", "team": "Mail"}"#, true);
        check(r#"{"verdict": "corrected", "priority": 9}"#, false);
        check(r#"{"verdict": "corrected"}"#, false);
        check(r#"{"verdict": "corrected", "category": ["Network", ""]}"#, false);
        check(r#"{"verdict": "rejected", "deed": "declare"}"#, false);
        check(r#"{"verdict": "unhelpful", "reason": "it was the cable", "by": "ada"}"#, true);
        assert!(serde_json::from_str::<Told>(r#"{"verdict": "used", "stars": 5}"#).is_err());
    }
}
