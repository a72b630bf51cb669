//! Which questions are asked, and which answers are right? Queries and judgements in BEIR's layout.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;

/// One query.
#[derive(Deserialize)]
pub(super) struct Line {
    #[serde(rename = "_id")]
    pub(super) id: String,
    pub(super) text: String,
}

/// The right answers of one query: external or full record ids with their grades.
pub(super) type Grades = BTreeMap<String, f64>;

/// The queries of a file, one JSON object a line.
pub(super) fn read_lines(path: &Path) -> anyhow::Result<Vec<Line>> {
    let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut lines = Vec::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| path.display().to_string())?;
        if !line.trim().is_empty() {
            let parsed = serde_json::from_str(&line);
            lines.push(parsed.with_context(|| format!("{}: line {}", path.display(), number + 1))?);
        }
    }
    Ok(lines)
}

/// Grades by query. A first line without a number is a header.
pub(super) fn read_grades(path: &Path) -> anyhow::Result<BTreeMap<String, Grades>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut grades: BTreeMap<String, Grades> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (number, line) in text.lines().enumerate() {
        let place = || format!("{}: line {}", path.display(), number + 1);
        let fields: Vec<&str> = line.split('\t').collect();
        let [query, record, grade] = fields[..] else {
            if line.trim().is_empty() {
                continue;
            }
            bail!("{}: a query id, a record id and a grade, separated by tabs, are wanted", place());
        };
        match grade.trim().parse::<f64>() {
            Ok(grade) if seen.insert((query, record)) => {
                grades.entry(query.to_owned()).or_default().insert(record.to_owned(), grade);
            }
            Ok(_) => bail!("{}: {query} and {record} stand there twice", place()),
            Err(_) if number == 0 => {}
            Err(_) => bail!("{}: {grade:?} is no number", place()),
        }
    }
    Ok(grades)
}
