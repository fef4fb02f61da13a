//! Words near a name that announce a value, or say what the value is for.

/// Words that announce a password directly after its name: `with password x`.
const PASSWORD_INTRODUCERS: &[&[u8]] = &[
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

/// Returns whether the words before a name announce a password right after it. `head` may end inside the name.
pub(super) fn introduces_password(head: &[u8]) -> bool {
    let begun = head.iter().rev().take_while(|byte| !byte.is_ascii_whitespace()).count();
    let Some(said) = head[..head.len() - begun].strip_suffix(b" ") else { return false };
    let word = said.rsplit(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
    PASSWORD_INTRODUCERS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// The most words in a phrase that says what a password is for.
const MAX_PURPOSE_WORDS: usize = 4;
/// The most bytes in one word of that phrase.
const MAX_PURPOSE_WORD_BYTES: usize = 30;

/// Returns the length of a phrase after a name that says what it is for, up to the word that introduces the value: `
/// for the staging host`.
pub(super) fn purpose_length(rest: &[u8]) -> usize {
    let Some(first) = [&b" for "[..], b" of ", b" on "].into_iter().find(|first| rest.starts_with(first)) else {
        return 0;
    };
    let mut at = first.len();
    for _ in 0..MAX_PURPOSE_WORDS {
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-.@`'/".contains(byte);
        let length = rest[at..].iter().take(MAX_PURPOSE_WORD_BYTES).take_while(is_part).count();
        at += length;
        if length > 0 && rest[at..].starts_with(b": ") {
            return at;
        }
        if length == 0 || rest.get(at) != Some(&b' ') {
            return 0;
        }
        at += 1;
        if verb_length(&rest[at..]).is_some() {
            return at;
        }
    }
    0
}

/// Returns the length of the verb or arrow that introduces a value in a sentence: `is`, `was`, `to`, `->`.
pub(super) fn verb_length(rest: &[u8]) -> Option<usize> {
    [&b"is "[..], b"is: ", b"is now ", b"was ", b"to ", b"-> ", b"\xe2\x86\x92 "]
        .iter()
        .filter(|word| rest.starts_with(word))
        .max_by_key(|word| word.len())
        .map(|word| word.len())
}

/// Returns whether the words before a name are a command that sets it to the next word: `ENV`, `set`, `config`.
pub(super) fn is_set_command(head: &[u8]) -> bool {
    // The name may be the end of a path: `config set //host/:_authToken`.
    let begun = head.iter().rev().take_while(|byte| !byte.is_ascii_whitespace()).count();
    let head = &head[..head.len() - begun];
    [&b"ENV "[..], b"setx ", b"set ", b"set -x ", b"set -gx ", b"define ", b"config ", b"SET "]
        .iter()
        .any(|command| head.ends_with(command))
}
