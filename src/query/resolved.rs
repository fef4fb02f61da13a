//! A resolved target, and the files, items or lines that it stands for.

use anyhow::Result;

use super::gone::GoneTarget;
use super::{Candidate, LineTarget, Note, Reader};
use crate::entries::SessionEntry;
use crate::error::{Exit, UserError};
use crate::event::Seq;
use crate::history::{self, CommitRef, Lineage, LiveEntry};
use crate::item::{self, Item, LineRange};

/// What a target refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResolvedTarget {
    /// A file or a definition.
    Item(Item),
    /// Lines of a file, and the smallest definition that contains all of them.
    Lines {
        /// The file.
        file: Item,
        /// Its lines.
        lines: LineRange,
        /// The definition; `None` if the lines are outside any.
        inner: Option<Item>,
    },
    /// The files of a folder or a glob, by their encoded paths.
    Files {
        /// The folder (`.` for the top) or the glob.
        name: String,
        /// The live files.
        paths: Vec<String>,
    },
    /// A commit.
    Commit {
        /// The position of its event.
        seq: Seq,
        /// The commit.
        commit: CommitRef,
    },
    /// A session, or an entry of one.
    Said(SessionEntry),
    /// A path that is no longer live.
    Gone(GoneTarget),
}

/// How many files of one target are examined individually.
const MOST_FILES: usize = 20;

impl ResolvedTarget {
    /// Returns its name: a key, a path, a glob, or a path with lines.
    pub fn key(&self) -> String {
        match self {
            ResolvedTarget::Item(item) => item.key.clone(),
            ResolvedTarget::Lines { file, lines, .. } => item::LiveTarget::Lines(file.clone(), *lines).key(),
            ResolvedTarget::Files { name, .. } => name.clone(),
            ResolvedTarget::Commit { commit, .. } => format!("commit:{}", commit.commit),
            ResolvedTarget::Said(said) => said.key(),
            ResolvedTarget::Gone(gone) => gone.path.clone(),
        }
    }

    /// Returns the encoded paths of all its files; for a deleted path, those it had.
    pub fn paths(&self, reader: &Reader<'_>) -> Result<Vec<String>> {
        Ok(match self {
            ResolvedTarget::Item(item) | ResolvedTarget::Lines { file: item, .. } => vec![item.path.clone()],
            ResolvedTarget::Files { paths, .. } => paths.clone(),
            ResolvedTarget::Commit { seq, .. } => {
                let lineage = Lineage::new(&reader.cache, reader.view.id);
                let mut all = Vec::new();
                for path in history::paths_of_commit(&reader.cache, *seq)? {
                    let heirs = lineage.row(&path)?.map_or(Ok(Vec::new()), |row| lineage.heirs(row))?;
                    for heir in heirs {
                        all.extend(lineage.name(heir)?);
                    }
                }
                all.sort();
                all.dedup();
                all
            }
            ResolvedTarget::Said(said) => {
                let all = match said.n {
                    0 => crate::entries::in_session(&reader.cache, reader.view.id, &said.session)?,
                    _ => vec![said.clone()],
                };
                let facts: Vec<LiveEntry> = history::live_entries(&reader.cache, reader.view.id, all)?;
                let mut all: Vec<String> = facts.into_iter().flat_map(|fact| fact.files).collect();
                all.sort();
                all.dedup();
                all
            }
            ResolvedTarget::Gone(gone) => gone.paths(),
        })
    }

    /// Returns its items: a definition, the definition around some lines, a file, or the files of a folder. Of more
    /// than [`MOST_FILES`] files, those that changed last.
    ///
    /// # Errors
    /// A [`UserError`] for a deleted path, a commit, or a session.
    pub fn items(&self, reader: &Reader<'_>, notes: &mut Vec<Note>) -> Result<Vec<Item>> {
        match self {
            ResolvedTarget::Item(item) => Ok(vec![item.clone()]),
            ResolvedTarget::Lines { file, inner, .. } => Ok(vec![inner.as_ref().unwrap_or(file).clone()]),
            ResolvedTarget::Files { .. } => self.file_items(reader, notes),
            ResolvedTarget::Commit { .. } | ResolvedTarget::Said(_) => Err(self.is_no_code()),
            ResolvedTarget::Gone(gone) => Err(gone.error(reader)?.into()),
        }
    }

    /// Returns the candidates that it stands for as a whole: its files, or a session entry.
    ///
    /// # Errors
    /// A [`UserError`] for a deleted path.
    pub fn subjects(&self, reader: &Reader<'_>, notes: &mut Vec<Note>) -> Result<Vec<Candidate>> {
        Ok(match self {
            ResolvedTarget::Item(item) => vec![Candidate::Item(item.clone())],
            ResolvedTarget::Lines { file, .. } => vec![Candidate::Item(file.clone())],
            ResolvedTarget::Said(said) => vec![Candidate::Said(said.clone())],
            ResolvedTarget::Files { .. } | ResolvedTarget::Commit { .. } => {
                self.file_items(reader, notes)?.into_iter().map(Candidate::Item).collect()
            }
            ResolvedTarget::Gone(gone) => return Err(gone.error(reader)?.into()),
        })
    }

    /// Returns its only item.
    ///
    /// # Errors
    /// A [`UserError`] if there are several, or none.
    pub fn one_item(&self, reader: &Reader<'_>) -> Result<Item> {
        if let ResolvedTarget::Files { name, paths } = self {
            let [_] = paths.as_slice() else {
                return Err(UserError::new(Exit::Usage, format!("{name} is a folder or several files"))
                    .hint("name a file or a symbol")
                    .into());
            };
        }
        let item = self.items(reader, &mut Vec::new())?.pop();
        item.ok_or_else(|| UserError::new(Exit::Failed, format!("{} has no file", self.key())).into())
    }

    /// Returns its lines; for several files, the lines of each.
    ///
    /// # Errors
    /// As [`ResolvedTarget::items`].
    pub fn lines(&self, reader: &Reader<'_>, notes: &mut Vec<Note>) -> Result<Vec<LineTarget>> {
        if let ResolvedTarget::Lines { file, lines, inner } = self {
            let key = inner.as_ref().map_or_else(|| file.key.clone(), |item| item.key.clone());
            let (path, item) = (file.path.clone(), inner.clone());
            return Ok(vec![LineTarget { key, path, line: lines.first, end_line: lines.last, item, is_file: false }]);
        }
        Ok(self.items(reader, notes)?.into_iter().map(LineTarget::of_item).collect())
    }

    fn file_items(&self, reader: &Reader<'_>, notes: &mut Vec<Note>) -> Result<Vec<Item>> {
        let mut paths = self.paths(reader)?;
        let total = paths.len();
        if total == 0 {
            return Err(UserError::new(Exit::Failed, format!("{} has no file at HEAD", self.key())).into());
        }
        if total > MOST_FILES {
            paths = history::recent_first(&reader.cache, reader.view.id, paths)?;
            paths.truncate(MOST_FILES);
            let which = format!("{} has {total} files: this is of the {MOST_FILES} that changed last", self.key());
            notes.push(Note::info(which));
        }
        let mut items = Vec::new();
        for path in paths {
            items.extend(item::by_key(&reader.cache, reader.view.id, &path)?);
        }
        Ok(items)
    }

    fn is_no_code(&self) -> anyhow::Error {
        UserError::new(Exit::Usage, format!("{} is neither a file nor a symbol", self.key()))
            .hint("`patina related` and `patina who` take commits and sessions")
            .into()
    }
}
