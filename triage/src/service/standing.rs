//! How does a ticket stand towards what it was promised? How much of the time is used, when it ends, and whether it was kept.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::hours::Openings;
use super::levels::{ServiceLevels, Target};
use super::life::TicketLife;

/// Opening hours worked out for the time that is looked at, by name.
pub struct Clocks<'a> {
    levels: &'a ServiceLevels,
    openings: BTreeMap<&'a str, Openings>,
}

/// How a ticket stands towards one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Which.
    pub target: Target,
    /// The priority that promises it.
    pub priority: u8,
    /// Seconds of opening hours that it has.
    pub goal_seconds: i64,
    /// Those that are used, without pauses.
    pub used_seconds: i64,
    /// Where it is.
    pub state: Kept,
    /// When people are to be warned, or were; nothing while its clock stands, and where it ended before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warns: Option<Timestamp>,
    /// When its time ends, or ended; nothing while its clock stands, and where it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// When it was decided: kept, or its time was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Timestamp>,
}

/// Whether a target is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// Its clock runs.
    Running,
    /// Its clock stands.
    Paused,
    /// It was kept.
    Met,
    /// It was not.
    Missed,
    /// The ticket was given up in time: nobody needs it any more.
    Void,
}

impl Kept {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Void => "void",
        }
    }
}

impl<'a> Clocks<'a> {
    /// The clocks of a desk for tickets that came from a moment on and are looked at by another.
    pub fn new(levels: &'a ServiceLevels, from: Timestamp, to: Timestamp) -> Self {
        let openings = levels.hours().iter().map(|(name, hours)| (name.as_str(), hours.openings(from, to)));
        Self { levels, openings: openings.collect() }
    }

    /// How a ticket stands towards each of its targets at `now`, of which nothing in its life is later.
    pub fn standings(&self, life: &TicketLife, now: Timestamp) -> Vec<Standing> {
        Target::ALL.into_iter().filter_map(|target| self.standing(life, target, now)).collect()
    }

    /// How it stands towards one of them; nothing where it was not promised.
    pub fn standing(&self, life: &TicketLife, target: Target, now: Timestamp) -> Option<Standing> {
        let (priority, promise) = self.levels.promise(life.kind, life.priority)?;
        let (goal, openings) = (promise.goal(target)?, self.openings.get(promise.hours.as_str())?);
        let run = self.run(life, target, now);
        let used = run.spells.iter().map(|(from, to)| openings.elapsed(*from, *to)).sum();
        let reached = |seconds: i64| reached(&run, openings, seconds);
        let (warns, due) = ((goal as f64 * self.levels.warn_at) as i64, goal);
        let is_missed = used > due || (run.end.is_none() && !run.is_paused && used >= due);
        let (state, due) = match (is_missed, run.end, run.is_paused) {
            (true, ..) => (Kept::Missed, reached(due)),
            (false, Some(_), _) if run.is_given_up => (Kept::Void, None),
            (false, Some(_), _) => (Kept::Met, None),
            (false, None, true) => (Kept::Paused, None),
            (false, None, false) => (Kept::Running, reached(due)),
        };
        let has_warned = used >= warns || state == Kept::Running;
        Some(Standing {
            target,
            priority,
            goal_seconds: goal,
            used_seconds: used,
            state,
            warns: if has_warned { reached(warns) } else { None },
            due,
            decided: match state {
                Kept::Missed => due,
                Kept::Met | Kept::Void => run.end,
                Kept::Running | Kept::Paused => None,
            },
        })
    }

    /// Seconds of opening hours between two moments in the hours of a ticket's priority; nothing where it was promised nothing.
    pub fn between(&self, life: &TicketLife, from: Timestamp, to: Timestamp) -> Option<i64> {
        let (_, promise) = self.levels.promise(life.kind, life.priority)?;
        Some(self.openings.get(promise.hours.as_str())?.elapsed(from, to))
    }

    /// Seconds of opening hours until a ticket was solved, without pauses; nothing where it was promised nothing.
    pub fn worked(&self, life: &TicketLife, now: Timestamp) -> Option<i64> {
        let (_, promise) = self.levels.promise(life.kind, life.priority)?;
        let openings = self.openings.get(promise.hours.as_str())?;
        let run = self.run(life, Target::Resolution, now);
        Some(run.spells.iter().map(|(from, to)| openings.elapsed(*from, *to)).sum())
    }

    /// When the clock of a target ran.
    fn run(&self, life: &TicketLife, target: Target, now: Timestamp) -> Run {
        if target == Target::Response {
            let end = life.responded.or(life.ended());
            let spells = vec![(life.created, end.unwrap_or(now))];
            let is_given_up = life.responded.is_none();
            return Run { spells, end, is_paused: false, is_given_up };
        }
        let mut run = Run {
            spells: Vec::new(),
            end: life.ended(),
            is_paused: false,
            is_given_up: life.resolved().is_none(),
        };
        for (at, spell) in life.states.iter().enumerate() {
            let until = life.states.get(at + 1).map_or(now, |next| next.since);
            run.is_paused = self.levels.is_paused(spell.state, spell.word.as_deref());
            if !spell.is_over() && !run.is_paused {
                run.spells.push((spell.since, until));
            }
        }
        run
    }
}

/// When a clock ran, and whether it still does.
struct Run {
    spells: Vec<(Timestamp, Timestamp)>,
    end: Option<Timestamp>,
    is_paused: bool,
    is_given_up: bool,
}

/// When so many seconds were used, or will be if the clock runs on.
fn reached(run: &Run, openings: &Openings, seconds: i64) -> Option<Timestamp> {
    let mut left = seconds;
    for (at, (from, to)) in run.spells.iter().enumerate() {
        let used = openings.elapsed(*from, *to);
        let runs_on = run.end.is_none() && !run.is_paused && at + 1 == run.spells.len();
        if used >= left || runs_on {
            return openings.after(*from, left);
        }
        left -= used;
    }
    None
}
