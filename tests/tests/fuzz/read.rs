//! Do readers and mappings bear any file, and the desk any record that comes of it?

use std::path::Path;
use std::sync::Arc;

use engine::{Desk, Query};
use ingest::{IngestError, Item, Mapping, MappingChoice, Request};
use jiff::Timestamp;
use models::HashEmbedder;
use ontology::{Lineage, Observation, Record, SourceId};

use super::{Input, files, fuzz, operator};

const MADE_UP: [(&str, &str); 9] = [
    ("a.ttl", "@prefix e: <urn:e#> .\ne:a e:b [ e:c ( 1 2.5 \"x\"@en ) ] , \"\"\"long\n\"\"\"^^e:t .\n"),
    ("a.trig", "@base <http://e.example/> .\nGRAPH <g> { <a> <b> _:c . }\n"),
    ("a.nt", "<urn:a> <urn:b> \"c\\u00e9\"@en-GB .\n# remark\n_:x <urn:b> <urn:c> .\n"),
    ("a.nq", "<urn:a> <urn:b> \"c\"^^<urn:t> <urn:g> .\n"),
    (
        "a.rdf",
        "<?xml version=\"1.0\"?>\n<!DOCTYPE rdf:RDF [<!ENTITY x \"urn:x\">]>\n\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:e=\"urn:e#\">\n\
         <rdf:Description rdf:about=\"&x;:a\"><e:p rdf:parseType=\"Collection\"><rdf:Description/></e:p>\n\
         <e:q xml:lang=\"en\">text</e:q><e:r rdf:parseType=\"Literal\"><b>x</b></e:r></rdf:Description></rdf:RDF>\n",
    ),
    (
        "tickets.csv",
        "number,short_description,description,work_notes,opened_at\n\
         INC1,Mail,\"<p>It <b>fails</b></p><h2>Steps</h2><ol><li>Open</li><li>Close</li></ol><table><tr><td>a</td></tr></table><hr>\",\
         \"2024-05-01 10:22:33 - Bo (Work notes)\nseen\",2024-05-01 10:22:33\n",
    ),
    (
        "issues.json",
        r#"{"issues": [{"key": "OPS-1", "fields": {"summary": "Mail", "issuetype": {"name": "Bug"}, "description":
        "h2. Steps\n# open {{a.xml}}\n{code}\nx\n{code}\n*bold* [page|https://x.example]", "comment": {"comments":
        [{"author": {"displayName": "Bo"}, "body": {"type": "doc", "content": [{"type": "paragraph", "content":
        [{"type": "text", "text": "seen"}]}]}, "created": "2021-09-30T17:20:11.000+0200"}]}}}]}"#,
    ),
    (
        "plain",
        "# Mail\n\n## Symptom\nIt fails.\n\n## Steps\n1. Open\n   - it\n2. Close\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
    ),
    (
        "toml.md",
        "+++\ntitle = \"Mail\"\ntags = [\"a\", \"b\"]\n+++\n# Mail\n\n```sh\nrun\n```\n<div>x</div>\n",
    ),
];

/// Every format that is read, by every built-in mapping that knows it.
fn seeds() -> Vec<Input> {
    let mut seeds = files(&["ingest/tests/fixtures", "datasets/demo/cmdb", "datasets/demo/alerts"]);
    seeds.extend(MADE_UP.map(|(name, text)| Input::of(name, text)));
    seeds.extend([("one.zip", ZIPPED)].map(|(name, bytes)| Input { name: name.into(), bytes: bytes.into() }));
    seeds
}

const ZIPPED: &[u8] = include_bytes!("tickets.zip");

pub(super) fn items(path: &Path, mapping: Option<MappingChoice>) -> Result<Vec<Item>, IngestError> {
    let request = Request {
        paths: vec![path.to_owned()],
        source: Some(SourceId::new("fuzz").expect("a name")),
        mapping,
        observed: Timestamp::UNIX_EPOCH,
        audience: Vec::new(),
    };
    Ok(ingest::open(&request)?.collect())
}

/// The records of a file, after what must be true of all that is read of it.
pub(super) fn observations(input: &Input, mapping: Option<MappingChoice>) -> Vec<Observation> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(&input.name);
    std::fs::write(&path, &input.bytes).expect("room for a file");
    let read = items(&path, mapping.clone()).expect("one file can always be asked for");
    assert!(!read.is_empty(), "the file went without a word");
    let again = items(&path, mapping).expect("as before");
    let told = |items: &[Item]| {
        // Blank nodes of RDF have new names each time.
        items
            .iter()
            .filter(|item| !matches!(item, Item::Quads(_)))
            .map(|item| format!("{item:?}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&read), told(&again), "the same file gave something else");
    let (mut observations, mut bytes) = (Vec::new(), 0);
    for item in read {
        let (origin, length) = match &item {
            Item::Observation(one) => (&one.lineage.origin, check(one)),
            Item::Rejected(one) => {
                assert!(!one.reason.is_empty());
                (&one.lineage.origin, one.raw.len() + one.reason.len())
            }
            Item::Skipped(one) => (&one.origin, one.reason.len()),
            Item::Quads(block) => (&block.lineage.origin, 0),
        };
        assert_eq!(*origin, path.display().to_string(), "an item of another file");
        bytes += length;
        if let Item::Observation(one) = item {
            observations.push(*one);
        }
    }
    let most = (1 << 20) + 200 * input.bytes.len();
    assert!(bytes <= most, "{} bytes became {bytes}", input.bytes.len());
    observations
}

/// Checks a record that was read, and gives its length.
fn check(observation: &Observation) -> usize {
    let json = serde_json::to_string(observation).expect("a record is JSON");
    let back: Observation = serde_json::from_str(&json).expect("as it was written");
    assert_eq!(back, *observation, "the log would not give it back");
    let Record { title, sections, names, .. } = &observation.record;
    assert!(!title.trim().is_empty() && title.chars().count() <= 300, "{title:?}");
    assert!(!title.chars().any(char::is_control), "{title:?}");
    assert!(names.iter().all(|name| !name.is_empty() && !name.chars().any(char::is_control)), "{names:?}");
    for section in sections {
        assert!(!section.text.trim().is_empty(), "{section:?}");
        let is_stray = |c: char| c.is_control() && c != '\n' && c != '\t';
        assert!(!section.text.chars().any(is_stray) && !section.heading.chars().any(is_stray), "{section:?}");
        let is_whole =
            |step: &ontology::Span| step.of(&section.text).is_some_and(|step| !step.trim().is_empty());
        assert!(section.steps.iter().all(is_whole), "{section:?}");
    }
    json.len()
}

/// A desk of its own, with an embedder that costs nothing.
pub(super) fn desk(folder: &Path) -> Desk {
    Desk::open(folder, &operator().tenant, Some(Arc::new(HashEmbedder::new(64)))).expect("a new desk")
}

/// Gives records to a desk: each is in exactly one count, and what was taken in is there and sound.
pub(super) fn apply(desk: &Desk, observations: Vec<Observation>) {
    let given = observations.len();
    let asked = observations.first().map(|one| one.record.title.clone());
    let applied = desk.apply(observations).expect("the desk takes or refuses each");
    let counted = applied.new + applied.changed + applied.unchanged + applied.rejected.len() as u64;
    assert_eq!(counted, given as u64, "{applied:?}");
    if let Some(text) = asked {
        let hits = desk.search(&operator(), &Query::new(text, Timestamp::UNIX_EPOCH)).expect("an answer");
        assert!(hits.degraded.is_empty(), "{:?}", hits.degraded);
    }
}

fn assert_sound(desk: &Desk) {
    let found = desk.verify().expect("a desk that can be read");
    assert!(found.is_sound(), "{:?}", found.problems);
}

#[test]
fn any_file_gives_each_of_its_items_once_and_twice_the_same() {
    fuzz("files", 300, &seeds(), |input, _| {
        observations(input, None);
    });
}

#[test]
fn any_mapping_is_read_or_refused_with_its_line() {
    let fixtures = files(&["ingest/tests/fixtures"]);
    let presets = files(&["ingest/presets"]);
    fuzz("mappings", 300, &presets, move |input, mutator| {
        let choice = MappingChoice::File { name: "mine.toml".to_owned(), text: input.text() };
        if let Err(error) = Mapping::parse("mine.toml", &input.text()) {
            assert!(error.to_string().contains("mine.toml, line "), "{error}");
        } else {
            let sample = mutator.one(&fixtures);
            observations(sample, Some(choice));
        }
    });
}

#[test]
fn any_record_that_was_read_is_taken_in_and_the_desk_stays_sound() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let open = Arc::new(desk(folder.path()));
    let taking = Arc::clone(&open);
    fuzz("desk", 60, &seeds(), move |input, _| apply(&taking, observations(input, None)));
    assert_sound(&open);
    drop(Arc::into_inner(open).expect("nobody has it any more"));
    assert_sound(&desk(folder.path()));
}

#[test]
fn any_record_as_json_is_taken_in_or_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let open = Arc::new(desk(folder.path()));
    let seeds: Vec<Input> = seeds()
        .iter()
        .flat_map(|input| observations(input, None))
        .map(|one| Input::of("record.json", &serde_json::to_string(&one.record).expect("JSON")))
        .collect();
    let taking = Arc::clone(&open);
    fuzz("records", 400, &seeds, move |input, _| {
        let Ok(record) = serde_json::from_slice::<Record>(&input.bytes) else { return };
        let lineage = Lineage {
            origin: "fuzz".to_owned(),
            place: None,
            mapping: "none".to_owned(),
            observed: Timestamp::UNIX_EPOCH,
        };
        apply(&taking, vec![Observation::unversioned(record, lineage)]);
    });
    assert_sound(&open);
}
