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
        .chain(super::named::RULES)
}
