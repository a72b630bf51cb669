//! What happens to bad input? It is named with file and place, the rest is read, and nothing is lost.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use ingest::{IngestError, Item, Mapping, MappingChoice, Request};
use jiff::Timestamp;
use ontology::{Observation, Rejected};
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
    check(
        "other.csv",
        b"id,titel\n1,a\n2,b\n",
        0,
        &["no field for a title or a text", "here are only id, titel"],
    );
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
    let observation = ingest::retry(&rejected[0], &mended, &[], Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!((observation.record.id.as_str(), observation.record.title.as_str()), ("t:7", "broken"));
    let still =
        ingest::retry(&rejected[0], &mine("a").load().unwrap(), &[], Timestamp::UNIX_EPOCH).unwrap_err();
    assert_eq!(still.reason, rejected[0].reason);
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
