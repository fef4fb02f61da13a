//! What narrows an answer: its length, kinds, paths and a moment.

use anyhow::Result;
use globset::{Glob, GlobMatcher};

use crate::config::real_path;
use crate::error::{Exit, UserError};
use crate::facts::ItemKind;

/// What narrows an answer.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Most hits.
    pub k: usize,
    /// Kinds to keep; empty keeps all.
    pub kinds: Vec<ItemKind>,
    /// Paths to keep.
    pub path: Option<GlobMatcher>,
    /// Keep only what a commit at or after this moment touched, Unix seconds.
    pub since: Option<i64>,
}

impl Filter {
    /// Reads a path glob.
    ///
    /// # Errors
    /// A [`UserError`] that says why it is none.
    pub fn path_glob(pattern: &str) -> Result<GlobMatcher> {
        let glob = Glob::new(pattern).map_err(|error| {
            UserError::new(Exit::Usage, format!("`{pattern}` is no glob: {}", error.kind()))
                .hint("for example `src/**/*.rs`")
        })?;
        Ok(glob.compile_matcher())
    }

    /// Returns whether a file may be in the answer.
    pub(super) fn keeps_path(&self, path: &str) -> bool {
        self.path.as_ref().is_none_or(|glob| glob.is_match(real_path(path)))
    }

    /// Returns whether a session's entry, written in a file or in none, may be in the answer.
    pub(super) fn keeps_place(&self, path: Option<&str>) -> bool {
        path.map_or(self.path.is_none(), |path| self.keeps_path(path))
    }

    /// Returns whether a kind may be in the answer.
    pub(super) fn keeps_kind(&self, kind: ItemKind) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted.name() == kind.name())
    }
}
