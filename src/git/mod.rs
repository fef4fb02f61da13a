//! The repository as git keeps it: worktrees, commits, trees, blobs, mailmap, hooks path. gix's only
//! door; refuses to write anything, to run a program, and to follow replace refs.

mod blame;
mod blobs;
mod diff;
mod history;
mod lines;
mod site;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
pub use gix::ObjectId;

pub use blame::{Blame, Link, Since, TakenBack, Wrote};
pub use blobs::{Blob, Mailmap, TreeFile};
pub use diff::{RawChange, Side};
pub use history::{Known, RawCommit, Reading};
pub use site::{HooksPath, hooks_path};

use crate::error::{Exit, UserError};

/// An open repository: cheap to clone for another thread through [`Repository::shared`].
pub struct Repository {
    gix: gix::Repository,
    trees: diff::TreeCache,
}

/// One worktree, or the bare repository itself, and where its HEAD stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worktree {
    /// Empty for the main one; otherwise the name of its folder under `worktrees/`.
    pub name: String,
    /// Where its HEAD and index are.
    pub git_dir: PathBuf,
    /// Where its files are; none for a bare repository.
    pub path: Option<PathBuf>,
    /// None while HEAD is unborn or its commit cannot be read.
    pub head: Option<Head>,
}

/// A commit and its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The commit HEAD stands at.
    pub commit: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
    /// Committer time, Unix seconds.
    pub time: i64,
}

impl Repository {
    /// Finds the repository around a folder, as git does: `GIT_DIR` first, then upwards. As with git, one that is found
    /// and belongs to somebody else must have been named safe.
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

    /// Opens the repository whose git directory is known.
    pub fn open(git_dir: &Path) -> Result<Self> {
        let opened = gix::ThreadSafeRepository::open_opts(git_dir, options().open_path_as_is(true));
        let repository = opened.map_err(|error| not_opened(git_dir, &error))?;
        Self::readable(repository.to_thread_local())
    }

    /// Refuses a repository that is kept in a way that cannot be read.
    fn readable(gix: gix::Repository) -> Result<Self> {
        if let Some(name) = unknown_extension(&gix) {
            let message = format!("this repository needs `extensions.{name}`, which patina does not know");
            return Err(UserError::new(Exit::NoRepository, message).hint("a newer patina may know it").into());
        }
        let storage = gix.config_snapshot().string("extensions.refStorage");
        if let Some(storage) = storage.filter(|storage| !storage.eq_ignore_ascii_case(b"files")) {
            let message = format!("this repository keeps its refs as {storage}, which patina cannot read yet");
            let hint = "`git refs migrate --ref-format=files` brings it to the files format";
            return Err(UserError::new(Exit::NoRepository, message).hint(hint).into());
        }
        Ok(Repository { gix, trees: diff::TreeCache::default() })
    }

    /// The same handle, made to compare many trees: successive ones are stored as differences to each other, and a
    /// tree that is at hand saves reading it again as the base of the next.
    fn with_pack_cache(mut self) -> Self {
        self.gix.objects.set_pack_cache(|| Box::new(gix::odb::pack::cache::lru::MemoryCappedHashmap::new(PACK_CACHE)));
        self
    }

    /// A handle that other threads can open their own view from.
    pub fn shared(&self) -> Shared {
        Shared(self.gix.clone().into_sync())
    }

    /// The same repository opened once more: nothing that this handle has mapped is shared.
    fn reopened(&self) -> Shared {
        match gix::ThreadSafeRepository::open_opts(self.gix.git_dir(), options().open_path_as_is(true)) {
            Ok(again) => Shared(again),
            Err(_) => self.shared(),
        }
    }

    /// The folder that all worktrees share, absolute.
    pub fn common_dir(&self) -> Result<PathBuf> {
        let dir = self.gix.common_dir();
        std::fs::canonicalize(dir).with_context(|| format!("reading {}", dir.display()))
    }

    /// The name of the worktree that this handle was opened in, as [`Worktree::name`].
    pub fn worktree_name(&self) -> Result<String> {
        let git_dir = std::fs::canonicalize(self.gix.git_dir())?;
        let common = self.common_dir()?;
        Ok(name_below(&common, &git_dir))
    }

    /// The folder of this handle's worktree; none for a bare repository.
    pub fn worktree_path(&self) -> Option<&Path> {
        self.gix.workdir()
    }

    /// An absolute path as one from the top of the worktree, whether links lead there or not; none where it is outside.
    pub fn inside(&self, path: &Path) -> Option<PathBuf> {
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
        // What it ends in may be a link itself, and then that is meant.
        let folder = std::fs::canonicalize(path.parent()?).ok()?;
        Some(folder.strip_prefix(&real).ok()?.join(path.file_name()?))
    }

    /// The folder inside the worktree that this handle was opened from, as a path relative to its top.
    pub fn prefix(&self) -> Option<PathBuf> {
        self.gix.prefix().ok().flatten().map(Path::to_path_buf)
    }

    /// HEAD of this handle's worktree.
    pub fn head(&self) -> Result<Option<Head>> {
        head_of(&self.gix)
    }

    /// Every worktree whose folder is there, the main one first, then by name.
    pub fn worktrees(&self) -> Result<Vec<Worktree>> {
        let main = self.gix.main_repo().map_err(|error| anyhow!("opening the main worktree: {error}"))?;
        let mut all = vec![worktree(&main, String::new())?];
        let mut linked = Vec::new();
        for proxy in self.gix.worktrees().map_err(|error| anyhow!("listing the worktrees: {error}"))? {
            if proxy.is_prunable() {
                continue;
            }
            let name = proxy.id().map(|id| crate::event::encode_path(id)).unwrap_or_default();
            // A worktree on a disk that is not here now, or half made, is left out and looked at again later.
            let Ok(repository) = proxy.into_repo_with_possibly_inaccessible_worktree() else { continue };
            match worktree(&repository, name) {
                Ok(worktree) => linked.push(worktree),
                // A damaged one must not keep the others from being taken in.
                Err(error) => tracing::warn!(error = format!("{error:#}"), "a worktree is left out"),
            }
        }
        linked.sort_by(|a, b| a.name.cmp(&b.name));
        all.extend(linked);
        Ok(all)
    }

    /// The commit that a name such as `HEAD~3` or an abbreviated id stands for.
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

    /// The tree of a commit; none where the object is not here.
    pub fn tree_of(&self, commit: ObjectId) -> Option<ObjectId> {
        let object = self.gix.try_find_object(commit).ok()??;
        let tree = object.try_into_commit().ok()?.tree_id().ok()?.detach();
        Some(tree)
    }

    /// Whether an object is in the object database.
    pub fn has(&self, id: ObjectId) -> bool {
        self.gix.has_object(id)
    }

    /// Whether others are to write to it too, as `core.sharedRepository` says.
    pub fn is_shared(&self) -> bool {
        let shared = self.gix.config_snapshot().string("core.sharedRepository");
        let is_no = |shared: &[u8]| {
            [&b"false"[..], b"no", b"off", b"0", b"umask"].iter().any(|no| shared.eq_ignore_ascii_case(no))
        };
        shared.is_some_and(|shared| !is_no(&shared))
    }

    /// The name of the branch that HEAD stands on.
    pub fn branch(&self) -> Option<String> {
        self.gix.head_name().ok().flatten().map(|name| crate::event::encode_path(name.shorten()))
    }
}

/// A repository handle that crosses threads.
pub struct Shared(gix::ThreadSafeRepository);

impl Shared {
    /// This thread's own handle.
    pub fn open(&self) -> Repository {
        Repository { gix: self.0.to_thread_local(), trees: diff::TreeCache::default() }
    }
}

impl Worktree {
    /// Whether git is in the middle of a command that makes many commits.
    pub fn is_busy(&self) -> bool {
        self.has_any(&["rebase-merge", "rebase-apply", "sequencer"])
    }

    /// Whether somebody is in the middle of something that git waits for them to end: its HEAD is on its way elsewhere.
    pub fn is_under_way(&self) -> bool {
        self.is_busy() || self.has_any(&["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "BISECT_LOG"])
    }

    fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.git_dir.join(name).exists())
    }
}

/// Decoded deltas kept for the next tree, in bytes a thread.
const PACK_CACHE: usize = 24 << 20;

fn options() -> gix::open::Options {
    // Hooks run with variables that point git at one worktree's index or a quarantine: none of them is for us.
    let mut permissions = gix::open::Permissions::all();
    permissions.env.git_prefix = gix::sec::Permission::Deny;
    // A replacement would make an id mean another content on one machine only.
    gix::open::Options::default().permissions(permissions).config_overrides(["core.useReplaceRefs=false"])
}

/// Why a repository is not opened, in a sentence, with the next step.
fn not_opened(dir: &Path, error: &gix::Error) -> UserError {
    let (place, why) = (dir.display(), chain(error));
    if error.downcast_any_ref::<gix::discover::upwards::Error>().is_some() || error.is_not_found() {
        UserError::new(Exit::NoRepository, format!("no git repository at or above {place}: {why}"))
            .hint("change into a repository, or name one with -C DIR")
    } else if why.contains("not owned by the current user") {
        let message =
            format!("the repository at or above {place} belongs to another user, and git does not trust it: {why}");
        UserError::new(Exit::NoRepository, message)
            .hint("if you do, `git config --global --add safe.directory DIR` says so to both")
    } else {
        UserError::new(Exit::NoRepository, format!("the git repository at or above {place} cannot be opened: {why}"))
            .hint("`git status` there says what is wrong with it")
    }
}

/// An error with its causes, each once.
fn chain(error: &gix::Error) -> String {
    let mut words: Vec<String> = Vec::new();
    for cause in error.iter_errors().map(|cause| cause.to_string()) {
        if !words.iter().any(|known| known.contains(&cause)) {
            words.push(cause);
        }
    }
    words.join(": ").replace('\n', " ")
}

/// What a repository may ask of whoever reads it, in small letters, as far as it makes no difference here or is read.
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

/// The first thing that a repository asks of its readers and that is not known: git too refuses to read on then.
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

fn name_below(common: &Path, git_dir: &Path) -> String {
    git_dir
        .strip_prefix(common.join("worktrees"))
        .map(|name| crate::event::encode_path(name.as_os_str().as_encoded_bytes()))
        .unwrap_or_default()
}

fn worktree(gix: &gix::Repository, name: String) -> Result<Worktree> {
    let git_dir = std::fs::canonicalize(gix.git_dir()).unwrap_or_else(|_| gix.git_dir().to_path_buf());
    Ok(Worktree { name, git_dir, path: gix.workdir().map(Path::to_path_buf), head: head_of(gix)? })
}

fn head_of(gix: &gix::Repository) -> Result<Option<Head>> {
    let damaged = |error: gix::Error| {
        UserError::new(Exit::Failed, format!("HEAD of {} cannot be read: {}", gix.git_dir().display(), chain(&error)))
            .hint("`git fsck` says what is damaged; patina goes on once `git log` works again")
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

/// A moment as a day, `2026-11-23`, in UTC.
pub fn day(seconds: i64) -> String {
    gix::date::Time::new(seconds, 0).format(gix::date::time::format::SHORT).unwrap_or_else(|_| seconds.to_string())
}

/// A moment to the minute, `2026-11-23 18:05`, in UTC.
pub fn minute(seconds: i64) -> String {
    let format = gix::date::time::CustomFormat::new("%Y-%m-%d %H:%M");
    gix::date::Time::new(seconds, 0).format(format).unwrap_or_else(|_| seconds.to_string())
}

/// The beginning of a day written `2026-11-23`, Unix seconds, UTC.
pub fn parse_day(text: &str) -> Option<i64> {
    let parts: Vec<&str> = text.split('-').collect();
    let is_day =
        parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let time = is_day.then(|| gix::date::parse(&format!("{text} 00:00:00 +0000"), None).ok()).flatten()?;
    Some(time.seconds)
}

/// The hash that most repositories use.
#[cfg(test)]
pub fn sha1() -> gix::hash::Kind {
    gix::hash::Kind::Sha1
}
