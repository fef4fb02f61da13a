//! JavaScript and TypeScript: names through enclosing functions, the file and its imports, re-exports
//! included; methods through `this`, classes and interfaces. Specifiers without a leading dot are
//! packages, unless one file of the repository fits an alias; prototypes and dynamic keys are not seen.

use std::sync::Arc;

use super::members::{self, Rules, receiver_of};
use super::text::{bare, base_name, below, ends_with_path, folder, join, scopes, without_extension};
use super::{Candidate, Hit, Meaning, Place, View, trust};
use crate::syntax::{Call, Form, Import, Kind};

/// What a JavaScript or TypeScript call means.
pub(super) fn resolve(view: &View, place: &Place, call: &Call) -> Meaning {
    if call.form == Form::Free && call.callee != "super" {
        // A bare name is bound in the file or is a global of the platform.
        let things = name_in_scope(view, place, &call.name).map(|things| {
            let called = |thing| match thing {
                // A module that is called is its default export.
                Thing::Module(file) => default_export(view, &file, &call.name, &mut Vec::new()),
                item => vec![item],
            };
            things.into_iter().flat_map(called).collect()
        });
        return match hits(things, place) {
            Meaning::Unknown => Meaning::External,
            meaning => meaning,
        };
    }
    JavaScript.callee(view, place, call)
}

struct JavaScript;

impl Rules for JavaScript {
    fn is_self(&self, _: &Place, head: &str) -> bool {
        head == "this"
    }

    fn types(&self, view: &View, place: &Place, written: &str) -> Meaning {
        let parts: Vec<&str> = bare(written).split('.').collect();
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
        let receiver = receiver_of(&call.callee);
        if call.callee == "super" || receiver == "super" {
            return of_bases(view, place, call);
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

/// `super()`, which is the base class, and `super.name()`.
fn of_bases(view: &View, place: &Place, call: &Call) -> Meaning {
    let Some(Meaning::Known(owners)) = place.owner.map(|owner| JavaScript.types(view, place, owner)) else {
        return Meaning::External;
    };
    let mut bases = Vec::new();
    for owner in &owners {
        let inside = Place::inside(&owner.what);
        for base in &owner.what.bases {
            if let Meaning::Known(hits) = JavaScript.types(view, &inside, peel(base)) {
                bases.extend(hits.into_iter().filter(|hit| !members::is_interface(&hit.what)));
            }
        }
    }
    let bases = Meaning::of(bases, Meaning::External).with(trust::TYPED, "member of the base class");
    if call.callee == "super" { bases } else { members::members(&JavaScript, view, bases, &call.name) }
}

/// A written type without `| undefined` and promises; arrays and tuples are the platform's.
fn peel(written: &str) -> &str {
    let mut rest = written.trim().trim_start_matches(':').trim();
    rest = rest.strip_prefix("readonly ").unwrap_or(rest);
    rest = rest.strip_prefix("asserts this is ").unwrap_or(rest);
    for wrapper in ["Promise<", "Readonly<", "Partial<", "Required<", "NonNullable<"] {
        if let Some(inner) = rest.strip_prefix(wrapper) {
            rest = inner.strip_suffix('>').unwrap_or(inner);
        }
    }
    let absent = |part: &&str| !matches!(*part, "null" | "undefined");
    let mut parts = rest.split(" | ").map(str::trim).filter(absent);
    match (parts.next(), parts.next()) {
        (Some(only), None) if !only.ends_with("[]") => bare(only),
        _ => "",
    }
}

/// What a name stands for.
#[derive(Debug, Clone)]
enum Thing {
    /// A module as a whole, `import * as name`.
    Module(String),
    Item(Arc<Candidate>, f32),
}

/// `None`: known to lie outside the repository.
type Found = Option<Vec<Thing>>;

type Seen = Vec<(String, String)>;

fn hits(found: Found, place: &Place) -> Meaning {
    let Some(things) = found else {
        return Meaning::External;
    };
    let hits = things.into_iter().filter_map(|thing| {
        let Thing::Item(item, sure) = thing else { return None };
        let (trust, reason) =
            if item.path == place.path { (trust::SCOPE, "in scope in the file") } else { (trust::IMPORT, "imported") };
        (item.kind != Kind::Module).then(|| Hit::new(item, trust.min(sure), reason))
    });
    let mut hits: Vec<Hit> = hits.collect();
    // Types and values have namespaces of their own: a call means the value.
    if hits.iter().any(|hit| is_value(&hit.what)) {
        hits.retain(|hit| is_value(&hit.what));
    }
    Meaning::of(hits, Meaning::Unknown)
}

/// True for what exists at run time.
fn is_value(candidate: &Candidate) -> bool {
    let word = |word: &str| candidate.signature.split(' ').any(|part| part == word);
    candidate.kind != Kind::Type || !(word("interface") || word("type"))
}

fn chain(view: &View, place: &Place, parts: &[&str]) -> Found {
    let Some((head, rest)) = parts.split_first() else {
        return Some(Vec::new());
    };
    let mut things = name_in_scope(view, place, head)?;
    for part in rest {
        let mut next = Vec::new();
        let mut outside = !things.is_empty();
        for thing in things {
            match thing {
                Thing::Module(file) => match exported(view, &file, part, &mut Vec::new()) {
                    Some(found) if !found.is_empty() => {
                        outside = false;
                        next.extend(found);
                    }
                    _ => {
                        for thing in default_export(view, &file, head, &mut Vec::new()) {
                            if let Thing::Item(item, sure) = thing {
                                next.extend(inside(view, item, sure, part));
                            }
                        }
                    }
                },
                Thing::Item(item, sure) => {
                    outside &= item.kind == Kind::Type;
                    next.extend(inside(view, item, sure, part));
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

/// What a name means inside a definition: nested in it, a member of it, or of a variable's type.
fn inside(view: &View, item: Arc<Candidate>, sure: f32, name: &str) -> Vec<Thing> {
    let qualified = format!("{}.{name}", item.qualified);
    let mut nested = view.named(name);
    nested.retain(|member| member.path == item.path && member.qualified == qualified);
    if !nested.is_empty() {
        return nested.into_iter().map(|member| Thing::Item(member, sure)).collect();
    }
    let types = match item.kind {
        Kind::Type => Meaning::Known(vec![Hit::new(item, sure, "member")]),
        Kind::Constant => members::of_variable(&JavaScript, view, &item),
        _ => Meaning::Unknown,
    };
    match members::members(&JavaScript, view, types, name) {
        Meaning::Known(hits) => hits.into_iter().map(|hit| Thing::Item(hit.what, hit.confidence.min(sure))).collect(),
        _ => Vec::new(),
    }
}

/// What a bare name means: enclosing functions, the file's own, then its imports.
fn name_in_scope(view: &View, place: &Place, name: &str) -> Found {
    for scope in scopes(place.scope, ".") {
        let qualified = if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") };
        let mut here = view.named(name);
        here.retain(|item| item.path == place.path && item.qualified == qualified && is_bound(item));
        if !here.is_empty() {
            return Some(here.into_iter().map(|item| Thing::Item(item, 1.0)).collect());
        }
    }
    let imports = view.imports(place.path);
    let bound: Vec<&Import> =
        imports.iter().filter(|import| !import.reexport && local_name(import) == Some(name)).collect();
    if bound.is_empty() {
        return Some(Vec::new());
    }
    let found: Vec<Thing> = bound
        .iter()
        .flat_map(|import| imported(view, place.path, import, &mut Vec::new()).unwrap_or_default())
        .collect();
    (!found.is_empty()).then_some(found)
}

/// False for methods, those of unnamed objects too: they are no names in scope for their neighbours.
fn is_bound(item: &Candidate) -> bool {
    let before = item.signature.split('(').next().unwrap_or_default();
    let says = |word: &str| before.split([' ', '*']).any(|part| part == word);
    let is_method = !["function", "const", "let", "var", "="].into_iter().any(says);
    item.owner.is_none() && !(item.kind == Kind::Function && is_method)
}

fn imported(view: &View, path: &str, import: &Import, seen: &mut Seen) -> Found {
    let (file, sure) = module_file(view, path, &import.target)?;
    let lower = |thing| match thing {
        Thing::Item(item, known) => Thing::Item(item, f32::min(known, sure)),
        module => module,
    };
    let found = match import.name.as_deref() {
        None | Some("*") => vec![Thing::Module(file)],
        Some("default") => default_export(view, &file, import.alias.as_deref().unwrap_or(""), seen),
        Some(name) => exported(view, &file, name, seen)?,
    };
    Some(found.into_iter().map(lower).collect())
}

/// A default export goes by any name; it mostly has the one it is imported by, or its file's.
fn default_export(view: &View, file: &str, imported_as: &str, seen: &mut Seen) -> Vec<Thing> {
    let stem = without_extension(base_name(file));
    let around = base_name(folder(file));
    ["default", imported_as, stem, around]
        .into_iter()
        .filter_map(|name| exported(view, file, name, seen))
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

/// What a file exports by a name, through its own re-exports.
fn exported(view: &View, file: &str, name: &str, seen: &mut Seen) -> Found {
    let key = (file.to_owned(), name.to_owned());
    if seen.contains(&key) {
        return Some(Vec::new());
    }
    seen.push(key);
    let mut here = view.named(name);
    here.retain(|item| item.path == file && item.qualified == name);
    if !here.is_empty() {
        return Some(here.into_iter().map(|item| Thing::Item(item, 1.0)).collect());
    }
    let imports = view.imports(file);
    let mut outside = false;
    // `import { a } from 'x'; export { a }` passes a plain import on.
    for import in imports.iter().filter(|import| local_name(import) == Some(name)) {
        match imported(view, file, import, seen) {
            Some(found) if !found.is_empty() => return Some(found),
            _ => outside = true,
        }
    }
    if outside {
        return None;
    }
    let stars = imports
        .iter()
        .filter(|import| import.reexport && import.name.as_deref() == Some("*") && import.alias.is_none());
    for star in stars {
        if let Some((target, _)) = module_file(view, file, &star.target)
            && let Some(found) = exported(view, &target, name, seen)
            && !found.is_empty()
        {
            return Some(found);
        }
    }
    Some(Vec::new())
}

fn local_name(import: &Import) -> Option<&str> {
    match (&import.alias, import.name.as_deref()) {
        (Some(alias), _) => Some(alias),
        (None, Some("*")) | (None, None) => None,
        (None, Some(name)) => Some(name),
    }
}

const EXTENSIONS: &[&str] = &["ts", "tsx", "d.ts", "mts", "cts", "js", "jsx", "mjs", "cjs"];

/// The file that a specifier means, and how surely; `None` for packages and what is not live.
fn module_file(view: &View, path: &str, specifier: &str) -> Option<(String, f32)> {
    let specifier = specifier.split(['?', '#']).next().unwrap_or(specifier);
    if specifier.starts_with('.') {
        let target = join(folder(path), specifier)?;
        return guesses(&target).into_iter().find(|file| view.file_exists(file)).map(|file| (file, 1.0));
    }
    // `@/a/b`, `~/a/b` and `src/a/b` are aliases for a folder that a configuration names.
    let tail = ["@/", "~/", "#/", "$lib/"]
        .iter()
        .find_map(|alias| specifier.strip_prefix(alias))
        .or_else(|| specifier.starts_with("src/").then_some(specifier))?;
    let mut found: Vec<String> = Vec::new();
    for guess in guesses(tail) {
        let files = view.files_called(base_name(&guess));
        found.extend(files.iter().filter(|file| ends_with_path(file, &guess)).cloned());
    }
    (found.len() == 1).then(|| (found.remove(0), trust::SIMILAR_ROOT))
}

/// The files that a path without or with a build's extension can mean, likeliest first.
fn guesses(target: &str) -> Vec<String> {
    let mut guesses = vec![target.to_owned()];
    let written = base_name(target).rsplit_once('.').map(|(_, extension)| extension);
    let source: &[&str] = match written {
        Some("js") => &["ts", "tsx"],
        Some("jsx") => &["tsx"],
        Some("mjs") => &["mts"],
        Some("cjs") => &["cts"],
        _ => &[],
    };
    let stem = without_extension(target);
    guesses.extend(source.iter().map(|extension| format!("{stem}.{extension}")));
    guesses.extend(EXTENSIONS.iter().map(|extension| format!("{target}.{extension}")));
    guesses.extend(EXTENSIONS.iter().map(|extension| below(target, &format!("index.{extension}"))));
    guesses
}
