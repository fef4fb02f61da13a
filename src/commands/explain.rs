//! `patina explain`: shows what connects two things.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::answers::Standpoint;
use super::context::{CommandContext, Needs};
use super::output::Output;
use super::targets::TargetArgs;
use crate::query::{self, Explanation, Tie};

#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    #[command(flatten)]
    targets: TargetArgs,
    /// Show all evidence of each connection
    #[arg(short, long)]
    evidence: bool,
    /// Wait until HEAD is indexed
    #[arg(long)]
    fresh: bool,
}

/// How many pieces of evidence are shown for one connection without `--evidence`.
const SHOWN_EVIDENCE: usize = 3;

#[derive(Serialize)]
struct ExplainJson<'a> {
    as_of: Option<String>,
    behind: u64,
    a: &'a str,
    b: &'a str,
    ties: &'a [Tie],
}

pub fn run(arguments: &ExplainArgs, output: &Output) -> Result<ExitCode> {
    let here = CommandContext::find(output)?;
    let reader = here.reader(arguments.fresh, Needs::Counts, output)?;
    let targets = arguments.targets.resolve(&reader, output)?;
    let Explanation { a, b, ties } = query::explain(&reader, &targets)?;
    if output.json {
        return output.print_json(&ExplainJson {
            as_of: reader.as_of(),
            behind: reader.behind,
            a: &a.key,
            b: &b.key,
            ties: &ties,
        });
    }
    let mut page = output.page();
    let standpoint = Standpoint::new(&here.repository);
    for tie in &ties {
        page.line(&tie.detail);
        let shown = if arguments.evidence { tie.evidence.len() } else { tie.evidence.len().min(SHOWN_EVIDENCE) };
        page.evidence(&standpoint, tie.evidence[..shown].iter());
        if shown < tie.evidence.len() {
            page.line(format!("    ... and {} more: -e", tie.evidence.len() - shown));
        }
    }
    if ties.is_empty() {
        page.line(format!("nothing recorded ties {} and {}", a.key, b.key));
    }
    page.end_as_of(&reader, output);
    output.print(&page)
}
