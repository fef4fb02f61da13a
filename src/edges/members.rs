//! Resolves members through types, by one algorithm for all languages: a receiver has a type, and the type has fields,
//! methods and bases. How a written type is resolved is each language's own.

use std::sync::Arc;

use super::text::{arity, bound, last_segment, parameters, written_type};
use super::{Family, LiveDefinition, NameScope, Resolution, ScoredDefinition, VisibleNames, trust};
use crate::syntax::{Call, CallForm, DefinitionKind};

/// Longest chain of bases that is followed; a longer one is circular or of no use.
const MAX_BASES: u32 = 6;

/// The steps of member resolution that differ between languages.
pub(super) trait Rules {
    /// Returns whether a name is the receiver of the enclosing method, as `self` and `this` are.
    fn is_self(&self, place: &NameScope, head: &str) -> bool;
    /// Resolves a written type.
    fn resolve_type(&self, names: &VisibleNames, place: &NameScope, written: &str) -> Resolution;
    /// Returns the members of a type with a name, without those of its bases.
    fn own_members(&self, names: &VisibleNames, owner: &LiveDefinition, name: &str) -> Vec<Arc<LiveDefinition>>;
    /// Resolves a written callee, for the type of what it returns.
    fn resolve_callee(&self, names: &VisibleNames, place: &NameScope, call: &Call) -> Resolution;
    /// Returns the part of a written type on which members are looked up: `T` of `Box<T>`, `*T`, `T | None`.
    fn strip_wrappers<'t>(&self, written: &'t str) -> &'t str;
    /// Like [`strip_wrappers`](Rules::strip_wrappers), for a return type that a `?` or `unwrap` may have unwrapped.
    fn unwrapped<'t>(&self, written: &'t str) -> &'t str {
        written
    }
}

/// Resolves a method call, as far as the receiver's type is known.
pub(super) fn method(rules: &dyn Rules, names: &VisibleNames, place: &NameScope, call: &Call) -> Resolution {
    let receiver = receiver_of(&call.callee);
    let mut parts = receiver.split('.');
    let head = parts.next().unwrap_or_default();
    let (true, Some(owner)) = (rules.is_self(place, head), place.owner) else {
        if let Some(written) = &call.receiver_type {
            let types = typed(rules, names, place, written, trust::TYPED, "type of the receiver");
            return members(rules, names, types, &call.name);
        }
        if let Some(maker) = &call.receiver_call {
            let types = returned(rules, names, place, maker);
            if as_call(maker).receiver_call.is_some() {
                return link_members(rules, names, types, &call.name);
            }
            return members(rules, names, types, &call.name);
        }
        let mut types = of_parameter(rules, names, place, head);
        if parts.clone().next().is_none() {
            // The parser found no type for this name, so a local may shadow the parameter.
            types = types.with(trust::HIDDEN, "type of a parameter of that name");
        }
        return through_fields(rules, names, types, parts, &call.name);
    };
    let types = rules.resolve_type(names, place, owner);
    if parts.clone().next().is_some() {
        return through_fields(rules, names, types, parts, &call.name);
    }
    // An implementation may be in another file than its type, or for an external type.
    let beside = || {
        let mut found = names.named(&call.name);
        found.retain(|member| member.path == place.path && member.owner.as_deref() == Some(owner));
        Resolution::all(found, trust::OWN_MEMBER, "method of the same type")
    };
    match types {
        Resolution::Known(hits) => {
            let hits = hits
                .into_iter()
                .map(|hit| ScoredDefinition::new(hit.what, trust::OWN_MEMBER, "method of the same type"))
                .collect();
            // Called on the object itself, so an interface's method may be the one that runs.
            match beside() {
                Resolution::Known(hits) => Resolution::Known(hits),
                _ => members(rules, names, Resolution::Known(hits), &call.name),
            }
        }
        other => match beside() {
            Resolution::Unknown => other,
            known => known,
        },
    }
}

/// Resolves the type of a parameter of the enclosing definition, as written in its signature.
fn of_parameter(rules: &dyn Rules, names: &VisibleNames, place: &NameScope, name: &str) -> Resolution {
    let function = last_segment(place.scope);
    let written = parameters(place.signature, function).and_then(|list| written_type(list, name, names.family));
    match written {
        Some(written) if !matches!(name, "" | "_") => {
            typed(rules, names, place, written, trust::TYPED, "type of the parameter")
        }
        _ => Resolution::Unknown,
    }
}

/// Resolves a member behind a chain of fields.
fn through_fields<'p>(
    rules: &dyn Rules,
    names: &VisibleNames,
    mut types: Resolution,
    fields: impl Iterator<Item = &'p str>,
    name: &str,
) -> Resolution {
    for field in fields {
        types = field_types(rules, names, types, field, 0);
    }
    members(rules, names, types, name)
}

/// Resolves the type of a variable of a file or package, as written in its declaration.
pub(super) fn of_variable(rules: &dyn Rules, names: &VisibleNames, variable: &LiveDefinition) -> Resolution {
    let written =
        variable.return_type.as_deref().or_else(|| written_type(&variable.signature, &variable.name, names.family));
    let Some(written) = written else {
        return Resolution::Unknown;
    };
    typed(rules, names, &NameScope::inside(variable), written, trust::FIELD, "type of the variable")
}

/// Returns the receiver of a callee: what precedes the last `.`, `->` or `::`; empty if there is none.
pub(super) fn receiver_of(callee: &str) -> &str {
    let end = callee.rfind(['.', ':', '>']).unwrap_or(0);
    callee[..end].trim_end_matches([':', '-', '.', '?', '!'])
}

/// Resolves a written type, with at most this confidence.
pub(super) fn typed(
    rules: &dyn Rules,
    names: &VisibleNames,
    place: &NameScope,
    written: &str,
    confidence: f32,
    reason: &'static str,
) -> Resolution {
    let peeled = rules.strip_wrappers(written);
    let peeled = bound(place.signature, peeled).unwrap_or(peeled);
    match rules.resolve_type(names, place, peeled) {
        Resolution::Known(hits) => Resolution::Known(
            hits.into_iter()
                .map(|hit| ScoredDefinition::new(hit.what, hit.confidence.min(confidence), reason))
                .collect(),
        ),
        // A type name that the repository does not define is the platform's, unless it is a type parameter.
        Resolution::Unknown if peeled.len() > MAX_TYPE_PARAMETER => {
            let known = names.named(last_segment(peeled)).iter().any(|item| item.kind == DefinitionKind::Type);
            if known { Resolution::Unknown } else { Resolution::External }
        }
        other => other,
    }
}

/// Longest name of a type parameter: a letter, perhaps with a digit.
const MAX_TYPE_PARAMETER: usize = 2;

/// Resolves the type that a callee returns.
fn returned(rules: &dyn Rules, names: &VisibleNames, place: &NameScope, maker: &str) -> Resolution {
    let call = as_call(maker);
    let made = match &call.receiver_call {
        Some(link) => {
            let types = names.deeper(Resolution::Unknown, || returned(rules, names, place, link));
            link_members(rules, names, types, &call.name)
        }
        None => names.deeper(Resolution::Unknown, || rules.resolve_callee(names, place, &call)),
    };
    let makers = match made {
        Resolution::Known(hits) => hits,
        other => return other,
    };
    let mut types = Vec::new();
    let mut outside = false;
    for hit in makers {
        let sure = hit.confidence.min(trust::RETURNED);
        let reason = "type that the receiver's call returns";
        if hit.what.kind == DefinitionKind::Type {
            types.push(ScoredDefinition::new(hit.what, sure, reason));
            continue;
        }
        let Some(written) = hit.what.return_type.clone() else {
            continue;
        };
        let written = rules.unwrapped(&written);
        match typed(rules, names, &NameScope::inside(&hit.what), written, sure, reason) {
            Resolution::Known(hits) => types.extend(hits),
            Resolution::External => outside = true,
            Resolution::Unknown => {}
        }
    }
    Resolution::of(types, if outside { Resolution::External } else { Resolution::Unknown })
}

/// Resolves a member of what a chain of calls returns.
///
/// A type without this member does not make it external: each call of a chain may wrap the type in one with its own
/// members. Nor does an external JavaScript package, which may be this repository's under its published name.
fn link_members(rules: &dyn Rules, names: &VisibleNames, types: Resolution, name: &str) -> Resolution {
    let is_told = names.family != Family::JavaScript && !matches!(types, Resolution::Known(_));
    match members(rules, names, types, name) {
        Resolution::External if !is_told => Resolution::Unknown,
        meaning => meaning,
    }
}

/// Builds a call of which only the callee is known. A receiver that is itself a call, as in `a().b`, has the type which
/// that call returns.
pub(super) fn as_call(callee: &str) -> Call {
    let made = callee.rsplit_once("()").filter(|(_, rest)| rest.starts_with(['.', '-', '?']));
    let receiver_call = made.map(|(maker, _)| maker.to_owned());
    let form_of = if made.is_some() { "_._" } else { callee };
    let name = last_segment(made.map_or(callee, |(_, rest)| rest)).to_owned();
    let form = if form_of.contains("::") {
        CallForm::Path
    } else if form_of.contains(['.', '>']) {
        CallForm::Method
    } else {
        CallForm::Free
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

/// Resolves the types of a field of some types, through their bases.
fn field_types(rules: &dyn Rules, names: &VisibleNames, types: Resolution, field: &str, depth: u32) -> Resolution {
    let Resolution::Known(owners) = types else {
        return types;
    };
    let mut found = Vec::new();
    let mut outside = false;
    for owner in owners {
        let place = NameScope::inside(&owner.what);
        let written = owner.what.fields.iter().find(|(name, _)| name == field);
        let meaning = match written {
            Some((_, written)) => {
                let sure = owner.confidence.min(trust::FIELD);
                typed(rules, names, &place, written, sure, "type of the field")
            }
            None if depth < MAX_BASES => {
                let bases = bases(rules, names, &owner);
                field_types(rules, names, bases, field, depth + 1)
            }
            None => Resolution::Unknown,
        };
        match meaning {
            Resolution::Known(hits) => found.extend(hits),
            Resolution::External => outside = true,
            Resolution::Unknown => {}
        }
    }
    Resolution::of(found, if outside { Resolution::External } else { Resolution::Unknown })
}

/// Resolves a member of types, through their bases. If a type is known and has no such member, the member is external.
pub(super) fn members(rules: &dyn Rules, names: &VisibleNames, types: Resolution, name: &str) -> Resolution {
    deep_members(rules, names, types, name, 0)
}

/// Like [`members`]; `depth` is the number of bases followed so far.
fn deep_members(rules: &dyn Rules, names: &VisibleNames, types: Resolution, name: &str, depth: u32) -> Resolution {
    let Resolution::Known(owners) = types else {
        return types;
    };
    let mut found: Vec<ScoredDefinition> = Vec::new();
    for owner in owners {
        let own = rules.own_members(names, &owner.what, name);
        if own.is_empty() && depth < MAX_BASES {
            let bases = bases(rules, names, &owner);
            let inherited = deep_members(rules, names, bases, name, depth + 1);
            let inherited = match is_abstract(&owner) {
                true => inherited.with(trust::INTERFACE, "method of the interface"),
                false => inherited,
            };
            if let Resolution::Known(hits) = inherited {
                found.extend(hits);
            }
            continue;
        }
        let interface = is_abstract(&owner) && depth == 0;
        found.extend(own.into_iter().map(|what| {
            // Go writes an interface's methods without `func`.
            let declared = names.family == Family::Go && !what.signature.starts_with("func");
            if interface || declared {
                let sure = owner.confidence.min(trust::INTERFACE);
                ScoredDefinition::new(what, sure, "method of the interface")
            } else {
                ScoredDefinition::new(what, owner.confidence, owner.reason)
            }
        }));
    }
    Resolution::of(found, Resolution::External)
}

/// Returns whether an implementation may run instead of the member found; false for a call on the object itself.
fn is_abstract(owner: &ScoredDefinition) -> bool {
    is_interface(&owner.what) && owner.confidence < trust::OWN_MEMBER
}

/// Resolves the bases of a type.
fn bases(rules: &dyn Rules, names: &VisibleNames, owner: &ScoredDefinition) -> Resolution {
    let place = NameScope::inside(&owner.what);
    let mut found = Vec::new();
    for base in &owner.what.bases {
        let types = || typed(rules, names, &place, base, owner.confidence, owner.reason);
        if let Resolution::Known(hits) = names.deeper(Resolution::External, types) {
            found.extend(hits.into_iter().filter(|hit| hit.what.key != owner.what.key));
        }
    }
    Resolution::of(found, Resolution::External)
}

/// Returns whether a definition is a trait, interface or protocol, whose methods others implement.
pub(super) fn is_interface(candidate: &LiveDefinition) -> bool {
    candidate.kind == DefinitionKind::Type
        && candidate.signature.split([' ', '<', ':']).any(|word| matches!(word, "trait" | "interface"))
}

/// Keeps the definitions whose arity matches the number of arguments, if any does; if several remain, none has high
/// confidence.
pub(super) fn fitting(mut hits: Vec<ScoredDefinition>, call: &Call, family: Family) -> Vec<ScoredDefinition> {
    hits.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.what.key.cmp(&b.what.key)));
    hits.dedup_by(|a, b| a.what.key == b.what.key);
    if hits.len() < 2 {
        return hits;
    }
    if hits.iter().any(|hit| agrees(&hit.what, call, family)) {
        hits.retain(|hit| agrees(&hit.what, call, family));
    }
    // A Go package can define a name twice only for two platforms; a call means both.
    if hits.len() > 1 && family != Family::Go {
        for hit in &mut hits {
            hit.confidence = hit.confidence.min(trust::SEVERAL);
        }
    }
    hits
}

/// Returns whether the number of arguments matches the definition's arity, or one of them is unknown.
pub(super) fn agrees(candidate: &LiveDefinition, call: &Call, family: Family) -> bool {
    let Some(given) = call.arguments else {
        return true;
    };
    let Some((least, most)) = arity(&candidate.signature, &candidate.name, family) else {
        return true;
    };
    let fits = |given: u32| given >= least && most.is_none_or(|most| given <= most);
    // `Type::method(object)` passes the receiver as an argument.
    fits(given) || call.form == CallForm::Path && candidate.owner.is_some() && given > 0 && fits(given - 1)
}
