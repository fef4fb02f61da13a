//! Rust: names through modules, `use` and `pub use`; methods through types and traits. The prelude
//! and crates outside the repository mean nothing here; `#[path]` and macros that define are not seen.

use std::sync::Arc;

use super::members::{self, Rules, as_call, receiver_of};
use super::rust_paths::{Module, crates};
use super::text::{bound, folder, last_segment, scope_of, scopes, split_outside};
use super::{Candidate, Hit, Meaning, Place, View, trust};
use crate::syntax::{Call, Form, Import, Kind};

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

struct Rust;

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
}

/// Wrappers whose members are their content's, or which a `?` or an adapter before the call has opened.
const SEEN_THROUGH: &[&str] = &["Box", "Rc", "Arc", "Pin", "Cow", "Result", "Option", "Ref", "RefMut", "MutexGuard"];

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
        let inner = rest[open + 1..].trim_end_matches('>');
        rest = split_outside(&rest[open + 1..], ",")
            .first()
            .map_or(inner, |first| if first.len() < inner.len() { first } else { inner });
    }
    rest.split(" + ").next().unwrap_or(rest).trim()
}

/// What a path stands for.
#[derive(Debug, Clone)]
enum Thing {
    Module(Module),
    Item(Arc<Candidate>, f32),
}

/// What is found at a path; `None`: known to lie outside the repository.
type Found = Option<Vec<Thing>>;

/// Pairs of place and name that are being looked up: imports can go round in circles.
type Seen = Vec<(String, String, String)>;

fn types(view: &View, place: &Place, written: &str, depth: u32) -> Meaning {
    let written = if written == "Self" { place.owner.unwrap_or(written) } else { written };
    let Some(things) = find(view, place.path, place.scope, written, &mut Vec::new()) else {
        return Meaning::External;
    };
    let mut hits = Vec::new();
    for thing in things {
        let Thing::Item(item, sure) = thing else { continue };
        let alias = item.signature.split_once('=').filter(|_| item.signature.contains("type "));
        match alias {
            Some((_, target)) if depth < 4 => {
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
            Meaning::Known(hits) => members::members(&Rust, view, Meaning::Known(hits), name),
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

fn is_variant(name: &str) -> bool {
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

/// What a path means where it is written: the head by scope, each further segment inside the one before.
fn find(view: &View, path: &str, scope: &str, written: &str, seen: &mut Seen) -> Found {
    let parts = split_outside(written.trim_start_matches("::"), "::");
    let (head, rest) = parts.split_first()?;
    let mut things = in_scope(view, path, scope, head, seen)?;
    for part in rest {
        let mut next = Vec::new();
        let mut outside = !things.is_empty();
        for thing in things {
            match thing {
                Thing::Module(module) if *part == "super" => {
                    next.extend(module.parent().map(Thing::Module));
                    outside = false;
                }
                Thing::Module(module) => match in_module(view, &module, part, false, seen) {
                    Some(found) => {
                        next.extend(found);
                        outside = false;
                    }
                    None => {}
                },
                Thing::Item(item, sure) if item.kind == Kind::Type => {
                    outside = false;
                    let hit = Hit::new(item.clone(), sure, "type");
                    match members::members(&Rust, view, Meaning::Known(vec![hit]), part) {
                        Meaning::Known(hits) => {
                            next.extend(hits.into_iter().map(|hit| Thing::Item(hit.what, hit.confidence)))
                        }
                        _ if is_variant(part) => next.push(Thing::Item(item, sure)),
                        // A known type whose member is not here has it from outside: `default`, `from`.
                        _ => outside = true,
                    }
                }
                Thing::Item(..) => outside = false,
            }
        }
        if outside && next.is_empty() {
            return None;
        }
        things = next;
    }
    Some(things)
}

/// What a single name means in a scope of a file, imports, globs and crates included.
fn in_scope(view: &View, path: &str, scope: &str, name: &str, seen: &mut Seen) -> Found {
    let file = Module::of_file(view, path);
    let module_scope = module_around(view, path, scope);
    let module = file.child(module_scope);
    match name {
        "crate" | "$crate" => return Some(vec![Thing::Module(file.top())]),
        "self" => return Some(vec![Thing::Module(module)]),
        "super" => return Some(module.parent().map(Thing::Module).into_iter().collect()),
        "std" | "core" | "alloc" | "proc_macro" => return None,
        _ => {}
    }
    let key = (path.to_owned(), scope.to_owned(), name.to_owned());
    if seen.contains(&key) {
        return Some(Vec::new());
    }
    seen.push(key);
    let found = bound_in_scope(view, path, scope, name, (&file, &module, module_scope), seen);
    seen.pop();
    found
}

fn bound_in_scope(
    view: &View,
    path: &str,
    scope: &str,
    name: &str,
    (file, module, module_scope): (&Module, &Module, &str),
    seen: &mut Seen,
) -> Found {
    // What stands outside the module around is not in scope; what stands in a function is.
    let visible = || scopes(scope, "::").into_iter().filter(|s| s.len() >= module_scope.len());
    let imports = view.imports(path);
    for inner in visible() {
        let here = items_at(view, file, path, inner, name);
        if !here.is_empty() {
            return Some(here);
        }
        for import in imports.iter().filter(|import| stands_in(import, inner)) {
            if local_name(import) == Some(name) {
                let found = find(view, path, inner, &import.target, seen);
                // A name that an import binds is not to be guessed at.
                return found.filter(|things| !things.is_empty());
            }
        }
    }
    let child = module.child(name);
    if child.exists(view) {
        return Some(vec![Thing::Module(child)]);
    }
    for inner in visible() {
        let found = through_globs(view, path, inner, &imports, name, Some(module), seen);
        if !found.is_empty() {
            return Some(found);
        }
    }
    Some(crates(view, module, name).into_iter().map(Thing::Module).collect())
}

/// What a name means inside a module, looked at from elsewhere.
fn in_module(view: &View, module: &Module, name: &str, public: bool, seen: &mut Seen) -> Found {
    let key = (format!("{module:?}"), String::new(), name.to_owned());
    if seen.contains(&key) {
        return Some(Vec::new());
    }
    seen.push(key);
    let found = bound_in_module(view, module, name, public, seen);
    seen.pop();
    let lower = |thing| match thing {
        Thing::Item(item, sure) => Thing::Item(item, sure.min(module.sure)),
        Thing::Module(inner) => Thing::Module(inner.at_most(module.sure)),
    };
    found.map(|things| things.into_iter().map(lower).collect())
}

fn bound_in_module(view: &View, module: &Module, name: &str, public: bool, seen: &mut Seen) -> Found {
    let places = module.places(view);
    let mut found = Vec::new();
    for (path, scope) in &places {
        found.extend(items_at(view, &Module::of_file(view, path), path, scope, name));
    }
    if !found.is_empty() {
        return Some(found);
    }
    let mut outside = false;
    for (path, scope) in &places {
        let imports = view.imports(path);
        for import in imports.iter().filter(|import| stands_in(import, scope)) {
            if local_name(import) == Some(name) && (import.reexport || !public) {
                match find(view, path, scope, &import.target, seen) {
                    Some(things) if !things.is_empty() => found.extend(things),
                    _ => outside = true,
                }
            }
        }
    }
    let child = module.child(name);
    if found.is_empty() && child.exists(view) {
        found.push(Thing::Module(child));
    }
    if found.is_empty() && outside {
        return None;
    }
    if found.is_empty() {
        for (path, scope) in &places {
            let imports = view.imports(path);
            found.extend(through_globs(view, path, scope, &imports, name, None, seen));
        }
    }
    Some(found)
}

/// What the globs of a scope bind a name to. From inside a module its parents' private names are seen, too.
fn through_globs(
    view: &View,
    path: &str,
    scope: &str,
    imports: &[Import],
    name: &str,
    inside: Option<&Module>,
    seen: &mut Seen,
) -> Vec<Thing> {
    let mut found = Vec::new();
    for import in imports.iter().filter(|import| stands_in(import, scope)) {
        let Some(target) = glob_target(import) else { continue };
        for thing in find(view, path, scope, target, seen).unwrap_or_default() {
            match thing {
                Thing::Module(module) => {
                    let private = inside
                        .is_some_and(|inside| inside.same_crate(&module) && inside.parts.starts_with(&module.parts));
                    found.extend(in_module(view, &module, name, !private, seen).unwrap_or_default());
                }
                // `use Enum::*` binds variants: the enum is what such a call builds.
                Thing::Item(item, sure)
                    if item.kind == Kind::Type && item.fields.iter().any(|(variant, _)| variant == name) =>
                {
                    found.push(Thing::Item(item, sure));
                }
                Thing::Item(..) => {}
            }
        }
    }
    found
}

/// The definitions and inline modules of this name that stand at a scope of a file.
fn items_at(view: &View, file: &Module, path: &str, scope: &str, name: &str) -> Vec<Thing> {
    view.named(name)
        .into_iter()
        .filter(|item| item.path == path && item.owner.is_none() && scope_of(&item.qualified, "::") == scope)
        .map(|item| match item.kind {
            Kind::Module => Thing::Module(file.child(&item.qualified)),
            _ => Thing::Item(item, 1.0),
        })
        .collect()
}

/// The innermost `mod` around a scope of a file.
fn module_around<'s>(view: &View, path: &str, scope: &'s str) -> &'s str {
    scopes(scope, "::")
        .into_iter()
        .find(|inner| {
            inner.is_empty()
                || view
                    .named(last_segment(inner))
                    .iter()
                    .any(|module| module.kind == Kind::Module && module.path == path && module.qualified == *inner)
        })
        .unwrap_or("")
}

fn stands_in(import: &Import, scope: &str) -> bool {
    import.scope.as_deref().unwrap_or("") == scope
}

fn glob_target(import: &Import) -> Option<&str> {
    if import.name.as_deref() == Some("*") {
        return Some(import.target.trim_end_matches("::*"));
    }
    import.target.strip_suffix("::*")
}

/// The name that an import binds; none for a glob or `as _`.
fn local_name(import: &Import) -> Option<&str> {
    if glob_target(import).is_some() {
        return None;
    }
    match import.alias.as_deref() {
        Some("_") => None,
        Some(alias) => Some(alias),
        None => Some(last_segment(&import.target)),
    }
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
    let home = Module::of_file(view, place.path);
    let in_crate = narrow(&|candidate| Module::of_file(view, &candidate.path).same_crate(&home));
    if !in_crate.is_empty() {
        return Meaning::all(in_crate, trust::TYPED, "macro of the crate");
    }
    // Exported macros live at their crate's root, wherever they are written.
    let bound = view.imports(place.path);
    let import = bound.iter().find(|import| local_name(import) == Some(&call.name));
    let path = match import {
        Some(import) => import.target.as_str(),
        None => receiver_of(&call.callee),
    };
    let head = path.split("::").next().unwrap_or_default();
    let roots = crates(view, &home, head);
    let in_root = narrow(&|candidate| {
        let of = Module::of_file(view, &candidate.path);
        roots.iter().any(|root| root.same_crate(&of))
    });
    if !in_root.is_empty() {
        return Meaning::all(in_root, trust::TYPED, "macro of an imported crate");
    }
    if import.is_some() || !path.is_empty() || folder(place.path).is_empty() {
        return Meaning::External;
    }
    Meaning::Unknown
}
