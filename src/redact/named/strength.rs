//! How much a value must look like a secret where it stands. Refuses to look at anything around it.

use super::super::checksum::is_basic;
use super::super::expression::is_expression;
use super::super::judge::{
    is_made_of_words, is_name, is_passphrase, is_password, is_placeholder, is_random, is_short_key, tells_about,
};
use super::line::is_of_environment;
use super::name::{self, Kind};
use super::pair::is_pair;
use super::{Named, Sign};

/// Most blanks of a password that is several words: what has more is a sentence.
const BLANKS: usize = 3;

/// Whether a value that stands alone is a secret.
pub(super) fn accepts(value: &[u8], named: &Named) -> bool {
    let is_path = (matches!(value, [b'/' | b'.' | b'~', ..]) && is_name(value)) || is_path(value, named);
    // A sentence may end in `set` too.
    let is_prose = named.sign == Sign::Set && !has_both(value);
    if value.len() < 4 || is_placeholder(value) || is_path || is_prose {
        return false;
    }
    let has_blanks = value.iter().any(u8::is_ascii_whitespace);
    let is_tight = named.sign == Sign::Tight;
    match named.kind {
        Kind::Phrase => {
            let words = value.split(u8::is_ascii_whitespace);
            has_blanks
                && words.clone().count() >= 12
                && words.into_iter().all(|word| word.iter().all(u8::is_ascii_lowercase))
        }
        Kind::Password if has_blanks => {
            let is_several = is_tight && is_of_environment(named.name) && is_several_words(value, named);
            is_several || (is_passphrase(value) && !name::tells_about(named.name))
        }
        _ if has_blanks => false,
        Kind::Password if is_tight || named.sign == Sign::Default => true,
        Kind::Password => {
            let has_digits = is_password(value) || (value.len() >= 6 && value.iter().all(u8::is_ascii_digit));
            let is_flag = named.sign == Sign::Flag && is_word(value);
            (has_digits && !(named.sign == Sign::Flag && is_name(value)))
                || is_random(value)
                || ((is_made_of_words(value) || is_flag) && !name::tells_about(named.name))
        }
        Kind::Auth => is_basic(value) || is_random(value) || is_pair(value, named),
        Kind::Key => {
            is_random(value)
                || (is_short_key(value) && !name::tells_about(named.name))
                || (is_tight && is_key_of_setting(value, named))
        }
    }
}

/// A key that is set without blanks.
fn is_key_of_setting(value: &[u8], named: &Named) -> bool {
    let is_run = value.len() >= 12 && value.iter().all(u8::is_ascii_lowercase);
    let is_of_environment = is_of_environment(named.name);
    let is_pattern = named.name.ends_with(b"_PAT");
    (is_password(value) && value.len() >= 8 && !is_name(value) && !is_pattern) || (is_run && is_of_environment)
}

/// A password of several words: with a digit, and no sentence about passwords.
fn is_several_words(value: &[u8], named: &Named) -> bool {
    let blanks = value.iter().filter(|byte| byte.is_ascii_whitespace()).count();
    blanks <= BLANKS
        && has_both(value)
        && !tells_about(value)
        && !value.contains(&b'$')
        && !name::tells_about(named.name)
}

/// A word that is no name for what belongs there, as manuals write it: `FILE`, `your-password`.
fn is_word(value: &[u8]) -> bool {
    let is_plain = value.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    value.len() >= 6 && is_plain && value.iter().any(u8::is_ascii_lowercase) && !tells_about(value)
}

/// What people put into passwords, beside letters, digits and what joins words.
const MARKS: &[u8] = b"!@#$%^&*?+=";

/// Whether a password stands where people write sentences: with digits among letters, and no name of a thing.
pub(super) fn is_said(value: &[u8]) -> bool {
    let is_typed = |byte: &u8| byte.is_ascii_alphanumeric() || MARKS.contains(byte) || joins(byte);
    if !has_both(value) || !value.iter().all(is_typed) || is_placeholder(value) {
        return false;
    }
    if value.iter().any(joins) { is_joined(value) } else { stands_alone(value) && !is_type(value) }
}

fn joins(byte: &u8) -> bool {
    matches!(byte, b'_' | b'-' | b'.')
}

/// Whether words and digits are joined as in passwords: `Summer_3624`, and not `12-characters`, `sha-256` or `v1.2.3`.
fn is_joined(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let word = &value[..value.iter().take_while(|byte| byte.is_ascii_alphabetic()).count()];
    let is_number = [&b"rfc"[..], b"iso", b"cve", b"version", b"release", b"issue", b"port", b"build"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(word));
    let is_known_part = |part: &[u8]| part.len() > 3 && is_known_type(part);
    // The ending of a file.
    let last = value.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let is_file = last.len() < value.len() && last.len() <= 4 && last.iter().all(u8::is_ascii_lowercase);
    let is_known = is_number
        || is_file
        || name::kind(word).is_some()
        || is_known_type(word)
        || value.split(joins).any(is_known_part);
    let is_strong = digits >= 3 || value.iter().any(|byte| MARKS.contains(byte));
    value.len() >= 8
        && word.len() >= 3
        && is_strong
        && is_password(value)
        && !is_known
        && !joins(&value[value.len() - 1])
}

/// Whether a password is so strong that no word is like it: with a mark or several digits.
pub(super) fn is_strong(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_marked = value.iter().any(|byte| MARKS.contains(byte)) && digits > 0;
    value.len() >= 8 && (is_marked || digits >= 3)
}

/// Whether a key looks drawn where people write sentences.
pub(super) fn is_drawn(value: &[u8], named: &Named) -> bool {
    let is_short = is_short_key(value) && has_both(value) && !name::tells_about(named.name);
    let is_address = value.windows(3).any(|three| three == b"://");
    (is_random(value) || is_short) && !is_placeholder(value) && !is_address && !is_path(value, named)
}

/// Whether a value is where something lies: `/home/ada/project2`.
pub(super) fn is_path(value: &[u8], named: &Named) -> bool {
    let begins = [&b"/"[..], b"./", b"../", b"~/"].iter().any(|start| value.starts_with(start));
    let is_drive = matches!(value, [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
    if !begins && !is_drive {
        return false;
    }
    // Where one is, and not what lets one in.
    let is_place = named.name.eq_ignore_ascii_case(b"pwd") || named.name.eq_ignore_ascii_case(b"oldpwd");
    let is_part =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'~' | b'+' | b'@');
    let slashes = value.iter().filter(|byte| **byte == b'/').count();
    is_place || (begins && slashes > 1 && value.iter().all(is_part) && !is_random(value))
}

/// Whether a password stands as a word of its own behind `name=`.
pub(super) fn stands_alone(value: &[u8]) -> bool {
    let is_number = value.first().is_some_and(u8::is_ascii_digit) && is_expression(value);
    let is_variable = is_type(value) && is_expression(value);
    has_both(value) && is_password(value) && !is_placeholder(value) && !is_number && !is_variable
}

/// Whether a value has digits and letters.
fn has_both(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_digit) && value.iter().any(u8::is_ascii_alphabetic)
}

/// Whether what stands behind `name=` is an argument and no setting: another follows, or a call ends or begins.
pub(super) fn is_code(value: &[u8]) -> bool {
    let ends = matches!(value, [.., b',' | b')' | b':' | b';' | b'(' | b'{' | b'[' | b']']) || value.contains(&b'(');
    // `self.password`
    ends || (value.contains(&b'.') && is_name(value))
}

/// Whether a value may be a secret that stands in the open, where a variable or a type could.
pub(super) fn stands_bare(value: &[u8], kind: Kind, ends_line: bool) -> bool {
    let is_plain = value.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
    let is_code = value.contains(&b':') || matches!(value[0], b'*' | b'&' | b'!');
    let is_thought_up = kind == Kind::Password && is_password(value) && (!is_plain || (ends_line && !is_type(value)));
    !is_code && (is_thought_up || is_random(value)) && !is_placeholder(value) && !is_name(value)
}

/// Whether a value could be a type or a variable: `Sha256`, `uint32`, `password2`. What begins with a capital is one where
/// no digit says otherwise.
pub(super) fn is_type(value: &[u8]) -> bool {
    (value.first().is_some_and(u8::is_ascii_uppercase) && !value.iter().any(u8::is_ascii_digit))
        || is_known_type(value)
        || name::kind(value).is_some()
        || value.contains(&b'_')
        || value.contains(&b'.')
}

/// Whether a value begins with the name of a type or of an algorithm.
fn is_known_type(value: &[u8]) -> bool {
    let word = value.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let known = [
        &b"int"[..],
        b"uint",
        b"float",
        b"sha",
        b"base",
        b"utf",
        b"string",
        b"bytes",
        b"arg",
        b"argv",
        b"param",
        b"result",
        b"value",
        b"buf",
        b"md",
        b"argon",
        b"pbkdf",
        b"ed",
        b"vec",
        b"u",
        b"i",
        b"f",
        b"h",
        b"x",
        b"oauth",
        b"http",
        b"hs",
        b"rs",
        b"es",
        b"aes",
        b"hmac",
        b"blake",
        b"crc",
        b"v",
        b"str",
        b"char",
        b"varchar",
        b"nvarchar",
        b"text",
        b"scrypt",
    ];
    // Behind a single letter stand digits alone, as in `u64`.
    let is_whole = word > 1 || value[word..].iter().all(u8::is_ascii_digit);
    is_whole && known.iter().any(|known| known.eq_ignore_ascii_case(&value[..word]))
}
