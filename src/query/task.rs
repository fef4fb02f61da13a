//! The answer of `task`: the files that a task, described in words, will touch.

use anyhow::Result;

use super::task_search::TaskSearch;
use super::vector_search::semantic_vector;
use super::{Filter, Reader, SearchAnswer, TextQuery};

/// Predicts the files that a task will touch. `question` describes what is to be done, as a commit message would.
///
/// All hits are files, so a filter of other kinds leaves none.
pub fn task(reader: &Reader<'_>, question: TextQuery, filter: &Filter) -> Result<SearchAnswer> {
    let vectors = reader.vectors()?;
    let (mut notes, mut used) = (Vec::new(), Vec::new());
    let mut search = TaskSearch::new(reader, &question, filter)?;
    search.by_words()?;
    if let Some((embedding, vector)) = semantic_vector(reader, &vectors, question.embedding, &mut notes)? {
        search.by_meaning(&vectors, &embedding, &vector)?;
        used.extend(vector.dimensions);
    }
    let hits = search.hits()?;
    Ok(SearchAnswer::new(&vectors, hits, used, notes))
}
