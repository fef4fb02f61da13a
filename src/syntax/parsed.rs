//! The words of the syntax room: what one file's text says, with nothing resolved. Refuses to know
//! about git, events or other files.

use serde::{Deserialize, Serialize};

/// Everything that one file's text says. Plain data: it crosses a pipe as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parsed {
    /// Unique by (kind, qualified): same-named parts of a file are one definition, texts joined in source order.
    pub definitions: Vec<Definition>,
    /// Calls in source order.
    pub calls: Vec<Call>,
    /// Imports in source order.
    pub imports: Vec<Import>,
    /// The file as a container: its source with each top-level definition replaced by its name.
    /// An edit inside a definition leaves it as it was.
    pub text: String,
    /// The comment that opens the file, markers removed; empty where there is none.
    pub doc: String,
    /// True where the grammar met an error somewhere: facts are kept, and counted as partial.
    pub partial: bool,
}

/// What sort of thing a definition is; also the last word of its event type (`code.function`, ...).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
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

/// One definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// The sort of thing.
    pub kind: Kind,
    /// The last segment, `parse`.
    pub name: String,
    /// The name within its file: `Parser::parse`, `<T as Trait>::m`, `Parser.parse(int)`.
    pub qualified: String,
    /// The type whose method this is, as written and without generics (`Parser`); the scope a
    /// receiver such as `self`, `this` or Go's receiver name stands for.
    pub owner: Option<String>,
    /// Source from the definition's start to its body, white space collapsed.
    pub signature: String,
    /// The return type as written.
    pub return_type: Option<String>,
    /// Doc comment or docstring, markers removed.
    pub doc: String,
    /// A normal form of signature and syntax tree that renaming leaves as it is.
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
pub enum Form {
    /// `f()`
    Free,
    /// `x.f()`
    Method,
    /// `a::f()`; also `pkg.F()` or `Class.f()` where the receiver is a name that is not a local value.
    Path,
    /// `f!()`
    Macro,
}

/// One call, as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Index into `definitions` of the innermost definition around it; `None`: the file itself.
    pub caller: Option<usize>,
    /// The last segment, `parse`.
    pub name: String,
    /// As written, without arguments, generics and white space: `self.lexer.next`, `Parser::new`, `f`.
    /// A receiver that is not a plain chain of names is written `_`: `_.collect`.
    pub callee: String,
    /// How it is written.
    pub form: Form,
    /// The receiver's type as written, where the text around it tells (a parameter, an annotated or
    /// constructed local): `Parser` for `p` in `let p = Parser::new()`. Without `&`, `*`, `mut`, and generics.
    pub receiver_type: Option<String>,
    /// For `let x = f()` then `x.m()`: the callee `f` as written, whose return type is the receiver's type. Where
    /// its own receiver is what a call makes, that call stands as its callee and `()`, or as its type and `()` if the
    /// type is known: `x().y` and `Parser().y` for `y` in `x(1).y(2)` and `Parser::new().y(2)`.
    pub receiver_call: Option<String>,
    /// True where `name` (for a free call) is bound by a parameter or local, so that no definition is meant.
    pub local: bool,
    /// Line of the callee's name, from 1.
    pub line: u32,
    /// Number of arguments as written; `None` for macros.
    pub arguments: Option<u32>,
}

/// One imported name, as written. A list such as `use a::{b, c}` is one import a leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// The module or path imported from. Rust: the whole path of the leaf, `crate::a::b`. Python: the module as
    /// written, `..pkg.mod`. JavaScript: the specifier, `./x`. Go: `host/owner/repo/pkg`. C: `dir/x.h`. Java: `a.b.C`.
    pub target: String,
    /// The name taken out of the target where the language says so apart (`from target import name`,
    /// `import { name } from target`; `default` for a default import); `*` for a glob; `None` for the whole.
    pub name: Option<String>,
    /// The local name where it differs (`as alias`).
    pub alias: Option<String>,
    /// True for `pub use`, `export ... from`, and Python imports in an `__init__.py`.
    pub reexport: bool,
    /// The scope (a qualified name in this file) it stands in, where that is not the file's top: Rust `mod tests`.
    pub scope: Option<String>,
    /// Line, from 1.
    pub line: u32,
}

impl Kind {
    /// The name stored in events and printed.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Function => "function",
            Kind::Type => "type",
            Kind::Module => "module",
            Kind::Constant => "constant",
            Kind::Macro => "macro",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Kind::Function, Kind::Type, Kind::Module, Kind::Constant, Kind::Macro]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

impl Form {
    /// The name stored in events and printed.
    pub fn name(self) -> &'static str {
        match self {
            Form::Free => "free",
            Form::Method => "method",
            Form::Path => "path",
            Form::Macro => "macro",
        }
    }

    /// The form of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Form::Free, Form::Method, Form::Path, Form::Macro].into_iter().find(|form| form.name() == name)
    }
}
