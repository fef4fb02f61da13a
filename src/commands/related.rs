//! `patina related`: what changes together with a target, or is near it in another dimension.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::output::Output;
use super::{Here, Narrow, Needs, merged};
use crate::derive::SESSION;
use crate::dimensions::{self, Dimension};
use crate::entries;
use crate::error::{Exit, UserError};
use crate::index::Space;
use crate::item::{Item, Target};
use crate::query::{self, BY_MEANING, Evidence, Found, Hit, Reader};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A file, a symbol whose file is meant, or what a session says: `src/a.rs`, `Parser::parse`, `session:20251124-174931/3`.
    target: String,
    #[command(flatten)]
    narrow: Narrow,
}

#[derive(Serialize)]
struct Answer<'a> {
    as_of: Option<String>,
    behind: u64,
    used_vectors: bool,
    untrained: Vec<&'static str>,
    target: &'a str,
    hits: &'a [Hit],
}

/// The dimension that is counted where none is named.
const COUNTED: &str = "temporal";

pub fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode> {
    let here = Here::find(output)?;
    let mut asked = arguments.narrow.dimensions()?;
    // What was said is in no commit; it is asked for what it means.
    if asked.is_empty() && arguments.target.starts_with(SESSION) {
        asked.extend(dimensions::named(BY_MEANING));
    }
    let filter = arguments.narrow.limits.filter()?;
    if asked.is_empty() && filter.kinds.iter().any(|kind| kind != "file") {
        let message = "commits change files, so `related` answers with files alone";
        return Err(UserError::new(Exit::Usage, message)
            .hint("leave --kind out, or name a dimension that holds more: -d semantic")
            .into());
    }
    let reader = here.reader(arguments.narrow.limits.fresh, Needs::Vectors, output)?;
    let target = one_thing(&reader, &arguments.target)?;
    let vectors = reader.vectors()?;
    let space = |dimension: &str| vectors.generation().and_then(|generation| generation.space(dimension));
    let (mut answers, mut untrained) = (Vec::new(), Vec::new());
    if let Found::Item(item) = &target
        && asked.is_empty()
    {
        if item.kind != "file" {
            output.note(&format!("commits change files: this is what goes with {}", item.path));
        }
        answers.push(query::related(&reader, item, &filter, &vectors)?);
    }
    for dimension in &asked {
        if let Some(why) = reader.off(dimension)? {
            output.note(&format!("{} is off: {why}", dimension.name));
            continue;
        }
        if !matches!(target, Found::Item(_)) && !dimension.holds.kind(target.kind()) {
            output.note(&format!("{} holds nothing that was said in sessions", dimension.name));
            continue;
        }
        note_state(space(dimension.name), dimension, &mut untrained, output);
        // Those without an adapter are the same base embedding, which is counted once.
        let is_counted = space(dimension.name).is_some_and(Space::is_base) && untrained.len() > 1;
        let mut hits = match &target {
            Found::Item(item) if dimension.name == COUNTED => {
                query::counted(&reader, item, &filter, Some(&vectors).filter(|_| !is_counted))?
            }
            _ => query::near(&reader, &vectors, &target, dimension, &filter)?,
        };
        if is_counted {
            hits.retain(|hit| hit.evidence.iter().any(|one| !matches!(one, Evidence::Near { .. })));
        }
        answers.push(hits);
    }
    let hits = merged(answers, filter.k);
    let used_vectors = hits.iter().any(|hit| hit.evidence.iter().any(|one| matches!(one, Evidence::Near { .. })));
    here.mend(&vectors);
    if output.json {
        return output.print_json(&Answer {
            as_of: reader.as_of(),
            behind: reader.behind,
            used_vectors,
            untrained,
            target: &target.key(),
            hits: &hits,
        });
    }
    let mut page = output.page();
    page.as_of(&reader);
    page.hits(&hits);
    if hits.is_empty() {
        page.line(format!("nothing is known to go with {}", target.key()));
    }
    output.print(&page)
}

/// Says what a dimension cannot do yet, and still answers from what is counted.
fn note_state(
    space: Option<&Space>,
    dimension: &'static Dimension,
    untrained: &mut Vec<&'static str>,
    output: &Output,
) {
    match space {
        None => output.note(&format!("nothing is embedded, so {} answers with what is counted alone", dimension.name)),
        Some(space) if space.is_base() => {
            untrained.push(dimension.name);
            output
                .note(&format!("{} is not trained: after what is counted, the base embedding decides", dimension.name));
        }
        Some(_) => {}
    }
}

/// What a person names: an item, or a session or an entry of one by its key.
fn one_thing(reader: &Reader<'_>, text: &str) -> Result<Found> {
    if !text.starts_with(SESSION) {
        return Ok(Found::Item(one_item(reader, text)?));
    }
    let said = entries::by_key(&reader.cache, reader.view.id, text)?;
    said.map(Found::Said).ok_or_else(|| {
        UserError::new(Exit::Failed, format!("nothing that was said is called `{text}`"))
            .hint("`patina session list` names sessions, and `patina session show ID` what they say")
            .into()
    })
}

/// The one item a person names; a folder is none.
pub fn one_item(reader: &Reader<'_>, text: &str) -> Result<Item> {
    match reader.target(text)? {
        Target::Item(item) => Ok(item),
        Target::Folder(folder) => Err(UserError::new(Exit::Usage, format!("{folder} is a folder"))
            .hint("name a file or a symbol; `patina who` takes folders")
            .into()),
    }
}
