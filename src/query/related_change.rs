//! Finds files that may be missing from a change of several files: ranks every other live file by the combined evidence
//! of the files in the change, which are never listed themselves.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;

use super::candidate::touched_since;
use super::co_change::{COMMITS, NEAR_PATH};
use super::near::LEAST_COSINE;
use super::related_files::{cosine, table};
use super::signals::{Signals, scores};
use super::{Evidence, Filter, Hit, Reader, everywhere};
use crate::dimensions::TEMPORAL;
use crate::facts::ItemKind;
use crate::fusion::{ChangeSignals, PathFeatures, Question, SignalTable};
use crate::history::{self, FileId, HALF_LIFE, decay, path_similarity};
use crate::index::VectorReader;

/// The commits that several files share with another file.
#[derive(Default)]
struct Together {
    weight: f64,
    /// Their indices among the counted commits, oldest first.
    places: Vec<usize>,
}

/// Ranks the files related to several files, best first. The encoded paths in `asked` are left out.
pub fn related_to_change(
    reader: &Reader<'_>,
    paths: &[&str],
    asked: &BTreeSet<String>,
    filter: &Filter,
    vectors: &VectorReader<'_>,
) -> Result<Vec<Hit>> {
    let mut signals = Signals::count(reader, paths)?;
    let mut own: Vec<FileId> = paths.iter().filter_map(|path| signals.history.file(path)).collect();
    own.sort_unstable();
    own.dedup();
    if own.is_empty() || !filter.keeps_kind(ItemKind::File) {
        return Ok(Vec::new());
    }
    signals.see(reader, vectors, &TEMPORAL)?;
    let mut names = PathFeatures::default();
    let tables: Vec<SignalTable> = own.iter().map(|file| table(&signals, &mut names, *file)).collect();
    let joined = ChangeSignals::new(&tables, signals.history.counts.live().collect());
    let whole = joined.whole(|file| own.binary_search(&file).is_err());
    let scores = scores(reader, Question::Missing, &whole, signals.model.as_deref())?;
    let mut ordered: Vec<(f64, FileId)> = scores.into_iter().zip(whole.candidates).collect();
    let path_of = |file: FileId| signals.history.path(file);
    ordered.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| path_of(a.1).cmp(path_of(b.1))));
    let together = together(&signals, &own);
    let ranks = ranks(&together, path_of);
    let people = reader.people()?;
    // A question about lock files alone asks what changes with them, so such files are not listed separately.
    let is_asked = own.iter().all(|file| everywhere::changes_with_everything(&signals.history, *file));
    let mut hits = Vec::new();
    for (score, file) in ordered {
        if hits.len() == filter.k {
            break;
        }
        let path = path_of(file);
        if asked.contains(path) || !filter.keeps_path(path) || !touched_since(reader, path, filter.since)? {
            continue;
        }
        let mut reasons = counted(reader, &signals, together.get(&file))?;
        let similarity = own.iter().map(|own| path_similarity(path_of(*own), path)).fold(0.0, f64::max);
        if similarity >= NEAR_PATH {
            reasons.push(Evidence::Path { similarity });
        }
        let most = own.iter().filter_map(|own| cosine(&signals, *own, file)).max_by(f32::total_cmp);
        let alike = most.filter(|cosine| *cosine >= LEAST_COSINE);
        reasons.extend(alike.map(|cosine| Evidence::Near { dimension: TEMPORAL.name, cosine }));
        if reasons.is_empty() {
            if similarity == 0.0 {
                continue;
            }
            reasons.push(Evidence::Path { similarity });
        }
        reasons.extend(reader.authors(path, &people)?);
        let ranks = ranks.get(&file).map(|rank| BTreeMap::from([(TEMPORAL.name, *rank)])).unwrap_or_default();
        let changes_with_everything = !is_asked && everywhere::changes_with_everything(&signals.history, file);
        hits.push(Hit { changes_with_everything, ..Hit::of_file(path, score, ranks, reasons) });
    }
    Ok(hits)
}

/// Collects, for every other file, the commits that it shares with any of the files, each once.
fn together(signals: &Signals<'_>, own: &[FileId]) -> HashMap<FileId, Together> {
    let counts = &signals.history.counts;
    let mut commits = BTreeMap::new();
    for file in own {
        commits.extend(counts.commits_of(*file).map(|commit| (commit.index, commit)));
    }
    let mut together: HashMap<FileId, Together> = HashMap::new();
    for (place, commit) in commits {
        let others = commit.files.iter().filter(|file| own.binary_search(file).is_err());
        for other in others {
            let known = together.entry(*other).or_default();
            known.weight += decay(counts.time(), commit.time, HALF_LIFE) / (commit.touched - 1).max(1) as f64;
            known.places.push(place);
        }
    }
    together
}

/// Ranks files by the weight of their shared commits, from 1; ties by path.
fn ranks<'p>(together: &HashMap<FileId, Together>, path_of: impl Fn(FileId) -> &'p str) -> HashMap<FileId, usize> {
    let mut all: Vec<(f64, FileId)> = together.iter().map(|(file, together)| (together.weight, *file)).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| path_of(a.1).cmp(path_of(b.1))));
    (1..).zip(all).map(|(rank, (_, file))| (file, rank)).collect()
}

/// Returns the co-change evidence for a file: the number of shared commits, and the newest of them.
fn counted(reader: &Reader<'_>, signals: &Signals<'_>, together: Option<&Together>) -> Result<Vec<Evidence>> {
    let Some(Together { weight, places }) = together else { return Ok(Vec::new()) };
    let mut reasons = vec![Evidence::Together { commits: places.len(), weight: *weight }];
    for place in places.iter().rev().take(COMMITS) {
        let index = signals.history.counts.commits()[*place].timeline_index;
        let commit = history::commit_ref(&reader.cache, signals.history.seqs[index])?;
        reasons.extend(commit.map(Evidence::Commit));
    }
    Ok(reasons)
}
