//! Which weights separate one label from all others with the widest margin?
//!
//! Linear support vector machine with squared hinge loss, solved in the dual one sample at a time (Hsieh et al., *A Dual
//! Coordinate Descent Method for Large-scale Linear SVM*, ICML 2008), with shrinking, as LIBLINEAR does by default.

/// Steps end when the largest violation in a round is below this; LIBLINEAR's own default.
const TOLERANCE: f64 = 0.1;
/// A limit for samples that contradict each other.
const MAX_ROUNDS: usize = 300;

/// Samples as the solver reads them: some numbers of many columns, and all of some dense columns after those.
#[derive(Debug, Default)]
pub(super) struct Table {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
    dense: Vec<f32>,
    /// How many columns stand before the dense ones.
    sparse_columns: usize,
    dense_columns: usize,
}

impl Table {
    pub(super) fn new(sparse_columns: usize, dense_columns: usize) -> Self {
        Self { starts: vec![0], sparse_columns, dense_columns, ..Self::default() }
    }

    /// Adds a sample; `dense` has as many numbers as there are dense columns.
    pub(super) fn push(&mut self, sparse: &[(u32, f32)], dense: &[f32]) {
        self.columns.extend(sparse.iter().map(|(column, _)| *column));
        self.values.extend(sparse.iter().map(|(_, value)| *value));
        self.starts.push(self.columns.len());
        self.dense.extend_from_slice(dense);
    }

    /// Weights of a model over this table: one a column, and the constant last.
    pub(super) fn weights(&self) -> usize {
        self.sparse_columns + self.dense_columns + 1
    }

    fn row(&self, row: usize) -> (&[u32], &[f32], &[f32]) {
        let range = self.starts[row]..self.starts[row + 1];
        let dense = &self.dense[row * self.dense_columns..][..self.dense_columns];
        (&self.columns[range.clone()], &self.values[range], dense)
    }

    /// How far a sample lies on the positive side.
    pub(super) fn margin(&self, weights: &[f32], row: usize) -> f32 {
        let (columns, values, dense) = self.row(row);
        let sparse: f32 =
            columns.iter().zip(values).map(|(column, value)| weights[*column as usize] * value).sum();
        sparse
            + dot(&weights[self.sparse_columns..][..self.dense_columns], dense)
            + weights[weights.len() - 1]
    }

    fn add(&self, weights: &mut [f32], row: usize, step: f32) {
        let (columns, values, dense) = self.row(row);
        for (column, value) in columns.iter().zip(values) {
            weights[*column as usize] += step * value;
        }
        for (weight, value) in weights[self.sparse_columns..].iter_mut().zip(dense) {
            *weight += step * value;
        }
        if let Some(constant) = weights.last_mut() {
            *constant += step;
        }
    }

    fn square(&self, row: usize) -> f64 {
        let (_, values, dense) = self.row(row);
        1.0 + values.iter().chain(dense).map(|value| f64::from(value * value)).sum::<f64>()
    }
}

/// A sum in eight strands, which the compiler turns into vector instructions.
pub(super) fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (left, left_rest) = left.as_chunks::<8>();
    let (right, right_rest) = right.as_chunks::<8>();
    for (a, b) in left.iter().zip(right) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + left_rest.iter().zip(right_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// What the solver is asked: which rows, which of them are positive, and what an error costs on either side.
pub(super) struct Question<'a> {
    pub(super) rows: &'a [u32],
    pub(super) labels: &'a [u32],
    pub(super) positive: u32,
    pub(super) positive_cost: f64,
    pub(super) negative_cost: f64,
    pub(super) seed: u64,
}

/// The weights that answer it; the same for the same table and question, bit for bit.
pub(super) fn solve(table: &Table, question: &Question<'_>) -> Vec<f32> {
    let mut weights = vec![0.0_f32; table.weights()];
    let mut random = SplitMix(question.seed);
    let sign = |row: u32| if question.labels[row as usize] == question.positive { 1.0 } else { -1.0 };
    let mut samples: Vec<Sample> = question
        .rows
        .iter()
        .map(|row| {
            let sign: f64 = sign(*row);
            let cost = if sign > 0.0 { question.positive_cost } else { question.negative_cost };
            let slack = 0.5 / cost;
            Sample { row: *row, sign, slack, curve: table.square(*row as usize) + slack, share: 0.0 }
        })
        .collect();
    let mut active = samples.len();
    let mut bound = f64::INFINITY;
    for _ in 0..MAX_ROUNDS {
        let (mut highest, mut lowest) = (f64::NEG_INFINITY, f64::INFINITY);
        for at in 0..active {
            samples.swap(at, at + random.below(active - at));
        }
        let mut at = 0;
        while at < active {
            let sample = &mut samples[at];
            let margin = f64::from(table.margin(&weights, sample.row as usize));
            let slope = sample.sign * margin - 1.0 + sample.share * sample.slack;
            if sample.share == 0.0 && slope > bound {
                active -= 1;
                samples.swap(at, active);
                continue;
            }
            let violation = if sample.share == 0.0 { slope.min(0.0) } else { slope };
            highest = highest.max(violation);
            lowest = lowest.min(violation);
            if violation.abs() > 1e-12 {
                let before = sample.share;
                sample.share = (before - slope / sample.curve).max(0.0);
                table.add(&mut weights, sample.row as usize, ((sample.share - before) * sample.sign) as f32);
            }
            at += 1;
        }
        if highest - lowest <= TOLERANCE {
            if active == samples.len() {
                break;
            }
            // What was set aside may have become wrong since: look at everything once more.
            active = samples.len();
            bound = f64::INFINITY;
        } else {
            bound = if highest > 0.0 { highest } else { f64::INFINITY };
        }
    }
    weights
}

struct Sample {
    row: u32,
    sign: f64,
    slack: f64,
    curve: f64,
    /// How much of this sample is in the weights.
    share: f64,
}

/// Steele, Lea and Flood 2014: good enough for shuffling, the same everywhere.
pub(super) struct SplitMix(pub(super) u64);

impl SplitMix {
    /// A number below the limit, which is at least 1.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(mixed ^ (mixed >> 31)) * limit as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::{Question, SplitMix, Table, dot, solve};

    const COSTS: [f64; 2] = [0.5, 1.0];

    fn made_up() -> (Table, Vec<u32>) {
        let mut random = SplitMix(3);
        let mut table = Table::new(30, 11);
        let mut labels = Vec::new();
        for _ in 0..300 {
            let columns: Vec<u32> = (0..30).filter(|_| random.below(5) == 0).collect();
            let mut number = || random.below(100) as f32 / 100.0;
            let sparse: Vec<(u32, f32)> = columns.into_iter().map(|column| (column, number())).collect();
            let dense: Vec<f32> = (0..11).map(|_| number() - 0.5).collect();
            let score =
                sparse.iter().filter(|(column, _)| *column < 10).map(|(_, x)| x).sum::<f32>() + dense[0];
            labels.push(u32::from(score + number() > 1.5));
            table.push(&sparse, &dense);
        }
        (table, labels)
    }

    /// What is to be made least, and how steeply it falls in each weight.
    fn objective(table: &Table, labels: &[u32], weights: &[f32]) -> (f32, Vec<f32>) {
        let (mut sum, mut fall) =
            (0.5 * dot(weights, weights), weights.iter().map(|w| -w).collect::<Vec<_>>());
        for (row, label) in labels.iter().enumerate() {
            let (sign, cost) = if *label == 1 { (1.0, COSTS[1]) } else { (-1.0, COSTS[0]) };
            let violation = (1.0 - sign * table.margin(weights, row)).max(0.0);
            sum += cost as f32 * violation * violation;
            table.add(&mut fall, row, 2.0 * cost as f32 * sign * violation);
        }
        (sum, fall)
    }

    #[test]
    fn the_answer_is_where_plain_descent_ends() {
        let (table, labels) = made_up();
        let rows: Vec<u32> = (0..labels.len() as u32).collect();
        let [negative_cost, positive_cost] = COSTS;
        let question =
            Question { rows: &rows, labels: &labels, positive: 1, positive_cost, negative_cost, seed: 7 };
        let answer = solve(&table, &question);
        assert!(
            answer[answer.len() - 1].abs() > 0.1,
            "without the constant, this table cannot be told apart"
        );
        let (ours, _) = objective(&table, &labels, &answer);
        let mut weights = vec![0.0; table.weights()];
        for _ in 0..4_000 {
            let (_, fall) = objective(&table, &labels, &weights);
            weights.iter_mut().zip(fall).for_each(|(weight, fall)| *weight += 5e-4 * fall);
        }
        let (plain, fall) = objective(&table, &labels, &weights);
        assert!(dot(&fall, &fall) < 0.01, "plain descent has settled");
        assert!((0.999 * plain..1.001 * plain).contains(&ours), "{ours} and {plain}");
    }

    #[test]
    fn sums_in_strands_are_sums() {
        for length in [0, 1, 7, 8, 9, 31] {
            let left: Vec<f32> = (0..length).map(|x| x as f32).collect();
            assert_eq!(dot(&left, &vec![2.0; length]), left.iter().sum::<f32>() * 2.0, "{length}");
        }
    }
}
