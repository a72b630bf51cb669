//! Which passages mean nearly the same as a query?
//!
//! A folder holds `vectors.db` (the cached vector of every text, the text of every passage, the log position) and
//! sealed segments: memory-mapped graphs over most of the vectors. Passages that came since are scanned. Both compare
//! codes of one byte a number first, and then those vectors that may be among the nearest. All of it can be made
//! again from the record log.

mod codes;
mod database;
mod delta;
mod dot;
mod error;
mod graph;
mod grow;
mod header;
mod layout;
mod nearest;
mod part;
mod probe;
#[cfg(test)]
pub(crate) mod sample;
mod seal;
mod search;
mod segment;
#[cfg(test)]
mod tests;
mod view;
mod walk;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use database::{Change, Database};
use delta::Delta;
use error::check_unit;
use part::Part;
use segment::Segment;
use view::Shown;

pub use error::VectorError;
pub use nearest::VectorHit;
pub use seal::{SealPlan, SealedPlan};
pub use view::{SearchMode, VectorHits, VectorView};

/// A passage: the log position of its record's revision and its ordinal there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PassageKey(pub u64);

impl PassageKey {
    /// The key of a revision's passage; positions stay below 2^47, so that keys fit the database's integers.
    pub fn new(position: u64, ordinal: u16) -> Self {
        Self(position << 16 | u64::from(ordinal))
    }

    /// The log position of the revision.
    pub fn position(self) -> u64 {
        self.0 >> 16
    }

    /// The place of the passage in the revision.
    pub fn ordinal(self) -> u16 {
        (self.0 & 0xffff) as u16
    }
}

impl std::fmt::Display for PassageKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of revision {}", self.ordinal(), self.position())
    }
}

/// SHA-256 of the text that was embedded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextHash(pub [u8; 32]);

/// What can be set about the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorSettings {
    /// Links of a row in an upper layer, twice as many in the base layer (M of the paper).
    pub connections: usize,
    /// Rows that an insertion considers; more give better links and slower sealing.
    pub ef_construction: usize,
    /// Unsealed passages from which `seal` does something.
    pub seal_from: usize,
    /// Vectors that a scan compares in the time of one walk when all are visible. A walk takes longer by as much as
    /// fewer are visible, a scan shorter; the benchmark `vectors` prints both.
    pub walk_cost: usize,
    /// Fewest rows that a walk keeps; more find more of the true neighbours. Of real texts' vectors 128 find 99 of 100
    /// among the nearest ten, 32 in clusters made by a generator.
    pub least_ef: usize,
    /// Rows that it keeps for each hit that is asked for.
    pub ef_per_hit: usize,
    /// Whether new segments hold a code of each vector, which a walk compares in a fraction of the time; what it
    /// finds is compared with the vectors themselves. Without, segments are a fifth smaller.
    pub coded: bool,
}

impl Default for VectorSettings {
    fn default() -> Self {
        Self {
            connections: 16,
            ef_construction: 200,
            seal_from: 20_000,
            walk_cost: 20_000,
            least_ef: 128,
            ef_per_hit: 2,
            coded: true,
        }
    }
}

/// The one writer of a folder. What it shows to readers are [`VectorView`]s.
pub struct VectorIndex {
    folder: PathBuf,
    settings: VectorSettings,
    dimensions: usize,
    database: Database,
    position: u64,
    parts: Vec<Part>,
    /// The highest number that a segment of this folder has or had since it was opened.
    last_number: u32,
    /// Commits with a purge since the folder was opened.
    purges: u64,
    delta: Delta,
    changes: Vec<Change>,
    /// Places in `changes` of vectors that are not in the database yet.
    fresh: HashMap<TextHash, usize>,
}

impl VectorIndex {
    /// Opens or makes the index in a folder of one embedder, and removes what a crash has left behind.
    ///
    /// # Errors
    /// `Corrupt` and `Format` name the file; the index can then be deleted and rebuilt. `InUse` when another
    /// process has the folder open. `Dimensions` when it was made for vectors of another length.
    pub fn open(folder: &Path, dimensions: usize, settings: VectorSettings) -> Result<Self, VectorError> {
        std::fs::create_dir_all(folder).map_err(VectorError::io(folder))?;
        let database = Database::open(&folder.join("vectors.db"), dimensions)?;
        let numbers = database.segments()?;
        seal::remove_leftovers(folder, &numbers)?;
        let mut parts = Vec::new();
        for &number in &numbers {
            let segment = Segment::open(&seal::segment_file(folder, number), dimensions)?;
            let keys = database.sealed(number)?;
            let part = Part::new(number, segment, &keys);
            if part.live_keys != keys.len() {
                let what =
                    format!("segment {number} holds {} of its {} passages", part.live_keys, keys.len());
                return Err(VectorError::corrupt(database.file(), what));
            }
            parts.push(part);
        }
        let mut delta = Delta::default();
        delta.add(database.unsealed()?);
        let mut index = Self {
            folder: folder.to_owned(),
            settings,
            dimensions,
            position: database.position()?,
            database,
            parts,
            last_number: numbers.last().copied().unwrap_or(0),
            purges: 0,
            delta,
            changes: Vec::new(),
            fresh: HashMap::new(),
        };
        if index.database.must_wipe()? {
            index.wipe(|_| true)?;
        }
        Ok(index)
    }

    /// Gives up the segments of a folder that cannot be opened because one of them is damaged: their passages are scanned
    /// until they are sealed again.
    ///
    /// # Errors
    /// [`VectorError`] when the database cannot be read either.
    pub fn forget_segments(folder: &Path, dimensions: usize) -> Result<(), VectorError> {
        Database::open(&folder.join("vectors.db"), dimensions)?.unseal()
    }

    /// The log position of the last commit.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The last commit, as readers see it.
    pub fn view(&self) -> VectorView {
        let shown = Shown {
            position: self.position,
            dimensions: self.dimensions,
            settings: self.settings.clone(),
            parts: self.parts.clone(),
            delta: self.delta.clone(),
        };
        VectorView { inner: Arc::new(shown) }
    }

    /// The vectors of the texts that have been embedded before, committed or not.
    pub fn cached(&self, hashes: &[TextHash]) -> Result<Vec<Option<Vec<f32>>>, VectorError> {
        let mut vectors = self.database.cached(hashes)?;
        for (found, hash) in vectors.iter_mut().zip(hashes).filter(|(found, _)| found.is_none()) {
            if let Some(Change::Add { vector, .. }) = self.fresh.get(hash).map(|&at| &self.changes[at]) {
                found.clone_from(vector);
            }
        }
        Ok(vectors)
    }

    /// Notes passages for the next commit, each with its vector if it has just been embedded, or none if its text
    /// is cached. A passage that is already there with the same text changes nothing, so that a log can be replayed.
    ///
    /// # Errors
    /// `Dimensions` or `NotUnit` for a vector that does not fit, and nothing is noted; `Missing` for a text that is
    /// neither given nor cached, and only what stands before it is noted.
    pub fn add(&mut self, passages: &[(PassageKey, TextHash, Option<Vec<f32>>)]) -> Result<(), VectorError> {
        passages
            .iter()
            .filter_map(|(_, _, vector)| vector.as_ref())
            .try_for_each(|vector| check_unit(vector, self.dimensions))?;
        for (key, hash, vector) in passages {
            if vector.is_some() {
                self.fresh.insert(*hash, self.changes.len());
            } else if !self.fresh.contains_key(hash) && !self.database.has_text(*hash)? {
                return Err(VectorError::Missing { key: *key });
            }
            self.changes.push(Change::Add { key: *key, hash: *hash, vector: vector.clone() });
        }
        Ok(())
    }

    /// Notes that a revision's passages go; their texts stay cached.
    pub fn remove(&mut self, position: u64) {
        self.changes.push(Change::Remove { position });
    }

    /// Notes that a revision's passages go, with every vector that no other passage has. They may have been removed
    /// before.
    pub fn purge(&mut self, position: u64) {
        self.changes.push(Change::Purge { position });
    }

    /// Makes what was noted durable together with the log position that it leads to, and shows it.
    ///
    /// # Errors
    /// On every error nothing has changed and what was noted is kept, so the call can be made again. Only when a
    /// purge fails at rewriting a segment is the commit done; the next `open` then ends the purge.
    pub fn commit(&mut self, log_position: u64) -> Result<VectorView, VectorError> {
        let _phase = tracing::debug_span!("commit-vectors").entered();
        let applied = self.database.commit(&self.changes, log_position)?;
        let purged: HashSet<u64> = (self.changes.iter())
            .filter_map(|change| if let Change::Purge { position } = change { Some(*position) } else { None })
            .collect();
        self.changes.clear();
        self.fresh.clear();
        self.position = log_position;
        if !applied.dropped.is_empty() {
            self.delta.drop_keys(&applied.dropped);
            self.parts.iter_mut().for_each(|part| part.drop_keys(&applied.dropped));
        }
        self.delta.add(applied.added);
        if !purged.is_empty() {
            self.purges += 1;
            self.wipe(|key| purged.contains(&key.position()))?;
        }
        Ok(self.view())
    }

    /// All committed passages with the hashes of their texts, by key.
    pub fn passages(&self) -> Result<impl Iterator<Item = (PassageKey, TextHash)>, VectorError> {
        Ok(self.database.passages()?.into_iter())
    }

    /// Compares every file with its checksums, and the segments with the database.
    pub fn check(&self) -> Result<(), VectorError> {
        self.database.check()?;
        self.parts.iter().try_for_each(|part| part.segment.check())
    }
}
