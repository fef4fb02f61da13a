//! `patina query`: words to hits, by what they are and by what they mean.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::answers::{Standpoint, WithPath};
use super::output::Output;
use super::{Here, Narrow, Needs};
use crate::error::{Exit, UserError};
use crate::query::{self, Hit, TextQuery};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What is looked for, in words or names.
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<String>,
    #[command(flatten)]
    narrow: Narrow,
}

#[derive(Serialize)]
struct Answer<'a> {
    as_of: Option<String>,
    behind: u64,
    used_vectors: bool,
    /// Dimensions whose space was searched as the base embedding, because they have no adapter.
    untrained: Vec<&'static str>,
    /// Whether none of the hits matches well.
    no_good_match: bool,
    hits: Vec<WithPath<&'a Hit>>,
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode> {
    let here = Here::find(output)?;
    let asked = arguments.narrow.dimensions()?;
    let filter = arguments.narrow.limits.filter()?;
    let text = arguments.text.join(" ");
    let Some(question) = TextQuery::begin(&here.config.model, &text) else {
        return Err(UserError::new(Exit::Usage, "there is no word in the question")
            .hint("ask for example `patina query where are hooks installed`")
            .into());
    };
    let reader = here.reader(arguments.narrow.limits.fresh, Needs::All, output)?;
    let answer = query::search(&reader, question, &filter, &asked)?;
    output.notes(&answer.notes);
    here.mend(answer.is_damaged);
    let standpoint = Standpoint::new(&here.repository);
    if output.json {
        return output.print_json(&Answer {
            as_of: reader.as_of(),
            behind: reader.behind,
            used_vectors: !answer.used.is_empty(),
            untrained: answer.untrained,
            no_good_match: answer.is_poor,
            hits: standpoint.hits(&answer.hits),
        });
    }
    let mut page = output.page();
    let shape = arguments.narrow.limits.shape;
    if answer.is_poor && !shape.vimgrep {
        page.line("no good match; the nearest are:");
    }
    page.hits(&standpoint, &answer.hits, &crate::text_index::words(&text), shape);
    if answer.hits.is_empty() {
        page.line("nothing here holds these words, or means about the same");
    }
    page.end(&reader, &answer.hits, shape, output);
    output.print(&page)
}
