//! `patina retrain`: trains adapters and weights, and publishes those that are better.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::context::{CommandContext, stop_flag};
use super::learning;
use super::output::Output;
use crate::dimensions;
use crate::error::{Exit, UserError};
use crate::pipeline::{self, Depth, TrainingOutcome};

#[derive(Debug, clap::Args)]
pub struct RetrainArgs {
    /// Train only this dimension
    #[arg(short, long, value_name = "DIMENSION")]
    dimension: Option<String>,
    /// Train and evaluate, but publish nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct RetrainJson<'a> {
    dimensions: &'a [TrainingOutcome],
}

pub fn run(arguments: &RetrainArgs, output: &Output) -> Result<ExitCode> {
    let here = CommandContext::find(output)?;
    here.require_index()?;
    let only = match &arguments.dimension {
        None => None,
        Some(name) => Some(dimensions::named(name).ok_or_else(|| {
            let known: Vec<&str> = dimensions::ALL.iter().map(|dimension| dimension.name).collect();
            let hint = format!("one of {}", known.join(", "));
            UserError::new(Exit::Usage, format!("unknown dimension `{name}`")).hint(&hint)
        })?),
    };
    here.workspace.create()?;
    let training = learning::lock(&here.workspace)?;
    let stop = stop_flag();
    let rings = here.workspace.rings();
    here.with_write_lock(&stop, output, |context| pipeline::catch_up(context, Depth::New))?;
    let outcomes = learning::train(&here, only, arguments.dry_run, rings, &stop, output, &training)?;
    if output.json {
        return output.print_json(&RetrainJson { dimensions: &outcomes });
    }
    let mut page = output.page();
    for outcome in &outcomes {
        let number = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{value:.3}"));
        let what = match (outcome.published, arguments.dry_run) {
            (true, false) => "published",
            (true, true) => "would be published",
            (false, false) if outcome.withdrawn => "withdrawn",
            (false, true) if outcome.withdrawn => "would be withdrawn",
            (false, _) => "not published",
        };
        page.field(
            format!("{:14}{what}", outcome.name),
            format!(
                "  alone {} -> {}, answers {} -> {}",
                number(outcome.own_before),
                number(outcome.own_after),
                number(outcome.fused_before),
                number(outcome.fused_after)
            ),
        );
        page.line(format!("  {}", outcome.reason));
    }
    output.print(&page)
}
