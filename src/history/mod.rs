//! Co-change, authorship and recency, counted at query time from which commit touched which path.
//!
//! Invariants: no pair count is stored, so none can drift; no clock is used, since ages are measured from the commit
//! that the answer is as of.

mod co_authors;
mod commit_log;
mod co_change;
mod commit_facts;
mod gone;
mod kind;
mod lineage;
mod loaded_counts;
mod reachable_commits;
mod people;
mod related;
mod live_entries;
mod change_counts;
mod timeline;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, named_params};
use serde::Serialize;

pub use change_counts::{ChangeCounts, CountedCommit, FileId, HALF_LIFE, POPULARITY_HALF_LIFE, Touch};
pub use co_change::{CoChange, PairWeight};
pub use commit_facts::{CommitFact, CommitSelection, commit_facts, informative_commit_count};
pub use commit_log::{CommitScope, LoggedCommit, commit_log};
pub use gone::{Fate, commits_beginning, deleted, fate, gone_below, gone_ending, paths_of_commit, recent_first};
pub use lineage::Lineage;
pub use live_entries::{LiveEntry, live_entries, live_entries_naming};
pub use loaded_counts::{AsOf, LoadedCounts, load_counts};
pub use people::{People, Person, authors_of, is_bot, people_of, who};
pub use reachable_commits::{CommitNode, ReachableCommits};
pub use related::{PATH_WEIGHT, POPULARITY_WEIGHT, Related, path_similarity, related, shared_commits};
pub use timeline::{PathChange, Timeline, TimelineCommit, timeline};

use crate::event::{Seq, hex};
use crate::facts::CommitData;

/// The tables of this module: which commit touched which path, exact renames, and people as commits spell them.
pub const SCHEMA: &str = "
CREATE TABLE person(id INTEGER PRIMARY KEY, written TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE co_author(commit_seq INTEGER NOT NULL, place INTEGER NOT NULL, person INTEGER NOT NULL, PRIMARY KEY(commit_seq, place)) STRICT, WITHOUT ROWID;
CREATE TABLE touched(path INTEGER NOT NULL, commit_seq INTEGER NOT NULL, status TEXT NOT NULL, PRIMARY KEY(path, commit_seq)) STRICT, WITHOUT ROWID;
CREATE INDEX touched_by_commit ON touched(commit_seq, path);
CREATE TABLE rename(to_path INTEGER NOT NULL, commit_seq INTEGER NOT NULL, from_path INTEGER NOT NULL, PRIMARY KEY(to_path, commit_seq)) STRICT, WITHOUT ROWID;
CREATE INDEX rename_by_from ON rename(from_path, commit_seq);
";

/// The largest number of paths in a commit that counts as evidence.
///
/// Larger commits are mostly renames and reformats, in which files change together without being related.
pub const LARGEST_COMMIT: i64 = 30;

/// A commit as it is shown as evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommitRef {
    /// The object id, in hexadecimal.
    pub commit: String,
    /// The committer time, in Unix seconds.
    pub time: i64,
    /// The first line of the message.
    pub subject: String,
}

/// Records which paths a commit touched, and who co-authored it.
pub fn add_commit(cache: &Connection, seq: Seq, data: &CommitData<'_>) -> Result<()> {
    let mut touch = cache
        .prepare_cached("INSERT OR IGNORE INTO touched(path, commit_seq, status) VALUES (:path, :commit, :status)")?;
    let mut rename = cache
        .prepare_cached("INSERT OR IGNORE INTO rename(to_path, commit_seq, from_path) VALUES (:to, :commit, :from)")?;
    for change in &data.files_changed {
        let path = crate::view::intern(cache, &change.path)?;
        touch.execute(named_params! {":path": path, ":commit": seq, ":status": change.status.letter()})?;
        if let Some(from) = &change.from {
            let from = crate::view::intern(cache, from)?;
            rename.execute(named_params! {":to": path, ":commit": seq, ":from": from})?;
        }
    }
    let mut wrote = cache.prepare_cached(
        "INSERT OR IGNORE INTO co_author(commit_seq, place, person) VALUES (:commit, :place, :person)",
    )?;
    for (place, written) in (0_i64..).zip(co_authors::co_authors(&data.message)) {
        let person = intern_person(cache, &written)?;
        wrote.execute(named_params! {":commit": seq, ":place": place, ":person": person})?;
    }
    Ok(())
}

/// Returns the row of a person as a commit spells them, and inserts it if it is new.
pub fn intern_person(cache: &Connection, written: &str) -> Result<i64> {
    let mut find = cache.prepare_cached("SELECT id FROM person WHERE written = :written")?;
    if let Some(id) = find.query_row(named_params! {":written": written}, |row| row.get(0)).optional()? {
        return Ok(id);
    }
    cache
        .prepare_cached("INSERT INTO person(written) VALUES (:written)")?
        .execute(named_params! {":written": written})?;
    Ok(cache.last_insert_rowid())
}

/// Returns a commit as evidence, by the position of its event.
pub fn commit_ref(cache: &Connection, seq: Seq) -> Result<Option<CommitRef>> {
    let mut statement = cache.prepare_cached("SELECT sha, time, subject FROM commit_row WHERE seq = :seq")?;
    Ok(statement
        .query_row(named_params! {":seq": seq}, |row| {
            Ok(CommitRef { commit: hex(row.get_ref(0)?.as_blob()?), time: row.get(1)?, subject: row.get(2)? })
        })
        .optional()?)
}

/// Returns the newest reachable commits that touched a file under any of its names.
pub fn newest_commits(cache: &Connection, view: i64, path: &str, count: usize) -> Result<Vec<CommitRef>> {
    let names = Lineage::new(cache, view).of(path)?;
    let mut found: Vec<CommitRef> = Vec::new();
    let mut statement = cache.prepare_cached(
        "SELECT commit_row.seq FROM touched JOIN commit_row ON commit_row.seq = touched.commit_seq JOIN reachable ON reachable.seq = commit_row.seq
         WHERE touched.path = :path ORDER BY time DESC, sha LIMIT :count",
    )?;
    for name in names {
        let seqs = statement.query_map(named_params! {":path": name, ":count": count as i64}, |row| row.get(0))?;
        for seq in seqs.collect::<rusqlite::Result<Vec<Seq>>>()? {
            found.extend(commit_ref(cache, seq)?.filter(|commit| !found.contains(commit)));
        }
    }
    found.sort_by(|a, b| (b.time, &a.commit).cmp(&(a.time, &b.commit)));
    found.truncate(count);
    Ok(found)
}

/// Returns the exponential decay of a weight of 1, of which half is left after each half-life.
///
/// `as_of` and `time` are Unix seconds. A time after `as_of` counts as age 0.
pub fn decay(as_of: i64, time: i64, half_life_days: f64) -> f64 {
    let age = as_of.saturating_sub(time).max(0) as f64 / 86_400.0;
    (-age / half_life_days).exp2()
}
