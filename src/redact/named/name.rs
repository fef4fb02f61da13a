//! What a name says of its value. Refuses names that only tell about a secret: `token_type`, `password_field`, `key_id`,
//! and keys of which it does not say that they are secret.

/// What the value of a name is, if it is secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Somebody may have thought it up.
    Password,
    /// A machine has drawn it.
    Key,
    /// `user:password` in base64, or a key.
    Auth,
    /// Words that a wallet is made of.
    Phrase,
}

/// Longest name that is looked at, in bytes and in words: what is longer is a sentence.
pub(super) const LONGEST: usize = 64;
const MOST_WORDS: usize = 12;

/// What may follow the word for a secret.
const TAILS: &[&str] = &[
    "value",
    "val",
    "string",
    "str",
    "text",
    "plain",
    "plaintext",
    "raw",
    "base64",
    "b64",
    "hex",
    "prod",
    "production",
    "dev",
    "development",
    "test",
    "staging",
    "stage",
    "live",
    "sandbox",
    "old",
    "new",
    "default",
    "main",
    "primary",
    "secondary",
    "backup",
    "base",
    "override",
];

/// What a key is for, when it is secret.
const KEYS: &[&str] = &[
    "api",
    "access",
    "secret",
    "private",
    "signing",
    "sign",
    "encryption",
    "encrypt",
    "crypto",
    "cipher",
    "account",
    "auth",
    "master",
    "shared",
    "service",
    "admin",
    "storage",
    "ssh",
    "deploy",
    "deployment",
    "webhook",
    "sessions",
    "app",
    "application",
    "consumer",
    "client",
    "root",
    "jwt",
    "hmac",
    "aes",
    "subscription",
    "integration",
    "license",
    "recovery",
    "server",
    "cookie",
    "write",
    "preshared",
    "function",
    "sas",
    "security",
];

/// What lets pass, or is done once more, and is no password.
const PASSES: &[&str] =
    &["low", "high", "band", "all", "first", "second", "third", "last", "render", "single", "multi"];

/// What a phrase is, when it is secret.
const PHRASES: &[&str] = &["seed", "recovery", "backup", "mnemonic", "secret"];

/// Words that are written as one and end a name that is.
const ENDS: &[(&str, Kind)] = &[
    ("password", Kind::Password),
    ("passwd", Kind::Password),
    ("passphrase", Kind::Password),
    ("passcode", Kind::Password),
    ("sshpass", Kind::Password),
    ("storepass", Kind::Password),
    ("keypass", Kind::Password),
    ("requirepass", Kind::Password),
    ("secret", Kind::Key),
    ("token", Kind::Key),
    ("apikey", Kind::Key),
    ("secretkey", Kind::Key),
    ("privatekey", Kind::Key),
    ("accesskey", Kind::Key),
    ("accountkey", Kind::Key),
    ("authkey", Kind::Key),
    ("masterkey", Kind::Key),
    ("signingkey", Kind::Key),
    ("encryptionkey", Kind::Key),
    ("presharedkey", Kind::Key),
    ("credential", Kind::Key),
    ("credentials", Kind::Key),
    ("mnemonic", Kind::Phrase),
];

/// What a name says; none for one that says nothing of a secret.
pub(super) fn kind(name: &[u8]) -> Option<Kind> {
    let mut words: [&[u8]; MOST_WORDS] = [b""; MOST_WORDS];
    let mut count = 0;
    for word in name.split(|byte| !byte.is_ascii_alphanumeric()).flat_map(humps).filter(|word| !word.is_empty()) {
        *words.get_mut(count)? = word;
        count += 1;
    }
    let is = |word: &[u8], known: &str| word.eq_ignore_ascii_case(known.as_bytes());
    let is_tail = |word: &[u8]| {
        let digits = word.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        digits == word.len()
            || (word.len() - digits == 1 && word[0].eq_ignore_ascii_case(&b'v'))
            || TAILS.iter().any(|tail| is(word, tail))
    };
    while count > 1 && is_tail(words[count - 1]) {
        count -= 1;
    }
    let last = words[count.checked_sub(1)?];
    let digits = last.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let last = &last[..last.len() - digits];
    let before = count.checked_sub(2).map(|at| words[at]);
    let follows = |list: &[&str]| before.is_some_and(|word| list.iter().any(|known| is(word, known)));
    if is(last, "pass") && follows(PASSES) {
        return None;
    }
    if ["pass", "pwd", "psk", "pw"].iter().any(|name| is(last, name)) {
        return Some(Kind::Password);
    }
    if last == b"PAT" && count > 1 {
        return Some(Kind::Key);
    }
    if is(last, "key") {
        return follows(KEYS).then_some(Kind::Key);
    }
    if is(last, "phrase") || is(last, "words") {
        return follows(PHRASES).then_some(Kind::Phrase);
    }
    if ["session", "sessionid", "sessid", "sid"].iter().any(|name| is(last, name)) {
        return Some(Kind::Key);
    }
    if is(last, "auth") {
        return Some(Kind::Auth);
    }
    if (is(last, "word") || is(last, "phrase")) && follows(&["pass"]) {
        return Some(Kind::Password);
    }
    if is(last, "cookie") && follows(&["session", "auth"]) {
        return Some(Kind::Key);
    }
    let ends_with = |end: &str| last.len() >= end.len() && is(&last[last.len() - end.len()..], end);
    ENDS.iter().find(|(end, _)| ends_with(end)).map(|(_, kind)| *kind)
}

/// Most words before the last of a name that is written with blanks, and the most bytes of one.
const SPACED: usize = 3;
const LONGEST_SPACED: usize = 20;

/// How many bytes before a word belong to the name that it ends, where people write it: `Secret Access Key`.
pub(super) fn before(left: &[u8], word: &[u8]) -> usize {
    if !["key", "phrase", "words"].iter().any(|last| word.eq_ignore_ascii_case(last.as_bytes())) {
        return 0;
    }
    let mut rest = left;
    for _ in 0..SPACED {
        let Some(before) = rest.strip_suffix(b" ") else { break };
        let length = before.iter().rev().take(LONGEST_SPACED).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        if length == 0 {
            break;
        }
        rest = &before[..before.len() - length];
    }
    left.len() - rest.len()
}

/// Whether a name is written with blanks.
pub(super) fn is_spaced(name: &[u8]) -> bool {
    name.contains(&b' ')
}

/// What is said with a password or a token and is none: a step, a fault, a text that is shown, a place in a list.
const ABOUT: &[&str] = &[
    "forgot",
    "forgotten",
    "lost",
    "reset",
    "change",
    "changed",
    "update",
    "invalid",
    "wrong",
    "incorrect",
    "weak",
    "bad",
    "missing",
    "no",
    "show",
    "hide",
    "toggle",
    "check",
    "verify",
    "confirm",
    "enter",
    "require",
    "required",
    "error",
    "err",
    "grant",
    "label",
    "placeholder",
    "hint",
    "help",
    "msg",
    "message",
    "title",
    "is",
    "has",
    "param",
    "type",
    "on",
    "field",
    "input",
    "prompt",
    "env",
    "name",
    "page",
    "next",
    "start",
    "starting",
    "idempotency",
    "continuation",
    "lock",
    "creation",
    "session",
    "sid",
];

/// Whether a name tells about a secret, so that its value is rather a word or a number than one.
pub(super) fn tells_about(name: &[u8]) -> bool {
    let words = name.split(|byte| !byte.is_ascii_alphanumeric()).flat_map(humps);
    words.into_iter().any(|word| ABOUT.iter().any(|about| word.eq_ignore_ascii_case(about.as_bytes())))
}

/// Whether a name has `password` in it, and not only what may count passes.
pub(super) fn says_password(name: &[u8]) -> bool {
    name.windows(5).any(|five| five.eq_ignore_ascii_case(b"passw"))
}

/// Whether a name is that of a call which is told a secret: `setPassword`, `with_token`, `.password`, `PASSWORD`.
pub(super) fn sets(name: &[u8]) -> bool {
    let called = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let first = called.split(|byte| *byte == b'_').flat_map(humps).next().unwrap_or_default();
    let is_part = called == b"PASSWORD" || (called == b"password" && name.contains(&b'.'));
    is_part || first.eq_ignore_ascii_case(b"set") || first.eq_ignore_ascii_case(b"with")
}

/// The words of `camelCase` and `HTTPServer`.
fn humps(word: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = move |at: usize| {
        let (before, here, behind) = (word[at - 1], word[at], word.get(at + 1));
        here.is_ascii_uppercase() && (before.is_ascii_lowercase() || behind.is_some_and(u8::is_ascii_lowercase))
    };
    let mut from = 0;
    std::iter::from_fn(move || {
        (from < word.len()).then(|| {
            let to = (from + 1..word.len()).find(|at| ends(*at)).unwrap_or(word.len());
            let hump = &word[from..to];
            from = to;
            hump
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_told_from_names_about_them() {
        let check = |names: &[&str], expect: Option<Kind>| {
            for name in names {
                assert_eq!(kind(name.as_bytes()), expect, "{name}");
            }
        };
        check(
            &[
                "password",
                "DB_PASSWORD",
                "dbPassword",
                "spring.datasource.password",
                "userpassword",
                "SMTP_PASS",
                "password2",
                "PGPASSWORD",
                "passWord",
            ],
            Some(Kind::Password),
        );
        check(
            &[
                "api_key",
                "apiKey",
                "APIKey",
                "X-Api-Key",
                "client-secret",
                "GITHUB_TOKEN",
                "authToken",
                "SECRET_KEY_BASE",
                "AccountKey",
                "token_v2",
                "aws_secret_access_key",
                "access_token_secret",
            ],
            Some(Kind::Key),
        );
        check(&["auth", "_auth", "docker.auth"], Some(Kind::Auth));
        check(&["mnemonic", "seedPhrase", "RECOVERY_PHRASE"], Some(Kind::Phrase));
        check(
            &[
                "token_type",
                "password_field",
                "key_id",
                "key",
                "public_key",
                "primaryKey",
                "tokens",
                "tokenizer",
                "secretName",
                "passed",
                "compass_id",
                "keyword",
                "author",
                "phrase",
                "sessions",
                "monkey",
            ],
            None,
        );
    }
}
