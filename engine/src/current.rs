//! Which records of some kinds does a scope see now? One by one, in the order in which the desk learnt of them.

use ontology::{Kind, Observation, Scope};

use crate::desk::{Desk, DeskError};

impl Desk {
    /// Shows each current record of these kinds to `look`; gives the position of the log up to which it looked.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope or a damaged log.
    pub fn current(
        &self,
        scope: &Scope,
        kinds: &[Kind],
        look: &mut dyn FnMut(Observation),
    ) -> Result<u64, DeskError> {
        self.check_tenant(scope)?;
        let snapshot = self.snapshot();
        let mut wanted = snapshot.table.of_kinds(kinds);
        wanted.keep(&snapshot.visible(scope, None));
        for revision in snapshot.table.current_among(&wanted) {
            if let Some(observation) = self.log.observation(revision.position)? {
                look(observation);
            }
        }
        Ok(snapshot.generation())
    }
}
