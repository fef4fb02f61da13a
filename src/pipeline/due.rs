//! When it is time to train again: a policy over what is kept of the last training and what there is now. Pure; refuses to
//! know how anything is trained.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::evaluation::Lift;
use crate::history;
use crate::workspace::{TrainingLock, write_atomically};

/// What became of one dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The dimension.
    pub name: String,
    /// Whether its new adapter is in use from now on.
    pub published: bool,
    /// Whether the adapter in use went, being worse than none, and nothing came in its place.
    #[serde(default)]
    pub withdrawn: bool,
    /// Why, or why not, in a sentence.
    pub reason: String,
    /// Mean reciprocal rank of its own task on the gating commits, as it was; none where nothing was asked.
    pub own_before: Option<f64>,
    /// The same by the new adapter.
    pub own_after: Option<f64>,
    /// The same of the answers that it takes part in, as they were.
    pub fused_before: Option<f64>,
    /// The same with the new adapter.
    pub fused_after: Option<f64>,
    /// How much better than the base embedding the adapter is alone, on the gating commits, that is in use from now on;
    /// none where there is none.
    #[serde(default)]
    pub lift: Option<Lift>,
}

impl Outcome {
    /// Whether another adapter is in use than before, or none any more: a generation is to be made of it.
    pub fn is_change(&self) -> bool {
        self.published || self.withdrawn
    }
}

/// The last training, as it is kept beside the adapters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Commits of a size that says something, as all dimensions were trained; 0 where they never were.
    pub commits: usize,
    /// Committer time of HEAD then, Unix seconds.
    pub time: i64,
    /// sha256 of the model whose vectors were learned from.
    pub model: String,
    /// The newest commit that any training has seen, in hexadecimal.
    #[serde(default)]
    pub watermark: String,
    /// By dimension.
    pub outcomes: Vec<Outcome>,
    /// What the adapters in use were worth at the last look at what came after it.
    #[serde(default)]
    pub since: Option<Since>,
    /// The last attempt, where it failed.
    #[serde(default)]
    pub failed: Option<Failed>,
}

/// A look at how adapters do on commits that came after they were trained.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Since {
    /// Commits of a size that says something, at that look.
    pub commits: usize,
    /// By dimension: how much better than the base embedding its adapter was, alone.
    pub lifts: BTreeMap<String, Lift>,
}

/// An attempt that came to nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    /// Commits of a size that says something, at that time.
    pub commits: usize,
    /// sha256 of the model that was set up.
    pub model: String,
    /// What went wrong.
    pub why: String,
}

/// How much there is to learn from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Supply {
    /// Commits of a size that says something.
    pub commits: usize,
    /// Committer time of HEAD, Unix seconds.
    pub time: i64,
    /// sha256 of the model in use.
    pub model: String,
}

/// Where the last training is kept, beside the adapters.
const FILE: &str = "training.json";
/// Fewer commits than this teach nothing that holds.
pub const LEAST_COMMITS: usize = 100;
/// Trained again once this share of what was known is new, or gone.
const NEW_SHARE: f64 = 0.2;
/// Trained again after so long, where anything is new at all, in seconds.
const OLD: i64 = 90 * 86_400;
/// Trained again once what an adapter gains is surely less than this share of what it gained.
const DECAYED: f64 = 0.5;
/// What adapters are worth is looked at once this share of what is known is new, and that many commits: fewer say nothing.
const LOOK_SHARE: f64 = 0.05;
const LOOK_LEAST: usize = 20;
/// What failed is tried again once so many commits are new: the next commit would most likely fail alike.
const RETRY: usize = 20;

/// Why it is time to train again; none where it is not.
pub fn due(last: Option<&Training>, now: &Supply) -> Option<String> {
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

/// Whether it is time to train, or to look at what adapters are worth.
pub fn is_wanted(last: Option<&Training>, now: &Supply) -> bool {
    due(last, now).is_some() || last.is_some_and(|last| is_look_due(last, now))
}

/// Whether enough is new since the last training, and since the last look, to look at what its adapters are worth now,
/// and it is not time to train anyway.
pub fn is_look_due(last: &Training, now: &Supply) -> bool {
    if due(Some(last), now).is_some() || has_just_failed(last, now) {
        return false;
    }
    let seen = last.since.as_ref().map_or(0, |since| since.commits).max(last.commits);
    let wanted = LOOK_LEAST.max((LOOK_SHARE * last.commits as f64).ceil() as usize);
    last.model == now.model && last.commits > 0 && now.commits >= seen + wanted
}

fn has_just_failed(last: &Training, now: &Supply) -> bool {
    let failed = last.failed.as_ref();
    failed.is_some_and(|failed| failed.model == now.model && now.commits < failed.commits + RETRY)
}

/// The last training; none where there was none.
pub fn last_training(adapters: &Path) -> Option<Training> {
    let text = std::fs::read(adapters.join(FILE)).ok()?;
    serde_json::from_slice(&text).map_err(|error| tracing::warn!(%error, "{FILE} is not read")).ok()
}

/// Keeps what is known of the last training.
pub fn save_training(adapters: &Path, training: &Training, _lock: &TrainingLock) -> Result<()> {
    // Not the folders above it: a repository that was taken away meanwhile stays away.
    match std::fs::create_dir(adapters) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    write_atomically(&adapters.join(FILE), &serde_json::to_vec_pretty(training)?)
}

/// Keeps that an attempt came to nothing, so that it is not made again and again.
pub fn note_failure(adapters: &Path, now: &Supply, why: &str, lock: &TrainingLock) -> Result<()> {
    let failed = Failed { commits: now.commits, model: now.model.clone(), why: why.to_string() };
    let last = last_training(adapters).unwrap_or_default();
    save_training(adapters, &Training { failed: Some(failed), ..last }, lock)
}

/// What there is to learn from, as of what is indexed.
pub fn supply(cache: &rusqlite::Connection, model: &str, time: i64) -> Result<Supply> {
    Ok(Supply { commits: history::informative_commit_count(cache)?, time, model: model.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(commits: usize, days: i64) -> Supply {
        Supply { commits, time: days * 86_400, model: "m".to_string() }
    }

    fn last() -> Training {
        Training { commits: 1000, model: "m".to_string(), ..Training::default() }
    }

    fn check(last: Option<&Training>, now: Supply, word: Option<&str>) {
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
        check(Some(&Training::default()), now(100, 0), Some("100 commits"));
        check(Some(&last()), now(1000, 1000), None);
        check(Some(&last()), now(1199, 1), None);
        check(Some(&last()), now(1200, 1), Some("200 commits"));
        check(Some(&last()), now(1001, 90), Some("90 days"));
        check(Some(&last()), Supply { model: "n".to_string(), ..now(1000, 0) }, Some("model"));
        check(Some(&last()), now(900, 10), None);
        check(Some(&last()), now(801, 10), None);
        check(Some(&last()), now(800, 10), Some("200 are no more"));
    }

    #[test]
    fn what_failed_is_tried_again_when_something_has_changed() {
        let failed = |commits| Some(Failed { commits, model: "m".to_string(), why: "why".to_string() });
        let never = Training { failed: failed(150), ..Training::default() };
        check(Some(&never), now(150, 0), None);
        check(Some(&never), now(169, 0), None);
        check(Some(&never), now(170, 0), Some("170 commits"));
        check(Some(&never), Supply { model: "n".to_string(), ..now(150, 0) }, Some("150 commits"));
        check(Some(&Training { failed: failed(1250), ..last() }), now(1251, 0), None);
        check(Some(&Training { failed: failed(1250), ..last() }), now(1270, 0), Some("270 commits"));
    }

    #[test]
    fn it_is_due_when_what_an_adapter_gains_has_surely_halved() {
        let lift = |low: f64, high: f64| Lift { ratio: 1.0, difference: (low + high) / 2.0, low, high };
        let outcome = |lift| Outcome {
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
        let with = |then: Option<Lift>, name: &str, now: Lift| Training {
            outcomes: vec![outcome(then)],
            since: Some(Since { commits: 1050, lifts: BTreeMap::from([(name.to_string(), now)]) }),
            ..last()
        };
        let then = Some(lift(0.1, 0.3));
        check(Some(&with(then, "temporal", lift(0.0, 0.09))), now(1050, 1), Some("temporal gains +0.045"));
        check(Some(&with(then, "temporal", lift(-0.2, 0.11))), now(1050, 1), None);
        check(Some(&with(then, "temporal", lift(0.1, 0.3))), now(1050, 1), None);
        check(Some(&with(then, "social", lift(0.0, 0.0))), now(1050, 1), None);
        check(Some(&with(None, "temporal", lift(0.0, 0.0))), now(1050, 1), None);
        check(Some(&Training { outcomes: vec![outcome(then)], ..last() }), now(1050, 1), None);
    }

    #[test]
    fn what_adapters_are_worth_is_looked_at_now_and_then() {
        let looked = |commits| Training { since: Some(Since { commits, ..Since::default() }), ..last() };
        for (last, commits, expect) in [
            (last(), 1049, false),
            (last(), 1050, true),
            (looked(1050), 1099, false),
            (looked(1050), 1100, true),
            (Training { commits: 200, ..last() }, 219, false),
            (Training { commits: 200, ..last() }, 220, true),
            (last(), 1200, false),
            (
                Training {
                    failed: Some(Failed { commits: 1050, model: "m".to_string(), ..Failed::default() }),
                    ..last()
                },
                1060,
                false,
            ),
            (Training { model: "n".to_string(), ..last() }, 1100, false),
            (Training::default(), 1100, false),
        ] {
            assert_eq!(is_look_due(&last, &now(commits, 1)), expect, "{commits}");
        }
    }
}
