//! The worktrees of a repository, and the commits that their HEADs point to.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use gix::ObjectId;

use super::Repository;
use super::open::chain;
use crate::error::{Exit, UserError};

/// A worktree, or the bare repository itself, and its HEAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worktree {
    /// The name of its folder under `worktrees/`; empty for the main worktree.
    pub name: String,
    /// The git directory with its HEAD and index.
    pub git_dir: PathBuf,
    /// The folder with its files; `None` for a bare repository.
    pub path: Option<PathBuf>,
    /// The commit at HEAD; `None` while HEAD is unborn or its commit is missing.
    pub head: Option<Head>,
}

/// The commit that a HEAD points to, and its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The id of the commit.
    pub commit: ObjectId,
    /// The id of its tree.
    pub tree: ObjectId,
    /// The committer time, in Unix seconds.
    pub time: i64,
}

impl Worktree {
    /// Returns whether git is in the middle of a command that makes many commits, such as a rebase.
    pub fn is_busy(&self) -> bool {
        self.has_any(&["rebase-merge", "rebase-apply", "sequencer"])
    }

    /// Returns whether an operation is in progress that the user has to finish, such as a merge or a rebase, after
    /// which HEAD will move again.
    pub fn is_under_way(&self) -> bool {
        self.is_busy() || self.has_any(&["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "BISECT_LOG"])
    }

    /// Returns whether any of these files exists in the git directory.
    fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.git_dir.join(name).exists())
    }
}

impl Repository {
    /// Returns the name of the worktree that this handle was opened in, as in [`Worktree::name`].
    pub fn worktree_name(&self) -> Result<String> {
        let git_dir = std::fs::canonicalize(self.gix.git_dir())?;
        let common = self.common_dir()?;
        Ok(name_below(&common, &git_dir))
    }

    /// Returns the HEAD of this handle's worktree; `None` while it is unborn.
    pub fn head(&self) -> Result<Option<Head>> {
        head_of(&self.gix)
    }

    /// Lists every worktree whose folder exists, the main one first, the others by name.
    pub fn worktrees(&self) -> Result<Vec<Worktree>> {
        let main = self.gix.main_repo().map_err(|error| anyhow!("opening the main worktree: {error}"))?;
        let mut all = vec![worktree(&main, String::new())?];
        let mut linked = Vec::new();
        for proxy in self.gix.worktrees().map_err(|error| anyhow!("listing the worktrees: {error}"))? {
            if proxy.is_prunable() {
                continue;
            }
            let name = proxy.id().map(|id| crate::event::encode_path(id)).unwrap_or_default();
            // A worktree on an unmounted disk, or an incomplete one, is skipped for now.
            let Ok(repository) = proxy.into_repo_with_possibly_inaccessible_worktree() else { continue };
            match worktree(&repository, name) {
                Ok(worktree) => linked.push(worktree),
                // A damaged worktree must not keep the others from being indexed.
                Err(error) => tracing::warn!(error = format!("{error:#}"), "a worktree cannot be read and is skipped"),
            }
        }
        linked.sort_by(|a, b| a.name.cmp(&b.name));
        all.extend(linked);
        Ok(all)
    }
}

/// Returns the name of a worktree from its git directory; empty for the main one.
fn name_below(common: &Path, git_dir: &Path) -> String {
    git_dir
        .strip_prefix(common.join("worktrees"))
        .map(|name| crate::event::encode_path(name.as_os_str().as_encoded_bytes()))
        .unwrap_or_default()
}

/// Describes an opened worktree.
fn worktree(gix: &gix::Repository, name: String) -> Result<Worktree> {
    let git_dir = std::fs::canonicalize(gix.git_dir()).unwrap_or_else(|_| gix.git_dir().to_path_buf());
    Ok(Worktree { name, git_dir, path: gix.workdir().map(Path::to_path_buf), head: head_of(gix)? })
}

/// Reads HEAD; `None` while it is unborn or its commit is missing.
fn head_of(gix: &gix::Repository) -> Result<Option<Head>> {
    let damaged = |error: gix::Error| {
        UserError::new(Exit::Failed, format!("HEAD of {} cannot be read: {}", gix.git_dir().display(), chain(&error)))
            .hint("run `git fsck` to see what is damaged; patina continues once `git log` works again")
    };
    let mut head = gix.head().map_err(damaged)?;
    let Some(id) = head.try_peel_to_id().map_err(damaged)?.map(gix::Id::detach) else {
        return Ok(None);
    };
    let Some(object) = gix.try_find_object(id).map_err(|error| anyhow!("reading {id}: {error}"))? else {
        return Ok(None);
    };
    let commit = object.peel_to_commit().map_err(damaged)?;
    let tree = commit.tree_id().map_err(|error| anyhow!("reading {}: {error}", commit.id))?.detach();
    let time = commit.time().map_or(0, |time| time.seconds);
    Ok(Some(Head { commit: commit.id, tree, time }))
}
