//! Does an embedder keep the contract of the trait?

use std::thread;

use super::{Embedder, TextRole};

/// Texts of every shape that ingest meets.
const TEXTS: &[&str] = &[
    "",
    " \t\n",
    "a",
    "Printer on the second floor is out of paper",
    "There is no paper in the printer on floor two",
    "kernel panic after the upgrade of the storage driver",
    "ERROR 0x80070005 at C:\\Windows\\system32\\svc.dll, host web-01.example.org:8443",
    "Der Drucker druckt nicht mehr, bitte um Hilfe – größer als gedacht",
    "サーバーが応答しません",
    "🔥🔥🔥 prod is down 🔥🔥🔥",
    "null\u{0}byte and \u{200b} zero width, \u{202e}right to left",
];

/// Checks the contract of [`Embedder`] and panics with the broken promise.
///
/// Every implementation runs this in its own tests.
///
/// # Panics
/// When a promise is not kept.
pub fn conformance(embedder: &dyn Embedder) {
    identity(embedder);
    shape(embedder);
    batches(embedder);
    limits(embedder);
    nearness(embedder);
    readings(embedder);
}

fn identity(embedder: &dyn Embedder) {
    let id = embedder.id().as_str();
    assert!(!id.is_empty() && !id.starts_with('.'), "id {id:?} cannot name a folder");
    assert!(
        id.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)),
        "id {id:?} holds letters that a folder name should not"
    );
    assert!(embedder.dimensions() > 0 && embedder.max_tokens() > 0);
}

fn shape(embedder: &dyn Embedder) {
    assert!(embed(embedder, &[]).is_empty(), "no texts must give no vectors");
    let vectors = embed(embedder, TEXTS);
    assert_eq!(vectors.len(), TEXTS.len(), "one vector a text");
    for (text, vector) in TEXTS.iter().zip(&vectors) {
        assert_eq!(vector.len(), embedder.dimensions(), "dimensions of {text:?}");
        let length = dot(vector, vector).sqrt();
        assert!((length - 1.0).abs() < 1e-4, "{text:?} has length {length}");
    }
}

fn batches(embedder: &dyn Embedder) {
    let together = embed(embedder, TEXTS);
    for (text, vector) in TEXTS.iter().zip(&together) {
        assert_eq!(&embed(embedder, &[text])[0], vector, "{text:?} differs alone and in a batch");
    }
    let mut many: Vec<&str> = TEXTS.iter().rev().copied().collect();
    many.extend(TEXTS);
    let twice = embed(embedder, &many);
    for (at, text) in many.iter().enumerate() {
        let first = TEXTS.iter().position(|known| known == text).unwrap_or_default();
        assert_eq!(twice[at], together[first], "{text:?} differs by its place in the batch");
    }
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| assert_eq!(embed(embedder, TEXTS), together, "vectors differ by thread"));
        }
    });
}

fn limits(embedder: &dyn Embedder) {
    let word = "disk ";
    assert!(embedder.count_tokens(&word.repeat(3)) > embedder.count_tokens(word));
    let long = word.repeat(embedder.max_tokens() + 50);
    assert!(embedder.count_tokens(&long) > embedder.max_tokens(), "counting must not cut off");
    let longer = format!("{long} printer toner paper");
    assert_eq!(
        embed(embedder, &[&long]),
        embed(embedder, &[&longer]),
        "what lies beyond max_tokens must be ignored"
    );
}

fn nearness(embedder: &dyn Embedder) {
    let vectors = embed(embedder, &[TEXTS[3], TEXTS[4], TEXTS[5]]);
    assert!(
        dot(&vectors[0], &vectors[1]) > dot(&vectors[0], &vectors[2]),
        "two reports of the same fault must be closer than two of different ones"
    );
    let query = embedder.embed(TextRole::Query, &[TEXTS[3]]);
    assert!(query.is_ok_and(|query| dot(&query[0], &vectors[1]) > dot(&query[0], &vectors[2])));
}

fn readings(embedder: &dyn Embedder) {
    for text in TEXTS {
        let (read, embedded) = (embedder.read(text), embedder.embed(TextRole::Query, &[text]));
        let (Ok(read), Ok(embedded)) = (read, embedded) else { panic!("reading {text:?} failed") };
        for weight in [1.0, 3.0] {
            // The marks around a text count one whatever its words do, so only equal weights say the same.
            let vector = read.vector(|_| weight);
            let same = dot(&vector, &embedded[0]);
            assert!(
                same > if weight == 1.0 { 0.9999 } else { 0.8 },
                "{text:?} read is {same} of it embedded"
            );
        }
    }
}

fn embed(embedder: &dyn Embedder, texts: &[&str]) -> Vec<Vec<f32>> {
    match embedder.embed(TextRole::Passage, texts) {
        Ok(vectors) => vectors,
        Err(error) => panic!("embedding failed: {error}"),
    }
}

fn dot(left: &[f32], right: &[f32]) -> f32 {
    left.iter().zip(right).map(|(l, r)| l * r).sum()
}
