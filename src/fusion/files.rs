//! The signals between a file and every other one: what is counted, how near their paths are, and, where there are
//! vectors, what they say. The same columns wherever files are put in order.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use super::Table;
use crate::embedding::{Rows, dot};
use crate::history::{File, HALF_LIFE, LARGEST_COMMIT, Tally, decay, path_similarity};

/// What each column says.
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

/// Columns by name, for plain methods.
pub mod signal {
    /// Commits shared, over the most.
    pub const COUNT: usize = 0;
    /// Decayed commits shared, over the most.
    pub const DECAYED: usize = 1;
    /// Nearness of paths.
    pub const PATH: usize = 8;
    /// Decayed commits, over the most.
    pub const POPULAR: usize = 11;
    /// Cosine of the texts.
    pub const FROZEN: usize = 15;
    /// Cosine of the projections.
    pub const ADAPTER: usize = 16;
}

/// A file with fewer commits than this is cold: its own history says little, and other signals weigh more.
pub const COLD: usize = 5;
/// Files whose own neighbours are looked at for ties of ties.
const HOPS: usize = 10;

/// What paths are made of, each looked at once.
#[derive(Debug, Default)]
pub struct Paths {
    known: Vec<Parts>,
}

/// Words and trigrams as hashes, ascending.
#[derive(Debug)]
struct Parts {
    folder: String,
    stem: String,
    ending: String,
    words: Vec<u64>,
    trigrams: Vec<u64>,
}

/// What is looked at beside the counts.
pub struct Beside<'a> {
    /// What paths are called.
    pub names: &'a [String],
    /// Texts.
    pub frozen: &'a Rows,
    /// Texts as an adapter sees them.
    pub projected: &'a Rows,
}

/// What is asked of: a file that is there, or the path and vector of one that is new.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The file, where it has a past.
    pub file: Option<File>,
    /// Its path.
    pub path: u32,
    /// Its text.
    pub frozen: Option<&'a [f32]>,
    /// Its text as the adapter sees it.
    pub projected: Option<&'a [f32]>,
}

impl Paths {
    /// Looks at the names that are new.
    fn look_at(&mut self, names: &[String]) {
        self.known.extend(names.iter().skip(self.known.len()).map(|name| Parts::of(name)));
    }

    fn of(&self, path: u32) -> &Parts {
        &self.known[path as usize]
    }
}

impl Parts {
    fn of(path: &str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        // What a test is called beside what it tests, and the other way round.
        let stem = name.split('.').next().unwrap_or(name).to_lowercase();
        let bare = ["test_", "_test", "_tests", "_spec", "test", "tests"].iter().find_map(|affix| {
            stem.strip_prefix(affix).or_else(|| stem.strip_suffix(affix)).filter(|rest| !rest.is_empty())
        });
        let stem = bare.unwrap_or(&stem).trim_matches('_').to_string();
        let chars: Vec<char> = name.to_lowercase().chars().collect();
        Parts {
            folder: folder.to_string(),
            stem,
            ending: name.rsplit('.').next().unwrap_or("").to_string(),
            words: hashes(crate::text_index::words(path)),
            trigrams: hashes(chars.windows(3)),
        }
    }
}

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

/// What two ascending lists share, over what either holds.
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

fn share(part: f64, most: f64) -> f64 {
    if most > 0.0 { part / most } else { 0.0 }
}

/// Slowly less, from 1 at no distance.
fn nearness(distance: usize) -> f64 {
    1.0 / (1.0 + (distance as f64).ln_1p())
}

/// The signals from a query to every live file but itself.
pub fn file_table(tally: &Tally, paths: &mut Paths, beside: &Beside<'_>, query: &Query<'_>) -> Table {
    paths.look_at(beside.names);
    let paths = &*paths;
    let files: Vec<File> = tally.live().filter(|file| Some(*file) != query.file).collect();
    let shared = query.file.map(|file| tally.shared(file)).unwrap_or_default();
    let own_commits = query.file.map_or(0, |file| tally.count_of(file)) as f64;
    let own = paths.of(query.path);
    let second = second_order(tally, query.file, &shared);
    let folder = folder_order(tally, paths, &own.folder, query.file);
    let popularity = tally.popularity();
    let top = |pick: &dyn Fn(File) -> f64| files.iter().map(|file| pick(*file)).fold(0.0, f64::max);
    let pair = |file: File| shared.get(file as usize).copied().unwrap_or_default();
    let at = |values: &[f64], file: File| values.get(file as usize).copied().unwrap_or_default();
    let most_count = top(&|file| pair(file).count);
    let most_decayed = top(&|file| pair(file).decayed);
    let most_fresh = top(&|file| pair(file).fresh);
    let most_second = top(&|file| at(&second, file));
    let most_folder = top(&|file| at(&folder, file));
    let most_popular = top(&|file| at(&popularity, file));
    let last = last_shared(tally, query.file);
    let cosine = |a: Option<&[f32]>, b: Option<&[f32]>| a.zip(b).map_or(0.0, |(a, b)| f64::from(dot(a, b)));
    let mut columns = vec![Vec::with_capacity(files.len()); FILE_SIGNALS.len()];
    for file in &files {
        let (file, pair) = (*file, pair(*file));
        let path = tally.path(file);
        let parts = paths.of(path);
        let commits = tally.count_of(file) as f64;
        let (seconds, since) = tally.since(file).unwrap_or((i64::MAX / 2, tally.commits().len()));
        let row = [
            share(pair.count, most_count),
            share(pair.decayed, most_decayed),
            share(pair.fresh, most_fresh),
            pair.count.ln_1p() / 3.0,
            share(pair.count, own_commits),
            share(pair.count, commits),
            share(at(&second, file), most_second),
            share(at(&folder, file), most_folder),
            path_similarity(&beside.names[query.path as usize], &beside.names[path as usize]),
            f64::from(u8::from(!own.stem.is_empty() && own.stem == parts.stem)),
            jaccard(&own.words, &parts.words),
            share(at(&popularity, file), most_popular),
            commits.ln_1p() / 5.0,
            nearness(since),
            (seconds as f64 / 86_400.0).ln_1p() / 8.0,
            cosine(query.frozen, beside.frozen.row(file)),
            cosine(query.projected, beside.projected.row(file)),
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
    Table { files, columns }
}

/// By file: how many commits ago it changed together with the query.
fn last_shared(tally: &Tally, file: Option<File>) -> Vec<Option<usize>> {
    let mut last = vec![None; tally.len()];
    let Some(own) = file else { return last };
    for commit in tally.commits_of(own) {
        for file in &commit.files {
            last[*file as usize] = Some(tally.commits().len() - 1 - commit.place);
        }
    }
    last
}

/// Ties of ties: what goes with the files that go with it most.
fn second_order(tally: &Tally, file: Option<File>, shared: &[crate::history::Shared]) -> Vec<f64> {
    let Some(own) = file else { return Vec::new() };
    let mut nearest: Vec<(f64, File)> = (0..)
        .zip(shared)
        .filter(|(_, shared)| shared.decayed > 0.0)
        .map(|(file, shared)| (shared.decayed, file))
        .collect();
    nearest.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut sums = vec![0.0; tally.len()];
    for (weight, near) in nearest.into_iter().take(HOPS) {
        let ties = tally.shared(near);
        let most = ties.iter().map(|tie| tie.decayed).fold(0.0, f64::max);
        for (sum, tie) in sums.iter_mut().zip(&ties).filter(|(_, tie)| tie.decayed > 0.0) {
            *sum += weight * tie.decayed / most;
        }
    }
    sums[own as usize] = 0.0;
    sums
}

/// What goes with the folder of a file: counted over the commits that touched others in it.
fn folder_order(tally: &Tally, paths: &Paths, folder: &str, own: Option<File>) -> Vec<f64> {
    let mut sums = vec![0.0; tally.len()];
    let inside: Vec<bool> =
        (0..tally.len() as File).map(|file| Some(file) != own && paths.of(tally.path(file)).folder == folder).collect();
    for commit in tally.commits().iter().filter(|commit| (2..=LARGEST_COMMIT as usize).contains(&commit.touched)) {
        if !commit.files.iter().any(|file| inside[*file as usize]) {
            continue;
        }
        let weight = decay(tally.time(), commit.time, HALF_LIFE) / (commit.touched - 1) as f64;
        for file in &commit.files {
            sums[*file as usize] += weight;
        }
    }
    sums
}
