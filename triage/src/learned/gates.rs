//! May a version be brought further? Only where what was measured of it says so.

use super::{Drift, Stage, TaskDrift, Version};

/// Expected calibration error above which a probability means nothing.
const CALIBRATION: f64 = 0.05;
/// Held-out tickets below which a figure is chance.
const MEASURED: usize = 50;
/// How often the sure opinions are to be right.
const SURE_PRECISION: f64 = 0.85;
/// How far a group of callers may lie below all others, and tickets of it from which that counts.
const GROUP_GAP: f64 = 0.15;
const GROUP_COUNT: usize = 30;
/// Tickets that people decided since, before a canary counts everywhere.
const DECIDED: usize = 30;

/// Why a version may not go to a stage; nothing where it may.
pub(super) fn reasons(
    version: &Version,
    stage: Stage,
    active: Option<&Version>,
    drift: Option<&Drift>,
) -> Vec<String> {
    let mut reasons = Vec::new();
    if !matches!(stage, Stage::Canary | Stage::Active) {
        return reasons;
    }
    let measured = &version.held_out;
    if measured.count < MEASURED {
        reasons.push(format!("it was measured on {} tickets, {MEASURED} are wanted", measured.count));
    }
    if measured.accuracy <= version.commonest {
        reasons.push(format!(
            "it is right for {:.1} % of the tickets, the commonest {} alone for {:.1} %",
            measured.accuracy * 100.0,
            version.task,
            version.commonest * 100.0
        ));
    }
    if measured.calibration_error > CALIBRATION {
        let error = measured.calibration_error;
        reasons.push(format!("its calibration error is {error:.3}, at most {CALIBRATION} is wanted"));
    }
    if version.sure.precision < SURE_PRECISION {
        let precision = version.sure.precision;
        reasons.push(format!("where it was sure it was right {precision:.3}, {SURE_PRECISION} is wanted"));
    }
    let weak = version
        .groups
        .iter()
        .filter(|(_, group)| group.count >= GROUP_COUNT && group.accuracy < measured.accuracy - GROUP_GAP);
    for (name, group) in weak {
        let (of_group, of_all) = (group.accuracy, measured.accuracy);
        reasons.push(format!("it is right {of_group:.2} for callers of {name}, {of_all:.2} for all"));
    }
    if let Some(active) = active.filter(|active| active.number != version.number)
        && measured.macro_f1 < active.held_out.macro_f1
    {
        let (its, other) = (measured.macro_f1, active.held_out.macro_f1);
        reasons.push(format!("its macro-F1 is {its:.3}, that of version {} is {other:.3}", active.number));
    }
    if stage == Stage::Active {
        reasons.extend(unproven(version, drift));
    }
    reasons
}

/// What a version has still to show among people before it counts everywhere.
fn unproven(version: &Version, drift: Option<&Drift>) -> Option<String> {
    let is_its = |task: &&TaskDrift| task.task == version.task && task.version == version.number;
    let seen = drift.and_then(|drift| drift.tasks.iter().find(is_its));
    let decided = seen.map_or(0, |seen| seen.decided);
    if decided < DECIDED {
        return Some(format!(
            "people decided {decided} tickets that it was sure of since it is heard, {DECIDED} are wanted: keep it in \
             shadow or canary"
        ));
    }
    let precision = seen.map_or(0.0, |seen| seen.precision);
    (precision < SURE_PRECISION).then(|| {
        format!("people agreed with {precision:.3} of what it was sure of, {SURE_PRECISION} is wanted")
    })
}
