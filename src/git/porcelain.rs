//! Runs the git binary where gix has no equivalent. Invariant: only commands that change nothing are run.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// A git version: major, minor, patch.
pub type GitVersion = (u32, u32, u32);

/// Removes the variables that git sets for a hook, such as `GIT_DIR`, so that a child process finds its own repository.
///
/// `GIT_EXEC_PATH` is kept, because a git in an unusual place does not find its commands without it.
pub fn clear_git_environment(command: &mut Command) {
    let is_of_git = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b"GIT_") && name != "GIT_EXEC_PATH";
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_git(name)) {
        command.env_remove(name);
    }
}

/// Returns a git command that ignores the environment of a running hook and takes no optional locks.
pub fn git_command() -> Command {
    let mut command = Command::new("git");
    clear_git_environment(&mut command);
    command.env("GIT_OPTIONAL_LOCKS", "0");
    command
}

/// Returns the version of the git binary, which also runs the hooks.
///
/// # Errors
/// If git cannot be run.
pub fn git_version() -> Result<GitVersion> {
    let printed = git_command().arg("--version").output().context("running `git --version`")?;
    let text = String::from_utf8_lossy(&printed.stdout);
    let mut numbers =
        text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).map(|part| part.parse().unwrap_or(0));
    Ok((numbers.next().unwrap_or(0), numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)))
}

/// Returns whether the repository tracks a file, or files in a folder; then they belong to the project, and patina must
/// not change them.
pub fn is_tracked(top: &Path, path: &Path) -> bool {
    let (Ok(top), Ok(path)) = (std::fs::canonicalize(top), std::fs::canonicalize(path)) else { return false };
    if path.starts_with(top.join(".git")) || !path.starts_with(&top) {
        return false;
    }
    // Reading the index would otherwise start a file system monitor.
    let listed =
        git_command().current_dir(&top).args(["-c", "core.fsmonitor=false", "ls-files"]).arg("--").arg(&path).output();
    listed.is_ok_and(|listed| !listed.stdout.is_empty())
}

/// Returns whether git ignores a file.
pub fn is_ignored(path: &Path) -> bool {
    let Some(folder) = path.parent() else { return false };
    let asked = git_command().current_dir(folder).args(["check-ignore", "-q", "--"]).arg(path).status();
    asked.is_ok_and(|asked| asked.success())
}
