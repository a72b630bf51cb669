//! How fast are vectors made into an index, how fast is it searched, and how much does a walk find?
//!
//! `cargo bench --profile dev --locked --workspace --bench vectors`; `bash benches/peers/vectors.sh` runs it beside its peers.
//! Vectors are made from a seed, in clusters as texts on as many subjects lie. `TRIAGRAPH_VECTORS` may name a file of others:
//! unit vectors of 384 little-endian `f32`, the last 1,000 of which ask. `TRIAGRAPH_VECTORS_OUT` may name a file to write
//! them to. Lines are `name<tab>parameter<tab>figure…`. Searches run on one thread.

use std::env;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use engine::PassageKey;
use engine::measured::{SearchMode, TextHash, VectorHits, VectorIndex, VectorSettings, VectorView, Visible};

#[path = "../../engine/src/vectors/sample.rs"]
mod sample;

const DIMENSIONS: usize = 384;
const ROWS: usize = 100_000;
const QUERIES: usize = 1_000;
const LIMIT: usize = 10;
/// Passages that the dense leg asks for.
const LEG: usize = 500;

fn main() {
    let mut vectors = vectors();
    let queries = vectors.split_off(vectors.len() - QUERIES);
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    let visible = Visible::all(vectors.len() as u64);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [coded, plain] = [true, false].map(|coded| {
        let folder = folder.path().join(if coded { "coded" } else { "f32" });
        let settings = VectorSettings { coded, ..VectorSettings::default() };
        let mut index = VectorIndex::open(&folder, DIMENSIONS, settings).expect("an index");
        fill(&mut index, &vectors);
        if coded {
            let view = index.view();
            let (spent, _) = one.install(|| time(&view, &queries[..100], &visible, LIMIT, SearchMode::Exact));
            say(&format!("scan\t{}\t{:.3} ms", vectors.len(), millis(spent) / 100.0));
        }
        let start = Instant::now();
        index.seal().expect("a segment");
        say(&format!("build\t{}\t{:.2}", if coded { "coded" } else { "f32" }, start.elapsed().as_secs_f64()));
        folder
    });
    let start = Instant::now();
    let view = open(&coded, VectorSettings::default()).view();
    say(&format!("open\t{}\t{:.3} s", view.position(), start.elapsed().as_secs_f64()));
    let exact = exact_hits(&view, &queries, &visible);
    one.install(|| {
        let (spent, found) = time(&view, &queries, &visible, LEG, SearchMode::Hnsw);
        say(&format!(
            "leg\t{LEG}\t{:.3} ms\t{:.4}",
            millis(spent) / QUERIES as f64,
            recall(&exact, &found, LEG)
        ));
        if let Some(resident) = resident() {
            say(&format!("resident\t\t{resident}"));
        }
        for (name, folder) in [("coded", &coded), ("f32", &plain)] {
            for least_ef in [16, 20, 24, 28, 32, 40, 48, 64, 80, 96, 112, 128, 160] {
                let settings = VectorSettings { least_ef, ef_per_hit: 1, ..VectorSettings::default() };
                let view = open(folder, settings).view();
                let (spent, found) = time(&view, &queries, &visible, LIMIT, SearchMode::Hnsw);
                let rate = QUERIES as f64 / spent.as_secs_f64();
                say(&format!("walk {name}\t{least_ef}\t{rate:.0}\t{:.4}", recall(&exact, &found, LIMIT)));
            }
        }
        for limit in [LIMIT, LEG] {
            filters(&view, &queries, limit);
        }
    });
}

/// What the system says about the memory of this process that files and the heap take.
fn resident() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let lines = status.lines().filter(|line| line.starts_with("RssFile") || line.starts_with("RssAnon"));
    Some(lines.map(|line| line.replace('\t', " ")).collect::<Vec<_>>().join(", "))
}

fn vectors() -> Vec<Vec<f32>> {
    let vectors = match env::var_os("TRIAGRAPH_VECTORS") {
        None => sample::clustered(ROWS + QUERIES, ROWS / 100, DIMENSIONS, 41),
        Some(file) => {
            let bytes = fs::read(file).expect("a readable file of vectors");
            let number = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            let numbers: Vec<f32> = bytes.chunks_exact(4).map(number).collect();
            numbers.chunks_exact(DIMENSIONS).map(<[f32]>::to_vec).collect()
        }
    };
    if let Some(file) = env::var_os("TRIAGRAPH_VECTORS_OUT") {
        let bytes: Vec<u8> = vectors.iter().flatten().flat_map(|part| part.to_le_bytes()).collect();
        fs::write(file, bytes).expect("a written file of vectors");
    }
    vectors
}

fn open(folder: &Path, settings: VectorSettings) -> VectorIndex {
    VectorIndex::open(folder, DIMENSIONS, settings).expect("an index")
}

fn fill(index: &mut VectorIndex, vectors: &[Vec<f32>]) {
    for (position, vector) in (1u64..).zip(vectors) {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&position.to_le_bytes());
        let passage = (PassageKey::new(position, 0), TextHash(hash), Some(vector.clone()));
        index.add(&[passage]).expect("a noted passage");
        if position % 1_000 == 0 {
            index.commit(position).expect("a commit");
        }
    }
    index.commit(vectors.len() as u64).expect("a commit");
}

/// Where scanning becomes faster than walking.
fn filters(view: &VectorView, queries: &[Vec<f32>], limit: usize) {
    say(&format!("{limit} of visible\t\tscan ms\twalk ms\tauto ms\tauto scans\trecall of walks"));
    for percent in [100, 50, 20, 10, 5, 2, 1] {
        let mut visible = Visible::none(view.position());
        let mut random = sample::Random::new(42);
        (1..=view.position())
            .filter(|_| random.below(100) < percent)
            .for_each(|position| visible.insert(position));
        let [scan, walk, auto] = [SearchMode::Exact, SearchMode::Hnsw, SearchMode::Auto]
            .map(|mode| time(view, &queries[..200], &visible, limit, mode));
        let millis =
            [&scan, &walk, &auto].map(|(time, _)| format!("{:.3}", millis(*time) / 200.0)).join("\t");
        let scans = auto.1.iter().filter(|found| found.exact).count();
        say(&format!(
            "{limit} of visible\t{percent}%\t{millis}\t{scans}\t{:.4}",
            recall(&scan.1, &walk.1, limit)
        ));
    }
}

fn exact_hits(view: &VectorView, queries: &[Vec<f32>], visible: &Visible) -> Vec<VectorHits> {
    let exact = |query: &Vec<f32>| view.search(query, visible, LEG, SearchMode::Exact, None).expect("hits");
    queries.iter().map(exact).collect()
}

/// Part of the `limit` nearest that were found.
fn recall(exact: &[VectorHits], found: &[VectorHits], limit: usize) -> f64 {
    let nearest = |exact: &VectorHits| exact.hits[..limit.min(exact.hits.len())].to_vec();
    let right = |(exact, found): (&VectorHits, &VectorHits)| {
        nearest(exact).iter().filter(|hit| found.hits.contains(hit)).count()
    };
    let all: usize = exact.iter().map(|exact| nearest(exact).len()).sum();
    exact.iter().zip(found).map(right).sum::<usize>() as f64 / all as f64
}

/// The time of all queries, the better of two runs, and what they found.
fn time(
    view: &VectorView,
    queries: &[Vec<f32>],
    visible: &Visible,
    limit: usize,
    mode: SearchMode,
) -> (Duration, Vec<VectorHits>) {
    let run = || {
        let start = Instant::now();
        let search = |query: &Vec<f32>| view.search(query, visible, limit, mode, None).expect("hits");
        let found: Vec<VectorHits> = queries.iter().map(search).collect();
        (start.elapsed(), found)
    };
    let (first, _) = run();
    let (second, found) = run();
    (first.min(second), found)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[expect(clippy::print_stdout, reason = "a benchmark speaks to the person who runs it")]
fn say(line: &str) {
    println!("{line}");
}
