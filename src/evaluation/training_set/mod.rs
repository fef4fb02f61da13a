//! The training and evaluation data of one dimension: groups of texts for training, and queries for validation and
//! test.
//!
//! Dimensions of commits are split by time, dimensions of items by a hash of the item key. Invariant: no text is in
//! both training and evaluation.

mod commits;
mod items;

use std::collections::HashMap;

use super::EvalData;
use super::metrics::{MetricTable, QueryMetrics};
use crate::adapter::Groups;
use crate::dimensions::{Dimension, Reads};
use crate::embedding::{VectorRows, dot};
use crate::history::LARGEST_COMMIT;

/// The most queries of one part of the split; more do not add precision.
const MAX_QUERIES: usize = 1500;

/// One query.
#[derive(Debug, Clone)]
pub struct EvalQuery {
    /// Its unit in a [`MetricTable`]: a commit index or an item index.
    pub unit: usize,
    /// The index of the query text.
    pub text: u32,
    /// The indices of the relevant candidates.
    pub relevant: Vec<u32>,
    /// The indices of candidates that are the query itself.
    pub excluded: Vec<u32>,
}

/// Queries with their candidates.
#[derive(Debug, Clone, Default)]
pub struct EvalSet {
    /// The texts of each candidate; its vector is their normalized sum.
    pub candidates: Vec<Vec<u32>>,
    /// The corpus item of each candidate; empty if candidates are not items.
    pub owners: Vec<u32>,
    /// The queries.
    pub queries: Vec<EvalQuery>,
}

/// The training groups and evaluation queries of one dimension.
#[derive(Debug, Default)]
pub struct TrainingSet {
    /// Groups of related texts of the training split.
    pub groups: Groups,
    /// Queries for early stopping and for fitting weights.
    pub fit: EvalSet,
    /// Queries of the gate.
    pub gate: EvalSet,
    /// Queries of the test split.
    pub test: EvalSet,
}

impl EvalQuery {
    /// Returns the relevant candidates as indices into the scores.
    pub fn relevant_rows(&self) -> Vec<usize> {
        self.relevant.iter().map(|relevant| *relevant as usize).collect()
    }

    /// Sets the scores of excluded candidates to negative infinity.
    pub fn mask_excluded(&self, scores: &mut [f32]) {
        for excluded in &self.excluded {
            scores[*excluded as usize] = f32::NEG_INFINITY;
        }
    }
}

impl EvalSet {
    /// Records the metrics of ranking by cosine. `rows` are the vectors of all texts by this method.
    pub fn record_metrics(&self, rows: &VectorRows, method: &'static str, metric_table: &mut MetricTable) {
        let candidates = self.candidate_vectors(rows);
        for query in &self.queries {
            metric_table.record(
                query.unit,
                method,
                QueryMetrics::from_scores(&self.cosines(rows, &candidates, query), &query.relevant_rows()),
            );
        }
    }

    /// Returns the vector of each candidate: the normalized sum of those of its texts.
    pub fn candidate_vectors(&self, rows: &VectorRows) -> VectorRows {
        let mut candidates = VectorRows::new(rows.width);
        for (index, texts) in (0..).zip(&self.candidates) {
            let sum = candidates.row_mut(index);
            for row in texts.iter().filter_map(|text| rows.row(*text)) {
                sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
            let length = dot(sum, sum).sqrt();
            if length > 0.0 {
                sum.iter_mut().for_each(|value| *value /= length);
            }
        }
        candidates
    }

    /// Returns the cosine of a query with each candidate; excluded ones are masked.
    pub fn cosines(&self, rows: &VectorRows, candidates: &VectorRows, query: &EvalQuery) -> Vec<f32> {
        let vector = rows.row(query.text);
        let score = |candidate: u32| vector.zip(candidates.row(candidate)).map_or(0.0, |(a, b)| dot(a, b));
        let mut scores: Vec<f32> = (0..self.candidates.len() as u32).map(score).collect();
        query.mask_excluded(&mut scores);
        scores
    }

    /// Returns the mean reciprocal rank of ranking by cosine.
    pub fn mrr(&self, rows: &VectorRows) -> f64 {
        let mut metric_table = MetricTable::default();
        self.record_metrics(rows, "adapter", &mut metric_table);
        metric_table.mrr("adapter").unwrap_or_default()
    }

    /// Returns the same queries restricted to the texts they use, and the vectors of those texts.
    pub fn compact(&self, rows: &VectorRows) -> (EvalSet, VectorRows) {
        let (mut index, mut own) = (HashMap::new(), VectorRows::new(rows.width));
        let mut renumber = |text: &u32| -> u32 {
            *index.entry(*text).or_insert_with(|| {
                let next = own.count() as u32;
                own.row_mut(next).copy_from_slice(rows.row(*text).unwrap_or(&vec![0.0; rows.width]));
                next
            })
        };
        let candidates = self.candidates.iter().map(|texts| texts.iter().map(&mut renumber).collect()).collect();
        let queries =
            self.queries.iter().map(|query| EvalQuery { text: renumber(&query.text), ..query.clone() }).collect();
        (EvalSet { candidates, owners: self.owners.clone(), queries }, own)
    }

    /// Keeps at most `most` queries, spread evenly.
    pub fn subsample(mut self, most: usize) -> Self {
        let stride = self.queries.len().div_ceil(most).max(1);
        self.queries = self.queries.into_iter().step_by(stride).collect();
        self
    }
}

/// The data to train on, which an experiment may restrict.
#[derive(Debug, Clone)]
pub struct TrainingSelection {
    /// The largest number of paths in a commit that is used.
    pub largest_commit: usize,
    /// How many of the newest training commits to use; `None` uses all.
    pub newest: Option<usize>,
    /// The largest group that is used.
    pub largest_group: usize,
    /// Paths whose items are left out.
    pub ignore: globset::GlobSet,
    /// Whether pairs in large and small groups have the same weight.
    pub weigh_alike: bool,
    /// Whether to train on session entries too. Where this was measured, it made answers about sessions worse.
    pub sessions: bool,
}

impl Default for TrainingSelection {
    fn default() -> Self {
        TrainingSelection {
            largest_commit: LARGEST_COMMIT as usize,
            newest: None,
            largest_group: usize::MAX,
            ignore: globset::GlobSet::empty(),
            weigh_alike: false,
            sessions: false,
        }
    }
}

/// Creates the training and evaluation data of a dimension.
pub fn training_set(dimension: &Dimension, data: &EvalData, selection: &TrainingSelection) -> TrainingSet {
    match dimension.reads.contains(&Reads::Commits) {
        true => commits::training_set(dimension, data, selection),
        false => items::training_set(dimension, data, selection),
    }
}
