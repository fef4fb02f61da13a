//! Notes beside an answer, as data: each front end decides where to show them.

/// A sentence beside an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// How much it matters.
    pub level: NoteLevel,
    /// One sentence, without a full stop.
    pub text: String,
}

/// How much a note matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteLevel {
    /// The answer is what it should be; this says how it came about.
    Info,
    /// The answer may lack something.
    Warning,
}

impl Note {
    /// Makes a note of what the answer rests on.
    pub(super) fn info(text: impl Into<String>) -> Self {
        Note { level: NoteLevel::Info, text: text.into() }
    }

    /// Makes a note of what may be wrong.
    pub(super) fn warning(text: impl Into<String>) -> Self {
        Note { level: NoteLevel::Warning, text: text.into() }
    }
}
