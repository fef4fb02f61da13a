//! Whether hooks reach patina, found out by running them. Refusal: nothing of a hook runs that stands below our block,
//! so a hook without one is not run at all; and nothing rings.

use super::config::{self, Section};
use super::script::{self, PROBE};
use super::shim::{self, Look};
use super::{CONFIG_HOOKS_SINCE, EVENTS, Site, block_for_files, switch};
use anyhow::{Context as _, Result};
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What came of running one hook.
#[derive(Debug, Clone)]
pub struct Tried {
    /// git's name of the hook.
    pub event: &'static str,
    /// Why it does not reach patina, in words that go on after its name; none where it does.
    pub failure: Option<String>,
}

/// What every system has on its PATH; graphical clients have no more.
const BARE_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/// How long a hook may take that is tried: it waits for the patina that it starts, which takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs every installed hook as git would, `dir` being the top of the worktree or the bare repository. Hooks that are
/// switched off, not there or somebody else's are left out.
///
/// # Errors
/// When the state folder cannot be written, or git's configuration not be read.
pub fn probe(site: &Site, dir: &Path) -> Result<Vec<Tried>> {
    let mut tried = Vec::new();
    if switch(site).exists() {
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
            Some(Section { switched_off: false, command }) => hooks.push((event, Hook::Command(command.clone()))),
            Some(_) => {}
            None => match (file_to_try(site, event)?, &elsewhere) {
                (None, _) => {}
                (Some(_), Some(folder)) => {
                    let words = format!("is in {}, and git looks in {}", site.hooks_dir.display(), folder.display());
                    tried.push(Tried { event, failure: Some(words) });
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
            (_, true, _) => Some("finds patina on your PATH alone, which graphical clients do not have"),
            (.., true) => Some("does not reach patina: something ends it before, or the patina it names is gone"),
            _ => Some("finds no patina"),
        };
        tried.push(Tried { event, failure: failure.map(str::to_owned) });
    }
    Ok(tried)
}

/// Whether one command line reaches patina.
pub(super) fn reaches(state_dir: &Path, dir: &Path, event: &'static str, command: &[u8]) -> Result<bool> {
    let hooks = [(event, Hook::Command(command.to_vec()))];
    Ok(!reached(state_dir, dir, &hooks, Some(BARE_PATH))?.is_empty())
}

/// What a patina does that a tried hook has reached: it says so where it would have rung. True if it was tried.
pub fn answer(state_dir: impl FnOnce() -> Option<PathBuf>, event: &str) -> bool {
    let Some(number) = std::env::var_os(PROBE).filter(|number| !number.is_empty()) else { return false };
    // A number, so that the variable cannot name any other file; and one that is there, so that nothing is made.
    let number = number.to_str().and_then(|number| number.parse::<u32>().ok());
    if let Some(path) = number.zip(state_dir()).map(|(number, dir)| answers(&dir, number)) {
        let file = fs::OpenOptions::new().append(true).open(path);
        let _ = file.and_then(|mut file| file.write_all(format!("{event}\n").as_bytes()));
    }
    true
}

/// What git would run.
#[derive(Clone)]
enum Hook {
    File(PathBuf),
    Command(Vec<u8>),
}

/// The hook file, if it holds a block that stops after itself.
fn file_to_try(site: &Site, event: &str) -> Result<Option<PathBuf>> {
    let path = site.hooks_dir.join(event);
    if !matches!(shim::look(&path, &block_for_files(site), event)?, Look::Current | Look::Outdated) {
        return Ok(None);
    }
    let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    let can_be_tried = matches!(script::split(&text), Ok(Some(parts)) if script::can_be_tried(parts.block));
    Ok(can_be_tried.then_some(path))
}

/// Runs hooks, side by side, and says which of them reached a patina.
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
        // One that is over already cannot be stopped, and needs not be.
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
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_bytes().starts_with(b"GIT_")) {
            command.env_remove(name);
        }
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
        // A script without a first line that names its shell is run by one.
        Hook::File(file) => spawn(Command::new(file)).or_else(|error| match error.raw_os_error() {
            Some(code) if code == nix::errno::Errno::ENOEXEC as i32 => shell(&[file.as_os_str()]),
            _ => Err(error),
        }),
    }
}

fn answers(state_dir: &Path, number: u32) -> PathBuf {
    state_dir.join(format!("probe-{number}"))
}

/// Where git itself looks for hooks, in this very environment: it may hold settings that only git reads.
fn folder_of_git(dir: &Path) -> Option<PathBuf> {
    let printed = Command::new("git").args(["rev-parse", "--git-path", "hooks"]).current_dir(dir).output().ok()?;
    let path = printed.stdout.strip_suffix(b"\n").filter(|_| printed.status.success())?;
    Some(dir.join(OsStr::from_bytes(path)))
}

fn is_same(a: &Path, b: &Path) -> bool {
    match (fs::canonicalize(a), fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}
