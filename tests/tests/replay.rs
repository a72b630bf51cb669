//! Does the demo desk's past come again, every ticket to a rest and every decision with its reasons?

use std::path::PathBuf;

use serde_json::Value;
use tests::{Desk, demo_sources, models};

#[test]
fn the_demo_desk_replayed_is_mostly_right_and_always_explained() {
    let Some(models) = models() else { return };
    let desk = Desk::new();
    let arguments = [PathBuf::from("ingest")].into_iter().chain(demo_sources());
    let _ = desk.run_embedding(&models, arguments).with_code(0);
    let run = desk.run_embedding(&models, ["--json", "replay", "--latest", "60"]).with_code(0);
    let said: Value = serde_json::from_str(&run.out).expect("JSON");
    let all = &said["report"]["all"];
    let number = |value: &Value| value.as_f64().expect("a number");
    assert_eq!(number(&all["tickets"]), 60.0);
    assert_eq!((number(&all["adrift"]), number(&all["unexplained"])), (0.0, 0.0));
    let team = &all["team"];
    assert!(number(&team["right"]) / number(&team["asked"]) > 0.8, "{team}");
    // The levels that come with the program let agents propose, not act.
    assert_eq!((number(&all["routed_alone"]), number(&all["states"]["proposed"])), (0.0, 60.0));
    let again = desk.run_embedding(&models, ["--json", "replay", "--latest", "60"]).with_code(0);
    let again: Value = serde_json::from_str(&again.out).expect("JSON");
    assert_eq!(said["digest"], again["digest"]);
}
