//! Record log, graph, text and vector indexes; hybrid query and context bundles.
//!
//! A [`Desk`] is one tenant's open folder. Records go in through [`Desk::apply`] and come out through [`Desk::search`],
//! [`Desk::bundle`] and [`Desk::sparql`](Desk). The log is the only truth; everything else is derived from it.

mod database;
mod disk;
mod job;
mod log;
mod people;
mod quarantine;
mod store;
mod stored_bundle;

mod derive;
mod visible;

mod graph;
mod text;
mod vectors;

mod snapshot;
mod table;

mod backup;
mod bundle;
mod current;
mod desk;
mod history;
mod inspect;
mod knowledge;
mod precedent;
mod query;
mod related;

#[cfg(test)]
mod trial;

pub use backup::{BackupError, backup, restore};
pub use bundle::{
    BUNDLE_SCHEMA, Bundle, BundleDifference, BundleItem, BundleRequest, Changed, Fact, FactKind, LeftOut,
    LeftOutReason, Subject,
};
pub use database::{LogError, Replayed};
pub use desk::{Applied, Desk, DeskError, FolderError, Neighbours};
pub use graph::{
    ExportFormat, GraphError, QueryForm, SparqlError, SparqlFormat, SparqlLimits, SparqlOutcome, Truncation,
};
pub use history::{History, Told};
pub use inspect::{Problem, Status, Verification};
pub use job::{Job, Jobs};
pub use knowledge::{KnowledgeReport, PagePair, PageRef, StalePage};
pub use precedent::{Ground, Place, Precedent, PrecedentRequest, Precedents, Sought};
pub use quarantine::{Quarantine, Quarantined};
pub use query::{
    Confidence, Degraded, Entity, Filters, HITS_LIMIT, Hit, Hits, Leg, LegScore, Passage, PathStep,
    QUERY_LIMIT_BYTES, Query,
};
pub use related::{Reason, Related, RelatedTicket};
pub use store::{Batch, Item, JournalEntry, Store};
pub use vectors::{PassageKey, VectorError};

/// What the measuring programs beside this crate need; no part of its interface.
#[doc(hidden)]
pub mod measured {
    pub use crate::text::{TermScore, TextDocument, TextError, TextHit, TextHits, TextIndex, TextView};
    pub use crate::vectors::{
        SealPlan, SealedPlan, SearchMode, TextHash, VectorHit, VectorHits, VectorIndex, VectorSettings,
        VectorView,
    };
    pub use crate::visible::Visible;
}
