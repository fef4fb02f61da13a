//! `patina related`: lists what changes together with a target, or is near it in another dimension.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::answers::{EVERYWHERE_ROOM, Standpoint, WithPath, without_everywhere};
use super::context::{CommandContext, Needs};
use super::options::DimensionArgs;
use super::output::Output;
use super::targets::{TargetArgs, several};
use crate::query::{self, Hit};

#[derive(Debug, clap::Args)]
pub struct RelatedArgs {
    #[command(flatten)]
    targets: TargetArgs,
    #[command(flatten)]
    narrow: DimensionArgs,
}

#[derive(Serialize)]
struct RelatedJson<'a> {
    as_of: Option<String>,
    behind: u64,
    used_vectors: bool,
    untrained: Vec<&'static str>,
    /// The first target's key.
    target: &'a str,
    /// The keys of all targets, if there are several.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    targets: &'a [String],
    hits: Vec<WithPath<&'a Hit>>,
}

pub fn run(arguments: &RelatedArgs, output: &Output) -> Result<ExitCode> {
    let here = CommandContext::find(output)?;
    let asked = arguments.narrow.dimensions()?;
    let mut filter = arguments.narrow.limits.filter()?;
    if !output.json {
        filter.k += EVERYWHERE_ROOM;
    }
    let reader = here.reader(arguments.narrow.limits.fresh, Needs::Vectors, output)?;
    filter.settle(&reader)?;
    let targets = arguments.targets.resolve(&reader, output)?;
    let answer = query::related(&reader, &targets, &filter, &asked)?;
    output.notes(&answer.notes);
    here.mend(answer.is_damaged);
    let standpoint = Standpoint::new(&here.repository);
    if output.json {
        return output.print_json(&RelatedJson {
            as_of: reader.as_of(),
            behind: reader.behind,
            used_vectors: answer.used_vectors,
            untrained: answer.untrained,
            target: &answer.targets[0],
            targets: several(&answer.targets),
            hits: standpoint.hits(&answer.hits),
        });
    }
    let mut page = output.page();
    let shape = arguments.narrow.limits.shape;
    let (hits, everywhere) = without_everywhere(answer.hits, arguments.narrow.limits.k);
    page.hits(&standpoint, &hits, &[], shape);
    page.everywhere(&standpoint, &everywhere);
    if hits.is_empty() && everywhere.is_empty() {
        page.line(format!("nothing is known to change with {}", answer.targets.join(", ")));
    }
    page.end(&reader, &hits, shape, output);
    output.print(&page)
}
