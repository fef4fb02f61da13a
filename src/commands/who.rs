//! `patina who`: who knows a file, a folder or a symbol, and who is likely to change it next.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::output::{Output, short};
use super::{Here, Needs, asks_for_any};
use crate::event::pluralize;
use crate::git::day;
use crate::history::Person;
use crate::query;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A file, a folder, or a symbol whose file is meant; `.` for the folder you are in.
    target: String,
    /// Show at most K.
    #[arg(short, value_name = "K", default_value_t = 10)]
    k: usize,
    /// Who is likeliest to change it next, whether they ever did or not.
    #[arg(long)]
    next: bool,
    /// Wait until what HEAD shows is indexed.
    #[arg(long)]
    fresh: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    as_of: Option<String>,
    behind: u64,
    target: &'a str,
    people: &'a [Person],
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode> {
    asks_for_any(arguments.k)?;
    let here = Here::find(output)?;
    let reader = here.reader(arguments.fresh, Needs::Counts, output)?;
    let answer = query::who(&reader, &arguments.target, arguments.next, arguments.k)?;
    output.notes(&answer.notes);
    let (name, people) = (&answer.target, &answer.people);
    if output.json {
        return output.print_json(&Answer { as_of: reader.as_of(), behind: reader.behind, target: name, people });
    }
    let mut page = output.page();
    page.as_of(&reader);
    for person in people {
        let (lead, kind) = match person.kind {
            "human" => (format!("{:3.0} %  ", person.share * 100.0), String::new()),
            kind => ("with the help of ".to_string(), format!(", {kind}")),
        };
        let departed = if person.departed { ", departed" } else { "" };
        let last = person.last_commit.zip(person.last_commit_id.as_deref());
        let commits = match last {
            Some((time, id)) => {
                format!("{}, last {} {}", pluralize(person.commits as u64, "commit"), day(time), short(id))
            }
            None => "never touched it".to_string(),
        };
        page.heading(format!("{lead}{} <{}>", person.name, person.email), format!("  {commits}{kind}{departed}"));
    }
    if people.is_empty() {
        page.line(format!("no recorded commit touched {name}"));
    }
    output.print(&page)
}
