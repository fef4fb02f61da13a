//! Places that say there is a secret: addresses with a password, headers, cookies, password files, and the objects of
//! Kubernetes. What the place itself says stays. Refuses places whose secret is a variable or a word for one.

use super::checksum::is_basic;
use super::form::Class::Padded;
use super::judge::{is_margin, is_password, is_placeholder, is_random};
use super::rules::{Form, Left, Need, Place, Rule};

const fn place(
    kind: &'static str,
    starts: &'static [&'static str],
    found: fn(&Place) -> Option<(usize, usize)>,
) -> Rule {
    Rule {
        kind,
        starts,
        is_folded: true,
        left: Left::Any,
        form: Form::Find(found),
        holds: None,
        only: None,
        needs: Need::Nothing,
    }
}

pub(super) const RULES: &[Rule] = &[
    place("url-password", &["://"], url),
    place("url-password", &["jdbc:oracle:"], oracle),
    place("authorization", &["authorization"], authorization),
    place("authorization", &["bearer "], bearer),
    place("authorization", &["basic "], basic),
    place("cookie", &["cookie:", "cookie\": \""], cookie),
    place("password", &["machine "], netrc),
    place("password", &[":*:", ":543", ":6432:"], pgpass),
    place("password", &["identified "], statement),
];

/// Longest secret of a place; what is longer is no header.
const LONGEST: usize = 2048;

fn is_end(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`')
}

/// `://user:password@`: the user and the host stay.
fn url(place: &Place) -> Option<(usize, usize)> {
    // The user may have been a token.
    let mark = place.text[place.after..]
        .strip_prefix(b"[redacted:")
        .and_then(|rest| rest.iter().position(|byte| *byte == b']'));
    let from = place.after + mark.map_or(0, |length| b"[redacted:".len() + length + 1);
    let rest = &place.text[from..];
    let user = rest.iter().position(|&byte| is_end(byte) || matches!(byte, b':' | b'/' | b'?' | b'#' | b'@' | b'['))?;
    if rest[user] == b'@' && is_random(&rest[..user]) {
        return Some((from, from + user));
    }
    (rest[user] == b':').then_some(())?;
    let rest = &rest[user + 1..];
    let host = rest.iter().position(|&byte| is_end(byte) || byte == b'/').unwrap_or(rest.len());
    let length = rest[..host].iter().rposition(|byte| *byte == b'@')?;
    let secret = &rest[..length];
    // `://[user[:password]@]` tells a form.
    let said = secret.strip_suffix(b"]").unwrap_or(secret);
    let is_none = said.is_empty() || is_placeholder(said) || matches!(secret, [b'%', b'a'..=b'z']);
    (!is_none).then_some((from + user + 1, from + user + 1 + length))
}

/// `jdbc:oracle:thin:user/password@`.
fn oracle(place: &Place) -> Option<(usize, usize)> {
    let rest = &place.text[place.after..];
    let rest = &rest[..rest.iter().take(200).take_while(|byte| !is_end(**byte)).count()];
    let at = rest.iter().position(|byte| *byte == b'@')?;
    let slash = rest[..at].iter().position(|byte| *byte == b'/')?;
    let secret = &rest[slash + 1..at];
    (!secret.is_empty() && !is_placeholder(secret)).then_some((place.after + slash + 1, place.after + at))
}

/// How long a part of the text is that only has such bytes.
fn count(text: &[u8], has: impl Fn(u8) -> bool) -> usize {
    text.iter().take(LONGEST).take_while(|byte| has(**byte)).count()
}

/// The value of a header: its scheme stays.
fn authorization(place: &Place) -> Option<(usize, usize)> {
    let text = place.text;
    let mut at = place.after + count(&text[place.after..], |byte| matches!(byte, b'"' | b'\'' | b'\\' | b']'));
    at += count(&text[at..], |byte| matches!(byte, b' ' | b'\t'));
    let sign = count(&text[at..], |byte| matches!(byte, b':' | b'=' | b','));
    (1..=2).contains(&sign).then_some(())?;
    at += sign;
    at += count(&text[at..], |byte| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'\\' | b'`'));
    let scheme = count(&text[at..], |byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let spaces = count(&text[at + scheme..], |byte| byte == b' ');
    let is_token = |byte: u8| Padded.has(byte) || matches!(byte, b'.' | b'~' | b':');
    if spaces == 0 {
        let length = count(&text[at..], is_token);
        return is_random(&text[at..at + length]).then_some((at, at + length));
    }
    let name = &text[at..at + scheme];
    at += scheme + spaces;
    let length = count(&text[at..], is_token);
    let secret = &text[at..at + length];
    let known = [&b"bearer"[..], b"basic", b"token", b"apikey", b"api-key", b"bot", b"digest", b"negotiate", b"key"];
    let is_known = known.iter().any(|known| known.eq_ignore_ascii_case(name));
    // Prose has no such word: a digit, a capital, or padding must be in it.
    let is_word = !secret.iter().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase() || *byte == b'=');
    (is_known && length >= 8 && !is_word && !is_placeholder(secret)).then_some((at, at + length))
}

/// `Bearer` and a token, wherever it stands, or in a text that is joined to it: `"Bearer " + "x"`.
fn bearer(place: &Place) -> Option<(usize, usize)> {
    let text = place.text;
    let is_quote = |at: usize| matches!(text.get(at), Some(b'"' | b'\''));
    let mut from = place.after;
    if is_quote(from) {
        from += 1 + count(&text[from + 1..], |byte| matches!(byte, b' ' | b'+' | b'.' | b'&'));
        is_quote(from).then_some(())?;
        from += 1;
    }
    let length = count(&text[from..], |byte| Padded.has(byte) || matches!(byte, b'.' | b'~'));
    is_random(&text[from..from + length]).then_some((from, from + length))
}

/// `Basic` and what says a name and a password.
fn basic(place: &Place) -> Option<(usize, usize)> {
    let length = count(&place.text[place.after..], |byte| Padded.has(byte));
    let secret = &place.text[place.after..place.after + length];
    (length >= 8 && is_basic(secret)).then_some((place.after, place.after + length))
}

/// The cookies of a request, or the one of an answer without its attributes, where one looks like a session.
fn cookie(place: &Place) -> Option<(usize, usize)> {
    let rest = &place.text[place.after..];
    let blank = count(rest, |byte| byte == b' ');
    let line = &rest[blank..];
    let mut length = count(line, |byte| !matches!(byte, b'\n' | b'\r' | b'"' | b'\'' | b'`' | b'\\' | b'<' | b'>'));
    let left = &place.text[place.done..place.start];
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
        .then_some((place.after + blank, place.after + blank + length))
}

/// `machine host login user password secret`, on one line or several.
fn netrc(place: &Place) -> Option<(usize, usize)> {
    let mut at = place.after;
    let mut expects_secret = false;
    // A machine, and three words with theirs.
    for _ in 0..9 {
        at += count(&place.text[at..], |byte| byte.is_ascii_whitespace());
        let length = count(&place.text[at..], |byte| !byte.is_ascii_whitespace());
        let word = &place.text[at..at + length];
        if expects_secret {
            let is_none = is_placeholder(word) || word.ends_with(b",");
            return (!word.is_empty() && !is_none).then_some((at, at + length));
        }
        expects_secret = word == b"password";
        at += length;
    }
    None
}

/// `host:port:database:user:password` on a line of its own.
fn pgpass(place: &Place) -> Option<(usize, usize)> {
    let is_line_end = |byte: &&u8| !matches!(**byte, b'\n' | b'\r');
    let before = place.text[place.done..place.start].iter().rev().take(300).take_while(is_line_end).count();
    let behind = place.text[place.start..].iter().take(600).take_while(is_line_end).count();
    let margin = place.text[place.start - before..place.start].iter().take_while(|byte| is_margin(**byte)).count();
    let (from, before) = (place.start - before + margin, before - margin);
    let line = &place.text[from..place.start + behind];
    if line.iter().any(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'/' | b'(' | b'[')) {
        return None;
    }
    let mut colons = (0..line.len()).filter(|&at| line[at] == b':' && (at == 0 || line[at - 1] != b'\\'));
    let (port, _, _, last) = (colons.next()?, colons.next()?, colons.next()?, colons.next()?);
    let is_pgpass = colons.next().is_none() && port == before && !is_placeholder(&line[last + 1..]);
    is_pgpass.then_some((from + last + 1, from + line.len()))
}

/// `IDENTIFIED BY 'password'` of a statement about users.
fn statement(place: &Place) -> Option<(usize, usize)> {
    let is_line_end = |byte: &&u8| !matches!(**byte, b'\n' | b'\r');
    let before = place.text[place.done..place.start].iter().rev().take(300).take_while(is_line_end).count();
    let left = place.text[place.start - before..place.start].to_ascii_lowercase();
    let is_statement =
        [&b"user"[..], b"role", b"grant"].iter().any(|word| left.windows(word.len()).any(|window| window == *word));
    let behind = place.text[place.after..].iter().take(100).take_while(is_line_end).count();
    let rest = &place.text[place.after..place.after + behind];
    let quote = rest.iter().position(|byte| matches!(byte, b'\'' | b'"'))?;
    let said = rest[..quote].trim_ascii_end();
    let is_by = [&b"by"[..], b"BY", b"AS", b"PASSWORD"].iter().any(|word| said.ends_with(word));
    let secret = &rest[quote + 1..];
    let secret = &secret[..secret.iter().position(|byte| *byte == rest[quote])?];
    let from = place.after + quote + 1;
    (is_statement && is_by && secret.len() >= 4 && !is_placeholder(secret)).then_some((from, from + secret.len()))
}
