//! How much memory may a query take? What its rows hold is counted, and beyond the limit the evaluation's thread is unwound.
//!
//! The evaluator keeps whole tables of rows for `ORDER BY`, `GROUP BY`, `DISTINCT` and hash joins and knows no limit: a cross
//! join of two patterns, sorted, took gigabytes and then as long again to be dropped. A row is made of copies of terms, whose type
//! is ours.

use std::any::Any;
use std::cell::Cell;
use std::panic::resume_unwind;

thread_local! {
    static HELD: Cell<u64> = const { Cell::new(0) };
    static LIMIT: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// What the unwinding carries, by which [`is_exceeded`] tells it from a panic.
struct Exceeded;

/// Sets the limit of the current thread, on which nothing but one evaluation runs.
pub(crate) fn set(bytes: u64) {
    HELD.set(0);
    LIMIT.set(bytes);
}

/// Some bytes are held from now on. Unwinds the thread when they are too many.
#[inline]
pub(crate) fn take(bytes: u64) {
    let held = HELD.get().saturating_add(bytes);
    HELD.set(held);
    if held > LIMIT.get() {
        // Lifted, so that a copy made while unwinding does not unwind again.
        LIMIT.set(u64::MAX);
        resume_unwind(Box::new(Exceeded));
    }
}

/// Some bytes are held no more.
#[inline]
pub(crate) fn give_back(bytes: u64) {
    HELD.set(HELD.get().saturating_sub(bytes));
}

/// Whether a thread ended because of its limit.
pub(crate) fn is_exceeded(payload: &(dyn Any + Send)) -> bool {
    payload.is::<Exceeded>()
}
