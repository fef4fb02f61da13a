//! When to warn that a file is missing from a change: a threshold on a fitted confidence.
//!
//! Invariant: if no threshold keeps false alarms rare enough on validation, the repository gets no alarm at all.

use serde::{Deserialize, Serialize};

use super::SplitPart;
use crate::fusion::{self, FILE_SIGNALS, Prior, RankingExample, SignalTable, Weights, signal};

/// The most false alarms per hundred complete changes.
const MAX_FALSE_ALARMS: f64 = 3.0;
/// The least recall at which alarms are worth having.
const MIN_RECALL: f64 = 0.20;
/// The fewest complete changes in the validation split from which a false-alarm rate can be estimated.
const MIN_CHANGES: usize = 50;

/// The best candidate for a change, with features of how confident the ranking is.
#[derive(Debug, Clone)]
pub struct AlarmSample {
    part: SplitPart,
    /// The features of confidence.
    features: [f32; FEATURES],
    /// Whether a file is missing at all.
    is_incomplete: bool,
    /// Whether the best candidate is the missing file.
    is_right: bool,
    weight: f64,
}

/// The number of confidence features.
const FEATURES: usize = 8;

/// The measured quality of alarms.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// The number of complete changes in the test split.
    pub complete: usize,
    /// The share of missing files that were named, in the test split.
    pub recall: f64,
    /// False alarms per hundred complete changes, in the test split.
    pub false_alarms: f64,
    /// Why there are no alarms; `None` if there are.
    pub silent: Option<String>,
}

impl AlarmSample {
    /// Creates the sample of a signal table. `relevant` is the row of the missing file, if one is missing.
    pub fn of(
        part: SplitPart,
        table: &SignalTable,
        weights: &Weights,
        relevant: Option<usize>,
        weight: f64,
    ) -> Option<Self> {
        let scores = table.scores(weights);
        let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(b.cmp(a)))?;
        let most = scores[best];
        let sum: f32 = scores.iter().map(|score| (score - most).exp()).sum();
        let second =
            (0..scores.len()).filter(|row| *row != best).map(|row| scores[row]).fold(f32::NEG_INFINITY, f32::max);
        let at = |signal: usize| table.columns[signal][best];
        let features = [
            1.0,
            -sum.ln(),
            if second.is_finite() { (most - second).min(10.0) } else { 0.0 },
            at(GIVEN_QUERY),
            at(FILE_SIGNALS.len() + GIVEN_QUERY),
            at(GIVEN_CANDIDATE),
            at(FILE_SIGNALS.len() + signal::DECAYED),
            at(LOG_COUNT),
        ];
        Some(AlarmSample {
            part,
            features,
            is_incomplete: relevant.is_some(),
            is_right: relevant == Some(best),
            weight,
        })
    }
}

/// Indices of the columns of [`FILE_SIGNALS`] that are used as features.
const LOG_COUNT: usize = 3;
const GIVEN_QUERY: usize = 4;
const GIVEN_CANDIDATE: usize = 5;

impl Alarm {
    /// Fits confidence and threshold on the validation split, and measures alarms on the test split.
    pub fn of(samples: &[AlarmSample]) -> Self {
        let part = |part: SplitPart| samples.iter().filter(move |sample| sample.part == part);
        let complete = |of: SplitPart| part(of).filter(|sample| !sample.is_incomplete).count();
        let mut alarm = Alarm { complete: complete(SplitPart::Test), ..Alarm::default() };
        if complete(SplitPart::Validation) < MIN_CHANGES {
            alarm.silent = Some(format!("validation has fewer than {MIN_CHANGES} complete changes"));
            return alarm;
        }
        let examples: Vec<RankingExample> = part(SplitPart::Validation).map(AlarmSample::example).collect();
        let weights = fusion::fit(&examples, &Prior::flat(FEATURES, 1.0));
        let score = |sample: &AlarmSample| weights.score(sample.features.iter().copied());
        let summary = |of: SplitPart, threshold: f64| -> (f64, f64) {
            let said = |sample: &&AlarmSample| score(sample) > threshold;
            let share = |hits: f64, of: f64| if of > 0.0 { hits / of } else { 0.0 };
            let incomplete: f64 = part(of).filter(|one| one.is_incomplete).map(|one| one.weight).sum();
            let found = part(of).filter(|one| one.is_right).filter(said).map(|one| one.weight).sum();
            let wrong = part(of).filter(|one| !one.is_incomplete).filter(said).count();
            (share(found, incomplete), 100.0 * share(wrong as f64, complete(of) as f64))
        };
        let mut thresholds: Vec<f64> = part(SplitPart::Validation).map(score).collect();
        thresholds.sort_by(f64::total_cmp);
        // Half of what is allowed, because the fit is optimistic on the data it was fitted to.
        let lowest = thresholds
            .into_iter()
            .find(|threshold| summary(SplitPart::Validation, *threshold).1 <= MAX_FALSE_ALARMS / 2.0);
        let Some(threshold) = lowest.filter(|threshold| summary(SplitPart::Validation, *threshold).0 >= MIN_RECALL)
        else {
            alarm.silent = Some(format!(
                "no threshold reaches {:.0} % recall of missing files with at most {:.1} false alarms per hundred changes on validation",
                100.0 * MIN_RECALL,
                MAX_FALSE_ALARMS / 2.0
            ));
            return alarm;
        };
        (alarm.recall, alarm.false_alarms) = summary(SplitPart::Test, threshold);
        alarm
    }
}

impl AlarmSample {
    /// Returns a ranking example of two candidates, alarm and no alarm: their softmax is a logistic regression.
    fn example(&self) -> RankingExample {
        let rows = self.features.iter().copied().chain([0.0; FEATURES]).collect();
        RankingExample { rows, relevant: vec![usize::from(!self.is_right)], weight: self.weight }
    }
}
