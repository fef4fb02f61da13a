//! A question to ranked, explained hits, as of a commit. Refuses to show what does not stand in the asking
//! view, and to hide how old an answer is.

mod explain;
mod found;
mod groups;
mod meaning;
mod near;
mod nearest;
mod neighbours;
mod next;
mod related;
mod search;
mod signals;
mod task;
mod why;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use anyhow::Result;
use globset::{Glob, GlobMatcher};
use rusqlite::{Connection, named_params};
use serde::Serialize;

pub use explain::{Tie, explain};
pub use found::{Found, live, live_with_text};
pub use meaning::Meaning;
pub use near::near;
use nearest::Place;
pub use neighbours::counted;
pub use next::next;
pub use related::related;
pub use search::{Search, search_alike};
pub use task::{BY_MEANING, Tasking};
pub use why::{Lines, Maker, Reason, Why, blamed, lines_of, why};

use crate::adapter;
use crate::config::{Config, real_path};
use crate::dimensions::{Dimension, Population};
use crate::edges::Edge;
use crate::embedding::{Embedding, Projection};
use crate::error::{Exit, UserError};
use crate::event::{encode_path, hex};
use crate::eventlog;
use crate::git::{Head, Mailmap, Repository};
use crate::history::{self, CommitRef, People};
use crate::index::{Space, Vectors};
use crate::item::{self, Target};
use crate::pipeline;
use crate::store;
use crate::view::{self, View};
use crate::workspace::Workspace;

/// Everything one answer is given from: a cache open for reading, the view of who asks, and how old it is.
pub struct Reader<'r> {
    /// The cache, with the log attached as `log`.
    pub cache: Connection,
    /// The asking worktree's view.
    pub view: View,
    /// Where the asking worktree's HEAD stands by now.
    pub head: Option<Head>,
    /// Commits that HEAD is ahead of what is indexed; at least 1 where it moved at all, or what the answer needs is not in.
    pub behind: u64,
    /// Sentences the person should read beside the answer.
    pub notes: Vec<String>,
    /// Settings, as the tree that the answer is as of leaves them.
    pub config: Config,
    workspace: Workspace,
    people: OnceCell<Rc<People>>,
    repository: &'r Repository,
}

/// Authors named beside a hit.
const AUTHORS: usize = 2;

/// A question as one dimension sees it.
pub struct Asked<'v> {
    /// What is searched.
    pub vectors: &'v Vectors<'v>,
    /// The dimension's space.
    pub space: &'v Space,
    /// The question there.
    pub projection: Projection,
    /// What it is called in ranks and evidence; with it every other dimension that is asked and shares the space.
    pub dimensions: Vec<&'static Dimension>,
}

impl<'v> Asked<'v> {
    /// Projects a question; none where its adapter makes nothing of it, or is not what the space was made with.
    pub fn new(vectors: &'v Vectors<'v>, dimension: &'static Dimension, embedding: &Embedding) -> Option<Self> {
        let space = vectors.generation()?.space(dimension.name)?;
        let projection = match space.is_base() {
            true => adapter::identity(embedding),
            false => vectors.adapter(space)?.project(embedding)?,
        };
        Some(Asked { vectors, space, projection, dimensions: vec![dimension] })
    }

    fn place(&self) -> Place<'_> {
        Place { vectors: self.vectors, space: self.space, vector: &self.projection }
    }

    /// The name for evidence.
    fn name(&self) -> &'static str {
        self.dimensions[0].name
    }

    /// Whether one of its dimensions holds items of a kind.
    fn holds(&self, kind: &str) -> bool {
        self.dimensions.iter().any(|dimension| dimension.holds.kind(kind))
    }
}

impl Hit {
    /// A whole file.
    fn of_file(path: &str, score: f64, ranks: BTreeMap<&'static str, usize>, evidence: Vec<Evidence>) -> Self {
        Hit {
            key: path.to_string(),
            kind: "file".to_string(),
            path: Some(path.to_string()),
            line: Some(1),
            name: path.rsplit('/').next().unwrap_or(path).to_string(),
            score,
            ranks,
            evidence,
        }
    }
}

impl Evidence {
    /// A call as a reason.
    pub fn of_call(edge: &Edge) -> Self {
        Evidence::Call {
            path: edge.caller.path.clone(),
            line: edge.line,
            caller: edge.caller.key.clone(),
            callee: edge.callee.key.clone(),
            confidence: edge.confidence,
        }
    }
}

/// What narrows an answer.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Most hits.
    pub k: usize,
    /// Kinds to keep; empty keeps all.
    pub kinds: Vec<String>,
    /// Paths to keep.
    pub path: Option<GlobMatcher>,
    /// Keep only what a commit at or after this moment touched, Unix seconds.
    pub since: Option<i64>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// `src/a.rs#Parser::parse`, `commit:9f2c...`.
    pub key: String,
    /// `file`, `function`, ..., `commit`, `decision`, ...
    pub kind: String,
    /// Encoded; none for a commit and for what was said in no tree.
    pub path: Option<String>,
    /// From 1; none for a commit.
    pub line: Option<u32>,
    /// What to call it.
    pub name: String,
    /// Larger is better; comparable within one answer.
    pub score: f64,
    /// The place each way of looking gave it, from 1.
    pub ranks: BTreeMap<&'static str, usize>,
    /// Why it is here.
    pub evidence: Vec<Evidence>,
}

/// One reason for a hit.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Evidence {
    /// A commit that touched it.
    Commit(CommitRef),
    /// A line of it that holds words of the question.
    Text {
        /// From 1, in the file; none for a commit's message.
        line: Option<u32>,
        /// The line, without white space around.
        text: String,
    },
    /// It changed in the same commits.
    Together {
        /// How many that counted.
        commits: usize,
        /// Their decayed weight.
        weight: f64,
    },
    /// Its path is near.
    Path {
        /// Shared folders and stem.
        similarity: f64,
    },
    /// A call that resolves to it.
    Call {
        /// Encoded path of the caller's file.
        path: String,
        /// From 1.
        line: u32,
        /// Key of the caller.
        caller: String,
        /// Key of the callee.
        callee: String,
        /// From 0 to 1.
        confidence: f32,
    },
    /// It shares groups of a dimension with the target.
    Group {
        /// The dimension.
        dimension: &'static str,
        /// How many groups.
        groups: usize,
        /// Their summed weight.
        weight: f64,
    },
    /// Its vector is near.
    Near {
        /// The dimension whose space was searched.
        dimension: &'static str,
        /// From -1 to 1.
        cosine: f32,
    },
    /// The session it was said in. What a session says is quoted, and no instruction to whoever reads it.
    Session {
        /// `session:<id>`.
        session: String,
        /// What the session calls itself.
        title: String,
        /// When it was said, Unix seconds.
        time: Option<i64>,
    },
    /// Who knows it best, the first most.
    Authors {
        /// Their names.
        names: Vec<String>,
    },
}

impl<'r> Reader<'r> {
    /// Opens what is indexed for the worktree that asks. One that was never indexed is answered from the main
    /// worktree's facts, as far as its own tree holds the same files.
    ///
    /// # Errors
    /// A [`UserError`] with the exit code for "not set up" where nothing is indexed.
    pub fn open(repository: &'r Repository, workspace: &Workspace, config: &Config) -> Result<Self> {
        let cache = store::open_reader(workspace, config)?;
        let head = repository.head()?;
        let name = repository.worktree_name()?;
        let mut notes = Vec::new();
        // A view that has no HEAD yet is one that is being taken in for the first time.
        let own = view::view_of(&cache, &name)?.filter(|view| view.head.is_some() || head.is_none());
        let view = match own {
            Some(view) => view,
            None => {
                let main = view::view_of(&cache, "")?.ok_or_else(|| {
                    UserError::new(Exit::NotSetUp, "this repository has not been indexed yet")
                        .hint("run `patina reindex`")
                })?;
                keep_own_files(&cache, repository, &main, head)?;
                notes.push("this worktree has not been indexed yet: the answer is the main worktree's, where both hold the same files".to_string());
                main
            }
        };
        let behind = if view.head.map(|view| view.commit) == head.map(|head| head.commit) {
            0
        } else {
            behind(&cache, repository, head)?.max(1)
        };
        let config = pipeline::config_at(repository, config, view.head)?;
        Ok(Reader {
            cache,
            view,
            head,
            behind,
            notes,
            config,
            workspace: workspace.clone(),
            people: OnceCell::new(),
            repository,
        })
    }

    /// The commit the answer is as of, in hexadecimal.
    pub fn as_of(&self) -> Option<String> {
        self.view.head.map(|head| hex(head.commit.as_bytes()))
    }

    /// What vectors there are.
    pub fn vectors(&self) -> Result<Vectors<'_>> {
        Vectors::open(&self.cache, &self.workspace)
    }

    /// Why a dimension answers nothing here; none where it does.
    pub fn off(&self, dimension: &Dimension) -> Result<Option<String>> {
        if self.config.dimensions_off.iter().any(|name| name == dimension.name) {
            return Ok(Some("it is switched off in the settings".to_string()));
        }
        let population = Population { people: self.people()?.humans() };
        Ok((dimension.off)(&population).map(str::to_string))
    }

    /// Whether HEAD stands elsewhere by now than where it was indexed, or another worktree's, whose commits count too.
    pub fn has_moved(&self) -> bool {
        let is_elsewhere = self.view.head.map(|view| view.commit) != self.head.map(|head| head.commit);
        is_elsewhere || view::moved(&self.cache, self.repository).is_ok_and(|moved| !moved.is_nothing())
    }

    /// The moment that decay counts from.
    pub fn time(&self) -> i64 {
        self.view.head.map_or(0, |head| head.time)
    }

    /// Who is who, by the mailmap of the tree the answer is as of.
    pub fn people(&self) -> Result<Rc<People>> {
        if let Some(people) = self.people.get() {
            return Ok(people.clone());
        }
        let mailmap = match self.view.head.filter(|head| self.repository.has(head.tree)) {
            Some(head) => self.repository.mailmap(head.tree)?,
            None => Mailmap::empty(),
        };
        let people = Rc::new(history::people_of(&self.cache, &mailmap)?);
        Ok(self.people.get_or_init(|| people).clone())
    }

    /// Who knows a file best, as evidence; none where nobody is known.
    fn authors(&self, path: &str, people: &People) -> Result<Option<Evidence>> {
        let names = history::authors_of(&self.cache, self.view.id, self.time(), path, people, AUTHORS)?;
        Ok((!names.is_empty()).then_some(Evidence::Authors { names }))
    }

    /// What a person names, from where they stand; an absolute path is read from the top of the worktree.
    pub fn target(&self, text: &str) -> Result<Target> {
        match self.repository.inside(Path::new(text)) {
            Some(inside) => item::resolve(&self.cache, self.view.id, "", &inside.to_string_lossy()),
            None => item::resolve(&self.cache, self.view.id, &self.prefix(), text),
        }
    }

    /// The folder the person stands in, from the top of the worktree.
    pub fn prefix(&self) -> String {
        self.repository.prefix().map(|prefix| encode_path(prefix.as_os_str().as_encoded_bytes())).unwrap_or_default()
    }

    /// A field of an event's data in the log.
    fn text_of(&self, seq: i64, field: &str) -> Result<String> {
        let data: serde_json::Value = serde_json::from_str(&eventlog::data(&self.cache, seq)?)?;
        Ok(data[field].as_str().unwrap_or_default().to_string())
    }
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

    /// Whether a file may be in the answer.
    fn keeps_path(&self, path: &str) -> bool {
        self.path.as_ref().is_none_or(|glob| glob.is_match(real_path(path)))
    }

    /// Whether what was said in a file, or in none, may be in the answer.
    fn keeps_place(&self, path: Option<&str>) -> bool {
        path.map_or(self.path.is_none(), |path| self.keeps_path(path))
    }

    fn keeps_kind(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind)
    }
}

/// The commits that HEAD reaches and no indexed HEAD does.
fn behind(cache: &Connection, repository: &Repository, head: Option<Head>) -> Result<u64> {
    let Some(head) = head else { return Ok(0) };
    let mut known =
        cache.prepare("SELECT 1 FROM commit_row JOIN reachable ON reachable.seq = commit_row.seq WHERE sha = :sha")?;
    repository.count_unknown(&[head.commit], |id| Ok(known.exists(named_params! {":sha": id.as_bytes()})?))
}

/// Shadows the view's files by those that the asking tree holds with the same content. A temporary table of the
/// same name comes first wherever the view is joined.
fn keep_own_files(cache: &Connection, repository: &Repository, main: &View, head: Option<Head>) -> Result<()> {
    cache.execute_batch(
        "CREATE TEMP TABLE view_file(view INTEGER, path INTEGER, parse INTEGER, PRIMARY KEY(view, path)) WITHOUT ROWID;
         CREATE INDEX temp.view_file_by_parse ON view_file(parse, view);",
    )?;
    let mut insert = cache.prepare(
        "INSERT INTO temp.view_file SELECT view, view_file.path, parse FROM main.view_file JOIN parse ON parse.id = view_file.parse
         JOIN path ON path.id = view_file.path WHERE view = :view AND path.path = :path AND parse.blob = :blob",
    )?;
    cache.execute("INSERT INTO temp.view_file SELECT * FROM main.view_file WHERE view = 0", [])?;
    let files = head.map(|head| repository.files(head.tree)).transpose()?.unwrap_or_default();
    for file in files {
        insert
            .execute(named_params! {":view": main.id, ":path": encode_path(&file.path), ":blob": file.id.as_bytes()})?;
    }
    Ok(())
}
