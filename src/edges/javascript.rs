//! JavaScript and TypeScript: resolves names through enclosing functions, the file and its imports, with re-exports;
//! methods through `this`, classes and interfaces.
//!
//! A specifier without a leading dot is a package, unless it matches one file of the repository as an alias. Limits:
//! prototypes and dynamic keys are not seen.

use std::sync::Arc;

use super::members::{self, Rules, receiver_of};
use super::text::{bare, base_name, below, ends_with_path, folder, join, scopes, without_extension};
use super::{LiveDefinition, NameScope, Resolution, ScoredDefinition, VisibleNames, trust};
use crate::syntax::{Call, CallForm, DefinitionKind, Import};

/// Resolves a JavaScript or TypeScript call.
pub(super) fn resolve(names: &VisibleNames, place: &NameScope, call: &Call) -> Resolution {
    if call.form == CallForm::Free && call.callee != "super" {
        // A bare name that the file does not bind is a global of the platform, so it is not guessed.
        let entities = name_in_scope(names, place, &call.name).map(|entities| {
            let called = |entity| match entity {
                // Calling a module calls its default export.
                JsEntity::Module(file) => default_export(names, &file, &call.name, &mut Vec::new()),
                item => vec![item],
            };
            entities.into_iter().flat_map(called).collect()
        });
        return match to_resolution(entities, place) {
            Resolution::Unknown => Resolution::External,
            meaning => meaning,
        };
    }
    JavaScript.resolve_callee(names, place, call)
}

/// The rules of JavaScript and TypeScript.
struct JavaScript;

impl Rules for JavaScript {
    fn is_self(&self, _: &NameScope, head: &str) -> bool {
        head == "this"
    }

    fn resolve_type(&self, names: &VisibleNames, place: &NameScope, written: &str) -> Resolution {
        let parts: Vec<&str> = bare(written).split('.').collect();
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
        let receiver = receiver_of(&call.callee);
        if call.callee == "super" || receiver == "super" {
            return base_member(names, place, call);
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

/// Resolves `super()`, which is the base class, and `super.name()`.
fn base_member(names: &VisibleNames, place: &NameScope, call: &Call) -> Resolution {
    let Some(Resolution::Known(owners)) = place.owner.map(|owner| JavaScript.resolve_type(names, place, owner)) else {
        return Resolution::External;
    };
    let mut bases = Vec::new();
    for owner in &owners {
        let inside = NameScope::inside(&owner.what);
        for base in &owner.what.bases {
            if let Resolution::Known(hits) = JavaScript.resolve_type(names, &inside, strip_wrappers(base)) {
                bases.extend(hits.into_iter().filter(|hit| !members::is_interface(&hit.what)));
            }
        }
    }
    let bases = Resolution::of(bases, Resolution::External).with(trust::TYPED, "member of the base class");
    if call.callee == "super" { bases } else { members::members(&JavaScript, names, bases, &call.name) }
}

/// Strips `| undefined`, promises and the like from a written type; empty for arrays and tuples, whose methods are the
/// platform's.
fn strip_wrappers(written: &str) -> &str {
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

/// An entity that a name denotes.
#[derive(Debug, Clone)]
enum JsEntity {
    /// A module as a whole, as of `import * as name`.
    Module(String),
    Item(Arc<LiveDefinition>, f32),
}

/// The entities found; `None` if the name is known to be from outside the repository.
type JsLookup = Option<Vec<JsEntity>>;

/// Exports being looked up, as (file, name), because re-exports may be circular.
type JsLookupStack = Vec<(String, String)>;

/// Converts found entities to a resolution.
fn to_resolution(found: JsLookup, place: &NameScope) -> Resolution {
    let Some(entities) = found else {
        return Resolution::External;
    };
    let hits = entities.into_iter().filter_map(|entity| {
        let JsEntity::Item(item, sure) = entity else { return None };
        let (trust, reason) =
            if item.path == place.path { (trust::SCOPE, "in scope in the file") } else { (trust::IMPORT, "imported") };
        (item.kind != DefinitionKind::Module).then(|| ScoredDefinition::new(item, trust.min(sure), reason))
    });
    let mut hits: Vec<ScoredDefinition> = hits.collect();
    // Types and values have separate namespaces; a call means the value.
    if hits.iter().any(|hit| is_value(&hit.what)) {
        hits.retain(|hit| is_value(&hit.what));
    }
    Resolution::of(hits, Resolution::Unknown)
}

/// Returns whether a definition exists at run time.
fn is_value(candidate: &LiveDefinition) -> bool {
    let word = |word: &str| candidate.signature.split(' ').any(|part| part == word);
    candidate.kind != DefinitionKind::Type || !(word("interface") || word("type"))
}

/// Resolves `a.b.c`: the head by scope, then module or class by class.
fn chain(names: &VisibleNames, place: &NameScope, parts: &[&str]) -> JsLookup {
    let Some((head, rest)) = parts.split_first() else {
        return Some(Vec::new());
    };
    let mut entities = name_in_scope(names, place, head)?;
    for part in rest {
        let mut next = Vec::new();
        let mut outside = !entities.is_empty();
        for entity in entities {
            match entity {
                JsEntity::Module(file) => match exported(names, &file, part, &mut Vec::new()) {
                    Some(found) if !found.is_empty() => {
                        outside = false;
                        next.extend(found);
                    }
                    _ => {
                        for entity in default_export(names, &file, head, &mut Vec::new()) {
                            if let JsEntity::Item(item, sure) = entity {
                                next.extend(inside(names, item, sure, part));
                            }
                        }
                    }
                },
                JsEntity::Item(item, sure) => {
                    outside &= item.kind == DefinitionKind::Type;
                    next.extend(inside(names, item, sure, part));
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

/// Resolves a name inside a definition: nested in it, a member of it, or of a variable's type.
fn inside(names: &VisibleNames, item: Arc<LiveDefinition>, sure: f32, name: &str) -> Vec<JsEntity> {
    let qualified = format!("{}.{name}", item.qualified);
    let mut nested = names.named(name);
    nested.retain(|member| member.path == item.path && member.qualified == qualified);
    if !nested.is_empty() {
        return nested.into_iter().map(|member| JsEntity::Item(member, sure)).collect();
    }
    let types = match item.kind {
        DefinitionKind::Type => Resolution::Known(vec![ScoredDefinition::new(item, sure, "member")]),
        DefinitionKind::Constant => members::of_variable(&JavaScript, names, &item),
        _ => Resolution::Unknown,
    };
    match members::members(&JavaScript, names, types, name) {
        Resolution::Known(hits) => {
            hits.into_iter().map(|hit| JsEntity::Item(hit.what, hit.confidence.min(sure))).collect()
        }
        _ => Vec::new(),
    }
}

/// Resolves a bare name: in enclosing functions, the file, then its imports.
fn name_in_scope(names: &VisibleNames, place: &NameScope, name: &str) -> JsLookup {
    for scope in scopes(place.scope, ".") {
        let qualified = if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") };
        let mut here = names.named(name);
        here.retain(|item| item.path == place.path && item.qualified == qualified && is_bound(item));
        if !here.is_empty() {
            return Some(here.into_iter().map(|item| JsEntity::Item(item, 1.0)).collect());
        }
    }
    let imports = names.imports(place.path);
    let bound: Vec<&Import> =
        imports.iter().filter(|import| !import.reexport && local_name(import) == Some(name)).collect();
    if bound.is_empty() {
        return Some(Vec::new());
    }
    let found: Vec<JsEntity> = bound
        .iter()
        .flat_map(|import| imported(names, place.path, import, &mut Vec::new()).unwrap_or_default())
        .collect();
    (!found.is_empty()).then_some(found)
}

/// Returns whether a definition binds a name in its scope; false for methods, also those of anonymous objects.
fn is_bound(item: &LiveDefinition) -> bool {
    let before = item.signature.split('(').next().unwrap_or_default();
    let says = |word: &str| before.split([' ', '*']).any(|part| part == word);
    let is_method = !["function", "const", "let", "var", "="].into_iter().any(says);
    item.owner.is_none() && !(item.kind == DefinitionKind::Function && is_method)
}

/// Resolves an import.
fn imported(names: &VisibleNames, path: &str, import: &Import, seen: &mut JsLookupStack) -> JsLookup {
    let (file, sure) = module_file(names, path, &import.target)?;
    let lower = |entity| match entity {
        JsEntity::Item(item, known) => JsEntity::Item(item, f32::min(known, sure)),
        module => module,
    };
    let found = match import.name.as_deref() {
        None | Some("*") => vec![JsEntity::Module(file)],
        Some("default") => default_export(names, &file, import.alias.as_deref().unwrap_or(""), seen),
        Some(name) => exported(names, &file, name, seen)?,
    };
    Some(found.into_iter().map(lower).collect())
}

/// Finds a default export. Its local name may differ from the imported one; the import's or the file's name is likely.
fn default_export(names: &VisibleNames, file: &str, imported_as: &str, seen: &mut JsLookupStack) -> Vec<JsEntity> {
    let stem = without_extension(base_name(file));
    let around = base_name(folder(file));
    ["default", imported_as, stem, around]
        .into_iter()
        .filter_map(|name| exported(names, file, name, seen))
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

/// Resolves an export of a file, through its own re-exports.
fn exported(names: &VisibleNames, file: &str, name: &str, seen: &mut JsLookupStack) -> JsLookup {
    let key = (file.to_owned(), name.to_owned());
    if seen.contains(&key) {
        return Some(Vec::new());
    }
    seen.push(key);
    let mut here = names.named(name);
    here.retain(|item| item.path == file && item.qualified == name);
    if !here.is_empty() {
        return Some(here.into_iter().map(|item| JsEntity::Item(item, 1.0)).collect());
    }
    let imports = names.imports(file);
    let mut outside = false;
    // `import { a } from 'x'; export { a }` re-exports a plain import.
    for import in imports.iter().filter(|import| local_name(import) == Some(name)) {
        match imported(names, file, import, seen) {
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
        if let Some((target, _)) = module_file(names, file, &star.target)
            && let Some(found) = exported(names, &target, name, seen)
            && !found.is_empty()
        {
            return Some(found);
        }
    }
    Some(Vec::new())
}

/// Returns the name that an import binds.
fn local_name(import: &Import) -> Option<&str> {
    match (&import.alias, import.name.as_deref()) {
        (Some(alias), _) => Some(alias),
        (None, Some("*")) | (None, None) => None,
        (None, Some(name)) => Some(name),
    }
}

/// Extensions of modules, likeliest first.
const EXTENSIONS: &[&str] = &["ts", "tsx", "d.ts", "mts", "cts", "js", "jsx", "mjs", "cjs"];

/// Returns the file that a specifier means, with a confidence; `None` for packages and files that are not live.
fn module_file(names: &VisibleNames, path: &str, specifier: &str) -> Option<(String, f32)> {
    let specifier = specifier.split(['?', '#']).next().unwrap_or(specifier);
    if specifier.starts_with('.') {
        let target = join(folder(path), specifier)?;
        return guesses(&target).into_iter().find(|file| names.file_exists(file)).map(|file| (file, 1.0));
    }
    // `@/a/b`, `~/a/b` and `src/a/b` are aliases for a folder that a configuration names.
    let tail = ["@/", "~/", "#/", "$lib/"]
        .iter()
        .find_map(|alias| specifier.strip_prefix(alias))
        .or_else(|| specifier.starts_with("src/").then_some(specifier))?;
    let mut found: Vec<String> = Vec::new();
    for guess in guesses(tail) {
        let files = names.files_called(base_name(&guess));
        found.extend(files.iter().filter(|file| ends_with_path(file, &guess)).cloned());
    }
    (found.len() == 1).then(|| (found.remove(0), trust::SIMILAR_ROOT))
}

/// Returns the files that a path may mean, likeliest first; the extension may be missing, or that of a build's output.
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
