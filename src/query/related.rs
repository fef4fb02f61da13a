//! The answer of `related`: what changes together with targets, or is near them in other dimensions.

use std::collections::BTreeSet;

use anyhow::Result;

use super::co_change::co_changed;
use super::near::near;
use super::related_change::related_to_change;
use super::related_files::related_files;
use super::vector_search::{SharedSpaces, merged};
use super::{Candidate, Evidence, Filter, Hit, Note, Reader, ResolvedTarget, Targets};
use crate::dimensions::{AdapterTask, Dimension, SEMANTIC};
use crate::error::{Exit, UserError};
use crate::facts::ItemKind;
use crate::index::{Space, VectorReader};
use crate::item::Item;

/// What is related to some targets.
pub struct RelatedAnswer {
    /// The keys of the targets.
    pub targets: Vec<String>,
    /// The hits, best first.
    pub hits: Vec<Hit>,
    /// Notes for the user.
    pub notes: Vec<Note>,
    /// Whether any hit has a near vector as evidence.
    pub used_vectors: bool,
    /// The dimensions without an adapter, in which the base embedding orders what is not counted.
    pub untrained: Vec<&'static str>,
    /// Whether a damaged segment was found and bypassed; a worker can rebuild it.
    pub is_damaged: bool,
}

/// Finds what is related to some targets: files that change together with them, or, with `dimensions`, what is near
/// them in those. The targets themselves are left out.
///
/// # Errors
/// A [`UserError`] if a target no longer exists, or if the filter requires kinds that no hit can have.
pub fn related(
    reader: &Reader<'_>,
    targets: &Targets,
    filter: &Filter,
    dimensions: &[&'static Dimension],
) -> Result<RelatedAnswer> {
    let (mut subjects, mut notes) = (Vec::new(), Vec::new());
    // All files of the targets are left out of the answer, even those of a folder too large to ask about each.
    let mut asked: BTreeSet<String> = BTreeSet::new();
    for target in &targets.all {
        subjects.extend(target.subjects(reader, &mut notes)?);
        if !matches!(target, ResolvedTarget::Said(_)) {
            asked.extend(target.paths(reader)?);
        }
    }
    asked.extend(subjects.iter().map(Candidate::key));
    let items: Vec<&Item> = subjects.iter().filter_map(item_of).collect();
    if dimensions.is_empty() && !items.is_empty() && filter.kinds.iter().any(|kind| *kind != ItemKind::File) {
        let message = "commits change files, so `related` answers with files alone";
        return Err(UserError::new(Exit::Usage, message)
            .hint("leave --kind out, or name a dimension that holds more: -d semantic")
            .into());
    }
    let vectors = reader.vectors()?;
    let (mut untrained, mut answers) = (Vec::new(), Vec::new());
    if dimensions.is_empty() {
        for item in items.iter().filter(|item| item.kind != ItemKind::File) {
            notes.push(Note::info(format!("commits are known per file; these change with {}", item.path)));
        }
        match items.as_slice() {
            [] => {}
            [item] => answers.push(related_files(reader, item, filter, &vectors)?),
            several => {
                let paths: Vec<&str> = several.iter().map(|item| item.path.as_str()).collect();
                answers.push(related_to_change(reader, &paths, &asked, filter, &vectors)?);
            }
        }
        // A session entry is in no commit, so it is compared by its meaning instead.
        subjects.retain(|subject| item_of(subject).is_none());
    }
    let own_dimension: &[&'static Dimension] = &[&SEMANTIC];
    let dimensions = match dimensions.is_empty() && !subjects.is_empty() {
        true => own_dimension,
        false => dimensions,
    };
    let mut spaces = SharedSpaces::default();
    for dimension in dimensions {
        if let Some(why) = reader.off(dimension)? {
            notes.push(Note::info(format!("{} is not available: {why}", dimension.name)));
            continue;
        }
        let holds = |subject: &&Candidate| item_of(subject).is_some() || dimension.holds.kind(subject.kind());
        let held: Vec<&Candidate> = subjects.iter().filter(holds).collect();
        if held.len() < subjects.len() {
            notes.push(Note::info(format!("{} has no vectors of session entries", dimension.name)));
        }
        if held.is_empty() {
            continue;
        }
        let space = vectors.generation().and_then(|generation| generation.space(dimension.name));
        notes.extend(state(space, dimension));
        untrained.extend(space.filter(|space| space.is_base()).map(|_| dimension.name));
        let is_searched = space.is_some_and(|space| !spaces.add(space, dimension));
        let room = if held.len() > 1 { asked.len() } else { 0 };
        let wide = Filter { k: filter.k + room, ..filter.clone() };
        let mut each = Vec::new();
        for subject in &held {
            each.push(in_dimension(reader, &vectors, subject, dimension, &wide, is_searched)?);
        }
        let mut hits = merged(each, wide.k);
        if held.len() > 1 {
            hits.retain(|hit| !asked.contains(&hit.key));
        }
        hits.truncate(filter.k);
        answers.push(hits);
    }
    let hits = merged(answers, filter.k);
    let used_vectors = hits.iter().any(|hit| hit.evidence.iter().any(is_near));
    let is_damaged = vectors.is_damaged();
    Ok(RelatedAnswer { targets: targets.keys(), hits, notes, used_vectors, untrained, is_damaged })
}

fn item_of(subject: &Candidate) -> Option<&Item> {
    match subject {
        Candidate::Item(item) => Some(item),
        _ => None,
    }
}

/// Ranks what is near a target in one dimension. If its space `is_searched` already for another dimension, only counts
/// are used.
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

/// Returns a note on what a dimension cannot do yet; it still answers from counts.
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
