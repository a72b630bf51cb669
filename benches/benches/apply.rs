//! How long does it take to write: many records into a new desk without embedder, and one changed record into a full one?
//!
//! `cargo bench --profile dev --locked --workspace --bench apply`; what it reads: `benches/src/lib.rs`.

use std::time::Duration;

use benches::{Bench, records};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const RECORDS: usize = 1_000;

fn apply(c: &mut Criterion) {
    let records = records(RECORDS);
    let mut group = c.benchmark_group("apply");
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    group.throughput(Throughput::Elements(records.len() as u64));
    group.bench_function(format!("{} records", records.len()), |bencher| {
        let write = |bench: Bench| {
            bench.fill(&records);
            bench
        };
        bencher.iter_batched(|| Bench::new(None), write, BatchSize::PerIteration);
    });
    let bench = Bench::new(None);
    bench.fill(&records);
    let mut changed = records.first().expect("a record").clone();
    let mut revision = 0;
    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("one changed record among {}", records.len()), |bencher| {
        bencher.iter(|| {
            revision += 1;
            changed.revision = revision.to_string();
            changed.record.attributes.insert("revision".to_owned(), changed.revision.clone());
            let applied = bench.desk.apply(vec![changed.clone()]).expect("a written record");
            assert_eq!(applied.changed, 1);
        });
    });
    group.finish();
}

criterion_group!(benches, apply);
criterion_main!(benches);
