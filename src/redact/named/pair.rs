//! A user and a password that sign in together: `auth=("ada", "x")`, `SetBasicAuth("ada", "x")`, `BASIC_AUTH=ada:x`.
//! Refuses calls that are only named like it.

use super::super::judge::{is_password, is_placeholder};
use super::name::Kind;
use super::strength::accepts;
use super::{Cursor, Named, Sign, closing, is_name_byte};

/// Longest user, and longest password.
const LONGEST: usize = 100;

/// Where the second of two texts in brackets stands behind a name, which the first is the user of.
pub(super) fn value(text: &[u8], from: usize, to: usize) -> Option<(usize, usize)> {
    let mut cursor = Cursor { text, at: to };
    let name = &text[from..to];
    cursor.blanks();
    let is_set = cursor.take(b"=") || cursor.take(b":");
    cursor.blanks();
    cursor.skip(LONGEST, is_name_byte);
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let is_method = last.len() < name.len() && last == b"auth";
    (is_set || is_method || says_basic(name)).then_some(())?;
    (cursor.take(b"(") || cursor.take(b"[")).then_some(())?;
    user(&mut cursor)?;
    cursor.take(b"Some(");
    let quote = cursor.quote()?;
    let rest = cursor.rest();
    let length = closing(&rest[..rest.len().min(LONGEST)], quote, false)?;
    let secret = &rest[..length];
    let named = Named { from, name: b"password", kind: Kind::Password, sign: Sign::Equals };
    let is_found = rest.get(length) == Some(&quote) && !secret.starts_with(b"/") && accepts(secret, &named);
    is_found.then_some((cursor.at, cursor.at + length))
}

/// Steps over a text or a variable, and the comma behind it.
fn user(cursor: &mut Cursor) -> Option<()> {
    cursor.skip(LONGEST, |byte| byte.is_ascii_whitespace());
    match cursor.quote() {
        Some(quote) => {
            cursor.skip(LONGEST, |byte| byte != quote && byte != b'\n');
            cursor.quote()?;
        }
        None => (cursor.skip(LONGEST, is_name_byte) > 0).then_some(())?,
    }
    cursor.blanks();
    cursor.take(b",").then_some(())?;
    cursor.skip(LONGEST, |byte| byte.is_ascii_whitespace());
    Some(())
}

fn says_basic(name: &[u8]) -> bool {
    [&b"basic"[..], b"digest"].iter().any(|kind| name.windows(kind.len()).any(|part| part.eq_ignore_ascii_case(kind)))
}

/// Whether a value is a user and a password with a colon between them.
pub(super) fn is_pair(value: &[u8], named: &Named) -> bool {
    if named.kind != Kind::Auth || !says_basic(named.name) {
        return false;
    }
    let Some(colon) = value.iter().position(|byte| *byte == b':') else { return false };
    let (user, secret) = (&value[..colon], &value[colon + 1..]);
    let is_user = !user.is_empty() && user.iter().all(|byte| is_name_byte(*byte) || *byte == b'@');
    let is_secret = is_password(secret) && !is_placeholder(secret) && !is_placeholder(value);
    is_user && is_secret
}
