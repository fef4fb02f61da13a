//! Python: resolves names through enclosing functions, the module and its imports, with `__init__` of packages; methods
//! through classes and their bases.
//!
//! Any folder may be a root of packages. Limits: assignments to attributes and monkey patches are not seen.

use std::sync::Arc;

use super::members::{self, Rules, receiver_of};
use super::text::{base_name, below, ends_with_path, folder, nearness, scopes};
use super::{LiveDefinition, NameScope, Resolution, ScoredDefinition, VisibleNames, trust};
use crate::syntax::{Call, CallForm, DefinitionKind, Import};

/// Resolves a Python call.
pub(super) fn resolve(names: &VisibleNames, place: &NameScope, call: &Call) -> Resolution {
    if call.form == CallForm::Free {
        // A bare name that the file does not bind is a builtin, so it is not guessed.
        return match to_resolution(name_in_scope(names, place, &call.name, &mut Vec::new()), place) {
            Resolution::Unknown => Resolution::External,
            meaning => meaning,
        };
    }
    Python.resolve_callee(names, place, call)
}

/// The rules of Python.
struct Python;

impl Rules for Python {
    fn is_self(&self, _: &NameScope, head: &str) -> bool {
        matches!(head, "self" | "cls")
    }

    fn resolve_type(&self, names: &VisibleNames, place: &NameScope, written: &str) -> Resolution {
        let parts: Vec<&str> = written.split('.').collect();
        match to_resolution(chain(names, place, &parts), place) {
            Resolution::Known(mut hits) => {
                hits.retain(|hit| hit.what.kind == DefinitionKind::Type);
                Resolution::of(hits, Resolution::Unknown)
            }
            other => other,
        }
    }

    fn own_members(&self, names: &VisibleNames, owner: &LiveDefinition, name: &str) -> Vec<Arc<LiveDefinition>> {
        let mut found = names.named(name);
        found.retain(|member| member.path == owner.path && member.qualified == format!("{}.{name}", owner.qualified));
        found
    }

    fn resolve_callee(&self, names: &VisibleNames, place: &NameScope, call: &Call) -> Resolution {
        if receiver_of(&call.callee) == "super" {
            return base_member(names, place, &call.name);
        }
        members::method(self, names, place, call).or_else(|| {
            let parts: Vec<&str> = call.callee.split('.').collect();
            to_resolution(chain(names, place, &parts), place)
        })
    }

    fn strip_wrappers<'t>(&self, written: &'t str) -> &'t str {
        strip_wrappers(written)
    }
}

/// Resolves `super().name()`.
fn base_member(names: &VisibleNames, place: &NameScope, name: &str) -> Resolution {
    let Some(owner) = place.owner else {
        return Resolution::External;
    };
    let Resolution::Known(owners) = Python.resolve_type(names, place, owner) else {
        return Resolution::Unknown;
    };
    let mut bases = Vec::new();
    for owner in &owners {
        let inside = NameScope::inside(&owner.what);
        for base in &owner.what.bases {
            if let Resolution::Known(hits) = Python.resolve_type(names, &inside, strip_wrappers(base)) {
                bases.extend(hits);
            }
        }
    }
    let bases = Resolution::of(bases, Resolution::External).with(trust::TYPED, "method of the base class");
    members::members(&Python, names, bases, name)
}

/// Returns the class of an annotation, without quotes, `Optional` and `| None`; the container of generic ones.
fn strip_wrappers(written: &str) -> &str {
    let mut rest = written.trim().trim_matches(['"', '\'']);
    for wrapper in ["Optional[", "typing.Optional[", "t.Optional[", "type[", "Type[", "t.Type[", "Annotated["] {
        if let Some(inner) = rest.strip_prefix(wrapper) {
            let inner = inner.strip_suffix(']').unwrap_or(inner);
            rest = inner.split(',').next().unwrap_or(inner).trim();
        }
    }
    let mut parts = rest.split('|').map(str::trim).filter(|part| *part != "None");
    let first = parts.next().unwrap_or(rest).trim_matches(['"', '\'']);
    first.split('[').next().unwrap_or(first)
}

/// An entity that a name denotes.
#[derive(Debug, Clone)]
enum PythonEntity {
    /// A module, by its file; an `__init__.py` is its package.
    Module(String),
    Item(Arc<LiveDefinition>),
}

/// The entities found; `None` if the name is known to be from outside the repository.
type PythonLookup = Option<Vec<PythonEntity>>;

/// Lookups in progress, as (module, name), because imports may be circular.
type PythonLookupStack = Vec<(String, String)>;

/// Converts found entities to a resolution.
fn to_resolution(found: PythonLookup, place: &NameScope) -> Resolution {
    let Some(entities) = found else {
        return Resolution::External;
    };
    let hits = entities.into_iter().filter_map(|entity| {
        let PythonEntity::Item(item) = entity else { return None };
        if !matches!(item.kind, DefinitionKind::Function | DefinitionKind::Type) {
            return None;
        }
        let (trust, reason) =
            if item.path == place.path { (trust::SCOPE, "in scope in the file") } else { (trust::IMPORT, "imported") };
        Some(ScoredDefinition::new(item, trust, reason))
    });
    Resolution::of(hits.collect(), Resolution::Unknown)
}

/// Resolves `a.b.c`: the head by scope, then module or class by class.
fn chain(names: &VisibleNames, place: &NameScope, parts: &[&str]) -> PythonLookup {
    let Some((head, rest)) = parts.split_first() else {
        return Some(Vec::new());
    };
    let seen = &mut Vec::new();
    // `import a.b.c` binds `a`; the longest prefix of the chain that is a module wins.
    let imports = names.imports(place.path);
    let spelled = imports
        .iter()
        .filter(|import| import.name.is_none() && import.alias.is_none())
        .filter(|import| {
            let mut words = import.target.split('.');
            words.next() == Some(head)
        })
        .filter_map(|import| {
            let words: Vec<&str> = import.target.split('.').collect();
            (words.len() > 1 && parts.starts_with(&words)).then_some((words.len(), import))
        })
        .max_by_key(|(length, _)| *length);
    if let Some((length, import)) = spelled {
        let modules = modules(names, place.path, &import.target)?;
        let entities = modules.into_iter().map(PythonEntity::Module).collect();
        return steps(names, entities, &parts[length..], seen);
    }
    let entities = name_in_scope(names, place, head, seen)?;
    steps(names, entities, rest, seen)
}

/// Resolves the rest of a chain, starting from entities.
fn steps(
    names: &VisibleNames,
    mut entities: Vec<PythonEntity>,
    parts: &[&str],
    seen: &mut PythonLookupStack,
) -> PythonLookup {
    for part in parts {
        let mut next = Vec::new();
        let mut outside = !entities.is_empty();
        for entity in entities {
            match entity {
                PythonEntity::Module(file) => {
                    if let Some(found) = in_module(names, &file, part, seen) {
                        outside = false;
                        next.extend(found);
                    }
                }
                PythonEntity::Item(item) if item.kind == DefinitionKind::Type => {
                    let hit = ScoredDefinition::new(item, trust::OWN_MEMBER, "member");
                    let found = members::members(&Python, names, Resolution::Known(vec![hit]), part);
                    if let Resolution::Known(hits) = found {
                        outside = false;
                        next.extend(hits.into_iter().map(|hit| PythonEntity::Item(hit.what)));
                    }
                }
                PythonEntity::Item(item) => {
                    outside = false;
                    if item.kind == DefinitionKind::Constant {
                        let types = members::of_variable(&Python, names, &item);
                        if let Resolution::Known(hits) = members::members(&Python, names, types, part) {
                            next.extend(hits.into_iter().map(|hit| PythonEntity::Item(hit.what)));
                        }
                    }
                }
            }
        }
        if outside && next.is_empty() {
            return None;
        }
        entities = next;
    }
    Some(entities)
}

/// Resolves a bare name: in enclosing functions, the module, then its imports.
fn name_in_scope(names: &VisibleNames, place: &NameScope, name: &str, seen: &mut PythonLookupStack) -> PythonLookup {
    let imports = names.imports(place.path);
    for scope in scopes(place.scope, ".") {
        // The names of a class are not in scope in its methods.
        let is_class = !scope.is_empty()
            && names.named(base_name(&scope.replace('.', "/"))).iter().any(|class| {
                class.kind == DefinitionKind::Type && class.path == place.path && class.qualified == scope
            });
        if is_class && scope != place.scope {
            continue;
        }
        let qualified = if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") };
        let mut here = names.named(name);
        here.retain(|item| item.path == place.path && item.qualified == qualified);
        if !here.is_empty() {
            return Some(here.into_iter().map(PythonEntity::Item).collect());
        }
        let bound: Vec<&Import> = imports
            .iter()
            .filter(|import| import.scope.as_deref().unwrap_or("") == scope)
            .filter(|import| local_name(import) == Some(name))
            .collect();
        if !bound.is_empty() {
            return imported(names, place.path, &bound, seen);
        }
    }
    Some(through_stars(names, place.path, &imports, name, seen))
}

/// Resolves a name in a module, seen from another one.
fn in_module(names: &VisibleNames, file: &str, name: &str, seen: &mut PythonLookupStack) -> PythonLookup {
    let key = (file.to_owned(), name.to_owned());
    if seen.contains(&key) {
        return Some(Vec::new());
    }
    seen.push(key);
    let mut here = names.named(name);
    here.retain(|item| item.path == file && item.qualified == name);
    if !here.is_empty() {
        return Some(here.into_iter().map(PythonEntity::Item).collect());
    }
    let imports = names.imports(file);
    let bound: Vec<&Import> = imports.iter().filter(|import| local_name(import) == Some(name)).collect();
    if !bound.is_empty() {
        return imported(names, file, &bound, seen);
    }
    if base_name(file) == "__init__.py" {
        let inside = folder(file);
        let module = below(inside, &format!("{name}.py"));
        let package = below(inside, &format!("{name}/__init__.py"));
        if let Some(file) = [module, package].into_iter().find(|file| names.file_exists(file)) {
            return Some(vec![PythonEntity::Module(file)]);
        }
    }
    Some(through_stars(names, file, &imports, name, seen))
}

/// Resolves imports that bind a name.
fn imported(names: &VisibleNames, path: &str, bound: &[&Import], seen: &mut PythonLookupStack) -> PythonLookup {
    let mut found = Vec::new();
    // A name may be imported twice, for two platforms or versions; imports that resolve to live files count.
    for import in bound {
        let Some(name) = &import.name else {
            let target = match &import.alias {
                Some(_) => &import.target,
                None => import.target.split('.').next().unwrap_or(&import.target),
            };
            found.extend(modules(names, path, target).unwrap_or_default().into_iter().map(PythonEntity::Module));
            continue;
        };
        for module in modules(names, path, &import.target).unwrap_or_default() {
            found.extend(in_module(names, &module, name, seen).unwrap_or_default());
        }
        if found.is_empty() {
            // `from package import module`, where a folder without `__init__.py` is the package.
            let dots = if import.target.ends_with('.') { "" } else { "." };
            let target = format!("{}{dots}{name}", import.target);
            found.extend(modules(names, path, &target).unwrap_or_default().into_iter().map(PythonEntity::Module));
        }
    }
    (!found.is_empty()).then_some(found)
}

/// Resolves a name through `import *`.
fn through_stars(
    names: &VisibleNames,
    path: &str,
    imports: &[Import],
    name: &str,
    seen: &mut PythonLookupStack,
) -> Vec<PythonEntity> {
    let mut found = Vec::new();
    for import in imports.iter().filter(|import| import.name.as_deref() == Some("*")) {
        for module in modules(names, path, &import.target).unwrap_or_default() {
            found.extend(in_module(names, &module, name, seen).unwrap_or_default());
        }
    }
    found
}

/// Returns the name that an import binds.
fn local_name(import: &Import) -> Option<&str> {
    if let Some(alias) = &import.alias {
        return Some(alias);
    }
    match import.name.as_deref() {
        Some("*") => None,
        Some(name) => Some(name),
        None => import.target.split('.').next(),
    }
}

/// Endings of a module's file, likeliest first. A stub (`.pyi`) represents a compiled module.
const MODULE_FILES: &[&str] = &[".py", "/__init__.py", ".pyi", "/__init__.pyi"];

/// Returns the file of a module as written in a file; `None` if none is live.
fn modules(names: &VisibleNames, path: &str, written: &str) -> Option<Vec<String>> {
    let name = written.trim_start_matches('.');
    let dots = written.len() - name.len();
    let module = name.replace('.', "/");
    let mut base = folder(path);
    for _ in 1..dots {
        base = folder(base);
    }
    let exact = |ending: &&str| {
        let file = below(base, format!("{module}{ending}").trim_start_matches('/'));
        (*ending != ".py" || !module.is_empty()).then_some(file).filter(|file| names.file_exists(file))
    };
    if dots > 0 {
        return MODULE_FILES.iter().find_map(exact).map(|file| vec![file]);
    }
    MODULE_FILES.iter().find_map(|ending| {
        let tail = format!("{module}{ending}");
        let files = names.files_called(base_name(&tail));
        let rooted = |file: &&String| {
            let root = file.strip_suffix(tail.as_str()).unwrap_or(file);
            ends_with_path(file, &tail) && *file != path && may_be_root(root.trim_end_matches('/'), path)
        };
        let near = |file: &&String| (nearness(file, path), std::cmp::Reverse((*file).clone()));
        files.iter().filter(rooted).max_by_key(near).map(|file| vec![file.clone()])
    })
}

/// Returns whether a folder may be a root of packages for a file: a folder around it, or one in which projects keep
/// their packages.
fn may_be_root(root: &str, path: &str) -> bool {
    let around = |root: &str| root.is_empty() || path.starts_with(&format!("{root}/"));
    around(root) || matches!(base_name(root), "src" | "lib" | "python") && around(folder(root))
}
