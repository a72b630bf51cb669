//! How are the links between near vectors made?
//!
//! `hnsw_rs` builds the graph (Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search
//! using Hierarchical Navigable Small World graphs", 2018); this module reads the links out of it into flat
//! arrays and makes sure that every row can be reached.

use std::collections::VecDeque;

use hnsw_rs::anndists::dist::distances::Distance;
use hnsw_rs::hnsw::Hnsw;

use super::VectorSettings;
use super::dot::dot;

/// Rows that go in one by one: a parallel insert into an empty graph can leave points without links.
const SERIAL_ROWS: usize = 1_000;
/// Layers that `hnsw_rs` can count.
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

struct CosineDistance;

impl Distance<f32> for CosineDistance {
    fn eval(&self, a: &[f32], b: &[f32]) -> f32 {
        // Rounding can bring the cosine of equal vectors above 1; the builder refuses negative distances.
        (1.0 - dot(a, b)).max(0.0)
    }
}

/// Links the vectors, of which there is at least one. Takes minutes for 100,000 and all threads of the pool.
pub(super) fn build(vectors: &[&[f32]], settings: &VectorSettings) -> Graph {
    let hnsw =
        Hnsw::new(settings.connections, vectors.len(), MAX_LAYERS, settings.ef_construction, CosineDistance);
    let rows: Vec<(&[f32], usize)> = vectors.iter().enumerate().map(|(id, vector)| (*vector, id)).collect();
    let (first, rest) = rows.split_at(rows.len().min(SERIAL_ROWS));
    first.iter().for_each(|row| hnsw.insert_slice(*row));
    hnsw.parallel_insert_slice(&rest.to_vec());
    flatten(&hnsw, vectors.len())
}

fn flatten(hnsw: &Hnsw<'_, f32, CosineDistance>, count: usize) -> Graph {
    let mut points: Vec<_> = hnsw.get_point_indexation().into_iter().collect();
    points.sort_unstable_by_key(|point| (std::cmp::Reverse(point.get_point_id().0), point.get_origin_id()));
    let order: Vec<u32> = points.iter().map(|point| point.get_origin_id() as u32).collect();
    let mut row_of = vec![0u32; count];
    order.iter().enumerate().for_each(|(row, &id)| row_of[id as usize] = row as u32);

    let top = points.first().map_or(0, |point| point.get_point_id().0);
    let layer_rows: Vec<u32> = (0..=top)
        .map(|layer| points.partition_point(|point| point.get_point_id().0 >= layer) as u32)
        .collect();
    let mut layers: Vec<Vec<Vec<u32>>> =
        layer_rows.iter().map(|&rows| Vec::with_capacity(rows as usize)).collect();
    for (row, point) in points.iter().enumerate() {
        let neighbourhood = point.get_neighborhood_id();
        for (layer, linked) in layers.iter_mut().enumerate().take(usize::from(point.get_point_id().0) + 1) {
            let mut links: Vec<u32> = Vec::new();
            for neighbour in &neighbourhood[layer] {
                let to = row_of[neighbour.d_id];
                // The builder also keeps links to points that do not reach up to this layer.
                if to < layer_rows[layer] && to != row as u32 && !links.contains(&to) {
                    links.push(to);
                }
            }
            linked.push(links);
        }
    }
    if let Some(base) = layers.first_mut() {
        connect(base);
    }
    let mut graph = Graph { order, layer_rows, link_offsets: Vec::new(), links: Vec::new() };
    for layer in layers {
        graph.link_offsets.push(graph.links.len() as u32);
        for links in layer {
            graph.links.extend(links);
            graph.link_offsets.push(graph.links.len() as u32);
        }
    }
    graph
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
        let graph = build(&[&[1.0, 0.0]], &VectorSettings::default());
        assert_eq!(graph.order, [0]);
        assert!(graph.links.is_empty());
        assert!(graph.layer_rows.iter().all(|&rows| rows == 1));
    }
}
