//! `patina who`: lists who knows a file, a folder or a symbol, or who is likely to change it next.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::answers::{Standpoint, short};
use super::context::{CommandContext, Needs};
use super::options::require_positive;
use super::output::Output;
use super::page::{Piece, Style};
use super::targets::{TargetArgs, several};
use crate::event::pluralize;
use crate::history::Person;
use crate::query;

#[derive(Debug, clap::Args)]
pub struct WhoArgs {
    #[command(flatten)]
    targets: TargetArgs,
    /// Show at most K people
    #[arg(short, value_name = "K", default_value_t = 10)]
    k: usize,
    /// Predict who will change it next, including newcomers to the file
    #[arg(long)]
    next: bool,
    /// Wait until HEAD is indexed
    #[arg(long)]
    fresh: bool,
}

#[derive(Serialize)]
struct WhoJson<'a> {
    as_of: Option<String>,
    behind: u64,
    /// The first target's key.
    target: &'a str,
    /// The keys of all targets, if there are several.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    targets: &'a [String],
    people: &'a [Person],
}

pub fn run(arguments: &WhoArgs, output: &Output) -> Result<ExitCode> {
    require_positive(arguments.k)?;
    let here = CommandContext::find(output)?;
    let reader = here.reader(arguments.fresh, Needs::Counts, output)?;
    let targets = arguments.targets.resolve(&reader, output)?;
    let answer = query::who(&reader, &targets, arguments.next, arguments.k)?;
    output.notes(&answer.notes);
    let people = &answer.people;
    if output.json {
        return output.print_json(&WhoJson {
            as_of: reader.as_of(),
            behind: reader.behind,
            target: &answer.targets[0],
            targets: several(&answer.targets),
            people,
        });
    }
    let standpoint = Standpoint::new(&here.repository);
    let mut page = output.page();
    page.columns(people.iter().map(|person| row_of(&standpoint, person, arguments.next)).collect());
    if people.is_empty() {
        page.line(format!("no recorded commit touched {}", answer.targets.join(", ")));
    }
    page.end_as_of(&reader, output);
    output.print(&page)
}

/// Formats a person as two columns: share and name; number of commits and the last one.
fn row_of(standpoint: &Standpoint<'_>, person: &Person, next: bool) -> (Vec<Piece>, Vec<Piece>) {
    let lead = match person.kind {
        "human" if person.share > 0.0 && person.share < 0.005 => " <1 %  ".to_string(),
        "human" => format!("{:3.0} %  ", person.share * 100.0),
        kind => format!("{kind:>5}  "),
    };
    let first = vec![Piece::plain(lead), Piece::new(&person.name, Style::Bold)];
    let mut second = match person.last_commit.zip(person.last_commit_id.as_deref()) {
        Some((time, id)) => vec![
            Piece::plain(format!("{}, last ", pluralize(person.commits as u64, "commit"))),
            Piece::plain(standpoint.day_of(id, time)),
            Piece::plain(" "),
            Piece::new(short(id), Style::Commit),
        ],
        None => vec![Piece::plain("never touched it")],
    };
    if person.departed && !next {
        second.push(Piece::plain(", departed"));
    }
    second.push(Piece::new(format!("  <{}>", person.email), Style::Dim));
    (first, second)
}
