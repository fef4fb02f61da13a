//! Java: resolves names through enclosing classes, superclasses and static imports; types through the file, its imports
//! and its package's folder. Limits: reflection and dependency injection are not seen.

use std::sync::Arc;

use super::members::{self, Rules, receiver_of};
use super::text::{bare, below, ends_with_path, folder, scopes};
use super::{LiveDefinition, NameScope, Resolution, ScoredDefinition, VisibleNames, trust};
use crate::syntax::{Call, CallForm, DefinitionKind};

/// Resolves a Java call.
pub(super) fn resolve(names: &VisibleNames, place: &NameScope, call: &Call) -> Resolution {
    Java.resolve_callee(names, place, call)
}

/// The rules of Java.
struct Java;

impl Rules for Java {
    fn is_self(&self, _: &NameScope, head: &str) -> bool {
        head == "this"
    }

    fn resolve_type(&self, names: &VisibleNames, place: &NameScope, written: &str) -> Resolution {
        resolve_type(names, place, bare(written))
    }

    fn own_members(&self, names: &VisibleNames, owner: &LiveDefinition, name: &str) -> Vec<Arc<LiveDefinition>> {
        let mut found = names.named(name);
        found.retain(|member| {
            let qualified = member.qualified.split('(').next().unwrap_or_default();
            member.path == owner.path && qualified == format!("{}.{name}", owner.qualified)
        });
        found
    }

    fn resolve_callee(&self, names: &VisibleNames, place: &NameScope, call: &Call) -> Resolution {
        let receiver = receiver_of(&call.callee);
        if receiver.is_empty() {
            return free(names, place, call);
        }
        if receiver == "super" {
            return base_member(names, place, &call.name);
        }
        members::method(self, names, place, call)
            .or_else(|| {
                let typed = resolve_type(names, place, receiver).with(trust::IMPORT, "static method of the class");
                members::members(self, names, typed, &call.name)
            })
            .or_else(|| of_field(names, place, receiver, &call.name))
    }

    fn strip_wrappers<'t>(&self, written: &'t str) -> &'t str {
        let written = written.trim();
        let written = ["Optional<", "final "].iter().find_map(|word| written.strip_prefix(word)).unwrap_or(written);
        if written.ends_with("[]") { "" } else { bare(written.trim_end_matches('>')) }
    }
}

/// Resolves a bare call: a constructor, a method of an enclosing class or of its bases, or a static import.
fn free(names: &VisibleNames, place: &NameScope, call: &Call) -> Resolution {
    if call.callee == "super" {
        return base_member(names, place, "");
    }
    for scope in scopes(place.scope, ".") {
        let mut around = names.named(scope.rsplit('.').next().unwrap_or(scope));
        around.retain(|ty| ty.kind == DefinitionKind::Type && ty.path == place.path && ty.qualified == scope);
        let around = Resolution::all(around, trust::OWN_MEMBER, "method of the same class");
        if let Resolution::Known(hits) = members::members(&Java, names, around, &call.name) {
            return Resolution::Known(hits);
        }
    }
    if call.form == CallForm::Free && call.name.starts_with(char::is_uppercase) {
        return resolve_type(names, place, &call.name);
    }
    for import in names.imports(place.path).iter() {
        let (class, name) = match &import.name {
            Some(name) => (import.target.as_str(), name.as_str()),
            None => import.target.rsplit_once('.').unwrap_or(("", &import.target)),
        };
        if name == call.name || name == "*" {
            let class = at_import(names, class).with(trust::IMPORT, "static import");
            if let Resolution::Known(hits) = members::members(&Java, names, class, &call.name) {
                return Resolution::Known(hits);
            }
        }
    }
    Resolution::External
}

/// Resolves a member of the enclosing class's superclasses; for an empty name, the superclasses themselves.
fn base_member(names: &VisibleNames, place: &NameScope, name: &str) -> Resolution {
    let Some(Resolution::Known(owners)) = place.owner.map(|owner| resolve_type(names, place, owner)) else {
        return Resolution::External;
    };
    let mut bases = Vec::new();
    for owner in &owners {
        for base in &owner.what.bases {
            if let Resolution::Known(hits) = resolve_type(names, &NameScope::inside(&owner.what), bare(base)) {
                bases.extend(hits.into_iter().filter(|hit| !members::is_interface(&hit.what)));
            }
        }
    }
    let bases = Resolution::of(bases, Resolution::External).with(trust::TYPED, "member of the superclass");
    if name.is_empty() { bases } else { members::members(&Java, names, bases, name) }
}

/// Resolves `field.name()`, where the field is written without `this`.
fn of_field(names: &VisibleNames, place: &NameScope, receiver: &str, name: &str) -> Resolution {
    let Some(owner) = place.owner else {
        return Resolution::Unknown;
    };
    let call = members::as_call(&format!("this.{receiver}.{name}"));
    let of_owner = NameScope { owner: Some(owner), ..*place };
    members::method(&Java, names, &of_owner, &call)
}

/// Resolves a type: nested in an enclosing class, in the file, imported, or in the package.
fn resolve_type(names: &VisibleNames, place: &NameScope, written: &str) -> Resolution {
    let name = written.rsplit('.').next().unwrap_or(written);
    let mut found = names.named(name);
    found.retain(|item| item.kind == DefinitionKind::Type);
    let known = |found: Vec<Arc<LiveDefinition>>, reason| Resolution::all(found, trust::IMPORT, reason);
    for scope in scopes(place.scope, ".") {
        let qualified = if scope.is_empty() { written.to_owned() } else { format!("{scope}.{written}") };
        let mut here = found.clone();
        here.retain(|item| item.path == place.path && item.qualified == qualified);
        if !here.is_empty() {
            return known(here, "class of the file");
        }
    }
    let head = written.split('.').next().unwrap_or(written);
    let imports = names.imports(place.path);
    for import in imports.iter().filter(|import| import.name.as_deref() != Some("*")) {
        let whole = match &import.name {
            Some(name) => format!("{}.{name}", import.target),
            None => import.target.clone(),
        };
        if whole.rsplit('.').next() == Some(head) {
            let rest = &written[head.len()..];
            return match at_import(names, &format!("{whole}{rest}")) {
                Resolution::Unknown => Resolution::External,
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
    let hits: Vec<ScoredDefinition> = globs
        .filter_map(|import| match at_import(names, &format!("{}.{written}", import.target)) {
            Resolution::Known(hits) => Some(hits),
            _ => None,
        })
        .flatten()
        .collect();
    Resolution::of(hits, Resolution::Unknown)
}

/// Resolves a fully qualified class: `a.b.C` is `C` in `.../a/b/C.java`, `a.b.C.D` is `C.D` there.
fn at_import(names: &VisibleNames, full: &str) -> Resolution {
    let parts: Vec<&str> = full.split('.').collect();
    let Some(last) = parts.last() else {
        return Resolution::Unknown;
    };
    let mut found = names.named(last);
    found.retain(|item| {
        let package = parts.len().checked_sub(item.qualified.split('.').count());
        item.kind == DefinitionKind::Type
            && package.is_some_and(|length| {
                parts[length..].join(".") == item.qualified
                    && ends_with_path(
                        &item.path,
                        &below(&parts[..length].join("/"), &format!("{}.java", parts[length])),
                    )
            })
    });
    Resolution::all(found, trust::IMPORT, "imported class")
}
