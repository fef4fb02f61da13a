//! Notes beside an answer, as data; each front end decides where to show them.

/// A note beside an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// How important it is.
    pub level: NoteLevel,
    /// One sentence, without a full stop.
    pub text: String,
}

/// How much a note matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteLevel {
    /// The answer is complete; the note explains how it was found.
    Info,
    /// The answer may be incomplete.
    Warning,
}

impl Note {
    /// Creates a note that explains the answer.
    pub(super) fn info(text: impl Into<String>) -> Self {
        Note { level: NoteLevel::Info, text: text.into() }
    }

    /// Creates a note about something that may be wrong.
    pub(super) fn warning(text: impl Into<String>) -> Self {
        Note { level: NoteLevel::Warning, text: text.into() }
    }
}
