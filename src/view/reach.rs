//! The recorded commits that HEADs reach. Parents are followed in the log, so it does not matter if git has pruned
//! objects.
//!
//! Invariant: a commit that no worktree's HEAD reaches does not count.

use std::collections::{BTreeSet, HashMap, HashSet};

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::event::{Seq, unhex};
use crate::facts::CommitData;
use crate::git::ObjectId;

/// A change of the set of reachable commits.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ReachChange {
    /// Commits that became reachable.
    pub added: Vec<Seq>,
    /// Commits that are no longer reachable.
    pub removed: Vec<Seq>,
}

/// Stores a commit and its parents from its event. `author` is a row of `person`.
pub fn add_commit(cache: &Connection, seq: Seq, data: &CommitData<'_>, author: i64) -> Result<()> {
    let subject = data.message.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    cache
        .prepare_cached(
            "INSERT OR IGNORE INTO commit_row(seq, sha, time, author, files, is_merge, subject)
             VALUES (:seq, :sha, :time, :author, :files, :is_merge, :subject)",
        )?
        .execute(named_params! {
            ":seq": seq, ":sha": unhex(&data.sha).unwrap_or_default(), ":time": data.committer_time, ":author": author,
            ":files": data.files_changed.len() as i64, ":is_merge": data.parents.len() > 1, ":subject": crate::event::cap_at(subject, 300),
        })?;
    let mut insert =
        cache.prepare_cached("INSERT OR IGNORE INTO parent(child, ordinal, sha) VALUES (:child, :ordinal, :sha)")?;
    for (ordinal, parent) in data.parents.iter().enumerate() {
        insert.execute(
            named_params! {":child": seq, ":ordinal": ordinal as i64, ":sha": unhex(parent).unwrap_or_default()},
        )?;
    }
    Ok(())
}

/// Returns whether a commit is in the log.
pub fn is_recorded(cache: &Connection, id: &ObjectId) -> Result<bool> {
    Ok(commit_seq(cache, id.as_bytes())?.is_some())
}

/// Returns the position of a commit's event.
pub fn commit_seq(cache: &Connection, sha: &[u8]) -> Result<Option<Seq>> {
    let mut statement = cache.prepare_cached("SELECT seq FROM commit_row WHERE sha = :sha")?;
    Ok(statement.query_row(named_params! {":sha": sha}, |row| row.get(0)).optional()?)
}

/// Returns the number of reachable commits.
pub fn reachable_count(cache: &Connection) -> Result<u64> {
    Ok(cache.query_row("SELECT count(*) FROM reachable", [], |row| row.get::<_, i64>(0))?.cast_unsigned())
}

/// Returns the commits that could not be compared yet, reachable or not; they will be tried again.
pub fn pending(cache: &Connection) -> Result<Vec<ObjectId>> {
    ids(cache, "SELECT sha FROM pending ORDER BY sha")
}

/// Returns the pending commits that some HEAD reaches.
pub fn waiting(cache: &Connection) -> Result<Vec<ObjectId>> {
    ids(cache, "SELECT sha FROM pending WHERE is_reached ORDER BY sha")
}

/// Returns the boundary of the shallow clone as of the last update of the views, sorted.
pub fn boundary(cache: &Connection) -> Result<Vec<ObjectId>> {
    ids(cache, "SELECT sha FROM boundary ORDER BY sha")
}

/// Reads object ids from a query.
fn ids(cache: &Connection, sql: &str) -> Result<Vec<ObjectId>> {
    let mut statement = cache.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(rows.iter().filter_map(|sha| ObjectId::try_from(sha.as_slice()).ok()).collect())
}

/// Returns the parents of recorded commits that are not recorded themselves: history continues there, but could not be
/// read.
pub fn unrecorded_parents(cache: &Connection) -> Result<Vec<ObjectId>> {
    ids(cache, "SELECT DISTINCT sha FROM parent WHERE sha NOT IN (SELECT sha FROM commit_row) ORDER BY sha")
}

/// Replaces the list of pending commits.
pub fn set_pending(cache: &Connection, commits: &[ObjectId]) -> Result<()> {
    cache.execute("DELETE FROM pending", [])?;
    let mut insert = cache.prepare_cached("INSERT OR IGNORE INTO pending(sha) VALUES (:sha)")?;
    for commit in commits {
        insert.execute(named_params! {":sha": commit.as_bytes()})?;
    }
    Ok(())
}

/// Where the recorded history ends although git's continues.
#[derive(Debug, Default)]
pub struct Gaps {
    /// Commits that a shallow clone cuts off from their parents.
    pub boundary: Vec<ObjectId>,
    /// Pending commits, with their parents as far as git knows them.
    pub pending: Vec<(ObjectId, Vec<ObjectId>)>,
}

impl Gaps {
    /// Returns whether there are no gaps.
    pub fn is_empty(&self) -> bool {
        self.boundary.is_empty() && self.pending.is_empty()
    }
}

/// Moves the reachable set from the old heads to the new ones, and records the gaps that they run into.
///
/// If every old head is still reached and there are no gaps, only the commits between are walked; with `whole`,
/// everything is.
pub fn move_reachable(
    cache: &Connection,
    old: &[ObjectId],
    new: &[ObjectId],
    gaps: &Gaps,
    whole: bool,
) -> Result<ReachChange> {
    let reach = if whole || !gaps.is_empty() { None } else { extend(cache, old, new)? };
    let (reach, waiting) = match reach {
        Some(reach) => (reach, BTreeSet::new()),
        None => recount(cache, new, gaps)?,
    };
    let mut insert = cache.prepare_cached("INSERT OR IGNORE INTO reachable(seq) VALUES (:seq)")?;
    for seq in &reach.added {
        insert.execute(named_params! {":seq": seq})?;
    }
    let mut delete = cache.prepare_cached("DELETE FROM reachable WHERE seq = :seq")?;
    for seq in &reach.removed {
        delete.execute(named_params! {":seq": seq})?;
    }
    note_gaps(cache, gaps, &waiting)?;
    Ok(reach)
}

/// Records which pending commits are reached, and the boundary.
fn note_gaps(cache: &Connection, gaps: &Gaps, waiting: &BTreeSet<Sha>) -> Result<()> {
    cache.execute("UPDATE pending SET is_reached = 0", [])?;
    let mut note = cache.prepare_cached(
        "INSERT INTO pending(sha, is_reached) VALUES (:sha, 1) ON CONFLICT(sha) DO UPDATE SET is_reached = 1",
    )?;
    for sha in waiting {
        note.execute(named_params! {":sha": sha})?;
    }
    cache.execute("DELETE FROM boundary", [])?;
    let mut cut = cache.prepare_cached("INSERT OR IGNORE INTO boundary(sha) VALUES (:sha)")?;
    for commit in &gaps.boundary {
        cut.execute(named_params! {":sha": commit.as_bytes()})?;
    }
    Ok(())
}

/// Returns the commits that the new heads add; `None` unless they still reach all old heads.
fn extend(cache: &Connection, old: &[ObjectId], new: &[ObjectId]) -> Result<Option<ReachChange>> {
    let mut is_reachable = cache.prepare_cached("SELECT 1 FROM reachable WHERE seq = :seq")?;
    let mut parents = cache.prepare_cached("SELECT sha FROM parent WHERE child = :child ORDER BY ordinal")?;
    let mut uncovered: HashSet<Vec<u8>> = old.iter().map(|id| id.as_bytes().to_vec()).collect();
    let mut queue: Vec<Vec<u8>> = new.iter().map(|id| id.as_bytes().to_vec()).collect();
    let mut added = HashSet::new();
    while let Some(sha) = queue.pop() {
        uncovered.remove(&sha);
        let Some(seq) = commit_seq(cache, &sha)? else { continue };
        if added.contains(&seq) || is_reachable.exists(named_params! {":seq": seq})? {
            continue;
        }
        added.insert(seq);
        let rows = parents.query_map(named_params! {":child": seq}, |row| row.get(0))?;
        queue.extend(rows.collect::<rusqlite::Result<Vec<Vec<u8>>>>()?);
    }
    let mut added: Vec<Seq> = added.into_iter().collect();
    added.sort_unstable();
    Ok(uncovered.is_empty().then_some(ReachChange { added, removed: Vec::new() }))
}

/// Compares the commits that the heads reach with the table. Returns the change, and the commits at which the recorded
/// history ends.
fn recount(cache: &Connection, heads: &[ObjectId], gaps: &Gaps) -> Result<(ReachChange, BTreeSet<Sha>)> {
    let graph = Graph::read(cache, &gaps.boundary)?;
    let unrecorded: HashMap<&[u8], &Vec<ObjectId>> =
        gaps.pending.iter().map(|(commit, parents)| (commit.as_bytes(), parents)).collect();
    let (mut reached, mut open) = (HashSet::new(), Vec::new());
    graph.walk(heads.iter().map(|head| head.as_bytes().to_vec()).collect(), &mut reached, &mut open);
    // Commits behind a gap do not count, but there may be further gaps behind it.
    let (mut passed, mut waiting) = (reached.clone(), BTreeSet::new());
    while let Some(sha) = open.pop() {
        if waiting.contains(&sha) {
            continue;
        }
        let parents = unrecorded.get(sha.as_slice()).into_iter().flat_map(|parents| parents.iter());
        graph.walk(parents.map(|parent| parent.as_bytes().to_vec()).collect(), &mut passed, &mut open);
        waiting.insert(sha);
    }
    let mut statement = cache.prepare_cached("SELECT seq FROM reachable")?;
    let held = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<HashSet<Seq>>>()?;
    let sorted = |set: Vec<&Seq>| {
        let mut list: Vec<Seq> = set.into_iter().copied().collect();
        list.sort_unstable();
        list
    };
    let reach = ReachChange {
        added: sorted(reached.difference(&held).collect()),
        removed: sorted(held.difference(&reached).collect()),
    };
    Ok((reach, waiting))
}

/// An object id, as bytes.
type Sha = Vec<u8>;

/// The graph of all recorded commits.
struct Graph {
    by_sha: HashMap<Sha, Seq>,
    parents: HashMap<Seq, Vec<Seq>>,
    /// Parents that are not recorded, or are cut off from their own parents.
    open: HashMap<Seq, Vec<Sha>>,
}

impl Graph {
    /// Reads the graph.
    ///
    /// A boundary commit that has recorded parents is treated as not recorded, because a full pass could not read it.
    fn read(cache: &Connection, boundary: &[ObjectId]) -> Result<Self> {
        let mut graph = Graph { by_sha: HashMap::new(), parents: HashMap::new(), open: HashMap::new() };
        let mut statement = cache.prepare_cached("SELECT seq, sha FROM commit_row")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            graph.by_sha.insert(row.get(1)?, row.get(0)?);
        }
        let mut has_parents = cache.prepare_cached("SELECT 1 FROM parent WHERE child = :seq")?;
        for commit in boundary {
            if let Some(seq) = graph.by_sha.get(commit.as_bytes())
                && has_parents.exists(named_params! {":seq": seq})?
            {
                graph.by_sha.remove(commit.as_bytes());
            }
        }
        let mut statement = cache.prepare_cached("SELECT child, sha FROM parent")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (child, sha) = (row.get(0)?, row.get_ref(1)?.as_blob()?);
            match graph.by_sha.get(sha) {
                Some(parent) => graph.parents.entry(child).or_default().push(*parent),
                None => graph.open.entry(child).or_default().push(sha.to_vec()),
            }
        }
        Ok(graph)
    }

    /// Adds the recorded commits that some commits reach, and collects in `open` where the recorded history ends.
    fn walk(&self, from: Vec<Sha>, reached: &mut HashSet<Seq>, open: &mut Vec<Sha>) {
        let mut queue = Vec::new();
        for sha in from {
            match self.by_sha.get(&sha) {
                Some(seq) => queue.push(*seq),
                None => open.push(sha),
            }
        }
        while let Some(seq) = queue.pop() {
            if reached.insert(seq) {
                queue.extend(self.parents.get(&seq).into_iter().flatten());
                open.extend(self.open.get(&seq).into_iter().flatten().cloned());
            }
        }
    }
}
