//! Hook files on disk: looked at, written, restored. Refusal: no file is written through a link, and none is moved,
//! renamed or deleted but those that hold nothing but our own lines.

use super::language;
use super::script::{self, Block, Notes};
use crate::fail;
use anyhow::{Context as _, Result};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// How the name of a file begins that is being written; what a crash left behind is swept at uninstall.
const TEMPORARY: &str = ".patina-hook-";

/// What stands at a hook's path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    Missing,
    /// Our block is there, and is what we would write today.
    Current,
    /// Our block is there with another program's path or of an older patina.
    Outdated,
    /// A shell script that the block may go into.
    Free,
    /// Somebody has written the line that rings by hand.
    ByHand,
    /// Why it is left alone, in words that continue "the hook is ...".
    Foreign(&'static str),
    /// git does not run it, and so it stays as it is.
    NotExecutable,
    /// What is wrong with the marks.
    Damaged(&'static str),
}

/// Looks at one hook. Reads only.
pub(super) fn look(path: &Path, block: &Block, event: &str) -> Result<Look> {
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if is_absent(&error) => return Ok(Look::Missing),
        Err(error) => return Err(error).with_context(|| format!("looking at {}", path.display())),
    };
    if meta.is_symlink() {
        return Ok(if rings_by_hand(&fs::read(path).unwrap_or_default(), event) {
            Look::ByHand
        } else {
            Look::Foreign("a symbolic link")
        });
    }
    if !meta.is_file() {
        return Ok(Look::Foreign("not a file"));
    }
    let Ok(text) = fs::read(path) else {
        return Ok(Look::Foreign("not readable"));
    };
    match script::split(&text) {
        Err(damage) => return Ok(Look::Damaged(damage)),
        Ok(Some(_)) if !is_executable(path) => return Ok(Look::NotExecutable),
        Ok(Some(parts)) if parts.block == script::render(block, event, script::notes(parts.block)) => {
            return Ok(Look::Current);
        }
        Ok(Some(_)) => return Ok(Look::Outdated),
        Ok(None) => {}
    }
    if rings_by_hand(&text, event) {
        return Ok(Look::ByHand);
    }
    if let Some(reason) = language::why_foreign(&text) {
        return Ok(Look::Foreign(reason));
    }
    if meta.nlink() > 1 {
        // A file put in its place would be cut off from the other names, which nothing could restore.
        return Ok(Look::Foreign("a hard link to a file elsewhere"));
    }
    if !is_executable(path) {
        return Ok(Look::NotExecutable);
    }
    Ok(Look::Free)
}

/// Whether somebody has written the line into a hook that we leave alone.
fn rings_by_hand(text: &[u8], event: &str) -> bool {
    let rings = format!("hook ring {event}");
    text.windows(rings.len()).any(|window| window == rings.as_bytes())
}

/// Whether git would run it.
fn is_executable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

/// The hook of an event, and what other tools made of it when they took its place: they rename the hook that they
/// find to `post-commit.old` or `post-commit.legacy`, with our block in it, and may go on running it.
pub(super) fn hooks_of(folder: &Path, event: &str) -> Vec<PathBuf> {
    let renamed = format!("{event}.");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let others = entries.filter(|entry| entry.file_name().as_bytes().starts_with(renamed.as_bytes()));
    std::iter::once(folder.join(event)).chain(others.map(|entry| entry.path())).collect()
}

/// Puts the block into the hook if it may be there; all else is left as it is. `folders`: made for it just now.
pub(super) fn install(path: &Path, block: &Block, event: &str, folders: usize) -> Result<()> {
    let render = |notes: Notes| script::render(block, event, notes);
    match look(path, block, event)? {
        Look::Missing => {
            let notes = Notes { created: true, folders, newline_added: false };
            write(path, &[script::OWN_SHEBANG, &render(notes)].concat(), None)
        }
        Look::Free => {
            let text = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            write(path, &script::insert(&text, render), Some(&fs::metadata(path)?))
        }
        Look::Outdated => {
            let text = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            match script::split(&text) {
                Ok(Some(parts)) => {
                    let text = parts.with(&render(script::notes(parts.block)));
                    write(path, &text, Some(&fs::metadata(path)?))
                }
                _ => Ok(()), // Changed under our hands; the state that is reported afterwards says how.
            }
        }
        Look::Current | Look::ByHand | Look::Foreign(_) | Look::NotExecutable | Look::Damaged(_) => Ok(()),
    }
}

/// Takes the block out of the hook. Returns how many folders had been made for it.
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

/// Makes the hooks folder. Returns how many folders had to be made.
pub(super) fn make_folder(folder: &Path) -> Result<usize> {
    let missing = folder.ancestors().take_while(|path| !path.exists()).count();
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(missing)
}

/// Removes the folders that an installation made, as far as they are empty, and what a crash left in the innermost.
pub(super) fn sweep(folder: &Path, folders: usize) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            // Nothing leans on it, so a failure costs no more than the file.
            let _ = fs::remove_file(entry.path());
        }
    }
    for folder in folder.ancestors().take(folders) {
        if fs::remove_dir(folder).is_err() {
            break; // Somebody else's files are in it.
        }
    }
}

/// Writes beside the file and renames, so that a crash leaves the old text or the new. Keeps mode and owner of `like`.
pub(super) fn write(path: &Path, text: &[u8], like: Option<&fs::Metadata>) -> Result<()> {
    let temporary = temporary_beside(path);
    write_as(&temporary, text, like)
        .and_then(|()| Ok(fail::point("hook written")?))
        .and_then(|()| Ok(fs::rename(&temporary, path)?))
        .inspect_err(|_| drop(fs::remove_file(&temporary)))
        .with_context(|| format!("writing {}", path.display()))?;
    if let Some(folder) = path.parent() {
        // The rename is in the folder's own blocks. Some file systems cannot sync a folder; the text is safe anyway.
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

/// A new file at `path`, on disk when this returns.
pub(super) fn write_as(path: &Path, text: &[u8], like: Option<&fs::Metadata>) -> Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text)?;
    let mode = like.map_or(0o755, |like| like.mode() & 0o7777);
    if let Some(like) = like {
        // Only root may give files away; for all others the owner is right already or cannot be kept.
        let _ = std::os::unix::fs::fchown(&file, Some(like.uid()), Some(like.gid()));
    }
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.sync_all()?;
    Ok(())
}

fn temporary_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{TEMPORARY}{name}-{}", std::process::id()))
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
