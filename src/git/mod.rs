//! Reads the repository: worktrees, commits, trees, blobs, mailmap, hooks path.
//!
//! Invariants: only this module uses gix; nothing here writes to the repository or follows replace refs; only
//! `porcelain` runs the git binary.

mod blame;
mod blobs;
mod diff;
mod history;
mod hooks_path;
mod lines;
mod open;
mod porcelain;
mod time;
mod worktree;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
pub use gix::ObjectId;

pub use blame::{Blame, BlameCommit, LineHistory, LineOrigin, RevertedCommit};
pub use blobs::{Blob, Mailmap, TreeFile};
pub use diff::{DiffSide, RawChange};
pub use history::{RawCommit, ReadSummary, Recorded};
pub use hooks_path::{HooksPath, hooks_path};
pub use porcelain::{GitVersion, clear_git_environment, git_command, git_version, is_ignored, is_tracked};
pub use time::{day, iso_date, minute, parse_day, unix_now};
pub use worktree::{Head, Worktree};

/// An open repository.
///
/// Another thread gets a handle of its own through [`Repository::shared`].
pub struct Repository {
    gix: gix::Repository,
    trees: diff::TreeCache,
}

impl Repository {
    /// Returns the same handle with a pack cache, for comparing many trees.
    ///
    /// Successive trees are stored as deltas of each other, so the cache saves decoding the base of the next one.
    fn with_pack_cache(mut self) -> Self {
        self.gix.objects.set_pack_cache(|| Box::new(gix::odb::pack::cache::lru::MemoryCappedHashmap::new(PACK_CACHE)));
        self
    }

    /// Returns a handle from which other threads can open their own.
    pub fn shared(&self) -> SharedRepository {
        SharedRepository(self.gix.clone().into_sync())
    }

    /// Returns the common git directory of all worktrees, absolute.
    pub fn common_dir(&self) -> Result<PathBuf> {
        let dir = self.gix.common_dir();
        std::fs::canonicalize(dir).with_context(|| format!("reading {}", dir.display()))
    }

    /// Returns the folder of this handle's worktree; `None` for a bare repository.
    pub fn worktree_path(&self) -> Option<&Path> {
        self.gix.workdir()
    }

    /// Converts an absolute path to one relative to the top of the worktree, also through symbolic links; `None` if it
    /// is outside.
    pub fn path_in_worktree(&self, path: &Path) -> Option<PathBuf> {
        let top = self.worktree_path()?;
        let real = std::fs::canonicalize(top).ok()?;
        if let Some(inside) = [top, &real].into_iter().find_map(|top| path.strip_prefix(top).ok()) {
            return Some(inside.to_path_buf());
        }
        if !path.is_absolute() {
            return None;
        }
        if std::fs::canonicalize(path).is_ok_and(|path| path == real) {
            return Some(PathBuf::new());
        }
        // The last component may be a link itself; then the link is meant, and not its target.
        let folder = std::fs::canonicalize(path.parent()?).ok()?;
        Some(folder.strip_prefix(&real).ok()?.join(path.file_name()?))
    }

    /// Returns the folder inside the worktree that this handle was opened from, relative to the worktree's top.
    pub fn prefix(&self) -> Option<PathBuf> {
        self.gix.prefix().ok().flatten().map(Path::to_path_buf)
    }

    /// Resolves a name such as `HEAD~3` or an abbreviated id to a commit.
    pub fn resolve_commit(&self, name: &str) -> Option<ObjectId> {
        self.gix
            .rev_parse_single(name)
            .ok()?
            .object()
            .ok()?
            .peel_to_kind(gix::object::Kind::Commit)
            .ok()
            .map(|object| object.id)
    }

    /// Returns the tree of a commit; `None` if the commit is missing.
    pub fn tree_of(&self, commit: ObjectId) -> Option<ObjectId> {
        let object = self.gix.try_find_object(commit).ok()??;
        let tree = object.try_into_commit().ok()?.tree_id().ok()?.detach();
        Some(tree)
    }

    /// Returns the day on which a commit was written, in its author's time zone, as `git log --date=short` prints it;
    /// `None` if the commit cannot be read.
    pub fn author_day(&self, sha: &str) -> Option<String> {
        self.author_time(sha)?.format(gix::date::time::format::SHORT).ok()
    }

    /// Returns the date at which a commit was written, as `git log --date=iso-strict` prints it; `None` if the commit
    /// cannot be read.
    pub fn author_date(&self, sha: &str) -> Option<String> {
        time::iso_strict(self.author_time(sha)?)
    }

    fn author_time(&self, sha: &str) -> Option<gix::date::Time> {
        let id = ObjectId::from_hex(sha.as_bytes()).ok()?;
        let commit = self.gix.try_find_object(id).ok()??.try_into_commit().ok()?;
        commit.author().ok()?.time().ok()
    }

    /// Returns whether an object is in the object database.
    pub fn has_object(&self, id: ObjectId) -> bool {
        self.gix.has_object(id)
    }

    /// Returns whether other users may write to the repository too, by `core.sharedRepository`.
    pub fn is_shared(&self) -> bool {
        let shared = self.gix.config_snapshot().string("core.sharedRepository");
        let is_no = |shared: &[u8]| {
            [&b"false"[..], b"no", b"off", b"0", b"umask"].iter().any(|no| shared.eq_ignore_ascii_case(no))
        };
        shared.is_some_and(|shared| !is_no(&shared))
    }

    /// Returns the name of the branch that HEAD is on; `None` if it is detached.
    pub fn branch(&self) -> Option<String> {
        self.gix.head_name().ok().flatten().map(|name| crate::event::encode_path(name.shorten()))
    }
}

/// A repository handle that can be sent to another thread.
pub struct SharedRepository(gix::ThreadSafeRepository);

impl SharedRepository {
    /// Opens a handle for the current thread.
    pub fn open(&self) -> Repository {
        Repository { gix: self.0.to_thread_local(), trees: diff::TreeCache::default() }
    }
}

/// The size of a thread's cache of decoded deltas, in bytes.
const PACK_CACHE: usize = 24 << 20;

/// The hash function that most repositories use.
#[cfg(test)]
pub fn sha1() -> gix::hash::Kind {
    gix::hash::Kind::Sha1
}
