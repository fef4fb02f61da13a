//! Training, the gate, and what is published of it: adapters that win on commits they have not seen, alone and within
//! the answers, and the weights that were measured with them. Refuses to publish anything else.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{Context, Embedder, Stage, config_at, material};
use crate::adapter;
use crate::dimensions::{self, Dimension, Population, Reads};
use crate::embedding::{Embeddings, Rows, Setup};
use crate::error::{Exit, UserError, interrupted};
use crate::evaluation::{
    self, Board, Experiment, FUSED, Fitted, Learned, Lift, Material, Part, Reading, Split, Texts, each, learn_all, own,
};
use crate::fusion::{self, Question, Weights};
use crate::history::{self, LARGEST_COMMIT};
use crate::store;
use crate::view;
use crate::workspace::write_atomically;

/// What became of one dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The dimension.
    pub name: String,
    /// Whether its new adapter is in use from now on.
    pub published: bool,
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
}

/// The last training, as it is kept beside the adapters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Commits of a size that says something, as it was done.
    pub commits: usize,
    /// Committer time of HEAD, Unix seconds.
    pub time: i64,
    /// sha256 of the model whose vectors were learned from.
    pub model: String,
    /// By dimension.
    pub outcomes: Vec<Outcome>,
}

/// Where the last training is kept, beside the adapters.
const FILE: &str = "training.json";
/// Fewer commits than this teach nothing that holds.
const LEAST_COMMITS: usize = 100;
/// Trained again once this share of what is known is new.
const NEW_SHARE: f64 = 0.2;
/// Trained again after so long, where anything is new at all, in seconds.
const OLD: i64 = 90 * 86_400;

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

/// Why it is time to train again; none where it is not. Pure: the policy, apart from the mechanism.
pub fn due(last: Option<&Training>, now: &Supply) -> Option<String> {
    if now.commits < LEAST_COMMITS {
        return None;
    }
    let Some(last) = last else { return Some(format!("{} commits are there to learn from", now.commits)) };
    let new = now.commits.saturating_sub(last.commits);
    if last.model != now.model {
        return Some("another model embeds than the one that was learned from".to_string());
    }
    if new as f64 >= NEW_SHARE * last.commits as f64 {
        return Some(format!("{new} commits are new since the last training, which had {}", last.commits));
    }
    let is_old = now.time.saturating_sub(last.time) >= OLD && new > 0;
    is_old.then(|| format!("the last training is {} days old", (now.time - last.time) / 86_400))
}

/// The last training; none where there was none.
pub fn last_training(adapters: &Path) -> Option<Training> {
    let text = std::fs::read(adapters.join(FILE)).ok()?;
    serde_json::from_slice(&text).map_err(|error| tracing::warn!(%error, "{FILE} is not read")).ok()
}

/// Trains, gates, and unless it is a dry run puts what won in its place; the next catching up makes a generation of it.
/// The caller has caught up.
pub fn retrain(context: &Context<'_>, only: Option<&'static Dimension>, dry_run: bool) -> Result<Vec<Outcome>> {
    let cache = store::open_reader(context.workspace, context.config)?;
    let head = view::view_of(&cache, "")?.and_then(|view| view.head);
    let Some(head) = head else {
        return Err(UserError::new(Exit::NotSetUp, "this repository has no commits to learn from")
            .hint("commit something first")
            .into());
    };
    let config = config_at(context.repository, context.config, Some(head))?;
    let setup = Setup::check(&config.model, false)?;
    let material = {
        let path = context.workspace.embeddings_path();
        let mut known = Embeddings::open(&path, context.workspace.wal, &setup.identity)?;
        let reading =
            Reading { repository: context.repository, config: &config, program: &context.program, stop: context.stop };
        let step = |done, total| (context.progress)(Stage::Embed, done, total);
        let embedder = Embedder {
            setup: &setup,
            known: Some(&known),
            sessions: context.sessions,
            stop: context.stop,
            progress: &step,
        };
        let (material, new) = material(&cache, &reading, head, Split::in_use, &embedder)?;
        known.save(&new.iter().map(|(hash, embedding)| (hash.as_slice(), embedding)).collect::<Vec<_>>())?;
        known.close()?;
        material
    };
    let people = Population { people: material.timeline.people.len() };
    let is_off = |dimension: &Dimension| {
        config.dimensions_off.iter().any(|name| name == dimension.name) || (dimension.off)(&people).is_some()
    };
    let chosen: Vec<&'static Dimension> = dimensions::ALL
        .iter()
        .copied()
        .filter(|dimension| only.is_none_or(|only| only.name == dimension.name) && !is_off(dimension))
        .collect();
    let (stop, progress) = (context.stop, context.progress);
    let learned = learn_all(&material, &chosen, &BTreeMap::new(), false, &|done, total| {
        progress(Stage::Learn, done, total);
        !stop.load(Ordering::Relaxed)
    })?;
    if stop.load(Ordering::Relaxed) {
        return Err(interrupted().into());
    }
    let folder = context.workspace.adapters_dir();
    let gate = Gate { material: &material, folder: &folder, setup: &setup };
    let judged = each(&learned, |learned| gate.judge(learned))?;
    if !dry_run {
        gate.publish(&learned, &judged, only.is_none())?;
    }
    Ok(judged.into_iter().map(|judged| judged.outcome).collect())
}

/// What there is to learn from, as of what is indexed.
pub fn supply(cache: &rusqlite::Connection, model: &str, time: i64) -> Result<Supply> {
    Ok(Supply { commits: history::telling_commits(cache)?, time, model: model.to_string() })
}

struct Gate<'a> {
    material: &'a Material,
    folder: &'a Path,
    setup: &'a Setup,
}

/// What the gate says of a dimension, and the weights that belong to what it let through.
struct Judged {
    outcome: Outcome,
    weights: BTreeMap<Question, Weights>,
}

/// The answers that a dimension takes part in: their board, and the weights that were fitted for them.
type Answers = (Board, BTreeMap<Question, Weights>);

impl Gate<'_> {
    fn judge(&self, learned: &Learned) -> Result<Judged> {
        let name = learned.dimension.name;
        let current = adapter::find(self.folder, name, &self.setup.identity).adapter;
        let current = current.map(|(adapter, _)| adapter.project_all(&self.material.frozen));
        let before = current.as_ref().unwrap_or(&self.material.frozen);
        let mut own = Board::default();
        learned.lessons.gate.judge(&self.material.frozen, "identity", &mut own);
        learned.lessons.gate.judge(before, "before", &mut own);
        let was = self.answers(learned, current.as_ref())?;
        let mut outcome = Outcome {
            name: name.to_string(),
            published: false,
            reason: String::new(),
            own_before: own.mrr("before"),
            own_after: None,
            fused_before: was.0.mrr(FUSED),
            fused_after: None,
        };
        let Some(rows) = &learned.adapter else {
            outcome.reason = learned.reason.clone().unwrap_or_else(|| "nothing was learned".to_string());
            return Ok(Judged { outcome, weights: was.1 });
        };
        learned.lessons.gate.judge(rows, "adapter", &mut own);
        outcome.own_after = own.mrr("adapter");
        let is = self.answers(learned, Some(rows))?;
        outcome.fused_after = is.0.mrr(FUSED);
        let against = [("the base embedding", "identity"), ("the adapter in use", "before")];
        let against = &against[..if current.is_some() { 2 } else { 1 }];
        let alone: Vec<(&str, Option<Lift>)> =
            against.iter().map(|(called, method)| (*called, own.lift("adapter", method))).collect();
        let within = is.0.lift_over(FUSED, &was.0, FUSED);
        (outcome.published, outcome.reason) = verdict(&alone, within);
        let weights = if outcome.published { is.1 } else { was.1 };
        Ok(Judged { outcome, weights })
    }

    /// The answers that a dimension takes part in, on the gating commits, with an adapter or without one.
    fn answers(&self, learned: &Learned, adapter: Option<&Rows>) -> Result<Answers> {
        let Gate { material, .. } = self;
        // A prior that does not fit is an error of what ships.
        material.prior(Question::Files)?;
        let prior = |question| material.prior(question).unwrap_or_else(|_| Material::flat(question));
        let texts = Texts { material, adapter, shown: &[] };
        let mut fitted = Fitted::default();
        let gate = Part::Validation as usize;
        let board = match learned.dimension.name {
            "temporal" => evaluation::walk(&material.split, &texts, &prior, 0, &mut fitted).all.into_iter().nth(gate),
            "semantic" => evaluation::tasks(&material.split, &texts, &prior, &mut fitted)?.all.into_iter().nth(gate),
            "social" => evaluation::people(&material.split, &texts, &prior, &mut fitted).all.into_iter().nth(gate),
            _ if learned.dimension.reads != Reads::Commits => {
                own(material, &learned.lessons, learned.dimension, adapter, &[]).boards.into_iter().nth(gate)
            }
            _ => None,
        };
        Ok((board.unwrap_or_default(), fitted.all().clone()))
    }

    /// Puts what won in its place. Adapters first: one without its weights is used with the prior's.
    fn publish(&self, learned: &[Learned], judged: &[Judged], is_whole: bool) -> Result<()> {
        let model = &self.setup.identity.sha256;
        std::fs::create_dir_all(self.folder)?;
        for (learned, judged) in learned.iter().zip(judged).filter(|(_, judged)| judged.outcome.published) {
            let Some(trained) = &learned.trained else { continue };
            let outcome = &judged.outcome;
            let number = |value: Option<f64>| value.map_or("none".to_string(), |value| format!("{value:.4}"));
            let metadata = [
                ("dimension", outcome.name.clone()),
                ("steps", trained.steps.to_string()),
                ("seed", Experiment::default().training.seed.to_string()),
                ("watermark", self.material.timeline.steps.last().map_or(String::new(), |step| step.sha.clone())),
                ("own_before", number(outcome.own_before)),
                ("own_after", number(outcome.own_after)),
            ];
            let bytes = adapter::bytes_of(&trained.adapter, model, &metadata)?;
            write_atomically(&self.folder.join(format!("{}.safetensors", outcome.name)), &bytes)?;
        }
        let weights: BTreeMap<Question, Weights> = judged.iter().flat_map(|judged| judged.weights.clone()).collect();
        fusion::save(self.folder, model, &weights)?;
        let outcomes = judged.iter().map(|judged| judged.outcome.clone());
        let mut kept: Vec<Outcome> = match is_whole {
            true => Vec::new(),
            false => last_training(self.folder).map(|last| last.outcomes).unwrap_or_default(),
        };
        for outcome in outcomes {
            kept.retain(|known| known.name != outcome.name);
            kept.push(outcome);
        }
        let steps = &self.material.timeline.steps;
        let telling = steps.iter().filter(|step| !step.is_merge && step.touched as i64 <= LARGEST_COMMIT).count();
        let time = steps.last().map_or(0, |step| step.time);
        let training = Training { commits: telling, time, model: model.clone(), outcomes: kept };
        write_atomically(&self.folder.join(FILE), &serde_json::to_vec_pretty(&training)?)
    }
}

/// Whether an adapter is published, and why: alone it must be better than each that it stands against, surely, and the
/// answers must not lose.
fn verdict(alone: &[(&str, Option<Lift>)], within: Option<Lift>) -> (bool, String) {
    for (called, lift) in alone {
        let Some(lift) = lift else {
            return (false, "no gating commit asks anything of it, so nobody knows whether it is better".to_string());
        };
        if lift.low <= 0.0 {
            let reason = format!(
                "alone it is {:.2} times as good as {called} on the gating commits, which may be chance ({:+.3} to {:+.3})",
                lift.ratio, lift.low, lift.high
            );
            return (false, reason);
        }
    }
    let own = alone.first().and_then(|(_, lift)| *lift).map_or(1.0, |lift| lift.ratio);
    match within {
        Some(within) if within.difference < 0.0 => {
            let reason = format!(
                "alone it is {own:.2} times as good as the base embedding, but the answers lose: {:.3} times as good with it",
                within.ratio
            );
            (false, reason)
        }
        Some(within) => (
            true,
            format!(
                "alone it is {own:.2} times as good as the base embedding on commits it has not seen, and the answers are {:.3} times as good with it",
                within.ratio
            ),
        ),
        None => (false, "no gating commit asks anything of the answers, so nobody knows whether they lose".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lift(ratio: f64, low: f64, high: f64) -> Option<Lift> {
        Some(Lift { ratio, difference: (low + high) / 2.0, low, high })
    }

    #[test]
    fn only_what_wins_alone_and_loses_nothing_is_published() {
        let check = |alone: &[Option<Lift>], within, expect: bool, word: &str| {
            let named = ["the base embedding", "the adapter in use"];
            let alone: Vec<(&str, Option<Lift>)> = named.into_iter().zip(alone.iter().copied()).collect();
            let (published, reason) = verdict(&alone, within);
            assert!(published == expect && reason.contains(word), "{reason}");
        };
        let (wins, even) = (lift(1.5, 0.1, 0.2), lift(1.0, -0.01, 0.01));
        check(&[wins], even, true, "1.50 times");
        check(&[wins], wins, true, "answers are 1.500");
        check(&[even], wins, false, "may be chance");
        check(&[wins, even], wins, false, "the adapter in use");
        check(&[wins], lift(0.9, -0.2, 0.1), false, "lose");
        check(&[wins], lift(0.999, -0.02, 0.018), false, "lose");
        check(&[None], wins, false, "nobody knows");
        check(&[wins], None, false, "nobody knows");
    }

    #[test]
    fn it_is_due_when_much_is_new_or_it_is_long_ago() {
        let now = |commits, days: i64| Supply { commits, time: days * 86_400, model: "m".to_string() };
        let last = Training { commits: 1000, time: 0, model: "m".to_string(), outcomes: Vec::new() };
        let check = |last: Option<&Training>, now: Supply, word: Option<&str>| {
            let why = due(last, &now);
            assert!(
                why.as_deref().map(|why| word.is_some_and(|word| why.contains(word))).unwrap_or(word.is_none()),
                "{why:?}"
            );
        };
        check(None, now(99, 0), None);
        check(None, now(100, 0), Some("100 commits"));
        check(Some(&last), now(1000, 1000), None);
        check(Some(&last), now(1199, 1), None);
        check(Some(&last), now(1200, 1), Some("200 commits"));
        check(Some(&last), now(1001, 90), Some("90 days"));
        check(Some(&last), Supply { model: "n".to_string(), ..now(1000, 0) }, Some("model"));
        check(Some(&last), now(900, 10), None);
    }
}
