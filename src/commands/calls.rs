//! `patina calls` and `patina callers`: show the call graph around a symbol.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::answers::{ShapeArgs, Standpoint, local_name, sureness};
use super::context::{CommandContext, Needs};
use super::options::require_positive;
use super::output::Output;
use super::page::{Page, Piece, Style};
use super::targets::{TargetArgs, several};
use crate::query::{self, CallDirection, CallWalk, CallsAnswer, FoundCall};

#[derive(Debug, clap::Args)]
pub struct CallsArgs {
    #[command(flatten)]
    targets: TargetArgs,
    /// Follow calls this many steps
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10))]
    depth: u32,
    /// Hide calls below this confidence, from 0 to 1
    #[arg(long, value_name = "C", default_value_t = 0.0)]
    confidence: f32,
    /// Show at most K calls; by default 20, or 100 with --json
    #[arg(short, value_name = "K")]
    k: Option<usize>,
    #[command(flatten)]
    shape: ShapeArgs,
    /// Wait until HEAD is indexed
    #[arg(long)]
    fresh: bool,
}

/// Default number of edges in text; fits a terminal.
const SHOWN_EDGES: usize = 20;
/// Default number of edges in JSON.
const JSON_EDGES: usize = 100;

#[derive(Serialize)]
struct CallsJson<'a> {
    as_of: Option<String>,
    behind: u64,
    /// The first target's key.
    symbol: &'a str,
    /// The keys of all targets, if there are several.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    targets: &'a [String],
    edges: Vec<EdgeAnswer>,
}

#[derive(Serialize)]
struct EdgeAnswer {
    caller: String,
    callee: String,
    path: String,
    path_from_here: String,
    line: u32,
    confidence: f64,
    depth: u32,
    written: String,
    reason: &'static str,
}

pub fn run(arguments: &CallsArgs, direction: CallDirection, output: &Output) -> Result<ExitCode> {
    let k = arguments.k.unwrap_or(if output.json { JSON_EDGES } else { SHOWN_EDGES });
    require_positive(k)?;
    let here = CommandContext::find(output)?;
    let reader = here.reader(arguments.fresh, Needs::Counts, output)?;
    let walk = CallWalk { direction, depth: arguments.depth, confidence: arguments.confidence, k };
    let targets = arguments.targets.resolve(&reader, output)?;
    let CallsAnswer { targets, calls, total, notes } = query::calls(&reader, &targets, &walk)?;
    output.notes(&notes);
    let standpoint = Standpoint::new(&here.repository);
    if output.json {
        let edge = |FoundCall { depth, edge }: FoundCall| EdgeAnswer {
            caller: edge.caller.key,
            callee: edge.callee.key,
            path_from_here: standpoint.relative(&edge.caller.path),
            path: edge.caller.path,
            line: edge.line,
            confidence: (f64::from(edge.confidence) * 100.0).round() / 100.0,
            depth,
            written: edge.written,
            reason: edge.reason,
        };
        let edges = calls.into_iter().map(edge).collect();
        let (symbol, targets) = (&targets[0], several(&targets));
        return output.print_json(&CallsJson { as_of: reader.as_of(), behind: reader.behind, symbol, targets, edges });
    }
    let mut page = output.page();
    if arguments.shape.vimgrep {
        for FoundCall { edge, .. } in &calls {
            page.long_line(format!("{}:{}:1:{}", standpoint.relative(&edge.caller.path), edge.line, edge.written));
        }
        return output.print(&page);
    }
    print_calls(&mut page, &standpoint, &calls, direction, arguments.shape.evidence);
    if total > calls.len() {
        page.line(format!("... and {} more: -k {total}", total - calls.len()));
    }
    if calls.is_empty() {
        let what = if direction == CallDirection::Calls { "calls nothing" } else { "is called by nothing" };
        page.line(format!("{} {what} that resolves in this repository", targets.join(", ")));
    }
    page.end_as_of(&reader, output);
    output.print(&page)
}

/// Adds edges as rows: the place of the call, the caller or callee, and a word if the edge is uncertain.
fn print_calls(
    page: &mut Page,
    standpoint: &Standpoint<'_>,
    calls: &[FoundCall],
    direction: CallDirection,
    with_evidence: bool,
) {
    let row = |FoundCall { depth, edge }: &FoundCall| {
        let mut first = vec![Piece::plain("  ".repeat(*depth as usize - 1))];
        first.extend(standpoint.place(&edge.caller.path, Some(edge.line)));
        let far = if direction == CallDirection::Calls { &edge.callee } else { &edge.caller };
        let mut second = vec![Piece::new(local_name(&far.key), Style::Bold)];
        if direction == CallDirection::Calls {
            second.push(Piece::plain(match far.path == edge.caller.path {
                true => format!(" at line {}", far.line),
                false => format!(" at {}:{}", standpoint.relative(&far.path), far.line),
            }));
        }
        let sure = sureness(f64::from(edge.confidence));
        if !sure.is_empty() {
            second.push(Piece::new(format!("  {sure}"), Style::Dim));
        }
        (first, second)
    };
    if !with_evidence {
        return page.columns(calls.iter().map(row).collect());
    }
    for call in calls {
        page.columns(vec![row(call)]);
        let edge = &call.edge;
        page.row(vec![Piece::plain(format!("    written as {}: {}", edge.written, edge.reason))]);
    }
}
