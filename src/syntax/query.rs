//! The queries, compiled once a language, and the meaning of their capture names. Refuses to look at matches.
//!
//! Every pattern has one root capture, which says what is found, and details, which say where its parts are.
//! Where a detail is left out, the root's field of the usual name stands in (`name`, `parameters`, `body`, ...).
//!
//! | root | found | details |
//! |---|---|---|
//! | `@function` `@type` `@module` `@constant` `@macro` | a definition | `@name` or `@declarator` (C's way of writing names), `@owner`, `@parameters`, `@return`, `@body` |
//! | `@alias` | a type that lends no scope to what stands inside it | as above |
//! | `@scope` | no definition, but it lends its members a scope, as `impl` does | `@owner`, `@trait` |
//! | `@wrapper` | an outer node that belongs to the definition `@wrapped` (`export`, `template<>`) | `@wrapped` |
//! | `@decorated` | the same, but not part of the signature | `@wrapped` |
//! | `@comment` `@attribute` `@docstring` | what may stand before a definition, or document what it stands in | |
//! | `@base` | a supertype of the type around it | |
//! | `@field` | a field of the type around it | `@name` or `@declarator`, `@typed` |
//! | `@call` | a call | `@callee`, or `@name` and field `object`; `@arguments` |
//! | `@expansion` | a macro call | `@callee` |
//! | `@tokens` | unparsed tokens that are searched for calls | |
//! | `@block` | an extent at whose end local names end | |
//! | `@bind` | a local name | `@name`, `@declarator` or `@pattern` (names of unknown type); `@typed`, `@value` |
//! | `@import` | an import | `@target`, `@name`, `@as`, `@glob` |
//! | `@use` | a tree of imports, which the row's function flattens | |
//!
//! `(#set! name x)` names what has no name of its own; `(#set! reexport)` marks an import that is passed on;
//! `(#set! early)` a name that is bound in all of its block, also before the place where it is written.

use std::sync::OnceLock;

use tree_sitter::Query;

use super::language::{Language, Row};

/// What a pattern finds.
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

/// Where a part of it stands.
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

/// How many details there are.
pub(super) const DETAILS: usize = Detail::Glob as usize + 1;

/// A capture's meaning. Names that begin with `_` serve predicates only.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meaning {
    Root(Root),
    Detail(Detail),
    Predicate,
}

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

/// What the settings of a pattern say.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    /// The name of what has none.
    pub name: Option<String>,
    /// The import is passed on.
    pub reexport: bool,
    /// The name is bound in all of its block, also before it is written, as in comprehensions.
    pub early: bool,
    /// A definition only inside another: at the top of a file it has no name to go by.
    pub inside: bool,
}

/// A language ready to run.
pub(super) struct Compiled {
    pub row: &'static Row,
    pub grammar: tree_sitter::Language,
    pub query: Query,
    /// By capture index.
    pub meanings: Vec<Meaning>,
    /// By pattern index.
    pub settings: Vec<Settings>,
}

/// The compiled query of a language; the first use of a language pays for it.
pub(super) fn compiled(language: Language) -> &'static Compiled {
    static COMPILED: [OnceLock<Compiled>; Language::ALL.len()] = [const { OnceLock::new() }; Language::ALL.len()];
    COMPILED[language as usize].get_or_init(|| compile(language.row()))
}

fn compile(row: &'static Row) -> Compiled {
    let grammar = (row.grammar)();
    let query = Query::new(&grammar, row.query).expect("the queries are compiled in and a test compiles each of them");
    let meanings = query.capture_names().iter().map(|name| meaning(name)).collect();
    let settings = (0..query.pattern_count()).map(|pattern| settings(&query, pattern)).collect();
    Compiled { row, grammar, query, meanings, settings }
}

fn meaning(name: &str) -> Meaning {
    if let Some((_, root)) = ROOTS.iter().find(|(known, _)| *known == name) {
        return Meaning::Root(*root);
    }
    match DETAIL_NAMES.iter().find(|(known, _)| *known == name) {
        Some((_, detail)) => Meaning::Detail(*detail),
        None => Meaning::Predicate,
    }
}

fn settings(query: &Query, pattern: usize) -> Settings {
    let mut settings = Settings::default();
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
            let row = language.row();
            let grammar = (row.grammar)();
            let query = Query::new(&grammar, row.query).unwrap_or_else(|error| panic!("{}: {error}", row.name));
            for name in query.capture_names() {
                let known = name.starts_with('_') || !matches!(meaning(name), Meaning::Predicate);
                assert!(known, "{}: @{name} means nothing", row.name);
            }
        }
    }
}
