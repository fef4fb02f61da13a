//! When to say that a file is missing from a change. Refuses to speak where it would be wrong too often: then it is
//! silent in this repository.

use serde::{Deserialize, Serialize};

use super::Part;
use crate::fusion::{self, Example, FILE_SIGNALS, Prior, Table, Weights, signal};

/// At most so many false alarms in a hundred complete changes.
const MOST_FALSE: f64 = 3.0;
/// Less found than this share is not worth any alarm.
const LEAST_FOUND: f64 = 0.20;
/// Complete changes without which nobody can know how often it would be wrong.
const LEAST_CHANGES: usize = 50;

/// What was said of a change at one moment: the candidate on top, and how sure of it.
#[derive(Debug, Clone)]
pub struct Moment {
    part: Part,
    /// What tells a sure answer from another.
    signs: [f32; SIGNS],
    /// Whether a file was missing at all.
    is_incomplete: bool,
    /// Whether it was the one on top.
    is_right: bool,
    weight: f64,
}

const SIGNS: usize = 8;

/// How often it would have been said, and rightly.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Complete changes that were looked at in the test.
    pub complete: usize,
    /// Share of missing files that were named, in the test.
    pub recall: f64,
    /// Of a hundred complete changes, those where one was called missing, in the test.
    pub false_alarms: f64,
    /// Why nothing is said at all.
    pub silent: Option<String>,
}

impl Moment {
    /// Of a table's best candidate; `right` is the row of the missing file.
    pub fn of(part: Part, table: &Table, weights: &Weights, right: Option<usize>, weight: f64) -> Option<Self> {
        let scores = table.scores(weights);
        let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(b.cmp(a)))?;
        let most = scores[best];
        let sum: f32 = scores.iter().map(|score| (score - most).exp()).sum();
        let second =
            (0..scores.len()).filter(|row| *row != best).map(|row| scores[row]).fold(f32::NEG_INFINITY, f32::max);
        let at = |signal: usize| table.columns[signal][best];
        let signs = [
            1.0,
            -sum.ln(),
            if second.is_finite() { (most - second).min(10.0) } else { 0.0 },
            at(GIVEN_QUERY),
            at(FILE_SIGNALS.len() + GIVEN_QUERY),
            at(GIVEN_CANDIDATE),
            at(FILE_SIGNALS.len() + signal::DECAYED),
            at(LOG_COUNT),
        ];
        Some(Moment { part, signs, is_incomplete: right.is_some(), is_right: right == Some(best), weight })
    }
}

const LOG_COUNT: usize = 3;
const GIVEN_QUERY: usize = 4;
const GIVEN_CANDIDATE: usize = 5;

impl Alarm {
    /// Learns on validation when to speak, and says what that comes to in the test.
    pub fn of(moments: &[Moment]) -> Self {
        let part = |part: Part| moments.iter().filter(move |moment| moment.part == part);
        let complete = |of: Part| part(of).filter(|moment| !moment.is_incomplete).count();
        let mut alarm = Alarm { complete: complete(Part::Test), ..Alarm::default() };
        if complete(Part::Validation) < LEAST_CHANGES {
            alarm.silent = Some(format!("fewer than {LEAST_CHANGES} changes to learn from"));
            return alarm;
        }
        let examples: Vec<Example> = part(Part::Validation).map(Moment::example).collect();
        let weights = fusion::fit(&examples, &Prior::flat(SIGNS, 1.0));
        let score = |moment: &Moment| weights.score(moment.signs.iter().copied());
        let figures = |of: Part, threshold: f64| -> (f64, f64) {
            let said = |moment: &&Moment| score(moment) > threshold;
            let share = |hits: f64, of: f64| if of > 0.0 { hits / of } else { 0.0 };
            let incomplete: f64 = part(of).filter(|one| one.is_incomplete).map(|one| one.weight).sum();
            let found = part(of).filter(|one| one.is_right).filter(said).map(|one| one.weight).sum();
            let wrong = part(of).filter(|one| !one.is_incomplete).filter(said).count();
            (share(found, incomplete), 100.0 * share(wrong as f64, complete(of) as f64))
        };
        let mut thresholds: Vec<f64> = part(Part::Validation).map(score).collect();
        thresholds.sort_by(f64::total_cmp);
        // Half of what is allowed: what was learned here is a little too good to be true elsewhere.
        let lowest =
            thresholds.into_iter().find(|threshold| figures(Part::Validation, *threshold).1 <= MOST_FALSE / 2.0);
        let Some(threshold) = lowest.filter(|threshold| figures(Part::Validation, *threshold).0 >= LEAST_FOUND) else {
            alarm.silent = Some(format!(
                "no threshold finds {:.0} in a hundred missing files with at most {:.1} false alarms in a hundred changes of validation",
                100.0 * LEAST_FOUND,
                MOST_FALSE / 2.0
            ));
            return alarm;
        };
        (alarm.recall, alarm.false_alarms) = figures(Part::Test, threshold);
        alarm
    }
}

impl Moment {
    /// Two candidates, to speak and not to: a softmax over them is a logistic regression.
    fn example(&self) -> Example {
        let rows = self.signs.iter().copied().chain([0.0; SIGNS]).collect();
        Example { rows, right: vec![usize::from(!self.is_right)], weight: self.weight }
    }
}
