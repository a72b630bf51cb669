//! How many tokens a second does the embedder read, in 8 bits and in f32, and how long does one query take?
//!
//! Prints JSON, medians, for `peers/embed.sh` and for people. `TRIAGRAPH_PASSAGES` may name a file with one passage a
//! line; without it the passages are this repository's own source text. `TRIAGRAPH_MODELS` may name the folder of models.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use models::{Embedder, MiniLm, TextRole};

const QUERY: &str = "users cannot log in to the vpn after the password change";
const PASSES: usize = 3;
const QUERIES: usize = 300;

fn folder() -> PathBuf {
    let models = env::var_os("TRIAGRAPH_MODELS").map(PathBuf::from).unwrap_or_else(|| {
        let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || env::home_dir().expect("a home folder").join(".cache");
        cache.unwrap_or_else(home).join("triagraph/models")
    });
    models.join(MiniLm::NAME)
}

fn passages() -> Vec<String> {
    if let Some(path) = env::var_os("TRIAGRAPH_PASSAGES") {
        let text = fs::read_to_string(path).expect("a readable file of passages");
        return text.lines().map(str::to_owned).collect();
    }
    let files = [
        include_str!("../../models/src/redact.rs"),
        include_str!("../../models/src/redact/secrets.rs"),
        include_str!("../../models/src/redact/tests.rs"),
        include_str!("../../models/src/language.rs"),
        include_str!("../../models/src/catalog.rs"),
        include_str!("../../models/src/encoder/workspace.rs"),
    ];
    let words: Vec<&str> = files.iter().flat_map(|file| file.split_whitespace()).collect();
    words.chunks(60).map(|words| words.join(" ")).collect()
}

/// The median time of a call, in seconds.
fn seconds(times: usize, mut call: impl FnMut()) -> f64 {
    call();
    let mut taken: Vec<f64> = Vec::new();
    for _ in 0..times {
        let start = Instant::now();
        call();
        taken.push(start.elapsed().as_secs_f64());
    }
    taken.sort_by(f64::total_cmp);
    taken[times / 2]
}

/// What one embedder reaches, as JSON, and its vectors.
fn measure(embedder: &MiniLm, texts: &[&str]) -> (String, Vec<Vec<f32>>) {
    let tokens: usize = texts.iter().map(|text| embedder.count_tokens(text).min(embedder.max_tokens())).sum();
    let mut vectors = Vec::new();
    let passes = seconds(PASSES, || vectors = embedder.embed(TextRole::Passage, texts).expect("vectors"));
    let query = seconds(QUERIES, || {
        embedder.embed(TextRole::Query, &[QUERY]).expect("a vector");
    });
    let speed = tokens as f64 / passes;
    (format!("{{\"tokens_per_second\": {speed:.0}, \"query_seconds\": {query:.6}}}"), vectors)
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
fn main() {
    let passages = passages();
    let texts: Vec<&str> = passages.iter().map(String::as_str).collect();
    let whole = MiniLm::open(&folder()).expect("the model; run `triagraph models pull`");
    let exact = MiniLm::open_exact(&folder()).expect("the model");
    let ((f32, exact), (int8, whole)) = (measure(&exact, &texts), measure(&whole, &texts));
    let dot = |(left, right): (&Vec<f32>, &Vec<f32>)| left.iter().zip(right).map(|(l, r)| l * r).sum::<f32>();
    let cosine = exact.iter().zip(&whole).map(dot).sum::<f32>() / texts.len() as f32;
    println!("{{\"f32\": {f32}, \"int8\": {int8}, \"cosine\": {cosine:.4}}}");
}
