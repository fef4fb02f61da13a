//! The rule of co-change: what a commit adds to each pair of files that changed in it.
//!
//! Every count of pairs follows this rule, whatever commits and file names it covers.

use super::{HALF_LIFE, LARGEST_COMMIT, decay};

/// The half-life of [`CoChange::fresh`], in days.
const SHORT_HALF_LIFE: f64 = 45.0;

/// The co-change of two files.
#[derive(Debug, Clone, Copy, Default)]
pub struct CoChange {
    /// The number of shared commits.
    pub count: f64,
    /// The weight of shared commits: each commit of n paths counts 1/(n-1), decayed with half-life [`HALF_LIFE`].
    pub decayed: f64,
    /// The same weight with a half-life of 45 days.
    pub fresh: f64,
}

/// What one commit adds to each pair of its files.
#[derive(Debug, Clone, Copy)]
pub struct PairWeight {
    /// See [`CoChange::decayed`].
    pub decayed: f64,
    /// See [`CoChange::fresh`].
    pub fresh: f64,
}

impl PairWeight {
    /// Returns the weight of a commit of `touched` paths, as of a time; times are Unix seconds. `None` if it has no
    /// pair, or too many paths to count as evidence.
    pub fn of(touched: usize, time: i64, as_of: i64) -> Option<Self> {
        let is_counted = (2..=LARGEST_COMMIT as usize).contains(&touched);
        is_counted.then(|| {
            let others = (touched - 1) as f64;
            let decayed = decay(as_of, time, HALF_LIFE) / others;
            PairWeight { decayed, fresh: decay(as_of, time, SHORT_HALF_LIFE) / others }
        })
    }
}

impl CoChange {
    /// Adds a commit that touched both files.
    pub fn add(&mut self, commit: PairWeight) {
        self.count += 1.0;
        self.decayed += commit.decayed;
        self.fresh += commit.fresh;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_of_two_files_counts_whole_and_one_of_none_or_many_not_at_all() {
        const DAY: i64 = 86_400;
        let check = |touched, time, expect| {
            let mut shared = CoChange::default();
            PairWeight::of(touched, time, 360 * DAY).into_iter().for_each(|weight| shared.add(weight));
            assert_eq!((shared.count, shared.decayed, shared.fresh), expect, "{touched} {time}");
        };
        check(2, 360 * DAY, (1.0, 1.0, 1.0));
        check(3, 180 * DAY, (1.0, 0.25, 0.5 / 16.0));
        check(1, 360 * DAY, (0.0, 0.0, 0.0));
        check(LARGEST_COMMIT as usize + 1, 360 * DAY, (0.0, 0.0, 0.0));
    }
}
