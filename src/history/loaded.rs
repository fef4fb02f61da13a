//! A tally for an answer, out of the cache's rows: the newest commits, and every one that touched what is asked about.
//! Refuses to read the log, which is slow, and to say that something is there which the asking view does not show.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use rusqlite::{Connection, Row, named_params};

use super::tally::{File, Taken, Tally, Touch};
use super::timeline::{intern, topological};
use super::{Lineage, People};
use crate::event::Seq;
use crate::sqlite;

/// Commits that are counted, merges left out. With half-lives of half a year older ones weigh little.
const NEWEST: usize = 5_000;

/// A tally with what its numbers stand for.
#[derive(Debug, Default)]
pub struct Loaded {
    /// What is counted, with the files that the view shows.
    pub tally: Tally,
    /// Encoded paths, as the tally's files name them.
    pub paths: Vec<String>,
    /// People who wrote commits, bots and agents apart.
    pub people: Vec<String>,
    /// The events of the commits, by [`Taken::step`].
    pub seqs: Vec<Seq>,
}

/// The view that is asked, and the time its HEAD was committed.
#[derive(Debug, Clone, Copy)]
pub struct AsOf {
    /// Row of the view.
    pub view: i64,
    /// Unix seconds.
    pub time: i64,
}

struct Commit {
    seq: Seq,
    sha: Vec<u8>,
    time: i64,
    author: i64,
    touched: usize,
    is_merge: bool,
}

impl Loaded {
    /// The live file of a path.
    pub fn file(&self, path: &str) -> Option<File> {
        self.tally.live().find(|file| self.path(*file) == path)
    }

    /// What a file is called.
    pub fn path(&self, file: File) -> &str {
        &self.paths[self.tally.path(file) as usize]
    }
}

/// Counts the newest commits and those that touched `target` under any of its names; `keeps` says which paths count.
pub fn load(
    cache: &Connection,
    as_of: AsOf,
    people: &People,
    target: Option<&str>,
    keeps: impl Fn(&str) -> bool,
) -> Result<Loaded> {
    let commits = in_order(cache, with_target(cache, as_of.view, target, newest(cache)?)?)?;
    let (touched, live) = (touched(cache, &commits)?, live(cache, as_of.view)?);
    let paths = Paths::read(cache, &touched, &live, keeps)?;
    let (mut loaded, mut names) = (Loaded::default(), HashMap::new());
    for (step, commit) in commits.iter().enumerate() {
        loaded.seqs.push(commit.seq);
        if commit.is_merge {
            continue;
        }
        let humans = people.humans_of(commit.seq, commit.author);
        let authors = humans.map(|name| intern(&mut names, &mut loaded.people, name.to_string())).collect();
        let (time, count) = (commit.time, commit.touched);
        let taken = Taken { time, touched: count, files: Vec::new(), authors, step, place: 0 };
        loaded.tally.add(taken, &paths.touches(touched.get(&commit.seq).map_or(&[], Vec::as_slice)));
    }
    let mut live: Vec<u32> = live.iter().filter_map(|path| paths.place.get(path).copied()).collect();
    live.sort_by_key(|path| &paths.names[*path as usize]);
    loaded.tally.see(as_of.time, live);
    loaded.paths = paths.names;
    Ok(loaded)
}

/// The newest commits, and the merges among them.
fn newest(cache: &Connection) -> Result<Vec<Commit>> {
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

/// Adds the commits that touched a path under any of its names.
fn with_target(cache: &Connection, view: i64, target: Option<&str>, mut commits: Vec<Commit>) -> Result<Vec<Commit>> {
    let Some(target) = target else { return Ok(commits) };
    let mut known: HashSet<Seq> = commits.iter().map(|commit| commit.seq).collect();
    let mut statement = cache.prepare_cached(
        "SELECT commit_row.seq, sha, time, author, files, is_merge FROM touched
         CROSS JOIN reachable ON reachable.seq = touched.commit_seq
         CROSS JOIN commit_row ON commit_row.seq = touched.commit_seq WHERE touched.path = :path",
    )?;
    for name in Lineage::new(cache, view).of(target)? {
        for commit in statement.query_map(named_params! {":path": name}, from_row)? {
            let commit = commit?;
            if known.insert(commit.seq) {
                commits.push(commit);
            }
        }
    }
    Ok(commits)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Commit> {
    let (seq, sha, time, author) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
    Ok(Commit { seq, sha, time, author, touched: row.get::<_, i64>(4)? as usize, is_merge: row.get(5)? })
}

/// In the order of a timeline: parents before children, then by time and id.
fn in_order(cache: &Connection, commits: Vec<Commit>) -> Result<Vec<Commit>> {
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
    let mut commits: Vec<Option<Commit>> = commits.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|at| commits[at].take()).collect())
}

fn seqs_of(commits: &[Commit]) -> String {
    sqlite::list(&commits.iter().map(|commit| commit.seq).collect::<Vec<Seq>>())
}

/// By commit, the rows of the paths it touched, each with the one that it came from.
type Touched = HashMap<Seq, Vec<(i64, Option<i64>)>>;

fn touched(cache: &Connection, commits: &[Commit]) -> Result<Touched> {
    let mut touched = Touched::with_capacity(commits.len());
    let mut statement = cache.prepare_cached(
        "SELECT commit_seq, path FROM touched WHERE commit_seq IN (SELECT value FROM json_each(:seqs))",
    )?;
    let mut rows = statement.query(named_params! {":seqs": seqs_of(commits)})?;
    while let Some(row) = rows.next()? {
        touched.entry(row.get(0)?).or_default().push((row.get(1)?, None));
    }
    // There are few renames, and no index leads to them from a commit.
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

fn live(cache: &Connection, view: i64) -> Result<Vec<i64>> {
    let mut statement = cache.prepare_cached("SELECT path FROM view_file WHERE view = :view")?;
    Ok(statement.query_map(named_params! {":view": view}, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// The paths that are needed, by their rows.
struct Paths {
    place: HashMap<i64, u32>,
    names: Vec<String>,
    kept: Vec<bool>,
}

impl Paths {
    fn read(cache: &Connection, touched: &Touched, live: &[i64], keeps: impl Fn(&str) -> bool) -> Result<Self> {
        let both = touched.values().flatten().flat_map(|(path, from)| from.iter().chain([path]));
        let needed: HashSet<i64> = both.chain(live).copied().collect();
        let mut paths = Paths { place: HashMap::with_capacity(needed.len()), names: Vec::new(), kept: Vec::new() };
        let mut statement = cache.prepare_cached("SELECT id, path FROM path")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id = row.get(0)?;
            if needed.contains(&id) {
                let name: String = row.get(1)?;
                paths.place.insert(id, paths.names.len() as u32);
                paths.kept.push(keeps(&name));
                paths.names.push(name);
            }
        }
        Ok(paths)
    }

    /// What a commit did, in the order of the paths' names as git tells it. Whether something is gone is not asked:
    /// the view says what is there.
    fn touches(&self, touched: &[(i64, Option<i64>)]) -> Vec<Touch> {
        let place = |row: &i64| self.place.get(row).copied();
        let touch = |(path, from): &(i64, Option<i64>)| {
            let path = place(path).filter(|path| self.kept[*path as usize])?;
            Some(Touch { path, from: from.as_ref().and_then(place), is_gone: false })
        };
        let mut touches: Vec<Touch> = touched.iter().filter_map(touch).collect();
        touches.sort_by_key(|touch| &self.names[touch.path as usize]);
        touches
    }
}
