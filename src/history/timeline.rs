//! History as a list of steps, parents before children: what a measurement walks along, one commit at a time. Refuses
//! to say what a file is called today; each step has the names of its own time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use anyhow::Result;
use rusqlite::Connection;

use super::People;
use crate::event::{Seq, Status};
use crate::eventlog::StoredEvent;
use crate::facts::CommitData;
use crate::git::ObjectId;

/// Every reachable commit in topological order, ties by committer time and id.
#[derive(Debug, Default)]
pub struct Timeline {
    /// The commits.
    pub steps: Vec<Step>,
    /// Encoded paths; a step names them by their place here.
    pub paths: Vec<String>,
    /// People who wrote commits, bots and agents apart.
    pub people: Vec<String>,
}

/// One commit.
#[derive(Debug)]
pub struct Step {
    /// Position of its event.
    pub seq: Seq,
    /// Object id in hexadecimal.
    pub sha: String,
    /// Committer time, Unix seconds.
    pub time: i64,
    /// The places of its parents among the steps.
    pub parents: Vec<usize>,
    /// More than one parent: it says nothing about files.
    pub is_merge: bool,
    /// Who wrote it, by their place in [`Timeline::people`], the author first; bots and agents are left out.
    pub authors: Vec<u32>,
    /// The whole message.
    pub message: String,
    /// How many paths it touched, those that do not count among them.
    pub touched: usize,
    /// What it did to which paths.
    pub changes: Vec<Change>,
}

/// What a commit did to a path.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// Place in [`Timeline::paths`].
    pub path: u32,
    /// The path it came from, where it is an exact rename.
    pub from: Option<u32>,
    /// What happened.
    pub status: Status,
    /// What it holds after the commit; for a deletion, what it held before.
    pub blob: ObjectId,
}

impl Timeline {
    /// Of the first `end` steps the one that reaches the most of them, the newest of equals; none where there is none.
    pub fn widest(&self, end: usize) -> Option<usize> {
        let mut is_tip = vec![true; end];
        for parent in self.steps[..end].iter().flat_map(|step| &step.parents) {
            is_tip[*parent] = false;
        }
        let reached = |tip: usize| {
            let (mut seen, mut left, mut count) = (vec![false; end], vec![tip], 0);
            while let Some(place) = left.pop() {
                if !std::mem::replace(&mut seen[place], true) {
                    count += 1;
                    left.extend(&self.steps[place].parents);
                }
            }
            count
        };
        (0..end).filter(|place| is_tip[*place]).max_by_key(|tip| (reached(*tip), *tip))
    }
}

/// Reads the reachable commits; `read` gives an event, `keeps` says which paths count.
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
    let mut places: HashMap<String, usize> = HashMap::new();
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
            changes.push(Change { path, from, status: change.status, blob });
        }
        let (is_merge, time) = (data.parents.len() > 1, data.committer_time);
        let parents = data.parents.iter().filter_map(|parent| places.get(parent).copied()).collect();
        let (sha, message) = (data.sha.into_owned(), data.message.into_owned());
        places.insert(sha.clone(), timeline.steps.len());
        timeline.steps.push(Step { seq, sha, time, parents, is_merge, authors, message, touched, changes });
    }
    Ok(timeline)
}

/// The places of commits in topological order.
fn order_of(commits: &[(Seq, i64, CommitData<'_>)]) -> Vec<usize> {
    let place: HashMap<&str, usize> = (0..).zip(commits).map(|(index, (.., data))| (&*data.sha, index)).collect();
    let of =
        |data: &CommitData<'_>| data.parents.iter().filter_map(|parent| place.get(parent.as_str()).copied()).collect();
    let parents: Vec<Vec<usize>> = commits.iter().map(|(.., data)| of(data)).collect();
    let keys: Vec<(i64, &str)> = commits.iter().map(|(.., data)| (data.committer_time, &*data.sha)).collect();
    topological(&keys, &parents)
}

pub(super) fn intern(known: &mut HashMap<String, u32>, all: &mut Vec<String>, name: String) -> u32 {
    *known.entry(name).or_insert_with_key(|name| {
        all.push(name.clone());
        all.len() as u32 - 1
    })
}

/// The places of commits, parents first; among those whose parents are out, the smallest key. Keys are times, ties
/// broken by ids.
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
    fn the_widest_reaches_the_most() {
        let step = |parents: &[usize]| Step {
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
        // A root, a long branch beside a short one, and what joins them.
        let steps = [&[][..], &[0], &[0], &[1], &[3], &[2, 4]].map(step).into();
        let timeline = Timeline { steps, ..Timeline::default() };
        let widest: Vec<Option<usize>> = (0..=6).map(|end| timeline.widest(end)).collect();
        assert_eq!(widest, [None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(5)]);
    }
}
