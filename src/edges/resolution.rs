//! The result of resolving a written name: definitions, each with a confidence and a reason.

use std::sync::Arc;

use super::names::LiveDefinition;

/// The confidence of each kind of reason.
///
/// Scope and imports are the language's own rules. Each further step of inference (a written type, a field's type, a
/// return type) may miss a shadowing or a wrapper that the syntax does not show.
pub(super) mod trust {
    /// Found by the language's scope rules in the same file, module or package.
    pub const SCOPE: f32 = 0.95;
    /// Found through an import, re-exports included.
    pub const IMPORT: f32 = 0.95;
    /// A member of the type that the method itself belongs to.
    pub const OWN_MEMBER: f32 = 0.95;
    /// The receiver's type is written near the call.
    pub const TYPED: f32 = 0.9;
    /// A module found by a name that is similar, but not equal, to its folder's.
    pub const SIMILAR_ROOT: f32 = 0.85;
    /// The receiver is a field whose type is written in the type's definition.
    pub const FIELD: f32 = 0.85;
    /// C links by name: it is the only definition that another file can see.
    pub const LINKED: f32 = 0.85;
    /// The receiver's type is the return type of the call that made it.
    pub const RETURNED: f32 = 0.8;
    /// The receiver's type is an interface: the result is its method, though an implementation runs.
    pub const INTERFACE: f32 = 0.6;
    /// The receiver has the name of a parameter, which a local of the same name may shadow.
    pub const HIDDEN: f32 = 0.6;
    /// Several definitions fit equally by sound rules, as with overloads.
    pub const SEVERAL: f32 = 0.6;
    /// It is the only definition of that name in the language, and the number of arguments agrees.
    pub const ONLY_NAME: f32 = 0.5;
    /// Divided among the definitions of that name.
    pub const ONE_OF_NAME: f32 = 0.3;
    /// With more definitions of one name than this, the name alone is not evidence.
    pub const MAX_OF_NAME: usize = 5;
}

/// A definition that a call may mean, with confidence and reason.
#[derive(Debug, Clone)]
pub(super) struct ScoredDefinition {
    pub what: Arc<LiveDefinition>,
    pub confidence: f32,
    pub reason: &'static str,
}

impl ScoredDefinition {
    pub(super) fn new(what: Arc<LiveDefinition>, confidence: f32, reason: &'static str) -> Self {
        Self { what, confidence, reason }
    }
}

/// What a written name resolves to.
#[derive(Debug, Clone)]
pub(super) enum Resolution {
    /// These definitions, at least one.
    Known(Vec<ScoredDefinition>),
    /// Something outside the repository; no fallback by name alone is allowed.
    External,
    /// There is no evidence.
    Unknown,
}

impl Resolution {
    /// Returns `Known` if there are definitions, else `otherwise`.
    pub(super) fn of(hits: Vec<ScoredDefinition>, otherwise: Resolution) -> Self {
        if hits.is_empty() { otherwise } else { Self::Known(hits) }
    }

    /// Returns all definitions with the same confidence and reason.
    pub(super) fn all(found: Vec<Arc<LiveDefinition>>, confidence: f32, reason: &'static str) -> Self {
        Self::of(found.into_iter().map(|what| ScoredDefinition::new(what, confidence, reason)).collect(), Self::Unknown)
    }

    /// Replaces the reason and limits the confidence.
    pub(super) fn with(self, confidence: f32, reason: &'static str) -> Self {
        match self {
            Self::Known(hits) => Self::Known(
                hits.into_iter()
                    .map(|hit| ScoredDefinition::new(hit.what, hit.confidence.min(confidence), reason))
                    .collect(),
            ),
            other => other,
        }
    }

    /// Tries `next` if the name is not known.
    pub(super) fn or_else(self, next: impl FnOnce() -> Self) -> Self {
        if matches!(self, Self::Unknown) { next() } else { self }
    }
}
