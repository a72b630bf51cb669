//! How long does something last, where part of it has not ended yet? The estimate of Kaplan and Meier (1958).

/// The share that lasts longer than a time, as steps.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Survival {
    /// After each time at which something ended: what share lasted longer.
    steps: Vec<(f64, f64)>,
    /// How many were watched.
    pub(super) watched: usize,
}

impl Survival {
    /// Of times in whatever unit, and whether each is an end; the others were only watched for so long.
    pub(super) fn of(mut times: Vec<(f64, bool)>) -> Self {
        times.sort_by(|a, b| a.0.total_cmp(&b.0));
        let watched = times.len();
        let (mut share, mut left, mut steps) = (1.0, watched as f64, Vec::new());
        for group in times.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
            let ended = group.iter().filter(|(_, is_end)| *is_end).count() as f64;
            if ended > 0.0 {
                share *= 1.0 - ended / left;
                steps.push((group[0].0, share));
            }
            left -= group.len() as f64;
        }
        Self { steps, watched }
    }

    /// The share that lasts longer than a time.
    pub(super) fn beyond(&self, time: f64) -> f64 {
        let at = self.steps.partition_point(|(step, _)| *step <= time);
        at.checked_sub(1).map_or(1.0, |at| self.steps[at].1)
    }

    /// The share of this group, leaning on a wider one as if so many of that had been watched too.
    pub(super) fn leaning(&self, wider: f64, weight: f64, time: f64) -> f64 {
        let own = self.watched as f64;
        (own * self.beyond(time) + weight * wider) / (own + weight)
    }
}

#[cfg(test)]
mod tests {
    use super::Survival;

    #[test]
    fn the_shares_are_those_of_kaplan_and_meier_by_hand() {
        // Six watched: ends at 1, 3, 3; lost sight of at 2, 4; end at 5. S(1) = 5/6, S(3) = 5/6 × 2/4, S(5) = 0.
        let times = vec![(3.0, true), (1.0, true), (2.0, false), (3.0, true), (5.0, true), (4.0, false)];
        let survival = Survival::of(times);
        let check = |time: f64, expected: f64| {
            assert!((survival.beyond(time) - expected).abs() < 1e-12, "{time}: {}", survival.beyond(time));
        };
        check(0.5, 1.0);
        check(1.0, 5.0 / 6.0);
        check(2.9, 5.0 / 6.0);
        check(3.0, 5.0 / 12.0);
        check(9.0, 0.0);
        assert!((survival.leaning(0.5, 6.0, 1.0) - (5.0 / 6.0 + 0.5) / 2.0).abs() < 1e-12);
        assert!((Survival::of(Vec::new()).leaning(0.3, 4.0, 1.0) - 0.3).abs() < 1e-12);
    }
}
