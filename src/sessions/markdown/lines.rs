//! A Markdown text to lines that say what they are: headings, bullets, labels, text. Refuses to read code: what stands
//! between fences is no bullet and no heading, and a fence that nobody closed ends where the log itself goes on.

use std::borrow::Cow;

use super::labels;

/// Columns of a tab, and of the indentation that makes code.
pub(super) const TAB: usize = 4;

/// Fences that are tried as the one that was never closed; more of them are found in no log, and each costs a pass.
const MAX_TRIES: usize = 20;

/// What one line is. Texts are as written, without their mark and without white space around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// Nothing, or a comment.
    Blank,
    /// `---`.
    Rule,
    /// Between fences, or a fence.
    Code(&'a str),
    /// `## text`.
    Heading { level: usize, text: &'a str },
    /// `- text`, `1. text`, `• text`.
    Bullet { indent: usize, text: &'a str },
    /// `**Label:** value`; the value may be nothing, and then the colon too.
    Label { label: &'a str, value: &'a str, colon: bool },
    /// `| a | b |`.
    Row(&'a str),
    /// Anything else.
    Text { indent: usize, text: &'a str },
}

impl<'a> Kind<'a> {
    /// Label and value of a line that may say something of the log itself, in a list as well.
    pub(super) fn said(self) -> Option<(&'a str, &'a str)> {
        match self {
            Kind::Label { label, value, colon: true } => Some((label, value)),
            Kind::Bullet { indent: 0, text } => {
                let bold = label(text).filter(|(.., colon)| *colon).map(|(key, value, _)| (key, value));
                bold.or_else(|| super::head::plain(text))
            }
            Kind::Text { indent: 0, text } => super::head::plain(text),
            _ => None,
        }
    }
}

/// The lines in order, and sentences about what is odd.
pub(super) fn lines(text: &str) -> (Vec<Kind<'_>>, Vec<String>) {
    let raw: Vec<&str> = text.lines().map(|line| line.trim_end_matches('\r')).collect();
    let mut warnings = Vec::new();
    let code = code(&raw, &mut warnings);
    let mut kinds = Vec::with_capacity(raw.len());
    // Whether the line lies in a comment, and whether one that opens here is closed at all.
    let mut in_comment = false;
    let last_close = raw.iter().rposition(|line| line.contains("-->"));
    for (index, line) in raw.iter().enumerate() {
        let mut rest = *line;
        if code[index] && !in_comment {
            kinds.push(Kind::Code(line.trim()));
            continue;
        }
        if !in_comment && rest.trim_start().starts_with("<!--") {
            in_comment = last_close.is_some_and(|last| last >= index);
            if !in_comment {
                warnings.push(format!("line {}: a comment without an end", index + 1));
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
        kinds.push(kind(rest));
    }
    underlined(&raw, &mut kinds);
    (kinds, warnings)
}

/// Headings that are underlined. A rule below a sentence is a rule: only where the line is known to be a heading, or the
/// rule is of equals signs, it underlines.
fn underlined(raw: &[&str], kinds: &mut [Kind<'_>]) {
    for at in 1..kinds.len() {
        let (Kind::Text { indent: 0..TAB, text }, Kind::Rule) = (kinds[at - 1], kinds[at]) else { continue };
        let is_alone = at < 2 || matches!(kinds[at - 2], Kind::Blank | Kind::Rule | Kind::Heading { .. });
        let level = match raw[at].trim().as_bytes()[0] {
            b'=' => 1,
            b'-' if labels::section(text).is_some() || super::clock::heading(text).is_some() => 2,
            _ => continue,
        };
        if is_alone {
            (kinds[at - 1], kinds[at]) = (Kind::Heading { level, text }, Kind::Blank);
        }
    }
}

/// The text without comments that begin and end within a line, behind something else. What stands between backticks is
/// none.
pub(super) fn uncommented(text: &str) -> Cow<'_, str> {
    if !text.contains("-->") {
        return Cow::Borrowed(text);
    }
    let mut in_comment = false;
    let lines = text.split('\n').map(|line| {
        let (is_within, ends) = (in_comment, line.contains("-->"));
        let opens = line.trim_start().starts_with("<!--") && !ends;
        in_comment = (is_within || opens) && !ends;
        if is_within || opens { Cow::Borrowed(line) } else { without_comments(line) }
    });
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

fn without_comments(line: &str) -> Cow<'_, str> {
    // How far the line was looked at, how far it was taken, and whether backticks are open there.
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

/// The label and value of `**Label**: value`, `**Label:** value`, `**Label: value**`, `**Label**`, and whether a colon
/// stands there; none where the bold is a part of a sentence.
pub(super) fn label(text: &str) -> Option<(&str, &str, bool)> {
    let mark = ["***", "___", "**", "__"].into_iter().find(|mark| text.starts_with(mark))?;
    let (bold, rest) = text[mark.len()..].split_once(mark)?;
    let (bold, rest) = (bold.trim(), rest.trim());
    // Names of programs may begin and end so.
    if mark.starts_with('_') && !bold.contains([' ', ':']) && labels::section(bold).is_none() {
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

fn kind(line: &str) -> Kind<'_> {
    let text = line.trim();
    let indent = columns(line);
    if text.is_empty() {
        return Kind::Blank;
    }
    if is_rule(text) {
        return Kind::Rule;
    }
    if let Some((level, text)) = heading(line) {
        return Kind::Heading { level, text };
    }
    if let Some(text) = bullet(text) {
        return Kind::Bullet { indent, text };
    }
    if text.len() > 1 && text.starts_with('|') && text.ends_with('|') {
        return Kind::Row(text);
    }
    match label(text) {
        Some((label, value, colon)) if indent < TAB => Kind::Label { label, value, colon },
        _ => Kind::Text { indent, text },
    }
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let text = line[level..].strip_prefix([' ', '\t'])?;
    (1..=6).contains(&level).then_some((level, text.trim().trim_end_matches('#').trim()))
}

/// The text behind a list mark. An emphasis is no mark, and neither is a number that begins a sentence.
fn bullet(text: &str) -> Option<&str> {
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

fn is_rule(text: &str) -> bool {
    ['-', '*', '_', '='].iter().any(|mark| text.len() > 2 && text.chars().all(|c| c == *mark))
}

fn columns(line: &str) -> usize {
    let mut columns = 0;
    for c in line.chars() {
        match c {
            ' ' => columns += 1,
            '\t' => columns += TAB - columns % TAB,
            _ => break,
        }
    }
    columns
}

/// The mark, its length and what stands behind it.
fn fence(line: &str) -> Option<(u8, usize, &str)> {
    let text = line.trim();
    let mark = *text.as_bytes().first().filter(|byte| matches!(byte, b'`' | b'~'))?;
    let length = text.bytes().take_while(|byte| *byte == mark).count();
    let info = text[length..].trim();
    (length >= 3 && !(mark == b'`' && info.contains('`'))).then_some((mark, length, info))
}

/// Where the log itself goes on, and no code would: a time heading, a second-level heading, a label of its own.
fn is_frame(line: &str) -> bool {
    match heading(line) {
        Some((2, text)) => labels::section(text).is_some() || super::clock::heading(text).is_some(),
        Some((3..=4, text)) => super::clock::heading(text).is_some(),
        Some(_) => false,
        None => label(line).is_some_and(|(label, value, _)| value.is_empty() && labels::section(label).is_some()),
    }
}

/// Which lines are code. Fences pair as CommonMark says; where that leaves one open, it was one of those that hold a piece
/// of the log's frame that has no end: the one by which least of the frame is code, the first of them.
fn code(lines: &[&str], warnings: &mut Vec<String>) -> Vec<bool> {
    let strict = pair(lines, None);
    let Some(open) = strict.open else {
        warnings.extend(strict.cut.map(|at| format!("line {}: a fence without an end", at + 1)));
        return strict.code;
    };
    let frame: Vec<bool> = lines.iter().map(|line| is_frame(line)).collect();
    let lost = |pairs: &Pairs| pairs.code.iter().zip(&frame).filter(|(code, frame)| **code && **frame).count();
    let tried = strict.holding.iter().take(MAX_TRIES).chain([&open]).map(|at| pair(lines, Some(*at)));
    let mended = tried.filter(|pairs| pairs.open.is_none()).min_by_key(lost);
    warnings.push(match &mended {
        Some(pairs) => format!("line {}: a fence without an end", pairs.cut.unwrap_or(open) + 1),
        None => format!("line {}: a fence without an end", open + 1),
    });
    mended.map_or(strict.code, |pairs| pairs.code)
}

struct Pairs {
    code: Vec<bool>,
    /// The fence that is still open at the end.
    open: Option<usize>,
    /// Fences that hold a piece of the frame.
    holding: Vec<usize>,
    /// The fence that was taken to have no end.
    cut: Option<usize>,
}

/// Pairs fences; the one at `cut` ends before the first piece of the frame.
fn pair(lines: &[&str], cut: Option<usize>) -> Pairs {
    let mut pairs = Pairs { code: vec![false; lines.len()], open: None, holding: Vec::new(), cut };
    // The open fence: its line, mark, length, whether it shows Markdown, and the frame's first piece in it.
    let mut open: Option<(usize, u8, usize, bool)> = None;
    let mut frame = None;
    let mut at = 0;
    while at < lines.len() {
        let found = fence(lines[at]);
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
            // Nothing opens between fences: the one that seems open was never closed, unless it shows Markdown.
            (Some((start, _, _, false)), Some((_, _, info))) if !info.is_empty() && frame.is_some() => {
                let end = at;
                at = frame.take().expect("it was matched");
                pairs.code[at..end].fill(false);
                pairs.cut = Some(start);
                open = None;
                continue;
            }
            (Some((start, ..)), _) => {
                if frame.is_none() && is_frame(lines[at]) {
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

    fn check(text: &str, expect: &[Kind<'_>]) -> Vec<String> {
        let (kinds, warnings) = lines(text);
        assert_eq!(kinds, expect, "{text:?}");
        warnings
    }

    #[test]
    fn a_line_is_known_by_its_mark() {
        use Kind::*;
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
    fn comments_are_nothing_over_lines_too() {
        use Kind::*;
        let text = Text { indent: 0, text: "a" };
        check(
            "<!-- x -->\na\n<!-- x\n- b\n## c\n--> a",
            &[Blank, text, Blank, Blank, Blank, Text { indent: 1, text: "a" }],
        );
        assert_eq!(check("<!-- x\na", &[Blank, text]), ["line 1: a comment without an end"]);
    }

    #[test]
    fn comments_within_a_line_are_left_out() {
        let check = |text: &str, expect: &str| assert_eq!(uncommented(text), expect, "{text}");
        check("- a <!-- b --> c<!-- d -->", "- a  c");
        check("<!-- a --> b\n<!-- c\nd --> e", "<!-- a --> b\n<!-- c\nd --> e");
        check("`<!-- a -->` b \\<!-- c --> <!-- d", "`<!-- a -->` b \\<!-- c --> <!-- d");
    }

    #[test]
    fn a_heading_may_be_underlined() {
        use Kind::*;
        check("Goals\n---\na", &[Heading { level: 2, text: "Goals" }, Blank, Text { indent: 0, text: "a" }]);
        check("A thing\n===", &[Heading { level: 1, text: "A thing" }, Blank]);
        check("A thing\n---", &[Text { indent: 0, text: "A thing" }, Rule]);
        check("a\nGoals\n---", &[Text { indent: 0, text: "a" }, Text { indent: 0, text: "Goals" }, Rule]);
        check("__init__: a", &[Text { indent: 0, text: "__init__: a" }]);
    }

    #[test]
    fn fenced_code_is_code_whatever_it_holds() {
        use Kind::*;
        let fenced = "```\n- a\n## Goals\n**b:**\n```\n- c";
        let c = Bullet { indent: 0, text: "c" };
        let warnings = check(fenced, &[Code("```"), Code("- a"), Code("## Goals"), Code("**b:**"), Code("```"), c]);
        assert!(warnings.is_empty());
        check("~~~\n```\n~~~\n- c", &[Code("~~~"), Code("```"), Code("~~~"), c]);
        check("````\n```\n````\n- c", &[Code("````"), Code("```"), Code("````"), c]);
        check("``` a ``` b", &[Text { indent: 0, text: "``` a ``` b" }]);
    }

    #[test]
    fn a_fence_without_an_end_ends_where_the_log_goes_on() {
        use Kind::*;
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
        assert_eq!(check("```\n- a", &[Code("```"), Code("- a")]), ["line 1: a fence without an end"]);
    }

    #[test]
    fn of_several_fences_the_one_without_an_end_is_found() {
        // Code, and lines of the log, by their numbers.
        let code = |text: &str| -> Vec<usize> {
            let kinds = lines(text).0.into_iter().enumerate();
            kinds.filter(|(_, kind)| matches!(kind, Kind::Code(_))).map(|(at, _)| at + 1).collect()
        };
        let closed = "```sh\n## Key Decisions\n- x\n```\n**Key Decisions:**\n- a\n";
        assert_eq!(code(&format!("{closed}### 10:20 - B\n```\n$ ls\n### 10:40 - C\n- b")), [1, 2, 3, 4, 8, 9]);
        assert_eq!(code("```\n$ ls\n### 10:40 - B\n```\n- x\n```\n### 10:50 - C\n- b"), [1, 2, 4, 5, 6]);
    }
}
