//! Go: resolves names through the package, which is a folder, and its imports; methods through receivers, written
//! types, fields and embedding.
//!
//! `go.mod` is not read: an import path resolves to the folder that matches its last segments.

use std::sync::Arc;

use super::members::{self, Rules, receiver_of};
use super::text::{base_name, folder};
use super::{LiveDefinition, NameScope, Resolution, VisibleNames, trust};
use crate::syntax::{Call, CallForm, DefinitionKind, Import};

/// Resolves a Go call.
pub(super) fn resolve(names: &VisibleNames, place: &NameScope, call: &Call) -> Resolution {
    Go.resolve_callee(names, place, call)
}

/// The rules of Go.
struct Go;

impl Rules for Go {
    fn is_self(&self, place: &NameScope, head: &str) -> bool {
        receiver_name(place.signature) == Some(head)
    }

    fn resolve_type(&self, names: &VisibleNames, place: &NameScope, written: &str) -> Resolution {
        let meaning = match written.split_once('.') {
            Some((package, name)) => in_package(names, place, package, name),
            None => Resolution::all(in_folder(names, folder(place.path), written), trust::SCOPE, "same package"),
        };
        match meaning {
            Resolution::Known(mut hits) => {
                hits.retain(|hit| hit.what.kind == DefinitionKind::Type);
                Resolution::of(hits, Resolution::Unknown)
            }
            other => other,
        }
    }

    fn own_members(&self, names: &VisibleNames, owner: &LiveDefinition, name: &str) -> Vec<Arc<LiveDefinition>> {
        let mut found = names.named(name);
        found.retain(|member| {
            member.owner.as_deref() == Some(&owner.name) && folder(&member.path) == folder(&owner.path)
        });
        found
    }

    fn resolve_callee(&self, names: &VisibleNames, place: &NameScope, call: &Call) -> Resolution {
        if call.form == CallForm::Free {
            let mut found = in_folder(names, folder(place.path), &call.name);
            // A folder that defines a name twice contains several programs, or variants per platform.
            if found.iter().any(|item| item.path == place.path) {
                found.retain(|item| item.path == place.path);
            }
            return match Resolution::all(found, trust::SCOPE, "same package") {
                // A name that the package does not define is a builtin, except with the rare `import .`.
                Resolution::Unknown => dotted(names, place, &call.name),
                meaning => meaning,
            };
        }
        let receiver = receiver_of(&call.callee);
        if call.receiver_type.is_none() && call.receiver_call.is_none() && !self.is_self(place, receiver) {
            let meaning = in_package(names, place, receiver, &call.name);
            if !matches!(meaning, Resolution::Unknown) {
                return meaning;
            }
        }
        members::method(self, names, place, call).or_else(|| of_variable(names, place, receiver, &call.name))
    }

    fn strip_wrappers<'t>(&self, written: &'t str) -> &'t str {
        let first = written.trim().trim_start_matches('(');
        let first = first.split([',', ')']).next().unwrap_or(first).trim();
        // A named result is a name and a type.
        let first = first.rsplit(' ').next().unwrap_or(first);
        let first = first.trim_start_matches('*');
        first.split(['[', '{']).next().unwrap_or(first)
    }
}

/// Returns the name of a method's receiver: `p` of `func (p *Parser) next()`.
fn receiver_name(signature: &str) -> Option<&str> {
    let inside = signature.strip_prefix("func")?.trim_start().strip_prefix('(')?;
    inside.split([' ', ')']).next().filter(|name| !name.is_empty())
}

/// Returns the top-level functions and types of a package with a name.
fn in_folder(names: &VisibleNames, package: &str, name: &str) -> Vec<Arc<LiveDefinition>> {
    let mut found = names.named(name);
    found.retain(|item| item.owner.is_none() && folder(&item.path) == package && item.qualified == name);
    found.retain(|item| item.kind == DefinitionKind::Function || item.kind == DefinitionKind::Type);
    found
}

/// Resolves `package.Name`; unknown if no import binds the package's name.
fn in_package(names: &VisibleNames, place: &NameScope, package: &str, name: &str) -> Resolution {
    let imports = names.imports(place.path);
    let bound: Vec<&Import> =
        imports.iter().filter(|import| local_names(import).any(|bound| bound == package)).collect();
    if bound.is_empty() {
        return Resolution::Unknown;
    }
    for import in bound {
        let found = of_import(names, &import.target, name);
        if !found.is_empty() {
            return Resolution::all(found, trust::IMPORT, "imported package");
        }
    }
    Resolution::External
}

/// Returns the definitions with a name in the folder that matches the longest tail of an import path.
fn of_import(names: &VisibleNames, target: &str, name: &str) -> Vec<Arc<LiveDefinition>> {
    let mut found = names.named(name);
    found.retain(|item| {
        item.owner.is_none()
            && matches!(item.kind, DefinitionKind::Function | DefinitionKind::Type)
            && is_tail(folder(&item.path), target)
    });
    let longest = found.iter().map(|item| folder(&item.path).len()).max().unwrap_or(0);
    found.retain(|item| folder(&item.path).len() == longest);
    found
}

/// First segments of the standard library's packages, which have no host in their path and may have the same folder
/// names as a repository.
const STANDARD: &[&str] = &[
    "archive",
    "bufio",
    "bytes",
    "cmp",
    "compress",
    "container",
    "context",
    "crypto",
    "database",
    "debug",
    "embed",
    "encoding",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "go",
    "hash",
    "html",
    "image",
    "index",
    "io",
    "iter",
    "log",
    "maps",
    "math",
    "mime",
    "net",
    "os",
    "path",
    "plugin",
    "reflect",
    "regexp",
    "runtime",
    "slices",
    "sort",
    "strconv",
    "strings",
    "sync",
    "syscall",
    "testing",
    "text",
    "time",
    "unicode",
    "unique",
    "unsafe",
];

/// Returns whether a folder's path ends an import path: `a/b` for `host/owner/repo/a/b`.
fn is_tail(folder: &str, target: &str) -> bool {
    let first = target.split('/').next().unwrap_or(target);
    if STANDARD.contains(&first) {
        return false;
    }
    let parts: Vec<&str> = target.split('/').collect();
    let version = |part: &&str| part.strip_prefix('v').is_some_and(|number| number.parse::<u32>().is_ok());
    if folder.is_empty() {
        // The repository's root is a package where the path ends with the repository.
        let whole = parts.iter().filter(|part| !version(part)).count();
        return first.contains('.') && whole <= 3;
    }
    target.strip_suffix(folder).is_some_and(|rest| rest.ends_with('/'))
}

/// Returns the names that an import may bind: its alias, or its last segment without versions and customary affixes.
fn local_names(import: &Import) -> impl Iterator<Item = &str> {
    let parts: Vec<&str> = match &import.alias {
        Some(alias) => vec![alias],
        None => {
            let mut parts = import.target.rsplit('/');
            let last = parts.next().unwrap_or_default();
            let is_version = last.strip_prefix('v').is_some_and(|n| n.parse::<u32>().is_ok());
            let last = if is_version { parts.next().unwrap_or(last) } else { last };
            let last = last.split_once(".v").map_or(last, |(name, _)| name);
            let short = last.trim_start_matches("go-").trim_end_matches("-go");
            vec![last, short, short.rsplit('-').next().unwrap_or(short)]
        }
    };
    parts.into_iter()
}

/// Resolves a name through `import . "path"`.
fn dotted(names: &VisibleNames, place: &NameScope, name: &str) -> Resolution {
    let imports = names.imports(place.path);
    let found: Vec<_> = imports
        .iter()
        .filter(|import| import.alias.as_deref() == Some(".") || import.name.as_deref() == Some("*"))
        .flat_map(|import| of_import(names, &import.target, name))
        .collect();
    match Resolution::all(found, trust::IMPORT, "imported package") {
        Resolution::Unknown => Resolution::External,
        meaning => meaning,
    }
}

/// Resolves a method on a variable of a package whose type is written at its definition.
fn of_variable(names: &VisibleNames, place: &NameScope, receiver: &str, name: &str) -> Resolution {
    let (package, variable) = match receiver.split_once('.') {
        Some((package, variable)) => (Some(package), variable),
        None => (None, receiver),
    };
    if variable.is_empty() || variable.contains('.') || base_name(variable) == "_" {
        return Resolution::Unknown;
    }
    let mut found = names.named(variable);
    found.retain(|item| item.kind == DefinitionKind::Constant);
    match package {
        None => found.retain(|item| folder(&item.path) == folder(place.path)),
        Some(package) => {
            let imports = names.imports(place.path);
            found.retain(|item| {
                imports.iter().any(|import| {
                    local_names(import).any(|bound| bound == package) && is_tail(folder(&item.path), &import.target)
                })
            });
        }
    }
    let mut types = Vec::new();
    for item in found {
        if let Resolution::Known(hits) = members::of_variable(&Go, names, &item) {
            types.extend(hits);
        }
    }
    members::members(&Go, names, Resolution::of(types, Resolution::Unknown), name)
}
