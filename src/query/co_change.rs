//! Ranks what changes together with a target by co-change, similarity of paths and popularity, with the commits as
//! evidence; then adds files with similar vectors.

use std::collections::BTreeMap;

use anyhow::Result;

use super::candidate::touched_since;
use super::near::alike;
use super::nearest::NearestQuery;
use super::{Candidate, Evidence, Filter, Hit, Reader};
use crate::dimensions::TEMPORAL;
use crate::facts::ItemKind;
use crate::history::{self, Related};
use crate::index::{VectorReader, text_of_item};
use crate::item::{self, Item};

/// How many shared commits are shown per hit.
pub(super) const COMMITS: usize = 3;
/// The least similarity of two paths that counts as evidence.
pub(super) const NEAR_PATH: f64 = 0.5;

/// Ranks the files that changed together with an item's file, best first. If they are fewer than requested, files that
/// are near in `vectors` fill the rest.
pub fn co_changed(
    reader: &Reader<'_>,
    item: &Item,
    filter: &Filter,
    vectors: Option<&VectorReader<'_>>,
) -> Result<Vec<Hit>> {
    let ranked = history::related(&reader.cache, reader.view.id, reader.time(), &item.path)?;
    let people = reader.people()?;
    let mut hits = Vec::new();
    for (rank, related) in ranked.into_iter().enumerate() {
        if hits.len() == filter.k {
            break;
        }
        if !filter.keeps_kind(ItemKind::File)
            || !filter.keeps_path(&related.path)
            || !touched_since(reader, &related.path, filter.since)?
        {
            continue;
        }
        // Popularity alone is no evidence of a relation to this file.
        if related.commits == 0 && related.path_similarity < NEAR_PATH {
            continue;
        }
        let mut evidence = evidence(reader, item, &related)?;
        evidence.extend(reader.authors(&related.path, &people)?);
        let ranks = BTreeMap::from([(TEMPORAL.name, rank + 1)]);
        hits.push(Hit::of_file(&related.path, related.score, ranks, evidence));
    }
    if let Some(vectors) = vectors.filter(|_| hits.len() < filter.k) {
        let more = alike_files(reader, item, filter, vectors, &hits)?;
        // Scaled, so that similar files rank below every file with a count.
        let least = hits.last().map_or(1.0, |last| last.score);
        for mut hit in more {
            hit.score *= least;
            hit.ranks = BTreeMap::from([(TEMPORAL.name, hits.len() + 1)]);
            hits.push(hit);
        }
    }
    Ok(hits)
}

/// Collects the evidence for a file: shared commits, and its path if that is similar.
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

/// Returns the files whose vectors are nearest to that of the target's file, without those that are hits already.
fn alike_files(
    reader: &Reader<'_>,
    item: &Item,
    filter: &Filter,
    vectors: &VectorReader<'_>,
    hits: &[Hit],
) -> Result<Vec<Hit>> {
    let Some(space) = vectors.generation().and_then(|generation| generation.space(TEMPORAL.name)) else {
        return Ok(Vec::new());
    };
    let Some(file) = item::by_key(&reader.cache, reader.view.id, &item.path)? else { return Ok(Vec::new()) };
    let Some(text) = text_of_item(&reader.cache, file.seq)? else { return Ok(Vec::new()) };
    let Some(vector) = vectors.vector(space, text)? else { return Ok(Vec::new()) };
    let is_new = |candidate: &Candidate| {
        let key = candidate.key();
        candidate.kind() == ItemKind::File && key != item.path && !hits.iter().any(|hit| hit.key == key)
    };
    let nearest = NearestQuery { vectors, space, vector: &vector };
    alike(reader, nearest, filter.k - hits.len(), filter, TEMPORAL.name, is_new)
}
