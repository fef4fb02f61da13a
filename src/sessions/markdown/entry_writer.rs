//! Collects the entries of a log: the finished ones, and the open one that lines are still added to.
//!
//! Entries without content are dropped: an empty bullet, `None`, a lone mark.

use super::super::{Category, GoalState, MAX_CONTENT, MAX_ENTRIES, ParsedEntry, mentions};
use super::inline_marks::{self, plain};
use crate::event;

/// Contents that carry no information.
const EMPTY_CONTENTS: &[&str] = &["-", "n/a", "na", "none", "none yet", "nothing", "tbd", "todo"];

/// The most bytes of text below a heading that belong to its entry; more is a text of its own.
const MAX_BELOW_HEADING: usize = 1_000;

/// What an entry began with, which decides what may continue it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryShape {
    /// A bullet.
    Bullet,
    /// A paragraph, or a label.
    Prose,
    /// A heading that states an entry; text below it belongs to it.
    Heading,
    /// A heading inside a section of one category; the paragraphs below belong to it, lists do not.
    Part,
    /// The first row of a table.
    Table,
    /// The first of several lines that form one note.
    SingleNote,
}

/// The entry being collected.
struct OpenEntry {
    entry: ParsedEntry,
    shape: EntryShape,
    indent: usize,
    /// Whether its text is literal, and so is kept even if it carries no information.
    meant: bool,
    /// The declared files and commits, which replace those named in its text.
    about: mentions::DeclaredMentions,
}

/// Collects the entries of one log.
pub(super) struct EntryWriter {
    entries: Vec<ParsedEntry>,
    skipped: u64,
    open: Option<OpenEntry>,
    /// The commits named in the heading above.
    tied: Vec<String>,
    has_goal: bool,
    /// The current line, from 1.
    pub line: u32,
    /// The current time.
    pub at: Option<i64>,
}

impl EntryWriter {
    /// Creates one without entries.
    pub(super) fn new(at: Option<i64>) -> Self {
        EntryWriter { entries: Vec::new(), skipped: 0, open: None, tied: Vec::new(), has_goal: false, line: 0, at }
    }

    /// Opens an entry, and closes the one before.
    pub(super) fn open(&mut self, category: Category, shape: EntryShape, indent: usize, text: &str) {
        self.close();
        let entry = ParsedEntry {
            category,
            content: plain(text),
            at: self.at,
            line: self.line,
            line_id: None,
            files: Vec::new(),
            commits: Vec::new(),
            state: None,
        };
        self.has_goal |= category == Category::Goal;
        let (meant, about) = (inline_marks::is_literal(text), mentions::DeclaredMentions::default());
        self.open = Some(OpenEntry { entry, shape, indent, meant, about });
    }

    /// Sets the state of the goal that is open.
    pub(super) fn set_goal_state(&mut self, state: Option<GoalState>) {
        if let Some(open) = &mut self.open {
            open.entry.state = state;
        }
    }

    /// Sets the open entry's commits to those named in a text.
    pub(super) fn set_commits_from(&mut self, text: &str) {
        if let Some(open) = &mut self.open {
            open.entry.commits = mentions::commits_in(text);
        }
    }

    /// Reads a line as a declaration of the open entry's files and commits. Returns whether it is one.
    pub(super) fn take_declaration(&mut self, text: &str) -> bool {
        match (mentions::parse_declaration(text), &mut self.open) {
            (Some(about), Some(open)) => {
                open.about = about;
                true
            }
            _ => false,
        }
    }

    /// Returns the indentation of the open bullet, if one is open.
    pub(super) fn open_bullet_indent(&self) -> Option<usize> {
        self.open.as_ref().filter(|open| open.shape == EntryShape::Bullet).map(|open| open.indent)
    }

    /// Returns the category of the open entry, if it began with a heading and still collects what follows.
    pub(super) fn heading_category(&self) -> Option<Category> {
        let is_headed =
            |open: &&OpenEntry| open.shape == EntryShape::Heading && open.entry.content.len() < MAX_BELOW_HEADING;
        self.open.as_ref().filter(is_headed).map(|open| open.entry.category)
    }

    /// Returns whether a paragraph belongs to the heading above.
    pub(super) fn collects_paragraphs(&self) -> bool {
        let is_part = |open: &OpenEntry| open.shape == EntryShape::Part && open.entry.content.len() < MAX_BELOW_HEADING;
        self.heading_category().is_some() || self.open.as_ref().is_some_and(is_part)
    }

    /// Returns whether a goal was collected.
    pub(super) fn has_collected(&self, category: Category) -> bool {
        category == Category::Goal && self.has_goal
    }

    /// Adds a line to the open bullet or paragraph. Returns whether there is one.
    pub(super) fn append(&mut self, text: &str) -> bool {
        let shapes = if self.collects_paragraphs() {
            [EntryShape::Heading, EntryShape::Part]
        } else {
            [EntryShape::Bullet, EntryShape::Prose]
        };
        self.append_to(&shapes, text)
    }

    /// Adds a row to the open table. Returns whether there is one.
    pub(super) fn append_row(&mut self, text: &str) -> bool {
        self.append_to(&[EntryShape::Table], text)
    }

    /// Adds a line to the note that several lines form together.
    pub(super) fn append_to_single_note(&mut self, text: &str) {
        if !self.append_to(&[EntryShape::SingleNote], text) {
            self.open(Category::Note, EntryShape::SingleNote, 0, text);
        }
    }

    /// Adds a line to the open entry if it has one of these shapes.
    fn append_to(&mut self, shapes: &[EntryShape], text: &str) -> bool {
        let Some(open) = self.open.as_mut().filter(|open| shapes.contains(&open.shape)) else {
            return false;
        };
        push_line(&mut open.entry.content, text);
        true
    }

    /// Adds a comment line of code to the paragraph or label above, since it is prose about the code.
    pub(super) fn append_comment(&mut self, code: &str) {
        if let Some(text) = code.strip_prefix("//").or_else(|| code.strip_prefix("-- ")) {
            self.append_to(&[EntryShape::Prose], text.trim_start_matches(['/', '!']).trim());
        }
    }

    /// Adds a solution or cause to the problem before it. Returns whether there is one.
    pub(super) fn append_answer(&mut self, text: &str) -> bool {
        if let Some(open) = self.open.as_mut().filter(|open| open.entry.category == Category::Challenge) {
            push_line(&mut open.entry.content, text);
            return true;
        }
        false
    }

    /// Attaches the commits named in a text to all entries up to the next heading.
    pub(super) fn tie_commits(&mut self, text: &str) {
        self.tied = mentions::commits_in(text);
    }

    /// Closes the open entry.
    pub(super) fn close(&mut self) {
        let Some(OpenEntry { mut entry, meant, about, .. }) = self.open.take() else { return };
        entry.content.truncate(event::cap_at(&entry.content, MAX_CONTENT).trim_end().len());
        if entry.content.is_empty() || !meant && says_nothing(&entry.content) {
            return;
        }
        if self.entries.len() >= MAX_ENTRIES {
            self.skipped += 1;
            return;
        }
        entry.files = about.files.unwrap_or_else(|| mentions::files_in(&entry.content));
        let commits = about.commits.unwrap_or_else(|| mentions::commits_in(&entry.content));
        let beside = std::mem::replace(&mut entry.commits, commits);
        match entry.category {
            Category::Commit if entry.commits.is_empty() => {
                // In a list of commits, an id counts without a word that announces it.
                entry.commits = mentions::commits_in(&format!("commit {}", entry.content));
                if entry.commits.is_empty() {
                    entry.category = Category::Note;
                }
            }
            Category::Touched if entry.files.is_empty() => entry.category = Category::Note,
            _ => {}
        }
        for commit in beside.iter().chain(&self.tied) {
            if !entry.commits.contains(commit) {
                entry.commits.push(commit.clone());
            }
        }
        self.entries.push(entry);
    }

    /// Returns the entries, and how many were dropped beyond the maximum.
    pub(super) fn finish(mut self) -> (Vec<ParsedEntry>, u64) {
        self.close();
        (self.entries, self.skipped)
    }
}

/// Appends a line, unless the content already exceeds the maximum.
fn push_line(content: &mut String, text: &str) {
    let is_meant = inline_marks::is_literal(text);
    let text = plain(text);
    if content.len() <= MAX_CONTENT && (is_meant || !text.is_empty()) {
        if !content.is_empty() {
            content.push('\n');
        }
        content.push_str(&text);
    }
}

/// Returns whether a text carries no information.
pub(in crate::sessions) fn says_nothing(content: &str) -> bool {
    let bare = content.trim_matches(|c: char| !c.is_alphanumeric() && c != '/').to_lowercase();
    bare.is_empty()
        || EMPTY_CONTENTS.contains(&bare.as_str())
        || (bare.starts_with("no ") && bare.ends_with("this session"))
}

/// Parses a checkbox. Returns its state, and the text after it.
pub(super) fn checkbox(text: &str) -> (Option<GoalState>, &str) {
    const BOXES: [(&str, GoalState); 8] = [
        ("[ ]", GoalState::Open),
        ("[]", GoalState::Open),
        ("[x]", GoalState::Done),
        ("[X]", GoalState::Done),
        ("[✓]", GoalState::Done),
        ("[~]", GoalState::Partial),
        ("[-]", GoalState::Partial),
        ("[/]", GoalState::Partial),
    ];
    let found = BOXES.iter().find_map(|(mark, state)| Some((*state, text.strip_prefix(mark)?)));
    match found {
        // `[x](url)` is a link.
        Some((_, rest)) if rest.starts_with('(') => (None, text),
        Some((state, rest)) => (Some(state), rest.trim_start()),
        None => (None, text),
    }
}

/// Returns whether a line states the solution of the problem before it.
pub(in crate::sessions) fn is_answer(text: &str) -> bool {
    let word = text.trim_start_matches(['*', '→', ' ']).split([':', '*', ' ']).next().unwrap_or_default();
    let label = text.contains(':') && word.len() < text.len();
    label
        && ["solution", "fix", "resolution", "resolved", "solved", "workaround"]
            .iter()
            .any(|w| word.eq_ignore_ascii_case(w))
}

/// Returns whether a label gives the reasons of a decision or problem.
pub(super) fn is_reason(label: &str) -> bool {
    const REASONS: &[&str] = &[
        "alternatives",
        "alternatives considered",
        "background",
        "benefits",
        "consequences",
        "context",
        "cons",
        "impact",
        "pros",
        "rationale",
        "reason",
        "reasoning",
        "reasons",
        "trade-offs",
        "tradeoffs",
        "why",
    ];
    is_cause(label) || REASONS.iter().any(|word| label.eq_ignore_ascii_case(word))
}

/// Returns whether a label gives the cause of the problem before it.
pub(super) fn is_cause(label: &str) -> bool {
    ["cause", "diagnosis", "root cause", "symptom", "symptoms"].iter().any(|word| label.eq_ignore_ascii_case(word))
}

/// Returns the category that a bullet states itself: `**Decision**: ...`.
pub(in crate::sessions) fn labelled_category(text: &str) -> Option<Category> {
    let (label, _) = text.trim_start_matches('*').split_once(':')?;
    match label.trim_end_matches('*').trim().to_ascii_lowercase().as_str() {
        "challenge" | "issue" | "problem" => Some(Category::Challenge),
        "decision" | "key decision" => Some(Category::Decision),
        "pattern" => Some(Category::Pattern),
        "goal" => Some(Category::Goal),
        "finding" | "insight" | "key finding" | "key insight" | "lesson" | "root cause" => Some(Category::Observation),
        "commit" | "commits" => Some(Category::Commit),
        "next" | "next step" | "next steps" => Some(Category::Plan),
        _ => None,
    }
}

/// Returns the category and object of an agent's action in a dialogue: `Read: a`, `Executed: b`.
pub(super) fn action_category(text: &str) -> Option<(Category, &str)> {
    let (verb, what) = text.split_once(": ")?;
    let category = match verb.trim_matches('*').to_ascii_lowercase().as_str() {
        "read" | "modified" | "edited" | "created" | "wrote" | "written" => Category::Touched,
        "executed" | "ran" | "run" => Category::Command,
        _ => return None,
    };
    Some((category, what.trim().trim_matches('`')))
}
