//! Ingests files: from the trees at the HEADs, through the parser, into the log and the parse cache.

use std::collections::BTreeSet;

use anyhow::Result;
use rusqlite::TransactionBehavior;

use super::context::{Context, Stage, check_stop};
use super::worktrees::WorktreeMove;
use crate::edges;
use crate::entries;
use crate::event::Fact;
use crate::eventlog::Eventlog;
use crate::facts::CodeFacts;
use crate::fail;
use crate::git::ObjectId;
use crate::item::{self, Parse};
use crate::store::Cache;

/// The number of facts that are appended in one transaction.
const BATCH: usize = 20_000;

/// Parses every file at a HEAD that is not in the parse cache. Returns how many facts were new.
pub fn record(context: &Context<'_>, log: &mut Eventlog, cache: &mut Cache, wanted: &[WorktreeMove]) -> Result<u64> {
    let mut jobs: BTreeSet<(String, ObjectId)> = BTreeSet::new();
    for file in wanted.iter().flat_map(|wanted| &wanted.moves) {
        if let Some(blob) = file.blob
            && item::find_parse(&cache.connection, &file.path, &blob)?.is_none()
        {
            jobs.insert((file.path.clone(), blob));
        }
    }
    let (total, mut appended) = (jobs.len() as u64, 0);
    let (mut batch, mut facts, mut done) = (Vec::new(), 0, 0);
    item::read_all(context.repository, &context.program, context.config, context.stop, jobs, |parse| {
        let CodeFacts { items, calls, imports, entries } = &parse.facts;
        facts += items.len() + calls.len() + imports.len() + entries.len();
        batch.push(parse);
        done += 1;
        if facts >= BATCH {
            appended += flush(log, cache, &mut batch)?;
            facts = 0;
        }
        (context.progress)(Stage::Code, done, total);
        Ok(())
    })?;
    appended += flush(log, cache, &mut batch)?;
    check_stop(context)?;
    Ok(appended)
}

/// Appends the facts of a batch, then writes the rows that refer to them. If the process stops in between, the next run
/// writes those rows.
fn flush(log: &mut Eventlog, cache: &mut Cache, batch: &mut Vec<Parse>) -> Result<u64> {
    if batch.is_empty() {
        return Ok(0);
    }
    let facts = |parse: &'_ Parse| -> Vec<Fact> {
        let facts = &parse.facts;
        let items = facts.items.iter().map(|item| &item.fact);
        items
            .chain(facts.calls.iter().map(|call| &call.fact))
            .chain(facts.imports.iter().map(|import| &import.fact))
            .chain(facts.entries.iter().map(|entry| &entry.fact))
            .cloned()
            .collect()
    };
    let all: Vec<Fact> = batch.iter().flat_map(facts).collect();
    let appended = log.append(&all)?;
    let transaction = cache.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut rest = appended.seqs.as_slice();
    for parse in batch.drain(..) {
        let (items, after) = rest.split_at(parse.facts.items.len());
        let (calls, after) = after.split_at(parse.facts.calls.len());
        let (imports, after) = after.split_at(parse.facts.imports.len());
        let (said, after) = after.split_at(parse.facts.entries.len());
        rest = after;
        let id = item::add_parse(&transaction, &parse, items)?;
        edges::add_parse(&transaction, id, &parse.facts, items, calls, imports)?;
        entries::add_parse(&transaction, id, &parse.facts.entries, said)?;
    }
    fail::point("parses written")?;
    transaction.commit()?;
    fail::point("parses kept")?;
    Ok(appended.new as u64)
}
