//! What is embedded of an item: pure, from the event's own data. Holds no path: a moved file embeds nothing, and
//! nearness of paths is told apart from nearness of meaning.

use serde::Deserialize;

use crate::event::cap_at;
use crate::sessions::is_told;

/// Version of these rules; part of an embedding's key.
pub const RECIPE: u32 = 1;

/// Longest text handed to a model, in bytes: more than any 128 tokens of prose or code.
const LONGEST: usize = 1500;
/// Of a long doc comment this much, in bytes, so that the signature below it is still read.
const LONGEST_DOC: usize = 400;
/// Names of a file's or container's members that say what it is about.
const NAMES: usize = 40;

/// The fields of an event's data that a text is made of.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Source {
    /// `file`, `function`, ...; empty for a commit and for what a session says.
    pub kind: String,
    /// In a language that is read as code.
    pub language: Option<String>,
    /// Doc comment.
    pub doc: String,
    /// Source or prose.
    pub text: String,
    /// A commit's message.
    pub message: String,
    /// What a session calls itself.
    pub title: String,
    /// What an entry of a session is; empty for everything else.
    pub category: String,
    /// What it says.
    pub content: String,
}

/// The text that stands for an item; empty where it says nothing.
pub fn text_of(source: &Source) -> String {
    let text = match source.kind.as_str() {
        "" if !source.category.is_empty() => said(source),
        "" if !source.title.is_empty() => source.title.trim().to_string(),
        "" => source.message.trim().to_string(),
        "file" if source.language.is_some() => file(source),
        "file" => source.text.trim().to_string(),
        "function" | "constant" | "macro" => join(&[cap_at(source.doc.trim(), LONGEST_DOC), source.text.trim()]),
        _ => container(source),
    };
    cap_at(&text, LONGEST).trim_end().to_string()
}

/// What a text is known by.
pub fn hash_of(text: &str) -> [u8; 16] {
    let mut hash = [0; 16];
    hash.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
    hash
}

/// An entry of a session, where it says something to find it by.
fn said(source: &Source) -> String {
    if is_told(&source.category) { source.content.trim().to_string() } else { String::new() }
}

/// A file of code: its leading comment and the names in it, or its first lines where it names nothing.
fn file(source: &Source) -> String {
    let names = member_names(&source.text);
    if names.is_empty() {
        return join(&[source.doc.trim(), source.text.trim()]);
    }
    join(&[cap_at(source.doc.trim(), 2 * LONGEST_DOC), &names.join(" ")])
}

/// A type or module: doc, header, and the names of its members.
fn container(source: &Source) -> String {
    let doc = cap_at(source.doc.trim(), LONGEST_DOC);
    let names = member_names(&source.text);
    let header = source.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if names.is_empty() { join(&[doc, source.text.trim()]) } else { join(&[doc, header.trim(), &names.join(" ")]) }
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

    #[test]
    fn each_kind_says_what_it_is() {
        let check = |kind: &str, language: Option<&str>, doc: &str, text: &str, expect: &str| {
            let source = Source {
                kind: kind.into(),
                language: language.map(Into::into),
                doc: doc.into(),
                text: text.into(),
                ..Source::default()
            };
            assert_eq!(text_of(&source), expect);
        };
        check("function", Some("rust"), "Adds.", "fn add() {}", "Adds.\nfn add() {}");
        check("file", Some("rust"), "Sums.", "use std::io;\n\nadd\n\nadd\n\nsub\n", "Sums.\nadd sub");
        check("file", Some("rust"), "", "use std::io;\n", "use std::io;");
        check("file", None, "", "# Title\n\nProse.\n", "# Title\n\nProse.");
        check(
            "type",
            Some("rust"),
            "A sink.",
            "pub trait Sink {\n    begin\n\n    finish\n}",
            "A sink.\npub trait Sink {\nbegin finish",
        );
        check("type", Some("rust"), "", "struct P { x: u8 }", "struct P { x: u8 }");
    }

    #[test]
    fn a_commit_is_its_message_and_nothing_is_too_long() {
        let source = Source { message: "  subject\n\nbody\n".into(), ..Source::default() };
        assert_eq!(text_of(&source), "subject\n\nbody");
        let source = Source { kind: "function".into(), text: "ü".repeat(5000), ..Source::default() };
        assert!(text_of(&source).len() <= LONGEST);
    }
}
