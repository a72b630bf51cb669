//! Does a walk find what a scan finds?

use hnsw_rs::anndists::dist::distances::DistDot;
use hnsw_rs::hnsw::Hnsw;
use tempfile::TempDir;

use super::super::dot::dot;
use super::super::sample::clustered;
use super::super::{PassageKey, SearchMode, VectorHit, VectorIndex, VectorSettings, VectorView};
use super::{add, hash, key};
use crate::visible::Visible;

const DIMENSIONS: usize = 64;
const ROWS: usize = 6_000;
const QUERIES: usize = 200;

fn sealed(folder: &TempDir, vectors: &[Vec<f32>]) -> VectorIndex {
    let settings = VectorSettings { seal_from: 100, walk_cost: 100, ..VectorSettings::default() };
    let mut index = VectorIndex::open(folder.path(), DIMENSIONS, settings).unwrap();
    add(&mut index, 1, vectors);
    index.commit(vectors.len() as u64).unwrap();
    index.seal().unwrap();
    index
}

/// Part of the ten nearest that a walk finds, over all queries.
fn recall(view: &VectorView, queries: &[Vec<f32>], visible: &Visible, mode: SearchMode) -> f64 {
    let (mut right, mut all) = (0, 0);
    for query in queries {
        let exact = view.search(query, visible, 10, SearchMode::Exact, None).unwrap();
        let walked = view.search(query, visible, 10, mode, None).unwrap();
        assert!(exact.exact && walked.hits.is_sorted());
        assert!(walked.hits.iter().all(|hit| visible.contains(hit.key.position())));
        right += exact.hits.iter().filter(|hit| walked.hits.contains(hit)).count();
        all += exact.hits.len();
    }
    right as f64 / all as f64
}

#[test]
fn a_walk_finds_99_of_100_neighbours_with_and_without_a_filter() {
    let folder = TempDir::new().unwrap();
    let mut vectors = clustered(ROWS + QUERIES, 60, DIMENSIONS, 31);
    let queries = vectors.split_off(ROWS);
    let view = sealed(&folder, &vectors).view();
    for every in [1, 2, 10] {
        let mut visible = Visible::none(ROWS as u64);
        (1..=ROWS as u64)
            .filter(|position| position % every == 0)
            .for_each(|position| visible.insert(position));
        let recall = recall(&view, &queries, &visible, SearchMode::Hnsw);
        assert!(recall >= 0.99, "recall {recall} when every {every}. passage is visible");
    }
    let visible = Visible::all(ROWS as u64);
    let walked = queries
        .iter()
        .filter(|query| !view.search(query, &visible, 10, SearchMode::Auto, None).unwrap().exact);
    assert!(walked.count() > QUERIES / 2, "the faster way is to walk");
    let mut few = Visible::none(ROWS as u64);
    (1..=200).for_each(|position| few.insert(position * 30));
    assert!(view.search(&queries[0], &few, 10, SearchMode::Auto, None).unwrap().exact, "few are scanned");
}

#[test]
fn our_walk_is_as_good_as_the_builders_own() {
    let folder = TempDir::new().unwrap();
    let mut vectors = clustered(ROWS + QUERIES, 60, DIMENSIONS, 32);
    let queries = vectors.split_off(ROWS);
    let view = sealed(&folder, &vectors).view();
    let visible = Visible::all(ROWS as u64);
    let settings = VectorSettings::default();
    let peer = Hnsw::new(settings.connections, ROWS, 16, settings.ef_construction, DistDot);
    vectors.iter().enumerate().for_each(|(at, vector)| peer.insert((vector, at)));
    let mut right = 0;
    for query in &queries {
        let exact = view.search(query, &visible, 10, SearchMode::Exact, None).unwrap();
        let found: Vec<PassageKey> =
            peer.search(query, 10, 128).iter().map(|found| key(found.d_id as u64 + 1)).collect();
        right += exact.hits.iter().filter(|hit| found.contains(&hit.key)).count();
    }
    let theirs = right as f64 / (10 * QUERIES) as f64;
    let ours = recall(&view, &queries, &visible, SearchMode::Hnsw);
    assert!(ours >= theirs - 0.002, "ours {ours}, theirs {theirs}");
}

#[test]
fn every_passage_is_found_by_its_own_vector_even_among_thousands_of_equals() {
    let folder = TempDir::new().unwrap();
    let vectors = clustered(3_000, 30, DIMENSIONS, 33);
    let settings = VectorSettings { seal_from: 100, walk_cost: 0, ..VectorSettings::default() };
    let mut index = VectorIndex::open(folder.path(), DIMENSIONS, settings).unwrap();
    add(&mut index, 1, &vectors);
    // One boilerplate text in 2,000 revisions.
    (3_001..=5_000).for_each(|position| index.add(&[(key(position), hash(1), None)]).unwrap());
    index.commit(5_000).unwrap();
    let view = index.seal().unwrap();
    let visible = Visible::all(5_000);
    for (position, vector) in (1..).zip(&vectors) {
        let hits = view.search(vector, &visible, 1, SearchMode::Hnsw, None).unwrap().hits;
        assert_eq!(hits[0].key, key(position));
    }
    let hits = view.search(&vectors[0], &visible, 30, SearchMode::Hnsw, None).unwrap().hits;
    let expected: Vec<PassageKey> = std::iter::once(1).chain(3_001..3_030).map(key).collect();
    assert_eq!(hits.iter().map(|hit| hit.key).collect::<Vec<_>>(), expected, "equals come by key");
}

#[test]
fn a_scan_by_codes_finds_what_plain_comparison_finds() {
    let folder = TempDir::new().unwrap();
    let vectors = clustered(1_500, 15, DIMENSIONS, 36);
    let mut index = sealed(&folder, &vectors[..1_000]);
    add(&mut index, 1_001, &vectors[1_000..]);
    let view = index.commit(1_500).unwrap();
    for every in [1, 7, 100] {
        let mut visible = Visible::none(1_500);
        (1..=1_500).filter(|position| position % every == 0).for_each(|position| visible.insert(position));
        for query in vectors.iter().step_by(50) {
            let mut plain: Vec<VectorHit> = (1..)
                .zip(&vectors)
                .filter(|(position, _)| visible.contains(*position))
                .map(|(position, vector)| VectorHit { key: key(position), cosine: dot(query, vector) })
                .collect();
            plain.sort();
            for limit in [1, 10, 400, 2_000] {
                let scanned = view.search(query, &visible, limit, SearchMode::Exact, None).unwrap().hits;
                assert_eq!(scanned, plain[..limit.min(plain.len())], "every {every}. visible, limit {limit}");
            }
        }
    }
}

#[test]
fn the_nearest_passage_of_a_revision_is_that_of_plain_comparison() {
    let folder = TempDir::new().unwrap();
    let vectors = clustered(1_200, 12, DIMENSIONS, 39);
    let settings = VectorSettings { seal_from: 100, ..VectorSettings::default() };
    let mut index = VectorIndex::open(folder.path(), DIMENSIONS, settings).unwrap();
    // Revisions 1 to 100 have 10 passages each, the tenth with the text of the first; 200 more have one.
    for (at, vector) in vectors.iter().enumerate() {
        let (position, ordinal) = if at < 1_000 { (at / 10 + 1, at % 10) } else { (at - 899, 0) };
        let (text, vector) = if ordinal == 9 { (at - 9, None) } else { (at, Some(vector.clone())) };
        index.add(&[(PassageKey::new(position as u64, ordinal as u16), hash(text as u64), vector)]).unwrap();
        if at == 900 {
            index.commit(90).unwrap();
            index.seal().unwrap();
        }
    }
    index.remove(17);
    let view = index.commit(301).unwrap();
    let positions: Vec<u64> = (1..=302).collect();
    for query in vectors.iter().step_by(100) {
        for (&position, found) in positions.iter().zip(view.nearest_of(query, &positions)) {
            let keys = (0..10).map(|ordinal| PassageKey::new(position, ordinal));
            let plain =
                keys.filter_map(|key| Some(VectorHit { key, cosine: dot(query, &view.vector(key)?) }));
            assert_eq!(found, plain.min(), "revision {position}");
            assert_eq!(found.is_none(), position == 17 || position > 300, "revision {position}");
        }
    }
}

#[test]
fn the_graph_does_not_depend_on_threads() {
    let vectors = clustered(2_500, 25, DIMENSIONS, 37);
    let on = |threads: usize| {
        let folder = TempDir::new().unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| drop(sealed(&folder, &vectors)));
        std::fs::read(folder.path().join("segment-00000001.vectors")).unwrap()
    };
    assert!(on(1) == on(4), "the segments differ");
}

#[test]
fn a_segment_without_codes_is_walked_as_well() {
    let folder = TempDir::new().unwrap();
    let mut vectors = clustered(ROWS + QUERIES, 60, DIMENSIONS, 38);
    let queries = vectors.split_off(ROWS);
    let settings = VectorSettings { seal_from: 100, coded: false, ..VectorSettings::default() };
    let mut index = VectorIndex::open(folder.path(), DIMENSIONS, settings).unwrap();
    add(&mut index, 1, &vectors);
    index.commit(ROWS as u64).unwrap();
    let view = index.seal().unwrap();
    let recall = recall(&view, &queries, &Visible::all(ROWS as u64), SearchMode::Hnsw);
    assert!(recall >= 0.99, "recall {recall}");
    index.check().unwrap();
}

#[test]
fn a_scan_gives_the_same_on_one_thread_as_on_four() {
    let folder = TempDir::new().unwrap();
    let settings = VectorSettings { seal_from: usize::MAX, ..VectorSettings::default() };
    let mut index = VectorIndex::open(folder.path(), 8, settings).unwrap();
    // Few different vectors, so that nearly all cosines are ties.
    let vectors = clustered(50, 5, 8, 34);
    for position in 1..=40_000u64 {
        let text = position % 50;
        let vector = (position <= 50).then(|| vectors[text as usize].clone());
        index.add(&[(key(position), hash(text), vector)]).unwrap();
    }
    let view = index.commit(40_000).unwrap();
    let visible = Visible::all(40_000);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| view.search(&vectors[3], &visible, 1_000, SearchMode::Exact, None).unwrap())
    };
    let (one, four) = (on(1), on(4));
    assert_eq!(one, four);
    assert_eq!(one.hits[..3].iter().map(|hit| hit.key.position()).collect::<Vec<_>>(), [3, 53, 103]);
}

#[test]
fn a_walk_that_meets_nothing_visible_becomes_a_scan() {
    let folder = TempDir::new().unwrap();
    // Two subjects; only the half that is far from the queries is visible.
    let mut vectors = clustered(4_100, 2, DIMENSIONS, 35);
    let first = vectors[0].clone();
    let is_near = |vector: &Vec<f32>| dot(&first, vector) > 0.3;
    let queries: Vec<Vec<f32>> =
        vectors.split_off(4_000).into_iter().filter(|query| is_near(query)).collect();
    let view = sealed(&folder, &vectors).view();
    let mut visible = Visible::none(4_000);
    (1..)
        .zip(&vectors)
        .filter(|(_, vector)| !is_near(vector))
        .for_each(|(position, _)| visible.insert(position));
    assert!((1_500..2_500).contains(&visible.count()) && queries.len() > 30);
    for query in &queries {
        let exact = view.search(query, &visible, 10, SearchMode::Exact, None).unwrap();
        assert_eq!(view.search(query, &visible, 10, SearchMode::Auto, None).unwrap(), exact);
    }
}
