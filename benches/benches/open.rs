//! How long does it take to open a desk? Each command of the command line does so first.
//!
//! `cargo bench --profile dev --locked --workspace --bench open`; what it reads: `benches/src/lib.rs`.

use std::time::Duration;

use benches::{Bench, embedder, records};
use criterion::{Criterion, criterion_group, criterion_main};

const RECORDS: usize = 5_000;

fn open(c: &mut Criterion) {
    let records = records(RECORDS);
    let bench = Bench::new(Some(embedder()));
    bench.fill(&records);
    let mut bench = Some(bench);
    let mut group = c.benchmark_group("open");
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    group.bench_function(format!("{} records, closed and opened", records.len()), |bencher| {
        bencher.iter(|| bench = bench.take().map(Bench::reopened));
    });
    group.finish();
}

criterion_group!(benches, open);
criterion_main!(benches);
