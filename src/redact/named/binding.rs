//! The syntax between a name and its value, in settings, code, shells, tables and sentences. The value itself is not
//! considered.

use super::super::heuristics::is_line_margin;
use super::context::{self, is_set_command, verb_length};
use super::line::{self, starts_assignment};
use super::{CONTEXT_BYTES, MAX_BLANKS, TextCursor, name};

/// How a value is bound to a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NameBinding {
    /// `=` and its variants.
    Equals,
    /// `=` without spaces.
    Tight,
    /// `:`
    Colon,
    /// The `value:` attribute of an entry whose name attribute is the secret's name.
    Value,
    /// `==` or `!=`
    Compare,
    /// The space after a flag.
    Blank,
    /// The `=` after a flag.
    Flag,
    /// The space after a name that a command sets: `ENV NAME x`.
    Set,
    /// The bracket of a setter call, or the space before a string: `setPassword("x")`, `PASSWORD 'x'`.
    Call,
    /// A verb in a sentence: `is`, `was`, `to`.
    Said,
    /// Adjacency alone: `with password x`.
    Beside,
    /// The `|` of a table.
    Cell,
    /// The `>` of a tag.
    Tag,
    /// The `,` between two strings.
    Comma,
    /// The `:-` of a shell default.
    Default,
}

/// Moves over the binding after a name, and returns it.
pub(super) fn find_binding(
    cursor: &mut TextCursor,
    from: usize,
    dashes: usize,
    quoted_name: bool,
) -> Option<NameBinding> {
    let left = &cursor.text[..from];
    let blanks = cursor.blanks();
    if quoted_name && cursor.take(b",") {
        cursor.blanks();
        // In a list of strings, the comma does not bind a value to a name.
        let is_call = matches!(left, [.., b'(', b'"' | b'\'']);
        // `{"name": "PASSWORD", "value": "..."}`
        return if take_value_attribute(cursor) {
            Some(NameBinding::Value)
        } else {
            is_call.then_some(NameBinding::Comma)
        };
    }
    if quoted_name && left.ends_with(b"variable \"") && take_declared_default(cursor) {
        return Some(NameBinding::Value);
    }
    if cursor.take(b":-") {
        return left.ends_with(b"${").then_some(NameBinding::Default);
    }
    // Environment settings bind with a bare `=` only.
    let name = &cursor.text[from..cursor.at];
    if blanks == 0
        && name::is_env_name(name)
        && starts_assignment(line::line_head(cursor.text, from))
        && cursor.take(b"=")
    {
        return Some(NameBinding::Equals);
    }
    if cursor.take(b":=") || cursor.take(b"=>") || cursor.take(b"?=") || cursor.take(b"||=") || cursor.take(b"+=") {
        return Some(NameBinding::Equals);
    }
    if take_fallback(cursor) {
        return Some(NameBinding::Equals);
    }
    if cursor.take(b"===") || cursor.take(b"==") || cursor.take(b"!==") || cursor.take(b"!=") {
        return Some(NameBinding::Compare);
    }
    if cursor.take(b"=") {
        return Some(NameBinding::Equals);
    }
    if cursor.rest().starts_with(b"::") {
        return None;
    }
    if cursor.take(b":") {
        return Some(NameBinding::Colon);
    }
    if cursor.take(b">") {
        return left.ends_with(b"<").then_some(NameBinding::Tag);
    }
    if take_value_attribute(cursor) {
        return Some(NameBinding::Value);
    }
    if let Some(sign) = word_binding(cursor, from, blanks) {
        return Some(sign);
    }
    ((1..=2).contains(&dashes) && blanks > 0 && !quoted_name).then_some(NameBinding::Blank)
}

/// Returns a binding made of words, as in a command, a call, a sentence or a table.
fn word_binding(cursor: &mut TextCursor, from: usize, blanks: usize) -> Option<NameBinding> {
    let (left, name) = (&cursor.text[..from], &cursor.text[from..cursor.at - blanks]);
    let name = &name[..name.iter().position(|byte| matches!(byte, b'"' | b'\'' | b'`' | b'*')).unwrap_or(name.len())];
    let is_quote = |byte: Option<&u8>| matches!(byte, Some(b'"' | b'\''));
    if cursor.peek() == Some(b'|') {
        let is_title = |byte: &u8| byte.is_ascii_alphanumeric() || b" \t*_`".contains(byte);
        let begins = left.iter().rev().take(name::MAX_NAME_BYTES).find(|byte| !is_title(byte)) == Some(&b'|');
        return (begins && cursor.take(b"|")).then_some(NameBinding::Cell);
    }
    if cursor.peek() == Some(b'(') {
        let is_setter = name::is_setter(name) && is_quote(cursor.text.get(cursor.at + 1));
        return (is_setter && cursor.take(b"(")).then_some(NameBinding::Call);
    }
    if blanks == 0 || name::classify(name).is_none() {
        return None;
    }
    if let Some(length) = verb_length(cursor.rest()) {
        cursor.at += length;
        return Some(NameBinding::Said);
    }
    let purpose =
        context::purpose_length(&cursor.text[cursor.at - 1..cursor.text.len().min(cursor.at + CONTEXT_BYTES)]);
    if purpose > 0 {
        cursor.at += purpose - 1;
        cursor.at += verb_length(cursor.rest()).unwrap_or(0);
        cursor.take(b":");
        return Some(NameBinding::Said);
    }
    let head = line::line_head(cursor.text, from);
    if is_set_command(head) {
        let is_code = head.ends_with(b"define ");
        return (!is_code || is_quote(cursor.rest().first())).then_some(NameBinding::Set);
    }
    let is_setting = head.is_empty() && name.ends_with(b"Password");
    let is_statement = (name.eq_ignore_ascii_case(b"password") || is_setting) && is_quote(cursor.rest().first());
    let is_beside = name::mentions_password(name) && context::introduces_password(head);
    is_statement.then_some(NameBinding::Call).or(is_beside.then_some(NameBinding::Beside))
}

/// Moves over a fallback operator before a string: `name || "x"`.
fn take_fallback(cursor: &mut TextCursor) -> bool {
    let start = cursor.at;
    let is_said = [&b"||"[..], b"??", b"?:", b"or "].iter().any(|sign| cursor.take(sign));
    cursor.blanks();
    let stands = is_said && matches!(cursor.peek(), Some(b'"' | b'\'' | b'`'));
    cursor.at = if stands { cursor.at } else { start };
    stands
}

/// The most bytes between a variable's name and its default.
const MAX_DEFAULT_DISTANCE: usize = 400;

/// Moves over `{ default = ` after the name of a declared variable; it may stand on a later line.
fn take_declared_default(cursor: &mut TextCursor) -> bool {
    let rest = cursor.rest();
    let rest = &rest[..rest.len().min(MAX_DEFAULT_DISTANCE)];
    let Some(at) = rest.windows(7).position(|word| word == b"default") else { return false };
    let is_declared =
        rest.trim_ascii_start().starts_with(b"{") && !rest[..at].windows(8).any(|word| word == b"variable");
    let mut inside = TextCursor { text: cursor.text, at: cursor.at + at + 7 };
    inside.blanks();
    let is_set = is_declared && inside.take(b"=");
    cursor.at = if is_set { inside.at } else { cursor.at };
    is_set
}

/// Moves over `value="..."` or `value: ...` after a name that is itself an attribute value.
fn take_value_attribute(cursor: &mut TextCursor) -> bool {
    let start = cursor.at;
    cursor.skip(MAX_BLANKS, |byte| byte.is_ascii_whitespace() || is_line_margin(byte));
    cursor.quote();
    if cursor.take(b"value") || cursor.take(b"Value") {
        cursor.quote();
        cursor.blanks();
        if cursor.take(b"=") || cursor.take(b":") {
            return true;
        }
    }
    cursor.at = start;
    false
}

/// Moves over a type annotation (`: &str =`) and into a call that only wraps a string.
pub(super) fn skip_type_or_wrapper(cursor: &mut TextCursor, sign: NameBinding) {
    if sign == NameBinding::Colon && cursor.take(b"!!str ") {
        cursor.blanks();
    }
    let start = cursor.at;
    if sign == NameBinding::Colon {
        let is_type = |byte: u8| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'&' | b'_' | b'<' | b'>' | b'\'' | b':' | b'[' | b']' | b' ' | b'.' | b'|' | b'?')
        };
        cursor.skip(MAX_BLANKS, is_type);
        let is_end = cursor.at > start && cursor.take(b"=") && !matches!(cursor.peek(), Some(b'=' | b'>'));
        cursor.blanks();
        if is_end && matches!(cursor.peek(), Some(b'"' | b'\'' | b'`')) {
            return;
        }
        cursor.at = start;
    }
    cursor.skip(MAX_BLANKS, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.'));
    let called = &cursor.text[start..cursor.at];
    let wraps = [&b"from"[..], b"Some", b"Ok", b"new", b"str", b"Secret", b"SecretString", b"String"];
    let last = called.rsplit(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').next().unwrap_or_default();
    if !(wraps.contains(&last) && cursor.take(b"(") && matches!(cursor.peek(), Some(b'"' | b'\''))) {
        cursor.at = start;
    }
}
