//! Learning to rank: candidates are ordered by a weighted sum of signals.
//!
//! The weights of each question are fitted to examples with known relevant candidates, under a Gaussian prior from the
//! weights fitted on other repositories: the more those agree, the stronger the prior.

mod files;
mod weights_file;
mod linear;
mod change_signals;
mod people;
mod prior;
mod reciprocal;
mod signal_table;
mod task;

pub use change_signals::{ChangeSignals, missing_signals};
pub use files::{COLD, FILE_SIGNALS, FileQuery, FileTableInput, PathFeatures, file_table, signal};
use linear::solve;
pub use people::{PEOPLE_SIGNALS, author_similarity, people_table, person_signal};
pub use prior::{Question, shipped};
pub use reciprocal::reciprocal_rank;
pub use signal_table::SignalTable;
pub use task::{
    MOST_MATCHES, MOST_WORDS, NEAREST_COMMITS, NEAREST_DEFINITIONS, TASK_SIGNALS, TaskMatches, TaskQuery, task_signal,
    task_table,
};
pub use weights_file::{load as load_weights, save as save_weights, weights};

/// A training example for ranking: candidates with their signals, and which of them are relevant.
#[derive(Debug, Clone)]
pub struct RankingExample {
    /// Signals, [candidates, width], row-major.
    pub rows: Vec<f32>,
    /// Rows of the relevant candidates.
    pub relevant: Vec<usize>,
    /// Weight of the example in the loss.
    pub weight: f64,
}

/// An independent Gaussian prior of the weights.
#[derive(Debug, Clone)]
pub struct Prior {
    /// Mean of each weight.
    pub mean: Vec<f64>,
    /// Precision of each weight: one over its variance.
    pub precision: Vec<f64>,
}

/// One weight per signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights(pub Vec<f64>);

/// Most steps of Newton's method.
const MAX_STEPS: usize = 30;
/// Newton's method ends when no weight changes by more than this.
const TOLERANCE: f64 = 1e-6;

impl Prior {
    /// Creates a zero-mean prior of one precision for `width` weights.
    pub fn flat(width: usize, precision: f64) -> Self {
        Prior { mean: vec![0.0; width], precision: vec![precision; width] }
    }
}

impl Weights {
    /// Returns the weighted sum of a row of signals.
    pub fn score(&self, row: impl Iterator<Item = f32>) -> f64 {
        self.0.iter().zip(row).map(|(weight, value)| weight * f64::from(value)).sum()
    }
}

/// Fits the weights to examples: the maximum a posteriori estimate of a conditional logit model.
///
/// Each example is a softmax over its candidates (listwise loss; McFadden 1974). Newton's method with step halving;
/// deterministic.
pub fn fit(examples: &[RankingExample], prior: &Prior) -> Weights {
    let width = prior.mean.len();
    let mut weights = prior.mean.clone();
    let mut loss = loss_at(examples, prior, &weights, None);
    for _ in 0..MAX_STEPS {
        let mut derivatives = Derivatives { gradient: vec![0.0; width], hessian: vec![0.0; width * width] };
        loss_at(examples, prior, &weights, Some(&mut derivatives));
        let Some(step) = solve(derivatives.hessian, derivatives.gradient) else { break };
        let mut share = 1.0;
        let moved = loop {
            let next: Vec<f64> = weights.iter().zip(&step).map(|(weight, step)| weight - share * step).collect();
            let next_loss = loss_at(examples, prior, &next, None);
            if next_loss <= loss {
                weights = next;
                loss = next_loss;
                break true;
            }
            share /= 2.0;
            if share < 1e-4 {
                break false;
            }
        };
        if !moved || step.iter().all(|step| step.abs() * share < TOLERANCE) {
            break;
        }
    }
    Weights(weights)
}

/// First and second derivatives of the loss.
struct Derivatives {
    gradient: Vec<f64>,
    /// Row-major, [width, width].
    hessian: Vec<f64>,
}

/// Returns the negative log posterior (up to a constant), and adds its derivatives to `derivatives` if given.
fn loss_at(
    examples: &[RankingExample],
    prior: &Prior,
    weights: &[f64],
    mut derivatives: Option<&mut Derivatives>,
) -> f64 {
    let width = weights.len();
    let mut loss = 0.0;
    for (index, weight) in weights.iter().enumerate() {
        let off = weight - prior.mean[index];
        loss += 0.5 * prior.precision[index] * off * off;
        if let Some(derivatives) = derivatives.as_deref_mut() {
            derivatives.gradient[index] += prior.precision[index] * off;
            derivatives.hessian[index * width + index] += prior.precision[index];
        }
    }
    for example in examples.iter().filter(|example| !example.relevant.is_empty()) {
        let rows: Vec<&[f32]> = example.rows.chunks_exact(width).collect();
        let score =
            |row: &[f32]| row.iter().zip(weights).map(|(value, weight)| f64::from(*value) * weight).sum::<f64>();
        let scores: Vec<f64> = rows.iter().map(|row| score(row)).collect();
        let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = scores.iter().map(|score| (score - most).exp()).sum();
        let share = 1.0 / example.relevant.len() as f64;
        loss -= example.weight
            * example.relevant.iter().map(|relevant| share * (scores[*relevant] - most - total.ln())).sum::<f64>();
        let Some(derivatives) = derivatives.as_deref_mut() else { continue };
        let mut mean = vec![0.0; width];
        let mut square = vec![0.0; width * width];
        for (row, score) in rows.iter().zip(&scores) {
            let likely = (score - most).exp() / total;
            if likely < 1e-9 {
                continue;
            }
            for (i, a) in row.iter().enumerate().filter(|(_, a)| **a != 0.0) {
                let a = likely * f64::from(*a);
                mean[i] += a;
                for (square, b) in square[i * width..=i * width + i].iter_mut().zip(*row) {
                    *square += a * f64::from(*b);
                }
            }
        }
        for i in 0..width {
            derivatives.gradient[i] += example.weight * mean[i];
            for j in 0..=i {
                let value = example.weight * (square[i * width + j] - mean[i] * mean[j]);
                derivatives.hessian[i * width + j] += value;
                if i != j {
                    derivatives.hessian[j * width + i] += value;
                }
            }
        }
        for relevant in &example.relevant {
            for (gradient, value) in derivatives.gradient.iter_mut().zip(rows[*relevant]) {
                *gradient -= example.weight * share * f64::from(*value);
            }
        }
    }
    loss
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second signal identifies the relevant candidate, the first is noise.
    fn examples(count: usize) -> Vec<RankingExample> {
        let value = |n: usize| ((n * 7919) % 101) as f32 / 101.0;
        let one = |n: usize| {
            let relevant = n % 5;
            let rows =
                (0..5).flat_map(|row| [value(n * 5 + row), if row == relevant { 0.6 } else { 0.4 * value(n + row) }]);
            RankingExample { rows: rows.collect(), relevant: vec![relevant], weight: 1.0 }
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn the_informative_signal_gets_the_weight() {
        let weights = fit(&examples(200), &Prior::flat(2, 0.01)).0;
        assert!(weights[1] > 5.0 && weights[0].abs() < weights[1] / 5.0, "{weights:?}");
    }

    #[test]
    fn without_examples_the_prior_mean_is_returned() {
        let prior = Prior { mean: vec![1.0, 2.0], precision: vec![1.0, 1.0] };
        assert_eq!(fit(&[], &prior).0, [1.0, 2.0]);
        let few = fit(&examples(2), &Prior { precision: vec![1e6; 2], ..prior });
        assert!((few.0[0] - 1.0).abs() < 1e-3 && (few.0[1] - 2.0).abs() < 1e-3, "{few:?}");
    }

    #[test]
    fn the_derivatives_are_those_of_the_loss() {
        let (examples, prior) = (examples(7), Prior { mean: vec![0.3, -0.2], precision: vec![0.5, 2.0] });
        let at = vec![0.7, 1.9];
        let mut derivatives = Derivatives { gradient: vec![0.0; 2], hessian: vec![0.0; 4] };
        loss_at(&examples, &prior, &at, Some(&mut derivatives));
        for i in 0..2 {
            let moved = |by: f64| {
                let mut at = at.clone();
                at[i] += by;
                let mut derivatives = Derivatives { gradient: vec![0.0; 2], hessian: vec![0.0; 4] };
                (loss_at(&examples, &prior, &at, Some(&mut derivatives)), derivatives.gradient)
            };
            let ((more, up), (less, down)) = (moved(1e-5), moved(-1e-5));
            assert!(((more - less) / 2e-5 - derivatives.gradient[i]).abs() < 1e-6);
            for j in 0..2 {
                assert!(((up[j] - down[j]) / 2e-5 - derivatives.hessian[i * 2 + j]).abs() < 1e-6);
            }
        }
    }
}
