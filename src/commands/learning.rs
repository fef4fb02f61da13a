//! Starts training: in the foreground for `retrain` and `reindex --full`, and in the background by the worker when it
//! is due. Invariants: the write lock is not held while training, and a failed background training neither fails the
//! worker nor is tried again at once.

use std::any::Any;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use super::context::{CommandContext, LOCK, is_off};
use super::output::Output;
use super::progress::Progress;
use crate::config::Config;
use crate::dimensions::Dimension;
use crate::embedding::Setup;
use crate::error::{Exit, UserError};
use crate::fail;
use crate::git::{Repository, Worktree};
use crate::pipeline::{
    self, Depth, FOREGROUND_SESSIONS, Learner, LockedWork, TrainingInput, TrainingOutcome, WORKER_SESSIONS,
};
use crate::store;
use crate::view;
use crate::workspace::{TrainingLock, Workspace, running_program};

/// How long background training pauses after each ring. By then the worker that answers the ring has finished, or has
/// the higher priority.
const YIELD: Duration = Duration::from_secs(2);
/// How often a paused training checks whether it may continue.
const LOOK: Duration = Duration::from_millis(20);
/// Added to the nice value of a training thread, which gives it the lowest priority.
const IDLE: i32 = 19;

/// Takes the training lock.
///
/// # Errors
/// A [`UserError`] with `Exit::Locked` if another process is training.
pub fn lock(workspace: &Workspace) -> Result<TrainingLock> {
    workspace.try_training_lock()?.ok_or_else(|| {
        UserError::new(Exit::Locked, "another patina is training here")
            .hint("`patina status` shows the result once it has finished")
            .into()
    })
}

/// Trains in the foreground, and publishes the result as a new generation.
///
/// The caller has caught up with git, and has answered every ring before `rings`.
pub fn train(
    here: &CommandContext,
    only: Option<&'static Dimension>,
    dry_run: bool,
    rings: u64,
    stop: &AtomicBool,
    output: &Output,
    lock: &TrainingLock,
) -> Result<Vec<TrainingOutcome>> {
    let progress = Progress::new(output.is_quiet());
    let answer = || {
        if let Err(error) = wake(&here.common_dir) {
            output.warn(&format!("{error:#}; the next command catches up"));
        }
    };
    let moments = Moments::new(&here.workspace, stop, rings, answer);
    let outcomes = pipeline::retrain(
        &Learner {
            repository: &here.repository,
            workspace: &here.workspace,
            config: &here.config,
            program: &running_program()?,
            progress: &|stage, done, total| progress.step(stage, done, total),
            stop,
            should_continue: &|| !stop.load(Ordering::Relaxed),
            sessions: FOREGROUND_SESSIONS,
            with_write_lock: &|work| moments.with(work),
            lock,
        },
        only,
        dry_run,
    );
    progress.finish();
    let outcomes = outcomes?;
    if outcomes.iter().any(TrainingOutcome::is_change) && !dry_run {
        // Projects the cached embeddings through the new adapters; the new generation goes live once all are projected.
        here.with_write_lock(stop, output, |context| pipeline::catch_up(context, Depth::New))?;
    }
    Ok(outcomes)
}

/// Trains in the background if training is due. Returns whether an adapter was published or withdrawn, which the next
/// run publishes as a new generation.
///
/// The caller has answered every ring before `rings`.
pub fn by_itself(common_dir: &Path, workspace: &Workspace, config: &Config, stop: &AtomicBool, rings: u64) -> bool {
    let training = TrainingRun { common_dir, workspace, config, stop, rings };
    match training.run() {
        Ok(is_published) => is_published,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "training in the background gave up");
            false
        }
    }
}

struct TrainingRun<'a> {
    common_dir: &'a Path,
    workspace: &'a Workspace,
    config: &'a Config,
    stop: &'a AtomicBool,
    rings: u64,
}

impl TrainingRun<'_> {
    fn run(&self) -> Result<bool> {
        if !self.config.retrains || self.stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let Some(now) = self.supply()? else { return Ok(false) };
        let folder = self.workspace.adapters_dir();
        if !pipeline::is_wanted(pipeline::last_training(&folder).as_ref(), &now) {
            return Ok(false);
        }
        let worktrees = Repository::open(self.common_dir)?.worktrees()?;
        if worktrees.iter().any(Worktree::is_under_way) {
            tracing::info!("training waits until nothing is under way in any worktree");
            return Ok(false);
        }
        // Another process is training already.
        let Some(lock) = self.workspace.try_training_lock()? else { return Ok(false) };
        match self.train(&lock, worktrees, &now) {
            Ok(outcomes) => {
                let published = outcomes.iter().filter(|outcome| outcome.published).count();
                tracing::info!(trained = outcomes.len(), published, "training has ended");
                Ok(outcomes.iter().any(TrainingOutcome::is_change))
            }
            Err(error) if is_put_off(&error) => {
                tracing::info!(why = format!("{error:#}"), "training is put off");
                Ok(false)
            }
            Err(error) => {
                pipeline::note_failure(&folder, &now, &format!("{error:#}"), &lock)?;
                Err(error)
            }
        }
    }

    /// Returns the amount of data that training would use; `None` without a model or an index.
    fn supply(&self) -> Result<Option<TrainingInput>> {
        let Ok(setup) = Setup::check(&self.config.model, false) else { return Ok(None) };
        let cache = store::open_reader(self.workspace, self.config)?;
        let Some(head) = view::view_of(&cache, "")?.and_then(|view| view.head) else { return Ok(None) };
        pipeline::training_input(&cache, &setup.identity.sha256, head.time).map(Some)
    }

    /// Trains on a thread of its own: on Linux the nice value belongs to a thread, so the worker and its children keep
    /// theirs.
    fn train(
        &self,
        lock: &TrainingLock,
        worktrees: Vec<Worktree>,
        now: &TrainingInput,
    ) -> Result<Vec<TrainingOutcome>> {
        let (ring, rung) = mpsc::channel();
        let work = move || -> Result<Vec<TrainingOutcome>> {
            let _ = rustix::process::nice(IDLE);
            fail::point("training")?;
            let repository = Repository::open(self.common_dir)?;
            // Sending fails only after training has ended, and then the worker's own loop checks for rings.
            let moments = Moments::new(self.workspace, self.stop, self.rings, || {
                let _ = ring.send(());
            });
            let last = Mutex::new((self.rings, None));
            let turn = TrainingTurn { workspace: self.workspace, worktrees, stop: self.stop, last };
            pipeline::retrain_if_due(
                &Learner {
                    repository: &repository,
                    workspace: self.workspace,
                    config: self.config,
                    program: &running_program()?,
                    progress: &|_, _, _| {},
                    stop: self.stop,
                    should_continue: &|| turn.comes(),
                    sessions: WORKER_SESSIONS,
                    with_write_lock: &|work| moments.with(work),
                    lock,
                },
                now,
            )
        };
        std::thread::scope(|scope| {
            let training = scope.spawn(work);
            for () in rung {
                if let Err(error) = wake(self.common_dir) {
                    tracing::warn!(error = format!("{error:#}"), "nobody answers a ring");
                }
            }
            training.join().unwrap_or_else(|panic| Err(said(&*panic)))
        })
    }
}

/// Returns whether training was interrupted or yielded to other work, as opposed to having failed.
fn is_put_off(error: &anyhow::Error) -> bool {
    let user = error.downcast_ref::<UserError>();
    user.is_some_and(|error| matches!(error.exit, Exit::Interrupted | Exit::Locked))
}

/// Converts a thread's panic to an error with its message.
fn said(panic: &(dyn Any + Send)) -> anyhow::Error {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    anyhow!("training ended: {}", text.unwrap_or("nobody knows why"))
}

/// Makes background training wait while rings arrive.
struct TrainingTurn<'a> {
    workspace: &'a Workspace,
    worktrees: Vec<Worktree>,
    stop: &'a AtomicBool,
    /// The ring count at the last check, and when it last changed.
    last: Mutex<(u64, Option<Instant>)>,
}

impl TrainingTurn<'_> {
    /// Waits while rings arrive; returns false if training has to stop.
    fn comes(&self) -> bool {
        loop {
            if self.stop.load(Ordering::Relaxed) || self.worktrees.iter().any(Worktree::is_under_way) {
                return false;
            }
            {
                let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
                let rings = self.workspace.rings();
                if rings != last.0 {
                    *last = (rings, Some(Instant::now()));
                }
                if last.1.is_none_or(|rang| rang.elapsed() > YIELD) {
                    return true;
                }
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// Runs short steps under the write lock, and afterwards has the rings answered that arrived meanwhile: their workers
/// found the lock taken, exited, and rely on its holder.
struct Moments<'a, F: Fn()> {
    workspace: &'a Workspace,
    stop: &'a AtomicBool,
    answered: AtomicU64,
    answer: F,
}

impl<'a, F: Fn()> Moments<'a, F> {
    fn new(workspace: &'a Workspace, stop: &'a AtomicBool, answered: u64, answer: F) -> Self {
        Moments { workspace, stop, answered: AtomicU64::new(answered), answer }
    }

    fn with(&self, work: &mut LockedWork<'_>) -> Result<()> {
        let lock = self.workspace.lock(LOCK, || self.stop.load(Ordering::Relaxed))?;
        let done = work(&lock);
        drop(lock);
        let rings = self.workspace.rings();
        if self.answered.swap(rings, Ordering::Relaxed) != rings {
            (self.answer)();
        }
        done
    }
}

/// Starts a worker for rings that may not have been answered, unless `PATINA=0`.
fn wake(common_dir: &Path) -> Result<()> {
    if is_off() { Ok(()) } else { Workspace::spawn_worker(common_dir) }
}
