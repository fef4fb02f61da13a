//! Heuristics on a value alone: random token, human-made password, placeholder, or ordinary words.
//!
//! Entropy is no help: at the length of a key, words have as much of it. The share of frequent letter bigrams separates
//! them.

use super::expression::{is_expression, is_identifier};

/// The number of bytes of a value that are examined; more would not change the outcome.
pub(super) const MAX_JUDGED_BYTES: usize = 256;

/// Counts distinct bytes.
fn distinct_bytes(value: &[u8]) -> u32 {
    let seen = value.iter().fold(0_u128, |seen, byte| seen | 1 << (byte & 127));
    seen.count_ones()
}

/// Returns whether a value has at least five distinct bytes, more than a run of one letter.
pub(super) fn has_variety(value: &[u8]) -> bool {
    distinct_bytes(&value[..value.len().min(MAX_JUDGED_BYTES)]) >= 5
}

/// Returns whether a value is varied and mixes at least two of lower case, upper case and digits.
pub(super) fn is_mixture(value: &[u8]) -> bool {
    let value = &value[..value.len().min(MAX_JUDGED_BYTES)];
    let kinds = [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit];
    has_variety(value) && kinds.iter().filter(|kind| value.iter().any(*kind)).count() >= 2
}

/// Returns whether a value is such a mixture and has a digit.
pub(super) fn has_digits(value: &[u8]) -> bool {
    let value = &value[..value.len().min(MAX_JUDGED_BYTES)];
    is_mixture(value) && value.iter().any(u8::is_ascii_digit)
}

/// Frequent letter bigrams of English.
///
/// About 60 % of the bigrams of English text are among them, and about 15 % of those of random text.
const COMMON_BIGRAMS: &str = "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri \
    ro ic ne ea ra ce li ch ll be ma si om ur ec ct pa ss us pr ke ey lo ge et ta rd wo sw el la no tr su ac ut ex am ld em \
    id po ul un di fi up pe os ot ap pl im da ad do il so ca ns bl";

/// Returns whether a lower-case bigram is frequent in words.
fn is_common_bigram(first: u8, second: u8) -> bool {
    /// For each first letter, a bit set of second letters.
    static TABLE: std::sync::LazyLock<[u32; 26]> = std::sync::LazyLock::new(|| {
        let mut table = [0; 26];
        for pair in COMMON_BIGRAMS.split_whitespace().map(str::as_bytes) {
            table[usize::from(pair[0] - b'a')] |= 1 << (pair[1] - b'a');
        }
        table
    });
    TABLE[usize::from(first - b'a')] >> (second - b'a') & 1 == 1
}

/// The character statistics of a value.
struct ByteProfile {
    length: usize,
    letters: usize,
    digits: usize,
    capitals: usize,
    /// Characters that are neither letters nor digits nor word joiners.
    marks: usize,
    /// Changes between upper case, lower case and digits.
    class_changes: usize,
    /// Letter bigrams.
    pairs: usize,
    /// Bigrams that are frequent in words.
    common_pairs: usize,
}

/// Computes the character statistics of a value.
fn profile_of(value: &[u8]) -> ByteProfile {
    let value = &value[..value.len().min(MAX_JUDGED_BYTES)];
    let kind = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let mut look = ByteProfile {
        length: value.len(),
        letters: 0,
        digits: 0,
        capitals: 0,
        marks: 0,
        class_changes: 0,
        pairs: 0,
        common_pairs: 0,
    };
    for (index, &byte) in value.iter().enumerate() {
        match kind(byte) {
            0 => look.letters += 1,
            1 => (look.letters, look.capitals) = (look.letters + 1, look.capitals + 1),
            2 => look.digits += 1,
            // Non-ASCII letters do not count as marks.
            _ => look.marks += usize::from(byte.is_ascii() && !matches!(byte, b'_' | b'-' | b'.' | b'/' | b':' | b' ')),
        }
        let Some(&before) = index.checked_sub(1).and_then(|before| value.get(before)) else { continue };
        // The change was counted at the capital that begins the word.
        let goes_on = kind(before) == 1 && kind(byte) == 0;
        look.class_changes += usize::from(kind(before) != kind(byte) && kind(before) < 3 && kind(byte) < 3 && !goes_on);
        if before.is_ascii_alphabetic() && byte.is_ascii_alphabetic() {
            look.pairs += 1;
            look.common_pairs += usize::from(is_common_bigram(before.to_ascii_lowercase(), byte.to_ascii_lowercase()));
        }
    }
    look
}

/// Returns whether a value looks randomly generated: long, varied, and not made of words.
pub(super) fn is_random(value: &[u8]) -> bool {
    // The fixed prefix is made of words.
    let value = value.strip_prefix(b"django-insecure-").unwrap_or(value);
    let look = profile_of(value);
    if look.length < 16 || distinct_bytes(value) < 8 || look.letters + look.digits < look.length * 3 / 5 {
        return false;
    }
    if value.iter().all(u8::is_ascii_hexdigit) {
        return look.digits > 1 && look.letters > 1;
    }
    let is_wordy = look.common_pairs * 100 > look.pairs * 42;
    if look.digits == 0 {
        return look.length >= 20 && look.class_changes * 6 >= look.length && !is_wordy;
    }
    // Words with a number appended change class rarely, random tokens constantly.
    let is_mixed = look.letters * 12 >= look.length && look.class_changes * 8 >= look.length;
    let has_all = look.capitals > 2 && look.class_changes * 4 >= look.length;
    is_mixed && (!is_wordy || has_all || look.class_changes * 3 >= look.length)
}

/// Returns whether a value looks like a human-made password: letters with digits or symbols among them.
pub(super) fn is_password(value: &[u8]) -> bool {
    let look = profile_of(value);
    let has_marks = look.marks > 0 || value.ends_with(b"!");
    look.length >= 6
        && distinct_bytes(value) >= 4
        && value.iter().all(|byte| !byte.is_ascii_whitespace())
        && ((look.digits > 0 && look.letters > 0) || (has_marks && look.letters + look.digits >= 4))
}

/// Returns whether a short value (8 to 15 bytes) looks randomly generated: digits and letters alternate, digits or
/// capitals stand among letters that form no words, or it is hexadecimal.
pub(super) fn is_short_key(value: &[u8]) -> bool {
    let look = profile_of(value);
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-!+=".contains(byte);
    let turns = |two: &[u8]| two.iter().any(u8::is_ascii_digit) && two.iter().any(u8::is_ascii_alphabetic);
    let is_mixed =
        look.digits > 0 && look.class_changes * 4 >= look.length && look.common_pairs * 100 <= look.pairs * 42;
    let is_wordless = look.digits > 0 && look.pairs > 5 && look.common_pairs * 100 <= look.pairs * 30;
    let is_hex = look.length >= 10 && value.iter().all(u8::is_ascii_hexdigit);
    let is_drawn = is_mixed || is_hex || is_wordless || value.windows(2).filter(|two| turns(two)).count() >= 3;
    (8..16).contains(&value.len()) && value.iter().all(is_plain) && is_drawn && is_password(value)
}

/// Parts of words about passwords, in several languages.
const SECRET_TOPIC_PARTS: &[&str] = &[
    "pass", "pwd", "wort", "wachtw", "secret", "token", "key", "field", "user", "login", "sign", "auth", "valid",
    "requir", "error", "hash", "crypt", "form", "input", "label", "text", "type", "name", "string", "contras", "senha",
    "your", "default", "prompt", "null", "none", "change",
];

/// Returns whether a value mentions a secret, or names a place for one.
pub(super) fn talks_about_secrets(value: &[u8]) -> bool {
    let has = |word: &str| value.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    SECRET_TOPIC_PARTS.iter().any(|word| has(word))
}

/// Endings of long single words.
const SINGLE_WORD_ENDINGS: &[&str] =
    &["tion", "tions", "ment", "able", "ible", "ized", "ated", "ting", "tial", "ness", "ally"];

/// Returns whether a value looks like a password of letters alone: several words joined or hyphenated, or no words at
/// all.
pub(super) fn is_wordy_password(value: &[u8]) -> bool {
    let look = profile_of(value);
    let parts = value.split(|byte| *byte == b'-');
    let is_small = value.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'-');
    let is_joined = is_small && parts.clone().count() >= 4 && parts.into_iter().all(|part| part.len() >= 3);
    let is_run = value.len() >= 12
        && value.iter().all(u8::is_ascii_lowercase)
        && !SINGLE_WORD_ENDINGS.iter().any(|end| value.ends_with(end.as_bytes()));
    let is_drawn = look.letters == look.length
        && look.length >= 10
        && look.class_changes >= 3
        && look.capitals * 5 >= look.length
        && look.common_pairs * 100 <= look.pairs * 42;
    (is_joined || is_run || is_drawn) && !talks_about_secrets(value)
}

/// Function words, which occur in sentences but not in passphrases.
const FUNCTION_WORDS: &[&str] = &[
    "all", "and", "any", "are", "but", "can", "cannot", "could", "did", "does", "for", "from", "had", "has", "have",
    "how", "into", "its", "least", "less", "may", "more", "most", "must", "not", "only", "our", "out", "per", "should",
    "than", "that", "the", "their", "them", "then", "they", "this", "too", "use", "used", "using", "via", "was",
    "were", "what", "when", "where", "which", "who", "why", "will", "with", "would", "you",
];

/// Returns whether a value looks like a generated passphrase: `correct horse battery staple`.
pub(super) fn is_passphrase(value: &[u8]) -> bool {
    let words = value.split(|byte| *byte == b' ');
    let is_drawn = |word: &[u8]| {
        word.len() >= 3
            && word.iter().all(u8::is_ascii_lowercase)
            && !FUNCTION_WORDS.iter().any(|common| common.as_bytes() == word)
    };
    (4..=10).contains(&words.clone().count()) && words.into_iter().all(is_drawn) && !talks_about_secrets(value)
}

/// Returns whether a byte may occur in the margin of a line: indentation, list or comment markers, quotation marks.
pub(super) fn is_line_margin(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'-' | b'#' | b'/' | b'*' | b'>' | b'|' | b'!' | b';')
}

/// Words that people write in place of a secret.
const PLACEHOLDER_WORDS: &[&str] = &[
    "changeme",
    "change",
    "example",
    "examples",
    "placeholder",
    "dummy",
    "fake",
    "sample",
    "insert",
    "replace",
    "redacted",
    "todo",
    "none",
    "null",
    "nil",
    "undefined",
    "true",
    "false",
    "yes",
    "no",
    "your",
    "my",
    "here",
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "secret",
    "secrets",
    "token",
    "tokens",
    "key",
    "apikey",
    "credential",
    "credentials",
    "username",
    "user",
    "test",
    "testing",
    "foo",
    "bar",
    "baz",
    "string",
    "str",
    "text",
    "value",
    "empty",
    "required",
    "optional",
    "hidden",
    "prompt",
    "ask",
    "enter",
    "default",
    "some",
    "any",
    "the",
    "a",
    "an",
    "of",
    "and",
    "or",
    "to",
    "for",
    "with",
    "is",
    "not",
    "in",
    "on",
    "from",
    "new",
    "old",
    "current",
    "invalid",
    "wrong",
    "bad",
    "unset",
    "env",
    "file",
    "stdin",
    "store",
    "input",
    "field",
    "me",
    "auth",
    "login",
    "api",
    "access",
    "client",
    "private",
    "public",
    "bearer",
    "basic",
    "type",
    "number",
    "integer",
    "boolean",
    "bool",
    "object",
    "id",
    "name",
    "x",
    "xx",
    "xxx",
    "xxxx",
];

/// Returns whether a value is a placeholder: empty, a run of one letter, a variable, a call, or a word such as
/// `changeme`.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let value = &value[..value.len().min(MAX_JUDGED_BYTES)];
    let has = |mark: &[u8]| value.windows(mark.len()).any(|window| window == mark);
    if distinct_bytes(value) < 3 || has(b"...") || has(b"***") || has(b"\xe2\x80\xa6") {
        return true;
    }
    // A form validation rule.
    if has(b"required|") {
        return true;
    }
    // A reference to a secret store, such as `@env:NAME` and `op://vault/item`.
    let scheme = value.strip_prefix(b"@").unwrap_or(value);
    if [&b"env:"[..], b"file:", b"vault:", b"op://", b"ssm:", b"arn:"].iter().any(|known| scheme.starts_with(known)) {
        return true;
    }
    let begins = [&b"${"[..], b"$(", b"{{", b"<%", b"#{", b"%("];
    let is_variable = begins.iter().any(|begins| value.starts_with(begins))
        || has(b"[redacted:") || has(super::FORGOTTEN_MARK.as_bytes())
        || is_variable_or_slot(value)
        // Assembled when the program runs.
        || has_format_field(value);
    if is_variable {
        return true;
    }
    let mut words = value.split(|byte| !byte.is_ascii_alphabetic()).filter(|word| !word.is_empty()).peekable();
    let has_words = words.peek().is_some();
    let letters = value
        .iter()
        .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b'.' | b' ' | b':' | b'/' | b'!'));
    let is_word = |word: &[u8]| {
        let is_one = |word: &[u8]| PLACEHOLDER_WORDS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(word));
        is_one(word) || camel_words(word).all(is_one)
    };
    has_words && letters && words.all(is_word)
}

/// Returns whether a whole value is a variable or a bracketed placeholder: `$NAME`, `<name>`, `[name]`, `%NAME%`, `%s`.
fn is_variable_or_slot(value: &[u8]) -> bool {
    let is_text = |text: &[u8]| text.iter().all(|byte| byte.is_ascii_alphanumeric() || b" _-.:/|,'".contains(byte));
    match value {
        [b'$', names @ ..] => names.split(|byte| *byte == b'$').all(|name| {
            let length = name.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            let ends = |byte: &u8| b".-:/[(@,;}>)?'\"".contains(byte);
            is_identifier(&name[..length]) && name.get(length).is_none_or(ends)
        }),
        [b'<', name @ .., b'>'] | [b'[', name @ .., b']'] | [b'%', name @ .., b'%'] => is_text(name),
        [b'<' | b'[', name @ ..] | [b'@', b'@', name @ ..] => is_text(name),
        _ => matches!(value, [b'%', _]),
    }
}

/// Returns whether a value is a format string: a name in braces, with only words and joiners around it, such as
/// `{user.name}:{0}` and `{x:>4}`.
fn has_format_field(value: &[u8]) -> bool {
    let is_name = |inner: &[u8]| {
        let inner = inner.trim_ascii();
        let name = inner.split(|byte| matches!(byte, b':' | b'!')).next().unwrap_or_default();
        name.is_empty() || is_expression(name)
    };
    let is_escape = |word: &[u8]| word.len() > 4 && word[0] == b'u' && word[1..5].iter().all(u8::is_ascii_hexdigit);
    let is_word = |word: &[u8]| {
        is_escape(word)
            || word.is_empty()
            || is_identifier(word)
            || word.starts_with(b"0x")
            || word.iter().all(u8::is_ascii_digit)
    };
    let is_text = |text: &[u8]| {
        text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:/@$%#'\"\\ ".contains(byte))
            && text.split(|byte| !byte.is_ascii_alphanumeric()).all(is_word)
    };
    let mut parts = value.split(|byte| *byte == b'{');
    let mut has_name = false;
    parts.next().is_some_and(is_text)
        && parts.all(|part| {
            let end = part.iter().position(|byte| *byte == b'}');
            has_name |= end.is_some_and(|end| is_name(&part[..end]));
            is_text(part.get(end.map_or(0, |end| end + 1)..).unwrap_or_default())
        })
        && has_name
}

/// Splits `camelCase` into its words.
fn camel_words(word: &[u8]) -> impl Iterator<Item = &[u8]> {
    word.chunk_by(|before, after| !(before.is_ascii_lowercase() && after.is_ascii_uppercase()))
}

/// Returns whether a value is a name or path as in programs: letters joined by dots, slashes, colons, hyphens or
/// underscores.
pub(super) fn is_name(value: &[u8]) -> bool {
    let joins = |byte: &u8| matches!(byte, b'_' | b'-' | b'.' | b'/' | b':' | b'~' | b'@');
    value.iter().all(|byte| byte.is_ascii_alphabetic() || joins(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_not_random_and_keys_are() {
        let random = [
            "9f86d081884c7d659a2feaa0c55ad015",
            "kX9vQ2mL7pR4tW8zB3nC",
            "dGhpc2lzYXJhbmRvbWtleQ3v",
            "wJbLrqtnWfZxKdVgHmTs",
        ];
        for value in random {
            assert!(is_random(value.as_bytes()), "{value}");
        }
        let words = [
            "this_is_a_long_name_of_2_words",
            "AuthenticationTokenProvider",
            "application/vnd.api+json",
            "short1",
            "refs/heads/feature-12",
            "getAccessTokenFromRequest2",
            "src/redact/rules/named.rs",
            "aaaaaaaaaaaaaaaaaaaaaaaa",
            "1234567890123456789012",
        ];
        for value in words {
            assert!(!is_random(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn a_placeholder_is_no_secret() {
        let none = [
            "",
            "xxxxxxxx",
            "$PASSWORD",
            "${DB_PASSWORD}",
            "{{ .Values.password }}",
            "<your-key>",
            "%s",
            "%(password)s",
            "***",
            "changeme",
            "your-api-key-here",
            "YOUR_API_KEY",
            "myPassword",
            "{password}",
            "prefix-{name}",
            "[redacted:jwt]",
            "...",
        ];
        for value in none {
            assert!(is_placeholder(value.as_bytes()), "{value}");
        }
        for value in ["hunter2", "correcthorse", "s3cret!", "Tr0ub4dor&3"] {
            assert!(!is_placeholder(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn people_put_digits_and_marks_into_passwords() {
        for value in ["hunter2", "P@ssw0rd", "letmein!", "Tr0ub4dor&3", "abc-123-def"] {
            assert!(is_password(value.as_bytes()), "{value}");
        }
        for value in ["password", "user.name", "12345678", "two words 1", "a1", "http://a/b"] {
            assert!(!is_password(value.as_bytes()), "{value}");
        }
    }
}
