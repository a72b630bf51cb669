//! What becomes of a damaged index? It is taken away and built anew from the record log, and that is said.
//!
//! Of the vector index the segments go first: `vectors.db` has every vector too, so that no text is embedded again.

use std::path::Path;
use std::sync::Arc;

use models::Embedder;
use ontology::TenantId;
use oxigraph::store::StorageError;

use super::{Desk, DeskError, Folder};
use crate::graph::GraphError;
use crate::text::TextError;
use crate::vectors::{VectorError, VectorIndex};

/// What is built anew, each at most once in one opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Graph,
    Text,
    Segments,
    Vectors,
}

impl Desk {
    /// Opens or creates the desk of a tenant below `data`, and brings every index up to the log. An index that is found to be
    /// damaged is built anew from the log, with a warning.
    ///
    /// Without an embedder the desk serves and writes all but vectors; those catch up when it is opened with one.
    ///
    /// # Errors
    /// [`DeskError`] when the folder is in use, newer than this program, or belongs to another embedder, and when its log is
    /// damaged.
    pub fn open(
        data: &Path,
        tenant: &TenantId,
        embedder: Option<Arc<dyn Embedder>>,
    ) -> Result<Self, DeskError> {
        let mut mended = Vec::new();
        loop {
            let error = match Self::open_as_it_is(data, tenant, embedder.clone()) {
                Ok(desk) => return Ok(desk),
                Err(error) => error,
            };
            let Some((part, what)) = damage(&error, &mended).filter(|(part, _)| !mended.contains(part))
            else {
                return Err(error);
            };
            let (folder, name) = match part {
                Part::Graph => ("graph", "the graph"),
                Part::Text => ("text", "the text index"),
                Part::Segments | Part::Vectors => ("vectors", "the vector index"),
            };
            tracing::warn!("{name} is damaged, so it is built anew from the record log: {what}");
            match (part, &embedder) {
                (Part::Segments, Some(embedder)) => {
                    let folder = Folder::part(data, tenant, folder)?;
                    match VectorIndex::forget_segments(&folder, embedder.dimensions()) {
                        // Where the database is no better, the next round takes it away with the segments.
                        Ok(()) | Err(VectorError::Corrupt { .. } | VectorError::Format { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                _ => Folder::drop_part(data, tenant, folder)?,
            }
            mended.push(part);
        }
    }
}

/// Which part an error says is damaged, and how.
fn damage(error: &DeskError, mended: &[Part]) -> Option<(Part, String)> {
    match error {
        DeskError::Graph(GraphError::Storage { folder, source: StorageError::Corruption(what) }) => {
            Some((Part::Graph, format!("{} ({what})", folder.display())))
        }
        DeskError::Text(TextError::Corrupt { file, reason }) => {
            Some((Part::Text, format!("{} ({reason})", file.display())))
        }
        DeskError::Vectors(VectorError::Corrupt { file, what }) => {
            let is_segment = file.extension().is_some_and(|ending| ending == "vectors");
            let part =
                if is_segment && !mended.contains(&Part::Segments) { Part::Segments } else { Part::Vectors };
            Some((part, format!("{} ({what})", file.display())))
        }
        _ => None,
    }
}
