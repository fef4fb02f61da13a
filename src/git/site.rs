//! Where git looks for hooks, and whose folder that is. Reads configuration as it stands; refuses to judge
//! what to do about it.

use std::path::{Path, PathBuf};

use anyhow::Result;
use gix::bstr::ByteSlice;

use super::Repository;

/// The folder of hooks that git runs for a worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HooksPath {
    /// Absolute, or relative to the worktree's top made absolute.
    pub dir: PathBuf,
    /// `core.hooksPath` as configured.
    pub setting: Option<String>,
    /// Whether that setting belongs to this repository alone, and not to the user's or machine's configuration.
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
