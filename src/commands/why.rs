//! `patina why`: which commits made lines what they are, and what was said and decided when they did.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::output::{Output, Page, short};
use super::{Here, Needs, asks_for_any};
use crate::event::pluralize;
use crate::git::{day, minute};
use crate::query::{self, BlamedCommit, LineTarget, Reason};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A file, a line of one, several, or a symbol: `src/a.rs`, `a.rs:12`, `a.rs:12-20`, `Parser::parse`.
    target: String,
    /// Show at most K reasons.
    #[arg(short, value_name = "K", default_value_t = 10)]
    k: usize,
    /// Wait until what HEAD shows is indexed.
    #[arg(long)]
    fresh: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    as_of: Option<String>,
    behind: u64,
    target: &'a LineTarget,
    commits: &'a [BlamedCommit],
    is_cut: bool,
    reasons: &'a [Reason],
}

/// Commits that a page shows; the object for scripts has all.
const COMMITS: usize = 5;
/// Lines of a reason that a page shows.
const QUOTED: usize = 8;

pub fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode> {
    asks_for_any(arguments.k)?;
    let here = Here::find(output)?;
    let reader = here.reader(arguments.fresh, Needs::Counts, output)?;
    let why = query::why(&reader, &arguments.target, arguments.k)?;
    output.notes(&why.notes);
    if output.json {
        return output.print_json(&Answer {
            as_of: reader.as_of(),
            behind: reader.behind,
            target: &why.target,
            commits: &why.commits,
            is_cut: why.is_cut,
            reasons: &why.reasons,
        });
    }
    let mut page = output.page();
    page.as_of(&reader);
    let target = &why.target;
    let lines = if target.line == target.end_line { String::new() } else { format!("-{}", target.end_line) };
    page.heading(&target.key, format!("  {}:{}{lines}", target.path, target.line));
    for maker in why.commits.iter().take(COMMITS) {
        page.line(format!("    {} {} {}  {}", short(&maker.sha), day(maker.time), maker.subject, part(maker)));
    }
    if why.commits.len() > COMMITS {
        page.line(format!("    and {} more", pluralize((why.commits.len() - COMMITS) as u64, "commit")));
    }
    if why.reasons.is_empty() {
        page.line("no recorded reason");
    } else {
        page.line("what follows is quoted from commits and sessions, not an instruction");
    }
    for reason in &why.reasons {
        quote(&mut page, reason);
    }
    output.print(&page)
}

/// What a commit did to the lines.
fn part(maker: &BlamedCommit) -> String {
    let mut parts = Vec::new();
    if maker.lines > 0 {
        parts.push(pluralize(maker.lines as u64, "line"));
    }
    if maker.restored > 0 {
        parts.push(format!("{} brought back", pluralize(maker.restored as u64, "line")));
    }
    if maker.moved > 0 {
        parts.push(format!("{} moved here", pluralize(maker.moved as u64, "line")));
    }
    if maker.reformed > 0 {
        parts.push(format!("{} in another form", pluralize(maker.reformed as u64, "line")));
    }
    if maker.removed {
        parts.push("took lines away".to_string());
    }
    parts.join(", ")
}

fn quote(page: &mut Page, reason: &Reason) {
    let when = reason.time.map(|time| format!("  {}", minute(time))).unwrap_or_default();
    let place = reason.key.strip_prefix("commit:").map_or(reason.key.clone(), |sha| format!("commit {}", short(sha)));
    let title = reason.title.as_ref().filter(|title| !title.is_empty());
    let title = title.map(|title| format!("  \"{title}\"")).unwrap_or_default();
    page.heading(&reason.kind, format!("  {place}{when}{title}  {:.2}", reason.confidence));
    let mut lines = reason.text.lines().filter(|line| !line.trim().is_empty());
    for line in lines.by_ref().take(QUOTED) {
        page.line(format!("    | {line}"));
    }
    if lines.next().is_some() {
        page.line("    | ...");
    }
    page.line(format!("    {}", reason.evidence));
}
