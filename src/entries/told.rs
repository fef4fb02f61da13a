//! Every session with what it said and which commits were made in it: what is learned from and measured on. Refuses to
//! tell a session twice that stands in several files.

use anyhow::Result;
use rusqlite::Connection;

use super::{Joins, in_session, load};
use crate::eventlog;
use crate::facts::EntryData;
use crate::git::Repository;

/// A live session.
#[derive(Debug, Clone)]
pub struct Told {
    /// `session:<id>`.
    pub key: String,
    /// When it began, Unix seconds.
    pub started: Option<i64>,
    /// Whether its log is a file of the tree.
    pub is_tracked: bool,
    /// In their order.
    pub entries: Vec<ToldEntry>,
    /// Commits that were made in it, the oldest first, in hexadecimal.
    pub commits: Vec<String>,
}

/// One entry.
#[derive(Debug, Clone)]
pub struct ToldEntry {
    /// `session:<id>/<n>`.
    pub key: String,
    /// `decision`, ...
    pub category: &'static str,
    /// Unix seconds.
    pub time: Option<i64>,
    /// What was said.
    pub content: String,
    /// Files it names or touched, encoded.
    pub files: Vec<String>,
}

/// Every live session of a view, by time.
pub fn told(cache: &Connection, repository: &Repository, view: i64) -> Result<Vec<Told>> {
    let sessions = load(cache, view)?;
    let joins = Joins::load(cache, view, &sessions)?;
    let mut all = Vec::with_capacity(sessions.len());
    for session in &sessions {
        let told = in_session(cache, view, &session.data.session)?;
        if told.first().is_none_or(|own| own.path != session.said.path) {
            continue;
        }
        let mut entries = Vec::new();
        for said in told.into_iter().filter(|said| said.n > 0) {
            let EntryData { category, time, content, files, .. } = eventlog::event(cache, said.seq)?.entry()?;
            entries.push(ToldEntry { key: said.key(), category: category.name(), time, content, files });
        }
        all.push(Told {
            key: session.said.key(),
            started: session.data.head.started,
            is_tracked: session.said.path.is_some(),
            entries,
            commits: joins.of(repository, &session.data),
        });
    }
    Ok(all)
}
