//! Unquoted `KEY=value` and `key: value` lines: a value ends at whitespace.
//!
//! Where source code is possible, a value that parses as an expression is accepted only if the lines around it are
//! settings too.

use super::super::expression::is_expression;
use super::super::heuristics::{
    is_line_margin, is_name, is_password, is_placeholder, is_random, is_short_key, is_wordy_password,
    talks_about_secrets,
};
use super::acceptance::{is_location, is_type_or_variable, is_user_and_password};
use super::name::{self, SecretNameKind};
use super::{CONTEXT_BYTES, MAX_VALUE_BYTES, NameBinding, NamedValue, TextCursor, extended_length};

/// Most lines of a block scalar.
const MAX_BLOCK_LINES: usize = 64;

/// Returns the text between the margin of a line and the name in it.
pub(super) fn line_head(text: &[u8], from: usize) -> &[u8] {
    let line = text[from.saturating_sub(CONTEXT_BYTES)..from].rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let line = line.strip_prefix(b"+").unwrap_or(line).trim_ascii_start();
    &line[line.iter().take_while(|byte| is_line_margin(**byte)).count()..]
}

/// Returns whether a line with this head is an assignment to the name that follows.
pub(super) fn starts_assignment(head: &[u8]) -> bool {
    let heads = [&b""[..], b"export ", b"set ", b"ENV ", b"ARG ", b"Environment="];
    heads.contains(&head)
}

/// Judges the rest of a line as the value of its name; `from` is where the assignment begins.
pub(super) fn rest_of_line(cursor: &TextCursor, named: &NamedValue, from: usize) -> Option<(usize, usize)> {
    let binding = named.binding;
    let rest = cursor.rest();
    let most = rest.len().min(MAX_VALUE_BYTES);
    let length = rest[..most].iter().position(u8::is_ascii_whitespace).unwrap_or(most);
    let behind = &rest[length..];
    let behind = &behind[..behind
        .iter()
        .take(CONTEXT_BYTES)
        .position(|byte| *byte == b'\n')
        .unwrap_or(behind.len().min(CONTEXT_BYTES))];
    let behind = behind.trim_ascii();
    let is_comment = [&b"#"[..], b"//", b";", b"--", b"<!--"].iter().any(|mark| behind.starts_with(mark));
    // A command may follow a variable that is set for that command alone.
    let is_alone =
        behind.is_empty() || is_comment || (binding == NameBinding::Tight && cursor.text[from].is_ascii_uppercase());
    let is_connection = binding == NameBinding::Tight && !name::is_env_name(&cursor.text[from..cursor.at - 1]);
    let value = &rest[..closed_length(&rest[..length], is_connection)];
    let ends_code = matches!(rest[..length].last(), Some(b';' | b','));
    let is_among_settings = || !ends_code && is_among_settings(cursor.text, from, cursor.at + length);
    let is_found = is_alone
        && if is_line_secret(value, named) {
            let says_code = is_expression(value) || is_regex_or_path(value);
            !says_code || (may_be_setting(value) && is_among_settings())
        } else {
            is_weak_password(value, named) && is_among_settings()
        };
    if length == MAX_VALUE_BYTES {
        return extended_length(rest, length, |byte| byte.is_ascii_whitespace() || byte == b'"')
            .map(|end| (cursor.at, cursor.at + end));
    }
    is_found.then_some((cursor.at, cursor.at + value.len()))
}

/// Returns where a value ends within its word: before closing quotes, brackets and tags, and before the next part of a
/// connection string.
fn closed_length(word: &[u8], is_connection: bool) -> usize {
    let closes = |byte: &u8| matches!(byte, b'"' | b'\'' | b'`' | b')' | b']' | b'}' | b',' | b';' | b':' | b'\\');
    let mut end = word.len();
    let closing = word.iter().rev().take_while(|byte| closes(byte)).count();
    let is_quote = |at: &usize| matches!(word[*at], b'"' | b'\'' | b'`');
    if let Some(quote) = (end - closing..end).find(is_quote) {
        // A quote that opens inside the word also closes inside it.
        let opened = word[..quote].iter().filter(|byte| **byte == word[quote]).count();
        end = if opened % 2 == 0 { quote } else { end };
    }
    let is_tag = |at: &usize| {
        let tag = &word[*at..end];
        (tag.starts_with(b"</") || tag.starts_with(b"<br")) && tag.contains(&b'>')
    };
    end = (0..end).find(is_tag).unwrap_or(end);
    if is_connection {
        let goes_on = |at: &usize| {
            let name = word[at + 1..end].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
            word[*at] == b';' && name > 0 && word.get(at + 1 + name) == Some(&b'=')
        };
        end = (0..end).find(goes_on).unwrap_or(end);
    }
    // A shell statement may end in `;`.
    end -= usize::from(word[..end].ends_with(b";"));
    // A backslash continues the line.
    end - usize::from(word[..end].ends_with(b"\\"))
}

/// Returns whether a value on its own line looks like a secret.
fn is_line_secret(value: &[u8], named: &NamedValue) -> bool {
    let kind = named.kind;
    let has_letters = value.iter().any(u8::is_ascii_alphabetic);
    let is_address = value.windows(3).any(|three| three == b"://");
    let is_thought_up = kind == SecretNameKind::Password && is_password(value) && has_letters;
    let is_key = kind == SecretNameKind::Key && is_short_key(value) && !name::is_about_secrets(named.name);
    let is_place = is_address || is_location(value, named);
    let is_drawn = is_key || is_random(value) || is_user_and_password(value, named);
    (is_thought_up || is_drawn) && !is_placeholder(value) && !is_name(value) && !is_place
}

/// Returns whether a weak value is a password: digits alone, or letters alone for an environment variable.
///
/// Only accepted among settings, where no other kind of line has such a name.
fn is_weak_password(value: &[u8], named: &NamedValue) -> bool {
    let is_number = value.iter().all(u8::is_ascii_digit) && name::mentions_password(named.name);
    let is_word = (value.iter().all(u8::is_ascii_lowercase) || is_wordy_password(value))
        && name::is_env_name(named.name)
        && !talks_about_secrets(value)
        && !name::is_about_secrets(named.name)
        && !is_placeholder(value);
    named.kind == SecretNameKind::Password && value.len() >= 6 && (is_number || is_word)
}

/// Returns whether a value is a regular expression or a path.
fn is_regex_or_path(value: &[u8]) -> bool {
    let is_path = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'~' | b'+');
    let ends = value.iter().rev().take_while(|byte| matches!(byte, b',' | b';')).count();
    let flags = value[..value.len() - ends].iter().rev().take_while(|byte| byte.is_ascii_lowercase()).count();
    matches!(value, [b'^', .., b'$'])
        || matches!(&value[..value.len() - ends - flags], [b'/', .., b'/'])
        || (matches!(value, [b'/' | b'~' | b'.', ..]) && value.iter().all(is_path))
}

/// Returns whether a value that parses as code could still be a password: `letmein1.x`, but not `self.word2`.
fn may_be_setting(value: &[u8]) -> bool {
    let is_plain = value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.!?*@$%&+".contains(byte));
    let is_variable = match value.iter().position(|byte| *byte == b'.') {
        Some(dot) => !value[..dot].iter().any(u8::is_ascii_digit),
        None => is_type_or_variable(value) && !value.contains(&b'_'),
    };
    let is_taken = matches!(value, [b'*' | b'&' | b'@' | b'$' | b'!', ..]);
    is_plain && name::classify(value).is_none() && !is_variable && !is_taken
}

/// Returns whether the neighbouring lines are settings rather than code.
fn is_among_settings(text: &[u8], from: usize, to: usize) -> bool {
    let (left, right) =
        (&text[from.saturating_sub(2 * CONTEXT_BYTES)..from], &text[to..text.len().min(to + 2 * CONTEXT_BYTES)]);
    let is_said = |line: &&[u8]| !line.trim_ascii().is_empty();
    let above = left.split(|byte| *byte == b'\n').rev().skip(1).find(is_said);
    let below = right.split(|byte| *byte == b'\n').skip(1).find(is_said);
    !above.into_iter().chain(below).any(is_code_line)
}

/// Returns whether a line looks like source code.
fn is_code_line(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let words = [
        "let ",
        "const ",
        "var ",
        "def ",
        "fn ",
        "func ",
        "function ",
        "if ",
        "elif ",
        "else",
        "for ",
        "while ",
        "return",
        "import ",
        "from ",
        "use ",
        "pub ",
        "class ",
        "struct ",
        "interface ",
        "enum ",
        "type ",
        "try",
        "except",
        "finally",
        "with ",
        "self.",
        "this.",
        "@",
        "public ",
        "private ",
        "static ",
        "val ",
        "case ",
        "//",
        "/*",
        "local ",
    ];
    let is_call = |two: &[u8]| two[1] == b'(' && (two[0].is_ascii_alphanumeric() || two[0] == b'_');
    let begins = words.iter().any(|word| line.starts_with(word.as_bytes()));
    begins
        || line.windows(2).any(is_call)
        || matches!(line.last(), Some(b';' | b'{' | b'}' | b'(' | b')' | b','))
        || line.ends_with(b"=>")
}

/// Finds the lines of a YAML block scalar below `name: |`.
pub(super) fn block_scalar(cursor: &TextCursor, named: &NamedValue) -> Option<(usize, usize)> {
    let text = cursor.text;
    let rest = cursor.rest();
    let binding =
        rest.iter().take(3).take_while(|byte| matches!(byte, b'|' | b'>' | b'-' | b'+' | b'1'..=b'9')).count();
    (matches!(rest.first(), Some(b'|' | b'>')) && matches!(rest.get(binding), Some(b'\n' | b'\r'))).then_some(())?;
    let depth = text[..named.from].iter().rev().take(CONTEXT_BYTES).take_while(|byte| **byte != b'\n').count();
    let mut at = cursor.at + binding + rest[binding..].iter().take(2).take_while(|byte| **byte == b'\r').count() + 1;
    let (mut start, mut end) = (None, at);
    for _ in 0..MAX_BLOCK_LINES {
        let line = &text[at.min(text.len())..];
        let line = &line[..line
            .iter()
            .take(MAX_VALUE_BYTES)
            .position(|byte| *byte == b'\n')
            .unwrap_or(line.len().min(MAX_VALUE_BYTES))];
        let margin = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'#' | b'+')).count();
        let said = line[margin..].trim_ascii_end();
        if said.is_empty() || margin <= depth {
            break;
        }
        if said.iter().any(u8::is_ascii_whitespace) {
            return None;
        }
        start.get_or_insert(at + margin);
        end = at + margin + said.len();
        at += line.len() + 1;
    }
    let start = start?;
    is_line_secret(&text[start..end], named).then_some((start, end))
}
