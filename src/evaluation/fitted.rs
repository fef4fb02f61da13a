//! Weights by question, fitted and gated once and then left as they are. Refuses to do either twice.

use std::collections::BTreeMap;

use super::Board;
use crate::fusion::{self, Example, Prior, Question, Weights};

/// Where a measurement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What fits and gates.
    Validation,
    /// What is reported.
    Test,
}

/// What is known of a question's weights before.
pub type Priors<'a> = dyn Fn(Question) -> Prior + Sync + 'a;

/// What the answers are called.
pub const FUSED: &str = "fused";
/// The same where no adapter says anything.
pub const WITHOUT_ADAPTERS: &str = "fused_without_adapters";
/// The same as they are before the repository has said anything.
pub const PRIOR: &str = "prior";

/// Held this sure, a weight does not move.
pub const FIXED: f64 = 1e12;

/// Weights of the answers, and of the same answers without any adapter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fitted {
    with: BTreeMap<Question, Weights>,
    without: BTreeMap<Question, Weights>,
    prior: BTreeMap<Question, Weights>,
}

impl Fitted {
    /// Fits a question's weights to examples, unless it has some.
    pub fn fit(&mut self, question: Question, examples: &[Example], priors: &Priors<'_>) {
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

    /// The weights of a question.
    pub fn weights(&self, question: Question) -> Option<&Weights> {
        self.with.get(&question)
    }

    /// The weights by which each method that is called so answers.
    pub fn methods(&self, question: Question) -> impl Iterator<Item = (&'static str, &Weights)> {
        let all = [(FUSED, &self.with), (WITHOUT_ADAPTERS, &self.without), (PRIOR, &self.prior)];
        all.into_iter().filter_map(move |(name, weights)| Some((name, weights.get(&question)?)))
    }

    /// Leaves what was fitted for the prior, or for answers without adapters, where those did better on what gates, and
    /// for the prior where nothing that gates asks this; from then on nothing but the answers and the same without
    /// adapters is asked. The gate's board then shows what was chosen. What was gated stays.
    pub fn gate(&mut self, question: Question, gate: &mut Board) {
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
            gate.alias(FUSED, name);
        }
    }

    /// Takes over what another has.
    pub fn join(&mut self, other: Fitted) {
        self.with.extend(other.with);
        self.without.extend(other.without);
    }

    /// All that were fitted.
    pub fn all(&self) -> &BTreeMap<Question, Weights> {
        &self.with
    }
}

#[cfg(test)]
mod tests {
    use super::super::board::Marks;
    use super::*;

    #[test]
    fn what_was_gated_is_neither_fitted_nor_gated_again() {
        let priors = |question| fusion::shipped(question, &|_| false).expect("it fits");
        let (mut fitted, question) = (Fitted::default(), Question::Files);
        fitted.fit(question, &[], &priors);
        let other = Weights(vec![0.0; question.signals().len()]);
        fitted.without.insert(question, other);
        fitted.gate(question, &mut Board::default());
        assert_eq!(
            fitted.weights(question),
            Some(&Weights(priors(question).mean)),
            "nothing let through what was fitted"
        );
        let gated = fitted.clone();
        fitted.fit(question, &[], &priors);
        let mut board = Board::default();
        for unit in 0..20 {
            board.ask(unit, 1.0);
            board.note(unit, FUSED, Marks::of(&[0.0, 1.0], &[0]));
            board.note(unit, WITHOUT_ADAPTERS, Marks::of(&[1.0, 0.0], &[0]));
        }
        fitted.gate(question, &mut board);
        assert_eq!(fitted, gated);
    }
}
