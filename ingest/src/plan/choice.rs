//! Which mapping does a user ask for? One by its name, or one's own.

use crate::{IngestError, Mapping};

/// A mapping that a user asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MappingChoice {
    /// A built-in one.
    Builtin(String),
    /// One's own.
    File {
        /// What to call it in errors.
        name: String,
        /// What it says.
        text: String,
    },
}

impl MappingChoice {
    /// Reads the mapping.
    ///
    /// # Errors
    /// When it is unknown or wrong, see [`crate::MappingError`].
    pub fn load(&self) -> Result<Mapping, IngestError> {
        Ok(match self {
            Self::Builtin(name) => Mapping::builtin(name)?,
            Self::File { name, text } => Mapping::parse(name, text)?,
        })
    }
}
