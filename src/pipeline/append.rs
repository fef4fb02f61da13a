//! Appends a parsed session to the log, without private names and without entries copied from another session.

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use super::context::Context;
use super::copies;
use crate::event::{Fact, Seq};
use crate::eventlog::Eventlog;
use crate::facts::{session_facts, session_version};
use crate::redact::PrivacyFilter;
use crate::sessions::ParsedSession;

/// How much of one session was imported.
#[derive(Debug, Serialize)]
pub struct Imported {
    /// The id of the session.
    pub id: String,
    /// The number of its entries.
    pub entries: u64,
    /// The number of entries that the log did not have.
    pub new: u64,
}

/// Returns the filter that hides the home directory and the configured user names in sessions outside the tree.
pub fn private(context: &Context<'_>) -> PrivacyFilter {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|_| context.config.hides_home);
    PrivacyFilter::new(home.as_deref(), &context.config.hidden_users)
}

/// Appends the facts of a parsed session.
///
/// Entries are appended before the `session.read` event, so that every session with that event is complete.
pub fn append(
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
