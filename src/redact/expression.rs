//! Whether a word without blanks is what a program is made of: a variable, a path, a call, a type, a number, or some of
//! them joined by operators. Refuses words in whose names digits stand among small letters: people write passwords so.

/// How deep brackets and operators may stand within each other.
const DEEPEST: usize = 16;

/// Whether all of a word is an expression, with the comma, the semicolon or the open bracket behind it.
pub(super) fn is_expression(word: &[u8]) -> bool {
    let ends = word.iter().rev().take_while(|byte| matches!(byte, b',' | b';' | b'(' | b'[' | b'{')).count();
    let word = &word[..word.len() - ends];
    let mut at = 0;
    for _ in 0..DEEPEST {
        let Some(length) = operand(&word[at..]) else { return false };
        at += length;
        if at == word.len() {
            return true;
        }
        let Some(length) = operator(&word[at..]) else { return false };
        at += length;
    }
    false
}

/// Whether a name is one of a program: `utf8_len`, `oauth2Client`, and not `P4ssw0rd`.
pub(super) fn is_identifier(name: &[u8]) -> bool {
    let is_part = |part: &[u8]| {
        part.windows(2).all(|two| !(two[0].is_ascii_digit() && two[1].is_ascii_lowercase()))
            && part.first().is_none_or(|byte| !byte.is_ascii_digit() || part.iter().all(u8::is_ascii_digit))
    };
    name.first().is_some_and(|byte| !byte.is_ascii_digit()) && name.split(|byte| *byte == b'_').all(is_part)
}

fn count(text: &[u8], has: impl Fn(u8) -> bool) -> usize {
    text.iter().take_while(|byte| has(**byte)).count()
}

/// What joins two operands.
fn operator(rest: &[u8]) -> Option<usize> {
    let known = ["||", "&&", "==", "!=", "<=", ">=", "=>", "??", "..", "+", "-", "*", "/", "=", ",", "@"];
    // The line or the column of a place.
    if matches!(rest, [b':', digit, ..] if digit.is_ascii_digit()) {
        return Some(1);
    }
    known.iter().find(|operator| rest.starts_with(operator.as_bytes())).map(|operator| operator.len())
}

/// A number, a text in quotes, or a path with what is called and indexed on the way.
fn operand(rest: &[u8]) -> Option<usize> {
    let mut at =
        count(rest, |byte| matches!(byte, b'&' | b'*' | b'!' | b'@' | b'$' | b'%' | b'-' | b'.' | b'/' | b'~'));
    if at > 3 {
        return None;
    }
    if let Some(quote @ (b'"' | b'\'' | b'`')) = rest.get(at) {
        return rest[at + 1..].iter().position(|byte| byte == quote).map(|length| at + length + 2);
    }
    let number = number(&rest[at..]);
    if number > 0 {
        return Some(at + number);
    }
    let from = at;
    let mut expects_name = true;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'(' | b'[' | b'{' | b'<' => {
                let Some(length) = group(&rest[at..]) else { break };
                // What a cast is of follows it.
                expects_name = at == from && rest.get(at + length).is_some_and(u8::is_ascii_alphabetic);
                at += length;
            }
            _ if expects_name => {
                let length = count(&rest[at..], |byte| byte.is_ascii_alphanumeric() || byte == b'_');
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
    // `key?` and `key!` of what may be missing.
    at += usize::from(matches!(rest.get(at), Some(b'?' | b'!')) && rest.len() == at + 1);
    (at > from && !expects_name).then_some(at)
}

/// How long a number is, with the unit or the type behind it: `0x1f`, `1.5e3`, `10u64`, `1.2.3`.
fn number(rest: &[u8]) -> usize {
    if rest.starts_with(b"0x") {
        return count(rest, |byte| byte.is_ascii_hexdigit() || matches!(byte, b'x' | b'_'));
    }
    let digits = count(rest, |byte| byte.is_ascii_digit() || matches!(byte, b'_' | b'.'));
    if digits == 0 || !rest[0].is_ascii_digit() {
        return 0;
    }
    let unit = count(&rest[digits..], |byte| byte.is_ascii_lowercase()).min(3);
    let bits = count(&rest[digits + unit..], |byte| byte.is_ascii_digit());
    let is_over = rest.get(digits + unit + bits).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    if is_over { digits + unit + bits } else { 0 }
}

/// How long what stands in brackets is, with the brackets.
fn group(rest: &[u8]) -> Option<usize> {
    let mut open = [0; DEEPEST];
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
    fn deep_brackets_end() {
        assert!(!is_expression("(".repeat(1000).as_bytes()));
        assert!(!is_expression("a+".repeat(1000).as_bytes()));
    }
}
