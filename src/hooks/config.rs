//! Hooks in the repository's own configuration (git >= 2.54), which run in addition to those of `core.hooksPath`. Each
//! event has a section of its own, because git does not tell a command which event it runs for.
//!
//! Invariant: no other section and no other configuration file is written.

use super::script::{self, HookBlock};
use super::shim;
use crate::fail;
use crate::git::git_command;
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Output;

/// A section `[hook "patina-<event>"]`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct HookSection {
    pub command: Vec<u8>,
    /// Whether `hook.patina-<event>.enabled` is false, so that the user switched it off in git's own way.
    pub switched_off: bool,
}

/// Reads patina's sections, by event.
pub(super) fn read(file: &Path) -> Result<BTreeMap<String, HookSection>> {
    let mut sections = BTreeMap::<String, HookSection>::new();
    if !file.exists() {
        return Ok(sections);
    }
    let output = git_config(file, ["-z", "--get-regexp", r"^hook\.patina-"])?;
    // Exit code 1 means that nothing matches.
    if !matches!(output.status.code(), Some(0 | 1)) {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("git could not read {}: {}", file.display(), words.trim());
    }
    for entry in output.stdout.split(|byte| *byte == 0) {
        let end = entry.iter().position(|byte| *byte == b'\n').unwrap_or(entry.len());
        let (key, value) = (&entry[..end], entry.get(end + 1..).unwrap_or_default());
        let key = String::from_utf8_lossy(key);
        let Some((event, name)) = key.strip_prefix("hook.patina-").and_then(|rest| rest.rsplit_once('.')) else {
            continue;
        };
        let section = sections.entry(event.to_owned()).or_default();
        match name {
            "command" => section.command = value.to_vec(),
            "enabled" => section.switched_off = matches!(value, b"false" | b"no" | b"off" | b"0"),
            _ => {}
        }
    }
    Ok(sections)
}

/// Adds or renews the section of one event.
pub(super) fn install(file: &Path, block: &HookBlock, event: &str) -> Result<()> {
    let command = script::render_command(block, event);
    let text = fs::read(file).unwrap_or_default();
    // The command is written first, because git fails on an event without a command.
    set(file, &format!("hook.patina-{event}.command"), OsStr::from_bytes(&command))?;
    set(file, &format!("hook.patina-{event}.event"), OsStr::new(event))?;
    if !text.is_empty() && !text.ends_with(b"\n") {
        set(file, &format!("hook.patina-{event}.note"), OsStr::new(LINE_END_ADDED))?;
    }
    Ok(())
}

/// The prefix of the names of patina's sections.
const OURS: &[u8] = b"patina-";

/// A comment which records that git added a line end to the file's last line, so that removal can undo it.
const LINE_END_ADDED: &str = "line end added";

/// Removes patina's sections for these events, and keeps every other byte.
pub(super) fn uninstall(file: &Path, events: &[&str]) -> Result<()> {
    let Ok(text) = fs::read(file) else {
        return Ok(());
    };
    if !text.windows(OURS.len()).any(|window| window == OURS) {
        return Ok(());
    }
    let rest = without_sections(&text, events);
    if rest != text {
        replace(file, &rest)?;
    }
    // A section that the user rewrote in another form is removed by git.
    let left = read(file)?;
    for event in events.iter().filter(|event| left.contains_key(**event)) {
        let output = git_config(file, ["--remove-section", &format!("hook.patina-{event}")])?;
        if !output.status.success() {
            bail!("git could not remove hook.patina-{event} from {}", file.display());
        }
    }
    Ok(())
}

/// Removes sections in the form that git writes: headers and keys go, comments below them are kept.
fn without_sections(text: &[u8], events: &[&str]) -> Vec<u8> {
    let headers: Vec<String> = events.iter().map(|event| format!("[hook \"patina-{event}\"]")).collect();
    let mut rest = Vec::with_capacity(text.len());
    let (mut ours, mut continued, mut line_end_added) = (false, false, false);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let words = line.trim_ascii();
        if !continued && words.starts_with(b"[") {
            ours = headers.iter().any(|header| header.as_bytes() == words);
        }
        let comment = !continued && (words.is_empty() || b"#;".contains(&words[0]));
        let stays = !ours || comment;
        if stays {
            rest.extend_from_slice(line);
            line_end_added = false;
        } else if words.ends_with(LINE_END_ADDED.as_bytes()) {
            line_end_added = true;
        }
        let backslashes = words.iter().rev().take_while(|byte| **byte == b'\\').count();
        continued = !comment && backslashes % 2 == 1;
    }
    if line_end_added && rest.ends_with(b"\n") {
        rest.pop();
    }
    rest
}

/// Replaces the file under git's own lock.
fn replace(file: &Path, text: &[u8]) -> Result<()> {
    let mut lock = file.as_os_str().to_owned();
    lock.push(".lock");
    let lock = Path::new(&lock);
    if lock.exists() {
        bail!("{} exists: another git command is writing, or one was interrupted", lock.display());
    }
    shim::write_as(lock, text, Some(&fs::metadata(file)?))
        .and_then(|()| Ok(fail::point("settings written")?))
        .and_then(|()| Ok(fs::rename(lock, file)?))
        .with_context(|| format!("writing {}", file.display()))
}

/// Sets a key.
fn set(file: &Path, key: &str, value: &OsStr) -> Result<()> {
    let output = git_config(file, [OsStr::new("--replace-all"), OsStr::new(key), value])?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("git could not set {key} in {}: {}", file.display(), words.trim());
    }
    Ok(())
}

/// Runs `git config --file`, independent of the environment of a running hook.
fn git_config<S: AsRef<OsStr>>(file: &Path, args: impl IntoIterator<Item = S>) -> Result<Output> {
    git_command().arg("config").arg("--file").arg(file).args(args).output().context("running git")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_come_out_and_all_else_stays() {
        let case = |before: &str, after: &str| {
            let text = without_sections(before.as_bytes(), &["post-commit"]);
            assert_eq!(String::from_utf8_lossy(&text), after);
        };
        let ours = "[hook \"patina-post-commit\"]\n\tcommand = \"(\\nx\"\n\tevent = post-commit\n";
        case(ours, "");
        case(&format!("[core]\n\tbare = false\n{ours}"), "[core]\n\tbare = false\n");
        case(&format!("[core]\n{ours}# mine\n[a]\n"), "[core]\n# mine\n[a]\n");
        case(&format!("[core]\n{ours}\tnote = line end added\n"), "[core]");
        case(&format!("[core]\n{ours}\tnote = line end added\n[a]\n"), "[core]\n[a]\n");
        case("[hook \"patina-mine\"]\n\tevent = x\n", "[hook \"patina-mine\"]\n\tevent = x\n");
        let continued = "[a]\n\tx = \\\n[hook \"patina-post-commit\"]\n";
        case(continued, continued);
    }
}
