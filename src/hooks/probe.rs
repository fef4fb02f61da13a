//! Finds out whether hooks reach patina, by running them.
//!
//! Invariant: nothing in a hook runs after patina's block, a hook without a block is not run at all, and nothing rings.

use super::config::{self, HookSection};
use super::script::{self, PROBE};
use super::shim::{self, FileState};
use super::{CONFIG_HOOKS_SINCE, EVENTS, HookSite, block_for_files, disabled_file};
use crate::git::clear_git_environment;
use anyhow::{Context as _, Result};
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The result of running one hook.
#[derive(Debug, Clone)]
pub struct ProbeResult {
    /// Name of the hook.
    pub event: &'static str,
    /// Why it does not reach patina, as the end of a sentence that begins with its name; `None` if it does.
    pub failure: Option<String>,
}

/// The PATH that every system has; graphical clients have no more.
const BARE_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/// How long a tested hook may run. It only waits for the patina that it starts, which takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs every installed hook as git would. `dir` is the top of the worktree, or the bare repository.
///
/// Hooks that are switched off, missing or somebody else's are skipped.
///
/// # Errors
/// If the state folder cannot be written to, or git's configuration cannot be read.
pub fn probe(site: &HookSite, dir: &Path) -> Result<Vec<ProbeResult>> {
    let mut tried = Vec::new();
    if disabled_file(site).exists() {
        return Ok(tried);
    }
    let mut sections = config::read(&site.common_dir.join("config"))?;
    if site.git_version < CONFIG_HOOKS_SINCE {
        sections.clear();
    }
    let elsewhere = folder_of_git(dir).filter(|folder| !is_same(folder, &site.hooks_dir));
    let mut hooks = Vec::new();
    for event in EVENTS {
        match sections.get(event) {
            Some(HookSection { switched_off: false, command }) => hooks.push((event, Hook::Command(command.clone()))),
            Some(_) => {}
            None => match (file_to_try(site, event)?, &elsewhere) {
                (None, _) => {}
                (Some(_), Some(folder)) => {
                    let words = format!("is in {}, and git looks in {}", site.hooks_dir.display(), folder.display());
                    tried.push(ProbeResult { event, failure: Some(words) });
                }
                (Some(path), None) => hooks.push((event, Hook::File(path))),
            },
        }
    }
    let bare = reached(&site.state_dir, dir, &hooks, Some(BARE_PATH))?;
    let reaches = |reached: &[String], event: &str| reached.iter().any(|other| other == event);
    let silent: Vec<_> = hooks.iter().filter(|(event, _)| !reaches(&bare, event)).cloned().collect();
    let by_path = reached(&site.state_dir, dir, &silent, None)?;
    for (event, _) in hooks {
        let failure = match (reaches(&bare, event), reaches(&by_path, event), site.program.is_file()) {
            (true, ..) => None,
            (_, true, _) => Some("finds patina only on your PATH, which graphical clients do not have"),
            (.., true) => Some("does not reach patina: something ends the hook before, or the binary it names is gone"),
            _ => Some("finds no patina binary"),
        };
        tried.push(ProbeResult { event, failure: failure.map(str::to_owned) });
    }
    Ok(tried)
}

/// Returns whether a command line reaches patina.
pub(super) fn reaches(state_dir: &Path, dir: &Path, event: &'static str, command: &[u8]) -> Result<bool> {
    let hooks = [(event, Hook::Command(command.to_vec()))];
    Ok(!reached(state_dir, dir, &hooks, Some(BARE_PATH))?.is_empty())
}

/// Answers a probe, if this process was started by one, by appending its event to the probe's file instead of ringing.
/// Returns whether it was.
pub fn answer_probe(state_dir: impl FnOnce() -> Option<PathBuf>, event: &str) -> bool {
    let Some(number) = std::env::var_os(PROBE).filter(|number| !number.is_empty()) else { return false };
    // Only a number, so that the variable cannot name any other file; and the file must exist, so that none is created.
    let number = number.to_str().and_then(|number| number.parse::<u32>().ok());
    if let Some(path) = number.zip(state_dir()).map(|(number, dir)| answers(&dir, number)) {
        let file = fs::OpenOptions::new().append(true).open(path);
        let _ = file.and_then(|mut file| file.write_all(format!("{event}\n").as_bytes()));
    }
    true
}

/// The command that git would run.
#[derive(Clone)]
enum Hook {
    File(PathBuf),
    Command(Vec<u8>),
}

/// Returns the hook file, if its block can be run without the rest of the hook.
fn file_to_try(site: &HookSite, event: &str) -> Result<Option<PathBuf>> {
    let path = site.hooks_dir.join(event);
    if !matches!(shim::look(&path, &block_for_files(site), event)?, FileState::Current | FileState::Outdated) {
        return Ok(None);
    }
    let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    let can_be_tried = matches!(script::split(&text), Ok(Some(parts)) if script::can_be_tried(parts.block));
    Ok(can_be_tried.then_some(path))
}

/// Runs hooks in parallel, and returns the events that reached patina.
fn reached(state_dir: &Path, dir: &Path, hooks: &[(&'static str, Hook)], path: Option<&str>) -> Result<Vec<String>> {
    if hooks.is_empty() {
        return Ok(Vec::new());
    }
    let number = std::process::id();
    let file = answers(state_dir, number);
    fs::write(&file, b"").with_context(|| format!("writing {}", file.display()))?;
    let mut running: Vec<Child> = hooks.iter().filter_map(|(_, hook)| start(dir, hook, number, path).ok()).collect();
    let start = Instant::now();
    let is_over = |child: &mut Child| !matches!(child.try_wait(), Ok(None));
    while !running.iter_mut().all(is_over) && start.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(2));
    }
    for child in &mut running {
        // A process that has finished cannot be killed, and need not be.
        let _ = child.kill();
        let _ = child.wait();
    }
    let reached = fs::read_to_string(&file).unwrap_or_default().lines().map(str::to_owned).collect();
    fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))?;
    Ok(reached)
}

/// Starts a hook as git does.
fn start(dir: &Path, hook: &Hook, number: u32, path: Option<&str>) -> std::io::Result<Child> {
    let spawn = |mut command: Command| {
        clear_git_environment(&mut command);
        if let Some(path) = path {
            command.env("PATH", path);
        }
        command.env_remove("PATINA").env(PROBE, number.to_string()).current_dir(dir);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    };
    let shell = |args: &[&OsStr]| {
        let mut shell = Command::new("sh");
        shell.args(args);
        spawn(shell)
    };
    match hook {
        Hook::Command(text) => shell(&[OsStr::new("-c"), OsStr::from_bytes(&[text, &b" \"$@\""[..]].concat())]),
        // A script without a shebang is run by a shell.
        Hook::File(file) => spawn(Command::new(file)).or_else(|error| match error.raw_os_error() {
            Some(code) if code == nix::errno::Errno::ENOEXEC as i32 => shell(&[file.as_os_str()]),
            _ => Err(error),
        }),
    }
}

/// Returns the file in which tested hooks answer.
fn answers(state_dir: &Path, number: u32) -> PathBuf {
    state_dir.join(format!("probe-{number}"))
}

/// Asks git where it looks for hooks, in this process's environment, which may contain settings that only git reads.
fn folder_of_git(dir: &Path) -> Option<PathBuf> {
    let printed = Command::new("git").args(["rev-parse", "--git-path", "hooks"]).current_dir(dir).output().ok()?;
    let path = printed.stdout.strip_suffix(b"\n").filter(|_| printed.status.success())?;
    Some(dir.join(OsStr::from_bytes(path)))
}

/// Returns whether two paths lead to the same folder.
fn is_same(a: &Path, b: &Path) -> bool {
    match (fs::canonicalize(a), fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}
