//! Deduplicates sessions. An agent that continues a session may begin the new transcript with a copy of the old one;
//! entries that the log has from the old session, erased or not, are left out of the new one.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::event::Origin;
use crate::eventlog::Eventlog;
use crate::facts::{Body, entry_facts, session_of, source_of, storable};
use crate::redact;
use crate::sessions::{ParsedEntry, ParsedSession};

/// Removes the entries that a parsed session copies from other sessions, and moves its start to its first own entry.
/// Returns whether it has entries of its own. `version` is the version of the reader.
pub fn leave_out(log: &Eventlog, reading: &mut ParsedSession, version: &str) -> Result<bool> {
    let source = source_of(&storable(&reading.head.id));
    // Facts are matched to entries by number below, so entries that yield no fact have to go first.
    reading.entries.retain(|entry| !redact::contains_forgotten(&entry.content));
    let times = || reading.entries.iter().filter_map(|entry| entry.at);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return Ok(true) };
    // If the first entry is the session's own, the session was imported before.
    if !known(log, &reading.entries[..1], &source, version)?.is_empty() {
        return Ok(true);
    }
    let mut others = Vec::new();
    for other in log.sessions_between(first, last)?.into_iter().filter(|other| *other != source) {
        // Erased `session.read` events have lost their version, so the current version is always tried.
        let mut versions = BTreeSet::from([version.to_string()]);
        log.each_of_session(&other, |_, event_type, data| {
            if let Some(Body::SessionRead(head)) = Body::decode(event_type, data).ok().flatten() {
                versions.insert(head.version);
            }
            Ok(())
        })?;
        others.extend(versions.into_iter().map(|version| (other.clone(), version)));
    }
    let mut is_copy = vec![false; reading.entries.len()];
    while let Some(next) = is_copy.iter().position(|is_copy| !is_copy) {
        let mut found = Vec::new();
        for (other, version) in &others {
            if !known(log, &reading.entries[next..=next], other, version)?.is_empty() {
                found = known(log, &reading.entries, other, version)?;
                break;
            }
        }
        if found.is_empty() {
            break;
        }
        found.into_iter().for_each(|place| is_copy[place] = true);
        is_copy[next] = true;
    }
    if !is_copy.contains(&true) {
        return Ok(true);
    }
    let mut copies = is_copy.into_iter();
    reading.entries.retain(|_| copies.next() == Some(false));
    let starts = reading.entries.iter().filter_map(|entry| entry.at).min();
    reading.head.started = starts.or(reading.head.started);
    Ok(!reading.entries.is_empty())
}

/// Returns the indices of the entries that the log has from a session, as read by a version of the reader.
///
/// Two sessions may contain the same text at the same time, so an entry whose line has no id is never a copy.
fn known(log: &Eventlog, entries: &[ParsedEntry], source: &str, version: &str) -> Result<Vec<usize>> {
    let mut places = Vec::new();
    for fact in entry_facts(entries, &session_of(source), source, Origin::Session, version) {
        let place = fact.n as usize - 1;
        if entries[place].line_id.is_some() && log.holds(&fact.fact.idem)? {
            places.push(place);
        }
    }
    Ok(places)
}
