//! `patina query`: words to hits.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::output::Output;
use super::{Here, Narrow};
use crate::error::{Exit, UserError};
use crate::query::{self, Hit};

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
    hits: &'a [Hit],
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode> {
    let here = Here::find(output)?;
    arguments.narrow.check_dimensions(&[])?;
    let filter = arguments.narrow.filter()?;
    let text = arguments.text.join(" ");
    if crate::text_index::words(&text).is_empty() {
        return Err(UserError::new(Exit::Usage, "there is no word in the question")
            .hint("ask for example `patina query where are hooks installed`")
            .into());
    }
    let reader = here.reader(arguments.narrow.fresh, output)?;
    let hits = query::search(&reader, &text, &filter)?;
    if output.json {
        return output.print_json(&Answer {
            as_of: reader.as_of(),
            behind: reader.behind,
            used_vectors: false,
            hits: &hits,
        });
    }
    output.note("found by full text alone: no model is set up");
    let mut page = output.page();
    page.as_of(&reader);
    page.hits(&hits);
    if hits.is_empty() {
        page.line("nothing that is live holds these words");
    }
    output.print(&page)
}
