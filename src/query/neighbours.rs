//! What changes together with a target: the mix, with the commits that say so.

use std::collections::BTreeMap;

use anyhow::Result;

use super::search::touched_since;
use super::{Evidence, Filter, Hit, Reader};
use crate::history;
use crate::item::Item;

/// Shared commits shown a hit.
const COMMITS: usize = 3;
/// Similarity of paths below this is no evidence.
const NEAR_PATH: f64 = 0.5;

/// Ranks the files that go with an item's file; best first.
pub fn related(reader: &Reader<'_>, item: &Item, filter: &Filter) -> Result<Vec<Hit>> {
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
        let mut evidence = Vec::new();
        if related.commits > 0 {
            evidence.push(Evidence::Together { commits: related.commits, weight: related.together });
            let shared = history::shared_commits(&reader.cache, reader.view.id, &item.path, &related.path, COMMITS)?;
            evidence.extend(shared.into_iter().map(Evidence::Commit));
        }
        if related.path_similarity >= NEAR_PATH {
            evidence.push(Evidence::Path { similarity: related.path_similarity });
        }
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
    Ok(hits)
}
