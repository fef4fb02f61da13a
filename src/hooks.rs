//! The doorbell in git: hooks that ring patina go in and come out, and whoever asks is told where they are. Refusal: a
//! hook that somebody else wrote is never moved, renamed or deleted, and what cannot be restored byte for byte is not
//! touched. Ringing itself is not here: the block that goes into a hook is the file `hooks/ring.sh`.

pub mod agents;
mod config;
mod language;
mod probe;
mod script;
mod shim;
mod state;
#[cfg(test)]
mod tests;

use crate::fail;
use crate::workspace::write_atomically;
use anyhow::{Context as _, Result, bail, ensure};
pub use probe::{Tried, answer, probe};
use script::{Block, Disabled};
use shim::Look;
pub use state::{HookState, State};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// What rings. Together they see most that moves a HEAD; what they miss, the next ring or command finds by comparing.
pub const EVENTS: [&str; 5] = ["post-commit", "post-merge", "post-rewrite", "post-checkout", "post-applypatch"];

/// From here on git runs hooks named in its configuration.
const CONFIG_HOOKS_SINCE: (u32, u32, u32) = (2, 54, 0);

/// Where the hooks of one repository are, as plain facts.
#[derive(Debug, Clone)]
pub struct Site {
    /// Where git looks now, `core.hooksPath` resolved for this worktree. Absolute.
    pub hooks_dir: PathBuf,
    /// `core.hooksPath` as configured.
    pub hooks_path_setting: Option<String>,
    /// False where another tool owns the folder: a global or system setting, or a tracked folder of the work tree.
    pub hooks_path_is_ours_to_write: bool,
    /// The common git directory. Absolute.
    pub common_dir: PathBuf,
    /// Where patina keeps its state, mostly `<common_dir>/patina`. Absolute.
    pub state_dir: PathBuf,
    /// The version of the git that will run the hooks.
    pub git_version: (u32, u32, u32),
    /// The patina that hooks call. Absolute.
    pub program: PathBuf,
}

/// How hooks are installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// A block in the hook file; the configuration where the file is not ours to change and git can do it.
    #[default]
    Auto,
    /// Only a block in the hook file.
    Shim,
    /// Only the configuration (git >= 2.54).
    Config,
}

/// Installs or renews the hooks that may be; the states say what was left alone and why. Twice equals once.
///
/// # Errors
/// When git has no config hooks and they were asked for, or a file cannot be written; hooks done before stay.
pub fn install(site: &Site, method: Method) -> Result<Vec<HookState>> {
    check(site)?;
    let can_configure = site.git_version >= CONFIG_HOOKS_SINCE;
    if method == Method::Config && !can_configure {
        let (major, minor, _) = site.git_version;
        bail!("git {major}.{minor} has no hooks in its configuration (git 2.54 has): use --method shim");
    }
    fs::create_dir_all(&site.state_dir).with_context(|| format!("making {}", site.state_dir.display()))?;
    let config = site.common_dir.join("config");
    let sections = config::read(&config)?;
    let ours_to_write = why_not_ours(site).is_none();
    let mut folders = None;
    for event in EVENTS {
        let path = site.hooks_dir.join(event);
        let by_config = match method {
            Method::Config => true,
            Method::Shim => false,
            Method::Auto if !can_configure => false,
            // What is in the configuration already stays there.
            Method::Auto => {
                sections.contains_key(event)
                    || !ours_to_write
                    || matches!(
                        shim::look(&path, &block_for_files(site), event)?,
                        Look::Foreign(_) | Look::NotExecutable
                    )
            }
        };
        // One of both: a hook that rings twice is no harm, but nobody would find out why.
        if by_config {
            config::install(&config, &block_for_config(site), event)?;
            shim::uninstall(&path)?;
        } else {
            if ours_to_write {
                let made = match folders {
                    Some(made) => made,
                    None => {
                        // Before anything is in it: what is taken out is looked for in every folder that is known.
                        remember(site)?;
                        *folders.insert(shim::make_folder(&site.hooks_dir)?)
                    }
                };
                shim::install(&path, &block_for_files(site), event, made)?;
            }
            if sections.contains_key(event) {
                config::uninstall(&config, &[event])?;
            }
        }
    }
    fail::point("hooks placed")?;
    // What hooks could not find is told of the ones before.
    remove_if_there(&crumbs(site))?;
    status(site)
}

/// Takes out everything that was installed, in this worktree's hooks folder and in all others where it was.
///
/// # Errors
/// When a file cannot be written; damaged hooks are no error, they stay and the states name them.
pub fn uninstall(site: &Site) -> Result<Vec<HookState>> {
    check(site)?;
    let mut folders = remembered(site);
    folders.extend([site.hooks_dir.clone(), site.common_dir.join("hooks")]);
    for folder in folders {
        let mut made = 0;
        for path in EVENTS.into_iter().flat_map(|event| shim::hooks_of(&folder, event)) {
            made = made.max(shim::uninstall(&path)?);
        }
        shim::sweep(&folder, made);
    }
    config::uninstall(&site.common_dir.join("config"), &EVENTS)?;
    for leftover in [memory(site), switch(site), crumbs(site)] {
        remove_if_there(&leftover)?;
    }
    status(site)
}

/// How the hooks stand, by event. Reads only.
///
/// # Errors
/// When a hook's folder or git's configuration cannot be read.
pub fn status(site: &Site) -> Result<Vec<HookState>> {
    check(site)?;
    let sections = config::read(&site.common_dir.join("config"))?;
    EVENTS.into_iter().map(|event| state::state_of(site, &sections, event)).collect()
}

/// Switches the hooks off: they stay where they are and do not ring.
///
/// # Errors
/// When the state folder cannot be written.
pub fn disable(site: &Site) -> Result<Vec<HookState>> {
    fs::create_dir_all(&site.state_dir)
        .and_then(|()| fs::write(switch(site), b""))
        .with_context(|| format!("writing {}", switch(site).display()))?;
    status(site)
}

/// Switches them on again.
///
/// # Errors
/// When the state folder cannot be written.
pub fn enable(site: &Site) -> Result<Vec<HookState>> {
    remove_if_there(&switch(site))?;
    status(site)
}

/// Why the hooks folder must not be written to, in words that begin a sentence.
fn why_not_ours(site: &Site) -> Option<String> {
    // Without a trailing slash, which would make the system look through a link.
    let folder: PathBuf = site.hooks_dir.components().collect();
    let setting = site.hooks_path_setting.as_deref();
    if !site.hooks_path_is_ours_to_write {
        let setting = setting.unwrap_or("the hooks folder");
        return Some(format!("core.hooksPath ({setting}) belongs to another tool"));
    }
    match fs::symlink_metadata(&folder) {
        Ok(meta) if meta.is_symlink() => Some(format!("{} is a symbolic link", folder.display())),
        Ok(meta) if !meta.is_dir() => Some(format!("{} is not a folder", folder.display())),
        _ => None,
    }
}

fn block_for_files(site: &Site) -> Block {
    let beside = site.hooks_dir == site.common_dir.join("hooks") && site.state_dir == site.common_dir.join("patina");
    let disabled = if beside { Disabled::BesideHooks } else { Disabled::At(switch(site)) };
    Block { program: site.program.clone(), disabled }
}

fn block_for_config(site: &Site) -> Block {
    Block { program: site.program.clone(), disabled: Disabled::At(switch(site)) }
}

fn check(site: &Site) -> Result<()> {
    for path in [&site.hooks_dir, &site.common_dir, &site.state_dir, &site.program] {
        ensure!(path.is_absolute(), "{} is not an absolute path", path.display());
    }
    // A path may hold line ends, and with them a line that looks like one of the marks.
    let text = script::render(&block_for_files(site), EVENTS[0], script::Notes::default());
    let whole = matches!(script::split(&text), Ok(Some(parts)) if parts.block == text);
    ensure!(whole, "{:?} holds a line that looks like patina's own marks", site.program);
    Ok(())
}

/// The file that switches the hooks off.
fn switch(site: &Site) -> PathBuf {
    site.state_dir.join("disabled")
}

/// What hooks leave that find no patina.
pub fn crumbs(site: &Site) -> PathBuf {
    site.common_dir.join("patina/crumbs")
}

/// The hooks folders that were written to, as `core.hooksPath` may name another one tomorrow.
fn memory(site: &Site) -> PathBuf {
    site.state_dir.join("hook-folders")
}

fn remembered(site: &Site) -> Vec<PathBuf> {
    let text = fs::read(memory(site)).unwrap_or_default();
    text.split(|byte| *byte == 0)
        .filter(|path| !path.is_empty())
        .map(|path| PathBuf::from(OsStr::from_bytes(path)))
        .collect()
}

fn remember(site: &Site) -> Result<()> {
    let mut folders = remembered(site);
    if folders.contains(&site.hooks_dir) {
        return Ok(());
    }
    folders.push(site.hooks_dir.clone());
    let text: Vec<u8> = folders.iter().flat_map(|folder| [folder.as_os_str().as_bytes(), b"\0"].concat()).collect();
    write_atomically(&memory(site), &text)
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}
