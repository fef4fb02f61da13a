//! Rules for private keys: PEM and similar files, the numbers in key structures, and wallet encodings.
//!
//! Public keys, certificates, signatures, and a header without a key after it are not secrets.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::super::checksum::{base64, is_base58_check, is_bech32};
use super::super::heuristics::is_random;
use super::super::pattern::ByteClass::{Alnum, Base64, Hex, Lower, Padded, Upper, Url};
use super::super::pattern::KeyPiece::Run;
use super::super::pattern::{at_least, exactly};
use super::super::rule::{AnchorMatch, LeftBoundary, MinVariety, Rule, find, key};

/// Rules for private keys.
pub(super) const PRIVATE_KEY_RULES: &[Rule] = &[
    find("private-key", &["-BEGIN "], armoured_key),
    find("private-key", &["LS0tLS1CRUdJTi"], base64_pem),
    find("private-key", &["BEGIN SSH2 ENCRYPTED PRIVATE KEY ----"], ssh2_key),
    find("private-key", &["Private-Lines:"], putty_key),
    find("private-key", &["<D>", "<P>", "<Q>", "<DP>", "<DQ>", "<InverseQ>"], xml_key_number),
    find("private-key", &["\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\"", "\"k\""], jwk_number),
    key("age-key", &["AGE-SECRET-KEY-1"], &[exactly(Upper, 58)]).proven_by(is_bech32),
    key("age-key", &["age-secret-key-1"], &[exactly(Lower, 58)]).proven_by(is_bech32),
    key("nostr-key", &["nsec1"], &[exactly(Lower, 58)]).must_satisfy(is_bech32),
    key("wallet-key", &["xprv", "tprv", "yprv", "zprv"], &[Run(Alnum, 105, 109)]).must_satisfy(is_base58_check),
    key("minisign-key", &["RWRTY0Iy"], &[at_least(Padded, 100)]).left(LeftBoundary::Base64),
    key("signify-key", &["RWRCSw", "RWRCS0"], &[at_least(Padded, 80)]).left(LeftBoundary::Base64),
    key("ethereum-key", &["\"privateKey\":\"0x"], &[exactly(Hex, 64)])
        .variety(MinVariety::Variety)
        .left(LeftBoundary::Any),
];

/// Pattern of an armoured private key as it appears in files, diffs, `grep` output and escaped strings.
///
/// With an end line, the body may contain everything that key files do, and line prefixes (a diff sign, a line number,
/// `file:line:`, tags, escaped line ends). Without one, only long lines of base64 and a short last one.
const ARMOURED_PATTERN: &str = concat!(
    r"\A-----BEGIN (?:(?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V1)-----(?:",
    r#"(?:-?(?:[A-Za-z0-9+/=\s\\"',:.#*>|→│]|<br ?/?>|%0[AaDd]|\n[A-Za-z0-9_./~@+-]+[:-]))*"#,
    r"-?-----END (?:(?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V1)-----",
    r#"|(?:(?:\n[ \t]*(?:-|[0-9]{1,6}[ \t]*[|:→│]|[A-Za-z0-9_./~@+-]+[:-](?:[0-9]{1,6}[:-])?)|<br ?/?>|%0[AaDd]|[\s"',+#*>|\\]|\\[nr]"#,
    r#"|(?:Proc-Type|DEK-Info|Version|Comment):[^\n\\]*)*[A-Za-z0-9+/]{20,}={0,2})+"#,
    r#"(?:(?:\n[ \t]*(?:-|[0-9]{1,6}[ \t]*[|:→│]|[A-Za-z0-9_./~@+-]+[:-](?:[0-9]{1,6}[:-])?)|<br ?/?>|%0[AaDd]|[\s"',+#*>|\\]|\\[nr])*[A-Za-z0-9+/]{1,19}={0,2})?)"#,
);

/// Matches a private key with `-----BEGIN` and, where present, `-----END` lines.
fn armoured_key(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    static FORM: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(ARMOURED_PATTERN).expect("the constant pattern is valid"));
    // Checked first, because nearly every such header belongs to something public.
    let header = &anchor.text[anchor.end..];
    let header = &header[..header.len().min(64)];
    let end = header.windows(5).position(|five| five == b"-----")?;
    header[..end].windows(11).any(|word| word == b"PRIVATE KEY" || word == b"Static key ").then_some(())?;
    // The anchor contains only the last of the five hyphens, so that ruled lines do not trigger it.
    let start = anchor.start.checked_sub(4).filter(|start| *start >= anchor.scanned)?;
    let found = FORM.find(&anchor.text[start..])?;
    Some((start, start + found.end()))
}

/// The number of base64 bytes that are decoded to read the header.
const HEADER_BYTES: usize = 64;
/// The shortest line of base64 that another line may follow.
const MIN_LINE_BYTES: usize = 60;

/// Matches a base64-encoded PEM private key, on one line or several.
fn base64_pem(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let rest = &anchor.text[anchor.start..];
    let says_private = |header: &[u8]| {
        base64(header)
            .is_some_and(|header| header.windows(11).any(|word| word == b"PRIVATE KEY" || word == b"Static key "))
    };
    says_private(&rest[..Padded.run(rest, HEADER_BYTES)]).then_some(())?;
    let mut length = 0;
    loop {
        let line = Padded.run(&rest[length..], usize::MAX);
        length += line;
        let margin =
            rest[length..].iter().take(HEADER_BYTES).take_while(|byte| b"\r\n \t\"',\\+>|#".contains(byte)).count();
        let next = &rest[length + margin..];
        // The letter of an escaped line end is in the base64 alphabet too.
        let is_next = margin > 0
            && line >= MIN_LINE_BYTES
            && (Padded.run(next, MIN_LINE_BYTES) >= MIN_LINE_BYTES || is_last_line(next));
        if !is_next {
            return Some((anchor.start, anchor.start + length));
        }
        length += margin;
    }
}

/// Returns whether a line can be the last one: padded, or random and alone on its line.
fn is_last_line(line: &[u8]) -> bool {
    let length = Padded.run(line, MIN_LINE_BYTES);
    let is_alone = matches!(line.get(length), None | Some(b'\n' | b'\r' | b'"' | b'\'' | b'\\'));
    is_alone && (line[..length].ends_with(b"=") || is_random(&line[..length]))
}

/// Matches an SSH2 private key, up to its end line or as far as a body can reach.
fn ssh2_key(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let body = &anchor.text[anchor.end..];
    let has = |byte: &u8| {
        Base64.has(*byte) || matches!(byte, b'=' | b'\r' | b'\n' | b' ' | b':' | b'"' | b'@' | b'.' | b',' | b'\\')
    };
    let length = body.iter().take_while(|byte| has(byte)).count();
    let start = anchor.scanned.max(anchor.start.saturating_sub(5));
    (length > 64 && anchor.text[start..anchor.start] == *b"---- ").then_some((start, anchor.end + length))
}

/// Matches a PuTTY private key: the lines its header announces, and the checksum.
fn putty_key(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let body = &anchor.text[anchor.end..];
    let blank = |byte: u8| matches!(byte, b' ' | b'\r' | b'\n' | b'\\' | b'"' | b',');
    let mut at = body.iter().take_while(|byte| **byte == b' ').count();
    at += body[at..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    let from = at;
    // Line ends may be escaped, as in JSON; the letter of the escape is in the base64 alphabet too.
    at += body[at..].iter().take_while(|byte| Base64.has(**byte) || **byte == b'=' || blank(**byte)).count();
    let key = anchor.end + from;
    (at - from > 64).then_some((key, anchor.end + at))
}

/// Matches a private number of an RSA key in XML.
fn xml_key_number(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let length = Padded.run(&anchor.text[anchor.end..], usize::MAX);
    let is_closed = anchor.text[anchor.end + length..].starts_with(b"</");
    (length >= 40 && is_closed).then_some((anchor.end, anchor.end + length))
}

/// The most bytes between a number and its key type.
const KEY_TYPE_DISTANCE: usize = 2048;

/// Matches a private number of a JSON web key, whose object names its key type.
fn jwk_number(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let rest = &anchor.text[anchor.end..];
    let blank = rest.iter().take(8).take_while(|byte| matches!(byte, b' ' | b':' | b'\n' | b'\t')).count();
    let from = anchor.end + blank + 1;
    let value = rest.get(blank + 1..).filter(|_| rest[blank] == b'"')?;
    let length = Url.run(value, usize::MAX);
    if length < 20 || value.get(length) != Some(&b'"') {
        return None;
    }
    let (left, right) = (&anchor.text[anchor.start.saturating_sub(KEY_TYPE_DISTANCE)..anchor.start], &value[length..]);
    let left = left.rsplit(|byte| *byte == b'{').next()?;
    let right = right[..right.len().min(KEY_TYPE_DISTANCE)].split(|byte| *byte == b'}').next()?;
    let says_kind = |text: &[u8]| text.windows(5).any(|word| word == b"\"kty\"");
    (says_kind(left) || says_kind(right)).then_some((from, from + length))
}
