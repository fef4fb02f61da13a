//! Predicts the files that a task will touch, from the files its words match, past commits with the same words or a
//! similar meaning, and files that change together with those. A file without such evidence is left out.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::ControlFlow;

use anyhow::Result;
use rusqlite::named_params;

use super::candidate::touched_since;
use super::everywhere;
use super::evidence::line_of;
use super::near::LEAST_COSINE;
use super::signals::{Signals, scores};
use super::vector_search::QueryVector;
use super::{Evidence, Filter, Hit, Reader, TextQuery};
use crate::adapter;
use crate::dimensions::SEMANTIC;
use crate::embedding::{Embedding, Projection, dot};
use crate::event::Seq;
use crate::facts::ItemKind;
use crate::fusion::{
    self, NEAREST_COMMITS, NEAREST_DEFINITIONS, Question, SignalTable, TASK_SIGNALS, TaskMatches, TaskQuery,
};
use crate::history::{self, CoChange, FileId, LARGEST_COMMIT};
use crate::index::{self, Space, TextHit, VectorReader};
use crate::item::{self, Item};
use crate::text_index::{self, Match, words};

/// How many past commits are shown per hit.
const COMMITS: usize = 3;
/// The name of the ranking by words; the ranking by vectors has the name of its dimension.
const BY_WORDS: &str = "text";

/// A prediction in progress: first full text, while the model is still loading; then vectors, if there is a model; then
/// ranking.
pub(super) struct TaskSearch<'r, 's, 'v> {
    reader: &'r Reader<'s>,
    filter: &'r Filter,
    words: Vec<String>,
    text: String,
    signals: Signals<'v>,
    /// The indices of the commits that are small enough to be informative, by event.
    places: HashMap<Seq, usize>,
    /// The live files, by path.
    files: HashMap<String, FileId>,
    matched: TaskMatches,
    /// The number of full-text matches in those commits or files.
    used: usize,
    /// The best matching item of each file.
    best_items: HashMap<FileId, Item>,
    vectors: [Option<Vec<f32>>; 2],
    definitions: [Vec<(FileId, Vec<f32>)>; 2],
}

impl<'r, 's, 'v> TaskSearch<'r, 's, 'v> {
    /// Loads the counts, and starts a prediction from the words of a task.
    pub fn new(reader: &'r Reader<'s>, task: &TextQuery, filter: &'r Filter) -> Result<Self> {
        let mut words = task.words.clone();
        words.truncate(fusion::MOST_WORDS);
        let signals = Signals::count(reader, &[])?;
        let history = &signals.history;
        let commits = (0..).zip(history.counts.commits());
        let telling = commits.filter(|(_, commit)| commit.touched as i64 <= LARGEST_COMMIT);
        let places = telling.map(|(place, commit)| (history.seqs[commit.timeline_index], place)).collect();
        let files = history.counts.live().map(|file| (history.path(file).to_string(), file)).collect();
        Ok(TaskSearch {
            reader,
            filter,
            words,
            text: task.text.to_lowercase(),
            signals,
            places,
            files,
            matched: TaskMatches::default(),
            used: 0,
            best_items: HashMap::new(),
            vectors: Default::default(),
            definitions: Default::default(),
        })
    }

    /// Returns the words that are searched, which are the first words of the task.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Searches full text for the words.
    pub fn by_words(&mut self) -> Result<()> {
        let (reader, words) = (self.reader, self.words.clone());
        text_index::search(&reader.cache, &words, |one| self.visit(one))?;
        self.count_messages()
    }

    /// Adds a full-text match; matches arrive best first. Returns `Break` once enough were seen. Call
    /// [`TaskSearch::count_messages`] afterwards.
    pub fn visit(&mut self, one: Match) -> Result<ControlFlow<()>> {
        if let Some(place) = self.places.get(&one.seq) {
            self.matched.commits.push((*place, one.score));
            self.used += 1;
        } else if let Some(item) = item::by_seq(&self.reader.cache, self.reader.view.id, one.seq)?
            && let Some(file) = self.files.get(&item.path)
        {
            let list =
                if item.kind == ItemKind::File { &mut self.matched.files } else { &mut self.matched.definitions };
            list.push((*file, one.score));
            self.best_items.entry(*file).or_insert(item);
            self.used += 1;
        }
        Ok(if self.used < fusion::MOST_MATCHES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    }

    /// Collects, for each word, the commits whose messages contain it.
    pub fn count_messages(&mut self) -> Result<()> {
        for word in &self.words {
            let mut said = Vec::new();
            text_index::each_containing(&self.reader.cache, word, |seq| said.extend(self.places.get(&seq).copied()))?;
            self.matched.commits_by_word.push(said);
        }
        Ok(())
    }

    /// Adds the nearest vectors. `own` is the task projected into the space of [`SEMANTIC`].
    pub fn by_meaning(
        &mut self,
        vectors: &'v VectorReader<'_>,
        embedding: &Embedding,
        own: &QueryVector<'_>,
    ) -> Result<()> {
        self.signals.see(self.reader, vectors, &SEMANTIC)?;
        let directions = [adapter::identity(embedding), own.projection.clone()];
        for (which, direction) in directions.iter().enumerate() {
            let Some(space) = self.signals.seen[which].space else { continue };
            self.matched.near[which] = self.near_commits(vectors, space, direction)?;
            self.definitions[which] = self.near_definitions(vectors, space, direction)?;
            self.vectors[which] = Some(direction.0.to_f32());
        }
        Ok(())
    }

    fn near_commits(
        &self,
        vectors: &VectorReader<'_>,
        space: &Space,
        direction: &Projection,
    ) -> Result<Vec<(usize, f64)>> {
        let mut found: HashMap<i64, Vec<usize>> = HashMap::new();
        let near = vectors.nearest(space, direction, NEAREST_COMMITS, |text| {
            let commits: Vec<usize> =
                self.seqs_with(text)?.iter().filter_map(|seq| self.places.get(seq).copied()).collect();
            let any = !commits.is_empty();
            found.insert(text, commits);
            Ok(any)
        })?;
        let each = |near: &TextHit| {
            let commits = found.remove(&near.text).unwrap_or_default();
            let score = f64::from(near.score);
            commits.into_iter().map(move |place| (place, score)).collect::<Vec<_>>()
        };
        let mut scored: Vec<(usize, f64)> = near.iter().flat_map(each).collect();
        scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
        scored.truncate(NEAREST_COMMITS);
        Ok(scored)
    }

    fn near_definitions(
        &self,
        vectors: &VectorReader<'_>,
        space: &Space,
        direction: &Projection,
    ) -> Result<Vec<(FileId, Vec<f32>)>> {
        let mut found: Vec<(i64, FileId)> = Vec::new();
        vectors.nearest(space, direction, NEAREST_DEFINITIONS, |text| {
            let before = found.len();
            let paths = index::paths_of_definitions(&self.reader.cache, self.reader.view.id, text)?;
            found.extend(paths.iter().filter_map(|path| self.files.get(path)).map(|file| (text, *file)));
            Ok(found.len() > before)
        })?;
        let known = vectors.many(space, &found.iter().map(|(text, _)| *text).collect::<Vec<i64>>())?;
        let with_vector = found.iter().filter_map(|(text, file)| Some((*file, known.get(text)?.0.to_f32())));
        Ok(with_vector.collect())
    }

    /// Returns the item versions with this text.
    fn seqs_with(&self, text: i64) -> Result<Vec<Seq>> {
        let mut statement =
            self.reader.cache.prepare_cached("SELECT seq FROM item_text WHERE text = :text ORDER BY seq")?;
        let seqs = statement.query_map(named_params! {":text": text}, |row| row.get(0))?;
        Ok(seqs.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns the predicted files with evidence, best first.
    pub fn hits(self) -> Result<Vec<Hit>> {
        let (reader, filter, history) = (self.reader, self.filter, &self.signals.history);
        if !filter.keeps_kind(ItemKind::File) {
            return Ok(Vec::new());
        }
        let table = self.table();
        let scores = scores(reader, Question::Task, &table, self.signals.model.as_deref())?;
        let mut order: Vec<usize> = (0..table.candidates.len()).collect();
        let name = |row: usize| history.path(table.candidates[row]);
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then_with(|| name(*a).cmp(name(*b))));
        let ranks = [
            (BY_WORDS, places(&table, &["words_file", "words_definition", "words_commits", "past"])),
            (SEMANTIC.name, places(&table, &["near_commits", "near_commits_adapter", "frozen", "definition_frozen"])),
        ];
        let (commits, people) = (self.commits(), reader.people()?);
        let mut hits: Vec<Hit> = Vec::new();
        let mut together: Option<Vec<CoChange>> = None;
        for row in order {
            if hits.len() == filter.k {
                break;
            }
            let (file, path) = (table.candidates[row], name(row));
            if !filter.keeps_path(path) || !touched_since(reader, path, filter.since)? {
                continue;
            }
            let mut evidence = self.evidence(file, path, &commits, together.as_deref())?;
            if evidence.is_empty() {
                continue;
            }
            together.get_or_insert_with(|| history.counts.shared(file));
            evidence.extend(reader.authors(path, &people)?);
            let ranks = ranks.iter().filter_map(|(name, places)| Some((*name, places[row]?)));
            let is_asked = words(path).iter().any(|word| self.words.contains(word));
            let changes_with_everything = !is_asked && everywhere::changes_with_everything(history, file);
            hits.push(Hit { changes_with_everything, ..Hit::of_file(path, scores[row], ranks.collect(), evidence) });
        }
        Ok(hits)
    }

    /// Returns the score of each file by path, as a ratio to the highest.
    pub fn likely(&self) -> Result<HashMap<&str, f64>> {
        let table = self.table();
        let scores = scores(self.reader, Question::Task, &table, self.signals.model.as_deref())?;
        let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let history = &self.signals.history;
        Ok(table
            .candidates
            .iter()
            .zip(scores)
            .map(|(file, score)| (history.path(*file), (score - best).exp()))
            .collect())
    }

    fn table(&self) -> SignalTable {
        let mut definitions: [HashMap<FileId, Vec<&[f32]>>; 2] = Default::default();
        for (by_file, all) in definitions.iter_mut().zip(&self.definitions) {
            for (file, vector) in all {
                by_file.entry(*file).or_default().push(vector);
            }
        }
        let task = TaskQuery {
            words: &self.words,
            text: &self.text,
            vector: [self.vectors[0].as_deref(), self.vectors[1].as_deref()],
            files: [&self.signals.seen[0].files, &self.signals.seen[1].files],
            definitions: [&definitions[0], &definitions[1]],
            names: &self.signals.history.paths,
        };
        fusion::task_table(&self.signals.history.counts, &task, &self.matched)
    }

    /// Returns the indices of the matching commits, best first: by the sum of their scores by words and by vectors,
    /// each as a share of the best.
    fn commits(&self) -> Vec<usize> {
        let mut worth: HashMap<usize, f64> = HashMap::new();
        for list in [&self.matched.commits, &self.matched.near[0], &self.matched.near[1]] {
            let most = list.iter().map(|(_, score)| *score).fold(0.0, f64::max);
            for (place, score) in list.iter().take(NEAREST_COMMITS).filter(|_| most > 0.0) {
                *worth.entry(*place).or_default() += score / most;
            }
        }
        let mut commits: Vec<(f64, usize)> = worth.into_iter().map(|(place, worth)| (worth, place)).collect();
        commits.sort_by(|a, b| b.0.total_cmp(&a.0).then(Reverse(a.1).cmp(&Reverse(b.1))));
        commits.into_iter().map(|(_, place)| place).collect()
    }

    /// Collects the evidence for a file; empty if there is none. `together` is the co-change of each file with the best
    /// one.
    fn evidence(
        &self,
        file: FileId,
        path: &str,
        commits: &[usize],
        together: Option<&[CoChange]>,
    ) -> Result<Vec<Evidence>> {
        let history = &self.signals.history;
        let mut evidence = Vec::new();
        if let Some(item) = self.best_items.get(&file) {
            evidence.extend(line_of(self.reader, Some(item.line), item.seq, &self.words)?);
        }
        let touched = |place: &&usize| history.counts.commits()[**place].files.contains(&file);
        for place in commits.iter().filter(touched).take(COMMITS) {
            let seq = history.seqs[history.counts.commits()[*place].timeline_index];
            evidence.extend(history::commit_ref(&self.reader.cache, seq)?.map(Evidence::Commit));
        }
        if let Some(shared) = together.map(|together| together[file as usize]).filter(|shared| shared.count > 0.0) {
            evidence.push(Evidence::Together { commits: shared.count as usize, weight: shared.decayed });
        }
        let alike = self.cosine(file).filter(|cosine| *cosine >= LEAST_COSINE);
        evidence.extend(alike.map(|cosine| Evidence::Near { dimension: SEMANTIC.name, cosine }));
        if evidence.is_empty() && words(path).iter().any(|word| self.words.contains(word)) {
            evidence.push(Evidence::Text { line: None, text: path.to_string() });
        }
        Ok(evidence)
    }

    /// Returns the cosine of the task with a file, or with its best definition, in the dimension's space.
    fn cosine(&self, file: FileId) -> Option<f32> {
        let which = usize::from(self.vectors[1].is_some());
        let task = self.vectors[which].as_deref()?;
        let definitions = self.definitions[which].iter().filter(|(other, _)| *other == file);
        let all = definitions.map(|(_, vector)| vector.as_slice()).chain(self.signals.seen[which].files.row(file));
        all.map(|vector| dot(task, vector)).max_by(f32::total_cmp)
    }
}

/// Ranks rows by the sum of some signals, from 1; `None` for rows without any of them.
fn places(table: &SignalTable, signals: &[&str]) -> Vec<Option<usize>> {
    let columns: Vec<&Vec<f32>> = (TASK_SIGNALS.iter().zip(&table.columns))
        .filter_map(|(name, column)| signals.contains(name).then_some(column))
        .collect();
    let sum = |row: usize| columns.iter().map(|column| column[row]).sum::<f32>();
    let mut order: Vec<usize> = (0..table.candidates.len()).filter(|row| sum(*row) > 0.0).collect();
    order.sort_by(|a, b| sum(*b).total_cmp(&sum(*a)).then(a.cmp(b)));
    let mut places = vec![None; table.candidates.len()];
    for (rank, row) in order.into_iter().enumerate() {
        places[row] = Some(rank + 1);
    }
    places
}
