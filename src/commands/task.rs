//! `patina task`: predicts the files that a task, described in words, will touch.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::answers::{EVERYWHERE_ROOM, Standpoint, WithPath, without_everywhere};
use super::context::{CommandContext, Needs};
use super::options::HitArgs;
use super::output::Output;
use super::query::words;
use crate::error::{Exit, UserError};
use crate::facts::ItemKind;
use crate::query::{self, Hit, TextQuery};

#[derive(Debug, clap::Args)]
pub struct TaskArgs {
    /// The task, worded like a commit message or the title of an issue
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<OsString>,
    #[command(flatten)]
    limits: HitArgs,
}

#[derive(Serialize)]
struct TaskJson<'a> {
    as_of: Option<String>,
    behind: u64,
    used_vectors: bool,
    hits: Vec<WithPath<&'a Hit>>,
}

pub fn run(arguments: &TaskArgs, output: &Output) -> Result<ExitCode> {
    let here = CommandContext::find(output)?;
    let mut filter = arguments.limits.filter()?;
    if !output.json {
        filter.k += EVERYWHERE_ROOM;
    }
    let text = words(&arguments.text);
    if filter.kinds.iter().any(|kind| *kind != ItemKind::File) {
        let message = "a task touches files, so `task` answers with files alone";
        return Err(UserError::new(Exit::Usage, message).hint("leave --kind out, or ask `patina query`").into());
    }
    let Some(question) = TextQuery::begin(&here.config.model, &text) else {
        return Err(UserError::new(Exit::Usage, "the task contains no word to search for")
            .hint("say what is to be done, for example `patina task let hooks survive a rebase`")
            .into());
    };
    let reader = here.reader(arguments.limits.fresh, Needs::All, output)?;
    filter.settle(&reader)?;
    let answer = query::task(&reader, question, &filter)?;
    output.notes(&answer.notes);
    here.mend(answer.is_damaged);
    let standpoint = Standpoint::new(&here.repository);
    if output.json {
        return output.print_json(&TaskJson {
            as_of: reader.as_of(),
            behind: reader.behind,
            used_vectors: !answer.used.is_empty(),
            hits: standpoint.hits(&answer.hits),
        });
    }
    let mut page = output.page();
    let shape = arguments.limits.shape;
    let (hits, everywhere) = without_everywhere(answer.hits, arguments.limits.k);
    page.hits(&standpoint, &hits, &crate::text_index::words(&text), shape);
    page.everywhere(&standpoint, &everywhere);
    if hits.is_empty() && everywhere.is_empty() {
        page.line("nothing here contains these words or was changed for a similar task");
    }
    page.end(&reader, &hits, shape, output);
    output.print(&page)
}
