//! Is retrieval on the demo desk as good as the pinned baseline says? And does the gate notice when it is not?

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tests::{Desk, Run, demo_sources, models, root};

fn against(desk: &Desk, models: &Path, baseline: &Path) -> Run {
    let baseline = baseline.to_str().expect("UTF-8");
    let set = ["--queries", "tests/retrieval/queries.jsonl", "--qrels", "tests/retrieval/qrels.tsv"];
    let rest = ["--leg", "lexical,dense,hybrid", "--against", baseline];
    desk.run_embedding(models, ["eval"].iter().chain(&set).chain(&rest))
}

/// Adds to every number of a file, the format's excepted.
fn raise(value: &mut Value, by: f64) {
    match value {
        Value::Object(entries) => entries.iter_mut().for_each(|(_, value)| raise(value, by)),
        Value::Number(number) => *value = (number.as_f64().expect("a number") + by).into(),
        _ => {}
    }
}

#[test]
fn no_leg_has_dropped_and_the_gate_would_say_so() {
    let Some(models) = models() else { return };
    let desk = Desk::new();
    let arguments = [PathBuf::from("ingest")].into_iter().chain(demo_sources());
    let _ = desk.run_embedding(&models, arguments).with_code(0);
    let pinned: PathBuf = root().join("tests/retrieval/baseline.json");
    let held = against(&desk, &models, &pinned).with_code(0);
    assert!(held.out.contains("hybrid") && !held.out.contains("dropped"), "{}", held.out);

    let text = fs::read_to_string(&pinned).expect("the baseline");
    let mut better: Value = serde_json::from_str(&text).expect("JSON");
    raise(&mut better["sets"], 0.05);
    let better = desk.file("better.json", better.to_string());
    let dropped = against(&desk, &models, &better).with_code(1);
    assert_eq!(dropped.out.matches("  dropped").count(), 3, "{}", dropped.out);
}
