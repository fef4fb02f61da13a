//! Garbage collection: drops events that no view has needed for a long time and that git can provide again. Invariant:
//! events of sessions, which exist nowhere else, are never dropped.

use std::collections::HashSet;

use anyhow::Result;
use rusqlite::{TransactionBehavior, named_params};

use super::catch_up::{Depth, catch_up};
use super::context::Context;
use super::embeddings;
use crate::event::Seq;
use crate::eventlog::Eventlog;
use crate::fail;
use crate::store::Cache;

/// How many days a fact is kept after the last view that needed it, because branches come back, and then nothing has to
/// be read again.
pub const KEEP_DAYS: u32 = 90;

/// The result of garbage collection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// The number of events dropped.
    pub events: u64,
    /// By how many bytes the files shrank.
    pub bytes: u64,
}

/// Records which events no view needs at `now`, in Unix seconds, and drops those that have not been needed for `days`.
pub fn sweep(context: &Context<'_>, now: i64, days: u32) -> Result<Swept> {
    catch_up(context, Depth::New)?;
    let mut log = Eventlog::open(&context.workspace.eventlog_path(), context.workspace.wal)?;
    let mut cache = Cache::open(context.workspace, context.config, &log, false)?;
    let before = size(context);
    let live = live(&cache)?;
    let old = log.note_unseen(&live, now, now - i64::from(days) * 86_400)?;
    fail::point("unseen noted")?;
    embeddings::drop_unsaid(context, &cache, now - i64::from(days) * 86_400)?;
    let mut events = 0;
    if !old.is_empty() {
        // The cache drops them first: a view that needs them again then ingests them again.
        forget(&mut cache, &old)?;
        fail::point("cache forgot")?;
        events = log.drop_derivable(&old)? as u64;
        log.vacuum()?;
        fail::point("log vacuumed")?;
        cache.connection.execute_batch("VACUUM")?;
    }
    cache.close()?;
    log.close()?;
    Ok(Swept { events, bytes: before.saturating_sub(size(context)) })
}

fn live(cache: &Cache) -> Result<HashSet<Seq>> {
    let mut statement = cache.connection.prepare(
        "SELECT seq FROM reachable
         UNION SELECT seq FROM parse_item JOIN view_file USING (parse)
         UNION SELECT seq FROM parse_call JOIN view_file USING (parse)
         UNION SELECT seq FROM import JOIN view_file USING (parse)
         UNION SELECT seq FROM parse_entry JOIN view_file USING (parse)",
    )?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

fn forget(cache: &mut Cache, seqs: &[Seq]) -> Result<()> {
    let transaction = cache.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for sql in [
        "DELETE FROM parse WHERE id IN (SELECT parse FROM parse_item WHERE seq = :seq)",
        "DELETE FROM parse WHERE id IN (SELECT parse FROM parse_call WHERE seq = :seq)",
        "DELETE FROM parse WHERE id IN (SELECT parse FROM import WHERE seq = :seq)",
        "DELETE FROM parse WHERE id IN (SELECT parse FROM parse_entry WHERE seq = :seq)",
        "DELETE FROM entry WHERE seq = :seq",
        "DELETE FROM mention WHERE seq = :seq",
        "DELETE FROM mention_commit WHERE seq = :seq",
        "DELETE FROM definition WHERE seq = :seq",
        "DELETE FROM call WHERE seq = :seq",
        "DELETE FROM touched WHERE commit_seq = :seq",
        "DELETE FROM rename WHERE commit_seq = :seq",
        "DELETE FROM co_author WHERE commit_seq = :seq",
        "DELETE FROM parent WHERE child = :seq",
        "DELETE FROM commit_row WHERE seq = :seq",
    ] {
        let mut statement = transaction.prepare(sql)?;
        for seq in seqs {
            statement.execute(named_params! {":seq": seq})?;
        }
    }
    transaction.execute_batch(
        "DELETE FROM parse_item WHERE parse NOT IN (SELECT id FROM parse);
         DELETE FROM parse_call WHERE parse NOT IN (SELECT id FROM parse);
         DELETE FROM import WHERE parse NOT IN (SELECT id FROM parse);
         DELETE FROM parse_entry WHERE parse NOT IN (SELECT id FROM parse);
         DELETE FROM told WHERE parse NOT IN (SELECT id FROM parse);",
    )?;
    Ok(transaction.commit()?)
}

fn size(context: &Context<'_>) -> u64 {
    let embeddings = context.workspace.embeddings_path();
    let files = [Some(context.workspace.eventlog_path()), context.workspace.cache_path(), Some(embeddings)];
    files.into_iter().flatten().filter_map(|path| std::fs::metadata(path).ok()).map(|metadata| metadata.len()).sum()
}
