//! Waits until rings pause, so that a burst of them leads to one run.

use std::time::{Duration, Instant};

use crate::git::{Repository, Worktree};
use crate::workspace::Workspace;

/// How long the worker waits for further rings, and for a rebase to continue.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Rings within this time lead to one run.
    pub rings: Duration,
    /// However often it rings, the run starts after this time, unless a rebase, am or sequencer is in progress.
    pub longest: Duration,
    /// If a rebase, am or sequencer has not rung for this time, it is waiting for the user, and the run starts.
    pub sequence: Duration,
}

/// The durations that the worker uses.
pub const PATIENCE: Patience = Patience {
    rings: Duration::from_millis(50),
    longest: Duration::from_millis(500),
    sequence: Duration::from_millis(1500),
};

/// Interval between checks for a waiting user.
const HURRY: Duration = Duration::from_millis(5);

/// Waits until no more rings arrive, so that a burst of them leads to one run. Returns at once if a user waits for an
/// answer.
pub fn wait_until_quiet(repository: &Repository, workspace: &Workspace, patience: Patience) {
    let worktrees = repository.worktrees().unwrap_or_default();
    let mut seen = workspace.rings();
    let start = Instant::now();
    let mut last_ring = start;
    loop {
        let look = Instant::now();
        while look.elapsed() < patience.rings {
            if workspace.is_urgent() {
                return;
            }
            std::thread::sleep(HURRY);
        }
        let rings = workspace.rings();
        let is_busy = worktrees.iter().any(Worktree::is_busy);
        if rings != seen {
            (seen, last_ring) = (rings, Instant::now());
            // Commands that keep ringing must not delay the run for ever.
            if !is_busy && start.elapsed() > patience.longest {
                break;
            }
        } else if !is_busy || last_ring.elapsed() > patience.sequence {
            break;
        }
    }
}
