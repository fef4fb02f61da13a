//! The graph of the commits reachable from any HEAD: ranges, branches, and lookup by abbreviated id.
//!
//! Unreachable commits are followed only until a reachable one is found.

use std::collections::{BinaryHeap, HashMap, HashSet};

use anyhow::Result;
use rusqlite::Connection;

use crate::event::hex;
use crate::git::{ObjectId, Repository};

/// Consecutive older commits after which a walk along first parents stops; one alone may have a wrong clock.
const MAX_OLDER_COMMITS: usize = 8;
/// The most unreachable commits that are visited on the way from a session's commit to a reachable one.
const MAX_UNREACHABLE: usize = 1_000;

/// Commits reachable from any HEAD, with their parents.
pub struct CommitGraph {
    commits: HashMap<Vec<u8>, ReachableCommit>,
    /// Commits by time.
    order: Vec<(i64, Vec<u8>)>,
    /// The commit ids, sorted.
    names: Vec<Vec<u8>>,
    /// Tips of merged branches by the name in the merge's subject, because most branches are deleted after the merge.
    merged_tips: HashMap<String, Vec<Vec<u8>>>,
}

/// Time and parents of a commit.
struct ReachableCommit {
    time: i64,
    parents: Vec<Vec<u8>>,
}

/// Which end of a range reaches a commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ReachSide {
    Wanted,
    Excluded,
}

impl CommitGraph {
    /// Loads the graph from the cache.
    pub fn load(cache: &Connection) -> Result<Self> {
        let mut commits = HashMap::new();
        let mut seqs = HashMap::new();
        let mut statement =
            cache.prepare("SELECT seq, sha, time FROM commit_row WHERE seq IN (SELECT seq FROM reachable)")?;
        let rows =
            statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get(2)?)))?;
        for row in rows {
            let (seq, sha, time) = row?;
            seqs.insert(seq, sha.clone());
            commits.insert(sha, ReachableCommit { time, parents: Vec::new() });
        }
        let mut statement = cache.prepare("SELECT child, sha FROM parent ORDER BY child, ordinal")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        for row in rows {
            let (child, parent) = row?;
            if let Some(child) = seqs.get(&child).and_then(|sha| commits.get_mut(sha)) {
                child.parents.push(parent);
            }
        }
        let mut merged_tips: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
        let mut statement = cache.prepare(
            "SELECT subject, parent.ordinal, parent.sha FROM parent JOIN commit_row ON commit_row.seq = parent.child
             WHERE parent.ordinal > 0 AND parent.child IN (SELECT seq FROM reachable)",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get(2)?)))?;
        for row in rows {
            let (subject, ordinal, tip): (String, i64, Vec<u8>) = row?;
            if let Some(name) = merged_branches(&subject).get(ordinal as usize - 1) {
                merged_tips.entry(name.to_string()).or_default().push(tip);
            }
        }
        let mut order: Vec<(i64, Vec<u8>)> = commits.iter().map(|(sha, one)| (one.time, sha.clone())).collect();
        order.sort();
        let mut names: Vec<Vec<u8>> = commits.keys().cloned().collect();
        names.sort();
        Ok(CommitGraph { commits, order, names, merged_tips })
    }

    /// Returns the commits on a branch since a time: along first parents from its tip, if the branch still exists or a
    /// merge named it.
    pub fn on_branch(&self, repository: &Repository, name: &str, since: i64) -> HashSet<&[u8]> {
        let places = [format!("refs/heads/{name}"), format!("refs/remotes/origin/{name}")];
        let ends = places.iter().filter_map(|place| repository.resolve_commit(place));
        let ends = ends.map(|id| id.as_bytes().to_vec()).flat_map(|end| self.nearest_reachable(repository, &end));
        let merged = self.merged_tips.get(name).into_iter().flatten().cloned();
        self.first_parent_lines(ends.chain(merged), since)
    }

    /// Keeps the commits that are in `own` or extend it, as on a branch that was created meanwhile. `made` is oldest
    /// first.
    ///
    /// A commit extends `own` if its first parent is the newest kept commit of the session's branch, the commit that
    /// the branch was at when the session started, or such an extension.
    pub fn retain_branch_commits(&self, made: &mut Vec<&Vec<u8>>, own: &HashSet<&[u8]>, started: i64) {
        let earlier =
            own.iter().filter_map(|sha| self.commits.get_key_value(*sha)).filter(|(_, one)| one.time < started);
        let parent_of = |sha: &[u8]| self.commits.get(sha).and_then(|one| one.parents.first()).map(Vec::as_slice);
        let begun = earlier.max_by_key(|(_, one)| one.time).map(|(sha, _)| sha.as_slice());
        // If the branch itself continues from its earlier tip, other continuations belong to somebody else.
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

    /// Returns the commits since a time along first parents, and a few older ones.
    fn first_parent_lines(&self, ends: impl Iterator<Item = Vec<u8>>, since: i64) -> HashSet<&[u8]> {
        let mut line = HashSet::new();
        for end in ends {
            let (mut next, mut older) = (self.commits.get_key_value(&end), 0);
            while let Some((_, one)) = next.filter(|(sha, _)| older <= MAX_OLDER_COMMITS && line.insert(sha.as_slice()))
            {
                older = if one.time < since { older + 1 } else { 0 };
                next = one.parents.first().and_then(|parent| self.commits.get_key_value(parent));
            }
        }
        line
    }

    /// Returns the commit with a hexadecimal prefix of at least four digits, if there is only one.
    pub fn by_prefix(&self, prefix: &str) -> Option<&Vec<u8>> {
        let prefix = prefix.to_lowercase();
        let from = self.names.partition_point(|sha| hex(sha) < prefix);
        let mut found = self.names[from..].iter().take_while(|sha| prefix.len() >= 4 && hex(sha).starts_with(&prefix));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// Returns a commit's time, in Unix seconds.
    pub fn time_of(&self, sha: &[u8]) -> Option<i64> {
        self.commits.get(sha).map(|one| one.time)
    }

    /// Returns the commits between two times, both included, oldest first.
    pub fn between_times(&self, first: i64, last: i64) -> impl Iterator<Item = &Vec<u8>> {
        let from = self.order.partition_point(|(time, _)| *time < first);
        self.order[from..].iter().take_while(move |(time, _)| *time <= last).map(|(_, sha)| sha)
    }

    /// Returns the commit itself if it is reachable, and otherwise its nearest reachable ancestors, since its branch
    /// may have been rewritten.
    pub fn nearest_reachable(&self, repository: &Repository, commit: &[u8]) -> Vec<Vec<u8>> {
        let (mut found, mut seen, mut waiting) = (Vec::new(), HashSet::new(), vec![commit.to_vec()]);
        while let Some(commit) = waiting.pop() {
            if self.commits.contains_key(&commit) {
                found.push(commit);
            } else if seen.len() < MAX_UNREACHABLE
                && seen.insert(commit.clone())
                && let Ok(id) = ObjectId::try_from(commit.as_slice())
            {
                waiting.extend(repository.parents_of(id).into_iter().map(|parent| parent.as_bytes().to_vec()));
            }
        }
        found
    }

    /// Returns the commits reachable from `ends` but not from `starts`, oldest first, in hexadecimal.
    pub fn between(&self, starts: &[Vec<u8>], ends: &[Vec<u8>]) -> Vec<String> {
        let mut sides: HashMap<&[u8], ReachSide> = HashMap::new();
        let mut queue: BinaryHeap<(i64, &[u8])> = BinaryHeap::new();
        let mut wanted = 0;
        let excluded = starts.iter().map(|start| (start, ReachSide::Excluded));
        for (sha, side) in ends.iter().map(|end| (end, ReachSide::Wanted)).chain(excluded) {
            let Some((sha, one)) = self.commits.get_key_value(sha) else { continue };
            match sides.insert(sha, side) {
                None => {
                    wanted += usize::from(side == ReachSide::Wanted);
                    queue.push((one.time, sha));
                }
                Some(ReachSide::Wanted) if side == ReachSide::Excluded => wanted -= 1,
                Some(_) => {}
            }
        }
        let mut found = Vec::new();
        // Newest first. The walk ends when no queued commit is wanted any more.
        while wanted > 0 {
            let Some((time, sha)) = queue.pop() else { break };
            let side = sides[sha];
            if side == ReachSide::Wanted {
                wanted -= 1;
                found.push((time, sha));
            }
            for parent in &self.commits[sha].parents {
                let Some((parent, one)) = self.commits.get_key_value(parent) else { continue };
                match sides.get(parent.as_slice()).copied() {
                    None => {
                        sides.insert(parent, side);
                        queue.push((one.time, parent));
                        wanted += usize::from(side == ReachSide::Wanted);
                    }
                    Some(ReachSide::Wanted) if side == ReachSide::Excluded => {
                        sides.insert(parent, side);
                        // A parent that is still queued will be visited. One that was visited already, because clocks
                        // disagree, is queued again.
                        match queue.iter().any(|(_, waits)| *waits == parent.as_slice()) {
                            true => wanted -= 1,
                            false => queue.push((one.time, parent)),
                        }
                    }
                    Some(_) => {}
                }
            }
        }
        found.retain(|(_, sha)| sides[sha] == ReachSide::Wanted);
        found.sort();
        found.into_iter().map(|(_, sha)| hex(sha)).collect()
    }
}

/// Returns the branch names in a merge's subject, in the order of its other parents.
///
/// Understands the subjects that git and the common hosts write.
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

    fn commits(edges: &[(u8, i64, &[u8])]) -> CommitGraph {
        let commits: HashMap<Vec<u8>, ReachableCommit> = edges
            .iter()
            .map(|(id, time, parents)| {
                (
                    vec![*id; 20],
                    ReachableCommit { time: *time, parents: parents.iter().map(|parent| vec![*parent; 20]).collect() },
                )
            })
            .collect();
        let mut order: Vec<(i64, Vec<u8>)> = commits.iter().map(|(sha, one)| (one.time, sha.clone())).collect();
        order.sort();
        let mut names: Vec<Vec<u8>> = commits.keys().cloned().collect();
        names.sort();
        CommitGraph { commits, order, names, merged_tips: HashMap::new() }
    }

    #[test]
    fn a_branch_is_its_first_parent_line() {
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
                all.first_parent_lines(std::iter::once(vec![end; 20]), 90).iter().map(|sha| sha[0]).collect();
            found.sort_unstable();
            assert_eq!(found, expect, "{end}");
        };
        let older: Vec<u8> = (100..=100 + MAX_OLDER_COMMITS as u8).collect();
        check(6, &[&[1, 2, 4, 6], older.as_slice()].concat());
        check(5, &[&[1, 2, 3, 5], older.as_slice()].concat());
        check(200, &[]);
    }

    #[test]
    fn extensions_of_a_branch_are_kept_and_commits_of_others_are_not() {
        // The branch is 1 - 2 - 3 - 6. The session made 4 - 5 from its tip then, others made 7 - 8 from an older tip.
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
            all.retain_branch_commits(&mut made, &own.iter().map(Vec::as_slice).collect(), 10);
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
    fn a_range_holds_what_only_its_end_reaches() {
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
    fn a_unique_prefix_names_a_commit() {
        let all = commits(&[(0x11, 1, &[]), (0x12, 2, &[])]);
        assert_eq!(all.by_prefix("1111"), Some(&vec![0x11; 20]));
        assert_eq!(all.by_prefix("1212"), Some(&vec![0x12; 20]));
        assert_eq!(all.by_prefix("1"), None);
        assert_eq!(all.by_prefix("9999"), None);
    }
}
