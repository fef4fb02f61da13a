//! The run that brings the log and the caches up to date with the repository: `record` ingests facts into the log,
//! `update` moves views and caches. Resumable at any point. Invariant: nothing is written without the write lock.

use std::time::Instant;

use anyhow::Result;

use super::context::Context;
use super::report::{RunReport, Stopwatch, peak_rss_bytes};
use super::texts::NewTexts;
use super::worktrees::{WorktreeMove, worktree_moves};
use super::{code, embeddings, erase, history, transcripts, vectors, views};
use crate::eventlog::{Eventlog, damaged};
use crate::fail;
use crate::item;
use crate::sqlite;
use crate::store::Cache;
use crate::view;

/// How much is derived again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Nothing. Only new facts are ingested.
    New,
    /// Everything except embeddings whose checksum matches.
    Full,
    /// Everything, embeddings included.
    ReEmbed,
}

/// Brings the log and the caches up to date with the repository.
///
/// A full run derives everything again and builds new caches; the ones in use serve until it ends. A damaged cache
/// leads to a full run.
pub fn catch_up(context: &Context<'_>, depth: Depth) -> Result<RunReport> {
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

fn run(context: &Context<'_>, depth: Depth) -> Result<RunReport> {
    let full = depth != Depth::New;
    let start = Instant::now();
    let erased = erase::go_on(context.workspace)?;
    let mut log = Eventlog::open(&context.workspace.eventlog_path(), context.workspace.wal)?;
    let mut cache = Cache::open(context.workspace, context.config, &log, full)?;
    let mut report = RunReport { erased: erased.unwrap_or_default(), ..RunReport::default() };
    views::let_go_of_missing(context, &mut cache)?;
    // Read before HEADs and history, so that anything that moves during the run is noticed by the next one.
    let boundary = context.repository.shallow_boundary()?;
    let wanted = worktree_moves(context, &cache)?;
    let own = context.config.warnings.len();
    report.warnings = wanted.iter().flat_map(|wanted| wanted.config.warnings[own..].iter().cloned()).collect();
    report.warnings.sort();
    report.warnings.dedup();
    fail::point("moves known")?;
    record(context, &mut log, &mut cache, &wanted, full, &mut report)?;
    fail::point("recorded")?;
    let mut watch = Stopwatch::start();
    let mut texts = NewTexts::new(&cache);
    history::update_rows(&log, &mut cache)?;
    views::update(context, &mut log, &mut cache, &wanted, boundary, &mut texts)?;
    report.seconds.update = watch.lap();
    fail::point("updated")?;
    // If no cache is in use, the new one serves at once, before it has vectors.
    if !full || context.workspace.cache_path().is_none() {
        cache.publish(context.workspace)?;
    }
    watch.lap();
    vectors::update(context, &log, &mut cache, depth == Depth::ReEmbed, &mut texts, &mut report)?;
    report.seconds.embed = watch.lap();
    cache.publish(context.workspace)?;
    let main = view::view_of(&cache.connection, "")?;
    report.items = main
        .map(|main| item::kind_counts(&cache.connection, main.id))
        .transpose()?
        .map_or(0, |counts| counts.values().sum());
    if erased.is_some() {
        embeddings::drop_dead(context, &cache)?;
    }
    cache.close()?;
    log.close()?;
    if erased.is_some() {
        erase::ended(context.workspace)?;
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

/// Appends the facts of every commit that a HEAD reaches, of the files at each HEAD, and of transcripts.
fn record(
    context: &Context<'_>,
    log: &mut Eventlog,
    cache: &mut Cache,
    wanted: &[WorktreeMove],
    full: bool,
    report: &mut RunReport,
) -> Result<()> {
    history::update_rows(log, cache)?;
    let mut watch = Stopwatch::start();
    let (commits, appended) = history::record(context, log, cache, wanted, full)?;
    report.commits = commits;
    report.events_appended += appended;
    report.seconds.history = watch.lap();
    report.events_appended += code::record(context, log, cache, wanted)?;
    report.seconds.code = watch.lap();
    report.events_appended += transcripts::record(context, log, cache)?;
    report.seconds.sessions = watch.lap();
    Ok(())
}
