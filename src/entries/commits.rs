//! The commits that a HEAD reaches: which are between two, which are on a branch, which is meant by a few digits. Refuses to
//! follow a commit that no HEAD reaches further than to where history is known again.

use std::collections::{BinaryHeap, HashMap, HashSet};

use anyhow::Result;
use rusqlite::Connection;

use crate::event::hex;
use crate::git::{ObjectId, Repository};

/// A line of commits that is older than asked for is given up after so many: a clock may have been wrong.
const SLOP: usize = 8;
/// Commits that no HEAD reaches and that are gone through, from a session's start to where history is known again.
const MOST_UNKNOWN: usize = 1_000;

/// Commits that a HEAD reaches, and who is whose parent.
pub struct Commits {
    known: HashMap<Vec<u8>, Known>,
    /// By time.
    order: Vec<(i64, Vec<u8>)>,
    /// By name.
    names: Vec<Vec<u8>>,
    /// The last commits of branches, by the names that merges give them: a branch is mostly gone when it was merged.
    merged: HashMap<String, Vec<Vec<u8>>>,
}

struct Known {
    time: i64,
    parents: Vec<Vec<u8>>,
}

/// From where a walk came to a commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Wanted,
    Excluded,
}

impl Commits {
    /// Reads them.
    pub fn load(cache: &Connection) -> Result<Self> {
        let mut known = HashMap::new();
        let mut seqs = HashMap::new();
        let mut statement =
            cache.prepare("SELECT seq, sha, time FROM commit_row WHERE seq IN (SELECT seq FROM reachable)")?;
        let rows =
            statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get(2)?)))?;
        for row in rows {
            let (seq, sha, time) = row?;
            seqs.insert(seq, sha.clone());
            known.insert(sha, Known { time, parents: Vec::new() });
        }
        let mut statement = cache.prepare("SELECT child, sha FROM parent ORDER BY child, ordinal")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        for row in rows {
            let (child, parent) = row?;
            if let Some(child) = seqs.get(&child).and_then(|sha| known.get_mut(sha)) {
                child.parents.push(parent);
            }
        }
        let mut merged: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
        let mut statement = cache.prepare(
            "SELECT subject, parent.ordinal, parent.sha FROM parent JOIN commit_row ON commit_row.seq = parent.child
             WHERE parent.ordinal > 0 AND parent.child IN (SELECT seq FROM reachable)",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get(2)?)))?;
        for row in rows {
            let (subject, ordinal, tip): (String, i64, Vec<u8>) = row?;
            if let Some(name) = merged_branches(&subject).get(ordinal as usize - 1) {
                merged.entry(name.to_string()).or_default().push(tip);
            }
        }
        let mut order: Vec<(i64, Vec<u8>)> = known.iter().map(|(sha, one)| (one.time, sha.clone())).collect();
        order.sort();
        let mut names: Vec<Vec<u8>> = known.keys().cloned().collect();
        names.sort();
        Ok(Commits { known, order, names, merged })
    }

    /// The commits since a moment that were made on a branch, as far as is known: those from its end by first parents,
    /// where it is there still, or a merge has named it.
    pub fn on_branch(&self, repository: &Repository, name: &str, since: i64) -> HashSet<&[u8]> {
        let places = [format!("refs/heads/{name}"), format!("refs/remotes/origin/{name}")];
        let ends = places.iter().filter_map(|place| repository.resolve_commit(place));
        let ends = ends.map(|id| id.as_bytes().to_vec()).flat_map(|end| self.known_below(repository, &end));
        let merged = self.merged.get(name).into_iter().flatten().cloned();
        self.lines_of(ends.chain(merged), since)
    }

    /// Keeps those of some commits, the oldest first, that are among `own`, or go on from where these stood, as on a branch
    /// that was made on the way.
    pub fn follow(&self, made: &mut Vec<&Vec<u8>>, own: &HashSet<&[u8]>, started: i64) {
        let earlier = own.iter().filter_map(|sha| self.known.get_key_value(*sha)).filter(|(_, one)| one.time < started);
        let parent_of = |sha: &[u8]| self.known.get(sha).and_then(|one| one.parents.first()).map(Vec::as_slice);
        let begun = earlier.max_by_key(|(_, one)| one.time).map(|(sha, _)| sha.as_slice());
        // Where the branch itself goes on from what was there before, whatever else does is another's.
        let goes_on =
            |begun: &&[u8]| made.iter().any(|sha| own.contains(sha.as_slice()) && parent_of(sha) == Some(*begun));
        let mut tip = begun.filter(|begun| !goes_on(begun));
        let mut beside: HashSet<&[u8]> = HashSet::new();
        made.retain(|sha| {
            let parent = parent_of(sha);
            if own.contains(sha.as_slice()) {
                tip = Some(sha.as_slice());
            } else if parent.is_some_and(|parent| tip == Some(parent) || beside.contains(parent)) {
                beside.insert(sha.as_slice());
            } else {
                return false;
            }
            true
        });
    }

    /// The commits since a moment that are reached by first parents, and some that they were made on.
    fn lines_of(&self, ends: impl Iterator<Item = Vec<u8>>, since: i64) -> HashSet<&[u8]> {
        let mut line = HashSet::new();
        for end in ends {
            let (mut next, mut older) = (self.known.get_key_value(&end), 0);
            while let Some((_, one)) = next.filter(|(sha, _)| older <= SLOP && line.insert(sha.as_slice())) {
                older = if one.time < since { older + 1 } else { 0 };
                next = one.parents.first().and_then(|parent| self.known.get_key_value(parent));
            }
        }
        line
    }

    /// The commit that is meant by hexadecimal digits, where they mean one.
    pub fn named(&self, prefix: &str) -> Option<&Vec<u8>> {
        let prefix = prefix.to_lowercase();
        let from = self.names.partition_point(|sha| hex(sha) < prefix);
        let mut found = self.names[from..].iter().take_while(|sha| prefix.len() >= 4 && hex(sha).starts_with(&prefix));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// When a commit was made, Unix seconds.
    pub fn time(&self, sha: &[u8]) -> Option<i64> {
        self.known.get(sha).map(|one| one.time)
    }

    /// The commits between two moments, the oldest first, both included.
    pub fn during(&self, first: i64, last: i64) -> impl Iterator<Item = &Vec<u8>> {
        let from = self.order.partition_point(|(time, _)| *time < first);
        self.order[from..].iter().take_while(move |(time, _)| *time <= last).map(|(_, sha)| sha)
    }

    /// A commit, where a HEAD reaches it, else the first ones below it that one reaches: its branch may have been rewritten.
    pub fn known_below(&self, repository: &Repository, commit: &[u8]) -> Vec<Vec<u8>> {
        let (mut found, mut seen, mut waiting) = (Vec::new(), HashSet::new(), vec![commit.to_vec()]);
        while let Some(commit) = waiting.pop() {
            if self.known.contains_key(&commit) {
                found.push(commit);
            } else if seen.len() < MOST_UNKNOWN
                && seen.insert(commit.clone())
                && let Ok(id) = ObjectId::try_from(commit.as_slice())
            {
                waiting.extend(repository.parents_of(id).into_iter().map(|parent| parent.as_bytes().to_vec()));
            }
        }
        found
    }

    /// What some of `ends` reach and none of `starts` does, the oldest first.
    pub fn between(&self, starts: &[Vec<u8>], ends: &[Vec<u8>]) -> Vec<String> {
        let mut sides: HashMap<&[u8], Side> = HashMap::new();
        let mut queue: BinaryHeap<(i64, &[u8])> = BinaryHeap::new();
        let mut wanted = 0;
        let excluded = starts.iter().map(|start| (start, Side::Excluded));
        for (sha, side) in ends.iter().map(|end| (end, Side::Wanted)).chain(excluded) {
            let Some((sha, one)) = self.known.get_key_value(sha) else { continue };
            match sides.insert(sha, side) {
                None => {
                    wanted += usize::from(side == Side::Wanted);
                    queue.push((one.time, sha));
                }
                Some(Side::Wanted) if side == Side::Excluded => wanted -= 1,
                Some(_) => {}
            }
        }
        let mut found = Vec::new();
        // Newest first; done when nothing that waits is wanted.
        while wanted > 0 {
            let Some((time, sha)) = queue.pop() else { break };
            let side = sides[sha];
            if side == Side::Wanted {
                wanted -= 1;
                found.push((time, sha));
            }
            for parent in &self.known[sha].parents {
                let Some((parent, one)) = self.known.get_key_value(parent) else { continue };
                match sides.get(parent.as_slice()).copied() {
                    None => {
                        sides.insert(parent, side);
                        queue.push((one.time, parent));
                        wanted += usize::from(side == Side::Wanted);
                    }
                    Some(Side::Wanted) if side == Side::Excluded => {
                        sides.insert(parent, side);
                        // Where it waits, its turn comes; where clocks disagreed and it had its turn, it has another.
                        match queue.iter().any(|(_, waits)| *waits == parent.as_slice()) {
                            true => wanted -= 1,
                            false => queue.push((one.time, parent)),
                        }
                    }
                    Some(_) => {}
                }
            }
        }
        found.retain(|(_, sha)| sides[sha] == Side::Wanted);
        found.sort();
        found.into_iter().map(|(_, sha)| hex(sha)).collect()
    }
}

/// The branches that a merge brought in, in the order of its other parents, as git and those who host it word its subject.
fn merged_branches(subject: &str) -> Vec<&str> {
    if let Some((_, from)) = subject.strip_prefix("Merge pull request ").and_then(|rest| rest.split_once(" from ")) {
        return from.split_once('/').map(|(_, name)| name.trim()).into_iter().collect();
    }
    let Some(rest) = subject.strip_prefix("Merge ") else { return Vec::new() };
    let told = rest.split(" into ").next().unwrap_or(rest);
    let quoted = told.split('\'').skip(1).step_by(2);
    match told.starts_with("remote-tracking ") {
        true => quoted.filter_map(|name| name.split_once('/').map(|(_, name)| name)).collect(),
        false if told.starts_with("branch") => quoted.collect(),
        false => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commits(edges: &[(u8, i64, &[u8])]) -> Commits {
        let known: HashMap<Vec<u8>, Known> = edges
            .iter()
            .map(|(id, time, parents)| {
                (
                    vec![*id; 20],
                    Known { time: *time, parents: parents.iter().map(|parent| vec![*parent; 20]).collect() },
                )
            })
            .collect();
        let mut order: Vec<(i64, Vec<u8>)> = known.iter().map(|(sha, one)| (one.time, sha.clone())).collect();
        order.sort();
        let mut names: Vec<Vec<u8>> = known.keys().cloned().collect();
        names.sort();
        Commits { known, order, names, merged: HashMap::new() }
    }

    #[test]
    fn a_branch_is_what_first_parents_reach() {
        // 1 - 2 - 4 - 6, and 2 - 3 - 5 merged into 6, whose clock was wrong; before them 20 that are older.
        let mut edges: Vec<(u8, i64, Vec<u8>)> = (100..120).map(|id| (id, 1, vec![id + 1])).collect();
        edges.extend([
            (1, 90, vec![100]),
            (2, 91, vec![1]),
            (3, 92, vec![2]),
            (4, 93, vec![2]),
            (5, 94, vec![3]),
            (6, 2, vec![4, 5]),
        ]);
        let edges: Vec<(u8, i64, &[u8])> =
            edges.iter().map(|(id, time, parents)| (*id, *time, parents.as_slice())).collect();
        let all = commits(&edges);
        let check = |end: u8, expect: &[u8]| {
            let mut found: Vec<u8> =
                all.lines_of(std::iter::once(vec![end; 20]), 90).iter().map(|sha| sha[0]).collect();
            found.sort_unstable();
            assert_eq!(found, expect, "{end}");
        };
        let older: Vec<u8> = (100..=100 + SLOP as u8).collect();
        check(6, &[&[1, 2, 4, 6], older.as_slice()].concat());
        check(5, &[&[1, 2, 3, 5], older.as_slice()].concat());
        check(200, &[]);
    }

    #[test]
    fn what_goes_on_from_a_branch_is_followed_and_what_others_made_is_not() {
        // 1 - 2 - 3 - 6 of the branch, 4 - 5 made on the way from where it stood, 7 - 8 by others from where it had stood.
        let all = commits(&[
            (1, 1, &[]),
            (2, 11, &[1]),
            (3, 12, &[2]),
            (7, 13, &[2]),
            (4, 14, &[3]),
            (5, 15, &[4]),
            (8, 16, &[7]),
            (6, 17, &[3]),
        ]);
        let shas: Vec<Vec<u8>> = [2, 3, 7, 4, 5, 8, 6].iter().map(|id| vec![*id; 20]).collect();
        let check = |own: &[u8], expect: &[u8]| {
            let own: Vec<Vec<u8>> = own.iter().map(|id| vec![*id; 20]).collect();
            let mut made: Vec<&Vec<u8>> = shas.iter().collect();
            all.follow(&mut made, &own.iter().map(Vec::as_slice).collect(), 10);
            assert_eq!(made.iter().map(|sha| sha[0]).collect::<Vec<_>>(), expect);
        };
        check(&[1, 2, 3, 6], &[2, 3, 4, 5, 6]);
        check(&[1, 6], &[2, 3, 7, 4, 5, 8, 6]);
    }

    #[test]
    fn a_merge_names_the_branches_it_brought() {
        let check = |subject: &str, expect: &[&str]| assert_eq!(merged_branches(subject), expect, "{subject}");
        check("Merge branch 'fix/x'", &["fix/x"]);
        check("Merge branch 'fix' into 'main'", &["fix"]);
        check("Merge branch 'main' of https://example.org/a into fix", &["main"]);
        check("Merge branches 'a', 'b' and 'c' into main", &["a", "b", "c"]);
        check("Merge remote-tracking branch 'origin/fix/x'", &["fix/x"]);
        check("Merge pull request #12 from mira/fix/x", &["fix/x"]);
        check("Merge tag 'v1'", &[]);
        check("Merge the two readers", &[]);
        check("merge branch 'x'", &[]);
    }

    #[test]
    fn between_two_commits_is_what_one_reaches_and_the_other_does_not() {
        // 1 - 2 - 4 - 6, and 2 - 3 - 5 merged into 6.
        let all = commits(&[(1, 1, &[]), (2, 2, &[1]), (3, 3, &[2]), (4, 4, &[2]), (5, 5, &[3]), (6, 6, &[4, 5])]);
        let check = |start: u8, end: u8, expect: &[u8]| {
            let found = all.between(&[vec![start; 20]], &[vec![end; 20]]);
            let expect: Vec<String> = expect.iter().map(|id| hex(&[*id; 20])).collect();
            assert_eq!(found, expect, "{start}..{end}");
        };
        check(2, 6, &[3, 4, 5, 6]);
        check(4, 6, &[3, 5, 6]);
        check(5, 6, &[4, 6]);
        check(6, 2, &[]);
        check(2, 2, &[]);
        check(9, 2, &[1, 2]);
        check(1, 9, &[]);
        let several = all.between(&[vec![2; 20], vec![4; 20]], &[vec![4; 20], vec![5; 20], vec![5; 20]]);
        assert_eq!(several, [hex(&[3; 20]), hex(&[5; 20])]);
    }

    #[test]
    fn a_commit_is_meant_by_its_beginning_where_only_one_begins_so() {
        let all = commits(&[(0x11, 1, &[]), (0x12, 2, &[])]);
        assert_eq!(all.named("1111"), Some(&vec![0x11; 20]));
        assert_eq!(all.named("1212"), Some(&vec![0x12; 20]));
        assert_eq!(all.named("1"), None);
        assert_eq!(all.named("9999"), None);
    }
}
