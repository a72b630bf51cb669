//! How does a table get into its file? As it is, whole, under a temporary name that becomes its own when all is on the disk.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufWriter, Result, Seek, SeekFrom, Write};
use std::path::Path;

use rayon::slice::ParallelSliceMut;

use super::stored::{ARRAYS, Array, Beside, FORMAT, Header, MAGIC, NEVER, Place};
use super::{KeyId, Table};

/// Writes arrays one after the other.
struct Arrays {
    out: BufWriter<File>,
    at: u64,
    places: [Place; ARRAYS],
}

impl Arrays {
    /// Writes the next array, of pieces.
    fn put<P: AsRef<[u8]>>(&mut self, array: Array, pieces: impl Iterator<Item = P>) -> Result<()> {
        self.try_put(array, pieces.map(Ok))
    }

    fn try_put<P: AsRef<[u8]>>(
        &mut self,
        array: Array,
        mut pieces: impl Iterator<Item = Result<P>>,
    ) -> Result<()> {
        let start = self.at.next_multiple_of(8);
        self.out.write_all(&[0; 8][..(start - self.at) as usize])?;
        self.at = start;
        let mut sum = crc32fast::Hasher::new();
        pieces.try_for_each(|piece| {
            let piece = piece?;
            sum.update(piece.as_ref());
            self.at += piece.as_ref().len() as u64;
            self.out.write_all(piece.as_ref())
        })?;
        self.places[array as usize] = Place { start, end: self.at, checksum: sum.finalize().into() };
        Ok(())
    }

    /// Writes an array that another one cuts, and that one before it.
    fn put_cut<'a, T: bytemuck::Pod>(
        &mut self,
        (ends, of): (Array, Array),
        pieces: impl Iterator<Item = &'a [T]> + Clone,
    ) -> Result<()> {
        let sums = pieces.clone().scan(0_u64, |end, piece| {
            *end += piece.len() as u64;
            Some(end.to_le_bytes())
        });
        self.put(ends, sums)?;
        self.put(of, pieces.map(bytemuck::cast_slice::<T, u8>))
    }
}

impl Table {
    /// Writes the table, and what is kept beside it, into a temporary file. It counts from [`name_it`] on.
    pub(crate) fn write(&self, temporary: &Path, beside: Beside) -> Result<()> {
        let file = File::create(temporary)?;
        let out = BufWriter::with_capacity(1 << 20, file);
        let mut arrays = Arrays { out, at: 0, places: [Place::default(); ARRAYS] };
        arrays.put(Array::Meta, [[0; size_of::<Header>()]].into_iter())?;
        let meta = self.sets.meta(beside);
        let meta = postcard::to_allocvec(&meta).map_err(std::io::Error::other)?;
        arrays.put(Array::Meta, [meta].into_iter())?;
        self.write_revisions(&mut arrays)?;
        self.write_keys(&mut arrays)?;
        let Arrays { mut out, places, .. } = arrays;
        let checksum = crc32fast::hash(bytemuck::bytes_of(&places));
        let header = Header { magic: MAGIC, format: FORMAT, checksum, arrays: places };
        out.seek(SeekFrom::Start(0))?;
        out.write_all(bytemuck::bytes_of(&header))?;
        out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()
    }

    fn write_revisions(&self, arrays: &mut Arrays) -> Result<()> {
        let mut ends = Vec::with_capacity(self.slots.len());
        let mut end = 0_u64;
        let revisions = (1..=self.position()).map(|position| {
            let encoded = self.encode(position)?;
            end += encoded.len() as u64;
            ends.push(end);
            Ok(encoded)
        });
        arrays.try_put(Array::Revisions, revisions)?;
        arrays.put(Array::RevisionEnds, [bytemuck::cast_slice(&ends)].into_iter())?;
        let superseded = self.slots.iter().map(|slot| {
            let moment = slot
                .superseded
                .map_or([NEVER, 0], |moment| [moment.as_second(), moment.subsec_nanosecond().into()]);
            bytemuck::cast::<[i64; 2], [u8; 16]>(moment)
        });
        arrays.put(Array::Superseded, superseded)?;
        arrays.put(Array::Lists, self.sets.lists().map(|list| list.to_le_bytes()))
    }

    /// What nobody asked for goes from file to file as it is.
    fn encode(&self, position: u64) -> Result<Cow<'_, [u8]>> {
        let slot = self.slots.get((position - 1) as usize);
        Ok(match (slot.and_then(|slot| slot.revision.get()), &self.stored) {
            (Some(Some(revision)), _) => {
                postcard::to_allocvec(&**revision).map_err(std::io::Error::other)?.into()
            }
            (None, Some(stored)) => stored.revision_bytes(position).into(),
            _ => Cow::default(),
        })
    }

    fn write_keys(&self, arrays: &mut Arrays) -> Result<()> {
        let keys = (0..self.keys.len() as u32).map(KeyId);
        // A key that nobody has or means any more may be a word of something purged.
        let is_used = |key: KeyId| !self.owners(key).is_empty() || !self.referrers(key).is_empty();
        let text = |key: KeyId| if is_used(key) { self.key_text(key) } else { "" };
        arrays.put_cut((Array::TextEnds, Array::Texts), keys.clone().map(|key| text(key).as_bytes()))?;
        arrays.put_cut((Array::OwnerEnds, Array::Owners), keys.clone().map(|key| self.owners(key)))?;
        arrays
            .put_cut((Array::ReferrerEnds, Array::Referrers), keys.clone().map(|key| self.referrers(key)))?;
        let mut sorted: Vec<u32> = keys.filter(|key| !text(*key).is_empty()).map(|key| key.0).collect();
        sorted.par_sort_unstable_by(|a, b| self.key_text(KeyId(*a)).cmp(self.key_text(KeyId(*b))));
        arrays.put(Array::Sorted, [bytemuck::cast_slice(&sorted)].into_iter())
    }
}

/// Gives a finished file its name.
pub(crate) fn name_it(temporary: &Path, path: &Path) -> Result<()> {
    std::fs::rename(temporary, path)?;
    // A rename is durable when its folder is; only Unix can open one.
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
