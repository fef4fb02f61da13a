//! C and C++: names by file, then by what the linker sees; in C++ also by namespace and class. The
//! preprocessor is not run: conditions and included macros change nothing here. Calls through
//! pointers to functions mean no definition.

use std::sync::Arc;

use super::members::{self, Rules, receiver_of};
use super::text::{bare, base_name, ends_with_path, folder, join, last_segment, nearness, scopes, without_extension};
use super::{Candidate, Hit, Meaning, Place, View, trust};
use crate::syntax::{Call, Form, Kind};

/// What a C or C++ call means.
pub(super) fn resolve(view: &View, place: &Place, call: &Call) -> Meaning {
    C.callee(view, place, call)
}

struct C;

impl Rules for C {
    fn is_self(&self, _: &Place, head: &str) -> bool {
        head == "this"
    }

    fn types(&self, view: &View, place: &Place, written: &str) -> Meaning {
        types(view, place, written, 0)
    }

    fn own(&self, view: &View, owner: &Candidate, name: &str) -> Vec<Arc<Candidate>> {
        let mut found = view.named(name);
        found.retain(|member| {
            member.kind == Kind::Function && member.owner.as_deref().is_some_and(|of| last_segment(of) == owner.name)
        });
        // A method that is declared in a header is defined in a source file, and the body is meant.
        if found.iter().any(|member| !is_header(&member.path)) {
            found.retain(|member| !is_header(&member.path));
        }
        found
    }

    fn callee(&self, view: &View, place: &Place, call: &Call) -> Meaning {
        match call.form {
            Form::Free | Form::Macro => free(view, place, call),
            Form::Path => path(view, place, call),
            Form::Method => match members::method(self, view, place, call) {
                // A member of a C struct is a pointer: what it points to is not written here.
                Meaning::Unknown if !plus_plus(place.path) => Meaning::External,
                meaning => meaning,
            },
        }
    }

    fn peel<'t>(&self, written: &'t str) -> &'t str {
        peel(written)
    }
}

fn peel(written: &str) -> &str {
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
            return peel(inner.strip_suffix('>').unwrap_or(inner));
        }
    }
    bare(rest)
}

/// Aliases of aliases beyond this depth are a circle.
const DEEPEST_ALIAS: u32 = 4;

fn types(view: &View, place: &Place, written: &str, depth: u32) -> Meaning {
    let mut found = view.named(last_segment(written));
    found.retain(|item| item.kind == Kind::Type);
    let Meaning::Known(hits) = nearest(view, place, found, written, "type") else {
        return Meaning::Unknown;
    };
    let mut behind = Vec::new();
    for hit in hits {
        let alias = hit.what.signature.strip_prefix("using ").and_then(|rest| rest.split_once('='));
        match alias {
            Some((_, target)) if depth < DEEPEST_ALIAS => {
                let target = peel(target.trim().trim_end_matches(';'));
                let inside = Place::inside(&hit.what);
                if let Meaning::Known(hits) = types(view, &inside, target, depth + 1) {
                    behind.extend(hits);
                }
            }
            _ => behind.push(hit),
        }
    }
    Meaning::of(behind, Meaning::Unknown)
}

/// True for a file that C++ can stand in; a header's own language is not told by its name.
fn plus_plus(path: &str) -> bool {
    !path.ends_with(".c")
}

fn is_header(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extension.starts_with('h'))
}

/// A bare name: the class around, the namespaces around, the file, then what other files show.
fn free(view: &View, place: &Place, call: &Call) -> Meaning {
    if let Some(owner) = place.owner.filter(|_| plus_plus(place.path)) {
        let types = members::typed(&C, view, place, owner, trust::OWN_MEMBER, "method of the same class");
        if let Meaning::Known(hits) = members::members(&C, view, types, &call.name) {
            return Meaning::Known(hits);
        }
        let beside: Vec<_> = view
            .named(&call.name)
            .into_iter()
            .filter(|member| member.path == place.path && member.owner.as_deref() == Some(owner))
            .collect();
        if !beside.is_empty() {
            return Meaning::all(beside, trust::OWN_MEMBER, "method of the same class");
        }
    }
    let mut found = view.named(&call.name);
    found.retain(|item| item.owner.is_none() && item.kind != Kind::Module && item.kind != Kind::Constant);
    // A function hides a struct of the same name, and a struct is called in C++ only.
    if !plus_plus(place.path) || found.iter().any(|item| item.kind != Kind::Type) {
        found.retain(|item| item.kind != Kind::Type);
    }
    match nearest(view, place, found, &call.name, "") {
        Meaning::Unknown => Meaning::External,
        meaning => meaning,
    }
}

/// `A::f`: a member of a class, or a function of a namespace.
fn path(view: &View, place: &Place, call: &Call) -> Meaning {
    let prefix = receiver_of(&call.callee);
    if matches!(prefix.split("::").next(), Some("std" | "boost")) {
        return Meaning::External;
    }
    let as_type = C.types(view, place, peel(prefix));
    if let Meaning::Known(hits) = members::members(&C, view, as_type, &call.name) {
        return Meaning::Known(hits);
    }
    let mut found = view.named(&call.name);
    let tail = format!("::{}", bare_path(&call.callee));
    found.retain(|item| item.kind != Kind::Module && format!("::{}", bare_path(&item.qualified)).ends_with(&tail));
    match nearest(view, place, found, &call.name, "") {
        // `::f` is a name of the outermost scope.
        Meaning::Unknown if prefix.is_empty() => free(view, place, call),
        meaning => meaning,
    }
}

/// A qualified name without its parameters.
fn bare_path(qualified: &str) -> &str {
    qualified.split('(').next().unwrap_or(qualified)
}

/// The definitions that a name means by their distance: the scopes around, the file, a file that is
/// included or whose header is, then the only one the linker can mean, then those of the nearest folder.
fn nearest(view: &View, place: &Place, mut found: Vec<Arc<Candidate>>, written: &str, reason: &'static str) -> Meaning {
    let why = |other: &'static str| if reason.is_empty() { other } else { reason };
    let here: Vec<_> = found.iter().filter(|item| item.path == place.path).cloned().collect();
    for scope in scopes(place.scope, "::") {
        let at = if scope.is_empty() { written.to_owned() } else { format!("{scope}::{written}") };
        let inside: Vec<_> = here.iter().filter(|item| bare_path(&item.qualified) == at).cloned().collect();
        if !inside.is_empty() {
            return Meaning::all(inside, trust::SCOPE, why("in scope in the file"));
        }
    }
    if !here.is_empty() {
        return Meaning::all(here, trust::SCOPE, why("same file"));
    }
    found.retain(|item| is_visible(item));
    let included = includes(view, place.path);
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
        return Meaning::all(through, trust::IMPORT, why("by an included header"));
    }
    // The linker joins functions; what a header itself defines reaches only those who include it.
    found.retain(|item| !is_inlined(item) || reaches(view, &included, &item.path));
    if found.len() == 1 {
        return Meaning::all(found, trust::LINKED, why("the only one other files can see"));
    }
    let near = found.iter().map(|item| nearness(&item.path, place.path)).max().unwrap_or(0);
    let nearby: Vec<_> = found.iter().filter(|item| nearness(&item.path, place.path) == near).cloned().collect();
    if nearby.len() > trust::MOST_OF_NAME {
        return Meaning::External;
    }
    let share = if nearby.len() == 1 { trust::SEVERAL } else { trust::SEVERAL / nearby.len() as f32 };
    Meaning::of(
        nearby.into_iter().map(|item| Hit::new(item, share, why("nearest of that name"))).collect(),
        Meaning::Unknown,
    )
}

/// False for what its own file keeps to itself: `static` outside headers.
fn is_visible(item: &Candidate) -> bool {
    let kept = item.signature.split([' ', '(']).take_while(|word| *word != item.name).any(|word| word == "static");
    let is_member = item.owner.is_some();
    let macro_of_source = item.kind == Kind::Macro && !is_header(&item.path);
    is_member || is_header(&item.path) || !(kept || macro_of_source)
}

/// True for macros and `static inline` functions: no linker sees them.
fn is_inlined(item: &Candidate) -> bool {
    let is_static = item.signature.split(' ').any(|word| word == "static");
    is_header(&item.path) && item.path.ends_with(".h") && (item.kind == Kind::Macro || is_static)
}

/// So many headers are followed; who includes more says nothing by including.
const MOST_HEADERS: usize = 100;

/// True where a header is among those included, or included by them.
fn reaches(view: &View, included: &[String], header: &str) -> bool {
    let mut seen: Vec<String> = included.to_vec();
    let mut next = 0;
    while next < seen.len().min(MOST_HEADERS) {
        if seen[next] == header {
            return true;
        }
        for file in includes(view, &seen[next]) {
            if !seen.contains(&file) {
                seen.push(file);
            }
        }
        next += 1;
    }
    false
}

/// The live headers that a file includes itself.
fn includes(view: &View, path: &str) -> Vec<String> {
    let mut headers = Vec::new();
    for import in view.imports(path).iter() {
        let target = import.target.trim_matches(['"', '<', '>']);
        let beside = join(folder(path), target);
        let files = view.files_called(base_name(target));
        if let Some(beside) = beside.filter(|beside| files.contains(beside)) {
            headers.push(beside);
            continue;
        }
        headers.extend(files.iter().filter(|file| ends_with_path(file, target)).cloned());
    }
    headers
}
