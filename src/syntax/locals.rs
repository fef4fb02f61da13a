//! Local names, and what the text of a function shows of their types. Flow-insensitive: the last binding before a use
//! wins. The bodies of other functions are not examined.

use std::collections::HashMap;

use tree_sitter::Node;

use super::calls::{call_chain, inner, text};
use super::language::LanguageSpec;
use super::names::{generic_argument, is_capitalised, last_segment, strip_generics, type_name};

/// What the text shows of a value's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ValueType {
    /// A named type.
    Type(String),
    /// The return type of this callee.
    Call(String),
    /// The type of which the function is a method.
    Owner,
    /// The type of another name.
    Same(String),
    /// Unknown, although the name is bound.
    Unknown,
}

/// A binding of a local name.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    /// Offset from which it is visible.
    pub from: usize,
    /// Offset up to which it is visible.
    pub to: usize,
    pub known: ValueType,
}

/// The bindings of a function, or of a file.
#[derive(Debug, Default)]
pub(super) struct Locals(HashMap<String, Vec<Binding>>);

/// Number of earlier bindings examined for a name; beyond that it counts as unbound, which bounds the search.
const MAX_LOOKBACK: usize = 64;

impl Locals {
    /// Adds a binding.
    pub(super) fn bind(&mut self, name: String, binding: Binding) {
        self.0.entry(name).or_default().push(binding);
    }

    /// Sorts the bindings; to be called once after the last `bind`.
    pub(super) fn settle(&mut self) {
        for bindings in self.0.values_mut() {
            bindings.sort_by_key(|binding| binding.from);
        }
    }

    /// Returns the binding of a name that is visible at an offset.
    pub(super) fn lookup(&self, name: &str, at: usize) -> Option<&Binding> {
        let bindings = self.0.get(name)?;
        let before = bindings.partition_point(|binding| binding.from <= at);
        bindings[..before].iter().rev().take(MAX_LOOKBACK).find(|binding| at < binding.to)
    }
}

/// Returns what an expression shows of its type, looking through operations that roughly keep it: `?`, `.unwrap()`.
pub(super) fn known(spec: &LanguageSpec, source: &str, value: Node<'_>) -> ValueType {
    known_of(spec, source, value, MAX_CHAIN)
}

/// Longest chain of calls that is examined for a receiver.
pub(super) const MAX_CHAIN: usize = 12;

/// Like [`known`]; `left` is the number of calls of a chain that may still be examined.
fn known_of(spec: &LanguageSpec, source: &str, value: Node<'_>, left: usize) -> ValueType {
    let mut at = value;
    // Expressions may nest to any depth; the outer few layers determine the type.
    for _ in 0..12 {
        let kind = at.kind();
        if let Some(inside) = spec.transparent.iter().find(|(k, _)| *k == kind).and_then(|(_, field)| inner(at, field))
        {
            at = inside;
            continue;
        }
        if let Some(named) = spec.constructs.iter().find(|(k, _)| *k == kind).and_then(|(_, field)| inner(at, field)) {
            return type_name(text(source, named), spec.pointers).map_or(ValueType::Unknown, ValueType::Type);
        }
        if let Some((_, field)) = spec.calls.iter().find(|(k, _)| *k == kind) {
            match of_call(spec, source, at, field, left) {
                TypeStep::Known(known) => return known,
                TypeStep::Into(next) => {
                    at = next;
                    continue;
                }
            }
        }
        if spec.selves.contains(&text(source, at)) {
            return ValueType::Owner;
        }
        return match kind {
            "identifier" => ValueType::Same(text(source, at).to_owned()),
            _ => ValueType::Unknown,
        };
    }
    ValueType::Unknown
}

/// The result of examining a call.
enum TypeStep<'t> {
    Known(ValueType),
    Into(Node<'t>),
}

/// Examines a call: its type is known, or it is that of an operand.
fn of_call<'t>(spec: &LanguageSpec, source: &str, call: Node<'t>, field: &str, left: usize) -> TypeStep<'t> {
    let callee = if field.is_empty() { None } else { call.child_by_field_name(field) };
    let Some(chain) = call_chain(spec, source, call, callee) else { return TypeStep::Known(ValueType::Unknown) };
    let name = chain.segments.last().map_or("", String::as_str);
    if chain.segments.len() > 1
        && spec.transparent_methods.contains(&name)
        && let Some((_, object, _)) =
            callee.and_then(|node| spec.members.iter().find(|(kind, ..)| *kind == node.kind()))
        && let Some(object) = callee.and_then(|node| node.child_by_field_name(object))
    {
        return TypeStep::Into(object);
    }
    let first = call.child_by_field_name("arguments").and_then(|arguments| arguments.named_child(0));
    if let Some((prefix, "new")) = name.rsplit_once("::")
        && spec.pointers.contains(&last_segment(prefix))
        && let Some(first) = first
    {
        return TypeStep::Into(first);
    }
    let argument = first.map_or("", |node| text(source, node));
    let full = chain.text();
    let raw = callee.map_or("", |node| text(source, node));
    if let Some(made) = (spec.constructor)(&full, raw, argument).and_then(|made| type_name(&made, spec.pointers)) {
        return TypeStep::Known(ValueType::Type(made));
    }
    if name == "_" || name.is_empty() {
        return TypeStep::Known(ValueType::Unknown);
    }
    let receiver = chain.opaque.filter(|_| left > 0 && chain.segments.len() == 2);
    let by = receiver.and_then(|receiver| method_of(&known_of(spec, source, receiver, left - 1), name));
    TypeStep::Known(ValueType::Call(by.unwrap_or(full)))
}

/// Returns the callee of a method on a value. A call is written as its callee and `()`: `A::new().x` for the `x` of
/// `A::new().x(1)`; a type as if it were called.
pub(super) fn method_of(receiver: &ValueType, name: &str) -> Option<String> {
    match receiver {
        ValueType::Type(maker) | ValueType::Call(maker) => Some(format!("{maker}().{name}")),
        ValueType::Same(value) => Some(format!("{value}.{name}")),
        ValueType::Owner | ValueType::Unknown => None,
    }
}

/// Constructors of Rust: `T::new`, `T::with_capacity`, `T::from_str` make a `T`; other functions of a type may return
/// anything.
pub(super) fn rust_constructor(callee: &str, _: &str, _: &str) -> Option<String> {
    let (path, name) = callee.rsplit_once("::")?;
    let makes =
        matches!(name, "new" | "default" | "open" | "create") || name.starts_with("with_") || name.starts_with("from");
    (makes && is_capitalised(last_segment(path))).then(|| path.to_owned())
}

/// Constructors of languages in which classes are called: `Parser(..)` makes a `Parser`.
pub(super) fn capitalised_constructor(callee: &str, _: &str, _: &str) -> Option<String> {
    (is_capitalised(last_segment(callee)) && !callee.starts_with('_')).then(|| callee.to_owned())
}

/// Constructors of Go: `new(T)` makes a `*T`.
pub(super) fn go_constructor(callee: &str, _: &str, argument: &str) -> Option<String> {
    (callee == "new").then(|| argument.to_owned())
}

/// Constructors of C++: `T(..)`, `t_t(..)`, `make_unique<T>(..)` and `static_cast<T>(..)` make a `T`.
pub(super) fn cpp_constructor(callee: &str, raw: &str, _: &str) -> Option<String> {
    let name = last_segment(callee);
    if matches!(
        name,
        "make_unique" | "make_shared" | "static_cast" | "reinterpret_cast" | "dynamic_cast" | "const_cast"
    ) {
        return generic_argument(raw).map(str::to_owned);
    }
    let is_type = is_capitalised(name) || name.ends_with("_t");
    (is_type && !callee.contains('.')).then(|| strip_generics(callee))
}

/// Written types that are inferred from the value, such as `auto`.
const PLACEHOLDERS: [&str; 4] = ["auto", "var", "let", "decltype"];

/// Returns what a binding shows of its type: the written type, else that of the value.
pub(super) fn of_binding(
    spec: &LanguageSpec,
    source: &str,
    typed: Option<Node<'_>>,
    value: Option<Node<'_>>,
) -> ValueType {
    if let Some(typed) = typed {
        let written = type_name(text(source, typed), spec.pointers);
        match written {
            Some(name) if PLACEHOLDERS.contains(&name.as_str()) => {}
            Some(name) => return ValueType::Type(name),
            None => return ValueType::Unknown,
        }
    }
    value.map_or(ValueType::Unknown, |value| known(spec, source, value))
}

/// Returns the names that a pattern binds, with their offsets. Capitalised names are constants and variants.
pub(super) fn pattern_names(source: &str, pattern: Node<'_>) -> Vec<(String, usize)> {
    const NAMES: [&str; 4] = [
        "identifier",
        "shorthand_field_identifier",
        "shorthand_property_identifier_pattern",
        "shorthand_property_identifier",
    ];
    let mut found = Vec::new();
    let mut cursor = pattern.walk();
    loop {
        let node = cursor.node();
        let name = text(source, node);
        if NAMES.contains(&node.kind()) && !name.starts_with(char::is_uppercase) {
            found.push((name.to_owned(), node.end_byte()));
        }
        // Paths and types inside a pattern are uses; a default value is an expression.
        let skip =
            matches!(node.kind(), "scoped_identifier" | "generic_type" | "call_expression" | "attribute" | "subscript");
        if !skip && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return found;
            }
        }
    }
}
