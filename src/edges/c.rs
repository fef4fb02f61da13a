//! C and C++: resolves names by file, then by external linkage; in C++ also by namespace and class.
//!
//! Limits: the preprocessor is not run, so conditions and macros from headers are ignored. Calls through function
//! pointers resolve to nothing.

use std::sync::Arc;

use super::members::{self, Rules, receiver_of};
use super::text::{bare, base_name, ends_with_path, folder, join, last_segment, nearness, scopes, without_extension};
use super::{LiveDefinition, NameScope, Resolution, ScoredDefinition, VisibleNames, trust};
use crate::syntax::{Call, CallForm, DefinitionKind};

/// Resolves a C or C++ call.
pub(super) fn resolve(names: &VisibleNames, place: &NameScope, call: &Call) -> Resolution {
    C.resolve_callee(names, place, call)
}

/// The rules of C and C++.
struct C;

impl Rules for C {
    fn is_self(&self, _: &NameScope, head: &str) -> bool {
        head == "this"
    }

    fn resolve_type(&self, names: &VisibleNames, place: &NameScope, written: &str) -> Resolution {
        resolve_type(names, place, written, 0)
    }

    fn own_members(&self, names: &VisibleNames, owner: &LiveDefinition, name: &str) -> Vec<Arc<LiveDefinition>> {
        let mut found = names.named(name);
        found.retain(|member| {
            member.kind == DefinitionKind::Function
                && member.owner.as_deref().is_some_and(|of| last_segment(of) == owner.name)
        });
        // If a header declares a method and a source file defines it, the result is the definition.
        if found.iter().any(|member| !is_header(&member.path)) {
            found.retain(|member| !is_header(&member.path));
        }
        found
    }

    fn resolve_callee(&self, names: &VisibleNames, place: &NameScope, call: &Call) -> Resolution {
        match call.form {
            CallForm::Free | CallForm::Macro => free(names, place, call),
            CallForm::Path => path(names, place, call),
            CallForm::Method => match members::method(self, names, place, call) {
                // A member of a C struct that is called is a function pointer, whose target is not known.
                Resolution::Unknown if !may_be_cpp(place.path) => Resolution::External,
                meaning => meaning,
            },
        }
    }

    fn strip_wrappers<'t>(&self, written: &'t str) -> &'t str {
        strip_wrappers(written)
    }
}

/// Strips qualifiers, pointers and smart pointers from a written type.
fn strip_wrappers(written: &str) -> &str {
    let mut rest = written.trim();
    while let Some(word) = ["const ", "static ", "struct ", "class ", "mutable ", "volatile ", "enum "]
        .iter()
        .find_map(|word| rest.strip_prefix(word))
    {
        rest = word.trim_start();
    }
    let rest = rest.trim_end_matches(['*', '&', ' ']);
    for pointer in ["unique_ptr<", "shared_ptr<", "optional<"] {
        if let Some(inner) = rest.strip_prefix("std::").unwrap_or(rest).strip_prefix(pointer) {
            return strip_wrappers(inner.strip_suffix('>').unwrap_or(inner));
        }
    }
    bare(rest)
}

/// Longest chain of aliases that is followed; a longer one must be circular.
const MAX_ALIASES: u32 = 4;

/// Resolves a written type, through aliases.
fn resolve_type(names: &VisibleNames, place: &NameScope, written: &str, depth: u32) -> Resolution {
    let mut found = names.named(last_segment(written));
    found.retain(|item| item.kind == DefinitionKind::Type);
    let Resolution::Known(hits) = nearest(names, place, found, written, "type") else {
        return Resolution::Unknown;
    };
    let mut behind = Vec::new();
    for hit in hits {
        let alias = hit.what.signature.strip_prefix("using ").and_then(|rest| rest.split_once('='));
        match alias {
            Some((_, target)) if depth < MAX_ALIASES => {
                let target = strip_wrappers(target.trim().trim_end_matches(';'));
                let inside = NameScope::inside(&hit.what);
                if let Resolution::Known(hits) = resolve_type(names, &inside, target, depth + 1) {
                    behind.extend(hits);
                }
            }
            _ => behind.push(hit),
        }
    }
    Resolution::of(behind, Resolution::Unknown)
}

/// Returns whether a file may be C++. A header may be of either language.
fn may_be_cpp(path: &str) -> bool {
    !path.ends_with(".c")
}

/// Returns whether a file is a header.
fn is_header(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extension.starts_with('h'))
}

/// Resolves a bare name: in the enclosing class and namespaces, the file, then among names visible from other files.
fn free(names: &VisibleNames, place: &NameScope, call: &Call) -> Resolution {
    if let Some(owner) = place.owner.filter(|_| may_be_cpp(place.path)) {
        let types = members::typed(&C, names, place, owner, trust::OWN_MEMBER, "method of the same class");
        if let Resolution::Known(hits) = members::members(&C, names, types, &call.name) {
            return Resolution::Known(hits);
        }
        let beside: Vec<_> = names
            .named(&call.name)
            .into_iter()
            .filter(|member| member.path == place.path && member.owner.as_deref() == Some(owner))
            .collect();
        if !beside.is_empty() {
            return Resolution::all(beside, trust::OWN_MEMBER, "method of the same class");
        }
    }
    let mut found = names.named(&call.name);
    found.retain(|item| {
        item.owner.is_none() && item.kind != DefinitionKind::Module && item.kind != DefinitionKind::Constant
    });
    // A function hides a struct of the same name; only in C++ can a struct be called, as a constructor.
    if !may_be_cpp(place.path) || found.iter().any(|item| item.kind != DefinitionKind::Type) {
        found.retain(|item| item.kind != DefinitionKind::Type);
    }
    match nearest(names, place, found, &call.name, "") {
        Resolution::Unknown => Resolution::External,
        meaning => meaning,
    }
}

/// Resolves `A::f`: a member of a class, or a function of a namespace.
fn path(names: &VisibleNames, place: &NameScope, call: &Call) -> Resolution {
    let prefix = receiver_of(&call.callee);
    if matches!(prefix.split("::").next(), Some("std" | "boost")) {
        return Resolution::External;
    }
    let as_type = C.resolve_type(names, place, strip_wrappers(prefix));
    if let Resolution::Known(hits) = members::members(&C, names, as_type, &call.name) {
        return Resolution::Known(hits);
    }
    let mut found = names.named(&call.name);
    let tail = format!("::{}", bare_path(&call.callee));
    found.retain(|item| {
        item.kind != DefinitionKind::Module && format!("::{}", bare_path(&item.qualified)).ends_with(&tail)
    });
    match nearest(names, place, found, &call.name, "") {
        // `::f` is a name of the outermost scope.
        Resolution::Unknown if prefix.is_empty() => free(names, place, call),
        meaning => meaning,
    }
}

/// Returns a qualified name without its parameters.
fn bare_path(qualified: &str) -> &str {
    qualified.split('(').next().unwrap_or(qualified)
}

/// Chooses the definitions of a name by proximity: enclosing scopes, the file, an included file or one whose header is
/// included, then the only one with external linkage, then those in the nearest folder.
fn nearest(
    names: &VisibleNames,
    place: &NameScope,
    mut found: Vec<Arc<LiveDefinition>>,
    written: &str,
    reason: &'static str,
) -> Resolution {
    let why = |other: &'static str| if reason.is_empty() { other } else { reason };
    let here: Vec<_> = found.iter().filter(|item| item.path == place.path).cloned().collect();
    for scope in scopes(place.scope, "::") {
        let at = if scope.is_empty() { written.to_owned() } else { format!("{scope}::{written}") };
        let inside: Vec<_> = here.iter().filter(|item| bare_path(&item.qualified) == at).cloned().collect();
        if !inside.is_empty() {
            return Resolution::all(inside, trust::SCOPE, why("in scope in the file"));
        }
    }
    if !here.is_empty() {
        return Resolution::all(here, trust::SCOPE, why("same file"));
    }
    found.retain(|item| is_visible(item));
    let included = includes(names, place.path);
    let through: Vec<_> = found
        .iter()
        .filter(|item| {
            included
                .iter()
                .any(|header| *header == item.path || without_extension(header) == without_extension(&item.path))
        })
        .cloned()
        .collect();
    if !through.is_empty() {
        return Resolution::all(through, trust::IMPORT, why("by an included header"));
    }
    // The linker resolves functions across files; an inline definition is visible only where its header is included.
    found.retain(|item| !is_inlined(item) || reaches(names, &included, &item.path));
    if found.len() == 1 {
        return Resolution::all(found, trust::LINKED, why("the only one other files can see"));
    }
    let near = found.iter().map(|item| nearness(&item.path, place.path)).max().unwrap_or(0);
    let nearby: Vec<_> = found.iter().filter(|item| nearness(&item.path, place.path) == near).cloned().collect();
    if nearby.len() > trust::MAX_OF_NAME {
        return Resolution::External;
    }
    let share = if nearby.len() == 1 { trust::SEVERAL } else { trust::SEVERAL / nearby.len() as f32 };
    Resolution::of(
        nearby.into_iter().map(|item| ScoredDefinition::new(item, share, why("nearest of that name"))).collect(),
        Resolution::Unknown,
    )
}

/// Returns whether other files can see a definition: not if it is `static`, or a macro, outside headers.
fn is_visible(item: &LiveDefinition) -> bool {
    let kept = item.signature.split([' ', '(']).take_while(|word| *word != item.name).any(|word| word == "static");
    let is_member = item.owner.is_some();
    let macro_of_source = item.kind == DefinitionKind::Macro && !is_header(&item.path);
    is_member || is_header(&item.path) || !(kept || macro_of_source)
}

/// Returns whether a definition in a header is a macro or `static inline` function, which has no external linkage.
fn is_inlined(item: &LiveDefinition) -> bool {
    let is_static = item.signature.split(' ').any(|word| word == "static");
    is_header(&item.path) && item.path.ends_with(".h") && (item.kind == DefinitionKind::Macro || is_static)
}

/// The most headers that are followed; with more, inclusion is not evidence.
const MAX_HEADERS: usize = 100;

/// Returns whether a header is among the included ones, or included by them.
fn reaches(names: &VisibleNames, included: &[String], header: &str) -> bool {
    let mut seen: Vec<String> = included.to_vec();
    let mut next = 0;
    while next < seen.len().min(MAX_HEADERS) {
        if seen[next] == header {
            return true;
        }
        for file in includes(names, &seen[next]) {
            if !seen.contains(&file) {
                seen.push(file);
            }
        }
        next += 1;
    }
    false
}

/// Returns the live headers that a file includes directly.
fn includes(names: &VisibleNames, path: &str) -> Vec<String> {
    let mut headers = Vec::new();
    for import in names.imports(path).iter() {
        let target = import.target.trim_matches(['"', '<', '>']);
        let beside = join(folder(path), target);
        let files = names.files_called(base_name(target));
        if let Some(beside) = beside.filter(|beside| files.contains(beside)) {
            headers.push(beside);
            continue;
        }
        headers.extend(files.iter().filter(|file| ends_with_path(file, target)).cloned());
    }
    headers
}
