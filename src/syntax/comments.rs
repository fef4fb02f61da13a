//! Comments: which of them belong to a definition, and their text without markers.

use std::ops::Range;

use super::language::LanguageSpec;

/// A comment or attribute that may precede a definition.
#[derive(Debug, Clone)]
pub(super) struct Lead {
    /// Byte range, without the line end that some grammars include.
    pub range: Range<usize>,
    pub sort: LeadSort,
}

/// The role of a lead for the definition after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeadSort {
    /// Part of its text.
    Attribute,
    /// Its documentation.
    Doc,
    /// Documentation of the enclosing definition.
    Inner,
    /// Any other comment.
    Remark,
}

/// The leads that belong to a definition.
#[derive(Debug, Clone, Default)]
pub(super) struct Attached {
    /// Start of the first of them, or of the definition if there are none.
    pub start: usize,
    /// Ranges of the documentation.
    pub docs: Vec<Range<usize>>,
    /// Start of the first attribute, if there is one.
    pub attributes: Option<usize>,
}

/// Classifies a comment.
pub(super) fn lead(source: &str, range: Range<usize>, spec: &LanguageSpec) -> Lead {
    let text = source[range.clone()].trim_end();
    let is = |openings: &[&str]| openings.iter().any(|opening| text.starts_with(opening));
    let sort = if is(spec.inner_docs) {
        LeadSort::Inner
    } else if is(spec.docs) && !(spec.docs.contains(&"///") && is(&["////", "/***", "/**/"])) {
        // Rust's own rule: `////` and `/***` are plain comments.
        LeadSort::Doc
    } else {
        LeadSort::Remark
    };
    Lead { range: range.start..range.start + text.len(), sort }
}

/// Returns the leads that belong to a definition at `start`. `leads` are in source order.
pub(super) fn attached(source: &str, leads: &[Lead], start: usize) -> Attached {
    let mut found = Attached { start, ..Attached::default() };
    let mut docs = Vec::new();
    let mut has_block = false;
    let mut from = start;
    let before = leads.partition_point(|lead| lead.range.start < start);
    for lead in leads[..before].iter().rev() {
        let Some(gap) = source.get(lead.range.end..from) else { break };
        let lines = gap.bytes().filter(|byte| *byte == b'\n').count();
        let touches = gap.chars().all(char::is_whitespace) && (lines <= 1 || lead.sort == LeadSort::Attribute);
        // A comment after a statement belongs to that statement.
        let own_line = lead.sort == LeadSort::Attribute || is_first_of_line(source, lead.range.start);
        if !touches || !own_line || lead.sort == LeadSort::Inner {
            break;
        }
        let is_block = source[lead.range.clone()].starts_with("/*");
        if lead.sort == LeadSort::Doc && (has_block || (is_block && !docs.is_empty())) {
            // A block comment is never combined with other comments.
            break;
        }
        has_block |= lead.sort == LeadSort::Doc && is_block;
        from = lead.range.start;
        match lead.sort {
            LeadSort::Attribute => {
                found.start = from;
                found.attributes = Some(from);
            }
            LeadSort::Doc => {
                found.start = from;
                docs.push(lead.range.clone());
            }
            LeadSort::Inner | LeadSort::Remark => {}
        }
    }
    docs.reverse();
    let is_licence_alone = found.attributes.is_none()
        && !docs.is_empty()
        && docs.iter().all(|range| source[range.clone()].len() < 4096)
        && is_licence(&docs.iter().map(|range| &source[range.clone()]).collect::<Vec<_>>().join("\n"));
    if is_licence_alone {
        return Attached { start, ..Attached::default() };
    }
    found.docs = docs;
    found
}

/// Returns whether only white space precedes `at` on its line.
pub(super) fn is_first_of_line(source: &str, at: usize) -> bool {
    let line = source[..at].rfind('\n').map_or(0, |end| end + 1);
    source[line..at].chars().all(char::is_whitespace)
}

/// Joins comments into one text, without markers and common indentation.
pub(super) fn clean<'a>(comments: impl IntoIterator<Item = &'a str>, spec: &LanguageSpec) -> String {
    let mut lines = Vec::new();
    for comment in comments {
        if let Some(block) = block_body(comment) {
            lines.extend(block.lines().map(|line| unstar(line).trim_end()));
        } else {
            lines.extend(comment.lines().map(|line| unmark(line.trim(), spec.markers).trim_end()));
        }
    }
    joined(&lines)
}

/// Returns the text of a docstring, without quotes and indentation.
pub(super) fn clean_docstring(literal: &str) -> String {
    let text = literal.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| text.starts_with(quote)).unwrap_or("");
    let text = text.strip_prefix(quote).unwrap_or(text);
    let text = text.strip_suffix(quote).unwrap_or(text);
    let mut lines = text.lines();
    let first = lines.next().unwrap_or("").trim();
    let rest: Vec<&str> = lines.collect();
    let indent = rest.iter().filter(|line| !line.trim().is_empty()).map(|line| indentation(line)).min().unwrap_or(0);
    let mut all = vec![first];
    all.extend(rest.iter().map(|line| line.get(indent..).unwrap_or("").trim_end()));
    joined(&all)
}

/// Returns the indentation of a line in bytes.
fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Returns the text inside `/* */`.
fn block_body(comment: &str) -> Option<&str> {
    let body = comment.strip_prefix("/*")?;
    let body = body.strip_suffix("*/").unwrap_or(body);
    Some(body.trim_start_matches(['*', '!']).trim_end_matches('*'))
}

/// Removes the leading star from a line of a block comment.
fn unstar(line: &str) -> &str {
    let line = line.trim();
    match line.strip_prefix('*') {
        Some(rest) => rest.strip_prefix(' ').unwrap_or(rest),
        None => line,
    }
}

/// Removes the comment marker from a line.
fn unmark<'a>(line: &'a str, markers: &[&str]) -> &'a str {
    match markers.iter().find_map(|marker| line.strip_prefix(marker)) {
        Some(rest) => rest.strip_prefix(' ').unwrap_or(rest),
        None => line,
    }
}

/// Joins lines, without empty lines and rules of dashes at both ends.
fn joined(lines: &[&str]) -> String {
    let says = |line: &&str| line.chars().any(char::is_alphanumeric);
    let Some(first) = lines.iter().position(says) else { return String::new() };
    let last = lines.iter().rposition(says).unwrap_or(first);
    lines[first..=last].join("\n").trim_start().to_owned()
}

/// Returns whether a text is a licence header, which says nothing about the file.
pub(super) fn is_licence(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["copyright", "spdx-license", "licensed under", "(c) 20", "all rights reserved", "permission is hereby granted"]
        .iter()
        .any(|sign| text.contains(sign))
}

/// Returns whether a comment addresses a tool: encodings, editors, build constraints, linters.
fn is_directive(text: &str) -> bool {
    let text = text.trim_start_matches(['/', '#', '*', ' ', '!']);
    let signs =
        ["-*-", "vim:", "go:build", "+build", "eslint", "@ts-", "coding:", "coding=", "<reference", "clang-format"];
    signs.iter().any(|sign| text.starts_with(sign))
}

/// Finds the comment that opens a file, without licences, directives and the documentation of the first definition.
///
/// `documents` returns whether the comment at an offset belongs to a definition.
pub(super) fn opening(source: &str, leads: &[Lead], documents: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut from = opening_start(source);
    let mut block: Vec<Range<usize>> = Vec::new();
    for lead in leads {
        if lead.range.start < from {
            continue;
        }
        let gap = &source[from..lead.range.start];
        if !gap.chars().all(char::is_whitespace) || lead.sort == LeadSort::Attribute || documents(lead.range.start) {
            break;
        }
        let is_apart =
            gap.bytes().filter(|byte| *byte == b'\n').count() > 1 || source[lead.range.clone()].starts_with("/*");
        if is_apart && has_prose(source, &block) {
            return block;
        }
        if is_apart {
            block.clear();
        }
        if !is_directive(&source[lead.range.clone()]) {
            block.push(lead.range.clone());
        }
        from = lead.range.end;
    }
    if has_prose(source, &block) { block } else { Vec::new() }
}

/// Returns the offset after a byte order mark and a `#!` line.
fn opening_start(source: &str) -> usize {
    let mark = if source.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    if source[mark..].starts_with("#!") && !source[mark..].starts_with("#![") {
        return source[mark..].find('\n').map_or(source.len(), |end| mark + end);
    }
    mark
}

/// Returns whether comments contain words and are not a licence.
fn has_prose(source: &str, block: &[Range<usize>]) -> bool {
    let text: Vec<&str> = block.iter().map(|range| &source[range.clone()]).collect();
    let text = text.join("\n");
    text.chars().any(char::is_alphanumeric) && !is_licence(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Language;

    #[test]
    fn marks_are_taken_off_comments() {
        for (language, comment, expect) in [
            (Language::Rust, "/// One.\n/// Two.", "One.\nTwo."),
            (Language::Rust, "/** One.\n *  Two.\n */", "One.\n Two."),
            (Language::Java, "/**\n * One.\n *\n * @param x two\n */", "One.\n\n@param x two"),
            (Language::C, "/* one */", "one"),
            (Language::Python, "# one\n#two", "one\ntwo"),
            (Language::Go, "//////////\n// one\n//////////", "one"),
            (Language::Rust, "//!", ""),
            (Language::Rust, "/*/", ""),
        ] {
            assert_eq!(clean([comment], language.spec()), expect, "{comment}");
        }
    }

    #[test]
    fn quotes_and_indentation_are_taken_off_docstrings() {
        for (literal, expect) in [
            ("\"\"\"One.\n\n    Two.\n      Three.\n    \"\"\"", "One.\n\nTwo.\n  Three."),
            ("r'one'", "one"),
            ("\"\"\"\n    One.\n    \"\"\"", "One."),
            ("''", ""),
            ("\"", ""),
        ] {
            assert_eq!(clean_docstring(literal), expect, "{literal}");
        }
    }
}
