//! Facts: the fields of every event's data, and the functions that derive them from commits, parsed files and sessions.
//!
//! Invariants: pure, so equal input gives equal facts on any machine; no other module knows the fields of an event.

mod body;
mod code;
mod commits;
mod kind;
mod sessions;
#[cfg(test)]
mod tests;
mod version;

pub use body::{
    Body, CODE_CALL, CODE_EVENTS, CODE_IMPORT, CallData, CommitData, ERASED, EntryData, FileChange, GIT_COMMIT,
    ImportData, ItemData, SESSION_EVENTS, SESSION_READ, SessionData,
};
pub use code::{CallFact, CodeFacts, ImportFact, ItemFact, file_facts, text_facts};
pub use commits::{commit_fact, commit_idem};
pub use kind::ItemKind;
pub use sessions::{
    EntryFact, NOTES, SESSION, entry_fact, entry_facts, session_fact, session_facts, session_of, source_of,
};
pub use version::{CODE_VERSION, COMMIT_VERSION, session_version};

use crate::event::cap;
use crate::redact::redact;

/// Returns a text as it may be stored: redacted, and cut to the maximum length of an event's text.
pub fn storable(text: &str) -> String {
    let text = redact(text);
    cap(&text).to_string()
}
