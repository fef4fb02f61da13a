//! Java: names through the classes around, superclasses and static imports; types through the file, its
//! imports and its package's folder. What reflection or injection ties together is not seen.

use std::sync::Arc;

use super::members::{self, Rules, receiver_of};
use super::text::{bare, below, ends_with_path, folder, scopes};
use super::{Candidate, Hit, Meaning, Place, View, trust};
use crate::syntax::{Call, Form, Kind};

/// What a Java call means.
pub(super) fn resolve(view: &View, place: &Place, call: &Call) -> Meaning {
    Java.callee(view, place, call)
}

struct Java;

impl Rules for Java {
    fn is_self(&self, _: &Place, head: &str) -> bool {
        head == "this"
    }

    fn types(&self, view: &View, place: &Place, written: &str) -> Meaning {
        types(view, place, bare(written))
    }

    fn own(&self, view: &View, owner: &Candidate, name: &str) -> Vec<Arc<Candidate>> {
        let mut found = view.named(name);
        found.retain(|member| {
            let qualified = member.qualified.split('(').next().unwrap_or_default();
            member.path == owner.path && qualified == format!("{}.{name}", owner.qualified)
        });
        found
    }

    fn callee(&self, view: &View, place: &Place, call: &Call) -> Meaning {
        let receiver = receiver_of(&call.callee);
        if receiver.is_empty() {
            return free(view, place, call);
        }
        if receiver == "super" {
            return of_bases(view, place, &call.name);
        }
        members::method(self, view, place, call)
            .or_else(|| {
                let typed = types(view, place, receiver).with(trust::IMPORT, "static method of the class");
                members::members(self, view, typed, &call.name)
            })
            .or_else(|| of_field(view, place, receiver, &call.name))
    }

    fn peel<'t>(&self, written: &'t str) -> &'t str {
        let written = written.trim();
        let written = ["Optional<", "final "].iter().find_map(|word| written.strip_prefix(word)).unwrap_or(written);
        if written.ends_with("[]") { "" } else { bare(written.trim_end_matches('>')) }
    }
}

/// A bare call: a constructor, a method of a class around or of its bases, or a static import.
fn free(view: &View, place: &Place, call: &Call) -> Meaning {
    if call.callee == "super" {
        return of_bases(view, place, "");
    }
    for scope in scopes(place.scope, ".") {
        let mut around = view.named(scope.rsplit('.').next().unwrap_or(scope));
        around.retain(|ty| ty.kind == Kind::Type && ty.path == place.path && ty.qualified == scope);
        let around = Meaning::all(around, trust::OWN_MEMBER, "method of the same class");
        if let Meaning::Known(hits) = members::members(&Java, view, around, &call.name) {
            return Meaning::Known(hits);
        }
    }
    if call.form == Form::Free && call.name.starts_with(char::is_uppercase) {
        return types(view, place, &call.name);
    }
    for import in view.imports(place.path).iter() {
        let (class, name) = match &import.name {
            Some(name) => (import.target.as_str(), name.as_str()),
            None => import.target.rsplit_once('.').unwrap_or(("", &import.target)),
        };
        if name == call.name || name == "*" {
            let class = at_import(view, class).with(trust::IMPORT, "static import");
            if let Meaning::Known(hits) = members::members(&Java, view, class, &call.name) {
                return Meaning::Known(hits);
            }
        }
    }
    Meaning::External
}

fn of_bases(view: &View, place: &Place, name: &str) -> Meaning {
    let Some(Meaning::Known(owners)) = place.owner.map(|owner| types(view, place, owner)) else {
        return Meaning::External;
    };
    let mut bases = Vec::new();
    for owner in &owners {
        for base in &owner.what.bases {
            if let Meaning::Known(hits) = types(view, &Place::inside(&owner.what), bare(base)) {
                bases.extend(hits.into_iter().filter(|hit| !members::is_interface(&hit.what)));
            }
        }
    }
    let bases = Meaning::of(bases, Meaning::External).with(trust::TYPED, "member of the superclass");
    if name.is_empty() { bases } else { members::members(&Java, view, bases, name) }
}

/// `field.name()`, where the field is written without `this`.
fn of_field(view: &View, place: &Place, receiver: &str, name: &str) -> Meaning {
    let Some(owner) = place.owner else {
        return Meaning::Unknown;
    };
    let call = members::as_call(&format!("this.{receiver}.{name}"));
    let of_owner = Place { owner: Some(owner), ..*place };
    members::method(&Java, view, &of_owner, &call)
}

/// The types that a name means: nested in the classes around, of the file, imported, of the package.
fn types(view: &View, place: &Place, written: &str) -> Meaning {
    let name = written.rsplit('.').next().unwrap_or(written);
    let mut found = view.named(name);
    found.retain(|item| item.kind == Kind::Type);
    let known = |found: Vec<Arc<Candidate>>, reason| Meaning::all(found, trust::IMPORT, reason);
    for scope in scopes(place.scope, ".") {
        let qualified = if scope.is_empty() { written.to_owned() } else { format!("{scope}.{written}") };
        let mut here = found.clone();
        here.retain(|item| item.path == place.path && item.qualified == qualified);
        if !here.is_empty() {
            return known(here, "class of the file");
        }
    }
    let head = written.split('.').next().unwrap_or(written);
    let imports = view.imports(place.path);
    for import in imports.iter().filter(|import| import.name.as_deref() != Some("*")) {
        let whole = match &import.name {
            Some(name) => format!("{}.{name}", import.target),
            None => import.target.clone(),
        };
        if whole.rsplit('.').next() == Some(head) {
            let rest = &written[head.len()..];
            return match at_import(view, &format!("{whole}{rest}")) {
                Meaning::Unknown => Meaning::External,
                meaning => meaning,
            };
        }
    }
    let mut beside = found.clone();
    beside.retain(|item| folder(&item.path) == folder(place.path) && item.qualified == written);
    if !beside.is_empty() {
        return known(beside, "class of the package");
    }
    let globs = imports.iter().filter(|import| import.name.as_deref() == Some("*"));
    let hits: Vec<Hit> = globs
        .filter_map(|import| match at_import(view, &format!("{}.{written}", import.target)) {
            Meaning::Known(hits) => Some(hits),
            _ => None,
        })
        .flatten()
        .collect();
    Meaning::of(hits, Meaning::Unknown)
}

/// The class at a full name: `a.b.C` is `C` in `.../a/b/C.java`, `a.b.C.D` is `C.D` there.
fn at_import(view: &View, full: &str) -> Meaning {
    let parts: Vec<&str> = full.split('.').collect();
    let Some(last) = parts.last() else {
        return Meaning::Unknown;
    };
    let mut found = view.named(last);
    found.retain(|item| {
        let package = parts.len().checked_sub(item.qualified.split('.').count());
        item.kind == Kind::Type
            && package.is_some_and(|length| {
                parts[length..].join(".") == item.qualified
                    && ends_with_path(
                        &item.path,
                        &below(&parts[..length].join("/"), &format!("{}.java", parts[length])),
                    )
            })
    });
    Meaning::all(found, trust::IMPORT, "imported class")
}
