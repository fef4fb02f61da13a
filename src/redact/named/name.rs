//! Classifies names by the secret they announce.
//!
//! Names that merely describe a secret (`token_type`, `password_field`, `key_id`) announce none, nor do keys that are
//! not known to be secret.

/// The kind of secret that a name announces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SecretNameKind {
    /// A password, possibly chosen by a person.
    Password,
    /// A randomly generated key or token.
    Key,
    /// Credentials: `user:password` in base64 or plain, or a key.
    Auth,
    /// A seed phrase of a wallet.
    Phrase,
}

/// The longest name, in bytes; anything longer is a sentence.
pub(super) const MAX_NAME_BYTES: usize = 64;
/// The most words of a name.
const MAX_NAME_WORDS: usize = 12;

/// Qualifiers that may follow the word for a secret.
const QUALIFIERS: &[&str] = &[
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

/// Words before `key` that make it a secret key.
const SECRET_KEY_PREFIXES: &[&str] = &[
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

/// Words before `pass` that make it something other than a password.
const NON_PASSWORD_PREFIXES: &[&str] =
    &["low", "high", "band", "all", "first", "second", "third", "last", "render", "single", "multi"];

/// Words before `phrase` that make it a seed phrase.
const SEED_PHRASE_PREFIXES: &[&str] = &["seed", "recovery", "backup", "mnemonic", "secret"];

/// Compound endings that announce a secret.
const SECRET_SUFFIXES: &[(&str, SecretNameKind)] = &[
    ("password", SecretNameKind::Password),
    ("passwd", SecretNameKind::Password),
    ("passphrase", SecretNameKind::Password),
    ("passcode", SecretNameKind::Password),
    ("sshpass", SecretNameKind::Password),
    ("storepass", SecretNameKind::Password),
    ("keypass", SecretNameKind::Password),
    ("requirepass", SecretNameKind::Password),
    ("secret", SecretNameKind::Key),
    ("token", SecretNameKind::Key),
    ("apikey", SecretNameKind::Key),
    ("secretkey", SecretNameKind::Key),
    ("privatekey", SecretNameKind::Key),
    ("accesskey", SecretNameKind::Key),
    ("accountkey", SecretNameKind::Key),
    ("authkey", SecretNameKind::Key),
    ("masterkey", SecretNameKind::Key),
    ("signingkey", SecretNameKind::Key),
    ("encryptionkey", SecretNameKind::Key),
    ("presharedkey", SecretNameKind::Key),
    ("credential", SecretNameKind::Key),
    ("credentials", SecretNameKind::Key),
    ("mnemonic", SecretNameKind::Phrase),
];

/// Returns the kind of secret that a name announces; `None` if it announces none.
pub(super) fn classify(name: &[u8]) -> Option<SecretNameKind> {
    let mut words: [&[u8]; MAX_NAME_WORDS] = [b""; MAX_NAME_WORDS];
    let mut count = 0;
    for word in name.split(|byte| !byte.is_ascii_alphanumeric()).flat_map(camel_words).filter(|word| !word.is_empty()) {
        *words.get_mut(count)? = word;
        count += 1;
    }
    let is = |word: &[u8], known: &str| word.eq_ignore_ascii_case(known.as_bytes());
    let is_tail = |word: &[u8]| {
        let digits = word.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        digits == word.len()
            || (word.len() - digits == 1 && word[0].eq_ignore_ascii_case(&b'v'))
            || QUALIFIERS.iter().any(|tail| is(word, tail))
    };
    while count > 1 && is_tail(words[count - 1]) {
        count -= 1;
    }
    let last = words[count.checked_sub(1)?];
    let digits = last.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let last = &last[..last.len() - digits];
    let before = count.checked_sub(2).map(|at| words[at]);
    let follows = |list: &[&str]| before.is_some_and(|word| list.iter().any(|known| is(word, known)));
    if is(last, "pass") && follows(NON_PASSWORD_PREFIXES) {
        return None;
    }
    if ["pass", "pwd", "psk", "pw"].iter().any(|name| is(last, name)) {
        return Some(SecretNameKind::Password);
    }
    if last == b"PAT" && count > 1 {
        return Some(SecretNameKind::Key);
    }
    if is(last, "key") {
        return follows(SECRET_KEY_PREFIXES).then_some(SecretNameKind::Key);
    }
    if is(last, "phrase") || is(last, "words") {
        return follows(SEED_PHRASE_PREFIXES).then_some(SecretNameKind::Phrase);
    }
    if ["session", "sessionid", "sessid", "sid"].iter().any(|name| is(last, name)) {
        return Some(SecretNameKind::Key);
    }
    if is(last, "auth") {
        return Some(SecretNameKind::Auth);
    }
    if (is(last, "word") || is(last, "phrase")) && follows(&["pass"]) {
        return Some(SecretNameKind::Password);
    }
    if is(last, "cookie") && follows(&["session", "auth"]) {
        return Some(SecretNameKind::Key);
    }
    let ends_with = |end: &str| last.len() >= end.len() && is(&last[last.len() - end.len()..], end);
    SECRET_SUFFIXES.iter().find(|(end, _)| ends_with(end)).map(|(_, kind)| *kind)
}

/// The most words before the last one in a name with spaces.
const MAX_SPACED_WORDS: usize = 3;
/// The most bytes in one of these words.
const MAX_SPACED_WORD_BYTES: usize = 20;

/// Returns how many bytes before a word belong to the same name with spaces, as in `Secret Access Key`.
pub(super) fn spaced_prefix_len(left: &[u8], word: &[u8]) -> usize {
    if !["key", "phrase", "words"].iter().any(|last| word.eq_ignore_ascii_case(last.as_bytes())) {
        return 0;
    }
    let mut rest = left;
    for _ in 0..MAX_SPACED_WORDS {
        let Some(before) = rest.strip_suffix(b" ") else { break };
        let length =
            before.iter().rev().take(MAX_SPACED_WORD_BYTES).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        if length == 0 {
            break;
        }
        rest = &before[..before.len() - length];
    }
    left.len() - rest.len()
}

/// Returns whether a name contains spaces.
pub(super) fn has_spaces(name: &[u8]) -> bool {
    name.contains(&b' ')
}

/// Words that turn a name into metadata about a secret: an action, an error, a label, a position.
const METADATA_WORDS: &[&str] = &[
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

/// Returns whether a name describes a secret, so that its value is likely a word or a number.
pub(super) fn is_about_secrets(name: &[u8]) -> bool {
    let words = name.split(|byte| !byte.is_ascii_alphanumeric()).flat_map(camel_words);
    words.into_iter().any(|word| METADATA_WORDS.iter().any(|about| word.eq_ignore_ascii_case(about.as_bytes())))
}

/// Returns whether a name contains `passw`; `pass` alone may be a pass that is counted.
pub(super) fn mentions_password(name: &[u8]) -> bool {
    name.windows(5).any(|five| five.eq_ignore_ascii_case(b"passw"))
}

/// Returns whether a name is a call or member that takes a secret: `setPassword`, `with_token`, `.password`,
/// `PASSWORD`.
pub(super) fn is_setter(name: &[u8]) -> bool {
    let called = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let first = called.split(|byte| *byte == b'_').flat_map(camel_words).next().unwrap_or_default();
    let is_part = called == b"PASSWORD" || (called == b"password" && name.contains(&b'.'));
    is_part || first.eq_ignore_ascii_case(b"set") || first.eq_ignore_ascii_case(b"with")
}

/// Splits `camelCase` and `HTTPServer` into words.
fn camel_words(word: &[u8]) -> impl Iterator<Item = &[u8]> {
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

/// Returns whether a name is written like an environment variable: `DB_PASSWORD`.
pub(super) fn is_env_name(name: &[u8]) -> bool {
    name.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
}

/// Returns whether a name means HTTP basic or digest authentication.
pub(super) fn is_http_auth_name(name: &[u8]) -> bool {
    [&b"basic"[..], b"digest"].iter().any(|kind| name.windows(kind.len()).any(|part| part.eq_ignore_ascii_case(kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_names_are_told_from_metadata_names() {
        let check = |names: &[&str], expect: Option<SecretNameKind>| {
            for name in names {
                assert_eq!(classify(name.as_bytes()), expect, "{name}");
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
            Some(SecretNameKind::Password),
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
            Some(SecretNameKind::Key),
        );
        check(&["auth", "_auth", "docker.auth"], Some(SecretNameKind::Auth));
        check(&["mnemonic", "seedPhrase", "RECOVERY_PHRASE"], Some(SecretNameKind::Phrase));
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
