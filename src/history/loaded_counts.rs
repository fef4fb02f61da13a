//! [`ChangeCounts`] for a query, read from the cache: the newest commits, and every commit that touched the target.
//!
//! Invariant: the event log, which is slow, is not read. Only files of the view are live.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use rusqlite::{Connection, Row, named_params};

use super::change_counts::{ChangeCounts, CountedCommit, FileId, Touch};
use super::timeline::{intern, topological};
use super::{Lineage, People};
use crate::event::Seq;
use crate::sqlite;

/// The number of newest commits that are counted, without merges.
///
/// With a half-life of half a year, older ones hardly count.
const NEWEST: usize = 5_000;

/// Counts, with the paths, people and events that their indices refer to.
#[derive(Debug, Default)]
pub struct LoadedCounts {
    /// The counts; the live files are those of the view.
    pub counts: ChangeCounts,
    /// The encoded paths, by the index that [`ChangeCounts::path`] returns.
    pub paths: Vec<String>,
    /// The human authors, without bots and agents.
    pub people: Vec<String>,
    /// The event positions of the commits, by [`CountedCommit::timeline_index`].
    pub seqs: Vec<Seq>,
}

/// A view, and the committer time of its HEAD.
#[derive(Debug, Clone, Copy)]
pub struct AsOf {
    /// The row of the view.
    pub view: i64,
    /// The committer time, in Unix seconds.
    pub time: i64,
}

/// The columns of `commit_row` that are used.
struct CommitRow {
    seq: Seq,
    sha: Vec<u8>,
    time: i64,
    author: i64,
    touched: usize,
    is_merge: bool,
}

impl LoadedCounts {
    /// Returns the live file with this encoded path.
    pub fn file(&self, path: &str) -> Option<FileId> {
        self.counts.live().find(|file| self.path(*file) == path)
    }

    /// Returns the current encoded path of a file.
    pub fn path(&self, file: FileId) -> &str {
        &self.paths[self.counts.path(file) as usize]
    }
}

/// Counts the newest commits, and those that touched one of `targets` under any of its names. `keeps` returns whether a
/// path is not ignored.
pub fn load_counts(
    cache: &Connection,
    as_of: AsOf,
    people: &People,
    targets: &[&str],
    keeps: impl Fn(&str) -> bool,
) -> Result<LoadedCounts> {
    let commits = in_order(cache, with_targets(cache, as_of.view, targets, newest(cache)?)?)?;
    let (touched, live) = (touched(cache, &commits)?, live(cache, as_of.view)?);
    let paths = PathNames::read(cache, &touched, &live, keeps)?;
    let (mut loaded, mut names) = (LoadedCounts::default(), HashMap::new());
    for (timeline_index, commit) in commits.iter().enumerate() {
        loaded.seqs.push(commit.seq);
        if commit.is_merge {
            continue;
        }
        let humans = people.humans_of(commit.seq, commit.author);
        let authors = humans.map(|name| intern(&mut names, &mut loaded.people, name.to_string())).collect();
        let (time, count) = (commit.time, commit.touched);
        let counted_commit =
            CountedCommit { time, touched: count, files: Vec::new(), authors, timeline_index, index: 0 };
        loaded.counts.add_counted(counted_commit, &paths.touches(touched.get(&commit.seq).map_or(&[], Vec::as_slice)));
    }
    let mut live: Vec<u32> = live.iter().filter_map(|path| paths.index.get(path).copied()).collect();
    live.sort_by_key(|path| &paths.names[*path as usize]);
    loaded.counts.set_live(as_of.time, live);
    loaded.paths = paths.names;
    Ok(loaded)
}

/// Reads the [`NEWEST`] newest commits, and the merges among them.
fn newest(cache: &Connection) -> Result<Vec<CommitRow>> {
    let mut statement = cache.prepare_cached(
        "SELECT commit_row.seq, sha, time, author, files, is_merge FROM commit_row
         CROSS JOIN reachable ON reachable.seq = commit_row.seq ORDER BY time DESC, sha DESC",
    )?;
    let mut rows = statement.query([])?;
    let (mut commits, mut counted) = (Vec::new(), 0);
    while counted < NEWEST
        && let Some(row) = rows.next()?
    {
        let commit = from_row(row)?;
        counted += usize::from(!commit.is_merge);
        commits.push(commit);
    }
    Ok(commits)
}

/// Adds the commits that touched one of some paths under any of its names.
fn with_targets(
    cache: &Connection,
    view: i64,
    targets: &[&str],
    mut commits: Vec<CommitRow>,
) -> Result<Vec<CommitRow>> {
    let mut known: HashSet<Seq> = commits.iter().map(|commit| commit.seq).collect();
    let mut statement = cache.prepare_cached(
        "SELECT commit_row.seq, sha, time, author, files, is_merge FROM touched
         CROSS JOIN reachable ON reachable.seq = touched.commit_seq
         CROSS JOIN commit_row ON commit_row.seq = touched.commit_seq WHERE touched.path = :path",
    )?;
    let lineage = Lineage::new(cache, view);
    for target in targets {
        for name in lineage.of(target)? {
            for commit in statement.query_map(named_params! {":path": name}, from_row)? {
                let commit = commit?;
                if known.insert(commit.seq) {
                    commits.push(commit);
                }
            }
        }
    }
    Ok(commits)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<CommitRow> {
    let (seq, sha, time, author) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
    Ok(CommitRow { seq, sha, time, author, touched: row.get::<_, i64>(4)? as usize, is_merge: row.get(5)? })
}

/// Sorts commits as a timeline does: parents before children, otherwise by time and id.
fn in_order(cache: &Connection, commits: Vec<CommitRow>) -> Result<Vec<CommitRow>> {
    let by_sha: HashMap<&[u8], usize> = (0..).zip(&commits).map(|(at, commit)| (commit.sha.as_slice(), at)).collect();
    let by_seq: HashMap<Seq, usize> = (0..).zip(&commits).map(|(at, commit)| (commit.seq, at)).collect();
    let mut parents = vec![Vec::new(); commits.len()];
    let mut statement =
        cache.prepare_cached("SELECT child, sha FROM parent WHERE child IN (SELECT value FROM json_each(:seqs))")?;
    let mut rows = statement.query(named_params! {":seqs": seqs_of(&commits)})?;
    while let Some(row) = rows.next()? {
        if let Some(child) = by_seq.get(&row.get(0)?) {
            parents[*child].extend(by_sha.get(row.get_ref(1)?.as_blob()?));
        }
    }
    let keys: Vec<(i64, &[u8])> = commits.iter().map(|commit| (commit.time, commit.sha.as_slice())).collect();
    let order = topological(&keys, &parents);
    let mut commits: Vec<Option<CommitRow>> = commits.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|at| commits[at].take()).collect())
}

/// Returns the event positions as a JSON list for `json_each`.
fn seqs_of(commits: &[CommitRow]) -> String {
    sqlite::json_array(&commits.iter().map(|commit| commit.seq).collect::<Vec<Seq>>())
}

/// The path rows that each commit touched, each with the row of the path it was renamed from.
type Touched = HashMap<Seq, Vec<(i64, Option<i64>)>>;

/// Reads the paths that each commit touched.
fn touched(cache: &Connection, commits: &[CommitRow]) -> Result<Touched> {
    let mut touched = Touched::with_capacity(commits.len());
    let mut statement = cache.prepare_cached(
        "SELECT commit_seq, path FROM touched WHERE commit_seq IN (SELECT value FROM json_each(:seqs))",
    )?;
    let mut rows = statement.query(named_params! {":seqs": seqs_of(commits)})?;
    while let Some(row) = rows.next()? {
        touched.entry(row.get(0)?).or_default().push((row.get(1)?, None));
    }
    // There are few renames, and no index by commit.
    let mut statement = cache.prepare_cached("SELECT commit_seq, to_path, from_path FROM rename")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Some(paths) = touched.get_mut(&row.get(0)?) else { continue };
        let to: i64 = row.get(1)?;
        if let Some((_, from)) = paths.iter_mut().find(|(path, _)| *path == to) {
            *from = row.get(2)?;
        }
    }
    Ok(touched)
}

/// Reads the rows of the paths that are live in a view.
fn live(cache: &Connection, view: i64) -> Result<Vec<i64>> {
    let mut statement = cache.prepare_cached("SELECT path FROM view_file WHERE view = :view")?;
    Ok(statement.query_map(named_params! {":view": view}, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// The paths that are needed, by row.
struct PathNames {
    index: HashMap<i64, u32>,
    names: Vec<String>,
    kept: Vec<bool>,
}

impl PathNames {
    /// Reads the paths that are touched or live.
    fn read(cache: &Connection, touched: &Touched, live: &[i64], keeps: impl Fn(&str) -> bool) -> Result<Self> {
        let both = touched.values().flatten().flat_map(|(path, from)| from.iter().chain([path]));
        let needed: HashSet<i64> = both.chain(live).copied().collect();
        let mut paths = PathNames { index: HashMap::with_capacity(needed.len()), names: Vec::new(), kept: Vec::new() };
        let mut statement = cache.prepare_cached("SELECT id, path FROM path")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id = row.get(0)?;
            if needed.contains(&id) {
                let name: String = row.get(1)?;
                paths.index.insert(id, paths.names.len() as u32);
                paths.kept.push(keeps(&name));
                paths.names.push(name);
            }
        }
        Ok(paths)
    }

    /// Returns the changes of a commit, sorted by path as git lists them.
    ///
    /// Whether a path is gone is not filled in, because live files are taken from the view.
    fn touches(&self, touched: &[(i64, Option<i64>)]) -> Vec<Touch> {
        let place = |row: &i64| self.index.get(row).copied();
        let touch = |(path, from): &(i64, Option<i64>)| {
            let path = place(path).filter(|path| self.kept[*path as usize])?;
            Some(Touch { path, from: from.as_ref().and_then(place), is_gone: false })
        };
        let mut touches: Vec<Touch> = touched.iter().filter_map(touch).collect();
        touches.sort_by_key(|touch| &self.names[touch.path as usize]);
        touches
    }
}
