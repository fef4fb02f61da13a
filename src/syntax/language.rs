//! The table of languages and their properties.
//!
//! A new language takes a variant of [`Language`], an entry in [`Language::ALL`], a row of the table with its `.scm`
//! query, and an arm in `edges` that resolves its calls.

use serde::{Deserialize, Serialize};
use tree_sitter::Node;

use super::imports::{self, ImportCollector};
use super::locals;

/// A language whose definitions are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Rust.
    Rust,
    /// Python, 2 and 3.
    Python,
    /// JavaScript with JSX.
    #[serde(rename = "javascript")]
    JavaScript,
    /// TypeScript.
    #[serde(rename = "typescript")]
    TypeScript,
    /// TypeScript with JSX.
    Tsx,
    /// Go.
    Go,
    /// C.
    C,
    /// C++.
    Cpp,
    /// Java.
    Java,
}

/// How to interpret a receiver that is a name without a local binding, such as `x` in `x.f()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BareReceiver {
    /// Always a value: modules are reached by another separator.
    Values,
    /// A module or class, unless a local binding says otherwise.
    Names,
    /// A class if it is capitalised, else a field.
    Capitals,
}

/// A node kind and one of its fields; an empty field means the first named child.
pub(super) type NodeField = (&'static str, &'static str);

/// What the generic reader needs to know about a language in addition to its query.
pub(super) struct LanguageSpec {
    pub language: Language,
    pub name: &'static str,
    pub extensions: &'static [&'static str],
    /// Interpreters that a `#!` line may name.
    pub interpreters: &'static [&'static str],
    pub grammar: fn() -> tree_sitter::Language,
    pub query: &'static str,
    /// Separator of qualified names; empty if scopes do not nest, as in C.
    pub separator: &'static str,
    /// Names of the receiver inside a method.
    pub selves: &'static [&'static str],
    /// Whether functions of the same name are distinguished by their parameter types.
    pub overloads: bool,
    /// Prefixes of comments that document the definition below.
    pub docs: &'static [&'static str],
    /// Prefixes of comments that document the enclosing definition.
    pub inner_docs: &'static [&'static str],
    /// Markers at the beginning of comment lines, longest first.
    pub markers: &'static [&'static str],
    /// Member access: node kind, field of the object, field of the member.
    pub members: &'static [(&'static str, &'static str, &'static str)],
    /// Node kinds whose text is a name or a path.
    pub paths: &'static [&'static str],
    /// Node kinds that are ignored around a callee.
    pub wrappers: &'static [NodeField],
    /// Node kinds whose value has, roughly, the type of their operand.
    pub transparent: &'static [NodeField],
    /// Methods whose result has, roughly, the type of their receiver, as `.unwrap()`.
    pub transparent_methods: &'static [&'static str],
    /// Node kinds of values that name their type, and the field that does.
    pub constructs: &'static [NodeField],
    /// Node kinds of calls and the field of the callee; without a field, the call's own `object` and `name`.
    pub calls: &'static [NodeField],
    /// Returns the type that a call constructs, if its name shows it; takes the callee without and with generics, and
    /// the first argument.
    pub constructor: fn(callee: &str, raw: &str, argument: &str) -> Option<String>,
    /// Generic types whose methods are those of their argument.
    pub pointers: &'static [&'static str],
    /// Callees that are never defined in a repository.
    pub builtins: &'static [&'static str],
    pub dots: BareReceiver,
    /// Flattens the trees of imports that the query captures with `@use`.
    pub use_tree: fn(&mut ImportCollector<'_>, Node<'_>),
}

/// Defaults of a row.
const PLAIN: LanguageSpec = LanguageSpec {
    language: Language::C,
    name: "",
    extensions: &[],
    interpreters: &[],
    grammar: || tree_sitter_c::LANGUAGE.into(),
    query: "",
    separator: ".",
    selves: &["this"],
    overloads: false,
    docs: &["//", "/*"],
    inner_docs: &[],
    markers: &["///", "//!", "//"],
    members: &[],
    paths: &["identifier"],
    wrappers: &[("parenthesized_expression", "")],
    transparent: &[("parenthesized_expression", "")],
    transparent_methods: &[],
    constructs: &[],
    calls: &[("call_expression", "function")],
    constructor: |_, _, _| None,
    pointers: &[],
    builtins: &[],
    dots: BareReceiver::Names,
    use_tree: |_, _| {},
};

/// JavaScript, from which TypeScript is derived.
const JAVASCRIPT: LanguageSpec = LanguageSpec {
    language: Language::JavaScript,
    name: "javascript",
    extensions: &["js", "mjs", "cjs", "jsx"],
    interpreters: &["node", "nodejs", "bun"],
    grammar: || tree_sitter_javascript::LANGUAGE.into(),
    query: include_str!("queries/javascript.scm"),
    members: &[("member_expression", "object", "property"), ("nested_identifier", "object", "property")],
    wrappers: &[
        ("parenthesized_expression", ""),
        ("non_null_expression", ""),
        ("instantiation_expression", "function"),
    ],
    paths: &[
        "identifier",
        "property_identifier",
        "private_property_identifier",
        "type_identifier",
        "nested_type_identifier",
    ],
    transparent: &[("parenthesized_expression", ""), ("await_expression", ""), ("non_null_expression", "")],
    constructs: &[("new_expression", "constructor")],
    pointers: &["Promise", "Readonly", "Partial"],
    builtins: &["require"],
    ..PLAIN
};

/// TypeScript, from which TSX is derived.
const TYPESCRIPT: LanguageSpec = LanguageSpec {
    language: Language::TypeScript,
    name: "typescript",
    extensions: &["ts", "mts", "cts"],
    interpreters: &["deno", "ts-node", "tsx"],
    grammar: || tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
    query: include_str!("queries/typescript.scm"),
    ..JAVASCRIPT
};

/// C, from which C++ is derived.
const C: LanguageSpec = LanguageSpec {
    language: Language::C,
    name: "c",
    extensions: &["c", "h"],
    query: include_str!("queries/c.scm"),
    separator: "",
    selves: &[],
    members: &[("field_expression", "argument", "field")],
    paths: &["identifier", "field_identifier", "type_identifier"],
    wrappers: &[("parenthesized_expression", ""), ("pointer_expression", "argument")],
    transparent: &[("parenthesized_expression", ""), ("pointer_expression", "argument")],
    constructs: &[("cast_expression", "type"), ("compound_literal_expression", "type")],
    dots: BareReceiver::Values,
    ..PLAIN
};

/// All languages, in the order of [`Language::ALL`].
const LANGUAGES: [LanguageSpec; Language::ALL.len()] = [
    LanguageSpec {
        language: Language::Rust,
        name: "rust",
        extensions: &["rs"],
        interpreters: &["rust-script"],
        grammar: || tree_sitter_rust::LANGUAGE.into(),
        query: include_str!("queries/rust.scm"),
        separator: "::",
        selves: &["self", "Self"],
        docs: &["///", "/**"],
        inner_docs: &["//!", "/*!"],
        members: &[("field_expression", "value", "field")],
        paths: &["identifier", "scoped_identifier", "self", "field_identifier", "metavariable"],
        wrappers: &[("parenthesized_expression", ""), ("generic_function", "function")],
        transparent: &[
            ("parenthesized_expression", ""),
            ("try_expression", ""),
            ("await_expression", ""),
            ("reference_expression", "value"),
        ],
        transparent_methods: &[
            "unwrap",
            "expect",
            "unwrap_or",
            "unwrap_or_default",
            "unwrap_or_else",
            "context",
            "with_context",
            "map_err",
            "ok_or",
            "ok_or_else",
            "clone",
            "as_ref",
            "as_mut",
            "borrow",
            "borrow_mut",
        ],
        constructs: &[("struct_expression", "name")],
        constructor: locals::rust_constructor,
        pointers: &["Box", "Rc", "Arc", "Pin", "Cow"],
        // Variants of the prelude (`Some`, `Ok`) look like calls, and are a tenth of all calls.
        builtins: &["Some", "Ok", "Err"],
        dots: BareReceiver::Values,
        use_tree: imports::rust_use,
        ..PLAIN
    },
    LanguageSpec {
        language: Language::Python,
        name: "python",
        extensions: &["py", "pyi", "pyw"],
        interpreters: &["python", "python2", "python3", "pypy", "pypy3"],
        grammar: || tree_sitter_python::LANGUAGE.into(),
        query: include_str!("queries/python.scm"),
        selves: &["self", "cls"],
        docs: &[],
        markers: &["#"],
        members: &[("attribute", "object", "attribute")],
        paths: &["identifier", "dotted_name"],
        transparent: &[("parenthesized_expression", ""), ("await", ""), ("named_expression", "value")],
        calls: &[("call", "function")],
        constructor: locals::capitalised_constructor,
        builtins: &["super"],
        pointers: &["Optional", "Annotated", "Final", "ClassVar", "Awaitable"],
        ..PLAIN
    },
    JAVASCRIPT,
    TYPESCRIPT,
    LanguageSpec {
        language: Language::Tsx,
        name: "tsx",
        extensions: &["tsx"],
        interpreters: &[],
        grammar: || tree_sitter_typescript::LANGUAGE_TSX.into(),
        ..TYPESCRIPT
    },
    LanguageSpec {
        language: Language::Go,
        name: "go",
        extensions: &["go"],
        grammar: || tree_sitter_go::LANGUAGE.into(),
        query: include_str!("queries/go.scm"),
        selves: &[],
        members: &[("selector_expression", "operand", "field")],
        paths: &["identifier", "field_identifier", "type_identifier", "qualified_type"],
        wrappers: &[("parenthesized_expression", ""), ("type_instantiation_expression", "type")],
        transparent: &[("parenthesized_expression", ""), ("unary_expression", "operand")],
        constructs: &[
            ("composite_literal", "type"),
            ("type_assertion_expression", "type"),
            ("type_conversion_expression", "type"),
        ],
        constructor: locals::go_constructor,
        builtins: &["make", "new", "len", "cap", "append", "copy", "delete", "panic", "recover"],
        ..PLAIN
    },
    C,
    LanguageSpec {
        language: Language::Cpp,
        name: "cpp",
        extensions: &["cc", "cpp", "cxx", "c++", "hh", "hpp", "hxx", "h++", "ipp", "tpp", "inl", "cu", "cuh"],
        grammar: || tree_sitter_cpp::LANGUAGE.into(),
        query: include_str!("queries/cpp.scm"),
        separator: "::",
        selves: &["this"],
        overloads: true,
        paths: &[
            "identifier",
            "field_identifier",
            "type_identifier",
            "qualified_identifier",
            "template_type",
            "template_function",
            "template_method",
            "dependent_name",
            "destructor_name",
            "operator_name",
            "namespace_identifier",
        ],
        transparent: &[
            ("parenthesized_expression", ""),
            ("pointer_expression", "argument"),
            ("co_await_expression", "argument"),
        ],
        constructs: &[("new_expression", "type"), ("cast_expression", "type"), ("compound_literal_expression", "type")],
        constructor: locals::cpp_constructor,
        pointers: &["unique_ptr", "shared_ptr", "optional", "reference_wrapper"],
        builtins: &["static_cast", "reinterpret_cast", "const_cast", "dynamic_cast", "decltype", "sizeof"],
        ..C
    },
    LanguageSpec {
        language: Language::Java,
        name: "java",
        extensions: &["java"],
        grammar: || tree_sitter_java::LANGUAGE.into(),
        query: include_str!("queries/java.scm"),
        overloads: true,
        members: &[("field_access", "object", "field")],
        paths: &["identifier", "scoped_identifier", "type_identifier", "scoped_type_identifier", "generic_type"],
        constructs: &[("object_creation_expression", "type"), ("cast_expression", "type")],
        calls: &[("method_invocation", "")],
        pointers: &["Optional"],
        builtins: &["this", "super"],
        dots: BareReceiver::Capitals,
        ..PLAIN
    },
];

impl Language {
    /// All languages, in the order of the table.
    pub const ALL: [Language; 9] = [
        Language::Rust,
        Language::Python,
        Language::JavaScript,
        Language::TypeScript,
        Language::Tsx,
        Language::Go,
        Language::C,
        Language::Cpp,
        Language::Java,
    ];

    /// Returns the name used in events.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// Returns the language with a name, as [`Language::name`] gives it.
    pub fn from_name(name: &str) -> Option<Self> {
        Language::ALL.into_iter().find(|language| language.name() == name)
    }

    /// Returns the language's row of the table.
    pub(super) fn spec(self) -> &'static LanguageSpec {
        static TABLE: [LanguageSpec; Language::ALL.len()] = LANGUAGES;
        &TABLE[self as usize]
    }

    /// Detects the language of a file by its extension or, without one, by the interpreter that its first line names.
    pub fn detect(path: &str, head: &[u8]) -> Option<Language> {
        let file = path.rsplit('/').next().unwrap_or(path);
        let Some((_, extension)) = file.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) else {
            return by_interpreter(head);
        };
        if extension == "H" || extension == "C" {
            return Some(Language::Cpp);
        }
        let extension = extension.to_ascii_lowercase();
        let found = Language::ALL.into_iter().find(|language| language.spec().extensions.contains(&&*extension))?;
        Some(if extension == "h" && looks_like_cpp(head) { Language::Cpp } else { found })
    }
}

/// Returns the language of the interpreter in a `#!` line, whatever its version.
fn by_interpreter(head: &[u8]) -> Option<Language> {
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    let program = line
        .split_whitespace()
        .filter_map(|word| word.rsplit('/').next())
        .find(|word| *word != "env" && !word.starts_with('-') && !word.contains('='))?;
    let plain = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    Language::ALL.into_iter().find(|language| {
        let known = language.spec().interpreters;
        known.contains(&program) || known.contains(&plain)
    })
}

/// Beginnings of lines that occur in C++ but not in C.
const CPP_LINES: [&str; 8] =
    ["class ", "namespace ", "template <", "template<", "using namespace ", "public:", "private:", "protected:"];

/// Returns whether a header is certainly C++.
fn looks_like_cpp(head: &[u8]) -> bool {
    String::from_utf8_lossy(head)
        .lines()
        .map(str::trim)
        .any(|line| CPP_LINES.iter().any(|begin| line.starts_with(begin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_languages() {
        for language in Language::ALL {
            assert_eq!(language.spec().language, language);
            let json = serde_json::to_string(&language).expect("a name");
            assert_eq!(json.trim_matches('"'), language.name());
        }
    }

    #[test]
    fn a_file_tells_its_language() {
        for (path, head, expect) in [
            ("src/a.rs", "", Some(Language::Rust)),
            ("a.b/c.test.tsx", "", Some(Language::Tsx)),
            ("x.h", "int f(void);", Some(Language::C)),
            ("x.h", "#pragma once\nnamespace a {\n", Some(Language::Cpp)),
            ("x.h", "/* a class of things */\nstruct class_x;", Some(Language::C)),
            ("bin/tool", "#!/usr/bin/env python3.11\n", Some(Language::Python)),
            ("bin/tool", "#!/usr/bin/env -S node --flag\n", Some(Language::JavaScript)),
            ("bin/tool", "#!/bin/sh\n", None),
            ("Makefile", "", None),
            (".py", "", None),
            ("a.md", "", None),
        ] {
            assert_eq!(Language::detect(path, head.as_bytes()), expect, "{path}");
        }
    }
}
