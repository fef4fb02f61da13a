//! Local names and what is known of their types from the text of the function. Flow-insensitive: the last
//! binding before the use wins. Refuses to look at other functions' results.

use std::collections::HashMap;

use tree_sitter::Node;

use super::calls::{call_chain, inner, text};
use super::language::Row;
use super::names::{generic_argument, is_capitalised, last_segment, strip_generics, type_name};

/// What the text says of a value's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    /// Its type, by name.
    Type(String),
    /// What this callee returns.
    Call(String),
    /// The type that the method stands in.
    Owner,
    /// What this other name is.
    Same(String),
    /// Nothing, but the name is bound.
    Unknown,
}

/// One binding of a local name.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    /// From here on it is seen.
    pub from: usize,
    /// Up to here.
    pub to: usize,
    pub known: Known,
}

/// The bindings of one function, or of a file.
#[derive(Debug, Default)]
pub(super) struct Locals(HashMap<String, Vec<Binding>>);

/// A name bound this often before its use, none of them in sight, is taken for unbound: a file must not make
/// the search long.
const MAX_LOOKBACK: usize = 64;

impl Locals {
    pub(super) fn bind(&mut self, name: String, binding: Binding) {
        self.0.entry(name).or_default().push(binding);
    }

    /// Puts the bindings in order; call once after the last `bind`.
    pub(super) fn settle(&mut self) {
        for bindings in self.0.values_mut() {
            bindings.sort_by_key(|binding| binding.from);
        }
    }

    /// The binding of a name that a use at `at` sees.
    pub(super) fn lookup(&self, name: &str, at: usize) -> Option<&Binding> {
        let bindings = self.0.get(name)?;
        let before = bindings.partition_point(|binding| binding.from <= at);
        bindings[..before].iter().rev().take(MAX_LOOKBACK).find(|binding| at < binding.to)
    }
}

/// What an expression says of its type. Sees through what leaves the type as it is, roughly: `?`, `await`,
/// `.unwrap()`.
pub(super) fn known(row: &Row, source: &str, value: Node<'_>) -> Known {
    known_of(row, source, value, LONGEST_CHAIN)
}

/// A receiver that goes through more calls than this says too little for the search.
pub(super) const LONGEST_CHAIN: usize = 12;

/// `left` counts the calls of a chain that are still looked into.
fn known_of(row: &Row, source: &str, value: Node<'_>, left: usize) -> Known {
    let mut at = value;
    // Expressions nest as deep as someone writes them; a few layers are all that tells anything.
    for _ in 0..12 {
        let kind = at.kind();
        if let Some(inside) = row.transparent.iter().find(|(k, _)| *k == kind).and_then(|(_, field)| inner(at, field)) {
            at = inside;
            continue;
        }
        if let Some(named) = row.constructs.iter().find(|(k, _)| *k == kind).and_then(|(_, field)| inner(at, field)) {
            return type_name(text(source, named), row.pointers).map_or(Known::Unknown, Known::Type);
        }
        if let Some((_, field)) = row.calls.iter().find(|(k, _)| *k == kind) {
            match of_call(row, source, at, field, left) {
                Step::Known(known) => return known,
                Step::Into(next) => {
                    at = next;
                    continue;
                }
            }
        }
        if row.selves.contains(&text(source, at)) {
            return Known::Owner;
        }
        return match kind {
            "identifier" => Known::Same(text(source, at).to_owned()),
            _ => Known::Unknown,
        };
    }
    Known::Unknown
}

enum Step<'t> {
    Known(Known),
    Into(Node<'t>),
}

fn of_call<'t>(row: &Row, source: &str, call: Node<'t>, field: &str, left: usize) -> Step<'t> {
    let callee = if field.is_empty() { None } else { call.child_by_field_name(field) };
    let Some(chain) = call_chain(row, source, call, callee) else { return Step::Known(Known::Unknown) };
    let name = chain.segments.last().map_or("", String::as_str);
    if chain.segments.len() > 1
        && row.transparent_methods.contains(&name)
        && let Some((_, object, _)) = callee.and_then(|node| row.members.iter().find(|(kind, ..)| *kind == node.kind()))
        && let Some(object) = callee.and_then(|node| node.child_by_field_name(object))
    {
        return Step::Into(object);
    }
    let first = call.child_by_field_name("arguments").and_then(|arguments| arguments.named_child(0));
    if let Some((prefix, "new")) = name.rsplit_once("::")
        && row.pointers.contains(&last_segment(prefix))
        && let Some(first) = first
    {
        return Step::Into(first);
    }
    let argument = first.map_or("", |node| text(source, node));
    let full = chain.text();
    let raw = callee.map_or("", |node| text(source, node));
    if let Some(made) = (row.constructor)(&full, raw, argument).and_then(|made| type_name(&made, row.pointers)) {
        return Step::Known(Known::Type(made));
    }
    if name == "_" || name.is_empty() {
        return Step::Known(Known::Unknown);
    }
    let receiver = chain.opaque.filter(|_| left > 0 && chain.segments.len() == 2);
    let by = receiver.and_then(|receiver| method_of(&known_of(row, source, receiver, left - 1), name));
    Step::Known(Known::Call(by.unwrap_or(full)))
}

/// The callee of a method on a value of which this is known. A call stands as its callee and `()`: `A::new().x`
/// for the `x` of `A::new().x(1)`; a type as if it were called.
pub(super) fn method_of(receiver: &Known, name: &str) -> Option<String> {
    match receiver {
        Known::Type(maker) | Known::Call(maker) => Some(format!("{maker}().{name}")),
        Known::Same(value) => Some(format!("{value}.{name}")),
        Known::Owner | Known::Unknown => None,
    }
}

/// `T::new`, `T::with_capacity`, `T::from_str` make a `T`; other functions of a type may return anything.
pub(super) fn rust_constructor(callee: &str, _: &str, _: &str) -> Option<String> {
    let (path, name) = callee.rsplit_once("::")?;
    let makes =
        matches!(name, "new" | "default" | "open" | "create") || name.starts_with("with_") || name.starts_with("from");
    (makes && is_capitalised(last_segment(path))).then(|| path.to_owned())
}

/// `Parser(..)` makes a `Parser` in languages where classes are called.
pub(super) fn capitalised_constructor(callee: &str, _: &str, _: &str) -> Option<String> {
    (is_capitalised(last_segment(callee)) && !callee.starts_with('_')).then(|| callee.to_owned())
}

/// `new(T)` makes a `*T`.
pub(super) fn go_constructor(callee: &str, _: &str, argument: &str) -> Option<String> {
    (callee == "new").then(|| argument.to_owned())
}

/// `T(..)`, `t_t(..)`, `make_unique<T>(..)` and `static_cast<T>(..)` make a `T`.
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

/// Types that say only that the value tells the type.
const PLACEHOLDERS: [&str; 4] = ["auto", "var", "let", "decltype"];

/// What a binding's parts say. A type as written is believed before the value.
pub(super) fn of_binding(row: &Row, source: &str, typed: Option<Node<'_>>, value: Option<Node<'_>>) -> Known {
    if let Some(typed) = typed {
        let written = type_name(text(source, typed), row.pointers);
        match written {
            Some(name) if PLACEHOLDERS.contains(&name.as_str()) => {}
            Some(name) => return Known::Type(name),
            None => return Known::Unknown,
        }
    }
    value.map_or(Known::Unknown, |value| known(row, source, value))
}

/// The names that a pattern binds, and where. Names that begin with a capital are constants and variants.
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
