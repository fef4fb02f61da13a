//! Readers that turn session logs and agent transcripts into entries, one file per format.
//!
//! Invariant: pure. Bytes come from the caller; nothing here touches the disk, the clock, git or the log.
//!
//! Every quantity has a limit, and a line that is not understood is counted as skipped, never an error. Readers do not
//! guess: what may not be a decision becomes a note, or is dropped.

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
/// Raise it whenever the same text would yield different entries.
pub const READER_VERSION: u32 = 4;

/// The most entries of one session; further ones are counted as skipped.
pub const MAX_ENTRIES: usize = 50_000;

/// The longest content of one entry, in bytes; longer content is cut at a character boundary.
pub const MAX_CONTENT: usize = 8 * 1024;

/// The category of an entry.
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

/// The state of a goal.
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

/// Metadata that a session states about itself. Absent fields are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionHead {
    /// The id of the session: `20251124-174931`, or a UUID. Stored beside the head.
    #[serde(skip)]
    pub id: String,
    /// The title, on one line. Stored beside the head.
    #[serde(skip)]
    pub title: String,
    /// The start, in Unix seconds.
    pub started: Option<i64>,
    /// The end, in Unix seconds.
    pub ended: Option<i64>,
    /// The branch at the start.
    pub branch: Option<String>,
    /// Further branches that it continued on, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<String>,
    /// The agent or model that took part: `claude`, `codex`, `gpt-5`.
    pub tool: Option<String>,
    /// The git tag at the start.
    pub start_tag: Option<String>,
    /// The git tag at the end.
    pub end_tag: Option<String>,
    /// The commit that HEAD was at when it started, in hexadecimal, possibly abbreviated.
    pub start_commit: Option<String>,
    /// The commit that HEAD was at when it ended, likewise.
    pub end_commit: Option<String>,
}

/// One entry, as a reader parsed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParsedEntry {
    /// The category.
    pub category: Category,
    /// Plain text, without its list mark.
    ///
    /// A reason, solution or continuation follows on lines of its own.
    pub content: String,
    /// The time in Unix seconds, if known.
    pub at: Option<i64>,
    /// The line in the file, from 1.
    pub line: u32,
    /// The hash of the line's id, in formats that have ids. A copied line has the same hash.
    pub line_id: Option<u64>,
    /// The files it mentions or touched, relative to the top of the repository, in order and each once.
    pub files: Vec<String>,
    /// The commits it mentions or made, in hexadecimal, possibly abbreviated, each once.
    pub commits: Vec<String>,
    /// The state, for goals.
    pub state: Option<GoalState>,
}

/// The result of reading one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedSession {
    /// The metadata of the session.
    pub head: SessionHead,
    /// The entries, in the order of the file.
    pub entries: Vec<ParsedEntry>,
    /// The number of lines not understood, plus entries beyond [`MAX_ENTRIES`].
    pub skipped: u64,
    /// Whether the file names a session but has no content of its own.
    pub is_stub: bool,
    /// Warnings for the user, such as an unclosed fence or an invalid time.
    pub warnings: Vec<String>,
}

/// Returns whether a folder is in the repository.
pub type IsInRepository = Rc<dyn Fn(&str) -> bool>;

/// The options for reading a transcript.
#[derive(Clone, Default)]
pub struct TranscriptOptions {
    /// Whether to keep the user's prompts.
    pub prompts: bool,
    /// The tops of the repository's worktrees: absolute paths without a trailing slash.
    ///
    /// Paths below one become relative to it; other paths are dropped.
    pub tops: Vec<String>,
    /// Tests whether a folder is in the repository; `None` if the caller knows that all are.
    pub is_here: Option<IsInRepository>,
    /// The id of the session to read, for formats whose lines name their session; `None` reads all.
    pub session: Option<String>,
    /// The time of reading, in Unix seconds.
    ///
    /// The last text of the file counts as final if it is [`QUIET_SECONDS`] older than this. With `None` it stays open
    /// until more follows.
    pub now: Option<i64>,
}

/// A reader that is fed a transcript line by line, each whole and without its line end.
///
/// Invariant: the entries of a prefix of the file are a prefix of the entries of the whole file, so a growing file can
/// be read again and again without retracting anything.
pub trait TranscriptReader {
    /// Reads the next line.
    fn line(&mut self, line: &[u8]);
    /// Returns the other sessions whose lines were skipped (see [`TranscriptOptions::session`]). A session that
    /// continues another may begin with a copy of it.
    fn copied(&self) -> &[String] {
        &[]
    }
    /// Returns the result.
    fn finish(self: Box<Self>) -> ParsedSession;
}

/// Returns whether entries of the category with this name are found by their text. Touched files, commands and commits
/// are found by file and commit instead.
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

    /// Returns the name used in keys and JSON, and in the log after `session.`.
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
