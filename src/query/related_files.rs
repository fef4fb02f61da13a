//! Ranks every live file by its relation to a target, from history, paths and vectors together, with evidence. Files
//! whose only evidence is their popularity are left out.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;

use super::candidate::touched_since;
use super::co_change::evidence;
use super::everywhere;
use super::near::LEAST_COSINE;
use super::signals::{Signals, scores};
use super::{Evidence, Filter, Hit, Reader};
use crate::dimensions::TEMPORAL;
use crate::embedding::dot;
use crate::facts::ItemKind;
use crate::fusion::{self, COLD, FileQuery, FileTableInput, PathFeatures, Question, SignalTable};
use crate::history::{self, FileId, Related};
use crate::index::VectorReader;
use crate::item::Item;

/// Ranks the files related to an item's file, best first.
pub fn related_files(
    reader: &Reader<'_>,
    item: &Item,
    filter: &Filter,
    vectors: &VectorReader<'_>,
) -> Result<Vec<Hit>> {
    let mut signals = Signals::count(reader, &[&item.path])?;
    let Some(own) = signals.history.file(&item.path).filter(|_| filter.keeps_kind(ItemKind::File)) else {
        return Ok(Vec::new());
    };
    signals.see(reader, vectors, &TEMPORAL)?;
    let ordered = order(reader, &signals, own)?;
    let mixed = history::related(&reader.cache, reader.view.id, reader.time(), &item.path)?;
    let mixed: HashMap<&str, (usize, &Related)> =
        (1..).zip(&mixed).map(|(rank, related)| (related.path.as_str(), (rank, related))).collect();
    let people = reader.people()?;
    // A question about a lock file asks what changes with it, so such files are not listed separately.
    let is_asked = everywhere::changes_with_everything(&signals.history, own);
    let mut hits = Vec::new();
    for (score, file) in ordered {
        if hits.len() == filter.k {
            break;
        }
        let path = signals.history.path(file);
        if !filter.keeps_path(path) || !touched_since(reader, path, filter.since)? {
            continue;
        }
        let known = mixed.get(path).copied();
        let counted = match known {
            Some((_, related)) => evidence(reader, item, related)?,
            None => Vec::new(),
        };
        let alike = cosine(&signals, own, file).filter(|cosine| *cosine >= LEAST_COSINE);
        let alike = alike.map(|cosine| Evidence::Near { dimension: TEMPORAL.name, cosine });
        let mut reasons: Vec<Evidence> = counted.into_iter().chain(alike).collect();
        if reasons.is_empty() {
            let Some((_, related)) = known.filter(|(_, related)| related.path_similarity > 0.0) else { continue };
            reasons.push(Evidence::Path { similarity: related.path_similarity });
        }
        reasons.extend(reader.authors(path, &people)?);
        let ranks = known.map(|(rank, _)| BTreeMap::from([(TEMPORAL.name, rank)])).unwrap_or_default();
        let changes_with_everything = !is_asked && everywhere::changes_with_everything(&signals.history, file);
        hits.push(Hit { changes_with_everything, ..Hit::of_file(path, score, ranks, reasons) });
    }
    Ok(hits)
}

/// Returns every other live file with its score, best first; ties by path.
fn order(reader: &Reader<'_>, signals: &Signals<'_>, own: FileId) -> Result<Vec<(f64, FileId)>> {
    let history = &signals.history;
    let table = table(signals, &mut PathFeatures::default(), own);
    let question = if history.counts.count_of(own) < COLD { Question::ColdFiles } else { Question::Files };
    let scores = scores(reader, question, &table, signals.model.as_deref())?;
    let mut ordered: Vec<(f64, FileId)> = scores.into_iter().zip(table.candidates).collect();
    ordered.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| history.path(a.1).cmp(history.path(b.1))));
    Ok(ordered)
}

/// Returns the table of signals between a file and every other file. `paths` caches parsed file names.
pub(super) fn table(signals: &Signals<'_>, paths: &mut PathFeatures, own: FileId) -> SignalTable {
    let (history, [base, projected]) = (&signals.history, &signals.seen);
    let vectors = FileTableInput { names: &history.paths, base_embeddings: &base.files, projections: &projected.files };
    let query = FileQuery {
        file: Some(own),
        path: history.counts.path(own),
        base_embedding: base.files.row(own),
        projection: projected.files.row(own),
    };
    fusion::file_table(&history.counts, paths, &vectors, &query)
}

/// Returns the cosine of two files, of their projections or else of their base embeddings.
pub(super) fn cosine(signals: &Signals<'_>, a: FileId, b: FileId) -> Option<f32> {
    let seen = signals.seen.iter().rev().find(|seen| seen.space.is_some())?;
    Some(dot(seen.files.row(a)?, seen.files.row(b)?))
}
