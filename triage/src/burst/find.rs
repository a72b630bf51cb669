//! Is a ticket one of a burst? More tickets on what it rests on within an hour than chance explains, given the desk's own past.

use std::collections::BTreeSet;

use engine::DeskError;
use jiff::{SignedDuration, Timestamp};

use super::ground::Ground;

/// How long tickets of one burst are apart at most.
pub(super) const WINDOW: SignedDuration = SignedDuration::from_mins(60);
/// Tickets of a burst at least: three callers about one thing are a morning like others.
pub(super) const LEAST: usize = 4;
/// False alarms that are put up with, a week.
const FALSE_ALARMS: f64 = 0.1;

/// A burst as it stands out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// Its tickets, as numbers of arrivals, the earliest first.
    pub(super) members: BTreeSet<usize>,
    /// The chance of so many tickets in an hour like this one.
    pub(super) chance: f64,
    /// The chance below which it is called a burst on this desk.
    pub(super) bar: f64,
}

/// Tickets whose texts are held against the one that is tested: of the same hour, and of the past.
const INSIDE: usize = 500;
const BEFORE: usize = 2_000;

/// Looks whether an arrival, with those of the hour before it, is more than chance explains.
///
/// Of each thing that could be behind it, the other tickets of the hour on all that rests on that thing are held against what such
/// an hour had in the past: all of them, and only those that tell much the same as this one. The bar is such that, with all that
/// is tested in a week, chance gives [`FALSE_ALARMS`].
pub(super) fn find(ground: &mut Ground<'_>, at: usize) -> Result<Option<Found>, DeskError> {
    let moment = ground.arrivals[at].at;
    let begin = moment.saturating_sub(WINDOW).unwrap_or(moment);
    let past = ground.past(begin);
    let exposure = ground.exposure(begin, moment);
    let behind = ground.behind(at)?;
    // Two tests of each thing.
    let bar = FALSE_ALARMS / (ground.weekly(past).max(1.0) * 2.0 * behind.len().max(1) as f64);
    let mut best: Option<(f64, Vec<usize>)> = None;
    for thing in &behind {
        let cone = ground.cone(thing)?;
        // The order of arrivals of one moment is that of their ids: what stands behind this one has not come yet.
        let inside: Vec<usize> =
            ground.inside(&cone, begin, moment).into_iter().filter(|other| *other <= at).collect();
        if inside.len() < LEAST {
            continue;
        }
        let before = ground.inside(&cone, past.0, past.1);
        let chance =
            |others: usize, counted: usize| ground.rate(counted, past).at_least(others as u64 - 1, exposure);
        let mut tested = vec![(chance(inside.len(), before.len()), inside.clone())];
        let alike = ground.alike(at, newest(&inside, INSIDE))?;
        if alike.len() >= LEAST && alike.len() < inside.len() {
            let looked_at = newest(&before, BEFORE);
            let counted = ground.alike(at, looked_at)?.len() * before.len() / looked_at.len().max(1);
            tested.push((chance(alike.len(), counted), alike));
        }
        for (chance, members) in tested {
            let is_better = best
                .as_ref()
                .is_none_or(|(least, of)| chance < *least || (chance <= *least && members.len() > of.len()));
            if is_better {
                best = Some((chance, members));
            }
        }
    }
    let Some((chance, members)) = best.filter(|(chance, _)| *chance <= bar) else { return Ok(None) };
    let members: BTreeSet<usize> = members.into_iter().collect();
    Ok(Some(Found { members, chance, bar }))
}

/// The hour up to a moment.
pub(super) fn window(moment: Timestamp) -> (Timestamp, Timestamp) {
    (moment.saturating_sub(WINDOW).unwrap_or(moment), moment)
}

/// The last of some arrivals.
fn newest(arrivals: &[usize], most: usize) -> &[usize] {
    &arrivals[arrivals.len().saturating_sub(most)..]
}
