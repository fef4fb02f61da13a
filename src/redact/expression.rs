//! Recognises expressions of source code: variables, paths, calls, types, numbers, and combinations with operators.
//!
//! A name with digits among lower-case letters does not count as an identifier here, because people write passwords
//! that way.

/// The deepest nesting of brackets, and the most operands, of an expression.
const MAX_DEPTH: usize = 16;

/// Returns whether a whole word is an expression. A trailing comma, semicolon or opening bracket is ignored.
pub(super) fn is_expression(word: &[u8]) -> bool {
    let ends = word.iter().rev().take_while(|byte| matches!(byte, b',' | b';' | b'(' | b'[' | b'{')).count();
    let word = &word[..word.len() - ends];
    let mut at = 0;
    for _ in 0..MAX_DEPTH {
        let Some(length) = operand_length(&word[at..]) else { return false };
        at += length;
        if at == word.len() {
            return true;
        }
        let Some(length) = operator_length(&word[at..]) else { return false };
        at += length;
    }
    false
}

/// Returns whether a name is a program identifier: `utf8_len`, `oauth2Client`, but not `P4ssw0rd`.
pub(super) fn is_identifier(name: &[u8]) -> bool {
    let is_part = |part: &[u8]| {
        part.windows(2).all(|two| !(two[0].is_ascii_digit() && two[1].is_ascii_lowercase()))
            && part.first().is_none_or(|byte| !byte.is_ascii_digit() || part.iter().all(u8::is_ascii_digit))
    };
    name.first().is_some_and(|byte| !byte.is_ascii_digit()) && name.split(|byte| *byte == b'_').all(is_part)
}

/// Counts the leading bytes that satisfy `has`.
fn run_length(text: &[u8], has: impl Fn(u8) -> bool) -> usize {
    text.iter().take_while(|byte| has(**byte)).count()
}

/// Returns the length of the operator at the start of `rest`.
fn operator_length(rest: &[u8]) -> Option<usize> {
    let known = ["||", "&&", "==", "!=", "<=", ">=", "=>", "??", "..", "+", "-", "*", "/", "=", ",", "@"];
    // A line or column number, as in `file.rs:12:3`.
    if matches!(rest, [b':', digit, ..] if digit.is_ascii_digit()) {
        return Some(1);
    }
    known.iter().find(|operator| rest.starts_with(operator.as_bytes())).map(|operator| operator.len())
}

/// Returns the length of the operand at the start of `rest`: a number, a quoted string, or a path with calls and
/// indexing.
fn operand_length(rest: &[u8]) -> Option<usize> {
    let mut at =
        run_length(rest, |byte| matches!(byte, b'&' | b'*' | b'!' | b'@' | b'$' | b'%' | b'-' | b'.' | b'/' | b'~'));
    if at > 3 {
        return None;
    }
    if let Some(quote @ (b'"' | b'\'' | b'`')) = rest.get(at) {
        return rest[at + 1..].iter().position(|byte| byte == quote).map(|length| at + length + 2);
    }
    let number = number_length(&rest[at..]);
    if number > 0 {
        return Some(at + number);
    }
    let from = at;
    let mut expects_name = true;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'(' | b'[' | b'{' | b'<' => {
                let Some(length) = group_length(&rest[at..]) else { break };
                // The operand of a cast follows it.
                expects_name = at == from && rest.get(at + length).is_some_and(u8::is_ascii_alphabetic);
                at += length;
            }
            _ if expects_name => {
                let length = run_length(&rest[at..], |byte| byte.is_ascii_alphanumeric() || byte == b'_');
                let is_called = rest.get(at + length) == Some(&b'(') || rest[at + length..].starts_with(b"!(");
                let name = &rest[at..at + length];
                let is_name = is_identifier(name) || (is_called && name.first().is_some_and(u8::is_ascii_alphabetic));
                if !is_name {
                    return None;
                }
                at += length;
                expects_name = false;
            }
            _ => {
                let joints = [&b"::"[..], b"->", b"?.", b"!.", b"."];
                let Some(joint) = joints.iter().find(|joint| rest[at..].starts_with(joint)) else { break };
                at += joint.len();
                expects_name = true;
            }
        }
    }
    // Optional markers: `key?` and `key!`.
    at += usize::from(matches!(rest.get(at), Some(b'?' | b'!')) && rest.len() == at + 1);
    (at > from && !expects_name).then_some(at)
}

/// Returns the length of a number with its unit or type suffix: `0x1f`, `1.5e3`, `10u64`, `1.2.3`.
fn number_length(rest: &[u8]) -> usize {
    if rest.starts_with(b"0x") {
        return run_length(rest, |byte| byte.is_ascii_hexdigit() || matches!(byte, b'x' | b'_'));
    }
    let digits = run_length(rest, |byte| byte.is_ascii_digit() || matches!(byte, b'_' | b'.'));
    if digits == 0 || !rest[0].is_ascii_digit() {
        return 0;
    }
    let unit = run_length(&rest[digits..], |byte| byte.is_ascii_lowercase()).min(3);
    let bits = run_length(&rest[digits + unit..], |byte| byte.is_ascii_digit());
    let is_over = rest.get(digits + unit + bits).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    if is_over { digits + unit + bits } else { 0 }
}

/// Returns the length of a bracketed group, brackets included.
fn group_length(rest: &[u8]) -> Option<usize> {
    let mut open = [0; MAX_DEPTH];
    let mut depth = 0;
    for (at, &byte) in rest.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' | b'<' => {
                *open.get_mut(depth)? = byte;
                depth += 1;
            }
            b')' | b']' | b'}' | b'>' => {
                let pair = open[depth - 1] + if byte == b')' { 1 } else { 2 };
                (pair == byte).then_some(())?;
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_told_from_passwords() {
        let code = [
            "String,",
            "Sha256",
            "get_password()",
            "os.environ[\"PASSWORD\"]",
            "self.pass1;",
            "&config.password2",
            "Option<Vec<u8>>,",
            "@user.pw1",
            "$cfg->{pw1},",
            "*pw1",
            "!ENC[AES256,data:1]",
            "z.string().min(8),",
            "crate::key2::Key",
            "required,min=8,max=72",
            "a||'b'",
            "(char*)p2;",
            "[0u8;32],",
            "0xff12",
            "foo/bar.rs:12:3",
            "b64decode(x1)",
            "user?.password1",
            "1.5e-3",
            "Prompt.ask(",
            "Creds{",
        ];
        for word in code {
            assert!(is_expression(word.as_bytes()), "{word}");
        }
        for word in ["P4ssw0rd", "aF3(k$9xZ!q2", "Tr0ub4dor&3", "x)y1", "a#b1c2", "s3cret!", "q(w[e)r]1", "", "a..b^c"]
        {
            assert!(!is_expression(word.as_bytes()), "{word}");
        }
    }

    #[test]
    fn deep_nesting_is_no_expression() {
        assert!(!is_expression("(".repeat(1000).as_bytes()));
        assert!(!is_expression("a+".repeat(1000).as_bytes()));
    }
}
