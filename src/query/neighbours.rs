//! What changes together with a target: the mix, with the commits that say so; then files that merely say the same.

use std::collections::BTreeMap;

use anyhow::Result;

use super::found::touched_since;
use super::near::alike;
use super::nearest::Place;
use super::{Evidence, Filter, Found, Hit, Reader};
use crate::history::{self, Related};
use crate::index::{Vectors, text_of_item};
use crate::item::{self, Item};

/// Shared commits shown a hit.
const COMMITS: usize = 3;
/// Similarity of paths below this is no evidence.
const NEAR_PATH: f64 = 0.5;

/// Ranks the files that go with an item's file; best first. What is counted comes first; where it leaves room,
/// `vectors` fill it.
pub fn counted(reader: &Reader<'_>, item: &Item, filter: &Filter, vectors: Option<&Vectors<'_>>) -> Result<Vec<Hit>> {
    let ranked = history::related(&reader.cache, reader.view.id, reader.time(), &item.path)?;
    let people = reader.people()?;
    let mut hits = Vec::new();
    for (rank, related) in ranked.into_iter().enumerate() {
        if hits.len() == filter.k {
            break;
        }
        if !filter.keeps_kind("file")
            || !filter.keeps_path(&related.path)
            || !touched_since(reader, &related.path, filter.since)?
        {
            continue;
        }
        // Files that are merely popular everywhere say nothing of this one.
        if related.commits == 0 && related.path_similarity < NEAR_PATH {
            continue;
        }
        let mut evidence = evidence(reader, item, &related)?;
        evidence.extend(reader.authors(&related.path, &people)?);
        let name = related.path.rsplit('/').next().unwrap_or(&related.path).to_string();
        hits.push(Hit {
            key: related.path.clone(),
            kind: "file".to_string(),
            path: Some(related.path),
            line: Some(1),
            name,
            score: related.score,
            ranks: BTreeMap::from([("temporal", rank + 1)]),
            evidence,
        });
    }
    if let Some(vectors) = vectors.filter(|_| hits.len() < filter.k) {
        let more = same_saying(reader, item, filter, vectors, &hits)?;
        // However alike, below the last that is counted.
        let least = hits.last().map_or(1.0, |last| last.score);
        for mut hit in more {
            hit.score *= least;
            hit.ranks = BTreeMap::from([("temporal", hits.len() + 1)]);
            hits.push(hit);
        }
    }
    Ok(hits)
}

/// What of the mix speaks for a file: commits, and its place if that is near.
pub(super) fn evidence(reader: &Reader<'_>, item: &Item, related: &Related) -> Result<Vec<Evidence>> {
    let mut evidence = Vec::new();
    if related.commits > 0 {
        evidence.push(Evidence::Together { commits: related.commits, weight: related.together });
        let shared = history::shared_commits(&reader.cache, reader.view.id, &item.path, &related.path, COMMITS)?;
        evidence.extend(shared.into_iter().map(Evidence::Commit));
    }
    if related.path_similarity >= NEAR_PATH {
        evidence.push(Evidence::Path { similarity: related.path_similarity });
    }
    Ok(evidence)
}

/// Files whose vectors are near that of the target's file, as far as they are not among the hits.
fn same_saying(
    reader: &Reader<'_>,
    item: &Item,
    filter: &Filter,
    vectors: &Vectors<'_>,
    hits: &[Hit],
) -> Result<Vec<Hit>> {
    let Some(space) = vectors.generation().and_then(|generation| generation.space("temporal")) else {
        return Ok(Vec::new());
    };
    let Some(file) = item::by_key(&reader.cache, reader.view.id, &item.path)? else { return Ok(Vec::new()) };
    let Some(text) = text_of_item(&reader.cache, file.seq)? else { return Ok(Vec::new()) };
    let Some(vector) = vectors.vector(space, text)? else { return Ok(Vec::new()) };
    let is_new = |found: &Found| {
        let key = found.key();
        found.kind() == "file" && key != item.path && !hits.iter().any(|hit| hit.key == key)
    };
    let place = Place { vectors, space, vector: &vector };
    alike(reader, place, filter.k - hits.len(), filter, "temporal", is_new)
}
