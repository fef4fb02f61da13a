//! Resolves a Rust path from the scope in which it is written: scopes, `use` and `pub use`, globs, modules and crates.
//!
//! Circular imports are detected. Visibility is ignored, because compiling code only names what is visible.

use std::sync::Arc;

use super::members;
use super::rust_paths::{Module, crates};
use super::text::{last_segment, scope_of, scopes, split_outside};
use super::{LiveDefinition, Resolution, ScoredDefinition, VisibleNames};
use crate::syntax::{DefinitionKind, Import};

/// An entity that a path denotes.
#[derive(Debug, Clone)]
pub(super) enum RustEntity {
    Module(Module),
    Item(Arc<LiveDefinition>, f32),
}

/// The entities found; `None` if the path is known to be from outside the repository.
pub(super) type RustLookup = Option<Vec<RustEntity>>;

/// Lookups in progress, as file or module, scope and name, because imports may be circular.
pub(super) type RustLookupStack = Vec<(String, String, String)>;

/// Resolves a path: the head by scope, each further segment inside the one before.
pub(super) fn resolve_path(
    names: &VisibleNames,
    path: &str,
    scope: &str,
    written: &str,
    seen: &mut RustLookupStack,
) -> RustLookup {
    let parts = split_outside(written.trim_start_matches("::"), "::");
    let (head, rest) = parts.split_first()?;
    let mut entities = in_scope(names, path, scope, head, seen)?;
    for part in rest {
        let mut next = Vec::new();
        let mut outside = !entities.is_empty();
        for entity in entities {
            match entity {
                RustEntity::Module(module) if *part == "super" => {
                    next.extend(module.parent().map(RustEntity::Module));
                    outside = false;
                }
                RustEntity::Module(module) => {
                    if let Some(found) = in_module(names, &module, part, false, seen) {
                        next.extend(found);
                        outside = false;
                    }
                }
                RustEntity::Item(item, sure) if item.kind == DefinitionKind::Type => {
                    outside = false;
                    let hit = ScoredDefinition::new(item.clone(), sure, "type");
                    match members::members(&super::rust::Rust, names, Resolution::Known(vec![hit]), part) {
                        Resolution::Known(hits) => {
                            next.extend(hits.into_iter().map(|hit| RustEntity::Item(hit.what, hit.confidence)))
                        }
                        _ if super::rust::is_variant(part) => next.push(RustEntity::Item(item, sure)),
                        // A member that a known type does not define comes from outside: `default`, `from`.
                        _ => outside = true,
                    }
                }
                RustEntity::Item(..) => outside = false,
            }
        }
        if outside && next.is_empty() {
            return None;
        }
        entities = next;
    }
    Some(entities)
}

/// Resolves a single name in a scope of a file, through imports, globs and crates.
fn in_scope(names: &VisibleNames, path: &str, scope: &str, name: &str, seen: &mut RustLookupStack) -> RustLookup {
    let file = Module::of_file(names, path);
    let module_scope = module_around(names, path, scope);
    let module = file.child(module_scope);
    match name {
        "crate" | "$crate" => return Some(vec![RustEntity::Module(file.top())]),
        "self" => return Some(vec![RustEntity::Module(module)]),
        "super" => return Some(module.parent().map(RustEntity::Module).into_iter().collect()),
        "std" | "core" | "alloc" | "proc_macro" => return None,
        _ => {}
    }
    let key = (path.to_owned(), scope.to_owned(), name.to_owned());
    if seen.contains(&key) {
        return Some(Vec::new());
    }
    seen.push(key);
    let place = (&file, &module, module_scope);
    let found = names.deeper(Some(Vec::new()), || bound_in_scope(names, path, scope, name, place, seen));
    seen.pop();
    found
}

/// Resolves a single name in a scope, without the check for circles.
fn bound_in_scope(
    names: &VisibleNames,
    path: &str,
    scope: &str,
    name: &str,
    (file, module, module_scope): (&Module, &Module, &str),
    seen: &mut RustLookupStack,
) -> RustLookup {
    // Names outside the enclosing module are not in scope; those of enclosing functions are.
    let visible = || scopes(scope, "::").into_iter().filter(|s| s.len() >= module_scope.len());
    let imports = names.imports(path);
    for inner in visible() {
        let here = items_at(names, file, path, inner, name);
        if !here.is_empty() {
            return Some(here);
        }
        for import in imports.iter().filter(|import| stands_in(import, inner)) {
            if local_name(import) == Some(name) {
                let found = resolve_path(names, path, inner, &import.target, seen);
                // An import that resolves to nothing leads outside the repository: no fallback by name alone.
                return found.filter(|entities| !entities.is_empty());
            }
        }
    }
    let child = module.child(name);
    if child.exists(names) {
        return Some(vec![RustEntity::Module(child)]);
    }
    for inner in visible() {
        let found = through_globs(names, path, inner, &imports, name, Some(module), seen);
        if !found.is_empty() {
            return Some(found);
        }
    }
    Some(crates(names, module, name).into_iter().map(RustEntity::Module).collect())
}

/// Resolves a name inside a module, seen from another one.
fn in_module(
    names: &VisibleNames,
    module: &Module,
    name: &str,
    public: bool,
    seen: &mut RustLookupStack,
) -> RustLookup {
    let key = (format!("{module:?}"), String::new(), name.to_owned());
    if seen.contains(&key) {
        return Some(Vec::new());
    }
    seen.push(key);
    let found = names.deeper(Some(Vec::new()), || bound_in_module(names, module, name, public, seen));
    seen.pop();
    let lower = |entity| match entity {
        RustEntity::Item(item, sure) => RustEntity::Item(item, sure.min(module.sure)),
        RustEntity::Module(inner) => RustEntity::Module(inner.at_most(module.sure)),
    };
    found.map(|entities| entities.into_iter().map(lower).collect())
}

/// Resolves a name inside a module, without the check for circles.
fn bound_in_module(
    names: &VisibleNames,
    module: &Module,
    name: &str,
    public: bool,
    seen: &mut RustLookupStack,
) -> RustLookup {
    let places = module.places(names);
    let mut found = Vec::new();
    for (path, scope) in &places {
        found.extend(items_at(names, &Module::of_file(names, path), path, scope, name));
    }
    if !found.is_empty() {
        return Some(found);
    }
    let mut outside = false;
    for (path, scope) in &places {
        let imports = names.imports(path);
        for import in imports.iter().filter(|import| stands_in(import, scope)) {
            if local_name(import) == Some(name) && (import.reexport || !public) {
                match resolve_path(names, path, scope, &import.target, seen) {
                    Some(entities) if !entities.is_empty() => found.extend(entities),
                    _ => outside = true,
                }
            }
        }
    }
    let child = module.child(name);
    if found.is_empty() && child.exists(names) {
        found.push(RustEntity::Module(child));
    }
    if found.is_empty() && outside {
        return None;
    }
    if found.is_empty() {
        for (path, scope) in &places {
            let imports = names.imports(path);
            found.extend(through_globs(names, path, scope, &imports, name, None, seen));
        }
    }
    Some(found)
}

/// Resolves a name through the globs of a scope. From inside a module, private names of its ancestors are visible too.
fn through_globs(
    names: &VisibleNames,
    path: &str,
    scope: &str,
    imports: &[Import],
    name: &str,
    inside: Option<&Module>,
    seen: &mut RustLookupStack,
) -> Vec<RustEntity> {
    let mut found = Vec::new();
    for import in imports.iter().filter(|import| stands_in(import, scope)) {
        let Some(target) = glob_target(import) else { continue };
        for entity in resolve_path(names, path, scope, target, seen).unwrap_or_default() {
            match entity {
                RustEntity::Module(module) => {
                    let private = inside
                        .is_some_and(|inside| inside.same_crate(&module) && inside.parts.starts_with(&module.parts));
                    found.extend(in_module(names, &module, name, !private, seen).unwrap_or_default());
                }
                // `use Enum::*` binds variants: the enum is what such a call builds.
                RustEntity::Item(item, sure)
                    if item.kind == DefinitionKind::Type && item.fields.iter().any(|(variant, _)| variant == name) =>
                {
                    found.push(RustEntity::Item(item, sure));
                }
                RustEntity::Item(..) => {}
            }
        }
    }
    found
}

/// Returns the definitions and inline modules with a name at a scope of a file.
fn items_at(names: &VisibleNames, file: &Module, path: &str, scope: &str, name: &str) -> Vec<RustEntity> {
    names
        .named(name)
        .into_iter()
        .filter(|item| item.path == path && item.owner.is_none() && scope_of(&item.qualified, "::") == scope)
        .map(|item| match item.kind {
            DefinitionKind::Module => RustEntity::Module(file.child(&item.qualified)),
            _ => RustEntity::Item(item, 1.0),
        })
        .collect()
}

/// Returns the innermost `mod` around a scope of a file.
fn module_around<'s>(names: &VisibleNames, path: &str, scope: &'s str) -> &'s str {
    scopes(scope, "::")
        .into_iter()
        .find(|inner| {
            inner.is_empty()
                || names.named(last_segment(inner)).iter().any(|module| {
                    module.kind == DefinitionKind::Module && module.path == path && module.qualified == *inner
                })
        })
        .unwrap_or("")
}

/// Returns whether an import is in a scope.
fn stands_in(import: &Import, scope: &str) -> bool {
    import.scope.as_deref().unwrap_or("") == scope
}

/// Returns the module that a glob imports from.
fn glob_target(import: &Import) -> Option<&str> {
    if import.name.as_deref() == Some("*") {
        return Some(import.target.trim_end_matches("::*"));
    }
    import.target.strip_suffix("::*")
}

/// Returns the name that an import binds; `None` for a glob or `as _`.
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
