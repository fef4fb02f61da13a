//! The worktrees of a repository, each with its settings and the changes that bring its view up to date with its HEAD.

use anyhow::Result;

use super::context::Context;
use crate::config::Config;
use crate::git::Worktree;
use crate::store::Cache;
use crate::view::{self, FileMove, View};

/// A worktree with its settings, and the changes that bring its view up to date with its HEAD.
pub struct WorktreeMove {
    /// The worktree.
    pub worktree: Worktree,
    /// Its settings, as narrowed by its own `patina.toml`.
    pub config: Config,
    /// Its current view.
    pub view: View,
    /// The files that change in it.
    pub moves: Vec<FileMove>,
}

/// Returns the changes that the view of every worktree needs.
pub fn worktree_moves(context: &Context<'_>, cache: &Cache) -> Result<Vec<WorktreeMove>> {
    let mut wanted = Vec::new();
    for worktree in context.repository.worktrees()? {
        let config = view::config_at(context.repository, context.config, worktree.head)?;
        let view = view::ensure_view(&cache.connection, &worktree.name)?;
        let keep = |path: &str| !config.ignores(path);
        let moves = view::wanted_moves(
            &cache.connection,
            context.repository,
            &view,
            worktree.head,
            &config.fingerprint(),
            keep,
        )?;
        wanted.push(WorktreeMove { worktree, config, view, moves });
    }
    Ok(wanted)
}
