//! The targets of a command: one argument with one help text for every command that takes them, and their resolution.

use std::ffi::OsString;
use std::io::{IsTerminal as _, Read as _};
use std::os::unix::ffi::OsStringExt as _;

use anyhow::{Context as _, Result};

use super::output::Output;
use crate::error::{Exit, UserError};
use crate::query::{Reader, Targets};

/// The things that a command is asked about.
#[derive(Debug, clap::Args)]
pub struct TargetArgs {
    /// File, folder, glob, lines or symbol; - reads them from stdin
    ///
    /// Several may be given; with -, one is read per line. Files are found relative to the current folder, relative to
    /// the top of the worktree, or by the end of their path. Lines: `a.rs:12`, `a.rs:12:5`, `a.rs:12-20`. Symbols:
    /// `Type::method`, `Type.method`, `Type#method`, `pkg.Name`, `src/a.rs#Type::method`, `test_a.py::Class::method`.
    /// Folders and globs (`src`, `src/**/*.rs`) stand for the files in them. Keys that patina prints work too:
    /// `commit:9f2c01a`, `session:20251124-174931/3`.
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<OsString>,
}

/// The most bytes that are read from stdin.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

impl TargetArgs {
    /// Resolves the targets, and notes on stderr how an ambiguous one was interpreted.
    ///
    /// # Errors
    /// A [`UserError`] for the first target that matches nothing, or several things.
    pub fn resolve(&self, reader: &Reader<'_>, output: &Output) -> Result<Targets> {
        let targets = reader.targets(&self.texts()?)?;
        output.notes(&targets.notes);
        Ok(targets)
    }

    /// Returns the targets as typed, with `-` replaced by the lines of stdin.
    pub fn texts(&self) -> Result<Vec<OsString>> {
        let texts = expanded(&self.targets)?;
        if texts.is_empty() {
            return Err(UserError::new(Exit::Usage, "stdin names no target")
                .hint("write one a line, for example by `git diff --name-only | patina related -`")
                .into());
        }
        Ok(texts)
    }
}

/// Returns the keys for the JSON field `targets`, which is omitted for a single target.
pub fn several(keys: &[String]) -> &[String] {
    if keys.len() > 1 { keys } else { &[] }
}

/// Returns targets as typed, with `-` replaced by the lines of stdin.
pub fn expanded(targets: &[OsString]) -> Result<Vec<OsString>> {
    let mut texts = Vec::new();
    for target in targets {
        match target == "-" {
            true => texts.extend(lines_of_stdin()?),
            false => texts.push(target.clone()),
        }
    }
    Ok(texts)
}

/// Returns the lines of stdin that are not empty, as bytes, since a path need not be UTF-8.
fn lines_of_stdin() -> Result<Vec<OsString>> {
    let mut stdin = std::io::stdin().lock();
    if stdin.is_terminal() {
        return Ok(Vec::new());
    }
    let mut bytes = Vec::new();
    stdin.by_ref().take(MOST_BYTES).read_to_end(&mut bytes).context("reading targets from stdin")?;
    let lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    Ok(lines.filter(|line| !line.trim_ascii().is_empty()).map(|line| OsString::from_vec(line.to_vec())).collect())
}
