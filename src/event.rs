//! The vocabulary shared by all modules: facts, where they were read, and how items are named in keys and JSON.
//!
//! Invariant: pure; no disk access, git or SQL.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// Position of an event in the log, from 1, never reused.
pub type Seq = i64;

/// Longest text kept in an event, in bytes; longer texts are cut at a character boundary.
pub const MAX_TEXT: usize = 64 * 1024;

/// Where a fact was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A commit object.
    Git,
    /// A blob reached from a worktree's HEAD.
    Code,
    /// A development session; the log may have the only copy of its entries.
    Session,
}

impl Origin {
    /// Returns the name stored in the log.
    pub fn name(self) -> &'static str {
        match self {
            Origin::Git => "git",
            Origin::Code => "code",
            Origin::Session => "session",
        }
    }
}

/// The identity of a fact: a keyed 128-bit hash of its type and identity fields.
///
/// Reading a fact twice gives the same identity, so the log stores it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Idem(pub [u8; 16]);

impl Idem {
    /// Hashes an event type and its identity fields.
    ///
    /// The length of each field is hashed too, so that `["ab", "c"]` and `["a", "bc"]` differ.
    pub fn of(event_type: &str, fields: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("patina 2026 event identity");
        for field in std::iter::once(event_type.as_bytes()).chain(fields.iter().copied()) {
            hasher.update(&(field.len() as u64).to_le_bytes());
            hasher.update(field);
        }
        let mut idem = [0; 16];
        idem.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Idem(idem)
    }

    /// Returns the identity as 32 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }
}

/// An event that has no position in the log yet: something that happened, or that stays true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The event type: `git.commit`, `code.function`, ...
    pub event_type: String,
    /// When it happened, in Unix seconds; `None` for code, which has no time of its own.
    pub at: Option<i64>,
    /// Where it was read.
    pub origin: Origin,
    /// The file that it was read from, as an encoded path.
    pub source_file: Option<String>,
    /// Its identity.
    pub idem: Idem,
    /// The content, as one JSON object.
    pub data: String,
}

/// What a commit did to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Status {
    /// Added.
    A,
    /// Modified, its mode or its content.
    M,
    /// Deleted.
    D,
    /// Its type changed: file, symbolic link, submodule.
    T,
}

impl Status {
    /// Returns the letter that git prints.
    pub fn letter(self) -> &'static str {
        match self {
            Status::A => "A",
            Status::M => "M",
            Status::D => "D",
            Status::T => "T",
        }
    }
}

/// Returns bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(out, "{byte:02x}").expect("writing to a string cannot fail");
    }
    out
}

/// Decodes pairs of hexadecimal digits; `None` if the text contains anything else.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    // Checked first, because `from_str_radix` accepts a sign.
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok()).collect()
}

/// Returns whether a character is a control character, or an invisible mark that reorders or hides text on a terminal.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Encodes a path or name for keys and JSON; [`decode_path`] is the inverse.
///
/// Bytes that are not printable UTF-8, `%`, `#`, and the first letter of a leading `commit:` or `session:` are
/// percent-encoded.
pub fn encode_path(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let escape = |out: &mut String, bytes: &[u8]| {
        for byte in bytes {
            write!(out, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    };
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '%' || c == '#' || is_hidden(c) {
                escape(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                out.push(c);
            }
        }
        escape(&mut out, chunk.invalid());
    }
    if out.starts_with("commit:") || out.starts_with("session:") {
        let first = out.remove(0);
        out.insert_str(0, &format!("%{:02X}", first as u32));
    }
    out
}

/// Returns the bytes that [`encode_path`] encoded.
pub fn decode_path(encoded: &str) -> Vec<u8> {
    let bytes = encoded.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let escaped = (bytes[i] == b'%')
            .then(|| bytes.get(i + 1..i + 3))
            .flatten()
            .filter(|pair| pair.iter().all(u8::is_ascii_hexdigit))
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match escaped {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    out
}

/// Returns the key of a definition: the encoded path of its file, `#`, and its qualified name.
pub fn definition_key(path: &str, qualified: &str) -> String {
    format!("{path}#{}", encode_path(qualified.as_bytes()))
}

/// Returns a count with its noun: `1 commit`, `2 commits`.
pub fn pluralize(n: u64, thing: &str) -> String {
    match thing.strip_suffix('y') {
        _ if n == 1 => format!("1 {thing}"),
        Some(stem) => format!("{n} {stem}ies"),
        None => format!("{n} {thing}s"),
    }
}

/// Cuts a text to at most [`MAX_TEXT`] bytes, at a character boundary.
pub fn cap(text: &str) -> &str {
    cap_at(text, MAX_TEXT)
}

/// Cuts a text to at most `max` bytes, at a character boundary.
pub fn cap_at(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Cuts a text to at most `max` bytes, between words if it contains white space.
///
/// Words stay whole, because a later redaction recognizes a secret or a name only as a whole word.
pub fn cap_words(text: &str, max: usize) -> &str {
    let cut = cap_at(text, max);
    let is_whole = text[cut.len()..].chars().next().is_none_or(char::is_whitespace);
    if is_whole { cut } else { cut.rfind(char::is_whitespace).map_or(cut, |end| &cut[..end]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hidden_bytes_and_marks_are_encoded() {
        let check = |bytes: &[u8], expect: &str| assert_eq!(encode_path(bytes), expect);
        check(b"src/a.rs", "src/a.rs");
        check(b"a\nb", "a%0Ab");
        check(b"50%#1", "50%25%231");
        check(b"\xff", "%FF");
        check("\u{202e}x".as_bytes(), "%E2%80%AEx");
        check("grün/ß".as_bytes(), "grün/ß");
        check(b"commit:x", "%63ommit:x");
    }

    #[test]
    fn no_word_is_cut_in_two() {
        for (max, expect) in [(0, ""), (2, "in"), (5, "in"), (8, "in /home"), (9, "in /home"), (40, "in /home a")] {
            assert_eq!(cap_words("in /home a", max), expect, "{max}");
        }
        assert_eq!(cap_words("unbroken", 4), "unbr");
    }

    #[test]
    fn identity_knows_where_a_field_ends() {
        assert_ne!(Idem::of("t", &[b"ab", b"c"]), Idem::of("t", &[b"a", b"bc"]));
        assert_eq!(Idem::of("t", &[b"ab"]), Idem::of("t", &[b"ab"]));
    }

    proptest! {
        #[test]
        fn any_path_survives_a_round_trip(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let encoded = encode_path(&bytes);
            prop_assert_eq!(decode_path(&encoded), bytes);
            prop_assert!(!encoded.chars().any(is_hidden));
        }
    }
}
