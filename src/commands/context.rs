//! What every command starts from: the repository, its settings and its state folder. Also waits for the worker, and
//! runs work under the write lock.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::output::Output;
use super::progress::Progress;
use crate::config::Config;
use crate::embedding::Setup;
use crate::error::{Exit, UserError};
use crate::git::Repository;
use crate::index;
use crate::pipeline::{Context, FOREGROUND_SESSIONS, Stage};
use crate::query::Reader;
use crate::view::{self, Moved};
use crate::workspace::{Lock, Workspace, running_program};

/// If the write lock has been free for this long after a ring, the worker has exited, and is started again.
const IDLE: Duration = Duration::from_secs(1);

/// How long an answer waits for a damaged cache to be rebuilt.
pub(super) const REBUILD: Duration = Duration::from_secs(120);

/// How long a foreground run waits for a worker to finish.
pub(super) const LOCK: Duration = Duration::from_secs(600);

/// How long `--fresh` waits.
const FRESH: Duration = Duration::from_secs(30);

/// What an answer reads, and so what has to be up to date before it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Files, definitions, history and calls.
    Counts,
    /// As `Counts`, and the vectors of live items.
    Vectors,
    /// As `Vectors`, and full text.
    All,
}

/// The repository, settings and state folder that a command works with.
pub(super) struct CommandContext {
    pub(super) repository: Repository,
    pub(super) config: Config,
    pub(super) workspace: Workspace,
    pub(super) common_dir: PathBuf,
}

impl CommandContext {
    pub(super) fn find(output: &Output) -> Result<Self> {
        let config = Config::load()?;
        for warning in &config.warnings {
            output.warn(warning);
        }
        Self::with(config)
    }

    pub(super) fn with(config: Config) -> Result<Self> {
        let repository = Repository::discover(&std::env::current_dir().context("finding the current folder")?)?;
        let common_dir = repository.common_dir()?;
        let workspace = Workspace::locate(&common_dir, &config);
        Ok(CommandContext { repository, config, workspace, common_dir })
    }

    /// Returns the context of a foreground run. It does not yield to other work, because a user is waiting for it.
    pub(super) fn context<'a>(
        &'a self,
        lock: &'a Lock,
        stop: &'a AtomicBool,
        progress: &'a (dyn Fn(Stage, u64, u64) + Sync),
    ) -> Result<Context<'a>> {
        Ok(Context {
            repository: &self.repository,
            workspace: &self.workspace,
            config: &self.config,
            program: running_program()?,
            progress,
            stop,
            urgent: &|| false,
            sessions: FOREGROUND_SESSIONS,
            lock,
        })
    }

    /// Takes the write lock for a foreground run, waiting for a worker to finish.
    fn lock(&self, stop: &AtomicBool, output: &Output) -> Result<Lock> {
        if let Some(lock) = self.workspace.try_lock()? {
            return Ok(lock);
        }
        output.note("a worker is taking something in; waiting for it");
        self.workspace.lock(LOCK, || stop.load(Ordering::Relaxed))
    }

    /// Runs `work` in the foreground under the write lock, and shows its progress.
    pub(super) fn with_write_lock<T>(
        &self,
        stop: &AtomicBool,
        output: &Output,
        work: impl FnOnce(&Context<'_>) -> Result<T>,
    ) -> Result<T> {
        self.workspace.create()?;
        let lock = self.lock(stop, output)?;
        let rings = self.workspace.rings();
        let progress = Progress::new(output.is_quiet());
        let step = |stage, done, total| progress.step(stage, done, total);
        let done = work(&self.context(&lock, stop, &step)?);
        progress.finish();
        drop(lock);
        self.answer_later_rings(rings)?;
        done
    }

    /// Starts a worker if rings arrived while this process held the write lock: their own workers found it taken and
    /// exited.
    pub(super) fn answer_later_rings(&self, seen: u64) -> Result<()> {
        if self.workspace.rings() != seen && !is_off() { Workspace::spawn_worker(&self.common_dir) } else { Ok(()) }
    }

    /// Rings and starts a worker, unless `PATINA=0`.
    pub(super) fn wake(&self) -> Result<()> {
        self.wake_by(Workspace::ring)
    }

    fn wake_by(&self, ring: impl FnOnce(&Workspace) -> Result<()>) -> Result<()> {
        if is_off() {
            return Ok(());
        }
        self.workspace.create()?;
        ring(&self.workspace)?;
        Workspace::spawn_worker(&self.common_dir)
    }

    /// Checks that the repository has been indexed.
    ///
    /// # Errors
    /// A [`UserError`] with `Exit::NotSetUp` if it has not.
    pub(super) fn require_index(&self) -> Result<()> {
        if self.workspace.cache_path().is_some() {
            return Ok(());
        }
        Err(crate::store::not_indexed().into())
    }

    /// Returns which HEADs have moved since they were indexed; `None` if nothing is indexed.
    fn moved(&self) -> Result<Option<Moved>> {
        let Ok(cache) = crate::store::open_reader(&self.workspace, &self.config) else { return Ok(None) };
        Ok(Some(view::moved(&cache, &self.repository)?))
    }

    /// Returns whether all live items have vectors from the configured model. True without a model, as there is nothing
    /// to wait for.
    fn is_embedded(&self) -> Result<bool> {
        let Ok(setup) = Setup::check(&self.config.model, false) else { return Ok(true) };
        let Ok(cache) = crate::store::open_reader(&self.workspace, &self.config) else { return Ok(false) };
        let generation = index::current(&cache)?;
        let is_its = generation.is_some_and(|generation| generation.model == setup.identity);
        Ok(is_its && index::pending_count(&cache)? == 0)
    }

    /// Returns whether everything that an answer needs has been built for the items that are live in the index.
    fn has(&self, needs: Needs) -> Result<bool> {
        Ok(match needs {
            Needs::Counts => true,
            Needs::Vectors => self.is_embedded()?,
            Needs::All => self.is_searchable()? && self.is_embedded()?,
        })
    }

    fn is_searchable(&self) -> Result<bool> {
        let Ok(cache) = crate::store::open_reader(&self.workspace, &self.config) else { return Ok(false) };
        crate::text_index::is_current(&cache)
    }

    /// Starts the worker, and waits until everything that has moved is indexed as far as `needs` requires.
    ///
    /// A worker that died is started again.
    ///
    /// # Errors
    /// A [`UserError`] if the worker failed, if `timeout` has passed, or if `PATINA=0` forbids starting one.
    pub(super) fn wait(&self, timeout: Duration, needs: Needs) -> Result<()> {
        let start = Instant::now();
        let mut woken: Option<Instant> = None;
        let own = self.repository.worktree_name()?;
        let first = self.moved()?.unwrap_or_default();
        // The first check requires that nothing has moved. Later ones require that the moves seen first are indexed, so
        // that new commits do not extend the wait.
        let is_current = |woken: bool| -> Result<bool> {
            let now = self.moved()?;
            Ok(now.is_some_and(|now| if woken { now.is_past(&first, &own) } else { now.is_nothing() }))
        };
        while !is_current(woken.is_some())? || !self.has(needs)? {
            let idle = woken.is_some_and(|woken| woken.elapsed() > IDLE) && self.workspace.try_lock()?.is_some();
            if idle && let Some(error) = self.workspace.last_error() {
                let message = format!("HEAD could not be indexed: {error}");
                return Err(UserError::new(Exit::Failed, message).hint("run `patina reindex` to watch it").into());
            }
            if woken.is_none() || idle {
                anyhow::ensure!(
                    !is_off(),
                    UserError::new(Exit::Locked, "PATINA=0 keeps the worker from starting")
                        .hint("run `patina reindex`")
                );
                self.wake_by(Workspace::ring_urgently)?;
                woken = Some(Instant::now());
            }
            if start.elapsed() > timeout {
                let message = format!("HEAD was not indexed within {} s", timeout.as_secs());
                return Err(UserError::new(Exit::Locked, message).hint("run `patina reindex` to watch it").into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Starts a worker to rebuild a segment that an answer found damaged.
    pub(super) fn mend(&self, is_damaged: bool) {
        if is_damaged && self.wake().is_err() {
            tracing::warn!("the index cannot be mended: its folder cannot be written");
        }
    }

    /// Opens the index for an answer. With `fresh`, waits until `needs` is up to date; otherwise starts a worker if
    /// something has moved, and answers from what is there.
    pub(super) fn reader(&self, fresh: bool, needs: Needs, output: &Output) -> Result<Reader<'_>> {
        if fresh {
            self.wait(FRESH, needs)?;
        }
        let mut reader = match Reader::open(&self.repository, &self.workspace, &self.config) {
            Err(error) if self.workspace.cache_path().is_some() && crate::store::is_outdated(&error) => {
                let _ = self.wake();
                return Err(error);
            }
            reader => reader?,
        };
        // A log that was copied, or opened by another program with write access, no longer matches its seal: the worker
        // verifies its checksums and seals it again.
        let is_unsealed = crate::sqlite::refuse_altered(&self.workspace.eventlog_path()).is_err();
        let is_searchable = needs != Needs::All || crate::text_index::is_current(&reader.cache)?;
        if !is_searchable {
            reader.behind = reader.behind.max(1);
        }
        let is_behind = reader.has_moved() || is_unsealed || !is_searchable || !reader.notes.is_empty();
        if is_behind && self.wake().is_err() {
            tracing::warn!("the index cannot be brought up to date: its folder cannot be written");
        }
        output.notes(&reader.notes);
        Ok(reader)
    }
}

/// Returns whether `PATINA=0` switches patina off for this process.
pub(super) fn is_off() -> bool {
    std::env::var_os("PATINA").is_some_and(|value| value == "0")
}

/// Returns the flag that Ctrl-C and SIGTERM set.
pub(super) fn stop_flag() -> Arc<AtomicBool> {
    static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    let make = || {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = stop.clone();
        // If no handler can be set, an interrupt ends the process; the next run resumes from what was committed.
        let _ = ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed));
        stop
    };
    STOP.get_or_init(make).clone()
}
