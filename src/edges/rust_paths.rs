//! How Rust's module paths map to files: the module of a file, the files of a module, the root of a crate.
//!
//! Only paths are considered: `Cargo.toml` and `#[path]` are not read, and a crate has the name of its folder.

use super::text::{base_name, below, folder, without_extension};
use super::{VisibleNames, trust};
use crate::syntax::DefinitionKind;

/// A module of some crate of the view, which may not exist.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Module {
    /// The folder of the crate's modules.
    root: String,
    /// The crate's root file, if it is not `lib.rs` or `main.rs` in the folder.
    file: Option<String>,
    /// Path from the crate's root.
    pub parts: Vec<String>,
    /// Confidence that this crate is the one that is meant.
    pub sure: f32,
}

impl Module {
    /// Returns the module of a file.
    pub(super) fn of_file(names: &VisibleNames, path: &str) -> Self {
        let folders: Vec<&str> = folder(path).split('/').filter(|part| !part.is_empty()).collect();
        let crate_at = |depth: usize, file: Option<String>| {
            let root = folders[..depth].join("/");
            let mut parts: Vec<String> = Vec::new();
            if file.is_none() {
                parts.extend(folders[depth..].iter().map(|part| (*part).to_owned()));
                match base_name(without_extension(path)) {
                    "mod" => {}
                    "lib" | "main" if parts.is_empty() => {}
                    stem => parts.push(stem.to_owned()),
                }
            }
            Self { root, file, parts, sure: 1.0 }
        };
        if let Some(src) = folders.iter().rposition(|part| *part == "src") {
            let in_bin = folders.get(src + 1) == Some(&"bin");
            return match (in_bin, folders.len() - src) {
                (true, 2) => crate_at(src + 2, Some(path.to_owned())),
                (true, _) => crate_at(src + 3, None),
                // Beside a `lib.rs`, `main.rs` is a crate of its own.
                (false, 1) if base_name(path) == "main.rs" => {
                    let beside = names.file_exists(&below(folder(path), "lib.rs"));
                    crate_at(src + 1, beside.then(|| path.to_owned()))
                }
                (false, _) => crate_at(src + 1, None),
            };
        }
        for depth in (0..=folders.len()).rev() {
            let here = folders[..depth].join("/");
            if ["lib.rs", "main.rs"].iter().any(|base| names.file_exists(&below(&here, base))) {
                return crate_at(depth, None);
            }
        }
        match folders.iter().rposition(|part| matches!(*part, "tests" | "benches" | "examples")) {
            Some(at) if at + 1 < folders.len() => crate_at(at + 1, None),
            _ => crate_at(folders.len(), Some(path.to_owned())),
        }
    }

    /// Returns the crate's root module.
    pub(super) fn top(&self) -> Self {
        Self { parts: Vec::new(), ..self.clone() }
    }

    /// Returns the parent module; `None` at the root.
    pub(super) fn parent(&self) -> Option<Self> {
        let mut parts = self.parts.clone();
        parts.pop()?;
        Some(Self { parts, ..self.clone() })
    }

    /// Returns a module inside this one, at a path such as `a::b`.
    pub(super) fn child(&self, path: &str) -> Self {
        let mut parts = self.parts.clone();
        parts.extend(path.split("::").filter(|part| !part.is_empty()).map(str::to_owned));
        Self { parts, ..self.clone() }
    }

    /// Limits the confidence.
    pub(super) fn at_most(self, sure: f32) -> Self {
        Self { sure: self.sure.min(sure), ..self }
    }

    /// Returns whether both are modules of one crate, judging by folders.
    pub(super) fn same_crate(&self, other: &Self) -> bool {
        self.root == other.root && self.file == other.file
    }

    /// Returns whether both are in one folder of modules. The file of a test is a crate, but its folder shares macros.
    pub(super) fn same_folder(&self, other: &Self) -> bool {
        self.root == other.root
    }

    /// Returns the live files that may contain the module, each with the scope inside it.
    pub(super) fn places(&self, names: &VisibleNames) -> Vec<(String, String)> {
        let mut places = Vec::new();
        for depth in (0..=self.parts.len()).rev() {
            let scope = self.parts[depth..].join("::");
            let path = self.parts[..depth].join("/");
            let files = match (depth, &self.file) {
                (0, Some(file)) => vec![file.clone()],
                (0, None) => vec![below(&self.root, "lib.rs"), below(&self.root, "main.rs")],
                // The crate's root module is not its own child.
                (1, None) if matches!(path.as_str(), "lib" | "main") => Vec::new(),
                _ => vec![below(&self.root, &format!("{path}.rs")), below(&self.root, &format!("{path}/mod.rs"))],
            };
            for file in files {
                if names.file_exists(&file) {
                    places.push((file, scope.clone()));
                }
            }
        }
        places
    }

    /// Returns whether a file is the module, or contains it as `mod name { ... }`.
    pub(super) fn exists(&self, names: &VisibleNames) -> bool {
        let places = self.places(names);
        if places.iter().any(|(_, scope)| scope.is_empty()) {
            return true;
        }
        let Some(last) = self.parts.last() else {
            return false;
        };
        names.named(last).iter().any(|candidate| {
            candidate.kind == DefinitionKind::Module
                && places.iter().any(|(file, scope)| *file == candidate.path && *scope == candidate.qualified)
        })
    }
}

/// Returns the roots of the crates that a name in a path may mean, seen from a module.
pub(super) fn crates(names: &VisibleNames, from: &Module, name: &str) -> Vec<Module> {
    let mut found: Vec<Module> = Vec::new();
    for file in names.files_called("lib.rs").iter() {
        let root = folder(file);
        let home = if base_name(root) == "src" { folder(root) } else { root };
        let called = base_name(home).replace('-', "_");
        // Binaries and tests of a package refer to its library by the manifest's name, and the manifest is not read.
        let own_package =
            ["src", "src/bin", "tests", "examples", "benches"].iter().any(|part| below(home, part) == from.root)
                && (from.file.is_some() || below(home, "src") != from.root);
        let sure = if called == name {
            1.0
        } else if resembles(&called, name) {
            trust::TYPED
        } else if own_package {
            trust::SIMILAR_ROOT
        } else {
            continue;
        };
        found.push(Module { root: root.to_owned(), file: None, parts: Vec::new(), sure });
    }
    let best = found.iter().map(|module| module.sure).fold(0.0, f32::max);
    found.retain(|module| module.sure >= best);
    found
}

/// Returns whether two names differ only in a first or last word, which folders in a workspace often omit.
fn resembles(folder: &str, name: &str) -> bool {
    let ends =
        |long: &str, short: &str| !short.is_empty() && long.strip_suffix(short).is_some_and(|rest| rest.ends_with('_'));
    ends(name, folder) || ends(folder, name)
}
