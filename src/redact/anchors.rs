//! Multi-pattern search for the anchors of all rules.
//!
//! Each anchor is indexed by the rarest byte pair among its first bytes. Each position of a text costs one lookup of
//! two bytes, and only hits are compared in full. Nearly all of a text stops at the lookup, so this loop is the cost of
//! redaction.

use std::sync::LazyLock;

use super::rule::Rule;
use super::rules;

/// The literal of an anchor, and its rule.
pub(super) struct Anchor {
    text: &'static [u8],
    ignores_case: bool,
    /// The offset of the byte pair that the anchor is indexed by.
    offset: usize,
    pub rule: &'static Rule,
}

impl Anchor {
    /// Returns the length in bytes.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Returns whether the anchor occurs at `start`.
    fn stands_at(&self, text: &[u8], start: usize) -> bool {
        let Some(rest) = text.get(start..).filter(|rest| rest.len() >= self.text.len()) else { return false };
        let ignores_case = self.ignores_case;
        self.text
            .iter()
            .zip(rest)
            .all(|(want, byte)| want == byte || (ignores_case && *want == byte.to_ascii_lowercase()))
    }
}

/// The number of bytes at the start of an anchor from which its rarest pair is chosen.
pub(super) const PAIR_WINDOW: usize = 6;
/// Positions tested per iteration.
const LANES: usize = 4;

/// Index of all anchors by byte pair.
struct AnchorIndex {
    /// One bit for each pair in use; small enough for the L1 cache.
    bits: [u64; 1024],
    /// For each pair in use, its position in `known`.
    lists: Vec<u16>,
    /// The anchors of each pair in use.
    known: Vec<PairAnchors>,
    /// Positions in `starts` by first byte of the anchor.
    first: Vec<Vec<u16>>,
    /// All anchors in the order of the rules.
    starts: Vec<Anchor>,
}

/// The anchors that share a byte pair.
#[derive(Default)]
struct PairAnchors {
    /// Bit sets of the bytes that may precede and follow the pair, by their low five bits.
    before: u32,
    behind: u32,
    /// Positions in [`AnchorIndex::starts`].
    starts: Vec<u16>,
}

impl PairAnchors {
    /// Returns whether the neighbours of the pair at `at` could belong to one of the anchors.
    fn fits(&self, text: &[u8], at: usize) -> bool {
        let has = |bits: u32, byte: Option<&u8>| byte.is_none_or(|byte| bits >> (byte & 31) & 1 == 1);
        has(self.behind, text.get(at + 2)) && has(self.before, at.checked_sub(1).and_then(|at| text.get(at)))
    }
}

/// The index of all anchors of all rules.
static INDEX: LazyLock<AnchorIndex> = LazyLock::new(|| {
    let mut index = AnchorIndex {
        bits: [0; 1024],
        lists: vec![0; 1 << 16],
        known: Vec::new(),
        first: vec![Vec::new(); 1 << 8],
        starts: Vec::new(),
    };
    let frequencies = pair_frequencies();
    for rule in rules::all() {
        for start in rule.anchors {
            let (text, ignores_case) = (start.as_bytes(), rule.ignores_case);
            let pairs = text.windows(2).take(PAIR_WINDOW - 1).enumerate();
            let rarest = pairs.min_by_key(|(_, two)| frequencies[pair_code(two[0], two[1])]);
            let offset = rarest.expect("an anchor has at least two bytes").0;
            let place = u16::try_from(index.starts.len()).expect("there are fewer than 65,536 anchors");
            index.starts.push(Anchor { text, ignores_case, offset, rule });
            for first in case_variants(text[0], ignores_case) {
                index.first[usize::from(first)].push(place);
            }
            for first in case_variants(text[offset], ignores_case) {
                for second in case_variants(text[offset + 1], ignores_case) {
                    let known = index.entry_of(pair_code(first, second));
                    // Upper and lower case share their low five bits.
                    let bit = |byte: Option<&u8>| byte.map_or(u32::MAX, |byte| 1 << (byte & 31));
                    known.before |= bit(offset.checked_sub(1).and_then(|at| text.get(at)));
                    known.behind |= bit(text.get(offset + 2));
                    known.starts.push(place);
                }
            }
        }
    }
    index
});

/// Returns the case variants of a byte.
fn case_variants(byte: u8, ignores_case: bool) -> impl Iterator<Item = u8> {
    let capital = (ignores_case && byte.is_ascii_lowercase()).then(|| byte.to_ascii_uppercase());
    std::iter::once(byte).chain(capital)
}

/// Counts byte pairs in a sample of ordinary code and prose: sources of this program.
fn pair_frequencies() -> Vec<u32> {
    let samples: [&[u8]; 4] = [
        include_bytes!("../event.rs"),
        include_bytes!("../config.rs"),
        include_bytes!("../eventlog.rs"),
        include_bytes!("../../README.md"),
    ];
    let mut counts = vec![0; 1 << 16];
    for two in samples.iter().flat_map(|sample| sample.windows(2)) {
        counts[pair_code(two[0], two[1])] += 1;
    }
    counts
}

/// Encodes two bytes as an index.
fn pair_code(first: u8, second: u8) -> usize {
    usize::from(u16::from_le_bytes([first, second]))
}

impl AnchorIndex {
    /// Returns the entry of a pair, and creates it if there is none.
    fn entry_of(&mut self, pair: usize) -> &mut PairAnchors {
        if self.bit(pair) & 1 == 0 {
            self.bits[pair / 64] |= 1 << (pair % 64);
            self.lists[pair] = u16::try_from(self.known.len()).expect("there are fewer than 65,536 pairs");
            self.known.push(PairAnchors::default());
        }
        &mut self.known[usize::from(self.lists[pair])]
    }

    /// Returns the word of the bit set shifted so that the pair's bit is lowest.
    fn bit(&self, pair: usize) -> u64 {
        self.bits[pair / 64 % 1024] >> (pair % 64)
    }

    /// Returns the starts of the anchors around the pair at `at`.
    fn anchor_starts<'a>(&'a self, text: &'a [u8], at: usize) -> impl Iterator<Item = usize> + 'a {
        let known = &self.known[usize::from(self.lists[pair_code(text[at], text[at + 1])])];
        let starts = known.starts.iter().map(|start| &self.starts[usize::from(*start)]);
        let placed = starts.filter_map(move |start| Some((start, at.checked_sub(start.offset)?)));
        placed.filter(|(start, at)| start.stands_at(text, *at)).map(|(_, at)| at)
    }

    /// Returns whether an anchor occurs around the pair at `at`.
    fn stands(&self, text: &[u8], at: usize, pair: usize) -> bool {
        let known = &self.known[usize::from(self.lists[pair])];
        known.fits(text, at) && self.anchor_starts(text, at).next().is_some()
    }
}

/// Returns the next position from `at` on with the byte pair of an anchor that occurs there.
pub(super) fn next_pair(text: &[u8], mut at: usize) -> Option<usize> {
    let index = &*INDEX;
    while let Some(eight) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        let bytes = u64::from_le_bytes(*eight);
        let bit = |place: usize| index.bit((bytes >> (8 * place)) as usize & 0xffff);
        if (bit(0) | bit(1) | bit(2) | bit(3)) & 1 == 1 {
            for place in at..at + LANES {
                let pair = pair_code(text[place], text[place + 1]);
                if index.bit(pair) & 1 == 1 && index.stands(text, place, pair) {
                    return Some(place);
                }
            }
        }
        at += LANES;
    }
    (at..text.len().saturating_sub(1)).find(|&at| {
        let pair = pair_code(text[at], text[at + 1]);
        index.bit(pair) & 1 == 1 && index.stands(text, at, pair)
    })
}

/// Returns the starts of the anchors around the pair at `at`.
pub(super) fn anchor_starts(text: &[u8], at: usize) -> impl Iterator<Item = usize> {
    INDEX.anchor_starts(text, at)
}

/// Returns the anchors that occur at `start`, in the order of the rules.
pub(super) fn anchors_at(text: &[u8], start: usize) -> impl Iterator<Item = &'static Anchor> {
    let starts: &[u16] = text.get(start).map_or(&[], |byte| &INDEX.first[usize::from(*byte)]);
    starts.iter().map(|place| &INDEX.starts[usize::from(*place)]).filter(move |begun| begun.stands_at(text, start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_anchor_is_found_anywhere() {
        for start in &INDEX.starts {
            for blanks in 0..9 {
                let text = [&b" ".repeat(blanks)[..], start.text, b" "].concat();
                let mut pairs = std::iter::successors(next_pair(&text, 0), |pair| next_pair(&text, pair + 1));
                let is_found = pairs.any(|pair| anchor_starts(&text, pair).any(|at| at == blanks));
                assert!(is_found, "{:?}", String::from_utf8_lossy(&text));
                assert!(anchors_at(&text, blanks).any(|other| std::ptr::eq(other, start)));
            }
        }
    }
}
