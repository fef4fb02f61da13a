//! Lessons of a dimension of items, parted by a hash of their keys: what is held out is asked for its groups.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Ask, Choice, Lessons, MOST, Probes};
use crate::adapter::Groups;
use crate::dimensions::{Dimension, LiveFact, Reads};
use crate::evaluation::Material;
use crate::evaluation::corpus::{Corpus, Entry};

/// Of a hundred items this many test where anything does, and of the rest as many validate as of commits.
const TEST: u64 = 20;
/// So many of a hundred fit, and so many gate; the rest trains.
const FIT: u64 = 8;
const GATE: u64 = 4;

/// What an item is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Fit,
    Gate,
    Test,
    Train,
}

/// By the hash of its key; `tests` of a hundred test.
fn side(entry: &Entry, tests: u64) -> Side {
    let hash = blake3::hash(entry.key.as_bytes());
    let at = u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("eight bytes")) % 100;
    match at.checked_sub(tests) {
        None => Side::Test,
        Some(..FIT) => Side::Fit,
        Some(at) if at < FIT + GATE => Side::Gate,
        Some(_) => Side::Train,
    }
}

/// Groups by name: their members, as items, and what one pair says.
type Grouped = BTreeMap<String, (Vec<u32>, f64)>;

/// By text: which part it is of. A text that stands in two items is on the side of the first.
struct Sides<'c> {
    corpus: &'c Corpus,
    of_text: HashMap<u32, Side>,
}

impl<'c> Sides<'c> {
    fn new(corpus: &'c Corpus, tests: u64) -> Self {
        let mut of_text = HashMap::new();
        for item in &corpus.items {
            if let Some(text) = item.text {
                of_text.entry(text).or_insert_with(|| side(item, tests));
            }
        }
        Sides { corpus, of_text }
    }

    fn text(&self, item: u32) -> Option<u32> {
        self.corpus.items[item as usize].text
    }

    fn trains(&self, item: u32) -> bool {
        self.text(item).is_some_and(|text| self.of_text[&text] == Side::Train)
    }
}

pub fn lessons(dimension: &Dimension, material: &Material, choice: &Choice) -> Lessons {
    let corpus = &material.corpus;
    let groups = grouped(dimension, corpus);
    let sides = Sides::new(corpus, if material.split.is_measuring { TEST } else { 0 });
    // What is called stands for all that call it; else the members that train stand for the group.
    let owner = |name: &str| corpus.by_key.get(name).copied().filter(|_| dimension.reads.contains(&Reads::Edges));
    let (mut candidates, mut owners) = (Vec::new(), Vec::new());
    let mut right_of: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (name, (members, _)) in &groups {
        let own = owner(name);
        let texts: Vec<u32> = match own {
            Some(callee) => sides.text(callee).into_iter().collect(),
            None => members.iter().filter(|item| sides.trains(**item)).filter_map(|item| sides.text(*item)).collect(),
        };
        if texts.is_empty() {
            continue;
        }
        for member in members.iter().filter(|member| Some(**member) != own && !sides.trains(**member)) {
            right_of.entry(*member).or_default().push(candidates.len() as u32);
        }
        candidates.push(texts);
        owners.extend(own);
    }
    let parts = asks(&sides, &candidates, right_of);
    let [fit, gate, test] =
        parts.map(|asks| Probes { candidates: candidates.clone(), owners: owners.clone(), asks }.thin(MOST));
    let mut seen: HashSet<Vec<u32>> = HashSet::new();
    let learned = groups.iter().map(|(name, (members, weight))| {
        let own = owner(name);
        let kept = members.iter().filter(|item| sides.trains(**item) || Some(**item) == own);
        let kept = kept.filter(|item| !choice.ignore.is_match(&corpus.items[**item as usize].path));
        let texts: Vec<u32> = kept.filter_map(|item| sides.text(*item)).collect();
        // A group that everything belongs to says little.
        let share = if choice.weigh_alike { 1.0 } else { 1.0 / (1.0 + texts.len() as f64).ln() };
        (texts, weight * share)
    });
    let learned: Vec<(Vec<u32>, f64)> = learned
        .filter(|(texts, _)| texts.len() <= choice.largest_group)
        .filter(|(texts, _)| seen.insert(texts.clone()))
        .collect();
    Lessons { groups: Groups::new(corpus.taught, learned), fit, gate, test }
}

fn grouped(dimension: &Dimension, corpus: &Corpus) -> Grouped {
    let mut groups = Grouped::new();
    let mut take = |fact: &LiveFact<'_>| {
        for group in (dimension.groups)(fact) {
            let entry = groups.entry(group.name).or_default();
            entry.0.extend(group.members.iter().filter_map(|key| corpus.by_key.get(key).copied()));
            entry.1 = group.weight;
        }
    };
    if dimension.reads.contains(&Reads::Edges) {
        for (caller, callee, confidence) in &corpus.edges {
            let [caller, callee] = [caller, callee].map(|item| &corpus.items[*item as usize]);
            take(&LiveFact::Edge { caller: &caller.key, callee: &callee.key, confidence: *confidence });
        }
    } else {
        for item in &corpus.items {
            take(&LiveFact::Item { key: &item.key, kind: item.kind.name(), path: &item.path, shape: &item.shape });
        }
    }
    for (members, _) in groups.values_mut() {
        members.sort_unstable();
        members.dedup();
    }
    groups.retain(|_, (members, _)| members.len() > 1);
    groups
}

/// What is held out, for its groups: to fit, to gate, to test.
fn asks(sides: &Sides<'_>, candidates: &[Vec<u32>], right_of: BTreeMap<u32, Vec<u32>>) -> [Vec<Ask>; 3] {
    let mut alone: HashMap<u32, Vec<u32>> = HashMap::new();
    for (place, texts) in (0..).zip(candidates) {
        if let [text] = texts[..] {
            alone.entry(text).or_default().push(place);
        }
    }
    let mut asks = [Vec::new(), Vec::new(), Vec::new()];
    for (item, right) in right_of {
        let Some(query) = sides.text(item) else { continue };
        let part = match sides.of_text[&query] {
            Side::Fit => 0,
            Side::Gate => 1,
            Side::Test => 2,
            Side::Train => continue,
        };
        // It may be called itself.
        let mut skip = alone.get(&query).cloned().unwrap_or_default();
        skip.retain(|place| !right.contains(place));
        asks[part].push(Ask { unit: item as usize, query, right, skip });
    }
    asks
}
