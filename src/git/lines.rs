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
    /// By number: the line without white space, and how far it was indented when it was seen first.
    all: Vec<(Rc<[u8]>, IndentLevel)>,
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
            self.all.push((kept.clone(), IndentLevel::for_ascii_line(line.iter().copied(), TAB)));
            self.known.insert(kept, token);
            tokens.push(token);
        }
        tokens
    }

    /// What led from one text to another, in order.
    pub fn changes(&self, before: &[Token], after: &[Token]) -> Vec<Change> {
        let mut diff = Diff::default();
        diff.compute_with(Algorithm::Myers, before, after, self.all.len() as u32);
        diff.postprocess_with(before, after, IndentHeuristic::new(|token: Token| self.all[token.0 as usize].1));
        diff.hunks().map(|hunk| Change { before: hunk.before, after: hunk.after }).collect()
    }

    /// How many different lines were seen.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Bytes of a text, white space apart.
    pub fn size(&self, text: &[Token]) -> usize {
        text.iter().map(|token| self.all[token.0 as usize].0.len()).sum()
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
        let pairs = |tokens: &[Token]| tokens.iter().map(|token| letters(&self.all[token.0 as usize].0)).collect();
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
    fn what_two_texts_share_is_counted_once() {
        let mut lines = Lines::default();
        let (a, b) = (lines.of(b"aaaa\naaaa\nbb\n"), lines.of(b"aaaa\ncc\n"));
        assert!((lines.shared(&a, &b) - 0.4).abs() < 1e-9);
        assert!(lines.shared(&[], &[]).abs() < 1e-9);
    }
}
