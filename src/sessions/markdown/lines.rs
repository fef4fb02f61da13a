//! Classifies the lines of a Markdown text: headings, bullets, labels, table rows, text, code.
//!
//! Lines between fences are code; an unclosed fence ends where the log itself continues.

use std::borrow::Cow;

use super::super::time;
use super::log_labels;

/// The width of a tab, and the indentation that makes code, in columns.
pub(super) const TAB_COLUMNS: usize = 4;

/// How many fences are tried as the unclosed one. Each costs a pass, and no log has more candidates.
const MAX_FENCE_TRIES: usize = 20;

/// The most words in the value of a field that is not bold: a name, or a commit with a short subject.
const MAX_FIELD_WORDS: usize = 4;

/// The kind of a line.
///
/// Its text is as written, without its mark and surrounding whitespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineKind<'a> {
    /// An empty line, or a comment.
    Blank,
    /// `---`.
    Rule,
    /// A fence, or a line between fences.
    Code(&'a str),
    /// `## text`.
    Heading { level: usize, text: &'a str },
    /// `- text`, `1. text`, `• text`.
    Bullet { indent: usize, text: &'a str },
    /// `**Label:** value`; if the value is empty, the colon may be missing.
    Label { label: &'a str, value: &'a str, colon: bool },
    /// `| a | b |`.
    Row(&'a str),
    /// Anything else.
    Text { indent: usize, text: &'a str },
}

impl<'a> LineKind<'a> {
    /// Returns the key and value of a line that may be a field of the head, even as a list item.
    pub(super) fn head_field(self) -> Option<(&'a str, &'a str)> {
        match self {
            LineKind::Label { label, value, colon: true } => Some((label, value)),
            LineKind::Bullet { indent: 0, text } => {
                let bold = bold_label(text).filter(|(.., colon)| *colon).map(|(key, value, _)| (key, value));
                bold.or_else(|| plain_field(text))
            }
            LineKind::Text { indent: 0, text } => plain_field(text),
            _ => None,
        }
    }
}

/// Keys of head fields that count without bold. Others, such as `Status`, also begin sentences.
const PLAIN_KEYS: &[&str] = &[
    "adapter",
    "agent",
    "branch",
    "created",
    "end tag",
    "ended",
    "ending commit",
    "git branch",
    "id",
    "llm",
    "model",
    "session id",
    "session tag",
    "session tags",
    "start tag",
    "started",
    "starting commit",
];

/// Parses a field of the head that is not bold: `Started: 2025-06-02T02:30:02Z`.
fn plain_field(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once(':')?;
    let (key, value) = (key.trim(), value.trim());
    let is_known = !value.is_empty() && PLAIN_KEYS.iter().any(|known| key.eq_ignore_ascii_case(known));
    // With an invalid time or many words as its value, the line is a sentence.
    let is_said = match key.to_ascii_lowercase().as_str() {
        "created" | "ended" | "started" => time::instant(value).is_some(),
        "id" | "session id" => !value.contains(char::is_whitespace),
        _ => value.split_whitespace().count() <= MAX_FIELD_WORDS,
    };
    (is_known && is_said).then_some((key, value))
}

/// Returns the kinds of all lines in order, and warnings.
pub(super) fn classify_lines(text: &str) -> (Vec<LineKind<'_>>, Vec<String>) {
    let raw: Vec<&str> = text.lines().map(|line| line.trim_end_matches('\r')).collect();
    let mut warnings = Vec::new();
    let code = code_lines(&raw, &mut warnings);
    let mut kinds = Vec::with_capacity(raw.len());
    // Whether the line is inside a comment, and the last line that closes one.
    let mut in_comment = false;
    let last_close = raw.iter().rposition(|line| line.contains("-->"));
    for (index, line) in raw.iter().enumerate() {
        let mut rest = *line;
        if code[index] && !in_comment {
            kinds.push(LineKind::Code(line.trim()));
            continue;
        }
        if !in_comment && rest.trim_start().starts_with("<!--") {
            in_comment = last_close.is_some_and(|last| last >= index);
            if !in_comment {
                warnings.push(format!("line {}: unclosed comment", index + 1));
                rest = "";
            }
        }
        if in_comment {
            rest = match rest.split_once("-->") {
                Some((_, after)) => {
                    in_comment = false;
                    after
                }
                None => "",
            };
        }
        kinds.push(classify_line(rest));
    }
    apply_underlines(&raw, &mut kinds);
    (kinds, warnings)
}

/// Turns underlined lines into headings.
///
/// A line of hyphens may also be a rule below a sentence, so it underlines only a known heading; equals signs always
/// do.
fn apply_underlines(raw: &[&str], kinds: &mut [LineKind<'_>]) {
    for at in 1..kinds.len() {
        let (LineKind::Text { indent: 0..TAB_COLUMNS, text }, LineKind::Rule) = (kinds[at - 1], kinds[at]) else {
            continue;
        };
        let is_alone = at < 2 || matches!(kinds[at - 2], LineKind::Blank | LineKind::Rule | LineKind::Heading { .. });
        let level = match raw[at].trim().as_bytes()[0] {
            b'=' => 1,
            b'-' if log_labels::section_below(text).is_some() || super::clock::timed_heading(text).is_some() => 2,
            _ => continue,
        };
        if is_alone {
            (kinds[at - 1], kinds[at]) = (LineKind::Heading { level, text }, LineKind::Blank);
        }
    }
}

/// Removes comments that begin after other text and end on the same line, unless they are between backticks.
pub(super) fn without_inline_comments(text: &str) -> Cow<'_, str> {
    if !text.contains("-->") {
        return Cow::Borrowed(text);
    }
    let mut in_comment = false;
    let lines = text.split('\n').map(|line| {
        let (is_within, ends) = (in_comment, line.contains("-->"));
        let opens = line.trim_start().starts_with("<!--") && !ends;
        in_comment = (is_within || opens) && !ends;
        if is_within || opens { Cow::Borrowed(line) } else { strip_comments(line) }
    });
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

/// Removes such comments from one line.
fn strip_comments(line: &str) -> Cow<'_, str> {
    // The result, how far the line was searched and copied, and whether backticks are open.
    let (mut left, mut seen, mut from, mut is_quoted) = (String::new(), 0, 0, false);
    while let Some(at) = line[seen..].find("<!--").map(|at| seen + at) {
        is_quoted ^= line[seen..at].matches('`').count() % 2 == 1;
        seen = at + "<!--".len();
        if is_quoted || line[..at].ends_with('\\') || line[..at].trim_start().is_empty() {
            continue;
        }
        let Some(length) = line[seen..].find("-->") else { break };
        left.push_str(&line[from..at]);
        seen += length + "-->".len();
        from = seen;
    }
    if from == 0 { Cow::Borrowed(line) } else { Cow::Owned(left + &line[from..]) }
}

/// Parses a bold label: `**Label**: value`, `**Label:** value`, `**Label: value**`, `**Label**`.
///
/// Returns the label, its value, and whether there is a colon; `None` if the bold text is part of a sentence.
pub(super) fn bold_label(text: &str) -> Option<(&str, &str, bool)> {
    let mark = ["***", "___", "**", "__"].into_iter().find(|mark| text.starts_with(mark))?;
    let (bold, rest) = text[mark.len()..].split_once(mark)?;
    let (bold, rest) = (bold.trim(), rest.trim());
    // Identifiers may begin and end with underscores too.
    if mark.starts_with('_') && !bold.contains([' ', ':']) && log_labels::section_below(bold).is_none() {
        return None;
    }
    let (label, value, colon) = match (bold.strip_suffix(':'), rest.strip_prefix(':')) {
        (Some(label), after) => (label, after.unwrap_or(rest), true),
        (None, Some(value)) => (bold, value, true),
        (None, None) if !rest.is_empty() => return None,
        (None, None) => match bold.split_once(": ") {
            Some((label, value)) => (label, value, true),
            None => (bold, "", false),
        },
    };
    let (label, value) = (label.trim(), value.trim());
    (!label.is_empty()).then_some((label, value, colon))
}

/// Classifies one line outside code and comments.
fn classify_line(line: &str) -> LineKind<'_> {
    let text = line.trim();
    let indent = indent_columns(line);
    if text.is_empty() {
        return LineKind::Blank;
    }
    if is_rule(text) {
        return LineKind::Rule;
    }
    if let Some((level, text)) = atx_heading(line) {
        return LineKind::Heading { level, text };
    }
    if let Some(text) = bullet_text(text) {
        return LineKind::Bullet { indent, text };
    }
    if text.len() > 1 && text.starts_with('|') && text.ends_with('|') {
        return LineKind::Row(text);
    }
    match bold_label(text) {
        Some((label, value, colon)) if indent < TAB_COLUMNS => LineKind::Label { label, value, colon },
        _ => LineKind::Text { indent, text },
    }
}

/// Parses an ATX heading into level and text.
fn atx_heading(line: &str) -> Option<(usize, &str)> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let text = line[level..].strip_prefix([' ', '\t'])?;
    (1..=6).contains(&level).then_some((level, text.trim().trim_end_matches('#').trim()))
}

/// Returns the text after a list mark.
///
/// A mark of emphasis is not a list mark, and neither is a number that begins a sentence.
fn bullet_text(text: &str) -> Option<&str> {
    for mark in ["- ", "* ", "+ ", "• ", "-\t", "*\t"] {
        if let Some(rest) = text.strip_prefix(mark) {
            return Some(rest.trim());
        }
    }
    if matches!(text, "-" | "*" | "+" | "•") {
        return Some("");
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text[digits..].strip_prefix(['.', ')'])?;
    ((1..=3).contains(&digits) && rest.starts_with([' ', '\t'])).then_some(rest.trim())
}

/// Returns whether a text is a horizontal rule.
fn is_rule(text: &str) -> bool {
    ['-', '*', '_', '='].iter().any(|mark| text.len() > 2 && text.chars().all(|c| c == *mark))
}

/// Returns the indentation in columns.
fn indent_columns(line: &str) -> usize {
    let mut columns = 0;
    for c in line.chars() {
        match c {
            ' ' => columns += 1,
            '\t' => columns += TAB_COLUMNS - columns % TAB_COLUMNS,
            _ => break,
        }
    }
    columns
}

/// Parses a fence into its mark, length and info string.
fn fence_mark(line: &str) -> Option<(u8, usize, &str)> {
    let text = line.trim();
    let mark = *text.as_bytes().first().filter(|byte| matches!(byte, b'`' | b'~'))?;
    let length = text.bytes().take_while(|byte| *byte == mark).count();
    let info = text[length..].trim();
    (length >= 3 && !(mark == b'`' && info.contains('`'))).then_some((mark, length, info))
}

/// Returns whether a line belongs to the structure of a log and so is never code: a heading with a time, a known
/// second-level heading, a known label.
fn is_log_frame(line: &str) -> bool {
    match atx_heading(line) {
        Some((2, text)) => log_labels::section_below(text).is_some() || super::clock::timed_heading(text).is_some(),
        Some((3..=4, text)) => super::clock::timed_heading(text).is_some(),
        Some(_) => false,
        None => bold_label(line)
            .is_some_and(|(label, value, _)| value.is_empty() && log_labels::section_below(label).is_some()),
    }
}

/// Returns for each line whether it is code.
///
/// Fences are paired as in CommonMark. If one stays open, one of the fences that contain structural lines of the log
/// was not closed: the first one whose removal leaves the fewest such lines in code.
fn code_lines(lines: &[&str], warnings: &mut Vec<String>) -> Vec<bool> {
    let strict = pair_fences(lines, None);
    let Some(open) = strict.open else {
        warnings.extend(strict.cut.map(|at| format!("line {}: unclosed code fence", at + 1)));
        return strict.code;
    };
    let frame: Vec<bool> = lines.iter().map(|line| is_log_frame(line)).collect();
    let lost = |pairs: &FencePairs| pairs.code.iter().zip(&frame).filter(|(code, frame)| **code && **frame).count();
    let tried = strict.holding.iter().take(MAX_FENCE_TRIES).chain([&open]).map(|at| pair_fences(lines, Some(*at)));
    let mended = tried.filter(|pairs| pairs.open.is_none()).min_by_key(lost);
    warnings.push(match &mended {
        Some(pairs) => format!("line {}: unclosed code fence", pairs.cut.unwrap_or(open) + 1),
        None => format!("line {}: unclosed code fence", open + 1),
    });
    mended.map_or(strict.code, |pairs| pairs.code)
}

/// The result of pairing fences.
struct FencePairs {
    /// Whether each line is code.
    code: Vec<bool>,
    /// The fence that is still open at the end.
    open: Option<usize>,
    /// The fences that contain a structural line.
    holding: Vec<usize>,
    /// The fence that was treated as unclosed.
    cut: Option<usize>,
}

/// Pairs fences. The one at `cut` ends before its first structural line.
fn pair_fences(lines: &[&str], cut: Option<usize>) -> FencePairs {
    let mut pairs = FencePairs { code: vec![false; lines.len()], open: None, holding: Vec::new(), cut };
    // The open fence (line, mark, length, whether it contains Markdown), and the first structural line in it.
    let mut open: Option<(usize, u8, usize, bool)> = None;
    let mut frame = None;
    let mut at = 0;
    while at < lines.len() {
        let found = fence_mark(lines[at]);
        match (open, found) {
            (None, Some((mark, length, info))) => {
                open = Some((at, mark, length, matches!(info, "markdown" | "md")));
                frame = None;
                pairs.code[at] = true;
            }
            (Some((_, mark, length, _)), Some((closing, longer, ""))) if mark == closing && longer >= length => {
                open = None;
                pairs.code[at] = true;
            }
            // A fence cannot open inside another, so the open one was not closed, unless it contains Markdown.
            (Some((start, _, _, false)), Some((_, _, info))) if !info.is_empty() && frame.is_some() => {
                let end = at;
                at = frame.take().expect("it was matched");
                pairs.code[at..end].fill(false);
                pairs.cut = Some(start);
                open = None;
                continue;
            }
            (Some((start, ..)), _) => {
                if frame.is_none() && is_log_frame(lines[at]) {
                    frame = Some(at);
                    pairs.holding.push(start);
                    if cut == Some(start) {
                        open = None;
                        continue;
                    }
                }
                pairs.code[at] = true;
            }
            (None, None) => {}
        }
        at += 1;
    }
    pairs.open = open.map(|(start, ..)| start);
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[LineKind<'_>]) -> Vec<String> {
        let (kinds, warnings) = classify_lines(text);
        assert_eq!(kinds, expect, "{text:?}");
        warnings
    }

    #[test]
    fn a_line_is_known_by_its_mark() {
        use LineKind::*;
        check("## Goals ##", &[Heading { level: 2, text: "Goals" }]);
        check("#hash", &[Text { indent: 0, text: "#hash" }]);
        check("  2) b\r\n\t* c", &[Bullet { indent: 2, text: "b" }, Bullet { indent: 4, text: "c" }]);
        check("2025. A year", &[Text { indent: 0, text: "2025. A year" }]);
        check("**a** b", &[Text { indent: 0, text: "**a** b" }]);
        for text in ["**a:** b", "**a**: b", "**a: b**"] {
            check(text, &[Label { label: "a", value: "b", colon: true }]);
        }
        for (text, colon) in [("**a:**", true), ("**a** :", true), ("**a**", false)] {
            check(text, &[Label { label: "a", value: "", colon }]);
        }
        check("| a | b |\n---\n-", &[Row("| a | b |"), Rule, Bullet { indent: 0, text: "" }]);
    }

    #[test]
    fn comments_over_several_lines_are_blank() {
        use LineKind::*;
        let text = Text { indent: 0, text: "a" };
        check(
            "<!-- x -->\na\n<!-- x\n- b\n## c\n--> a",
            &[Blank, text, Blank, Blank, Blank, Text { indent: 1, text: "a" }],
        );
        assert_eq!(check("<!-- x\na", &[Blank, text]), ["line 1: unclosed comment"]);
    }

    #[test]
    fn comments_inside_a_line_are_removed() {
        let check = |text: &str, expect: &str| assert_eq!(without_inline_comments(text), expect, "{text}");
        check("- a <!-- b --> c<!-- d -->", "- a  c");
        check("<!-- a --> b\n<!-- c\nd --> e", "<!-- a --> b\n<!-- c\nd --> e");
        check("`<!-- a -->` b \\<!-- c --> <!-- d", "`<!-- a -->` b \\<!-- c --> <!-- d");
    }

    #[test]
    fn a_heading_may_be_underlined() {
        use LineKind::*;
        check("Goals\n---\na", &[Heading { level: 2, text: "Goals" }, Blank, Text { indent: 0, text: "a" }]);
        check("A thing\n===", &[Heading { level: 1, text: "A thing" }, Blank]);
        check("A thing\n---", &[Text { indent: 0, text: "A thing" }, Rule]);
        check("a\nGoals\n---", &[Text { indent: 0, text: "a" }, Text { indent: 0, text: "Goals" }, Rule]);
        check("__init__: a", &[Text { indent: 0, text: "__init__: a" }]);
    }

    #[test]
    fn fenced_code_is_code_whatever_it_holds() {
        use LineKind::*;
        let fenced = "```\n- a\n## Goals\n**b:**\n```\n- c";
        let c = Bullet { indent: 0, text: "c" };
        let warnings = check(fenced, &[Code("```"), Code("- a"), Code("## Goals"), Code("**b:**"), Code("```"), c]);
        assert!(warnings.is_empty());
        check("~~~\n```\n~~~\n- c", &[Code("~~~"), Code("```"), Code("~~~"), c]);
        check("````\n```\n````\n- c", &[Code("````"), Code("```"), Code("````"), c]);
        check("``` a ``` b", &[Text { indent: 0, text: "``` a ``` b" }]);
    }

    #[test]
    fn an_unclosed_fence_ends_where_the_log_continues() {
        use LineKind::*;
        let goals = Heading { level: 2, text: "Goals" };
        let c = Bullet { indent: 0, text: "c" };
        assert_eq!(check("```\n- a\n## Goals\n- c", &[Code("```"), Code("- a"), goals, c]).len(), 1);
        check(
            "```\n- a\n## Goals\n```sh\n- b\n```\n- c",
            &[Code("```"), Code("- a"), goals, Code("```sh"), Code("- b"), Code("```"), c],
        );
        check(
            "```\n- a\n## Goals\n```\n- b\n```\n- c",
            &[Code("```"), Code("- a"), goals, Code("```"), Code("- b"), Code("```"), c],
        );
        assert_eq!(check("```\n- a", &[Code("```"), Code("- a")]), ["line 1: unclosed code fence"]);
    }

    #[test]
    fn the_unclosed_fence_among_several_is_found() {
        // The numbers of the lines that are code, and of those that belong to the log.
        let code = |text: &str| -> Vec<usize> {
            let kinds = classify_lines(text).0.into_iter().enumerate();
            kinds.filter(|(_, kind)| matches!(kind, LineKind::Code(_))).map(|(at, _)| at + 1).collect()
        };
        let closed = "```sh\n## Key Decisions\n- x\n```\n**Key Decisions:**\n- a\n";
        assert_eq!(code(&format!("{closed}### 10:20 - B\n```\n$ ls\n### 10:40 - C\n- b")), [1, 2, 3, 4, 8, 9]);
        assert_eq!(code("```\n$ ls\n### 10:40 - B\n```\n- x\n```\n### 10:50 - C\n- b"), [1, 2, 4, 5, 6]);
    }
}
