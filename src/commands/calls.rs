//! `patina calls` and `patina callers`: the call graph around a symbol.

use std::collections::HashSet;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::output::Output;
use super::related::one_item;
use super::{Here, Needs, asks_for_any};
use crate::edges::{self, Edge};
use crate::item::{self, Item};

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

/// Which way edges are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Calls,
    Callers,
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

pub fn run(arguments: &Arguments, direction: Direction, output: &Output) -> Result<ExitCode> {
    asks_for_any(arguments.k)?;
    let here = Here::find(output)?;
    let reader = here.reader(arguments.fresh, Needs::Counts, output)?;
    let symbol = one_item(&reader, &arguments.symbol)?;
    let (cache, view) = (&reader.cache, reader.view.id);
    // A file stands for everything in it.
    let mut front: Vec<Item> =
        if symbol.kind == "file" { item::in_file(cache, view, &symbol.path)? } else { vec![symbol.clone()] };
    let mut seen: HashSet<i64> = front.iter().map(|item| item.seq).collect();
    let mut found: Vec<(u32, Edge)> = Vec::new();
    for depth in 1..=arguments.depth {
        let mut next = Vec::new();
        for item in &front {
            let edges = match direction {
                Direction::Calls => edges::calls_of(cache, view, item)?,
                Direction::Callers => edges::callers_of(cache, view, item)?,
            };
            for edge in edges.into_iter().filter(|edge| edge.confidence >= arguments.confidence) {
                let far = if direction == Direction::Calls { &edge.callee } else { &edge.caller };
                if seen.insert(far.seq) {
                    next.push(far.clone());
                }
                found.push((depth, edge));
            }
        }
        front = next;
    }
    let total = found.len();
    found.truncate(arguments.k);
    if output.json {
        let edge = |(depth, edge): (u32, Edge)| EdgeAnswer {
            caller: edge.caller.key,
            callee: edge.callee.key,
            path: edge.caller.path,
            line: edge.line,
            confidence: (f64::from(edge.confidence) * 100.0).round() / 100.0,
            depth,
            written: edge.written,
            reason: edge.reason,
        };
        let edges = found.into_iter().map(edge).collect();
        return output.print_json(&Answer { as_of: reader.as_of(), behind: reader.behind, symbol: symbol.key, edges });
    }
    let mut page = output.page();
    page.as_of(&reader);
    for (depth, edge) in &found {
        let indent = "  ".repeat(*depth as usize - 1);
        let sure = format!("{:.2} {}", edge.confidence, edge.reason);
        let what = match direction {
            Direction::Calls => format!("{} at {}:{}", edge.callee.key, edge.callee.path, edge.callee.line),
            Direction::Callers => edge.caller.key.clone(),
        };
        page.heading(
            format!("{indent}{}:{}", edge.caller.path, edge.line),
            format!("  {}  {what}  ({sure})", edge.written),
        );
    }
    if total > found.len() {
        page.line(format!("... and {} more; -k shows them", total - found.len()));
    }
    if found.is_empty() {
        let what = if direction == Direction::Calls { "calls nothing" } else { "is called by nothing" };
        page.line(format!("{} {what} that resolves in this repository", symbol.key));
    }
    output.print(&page)
}
