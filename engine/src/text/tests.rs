//! Does the index find, score and keep what it should?

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tempfile::TempDir;

use super::{TermScore, TextDocument, TextError, TextHit, TextIndex, TextView};
use crate::visible::Visible;

fn open(folder: &TempDir) -> TextIndex {
    TextIndex::open(folder.path()).unwrap()
}

fn document(position: u64, body: &str) -> TextDocument<'_> {
    TextDocument { position, title: "", body, names: "", digest: position * 7 }
}

/// An index of `bodies` at the positions from 1, committed after every `segment` documents.
fn index_of(folder: &TempDir, bodies: &[String], segment: usize) -> TextIndex {
    let mut index = open(folder);
    for (position, body) in (1..).zip(bodies) {
        index.add(&document(position, body)).unwrap();
        if (position as usize).is_multiple_of(segment) {
            index.commit(position).unwrap();
        }
    }
    index.commit(bodies.len() as u64).unwrap();
    index
}

fn search(view: &TextView, query: &str, visible: &Visible, limit: usize) -> Vec<TextHit> {
    view.search(query, visible, limit, None).unwrap().iter().collect()
}

/// The words of each hit, with their shares.
fn words(view: &TextView, query: &str, visible: &Visible) -> Vec<Vec<TermScore>> {
    let found = view.search(query, visible, 5_000, None).unwrap();
    found.iter().map(|hit| found.terms(hit.position).unwrap()).collect()
}

fn positions(hits: &[TextHit]) -> Vec<u64> {
    hits.iter().map(|hit| hit.position).collect()
}

/// Texts of 1 to 40 words out of 30, none of which is stemmed, split or a stop word.
fn made_up(count: usize) -> Vec<String> {
    let mut state = 7_u64;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    (0..count)
        .map(|_| {
            let length = 1 + next(40);
            (0..length).map(|_| made_up_word(next(30).min(next(30)))).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

fn made_up_word(number: u64) -> String {
    format!("{}orkub", char::from(b'a' + (number % 26) as u8)).repeat(1 + number as usize / 26)
}

/// BM25 word for word from its formula.
fn plain_bm25(bodies: &[String], visible: &Visible, query: &str) -> Vec<(u64, f64)> {
    let seen: Vec<(u64, Vec<&str>)> = (1..)
        .zip(bodies)
        .filter(|(position, _)| visible.contains(*position))
        .map(|(position, body)| (position, body.split_whitespace().collect()))
        .collect();
    let count = seen.len() as f64;
    let mean = seen.iter().map(|(_, words)| words.len()).sum::<usize>() as f64 / count;
    let mut scores: Vec<(u64, f64)> = seen
        .iter()
        .map(|(position, words)| {
            let length =
                1.0 - f64::from(super::search::B) + f64::from(super::search::B) * words.len() as f64 / mean;
            let score = query.split_whitespace().map(|term| {
                let holding = seen.iter().filter(|(_, words)| words.contains(&term)).count() as f64;
                let frequency = words.iter().filter(|word| **word == term).count() as f64;
                let idf = (1.0 + (count - holding + 0.5) / (holding + 0.5)).ln();
                idf * frequency / (frequency + f64::from(super::search::K1) * length)
            });
            (*position, score.sum())
        })
        .filter(|(_, score)| *score > 0.0)
        .collect();
    scores.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    scores
}

#[test]
fn scores_are_those_of_the_plain_formula_over_the_visible_documents() {
    let folder = TempDir::new().unwrap();
    let bodies = made_up(400);
    let mut index = index_of(&folder, &bodies, 150);
    index.remove(400);
    let view = index.commit(400).unwrap();
    let mut third = Visible::none(400);
    (3..400).step_by(3).for_each(|position| third.insert(position));
    for visible in [Visible::all(399), third] {
        for query in made_up(60).into_iter().skip(40) {
            let expected = plain_bm25(&bodies, &visible, &query);
            let found = search(&view, &query, &visible, 1_000);
            assert_eq!(found.len(), expected.len());
            let words = words(&view, &query, &visible);
            for (rank, (hit, (_, score))) in found.iter().zip(&expected).enumerate() {
                let own = expected.iter().find(|(position, _)| *position == hit.position).unwrap().1;
                assert!((f64::from(hit.score) - own).abs() < 1e-5 * own, "{query}: {hit:?} {own}");
                assert!((f64::from(hit.score) - score).abs() < 1e-5 * score, "{query}: rank {rank}");
                let sum: f32 = words[rank].iter().map(|term| term.score).sum();
                assert!((sum - hit.score).abs() < 1e-5 * hit.score, "{hit:?}");
            }
        }
    }
}

#[test]
fn neither_merges_nor_what_is_not_visible_change_a_score() {
    let folder = TempDir::new().unwrap();
    let bodies = made_up(300);
    let mut index = index_of(&folder, &bodies, 70);
    let visible = Visible::all(200);
    let queries = made_up(10);
    let answers =
        |view: &TextView| queries.iter().map(|query| search(view, query, &visible, 50)).collect::<Vec<_>>();

    let before = answers(&index.view());
    assert!(before.iter().all(|hits| hits.len() == 50));
    assert_eq!(answers(&index.merge_all()), before, "a merge");
    (201..=250).for_each(|position| index.remove(position));
    assert_eq!(answers(&index.commit(300).unwrap()), before, "removed documents that were not visible");
    index.add(&document(301, &bodies.join(" "))).unwrap();
    assert_eq!(answers(&index.commit(301).unwrap()), before, "an added document that is not visible");
    assert_eq!(answers(&index.compact().unwrap()), before, "compaction");

    let alone = TempDir::new().unwrap();
    assert_eq!(
        answers(&index_of(&alone, &bodies[..200], 200).view()),
        before,
        "an index of the visible ones alone"
    );
}

#[test]
fn equal_scores_go_by_position_and_fewer_hits_are_the_first_of_more() {
    let folder = TempDir::new().unwrap();
    let mut bodies = vec!["disk full".to_owned(); 3_000];
    bodies.extend(vec!["disk".to_owned(); 3_000]);
    let mut index = index_of(&folder, &bodies, 1_300);
    let visible = Visible::all(6_000);
    for view in [index.view(), index.merge_all()] {
        let most = search(&view, "disk", &visible, 6_000);
        assert_eq!(positions(&most), (3_001..=6_000).chain(1..=3_000).collect::<Vec<_>>());
        for limit in [0, 1, 2, 700, 3_000, 5_999] {
            assert_eq!(search(&view, "disk", &visible, limit), most[..limit], "{limit} hits");
        }
    }
}

#[test]
fn titles_count_twice_and_names_once() {
    let folder = TempDir::new().unwrap();
    let mut index = open(&folder);
    let with = |position, title, names, body| TextDocument { position, title, body, names, digest: 0 };
    index.add(&with(1, "printer", "", "filler words")).unwrap();
    index.add(&with(2, "", "", "printer printer filler words")).unwrap();
    index.add(&with(3, "", "printer", "filler words filler")).unwrap();
    let view = index.commit(3).unwrap();
    let hits = search(&view, "printer", &Visible::all(3), 3);
    assert_eq!(positions(&hits), [1, 2, 3]);
    assert_eq!(hits[0].score, hits[1].score);
    assert!(hits[2].score < hits[1].score);
}

#[test]
fn identifiers_are_found_whole_and_by_their_parts() {
    let folder = TempDir::new().unwrap();
    let bodies = [
        "alert KubePodCrashLooping fired",
        "broken since the upgrade to 4.1.1.2 of last week",
        "broken since the upgrade to 4.1.2.1 of last week",
        "see node_filesystem_avail for the free space",
        "the pod was moved",
    ]
    .map(str::to_owned);
    let view = index_of(&folder, &bodies, 5).view();
    let first = |query| positions(&search(&view, query, &Visible::all(5), 5)).first().copied();
    assert_eq!(first("kubepodcrashlooping"), Some(1));
    assert_eq!(first("it keeps crashing and looping"), Some(1));
    assert_eq!(first("CrashLooping"), Some(1));
    assert_eq!(first("what changed in 4.1.1.2?"), Some(2));
    assert_eq!(first("4.1.2.1"), Some(3));
    assert_eq!(first("filesystems"), Some(4));

    let hits = search(&view, "Pods of KubePodCrashLooping", &Visible::all(5), 5);
    assert_eq!(positions(&hits), [1, 5]);
    let words = words(&view, "Pods of KubePodCrashLooping", &Visible::all(5));
    let terms: Vec<&str> = words[0].iter().map(|term| term.term.as_str()).collect();
    assert_eq!(terms[0], "KubePodCrashLooping");
    assert_eq!(
        terms[1..].iter().copied().collect::<HashSet<_>>(),
        HashSet::from(["Pods", "Kube", "Crash", "Looping"])
    );
    assert_eq!(words[1].len(), 1);
}

#[test]
fn a_query_is_plain_text() {
    let folder = TempDir::new().unwrap();
    let bodies = ["disk errors", "network errors"].map(str::to_owned);
    let view = index_of(&folder, &bodies, 2).view();
    let found = |query| positions(&search(&view, query, &Visible::all(2), 5));
    assert_eq!(found("-disk"), [1]);
    assert_eq!(found("text:disk AND (network"), [1, 2]);
    assert_eq!(found("dis* \"disk network\"~2 ^"), [1, 2]);
    assert_eq!(found(""), Vec::<u64>::new());
    assert_eq!(found("the of and ?!"), Vec::<u64>::new());
    assert_eq!(search(&view, "disk", &Visible::none(2), 5), []);
}

#[test]
fn of_a_very_long_query_the_rarest_terms_count() {
    let folder = TempDir::new().unwrap();
    let rare: Vec<String> =
        (0..super::search::MAX_QUERY_TERMS).map(|number| format!("{number:05}")).collect();
    let mut bodies = vec!["common".to_owned(); 2];
    bodies.push(format!("common {}", rare.join(" ")));
    let view = index_of(&folder, &bodies, 3).view();
    let visible = Visible::all(3);
    let query = |terms: usize| format!("common absent {}", rare[..terms].join(" "));
    assert_eq!(search(&view, &query(10), &visible, 5).len(), 3);
    let hits = search(&view, &query(rare.len()), &visible, 5);
    assert_eq!(positions(&hits), [3]);
    assert_eq!(words(&view, &query(rare.len()), &visible)[0].len(), rare.len());

    let long = "x ".repeat(super::query::MAX_QUERY_BYTES / 2) + "common";
    assert_eq!(search(&view, &long, &visible, 5), []);
}

#[test]
fn a_search_that_takes_too_long_gives_an_error() {
    let folder = TempDir::new().unwrap();
    let view = index_of(&folder, &made_up(10), 10).view();
    let late = view.search("aorkub", &Visible::all(10), 5, Some(Instant::now()));
    assert!(matches!(late, Err(TextError::DeadlineExceeded)));
}

#[test]
fn what_is_not_committed_is_lost_and_what_is_survives() {
    let folder = TempDir::new().unwrap();
    let mut index = open(&folder);
    assert_eq!(index.position(), 0);
    index.add(&document(1, "first")).unwrap();
    index.commit(4).unwrap();
    index.add(&document(5, "second")).unwrap();
    index.remove(1);
    drop(index);

    let mut index = open(&folder);
    assert_eq!(index.position(), 4);
    let held = |view: &TextView| view.documents().unwrap().collect::<Vec<_>>();
    assert_eq!(held(&index.view()), [(1, 7)]);
    assert_eq!(positions(&search(&index.view(), "first second", &Visible::all(9), 5)), [1]);

    index.add(&document(5, "second")).unwrap();
    index.rollback().unwrap();
    let old = index.commit(5).unwrap();
    assert_eq!(held(&old), [(1, 7)]);

    index.add(&document(6, "second")).unwrap();
    index.remove(1);
    let new = index.commit(6).unwrap();
    assert_eq!((held(&old), held(&new)), (vec![(1, 7)], vec![(6, 42)]));
    assert_eq!(positions(&search(&old, "first second", &Visible::all(9), 5)), [1]);
    drop(index.merge_all());
    drop(index);
    let mut index = open(&folder);
    assert_eq!((index.position(), held(&index.view())), (6, vec![(6, 42)]));

    assert_eq!(held(&index.clear().unwrap()), []);
    drop(index);
    assert_eq!(open(&folder).position(), 0);
}

#[test]
fn compaction_erases_the_words_of_removed_documents() {
    let folder = TempDir::new().unwrap();
    let bodies = ["zzsecretzz one".to_owned(), "zzpublic two".to_owned()];
    let mut index = index_of(&folder, &bodies, 2);
    index.remove(1);
    let view = index.commit(3).unwrap();
    assert!(view.holds_word("zzsecretzz"));
    drop(view);
    let before = files(folder.path(), ".term");
    let view = index.compact().unwrap();
    assert!(!view.holds_word("zzsecretzz") && view.holds_word("zzpublic"));
    assert!(before.iter().all(|file| !file.exists()));
    assert_eq!(positions(&search(&view, "zzsecretzz two", &Visible::all(2), 5)), [2]);
    assert_eq!(index.position(), 3);
}

#[test]
fn damage_is_told_with_the_file() {
    for ending in ["idx", "term", "fast"] {
        let folder = TempDir::new().unwrap();
        let index = index_of(&folder, &made_up(50), 50);
        index.view().check().unwrap();
        let file = files(folder.path(), ending).remove(0);
        let mut bytes = fs::read(&file).unwrap();
        let sound = bytes.clone();
        bytes[20] ^= 1;
        fs::write(&file, &bytes).unwrap();
        let damage = index.view().check();
        assert!(
            matches!(&damage, Err(TextError::Corrupt { file: named, .. }) if *named == file),
            "{damage:?}"
        );
        drop(index);

        fs::write(&file, &sound[..sound.len() - 3]).unwrap();
        let damage = TextIndex::open(folder.path()).err();
        assert!(
            matches!(&damage, Some(TextError::Corrupt { file: named, .. }) if *named == file),
            "{damage:?}"
        );
        fs::remove_file(&file).unwrap();
        let damage = TextIndex::open(folder.path()).err();
        assert!(
            matches!(&damage, Some(TextError::Corrupt { file: named, .. }) if *named == file),
            "{damage:?}"
        );
    }
}

#[test]
fn an_index_that_cannot_be_used_says_why() {
    let folder = TempDir::new().unwrap();
    let index = index_of(&folder, &made_up(3), 3);
    assert!(matches!(TextIndex::open(folder.path()), Err(TextError::InUse { .. })));
    drop(index);

    let meta = folder.path().join("meta.json");
    let sound = fs::read_to_string(&meta).unwrap();
    fs::write(&meta, sound.replace(super::analysis::ANALYSIS_NAME, "older")).unwrap();
    assert!(matches!(TextIndex::open(folder.path()), Err(TextError::OtherFormat { .. })));
    fs::write(&meta, &sound[..sound.len() / 2]).unwrap();
    let error = TextIndex::open(folder.path()).err().unwrap();
    assert_eq!(error.code(), "text-corrupt");
    assert!(error.to_string().contains("meta.json"), "{error}");
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|file| file.to_string_lossy().ends_with(ending)).collect()
}

#[test]
fn a_word_counts_by_how_few_visible_documents_have_it() {
    let folder = TempDir::new().unwrap();
    let bodies = ["disk full", "disk slow", "disk KubePod", "takeover"].map(str::to_owned);
    let view = index_of(&folder, &bodies, 10).view();
    let rarity = |visible: u64, word: &str| {
        let hits = view.search("the disk takeover of KubePod", &Visible::all(visible), 10, None).unwrap();
        hits.rarity()(word)
    };
    let idf = |documents: f32, frequency: f32| (1.0 + (documents - frequency + 0.5) / (frequency + 0.5)).ln();
    let near =
        |found: f32, expected: f32| assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
    near(rarity(4, "takeover"), idf(4.0, 1.0));
    near(rarity(4, "Pod"), idf(4.0, 1.0));
    // At least one, for what most documents have and for what is no term.
    for word in ["disk", "the", ","] {
        near(rarity(4, word), 1.0);
    }
    // What only a hidden document has is as rare as what none has.
    near(rarity(3, "takeover"), idf(3.0, 0.0));
    near(rarity(3, "nowhere"), idf(3.0, 0.0));
}
