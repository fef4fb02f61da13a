//! Calls resolved in a view: which live definition a call means. A pure function of the call, its
//! file's imports and the live definitions of the names involved. Refuses to read files, to know of
//! git or tables, to guess across languages, and to call a guess by name alone sure.
//!
//! The order of trust is the language's own: scope, imports and re-exports, the receiver's type; only
//! then the name by itself. A name that is known to come from outside the repository means nothing here.

use std::cell::Cell;
use std::sync::Arc;

use crate::syntax::{Call, Definition, Form, Import, Kind, Language};

mod c;
mod go;
mod guess;
mod java;
mod javascript;
mod members;
mod python;
mod rust;
mod rust_paths;
mod rust_scope;
mod store;
mod table;
#[cfg(test)]
mod tests;
mod text;

pub use store::{Edge, SCHEMA, add_parse, callers_of, calls_of, events_of};
pub use table::{File, Table};

/// From here on an edge counts as high: above nine in ten of them have to be right.
pub const HIGH: f32 = 0.8;

/// How far each kind of reason is to be trusted. Scope and imports are the language's own rules;
/// each step of inference after that (a written type, a field's type, a return type) can miss a
/// shadowing or a wrapper that the syntax does not show.
pub(crate) mod trust {
    /// Found by the language's scope rules in the same file, module or package.
    pub const SCOPE: f32 = 0.95;
    /// Found through an import, re-exports included.
    pub const IMPORT: f32 = 0.95;
    /// A member of the type that the method itself belongs to.
    pub const OWN_MEMBER: f32 = 0.95;
    /// The receiver's type is written near the call.
    pub const TYPED: f32 = 0.9;
    /// A module found by a name that resembles its folder's, not one that equals it.
    pub const SIMILAR_ROOT: f32 = 0.85;
    /// The receiver is a field whose type is written in the type's definition.
    pub const FIELD: f32 = 0.85;
    /// C links by name: the only definition another file can see is the one.
    pub const LINKED: f32 = 0.85;
    /// The receiver's type is the return type of the call that made it.
    pub const RETURNED: f32 = 0.8;
    /// The receiver's type is an interface: its method is meant, some implementation runs.
    pub const INTERFACE: f32 = 0.6;
    /// The receiver has the name of a parameter, which a local of the same name may hide.
    pub const HIDDEN: f32 = 0.6;
    /// Several definitions fit equally by sound rules, as with overloads: one of them it is.
    pub const SEVERAL: f32 = 0.6;
    /// The only definition of that name in the language, and the number of arguments agrees.
    pub const ONLY_NAME: f32 = 0.5;
    /// Shared out among the definitions of that name.
    pub const ONE_OF_NAME: f32 = 0.3;
    /// More definitions of one name than this say nothing about a call.
    pub const MOST_OF_NAME: usize = 5;
}

/// One live definition that a name can mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The caller's own row number for it; opaque here.
    pub id: i64,
    /// Its item key, `src/a.rs#Parser::parse`.
    pub key: String,
    /// The file it stands in, from the root of the repository, with `/`.
    pub path: String,
    /// The file's language.
    pub language: Language,
    /// The sort of thing.
    pub kind: Kind,
    /// Its last segment.
    pub name: String,
    /// Its name within the file.
    pub qualified: String,
    /// The type whose method it is.
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

impl Candidate {
    /// The candidate that a definition is in a file.
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

/// What a view knows of names. Answers hold live facts only, in any order.
pub trait Names {
    /// The definitions whose last segment is this.
    fn named(&self, name: &str) -> Vec<Arc<Candidate>>;
    /// The imports of a file, in source order; none where the file is not live.
    fn imports(&self, path: &str) -> Arc<[Import]>;
    /// The paths of the files with this base name, `lib.rs`.
    fn files_called(&self, base: &str) -> Arc<[String]>;
}

/// A call and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// The file.
    pub path: &'a str,
    /// The file's language.
    pub language: Language,
    /// The innermost definition around the call; none at the top of a file.
    pub caller: Option<&'a Candidate>,
    /// The call as written.
    pub call: &'a Call,
}

/// A definition that a call means, with how far that is to be trusted and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// [`Candidate::id`] of the definition.
    pub id: i64,
    /// Its item key.
    pub key: String,
    /// Its file.
    pub path: String,
    /// Its first line, from 1.
    pub line: u32,
    /// Its name within the file.
    pub qualified: String,
    /// Between 0 and 1; at least [`HIGH`] is high.
    pub confidence: f32,
    /// Why, in words that fit a line of evidence.
    pub reason: &'static str,
}

/// The definitions that a call means: best first, ties by key. Empty where it means something outside
/// the repository, a local value, or nothing that can be told.
pub fn resolve(site: &Site, names: &dyn Names) -> Vec<Target> {
    let Some(family) = Family::of(site.language) else {
        return Vec::new();
    };
    if site.call.local && site.call.form == Form::Free {
        return Vec::new();
    }
    let qualified = site.caller.map_or("", |caller| &caller.qualified);
    let from_test = text::is_test(site.path, qualified, family);
    let view = View { names, path: site.path, family, from_test, depth: Cell::new(0), lookups: Cell::new(0) };
    let place = Place {
        path: site.path,
        scope: qualified,
        owner: site.caller.and_then(|caller| caller.owner.as_deref()),
        signature: site.caller.map_or("", |caller| &caller.signature),
    };
    let meaning = match family {
        Family::Rust => rust::resolve(&view, &place, site.call),
        Family::Python => python::resolve(&view, &place, site.call),
        Family::JavaScript => javascript::resolve(&view, &place, site.call),
        Family::Go => go::resolve(&view, &place, site.call),
        Family::C => c::resolve(&view, &place, site.call),
        Family::Java => java::resolve(&view, &place, site.call),
    };
    let hits = match meaning {
        Meaning::Known(hits) => members::fitting(hits, site.call, family),
        Meaning::External => Vec::new(),
        Meaning::Unknown => guess::by_name(&view, site.call),
    };
    targets(hits)
}

fn targets(mut hits: Vec<Hit>) -> Vec<Target> {
    hits.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then_with(|| a.what.key.cmp(&b.what.key)));
    let mut targets: Vec<Target> = Vec::with_capacity(hits.len());
    for hit in hits {
        if targets.iter().all(|target| target.key != hit.what.key) {
            targets.push(Target {
                id: hit.what.id,
                key: hit.what.key.clone(),
                path: hit.what.path.clone(),
                line: hit.what.line,
                qualified: hit.what.qualified.clone(),
                confidence: hit.confidence,
                reason: hit.reason,
            });
        }
    }
    targets
}

/// Languages whose definitions can call one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Rust,
    Python,
    /// TypeScript too: one imports the other.
    JavaScript,
    Go,
    /// C++ too: they share headers.
    C,
    Java,
}

impl Family {
    fn of(language: Language) -> Option<Self> {
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

/// A definition that a call may mean.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub what: Arc<Candidate>,
    pub confidence: f32,
    pub reason: &'static str,
}

impl Hit {
    pub(crate) fn new(what: Arc<Candidate>, confidence: f32, reason: &'static str) -> Self {
        Self { what, confidence, reason }
    }
}

/// What a written name means at a place.
#[derive(Debug, Clone)]
pub(crate) enum Meaning {
    /// These definitions, never none.
    Known(Vec<Hit>),
    /// Something outside the repository, so that no guess by name is due.
    External,
    /// The text does not tell.
    Unknown,
}

impl Meaning {
    /// Known where there are hits, else `otherwise`.
    pub(crate) fn of(hits: Vec<Hit>, otherwise: Meaning) -> Self {
        if hits.is_empty() { otherwise } else { Self::Known(hits) }
    }

    /// All candidates with one trust and reason.
    pub(crate) fn all(found: Vec<Arc<Candidate>>, confidence: f32, reason: &'static str) -> Self {
        Self::of(found.into_iter().map(|what| Hit::new(what, confidence, reason)).collect(), Self::Unknown)
    }

    /// The same definitions, with another trust and reason.
    pub(crate) fn with(self, confidence: f32, reason: &'static str) -> Self {
        match self {
            Self::Known(hits) => Self::Known(
                hits.into_iter().map(|hit| Hit::new(hit.what, hit.confidence.min(confidence), reason)).collect(),
            ),
            other => other,
        }
    }

    pub(crate) fn or_else(self, next: impl FnOnce() -> Self) -> Self {
        if matches!(self, Self::Unknown) { next() } else { self }
    }
}

/// Where a name is written: what its scope and imports are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub path: &'a str,
    /// Qualified name of the innermost definition around; empty at the top of the file.
    pub scope: &'a str,
    /// The type that `self` or `this` stands for.
    pub owner: Option<&'a str>,
    /// The signature of the definition around.
    pub signature: &'a str,
}

impl<'a> Place<'a> {
    /// The place where a definition stands, seen from inside it.
    pub(crate) fn inside(candidate: &'a Candidate) -> Self {
        let owner =
            if candidate.kind == Kind::Type { Some(candidate.name.as_str()) } else { candidate.owner.as_deref() };
        Self { path: &candidate.path, scope: &candidate.qualified, owner, signature: &candidate.signature }
    }
}

/// The names as one call sees them: of its own language, and tests only from tests.
pub(crate) struct View<'a> {
    names: &'a dyn Names,
    pub path: &'a str,
    pub family: Family,
    from_test: bool,
    depth: Cell<u32>,
    lookups: Cell<u32>,
}

/// Imports, bases and aliases that lead further than this lead in a circle.
const DEEPEST_LOOKUP: u32 = 40;

/// No call is worth more lookups than this: globs of globs can branch without end.
const MOST_LOOKUPS: u32 = 2_000;

impl View<'_> {
    pub(crate) fn named(&self, name: &str) -> Vec<Arc<Candidate>> {
        let mut found = self.names.named(name);
        found.retain(|candidate| {
            Family::of(candidate.language) == Some(self.family)
                && (self.from_test
                    || candidate.path == self.path
                    || !text::is_test(&candidate.path, &candidate.qualified, self.family))
        });
        found
    }

    /// Looks up one step deeper, or gives up where that would go on for ever.
    pub(crate) fn deeper<T>(&self, given_up: T, look: impl FnOnce() -> T) -> T {
        let (depth, lookups) = (self.depth.get(), self.lookups.get());
        if depth >= DEEPEST_LOOKUP || lookups >= MOST_LOOKUPS {
            return given_up;
        }
        self.depth.set(depth + 1);
        self.lookups.set(lookups + 1);
        let found = look();
        self.depth.set(depth);
        found
    }

    pub(crate) fn imports(&self, path: &str) -> Arc<[Import]> {
        self.names.imports(path)
    }

    pub(crate) fn files_called(&self, base: &str) -> Arc<[String]> {
        self.names.files_called(base)
    }

    pub(crate) fn file_exists(&self, path: &str) -> bool {
        self.files_called(text::base_name(path)).iter().any(|file| file == path)
    }
}
