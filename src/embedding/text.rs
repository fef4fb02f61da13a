//! What is embedded of an item: pure, from the event's own data. Holds no path: a moved file embeds nothing, and
//! nearness of paths is told apart from nearness of meaning.

use crate::event::cap_at;
use crate::facts::{Body, ItemData, ItemKind};
use crate::sessions::is_searchable;

/// Version of these rules; part of an embedding's key.
pub const RECIPE: u32 = 1;

/// Longest text handed to a model, in bytes: more than any 128 tokens of prose or code.
const LONGEST: usize = 1500;
/// Of a long doc comment this much, in bytes, so that the signature below it is still read.
const LONGEST_DOC: usize = 400;
/// Names of a file's or container's members that say what it is about.
const NAMES: usize = 40;

/// Returns the text that stands for an item; empty where it says nothing.
pub fn text_of(body: &Body<'_>) -> String {
    match body {
        Body::Commit(data) => text_of_message(&data.message),
        Body::Item(data) => text_of_item(data),
        Body::SessionRead(data) => capped(data.title.trim()),
        Body::Entry(data) => text_of_entry(data.category.name(), &data.content),
        Body::Call(_) | Body::Import(_) => String::new(),
    }
}

/// Returns the text that stands for a commit of a message.
pub fn text_of_message(message: &str) -> String {
    capped(message.trim())
}

/// Returns the text that stands for an entry of a session, where it says something to find it by.
pub fn text_of_entry(category: &str, content: &str) -> String {
    if is_searchable(category) { capped(content.trim()) } else { String::new() }
}

fn text_of_item(data: &ItemData<'_>) -> String {
    let text = match data.kind {
        ItemKind::File if data.language.is_some() => file(data),
        ItemKind::File => return capped(data.text.trim()),
        ItemKind::Function | ItemKind::Constant | ItemKind::Macro => {
            join(&[cap_at(data.doc.trim(), LONGEST_DOC), data.text.trim()])
        }
        _ => container(data),
    };
    capped(&text)
}

fn capped(text: &str) -> String {
    cap_at(text, LONGEST).trim_end().to_string()
}

/// What a text is known by.
pub fn hash_of(text: &str) -> [u8; 16] {
    let mut hash = [0; 16];
    hash.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
    hash
}

/// A file of code: its leading comment and the names in it, or its first lines where it names nothing.
fn file(data: &ItemData<'_>) -> String {
    let names = member_names(&data.text);
    if names.is_empty() {
        return join(&[data.doc.trim(), data.text.trim()]);
    }
    join(&[cap_at(data.doc.trim(), 2 * LONGEST_DOC), &names.join(" ")])
}

/// A type or module: doc, header, and the names of its members.
fn container(data: &ItemData<'_>) -> String {
    let doc = cap_at(data.doc.trim(), LONGEST_DOC);
    let names = member_names(&data.text);
    let header = data.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if names.is_empty() { join(&[doc, data.text.trim()]) } else { join(&[doc, header.trim(), &names.join(" ")]) }
}

/// Where a container's text leaves a member's body out, its name stands on a line of its own.
fn member_names(text: &str) -> Vec<&str> {
    let is_name = |line: &&str| {
        !line.is_empty()
            && line.chars().all(|c| c.is_alphanumeric() || "_:<>~$".contains(c))
            && line.chars().any(char::is_alphabetic)
    };
    let mut names: Vec<&str> = Vec::new();
    for name in text.lines().map(str::trim).filter(is_name) {
        if names.len() == NAMES {
            break;
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

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
    fn each_kind_says_what_it_is() {
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
        assert!(text_of(&item(ItemKind::Function, None, "", &"ü".repeat(5000))).len() <= LONGEST);
    }

    #[test]
    fn what_was_touched_or_run_says_nothing() {
        assert_eq!(text_of_entry("decision", " use a "), "use a");
        assert_eq!(text_of_entry("command", "ls"), "");
    }
}
