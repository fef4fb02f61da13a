//! `patina query`: finds code, commits and decisions by words and by meaning.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::answers::{Standpoint, WithPath};
use super::context::{CommandContext, Needs};
use super::options::DimensionArgs;
use super::output::Output;
use super::page::{Piece, Style};
use crate::error::{Exit, UserError};
use crate::query::{self, Evidence, Filter, GoneHit, Hit, TextQuery};
use crate::text_index;

#[derive(Debug, clap::Args)]
pub struct QueryArgs {
    /// What to find, in words or names
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<OsString>,
    /// Find deleted and renamed files, by words of their paths
    #[arg(long, conflicts_with_all = ["dimension", "kind", "since"])]
    gone: bool,
    #[command(flatten)]
    narrow: DimensionArgs,
}

#[derive(Serialize)]
struct QueryJson<'a> {
    as_of: Option<String>,
    behind: u64,
    used_vectors: bool,
    /// Dimensions without an adapter, which were searched by the base embedding.
    untrained: Vec<&'static str>,
    /// Whether no hit matches well.
    no_good_match: bool,
    hits: Vec<WithPath<&'a Hit>>,
}

pub fn run(arguments: &QueryArgs, output: &Output) -> Result<ExitCode> {
    let here = CommandContext::find(output)?;
    let asked = arguments.narrow.dimensions()?;
    let mut filter = arguments.narrow.limits.filter()?;
    let text = words(&arguments.text);
    if arguments.gone {
        return gone(&here, &text, filter, arguments.narrow.limits.fresh, output);
    }
    let Some(question) = TextQuery::begin(&here.config.model, &text) else { return Err(no_word()) };
    let reader = here.reader(arguments.narrow.limits.fresh, Needs::All, output)?;
    filter.settle(&reader)?;
    let answer = query::search(&reader, question, &filter, &asked)?;
    output.notes(&answer.notes);
    here.mend(answer.is_damaged);
    let standpoint = Standpoint::new(&here.repository);
    if output.json {
        return output.print_json(&QueryJson {
            as_of: reader.as_of(),
            behind: reader.behind,
            used_vectors: !answer.used.is_empty(),
            untrained: answer.untrained,
            no_good_match: answer.is_poor,
            hits: standpoint.hits(&answer.hits),
        });
    }
    let mut page = output.page();
    let shape = arguments.narrow.limits.shape;
    if answer.is_poor && !shape.vimgrep {
        page.line("no good match; the nearest are:");
    }
    page.hits(&standpoint, &answer.hits, &text_index::words(&text), shape);
    if answer.hits.is_empty() {
        page.line("nothing here contains these words or is close in meaning");
    }
    page.end(&reader, &answer.hits, shape, output);
    output.print(&page)
}

fn no_word() -> anyhow::Error {
    UserError::new(Exit::Usage, "the question contains no word to search for")
        .hint("ask for example `patina query where are hooks installed`")
        .into()
}

/// Joins the words of the command line. Invalid UTF-8 is replaced.
pub fn words(text: &[OsString]) -> String {
    text.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[derive(Serialize)]
struct GoneAnswer<'a> {
    as_of: Option<String>,
    behind: u64,
    used_vectors: bool,
    hits: Vec<WithPath<&'a GoneHit>>,
}

fn gone(here: &CommandContext, text: &str, mut filter: Filter, fresh: bool, output: &Output) -> Result<ExitCode> {
    if text_index::words(text).is_empty() {
        return Err(no_word());
    }
    let reader = here.reader(fresh, Needs::Counts, output)?;
    filter.settle(&reader)?;
    let hits = query::search_gone(&reader, text, &filter)?;
    let standpoint = Standpoint::new(&here.repository);
    if output.json {
        let (as_of, behind) = (reader.as_of(), reader.behind);
        let hits = hits.iter().map(|hit| standpoint.with_path(hit, Some(&hit.path))).collect();
        return output.print_json(&GoneAnswer { as_of, behind, used_vectors: false, hits });
    }
    let mut page = output.page();
    for hit in &hits {
        let what = match hit.renamed_to.as_slice() {
            [] => "deleted in ".to_string(),
            to => format!("renamed to {} in ", to.join(", ")),
        };
        let mut row = vec![Piece::new(&hit.path, Style::Path), Piece::plain(format!("  {what}"))];
        for one in &hit.evidence {
            if let Evidence::Commit(commit) = one {
                row.extend(standpoint.commit(&commit.commit, commit.time, &commit.subject));
            }
        }
        page.row(row);
    }
    if hits.is_empty() {
        page.line("no deleted or renamed path contains these words");
    }
    page.end_as_of(&reader, output);
    output.print(&page)
}
