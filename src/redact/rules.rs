//! The table of known secrets, by family: each is a beginning and a strict form. Refusal: no rule without a beginning that
//! can be searched for, as a rule that guesses eats ordinary code; no rule of another tool's.

mod cloud;
mod code;
mod delivery;
mod keys;
mod messages;
mod models;
mod payment;
mod services;

use super::form::Piece;

/// One kind of secret.
pub(super) struct Rule {
    /// The kind, as it is shown.
    pub kind: &'static str,
    /// How it begins, exactly or, with `is_folded`, in any case. Two bytes at least.
    pub starts: &'static [&'static str],
    /// Whether the case of the beginning does not matter; it is written small then.
    pub is_folded: bool,
    /// What may stand before.
    pub left: Left,
    /// The rest of the form.
    pub form: Form,
    /// What holds for a true one: it is believed even in the middle of a word.
    pub holds: Option<fn(&[u8]) -> bool>,
    /// What holds for every true one.
    pub only: Option<fn(&[u8]) -> bool>,
    /// What the part after the beginning must have.
    pub needs: Need,
}

/// How a secret goes on after its beginning.
pub(super) enum Form {
    /// These parts; all is secret.
    Key(&'static [Piece]),
    /// The beginning stays, and these parts are secret.
    After(&'static [Piece]),
    /// What a function finds around or behind a beginning.
    Find(fn(&Place) -> Option<(usize, usize)>),
    /// What a function finds, of which there may be several.
    Many(fn(&Place, &mut Vec<(usize, usize)>)),
}

/// Where a rule is tried.
pub(super) struct Place<'a> {
    /// All of the text.
    pub text: &'a [u8],
    /// Where the beginning stands.
    pub start: usize,
    /// And where it ends.
    pub after: usize,
    /// What lies before has been dealt with and is not looked at any more.
    pub done: usize,
}

/// What may stand to the left of a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Anything.
    Any,
    /// No letter, digit or underscore: the secret is a word of its own.
    Word,
    /// Not even a hyphen, a plus or a slash: inside of base64 a start is an accident.
    Base64,
}

/// How varied a secret must be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing.
    Nothing,
    /// More than a few different characters: a row of `X` stands for a key and is none.
    Variety,
    /// Also two of capitals, small letters and digits: words joined by hyphens or underscores have one.
    Mixture,
    /// Also a digit.
    Digits,
}

impl Place<'_> {
    /// How many bytes right before the beginning fulfil something, counted no further than `most`. The letter of an
    /// escape such as \\n is none of them.
    fn before(&self, most: usize, has: impl Fn(u8) -> bool) -> usize {
        let left = &self.text[self.done..self.start];
        let count = left.iter().rev().take(most).take_while(|byte| has(**byte)).count();
        let is_escape = matches!(left[..left.len() - count], [.., b'\\'])
            && matches!(left[left.len() - count..], [b'n' | b'r' | b't', ..]);
        count - usize::from(is_escape)
    }
}

/// A key that is secret as a whole.
const fn key(kind: &'static str, starts: &'static [&'static str], form: &'static [Piece]) -> Rule {
    Rule {
        kind,
        starts,
        is_folded: false,
        left: Left::Word,
        form: Form::Key(form),
        holds: None,
        only: None,
        needs: Need::Mixture,
    }
}

/// A secret that follows a beginning which is none.
const fn after(kind: &'static str, starts: &'static [&'static str], form: &'static [Piece]) -> Rule {
    Rule { left: Left::Any, form: Form::After(form), ..key(kind, starts, &[]) }
}

/// A secret that a function finds.
const fn find(
    kind: &'static str,
    starts: &'static [&'static str],
    found: fn(&Place) -> Option<(usize, usize)>,
) -> Rule {
    Rule { left: Left::Any, form: Form::Find(found), needs: Need::Nothing, ..key(kind, starts, &[]) }
}

impl Rule {
    const fn left(self, left: Left) -> Rule {
        Rule { left, ..self }
    }

    const fn needs(self, needs: Need) -> Rule {
        Rule { needs, ..self }
    }

    const fn holds(self, holds: fn(&[u8]) -> bool) -> Rule {
        Rule { holds: Some(holds), ..self }
    }

    const fn only(self, only: fn(&[u8]) -> bool) -> Rule {
        Rule { only: Some(only), ..self }
    }
}

/// All families. Within one beginning the first that fits counts, so what is more special stands first.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    let families =
        [code::RULES, cloud::RULES, delivery::RULES, models::RULES, payment::RULES, messages::RULES, services::RULES];
    families
        .into_iter()
        .flatten()
        .chain(keys::RULES)
        .chain(super::kubernetes::RULES)
        .chain(super::places::RULES)
        .chain(super::command::RULES)
        .chain(super::named::RULES)
        .chain(super::tables::RULES)
}

#[cfg(test)]
mod tests {
    use super::super::checksum::tests::{base58_check, bech32};
    use super::super::form::Class;
    use super::super::{find, redact};
    use super::*;

    /// A run of an alphabet in which letters, digits and capitals take turns.
    fn run(class: Class, length: usize, shift: usize) -> String {
        let mixed = b"a7Kb3Xc9Qd1Ze5Rf8Wg2Uh4Vj6Tk0YmLnPpSqNrMsDtFuGvHwJxByCzAE";
        let letters: Vec<u8> = mixed.iter().copied().filter(|byte| class.has(*byte)).collect();
        (0..length).map(|at| char::from(letters[(at * 7 + shift) % letters.len()])).collect()
    }

    /// A key that a rule is there for; none where the rule wants more than its form.
    fn sample(rule: &Rule, start: &str) -> Option<String> {
        let (Form::Key(pieces) | Form::After(pieces)) = rule.form else { return None };
        let mut key = start.to_string();
        for (shift, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Text(text) => key.push_str(text),
                Piece::Any(texts) => key.push_str(texts[0]),
                Piece::Run(class, least, most) => key.push_str(&run(*class, (*least).max(16).min(*most), shift * 5)),
            }
        }
        match rule.kind {
            "nostr-key" => Some(bech32("nsec", &"qpzry9x8".repeat(8)[..52])),
            // Its version, and 74 bytes more.
            "wallet-key" if start == "xprv" => Some(base58_check(&[&[0x04, 0x88, 0xad, 0xe4][..], &[7; 74]].concat())),
            "wallet-key" => None,
            "discord-token" if start != "MT" => None,
            // The number of a bot in base64.
            "discord-token" => {
                Some(key.replacen(key.split('.').next()?, &["MTIzNDU2Nzg5", "MDEyMzQ1Njc4"].concat(), 1))
            }
            "jwt" => Some(key.replacen(key.split('.').next()?, &["eyJhbGci", "OiJkaXIifQ"].concat(), 1)),
            _ => Some(key),
        }
    }

    #[test]
    fn every_rule_finds_what_it_is_there_for() {
        let mut kinds = std::collections::BTreeSet::new();
        for rule in all() {
            for start in rule.starts {
                kinds.insert(rule.kind);
                let Some(key) = sample(rule, start) else { continue };
                let places = [("", ""), ("\"", "\";"), ("{\"a\":\"b\\n", "\\n\"}"), ("a=", " b"), ("(", ")")];
                for (left, right) in places {
                    let text = format!("{left}{key}{right}");
                    let found = find(&text);
                    assert_eq!(found.len(), 1, "{} in {text}: {found:?}", rule.kind);
                    assert_eq!(found[0].end, left.len() + key.len(), "{} in {text}: {found:?}", rule.kind);
                    assert_eq!(redact(&redact(&text)), redact(&text), "{text}");
                }
            }
        }
        assert!(kinds.len() > 130, "{} kinds", kinds.len());
    }

    #[test]
    fn a_row_of_one_letter_is_no_key() {
        for rule in all() {
            let Form::Key(pieces) = rule.form else { continue };
            let alike = |piece: &Piece| match piece {
                Piece::Text(text) => (*text).to_string(),
                Piece::Any(texts) => texts[0].to_string(),
                Piece::Run(class, least, _) => if class.has(b'X') { "X" } else { "a" }.repeat(*least),
            };
            let text = rule.starts[0].to_string() + &pieces.iter().map(alike).collect::<String>();
            let is_own = find(&text).iter().any(|found| found.kind == rule.kind && found.start == 0);
            // What stands between the runs has variety enough.
            assert!(!is_own || pieces.len() > 1, "{} in {text}", rule.kind);
        }
    }
}
