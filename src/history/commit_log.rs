//! Commits as a log: of everything, or of files and folders through exact renames.

use std::collections::BTreeSet;

use anyhow::Result;
use rusqlite::{Connection, named_params};

use super::Lineage;
use crate::event::{Seq, hex};
use crate::sqlite::json_array;

/// Which commits are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitScope {
    /// All that any HEAD reaches, merges among them.
    All,
    /// Those that touched any of these encoded paths, under any name that the files had.
    Paths(Vec<String>),
    /// Those that touched anything that was ever below a folder, or a file that is below it now under an older name.
    Folder {
        /// Its encoded path, without a slash at the end.
        path: String,
        /// Encoded paths of the files that are below it now.
        files: Vec<String>,
    },
}

/// A commit of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedCommit {
    /// Position of its event.
    pub seq: Seq,
    /// Object id, in hexadecimal.
    pub sha: String,
    /// Committer time, Unix seconds.
    pub time: i64,
    /// First line of the message.
    pub subject: String,
}

/// Lists at most `k` reachable commits, newest first, made at or after `since` (Unix seconds).
pub fn commit_log(
    cache: &Connection,
    view: i64,
    scope: &CommitScope,
    since: Option<i64>,
    k: usize,
) -> Result<Vec<LoggedCommit>> {
    let touching = match scope {
        CommitScope::All => None,
        CommitScope::Paths(paths) => Some(named(cache, view, paths)?),
        CommitScope::Folder { path, files } => {
            let mut below = cache.prepare_cached("SELECT id FROM path WHERE path >= :from AND path < :to")?;
            let (from, to) = (format!("{path}/"), format!("{path}0"));
            let rows = below.query_map(named_params! {":from": from, ":to": to}, |row| row.get(0))?;
            let mut all = named(cache, view, files)?;
            all.extend(rows.collect::<rusqlite::Result<Vec<i64>>>()?);
            Some(all)
        }
    };
    // Of commits of one second the child is in the log behind its parent.
    let mut statement = cache.prepare_cached(
        "SELECT commit_row.seq, sha, time, subject FROM reachable JOIN commit_row ON commit_row.seq = reachable.seq
         WHERE (:since IS NULL OR time >= :since) AND (:paths IS NULL OR commit_row.seq IN
           (SELECT commit_seq FROM json_each(:paths) JOIN touched ON touched.path = json_each.value))
         ORDER BY time DESC, commit_row.seq DESC LIMIT :k",
    )?;
    let paths = touching.map(|paths| json_array(&paths.into_iter().collect::<Vec<i64>>()));
    let rows = statement.query_map(named_params! {":since": since, ":paths": paths, ":k": k as i64}, |row| {
        let sha: Vec<u8> = row.get(1)?;
        Ok(LoggedCommit { seq: row.get(0)?, sha: hex(&sha), time: row.get(2)?, subject: row.get(3)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Returns the rows of every name that some files have and had.
fn named(cache: &Connection, view: i64, paths: &[String]) -> Result<BTreeSet<i64>> {
    let lineage = Lineage::new(cache, view);
    let mut rows = BTreeSet::new();
    for path in paths {
        rows.extend(lineage.of(path)?);
    }
    Ok(rows)
}
