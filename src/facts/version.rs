//! Versions of the rules that facts are made by. Facts of another version are read again from git and no longer joined.
//! Invariant: each is composed of a number of its own and of the redaction's, so raising either raises it.

use crate::redact;
use crate::sessions::READER_VERSION;
use crate::syntax::EXTRACTOR;

/// Version of the rules that turn a commit into a fact. Raise it whenever the same commit gives another fact; a change of
/// redaction counts by itself.
const COMMIT_RULES: u32 = 5;

/// Version of facts of commits, stored as `deriver`.
pub const COMMIT_VERSION: u32 = with_redaction(COMMIT_RULES, redact::VERSION);

/// Version of facts of files, stored as `extractor`.
pub const CODE_VERSION: u32 = with_redaction(EXTRACTOR, redact::VERSION);

/// The redaction's version when the numbers were first composed: what was stored before goes on without a jump.
const REDACTION_AT_FIRST: u32 = 5;

/// Adds what the redaction was raised by since to a number of its own. Neither ever falls, so two builds of one history
/// have the same sum only where they have the same rules.
const fn with_redaction(own: u32, redaction: u32) -> u32 {
    own + (redaction - REDACTION_AT_FIRST)
}

/// Returns the version of facts of sessions, `<reader>.<redaction>`.
pub fn session_version() -> String {
    format!("{READER_VERSION}.{}", redact::VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raising_either_number_raises_the_version() {
        assert_eq!(with_redaction(5, REDACTION_AT_FIRST), 5);
        assert_eq!(with_redaction(6, REDACTION_AT_FIRST), 6);
        assert_eq!(with_redaction(5, REDACTION_AT_FIRST + 1), 6);
        assert!(session_version().ends_with(&format!(".{}", redact::VERSION)));
    }
}
