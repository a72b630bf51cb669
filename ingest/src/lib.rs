//! Sources to canonical records: files in, observations out, and nothing dropped without a word.
//!
//! [`open`] walks the paths of a [`Request`], tells each file's [`Format`] from its name and content, picks the mapping that
//! knows its fields, and gives a [`Reader`]: an iterator of [`Item`]s. Every item of every file comes out as exactly one of
//! them: an observation, a rejection with its place and reason, a skip with its reason, or a block of quads.
//!
//! Formats are read as streams: memory is bounded by the largest item ([`ITEM_LIMIT_BYTES`]), not by the file. What the fields
//! of an item mean is said by a [`Mapping`], a TOML file; the built-in ones lie in `presets/` and have no other powers than a
//! user's own.

mod raw;

mod format;
mod text;

mod mapping;

mod check;
mod error;
mod plan;
mod reader;

pub use check::{MappingCheck, check, retry};
pub use error::IngestError;
pub use format::Format;
pub use mapping::{Mapping, MappingError};
pub use plan::{FilePlan, MappingChoice, Plan, Request};
pub use raw::ITEM_LIMIT_BYTES;
pub use reader::{Item, Progress, QuadBlock, Reader, Skipped, open};
