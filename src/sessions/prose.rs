//! Markdown as an agent writes it, in blocks and sentences. Refuses code: fences, tables and quotes say nothing that is
//! taken.

use std::sync::LazyLock;

use regex::Regex;

use super::sections;

/// Most lines of one message that are looked at; what is longer is a document.
const MAX_LINES: usize = 2_000;

/// Blanks that make code of a line.
const CODE: usize = 4;

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// A heading of `#`, without it.
    Heading(String),
    /// A line of its own that names what follows: bold as a whole.
    Label(String),
    /// A paragraph, on one line.
    Para(String),
    /// An item of a list, and what stands indented below it.
    Item(String, Vec<String>),
}

static ITEM: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(\s*)(?:[-*+•‣–]|\d{1,3}[.)])\s+(?:\[[ xX~]\]\s+)?(\S.*)$").expect("a constant"));
static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\[([^\]\n]+)\]\([^)\s]+\)").expect("a constant"));

/// The blocks of a message.
pub(super) fn blocks(text: &str) -> Vec<Block> {
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
            underline(&mut blocks);
        }
        if trimmed.starts_with(['|', '>', '<']) || trimmed.chars().all(|c| matches!(c, '-' | '*' | '_' | '=' | ' ')) {
            open = false;
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        // Behind an empty line, and in no list, it is code; so is a tab.
        let is_code = (indent >= CODE || line.starts_with('\t')) && !open;
        if is_code && !matches!(blocks.last(), Some(Block::Item(..))) {
            continue;
        }
        let heading = trimmed.strip_prefix('#').map(|rest| rest.trim_start_matches('#'));
        if let Some(heading) = heading.filter(|heading| heading.starts_with(' ')) {
            blocks.push(Block::Heading(plain(heading)));
            open = false;
            continue;
        }
        if let Some(item) = ITEM.captures(line) {
            match blocks.last_mut() {
                Some(Block::Item(_, below)) if item[1].len() >= 2 => below.push(plain(&item[2])),
                _ => blocks.push(Block::Item(item[2].trim().to_string(), Vec::new())),
            }
            open = true;
            continue;
        }
        match blocks.last_mut() {
            Some(Block::Item(head, below)) if open || indent >= 2 => {
                let last = below.last_mut().unwrap_or(head);
                last.push(' ');
                last.push_str(trimmed);
            }
            Some(Block::Para(words)) if open => {
                words.push(' ');
                words.push_str(trimmed);
            }
            _ => blocks.push(Block::Para(trimmed.to_string())),
        }
        open = true;
    }
    blocks.into_iter().map(labelled).collect()
}

/// A line of dashes below a paragraph makes a heading of it, where it is known to be one.
fn underline(blocks: &mut [Block]) {
    if let Some(last) = blocks.last_mut()
        && let Block::Para(words) = last
        && sections::of(words).is_some()
    {
        *last = Block::Heading(plain(words));
    }
}

/// A paragraph that is bold as a whole, and short, names what follows.
fn labelled(block: Block) -> Block {
    let Block::Para(words) = &block else { return block };
    let within = |mark| words.strip_prefix(mark)?.trim_end_matches(':').strip_suffix(mark);
    let bold = within("**").or_else(|| within("__").filter(|label| sections::of(label).is_some()));
    let is_file = words.strip_prefix('`').and_then(|rest| rest.trim_end_matches(':').strip_suffix('`'));
    match bold.or(is_file) {
        Some(label) if !label.contains("**") && label.len() <= 100 => Block::Label(plain(label)),
        _ => block,
    }
}

/// Without bold, links and leading pictures.
pub(super) fn plain(text: &str) -> String {
    let linked = LINK.replace_all(text, "$1");
    let whole = linked.replace("**", "");
    let bare = whole.trim().trim_start_matches(|c: char| !c.is_alphanumeric() && !"`'\"([~./_$@&<-+".contains(c));
    bare.trim().to_string()
}

/// Where a text may seem to end and does not.
const SHORT: &[&str] = &["e.g.", "i.e.", "vs.", "cf.", "approx.", "resp.", "incl.", "no."];

/// The sentences of a paragraph, with what ends them.
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
        if SHORT.contains(&word.trim_start_matches('(')) || after.is_some_and(char::is_lowercase) {
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
        let item = |head: &str, below: &[&str]| Block::Item(head.into(), below.iter().map(|b| b.to_string()).collect());
        let expect = [
            Block::Para("Done.".into()),
            Block::Heading("What changed".into()),
            Block::Label("`a.rs`".into()),
            item("Added x over two lines", &["and more"]),
            item("✅ Removed y", &[]),
            Block::Para("The end of it.".into()),
        ];
        assert_eq!(blocks(text), expect);
        assert_eq!(plain("✅ Removed **y** in [a](b/c.md)"), "Removed y in a");
    }

    #[test]
    fn labels_and_headings_have_other_forms() {
        let check = |text: &str, expect: &[Block]| assert_eq!(blocks(text), expect, "{text}");
        check("__Key Decisions:__", &[Block::Label("Key Decisions:".into())]);
        check("***Key Decisions:***", &[Block::Label("Key Decisions:*".into())]);
        check("__init__:", &[Block::Para("__init__:".into())]);
        check("Decisions\n---------\nText", &[Block::Heading("Decisions".into()), Block::Para("Text".into())]);
        check("Text\n---", &[Block::Para("Text".into())]);
        check("Text\n\n    - Decision: x\n    more\n\nText", &[Block::Para("Text".into()), Block::Para("Text".into())]);
    }

    #[test]
    fn sentences_end_where_they_end() {
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
                if let Block::Para(words) = block { let _ = sentences(&words); }
            }
            let _ = plain(&text);
        }
    }
}
