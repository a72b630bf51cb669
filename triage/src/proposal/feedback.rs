//! What do rulings on proposals teach? Each is kept as feedback, with what was changed and what people decided.

use engine::Batch;
use jiff::Timestamp;

use super::edited::edited_share;
use super::{Arguments, Judgement, Proposal, Reply, Route};
use crate::feedback::{Feedback, Ruled, Settled, made_by};
use crate::policy::{Action, Deed};
use crate::result::Triage;
use crate::workflow::{Said, TRIAGE, WorkflowError, read};

impl Proposal {
    /// Keeps what somebody did with it.
    pub(super) fn keep_feedback(
        &self,
        batch: &mut Batch<'_>,
        judgement: &Judgement,
        said: &Said,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        let ticket = &self.bound.ticket;
        let triage = batch.item(TRIAGE, ticket.as_str())?.filter(|item| !item.body.is_empty());
        let triage: Option<Triage> = triage.map(|item| read("triage", &item.body)).transpose()?;
        let deed = self.bound.arguments.deed();
        let ruling = match judgement.action() {
            Action::Approve => Ruled::Approve,
            Action::Edit => Ruled::Edit,
            _ => Ruled::Reject,
        };
        let first = self.first.as_ref().unwrap_or(&self.bound.arguments);
        let person = self.bound.arguments.as_route().filter(|_| ruling != Ruled::Reject);
        let is_reworded = deed == Deed::Reply && self.first.is_some();
        let text = |arguments: &Arguments| arguments.as_reply().map(|reply| reply.text.clone());
        let feedback = Feedback {
            proposal: self.id.clone(),
            ticket: ticket.clone(),
            deed,
            ruling,
            edited_share: edited_share(&first.words(), &self.bound.arguments.words()),
            reason: judgement.reason.clone(),
            by: judgement.by.clone(),
            at: now,
            category: self.facts.categories.clone(),
            strength: self.facts.strength.get(),
            source: String::new(),
            made_by: made_by(triage.as_ref(), deed),
            settled: person.map(|person| Settled::of(first.as_route(), person, said)).unwrap_or_default(),
            draft: text(first).filter(|_| is_reworded),
            sent: text(&self.bound.arguments).filter(|_| is_reworded),
        };
        feedback.put(batch)
    }
}

impl Arguments {
    /// Where a ticket goes, where that is what is done.
    pub(crate) fn as_route(&self) -> Option<&Route> {
        if let Self::Route(route) = self { Some(route) } else { None }
    }

    /// What the caller is told, where that is what is done.
    pub(crate) fn as_reply(&self) -> Option<&Reply> {
        if let Self::Reply(reply) = self { Some(reply) } else { None }
    }

    /// The words of it, to see how much was changed.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Route(route) => {
                let priority = route.priority.map(|priority| priority.to_string());
                let parts = route.category.iter().chain(&priority).chain(&route.team);
                parts.cloned().collect::<Vec<_>>().join(" ")
            }
            Self::Reply(reply) => reply.text.clone(),
            Self::Declare(declare) => {
                let members = declare.members.iter().map(|member| member.as_str().to_owned());
                declare.cause.iter().cloned().chain(members).collect::<Vec<_>>().join(" ")
            }
            Self::Execute(step) => {
                let calls = [Some(&step.call), step.undo.as_ref()].into_iter().flatten();
                let words = calls.flat_map(|call| [&call.action].into_iter().chain(call.arguments.values()));
                words.cloned().collect::<Vec<_>>().join(" ")
            }
        }
    }
}
