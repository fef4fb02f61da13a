//! How much a value must look like a secret, given its name and binding. The surrounding text is not considered.

use super::super::checksum::is_basic;
use super::super::expression::is_expression;
use super::super::heuristics::{
    is_name, is_passphrase, is_password, is_placeholder, is_random, is_short_key, is_wordy_password,
    talks_about_secrets,
};
use super::name::{self, SecretNameKind};
use super::{NameBinding, NamedValue, is_name_byte};

/// The most spaces in a multi-word password; more make a sentence.
const MAX_PASSWORD_SPACES: usize = 3;

/// Returns whether a value that stands alone is a secret.
pub(super) fn accepts(value: &[u8], named: &NamedValue) -> bool {
    let is_path = (matches!(value, [b'/' | b'.' | b'~', ..]) && is_name(value)) || is_location(value, named);
    // A sentence may use `set` as well.
    let is_prose = named.binding == NameBinding::Set && !has_letters_and_digits(value);
    if value.len() < 4 || is_placeholder(value) || is_path || is_prose {
        return false;
    }
    let has_blanks = value.iter().any(u8::is_ascii_whitespace);
    let is_tight = named.binding == NameBinding::Tight;
    match named.kind {
        SecretNameKind::Phrase => {
            let words = value.split(u8::is_ascii_whitespace);
            has_blanks
                && words.clone().count() >= 12
                && words.into_iter().all(|word| word.iter().all(u8::is_ascii_lowercase))
        }
        SecretNameKind::Password if has_blanks => {
            let is_several = is_tight && name::is_env_name(named.name) && is_multiword_password(value, named);
            is_several || (is_passphrase(value) && !name::is_about_secrets(named.name))
        }
        _ if has_blanks => false,
        SecretNameKind::Password if is_tight || named.binding == NameBinding::Default => true,
        SecretNameKind::Password => {
            let has_digits = is_password(value) || (value.len() >= 6 && value.iter().all(u8::is_ascii_digit));
            let is_flag = named.binding == NameBinding::Flag && is_plain_word(value);
            (has_digits && !(named.binding == NameBinding::Flag && is_name(value)))
                || is_random(value)
                || ((is_wordy_password(value) || is_flag) && !name::is_about_secrets(named.name))
        }
        SecretNameKind::Auth => is_basic(value) || is_random(value) || is_user_and_password(value, named),
        SecretNameKind::Key => {
            is_random(value)
                || (is_short_key(value) && !name::is_about_secrets(named.name))
                || (is_tight && is_setting_key(value, named))
        }
    }
}

/// Returns whether a value is a user and a password separated by a colon.
pub(super) fn is_user_and_password(value: &[u8], named: &NamedValue) -> bool {
    if named.kind != SecretNameKind::Auth || !name::is_http_auth_name(named.name) {
        return false;
    }
    let Some(colon) = value.iter().position(|byte| *byte == b':') else { return false };
    let (user, secret) = (&value[..colon], &value[colon + 1..]);
    let is_user = !user.is_empty() && user.iter().all(|byte| is_name_byte(*byte) || *byte == b'@');
    let is_secret = is_password(secret) && !is_placeholder(secret) && !is_placeholder(value);
    is_user && is_secret
}

/// Returns whether a value set without spaces is a key.
fn is_setting_key(value: &[u8], named: &NamedValue) -> bool {
    let is_run = value.len() >= 12 && value.iter().all(u8::is_ascii_lowercase);
    let is_env_name = name::is_env_name(named.name);
    let is_pattern = named.name.ends_with(b"_PAT");
    (is_password(value) && value.len() >= 8 && !is_name(value) && !is_pattern) || (is_run && is_env_name)
}

/// Returns whether several words are a password: they contain a digit and do not mention passwords.
fn is_multiword_password(value: &[u8], named: &NamedValue) -> bool {
    let blanks = value.iter().filter(|byte| byte.is_ascii_whitespace()).count();
    blanks <= MAX_PASSWORD_SPACES
        && has_letters_and_digits(value)
        && !talks_about_secrets(value)
        && !value.contains(&b'$')
        && !name::is_about_secrets(named.name)
}

/// Returns whether a word is neither a placeholder name as manuals write it (`FILE`, `your-password`) nor about
/// secrets.
fn is_plain_word(value: &[u8]) -> bool {
    let is_plain = value.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    value.len() >= 6 && is_plain && value.iter().any(u8::is_ascii_lowercase) && !talks_about_secrets(value)
}

/// Symbols that people put into passwords.
const PASSWORD_SYMBOLS: &[u8] = b"!@#$%^&*?+=";

/// Returns whether a value in prose is plausibly a password: digits among letters, and not the name of a thing.
pub(super) fn plausible_in_prose(value: &[u8]) -> bool {
    let is_typed = |byte: &u8| byte.is_ascii_alphanumeric() || PASSWORD_SYMBOLS.contains(byte) || is_joiner(byte);
    if !has_letters_and_digits(value) || !value.iter().all(is_typed) || is_placeholder(value) {
        return false;
    }
    if value.iter().any(is_joiner) {
        is_joined_password(value)
    } else {
        is_password_word(value) && !is_type_or_variable(value)
    }
}

/// Returns whether a byte joins words.
fn is_joiner(byte: &u8) -> bool {
    matches!(byte, b'_' | b'-' | b'.')
}

/// Returns whether words and digits are joined as in passwords: `Summer_3624`, but not `12-characters`, `sha-256` or
/// `v1.2.3`.
fn is_joined_password(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let word = &value[..value.iter().take_while(|byte| byte.is_ascii_alphabetic()).count()];
    let is_number = [&b"rfc"[..], b"iso", b"cve", b"version", b"release", b"issue", b"port", b"build"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(word));
    let is_known_part = |part: &[u8]| part.len() > 3 && starts_with_type_name(part);
    // A file extension.
    let last = value.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let is_file = last.len() < value.len() && last.len() <= 4 && last.iter().all(u8::is_ascii_lowercase);
    let is_known = is_number
        || is_file
        || name::classify(word).is_some()
        || starts_with_type_name(word)
        || value.split(is_joiner).any(is_known_part);
    let is_strong = digits >= 3 || value.iter().any(|byte| PASSWORD_SYMBOLS.contains(byte));
    value.len() >= 8
        && word.len() >= 3
        && is_strong
        && is_password(value)
        && !is_known
        && !is_joiner(&value[value.len() - 1])
}

/// Returns whether a password is too strong to be confused with a word: a symbol with digits, or several digits.
pub(super) fn is_strong_password(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_marked = value.iter().any(|byte| PASSWORD_SYMBOLS.contains(byte)) && digits > 0;
    value.len() >= 8 && (is_marked || digits >= 3)
}

/// Returns whether a value in prose is a randomly generated token.
pub(super) fn is_random_token(value: &[u8], named: &NamedValue) -> bool {
    let is_short = is_short_key(value) && has_letters_and_digits(value) && !name::is_about_secrets(named.name);
    let is_address = value.windows(3).any(|three| three == b"://");
    (is_random(value) || is_short) && !is_placeholder(value) && !is_address && !is_location(value, named)
}

/// Returns whether a value is a location: `/home/ada/project2`.
pub(super) fn is_location(value: &[u8], named: &NamedValue) -> bool {
    let begins = [&b"/"[..], b"./", b"../", b"~/"].iter().any(|start| value.starts_with(start));
    let is_drive = matches!(value, [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
    if !begins && !is_drive {
        return false;
    }
    // `pwd` then means the working directory, not a password.
    let is_place = named.name.eq_ignore_ascii_case(b"pwd") || named.name.eq_ignore_ascii_case(b"oldpwd");
    let is_part =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'~' | b'+' | b'@');
    let slashes = value.iter().filter(|byte| **byte == b'/').count();
    is_place || (begins && slashes > 1 && value.iter().all(is_part) && !is_random(value))
}

/// Returns whether a word after `name=` is a password.
pub(super) fn is_password_word(value: &[u8]) -> bool {
    let is_number = value.first().is_some_and(u8::is_ascii_digit) && is_expression(value);
    let is_variable = is_type_or_variable(value) && is_expression(value);
    has_letters_and_digits(value) && is_password(value) && !is_placeholder(value) && !is_number && !is_variable
}

/// Returns whether a value has both digits and letters.
fn has_letters_and_digits(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_digit) && value.iter().any(u8::is_ascii_alphabetic)
}

/// Returns whether a value after `name=` is a call argument rather than a setting: another argument follows, or a call
/// begins or ends.
pub(super) fn is_call_argument(value: &[u8]) -> bool {
    let ends = matches!(value, [.., b',' | b')' | b':' | b';' | b'(' | b'{' | b'[' | b']']) || value.contains(&b'(');
    // A member, such as `self.password`.
    ends || (value.contains(&b'.') && is_name(value))
}

/// Returns whether an unquoted value is a secret where a variable or a type could stand instead.
pub(super) fn is_bare_secret(value: &[u8], kind: SecretNameKind, ends_line: bool) -> bool {
    let is_plain = value.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
    let is_code = value.contains(&b':') || matches!(value[0], b'*' | b'&' | b'!');
    let is_thought_up = kind == SecretNameKind::Password
        && is_password(value)
        && (!is_plain || (ends_line && !is_type_or_variable(value)));
    !is_code && (is_thought_up || is_random(value)) && !is_placeholder(value) && !is_name(value)
}

/// Returns whether a value could be a type or a variable: `Sha256`, `uint32`, `password2`.
///
/// A capitalised word without digits counts as one.
pub(super) fn is_type_or_variable(value: &[u8]) -> bool {
    (value.first().is_some_and(u8::is_ascii_uppercase) && !value.iter().any(u8::is_ascii_digit))
        || starts_with_type_name(value)
        || name::classify(value).is_some()
        || value.contains(&b'_')
        || value.contains(&b'.')
}

/// Returns whether a value begins with the name of a type or an algorithm.
fn starts_with_type_name(value: &[u8]) -> bool {
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
    // After a single letter only digits count, as in `u64`.
    let is_whole = word > 1 || value[word..].iter().all(u8::is_ascii_digit);
    is_whole && known.iter().any(|known| known.eq_ignore_ascii_case(&value[..word]))
}
