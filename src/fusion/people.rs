//! Signals between some files and the people who may know them. Bots and agents are not candidates.

use std::collections::{BTreeMap, HashMap};

use super::SignalTable;
use crate::embedding::{VectorRows, dot};
use crate::history::{ChangeCounts, FileId, HALF_LIFE, LARGEST_COMMIT, decay};

/// Names of the columns, as they are stored with weights.
pub const PEOPLE_SIGNALS: [&str; 15] = [
    "count",
    "decayed",
    "fresh",
    "last",
    "first",
    "folder",
    "companions",
    "recent",
    "popular",
    "log_commits",
    "since",
    "newest",
    "burst",
    "frozen",
    "adapter",
];

/// Indices of columns that are used by name.
pub mod person_signal {
    /// Number of commits to the files, divided by the largest.
    pub const COUNT: usize = 0;
    /// Decayed number of commits to the files, divided by the largest.
    pub const DECAYED: usize = 1;
    /// Decayed number of commits to the folders of the files, divided by the largest.
    pub const FOLDER: usize = 5;
    /// Decayed number of commits to files that change with the files, divided by the largest.
    pub const COMPANIONS: usize = 6;
    /// Decay since their last commit anywhere.
    pub const RECENT: usize = 7;
    /// Decayed number of commits in the repository, divided by the largest.
    pub const POPULAR: usize = 8;
    /// Cosine with the files they wrote, by base embeddings.
    pub const BASE: usize = 13;
    /// Cosine with the files they wrote, by projections.
    pub const ADAPTER: usize = 14;
}

/// Half-life of the `fresh` signal, in days.
const FRESH_HALF_LIFE: f64 = 30.0;
/// Half-life of recent activity, in days.
const RECENT_HALF_LIFE: f64 = 90.0;
/// Number of companions: files that change with the files most.
const COMPANIONS: usize = 10;
/// Newest commits of the repository that count for the `burst` signal.
const BURST: usize = 20;

/// A sum per person.
#[derive(Debug, Default)]
struct PersonSums(BTreeMap<u32, f64>);

impl PersonSums {
    fn add(&mut self, person: u32, value: f64) {
        *self.0.entry(person).or_default() += value;
    }

    fn of(&self, person: u32) -> f64 {
        self.0.get(&person).copied().unwrap_or_default()
    }

    /// Returns a person's sum divided by the largest.
    fn share(&self, person: u32) -> f64 {
        let most = self.0.values().copied().fold(0.0, f64::max);
        if most > 0.0 { self.of(person) / most } else { 0.0 }
    }
}

/// Computes the signals from some files to every author of a commit.
///
/// `names` are encoded paths by path index; `base_embeddings` and `projections` are the vectors of files, by
/// [`FileId`].
pub fn people_table(
    counts: &ChangeCounts,
    names: &[String],
    files: &[FileId],
    base_embeddings: &VectorRows,
    projections: &VectorRows,
) -> SignalTable {
    let now = counts.time();
    let folder_of = |file: FileId| names[counts.path(file) as usize].rsplit_once('/').map_or("", |(folder, _)| folder);
    let folders: Vec<&str> = files.iter().map(|file| folder_of(*file)).collect();
    let companions = companions(counts, files);
    let [mut count, mut decayed, mut fresh, mut last, mut first] = [(); 5].map(|()| PersonSums::default());
    for file in files {
        let commits: Vec<_> = counts.all_commits_of(*file).filter(|commit| !commit.authors.is_empty()).collect();
        for commit in &commits {
            for author in &commit.authors {
                count.add(*author, 1.0);
                decayed.add(*author, decay(now, commit.time, HALF_LIFE));
                fresh.add(*author, decay(now, commit.time, FRESH_HALF_LIFE));
            }
        }
        let share = 1.0 / files.len() as f64;
        for (end, commit) in [(&mut last, commits.last()), (&mut first, commits.first())] {
            commit.iter().flat_map(|commit| &commit.authors).for_each(|author| end.add(*author, share));
        }
    }
    let [mut folder, mut companion_commits, mut popular, mut all, mut burst] = [(); 5].map(|()| PersonSums::default());
    let (mut seen, mut newest): (HashMap<u32, (i64, usize)>, &[u32]) = (HashMap::new(), &[]);
    let total = counts.commits().len();
    let is_inside: Vec<bool> = (0..counts.len() as FileId).map(|file| folders.contains(&folder_of(file))).collect();
    for (index, commit) in counts.commits().iter().enumerate() {
        if !commit.authors.is_empty() {
            newest = &commit.authors;
        }
        let weight = decay(now, commit.time, HALF_LIFE) / commit.touched.max(1) as f64;
        for author in &commit.authors {
            all.add(*author, 1.0);
            popular.add(*author, decay(now, commit.time, RECENT_HALF_LIFE));
            seen.insert(*author, (commit.time, index));
            if index + BURST >= total {
                burst.add(*author, 1.0 / BURST as f64);
            }
            for file in commit.files.iter().filter(|_| commit.touched as i64 <= LARGEST_COMMIT) {
                if is_inside[*file as usize] {
                    folder.add(*author, weight);
                }
                companion_commits.add(*author, weight * companions.get(file).copied().unwrap_or_default());
            }
        }
    }
    let people: Vec<u32> = all.0.keys().copied().collect();
    let mut columns = vec![Vec::with_capacity(people.len()); PEOPLE_SIGNALS.len()];
    let similarity = [base_embeddings, projections].map(|rows| author_similarity(counts, files, rows));
    for person in &people {
        let person = *person;
        let (time, index) = seen.get(&person).copied().unwrap_or((now, total));
        let row = [
            count.share(person),
            decayed.share(person),
            fresh.share(person),
            last.of(person),
            first.of(person),
            folder.share(person),
            companion_commits.share(person),
            decay(now, time, RECENT_HALF_LIFE),
            popular.share(person),
            all.of(person).ln_1p() / 6.0,
            1.0 / (1.0 + ((total - index) as f64).ln()),
            f64::from(u8::from(newest.contains(&person))),
            burst.of(person),
            similarity[0].get(&person).copied().unwrap_or_default(),
            similarity[1].get(&person).copied().unwrap_or_default(),
        ];
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value as f32);
        }
    }
    SignalTable { candidates: people, columns }
}

/// Returns the files that change with some files most, with their decayed co-change.
fn companions(counts: &ChangeCounts, files: &[FileId]) -> HashMap<FileId, f64> {
    let mut sums = vec![0.0; counts.len()];
    for file in files {
        for (sum, shared) in sums.iter_mut().zip(counts.shared(*file)) {
            *sum += shared.decayed;
        }
    }
    let mut all: Vec<(f64, FileId)> =
        sums.into_iter().zip(0..).filter(|(sum, file)| *sum > 0.0 && !files.contains(file)).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    all.into_iter().take(COMPANIONS).map(|(sum, file)| (file, sum)).collect()
}

/// Returns, by person, the cosine between the sum of the files' vectors and the decayed sum of those they wrote.
pub fn author_similarity(counts: &ChangeCounts, files: &[FileId], rows: &VectorRows) -> HashMap<u32, f64> {
    if rows.width == 0 {
        return HashMap::new();
    }
    let mut own = vec![0.0_f32; rows.width];
    for row in files.iter().filter_map(|file| rows.row(*file)) {
        own.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    let mut sums: HashMap<u32, Vec<f32>> = HashMap::new();
    for commit in counts.commits().iter().filter(|commit| commit.touched as i64 <= LARGEST_COMMIT) {
        let weight = (decay(counts.time(), commit.time, HALF_LIFE) / commit.touched.max(1) as f64) as f32;
        if weight < 1e-4 {
            continue;
        }
        for author in &commit.authors {
            let sum = sums.entry(*author).or_insert_with(|| vec![0.0; rows.width]);
            for row in commit.files.iter().filter_map(|file| rows.row(*file)) {
                sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
            }
        }
    }
    let length = |vector: &[f32]| f64::from(dot(vector, vector)).sqrt();
    let own_length = length(&own);
    let cosine = |sum: &[f32]| {
        let lengths = own_length * length(sum);
        if lengths > 0.0 { f64::from(dot(&own, sum)) / lengths } else { 0.0 }
    };
    sums.iter().map(|(person, sum)| (*person, cosine(sum))).collect()
}
