//! Finds what became of paths without a live file: renamed, deleted, or only in the tree of another worktree. Only
//! commits that a HEAD reaches count.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, named_params};

use super::{CommitRef, Lineage, commit_ref};
use crate::event::Seq;

/// What became of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Its content lives on in other files. `commit` gave the first of them its name.
    Renamed {
        /// The encoded paths of the live files, ascending.
        to: Vec<String>,
        /// The commit of the rename.
        commit: CommitRef,
    },
    /// A commit deleted it, under the name it had then.
    Deleted {
        /// That name, as an encoded path.
        last: String,
        /// The commit that deleted it.
        commit: CommitRef,
    },
    /// Commits touched it, but none deleted it: it is in another tree, or a merge removed it.
    Elsewhere {
        /// The newest commit that touched it.
        commit: CommitRef,
    },
}

/// Selects the newest reachable commit that touched a path, optionally only with this status.
const NEWEST: &str = "SELECT commit_row.seq FROM touched JOIN reachable ON reachable.seq = touched.commit_seq
  JOIN commit_row ON commit_row.seq = touched.commit_seq
  WHERE touched.path = :path AND (:status IS NULL OR status = :status) ORDER BY time DESC, sha LIMIT 1";
/// Selects the newest reachable exact rename from a path, and its destination.
const RENAMED_FROM: &str =
    "SELECT commit_row.seq, to_path FROM rename JOIN reachable ON reachable.seq = rename.commit_seq
  JOIN commit_row ON commit_row.seq = rename.commit_seq WHERE from_path = :path ORDER BY time DESC, sha LIMIT 1";
/// Selects the newest reachable exact rename to a path.
const RENAMED_TO: &str = "SELECT commit_row.seq FROM rename JOIN reachable ON reachable.seq = rename.commit_seq
  JOIN commit_row ON commit_row.seq = rename.commit_seq WHERE to_path = :path ORDER BY time DESC, sha LIMIT 1";

/// Returns what became of an encoded path; `None` if it is live, or no reachable commit touched it.
pub fn fate(cache: &Connection, view: i64, path: &str) -> Result<Option<Fate>> {
    let lineage = Lineage::new(cache, view);
    let Some(row) = lineage.row(path)? else { return Ok(None) };
    if lineage.is_live(row)? {
        return Ok(None);
    }
    let heirs = lineage.heirs(row)?;
    if let Some(first) = heirs.first() {
        let to =
            heirs.iter().map(|heir| lineage.name(*heir)).collect::<Result<Option<Vec<String>>>>()?.unwrap_or_default();
        let seq = one(cache, RENAMED_TO, *first)?;
        let commit = seq.map_or(Ok(None), |seq| commit_ref(cache, seq))?;
        return Ok(commit.map(|commit| Fate::Renamed { to, commit }));
    }
    let mut renamed = cache.prepare_cached(RENAMED_FROM)?;
    let (mut last, mut seen) = (row, HashSet::from([row]));
    while let Some(next) = renamed.query_row(named_params! {":path": last}, |row| row.get(1)).optional()? {
        if !seen.insert(next) {
            break;
        }
        last = next;
    }
    let newest = |status: Option<&str>, path: i64| -> Result<Option<CommitRef>> {
        let mut statement = cache.prepare_cached(NEWEST)?;
        let place = named_params! {":path": path, ":status": status};
        let seq: Option<Seq> = statement.query_row(place, |row| row.get(0)).optional()?;
        seq.map_or(Ok(None), |seq| commit_ref(cache, seq))
    };
    if let Some(commit) = newest(Some("D"), last)? {
        return Ok(Some(Fate::Deleted { last: lineage.name(last)?.unwrap_or_default(), commit }));
    }
    Ok(newest(None, row)?.map(|commit| Fate::Elsewhere { commit }))
}

/// Returns at most `most` paths below a folder that reachable commits touched and that no live file has, ascending.
pub fn gone_below(cache: &Connection, view: i64, folder: &str, most: usize) -> Result<Vec<String>> {
    let sql = format!("{GONE} AND path.path >= :from AND path.path < :to ORDER BY path.path LIMIT :most");
    let mut statement = cache.prepare_cached(&sql)?;
    let place =
        named_params! {":view": view, ":from": format!("{folder}/"), ":to": format!("{folder}0"), ":most": most as i64};
    let rows = statement.query_map(place, |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Returns at most `most` such paths, in any folder, whose last components are `ending`.
pub fn gone_ending(cache: &Connection, view: i64, ending: &str, most: usize) -> Result<Vec<String>> {
    let sql = format!("{GONE} AND substr(path.path, -length(:end) - 1) = '/' || :end ORDER BY path.path LIMIT :most");
    let mut statement = cache.prepare_cached(&sql)?;
    let place = named_params! {":view": view, ":end": ending, ":most": most as i64};
    let rows = statement.query_map(place, |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

const GONE: &str = "SELECT path.path FROM path
  WHERE NOT EXISTS (SELECT 1 FROM view_file WHERE view_file.view = :view AND view_file.path = path.id)
    AND EXISTS (SELECT 1 FROM touched JOIN reachable ON reachable.seq = touched.commit_seq WHERE touched.path = path.id)";

/// Returns every path that a reachable commit deleted and no live file has, with the newest such commit.
pub fn deleted(cache: &Connection, view: i64) -> Result<BTreeMap<String, CommitRef>> {
    let mut statement = cache.prepare_cached(
        "SELECT path.path, commit_row.sha, commit_row.time, commit_row.subject FROM touched
         JOIN reachable ON reachable.seq = touched.commit_seq JOIN commit_row ON commit_row.seq = touched.commit_seq
         JOIN path ON path.id = touched.path
         WHERE touched.status = 'D' AND NOT EXISTS (SELECT 1 FROM view_file WHERE view_file.view = :view AND view_file.path = path.id)
         ORDER BY commit_row.time, commit_row.sha DESC",
    )?;
    let rows = statement.query_map(named_params! {":view": view}, |row| {
        let commit = crate::event::hex(row.get_ref(1)?.as_blob()?);
        Ok((row.get(0)?, CommitRef { commit, time: row.get(2)?, subject: row.get(3)? }))
    })?;
    // Sorted by time, so the newest commit of a path overwrites the others.
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Sorts live files by the time of their newest commit, latest first; ties, and files without a commit, by path.
pub fn recent_first(cache: &Connection, view: i64, mut paths: Vec<String>) -> Result<Vec<String>> {
    let mut statement = cache.prepare_cached(
        "SELECT path.path, max(commit_row.time) FROM view_file JOIN path ON path.id = view_file.path
         JOIN touched ON touched.path = path.id JOIN reachable ON reachable.seq = touched.commit_seq
         JOIN commit_row ON commit_row.seq = touched.commit_seq WHERE view_file.view = :view GROUP BY path.id",
    )?;
    let rows = statement.query_map(named_params! {":view": view}, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let times: BTreeMap<String, i64> = rows.collect::<rusqlite::Result<_>>()?;
    paths.sort_by_cached_key(|path| (Reverse(times.get(path).copied()), path.clone()));
    Ok(paths)
}

/// Returns at most `most` reachable commits whose object id begins with these hexadecimal digits.
pub fn commits_beginning(cache: &Connection, hex: &str, most: usize) -> Result<Vec<(Seq, CommitRef)>> {
    // The ends of the range of ids that begin with these digits; the last one may be half of a byte.
    let ends = ["0", "f"].map(|digit| {
        let digits = if hex.len().is_multiple_of(2) { hex.to_string() } else { format!("{hex}{digit}") };
        crate::event::unhex(&digits)
    });
    let [Some(from), Some(mut to)] = ends else { return Ok(Vec::new()) };
    to.extend([0xff; 64]);
    let mut statement = cache.prepare_cached(
        "SELECT commit_row.seq FROM commit_row JOIN reachable ON reachable.seq = commit_row.seq
         WHERE sha >= :from AND sha < :to ORDER BY sha LIMIT :most",
    )?;
    let place = named_params! {":from": from, ":to": to, ":most": most as i64};
    let seqs = statement.query_map(place, |row| row.get(0))?.collect::<rusqlite::Result<Vec<Seq>>>()?;
    let mut found = Vec::new();
    for seq in seqs {
        found.extend(commit_ref(cache, seq)?.map(|commit| (seq, commit)));
    }
    Ok(found)
}

/// Returns the encoded paths that a commit touched, ascending.
pub fn paths_of_commit(cache: &Connection, seq: Seq) -> Result<Vec<String>> {
    let mut statement = cache.prepare_cached(
        "SELECT path.path FROM touched JOIN path ON path.id = touched.path WHERE commit_seq = :seq ORDER BY path.path",
    )?;
    Ok(statement.query_map(named_params! {":seq": seq}, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

fn one(cache: &Connection, sql: &str, path: i64) -> Result<Option<Seq>> {
    let mut statement = cache.prepare_cached(sql)?;
    Ok(statement.query_row(named_params! {":path": path}, |row| row.get(0)).optional()?)
}
