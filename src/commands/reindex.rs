//! `patina reindex`: takes in what is there, in the foreground, with progress.

use std::process::ExitCode;

use anyhow::Result;

use super::output::Output;
use super::progress::Progress;
use super::{Here, stop_flag};
use crate::error::Exit;
use crate::pipeline::{self, Depth};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Derive everything from git again and rebuild every cache beside the ones in use.
    #[arg(long)]
    full: bool,
    /// Compute embeddings again too.
    #[arg(long, requires = "full")]
    re_embed: bool,
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode> {
    let here = Here::find(output)?;
    here.workspace.create()?;
    let stop = stop_flag();
    let lock = here.lock(&stop, output)?;
    let rings = here.workspace.rings();
    let progress = Progress::new(output.is_quiet());
    let step = |stage, done, total| progress.step(stage, done, total);
    let context = here.context(&lock, &stop, &step)?;
    let depth = match (arguments.full, arguments.re_embed) {
        (_, true) => Depth::ReEmbed,
        (true, false) => Depth::Full,
        (false, false) => Depth::New,
    };
    let result = pipeline::catch_up(&context, depth);
    progress.finish();
    drop(lock);
    here.answer_rings(rings)?;
    let report = result?;
    for warning in &report.warnings {
        output.warn(warning);
    }
    here.workspace.set_last_error(None)?;
    // What is damaged is an error of the machine's, once everything else is in; what was never set up is none.
    let mut exit = ExitCode::SUCCESS;
    if let Some(why) = &report.no_vectors {
        if why.exit == Exit::NotSetUp {
            output.note(&format!("nothing was embedded: {}", why.message));
            output.note(why.hint.as_deref().unwrap_or_default());
        } else {
            output.error(&format!("nothing was embedded: {}", why.message), why.hint.as_deref());
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
        "{} commits read, {} events appended, {} items, {} texts embedded, {} known; {:.1} s (history {:.1}, code {:.1}, update {:.1}, embed {:.1}), {} MB at most",
        report.commits,
        report.events_appended,
        report.items,
        report.texts_embedded,
        report.texts_reused,
        seconds.total,
        seconds.history,
        seconds.code,
        seconds.update,
        seconds.embed,
        report.peak_rss_bytes >> 20
    ));
    output.print(&page)?;
    Ok(exit)
}
