//! Values of what is named like a secret: in settings, code, shells, command lines, addresses and markup. The name and the
//! place say how much a value must look like a secret to be one. Refuses values that are a variable, a call, a type, a
//! path, or a word for a secret.

mod line;
mod name;

use line::begins_setting;
use name::Kind;

use super::checksum::is_basic;
use super::form::Class;
use super::judge::{is_margin, is_name, is_password, is_placeholder, is_random};
use super::rules::{Form, Left, Need, Place, Rule};

pub(super) const RULES: &[Rule] = &[
    named("password", &["pass", "pwd", "psk"]),
    named("secret", &["cret", "cred", "mnemonic", "phrase"]),
    named("token", &["token", "auth", "cookie"]),
    named("key", &["key"]),
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

/// What stands between a name and its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sign {
    /// `=` in its many forms.
    Equals,
    /// `=` without blanks.
    Tight,
    /// `:`
    Colon,
    /// `==` or `!=`
    Compare,
    /// The blank or `=` behind a flag.
    Blank,
    /// `>` of a tag.
    Tag,
    /// `,` between two texts.
    Comma,
    /// `:-` of a shell's default.
    Default,
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
    // Most names are followed by nothing that a value could follow, and that is soon seen.
    let is_flagged = || {
        text[place.done..place.start]
            .iter()
            .rev()
            .take(name::LONGEST)
            .take_while(|byte| is_name_byte(**byte))
            .any(|byte| *byte == b'-')
    };
    let could_follow = match text.get(to)? {
        b'=' | b':' | b'"' | b'\'' | b'`' | b'\\' | b'?' | b'!' | b'>' | b']' | b'*' => true,
        b' ' | b'\t' => {
            let sign = text[to..].iter().take(BLANKS).find(|byte| !matches!(byte, b' ' | b'\t'));
            matches!(sign, Some(b'=' | b':' | b'?' | b'!' | b'|' | b'+')) || is_flagged()
        }
        // The value of a name that is itself one may stand on the next line.
        b'\n' | b'\r' => {
            let rest = &text[to..text.len().min(to + BLANKS)];
            let margin = rest.iter().take_while(|byte| byte.is_ascii_whitespace() || is_margin(**byte)).count();
            rest[margin..].starts_with(b"value")
        }
        _ => false,
    };
    could_follow.then_some(())?;
    let left = &text[place.done..place.start];
    let mut from = place.start - left.iter().rev().take(name::LONGEST).take_while(|byte| is_name_byte(**byte)).count();
    let dashes = text[from..to].iter().take_while(|byte| **byte == b'-').count();
    from += dashes;
    let mut cursor = Cursor { text, at: to };
    let kind = name::kind(&text[from..to])?;
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
        Sign::Equals if blanks == 0 && text[to] == b'=' && dashes > 0 => Sign::Blank,
        Sign::Equals if blanks == 0 && text[to] == b'=' => Sign::Tight,
        other => other,
    };
    if matches!(sign, Sign::Equals | Sign::Colon | Sign::Comma) && matches!(cursor.peek(), Some(b'\n' | b'\r')) {
        // A value on a line of its own is one where it is quoted.
        cursor.skip(BLANKS, |byte| byte.is_ascii_whitespace());
        matches!(cursor.peek(), Some(b'"' | b'\'')).then_some(())?;
    }
    opened(&mut cursor, sign);
    let prefix = cursor.at;
    // `b"..."`, `r#"..."#`, `f'...'`, `@"..."`.
    cursor.skip(3, |byte| matches!(byte, b'b' | b'B' | b'r' | b'R' | b'u' | b'f' | b'F' | b'L' | b'@' | b'$' | b'#'));
    let escapes = cursor.rest().first() == Some(&b'\\');
    match cursor.quote() {
        Some(quote) => quoted(&cursor, quote, escapes, kind, sign),
        None => {
            cursor.at = prefix;
            bare(&cursor, from, kind, sign)
        }
    }
}

/// What stands behind a name, and the blanks before it.
fn sign(cursor: &mut Cursor, from: usize, dashes: usize, quoted_name: bool) -> Option<Sign> {
    let left = &cursor.text[..from];
    let blanks = cursor.blanks();
    if quoted_name && cursor.take(b",") {
        cursor.blanks();
        // A list of texts is none of pairs.
        let is_call = matches!(left, [.., b'(', b'"' | b'\'']);
        // `{"name": "PASSWORD", "value": "..."}`
        return if attribute(cursor) { Some(Sign::Colon) } else { is_call.then_some(Sign::Comma) };
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
        return Some(Sign::Colon);
    }
    ((1..=2).contains(&dashes) && blanks > 0 && !quoted_name).then_some(Sign::Blank)
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
fn opened(cursor: &mut Cursor, sign: Sign) {
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

/// A text up to its closing quote on the same line.
fn quoted(cursor: &Cursor, quote: u8, escaped: bool, kind: Kind, sign: Sign) -> Option<(usize, usize)> {
    let mut rest = cursor.rest();
    let mut from = cursor.at;
    if rest.starts_with(&[quote, quote]) && !escaped {
        (rest, from) = (&rest[2..], from + 2);
    }
    let length = closing(&rest[..rest.len().min(LONGEST)], quote, escaped);
    // What is longer is judged by its beginning, and then followed.
    let value = &rest[..length.or((rest.len() > LONGEST).then_some(LONGEST))?];
    let is_found = accepts(value, kind, sign);
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
fn bare(cursor: &Cursor, from: usize, kind: Kind, sign: Sign) -> Option<(usize, usize)> {
    let (left, rest) = (&cursor.text[..from], cursor.rest());
    let most = rest.len().min(LONGEST);
    let up_to = |ends: fn(u8) -> bool| rest[..most].iter().position(|byte| ends(*byte)).unwrap_or(most);
    let line = left[from.saturating_sub(NEAR)..].rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let whole = line.trim_ascii_start();
    let head = line::head(cursor.text, from);
    if matches!(sign, Sign::Equals | Sign::Tight | Sign::Colon) && begins_setting(head) {
        let found = if sign == Sign::Colon { line::block(cursor, from, kind) } else { None };
        if let Some(found) = found.or_else(|| line::value(cursor, from, kind, sign)) {
            return Some(found);
        }
    }
    let is_parameter = sign == Sign::Tight && matches!(left.last(), Some(b'?' | b'&' | b';'));
    let is_setting =
        sign == Sign::Tight && (begins_setting(head) || whole.ends_with(b"-e ")) && !is_code(&rest[..up_to(ends_word)]);
    let ends = match sign {
        // Behind a comma a word is an argument or another name.
        Sign::Comma => return None,
        Sign::Tag => |byte| byte == b'<',
        Sign::Default => |byte| byte == b'}',
        // Of a connection, where nothing else ends one; `;` is also the end of `&amp;`.
        _ if is_parameter && left.ends_with(b";") && !left.ends_with(b"&amp;") => ends_part,
        _ if is_parameter => ends_parameter,
        _ if is_setting => ends_word,
        _ => ends_code,
    };
    let length = up_to(ends);
    let length = if is_setting { setting(&rest[..length]) } else { length };
    let value = &rest[..length];
    let behind = rest.get(length);
    let is_found = match sign {
        _ if value.is_empty() => false,
        Sign::Tag | Sign::Default => accepts(value, kind, sign),
        Sign::Blank => accepts(value, kind, sign) && !is_name(value),
        // The badge of a repository carries a token that is for everybody.
        _ if is_parameter => accepts(value, kind, sign) && !left.ends_with(b".svg?"),
        _ if is_setting => {
            let ends_line = rest[length..].trim_ascii_start().first().is_none_or(|byte| *byte == b'#')
                || matches!(behind, Some(b'\n' | b'\r' | b'"' | b'\'' | b'`' | b'<'));
            // A program may stand behind it, if it is set for that one alone.
            let is_capital = cursor.text[from].is_ascii_uppercase();
            (ends_line || is_capital) && accepts(value, kind, sign)
        }
        _ => {
            let ends_line = matches!(behind, None | Some(b'\n' | b'\r')) && head.is_empty();
            !matches!(behind, Some(b'(' | b'[' | b'{' | b'<' | b'&' | b'|')) && stands_bare(value, kind, ends_line)
        }
    };
    let length = if is_found { followed(rest, length, ends)? } else { return None };
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

fn ends_code(byte: u8) -> bool {
    ends_parameter(byte) || matches!(byte, b',' | b'(' | b'{' | b'[' | b'|')
}

/// Whether what stands behind `name=` is an argument and no setting: another follows, or a call ends or begins.
fn is_code(value: &[u8]) -> bool {
    let ends = matches!(value, [.., b',' | b')' | b':' | b';' | b'(' | b'{' | b'[' | b']']) || value.contains(&b'(');
    // `self.password`
    ends || (value.contains(&b'.') && is_name(value))
}

/// Whether a value may be a secret that stands in the open, where a variable or a type could.
fn stands_bare(value: &[u8], kind: Kind, ends_line: bool) -> bool {
    let is_plain = value.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
    let is_code = value.contains(&b':') || matches!(value[0], b'*' | b'&' | b'!');
    let is_thought_up = kind == Kind::Password && is_password(value) && (!is_plain || (ends_line && !is_type(value)));
    !is_code && (is_thought_up || is_random(value)) && !is_placeholder(value) && !is_name(value)
}

/// Whether a value could be a type or a variable: `Sha256`, `uint32`, `password2`. What begins with a capital is one where
/// no digit says otherwise.
fn is_type(value: &[u8]) -> bool {
    let word = value.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let known = [
        &b"int"[..],
        b"uint",
        b"float",
        b"sha",
        b"base",
        b"utf",
        b"string",
        b"bytes",
        b"arg",
        b"argv",
        b"param",
        b"result",
        b"value",
        b"buf",
        b"md",
        b"argon",
        b"pbkdf",
        b"ed",
        b"vec",
        b"u",
        b"i",
        b"f",
        b"h",
        b"x",
        b"oauth",
        b"http",
        b"hs",
        b"rs",
        b"es",
        b"aes",
        b"hmac",
        b"blake",
        b"crc",
        b"v",
    ];
    let is_known = known.iter().any(|known| known.eq_ignore_ascii_case(&value[..word]));
    (value.first().is_some_and(u8::is_ascii_uppercase) && !value.iter().any(u8::is_ascii_digit))
        || is_known
        || name::kind(value).is_some()
        || value.contains(&b'_')
        || value.contains(&b'.')
}

/// Whether a value that stands alone is a secret.
fn accepts(value: &[u8], kind: Kind, sign: Sign) -> bool {
    let is_path = matches!(value, [b'/' | b'.' | b'~', ..]) && is_name(value);
    if value.len() < 4 || is_placeholder(value) || is_path {
        return false;
    }
    let has_blanks = value.iter().any(u8::is_ascii_whitespace);
    let is_tight = sign == Sign::Tight;
    match kind {
        Kind::Phrase => {
            let words = value.split(u8::is_ascii_whitespace);
            has_blanks
                && words.clone().count() >= 12
                && words.into_iter().all(|word| word.iter().all(u8::is_ascii_lowercase))
        }
        _ if has_blanks => false,
        Kind::Password if is_tight || sign == Sign::Default => true,
        Kind::Password => {
            is_password(value) || is_random(value) || (value.len() >= 6 && value.iter().all(u8::is_ascii_digit))
        }
        Kind::Auth => is_basic(value) || is_random(value),
        Kind::Key => is_random(value) || (is_tight && is_password(value) && value.len() >= 8 && !is_name(value)),
    }
}
