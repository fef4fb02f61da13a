//! `patina log`: lists commits, of the repository or of targets, or events of the log; newest first.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use rusqlite::{Connection, named_params};
use serde::Serialize;

use super::answers::{Standpoint, short};
use super::context::{CommandContext, Needs};
use super::options::{parse_since, require_positive};
use super::output::Output;
use super::page::{Piece, Style};
use super::targets::expanded;
use crate::event::encode_path;
use crate::eventlog::{self, Eventlog};
use crate::facts::{Body, CODE_EVENTS};
use crate::git::{Repository, day};
use crate::item;
use crate::query::{self, LogAnswer, LogCommit};
use crate::sqlite;

#[derive(Debug, clap::Args)]
pub struct LogArgs {
    /// Files, folders, globs, lines or symbols; - reads them from stdin
    ///
    /// Several may be given; with -, one is read per line. Files are followed through their exact renames. Without a
    /// target, every commit is listed.
    #[arg(value_name = "TARGET")]
    targets: Vec<OsString>,
    /// Show at most K commits or events
    #[arg(short, value_name = "K", default_value_t = 20)]
    k: usize,
    /// Show events whose type begins with TYPE: git.commit, code., session.
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "targets")]
    event_type: Option<String>,
    /// Show only commits or events of this file or folder
    #[arg(long, value_name = "PATH")]
    path: Option<OsString>,
    /// Only since a date (2026-01-31) or within a period (90d, 12w)
    ///
    /// Events of code have no time of their own, so they are left out.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Wait until HEAD is indexed
    #[arg(long)]
    fresh: bool,
}

#[derive(Serialize)]
struct CommitsAnswer<'a> {
    as_of: Option<String>,
    behind: u64,
    commits: Vec<CommitAnswer<'a>>,
}

#[derive(Serialize)]
struct CommitAnswer<'a> {
    #[serde(flatten)]
    commit: &'a LogCommit,
    /// The author's date, in the author's time zone, as `git log --date=iso-strict` prints it.
    date: String,
}

#[derive(Serialize)]
struct LoggedEvent {
    seq: i64,
    event_type: String,
    at: Option<i64>,
    source_file: Option<String>,
    data: serde_json::Value,
    /// A one-line summary for the text output.
    #[serde(skip)]
    summary: String,
}

#[derive(Serialize)]
struct EventsAnswer {
    events: Vec<LoggedEvent>,
}

const SELECT: &str = "SELECT seq, event_type, at, source_file FROM event
  WHERE (:type IS NULL OR substr(event_type, 1, length(:type)) = :type) AND (:path IS NULL OR source_file = :path)
    AND (:since IS NULL OR at >= :since)
  ORDER BY CASE WHEN :by_time THEN at END DESC, seq DESC LIMIT :k";

pub fn run(arguments: &LogArgs, output: &Output) -> Result<ExitCode> {
    require_positive(arguments.k)?;
    let since = arguments.since.as_deref().map(parse_since).transpose()?;
    let here = CommandContext::find(output)?;
    here.require_index()?;
    match arguments.event_type {
        Some(_) => events(arguments, &here, since, output),
        None => commits(arguments, &here, since, output),
    }
}

/// Prints commits, newest first.
fn commits(arguments: &LogArgs, here: &CommandContext, since: Option<i64>, output: &Output) -> Result<ExitCode> {
    let reader = here.reader(arguments.fresh, Needs::Counts, output)?;
    let texts = expanded(&arguments.targets)?;
    let targets = reader.targets(&texts.into_iter().chain(arguments.path.clone()).collect::<Vec<_>>())?;
    output.notes(&targets.notes);
    let LogAnswer { commits, notes } = query::log(&reader, &targets, since, arguments.k)?;
    output.notes(&notes);
    let standpoint = Standpoint::new(&here.repository);
    if output.json {
        let commits =
            commits.iter().map(|commit| CommitAnswer { commit, date: standpoint.date_of(&commit.id, commit.time) });
        return output.print_json(&CommitsAnswer {
            as_of: reader.as_of(),
            behind: reader.behind,
            commits: commits.collect(),
        });
    }
    let mut page = output.page();
    for commit in &commits {
        let mut row = standpoint.commit(&commit.id, commit.time, &commit.subject);
        row.push(Piece::new(format!("  {}", commit.author), Style::Dim));
        page.row(row);
    }
    if commits.is_empty() {
        page.line("no recorded commit matches");
    }
    page.end_as_of(&reader, output);
    output.print(&page)
}

/// Prints events of the log, newest first.
fn events(arguments: &LogArgs, here: &CommandContext, since: Option<i64>, output: &Output) -> Result<ExitCode> {
    let path = here.workspace.eventlog_path();
    let mut events = Vec::new();
    if path.exists() {
        Eventlog::refuse_damaged(&path)?;
        let log = sqlite::open_read_only(&path)?;
        Eventlog::refuse_newer(&log, "main")?;
        // Events with a time of their own are sorted by it, all others by when they were recorded.
        let by_time = arguments.event_type.as_deref().is_some_and(|event_type| !event_type.starts_with(CODE_EVENTS));
        let path = arguments.path.as_deref().map(|path| meant(&log, &here.repository, path)).transpose()?;
        let mut statement = log.prepare(SELECT)?;
        let rows = statement.query_map(
            named_params! {":type": arguments.event_type, ":path": path, ":since": since, ":k": arguments.k as i64,
            ":by_time": by_time},
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )?;
        for row in rows {
            let (seq, event_type, at, source_file): (i64, String, Option<i64>, Option<String>) = row?;
            let data = eventlog::event(&log, seq)?.data;
            let summary = match Body::decode(&event_type, &data) {
                Ok(Some(body)) => summary_of(&body),
                Ok(None) => "erased".to_string(),
                // An event type from a later version is listed without a summary.
                Err(_) => String::new(),
            };
            events.push(LoggedEvent { seq, event_type, at, source_file, data: serde_json::from_str(&data)?, summary });
        }
    }
    if output.json {
        return output.print_json(&EventsAnswer { events });
    }
    let mut page = output.page();
    for event in &events {
        let when = event.at.map_or("          ".to_string(), day);
        page.row(vec![
            Piece::new(format!("{:>7}", event.seq), Style::Dim),
            Piece::new(format!("  {when}  "), Style::Dim),
            Piece::new(format!("{:16} ", event.event_type), Style::Bold),
            Piece::plain(&event.summary),
        ]);
    }
    if events.is_empty() {
        page.line("no event matches");
    }
    output.print(&page)
}

/// Summarizes an event in one line.
fn summary_of(body: &Body<'_>) -> String {
    let first_line = |text: &str| text.lines().next().unwrap_or_default().to_string();
    match body {
        Body::Commit(data) => format!("{} {}", short(&data.sha), first_line(&data.message)),
        Body::Item(data) => data.key.to_string(),
        Body::Call(data) => format!("{} calls {}", data.caller, data.callee),
        Body::Import(data) => format!("{} imports {}", data.file_path, data.target),
        Body::SessionRead(data) => first_line(&data.title),
        Body::Entry(data) => first_line(&data.content),
    }
}

/// Returns a path from the command line as events store it: the first spelling that some event has.
fn meant(log: &Connection, repository: &Repository, typed: &OsStr) -> Result<String> {
    let text = &typed.to_str().map_or_else(|| encode_path(typed.as_encoded_bytes()), str::to_string);
    let prefix = repository.prefix().map(|prefix| encode_path(prefix.as_os_str().as_encoded_bytes()));
    let spellings = match repository.path_in_worktree(Path::new(typed)) {
        Some(inside) => item::spellings("", inside.as_os_str().as_encoded_bytes()),
        None => item::spellings(&prefix.unwrap_or_default(), text),
    };
    let mut known = log.prepare("SELECT 1 FROM event WHERE source_file = :path LIMIT 1")?;
    for path in spellings {
        if known.exists(named_params! {":path": path})? {
            return Ok(path);
        }
    }
    Ok(text.to_string())
}
