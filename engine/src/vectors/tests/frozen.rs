//! Can an index that an earlier version wrote still be read?

use std::path::Path;

use tempfile::TempDir;

use super::super::sample::clustered;
use super::super::{SearchMode, VectorIndex, VectorSettings};
use super::{add, found, key};
use crate::visible::Visible;

const DIMENSIONS: usize = 8;

/// Sixty sealed passages of which one is removed, and five that are not sealed.
fn make(folder: &Path) -> VectorIndex {
    let settings = VectorSettings { seal_from: 50, ..VectorSettings::default() };
    let mut index = VectorIndex::open(folder, DIMENSIONS, settings).unwrap();
    let vectors = clustered(65, 4, DIMENSIONS, 51);
    add(&mut index, 1, &vectors[..60]);
    index.commit(60).unwrap();
    index.seal().unwrap();
    add(&mut index, 61, &vectors[60..]);
    index.remove(7);
    index.commit(66).unwrap();
    index
}

/// `format_1` and `format_2` are the folders that `make` left when the formats were new.
#[test]
fn a_folder_of_an_earlier_format_reads_as_it_was_written() {
    let formats: [(&[u8], &[u8]); 2] = [
        (include_bytes!("format_1/vectors.db"), include_bytes!("format_1/segment-00000001.vectors")),
        (include_bytes!("format_2/vectors.db"), include_bytes!("format_2/segment-00000001.vectors")),
    ];
    for (database, segment) in formats {
        let (old, new) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        std::fs::write(old.path().join("vectors.db"), database).unwrap();
        std::fs::write(old.path().join("segment-00000001.vectors"), segment).unwrap();
        let old = VectorIndex::open(old.path(), DIMENSIONS, VectorSettings::default()).unwrap();
        let new = make(new.path());
        old.check().unwrap();
        assert_eq!((old.position(), old.view().len()), (66, 64));
        assert!(old.passages().unwrap().eq(new.passages().unwrap()));
        for (position, query) in (1..).zip(clustered(65, 4, DIMENSIONS, 51)) {
            assert_eq!(found(&old.view(), &query, 64), found(&new.view(), &query, 64));
            let visible = Visible::all(66);
            let walked = old.view().search(&query, &visible, 1, SearchMode::Hnsw, None).unwrap().hits;
            assert!(walked[0].key == key(position) || position == 7);
            assert_eq!(old.view().vector(key(position)), (position != 7).then_some(query));
        }
    }
}
