//! Versions of the rules that derive facts. Facts of another version are not joined; they are derived again from git.
//!
//! Invariant: each version combines its own number with the redaction's, so raising either raises it.

use crate::redact;
use crate::sessions::READER_VERSION;
use crate::syntax::EXTRACTOR;

/// Version of the rules that turn a commit into a fact.
///
/// Raise it whenever the same commit yields another fact. A change of redaction raises the combined version on its own.
const COMMIT_RULES: u32 = 5;

/// Version of the facts of commits, stored in the field `deriver`.
pub const COMMIT_VERSION: u32 = with_redaction(COMMIT_RULES, redact::VERSION);

/// Version of the facts of files, stored in the field `extractor`.
pub const CODE_VERSION: u32 = with_redaction(EXTRACTOR, redact::VERSION);

/// Redaction version when the numbers were first combined; subtracting it kept the versions stored before valid.
const REDACTION_AT_FIRST: u32 = 5;

/// Adds the increase of the redaction version to a rule version.
///
/// Neither number ever decreases, so two builds from one line of development have the same sum only if both are equal.
const fn with_redaction(own: u32, redaction: u32) -> u32 {
    own + (redaction - REDACTION_AT_FIRST)
}

/// Returns the version of the facts of sessions, `<reader>.<redaction>`.
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
