//! Opens a repository: finds it as git does, and checks that its format can be read.

use std::path::Path;

use anyhow::Result;

use super::{Repository, SharedRepository, diff};
use crate::error::{Exit, UserError};

impl Repository {
    /// Finds the repository around a folder as git does: `GIT_DIR` first, then upwards.
    ///
    /// As with git, a repository that belongs to another user must be listed in `safe.directory`.
    ///
    /// # Errors
    /// A [`UserError`] with the exit code for "no repository".
    pub fn discover(dir: &Path) -> Result<Self> {
        let options = options();
        let opened = match std::env::var_os("GIT_DIR") {
            Some(git_dir) => gix::ThreadSafeRepository::open_opts(dir.join(git_dir), options.open_path_as_is(true)),
            None => {
                let options = options.bail_if_untrusted(true);
                let trust = gix::sec::trust::Mapping { full: options.clone(), reduced: options };
                gix::ThreadSafeRepository::discover_opts(dir, gix::discover::upwards::Options::default(), trust)
            }
        };
        let repository = opened.map_err(|error| not_opened(dir, &error))?;
        Self::readable(repository.to_thread_local())
    }

    /// Opens the repository with this git directory.
    pub fn open(git_dir: &Path) -> Result<Self> {
        let opened = gix::ThreadSafeRepository::open_opts(git_dir, options().open_path_as_is(true));
        let repository = opened.map_err(|error| not_opened(git_dir, &error))?;
        Self::readable(repository.to_thread_local())
    }

    /// Checks that the repository's format can be read.
    fn readable(gix: gix::Repository) -> Result<Self> {
        if let Some(name) = unknown_extension(&gix) {
            let message = format!("this repository needs `extensions.{name}`, which patina does not know");
            return Err(UserError::new(Exit::NoRepository, message)
                .hint("update patina, or remove the extension")
                .into());
        }
        let storage = gix.config_snapshot().string("extensions.refStorage");
        if let Some(storage) = storage.filter(|storage| !storage.eq_ignore_ascii_case(b"files")) {
            let message =
                format!("this repository stores its refs in the `{storage}` format, which patina cannot read yet");
            let hint = "run `git refs migrate --ref-format=files` to convert it";
            return Err(UserError::new(Exit::NoRepository, message).hint(hint).into());
        }
        Ok(Repository { gix, trees: diff::TreeCache::default() })
    }

    /// Opens the repository again, without sharing what this handle has mapped.
    pub(super) fn reopened(&self) -> SharedRepository {
        match gix::ThreadSafeRepository::open_opts(self.gix.git_dir(), options().open_path_as_is(true)) {
            Ok(again) => SharedRepository(again),
            Err(_) => self.shared(),
        }
    }
}

/// Options for opening a repository: independent of the environment of a running hook, and without replace refs.
fn options() -> gix::open::Options {
    // git runs hooks with variables that point to one worktree's index or to a quarantine; they must not apply here.
    let mut permissions = gix::open::Permissions::all();
    permissions.env.git_prefix = gix::sec::Permission::Deny;
    // A replace ref would give an id other content, on one machine only.
    gix::open::Options::default().permissions(permissions).config_overrides(["core.useReplaceRefs=false"])
}

/// Explains why a repository could not be opened, with a hint.
fn not_opened(dir: &Path, error: &gix::Error) -> UserError {
    let (place, why) = (dir.display(), chain(error));
    if error.downcast_any_ref::<gix::discover::upwards::Error>().is_some() || error.is_not_found() {
        UserError::new(Exit::NoRepository, format!("no git repository at or above {place}: {why}"))
            .hint("change into a repository, or name one with -C DIR")
    } else if why.contains("not owned by the current user") {
        let message =
            format!("the repository at or above {place} belongs to another user, and git does not trust it: {why}");
        UserError::new(Exit::NoRepository, message)
            .hint("if you trust it, run `git config --global --add safe.directory DIR`")
    } else {
        UserError::new(Exit::NoRepository, format!("the git repository at or above {place} cannot be opened: {why}"))
            .hint("run `git status` there to see what is wrong")
    }
}

/// Joins an error and its causes, each named once.
pub(super) fn chain(error: &gix::Error) -> String {
    let mut words: Vec<String> = Vec::new();
    for cause in error.iter_errors().map(|cause| cause.to_string()) {
        if !words.iter().any(|known| known.contains(&cause)) {
            words.push(cause);
        }
    }
    words.join(": ").replace('\n', " ")
}

/// Repository extensions, in lower case, that patina reads or that make no difference to it.
const EXTENSIONS: [&str; 10] = [
    "noop",
    "noop-v1",
    "partialclone",
    "preciousobjects",
    "worktreeconfig",
    "objectformat",
    "compatobjectformat",
    "refstorage",
    "relativeworktrees",
    "submodulepathconfig",
];

/// Returns the first `extensions.*` that patina does not know. git itself refuses to read such a repository.
fn unknown_extension(gix: &gix::Repository) -> Option<String> {
    let config = gix.config_snapshot();
    if config.integer("core.repositoryFormatVersion").unwrap_or(0) < 1 {
        return None;
    }
    let sections = config.plumbing().sections_by_name("extensions").into_iter().flatten();
    let own = sections.filter(|section| section.meta().source.kind() == gix::config::source::Kind::Repository);
    let names = own.flat_map(|section| section.value_names().map(|name| name.to_string()).collect::<Vec<_>>());
    names.map(|name| name.to_ascii_lowercase()).find(|name| !EXTENSIONS.contains(&name.as_str()))
}
