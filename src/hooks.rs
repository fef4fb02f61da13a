//! Installs, removes and inspects the git hooks that ring the doorbell.
//!
//! The shell block that is inserted into hooks, and rings, is the file `hooks/ring.sh`.
//!
//! Invariant: a hook that somebody else wrote is never moved, renamed or deleted, and nothing is changed that cannot be
//! restored byte for byte.

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
use crate::git::GitVersion;
use crate::workspace::write_atomically;
use anyhow::{Context as _, Result, bail, ensure};
pub use probe::{ProbeResult, answer_probe, probe};
use script::{Disabled, HookBlock};
use shim::FileState;
pub use state::{HookReport, HookState};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// The git hooks that ring.
///
/// Together they cover most commands that move a HEAD. A move that they miss is found at the next ring or command,
/// which compares every HEAD with the index.
pub const EVENTS: [&str; 5] = ["post-commit", "post-merge", "post-rewrite", "post-checkout", "post-applypatch"];

/// The first version of git that runs hooks named in its configuration.
const CONFIG_HOOKS_SINCE: GitVersion = (2, 54, 0);

/// Where the hooks of a repository are.
#[derive(Debug, Clone)]
pub struct HookSite {
    /// The folder in which git looks for hooks, with `core.hooksPath` resolved for this worktree; absolute.
    pub hooks_dir: PathBuf,
    /// The value of `core.hooksPath` as configured.
    pub hooks_path_setting: Option<String>,
    /// Whether patina may write to the folder. False if another tool owns it: through a global or system setting, or
    /// because it is a tracked folder of the worktree.
    pub hooks_path_is_ours_to_write: bool,
    /// The common git directory; absolute.
    pub common_dir: PathBuf,
    /// The state folder, usually `<common_dir>/patina`; absolute.
    pub state_dir: PathBuf,
    /// The version of the git that runs the hooks.
    pub git_version: GitVersion,
    /// The path of patina's executable, which the hooks call; absolute.
    pub program: PathBuf,
}

/// How hooks are installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// A block in the hook file, or git's configuration if patina must not change the file and git supports that.
    #[default]
    Auto,
    /// A block in the hook file only.
    Shim,
    /// Git's configuration only (git >= 2.54).
    Config,
}

/// Installs or renews the hooks, where that is allowed. Idempotent.
///
/// The reports say which hooks were left alone, and why.
///
/// # Errors
/// If hooks in git's configuration were requested and git does not support them, or if a file cannot be written. Hooks
/// installed before are kept.
pub fn install(site: &HookSite, method: Method) -> Result<Vec<HookReport>> {
    check(site)?;
    let can_configure = site.git_version >= CONFIG_HOOKS_SINCE;
    if method == Method::Config && !can_configure {
        let (major, minor, _) = site.git_version;
        bail!("git {major}.{minor} does not run hooks from its configuration (git 2.54 does): use --method shim");
    }
    fs::create_dir_all(&site.state_dir).with_context(|| format!("making {}", site.state_dir.display()))?;
    let config = site.common_dir.join("config");
    let sections = config::read(&config)?;
    let ours_to_write = why_not_writable(site).is_none();
    let mut folders = None;
    for event in EVENTS {
        let path = site.hooks_dir.join(event);
        let by_config = match method {
            Method::Config => true,
            Method::Shim => false,
            Method::Auto if !can_configure => false,
            // Hooks that are in the configuration already are kept there.
            Method::Auto => {
                sections.contains_key(event)
                    || !ours_to_write
                    || matches!(
                        shim::look(&path, &block_for_files(site), event)?,
                        FileState::Foreign(_) | FileState::NotExecutable
                    )
            }
        };
        // Only one of both is installed: ringing twice does no harm, but would be hard to explain.
        if by_config {
            config::install(&config, &block_for_config(site), event)?;
            shim::uninstall(&path)?;
        } else {
            if ours_to_write {
                let made = match folders {
                    Some(made) => made,
                    None => {
                        // The folder is recorded before it is written to, because uninstalling looks in every recorded
                        // folder.
                        add_hook_folder(site)?;
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
    // The file records failures of hooks that were installed before.
    remove_if_there(&missing_patina_file(site))?;
    status(site)
}

/// Removes everything that was installed, from this worktree's hooks folder and from all others that were written to.
///
/// # Errors
/// If a file cannot be written. Damaged hooks are not an error: they are kept, and the reports name them.
pub fn uninstall(site: &HookSite) -> Result<Vec<HookReport>> {
    check(site)?;
    let mut folders = known_hook_folders(site);
    folders.extend([site.hooks_dir.clone(), site.common_dir.join("hooks")]);
    for folder in folders {
        let mut made = 0;
        for path in EVENTS.into_iter().flat_map(|event| shim::hooks_of(&folder, event)) {
            made = made.max(shim::uninstall(&path)?);
        }
        shim::sweep(&folder, made);
    }
    config::uninstall(&site.common_dir.join("config"), &EVENTS)?;
    for leftover in [hook_folders_file(site), disabled_file(site), missing_patina_file(site)] {
        remove_if_there(&leftover)?;
    }
    status(site)
}

/// Reports the state of each hook. Reads only.
///
/// # Errors
/// If the hooks folder or git's configuration cannot be read.
pub fn status(site: &HookSite) -> Result<Vec<HookReport>> {
    check(site)?;
    let sections = config::read(&site.common_dir.join("config"))?;
    EVENTS.into_iter().map(|event| state::state_of(site, &sections, event)).collect()
}

/// Switches off the hooks, which stay installed but do not ring.
///
/// # Errors
/// If the state folder cannot be written to.
pub fn disable(site: &HookSite) -> Result<Vec<HookReport>> {
    fs::create_dir_all(&site.state_dir)
        .and_then(|()| fs::write(disabled_file(site), b""))
        .with_context(|| format!("writing {}", disabled_file(site).display()))?;
    status(site)
}

/// Switches the hooks on again.
///
/// # Errors
/// If the state folder cannot be written to.
pub fn enable(site: &HookSite) -> Result<Vec<HookReport>> {
    remove_if_there(&disabled_file(site))?;
    status(site)
}

/// Returns why patina must not write to the hooks folder, as the beginning of a sentence.
fn why_not_writable(site: &HookSite) -> Option<String> {
    // Without a trailing slash, which would make the system follow a symbolic link.
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

/// Returns the block that goes into hook files.
fn block_for_files(site: &HookSite) -> HookBlock {
    let beside = site.hooks_dir == site.common_dir.join("hooks") && site.state_dir == site.common_dir.join("patina");
    let disabled = if beside { Disabled::BesideHooks } else { Disabled::At(disabled_file(site)) };
    HookBlock { program: site.program.clone(), disabled }
}

/// Returns the block that goes into git's configuration.
fn block_for_config(site: &HookSite) -> HookBlock {
    HookBlock { program: site.program.clone(), disabled: Disabled::At(disabled_file(site)) }
}

/// Checks that the paths are absolute, and cannot be mistaken for patina's marks.
fn check(site: &HookSite) -> Result<()> {
    for path in [&site.hooks_dir, &site.common_dir, &site.state_dir, &site.program] {
        ensure!(path.is_absolute(), "{} is not an absolute path", path.display());
    }
    // A path may contain line ends, and so a line that looks like one of the marks.
    let text = script::render(&block_for_files(site), EVENTS[0], script::Notes::default());
    let whole = matches!(script::split(&text), Ok(Some(parts)) if parts.block == text);
    ensure!(whole, "{:?} contains a line that looks like patina's own marks", site.program);
    Ok(())
}

/// Returns the file whose existence switches off the hooks.
fn disabled_file(site: &HookSite) -> PathBuf {
    site.state_dir.join("disabled")
}

/// Returns the file that hooks write to if they find no patina to run.
pub fn missing_patina_file(site: &HookSite) -> PathBuf {
    site.common_dir.join("patina/missing_patina_file")
}

/// Returns the file that lists the hooks folders that were written to, since `core.hooksPath` may change.
fn hook_folders_file(site: &HookSite) -> PathBuf {
    site.state_dir.join("hook-folders")
}

/// Reads the list of hooks folders.
fn known_hook_folders(site: &HookSite) -> Vec<PathBuf> {
    let text = fs::read(hook_folders_file(site)).unwrap_or_default();
    text.split(|byte| *byte == 0)
        .filter(|path| !path.is_empty())
        .map(|path| PathBuf::from(OsStr::from_bytes(path)))
        .collect()
}

/// Adds the current hooks folder to the list.
fn add_hook_folder(site: &HookSite) -> Result<()> {
    let mut folders = known_hook_folders(site);
    if folders.contains(&site.hooks_dir) {
        return Ok(());
    }
    folders.push(site.hooks_dir.clone());
    let text: Vec<u8> = folders.iter().flat_map(|folder| [folder.as_os_str().as_bytes(), b"\0"].concat()).collect();
    write_atomically(&hook_folders_file(site), &text)
}

/// Removes a file if it exists.
fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}
