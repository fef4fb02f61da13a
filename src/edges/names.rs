//! Lookup of live definitions by name, limited to those visible from a call.

use std::cell::Cell;
use std::sync::Arc;

use super::text;
use crate::syntax::{Definition, DefinitionKind, Import, Language};

/// A live definition that a name may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveDefinition {
    /// The caller's own number for it; opaque here.
    pub id: i64,
    /// Item key, `src/a.rs#Parser::parse`.
    pub key: String,
    /// Its file, from the root of the repository, with `/`.
    pub path: String,
    /// The file's language.
    pub language: Language,
    /// Its kind.
    pub kind: DefinitionKind,
    /// Last segment of its name.
    pub name: String,
    /// Its name within the file.
    pub qualified: String,
    /// The type of which it is a method.
    pub owner: Option<String>,
    /// Source from its start to its body, white space collapsed.
    pub signature: String,
    /// Its return type as written.
    pub return_type: Option<String>,
    /// Fields of a type: name and type as written.
    pub fields: Vec<(String, String)>,
    /// Supertypes as written.
    pub bases: Vec<String>,
    /// Its first line, from 1.
    pub line: u32,
}

impl LiveDefinition {
    /// Converts a parsed definition.
    pub fn new(id: i64, key: String, path: &str, language: Language, definition: &Definition) -> Self {
        Self {
            id,
            key,
            path: path.to_owned(),
            language,
            kind: definition.kind,
            name: definition.name.clone(),
            qualified: definition.qualified.clone(),
            owner: definition.owner.clone(),
            signature: definition.signature.clone(),
            return_type: definition.return_type.clone(),
            fields: definition.fields.clone(),
            bases: definition.bases.clone(),
            line: definition.line,
        }
    }
}

/// Lookup of names in a view. Returns live facts only, in any order.
pub trait NameLookup {
    /// Returns the definitions whose last segment is `name`.
    fn named(&self, name: &str) -> Vec<Arc<LiveDefinition>>;
    /// Returns the imports of a file in source order; empty if the file is not live.
    fn imports(&self, path: &str) -> Arc<[Import]>;
    /// Returns the paths of the files with a base name, `lib.rs`.
    fn files_called(&self, base: &str) -> Arc<[String]>;
}

/// Returns the place inside a definition.
#[derive(Debug, Clone, Copy)]
pub(super) struct NameScope<'a> {
    pub path: &'a str,
    /// Qualified name of the innermost enclosing definition; empty at the top of the file.
    pub scope: &'a str,
    /// The type of `self` or `this`.
    pub owner: Option<&'a str>,
    /// Signature of the enclosing definition.
    pub signature: &'a str,
}

impl<'a> NameScope<'a> {
    /// Returns the scope inside a definition.
    pub(super) fn inside(candidate: &'a LiveDefinition) -> Self {
        let owner = if candidate.kind == DefinitionKind::Type {
            Some(candidate.name.as_str())
        } else {
            candidate.owner.as_deref()
        };
        Self { path: &candidate.path, scope: &candidate.qualified, owner, signature: &candidate.signature }
    }
}

/// The names visible from one call: those of its language family; names in tests only from tests.
pub(super) struct VisibleNames<'a> {
    names: &'a dyn NameLookup,
    pub path: &'a str,
    pub family: Family,
    from_test: bool,
    depth: Cell<u32>,
    lookups: Cell<u32>,
}

/// Depth beyond which a chain of imports, bases and aliases must be circular.
const MAX_DEPTH: u32 = 40;

/// Most lookups for one call, because globs that import globs may branch exponentially.
const MAX_LOOKUPS: u32 = 2_000;

impl<'a> VisibleNames<'a> {
    /// Returns the names visible from a call in a definition of a file.
    pub(super) fn new(names: &'a dyn NameLookup, path: &'a str, qualified: &str, family: Family) -> Self {
        let from_test = text::is_test(path, qualified, family);
        VisibleNames { names, path, family, from_test, depth: Cell::new(0), lookups: Cell::new(0) }
    }

    /// Like [`NameLookup::named`], visible definitions only.
    pub(super) fn named(&self, name: &str) -> Vec<Arc<LiveDefinition>> {
        let mut found = self.names.named(name);
        found.retain(|candidate| {
            Family::of(candidate.language) == Some(self.family)
                && (self.from_test
                    || candidate.path == self.path
                    || !text::is_test(&candidate.path, &candidate.qualified, self.family))
        });
        found
    }

    /// Looks up one step deeper, or returns `given_up` at the limits.
    pub(super) fn deeper<T>(&self, given_up: T, look: impl FnOnce() -> T) -> T {
        let (depth, lookups) = (self.depth.get(), self.lookups.get());
        if depth >= MAX_DEPTH || lookups >= MAX_LOOKUPS {
            return given_up;
        }
        self.depth.set(depth + 1);
        self.lookups.set(lookups + 1);
        let found = look();
        self.depth.set(depth);
        found
    }

    /// Like [`NameLookup::imports`].
    pub(super) fn imports(&self, path: &str) -> Arc<[Import]> {
        self.names.imports(path)
    }

    /// Like [`NameLookup::files_called`].
    pub(super) fn files_called(&self, base: &str) -> Arc<[String]> {
        self.names.files_called(base)
    }

    /// Returns whether a live file has a path.
    pub(super) fn file_exists(&self, path: &str) -> bool {
        self.files_called(text::base_name(path)).iter().any(|file| file == path)
    }
}

/// A family of languages whose definitions can call one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Rust,
    Python,
    /// With TypeScript: one imports the other.
    JavaScript,
    Go,
    /// With C++: they share headers.
    C,
    Java,
}

impl Family {
    /// Returns the family of a language.
    pub(super) fn of(language: Language) -> Option<Self> {
        Some(match language {
            Language::Rust => Self::Rust,
            Language::Python => Self::Python,
            Language::JavaScript | Language::TypeScript | Language::Tsx => Self::JavaScript,
            Language::Go => Self::Go,
            Language::C | Language::Cpp => Self::C,
            Language::Java => Self::Java,
        })
    }
}
