//! Session logs and transcripts to entries, one file a format. Pure: bytes come from the caller, and nothing here knows
//! the disk, the clock, git or the log. Line-tolerant and capped: a line that is not understood is skipped and counted,
//! never an error. Refuses to guess: what is not surely a decision is a note or nothing.

pub mod claude;
pub mod codex;
mod distil;
mod export;
mod forms;
mod gather;
mod line;
pub mod markdown;
pub mod mentions;
mod paths;
mod prose;
mod sections;
mod shell;
pub mod time;

pub use export::as_markdown;
pub use gather::QUIET;
pub use line::MAX_LINE;

use std::rc::Rc;

use serde::{Deserialize, Serialize};

/// The version of what this room says about a text. Raise it whenever the same text gives other entries.
pub const READER: u32 = 4;

/// Most entries of one session; what comes after them is counted as skipped.
pub const MAX_ENTRIES: usize = 50_000;

/// Longest content of one entry, in bytes; what is longer is cut at a character.
pub const MAX_CONTENT: usize = 8 * 1024;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// What the session was to reach.
    Goal,
    /// What was decided, with its reason where one was given.
    Decision,
    /// A way of doing things that was seen or agreed on.
    Pattern,
    /// What was done.
    Work,
    /// What was hard, and what solved it.
    Challenge,
    /// What was known at the start: the previous session, the situation.
    Context,
    /// What was found out.
    Observation,
    /// What was going to be done, in steps.
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

/// How a goal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// `- [ ]`.
    Open,
    /// `- [~]`.
    Partial,
    /// `- [x]`.
    Done,
}

/// What a session says of itself. Everything is as written; what is not said is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Head {
    /// What it is called everywhere: `20251124-174931`, a UUID. Whoever keeps a head keeps it beside.
    #[serde(skip)]
    pub id: String,
    /// One line; kept beside as well.
    #[serde(skip)]
    pub title: String,
    /// Unix seconds.
    pub started: Option<i64>,
    /// Unix seconds.
    pub ended: Option<i64>,
    /// The branch it began on.
    pub branch: Option<String>,
    /// Others that it went on on, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<String>,
    /// The agent or model that took part: `claude`, `codex`, `gpt-5`.
    pub tool: Option<String>,
    /// The git tag at its start.
    pub start_tag: Option<String>,
    /// The git tag at its end.
    pub end_tag: Option<String>,
    /// Hexadecimal, possibly abbreviated: HEAD at its start.
    pub start_commit: Option<String>,
    /// The same at its end.
    pub end_commit: Option<String>,
}

/// One thing that was said or done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is.
    pub category: Category,
    /// What was said, as plain text without its list mark; what belongs to it (a reason, a solution, a continuation) on
    /// lines of its own.
    pub content: String,
    /// Unix seconds; none where nothing tells.
    pub at: Option<i64>,
    /// Line of the file it was read from, from 1.
    pub line: u32,
    /// A short name of that line, where the file gives its lines names: a copy of the line bears the same.
    pub line_id: Option<u64>,
    /// Files it names or touched, as paths from the top of the repository, in order, each once.
    pub files: Vec<String>,
    /// Commits it names or made, hexadecimal and possibly abbreviated, each once.
    pub commits: Vec<String>,
    /// How a goal stands.
    pub state: Option<State>,
}

/// What a reader made of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// What it says of itself.
    pub head: Head,
    /// In the order of the file.
    pub entries: Vec<Entry>,
    /// Lines that were not understood, and entries over [`MAX_ENTRIES`].
    pub skipped: u64,
    /// Whether the file names a session and says nothing else.
    pub is_stub: bool,
    /// Sentences about what is odd: a fence without an end, a time that is none.
    pub warnings: Vec<String>,
}

/// Tells whether what is said in a folder is said in the repository.
pub type IsHere = Rc<dyn Fn(&str) -> bool>;

/// What is taken from a transcript.
#[derive(Clone, Default)]
pub struct Taking {
    /// Also what the person typed.
    pub prompts: bool,
    /// Folders, absolute and without a slash at the end, that are tops of worktrees of the repository: a path below one
    /// is told from there, and one below none is left out.
    pub tops: Vec<String>,
    /// Without it the caller knows that all is said in the repository.
    pub is_here: Option<IsHere>,
    /// The session whose lines are taken, where lines say of which one they are; without it all are.
    pub session: Option<String>,
    /// When it is read, in Unix seconds: what was said [`QUIET`] before it, and is the last of the file, was a last word.
    /// Without it what is said last waits for what follows.
    pub now: Option<i64>,
}

/// A transcript that is read line by line, each whole and without its end. Monotone: what a beginning of the file gives
/// is the beginning of what all of it gives, so that a growing file is read again and again without taking anything back.
pub trait Transcript {
    /// Takes the next line in.
    fn line(&mut self, line: &[u8]);
    /// Sessions whose lines were met and left, as [`Taking::session`] says: a session that goes on from another one may
    /// begin with a copy of it.
    fn copied(&self) -> &[String] {
        &[]
    }
    /// What there was.
    fn finish(self: Box<Self>) -> Reading;
}

/// Whether entries of a category, by its name, say something to find them by: what was touched, run and committed is found
/// by its file and commit.
pub fn is_told(category: &str) -> bool {
    ![Category::Touched, Category::Command, Category::Commit].iter().any(|quiet| quiet.name() == category)
}

impl Category {
    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.name() == name)
    }

    /// All of them.
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

    /// The name in keys, JSON and, after `session.`, in the log.
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
