//! The reachable commits in topological order, as training and evaluation replay them.
//!
//! Invariant: each commit has the paths of its own time; current names of files are not known here.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use anyhow::Result;
use rusqlite::Connection;

use super::People;
use crate::event::{Seq, Status};
use crate::eventlog::StoredEvent;
use crate::facts::CommitData;
use crate::git::ObjectId;

/// Every reachable commit in topological order (parents first), ties by committer time and id.
#[derive(Debug, Default)]
pub struct Timeline {
    /// The commits. Elsewhere a commit is identified by its index in this list.
    pub commits: Vec<TimelineCommit>,
    /// The encoded paths, which a [`PathChange`] refers to by index.
    pub paths: Vec<String>,
    /// The human authors, without bots and agents.
    pub people: Vec<String>,
}

/// One commit of a [`Timeline`].
#[derive(Debug)]
pub struct TimelineCommit {
    /// The position of its event.
    pub seq: Seq,
    /// The object id, in hexadecimal.
    pub sha: String,
    /// The committer time, in Unix seconds.
    pub time: i64,
    /// The indices of its parents in [`Timeline::commits`].
    pub parents: Vec<usize>,
    /// Whether it has more than one parent. Its changes were then made by other commits, and are not counted.
    pub is_merge: bool,
    /// Its author, then its co-authors, as indices into [`Timeline::people`], without bots and agents.
    pub authors: Vec<u32>,
    /// The whole message.
    pub message: String,
    /// The number of paths it touched, including ignored ones.
    pub touched: usize,
    /// Its changes to paths that are not ignored.
    pub changes: Vec<PathChange>,
}

/// What a commit did to a path.
#[derive(Debug, Clone, Copy)]
pub struct PathChange {
    /// The index of the path in [`Timeline::paths`].
    pub path: u32,
    /// The index of the path it was renamed from; only for an exact rename.
    pub from: Option<u32>,
    /// The kind of change.
    pub status: Status,
    /// The blob after the commit; for a deletion, the blob before it.
    pub blob: ObjectId,
}

impl Timeline {
    /// Returns, among the first `end` commits, the one with the most ancestors (the newest on ties); `None` if `end` is
    /// 0.
    pub fn tip_with_most_ancestors(&self, end: usize) -> Option<usize> {
        let mut is_tip = vec![true; end];
        for parent in self.commits[..end].iter().flat_map(|commit| &commit.parents) {
            is_tip[*parent] = false;
        }
        let reached = |tip: usize| {
            let (mut seen, mut left, mut count) = (vec![false; end], vec![tip], 0);
            while let Some(index) = left.pop() {
                if !std::mem::replace(&mut seen[index], true) {
                    count += 1;
                    left.extend(&self.commits[index].parents);
                }
            }
            count
        };
        (0..end).filter(|index| is_tip[*index]).max_by_key(|tip| (reached(*tip), *tip))
    }
}

/// Reads the reachable commits.
///
/// `read` returns an event, and `keeps` whether a path is not ignored.
pub fn timeline(
    cache: &Connection,
    people: &People,
    read: impl Fn(Seq) -> Result<StoredEvent>,
    keeps: impl Fn(&str) -> bool,
) -> Result<Timeline> {
    let mut statement = cache.prepare("SELECT seq, author FROM commit_row JOIN reachable USING (seq)")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows: Vec<(Seq, i64)> = rows.collect::<rusqlite::Result<_>>()?;
    let mut commits: Vec<(Seq, i64, CommitData<'static>)> = Vec::with_capacity(rows.len());
    for (seq, author) in rows {
        commits.push((seq, author, read(seq)?.commit()?.into_owned()));
    }
    let order = order_of(&commits);
    let (mut timeline, mut paths, mut names) = (Timeline::default(), HashMap::new(), HashMap::new());
    let mut index_of_sha: HashMap<String, usize> = HashMap::new();
    let mut commits: Vec<Option<(Seq, i64, CommitData<'static>)>> = commits.into_iter().map(Some).collect();
    for index in order {
        let Some((seq, author, data)) = commits[index].take() else { continue };
        let humans = people.humans_of(seq, author);
        let authors = humans.map(|name| intern(&mut names, &mut timeline.people, name.to_string())).collect();
        let touched = data.files_changed.len();
        let mut changes = Vec::with_capacity(touched);
        for change in data.files_changed.into_iter().filter(|change| keeps(&change.path)) {
            let Ok(blob) = ObjectId::from_hex(change.blob.as_bytes()) else { continue };
            let path = intern(&mut paths, &mut timeline.paths, change.path.into_owned());
            let from = change.from.map(|from| intern(&mut paths, &mut timeline.paths, from));
            changes.push(PathChange { path, from, status: change.status, blob });
        }
        let (is_merge, time) = (data.parents.len() > 1, data.committer_time);
        let parents = data.parents.iter().filter_map(|parent| index_of_sha.get(parent).copied()).collect();
        let (sha, message) = (data.sha.into_owned(), data.message.into_owned());
        index_of_sha.insert(sha.clone(), timeline.commits.len());
        timeline.commits.push(TimelineCommit { seq, sha, time, parents, is_merge, authors, message, touched, changes });
    }
    Ok(timeline)
}

/// Returns the indices of `commits` in topological order.
fn order_of(commits: &[(Seq, i64, CommitData<'_>)]) -> Vec<usize> {
    let index: HashMap<&str, usize> = (0..).zip(commits).map(|(index, (.., data))| (&*data.sha, index)).collect();
    let of =
        |data: &CommitData<'_>| data.parents.iter().filter_map(|parent| index.get(parent.as_str()).copied()).collect();
    let parents: Vec<Vec<usize>> = commits.iter().map(|(.., data)| of(data)).collect();
    let keys: Vec<(i64, &str)> = commits.iter().map(|(.., data)| (data.committer_time, &*data.sha)).collect();
    topological(&keys, &parents)
}

/// Returns the index of a name in `all`, and appends it if it is new.
pub(super) fn intern(known: &mut HashMap<String, u32>, all: &mut Vec<String>, name: String) -> u32 {
    *known.entry(name).or_insert_with_key(|name| {
        all.push(name.clone());
        all.len() as u32 - 1
    })
}

/// Returns the indices `0..keys.len()` in topological order: parents first, and among commits whose parents are all
/// placed, the one with the smallest key.
pub(super) fn topological<K: Ord + Copy>(keys: &[K], parents: &[Vec<usize>]) -> Vec<usize> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); keys.len()];
    let mut waits = vec![0_usize; keys.len()];
    for (index, parents) in parents.iter().enumerate() {
        for parent in parents {
            children[*parent].push(index);
            waits[index] += 1;
        }
    }
    let key = |index: usize| Reverse((keys[index], index));
    let mut ready: BinaryHeap<_> = (0..keys.len()).filter(|index| waits[*index] == 0).map(key).collect();
    let mut order = Vec::with_capacity(keys.len());
    while let Some(Reverse((.., index))) = ready.pop() {
        order.push(index);
        for child in &children[index] {
            waits[*child] -= 1;
            if waits[*child] == 0 {
                ready.push(key(*child));
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_come_first_whatever_the_clock_says() {
        let keys = [(1, "d"), (5, "c"), (3, "b"), (9, "a")];
        let parents = [vec![2, 1], vec![3], vec![3], vec![]];
        let order: Vec<&str> = topological(&keys, &parents).into_iter().map(|index| keys[index].1).collect();
        assert_eq!(order, ["a", "b", "c", "d"]);
    }

    #[test]
    fn the_tip_with_most_ancestors_is_found() {
        let commit = |parents: &[usize]| TimelineCommit {
            seq: 0,
            sha: String::new(),
            time: 0,
            parents: parents.to_vec(),
            is_merge: false,
            authors: Vec::new(),
            message: String::new(),
            touched: 0,
            changes: Vec::new(),
        };
        // A root, a long branch beside a short one, and their merge.
        let commits = [&[][..], &[0], &[0], &[1], &[3], &[2, 4]].map(commit).into();
        let timeline = Timeline { commits, ..Timeline::default() };
        let tips: Vec<Option<usize>> = (0..=6).map(|end| timeline.tip_with_most_ancestors(end)).collect();
        assert_eq!(tips, [None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(5)]);
    }
}
