//! Texts as sequences of interned lines, and comparisons of two such texts. White space is ignored, so a line that was
//! re-indented is the same line.
//!
//! Pure: the bytes come from the caller.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use gix_imara_diff::{Algorithm, Diff, IndentHeuristic, IndentLevel, Token};

/// The width of a tab that git assumes when it slides a hunk along the indentation.
const TAB_WIDTH: u8 = 8;
/// The least share of common letter pairs at which two lines count as forms of one line.
const MIN_SIMILARITY: f64 = 0.6;
/// If a change has at most this many pairs of lines, all of them are compared; in a larger one only lines close to each
/// other.
const MAX_PAIRS: usize = 40_000;
/// The greatest distance of compared lines in such a large change.
const MAX_DISTANCE: usize = 20;
/// A line with fewer letters (a brace, a keyword) resembles many others and is not compared.
const MIN_LETTERS: usize = 4;

/// An interner that numbers every distinct line.
#[derive(Default)]
pub(super) struct LineInterner {
    known: HashMap<Rc<[u8]>, Token>,
    /// The lines, by number.
    all: Vec<Line>,
}

/// A distinct line.
struct Line {
    /// The line without white space.
    bare: Rc<[u8]>,
    indent: IndentLevel,
    /// The number of letters and digits that can identify the origin of the line; 0 if there are too few.
    weight: u32,
    /// Whether the line is an import, or begins one.
    is_import: bool,
}

/// A hunk: lines of one text replaced by lines of another, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LineChange {
    pub before: Range<u32>,
    pub after: Range<u32>,
}

impl LineInterner {
    /// Splits a text into lines, and returns their numbers.
    pub fn intern(&mut self, text: &[u8]) -> Vec<Token> {
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
            let indent = IndentLevel::for_ascii_line(line.iter().copied(), TAB_WIDTH);
            let (weight, is_import) = (weight(&kept), is_import(line));
            self.all.push(Line { bare: kept.clone(), indent, weight, is_import });
            self.known.insert(kept, token);
            tokens.push(token);
        }
        tokens
    }

    /// Calls `line` for each line of a text that is already interned; skips the others.
    pub fn each_known(&self, text: &[u8], mut line: impl FnMut(Token)) {
        let mut bare = Vec::new();
        for one in text.split_inclusive(|byte| *byte == b'\n') {
            bare.clear();
            bare.extend(one.iter().filter(|byte| !byte.is_ascii_whitespace()));
            if let Some(token) = self.known.get(bare.as_slice()) {
                line(*token);
            }
        }
    }

    /// Returns for each line of a text how well it identifies its origin, in letters and digits.
    ///
    /// Imports, attributes and a licence header have weight 0, because they occur in unrelated texts.
    pub fn weights(&self, text: &[Token]) -> Vec<u32> {
        let mut weights: Vec<u32> = text.iter().map(|token| self.all[token.0 as usize].weight).collect();
        let mut depth = 0;
        for (token, weight) in text.iter().zip(&mut weights) {
            if depth > 0 || self.all[token.0 as usize].is_import {
                *weight = 0;
                depth = (depth + bracket_depth(self.bare(*token))).max(0);
            }
        }
        let header = text.iter().take_while(|token| is_comment(self.bare(**token))).count();
        if text[..header].iter().any(|token| is_licence(self.bare(*token))) {
            weights[..header].fill(0);
        }
        weights
    }

    /// Returns whether a line (a brace, a keyword) resembles many others.
    pub fn is_trivial(&self, line: Token) -> bool {
        self.all[line.0 as usize].weight == 0
    }

    /// Returns a line without white space.
    fn bare(&self, line: Token) -> &[u8] {
        &self.all[line.0 as usize].bare
    }

    /// Compares two texts and returns the hunks in order.
    pub fn changes(&self, before: &[Token], after: &[Token]) -> Vec<LineChange> {
        let mut diff = Diff::default();
        diff.compute_with(Algorithm::Myers, before, after, self.all.len() as u32);
        diff.postprocess_with(before, after, IndentHeuristic::new(|token: Token| self.all[token.0 as usize].indent));
        diff.hunks().map(|hunk| LineChange { before: hunk.before, after: hunk.after }).collect()
    }

    /// Returns the number of distinct lines.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Returns the size of a text in bytes, without white space.
    pub fn size(&self, text: &[Token]) -> usize {
        text.iter().map(|token| self.bare(*token).len()).sum()
    }

    /// Returns the share of the larger text that is common to both, in bytes.
    pub fn similarity(&self, a: &[Token], b: &[Token]) -> f64 {
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

    /// Returns for each new line the replaced line that it is another form of; `None` if it resembles none.
    pub fn earlier_forms(&self, before: &[Token], after: &[Token]) -> Vec<Option<u32>> {
        let pairs = |tokens: &[Token]| tokens.iter().map(|token| bigrams(self.bare(*token))).collect();
        let (old, new): (Vec<Vec<u16>>, Vec<Vec<u16>>) = (pairs(before), pairs(after));
        let reach = if old.len() * new.len() <= MAX_PAIRS { old.len().max(new.len()) } else { MAX_DISTANCE };
        let form = |(at, bigrams): (usize, &Vec<u16>)| {
            let place = at * old.len() / new.len().max(1);
            let near = place.saturating_sub(reach)..(place + reach + 1).min(old.len());
            let told = near
                .filter(|_| bigrams.len() >= MIN_LETTERS)
                .map(|other| (bigram_overlap(bigrams, &old[other]), other));
            let best =
                told.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.abs_diff(place).cmp(&a.1.abs_diff(place))));
            best.filter(|(bigram_overlap, _)| *bigram_overlap >= MIN_SIMILARITY).map(|(_, other)| other as u32)
        };
        new.iter().enumerate().map(form).collect()
    }
}

/// Returns all pairs of adjacent bytes of a line, sorted.
fn bigrams(line: &[u8]) -> Vec<u16> {
    let mut pairs: Vec<u16> = line.windows(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    pairs.sort_unstable();
    pairs
}

/// Returns the share of the shorter line's letter pairs that the longer one has too, since a formatter splits and joins
/// lines.
fn bigram_overlap(a: &[u16], b: &[u16]) -> f64 {
    let (mut i, mut j, mut common) = (0, 0, 0_usize);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => (i, j, common) = (i + 1, j + 1, common + 1),
        }
    }
    let shorter = a.len().min(b.len());
    if shorter < MIN_LETTERS { 0.0 } else { common as f64 / shorter as f64 }
}

/// Counts the letters and digits of a line; 0 if there are too few, or if it is an attribute without a string.
fn weight(bare: &[u8]) -> u32 {
    let is_attribute = bare.starts_with(b"#[") || bare.starts_with(b"@");
    if is_attribute && !bare.iter().any(|byte| matches!(byte, b'"' | b'\'')) {
        return 0;
    }
    let told = bare.iter().filter(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii()).count();
    if told < MIN_LETTERS { 0 } else { told as u32 }
}

/// The beginnings of import lines.
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

/// Returns whether a line imports names.
fn is_import(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let begins = |word: &str| line.starts_with(word.as_bytes());
    let is_module = (begins("mod ") || begins("pub mod ")) && line.ends_with(b";");
    // A sentence may begin like an import.
    is_module || IMPORTS.iter().any(|word| begins(word)) && !line.ends_with(b".")
}

/// Returns the number of brackets that a line leaves open.
fn bracket_depth(bare: &[u8]) -> i32 {
    let depth = |byte: &u8| match byte {
        b'(' | b'{' => 1,
        b')' | b'}' => -1,
        _ => 0,
    };
    bare.iter().map(depth).sum()
}

/// Returns whether a line, without white space, is a comment.
fn is_comment(bare: &[u8]) -> bool {
    let is_other = [&b"#["[..], b"#include", b"#define", b"#if"].iter().any(|begin| bare.starts_with(begin));
    !is_other && [&b"//"[..], b"/*", b"*", b"#", b"--", b";", b"<!--"].iter().any(|begin| bare.starts_with(begin))
}

/// Returns whether a line, without white space, belongs to a licence header.
fn is_licence(bare: &[u8]) -> bool {
    let bare = bare.to_ascii_lowercase();
    let holds = |word: &[u8]| bare.windows(word.len()).any(|part| part == word);
    holds(b"copyright") || holds(b"licen") || holds(b"spdx")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(before: &str, after: &str) -> Vec<(Range<u32>, Range<u32>)> {
        let mut lines = LineInterner::default();
        let (before, after) = (lines.intern(before.as_bytes()), lines.intern(after.as_bytes()));
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
        let mut lines = LineInterner::default();
        let before = lines.intern(b"let total = first_part(alpha) + second_part(beta);\nreturn 1;\n");
        let after = lines.intern(b"let total = first_part(alpha)\n  + second_part(beta);\n}\nunheard(of);\n");
        assert_eq!(lines.earlier_forms(&before, &after), [Some(0), Some(0), None, None]);
    }

    #[test]
    fn what_any_text_may_hold_tells_nothing_of_where_it_came_from() {
        let check = |text: &str, expect: &[u32]| {
            let mut lines = LineInterner::default();
            let tokens = lines.intern(text.as_bytes());
            assert_eq!(lines.weights(&tokens), expect, "{text}");
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
        let mut lines = LineInterner::default();
        let (a, b) = (lines.intern(b"aaaa\naaaa\nbb\n"), lines.intern(b"aaaa\ncc\n"));
        assert!((lines.similarity(&a, &b) - 0.4).abs() < 1e-9);
        assert!(lines.similarity(&[], &[]).abs() < 1e-9);
    }
}
