//! Sessions as they are asked and learned from: each belongs where it began, and what was made in it counts as far as its
//! part goes. Refuses to let a session be learned from that is asked.

use std::collections::{HashMap, HashSet};

use super::Split;
use crate::entries::Told;
use crate::facts::{Body, EntryData, EntryFact, source_of};
use crate::fail;
use crate::history::{File, Step, Tally, Timeline};
use crate::sessions::{Category, is_told};

/// Entries that a session is asked by, spread evenly: each session weighs the same, and more of one say no more.
const MOST_ENTRIES: usize = 12;

/// A session that is asked.
#[derive(Debug, Clone)]
pub struct Session {
    /// `session:<id>`.
    pub key: String,
    /// It is asked before the commit of this place is taken in.
    pub place: usize,
    /// Places of the texts of its goals.
    pub goals: Vec<u32>,
    /// Places of the texts of some of its entries, its goals among them.
    pub asks: Vec<u32>,
    /// Files that its entries name, encoded, as they name them.
    pub named: Vec<String>,
    /// Its commits that are no merges and of the same part, oldest first.
    pub commits: Vec<usize>,
}

/// An entry that is learned from.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// `session:<id>/<n>`.
    pub key: String,
    /// `session:<id>`.
    pub session: String,
    /// `decision`, ...
    pub category: String,
    /// Files it names, encoded, as it names them.
    pub files: Vec<String>,
    /// What was said.
    pub content: String,
    /// Place of its text among the corpus's; none where it says nothing.
    pub text: Option<u32>,
}

/// Where sessions begin along a history.
pub struct Places<'t> {
    timeline: &'t Timeline,
    by_sha: HashMap<&'t str, usize>,
}

impl<'t> Places<'t> {
    /// Of a history.
    pub fn new(timeline: &'t Timeline) -> Self {
        let by_sha = timeline.steps.iter().enumerate().map(|(place, step)| (step.sha.as_str(), place)).collect();
        Places { timeline, by_sha }
    }

    /// The first step that is not older than a session, nor one of its own; where clocks disagree nothing is seen too
    /// early.
    pub fn of(&self, started: i64, commits: &[String]) -> usize {
        let steps = &self.timeline.steps;
        let later = steps.iter().position(|step| step.time >= started).unwrap_or(steps.len());
        self.made(commits).into_iter().fold(later, usize::min)
    }

    fn made(&self, commits: &[String]) -> Vec<usize> {
        let mut places: Vec<usize> = commits.iter().filter_map(|sha| self.by_sha.get(sha.as_str()).copied()).collect();
        places.sort_unstable();
        places
    }
}

/// Files by every name they go by: those they bear, those they bore, and the ends of paths that only one of them has.
#[derive(Debug, Default)]
pub struct Names {
    /// By path.
    bearers: HashMap<u32, File>,
    by_path: HashMap<String, u32>,
}

impl Names {
    /// Of files that are taken in later.
    pub fn new(timeline: &Timeline) -> Self {
        let by_path = timeline.paths.iter().cloned().zip(0..).collect();
        Names { bearers: HashMap::new(), by_path }
    }

    /// Takes a commit in that the tally took in.
    pub fn take(&mut self, step: &Step, tally: &Tally) {
        for change in &step.changes {
            self.bearers.extend(tally.file(change.path).map(|file| (change.path, file)));
        }
    }

    /// The live files of some names, each once.
    pub fn find(&self, names: &[String], tally: &Tally, paths: &[String]) -> Vec<File> {
        let mut ends: Option<HashMap<&str, Vec<File>>> = None;
        let mut files = Vec::new();
        for name in names {
            let bearer = self.by_path.get(name).and_then(|path| self.bearers.get(path)).copied();
            let bearer = bearer.filter(|file| tally.file(tally.path(*file)) == Some(*file));
            files.extend(bearer.or_else(
                || match ends.get_or_insert_with(|| by_end(tally, paths)).get(name.as_str()) {
                    Some(only) if only.len() == 1 => Some(only[0]),
                    _ => None,
                },
            ));
        }
        files.sort_unstable();
        files.dedup();
        files
    }
}

/// The live files by every end of their paths.
fn by_end<'p>(tally: &Tally, paths: &'p [String]) -> HashMap<&'p str, Vec<File>> {
    let mut ends: HashMap<&str, Vec<File>> = HashMap::new();
    for file in tally.live() {
        let path = paths[tally.path(file) as usize].as_str();
        for (at, _) in path.match_indices('/') {
            ends.entry(&path[at + 1..]).or_default().push(file);
        }
    }
    ends
}

/// The sessions that began after what trains; `text` gives the place of what an entry says.
pub fn asked(
    places: &Places<'_>,
    split: &Split,
    sessions: &[Told],
    mut text: impl FnMut(&'static str, &str) -> Option<u32>,
) -> Vec<Session> {
    let mut asked = Vec::new();
    for told in sessions {
        let Some(place) = told.started.map(|started| places.of(started, &told.commits)) else { continue };
        let Some(part) = [&split.fit, &split.gate, &split.test].into_iter().find(|part| part.contains(&place)) else {
            continue;
        };
        let is_kept = |place: &usize| part.contains(place) && !places.timeline.steps[*place].is_merge;
        let mut commits = places.made(&told.commits);
        commits.retain(is_kept);
        let (mut all, mut goals, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        for entry in told.entries.iter().filter(|entry| is_told(entry.category)) {
            let Some(said) = text(entry.category, &entry.content).filter(|text| seen.insert(*text)) else { continue };
            all.push(said);
            if entry.category == Category::Goal.name() {
                goals.push(said);
            }
        }
        let stride = all.len().div_ceil(MOST_ENTRIES).max(1);
        let asks = all.into_iter().step_by(stride).collect();
        let mut named: Vec<String> = told.entries.iter().flat_map(|entry| entry.files.clone()).collect();
        named.sort_unstable();
        named.dedup();
        asked.push(Session { key: told.key.clone(), place, goals, asks, named, commits });
    }
    asked.sort_by(|a, b| (a.place, &a.key).cmp(&(b.place, &b.key)));
    asked
}

/// What may be learned of sessions: logs as they stood in the tree where training ends, and what was said elsewhere before
/// that, each of a session that began before; nothing where no sessions are given. `logs` are the entries of each log of that tree, the session first.
pub fn lessons(places: &Places<'_>, split: &Split, sessions: &[Told], logs: &[Vec<EntryFact>]) -> Vec<Lesson> {
    let steps = &places.timeline.steps;
    let until = steps.get(split.train.end).map_or(i64::MAX, |step| step.time);
    let leaks = fail::leaks("a later session");
    let trains = |started: Option<i64>, commits: &[String]| {
        started.is_none_or(|started| split.train.end == steps.len() || places.of(started, commits) < split.train.end)
    };
    let mut all = Vec::new();
    for log in logs.iter().filter(|_| !leaks && !sessions.is_empty()) {
        let Some((head, entries)) = log.split_first() else { continue };
        let session = source_of(&head.session);
        for entry in entries.iter().filter(|_| trains(head.time, &[])) {
            let Ok(Some(Body::Entry(data))) = Body::decode(&entry.fact.event_type, &entry.fact.data) else { continue };
            let EntryData { category, content, files, .. } = data;
            let (key, category) = (format!("{session}/{}", entry.n), category.name().to_string());
            all.push(Lesson { key, session: session.clone(), category, files, content, text: None });
        }
    }
    for told in sessions.iter().filter(|told| leaks || !told.is_tracked && trains(told.started, &told.commits)) {
        for entry in told.entries.iter().filter(|entry| leaks || entry.time.is_some_and(|time| time < until)) {
            let (key, session, category) = (entry.key.clone(), told.key.clone(), entry.category.to_string());
            let (files, content) = (entry.files.clone(), entry.content.clone());
            all.push(Lesson { key, session, category, files, content, text: None });
        }
    }
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entries::ToldEntry;
    use crate::history::Step;

    fn timeline(times: &[i64]) -> Timeline {
        let step = |(place, time): (usize, &i64)| Step {
            seq: 0,
            sha: format!("{place}"),
            time: *time,
            parents: Vec::new(),
            is_merge: false,
            authors: Vec::new(),
            message: String::new(),
            touched: 1,
            changes: Vec::new(),
        };
        let steps = times.iter().enumerate().map(step).collect();
        Timeline { steps, paths: vec!["a.rs".to_string(), "b.rs".to_string()], people: Vec::new() }
    }

    fn entry(time: i64) -> ToldEntry {
        let files = vec!["a.rs".to_string(), "nowhere.rs".to_string()];
        ToldEntry { key: format!("session:s/{time}"), category: "goal", time: Some(time), content: "c".into(), files }
    }

    fn told(started: i64, is_tracked: bool, times: &[i64], commits: &[&str]) -> Told {
        Told {
            key: format!("session:{started}"),
            started: Some(started),
            is_tracked,
            entries: times.iter().map(|time| entry(*time)).collect(),
            commits: commits.iter().map(|sha| (*sha).to_string()).collect(),
        }
    }

    fn split() -> Split {
        Split { train: 0..4, fit: 4..6, gate: 6..8, test: 8..10, is_measuring: true }
    }

    #[test]
    fn a_session_begins_before_what_is_not_older_and_before_its_own_commits() {
        let timeline = timeline(&[10, 20, 30, 25, 40]);
        let places = Places::new(&timeline);
        let check = |started: i64, commits: &[&str], expect: usize| {
            let commits: Vec<String> = commits.iter().map(|sha| (*sha).to_string()).collect();
            assert_eq!(places.of(started, &commits), expect, "{started}");
        };
        check(5, &[], 0);
        check(20, &[], 1);
        check(27, &[], 2);
        check(41, &[], 5);
        check(41, &["4", "3"], 3);
    }

    #[test]
    fn a_session_is_asked_where_it_began_for_what_its_part_holds() {
        let timeline = timeline(&[10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
        let places = Places::new(&timeline);
        let sessions =
            [told(45, true, &[46, 47], &["4", "5", "6"]), told(95, true, &[96], &[]), told(5, true, &[6], &[])];
        let mut texts = 0;
        let found = asked(&places, &split(), &sessions, |_, _| {
            texts += 1;
            Some(texts)
        });
        let said: Vec<_> =
            found.iter().map(|one| (one.place, one.asks.len(), one.goals.len(), &one.commits[..])).collect();
        assert_eq!(said, [(4, 2, 2, &[4, 5][..]), (9, 1, 1, &[])], "what trains is not asked");
        assert_eq!(found[0].named, ["a.rs", "nowhere.rs"], "each once");
    }

    #[test]
    fn nothing_is_learned_of_what_is_asked_or_was_said_later() {
        let timeline = timeline(&[10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
        let places = Places::new(&timeline);
        let check = |told: Told, expect: usize| assert_eq!(lessons(&places, &split(), &[told], &[]).len(), expect);
        check(told(35, false, &[36, 37, 55], &[]), 2);
        check(told(45, false, &[46], &[]), 0);
        check(told(35, true, &[36], &[]), 0);
    }
}
