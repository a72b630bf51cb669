//! Is a desk of an earlier version opened? `tests/frozen/` keeps the files as they were written then.

use std::fs;

use tests::{Desk, root};

/// A bundle that was handed out when `tests/frozen/desk-1.db` was made.
const FROZEN_BUNDLE: &str = "1f4a7cfae494319c334f56c5793c7dc4";

#[test]
fn a_folder_of_an_earlier_format_is_opened_and_its_indexes_built_anew() {
    let desk = Desk::new();
    let old_index = desk.main().join("index/0-none/text");
    fs::create_dir_all(&old_index).expect("a folder");
    fs::write(old_index.join("meta.json"), "of another time").expect("a file");
    fs::write(desk.main().join("manifest.json"), r#"{"format": 0, "embedder": "none"}"#).expect("a file");
    fs::copy(root().join("tests/frozen/desk-1.db"), desk.main().join("desk.db")).expect("the frozen file");
    let found = desk.run(["verify", "--json"]).with_code(0).json();
    assert_eq!(found["problems"], serde_json::json!([]));
    assert!(!old_index.exists(), "what an earlier format left is still there");
    let status = desk.json(&["status"]);
    assert_eq!((status["generation"].as_u64(), status["records"]["incident"].as_u64()), (Some(4), Some(2)));
    let mut found = desk.search(&["E-4107", "--leg", "identifier"]);
    found.sort();
    assert_eq!(found, ["labels:labels.md", "t:F-1"]);
    assert_eq!(desk.search(&["--audience", "staff", "--leg", "identifier", "E-4107"]), ["t:F-1"]);
    assert_eq!(desk.json(&["bundle", "get", FROZEN_BUNDLE])["id"], FROZEN_BUNDLE);
}
