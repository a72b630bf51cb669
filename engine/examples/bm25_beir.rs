//! How good is the text index alone, on retrieval tests in the BEIR layout?
//!
//! `cargo run -p engine --example bm25_beir -- DIR…` where each DIR has `corpus.jsonl`, `queries.jsonl` and
//! `qrels/test.tsv`. A document with the id of the query is left out, and so are queries without a right answer.
//! It prints nDCG@10, hit@1 and recall@100 over the queries, and the time of one search.
#![expect(clippy::print_stdout, reason = "a program that prints a table")]

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use engine::measured::{TextDocument, TextIndex, Visible};
use serde_json::Value;

/// How deep the results are read.
const DEPTH: usize = 100;

/// Right answers by query id: document id and grade.
type Answers = HashMap<String, Vec<(String, u32)>>;

fn main() -> Result<(), Box<dyn Error>> {
    println!("| set | documents | queries | nDCG@10 | hit@1 | recall@100 | ms a query |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for set in std::env::args_os().skip(1) {
        measure(Path::new(&set))?;
    }
    Ok(())
}

fn measure(set: &Path) -> Result<(), Box<dyn Error>> {
    let corpus = lines(&set.join("corpus.jsonl"))?;
    let queries = lines(&set.join("queries.jsonl"))?;
    let answers = answers(&set.join("qrels/test.tsv"))?;

    let folder = std::env::temp_dir().join(format!("bm25-beir-{}", std::process::id()));
    let mut index = TextIndex::open(&folder)?;
    for (position, document) in (1..).zip(&corpus) {
        let (title, body) = (field(document, "title"), field(document, "text"));
        index.add(&TextDocument { position, title, body, names: "", digest: 0 })?;
    }
    let view = index.commit(corpus.len() as u64)?;

    let visible = Visible::all(corpus.len() as u64);
    let (mut ndcg, mut hit, mut recall, mut asked, mut time) = (0.0, 0.0, 0.0, 0, Duration::ZERO);
    for query in &queries {
        let Some(right) = answers.get(field(query, "_id")) else { continue };
        let start = Instant::now();
        let hits = view.search(field(query, "text"), &visible, DEPTH + 1, None)?;
        time += start.elapsed();
        let grades: Vec<f64> = hits
            .iter()
            .map(|hit| field(&corpus[hit.position as usize - 1], "_id"))
            .filter(|id| *id != field(query, "_id"))
            .take(DEPTH)
            .map(|id| {
                right.iter().find(|(answer, _)| answer == id).map_or(0.0, |(_, grade)| f64::from(*grade))
            })
            .collect();
        let mut ideal: Vec<f64> = right.iter().map(|(_, grade)| f64::from(*grade)).collect();
        ideal.sort_by(|a, b| b.total_cmp(a));
        ndcg += gain(&grades) / gain(&ideal);
        hit += f64::from(grades.first().is_some_and(|grade| *grade > 0.0));
        recall += grades.iter().filter(|grade| **grade > 0.0).count() as f64 / right.len() as f64;
        asked += 1;
    }
    drop(index);
    fs::remove_dir_all(&folder)?;

    let mean = |sum: f64| sum / f64::from(asked);
    println!(
        "| {} | {} | {asked} | {:.3} | {:.3} | {:.3} | {:.2} |",
        set.file_name().unwrap_or_default().display(),
        corpus.len(),
        mean(ndcg),
        mean(hit),
        mean(recall),
        mean(time.as_secs_f64() * 1e3),
    );
    Ok(())
}

/// Discounted cumulative gain of the first ten grades.
fn gain(grades: &[f64]) -> f64 {
    grades.iter().take(10).zip(2_u32..).map(|(grade, rank)| grade / f64::from(rank).log2()).sum()
}

fn lines(file: &Path) -> Result<Vec<Value>, Box<dyn Error>> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

fn answers(file: &Path) -> Result<Answers, Box<dyn Error>> {
    let mut answers = Answers::new();
    for line in fs::read_to_string(file)?.lines().skip(1) {
        let [query, document, grade] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(format!("{}: not three columns: {line}", file.display()).into());
        };
        let grade = grade.trim().parse()?;
        if grade > 0 {
            answers.entry(query.to_owned()).or_default().push((document.to_owned(), grade));
        }
    }
    Ok(answers)
}

fn field<'a>(line: &'a Value, name: &str) -> &'a str {
    line[name].as_str().unwrap_or_default()
}
