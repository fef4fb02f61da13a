//! The signals between what a person wants to do, in words, and the files it will touch. Refuses to know where the words
//! came from: the one who asks says what matched.

use std::collections::HashMap;

use crate::embedding::{Rows, dot};
use crate::history::{File, Tally};

/// What each column says.
pub const TASK_SIGNALS: [&str; 18] = [
    "words_file",
    "words_definition",
    "words_commits",
    "words_commits_fresh",
    "near_commits",
    "near_commits_adapter",
    "frozen",
    "adapter",
    "definition_frozen",
    "definition_adapter",
    "path_words",
    "named",
    "popular",
    "log_commits",
    "recent",
    "companions",
    "past",
    "past_sum",
];

/// Columns by name, for plain methods.
pub mod task_signal {
    /// What past commits near to the task touched.
    pub const NEAR_COMMITS: usize = 4;
    /// The same as an adapter sees it.
    pub const NEAR_COMMITS_ADAPTER: usize = 5;
    /// Cosine with the text of the file.
    pub const FROZEN: usize = 6;
    /// The same as an adapter sees it.
    pub const ADAPTER: usize = 7;
    /// The same with its best definition.
    pub const DEFINITION_ADAPTER: usize = 9;
    /// Words of the path.
    pub const PATH_WORDS: usize = 10;
    /// Decayed commits, over the most.
    pub const POPULAR: usize = 12;
    /// How many commits touched it, as a logarithm.
    pub const COUNT: usize = 13;
}

/// Words of a task that are searched for: a long text says the same again.
pub const MOST_WORDS: usize = 48;
/// Matches of full text that count: files, their definitions, and commits whose size says something.
pub const MOST_MATCHES: usize = 400;
/// Commits like the task whose files count.
pub const NEAREST_COMMITS: usize = 40;
/// Definitions nearest to the task that count: what is farther is no file's best reason.
pub const NEAREST_DEFINITIONS: usize = 400;
/// Files whose companions count.
const LEADERS: usize = 5;
/// How soon more of a word says no more, and how much a long past is held against a file.
const K1: f64 = 1.2;
const B: f64 = 0.75;
/// A sum of BM25 that says much.
const PAST_SCALE: f64 = 10.0;
/// Names shorter than this stand in any text.
const SHORTEST_NAME: usize = 4;

/// What matched the words, each with how well.
#[derive(Debug, Default, Clone)]
pub struct Matched {
    /// Files by their own words.
    pub files: Vec<(File, f64)>,
    /// Files by the words of one of their definitions.
    pub definitions: Vec<(File, f64)>,
    /// Commits, by their place among those that the tally took in.
    pub commits: Vec<(usize, f64)>,
    /// By word, the commits whose messages say it, by the same place.
    pub said: Vec<Vec<usize>>,
    /// Commits by the direction of their messages, and the same as an adapter sees them; cosines.
    pub near: [Vec<(usize, f64)>; 2],
}

/// What is asked and what it is compared with; the second of each pair is as an adapter sees it.
pub struct Task<'a> {
    /// Words of the task.
    pub words: &'a [String],
    /// All of it, in small letters.
    pub text: &'a str,
    /// Its direction.
    pub vector: [Option<&'a [f32]>; 2],
    /// Texts of files.
    pub files: [&'a Rows; 2],
    /// Texts of the definitions of each file.
    pub definitions: [&'a HashMap<File, Vec<&'a [f32]>>; 2],
    /// What paths are called.
    pub names: &'a [String],
}

/// One number a signal for every live file.
pub fn task_table(tally: &Tally, task: &Task<'_>, matched: &Matched) -> super::Table {
    let files: Vec<File> = tally.live().collect();
    let room = tally.len();
    let best = |found: &[(File, f64)]| {
        let mut values = vec![0.0_f64; room];
        for (file, score) in found {
            values[*file as usize] = values[*file as usize].max(*score);
        }
        values
    };
    let spread = |found: &[(usize, f64)], power: i32, half_life: Option<f64>| {
        let mut values = vec![0.0; room];
        for (place, score) in found.iter().take(NEAREST_COMMITS) {
            let commit = &tally.commits()[*place];
            let age = half_life.map_or(1.0, |days| crate::history::decay(tally.time(), commit.time, days));
            let weight = score.max(0.0).powi(power) * age / (commit.touched.max(1) as f64).sqrt();
            for file in &commit.files {
                values[*file as usize] += weight;
            }
        }
        values
    };
    let by_words = spread(&matched.commits, 1, None);
    let near = [spread(&matched.near[0], 4, None), spread(&matched.near[1], 4, None)];
    let sums = [
        best(&matched.files),
        best(&matched.definitions),
        by_words,
        spread(&matched.commits, 1, Some(crate::history::HALF_LIFE)),
        near[0].clone(),
        near[1].clone(),
    ];
    let most = |values: &[f64]| files.iter().map(|file| values[*file as usize]).fold(0.0, f64::max);
    let tops: Vec<f64> = sums.iter().map(|values| most(values)).collect();
    let share = |part: f64, most: f64| if most > 0.0 { part / most } else { 0.0 };
    let path_words: Vec<Vec<String>> =
        files.iter().map(|file| crate::text_index::words(&task.names[tally.path(*file) as usize])).collect();
    let past = past(tally, &files, &path_words, task.words, &matched.said);
    let most_past = past.iter().copied().fold(0.0, f64::max);
    let popularity = tally.popularity();
    let most_popular = most(&popularity);
    let companions = companions(tally, &files, |file| {
        let at = |index: usize| share(sums[index][file as usize], tops[index]);
        at(0) + at(1) + at(2) + at(4) + at(5)
    });
    let most_companions = most(&companions);
    let definitions = [0, 1].map(|which| {
        task.vector[which].map_or_else(HashMap::new, |vector| nearest_definitions(vector, task.definitions[which]))
    });
    let mut columns = vec![Vec::with_capacity(files.len()); TASK_SIGNALS.len()];
    for ((file, path_words), past) in files.iter().zip(&path_words).zip(past) {
        let at = *file as usize;
        let name = &task.names[tally.path(*file) as usize];
        let said = path_words.iter().filter(|word| task.words.contains(word)).count() as f64;
        let base = name.rsplit('/').next().unwrap_or(name).to_lowercase();
        let stem = base.split('.').next().unwrap_or(&base);
        let named = task.text.contains(&base) || stem.len() >= SHORTEST_NAME && task.text.contains(stem);
        let cosine = |which: usize| {
            let pair = task.vector[which].zip(task.files[which].row(*file));
            pair.map_or(0.0, |(task, file)| f64::from(dot(task, file)))
        };
        let definition = |which: usize| definitions[which].get(file).copied().unwrap_or_default();
        let since = tally.since(*file).map_or(tally.commits().len(), |(_, commits)| commits);
        let row = [
            share(sums[0][at], tops[0]),
            share(sums[1][at], tops[1]),
            share(sums[2][at], tops[2]),
            share(sums[3][at], tops[3]),
            share(sums[4][at], tops[4]),
            share(sums[5][at], tops[5]),
            cosine(0),
            cosine(1),
            definition(0),
            definition(1),
            share(said, path_words.len() as f64),
            f64::from(u8::from(named)),
            share(popularity[at], most_popular),
            (tally.count_of(*file) as f64).ln_1p() / 5.0,
            1.0 / (1.0 + (since as f64).ln_1p()),
            share(companions[at], most_companions),
            share(past, most_past),
            past / PAST_SCALE,
        ];
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value as f32);
        }
    }
    super::Table { files, columns }
}

/// By file: the cosine of its definition that is most like the task, if that is among the nearest of all.
fn nearest_definitions(task: &[f32], definitions: &HashMap<File, Vec<&[f32]>>) -> HashMap<File, f64> {
    let each = definitions.iter().flat_map(|(file, all)| all.iter().map(move |one| (dot(task, one), *file)));
    let mut each: Vec<(f32, File)> = each.filter(|(cosine, _)| *cosine > 0.0).collect();
    let best_first = |a: &(f32, File), b: &(f32, File)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    if each.len() > NEAREST_DEFINITIONS {
        each.select_nth_unstable_by(NEAREST_DEFINITIONS, best_first);
        each.truncate(NEAREST_DEFINITIONS);
    }
    let mut nearest: HashMap<File, f64> = HashMap::new();
    for (cosine, file) in each {
        let best = nearest.entry(file).or_default();
        *best = best.max(f64::from(cosine));
    }
    nearest
}

/// BM25 (Robertson and Zaragoza 2009) over one document a file: its path and the messages of the commits that touched it.
/// How often a file says a word is counted in commits, and so is how long it is.
fn past(tally: &Tally, files: &[File], path_words: &[Vec<String>], words: &[String], said: &[Vec<usize>]) -> Vec<f64> {
    let length = |file: File| tally.count_of(file) as f64 + 1.0;
    let count = files.len() as f64;
    let mean = files.iter().map(|file| length(*file)).sum::<f64>() / count.max(1.0);
    let mut sums = vec![0.0; files.len()];
    for (word, places) in words.iter().zip(said) {
        let mut times = vec![0.0_f64; tally.len()];
        for file in places.iter().flat_map(|place| &tally.commits()[*place].files) {
            times[*file as usize] += 1.0;
        }
        for (file, path_words) in files.iter().zip(path_words) {
            times[*file as usize] += f64::from(u8::from(path_words.contains(word)));
        }
        let with = files.iter().filter(|file| times[**file as usize] > 0.0).count() as f64;
        let rare = (1.0 + (count - with + 0.5) / (with + 0.5)).ln();
        for (sum, file) in sums.iter_mut().zip(files) {
            let times = times[*file as usize];
            *sum += rare * times * (K1 + 1.0) / (times + K1 * (1.0 - B + B * length(*file) / mean));
        }
    }
    sums
}

/// What goes with the files that lead.
fn companions(tally: &Tally, files: &[File], score: impl Fn(File) -> f64) -> Vec<f64> {
    let mut leaders: Vec<(f64, File)> = files.iter().map(|file| (score(*file), *file)).collect();
    leaders.retain(|(score, _)| *score > 0.0);
    leaders.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut sums = vec![0.0; tally.len()];
    for (score, leader) in leaders.into_iter().take(LEADERS) {
        let shared = tally.shared(leader);
        let most = shared.iter().map(|shared| shared.decayed).fold(0.0, f64::max);
        for (sum, shared) in sums.iter_mut().zip(&shared).filter(|(_, shared)| shared.decayed > 0.0) {
            *sum += score * shared.decayed / most;
        }
    }
    sums
}
