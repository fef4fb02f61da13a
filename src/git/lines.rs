//! Texts as lines, and what is the same in two of them. White space says nothing: a line that was indented anew is the
//! line it was. Refuses to read anything; bytes come from the caller.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use gix_imara_diff::{Algorithm, Diff, IndentHeuristic, IndentLevel, Token};

/// A tab is as wide as git takes it for where it places what slides.
const TAB: u8 = 8;
/// Two lines are forms of one from this part of their letters in common.
const ALIKE: f64 = 0.6;
/// Pairs of lines held against each other in one change; in a larger one, lines look at their neighbours alone.
const PAIRS: usize = 40_000;
/// How far away a neighbour is looked for then.
const NEIGHBOURS: usize = 20;
/// A line of fewer letters is a brace or a keyword, and like any other.
const TELLING: usize = 4;

/// Every line that was seen, by number.
#[derive(Default)]
pub(super) struct Lines {
    known: HashMap<Rc<[u8]>, Token>,
    /// By number, as it was seen first.
    all: Vec<Line>,
}

/// One line.
struct Line {
    /// Without white space.
    bare: Rc<[u8]>,
    indent: IndentLevel,
    /// Letters and digits that tell where it came from.
    worth: u32,
    /// Whether it brings names in, or begins to.
    is_import: bool,
}

/// What replaced what, both counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub before: Range<u32>,
    pub after: Range<u32>,
}

impl Lines {
    /// A text as numbers of lines.
    pub fn of(&mut self, text: &[u8]) -> Vec<Token> {
        let mut tokens = Vec::with_capacity(text.len() / 32);
        let mut bare = Vec::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            bare.clear();
            bare.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
            if let Some(token) = self.known.get(bare.as_slice()) {
                tokens.push(*token);
                continue;
            }
            let token = Token(self.all.len() as u32);
            let kept: Rc<[u8]> = bare.as_slice().into();
            let indent = IndentLevel::for_ascii_line(line.iter().copied(), TAB);
            let (worth, is_import) = (worth(&kept), is_import(line));
            self.all.push(Line { bare: kept.clone(), indent, worth, is_import });
            self.known.insert(kept, token);
            tokens.push(token);
        }
        tokens
    }

    /// The lines of a text that were seen before.
    pub fn seen(&self, text: &[u8], mut line: impl FnMut(Token)) {
        let mut bare = Vec::new();
        for one in text.split_inclusive(|byte| *byte == b'\n') {
            bare.clear();
            bare.extend(one.iter().filter(|byte| !byte.is_ascii_whitespace()));
            if let Some(token) = self.known.get(bare.as_slice()) {
                line(*token);
            }
        }
    }

    /// How much each line of a text tells of where it came from, in letters and digits. What brings names in, attributes and
    /// the licence at the top tell nothing: they stand in texts that have nothing to do with each other.
    pub fn worths(&self, text: &[Token]) -> Vec<u32> {
        let mut worths: Vec<u32> = text.iter().map(|token| self.all[token.0 as usize].worth).collect();
        let mut depth = 0;
        for (token, worth) in text.iter().zip(&mut worths) {
            if depth > 0 || self.all[token.0 as usize].is_import {
                *worth = 0;
                depth = (depth + depth_of(self.bare(*token))).max(0);
            }
        }
        let header = text.iter().take_while(|token| is_comment(self.bare(**token))).count();
        if text[..header].iter().any(|token| is_licence(self.bare(*token))) {
            worths[..header].fill(0);
        }
        worths
    }

    /// Whether a line is a brace or a keyword, and like any other.
    pub fn is_trivial(&self, line: Token) -> bool {
        self.all[line.0 as usize].worth == 0
    }

    fn bare(&self, line: Token) -> &[u8] {
        &self.all[line.0 as usize].bare
    }

    /// What led from one text to another, in order.
    pub fn changes(&self, before: &[Token], after: &[Token]) -> Vec<Change> {
        let mut diff = Diff::default();
        diff.compute_with(Algorithm::Myers, before, after, self.all.len() as u32);
        diff.postprocess_with(before, after, IndentHeuristic::new(|token: Token| self.all[token.0 as usize].indent));
        diff.hunks().map(|hunk| Change { before: hunk.before, after: hunk.after }).collect()
    }

    /// How many different lines were seen.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Bytes of a text, white space apart.
    pub fn size(&self, text: &[Token]) -> usize {
        text.iter().map(|token| self.bare(*token).len()).sum()
    }

    /// Bytes that two texts have in common, as a part of the larger one.
    pub fn shared(&self, a: &[Token], b: &[Token]) -> f64 {
        let mut left: HashMap<u32, usize> = HashMap::new();
        for token in a {
            *left.entry(token.0).or_default() += 1;
        }
        let mut common = 0;
        for token in b {
            if let Some(count) = left.get_mut(&token.0).filter(|count| **count > 0) {
                *count -= 1;
                common += self.size(&[*token]);
            }
        }
        let larger = self.size(a).max(self.size(b));
        if larger == 0 { 0.0 } else { common as f64 / larger as f64 }
    }

    /// Which line of what was replaced each new line is another form of; none where it is like no other.
    pub fn forms(&self, before: &[Token], after: &[Token]) -> Vec<Option<u32>> {
        let pairs = |tokens: &[Token]| tokens.iter().map(|token| letters(self.bare(*token))).collect();
        let (old, new): (Vec<Vec<u16>>, Vec<Vec<u16>>) = (pairs(before), pairs(after));
        let reach = if old.len() * new.len() <= PAIRS { old.len().max(new.len()) } else { NEIGHBOURS };
        let form = |(at, letters): (usize, &Vec<u16>)| {
            let place = at * old.len() / new.len().max(1);
            let near = place.saturating_sub(reach)..(place + reach + 1).min(old.len());
            let told = near.filter(|_| letters.len() >= TELLING).map(|other| (alike(letters, &old[other]), other));
            let best =
                told.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.abs_diff(place).cmp(&a.1.abs_diff(place))));
            best.filter(|(alike, _)| *alike >= ALIKE).map(|(_, other)| other as u32)
        };
        new.iter().enumerate().map(form).collect()
    }
}

/// Every two letters that stand side by side, sorted.
fn letters(line: &[u8]) -> Vec<u16> {
    let mut pairs: Vec<u16> = line.windows(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    pairs.sort_unstable();
    pairs
}

/// How much of the shorter line is in the longer one: a reformat splits lines and joins them.
fn alike(a: &[u16], b: &[u16]) -> f64 {
    let (mut i, mut j, mut common) = (0, 0, 0_usize);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => (i, j, common) = (i + 1, j + 1, common + 1),
        }
    }
    let shorter = a.len().min(b.len());
    if shorter < TELLING { 0.0 } else { common as f64 / shorter as f64 }
}

/// Letters and digits of a line; none where there are next to none, or it is an attribute that says nothing of its own.
fn worth(bare: &[u8]) -> u32 {
    let is_attribute = bare.starts_with(b"#[") || bare.starts_with(b"@");
    if is_attribute && !bare.iter().any(|byte| matches!(byte, b'"' | b'\'')) {
        return 0;
    }
    let told = bare.iter().filter(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii()).count();
    if told < TELLING { 0 } else { told as u32 }
}

/// How the lines begin that bring names of elsewhere in.
const IMPORTS: &[&str] = &[
    "use ",
    "pub use ",
    "pub(crate) use ",
    "pub(super) use ",
    "import ",
    "import{",
    "export {",
    "export *",
    "from ",
    "extern crate ",
    "package ",
    "using ",
    "require ",
    "require_relative ",
    "#include",
    "#import",
    "#pragma",
    "#!",
];

fn is_import(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let begins = |word: &str| line.starts_with(word.as_bytes());
    let is_module = (begins("mod ") || begins("pub mod ")) && line.ends_with(b";");
    // A sentence may begin as an import does.
    is_module || IMPORTS.iter().any(|word| begins(word)) && !line.ends_with(b".")
}

/// How many brackets it leaves open.
fn depth_of(bare: &[u8]) -> i32 {
    let depth = |byte: &u8| match byte {
        b'(' | b'{' => 1,
        b')' | b'}' => -1,
        _ => 0,
    };
    bare.iter().map(depth).sum()
}

fn is_comment(bare: &[u8]) -> bool {
    let is_other = [&b"#["[..], b"#include", b"#define", b"#if"].iter().any(|begin| bare.starts_with(begin));
    !is_other && [&b"//"[..], b"/*", b"*", b"#", b"--", b";", b"<!--"].iter().any(|begin| bare.starts_with(begin))
}

fn is_licence(bare: &[u8]) -> bool {
    let bare = bare.to_ascii_lowercase();
    let holds = |word: &[u8]| bare.windows(word.len()).any(|part| part == word);
    holds(b"copyright") || holds(b"licen") || holds(b"spdx")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(before: &str, after: &str) -> Vec<(Range<u32>, Range<u32>)> {
        let mut lines = Lines::default();
        let (before, after) = (lines.of(before.as_bytes()), lines.of(after.as_bytes()));
        lines.changes(&before, &after).into_iter().map(|change| (change.before, change.after)).collect()
    }

    #[test]
    fn white_space_is_no_change() {
        assert_eq!(changes("a\n  b c\n", "a\n\tb  c\r\n"), []);
        assert_eq!(changes("a\nb\n", "a\nx\nb\n"), [(1..1, 1..2)]);
        assert_eq!(changes("a\nb\nc", "c\n"), [(0..2, 0..0)]);
    }

    #[test]
    fn a_line_that_was_split_is_known_by_its_letters() {
        let mut lines = Lines::default();
        let before = lines.of(b"let total = first_part(alpha) + second_part(beta);\nreturn 1;\n");
        let after = lines.of(b"let total = first_part(alpha)\n  + second_part(beta);\n}\nunheard(of);\n");
        assert_eq!(lines.forms(&before, &after), [Some(0), Some(0), None, None]);
    }

    #[test]
    fn what_any_text_may_hold_tells_nothing_of_where_it_came_from() {
        let check = |text: &str, expect: &[u32]| {
            let mut lines = Lines::default();
            let tokens = lines.of(text.as_bytes());
            assert_eq!(lines.worths(&tokens), expect, "{text}");
        };
        check("use a::{\n    Alpha,\n    Beta,\n};\nlet alpha = beta(1);\n}\n\nend\n", &[0, 0, 0, 0, 13, 0, 0, 0]);
        check("import (\n\t\"fmt\"\n\n\t\"errors\"\n)\nfunc main() {\n", &[0, 0, 0, 0, 0, 8]);
        check("#[derive(Debug, Clone)]\n#[error(\"it is gone\")]\n@Override\n", &[0, 13, 0]);
        check("// Copyright Ada\n// All rights reserved\n\n// Reads blocks\n", &[0, 0, 0, 11]);
        check("// Reads blocks\n// as they come\n", &[11, 10]);
        check("use the arena, so that it is fast.\n", &[25]);
    }

    #[test]
    fn what_two_texts_share_is_counted_once() {
        let mut lines = Lines::default();
        let (a, b) = (lines.of(b"aaaa\naaaa\nbb\n"), lines.of(b"aaaa\ncc\n"));
        assert!((lines.shared(&a, &b) - 0.4).abs() < 1e-9);
        assert!(lines.shared(&[], &[]).abs() < 1e-9);
    }
}
