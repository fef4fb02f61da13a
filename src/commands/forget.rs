//! `patina forget`: shows what it will erase, and erases it.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::Result;
use regex::Regex;
use serde::Serialize;

use super::context::{CommandContext, stop_flag};
use super::output::{Output, talk};
use crate::error::{Exit, UserError};
use crate::event::pluralize;
use crate::facts::SESSION;
use crate::pipeline::{self, Doomed, Forget};
use crate::redact::{MIN_FORGOTTEN_BYTES, is_part_of_mark};

#[derive(Debug, clap::Args)]
pub struct ForgetArgs {
    /// Text to erase, exactly as it was stored, or the id of a session
    #[arg(value_name = "PATTERN|SESSION")]
    what: String,
    /// Treat PATTERN as a regular expression, and erase all it matches
    #[arg(long)]
    regex: bool,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
    /// Show what would be erased, without erasing it
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
}

#[derive(Serialize)]
struct ForgetJson {
    /// The number of events that contain it, by type.
    found: BTreeMap<String, u64>,
    /// The files that those events were read from.
    sources: Vec<String>,
    erased: u64,
    read_again: u64,
    /// Files of the state folder that still contain it.
    left: Vec<String>,
}

/// The most sources that are listed before asking for confirmation.
const NAMED: usize = 10;

pub fn run(arguments: &ForgetArgs, output: &Output) -> Result<ExitCode> {
    let here = CommandContext::find(output)?;
    here.require_index()?;
    let log = here.workspace.eventlog_path();
    if !log.exists() {
        return Err(UserError::new(Exit::NotSetUp, "nothing has been indexed here yet")
            .hint("there is nothing to forget")
            .into());
    }
    let what = what(&here, arguments)?;
    let doomed = pipeline::would_go(&log, &what)?;
    let mut found = BTreeMap::new();
    doomed.iter().for_each(|one| *found.entry(one.event_type.clone()).or_default() += 1);
    let mut sources: Vec<String> = doomed.iter().map(|one| one.source.clone()).filter(|one| !one.is_empty()).collect();
    sources.sort();
    sources.dedup();
    let mut answer = ForgetJson { found, sources, erased: 0, read_again: 0, left: Vec::new() };
    say(&answer, &doomed, output);
    if !arguments.dry_run {
        if !arguments.yes && !is_wanted(&doomed)? {
            return Err(UserError::new(Exit::Failed, "nothing was erased").hint("--yes skips the question").into());
        }
        let stop = stop_flag();
        let erased = here.with_write_lock(&stop, output, |context| pipeline::forget(context, &what))?.erased;
        answer.erased = erased.events;
        answer.read_again = erased.read_again;
        if let Forget::Texts(texts) = &what {
            let left = pipeline::still_holding(&here.workspace, texts)?;
            answer.left = left.iter().map(|path| path.display().to_string()).collect();
        }
    }
    if output.json {
        return output.print_json(&answer);
    }
    let mut page = output.page();
    if !arguments.dry_run {
        page.line(format!("{} erased for good", pluralize(answer.erased, "event")));
        if answer.read_again > 0 {
            page.line(format!("{} derived from git again, without the text", pluralize(answer.read_again, "event")));
        }
        for path in &answer.left {
            page.line(format!(
                "still in {path}: it stands in the name of a file, in a copy of settings kept to restore them, or somebody \
                 was reading; in that case ask again"
            ));
        }
    }
    output.print(&page)
}

/// Decides whether the argument means a session or a text.
fn what(here: &CommandContext, arguments: &ForgetArgs) -> Result<Forget> {
    let log = here.workspace.eventlog_path();
    if arguments.regex {
        let pattern = Regex::new(&arguments.what).map_err(|error| {
            UserError::new(Exit::Usage, format!("`{}` is not a valid regular expression: {error}", arguments.what))
        })?;
        let texts = pipeline::matches_of(&log, &pattern)?;
        if texts.is_empty() {
            let message = format!("no indexed text matches `{}`; nothing was erased", arguments.what);
            return Err(UserError::new(Exit::Failed, message)
                .hint("name the text itself to keep it from ever being stored")
                .into());
        }
        if let Some(short) = texts.iter().find(|text| text.len() < MIN_FORGOTTEN_BYTES) {
            return Err(too_short(short));
        }
        return Ok(Forget::Texts(texts));
    }
    let id = arguments.what.strip_prefix(SESSION).unwrap_or(&arguments.what).to_string();
    if pipeline::is_session(&here.workspace, &id)? {
        return Ok(Forget::Session(id));
    }
    if arguments.what.len() < MIN_FORGOTTEN_BYTES {
        return Err(too_short(&arguments.what));
    }
    // A wrong guess would erase for good, so an ambiguous argument is an error.
    let begun = pipeline::sessions_beginning(&log, &id)?;
    match begun.as_slice() {
        [] => {}
        [only] if arguments.what.starts_with(SESSION) => return Ok(Forget::Session(only.clone())),
        [first, rest @ ..] => {
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            let message = format!("`{id}` begins the name of the session `{first}`{more}, and may be meant as a text");
            let hint = format!("name a session in full, or the text as --regex '{}'", regex::escape(&id));
            return Err(UserError::new(Exit::Usage, message).hint(hint).into());
        }
    }
    if is_part_of_mark(&arguments.what) {
        let message =
            format!("`{}` stands in what patina writes in place of a text, and would never be gone", arguments.what);
        return Err(UserError::new(Exit::Usage, message).hint("name more of the text").into());
    }
    Ok(Forget::Texts(vec![arguments.what.clone()]))
}

fn too_short(text: &str) -> anyhow::Error {
    UserError::new(Exit::Usage, format!("`{text}` is too short to forget: it would match too much"))
        .hint(format!("name at least {MIN_FORGOTTEN_BYTES} bytes"))
        .into()
}

fn say(answer: &ForgetJson, doomed: &[Doomed], output: &Output) {
    let by_type: Vec<String> = answer.found.iter().map(|(name, n)| format!("{n} {name}")).collect();
    output.note(&match doomed.len() {
        0 => "no indexed text contains it; it will never be stored".to_string(),
        n => format!("{}: {}", pluralize(n as u64, "event"), by_type.join(", ")),
    });
    for source in answer.sources.iter().take(NAMED) {
        output.note(&format!("  {source}"));
    }
    if answer.sources.len() > NAMED {
        output.note(&format!("  and {} more", answer.sources.len() - NAMED));
    }
    if doomed.iter().any(|one| one.from_git) {
        output.note("git itself keeps the text; patina derives these events again without it");
    }
}

fn is_wanted(doomed: &[Doomed]) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(UserError::new(Exit::Usage, "confirmation needed, but stdin is not a terminal")
            .hint("add --yes, or --dry-run to look")
            .into());
    }
    talk(&format!("patina: erase {} for good? [y/N] ", pluralize(doomed.len() as u64, "event")));
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
