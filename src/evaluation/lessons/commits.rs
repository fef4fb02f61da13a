//! Lessons of a dimension of commits, parted by time; what was said in sessions joins them where an experiment wants it. Where its groups are commits, a file, or the message, is asked for
//! the others of a later commit; where a group goes over many, as a person's does, a file of a later commit is asked for
//! its group.

use std::collections::{BTreeMap, HashMap};

use super::{Ask, Choice, Lessons, MOST, Probes};
use crate::adapter::Groups;
use crate::dimensions::{Dimension, LiveFact, Reads};
use crate::evaluation::sessions::Names;
use crate::evaluation::{Lesson, Material};
use crate::history::{File, Taken, Tally};

/// Groups that are one commit are called by its key.
const COMMIT: &str = "commit:";

/// The files that stand where training ends, under the names they have there.
struct Standing<'m> {
    material: &'m Material,
    names: HashMap<File, String>,
    texts: HashMap<String, u32>,
}

/// One group of a fact: its name, the texts of its members, and what one pair says.
struct Named {
    name: String,
    texts: Vec<u32>,
    weight: f64,
}

pub fn lessons(dimension: &Dimension, material: &Material, choice: &Choice) -> Lessons {
    let (timeline, split) = (&material.timeline, &material.split);
    let (mut tally, mut names) = (Tally::default(), Names::new(timeline));
    for place in split.train.clone() {
        tally.take(place, &timeline.steps[place]);
        names.take(&timeline.steps[place], &tally);
    }
    let standing = Standing::new(material, &tally, choice);
    let groups = standing.groups(dimension, &tally, choice);
    let is_commit = |name: &str| name.starts_with(COMMIT);
    let candidates: Vec<Vec<u32>> = if groups.keys().all(|name| is_commit(name)) {
        standing.all_texts().into_iter().map(|text| vec![text]).collect()
    } else {
        groups.values().map(|(texts, ..)| texts.clone()).collect()
    };
    let place_of_text: HashMap<u32, u32> = candidates.iter().zip(0..).map(|(texts, place)| (texts[0], place)).collect();
    let place_of_group: HashMap<&str, u32> =
        groups.keys().zip(0..).map(|(name, place)| (name.as_str(), place)).collect();
    // What was said speaks of the files that stand where training ends.
    let reads_entries = choice.sessions && dimension.reads.contains(&Reads::Entries);
    let lessons = material.corpus.lessons.iter().filter(|_| reads_entries);
    let said: Vec<(&Lesson, Vec<File>)> =
        lessons.map(|lesson| (lesson, names.find(&lesson.files, &tally, &timeline.paths))).collect();
    let asks = |range: std::ops::Range<usize>, tally: &mut Tally| {
        let mut asks = Vec::new();
        for place in range {
            tally.take(place, &timeline.steps[place]);
            let Some(taken) = tally.commits().last().filter(|taken| taken.step == place) else { continue };
            for group in standing.groups_of(dimension, taken, choice) {
                let message = material.corpus.messages[place].filter(|text| group.texts.first() == Some(text));
                if !is_commit(&group.name) {
                    if let Some(right) = place_of_group.get(group.name.as_str()) {
                        let ask = |text: &u32| Ask { unit: place, query: *text, right: vec![*right], skip: Vec::new() };
                        asks.extend(group.texts.iter().map(ask));
                    }
                    continue;
                }
                let queries = message.map_or(group.texts.clone(), |message| vec![message]);
                for query in queries {
                    let others = group.texts.iter().filter(|text| **text != query);
                    let right: Vec<u32> = others.filter_map(|text| place_of_text.get(text).copied()).collect();
                    if !right.is_empty() {
                        let skip = place_of_text.get(&query).copied().into_iter().collect();
                        asks.push(Ask { unit: place, query, right, skip });
                    }
                }
            }
        }
        Probes { candidates: candidates.clone(), owners: Vec::new(), asks }.thin(MOST)
    };
    let [fit, gate, test] =
        [split.fit.clone(), split.gate.clone(), split.test.clone()].map(|range| asks(range, &mut tally));
    let learned = groups.into_values().map(|(texts, weight, facts)| (texts, weight / facts.max(1) as f64));
    let groups = if reads_entries {
        let said = standing.said(dimension, &said, choice);
        Groups::new(material.corpus.told, learned.chain(said))
    } else {
        Groups::new(material.corpus.taught, learned)
    };
    Lessons { groups, fit, gate, test }
}

impl<'m> Standing<'m> {
    fn new(material: &'m Material, tally: &Tally, choice: &Choice) -> Self {
        let corpus = &material.corpus;
        let (mut names, mut texts) = (HashMap::new(), HashMap::new());
        for file in tally.live() {
            let name = &material.timeline.paths[tally.path(file) as usize];
            let text = corpus.by_key.get(name).and_then(|item| corpus.items[*item as usize].text);
            if let Some(text) = text.filter(|_| !choice.ignore.is_match(name)) {
                names.insert(file, name.clone());
                texts.insert(name.clone(), text);
            }
        }
        Standing { material, names, texts }
    }

    fn all_texts(&self) -> Vec<u32> {
        let mut all: Vec<u32> = self.texts.values().copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn groups_of(&self, dimension: &Dimension, taken: &Taken, choice: &Choice) -> Vec<Named> {
        if taken.touched > choice.largest_commit {
            return Vec::new();
        }
        let timeline = &self.material.timeline;
        let step = &timeline.steps[taken.step];
        let key = format!("{COMMIT}{}", step.sha);
        let mut files: Vec<String> = taken.files.iter().filter_map(|file| self.names.get(file).cloned()).collect();
        files.sort();
        let authors = step.authors.iter().map(|author| timeline.people[*author as usize].clone());
        let authors: Vec<String> = authors.collect();
        let fact = LiveFact::Commit { key: &key, files: &files, touched: taken.touched, authors: &authors };
        let text = |member: &String| match *member == key {
            true => self.material.corpus.messages[taken.step],
            false => self.texts.get(member).copied(),
        };
        let named = (dimension.groups)(&fact).into_iter().map(|group| Named {
            texts: group.members.iter().filter_map(text).collect(),
            weight: if choice.weigh_alike { 1.0 } else { group.weight },
            name: group.name,
        });
        named.filter(|group| !group.texts.is_empty() && group.texts.len() <= choice.largest_group).collect()
    }

    /// Groups of what was said in sessions that train, with the files that each names.
    fn said(&self, dimension: &Dimension, said: &[(&Lesson, Vec<File>)], choice: &Choice) -> Vec<(Vec<u32>, f64)> {
        let mut groups = Vec::new();
        for (lesson, files) in said {
            let files: Vec<String> = files.iter().filter_map(|file| self.names.get(file).cloned()).collect();
            let Lesson { key, session, category, .. } = lesson;
            let text = |member: &String| if member == key { lesson.text } else { self.texts.get(member).copied() };
            for group in (dimension.groups)(&LiveFact::Entry { key, files: &files, session, category }) {
                let texts: Vec<u32> = group.members.iter().filter_map(text).collect();
                if texts.len() <= choice.largest_group {
                    groups.push((texts, if choice.weigh_alike { 1.0 } else { group.weight }));
                }
            }
        }
        groups
    }

    /// By name: members, weights summed, and how many facts said so. Those of one name are one group, and a group over
    /// many commits says as much a pair as one of its commits does.
    fn groups(
        &self,
        dimension: &Dimension,
        tally: &Tally,
        choice: &Choice,
    ) -> BTreeMap<String, (Vec<u32>, f64, usize)> {
        let mut groups: BTreeMap<String, (Vec<u32>, f64, usize)> = BTreeMap::new();
        let newest = choice.newest.unwrap_or(usize::MAX);
        for taken in tally.commits().iter().rev().take(newest).rev() {
            for named in self.groups_of(dimension, taken, choice) {
                let group = groups.entry(named.name).or_default();
                group.0.extend(named.texts);
                group.1 += named.weight;
                group.2 += 1;
            }
        }
        groups
    }
}
