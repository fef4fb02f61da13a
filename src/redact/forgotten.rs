//! What a person asked to be forgotten, kept so that it can be recognised: of each text its length, a keyed hash that
//! proves it, and some bits of one that rolls over what is looked at. Refuses to hold the text; but the key stands beside
//! the hashes, so that one who has the list finds a text that is short or can be guessed by trying.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, RwLock};

use serde::{Deserialize, Serialize};

use super::{FORGOTTEN, Found, MARK, joined, mark_of, replaced, rules};
use crate::event::hex;

/// Shortest text that can be forgotten, in bytes: what is shorter stands in half of all words.
pub const SHORTEST: usize = 4;

/// Factor of the rolling hash, odd and large; the arithmetic wraps.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Bits of the rolling hash that are kept: enough that hardly any place has to be proved, too few to work back from.
const SIEVE: u32 = 24;

/// Everything that was forgotten in a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// Chance, in hexadecimal: without it the hashes cannot be tried against guesses made elsewhere.
    key: String,
    texts: Vec<Mark>,
    sessions: Vec<String>,
    /// Whether what is on the list may still stand somewhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_erasing: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "KeptMark")]
struct Mark {
    length: usize,
    sieve: u32,
    proof: String,
}

/// A mark in either form: older ones have all of the rolling hash.
#[derive(Deserialize)]
struct KeptMark {
    length: usize,
    #[serde(flatten)]
    hash: KeptHash,
    proof: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum KeptHash {
    Rolling(u64),
    Sieve(u32),
}

impl From<KeptMark> for Mark {
    fn from(KeptMark { length, hash, proof }: KeptMark) -> Self {
        let sieve = match hash {
            KeptHash::Rolling(rolling) => sieve(rolling),
            KeptHash::Sieve(sieve) => sieve,
        };
        Mark { length, sieve, proof }
    }
}

/// What is kept of a rolling hash. It is mixed first, as a sum that is only cut short can still be solved for its text.
fn sieve(rolling: u64) -> u32 {
    let mixed = (rolling ^ (rolling >> 32)).wrapping_mul(FACTOR);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(FACTOR);
    (mixed >> (u64::BITS - SIEVE)) as u32
}

/// A list that is looked for, and what makes that quick.
#[derive(Default)]
pub struct Looked {
    list: Forgotten,
    base: u64,
    lengths: Vec<Length>,
}

/// The marks of one length.
struct Length {
    length: usize,
    /// A bit for each sieve that any has, of a word for each mark or more: all lengths stay in the nearest cache.
    bits: Vec<u64>,
    marks: HashMap<u32, Vec<usize>>,
}

/// What this process leaves out of everything that it reads.
static IN_FORCE: RwLock<Option<Arc<Looked>>> = RwLock::new(None);

/// From now on this process leaves out what is on a list.
pub fn leave_out(forgotten: Forgotten) {
    let list = (!forgotten.texts.is_empty() || !forgotten.sessions.is_empty()).then(|| Arc::new(forgotten.looked()));
    *IN_FORCE.write().unwrap_or_else(std::sync::PoisonError::into_inner) = list;
}

/// The text without what this process leaves out, and with its secrets.
pub fn without_forgotten(text: &str) -> Cow<'_, str> {
    match within(text) {
        found if found.is_empty() => Cow::Borrowed(text),
        found => Cow::Owned(replaced(text, &joined(found), |_| "").0),
    }
}

/// What this process leaves out of a text, in order; one may reach into the next.
pub(super) fn within(text: &str) -> Vec<Found> {
    in_force().map(|looked| looked.within(text)).unwrap_or_default()
}

/// Whether a text holds something that this process leaves out, or the place where it stood. A person who writes the mark
/// for that place cannot be told from it, once any text is left out.
pub fn is_forgotten(text: &str) -> bool {
    in_force().is_some_and(|looked| looked.says(text))
}

/// Whether a text stands in what redaction itself puts into a text, as `forgotten` and `redacted` do: it would never be
/// gone, however often it is forgotten.
pub fn is_part_of_a_mark(text: &str) -> bool {
    MARK.contains(text) || rules::all().any(|rule| mark_of(rule.kind).contains(text))
}

/// Longer than any mark, in bytes.
const LONGEST_MARK: usize = 64;

/// Whether a span of a text lies within a mark that redaction put there.
fn is_within_a_mark(text: &str, start: usize, end: usize) -> bool {
    let is_open = |at: &usize| text.as_bytes()[*at] == b'[';
    let Some(open) = (start.saturating_sub(LONGEST_MARK)..=start).rev().find(is_open) else { return false };
    let mut marks = text.as_bytes()[open..].iter().take(LONGEST_MARK);
    let Some(close) = marks.position(|byte| *byte == b']').map(|length| open + length + 1) else { return false };
    let mark = &text[open..close];
    end <= close && (mark == MARK || rules::all().any(|rule| mark_of(rule.kind) == mark))
}

/// Whether a session is left out by this process.
pub fn is_session_forgotten(session: &str) -> bool {
    in_force().is_some_and(|looked| looked.list.holds_session(session))
}

/// Whether this process leaves out what is on a list, and nothing else.
pub fn is_in_force(list: &Forgotten) -> bool {
    let own = in_force().unwrap_or_default();
    (&own.list.texts, &own.list.sessions) == (&list.texts, &list.sessions)
}

fn in_force() -> Option<Arc<Looked>> {
    IN_FORCE.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
}

impl Forgotten {
    /// An empty list; `key` is 32 bytes of chance.
    pub fn new(key: [u8; 32]) -> Self {
        Forgotten { key: hex(&key), ..Forgotten::default() }
    }

    /// Puts a text on the list.
    pub fn add_text(&mut self, text: &str) {
        let mark = Mark { length: text.len(), sieve: sieve(self.roll(text.as_bytes())), proof: self.proof(text) };
        if text.len() >= SHORTEST && !self.texts.contains(&mark) {
            self.texts.push(mark);
        }
    }

    /// Puts a session on the list.
    pub fn add_session(&mut self, session: &str) {
        let proof = self.proof(session);
        if !self.sessions.contains(&proof) {
            self.sessions.push(proof);
        }
    }

    /// Takes a session off the list; whether it was on it.
    pub fn remove_session(&mut self, session: &str) -> bool {
        let (proof, before) = (self.proof(session), self.sessions.len());
        self.sessions.retain(|known| *known != proof);
        self.sessions.len() < before
    }

    /// Whether a session is on the list.
    pub fn holds_session(&self, session: &str) -> bool {
        self.sessions.contains(&self.proof(session))
    }

    /// The list, ready to be looked for.
    pub fn looked(self) -> Looked {
        let mut by_length: BTreeMap<usize, HashMap<u32, Vec<usize>>> = BTreeMap::new();
        for (place, mark) in self.texts.iter().enumerate() {
            by_length.entry(mark.length).or_default().entry(mark.sieve).or_default().push(place);
        }
        let lengths = by_length.into_iter().map(|(length, marks)| {
            let mut bits = vec![0; marks.len().next_power_of_two()];
            for sieve in marks.keys() {
                let (word, bit) = bit(*sieve, bits.len());
                bits[word] |= bit;
            }
            Length { length, bits, marks }
        });
        Looked { base: self.base(), lengths: lengths.collect(), list: self }
    }

    fn roll(&self, bytes: &[u8]) -> u64 {
        let base = self.base();
        bytes.iter().fold(0, |hash: u64, byte| hash.wrapping_mul(base).wrapping_add(u64::from(*byte) + 1))
    }

    /// The base depends on the key, so that no table made elsewhere fits.
    fn base(&self) -> u64 {
        let hash = blake3::hash(self.key.as_bytes());
        let chance = u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("eight bytes"));
        (chance ^ FACTOR) | 1
    }

    fn proof(&self, text: &str) -> String {
        let key = blake3::derive_key("patina 2026 what was forgotten", self.key.as_bytes());
        hex(&blake3::keyed_hash(&key, text.as_bytes()).as_bytes()[..16])
    }
}

/// The rolling hash of every beginning of a text: that of any part follows from two of them.
fn sums(text: &str, base: u64) -> Vec<u64> {
    let mut sums = Vec::with_capacity(text.len() + 1);
    let mut sum = 0u64;
    sums.push(sum);
    for byte in text.bytes() {
        sum = sum.wrapping_mul(base).wrapping_add(u64::from(byte) + 1);
        sums.push(sum);
    }
    sums
}

/// Where a sieve is looked up: a word of so many, and its bit.
fn bit(sieve: u32, words: usize) -> (usize, u64) {
    ((sieve >> 6) as usize & (words - 1), 1 << (sieve & 63))
}

impl Looked {
    /// Whether a session is on the list.
    pub fn holds_session(&self, session: &str) -> bool {
        self.list.holds_session(session)
    }

    /// Whether a text says something that is on the list.
    pub fn holds(&self, text: &str) -> bool {
        !self.within(text).is_empty()
    }

    fn says(&self, text: &str) -> bool {
        (text.contains(MARK) && !self.lengths.is_empty()) || !self.within(text).is_empty()
    }

    fn within(&self, text: &str) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        if self.lengths.is_empty() {
            return found;
        }
        let (base, sums) = (self.base, sums(text, self.base));
        for Length { length, bits, marks } in self.lengths.iter().filter(|one| one.length <= text.len()) {
            let power = (0..*length).fold(1u64, |power, _| power.wrapping_mul(base));
            // Hardly a place comes further than this line, and none waits for the one before.
            for (start, (before, behind)) in sums.iter().zip(&sums[*length..]).enumerate() {
                let sieve = sieve(behind.wrapping_sub(before.wrapping_mul(power)));
                let (word, bit) = bit(sieve, bits.len());
                if bits[word] & bit == 0 {
                    continue;
                }
                let (Some(places), Some(window)) = (marks.get(&sieve), text.get(start..start + length)) else {
                    continue;
                };
                let proof = self.list.proof(window);
                let is_listed = places.iter().any(|place| self.list.texts[*place].proof == proof);
                // A mark that was put there stays, or it would grow each time.
                if is_listed && !is_within_a_mark(text, start, start + length) {
                    found.push(Found { kind: FORGOTTEN, start, end: start + length });
                }
            }
        }
        found.sort_unstable_by_key(|one| (one.start, one.end));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::without;
    use super::*;
    use proptest::prelude::*;

    fn stripped(list: &Forgotten, text: &str) -> String {
        replaced(text, &joined(list.clone().looked().within(text)), |_| "").0
    }

    #[test]
    fn what_is_on_the_list_is_left_out_wherever_it_stands() {
        let mut list = Forgotten::new([7; 32]);
        list.add_text("Project Umbra");
        list.add_text("Straße");
        let check = |text: &str, expect: &str| assert_eq!(stripped(&list, text), expect);
        check("about Project Umbra, and Project Umbra", "about [forgotten], and [forgotten]");
        check("Project Umbr", "Project Umbr");
        check("in der Straße", "in der [forgotten]");
        check("", "");
        let kept = serde_json::to_string(&list).expect("it has a form");
        assert!(!kept.contains("Umbra"));
        assert_eq!(serde_json::from_str::<Forgotten>(&kept).expect("it reads"), list);
    }

    #[test]
    fn forgetting_uncovers_no_secret_and_moves_no_line() {
        let mut list = Forgotten::new([5; 32]);
        ["Umbragrove", "X-Umbra-Token", "UMBRA_PASSWORD", "two umbra\nlines", "by umbra: hu"]
            .iter()
            .for_each(|text| list.add_text(text));
        let list = list.looked();
        let drawn = ["a1B2c3D4e5F6", "g7H8i9J0kLmN"].concat();
        let thought_up = ["hunter", "2"].concat();
        let check = |text: &str, expect: &str| {
            let once = without(text, list.within(text), |_| "").into_owned();
            assert_eq!(once, expect, "{text}");
            assert_eq!(without(&once, list.within(&once), |_| ""), once);
        };
        check("DB_PASSWORD=Umbragrove2024!x", "DB_PASSWORD=[redacted:password]");
        check(&format!("X-Umbra-Token: {drawn}"), "[forgotten]: [redacted:token]");
        check(&format!("UMBRA_PASSWORD={thought_up}"), "[forgotten]=[redacted:password]");
        check(&format!("password by umbra: {thought_up} x"), "password [forgotten]nter2 x");
        check("two umbra\nlines", "[forgotten]");
        let token = ["gh", "p_", &drawn, &drawn].concat();
        check(&format!("Umbragrove{token}"), "[forgotten][redacted:github-token]");
        let source = "a\ntwo umbra\nlines\nb";
        assert_eq!(without(source, list.within(source), |gap| gap), "a\n[forgotten]\n\nb");
    }

    #[test]
    fn what_a_mark_contains_is_told_and_no_mark_grows() {
        for text in ["forgotten", "redacted", "[forg", "redacted:pass", "[forgotten]"] {
            assert!(is_part_of_a_mark(text), "{text}");
        }
        assert!(!is_part_of_a_mark("Umbra") && !is_part_of_a_mark("forgotten]:"));
        let mut list = Forgotten::new([7; 32]);
        ["forgotten", "redacted", "jwt]"].iter().for_each(|text| list.add_text(text));
        let list = list.looked();
        let check = |text: &str, expect: &str| {
            let once = without(text, list.within(text), |_| "").into_owned();
            assert_eq!(once, expect, "{text}");
            assert_eq!(without(&once, list.within(&once), |_| ""), once);
        };
        check("was forgotten", "was [forgotten]");
        check("[forgotten] [redacted:jwt] [redacted:no]", "[forgotten] [redacted:jwt] [[forgotten]:no]");
    }

    #[test]
    fn a_mark_that_a_person_writes_is_one_only_where_texts_are_forgotten() {
        let mut list = Forgotten::new([7; 32]);
        list.add_session("a");
        assert!(!list.clone().looked().says("a text with [forgotten] in it"));
        list.add_text("Project Umbra");
        let list = list.looked();
        assert!(list.says("a text with [forgotten] in it") && list.says("of Project Umbra") && !list.says("of none"));
    }

    #[test]
    fn a_list_of_the_old_form_is_read_and_kept_in_the_new_one() {
        let mut list = Forgotten::new([7; 32]);
        list.add_text("Project Umbra");
        let rolling = list.roll(b"Project Umbra");
        let now = serde_json::to_string(&list).expect("it has a form");
        let old = now.replace(&format!("\"sieve\":{}", list.texts[0].sieve), &format!("\"rolling\":{rolling}"));
        assert_ne!(old, now);
        assert_eq!(serde_json::from_str::<Forgotten>(&old).expect("it reads"), list);
        assert!(list.texts[0].sieve < 1 << SIEVE);
    }

    #[test]
    fn a_thousand_forgotten_texts_slow_nothing_down() {
        let text = "what is said of one thing may be said of another, and none of it is on the list; ".repeat(20_000);
        let seconds = |texts: usize| {
            let mut list = Forgotten::new([7; 32]);
            (0..texts).for_each(|one| list.add_text(&format!("Umbra {one:06}{}", "z".repeat(one % 8))));
            let list = list.looked();
            let start = std::time::Instant::now();
            assert!(list.within(&text).is_empty());
            start.elapsed().as_secs_f64()
        };
        let (one, thousand) = (seconds(1), seconds(1000));
        assert!(thousand < 20.0 * one + 0.5, "{thousand} s for a thousand, {one} s for one");
    }

    #[test]
    fn another_key_gives_other_hashes() {
        let (mut a, mut b) = (Forgotten::new([1; 32]), Forgotten::new([2; 32]));
        a.add_text("the same");
        b.add_text("the same");
        assert_ne!(a.texts, b.texts);
    }

    proptest! {
        #[test]
        fn exactly_the_text_is_found(before in ".{0,20}", text in "[a-zü ]{4,12}", after in ".{0,20}") {
            let mut list = Forgotten::new([3; 32]);
            list.add_text(&text);
            let whole = format!("{before}{text}{after}");
            prop_assert_eq!(stripped(&list, &whole).contains(&text), false);
            prop_assume!(text.len() >= SHORTEST && !before.contains(&text));
            prop_assert!(list.looked().within(&before).is_empty());
        }
    }
}
