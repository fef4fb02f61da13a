//! Splits an agent's Markdown into blocks and sentences. Fenced code, tables and quotes are skipped.

use std::sync::LazyLock;

use regex::Regex;

use super::message_labels;

/// The most lines of one message that are read; a longer one is a document.
const MAX_LINES: usize = 2_000;

/// The indentation that makes a line code.
const CODE_INDENT: usize = 4;

/// A block of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ProseBlock {
    /// A `#` heading, without the mark.
    Heading(String),
    /// A line that is all bold, and labels what follows.
    Label(String),
    /// A paragraph, joined into one line.
    Para(String),
    /// A list item, and the lines indented below it.
    Item(String, Vec<String>),
}

/// A list item: indentation and text after the mark.
static LIST_ITEM: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(\s*)(?:[-*+•‣–]|\d{1,3}[.)])\s+(?:\[[ xX~]\]\s+)?(\S.*)$").expect("the constant pattern is valid")
});
/// A Markdown link.
static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\[([^\]\n]+)\]\([^)\s]+\)").expect("the constant pattern is valid"));

/// Returns the blocks of a message.
pub(super) fn blocks(text: &str) -> Vec<ProseBlock> {
    let (mut blocks, mut fence, mut open) = (Vec::new(), None, false);
    for line in text.lines().take(MAX_LINES) {
        let trimmed = line.trim();
        let mark = trimmed.get(..3).filter(|mark| matches!(*mark, "```" | "~~~"));
        if let Some(mark) = mark {
            fence = match fence {
                None => Some(mark),
                Some(begun) if begun == mark => None,
                begun => begun,
            };
            continue;
        }
        if fence.is_some() {
            continue;
        }
        if trimmed.is_empty() {
            open = false;
            continue;
        }
        if open && trimmed.len() > 1 && trimmed.chars().all(|c| matches!(c, '-' | '=')) {
            apply_underline(&mut blocks);
        }
        if trimmed.starts_with(['|', '>', '<']) || trimmed.chars().all(|c| matches!(c, '-' | '*' | '_' | '=' | ' ')) {
            open = false;
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        // An indented line is code, unless it continues a paragraph or a list item.
        let is_code = (indent >= CODE_INDENT || line.starts_with('\t')) && !open;
        if is_code && !matches!(blocks.last(), Some(ProseBlock::Item(..))) {
            continue;
        }
        let heading = trimmed.strip_prefix('#').map(|rest| rest.trim_start_matches('#'));
        if let Some(heading) = heading.filter(|heading| heading.starts_with(' ')) {
            blocks.push(ProseBlock::Heading(plain_text(heading)));
            open = false;
            continue;
        }
        if let Some(item) = LIST_ITEM.captures(line) {
            match blocks.last_mut() {
                Some(ProseBlock::Item(_, below)) if item[1].len() >= 2 => below.push(plain_text(&item[2])),
                _ => blocks.push(ProseBlock::Item(item[2].trim().to_string(), Vec::new())),
            }
            open = true;
            continue;
        }
        match blocks.last_mut() {
            Some(ProseBlock::Item(head, below)) if open || indent >= 2 => {
                let last = below.last_mut().unwrap_or(head);
                last.push(' ');
                last.push_str(trimmed);
            }
            Some(ProseBlock::Para(words)) if open => {
                words.push(' ');
                words.push_str(trimmed);
            }
            _ => blocks.push(ProseBlock::Para(trimmed.to_string())),
        }
        open = true;
    }
    blocks.into_iter().map(as_label).collect()
}

/// Turns a paragraph above a line of hyphens into a heading, if it is a known one.
fn apply_underline(blocks: &mut [ProseBlock]) {
    if let Some(last) = blocks.last_mut()
        && let ProseBlock::Para(words) = last
        && message_labels::section_for_label(words).is_some()
    {
        *last = ProseBlock::Heading(plain_text(words));
    }
}

/// Turns a short paragraph that is all bold into a label.
fn as_label(block: ProseBlock) -> ProseBlock {
    let ProseBlock::Para(words) = &block else { return block };
    let within = |mark| words.strip_prefix(mark)?.trim_end_matches(':').strip_suffix(mark);
    let bold = within("**").or_else(|| within("__").filter(|label| message_labels::section_for_label(label).is_some()));
    let is_file = words.strip_prefix('`').and_then(|rest| rest.trim_end_matches(':').strip_suffix('`'));
    match bold.or(is_file) {
        Some(label) if !label.contains("**") && label.len() <= 100 => ProseBlock::Label(plain_text(label)),
        _ => block,
    }
}

/// Strips bold, links and leading pictographs.
pub(super) fn plain_text(text: &str) -> String {
    let linked = LINK.replace_all(text, "$1");
    let whole = linked.replace("**", "");
    let bare = whole.trim().trim_start_matches(|c: char| !c.is_alphanumeric() && !"`'\"([~./_$@&<-+".contains(c));
    bare.trim().to_string()
}

/// Abbreviations that do not end a sentence.
const ABBREVIATIONS: &[&str] = &["e.g.", "i.e.", "vs.", "cf.", "approx.", "resp.", "incl.", "no."];

/// Splits a paragraph into sentences, with their punctuation.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let (mut sentences, mut start, mut quoted, mut depth) = (Vec::new(), 0, false, 0_usize);
    let mut letters = text.char_indices().peekable();
    while let Some((at, c)) = letters.next() {
        match c {
            '`' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        let ends = matches!(c, '.' | '!' | '?') && !quoted && depth == 0;
        if !ends || !letters.peek().is_none_or(|(_, next)| next.is_whitespace()) {
            continue;
        }
        let end = at + c.len_utf8();
        let word = text[start..end].rsplit(char::is_whitespace).next().unwrap_or_default();
        let after = text[end..].trim_start().chars().next();
        if ABBREVIATIONS.contains(&word.trim_start_matches('(')) || after.is_some_and(char::is_lowercase) {
            continue;
        }
        sentences.push(text[start..end].trim());
        start = end;
    }
    sentences.push(text[start..].trim());
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_message_is_blocks_without_its_code() {
        let text = "Done.\n\n## What changed\n\n**`a.rs`**:\n- Added x\n  over two lines\n  - and more\n- ✅ Removed y\n\n```\n- no\n# no\n```\n| a | b |\n> quoted\n\nThe end\nof it.";
        let item =
            |head: &str, below: &[&str]| ProseBlock::Item(head.into(), below.iter().map(|b| b.to_string()).collect());
        let expect = [
            ProseBlock::Para("Done.".into()),
            ProseBlock::Heading("What changed".into()),
            ProseBlock::Label("`a.rs`".into()),
            item("Added x over two lines", &["and more"]),
            item("✅ Removed y", &[]),
            ProseBlock::Para("The end of it.".into()),
        ];
        assert_eq!(blocks(text), expect);
        assert_eq!(plain_text("✅ Removed **y** in [a](b/c.md)"), "Removed y in a");
    }

    #[test]
    fn further_forms_of_labels_and_headings_are_recognised() {
        let check = |text: &str, expect: &[ProseBlock]| assert_eq!(blocks(text), expect, "{text}");
        check("__Key Decisions:__", &[ProseBlock::Label("Key Decisions:".into())]);
        check("***Key Decisions:***", &[ProseBlock::Label("Key Decisions:*".into())]);
        check("__init__:", &[ProseBlock::Para("__init__:".into())]);
        check(
            "Decisions\n---------\nText",
            &[ProseBlock::Heading("Decisions".into()), ProseBlock::Para("Text".into())],
        );
        check("Text\n---", &[ProseBlock::Para("Text".into())]);
        check(
            "Text\n\n    - Decision: x\n    more\n\nText",
            &[ProseBlock::Para("Text".into()), ProseBlock::Para("Text".into())],
        );
    }

    #[test]
    fn sentences_are_split_at_their_ends() {
        let check = |text: &str, expect: &[&str]| assert_eq!(sentences(text), expect);
        check("One. Two! Three", &["One.", "Two!", "Three"]);
        check("Use e.g. this, v1.2 or `a. B`. Then stop.", &["Use e.g. this, v1.2 or `a. B`.", "Then stop."]);
        check("It (as said. Before) ends.", &["It (as said. Before) ends."]);
        check("", &[]);
    }

    proptest! {
        #[test]
        fn any_text_is_split(text in "(?s)[-#*` \\[\\]().A-Za-z0-9|>\u{e9}\u{1f600}\n]{0,200}") {
            for block in blocks(&text) {
                if let ProseBlock::Para(words) = block { let _ = sentences(&words); }
            }
            let _ = plain_text(&text);
        }
    }
}
