//! The queries, compiled once for each language, and the meaning of their capture names.
//!
//! Every pattern has one root capture, which says what kind of thing is found, and detail captures, which are its
//! parts. If a detail is missing, the root's field of the usual name is used (`name`, `parameters`, `body`, ...).
//!
//! | root | found | details |
//! |---|---|---|
//! | `@function` `@type` `@module` `@constant` `@macro` | a definition | `@name` or `@declarator` (C's way of writing names), `@owner`, `@parameters`, `@return`, `@body` |
//! | `@alias` | a type that is not a scope for the definitions inside it | as above |
//! | `@scope` | a scope for its members that is not a definition, as `impl` | `@owner`, `@trait` |
//! | `@wrapper` | an outer node that belongs to the definition `@wrapped` (`export`, `template<>`) | `@wrapped` |
//! | `@decorated` | the same, but not part of the signature | `@wrapped` |
//! | `@comment` `@attribute` `@docstring` | what may precede a definition, or document the enclosing one | |
//! | `@base` | a supertype of the enclosing type | |
//! | `@field` | a field of the enclosing type | `@name` or `@declarator`, `@typed` |
//! | `@call` | a call | `@callee`, or `@name` and field `object`; `@arguments` |
//! | `@expansion` | a macro call | `@callee` |
//! | `@tokens` | unparsed tokens that are searched for calls | |
//! | `@block` | a block that bounds local names | |
//! | `@bind` | a local name | `@name`, `@declarator` or `@pattern` (names of unknown type); `@typed`, `@value` |
//! | `@import` | an import | `@target`, `@name`, `@as`, `@glob` |
//! | `@use` | a tree of imports, which the language's function flattens | |
//!
//! `(#set! name x)` names a definition that has no name of its own; `(#set! reexport)` marks an import that is
//! re-exported; `(#set! early)` a name that is bound in its whole block, also before it is written.

use std::sync::OnceLock;

use tree_sitter::Query;

use super::language::{Language, LanguageSpec};

/// The root capture of a pattern: what kind of thing it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    Function,
    Type,
    Alias,
    Module,
    Constant,
    Macro,
    Scope,
    Wrapper,
    Decorated,
    Comment,
    Attribute,
    Docstring,
    Base,
    Field,
    Call,
    Expansion,
    Tokens,
    Block,
    Bind,
    Import,
    Use,
}

/// A part of a match: a detail capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    Name,
    Declarator,
    Owner,
    Trait,
    Parameters,
    Return,
    Body,
    Wrapped,
    Typed,
    Value,
    Callee,
    Arguments,
    Pattern,
    Target,
    Alias,
    Glob,
}

/// Number of details.
pub(super) const DETAILS: usize = Detail::Glob as usize + 1;

/// The meaning of a capture. Names that begin with `_` are used only in predicates.
#[derive(Debug, Clone, Copy)]
pub(super) enum CaptureMeaning {
    Root(Root),
    Detail(Detail),
    Predicate,
}

/// Names of the root captures.
const ROOTS: [(&str, Root); 21] = [
    ("function", Root::Function),
    ("type", Root::Type),
    ("alias", Root::Alias),
    ("module", Root::Module),
    ("constant", Root::Constant),
    ("macro", Root::Macro),
    ("scope", Root::Scope),
    ("wrapper", Root::Wrapper),
    ("decorated", Root::Decorated),
    ("comment", Root::Comment),
    ("attribute", Root::Attribute),
    ("docstring", Root::Docstring),
    ("base", Root::Base),
    ("field", Root::Field),
    ("call", Root::Call),
    ("expansion", Root::Expansion),
    ("tokens", Root::Tokens),
    ("block", Root::Block),
    ("bind", Root::Bind),
    ("import", Root::Import),
    ("use", Root::Use),
];

/// Names of the detail captures.
const DETAIL_NAMES: [(&str, Detail); DETAILS] = [
    ("name", Detail::Name),
    ("declarator", Detail::Declarator),
    ("owner", Detail::Owner),
    ("trait", Detail::Trait),
    ("parameters", Detail::Parameters),
    ("return", Detail::Return),
    ("body", Detail::Body),
    ("wrapped", Detail::Wrapped),
    ("typed", Detail::Typed),
    ("value", Detail::Value),
    ("callee", Detail::Callee),
    ("arguments", Detail::Arguments),
    ("pattern", Detail::Pattern),
    ("target", Detail::Target),
    ("as", Detail::Alias),
    ("glob", Detail::Glob),
];

/// The `#set!` properties of a pattern.
#[derive(Debug, Clone, Default)]
pub(super) struct PatternSettings {
    /// Name for a definition that has none.
    pub name: Option<String>,
    /// Whether the import is re-exported.
    pub reexport: bool,
    /// Whether the name is bound in its whole block, also before it is written, as in comprehensions.
    pub early: bool,
    /// Whether it counts as a definition only inside another one, because at the top of a file it has no name.
    pub inside: bool,
}

/// Returns the compiled query of a language, which is compiled at the first use.
pub(super) struct Compiled {
    pub spec: &'static LanguageSpec,
    pub grammar: tree_sitter::Language,
    pub query: Query,
    /// Meanings by capture index.
    pub meanings: Vec<CaptureMeaning>,
    /// Settings by pattern index.
    pub settings: Vec<PatternSettings>,
}

/// Returns the compiled query of a language, which is compiled at its first use.
pub(super) fn compiled(language: Language) -> &'static Compiled {
    static COMPILED: [OnceLock<Compiled>; Language::ALL.len()] = [const { OnceLock::new() }; Language::ALL.len()];
    COMPILED[language as usize].get_or_init(|| compile(language.spec()))
}

/// Compiles a query.
fn compile(spec: &'static LanguageSpec) -> Compiled {
    let grammar = (spec.grammar)();
    let query = Query::new(&grammar, spec.query).expect("the queries are compiled in and a test compiles each of them");
    let meanings = query.capture_names().iter().map(|name| meaning(name)).collect();
    let settings = (0..query.pattern_count()).map(|pattern| settings(&query, pattern)).collect();
    Compiled { spec, grammar, query, meanings, settings }
}

/// Returns the meaning of a capture name.
fn meaning(name: &str) -> CaptureMeaning {
    if let Some((_, root)) = ROOTS.iter().find(|(known, _)| *known == name) {
        return CaptureMeaning::Root(*root);
    }
    match DETAIL_NAMES.iter().find(|(known, _)| *known == name) {
        Some((_, detail)) => CaptureMeaning::Detail(*detail),
        None => CaptureMeaning::Predicate,
    }
}

/// Reads the `#set!` properties of a pattern.
fn settings(query: &Query, pattern: usize) -> PatternSettings {
    let mut settings = PatternSettings::default();
    for property in query.property_settings(pattern) {
        match &*property.key {
            "name" => settings.name = property.value.as_deref().map(str::to_owned),
            "reexport" => settings.reexport = true,
            "early" => settings.early = true,
            "inside" => settings.inside = true,
            _ => {}
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_compiles_and_knows_its_captures() {
        for language in Language::ALL {
            let spec = language.spec();
            let grammar = (spec.grammar)();
            let query = Query::new(&grammar, spec.query).unwrap_or_else(|error| panic!("{}: {error}", spec.name));
            for name in query.capture_names() {
                let known = name.starts_with('_') || !matches!(meaning(name), CaptureMeaning::Predicate);
                assert!(known, "{}: @{name} means nothing", spec.name);
            }
        }
    }
}
