//! Python: names through enclosing functions, the module and its imports, packages' `__init__`
//! included; methods through classes and their bases. Any folder may be a root of packages. What is
//! assigned to an attribute or patched at run time is not seen.

use std::sync::Arc;

use super::members::{self, Rules, receiver_of};
use super::text::{base_name, below, ends_with_path, folder, nearness, scopes};
use super::{Candidate, Hit, Meaning, Place, View, trust};
use crate::syntax::{Call, Form, Import, Kind};

/// What a Python call means.
pub(super) fn resolve(view: &View, place: &Place, call: &Call) -> Meaning {
    if call.form == Form::Free {
        // A bare name is bound in the file or is a builtin.
        return match hits(name_in_scope(view, place, &call.name, &mut Vec::new()), place) {
            Meaning::Unknown => Meaning::External,
            meaning => meaning,
        };
    }
    Python.callee(view, place, call)
}

struct Python;

impl Rules for Python {
    fn is_self(&self, _: &Place, head: &str) -> bool {
        matches!(head, "self" | "cls")
    }

    fn types(&self, view: &View, place: &Place, written: &str) -> Meaning {
        let parts: Vec<&str> = written.split('.').collect();
        match hits(chain(view, place, &parts), place) {
            Meaning::Known(mut hits) => {
                hits.retain(|hit| hit.what.kind == Kind::Type);
                Meaning::of(hits, Meaning::Unknown)
            }
            other => other,
        }
    }

    fn own(&self, view: &View, owner: &Candidate, name: &str) -> Vec<Arc<Candidate>> {
        let mut found = view.named(name);
        found.retain(|member| member.path == owner.path && member.qualified == format!("{}.{name}", owner.qualified));
        found
    }

    fn callee(&self, view: &View, place: &Place, call: &Call) -> Meaning {
        if receiver_of(&call.callee) == "super" {
            return of_bases(view, place, &call.name);
        }
        members::method(self, view, place, call).or_else(|| {
            let parts: Vec<&str> = call.callee.split('.').collect();
            hits(chain(view, place, &parts), place)
        })
    }

    fn peel<'t>(&self, written: &'t str) -> &'t str {
        peel(written)
    }
}

/// `super().name()`.
fn of_bases(view: &View, place: &Place, name: &str) -> Meaning {
    let Some(owner) = place.owner else {
        return Meaning::External;
    };
    let Meaning::Known(owners) = Python.types(view, place, owner) else {
        return Meaning::Unknown;
    };
    let mut bases = Vec::new();
    for owner in &owners {
        let inside = Place::inside(&owner.what);
        for base in &owner.what.bases {
            if let Meaning::Known(hits) = Python.types(view, &inside, peel(base)) {
                bases.extend(hits);
            }
        }
    }
    let bases = Meaning::of(bases, Meaning::External).with(trust::TYPED, "method of the base class");
    members::members(&Python, view, bases, name)
}

/// An annotation's class: quotes, `Optional` and `| None` are taken off, containers hold something else.
fn peel(written: &str) -> &str {
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

/// What a name stands for.
#[derive(Debug, Clone)]
enum Thing {
    /// A module, by its file; an `__init__.py` is its package.
    Module(String),
    Item(Arc<Candidate>),
}

/// `None`: known to lie outside the repository.
type Found = Option<Vec<Thing>>;

type Seen = Vec<(String, String)>;

fn hits(found: Found, place: &Place) -> Meaning {
    let Some(things) = found else {
        return Meaning::External;
    };
    let hits = things.into_iter().filter_map(|thing| {
        let Thing::Item(item) = thing else { return None };
        if !matches!(item.kind, Kind::Function | Kind::Type) {
            return None;
        }
        let (trust, reason) =
            if item.path == place.path { (trust::SCOPE, "in scope in the file") } else { (trust::IMPORT, "imported") };
        Some(Hit::new(item, trust, reason))
    });
    Meaning::of(hits.collect(), Meaning::Unknown)
}

/// What `a.b.c` means: the head by scope, then module or class by class.
fn chain(view: &View, place: &Place, parts: &[&str]) -> Found {
    let Some((head, rest)) = parts.split_first() else {
        return Some(Vec::new());
    };
    let seen = &mut Vec::new();
    // `import a.b.c` binds `a`, and the longest module that the chain spells is the one that is meant.
    let imports = view.imports(place.path);
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
        let modules = modules(view, place.path, &import.target)?;
        let things = modules.into_iter().map(Thing::Module).collect();
        return steps(view, things, &parts[length..], seen);
    }
    let things = name_in_scope(view, place, head, seen)?;
    steps(view, things, rest, seen)
}

fn steps(view: &View, mut things: Vec<Thing>, parts: &[&str], seen: &mut Seen) -> Found {
    for part in parts {
        let mut next = Vec::new();
        let mut outside = !things.is_empty();
        for thing in things {
            match thing {
                Thing::Module(file) => {
                    if let Some(found) = in_module(view, &file, part, seen) {
                        outside = false;
                        next.extend(found);
                    }
                }
                Thing::Item(item) if item.kind == Kind::Type => {
                    let hit = Hit::new(item, trust::OWN_MEMBER, "member");
                    let found = members::members(&Python, view, Meaning::Known(vec![hit]), part);
                    if let Meaning::Known(hits) = found {
                        outside = false;
                        next.extend(hits.into_iter().map(|hit| Thing::Item(hit.what)));
                    }
                }
                Thing::Item(item) => {
                    outside = false;
                    if item.kind == Kind::Constant {
                        let types = members::of_variable(&Python, view, &item);
                        if let Meaning::Known(hits) = members::members(&Python, view, types, part) {
                            next.extend(hits.into_iter().map(|hit| Thing::Item(hit.what)));
                        }
                    }
                }
            }
        }
        if outside && next.is_empty() {
            return None;
        }
        things = next;
    }
    Some(things)
}

/// What a bare name means: enclosing functions, the module's own, then imports.
fn name_in_scope(view: &View, place: &Place, name: &str, seen: &mut Seen) -> Found {
    let imports = view.imports(place.path);
    for scope in scopes(place.scope, ".") {
        // The names of a class are no scope for its methods.
        let is_class = !scope.is_empty()
            && view
                .named(base_name(&scope.replace('.', "/")))
                .iter()
                .any(|class| class.kind == Kind::Type && class.path == place.path && class.qualified == scope);
        if is_class && scope != place.scope {
            continue;
        }
        let qualified = if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") };
        let mut here = view.named(name);
        here.retain(|item| item.path == place.path && item.qualified == qualified);
        if !here.is_empty() {
            return Some(here.into_iter().map(Thing::Item).collect());
        }
        let bound: Vec<&Import> = imports
            .iter()
            .filter(|import| import.scope.as_deref().unwrap_or("") == scope)
            .filter(|import| local_name(import) == Some(name))
            .collect();
        if !bound.is_empty() {
            return imported(view, place.path, &bound, seen);
        }
    }
    Some(through_stars(view, place.path, &imports, name, seen))
}

/// What a name means in a module, looked at from elsewhere.
fn in_module(view: &View, file: &str, name: &str, seen: &mut Seen) -> Found {
    let key = (file.to_owned(), name.to_owned());
    if seen.contains(&key) {
        return Some(Vec::new());
    }
    seen.push(key);
    let mut here = view.named(name);
    here.retain(|item| item.path == file && item.qualified == name);
    if !here.is_empty() {
        return Some(here.into_iter().map(Thing::Item).collect());
    }
    let imports = view.imports(file);
    let bound: Vec<&Import> = imports.iter().filter(|import| local_name(import) == Some(name)).collect();
    if !bound.is_empty() {
        return imported(view, file, &bound, seen);
    }
    if base_name(file) == "__init__.py" {
        let inside = folder(file);
        let module = below(inside, &format!("{name}.py"));
        let package = below(inside, &format!("{name}/__init__.py"));
        if let Some(file) = [module, package].into_iter().find(|file| view.file_exists(file)) {
            return Some(vec![Thing::Module(file)]);
        }
    }
    Some(through_stars(view, file, &imports, name, seen))
}

fn imported(view: &View, path: &str, bound: &[&Import], seen: &mut Seen) -> Found {
    let mut found = Vec::new();
    // A name can be imported twice, for two platforms or versions: what is here is what counts.
    for import in bound {
        let Some(name) = &import.name else {
            let target = match &import.alias {
                Some(_) => &import.target,
                None => import.target.split('.').next().unwrap_or(&import.target),
            };
            found.extend(modules(view, path, target).unwrap_or_default().into_iter().map(Thing::Module));
            continue;
        };
        for module in modules(view, path, &import.target).unwrap_or_default() {
            found.extend(in_module(view, &module, name, seen).unwrap_or_default());
        }
        if found.is_empty() {
            // `from package import module`, where a folder without `__init__.py` is the package.
            let dots = if import.target.ends_with('.') { "" } else { "." };
            let target = format!("{}{dots}{name}", import.target);
            found.extend(modules(view, path, &target).unwrap_or_default().into_iter().map(Thing::Module));
        }
    }
    (!found.is_empty()).then_some(found)
}

fn through_stars(view: &View, path: &str, imports: &[Import], name: &str, seen: &mut Seen) -> Vec<Thing> {
    let mut found = Vec::new();
    for import in imports.iter().filter(|import| import.name.as_deref() == Some("*")) {
        for module in modules(view, path, &import.target).unwrap_or_default() {
            found.extend(in_module(view, &module, name, seen).unwrap_or_default());
        }
    }
    found
}

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

/// What a module's path ends with, likeliest first. A stub speaks for a module that is compiled.
const MODULE_FILES: &[&str] = &[".py", "/__init__.py", ".pyi", "/__init__.pyi"];

/// The file of the module that is written so in a file; `None` where none is live.
fn modules(view: &View, path: &str, written: &str) -> Option<Vec<String>> {
    let name = written.trim_start_matches('.');
    let dots = written.len() - name.len();
    let module = name.replace('.', "/");
    let mut base = folder(path);
    for _ in 1..dots {
        base = folder(base);
    }
    let exact = |ending: &&str| {
        let file = below(base, format!("{module}{ending}").trim_start_matches('/'));
        (*ending != ".py" || !module.is_empty()).then_some(file).filter(|file| view.file_exists(file))
    };
    if dots > 0 {
        return MODULE_FILES.iter().find_map(exact).map(|file| vec![file]);
    }
    MODULE_FILES.iter().find_map(|ending| {
        let tail = format!("{module}{ending}");
        let files = view.files_called(base_name(&tail));
        let rooted = |file: &&String| {
            let root = file.strip_suffix(tail.as_str()).unwrap_or(file);
            ends_with_path(file, &tail) && *file != path && may_be_root(root.trim_end_matches('/'), path)
        };
        let near = |file: &&String| (nearness(file, path), std::cmp::Reverse((*file).clone()));
        files.iter().filter(rooted).max_by_key(near).map(|file| vec![file.clone()])
    })
}

/// Packages are found from the folders around a file, and from the folders that projects keep theirs in.
fn may_be_root(root: &str, path: &str) -> bool {
    let around = |root: &str| root.is_empty() || path.starts_with(&format!("{root}/"));
    around(root) || matches!(base_name(root), "src" | "lib" | "python") && around(folder(root))
}
