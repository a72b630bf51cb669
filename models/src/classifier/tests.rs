//! Does a classifier learn, doubt, explain and come back from its file as it should?

use super::solver::SplitMix;
use super::{Classifier, ClassifierError, Metrics, Outcome, Sample, TrainOptions, training};

const LABELS: [&str; 3] = ["access", "network", "printer"];
const WORDS: [[&str; 4]; 3] = [
    ["password", "login", "account", "locked"],
    ["wifi", "router", "latency", "vpn"],
    ["toner", "paper", "printing", "tray"],
];
const FILLERS: [&str; 6] = ["please", "help", "today", "broken", "urgent", "office"];

struct Ticket {
    text: String,
    vector: Vec<f32>,
    label: &'static str,
}

/// Tickets whose words tell the label; `noise` in 10 of them were given another by lot.
fn tickets(count: usize, noise: usize, seed: u64) -> Vec<Ticket> {
    let mut random = SplitMix(seed);
    let ticket = |_| {
        let topic = random.below(3);
        let mut pick = |words: &[&'static str]| words[random.below(words.len())];
        let text = [pick(&FILLERS), pick(&WORDS[topic]), pick(&FILLERS), pick(&WORDS[topic])].join(" ");
        let vector = (0..3).map(|at| f32::from(u8::from(at == topic))).collect();
        let label = if random.below(10) < noise { LABELS[random.below(3)] } else { LABELS[topic] };
        Ticket { text, vector, label }
    };
    (0..count).map(ticket).collect()
}

fn samples(tickets: &[Ticket]) -> Vec<Sample<'_>> {
    tickets.iter().map(|ticket| Sample { text: &ticket.text, vector: None, label: ticket.label }).collect()
}

fn trained(noise: usize) -> Classifier {
    Classifier::train(&samples(&tickets(400, noise, 1)), &TrainOptions::default()).unwrap()
}

#[test]
fn labels_are_told_by_words() {
    let classifier = trained(0);
    assert_eq!((classifier.labels(), classifier.samples()), (&LABELS.map(str::to_owned)[..], 400));
    let check = |text: &str, expected: &str| {
        let prediction = classifier.predict(text, None).unwrap();
        assert_eq!(prediction.label, expected, "{text}");
        assert!(prediction.is_sure && prediction.probability > 0.9, "{prediction:?}");
        assert_eq!((&prediction.ranked[0].0, prediction.ranked.len()), (&prediction.label, 3));
        assert!((prediction.ranked.iter().map(|(_, p)| p).sum::<f64>() - 1.0).abs() < 1e-9);
    };
    check("Please reset my PASSWORD, the account is locked", "access");
    check("vpn: high latency since today", "network");
    check("no paper in the tray", "printer");
}

#[test]
fn what_was_never_read_is_never_sure() {
    let mut classifier = trained(0);
    classifier.head.threshold = Some(0.0);
    assert!(classifier.predict("wifi", None).unwrap().is_sure);
    for text in ["", "quetzal xylophon", "!!!"] {
        assert!(!classifier.predict(text, None).unwrap().is_sure, "{text:?}");
    }
    assert_eq!(
        classifier.predict("passwords", None).unwrap().label,
        "access",
        "letters know the inflected word"
    );
}

#[test]
fn probabilities_hold_on_new_tickets_and_doubt_abstains() {
    let new = tickets(1_000, 4, 9);
    let metrics_of = |classifier: &Classifier| {
        let predictions: Vec<_> =
            new.iter().map(|ticket| classifier.predict(&ticket.text, None).unwrap()).collect();
        let sure = predictions.iter().filter(|prediction| prediction.is_sure).count();
        let outcomes: Vec<_> = new
            .iter()
            .zip(&predictions)
            .map(|(ticket, p)| Outcome { truth: ticket.label, label: &p.label, probability: p.probability })
            .collect();
        (Metrics::of(&outcomes), sure)
    };
    let (metrics, sure) = metrics_of(&trained(4));
    assert!(metrics.accuracy > 0.65 && metrics.calibration_error < 0.08, "{metrics:?}");
    assert_eq!(sure, 0, "nobody is right in 9 of 10 of these");
    let (overconfident, _) = metrics_of(&trained(0));
    assert!(overconfident.calibration_error > 0.2, "the noise is seen in the figure");
    let modest = TrainOptions { wanted_precision: 0.5, ..TrainOptions::default() };
    let (_, sure) = metrics_of(&Classifier::train(&samples(&tickets(400, 4, 1)), &modest).unwrap());
    assert!(sure > 900, "{sure}");
}

#[test]
fn vectors_speak_where_words_do_not() {
    let tickets = tickets(300, 0, 1);
    let blind: Vec<Sample<'_>> = tickets
        .iter()
        .map(|ticket| Sample { text: "please help", vector: Some(&ticket.vector), label: ticket.label })
        .collect();
    let options = TrainOptions { embedder: Some("hash-3".to_owned()), ..TrainOptions::default() };
    let mut classifier = Classifier::train(&blind, &options).unwrap();
    assert_eq!(classifier.options().embedder.as_deref(), Some("hash-3"));
    for (vector, label) in [([1.0, 0.0, 0.0], "access"), ([0.0, 0.0, 1.0], "printer")] {
        let prediction = classifier.predict("please help", Some(&vector)).unwrap();
        assert!(prediction.label == label && prediction.is_sure, "{prediction:?}");
    }
    classifier.head.threshold = Some(0.0);
    assert!(!classifier.predict("please help", None).unwrap().is_sure, "half of what it knows is missing");
    let error = classifier.predict("please help", Some(&[1.0])).unwrap_err();
    assert_eq!(error.code(), "classifier-vector-size");
    assert_eq!(trained(0).predict("wifi", Some(&[1.0])).unwrap(), trained(0).predict("wifi", None).unwrap());
}

#[test]
fn the_words_that_spoke_are_named() {
    let classifier = trained(0);
    let words = classifier.explain("please help today: the router, the router lost wifi", "network");
    let names: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
    assert_eq!(names[..2], ["router", "wifi"]);
    assert!(words.iter().all(|(_, part)| *part > 0.0) && words.len() <= 8, "{words:?}");
    assert!(classifier.explain("router", "printer").is_empty());
    assert!(classifier.explain("router", "no such label").is_empty());
}

#[test]
fn the_same_tickets_give_the_same_bytes() {
    let tickets = tickets(200, 2, 5);
    let trained = |seed, threads| {
        let options = TrainOptions { seed, ..TrainOptions::default() };
        training::train(&samples(&tickets), &options, threads).unwrap()
    };
    assert_eq!(trained(1, 2).to_bytes(), trained(1, 2).to_bytes());
    assert_eq!(trained(1, 1).digest(), trained(1, 3).digest(), "however many threads");
    assert_ne!(trained(1, 2).weights, trained(2, 2).weights);
}

#[test]
fn its_bytes_give_the_model_back_and_hold_no_word() {
    let classifier = trained(2);
    let bytes = classifier.to_bytes();
    assert_eq!(Classifier::from_bytes(&bytes).unwrap(), classifier);
    for word in WORDS.iter().flatten().chain(&FILLERS) {
        assert!(!bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
    }
}

#[test]
fn damage_is_refused_and_so_is_a_later_format() {
    let bytes = trained(2).to_bytes();
    let refused = |bytes: &[u8]| Classifier::from_bytes(bytes).unwrap_err();
    for at in (0..bytes.len()).step_by(97).chain(bytes.len() - 40..bytes.len()) {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        assert!(matches!(refused(&altered), ClassifierError::Damaged { .. } | ClassifierError::Newer { .. }));
        assert!(matches!(refused(&bytes[..at]), ClassifierError::Damaged { .. }), "cut at {at}");
    }
    let mut later = bytes;
    later[8] = 2;
    let error = refused(&later);
    assert_eq!(error.code(), "classifier-newer");
    assert!(error.to_string().contains("update the program or train it again"), "{error}");
}

/// Format 1 as it was written when it was new: whoever changes what is read off a text breaks this.
#[test]
fn a_file_of_the_first_format_still_decides_as_it_did() {
    let classifier = Classifier::from_bytes(include_bytes!("format-1.model")).unwrap();
    let prediction = classifier.predict("Urgent\nthe printers have no toner", None).unwrap();
    assert_eq!((prediction.label.as_str(), prediction.is_sure), ("printer", true));
    assert!((prediction.ranked[1].1 - 0.004_961_53).abs() < 1e-6, "{prediction:?}");
}

#[test]
fn what_cannot_be_learnt_from_is_refused() {
    let tickets = tickets(20, 0, 1);
    let mut samples = samples(&tickets);
    let code = |samples: &[Sample<'_>], wanted_precision| {
        let options = TrainOptions { wanted_precision, ..TrainOptions::default() };
        Classifier::train(samples, &options).unwrap_err().code()
    };
    for wanted in [0.0, 1.0, f64::NAN] {
        assert_eq!(code(&samples, wanted), "classifier-precision");
    }
    assert_eq!(code(&[], 0.9), "classifier-too-few-tickets");
    samples[3].vector = Some(&[1.0]);
    assert_eq!(code(&samples, 0.9), "classifier-vector-size");
    samples.iter_mut().for_each(|sample| (sample.label, sample.vector) = ("same", None));
    assert_eq!(code(&samples, 0.9), "classifier-too-few-tickets");
    let labels: Vec<String> = (0..1_001).map(|number| number.to_string()).collect();
    let many: Vec<Sample<'_>> = labels.iter().map(|label| Sample { text: "", vector: None, label }).collect();
    assert_eq!(code(&many, 0.9), "classifier-too-many-labels");
}
