//! The error type shown to users: what is wrong, why, and the next step; with an exit code.
//!
//! Internal errors, which only a developer can act on, are plain `anyhow` errors.

use std::fmt;

/// Exit codes that scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The command failed.
    Failed = 1,
    /// The arguments are wrong.
    Usage = 2,
    /// There is no repository here.
    NoRepository = 3,
    /// Something has not been set up; the hint names the command that does it.
    NotSetUp = 4,
    /// A lock is held by another process, or a timeout has passed.
    Locked = 5,
    /// A checksum mismatch, a newer database, or a state that does not verify.
    Unverified = 6,
    /// Interrupted by the user.
    Interrupted = 130,
}

/// The kind of error, for callers that need more detail than the exit code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UserErrorKind {
    /// Any error that callers do not distinguish.
    #[default]
    Other,
    /// The index was made by another version, with other settings, or from another log.
    OutdatedIndex,
}

/// An error that the user can act on.
#[derive(Debug)]
pub struct UserError {
    /// The kind, by which callers can tell errors apart.
    pub kind: UserErrorKind,
    /// The exit code of the program.
    pub exit: Exit,
    /// What is wrong and why, in one sentence.
    pub message: String,
    /// The next step.
    pub hint: Option<String>,
}

impl UserError {
    /// Creates an error without a hint.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        UserError { kind: UserErrorKind::Other, exit, message: message.into(), hint: None }
    }

    /// Sets the kind.
    pub fn kind(mut self, kind: UserErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// Adds a hint at the next step.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for UserError {}

/// Returns the error for a command that the user interrupted; finished work is kept.
pub fn interrupted() -> UserError {
    UserError::new(Exit::Interrupted, "interrupted; finished work is kept")
        .hint("run the same command again to continue")
}
