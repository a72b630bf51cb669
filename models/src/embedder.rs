//! What must anything that turns text into vectors promise?

pub(crate) mod conformance;
pub(crate) mod hash;
pub(crate) mod reading;

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::catalog::CatalogError;
use reading::Reading;

/// Which side of a search a text stands on.
///
/// Some models want a different prefix for each; those that do not, ignore it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextRole {
    /// What somebody asks.
    Query,
    /// What is stored and found.
    Passage,
}

/// Turns text into unit vectors whose dot product says how close two texts are in meaning.
///
/// The contract, which [`embedder_conformance`](crate::embedder_conformance) checks:
/// - `embed` gives one vector a text, in order, each of `dimensions()` finite numbers and of length 1;
/// - a text's vector depends on the text and its role alone, bit for bit: not on the batch it came in,
///   not on its place there, not on the thread;
/// - any text is accepted, the empty one too; what lies beyond `max_tokens()` is ignored;
/// - two embedders with the same `id()` give the same vectors on the same machine.
pub trait Embedder: Send + Sync {
    /// Which model this is; vectors of different ids must never be compared.
    fn id(&self) -> &EmbedderId;

    /// How many numbers a vector has.
    fn dimensions(&self) -> usize;

    /// How many tokens of a text are read at most, the model's own marks (start, end) included.
    fn max_tokens(&self) -> usize;

    /// How many tokens the whole text has, nothing cut off, the model's own marks included.
    ///
    /// Nothing of a text is ignored exactly when this is at most [`max_tokens`](Self::max_tokens).
    fn count_tokens(&self, text: &str) -> usize;

    /// One unit vector for each text, in order.
    ///
    /// # Errors
    /// [`EmbedError::Compute`] when the model itself fails; no text is refused for what it says.
    fn embed(&self, role: TextRole, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError>;

    /// Reads a question whose words are weighed afterwards; a model that cannot tell them apart weighs them all alike.
    ///
    /// # Errors
    /// As [`embed`](Self::embed).
    fn read(&self, question: &str) -> Result<Reading, EmbedError> {
        let vectors = self.embed(TextRole::Query, &[question])?;
        Ok(Reading::settled(vectors.into_iter().next().unwrap_or_default()))
    }
}

/// The name of an embedder: model name, a dash, and the first 8 hex digits of its weights' SHA-256.
///
/// Holds only ASCII letters, digits, `.`, `_` and `-`, so it may name a folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmbedderId(String);

impl EmbedderId {
    /// Builds the id of a model from its name and the SHA-256 of its weights in hex.
    ///
    /// Letters of the name that a folder should not carry become `-`.
    #[must_use]
    pub fn new(name: &str, weights_sha256: &str) -> Self {
        let safe = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
        let name: String = name.trim_start_matches('.').chars().map(safe).collect();
        let digest: String = weights_sha256.chars().take(8).map(safe).collect();
        Self(format!("{name}-{digest}"))
    }

    /// The id of the same weights computed in another way.
    pub(crate) fn variant(&self, way: &str) -> Self {
        Self(format!("{}-{way}", self.0))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmbedderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a model could not be opened, or failed on a text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// A file of the model cannot be read.
    #[error("cannot read {path}; `triagraph models pull` puts the model in place")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The folder does not hold the bytes that the catalog names.
    #[error("the embedding model is not the one that the catalog names; `triagraph models pull` replaces it")]
    Altered(#[source] CatalogError),
    /// The files are there but are not a model that this program can run.
    #[error("{path} is not a model that can be used here: {reason}")]
    Unusable {
        /// The file at fault.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The model failed while it ran.
    #[error("the embedding model failed: {reason}")]
    Compute {
        /// What the model said.
        reason: String,
    },
}

impl EmbedError {
    /// A stable name of the kind of error, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "model-unreadable",
            Self::Altered(_) => "model-altered",
            Self::Unusable { .. } => "model-unusable",
            Self::Compute { .. } => "embedding-failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::EmbedderId;

    #[test]
    fn ids_can_name_folders() {
        let check = |name, expected: &str| {
            assert_eq!(EmbedderId::new(name, "53aa51172d142c89d9012cce15ae4d6c").as_str(), expected);
        };
        check("all-MiniLM-L6-v2", "all-MiniLM-L6-v2-53aa5117");
        check("my model/größe", "my-model-gr--e-53aa5117");
        check("../up", "-up-53aa5117");
    }
}
