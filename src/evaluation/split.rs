//! Which commits train, fit, gate and test. Pure; refuses to let a later part reach an earlier one, for the parts are
//! ranges of one order.

use std::ops::Range;

use crate::history::Timeline;

/// Newest share of the commits that tests.
const TEST: f64 = 0.20;
/// Newest share of the rest that validates.
const VALIDATION: f64 = 0.15;
/// Commits that validate in use, at most: more say no more, and cost as many questions of ever more history.
const MOST_VALIDATION: usize = 3000;
/// Newest share of validation that gates.
const GATE: f64 = 1.0 / 3.0;

/// Ranges of places among the steps, one after another: a merge belongs to where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Adapters are trained on these.
    pub train: Range<usize>,
    /// Training stops by these, and weights are fitted on them.
    pub fit: Range<usize>,
    /// What was learned is let through by these.
    pub gate: Range<usize>,
    /// What is reported is measured on these.
    pub test: Range<usize>,
    /// Whether anything is held back to test: what has no time is parted by this.
    pub is_measuring: bool,
}

impl Split {
    /// For a measurement: the newest fifth of the commits that are no merges tests.
    pub fn measuring(timeline: &Timeline) -> Self {
        Split { is_measuring: true, ..Self::new(timeline, TEST, usize::MAX) }
    }

    /// For use: nothing is held back to test.
    pub fn in_use(timeline: &Timeline) -> Self {
        Self::new(timeline, 0.0, MOST_VALIDATION)
    }

    /// To fit weights on all that is not trained on: nothing gates or tests.
    pub fn fitting(timeline: &Timeline) -> Self {
        let measuring = Self::measuring(timeline);
        let end = measuring.test.end;
        Split {
            train: measuring.train,
            fit: measuring.fit.start..end,
            gate: end..end,
            test: end..end,
            is_measuring: true,
        }
    }

    /// To see what was learned up to a commit do on those after it: they gate, and nothing else does anything. Where that
    /// commit is not among these, nothing gates.
    pub fn since(timeline: &Timeline, sha: &str) -> Self {
        let end = timeline.steps.len();
        let known = timeline.steps.iter().position(|step| step.sha == sha).map_or(end, |place| place + 1);
        Split { train: 0..known, fit: known..known, gate: known..end, test: end..end, is_measuring: false }
    }

    fn new(timeline: &Timeline, test: f64, most_validation: usize) -> Self {
        let places: Vec<usize> =
            timeline.steps.iter().enumerate().filter(|(_, step)| !step.is_merge).map(|(place, _)| place).collect();
        let part = |of: usize, share: f64| (of as f64 * share).round() as usize;
        let tested = part(places.len(), test);
        let validated = part(places.len() - tested, VALIDATION).min(most_validation);
        let gated = part(validated, GATE);
        // A part begins at its first commit; what stands between two parts belongs to the older.
        let end = timeline.steps.len();
        let begin = |back: usize| if back == 0 { end } else { places[places.len() - back] };
        let (fit, gate, test) = (begin(tested + validated), begin(tested + gated), begin(tested));
        Split { train: 0..fit, fit: fit..gate, gate: gate..test, test: test..end, is_measuring: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Step;

    #[test]
    fn the_parts_are_ranges_of_commits_that_are_no_merges() {
        let step = |is_merge| Step {
            seq: 0,
            sha: String::new(),
            time: 0,
            parents: Vec::new(),
            is_merge,
            authors: Vec::new(),
            message: String::new(),
            touched: 0,
            changes: Vec::new(),
        };
        let check = |commits: usize, merge_after: Option<usize>, expect: [Range<usize>; 4]| {
            let mut timeline = Timeline::default();
            for place in 0..commits {
                timeline.steps.push(step(false));
                if merge_after == Some(place) {
                    timeline.steps.push(step(true));
                }
            }
            let Split { train, fit, gate, test, .. } = Split::measuring(&timeline);
            assert_eq!([train, fit, gate, test], expect);
        };
        check(0, None, [0..0, 0..0, 0..0, 0..0]);
        check(1, None, [0..1, 1..1, 1..1, 1..1]);
        check(100, None, [0..68, 68..76, 76..80, 80..100]);
        check(100, Some(70), [0..68, 68..77, 77..81, 81..101]);
    }
}
