//! How long do an answer, its parts, a context bundle and a write take, as half and as all but one in a hundred see them?
//!
//! `cargo bench --profile dev --locked --workspace --bench search`, over the demo desk with titles as questions. `TRIAGRAPH_DESK`
//! names another data folder, `TRIAGRAPH_QUERIES` a file of `{"text": …}` lines, `TRIAGRAPH_MODELS` the folder of models,
//! `TRIAGRAPH_PART` the one part to measure, `TRIAGRAPH_ROUNDS` how often. Writes tickets and bundles into the desk: give it a
//! copy.
#![expect(clippy::print_stdout, reason = "a benchmark speaks to the person who runs it")]

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use benches::{Bench, embedder, operator, records};
use engine::{BundleRequest, Desk, Leg, Query, Subject};
use jiff::Timestamp;
use models::MiniLm;
use ontology::{Kind, Lineage, Observation, Record, RecordId, Scope, Section, SectionKind, TenantId};

const RECORDS: usize = 5_000;
const QUESTIONS: usize = 200;
const CLIENTS: usize = 8;
const WRITES: usize = 100;

fn main() {
    let questions = env::var_os("TRIAGRAPH_QUERIES").map(|file| texts(Path::new(&file)));
    match env::var_os("TRIAGRAPH_DESK") {
        Some(data) => {
            let tenant = TenantId::new("main").expect("a name");
            let started = Instant::now();
            let desk = Desk::open(Path::new(&data), &tenant, Some(Arc::new(model())))
                .expect("a desk that nobody else has open");
            println!("opened in {:.2} s", started.elapsed().as_secs_f64());
            measure(&desk, &Scope::operator(tenant), &questions.expect("TRIAGRAPH_QUERIES"));
        }
        None => {
            let records = records(RECORDS);
            let bench = Bench::new(Some(embedder()));
            bench.fill(&records);
            let step = records.len().div_ceil(QUESTIONS);
            let titles = || records.iter().step_by(step).map(|one| one.record.title.clone()).collect();
            measure(&bench.desk, &operator(), &questions.unwrap_or_else(titles));
        }
    }
}

fn model() -> MiniLm {
    let models = env::var_os("TRIAGRAPH_MODELS").map(PathBuf::from).unwrap_or_else(|| {
        let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || env::home_dir().expect("a home folder").join(".cache");
        cache.unwrap_or_else(home).join("triagraph/models")
    });
    MiniLm::open(&models.join(MiniLm::NAME)).expect("the model; run `triagraph models pull`")
}

fn texts(file: &Path) -> Vec<String> {
    let lines = fs::read_to_string(file).expect("a readable file of questions");
    let text = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        line["text"].as_str().expect("a text").to_owned()
    };
    lines.lines().map(text).take(QUESTIONS).collect()
}

fn measure(desk: &Desk, scope: &Scope, questions: &[String]) {
    let words: usize = questions.iter().map(|question| question.split_whitespace().count()).sum();
    println!("{} questions of {} words", questions.len(), words / questions.len().max(1));
    let ask = |question: &String, legs: &[Leg]| Query {
        legs: legs.to_vec(),
        ..Query::new(question.as_str(), Timestamp::UNIX_EPOCH)
    };
    let rank = |legs: &'static [Leg]| {
        move |question: &String| drop(desk.rank(scope, &ask(question, legs)).expect("a ranking"))
    };
    let mut answers = DefaultHasher::new();
    let warm = |question: &String| {
        let hits = desk.search(scope, &ask(question, &Leg::ALL)).expect("hits");
        format!("{:?}", hits.hits).hash(&mut answers);
    };
    questions.iter().for_each(warm);
    println!("answers {:016x}", answers.finish());

    if let Some(embedder) = desk.embedder() {
        one("question embedded", questions, |question| {
            drop(embedder.read(question).expect("a vector"));
        });
    }
    one("nothing", questions, rank(&[]));
    one("identifier", questions, rank(&[Leg::Identifier]));
    one("lexical", questions, rank(&[Leg::Lexical]));
    one("dense", questions, rank(&[Leg::Dense]));
    one("lexical and graph", questions, rank(&[Leg::Lexical, Leg::Graph]));
    one("lexical and dense", questions, rank(&[Leg::Lexical, Leg::Dense]));
    one("all legs", questions, rank(&Leg::ALL));
    let search = |question: &String| drop(desk.search(scope, &ask(question, &Leg::ALL)).expect("hits"));
    one("all legs, explained", questions, search);
    if is_wanted("clients") {
        many("all legs, explained", questions, search);
    }
    // A budget that no run before had, so that no bundle is there already.
    let budget_tokens = 2_000 + Timestamp::now().subsec_nanosecond().unsigned_abs() % 1_000;
    one("context bundle", questions, |question| {
        let request = BundleRequest { budget_tokens, ..BundleRequest::new(Subject::Text(question.clone())) };
        drop(desk.bundle(scope, &request, Timestamp::UNIX_EPOCH).expect("a bundle"));
    });
    if is_wanted("writes") {
        upserts(desk, scope, questions, &search);
    }
}

/// Whether a part is to be measured.
fn is_wanted(name: &str) -> bool {
    env::var("TRIAGRAPH_PART").map_or(true, |part| part == name)
}

/// One question after the other.
fn one(name: &str, questions: &[String], mut run: impl FnMut(&String)) {
    if !is_wanted(name) {
        return;
    }
    let rounds = env::var("TRIAGRAPH_ROUNDS").map_or(1, |rounds| rounds.parse().expect("a number of rounds"));
    let times = (0..rounds).flat_map(|_: usize| questions).map(|question| {
        let started = Instant::now();
        run(question);
        started.elapsed()
    });
    show(name, times.collect());
}

/// The questions shared out among several clients, each of which waits for its answer.
fn many(name: &str, questions: &[String], run: impl Fn(&String) + Sync) {
    let started = Instant::now();
    let times: Vec<Duration> = std::thread::scope(|threads| {
        let client = |client: usize| {
            let own = questions.iter().skip(client).step_by(CLIENTS);
            let times = own.map(|question| {
                let started = Instant::now();
                run(question);
                started.elapsed()
            });
            times.collect::<Vec<_>>()
        };
        let clients: Vec<_> = (0..CLIENTS).map(|number| threads.spawn(move || client(number))).collect();
        clients.into_iter().flat_map(|client| client.join().expect("a client")).collect()
    });
    let rate = times.len() as f64 / started.elapsed().as_secs_f64();
    show(&format!("{name}, {CLIENTS} clients, {rate:.0}/s"), times);
}

/// A new ticket or a new state of it until a search shows it, with nobody and with one client asking at the same time.
fn upserts(desk: &Desk, scope: &Scope, questions: &[String], search: &(impl Fn(&String) + Sync)) {
    let mut written = 0_u32;
    let mut write = || {
        let times = (0..WRITES).map(|_| {
            written += 1;
            let word = word(written);
            let started = Instant::now();
            desk.apply(vec![ticket(&word)]).expect("a written ticket");
            let query =
                Query { legs: vec![Leg::Lexical], ..Query::new(word.as_str(), Timestamp::UNIX_EPOCH) };
            let (shown, _) = desk.rank(scope, &query).expect("a ranking");
            assert_eq!(shown.len(), 1, "the ticket is visible");
            started.elapsed()
        });
        times.collect::<Vec<_>>()
    };
    show("one ticket written until visible", write());
    let is_over = AtomicBool::new(false);
    let (times, answers) = std::thread::scope(|threads| {
        let asked = threads.spawn(|| {
            let asked = questions.iter().cycle().take_while(|_| !is_over.load(Ordering::Relaxed));
            asked
                .map(|question| {
                    let started = Instant::now();
                    search(question);
                    started.elapsed()
                })
                .collect::<Vec<_>>()
        });
        let times = write();
        is_over.store(true, Ordering::Relaxed);
        (times, asked.join().expect("a client"))
    });
    show("the same while one client asks", times);
    show("its answers meanwhile", answers);
}

/// A word that no text has and that is not split: the time and a number, in letters.
fn word(number: u32) -> String {
    let mut rest = Timestamp::now().as_nanosecond().unsigned_abs() * 1_000 + u128::from(number);
    let mut word = "zq".to_owned();
    while rest > 0 {
        word.extend(char::from_digit((rest % 10) as u32 + 10, 20));
        rest /= 10;
    }
    word
}

fn ticket(word: &str) -> Observation {
    let id = RecordId::new(&format!("bench:{}", &word[..4])).expect("an id");
    let mut record = Record::new(id, Kind::Incident, format!("Mail client {word} does not start"));
    let text =
        format!("Since this morning the mail client {word} stops with a time-out. Restarting did not help.");
    record.sections.push(Section::new(SectionKind::Description, text));
    let lineage = Lineage {
        origin: "bench".to_owned(),
        place: None,
        mapping: "bench".to_owned(),
        observed: Timestamp::now(),
    };
    Observation::unversioned(record, lineage)
}

fn show(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| {
        let place = ((times.len() as f64 - 1.0) * share).round() as usize;
        times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    println!("{name:<44} p50 {:>7.2} ms   p95 {:>7.2} ms   p99 {:>7.2} ms", at(0.5), at(0.95), at(0.99));
}
