//! The signals between some files and the people who may know them. Refuses bots: they know nothing.

use std::collections::{BTreeMap, HashMap};

use super::Table;
use crate::embedding::{Rows, dot};
use crate::history::{File, HALF_LIFE, LARGEST_COMMIT, Tally, decay};

/// What each column says.
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

/// Columns by name, for plain methods.
pub mod person_signal {
    /// Commits to the files, over the most.
    pub const COUNT: usize = 0;
    /// Decayed commits to the files, over the most.
    pub const DECAYED: usize = 1;
    /// Decayed commits to the folders of the files, over the most.
    pub const FOLDER: usize = 5;
    /// Decayed commits to what goes with the files, over the most.
    pub const COMPANIONS: usize = 6;
    /// Decay since they were last seen at all.
    pub const RECENT: usize = 7;
    /// Decayed commits in the repository, over the most.
    pub const POPULAR: usize = 8;
    /// Cosine with the files that they wrote.
    pub const FROZEN: usize = 13;
    /// The same as an adapter sees it.
    pub const ADAPTER: usize = 14;
}

/// Days after which half is left: of commits that are fresh, and of having been seen at all.
const FRESH: f64 = 30.0;
const RECENT: f64 = 90.0;
/// Companions of the files that are looked at.
const COMPANIONS: usize = 10;
/// The newest commits of the repository in which people work in bursts.
const BURST: usize = 20;

/// Sums by person.
#[derive(Debug, Default)]
struct Sums(BTreeMap<u32, f64>);

impl Sums {
    fn add(&mut self, person: u32, value: f64) {
        *self.0.entry(person).or_default() += value;
    }

    fn of(&self, person: u32) -> f64 {
        self.0.get(&person).copied().unwrap_or_default()
    }

    /// Over the most that anybody has.
    fn share(&self, person: u32) -> f64 {
        let most = self.0.values().copied().fold(0.0, f64::max);
        if most > 0.0 { self.of(person) / most } else { 0.0 }
    }
}

/// The signals from some files to everybody who wrote a commit. `frozen` and `projected` are the texts of files.
pub fn people_table(tally: &Tally, names: &[String], files: &[File], frozen: &Rows, projected: &Rows) -> Table {
    let now = tally.time();
    let folder_of = |file: File| names[tally.path(file) as usize].rsplit_once('/').map_or("", |(folder, _)| folder);
    let folders: Vec<&str> = files.iter().map(|file| folder_of(*file)).collect();
    let companions = companions(tally, files);
    let [mut count, mut decayed, mut fresh, mut last, mut first] = [(); 5].map(|()| Sums::default());
    for file in files {
        let commits: Vec<_> = tally.all_commits_of(*file).filter(|commit| !commit.authors.is_empty()).collect();
        for commit in &commits {
            for author in &commit.authors {
                count.add(*author, 1.0);
                decayed.add(*author, decay(now, commit.time, HALF_LIFE));
                fresh.add(*author, decay(now, commit.time, FRESH));
            }
        }
        let share = 1.0 / files.len() as f64;
        for (end, commit) in [(&mut last, commits.last()), (&mut first, commits.first())] {
            commit.iter().flat_map(|commit| &commit.authors).for_each(|author| end.add(*author, share));
        }
    }
    let [mut folder, mut beside, mut popular, mut all, mut burst] = [(); 5].map(|()| Sums::default());
    let (mut seen, mut newest): (HashMap<u32, (i64, usize)>, &[u32]) = (HashMap::new(), &[]);
    let total = tally.commits().len();
    let is_inside: Vec<bool> = (0..tally.len() as File).map(|file| folders.contains(&folder_of(file))).collect();
    for (place, commit) in tally.commits().iter().enumerate() {
        if !commit.authors.is_empty() {
            newest = &commit.authors;
        }
        let weight = decay(now, commit.time, HALF_LIFE) / commit.touched.max(1) as f64;
        for author in &commit.authors {
            all.add(*author, 1.0);
            popular.add(*author, decay(now, commit.time, RECENT));
            seen.insert(*author, (commit.time, place));
            if place + BURST >= total {
                burst.add(*author, 1.0 / BURST as f64);
            }
            for file in commit.files.iter().filter(|_| commit.touched as i64 <= LARGEST_COMMIT) {
                if is_inside[*file as usize] {
                    folder.add(*author, weight);
                }
                beside.add(*author, weight * companions.get(file).copied().unwrap_or_default());
            }
        }
    }
    let people: Vec<u32> = all.0.keys().copied().collect();
    let mut columns = vec![Vec::with_capacity(people.len()); PEOPLE_SIGNALS.len()];
    let alike = [frozen, projected].map(|rows| likeness(tally, files, rows));
    for person in &people {
        let person = *person;
        let (time, place) = seen.get(&person).copied().unwrap_or((now, total));
        let row = [
            count.share(person),
            decayed.share(person),
            fresh.share(person),
            last.of(person),
            first.of(person),
            folder.share(person),
            beside.share(person),
            decay(now, time, RECENT),
            popular.share(person),
            all.of(person).ln_1p() / 6.0,
            1.0 / (1.0 + ((total - place) as f64).ln()),
            f64::from(u8::from(newest.contains(&person))),
            burst.of(person),
            alike[0].get(&person).copied().unwrap_or_default(),
            alike[1].get(&person).copied().unwrap_or_default(),
        ];
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value as f32);
        }
    }
    Table { files: people, columns }
}

/// What goes with some files, and how much.
fn companions(tally: &Tally, files: &[File]) -> HashMap<File, f64> {
    let mut sums = vec![0.0; tally.len()];
    for file in files {
        for (sum, shared) in sums.iter_mut().zip(tally.shared(*file)) {
            *sum += shared.decayed;
        }
    }
    let mut all: Vec<(f64, File)> =
        sums.into_iter().zip(0..).filter(|(sum, file)| *sum > 0.0 && !files.contains(file)).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    all.into_iter().take(COMPANIONS).map(|(sum, file)| (file, sum)).collect()
}

/// How alike the files are to those that each person wrote, as the directions of their sums.
pub fn likeness(tally: &Tally, files: &[File], rows: &Rows) -> HashMap<u32, f64> {
    if rows.width == 0 {
        return HashMap::new();
    }
    let mut own = vec![0.0_f32; rows.width];
    for row in files.iter().filter_map(|file| rows.row(*file)) {
        own.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    let mut sums: HashMap<u32, Vec<f32>> = HashMap::new();
    for commit in tally.commits().iter().filter(|commit| commit.touched as i64 <= LARGEST_COMMIT) {
        let weight = (decay(tally.time(), commit.time, HALF_LIFE) / commit.touched.max(1) as f64) as f32;
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
