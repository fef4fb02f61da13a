//! The background worker: holds the write lock while it indexes, releases it, trains if that is due, and exits. It
//! never prints; errors are stored for `status` and `doctor`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use anyhow::Result;

use super::context::stop_flag;
use super::learning;
use super::progress::WorkerProgress;
use crate::config::Config;
use crate::git::Repository;
use crate::pipeline::{self, Context, Depth, PATIENCE};
use crate::workspace::{Workspace, running_program};

#[derive(Debug, clap::Args)]
pub struct WorkerArgs {
    /// Common git directory of the repository
    common_dir: PathBuf,
}

pub fn run(arguments: &WorkerArgs) -> Result<ExitCode> {
    let config = Config::load()?;
    detach();
    Ok(answer(&arguments.common_dir, &config))
}

/// Detaches this process from its parent: new session, no inherited file descriptors, root as current folder, low
/// priority.
pub fn detach() {
    let _ = nix::unistd::setsid();
    let open = std::fs::read_dir("/proc/self/fd").or_else(|_| std::fs::read_dir("/dev/fd"));
    let inherited: Vec<i32> =
        open.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for descriptor in inherited.into_iter().filter(|descriptor| *descriptor > 2) {
        // The list includes the descriptor that it was read through, which is closed already; closing it again fails,
        // harmlessly.
        let _ = nix::unistd::close(descriptor);
    }
    let _ = std::env::set_current_dir("/");
    lower_priority();
}

/// Answers all rings. The exit code matters only if a person starts the worker by hand.
pub fn answer(common_dir: &Path, config: &Config) -> ExitCode {
    let workspace = Workspace::locate(common_dir, config);
    if let Ok(file) = workspace.log_file() {
        let filter = tracing_subscriber::EnvFilter::try_from_env("PATINA_LOG")
            .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
        let _ =
            tracing_subscriber::fmt().with_env_filter(filter).with_writer(Mutex::new(file)).with_ansi(false).try_init();
    }
    match answer_rings(common_dir, &workspace, config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the worker gave up");
            let _ = workspace.set_last_error(Some(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

fn answer_rings(common_dir: &Path, workspace: &Workspace, config: &Config) -> Result<()> {
    let stop = stop_flag();
    loop {
        // The holder of the lock checks the doorbell again after releasing it, so this ring will be answered.
        let Some(lock) = workspace.try_lock()? else { return Ok(()) };
        workspace.truncate_rings()?;
        let progress = WorkerProgress::new(workspace);
        let (mut seen, mut done);
        loop {
            let repository = Repository::open(common_dir)?;
            pipeline::wait_until_quiet(&repository, workspace, PATIENCE);
            seen = workspace.rings();
            let context = Context {
                repository: &repository,
                workspace,
                config,
                program: running_program()?,
                progress: &|stage, done, total| progress.step(stage, done, total),
                stop: &stop,
                urgent: &|| workspace.rings() != seen,
                sessions: pipeline::WORKER_SESSIONS,
                lock: &lock,
            };
            done = pipeline::catch_up(&context, Depth::New).and_then(|_| workspace.set_last_error(None));
            if workspace.rings() == seen {
                break;
            }
        }
        drop(progress);
        drop(lock);
        // Also after a failure: a ring that arrived meanwhile may stand for a commit or setting that fixes the cause.
        if workspace.rings() != seen {
            continue;
        }
        done?;
        if !learning::by_itself(common_dir, workspace, config, &stop, seen) {
            return Ok(());
        }
    }
}

/// Lowers the priority below that of foreground programs.
fn lower_priority() {
    let _ = rustix::process::nice(10);
}
