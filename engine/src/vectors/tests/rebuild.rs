//! Does an index that came to be by changes find what one finds that is built of the end of the log alone?

use tempfile::TempDir;

use super::super::sample::{Random, clustered};
use super::super::{SearchMode, VectorIndex, VectorSettings, VectorView};
use super::{hash, key};
use crate::visible::Visible;

const DIMENSIONS: usize = 64;
const POSITIONS: u64 = 5_000;
const QUERIES: usize = 150;

fn open(folder: &TempDir) -> VectorIndex {
    let settings = VectorSettings { seal_from: 500, walk_cost: 100, ..VectorSettings::default() };
    VectorIndex::open(folder.path(), DIMENSIONS, settings).unwrap()
}

/// Holds a view against the exact answers of another: the same when it scans, 99 of 100 when it walks.
fn compare(view: &VectorView, exact: &VectorView, queries: &[Vec<f32>], when: &str) {
    let visible = Visible::all(POSITIONS);
    let (mut right, mut all) = (0, 0);
    for query in queries {
        let expected = exact.search(query, &visible, 10, SearchMode::Exact, None).unwrap();
        assert_eq!(view.search(query, &visible, 10, SearchMode::Exact, None).unwrap(), expected, "{when}");
        let walked = view.search(query, &visible, 10, SearchMode::Hnsw, None).unwrap();
        right += expected.hits.iter().filter(|hit| walked.hits.contains(hit)).count();
        all += expected.hits.len();
    }
    let recall = right as f64 / all as f64;
    assert!(all == 10 * QUERIES && recall >= 0.99, "{when}: recall {recall} of {all}");
}

#[test]
fn changes_and_merges_find_what_a_rebuild_finds() {
    let mut vectors = clustered(POSITIONS as usize + QUERIES, 50, DIMENSIONS, 41);
    let queries = vectors.split_off(POSITIONS as usize);
    let (grown, built) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut random = Random::new(42);
    let mut index = open(&grown);
    let mut alive: Vec<u64> = Vec::new();
    let vector = |position: u64| vectors[position as usize - 1].clone();
    for position in 1..=POSITIONS {
        // Every third entry of the log takes an earlier revision away, most also bring one.
        if position % 3 == 0 {
            index.remove(alive.swap_remove(random.below(alive.len())));
        }
        if position % 10 != 0 {
            index.add(&[(key(position), hash(position), Some(vector(position)))]).unwrap();
            alive.push(position);
        }
        if position % 100 == 0 {
            index.commit(position).unwrap();
        }
        if position == 3_000 || position == 4_200 {
            index.seal().unwrap();
        }
    }
    alive.sort_unstable();
    let mut rebuilt = open(&built);
    for &position in &alive {
        rebuilt.add(&[(key(position), hash(position), Some(vector(position)))]).unwrap();
    }
    let plain = rebuilt.commit(POSITIONS).unwrap();
    assert_eq!((plain.len(), index.view().len()), (alive.len(), alive.len()));
    let (segments, scanned) = (index.parts.len(), index.view().inner.delta.len());
    assert!(segments == 2 && scanned > 100, "{segments} segments, {scanned} scanned");
    compare(&index.view(), &plain, &queries, "grown, before it is merged");
    compare(&rebuilt.seal().unwrap(), &plain, &queries, "rebuilt and sealed");
    // Enough goes that every segment is thin, and all become one.
    let gone: Vec<u64> = alive.iter().copied().filter(|position| position % 2 == 0).collect();
    for index in [&mut index, &mut rebuilt] {
        gone.iter().for_each(|&position| index.remove(position));
        index.commit(POSITIONS).unwrap();
    }
    let exact = rebuilt.view();
    compare(&index.view(), &exact, &queries, "half is gone");
    compare(&index.seal().unwrap(), &exact, &queries, "merged");
    assert_eq!(index.parts.len(), 1);
    compare(&rebuilt.seal().unwrap(), &exact, &queries, "rebuilt and merged");
}
