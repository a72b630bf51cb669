//! How fast is the vector index, and how much does a walk find?
//!
//! `cargo run -p engine --example vector_bench -- FOLDER [ROWS]` builds an index of clustered unit vectors in FOLDER
//! (100,000 unless told), or uses the one that is there, and prints what it measures. Searches run on one thread
//! unless a line says otherwise.

use std::path::Path;
use std::time::{Duration, Instant};

use engine::measured::{SearchMode, TextHash, VectorHits, VectorIndex, VectorSettings, VectorView, Visible};
use engine::{PassageKey, VectorError};

#[path = "../src/vectors/sample.rs"]
mod sample;

const DIMENSIONS: usize = 384;
const QUERIES: usize = 500;
const LIMIT: usize = 10;
const SCANNED: usize = 50_000;

fn main() -> Result<(), VectorError> {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else {
        say("usage: vector_bench FOLDER [ROWS]");
        return Ok(());
    };
    let rows = arguments.next().and_then(|rows| rows.parse().ok()).unwrap_or(100_000);
    let mut vectors = sample::clustered(rows + QUERIES, rows / 100, DIMENSIONS, 41);
    let queries = vectors.split_off(rows);
    let folder = Path::new(&folder);
    scan(&folder.join("scanned"), &vectors[..rows.min(SCANNED)], &queries)?;
    let view = sealed(&folder.join("sealed"), &vectors)?;
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    match one {
        Ok(pool) => pool.install(|| filters(&view, &queries)),
        Err(error) => {
            say(&error.to_string());
            Ok(())
        }
    }
}

/// Scans of vectors that are in no segment.
fn scan(folder: &Path, vectors: &[Vec<f32>], queries: &[Vec<f32>]) -> Result<(), VectorError> {
    let settings = VectorSettings { seal_from: usize::MAX, ..VectorSettings::default() };
    let mut index = VectorIndex::open(folder, DIMENSIONS, settings)?;
    fill(&mut index, vectors)?;
    let (view, visible) = (index.view(), Visible::all(vectors.len() as u64));
    for threads in [1, 2] {
        if let Ok(pool) = rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
            let (time, _) = pool.install(|| search(&view, &queries[..100], &visible, SearchMode::Exact))?;
            say(&format!(
                "scan of {} on {threads} threads: {:.2} ms a query",
                vectors.len(),
                millis(time) / 100.0
            ));
        }
    }
    Ok(())
}

fn sealed(folder: &Path, vectors: &[Vec<f32>]) -> Result<VectorView, VectorError> {
    let start = Instant::now();
    let mut index = VectorIndex::open(folder, DIMENSIONS, VectorSettings::default())?;
    say(&format!("opened at {} in {:.2} s", index.position(), start.elapsed().as_secs_f64()));
    fill(&mut index, vectors)?;
    let start = Instant::now();
    let view = index.seal()?;
    say(&format!("sealed in {:.1} s", start.elapsed().as_secs_f64()));
    Ok(view)
}

fn fill(index: &mut VectorIndex, vectors: &[Vec<f32>]) -> Result<(), VectorError> {
    let start = Instant::now();
    let present = index.position();
    for (position, vector) in (1u64..).zip(vectors).skip(present as usize) {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&position.to_le_bytes());
        index.add(&[(PassageKey::new(position, 0), TextHash(hash), Some(vector.clone()))])?;
        if position % 1_000 == 0 {
            index.commit(position)?;
        }
    }
    index.commit(vectors.len() as u64)?;
    say(&format!("added {} in {:.1} s", vectors.len() - present as usize, start.elapsed().as_secs_f64()));
    Ok(())
}

/// Where scanning becomes faster than walking.
fn filters(view: &VectorView, queries: &[Vec<f32>]) -> Result<(), VectorError> {
    say("visible  scan ms  walk ms  walks/s  recall@10  auto ms  auto exact");
    for percent in [100, 50, 20, 10, 5, 2, 1] {
        let mut visible = Visible::none(view.position());
        let mut random = sample::Random::new(42);
        (1..=view.position())
            .filter(|_| random.below(100) < percent)
            .for_each(|position| visible.insert(position));
        let (scan_time, exact) = search(view, &queries[..100], &visible, SearchMode::Exact)?;
        let (walk_time, walked) = search(view, queries, &visible, SearchMode::Hnsw)?;
        let (auto_time, auto) = search(view, queries, &visible, SearchMode::Auto)?;
        let right: usize = (exact.iter().zip(&walked))
            .map(|(exact, walked)| exact.hits.iter().filter(|hit| walked.hits.contains(hit)).count())
            .sum();
        say(&format!(
            "{percent:6}%  {:7.2}  {:7.3}  {:7.0}  {:9.4}  {:7.3}  {:10}",
            millis(scan_time) / 100.0,
            millis(walk_time) / QUERIES as f64,
            QUERIES as f64 / walk_time.as_secs_f64(),
            right as f64 / exact.iter().map(|exact| exact.hits.len()).sum::<usize>() as f64,
            millis(auto_time) / QUERIES as f64,
            auto.iter().filter(|found| found.exact).count(),
        ));
    }
    Ok(())
}

fn search(
    view: &VectorView,
    queries: &[Vec<f32>],
    visible: &Visible,
    mode: SearchMode,
) -> Result<(Duration, Vec<VectorHits>), VectorError> {
    let one = |query: &Vec<f32>| view.search(query, visible, LIMIT, mode, None);
    queries.iter().take(20).try_for_each(|query| one(query).map(drop))?;
    let start = Instant::now();
    let found = queries.iter().map(one).collect::<Result<Vec<_>, _>>()?;
    Ok((start.elapsed(), found))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[expect(clippy::print_stdout, reason = "a benchmark speaks to the person who runs it")]
fn say(line: &str) {
    println!("{line}");
}
