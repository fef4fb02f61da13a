//! What goes with a target: by what changed together, or by what is near in other dimensions; one answer.

use anyhow::Result;

use super::co_change::co_changed;
use super::near::near;
use super::related_files::related_files;
use super::vector_search::{SharedSpaces, merged};
use super::{Candidate, Evidence, Filter, Hit, Note, Reader};
use crate::dimensions::{AdapterTask, Dimension, SEMANTIC};
use crate::entries;
use crate::error::{Exit, UserError};
use crate::facts::{ItemKind, SESSION};
use crate::index::{Space, VectorReader};

/// What goes with a target.
pub struct RelatedAnswer {
    /// The target's key.
    pub target: String,
    /// Best first.
    pub hits: Vec<Hit>,
    /// What the person should know beside them.
    pub notes: Vec<Note>,
    /// Whether vectors speak for any of the hits.
    pub used_vectors: bool,
    /// The dimensions that have no adapter, so that the base embedding decides where counts do not.
    pub untrained: Vec<&'static str>,
    /// Whether a segment of the index was found damaged, and searched another way: a worker would build it again.
    pub is_damaged: bool,
}

/// Finds what goes with a file, a symbol, a session or an entry of one, as a person names it: files that change together
/// with it, or, with `dimensions`, what is near it in those.
///
/// # Errors
/// A [`UserError`] where the name stands for nothing, for several things or for a folder, or where the filter wants kinds
/// that no answer can have.
pub fn related(
    reader: &Reader<'_>,
    target: &str,
    filter: &Filter,
    dimensions: &[&'static Dimension],
) -> Result<RelatedAnswer> {
    let mut dimensions = dimensions.to_vec();
    // An entry is in no commit; it is asked for what it means.
    if dimensions.is_empty() && target.starts_with(SESSION) {
        dimensions.push(&SEMANTIC);
    }
    if dimensions.is_empty() && filter.kinds.iter().any(|kind| *kind != ItemKind::File) {
        let message = "commits change files, so `related` answers with files alone";
        return Err(UserError::new(Exit::Usage, message)
            .hint("leave --kind out, or name a dimension that holds more: -d semantic")
            .into());
    }
    let target = named(reader, target)?;
    let vectors = reader.vectors()?;
    let (mut notes, mut untrained, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    if let Candidate::Item(item) = &target
        && dimensions.is_empty()
    {
        if item.kind != ItemKind::File {
            notes.push(Note::info(format!("commits change files: this is what goes with {}", item.path)));
        }
        answers.push(related_files(reader, item, filter, &vectors)?);
    }
    let mut spaces = SharedSpaces::default();
    for dimension in dimensions {
        if let Some(why) = reader.off(dimension)? {
            notes.push(Note::info(format!("{} is off: {why}", dimension.name)));
            continue;
        }
        if !matches!(target, Candidate::Item(_)) && !dimension.holds.kind(target.kind()) {
            notes.push(Note::info(format!("{} holds nothing that was said in sessions", dimension.name)));
            continue;
        }
        let space = vectors.generation().and_then(|generation| generation.space(dimension.name));
        notes.extend(state(space, dimension));
        untrained.extend(space.filter(|space| space.is_base()).map(|_| dimension.name));
        let is_searched = space.is_some_and(|space| !spaces.add(space, dimension));
        answers.push(in_dimension(reader, &vectors, &target, dimension, filter, is_searched)?);
    }
    let hits = merged(answers, filter.k);
    let used_vectors = hits.iter().any(|hit| hit.evidence.iter().any(is_near));
    let is_damaged = vectors.is_damaged();
    Ok(RelatedAnswer { target: target.key(), hits, notes, used_vectors, untrained, is_damaged })
}

/// Ranks what is near a target in one dimension; where its space `is_searched` already for another one, only by counts.
fn in_dimension(
    reader: &Reader<'_>,
    vectors: &VectorReader<'_>,
    target: &Candidate,
    dimension: &'static Dimension,
    filter: &Filter,
    is_searched: bool,
) -> Result<Vec<Hit>> {
    let mut hits = match target {
        Candidate::Item(item) if dimension.asks.contains(&AdapterTask::FileToFiles) => {
            co_changed(reader, item, filter, Some(vectors).filter(|_| !is_searched))?
        }
        _ => near(reader, vectors, target, dimension, filter)?,
    };
    if is_searched {
        hits.retain(|hit| hit.evidence.iter().any(|one| !is_near(one)));
    }
    Ok(hits)
}

fn is_near(evidence: &Evidence) -> bool {
    matches!(evidence, Evidence::Near { .. })
}

/// Says what a dimension cannot do yet; it still answers from what is counted.
fn state(space: Option<&Space>, dimension: &Dimension) -> Option<Note> {
    let name = dimension.name;
    match space {
        None => Some(Note::info(format!("nothing is embedded, so {name} answers with what is counted alone"))),
        Some(space) if space.is_base() => {
            Some(Note::info(format!("{name} is not trained: after what is counted, the base embedding decides")))
        }
        Some(_) => None,
    }
}

/// Finds what a person names: an item, or a session or an entry of one by its key.
fn named(reader: &Reader<'_>, text: &str) -> Result<Candidate> {
    if !text.starts_with(SESSION) {
        return Ok(Candidate::Item(reader.item(text)?));
    }
    let said = entries::by_key(&reader.cache, reader.view.id, text)?;
    said.map(Candidate::Said).ok_or_else(|| {
        UserError::new(Exit::Failed, format!("nothing that was said is called `{text}`"))
            .hint("`patina session list` names sessions, and `patina session show ID` what they say")
            .into()
    })
}
