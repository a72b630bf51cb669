//! What is a file called? By its own name, its folder's, and its path in a source, which stands in ids.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::FilePlan;

/// Puts before the paths of files so much of their roots' paths as tells them apart, when files of several roots would have the
/// same path in a source.
pub(super) fn tell_apart(files: &mut [FilePlan], roots: &[PathBuf]) {
    let mut by_name: BTreeMap<_, BTreeSet<&PathBuf>> = BTreeMap::new();
    for (file, root) in files.iter().zip(roots) {
        by_name.entry((&file.source, &file.relative)).or_default().insert(root);
    }
    let equal: BTreeSet<&PathBuf> = by_name.into_values().filter(|roots| roots.len() > 1).flatten().collect();
    let parts: BTreeMap<&PathBuf, Vec<String>> = equal.into_iter().map(|root| (root, parts(root))).collect();
    let longest = parts.values().map(Vec::len).max().unwrap_or(0);
    let named = |length| -> BTreeMap<&PathBuf, String> {
        let name = |parts: &Vec<String>| parts[parts.len().saturating_sub(length)..].join("/");
        parts.iter().map(|(root, parts)| (*root, name(parts))).collect()
    };
    let is_telling =
        |names: &BTreeMap<_, String>| names.values().collect::<BTreeSet<_>>().len() == names.len();
    let Some(names) = (1..=longest).map(named).find(is_telling) else { return };
    for (file, root) in files.iter_mut().zip(roots) {
        match names.get(root) {
            Some(name) if *root == file.path => file.relative.clone_from(name),
            Some(name) => file.relative = format!("{name}/{}", file.relative),
            None => {}
        }
    }
}

fn parts(path: &Path) -> Vec<String> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    real.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
}

/// The last part of a path, of the folder itself for `.`.
pub(crate) fn file_name(path: &Path) -> String {
    let own = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let real = || Some(path.canonicalize().ok()?.file_name()?.to_string_lossy().into_owned());
    own.or_else(real).unwrap_or_else(|| "files".to_owned())
}

/// The name of the folder that a file lies in.
pub(crate) fn folder_name(path: &Path) -> String {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).map(file_name).unwrap_or_default()
}

/// A file's name without its ending.
pub(crate) fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// A name with only what a source's name may have.
pub(super) fn safe(name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' })
        .collect();
    safe.trim_matches(['-', '.']).to_owned()
}

/// Files beside records that hold none, by their names and places.
pub(super) fn not_records(path: &Path) -> Option<&'static str> {
    let name = file_name(path);
    let upper = name.to_ascii_uppercase();
    if upper.starts_with("LICENSE") || upper.starts_with("LICENCE") || upper.starts_with("NOTICE") {
        return Some("a licence, not a record");
    }
    let folder = path.parent()?;
    if name == "queries.jsonl" && folder.join("corpus.jsonl").exists() {
        return Some("queries of a retrieval test");
    }
    if name.ends_with(".tsv") && folder.ends_with("qrels") && folder.parent()?.join("corpus.jsonl").exists() {
        return Some("judgements of a retrieval test");
    }
    None
}
