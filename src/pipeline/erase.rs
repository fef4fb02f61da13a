//! Erases everything on the list of forgotten texts from the log, and drops the caches, so that they are rebuilt
//! without it. Resumable: the list records that erasing has begun.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::event::{Fact, Origin, Seq};
use crate::eventlog::Eventlog;
use crate::facts::{Body, SessionData, session_fact, source_of};
use crate::fail;
use crate::redact::{self, ForgottenList, ForgottenMatcher};
use crate::workspace::{Workspace, write_atomically};

/// An event that will be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doomed {
    /// The position of the event.
    pub seq: Seq,
    /// The type of the event.
    pub event_type: String,
    /// Whether it came from git. Such facts are read again without the text; all others are gone for good.
    pub from_git: bool,
    /// The file or session that it was read from.
    pub source: String,
    /// The data of a session that exists only in the log.
    session: Option<SessionData>,
}

/// How much was erased.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    /// The number of events whose body is gone.
    pub events: u64,
    /// The number of events of commits and files that are read again without the text.
    pub read_again: u64,
}

/// Returns the events that contain something on the list.
pub fn doomed(log: &Path, list: &ForgottenMatcher) -> Result<Vec<Doomed>> {
    let mut all = Vec::new();
    let mut logs = HashSet::new();
    Eventlog::each(log, |seq, event_type, origin, source, data| {
        let body = match Body::decode(event_type, data) {
            Ok(Some(body)) => Some(body),
            Ok(None) => return Ok(()),
            // The fields of an unknown event type are not known, so all of it is searched.
            Err(_) => None,
        };
        let is_of_session = body.as_ref().and_then(Body::session).is_some_and(|id| list.holds_session(id));
        let from_git = matches!(origin, "git" | "code");
        if is_of_session && from_git {
            logs.insert(source.to_string());
        }
        let mut texts = body.as_ref().map_or_else(|| vec![data], Body::written_texts);
        // A file's name is a part of its path, which is not erased.
        if let Some(path) = body.as_ref().and_then(Body::file_path) {
            texts.retain(|text| !path.ends_with(text));
        }
        if is_of_session || texts.iter().any(|text| list.holds(text)) {
            let session = match body {
                Some(Body::SessionRead(head)) if !from_git && !is_of_session => Some(head),
                _ => None,
            };
            all.push(Doomed { seq, event_type: event_type.to_string(), from_git, source: source.to_string(), session });
        }
        Ok(())
    })?;
    if !logs.is_empty() {
        // The file that a session log is in has facts with the same text as its entries.
        Eventlog::each(log, |seq, event_type, origin, source, _| {
            let is_new = !all.iter().any(|one| one.seq == seq);
            if origin == "code" && event_type.starts_with("code.") && logs.contains(source) && is_new {
                let (event_type, source) = (event_type.to_string(), source.to_string());
                all.push(Doomed { seq, event_type, from_git: true, source, session: None });
            }
            Ok(())
        })?;
    }
    Ok(all)
}

/// Applies the list of forgotten texts to everything that this process reads from now on.
pub fn recall_forgotten(workspace: &Workspace) -> Result<()> {
    redact::set_forgotten(read_list(workspace)?.unwrap_or_default());
    Ok(())
}

/// Returns whether the list has grown since this process applied it. If so, what was read in between may contain the
/// added texts.
pub fn is_outdated(workspace: &Workspace) -> Result<bool> {
    Ok(!redact::is_active(&read_list(workspace)?.unwrap_or_default()))
}

/// Reads the list; `None` if nothing was ever forgotten.
pub fn read_list(workspace: &Workspace) -> Result<Option<ForgottenList>> {
    match std::fs::read(workspace.forgotten_path()) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).context("reading the list of what was forgotten")?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context("reading the list of what was forgotten"),
    }
}

/// Applies the list, and erases everything on it if an erasure has begun and not ended.
///
/// The caches go first, because their rows about erased events would be wrong. They are then rebuilt from the log.
pub fn go_on(workspace: &Workspace) -> Result<Option<Erased>> {
    let list = read_list(workspace)?.unwrap_or_default();
    redact::set_forgotten(list.clone());
    let path = workspace.eventlog_path();
    if !list.is_erasing || !path.exists() {
        return Ok(None);
    }
    workspace.drop_cache()?;
    clear(workspace)?;
    fail::point("caches emptied of the forgotten")?;
    let doomed = doomed(&path, &list.into_matcher())?;
    let mut log = Eventlog::open(&path, workspace.wal)?;
    let (again, gone): (Vec<&Doomed>, Vec<&Doomed>) = doomed.iter().partition(|one| one.from_git);
    let seqs = |all: &[&Doomed]| all.iter().map(|one| one.seq).collect::<Vec<Seq>>();
    // A session is kept when only its title contained the text.
    let heads = gone.iter().filter_map(|one| one.session.as_ref()).map(SessionData::stored);
    let heads = heads.filter(|head| !redact::is_session_forgotten(&head.session));
    let heads: Vec<Fact> =
        heads.map(|head| session_fact(&head, &source_of(&head.session), Origin::Session).fact).collect();
    log.append(&heads)?;
    log.erase(&seqs(&gone))?;
    fail::point("events erased")?;
    log.drop_derivable(&seqs(&again))?;
    log.vacuum()?;
    log.close()?;
    fail::point("log emptied of the forgotten")?;
    Ok(Some(Erased { events: gone.len() as u64, read_again: again.len() as u64 }))
}

/// Records that erasing is complete and everything has been rebuilt.
pub fn ended(workspace: &Workspace) -> Result<()> {
    let Some(mut list) = read_list(workspace)? else { return Ok(()) };
    list.is_erasing = false;
    write_list(workspace, &list)
}

/// Removes a session from the list, because the user continues it.
pub fn take_up_again(workspace: &Workspace, session: &str) -> Result<()> {
    let Some(mut list) = read_list(workspace)? else { return Ok(()) };
    if list.remove_session(session) { write_list(workspace, &list) } else { Ok(()) }
}

/// Writes the list.
pub fn write_list(workspace: &Workspace, list: &ForgottenList) -> Result<()> {
    write_atomically(&workspace.forgotten_path(), &serde_json::to_vec(list)?)
}

/// Removes all caches except the embeddings, which contain no text; and also traces and copies of damaged logs.
fn clear(workspace: &Workspace) -> Result<()> {
    let embeddings = workspace.embeddings_path();
    let keep = embeddings.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    for entry in std::fs::read_dir(workspace.cache_dir())? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&keep) {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => std::fs::remove_dir_all(entry.path())?,
            false => std::fs::remove_file(entry.path())?,
        }
    }
    for entry in std::fs::read_dir(&workspace.dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_trace = name.starts_with("patina.log") || name == "last_error";
        if is_trace || name.contains(".damaged-") || name.starts_with("eventlog.salvaged") {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
