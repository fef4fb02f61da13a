//! The result types of this module: what one file contains, with nothing resolved across files.

use serde::{Deserialize, Serialize};

/// Everything read from one file. Plain data, which crosses a pipe as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parsed {
    /// Definitions, unique by (kind, qualified): parts of the same name are merged, with their texts joined in source
    /// order.
    pub definitions: Vec<Definition>,
    /// Calls in source order.
    pub calls: Vec<Call>,
    /// Imports in source order.
    pub imports: Vec<Import>,
    /// The file as a container: its source with each top-level definition replaced by its name.
    /// An edit inside a definition leaves it as it was.
    pub text: String,
    /// The comment that opens the file, without markers; empty if there is none.
    pub doc: String,
    /// Whether the source has syntax errors; what was parsed is kept, and the file counts as partial.
    pub partial: bool,
}

/// Kind of a definition; also the last word of its event type (`code.function`, ...).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefinitionKind {
    /// A function or method, in whatever scope.
    Function,
    /// A struct, enum, union, class, interface, trait, type alias, typedef.
    Type,
    /// A named module or namespace inside a file.
    Module,
    /// A constant, static, or a variable at the top level of a file.
    Constant,
    /// A macro definition.
    Macro,
}

/// A definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Kind of the definition.
    pub kind: DefinitionKind,
    /// The last segment, `parse`.
    pub name: String,
    /// The name within its file: `Parser::parse`, `<T as Trait>::m`, `Parser.parse(int)`.
    pub qualified: String,
    /// The type of which it is a method, as written and without generics (`Parser`): what `self`, `this` or Go's
    /// receiver stands for.
    pub owner: Option<String>,
    /// Source from the definition's start to its body, white space collapsed.
    pub signature: String,
    /// The return type as written.
    pub return_type: Option<String>,
    /// Doc comment or docstring, without markers.
    pub doc: String,
    /// Normal form of signature and syntax tree that renaming does not change.
    pub shape: String,
    /// Source, with members' and nested definitions replaced by their names.
    pub text: String,
    /// Fields of a type: name and type as written.
    pub fields: Vec<(String, String)>,
    /// Supertypes as written: base classes, implemented traits and interfaces, embedded structs.
    pub bases: Vec<String>,
    /// First line, from 1, doc comment not counted.
    pub line: u32,
    /// Last line, from 1, inclusive (of the last part where parts were joined).
    pub end_line: u32,
}

/// How a call is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallForm {
    /// `f()`
    Free,
    /// `x.f()`
    Method,
    /// `a::f()`; also `pkg.F()` or `Class.f()` where the receiver is a name that is not a local value.
    Path,
    /// `f!()`
    Macro,
}

/// A call, as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Index into `definitions` of the innermost enclosing definition; `None` for the file itself.
    pub caller: Option<usize>,
    /// The last segment, `parse`.
    pub name: String,
    /// As written, without arguments, generics and white space: `self.lexer.next`, `Parser::new`, `f`.
    /// A receiver that is not a plain chain of names is written `_`: `_.collect`.
    pub callee: String,
    /// How the call is written.
    pub form: CallForm,
    /// The receiver's type as written, if the surrounding text shows it (a parameter, an annotated or constructed
    /// local): `Parser` for `p` in `let p = Parser::new()`. Without `&`, `*`, `mut`, and generics.
    pub receiver_type: Option<String>,
    /// For `let x = f()` then `x.m()`: the callee `f` as written, whose return type is the receiver's type.
    ///
    /// If the receiver of `f` is the result of a call, that call is written as its callee and `()`, or as its type and
    /// `()` if the type is known: `x().y` and `Parser().y` for `y` in `x(1).y(2)` and `Parser::new().y(2)`.
    pub receiver_call: Option<String>,
    /// Whether `name` (of a free call) is bound by a parameter or local, so that no definition is meant.
    pub local: bool,
    /// Line of the callee's name, from 1.
    pub line: u32,
    /// Number of arguments as written; `None` for macros.
    pub arguments: Option<u32>,
}

/// An imported name, as written. A list such as `use a::{b, c}` is one import for each name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// The module or path imported from. Rust: the whole path of the leaf, `crate::a::b`. Python: the module as
    /// written, `..pkg.mod`. JavaScript: the specifier, `./x`. Go: `host/owner/repo/pkg`. C: `dir/x.h`. Java: `a.b.C`.
    pub target: String,
    /// The imported name, if the language writes it separately (`from target import name`, `import { name } from
    /// target`; `default` for a default import); `*` for a glob; `None` for the whole target.
    pub name: Option<String>,
    /// The local name, if it differs (`as alias`).
    pub alias: Option<String>,
    /// Whether the import is re-exported: `pub use`, `export ... from`, and Python imports in an `__init__.py`.
    pub reexport: bool,
    /// The scope (a qualified name in this file) of the import, if it is not the file: Rust `mod tests`.
    pub scope: Option<String>,
    /// Line, from 1.
    pub line: u32,
}

impl DefinitionKind {
    /// Returns the name stored in events and printed.
    pub fn name(self) -> &'static str {
        match self {
            DefinitionKind::Function => "function",
            DefinitionKind::Type => "type",
            DefinitionKind::Module => "module",
            DefinitionKind::Constant => "constant",
            DefinitionKind::Macro => "macro",
        }
    }

    /// Returns the kind with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            DefinitionKind::Function,
            DefinitionKind::Type,
            DefinitionKind::Module,
            DefinitionKind::Constant,
            DefinitionKind::Macro,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

impl CallForm {
    /// Returns the name stored in events and printed.
    pub fn name(self) -> &'static str {
        match self {
            CallForm::Free => "free",
            CallForm::Method => "method",
            CallForm::Path => "path",
            CallForm::Macro => "macro",
        }
    }

    /// Returns the form with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [CallForm::Free, CallForm::Method, CallForm::Path, CallForm::Macro].into_iter().find(|form| form.name() == name)
    }
}
