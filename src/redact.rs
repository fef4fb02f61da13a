//! What must never be stored: every text passes here before the log, the index and the trace. Refusal: nothing is kept
//! of a secret but its kind, and nothing is guessed: a rule needs the strict form of a known key, so that ordinary code
//! and hashes stay as they are. Pure, linear in the text, and never panics.

mod forgotten;
mod rules;

use regex::Regex;
use rules::{Left, RULES, Rule};
use std::borrow::Cow;
use std::sync::LazyLock;

pub use forgotten::{Forgotten, SHORTEST, is_forgotten, is_session_forgotten, leave_out};

/// Raised whenever a rule changes, so that what was read under older rules can be told apart.
pub const VERSION: u32 = 1;

/// The text with every known secret replaced by its kind, as in `[redacted:aws-key]`. Doing it twice changes nothing.
pub fn redact(text: &str) -> Cow<'_, str> {
    match forgotten::without_forgotten(text) {
        Cow::Borrowed(text) => without_secrets(text),
        Cow::Owned(text) => Cow::Owned(without_secrets(&text).into_owned()),
    }
}

fn without_secrets(text: &str) -> Cow<'_, str> {
    match pass(text) {
        None => Cow::Borrowed(text),
        Some(mut redacted) => {
            // A replacement is shorter than a key and holds no blank, so two halves of a secret can meet around it.
            while let Some(again) = pass(&redacted).filter(|again| *again != redacted) {
                redacted = again;
            }
            Cow::Owned(redacted)
        }
    }
}

/// Finds where any rule could begin; nearly all text stops here.
static STARTS: LazyLock<Regex> = LazyLock::new(|| {
    let starts: Vec<&str> = RULES.iter().map(|rule| rule.starts).collect();
    Regex::new(&starts.join("|")).expect("the starts of the table are well-formed")
});

static FORMS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let anchored = |rule: &Rule| Regex::new(&format!(r"\A(?:{})", rule.form));
    let forms: Result<Vec<_>, _> = RULES.iter().map(anchored).collect();
    forms.expect("the forms of the table are well-formed")
});

/// One pass from left to right; `None` when nothing was found.
fn pass(text: &str) -> Option<String> {
    let mut redacted = String::new();
    // Up to `done` the text is dealt with; `at` is where the next start is looked for.
    let (mut done, mut at) = (0, 0);
    while let Some(start) = STARTS.find_at(text, at).map(|start| start.start()) {
        match secret_at(text, start, done) {
            Some((rule, from, to)) => {
                let kept = &text[done..from];
                // Between a URL's start and its password stands a user, and that may be a token.
                match pass(&text[start..from]) {
                    Some(user) => {
                        redacted.push_str(&text[done..start]);
                        redacted.push_str(&user);
                    }
                    None => redacted.push_str(kept),
                }
                redacted.push_str("[redacted:");
                redacted.push_str(rule.name);
                redacted.push(']');
                (done, at) = (to, to);
            }
            // Every start begins with ASCII, so the next byte is a character's first.
            None => at = start + 1,
        }
    }
    if done == 0 {
        return None;
    }
    redacted.push_str(&text[done..]);
    Some(redacted)
}

/// The rule that applies at `start` and the bytes of its secret. What lies before `done` has been replaced.
fn secret_at(text: &str, start: usize, done: usize) -> Option<(&'static Rule, usize, usize)> {
    let (left, rest) = (&text.as_bytes()[done..start], &text[start..]);
    RULES.iter().zip(FORMS.iter()).find_map(|(rule, form)| {
        if !may_follow(left, rule.left) {
            return None;
        }
        let secret = match rule.form.contains("(?P<secret>") {
            true => form.captures(rest)?.name("secret")?.range(),
            false => form.find(rest)?.range(),
        };
        Some((rule, start + secret.start, start + secret.end))
    })
}

fn may_follow(left: &[u8], wanted: Left) -> bool {
    match (wanted, left) {
        (Left::Any, _) | (_, []) => true,
        // An escape inside of a quoted text, such as \n in JSON.
        (_, [.., b'\\', b'n' | b'r' | b't']) => true,
        (Left::Word, [.., byte]) => !byte.is_ascii_alphanumeric() && *byte != b'_',
        (Left::Base64, [.., byte]) => !byte.is_ascii_alphanumeric() && *byte != b'_' && *byte != b'-',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A secret-looking text that stands nowhere in this file as such.
    fn key(prefix: &[&str], length: usize) -> String {
        let letters = "a1B2c3D4e5F6g7H8i9J0kLmNoPqRsTuVwXyZ";
        prefix.concat() + &letters.chars().cycle().take(length).collect::<String>()
    }

    fn secrets() -> Vec<(&'static str, String)> {
        let hex = |prefix: &[&str], length: usize| prefix.concat() + &"0123456789abcdef".repeat(4)[..length];
        let jwt = [key(&["ey", "J"], 20), key(&["ey", "J"], 30), key(&[], 43)].join(".");
        let pem = |kind: &str, body: &str| format!("-----BEGIN {kind}-----{body}-----END {kind}-----");
        let lines = format!("\n{}\n{}\nab+/==\n", key(&[], 64), key(&[], 64));
        vec![
            ("aws-key", key(&["AK", "IA"], 0) + "ABCDEFGH23456789"),
            ("aws-key", key(&["AS", "IA"], 0) + "ABCDEFGH23456789"),
            ("github-token", key(&["gh", "p_"], 36)),
            ("github-token", key(&["gh", "s_"], 36)),
            ("github-token", key(&["github", "_pat_"], 82)),
            ("gitlab-token", key(&["glp", "at-"], 20)),
            ("slack-token", key(&["xo", "xb-123456789012-"], 24)),
            ("stripe-key", key(&["sk", "_live_"], 24)),
            ("stripe-key", key(&["rk", "_live_"], 24)),
            ("google-key", key(&["AI", "za"], 35)),
            ("anthropic-key", key(&["sk", "-ant-api03-"], 80)),
            ("openai-key", key(&["sk", "-proj-"], 60)),
            ("openai-key", key(&["sk", "-"], 48)),
            ("npm-token", key(&["np", "m_"], 36)),
            ("pypi-token", key(&["py", "pi-AgEI"], 90)),
            ("sendgrid-key", [key(&["S", "G"], 0), key(&[], 22), key(&[], 43)].join(".")),
            ("twilio-key", hex(&["S", "K"], 32)),
            ("huggingface-token", key(&["h", "f_"], 34)),
            ("digitalocean-token", hex(&["do", "p_v1_"], 64)),
            ("jwt", jwt),
            ("private-key", pem(&["RSA PRIVATE", " KEY"].concat(), &lines)),
            ("private-key", pem(&["PRIVATE", " KEY"].concat(), &lines.replace('\n', "\\n"))),
            ("private-key", pem(&["PRIVATE", " KEY"].concat(), "\nshort\n")),
            ("private-key", pem(&["PGP PRIVATE", " KEY BLOCK"].concat(), &lines)),
            ("private-key", format!("-----BEGIN OPENSSH PRIVATE{}{lines}", " KEY-----").trim_end().to_owned()),
        ]
    }

    #[test]
    fn every_known_key_goes_wherever_it_stands() {
        for (name, secret) in secrets() {
            let mark = format!("[redacted:{name}]");
            for (left, right) in [("", ""), ("a = \"", "\";\n"), ("é ", " é"), ("{\"a\": \"b\\n", "\"}"), ("(", ")")]
            {
                let text = format!("{left}{secret}{right}");
                assert_eq!(redact(&text), format!("{left}{mark}{right}"), "{name} in {text:?}");
            }
        }
    }

    #[test]
    fn urls_and_headers_keep_what_is_not_secret() {
        let case = |before: &[&str], after: &str| assert_eq!(redact(&before.concat()), after);
        let mark = "[redacted:url-password]";
        case(&["git clone https://me:", "s3cret@example.com/x"], &format!("git clone https://me:{mark}@example.com/x"));
        case(&["redis://:", "p@ss:w#rd@h:1/0"], &format!("redis://:{mark}@h:1/0"));
        let token = key(&["gh", "p_"], 36);
        case(&["https://", &token, ":x-oauth@h"], &format!("https://[redacted:github-token]:{mark}@h"));
        case(&["https://", &token, "@h"], "https://[redacted:github-token]@h");
        let mark = "[redacted:authorization]";
        case(&["Authorization: Bearer ", &key(&[], 20)], &format!("Authorization: Bearer {mark}"));
        case(&["\"authorization\": \"Basic ", "dXNlcjpwYXNz\""], &format!("\"authorization\": \"Basic {mark}\""));
        case(&["Authorization: Bearer ", "abcdefghijk1"], &format!("Authorization: Bearer {mark}"));
        case(
            &["h(\"Authorization\", \"token ", &key(&[], 20), "\")"],
            &format!("h(\"Authorization\", \"token {mark}\")"),
        );
    }

    #[test]
    fn ordinary_text_is_returned_as_it_is() {
        let texts = [
            "",
            "é",
            "AKIA",
            "let task_sk_live = mask-ant;",
            "9f2c8d1e5b7a4c3f9f2c8d1e5b7a4c3f9f2c8d1e",
            "https://example.com:8080/a@b",
            "ssh://git@example.com:22/x",
            "https://{user}:{password}@{host}/",
            "postgres://$USER:${PASSWORD}@h",
            "http://a/b:c@d",
            "https://me:[redacted:url-password]@h",
            "Authorization: Bearer <token>",
            "authorization: basic understanding",
            "format!(\"Bearer {token}\")",
            ".sk-loading-indicator-wrapper-of-the-page",
            "npm_config_registry_with_a_long_name_in_snake_case",
            concat!(
                "const A: &str = \"-----BEGIN PRIVATE",
                " KEY-----\";\nconst B: &str = \"-----END PRIVATE",
                " KEY-----\";"
            ),
            "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBa\n-----END CERTIFICATE-----",
            concat!("the header -----BEGIN PRIVATE", " KEY----- opens it"),
            "SKILL SK12 eyJhbGciOiJIUzI1NiJ9",
            "hf_hub_download",
            "blake3:6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
        ];
        for text in texts {
            assert!(matches!(redact(text), Cow::Borrowed(_)), "{text:?} became {:?}", redact(text));
        }
    }

    #[test]
    fn twice_is_once_and_no_mixture_panics() {
        let mut pieces: Vec<String> = secrets().into_iter().map(|(_, secret)| secret).collect();
        for piece in
            ["://", "u:", "@", "-----BEGIN ", "-----", "é", " ", "\n", "eyJ", ".", "_", "[redacted:jwt]", "sk-"]
        {
            pieces.push(piece.to_owned());
        }
        pieces.push(["Authorization", ": Bearer "].concat());
        let mut random: u64 = 1;
        let mut next = |below: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % below
        };
        for _ in 0..3000 {
            let mut text: String = (0..next(8)).map(|_| pieces[next(pieces.len())].clone()).collect();
            while !text.is_char_boundary(text.len().saturating_sub(next(4))) {
                text.push('x');
            }
            let once = redact(&text).into_owned();
            assert_eq!(redact(&once), once, "{text:?}");
        }
    }

    #[test]
    fn repeated_starts_take_linear_time() {
        let header = ["-----BEGIN PRIVATE", " KEY-----\n"].concat();
        for piece in ["eyJ-", &header, "://u:", "://", "sk-", "SK0", "authorization: bearer ", "x:@"] {
            let text = piece.repeat(200_000);
            let start = std::time::Instant::now();
            redact(&text);
            assert!(start.elapsed().as_secs() < 5, "{piece:?} took {:?}", start.elapsed());
        }
    }
}
