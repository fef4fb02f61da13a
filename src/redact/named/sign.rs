//! What stands between a name and its value: the signs of settings, code, shells, tables and sentences. Refuses to look at
//! the value.

use super::super::judge::is_margin;
use super::line::{self, begins_setting};
use super::{BLANKS, Cursor, NEAR, name, prose};

/// What says that a value follows a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sign {
    /// `=` in its many forms.
    Equals,
    /// `=` without blanks.
    Tight,
    /// `:`
    Colon,
    /// `value:` of another name, whose value this one is.
    Value,
    /// `==` or `!=`
    Compare,
    /// The blank behind a flag.
    Blank,
    /// The `=` behind a flag.
    Flag,
    /// The blank behind what a command sets: `ENV NAME x`.
    Set,
    /// The bracket of what sets one, or the blank before a text: `setPassword("x")`, `PASSWORD 'x'`.
    Call,
    /// `is` in a sentence.
    Said,
    /// Nothing: `with password x`.
    Beside,
    /// `|` of a table.
    Cell,
    /// `>` of a tag.
    Tag,
    /// `,` between two texts.
    Comma,
    /// `:-` of a shell's default.
    Default,
}

/// What stands behind a name, and the blanks before it.
pub(super) fn sign(cursor: &mut Cursor, from: usize, dashes: usize, quoted_name: bool) -> Option<Sign> {
    let left = &cursor.text[..from];
    let blanks = cursor.blanks();
    if quoted_name && cursor.take(b",") {
        cursor.blanks();
        // A list of texts is none of pairs.
        let is_call = matches!(left, [.., b'(', b'"' | b'\'']);
        // `{"name": "PASSWORD", "value": "..."}`
        return if attribute(cursor) { Some(Sign::Value) } else { is_call.then_some(Sign::Comma) };
    }
    if quoted_name && left.ends_with(b"variable \"") && default(cursor) {
        return Some(Sign::Value);
    }
    if cursor.take(b":-") {
        return left.ends_with(b"${").then_some(Sign::Default);
    }
    // Settings of an environment have no other sign, and no blanks around it.
    let name = &cursor.text[from..cursor.at];
    if blanks == 0
        && line::is_of_environment(name)
        && begins_setting(line::head(cursor.text, from))
        && cursor.take(b"=")
    {
        return Some(Sign::Equals);
    }
    if cursor.take(b":=") || cursor.take(b"=>") || cursor.take(b"?=") || cursor.take(b"||=") || cursor.take(b"+=") {
        return Some(Sign::Equals);
    }
    if otherwise(cursor) {
        return Some(Sign::Equals);
    }
    if cursor.take(b"===") || cursor.take(b"==") || cursor.take(b"!==") || cursor.take(b"!=") {
        return Some(Sign::Compare);
    }
    if cursor.take(b"=") {
        return Some(Sign::Equals);
    }
    if cursor.rest().starts_with(b"::") {
        return None;
    }
    if cursor.take(b":") {
        return Some(Sign::Colon);
    }
    if cursor.take(b">") {
        return left.ends_with(b"<").then_some(Sign::Tag);
    }
    if attribute(cursor) {
        return Some(Sign::Value);
    }
    if let Some(sign) = wordy(cursor, from, blanks) {
        return Some(sign);
    }
    ((1..=2).contains(&dashes) && blanks > 0 && !quoted_name).then_some(Sign::Blank)
}

/// A sign that is no mark: of a command, a call, a sentence, or a table.
fn wordy(cursor: &mut Cursor, from: usize, blanks: usize) -> Option<Sign> {
    let (left, name) = (&cursor.text[..from], &cursor.text[from..cursor.at - blanks]);
    let name = &name[..name.iter().position(|byte| matches!(byte, b'"' | b'\'' | b'`' | b'*')).unwrap_or(name.len())];
    let is_quote = |byte: Option<&u8>| matches!(byte, Some(b'"' | b'\''));
    if cursor.peek() == Some(b'|') {
        let is_title = |byte: &u8| byte.is_ascii_alphanumeric() || b" \t*_`".contains(byte);
        let begins = left.iter().rev().take(name::LONGEST).find(|byte| !is_title(byte)) == Some(&b'|');
        return (begins && cursor.take(b"|")).then_some(Sign::Cell);
    }
    if cursor.peek() == Some(b'(') {
        let is_setter = name::sets(name) && is_quote(cursor.text.get(cursor.at + 1));
        return (is_setter && cursor.take(b"(")).then_some(Sign::Call);
    }
    if blanks == 0 || name::kind(name).is_none() {
        return None;
    }
    if let Some(length) = says(cursor.rest()) {
        cursor.at += length;
        return Some(Sign::Said);
    }
    let purpose = prose::purpose(&cursor.text[cursor.at - 1..cursor.text.len().min(cursor.at + NEAR)]);
    if purpose > 0 {
        cursor.at += purpose - 1;
        cursor.at += says(cursor.rest()).unwrap_or(0);
        cursor.take(b":");
        return Some(Sign::Said);
    }
    let head = line::head(cursor.text, from);
    if is_set(head) {
        let is_code = head.ends_with(b"define ");
        return (!is_code || is_quote(cursor.rest().first())).then_some(Sign::Set);
    }
    let is_setting = head.is_empty() && name.ends_with(b"Password");
    let is_statement = (name.eq_ignore_ascii_case(b"password") || is_setting) && is_quote(cursor.rest().first());
    let is_beside = name::says_password(name) && prose::introduces(head);
    is_statement.then_some(Sign::Call).or(is_beside.then_some(Sign::Beside))
}

/// How long the word is that says of a name in a sentence what it is.
pub(super) fn says(rest: &[u8]) -> Option<usize> {
    [&b"is "[..], b"is: ", b"is now ", b"was ", b"to ", b"-> ", b"\xe2\x86\x92 "]
        .iter()
        .filter(|word| rest.starts_with(word))
        .max_by_key(|word| word.len())
        .map(|word| word.len())
}

/// Whether what stands before a name is a command that sets it to the word behind it.
pub(super) fn is_set(head: &[u8]) -> bool {
    // The name may be the end of an address: `config set //host/:_authToken`.
    let begun = head.iter().rev().take_while(|byte| !byte.is_ascii_whitespace()).count();
    let head = &head[..head.len() - begun];
    [&b"ENV "[..], b"setx ", b"set ", b"set -x ", b"set -gx ", b"define ", b"config ", b"SET "]
        .iter()
        .any(|command| head.ends_with(command))
}

/// What stands between a name and the text that counts where it is not set: `name || "x"`.
fn otherwise(cursor: &mut Cursor) -> bool {
    let start = cursor.at;
    let is_said = [&b"||"[..], b"??", b"?:", b"or "].iter().any(|sign| cursor.take(sign));
    cursor.blanks();
    let stands = is_said && matches!(cursor.peek(), Some(b'"' | b'\'' | b'`'));
    cursor.at = if stands { cursor.at } else { start };
    stands
}

/// How far below its name the default of a variable may stand.
const BLOCK: usize = 400;

/// `{ default = ` behind the name of a variable that is declared, maybe on a line below.
fn default(cursor: &mut Cursor) -> bool {
    let rest = cursor.rest();
    let rest = &rest[..rest.len().min(BLOCK)];
    let Some(at) = rest.windows(7).position(|word| word == b"default") else { return false };
    let is_declared =
        rest.trim_ascii_start().starts_with(b"{") && !rest[..at].windows(8).any(|word| word == b"variable");
    let mut inside = Cursor { text: cursor.text, at: cursor.at + at + 7 };
    inside.blanks();
    let is_set = is_declared && inside.take(b"=");
    cursor.at = if is_set { inside.at } else { cursor.at };
    is_set
}

/// `value="..."` or `value: ...` behind a name that is itself a value.
fn attribute(cursor: &mut Cursor) -> bool {
    let start = cursor.at;
    cursor.skip(BLANKS, |byte| byte.is_ascii_whitespace() || is_margin(byte));
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

/// Steps over a type (`: &str =`), and into a call that only wraps a text.
pub(super) fn opened(cursor: &mut Cursor, sign: Sign) {
    if sign == Sign::Colon && cursor.take(b"!!str ") {
        cursor.blanks();
    }
    let start = cursor.at;
    if sign == Sign::Colon {
        let is_type = |byte: u8| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'&' | b'_' | b'<' | b'>' | b'\'' | b':' | b'[' | b']' | b' ' | b'.' | b'|' | b'?')
        };
        cursor.skip(BLANKS, is_type);
        let is_end = cursor.at > start && cursor.take(b"=") && !matches!(cursor.peek(), Some(b'=' | b'>'));
        cursor.blanks();
        if is_end && matches!(cursor.peek(), Some(b'"' | b'\'' | b'`')) {
            return;
        }
        cursor.at = start;
    }
    cursor.skip(BLANKS, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.'));
    let called = &cursor.text[start..cursor.at];
    let wraps = [&b"from"[..], b"Some", b"Ok", b"new", b"str", b"Secret", b"SecretString", b"String"];
    let last = called.rsplit(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').next().unwrap_or_default();
    if !(wraps.contains(&last) && cursor.take(b"(") && matches!(cursor.peek(), Some(b'"' | b'\''))) {
        cursor.at = start;
    }
}
