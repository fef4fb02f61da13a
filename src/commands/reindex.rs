//! `patina reindex`: indexes what is new in the foreground, with progress.

use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::Result;

use super::context::{CommandContext, stop_flag};
use super::learning;
use super::output::Output;
use crate::error::Exit;
use crate::event::pluralize;
use crate::history;
use crate::pipeline::{self, Depth, RunReport};
use crate::store;

#[derive(Debug, clap::Args)]
pub struct ReindexArgs {
    /// Read everything from git again, rebuild every cache, and train
    #[arg(long)]
    full: bool,
    /// With --full, compute all embeddings again too
    #[arg(long, requires = "full")]
    re_embed: bool,
}

pub fn run(arguments: &ReindexArgs, output: &Output) -> Result<ExitCode> {
    let here = CommandContext::find(output)?;
    let stop = stop_flag();
    let depth = match (arguments.full, arguments.re_embed) {
        (_, true) => Depth::ReEmbed,
        (true, false) => Depth::Full,
        (false, false) => Depth::New,
    };
    let rings = here.workspace.rings();
    let mut report = here.with_write_lock(&stop, output, |context| pipeline::catch_up(context, depth))?;
    if arguments.full && report.no_vectors.is_none() {
        retrain(&here, rings, &stop, output, &mut report)?;
    }
    for warning in &report.warnings {
        output.warn(warning);
    }
    here.workspace.set_last_error(None)?;
    // A damaged model fails the command, after everything else has been indexed; one that was never set up does not.
    let mut exit = ExitCode::SUCCESS;
    if let Some(why) = &report.no_vectors {
        let what = if arguments.full { "nothing was embedded or trained" } else { "nothing was embedded" };
        if why.exit == Exit::NotSetUp {
            output.note(&format!("{what}: {}", why.message));
            output.note(why.hint.as_deref().unwrap_or_default());
        } else {
            output.complain(&format!("{what}: {}", why.message), why.hint.as_deref());
            exit = ExitCode::from(why.exit as u8);
        }
    }
    if output.json {
        output.print_json(&report)?;
        return Ok(exit);
    }
    let mut page = output.page();
    let seconds = report.seconds;
    page.line(format!(
        "{} read, {} appended; {} indexed",
        pluralize(report.commits, "commit"),
        pluralize(report.events_appended, "event"),
        pluralize(report.items, "item"),
    ));
    page.line(format!(
        "{} embedded, {} reused; {:.1} s, at most {} MB of memory",
        pluralize(report.texts_embedded, "text"),
        report.texts_reused,
        seconds.total,
        report.peak_rss_bytes >> 20
    ));
    output.print(&page)?;
    Ok(exit)
}

/// Trains all adapters and weights, and prints one line about what was published.
fn retrain(
    here: &CommandContext,
    rings: u64,
    stop: &AtomicBool,
    output: &Output,
    report: &mut RunReport,
) -> Result<()> {
    let start = Instant::now();
    let commits = history::informative_commit_count(&store::open_reader(&here.workspace, &here.config)?)?;
    if commits < pipeline::LEAST_COMMITS {
        let least = pipeline::LEAST_COMMITS;
        output.note(&format!(
            "nothing was trained: the history has {} to learn from, and training needs {least}",
            pluralize(commits as u64, "commit")
        ));
        return Ok(());
    }
    let Some(lock) = here.workspace.try_training_lock()? else {
        output.note("nothing was trained: another patina is training here");
        return Ok(());
    };
    let outcomes = learning::train(here, None, false, rings, stop, output, &lock)?;
    let published: Vec<&str> =
        outcomes.iter().filter(|outcome| outcome.published).map(|outcome| outcome.name.as_str()).collect();
    let what = if published.is_empty() { "nothing".to_string() } else { published.join(", ") };
    output.note(&format!(
        "trained on {}: {what} was published; `patina status` says why",
        pluralize(commits as u64, "commit")
    ));
    report.seconds.retrain = start.elapsed().as_secs_f64();
    report.seconds.total += report.seconds.retrain;
    report.peak_rss_bytes = pipeline::peak_rss_bytes();
    Ok(())
}
