//! The parts of a secret rule: anchor, left boundary, matcher and minimum variety.
//!
//! It contains no rules, so that each family of rules can import it.

use super::pattern::KeyPiece;

/// A rule that recognises one kind of secret.
pub(super) struct Rule {
    /// The kind as shown in the mark.
    pub kind: &'static str,
    /// Literals that trigger the rule, at least two bytes each. Compared exactly unless `ignores_case`.
    pub anchors: &'static [&'static str],
    /// Whether anchors match in any case; they must then be in lower case.
    pub ignores_case: bool,
    /// What may precede the secret.
    pub left: LeftBoundary,
    /// How the secret continues after its anchor.
    pub matcher: Matcher,
    /// A proof of validity, such as a checksum; a match that passes is accepted even in the middle of a word.
    pub proven_by: Option<fn(&[u8]) -> bool>,
    /// A condition that every match must satisfy.
    pub must_satisfy: Option<fn(&[u8]) -> bool>,
    /// How varied the part after the anchor must be.
    pub variety: MinVariety,
}

/// How a secret continues after its anchor.
pub(super) enum Matcher {
    /// These pieces follow; the anchor is part of the secret.
    Whole(&'static [KeyPiece]),
    /// These pieces follow and are the secret; the anchor is kept.
    AfterAnchor(&'static [KeyPiece]),
    /// A function finds one secret around or after the anchor.
    Custom(fn(&AnchorMatch) -> Option<(usize, usize)>),
    /// A function appends any number of secrets.
    CustomMany(fn(&AnchorMatch, &mut SecretRanges)),
}

/// Byte ranges of secrets in a text.
pub(super) type SecretRanges = Vec<(usize, usize)>;

/// An occurrence of a rule's anchor in a text.
pub(super) struct AnchorMatch<'a> {
    /// The whole text.
    pub text: &'a [u8],
    /// First byte of the anchor.
    pub start: usize,
    /// One past the last byte of the anchor.
    pub end: usize,
    /// Bytes before this offset belong to earlier matches and must not be read.
    pub scanned: usize,
}

/// What may precede a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LeftBoundary {
    /// Anything.
    Any,
    /// Anything but a letter, digit or underscore: the secret is a word of its own.
    Word,
    /// As `Word`, and not a hyphen, plus or slash either: an anchor inside base64 is a coincidence.
    Base64,
}

/// How varied the characters of a secret must be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum MinVariety {
    /// No requirement.
    Nothing,
    /// At least five distinct characters: a run of `X` is a placeholder.
    Variety,
    /// In addition, two of lower case, upper case and digits: words joined by hyphens or underscores have only one.
    Mixture,
    /// In addition, a digit.
    Digits,
}

impl LeftBoundary {
    /// Returns whether a secret may begin after these bytes.
    pub(super) fn allows(self, left: &[u8]) -> bool {
        match (self, left) {
            (LeftBoundary::Any, _) | (_, []) => true,
            // After an escape in a quoted string, such as \n in JSON.
            (_, [.., b'\\', b'n' | b'r' | b't']) => true,
            // After a percent escape in a URL or a unicode escape in JSON: %3D, \u003d.
            (_, [.., b'%', high, low]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => true,
            (_, [.., b'\\', b'u', b'0', b'0', _, _]) => true,
            // After a terminal colour code.
            (_, [.., b'm']) => is_colour(left),
            (LeftBoundary::Word, [.., byte]) => !byte.is_ascii_alphanumeric() && *byte != b'_',
            (LeftBoundary::Base64, [.., byte]) => {
                !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-' | b'+' | b'/')
            }
        }
    }
}

/// Returns whether a text ends in a terminal colour code such as `[32m`.
fn is_colour(left: &[u8]) -> bool {
    let numbers =
        left[..left.len() - 1].iter().rev().take(12).take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
    left[..left.len() - 1 - numbers].ends_with(b"[")
}

impl AnchorMatch<'_> {
    /// Counts the bytes right before the anchor that satisfy `has`, up to `most`.
    ///
    /// The letter of an escape such as \\n does not count.
    pub(super) fn before(&self, most: usize, has: impl Fn(u8) -> bool) -> usize {
        let left = &self.text[self.scanned..self.start];
        let count = left.iter().rev().take(most).take_while(|byte| has(**byte)).count();
        let is_escape = matches!(left[..left.len() - count], [.., b'\\'])
            && matches!(left[left.len() - count..], [b'n' | b'r' | b't', ..]);
        count - usize::from(is_escape)
    }
}

/// Builds a rule for a key that is secret as a whole.
pub(super) const fn key(kind: &'static str, anchors: &'static [&'static str], form: &'static [KeyPiece]) -> Rule {
    Rule {
        kind,
        anchors,
        ignores_case: false,
        left: LeftBoundary::Word,
        matcher: Matcher::Whole(form),
        proven_by: None,
        must_satisfy: None,
        variety: MinVariety::Mixture,
    }
}

/// Builds a rule for a secret that follows an anchor which is itself public.
pub(super) const fn after(kind: &'static str, anchors: &'static [&'static str], form: &'static [KeyPiece]) -> Rule {
    Rule { left: LeftBoundary::Any, matcher: Matcher::AfterAnchor(form), ..key(kind, anchors, &[]) }
}

/// Builds a rule whose secret is found by a function.
pub(super) const fn find(
    kind: &'static str,
    anchors: &'static [&'static str],
    found: fn(&AnchorMatch) -> Option<(usize, usize)>,
) -> Rule {
    Rule {
        left: LeftBoundary::Any,
        matcher: Matcher::Custom(found),
        variety: MinVariety::Nothing,
        ..key(kind, anchors, &[])
    }
}

impl Rule {
    /// Sets what may precede the secret.
    pub(super) const fn left(self, left: LeftBoundary) -> Rule {
        Rule { left, ..self }
    }

    /// Sets how varied the secret must be.
    pub(super) const fn variety(self, variety: MinVariety) -> Rule {
        Rule { variety, ..self }
    }

    /// Sets the proof that makes a match valid anywhere.
    pub(super) const fn proven_by(self, proven_by: fn(&[u8]) -> bool) -> Rule {
        Rule { proven_by: Some(proven_by), ..self }
    }

    /// Sets the condition that every match must satisfy.
    pub(super) const fn must_satisfy(self, must_satisfy: fn(&[u8]) -> bool) -> Rule {
        Rule { must_satisfy: Some(must_satisfy), ..self }
    }
}
