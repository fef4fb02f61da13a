//! Patterns of keys: a sequence of literals and runs of a byte class.
//!
//! Invariant: matching never backtracks. A run takes all that its class allows, so matching is linear, and a run of
//! fixed length must end where its class does.

/// A set of bytes that a run consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteClass {
    /// `0-9`
    Digit,
    /// `0-9a-fA-F`
    Hex,
    /// `a-z0-9`
    Lower,
    /// `A-Z0-9`
    Upper,
    /// `A-Za-z0-9`
    Alnum,
    /// `A-Za-z0-9_`
    Word,
    /// URL-safe base64: `A-Za-z0-9_-`
    Url,
    /// URL-safe base64 and dots: `A-Za-z0-9_.-`
    Dotted,
    /// Standard base64: `A-Za-z0-9+/`
    Base64,
    /// Either base64 with padding: `A-Za-z0-9+/_=-`
    Padded,
}

impl ByteClass {
    /// Returns whether a byte belongs to the class.
    pub(super) fn has(self, byte: u8) -> bool {
        match self {
            ByteClass::Digit => byte.is_ascii_digit(),
            ByteClass::Hex => byte.is_ascii_hexdigit(),
            ByteClass::Lower => byte.is_ascii_lowercase() || byte.is_ascii_digit(),
            ByteClass::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            ByteClass::Alnum => byte.is_ascii_alphanumeric(),
            ByteClass::Word => byte.is_ascii_alphanumeric() || byte == b'_',
            ByteClass::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            ByteClass::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
            ByteClass::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'),
            ByteClass::Padded => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-' | b'='),
        }
    }

    /// Returns the length of the run at the start of `text`, at most `most`.
    pub(super) fn run(self, text: &[u8], most: usize) -> usize {
        text.iter().take(most).take_while(|byte| self.has(**byte)).count()
    }
}

/// One element of a key's pattern.
#[derive(Debug, Clone, Copy)]
pub(super) enum KeyPiece {
    /// A literal.
    Text(&'static str),
    /// The first of these literals that occurs.
    OneOf(&'static [&'static str]),
    /// A run of a class with at least and at most these numbers of bytes.
    Run(ByteClass, usize, usize),
}

/// The number of bytes of an unbounded run that are read before the key is judged.
///
/// Bounds the cost of anchors that repeat inside a run which turns out not to be a key.
const MAX_UNJUDGED_RUN: usize = 256;

/// Returns a run of exactly `length` bytes.
pub(super) const fn exactly(class: ByteClass, length: usize) -> KeyPiece {
    KeyPiece::Run(class, length, length)
}

/// Returns a run of at least `least` bytes.
pub(super) const fn at_least(class: ByteClass, least: usize) -> KeyPiece {
    KeyPiece::Run(class, least, usize::MAX)
}

/// A UUID: 8-4-4-4-12 hexadecimal digits.
pub(super) const UUID: &[KeyPiece] = &[
    exactly(ByteClass::Hex, 8),
    KeyPiece::Text("-"),
    exactly(ByteClass::Hex, 4),
    KeyPiece::Text("-"),
    exactly(ByteClass::Hex, 4),
    KeyPiece::Text("-"),
    exactly(ByteClass::Hex, 4),
    KeyPiece::Text("-"),
    exactly(ByteClass::Hex, 12),
];

/// Returns the end of a match that begins at `at`.
pub(super) fn match_end(form: &[KeyPiece], text: &[u8], mut at: usize) -> Option<usize> {
    for piece in form {
        let rest = text.get(at..)?;
        at += match *piece {
            KeyPiece::Text(literal) => rest.starts_with(literal.as_bytes()).then_some(literal.len())?,
            KeyPiece::OneOf(literals) => literals.iter().find(|literal| rest.starts_with(literal.as_bytes()))?.len(),
            KeyPiece::Run(class, least, usize::MAX) => {
                let length = class.run(rest, MAX_UNJUDGED_RUN);
                (least <= length).then_some(length)?
            }
            KeyPiece::Run(class, least, most) => {
                let length = class.run(rest, most + 1);
                (least <= length && length <= most).then_some(length)?
            }
        };
    }
    Some(at)
}

/// Returns the actual end of a key that was judged up to `at`: an unbounded last run is followed to its end.
pub(super) fn extend_open_run(form: &[KeyPiece], text: &[u8], at: usize) -> usize {
    match form.last() {
        Some(KeyPiece::Run(class, _, usize::MAX)) => at + class.run(&text[at..], usize::MAX),
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_a_fixed_length_ends_where_its_alphabet_does() {
        let form =
            [KeyPiece::Text("a-"), exactly(ByteClass::Hex, 4), KeyPiece::Text("."), at_least(ByteClass::Digit, 2)];
        let check =
            |text: &str, expect: Option<usize>| assert_eq!(match_end(&form, text.as_bytes(), 0), expect, "{text}");
        check("a-beef.123 ", Some(10));
        check("a-beef0.123", None);
        check("a-bee.123", None);
        check("a-beef.1", None);
        check("a-beef", None);
        let long = format!("a-beef.{}", "1".repeat(2000));
        let at = match_end(&form, long.as_bytes(), 0).expect("it is long enough");
        assert!(at < long.len() && extend_open_run(&form, long.as_bytes(), at) == long.len());
    }

    #[test]
    fn a_uuid_needs_its_hyphens_and_its_length() {
        let check =
            |text: &str, expect: bool| assert_eq!(match_end(UUID, text.as_bytes(), 0).is_some(), expect, "{text}");
        check("6ba7b810-9dad-11d1-80b4-00c04fd430c8", true);
        check("6ba7b810-9dad-11d1-80b4-00c04fd430c8f", false);
        check("6ba7b8109dad11d180b400c04fd430c8", false);
    }
}
