//! What must never be stored: every text passes here before the log, the index and the trace. Refusal: nothing is kept
//! of a secret but its kind, and nothing is guessed: a rule needs the strict form of a known key, or a place that says it
//! holds one, so that ordinary code and hashes stay as they are. Pure, linear in the text, and never panics.

mod checksum;
mod forgotten;
mod form;
mod judge;
mod kubernetes;
mod named;
mod places;
mod private;
mod rules;
mod search;

use std::borrow::Cow;

pub use private::Private;
use rules::{Form, Left, Need, Place, Rule};

pub use forgotten::{Forgotten, SHORTEST, is_forgotten, is_session_forgotten, leave_out};

/// Raised whenever a rule changes, so that what was read under older rules can be told apart.
pub const VERSION: u32 = 2;

/// A secret in a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What it is, as it is shown.
    pub kind: &'static str,
    /// Its first byte.
    pub start: usize,
    /// The byte behind its last.
    pub end: usize,
}

/// The text with every known secret replaced by its kind, as in `[redacted:aws-key]`. Doing it twice changes nothing.
pub fn redact(text: &str) -> Cow<'_, str> {
    match forgotten::without_forgotten(text) {
        Cow::Borrowed(text) => without_secrets(text),
        Cow::Owned(text) => Cow::Owned(without_secrets(&text).into_owned()),
    }
}

fn without_secrets(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    // A replacement ends words and values, so what stood beside a secret can be one only now.
    loop {
        let found = find(&text);
        if found.is_empty() {
            return text;
        }
        text = Cow::Owned(replaced(&text, &found));
    }
}

/// Every secret, in order, none within another.
pub fn find(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    scan(text.as_bytes(), 0, text.len(), 0, &mut found);
    found.sort_by_key(|one: &Found| (one.start, one.end));
    found.dedup_by(|next, before| {
        let overlaps = next.start < before.end;
        if overlaps {
            before.end = before.end.max(next.end);
        }
        overlaps
    });
    found
}

fn replaced(text: &str, found: &[Found]) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut done = 0;
    for one in found {
        kept.push_str(&text[done..one.start]);
        kept.push_str("[redacted:");
        kept.push_str(one.kind);
        kept.push(']');
        done = one.end;
    }
    kept.push_str(&text[done..]);
    kept
}

/// Looks for what begins from `from` up to `until`. What lies before `done` has been dealt with.
fn scan(text: &[u8], mut from: usize, until: usize, mut done: usize, found: &mut Vec<Found>) {
    let mut at = from;
    while let Some(pair) = search::next(text, at).filter(|pair| *pair < until.saturating_add(search::ASKED)) {
        at = pair + 1;
        for start in search::around(text, pair) {
            if !(from..until).contains(&start) {
                continue;
            }
            for begun in search::starting(text, start) {
                let place = Place { text, start, after: start + begun.len(), done };
                let Some((first, end)) = secret(begun.rule, &place, found) else { continue };
                // Between the start of an address and its password stands a user, and that may be a token.
                if first > place.after {
                    scan(text, place.after, first, done, found);
                }
                found.push(Found { kind: kind(begun.rule, text, first, end), start: first, end });
                (at, from, done) = (at.max(end), end, end);
                break;
            }
        }
    }
}

/// The bytes of the secret that a rule finds at a place.
fn secret(rule: &'static Rule, place: &Place, found: &mut Vec<Found>) -> Option<(usize, usize)> {
    let Place { text, start, after, done } = *place;
    match rule.form {
        Form::Find(find) => find(place),
        Form::Many(find) => {
            let mut spans = Vec::new();
            find(place, &mut spans);
            found.extend(spans.into_iter().map(|(start, end)| Found { kind: rule.kind, start, end }));
            None
        }
        Form::Key(pieces) | Form::After(pieces) => {
            let is_word = may_follow(&text[done..start], rule.left);
            if !is_word && rule.holds.is_none() {
                return None;
            }
            let end = form::end(pieces, text, after)?;
            let is_enough = match rule.needs {
                Need::Nothing => true,
                Need::Variety => judge::has_variety(&text[after..end]),
                Need::Mixture => judge::is_mixture(&text[after..end]),
                Need::Digits => judge::has_digits(&text[after..end]),
            };
            let key = &text[start..end];
            let is_known =
                rule.only.is_none_or(|only| only(key)) && (is_word || rule.holds.is_some_and(|holds| holds(key)));
            let from = if matches!(rule.form, Form::After(_)) { after } else { start };
            (is_enough && is_known).then(|| (from, form::reach(pieces, text, end)))
        }
    }
}

/// What a secret is called: a key that is known by its form is called by that, wherever it was found.
fn kind(rule: &'static Rule, text: &[u8], from: usize, to: usize) -> &'static str {
    if !matches!(rule.form, Form::Find(_)) {
        return rule.kind;
    }
    let is_whole = |begun: &&search::Start| {
        let place = Place { text, start: from, after: from + begun.len(), done: from };
        matches!(begun.rule.form, Form::Key(_))
            && secret(begun.rule, &place, &mut Vec::new()).is_some_and(|(_, end)| end >= to)
    };
    search::starting(text, from).find(is_whole).map_or(rule.kind, |begun| begun.rule.kind)
}

/// Whether a secret may begin behind these bytes.
fn may_follow(left: &[u8], wanted: Left) -> bool {
    match (wanted, left) {
        (Left::Any, _) | (_, []) => true,
        // An escape inside of a quoted text, such as \n in JSON.
        (_, [.., b'\\', b'n' | b'r' | b't']) => true,
        // Another, of an address or of JSON: %3D, \u003d.
        (_, [.., b'%', high, low]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => true,
        (_, [.., b'\\', b'u', b'0', b'0', _, _]) => true,
        // A colour of a terminal.
        (_, [.., b'm']) => is_colour(left),
        (Left::Word, [.., byte]) => !byte.is_ascii_alphanumeric() && *byte != b'_',
        (Left::Base64, [.., byte]) => !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-' | b'+' | b'/'),
    }
}

/// Whether a text ends in `[32m`.
fn is_colour(left: &[u8]) -> bool {
    let numbers =
        left[..left.len() - 1].iter().rev().take(12).take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
    left[..left.len() - 1 - numbers].ends_with(b"[")
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
