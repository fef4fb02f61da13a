//! Inspects, writes and restores hook files on disk.
//!
//! Invariant: no file is written through a link, and only files that contain nothing but patina's own lines are
//! deleted.

use super::language;
use super::script::{self, HookBlock, Notes};
use crate::fail;
use anyhow::{Context as _, Result};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The prefix of temporary files. Those that a crash left behind are removed by an uninstallation.
const TEMPORARY: &str = ".patina-hook-";

/// The state of the file at a hook's path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FileState {
    Missing,
    /// Patina's block, as it would be written today.
    Current,
    /// Patina's block, with another executable's path or from an older version.
    Outdated,
    /// A shell script without a block, into which one may be inserted.
    Free,
    /// A script with a ringing line that the user wrote.
    ByHand,
    /// A hook to leave alone, with the reason as the end of the sentence "the hook is ...".
    Foreign(&'static str),
    /// A hook that git does not run; it is not changed.
    NotExecutable,
    /// A hook with damaged marks, with a description of the damage.
    Damaged(&'static str),
}

/// Inspects a hook. Reads only.
pub(super) fn look(path: &Path, block: &HookBlock, event: &str) -> Result<FileState> {
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if is_absent(&error) => return Ok(FileState::Missing),
        Err(error) => return Err(error).with_context(|| format!("looking at {}", path.display())),
    };
    if meta.is_symlink() {
        return Ok(if rings_by_hand(&fs::read(path).unwrap_or_default(), event) {
            FileState::ByHand
        } else {
            FileState::Foreign("a symbolic link")
        });
    }
    if !meta.is_file() {
        return Ok(FileState::Foreign("not a file"));
    }
    let Ok(text) = fs::read(path) else {
        return Ok(FileState::Foreign("not readable"));
    };
    match script::split(&text) {
        Err(damage) => return Ok(FileState::Damaged(damage)),
        Ok(Some(_)) if !is_executable(path) => return Ok(FileState::NotExecutable),
        Ok(Some(parts)) if parts.block == script::render(block, event, script::notes(parts.block)) => {
            return Ok(FileState::Current);
        }
        Ok(Some(_)) => return Ok(FileState::Outdated),
        Ok(None) => {}
    }
    if rings_by_hand(&text, event) {
        return Ok(FileState::ByHand);
    }
    if let Some(reason) = language::why_foreign(&text) {
        return Ok(FileState::Foreign(reason));
    }
    if meta.nlink() > 1 {
        // Replacing the file would separate it from its other hard links, which could not be undone.
        return Ok(FileState::Foreign("a hard link to a file elsewhere"));
    }
    if !is_executable(path) {
        return Ok(FileState::NotExecutable);
    }
    Ok(FileState::Free)
}

/// Returns whether the user has written the ringing line into a hook.
fn rings_by_hand(text: &[u8], event: &str) -> bool {
    let rings = format!("hook ring {event}");
    text.windows(rings.len()).any(|window| window == rings.as_bytes())
}

/// Returns whether git would run a hook file.
fn is_executable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

/// Returns the hook of an event, and its renamed copies.
///
/// Other tools rename an existing hook to `post-commit.old` or `post-commit.legacy`, with patina's block in it, and may
/// continue to run it.
pub(super) fn hooks_of(folder: &Path, event: &str) -> Vec<PathBuf> {
    let renamed = format!("{event}.");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let others = entries.filter(|entry| entry.file_name().as_bytes().starts_with(renamed.as_bytes()));
    std::iter::once(folder.join(event)).chain(others.map(|entry| entry.path())).collect()
}

/// Inserts the block into a hook, if that is allowed. `folders` is the number of folders that were just created for it.
pub(super) fn install(path: &Path, block: &HookBlock, event: &str, folders: usize) -> Result<()> {
    let render = |notes: Notes| script::render(block, event, notes);
    match look(path, block, event)? {
        FileState::Missing => {
            let notes = Notes { created: true, folders, newline_added: false };
            write(path, &[script::OWN_SHEBANG, &render(notes)].concat(), None)
        }
        FileState::Free => {
            let text = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            write(path, &script::insert(&text, render), Some(&fs::metadata(path)?))
        }
        FileState::Outdated => {
            let text = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            match script::split(&text) {
                Ok(Some(parts)) => {
                    let text = parts.with(&render(script::notes(parts.block)));
                    write(path, &text, Some(&fs::metadata(path)?))
                }
                _ => Ok(()), // It was changed meanwhile; the state reported afterwards says how.
            }
        }
        FileState::Current
        | FileState::ByHand
        | FileState::Foreign(_)
        | FileState::NotExecutable
        | FileState::Damaged(_) => Ok(()),
    }
}

/// Removes the block from a hook. Returns the number of folders that were created for it.
pub(super) fn uninstall(path: &Path) -> Result<usize> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_file() => {}
        _ => return Ok(0),
    }
    let Ok(text) = fs::read(path) else {
        return Ok(0);
    };
    let Ok(Some(parts)) = script::split(&text) else {
        return Ok(0);
    };
    match parts.without() {
        Some(rest) => write(path, &rest, Some(&fs::metadata(path)?))?,
        None => fs::remove_file(path).with_context(|| format!("removing {}", path.display()))?,
    }
    Ok(script::notes(parts.block).folders)
}

/// Creates the hooks folder. Returns the number of folders created.
pub(super) fn make_folder(folder: &Path) -> Result<usize> {
    let missing = folder.ancestors().take_while(|path| !path.exists()).count();
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(missing)
}

/// Removes the folders that an installation created, if they are empty, and temporary files that a crash left in the
/// innermost one.
pub(super) fn sweep(folder: &Path, folders: usize) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            // Nothing depends on it, so a failure does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
    for folder in folder.ancestors().take(folders) {
        if fs::remove_dir(folder).is_err() {
            break; // It contains other files.
        }
    }
}

/// Replaces a file atomically, with the mode and owner of `like`.
pub(super) fn write(path: &Path, text: &[u8], like: Option<&fs::Metadata>) -> Result<()> {
    let temporary = temporary_beside(path);
    write_as(&temporary, text, like)
        .and_then(|()| Ok(fail::point("hook written")?))
        .and_then(|()| Ok(fs::rename(&temporary, path)?))
        .inspect_err(|_| drop(fs::remove_file(&temporary)))
        .with_context(|| format!("writing {}", path.display()))?;
    if let Some(folder) = path.parent() {
        // The rename is stored in the folder's own blocks. Some file systems cannot sync a folder, but the content is
        // safe in any case.
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

/// Creates a file with this text, synced to disk.
pub(super) fn write_as(path: &Path, text: &[u8], like: Option<&fs::Metadata>) -> Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text)?;
    let mode = like.map_or(0o755, |like| like.mode() & 0o7777);
    if let Some(like) = like {
        // Only root may change the owner; for others it is already right, or cannot be kept.
        let _ = std::os::unix::fs::fchown(&file, Some(like.uid()), Some(like.gid()));
    }
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.sync_all()?;
    Ok(())
}

/// Returns a path for a temporary file beside a hook.
fn temporary_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{TEMPORARY}{name}-{}", std::process::id()))
}

/// Returns whether an error means that the file does not exist.
fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
