//! What is near a target in one dimension: what is counted first, by the groups they share; then what its vectors put
//! near. Refuses to count a dimension twice that has no adapter: such ones are the same base embedding.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;

use super::nearest::{Place, nearest};
use super::{Evidence, Filter, Found, Hit, Reader};
use crate::derive::SESSION;
use crate::dimensions::{Dimension, Group, LiveFact, Reads};
use crate::edges;
use crate::entries;
use crate::history::{self, CommitFact, Which, decay};
use crate::index::Vectors;
use crate::item::{self, Item};

/// Half-life of a shared commit, in days, as in co-change.
const HALF_LIFE: f64 = 180.0;
/// Callees whose other callers are looked at.
const CALLEES: usize = 30;
/// Call sites shown a hit.
const CALLS: usize = 3;
/// Vectors less alike than this are near nothing.
pub(super) const LEAST_COSINE: f32 = 0.3;
/// What is counted stands before what is merely alike.
const COUNTED_FIRST: f64 = 1.0;

/// An item that shares groups with the target.
#[derive(Debug, Default)]
struct Counted {
    weight: f64,
    groups: usize,
    evidence: Vec<Evidence>,
}

/// Ranks what is near an item in a dimension; best first.
pub fn near(
    reader: &Reader<'_>,
    vectors: &Vectors<'_>,
    item: &Item,
    dimension: &'static Dimension,
    filter: &Filter,
) -> Result<Vec<Hit>> {
    let counted = match dimension.reads {
        Reads::Commits => by_commits(reader, item, dimension)?,
        Reads::Items => by_items(reader, item, dimension)?,
        Reads::Edges => by_edges(reader, item, dimension)?,
    };
    let space = vectors.generation().and_then(|generation| generation.space(dimension.name));
    let place = space.zip(crate::index::text_of_item(&reader.cache, item.seq)?);
    let own = match place {
        Some((space, text)) => vectors.vector(space, text)?.map(|vector| (space, vector)),
        None => None,
    };
    let cosine = |found: &Found| -> Result<Option<f32>> {
        let Some((space, vector)) = &own else { return Ok(None) };
        let text = crate::index::text_of_item(&reader.cache, found.seq())?;
        text.map_or(Ok(None), |text| vectors.score(space, vector, text))
    };
    let most = counted.values().map(|counted| counted.weight).fold(0.0, f64::max);
    let mut hits = Vec::new();
    for (key, counted) in counted {
        if key == item.key || key == item.path {
            continue;
        }
        let Some(found) = by_key(reader, &key)? else { continue };
        if !dimension.holds.kind(found.kind()) || !found.passes(reader, filter)? {
            continue;
        }
        let alike = cosine(&found)?;
        let share = if most > 0.0 { counted.weight / most } else { 0.0 };
        // Among equals in number those that are more alike come first, and alike never outweighs a count.
        let score = COUNTED_FIRST + share + f64::from(alike.unwrap_or(0.0).max(0.0)) * 1e-3;
        let mut hit = found.into_hit(score);
        hit.evidence.push(Evidence::Group {
            dimension: dimension.name,
            groups: counted.groups,
            weight: counted.weight,
        });
        hit.evidence.extend(counted.evidence);
        hit.evidence.extend(alike.map(|cosine| Evidence::Near { dimension: dimension.name, cosine }));
        hits.push(hit);
    }
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.key.cmp(&b.key)));
    hits.truncate(filter.k);
    if let Some((space, vector)) = &own {
        let left = filter.k - hits.len();
        let seen: Vec<String> = hits.iter().map(|hit| hit.key.clone()).chain([item.key.clone()]).collect();
        let holds = |found: &Found| dimension.holds.kind(found.kind()) && !seen.contains(&found.key());
        hits.extend(alike(reader, Place { vectors, space, vector }, left, filter, dimension.name, holds)?);
    }
    for (rank, hit) in hits.iter_mut().enumerate() {
        hit.ranks = BTreeMap::from([(dimension.name, rank + 1)]);
    }
    Ok(hits)
}

/// The live items nearest to a vector that belong into an answer, as hits; best first.
pub(super) fn alike(
    reader: &Reader<'_>,
    place: Place<'_>,
    k: usize,
    filter: &Filter,
    dimension: &'static str,
    belongs: impl Fn(&Found) -> bool,
) -> Result<Vec<Hit>> {
    if k == 0 {
        return Ok(Vec::new());
    }
    let near = nearest(reader, place, k, filter, belongs)?;
    let hits = near.into_iter().filter(|(_, cosine)| *cosine >= LEAST_COSINE).take(k).map(|(found, cosine)| {
        let mut hit = found.into_hit(f64::from(cosine));
        hit.evidence.push(Evidence::Near { dimension, cosine });
        hit
    });
    Ok(hits.collect())
}

/// The live thing of a key.
pub(super) fn by_key(reader: &Reader<'_>, key: &str) -> Result<Option<Found>> {
    if let Some(sha) = key.strip_prefix("commit:") {
        let sha = crate::event::unhex(sha).unwrap_or_default();
        let Some(seq) = crate::view::commit_seq(&reader.cache, &sha)? else { return Ok(None) };
        return super::live(reader, seq);
    }
    if key.starts_with(SESSION) {
        return Ok(entries::by_key(&reader.cache, reader.view.id, key)?.map(Found::Said));
    }
    Ok(item::by_key(&reader.cache, reader.view.id, key)?.map(Found::Item))
}

fn add(counted: &mut HashMap<String, Counted>, group: &Group, times: f64) {
    for member in &group.members {
        let entry = counted.entry(member.clone()).or_default();
        entry.weight += group.weight * times;
        entry.groups += 1;
    }
}

fn by_commits(reader: &Reader<'_>, item: &Item, dimension: &Dimension) -> Result<HashMap<String, Counted>> {
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
    for fact in history::commit_facts(cache, view, &people, Which::Touching(&item.path))? {
        let age = decay(reader.time(), fact.time, HALF_LIFE);
        for group in groups(&fact) {
            // A group that is the commit itself is whole already.
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
    // How alike two items are in all their groups: the cosine of what each has of them.
    let mut shared: HashMap<String, (f64, f64, usize)> = HashMap::new();
    let mut each: HashMap<(String, String), f64> = HashMap::new();
    for fact in history::commit_facts(cache, view, &people, Which::All)? {
        let age = decay(reader.time(), fact.time, HALF_LIFE);
        for group in groups(&fact) {
            for member in group.members {
                *each.entry((member, group.name.clone())).or_default() += group.weight * age;
            }
        }
    }
    let mut each: Vec<((String, String), f64)> = each.into_iter().collect();
    // Sums in one order: the same history gives the same bits.
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
        counted.insert(member, Counted { weight, groups, evidence: Vec::new() });
    }
    Ok(counted)
}

fn by_items(reader: &Reader<'_>, item: &Item, dimension: &Dimension) -> Result<HashMap<String, Counted>> {
    let (cache, view) = (&reader.cache, reader.view.id);
    let groups = |item: &Item, shape: &str| {
        (dimension.groups)(&LiveFact::Item { key: &item.key, kind: &item.kind, path: &item.path, shape })
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

fn by_edges(reader: &Reader<'_>, item: &Item, dimension: &Dimension) -> Result<HashMap<String, Counted>> {
    let (cache, view) = (&reader.cache, reader.view.id);
    let mut counted: HashMap<String, Counted> = HashMap::new();
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
        // A callee that everything calls says little.
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
