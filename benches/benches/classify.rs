//! How well are category, team and priority told from resolved tickets, and how long does learning take?
//!
//! `classify scores DATA SPLITS VECTORS` trains on four fifths and measures on the fifth that the split files keep;
//! `classify train DATA SPLITS VECTORS` trains once on all rows of the largest set, to be run under `time`. DATA holds the
//! sets, SPLITS the split files, VECTORS receives the embedder's vectors, which are made once. One line of JSON each.

#![expect(clippy::print_stdout, reason = "it is a program that prints figures")]

use std::env;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use models::{Classifier, Embedder, Metrics, MiniLm, Outcome, Prediction, Sample, TextRole, TrainOptions};
use sha2::{Digest as _, Sha256};

/// Set, file in its folder, columns that make the text, columns that are told.
const SETS: [(&str, &str, &[&str], &[&str]); 2] = [
    ("it_tickets_47k", "all_tickets_processed_improved_v3.csv.zip", &["Document"], &["Topic_group"]),
    (
        "endava_tickets_5k",
        "all_tickets.csv",
        &["title", "body"],
        &["category", "business_service", "urgency"],
    ),
];
const TEXTS_AT_ONCE: usize = 512;

struct Set {
    name: &'static str,
    sha256: String,
    texts: Vec<String>,
    fields: Vec<(&'static str, Vec<String>)>,
    vectors: Vec<Vec<f32>>,
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [command, data, splits, vectors] = arguments.as_slice() else {
        bail!("classify scores|train DATA SPLITS VECTORS");
    };
    let models = env::var_os("TRIAGRAPH_MODELS").context("TRIAGRAPH_MODELS names the folder of models")?;
    let embedder = MiniLm::open(&PathBuf::from(models).join(MiniLm::NAME))?;
    let take = if command == "train" { 1 } else { SETS.len() };
    for (name, file, text, fields) in &SETS[..take] {
        let mut set = read(name, &Path::new(data).join(name).join(file), text, fields)?;
        set.vectors = vectors_of(&set, &embedder, Path::new(vectors))?;
        if command == "train" {
            train(&set, &embedder)?;
        } else {
            let is_test = split(&set, &Path::new(splits).join(format!("{name}.txt")))?;
            for (field, labels) in &set.fields {
                score(&set, field, labels, &is_test, &embedder)?;
            }
        }
    }
    Ok(())
}

fn read(name: &'static str, path: &Path, text: &[&str], fields: &[&'static str]) -> anyhow::Result<Set> {
    let mut content = fs::read(path).with_context(|| path.display().to_string())?;
    if path.extension().is_some_and(|extension| extension == "zip") {
        let mut unpacked = Vec::new();
        zip::ZipArchive::new(std::io::Cursor::new(content))?.by_index(0)?.read_to_end(&mut unpacked)?;
        content = unpacked;
    }
    let sha256 = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut reader = csv::Reader::from_reader(content.as_slice());
    let header = reader.headers()?.clone();
    let column = |wanted: &str| header.iter().position(|name| name == wanted).context(wanted.to_owned());
    let text = text.iter().map(|name| column(name)).collect::<anyhow::Result<Vec<_>>>()?;
    let places = fields.iter().map(|name| column(name)).collect::<anyhow::Result<Vec<_>>>()?;
    let fields = fields.iter().map(|name| (*name, Vec::new())).collect();
    let mut set = Set { name, sha256, texts: Vec::new(), fields, vectors: Vec::new() };
    for row in reader.records() {
        let row = row?;
        let lines: Vec<&str> = text.iter().map(|place| &row[*place]).collect();
        set.texts.push(lines.join("\n").trim().to_owned());
        for ((_, labels), place) in set.fields.iter_mut().zip(&places) {
            labels.push(row[*place].to_owned());
        }
    }
    Ok(set)
}

fn vectors_of(set: &Set, embedder: &MiniLm, folder: &Path) -> anyhow::Result<Vec<Vec<f32>>> {
    let path = folder.join(format!("{}-{}-{}.f32", set.name, &set.sha256[..8], embedder.id()));
    if !path.exists() {
        let mut bytes = Vec::new();
        for texts in set.texts.chunks(TEXTS_AT_ONCE) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            for vector in embedder.embed(TextRole::Passage, &texts)? {
                bytes.extend(vector.iter().flat_map(|number| number.to_le_bytes()));
            }
        }
        fs::create_dir_all(folder)?;
        fs::write(&path, bytes)?;
    }
    let bytes = fs::read(&path)?;
    let numbers: Vec<f32> = bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let vectors: Vec<Vec<f32>> = numbers.chunks(embedder.dimensions()).map(<[f32]>::to_vec).collect();
    ensure!(vectors.len() == set.texts.len(), "{} does not fit its set; delete it", path.display());
    Ok(vectors)
}

/// Which rows are for the test.
fn split(set: &Set, path: &Path) -> anyhow::Result<Vec<bool>> {
    let content = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut lines = content.lines().filter(|line| !line.starts_with('#'));
    let mut value = |key: &str| {
        let line = lines.next().and_then(|line| line.strip_prefix(key));
        line.map(|value| value.trim().to_owned()).with_context(|| format!("{key} in {}", path.display()))
    };
    let (sha256, rows, test) = (value("sha256")?, value("rows")?, value("test")?);
    ensure!(sha256 == set.sha256, "{} was made for other bytes of {}", path.display(), set.name);
    let digits = lines.flat_map(|line| line.chars().filter_map(|digit| digit.to_digit(16)));
    let bits = digits.flat_map(|digit| [8, 4, 2, 1].map(|bit| digit & bit != 0));
    let is_test: Vec<bool> = bits.take(rows.parse()?).collect();
    let (marked, test): (_, usize) = (is_test.iter().filter(|is_test| **is_test).count(), test.parse()?);
    ensure!(is_test.len() == set.texts.len() && marked == test, "{} is not whole", path.display());
    Ok(is_test)
}

fn options(embedder: &MiniLm) -> TrainOptions {
    TrainOptions { embedder: Some(embedder.id().to_string()), ..TrainOptions::default() }
}

fn score(
    set: &Set,
    field: &str,
    labels: &[String],
    is_test: &[bool],
    embedder: &MiniLm,
) -> anyhow::Result<()> {
    let (test, train): (Vec<usize>, Vec<usize>) = (0..labels.len()).partition(|row| is_test[*row]);
    let sample = |row: &usize| Sample {
        text: &set.texts[*row],
        vector: Some(&set.vectors[*row]),
        label: &labels[*row],
    };
    let start = Instant::now();
    let classifier = Classifier::train(&train.iter().map(sample).collect::<Vec<_>>(), &options(embedder))?;
    let seconds = start.elapsed().as_secs_f64();
    let predict = |row: &usize| classifier.predict(&set.texts[*row], Some(&set.vectors[*row]));
    let predictions = test.iter().map(predict).collect::<Result<Vec<Prediction>, _>>()?;
    let pairs = || test.iter().map(|row| labels[*row].as_str()).zip(&predictions);
    let outcomes: Vec<Outcome<'_>> =
        pairs().map(|(truth, p)| Outcome { truth, label: &p.label, probability: p.probability }).collect();
    let metrics = Metrics::of(&outcomes);
    let sure = pairs().filter(|(_, prediction)| prediction.is_sure).count();
    let right = pairs().filter(|(truth, p)| p.is_sure && p.label == *truth).count();
    println!(
        "{}",
        serde_json::json!({
            "who": "ours", "set": set.name, "field": field, "labels": classifier.labels().len(),
            "accuracy": metrics.accuracy, "macro_f1": metrics.macro_f1,
            "calibration_error": metrics.calibration_error,
            "sure": sure as f64 / test.len() as f64, "right_when_sure": right as f64 / sure.max(1) as f64,
            "train_seconds": seconds, "bytes": classifier.to_bytes().len(),
        })
    );
    Ok(())
}

fn train(set: &Set, embedder: &MiniLm) -> anyhow::Result<()> {
    let rows = set.texts.iter().zip(&set.vectors).zip(&set.fields[0].1);
    let samples: Vec<Sample<'_>> =
        rows.map(|((text, vector), label)| Sample { text, vector: Some(vector), label }).collect();
    let start = Instant::now();
    let classifier = Classifier::train(&samples, &options(embedder))?;
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{}",
        serde_json::json!({
            "who": "ours", "set": set.name, "tickets": samples.len(), "train_seconds": seconds,
            "bytes": classifier.to_bytes().len(), "digest": classifier.digest(),
        })
    );
    Ok(())
}
