//! Finds what connects two files or symbols: shared commits, calls in both directions, people, location; each with its
//! evidence.

use anyhow::Result;
use serde::Serialize;

use super::{Evidence, Reader, Targets};
use crate::edges;
use crate::error::{Exit, UserError};
use crate::event::pluralize;
use crate::facts::ItemKind;
use crate::history;
use crate::item::{self, Item};

/// One connection.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tie {
    /// `changed_together`, `calls`, `called_by`, `people`, `place`, `same_file`.
    pub kind: &'static str,
    /// A sentence that describes it.
    pub detail: String,
    /// The evidence for it.
    pub evidence: Vec<Evidence>,
}

/// The least confidence of a call that counts as a connection.
const LIKELY: f32 = 0.3;
/// How many shared commits are shown.
const COMMITS: usize = 5;
/// How many call sites are shown in each direction.
const CALLS: usize = 10;

/// What connects two items.
pub struct Explanation {
    /// The first item.
    pub a: Item,
    /// The second item.
    pub b: Item,
    /// The connections, the strongest kinds first.
    pub ties: Vec<Tie>,
}

/// Finds what connects two files or symbols.
///
/// # Errors
/// A [`UserError`] if there are not exactly two targets, or one of them is not a file or symbol.
pub fn explain(reader: &Reader<'_>, targets: &Targets) -> Result<Explanation> {
    let [a, b] = targets.all.as_slice() else {
        let message = format!("explain takes two targets, and these are {}", targets.all.len());
        return Err(UserError::new(Exit::Usage, message).hint("name two files or symbols").into());
    };
    let (a, b) = (a.one_item(reader)?, b.one_item(reader)?);
    let ties = ties(reader, &a, &b)?;
    Ok(Explanation { a, b, ties })
}

/// Collects the connections between two items, the strongest kinds first.
fn ties(reader: &Reader<'_>, a: &Item, b: &Item) -> Result<Vec<Tie>> {
    let (cache, view) = (&reader.cache, reader.view.id);
    let mut ties = Vec::new();
    if a.path == b.path {
        ties.push(Tie { kind: "same_file", detail: format!("both stand in {}", a.path), evidence: Vec::new() });
    } else {
        let ranked = history::related(cache, view, reader.time(), &a.path)?;
        let place = ranked.iter().position(|related| related.path == b.path);
        if let Some((rank, related)) =
            place.map(|rank| (rank + 1, &ranked[rank])).filter(|(_, related)| related.commits > 0)
        {
            let shared = history::shared_commits(cache, view, &a.path, &b.path, COMMITS)?;
            let detail = format!(
                "changed together in {}; rank {rank} of {} among the files that change with {}",
                pluralize(related.commits as u64, "commit"),
                ranked.len(),
                a.path
            );
            ties.push(Tie {
                kind: "changed_together",
                detail,
                evidence: shared.into_iter().map(Evidence::Commit).collect(),
            });
        }
    }
    ties.extend(calls(reader, "calls", a, b)?);
    ties.extend(calls(reader, "called_by", b, a)?);
    ties.extend(people(reader, a, b)?);
    let similarity = history::path_similarity(&a.path, &b.path);
    if a.path != b.path && similarity > 0.0 {
        ties.push(Tie {
            kind: "place",
            detail: "they are close in the directory tree".to_string(),
            evidence: Vec::new(),
        });
    }
    Ok(ties)
}

/// Collects the calls from one item (if it is a file, from any definition in it) to the other.
fn calls(reader: &Reader<'_>, kind: &'static str, from: &Item, to: &Item) -> Result<Vec<Tie>> {
    let inside = |item: &Item| -> Result<Vec<Item>> {
        if item.kind == ItemKind::File {
            item::in_file(&reader.cache, reader.view.id, &item.path)
        } else {
            Ok(vec![item.clone()])
        }
    };
    let targets: Vec<i64> = inside(to)?.iter().map(|item| item.seq).collect();
    let mut sites = Vec::new();
    for caller in inside(from)? {
        let edges = edges::calls_of(&reader.cache, reader.view.id, &caller)?;
        sites.extend(edges.into_iter().filter(|edge| {
            edge.confidence >= LIKELY && targets.contains(&edge.callee.seq) && edge.caller.seq != edge.callee.seq
        }));
    }
    if sites.is_empty() {
        return Ok(Vec::new());
    }
    sites.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then_with(|| a.line.cmp(&b.line)));
    let detail = format!("{} calls {} at {}", from.key, to.key, pluralize(sites.len() as u64, "place"));
    let evidence = sites.iter().take(CALLS).map(Evidence::of_call);
    Ok(vec![Tie { kind, detail, evidence: evidence.collect() }])
}

fn people(reader: &Reader<'_>, a: &Item, b: &Item) -> Result<Option<Tie>> {
    if a.path == b.path {
        return Ok(None);
    }
    let people = reader.people()?;
    let who = |item: &Item| {
        history::who(&reader.cache, reader.view.id, reader.time(), std::slice::from_ref(&item.path), &people)
    };
    let (of_a, of_b) = (who(a)?, who(b)?);
    let shared: Vec<String> = of_a
        .iter()
        .filter(|person| person.kind == "human")
        .filter(|person| of_b.iter().any(|other| (&other.name, &other.email) == (&person.name, &person.email)))
        .map(|person| person.name.clone())
        .collect();
    if shared.is_empty() || people.humans() < 2 {
        return Ok(None);
    }
    let detail = "written by the same people".to_string();
    let names = shared.into_iter().take(5).collect();
    Ok(Some(Tie { kind: "people", detail, evidence: vec![Evidence::Authors { names }] }))
}
