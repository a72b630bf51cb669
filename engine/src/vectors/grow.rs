//! How does a graph over some rows become one over all?
//!
//! Rows join the base layer in batches: each looks for its neighbours in the graph as it was before the batch, on all
//! threads, then all of them are linked. So the graph does not depend on threads, and a row misses only neighbours
//! of its own small batch, which later rows make up for (ParlayANN, Manohar et al. 2024, shows the same).

use std::ops::Range;

use rayon::prelude::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::codes::Codes;
use super::graph::nearest_above;
use super::walk::{Near, Reach, Walk};
use super::{VectorError, VectorSettings};

/// A batch is one part in so many of the rows that are there.
const BATCH_PART: usize = 50;
/// Rows for which one walk's memory is used.
const ROWS_PER_TASK: usize = 32;

/// The base layer while it grows.
struct Base<'a> {
    codes: Codes<'a>,
    settings: &'a VectorSettings,
    /// Most links of a finished row.
    most: usize,
    /// Places for links of a row. More than `most`, so that lists are not cut at every new link.
    room: usize,
    links: Vec<u32>,
    counts: Vec<u32>,
}

/// Links all rows of `codes`, of which the first are linked already: `layers` has their layers, the lowest first, each
/// with the links of its rows. Returns the links of each row, nearest first.
pub(super) fn grow(
    codes: Codes<'_>,
    layers: &[Vec<Vec<u32>>],
    settings: &VectorSettings,
) -> Result<Vec<Vec<u32>>, VectorError> {
    let rows = codes.scales.len();
    let most = 2 * settings.connections;
    let room = most + most / 2;
    let mut base = Base { codes, settings, most, room, links: vec![0; rows * room], counts: vec![0; rows] };
    let linked = layers.first().map_or(&[][..], Vec::as_slice);
    linked.iter().zip(0..).for_each(|(links, row)| base.set(row, links));
    let mut from = linked.len();
    while from < rows {
        let to = rows.min(from + (from / BATCH_PART).max(1));
        let batch = from as u32..to as u32;
        let chosen = base.choose(batch.clone(), layers)?;
        base.attach(batch, &chosen);
        from = to;
    }
    Ok((0..rows as u32).into_par_iter().map(|row| base.finished(row)).collect())
}

impl Base<'_> {
    fn links(&self, row: u32) -> &[u32] {
        let from = row as usize * self.room;
        &self.links[from..from + self.counts[row as usize] as usize]
    }

    fn set(&mut self, row: u32, links: &[u32]) {
        let from = row as usize * self.room;
        self.links[from..from + links.len()].copy_from_slice(links);
        self.counts[row as usize] = links.len() as u32;
    }

    /// What each row of a batch will link to.
    fn choose(&self, batch: Range<u32>, layers: &[Vec<Vec<u32>>]) -> Result<Vec<Vec<u32>>, VectorError> {
        let tasks: Vec<u32> = batch.clone().step_by(ROWS_PER_TASK).collect();
        let chosen: Result<Vec<Vec<Vec<u32>>>, VectorError> = tasks
            .par_iter()
            .map(|&from| {
                let mut walk = Walk::default();
                let task = from..batch.end.min(from + ROWS_PER_TASK as u32);
                task.map(|row| self.neighbours(row, layers, &mut walk)).collect()
            })
            .collect();
        Ok(chosen?.into_iter().flatten().collect())
    }

    fn neighbours(
        &self,
        row: u32,
        layers: &[Vec<Vec<u32>>],
        walk: &mut Walk,
    ) -> Result<Vec<u32>, VectorError> {
        let code = self.codes.row(row);
        let score = |rows: &[u32], scores: &mut Vec<f32>| self.codes.alike_all(code, rows, scores);
        let entry = nearest_above(self.codes, row, layers);
        let reach = Reach { ef: self.settings.ef_construction, budget: usize::MAX, deadline: None };
        let rows = self.counts.len();
        let found = walk.nearest(rows, entry, &reach, |row| self.links(row), score, |_| true)?;
        let mut found: Vec<Near> = found.into_iter().flatten().collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        Ok(self.select(row, &found, self.settings.connections))
    }

    /// The best of the candidates, nearest first, that are nearer to the row than to each other: links into one
    /// direction suffice once (Malkov and Yashunin, algorithm 4).
    fn select(&self, row: u32, candidates: &[Near], most: usize) -> Vec<u32> {
        let scale = |row: u32| self.codes.step(row);
        let mut chosen: Vec<u32> = Vec::with_capacity(most);
        for near in candidates {
            if chosen.len() == most {
                break;
            }
            let (code, to_row) = (self.codes.row(near.row()), near.score() * scale(row));
            let between = |&other: &u32| self.codes.alike(code, other) * scale(near.row());
            if chosen.iter().all(|other| between(other) < to_row) {
                chosen.push(near.row());
            }
        }
        chosen
    }

    /// Links a batch with what its rows have chosen, both ways.
    fn attach(&mut self, batch: Range<u32>, chosen: &[Vec<u32>]) {
        let mut back: Vec<(u32, u32)> = Vec::new();
        for (row, links) in batch.zip(chosen) {
            self.set(row, links);
            back.extend(links.iter().map(|&to| (to, row)));
        }
        back.sort_unstable();
        let groups: Vec<&[(u32, u32)]> = back.chunk_by(|a, b| a.0 == b.0).collect();
        let lists: Vec<Vec<u32>> = groups
            .par_iter()
            .map(|group| {
                let row = group[0].0;
                let mut links = self.links(row).to_vec();
                links.extend(group.iter().map(|(_, from)| *from));
                if links.len() > self.room {
                    self.select(row, &self.ranked(row, &links), self.most)
                } else {
                    links
                }
            })
            .collect();
        groups.iter().zip(&lists).for_each(|(group, links)| self.set(group[0].0, links));
    }

    /// Rows by how alike they are to one, the nearest first.
    fn ranked(&self, row: u32, links: &[u32]) -> Vec<Near> {
        let mut scores = Vec::new();
        self.codes.alike_all(self.codes.row(row), links, &mut scores);
        let mut ranked: Vec<Near> =
            scores.iter().zip(links).map(|(&score, &to)| Near::new(score, to)).collect();
        ranked.sort_unstable_by(|a, b| b.cmp(a));
        ranked
    }

    fn finished(&self, row: u32) -> Vec<u32> {
        let ranked = self.ranked(row, self.links(row));
        if ranked.len() > self.most {
            self.select(row, &ranked, self.most)
        } else {
            ranked.into_iter().map(Near::row).collect()
        }
    }
}
