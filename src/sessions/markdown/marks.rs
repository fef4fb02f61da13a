//! Marks of Markdown within a line: taken out of what is read, and told as they are in what is written. A backslash makes a
//! character of a mark, as everywhere; one at the end of a line says that the line is nothing but what it says: no label,
//! no question, no blank to be left out. Refuses to touch what stands between backticks.

/// A line without the marks of bold and of an emphasis of all of it, and with single blanks. What stands between
/// backticks stays as it is, and so do the stars of a path and what a backslash stands before.
pub(super) fn plain(text: &str) -> String {
    let text = whole(text.trim());
    let mut plain = String::with_capacity(text.len());
    // Whether backticks are open, whether the first character is meant, and how far blanks are.
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
            ('\\', Some(next)) if is_mark(next) => {
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

/// The text within an emphasis of all of it.
fn whole(text: &str) -> &str {
    let inner = ['*', '_'].iter().find_map(|mark| {
        let inner = text.strip_prefix(*mark)?.strip_suffix(*mark)?;
        (!inner.is_empty() && !inner.contains(*mark) && !inner.ends_with('\\')).then_some(inner)
    });
    inner.unwrap_or(text)
}

/// What a backslash stands before to say that it is meant.
fn is_mark(c: char) -> bool {
    c.is_ascii_punctuation() || c.is_whitespace()
}

/// Whether a line ends with a backslash that says that it is nothing but what it says.
pub(super) fn is_meant(text: &str) -> bool {
    let text = text.trim_end();
    (text.len() - text.trim_end_matches('\\').len()) % 2 == 1
}

/// A line of a text, of which [`plain`] makes the line again.
pub(in crate::sessions) fn written(line: &str) -> String {
    // A single backtick quotes nothing.
    let is_even = line.matches('`').count().is_multiple_of(2);
    let number = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let last = line.trim_end().len();
    let (mut written, mut quoted, mut before) = (String::with_capacity(line.len() + 8), false, None);
    for (at, c) in line.char_indices() {
        let next = line[at + c.len_utf8()..].chars().next();
        let is_escaped = match c {
            '`' => !is_even,
            _ if quoted => false,
            '\\' => next.is_none_or(is_mark),
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
    // Nothing is cut off at the end of a line behind a backslash.
    if line.is_empty() || last < line.len() {
        written.push('\\');
    }
    written
}

/// The same, so that the line is nothing but what it says.
pub(in crate::sessions) fn meant(line: &str) -> String {
    let mut written = written(line);
    if !is_meant(&written) {
        written.push('\\');
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn marks_are_left_out_where_they_are_marks() {
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
    fn only_what_would_be_a_mark_is_escaped() {
        let check = |line: &str, expect: &str| assert_eq!(written(line), expect, "{line}");
        check("Use `*args` and snake_case, not C:\\new (1. a)", "Use `*args` and snake_case, not C:\\new (1. a)");
        check("Use **kwargs in ~a and ~~b~~", "Use \\*\\*kwargs in ~a and \\~\\~b\\~\\~");
        check("[x] one", "\\[x] one");
        check("12. one", "12\\. one");
        check("  a ` b", "\\ \\ a \\` b");
        check("", "\\");
        check("a ", "a\\ \\");
        check("<!-- a --> \\*", "\\<!-- a --> \\\\\\*");
        assert_eq!((meant("N/A"), meant("a\\"), meant("")), ("N/A\\".into(), "a\\\\\\".into(), "\\".into()));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(line in "[^\\p{Cc}\\p{Zl}\\p{Zp}]{0,40}", marks in "[-*_`\\\\ \t~<!>#+=|.)1a\\[\\]]{0,24}") {
            for line in [&line, &marks] {
                prop_assert_eq!(&plain(&written(line)), line);
                prop_assert_eq!(&plain(&meant(line)), line);
                prop_assert!(is_meant(&meant(line)));
                // As it stands behind a list mark.
                prop_assert_eq!(&plain(meant(line).trim()), line);
            }
        }
    }
}
