//! Co-change and popularity counts as of a commit, built by adding one commit after another.
//!
//! A file keeps its identity over exact renames. Invariant: the counts include only the commits that were added, so
//! nothing looks ahead.

use std::collections::HashMap;

use super::timeline::{PathChange, TimelineCommit};
use super::{CoChange, LARGEST_COMMIT, PairWeight, decay};
use crate::event::Status;

/// The index of a file in [`ChangeCounts`]; the same under all names of the file.
pub type FileId = u32;

/// The half-life of a shared commit, in days.
pub const HALF_LIFE: f64 = 180.0;
/// The half-life of a commit in a file's popularity, in days.
pub const POPULARITY_HALF_LIFE: f64 = 90.0;

/// Which commits touched which files, as of the last commit that was added.
#[derive(Debug, Default)]
pub struct ChangeCounts {
    by_path: HashMap<u32, FileId>,
    files: Vec<CountedFile>,
    commits: Vec<CountedCommit>,
    time: i64,
}

/// One file: its current path and the commits that touched it.
#[derive(Debug)]
struct CountedFile {
    path: u32,
    is_live: bool,
    /// The indices of the commits that touched it, oldest first, without merges.
    commits: Vec<u32>,
    /// How many of them touch at most [`LARGEST_COMMIT`] paths.
    informative: usize,
}

/// A commit that was added and is not a merge.
#[derive(Debug)]
pub struct CountedCommit {
    /// The committer time, in Unix seconds.
    pub time: i64,
    /// The number of paths it touched, including ignored ones.
    pub touched: usize,
    /// The files it touched, ascending and each once.
    pub files: Vec<FileId>,
    /// Its authors, as in [`TimelineCommit::authors`].
    pub authors: Vec<u32>,
    /// Its index in [`Timeline::commits`](super::Timeline::commits).
    pub timeline_index: usize,
    /// Its index in [`ChangeCounts::commits`].
    pub index: usize,
}

/// A change of a path that is counted.
#[derive(Debug, Clone, Copy)]
pub struct Touch {
    /// The index of the path.
    pub path: u32,
    /// The index of the path it was renamed from; only for an exact rename.
    pub from: Option<u32>,
    /// Whether the path is gone after the commit.
    pub is_gone: bool,
}

impl ChangeCounts {
    /// Adds a commit of a timeline. A merge only advances the time.
    pub fn add_commit(&mut self, index: usize, commit: &TimelineCommit) {
        if commit.is_merge {
            self.time = commit.time;
            return;
        }
        let touch =
            |change: &PathChange| Touch { path: change.path, from: change.from, is_gone: change.status == Status::D };
        let touches: Vec<Touch> = commit.changes.iter().map(touch).collect();
        let (time, touched, authors) = (commit.time, commit.touched, commit.authors.clone());
        self.add_counted(
            CountedCommit { time, touched, files: Vec::new(), authors, timeline_index: index, index: 0 },
            &touches,
        );
    }

    /// Adds a commit that is not a merge, with its changes. Fills in its `files` and `index`.
    pub fn add_counted(&mut self, mut commit: CountedCommit, touches: &[Touch]) {
        self.time = commit.time;
        let mut files: Vec<FileId> = Vec::with_capacity(touches.len());
        // Renames come first, so that a moved file keeps its history before its old path is seen as deleted.
        for touch in touches {
            if let Some(file) = touch.from.and_then(|from| self.by_path.get(&from).copied()) {
                self.by_path.insert(touch.path, file);
                self.files[file as usize].path = touch.path;
                files.push(file);
            }
        }
        for touch in touches {
            let file = self.by_path.get(&touch.path).copied().unwrap_or_else(|| self.add_file(touch.path));
            let file_state = &mut self.files[file as usize];
            if file_state.path == touch.path {
                file_state.is_live = !touch.is_gone;
            } else {
                // This is the old path of a file that was renamed in this commit.
                self.by_path.remove(&touch.path);
            }
            files.push(file);
        }
        files.sort_unstable();
        files.dedup();
        let index = self.commits.len() as u32;
        for file in &files {
            let file_state = &mut self.files[*file as usize];
            file_state.commits.push(index);
            file_state.informative += usize::from(commit.touched as i64 <= LARGEST_COMMIT);
        }
        (commit.files, commit.index) = (files, self.commits.len());
        self.commits.push(commit);
    }

    /// Adds a file that is not known yet.
    fn add_file(&mut self, path: u32) -> FileId {
        let file = self.files.len() as FileId;
        self.files.push(CountedFile { path, is_live: false, commits: Vec::new(), informative: 0 });
        self.by_path.insert(path, file);
        file
    }

    /// Sets the current time, and the paths that exist.
    ///
    /// Needed because commits on several branches may disagree about what exists, and a file may have been last touched
    /// before the first commit that was added.
    pub fn set_live(&mut self, time: i64, live: impl IntoIterator<Item = u32>) {
        self.time = time;
        self.files.iter_mut().for_each(|file_state| file_state.is_live = false);
        for path in live {
            let known = self.by_path.get(&path).copied().filter(|file| self.files[*file as usize].path == path);
            let file = known.unwrap_or_else(|| self.add_file(path));
            self.files[file as usize].is_live = true;
        }
    }

    /// Returns the number of files that ever existed; every [`FileId`] is less.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Returns whether no file is known.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns the time of the last commit that was added, in Unix seconds.
    pub fn time(&self) -> i64 {
        self.time
    }

    /// Returns the files that exist now, ascending.
    pub fn live(&self) -> impl Iterator<Item = FileId> + '_ {
        (0..self.files.len() as FileId).filter(|file| self.files[*file as usize].is_live)
    }

    /// Returns the file that exists at a path.
    pub fn file(&self, path: u32) -> Option<FileId> {
        self.by_path.get(&path).copied().filter(|file| self.files[*file as usize].is_live)
    }

    /// Returns the index of a file's current path.
    pub fn path(&self, file: FileId) -> u32 {
        self.files[file as usize].path
    }

    /// Returns the commits of at most [`LARGEST_COMMIT`] paths that touched a file, oldest first.
    pub fn commits_of(&self, file: FileId) -> impl DoubleEndedIterator<Item = &CountedCommit> {
        self.all_commits_of(file).filter(|commit| commit.touched as i64 <= LARGEST_COMMIT)
    }

    /// Returns the number of those commits.
    pub fn count_of(&self, file: FileId) -> usize {
        self.files[file as usize].informative
    }

    /// Returns every commit that touched a file, oldest first. For authorship the size of a commit does not matter.
    pub fn all_commits_of(&self, file: FileId) -> impl DoubleEndedIterator<Item = &CountedCommit> {
        self.files[file as usize].commits.iter().map(|index| &self.commits[*index as usize])
    }

    /// Returns every commit that was added and is not a merge, oldest first.
    pub fn commits(&self) -> &[CountedCommit] {
        &self.commits
    }

    /// Returns how long ago a file was last touched, in seconds and in commits.
    pub fn age(&self, file: FileId) -> Option<(i64, usize)> {
        let last = *self.files[file as usize].commits.last()? as usize;
        Some((self.time.saturating_sub(self.commits[last].time).max(0), self.commits.len() - 1 - last))
    }

    /// Returns the co-change of a file with every file, indexed by [`FileId`].
    pub fn shared(&self, file: FileId) -> Vec<CoChange> {
        let mut shared = vec![CoChange::default(); self.files.len()];
        for commit in self.all_commits_of(file) {
            let Some(weight) = PairWeight::of(commit.touched, commit.time, self.time) else { continue };
            for other in commit.files.iter().filter(|other| **other != file) {
                shared[*other as usize].add(weight);
            }
        }
        shared
    }

    /// Returns the decayed number of commits of every file, indexed by [`FileId`].
    pub fn popularity(&self) -> Vec<f64> {
        let mut popularity = vec![0.0; self.files.len()];
        for commit in self.commits.iter().filter(|commit| commit.touched as i64 <= LARGEST_COMMIT) {
            let weight = decay(self.time, commit.time, POPULARITY_HALF_LIFE);
            for file in commit.files.iter().filter(|_| weight > 1e-4) {
                popularity[*file as usize] += weight;
            }
        }
        popularity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(time: i64, changes: &[(u32, Option<u32>, Status)]) -> TimelineCommit {
        let changes = changes.iter().map(|(path, from, status)| PathChange {
            path: *path,
            from: *from,
            status: *status,
            blob: crate::git::ObjectId::empty_blob(crate::git::sha1()),
        });
        let changes: Vec<PathChange> = changes.collect();
        let (sha, message) = (String::new(), String::new());
        TimelineCommit {
            seq: 0,
            sha,
            time,
            parents: Vec::new(),
            is_merge: false,
            authors: Vec::new(),
            message,
            touched: changes.len(),
            changes,
        }
    }

    #[test]
    fn a_renamed_file_keeps_its_history() {
        use Status::{A, D, M};
        let mut counts = ChangeCounts::default();
        counts.add_commit(0, &commit(0, &[(0, None, A), (1, None, A)]));
        counts.add_commit(1, &commit(1, &[(0, None, D), (2, Some(0), A)]));
        let moved = counts.file(2).expect("it lives");
        assert_eq!(counts.file(0), None);
        assert_eq!(counts.count_of(moved), 2);
        assert_eq!(counts.shared(moved)[counts.file(1).expect("it lives") as usize].count, 1.0);
        // Another file has its old path now.
        counts.add_commit(2, &commit(2, &[(0, None, A)]));
        assert_ne!(counts.file(0), Some(moved));
        counts.add_commit(3, &commit(3, &[(2, None, D)]));
        assert_eq!(counts.file(2), None);
        counts.add_commit(4, &commit(4, &[(2, None, M)]));
        assert_eq!(counts.file(2), Some(moved), "a file that comes back is the same file");
        assert_eq!(counts.live().count(), 3);
    }

    #[test]
    fn exactly_the_given_paths_are_live() {
        use Status::{A, D};
        let mut counts = ChangeCounts::default();
        counts.add_commit(0, &commit(0, &[(0, None, A), (1, None, A)]));
        counts.add_commit(1, &commit(1, &[(0, None, D), (2, Some(0), A)]));
        counts.set_live(9, [2, 5]);
        let live: Vec<u32> = counts.live().map(|file| counts.path(file)).collect();
        assert_eq!((live, counts.time()), (vec![2, 5], 9));
        assert_eq!(counts.count_of(counts.file(2).expect("it is seen")), 2);
        assert_eq!(counts.count_of(counts.file(5).expect("it is seen")), 0);
    }

    #[test]
    fn a_pair_in_a_commit_of_n_paths_weighs_1_over_n_minus_1() {
        use Status::{A, M};
        let mut counts = ChangeCounts::default();
        counts.add_commit(0, &commit(0, &[(0, None, A), (1, None, A), (2, None, A)]));
        counts.add_commit(1, &commit(180 * 86_400, &[(0, None, M), (1, None, M)]));
        let shared = counts.shared(0);
        assert_eq!((shared[1].count, shared[1].decayed), (2.0, 1.0 + 0.25));
        assert_eq!((shared[2].count, shared[2].decayed), (1.0, 0.25));
        assert_eq!(counts.age(2), Some((180 * 86_400, 1)));
    }
}
