//! How many tickets are to be expected, and how surprising are more? A rate that is learnt from counts, with what is unknown of it.
//!
//! Tickets of one place come like raindrops, at a rate that nobody tells: what was counted over some exposure makes a gamma
//! distribution of it (Jeffreys' prior, half a ticket), and what comes next is then negative binomial. Where little was seen, more
//! is possible, so a thing that nobody ever called about does not raise an alarm with its first ticket.

/// Weight of what is believed before anything was counted, in tickets.
const PRIOR: f64 = 0.5;
/// Counts are summed up to where a further one says no more than this.
const NEGLIGIBLE: f64 = 1e-18;

/// A rate of tickets, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rate {
    /// Tickets that were counted.
    shape: f64,
    /// Over how much, in whatever unit questions are asked in; above 0.
    exposure: f64,
}

impl Rate {
    /// What so many tickets over an exposure tell. Both may be weighed, so they need not be whole.
    pub(crate) fn of(count: f64, exposure: f64) -> Self {
        Self { shape: count + PRIOR, exposure: exposure.max(f64::MIN_POSITIVE) }
    }

    /// The same rate, known no better than from so many tickets: rates change from day to day, however many were counted.
    pub(crate) fn no_surer_than(self, tickets: f64) -> Self {
        let share = (tickets / self.shape).min(1.0);
        Self { shape: self.shape * share, exposure: self.exposure * share }
    }

    /// Tickets to be expected over an exposure.
    pub(crate) fn expected(self, exposure: f64) -> f64 {
        self.shape * exposure / self.exposure
    }

    /// The chance of so many tickets or more over an exposure.
    pub(crate) fn at_least(self, count: u64, exposure: f64) -> f64 {
        if (count as f64) <= self.expected(exposure) {
            let below: f64 = self.chances(exposure).take(count as usize).sum();
            return (1.0 - below).clamp(0.0, 1.0);
        }
        // From the tail's heavy end, so that a chance of 1e-12 is not what is left of 1.
        let mut sum = 0.0;
        for chance in self.chances(exposure).skip(count as usize) {
            sum += chance;
            if chance <= sum * 1e-12 || chance < NEGLIGIBLE {
                break;
            }
        }
        sum.clamp(0.0, 1.0)
    }

    /// The lowest count that is not exceeded with a chance of `share`, 0 to 1.
    pub(crate) fn quantile(self, share: f64, exposure: f64) -> u64 {
        let mut sum = 0.0;
        let most = (self.expected(exposure) * 50.0) as u64 + 1_000;
        for (count, chance) in (0..most).zip(self.chances(exposure)) {
            sum += chance;
            if sum >= share {
                return count;
            }
        }
        most
    }

    /// The logarithm of the chance of exactly so many.
    pub(crate) fn log_chance(self, count: u64, exposure: f64) -> f64 {
        self.chances(exposure).nth(count as usize).unwrap_or(0.0).max(f64::MIN_POSITIVE).ln()
    }

    /// The chances of 0, 1, 2, … tickets over an exposure: negative binomial.
    fn chances(self, exposure: f64) -> impl Iterator<Item = f64> {
        let share = exposure / (self.exposure + exposure);
        let mut logarithm = self.shape * (1.0 - share).ln();
        (0_u64..).map(move |count| {
            let now = logarithm;
            logarithm += ((self.shape + count as f64) / (count as f64 + 1.0)).ln() + share.ln();
            now.exp()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Rate;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9 * expected.abs().max(1e-3), "{found} is not {expected}");
    }

    #[test]
    fn the_chances_are_those_of_a_negative_binomial_by_hand() {
        // One and a half tickets over 3 days, asked for 1 day: P(0) = (3/4)^1.5, P(1) = P(0) × 1.5 × 1/4, P(2) = P(1) × 2.5/2 × 1/4.
        let rate = Rate::of(1.0, 3.0);
        let none = 0.75_f64.powf(1.5);
        let one = none * 1.5 * 0.25;
        let two = one * 1.25 * 0.25;
        near(rate.expected(1.0), 0.5);
        near(rate.at_least(0, 1.0), 1.0);
        near(rate.at_least(1, 1.0), 1.0 - none);
        near(rate.at_least(3, 1.0), 1.0 - none - one - two);
        near(rate.log_chance(2, 1.0), two.ln());
        assert_eq!(rate.quantile(0.64, 1.0), 0, "0.6495 of the days have none");
        assert_eq!(rate.quantile(0.66, 1.0), 1);
    }

    #[test]
    fn with_much_counted_it_is_poisson_and_a_bound_on_what_is_known_widens_it() {
        let sure = Rate::of(2e8, 1e8);
        let poisson = 1.0 - (-2.0_f64).exp() * (1.0 + 2.0 + 2.0 + 8.0 / 6.0);
        assert!((sure.at_least(4, 1.0) - poisson).abs() < 1e-6);
        let unsure = sure.no_surer_than(10.0);
        assert!((unsure.expected(1.0) - 2.0).abs() < 1e-6);
        assert!(unsure.at_least(10, 1.0) > 5.0 * sure.at_least(10, 1.0));
        // Far out, the tail is still a number and not what rounding left.
        assert!(sure.at_least(40, 1.0) > 0.0 && sure.at_least(40, 1.0) < 1e-30);
    }
}
