//! Does the encoder give the vectors of its reference, and refuse files that are not its own?

use std::env;
use std::fs;
use std::path::PathBuf;

use super::reference::ReferenceMiniLm;
use super::{MiniLm, ModelFolder};
use crate::embedder::conformance::conformance;
use crate::embedder::{Embedder, TextRole};
use crate::encoder::Encoder;

/// The folder of a model: in `TRIAGRAPH_MODELS`, or where `triagraph models pull` puts it.
fn folder() -> PathBuf {
    let models = env::var_os("TRIAGRAPH_MODELS").map(PathBuf::from).unwrap_or_else(|| {
        let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        cache.unwrap_or_else(|| env::home_dir().unwrap().join(".cache")).join("triagraph/models")
    });
    let folder = models.join(MiniLm::NAME);
    assert!(
        folder.is_dir(),
        "{} is not there; run `triagraph models pull {}`",
        folder.display(),
        MiniLm::NAME
    );
    folder
}

/// Passages of real prose and code: this crate's own files, cut at blank lines.
fn passages() -> Vec<&'static str> {
    let files = [
        include_str!("../embedder.rs"),
        include_str!("../encoder.rs"),
        include_str!("../catalog.rs"),
        include_str!("../catalog/install.rs"),
        include_str!("../../catalog.toml"),
    ];
    files.iter().flat_map(|file| file.split("\n\n")).filter(|passage| passage.len() > 20).collect()
}

fn dot(left: &[f32], right: &[f32]) -> f64 {
    left.iter().zip(right).map(|(l, r)| f64::from(*l) * f64::from(*r)).sum()
}

#[test]
fn all_ways_to_compute_keep_the_contract() {
    conformance(&MiniLm::open(&folder()).unwrap());
    conformance(&MiniLm::open_exact(&folder()).unwrap());
    conformance(&ReferenceMiniLm::open(&folder()).unwrap());
}

#[test]
fn a_question_is_weighed_word_by_word() {
    let asked = std::cell::RefCell::new(Vec::new());
    let reading = MiniLm::open(&folder()).unwrap().read("Größe der VPN-Outage: unbootable").unwrap();
    let _ = reading.vector(|word| {
        asked.borrow_mut().push(word.to_owned());
        1.0
    });
    // Once a word, however many pieces the model reads it in.
    assert_eq!(asked.into_inner(), ["Größe", "der", "VPN", "-", "Outage", ":", "unbootable"]);
}

#[test]
fn it_is_the_published_model() {
    // The first numbers that the model's own documentation prints for this sentence.
    let published = [0.067_657, 0.063_496, 0.048_713, 0.079_305, 0.037_448, 0.002_653, 0.039_375, -0.007_098];
    let model = MiniLm::open_exact(&folder()).unwrap();
    assert_eq!(model.id().as_str(), "all-MiniLM-L6-v2-53aa5117");
    assert_eq!(MiniLm::open(&folder()).unwrap().id().as_str(), "all-MiniLM-L6-v2-53aa5117-int8");
    assert_eq!((model.dimensions(), model.max_tokens()), (384, 256));
    let vector = &model.embed(TextRole::Passage, &["This is an example sentence"]).unwrap()[0];
    for (got, expected) in vector.iter().zip(published) {
        assert!((got - expected).abs() < 1e-5, "{got} instead of {expected}");
    }
}

/// Mean and smallest cosine between two embedders' vectors of the same passages.
fn cosines(left: &dyn Embedder, right: &dyn Embedder) -> (f64, f64) {
    let passages = passages();
    let left = left.embed(TextRole::Passage, &passages).unwrap();
    let right = right.embed(TextRole::Passage, &passages).unwrap();
    let cosines: Vec<f64> = left.iter().zip(&right).map(|(left, right)| dot(left, right)).collect();
    assert!(cosines.len() > 60);
    let mean = cosines.iter().sum::<f64>() / cosines.len() as f64;
    (mean, cosines.iter().copied().fold(f64::INFINITY, f64::min))
}

#[test]
fn the_packed_encoder_agrees_with_candle() {
    let reference = ReferenceMiniLm::open(&folder()).unwrap();
    let (mean, worst) = cosines(&MiniLm::open_exact(&folder()).unwrap(), &reference);
    assert!(mean > 0.999_99 && worst > 0.999_99, "mean {mean}, worst {worst}");
}

#[test]
fn eight_bits_stay_close_to_f32() {
    let exact = MiniLm::open_exact(&folder()).unwrap();
    let (mean, worst) = cosines(&MiniLm::open(&folder()).unwrap(), &exact);
    assert!(mean > 0.998 && worst > 0.99, "mean {mean}, worst {worst}");
}

#[test]
fn eight_bits_are_the_same_by_any_kernel() {
    let fast = MiniLm::open(&folder()).unwrap();
    let known = ModelFolder::read_known(&folder(), MiniLm::NAME).unwrap();
    let portable = MiniLm::new(known, Encoder::portable).unwrap();
    let passages = passages();
    let vectors = fast.embed(TextRole::Passage, &passages).unwrap();
    assert!(vectors == portable.embed(TextRole::Passage, &passages).unwrap());
}

#[test]
fn a_vector_is_the_same_in_every_batch() {
    for model in [MiniLm::open(&folder()).unwrap(), MiniLm::open_exact(&folder()).unwrap()] {
        let passages = passages();
        let together = model.embed(TextRole::Passage, &passages).unwrap();
        for size in [1, 2, 7, 32] {
            let parts = passages.chunks(size).map(|part| model.embed(TextRole::Passage, part).unwrap());
            let apart: Vec<Vec<f32>> = parts.flatten().collect();
            assert!(apart == together, "vectors of {} differ in batches of {size}", model.id());
        }
    }
}

#[test]
fn tokens_are_counted_whole_and_texts_cut_at_the_limit() {
    let model = MiniLm::open(&folder()).unwrap();
    assert_eq!(model.count_tokens("the printer is on fire"), 7);
    assert_eq!(model.count_tokens(&"printer ".repeat(1000)), 1002);
    let whole = "printer ".repeat(254);
    let vectors = model.embed(TextRole::Passage, &[&whole, &format!("{whole} kernel")]).unwrap();
    assert_eq!(vectors[0], vectors[1]);
    let shorter = model.embed(TextRole::Passage, &["printer ".repeat(253).as_str()]).unwrap();
    assert_ne!(vectors[0], shorter[0]);
}

#[test]
fn a_folder_with_one_byte_changed_is_refused_by_name() {
    let source = folder();
    let copy = tempfile::tempdir().unwrap();
    for file in ["model.safetensors", "tokenizer.json", "config.json"] {
        fs::copy(source.join(file), copy.path().join(file)).unwrap();
    }
    let weights = copy.path().join("model.safetensors");
    let mut content = fs::read(&weights).unwrap();
    content[50_000_000] ^= 1;
    fs::write(&weights, content).unwrap();
    let error = MiniLm::open(copy.path()).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), "model-altered");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("model.safetensors"), "{cause}");

    for file in ["tokenizer.json", "config.json"] {
        fs::copy(source.join("model.safetensors"), &weights).unwrap();
        fs::write(copy.path().join(file), r#"{"hidden_size": 0}"#).unwrap();
        assert_eq!(MiniLm::open(copy.path()).map(|_| ()).unwrap_err().code(), "model-altered");
        fs::remove_file(copy.path().join(file)).unwrap();
        assert_eq!(MiniLm::open(copy.path()).map(|_| ()).unwrap_err().code(), "model-unreadable");
        fs::copy(source.join(file), copy.path().join(file)).unwrap();
    }
}
