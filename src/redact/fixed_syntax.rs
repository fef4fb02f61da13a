//! Secrets in fixed syntax: URLs, HTTP headers, cookies, `.netrc` and `.pgpass` lines, and SQL.
//!
//! Only the secret is replaced, never the syntax around it. Variables and placeholders are not secrets.

use super::checksum::is_basic;
use super::heuristics::{is_line_margin, is_password, is_placeholder, is_random};
use super::pattern::ByteClass::Padded;
use super::rule::{AnchorMatch, LeftBoundary, Matcher, MinVariety, Rule};

/// Builds a case-insensitive rule with a custom matcher.
const fn syntax_rule(
    kind: &'static str,
    anchors: &'static [&'static str],
    found: fn(&AnchorMatch) -> Option<(usize, usize)>,
) -> Rule {
    Rule {
        kind,
        anchors,
        ignores_case: true,
        left: LeftBoundary::Any,
        matcher: Matcher::Custom(found),
        proven_by: None,
        must_satisfy: None,
        variety: MinVariety::Nothing,
    }
}

/// Rules for URLs, headers, password files and SQL.
pub(super) const FIXED_SYNTAX_RULES: &[Rule] = &[
    syntax_rule("url-password", &["://"], url_password),
    syntax_rule("url-password", &["jdbc:oracle:"], oracle_password),
    syntax_rule("authorization", &["authorization"], authorization_header),
    syntax_rule("authorization", &["bearer "], bearer_token),
    syntax_rule("authorization", &["basic "], basic_credentials),
    syntax_rule("cookie", &["cookie:", "cookie\": \""], cookie_value),
    syntax_rule("password", &["machine "], netrc_password),
    syntax_rule("password", &[":*:", ":543", ":6432:"], pgpass_password),
    syntax_rule("password", &["identified "], sql_identified_by),
];

/// The longest secret, in bytes; anything longer is not a header.
const MAX_SECRET_BYTES: usize = 2048;

/// Returns whether a byte ends a URL or an unquoted value.
fn ends_value(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`')
}

/// Matches the password in `://user:password@`; user and host stay.
fn url_password(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    // The user may have been redacted as a token.
    let mark = anchor.text[anchor.end..]
        .strip_prefix(b"[redacted:")
        .and_then(|rest| rest.iter().position(|byte| *byte == b']'));
    let from = anchor.end + mark.map_or(0, |length| b"[redacted:".len() + length + 1);
    let rest = &anchor.text[from..];
    let user =
        rest.iter().position(|&byte| ends_value(byte) || matches!(byte, b':' | b'/' | b'?' | b'#' | b'@' | b'['))?;
    if rest[user] == b'@' && is_random(&rest[..user]) {
        return Some((from, from + user));
    }
    (rest[user] == b':').then_some(())?;
    let rest = &rest[user + 1..];
    let host = rest.iter().position(|&byte| ends_value(byte) || byte == b'/').unwrap_or(rest.len());
    let length = rest[..host].iter().rposition(|byte| *byte == b'@')?;
    let secret = &rest[..length];
    // `://[user[:password]@]` is a description of the syntax.
    let said = secret.strip_suffix(b"]").unwrap_or(secret);
    let is_none = said.is_empty() || is_placeholder(said) || matches!(secret, [b'%', b'a'..=b'z']);
    (!is_none).then_some((from + user + 1, from + user + 1 + length))
}

/// Matches the password in `jdbc:oracle:thin:user/password@`.
fn oracle_password(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let rest = &anchor.text[anchor.end..];
    let rest = &rest[..rest.iter().take(200).take_while(|byte| !ends_value(**byte)).count()];
    let at = rest.iter().position(|byte| *byte == b'@')?;
    let slash = rest[..at].iter().position(|byte| *byte == b'/')?;
    let secret = &rest[slash + 1..at];
    (!secret.is_empty() && !is_placeholder(secret)).then_some((anchor.end + slash + 1, anchor.end + at))
}

/// Counts the leading bytes that satisfy `has`.
fn run_length(text: &[u8], has: impl Fn(u8) -> bool) -> usize {
    text.iter().take(MAX_SECRET_BYTES).take_while(|byte| has(**byte)).count()
}

/// Matches the credentials of an `Authorization` header; the scheme stays.
fn authorization_header(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let text = anchor.text;
    let mut at = anchor.end + run_length(&text[anchor.end..], |byte| matches!(byte, b'"' | b'\'' | b'\\' | b']'));
    at += run_length(&text[at..], |byte| matches!(byte, b' ' | b'\t'));
    let sign = run_length(&text[at..], |byte| matches!(byte, b':' | b'=' | b','));
    (1..=2).contains(&sign).then_some(())?;
    at += sign;
    at += run_length(&text[at..], |byte| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'\\' | b'`'));
    let scheme = run_length(&text[at..], |byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let spaces = run_length(&text[at + scheme..], |byte| byte == b' ');
    let is_token = |byte: u8| Padded.has(byte) || matches!(byte, b'.' | b'~' | b':');
    if spaces == 0 {
        let length = run_length(&text[at..], is_token);
        return is_random(&text[at..at + length]).then_some((at, at + length));
    }
    let name = &text[at..at + scheme];
    at += scheme + spaces;
    let length = run_length(&text[at..], is_token);
    let secret = &text[at..at + length];
    let known = [&b"bearer"[..], b"basic", b"token", b"apikey", b"api-key", b"bot", b"digest", b"negotiate", b"key"];
    let is_known = known.iter().any(|known| known.eq_ignore_ascii_case(name));
    // An ordinary word has no digits, capitals or padding.
    let is_word = !secret.iter().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase() || *byte == b'=');
    (is_known && length >= 8 && !is_word && !is_placeholder(secret)).then_some((at, at + length))
}

/// Matches a token after `Bearer` anywhere, even in concatenated strings: `"Bearer " + "x"`.
fn bearer_token(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let text = anchor.text;
    let is_quote = |at: usize| matches!(text.get(at), Some(b'"' | b'\''));
    let mut from = anchor.end;
    if is_quote(from) {
        from += 1 + run_length(&text[from + 1..], |byte| matches!(byte, b' ' | b'+' | b'.' | b'&'));
        is_quote(from).then_some(())?;
        from += 1;
    }
    let length = run_length(&text[from..], |byte| Padded.has(byte) || matches!(byte, b'.' | b'~'));
    is_random(&text[from..from + length]).then_some((from, from + length))
}

/// Matches base64 of user and password after `Basic`.
fn basic_credentials(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let length = run_length(&anchor.text[anchor.end..], |byte| Padded.has(byte));
    let secret = &anchor.text[anchor.end..anchor.end + length];
    (length >= 8 && is_basic(secret)).then_some((anchor.end, anchor.end + length))
}

/// Matches the cookies of a request, or the one cookie of a response without its attributes, if one looks like a
/// session id.
fn cookie_value(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let rest = &anchor.text[anchor.end..];
    let blank = run_length(rest, |byte| byte == b' ');
    let line = &rest[blank..];
    let mut length =
        run_length(line, |byte| !matches!(byte, b'\n' | b'\r' | b'"' | b'\'' | b'`' | b'\\' | b'<' | b'>'));
    let left = &anchor.text[anchor.scanned..anchor.start];
    let is_answer = left.len() >= 4 && left[left.len() - 4..].eq_ignore_ascii_case(b"set-");
    if is_answer {
        length = line[..length].iter().position(|byte| *byte == b';').unwrap_or(length);
    }
    let looks_secret = |pair: &[u8]| {
        let Some(equals) = pair.iter().position(|byte| *byte == b'=') else { return false };
        let (name, value) = (pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii());
        let name = name.to_ascii_lowercase();
        let is_session = [&b"sess"[..], b"sid", b"auth", b"token", b"jwt", b"remember"]
            .iter()
            .any(|part| name.windows(part.len()).any(|window| window == *part));
        is_random(value) || (is_session && value.len() >= 8 && is_password(value) && !is_placeholder(value))
    };
    line[..length]
        .split(|byte| *byte == b';')
        .any(looks_secret)
        .then_some((anchor.end + blank, anchor.end + blank + length))
}

/// Matches the password in `machine host login user password secret`, on one line or several.
fn netrc_password(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let mut at = anchor.end;
    let mut expects_secret = false;
    // At most four keyword-value pairs follow the machine's name.
    for _ in 0..9 {
        at += run_length(&anchor.text[at..], |byte| byte.is_ascii_whitespace());
        let length = run_length(&anchor.text[at..], |byte| !byte.is_ascii_whitespace());
        let word = &anchor.text[at..at + length];
        if expects_secret {
            let is_none = is_placeholder(word) || word.ends_with(b",");
            return (!word.is_empty() && !is_none).then_some((at, at + length));
        }
        expects_secret = word == b"password";
        at += length;
    }
    None
}

/// Matches the password in a line of the form `host:port:database:user:password`.
fn pgpass_password(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let is_line_end = |byte: &&u8| !matches!(**byte, b'\n' | b'\r');
    let before = anchor.text[anchor.scanned..anchor.start].iter().rev().take(300).take_while(is_line_end).count();
    let behind = anchor.text[anchor.start..].iter().take(600).take_while(is_line_end).count();
    let margin =
        anchor.text[anchor.start - before..anchor.start].iter().take_while(|byte| is_line_margin(**byte)).count();
    let (from, before) = (anchor.start - before + margin, before - margin);
    let line = &anchor.text[from..anchor.start + behind];
    if line.iter().any(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'/' | b'(' | b'[')) {
        return None;
    }
    let mut colons = (0..line.len()).filter(|&at| line[at] == b':' && (at == 0 || line[at - 1] != b'\\'));
    let (port, _, _, last) = (colons.next()?, colons.next()?, colons.next()?, colons.next()?);
    let is_pgpass = colons.next().is_none() && port == before && !is_placeholder(&line[last + 1..]);
    is_pgpass.then_some((from + last + 1, from + line.len()))
}

/// Matches the password after `IDENTIFIED BY` in an SQL statement about users.
fn sql_identified_by(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let is_line_end = |byte: &&u8| !matches!(**byte, b'\n' | b'\r');
    let before = anchor.text[anchor.scanned..anchor.start].iter().rev().take(300).take_while(is_line_end).count();
    let left = anchor.text[anchor.start - before..anchor.start].to_ascii_lowercase();
    let is_statement =
        [&b"user"[..], b"role", b"grant"].iter().any(|word| left.windows(word.len()).any(|window| window == *word));
    let behind = anchor.text[anchor.end..].iter().take(100).take_while(is_line_end).count();
    let rest = &anchor.text[anchor.end..anchor.end + behind];
    let quote = rest.iter().position(|byte| matches!(byte, b'\'' | b'"'))?;
    let said = rest[..quote].trim_ascii_end();
    let is_by = [&b"by"[..], b"BY", b"AS", b"PASSWORD"].iter().any(|word| said.ends_with(word));
    let secret = &rest[quote + 1..];
    let secret = &secret[..secret.iter().position(|byte| *byte == rest[quote])?];
    let from = anchor.end + quote + 1;
    (is_statement && is_by && secret.len() >= 4 && !is_placeholder(secret)).then_some((from, from + secret.len()))
}
