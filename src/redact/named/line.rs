//! Values that are the rest of a line, as settings have them: nothing ends such a value but a blank, and only where code
//! could stand must it look unlike code. Refuses values with blanks, which are sentences.

use super::super::expression::is_expression;
use super::super::judge::{
    is_made_of_words, is_margin, is_name, is_password, is_placeholder, is_random, is_short_key, tells_about,
};
use super::name::{self, Kind};
use super::pair::is_pair;
use super::strength::{is_path, is_type};
use super::{Cursor, LONGEST, NEAR, Named, Sign, followed};

/// Most lines of a block below its name.
const LINES: usize = 64;

/// What stands before a name on its line, without what a line may begin with.
pub(super) fn head(text: &[u8], from: usize) -> &[u8] {
    let line = text[from.saturating_sub(NEAR)..from].rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let line = line.strip_prefix(b"+").unwrap_or(line).trim_ascii_start();
    &line[line.iter().take_while(|byte| is_margin(**byte)).count()..]
}

/// Whether a line that begins so goes on with a name that is set.
pub(super) fn begins_setting(head: &[u8]) -> bool {
    let heads = [&b""[..], b"export ", b"set ", b"ENV ", b"ARG ", b"Environment="];
    heads.contains(&head)
}

/// Whether a name is written as those of an environment are: `DB_PASSWORD`.
pub(super) fn is_of_environment(name: &[u8]) -> bool {
    name.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
}

/// The value of a name that begins its line; `from` is where the line begins to speak of it.
pub(super) fn value(cursor: &Cursor, named: &Named, from: usize) -> Option<(usize, usize)> {
    let sign = named.sign;
    let rest = cursor.rest();
    let most = rest.len().min(LONGEST);
    let length = rest[..most].iter().position(u8::is_ascii_whitespace).unwrap_or(most);
    let behind = &rest[length..];
    let behind = &behind[..behind.iter().take(NEAR).position(|byte| *byte == b'\n').unwrap_or(behind.len().min(NEAR))];
    let behind = behind.trim_ascii();
    let is_comment = [&b"#"[..], b"//", b";", b"--", b"<!--"].iter().any(|mark| behind.starts_with(mark));
    // A program may stand behind it, if it is set for that one alone.
    let is_alone = behind.is_empty() || is_comment || (sign == Sign::Tight && cursor.text[from].is_ascii_uppercase());
    let is_connection = sign == Sign::Tight && !is_of_environment(&cursor.text[from..cursor.at - 1]);
    let value = &rest[..until_closed(&rest[..length], is_connection)];
    let ends_code = matches!(rest[..length].last(), Some(b';' | b','));
    let is_among_settings = || !ends_code && is_among_settings(cursor.text, from, cursor.at + length);
    let is_found = is_alone
        && if is_secret(value, named) {
            let says_code = is_expression(value) || is_pattern(value);
            !says_code || (may_be_setting(value) && is_among_settings())
        } else {
            is_plain(value, named) && is_among_settings()
        };
    if length == LONGEST {
        return followed(rest, length, |byte| byte.is_ascii_whitespace() || byte == b'"')
            .map(|end| (cursor.at, cursor.at + end));
    }
    is_found.then_some((cursor.at, cursor.at + value.len()))
}

/// Where a value ends within its word: before the quotes, brackets and tags that close what the line stands in, and before
/// what else a connection is told.
fn until_closed(word: &[u8], is_connection: bool) -> usize {
    let closes = |byte: &u8| matches!(byte, b'"' | b'\'' | b'`' | b')' | b']' | b'}' | b',' | b';' | b':' | b'\\');
    let mut end = word.len();
    let closing = word.iter().rev().take_while(|byte| closes(byte)).count();
    let is_quote = |at: &usize| matches!(word[*at], b'"' | b'\'' | b'`');
    if let Some(quote) = (end - closing..end).find(is_quote) {
        // One that was opened in the word is closed there.
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
    // A shell ends the setting.
    end -= usize::from(word[..end].ends_with(b";"));
    // The next line goes on with this one.
    end - usize::from(word[..end].ends_with(b"\\"))
}

fn is_secret(value: &[u8], named: &Named) -> bool {
    let kind = named.kind;
    let has_letters = value.iter().any(u8::is_ascii_alphabetic);
    let is_address = value.windows(3).any(|three| three == b"://");
    let is_thought_up = kind == Kind::Password && is_password(value) && has_letters;
    let is_key = kind == Kind::Key && is_short_key(value) && !name::tells_about(named.name);
    let is_place = is_address || is_path(value, named);
    let is_drawn = is_key || is_random(value) || is_pair(value, named);
    (is_thought_up || is_drawn) && !is_placeholder(value) && !is_name(value) && !is_place
}

/// A password of digits alone, or one of letters that an environment is given: among settings nothing else is so called.
fn is_plain(value: &[u8], named: &Named) -> bool {
    let is_number = value.iter().all(u8::is_ascii_digit) && name::says_password(named.name);
    let is_word = (value.iter().all(u8::is_ascii_lowercase) || is_made_of_words(value))
        && is_of_environment(named.name)
        && !tells_about(value)
        && !name::tells_about(named.name)
        && !is_placeholder(value);
    named.kind == Kind::Password && value.len() >= 6 && (is_number || is_word)
}

/// A regular expression, or a path.
fn is_pattern(value: &[u8]) -> bool {
    let is_path = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'~' | b'+');
    let ends = value.iter().rev().take_while(|byte| matches!(byte, b',' | b';')).count();
    let flags = value[..value.len() - ends].iter().rev().take_while(|byte| byte.is_ascii_lowercase()).count();
    matches!(value, [b'^', .., b'$'])
        || matches!(&value[..value.len() - ends - flags], [b'/', .., b'/'])
        || (matches!(value, [b'/' | b'~' | b'.', ..]) && value.iter().all(is_path))
}

/// Whether a value that could be a variable could be a password too: `letmein1.x`, and not `self.word2`.
fn may_be_setting(value: &[u8]) -> bool {
    let is_plain = value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.!?*@$%&+".contains(byte));
    let is_variable = match value.iter().position(|byte| *byte == b'.') {
        Some(dot) => !value[..dot].iter().any(u8::is_ascii_digit),
        None => is_type(value) && !value.contains(&b'_'),
    };
    let is_taken = matches!(value, [b'*' | b'&' | b'@' | b'$' | b'!', ..]);
    is_plain && name::kind(value).is_none() && !is_variable && !is_taken
}

/// Whether the lines around a line are settings, and none of a program: that one stands alone says nothing.
fn is_among_settings(text: &[u8], from: usize, to: usize) -> bool {
    let (left, right) = (&text[from.saturating_sub(2 * NEAR)..from], &text[to..text.len().min(to + 2 * NEAR)]);
    let is_said = |line: &&[u8]| !line.trim_ascii().is_empty();
    let above = left.split(|byte| *byte == b'\n').rev().skip(1).find(is_said);
    let below = right.split(|byte| *byte == b'\n').skip(1).find(is_said);
    !above.into_iter().chain(below).any(is_code)
}

/// Whether a line is one of a program.
fn is_code(line: &[u8]) -> bool {
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

/// The lines below `name: |`, further in than it.
pub(super) fn block(cursor: &Cursor, named: &Named) -> Option<(usize, usize)> {
    let text = cursor.text;
    let rest = cursor.rest();
    let sign = rest.iter().take(3).take_while(|byte| matches!(byte, b'|' | b'>' | b'-' | b'+' | b'1'..=b'9')).count();
    (matches!(rest.first(), Some(b'|' | b'>')) && matches!(rest.get(sign), Some(b'\n' | b'\r'))).then_some(())?;
    let depth = text[..named.from].iter().rev().take(NEAR).take_while(|byte| **byte != b'\n').count();
    let mut at = cursor.at + sign + rest[sign..].iter().take(2).take_while(|byte| **byte == b'\r').count() + 1;
    let (mut start, mut end) = (None, at);
    for _ in 0..LINES {
        let line = &text[at.min(text.len())..];
        let line =
            &line[..line.iter().take(LONGEST).position(|byte| *byte == b'\n').unwrap_or(line.len().min(LONGEST))];
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
    is_secret(&text[start..end], named).then_some((start, end))
}
