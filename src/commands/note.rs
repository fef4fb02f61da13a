//! `patina note`: records a session entry by hand.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::context::{CommandContext, stop_flag};
use super::output::Output;
use crate::error::{Exit, UserError};
use crate::event::encode_path;
use crate::pipeline;
use crate::sessions::{Category, MAX_CONTENT};

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("category").required(true)))]
pub struct NoteArgs {
    /// A decision: what was decided, and why
    #[arg(long, value_name = "TEXT", group = "category", allow_hyphen_values = true)]
    decision: Option<String>,
    /// A pattern: a convention to follow
    #[arg(long, value_name = "TEXT", group = "category", allow_hyphen_values = true)]
    pattern: Option<String>,
    /// A challenge: a problem, and what solved it
    #[arg(long, value_name = "TEXT", group = "category", allow_hyphen_values = true)]
    challenge: Option<String>,
    /// A goal: what is to be achieved
    #[arg(long, value_name = "TEXT", group = "category", allow_hyphen_values = true)]
    goal: Option<String>,
    /// Files that the note is about, separated by commas
    #[arg(long, value_name = "PATH", num_args = 1..)]
    files: Vec<String>,
}

#[derive(Serialize)]
struct NoteJson {
    key: String,
    category: Category,
    content: String,
    files: Vec<String>,
}

pub fn run(arguments: &NoteArgs, output: &Output) -> Result<ExitCode> {
    let given = [
        (Category::Decision, &arguments.decision),
        (Category::Pattern, &arguments.pattern),
        (Category::Challenge, &arguments.challenge),
        (Category::Goal, &arguments.goal),
    ];
    let (category, text) = given
        .into_iter()
        .find_map(|(category, text)| Some((category, text.as_deref()?.trim())))
        .expect("the group is required");
    if text.is_empty() || text.len() > MAX_CONTENT {
        return Err(UserError::new(Exit::Usage, format!("a note has from 1 to {MAX_CONTENT} bytes"))
            .hint("say it in a few sentences; a longer text is better a file")
            .into());
    }
    let here = CommandContext::find(output)?;
    here.require_index()?;
    let mut files = Vec::new();
    for file in arguments.files.iter().flat_map(|files| split(files)).map(without_line) {
        // A deleted file may be just what the note is about.
        if !Path::new(file).exists() {
            output.warn(&format!("no file `{file}` exists; the note is stored about that path all the same"));
        }
        files.push(here.path_from_top(file)?);
    }
    let time = crate::git::unix_now();
    let stop = stop_flag();
    let noted = here.with_write_lock(&stop, output, |context| pipeline::note(context, category, text, &files, time))?;
    let answer = NoteJson { key: noted.key, category, content: noted.content, files };
    if output.json {
        return output.print_json(&answer);
    }
    let mut page = output.page();
    page.line(format!("{}  {}", answer.key, category.name()));
    output.print(&page)
}

/// Splits a list at its commas, unless a file with that whole name exists.
fn split(files: &str) -> Vec<&str> {
    if Path::new(files).exists() {
        return vec![files];
    }
    files.split(',').map(str::trim).filter(|file| !file.is_empty()).collect()
}

/// Strips `:LINE` from a path, if only the path without it exists.
fn without_line(file: &str) -> &str {
    let name =
        file.rsplit_once(':').filter(|(_, line)| !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit()));
    match name {
        Some((name, _)) if !Path::new(file).exists() && Path::new(name).exists() => name,
        _ => file,
    }
}

impl CommandContext {
    /// Converts a path to an encoded one, relative to the top of the worktree. The file need not exist.
    fn path_from_top(&self, text: &str) -> Result<String> {
        let outside =
            || UserError::new(Exit::Usage, format!("{text} is outside this worktree")).hint("name a file in it");
        let path = Path::new(text);
        let mut parts: Vec<&std::ffi::OsStr> = Vec::new();
        let prefix = self.repository.prefix().unwrap_or_default();
        let absolute = path.is_absolute();
        let below = match (absolute, self.repository.worktree_path()) {
            (true, Some(top)) => path.strip_prefix(top).map_err(|_| outside())?.to_path_buf(),
            (true, None) => return Err(outside().into()),
            (false, _) => prefix.join(path),
        };
        for part in below.components() {
            match part {
                std::path::Component::Normal(part) => parts.push(part),
                std::path::Component::ParentDir => {
                    parts.pop().ok_or_else(outside)?;
                }
                _ => {}
            }
        }
        let path: std::path::PathBuf = parts.into_iter().collect();
        Ok(encode_path(path.as_os_str().as_encoded_bytes()))
    }
}
