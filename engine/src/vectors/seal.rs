//! How do scanned passages become a graph, and how do purged vectors leave one?

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::delta::{Delta, Dropped};
use super::error::VectorError;
use super::graph::build;
use super::header::MAX_KEYS;
use super::layout::Layout;
use super::part::Part;
use super::segment::{self, Segment};
use super::{PassageKey, VectorIndex, VectorSettings, VectorView};

/// A segment with fewer live passages than this percentage is built again without the others.
const LIVE_PERCENT: usize = 70;

/// What the next segment is made of. It can be built on any thread while the index goes on committing.
pub struct SealPlan {
    file: PathBuf,
    number: u32,
    purges: u64,
    dimensions: usize,
    settings: VectorSettings,
    absorbed: Vec<Part>,
    delta: Delta,
}

/// A built segment that the index does not know yet.
pub struct SealedPlan {
    plan: SealPlan,
    /// None when nothing alive is left.
    segment: Option<Segment>,
}

impl VectorIndex {
    /// Builds a segment of what is not in one, when that is much, together with the segments that are no larger
    /// (so that a passage is built into ever larger ones, a logarithmic number of times) or hold many dead passages.
    /// Takes minutes for 100,000 passages and returns at once when there is nothing to do. Views taken before
    /// stay valid. Noted changes are not part of it.
    ///
    /// Who wants to commit meanwhile calls `plan_seal`, [`SealPlan::build`] and `install` instead.
    pub fn seal(&mut self) -> Result<VectorView, VectorError> {
        match self.plan_seal() {
            Some(plan) => self.install(plan.build()?),
            None => Ok(self.view()),
        }
    }

    /// What is to be sealed, if anything. One plan at a time: what two share is installed for the first only.
    pub fn plan_seal(&mut self) -> Option<SealPlan> {
        let mut gathered = self.delta.len();
        let is_due = gathered > 0 && gathered >= self.settings.seal_from;
        let mut by_size: Vec<&Part> = self.parts.iter().collect();
        by_size.sort_by_key(|part| (part.live_keys, part.number));
        let mut absorbed: Vec<Part> = Vec::new();
        for part in by_size {
            let is_thin = part.live_keys * 100 < part.segment.layout().keys.len() * LIVE_PERCENT;
            if is_thin || is_due && part.live_keys <= gathered {
                gathered += part.live_keys;
                absorbed.push(part.clone());
            }
        }
        if !is_due && absorbed.is_empty() {
            return None;
        }
        self.last_number += 1;
        Some(SealPlan {
            file: segment_file(&self.folder, self.last_number),
            number: self.last_number,
            purges: self.purges,
            dimensions: self.dimensions,
            settings: self.settings.clone(),
            absorbed,
            delta: self.delta.clone(),
        })
    }

    /// Puts a built segment in the place of what it was made of. Passages that were removed or changed since the plan
    /// stay so. When a purge has replaced a segment meanwhile, the built one is thrown away and can be planned again.
    ///
    /// # Errors
    /// When the database refuses, and then nothing has changed.
    pub fn install(&mut self, built: SealedPlan) -> Result<VectorView, VectorError> {
        let _phase = tracing::debug_span!("install").entered();
        let SealedPlan { plan, segment } = built;
        let absorbed: Vec<u32> = plan.absorbed.iter().map(|part| part.number).collect();
        let still_there: Vec<&Part> =
            self.parts.iter().filter(|part| absorbed.contains(&part.number)).collect();
        if still_there.len() < absorbed.len() {
            drop(segment);
            remove_file(&plan.file);
            return Ok(self.view());
        }
        let mut sealed = Dropped::default();
        let mut live: Vec<PassageKey> = still_there.iter().flat_map(|part| part.keys()).collect();
        if let Some(segment) = &segment {
            let layout = segment.layout();
            for (key, vector) in self.delta.iter(self.dimensions) {
                // The same passage may have got another text since, which is not in the segment.
                if layout.vector_of(key) == Some(vector) {
                    sealed.key(key);
                    live.push(key);
                }
            }
        }
        live.sort_unstable();
        let new = segment.map(|segment| Part::new(plan.number, segment, &live));
        let purged = plan.purges != self.purges;
        self.database.replace_segments(&absorbed, new.is_some().then_some((plan.number, &live)), purged)?;
        self.parts.retain(|part| !absorbed.contains(&part.number));
        self.parts.extend(new);
        self.delta.drop_keys(&sealed);
        absorbed.iter().for_each(|&number| remove_file(&segment_file(&self.folder, number)));
        if purged {
            self.wipe(|_| true)?;
        }
        Ok(self.view())
    }

    /// Writes every segment that holds vectors of no passage again, without those vectors. The graph stays: the row
    /// takes the vector of a living neighbour, and is found under no key. Segments whose dead passages do not concern
    /// the caller stay.
    pub(super) fn wipe(&mut self, concerns: impl Fn(PassageKey) -> bool) -> Result<(), VectorError> {
        for at in 0..self.parts.len() {
            let number = self.last_number + 1;
            let part = &self.parts[at];
            let layout = part.segment.layout();
            let lives = |row: u32| layout.slots(row).iter().any(|&slot| part.is_live(slot));
            let must_go = |(&key, &row): (&u64, &u32)| !lives(row) && concerns(PassageKey(key));
            if !layout.keys.iter().zip(layout.key_rows).any(must_go) {
                continue;
            }
            self.last_number = number;
            let blank = vec![0.0; self.dimensions];
            let vector = |row: u32| {
                let stand_in = std::iter::once(&row).chain(layout.links(0, row)).find(|&&row| lives(row));
                stand_in.map_or(&blank[..], |&row| layout.vector(row))
            };
            let file = segment_file(&self.folder, number);
            segment::write(&file, &layout, self.settings.coded, vector)?;
            let live: Vec<PassageKey> = part.keys().collect();
            let wiped = Part::new(number, Segment::open(&file, self.dimensions)?, &live);
            self.database.replace_segments(&[part.number], Some((number, &live)), true)?;
            let old = std::mem::replace(&mut self.parts[at], wiped);
            remove_file(&segment_file(&self.folder, old.number));
        }
        self.database.wiped()
    }
}

impl SealPlan {
    /// Builds and writes the segment, on all threads of the pool.
    ///
    /// # Errors
    /// `TooLarge` for more passages than a segment can count, `Io` when it cannot be written.
    pub fn build(self) -> Result<SealedPlan, VectorError> {
        let _phase = tracing::debug_span!("seal").entered();
        let mut rows = Rows::default();
        for part in &self.absorbed {
            let layout = part.segment.layout();
            let alive = layout.keys.iter().zip(0u32..).filter(|(_, slot)| part.is_live(*slot));
            alive.for_each(|(&key, slot)| rows.add(key, layout.vector(layout.key_rows[slot as usize])));
        }
        self.delta.iter(self.dimensions).for_each(|(key, vector)| rows.add(key.0, vector));
        if rows.keys.len() > MAX_KEYS {
            return Err(VectorError::TooLarge { limit: MAX_KEYS });
        }
        if rows.keys.is_empty() {
            return Ok(SealedPlan { plan: self, segment: None });
        }
        rows.keys.sort_unstable();
        rows.write(&self)?;
        let segment = Segment::open(&self.file, self.dimensions)?;
        Ok(SealedPlan { plan: self, segment: Some(segment) })
    }
}

/// Distinct vectors, and the keys of the passages that have them.
#[derive(Default)]
struct Rows<'a> {
    vectors: Vec<&'a [f32]>,
    ids: HashMap<&'a [u8], u32>,
    keys: Vec<(u64, u32)>,
}

impl<'a> Rows<'a> {
    fn add(&mut self, key: u64, vector: &'a [f32]) {
        let next = self.vectors.len() as u32;
        let id = *self.ids.entry(bytemuck::cast_slice(vector)).or_insert(next);
        if id == next {
            self.vectors.push(vector);
        }
        self.keys.push((key, id));
    }

    /// Builds the graph and writes all as a segment; keys are sorted.
    fn write(&self, plan: &SealPlan) -> Result<(), VectorError> {
        let graph = build(&self.vectors, &plan.settings)?;
        let mut row_of = vec![0u32; graph.order.len()];
        graph.order.iter().zip(0..).for_each(|(&id, row)| row_of[id as usize] = row);
        let keys: Vec<u64> = self.keys.iter().map(|(key, _)| *key).collect();
        let key_rows: Vec<u32> = self.keys.iter().map(|(_, id)| row_of[*id as usize]).collect();
        let mut row_slots: Vec<u32> = (0..keys.len() as u32).collect();
        row_slots.sort_by_key(|&slot| key_rows[slot as usize]);
        let row_offsets: Vec<u32> = (0..=graph.order.len() as u32)
            .map(|row| row_slots.partition_point(|&slot| key_rows[slot as usize] < row) as u32)
            .collect();
        let layout = Layout {
            dimensions: plan.dimensions,
            layer_rows: &graph.layer_rows,
            link_offsets: &graph.link_offsets,
            links: &graph.links,
            row_offsets: &row_offsets,
            row_slots: &row_slots,
            keys: &keys,
            key_rows: &key_rows,
            vectors: &[],
            codes: None,
        };
        segment::write(&plan.file, &layout, plan.settings.coded, |row| {
            self.vectors[graph.order[row as usize] as usize]
        })
    }
}

pub(super) fn segment_file(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("segment-{number:08}.vectors"))
}

/// Deletes segments that are not listed and files that were not finished.
pub(super) fn remove_leftovers(folder: &Path, numbers: &[u32]) -> Result<(), VectorError> {
    let listed: Vec<PathBuf> = numbers.iter().map(|&number| segment_file(folder, number)).collect();
    for entry in std::fs::read_dir(folder).map_err(VectorError::io(folder))? {
        let path = entry.map_err(VectorError::io(folder))?.path();
        let is_ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("segment-"));
        if is_ours && !listed.contains(&path) {
            std::fs::remove_file(&path).map_err(VectorError::io(&path))?;
        }
    }
    Ok(())
}

/// Deletes a file that is no longer listed. One that cannot be deleted now (Windows keeps mapped ones) goes at the
/// next `open`.
fn remove_file(file: &Path) {
    drop(std::fs::remove_file(file));
}
