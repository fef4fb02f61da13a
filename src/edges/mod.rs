//! Resolves calls in a view to live definitions, each with a confidence.
//!
//! Invariant: resolution is a pure function of the call, its file's imports and the live definitions of the names
//! involved. It reads no files, never crosses language families, and never gives a guess by name alone high confidence.
//!
//! Evidence is tried in the language's own order: scope, imports and re-exports, the receiver's type, and only then the
//! name alone. A name that is known to come from outside the repository resolves to nothing.

use crate::syntax::{Call, CallForm, Language};

mod c;
mod go;
mod guess;
mod java;
mod javascript;
mod members;
mod names;
mod python;
mod resolution;
mod rust;
mod rust_paths;
mod rust_scope;
mod store;
mod table;
#[cfg(test)]
mod tests;
mod text;

use names::{Family, NameScope, VisibleNames};
pub use names::{LiveDefinition, NameLookup};
use resolution::{Resolution, ScoredDefinition, trust};
pub use store::{Edge, SCHEMA, add_parse, callers_of, calls_of, events_of};
pub use table::{FileDefinitions, NameTable};

/// Confidence from which an edge counts as high; the precision of such edges must exceed 90 %.
pub const HIGH: f32 = 0.8;

/// A call and its location.
#[derive(Debug, Clone, Copy)]
pub struct CallSite<'a> {
    /// Its file.
    pub path: &'a str,
    /// The file's language.
    pub language: Language,
    /// The innermost definition that encloses the call; `None` at the top of a file.
    pub caller: Option<&'a LiveDefinition>,
    /// The call as written.
    pub call: &'a Call,
}

/// A definition that a call resolves to, with confidence and reason.
#[derive(Debug, Clone, PartialEq)]
pub struct CallTarget {
    /// [`LiveDefinition::id`] of the definition.
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
    /// The reason, as shown in evidence.
    pub reason: &'static str,
}

/// Resolves a call to definitions, best first, ties by key.
///
/// Empty if the callee is outside the repository or a local value, or if there is no evidence.
pub fn resolve(site: &CallSite, names: &dyn NameLookup) -> Vec<CallTarget> {
    let Some(family) = Family::of(site.language) else {
        return Vec::new();
    };
    if site.call.local && site.call.form == CallForm::Free {
        return Vec::new();
    }
    let qualified = site.caller.map_or("", |caller| &caller.qualified);
    let visible = VisibleNames::new(names, site.path, qualified, family);
    let place = NameScope {
        path: site.path,
        scope: qualified,
        owner: site.caller.and_then(|caller| caller.owner.as_deref()),
        signature: site.caller.map_or("", |caller| &caller.signature),
    };
    let meaning = match family {
        Family::Rust => rust::resolve(&visible, &place, site.call),
        Family::Python => python::resolve(&visible, &place, site.call),
        Family::JavaScript => javascript::resolve(&visible, &place, site.call),
        Family::Go => go::resolve(&visible, &place, site.call),
        Family::C => c::resolve(&visible, &place, site.call),
        Family::Java => java::resolve(&visible, &place, site.call),
    };
    let hits = match meaning {
        Resolution::Known(hits) => members::fitting(hits, site.call, family),
        Resolution::External => Vec::new(),
        Resolution::Unknown => guess::by_name(&visible, site.call),
    };
    targets(hits)
}

/// Sorts the definitions and keeps the best of each key.
fn targets(mut hits: Vec<ScoredDefinition>) -> Vec<CallTarget> {
    hits.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then_with(|| a.what.key.cmp(&b.what.key)));
    let mut targets: Vec<CallTarget> = Vec::with_capacity(hits.len());
    for hit in hits {
        if targets.iter().all(|target| target.key != hit.what.key) {
            targets.push(CallTarget {
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
