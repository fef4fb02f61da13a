//! `patina calls` and `patina callers`: the call graph around a symbol.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::output::Output;
use super::{Here, Needs, asks_for_any};
use crate::query::{self, CallDirection, CallWalk, CallsAnswer, FoundCall};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A function, type or file: `Parser::parse`, `src/a.rs#parse`.
    symbol: String,
    /// Follow calls this many steps.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10))]
    depth: u32,
    /// Leave out edges less sure than this, from 0 to 1.
    #[arg(long, value_name = "C", default_value_t = 0.0)]
    confidence: f32,
    /// Show at most K edges.
    #[arg(short, value_name = "K", default_value_t = 100)]
    k: usize,
    /// Wait until what HEAD shows is indexed.
    #[arg(long)]
    fresh: bool,
}

#[derive(Serialize)]
struct Answer {
    as_of: Option<String>,
    behind: u64,
    symbol: String,
    edges: Vec<EdgeAnswer>,
}

#[derive(Serialize)]
struct EdgeAnswer {
    caller: String,
    callee: String,
    path: String,
    line: u32,
    confidence: f64,
    depth: u32,
    written: String,
    reason: &'static str,
}

pub fn run(arguments: &Arguments, direction: CallDirection, output: &Output) -> Result<ExitCode> {
    asks_for_any(arguments.k)?;
    let here = Here::find(output)?;
    let reader = here.reader(arguments.fresh, Needs::Counts, output)?;
    let walk = CallWalk { direction, depth: arguments.depth, confidence: arguments.confidence, k: arguments.k };
    let CallsAnswer { symbol, calls, total } = query::calls(&reader, &arguments.symbol, &walk)?;
    if output.json {
        let edge = |FoundCall { depth, edge }: FoundCall| EdgeAnswer {
            caller: edge.caller.key,
            callee: edge.callee.key,
            path: edge.caller.path,
            line: edge.line,
            confidence: (f64::from(edge.confidence) * 100.0).round() / 100.0,
            depth,
            written: edge.written,
            reason: edge.reason,
        };
        let edges = calls.into_iter().map(edge).collect();
        return output.print_json(&Answer { as_of: reader.as_of(), behind: reader.behind, symbol: symbol.key, edges });
    }
    let mut page = output.page();
    page.as_of(&reader);
    for FoundCall { depth, edge } in &calls {
        let indent = "  ".repeat(*depth as usize - 1);
        let sure = format!("{:.2} {}", edge.confidence, edge.reason);
        let what = match direction {
            CallDirection::Calls => format!("{} at {}:{}", edge.callee.key, edge.callee.path, edge.callee.line),
            CallDirection::Callers => edge.caller.key.clone(),
        };
        page.heading(
            format!("{indent}{}:{}", edge.caller.path, edge.line),
            format!("  {}  {what}  ({sure})", edge.written),
        );
    }
    if total > calls.len() {
        page.line(format!("... and {} more; -k shows them", total - calls.len()));
    }
    if calls.is_empty() {
        let what = if direction == CallDirection::Calls { "calls nothing" } else { "is called by nothing" };
        page.line(format!("{} {what} that resolves in this repository", symbol.key));
    }
    output.print(&page)
}
