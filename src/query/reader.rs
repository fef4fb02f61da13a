//! The state that an answer is read from: the cache as one worktree sees it, its age, and the mailmap. Invariant: the
//! age is part of every answer.

use std::cell::OnceCell;
use std::rc::Rc;

use anyhow::Result;
use rusqlite::{Connection, named_params};

use super::{Evidence, Note};
use crate::config::Config;
use crate::dimensions::{Dimension, Population};
use crate::error::{Exit, UserError};
use crate::event::{encode_path, hex};
use crate::git::{Head, Mailmap, Repository};
use crate::history::{self, People};
use crate::index::VectorReader;
use crate::store;
use crate::view::{self, View};
use crate::workspace::Workspace;

/// The state that an answer is read from: an open cache, the current worktree's view, and its age.
pub struct Reader<'r> {
    /// The cache, with the log attached as `log`.
    pub cache: Connection,
    /// The current worktree's view.
    pub view: View,
    /// The current HEAD of that worktree.
    pub head: Option<Head>,
    /// The number of commits that HEAD is ahead of the index; at least 1 if HEAD moved at all, or if the index lacks
    /// something that the answer needs.
    pub behind: u64,
    /// Notes that belong to every answer from this reader.
    pub notes: Vec<Note>,
    /// The settings as of the commit that the answer is as of.
    pub config: Config,
    pub(super) workspace: Workspace,
    pub(super) repository: &'r Repository,
    people: OnceCell<Rc<People>>,
}

/// How many authors are shown per hit.
const AUTHORS: usize = 2;

impl<'r> Reader<'r> {
    /// Opens the index for the current worktree.
    ///
    /// A worktree that was never indexed is answered from the main worktree's index, restricted to files with the same
    /// content in both trees.
    ///
    /// # Errors
    /// A [`UserError`] with `Exit::NotSetUp` if nothing is indexed.
    pub fn open(repository: &'r Repository, workspace: &Workspace, config: &Config) -> Result<Self> {
        let cache = store::open_reader(workspace, config)?;
        let head = repository.head()?;
        let name = repository.worktree_name()?;
        let mut notes = Vec::new();
        // A view without a HEAD is being indexed for the first time.
        let own = view::view_of(&cache, &name)?.filter(|view| view.head.is_some() || head.is_none());
        let view = match own {
            Some(view) => view,
            None => {
                let main = view::view_of(&cache, "")?.ok_or_else(|| {
                    UserError::new(Exit::NotSetUp, "this repository has not been indexed yet")
                        .hint("run `patina reindex`")
                })?;
                view::restrict_files(&cache, repository, &main, head)?;
                notes.push(Note::info("this worktree has not been indexed yet: the answer is the main worktree's, where both hold the same files"));
                main
            }
        };
        let behind = if view.head.map(|view| view.commit) == head.map(|head| head.commit) {
            0
        } else {
            behind(&cache, repository, head)?.max(1)
        };
        let config = view::config_at(repository, config, view.head)?;
        Ok(Reader {
            cache,
            view,
            head,
            behind,
            notes,
            config,
            workspace: workspace.clone(),
            repository,
            people: OnceCell::new(),
        })
    }

    /// Returns the commit that the answer is as of, in hexadecimal.
    pub fn as_of(&self) -> Option<String> {
        self.view.head.map(|head| hex(head.commit.as_bytes()))
    }

    /// Opens the vectors of the index.
    pub fn vectors(&self) -> Result<VectorReader<'_>> {
        VectorReader::open(&self.cache, &self.workspace)
    }

    /// Returns why a dimension is not available; `None` if it is.
    pub fn off(&self, dimension: &Dimension) -> Result<Option<String>> {
        if self.config.dimensions_off.iter().any(|name| name == dimension.name) {
            return Ok(Some("it is switched off in the settings".to_string()));
        }
        let population = Population { people: self.people()?.humans() };
        Ok((dimension.off)(&population).map(str::to_string))
    }

    /// Returns whether HEAD, or the HEAD of another worktree, has moved since it was indexed.
    pub fn has_moved(&self) -> bool {
        let is_elsewhere = self.view.head.map(|view| view.commit) != self.head.map(|head| head.commit);
        is_elsewhere || view::moved(&self.cache, self.repository).is_ok_and(|moved| !moved.is_nothing())
    }

    /// Returns the time from which ages are measured, in Unix seconds: the committer time of the indexed HEAD.
    pub fn time(&self) -> i64 {
        self.view.head.map_or(0, |head| head.time)
    }

    /// Returns the mailmap of the commit that the answer is as of.
    pub fn people(&self) -> Result<Rc<People>> {
        if let Some(people) = self.people.get() {
            return Ok(people.clone());
        }
        let mailmap = match self.view.head.filter(|head| self.repository.has_object(head.tree)) {
            Some(head) => self.repository.mailmap(head.tree)?,
            None => Mailmap::empty(),
        };
        let people = Rc::new(history::people_of(&self.cache, &mailmap)?);
        Ok(self.people.get_or_init(|| people).clone())
    }

    /// Returns who knows a file best, as evidence; `None` if nobody is known.
    pub(super) fn authors(&self, path: &str, people: &People) -> Result<Option<Evidence>> {
        let names = history::authors_of(&self.cache, self.view.id, self.time(), path, people, AUTHORS)?;
        Ok((!names.is_empty()).then_some(Evidence::Authors { names }))
    }

    /// Returns the current folder, relative to the top of the worktree.
    pub fn prefix(&self) -> String {
        self.repository.prefix().map(|prefix| encode_path(prefix.as_os_str().as_encoded_bytes())).unwrap_or_default()
    }
}

/// Counts the commits that HEAD reaches and no indexed HEAD does.
fn behind(cache: &Connection, repository: &Repository, head: Option<Head>) -> Result<u64> {
    let Some(head) = head else { return Ok(0) };
    let mut known =
        cache.prepare("SELECT 1 FROM commit_row JOIN reachable ON reachable.seq = commit_row.seq WHERE sha = :sha")?;
    repository.count_unknown(&[head.commit], |id| Ok(known.exists(named_params! {":sha": id.as_bytes()})?))
}
