//! How is a desk made that is larger than all real data at hand? Of real records, and of mixtures of them, from a seed.
//!
//! `TRIAGRAPH_DESK=FROM TRIAGRAPH_GROWN=TO TRIAGRAPH_PASSAGES=1000000 cargo bench --profile dev --locked --workspace --bench grow`.
//! `TRIAGRAPH_SOURCES` names real data (`benches/src/lib.rs`), `FROM` a data folder whose desk has embedded it. A mixture has the
//! sentences of two records in turn and the links of the first. To embed so many would take hours, so each new passage has
//! a mixture of two of the vectors of `FROM`: a desk to take times and sizes on, not to look for meaning in.
#![expect(clippy::print_stdout, reason = "a benchmark speaks to the person who runs it")]

use std::env;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use benches::records;
use engine::Desk;
use engine::measured::{VectorIndex, VectorSettings};
use models::{EmbedError, Embedder, EmbedderId, MiniLm, TextRole};
use ontology::{Observation, RecordId, Section, TenantId};

/// Records that are written at a time, as `ingest` does.
const BATCH: usize = 512;
const REPORTED: u64 = 50_000;

fn main() {
    let folder = |name| PathBuf::from(env::var_os(name).unwrap_or_else(|| panic!("{name} names a folder")));
    let (from, to) = (folder("TRIAGRAPH_DESK"), folder("TRIAGRAPH_GROWN"));
    let wanted: u64 =
        env::var("TRIAGRAPH_PASSAGES").map_or(1_000_000, |wanted| wanted.parse().expect("a number"));
    let tenant = TenantId::new("main").expect("a name");
    let mixer = Arc::new(Mixer::open(&from.join(tenant.as_str())));
    println!("{} vectors", mixer.pool.len());
    let desk = Desk::open(&to, &tenant, Some(mixer)).expect("a desk that nobody else has open");
    let real = records(usize::MAX);
    println!("{} real records", real.len());
    let started = Instant::now();
    let mut made = 0_u64;
    let mut reported = 0;
    // Mixed names of things would be new names, which all earlier texts are searched for.
    let told = |seen: &&Observation| seen.record.kind.is_ticket() || seen.record.kind.is_knowledge();
    let told: Vec<&Observation> = real.iter().filter(told).collect();
    let mixtures = (0_u64..).map(|number| mixture(&told, number));
    let mut all = real.iter().cloned().chain(mixtures);
    while made < wanted {
        let batch: Vec<Observation> = all.by_ref().take(BATCH).collect();
        made += desk.apply(batch).expect("a written batch").embedded;
        if made / REPORTED > reported {
            reported = made / REPORTED;
            println!("{made} passages after {:.0} s", started.elapsed().as_secs_f64());
        }
    }
    println!("{made} passages, {} entries; the vector graph is being built", desk.generation());
    desk.seal().expect("a sealed desk");
    println!("done after {:.0} s", started.elapsed().as_secs_f64());
}

/// A record of two others, the same for each number.
fn mixture(told: &[&Observation], number: u64) -> Observation {
    let pick = |salt: u64| told[dice(&(number, salt)) as usize % told.len()];
    let (mut mixed, other) = (pick(0).clone(), pick(1));
    let record = &mut mixed.record;
    record.id = RecordId::new(&format!("{}:mixed-{number}", record.id.source())).expect("an id");
    record.names.clear();
    record.title = in_turn(&record.title, &other.record.title, ' ');
    let both = record.sections.iter().zip(&other.record.sections);
    // A number each, since a text that is there already needs no vector of its own.
    let text = |own: &Section, other: &Section| format!("{number}. {}", in_turn(&own.text, &other.text, '.'));
    record.sections = both.map(|(own, other)| Section::new(own.kind, text(own, other))).collect();
    mixed
}

/// The parts of one text and another in turn, as long as the first.
fn in_turn(one: &str, other: &str, end: char) -> String {
    let parts = one.split_inclusive(end);
    let mut others = other.split_inclusive(end).skip(1).step_by(2);
    parts
        .enumerate()
        .map(|(at, part)| if at % 2 == 0 { part } else { others.next().unwrap_or(part) })
        .collect()
}

fn dice(seed: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    seed.hash(&mut hasher);
    hasher.finish()
}

/// Gives each text a mixture of two vectors that another desk has, under the name of the model that made those.
struct Mixer {
    id: EmbedderId,
    dimensions: usize,
    pool: Vec<Vec<f32>>,
}

impl Mixer {
    fn open(desk: &Path) -> Self {
        let models = env::var_os("TRIAGRAPH_MODELS").expect("TRIAGRAPH_MODELS names the folder of models");
        let model = MiniLm::open(&Path::new(&models).join(MiniLm::NAME)).expect("the model");
        let (id, dimensions) = (model.id().clone(), model.dimensions());
        let folder = desk.join("index").join(format!("1-{}", id.as_str())).join("vectors");
        let index = VectorIndex::open(&folder, dimensions, VectorSettings::default()).expect("vectors");
        let view = index.view();
        let keys = index.passages().expect("passages");
        let pool = keys.filter_map(|(key, _)| view.vector(key)).collect();
        Self { id, dimensions, pool }
    }
}

impl Embedder for Mixer {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn max_tokens(&self) -> usize {
        usize::MAX
    }

    fn count_tokens(&self, text: &str) -> usize {
        text.len()
    }

    fn embed(&self, _: TextRole, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let mixed = texts.iter().map(|text| {
            let of = |salt: u64| &self.pool[dice(&(text, salt)) as usize % self.pool.len()];
            let share = 0.5 + (dice(&(text, 2_u64)) % 1_000) as f32 / 2_000.0;
            let sum: Vec<f32> =
                of(0).iter().zip(of(1)).map(|(one, other)| share * one + (1.0 - share) * other).collect();
            let length = sum.iter().map(|number| number * number).sum::<f32>().sqrt();
            sum.into_iter().map(|number| number / length).collect()
        });
        Ok(mixed.collect())
    }
}
