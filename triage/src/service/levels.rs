//! What are callers promised? Targets by priority, the hours in which they count and what stops their clock, from `service.toml`.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ontology::{Kind, State};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::hours::{Hours, Opening};
use crate::policy::{Fault, PolicyError};
use crate::proposal::hex;

/// The days of the week as `service.toml` spells them.
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// What a desk promises.
#[derive(Debug, Clone)]
pub struct ServiceLevels {
    /// A hash of the text: another one where it says something else.
    pub version: String,
    /// Share of a target's time after which people are warned, 0 to 1.
    pub warn_at: f64,
    /// Share of tickets that shall keep their target, 0 to 1.
    pub objective: f64,
    hours: BTreeMap<String, Hours>,
    kinds: BTreeSet<Kind>,
    unset: u8,
    pause: Pause,
    priorities: BTreeMap<u8, Promise>,
}

/// What a priority is promised.
#[derive(Debug, Clone)]
pub struct Promise {
    /// The name of the opening hours in which it counts.
    pub hours: String,
    /// Seconds until somebody answers.
    pub response: Option<i64>,
    /// Seconds until it is solved.
    pub resolution: Option<i64>,
}

/// One of the two things that are promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// That somebody answers.
    Response,
    /// That it is solved.
    Resolution,
}

impl Target {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Response, Self::Resolution];

    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Resolution => "resolution",
        }
    }
}

impl Promise {
    /// Seconds that a target has.
    pub fn goal(&self, target: Target) -> Option<i64> {
        match target {
            Target::Response => self.response,
            Target::Resolution => self.resolution,
        }
    }
}

impl ServiceLevels {
    /// Reads `service.toml`.
    ///
    /// # Errors
    /// [`PolicyError::Service`] with the line and what to write instead.
    pub fn parse(file: &str, text: &str) -> Result<Self, PolicyError> {
        let written: Written =
            toml::from_str(text).map_err(|error| PolicyError::Service(Fault::of_toml(file, text, &error)))?;
        let refuse = |at: usize, problem: String| PolicyError::Service(Fault::at(file, text, at, problem));
        let share = |percent: &Spanned<f64>, what: &str| {
            let share = percent.get_ref() / 100.0;
            let is_share = share > 0.0 && share < 1.0;
            let problem = || format!("{what} is a percentage between 0 and 100, such as 90");
            if is_share { Ok(share) } else { Err(refuse(percent.span().start, problem())) }
        };
        let zone = TimeZone::get(written.zone.get_ref()).map_err(|_unknown| {
            let problem = format!(
                "there is no time zone {:?}: write one such as Europe/Berlin",
                written.zone.get_ref()
            );
            refuse(written.zone.span().start, problem)
        })?;
        let mut hours = BTreeMap::new();
        for (name, week) in &written.hours {
            let made = week.get_ref().hours(&zone, &written.holidays);
            hours.insert(name.clone(), made.map_err(|problem| refuse(week.span().start, problem))?);
        }
        let mut priorities = BTreeMap::new();
        for (name, promise) in &written.priority {
            let at = promise.span().start;
            let number = name.parse().ok().filter(|number| (1..=5).contains(number));
            let number =
                number.ok_or_else(|| refuse(at, format!("priority {name} is none: write 1 to 5")))?;
            let promise = promise.get_ref().checked(&hours).map_err(|problem| refuse(at, problem))?;
            priorities.insert(number, promise);
        }
        let unset = *written.unset.get_ref();
        if !(1..=5).contains(&unset) {
            return Err(refuse(written.unset.span().start, "a priority is 1 to 5".to_owned()));
        }
        if let Some(state) = written.pause.states.iter().find(|state| is_end(*state.get_ref())) {
            let problem = format!("a {} ticket has no clock to stop: take it out", state.get_ref().as_str());
            return Err(refuse(state.span().start, problem));
        }
        if let Some(kind) = written.kinds.iter().find(|kind| !kind.get_ref().is_ticket()) {
            let problem = "no kind of ticket: write incident, service_request, problem or change".to_owned();
            return Err(refuse(kind.span().start, problem));
        }
        Ok(Self {
            version: hex(&Sha256::digest(text.as_bytes())),
            warn_at: share(&written.warn_at, "warn_at")?,
            objective: share(&written.objective, "objective")?,
            hours,
            kinds: written.kinds.into_iter().map(Spanned::into_inner).collect(),
            unset,
            pause: Pause::of(written.pause),
            priorities,
        })
    }

    /// What a ticket is promised, with its priority; nothing where its kind or priority is promised nothing.
    pub fn promise(&self, kind: Kind, priority: Option<u8>) -> Option<(u8, &Promise)> {
        let priority = priority.unwrap_or(self.unset);
        let promise = self.priorities.get(&priority).filter(|_| self.kinds.contains(&kind))?;
        Some((priority, promise))
    }

    /// Opening hours by name.
    pub fn hours(&self) -> &BTreeMap<String, Hours> {
        &self.hours
    }

    /// Whether the clock of a resolution stands in a state, by its source's word for it too.
    pub fn is_paused(&self, state: State, word: Option<&str>) -> bool {
        let says = |word: &str| self.pause.words.contains(&word.trim().to_lowercase());
        self.pause.states.contains(&state) || word.is_some_and(says)
    }

    /// Whether a kind of ticket is promised anything.
    pub fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }
}

fn is_end(state: State) -> bool {
    state.is_resolved() || state == State::Cancelled
}

#[derive(Debug, Clone)]
struct Pause {
    states: BTreeSet<State>,
    words: BTreeSet<String>,
}

impl Pause {
    fn of(written: WrittenPause) -> Self {
        let states = written.states.into_iter().map(Spanned::into_inner).collect();
        Self { states, words: written.words.iter().map(|word| word.trim().to_lowercase()).collect() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    zone: Spanned<String>,
    #[serde(default)]
    holidays: Vec<Date>,
    warn_at: Spanned<f64>,
    objective: Spanned<f64>,
    kinds: Vec<Spanned<Kind>>,
    unset: Spanned<u8>,
    pause: WrittenPause,
    hours: BTreeMap<String, Spanned<WrittenWeek>>,
    priority: BTreeMap<String, Spanned<WrittenPromise>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPause {
    states: Vec<Spanned<State>>,
    #[serde(default)]
    words: Vec<String>,
}

#[derive(Deserialize)]
struct WrittenWeek {
    #[serde(default)]
    round_the_clock: bool,
    #[serde(flatten)]
    days: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPromise {
    hours: String,
    response: Option<String>,
    resolution: Option<String>,
}

impl WrittenWeek {
    fn hours(&self, zone: &TimeZone, holidays: &[Date]) -> Result<Hours, String> {
        if let Some(day) = self.days.keys().find(|day| !DAYS.contains(&day.as_str())) {
            return Err(format!("{day} is no day: write {} or round_the_clock", DAYS.join(", ")));
        }
        match (self.round_the_clock, self.days.is_empty()) {
            (true, true) => return Ok(Hours::round_the_clock()),
            (true, false) => return Err("round the clock, so take the days out".to_owned()),
            (false, true) => {
                return Err(
                    "these hours are never open: name a day, such as monday = \"08:00-18:00\"".to_owned()
                );
            }
            (false, false) => {}
        }
        let mut week: [Vec<Opening>; 7] = Default::default();
        for (openings, name) in week.iter_mut().zip(DAYS) {
            let Some(text) = self.days.get(name) else { continue };
            *openings = text.split(',').map(opening).collect::<Result<_, _>>()?;
            if openings.windows(2).any(|pair| pair[0].closes > pair[1].opens) {
                return Err(format!("the hours of {name} overlap: write them in their order"));
            }
        }
        Ok(Hours::of_week(zone.clone(), week, holidays.iter().copied().collect()))
    }
}

fn opening(text: &str) -> Result<Opening, String> {
    let minute = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour <= 24 && minute < 60 && hour * 60 + minute <= 1440).then_some(hour * 60 + minute)
    };
    let bounds = text.split_once('-').and_then(|(opens, closes)| Some((minute(opens)?, minute(closes)?)));
    match bounds {
        Some((opens, closes)) if opens < closes => Ok(Opening { opens, closes }),
        _ => Err(format!(
            "{:?} are no hours: write them such as \"08:00-18:00\", to 24:00 at most",
            text.trim()
        )),
    }
}

impl WrittenPromise {
    fn checked(&self, hours: &BTreeMap<String, Hours>) -> Result<Promise, String> {
        if !hours.contains_key(&self.hours) {
            let known = hours.keys().cloned().collect::<Vec<_>>().join(", ");
            return Err(format!("there are no hours {:?}: write one of {known}", self.hours));
        }
        let seconds = |text: &Option<String>| text.as_deref().map(seconds).transpose();
        let (response, resolution) = (seconds(&self.response)?, seconds(&self.resolution)?);
        Ok(Promise { hours: self.hours.clone(), response, resolution })
    }
}

fn seconds(text: &str) -> Result<i64, String> {
    let length: Option<SignedDuration> = text.parse().ok();
    length.map(|length| length.as_secs()).filter(|seconds| *seconds > 0).ok_or_else(|| {
        format!("{text:?} is no time: write hours and minutes such as \"1h 30m\"; a day has no length in opening hours")
    })
}
