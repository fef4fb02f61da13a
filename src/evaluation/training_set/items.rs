//! The training and evaluation data of a dimension of items, split by a hash of their keys: a held-out item is a query
//! for its groups.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{EvalQuery, EvalSet, MAX_QUERIES, TrainingSelection, TrainingSet};
use crate::adapter::Groups;
use crate::dimensions::{Dimension, LiveFact, Reads};
use crate::evaluation::EvalData;
use crate::evaluation::corpus::{Corpus, CorpusItem};

/// The percentage of items in the test split, if there is one.
const TEST: u64 = 20;
/// The percentage of items for fitting.
const FIT: u64 = 8;
/// The percentage of items for gating; the remaining items are for training.
const GATE: u64 = 4;

/// The part of the split that an item belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ItemSubset {
    Fit,
    Gate,
    Test,
    Train,
}

/// Returns the part of the split of an item, by the hash of its key. `tests` percent are in the test split.
fn subset_of(entry: &CorpusItem, tests: u64) -> ItemSubset {
    let hash = blake3::hash(entry.key.as_bytes());
    let at = u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("eight bytes")) % 100;
    match at.checked_sub(tests) {
        None => ItemSubset::Test,
        Some(..FIT) => ItemSubset::Fit,
        Some(at) if at < FIT + GATE => ItemSubset::Gate,
        Some(_) => ItemSubset::Train,
    }
}

/// Groups by name: member items and the weight of a pair.
type Grouped = BTreeMap<String, (Vec<u32>, f64)>;

/// The part of the split of each text. A text of two items is in the part of the first.
struct ItemSplit<'c> {
    corpus: &'c Corpus,
    of_text: HashMap<u32, ItemSubset>,
}

impl<'c> ItemSplit<'c> {
    fn new(corpus: &'c Corpus, tests: u64) -> Self {
        let mut of_text = HashMap::new();
        for item in &corpus.items {
            if let Some(text) = item.text {
                of_text.entry(text).or_insert_with(|| subset_of(item, tests));
            }
        }
        ItemSplit { corpus, of_text }
    }

    /// Returns the index of an item's text.
    fn text(&self, item: u32) -> Option<u32> {
        self.corpus.items[item as usize].text
    }

    /// Returns whether an item is in the training split.
    fn trains(&self, item: u32) -> bool {
        self.text(item).is_some_and(|text| self.of_text[&text] == ItemSubset::Train)
    }
}

/// Creates the training and evaluation data of a dimension of items.
pub fn training_set(dimension: &Dimension, data: &EvalData, selection: &TrainingSelection) -> TrainingSet {
    let corpus = &data.corpus;
    let groups = grouped(dimension, corpus);
    let split = ItemSplit::new(corpus, if data.split.has_test { TEST } else { 0 });
    // A group of callers is represented by its callee, any other group by its training members.
    let owner = |name: &str| corpus.by_key.get(name).copied().filter(|_| dimension.reads.contains(&Reads::Edges));
    let (mut candidates, mut owners) = (Vec::new(), Vec::new());
    let mut relevant_of: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (name, (members, _)) in &groups {
        let own = owner(name);
        let texts: Vec<u32> = match own {
            Some(callee) => split.text(callee).into_iter().collect(),
            None => members.iter().filter(|item| split.trains(**item)).filter_map(|item| split.text(*item)).collect(),
        };
        if texts.is_empty() {
            continue;
        }
        for member in members.iter().filter(|member| Some(**member) != own && !split.trains(**member)) {
            relevant_of.entry(*member).or_default().push(candidates.len() as u32);
        }
        candidates.push(texts);
        owners.extend(own);
    }
    let parts = queries(&split, &candidates, relevant_of);
    let [fit, gate, test] = parts.map(|queries| {
        EvalSet { candidates: candidates.clone(), owners: owners.clone(), queries }.subsample(MAX_QUERIES)
    });
    let mut seen: HashSet<Vec<u32>> = HashSet::new();
    let learned = groups.iter().map(|(name, (members, weight))| {
        let own = owner(name);
        let kept = members.iter().filter(|item| split.trains(**item) || Some(**item) == own);
        let kept = kept.filter(|item| !selection.ignore.is_match(&corpus.items[**item as usize].path));
        let texts: Vec<u32> = kept.filter_map(|item| split.text(*item)).collect();
        // A group that almost everything belongs to is weak evidence.
        let share = if selection.weigh_alike { 1.0 } else { 1.0 / (1.0 + texts.len() as f64).ln() };
        (texts, weight * share)
    });
    let learned: Vec<(Vec<u32>, f64)> = learned
        .filter(|(texts, _)| texts.len() <= selection.largest_group)
        .filter(|(texts, _)| seen.insert(texts.clone()))
        .collect();
    TrainingSet { groups: Groups::new(corpus.training_texts, learned), fit, gate, test }
}

/// Collects the groups of a dimension over all live facts of the corpus.
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

/// Returns the queries of held-out items: fit, gate and test.
fn queries(
    split: &ItemSplit<'_>,
    candidates: &[Vec<u32>],
    relevant_of: BTreeMap<u32, Vec<u32>>,
) -> [Vec<EvalQuery>; 3] {
    let mut alone: HashMap<u32, Vec<u32>> = HashMap::new();
    for (index, texts) in (0..).zip(candidates) {
        if let [text] = texts[..] {
            alone.entry(text).or_default().push(index);
        }
    }
    let mut queries = [Vec::new(), Vec::new(), Vec::new()];
    for (item, relevant) in relevant_of {
        let Some(text) = split.text(item) else { continue };
        let part = match split.of_text[&text] {
            ItemSubset::Fit => 0,
            ItemSubset::Gate => 1,
            ItemSubset::Test => 2,
            ItemSubset::Train => continue,
        };
        // A candidate that is the item itself is excluded.
        let mut excluded = alone.get(&text).cloned().unwrap_or_default();
        excluded.retain(|index| !relevant.contains(index));
        queries[part].push(EvalQuery { unit: item as usize, text, relevant, excluded });
    }
    queries
}
