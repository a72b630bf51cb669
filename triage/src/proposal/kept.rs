//! How is a proposal kept, and shown with how far its runs are?

use engine::{Batch, Item};
use ontology::RecordId;

use super::Proposal;
use crate::runbook::{self, EXECUTION};
use crate::workflow::{self, PROPOSAL, Workflow, WorkflowError};

impl Proposal {
    pub(crate) fn put(&self, batch: &mut Batch<'_>) -> Result<(), WorkflowError> {
        Ok(batch.put(&Item {
            collection: PROPOSAL.to_owned(),
            key: self.id.clone(),
            state: self.state.clone(),
            due: (self.state == "open").then_some(self.expires),
            record: Some(self.bound.ticket.clone()),
            // How far its runs are is kept with them.
            body: workflow::written(&Self { dry_run: None, run: None, ..self.clone() })?,
        })?)
    }
}

impl Workflow {
    /// A proposal.
    ///
    /// # Errors
    /// [`WorkflowError::NoSuchProposal`], and when the store cannot be read.
    pub fn proposal(&self, id: &str) -> Result<Proposal, WorkflowError> {
        let missing = || WorkflowError::NoSuchProposal { id: id.to_owned() };
        let item = self.store().item(PROPOSAL, id)?.filter(|item| !item.body.is_empty());
        self.shown(&item.ok_or_else(missing)?)
    }

    /// A proposal with how far its runs are.
    fn shown(&self, item: &Item) -> Result<Proposal, WorkflowError> {
        let mut proposal = workflow::read("proposal", &item.body)?;
        runbook::attach(&mut proposal, |id| self.store().item(EXECUTION, id))?;
        Ok(proposal)
    }

    /// Proposals by id, behind one of them; those in a state where one is given.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn proposals(
        &self,
        state: Option<&str>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Proposal>, WorkflowError> {
        let items = self.store().items(PROPOSAL, state, after, limit)?;
        let whole = items.iter().filter(|item| !item.body.is_empty());
        whole.map(|item| self.shown(item)).collect()
    }

    /// The proposals of a ticket, by id.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn proposals_of(&self, ticket: &RecordId) -> Result<Vec<Proposal>, WorkflowError> {
        let items = self.store().items_about(PROPOSAL, ticket)?;
        let whole = items.iter().filter(|item| !item.body.is_empty());
        whole.map(|item| self.shown(item)).collect()
    }
}
