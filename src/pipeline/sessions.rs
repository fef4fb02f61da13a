//! Notes, imported session files, and copying the sessions of one log to another.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::append::{Imported, append, private};
use super::catch_up::{Depth, catch_up};
use super::context::Context;
use super::session_view::{BY_HAND, live};
use super::{erase, transcripts};
use crate::event::{Fact, Origin, hex};
use crate::eventlog::Eventlog;
use crate::facts::{Body, EntryData, NOTES, SESSION_READ, SessionData, entry_fact, session_fact, source_of};
use crate::redact::{redact, redact_source};
use crate::sessions::{Category, ParsedSession, TranscriptOptions, markdown};
use crate::workspace::Workspace;

/// A note that was stored.
pub struct Noted {
    /// Its key, `session:notes/<n>`.
    pub key: String,
    /// Its text, as it was stored.
    pub content: String,
}

/// Stores a note that the user wrote at `time`, in Unix seconds, and makes it live. `files` are encoded paths.
pub fn note(context: &Context<'_>, category: Category, text: &str, files: &[String], time: i64) -> Result<Noted> {
    let source = source_of(NOTES);
    // If the session of notes is on the list of forgotten sessions, the next erasure would erase this note too.
    erase::take_up_again(context.workspace, NOTES)?;
    let mut log = open_log(context)?;
    let (content, mut occurrence) = (redact(&private(context).hide(text)).into_owned(), 0);
    let (mut has_head, mut heads) = (false, 0);
    log.each_of_session(&source, |_, event_type, data| {
        heads += u32::from(event_type == SESSION_READ);
        match Body::decode(event_type, data).ok().flatten() {
            Some(Body::SessionRead(head)) => has_head |= !head.session.is_empty(),
            Some(Body::Entry(one)) => {
                let is_same = (one.category, &one.content, one.time) == (category, &content, Some(time));
                occurrence += u32::from(is_same);
            }
            _ => {}
        }
        Ok(())
    })?;
    let head = SessionData {
        session: NOTES.to_string(),
        format: "hand".to_string(),
        title: "notes by hand".to_string(),
        // After an erasure, the session must differ from the erased one.
        hash: heads.to_string(),
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
        line_id: None,
        occurrence,
        version: BY_HAND.to_string(),
    };
    let head = (!has_head).then(|| session_fact(&head, &source, Origin::Session).fact);
    let facts: Vec<Fact> = head.into_iter().chain([entry_fact(&entry, &source, Origin::Session).fact]).collect();
    log.append(&facts)?;
    let n = live(&log, &source)?.0.iter().map(|fact| fact.n).max().unwrap_or_default();
    log.close()?;
    catch_up(context, Depth::New)?;
    Ok(Noted { key: format!("{source}/{n}"), content: entry.content })
}

/// Imports the session files that the user names, from any folder, and makes them live. Returns what was imported, and
/// why other files were rejected.
///
/// # Errors
/// If anything but a single file is at fault.
pub fn import_sessions(
    context: &Context<'_>,
    paths: &[PathBuf],
    prompts: bool,
) -> Result<(Vec<Imported>, Vec<String>)> {
    let taking = transcripts::taking(&transcripts::tops(context.repository)?, prompts);
    let (mut log, private) = (open_log(context)?, private(context));
    let (mut taken, mut refused) = (Vec::new(), Vec::new());
    for path in paths {
        match handed_in(path, &taking) {
            Ok((readings, format, hash)) => {
                for reading in readings {
                    taken.push(append(&mut log, reading, format, &hash, &private)?);
                }
            }
            Err(why) => refused.push(format!("{}: {why:#}", path.display())),
        }
    }
    log.close()?;
    catch_up(context, Depth::New)?;
    Ok((taken, refused))
}

/// Reads a session file. Returns its readings, its format, and its hash in hexadecimal.
fn handed_in(path: &Path, taking: &TranscriptOptions) -> Result<(Vec<ParsedSession>, &'static str, String)> {
    if let Some(agent) = transcripts::written_by(path)? {
        let (readings, hash) = transcripts::read(agent, path, taking)?;
        return Ok((readings, agent.name(), hash));
    }
    let bytes = std::fs::read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    // Whether a file counts as a session log depends on its folder too.
    let whole = std::path::absolute(path)?;
    let reading = markdown::read(&whole.to_string_lossy(), &redact_source(&text))
        .context("no session in a form that is known")?;
    Ok((vec![reading], "markdown", hex(&blake3::hash(&bytes).as_bytes()[..16])))
}

/// Opens the log, after applying the list of forgotten texts.
fn open_log(context: &Context<'_>) -> Result<Eventlog> {
    erase::recall_forgotten(context.workspace)?;
    Eventlog::open(&context.workspace.eventlog_path(), context.workspace.wal)
}

/// Copies the events of sessions that are in no tree from one log to another, in order.
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
