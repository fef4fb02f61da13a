//! Members through types, the same in every language that has them: a receiver has a type, the type
//! has fields, methods and bases. What a written type name means is each language's own affair.

use std::sync::Arc;

use super::text::{arity, bound, last_segment, parameters, written_type};
use super::{Candidate, Family, Hit, Meaning, Place, View, trust};
use crate::syntax::{Call, Form, Kind};

/// Longer chains of bases than this are a circle, or tell nothing.
const DEEPEST: u32 = 6;

/// What differs between languages in the way from a receiver to a method.
pub(super) trait Rules {
    /// True where this name stands for the object that the method around belongs to.
    fn is_self(&self, place: &Place, head: &str) -> bool;
    /// The types that a written type means at a place.
    fn types(&self, view: &View, place: &Place, written: &str) -> Meaning;
    /// The members of this name that belong to the type itself, bases apart.
    fn own(&self, view: &View, owner: &Candidate, name: &str) -> Vec<Arc<Candidate>>;
    /// What a callee as written means, for the type of what it returns.
    fn callee(&self, view: &View, place: &Place, call: &Call) -> Meaning;
    /// The part of a written type that members are looked up on: `T` of `Box<T>`, `*T`, `T | None`.
    fn peel<'t>(&self, written: &'t str) -> &'t str;
    /// The same for the type of what a call returns, which a `?` or an `unwrap` may have opened.
    fn opened<'t>(&self, written: &'t str) -> &'t str {
        written
    }
}

/// What a method call means, as far as the receiver's type can be told.
pub(super) fn method(rules: &dyn Rules, view: &View, place: &Place, call: &Call) -> Meaning {
    let receiver = receiver_of(&call.callee);
    let mut parts = receiver.split('.');
    let head = parts.next().unwrap_or_default();
    let (true, Some(owner)) = (rules.is_self(place, head), place.owner) else {
        if let Some(written) = &call.receiver_type {
            let types = typed(rules, view, place, written, trust::TYPED, "type of the receiver");
            return members(rules, view, types, &call.name);
        }
        if let Some(maker) = &call.receiver_call {
            let types = returned(rules, view, place, maker);
            if as_call(maker).receiver_call.is_some() {
                return link_members(rules, view, types, &call.name);
            }
            return members(rules, view, types, &call.name);
        }
        let mut types = of_parameter(rules, view, place, head);
        if parts.clone().next().is_none() {
            // The text did not tell the type of this very name: a local may hide the parameter.
            types = types.with(trust::HIDDEN, "type of a parameter of that name");
        }
        return through_fields(rules, view, types, parts, &call.name);
    };
    let types = rules.types(view, place, owner);
    if parts.clone().next().is_some() {
        return through_fields(rules, view, types, parts, &call.name);
    }
    // An implementation can stand in another file than its type, or on a type from outside.
    let beside = || {
        let mut found = view.named(&call.name);
        found.retain(|member| member.path == place.path && member.owner.as_deref() == Some(owner));
        Meaning::all(found, trust::OWN_MEMBER, "method of the same type")
    };
    match types {
        Meaning::Known(hits) => {
            let hits =
                hits.into_iter().map(|hit| Hit::new(hit.what, trust::OWN_MEMBER, "method of the same type")).collect();
            // The method is a member of this very object: an interface's own method is meant, too.
            match beside() {
                Meaning::Known(hits) => Meaning::Known(hits),
                _ => members(rules, view, Meaning::Known(hits), &call.name),
            }
        }
        other => match beside() {
            Meaning::Unknown => other,
            known => known,
        },
    }
}

/// The type of a parameter of the definition around, as its signature writes it.
fn of_parameter(rules: &dyn Rules, view: &View, place: &Place, name: &str) -> Meaning {
    let function = last_segment(place.scope);
    let written = parameters(place.signature, function).and_then(|list| written_type(list, name, view.family));
    match written {
        Some(written) if !matches!(name, "" | "_") => {
            typed(rules, view, place, written, trust::TYPED, "type of the parameter")
        }
        _ => Meaning::Unknown,
    }
}

/// The members of this name behind a chain of fields.
fn through_fields<'p>(
    rules: &dyn Rules,
    view: &View,
    mut types: Meaning,
    fields: impl Iterator<Item = &'p str>,
    name: &str,
) -> Meaning {
    for field in fields {
        types = field_types(rules, view, types, field, 0);
    }
    members(rules, view, types, name)
}

/// The types of a variable of a file or package, as its declaration writes it.
pub(super) fn of_variable(rules: &dyn Rules, view: &View, variable: &Candidate) -> Meaning {
    let written =
        variable.return_type.as_deref().or_else(|| written_type(&variable.signature, &variable.name, view.family));
    let Some(written) = written else {
        return Meaning::Unknown;
    };
    typed(rules, view, &Place::inside(variable), written, trust::FIELD, "type of the variable")
}

/// What stands before the last `.`, `->` or `::` of a callee; empty where nothing does.
pub(super) fn receiver_of(callee: &str) -> &str {
    let end = callee.rfind(['.', ':', '>']).unwrap_or(0);
    callee[..end].trim_end_matches([':', '-', '.', '?', '!'])
}

/// The types that a written type means, with this trust at most.
pub(super) fn typed(
    rules: &dyn Rules,
    view: &View,
    place: &Place,
    written: &str,
    confidence: f32,
    reason: &'static str,
) -> Meaning {
    let peeled = rules.peel(written);
    let peeled = bound(place.signature, peeled).unwrap_or(peeled);
    match rules.types(view, place, peeled) {
        Meaning::Known(hits) => Meaning::Known(
            hits.into_iter().map(|hit| Hit::new(hit.what, hit.confidence.min(confidence), reason)).collect(),
        ),
        // A type that nothing here is named like is the platform's, unless it is a type parameter.
        Meaning::Unknown if peeled.len() > LONGEST_TYPE_PARAMETER => {
            let known = view.named(last_segment(peeled)).iter().any(|item| item.kind == Kind::Type);
            if known { Meaning::Unknown } else { Meaning::External }
        }
        other => other,
    }
}

/// Type parameters are letters, with a digit at most.
const LONGEST_TYPE_PARAMETER: usize = 2;

/// The types of what a callee returns.
fn returned(rules: &dyn Rules, view: &View, place: &Place, maker: &str) -> Meaning {
    let call = as_call(maker);
    let made = match &call.receiver_call {
        Some(link) => {
            let types = view.deeper(Meaning::Unknown, || returned(rules, view, place, link));
            link_members(rules, view, types, &call.name)
        }
        None => view.deeper(Meaning::Unknown, || rules.callee(view, place, &call)),
    };
    let makers = match made {
        Meaning::Known(hits) => hits,
        other => return other,
    };
    let mut types = Vec::new();
    let mut outside = false;
    for hit in makers {
        let sure = hit.confidence.min(trust::RETURNED);
        let reason = "type that the receiver's call returns";
        if hit.what.kind == Kind::Type {
            types.push(Hit::new(hit.what, sure, reason));
            continue;
        }
        let Some(written) = hit.what.return_type.clone() else {
            continue;
        };
        let written = rules.opened(&written);
        match typed(rules, view, &Place::inside(&hit.what), written, sure, reason) {
            Meaning::Known(hits) => types.extend(hits),
            Meaning::External => outside = true,
            Meaning::Unknown => {}
        }
    }
    Meaning::of(types, if outside { Meaning::External } else { Meaning::Unknown })
}

/// The members of this name of what a chain of calls returns. A type that lacks it tells nothing here: each call
/// of a chain may wrap the type in one whose members are its own. Nor does a package of JavaScript, which may be
/// this repository's own under the name that it is published by.
fn link_members(rules: &dyn Rules, view: &View, types: Meaning, name: &str) -> Meaning {
    let is_told = view.family != Family::JavaScript && !matches!(types, Meaning::Known(_));
    match members(rules, view, types, name) {
        Meaning::External if !is_told => Meaning::Unknown,
        meaning => meaning,
    }
}

/// A call with nothing known but its callee. A receiver that is a call itself, as in `a().b`, is known
/// by what it returns.
pub(super) fn as_call(callee: &str) -> Call {
    let made = callee.rsplit_once("()").filter(|(_, rest)| rest.starts_with(['.', '-', '?']));
    let receiver_call = made.map(|(maker, _)| maker.to_owned());
    let form_of = if made.is_some() { "_._" } else { callee };
    let name = last_segment(made.map_or(callee, |(_, rest)| rest)).to_owned();
    let form = if form_of.contains("::") {
        Form::Path
    } else if form_of.contains(['.', '>']) {
        Form::Method
    } else {
        Form::Free
    };
    Call {
        caller: None,
        name,
        callee: callee.to_owned(),
        form,
        receiver_type: None,
        receiver_call,
        local: false,
        line: 0,
        arguments: None,
    }
}

fn field_types(rules: &dyn Rules, view: &View, types: Meaning, field: &str, depth: u32) -> Meaning {
    let Meaning::Known(owners) = types else {
        return types;
    };
    let mut found = Vec::new();
    let mut outside = false;
    for owner in owners {
        let place = Place::inside(&owner.what);
        let written = owner.what.fields.iter().find(|(name, _)| name == field);
        let meaning = match written {
            Some((_, written)) => {
                let sure = owner.confidence.min(trust::FIELD);
                typed(rules, view, &place, written, sure, "type of the field")
            }
            None if depth < DEEPEST => {
                let bases = bases(rules, view, &owner);
                field_types(rules, view, bases, field, depth + 1)
            }
            None => Meaning::Unknown,
        };
        match meaning {
            Meaning::Known(hits) => found.extend(hits),
            Meaning::External => outside = true,
            Meaning::Unknown => {}
        }
    }
    Meaning::of(found, if outside { Meaning::External } else { Meaning::Unknown })
}

/// The members of this name of types, bases included. A type that is known and has no such member
/// gets it from outside.
pub(super) fn members(rules: &dyn Rules, view: &View, types: Meaning, name: &str) -> Meaning {
    deep_members(rules, view, types, name, 0)
}

fn deep_members(rules: &dyn Rules, view: &View, types: Meaning, name: &str, depth: u32) -> Meaning {
    let Meaning::Known(owners) = types else {
        return types;
    };
    let mut found: Vec<Hit> = Vec::new();
    for owner in owners {
        let own = rules.own(view, &owner.what, name);
        if own.is_empty() && depth < DEEPEST {
            let bases = bases(rules, view, &owner);
            let inherited = deep_members(rules, view, bases, name, depth + 1);
            let inherited = match is_abstract(&owner) {
                true => inherited.with(trust::INTERFACE, "method of the interface"),
                false => inherited,
            };
            if let Meaning::Known(hits) = inherited {
                found.extend(hits);
            }
            continue;
        }
        let interface = is_abstract(&owner) && depth == 0;
        found.extend(own.into_iter().map(|what| {
            // Go writes an interface's methods without `func`.
            let declared = view.family == Family::Go && !what.signature.starts_with("func");
            if interface || declared {
                let sure = owner.confidence.min(trust::INTERFACE);
                Hit::new(what, sure, "method of the interface")
            } else {
                Hit::new(what, owner.confidence, owner.reason)
            }
        }));
    }
    Meaning::of(found, Meaning::External)
}

/// True where some implementation of an interface runs. On the object itself the word is its own.
fn is_abstract(owner: &Hit) -> bool {
    is_interface(&owner.what) && owner.confidence < trust::OWN_MEMBER
}

fn bases(rules: &dyn Rules, view: &View, owner: &Hit) -> Meaning {
    let place = Place::inside(&owner.what);
    let mut found = Vec::new();
    for base in &owner.what.bases {
        let types = || typed(rules, view, &place, base, owner.confidence, owner.reason);
        if let Meaning::Known(hits) = view.deeper(Meaning::External, types) {
            found.extend(hits.into_iter().filter(|hit| hit.what.key != owner.what.key));
        }
    }
    Meaning::of(found, Meaning::External)
}

/// True for a trait, interface or protocol: its methods are run by others.
pub(super) fn is_interface(candidate: &Candidate) -> bool {
    candidate.kind == Kind::Type
        && candidate.signature.split([' ', '<', ':']).any(|word| matches!(word, "trait" | "interface"))
}

/// The hits that the number of arguments fits, where several are left to choose from; what is still
/// several is sure of none.
pub(super) fn fitting(mut hits: Vec<Hit>, call: &Call, family: Family) -> Vec<Hit> {
    hits.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.what.key.cmp(&b.what.key)));
    hits.dedup_by(|a, b| a.what.key == b.what.key);
    if hits.len() < 2 {
        return hits;
    }
    if hits.iter().any(|hit| agrees(&hit.what, call, family)) {
        hits.retain(|hit| agrees(&hit.what, call, family));
    }
    // One package of Go can hold a definition twice only for two platforms: both are meant.
    if hits.len() > 1 && family != Family::Go {
        for hit in &mut hits {
            hit.confidence = hit.confidence.min(trust::SEVERAL);
        }
    }
    hits
}

/// False where the numbers of arguments and parameters are known and differ.
pub(super) fn agrees(candidate: &Candidate, call: &Call, family: Family) -> bool {
    let Some(given) = call.arguments else {
        return true;
    };
    let Some((least, most)) = arity(&candidate.signature, &candidate.name, family) else {
        return true;
    };
    let fits = |given: u32| given >= least && most.is_none_or(|most| given <= most);
    // `Type::method(object)` passes the receiver as an argument.
    fits(given) || call.form == Form::Path && candidate.owner.is_some() && given > 0 && fits(given - 1)
}
