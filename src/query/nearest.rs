//! The live items nearest to a vector: by searching the index, or, if a filter leaves few candidates, by comparing all
//! of them.

use std::collections::HashMap;

use anyhow::Result;

use super::{Candidate, Filter, Reader, live_with_text};
use crate::embedding::Projection;
use crate::entries;
use crate::facts::ItemKind;
use crate::index::{Space, VectorReader, text_of_item};
use crate::item;

/// Up to this many candidates, all of them are compared with the vector.
const FEW: usize = 10_000;

/// A vector, and the space that is searched for its nearest texts.
#[derive(Clone, Copy)]
pub struct NearestQuery<'v> {
    /// The vectors of the index.
    pub vectors: &'v VectorReader<'v>,
    /// One of its spaces.
    pub space: &'v Space,
    /// A vector in that space.
    pub vector: &'v Projection,
}

/// Returns the `k` nearest candidates that pass a filter and that `belongs` accepts, best first, with their cosines.
///
/// There may be more than `k`: all candidates with the same score as the last one are included.
pub fn nearest(
    reader: &Reader<'_>,
    place: NearestQuery<'_>,
    k: usize,
    filter: &Filter,
    belongs: impl Fn(&Candidate) -> bool,
) -> Result<Vec<(Candidate, f32)>> {
    let NearestQuery { vectors, space, vector } = place;
    let mut all = Vec::new();
    if let Some(few) = few(reader, filter)? {
        for found in few {
            if !belongs(&found) || !found.passes(reader, filter)? {
                continue;
            }
            let text = text_of_item(&reader.cache, found.seq())?;
            let score = text.map_or(Ok(None), |text| vectors.score(space, vector, text))?;
            all.extend(score.map(|score| (found, score)));
        }
    } else {
        let mut found: HashMap<i64, Vec<Candidate>> = HashMap::new();
        let near = vectors.nearest(space, vector, k, |text| {
            let mut items = Vec::new();
            for one in live_with_text(reader, text)? {
                if belongs(&one) && one.passes(reader, filter)? {
                    items.push(one);
                }
            }
            let any = !items.is_empty();
            found.insert(text, items);
            Ok(any)
        })?;
        for near in near {
            all.extend(found.remove(&near.text).unwrap_or_default().into_iter().map(|one| (one, near.score)));
        }
    }
    let mut keyed: Vec<(String, Candidate, f32)> =
        all.into_iter().map(|(one, score)| (one.key(), one, score)).collect();
    keyed.sort_by(|a, b| b.2.total_cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
    let last = keyed.get(k.saturating_sub(1)).map(|(.., score)| *score);
    keyed.retain(|(.., score)| last.is_none_or(|last| *score >= last));
    Ok(keyed.into_iter().map(|(_, found, score)| (found, score)).collect())
}

/// Returns the candidates that a filter of kinds or paths leaves; `None` if they are many, or may include commits.
fn few(reader: &Reader<'_>, filter: &Filter) -> Result<Option<Vec<Candidate>>> {
    let keeps_commits = filter.path.is_none() && filter.keeps_kind(ItemKind::Commit);
    if keeps_commits {
        return Ok(None);
    }
    let mut left = Vec::new();
    item::each(&reader.cache, reader.view.id, |item, _| {
        if left.len() <= FEW && filter.keeps_kind(item.kind) && filter.keeps_path(&item.path) {
            left.push(Candidate::Item(item));
        }
        Ok(())
    })?;
    for said in entries::all(&reader.cache, reader.view.id)? {
        if left.len() <= FEW && filter.keeps_kind(said.kind) && filter.keeps_place(said.path.as_deref()) {
            left.push(Candidate::Said(said));
        }
    }
    Ok((left.len() <= FEW).then_some(left))
}
