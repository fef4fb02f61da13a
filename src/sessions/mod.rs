//! Readers that turn session logs and agent transcripts into entries, one file per format.
//!
//! Invariant: pure. Bytes come from the caller; nothing here touches the disk, the clock, git or the log.
//!
//! Every limit has a cap, and a line that is not understood is counted as skipped, never an error. Readers do not
//! guess: what is not surely a decision becomes a note or nothing.

mod builder;
pub mod claude;
pub mod codex;
mod export;
mod extract;
mod forms;
mod json_line;
pub mod markdown;
pub mod mentions;
mod message_blocks;
mod message_labels;
mod paths;
mod shell;
pub mod time;

pub use builder::QUIET_SECONDS;
pub use export::as_markdown;
pub use json_line::MAX_LINE;

use std::rc::Rc;

use serde::{Deserialize, Serialize};

/// Version of the readers.
///
/// Raise it whenever the same text yields different entries.
pub const READER_VERSION: u32 = 4;

/// Most entries of one session; further ones count as skipped.
pub const MAX_ENTRIES: usize = 50_000;

/// Longest content of one entry, in bytes; longer content is cut at a character boundary.
pub const MAX_CONTENT: usize = 8 * 1024;

/// Category of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// A goal of the session.
    Goal,
    /// A decision, with its reason if one was given.
    Decision,
    /// A pattern or convention that was observed or agreed on.
    Pattern,
    /// Work that was done.
    Work,
    /// A problem, and what solved it.
    Challenge,
    /// What was known at the start: the previous session, the situation.
    Context,
    /// Something that was found out.
    Observation,
    /// Planned steps.
    Plan,
    /// Anything else that was written down.
    Note,
    /// A file was read or edited.
    Touched,
    /// A command was run.
    Command,
    /// A commit was made.
    Commit,
}

/// State of a goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoalState {
    /// `- [ ]`.
    Open,
    /// `- [~]`.
    Partial,
    /// `- [x]`.
    Done,
}

/// Metadata that a session states about itself; absent fields are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionHead {
    /// Id of the session: `20251124-174931`, a UUID. Stored beside the head.
    #[serde(skip)]
    pub id: String,
    /// Title on one line. Stored beside the head.
    #[serde(skip)]
    pub title: String,
    /// Start, in Unix seconds.
    pub started: Option<i64>,
    /// End, in Unix seconds.
    pub ended: Option<i64>,
    /// Branch at the start.
    pub branch: Option<String>,
    /// Further branches it continued on, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<String>,
    /// Agent or model that took part: `claude`, `codex`, `gpt-5`.
    pub tool: Option<String>,
    /// Git tag at the start.
    pub start_tag: Option<String>,
    /// Git tag at the end.
    pub end_tag: Option<String>,
    /// HEAD at the start, hexadecimal, possibly abbreviated.
    pub start_commit: Option<String>,
    /// HEAD at the end, likewise.
    pub end_commit: Option<String>,
}

/// One entry as a reader parsed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParsedEntry {
    /// Category.
    pub category: Category,
    /// Plain text without its list mark.
    ///
    /// A reason, solution or continuation that belongs to it follows on lines of its own.
    pub content: String,
    /// Time in Unix seconds, if known.
    pub at: Option<i64>,
    /// Line in the file, from 1.
    pub line: u32,
    /// Hash of the line's id, if the format has ids: a copied line has the same.
    pub line_id: Option<u64>,
    /// Files it names or touched, relative to the top of the repository, in order, each once.
    pub files: Vec<String>,
    /// Commits it names or made, hexadecimal and possibly abbreviated, each once.
    pub commits: Vec<String>,
    /// State, for goals.
    pub state: Option<GoalState>,
}

/// The result of reading one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedSession {
    /// Metadata of the session.
    pub head: SessionHead,
    /// Entries in the order of the file.
    pub entries: Vec<ParsedEntry>,
    /// Number of lines not understood, plus entries beyond [`MAX_ENTRIES`].
    pub skipped: u64,
    /// Whether the file names a session but has no content of its own.
    pub is_stub: bool,
    /// Warnings for the user: an unclosed fence, an invalid time.
    pub warnings: Vec<String>,
}

/// Returns whether a folder lies in the repository.
pub type IsInRepository = Rc<dyn Fn(&str) -> bool>;

/// Options for reading a transcript.
#[derive(Clone, Default)]
pub struct TranscriptOptions {
    /// Whether to keep the user's prompts.
    pub prompts: bool,
    /// Tops of the repository's worktrees: absolute, without a trailing slash.
    ///
    /// Paths below one become relative to it; other paths are dropped.
    pub tops: Vec<String>,
    /// Test for folders in the repository; `None` if the caller knows that everything is.
    pub is_here: Option<IsInRepository>,
    /// Id of the session to read, for formats whose lines name their session; `None` reads all.
    pub session: Option<String>,
    /// Time of reading, in Unix seconds.
    ///
    /// The last text of the file counts as final if it is [`QUIET_SECONDS`] older than this; `None` leaves it open until more
    /// follows.
    pub now: Option<i64>,
}

/// A reader that is fed a transcript line by line, each whole and without its end.
///
/// Invariant: monotone. The entries of a prefix of the file are a prefix of the entries of the whole file, so a
/// growing file can be read again and again without retracting anything.
pub trait TranscriptReader {
    /// Reads the next line.
    fn line(&mut self, line: &[u8]);
    /// Returns other sessions whose lines were skipped, see [`TranscriptOptions::session`]: a session that continues
    /// another may begin with a copy of it.
    fn copied(&self) -> &[String] {
        &[]
    }
    /// Returns the result.
    fn finish(self: Box<Self>) -> ParsedSession;
}

/// Returns whether entries of a category (by name) are found by their text; touched files, commands and commits are
/// found by file and commit instead.
pub fn is_searchable(category: &str) -> bool {
    ![Category::Touched, Category::Command, Category::Commit].iter().any(|quiet| quiet.name() == category)
}

impl Category {
    /// Returns the category with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.name() == name)
    }

    /// All categories.
    pub const ALL: [Category; 12] = [
        Category::Goal,
        Category::Decision,
        Category::Pattern,
        Category::Work,
        Category::Challenge,
        Category::Context,
        Category::Observation,
        Category::Plan,
        Category::Note,
        Category::Touched,
        Category::Command,
        Category::Commit,
    ];

    /// Returns the name used in keys and JSON and, after `session.`, in the log.
    pub fn name(self) -> &'static str {
        match self {
            Category::Goal => "goal",
            Category::Decision => "decision",
            Category::Pattern => "pattern",
            Category::Work => "work",
            Category::Challenge => "challenge",
            Category::Context => "context",
            Category::Observation => "observation",
            Category::Plan => "plan",
            Category::Note => "note",
            Category::Touched => "touched",
            Category::Command => "command",
            Category::Commit => "commit",
        }
    }
}
