//! The ranking weights of each question: fitted once, gated once, then fixed.

use std::collections::BTreeMap;

use super::MetricTable;
use crate::fusion::{self, Prior, Question, RankingExample, Weights};

/// The part of the split in which a query is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitPart {
    /// The commits for fitting and gating.
    Validation,
    /// The commits that are reported on.
    Test,
}

/// Returns the prior of a question's weights.
pub type Priors<'a> = dyn Fn(Question) -> Prior + Sync + 'a;

/// The name of the fused ranking in reports.
pub const FUSED: &str = "fused";
/// The name of the fused ranking without adapter signals.
pub const WITHOUT_ADAPTERS: &str = "fused_without_adapters";
/// The name of the ranking by the mean of the prior.
pub const PRIOR: &str = "prior";

/// The precision of a prior that keeps a weight fixed at its mean.
pub const FIXED: f64 = 1e12;

/// The weights of each question: with adapters, without adapters, and the prior means.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FittedWeights {
    with: BTreeMap<Question, Weights>,
    without: BTreeMap<Question, Weights>,
    prior: BTreeMap<Question, Weights>,
}

impl FittedWeights {
    /// Fits the weights of a question to examples, unless it has weights already.
    pub fn fit(&mut self, question: Question, examples: &[RankingExample], priors: &Priors<'_>) {
        if self.with.contains_key(&question) {
            return;
        }
        let prior = priors(question);
        self.prior.insert(question, Weights(prior.mean.clone()));
        self.with.insert(question, fusion::fit(examples, &prior));
        let is_adapter: Vec<bool> = question.signals().iter().map(|signal| signal.contains("adapter")).collect();
        let pick = |values: &[f64], other: f64| -> Vec<f64> {
            values.iter().zip(&is_adapter).map(|(value, is_adapter)| if *is_adapter { other } else { *value }).collect()
        };
        let without = Prior { mean: pick(&prior.mean, 0.0), precision: pick(&prior.precision, FIXED) };
        self.without.insert(question, fusion::fit(examples, &without));
    }

    /// Returns the weights of a question.
    pub fn weights(&self, question: Question) -> Option<&Weights> {
        self.with.get(&question)
    }

    /// Returns each method of a question by name, with its weights.
    pub fn methods(&self, question: Question) -> impl Iterator<Item = (&'static str, &Weights)> {
        let all = [(FUSED, &self.with), (WITHOUT_ADAPTERS, &self.without), (PRIOR, &self.prior)];
        all.into_iter().filter_map(move |(name, weights)| Some((name, weights.get(&question)?)))
    }

    /// Replaces the fitted weights by those without adapters or by the prior, if those did better on the gate.
    ///
    /// Without gate queries the prior is used. `gate` then reports the chosen weights as [`FUSED`], and no longer lists
    /// the prior. A question is gated once.
    pub fn gate(&mut self, question: Question, gate: &mut MetricTable) {
        let Some(prior) = self.prior.remove(&question) else { return };
        if gate.mrr(FUSED).is_none() {
            self.with.insert(question, prior);
            return;
        }
        let mrr = |method: &str| gate.lift(method, FUSED).map_or(0.0, |lift| lift.difference);
        let others = [(WITHOUT_ADAPTERS, self.without.get(&question).cloned()), (PRIOR, Some(prior))];
        let better = others.into_iter().filter_map(|(name, weights)| Some((mrr(name), name, weights?)));
        let best = better.filter(|(by, ..)| *by > 0.0).max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, name, weights)) = best {
            self.with.insert(question, weights);
            gate.copy_method(FUSED, name);
        }
    }

    /// Adds the weights of another set.
    pub fn merge(&mut self, other: FittedWeights) {
        self.with.extend(other.with);
        self.without.extend(other.without);
    }

    /// Returns the weights of all questions.
    pub fn all(&self) -> &BTreeMap<Question, Weights> {
        &self.with
    }
}

#[cfg(test)]
mod tests {
    use super::super::metrics::QueryMetrics;
    use super::*;

    #[test]
    fn gated_weights_are_not_fitted_or_gated_again() {
        let priors = |question| fusion::shipped(question, &|_| false).expect("it fits");
        let (mut fitted, question) = (FittedWeights::default(), Question::Files);
        fitted.fit(question, &[], &priors);
        let other = Weights(vec![0.0; question.signals().len()]);
        fitted.without.insert(question, other);
        fitted.gate(question, &mut MetricTable::default());
        assert_eq!(fitted.weights(question), Some(&Weights(priors(question).mean)), "the gate had no query");
        let gated = fitted.clone();
        fitted.fit(question, &[], &priors);
        let mut metric_table = MetricTable::default();
        for unit in 0..20 {
            metric_table.add_query(unit, 1.0);
            metric_table.record(unit, FUSED, QueryMetrics::from_scores(&[0.0, 1.0], &[0]));
            metric_table.record(unit, WITHOUT_ADAPTERS, QueryMetrics::from_scores(&[1.0, 0.0], &[0]));
        }
        fitted.gate(question, &mut metric_table);
        assert_eq!(fitted, gated);
    }
}
