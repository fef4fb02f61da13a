//! What every step of a run gets: paths and settings, progress, cancellation, and the write lock.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

use crate::config::Config;
use crate::error::interrupted;
use crate::git::Repository;
use crate::workspace::{Lock, Workspace};

/// Sessions of the model in the background; with two, a worker stays under 250 MB.
pub const WORKER_SESSIONS: usize = 2;
/// The same where a person waits for it.
pub const FOREGROUND_SESSIONS: usize = 4;

/// What a run needs; the lock is held as long as it lives.
#[derive(Clone)]
pub struct Context<'a> {
    /// The repository, opened in any of its worktrees.
    pub repository: &'a Repository,
    /// Where things are.
    pub workspace: &'a Workspace,
    /// The user's settings.
    pub config: &'a Config,
    /// patina's own file: it parses in children of itself.
    pub program: PathBuf,
    /// Told of progress.
    pub progress: &'a (dyn Fn(Stage, u64, u64) + Sync),
    /// Set when the person wants to stop.
    pub stop: &'a AtomicBool,
    /// Whether there is something more urgent than embedding: a ring that came meanwhile.
    pub urgent: &'a (dyn Fn() -> bool + Sync),
    /// Most sessions of the model at a time; each costs some 40 MB. With none nothing is embedded.
    pub sessions: usize,
    /// Proof that nobody else writes.
    pub lock: &'a Lock,
}

/// What a run is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading commits, by commit.
    History,
    /// Reading files, by file.
    Code,
    /// Moving views and full text, by version.
    Update,
    /// Embedding, by text.
    Embed,
    /// Training, by step.
    Learn,
}

/// Returns an error where the person wants to stop.
pub(super) fn check_stop(context: &Context<'_>) -> Result<()> {
    if context.stop.load(Ordering::Relaxed) { Err(interrupted().into()) } else { Ok(()) }
}
