//! `patina log`: commits of everything or of targets, or events of the log; newest first.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use rusqlite::{Connection, named_params};
use serde::Serialize;

use super::answers::Standpoint;
use super::output::Output;
use super::page::{Piece, Style};
use super::targets::expanded;
use super::{Here, Needs, asks_for_any, parse_since};
use crate::event::encode_path;
use crate::eventlog::{self, Eventlog};
use crate::git::{Repository, day};
use crate::item;
use crate::query::{self, LogAnswer, LogCommit};
use crate::sqlite;

#[derive(Debug, clap::Args)]
pub struct LogArgs {
    /// Commits of these: files, folders, globs, lines, symbols; several, or - for one a line of stdin
    ///
    /// Files are followed through their exact renames. Without a target, every commit is listed.
    #[arg(value_name = "TARGET")]
    targets: Vec<OsString>,
    /// Show at most K
    #[arg(short, value_name = "K", default_value_t = 20)]
    k: usize,
    /// Show events of the log whose type begins so, in place of commits: git.commit, code., session.
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "targets")]
    event_type: Option<String>,
    /// Only what concerns a file or a folder, from where you are or from the top
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// Only since a day (2026-01-31) or for a time (90d, 12w); code events have no time of their own
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Wait until what HEAD shows is indexed
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
}

#[derive(Serialize)]
struct EventsAnswer {
    events: Vec<LoggedEvent>,
}

/// What the types of events of sessions begin with.
const SESSION_EVENTS: &str = "session.";

const SELECT: &str = "SELECT seq, event_type, at, source_file FROM event
  WHERE (:type IS NULL OR substr(event_type, 1, length(:type)) = :type) AND (:path IS NULL OR source_file = :path)
    AND (:since IS NULL OR at >= :since)
  ORDER BY CASE WHEN :by_time THEN at END DESC, seq DESC LIMIT :k";

pub fn run(arguments: &LogArgs, output: &Output) -> Result<ExitCode> {
    asks_for_any(arguments.k)?;
    let since = arguments.since.as_deref().map(parse_since).transpose()?;
    let here = Here::find(output)?;
    here.require_index()?;
    match arguments.event_type {
        Some(_) => events(arguments, &here, since, output),
        None => commits(arguments, &here, since, output),
    }
}

/// Prints commits, newest first.
fn commits(arguments: &LogArgs, here: &Here, since: Option<i64>, output: &Output) -> Result<ExitCode> {
    let reader = here.reader(arguments.fresh, Needs::Counts, output)?;
    let texts = expanded(&arguments.targets)?;
    let targets =
        reader.targets(&texts.into_iter().chain(arguments.path.as_ref().map(OsString::from)).collect::<Vec<_>>())?;
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
        page.line("no recorded commit fits");
    }
    page.end_as_of(&reader, output);
    output.print(&page)
}

/// Prints events of the log, newest first.
fn events(arguments: &LogArgs, here: &Here, since: Option<i64>, output: &Output) -> Result<ExitCode> {
    let path = here.workspace.eventlog_path();
    let mut events = Vec::new();
    if path.exists() {
        Eventlog::refuse_damaged(&path)?;
        let log = sqlite::open_read_only(&path)?;
        Eventlog::refuse_newer(&log, "main")?;
        // Events that have a time of their own are told in its order, the others in that of their taking in.
        let by_time = arguments.event_type.as_deref().is_some_and(|event_type| !event_type.starts_with("code"));
        let path = arguments.path.as_deref().map(|path| meant(&log, &here.repository, path)).transpose()?;
        let mut statement = log.prepare(SELECT)?;
        let rows = statement.query_map(
            named_params! {":type": arguments.event_type, ":path": path, ":since": since, ":k": arguments.k as i64,
            ":by_time": by_time},
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )?;
        for row in rows {
            let (seq, event_type, at, source_file) = row?;
            let data = serde_json::from_str(&eventlog::event(&log, seq)?.data)?;
            events.push(LoggedEvent { seq, event_type, at, source_file, data });
        }
    }
    if output.json {
        return output.print_json(&EventsAnswer { events });
    }
    let mut page = output.page();
    for event in &events {
        let text = |field: &str| event.data.get(field).and_then(serde_json::Value::as_str).unwrap_or_default();
        let what = match event.event_type.as_str() {
            "git.commit" => format!(
                "{} {}",
                text("sha").get(..10).unwrap_or_default(),
                text("message").lines().next().unwrap_or_default()
            ),
            "code.call" => format!("{} calls {}", text("caller"), text("callee")),
            "code.import" => format!("{} imports {}", text("file_path"), text("target")),
            event_type if event_type.starts_with(SESSION_EVENTS) => {
                let said = [text("content"), text("title")].into_iter().find(|said| !said.is_empty());
                said.and_then(|said| said.lines().next()).unwrap_or_default().to_string()
            }
            _ => text("key").to_string(),
        };
        let when = event.at.map_or("          ".to_string(), day);
        page.row(vec![
            Piece::new(format!("{:>7}", event.seq), Style::Dim),
            Piece::new(format!("  {when}  "), Style::Dim),
            Piece::new(format!("{:14} ", event.event_type), Style::Bold),
            Piece::plain(what),
        ]);
    }
    if events.is_empty() {
        page.line("no event fits");
    }
    output.print(&page)
}

/// The file that is meant, as events name it: the first way to read what was typed of which there is an event.
fn meant(log: &Connection, repository: &Repository, text: &str) -> Result<String> {
    let prefix = repository.prefix().map(|prefix| encode_path(prefix.as_os_str().as_encoded_bytes()));
    let spellings = match repository.path_in_worktree(Path::new(text)) {
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
