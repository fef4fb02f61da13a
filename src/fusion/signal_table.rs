//! Tables of signals for candidates of any kind.

use std::collections::HashSet;

use super::{RankingExample, Weights};
use crate::rng::SplitMix64;

/// Candidates of a training example that a baseline ranks first.
const NEAREST: usize = 120;
/// Random candidates of a training example.
const RANDOM: usize = 40;

/// The value of every signal for every candidate.
#[derive(Debug, Clone)]
pub struct SignalTable {
    /// Ids of the candidates: files, people, commits, ...
    pub candidates: Vec<u32>,
    /// Values by signal, then by candidate: [signals, candidates].
    pub columns: Vec<Vec<f32>>,
}

impl SignalTable {
    /// Returns the signals of one candidate.
    pub fn row(&self, row: usize) -> impl Iterator<Item = f32> + '_ {
        self.columns.iter().map(move |column| column[row])
    }

    /// Returns the weighted sum of the signals of every candidate.
    pub fn scores(&self, weights: &Weights) -> Vec<f32> {
        (0..self.candidates.len()).map(|row| weights.score(self.row(row)) as f32).collect()
    }

    /// Returns the rows of some candidates, ascending.
    pub fn rows_of(&self, candidates: &[u32]) -> Vec<usize> {
        (0..self.candidates.len()).filter(|row| candidates.contains(&self.candidates[*row])).collect()
    }

    /// Samples a training example: the relevant rows, the rows that `baseline` ranks first, and some random rows.
    pub fn example(&self, relevant: &[usize], baseline: &[f32], weight: f64, seed: u64) -> RankingExample {
        let mut order: Vec<usize> = (0..self.candidates.len()).collect();
        order.sort_by(|a, b| baseline[*b].total_cmp(&baseline[*a]).then(a.cmp(b)));
        let mut rng = SplitMix64::new(seed);
        let mut rows = relevant.to_vec();
        rows.extend(order.iter().take(NEAREST));
        rows.extend((0..RANDOM).map(|_| rng.below(self.candidates.len())));
        let mut seen = HashSet::new();
        rows.retain(|row| seen.insert(*row));
        let values = rows.iter().flat_map(|row| self.row(*row)).collect();
        RankingExample { rows: values, relevant: (0..relevant.len()).collect(), weight }
    }
}
