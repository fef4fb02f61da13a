//! `patina reindex`: takes in what is there, in the foreground, with progress.

use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;

use super::output::Output;
use super::progress::Progress;
use super::{Here, stop_flag};
use crate::pipeline::{self, Context};
use crate::workspace::running_program;

/// How long a foreground run waits for a worker to finish.
const LOCK: Duration = Duration::from_secs(600);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Derive everything from git again and rebuild every cache beside the ones in use.
    #[arg(long)]
    full: bool,
    /// Compute embeddings again too; without a model there are none.
    #[arg(long, requires = "full")]
    re_embed: bool,
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode> {
    let here = Here::find(output)?;
    if arguments.re_embed {
        output.note("there is no model, so there are no embeddings to compute again");
    }
    here.workspace.create()?;
    let stop = stop_flag();
    let lock = match here.workspace.try_lock()? {
        Some(lock) => lock,
        None => {
            output.note("a worker is taking something in; waiting for it");
            here.workspace.lock(LOCK, || stop.load(Ordering::Relaxed))?
        }
    };
    let rings = here.workspace.rings();
    let progress = Progress::new(output.is_quiet());
    let context = Context {
        repository: &here.repository,
        workspace: &here.workspace,
        config: &here.config,
        program: running_program()?,
        progress: &|stage, done, total| progress.step(stage, done, total),
        stop: &stop,
        lock: &lock,
    };
    let result = pipeline::catch_up(&context, arguments.full);
    progress.finish();
    drop(lock);
    here.answer_rings(rings)?;
    let report = result?;
    for warning in &report.warnings {
        output.warn(warning);
    }
    here.workspace.set_last_error(None)?;
    if output.json {
        return output.print_json(&report);
    }
    let mut page = output.page();
    let seconds = report.seconds;
    page.line(format!(
        "{} commits read, {} events appended, {} items; {:.1} s (history {:.1}, code {:.1}, update {:.1}), {} MB at most",
        report.commits,
        report.events_appended,
        report.items,
        seconds.total,
        seconds.history,
        seconds.code,
        seconds.update,
        report.peak_rss_bytes >> 20
    ));
    output.print(&page)
}
