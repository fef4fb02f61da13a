//! Texts and sessions that the user asked to forget, stored so that they are recognised but not readable.
//!
//! For each text the list holds its length, a keyed hash that confirms a match, and some bits of a rolling hash that
//! finds candidates.
//!
//! Invariant: the list does not contain the text. But the key is stored beside the hashes, so whoever has the list can
//! confirm a guess at a short or predictable text.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, RwLock};

use serde::{Deserialize, Serialize};

use super::{FORGOTTEN_KIND, FORGOTTEN_MARK, SecretSpan, mark_for, merge_overlapping, replace_spans, rules};
use crate::event::hex;

/// The shortest text that can be forgotten, in bytes. Shorter ones occur inside half of all words.
pub const MIN_FORGOTTEN_BYTES: usize = 4;

/// The factor of the rolling hash; odd, and the arithmetic wraps.
const HASH_FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Bits of the rolling hash that are stored: enough that few positions need the full hash, too few to recover the text.
const SIEVE_BITS: u32 = 24;

/// Everything that was forgotten in a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgottenList {
    /// A random key in hexadecimal. Without it no guess can be tested against the hashes.
    key: String,
    texts: Vec<ForgottenMark>,
    sessions: Vec<String>,
    /// Whether listed texts may still exist somewhere, because erasing has not finished.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_erasing: bool,
}

/// A forgotten text: its length, and the hashes that find (`sieve`) and confirm (`proof`) it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredMark")]
struct ForgottenMark {
    length: usize,
    sieve: u32,
    proof: String,
}

/// The stored form of a mark. Older versions store the whole rolling hash.
#[derive(Deserialize)]
struct StoredMark {
    length: usize,
    #[serde(flatten)]
    hash: StoredHash,
    proof: String,
}

/// A stored rolling hash: whole, or cut to a sieve.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum StoredHash {
    Rolling(u64),
    Sieve(u32),
}

impl From<StoredMark> for ForgottenMark {
    fn from(StoredMark { length, hash, proof }: StoredMark) -> Self {
        let sieve = match hash {
            StoredHash::Rolling(rolling) => sieve(rolling),
            StoredHash::Sieve(sieve) => sieve,
        };
        ForgottenMark { length, sieve, proof }
    }
}

/// Cuts a rolling hash to its sieve.
///
/// The hash is mixed first: truncating a plain sum would leave equations that could be solved for the text.
fn sieve(rolling: u64) -> u32 {
    let mixed = (rolling ^ (rolling >> 32)).wrapping_mul(HASH_FACTOR);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(HASH_FACTOR);
    (mixed >> (u64::BITS - SIEVE_BITS)) as u32
}

/// A list that is prepared for searching.
#[derive(Default)]
pub struct ForgottenMatcher {
    list: ForgottenList,
    base: u64,
    lengths: Vec<MarksOfLength>,
}

/// The marks of one text length.
struct MarksOfLength {
    length: usize,
    /// A bit set of sieves, with at least one word per mark; the sets of all lengths together fit the L1 cache.
    bits: Vec<u64>,
    marks: HashMap<u32, Vec<usize>>,
}

/// The list that this process applies to everything it reads.
static ACTIVE_LIST: RwLock<Option<Arc<ForgottenMatcher>>> = RwLock::new(None);

/// Sets the list that this process applies from now on.
pub fn set_forgotten(forgotten: ForgottenList) {
    let list =
        (!forgotten.texts.is_empty() || !forgotten.sessions.is_empty()).then(|| Arc::new(forgotten.into_matcher()));
    *ACTIVE_LIST.write().unwrap_or_else(std::sync::PoisonError::into_inner) = list;
}

/// Returns the text with forgotten texts replaced, and secrets untouched.
pub fn redact_forgotten(text: &str) -> Cow<'_, str> {
    match forgotten_spans(text) {
        found if found.is_empty() => Cow::Borrowed(text),
        found => Cow::Owned(replace_spans(text, &merge_overlapping(found), |_| "").0),
    }
}

/// Returns the spans of forgotten texts, in order; they may overlap.
pub(super) fn forgotten_spans(text: &str) -> Vec<SecretSpan> {
    active_list().map(|looked| looked.spans_in(text)).unwrap_or_default()
}

/// Returns whether a text contains a forgotten text, or the mark of one.
///
/// Once any text is forgotten, a mark that a person typed cannot be distinguished from a real one.
pub fn contains_forgotten(text: &str) -> bool {
    active_list().is_some_and(|looked| looked.contains_or_marks(text))
}

/// Returns whether a text is part of redaction's own marks, such as `forgotten` and `redacted`.
///
/// Such a text could never be erased.
pub fn is_part_of_mark(text: &str) -> bool {
    FORGOTTEN_MARK.contains(text) || rules::all().any(|rule| mark_for(rule.kind).contains(text))
}

/// An upper bound on the length of a mark, in bytes.
const MAX_MARK_BYTES: usize = 64;

/// Returns whether a span lies inside a mark that redaction inserted.
fn is_inside_mark(text: &str, start: usize, end: usize) -> bool {
    let is_open = |at: &usize| text.as_bytes()[*at] == b'[';
    let Some(open) = (start.saturating_sub(MAX_MARK_BYTES)..=start).rev().find(is_open) else { return false };
    let mut marks = text.as_bytes()[open..].iter().take(MAX_MARK_BYTES);
    let Some(close) = marks.position(|byte| *byte == b']').map(|length| open + length + 1) else { return false };
    let mark = &text[open..close];
    end <= close && (mark == FORGOTTEN_MARK || rules::all().any(|rule| mark_for(rule.kind) == mark))
}

/// Returns whether this process ignores a session.
pub fn is_session_forgotten(session: &str) -> bool {
    active_list().is_some_and(|looked| looked.list.holds_session(session))
}

/// Returns whether the applied list contains the same texts and sessions as `list`.
pub fn is_active(list: &ForgottenList) -> bool {
    let own = active_list().unwrap_or_default();
    (&own.list.texts, &own.list.sessions) == (&list.texts, &list.sessions)
}

/// Returns the list that is applied now.
fn active_list() -> Option<Arc<ForgottenMatcher>> {
    ACTIVE_LIST.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
}

impl ForgottenList {
    /// Creates an empty list. `key` is 32 random bytes.
    pub fn new(key: [u8; 32]) -> Self {
        ForgottenList { key: hex(&key), ..ForgottenList::default() }
    }

    /// Adds a text.
    pub fn add_text(&mut self, text: &str) {
        let mark = ForgottenMark {
            length: text.len(),
            sieve: sieve(self.rolling_hash(text.as_bytes())),
            proof: self.proof_of(text),
        };
        if text.len() >= MIN_FORGOTTEN_BYTES && !self.texts.contains(&mark) {
            self.texts.push(mark);
        }
    }

    /// Adds a session.
    pub fn add_session(&mut self, session: &str) {
        let proof = self.proof_of(session);
        if !self.sessions.contains(&proof) {
            self.sessions.push(proof);
        }
    }

    /// Removes a session; returns whether it was listed.
    pub fn remove_session(&mut self, session: &str) -> bool {
        let (proof, before) = (self.proof_of(session), self.sessions.len());
        self.sessions.retain(|known| *known != proof);
        self.sessions.len() < before
    }

    /// Returns whether a session is listed.
    pub fn holds_session(&self, session: &str) -> bool {
        self.sessions.contains(&self.proof_of(session))
    }

    /// Prepares the list for searching.
    pub fn into_matcher(self) -> ForgottenMatcher {
        let mut by_length: BTreeMap<usize, HashMap<u32, Vec<usize>>> = BTreeMap::new();
        for (place, mark) in self.texts.iter().enumerate() {
            by_length.entry(mark.length).or_default().entry(mark.sieve).or_default().push(place);
        }
        let lengths = by_length.into_iter().map(|(length, marks)| {
            let mut bits = vec![0; marks.len().next_power_of_two()];
            for sieve in marks.keys() {
                let (word, bit) = sieve_bit(*sieve, bits.len());
                bits[word] |= bit;
            }
            MarksOfLength { length, bits, marks }
        });
        ForgottenMatcher { base: self.hash_base(), lengths: lengths.collect(), list: self }
    }

    /// Computes the rolling hash of bytes.
    fn rolling_hash(&self, bytes: &[u8]) -> u64 {
        let base = self.hash_base();
        bytes.iter().fold(0, |hash: u64, byte| hash.wrapping_mul(base).wrapping_add(u64::from(*byte) + 1))
    }

    /// Returns the base of the rolling hash. It depends on the key, so no precomputed table applies.
    fn hash_base(&self) -> u64 {
        let hash = blake3::hash(self.key.as_bytes());
        let chance = u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("a slice of eight bytes"));
        (chance ^ HASH_FACTOR) | 1
    }

    /// Computes the keyed hash that confirms a match.
    fn proof_of(&self, text: &str) -> String {
        let key = blake3::derive_key("patina 2026 what was forgotten", self.key.as_bytes());
        hex(&blake3::keyed_hash(&key, text.as_bytes()).as_bytes()[..16])
    }
}

/// Computes the rolling hash of every prefix; the hash of any part follows from two of them.
fn prefix_hashes(text: &str, base: u64) -> Vec<u64> {
    let mut sums = Vec::with_capacity(text.len() + 1);
    let mut sum = 0u64;
    sums.push(sum);
    for byte in text.bytes() {
        sum = sum.wrapping_mul(base).wrapping_add(u64::from(byte) + 1);
        sums.push(sum);
    }
    sums
}

/// Returns the word and the bit of a sieve in a bit set of `words` words.
fn sieve_bit(sieve: u32, words: usize) -> (usize, u64) {
    ((sieve >> 6) as usize & (words - 1), 1 << (sieve & 63))
}

impl ForgottenMatcher {
    /// Returns whether a session is listed.
    pub fn holds_session(&self, session: &str) -> bool {
        self.list.holds_session(session)
    }

    /// Returns whether a text contains a listed text.
    pub fn holds(&self, text: &str) -> bool {
        !self.spans_in(text).is_empty()
    }

    /// Returns whether a text contains a listed text or the mark of one.
    fn contains_or_marks(&self, text: &str) -> bool {
        (text.contains(FORGOTTEN_MARK) && !self.lengths.is_empty()) || !self.spans_in(text).is_empty()
    }

    /// Returns the spans of listed texts, in order.
    fn spans_in(&self, text: &str) -> Vec<SecretSpan> {
        let mut found: Vec<SecretSpan> = Vec::new();
        if self.lengths.is_empty() {
            return found;
        }
        let (base, sums) = (self.base, prefix_hashes(text, self.base));
        for MarksOfLength { length, bits, marks } in self.lengths.iter().filter(|one| one.length <= text.len()) {
            let power = (0..*length).fold(1u64, |power, _| power.wrapping_mul(base));
            // Few positions pass the bit test, and no iteration depends on an earlier one.
            for (start, (before, behind)) in sums.iter().zip(&sums[*length..]).enumerate() {
                let sieve = sieve(behind.wrapping_sub(before.wrapping_mul(power)));
                let (word, bit) = sieve_bit(sieve, bits.len());
                if bits[word] & bit == 0 {
                    continue;
                }
                let (Some(places), Some(window)) = (marks.get(&sieve), text.get(start..start + length)) else {
                    continue;
                };
                let proof = self.list.proof_of(window);
                let is_listed = places.iter().any(|place| self.list.texts[*place].proof == proof);
                // Text inside a mark is left alone; otherwise the mark would grow with each pass.
                if is_listed && !is_inside_mark(text, start, start + length) {
                    found.push(SecretSpan { kind: FORGOTTEN_KIND, start, end: start + length });
                }
            }
        }
        found.sort_unstable_by_key(|one| (one.start, one.end));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::replace_secrets_and;
    use super::*;
    use proptest::prelude::*;

    fn stripped(list: &ForgottenList, text: &str) -> String {
        replace_spans(text, &merge_overlapping(list.clone().into_matcher().spans_in(text)), |_| "").0
    }

    #[test]
    fn a_listed_text_is_replaced_anywhere() {
        let mut list = ForgottenList::new([7; 32]);
        list.add_text("Project Umbra");
        list.add_text("Straße");
        let check = |text: &str, expect: &str| assert_eq!(stripped(&list, text), expect);
        check("about Project Umbra, and Project Umbra", "about [forgotten], and [forgotten]");
        check("Project Umbr", "Project Umbr");
        check("in der Straße", "in der [forgotten]");
        check("", "");
        let kept = serde_json::to_string(&list).expect("it has a form");
        assert!(!kept.contains("Umbra"));
        assert_eq!(serde_json::from_str::<ForgottenList>(&kept).expect("it reads"), list);
    }

    #[test]
    fn forgetting_uncovers_no_secret_and_moves_no_line() {
        let mut list = ForgottenList::new([5; 32]);
        ["Umbragrove", "X-Umbra-Token", "UMBRA_PASSWORD", "two umbra\nlines", "by umbra: hu"]
            .iter()
            .for_each(|text| list.add_text(text));
        let list = list.into_matcher();
        let drawn = ["a1B2c3D4e5F6", "g7H8i9J0kLmN"].concat();
        let thought_up = ["hunter", "2"].concat();
        let check = |text: &str, expect: &str| {
            let once = replace_secrets_and(text, list.spans_in(text), |_| "").into_owned();
            assert_eq!(once, expect, "{text}");
            assert_eq!(replace_secrets_and(&once, list.spans_in(&once), |_| ""), once);
        };
        check("DB_PASSWORD=Umbragrove2024!x", "DB_PASSWORD=[redacted:password]");
        check(&format!("X-Umbra-Token: {drawn}"), "[forgotten]: [redacted:token]");
        check(&format!("UMBRA_PASSWORD={thought_up}"), "[forgotten]=[redacted:password]");
        check(&format!("password by umbra: {thought_up} x"), "password [forgotten]nter2 x");
        check("two umbra\nlines", "[forgotten]");
        let token = ["gh", "p_", &drawn, &drawn].concat();
        check(&format!("Umbragrove{token}"), "[forgotten][redacted:github-token]");
        let source = "a\ntwo umbra\nlines\nb";
        assert_eq!(replace_secrets_and(source, list.spans_in(source), |gap| gap), "a\n[forgotten]\n\nb");
    }

    #[test]
    fn a_part_of_a_mark_is_recognised_and_no_mark_grows() {
        for text in ["forgotten", "redacted", "[forg", "redacted:pass", "[forgotten]"] {
            assert!(is_part_of_mark(text), "{text}");
        }
        assert!(!is_part_of_mark("Umbra") && !is_part_of_mark("forgotten]:"));
        let mut list = ForgottenList::new([7; 32]);
        ["forgotten", "redacted", "jwt]"].iter().for_each(|text| list.add_text(text));
        let list = list.into_matcher();
        let check = |text: &str, expect: &str| {
            let once = replace_secrets_and(text, list.spans_in(text), |_| "").into_owned();
            assert_eq!(once, expect, "{text}");
            assert_eq!(replace_secrets_and(&once, list.spans_in(&once), |_| ""), once);
        };
        check("was forgotten", "was [forgotten]");
        check("[forgotten] [redacted:jwt] [redacted:no]", "[forgotten] [redacted:jwt] [[forgotten]:no]");
    }

    #[test]
    fn a_typed_mark_counts_only_once_texts_are_forgotten() {
        let mut list = ForgottenList::new([7; 32]);
        list.add_session("a");
        assert!(!list.clone().into_matcher().contains_or_marks("a text with [forgotten] in it"));
        list.add_text("Project Umbra");
        let list = list.into_matcher();
        assert!(
            list.contains_or_marks("a text with [forgotten] in it")
                && list.contains_or_marks("of Project Umbra")
                && !list.contains_or_marks("of none")
        );
    }

    #[test]
    fn a_list_of_the_old_form_is_read_and_kept_in_the_new_one() {
        let mut list = ForgottenList::new([7; 32]);
        list.add_text("Project Umbra");
        let rolling = list.rolling_hash(b"Project Umbra");
        let now = serde_json::to_string(&list).expect("it has a form");
        let old = now.replace(&format!("\"sieve\":{}", list.texts[0].sieve), &format!("\"rolling\":{rolling}"));
        assert_ne!(old, now);
        assert_eq!(serde_json::from_str::<ForgottenList>(&old).expect("it reads"), list);
        assert!(list.texts[0].sieve < 1 << SIEVE_BITS);
    }

    #[test]
    fn a_thousand_forgotten_texts_cost_no_time() {
        let text = "what is said of one thing may be said of another, and none of it is on the list; ".repeat(20_000);
        let seconds = |texts: usize| {
            let mut list = ForgottenList::new([7; 32]);
            (0..texts).for_each(|one| list.add_text(&format!("Umbra {one:06}{}", "z".repeat(one % 8))));
            let list = list.into_matcher();
            let start = std::time::Instant::now();
            assert!(list.spans_in(&text).is_empty());
            start.elapsed().as_secs_f64()
        };
        let (one, thousand) = (seconds(1), seconds(1000));
        assert!(thousand < 20.0 * one + 0.5, "{thousand} s for a thousand, {one} s for one");
    }

    #[test]
    fn another_key_gives_other_hashes() {
        let (mut a, mut b) = (ForgottenList::new([1; 32]), ForgottenList::new([2; 32]));
        a.add_text("the same");
        b.add_text("the same");
        assert_ne!(a.texts, b.texts);
    }

    proptest! {
        #[test]
        fn exactly_the_listed_text_is_found(before in ".{0,20}", text in "[a-zü ]{4,12}", after in ".{0,20}") {
            let mut list = ForgottenList::new([3; 32]);
            list.add_text(&text);
            let whole = format!("{before}{text}{after}");
            prop_assert_eq!(stripped(&list, &whole).contains(&text), false);
            prop_assume!(text.len() >= MIN_FORGOTTEN_BYTES && !before.contains(&text));
            prop_assert!(list.into_matcher().spans_in(&before).is_empty());
        }
    }
}
