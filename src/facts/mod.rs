//! Facts: the shape of every event's data, and the functions that turn commits, parsed files and sessions into it. Pure: the
//! same input gives the same facts, on any machine, in any order. Invariant: no other room knows the fields of an event.

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

/// Returns what may be stored of a text: without secrets, and no longer than an event may be.
pub fn storable(text: &str) -> String {
    let text = redact(text);
    cap(&text).to_string()
}
