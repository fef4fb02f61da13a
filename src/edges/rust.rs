//! Rust: resolves names through modules, `use` and `pub use`; methods through types and traits.
//!
//! Limits: the prelude and external crates resolve to nothing; `#[path]` and macros that define items are not seen.

use std::sync::Arc;

use super::members::{self, Rules, as_call, receiver_of};
use super::rust_paths::{Module, crates};
use super::rust_scope::{RustEntity, RustLookup, local_name, resolve_path};
use super::text::{bound, last_segment, scope_of, split_outside};
use super::{LiveDefinition, NameScope, Resolution, ScoredDefinition, VisibleNames, trust};
use crate::syntax::{Call, CallForm, DefinitionKind};

/// Resolves a Rust call.
pub(super) fn resolve(names: &VisibleNames, place: &NameScope, call: &Call) -> Resolution {
    match call.form {
        CallForm::Macro => macro_call(names, place, call),
        CallForm::Method => members::method(&Rust, names, place, call),
        // A bare name that no scope and no import binds comes from the prelude.
        CallForm::Free | CallForm::Path => match resolve_callee(names, place, &call.callee) {
            Resolution::Unknown if call.form == CallForm::Free => Resolution::External,
            meaning => meaning,
        },
    }
}

/// The rules of Rust.
pub(super) struct Rust;

impl Rules for Rust {
    fn is_self(&self, _: &NameScope, head: &str) -> bool {
        head == "self"
    }

    fn resolve_type(&self, names: &VisibleNames, place: &NameScope, written: &str) -> Resolution {
        resolve_type(names, place, written, 0)
    }

    fn own_members(&self, names: &VisibleNames, owner: &LiveDefinition, name: &str) -> Vec<Arc<LiveDefinition>> {
        let mut found = names.named(name);
        found.retain(|member| member.kind == DefinitionKind::Function && member.owner.as_deref() == Some(&owner.name));
        let narrow = |found: &mut Vec<Arc<LiveDefinition>>, keep: &dyn Fn(&LiveDefinition) -> bool| {
            if found.iter().any(|member| keep(member)) {
                found.retain(|member| keep(member));
            }
        };
        let home = Module::of_file(names, &owner.path);
        narrow(&mut found, &|member| {
            member.path == owner.path || Module::of_file(names, &member.path).same_crate(&home)
        });
        // If a crate has two types of one name, the imports of the file with the `impl` decide between them.
        let twins =
            names.named(&owner.name).iter().any(|twin| twin.kind == DefinitionKind::Type && twin.key != owner.key);
        if twins {
            found.retain(|member| {
                let scope = scope_of(scope_of(&member.qualified, "::"), "::");
                let place = NameScope { path: &member.path, scope, owner: None, signature: "" };
                match resolve_type(names, &place, &owner.name, 1) {
                    Resolution::Known(hits) => hits.iter().any(|hit| hit.what.key == owner.key),
                    _ => member.path == owner.path,
                }
            });
        }
        narrow(&mut found, &|member| !member.qualified.contains(" as "));
        found
    }

    fn resolve_callee(&self, names: &VisibleNames, place: &NameScope, call: &Call) -> Resolution {
        match call.form {
            CallForm::Method => members::method(self, names, place, call),
            _ => resolve_callee(names, place, &call.callee),
        }
    }

    fn strip_wrappers<'t>(&self, written: &'t str) -> &'t str {
        strip_wrappers(written)
    }

    fn unwrapped<'t>(&self, written: &'t str) -> &'t str {
        let written = written.trim();
        match written.split_once('<') {
            Some((wrapper, inner)) if matches!(last_segment(wrapper), "Option" | "Result") => first_argument(inner),
            _ => written,
        }
    }
}

/// Returns the first generic argument: `T` of what follows the bracket in `Result<T, E>`.
fn first_argument(arguments: &str) -> &str {
    let whole = arguments.strip_suffix('>').unwrap_or(arguments);
    split_outside(whole, ",").first().map_or(whole, |first| first.trim())
}

/// Wrappers whose members are those of their content.
const TRANSPARENT_WRAPPERS: &[&str] = &["Box", "Rc", "Arc", "Pin", "Cow", "Ref", "RefMut", "MutexGuard"];

/// Strips references, lifetimes and wrappers from a written type.
fn strip_wrappers(written: &str) -> &str {
    let mut rest = written.trim();
    loop {
        rest = rest.trim_start_matches(['&', '*', ' ']);
        if let Some(lifetime) = rest.strip_prefix('\'') {
            rest = lifetime.trim_start_matches(|letter: char| letter.is_alphanumeric() || letter == '_');
            continue;
        }
        if let Some(word) = ["mut ", "dyn ", "impl ", "const "].iter().find_map(|word| rest.strip_prefix(word)) {
            rest = word;
            continue;
        }
        let Some(open) = rest.find('<').filter(|open| *open > 0) else {
            break;
        };
        if !TRANSPARENT_WRAPPERS.contains(&last_segment(&rest[..open])) {
            return rest[..open].trim_end_matches("::");
        }
        rest = first_argument(&rest[open + 1..]);
    }
    rest.split(" + ").next().unwrap_or(rest).trim()
}

/// Resolves a written type, through aliases and associated types.
fn resolve_type(names: &VisibleNames, place: &NameScope, written: &str, depth: u32) -> Resolution {
    let written = if written == "Self" { place.owner.unwrap_or(written) } else { written };
    // A type that implements `Deref` also has the members of its target, as of a base.
    let associated_name =
        if last_segment(written) == "Deref" { Some("Target") } else { written.strip_prefix("Self::") };
    if let (Some(name), Some(owner)) = (associated_name, place.owner)
        && let Some(item) = associated(names, place.path, owner, name)
        && let Some((_, target)) = item.signature.split_once('=')
        && depth < MAX_ALIASES
    {
        return resolve_type(names, &NameScope::inside(&item), strip_wrappers(target.trim_end_matches(';')), depth + 1);
    }
    let Some(entities) = resolve_path(names, place.path, place.scope, written, &mut Vec::new()) else {
        return Resolution::External;
    };
    let mut hits = Vec::new();
    for entity in entities {
        let RustEntity::Item(item, sure) = entity else { continue };
        let alias = item.signature.split_once('=').filter(|_| item.signature.contains("type "));
        match alias {
            Some((_, target)) if depth < MAX_ALIASES => {
                let inside = NameScope::inside(&item);
                let target = strip_wrappers(target.trim_end_matches(';'));
                if let Resolution::Known(behind) = resolve_type(names, &inside, target, depth + 1) {
                    hits.extend(behind);
                }
            }
            _ if item.kind == DefinitionKind::Type => hits.push(ScoredDefinition::new(item, sure, "type")),
            _ => {}
        }
    }
    Resolution::of(hits, Resolution::Unknown)
}

/// Longest chain of aliases that is followed; a longer one must be circular.
const MAX_ALIASES: u32 = 4;

/// Returns the associated type of an implementation: `type Target = T` of `impl Deref for Owner`.
fn associated(names: &VisibleNames, path: &str, owner: &str, name: &str) -> Option<Arc<LiveDefinition>> {
    names.named(name).into_iter().find(|item| {
        let scope = scope_of(&item.qualified, "::");
        let implementor = scope.split_once('<').map(|(_, inside)| inside.split(" as ").next().unwrap_or(inside));
        item.kind == DefinitionKind::Type && item.path == path && implementor == Some(owner)
    })
}

/// Resolves a callee that is a path.
fn resolve_callee(names: &VisibleNames, place: &NameScope, written: &str) -> Resolution {
    let parts = split_outside(written, "::");
    let Some((name, prefix)) = parts.split_last() else {
        return Resolution::Unknown;
    };
    let Some((head, _)) = prefix.split_first() else {
        return to_resolution(resolve_path(names, place.path, place.scope, name, &mut Vec::new()), place, name);
    };
    if *head == "Self" || head.starts_with('<') {
        let written = match head.strip_prefix('<') {
            Some(rest) => strip_wrappers(rest.trim_end_matches('>').split(" as ").next().unwrap_or(rest)),
            None => "Self",
        };
        return of_type(names, place, written, name, prefix.len() == 1);
    }
    if prefix.len() == 1
        && let Some(bound) = bound(place.signature, head)
    {
        return match resolve_type(names, place, strip_wrappers(bound), 0) {
            Resolution::Known(hits) => {
                let hits = Resolution::Known(hits).with(trust::TYPED, "bound of the type parameter");
                members::members(&Rust, names, hits, name)
            }
            other => other,
        };
    }
    to_resolution(resolve_path(names, place.path, place.scope, written, &mut Vec::new()), place, name)
}

/// Resolves `Self::name` and `<T>::name`.
fn of_type(names: &VisibleNames, place: &NameScope, written: &str, name: &str, whole: bool) -> Resolution {
    let own = if written == "Self" { place.owner } else { Some(written) };
    let (true, Some(own)) = (whole, own) else {
        return Resolution::Unknown;
    };
    let call = as_call(&format!("self.{name}"));
    let of_own = NameScope { owner: Some(own), ..*place };
    match members::method(&Rust, names, &of_own, &call) {
        Resolution::External if is_variant(name) => match resolve_type(names, place, own, 0) {
            Resolution::Known(hits) => Resolution::Known(hits).with(trust::SCOPE, "variant of the type"),
            other => other,
        },
        other => other,
    }
}

/// Returns whether a name is capitalised, as variants are.
pub(super) fn is_variant(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}

/// Converts found entities to a resolution.
fn to_resolution(found: RustLookup, place: &NameScope, name: &str) -> Resolution {
    let Some(entities) = found else {
        return Resolution::External;
    };
    let hits = entities.into_iter().filter_map(|entity| {
        let RustEntity::Item(item, sure) = entity else { return None };
        let (trust, reason) = if item.name != name && item.kind == DefinitionKind::Type && is_variant(name) {
            (trust::IMPORT, "variant of the type")
        } else if item.path == place.path {
            (trust::SCOPE, "in scope in the file")
        } else {
            (trust::IMPORT, "by its path or an import")
        };
        (item.kind != DefinitionKind::Module && item.kind != DefinitionKind::Macro)
            .then(|| ScoredDefinition::new(item, trust.min(sure), reason))
    });
    let mut hits: Vec<ScoredDefinition> = hits.collect();
    // A function hides the type of the same name in a call.
    if hits.iter().any(|hit| hit.what.kind == DefinitionKind::Function) {
        hits.retain(|hit| hit.what.kind == DefinitionKind::Function);
    }
    Resolution::of(hits, Resolution::Unknown)
}

/// Resolves a macro call.
fn macro_call(names: &VisibleNames, place: &NameScope, call: &Call) -> Resolution {
    let mut found = names.named(&call.name);
    found.retain(|candidate| candidate.kind == DefinitionKind::Macro);
    if found.is_empty() {
        return Resolution::External;
    }
    let narrow = |keep: &dyn Fn(&LiveDefinition) -> bool| {
        found.iter().filter(|candidate| keep(candidate)).cloned().collect::<Vec<_>>()
    };
    let here = narrow(&|candidate| candidate.path == place.path);
    if !here.is_empty() {
        return Resolution::all(here, trust::SCOPE, "macro of the file");
    }
    // An exported macro is at its crate's root, wherever it is written.
    let bound = names.imports(place.path);
    let import = bound.iter().find(|import| local_name(import) == Some(&call.name));
    let path = match import {
        Some(import) => import.target.as_str(),
        None => receiver_of(&call.callee),
    };
    // A macro shadows a standard one of the same name only in its own file, or if it is imported.
    if path.is_empty() && STANDARD_MACROS.contains(&call.name.as_str()) {
        return Resolution::External;
    }
    let home = Module::of_file(names, place.path);
    let in_crate = narrow(&|candidate| Module::of_file(names, &candidate.path).same_folder(&home));
    if !in_crate.is_empty() {
        return Resolution::all(in_crate, trust::TYPED, "macro of the crate");
    }
    let head = path.split("::").next().unwrap_or_default();
    let roots = crates(names, &home, head);
    let in_root = narrow(&|candidate| {
        let of = Module::of_file(names, &candidate.path);
        roots.iter().any(|root| root.same_crate(&of))
    });
    if !in_root.is_empty() {
        return Resolution::all(in_root, trust::TYPED, "macro of an imported crate");
    }
    if import.is_some() || !path.is_empty() {
        return Resolution::External;
    }
    Resolution::Unknown
}

/// Macros of the standard library.
const STANDARD_MACROS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "cfg",
    "column",
    "compile_error",
    "concat",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "env",
    "eprint",
    "eprintln",
    "file",
    "format",
    "format_args",
    "include",
    "include_bytes",
    "include_str",
    "line",
    "matches",
    "module_path",
    "option_env",
    "panic",
    "print",
    "println",
    "stringify",
    "thread_local",
    "todo",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
];
