//! Is a damaged folder refused with a typed error, never with a panic or a wrong answer?

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::super::sample::{Random, clustered};
use super::super::{VectorError, VectorIndex};
use super::{DIMENSIONS, add, found, open, segments, settings};

fn sealed_folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let mut index = open(folder.path());
    add(&mut index, 1, &clustered(60, 4, DIMENSIONS, 21));
    index.commit(60).unwrap();
    index.seal().unwrap();
    let file = folder.path().join(&segments(folder.path())[0]);
    (folder, file)
}

fn open_and_check(folder: &TempDir) -> Result<(), VectorError> {
    VectorIndex::open(folder.path(), DIMENSIONS, settings())?.check()
}

#[test]
fn every_flipped_bit_and_every_shortening_of_a_segment_is_found() {
    let (folder, file) = sealed_folder();
    open_and_check(&folder).unwrap();
    let whole = fs::read(&file).unwrap();
    let mut random = Random::new(22);
    // All of the header, and places all over the rest. Padding between arrays carries nothing.
    let places: Vec<usize> = (0..128).chain((0..200).map(|_| random.below(whole.len()))).collect();
    let mut refused = 0;
    for at in places {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << random.below(8);
        fs::write(&file, &damaged).unwrap();
        match open_and_check(&folder) {
            Err(VectorError::Corrupt { file: named, .. } | VectorError::Format { file: named, .. }) => {
                assert_eq!(named, file);
                refused += 1;
            }
            Err(other) => panic!("byte {at}: {other}"),
            Ok(()) => assert!(at >= 128 && whole[at] == 0, "byte {at} is not padding"),
        }
    }
    assert!(refused > 310, "{refused} refused");
    for length in [0, 1, 127, 128, 129, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..length]).unwrap();
        let error = open_and_check(&folder).unwrap_err();
        assert_eq!(error.code(), "vectors-corrupt", "length {length}: {error}");
    }
    fs::write(&file, &whole).unwrap();
    open_and_check(&folder).unwrap();
}

#[test]
fn a_segment_with_right_checksums_but_wrong_references_is_refused() {
    let (folder, file) = sealed_folder();
    let whole = fs::read(&file).unwrap();
    let mut random = Random::new(23);
    let mut refused = 0;
    for _ in 0..200 {
        let mut damaged = whole.clone();
        // Any number of the arrays becomes any other, then every checksum is made to fit.
        let at = 128 + random.below((whole.len() - 128) / 4) * 4;
        damaged[at..at + 4].copy_from_slice(&(random.bits() as u32).to_le_bytes());
        repair_checksums(&mut damaged);
        fs::write(&file, &damaged).unwrap();
        match VectorIndex::open(folder.path(), DIMENSIONS, settings()) {
            Err(VectorError::Corrupt { .. }) => refused += 1,
            Err(other) => panic!("word at {at}: {other}"),
            // It may be a vector or padding; a search must end in any case.
            Ok(index) => drop(found(&index.view(), &clustered(1, 1, DIMENSIONS, 24)[0], 60)),
        }
    }
    assert!(refused > 10, "{refused} refused");
}

fn repair_checksums(bytes: &mut [u8]) {
    let number = |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let layers = u32::from_le_bytes(bytes[20..24].try_into().unwrap()) as usize;
    let [rows, keys, places, links] = [24, 32, 40, 48].map(|at| number(bytes, at));
    // A code of 32 dimensions takes 64 bytes.
    let words =
        [layers, places, links, rows + 1, keys, 2 * keys, keys, rows * DIMENSIONS, 2 * rows, rows * 16];
    let mut end = 128usize;
    for (array, words) in words.into_iter().enumerate() {
        let start = end.next_multiple_of(64);
        end = start + 4 * words;
        let checksum = crc32fast::hash(&bytes[start..end]);
        bytes[56 + 4 * array..60 + 4 * array].copy_from_slice(&checksum.to_le_bytes());
    }
    assert_eq!(end, bytes.len());
    let checksum = crc32fast::hash(&bytes[..96]);
    bytes[96..100].copy_from_slice(&checksum.to_le_bytes());
}

#[test]
fn a_newer_segment_a_missing_one_and_another_embedder_are_told_apart() {
    let (folder, file) = sealed_folder();
    let whole = fs::read(&file).unwrap();
    let mut newer = whole.clone();
    newer[8] = 3;
    fs::write(&file, &newer).unwrap();
    let error = open_and_check(&folder).unwrap_err();
    assert!(matches!(error, VectorError::Format { found: 3, known: 2, .. }), "{error}");
    fs::remove_file(&file).unwrap();
    assert_eq!(open_and_check(&folder).unwrap_err().code(), "vectors-corrupt");
    fs::write(&file, &whole).unwrap();
    let error = VectorIndex::open(folder.path(), DIMENSIONS * 2, settings()).err().unwrap();
    assert_eq!(error.code(), "vectors-dimensions");
    open_and_check(&folder).unwrap();
}

#[test]
fn what_a_crash_leaves_behind_is_removed_and_the_old_state_stands() {
    let (folder, file) = sealed_folder();
    let whole = fs::read(&file).unwrap();
    // Killed while writing the next segment, and after it was renamed but before the database listed it.
    fs::write(folder.path().join("segment-00000002.tmp"), &whole[..500]).unwrap();
    fs::write(folder.path().join("segment-00000003.vectors"), &whole).unwrap();
    let index = open(folder.path());
    assert_eq!(segments(folder.path()), ["segment-00000001.vectors"]);
    assert_eq!((index.position(), index.view().len()), (60, 60));
}

#[test]
fn a_damaged_database_is_refused() {
    let (folder, _) = sealed_folder();
    let file = folder.path().join("vectors.db");
    let whole = fs::read(&file).unwrap();
    let mut random = Random::new(25);
    let mut refused = 0;
    for _ in 0..60 {
        let mut damaged = whole.clone();
        let at = random.below(whole.len());
        damaged[at] ^= 1 << random.below(8);
        fs::write(&file, &damaged).unwrap();
        refused += usize::from(open_and_check(&folder).is_err());
    }
    // The rest of a page may be empty space, and a key may become another that is as good to SQLite.
    assert!(refused > 15, "{refused} refused");
    fs::write(&file, b"not a database at all, but long enough to be taken for one").unwrap();
    let error = open_and_check(&folder).unwrap_err();
    assert!(matches!(&error, VectorError::Corrupt { file: named, .. } if *named == file), "{error}");
}
