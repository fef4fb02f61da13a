//! Sessions that are in no tree: from transcripts into the log, and from the log into the view that everybody shares.
//! Refuses a transcript that nobody consented to, and to take anything twice.

use std::path::PathBuf;

use anyhow::Result;
use rusqlite::Connection;
use serde::Serialize;

use super::{Context, transcripts};
use crate::derive::{
    EntryData, EntryFact, SESSION_READ, SessionData, entry_fact, session_fact, session_facts, source_of,
};
use crate::entries;
use crate::error::{Exit, UserError};
use crate::event::{Fact, Origin, Seq, hex};
use crate::eventlog::Eventlog;
use crate::redact::{Private, redact, redact_source};
use crate::sessions::{Category, Reading, markdown};
use crate::store;
use crate::view;
use crate::workspace::Workspace;

/// What the cache remembers the last position by whose session facts are in the shared view.
const UPTO: &str = "sessions_upto";

/// Moves the sessions that the log says something new of. Returns the parses that came and those that left.
pub fn update(log: &Eventlog, cache: &Connection) -> Result<(Vec<i64>, Vec<i64>)> {
    let upto = store::meta(cache, UPTO)?.and_then(|text| text.parse().ok()).unwrap_or(0);
    let last = log.last_seq()?;
    if upto >= last {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut moves = Vec::new();
    for source in log.sessions_after(upto)? {
        let (facts, seqs) = live(log, &source)?;
        let session = facts.first().map_or(String::new(), |fact| fact.session.clone());
        if facts.is_empty() {
            moves.push((source, None));
        } else {
            let (path, parse) = entries::put_session(cache, &session, &facts, &seqs)?;
            moves.push((path, Some(parse)));
        }
    }
    let moved = view::move_files(cache, view::SHARED, &moves)?;
    store::set_meta(cache, UPTO, &last.to_string())?;
    Ok(moved)
}

/// What is live of a session: of the newest version that read it, its last reading and every entry, in the order in which
/// they were taken in. Nothing of a transcript is lost when it is cut short or gone.
fn live(log: &Eventlog, source: &str) -> Result<(Vec<EntryFact>, Vec<Seq>)> {
    let mut heads: Vec<(Seq, SessionData)> = Vec::new();
    let mut entries: Vec<(Seq, EntryData)> = Vec::new();
    log.each_of_session(source, |seq, event_type, data| {
        // What was forgotten has no body any more.
        if event_type == SESSION_READ {
            let head = serde_json::from_str(data).ok().filter(|head: &SessionData| !head.session.is_empty());
            heads.extend(head.map(|data| (seq, data)));
        } else {
            entries.extend(serde_json::from_str(data).ok().map(|data| (seq, data)));
        }
        Ok(())
    })?;
    let newest = heads.iter().map(|(_, data)| data).map(|data| rank(&data.version)).max();
    let newest = newest.max(entries.iter().map(|(_, data)| rank(&data.version)).max());
    heads.retain(|(_, data)| Some(rank(&data.version)) == newest);
    entries.retain(|(_, data)| Some(rank(&data.version)) == newest);
    let (mut facts, mut seqs) = (Vec::new(), Vec::new());
    if let Some((seq, data)) = heads.pop() {
        facts.push(session_fact(&data, source, Origin::Session));
        seqs.push(seq);
    }
    for (n, (seq, data)) in entries.iter().enumerate() {
        let mut fact = entry_fact(data, source, Origin::Session);
        fact.n = n as u32 + 1;
        facts.push(fact);
        seqs.push(*seq);
    }
    Ok((facts, seqs))
}

/// Versions in their order: that of the reader, then that of the redaction.
fn rank(version: &str) -> (u32, u32) {
    let (reader, redaction) = version.split_once('.').unwrap_or((version, ""));
    (reader.parse().unwrap_or(0), redaction.parse().unwrap_or(0))
}

/// Version of what was written by hand: it is never read again, so nothing takes its place.
const BY_HAND: &str = "hand";
/// The session that holds what was written by hand.
const NOTES: &str = "notes";

/// What was written down.
pub struct Noted {
    /// `session:notes/<n>`.
    pub key: String,
    /// As it was kept.
    pub content: String,
}

/// Keeps an entry that a person wrote by hand at a moment, Unix seconds, and makes it live. `files` are encoded paths.
pub fn note(context: &Context<'_>, category: Category, text: &str, files: &[String], time: i64) -> Result<Noted> {
    let source = source_of(NOTES);
    let mut log = Eventlog::open(&context.workspace.eventlog_path(), context.workspace.wal)?;
    let (content, mut occurrence) = (redact(&private(context).hide(text)).into_owned(), 0);
    log.each_of_session(&source, |_, _, data| {
        let same = serde_json::from_str::<EntryData>(data).ok();
        let same = same.filter(|one| (one.category, &one.content, one.time) == (category, &content, Some(time)));
        occurrence += u32::from(same.is_some());
        Ok(())
    })?;
    let head = SessionData {
        session: NOTES.to_string(),
        format: "hand".to_string(),
        title: "notes by hand".to_string(),
        version: BY_HAND.to_string(),
        ..SessionData::default()
    };
    let entry = EntryData {
        session: NOTES.to_string(),
        category,
        content,
        time: Some(time),
        files: files.to_vec(),
        commits: Vec::new(),
        state: None,
        occurrence,
        version: BY_HAND.to_string(),
    };
    let facts = [session_fact(&head, &source, Origin::Session).fact, entry_fact(&entry, &source, Origin::Session).fact];
    log.append(&facts)?;
    let n = live(&log, &source)?.0.iter().map(|fact| fact.n).max().unwrap_or_default();
    log.close()?;
    super::catch_up(context, super::Depth::New)?;
    Ok(Noted { key: format!("{source}/{n}"), content: entry.content })
}

/// What was taken in of a file.
#[derive(Debug, Serialize)]
pub struct Imported {
    /// The session's id.
    pub id: String,
    /// Entries that it has.
    pub entries: u64,
    /// Those that the log did not know.
    pub new: u64,
}

/// Takes in files that a person names, whatever folder they are in, and makes them live.
///
/// # Errors
/// A [`UserError`] for a file that cannot be read or is no session; those before it are taken in.
pub fn import_sessions(context: &Context<'_>, paths: &[PathBuf], prompts: bool) -> Result<Vec<Imported>> {
    let (mut taken, tops, private) = (Vec::new(), transcripts::tops(context.repository)?, private(context));
    let mut log = Eventlog::open(&context.workspace.eventlog_path(), context.workspace.wal)?;
    for path in paths {
        let no = |why: &str| {
            UserError::new(Exit::Failed, format!("{}: {why}", path.display()))
                .hint("it takes Markdown session logs, and transcripts of Claude Code and Codex")
        };
        let unreadable = |error: anyhow::Error| no(&format!("{error:#}"));
        if let Some(agent) = transcripts::written_by(path).map_err(unreadable)? {
            let read = transcripts::read(agent, path, prompts, &tops).map_err(unreadable)?;
            taken.push(append(&mut log, read.reading, agent.name(), &read.hash, &private)?);
            continue;
        }
        let bytes = std::fs::read(path).map_err(|error| no(&error.to_string()))?;
        let text = String::from_utf8_lossy(&bytes);
        let reading = markdown::read(&path.to_string_lossy(), &redact_source(&text))
            .ok_or_else(|| no("no session in a form that is known"))?;
        let hash = hex(&blake3::hash(&bytes).as_bytes()[..16]);
        taken.push(append(&mut log, reading, "markdown", &hash, &private)?);
    }
    log.close()?;
    super::catch_up(context, super::Depth::New)?;
    Ok(taken)
}

/// What of this machine and its people is left out of what exists nowhere else.
pub(super) fn private(context: &Context<'_>) -> Private {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|_| context.config.hides_home);
    Private::new(home.as_deref(), &context.config.hidden_users)
}

/// Appends what a reading gives: entries first, so that whatever says that it was read has all that it found.
pub(super) fn append(
    log: &mut Eventlog,
    mut reading: Reading,
    format: &str,
    hash: &str,
    private: &Private,
) -> Result<Imported> {
    let hide = |text: &mut String| *text = private.hide(text).into_owned();
    hide(&mut reading.head.title);
    for entry in &mut reading.entries {
        hide(&mut entry.content);
        entry.files.iter_mut().for_each(hide);
    }
    let reading = &reading;
    let facts = session_facts(reading, None, format, hash);
    if facts.is_empty() {
        return Ok(Imported { id: reading.head.id.clone(), entries: 0, new: 0 });
    }
    let entries: Vec<&Fact> = facts[1..].iter().chain(&facts[..1]).map(|fact| &fact.fact).collect();
    let appended = log.append(entries)?;
    let before = log.last_seq()? - appended.new as Seq;
    let new = appended.seqs[..facts.len() - 1].iter().filter(|seq| **seq > before).count();
    Ok(Imported { id: reading.head.id.clone(), entries: facts.len() as u64 - 1, new: new as u64 })
}

/// Copies the facts of sessions that are in no tree from one log to another, in their order.
pub fn replay_sessions(from: &Workspace, to: &Workspace) -> Result<()> {
    let path = from.eventlog_path();
    if !path.exists() {
        return Ok(());
    }
    let mut facts = Vec::new();
    Eventlog::each_fact(&path, Origin::Session, |fact| {
        facts.push(fact);
        Ok(())
    })?;
    let mut log = Eventlog::open(&to.eventlog_path(), to.wal)?;
    log.append(&facts)?;
    log.close()
}
