//! Secrets that people tell each other in sentences, lists and tables. Refuses words that could be a step, a type, a
//! version or the name of a test: what is said must look thought up, and a key must look drawn.

use super::super::expression::is_expression;
use super::name::{self, Kind};
use super::strength::{is_drawn, is_said, is_strong};
use super::{Cursor, LONGEST, NEAR, Named, Sign, ends_word, sign};

/// As long as keys are.
const LONG: usize = 16;

/// Whether a value that somebody says is a secret.
pub(super) fn is_secret(value: &[u8], named: &Named) -> bool {
    match named.kind {
        Kind::Password => {
            let is_strong = named.sign != Sign::Beside || is_strong(value);
            // What is short and joined may be an algorithm.
            let is_drawn = value.len() >= LONG && is_drawn(value, named);
            name::says_password(named.name) && ((is_said(value) && is_strong) || is_drawn)
        }
        Kind::Key => is_drawn(value, named),
        Kind::Auth | Kind::Phrase => false,
    }
}

/// The same where no quotes are around it, amid a line.
pub(super) fn is_found(value: &[u8], named: &Named, head: &[u8]) -> bool {
    match named.sign {
        Sign::Said | Sign::Beside => is_secret(value, named),
        Sign::Cell => is_secret(value, named) || (named.kind == Kind::Password && is_said(value)),
        Sign::Colon if named.kind == Kind::Password => {
            // A bracket that opens behind a blank is one of prose.
            let aside = head.strip_suffix(b"(").filter(|before| before.ends_with(b" ")).unwrap_or(head);
            let is_code = aside.iter().any(|byte| b"(){}[]<>=".contains(byte));
            let is_plain = value.iter().all(|byte| !matches!(byte, b'_' | b'-' | b'.'));
            !is_code && is_said(value) && (is_plain || (!head.is_empty() && !is_expression(value)))
        }
        _ => name::is_spaced(named.name) && named.kind == Kind::Key && is_drawn(value, named),
    }
}

/// What ends a sentence or a part of one; an exclamation mark may be part of a password.
const ENDS: &[u8] = b".,;:?)";

/// A word without what ends a sentence or a cell, and without the stars that are around it.
pub(super) fn trimmed<'a>(cursor: &Cursor, word: &'a [u8]) -> &'a [u8] {
    let said = word.split(|byte| *byte == b'|').next().unwrap_or_default();
    let without = |said: &'a [u8], marks: &[u8]| {
        let length = said.iter().rev().take_while(|byte| marks.contains(byte)).count();
        &said[..said.len() - length]
    };
    let said = without(said, ENDS);
    match cursor.text[..cursor.at].last() {
        Some(b'*') => without(without(said, b"*"), ENDS),
        _ => said,
    }
}

/// Words before a password that nothing else follows: `with password x`.
const INTRODUCING: &[&[u8]] = &[
    b"with",
    b"use",
    b"using",
    b"enter",
    b"try",
    b"the",
    b"default",
    b"temporary",
    b"initial",
    b"new",
    b"root",
    b"admin",
    b"and",
];

/// Whether what stands before a name says that a password follows it; the name may have begun.
pub(super) fn introduces(head: &[u8]) -> bool {
    let begun = head.iter().rev().take_while(|byte| !byte.is_ascii_whitespace()).count();
    let Some(said) = head[..head.len() - begun].strip_suffix(b" ") else { return false };
    let word = said.rsplit(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
    INTRODUCING.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// Most words, and most bytes of one, that say what a password is for.
const WORDS: usize = 4;
const LONGEST_WORD: usize = 30;

/// How long what stands behind a name is that says what it is for, up to the sign: ` for the staging host`.
pub(super) fn purpose(rest: &[u8]) -> usize {
    let Some(first) = [&b" for "[..], b" of ", b" on "].into_iter().find(|first| rest.starts_with(first)) else {
        return 0;
    };
    let mut at = first.len();
    for _ in 0..WORDS {
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-.@`'/".contains(byte);
        let length = rest[at..].iter().take(LONGEST_WORD).take_while(is_part).count();
        at += length;
        if length > 0 && rest[at..].starts_with(b": ") {
            return at;
        }
        if length == 0 || rest.get(at) != Some(&b' ') {
            return 0;
        }
        at += 1;
        if sign::says(&rest[at..]).is_some() {
            return at;
        }
    }
    0
}

/// Words that no wallet is made of.
const OF_SENTENCES: &[&[u8]] = &[b"the", b"and", b"for", b"are", b"was", b"not", b"has", b"from", b"with", b"your"];

/// The words of a wallet up to the end of their line: as many as a wallet has, each as long as those of its list.
pub(super) fn phrase(cursor: &Cursor, named: &Named) -> Option<(usize, usize)> {
    matches!(named.sign, Sign::Colon | Sign::Equals | Sign::Tight | Sign::Said | Sign::Cell).then_some(())?;
    let rest = cursor.rest();
    let most = rest.len().min(LONGEST);
    let ends = |byte: &u8| !byte.is_ascii_lowercase() && *byte != b' ';
    let said = &rest[..rest[..most].iter().position(ends).unwrap_or(most)];
    let behind = rest.get(said.len());
    let said = said.trim_ascii_end();
    let words = said.split(|byte| *byte == b' ');
    let is_word = |word: &[u8]| (3..=8).contains(&word.len()) && !OF_SENTENCES.contains(&word);
    let is_wallet = matches!(words.clone().count(), 12 | 15 | 18 | 21 | 24) && words.into_iter().all(is_word);
    let is_end = matches!(behind, None | Some(b'\n' | b'\r' | b'"' | b'\'' | b'\\' | b'.' | b',' | b'|' | b'`' | b'<'));
    (is_wallet && is_end).then_some((cursor.at, cursor.at + said.len()))
}

/// Whether `pass: ` tells how a test or a step of a compiler went, and no password: nobody is told who has it.
pub(super) fn is_result(cursor: &Cursor, named: &Named) -> bool {
    if named.sign != Sign::Colon || !named.name.eq_ignore_ascii_case(b"pass") {
        return false;
    }
    let rest = cursor.rest();
    let most = rest.len().min(LONGEST);
    let word = &rest[..rest[..most].iter().position(|byte| ends_word(*byte)).unwrap_or(most)];
    !word.iter().any(|byte| b"!@#$%^&*?+=".contains(byte)) && !is_drawn(word, named) && !tells_user(cursor, named.from)
}

/// What stands in lines that say who signs in, and where.
const USERS: &[&[u8]] = &[b"user", b"login", b"mail", b"host", b"account"];

/// Whether the line, or the one above or below, says whose password it is.
fn tells_user(cursor: &Cursor, from: usize) -> bool {
    let text = cursor.text;
    let left = text[from.saturating_sub(NEAR)..from].rsplit(|byte| *byte == b'\n').take(2);
    let right = text[from..text.len().min(from + NEAR)].split(|byte| *byte == b'\n').take(2);
    left.chain(right)
        .any(|line| USERS.iter().any(|word| line.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))))
}
