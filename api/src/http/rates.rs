//! How often may a caller ask? A bucket of tokens for each: a call takes one, and time fills it again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use triage::policy::PersonId;

use super::problem::Problem;

/// Buckets that are kept; beyond that, full ones are thrown away, since a new one is full too.
const KEPT: usize = 10_000;

/// How often one caller may ask.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// Calls a second in the long run, 1 at least.
    pub(crate) per_second: f64,
    /// Calls at once, after a rest.
    pub(crate) burst: f64,
}

/// The buckets of all callers.
#[derive(Default)]
pub(crate) struct Rates(Mutex<BTreeMap<PersonId, Bucket>>);

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn filled(self, rate: Rate, now: Instant) -> Self {
        let more = now.saturating_duration_since(self.at).as_secs_f64() * rate.per_second;
        Self { tokens: (self.tokens + more).min(rate.burst), at: now }
    }
}

impl Rates {
    /// Takes a token of a caller's bucket.
    pub(crate) fn take(&self, rate: Rate, caller: &PersonId, now: Instant) -> Result<(), Problem> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= KEPT && !buckets.contains_key(caller) {
            buckets.retain(|_, bucket| bucket.filled(rate, now).tokens < rate.burst);
        }
        let full = Bucket { tokens: rate.burst, at: now };
        let mut bucket = buckets.get(caller).map_or(full, |bucket| bucket.filled(rate, now));
        let has_one = bucket.tokens >= 1.0;
        if has_one {
            bucket.tokens -= 1.0;
        }
        buckets.insert(caller.clone(), bucket);
        if has_one {
            return Ok(());
        }
        let detail = format!(
            "{} asks more than {} times a second, which is the limit: wait a second, or send lists where a route takes them",
            caller.as_str(),
            rate.per_second
        );
        Err(Problem::new("too-many-requests", detail))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again_for_its_caller_only() {
        let rate = Rate { per_second: 2.0, burst: 3.0 };
        let (rates, start) = (Rates::default(), Instant::now());
        let take = |name: &str, millis| {
            rates.take(rate, &PersonId::new(name), start + Duration::from_millis(millis)).is_ok()
        };
        assert_eq!(
            [take("mia", 0), take("mia", 0), take("mia", 0), take("mia", 0)],
            [true, true, true, false]
        );
        assert!(take("ben", 0), "another one's is full");
        assert!(!take("mia", 400) && take("mia", 500) && !take("mia", 900), "one in half a second");
        let later = [0; 4].map(|_| take("mia", 60_000));
        assert_eq!(later, [true, true, true, false], "it does not grow beyond its size");
    }

    #[test]
    fn buckets_of_those_who_rest_are_not_kept() {
        let rate = Rate { per_second: 1.0, burst: 1.0 };
        let (rates, start) = (Rates::default(), Instant::now());
        for one in 0..=KEPT {
            let at = start + Duration::from_secs(one as u64 * 2);
            assert!(rates.take(rate, &PersonId::new(one.to_string()), at).is_ok());
        }
        assert!(rates.0.lock().unwrap().len() < 3);
    }
}
