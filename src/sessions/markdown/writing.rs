//! The entry that is being written, and those that are. Refuses what says nothing: an empty bullet, `None`, a mark.

use super::super::{Category, Entry, MAX_CONTENT, MAX_ENTRIES, State, mentions};
use super::marks::{self, plain};
use crate::event;

/// Contents that say that there is nothing to say.
const NOTHING: &[&str] = &["-", "n/a", "na", "none", "none yet", "nothing", "tbd", "todo"];

/// How much of what stands below its heading belongs to an entry, in bytes: what is longer is a text of its own.
const MAX_BELOW: usize = 1_000;

/// What an entry was begun by, which says what may follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A list mark.
    Bullet,
    /// A paragraph, or a label.
    Prose,
    /// A heading that tells an entry; what stands below it belongs to it.
    Heading,
    /// A heading within a section of one kind; the sentences below it belong to it, and a list is its own.
    Part,
    /// The first row of a table.
    Table,
    /// The first of the lines that are one note together.
    Together,
}

struct Open {
    entry: Entry,
    shape: Shape,
    indent: usize,
    /// Whether it is what it says, even if that is nothing.
    meant: bool,
    /// Files and commits that stand below it on a line of their own, in place of those that its words name.
    about: mentions::Named,
}

/// The entries of one log as they are written.
pub(super) struct Writing {
    entries: Vec<Entry>,
    skipped: u64,
    open: Option<Open>,
    /// Commits of the heading above.
    tied: Vec<String>,
    has_goal: bool,
    /// The line that is read, from 1.
    pub line: u32,
    /// The time it is at.
    pub at: Option<i64>,
}

impl Writing {
    pub(super) fn new(at: Option<i64>) -> Self {
        Writing { entries: Vec::new(), skipped: 0, open: None, tied: Vec::new(), has_goal: false, line: 0, at }
    }

    /// Begins an entry; the one before it is done.
    pub(super) fn open(&mut self, category: Category, shape: Shape, indent: usize, text: &str) {
        self.close();
        let entry = Entry {
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
        let (meant, about) = (marks::is_meant(text), mentions::Named::default());
        self.open = Some(Open { entry, shape, indent, meant, about });
    }

    /// Says how the open goal stands.
    pub(super) fn state(&mut self, state: Option<State>) {
        if let Some(open) = &mut self.open {
            open.entry.state = state;
        }
    }

    /// Takes the commits that stand beside the open entry's text.
    pub(super) fn beside(&mut self, text: &str) {
        if let Some(open) = &mut self.open {
            open.entry.commits = mentions::commits_in(text);
        }
    }

    /// Takes a line that says what the open entry is about; whether it is one.
    pub(super) fn about(&mut self, text: &str) -> bool {
        match (mentions::named_in(text), &mut self.open) {
            (Some(about), Some(open)) => {
                open.about = about;
                true
            }
            _ => false,
        }
    }

    /// How far in the open bullet is; none where none is open.
    pub(super) fn bullet(&self) -> Option<usize> {
        self.open.as_ref().filter(|open| open.shape == Shape::Bullet).map(|open| open.indent)
    }

    /// The category of the open entry, where a heading began it and what follows belongs to it.
    pub(super) fn headed(&self) -> Option<Category> {
        let is_headed = |open: &&Open| open.shape == Shape::Heading && open.entry.content.len() < MAX_BELOW;
        self.open.as_ref().filter(is_headed).map(|open| open.entry.category)
    }

    /// Whether a paragraph belongs to the heading that stands above.
    pub(super) fn is_part(&self) -> bool {
        let is_part = |open: &Open| open.shape == Shape::Part && open.entry.content.len() < MAX_BELOW;
        self.headed().is_some() || self.open.as_ref().is_some_and(is_part)
    }

    /// Whether a goal was written down.
    pub(super) fn has(&self, category: Category) -> bool {
        category == Category::Goal && self.has_goal
    }

    /// A further line of the open bullet or paragraph; whether there is one.
    pub(super) fn append(&mut self, text: &str) -> bool {
        let shapes = if self.is_part() { [Shape::Heading, Shape::Part] } else { [Shape::Bullet, Shape::Prose] };
        self.append_to(&shapes, text)
    }

    /// A further row of the open table; whether there is one.
    pub(super) fn row(&mut self, text: &str) -> bool {
        self.append_to(&[Shape::Table], text)
    }

    /// A line of those that are one note together.
    pub(super) fn together(&mut self, text: &str) {
        if !self.append_to(&[Shape::Together], text) {
            self.open(Category::Note, Shape::Together, 0, text);
        }
    }

    fn append_to(&mut self, shapes: &[Shape], text: &str) -> bool {
        let Some(open) = self.open.as_mut().filter(|open| shapes.contains(&open.shape)) else {
            return false;
        };
        push_line(&mut open.entry.content, text);
        true
    }

    /// A comment in code that a paragraph or a label shows: it is prose, and says what the code is about.
    pub(super) fn comment(&mut self, code: &str) {
        if let Some(text) = code.strip_prefix("//").or_else(|| code.strip_prefix("-- ")) {
            self.append_to(&[Shape::Prose], text.trim_start_matches(['/', '!']).trim());
        }
    }

    /// Takes a solution to the challenge before it, or what it came from; whether there is one.
    pub(super) fn answer(&mut self, text: &str) -> bool {
        if let Some(open) = self.open.as_mut().filter(|open| open.entry.category == Category::Challenge) {
            push_line(&mut open.entry.content, text);
            return true;
        }
        false
    }

    /// Ties the entries up to the next heading to the commits that a text names.
    pub(super) fn tie(&mut self, text: &str) {
        self.tied = mentions::commits_in(text);
    }

    /// Ends the open entry.
    pub(super) fn close(&mut self) {
        let Some(Open { mut entry, meant, about, .. }) = self.open.take() else { return };
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
                // In a list of commits, what a line begins with needs no word that says so.
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

    /// The entries, and how many came after the last that is kept.
    pub(super) fn finish(mut self) -> (Vec<Entry>, u64) {
        self.close();
        (self.entries, self.skipped)
    }
}

/// Adds a line; what is over the cap anyway is not copied.
fn push_line(content: &mut String, text: &str) {
    let is_meant = marks::is_meant(text);
    let text = plain(text);
    if content.len() <= MAX_CONTENT && (is_meant || !text.is_empty()) {
        if !content.is_empty() {
            content.push('\n');
        }
        content.push_str(&text);
    }
}

/// Whether a text says that there is nothing to say.
pub(in crate::sessions) fn says_nothing(content: &str) -> bool {
    let bare = content.trim_matches(|c: char| !c.is_alphanumeric() && c != '/').to_lowercase();
    bare.is_empty() || NOTHING.contains(&bare.as_str()) || (bare.starts_with("no ") && bare.ends_with("this session"))
}

/// How a goal stands, and the text behind its box.
pub(super) fn checkbox(text: &str) -> (Option<State>, &str) {
    const BOXES: [(&str, State); 8] = [
        ("[ ]", State::Open),
        ("[]", State::Open),
        ("[x]", State::Done),
        ("[X]", State::Done),
        ("[✓]", State::Done),
        ("[~]", State::Partial),
        ("[-]", State::Partial),
        ("[/]", State::Partial),
    ];
    let found = BOXES.iter().find_map(|(mark, state)| Some((*state, text.strip_prefix(mark)?)));
    match found {
        // `[x](url)` is a link.
        Some((_, rest)) if rest.starts_with('(') => (None, text),
        Some((state, rest)) => (Some(state), rest.trim_start()),
        None => (None, text),
    }
}

/// Whether a line says how the challenge before it was met.
pub(in crate::sessions) fn is_answer(text: &str) -> bool {
    let word = text.trim_start_matches(['*', '→', ' ']).split([':', '*', ' ']).next().unwrap_or_default();
    let label = text.contains(':') && word.len() < text.len();
    label
        && ["solution", "fix", "resolution", "resolved", "solved", "workaround"]
            .iter()
            .any(|w| word.eq_ignore_ascii_case(w))
}

/// Whether a label says why, behind what was decided or hard.
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

/// Whether a label says what the challenge before it came from.
pub(super) fn is_cause(label: &str) -> bool {
    ["cause", "diagnosis", "root cause", "symptom", "symptoms"].iter().any(|word| label.eq_ignore_ascii_case(word))
}

/// What a bullet says of itself where its section says nothing: `**Decision**: ...`.
pub(in crate::sessions) fn own(text: &str) -> Option<Category> {
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

/// What an agent did, in a dialogue: `Read: a`, `Executed: b`.
pub(super) fn action(text: &str) -> Option<(Category, &str)> {
    let (verb, what) = text.split_once(": ")?;
    let category = match verb.trim_matches('*').to_ascii_lowercase().as_str() {
        "read" | "modified" | "edited" | "created" | "wrote" | "written" => Category::Touched,
        "executed" | "ran" | "run" => Category::Command,
        _ => return None,
    };
    Some((category, what.trim().trim_matches('`')))
}
