//! Candidates and what each signal says of them. Refuses to know what the candidates are.

use std::collections::HashSet;

use super::{Example, Weights};
use crate::chance::Chance;

/// Candidates of an example to fit on: those that some plain score puts first, and some by chance.
const NEAREST: usize = 120;
const BY_CHANCE: usize = 40;

/// One number a signal for every candidate.
#[derive(Debug, Clone)]
pub struct Table {
    /// The candidates: files, or people.
    pub files: Vec<u32>,
    /// By signal: a number a candidate.
    pub columns: Vec<Vec<f32>>,
}

impl Table {
    /// The signals of one candidate.
    pub fn row(&self, row: usize) -> impl Iterator<Item = f32> + '_ {
        self.columns.iter().map(move |column| column[row])
    }

    /// The weighted sum for every candidate.
    pub fn scores(&self, weights: &Weights) -> Vec<f32> {
        (0..self.files.len()).map(|row| weights.score(self.row(row)) as f32).collect()
    }

    /// The rows of some candidates, ascending.
    pub fn rows_of(&self, candidates: &[u32]) -> Vec<usize> {
        (0..self.files.len()).filter(|row| candidates.contains(&self.files[*row])).collect()
    }

    /// Something to fit on: the right ones, those that `plain` puts first, and some by chance.
    pub fn example(&self, right: &[usize], plain: &[f32], weight: f64, seed: u64) -> Example {
        let mut order: Vec<usize> = (0..self.files.len()).collect();
        order.sort_by(|a, b| plain[*b].total_cmp(&plain[*a]).then(a.cmp(b)));
        let mut chance = Chance::new(seed);
        let mut rows = right.to_vec();
        rows.extend(order.iter().take(NEAREST));
        rows.extend((0..BY_CHANCE).map(|_| chance.below(self.files.len())));
        let mut seen = HashSet::new();
        rows.retain(|row| seen.insert(*row));
        let values = rows.iter().flat_map(|row| self.row(*row)).collect();
        Example { rows: values, right: (0..right.len()).collect(), weight }
    }
}
