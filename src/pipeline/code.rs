//! Files: from the trees at the HEADs through the parser into the log and the parse cache.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use anyhow::{Context as _, Result, bail};
use rusqlite::TransactionBehavior;

use super::{Context, Stage, Wanted, check_stop};
use crate::config::Config;
use crate::derive::{CodeFacts, file_facts, text_facts};
use crate::edges;
use crate::event::{Fact, decode_path};
use crate::eventlog::Eventlog;
use crate::fail;
use crate::git::{Blob, ObjectId, Repository};
use crate::item::{self, Outcome, Parse};
use crate::store::Cache;
use crate::syntax::{self, Child, Limits, Skip, Triage};

/// Facts appended in one transaction.
const BATCH: usize = 20_000;
/// Fewer files than this are not worth a second thread and its child.
const FILES_A_THREAD: usize = 24;

type Job = (String, ObjectId);

/// Parses every blob that a HEAD shows at a path and the parse cache does not hold. Returns how many facts were new.
pub fn record(context: &Context<'_>, log: &mut Eventlog, cache: &mut Cache, wanted: &[Wanted]) -> Result<u64> {
    let mut jobs: BTreeSet<Job> = BTreeSet::new();
    for file in wanted.iter().flat_map(|wanted| &wanted.moves) {
        if let Some(blob) = file.blob
            && item::find_parse(&cache.connection, &file.path, &blob)?.is_none()
        {
            jobs.insert((file.path.clone(), blob));
        }
    }
    let total = jobs.len() as u64;
    let threads =
        std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len().div_ceil(FILES_A_THREAD)).max(1);
    let jobs = Mutex::new(jobs.into_iter());
    let shared = context.repository.shared();
    let (program, config, stop) = (&context.program, context.config, context.stop);
    let mut appended = 0;
    std::thread::scope(|scope| -> Result<()> {
        let (send, receive) = mpsc::sync_channel::<Result<Parse>>(64);
        for _ in 0..threads {
            let (send, shared, jobs) = (send.clone(), &shared, &jobs);
            scope.spawn(move || {
                let repository = shared.open();
                let mut child = Child::new(program);
                loop {
                    let job = jobs.lock().ok().and_then(|mut jobs| jobs.next());
                    let Some((path, blob)) = job.filter(|_| !stop.load(Ordering::Relaxed)) else { break };
                    if send.send(parse(&repository, &mut child, config, path, blob)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        let (mut batch, mut facts, mut done) = (Vec::new(), 0, 0);
        for parse in receive {
            let parse = parse?;
            facts += parse.facts.items.len() + parse.facts.calls.len() + parse.facts.imports.len();
            batch.push(parse);
            done += 1;
            if facts >= BATCH {
                appended += flush(log, cache, &mut batch)?;
                facts = 0;
            }
            (context.progress)(Stage::Code, done, total);
        }
        appended += flush(log, cache, &mut batch)?;
        Ok(())
    })?;
    check_stop(context)?;
    Ok(appended)
}

/// Facts first, then the rows that point at them: a stop between the two is mended by the next run.
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
        rest = after;
        let id = item::add_parse(&transaction, &parse, items)?;
        edges::add_parse(&transaction, id, &parse.facts, items, calls, imports)?;
    }
    fail::point("parses written")?;
    transaction.commit()?;
    fail::point("parses kept")?;
    Ok(appended.new as u64)
}

fn parse(repository: &Repository, child: &mut Child, config: &Config, path: String, blob: ObjectId) -> Result<Parse> {
    let limits = Limits { max_bytes: config.max_file_bytes };
    let left_out =
        |path: String, size: u64, outcome: Outcome| Parse { path, blob, size, outcome, facts: CodeFacts::default() };
    let bytes = match repository.blob(blob, limits.max_bytes)? {
        Blob::Bytes(bytes) => bytes,
        Blob::TooLarge(size) => return Ok(left_out(path, size, Outcome::Skipped(Skip::Oversize))),
        Blob::Missing => return Ok(left_out(path, 0, Outcome::Missing)),
    };
    let size = bytes.len() as u64;
    let real_path = String::from_utf8_lossy(&decode_path(&path)).into_owned();
    let language = match syntax::triage(&real_path, &bytes, size, &limits) {
        Triage::Skip(skip) => return Ok(left_out(path, size, Outcome::Skipped(skip))),
        Triage::Text => {
            let facts = text_facts(&path, &String::from_utf8_lossy(&bytes));
            return Ok(Parse { path, blob, size, outcome: Outcome::Text, facts });
        }
        Triage::Code(language) => language,
    };
    Ok(match child.parse(language, &bytes) {
        syntax::Outcome::Parsed(parsed) => {
            let lines = u32::try_from(bytes.split(|byte| *byte == b'\n').count()).context("counting lines")?;
            let partial = parsed.partial;
            let facts = file_facts(&path, language, parsed, lines);
            let outcome = if partial { Outcome::Partial(language) } else { Outcome::Code(language) };
            Parse { path, blob, size, outcome, facts }
        }
        syntax::Outcome::Unavailable(why) => bail!("starting a parser: {why}"),
        syntax::Outcome::Failed(why) => {
            tracing::warn!(path, %blob, why, "a file could not be parsed");
            left_out(path, size, Outcome::Failed(why))
        }
    })
}
