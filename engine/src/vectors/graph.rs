//! How are the links between near vectors made?
//!
//! `hnsw_rs` builds the graph (Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search
//! using Hierarchical Navigable Small World graphs", 2018); this module reads the links out of it into flat
//! arrays and makes sure that every row can be reached.

use std::cmp::Reverse;
use std::collections::VecDeque;

use hnsw_rs::anndists::dist::distances::Distance;
use hnsw_rs::hnsw::Hnsw;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::codes::{Codes, LINE, Line, Scale, encode, lines_of};
use super::grow::grow;
use super::walk::{Near, descend};
use super::{VectorError, VectorSettings};

/// Most rows that the builder links all by itself. Of more it links one in `connections`, the part that a layer has of
/// the one below, and the others join its graph.
const WHOLE_ROWS: usize = 1_024;
/// Layers that a graph can have.
pub(super) const MAX_LAYERS: usize = 16;

/// A layered graph over rows. Rows are ordered by level, highest first, so that layer `l` has the rows
/// `0..layer_rows[l]` and row 0 is where a search starts.
pub(super) struct Graph {
    /// For each row the index of its vector in what `build` was given.
    pub(super) order: Vec<u32>,
    /// Rows of each layer; layer 0 has all.
    pub(super) layer_rows: Vec<u32>,
    /// For each layer, `layer_rows + 1` places in `links`.
    pub(super) link_offsets: Vec<u32>,
    /// Neighbour rows, nearest first.
    pub(super) links: Vec<u32>,
}

/// One minus the cosine of rows, which the builder knows by their numbers: so it copies four bytes and not a vector.
struct CodeDistance<'a>(Codes<'a>);

impl Distance<u32> for CodeDistance<'_> {
    fn eval(&self, a: &[u32], b: &[u32]) -> f32 {
        let cosine = self.0.alike(self.0.row(a[0]), b[0]) * self.0.step(a[0]);
        // Rounding can bring the cosine of equal vectors above 1; the builder refuses negative distances.
        (1.0 - cosine).max(0.0)
    }
}

/// Links the vectors, of which there is at least one, on all threads of the pool. The same vectors in the same order
/// give the same graph.
pub(super) fn build(vectors: &[&[f32]], settings: &VectorSettings) -> Result<Graph, VectorError> {
    let part =
        if vectors.len() > WHOLE_ROWS { u32::MAX / settings.connections.max(2) as u32 } else { u32::MAX };
    // Numbers that follow each other, as passages of one subject may, are spread evenly (Knuth's multiplicative hash).
    let (mut order, rest): (Vec<u32>, Vec<u32>) =
        (0..vectors.len() as u32).partition(|id| id.wrapping_mul(2_654_435_769) <= part);
    let mut layers = draft(&coded(vectors, &order), &mut order, settings);
    order.extend(&rest);
    let coded = coded(vectors, &order);
    if !rest.is_empty() {
        let base = grow(coded.codes(), &layers, settings)?;
        layers.iter_mut().flatten().for_each(|links| links.truncate(settings.connections));
        layers.insert(0, base);
    }
    if let Some(base) = layers.first_mut() {
        connect(base);
    }
    gather(coded.codes(), &mut layers, &mut order);
    let layer_rows = layers.iter().map(|layer| layer.len() as u32).collect();
    let mut graph = Graph { order, layer_rows, link_offsets: Vec::new(), links: Vec::new() };
    for layer in layers {
        graph.link_offsets.push(graph.links.len() as u32);
        for links in layer {
            graph.links.extend(links);
            graph.link_offsets.push(graph.links.len() as u32);
        }
    }
    Ok(graph)
}

/// Codes in the memory of this process.
struct Coded {
    width: usize,
    lines: Vec<Line>,
    scales: Vec<Scale>,
}

impl Coded {
    fn codes(&self) -> Codes<'_> {
        Codes { width: self.width, lines: &self.lines, scales: &self.scales }
    }
}

/// The codes of some vectors, in the order given.
fn coded(vectors: &[&[f32]], order: &[u32]) -> Coded {
    let width = lines_of(vectors[0].len());
    let mut lines = vec![[0; LINE]; order.len() * width];
    let rows: Vec<(&u32, &mut [Line])> = order.iter().zip(lines.chunks_mut(width)).collect();
    let scales = rows.into_par_iter().map(|(&id, code)| encode(vectors[id as usize], code)).collect();
    Coded { width, lines, scales }
}

/// The layers, the lowest first, that the builder makes of coded rows; brings `order` into the order of their rows.
/// Rows go in one by one, since in which order they do decides about the graph.
fn draft(coded: &Coded, order: &mut [u32], settings: &VectorSettings) -> Vec<Vec<Vec<u32>>> {
    let rows = order.len();
    let distance = CodeDistance(coded.codes());
    let hnsw = Hnsw::new(settings.connections, rows, MAX_LAYERS - 1, settings.ef_construction, distance);
    (0..rows).for_each(|row| hnsw.insert_slice((&[row as u32], row)));
    let mut points: Vec<_> = hnsw.get_point_indexation().into_iter().collect();
    points.sort_unstable_by_key(|point| (Reverse(point.get_point_id().0), point.get_origin_id()));
    let mut row_of = vec![0u32; rows];
    points.iter().zip(0..).for_each(|(point, row)| row_of[point.get_origin_id()] = row);
    let sorted: Vec<u32> = points.iter().map(|point| order[point.get_origin_id()]).collect();
    order.copy_from_slice(&sorted);

    let top = points.first().map_or(0, |point| point.get_point_id().0);
    let layer_rows: Vec<usize> =
        (0..=top).map(|layer| points.partition_point(|point| point.get_point_id().0 >= layer)).collect();
    let mut layers: Vec<Vec<Vec<u32>>> = layer_rows.iter().map(|&rows| Vec::with_capacity(rows)).collect();
    for (row, point) in points.iter().enumerate() {
        let neighbourhood = point.get_neighborhood_id();
        for (layer, linked) in layers.iter_mut().enumerate().take(usize::from(point.get_point_id().0) + 1) {
            let mut links: Vec<u32> = Vec::new();
            for neighbour in &neighbourhood[layer] {
                let to = row_of[neighbour.d_id];
                // The builder also keeps links to points that do not reach up to this layer.
                if (to as usize) < layer_rows[layer] && to as usize != row && !links.contains(&to) {
                    links.push(to);
                }
            }
            linked.push(links);
        }
    }
    layers
}

/// Brings rows that are near to each other together, so that a walk finds most of them in few pages. Each level is put
/// into the order of the nearest rows of the layer above.
fn gather(codes: Codes<'_>, layers: &mut [Vec<Vec<u32>>], order: &mut [u32]) {
    let mut place = vec![0u32; order.len()];
    for layer in (0..layers.len()).rev() {
        let above = layers.get(layer + 1).map_or(0, Vec::len);
        let shared: &[Vec<Vec<u32>>] = layers;
        let mut level: Vec<(u32, u32)> = (above as u32..shared[layer].len() as u32)
            .into_par_iter()
            .map(|row| (nearest_above(codes, row, &shared[layer + 1..]).row(), row))
            .collect();
        level.sort_unstable_by_key(|&(parent, row)| (place[parent as usize], row));
        level.iter().zip(above as u32..).for_each(|((_, row), to)| place[*row as usize] = to);
    }
    permute(order, &place);
    for layer in layers {
        layer.iter_mut().flatten().for_each(|link| *link = place[*link as usize]);
        let rows = layer.len();
        permute(layer, &place[..rows]);
    }
}

/// The row of these layers that is nearest to a row.
pub(super) fn nearest_above(codes: Codes<'_>, row: u32, layers: &[Vec<Vec<u32>>]) -> Near {
    let code = codes.row(row);
    let score = |rows: &[u32], scores: &mut Vec<f32>| codes.alike_all(code, rows, scores);
    let first = Near::new(codes.alike(code, 0), 0);
    layers.iter().rev().fold(first, |entry, layer| descend(entry, |row| &layer[row as usize], score))
}

/// Moves each item to its place.
fn permute<T: Default>(items: &mut [T], place: &[u32]) {
    let taken: Vec<T> = items.iter_mut().map(std::mem::take).collect();
    taken.into_iter().zip(place).for_each(|(item, &to)| items[to as usize] = item);
}

/// Adds the links that are missing for every row to be reached from row 0. The builder drops the farthest
/// link of a full list, which may have been the only way to a row.
fn connect(links: &mut [Vec<u32>]) {
    let mut reached = vec![false; links.len()];
    reach(0, links, &mut reached);
    loop {
        let mut progress = false;
        for row in 0..links.len() {
            let near = links[row].iter().copied().find(|&to| reached[to as usize]);
            if !reached[row]
                && let Some(near) = near
            {
                links[near as usize].push(row as u32);
                reach(row, links, &mut reached);
                progress = true;
            }
        }
        if !progress {
            match reached.iter().position(|reached| !reached) {
                None => return,
                Some(row) => {
                    links[0].push(row as u32);
                    links[row].push(0);
                    reach(row, links, &mut reached);
                }
            }
        }
    }
}

fn reach(from: usize, links: &[Vec<u32>], reached: &mut [bool]) {
    reached[from] = true;
    let mut open = VecDeque::from([from]);
    while let Some(row) = open.pop_front() {
        for &to in &links[row] {
            if !std::mem::replace(&mut reached[to as usize], true) {
                open.push_back(to as usize);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_nothing_links_to_become_reachable() {
        // 3 and 4 only link out, 5 and 6 are an island.
        let mut links = vec![vec![1], vec![2], vec![0], vec![2, 1], vec![3], vec![6], vec![5]];
        connect(&mut links);
        let mut reached = vec![false; links.len()];
        reach(0, &links, &mut reached);
        assert!(reached.iter().all(|&reached| reached), "{links:?}");
        assert_eq!(links[2], [0, 3], "an orphan hangs on the nearest row that it links to");
    }

    #[test]
    fn one_vector_is_a_graph() {
        let graph = build(&[&[1.0, 0.0]], &VectorSettings::default()).unwrap();
        assert_eq!(graph.order, [0]);
        assert!(graph.links.is_empty());
        assert!(graph.layer_rows.iter().all(|&rows| rows == 1));
    }
}
