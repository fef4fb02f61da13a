//! Go: a package is a folder. Names through the package and its imports, methods through receivers,
//! written types, fields and embedding. A module's path is not read: an import means the folder that
//! its last segments spell.

use std::sync::Arc;

use super::members::{self, Rules, receiver_of};
use super::text::{base_name, folder};
use super::{Candidate, Meaning, Place, View, trust};
use crate::syntax::{Call, Form, Import, Kind};

/// What a Go call means.
pub(super) fn resolve(view: &View, place: &Place, call: &Call) -> Meaning {
    Go.callee(view, place, call)
}

struct Go;

impl Rules for Go {
    fn is_self(&self, place: &Place, head: &str) -> bool {
        receiver_name(place.signature) == Some(head)
    }

    fn types(&self, view: &View, place: &Place, written: &str) -> Meaning {
        let meaning = match written.split_once('.') {
            Some((package, name)) => in_package(view, place, package, name),
            None => Meaning::all(in_folder(view, folder(place.path), written), trust::SCOPE, "same package"),
        };
        match meaning {
            Meaning::Known(mut hits) => {
                hits.retain(|hit| hit.what.kind == Kind::Type);
                Meaning::of(hits, Meaning::Unknown)
            }
            other => other,
        }
    }

    fn own(&self, view: &View, owner: &Candidate, name: &str) -> Vec<Arc<Candidate>> {
        let mut found = view.named(name);
        found.retain(|member| {
            member.owner.as_deref() == Some(&owner.name) && folder(&member.path) == folder(&owner.path)
        });
        found
    }

    fn callee(&self, view: &View, place: &Place, call: &Call) -> Meaning {
        if call.form == Form::Free {
            let mut found = in_folder(view, folder(place.path), &call.name);
            // A folder that defines a name twice holds several programs, or one for each platform.
            if found.iter().any(|item| item.path == place.path) {
                found.retain(|item| item.path == place.path);
            }
            return match Meaning::all(found, trust::SCOPE, "same package") {
                // What the package does not define is a builtin, but for the rare `import .`.
                Meaning::Unknown => dotted(view, place, &call.name),
                meaning => meaning,
            };
        }
        let receiver = receiver_of(&call.callee);
        if call.receiver_type.is_none() && call.receiver_call.is_none() && !self.is_self(place, receiver) {
            let meaning = in_package(view, place, receiver, &call.name);
            if !matches!(meaning, Meaning::Unknown) {
                return meaning;
            }
        }
        members::method(self, view, place, call).or_else(|| of_variable(view, place, receiver, &call.name))
    }

    fn peel<'t>(&self, written: &'t str) -> &'t str {
        let first = written.trim().trim_start_matches('(');
        let first = first.split([',', ')']).next().unwrap_or(first).trim();
        // A named result is a name and a type.
        let first = first.rsplit(' ').next().unwrap_or(first);
        let first = first.trim_start_matches('*');
        first.split(['[', '{']).next().unwrap_or(first)
    }
}

/// The name of a method's receiver: `p` of `func (p *Parser) next()`.
fn receiver_name(signature: &str) -> Option<&str> {
    let inside = signature.strip_prefix("func")?.trim_start().strip_prefix('(')?;
    inside.split([' ', ')']).next().filter(|name| !name.is_empty())
}

/// The definitions of a package that stand by themselves.
fn in_folder(view: &View, package: &str, name: &str) -> Vec<Arc<Candidate>> {
    let mut found = view.named(name);
    found.retain(|item| item.owner.is_none() && folder(&item.path) == package && item.qualified == name);
    found.retain(|item| item.kind == Kind::Function || item.kind == Kind::Type);
    found
}

/// `package.Name`; unknown where no import binds the package's name.
fn in_package(view: &View, place: &Place, package: &str, name: &str) -> Meaning {
    let imports = view.imports(place.path);
    let bound: Vec<&Import> =
        imports.iter().filter(|import| local_names(import).any(|bound| bound == package)).collect();
    if bound.is_empty() {
        return Meaning::Unknown;
    }
    for import in bound {
        let found = of_import(view, &import.target, name);
        if !found.is_empty() {
            return Meaning::all(found, trust::IMPORT, "imported package");
        }
    }
    Meaning::External
}

/// The definitions of this name in the folder that spells the longest tail of an import path.
fn of_import(view: &View, target: &str, name: &str) -> Vec<Arc<Candidate>> {
    let mut found = view.named(name);
    found.retain(|item| {
        item.owner.is_none() && matches!(item.kind, Kind::Function | Kind::Type) && is_tail(folder(&item.path), target)
    });
    let longest = found.iter().map(|item| folder(&item.path).len()).max().unwrap_or(0);
    found.retain(|item| folder(&item.path).len() == longest);
    found
}

/// Packages of the standard library have no host in their path, and subfolders of the same names as
/// anybody's.
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

/// True where a folder's path ends an import path: `a/b` for `host/owner/repo/a/b`.
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

/// The names that an import may bind: its alias, else its last segment, versions and customs apart.
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

/// What an `import . "path"` may bring in.
fn dotted(view: &View, place: &Place, name: &str) -> Meaning {
    let imports = view.imports(place.path);
    let found: Vec<_> = imports
        .iter()
        .filter(|import| import.alias.as_deref() == Some(".") || import.name.as_deref() == Some("*"))
        .flat_map(|import| of_import(view, &import.target, name))
        .collect();
    match Meaning::all(found, trust::IMPORT, "imported package") {
        Meaning::Unknown => Meaning::External,
        meaning => meaning,
    }
}

/// A method on a variable of the package whose type is written where it is defined.
fn of_variable(view: &View, place: &Place, receiver: &str, name: &str) -> Meaning {
    let (package, variable) = match receiver.split_once('.') {
        Some((package, variable)) => (Some(package), variable),
        None => (None, receiver),
    };
    if variable.is_empty() || variable.contains('.') || base_name(variable) == "_" {
        return Meaning::Unknown;
    }
    let mut found = view.named(variable);
    found.retain(|item| item.kind == Kind::Constant);
    match package {
        None => found.retain(|item| folder(&item.path) == folder(place.path)),
        Some(package) => {
            let imports = view.imports(place.path);
            found.retain(|item| {
                imports.iter().any(|import| {
                    local_names(import).any(|bound| bound == package) && is_tail(folder(&item.path), &import.target)
                })
            });
        }
    }
    let mut types = Vec::new();
    for item in found {
        if let Meaning::Known(hits) = members::of_variable(&Go, view, &item) {
            types.extend(hits);
        }
    }
    members::members(&Go, view, Meaning::of(types, Meaning::Unknown), name)
}
