//! Many signals to one order: a weighted sum of columns, its weights fitted so that the right answers come out on top,
//! and held towards a prior by as much as repositories agree on it. Refuses signals that are no numbers.

mod files;
mod kept;
mod linear;
mod missing;
mod people;
mod prior;
mod reciprocal;
mod table;
mod task;

pub use files::{Beside, COLD, FILE_SIGNALS, Paths, Query, file_table, signal};
pub use kept::{load as kept_weights, save, weights};
use linear::solve;
pub use missing::{Joined, missing_signals};
pub use people::{PEOPLE_SIGNALS, likeness, people_table, person_signal};
pub use prior::{Question, shipped};
pub use reciprocal::reciprocal_rank;
pub use table::Table;
pub use task::{
    MOST_MATCHES, MOST_WORDS, Matched, NEAREST_COMMITS, NEAREST_DEFINITIONS, TASK_SIGNALS, Task, task_signal,
    task_table,
};

/// What is asked at once: some candidates, each with a row of signals, and which of them are right.
#[derive(Debug, Clone)]
pub struct Example {
    /// Rows of signals, one a candidate, `width` numbers each.
    pub rows: Vec<f32>,
    /// The right ones, by their row.
    pub right: Vec<usize>,
    /// How much it counts.
    pub weight: f64,
}

/// What is known of weights before a repository has said anything.
#[derive(Debug, Clone)]
pub struct Prior {
    /// Means of the weights.
    pub mean: Vec<f64>,
    /// How sure each is: one over its variance.
    pub precision: Vec<f64>,
}

/// One number a signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights(pub Vec<f64>);

/// Steps of Newton's method at most; it ends when nothing moves any more.
const MOST_STEPS: usize = 30;
/// A step that changes no weight by more than this is the last.
const STILL: f64 = 1e-6;

impl Prior {
    /// One that knows nothing: every weight 0, as loosely as keeps the answer unique.
    pub fn flat(width: usize, precision: f64) -> Self {
        Prior { mean: vec![0.0; width], precision: vec![precision; width] }
    }
}

impl Weights {
    /// The sum for a row of signals.
    pub fn score(&self, row: impl Iterator<Item = f32>) -> f64 {
        self.0.iter().zip(row).map(|(weight, value)| weight * f64::from(value)).sum()
    }
}

/// The weights under which the right answers are likeliest, each example a softmax over its candidates, times the
/// prior. Newton's method with halved steps; deterministic.
pub fn fit(examples: &[Example], prior: &Prior) -> Weights {
    let width = prior.mean.len();
    let mut weights = prior.mean.clone();
    let mut loss = likelihood(examples, prior, &weights, None);
    for _ in 0..MOST_STEPS {
        let mut slope = Slope { gradient: vec![0.0; width], hessian: vec![0.0; width * width] };
        likelihood(examples, prior, &weights, Some(&mut slope));
        let Some(step) = solve(slope.hessian, slope.gradient) else { break };
        let mut share = 1.0;
        let moved = loop {
            let next: Vec<f64> = weights.iter().zip(&step).map(|(weight, step)| weight - share * step).collect();
            let found = likelihood(examples, prior, &next, None);
            if found <= loss {
                weights = next;
                loss = found;
                break true;
            }
            share /= 2.0;
            if share < 1e-4 {
                break false;
            }
        };
        if !moved || step.iter().all(|step| step.abs() * share < STILL) {
            break;
        }
    }
    Weights(weights)
}

struct Slope {
    gradient: Vec<f64>,
    /// Row after row.
    hessian: Vec<f64>,
}

/// Minus the logarithm of the likelihood and the prior, and its slope where that is wanted.
fn likelihood(examples: &[Example], prior: &Prior, weights: &[f64], mut slope: Option<&mut Slope>) -> f64 {
    let width = weights.len();
    let mut loss = 0.0;
    for (index, weight) in weights.iter().enumerate() {
        let off = weight - prior.mean[index];
        loss += 0.5 * prior.precision[index] * off * off;
        if let Some(slope) = slope.as_deref_mut() {
            slope.gradient[index] += prior.precision[index] * off;
            slope.hessian[index * width + index] += prior.precision[index];
        }
    }
    for example in examples.iter().filter(|example| !example.right.is_empty()) {
        let rows: Vec<&[f32]> = example.rows.chunks_exact(width).collect();
        let score =
            |row: &[f32]| row.iter().zip(weights).map(|(value, weight)| f64::from(*value) * weight).sum::<f64>();
        let scores: Vec<f64> = rows.iter().map(|row| score(row)).collect();
        let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = scores.iter().map(|score| (score - most).exp()).sum();
        let share = 1.0 / example.right.len() as f64;
        loss -= example.weight
            * example.right.iter().map(|right| share * (scores[*right] - most - total.ln())).sum::<f64>();
        let Some(slope) = slope.as_deref_mut() else { continue };
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
            slope.gradient[i] += example.weight * mean[i];
            for j in 0..=i {
                let value = example.weight * (square[i * width + j] - mean[i] * mean[j]);
                slope.hessian[i * width + j] += value;
                if i != j {
                    slope.hessian[j * width + i] += value;
                }
            }
        }
        for right in &example.right {
            for (gradient, value) in slope.gradient.iter_mut().zip(rows[*right]) {
                *gradient -= example.weight * share * f64::from(*value);
            }
        }
    }
    loss
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second signal tells the right answer, the first is noise.
    fn examples(count: usize) -> Vec<Example> {
        let value = |n: usize| ((n * 7919) % 101) as f32 / 101.0;
        let one = |n: usize| {
            let right = n % 5;
            let rows =
                (0..5).flat_map(|row| [value(n * 5 + row), if row == right { 0.6 } else { 0.4 * value(n + row) }]);
            Example { rows: rows.collect(), right: vec![right], weight: 1.0 }
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn the_signal_that_tells_gets_the_weight() {
        let weights = fit(&examples(200), &Prior::flat(2, 0.01)).0;
        assert!(weights[1] > 5.0 && weights[0].abs() < weights[1] / 5.0, "{weights:?}");
    }

    #[test]
    fn with_nothing_to_learn_from_the_prior_stands() {
        let prior = Prior { mean: vec![1.0, 2.0], precision: vec![1.0, 1.0] };
        assert_eq!(fit(&[], &prior).0, [1.0, 2.0]);
        let few = fit(&examples(2), &Prior { precision: vec![1e6; 2], ..prior });
        assert!((few.0[0] - 1.0).abs() < 1e-3 && (few.0[1] - 2.0).abs() < 1e-3, "{few:?}");
    }

    #[test]
    fn the_slope_is_that_of_the_likelihood() {
        let (examples, prior) = (examples(7), Prior { mean: vec![0.3, -0.2], precision: vec![0.5, 2.0] });
        let at = vec![0.7, 1.9];
        let mut slope = Slope { gradient: vec![0.0; 2], hessian: vec![0.0; 4] };
        likelihood(&examples, &prior, &at, Some(&mut slope));
        for i in 0..2 {
            let moved = |by: f64| {
                let mut at = at.clone();
                at[i] += by;
                let mut slope = Slope { gradient: vec![0.0; 2], hessian: vec![0.0; 4] };
                (likelihood(&examples, &prior, &at, Some(&mut slope)), slope.gradient)
            };
            let ((more, up), (less, down)) = (moved(1e-5), moved(-1e-5));
            assert!(((more - less) / 2e-5 - slope.gradient[i]).abs() < 1e-6);
            for j in 0..2 {
                assert!(((up[j] - down[j]) / 2e-5 - slope.hessian[i * 2 + j]).abs() < 1e-6);
            }
        }
    }
}
