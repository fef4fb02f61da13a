//! What is counted of a history, as of a commit: taken in step by step, asked at any step. A file is one under its many
//! names as long as git shows the rename exactly. Refuses to look ahead: a tally knows what it was given.

use std::collections::HashMap;

use super::timeline::{Change, Step};
use super::{LARGEST_COMMIT, decay};
use crate::event::Status;

/// A file under its many names, by its place in the tally.
pub type File = u32;

/// Half-lives in days: of a shared commit, of a shared commit that is fresh, of popularity.
pub const HALF_LIFE: f64 = 180.0;
/// Fresh.
pub const SHORT_HALF_LIFE: f64 = 45.0;
/// Of popularity.
pub const POPULARITY_HALF_LIFE: f64 = 90.0;

/// The state after some commits.
#[derive(Debug, Default)]
pub struct Tally {
    by_path: HashMap<u32, File>,
    files: Vec<State>,
    commits: Vec<Taken>,
    time: i64,
}

#[derive(Debug)]
struct State {
    path: u32,
    is_live: bool,
    /// Commits that touched it, merges left out, oldest first.
    commits: Vec<u32>,
    /// How many of them are of a size that says something.
    telling: usize,
}

/// A commit that was taken in.
#[derive(Debug)]
pub struct Taken {
    /// Committer time.
    pub time: i64,
    /// Paths it touched, whatever became of them.
    pub touched: usize,
    /// Files it touched, each once.
    pub files: Vec<File>,
    /// Who wrote it, as [`Step::authors`].
    pub authors: Vec<u32>,
    /// Its place among the steps.
    pub step: usize,
    /// Its place among the commits taken in.
    pub place: usize,
}

/// What a commit did to a path, as far as it is counted.
#[derive(Debug, Clone, Copy)]
pub struct Touch {
    /// The path.
    pub path: u32,
    /// The path it came from, where it is an exact rename.
    pub from: Option<u32>,
    /// Whether nothing stands there any more.
    pub is_gone: bool,
}

/// What two files share.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shared {
    /// Commits.
    pub count: f64,
    /// Each worth 1/(n-1), half of it every 180 days.
    pub decayed: f64,
    /// The same, half of it every 45 days.
    pub fresh: f64,
}

impl Tally {
    /// Takes a commit in; one that merges says when it was, and nothing else.
    pub fn take(&mut self, place: usize, step: &Step) {
        if step.is_merge {
            self.time = step.time;
            return;
        }
        let touch =
            |change: &Change| Touch { path: change.path, from: change.from, is_gone: change.status == Status::D };
        let touches: Vec<Touch> = step.changes.iter().map(touch).collect();
        let (time, touched, authors) = (step.time, step.touched, step.authors.clone());
        self.add(Taken { time, touched, files: Vec::new(), authors, step: place, place: 0 }, &touches);
    }

    /// Takes a commit in that is no merge, with what it did to which paths; its files and place are found here.
    pub fn add(&mut self, mut commit: Taken, touches: &[Touch]) {
        self.time = commit.time;
        let mut files: Vec<File> = Vec::with_capacity(touches.len());
        // A file that moved keeps what it was; only then does its old name end.
        for touch in touches {
            if let Some(file) = touch.from.and_then(|from| self.by_path.get(&from).copied()) {
                self.by_path.insert(touch.path, file);
                self.files[file as usize].path = touch.path;
                files.push(file);
            }
        }
        for touch in touches {
            let file = self.by_path.get(&touch.path).copied().unwrap_or_else(|| self.begin(touch.path));
            let state = &mut self.files[file as usize];
            if state.path == touch.path {
                state.is_live = !touch.is_gone;
            } else {
                // Its old name, which left in the same commit.
                self.by_path.remove(&touch.path);
            }
            files.push(file);
        }
        files.sort_unstable();
        files.dedup();
        let index = self.commits.len() as u32;
        for file in &files {
            let state = &mut self.files[*file as usize];
            state.commits.push(index);
            state.telling += usize::from(commit.touched as i64 <= LARGEST_COMMIT);
        }
        (commit.files, commit.place) = (files, self.commits.len());
        self.commits.push(commit);
    }

    /// A file that was not there before.
    fn begin(&mut self, path: u32) -> File {
        let file = self.files.len() as File;
        self.files.push(State { path, is_live: false, commits: Vec::new(), telling: 0 });
        self.by_path.insert(path, file);
        file
    }

    /// Says what is there, and what time it is: branches that were taken in one after another may disagree, and what
    /// was last touched before the first commit taken in is there all the same.
    pub fn see(&mut self, time: i64, live: impl IntoIterator<Item = u32>) {
        self.time = time;
        self.files.iter_mut().for_each(|state| state.is_live = false);
        for path in live {
            let known = self.by_path.get(&path).copied().filter(|file| self.files[*file as usize].path == path);
            let file = known.unwrap_or_else(|| self.begin(path));
            self.files[file as usize].is_live = true;
        }
    }

    /// How many files there ever were: every [`File`] is less.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether nothing was taken in.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The time of the last commit taken in.
    pub fn time(&self) -> i64 {
        self.time
    }

    /// The files that exist now.
    pub fn live(&self) -> impl Iterator<Item = File> + '_ {
        (0..self.files.len() as File).filter(|file| self.files[*file as usize].is_live)
    }

    /// The live file of a path.
    pub fn file(&self, path: u32) -> Option<File> {
        self.by_path.get(&path).copied().filter(|file| self.files[*file as usize].is_live)
    }

    /// What a file is called now.
    pub fn path(&self, file: File) -> u32 {
        self.files[file as usize].path
    }

    /// Commits of a size that says something which touched a file, oldest first.
    pub fn commits_of(&self, file: File) -> impl DoubleEndedIterator<Item = &Taken> {
        self.all_commits_of(file).filter(|commit| commit.touched as i64 <= LARGEST_COMMIT)
    }

    /// How many of those there are.
    pub fn count_of(&self, file: File) -> usize {
        self.files[file as usize].telling
    }

    /// Every commit that touched a file, oldest first: for who wrote it, size says nothing.
    pub fn all_commits_of(&self, file: File) -> impl DoubleEndedIterator<Item = &Taken> {
        self.files[file as usize].commits.iter().map(|index| &self.commits[*index as usize])
    }

    /// Every commit taken in that is no merge, oldest first.
    pub fn commits(&self) -> &[Taken] {
        &self.commits
    }

    /// Seconds and commits since a file was last touched.
    pub fn since(&self, file: File) -> Option<(i64, usize)> {
        let last = *self.files[file as usize].commits.last()? as usize;
        Some((self.time.saturating_sub(self.commits[last].time).max(0), self.commits.len() - 1 - last))
    }

    /// What a file shares with each other one; dense, by file.
    pub fn shared(&self, file: File) -> Vec<Shared> {
        let mut shared = vec![Shared::default(); self.files.len()];
        for commit in self.commits_of(file).filter(|commit| commit.touched > 1) {
            let weight = 1.0 / (commit.touched - 1) as f64;
            let decayed = weight * decay(self.time, commit.time, HALF_LIFE);
            let fresh = weight * decay(self.time, commit.time, SHORT_HALF_LIFE);
            for other in commit.files.iter().filter(|other| **other != file) {
                let shared = &mut shared[*other as usize];
                shared.count += 1.0;
                shared.decayed += decayed;
                shared.fresh += fresh;
            }
        }
        shared
    }

    /// Decayed commits of every file; dense, by file.
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

    fn step(time: i64, changes: &[(u32, Option<u32>, Status)]) -> Step {
        let changes = changes.iter().map(|(path, from, status)| Change {
            path: *path,
            from: *from,
            status: *status,
            blob: crate::git::ObjectId::empty_blob(crate::git::sha1()),
        });
        let changes: Vec<Change> = changes.collect();
        let (sha, message) = (String::new(), String::new());
        Step {
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
    fn a_file_that_moved_keeps_what_it_was() {
        use Status::{A, D, M};
        let mut tally = Tally::default();
        tally.take(0, &step(0, &[(0, None, A), (1, None, A)]));
        tally.take(1, &step(1, &[(0, None, D), (2, Some(0), A)]));
        let moved = tally.file(2).expect("it lives");
        assert_eq!(tally.file(0), None);
        assert_eq!(tally.count_of(moved), 2);
        assert_eq!(tally.shared(moved)[tally.file(1).expect("it lives") as usize].count, 1.0);
        // Its old name is another file's by now.
        tally.take(2, &step(2, &[(0, None, A)]));
        assert_ne!(tally.file(0), Some(moved));
        tally.take(3, &step(3, &[(2, None, D)]));
        assert_eq!(tally.file(2), None);
        tally.take(4, &step(4, &[(2, None, M)]));
        assert_eq!(tally.file(2), Some(moved), "what comes back is what it was");
        assert_eq!(tally.live().count(), 3);
    }

    #[test]
    fn what_is_seen_is_there_and_nothing_else() {
        use Status::{A, D};
        let mut tally = Tally::default();
        tally.take(0, &step(0, &[(0, None, A), (1, None, A)]));
        tally.take(1, &step(1, &[(0, None, D), (2, Some(0), A)]));
        tally.see(9, [2, 5]);
        let live: Vec<u32> = tally.live().map(|file| tally.path(file)).collect();
        assert_eq!((live, tally.time()), (vec![2, 5], 9));
        assert_eq!(tally.count_of(tally.file(2).expect("it is seen")), 2);
        assert_eq!(tally.count_of(tally.file(5).expect("it is seen")), 0);
    }

    #[test]
    fn a_pair_in_a_commit_of_n_is_one_of_n_less_one() {
        use Status::{A, M};
        let mut tally = Tally::default();
        tally.take(0, &step(0, &[(0, None, A), (1, None, A), (2, None, A)]));
        tally.take(1, &step(180 * 86_400, &[(0, None, M), (1, None, M)]));
        let shared = tally.shared(0);
        assert_eq!((shared[1].count, shared[1].decayed), (2.0, 1.0 + 0.25));
        assert_eq!((shared[2].count, shared[2].decayed), (1.0, 0.25));
        assert_eq!(tally.since(2), Some((180 * 86_400, 1)));
    }
}
