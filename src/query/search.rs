//! The answer of `query`: hits by full text and by similar meaning. Definitions and names rank above mentions, and
//! tests below what they test. Only what is live in the view is found.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::rc::Rc;

use anyhow::Result;

use super::evidence::{coverage, evidence, same_stem};
use super::nearest::nearest;
use super::spread::{Source, spread};
use super::task_search::TaskSearch;
use super::text_query::TextQuery;
use super::vector_search::{QueryVector, embedding_of, in_dimensions, semantic_vector};
use super::{Candidate, Evidence, Filter, Hit, Note, Reader, live};
use crate::dimensions::Dimension;
use crate::facts::ItemKind;
use crate::history::People;
use crate::index::{self, Space, VectorReader};
use crate::item::Item;
use crate::sessions::Category;
use crate::syntax::is_noise;
use crate::text_index::{self, Match, words};

/// How many full-text matches are rescored by name, kind and tests before the best are chosen.
const LOOKED_AT: usize = 200;
/// Returns the weight of a kind. A commit is low, because it usually points to the answer and is not the answer.
fn kind_weight(kind: ItemKind) -> f64 {
    match kind {
        ItemKind::Commit => 0.5,
        ItemKind::Session => 0.6,
        ItemKind::Constant => 0.8,
        ItemKind::File => 0.9,
        _ => 1.0,
    }
}

/// The weight of a test, fixture or example, unless the question asks for one.
const NOISE_WEIGHT: f64 = 0.5;
/// The weight of a document, unless the question asks for one: it usually describes the answer and is not the answer.
const DOCUMENT_WEIGHT: f64 = 0.5;
/// Words that ask for documents.
const DOCUMENT_WORDS: &[&str] =
    &["doc", "docs", "document", "documents", "documentation", "readme", "changelog", "guide", "manual", "tutorial"];
/// File extensions of documents.
const DOCUMENT_ENDINGS: &[&str] = &["md", "markdown", "rst", "txt", "adoc", "asciidoc", "org"];
/// The bonus for a hit whose name has every word of the question.
const NAME_BOOST: f64 = 0.8;
/// The bonus for a hit whose whole name is in the question.
const WHOLE_NAME_BOOST: f64 = 0.7;

/// The weight of the best vector match; the best text match has 1. In two repositories, ranking changed files by their
/// commit messages worked best with weights from 0.5 to 1.
const ALIKE_WEIGHT: f64 = 0.7;
/// The bonus, as a share of the score, for a match in the file that the task prediction ranks first.
const LIKELY_WEIGHT: f64 = 1.0;
/// The bonus, on the same scale, for a hit that the question names: by the whole name of its file, or a session entry
/// whose first line has every word of the question.
const NAMED_BOOST: f64 = 0.4;
/// How many vector matches are rescored before the best are chosen.
const ALIKE_LOOKED_AT: usize = 60;
/// The least cosine of a hit without matching words.
const LEAST_ALONE: f32 = 0.4;

/// How many hits are checked for a good match.
const JUDGED_HITS: usize = 3;
/// The share of the question's words that a good match has.
const GOOD_COVERAGE: f64 = 0.5;
/// The cosine with the question from which on a hit is a good match even without matching words.
const GOOD_COSINE: f32 = 0.55;

/// Words that ask for a reason.
const WHY_WORDS: &[&str] = &["why", "reason", "reasons", "decide", "decided", "decision", "rationale"];
/// The bonus of decisions if the question asks for a reason; challenges get half of it.
const WHY_BOOST: f64 = 1.0;

/// Words that ask for tests and examples.
const NOISE_WORDS: &[&str] = &["test", "tests", "example", "examples", "bench", "benches", "fixture"];

/// The answer to a question in words.
pub struct SearchAnswer {
    /// The hits, best first.
    pub hits: Vec<Hit>,
    /// Notes for the user.
    pub notes: Vec<Note>,
    /// The dimensions whose vectors were searched.
    pub used: Vec<&'static Dimension>,
    /// Those of them that were searched by the base embedding, because they have no adapter.
    pub untrained: Vec<&'static str>,
    /// Whether no hit matches well.
    pub is_poor: bool,
    /// Whether a damaged segment was found and bypassed; a worker can rebuild it.
    pub is_damaged: bool,
}

impl SearchAnswer {
    /// Assembles the answer once all searches are done.
    pub(super) fn new(
        vectors: &VectorReader<'_>,
        hits: Vec<Hit>,
        used: Vec<&'static Dimension>,
        notes: Vec<Note>,
    ) -> Self {
        let space = |dimension: &Dimension| vectors.generation().and_then(|one| one.space(dimension.name));
        let is_untrained = |dimension: &&&Dimension| space(dimension).is_some_and(Space::is_base);
        let untrained = used.iter().filter(is_untrained).map(|dimension| dimension.name).collect();
        SearchAnswer { hits, notes, used, untrained, is_poor: false, is_damaged: vectors.is_damaged() }
    }
}

/// Finds code, text, commits and session entries by words and by meaning; with `dimensions`, by the vectors of those
/// dimensions alone.
///
/// # Errors
/// A [`crate::error::UserError`] if dimensions are given and the question has no vector.
pub fn search(
    reader: &Reader<'_>,
    question: TextQuery,
    filter: &Filter,
    dimensions: &[&'static Dimension],
) -> Result<SearchAnswer> {
    let vectors = reader.vectors()?;
    let mut notes = Vec::new();
    let words = question.words.clone();
    let (hits, used) = if dimensions.is_empty() {
        by_words_and_meaning(reader, &vectors, question, filter, &mut notes)?
    } else {
        let embedding = embedding_of(&vectors, question.embedding)?;
        in_dimensions(reader, &vectors, (&embedding, &question.words), filter, dimensions, &mut notes)?
    };
    let is_poor = is_poor(reader, &hits, &words)?;
    Ok(SearchAnswer { is_poor, ..SearchAnswer::new(&vectors, hits, used, notes) })
}

/// Returns whether none of the first hits has half of the question's words, or a similar vector.
fn is_poor(reader: &Reader<'_>, hits: &[Hit], words: &[String]) -> Result<bool> {
    for hit in hits.iter().take(JUDGED_HITS) {
        let cosine = hit.evidence.iter().find_map(|one| match one {
            Evidence::Near { cosine, .. } => Some(*cosine),
            _ => None,
        });
        if cosine.is_some_and(|cosine| cosine >= GOOD_COSINE) || coverage(reader, hit, words)? >= GOOD_COVERAGE {
            return Ok(false);
        }
    }
    Ok(!hits.is_empty())
}

fn by_words_and_meaning(
    reader: &Reader<'_>,
    vectors: &VectorReader<'_>,
    question: TextQuery,
    filter: &Filter,
    notes: &mut Vec<Note>,
) -> Result<(Vec<Hit>, Vec<&'static Dimension>)> {
    let mut search = TextSearch::new(reader, &question, filter)?;
    let mut task = TaskSearch::new(reader, &question, filter)?;
    by_words(reader, &mut search, &mut task)?;
    let mut used = Vec::new();
    if let Some((embedding, vector)) = semantic_vector(reader, vectors, question.embedding, notes)? {
        search.by_meaning(&vector)?;
        task.by_meaning(vectors, &embedding, &vector)?;
        used.extend(vector.dimensions);
    }
    Ok((search.hits(&task.likely()?)?, used))
}

/// Passes each full-text match to both the search and the task prediction, until both have enough.
///
/// Full text is searched only once, unless the question is so long that the task prediction uses only its first words.
fn by_words(reader: &Reader<'_>, search: &mut TextSearch<'_, '_>, task: &mut TaskSearch<'_, '_, '_>) -> Result<()> {
    let words = search.words.clone();
    if task.words() != words {
        text_index::search(&reader.cache, &words, |one| search.visit(one))?;
        return task.by_words();
    }
    let (mut searching, mut tasking) = (ControlFlow::Continue(()), ControlFlow::Continue(()));
    text_index::search(&reader.cache, &words, |one| {
        if searching.is_continue() {
            searching = search.visit(one)?;
        }
        if tasking.is_continue() {
            tasking = task.visit(one)?;
        }
        Ok(if searching.is_continue() { searching } else { tasking })
    })?;
    task.count_messages()
}

/// A candidate with its scores.
struct ScoredCandidate {
    candidate: Candidate,
    /// BM25 with bonuses and weights; 0 if no word matched.
    text: f64,
    /// The cosine with the question; `None` without a vector.
    alike: Option<f32>,
    /// The weight of its kind and location.
    weight: f64,
}

/// A search in progress: first full text, while the model is still loading; then vectors, if there is a model; then
/// ranking.
struct TextSearch<'r, 's> {
    reader: &'r Reader<'s>,
    filter: &'r Filter,
    words: Vec<String>,
    asks_for_noise: bool,
    asks_for_documents: bool,
    asks_why: bool,
    candidates: HashMap<i64, ScoredCandidate>,
    /// The number of matches seen, and the score of the last one.
    looked_at: usize,
    last_score: f64,
    people: Rc<People>,
    /// The dimension that was searched by meaning.
    dimension: Option<&'static str>,
}

impl<'r, 's> TextSearch<'r, 's> {
    /// Starts a search with the words of a question.
    fn new(reader: &'r Reader<'s>, question: &TextQuery, filter: &'r Filter) -> Result<Self> {
        let lower = question.text.to_lowercase();
        Ok(TextSearch {
            reader,
            filter,
            words: question.words.clone(),
            asks_for_noise: question.words.iter().any(|word| NOISE_WORDS.contains(&word.as_str())),
            asks_for_documents: question.words.iter().any(|word| DOCUMENT_WORDS.contains(&word.as_str())),
            asks_why: lower.split(|c: char| !c.is_alphabetic()).any(|word| WHY_WORDS.contains(&word)),
            candidates: HashMap::new(),
            looked_at: 0,
            last_score: f64::INFINITY,
            people: reader.people()?,
            dimension: None,
        })
    }

    /// Adds a full-text match; matches arrive best first. Returns `Break` once enough were seen.
    fn visit(&mut self, one: Match) -> Result<ControlFlow<()>> {
        // All matches with the score of the last one are considered, so that the result does not depend on their order.
        if self.looked_at >= LOOKED_AT && self.candidates.len() >= self.filter.k && one.score < self.last_score {
            return Ok(ControlFlow::Break(()));
        }
        (self.looked_at, self.last_score) = (self.looked_at + 1, one.score);
        let Some(candidate) = live(self.reader, one.seq)? else { return Ok(ControlFlow::Continue(())) };
        if candidate.passes(self.reader, self.filter)? {
            let weight = self.weight(&candidate);
            let boost = if let Candidate::Item(item) = &candidate { name_boost(item, &self.words) } else { 1.0 };
            let text = one.score * weight * boost;
            self.candidates.insert(one.seq, ScoredCandidate { candidate, text, alike: None, weight });
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Adds the nearest vectors, and the cosines of all candidates.
    fn by_meaning(&mut self, vector: &QueryVector<'_>) -> Result<()> {
        let (reader, filter) = (self.reader, self.filter);
        let k = ALIKE_LOOKED_AT.max(filter.k);
        for (candidate, cosine) in nearest(reader, vector.nearest(), k, filter, |_| true)? {
            if cosine >= LEAST_ALONE {
                let (seq, weight) = (candidate.seq(), self.weight(&candidate));
                let scored = ScoredCandidate { candidate, text: 0.0, alike: None, weight };
                self.candidates.entry(seq).or_insert(scored);
            }
        }
        for (seq, scored) in &mut self.candidates {
            if let Some(text) = index::text_of_item(&reader.cache, *seq)? {
                scored.alike = vector.vectors.score(vector.space, &vector.projection, text)?;
            }
        }
        self.dimension = Some(vector.name());
        Ok(())
    }

    /// Returns the best hits with evidence; ties by key. `likely` is the task prediction for each file, from 0 to 1.
    fn hits(self, likely: &HashMap<&str, f64>) -> Result<Vec<Hit>> {
        let mut hits = Vec::new();
        for (scored, score, ranks) in ranked(self.candidates, self.dimension, likely, &self.words, self.filter) {
            let (seq, alike) = (scored.candidate.seq(), scored.alike);
            let mut hit = scored.candidate.into_hit(score);
            hit.ranks = ranks;
            hit.evidence = evidence(self.reader, &hit, seq, &self.words, &self.people)?;
            if let (Some(dimension), Some(cosine)) = (self.dimension, alike) {
                hit.evidence.push(Evidence::Near { dimension, cosine });
            }
            hits.push(hit);
        }
        Ok(hits)
    }

    fn weight(&self, candidate: &Candidate) -> f64 {
        match candidate {
            Candidate::Item(item) => {
                let document = if !self.asks_for_documents && is_document(item) { DOCUMENT_WEIGHT } else { 1.0 };
                document
                    * kind_weight(item.kind)
                    * if !self.asks_for_noise && is_test(item) { NOISE_WEIGHT } else { 1.0 }
            }
            Candidate::Said(said) if self.asks_why => match said.kind {
                kind @ ItemKind::Entry(Category::Decision) => kind_weight(kind) * (1.0 + WHY_BOOST),
                kind @ ItemKind::Entry(Category::Challenge) => kind_weight(kind) * (1.0 + WHY_BOOST / 2.0),
                kind => kind_weight(kind),
            },
            Candidate::Commit(..) | Candidate::Said(..) => kind_weight(candidate.kind()),
        }
    }
}

/// A candidate, with its ranks by words alone and by vectors alone.
type Ranked = (ScoredCandidate, BTreeMap<&'static str, usize>);

/// Ranks the candidates. Returns the best with their scores, and their ranks by words alone and by vectors alone.
fn ranked(
    candidates: HashMap<i64, ScoredCandidate>,
    dimension: Option<&'static str>,
    likely: &HashMap<&str, f64>,
    words: &[String],
    filter: &Filter,
) -> Vec<(ScoredCandidate, f64, BTreeMap<&'static str, usize>)> {
    let mut all: Vec<(String, ScoredCandidate)> =
        candidates.into_values().map(|scored| (scored.candidate.key(), scored)).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    let best = |part: fn(&ScoredCandidate) -> f64| all.iter().map(|(_, one)| part(one)).fold(0.0, f64::max);
    let alike = |one: &ScoredCandidate| f64::from(one.alike.unwrap_or(0.0).max(0.0)) * one.weight;
    let (most_text, most_alike) = (best(|one| one.text), best(alike));
    let share = |part: f64, most: f64| if most > 0.0 { part / most } else { 0.0 };
    let by_file = |one: &ScoredCandidate| match &one.candidate {
        Candidate::Item(item) => likely.get(item.path.as_str()).copied().unwrap_or_default(),
        Candidate::Commit(..) | Candidate::Said(..) => 0.0,
    };
    let place = |part: &dyn Fn(&ScoredCandidate) -> f64| -> Vec<Option<usize>> {
        let mut order: Vec<usize> = (0..all.len()).filter(|at| part(&all[*at].1) > 0.0).collect();
        order.sort_by(|a, b| part(&all[*b].1).total_cmp(&part(&all[*a].1)).then_with(|| a.cmp(b)));
        let mut places = vec![None; all.len()];
        for (rank, at) in order.into_iter().enumerate() {
            places[at] = Some(rank + 1);
        }
        places
    };
    let by_text = place(&|one| one.text);
    let by_meaning = place(&alike);
    let scored: Vec<(Ranked, f64)> = all
        .into_iter()
        .enumerate()
        .map(|(at, (_, one))| {
            let matched = share(one.text, most_text) + ALIKE_WEIGHT * share(alike(&one), most_alike);
            let named = if is_named(&one.candidate, words) { NAMED_BOOST } else { 0.0 };
            let score = matched * (1.0 + LIKELY_WEIGHT * by_file(&one).sqrt()) + named;
            let mut ranks = BTreeMap::new();
            ranks.extend(by_text[at].map(|rank| ("text", rank)));
            ranks.extend(dimension.zip(by_meaning[at]));
            ((one, ranks), score)
        })
        .collect();
    let spread = spread(scored, source_of, filter.kinds.contains(&ItemKind::Commit));
    spread.into_iter().take(filter.k).map(|((one, ranks), score)| (one, score, ranks)).collect()
}

/// Returns whether an item is documentation.
fn is_document(item: &Item) -> bool {
    let ending = item.path.rsplit_once('.').map_or("", |(_, ending)| ending).to_lowercase();
    DOCUMENT_ENDINGS.contains(&ending.as_str())
}

/// Returns whether the question names a candidate: it has every word of the file's name, ignoring word endings, or the
/// first line of a session entry has every word of the question.
fn is_named(candidate: &Candidate, question: &[String]) -> bool {
    let item = match candidate {
        Candidate::Item(item) => item,
        Candidate::Said(said) => {
            let line = words(&said.name);
            return question.len() > 1 && question.iter().all(|word| line.contains(word));
        }
        Candidate::Commit(..) => return false,
    };
    let name = item.path.rsplit('/').next().unwrap_or(&item.path);
    let stem = words(name.split('.').next().unwrap_or(name));
    let is_said = |part: &String| question.iter().any(|word| word == part || same_stem(word, part));
    !stem.is_empty() && stem.iter().all(is_said)
}

/// Returns the source of a candidate, for spreading an answer over files.
fn source_of((one, _): &Ranked) -> Source<'_> {
    match &one.candidate {
        Candidate::Item(item) => Source::File(&item.path),
        Candidate::Commit(..) => Source::Commit,
        Candidate::Said(_) => Source::Session,
    }
}

/// Returns whether an item is a test, fixture or example: by its path, or, for tests inside a source file, by its name.
fn is_test(item: &Item) -> bool {
    let inside = item.qualified.split("::").any(|part| part == "tests" || part == "test");
    is_noise(&item.path) || (item.kind != ItemKind::File && (inside || item.name.starts_with("test_")))
}

fn name_boost(item: &Item, question: &[String]) -> f64 {
    let name = if item.kind == ItemKind::File { item.name.split('.').next().unwrap_or(&item.name) } else { &item.name };
    let name = words(name);
    let covered = question.iter().filter(|word| name.contains(word)).count() as f64 / question.len().max(1) as f64;
    let whole = !name.is_empty() && name.iter().all(|word| question.contains(word));
    1.0 + NAME_BOOST * covered + if whole { WHOLE_NAME_BOOST } else { 0.0 }
}
