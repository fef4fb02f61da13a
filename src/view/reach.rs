//! Which recorded commits the HEADs reach, over the log's own parent rows, so that objects git has pruned do
//! not matter. Refuses to count a commit that no worktree's HEAD reaches.

use std::collections::{BTreeSet, HashMap, HashSet};

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::event::{Seq, unhex};
use crate::facts::CommitData;
use crate::git::ObjectId;

/// How the set of reachable commits moved.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Commits that came.
    pub added: Vec<Seq>,
    /// Commits that left.
    pub removed: Vec<Seq>,
}

/// Takes a commit's place in history from its event. `author` is a row of the people.
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

/// Whether a commit is in the log.
pub fn is_recorded(cache: &Connection, id: &ObjectId) -> Result<bool> {
    Ok(commit_seq(cache, id.as_bytes())?.is_some())
}

/// The position of a commit's event.
pub fn commit_seq(cache: &Connection, sha: &[u8]) -> Result<Option<Seq>> {
    let mut statement = cache.prepare_cached("SELECT seq FROM commit_row WHERE sha = :sha")?;
    Ok(statement.query_row(named_params! {":sha": sha}, |row| row.get(0)).optional()?)
}

/// How many commits some HEAD reaches.
pub fn reachable_count(cache: &Connection) -> Result<u64> {
    Ok(cache.query_row("SELECT count(*) FROM reachable", [], |row| row.get::<_, i64>(0))?.cast_unsigned())
}

/// Commits that could not be told yet, whether a HEAD reaches them or not: they are tried again.
pub fn pending(cache: &Connection) -> Result<Vec<ObjectId>> {
    ids(cache, "SELECT sha FROM pending ORDER BY sha")
}

/// Commits that the HEADs reach and that wait for what came before them.
pub fn waiting(cache: &Connection) -> Result<Vec<ObjectId>> {
    ids(cache, "SELECT sha FROM pending WHERE is_reached ORDER BY sha")
}

/// Where a shallow clone was cut off when its views moved last, sorted.
pub fn boundary(cache: &Connection) -> Result<Vec<ObjectId>> {
    ids(cache, "SELECT sha FROM boundary ORDER BY sha")
}

fn ids(cache: &Connection, sql: &str) -> Result<Vec<ObjectId>> {
    let mut statement = cache.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(rows.iter().filter_map(|sha| ObjectId::try_from(sha.as_slice()).ok()).collect())
}

/// Parents of recorded commits that are not recorded themselves: history went on there and could not be told.
pub fn unrecorded_parents(cache: &Connection) -> Result<Vec<ObjectId>> {
    ids(cache, "SELECT DISTINCT sha FROM parent WHERE sha NOT IN (SELECT sha FROM commit_row) ORDER BY sha")
}

/// Replaces the list of commits to try again.
pub fn set_pending(cache: &Connection, commits: &[ObjectId]) -> Result<()> {
    cache.execute("DELETE FROM pending", [])?;
    let mut insert = cache.prepare_cached("INSERT OR IGNORE INTO pending(sha) VALUES (:sha)")?;
    for commit in commits {
        insert.execute(named_params! {":sha": commit.as_bytes()})?;
    }
    Ok(())
}

/// Where history cannot be followed by what is recorded.
#[derive(Debug, Default)]
pub struct Gaps {
    /// Commits that a shallow clone cuts off from their parents: git shows nothing of what came before.
    pub boundary: Vec<ObjectId>,
    /// Commits that could not be told yet, with their parents as far as git knows them.
    pub pending: Vec<(ObjectId, Vec<ObjectId>)>,
}

impl Gaps {
    /// Whether history is whole.
    pub fn is_empty(&self) -> bool {
        self.boundary.is_empty() && self.pending.is_empty()
    }
}

/// Moves the reachable set from what the old heads reached to what the new ones do, and notes which gaps they come to.
/// Where every old head is still reached and there are no gaps, only the way from the new heads is walked; `whole`
/// walks everything.
pub fn move_reachable(
    cache: &Connection,
    old: &[ObjectId],
    new: &[ObjectId],
    gaps: &Gaps,
    whole: bool,
) -> Result<Reach> {
    let reach = if whole || !gaps.is_empty() { None } else { forward(cache, old, new)? };
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

/// What the new heads add, if they still reach all old ones.
fn forward(cache: &Connection, old: &[ObjectId], new: &[ObjectId]) -> Result<Option<Reach>> {
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
    Ok(uncovered.is_empty().then_some(Reach { added, removed: Vec::new() }))
}

/// The difference between what the heads reach and what the table holds, and the commits at which the way back from
/// them is not recorded.
fn recount(cache: &Connection, heads: &[ObjectId], gaps: &Gaps) -> Result<(Reach, BTreeSet<Sha>)> {
    let graph = Graph::read(cache, &gaps.boundary)?;
    let unrecorded: HashMap<&[u8], &Vec<ObjectId>> =
        gaps.pending.iter().map(|(commit, parents)| (commit.as_bytes(), parents)).collect();
    let (mut reached, mut open) = (HashSet::new(), Vec::new());
    graph.walk(heads.iter().map(|head| head.as_bytes().to_vec()).collect(), &mut reached, &mut open);
    // What lies behind a gap does not count, but there may be further gaps.
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
    let reach = Reach {
        added: sorted(reached.difference(&held).collect()),
        removed: sorted(held.difference(&reached).collect()),
    };
    Ok((reach, waiting))
}

type Sha = Vec<u8>;

/// Every recorded commit and its parents.
struct Graph {
    by_sha: HashMap<Sha, Seq>,
    parents: HashMap<Seq, Vec<Seq>>,
    /// Parents that are not recorded, or cut off from their own.
    open: HashMap<Seq, Vec<Sha>>,
}

impl Graph {
    /// A commit at the boundary that has parents is as one that was never recorded: a full pass could not tell it.
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

    /// Adds what some commits reach over recorded ones, and to `open` where that ends.
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
