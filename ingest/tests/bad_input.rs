//! What happens to bad input? It is named with file and place, the rest is read, and nothing is lost.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use ingest::{IngestError, Item, Mapping, MappingChoice, Request};
use jiff::Timestamp;
use ontology::{Audience, Observation, Rejected};
use tempfile::TempDir;

fn request(path: &Path) -> Request {
    Request {
        paths: vec![path.to_owned()],
        source: None,
        mapping: None,
        observed: Timestamp::UNIX_EPOCH,
        audience: Vec::new(),
    }
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn read(request: &Request) -> (Vec<Observation>, Vec<Rejected>, Vec<String>) {
    let (mut records, mut rejected, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    for item in ingest::open(request).unwrap() {
        match item {
            Item::Observation(observation) => records.push(*observation),
            Item::Rejected(one) => rejected.push(*one),
            Item::Skipped(one) => skipped.push(one.reason),
            Item::Quads(_) => {}
        }
    }
    (records, rejected, skipped)
}

/// One file of one format: how many records, and what each rejection says, with its place.
fn check(name: &str, bytes: &[u8], records: usize, expected: &[&str]) {
    let folder = folder(&[(name, bytes)]);
    let (found, rejected, _) = read(&request(folder.path()));
    assert_eq!(found.len(), records, "{name}: {rejected:?}");
    assert_eq!(rejected.len(), expected.len(), "{name}: {rejected:?}");
    for (rejected, expected) in rejected.iter().zip(expected) {
        assert!(rejected.lineage.origin.ends_with(name), "{rejected:?}");
        let place = rejected.lineage.place.map(|place| place.to_string()).unwrap_or_default();
        let told = format!("{place}: {}", rejected.reason);
        assert!(told.contains(expected), "{name}: {told:?} should hold {expected:?}");
    }
}

#[test]
fn a_bad_item_is_rejected_and_the_others_are_read() {
    check(
        "cut.json",
        b"[{\"id\":1,\"title\":\"a\"},\n{\"id\":2,\"ti",
        1,
        &["item 2: the file ends in line 2"],
    );
    check(
        "bad.jsonl",
        b"{\"id\":1,\"title\":\"a\"}\n{]\n{\"id\":3,\"title\":\"c\"}\n",
        2,
        &["line 2: no JSON in line 2"],
    );
    check(
        "bytes.json",
        b"[{\"id\":1,\"title\":\"a\"},{\"id\":2,\"title\":\"\xff\"}]",
        1,
        &["item 2: invalid UTF-8 in line 1"],
    );
    check("wide.csv", b"id,title\n1,a\n2,b,c\n3,d\n", 2, &["row 2: row 2 in line 3 has 3 columns"]);
    check("bytes.csv", b"id,title\n1,a\n2,\xff\n", 1, &["row 2: row 2 in line 3 has invalid UTF-8"]);
    check("text.json", b"[{\"id\":1,\"title\":\"a\"},\"b\"]", 1, &["item 2: the item is a text"]);
    check("empty.json", b"[{\"id\":1,\"title\":\"a\"},{}]", 1, &["item 2: nothing in it"]);
}

#[test]
fn a_file_that_is_bad_as_a_whole_is_rejected_once() {
    check("empty.csv", b" \n", 0, &["the file is empty"]);
    check("other.csv", b"id,titel\n1,a\n2,b\n", 0, &["here are only id, titel; name these in a mapping"]);
    check("zeros.csv", b"id,title\n1,\0\n", 0, &["byte 12 is NUL"]);
    check("wide.json", b"\xff\xfe[\0]\0", 0, &["UTF-16"]);
    check("bytes.md", b"# T\n\nbad \xff\n", 0, &["line 3: invalid UTF-8"]);
    check("front.md", b"---\ntitle: [a\n---\n# T\n", 0, &["line 1: no YAML in line"]);
    check("no.zip", b"PK nothing", 0, &["no zip file"]);
    let deep = format!("[{}{}]", "[".repeat(500), "]".repeat(500));
    check("deep.json", deep.as_bytes(), 0, &["item 1: no JSON in line 1"]);
    check("bad.nt", b"<urn:a> <urn:b> .\n", 0, &["line 1"]);
}

#[test]
fn a_yaml_bomb_is_rejected() {
    let mut bomb = "groups:\n  - &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (name, of) in "bcdefghijk".chars().zip("abcdefghij".chars()) {
        bomb.push_str(&format!("  - &{name} [{}]\n", vec![format!("*{of}"); 10].join(",")));
    }
    check("bomb.yaml", bomb.as_bytes(), 0, &["item 1: no YAML in line"]);
}

#[test]
fn what_is_no_record_is_skipped_with_its_reason() {
    let folder = folder(&[
        ("LICENSE", b"text"),
        ("a.png", b"\x89PNG"),
        ("b.csv", b"id,title\n"),
        ("c.yaml", b"a: 1\n"),
        ("d.md", b"# D\ntext\n"),
    ]);
    let (records, rejected, skipped) = read(&request(folder.path()));
    assert_eq!((records.len(), rejected.len()), (1, 0));
    assert_eq!(skipped.len(), 4, "{skipped:?}");
    for expected in ["licence", "no format that is known", "holds no items", "no built-in mapping"] {
        assert!(skipped.iter().any(|reason| reason.contains(expected)), "{expected} in {skipped:?}");
    }
}

#[test]
fn nothing_to_read_names_the_formats() {
    let folder = folder(&[("a.png", b"\x89PNG")]);
    let error = ingest::open(&request(folder.path())).unwrap_err();
    assert_eq!(error.code(), "nothing-to-read");
    assert!(error.to_string().contains(".jsonl") && error.to_string().contains("Turtle"), "{error}");
    let error = ingest::open(&request(&folder.path().join("none"))).unwrap_err();
    assert!(matches!(error, IngestError::Unreadable { .. }), "{error}");
    let mapping = Some(MappingChoice::Builtin("salesforce".to_owned()));
    let error = ingest::open(&Request { mapping, ..request(folder.path()) }).unwrap_err();
    assert!(error.to_string().contains("servicenow"), "{error}");
}

#[test]
fn rows_without_an_id_are_kept_even_when_they_are_equal() {
    let folder = folder(&[("t.csv", b"subject,body\nprinter,off\nprinter,off\n")]);
    let (records, ..) = read(&request(folder.path()));
    let ids: Vec<_> = records.iter().map(|one| one.record.id.external()).collect();
    assert_eq!(ids, ["t.csv#1", "t.csv#2"]);
}

#[test]
fn reading_twice_gives_the_same() {
    let request = request(Path::new("tests/fixtures"));
    let (first, ..) = read(&request);
    let (second, ..) = read(&request);
    assert!(first.len() > 30 && first == second);
}

#[test]
fn one_file_in_a_zip_is_read() {
    use std::io::Write;
    let folder = TempDir::new().unwrap();
    let mut archive = zip::ZipWriter::new(std::fs::File::create(folder.path().join("t.csv.zip")).unwrap());
    archive.start_file("inner/t.csv", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(b"id,title\n1,a\n2,b\n").unwrap();
    archive.finish().unwrap();
    let mut reader = ingest::open(&request(folder.path())).unwrap();
    assert_eq!(reader.files()[0].bytes, 17);
    assert_eq!(reader.by_ref().count(), 2);
    assert_eq!(reader.progress().bytes_read, 17);
}

#[test]
fn a_rejected_item_is_read_after_its_mapping_was_mended() {
    let folder = folder(&[("t.json", b"[{\"ref\":\"7\",\"what\":\"broken\"}]")]);
    let mine = |kind: &str| {
        let text = format!(
            "name = 'mine'\n[[record]]\nwhen = {{ kind = '{kind}' }}\nkind = 'incident'\n[[record]]\nwhen = {{ what = {{ exists = {} }} }}\nkind = 'incident'\nid = 'ref'\ntitle = 'what'\n",
            kind == "b"
        );
        MappingChoice::File { name: "mine.toml".to_owned(), text }
    };
    let (_, rejected, _) =
        read(&Request { mapping: Some(mine("a")), ..request(&folder.path().join("t.json")) });
    assert_eq!(rejected[0].lineage.mapping, "mine");
    assert!(rejected[0].reason.contains("no [[record]] of mapping mine"), "{:?}", rejected[0].reason);
    let mended = mine("b").load().unwrap();
    let observation = ingest::retry(&rejected[0], Some(&mended), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!((observation.record.id.as_str(), observation.record.title.as_str()), ("t:7", "broken"));
    let still = ingest::retry(&rejected[0], Some(&mine("a").load().unwrap()), Timestamp::UNIX_EPOCH);
    assert_eq!(still.unwrap_err(), rejected[0].reason);
    let unnamed = ingest::retry(&rejected[0], None, Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(unnamed.contains("give its mapping, mine"), "{unnamed}");
}

#[test]
fn checking_a_mapping_tells_what_it_leaves_out_and_does_not_understand() {
    let folder = folder(&[("t.csv", b"ref,what,status,colour\n1,a,open,red\n2,b,parked,\n")]);
    let text = "name = 'mine'\n[[record]]\nkind = 'incident'\nid = 'ref'\ntitle = 'what'\nstate = 'status'\n";
    let choice = MappingChoice::File { name: "mine.toml".to_owned(), text: text.to_owned() };
    let check = ingest::check(&choice, &folder.path().join("t.csv"), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!((check.items, check.records, check.shown.len()), (2, 2, 2));
    assert_eq!(check.unmapped.into_iter().collect::<Vec<_>>(), [("colour".to_owned(), 1)]);
    let problems: Vec<_> = check.problems.keys().cloned().collect();
    assert_eq!(problems, ["state \"parked\" is not understood: name it in a map"]);
}

#[test]
fn the_examples_of_mappings_are_valid() {
    for entry in std::fs::read_dir("presets/examples").unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        Mapping::parse(&name, &text).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// Two tickets without a title for the mapping, and a mapping that takes them.
fn untitled(audience: &[Audience], repeats: &str) -> (Vec<Rejected>, Mapping) {
    let folder = folder(&[("t.jsonl", b"{\"what\":\"one\"}\n{\"what\":\"two\"}\n")]);
    let mapping = |when: &str, what: &str| MappingChoice::File {
        name: "mine.toml".to_owned(),
        text: format!(
            "name = 'mine'\n[[record]]\nwhen = {{ what = {{ exists = {when} }} }}\nkind = 'incident'\ntitle = '{what}'\nrepeats = '{repeats}'\n"
        ),
    };
    let path = folder.path().join("t.jsonl");
    let request =
        Request { mapping: Some(mapping("false", "no")), audience: audience.to_vec(), ..request(&path) };
    (read(&request).1, mapping("true", "what").load().unwrap())
}

#[test]
fn what_is_tried_again_keeps_its_place_and_its_audience() {
    let security = vec!["security".parse::<Audience>().unwrap()];
    let (rejected, mended) = untitled(&security, "revise");
    let again: Vec<_> = rejected
        .iter()
        .map(|one| ingest::retry(one, Some(&mended), Timestamp::UNIX_EPOCH).unwrap().record)
        .collect();
    let ids: Vec<_> = again.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids, ["t:t.jsonl#1", "t:t.jsonl#2"]);
    assert!(again.iter().all(|record| record.audience == security), "{again:?}");
    let (rejected, mended) = untitled(&[], "number");
    let refused = ingest::retry(&rejected[0], Some(&mended), Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(refused.contains("ingest the file again"), "{refused}");
}

#[test]
fn what_is_damaged_or_cut_is_not_tried_again() {
    let long = format!("{{\"what\":\"{}\"}}", "x".repeat(300 << 10));
    let text = [&b"{\"title\":\"Stra\xdfe\"}\n"[..], long.as_bytes(), b"\n"].concat();
    let folder = folder(&[("t.jsonl", &text[..])]);
    let mapping = "name = 'mine'\n[[record]]\nwhen = { no = 'no' }\nkind = 'incident'\n".to_owned();
    let mapping = Some(MappingChoice::File { name: "mine.toml".to_owned(), text: mapping });
    let (_, rejected, _) = read(&Request { mapping, ..request(folder.path()) });
    assert_eq!(rejected.len(), 2);
    for one in &rejected {
        let generic = Mapping::builtin("generic").unwrap();
        let refused = ingest::retry(one, Some(&generic), Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(refused.contains("mend the file and ingest it again"), "{refused}");
        assert_eq!(refused.matches(&one.reason).count(), 1, "{refused}");
        let mut kept = serde_json::to_value(one).unwrap();
        kept.as_object_mut().unwrap().remove("retry");
        assert_eq!(serde_json::from_value::<Rejected>(kept).unwrap().retry, None);
    }
}

#[test]
fn files_of_the_same_name_are_told_apart_whatever_their_order() {
    let folder = TempDir::new().unwrap();
    for month in ["jan", "feb", "mar"] {
        std::fs::create_dir(folder.path().join(month)).unwrap();
        std::fs::write(folder.path().join(month).join("tickets.csv"), format!("title\n{month}\n")).unwrap();
    }
    let ids = |months: &[&str], is_folder: bool| {
        let path = |month: &&str| folder.path().join(month).join(if is_folder { "" } else { "tickets.csv" });
        let source = Some("desk".parse().unwrap());
        let paths = months.iter().map(path).collect();
        let (records, rejected, skipped) = read(&Request { paths, source, ..request(folder.path()) });
        assert!(rejected.is_empty(), "{rejected:?}");
        let mut ids: Vec<_> =
            records.iter().map(|one| format!("{} {}", one.record.id, one.record.title)).collect();
        ids.sort();
        (ids, skipped.len())
    };
    let expected = ["feb", "jan", "mar"].map(|month| format!("desk:{month}/tickets.csv#1 {month}"));
    for is_folder in [true, false] {
        assert_eq!(ids(&["jan", "feb", "mar"], is_folder), (expected.to_vec(), 0));
        assert_eq!(ids(&["mar", "jan", "feb"], is_folder), (expected.to_vec(), 0));
        assert_eq!(ids(&["mar", "mar"], is_folder), (vec!["desk:tickets.csv#1 mar".to_owned()], 1));
    }
}

#[test]
fn values_that_are_not_understood_are_kept() {
    let folder = folder(&[(
        "t.csv",
        b"id,title,status,priority,created\n1,a,Waiting on vendor,Sev-A,13/24/2024\n2,b,open,P2,31/12/2024\n",
    )]);
    let (records, ..) = read(&request(folder.path()));
    let attributes: Vec<_> = records[0].record.attributes.iter().collect();
    let expected = [("created", "13/24/2024"), ("priority", "Sev-A"), ("status", "Waiting on vendor")];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(attributes, expected.iter().map(|(name, value)| (name, value)).collect::<Vec<_>>());
    assert!(records[1].record.attributes.is_empty(), "{:?}", records[1].record.attributes);
}

#[test]
fn a_column_of_dates_has_one_order_of_day_and_month() {
    let folder = folder(&[(
        "t.csv",
        b"title,created\na,03/04/2024 10:00\na,03/04/2024\na,03/04/2024 10:00 AM\na,04/13/2024\na,20240501102233\n",
    )]);
    let (records, ..) = read(&request(folder.path()));
    let dates: Vec<_> = records.iter().map(|one| one.record.created.map(|date| date.to_string())).collect();
    let at = |text: &str| Some(text.to_owned());
    assert_eq!(
        dates,
        [
            at("2024-04-03T10:00:00Z"),
            at("2024-04-03T00:00:00Z"),
            at("2024-04-03T10:00:00Z"),
            at("2024-04-13T00:00:00Z"),
            None
        ]
    );
    assert_eq!(records[4].record.attributes["created"], "20240501102233");
}

#[test]
fn a_long_list_takes_no_long_time() {
    let comments: Vec<String> = (0..16_000).map(|number| format!("\"comment {number}\"")).collect();
    let comments = comments.join(",");
    let text = format!(
        "[{{\"title\":\"a\",\"comments\":[{comments}],\"aliases\":[{comments}],\"server\":[{comments}],\"other\":[{comments}]}}]"
    );
    let folder = folder(&[("t.json", text.as_bytes())]);
    let started = std::time::Instant::now();
    let (records, ..) = read(&request(folder.path()));
    assert_eq!((records[0].record.sections.len(), records[0].record.links.len()), (16_000, 16_000));
    assert!(started.elapsed().as_secs() < 10, "it took {:?}", started.elapsed());
}

#[test]
fn a_yaml_with_much_around_its_rules_is_read() {
    let rules = "      - {alert: Down, expr: up}\n".repeat(4_000);
    let text = format!("x: \"{}\"\ngroups:\n  - name: g\n    rules:\n{rules}", "x".repeat(2 << 20));
    let folder = folder(&[("rules.yaml", text.as_bytes())]);
    let (records, rejected, skipped) = read(&request(folder.path()));
    assert!(rejected.is_empty(), "{:?}", rejected[0].reason);
    assert_eq!(records.len() + skipped.len(), 4_000);
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_not_waited_for() {
    let folder = folder(&[("a.md", b"# A\ntext\n")]);
    let pipe = folder.path().join("pipe.csv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::os::unix::fs::symlink(TempDir::new().unwrap().path().parent().unwrap(), folder.path().join("there"))
        .unwrap();
    let (records, rejected, skipped) = read(&request(folder.path()));
    assert_eq!((records.len(), rejected.len(), skipped.len()), (1, 1, 1), "{skipped:?}");
    assert!(rejected[0].reason.contains("no regular file"), "{:?}", rejected[0].reason);
    assert!(skipped[0].contains("a link to a folder"), "{skipped:?}");
    let (_, rejected, _) = read(&request(&pipe));
    assert_eq!(rejected.len(), 1);
}

#[test]
fn checking_a_mapping_on_a_table_that_it_does_not_fit_tells_it() {
    let folder = folder(&[("t.csv", b"ref,what\n1,a\n")]);
    let text = "name = 'mine'\n[[record]]\nkind = 'incident'\ntitle = 'headline'\n";
    let choice = MappingChoice::File { name: "mine.toml".to_owned(), text: text.to_owned() };
    let check = ingest::check(&choice, &folder.path().join("t.csv"), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!((check.records, check.rejected.len()), (0, 1));
    assert!(check.rejected[0].reason.contains("no field for a title"), "{:?}", check.rejected[0].reason);
}
