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

    let raise = ["policy", "set-level", "supervised", "--category", "Application", "--latest", "80"];
    let plan = desk.run_embedding(&models, raise.iter().chain(&["--plan"])).with_code(0);
    assert!(
        plan.out.contains("Application") && !desk.main().join("policy/autonomy.toml").exists(),
        "{}",
        plan.out
    );
    let _ = desk.run_embedding(&models, raise).with_code(0);
    let settings = std::fs::read_to_string(desk.main().join("policy/autonomy.toml")).expect("the settings");
    assert!(settings.contains("name = \"Application\"\nlevel = \"supervised\"\nshare = 100"), "{settings}");
    let after = desk.run_embedding(&models, ["--json", "replay", "--latest", "40"]).with_code(0);
    let after: Value = serde_json::from_str(&after.out).expect("JSON");
    assert!(
        number(&after["report"]["by_category"]["Application"]["routed_alone"]) > 0.0,
        "{}",
        after["report"]["by_category"]
    );
    assert_eq!(number(&after["report"]["by_category"]["Access"]["routed_alone"]), 0.0);
}
