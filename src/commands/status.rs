//! `patina status`: what is indexed, and how far HEAD is ahead.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use rusqlite::Connection;
use serde::Serialize;

use super::output::{Output, short};
use super::{DIMENSIONS, Here};
use crate::error::{Exit, UserError};
use crate::event::{count, hex};
use crate::item;
use crate::query::Reader;
use crate::view;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Start the worker and return when HEAD is indexed.
    #[arg(long)]
    wait: bool,
    /// Give up waiting after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 120, requires = "wait")]
    timeout: u64,
    /// Print hashes of what is indexed: of the facts, and of the vectors.
    #[arg(long)]
    digest: bool,
}

#[derive(Serialize)]
struct Answer {
    head: Option<String>,
    indexed_commit: Option<String>,
    behind: u64,
    pending: u64,
    events: BTreeMap<String, u64>,
    items: BTreeMap<String, u64>,
    files: BTreeMap<String, u64>,
    worktrees: Vec<Worktree>,
    model: Option<()>,
    dimensions: Vec<Dimension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    last_error: Option<String>,
}

#[derive(Serialize)]
struct Worktree {
    name: String,
    indexed_commit: Option<String>,
}

#[derive(Serialize)]
struct Dimension {
    name: &'static str,
    items: u64,
    adapter: &'static str,
    generation: Option<u64>,
    reason: &'static str,
}

#[derive(Serialize)]
struct Digest {
    facts: String,
    vectors: Option<String>,
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode> {
    let here = Here::find(output)?;
    if arguments.wait {
        here.wait(Duration::from_secs(arguments.timeout))?;
    }
    let head = here.repository.head()?.map(|head| hex(head.commit.as_bytes()));
    let reader = match Reader::open(&here.repository, &here.workspace, &here.config) {
        Ok(reader) => reader,
        Err(error) if error.downcast_ref::<UserError>().is_some_and(|error| error.exit == Exit::NotSetUp) => {
            return nothing_yet(&here, head, output, error);
        }
        Err(error) => return Err(error),
    };
    for note in &reader.notes {
        output.note(note);
    }
    let cache = &reader.cache;
    let answer = Answer {
        head,
        indexed_commit: reader.as_of(),
        behind: reader.behind,
        pending: view::pending(cache)?.len() as u64,
        events: events(cache)?,
        items: item::counts(cache, reader.view.id)?,
        files: item::skipped(cache, reader.view.id)?,
        worktrees: view::views(cache)?
            .into_iter()
            .map(|view| Worktree {
                name: view.worktree,
                indexed_commit: view.head.map(|head| hex(head.commit.as_bytes())),
            })
            .collect(),
        model: None,
        dimensions: dimensions(),
        digest: if arguments.digest {
            Some(Digest { facts: crate::store::digest(cache)?, vectors: None })
        } else {
            None
        },
        last_error: here.workspace.last_error(),
    };
    if output.json {
        return output.print_json(&answer);
    }
    let mut page = output.page();
    let indexed = answer.indexed_commit.as_deref().map_or("nothing, HEAD is unborn", short);
    let branch = here.repository.branch().map_or("HEAD is detached".to_string(), |branch| format!("on {branch}"));
    page.heading("indexed    ", format!("{indexed} ({branch})"));
    if answer.behind > 0 {
        page.line(format!(
            "           HEAD has moved on ({} behind); `patina status --wait` catches up",
            count(answer.behind, "commit")
        ));
    }
    if answer.pending > 0 {
        page.line(format!(
            "           {} without its place in history: what came before is not here (a shallow clone, or missing objects)",
            count(answer.pending, "commit")
        ));
    }
    let list = |counts: &BTreeMap<String, u64>| {
        counts.iter().map(|(name, n)| format!("{n} {name}")).collect::<Vec<_>>().join(", ")
    };
    page.heading("items      ", list(&answer.items));
    page.heading("files      ", list(&answer.files));
    page.heading("events     ", list(&answer.events));
    for worktree in answer.worktrees.iter().filter(|worktree| !worktree.name.is_empty()) {
        page.heading(
            "worktree   ",
            format!("{} at {}", worktree.name, worktree.indexed_commit.as_deref().map_or("an unborn HEAD", short)),
        );
    }
    page.heading("dimensions ", "off: no model is set up, so answers come from full text, counts and calls");
    if let Some(digest) = &answer.digest {
        page.heading("digest     ", &digest.facts);
    }
    if let Some(error) = &answer.last_error {
        page.heading("last error ", error);
    }
    output.print(&page)
}

fn nothing_yet(here: &Here, head: Option<String>, output: &Output, error: anyhow::Error) -> Result<ExitCode> {
    if !output.json && head.is_some() {
        return Err(error);
    }
    let answer = Answer {
        head,
        indexed_commit: None,
        behind: 0,
        pending: 0,
        events: BTreeMap::new(),
        items: BTreeMap::new(),
        files: BTreeMap::new(),
        worktrees: Vec::new(),
        model: None,
        dimensions: dimensions(),
        digest: None,
        last_error: here.workspace.last_error(),
    };
    if output.json {
        return output.print_json(&answer);
    }
    let mut page = output.page();
    page.line("this repository has no commits yet; the first one will be taken in by itself once `patina hook install` has run");
    output.print(&page)
}

fn dimensions() -> Vec<Dimension> {
    let off = |name| Dimension { name, items: 0, adapter: "off", generation: None, reason: "no model is set up" };
    DIMENSIONS.into_iter().map(off).collect()
}

fn events(cache: &Connection) -> Result<BTreeMap<String, u64>> {
    let mut statement = cache.prepare("SELECT event_type, count(*) FROM log.event GROUP BY event_type")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
