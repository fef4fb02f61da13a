//! The log of commits: of everything, or of files and folders, which are followed through exact renames.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use rusqlite::{Connection, named_params};

use super::Lineage;
use crate::event::{Seq, hex};
use crate::sqlite::json_array;

/// Which commits are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitScope {
    /// All commits that any HEAD reaches, merges included.
    All,
    /// Those that touched any of these encoded paths, under any name that the files have had.
    Paths(Vec<String>),
    /// Those that touched anything that was ever below a folder, or a file that is below it now, under an older name.
    Folder {
        /// The encoded path of the folder, without a trailing slash.
        path: String,
        /// The encoded paths of the files that are below it now.
        files: Vec<String>,
    },
}

/// A commit in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedCommit {
    /// The position of its event.
    pub seq: Seq,
    /// The object id, in hexadecimal.
    pub sha: String,
    /// The committer time, in Unix seconds.
    pub time: i64,
    /// The first line of the message.
    pub subject: String,
}

/// Lists at most `k` reachable commits in any of the scopes, newest first, made at or after `since` (Unix seconds).
///
/// Among commits with the same time, children come before their parents.
pub fn commit_log(
    cache: &Connection,
    view: i64,
    scopes: &[CommitScope],
    since: Option<i64>,
    k: usize,
) -> Result<Vec<LoggedCommit>> {
    let paths = touched_by(cache, view, scopes)?.map(|paths| json_array(&paths.into_iter().collect::<Vec<i64>>()));
    let mut found = newest(cache, paths.as_deref(), since, Some(k))?;
    // Where the limit falls among commits of one second, all of them are needed to order them.
    if let Some(last) = found.last().filter(|_| found.len() == k) {
        found = newest(cache, paths.as_deref(), Some(last.time), None)?;
    }
    let mut ordered = Vec::with_capacity(found.len());
    for same_second in found.chunk_by(|a, b| a.time == b.time) {
        ordered.extend(children_first(cache, same_second)?);
    }
    ordered.truncate(k);
    Ok(ordered)
}

/// Selects reachable commits that touched any of some path rows (a JSON array), newest first; without paths, all.
fn newest(
    cache: &Connection,
    paths: Option<&str>,
    since: Option<i64>,
    limit: Option<usize>,
) -> Result<Vec<LoggedCommit>> {
    let mut statement = cache.prepare_cached(
        "SELECT commit_row.seq, sha, time, subject FROM reachable JOIN commit_row ON commit_row.seq = reachable.seq
         WHERE (:since IS NULL OR time >= :since) AND (:paths IS NULL OR commit_row.seq IN
           (SELECT commit_seq FROM json_each(:paths) JOIN touched ON touched.path = json_each.value))
         ORDER BY time DESC, commit_row.seq DESC LIMIT :limit",
    )?;
    // A negative limit is none.
    let limit = limit.map_or(-1, |limit| limit as i64);
    let rows = statement.query_map(named_params! {":since": since, ":paths": paths, ":limit": limit}, |row| {
        let sha: Vec<u8> = row.get(1)?;
        Ok(LoggedCommit { seq: row.get(0)?, sha: hex(&sha), time: row.get(2)?, subject: row.get(3)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Returns the path rows that some scopes cover; `None` if they cover all commits.
fn touched_by(cache: &Connection, view: i64, scopes: &[CommitScope]) -> Result<Option<BTreeSet<i64>>> {
    let mut all = BTreeSet::new();
    for scope in scopes {
        match scope {
            CommitScope::All => return Ok(None),
            CommitScope::Paths(paths) => all.extend(named(cache, view, paths)?),
            CommitScope::Folder { path, files } => {
                let mut below = cache.prepare_cached("SELECT id FROM path WHERE path >= :from AND path < :to")?;
                let (from, to) = (format!("{path}/"), format!("{path}0"));
                let rows = below.query_map(named_params! {":from": from, ":to": to}, |row| row.get(0))?;
                all.extend(rows.collect::<rusqlite::Result<Vec<i64>>>()?);
                all.extend(named(cache, view, files)?);
            }
        }
    }
    Ok(Some(all))
}

/// Moves children before their parents, and otherwise keeps the order.
fn children_first(cache: &Connection, commits: &[LoggedCommit]) -> Result<Vec<LoggedCommit>> {
    if commits.len() < 2 {
        return Ok(commits.to_vec());
    }
    let places: BTreeMap<&str, usize> = commits.iter().enumerate().map(|(at, one)| (one.sha.as_str(), at)).collect();
    let mut select = cache.prepare_cached("SELECT sha FROM parent WHERE child = :child")?;
    let mut parents: Vec<Vec<usize>> = Vec::with_capacity(commits.len());
    let mut children = vec![0; commits.len()];
    for commit in commits {
        let rows = select.query_map(named_params! {":child": commit.seq}, |row| row.get::<_, Vec<u8>>(0))?;
        let shas = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        let own: Vec<usize> = shas.iter().filter_map(|sha| places.get(hex(sha).as_str()).copied()).collect();
        own.iter().for_each(|parent| children[*parent] += 1);
        parents.push(own);
    }
    let mut ready: BTreeSet<usize> = (0..commits.len()).filter(|at| children[*at] == 0).collect();
    let mut ordered = Vec::with_capacity(commits.len());
    while let Some(at) = ready.pop_first() {
        ordered.push(commits[at].clone());
        for parent in &parents[at] {
            children[*parent] -= 1;
            if children[*parent] == 0 {
                ready.insert(*parent);
            }
        }
    }
    Ok(ordered)
}

/// Returns the rows of all names of some files, present and past.
fn named(cache: &Connection, view: i64, paths: &[String]) -> Result<BTreeSet<i64>> {
    let lineage = Lineage::new(cache, view);
    let mut rows = BTreeSet::new();
    for path in paths {
        rows.extend(lineage.of(path)?);
    }
    Ok(rows)
}
