//! Ingests commits: from git into the log, and from the log into the rows of the cache.

use anyhow::Result;
use rusqlite::TransactionBehavior;

use super::context::{Context, Stage, check_stop};
use super::worktrees::WorktreeMove;
use crate::event::Fact;
use crate::eventlog::Eventlog;
use crate::facts::{Body, COMMIT_VERSION, GIT_COMMIT, commit_fact};
use crate::fail;
use crate::git::{ObjectId, Recorded};
use crate::history;
use crate::store::Cache;
use crate::view;

/// The number of commits appended in one transaction. Larger transactions wait for the disk less often, but lose more
/// work when interrupted.
const BATCH: usize = 8192;

/// Appends every reachable commit that is not in the log; with `full`, reads all of them again. Returns how many were
/// read and how many were new.
pub fn record(
    context: &Context<'_>,
    log: &mut Eventlog,
    cache: &mut Cache,
    wanted: &[WorktreeMove],
    full: bool,
) -> Result<(u64, u64)> {
    let whole = !log.is_history_open()?;
    let known = |id: &ObjectId| -> Result<Recorded> {
        Ok(match !full && view::is_recorded(&cache.connection, id)? {
            false => Recorded::No,
            true if whole => Recorded::WithAncestors,
            true => Recorded::Alone,
        })
    };
    let mut heads: Vec<ObjectId> =
        wanted.iter().filter_map(|wanted| wanted.worktree.head.map(|head| head.commit)).collect();
    if cache.is_building() {
        // A new cache is filled from the log, which does not record the pending commits.
        heads.extend(view::unrecorded_parents(&cache.connection)?);
    }
    heads.extend(view::pending(&cache.connection)?);
    let mut batch: Vec<Fact> = Vec::new();
    let (mut done, mut appended, mut behind) = (0, 0, i64::MAX);
    let mut flush = |batch: &mut Vec<Fact>, last: bool, found: u64| -> Result<()> {
        // Commits arrive newest first. Until the last one is in, a commit in the log may lack its ancestors.
        if !last {
            log.set_history_open(true)?;
        }
        // Threads finish in any order, so commits are sorted by time within a batch.
        batch.sort_by_key(|fact| (fact.at, fact.idem));
        let known = log.append(batch.iter())?;
        appended += known.new as u64;
        // A commit that is in the log but was read again has lost its row, so rows are rebuilt from there on.
        behind = known.seqs.into_iter().fold(behind, i64::min);
        done += batch.len() as u64;
        batch.clear();
        (context.progress)(Stage::History, done, found);
        Ok(())
    };
    let reading = context.repository.read_history(
        &heads,
        known,
        |raw| commit_fact(&raw),
        context.stop,
        |span, found| {
            batch.extend(span);
            if batch.len() >= BATCH { flush(&mut batch, false, found) } else { Ok(()) }
        },
    )?;
    check_stop(context)?;
    if !batch.is_empty() {
        flush(&mut batch, true, reading.commits)?;
    }
    fail::point("history read")?;
    log.set_history_open(false)?;
    fail::point("history closed")?;
    if behind <= cache.watermark()? {
        cache.set_watermark(behind - 1)?;
    }
    if !reading.pending.is_empty() {
        tracing::info!(pending = reading.pending.len(), "commits wait for their parents' trees");
    }
    let transaction = cache.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    view::set_pending(&transaction, &reading.pending)?;
    transaction.commit()?;
    fail::point("pending kept")?;
    Ok((reading.commits, appended))
}

/// Writes the rows of the commits that the log has after the cache's watermark.
pub fn update_rows(log: &Eventlog, cache: &mut Cache) -> Result<()> {
    let (after, last) = (cache.watermark()?, log.last_seq()?);
    if after >= last {
        return Ok(());
    }
    let transaction = cache.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    log.each_after(GIT_COMMIT, after, |seq, data| {
        let Some(Body::Commit(data)) = Body::decode(GIT_COMMIT, data)? else { return Ok(()) };
        if data.deriver == COMMIT_VERSION {
            let author = history::intern_person(&transaction, &data.author)?;
            view::add_commit(&transaction, seq, &data, author)?;
            history::add_commit(&transaction, seq, &data)?;
        }
        Ok(())
    })?;
    fail::point("commits written")?;
    transaction.commit()?;
    fail::point("commits kept")?;
    cache.set_watermark(last)
}
