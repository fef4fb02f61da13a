//! The shipped prior of the ranking weights, from weights fitted on public repositories: one row per repository in
//! `templates/prior.toml`.
//!
//! Invariant: a repository's own row is left out of its prior, so it does not count twice.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::{FILE_SIGNALS, PEOPLE_SIGNALS, Prior, TASK_SIGNALS, missing_signals};

/// The shipped prior file.
const SHIPPED: &str = include_str!("../../templates/prior.toml");
/// The factor by which the variance between rows overstates the variance between repositories, because each row has the
/// noise of its own fit.
const FIT_NOISE_FACTOR: f64 = 3.0;
/// Least variance of a weight, however much the repositories agree.
const MIN_VARIANCE: f64 = 0.02;
/// Variance of a weight around 0 if there are too few rows.
const UNKNOWN_VARIANCE: f64 = 1.0;

/// A ranking question; each has its own signals and weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// Files related to a file.
    Files,
    /// Files related to a file with little history (fewer than [`COLD`](super::COLD) commits).
    ColdFiles,
    /// The file that is missing from a change.
    Missing,
    /// Files that a task will touch.
    Task,
    /// People who know some files.
    Who,
}

impl Question {
    /// All questions.
    pub const ALL: [Question; 5] =
        [Question::Files, Question::ColdFiles, Question::Missing, Question::Task, Question::Who];

    /// Returns its stored name.
    pub fn name(self) -> &'static str {
        match self {
            Question::Files => "files",
            Question::ColdFiles => "cold_files",
            Question::Missing => "missing",
            Question::Task => "task",
            Question::Who => "who",
        }
    }

    /// Returns the names of its signals, in order.
    pub fn signals(self) -> Vec<String> {
        let named = |signals: &[&str]| signals.iter().map(|signal| (*signal).to_string()).collect();
        match self {
            Question::Files | Question::ColdFiles => named(&FILE_SIGNALS),
            Question::Missing => missing_signals(),
            Question::Task => named(&TASK_SIGNALS),
            Question::Who => named(&PEOPLE_SIGNALS),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriorFile {
    #[serde(default)]
    repository: Vec<PriorRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriorRow {
    name: String,
    /// Ids of some of its commits, its first among them: a repository that has one of them is this one or a fork.
    commits: Vec<String>,
    /// Weights by question and signal.
    weights: BTreeMap<String, BTreeMap<String, f64>>,
}

/// Returns the shipped prior of a question.
///
/// `knows` returns whether this repository has a commit, so that its own row can be left out.
///
/// # Errors
/// If the shipped rows do not fit the question's signals, which a test rules out.
pub fn shipped(question: Question, knows: &dyn Fn(&str) -> bool) -> Result<Prior> {
    prior_from(SHIPPED, question.name(), &question.signals(), knows).context("reading templates/prior.toml")
}

/// Computes the prior of a question from the text of a prior file: the mean of the rows, and a precision from their
/// variance.
fn prior_from(text: &str, question: &str, signals: &[String], knows: &dyn Fn(&str) -> bool) -> Result<Prior> {
    let file: PriorFile = toml::from_str(text)?;
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for row in file.repository.iter().filter(|row| !row.commits.iter().any(|commit| knows(commit))) {
        // A repository with a single author has no weights for [`Question::Who`].
        let Some(weights) = row.weights.get(question) else { continue };
        ensure!(weights.len() == signals.len(), "{}: {question} has {} weights", row.name, weights.len());
        let of_signal = |signal: &String| {
            weights.get(signal).copied().with_context(|| format!("{}: {question} has no {signal}", row.name))
        };
        rows.push(signals.iter().map(of_signal).collect::<Result<_>>()?);
    }
    if rows.len() < 2 {
        return Ok(Prior::flat(signals.len(), 1.0 / UNKNOWN_VARIANCE));
    }
    let count = rows.len() as f64;
    let column = |signal: usize| rows.iter().map(move |row| row[signal]);
    let mean: Vec<f64> = (0..signals.len()).map(|signal| column(signal).sum::<f64>() / count).collect();
    let precision = mean.iter().enumerate().map(|(signal, mean)| {
        let variance = column(signal).map(|weight| (weight - mean).powi(2)).sum::<f64>() / (count - 1.0);
        1.0 / (variance / FIT_NOISE_FACTOR + MIN_VARIANCE)
    });
    Ok(Prior { precision: precision.collect(), mean })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "
[[repository]]
name = 'one'
commits = ['a']
weights.files = { count = 1.0, path = 0.0 }
[[repository]]
name = 'two'
commits = ['b', 'c']
weights.files = { count = 3.0, path = 0.0 }
[[repository]]
name = 'three'
commits = ['d']
weights.files = { count = 2.0, path = 0.0 }
";

    fn read(knows: &dyn Fn(&str) -> bool, signals: [&str; 2]) -> Result<Prior> {
        prior_from(ROWS, "files", &signals.map(str::to_string), knows)
    }

    #[test]
    fn precision_grows_with_agreement() {
        let prior = read(&|_| false, ["count", "path"]).expect("reads");
        assert_eq!(prior.mean, [2.0, 0.0]);
        let sure = [1.0 / (1.0 / 3.0 + 0.02), 50.0];
        assert!(prior.precision.iter().zip(sure).all(|(found, expect)| (found - expect).abs() < 1e-9), "{prior:?}");
    }

    #[test]
    fn a_repository_is_not_part_of_its_own_prior() {
        assert_eq!(read(&|commit| commit == "c", ["count", "path"]).expect("reads").mean, [1.5, 0.0]);
        let most = |commit: &str| commit == "b" || commit == "d";
        assert_eq!(read(&most, ["count", "path"]).expect("reads").mean, [0.0, 0.0], "one row is not enough");
        assert!(read(&|_| false, ["count", "other"]).is_err());
    }

    #[test]
    fn the_shipped_prior_fits_the_signals() {
        for question in Question::ALL {
            let prior = shipped(question, &|_| false).expect("it fits");
            assert_eq!(prior.mean.len(), question.signals().len(), "{question:?}");
        }
    }
}
