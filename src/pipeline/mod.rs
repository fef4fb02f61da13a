//! The whole program in three functions: `record` takes what git shows into the log, `update` moves views and caches to
//! where the repository stands, `retrain` learns from it. All are resumable at any point. Refuses to write without the lock.

mod code;
mod copies;
mod due;
mod forget;
mod history;
mod look;
mod retrain;
mod sessions;
mod sweep;
mod texts;
mod transcripts;
mod vectors;
mod views;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use crate::config::Config;
use crate::error::{UserError, interrupted};
use crate::eventlog::{Eventlog, damaged};
use crate::fail;
use crate::git::{Repository, Worktree};
use crate::item;
use crate::sqlite;
use crate::store::Cache;
use crate::view::{self, FileMove, View};
use crate::workspace::{Lock, Workspace};

pub use due::{
    Failed, LEAST_COMMITS, Outcome, Since, Supply, Training, due, is_wanted, last_training, note_failure, supply,
};
pub use forget::{
    Doomed, Erased, Forget, forget, is_session, matches_of, recall_forgotten, sessions_beginning, still_holding,
    would_go,
};
pub use look::retrain_if_due;
pub use retrain::{Learner, LockedWork, keep, retrain, timeline};
pub use sessions::{Imported, Noted, import_sessions, note, replay_sessions};
pub use sweep::{KEEP_DAYS, Swept, sweep};
pub use transcripts::preview;

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

/// What a run did.
#[derive(Debug, Default, Serialize)]
pub struct Report {
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

/// A worktree with the settings that its own `patina.toml` leaves, and what its view has to do to stand at its HEAD.
struct Wanted {
    worktree: Worktree,
    config: Config,
    view: View,
    moves: Vec<FileMove>,
}

/// How much of what is known is derived again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Nothing: what is new is taken in.
    New,
    /// Everything but embeddings whose checksum holds.
    Full,
    /// Everything.
    ReEmbed,
}

/// Brings the log and the caches to where the repository stands. A full run derives everything again and
/// rebuilds the caches beside the ones in use, which serve until the end. So does a cache that turns out to be damaged.
pub fn catch_up(context: &Context<'_>, depth: Depth) -> Result<Report> {
    let full = depth != Depth::New;
    match run(context, depth) {
        Err(error) if sqlite::is_damage(&error) => match Eventlog::damage(&context.workspace.eventlog_path())? {
            Some(what) => Err(damaged(what)),
            None if full => Err(error),
            None => {
                tracing::warn!(error = format!("{error:#}"), "the cache is damaged and is built again");
                run(context, Depth::Full)
            }
        },
        result => result,
    }
}

fn run(context: &Context<'_>, depth: Depth) -> Result<Report> {
    let full = depth != Depth::New;
    let start = Instant::now();
    let erased = forget::go_on(context.workspace)?;
    let mut log = Eventlog::open(&context.workspace.eventlog_path(), context.workspace.wal)?;
    let mut cache = Cache::open(context.workspace, context.config, &log, full)?;
    let mut report = Report { erased: erased.unwrap_or_default(), ..Report::default() };
    views::let_go_of_missing(context, &mut cache)?;
    // Before HEADs and history are looked at: what moves meanwhile is then seen to have moved.
    let boundary = context.repository.shallow_boundary()?;
    let wanted = wanted(context, &cache)?;
    let own = context.config.warnings.len();
    report.warnings = wanted.iter().flat_map(|wanted| wanted.config.warnings[own..].iter().cloned()).collect();
    report.warnings.sort();
    report.warnings.dedup();
    fail::point("moves known")?;
    record(context, &mut log, &mut cache, &wanted, full, &mut report)?;
    fail::point("recorded")?;
    let mut texts = texts::NewTexts::new(&cache);
    timed(&mut report.seconds.update, || {
        history::take_in(&log, &mut cache)?;
        views::update(context, &mut log, &mut cache, &wanted, boundary, &mut texts)
    })?;
    fail::point("updated")?;
    // Until its vectors are in, one that nothing serves beside is better than nothing.
    if !full || context.workspace.cache_path().is_none() {
        cache.publish(context.workspace)?;
    }
    let mut embed = 0.0;
    timed(&mut embed, || vectors::update(context, &log, &mut cache, depth == Depth::ReEmbed, &mut texts, &mut report))?;
    report.seconds.embed = embed;
    cache.publish(context.workspace)?;
    let main = view::view_of(&cache.connection, "")?;
    report.items = main
        .map(|main| item::kind_counts(&cache.connection, main.id))
        .transpose()?
        .map_or(0, |counts| counts.values().sum());
    if erased.is_some() {
        sweep::drop_dead_embeddings(context, &cache)?;
    }
    cache.close()?;
    log.close()?;
    if erased.is_some() {
        forget::ended(context.workspace)?;
    }
    report.seconds.total = start.elapsed().as_secs_f64();
    report.peak_rss_bytes = peak_rss_bytes();
    tracing::info!(
        commits = report.commits,
        events = report.events_appended,
        seconds = report.seconds.total,
        "caught up"
    );
    Ok(report)
}

/// Git to facts to the log: every commit the HEADs reach, and what the files at each HEAD say.
fn record(
    context: &Context<'_>,
    log: &mut Eventlog,
    cache: &mut Cache,
    wanted: &[Wanted],
    full: bool,
    report: &mut Report,
) -> Result<()> {
    history::take_in(log, cache)?;
    timed(&mut report.seconds.history, || {
        let (commits, appended) = history::record(context, log, cache, wanted, full)?;
        report.commits = commits;
        report.events_appended += appended;
        Ok(())
    })?;
    timed(&mut report.seconds.code, || {
        report.events_appended += code::record(context, log, cache, wanted)?;
        Ok(())
    })?;
    timed(&mut report.seconds.sessions, || {
        report.events_appended += transcripts::record(context, log, cache)?;
        Ok(())
    })
}

fn wanted(context: &Context<'_>, cache: &Cache) -> Result<Vec<Wanted>> {
    let mut wanted = Vec::new();
    for worktree in context.repository.worktrees()? {
        let config = view::config_at(context.repository, context.config, worktree.head)?;
        let view = view::ensure_view(&cache.connection, &worktree.name)?;
        let keep = |path: &str| !config.ignores(path);
        let moves = view::wanted_moves(
            &cache.connection,
            context.repository,
            &view,
            worktree.head,
            &config.fingerprint(),
            keep,
        )?;
        wanted.push(Wanted { worktree, config, view, moves });
    }
    Ok(wanted)
}

fn check_stop(context: &Context<'_>) -> Result<()> {
    if context.stop.load(Ordering::Relaxed) { Err(interrupted().into()) } else { Ok(()) }
}

fn timed<T>(seconds: &mut f64, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let result = work();
    *seconds += start.elapsed().as_secs_f64();
    result
}

/// How long the worker waits for more rings, and for a rebase to go on.
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

/// Waits until the doorbell is quiet, so that a burst of rings is one look. Where the last ring is that of somebody who
/// waits for the answer, that look is now.
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

/// Most memory this process held, in bytes; 0 where the system does not say.
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
