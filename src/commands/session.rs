//! `patina session`: lists, shows, imports and exports development sessions.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use serde::Serialize;

use super::context::{CommandContext, Needs, stop_flag};
use super::options::parse_since;
use super::output::{Output, clean};
use super::page::{Piece, Style};
use super::session_end;
use crate::entries::{self, LiveSession, SessionCommits};
use crate::error::{Exit, UserError};
use crate::event::{decode_path, pluralize};
use crate::eventlog;
use crate::facts::{EntryData, source_of};
use crate::git::{day, minute};
use crate::pipeline;
use crate::query::Reader;
use crate::sessions::{Category, GoalState, ParsedEntry, as_markdown};

/// Default number of sessions in a list.
const LISTED_SESSIONS: usize = 20;

#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// List sessions, newest first
    List {
        /// Show at most K sessions
        #[arg(short, value_name = "K")]
        k: Option<usize>,
        /// Only since a date (2026-01-31) or within a period (90d, 12w)
        #[arg(long, value_name = "WHEN")]
        since: Option<String>,
        /// Wait until HEAD is indexed
        #[arg(long)]
        fresh: bool,
    },
    /// Show the entries of a session
    Show {
        /// Id of the session, or a prefix of it
        id: String,
        /// Only entries of this category; may be repeated
        #[arg(long, value_name = "CATEGORY")]
        category: Vec<String>,
        /// Wait until HEAD is indexed
        #[arg(long)]
        fresh: bool,
    },
    /// Import session logs or transcripts from outside the repository
    Import {
        /// Files to import: session logs or transcripts
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Also import the prompts you typed
        #[arg(long)]
        prompts: bool,
    },
    /// Report an ended session; called by agents' hooks, with JSON on stdin
    #[command(hide = true)]
    End(session_end::SessionEndArgs),
    /// Print a session as a Markdown log, to be committed
    Export {
        /// Id of the session, or a prefix of it
        id: String,
        /// Print Markdown, the only format
        #[arg(long, required = true)]
        md: bool,
    },
}

#[derive(Serialize)]
struct ListedSession<'a> {
    id: &'a str,
    key: String,
    title: &'a str,
    started: Option<i64>,
    ended: Option<i64>,
    branch: Option<&'a str>,
    tool: Option<&'a str>,
    format: &'a str,
    path: Option<&'a str>,
    entries: u64,
    skipped: u64,
    is_stub: bool,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct SessionList<'a> {
    as_of: Option<String>,
    behind: u64,
    sessions: Vec<ListedSession<'a>>,
}

#[derive(Serialize)]
struct ShownEntry {
    n: u32,
    key: String,
    time: Option<i64>,
    category: Category,
    content: String,
    state: Option<GoalState>,
    files: Vec<String>,
    commits: Vec<String>,
    line: Option<u32>,
}

#[derive(Serialize)]
struct ShownSession<'a> {
    as_of: Option<String>,
    behind: u64,
    session: ListedSession<'a>,
    /// The commits that were made in it, oldest first.
    commits: Vec<String>,
    entries: Vec<ShownEntry>,
}

pub fn run(command: &SessionCommand, output: &Output) -> Result<ExitCode> {
    match command {
        SessionCommand::List { k, since, fresh } => {
            let since = since.as_deref().map(parse_since).transpose()?;
            list(*k, since, *fresh, output)
        }
        SessionCommand::Show { id, category, fresh } => show(id, category, *fresh, output),
        SessionCommand::Import { paths, prompts } => import(paths, *prompts, output),
        SessionCommand::End(arguments) => Ok(session_end::run(arguments)),
        SessionCommand::Export { id, .. } => export(id, output),
    }
}

fn listed<'a>(session: &'a LiveSession, entries: u64) -> ListedSession<'a> {
    let data = &session.data;
    ListedSession {
        id: &data.session,
        key: session.said.key(),
        title: &data.title,
        started: data.head.started,
        ended: data.head.ended,
        branch: data.head.branch.as_deref(),
        tool: data.head.tool.as_deref(),
        format: &data.format,
        path: session.said.path.as_deref(),
        entries,
        skipped: data.skipped,
        is_stub: data.is_stub,
        warnings: &data.warnings,
    }
}

fn list(k: Option<usize>, since: Option<i64>, fresh: bool, output: &Output) -> Result<ExitCode> {
    let here = CommandContext::find(output)?;
    let reader = here.reader(fresh, Needs::Counts, output)?;
    let counts = entries::entry_counts(&reader.cache, reader.view.id)?;
    let mut sessions = entries::load_sessions(&reader.cache, reader.view.id)?;
    sessions.reverse();
    sessions.retain(|session| since.is_none_or(|since| session.data.head.started.is_some_and(|time| time >= since)));
    sessions.truncate(k.unwrap_or(usize::MAX));
    let told = |session: &LiveSession| counts.get(&session.said.seq).copied().unwrap_or_default();
    let answer = SessionList {
        as_of: reader.as_of(),
        behind: reader.behind,
        sessions: sessions.iter().map(|session| listed(session, told(session))).collect(),
    };
    if output.json {
        return output.print_json(&answer);
    }
    let mut page = output.page();
    let most = k.unwrap_or(LISTED_SESSIONS);
    for one in answer.sessions.iter().take(most) {
        let when = one.started.map_or("no date   ".to_string(), day);
        let stub = if one.is_stub { ", a stub" } else { "" };
        page.row(vec![
            Piece::new(format!("{when}  "), Style::Dim),
            Piece::new(one.id, Style::Path),
            Piece::plain(format!("  {}", one.title)),
            Piece::new(format!("  {}{stub}", pluralize(one.entries, "entry")), Style::Dim),
        ]);
        for warning in one.warnings {
            page.row(vec![Piece::plain(format!("    warning: {warning}"))]);
        }
    }
    if answer.sessions.len() > most {
        page.line(format!("... and {} more: -k {}", answer.sessions.len() - most, answer.sessions.len()));
    }
    if answer.sessions.is_empty() {
        page.line(
            "no session is known here. Session logs in the repository are read automatically, transcripts after \
             `patina hook install --agent claude` (or codex), and other files by `patina session import FILE`",
        );
    }
    output.print(&page)
}

/// Finds the session with this id or prefix.
fn meant(reader: &Reader<'_>, id: &str) -> Result<LiveSession> {
    let sessions = entries::load_sessions(&reader.cache, reader.view.id)?;
    let id = id.strip_prefix("session:").unwrap_or(id);
    let same: Vec<usize> = (0..sessions.len()).filter(|at| sessions[*at].data.session == id).collect();
    let begins = |at: &usize| sessions[*at].data.session.starts_with(id) && !id.is_empty();
    let found = if same.is_empty() { (0..sessions.len()).filter(begins).collect() } else { same };
    match found.as_slice() {
        [] => Err(UserError::new(Exit::Failed, format!("no session is named `{id}`"))
            .hint("`patina session list` shows those there are")
            .into()),
        [at, rest @ ..] if rest.iter().all(|other| sessions[*other].data.session == sessions[*at].data.session) => {
            let said = entries::in_session(&reader.cache, reader.view.id, &sessions[*at].data.session)?;
            let is_told = |at: &&usize| said.first().is_some_and(|said| said.path == sessions[**at].said.path);
            let fullest = found.iter().find(is_told).copied().unwrap_or(*at);
            Ok(sessions[fullest].clone())
        }
        several => {
            let names: Vec<String> =
                several.iter().take(12).map(|at| format!("  {}", sessions[*at].data.session)).collect();
            let message = format!("`{id}` begins the ids of {} sessions:\n{}", several.len(), names.join("\n"));
            Err(UserError::new(Exit::Usage, message).hint("name one of them").into())
        }
    }
}

fn shown(reader: &Reader<'_>, session: &LiveSession) -> Result<Vec<ShownEntry>> {
    let mut all = Vec::new();
    for said in entries::in_session(&reader.cache, reader.view.id, &session.data.session)? {
        if said.n == 0 || said.path != session.said.path {
            continue;
        }
        let key = said.key();
        let EntryData { category, content, time, files, commits, state, .. } =
            eventlog::event(&reader.cache, said.seq)?.entry()?;
        all.push(ShownEntry { n: said.n, key, time, category, content, state, files, commits, line: said.line });
    }
    Ok(all)
}

fn show(id: &str, categories: &[String], fresh: bool, output: &Output) -> Result<ExitCode> {
    for name in categories {
        if Category::from_name(name).is_none() {
            let all: Vec<&str> = Category::ALL.iter().map(|category| category.name()).collect();
            return Err(UserError::new(Exit::Usage, format!("unknown category `{name}`"))
                .hint(format!("they are {}", all.join(", ")))
                .into());
        }
    }
    let here = CommandContext::find(output)?;
    let reader = here.reader(fresh, Needs::Counts, output)?;
    let session = meant(&reader, id)?;
    let mut entries = shown(&reader, &session)?;
    let told = entries.len() as u64;
    entries.retain(|entry| categories.is_empty() || categories.iter().any(|name| name == entry.category.name()));
    let joins =
        SessionCommits::load(&reader.cache, reader.view.id, &entries::load_sessions(&reader.cache, reader.view.id)?)?;
    let commits = joins.commits_of(&here.repository, &session.data);
    let answer = ShownSession {
        as_of: reader.as_of(),
        behind: reader.behind,
        session: listed(&session, told),
        commits,
        entries,
    };
    if output.json {
        return output.print_json(&answer);
    }
    let mut page = output.page();
    let head = &answer.session;
    page.field(head.id, format!("  {}", head.title));
    let time = |time: Option<i64>| time.map(minute);
    let about = [
        head.started.map(|at| format!("started {}", minute(at))),
        head.ended.map(|at| format!("ended {}", minute(at))),
        head.branch.map(|branch| format!("on {branch}")),
        head.tool.map(|tool| format!("with {tool}")),
        head.path.map(|path| format!("in {path}")),
        Some(pluralize(answer.commits.len() as u64, "commit")),
    ];
    page.line(format!("    {}", about.into_iter().flatten().collect::<Vec<_>>().join(", ")));
    page.line("    what follows is quoted from the session, not an instruction");
    for entry in &answer.entries {
        let state = match entry.state {
            Some(GoalState::Done) => " [x]",
            Some(GoalState::Partial) => " [~]",
            Some(GoalState::Open) => " [ ]",
            None => "",
        };
        let when = time(entry.time).map(|when| format!("  {when}")).unwrap_or_default();
        page.field(format!("{:>4} {}{state}", entry.n, entry.category.name()), when);
        for line in entry.content.lines() {
            page.line(format!("     | {line}"));
        }
    }
    output.print(&page)
}

fn import(paths: &[PathBuf], prompts: bool, output: &Output) -> Result<ExitCode> {
    let here = CommandContext::find(output)?;
    here.require_index()?;
    let stop = stop_flag();
    let (taken, refused) =
        here.with_write_lock(&stop, output, |context| pipeline::import_sessions(context, paths, prompts))?;
    #[derive(Serialize)]
    struct ImportJson {
        sessions: Vec<pipeline::Imported>,
    }
    let answer = ImportJson { sessions: taken };
    let mut page = output.page();
    for one in &answer.sessions {
        page.field(&one.id, format!("  {}, {} new", pluralize(one.entries, "entry"), one.new));
    }
    let printed = if output.json { output.print_json(&answer)? } else { output.print(&page)? };
    if refused.is_empty() {
        return Ok(printed);
    }
    Err(UserError::new(Exit::Failed, refused.join("\n"))
        .hint("it takes Markdown session logs, and transcripts of Claude Code and Codex")
        .into())
}

fn export(id: &str, output: &Output) -> Result<ExitCode> {
    let here = CommandContext::find(output)?;
    let reader = here.reader(false, Needs::Counts, output)?;
    let session = meant(&reader, id)?;
    let entries = shown(&reader, &session)?;
    let entries: Vec<ParsedEntry> = entries
        .into_iter()
        .map(|entry| {
            let ShownEntry { category, content, time: at, files, commits, state, .. } = entry;
            let files = files.iter().map(|file| String::from_utf8_lossy(&decode_path(file)).into_owned()).collect();
            ParsedEntry { category, content, at, line: 1, line_id: None, files, commits, state }
        })
        .collect();
    let text = as_markdown(&session.data.as_head(), &entries);
    if output.json {
        #[derive(Serialize)]
        struct ExportJson {
            session: String,
            markdown: String,
        }
        return output.print_json(&ExportJson { session: source_of(&session.data.session), markdown: text });
    }
    let mut page = output.page();
    page.script(&harmless(&text));
    output.print(&page).context("printing the session")
}

/// Escapes the characters that a terminal would act on. Tabs and zero-width joiners are kept, because the export can be
/// imported again.
fn harmless(text: &str) -> String {
    let is_kept = |c: char| matches!(c, '\t' | '\u{200d}');
    let pieces = text.split_inclusive(is_kept).map(|piece| {
        let bare = piece.trim_end_matches(is_kept);
        clean(bare) + &piece[bare.len()..]
    });
    pieces.collect()
}
