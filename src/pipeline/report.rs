//! The report of a run: counts, durations and peak memory.

use std::time::Instant;

use serde::Serialize;

use super::erase::Erased;
use crate::error::UserError;

/// The result of a run.
#[derive(Debug, Default, Serialize)]
pub struct RunReport {
    /// Commits read from git.
    pub commits: u64,
    /// Facts that the log did not know.
    pub events_appended: u64,
    /// Live items of the main worktree.
    pub items: u64,
    /// Texts embedded.
    pub texts_embedded: u64,
    /// Embeddings that were known already.
    pub texts_reused: u64,
    /// How long each part took.
    pub seconds: Seconds,
    /// Most memory this process held, in bytes.
    pub peak_rss_bytes: u64,
    /// What was erased because it was to be forgotten.
    #[serde(skip)]
    pub erased: Erased,
    /// Why nothing was embedded.
    #[serde(skip)]
    pub no_vectors: Option<UserError>,
    /// What is odd about a tracked `patina.toml`.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

/// Seconds by part.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Seconds {
    /// Walking, comparing trees, appending.
    pub history: f64,
    /// Reading and parsing files.
    pub code: f64,
    /// Transcripts; session logs that are tracked are files.
    pub sessions: f64,
    /// Embedding, projecting, publishing.
    pub embed: f64,
    /// Views, joins, full text.
    pub update: f64,
    /// Training, judging, and publishing what it came to.
    pub retrain: f64,
    /// All of it.
    pub total: f64,
}

/// Measures the parts of a run, one after the other.
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts the first part.
    pub fn start() -> Self {
        Stopwatch(Instant::now())
    }

    /// Ends a part and starts the next; returns the seconds that it took.
    pub fn lap(&mut self) -> f64 {
        let now = Instant::now();
        (now - std::mem::replace(&mut self.0, now)).as_secs_f64()
    }
}

/// Returns the most memory this process held, in bytes; 0 where the system does not say.
pub fn peak_rss_bytes() -> u64 {
    // What the system counts for a process begins with what its parent held; the first of these two does not.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let own =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    if let Some(own) = own {
        return own * 1024;
    }
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF);
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    usage.map_or(0, |usage| u64::try_from(usage.max_rss()).unwrap_or(0) * unit)
}
