//! The context of a run: paths and settings, progress, cancellation, and the write lock.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

use crate::config::Config;
use crate::error::interrupted;
use crate::git::Repository;
use crate::workspace::{Lock, Workspace};

/// Number of model sessions in the background. With two, a worker uses less than 250 MB.
pub const WORKER_SESSIONS: usize = 2;
/// Number of model sessions in a run that a user is waiting for.
pub const FOREGROUND_SESSIONS: usize = 4;

/// The context of a run. The write lock is held for its lifetime.
#[derive(Clone)]
pub struct Context<'a> {
    /// The repository, opened in any of its worktrees.
    pub repository: &'a Repository,
    /// The paths of the state folder.
    pub workspace: &'a Workspace,
    /// The user's settings.
    pub config: &'a Config,
    /// The path of patina's executable, which is started again to parse files.
    pub program: PathBuf,
    /// Progress callback. Receives the stage, the number of finished units, and the total number of units.
    pub progress: &'a (dyn Fn(Stage, u64, u64) + Sync),
    /// Set when the user interrupts the run.
    pub stop: &'a AtomicBool,
    /// Returns whether something is more urgent than embedding: a ring that arrived during the run.
    pub urgent: &'a (dyn Fn() -> bool + Sync),
    /// Maximum number of concurrent model sessions; each uses about 40 MB. With 0, nothing is embedded.
    pub sessions: usize,
    /// Proof that no other process is writing.
    pub lock: &'a Lock,
}

/// The stage of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading commits; counted in commits.
    History,
    /// Reading files; counted in files.
    Code,
    /// Moving views and full text; counted in item versions.
    Update,
    /// Embedding; counted in texts.
    Embed,
    /// Training; counted in steps.
    Learn,
}

/// Returns an error if the user has interrupted the run.
pub(super) fn check_stop(context: &Context<'_>) -> Result<()> {
    if context.stop.load(Ordering::Relaxed) { Err(interrupted().into()) } else { Ok(()) }
}
