//! Training, the gate, and publishing. Invariant: an adapter is published only if it wins on commits it has not seen,
//! alone and within the answers; and only with the weights it was measured with.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use rusqlite::Connection;

use super::context::Stage;
use super::due::{TrainingOutcome, TrainingRecord, last_training, save_training};
use crate::adapter;
use crate::config::Config;
use crate::dimensions::{self, AdapterTask, Dimension, Population};
use crate::embedding::{Embedder, EmbeddingCache, ModelIdentity, NewEmbeddings, Setup, VectorRows};
use crate::error::{Exit, UserError, interrupted};
use crate::evaluation::{
    self, CorpusSource, EvalContext, EvalData, Experiment, FUSED, FittedWeights, Lift, MetricTable, Split, SplitPart,
    TrainedDimension, dimension_task, in_parallel, train_dimensions,
};
use crate::eventlog;
use crate::fail;
use crate::fusion::{self, Question, Weights};
use crate::git::{Head, Repository};
use crate::history::{self, LARGEST_COMMIT, Timeline};
use crate::index;
use crate::store;
use crate::view;
use crate::workspace::{Lock, TrainingLock, Workspace, write_atomically};

/// The context of a training. Training only reads, concurrently with other work; it takes the write lock for short
/// steps.
pub struct Learner<'a> {
    /// The repository, opened in any of its worktrees.
    pub repository: &'a Repository,
    /// The paths of the state folder.
    pub workspace: &'a Workspace,
    /// The user's settings.
    pub config: &'a Config,
    /// The path of patina's executable, which is started again to parse files.
    pub program: &'a Path,
    /// Progress callback. Receives the stage, the number of finished units, and the total number of units.
    pub progress: &'a (dyn Fn(Stage, u64, u64) + Sync),
    /// Set when the user interrupts training.
    pub stop: &'a AtomicBool,
    /// Called between steps. Waits while more urgent work is in progress, and returns whether to continue.
    pub should_continue: &'a (dyn Fn() -> bool + Sync),
    /// Maximum number of concurrent model sessions.
    pub sessions: usize,
    /// Runs a short step under the write lock.
    pub with_write_lock: &'a dyn Fn(&mut LockedWork<'_>) -> Result<()>,
    /// Proof that no other process is training.
    pub lock: &'a TrainingLock,
}

/// Work that needs the write lock.
pub type LockedWork<'a> = dyn FnMut(&Lock) -> Result<()> + 'a;

/// The state that new adapters are compared with: the model, and the blake3 of the adapter in use for each dimension.
#[derive(PartialEq, Eq)]
struct InUse {
    model: Option<ModelIdentity>,
    adapters: Vec<Option<String>>,
}

/// Trains adapters and weights, and publishes those that pass the gate; a dry run publishes nothing.
///
/// The index must be up to date with git. The next run projects all vectors and makes the new generation.
///
/// # Errors
/// A [`UserError`] if it was interrupted, or if the model or an adapter was replaced meanwhile; then nothing is
/// published.
pub fn retrain(learner: &Learner<'_>, only: Option<&'static Dimension>, dry_run: bool) -> Result<Vec<TrainingOutcome>> {
    let cache = store::open_reader(learner.workspace, learner.config)?;
    let standing = InUse::of(&cache, learner.workspace)?;
    let head = learner.head(&cache)?;
    let config = view::config_at(learner.repository, learner.config, Some(head))?;
    let setup = Setup::check(&config.model, false)?;
    let material = learner.material(cache, head, &config, &setup, Split::for_production)?;
    let people = Population { people: material.timeline.people.len() };
    let is_off = |dimension: &Dimension| {
        config.dimensions_off.iter().any(|name| name == dimension.name) || (dimension.off)(&people).is_some()
    };
    let chosen: Vec<&'static Dimension> = dimensions::ALL
        .iter()
        .copied()
        .filter(|dimension| only.is_none_or(|only| only.name == dimension.name) && !is_off(dimension))
        .collect();
    // Once `should_continue` has returned false, it stays false for all threads.
    let is_ended = AtomicBool::new(false);
    let should_continue = || {
        is_ended.fetch_or(!(learner.should_continue)(), Ordering::Relaxed);
        !is_ended.load(Ordering::Relaxed)
    };
    let learned = train_dimensions(&material, &chosen, &BTreeMap::new(), false, &|done, total| {
        (learner.progress)(Stage::Learn, done, total);
        should_continue()
    })?;
    let folder = learner.workspace.adapters_dir();
    let gate = Gate { material: &material, folder: &folder, setup: &setup, should_continue: &should_continue };
    let judged = in_parallel(&learned, |learned| gate.judge(learned))?;
    if !should_continue() {
        return Err(interrupted().into());
    }
    fail::point("judged")?;
    if !dry_run {
        (learner.with_write_lock)(&mut |_| {
            let cache = store::open_reader(learner.workspace, learner.config)?;
            if InUse::of(&cache, learner.workspace)? != standing
                || Setup::check(&config.model, false)?.identity != setup.identity
            {
                let message = "another model or adapter is in use than when the training began; nothing is published";
                return Err(UserError::new(Exit::Locked, message).hint("run `patina retrain` again").into());
            }
            gate.publish(&learned, &judged, only.is_none())
        })?;
        gate.note(&judged, only.is_none(), learner.lock)?;
    }
    Ok(judged.into_iter().map(|judged| judged.outcome).collect())
}

impl Learner<'_> {
    /// Returns the indexed HEAD of the main worktree.
    pub fn head(&self, cache: &Connection) -> Result<Head> {
        let head = view::view_of(cache, "")?.and_then(|view| view.head);
        head.ok_or_else(|| {
            UserError::new(Exit::NotSetUp, "this repository has no commits to learn from")
                .hint("commit something first")
                .into()
        })
    }

    /// Reads all data for training.
    ///
    /// The cache is closed before anything that takes long, because its write-ahead log cannot be folded while it is
    /// open.
    pub fn material(
        &self,
        cache: Connection,
        head: Head,
        config: &Config,
        setup: &Setup,
        split: impl FnOnce(&Timeline) -> Split,
    ) -> Result<EvalData> {
        let Learner { repository, workspace, program, stop, sessions, .. } = *self;
        let timeline = timeline(&cache, repository, config, head)?;
        drop(cache);
        let known = EmbeddingCache::open_read_only(&workspace.embeddings_path(), &setup.identity).ok();
        let reading = CorpusSource { repository, config, program, stop };
        let embedder = Embedder {
            setup,
            known: known.as_ref(),
            sessions,
            stop,
            should_continue: &|done, total| {
                (self.progress)(Stage::Embed, done, total);
                (self.should_continue)()
            },
            keep: &|new| (self.with_write_lock)(&mut |lock| keep(workspace, setup, &new, lock)),
        };
        let split = split(&timeline);
        EvalData::read(&reading, timeline, &[], split, head.commit, |texts| embedder.look_up(texts))
    }
}

/// Reads every commit that HEAD reaches, for training and evaluation. `cache` has the log attached as `log`.
pub fn timeline(cache: &Connection, repository: &Repository, config: &Config, head: Head) -> Result<Timeline> {
    let people = history::people_of(cache, &repository.mailmap(head.tree)?)?;
    history::timeline(cache, &people, |seq| eventlog::event(cache, seq), |path| !config.ignores(path))
}

/// Saves new embeddings, unless something was forgotten since their texts were read.
pub fn keep(workspace: &Workspace, setup: &Setup, new: &NewEmbeddings, _lock: &Lock) -> Result<()> {
    if super::erase::is_outdated(workspace)? {
        return Ok(());
    }
    let mut known = EmbeddingCache::open(&workspace.embeddings_path(), workspace.wal, &setup.identity)?;
    known.save(&new.iter().map(|(hash, embedding)| (hash.as_slice(), embedding)).collect::<Vec<_>>())?;
    known.close()
}

impl InUse {
    fn of(cache: &Connection, workspace: &Workspace) -> Result<Self> {
        let model = index::current(cache)?.map(|generation| generation.model);
        let hash = |dimension: &Dimension| {
            let path = adapter::path(&workspace.adapters_dir(), dimension.name);
            std::fs::read(path).ok().map(|bytes| blake3::hash(&bytes).to_hex().to_string())
        };
        Ok(InUse { model, adapters: dimensions::ALL.iter().copied().map(hash).collect() })
    }
}

struct Gate<'a> {
    material: &'a EvalData,
    folder: &'a Path,
    setup: &'a Setup,
    should_continue: &'a (dyn Fn() -> bool + Sync),
}

/// The verdict of the gate on a dimension, and the fitted weights for the adapter that it selects.
struct Judged {
    outcome: TrainingOutcome,
    weights: BTreeMap<Question, Weights>,
}

/// The metrics of the answers that use a dimension's signals, and the weights fitted for them.
type FusedAnswers = (MetricTable, BTreeMap<Question, Weights>);

impl Gate<'_> {
    fn judge(&self, learned: &TrainedDimension) -> Result<Judged> {
        let name = learned.dimension.name;
        let current = adapter::find(self.folder, name, &self.setup.identity).adapter;
        let current = current.map(|(adapter, _)| adapter.project_all(&self.material.base_embeddings));
        let before = current.as_ref().unwrap_or(&self.material.base_embeddings);
        let mut own = MetricTable::default();
        learned.training_set.gate.record_metrics(&self.material.base_embeddings, "identity", &mut own);
        learned.training_set.gate.record_metrics(before, "before", &mut own);
        let was = self.answers(learned, current.as_ref())?;
        let mut outcome = TrainingOutcome {
            name: name.to_string(),
            published: false,
            withdrawn: false,
            reason: String::new(),
            own_before: own.mrr("before"),
            own_after: None,
            fused_before: was.0.mrr(FUSED),
            fused_after: None,
            lift: current.as_ref().and_then(|_| own.lift("before", "identity")),
        };
        let Some(rows) = &learned.projections else {
            outcome.reason = learned.reason.clone().unwrap_or_else(|| "nothing was learned".to_string());
            return self.keep(learned, outcome, was.1);
        };
        learned.training_set.gate.record_metrics(rows, "adapter", &mut own);
        outcome.own_after = own.mrr("adapter");
        let is = self.answers(learned, Some(rows))?;
        outcome.fused_after = is.0.mrr(FUSED);
        let against = [("the base embedding", "identity"), ("the adapter in use", "before")];
        let against = &against[..if current.is_some() { 2 } else { 1 }];
        let alone: Vec<(&str, Option<Lift>)> =
            against.iter().map(|(called, method)| (*called, own.lift("adapter", method))).collect();
        let within = is.0.lift_against(FUSED, &was.0, FUSED);
        (outcome.published, outcome.reason) = verdict(&alone, within);
        if !outcome.published {
            return self.keep(learned, outcome, was.1);
        }
        outcome.lift = own.lift("adapter", "identity");
        Ok(Judged { outcome, weights: is.1 })
    }

    /// Keeps the adapter in use, with `weights`, unless it is significantly worse than the base embedding.
    fn keep(
        &self,
        learned: &TrainedDimension,
        mut outcome: TrainingOutcome,
        weights: BTreeMap<Question, Weights>,
    ) -> Result<Judged> {
        match outcome.lift {
            Some(lift) if lift.high < 0.0 => {
                outcome.reason += &format!(
                    "; the adapter in use is {:.2} times as good as the base embedding alone by now, and is withdrawn",
                    lift.ratio
                );
                (outcome.lift, outcome.withdrawn) = (None, true);
                Ok(Judged { outcome, weights: self.answers(learned, None)?.1 })
            }
            _ => Ok(Judged { outcome, weights }),
        }
    }

    /// Measures the answers that use a dimension's signals on the gate split, with an adapter or without one.
    fn answers(&self, learned: &TrainedDimension, projections: Option<&VectorRows>) -> Result<FusedAnswers> {
        let Gate { material, should_continue, .. } = *self;
        // Only a broken build ships a prior that does not fit the signals.
        material.prior(Question::Files)?;
        let prior = |question| material.prior(question).unwrap_or_else(|_| EvalData::flat(question));
        let context =
            EvalContext { data: material, projections, comparisons: &[], with_comparisons: false, should_continue };
        let mut fitted = FittedWeights::default();
        let gate = SplitPart::Validation as usize;
        let board = match learned.dimension.asks.first() {
            Some(AdapterTask::FileToFiles | AdapterTask::MissingFile) => {
                evaluation::file_tasks(&material.split, &context, &prior, 0, &mut fitted).all.into_iter().nth(gate)
            }
            Some(AdapterTask::TaskToFiles | AdapterTask::Session) => {
                evaluation::task_to_files(&material.split, &context, &[], &prior, &mut fitted)?
                    .all
                    .into_iter()
                    .nth(gate)
            }
            Some(AdapterTask::Who) => {
                evaluation::author_task(&material.split, &context, &prior, &mut fitted).all.into_iter().nth(gate)
            }
            Some(AdapterTask::Own(_)) => {
                dimension_task(&context, &learned.training_set, learned.dimension).metric_tables.into_iter().nth(gate)
            }
            None => None,
        };
        Ok((board.unwrap_or_default(), fitted.all().clone()))
    }

    /// Publishes the adapters and weights that passed the gate.
    ///
    /// Adapters are written before weights, because an adapter without fitted weights works with those of the prior. If
    /// not all dimensions were trained, the weights of other questions are kept.
    fn publish(&self, learned: &[TrainedDimension], judged: &[Judged], is_whole: bool) -> Result<()> {
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
                ("watermark", self.watermark()),
                ("own_before", number(outcome.own_before)),
                ("own_after", number(outcome.own_after)),
            ];
            let bytes = adapter::bytes_of(&trained.adapter, model, &metadata)?;
            write_atomically(&adapter::path(self.folder, &outcome.name), &bytes)?;
            fail::point("adapter published")?;
        }
        for judged in judged.iter().filter(|judged| judged.outcome.withdrawn) {
            std::fs::remove_file(adapter::path(self.folder, &judged.outcome.name))?;
        }
        let mut weights: BTreeMap<Question, Weights> = BTreeMap::new();
        if !is_whole {
            let kept = |question| Some((question, fusion::load_weights(self.folder, question, Some(model))?));
            weights.extend(Question::ALL.into_iter().filter_map(kept));
        }
        weights.extend(judged.iter().flat_map(|judged| judged.weights.clone()));
        fusion::save_weights(self.folder, model, &weights)?;
        fail::point("weights published")?;
        Ok(())
    }

    /// Records the result of each dimension. If not all were trained, the time of the last complete training is kept.
    fn note(&self, judged: &[Judged], is_whole: bool, lock: &TrainingLock) -> Result<()> {
        let steps = &self.material.timeline.commits;
        let last = last_training(self.folder).unwrap_or_default();
        let mut training = match is_whole {
            true => TrainingRecord {
                commits: steps
                    .iter()
                    .filter(|step| !step.is_merge && (1..=LARGEST_COMMIT as usize).contains(&step.touched))
                    .count(),
                time: steps.last().map_or(0, |step| step.time),
                model: self.setup.identity.sha256.clone(),
                ..TrainingRecord::default()
            },
            false => TrainingRecord { since: None, failed: None, ..last },
        };
        for outcome in judged.iter().map(|judged| judged.outcome.clone()) {
            training.outcomes.retain(|known| known.name != outcome.name);
            training.outcomes.push(outcome);
        }
        training.watermark = self.watermark();
        save_training(self.folder, &training, lock)
    }

    /// Returns the newest commit used for training or evaluation, in hexadecimal.
    fn watermark(&self) -> String {
        self.material.timeline.commits.last().map_or(String::new(), |step| step.sha.clone())
    }
}

/// Decides whether an adapter is published, and why: on its own task it must be significantly better than each
/// competitor, and the answers must not get worse.
fn verdict(alone: &[(&str, Option<Lift>)], within: Option<Lift>) -> (bool, String) {
    for (called, lift) in alone {
        let Some(lift) = lift else {
            return (false, "the gate has no query for it, so nobody knows whether it is better".to_string());
        };
        if lift.low <= 0.0 {
            let reason = format!(
                "alone it is {:.2} times as good as {called} on the gate, which may be chance (95 % interval {:+.3} to {:+.3})",
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
                "alone it is {own:.2} times as good as the base embedding on what it has not seen, and the answers are {:.3} times as good with it",
                within.ratio
            ),
        ),
        None => (false, "the gate has no query for the fused ranking, so nobody knows whether it loses".to_string()),
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
}
