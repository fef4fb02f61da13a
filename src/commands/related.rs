//! `patina related`: what changes together with a target.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::output::Output;
use super::{Here, Narrow};
use crate::error::{Exit, UserError};
use crate::item::{Item, Target};
use crate::query::{self, Hit, Reader};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A file, or a symbol whose file is meant: `src/a.rs`, `a.rs`, `Parser::parse`.
    target: String,
    #[command(flatten)]
    narrow: Narrow,
}

#[derive(Serialize)]
struct Answer<'a> {
    as_of: Option<String>,
    behind: u64,
    used_vectors: bool,
    target: &'a str,
    hits: &'a [Hit],
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode> {
    let here = Here::find(output)?;
    arguments.narrow.check_dimensions(&["temporal"])?;
    let filter = arguments.narrow.filter()?;
    if filter.kinds.iter().any(|kind| kind != "file") {
        let message = "commits change files, so `related` answers with files alone";
        return Err(UserError::new(Exit::Usage, message).hint("leave --kind out").into());
    }
    let reader = here.reader(arguments.narrow.fresh, output)?;
    let item = one_item(&reader, &arguments.target)?;
    if item.kind != "file" {
        output.note(&format!("commits change files: this is what goes with {}", item.path));
    }
    let hits = query::related(&reader, &item, &filter)?;
    if output.json {
        return output.print_json(&Answer {
            as_of: reader.as_of(),
            behind: reader.behind,
            used_vectors: false,
            target: &item.key,
            hits: &hits,
        });
    }
    let mut page = output.page();
    page.as_of(&reader);
    page.hits(&hits);
    if hits.is_empty() {
        page.line(format!("nothing is known to go with {}", item.path));
    }
    output.print(&page)
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
