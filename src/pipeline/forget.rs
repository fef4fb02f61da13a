//! Forgetting: what a person names goes from the log, and everything that is made of the log is made again without it. A
//! keyed list keeps it from being taken in again. Refuses to say that it is gone while it still stands somewhere.

use std::collections::{BTreeSet, HashSet};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::{Context, Depth, Report};
use crate::event::{Fact, Origin, Seq, encode_path};
use crate::eventlog::Eventlog;
use crate::facts::{Body, SessionData, session_fact, source_of};
use crate::fail;
use crate::redact::{self, ForgottenList, ForgottenMatcher};
use crate::workspace::{Workspace, write_atomically};

/// What is to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forget {
    /// Every place that says one of these texts.
    Texts(Vec<String>),
    /// A session, by its id.
    Session(String),
}

impl Forget {
    fn put_on(&self, list: &mut ForgottenList) {
        match self {
            Forget::Texts(texts) => texts.iter().for_each(|text| list.add_text(text)),
            Forget::Session(id) => list.add_session(id),
        }
    }
}

/// One event that will go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doomed {
    /// Its position.
    pub seq: Seq,
    /// Its type.
    pub event_type: String,
    /// Where it came from: what git shows is read again without the text, anything else is gone for ever.
    pub from_git: bool,
    /// Where it was read.
    pub source: String,
    /// What it says of a session that exists nowhere else.
    session: Option<SessionData>,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    /// Events whose body is gone.
    pub events: u64,
    /// Events of commits and files that were read again without the text.
    pub read_again: u64,
}

/// The events that hold what is to be forgotten.
pub fn would_go(log: &Path, what: &Forget) -> Result<Vec<Doomed>> {
    let mut list = ForgottenList::new(chance()?);
    what.put_on(&mut list);
    doomed(log, &list.into_matcher())
}

/// Whether a session is called so: one that the log knows, or one that was forgotten.
pub fn is_session(workspace: &Workspace, id: &str) -> Result<bool> {
    if read_list(workspace)?.is_some_and(|list| list.holds_session(id)) {
        return Ok(true);
    }
    Ok(!would_go(&workspace.eventlog_path(), &Forget::Session(id.to_string()))?.is_empty())
}

/// The ids of sessions in the log that begin so, sorted.
pub fn sessions_beginning(log: &Path, prefix: &str) -> Result<Vec<String>> {
    let mut found = BTreeSet::new();
    Eventlog::each(log, |_, event_type, _, _, data| {
        if let Some(Body::SessionRead(head)) = Body::decode(event_type, data).ok().flatten() {
            found.extend(Some(head.session).filter(|id| !id.is_empty() && id.starts_with(prefix)));
        }
        Ok(())
    })?;
    Ok(found.into_iter().collect())
}

/// The events that hold what is on a list.
fn doomed(log: &Path, list: &ForgottenMatcher) -> Result<Vec<Doomed>> {
    let mut all = Vec::new();
    let mut logs = HashSet::new();
    Eventlog::each(log, |seq, event_type, origin, source, data| {
        let body = match Body::decode(event_type, data) {
            Ok(Some(body)) => Some(body),
            Ok(None) => return Ok(()),
            // Which fields hold text is not known: all of it is looked at.
            Err(_) => None,
        };
        let is_of_session = body.as_ref().and_then(Body::session).is_some_and(|id| list.holds_session(id));
        let from_git = matches!(origin, "git" | "code");
        if is_of_session && from_git {
            logs.insert(source.to_string());
        }
        let mut texts = body.as_ref().map_or_else(|| vec![data], Body::written_texts);
        // A file is called by its path, which stays.
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
        // The file of a session says all that its entries do.
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

/// Every text of a log that a pattern matches, each once.
pub fn matches_of(log: &Path, pattern: &regex::Regex) -> Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    Eventlog::each(log, |_, event_type, _, _, data| {
        let body = Body::decode(event_type, data).ok().flatten();
        let texts = body.as_ref().map(Body::written_texts).unwrap_or_default();
        for text in texts.iter().flat_map(|text| pattern.find_iter(text)).map(|one| one.as_str()) {
            if !text.is_empty() && !found.iter().any(|known| known == text) {
                found.push(text.to_string());
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// Puts the list of what was forgotten in force for this process.
pub fn recall_forgotten(workspace: &Workspace) -> Result<()> {
    redact::set_forgotten(read_list(workspace)?.unwrap_or_default());
    Ok(())
}

/// Whether something was forgotten since the list was put in force: what was read until then may say it.
pub fn is_outdated(workspace: &Workspace) -> Result<bool> {
    Ok(!redact::is_active(&read_list(workspace)?.unwrap_or_default()))
}

fn read_list(workspace: &Workspace) -> Result<Option<ForgottenList>> {
    match std::fs::read(workspace.forgotten_path()) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).context("reading the list of what was forgotten")?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context("reading the list of what was forgotten"),
    }
}

/// Forgets. From when it is on the list, whoever brings the caches up to date goes on with it.
pub fn forget(context: &Context<'_>, what: &Forget) -> Result<Report> {
    let mut list = match read_list(context.workspace)? {
        Some(list) => list,
        None => ForgottenList::new(chance()?),
    };
    what.put_on(&mut list);
    list.is_erasing = true;
    write_list(context.workspace, &list)?;
    fail::point("list of the forgotten kept")?;
    super::catch_up(context, Depth::New)
}

/// Puts the list in force, and erases what is on it if that has been begun and not ended. The caches go first: what they say
/// of events that are gone would be wrong, and without them everything is made again from the log.
pub(super) fn go_on(workspace: &Workspace) -> Result<Option<Erased>> {
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
    // A session whose title said it is still there.
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

/// Everything is made again: there is nothing left to go on with.
pub(super) fn ended(workspace: &Workspace) -> Result<()> {
    let Some(mut list) = read_list(workspace)? else { return Ok(()) };
    list.is_erasing = false;
    write_list(workspace, &list)
}

/// Takes a session off the list of what was forgotten, because a person goes on with it.
pub(super) fn take_up_again(workspace: &Workspace, session: &str) -> Result<()> {
    let Some(mut list) = read_list(workspace)? else { return Ok(()) };
    if list.remove_session(session) { write_list(workspace, &list) } else { Ok(()) }
}

fn write_list(workspace: &Workspace, list: &ForgottenList) -> Result<()> {
    write_atomically(&workspace.forgotten_path(), &serde_json::to_vec(list)?)
}

fn chance() -> Result<[u8; 32]> {
    let mut key = [0; 32];
    let mut file = std::fs::File::open("/dev/urandom").context("opening /dev/urandom")?;
    file.read_exact(&mut key).context("reading /dev/urandom")?;
    Ok(key)
}

/// Removes every cache but the embeddings, which hold no text, the traces, and damaged logs that were kept.
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

/// How much of a file is looked at at a time.
const PIECE: usize = 1 << 20;

/// The files below the state folder that hold one of the texts, as it is or as it is written in JSON and in keys.
pub fn still_holding(workspace: &Workspace, texts: &[String]) -> Result<Vec<PathBuf>> {
    let mut forms: Vec<Vec<u8>> = Vec::new();
    for text in texts {
        let written = serde_json::to_string(text).expect("a string has a JSON form");
        let encoded = encode_path(text.as_bytes()).into_bytes();
        forms.extend([text.as_bytes().to_vec(), written.as_bytes()[1..written.len() - 1].to_vec(), encoded]);
    }
    let Some(longest) = forms.iter().map(Vec::len).max() else { return Ok(Vec::new()) };
    let pattern: Vec<String> = forms.iter().map(|form| regex::escape(&String::from_utf8_lossy(form))).collect();
    // No limit but that of memory: there may be thousands.
    let pattern = regex::bytes::RegexBuilder::new(&pattern.join("|")).size_limit(usize::MAX).build()?;
    let (mut found, mut seen, mut folders) = (Vec::new(), HashSet::new(), vec![workspace.dir.clone()]);
    while let Some(folder) = folders.pop() {
        // A link may lead to a folder on another disk, and back.
        if !seen.insert(std::fs::canonicalize(&folder)?) {
            continue;
        }
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let looked = match std::fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => {
                    folders.push(path.clone());
                    Ok(false)
                }
                Ok(_) => is_said_in(&path, &pattern, longest),
                Err(error) => Err(error),
            };
            match looked {
                Ok(true) => found.push(path),
                // Others write here too.
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("reading {}", path.display()));
                }
                _ => {}
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_said_in(path: &Path, pattern: &regex::bytes::Regex, longest: usize) -> std::io::Result<bool> {
    let mut file = std::fs::File::open(path)?;
    let mut piece = Vec::new();
    loop {
        let new = (&mut file).take(PIECE as u64).read_to_end(&mut piece)?;
        if pattern.is_match(&piece) {
            return Ok(true);
        }
        if new == 0 {
            return Ok(false);
        }
        // One may begin at the end of a piece.
        piece.drain(..piece.len().saturating_sub(longest - 1));
    }
}
