//! How many tokens a second does the embedder read, and how long does one query take?
//!
//! `TRIAGRAPH_PASSAGES` may name a file with one passage a line; without it the passages are this repository's own
//! source text. `TRIAGRAPH_MODELS` may name the folder of models.

use std::env;
use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use models::{Embedder, MiniLm, ReferenceMiniLm, TextRole};

const QUERY: &str = "users cannot log in to the vpn after the password change";

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

fn throughput(c: &mut Criterion) {
    let passages = passages();
    let texts: Vec<&str> = passages.iter().map(String::as_str).collect();
    let mut group = c.benchmark_group("embed");
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    let mut measure = |name: &str, embedder: &dyn Embedder, texts: &[&str]| {
        let tokens: usize =
            texts.iter().map(|text| embedder.count_tokens(text).min(embedder.max_tokens())).sum();
        group.throughput(Throughput::Elements(tokens as u64));
        group.bench_function(format!("{name}, {} passages, {tokens} tokens", texts.len()), |bencher| {
            bencher.iter(|| black_box(embedder.embed(TextRole::Passage, texts)).expect("vectors"));
        });
    };
    let packed = MiniLm::open(&folder()).expect("the model; run `triagraph models pull`");
    let reference = ReferenceMiniLm::open(&folder()).expect("the model");
    measure("packed", &packed, &texts);
    measure("candle", &reference, &texts[..texts.len().min(40)]);
    group.finish();
}

fn query(c: &mut Criterion) {
    let packed = MiniLm::open(&folder()).expect("the model; run `triagraph models pull`");
    let tokens = packed.count_tokens(QUERY);
    c.bench_function(&format!("one query of {tokens} tokens"), |bencher| {
        bencher.iter(|| black_box(packed.embed(TextRole::Query, &[QUERY])).expect("a vector"));
    });
}

criterion_group!(benches, throughput, query);
criterion_main!(benches);
