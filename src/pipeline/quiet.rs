//! Waits until rings pause, so that a burst of them leads to one run.

use std::time::{Duration, Instant};

use crate::git::{Repository, Worktree};
use crate::workspace::Workspace;

/// How long the worker waits for more rings, and for a rebase to continue.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Rings closer than this are one.
    pub rings: Duration,
    /// However often it rings, with no such sequence under way, the look is not put off for longer.
    pub longest: Duration,
    /// A rebase, am or sequencer that did not ring for this long is resting; what is there is taken in.
    pub sequence: Duration,
}

/// What the worker uses.
pub const PATIENCE: Patience = Patience {
    rings: Duration::from_millis(50),
    longest: Duration::from_millis(500),
    sequence: Duration::from_millis(1500),
};

/// How soon a person who waits is noticed.
const HURRY: Duration = Duration::from_millis(5);

/// Waits until the doorbell is quiet, so that a burst of rings is one look; not at all for the ring of somebody who waits
/// for the answer.
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
            // Somebody who asks again and again must not keep the answer from coming.
            if !is_busy && start.elapsed() > patience.longest {
                break;
            }
        } else if !is_busy || last_ring.elapsed() > patience.sequence {
            break;
        }
    }
}
