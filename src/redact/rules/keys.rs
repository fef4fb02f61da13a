//! Private keys: in files with a header, as numbers of a structure, and in the encodings of wallets. Refuses public keys,
//! certificates and signatures, and a header without a key behind it.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::super::checksum::{base64, is_base58_check, is_bech32};
use super::super::form::Class::{Alnum, Base64, Hex, Lower, Padded, Upper, Url};
use super::super::form::Piece::Run;
use super::super::form::{from, of};
use super::super::judge::is_random;
use super::{Left, Need, Place, Rule, find, key};

pub(super) const RULES: &[Rule] = &[
    find("private-key", &["-BEGIN "], armoured),
    find("private-key", &["LS0tLS1CRUdJTi"], encoded),
    find("private-key", &["BEGIN SSH2 ENCRYPTED PRIVATE KEY ----"], ssh2),
    find("private-key", &["Private-Lines:"], putty),
    find("private-key", &["<D>", "<P>", "<Q>", "<DP>", "<DQ>", "<InverseQ>"], xml),
    find("private-key", &["\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\"", "\"k\""], json_web_key),
    key("age-key", &["AGE-SECRET-KEY-1"], &[of(Upper, 58)]).holds(is_bech32),
    key("age-key", &["age-secret-key-1"], &[of(Lower, 58)]).holds(is_bech32),
    key("nostr-key", &["nsec1"], &[of(Lower, 58)]).only(is_bech32),
    key("wallet-key", &["xprv", "tprv", "yprv", "zprv"], &[Run(Alnum, 105, 109)]).only(is_base58_check),
    key("minisign-key", &["RWRTY0Iy"], &[from(Padded, 100)]).left(Left::Base64),
    key("signify-key", &["RWRCSw", "RWRCS0"], &[from(Padded, 80)]).left(Left::Base64),
    key("ethereum-key", &["\"privateKey\":\"0x"], &[of(Hex, 64)]).needs(Need::Variety).left(Left::Any),
];

/// What stands before the lines of a key where they are shown: the sign of a change, a number, the file and the number that
/// `grep` tells, the tags and escapes of line ends. With its end: anything that key files hold, and these. Without: long lines of base64 and the rest of the last one.
const ARMOURED: &str = concat!(
    r"\A-----BEGIN (?:(?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V1)-----(?:",
    r#"(?:-?(?:[A-Za-z0-9+/=\s\\"',:.#*>|→│]|<br ?/?>|%0[AaDd]|\n[A-Za-z0-9_./~@+-]+[:-]))*"#,
    r"-?-----END (?:(?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V1)-----",
    r#"|(?:(?:\n[ \t]*(?:-|[0-9]{1,6}[ \t]*[|:→│]|[A-Za-z0-9_./~@+-]+[:-](?:[0-9]{1,6}[:-])?)|<br ?/?>|%0[AaDd]|[\s"',+#*>|\\]|\\[nr]"#,
    r#"|(?:Proc-Type|DEK-Info|Version|Comment):[^\n\\]*)*[A-Za-z0-9+/]{20,}={0,2})+"#,
    r#"(?:(?:\n[ \t]*(?:-|[0-9]{1,6}[ \t]*[|:→│]|[A-Za-z0-9_./~@+-]+[:-](?:[0-9]{1,6}[:-])?)|<br ?/?>|%0[AaDd]|[\s"',+#*>|\\]|\\[nr])*[A-Za-z0-9+/]{1,19}={0,2})?)"#,
);

fn armoured(place: &Place) -> Option<(usize, usize)> {
    static FORM: LazyLock<Regex> = LazyLock::new(|| Regex::new(ARMOURED).expect("the form is well-formed"));
    // Nearly every header is that of something public.
    let header = &place.text[place.after..];
    let header = &header[..header.len().min(64)];
    let end = header.windows(5).position(|five| five == b"-----")?;
    header[..end].windows(11).any(|word| word == b"PRIVATE KEY" || word == b"Static key ").then_some(())?;
    // The last of five hyphens is where the search can tell it from a line.
    let start = place.start.checked_sub(4).filter(|start| *start >= place.done)?;
    let found = FORM.find(&place.text[start..])?;
    Some((start, start + found.end()))
}

/// How much of base64 says what its header is.
const HEADER: usize = 64;
/// Shortest line of base64 behind which another may follow.
const LINE: usize = 60;

/// The base64 of a file with a header, on one line or broken over several.
fn encoded(place: &Place) -> Option<(usize, usize)> {
    let rest = &place.text[place.start..];
    let says_private = |header: &[u8]| {
        base64(header)
            .is_some_and(|header| header.windows(11).any(|word| word == b"PRIVATE KEY" || word == b"Static key "))
    };
    says_private(&rest[..Padded.run(rest, HEADER)]).then_some(())?;
    let mut length = 0;
    loop {
        let line = Padded.run(&rest[length..], usize::MAX);
        length += line;
        let margin = rest[length..].iter().take(HEADER).take_while(|byte| b"\r\n \t\"',\\+>|#".contains(byte)).count();
        let next = &rest[length + margin..];
        // The letter of an escaped line end is of the alphabet too.
        let is_next = margin > 0 && line >= LINE && (Padded.run(next, LINE) >= LINE || is_last(next));
        if !is_next {
            return Some((place.start, place.start + length));
        }
        length += margin;
    }
}

/// Whether a line can be the last one: it is padded, or drawn and nothing else stands on it.
fn is_last(line: &[u8]) -> bool {
    let length = Padded.run(line, LINE);
    let is_alone = matches!(line.get(length), None | Some(b'\n' | b'\r' | b'"' | b'\'' | b'\\'));
    is_alone && (line[..length].ends_with(b"=") || is_random(&line[..length]))
}

/// Up to its end, or as far as what may stand in one goes.
fn ssh2(place: &Place) -> Option<(usize, usize)> {
    let body = &place.text[place.after..];
    let has = |byte: &u8| {
        Base64.has(*byte) || matches!(byte, b'=' | b'\r' | b'\n' | b' ' | b':' | b'"' | b'@' | b'.' | b',' | b'\\')
    };
    let length = body.iter().take_while(|byte| has(byte)).count();
    let start = place.done.max(place.start.saturating_sub(5));
    (length > 64 && place.text[start..place.start] == *b"---- ").then_some((start, place.after + length))
}

/// PuTTY's: so many lines as the header says, and the checksum over them.
fn putty(place: &Place) -> Option<(usize, usize)> {
    let body = &place.text[place.after..];
    let blank = |byte: u8| matches!(byte, b' ' | b'\r' | b'\n' | b'\\' | b'"' | b',');
    let mut at = body.iter().take_while(|byte| **byte == b' ').count();
    at += body[at..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    let from = at;
    // Line ends may be escaped, as in JSON: then the letter of the escape is of the alphabet too.
    at += body[at..].iter().take_while(|byte| Base64.has(**byte) || **byte == b'=' || blank(**byte)).count();
    let key = place.after + from;
    (at - from > 64).then_some((key, place.after + at))
}

/// A number of an RSA key in XML.
fn xml(place: &Place) -> Option<(usize, usize)> {
    let length = Padded.run(&place.text[place.after..], usize::MAX);
    let is_closed = place.text[place.after + length..].starts_with(b"</");
    (length >= 40 && is_closed).then_some((place.after, place.after + length))
}

/// How far from a number of a key its kind may stand.
const NEAR: usize = 2048;

/// A number of a JSON web key: its object says its kind.
fn json_web_key(place: &Place) -> Option<(usize, usize)> {
    let rest = &place.text[place.after..];
    let blank = rest.iter().take(8).take_while(|byte| matches!(byte, b' ' | b':' | b'\n' | b'\t')).count();
    let from = place.after + blank + 1;
    let value = rest.get(blank + 1..).filter(|_| rest[blank] == b'"')?;
    let length = Url.run(value, usize::MAX);
    if length < 20 || value.get(length) != Some(&b'"') {
        return None;
    }
    let (left, right) = (&place.text[place.start.saturating_sub(NEAR)..place.start], &value[length..]);
    let left = left.rsplit(|byte| *byte == b'{').next()?;
    let right = right[..right.len().min(NEAR)].split(|byte| *byte == b'}').next()?;
    let says_kind = |text: &[u8]| text.windows(5).any(|word| word == b"\"kty\"");
    (says_kind(left) || says_kind(right)).then_some((from, from + length))
}
