//! Record log, graph, text and vector indexes; hybrid query and context bundles.

mod text;
mod visible;

/// What the measuring programs beside this crate need; no part of its interface.
#[doc(hidden)]
pub mod measured {
    pub use crate::text::{TermScore, TextDocument, TextError, TextHit, TextIndex, TextView};
    pub use crate::visible::Visible;
}
