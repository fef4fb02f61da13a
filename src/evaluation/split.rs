//! The split of a history by time: training, validation (fit and gate) and test.
//!
//! Invariant: the parts are consecutive ranges of the timeline, so no later commit reaches an earlier part.

use std::ops::Range;

use crate::history::Timeline;

/// The share of the commits in the test split; the newest ones.
const TEST: f64 = 0.20;
/// The share of the remaining commits in the validation split; the newest ones.
const VALIDATION: f64 = 0.15;
/// The most validation commits for production training. More would not add precision, but each costs a query.
const MAX_VALIDATION: usize = 3000;
/// The share of the validation split that is the gate; the newest commits.
const GATE: f64 = 1.0 / 3.0;

/// Consecutive ranges of commit indices in a timeline; a merge belongs to the range it falls into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Adapters are trained on these commits.
    pub train: Range<usize>,
    /// Early stopping and the fit of ranking weights use these commits.
    pub fit: Range<usize>,
    /// On these commits it is decided whether an adapter is published.
    pub gate: Range<usize>,
    /// Reported metrics are measured on these commits.
    pub test: Range<usize>,
    /// Whether there is a test split. Dimensions of items, which are split by hash instead of time, follow it.
    pub has_test: bool,
}

impl Split {
    /// Creates the split for an evaluation: the newest fifth of the non-merge commits is the test split.
    pub fn for_evaluation(timeline: &Timeline) -> Self {
        Split { has_test: true, ..Self::new(timeline, TEST, usize::MAX) }
    }

    /// Creates the split for production training, which has no test split.
    pub fn for_production(timeline: &Timeline) -> Self {
        Self::new(timeline, 0.0, MAX_VALIDATION)
    }

    /// Creates the split for fitting a row of the shipped prior: everything after training is used for fitting.
    pub fn for_prior(timeline: &Timeline) -> Self {
        let evaluation = Self::for_evaluation(timeline);
        let end = evaluation.test.end;
        Split {
            train: evaluation.train,
            fit: evaluation.fit.start..end,
            gate: end..end,
            test: end..end,
            has_test: true,
        }
    }

    /// Creates the split for measuring adapters that were trained up to a commit: all commits after it are the gate.
    ///
    /// If the commit is not in the timeline, the gate is empty.
    pub fn since(timeline: &Timeline, sha: &str) -> Self {
        let end = timeline.commits.len();
        let known = timeline.commits.iter().position(|commit| commit.sha == sha).map_or(end, |index| index + 1);
        Split { train: 0..known, fit: known..known, gate: known..end, test: end..end, has_test: false }
    }

    fn new(timeline: &Timeline, test: f64, max_validation: usize) -> Self {
        let indices: Vec<usize> = timeline
            .commits
            .iter()
            .enumerate()
            .filter(|(_, commit)| !commit.is_merge)
            .map(|(index, _)| index)
            .collect();
        let share_of = |of: usize, share: f64| (of as f64 * share).round() as usize;
        let test_count = share_of(indices.len(), test);
        let validation_count = share_of(indices.len() - test_count, VALIDATION).min(max_validation);
        let gate_count = share_of(validation_count, GATE);
        // A part begins at its first non-merge commit; merges between two parts belong to the older one.
        let end = timeline.commits.len();
        let start = |from_end: usize| if from_end == 0 { end } else { indices[indices.len() - from_end] };
        let (fit, gate, test) =
            (start(test_count + validation_count), start(test_count + gate_count), start(test_count));
        Split { train: 0..fit, fit: fit..gate, gate: gate..test, test: test..end, has_test: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::TimelineCommit;

    #[test]
    fn the_parts_are_ranges_of_commits_that_are_no_merges() {
        let commit = |is_merge| TimelineCommit {
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
            for index in 0..commits {
                timeline.commits.push(commit(false));
                if merge_after == Some(index) {
                    timeline.commits.push(commit(true));
                }
            }
            let Split { train, fit, gate, test, .. } = Split::for_evaluation(&timeline);
            assert_eq!([train, fit, gate, test], expect);
        };
        check(0, None, [0..0, 0..0, 0..0, 0..0]);
        check(1, None, [0..1, 1..1, 1..1, 1..1]);
        check(100, None, [0..68, 68..76, 76..80, 80..100]);
        check(100, Some(70), [0..68, 68..77, 77..81, 81..101]);
    }
}
