//! Is bad input told with its place, in bounded time, with the rest taken in and nothing half-written?

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use tests::Desk;

/// Ingests one file: the records it gave, and the one item that went to quarantine, as JSON text.
fn quarantined(desk: &Desk, path: &Path, more: &[&str], records: u64) -> String {
    let path = path.to_str().expect("UTF-8");
    let run = desk.run([&["ingest", "--json", path], more].concat()).with_code(1).json();
    assert_eq!((run["new"].as_u64(), run["quarantined"].as_u64()), (Some(records), Some(1)), "{run}");
    let list = desk.json(&["quarantine", "list"]);
    let items = list.as_array().expect("a list");
    assert_eq!(items.len(), 1, "{list}");
    assert_eq!(items[0]["lineage"]["origin"], path, "the file is not named");
    assert_whole(desk, records);
    // A second time it is the same item, and not one more.
    let again = desk.run([&["ingest", "--json", path], more].concat()).with_code(1).json();
    assert_eq!((again["new"].as_u64(), again["unchanged"].as_u64()), (Some(0), Some(records)), "{again}");
    assert_eq!(desk.json(&["quarantine", "list"]).as_array().map(Vec::len), Some(1));
    format!("{} {}", items[0]["lineage"]["place"], items[0]["reason"])
}

fn assert_whole(desk: &Desk, records: u64) {
    let found = desk.run(["verify", "--json"]).with_code(0).json();
    assert_eq!(found["problems"], serde_json::json!([]));
    let kinds = desk.json(&["status"])["records"].clone();
    let sum: u64 = kinds.as_object().expect("counts").values().filter_map(|number| number.as_u64()).sum();
    assert_eq!(sum, records);
}

#[test]
fn a_cut_off_export_gives_what_is_whole_and_says_where_it_ends() {
    let desk = Desk::new();
    let text = r#"{"result": [{"number": "INC1", "short_description": "one"}, {"number": "IN"#;
    let said = quarantined(&desk, &desk.file("export.json", text), &[], 1);
    assert!(said.contains(r#""item":2"#) && said.contains("line 1") && said.contains("cut off"), "{said}");
}

#[test]
fn a_line_of_200_megabytes_is_refused_in_bounded_time_and_the_next_is_read() {
    let desk = Desk::new();
    let path = desk.beside("long.jsonl");
    let mut file = BufWriter::new(File::create(&path).expect("a file"));
    let block = vec![b'a'; 1 << 20];
    file.write_all(br#"{"id": "L-1", "title": "long", "description": ""#).expect("room");
    for _ in 0..200 {
        file.write_all(&block).expect("room");
    }
    file.write_all(b"\"}\n{\"id\": \"L-2\", \"title\": \"short\"}\n").expect("room");
    file.into_inner().expect("room").sync_all().expect("room");
    let started = Instant::now();
    let said = quarantined(&desk, &path, &[], 1);
    assert!(said.contains(r#""line":1"#) && said.contains("bytes long"), "{said}");
    assert!(started.elapsed() < Duration::from_secs(60), "it took {:?}", started.elapsed());
    let held = std::fs::metadata(desk.main().join("desk.db")).expect("the log").len();
    assert!(held < 40_000_000, "the log holds {held} bytes of a line that was refused");
}

#[test]
fn invalid_utf_8_is_named_by_its_line_or_file() {
    let desk = Desk::new();
    let lines = b"{\"id\": \"U-1\", \"title\": \"fine\"}\n{\"id\": \"U-2\", \"title\": \"br\xff\xfeoken\"}\n";
    let said = quarantined(&desk, &desk.file("tickets.jsonl", lines), &[], 1);
    assert!(said.contains(r#""line":2"#) && said.contains("UTF-8"), "{said}");
    let desk = Desk::new();
    let said = quarantined(&desk, &desk.file("page.md", b"# Stra\xdfe\n\ntext\n"), &[], 0);
    assert!(said.contains(r#""line":1"#) && said.contains("UTF-8"), "{said}");
}

#[test]
fn a_row_with_other_columns_than_its_header_is_named() {
    let desk = Desk::new();
    let rows = "id,title,description\nR-1,one,two\nR-2,one,two,three,four\nR-3,one,two\n";
    let said = quarantined(&desk, &desk.file("tickets.csv", rows), &[], 2);
    assert!(said.contains(r#""row":2"#) && said.contains("5 columns") && said.contains("has 3"), "{said}");
}

#[test]
fn a_table_whose_columns_say_nothing_is_refused_whole() {
    let desk = Desk::new();
    let table = desk.file("tickets.csv", "number,kurzbeschreibung\nINC1,Drucker\nINC2,Maus\n");
    let said = quarantined(&desk, &table, &[], 0);
    assert!(said.contains("short_description") && said.contains("kurzbeschreibung"), "{said}");
    let desk = Desk::new();
    let said = quarantined(&desk, &table, &["--mapping", "zendesk"], 0);
    assert!(said.contains("zendesk") && said.contains("[[detect]]"), "{said}");
}

#[test]
fn a_yaml_bomb_ends_in_quarantine() {
    let desk = Desk::new();
    let mut text = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: x\n".to_owned();
    text.push_str("  a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for (before, name) in ('a'..='i').zip('b'..='j') {
        let inside = vec![format!("*{before}"); 9].join(", ");
        text.push_str(&format!("  {name}: &{name} [{inside}]\n"));
    }
    let started = Instant::now();
    let said = quarantined(&desk, &desk.file("catalog-info.yaml", text), &[], 0);
    assert!(said.contains("line 10") && said.contains("budget"), "{said}");
    assert!(started.elapsed() < Duration::from_secs(60), "it took {:?}", started.elapsed());
}

#[test]
fn services_that_depend_on_each_other_in_a_circle_are_no_fault() {
    let desk = Desk::new();
    let component = |number: usize| {
        let next = (number + 1) % 3;
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: c{number}\nspec:\n  \
             type: service\n  owner: ops\n  dependsOn: [\"component:c{next}\"]\n"
        )
    };
    let text = (0..3).map(component).collect::<Vec<_>>().join("---\n");
    let path = desk.file("catalog-info.yaml", text);
    let run = desk.json(&["ingest", path.to_str().expect("UTF-8")]);
    assert_eq!((run["new"].as_u64(), run["quarantined"].as_u64()), (Some(3), Some(0)), "{run}");
    assert_whole(&desk, 3);
    assert_eq!(desk.search(&["c0"]).len(), 3, "the circle is walked once");
    assert!(desk.json(&["bundle", "make", "c0 is down"])["id"].is_string());
}

#[test]
fn files_that_are_not_there_and_mappings_that_are_none_are_named() {
    let desk = Desk::new();
    for (arguments, expected) in [
        (&["ingest", "never.json"][..], "never.json"),
        (&["ingest", "--mapping", "never", "datasets/demo/alerts"], "never"),
        (&["search", "x"], "triagraph init"),
        (&["restore", "never.copy"], "never.copy"),
    ] {
        let run = desk.run(arguments).with_code(2);
        assert!(run.err.contains(expected), "{arguments:?}: {}", run.err);
        assert!(!desk.main().join("desk.db").is_file(), "{arguments:?} left half a desk");
    }
}
