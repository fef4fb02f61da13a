//! Makes sessions that are in no tree live, in a view that all worktrees share. If a session was read several times,
//! the reading with most entries among those by the newest version of the reader is live.

use anyhow::Result;
use rusqlite::Connection;

use crate::entries;
use crate::event::{Origin, Seq};
use crate::eventlog::Eventlog;
use crate::facts::{Body, EntryData, EntryFact, SessionData, entry_fact, session_fact};
use crate::store;
use crate::view;

/// The key under which the cache stores the position up to which session facts are in the shared view.
const UPTO: &str = "sessions_upto";

/// Updates the sessions that have new events in the log. Returns the parses that became live and those that no longer
/// are.
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

/// Returns the live facts of a session, the session first.
///
/// These are its fullest reading by the newest version, and all entries in the order of the log. Entries of an older
/// version are live only from before and after the time that newer versions have read. So nothing is lost if a
/// transcript is cut short or deleted, and nothing is live twice.
pub fn live(log: &Eventlog, source: &str) -> Result<(Vec<EntryFact>, Vec<Seq>)> {
    let mut heads: Vec<(Seq, SessionData)> = Vec::new();
    let mut entries: Vec<(Seq, EntryData)> = Vec::new();
    log.each_of_session(source, |seq, event_type, data| {
        // Erased events have no body, and the body of another version may be unreadable for this one.
        match Body::decode(event_type, data).ok().flatten() {
            Some(Body::SessionRead(data)) if !data.session.is_empty() => heads.push((seq, data)),
            Some(Body::Entry(data)) => entries.push((seq, data)),
            _ => {}
        }
        Ok(())
    })?;
    // Sorted by age: versions with equal numbers but other settings are ordered by their last event.
    let mut versions: Vec<((u32, u32), Seq, String)> = Vec::new();
    let said = heads.iter().map(|(seq, data)| (seq, &data.version));
    for (seq, version) in said.chain(entries.iter().map(|(seq, data)| (seq, &data.version))) {
        match versions.iter_mut().find(|(_, _, known)| known == version) {
            Some((_, last, _)) => *last = (*last).max(*seq),
            None => versions.push((rank(version), *seq, version.clone())),
        }
    }
    versions.sort();
    let mut read: Option<TimeRange> = None;
    let mut kept = Vec::new();
    for (_, _, version) in versions.iter().rev() {
        let of_version = entries.iter().filter(|(_, data)| data.version == *version);
        let is_new =
            |time: Option<i64>| read.as_ref().is_none_or(|read| time.is_some_and(|time| !read.contains(&time)));
        kept.extend(of_version.filter(|(_, data)| version == BY_HAND || is_new(data.time)).cloned());
        for (_, data) in heads.iter().filter(|(_, data)| data.version == *version && version != BY_HAND) {
            let (start, end) = (data.head.started.unwrap_or(i64::MIN), data.head.ended.unwrap_or(i64::MAX));
            let (first, last) = read.take().map_or((start, end), TimeRange::into_inner);
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

/// The part of a session, as a range of times, that newer versions of the reader have read.
type TimeRange = std::ops::RangeInclusive<i64>;

/// Returns the numbers that order versions: that of the reader, then that of redaction.
fn rank(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// The version of entries recorded by hand. They are never read again, so no newer version replaces them.
pub const BY_HAND: &str = "hand";
