//! How fast is the text index, on made-up text of a desk's size?
//!
//! `cargo run -p engine --example text_speed -- [DOCUMENTS]` (100,000 unless told). Words are drawn from a Zipf
//! distribution over 200,000 words, about 120 to a document; a search runs on one thread. With a folder instead, its
//! `corpus.jsonl` is indexed and its `queries.jsonl` asked for ten hits: one line, for `benches/peers/text.sh`.
#![expect(clippy::print_stdout, reason = "a program that prints a table")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use engine::measured::{TextDocument, TextIndex, Visible};

const VOCABULARY: f64 = 200_000.0;
const WORDS_PER_DOCUMENT: usize = 120;
const SEARCHES: usize = 100;
/// Each search is run so often, and the fastest counts, so that other work of the machine disturbs less.
const REPEATS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from).filter(|folder| folder.is_dir()) {
        return of_set(&folder);
    }
    let documents: u64 = std::env::args().nth(1).map_or(Ok(100_000), |count| count.parse())?;
    let folder = std::env::temp_dir().join(format!("text-speed-{}", std::process::id()));
    let mut words = Words { state: 1 };
    let mut index = TextIndex::open(&folder)?;

    let start = Instant::now();
    for position in 1..=documents {
        let (title, body) = (words.text(8), words.text(WORDS_PER_DOCUMENT - 8));
        index.add(&TextDocument { position, title: &title, body: &body, names: "", digest: 0 })?;
    }
    index.commit(documents)?;
    println!("index {documents} documents: {:.1} s", start.elapsed().as_secs_f64());

    let mut commits = Vec::new();
    for position in documents + 1..=documents + 20 {
        let body = words.text(WORDS_PER_DOCUMENT);
        let start = Instant::now();
        index.add(&TextDocument { position, title: "", body: &body, names: "", digest: 0 })?;
        index.commit(position)?;
        commits.push(start.elapsed());
    }
    print("add one document and commit", &mut commits);

    let view = index.view();
    let all = Visible::all(documents + 20);
    let mut half = Visible::none(documents + 20);
    (1..=documents).step_by(2).for_each(|position| half.insert(position));
    for (name, visible) in [("all visible", &all), ("half visible", &half)] {
        for (terms, limit) in [(5, 10), (20, 10), (20, 100), (300, 100)] {
            let mut times = Vec::new();
            for _ in 0..SEARCHES {
                let query = words.text(terms);
                let mut fastest = Duration::MAX;
                for _ in 0..REPEATS {
                    let start = Instant::now();
                    view.search(&query, visible, limit, None)?;
                    fastest = fastest.min(start.elapsed());
                }
                times.push(fastest);
            }
            print(&format!("search {terms} words, {limit} hits, {name}"), &mut times);
        }
    }
    drop((index, view));
    fs::remove_dir_all(&folder)?;
    Ok(())
}

/// The median time of a search in a set of texts.
fn of_set(set: &Path) -> Result<(), Box<dyn Error>> {
    let lines = |name: &str| -> Result<Vec<serde_json::Value>, Box<dyn Error>> {
        let text = fs::read_to_string(set.join(name))?;
        Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
    };
    let text = |line: &serde_json::Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let folder = std::env::temp_dir().join(format!("text-speed-{}", std::process::id()));
    let mut index = TextIndex::open(&folder)?;
    let corpus = lines("corpus.jsonl")?;
    for (position, line) in (1..).zip(&corpus) {
        let (title, body) = (text(line, "title"), text(line, "text"));
        index.add(&TextDocument { position, title: &title, body: &body, names: "", digest: 0 })?;
    }
    let documents = corpus.len() as u64;
    let view = index.commit(documents)?;
    let visible = Visible::all(documents);
    let mut times = Vec::new();
    for line in lines("queries.jsonl")? {
        let query = text(&line, "text");
        let mut fastest = Duration::MAX;
        for _ in 0..3 {
            let start = Instant::now();
            view.search(&query, &visible, 10, None)?;
            fastest = fastest.min(start.elapsed());
        }
        times.push(fastest);
    }
    times.sort_unstable();
    let median = times[times.len() / 2].as_secs_f64() * 1e3;
    println!("{}\tours\t{documents}\t{median:.3}", set.file_name().unwrap_or_default().display());
    drop((index, view));
    fs::remove_dir_all(&folder)?;
    Ok(())
}

fn print(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1e3;
    println!("{what}: median {:.2} ms, 95 % {:.2} ms", at(50), at(95));
}

/// A fixed stream of words (a xorshift generator, Marsaglia 2003).
struct Words {
    state: u64,
}

impl Words {
    fn text(&mut self, words: usize) -> String {
        let mut text = String::new();
        for _ in 0..words {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            let uniform = self.state as f64 / u64::MAX as f64;
            // The inverse of the distribution whose density falls like 1/rank.
            let rank = VOCABULARY.powf(uniform) as u64;
            push_word(rank, &mut text);
        }
        text
    }
}

/// Writes `rank` in letters.
fn push_word(mut rank: u64, text: &mut String) {
    while rank > 0 {
        text.extend(char::from_u32('a' as u32 + (rank % 26) as u32));
        rank /= 26;
    }
    text.push_str("x ");
}
