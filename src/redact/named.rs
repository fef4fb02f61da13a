//! Values of what is named like a secret: in settings, code, shells, command lines, addresses and markup. The name and the
//! place say how much a value must look like a secret to be one. Refuses values that are a variable, a call, a type, a
//! path, or a word for a secret.

mod line;
mod name;
mod pair;
mod prose;
mod sign;
mod strength;

use line::begins_setting;
use name::Kind;
use sign::{Sign, opened, sign};
use strength::{accepts, is_code, is_path, stands_alone, stands_bare};

use super::expression::is_expression;
use super::form::Class;
use super::judge::{is_margin, is_name, is_random};
use super::rules::{Form, Left, Need, Place, Rule};

pub(super) const RULES: &[Rule] = &[
    named("password", &["pass", "pwd", "psk", "pw:", "pw=", "pw\""]),
    named("secret", &["cret", "cred", "mnemonic", "phrase"]),
    named("token", &["token", "auth", "cookie"]),
    named("key", &["key"]),
    // A personal access token: what is written small is a path or a pattern.
    Rule { is_folded: false, ..named("token", &["_PAT=", "_PAT:", "_PAT\"", "_PAT'", "_PAT "]) },
    // A cookie out of its header.
    named("cookie", &["session=", "sessionid=", "sessid=", "sid="]),
];

const fn named(kind: &'static str, starts: &'static [&'static str]) -> Rule {
    Rule {
        kind,
        starts,
        is_folded: true,
        left: Left::Any,
        form: Form::Find(value),
        holds: None,
        only: None,
        needs: Need::Nothing,
    }
}

/// Longest value.
const LONGEST: usize = 512;
/// Most blanks between a name, its sign and its value.
const BLANKS: usize = 40;

/// How much of a line before a name is looked at.
const NEAR: usize = 100;

/// A name, and what says that a value follows it.
struct Named<'a> {
    /// Where it begins, without the dashes of a flag.
    from: usize,
    name: &'a [u8],
    kind: Kind,
    sign: Sign,
}

/// Reads on from a place.
struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip(&mut self, most: usize, has: impl Fn(u8) -> bool) -> usize {
        let length = self.rest().iter().take(most).take_while(|byte| has(**byte)).count();
        self.at += length;
        length
    }

    fn take(&mut self, literal: &[u8]) -> bool {
        let stands = self.rest().starts_with(literal);
        self.at += if stands { literal.len() } else { 0 };
        stands
    }

    fn blanks(&mut self) -> usize {
        self.skip(BLANKS, |byte| matches!(byte, b' ' | b'\t'))
    }

    /// A quote, escaped or not.
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

/// Whether a word is the name of a secret.
pub(super) fn is_secret_name(word: &[u8]) -> bool {
    name::kind(word).is_some()
}

/// Whether a value is the secret that the head of a column speaks of; `is_data` where no types and words stand in the cells.
pub(super) fn is_told(name: &[u8], value: &[u8], is_data: bool) -> bool {
    let Some(kind) = name::kind(name).filter(|_| !value.is_empty() && value.len() <= LONGEST) else { return false };
    let named = Named { from: 0, name, kind, sign: Sign::Cell };
    let is_thought_up = kind == Kind::Password && accepts(value, &named) && !is_expression(value);
    prose::is_found(value, &named, b"") || (is_data && is_thought_up)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The value of the name that a beginning lies in.
fn value(place: &Place) -> Option<(usize, usize)> {
    let text = place.text;
    let behind = text[place.start..].iter().take(name::LONGEST).take_while(|byte| is_name_byte(**byte)).count();
    let mut to = place.start + behind;
    while to > place.start && matches!(text[to - 1], b'.' | b'-') {
        to -= 1;
    }
    could_follow(place, to).then_some(())?;
    let left = &text[place.done..place.start];
    let mut from = place.start - left.iter().rev().take(name::LONGEST).take_while(|byte| is_name_byte(**byte)).count();
    let dashes = text[from..to].iter().take_while(|byte| **byte == b'-').count();
    from += dashes;
    if dashes == 0 {
        from -= name::before(&text[place.done..from], &text[from..to]);
    }
    let mut cursor = Cursor { text, at: to };
    let kind = name::kind(&text[from..to])?;
    if kind == Kind::Auth
        && let Some(found) = pair::value(text, from, to)
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
    let sign = sign(&mut cursor, from, dashes, quoted_name)?;
    cursor.skip(2, |byte| byte == b'*');
    let blanks = cursor.blanks();
    let sign = match sign {
        Sign::Equals if blanks == 0 && text[to] == b'=' && dashes > 0 => Sign::Flag,
        Sign::Equals if blanks == 0 && text[to] == b'=' => Sign::Tight,
        other => other,
    };
    if matches!(sign, Sign::Equals | Sign::Colon | Sign::Value | Sign::Comma)
        && matches!(cursor.peek(), Some(b'\n' | b'\r'))
    {
        // A value on a line of its own is one where it is quoted.
        cursor.skip(BLANKS, |byte| byte.is_ascii_whitespace());
        matches!(cursor.peek(), Some(b'"' | b'\'')).then_some(())?;
    }
    opened(&mut cursor, sign);
    let prefix = cursor.at;
    // `b"..."`, `r#"..."#`, `f'...'`, `@"..."`.
    cursor.skip(3, |byte| matches!(byte, b'b' | b'B' | b'r' | b'R' | b'u' | b'f' | b'F' | b'L' | b'@' | b'$' | b'#'));
    let escapes = cursor.rest().first() == Some(&b'\\');
    let named = Named { from, name: &text[from..to], kind, sign };
    match cursor.quote() {
        Some(quote) => quoted(&cursor, quote, escapes, &named),
        None => {
            cursor.at = prefix;
            bare(&cursor, &named)
        }
    }
}

/// Whether a value could follow a name that ends at a place: most are followed by nothing such, and that is soon seen.
fn could_follow(place: &Place, to: usize) -> bool {
    let text = place.text;
    let rest = &text[to..text.len().min(to + BLANKS)];
    let is_flagged = || {
        text[place.done..place.start]
            .iter()
            .rev()
            .take(name::LONGEST)
            .take_while(|byte| is_name_byte(**byte))
            .any(|byte| *byte == b'-')
    };
    match rest {
        [b'=' | b':' | b'"' | b'\'' | b'`' | b'\\' | b'?' | b'!' | b'>' | b']' | b'*' | b'|', ..] => true,
        [b'(', behind, ..] => matches!(behind, b'"' | b'\''),
        [b' ' | b'\t', ..] => {
            let behind = rest.trim_ascii_start();
            matches!(behind.first(), Some(b'=' | b':' | b'?' | b'!' | b'|' | b'+' | b'"' | b'\'' | b'`'))
                || sign::says(behind).is_some()
                || behind.starts_with(b"or ")
                || prose::purpose(&text[to..text.len().min(to + NEAR)]) > 0
                || is_flagged()
                || sign::is_set(line::head(text, place.start))
                || prose::introduces(line::head(text, place.start))
        }
        // The value of a name that is itself one may stand on the next line.
        [b'\n' | b'\r', ..] => {
            let margin = rest.iter().take_while(|byte| byte.is_ascii_whitespace() || is_margin(**byte)).count();
            rest[margin..].starts_with(b"value")
        }
        _ => false,
    }
}

/// A text up to its closing quote on the same line.
fn quoted(cursor: &Cursor, quote: u8, escaped: bool, named: &Named) -> Option<(usize, usize)> {
    let mut rest = cursor.rest();
    let mut from = cursor.at;
    if rest.starts_with(&[quote, quote]) && !escaped {
        (rest, from) = (&rest[2..], from + 2);
    }
    let length = closing(&rest[..rest.len().min(LONGEST)], quote, escaped);
    // What is longer is judged by its beginning, and then followed.
    let value = &rest[..length.or((rest.len() > LONGEST).then_some(LONGEST))?];
    let is_found = match named.sign {
        Sign::Said | Sign::Cell | Sign::Beside => prose::is_secret(value, named),
        _ => accepts(value, named),
    };
    is_found.then(|| (from, from + length.or_else(|| closing(rest, quote, escaped)).unwrap_or(rest.len())))
}

/// Where a text in quotes ends.
fn closing(rest: &[u8], quote: u8, escaped: bool) -> Option<usize> {
    let mut is_escape = false;
    rest.iter().position(|&byte| {
        let ends = byte == b'\n' || (!is_escape && byte == quote) || (escaped && byte == b'\\');
        is_escape = byte == b'\\' && !is_escape;
        ends
    })
}

/// How long a value is that is judged by its beginning: one that goes on behind what is looked at must look drawn.
fn followed(rest: &[u8], length: usize, ends: impl Fn(u8) -> bool) -> Option<usize> {
    if length < LONGEST {
        return Some(length);
    }
    let is_drawn = rest[..length].iter().all(|byte| Class::Padded.has(*byte) || *byte == b'.');
    (is_drawn && is_random(&rest[..length])).then(|| rest.iter().position(|byte| ends(*byte)).unwrap_or(rest.len()))
}

/// A value without quotes.
fn bare(cursor: &Cursor, named: &Named) -> Option<(usize, usize)> {
    let Named { from, kind, sign, .. } = *named;
    let (left, rest) = (&cursor.text[..from], cursor.rest());
    let most = rest.len().min(LONGEST);
    let up_to = |ends: fn(u8) -> bool| rest[..most].iter().position(|byte| ends(*byte)).unwrap_or(most);
    let head = line::head(cursor.text, from);
    if prose::is_result(cursor, named) {
        return None;
    }
    if kind == Kind::Phrase {
        return prose::phrase(cursor, named);
    }
    if let Some(found) = of_line(cursor, named, head).or_else(|| amid(cursor, named, head)) {
        return Some(found);
    }
    let is_parameter = sign == Sign::Tight && matches!(left.last(), Some(b'?' | b'&' | b';'));
    let is_setting = sign == Sign::Tight && begins_setting(head) && !is_code(&rest[..up_to(ends_word)]);
    let ends = match sign {
        // Behind a comma a word is an argument or another name.
        Sign::Comma | Sign::Call | Sign::Said | Sign::Cell | Sign::Beside => return None,
        Sign::Tag => |byte| byte == b'<',
        Sign::Default => |byte| byte == b'}',
        // Of a connection, where nothing else ends one; `;` is also the end of `&amp;`.
        _ if is_parameter && left.ends_with(b";") && !left.ends_with(b"&amp;") => ends_part,
        _ if is_parameter => ends_parameter,
        _ if is_setting || sign == Sign::Set => ends_word,
        Sign::Blank | Sign::Flag => ends_argument,
        _ => ends_code,
    };
    let length = match sign {
        Sign::Blank | Sign::Flag => argument(&rest[..up_to(ends)]),
        _ if is_setting => setting(&rest[..up_to(ends)]),
        _ => up_to(ends),
    };
    let value = &rest[..length];
    let behind = rest.get(length);
    let is_found = match sign {
        _ if value.is_empty() => false,
        Sign::Tag | Sign::Default | Sign::Flag | Sign::Set => accepts(value, named),
        Sign::Blank => accepts(value, named) && !is_name(value),
        // The badge of a repository carries a token that is for everybody.
        _ if is_parameter => accepts(value, named) && !left.ends_with(b".svg?"),
        _ if is_setting => {
            let ends_line = rest[length..].trim_ascii_start().first().is_none_or(|byte| *byte == b'#')
                || matches!(behind, Some(b'\n' | b'\r' | b'"' | b'\'' | b'`' | b'<'));
            // A program may stand behind it, if it is set for that one alone.
            let is_capital = cursor.text[from].is_ascii_uppercase();
            (ends_line || is_capital) && accepts(value, named)
        }
        _ => {
            let ends_line = matches!(behind, None | Some(b'\n' | b'\r')) && head.is_empty();
            !matches!(behind, Some(b'(' | b'[' | b'{' | b'<' | b'&' | b'|'))
                && stands_bare(value, kind, ends_line)
                && !is_path(value, named)
        }
    };
    let length = if is_found { followed(rest, length, ends)? } else { return None };
    Some((cursor.at, cursor.at + length))
}

/// A value that is the rest of its line.
fn of_line(cursor: &Cursor, named: &Named, head: &[u8]) -> Option<(usize, usize)> {
    match named.sign {
        Sign::Colon if begins_setting(head) => {
            line::block(cursor, named).or_else(|| line::value(cursor, named, named.from))
        }
        Sign::Equals | Sign::Tight if begins_setting(head) => line::value(cursor, named, named.from),
        Sign::Value if line::head(cursor.text, cursor.at).starts_with(b"value") => {
            line::value(cursor, named, cursor.at)
        }
        _ => None,
    }
}

/// A value amid a line that is no code: `user=u password=x`, `"X-Key: x"`, `the password is x`, `| password | x |`.
fn amid(cursor: &Cursor, named: &Named, head: &[u8]) -> Option<(usize, usize)> {
    let (before, rest) = (cursor.text[..named.from].last(), cursor.rest());
    let ends = |byte: u8| ends_word(byte) || byte == b'\\';
    let most = rest.len().min(LONGEST);
    let word = &rest[..rest[..most].iter().position(|byte| ends(*byte)).unwrap_or(most)];
    let behind = rest[word.len()..].iter().find(|byte| **byte != b'\\');
    let is_password = named.kind == Kind::Password;
    let (value, is_found) = match named.sign {
        Sign::Colon if matches!(before, Some(b'"' | b'\'')) && behind == before => {
            let is_header = cursor.text[named.from + named.name.len()] == b':';
            (word, is_header && accepts(word, named) && !is_name(word))
        }
        Sign::Tight => {
            let begins =
                before.is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'=' | b'`'));
            let word = &word[..setting(word)];
            let is_set = line::is_of_environment(named.name) && accepts(word, named);
            let is_key = name::is_spaced(named.name) && strength::is_drawn(word, named);
            (
                word,
                begins
                    && !is_code(word)
                    && (is_set || is_key || (is_password && stands_alone(word) && !is_path(word, named))),
            )
        }
        Sign::Colon | Sign::Equals | Sign::Said | Sign::Cell | Sign::Beside => {
            let value = prose::trimmed(cursor, word);
            (value, prose::is_found(value, named, head))
        }
        _ => return None,
    };
    let length = if is_found { followed(rest, value.len(), ends)? } else { return None };
    Some((cursor.at, cursor.at + length))
}

/// How long the value of a setting is: all of the word, but for what else a connection or a shell is told.
fn setting(word: &[u8]) -> usize {
    let goes_on = |at: &usize| word.len() == at + 1 || word[*at..].contains(&b'=');
    word.iter().position(|byte| *byte == b';').filter(goes_on).unwrap_or(word.len())
}

fn ends_word(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>')
}

fn ends_part(byte: u8) -> bool {
    ends_word(byte) || byte == b';'
}

fn ends_parameter(byte: u8) -> bool {
    ends_word(byte) || matches!(byte, b';' | b'&' | b'\\' | b'#' | b')' | b']' | b'}')
}

/// How long the word behind a flag is: `&` and `#` are part of it where they stand within, and end it elsewhere.
fn argument(word: &[u8]) -> usize {
    let length = word.windows(2).position(|two| two == b"&&").unwrap_or(word.len());
    let length = length - word[..length].iter().rev().take_while(|byte| **byte == b'&').count();
    if matches!(word.first(), Some(b'&' | b'#')) { 0 } else { length }
}

fn ends_argument(byte: u8) -> bool {
    ends_code(byte) && !matches!(byte, b'&' | b'#')
}

fn ends_code(byte: u8) -> bool {
    ends_parameter(byte) || matches!(byte, b',' | b'(' | b'{' | b'[' | b'|')
}
