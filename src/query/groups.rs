//! Counts the groups of a dimension that a target shares with other items: by commits that touched it, entries that
//! name it, its shape and location, its calls. No vectors are read.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;

use super::{Candidate, Evidence, Reader};
use crate::dimensions::{Dimension, Group, LiveFact, Reads};
use crate::edges;
use crate::entries;
use crate::history::{self, CommitFact, CommitSelection, HALF_LIFE, LiveEntry, decay};
use crate::item::{self, Item};

/// How many callees have their other callers examined.
const CALLEES: usize = 30;
/// How many call sites are shown per hit.
const CALLS: usize = 3;

/// An item that shares groups with the target.
#[derive(Debug, Default)]
pub(super) struct GroupOverlap {
    /// The summed weight of the shared groups.
    pub weight: f64,
    /// The number of shared groups.
    pub groups: usize,
    /// Calls in either direction.
    pub evidence: Vec<Evidence>,
}

/// Counts what shares groups with a target, by key, over all kinds of facts that the dimension reads.
pub(super) fn shared(
    reader: &Reader<'_>,
    target: &Candidate,
    dimension: &Dimension,
) -> Result<HashMap<String, GroupOverlap>> {
    let mut counted: HashMap<String, GroupOverlap> = HashMap::new();
    for reads in dimension.reads {
        let found = match (reads, target) {
            (Reads::Commits, Candidate::Item(item)) => by_commits(reader, item, dimension)?,
            (Reads::Items, Candidate::Item(item)) => by_items(reader, item, dimension)?,
            (Reads::Edges, Candidate::Item(item)) => by_edges(reader, item, dimension)?,
            (Reads::Entries, _) => by_entries(reader, target, dimension)?,
            // A session entry has no commits, items or calls of its own.
            _ => continue,
        };
        for (key, more) in found {
            let known = counted.entry(key).or_default();
            known.weight += more.weight;
            known.groups += more.groups;
            known.evidence.extend(more.evidence);
        }
    }
    Ok(counted)
}

fn add(counted: &mut HashMap<String, GroupOverlap>, group: &Group, times: f64) {
    for member in &group.members {
        let entry = counted.entry(member.clone()).or_default();
        entry.weight += group.weight * times;
        entry.groups += 1;
    }
}

fn by_commits(reader: &Reader<'_>, item: &Item, dimension: &Dimension) -> Result<HashMap<String, GroupOverlap>> {
    let (cache, view, people) = (&reader.cache, reader.view.id, reader.people()?);
    let groups = |fact: &CommitFact| {
        (dimension.groups)(&LiveFact::Commit {
            key: &fact.key,
            files: &fact.files,
            touched: fact.touched,
            authors: &fact.authors,
        })
    };
    let mut own: BTreeMap<String, f64> = BTreeMap::new();
    let mut counted = HashMap::new();
    for fact in history::commit_facts(cache, view, &people, CommitSelection::Touching(&item.path))? {
        let age = decay(reader.time(), fact.time, HALF_LIFE);
        for group in groups(&fact) {
            // This group consists of the commit's own files, so all its members are known already.
            if group.name == fact.key {
                add(&mut counted, &group, age);
            } else {
                *own.entry(group.name).or_default() += group.weight * age;
            }
        }
    }
    if own.is_empty() {
        return Ok(counted);
    }
    // For groups that span commits, the weight is the cosine of two items' vectors of weights per group.
    let mut shared: HashMap<String, (f64, f64, usize)> = HashMap::new();
    let mut each: HashMap<(String, String), f64> = HashMap::new();
    for fact in history::commit_facts(cache, view, &people, CommitSelection::All)? {
        let age = decay(reader.time(), fact.time, HALF_LIFE);
        for group in groups(&fact) {
            for member in group.members {
                *each.entry((member, group.name.clone())).or_default() += group.weight * age;
            }
        }
    }
    let mut each: Vec<((String, String), f64)> = each.into_iter().collect();
    // Summed in a fixed order, so that the same history gives bit-identical results.
    each.sort_by(|a, b| a.0.cmp(&b.0));
    for ((member, group), weight) in each {
        let entry = shared.entry(member).or_default();
        entry.1 += weight * weight;
        if let Some(own) = own.get(&group) {
            entry.0 += own * weight;
            entry.2 += 1;
        }
    }
    let length = own.values().map(|weight| weight * weight).sum::<f64>().sqrt();
    for (member, (product, square, groups)) in shared.into_iter().filter(|(_, (product, ..))| *product > 0.0) {
        let weight = product / (square.sqrt() * length);
        counted.insert(member, GroupOverlap { weight, groups, evidence: Vec::new() });
    }
    Ok(counted)
}

/// Counts by session entries. A file shares the entries that name it, an entry the files it names, a session the files
/// that its entries name.
fn by_entries(reader: &Reader<'_>, target: &Candidate, dimension: &Dimension) -> Result<HashMap<String, GroupOverlap>> {
    let (cache, view) = (&reader.cache, reader.view.id);
    let facts = match target {
        Candidate::Item(item) => history::live_entries_naming(cache, view, &item.path)?,
        Candidate::Said(said) if said.n == 0 => {
            history::live_entries(cache, view, entries::in_session(cache, view, &said.session)?)?
        }
        Candidate::Said(said) => history::live_entries(cache, view, vec![said.clone()])?,
        Candidate::Commit(..) => Vec::new(),
    };
    let mut counted = HashMap::new();
    for fact in &facts {
        let LiveEntry { key, session, files, said, time } = fact;
        let age = decay(reader.time(), *time, HALF_LIFE);
        for group in (dimension.groups)(&LiveFact::Entry { key, files, session, category: said.kind.name() }) {
            add(&mut counted, &group, age);
        }
    }
    Ok(counted)
}

fn by_items(reader: &Reader<'_>, item: &Item, dimension: &Dimension) -> Result<HashMap<String, GroupOverlap>> {
    let (cache, view) = (&reader.cache, reader.view.id);
    let groups = |item: &Item, shape: &str| {
        (dimension.groups)(&LiveFact::Item { key: &item.key, kind: item.kind.name(), path: &item.path, shape })
    };
    let own: Vec<String> =
        groups(item, &item::shape_of(cache, item.seq)?).into_iter().map(|group| group.name).collect();
    let mut counted = HashMap::new();
    if own.is_empty() {
        return Ok(counted);
    }
    item::each(cache, view, |other, shape| {
        for group in groups(&other, shape).iter().filter(|group| own.contains(&group.name)) {
            add(&mut counted, group, 1.0);
        }
        Ok(())
    })?;
    Ok(counted)
}

fn by_edges(reader: &Reader<'_>, item: &Item, dimension: &Dimension) -> Result<HashMap<String, GroupOverlap>> {
    let (cache, view) = (&reader.cache, reader.view.id);
    let mut counted: HashMap<String, GroupOverlap> = HashMap::new();
    let mut take = |edges: &[edges::Edge]| {
        let mut groups: Vec<Group> = Vec::new();
        for edge in edges {
            let (caller, callee) = (edge.caller.key.as_str(), edge.callee.key.as_str());
            for group in (dimension.groups)(&LiveFact::Edge { caller, callee, confidence: edge.confidence }) {
                if !groups.contains(&group) {
                    groups.push(group);
                }
            }
        }
        // Sharing a callee that everything calls is weak evidence.
        let rare = 1.0 / (1.0 + groups.len() as f64).ln();
        for group in &groups {
            add(&mut counted, group, rare);
        }
        for edge in edges {
            for (end, other) in [(&edge.caller, &edge.callee), (&edge.callee, &edge.caller)] {
                if other.key == item.key
                    && let Some(counted) = counted.get_mut(&end.key).filter(|counted| counted.evidence.len() < CALLS)
                {
                    counted.evidence.push(Evidence::of_call(edge));
                }
            }
        }
    };
    take(&edges::callers_of(cache, view, item)?);
    let mut callees: Vec<Item> = Vec::new();
    for edge in edges::calls_of(cache, view, item)? {
        if edge.confidence >= edges::HIGH && !callees.iter().any(|known| known.key == edge.callee.key) {
            callees.push(edge.callee);
        }
    }
    for callee in callees.iter().take(CALLEES) {
        take(&edges::callers_of(cache, view, callee)?);
    }
    Ok(counted)
}
