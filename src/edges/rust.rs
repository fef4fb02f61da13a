//! Rust: names through modules, `use` and `pub use`; methods through types and traits. The prelude
//! and crates outside the repository mean nothing here; `#[path]` and macros that define are not seen.

use std::sync::Arc;

use super::members::{self, Rules, as_call, receiver_of};
use super::rust_paths::{Module, crates};
use super::rust_scope::{Found, Thing, find, local_name};
use super::text::{bound, last_segment, scope_of, split_outside};
use super::{Candidate, Hit, Meaning, Place, View, trust};
use crate::syntax::{Call, Form, Kind};

/// What a Rust call means.
pub(super) fn resolve(view: &View, place: &Place, call: &Call) -> Meaning {
    match call.form {
        Form::Macro => macro_call(view, place, call),
        Form::Method => members::method(&Rust, view, place, call),
        // A bare name that no scope and no import binds comes from the prelude.
        Form::Free | Form::Path => match callee(view, place, &call.callee) {
            Meaning::Unknown if call.form == Form::Free => Meaning::External,
            meaning => meaning,
        },
    }
}

pub(super) struct Rust;

impl Rules for Rust {
    fn is_self(&self, _: &Place, head: &str) -> bool {
        head == "self"
    }

    fn types(&self, view: &View, place: &Place, written: &str) -> Meaning {
        types(view, place, written, 0)
    }

    fn own(&self, view: &View, owner: &Candidate, name: &str) -> Vec<Arc<Candidate>> {
        let mut found = view.named(name);
        found.retain(|member| member.kind == Kind::Function && member.owner.as_deref() == Some(&owner.name));
        let narrow = |found: &mut Vec<Arc<Candidate>>, keep: &dyn Fn(&Candidate) -> bool| {
            if found.iter().any(|member| keep(member)) {
                found.retain(|member| keep(member));
            }
        };
        let home = Module::of_file(view, &owner.path);
        narrow(&mut found, &|member| {
            member.path == owner.path || Module::of_file(view, &member.path).same_crate(&home)
        });
        // Two types of one name in a crate: the implementation's own imports tell them apart.
        let twins = view.named(&owner.name).iter().any(|twin| twin.kind == Kind::Type && twin.key != owner.key);
        if twins {
            found.retain(|member| {
                let scope = scope_of(scope_of(&member.qualified, "::"), "::");
                let place = Place { path: &member.path, scope, owner: None, signature: "" };
                match types(view, &place, &owner.name, 1) {
                    Meaning::Known(hits) => hits.iter().any(|hit| hit.what.key == owner.key),
                    _ => member.path == owner.path,
                }
            });
        }
        narrow(&mut found, &|member| !member.qualified.contains(" as "));
        found
    }

    fn callee(&self, view: &View, place: &Place, call: &Call) -> Meaning {
        match call.form {
            Form::Method => members::method(self, view, place, call),
            _ => callee(view, place, &call.callee),
        }
    }

    fn peel<'t>(&self, written: &'t str) -> &'t str {
        peel(written)
    }

    fn opened<'t>(&self, written: &'t str) -> &'t str {
        let written = written.trim();
        match written.split_once('<') {
            Some((wrapper, inner)) if matches!(last_segment(wrapper), "Option" | "Result") => first_argument(inner),
            _ => written,
        }
    }
}

/// The first of generic arguments: `T` of what stands after the bracket in `Result<T, E>`.
fn first_argument(arguments: &str) -> &str {
    let whole = arguments.strip_suffix('>').unwrap_or(arguments);
    split_outside(whole, ",").first().map_or(whole, |first| first.trim())
}

/// Wrappers whose members are their content's.
const SEEN_THROUGH: &[&str] = &["Box", "Rc", "Arc", "Pin", "Cow", "Ref", "RefMut", "MutexGuard"];

fn peel(written: &str) -> &str {
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
        if !SEEN_THROUGH.contains(&last_segment(&rest[..open])) {
            return rest[..open].trim_end_matches("::");
        }
        rest = first_argument(&rest[open + 1..]);
    }
    rest.split(" + ").next().unwrap_or(rest).trim()
}

fn types(view: &View, place: &Place, written: &str, depth: u32) -> Meaning {
    let written = if written == "Self" { place.owner.unwrap_or(written) } else { written };
    // A type that derefs has the members of its target, too, as if it were a base.
    let associated_name =
        if last_segment(written) == "Deref" { Some("Target") } else { written.strip_prefix("Self::") };
    if let (Some(name), Some(owner)) = (associated_name, place.owner)
        && let Some(item) = associated(view, place.path, owner, name)
        && let Some((_, target)) = item.signature.split_once('=')
        && depth < DEEPEST_ALIAS
    {
        return types(view, &Place::inside(&item), peel(target.trim_end_matches(';')), depth + 1);
    }
    let Some(things) = find(view, place.path, place.scope, written, &mut Vec::new()) else {
        return Meaning::External;
    };
    let mut hits = Vec::new();
    for thing in things {
        let Thing::Item(item, sure) = thing else { continue };
        let alias = item.signature.split_once('=').filter(|_| item.signature.contains("type "));
        match alias {
            Some((_, target)) if depth < DEEPEST_ALIAS => {
                let inside = Place::inside(&item);
                let target = peel(target.trim_end_matches(';'));
                if let Meaning::Known(behind) = types(view, &inside, target, depth + 1) {
                    hits.extend(behind);
                }
            }
            _ if item.kind == Kind::Type => hits.push(Hit::new(item, sure, "type")),
            _ => {}
        }
    }
    Meaning::of(hits, Meaning::Unknown)
}

/// Aliases of aliases beyond this depth are a circle.
const DEEPEST_ALIAS: u32 = 4;

/// The type that an implementation gives a name to: `type Target = T` of `impl Deref for Owner`.
fn associated(view: &View, path: &str, owner: &str, name: &str) -> Option<Arc<Candidate>> {
    view.named(name).into_iter().find(|item| {
        let scope = scope_of(&item.qualified, "::");
        let implementor = scope.split_once('<').map(|(_, inside)| inside.split(" as ").next().unwrap_or(inside));
        item.kind == Kind::Type && item.path == path && implementor == Some(owner)
    })
}

fn callee(view: &View, place: &Place, written: &str) -> Meaning {
    let parts = split_outside(written, "::");
    let Some((name, prefix)) = parts.split_last() else {
        return Meaning::Unknown;
    };
    let Some((head, _)) = prefix.split_first() else {
        return items(find(view, place.path, place.scope, name, &mut Vec::new()), place, name);
    };
    if *head == "Self" || head.starts_with('<') {
        let written = match head.strip_prefix('<') {
            Some(rest) => peel(rest.trim_end_matches('>').split(" as ").next().unwrap_or(rest)),
            None => "Self",
        };
        return of_type(view, place, written, name, prefix.len() == 1);
    }
    if prefix.len() == 1
        && let Some(bound) = bound(place.signature, head)
    {
        return match types(view, place, peel(bound), 0) {
            Meaning::Known(hits) => {
                let hits = Meaning::Known(hits).with(trust::TYPED, "bound of the type parameter");
                members::members(&Rust, view, hits, name)
            }
            other => other,
        };
    }
    items(find(view, place.path, place.scope, written, &mut Vec::new()), place, name)
}

/// `Self::name` and `<T>::name`.
fn of_type(view: &View, place: &Place, written: &str, name: &str, whole: bool) -> Meaning {
    let own = if written == "Self" { place.owner } else { Some(written) };
    let (true, Some(own)) = (whole, own) else {
        return Meaning::Unknown;
    };
    let call = as_call(&format!("self.{name}"));
    let of_own = Place { owner: Some(own), ..*place };
    match members::method(&Rust, view, &of_own, &call) {
        Meaning::External if is_variant(name) => match types(view, place, own, 0) {
            Meaning::Known(hits) => Meaning::Known(hits).with(trust::SCOPE, "variant of the type"),
            other => other,
        },
        other => other,
    }
}

pub(super) fn is_variant(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}

fn items(found: Found, place: &Place, name: &str) -> Meaning {
    let Some(things) = found else {
        return Meaning::External;
    };
    let hits = things.into_iter().filter_map(|thing| {
        let Thing::Item(item, sure) = thing else { return None };
        let (trust, reason) = if item.name != name && item.kind == Kind::Type && is_variant(name) {
            (trust::IMPORT, "variant of the type")
        } else if item.path == place.path {
            (trust::SCOPE, "in scope in the file")
        } else {
            (trust::IMPORT, "by its path or an import")
        };
        (item.kind != Kind::Module && item.kind != Kind::Macro).then(|| Hit::new(item, trust.min(sure), reason))
    });
    let mut hits: Vec<Hit> = hits.collect();
    // A function hides the type of the same name in a call.
    if hits.iter().any(|hit| hit.what.kind == Kind::Function) {
        hits.retain(|hit| hit.what.kind == Kind::Function);
    }
    Meaning::of(hits, Meaning::Unknown)
}

fn macro_call(view: &View, place: &Place, call: &Call) -> Meaning {
    let mut found = view.named(&call.name);
    found.retain(|candidate| candidate.kind == Kind::Macro);
    if found.is_empty() {
        return Meaning::External;
    }
    let narrow = |keep: &dyn Fn(&Candidate) -> bool| {
        found.iter().filter(|candidate| keep(candidate)).cloned().collect::<Vec<_>>()
    };
    let here = narrow(&|candidate| candidate.path == place.path);
    if !here.is_empty() {
        return Meaning::all(here, trust::SCOPE, "macro of the file");
    }
    // Exported macros live at their crate's root, wherever they are written.
    let bound = view.imports(place.path);
    let import = bound.iter().find(|import| local_name(import) == Some(&call.name));
    let path = match import {
        Some(import) => import.target.as_str(),
        None => receiver_of(&call.callee),
    };
    // A macro that hides one of the standard library does so where it stands, or is imported.
    if path.is_empty() && STANDARD_MACROS.contains(&call.name.as_str()) {
        return Meaning::External;
    }
    let home = Module::of_file(view, place.path);
    let in_crate = narrow(&|candidate| Module::of_file(view, &candidate.path).same_folder(&home));
    if !in_crate.is_empty() {
        return Meaning::all(in_crate, trust::TYPED, "macro of the crate");
    }
    let head = path.split("::").next().unwrap_or_default();
    let roots = crates(view, &home, head);
    let in_root = narrow(&|candidate| {
        let of = Module::of_file(view, &candidate.path);
        roots.iter().any(|root| root.same_crate(&of))
    });
    if !in_root.is_empty() {
        return Meaning::all(in_root, trust::TYPED, "macro of an imported crate");
    }
    if import.is_some() || !path.is_empty() {
        return Meaning::External;
    }
    Meaning::Unknown
}

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
