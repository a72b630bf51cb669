//! How does a query end in time? Every copy of a term in the evaluation looks at the clock now and then, and past the
//! deadline unwinds the evaluation's thread.
//!
//! The evaluator looks at its cancellation token when it fetches quads, not when it multiplies rows that it holds already: a
//! cross join of `VALUES` lists runs to its end though its token was cancelled (a test beside this one shows it). But no row
//! comes about without copying a term, and the type of terms is ours.
//! What runs before there are rows (parsing, planning) is bounded by the size of the query.

use std::any::Any;
use std::cell::Cell;
use std::panic::resume_unwind;
use std::time::Instant;

/// Copies between two looks at the clock. A look costs as much as a few copies; between two copies a pattern of 60 kB may have been
/// compiled, which takes some ten milliseconds.
const TICKS_PER_LOOK: u32 = 32;

thread_local! {
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
    static TICKS: Cell<u32> = const { Cell::new(0) };
}

/// What the unwinding carries, by which [`is_expired`] tells it from a panic.
struct Expired;

/// Sets the deadline of the current thread, on which nothing but one evaluation runs.
pub(crate) fn set(deadline: Instant) {
    DEADLINE.set(Some(deadline));
}

/// One piece of work was done. Unwinds the thread when the deadline has passed.
#[inline]
pub(crate) fn tick() {
    let ticks = TICKS.get().wrapping_add(1);
    TICKS.set(ticks);
    if ticks.is_multiple_of(TICKS_PER_LOOK) {
        look();
    }
}

/// Whether a thread ended because of its deadline.
pub(crate) fn is_expired(payload: &(dyn Any + Send)) -> bool {
    payload.is::<Expired>()
}

#[cold]
fn look() {
    // Taken out, so that a copy made while unwinding does not unwind again.
    let Some(deadline) = DEADLINE.take() else { return };
    if Instant::now() < deadline {
        DEADLINE.set(Some(deadline));
    } else {
        resume_unwind(Box::new(Expired));
    }
}
