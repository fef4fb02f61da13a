//! The retraining schedule: whether training is due, given the record of the last training and the data there is now.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::evaluation::Lift;
use crate::history;
use crate::workspace::{TrainingLock, write_atomically};

/// The result of training one dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingOutcome {
    /// The dimension.
    pub name: String,
    /// Whether its new adapter was published.
    pub published: bool,
    /// Whether the adapter in use was withdrawn, because it was worse than the base embedding.
    #[serde(default)]
    pub withdrawn: bool,
    /// The reason for this result, in a sentence.
    pub reason: String,
    /// Mean reciprocal rank of its own task on the gate split, before the training; `None` if that split has no query.
    pub own_before: Option<f64>,
    /// The same with the new adapter.
    pub own_after: Option<f64>,
    /// Mean reciprocal rank of the answers that use its signals, before the training.
    pub fused_before: Option<f64>,
    /// The same with the new adapter.
    pub fused_after: Option<f64>,
    /// The lift over the base embedding, on its own task and the gate split, of the adapter that is in use after the
    /// training; `None` if there is none.
    #[serde(default)]
    pub lift: Option<Lift>,
}

impl TrainingOutcome {
    /// Returns whether the adapter in use changed or was withdrawn, so that a new generation is needed.
    pub fn is_change(&self) -> bool {
        self.published || self.withdrawn
    }
}

/// The record of the last training, kept beside the adapters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingRecord {
    /// The number of informative commits when all dimensions were last trained; 0 if they never were.
    pub commits: usize,
    /// The committer time of HEAD then, in Unix seconds.
    pub time: i64,
    /// The sha256 of the model whose vectors were used.
    pub model: String,
    /// The newest commit that any training has used, in hexadecimal.
    #[serde(default)]
    pub watermark: String,
    /// The results by dimension.
    pub outcomes: Vec<TrainingOutcome>,
    /// The last measurement of drift since then.
    #[serde(default)]
    pub since: Option<AdapterDrift>,
    /// The last attempt, if it failed.
    #[serde(default)]
    pub failed: Option<FailedTraining>,
}

/// A measurement of adapters on commits that were made after their training.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AdapterDrift {
    /// The number of informative commits when it was measured.
    pub commits: usize,
    /// By dimension, the lift of its adapter over the base embedding on its own task.
    pub lifts: BTreeMap<String, Lift>,
}

/// An attempt to train that failed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FailedTraining {
    /// The number of informative commits at that time.
    pub commits: usize,
    /// The sha256 of the model that was set up.
    pub model: String,
    /// The error message.
    pub why: String,
}

/// The amount of data there is to train on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrainingInput {
    /// The number of informative commits.
    pub commits: usize,
    /// The committer time of HEAD, in Unix seconds.
    pub time: i64,
    /// The sha256 of the model in use.
    pub model: String,
}

/// The file with the record of the last training, beside the adapters.
const FILE: &str = "training.json";
/// The fewest commits to train on; adapters learned from fewer do not generalize.
pub const LEAST_COMMITS: usize = 100;
/// Training is due once the number of informative commits has grown or shrunk by this share.
const NEW_SHARE: f64 = 0.2;
/// Training is due after this many seconds if there is any new commit.
const OLD: i64 = 90 * 86_400;
/// Training is due once an adapter's lift is significantly below this share of what it was.
const DECAYED: f64 = 0.5;
/// Drift is measured once this share of the commits is new, and at least `LOOK_LEAST` of them, since fewer are not
/// significant.
const LOOK_SHARE: f64 = 0.05;
const LOOK_LEAST: usize = 20;
/// A failed training is tried again once this many commits are new; with the next commit alone it would most likely
/// fail again.
const RETRY: usize = 20;

/// Returns why training is due; `None` if it is not.
pub fn due(last: Option<&TrainingRecord>, now: &TrainingInput) -> Option<String> {
    if now.commits < LEAST_COMMITS {
        return None;
    }
    if last.is_some_and(|last| has_just_failed(last, now)) {
        return None;
    }
    let Some(last) = last.filter(|last| last.commits > 0) else {
        return Some(format!("{} commits are there to learn from", now.commits));
    };
    let new = now.commits.abs_diff(last.commits);
    if last.model != now.model {
        return Some("another model embeds than the one that was learned from".to_string());
    }
    if new as f64 >= NEW_SHARE * last.commits as f64 {
        if now.commits < last.commits {
            return Some(format!("the last training had {} commits, of which {new} are no more", last.commits));
        }
        return Some(format!("{new} commits are new since the last training, which had {}", last.commits));
    }
    if now.time.saturating_sub(last.time) >= OLD && new > 0 {
        return Some(format!("the last training is {} days old", (now.time - last.time) / 86_400));
    }
    last.outcomes.iter().find_map(|outcome| {
        let (then, now) = (outcome.lift?, last.since.as_ref()?.lifts.get(&outcome.name)?);
        (then.difference > 0.0 && now.high < DECAYED * then.difference).then(|| {
            format!(
                "on the commits since the last training {} gains {:+.3} alone where it gained {:+.3}",
                outcome.name, now.difference, then.difference
            )
        })
    })
}

/// Returns whether training or a measurement of drift is due.
pub fn is_wanted(last: Option<&TrainingRecord>, now: &TrainingInput) -> bool {
    due(last, now).is_some() || last.is_some_and(|last| is_look_due(last, now))
}

/// Returns whether a measurement of drift is due: enough is new since the last training and the last measurement, and
/// training itself is not due.
pub fn is_look_due(last: &TrainingRecord, now: &TrainingInput) -> bool {
    if due(Some(last), now).is_some() || has_just_failed(last, now) {
        return false;
    }
    let seen = last.since.as_ref().map_or(0, |since| since.commits).max(last.commits);
    let wanted = LOOK_LEAST.max((LOOK_SHARE * last.commits as f64).ceil() as usize);
    last.model == now.model && last.commits > 0 && now.commits >= seen + wanted
}

fn has_just_failed(last: &TrainingRecord, now: &TrainingInput) -> bool {
    let failed = last.failed.as_ref();
    failed.is_some_and(|failed| failed.model == now.model && now.commits < failed.commits + RETRY)
}

/// Reads the record of the last training; `None` if there was none.
pub fn last_training(adapters: &Path) -> Option<TrainingRecord> {
    let text = std::fs::read(adapters.join(FILE)).ok()?;
    serde_json::from_slice(&text).map_err(|error| tracing::warn!(%error, "{FILE} is not read")).ok()
}

/// Writes the record of the last training.
pub fn save_training(adapters: &Path, training: &TrainingRecord, _lock: &TrainingLock) -> Result<()> {
    // The parent folders are not created, so that a repository that was deleted meanwhile does not come back.
    match std::fs::create_dir(adapters) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    write_atomically(&adapters.join(FILE), &serde_json::to_vec_pretty(training)?)
}

/// Records a failed attempt, so that it is not repeated at every commit.
pub fn note_failure(adapters: &Path, now: &TrainingInput, why: &str, lock: &TrainingLock) -> Result<()> {
    let failed = FailedTraining { commits: now.commits, model: now.model.clone(), why: why.to_string() };
    let last = last_training(adapters).unwrap_or_default();
    save_training(adapters, &TrainingRecord { failed: Some(failed), ..last }, lock)
}

/// Returns the amount of data to train on, as of the index. `time` is the committer time of HEAD, in Unix seconds.
pub fn training_input(cache: &rusqlite::Connection, model: &str, time: i64) -> Result<TrainingInput> {
    Ok(TrainingInput { commits: history::informative_commit_count(cache)?, time, model: model.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(commits: usize, days: i64) -> TrainingInput {
        TrainingInput { commits, time: days * 86_400, model: "m".to_string() }
    }

    fn last() -> TrainingRecord {
        TrainingRecord { commits: 1000, model: "m".to_string(), ..TrainingRecord::default() }
    }

    fn check(last: Option<&TrainingRecord>, now: TrainingInput, word: Option<&str>) {
        let why = due(last, &now);
        assert!(
            why.as_deref().map(|why| word.is_some_and(|word| why.contains(word))).unwrap_or(word.is_none()),
            "{why:?}"
        );
    }

    #[test]
    fn it_is_due_when_much_is_new_or_it_is_long_ago() {
        check(None, now(99, 0), None);
        check(None, now(100, 0), Some("100 commits"));
        check(Some(&TrainingRecord::default()), now(100, 0), Some("100 commits"));
        check(Some(&last()), now(1000, 1000), None);
        check(Some(&last()), now(1199, 1), None);
        check(Some(&last()), now(1200, 1), Some("200 commits"));
        check(Some(&last()), now(1001, 90), Some("90 days"));
        check(Some(&last()), TrainingInput { model: "n".to_string(), ..now(1000, 0) }, Some("model"));
        check(Some(&last()), now(900, 10), None);
        check(Some(&last()), now(801, 10), None);
        check(Some(&last()), now(800, 10), Some("200 are no more"));
    }

    #[test]
    fn what_failed_is_tried_again_when_something_has_changed() {
        let failed = |commits| Some(FailedTraining { commits, model: "m".to_string(), why: "why".to_string() });
        let never = TrainingRecord { failed: failed(150), ..TrainingRecord::default() };
        check(Some(&never), now(150, 0), None);
        check(Some(&never), now(169, 0), None);
        check(Some(&never), now(170, 0), Some("170 commits"));
        check(Some(&never), TrainingInput { model: "n".to_string(), ..now(150, 0) }, Some("150 commits"));
        check(Some(&TrainingRecord { failed: failed(1250), ..last() }), now(1251, 0), None);
        check(Some(&TrainingRecord { failed: failed(1250), ..last() }), now(1270, 0), Some("270 commits"));
    }

    #[test]
    fn it_is_due_when_what_an_adapter_gains_has_surely_halved() {
        let lift = |low: f64, high: f64| Lift { ratio: 1.0, difference: (low + high) / 2.0, low, high };
        let outcome = |lift| TrainingOutcome {
            name: "temporal".to_string(),
            published: true,
            withdrawn: false,
            reason: String::new(),
            own_before: None,
            own_after: None,
            fused_before: None,
            fused_after: None,
            lift,
        };
        let with = |then: Option<Lift>, name: &str, now: Lift| TrainingRecord {
            outcomes: vec![outcome(then)],
            since: Some(AdapterDrift { commits: 1050, lifts: BTreeMap::from([(name.to_string(), now)]) }),
            ..last()
        };
        let then = Some(lift(0.1, 0.3));
        check(Some(&with(then, "temporal", lift(0.0, 0.09))), now(1050, 1), Some("temporal gains +0.045"));
        check(Some(&with(then, "temporal", lift(-0.2, 0.11))), now(1050, 1), None);
        check(Some(&with(then, "temporal", lift(0.1, 0.3))), now(1050, 1), None);
        check(Some(&with(then, "social", lift(0.0, 0.0))), now(1050, 1), None);
        check(Some(&with(None, "temporal", lift(0.0, 0.0))), now(1050, 1), None);
        check(Some(&TrainingRecord { outcomes: vec![outcome(then)], ..last() }), now(1050, 1), None);
    }

    #[test]
    fn what_adapters_are_worth_is_looked_at_now_and_then() {
        let looked =
            |commits| TrainingRecord { since: Some(AdapterDrift { commits, ..AdapterDrift::default() }), ..last() };
        for (last, commits, expect) in [
            (last(), 1049, false),
            (last(), 1050, true),
            (looked(1050), 1099, false),
            (looked(1050), 1100, true),
            (TrainingRecord { commits: 200, ..last() }, 219, false),
            (TrainingRecord { commits: 200, ..last() }, 220, true),
            (last(), 1200, false),
            (
                TrainingRecord {
                    failed: Some(FailedTraining { commits: 1050, model: "m".to_string(), ..FailedTraining::default() }),
                    ..last()
                },
                1060,
                false,
            ),
            (TrainingRecord { model: "n".to_string(), ..last() }, 1100, false),
            (TrainingRecord::default(), 1100, false),
        ] {
            assert_eq!(is_look_due(&last, &now(commits, 1)), expect, "{commits}");
        }
    }
}
