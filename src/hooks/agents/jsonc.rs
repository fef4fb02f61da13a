//! Parser for JSON with comments, trailing commas and a byte order mark, as people write settings. It returns positions
//! in the text, so that one part can be changed and every other byte kept. Pure.
//!
//! Input that a strict parser might read differently (single quotes, bare words, two values) is an error that names the
//! line.

use anyhow::{Result, bail};
use std::ops::Range;

/// A value and its range in the text.
#[derive(Debug, Clone)]
pub(super) struct JsonNode {
    pub at: Range<usize>,
    pub value: JsonValue,
}

/// A JSON value, with only the details that are needed.
#[derive(Debug, Clone)]
pub(super) enum JsonValue {
    Object(Vec<JsonMember>),
    Array(Vec<JsonNode>),
    Text(String),
    True,
    /// A number, `false` or `null`.
    Other,
}

/// A key and its value, from the key's first quote to the value's end.
#[derive(Debug, Clone)]
pub(super) struct JsonMember {
    pub start: usize,
    pub key: String,
    pub node: JsonNode,
}

/// The deepest nesting that is parsed. Settings have a few levels; more would exhaust the stack.
const MAX_DEPTH: usize = 128;

/// The byte order mark.
const MARK: &str = "\u{feff}";

/// Parses a text; `None` if it contains nothing but white space and comments.
pub(super) fn parse(text: &str) -> Result<Option<JsonNode>> {
    let mut reader = JsonReader { text, at: if text.starts_with(MARK) { MARK.len() } else { 0 } };
    reader.blanks()?;
    if reader.at == text.len() {
        return Ok(None);
    }
    let node = reader.node(0)?;
    reader.blanks()?;
    if reader.at < text.len() {
        return reader.error("something follows the value");
    }
    Ok(Some(node))
}

/// Returns the position of the comma after an element that ends at `end`, if there is one.
pub(super) fn comma_after(text: &str, end: usize) -> Option<usize> {
    let mut reader = JsonReader { text, at: end };
    reader.blanks().ok()?;
    (reader.peek() == Some(b',')).then_some(reader.at)
}

/// Returns whether the last comment between two positions is a line comment.
pub(super) fn ends_in_line_comment(text: &str, from: usize, to: usize) -> bool {
    let mut reader = JsonReader { text: &text[..to], at: from };
    let mut last = false;
    while reader.at < to {
        if reader.text[reader.at..].starts_with("//") {
            last = true;
        } else if reader.text[reader.at..].starts_with("/*") {
            last = false;
        }
        match reader.blank() {
            Ok(true) => {}
            // A comma or the key.
            _ => reader.at += 1,
        }
    }
    last
}

impl JsonNode {
    /// Returns the ranges of its members or elements, in order.
    pub fn children(&self) -> Vec<Range<usize>> {
        match &self.value {
            JsonValue::Object(members) => members.iter().map(|member| member.start..member.node.at.end).collect(),
            JsonValue::Array(nodes) => nodes.iter().map(|node| node.at.clone()).collect(),
            JsonValue::Text(_) | JsonValue::True | JsonValue::Other => Vec::new(),
        }
    }

    /// Returns the member with a key; `None` if there is none or this is not an object.
    pub fn member(&self, key: &str) -> Option<&JsonMember> {
        let JsonValue::Object(members) = &self.value else { return None };
        members.iter().find(|member| member.key == key)
    }

    /// Returns the elements of an array; empty for any other value.
    pub fn elements(&self) -> &[JsonNode] {
        if let JsonValue::Array(nodes) = &self.value { nodes } else { &[] }
    }
}

/// A position in the text being parsed.
struct JsonReader<'a> {
    text: &'a str,
    at: usize,
}

impl JsonReader<'_> {
    /// Returns the next byte.
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Returns an error with line and column.
    fn error<T>(&self, what: &str) -> Result<T> {
        let before = &self.text[..self.at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        bail!("line {line}, column {column}: {what}")
    }

    /// Skips one run of white space or one comment; false if there is none.
    fn blank(&mut self) -> Result<bool> {
        let rest = &self.text[self.at..];
        if let Some(comment) = rest.strip_prefix("/*") {
            let Some(end) = comment.find("*/") else { return self.error("a comment is not terminated") };
            self.at += end + 4;
        } else if rest.starts_with("//") {
            self.at += rest.find('\n').unwrap_or(rest.len());
        } else {
            let length = rest.bytes().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
            self.at += length;
            return Ok(length > 0);
        }
        Ok(true)
    }

    /// Skips all white space and comments.
    fn blanks(&mut self) -> Result<()> {
        while self.blank()? {}
        Ok(())
    }

    /// Parses a value.
    fn node(&mut self, depth: usize) -> Result<JsonNode> {
        if depth > MAX_DEPTH {
            return self.error("it is nested too deeply");
        }
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => JsonValue::Object(self.list(b'}', |reader| reader.member(depth + 1))?),
            Some(b'[') => JsonValue::Array(self.list(b']', |reader| reader.node(depth + 1))?),
            Some(b'"') => JsonValue::Text(self.string()?),
            Some(_) => self.word()?,
            None => return self.error("a value is missing"),
        };
        Ok(JsonNode { at: start..self.at, value })
    }

    /// Parses a list in brackets, with or without a trailing comma.
    fn list<T>(&mut self, close: u8, mut element: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut elements = Vec::new();
        self.at += 1;
        loop {
            self.blanks()?;
            if self.peek() == Some(close) {
                break;
            }
            elements.push(element(self)?);
            self.blanks()?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(byte) if byte == close => break,
                _ => return self.error(&format!("a comma or `{}` is missing", char::from(close))),
            }
        }
        self.at += 1;
        Ok(elements)
    }

    /// Parses a key and its value.
    fn member(&mut self, depth: usize) -> Result<JsonMember> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return self.error("a key in double quotes is missing");
        }
        let key = self.string()?;
        self.blanks()?;
        if self.peek() != Some(b':') {
            return self.error("a colon is missing");
        }
        self.at += 1;
        self.blanks()?;
        Ok(JsonMember { start, key, node: self.node(depth)? })
    }

    /// Parses a string.
    fn string(&mut self) -> Result<String> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        let mut end = start + 1;
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(_) => end += 1,
                None => return self.error("a string is not terminated"),
            }
        }
        // Strings are the same as in strict JSON.
        match self.text.get(start..=end).map(serde_json::from_str) {
            Some(Ok(text)) => {
                self.at = end + 1;
                Ok(text)
            }
            _ => self.error("invalid string"),
        }
    }

    /// Parses a number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<JsonValue> {
        let length = self.text[self.at..]
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.'))
            .count();
        match serde_json::from_str(&self.text[self.at..self.at + length]) {
            Ok(serde_json::Value::Bool(true)) => {
                self.at += length;
                Ok(JsonValue::True)
            }
            Ok(serde_json::Value::Bool(_) | serde_json::Value::Null | serde_json::Value::Number(_)) => {
                self.at += length;
                Ok(JsonValue::Other)
            }
            _ => self.error("invalid value"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn failure(text: &str) -> String {
        format!("{:#}", parse(text).expect_err(text))
    }

    #[test]
    fn what_people_write_is_read() {
        for text in [
            "{}",
            "\u{feff}{ // a comment\n }",
            "{\"a\": [1, -2.5e+3, true, false, null, \"\\u00e9\\n\"], /* x */ \"b\": {},}",
            "[[],[1,],]\r\n// the end",
            "  7  ",
        ] {
            assert!(parse(text).expect(text).is_some(), "{text}");
        }
        for text in ["", "\u{feff}", " \r\n\t", "// nothing", "/* */\n"] {
            assert!(parse(text).expect(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let check = |text: &str, expect: &str| assert_eq!(failure(text), expect, "{text}");
        check("{\n  \"a\": 1\n  \"b\": 2\n}", "line 3, column 3: a comma or `}` is missing");
        check("{'a': 1}", "line 1, column 2: a key in double quotes is missing");
        check("{\"a\" 1}", "line 1, column 6: a colon is missing");
        check("{\"é\": nul}", "line 1, column 7: invalid value");
        check("{\"a\": 01}", "line 1, column 7: invalid value");
        check("{\"a\": \"\\x\"}", "line 1, column 7: invalid string");
        check("{\"a\": \"b\n\"}", "line 1, column 7: invalid string");
        check("{\"a\": \"b", "line 1, column 7: a string is not terminated");
        check("{\"a\": \"b\\", "line 1, column 7: a string is not terminated");
        check("{,}", "line 1, column 2: a key in double quotes is missing");
        check("[1,,]", "line 1, column 4: invalid value");
        check("{\"a\":", "line 1, column 6: a value is missing");
        check("{} {}", "line 1, column 4: something follows the value");
        check("{} /* x", "line 1, column 4: a comment is not terminated");
        assert!(failure(&"[".repeat(100_000)).contains("nested too deeply"));
    }

    #[test]
    fn places_are_those_of_the_text() {
        let text = "{ \"a\" : [1, {\"b\":\"c\"} , ] , /* , */ }";
        let root = parse(text).expect("reads").expect("a value");
        let member = root.member("a").expect("it is there");
        assert_eq!(&text[member.start..member.node.at.end], "\"a\" : [1, {\"b\":\"c\"} , ]");
        let inner: Vec<&str> = member.node.children().into_iter().map(|at| &text[at]).collect();
        assert_eq!(inner, ["1", "{\"b\":\"c\"}"]);
        assert_eq!(comma_after(text, member.node.at.end).map(|at| &text[at..at + 2]), Some(", "));
        assert_eq!(comma_after("[1 /*,*/]", 2), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = parse(&text);
        }

        #[test]
        fn what_looks_like_settings_is_read_or_refused(text in "[\\[\\]{}\",:/*\\\\ \n\ra1-]{0,60}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_json_reads_is_read(text in "[\\[\\]{}\",: a1]{0,24}") {
            if serde_json::from_str::<serde_json::Value>(&text).is_ok() {
                prop_assert!(parse(&text).is_ok(), "{}", text);
            }
        }
    }
}
