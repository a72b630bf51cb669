//! What does the registry say of what words answers? Each version beside how it did.

use engine::Store;
use serde::Serialize;
use triage::learned::{LearnedError, WordingFigures, WordingVersion, Wordings};

/// A language model with its prompt, and how it did.
#[derive(Debug, Serialize)]
pub(crate) struct Worded {
    #[serde(flatten)]
    pub(crate) version: WordingVersion,
    pub(crate) measured: WordingFigures,
}

impl Worded {
    /// All of them, by number.
    pub(crate) fn all(store: &Store) -> Result<Vec<Self>, LearnedError> {
        let measured =
            |version: WordingVersion| Ok(Self { measured: WordingFigures::of(store, &version)?, version });
        Wordings::new(store.clone()).versions()?.into_iter().map(measured).collect()
    }
}
