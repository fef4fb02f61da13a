//! The training and evaluation data of a dimension of commits, split by time; with session entries if an experiment
//! asks for them.
//!
//! If a group is a commit, a query is a file (or the message) of a later commit, and the relevant candidates are the
//! commit's other files. If a group spans commits, such as that of a person, a query is a file of a later commit, and
//! its group is relevant.

use std::collections::{BTreeMap, HashMap};

use super::{EvalQuery, EvalSet, MAX_QUERIES, TrainingSelection, TrainingSet};
use crate::adapter::Groups;
use crate::dimensions::{Dimension, LiveFact, Reads};
use crate::evaluation::session_set::FileNames;
use crate::evaluation::{EvalData, TrainingEntry};
use crate::history::{ChangeCounts, CountedCommit, FileId};

/// The prefix of the names of groups that are one commit.
const COMMIT: &str = "commit:";

/// The files that are live at the end of the training split, with their paths there.
struct TreeAtSplit<'m> {
    data: &'m EvalData,
    names: HashMap<FileId, String>,
    texts: HashMap<String, u32>,
}

/// A group from one fact: its name, the texts of its members, and the weight of a pair.
struct NamedGroup {
    name: String,
    texts: Vec<u32>,
    weight: f64,
}

/// Creates the training and evaluation data of a dimension of commits.
pub fn training_set(dimension: &Dimension, data: &EvalData, selection: &TrainingSelection) -> TrainingSet {
    let (timeline, split) = (&data.timeline, &data.split);
    let (mut counts, mut names) = (ChangeCounts::default(), FileNames::new(timeline));
    for index in split.train.clone() {
        counts.add_commit(index, &timeline.commits[index]);
        names.add(&timeline.commits[index], &counts);
    }
    let tree = TreeAtSplit::new(data, &counts, selection);
    let groups = tree.groups(dimension, &counts, selection);
    let is_commit = |name: &str| name.starts_with(COMMIT);
    let candidates: Vec<Vec<u32>> = if groups.keys().all(|name| is_commit(name)) {
        tree.all_texts().into_iter().map(|text| vec![text]).collect()
    } else {
        groups.values().map(|(texts, ..)| texts.clone()).collect()
    };
    let candidate_of_text: HashMap<u32, u32> =
        candidates.iter().zip(0..).map(|(texts, index)| (texts[0], index)).collect();
    let candidate_of_group: HashMap<&str, u32> =
        groups.keys().zip(0..).map(|(name, index)| (name.as_str(), index)).collect();
    // Session entries are resolved to the files as of the end of the training split.
    let reads_entries = selection.sessions && dimension.reads.contains(&Reads::Entries);
    let entries = data.corpus.training_entries.iter().filter(|_| reads_entries);
    let entries_with_files: Vec<(&TrainingEntry, Vec<FileId>)> =
        entries.map(|entry| (entry, names.find(&entry.files, &counts, &timeline.paths))).collect();
    let eval_set = |range: std::ops::Range<usize>, counts: &mut ChangeCounts| {
        let mut queries = Vec::new();
        for index in range {
            counts.add_commit(index, &timeline.commits[index]);
            let Some(counted) = counts.commits().last().filter(|counted| counted.timeline_index == index) else {
                continue;
            };
            for group in tree.groups_of(dimension, counted, selection) {
                let message = data.corpus.messages[index].filter(|text| group.texts.first() == Some(text));
                if !is_commit(&group.name) {
                    if let Some(relevant) = candidate_of_group.get(group.name.as_str()) {
                        let query = |text: &u32| EvalQuery {
                            unit: index,
                            text: *text,
                            relevant: vec![*relevant],
                            excluded: Vec::new(),
                        };
                        queries.extend(group.texts.iter().map(query));
                    }
                    continue;
                }
                let query_texts = message.map_or(group.texts.clone(), |message| vec![message]);
                for text in query_texts {
                    let others = group.texts.iter().filter(|other| **other != text);
                    let relevant: Vec<u32> = others.filter_map(|text| candidate_of_text.get(text).copied()).collect();
                    if !relevant.is_empty() {
                        let excluded = candidate_of_text.get(&text).copied().into_iter().collect();
                        queries.push(EvalQuery { unit: index, text, relevant, excluded });
                    }
                }
            }
        }
        EvalSet { candidates: candidates.clone(), owners: Vec::new(), queries }.subsample(MAX_QUERIES)
    };
    let [fit, gate, test] =
        [split.fit.clone(), split.gate.clone(), split.test.clone()].map(|range| eval_set(range, &mut counts));
    let learned = groups.into_values().map(|(texts, weight, facts)| (texts, weight / facts.max(1) as f64));
    let groups = if reads_entries {
        let entry_groups = tree.entry_groups(dimension, &entries_with_files, selection);
        Groups::new(data.corpus.training_texts_with_sessions, learned.chain(entry_groups))
    } else {
        Groups::new(data.corpus.training_texts, learned)
    };
    TrainingSet { groups, fit, gate, test }
}

impl<'m> TreeAtSplit<'m> {
    fn new(data: &'m EvalData, counts: &ChangeCounts, selection: &TrainingSelection) -> Self {
        let corpus = &data.corpus;
        let (mut names, mut texts) = (HashMap::new(), HashMap::new());
        for file in counts.live() {
            let name = &data.timeline.paths[counts.path(file) as usize];
            let text = corpus.by_key.get(name).and_then(|item| corpus.items[*item as usize].text);
            if let Some(text) = text.filter(|_| !selection.ignore.is_match(name)) {
                names.insert(file, name.clone());
                texts.insert(name.clone(), text);
            }
        }
        TreeAtSplit { data, names, texts }
    }

    /// Returns the texts of all files, ascending.
    fn all_texts(&self) -> Vec<u32> {
        let mut all: Vec<u32> = self.texts.values().copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Returns the groups that one commit forms.
    fn groups_of(
        &self,
        dimension: &Dimension,
        counted: &CountedCommit,
        selection: &TrainingSelection,
    ) -> Vec<NamedGroup> {
        if counted.touched > selection.largest_commit {
            return Vec::new();
        }
        let timeline = &self.data.timeline;
        let commit = &timeline.commits[counted.timeline_index];
        let key = format!("{COMMIT}{}", commit.sha);
        let mut files: Vec<String> = counted.files.iter().filter_map(|file| self.names.get(file).cloned()).collect();
        files.sort();
        let authors = commit.authors.iter().map(|author| timeline.people[*author as usize].clone());
        let authors: Vec<String> = authors.collect();
        let fact = LiveFact::Commit { key: &key, files: &files, touched: counted.touched, authors: &authors };
        let text = |member: &String| match *member == key {
            true => self.data.corpus.messages[counted.timeline_index],
            false => self.texts.get(member).copied(),
        };
        let named = (dimension.groups)(&fact).into_iter().map(|group| NamedGroup {
            texts: group.members.iter().filter_map(text).collect(),
            weight: if selection.weigh_alike { 1.0 } else { group.weight },
            name: group.name,
        });
        named.filter(|group| !group.texts.is_empty() && group.texts.len() <= selection.largest_group).collect()
    }

    /// Returns the groups that session entries form. Each entry is given with the files that it mentions.
    fn entry_groups(
        &self,
        dimension: &Dimension,
        entries: &[(&TrainingEntry, Vec<FileId>)],
        selection: &TrainingSelection,
    ) -> Vec<(Vec<u32>, f64)> {
        let mut groups = Vec::new();
        for (entry, files) in entries {
            let files: Vec<String> = files.iter().filter_map(|file| self.names.get(file).cloned()).collect();
            let TrainingEntry { key, session, category, .. } = entry;
            let text = |member: &String| if member == key { entry.text } else { self.texts.get(member).copied() };
            for group in (dimension.groups)(&LiveFact::Entry { key, files: &files, session, category }) {
                let texts: Vec<u32> = group.members.iter().filter_map(text).collect();
                if texts.len() <= selection.largest_group {
                    groups.push((texts, if selection.weigh_alike { 1.0 } else { group.weight }));
                }
            }
        }
        groups
    }

    /// Returns the groups of the training commits by name: texts, summed weight, and number of commits.
    ///
    /// A group over many commits has the mean weight of its commits.
    fn groups(
        &self,
        dimension: &Dimension,
        counts: &ChangeCounts,
        selection: &TrainingSelection,
    ) -> BTreeMap<String, (Vec<u32>, f64, usize)> {
        let mut groups: BTreeMap<String, (Vec<u32>, f64, usize)> = BTreeMap::new();
        let newest = selection.newest.unwrap_or(usize::MAX);
        for counted in counts.commits().iter().rev().take(newest).rev() {
            for named in self.groups_of(dimension, counted, selection) {
                let group = groups.entry(named.name).or_default();
                group.0.extend(named.texts);
                group.1 += named.weight;
                group.2 += 1;
            }
        }
        groups
    }
}
