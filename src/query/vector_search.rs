//! Searches dimensions by a question: projects it into the space of each, and finds the nearest items there. A space
//! that several dimensions share is searched once.

use anyhow::Result;

use super::evidence::evidence;
use super::nearest::NearestQuery;
use super::text_query::PendingEmbedding;
use super::{Candidate, Filter, Hit, Note, Reader, near};
use crate::adapter;
use crate::dimensions::{Dimension, SEMANTIC};
use crate::embedding::{Embedding, Projection};
use crate::error::{Exit, UserError};
use crate::facts::ItemKind;
use crate::fusion;
use crate::index::{self, Space, VectorReader};

/// A question projected into one space.
pub(super) struct QueryVector<'v> {
    /// The vectors to search.
    pub vectors: &'v VectorReader<'v>,
    /// The space.
    pub space: &'v Space,
    /// The projected question.
    pub projection: Projection,
    /// The requested dimensions that use this space. The first one names it in ranks and evidence.
    pub dimensions: Vec<&'static Dimension>,
}

impl<'v> QueryVector<'v> {
    /// Projects a question into a dimension's space; `None` if its adapter cannot be read, or is not the one that the
    /// space was built with.
    fn new(vectors: &'v VectorReader<'v>, dimension: &'static Dimension, embedding: &Embedding) -> Option<Self> {
        let space = vectors.generation()?.space(dimension.name)?;
        let projection = match space.is_base() {
            true => adapter::identity(embedding),
            false => vectors.adapter(space)?.project(embedding)?,
        };
        Some(QueryVector { vectors, space, projection, dimensions: vec![dimension] })
    }

    /// Returns the space and the projected question.
    pub fn nearest(&self) -> NearestQuery<'_> {
        NearestQuery { vectors: self.vectors, space: self.space, vector: &self.projection }
    }

    /// Returns its name in evidence.
    pub fn name(&self) -> &'static str {
        self.dimensions[0].name
    }

    /// Returns whether one of its dimensions holds items of this kind.
    fn holds(&self, kind: ItemKind) -> bool {
        self.dimensions.iter().any(|dimension| dimension.holds.kind(kind))
    }
}

/// The spaces that an answer searches, each with its dimensions. All dimensions without an adapter share the space of
/// the base embedding.
#[derive(Default)]
pub(super) struct SharedSpaces(Vec<(i64, Vec<&'static Dimension>)>);

impl SharedSpaces {
    /// Adds a dimension to its space. Returns whether the space is new, so that it has to be searched.
    pub fn add(&mut self, space: &Space, dimension: &'static Dimension) -> bool {
        match self.0.iter_mut().find(|(id, _)| *id == space.id) {
            Some((_, dimensions)) => {
                dimensions.push(dimension);
                false
            }
            None => {
                self.0.push((space.id, vec![dimension]));
                true
            }
        }
    }

    /// Returns the dimensions of a space, in the order in which they were added.
    fn of(&self, space: &Space) -> Vec<&'static Dimension> {
        self.0.iter().find(|(id, _)| *id == space.id).map(|(_, dimensions)| dimensions.clone()).unwrap_or_default()
    }
}

/// Embeds and projects a question into the space of [`SEMANTIC`]; `None`, with a note, if there is no vector.
pub(super) fn semantic_vector<'v>(
    reader: &Reader<'_>,
    vectors: &'v VectorReader<'v>,
    pending: PendingEmbedding,
    notes: &mut Vec<Note>,
) -> Result<Option<(Embedding, QueryVector<'v>)>> {
    // Opened while the model is still loading, since this does not need it.
    vectors.open_segments()?;
    let name = SEMANTIC.name;
    let embedding = match reader.off(&SEMANTIC)? {
        Some(why) => Err(UserError::new(Exit::NotSetUp, format!("{name} is not available: {why}")).into()),
        None => embedding_of(vectors, pending),
    };
    match embedding {
        Ok(embedding) => {
            let Some(vector) = QueryVector::new(vectors, &SEMANTIC, &embedding) else {
                notes.push(Note::warning(format!(
                    "the adapter of {name} cannot be read, so full text alone was searched"
                )));
                return Ok(None);
            };
            let wanted = index::pending_count(&reader.cache)?;
            if wanted > 0 {
                notes.push(Note::info(format!(
                    "{wanted} texts are not embedded yet, and are found by their words alone"
                )));
            }
            return Ok(Some((embedding, vector)));
        }
        Err(error) => match error.downcast::<UserError>() {
            Ok(why) if why.exit == Exit::NotSetUp => {
                notes.push(Note::info(format!("full text alone was searched: {}", why.message)));
                notes.push(Note::info(why.hint.as_deref().unwrap_or("see `patina status`")));
            }
            Ok(why) => notes.push(Note::warning(format!("full text alone was searched: {}", why.message))),
            Err(error) => notes.push(Note::warning(format!("full text alone was searched: {error:#}"))),
        },
    }
    Ok(None)
}

/// Waits for the embedding of a question by the index's model.
///
/// # Errors
/// A [`UserError`] if there are no vectors.
pub(super) fn embedding_of(vectors: &VectorReader<'_>, pending: PendingEmbedding) -> Result<Embedding> {
    let Some(generation) = vectors.generation() else {
        pending.is_set_up()?;
        return Err(UserError::new(Exit::NotSetUp, "nothing has been embedded yet")
            .hint("`patina status --wait` does it now")
            .into());
    };
    pending.wait(&generation.model)
}

/// Ranks items by the vectors of some dimensions alone, best first. Also returns the dimensions that were searched.
pub(super) fn in_dimensions(
    reader: &Reader<'_>,
    vectors: &VectorReader<'_>,
    (embedding, words): (&Embedding, &[String]),
    filter: &Filter,
    dimensions: &[&'static Dimension],
    notes: &mut Vec<Note>,
) -> Result<(Vec<Hit>, Vec<&'static Dimension>)> {
    let (mut questions, mut used): (Vec<QueryVector<'_>>, Vec<&'static Dimension>) = Default::default();
    let mut spaces = SharedSpaces::default();
    for dimension in dimensions {
        if let Some(why) = reader.off(dimension)? {
            notes.push(Note::info(format!("{} is not available: {why}", dimension.name)));
            continue;
        }
        let Some(question) = QueryVector::new(vectors, dimension, embedding) else {
            let message = format!("the adapter of {} cannot be read, so it answers nothing", dimension.name);
            notes.push(Note::warning(message));
            continue;
        };
        used.push(*dimension);
        if question.space.is_base() {
            let message = format!("{} is not trained: it is searched as the base embedding", dimension.name);
            notes.push(Note::info(message));
        }
        if spaces.add(question.space, dimension) {
            questions.push(question);
        }
    }
    let mut answers = Vec::new();
    for question in &mut questions {
        question.dimensions = spaces.of(question.space);
        answers.push(nearest_hits(reader, words, filter, question)?);
    }
    Ok((merged(answers, filter.k), used))
}

/// Ranks items by their distance to a question in one space, best first.
fn nearest_hits(
    reader: &Reader<'_>,
    words: &[String],
    filter: &Filter,
    question: &QueryVector<'_>,
) -> Result<Vec<Hit>> {
    let holds = |candidate: &Candidate| question.holds(candidate.kind());
    let mut hits = near::alike(reader, question.nearest(), filter.k, filter, question.name(), holds)?;
    let people = reader.people()?;
    for (rank, hit) in hits.iter_mut().enumerate() {
        let own = question.dimensions.iter().filter(|dimension| dimension.holds.kind(hit.kind));
        hit.ranks = own.map(|dimension| (dimension.name, rank + 1)).collect();
        if let Some(candidate) = near::by_key(reader, &hit.key)? {
            let reasons = evidence(reader, hit, candidate.seq(), words, &people)?;
            hit.evidence.splice(0..0, reasons);
        }
    }
    Ok(hits)
}

/// Merges the answers of several dimensions by reciprocal rank fusion, keeping the ranks and evidence of each. A single
/// answer is returned unchanged.
pub(super) fn merged(mut answers: Vec<Vec<Hit>>, k: usize) -> Vec<Hit> {
    if answers.len() == 1 {
        return answers.remove(0);
    }
    let absorb = |known: &mut Hit, other: Hit| {
        known.ranks.extend(other.ranks);
        let new: Vec<_> = other.evidence.into_iter().filter(|one| !known.evidence.contains(one)).collect();
        known.evidence.extend(new);
    };
    let merged = fusion::reciprocal_rank(answers, |hit| hit.key.as_str(), absorb);
    merged.into_iter().take(k).map(|(score, hit)| Hit { score, ..hit }).collect()
}
