//! User and password given together: `auth=("ada", "x")`, `SetBasicAuth("ada", "x")`, `BASIC_AUTH=ada:x`.

use super::acceptance::accepts;
use super::name::{SecretNameKind, is_http_auth_name};
use super::{NameBinding, NamedValue, TextCursor, closing_quote, is_name_byte};

/// The longest user and the longest password, in bytes.
const MAX_PART_BYTES: usize = 100;

/// Finds the password in a bracketed pair of user and password after a name.
pub(super) fn paired_password(text: &[u8], from: usize, to: usize) -> Option<(usize, usize)> {
    let mut cursor = TextCursor { text, at: to };
    let name = &text[from..to];
    cursor.blanks();
    let is_set = cursor.take(b"=") || cursor.take(b":");
    cursor.blanks();
    cursor.skip(MAX_PART_BYTES, is_name_byte);
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let is_method = last.len() < name.len() && last == b"auth";
    (is_set || is_method || is_http_auth_name(name)).then_some(())?;
    (cursor.take(b"(") || cursor.take(b"[")).then_some(())?;
    skip_user(&mut cursor)?;
    cursor.take(b"Some(");
    let quote = cursor.quote()?;
    let rest = cursor.rest();
    let length = closing_quote(&rest[..rest.len().min(MAX_PART_BYTES)], quote, false)?;
    let secret = &rest[..length];
    let named = NamedValue { from, name: b"password", kind: SecretNameKind::Password, binding: NameBinding::Equals };
    let is_found = rest.get(length) == Some(&quote) && !secret.starts_with(b"/") && accepts(secret, &named);
    is_found.then_some((cursor.at, cursor.at + length))
}

/// Moves over the user (a string or a variable) and the comma after it.
fn skip_user(cursor: &mut TextCursor) -> Option<()> {
    cursor.skip(MAX_PART_BYTES, |byte| byte.is_ascii_whitespace());
    match cursor.quote() {
        Some(quote) => {
            cursor.skip(MAX_PART_BYTES, |byte| byte != quote && byte != b'\n');
            cursor.quote()?;
        }
        None => (cursor.skip(MAX_PART_BYTES, is_name_byte) > 0).then_some(())?,
    }
    cursor.blanks();
    cursor.take(b",").then_some(())?;
    cursor.skip(MAX_PART_BYTES, |byte| byte.is_ascii_whitespace());
    Some(())
}
