//! Parses one line of a transcript as JSON without the values that are never used: thinking, images, file contents
//! given to tools. Such a value is skipped during parsing and never built.
//!
//! A line longer than [`MAX_LINE`] is rejected.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::event::cap_at;
use crate::redact::redact;

/// The longest line that is read, in bytes; longer ones contain images or whole files.
pub const MAX_LINE: usize = 4 * 1024 * 1024;

/// The longest string that is kept, in bytes; commands, patches and messages are far shorter.
const MAX_VALUE: usize = 1024 * 1024;

/// The most members of one list that are kept; message blocks and plan steps are far fewer.
const MAX_MEMBERS: usize = 4_096;

/// The most objects read from one line.
const MAX_OBJECTS: usize = 64;

/// The names of values that are never built.
const SKIPPED_NAMES: &[&str] = &[
    "base_instructions",
    "data",
    "encrypted_content",
    "image_url",
    "instructions",
    "new_source",
    "new_string",
    "old_string",
    "originalFile",
    "originalFileContents",
    "reasoning",
    "replacement_history",
    "signature",
    "snapshot",
    "structuredPatch",
    "summary_text",
    "thinking",
    "unified_diff",
    "usage",
];

/// The names of values that identify a line and its location.
///
/// They are compared and shortened but never stored, so they are not redacted: a folder with a redacted word would no
/// longer match.
const STRUCTURAL_NAMES: &[&str] = &[
    "cwd",
    "file_path",
    "id",
    "name",
    "notebook_path",
    "path",
    "record_type",
    "role",
    "sessionId",
    "session_id",
    "status",
    "stop_reason",
    "timestamp",
    "type",
    "uuid",
    "workdir",
];

/// A JSON value. An absent one is [`Json::Null`].
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

/// The value of an absent member.
static ABSENT: Json = Json::Null;

impl Json {
    /// Returns the objects on a line, and whether all of it was understood.
    ///
    /// Normally one object; two if two were written at once, or one after zero bytes left by a crash. A string cut
    /// inside a character is repaired first, because agents truncate tool output.
    pub(super) fn parse_line(line: &[u8]) -> (Vec<Json>, bool) {
        let line = trim_padding(line);
        if line.len() > MAX_LINE {
            return (Vec::new(), false);
        }
        let read = parse_objects(line);
        match repaired(line).filter(|_| !read.1) {
            Some(mended) => parse_objects(mended.as_bytes()),
            None => read,
        }
    }

    /// Parses arguments that are JSON within a string; returns any other value as it is.
    pub(super) fn nested(&self) -> Cow<'_, Json> {
        match self {
            Json::Text(text) => Cow::Owned(parse_value(text.as_bytes()).unwrap_or(Json::Null)),
            other => Cow::Borrowed(other),
        }
    }

    /// Returns a member of an object, or [`Json::Null`].
    pub(super) fn at(&self, name: &str) -> &Json {
        match self {
            Json::Map(members) => members.iter().find(|(key, _)| key == name).map_or(&ABSENT, |(_, value)| value),
            _ => &ABSENT,
        }
    }

    /// Returns the string; `None` if it is empty or another type.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// Returns the elements of a list; empty for any other type.
    pub(super) fn list(&self) -> &[Json] {
        match self {
            Json::List(members) => members,
            _ => &[],
        }
    }

    /// Returns the members of an object; empty for any other type.
    pub(super) fn members(&self) -> &[(String, Json)] {
        match self {
            Json::Map(members) => members,
            _ => &[],
        }
    }

    /// Returns whether this is the boolean `wanted`.
    pub(super) fn is_bool(&self, wanted: bool) -> bool {
        *self == Json::Bool(wanted)
    }

    /// Returns the number if it is an integer.
    pub(super) fn integer(&self) -> Option<i64> {
        match self {
            Json::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => Some(*number as i64),
            _ => None,
        }
    }

    /// Returns a time as Unix seconds, from a timestamp or a number of (milli)seconds.
    pub(super) fn seconds(&self) -> Option<i64> {
        match self {
            Json::Text(text) => text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second),
            other => other.integer().map(|number| if number > 100_000_000_000 { number / 1_000 } else { number }),
        }
    }

    /// Returns the text of a message or result: a string, or its joined blocks of the given kinds.
    pub(super) fn joined_text(&self, kinds: &[&str]) -> String {
        match self {
            Json::Text(text) => text.clone(),
            Json::List(blocks) => {
                let texts =
                    blocks.iter().filter(|block| block.at("type").text().is_none_or(|kind| kinds.contains(&kind)));
                texts.filter_map(|block| block.at("text").text()).collect::<Vec<_>>().join("\n")
            }
            Json::Map(_) => self.at("text").text().or(self.at("content").text()).unwrap_or_default().to_string(),
            _ => String::new(),
        }
    }
}

/// Strips zeros and whitespace from both ends.
pub(super) fn trim_padding(line: &[u8]) -> &[u8] {
    let is_padding = |byte: &u8| *byte == 0 || byte.is_ascii_whitespace();
    let start = line.iter().position(|byte| !is_padding(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !is_padding(byte)).map_or(start, |last| last + 1);
    &line[start..end]
}

/// Parses consecutive objects in a single pass. Returns them, and whether nothing else follows.
fn parse_objects(bytes: &[u8]) -> (Vec<Json>, bool) {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let mut objects = Vec::new();
    while objects.len() < MAX_OBJECTS {
        match (JsonSeed { is_structural: false }).deserialize(&mut deserializer) {
            Ok(object @ Json::Map(_)) => objects.push(object),
            _ => return (objects, false),
        }
        if deserializer.end().is_ok() {
            return (objects, true);
        }
    }
    (objects, false)
}

/// Parses exactly one value.
fn parse_value(bytes: &[u8]) -> Option<Json> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = JsonSeed { is_structural: false }.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(read)
}

/// A deserializer seed that drops unused values.
#[derive(Clone, Copy)]
struct JsonSeed {
    /// Whether the value's name is in [`STRUCTURAL_NAMES`].
    is_structural: bool,
}

impl<'de> DeserializeSeed<'de> for JsonSeed {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonSeed {
    type Value = Json;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        // Redacted before it is cut, because a secret that is cut in two is no longer recognised.
        let value = if self.is_structural { Cow::Borrowed(value) } else { redact(value) };
        Ok(Json::Text(cap_at(&value, MAX_VALUE).to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while members.len() < MAX_MEMBERS {
            match access.next_element_seed(self)? {
                Some(member) => members.push(member),
                None => return Ok(Json::List(members)),
            }
        }
        while access.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Json::List(members))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = access.next_key::<String>()? {
            if members.len() < MAX_MEMBERS && !SKIPPED_NAMES.contains(&name.as_str()) {
                let is_structural = STRUCTURAL_NAMES.contains(&name.as_str());
                members.push((name, access.next_value_seed(JsonSeed { is_structural })?));
            } else {
                access.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Json::Map(members))
    }
}

/// Repairs a line: replaces invalid UTF-8 and unpaired escaped surrogates, and turns control characters into spaces.
///
/// Returns `None` if nothing needed repair.
fn repaired(line: &[u8]) -> Option<String> {
    let mut text = String::from_utf8_lossy(line).replace(|c: char| c < ' ', " ");
    let mut alone = Vec::new();
    let bytes = text.as_bytes();
    let unit = |at: usize| -> Option<u32> {
        let escaped = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(escaped).ok()?, 16).ok()
    };
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        at += match unit(at) {
            None => 2,
            Some(0xD800..=0xDBFF) if matches!(unit(at + 6), Some(0xDC00..=0xDFFF)) => 12,
            Some(0xD800..=0xDFFF) => {
                alone.push(at);
                6
            }
            Some(_) => 6,
        };
    }
    for &at in &alone {
        text.replace_range(at..at + 6, "\\ufffd");
    }
    (text.as_bytes() != line).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Parses a line that is one object.
    fn one(line: &[u8]) -> Json {
        let (mut objects, is_whole) = Json::parse_line(line);
        assert!(is_whole && objects.len() == 1, "{}", String::from_utf8_lossy(line));
        objects.remove(0)
    }

    #[test]
    fn thinking_is_never_built() {
        let line =
            br#"{"content":[{"type":"thinking","thinking":"hush"},{"type":"text","text":"aloud"}],"signature":"s"}"#;
        let read = one(line);
        assert!(!format!("{read:?}").contains("hush"));
        assert_eq!(read.at("content").joined_text(&["text"]), "aloud");
        assert_eq!(*read.at("signature"), Json::Null);
    }

    #[test]
    fn a_cut_character_does_not_lose_the_line() {
        let check = |line: &[u8], expect: &str| {
            let read = one(line);
            assert_eq!(read.at("a").text(), Some(expect), "{}", String::from_utf8_lossy(line));
        };
        check(br#"{"a":"x\ud83d"}"#, "x\u{fffd}");
        check(br#"{"a":"\udc00x"}"#, "\u{fffd}x");
        check(br#"{"a":"\ud83d\ude00 \\ud83d"}"#, "\u{1f600} \\ud83d");
        check(b"{\"a\":\"x\xff\"}", "x\u{fffd}");
        check(b"{\"a\":\"x\xff\ty\0\"}", "x\u{fffd} y ");
    }

    #[test]
    fn crash_padding_loses_no_object() {
        let check = |line: &[u8], expect: &[i64], is_whole: bool| {
            let (read, whole) = Json::parse_line(line);
            let told: Vec<i64> = read.iter().filter_map(|object| object.at("a").integer()).collect();
            assert_eq!((&told[..], whole), (expect, is_whole), "{}", String::from_utf8_lossy(line));
        };
        check(b"\0\0\0{\"a\":1}\0", &[1], true);
        check(br#"{"a":1}{"a":2} {"a":3}"#, &[1, 2, 3], true);
        check(b"{\"a\":1}\0\0{\"a\":2,\"b\":\"\xff\"}", &[1, 2], true);
        check(br#"{"a":1}{"a":"#, &[1], false);
        check(br#"{"a":1} 2"#, &[1], false);
        check("{\"a\":1}".repeat(MAX_OBJECTS + 1).as_bytes(), &[1; MAX_OBJECTS], false);
        let mut padded = vec![0; MAX_LINE];
        padded.extend(b"{\"a\":1}");
        check(&padded, &[1], true);
    }

    #[test]
    fn anything_but_an_object_is_rejected() {
        for line in [&b"[1]"[..], b"null", b"{\"a\":", b"1 {}", b"", b"\0", b"\"{}\""] {
            assert_eq!(Json::parse_line(line), (Vec::new(), false));
        }
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_LINE));
        assert_eq!(Json::parse_line(long.as_bytes()), (Vec::new(), false));
    }

    #[test]
    fn times_are_seconds_however_they_are_written() {
        let check = |line: &[u8], expect| assert_eq!(one(line).at("t").seconds(), expect);
        check(br#"{"t":"2026-03-01T10:00:00.250Z"}"#, Some(1_772_359_200));
        check(br#"{"t":1772359200250}"#, Some(1_772_359_200));
        check(br#"{"t":1772359200}"#, Some(1_772_359_200));
        check(br#"{"t":"yesterday"}"#, None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Json::parse_line(&bytes);
            let _ = repaired(&bytes);
        }

        #[test]
        fn any_bytes_behind_an_object_leave_it(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let line = [b"\0{\"a\":1}", &bytes[..]].concat();
            prop_assert_eq!(Json::parse_line(&line).0[0].at("a").integer(), Some(1));
        }

        #[test]
        fn escapes_in_any_order_are_read_or_refused(line in r#"\{"a":"(\\u[dD][89aAcCfF][0-9a-f]{2}|\\\\|\\n|x){0,12}"\}"#) {
            prop_assert!(Json::parse_line(line.as_bytes()).1);
        }
    }
}
