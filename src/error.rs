//! The one error type for people: what is wrong, why, and the next step, with its exit code. Refuses
//! to carry what only a developer can read; that is `anyhow`'s part.

use std::fmt;

/// Exit codes that scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It did not work.
    Failed = 1,
    /// The words of the call do not fit.
    Usage = 2,
    /// There is no repository here.
    NoRepository = 3,
    /// Something has not been set up: the message names the command that mends it.
    NotSetUp = 4,
    /// Locked, or timed out.
    Locked = 5,
    /// A checksum that does not match, a newer database, a state that does not verify.
    Unverified = 6,
    /// Interrupted.
    Interrupted = 130,
}

/// A message that a person can act on.
#[derive(Debug)]
pub struct UserError {
    /// The code the program ends with.
    pub exit: Exit,
    /// What is wrong and why, one sentence.
    pub message: String,
    /// The next step.
    pub hint: Option<String>,
}

impl UserError {
    /// An error without a hint.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        UserError { exit, message: message.into(), hint: None }
    }

    /// The same with the next step.
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

/// The person stopped the program; what was finished is kept.
pub fn interrupted() -> UserError {
    UserError::new(Exit::Interrupted, "interrupted; what was finished is kept")
        .hint("run the same command again to go on from there")
}
