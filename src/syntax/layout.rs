//! The matches of a source with their nesting and the local names of each definition: the intermediate form between
//! `gather` and the result.

use std::ops::Range;

use super::calls::RawCall;
use super::gather::{QueryMatches, RawDefinition, RawMember, RawScope};
use super::language::LanguageSpec;
use super::locals::{Binding, Locals};
use super::parsed::Import;

/// A definition with its position among the others.
pub(super) struct Placed<'t> {
    pub raw: RawDefinition<'t>,
    pub extent: Extent,
    /// Index of the enclosing definition; `None` at the top of the file.
    pub parent: Option<usize>,
    /// Its qualified name, which is the scope of its members.
    pub qualified: String,
    pub owner: Option<String>,
    pub docstrings: Vec<Range<usize>>,
    pub members: Vec<(usize, RawMember)>,
}

/// All matches of a source with their nesting.
pub(super) struct Layout<'s, 't> {
    pub spec: &'static LanguageSpec,
    pub source: &'s str,
    pub placed: Vec<Placed<'t>>,
    pub scopes: Vec<RawScope>,
    pub gathered: QueryMatches<'t>,
    /// Ranges of the docstrings and inner comments that document the file.
    pub docstrings: Vec<Range<usize>>,
    /// Local names by definition.
    pub locals: Vec<Locals>,
    pub file_locals: Locals,
    pub calls: Vec<(Option<usize>, RawCall)>,
    pub imports: Vec<Import>,
}

impl Layout<'_, '_> {
    /// Returns a definition and those that enclose it, innermost first.
    pub(super) fn ancestors(&self, from: Option<usize>) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(from, |index| self.placed[*index].parent)
    }
}

/// The extent of a definition in the source.
#[derive(Debug, Clone)]
pub(super) struct Extent {
    /// Range with documentation and attributes, which its container leaves out.
    pub outer: Range<usize>,
    /// Start of its own text, at the first attribute.
    pub text: usize,
    /// Start of its signature.
    pub signature: usize,
    /// Ranges of its documentation.
    pub docs: Vec<Range<usize>>,
}

/// The place where a name is used.
#[derive(Debug, Clone, Copy)]
pub(super) struct NameUse {
    pub caller: Option<usize>,
    pub at: usize,
}

impl NameUse {
    /// Returns the place where the value of a binding is read: before its name is bound.
    pub(super) fn of_value(self, binding: &Binding, is_local: bool) -> Self {
        Self { caller: self.caller.filter(|_| is_local), at: binding.from.saturating_sub(1) }
    }
}
