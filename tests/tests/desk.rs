//! Does the demo desk do what a user is promised? From ingest to purge, by the real binary.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tests::{Desk, demo_sources};

/// The page that only security may see, by its id, its file name and its number.
const SECRET: [&str; 2] = ["phishing-response", "KB0010279"];
/// Words that find it.
const SUBJECT: &str = "phishing suspicious mail entered a password";
/// Words that stand in it and in no other record.
const SECRET_TEXT: &str = "entered a password or read out a code";
/// Its title.
const SECRET_TITLE: &str = "Phishing: response of Security Operations";

fn ingest(desk: &Desk, more: &[&str]) -> serde_json::Value {
    let sources: Vec<String> = demo_sources().iter().map(|path| path.display().to_string()).collect();
    let mut arguments = vec!["ingest"];
    arguments.extend(sources.iter().map(String::as_str));
    arguments.extend(more);
    desk.json(&arguments)
}

fn assert_sound(desk: &Desk) {
    let found = desk.run(["verify", "--json"]).with_code(0).json();
    assert_eq!(found["problems"], serde_json::json!([]));
}

fn assert_hides(what: &str, text: &str) {
    for name in SECRET {
        assert!(!text.contains(name), "{what} shows {name}");
    }
    assert!(!text.contains(SECRET_TEXT), "{what} shows the page's text");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap_or_else(|error| panic!("{to:?}: {error}"));
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{from:?}: {error}")) {
        let path = entry.unwrap_or_else(|error| panic!("{error}")).path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        }
    }
}

#[test]
fn a_plan_writes_nothing_and_a_second_ingest_changes_nothing() {
    let desk = Desk::new();
    let _ = desk.run(["init"]).with_code(0);
    let plan = ingest(&desk, &["--plan"]);
    assert_eq!((plan["planned"].as_bool(), plan["new"].as_u64()), (Some(true), Some(589)));
    assert_eq!(desk.json(&["status"])["generation"], 0);

    let first = ingest(&desk, &[]);
    for (name, expected) in [("files", 58), ("items", 589), ("new", 589), ("quarantined", 0), ("skipped", 0)]
    {
        assert_eq!(first[name], expected, "{name}");
    }
    let before = desk.json(&["status"]);
    let sum: u64 =
        before["records"].as_object().map_or(0, |kinds| kinds.values().filter_map(|n| n.as_u64()).sum());
    assert_eq!(sum, 589);

    let second = ingest(&desk, &[]);
    for (name, expected) in [("items", 589), ("new", 0), ("changed", 0), ("unchanged", 589)] {
        assert_eq!(second[name], expected, "{name}");
    }
    let mut after = desk.json(&["status"]);
    assert_eq!(after["jobs"][0]["state"], "done");
    after["jobs"] = before["jobs"].clone();
    assert_eq!(after, before);
    let sources = demo_sources();
    let mut arguments = vec![std::ffi::OsStr::new("ingest")];
    arguments.extend(sources.iter().map(|path| path.as_os_str()));
    let said = desk.run(arguments).with_code(0);
    assert!(format!("{}{}", said.out, said.err).contains("nothing changed"), "{said:?}");
    assert_sound(&desk);
}

#[test]
fn a_ticket_is_found_by_its_number_and_nothing_before_it_was_known() {
    let desk = Desk::demo();
    assert_eq!(desk.search(&["INC0041216"])[0], "servicenow:INC0041216");
    assert_eq!(desk.search(&["KB0010279"])[0], "knowledge:phishing-response.md");
    assert_eq!(
        desk.run_with(["search", "--json"], "INC0041216").json()["hits"][0]["record"],
        "servicenow:INC0041216"
    );
    assert!(desk.search(&["--as-of", "2020-01-01", "INC0041216"]).is_empty());
    assert!(!desk.run_with(["search"], "").with_code(2).err.is_empty());
}

#[test]
fn another_audience_never_sees_the_page_that_is_not_for_it() {
    let desk = Desk::demo();
    let everything = desk.run(["export", "--format", "nquads"]).with_code(0).out;
    assert!(everything.contains(SECRET[0]) && everything.contains(SECRET[1]), "the page is in the desk");
    assert!(desk.search(&[SUBJECT]).contains(&"knowledge:phishing-response.md".to_owned()));

    let staff = |arguments: &[&str]| desk.run([&["--audience", "staff"], arguments].concat());
    let commands: [&[&str]; 10] = [
        &["search", "--json", "--limit", "100", SUBJECT],
        &["search", "--json", "KB0010279"],
        &["search", "--json", "--leg", "graph,identifier", "Security Operations phishing-response"],
        &["related", "--json", "INC0041216"],
        &["bundle", "make", "--json", SUBJECT],
        &["bundle", "make", "--json", "INC0041216"],
        &["articles", "--json"],
        &["export", "--format", "nquads"],
        &["export", "--format", "trig"],
        &["sparql", "--format", "csv", "--limit", "100000", "SELECT * WHERE { GRAPH ?g { ?s ?p ?o } }"],
    ];
    for command in commands {
        let run = staff(command).with_code(0);
        assert!(!run.out.is_empty(), "{command:?} says nothing");
        let echoed = if command.contains(&"KB0010279") { run.out.replace("KB0010279", "") } else { run.out };
        let echoed = echoed.replace("Security Operations phishing-response", "");
        assert_hides(&format!("{command:?}"), &echoed);
    }

    let graph = "urn:triagraph:record:knowledge:phishing-response.md";
    for query in [
        format!("SELECT (COUNT(*) AS ?n) WHERE {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"),
        format!("SELECT (COUNT(*) AS ?n) WHERE {{ GRAPH ?g {{ ?s ?p ?o }} FILTER(?g = <{graph}>) }}"),
        format!("SELECT (COUNT(*) AS ?n) FROM <{graph}> WHERE {{ ?s ?p ?o }}"),
        format!("SELECT (COUNT(*) AS ?n) FROM NAMED <{graph}> WHERE {{ GRAPH ?g {{ ?s ?p ?o }} }}"),
        "SELECT (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p \"KB0010279\" } }".to_owned(),
    ] {
        let count = |run: tests::Run| run.with_code(0).out.lines().nth(1).map(str::to_owned);
        let all = count(desk.run(["sparql", "--format", "csv", query.as_str()]));
        assert_ne!(all.as_deref(), Some("0"), "{query}");
        assert_eq!(count(staff(&["sparql", "--format", "csv", &query])).as_deref(), Some("0"), "{query}");
    }
    for name in ["KB0010279", "knowledge:phishing-response.md"] {
        for command in [["record", "show"], ["record", "neighbours"]] {
            let shown = staff(&[command[0], command[1], name]).with_code(2);
            assert!(shown.out.is_empty(), "{shown:?}");
            // The same words as for a record that never was: its being there is not told either.
            let never = staff(&[command[0], command[1], "knowledge:never.md"]).with_code(2).err;
            assert_eq!(shown.err.replace(name, "X"), never.replace("knowledge:never.md", "X"));
        }
    }
}

#[test]
fn what_all_may_read_does_not_tell_another_audience_where_its_links_lead() {
    let desk = Desk::demo();
    let line =
        r#"{"id": "LEAK-1", "title": "Password given away", "description": "KB0010279 says what to do"}"#;
    let ticket = desk.file("tickets.jsonl", line);
    let _ = desk.run(["ingest", "--source", "leak", ticket.to_str().expect("UTF-8")]).with_code(0);
    let all = "SELECT * WHERE { GRAPH ?g { ?s ?p ?o } }";
    let page = "SELECT * WHERE { ?s ?p <urn:triagraph:record:knowledge:phishing-response.md> }";
    let commands: [&[&str]; 5] = [
        &["export", "--format", "nquads"],
        &["export", "--format", "trig"],
        &["sparql", "--format", "csv", "--limit", "1000000", all],
        &["sparql", "--format", "csv", "SELECT * WHERE { <urn:triagraph:record:leak:LEAK-1> ?p ?o }"],
        &["sparql", "--format", "csv", page],
    ];
    for command in commands {
        let told = |more: &[&str]| desk.run([more, command].concat()).with_code(0).out;
        let (operator, staff) = (told(&[]), told(&["--audience", "staff"]));
        assert!(operator.contains("LEAK-1"), "{command:?}: {operator}");
        assert!(!staff.contains(SECRET[0]), "{command:?} tells staff where the link leads");
    }
}

#[test]
fn a_deleted_record_is_gone_and_comes_back_with_its_source() {
    let desk = Desk::demo();
    let _ = desk.run(["record", "delete", "KB0010279"]).with_code(0);
    assert!(!desk.search(&[SUBJECT]).contains(&"knowledge:phishing-response.md".to_owned()));
    assert_hides("the bundle", &desk.run(["bundle", "make", "--json", SUBJECT]).with_code(0).out);
    assert_hides("the export", &desk.run(["export", "--format", "nquads"]).with_code(0).out);
    assert_sound(&desk);
    assert_eq!(ingest(&desk, &[])["new"], 1);
    assert!(desk.search(&[SUBJECT]).contains(&"knowledge:phishing-response.md".to_owned()));
    assert_sound(&desk);
}

#[test]
fn a_purged_text_stands_in_no_file_of_the_desk() {
    fn holders(folder: &Path, words: &str) -> Vec<String> {
        let mut found = Vec::new();
        for path in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                found.extend(holders(&path, words));
            } else {
                let bytes = fs::read(&path).expect("a file");
                let held = bytes.windows(words.len()).any(|window| window == words.as_bytes());
                found.extend(held.then(|| path.display().to_string()));
            }
        }
        found
    }
    let desk = Desk::demo();
    let of_a_question = desk.json(&["bundle", "make", SUBJECT]);
    let of_itself = desk.json(&["bundle", "make", "KB0010279"]);
    for words in [SECRET_TEXT, SECRET_TITLE] {
        assert!(!holders(&desk.main(), words).is_empty(), "{words} is not held in the first place");
    }
    assert!(desk.run(["record", "purge", "KB0010279"]).with_code(2).err.contains("--yes"));
    let _ = desk.run(["record", "purge", "KB0010279", "--yes"]).with_code(0);
    for words in [SECRET_TEXT, SECRET_TITLE] {
        assert_eq!(holders(&desk.main(), words), Vec::<String>::new(), "{words}");
    }
    assert_hides("the search", &desk.run(["search", "--json", SUBJECT]).with_code(0).out);
    let stored = |bundle: &serde_json::Value| {
        desk.json(&["bundle", "get", bundle["id"].as_str().expect("an id")]).to_string()
    };
    assert!(stored(&of_a_question).contains("[erased]") && stored(&of_itself).contains("[erased]"));
    let replayed = desk.run(["bundle", "replay", of_itself["id"].as_str().expect("an id")]).with_code(2);
    assert!(replayed.err.contains("phishing-response.md"), "{}", replayed.err);
    assert_sound(&desk);
}

#[test]
fn a_copy_gives_the_same_answers_and_never_overwrites() {
    let desk = Desk::demo();
    let copy = desk.beside("copy");
    let copy = copy.to_str().expect("UTF-8");
    let _ = desk.run(["backup", copy]).with_code(0);
    assert!(desk.run(["backup", copy]).with_code(2).err.contains(copy));
    assert!(!desk.run(["restore", copy]).with_code(2).err.is_empty(), "a desk stands there already");
    let other = Desk::new();
    let _ = other.run(["restore", copy]).with_code(0);
    assert!(!desk.beside("copy-wal").exists() && !desk.beside("copy-shm").exists());
    assert_sound(&other);
    assert_eq!(other.json(&["status"]), desk.json(&["status"]));
    for question in ["INC0041216", "VPN users cannot connect after MFA reset", "scanner session rejected"] {
        assert_eq!(other.json(&["search", question]), desk.json(&["search", question]), "{question}");
    }
}

#[test]
fn each_damaged_index_is_named_and_mended() {
    let desk = Desk::demo();
    let expected = desk.json(&["search", SUBJECT]);
    // Nothing opens this desk again: an opening may merge files of the graph and take the old ones away.
    let indexes: Vec<_> = fs::read_dir(desk.main().join("index")).expect("the indexes").collect();
    assert_eq!(indexes.len(), 1, "{indexes:?}");
    let index = indexes[0].as_ref().expect("an index").path();
    let mut harmed = BTreeSet::new();
    let mut mended = 0;
    for part in ["text", "graph", "vectors"] {
        for entry in fs::read_dir(index.join(part)).expect("the index") {
            let path = entry.expect("an entry").path();
            let ending = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            // The list of files that the index manages is rebuilt from what is there.
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
                continue;
            }
            let is_harmed =
                ["store", "term", "idx", "pos", "fast", "json", "sst", "db"].contains(&ending.as_str());
            // Of the text index one file of each sort; of the graph every one, since each keeps another order.
            if !is_harmed || (part == "text" && !harmed.insert(ending)) {
                continue;
            }
            let broken = Desk::new();
            copy(&desk.data(), &broken.data());
            let path = broken.data().join(path.strip_prefix(desk.data()).expect("below the data folder"));
            let mut bytes = fs::read(&path).expect("a file");
            let middle = bytes.len() / 2;
            bytes.iter_mut().skip(middle).take(64).for_each(|byte| *byte ^= 0x5a);
            fs::write(&path, bytes).expect("a file");
            let found = broken.run(["verify"]);
            let said = format!("{}{}", found.out, found.err);
            assert!(said.contains(part), "{path:?}: {said}");
            if found.code == 0 {
                // Noticed when it was opened.
                assert!(found.err.contains("built anew from the record log"), "{path:?}: {said}");
                mended += 1;
            } else {
                assert!(said.contains("triagraph reindex"), "{path:?}: {said}");
                let _ = broken.run(["reindex"]).with_code(0);
            }
            assert_sound(&broken);
            assert_eq!(broken.json(&["search", SUBJECT]), expected);
        }
    }
    assert!(harmed.len() >= 5 && mended > 0, "{harmed:?}, {mended} mended by opening");
}

#[test]
fn what_could_not_be_read_waits_in_quarantine_until_its_mapping_is_mended() {
    let desk = Desk::new();
    let mapping = |name: &str, more: &str| {
        let first = "[[record]]\nwhen = { type = [\"incident\"] }\nkind = \"incident\"\nid = \"id\"\ntitle = \"title\"\n";
        let path = desk.file(name, format!("name = \"mine\"\n{first}{more}"));
        path.to_str().expect("UTF-8").to_owned()
    };
    let mine = mapping("mine.toml", "");
    let mended =
        mapping("mended.toml", "[[record]]\nkind = \"service_request\"\nid = \"id\"\ntitle = \"title\"\n");
    let row = |id: &str, kind: &str, title: &str| {
        format!(r#"{{"id": "{id}", "type": "{kind}", "title": "{title}"}}"#)
    };
    let rows = [
        row("Q-1", "incident", "Printer jams"),
        row("Q-2", "request", "Second monitor"),
        "{broken".to_owned(),
    ];
    let tickets = desk.file("tickets.jsonl", rows.join("\n"));
    let tickets = tickets.to_str().expect("UTF-8");
    let run = desk.run(["ingest", "--json", tickets, "--mapping", &mine]).with_code(1).json();
    assert_eq!((run["new"].as_u64(), run["quarantined"].as_u64()), (Some(1), Some(2)), "{run}");
    let waiting = || desk.json(&["quarantine", "list"]).as_array().map(Vec::len);
    assert!(desk.json(&["quarantine", "list"]).to_string().contains("tickets.jsonl"));
    assert_eq!(
        desk.run(["quarantine", "retry", "--all", "--mapping", &mine, "--json"]).code,
        1,
        "nothing was mended"
    );
    assert_eq!(waiting(), Some(2));
    let _ = desk.run(["quarantine", "retry", "--all", "--mapping", &mended, "--json"]).with_code(1);
    assert_eq!(waiting(), Some(1), "what is no JSON stays");
    assert_eq!(desk.search(&["second monitor"])[0], "tickets:Q-2");
    assert_sound(&desk);
}

#[test]
fn the_graph_speaks_every_format_and_exports_all_of_itself() {
    let desk = Desk::demo();
    let query = "SELECT ?g WHERE { GRAPH ?g { ?s ?p \"KB0010279\" } }";
    for (format, expected) in [
        ("json", "\"type\":\"uri\""),
        ("xml", "<sparql xmlns=\"http://www.w3.org/2005/sparql-results#\">"),
        ("csv", "urn:triagraph:record:knowledge:phishing-response.md"),
        ("tsv", "<urn:triagraph:record:knowledge:phishing-response.md>"),
        ("table", "knowledge:phishing-response.md"),
    ] {
        let out = desk.run(["sparql", "--format", format, query]).with_code(0).out;
        assert!(out.contains(expected), "{format}: {out}");
    }
    assert_eq!(desk.json(&["sparql", "ASK { GRAPH ?g { ?s ?p \"KB0010279\" } }"])["boolean"], true);
    for update in ["DELETE WHERE { ?s ?p ?o }", "DROP ALL"] {
        let refused = desk.run(["sparql", update]).with_code(2);
        assert!(!refused.err.is_empty());
    }
    let refused = desk.run(["sparql", "SELECT * WHERE { ?s ?p "]).with_code(2);
    assert!(refused.err.contains("error"), "{refused:?}");

    let counted = "SELECT (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } }";
    let in_graphs = desk.run(["sparql", "--format", "csv", counted]).with_code(0).out;
    let statements = desk.run(["export", "--format", "nquads"]).with_code(0).out;
    let lines: Vec<&str> = statements.lines().collect();
    assert!(lines.iter().all(|line| line.starts_with(['<', '_']) && line.ends_with(" .")), "not N-Quads");
    let in_graphs: usize = in_graphs.lines().nth(1).and_then(|n| n.parse().ok()).expect("a number");
    assert!(in_graphs > 10_000 && lines.len() >= in_graphs, "{} statements of {in_graphs}", lines.len());
}

#[test]
fn every_command_speaks_json() {
    let desk = Desk::demo();
    let bundle = desk.json(&["bundle", "make", "INC0041216"]);
    assert!(bundle["id"].is_string(), "{bundle}");
    let commands: [&[&str]; 11] = [
        &["status"],
        &["verify"],
        &["search", "vpn"],
        &["related", "INC0041216"],
        &["record", "show", "INC0041216"],
        &["record", "neighbours", "INC0041216"],
        &["articles"],
        &["quarantine", "list"],
        &["sparql", "SELECT * WHERE { GRAPH ?g { ?s ?p ?o } } LIMIT 3"],
        &["models", "list"],
        &["reindex"],
    ];
    for command in commands {
        assert!(!desk.json(command).is_null(), "{command:?}");
    }
    for command in
        [&["triage", "INC0041216"][..], &["triage", "--file", "datasets/demo/incoming/ticket.json"][..]]
    {
        let run = desk.run(command.iter().copied().chain(["--json"]));
        assert!(run.code == 0 || run.code == 1, "{run:?}");
        assert!(if command.contains(&"--file") { run.json().is_array() } else { run.json().is_object() });
    }
}
