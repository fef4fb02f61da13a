//! Finds what is near a target in one dimension: first items that share its groups, then items with near vectors.

use std::collections::BTreeMap;

use anyhow::Result;

use super::groups::shared;
use super::nearest::{NearestQuery, nearest};
use super::{Candidate, Evidence, Filter, Hit, Reader};
use crate::dimensions::Dimension;
use crate::entries;
use crate::facts::SESSION;
use crate::index::VectorReader;
use crate::item;

/// The least cosine at which a vector counts as near.
pub(super) const LEAST_COSINE: f32 = 0.3;
/// Added to the score of items that share groups, so that they rank above those that are merely similar.
const COUNTED_FIRST: f64 = 1.0;

/// Ranks what is near a target in a dimension, best first.
pub fn near(
    reader: &Reader<'_>,
    vectors: &VectorReader<'_>,
    target: &Candidate,
    dimension: &'static Dimension,
    filter: &Filter,
) -> Result<Vec<Hit>> {
    let counted = shared(reader, target, dimension)?;
    // A definition shares its groups with its own file, which would be no useful hit.
    let own_keys = match target {
        Candidate::Item(item) => vec![item.key.clone(), item.path.clone()],
        _ => vec![target.key()],
    };
    let space = vectors.generation().and_then(|generation| generation.space(dimension.name));
    let place = space.zip(crate::index::text_of_item(&reader.cache, target.seq())?);
    let own = match place {
        Some((space, text)) => vectors.vector(space, text)?.map(|vector| (space, vector)),
        None => None,
    };
    let cosine = |found: &Candidate| -> Result<Option<f32>> {
        let Some((space, vector)) = &own else { return Ok(None) };
        let text = crate::index::text_of_item(&reader.cache, found.seq())?;
        text.map_or(Ok(None), |text| vectors.score(space, vector, text))
    };
    let most = counted.values().map(|counted| counted.weight).fold(0.0, f64::max);
    let mut hits = Vec::new();
    for (key, counted) in counted {
        if own_keys.contains(&key) {
            continue;
        }
        let Some(found) = by_key(reader, &key)? else { continue };
        if !dimension.holds.kind(found.kind()) || !found.passes(reader, filter)? {
            continue;
        }
        let alike = cosine(&found)?;
        let share = if most > 0.0 { counted.weight / most } else { 0.0 };
        // Similarity only orders items with equal counts; it never outweighs a count.
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
        let seen: Vec<String> = hits.iter().map(|hit| hit.key.clone()).chain([target.key()]).collect();
        let holds = |found: &Candidate| dimension.holds.kind(found.kind()) && !seen.contains(&found.key());
        hits.extend(alike(reader, NearestQuery { vectors, space, vector }, left, filter, dimension.name, holds)?);
    }
    for (rank, hit) in hits.iter_mut().enumerate() {
        hit.ranks = BTreeMap::from([(dimension.name, rank + 1)]);
    }
    Ok(hits)
}

/// Returns the nearest live items and entries as hits, best first: those that `belongs` accepts and whose cosine is
/// high enough.
pub(super) fn alike(
    reader: &Reader<'_>,
    place: NearestQuery<'_>,
    k: usize,
    filter: &Filter,
    dimension: &'static str,
    belongs: impl Fn(&Candidate) -> bool,
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

/// Returns the live candidate with this key.
pub(super) fn by_key(reader: &Reader<'_>, key: &str) -> Result<Option<Candidate>> {
    if let Some(sha) = key.strip_prefix("commit:") {
        let sha = crate::event::unhex(sha).unwrap_or_default();
        let Some(seq) = crate::view::commit_seq(&reader.cache, &sha)? else { return Ok(None) };
        return super::live(reader, seq);
    }
    if key.starts_with(SESSION) {
        return Ok(entries::by_key(&reader.cache, reader.view.id, key)?.map(Candidate::Said));
    }
    Ok(item::by_key(&reader.cache, reader.view.id, key)?.map(Candidate::Item))
}
