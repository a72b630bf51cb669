//! Do many call about one thing? Tickets and alerts of a short time that rest on the same thing become one proposed major incident.
//!
//! [`find`](find::find) holds the last hour against the desk's own past; [`explain`](cause::explain) says what is probably behind it;
//! [`watch`](crate::Workflow) keeps bursts in the store and proposes them. A burst is known by the ticket that came first, its lead: that
//! one is proposed as major incident, with the others as its members. It has no text of its own, only ids and numbers.
//!
//! | collection | key | states |
//! | --- | --- | --- |
//! | `burst` | hash of the lead and when it came | those of [`BurstState`] |
//!
//! Journal `burst/KEY`: what all members were answered.

mod answer;
mod backtest;
mod cause;
mod find;
mod ground;
mod kept;
mod look;
mod profile;
mod propose;
mod watch;

pub use backtest::{Alarm, BurstTest, Injected, burst_test};
pub use cause::Cause;
pub use kept::{Burst, BurstState};
pub use propose::Declare;

pub(crate) use answer::{declare, is_major, pass_on, refuse};

/// Cosine from which two tickets tell much the same.
const ALIKE: f64 = 0.5;
