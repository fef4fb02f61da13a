//! What a Rust path means where it is written: scopes, `use` and `pub use`, globs, modules and crates.
//! Circles of imports end where they began; what is private is not told apart from what is public,
//! because code that compiles names only what it may.

use std::sync::Arc;

use super::members;
use super::rust_paths::{Module, crates};
use super::text::{last_segment, scope_of, scopes, split_outside};
use super::{Candidate, Hit, Meaning, View};
use crate::syntax::{Import, Kind};

/// What a path stands for.
#[derive(Debug, Clone)]
pub(super) enum Thing {
    Module(Module),
    Item(Arc<Candidate>, f32),
}

/// What is found at a path; `None`: known to lie outside the repository.
pub(super) type Found = Option<Vec<Thing>>;

/// Pairs of place and name that are being looked up: imports can go round in circles.
pub(super) type Seen = Vec<(String, String, String)>;

/// What a path means where it is written: the head by scope, each further segment inside the one before.
pub(super) fn find(view: &View, path: &str, scope: &str, written: &str, seen: &mut Seen) -> Found {
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
                Thing::Module(module) => {
                    if let Some(found) = in_module(view, &module, part, false, seen) {
                        next.extend(found);
                        outside = false;
                    }
                }
                Thing::Item(item, sure) if item.kind == Kind::Type => {
                    outside = false;
                    let hit = Hit::new(item.clone(), sure, "type");
                    match members::members(&super::rust::Rust, view, Meaning::Known(vec![hit]), part) {
                        Meaning::Known(hits) => {
                            next.extend(hits.into_iter().map(|hit| Thing::Item(hit.what, hit.confidence)))
                        }
                        _ if super::rust::is_variant(part) => next.push(Thing::Item(item, sure)),
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
    let place = (&file, &module, module_scope);
    let found = view.deeper(Some(Vec::new()), || bound_in_scope(view, path, scope, name, place, seen));
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
    let found = view.deeper(Some(Vec::new()), || bound_in_module(view, module, name, public, seen));
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
pub(super) fn local_name(import: &Import) -> Option<&str> {
    if glob_target(import).is_some() {
        return None;
    }
    match import.alias.as_deref() {
        Some("_") => None,
        Some(alias) => Some(alias),
        None => Some(last_segment(&import.target)),
    }
}
