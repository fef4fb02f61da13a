//! Shows progress on stderr: one line that is overwritten on a terminal, separate lines otherwise.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::output::talk;
use crate::pipeline::Stage;
use crate::workspace::Workspace;

/// How often the line on a terminal is redrawn.
const ON_TERMINAL: Duration = Duration::from_millis(100);
/// How often a line is written if stderr is not a terminal.
const PLAIN: Duration = Duration::from_secs(5);

/// Shows the progress of a run.
pub struct Progress {
    state: Mutex<State>,
    terminal: bool,
    quiet: bool,
}

struct State {
    stage: Option<Stage>,
    started: Instant,
    shown: Instant,
    drawn: bool,
}

impl Progress {
    /// Creates a display on stderr; with `quiet`, one that shows nothing.
    pub fn new(quiet: bool) -> Self {
        let now = Instant::now();
        let state = State { stage: None, started: now, shown: now, drawn: false };
        Progress { state: Mutex::new(state), terminal: std::io::stderr().is_terminal(), quiet }
    }

    /// Reports that `done` of `total` units of a stage are finished.
    pub fn step(&self, stage: Stage, done: u64, total: u64) {
        if self.quiet || total == 0 {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if state.stage != Some(stage) {
            (state.stage, state.started, state.shown) = (Some(stage), now, now);
        }
        let pause = if self.terminal { ON_TERMINAL } else { PLAIN };
        if now - state.shown < pause && done < total {
            return;
        }
        state.shown = now;
        let seconds = (now - state.started).as_secs_f64();
        let rate = if seconds > 0.0 { done as f64 / seconds } else { 0.0 };
        let left = if rate > 0.0 { (total - done) as f64 / rate } else { 0.0 };
        let what = unit(stage);
        let pace = if seconds < 0.5 { String::new() } else { format!("  {rate:.0}/s  {left:.0} s left") };
        let line = format!("{what} {done}/{total}{pace}");
        if self.terminal {
            talk(&format!("\r\u{1b}[K{line}"));
            state.drawn = true;
        } else {
            talk(&format!("{line}\n"));
        }
    }

    /// Clears the line on a terminal.
    pub fn finish(&self) {
        if self.state.lock().unwrap_or_else(PoisonError::into_inner).drawn {
            talk("\r\u{1b}[K");
        }
    }
}

/// How often the worker writes its progress to a file.
const WORKER: Duration = Duration::from_millis(500);

/// Writes a worker's progress to a file that `status` reads.
pub struct WorkerProgress<'w> {
    workspace: &'w Workspace,
    written: Mutex<Instant>,
}

impl<'w> WorkerProgress<'w> {
    /// Creates a progress file for a workspace.
    pub fn new(workspace: &'w Workspace) -> Self {
        WorkerProgress { workspace, written: Mutex::new(Instant::now()) }
    }

    /// Reports that `done` of `total` units of a stage are finished.
    pub fn step(&self, stage: Stage, done: u64, total: u64) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.elapsed() < WORKER || total == 0 {
            return;
        }
        *written = Instant::now();
        self.workspace.set_progress(Some(&format!("{} {done} of {total}", unit(stage))));
    }
}

impl Drop for WorkerProgress<'_> {
    fn drop(&mut self) {
        self.workspace.set_progress(None);
    }
}

/// Returns the unit that a stage counts.
fn unit(stage: Stage) -> &'static str {
    match stage {
        Stage::History => "commits",
        Stage::Code => "files",
        Stage::Update => "texts",
        Stage::Embed => "embeddings",
        Stage::Learn => "steps of training",
    }
}
