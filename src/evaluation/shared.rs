//! What several evaluation tasks share: the scale of BM25 scores, random scores, and fits with and without the adapter.

use super::fitted_weights::FIXED;
use crate::fusion::{self, Prior, RankingExample, Weights};
use crate::rng::SplitMix64;

/// The BM25 score that counts as much as a cosine of 1.
pub const BM25_SCALE: f32 = 20.0;

/// Returns a random score for each candidate, always the same for the same `query` number.
pub fn random_scores(query: u64, candidates: &[u32]) -> Vec<f32> {
    let score = |candidate: &u32| SplitMix64::new(query ^ (u64::from(*candidate) << 32)).uniform() as f32;
    candidates.iter().map(score).collect()
}

/// Fits one set of weights for all signals, and one with the weight of the adapter signal, given by its column, fixed
/// at 0.
pub fn fit_with_and_without_adapter(examples: &[RankingExample], prior: &Prior, adapter: usize) -> [Weights; 2] {
    let mut without = prior.clone();
    (without.mean[adapter], without.precision[adapter]) = (0.0, FIXED);
    [fusion::fit(examples, prior), fusion::fit(examples, &without)]
}
