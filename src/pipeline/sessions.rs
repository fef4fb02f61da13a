//! Sessions that are in no tree: from transcripts into the log, and from the log into the view that everybody shares.
//! Refuses a transcript that nobody consented to, and to take anything twice.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rusqlite::Connection;
use serde::Serialize;

use super::{Context, copies, transcripts};
use crate::entries;
use crate::event::{Fact, Origin, Seq, hex};
use crate::eventlog::Eventlog;
use crate::facts::{
    Body, EntryData, EntryFact, NOTES, SESSION_READ, SessionData, entry_fact, session_fact, session_facts,
    session_version, source_of,
};
use crate::redact::{PrivacyFilter, redact, redact_source};
use crate::sessions::{Category, ParsedSession, TranscriptOptions, markdown};
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
    let moved = view::move_files(cache, view::SESSION_VIEW, &moves)?;
    store::set_meta(cache, UPTO, &last.to_string())?;
    Ok(moved)
}

/// What is live of a session: its fullest reading by the newest version that read it, and every entry in the order in which
/// they were taken in; of older versions those from before and after what the newer ones read. So nothing of a transcript
/// is lost when it is cut short or gone, and nothing is there twice.
fn live(log: &Eventlog, source: &str) -> Result<(Vec<EntryFact>, Vec<Seq>)> {
    let mut heads: Vec<(Seq, SessionData)> = Vec::new();
    let mut entries: Vec<(Seq, EntryData)> = Vec::new();
    log.each_of_session(source, |seq, event_type, data| {
        // What was forgotten has no body, and what another version wrote may have one that this version cannot read.
        match Body::decode(event_type, data).ok().flatten() {
            Some(Body::SessionRead(data)) if !data.session.is_empty() => heads.push((seq, data)),
            Some(Body::Entry(data)) => entries.push((seq, data)),
            _ => {}
        }
        Ok(())
    })?;
    // By age: when one version was last heard of tells it from another with other settings.
    let mut versions: Vec<((u32, u32), Seq, String)> = Vec::new();
    let said = heads.iter().map(|(seq, data)| (seq, &data.version));
    for (seq, version) in said.chain(entries.iter().map(|(seq, data)| (seq, &data.version))) {
        match versions.iter_mut().find(|(_, _, known)| known == version) {
            Some((_, last, _)) => *last = (*last).max(*seq),
            None => versions.push((rank(version), *seq, version.clone())),
        }
    }
    versions.sort();
    let mut read: Option<Span> = None;
    let mut kept = Vec::new();
    for (_, _, version) in versions.iter().rev() {
        let of_version = entries.iter().filter(|(_, data)| data.version == *version);
        let is_new =
            |time: Option<i64>| read.as_ref().is_none_or(|read| time.is_some_and(|time| !read.contains(&time)));
        kept.extend(of_version.filter(|(_, data)| version == BY_HAND || is_new(data.time)).cloned());
        for (_, data) in heads.iter().filter(|(_, data)| data.version == *version && version != BY_HAND) {
            let (start, end) = (data.head.started.unwrap_or(i64::MIN), data.head.ended.unwrap_or(i64::MAX));
            let (first, last) = read.take().map_or((start, end), Span::into_inner);
            read = Some(first.min(start)..=last.max(end));
        }
    }
    kept.sort_by_key(|(seq, _)| *seq);
    let entries = kept;
    let (mut facts, mut seqs) = (Vec::new(), Vec::new());
    let mut newest = versions.iter().rev().map(|(_, _, version)| version);
    let newest = newest.find(|version| heads.iter().any(|(_, data)| data.version == **version)).cloned();
    heads.retain(|(_, data)| Some(&data.version) == newest.as_ref());
    if let Some((seq, data)) = heads.into_iter().max_by_key(|(seq, data)| (data.entries, data.head.ended, *seq)) {
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

/// From the first to the last moment that a version read.
type Span = std::ops::RangeInclusive<i64>;

/// Versions in their order: that of the reader, then that of the redaction.
fn rank(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// Version of what was written by hand: it is never read again, so nothing takes its place.
const BY_HAND: &str = "hand";

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
    // Else the next forgetting, of whatever it is, would take the new notes along.
    super::forget::take_up_again(context.workspace, NOTES)?;
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
        // One that was forgotten does not come back: this is another.
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

/// Takes in files that a person names, whatever folder they are in, and makes them live. Gives what was taken in, and why
/// the others were refused.
///
/// # Errors
/// For whatever no file is to blame for.
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
    super::catch_up(context, super::Depth::New)?;
    Ok((taken, refused))
}

/// What a file says, in which format, and its hash.
fn handed_in(path: &Path, taking: &TranscriptOptions) -> Result<(Vec<ParsedSession>, &'static str, String)> {
    if let Some(agent) = transcripts::written_by(path)? {
        let (readings, hash) = transcripts::read(agent, path, taking)?;
        return Ok((readings, agent.name(), hash));
    }
    let bytes = std::fs::read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    // The folder tells too whether it is a log.
    let whole = std::path::absolute(path)?;
    let reading = markdown::read(&whole.to_string_lossy(), &redact_source(&text))
        .context("no session in a form that is known")?;
    Ok((vec![reading], "markdown", hex(&blake3::hash(&bytes).as_bytes()[..16])))
}

/// The log, for what a person hands in: what was to be forgotten is known before anything is looked at.
fn open_log(context: &Context<'_>) -> Result<Eventlog> {
    super::forget::recall_forgotten(context.workspace)?;
    Eventlog::open(&context.workspace.eventlog_path(), context.workspace.wal)
}

/// What of this machine and its people is left out of what exists nowhere else.
pub(super) fn private(context: &Context<'_>) -> PrivacyFilter {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|_| context.config.hides_home);
    PrivacyFilter::new(home.as_deref(), &context.config.hidden_users)
}

/// Appends what a reading gives: entries first, so that whatever says that it was read has all that it found.
pub(super) fn append(
    log: &mut Eventlog,
    mut reading: ParsedSession,
    format: &str,
    hash: &str,
    private: &PrivacyFilter,
) -> Result<Imported> {
    let hide = |text: &mut String| *text = private.hide(text).into_owned();
    hide(&mut reading.head.title);
    reading.head.branch.iter_mut().chain(&mut reading.head.branches).for_each(hide);
    for entry in &mut reading.entries {
        hide(&mut entry.content);
        entry.files.iter_mut().for_each(hide);
    }
    let mut version = session_version();
    let settings = private.fingerprint();
    if !settings.is_empty() {
        version = format!("{version}.{settings}");
    }
    let says_more = copies::leave_out(log, &mut reading, &version)?;
    let facts = session_facts(&reading, None, format, hash, &version);
    if facts.is_empty() || !says_more {
        return Ok(Imported { id: reading.head.id, entries: 0, new: 0 });
    }
    let entries: Vec<&Fact> = facts[1..].iter().chain(&facts[..1]).map(|fact| &fact.fact).collect();
    let appended = log.append(entries)?;
    let before = log.last_seq()? - appended.new as Seq;
    let new = appended.seqs[..facts.len() - 1].iter().filter(|seq| **seq > before).count();
    Ok(Imported { id: reading.head.id, entries: facts.len() as u64 - 1, new: new as u64 })
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
