//! Is it worth asking? A circuit breaker: what keeps failing is left alone for a while, then tried by one, and asked again once that went well.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Failures in a row after which nobody asks.
const FAILURES: u32 = 3;
/// The first pause; twice as long after each further one.
const PAUSE: Duration = Duration::from_secs(15);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// Stands in front of something that may fail: closed while it works, open while it is left alone, half open while one caller tries.
///
/// ```
/// use std::time::Instant;
/// use models::Circuit;
///
/// let (circuit, now) = (Circuit::default(), Instant::now());
/// assert!(circuit.admit(now).is_ok());
/// circuit.went_well();
/// ```
#[derive(Debug, Default)]
pub struct Circuit(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// Pauses so far without a success.
    pauses: u32,
    open_until: Option<Instant>,
    /// Since when one caller tries.
    tried: Option<Instant>,
}

impl Circuit {
    /// Whether to ask now. Who was admitted says how it went: [`went_well`](Self::went_well) or [`failed`](Self::failed).
    ///
    /// # Errors
    /// The time after which it is worth coming again.
    pub fn admit(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.state();
        let Some(until) = state.open_until else { return Ok(()) };
        if now < until {
            return Err(until - now);
        }
        // One who died on the way is not waited for for ever.
        if state.tried.is_some_and(|tried| now < tried + LONGEST_PAUSE) {
            return Err(PAUSE);
        }
        state.tried = Some(now);
        Ok(())
    }

    /// It works: everybody may ask.
    pub fn went_well(&self) {
        *self.state() = State::default();
    }

    /// It failed. `at_least` is what it asked callers to wait itself, which is a pause at once.
    pub fn failed(&self, now: Instant, at_least: Option<Duration>) {
        let mut state = self.state();
        state.failures += 1;
        if at_least.is_none() && state.tried.is_none() && state.failures < FAILURES {
            return;
        }
        // Those who were on their way when it opened say nothing new.
        if state.tried.is_none() && state.open_until.is_some_and(|until| now < until) {
            return;
        }
        let pause = PAUSE.saturating_mul(1 << state.pauses.min(16)).min(LONGEST_PAUSE);
        let pause = pause.max(at_least.unwrap_or_default().min(LONGEST_PAUSE));
        state.pauses += 1;
        state.tried = None;
        state.open_until = now.checked_add(pause);
    }

    /// Who was admitted gave up without an answer of either kind: the next may try.
    pub fn gave_up(&self) {
        self.state().tried = None;
    }

    /// Whether callers are turned away.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state().open_until.is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_and_closes_after_one_try_that_went_well() {
        let (circuit, start) = (Circuit::default(), Instant::now());
        for _ in 0..2 {
            circuit.admit(start).expect("closed");
            circuit.failed(start, None);
        }
        circuit.went_well();
        for _ in 0..FAILURES {
            circuit.admit(start).expect("a success begins the count anew");
            circuit.failed(start, None);
        }
        assert_eq!(circuit.admit(start), Err(PAUSE));
        // One who was on the way.
        circuit.failed(start, None);
        assert_eq!(circuit.admit(start), Err(PAUSE), "the pause does not grow by those");
        let later = start + PAUSE;
        circuit.admit(later).expect("one may try");
        assert!(circuit.admit(later).is_err(), "only one");
        circuit.failed(later, None);
        assert_eq!(circuit.admit(later), Err(PAUSE * 2));
        circuit.admit(later + PAUSE * 2).expect("one may try again");
        circuit.went_well();
        assert!(!circuit.is_open());
        circuit.admit(later).expect("closed");
    }

    #[test]
    fn who_asks_for_time_gets_it_and_pauses_have_an_end() {
        let (circuit, start) = (Circuit::default(), Instant::now());
        circuit.failed(start, Some(Duration::from_secs(40)));
        assert_eq!(circuit.admit(start), Err(Duration::from_secs(40)));
        let mut now = start;
        for _ in 0..40 {
            now += LONGEST_PAUSE;
            circuit.admit(now).expect("no pause is longer");
            circuit.failed(now, Some(Duration::MAX));
        }
        circuit.admit(now + LONGEST_PAUSE).expect("no pause is longer");
        circuit.gave_up();
        circuit.admit(now + LONGEST_PAUSE).expect("the next may try");
    }
}
