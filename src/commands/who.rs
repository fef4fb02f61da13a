//! `patina who`: who knows a file, a folder or a symbol, and who is likely to change it next.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::output::{Output, short};
use super::{Here, Needs, asks_for_any};
use crate::event::count;
use crate::git::day;
use crate::history::{self, Person};
use crate::item::Target;
use crate::query;
use crate::view;

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
    let (cache, view) = (&reader.cache, reader.view.id);
    let target = match arguments.target.as_str() {
        "." | "./" => Target::Folder(reader.prefix()),
        text => reader.target(text)?,
    };
    let (name, paths) = match target {
        Target::Item(item) => {
            if item.kind != "file" {
                output.note(&format!("commits change files: these people know {}", item.path));
            }
            (item.key, vec![item.path])
        }
        Target::Folder(folder) => {
            let inside = if folder.is_empty() { String::new() } else { format!("{folder}/") };
            let paths = view::files(cache, view)?.into_keys().filter(|path| path.starts_with(&inside)).collect();
            (if folder.is_empty() { ".".to_string() } else { folder }, paths)
        }
    };
    let mut people = match arguments.next {
        true => query::next(&reader, &reader.vectors()?, &paths)?,
        false => history::who(cache, view, reader.time(), &paths, &*reader.people()?)?,
    };
    people.truncate(arguments.k);
    if output.json {
        return output.print_json(&Answer {
            as_of: reader.as_of(),
            behind: reader.behind,
            target: &name,
            people: &people,
        });
    }
    let mut page = output.page();
    page.as_of(&reader);
    for person in &people {
        let (lead, kind) = match person.kind {
            "human" => (format!("{:3.0} %  ", person.share * 100.0), String::new()),
            kind => ("with the help of ".to_string(), format!(", {kind}")),
        };
        let departed = if person.departed { ", departed" } else { "" };
        let last = person.last_commit.zip(person.last_commit_id.as_deref());
        let commits = match last {
            Some((time, id)) => {
                format!("{}, last {} {}", count(person.commits as u64, "commit"), day(time), short(id))
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
