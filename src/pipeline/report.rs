//! The report of a run: counts, durations and peak memory.

use std::time::Instant;

use serde::Serialize;

use super::erase::Erased;
use crate::error::UserError;

/// The result of a run.
#[derive(Debug, Default, Serialize)]
pub struct RunReport {
    /// The number of commits read from git.
    pub commits: u64,
    /// The number of facts that were new to the log.
    pub events_appended: u64,
    /// The number of live items in the main worktree.
    pub items: u64,
    /// The number of texts embedded.
    pub texts_embedded: u64,
    /// The number of embeddings taken from the cache.
    pub texts_reused: u64,
    /// How long each part took.
    pub seconds: Seconds,
    /// The peak memory of this process, in bytes.
    pub peak_rss_bytes: u64,
    /// What was erased because it is on the list of forgotten texts.
    #[serde(skip)]
    pub erased: Erased,
    /// Why nothing was embedded, if so.
    #[serde(skip)]
    pub no_vectors: Option<UserError>,
    /// Warnings about a tracked `patina.toml`.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

/// Seconds per part.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Seconds {
    /// Reading history: walking, comparing trees, appending.
    pub history: f64,
    /// Reading and parsing files.
    pub code: f64,
    /// Reading transcripts; tracked session logs count as files.
    pub sessions: f64,
    /// Embedding, projecting, publishing.
    pub embed: f64,
    /// Views, joins, full text.
    pub update: f64,
    /// Training, gating and publishing.
    pub retrain: f64,
    /// The whole run.
    pub total: f64,
}

/// Measures consecutive parts of a run.
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts the first part.
    pub fn start() -> Self {
        Stopwatch(Instant::now())
    }

    /// Ends a part and starts the next. Returns the duration of the part in seconds.
    pub fn lap(&mut self) -> f64 {
        let now = Instant::now();
        (now - std::mem::replace(&mut self.0, now)).as_secs_f64()
    }
}

/// Returns the peak memory of this process, in bytes; 0 if the system does not report it.
pub fn peak_rss_bytes() -> u64 {
    // The peak from `getrusage` includes that of the parent before the fork; the one in this file does not.
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
