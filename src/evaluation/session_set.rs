//! Development sessions as queries and as training data. A session belongs to the part of the split in which it began.
//!
//! Invariant: no session is used both for training and as a query.

use std::collections::{HashMap, HashSet};

use super::Split;
use crate::entries::SessionRecord;
use crate::facts::{Body, EntryData, EntryFact, source_of};
use crate::fail;
use crate::history::{ChangeCounts, FileId, Timeline, TimelineCommit};
use crate::sessions::{Category, is_searchable};

/// The most entries per session that are queries, spread evenly; each session has the same weight in any case.
const MAX_ENTRIES: usize = 12;

/// A session whose entries are queries.
#[derive(Debug, Clone)]
pub struct EvalSession {
    /// The session key, `session:<id>`.
    pub key: String,
    /// The index of the commit before which it is evaluated.
    pub start_index: usize,
    /// The indices of the texts of its goals.
    pub goals: Vec<u32>,
    /// The indices of the texts of some of its entries, goals included.
    pub queries: Vec<u32>,
    /// The encoded names of files in its entries, as written.
    pub named: Vec<String>,
    /// The indices of its non-merge commits in the same part of the split, oldest first.
    pub commits: Vec<usize>,
}

/// A session entry for training.
#[derive(Debug, Clone)]
pub struct TrainingEntry {
    /// The entry key, `session:<id>/<n>`.
    pub key: String,
    /// The session key, `session:<id>`.
    pub session: String,
    /// The category: `decision`, ...
    pub category: String,
    /// The encoded names of files that it mentions, as written.
    pub files: Vec<String>,
    /// Its content.
    pub content: String,
    /// The index of its text in the corpus; `None` if it has no text.
    pub text: Option<u32>,
}

/// Finds where sessions and their commits are in a timeline.
pub struct SessionPlacement<'t> {
    timeline: &'t Timeline,
    by_sha: HashMap<&'t str, usize>,
}

impl<'t> SessionPlacement<'t> {
    /// Creates the placement for a timeline.
    pub fn new(timeline: &'t Timeline) -> Self {
        let by_sha = timeline.commits.iter().enumerate().map(|(index, commit)| (commit.sha.as_str(), index)).collect();
        SessionPlacement { timeline, by_sha }
    }

    /// Returns the index of the first commit that is not older than a session, or of the session's own first commit if
    /// that is earlier. So nothing is seen too early even if clocks disagree.
    pub fn start_index(&self, started: i64, commits: &[String]) -> usize {
        let timeline = &self.timeline.commits;
        let later = timeline.iter().position(|commit| commit.time >= started).unwrap_or(timeline.len());
        self.indices_of(commits).into_iter().fold(later, usize::min)
    }

    /// Returns the indices of some commits, given by hexadecimal id, ascending.
    fn indices_of(&self, commits: &[String]) -> Vec<usize> {
        let mut indices: Vec<usize> = commits.iter().filter_map(|sha| self.by_sha.get(sha.as_str()).copied()).collect();
        indices.sort_unstable();
        indices
    }
}

/// Resolves file names: current paths, former paths, and path suffixes that are unique among live files.
#[derive(Debug, Default)]
pub struct FileNames {
    /// The last file that had each path.
    file_of_path: HashMap<u32, FileId>,
    by_path: HashMap<String, u32>,
}

impl FileNames {
    /// Creates a resolver that knows no commits yet.
    pub fn new(timeline: &Timeline) -> Self {
        let by_path = timeline.paths.iter().cloned().zip(0..).collect();
        FileNames { file_of_path: HashMap::new(), by_path }
    }

    /// Adds a commit that is already in the counts.
    pub fn add(&mut self, commit: &TimelineCommit, counts: &ChangeCounts) {
        for change in &commit.changes {
            self.file_of_path.extend(counts.file(change.path).map(|file| (change.path, file)));
        }
    }

    /// Returns the live files with some names, each once and ascending.
    pub fn find(&self, names: &[String], counts: &ChangeCounts, paths: &[String]) -> Vec<FileId> {
        let mut ends: Option<HashMap<&str, Vec<FileId>>> = None;
        let mut files = Vec::new();
        for name in names {
            let file = self.by_path.get(name).and_then(|path| self.file_of_path.get(path)).copied();
            let file = file.filter(|file| counts.file(counts.path(*file)) == Some(*file));
            files.extend(file.or_else(|| match ends.get_or_insert_with(|| by_end(counts, paths)).get(name.as_str()) {
                Some(only) if only.len() == 1 => Some(only[0]),
                _ => None,
            }));
        }
        files.sort_unstable();
        files.dedup();
        files
    }
}

/// Returns the live files by every suffix of their paths after a slash.
fn by_end<'p>(counts: &ChangeCounts, paths: &'p [String]) -> HashMap<&'p str, Vec<FileId>> {
    let mut ends: HashMap<&str, Vec<FileId>> = HashMap::new();
    for file in counts.live() {
        let path = paths[counts.path(file) as usize].as_str();
        for (at, _) in path.match_indices('/') {
            ends.entry(&path[at + 1..]).or_default().push(file);
        }
    }
    ends
}

/// Returns the sessions that began after the training split. `text` returns the text index of an entry.
pub fn eval_sessions(
    placement: &SessionPlacement<'_>,
    split: &Split,
    sessions: &[SessionRecord],
    mut text: impl FnMut(&'static str, &str) -> Option<u32>,
) -> Vec<EvalSession> {
    let mut kept_sessions = Vec::new();
    for told in sessions {
        let Some(index) = told.started.map(|started| placement.start_index(started, &told.commits)) else { continue };
        let Some(part) = [&split.fit, &split.gate, &split.test].into_iter().find(|part| part.contains(&index)) else {
            continue;
        };
        let is_kept = |index: &usize| part.contains(index) && !placement.timeline.commits[*index].is_merge;
        let mut commits = placement.indices_of(&told.commits);
        commits.retain(is_kept);
        let (mut all, mut goals, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        for entry in told.entries.iter().filter(|entry| is_searchable(entry.category)) {
            let Some(said) = text(entry.category, &entry.content).filter(|text| seen.insert(*text)) else { continue };
            all.push(said);
            if entry.category == Category::Goal.name() {
                goals.push(said);
            }
        }
        let stride = all.len().div_ceil(MAX_ENTRIES).max(1);
        let queries = all.into_iter().step_by(stride).collect();
        let mut named: Vec<String> = told.entries.iter().flat_map(|entry| entry.files.clone()).collect();
        named.sort_unstable();
        named.dedup();
        kept_sessions.push(EvalSession { key: told.key.clone(), start_index: index, goals, queries, named, commits });
    }
    kept_sessions.sort_by(|a, b| (a.start_index, &a.key).cmp(&(b.start_index, &b.key)));
    kept_sessions
}

/// Returns the session entries for training: all entries of sessions that began within the training split.
///
/// They come from the session logs in the tree at the split, and from other sessions up to that time. `logs` are the
/// entries of each log in the tree, the session itself first. Empty if `sessions` is.
pub fn training_entries(
    placement: &SessionPlacement<'_>,
    split: &Split,
    sessions: &[SessionRecord],
    logs: &[Vec<EntryFact>],
) -> Vec<TrainingEntry> {
    let timeline = &placement.timeline.commits;
    let until = timeline.get(split.train.end).map_or(i64::MAX, |commit| commit.time);
    let leaks = fail::leaks("a later session");
    let trains = |started: Option<i64>, commits: &[String]| {
        started.is_none_or(|started| {
            split.train.end == timeline.len() || placement.start_index(started, commits) < split.train.end
        })
    };
    let mut all = Vec::new();
    for log in logs.iter().filter(|_| !leaks && !sessions.is_empty()) {
        let Some((head, entries)) = log.split_first() else { continue };
        let session = source_of(&head.session);
        for entry in entries.iter().filter(|_| trains(head.time, &[])) {
            let Ok(Some(Body::Entry(data))) = Body::decode(&entry.fact.event_type, &entry.fact.data) else { continue };
            let EntryData { category, content, files, .. } = data;
            let (key, category) = (format!("{session}/{}", entry.n), category.name().to_string());
            all.push(TrainingEntry { key, session: session.clone(), category, files, content, text: None });
        }
    }
    for told in sessions.iter().filter(|told| leaks || !told.is_tracked && trains(told.started, &told.commits)) {
        for entry in told.entries.iter().filter(|entry| leaks || entry.time.is_some_and(|time| time < until)) {
            let (key, session, category) = (entry.key.clone(), told.key.clone(), entry.category.to_string());
            let (files, content) = (entry.files.clone(), entry.content.clone());
            all.push(TrainingEntry { key, session, category, files, content, text: None });
        }
    }
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entries::RecordedEntry;
    use crate::history::TimelineCommit;

    fn timeline(times: &[i64]) -> Timeline {
        let commit = |(index, time): (usize, &i64)| TimelineCommit {
            seq: 0,
            sha: format!("{index}"),
            time: *time,
            parents: Vec::new(),
            is_merge: false,
            authors: Vec::new(),
            message: String::new(),
            touched: 1,
            changes: Vec::new(),
        };
        let commits = times.iter().enumerate().map(commit).collect();
        Timeline { commits, paths: vec!["a.rs".to_string(), "b.rs".to_string()], people: Vec::new() }
    }

    fn entry(time: i64) -> RecordedEntry {
        let files = vec!["a.rs".to_string(), "nowhere.rs".to_string()];
        RecordedEntry {
            key: format!("session:s/{time}"),
            category: "goal",
            time: Some(time),
            content: "c".into(),
            files,
        }
    }

    fn told(started: i64, is_tracked: bool, times: &[i64], commits: &[&str]) -> SessionRecord {
        SessionRecord {
            key: format!("session:{started}"),
            started: Some(started),
            is_tracked,
            entries: times.iter().map(|time| entry(*time)).collect(),
            commits: commits.iter().map(|sha| (*sha).to_string()).collect(),
        }
    }

    fn split() -> Split {
        Split { train: 0..4, fit: 4..6, gate: 6..8, test: 8..10, has_test: true }
    }

    #[test]
    fn a_session_starts_before_newer_commits_and_its_own() {
        let timeline = timeline(&[10, 20, 30, 25, 40]);
        let placement = SessionPlacement::new(&timeline);
        let check = |started: i64, commits: &[&str], expect: usize| {
            let commits: Vec<String> = commits.iter().map(|sha| (*sha).to_string()).collect();
            assert_eq!(placement.start_index(started, &commits), expect, "{started}");
        };
        check(5, &[], 0);
        check(20, &[], 1);
        check(27, &[], 2);
        check(41, &[], 5);
        check(41, &["4", "3"], 3);
    }

    #[test]
    fn a_session_is_a_query_where_it_began() {
        let timeline = timeline(&[10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
        let placement = SessionPlacement::new(&timeline);
        let sessions =
            [told(45, true, &[46, 47], &["4", "5", "6"]), told(95, true, &[96], &[]), told(5, true, &[6], &[])];
        let mut texts = 0;
        let found = eval_sessions(&placement, &split(), &sessions, |_, _| {
            texts += 1;
            Some(texts)
        });
        let said: Vec<_> =
            found.iter().map(|one| (one.start_index, one.queries.len(), one.goals.len(), &one.commits[..])).collect();
        assert_eq!(said, [(4, 2, 2, &[4, 5][..]), (9, 1, 1, &[])], "training sessions are not queries");
        assert_eq!(found[0].named, ["a.rs", "nowhere.rs"], "each once");
    }

    #[test]
    fn training_uses_no_query_session_and_no_later_entry() {
        let timeline = timeline(&[10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
        let placement = SessionPlacement::new(&timeline);
        let check = |told: SessionRecord, expect: usize| {
            assert_eq!(training_entries(&placement, &split(), &[told], &[]).len(), expect)
        };
        check(told(35, false, &[36, 37, 55], &[]), 2);
        check(told(45, false, &[46], &[]), 0);
        check(told(35, true, &[36], &[]), 0);
    }
}
