//! Where git looks for hooks, and whose configuration says so. Only reads the configuration; `hooks` decides what to do
//! about it.

use std::path::{Path, PathBuf};

use anyhow::Result;
use gix::bstr::ByteSlice;

use super::Repository;

/// The hooks folder that git uses for a worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HooksPath {
    /// The absolute path; a relative setting is resolved against the top of the worktree.
    pub dir: PathBuf,
    /// The value of `core.hooksPath` as configured.
    pub setting: Option<String>,
    /// Whether that setting is in the repository's own configuration, and not in the user's or the machine's.
    pub is_local: bool,
}

/// Reads `core.hooksPath` as git does for this worktree.
pub fn hooks_path(repository: &Repository) -> Result<HooksPath> {
    let config = repository.gix.config_snapshot();
    let common = repository.common_dir()?;
    let Some(value) = config.trusted_path("core.hooksPath").ok().flatten() else {
        return Ok(HooksPath { dir: common.join("hooks"), setting: None, is_local: true });
    };
    let base = repository.worktree_path().map_or_else(|| common.clone(), Path::to_path_buf);
    let base = std::fs::canonicalize(&base).unwrap_or(base);
    let is_local = config
        .plumbing()
        .sections_by_name("core")
        .into_iter()
        .flatten()
        .filter(|section| section.value("hooksPath").is_some())
        .last()
        .is_some_and(|section| section.meta().source.kind() == gix::config::source::Kind::Repository);
    let setting = config.string("core.hooksPath").map(|text| text.to_str_lossy().into_owned());
    Ok(HooksPath { dir: base.join(value), setting, is_local })
}
