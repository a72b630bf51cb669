//! How long does one search take, by words, by meaning, through the graph, and with all legs? Questions are titles of the desk.
//!
//! `cargo bench --profile dev --locked --workspace --bench search`; what it reads: `benches/src/lib.rs`.

use std::hint::black_box;
use std::time::Duration;

use benches::{Bench, embedder, operator, records};
use criterion::{Criterion, criterion_group, criterion_main};
use engine::{Leg, Query};
use jiff::Timestamp;

const RECORDS: usize = 5_000;
const QUESTIONS: usize = 50;

fn search(c: &mut Criterion) {
    let records = records(RECORDS);
    let bench = Bench::new(Some(embedder()));
    bench.fill(&records);
    let step = records.len().div_ceil(QUESTIONS);
    let questions: Vec<&str> = records.iter().step_by(step).map(|one| one.record.title.as_str()).collect();
    let scope = operator();
    let mut group = c.benchmark_group(format!("search {} records", records.len()));
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    let legs: [(&str, &[Leg]); 4] = [
        ("lexical", &[Leg::Lexical]),
        ("dense", &[Leg::Dense]),
        // The graph leg walks from what a text leg found.
        ("lexical and graph", &[Leg::Lexical, Leg::Graph]),
        ("hybrid", &Leg::ALL),
    ];
    for (name, legs) in legs {
        let mut questions = questions.iter().cycle();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let question = questions.next().copied().unwrap_or_default();
                let query = Query { legs: legs.to_vec(), ..Query::new(question, Timestamp::UNIX_EPOCH) };
                black_box(bench.desk.search(&scope, &query)).expect("hits")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, search);
criterion_main!(benches);
