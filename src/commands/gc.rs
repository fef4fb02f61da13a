//! `patina gc`: drops events that no worktree has needed for a long time and that git can provide again. Invariant: it
//! never drops session entries.

use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::context::{CommandContext, stop_flag};
use super::output::Output;
use crate::event::pluralize;
use crate::pipeline;

#[derive(Debug, clap::Args)]
pub struct GcArgs {
    /// Drop events that no worktree has needed for this many days
    #[arg(long, value_name = "DAYS", default_value_t = pipeline::KEEP_DAYS)]
    days: u32,
}

#[derive(Serialize)]
struct GcJson {
    events_dropped: u64,
    bytes_freed: u64,
}

pub fn run(arguments: &GcArgs, output: &Output) -> Result<ExitCode> {
    let here = CommandContext::find(output)?;
    here.require_index()?;
    here.workspace.create()?;
    let stop = stop_flag();
    let lock = here.workspace.lock(Duration::from_secs(60), || stop.load(Ordering::Relaxed))?;
    let rings = here.workspace.rings();
    let context = here.context(&lock, &stop, &|_, _, _| {})?;
    let swept = pipeline::sweep(&context, crate::git::unix_now(), arguments.days);
    drop(lock);
    here.answer_later_rings(rings)?;
    let swept = swept?;
    if output.json {
        return output.print_json(&GcJson { events_dropped: swept.events, bytes_freed: swept.bytes });
    }
    let mut page = output.page();
    page.line(format!(
        "dropped {} that no worktree has shown for {} days; freed {} KB",
        pluralize(swept.events, "event"),
        arguments.days,
        swept.bytes / 1024
    ));
    output.print(&page)
}
