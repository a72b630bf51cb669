//! Does the code keep the house's rules? Arrows between crates, owners of heavy dependencies, files and their sizes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each floor and the floors that it may stand on.
const ARROWS: [(&str, &[&str]); 6] = [
    ("ontology", &[]),
    ("models", &["ontology"]),
    ("engine", &["ontology", "models"]),
    ("ingest", &["ontology"]),
    ("triage", &["engine", "models", "ontology"]),
    ("api", &["ontology", "models", "engine", "ingest", "triage"]),
];

/// Each heavy dependency (or the start of its name, before a `*`) and the only crate that may name it; the two that talk to others on
/// the network each name their client.
const OWNERS: [(&str, &str); 28] = [
    ("oxigraph", "engine"),
    ("spareval", "engine"),
    ("tantivy", "engine"),
    ("hnsw_rs", "engine"),
    ("rusqlite", "engine"),
    ("candle*", "models"),
    ("rten*", "models"),
    ("tokenizers", "models"),
    ("ureq", "models"),
    ("ureq", "api"),
    ("csv", "ingest"),
    ("serde-saphyr", "ingest"),
    ("pulldown-cmark", "ingest"),
    ("html2text", "ingest"),
    ("oxrdfio", "ingest"),
    ("cedar-policy", "triage"),
    ("aes-gcm", "triage"),
    ("ct-merkle", "triage"),
    ("ed25519-dalek", "triage"),
    ("jsonwebtoken", "api"),
    ("ring", "api"),
    ("tokio-rustls", "api"),
    ("axum", "api"),
    ("tokio", "api"),
    ("hyper*", "api"),
    ("tower*", "api"),
    ("utoipa*", "api"),
    ("clap*", "api"),
];

/// Lines that no file may have.
const HARD_LIMIT: usize = 600;
/// Lines that a file may have without standing in the list below.
const LIMIT: usize = 300;

/// Files that are too long, and the lines they may have at most. No new ones: the list only shrinks.
const LONG: &[(&str, usize)] = &[
    ("api/src/http/bundles.rs", 316),
    ("engine/src/derive/identifier/reader.rs", 367),
    ("engine/src/derive/language.rs", 330),
    ("engine/src/derive/passage.rs", 389),
    ("engine/src/desk.rs", 347),
    ("engine/src/desk/write.rs", 473),
    ("engine/src/graph/render.rs", 307),
    ("engine/src/vectors/database.rs", 370),
    ("ingest/src/format/json.rs", 455),
    ("ingest/src/mapping/pick.rs", 417),
    ("ingest/src/plan.rs", 406),
    ("ingest/src/reader.rs", 344),
    ("ingest/src/text/markdown.rs", 336),
    ("ontology/src/record.rs", 347),
    ("ontology/src/shacl/check.rs", 308),
    ("ontology/src/vocabulary.rs", 383),
    ("triage/src/extract.rs", 319),
];

fn root() -> PathBuf {
    tests::root()
}

/// The names that a crate's `Cargo.toml` lists under the tables that `wanted` picks.
fn dependencies(name: &str, wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(name).join("Cargo.toml")).expect("each crate has a Cargo.toml");
    let mut table = String::new();
    let mut found = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            table = line.trim_matches(['[', ']']).to_owned();
        } else if wanted(&table) && !line.is_empty() && !line.starts_with('#') {
            let name: String = line.chars().take_while(|char| !" .=".contains(*char)).collect();
            found.insert(name);
        }
    }
    found
}

/// The crates of the workspace.
fn crates() -> BTreeSet<String> {
    let folders = fs::read_dir(root()).expect("the repository can be read");
    folders
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.join("Cargo.toml").is_file())
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect()
}

/// Rust files by path from the root, with their text.
fn files() -> BTreeMap<String, String> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    for name in crates() {
        walk(&root().join(name), &mut paths);
    }
    let name =
        |path: &Path| path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), fs::read_to_string(path).expect("UTF-8"))).collect()
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs")
}

#[test]
fn each_floor_stands_only_on_the_floors_below_it() {
    let floors: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in ARROWS {
        let named = dependencies(name, |table| table.ends_with("dependencies"));
        assert!(named.contains("serde"), "{name}: its dependencies could not be read: {named:?}");
        let beyond: Vec<&String> = named
            .iter()
            .filter(|one| floors.contains(one.as_str()) && !allowed.contains(&one.as_str()))
            .collect();
        assert!(beyond.is_empty(), "{name} may stand on {allowed:?} only, not on {beyond:?}");
    }
    let known: BTreeSet<String> = floors.iter().map(|name| (*name).to_owned()).collect();
    let all: BTreeSet<String> =
        crates().into_iter().filter(|name| name != "tests" && name != "benches").collect();
    assert_eq!(all, known, "a new crate needs its place in the arrows");
}

#[test]
fn each_heavy_dependency_has_one_owner() {
    for (dependency, owner) in OWNERS {
        let matches = |name: &str| match dependency.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == dependency,
        };
        for name in crates() {
            let named = dependencies(&name, |table| table == "dependencies");
            let has = named.iter().any(|one| matches(one));
            let is_owner = OWNERS.contains(&(dependency, name.as_str()));
            assert!(has == is_owner, "{dependency} belongs to {owner}; {name} names it: {has}");
        }
    }
}

#[test]
fn each_file_says_what_it_is_for() {
    let files = files();
    assert!(files.len() > 100, "only {} files found", files.len());
    let silent: Vec<&String> =
        files.iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path).collect();
    assert!(silent.is_empty(), "these do not open with `//!`: {silent:#?}");
    let modules: Vec<&String> = files.keys().filter(|path| path.ends_with("/mod.rs")).collect();
    assert!(modules.is_empty(), "`foo.rs` beside `foo/`, no mod.rs: {modules:#?}");
}

#[test]
fn files_are_short_and_the_long_ones_only_shrink() {
    let sizes: BTreeMap<String, usize> = files()
        .into_iter()
        .filter(|(path, _)| !is_test(path))
        .map(|(path, text)| (path, text.lines().count()))
        .collect();
    let long: BTreeMap<&str, usize> = LONG.iter().copied().collect();
    let mut faults = Vec::new();
    for (path, lines) in &sizes {
        let most = long.get(path.as_str()).copied().unwrap_or(LIMIT).min(HARD_LIMIT);
        if *lines > most {
            faults.push(format!("{path} has {lines} lines, {most} are allowed: split it"));
        }
    }
    for (path, _) in LONG {
        if sizes.get(*path).is_none_or(|lines| *lines <= LIMIT) {
            faults.push(format!("{path} is not long any more: take it off the list"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The texts between quotes.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}

#[test]
fn stable_codes_are_written_alike() {
    let mut codes = BTreeSet::new();
    let files = files();
    for (_, text) in files.iter().filter(|(path, _)| !is_test(path)) {
        for after in text.split("fn code(&self) -> &'static str {").skip(1) {
            codes.extend(literals(after.split("\n    }").next().unwrap_or_default()));
        }
        for after in text.split("Problem::new(").skip(1) {
            let first = after.trim_start().strip_prefix('"').and_then(|code| code.split('"').next());
            codes.extend(first);
        }
    }
    assert!(codes.len() > 40 && codes.contains("writer-stopped"), "only {codes:?} found");
    let is_kebab = |code: &str| {
        code.split('-').all(|word| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
    };
    let faults: Vec<&&str> = codes.iter().filter(|code| !is_kebab(code)).collect();
    assert!(faults.is_empty(), "words with hyphens between them, please: {faults:?}");
}
