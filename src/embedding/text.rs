//! The text of an item that is embedded, derived from its event data alone.
//!
//! Invariant: it contains no path, so a moved file needs no new embedding, and path similarity stays separate from
//! similarity in meaning.

use crate::event::cap_at;
use crate::facts::{Body, ItemData, ItemKind};
use crate::sessions::is_searchable;

/// Version of these rules; part of the key of an embedding.
pub const RECIPE: u32 = 1;

/// Longest text passed to a model, in bytes: more than any 128 tokens of prose or code.
const MAX_TEXT_BYTES: usize = 1500;
/// Longest part of a doc comment, in bytes, so that the signature below it is within the token limit.
const MAX_DOC_BYTES: usize = 400;
/// Most member names in the text of a file or container.
const MAX_MEMBER_NAMES: usize = 40;

/// Returns the text to embed for an item; empty if it has none.
pub fn text_of(body: &Body<'_>) -> String {
    match body {
        Body::Commit(data) => text_of_message(&data.message),
        Body::Item(data) => text_of_item(data),
        Body::SessionRead(data) => capped(data.title.trim()),
        Body::Entry(data) => text_of_entry(data.category.name(), &data.content),
        Body::Call(_) | Body::Import(_) => String::new(),
    }
}

/// Returns the text to embed for a commit with a message.
pub fn text_of_message(message: &str) -> String {
    capped(message.trim())
}

/// Returns the text to embed for a session entry; empty if its category is not searchable.
pub fn text_of_entry(category: &str, content: &str) -> String {
    if is_searchable(category) { capped(content.trim()) } else { String::new() }
}

/// Returns the text to embed for a file or definition.
fn text_of_item(data: &ItemData<'_>) -> String {
    let text = match data.kind {
        ItemKind::File if data.language.is_some() => code_file(data),
        ItemKind::File => return capped(data.text.trim()),
        ItemKind::Function | ItemKind::Constant | ItemKind::Macro => {
            join(&[cap_at(data.doc.trim(), MAX_DOC_BYTES), data.text.trim()])
        }
        _ => container(data),
    };
    capped(&text)
}

/// Cuts a text at [`MAX_TEXT_BYTES`].
fn capped(text: &str) -> String {
    cap_at(text, MAX_TEXT_BYTES).trim_end().to_string()
}

/// Returns the hash that identifies a text: the first 128 bits of its blake3.
pub fn hash_of(text: &str) -> [u8; 16] {
    let mut hash = [0; 16];
    hash.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
    hash
}

/// Returns the text of a code file: its leading comment and its member names, or its text if it has no members.
fn code_file(data: &ItemData<'_>) -> String {
    let names = member_names(&data.text);
    if names.is_empty() {
        return join(&[data.doc.trim(), data.text.trim()]);
    }
    join(&[cap_at(data.doc.trim(), 2 * MAX_DOC_BYTES), &names.join(" ")])
}

/// Returns the text of a type or module: doc comment, header and member names.
fn container(data: &ItemData<'_>) -> String {
    let doc = cap_at(data.doc.trim(), MAX_DOC_BYTES);
    let names = member_names(&data.text);
    let header = data.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if names.is_empty() { join(&[doc, data.text.trim()]) } else { join(&[doc, header.trim(), &names.join(" ")]) }
}

/// Returns the member names of a container; its text has the name of an omitted member on a line of its own.
fn member_names(text: &str) -> Vec<&str> {
    let is_name = |line: &&str| {
        !line.is_empty()
            && line.chars().all(|c| c.is_alphanumeric() || "_:<>~$".contains(c))
            && line.chars().any(char::is_alphabetic)
    };
    let mut names: Vec<&str> = Vec::new();
    for name in text.lines().map(str::trim).filter(is_name) {
        if names.len() == MAX_MEMBER_NAMES {
            break;
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Joins the non-empty parts by newlines.
fn join(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item<'a>(kind: ItemKind, language: Option<&'a str>, doc: &'a str, text: &'a str) -> Body<'a> {
        Body::Item(ItemData {
            file_path: "a".into(),
            key: "a".into(),
            name: "a".into(),
            qualified_name: "a".into(),
            kind,
            language: language.map(Into::into),
            signature: "".into(),
            return_type: None,
            doc: doc.into(),
            shape: "".into(),
            text: text.into(),
            extractor: 0,
        })
    }

    #[test]
    fn each_kind_has_its_text() {
        let check = |kind: ItemKind, language: Option<&str>, doc: &str, text: &str, expect: &str| {
            assert_eq!(text_of(&item(kind, language, doc, text)), expect);
        };
        check(ItemKind::Function, Some("rust"), "Adds.", "fn add() {}", "Adds.\nfn add() {}");
        check(ItemKind::File, Some("rust"), "Sums.", "use std::io;\n\nadd\n\nadd\n\nsub\n", "Sums.\nadd sub");
        check(ItemKind::File, Some("rust"), "", "use std::io;\n", "use std::io;");
        check(ItemKind::File, None, "", "# Title\n\nProse.\n", "# Title\n\nProse.");
        check(
            ItemKind::Type,
            Some("rust"),
            "A sink.",
            "pub trait Sink {\n    begin\n\n    finish\n}",
            "A sink.\npub trait Sink {\nbegin finish",
        );
        check(ItemKind::Type, Some("rust"), "", "struct P { x: u8 }", "struct P { x: u8 }");
    }

    #[test]
    fn a_commit_is_its_message_and_nothing_is_too_long() {
        assert_eq!(text_of_message("  subject\n\nbody\n"), "subject\n\nbody");
        assert!(text_of(&item(ItemKind::Function, None, "", &"ü".repeat(5000))).len() <= MAX_TEXT_BYTES);
    }

    #[test]
    fn what_was_touched_or_run_says_nothing() {
        assert_eq!(text_of_entry("decision", " use a "), "use a");
        assert_eq!(text_of_entry("command", "ls"), "");
    }
}
