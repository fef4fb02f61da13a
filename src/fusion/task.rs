//! Signals between a task described in words and the files it will touch.
//!
//! The caller does the full-text and vector search; this file only combines what matched.

use std::collections::HashMap;

use crate::embedding::{VectorRows, dot};
use crate::history::{ChangeCounts, FileId};

/// Names of the columns, as they are stored with weights.
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

/// Indices of columns that are used by name.
pub mod task_signal {
    /// Touched by past commits with a similar message, by base embeddings.
    pub const NEAR_COMMITS: usize = 4;
    /// The same by projections.
    pub const NEAR_COMMITS_ADAPTER: usize = 5;
    /// Cosine with the text of the file, by base embeddings.
    pub const BASE: usize = 6;
    /// The same by projections.
    pub const ADAPTER: usize = 7;
    /// Cosine with its most similar definition, by projections.
    pub const DEFINITION_ADAPTER: usize = 9;
    /// Share of the words of the path that the task has.
    pub const PATH_WORDS: usize = 10;
    /// Popularity, divided by the largest.
    pub const POPULAR: usize = 12;
    /// Logarithm of the number of commits that touched it.
    pub const COUNT: usize = 13;
}

/// Most words of a task that are searched for: a longer text repeats itself.
pub const MOST_WORDS: usize = 48;
/// Most full-text matches that count: files, definitions, and commits of at most the largest informative size.
pub const MOST_MATCHES: usize = 400;
/// Most similar commits whose files count.
pub const NEAREST_COMMITS: usize = 40;
/// Most similar definitions that count.
pub const NEAREST_DEFINITIONS: usize = 400;
/// Best files so far whose co-change counts.
const LEADERS: usize = 5;
/// BM25 term-frequency saturation.
const K1: f64 = 1.2;
/// BM25 length normalization.
const B: f64 = 0.75;
/// BM25 score that is scaled to 1.
const PAST_SCALE: f64 = 10.0;
/// Shortest file stem that counts as named in a text: shorter ones occur by accident.
const MIN_NAMED_STEM: usize = 4;

/// Search results for a task, each with its score.
#[derive(Debug, Default, Clone)]
pub struct TaskMatches {
    /// Files whose own text matches.
    pub files: Vec<(FileId, f64)>,
    /// Files with a definition whose text matches.
    pub definitions: Vec<(FileId, f64)>,
    /// Commits whose message matches, by index in [`ChangeCounts::commits`].
    pub commits: Vec<(usize, f64)>,
    /// For each word of the task, the commits whose messages have it, by the same index.
    pub commits_by_word: Vec<Vec<usize>>,
    /// Commits with their message's cosine, by base embeddings and by projections.
    pub near: [Vec<(usize, f64)>; 2],
}

/// A task and what it is compared with; of each pair the first is for base embeddings, the second for projections.
pub struct TaskQuery<'a> {
    /// Words of the task.
    pub words: &'a [String],
    /// The whole text in lower case.
    pub text: &'a str,
    /// Vector of the task.
    pub vector: [Option<&'a [f32]>; 2],
    /// Vectors of files, by [`FileId`].
    pub files: [&'a VectorRows; 2],
    /// Vectors of the definitions of each file.
    pub definitions: [&'a HashMap<FileId, Vec<&'a [f32]>>; 2],
    /// Encoded paths, by path index.
    pub names: &'a [String],
}

/// Computes the signals from a task to every live file.
pub fn task_table(counts: &ChangeCounts, task: &TaskQuery<'_>, matched: &TaskMatches) -> super::SignalTable {
    let files: Vec<FileId> = counts.live().collect();
    let room = counts.len();
    let best = |found: &[(FileId, f64)]| {
        let mut values = vec![0.0_f64; room];
        for (file, score) in found {
            values[*file as usize] = values[*file as usize].max(*score);
        }
        values
    };
    let spread = |found: &[(usize, f64)], power: i32, half_life: Option<f64>| {
        let mut values = vec![0.0; room];
        for (index, score) in found.iter().take(NEAREST_COMMITS) {
            let commit = &counts.commits()[*index];
            let age = half_life.map_or(1.0, |days| crate::history::decay(counts.time(), commit.time, days));
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
        files.iter().map(|file| crate::text_index::words(&task.names[counts.path(*file) as usize])).collect();
    let past = past_message_scores(counts, &files, &path_words, task.words, &matched.commits_by_word);
    let most_past = past.iter().copied().fold(0.0, f64::max);
    let popularity = counts.popularity();
    let most_popular = most(&popularity);
    let companions = companions(counts, &files, |file| {
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
        let name = &task.names[counts.path(*file) as usize];
        let shared_words = path_words.iter().filter(|word| task.words.contains(word)).count() as f64;
        let base = name.rsplit('/').next().unwrap_or(name).to_lowercase();
        let stem = base.split('.').next().unwrap_or(&base);
        let named = task.text.contains(&base) || stem.len() >= MIN_NAMED_STEM && task.text.contains(stem);
        let cosine = |which: usize| {
            let pair = task.vector[which].zip(task.files[which].row(*file));
            pair.map_or(0.0, |(task, file)| f64::from(dot(task, file)))
        };
        let definition = |which: usize| definitions[which].get(file).copied().unwrap_or_default();
        let since = counts.age(*file).map_or(counts.commits().len(), |(_, commits)| commits);
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
            share(shared_words, path_words.len() as f64),
            f64::from(u8::from(named)),
            share(popularity[at], most_popular),
            (counts.count_of(*file) as f64).ln_1p() / 5.0,
            1.0 / (1.0 + (since as f64).ln_1p()),
            share(companions[at], most_companions),
            share(past, most_past),
            past / PAST_SCALE,
        ];
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value as f32);
        }
    }
    super::SignalTable { candidates: files, columns }
}

/// Returns, by file, the cosine of its most similar definition, if that is among the [`NEAREST_DEFINITIONS`] of all.
fn nearest_definitions(task: &[f32], definitions: &HashMap<FileId, Vec<&[f32]>>) -> HashMap<FileId, f64> {
    let each = definitions.iter().flat_map(|(file, all)| all.iter().map(move |one| (dot(task, one), *file)));
    let mut each: Vec<(f32, FileId)> = each.filter(|(cosine, _)| *cosine > 0.0).collect();
    let best_first = |a: &(f32, FileId), b: &(f32, FileId)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    if each.len() > NEAREST_DEFINITIONS {
        each.select_nth_unstable_by(NEAREST_DEFINITIONS, best_first);
        each.truncate(NEAREST_DEFINITIONS);
    }
    let mut nearest: HashMap<FileId, f64> = HashMap::new();
    for (cosine, file) in each {
        let best = nearest.entry(file).or_default();
        *best = best.max(f64::from(cosine));
    }
    nearest
}

/// Returns the BM25 score of each file, whose document is its path and the messages of the commits that touched it.
///
/// Term frequencies and document lengths are counted in commits. Source: Robertson and Zaragoza 2009.
fn past_message_scores(
    counts: &ChangeCounts,
    files: &[FileId],
    path_words: &[Vec<String>],
    words: &[String],
    commits_by_word: &[Vec<usize>],
) -> Vec<f64> {
    let length = |file: FileId| counts.count_of(file) as f64 + 1.0;
    let count = files.len() as f64;
    let mean = files.iter().map(|file| length(*file)).sum::<f64>() / count.max(1.0);
    let mut sums = vec![0.0; files.len()];
    for (word, commits) in words.iter().zip(commits_by_word) {
        let mut times = vec![0.0_f64; counts.len()];
        for file in commits.iter().flat_map(|commit| &counts.commits()[*commit].files) {
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

/// Returns the co-change, by file, with the [`LEADERS`] best files by `score`.
fn companions(counts: &ChangeCounts, files: &[FileId], score: impl Fn(FileId) -> f64) -> Vec<f64> {
    let mut leaders: Vec<(f64, FileId)> = files.iter().map(|file| (score(*file), *file)).collect();
    leaders.retain(|(score, _)| *score > 0.0);
    leaders.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut sums = vec![0.0; counts.len()];
    for (score, leader) in leaders.into_iter().take(LEADERS) {
        let shared = counts.shared(leader);
        let most = shared.iter().map(|shared| shared.decayed).fold(0.0, f64::max);
        for (sum, shared) in sums.iter_mut().zip(&shared).filter(|(_, shared)| shared.decayed > 0.0) {
            *sum += score * shared.decayed / most;
        }
    }
    sums
}
