//! Complete session records for training and evaluation: the entries, and the commits made in each session.
//!
//! A session that is stored in several files is returned once.

use anyhow::Result;
use rusqlite::Connection;

use super::{SessionCommits, in_session, load_sessions};
use crate::eventlog;
use crate::facts::EntryData;
use crate::git::Repository;

/// A live session with its entries and commits.
#[derive(Debug, Clone)]
pub struct SessionRecord {
    /// The session key, `session:<id>`.
    pub key: String,
    /// The start, in Unix seconds.
    pub started: Option<i64>,
    /// Whether its log is a file in the tree.
    pub is_tracked: bool,
    /// The entries, in order.
    pub entries: Vec<RecordedEntry>,
    /// The commits made in the session, oldest first, in hexadecimal.
    pub commits: Vec<String>,
}

/// An entry of a session record.
#[derive(Debug, Clone)]
pub struct RecordedEntry {
    /// The entry key, `session:<id>/<n>`.
    pub key: String,
    /// The name of the category, such as `decision`.
    pub category: &'static str,
    /// The time, in Unix seconds.
    pub time: Option<i64>,
    /// The text of the entry.
    pub content: String,
    /// The encoded paths of the files that it mentions or touched.
    pub files: Vec<String>,
}

/// Returns every live session of a view, ordered by time.
pub fn load_records(cache: &Connection, repository: &Repository, view: i64) -> Result<Vec<SessionRecord>> {
    let sessions = load_sessions(cache, view)?;
    let joins = SessionCommits::load(cache, view, &sessions)?;
    let mut all = Vec::with_capacity(sessions.len());
    for session in &sessions {
        let told = in_session(cache, view, &session.data.session)?;
        if told.first().is_none_or(|own| own.path != session.said.path) {
            continue;
        }
        let mut entries = Vec::new();
        for said in told.into_iter().filter(|said| said.n > 0) {
            let EntryData { category, time, content, files, .. } = eventlog::event(cache, said.seq)?.entry()?;
            entries.push(RecordedEntry { key: said.key(), category: category.name(), time, content, files });
        }
        all.push(SessionRecord {
            key: session.said.key(),
            started: session.data.head.started,
            is_tracked: session.said.path.is_some(),
            entries,
            commits: joins.commits_of(repository, &session.data),
        });
    }
    Ok(all)
}
