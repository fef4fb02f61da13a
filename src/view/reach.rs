//! Which recorded commits the HEADs reach, over the log's own parent rows, so that objects git has pruned do
//! not matter. Refuses to count a commit that no worktree's HEAD reaches.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::event::{CommitData, Seq, unhex};
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
pub fn add_commit(cache: &Connection, seq: Seq, data: &CommitData, author: i64) -> Result<()> {
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

/// Commits that could not be told yet.
pub fn pending(cache: &Connection) -> Result<Vec<ObjectId>> {
    let mut statement = cache.prepare_cached("SELECT sha FROM pending ORDER BY sha")?;
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(rows.iter().filter_map(|sha| ObjectId::try_from(sha.as_slice()).ok()).collect())
}

/// Parents of recorded commits that are not recorded themselves: history went on there and could not be told.
pub fn unrecorded_parents(cache: &Connection) -> Result<Vec<ObjectId>> {
    let mut statement = cache
        .prepare_cached("SELECT DISTINCT sha FROM parent WHERE sha NOT IN (SELECT sha FROM commit_row) ORDER BY sha")?;
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(rows.iter().filter_map(|sha| ObjectId::try_from(sha.as_slice()).ok()).collect())
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

/// Moves the reachable set from what the old heads reached to what the new ones do. Where every old head is
/// still reached, only the way from the new heads is walked; `whole` walks everything.
pub fn move_reachable(cache: &Connection, old: &[ObjectId], new: &[ObjectId], whole: bool) -> Result<Reach> {
    let reach = if whole { None } else { forward(cache, old, new)? };
    let reach = match reach {
        Some(reach) => reach,
        None => recount(cache, new)?,
    };
    let mut insert = cache.prepare_cached("INSERT OR IGNORE INTO reachable(seq) VALUES (:seq)")?;
    for seq in &reach.added {
        insert.execute(named_params! {":seq": seq})?;
    }
    let mut delete = cache.prepare_cached("DELETE FROM reachable WHERE seq = :seq")?;
    for seq in &reach.removed {
        delete.execute(named_params! {":seq": seq})?;
    }
    Ok(reach)
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

/// The difference between what the heads reach and what the table holds.
fn recount(cache: &Connection, heads: &[ObjectId]) -> Result<Reach> {
    let mut by_sha: HashMap<Vec<u8>, Seq> = HashMap::new();
    let mut statement = cache.prepare_cached("SELECT seq, sha FROM commit_row")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        by_sha.insert(row.get(1)?, row.get(0)?);
    }
    let mut parents: HashMap<Seq, Vec<Seq>> = HashMap::new();
    let mut statement = cache.prepare_cached("SELECT child, sha FROM parent")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(parent) = by_sha.get(row.get_ref(1)?.as_blob()?) {
            parents.entry(row.get(0)?).or_default().push(*parent);
        }
    }
    let mut reached = HashSet::new();
    let mut queue: Vec<Seq> = heads.iter().filter_map(|head| by_sha.get(head.as_bytes()).copied()).collect();
    while let Some(seq) = queue.pop() {
        if reached.insert(seq) {
            queue.extend(parents.get(&seq).into_iter().flatten());
        }
    }
    let mut statement = cache.prepare_cached("SELECT seq FROM reachable")?;
    let held = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<HashSet<Seq>>>()?;
    let sorted = |set: Vec<&Seq>| {
        let mut list: Vec<Seq> = set.into_iter().copied().collect();
        list.sort_unstable();
        list
    };
    Ok(Reach {
        added: sorted(reached.difference(&held).collect()),
        removed: sorted(held.difference(&reached).collect()),
    })
}
