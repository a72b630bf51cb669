//! Does the index keep what it promises?

use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::sample::{Random, clustered};
use super::{
    PassageKey, SearchMode, TextHash, VectorError, VectorHit, VectorHits, VectorIndex, VectorSettings,
    VectorView,
};
use crate::visible::Visible;

mod damage;
mod frozen;
mod rebuild;
mod recall;

const DIMENSIONS: usize = 32;

/// Small segments, so that tests are quick, and the graph wherever it can be.
fn settings() -> VectorSettings {
    VectorSettings {
        connections: 8,
        ef_construction: 60,
        seal_from: 50,
        walk_cost: 10,
        ..VectorSettings::default()
    }
}

fn open(folder: &Path) -> VectorIndex {
    VectorIndex::open(folder, DIMENSIONS, settings()).unwrap()
}

fn hash(number: u64) -> TextHash {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    TextHash(bytes)
}

fn key(position: u64) -> PassageKey {
    PassageKey::new(position, 0)
}

/// One passage for each vector, at positions from `first`, all texts different.
fn add(index: &mut VectorIndex, first: u64, vectors: &[Vec<f32>]) {
    for (position, vector) in (first..).zip(vectors) {
        index.add(&[(key(position), hash(position), Some(vector.clone()))]).unwrap();
    }
}

fn found(view: &VectorView, query: &[f32], limit: usize) -> Vec<u64> {
    let visible = Visible::all(view.position());
    let hits = view.search(query, &visible, limit, SearchMode::Exact, None).unwrap();
    hits.hits.iter().map(|hit| hit.key.position()).collect()
}

fn segments(folder: &Path) -> Vec<String> {
    let names =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("segment-")).collect();
    names.sort();
    names
}

#[test]
fn what_is_committed_is_there_after_reopening_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let vectors = clustered(10, 3, DIMENSIONS, 1);
    let mut index = open(folder.path());
    assert_eq!(index.position(), 0);
    add(&mut index, 1, &vectors[..5]);
    let view = index.commit(5).unwrap();
    add(&mut index, 6, &vectors[5..]);
    index.remove(1);
    assert_eq!(index.cached(&[hash(6), hash(99)]).unwrap(), [Some(vectors[5].clone()), None]);
    drop(index);

    let index = open(folder.path());
    assert_eq!((index.position(), index.view().len(), view.len()), (5, 5, 5));
    assert_eq!(index.cached(&[hash(1), hash(6)]).unwrap(), [Some(vectors[0].clone()), None]);
    let passages: Vec<_> = index.passages().unwrap().collect();
    assert_eq!(passages, (1..=5).map(|position| (key(position), hash(position))).collect::<Vec<_>>());
    assert_eq!(found(&index.view(), &vectors[2], 1), [3]);
    assert_eq!(index.view().vector(key(3)), Some(vectors[2].clone()));
    assert_eq!(index.view().vector(key(6)), None);
    index.check().unwrap();
}

#[test]
fn a_cached_text_needs_no_vector_and_an_unknown_one_is_refused() {
    let folder = TempDir::new().unwrap();
    let vectors = clustered(2, 1, DIMENSIONS, 2);
    let mut index = open(folder.path());
    index.add(&[(key(1), hash(7), Some(vectors[0].clone())), (key(2), hash(7), None)]).unwrap();
    index.commit(2).unwrap();
    index.remove(1);
    index.remove(2);
    index.add(&[(key(3), hash(7), None)]).unwrap();
    let view = index.commit(3).unwrap();
    assert_eq!(found(&view, &vectors[0], 9), [3]);
    let error = index.add(&[(key(4), hash(8), None)]).unwrap_err();
    assert!(matches!(error, VectorError::Missing { key } if key.position() == 4), "{error}");
    for bad in [vec![0.0; DIMENSIONS], vec![f32::NAN; DIMENSIONS], vec![1.0; DIMENSIONS]] {
        let error = index.add(&[(key(4), hash(8), Some(bad.clone()))]).unwrap_err();
        assert_eq!(error.code(), "vectors-not-unit");
        let visible = Visible::all(3);
        assert_eq!(
            view.search(&bad, &visible, 1, SearchMode::Auto, None).unwrap_err().code(),
            "vectors-not-unit"
        );
    }
    let error = index.add(&[(key(4), hash(8), Some(vec![1.0]))]).unwrap_err();
    assert_eq!(error.code(), "vectors-dimensions");
    assert_eq!(found(&index.commit(4).unwrap(), &vectors[0], 9), [3]);
}

#[test]
fn replaying_the_log_changes_nothing_and_a_changed_text_replaces() {
    let folder = TempDir::new().unwrap();
    let vectors = clustered(120, 5, DIMENSIONS, 3);
    let mut index = open(folder.path());
    add(&mut index, 1, &vectors[..100]);
    index.commit(100).unwrap();
    index.seal().unwrap();
    for _ in 0..2 {
        add(&mut index, 1, &vectors[..100]);
        assert_eq!(index.commit(100).unwrap().len(), 100);
    }
    // Two passages change places, one in the segment with one that is new.
    index.add(&[(key(5), hash(1000), Some(vectors[110].clone())), (key(101), hash(5), None)]).unwrap();
    let view = index.commit(101).unwrap();
    assert_eq!(view.len(), 101);
    assert_eq!((found(&view, &vectors[4], 1), found(&view, &vectors[110], 1)), (vec![101], vec![5]));
    drop(index);
    let view = open(folder.path()).view();
    assert_eq!(view.len(), 101);
    assert_eq!((found(&view, &vectors[4], 1), found(&view, &vectors[110], 1)), (vec![101], vec![5]));
}

#[test]
fn changes_of_one_commit_are_made_in_order() {
    let folder = TempDir::new().unwrap();
    let vectors = clustered(4, 1, DIMENSIONS, 4);
    let mut index = open(folder.path());
    add(&mut index, 1, &vectors);
    index.remove(2);
    index.remove(3);
    index.add(&[(key(3), hash(3), None)]).unwrap();
    let view = index.commit(4).unwrap();
    let mut positions = found(&view, &vectors[0], 9);
    positions.sort_unstable();
    assert_eq!(positions, [1, 3, 4]);
}

/// The plainest index: a list of what is there.
#[test]
fn any_sequence_of_changes_leaves_what_a_plain_list_would() {
    let folder = TempDir::new().unwrap();
    let vectors = clustered(400, 20, DIMENSIONS, 5);
    let mut random = Random::new(6);
    let mut index = open(folder.path());
    let mut plain: Vec<(PassageKey, Vec<f32>)> = Vec::new();
    for position in 1..=900u64 {
        match random.below(10) {
            0 if position > 1 => {
                let old = 1 + random.below(position as usize - 1) as u64;
                if random.below(2) == 0 {
                    index.remove(old)
                } else {
                    index.purge(old)
                }
                plain.retain(|(key, _)| key.position() != old);
            }
            _ => {
                for ordinal in 0..random.below(3) as u16 {
                    let text = random.below(vectors.len());
                    let new = (PassageKey::new(position, ordinal), hash(text as u64));
                    index.add(&[(new.0, new.1, Some(vectors[text].clone()))]).unwrap();
                    plain.push((new.0, vectors[text].clone()));
                }
            }
        }
        if random.below(20) == 0 {
            index.commit(position).unwrap();
            match random.below(3) {
                0 => drop(index.seal().unwrap()),
                1 => {
                    drop(index);
                    index = open(folder.path());
                }
                _ => {}
            }
        }
    }
    let view = index.commit(900).unwrap();
    assert!(!segments(folder.path()).is_empty(), "nothing was sealed");
    index.check().unwrap();
    compare(&view, &plain, &vectors);
    drop(index);
    compare(&open(folder.path()).view(), &plain, &vectors);
}

fn compare(view: &VectorView, plain: &[(PassageKey, Vec<f32>)], queries: &[Vec<f32>]) {
    assert_eq!(view.len(), plain.len());
    let mut visible = Visible::none(900);
    (1..=900).filter(|position| position % 3 != 0).for_each(|position| visible.insert(position));
    for query in queries.iter().take(40) {
        let mut expected: Vec<VectorHit> = plain
            .iter()
            .filter(|(key, _)| visible.contains(key.position()))
            .map(|(key, vector)| VectorHit { key: *key, cosine: super::dot::dot(query, vector) })
            .collect();
        expected.sort_by(|a, b| b.cosine.total_cmp(&a.cosine).then(a.key.cmp(&b.key)));
        for limit in [1, 7, 50] {
            let hits = view.search(query, &visible, limit, SearchMode::Exact, None).unwrap();
            assert_eq!(hits, VectorHits { hits: expected[..limit].to_vec(), exact: true });
        }
    }
    for (key, vector) in plain {
        assert_eq!(view.vector(*key).as_ref(), Some(vector));
    }
}

#[test]
fn sealing_merges_small_segments_and_drops_the_dead() {
    let folder = TempDir::new().unwrap();
    let vectors = clustered(400, 8, DIMENSIONS, 7);
    let mut index = open(folder.path());
    let mut most = 0;
    for (turn, vectors) in vectors.chunks(50).enumerate() {
        add(&mut index, turn as u64 * 50 + 1, vectors);
        index.commit((turn as u64 + 1) * 50).unwrap();
        index.seal().unwrap();
        most = most.max(segments(folder.path()).len());
    }
    assert_eq!((segments(folder.path()).len(), most), (1, 3), "segments of 50, 100 and 200, then one of 400");
    let before = segments(folder.path());
    index.seal().unwrap();
    assert_eq!(segments(folder.path()), before, "nothing to do");
    let old_view = index.view();
    (1..=400).filter(|position| position % 2 == 0).for_each(|position| index.remove(position));
    index.commit(401).unwrap();
    assert_eq!(index.seal().unwrap().len(), 200);
    assert_ne!(segments(folder.path()), before);
    assert_eq!(found(&old_view, &vectors[1], 1), [2], "a view outlives its segment's file");
    (1..=400).for_each(|position| index.remove(position));
    index.commit(402).unwrap();
    assert_eq!(index.seal().unwrap().len(), 0);
    assert!(segments(folder.path()).is_empty());
}

#[test]
fn purging_leaves_no_byte_of_the_vector_unless_another_passage_has_it() {
    let folder = TempDir::new().unwrap();
    let vectors = clustered(100, 4, DIMENSIONS, 8);
    let mut index = open(folder.path());
    add(&mut index, 1, &vectors);
    index.add(&[(key(101), hash(30), None)]).unwrap();
    index.commit(101).unwrap();
    index.seal().unwrap();
    add(&mut index, 102, &clustered(1, 1, DIMENSIONS, 9));
    index.remove(40);
    index.remove(50);
    index.commit(102).unwrap();
    [20, 30, 40, 102].into_iter().for_each(|position| index.purge(position));
    let view = index.commit(103).unwrap();
    assert_eq!(
        index.cached(&[hash(20), hash(30), hash(102)]).unwrap(),
        [None, Some(vectors[29].clone()), None]
    );
    assert_eq!(found(&view, &vectors[29], 1), [101]);
    assert_eq!(view.len(), 97);
    index.check().unwrap();
    let files_with = |vector: &[f32]| {
        let start: &[u8] = bytemuck::cast_slice(&vector[..4]);
        let files =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| std::fs::read(entry.unwrap().path()));
        files.filter(|bytes| bytes.as_ref().unwrap().windows(16).any(|window| window == start)).count()
    };
    assert_eq!(files_with(&vectors[29]), 2, "the database and the segment");
    assert_eq!(files_with(&vectors[19]), 0);
    assert_eq!(files_with(&vectors[39]), 0, "removed before");
    assert_eq!(index.cached(&[hash(50)]).unwrap(), [Some(vectors[49].clone())], "removed only");
    assert_eq!(files_with(&clustered(1, 1, DIMENSIONS, 9)[0]), 0);
    let visible = Visible::all(103);
    let walked = view.search(&vectors[19], &visible, 96, SearchMode::Hnsw, None).unwrap();
    assert_eq!(walked.hits.len(), 96, "the graph is still whole");
    drop(index);
    assert_eq!(open(folder.path()).view().len(), 97);
}

#[test]
fn commits_made_while_a_segment_is_built_are_kept() {
    let folder = TempDir::new().unwrap();
    let vectors = clustered(320, 6, DIMENSIONS, 11);
    let mut index = open(folder.path());
    add(&mut index, 1, &vectors[..200]);
    index.commit(200).unwrap();
    index.seal().unwrap();
    add(&mut index, 201, &vectors[200..300]);
    index.commit(300).unwrap();
    (1..=100).for_each(|position| index.remove(position));
    index.commit(301).unwrap();
    let plan = index.plan_seal().unwrap();
    index.remove(150);
    index.purge(250);
    index.add(&[(key(260), hash(310), Some(vectors[309].clone()))]).unwrap();
    add(&mut index, 302, &vectors[301..302]);
    let before = index.commit(302).unwrap();
    let built = std::thread::spawn(|| plan.build().unwrap()).join().unwrap();
    let after = index.install(built).unwrap();
    assert_eq!(segments(folder.path()), ["segment-00000003.vectors"], "wiped once more after it was built");
    assert_eq!(after.inner.delta.len(), 2, "what came or changed meanwhile is scanned");
    let reopened = || {
        drop(index);
        open(folder.path()).view()
    };
    for view in [after, reopened()] {
        assert_eq!((view.len(), before.len()), (199, 199));
        for (position, vector) in (1..).zip(&vectors) {
            assert_eq!(view.vector(key(position)), before.vector(key(position)), "position {position}");
            assert_eq!(found(&view, vector, 20), found(&before, vector, 20));
        }
    }
}

#[test]
fn a_segment_made_of_one_that_a_purge_has_replaced_is_thrown_away() {
    let folder = TempDir::new().unwrap();
    let mut index = open(folder.path());
    add(&mut index, 1, &clustered(60, 2, DIMENSIONS, 12));
    index.commit(60).unwrap();
    index.seal().unwrap();
    (1..=30).for_each(|position| index.remove(position));
    index.commit(61).unwrap();
    let plan = index.plan_seal().unwrap();
    index.purge(40);
    index.commit(62).unwrap();
    let files = segments(folder.path());
    let view = index.install(plan.build().unwrap()).unwrap();
    assert_eq!((view.len(), segments(folder.path())), (29, files));
    assert_eq!((index.seal().unwrap().len(), segments(folder.path()).len()), (29, 1));
    index.check().unwrap();
}

#[test]
fn one_folder_has_one_writer_and_a_deadline_ends_a_search() {
    let folder = TempDir::new().unwrap();
    let vectors = clustered(60, 2, DIMENSIONS, 10);
    let mut index = open(folder.path());
    assert_eq!(
        VectorIndex::open(folder.path(), DIMENSIONS, settings()).err().map(|error| error.code()),
        Some("vectors-in-use")
    );
    add(&mut index, 1, &vectors);
    let view = index.commit(60).unwrap();
    let search = |deadline| view.search(&vectors[0], &Visible::all(60), 5, SearchMode::Auto, Some(deadline));
    assert!(matches!(search(Instant::now()), Err(VectorError::Deadline)));
    assert_eq!(search(Instant::now() + Duration::from_secs(600)).unwrap().hits.len(), 5);
}
