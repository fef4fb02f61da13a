//! Filters of an answer: its length, kinds, paths, and the start of a period.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use anyhow::Result;
use globset::{Glob, GlobSet, GlobSetBuilder};

use super::Reader;
use crate::config::real_path;
use crate::error::{Exit, UserError};
use crate::facts::ItemKind;
use crate::view;

/// What an answer is limited to.
#[derive(Debug, Clone)]
pub struct Filter {
    /// The most hits.
    pub k: usize,
    /// The kinds to keep; empty keeps all.
    pub kinds: Vec<ItemKind>,
    /// The paths to keep.
    pub path: Option<PathFilter>,
    /// Keeps only what a commit at or after this time touched; in Unix seconds.
    pub since: Option<i64>,
}

/// The paths that a glob matches, or those in a folder.
#[derive(Debug, Clone)]
pub struct PathFilter {
    globs: GlobSet,
    /// The pattern as a folder or file; empty for the top of the worktree.
    folder: PathBuf,
}

impl PathFilter {
    /// Parses a glob or a folder, relative to the top of the worktree.
    ///
    /// # Errors
    /// A [`UserError`] if it is not a valid glob.
    pub fn new(pattern: &OsStr) -> Result<Self> {
        let mut globs = GlobSetBuilder::new();
        // A pattern that is not UTF-8 cannot be a glob, but may be a folder or a file.
        let Some(pattern) = pattern.to_str() else {
            let parts = Path::new(pattern).components().filter(|part| *part != Component::CurDir);
            return Ok(PathFilter { globs: globs.build()?, folder: parts.collect() });
        };
        let bare = pattern.trim_start_matches("./").trim_end_matches('/');
        let bare = if bare == "." { "" } else { bare };
        for glob in [bare.to_string(), format!("{bare}/**")].iter().filter(|_| !bare.is_empty()) {
            globs.add(Glob::new(glob).map_err(|error| {
                UserError::new(Exit::Usage, format!("`{pattern}` is not a valid glob: {}", error.kind()))
                    .hint("for example `src/**/*.rs`, or a folder")
            })?);
        }
        Ok(PathFilter { globs: globs.build()?, folder: PathBuf::from(bare) })
    }

    /// Returns the filter relative to the current folder, if any live path matches it there.
    fn seen_from_here(&self, reader: &Reader<'_>) -> Result<Option<Self>> {
        let prefix = real_path(&reader.prefix());
        if prefix.as_os_str().is_empty() {
            return Ok(None);
        }
        let here = match (prefix.to_str(), self.folder.to_str()) {
            (Some(prefix), Some(own)) => PathFilter::new(format!("{}/{own}", globset::escape(prefix)).as_ref())?,
            _ => PathFilter { globs: GlobSet::empty(), folder: PathBuf::new() },
        };
        let folder = if self.folder.as_os_str().is_empty() { prefix } else { prefix.join(&self.folder) };
        let here = PathFilter { folder, ..here };
        let is_any = view::files(&reader.cache, reader.view.id)?.into_keys().any(|path| here.matches(&path));
        Ok(is_any.then_some(here))
    }

    /// Returns whether an encoded path matches.
    fn matches(&self, path: &str) -> bool {
        let path = real_path(path);
        self.folder.as_os_str().is_empty() || self.globs.is_match(&path) || path.starts_with(&self.folder)
    }
}

impl Filter {
    /// Interprets the path filter relative to the current folder if anything matches there, and otherwise relative to
    /// the top.
    pub fn settle(&mut self, reader: &Reader<'_>) -> Result<()> {
        if let Some(path) = &self.path
            && let Some(here) = path.seen_from_here(reader)?
        {
            self.path = Some(here);
        }
        Ok(())
    }

    /// Returns whether a file passes.
    pub(super) fn keeps_path(&self, path: &str) -> bool {
        self.path.as_ref().is_none_or(|filter| filter.matches(path))
    }

    /// Returns whether a session entry passes, given the file it is stored in, if any.
    pub(super) fn keeps_place(&self, path: Option<&str>) -> bool {
        path.map_or(self.path.is_none(), |path| self.keeps_path(path))
    }

    /// Returns whether a kind passes.
    pub(super) fn keeps_kind(&self, kind: ItemKind) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted.name() == kind.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_glob_or_a_folder() {
        let check = |pattern: &str, path: &str, expect: bool| {
            let filter = PathFilter::new(pattern.as_ref()).expect("it is one");
            assert_eq!(filter.matches(path), expect, "{pattern} {path}");
        };
        check("src/b*", "src/b.rs", true);
        check("src/b*", "src/a.rs", false);
        for folder in ["src", "src/", "./src", "./src/"] {
            check(folder, "src/b.rs", true);
            check(folder, "src2/b.rs", false);
        }
        check("src/*/tests", "src/a/tests/b.rs", true);
        check("pages/[id]", "pages/[id]/a.js", true);
        check(".", "src/b.rs", true);
        assert!(PathFilter::new("src/[".as_ref()).is_err());
    }
}
