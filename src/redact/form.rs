//! The form of a key: literals and runs of an alphabet, one after the other. Refuses to backtrack: a run takes all that
//! its alphabet allows, so that matching is linear, and a run of a fixed length must end where its alphabet does.

/// An alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
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
    /// Letters, digits and `_`.
    Word,
    /// Base64 as it stands in URLs: letters, digits, `_` and `-`.
    Url,
    /// The same and dots.
    Dotted,
    /// Letters, digits, `+` and `/`.
    Base64,
    /// Either base64, with its padding.
    Padded,
}

impl Class {
    pub(super) fn has(self, byte: u8) -> bool {
        match self {
            Class::Digit => byte.is_ascii_digit(),
            Class::Hex => byte.is_ascii_hexdigit(),
            Class::Lower => byte.is_ascii_lowercase() || byte.is_ascii_digit(),
            Class::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Class::Alnum => byte.is_ascii_alphanumeric(),
            Class::Word => byte.is_ascii_alphanumeric() || byte == b'_',
            Class::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Class::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
            Class::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'),
            Class::Padded => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-' | b'='),
        }
    }

    /// How many bytes from the start are of this alphabet, counted no further than `most`.
    pub(super) fn run(self, text: &[u8], most: usize) -> usize {
        text.iter().take(most).take_while(|byte| self.has(**byte)).count()
    }
}

/// A part of a form.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece {
    /// This text.
    Text(&'static str),
    /// One of these, the first that fits.
    Any(&'static [&'static str]),
    /// So many bytes of an alphabet, at least and at most.
    Run(Class, usize, usize),
}

/// How far an open run is followed before the key is judged: with it, starts that are repeated inside of a run that is
/// none cost no more than this each.
const OPEN: usize = 256;

/// Exactly so many.
pub(super) const fn of(class: Class, length: usize) -> Piece {
    Piece::Run(class, length, length)
}

/// So many or more.
pub(super) const fn from(class: Class, least: usize) -> Piece {
    Piece::Run(class, least, usize::MAX)
}

/// 8-4-4-4-12 hexadecimal digits.
pub(super) const UUID: &[Piece] = &[
    of(Class::Hex, 8),
    Piece::Text("-"),
    of(Class::Hex, 4),
    Piece::Text("-"),
    of(Class::Hex, 4),
    Piece::Text("-"),
    of(Class::Hex, 4),
    Piece::Text("-"),
    of(Class::Hex, 12),
];

/// Where a form that begins at `at` ends.
pub(super) fn end(form: &[Piece], text: &[u8], mut at: usize) -> Option<usize> {
    for piece in form {
        let rest = text.get(at..)?;
        at += match *piece {
            Piece::Text(literal) => rest.starts_with(literal.as_bytes()).then_some(literal.len())?,
            Piece::Any(literals) => literals.iter().find(|literal| rest.starts_with(literal.as_bytes()))?.len(),
            Piece::Run(class, least, usize::MAX) => {
                let length = class.run(rest, OPEN);
                (least <= length).then_some(length)?
            }
            Piece::Run(class, least, most) => {
                let length = class.run(rest, most + 1);
                (least <= length && length <= most).then_some(length)?
            }
        };
    }
    Some(at)
}

/// Where a key that ends at `at` really ends: an open run is followed as far as it goes, once it has been judged.
pub(super) fn reach(form: &[Piece], text: &[u8], at: usize) -> usize {
    match form.last() {
        Some(Piece::Run(class, _, usize::MAX)) => at + class.run(&text[at..], usize::MAX),
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_a_fixed_length_ends_where_its_alphabet_does() {
        let form = [Piece::Text("a-"), of(Class::Hex, 4), Piece::Text("."), from(Class::Digit, 2)];
        let check = |text: &str, expect: Option<usize>| assert_eq!(end(&form, text.as_bytes(), 0), expect, "{text}");
        check("a-beef.123 ", Some(10));
        check("a-beef0.123", None);
        check("a-bee.123", None);
        check("a-beef.1", None);
        check("a-beef", None);
        let long = format!("a-beef.{}", "1".repeat(2000));
        let at = end(&form, long.as_bytes(), 0).expect("it is long enough");
        assert!(at < long.len() && reach(&form, long.as_bytes(), at) == long.len());
    }

    #[test]
    fn a_uuid_is_one() {
        let check = |text: &str, expect: bool| assert_eq!(end(UUID, text.as_bytes(), 0).is_some(), expect, "{text}");
        check("6ba7b810-9dad-11d1-80b4-00c04fd430c8", true);
        check("6ba7b810-9dad-11d1-80b4-00c04fd430c8f", false);
        check("6ba7b8109dad11d180b400c04fd430c8", false);
    }
}
