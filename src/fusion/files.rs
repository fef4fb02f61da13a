//! Signals between a file and every other file: co-change, path similarity, popularity and, with vectors, cosines.
//!
//! The same columns are used wherever files are ranked for a file.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use super::SignalTable;
use crate::embedding::{VectorRows, dot};
use crate::history::{ChangeCounts, FileId, PairWeight, path_similarity};

/// Names of the columns, as they are stored with weights.
pub const FILE_SIGNALS: [&str; 24] = [
    "count",
    "decayed",
    "fresh",
    "log_count",
    "given_query",
    "given_candidate",
    "second",
    "folder",
    "path",
    "stem",
    "words",
    "popular",
    "log_commits",
    "recent",
    "age",
    "frozen",
    "adapter",
    "ending",
    "both",
    "last_shared",
    "trigrams",
    "log_decayed",
    "log_fresh",
    "same_folder",
];

/// Indices of columns that are used by name.
pub mod signal {
    /// Number of shared commits, divided by the largest.
    pub const COUNT: usize = 0;
    /// Decayed number of shared commits, divided by the largest.
    pub const DECAYED: usize = 1;
    /// Path similarity.
    pub const PATH: usize = 8;
    /// Popularity, divided by the largest.
    pub const POPULAR: usize = 11;
    /// Cosine of the base embeddings.
    pub const BASE: usize = 15;
    /// Cosine of the projections.
    pub const ADAPTER: usize = 16;
}

/// A file with fewer commits than this is cold: its history is weak evidence, and other signals weigh more.
pub const COLD: usize = 5;
/// Nearest files whose own co-change counts for second-order co-change.
const SECOND_ORDER_NEIGHBOURS: usize = 10;

/// Features of paths, each computed once.
#[derive(Debug, Default)]
pub struct PathFeatures {
    by_path: Vec<PathParts>,
}

/// Features of one path; words and trigrams are ascending hashes.
#[derive(Debug)]
struct PathParts {
    folder: String,
    stem: String,
    ending: String,
    words: Vec<u64>,
    trigrams: Vec<u64>,
}

/// Paths and vectors of all files.
pub struct FileTableInput<'a> {
    /// Encoded paths, by path index.
    pub names: &'a [String],
    /// Base embedding of each file, by [`FileId`].
    pub base_embeddings: &'a VectorRows,
    /// Projection of each file, by [`FileId`].
    pub projections: &'a VectorRows,
}

/// The query: an existing file, or the path and vectors of a new one.
#[derive(Debug, Clone, Copy)]
pub struct FileQuery<'a> {
    /// The file; `None` for a new one.
    pub file: Option<FileId>,
    /// Index of its path.
    pub path: u32,
    /// Base embedding of its text.
    pub base_embedding: Option<&'a [f32]>,
    /// Projection of its text.
    pub projection: Option<&'a [f32]>,
}

impl PathFeatures {
    /// Computes the features of new paths.
    fn add_new(&mut self, names: &[String]) {
        self.by_path.extend(names.iter().skip(self.by_path.len()).map(|name| PathParts::of(name)));
    }

    /// Returns the features of a path.
    fn of(&self, path: u32) -> &PathParts {
        &self.by_path[path as usize]
    }
}

impl PathParts {
    /// Computes the features of an encoded path.
    fn of(path: &str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        // A test and the file it tests have the same stem.
        let stem = name.split('.').next().unwrap_or(name).to_lowercase();
        let bare = ["test_", "_test", "_tests", "_spec", "test", "tests"].iter().find_map(|affix| {
            stem.strip_prefix(affix).or_else(|| stem.strip_suffix(affix)).filter(|rest| !rest.is_empty())
        });
        let stem = bare.unwrap_or(&stem).trim_matches('_').to_string();
        let chars: Vec<char> = name.to_lowercase().chars().collect();
        PathParts {
            folder: folder.to_string(),
            stem,
            ending: name.rsplit('.').next().unwrap_or("").to_string(),
            words: hashes(crate::text_index::words(path)),
            trigrams: hashes(chars.windows(3)),
        }
    }
}

/// Returns the hashes of some parts, ascending, each once.
fn hashes<T: Hash>(parts: impl IntoIterator<Item = T>) -> Vec<u64> {
    let hash = |part: T| {
        let mut hasher = DefaultHasher::new();
        part.hash(&mut hasher);
        hasher.finish()
    };
    let mut hashes: Vec<u64> = parts.into_iter().map(hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// Returns the Jaccard similarity of two ascending lists: the size of the intersection over that of the union.
fn jaccard(a: &[u64], b: &[u64]) -> f64 {
    let (mut left, mut right, mut both) = (a, b, 0_usize);
    while let ([x, ..], [y, ..]) = (left, right) {
        let order = x.cmp(y);
        both += usize::from(order.is_eq());
        left = &left[usize::from(order.is_le())..];
        right = &right[usize::from(order.is_ge())..];
    }
    share(both as f64, (a.len() + b.len() - both) as f64)
}

/// Returns `part / most`; 0 if `most` is 0.
fn share(part: f64, most: f64) -> f64 {
    if most > 0.0 { part / most } else { 0.0 }
}

/// Returns `1 / (1 + ln(1 + distance))`: 1 at distance 0, slowly decreasing.
fn nearness(distance: usize) -> f64 {
    1.0 / (1.0 + (distance as f64).ln_1p())
}

/// Computes the signals from a query to every other live file.
pub fn file_table(
    counts: &ChangeCounts,
    paths: &mut PathFeatures,
    vectors: &FileTableInput<'_>,
    query: &FileQuery<'_>,
) -> SignalTable {
    paths.add_new(vectors.names);
    let paths = &*paths;
    let files: Vec<FileId> = counts.live().filter(|file| Some(*file) != query.file).collect();
    let shared = query.file.map(|file| counts.shared(file)).unwrap_or_default();
    let own_commits = query.file.map_or(0, |file| counts.count_of(file)) as f64;
    let own = paths.of(query.path);
    let second = second_order(counts, query.file, &shared);
    let folder = folder_order(counts, paths, &own.folder, query.file);
    let popularity = counts.popularity();
    let top = |pick: &dyn Fn(FileId) -> f64| files.iter().map(|file| pick(*file)).fold(0.0, f64::max);
    let pair = |file: FileId| shared.get(file as usize).copied().unwrap_or_default();
    let at = |values: &[f64], file: FileId| values.get(file as usize).copied().unwrap_or_default();
    let most_count = top(&|file| pair(file).count);
    let most_decayed = top(&|file| pair(file).decayed);
    let most_fresh = top(&|file| pair(file).fresh);
    let most_second = top(&|file| at(&second, file));
    let most_folder = top(&|file| at(&folder, file));
    let most_popular = top(&|file| at(&popularity, file));
    let last = last_shared(counts, query.file);
    let cosine = |a: Option<&[f32]>, b: Option<&[f32]>| a.zip(b).map_or(0.0, |(a, b)| f64::from(dot(a, b)));
    let mut columns = vec![Vec::with_capacity(files.len()); FILE_SIGNALS.len()];
    for file in &files {
        let (file, pair) = (*file, pair(*file));
        let path = counts.path(file);
        let parts = paths.of(path);
        let commits = counts.count_of(file) as f64;
        let (seconds, since) = counts.age(file).unwrap_or((i64::MAX / 2, counts.commits().len()));
        let row = [
            share(pair.count, most_count),
            share(pair.decayed, most_decayed),
            share(pair.fresh, most_fresh),
            pair.count.ln_1p() / 3.0,
            share(pair.count, own_commits),
            share(pair.count, commits),
            share(at(&second, file), most_second),
            share(at(&folder, file), most_folder),
            path_similarity(&vectors.names[query.path as usize], &vectors.names[path as usize]),
            f64::from(u8::from(!own.stem.is_empty() && own.stem == parts.stem)),
            jaccard(&own.words, &parts.words),
            share(at(&popularity, file), most_popular),
            commits.ln_1p() / 5.0,
            nearness(since),
            (seconds as f64 / 86_400.0).ln_1p() / 8.0,
            cosine(query.base_embedding, vectors.base_embeddings.row(file)),
            cosine(query.projection, vectors.projections.row(file)),
            f64::from(u8::from(own.ending == parts.ending)),
            share(pair.count, (own_commits * commits).sqrt()),
            last.get(file as usize).copied().flatten().map_or(0.0, nearness),
            jaccard(&own.trigrams, &parts.trigrams),
            (pair.decayed * 10.0).ln_1p() / 3.0,
            (pair.fresh * 10.0).ln_1p() / 3.0,
            f64::from(u8::from(own.folder == parts.folder)),
        ];
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value as f32);
        }
    }
    SignalTable { candidates: files, columns }
}

/// Returns, by file, how many commits ago it last changed together with the query.
fn last_shared(counts: &ChangeCounts, file: Option<FileId>) -> Vec<Option<usize>> {
    let mut last = vec![None; counts.len()];
    let Some(own) = file else { return last };
    for commit in counts.commits_of(own) {
        for file in &commit.files {
            last[*file as usize] = Some(counts.commits().len() - 1 - commit.index);
        }
    }
    last
}

/// Returns the second-order co-change by file: co-change with the nearest files of the query.
fn second_order(counts: &ChangeCounts, file: Option<FileId>, shared: &[crate::history::CoChange]) -> Vec<f64> {
    let Some(own) = file else { return Vec::new() };
    let mut nearest: Vec<(f64, FileId)> = (0..)
        .zip(shared)
        .filter(|(_, shared)| shared.decayed > 0.0)
        .map(|(file, shared)| (shared.decayed, file))
        .collect();
    nearest.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut sums = vec![0.0; counts.len()];
    for (weight, near) in nearest.into_iter().take(SECOND_ORDER_NEIGHBOURS) {
        let ties = counts.shared(near);
        let most = ties.iter().map(|tie| tie.decayed).fold(0.0, f64::max);
        for (sum, tie) in sums.iter_mut().zip(&ties).filter(|(_, tie)| tie.decayed > 0.0) {
            *sum += weight * tie.decayed / most;
        }
    }
    sums[own as usize] = 0.0;
    sums
}

/// Returns the decayed co-change, by file, with the other files in a folder.
fn folder_order(counts: &ChangeCounts, paths: &PathFeatures, folder: &str, own: Option<FileId>) -> Vec<f64> {
    let mut sums = vec![0.0; counts.len()];
    let inside: Vec<bool> = (0..counts.len() as FileId)
        .map(|file| Some(file) != own && paths.of(counts.path(file)).folder == folder)
        .collect();
    for commit in counts.commits() {
        if !commit.files.iter().any(|file| inside[*file as usize]) {
            continue;
        }
        let Some(weight) = PairWeight::of(commit.touched, commit.time, counts.time()) else { continue };
        for file in &commit.files {
            sums[*file as usize] += weight.decayed;
        }
    }
    sums
}
