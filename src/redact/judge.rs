//! Whether a value is a secret, a placeholder, or a word. Refuses to measure entropy alone: at the length of a key, words
//! have as much of it; pairs of letters tell the two apart.

use super::expression::{is_expression, is_identifier};

/// What is looked at of a value: nothing longer is judged otherwise.
pub(super) const LOOKED_AT: usize = 256;

/// How many different bytes.
fn variety(value: &[u8]) -> u32 {
    let seen = value.iter().fold(0_u128, |seen, byte| seen | 1 << (byte & 127));
    seen.count_ones()
}

/// More than a row of one letter.
pub(super) fn has_variety(value: &[u8]) -> bool {
    variety(&value[..value.len().min(LOOKED_AT)]) >= 5
}

/// Also two of small letters, capitals and digits.
pub(super) fn is_mixture(value: &[u8]) -> bool {
    let value = &value[..value.len().min(LOOKED_AT)];
    let kinds = [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit];
    has_variety(value) && kinds.iter().filter(|kind| value.iter().any(*kind)).count() >= 2
}

/// Also a digit.
pub(super) fn has_digits(value: &[u8]) -> bool {
    let value = &value[..value.len().min(LOOKED_AT)];
    is_mixture(value) && value.iter().any(u8::is_ascii_digit)
}

/// Pairs of letters that words are made of: about 60 of 100 pairs of a text in English are among these, and about 15 of
/// 100 of what is random.
const PAIRS: &str = "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri \
    ro ic ne ea ra ce li ch ll be ma si om ur ec ct pa ss us pr ke ey lo ge et ta rd wo sw el la no tr su ac ut ex am ld em \
    id po ul un di fi up pe os ot ap pl im da ad do il so ca ns bl";

/// Whether a pair of letters, written small, is one of words.
fn is_pair(first: u8, second: u8) -> bool {
    static TABLE: std::sync::LazyLock<[u32; 26]> = std::sync::LazyLock::new(|| {
        let mut table = [0; 26];
        for pair in PAIRS.split_whitespace().map(str::as_bytes) {
            table[usize::from(pair[0] - b'a')] |= 1 << (pair[1] - b'a');
        }
        table
    });
    TABLE[usize::from(first - b'a')] >> (second - b'a') & 1 == 1
}

/// What a value is made of.
struct Look {
    length: usize,
    letters: usize,
    digits: usize,
    capitals: usize,
    /// Neither letters nor digits, nor what joins words.
    marks: usize,
    /// How often capitals, small letters and digits follow each other.
    changes: usize,
    /// Pairs of letters, and those of words among them.
    pairs: usize,
    of_words: usize,
}

fn look(value: &[u8]) -> Look {
    let value = &value[..value.len().min(LOOKED_AT)];
    let kind = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let mut look =
        Look { length: value.len(), letters: 0, digits: 0, capitals: 0, marks: 0, changes: 0, pairs: 0, of_words: 0 };
    for (index, &byte) in value.iter().enumerate() {
        match kind(byte) {
            0 => look.letters += 1,
            1 => (look.letters, look.capitals) = (look.letters + 1, look.capitals + 1),
            2 => look.digits += 1,
            // Letters of other alphabets are none.
            _ => look.marks += usize::from(byte.is_ascii() && !matches!(byte, b'_' | b'-' | b'.' | b'/' | b':' | b' ')),
        }
        let Some(&before) = index.checked_sub(1).and_then(|before| value.get(before)) else { continue };
        // A capital before small letters begins a word, which was counted when it came.
        let goes_on = kind(before) == 1 && kind(byte) == 0;
        look.changes += usize::from(kind(before) != kind(byte) && kind(before) < 3 && kind(byte) < 3 && !goes_on);
        if before.is_ascii_alphabetic() && byte.is_ascii_alphabetic() {
            look.pairs += 1;
            look.of_words += usize::from(is_pair(before.to_ascii_lowercase(), byte.to_ascii_lowercase()));
        }
    }
    look
}

/// Whether a value looks as if a machine had drawn it: long, varied, and not made of words.
pub(super) fn is_random(value: &[u8]) -> bool {
    // What it begins with are words.
    let value = value.strip_prefix(b"django-insecure-").unwrap_or(value);
    let look = look(value);
    if look.length < 16 || variety(value) < 8 || look.letters + look.digits < look.length * 3 / 5 {
        return false;
    }
    if value.iter().all(u8::is_ascii_hexdigit) {
        return look.digits > 1 && look.letters > 1;
    }
    let is_wordy = look.of_words * 100 > look.pairs * 42;
    if look.digits == 0 {
        return look.length >= 20 && look.changes * 6 >= look.length && !is_wordy;
    }
    // Words with a number behind change seldom; digits and letters of what is random do all the time.
    let is_mixed = look.letters * 12 >= look.length && look.changes * 8 >= look.length;
    let has_all = look.capitals > 2 && look.changes * 4 >= look.length;
    is_mixed && (!is_wordy || has_all || look.changes * 3 >= look.length)
}

/// Whether a value looks as if somebody had thought it up as a password: letters with digits or marks among them.
pub(super) fn is_password(value: &[u8]) -> bool {
    let look = look(value);
    let has_marks = look.marks > 0 || value.ends_with(b"!");
    look.length >= 6
        && variety(value) >= 4
        && value.iter().all(|byte| !byte.is_ascii_whitespace())
        && ((look.digits > 0 && look.letters > 0) || (has_marks && look.letters + look.digits >= 4))
}

/// Whether a value looks as if a machine had drawn a short one: digits and letters take turns, digits or capitals stand
/// among letters that are no words, or it is hexadecimal.
pub(super) fn is_short_key(value: &[u8]) -> bool {
    let look = look(value);
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-!+=".contains(byte);
    let turns = |two: &[u8]| two.iter().any(u8::is_ascii_digit) && two.iter().any(u8::is_ascii_alphabetic);
    let is_mixed = look.digits > 0 && look.changes * 4 >= look.length && look.of_words * 100 <= look.pairs * 42;
    let is_wordless = look.digits > 0 && look.pairs > 5 && look.of_words * 100 <= look.pairs * 30;
    let is_hex = look.length >= 10 && value.iter().all(u8::is_ascii_hexdigit);
    let is_drawn = is_mixed || is_hex || is_wordless || value.windows(2).filter(|two| turns(two)).count() >= 3;
    (8..16).contains(&value.len()) && value.iter().all(is_plain) && is_drawn && is_password(value)
}

/// What words about passwords have in them, in some languages.
const TELLING: &[&str] = &[
    "pass", "pwd", "wort", "wachtw", "secret", "token", "key", "field", "user", "login", "sign", "auth", "valid",
    "requir", "error", "hash", "crypt", "form", "input", "label", "text", "type", "name", "string", "contras", "senha",
    "your", "default", "prompt", "null", "none", "change",
];

/// Whether a value speaks about a secret, or names a place for one.
pub(super) fn tells_about(value: &[u8]) -> bool {
    let has = |word: &str| value.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    TELLING.iter().any(|word| has(word))
}

/// Ends of long words that are one.
const ENDINGS: &[&str] = &["tion", "tions", "ment", "able", "ible", "ized", "ated", "ting", "tial", "ness", "ally"];

/// Whether a password is made of letters alone: several words in one or joined by hyphens, or none at all.
pub(super) fn is_made_of_words(value: &[u8]) -> bool {
    let look = look(value);
    let parts = value.split(|byte| *byte == b'-');
    let is_small = value.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'-');
    let is_joined = is_small && parts.clone().count() >= 4 && parts.into_iter().all(|part| part.len() >= 3);
    let is_run = value.len() >= 12
        && value.iter().all(u8::is_ascii_lowercase)
        && !ENDINGS.iter().any(|end| value.ends_with(end.as_bytes()));
    let is_drawn = look.letters == look.length
        && look.length >= 10
        && look.changes >= 3
        && look.capitals * 5 >= look.length
        && look.of_words * 100 <= look.pairs * 42;
    (is_joined || is_run || is_drawn) && !tells_about(value)
}

/// Words that sentences have, and passwords made of words have not.
const OF_SENTENCES: &[&str] = &[
    "all", "and", "any", "are", "but", "can", "cannot", "could", "did", "does", "for", "from", "had", "has", "have",
    "how", "into", "its", "least", "less", "may", "more", "most", "must", "not", "only", "our", "out", "per", "should",
    "than", "that", "the", "their", "them", "then", "they", "this", "too", "use", "used", "using", "via", "was",
    "were", "what", "when", "where", "which", "who", "why", "will", "with", "would", "you",
];

/// Whether a value is words that somebody drew and joined by blanks: `correct horse battery staple`.
pub(super) fn is_passphrase(value: &[u8]) -> bool {
    let words = value.split(|byte| *byte == b' ');
    let is_drawn = |word: &[u8]| {
        word.len() >= 3
            && word.iter().all(u8::is_ascii_lowercase)
            && !OF_SENTENCES.iter().any(|common| common.as_bytes() == word)
    };
    (4..=10).contains(&words.clone().count()) && words.into_iter().all(is_drawn) && !tells_about(value)
}

/// What a line may begin with before it says anything: it is further in, of a list, in a comment or in a quotation.
pub(super) fn is_margin(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'-' | b'#' | b'/' | b'*' | b'>' | b'|' | b'!' | b';')
}

/// Words that stand for a secret.
const WORDS: &[&str] = &[
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

/// Whether a value only stands where a secret belongs: an empty one, a row of one letter, a variable, a call, a word for it.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let value = &value[..value.len().min(LOOKED_AT)];
    let has = |mark: &[u8]| value.windows(mark.len()).any(|window| window == mark);
    if variety(value) < 3 || has(b"...") || has(b"***") || has(b"\xe2\x80\xa6") {
        return true;
    }
    // What a form asks of it.
    if has(b"required|") {
        return true;
    }
    // Where it is to be looked up, as in `@env:NAME` and `op://vault/item`.
    let scheme = value.strip_prefix(b"@").unwrap_or(value);
    if [&b"env:"[..], b"file:", b"vault:", b"op://", b"ssm:", b"arn:"].iter().any(|known| scheme.starts_with(known)) {
        return true;
    }
    let begins = [&b"${"[..], b"$(", b"{{", b"<%", b"#{", b"%("];
    let is_variable = begins.iter().any(|begins| value.starts_with(begins))
        || has(b"[redacted:") || has(super::MARK.as_bytes())
        || stands_for_one(value)
        // What is put together when the program runs.
        || has_field(value);
    if is_variable {
        return true;
    }
    let mut words = value.split(|byte| !byte.is_ascii_alphabetic()).filter(|word| !word.is_empty()).peekable();
    let has_words = words.peek().is_some();
    let letters = value
        .iter()
        .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b'.' | b' ' | b':' | b'/' | b'!'));
    let is_word = |word: &[u8]| {
        let is_one = |word: &[u8]| WORDS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(word));
        is_one(word) || camel(word).all(is_one)
    };
    has_words && letters && words.all(is_word)
}

/// Whether all of a value is a variable, or a word in the brackets of forms: `$NAME`, `<name>`, `[name]`, `%NAME%`, `%s`.
fn stands_for_one(value: &[u8]) -> bool {
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

/// Whether a name stands in braces, and nothing but words and what joins them beside it: `{user.name}:{0}`, `{x:>4}`.
fn has_field(value: &[u8]) -> bool {
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

/// The words of `camelCase`.
fn camel(word: &[u8]) -> impl Iterator<Item = &[u8]> {
    word.chunk_by(|before, after| !(before.is_ascii_lowercase() && after.is_ascii_uppercase()))
}

/// Whether a value is a name of the kind that programs are made of, or a path: words joined by dots, slashes, colons,
/// hyphens or underscores.
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
    fn what_stands_for_a_secret_is_none() {
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
