//! Inline Markdown marks: removed when reading, escaped when writing.
//!
//! A backslash makes a mark literal. At the end of a line it marks the whole line as literal: not a label, not a
//! question, with its spaces kept. Text between backticks is unchanged.

/// Strips bold, emphasis of the whole line, and repeated spaces.
///
/// Text between backticks, stars in paths, and escaped marks are kept.
pub(super) fn plain(text: &str) -> String {
    let text = without_emphasis(text.trim());
    let mut plain = String::with_capacity(text.len());
    // Whether backticks are open, whether leading space is literal, and how far trailing space is literal.
    let (mut quoted, mut begins, mut meant) = (false, false, 0);
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        let next = letters.peek().copied();
        match (c, next) {
            ('`', _) => {
                quoted = !quoted;
                plain.push(c);
            }
            _ if quoted => plain.push(c),
            ('\\', None) => {}
            ('\\', Some(next)) if is_escapable(next) => {
                begins |= plain.is_empty();
                plain.push(next);
                meant = plain.len();
                letters.next();
            }
            ('*', Some('*')) => {
                letters.next();
                let after = letters.peek().copied();
                let in_path = plain.ends_with('/') || after == Some('/');
                let alone = plain.ends_with(' ') && after == Some(' ');
                if in_path || alone {
                    plain.push_str("**");
                }
            }
            (' ' | '\t', _) if plain.ends_with(' ') => {}
            (' ' | '\t', _) => plain.push(' '),
            _ => plain.push(c),
        }
    }
    plain.truncate(plain.trim_end().len().max(meant));
    if begins { plain } else { plain.trim_start().to_string() }
}

/// Strips emphasis that spans the whole text.
fn without_emphasis(text: &str) -> &str {
    let inner = ['*', '_'].iter().find_map(|mark| {
        let inner = text.strip_prefix(*mark)?.strip_suffix(*mark)?;
        (!inner.is_empty() && !inner.contains(*mark) && !inner.ends_with('\\')).then_some(inner)
    });
    inner.unwrap_or(text)
}

/// Returns whether a backslash escapes a character.
fn is_escapable(c: char) -> bool {
    c.is_ascii_punctuation() || c.is_whitespace()
}

/// Returns whether a line ends with a backslash that marks it as literal.
pub(super) fn is_literal(text: &str) -> bool {
    let text = text.trim_end();
    (text.len() - text.trim_end_matches('\\').len()) % 2 == 1
}

/// Escapes a line so that [`plain`] returns it unchanged.
pub(in crate::sessions) fn escape(line: &str) -> String {
    // An unpaired backtick does not quote anything.
    let is_even = line.matches('`').count().is_multiple_of(2);
    let number = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let last = line.trim_end().len();
    let (mut written, mut quoted, mut before) = (String::with_capacity(line.len() + 8), false, None);
    for (at, c) in line.char_indices() {
        let next = line[at + c.len_utf8()..].chars().next();
        let is_escaped = match c {
            '`' => !is_even,
            _ if quoted => false,
            '\\' => next.is_none_or(is_escapable),
            '*' | '\t' => true,
            '~' => before == Some('~') || next == Some('~'),
            '<' => next == Some('!'),
            '_' | '[' | '-' | '+' | '#' | '>' | '|' | '=' if at == 0 => true,
            '.' | ')' => number > 0 && at == number,
            _ => c.is_whitespace() && (at == 0 || at >= last || before.is_some_and(char::is_whitespace)),
        };
        quoted ^= c == '`' && is_even;
        if is_escaped {
            written.push('\\');
        }
        written.push(c);
        before = Some(c);
    }
    // A final backslash protects trailing spaces.
    if line.is_empty() || last < line.len() {
        written.push('\\');
    }
    written
}

/// Escapes a line and marks it as literal.
pub(in crate::sessions) fn escape_literal(line: &str) -> String {
    let mut written = escape(line);
    if !is_literal(&written) {
        written.push('\\');
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn inline_marks_are_stripped() {
        let check = |text: &str, expect: &str| assert_eq!(plain(text), expect, "{text}");
        check(" **Use**  `a  **b**` ", "Use `a  **b**`");
        check("_all of it_", "all of it");
        check("src/**/a.rs and 2 ** 3", "src/**/a.rs and 2 ** 3");
        check("\\*\\*a\\*\\* C:\\new \\\\d \\. b\\", "**a** C:\\new \\d . b");
        check("\\_a_", "_a_");
        check("\\ \\ a \\ b\\ \\", "  a  b ");
        check("\\", "");
    }

    #[test]
    fn only_real_marks_are_escaped() {
        let check = |line: &str, expect: &str| assert_eq!(escape(line), expect, "{line}");
        check("Use `*args` and snake_case, not C:\\new (1. a)", "Use `*args` and snake_case, not C:\\new (1. a)");
        check("Use **kwargs in ~a and ~~b~~", "Use \\*\\*kwargs in ~a and \\~\\~b\\~\\~");
        check("[x] one", "\\[x] one");
        check("12. one", "12\\. one");
        check("  a ` b", "\\ \\ a \\` b");
        check("", "\\");
        check("a ", "a\\ \\");
        check("<!-- a --> \\*", "\\<!-- a --> \\\\\\*");
        assert_eq!(
            (escape_literal("N/A"), escape_literal("a\\"), escape_literal("")),
            ("N/A\\".into(), "a\\\\\\".into(), "\\".into())
        );
    }

    proptest! {
        #[test]
        fn an_escaped_line_reads_back_unchanged(line in "[^\\p{Cc}\\p{Zl}\\p{Zp}]{0,40}", marks in "[-*_`\\\\ \t~<!>#+=|.)1a\\[\\]]{0,24}") {
            for line in [&line, &marks] {
                prop_assert_eq!(&plain(&escape(line)), line);
                prop_assert_eq!(&plain(&escape_literal(line)), line);
                prop_assert!(is_literal(&escape_literal(line)));
                // As the text after a list mark.
                prop_assert_eq!(&plain(escape_literal(line).trim()), line);
            }
        }
    }
}
