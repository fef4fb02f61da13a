//! What a person asked to be forgotten, kept so that it can be recognised and not read: of each text its length and two
//! keyed hashes, one that rolls over what is looked at and one that proves. Refuses to hold the text.

use std::sync::{Arc, RwLock};

use serde::{Deserialize, Serialize};

use super::{FORGOTTEN, Found, MARK};
use crate::event::hex;

/// Shortest text that can be forgotten, in bytes: what is shorter stands in half of all words.
pub const SHORTEST: usize = 4;

/// Factor of the rolling hash, odd and large; the arithmetic wraps.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Everything that was forgotten in a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// Chance, in hexadecimal: without it the hashes cannot be tried against guesses made elsewhere.
    key: String,
    texts: Vec<Mark>,
    sessions: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    length: usize,
    rolling: u64,
    proof: String,
}

/// What this process leaves out of everything that it reads.
static IN_FORCE: RwLock<Option<Arc<Forgotten>>> = RwLock::new(None);

/// From now on this process leaves out what is on a list.
pub fn leave_out(forgotten: Forgotten) {
    let list = (!forgotten.texts.is_empty() || !forgotten.sessions.is_empty()).then(|| Arc::new(forgotten));
    *IN_FORCE.write().unwrap_or_else(std::sync::PoisonError::into_inner) = list;
}

/// What this process leaves out of a text, in order; one may reach into the next.
pub(super) fn within(text: &str) -> Vec<Found> {
    in_force().map(|list| list.within(text)).unwrap_or_default()
}

/// Whether a text holds something that this process leaves out, or the place where it stood.
pub fn is_forgotten(text: &str) -> bool {
    in_force().is_some_and(|list| text.contains(MARK) || !list.within(text).is_empty())
}

/// Whether a session is left out by this process.
pub fn is_session_forgotten(session: &str) -> bool {
    in_force().is_some_and(|list| list.sessions.contains(&list.proof(session)))
}

fn in_force() -> Option<Arc<Forgotten>> {
    IN_FORCE.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
}

impl Forgotten {
    /// An empty list; `key` is 32 bytes of chance.
    pub fn new(key: [u8; 32]) -> Self {
        Forgotten { key: hex(&key), ..Forgotten::default() }
    }

    /// Puts a text on the list.
    pub fn add_text(&mut self, text: &str) {
        let mark = Mark { length: text.len(), rolling: self.roll(text.as_bytes()), proof: self.proof(text) };
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

    fn within(&self, text: &str) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        let mut lengths: Vec<usize> = self.texts.iter().map(|mark| mark.length).collect();
        lengths.sort_unstable();
        lengths.dedup();
        for length in lengths {
            let marks: Vec<&Mark> = self.texts.iter().filter(|mark| mark.length == length).collect();
            self.each_window(text, length, |start, rolling| {
                let Some(window) = text.get(start..start + length) else { return };
                let known = marks.iter().any(|mark| mark.rolling == rolling && mark.proof == self.proof(window));
                if known {
                    found.push(Found { kind: FORGOTTEN, start, end: start + length });
                }
            });
        }
        found.sort_unstable_by_key(|one| (one.start, one.end));
        found
    }

    /// Visits every window of a length with its rolling hash.
    fn each_window(&self, text: &str, length: usize, mut visit: impl FnMut(usize, u64)) {
        let bytes = text.as_bytes();
        if length == 0 || bytes.len() < length {
            return;
        }
        let base = self.base();
        let leaving = (1..length).fold(1u64, |power, _| power.wrapping_mul(base));
        let mut rolling = self.roll(&bytes[..length]);
        visit(0, rolling);
        for start in 1..=bytes.len() - length {
            rolling = rolling.wrapping_sub(u64::from(bytes[start - 1]).wrapping_add(1).wrapping_mul(leaving));
            rolling = rolling.wrapping_mul(base).wrapping_add(u64::from(bytes[start + length - 1]) + 1);
            visit(start, rolling);
        }
    }

    fn roll(&self, bytes: &[u8]) -> u64 {
        let base = self.base();
        bytes.iter().fold(0, |hash: u64, byte| hash.wrapping_mul(base).wrapping_add(u64::from(*byte) + 1))
    }

    /// The base depends on the key, so that the rolling hash gives as little away as the proof.
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

#[cfg(test)]
mod tests {
    use super::super::{joined, replaced, without};
    use super::*;
    use proptest::prelude::*;

    fn stripped(list: &Forgotten, text: &str) -> String {
        replaced(text, &joined(list.within(text)), |_| "").0
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
            prop_assert!(list.within(&before).is_empty());
        }
    }
}
