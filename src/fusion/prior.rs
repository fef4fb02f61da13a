//! What is known of weights before a repository has said anything: weights that were fitted on public repositories, one
//! row each, in `templates/prior.toml`. Refuses to let a repository be its own teacher: its row is left out.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::{FILE_SIGNALS, PEOPLE_SIGNALS, Prior, TASK_SIGNALS, missing_signals};

const SHIPPED: &str = include_str!("../../templates/prior.toml");
/// A row was fitted on one repository, and part of what rows differ by is the noise of that: so much less do
/// repositories themselves differ.
const NOISE: f64 = 3.0;
/// However much repositories agree on a weight, it may be off by this much, as a variance.
const LEAST_VARIANCE: f64 = 0.02;
/// Without any row a weight is 0, give or take this, as a variance.
const UNKNOWN_VARIANCE: f64 = 1.0;

/// What can be asked of the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// What goes with a file.
    Files,
    /// What goes with a file of which history says little.
    ColdFiles,
    /// What is missing from a change.
    Missing,
    /// Which files a task will touch.
    Task,
    /// Who knows some files.
    Who,
}

impl Question {
    /// All of them.
    pub const ALL: [Question; 5] =
        [Question::Files, Question::ColdFiles, Question::Missing, Question::Task, Question::Who];

    /// What it is called in files.
    pub fn name(self) -> &'static str {
        match self {
            Question::Files => "files",
            Question::ColdFiles => "cold_files",
            Question::Missing => "missing",
            Question::Task => "task",
            Question::Who => "who",
        }
    }

    /// What its columns are called.
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
struct File {
    #[serde(default)]
    repository: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    /// Ids of some of its commits, the first among them: who knows one of them is this repository, or a part of it.
    commits: Vec<String>,
    /// By question, by signal.
    weights: BTreeMap<String, BTreeMap<String, f64>>,
}

/// The prior that ships for a question, as a repository that knows some commits may use it.
///
/// # Errors
/// Where what ships does not fit the question's signals, which a test refuses.
pub fn shipped(question: Question, knows: &dyn Fn(&str) -> bool) -> Result<Prior> {
    of(SHIPPED, question.name(), &question.signals(), knows).context("reading templates/prior.toml")
}

fn of(text: &str, question: &str, signals: &[String], knows: &dyn Fn(&str) -> bool) -> Result<Prior> {
    let file: File = toml::from_str(text)?;
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for row in file.repository.iter().filter(|row| !row.commits.iter().any(|commit| knows(commit))) {
        // One that has a single author says nothing of who knows what.
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
        1.0 / (variance / NOISE + LEAST_VARIANCE)
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
        of(ROWS, "files", &signals.map(str::to_string), knows)
    }

    #[test]
    fn a_weight_is_as_sure_as_repositories_agree() {
        let prior = read(&|_| false, ["count", "path"]).expect("reads");
        assert_eq!(prior.mean, [2.0, 0.0]);
        let sure = [1.0 / (1.0 / 3.0 + 0.02), 50.0];
        assert!(prior.precision.iter().zip(sure).all(|(found, expect)| (found - expect).abs() < 1e-9), "{prior:?}");
    }

    #[test]
    fn no_repository_teaches_itself() {
        assert_eq!(read(&|commit| commit == "c", ["count", "path"]).expect("reads").mean, [1.5, 0.0]);
        let most = |commit: &str| commit == "b" || commit == "d";
        assert_eq!(read(&most, ["count", "path"]).expect("reads").mean, [0.0, 0.0], "one is no prior");
        assert!(read(&|_| false, ["count", "other"]).is_err());
    }

    #[test]
    fn what_ships_fits_the_signals() {
        for question in Question::ALL {
            let prior = shipped(question, &|_| false).expect("it fits");
            assert_eq!(prior.mean.len(), question.signals().len(), "{question:?}");
        }
    }
}
