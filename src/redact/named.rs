//! Values assigned to names that announce a secret: in settings, code, shells, command lines, URLs and markup.
//!
//! The name and the syntax around it decide how much a value must look like a secret. Variables, calls, types, paths
//! and placeholders are not secrets.

mod acceptance;
mod binding;
mod context;
mod line;
mod name;
mod pair;
mod prose;

use acceptance::{accepts, is_bare_secret, is_call_argument, is_location, is_password_word};
use binding::{NameBinding, find_binding, skip_type_or_wrapper};
use line::starts_assignment;
use name::SecretNameKind;

use super::expression::is_expression;
use super::heuristics::{is_line_margin, is_name, is_random};
use super::pattern::ByteClass;
use super::rule::{AnchorMatch, LeftBoundary, Matcher, MinVariety, Rule};

/// Rules for values after names that announce a secret.
pub(super) const NAMED_VALUE_RULES: &[Rule] = &[
    name_rule("password", &["pass", "pwd", "psk", "pw:", "pw=", "pw\""]),
    name_rule("secret", &["cret", "cred", "mnemonic", "phrase"]),
    name_rule("token", &["token", "auth", "cookie"]),
    name_rule("key", &["key"]),
    // A personal access token; in lower case `pat` is a path or a pattern.
    Rule { ignores_case: false, ..name_rule("token", &["_PAT=", "_PAT:", "_PAT\"", "_PAT'", "_PAT "]) },
    // A session cookie outside its header.
    name_rule("cookie", &["session=", "sessionid=", "sessid=", "sid="]),
];

/// Builds a rule for values after names that contain one of the anchors.
const fn name_rule(kind: &'static str, anchors: &'static [&'static str]) -> Rule {
    Rule {
        kind,
        anchors,
        ignores_case: true,
        left: LeftBoundary::Any,
        matcher: Matcher::Custom(named_value),
        proven_by: None,
        must_satisfy: None,
        variety: MinVariety::Nothing,
    }
}

/// The longest value, in bytes; a longer one is judged by its beginning.
const MAX_VALUE_BYTES: usize = 512;
/// The most whitespace between a name, its binding and its value.
const MAX_BLANKS: usize = 40;

/// The number of bytes around a name that are read as its context.
const CONTEXT_BYTES: usize = 100;

/// A secret's name and the syntax that binds a value to it.
struct NamedValue<'a> {
    /// The first byte of the name, without the dashes of a flag.
    from: usize,
    name: &'a [u8],
    kind: SecretNameKind,
    binding: NameBinding,
}

/// A position in a text, which moves forward.
struct TextCursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl TextCursor<'_> {
    /// Returns the text from the position on.
    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    /// Returns the byte at the position.
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Moves over at most `most` bytes that satisfy `has`; returns how many.
    fn skip(&mut self, most: usize, has: impl Fn(u8) -> bool) -> usize {
        let length = self.rest().iter().take(most).take_while(|byte| has(**byte)).count();
        self.at += length;
        length
    }

    /// Moves over a literal; returns whether it was there.
    fn take(&mut self, literal: &[u8]) -> bool {
        let stands = self.rest().starts_with(literal);
        self.at += if stands { literal.len() } else { 0 };
        stands
    }

    /// Moves over spaces and tabs; returns how many.
    fn blanks(&mut self) -> usize {
        self.skip(MAX_BLANKS, |byte| matches!(byte, b' ' | b'\t'))
    }

    /// Moves over a quote, escaped or not, and returns it.
    fn quote(&mut self) -> Option<u8> {
        let start = self.at;
        self.skip(4, |byte| byte == b'\\');
        match self.peek() {
            Some(quote @ (b'"' | b'\'' | b'`')) => {
                self.at += 1;
                Some(quote)
            }
            _ => {
                self.at = start;
                None
            }
        }
    }
}

/// Returns whether a word is the name of a secret.
pub(super) fn is_secret_name(word: &[u8]) -> bool {
    name::classify(word).is_some()
}

/// Returns whether a table cell holds the secret that its column's name announces.
///
/// `is_data` means that the table is a data export, whose cells are never types or descriptions.
pub(super) fn is_secret_cell(name: &[u8], value: &[u8], is_data: bool) -> bool {
    let Some(kind) = name::classify(name).filter(|_| !value.is_empty() && value.len() <= MAX_VALUE_BYTES) else {
        return false;
    };
    let named = NamedValue { from: 0, name, kind, binding: NameBinding::Cell };
    let is_thought_up = kind == SecretNameKind::Password && accepts(value, &named) && !is_expression(value);
    prose::is_unquoted_secret(value, &named, b"") || (is_data && is_thought_up)
}

/// Returns whether a byte may be part of a name.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Finds the value bound to the name around the anchor.
fn named_value(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let text = anchor.text;
    let behind = text[anchor.start..].iter().take(name::MAX_NAME_BYTES).take_while(|byte| is_name_byte(**byte)).count();
    let mut to = anchor.start + behind;
    while to > anchor.start && matches!(text[to - 1], b'.' | b'-') {
        to -= 1;
    }
    may_have_value(anchor, to).then_some(())?;
    let left = &text[anchor.scanned..anchor.start];
    let mut from =
        anchor.start - left.iter().rev().take(name::MAX_NAME_BYTES).take_while(|byte| is_name_byte(**byte)).count();
    let dashes = text[from..to].iter().take_while(|byte| **byte == b'-').count();
    from += dashes;
    if dashes == 0 {
        from -= name::spaced_prefix_len(&text[anchor.scanned..from], &text[from..to]);
    }
    let mut cursor = TextCursor { text, at: to };
    let kind = name::classify(&text[from..to])?;
    if kind == SecretNameKind::Auth
        && let Some(found) = pair::paired_password(text, from, to)
    {
        return Some(found);
    }
    let quoted_name = cursor.quote().is_some();
    let bold = cursor.skip(2, |byte| byte == b'*');
    if quoted_name {
        cursor.skip(2, |byte| matches!(byte, b']' | b')'));
    } else if bold == 0 && cursor.skip(1, |byte| byte == b']') == 0 {
        cursor.skip(1, |byte| matches!(byte, b'?' | b'!') && text.get(to + 1) == Some(&b':'));
    }
    let binding = find_binding(&mut cursor, from, dashes, quoted_name)?;
    cursor.skip(2, |byte| byte == b'*');
    let blanks = cursor.blanks();
    let binding = match binding {
        NameBinding::Equals if blanks == 0 && text[to] == b'=' && dashes > 0 => NameBinding::Flag,
        NameBinding::Equals if blanks == 0 && text[to] == b'=' => NameBinding::Tight,
        other => other,
    };
    if matches!(binding, NameBinding::Equals | NameBinding::Colon | NameBinding::Value | NameBinding::Comma)
        && matches!(cursor.peek(), Some(b'\n' | b'\r'))
    {
        // A value on the next line must be quoted.
        cursor.skip(MAX_BLANKS, |byte| byte.is_ascii_whitespace());
        matches!(cursor.peek(), Some(b'"' | b'\'')).then_some(())?;
    }
    skip_type_or_wrapper(&mut cursor, binding);
    let prefix = cursor.at;
    // `b"..."`, `r#"..."#`, `f'...'`, `@"..."`.
    cursor.skip(3, |byte| matches!(byte, b'b' | b'B' | b'r' | b'R' | b'u' | b'f' | b'F' | b'L' | b'@' | b'$' | b'#'));
    let escapes = cursor.rest().first() == Some(&b'\\');
    let named = NamedValue { from, name: &text[from..to], kind, binding };
    match cursor.quote() {
        Some(quote) => quoted_value(&cursor, quote, escapes, &named),
        None => {
            cursor.at = prefix;
            bare_value(&cursor, &named)
        }
    }
}

/// Returns whether a value could follow a name that ends at `to`.
///
/// A cheap test that rejects most names.
fn may_have_value(anchor: &AnchorMatch, to: usize) -> bool {
    let text = anchor.text;
    let rest = &text[to..text.len().min(to + MAX_BLANKS)];
    let is_flagged = || {
        text[anchor.scanned..anchor.start]
            .iter()
            .rev()
            .take(name::MAX_NAME_BYTES)
            .take_while(|byte| is_name_byte(**byte))
            .any(|byte| *byte == b'-')
    };
    match rest {
        [b'=' | b':' | b'"' | b'\'' | b'`' | b'\\' | b'?' | b'!' | b'>' | b']' | b'*' | b'|', ..] => true,
        [b'(', behind, ..] => matches!(behind, b'"' | b'\''),
        [b' ' | b'\t', ..] => {
            let behind = rest.trim_ascii_start();
            matches!(behind.first(), Some(b'=' | b':' | b'?' | b'!' | b'|' | b'+' | b'"' | b'\'' | b'`'))
                || context::verb_length(behind).is_some()
                || behind.starts_with(b"or ")
                || context::purpose_length(&text[to..text.len().min(to + CONTEXT_BYTES)]) > 0
                || is_flagged()
                || context::is_set_command(line::line_head(text, anchor.start))
                || context::introduces_password(line::line_head(text, anchor.start))
        }
        // The value may follow on the next line, after a `value:` key.
        [b'\n' | b'\r', ..] => {
            let margin = rest.iter().take_while(|byte| byte.is_ascii_whitespace() || is_line_margin(**byte)).count();
            rest[margin..].starts_with(b"value")
        }
        _ => false,
    }
}

/// Judges a quoted value that closes on the same line.
fn quoted_value(cursor: &TextCursor, quote: u8, escaped: bool, named: &NamedValue) -> Option<(usize, usize)> {
    let mut rest = cursor.rest();
    let mut from = cursor.at;
    if rest.starts_with(&[quote, quote]) && !escaped {
        (rest, from) = (&rest[2..], from + 2);
    }
    let length = closing_quote(&rest[..rest.len().min(MAX_VALUE_BYTES)], quote, escaped);
    // A longer value is judged by its beginning, and then extended to the closing quote.
    let value = &rest[..length.or((rest.len() > MAX_VALUE_BYTES).then_some(MAX_VALUE_BYTES))?];
    let is_found = match named.binding {
        NameBinding::Said | NameBinding::Cell | NameBinding::Beside => prose::is_prose_secret(value, named),
        _ => accepts(value, named),
    };
    is_found.then(|| (from, from + length.or_else(|| closing_quote(rest, quote, escaped)).unwrap_or(rest.len())))
}

/// Returns the offset of the closing quote, line end or (if `escaped`) backslash.
fn closing_quote(rest: &[u8], quote: u8, escaped: bool) -> Option<usize> {
    let mut is_escape = false;
    rest.iter().position(|&byte| {
        let ends = byte == b'\n' || (!is_escape && byte == quote) || (escaped && byte == b'\\');
        is_escape = byte == b'\\' && !is_escape;
        ends
    })
}

/// Returns the full length of a value that was judged by its first `length` bytes.
///
/// A value that continues beyond that limit must look random; otherwise it is rejected.
fn extended_length(rest: &[u8], length: usize, ends: impl Fn(u8) -> bool) -> Option<usize> {
    if length < MAX_VALUE_BYTES {
        return Some(length);
    }
    let is_drawn = rest[..length].iter().all(|byte| ByteClass::Padded.has(*byte) || *byte == b'.');
    (is_drawn && is_random(&rest[..length])).then(|| rest.iter().position(|byte| ends(*byte)).unwrap_or(rest.len()))
}

/// Judges an unquoted value.
fn bare_value(cursor: &TextCursor, named: &NamedValue) -> Option<(usize, usize)> {
    let NamedValue { from, kind, binding, .. } = *named;
    let (left, rest) = (&cursor.text[..from], cursor.rest());
    let most = rest.len().min(MAX_VALUE_BYTES);
    let up_to = |ends: fn(u8) -> bool| rest[..most].iter().position(|byte| ends(*byte)).unwrap_or(most);
    let head = line::line_head(cursor.text, from);
    if prose::is_test_result(cursor, named) {
        return None;
    }
    if kind == SecretNameKind::Phrase {
        return prose::seed_phrase(cursor, named);
    }
    if let Some(found) = line_value(cursor, named, head).or_else(|| inline_value(cursor, named, head)) {
        return Some(found);
    }
    let is_parameter = binding == NameBinding::Tight && matches!(left.last(), Some(b'?' | b'&' | b';'));
    let is_setting =
        binding == NameBinding::Tight && starts_assignment(head) && !is_call_argument(&rest[..up_to(ends_word)]);
    let ends = match binding {
        // After these bindings an unquoted word is an argument, another name or prose.
        NameBinding::Comma | NameBinding::Call | NameBinding::Said | NameBinding::Cell | NameBinding::Beside => {
            return None;
        }
        NameBinding::Tag => |byte| byte == b'<',
        NameBinding::Default => |byte| byte == b'}',
        // In a connection string only `;` separates values; it also ends `&amp;`.
        _ if is_parameter && left.ends_with(b";") && !left.ends_with(b"&amp;") => ends_part,
        _ if is_parameter => ends_parameter,
        _ if is_setting || binding == NameBinding::Set => ends_word,
        NameBinding::Blank | NameBinding::Flag => ends_argument,
        _ => ends_code,
    };
    let length = match binding {
        NameBinding::Blank | NameBinding::Flag => argument_length(&rest[..up_to(ends)]),
        _ if is_setting => setting_length(&rest[..up_to(ends)]),
        _ => up_to(ends),
    };
    let value = &rest[..length];
    let behind = rest.get(length);
    let is_found = match binding {
        _ if value.is_empty() => false,
        NameBinding::Tag | NameBinding::Default | NameBinding::Flag | NameBinding::Set => accepts(value, named),
        NameBinding::Blank => accepts(value, named) && !is_name(value),
        // The token in the URL of a repository badge is public.
        _ if is_parameter => accepts(value, named) && !left.ends_with(b".svg?"),
        _ if is_setting => {
            let ends_line = rest[length..].trim_ascii_start().first().is_none_or(|byte| *byte == b'#')
                || matches!(behind, Some(b'\n' | b'\r' | b'"' | b'\'' | b'`' | b'<'));
            // A command may follow a variable that is set for that command alone.
            let is_capital = cursor.text[from].is_ascii_uppercase();
            (ends_line || is_capital) && accepts(value, named)
        }
        _ => {
            let ends_line = matches!(behind, None | Some(b'\n' | b'\r')) && head.is_empty();
            !matches!(behind, Some(b'(' | b'[' | b'{' | b'<' | b'&' | b'|'))
                && is_bare_secret(value, kind, ends_line)
                && !is_location(value, named)
        }
    };
    let length = if is_found { extended_length(rest, length, ends)? } else { return None };
    Some((cursor.at, cursor.at + length))
}

/// Judges a value that is the rest of its line.
fn line_value(cursor: &TextCursor, named: &NamedValue, head: &[u8]) -> Option<(usize, usize)> {
    match named.binding {
        NameBinding::Colon if starts_assignment(head) => {
            line::block_scalar(cursor, named).or_else(|| line::rest_of_line(cursor, named, named.from))
        }
        NameBinding::Equals | NameBinding::Tight if starts_assignment(head) => {
            line::rest_of_line(cursor, named, named.from)
        }
        NameBinding::Value if line::line_head(cursor.text, cursor.at).starts_with(b"value") => {
            line::rest_of_line(cursor, named, cursor.at)
        }
        _ => None,
    }
}

/// Judges a value inside a line that is not code: `user=u password=x`, `"X-Key: x"`, `the password is x`, `| password |
/// x |`.
fn inline_value(cursor: &TextCursor, named: &NamedValue, head: &[u8]) -> Option<(usize, usize)> {
    let (before, rest) = (cursor.text[..named.from].last(), cursor.rest());
    let ends = |byte: u8| ends_word(byte) || byte == b'\\';
    let most = rest.len().min(MAX_VALUE_BYTES);
    let word = &rest[..rest[..most].iter().position(|byte| ends(*byte)).unwrap_or(most)];
    let behind = rest[word.len()..].iter().find(|byte| **byte != b'\\');
    let is_password = named.kind == SecretNameKind::Password;
    let (value, is_found) = match named.binding {
        NameBinding::Colon if matches!(before, Some(b'"' | b'\'')) && behind == before => {
            let is_header = cursor.text[named.from + named.name.len()] == b':';
            (word, is_header && accepts(word, named) && !is_name(word))
        }
        NameBinding::Tight => {
            let begins =
                before.is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'=' | b'`'));
            let word = &word[..setting_length(word)];
            let is_set = name::is_env_name(named.name) && accepts(word, named);
            let is_key = name::has_spaces(named.name) && acceptance::is_random_token(word, named);
            (
                word,
                begins
                    && !is_call_argument(word)
                    && (is_set || is_key || (is_password && is_password_word(word) && !is_location(word, named))),
            )
        }
        NameBinding::Colon | NameBinding::Equals | NameBinding::Said | NameBinding::Cell | NameBinding::Beside => {
            let value = prose::trim_punctuation(cursor, word);
            (value, prose::is_unquoted_secret(value, named, head))
        }
        _ => return None,
    };
    let length = if is_found { extended_length(rest, value.len(), ends)? } else { return None };
    Some((cursor.at, cursor.at + length))
}

/// Returns the length of a setting's value within its word: up to a `;` that ends the word or precedes another `name=`.
fn setting_length(word: &[u8]) -> usize {
    let goes_on = |at: &usize| word.len() == at + 1 || word[*at..].contains(&b'=');
    word.iter().position(|byte| *byte == b';').filter(goes_on).unwrap_or(word.len())
}

/// Returns whether a byte ends a word.
fn ends_word(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>')
}

/// Returns whether a byte ends a part of a connection string.
fn ends_part(byte: u8) -> bool {
    ends_word(byte) || byte == b';'
}

/// Returns whether a byte ends a URL parameter.
fn ends_parameter(byte: u8) -> bool {
    ends_word(byte) || matches!(byte, b';' | b'&' | b'\\' | b'#' | b')' | b']' | b'}')
}

/// Returns the length of a flag's argument. It ends at `&&`; a single `&` or `#` belongs to it, unless the word begins
/// with it or ends in `&`.
fn argument_length(word: &[u8]) -> usize {
    let length = word.windows(2).position(|two| two == b"&&").unwrap_or(word.len());
    let length = length - word[..length].iter().rev().take_while(|byte| **byte == b'&').count();
    if matches!(word.first(), Some(b'&' | b'#')) { 0 } else { length }
}

/// Returns whether a byte ends a flag's argument.
fn ends_argument(byte: u8) -> bool {
    ends_code(byte) && !matches!(byte, b'&' | b'#')
}

/// Returns whether a byte ends an operand of source code.
fn ends_code(byte: u8) -> bool {
    ends_parameter(byte) || matches!(byte, b',' | b'(' | b'{' | b'[' | b'|')
}
