//! `models registry`, and the language model in it: what does this desk work with, and how did it do?

use engine::Desk;
use triage::learned::{Listed, Stage, Version, WordingVersion};

use super::own;
use crate::cli::Outcome;
use crate::output::{self, BOLD, DIM, GOOD, paint};
use crate::registry::Worded;
use crate::settings::Global;

/// Everything in the registry.
pub(super) fn registry(global: &Global, desk: &Desk, learnt: &[Version]) -> anyhow::Result<Outcome> {
    let (worded, listed) = (Worded::all(&desk.store())?, Listed::all(&desk.store())?);
    if global.json {
        output::json(&serde_json::json!({ "versions": learnt, "wordings": worded, "listed": listed }))?;
        return Ok(Outcome::Fine);
    }
    own::shown(global, learnt)?;
    for one in &worded {
        head(&one.version);
        let measured = &one.measured;
        output::line(format!(
            "    asked {} times: {:.0} % failed, {:.0} % of its sentences kept, {} ms ({} ms for all but one in twenty); people told of {}, \
             changed {:.0} % of the words",
            measured.calls,
            measured.failed * 100.0,
            measured.kept * 100.0,
            measured.median_millis,
            measured.slow_millis,
            measured.told,
            measured.edited_words * 100.0
        ));
    }
    for one in &listed {
        let name = format!("{} {}", one.sort.as_str(), one.number);
        let since =
            paint(DIM, format!("{} since position {} ({})", &one.digest[..12], one.generation, one.since));
        output::line(format!("{}  {}  {since}", paint(BOLD, name), one.id));
    }
    Ok(Outcome::Fine)
}

/// A language model that people brought somewhere.
pub(super) fn moved(global: &Global, version: Option<&WordingVersion>) -> anyhow::Result<Outcome> {
    match version {
        _ if global.json => output::json(&version)?,
        Some(version) => head(version),
        None => output::line("no language model counts any more: answers are extractive"),
    }
    Ok(Outcome::Fine)
}

fn head(version: &WordingVersion) {
    let stage = match version.stage {
        Stage::Active => paint(GOOD, "active"),
        Stage::Canary => format!("canary for {} %", version.share),
        other => paint(DIM, other),
    };
    let name = format!("wording {}", version.number);
    let made = paint(
        DIM,
        format!("prompt {}, {} tokens, by {}", version.prompt, version.max_tokens, version.by.as_str()),
    );
    output::line(format!("{}  {stage}  {}  {made}", paint(BOLD, name), version.model));
}
