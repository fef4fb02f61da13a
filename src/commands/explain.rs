//! `patina explain`: what ties two things together.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::output::Output;
use super::{Here, Needs};
use crate::query::{self, Explanation, Tie};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A file or symbol.
    a: String,
    /// Another.
    b: String,
    /// Wait until what HEAD shows is indexed.
    #[arg(long)]
    fresh: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    as_of: Option<String>,
    behind: u64,
    a: &'a str,
    b: &'a str,
    ties: &'a [Tie],
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode> {
    let here = Here::find(output)?;
    let reader = here.reader(arguments.fresh, Needs::Counts, output)?;
    let Explanation { a, b, ties } = query::explain(&reader, &arguments.a, &arguments.b)?;
    if output.json {
        return output.print_json(&Answer {
            as_of: reader.as_of(),
            behind: reader.behind,
            a: &a.key,
            b: &b.key,
            ties: &ties,
        });
    }
    let mut page = output.page();
    page.as_of(&reader);
    for tie in &ties {
        page.heading(&tie.detail, "");
        page.evidence(&tie.evidence);
    }
    if ties.is_empty() {
        page.line(format!("nothing recorded ties {} and {}", a.key, b.key));
    }
    output.print(&page)
}
