//! Secrets written in sentences, lists and tables.
//!
//! Here a password must look made up, and a key random, because a plain word is more likely a step, a type, a version
//! or the name of a test.

use super::super::expression::is_expression;
use super::acceptance::{is_random_token, is_strong_password, plausible_in_prose};
use super::name::{self, SecretNameKind};
use super::{CONTEXT_BYTES, MAX_VALUE_BYTES, NameBinding, NamedValue, TextCursor, ends_word};

/// The shortest random token that counts as a password in prose, in bytes.
const MIN_RANDOM_BYTES: usize = 16;

/// Returns whether a value in prose is a secret.
pub(super) fn is_prose_secret(value: &[u8], named: &NamedValue) -> bool {
    match named.kind {
        SecretNameKind::Password => {
            let is_strong = named.binding != NameBinding::Beside || is_strong_password(value);
            // A short joined token may name an algorithm.
            let is_random = value.len() >= MIN_RANDOM_BYTES && is_random_token(value, named);
            name::mentions_password(named.name) && ((plausible_in_prose(value) && is_strong) || is_random)
        }
        SecretNameKind::Key => is_random_token(value, named),
        SecretNameKind::Auth | SecretNameKind::Phrase => false,
    }
}

/// Returns whether an unquoted value in prose is a secret. `head` is the line before the name.
pub(super) fn is_unquoted_secret(value: &[u8], named: &NamedValue, head: &[u8]) -> bool {
    match named.binding {
        NameBinding::Said | NameBinding::Beside => is_prose_secret(value, named),
        NameBinding::Cell => {
            is_prose_secret(value, named) || (named.kind == SecretNameKind::Password && plausible_in_prose(value))
        }
        NameBinding::Colon if named.kind == SecretNameKind::Password => {
            // An opening bracket after a space belongs to the prose.
            let aside = head.strip_suffix(b"(").filter(|before| before.ends_with(b" ")).unwrap_or(head);
            let is_code = aside.iter().any(|byte| b"(){}[]<>=".contains(byte));
            let is_plain = value.iter().all(|byte| !matches!(byte, b'_' | b'-' | b'.'));
            !is_code && plausible_in_prose(value) && (is_plain || (!head.is_empty() && !is_expression(value)))
        }
        _ => name::has_spaces(named.name) && named.kind == SecretNameKind::Key && is_random_token(value, named),
    }
}

/// Punctuation that ends a sentence or clause.
///
/// The exclamation mark is not listed, because it may be part of a password.
const SENTENCE_ENDS: &[u8] = b".,;:?)";

/// Strips sentence punctuation, the rest of a table row and emphasis marks from a word.
pub(super) fn trim_punctuation<'a>(cursor: &TextCursor, word: &'a [u8]) -> &'a [u8] {
    let said = word.split(|byte| *byte == b'|').next().unwrap_or_default();
    let without = |said: &'a [u8], marks: &[u8]| {
        let length = said.iter().rev().take_while(|byte| marks.contains(byte)).count();
        &said[..said.len() - length]
    };
    let said = without(said, SENTENCE_ENDS);
    match cursor.text[..cursor.at].last() {
        Some(b'*') => without(without(said, b"*"), SENTENCE_ENDS),
        _ => said,
    }
}

/// Common words that occur in no list of seed words.
const NON_SEED_WORDS: &[&[u8]] = &[b"the", b"and", b"for", b"are", b"was", b"not", b"has", b"from", b"with", b"your"];

/// Finds a seed phrase up to the end of its line: 12, 15, 18, 21 or 24 words of three to eight letters.
pub(super) fn seed_phrase(cursor: &TextCursor, named: &NamedValue) -> Option<(usize, usize)> {
    matches!(
        named.binding,
        NameBinding::Colon | NameBinding::Equals | NameBinding::Tight | NameBinding::Said | NameBinding::Cell
    )
    .then_some(())?;
    let rest = cursor.rest();
    let most = rest.len().min(MAX_VALUE_BYTES);
    let ends = |byte: &u8| !byte.is_ascii_lowercase() && *byte != b' ';
    let said = &rest[..rest[..most].iter().position(ends).unwrap_or(most)];
    let behind = rest.get(said.len());
    let said = said.trim_ascii_end();
    let words = said.split(|byte| *byte == b' ');
    let is_word = |word: &[u8]| (3..=8).contains(&word.len()) && !NON_SEED_WORDS.contains(&word);
    let is_wallet = matches!(words.clone().count(), 12 | 15 | 18 | 21 | 24) && words.into_iter().all(is_word);
    let is_end = matches!(behind, None | Some(b'\n' | b'\r' | b'"' | b'\'' | b'\\' | b'.' | b',' | b'|' | b'`' | b'<'));
    (is_wallet && is_end).then_some((cursor.at, cursor.at + said.len()))
}

/// Returns whether `pass: ` reports a test or compiler step rather than a password, because no account is named nearby.
pub(super) fn is_test_result(cursor: &TextCursor, named: &NamedValue) -> bool {
    if named.binding != NameBinding::Colon || !named.name.eq_ignore_ascii_case(b"pass") {
        return false;
    }
    let rest = cursor.rest();
    let most = rest.len().min(MAX_VALUE_BYTES);
    let word = &rest[..rest[..most].iter().position(|byte| ends_word(*byte)).unwrap_or(most)];
    !word.iter().any(|byte| b"!@#$%^&*?+=".contains(byte))
        && !is_random_token(word, named)
        && !names_account(cursor, named.from)
}

/// Words in lines that name an account.
const ACCOUNT_WORDS: &[&[u8]] = &[b"user", b"login", b"mail", b"host", b"account"];

/// Returns whether the line of the name, or a neighbouring one, names an account.
fn names_account(cursor: &TextCursor, from: usize) -> bool {
    let text = cursor.text;
    let left = text[from.saturating_sub(CONTEXT_BYTES)..from].rsplit(|byte| *byte == b'\n').take(2);
    let right = text[from..text.len().min(from + CONTEXT_BYTES)].split(|byte| *byte == b'\n').take(2);
    left.chain(right).any(|line| {
        ACCOUNT_WORDS.iter().any(|word| line.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word)))
    })
}
