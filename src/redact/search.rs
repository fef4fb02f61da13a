//! Where a rule could begin. Each beginning is known by the rarest pair of its first bytes: two bytes are looked up at every
//! place, and only where such a pair stands is more compared. Nearly all text stops here, so this is what redaction costs.
//! Refuses to know what a rule finds.

use std::sync::LazyLock;

use super::rules::{self, Rule};

/// The beginning of a rule.
pub(super) struct Start {
    text: &'static [u8],
    is_folded: bool,
    /// How far into it the pair stands that it is known by.
    offset: usize,
    pub rule: &'static Rule,
}

impl Start {
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether it stands at a place of a text.
    fn stands_at(&self, text: &[u8], start: usize) -> bool {
        let Some(rest) = text.get(start..).filter(|rest| rest.len() >= self.text.len()) else { return false };
        let is_folded = self.is_folded;
        self.text.iter().zip(rest).all(|(want, byte)| want == byte || (is_folded && *want == byte.to_ascii_lowercase()))
    }
}

/// How many of the first bytes of a beginning are asked for the rarest pair.
pub(super) const ASKED: usize = 6;
/// Places that are looked at together.
const PLACES: usize = 4;

/// Every beginning by a pair of its bytes.
struct Index {
    /// A bit for each pair that any is known by: small enough for the nearest cache.
    bits: [u64; 1024],
    /// For such a pair, the place of its list.
    lists: Vec<u16>,
    /// What such a pair tells.
    known: Vec<Known>,
    /// The same by the first byte.
    first: Vec<Vec<u16>>,
    /// In the order of the table.
    starts: Vec<Start>,
}

/// What is known by a pair.
#[derive(Default)]
struct Known {
    /// The bytes that may stand before it and behind it, by their last five bits.
    before: u32,
    behind: u32,
    /// Places in [`Index::starts`].
    starts: Vec<u16>,
}

impl Known {
    fn fits(&self, text: &[u8], at: usize) -> bool {
        let has = |bits: u32, byte: Option<&u8>| byte.is_none_or(|byte| bits >> (byte & 31) & 1 == 1);
        has(self.behind, text.get(at + 2)) && has(self.before, at.checked_sub(1).and_then(|at| text.get(at)))
    }
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index {
        bits: [0; 1024],
        lists: vec![0; 1 << 16],
        known: Vec::new(),
        first: vec![Vec::new(); 1 << 8],
        starts: Vec::new(),
    };
    let frequencies = frequencies();
    for rule in rules::all() {
        for start in rule.starts {
            let (text, is_folded) = (start.as_bytes(), rule.is_folded);
            let pairs = text.windows(2).take(ASKED - 1).enumerate();
            let rarest = pairs.min_by_key(|(_, two)| frequencies[pair(two[0], two[1])]);
            let offset = rarest.expect("a beginning has two bytes").0;
            let place = u16::try_from(index.starts.len()).expect("there are fewer beginnings");
            index.starts.push(Start { text, is_folded, offset, rule });
            for first in cases(text[0], is_folded) {
                index.first[usize::from(first)].push(place);
            }
            for first in cases(text[offset], is_folded) {
                for second in cases(text[offset + 1], is_folded) {
                    let known = index.known(pair(first, second));
                    // A capital and its small letter end in the same bits.
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

/// A letter as it may stand in a text.
fn cases(byte: u8, is_folded: bool) -> impl Iterator<Item = u8> {
    let capital = (is_folded && byte.is_ascii_lowercase()).then(|| byte.to_ascii_uppercase());
    std::iter::once(byte).chain(capital)
}

/// How often each pair stands in a sample of ordinary code and prose, which is at hand: this program's own.
fn frequencies() -> Vec<u32> {
    let samples: [&[u8]; 4] = [
        include_bytes!("../event.rs"),
        include_bytes!("../config.rs"),
        include_bytes!("../eventlog.rs"),
        include_bytes!("../../README.md"),
    ];
    let mut counts = vec![0; 1 << 16];
    for two in samples.iter().flat_map(|sample| sample.windows(2)) {
        counts[pair(two[0], two[1])] += 1;
    }
    counts
}

fn pair(first: u8, second: u8) -> usize {
    usize::from(u16::from_le_bytes([first, second]))
}

impl Index {
    fn known(&mut self, pair: usize) -> &mut Known {
        if self.bit(pair) & 1 == 0 {
            self.bits[pair / 64] |= 1 << (pair % 64);
            self.lists[pair] = u16::try_from(self.known.len()).expect("there are fewer pairs");
            self.known.push(Known::default());
        }
        &mut self.known[usize::from(self.lists[pair])]
    }

    /// The pair's bit, in the lowest place.
    fn bit(&self, pair: usize) -> u64 {
        self.bits[pair / 64 % 1024] >> (pair % 64)
    }

    /// Where beginnings stand that are known by the pair at a place.
    fn around<'a>(&'a self, text: &'a [u8], at: usize) -> impl Iterator<Item = usize> + 'a {
        let known = &self.known[usize::from(self.lists[pair(text[at], text[at + 1])])];
        let starts = known.starts.iter().map(|start| &self.starts[usize::from(*start)]);
        let placed = starts.filter_map(move |start| Some((start, at.checked_sub(start.offset)?)));
        placed.filter(|(start, at)| start.stands_at(text, *at)).map(|(_, at)| at)
    }

    /// Whether there is one, where a pair stands that some are known by.
    fn stands(&self, text: &[u8], at: usize, pair: usize) -> bool {
        let known = &self.known[usize::from(self.lists[pair])];
        known.fits(text, at) && self.around(text, at).next().is_some()
    }
}

/// The next place, from `at` on, where a pair stands that a beginning is known by, and with it the beginning.
pub(super) fn next(text: &[u8], mut at: usize) -> Option<usize> {
    let index = &*INDEX;
    while let Some(eight) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        let bytes = u64::from_le_bytes(*eight);
        let bit = |place: usize| index.bit((bytes >> (8 * place)) as usize & 0xffff);
        if (bit(0) | bit(1) | bit(2) | bit(3)) & 1 == 1 {
            for place in at..at + PLACES {
                let pair = pair(text[place], text[place + 1]);
                if index.bit(pair) & 1 == 1 && index.stands(text, place, pair) {
                    return Some(place);
                }
            }
        }
        at += PLACES;
    }
    (at..text.len().saturating_sub(1)).find(|&at| {
        let pair = pair(text[at], text[at + 1]);
        index.bit(pair) & 1 == 1 && index.stands(text, at, pair)
    })
}

/// Where the beginnings stand that are known by the pair at a place.
pub(super) fn around(text: &[u8], at: usize) -> impl Iterator<Item = usize> {
    INDEX.around(text, at)
}

/// The beginnings that stand at a place, in the order of the table.
pub(super) fn starting(text: &[u8], start: usize) -> impl Iterator<Item = &'static Start> {
    let starts: &[u16] = text.get(start).map_or(&[], |byte| &INDEX.first[usize::from(*byte)]);
    starts.iter().map(|place| &INDEX.starts[usize::from(*place)]).filter(move |begun| begun.stands_at(text, start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beginning_is_found_wherever_it_stands() {
        for start in &INDEX.starts {
            for blanks in 0..9 {
                let text = [&b" ".repeat(blanks)[..], start.text, b" "].concat();
                let mut pairs = std::iter::successors(next(&text, 0), |pair| next(&text, pair + 1));
                let is_found = pairs.any(|pair| around(&text, pair).any(|at| at == blanks));
                assert!(is_found, "{:?}", String::from_utf8_lossy(&text));
                assert!(starting(&text, blanks).any(|other| std::ptr::eq(other, start)));
            }
        }
    }
}
