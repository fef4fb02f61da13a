//! Extracts calls as written: the callee, its receiver, the form. Local bindings are resolved later, in `receivers`.

use tree_sitter::Node;

use super::language::LanguageSpec;
use super::locals::{self, ValueType};
use super::names::{self, strip_generics};
use super::parsed::CallForm;

/// A call before local names are resolved.
#[derive(Debug, Clone)]
pub(super) struct RawCall {
    /// Byte offset at which the call begins.
    pub at: usize,
    pub name: String,
    pub callee: String,
    pub form: CallForm,
    pub receiver: Receiver,
    pub arguments: Option<u32>,
    pub line: u32,
}

/// The receiver of a call: what precedes the last dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Receiver {
    /// None, or nothing that could be a value.
    None,
    /// `self`, `this` and the like.
    Own,
    /// A single name.
    Name(String),
    /// A chain of names that begins with this one.
    Root(String),
    /// Another expression, with what the text shows of its type.
    Value(ValueType),
}

/// The names of a callee or receiver, in order; `_` stands for anything that is not a name.
pub(super) struct Chain<'t> {
    pub segments: Vec<String>,
    /// The expression that `_` stands for.
    pub opaque: Option<Node<'t>>,
    /// The node of the last segment.
    pub last: Node<'t>,
}

impl Chain<'_> {
    /// Returns the chain with dots.
    pub(super) fn text(&self) -> String {
        self.segments.join(".")
    }
}

/// Returns the source text of a node.
pub(super) fn text<'s>(source: &'s str, node: Node<'_>) -> &'s str {
    source.get(node.byte_range()).unwrap_or("")
}

/// Returns the child that a table entry names: a field or, without one, the first named child.
pub(super) fn inner<'t>(node: Node<'t>, field: &str) -> Option<Node<'t>> {
    if field.is_empty() { node.named_child(0) } else { node.child_by_field_name(field) }
}

/// Collects a chain of member accesses, from its last member to its first.
pub(super) fn chain<'t>(spec: &LanguageSpec, source: &str, node: Node<'t>) -> Chain<'t> {
    let mut segments = Vec::new();
    let mut last = None;
    let mut opaque = None;
    let mut at = node;
    loop {
        let kind = at.kind();
        if let Some((_, object, member)) = spec.members.iter().find(|(member, ..)| *member == kind) {
            let (Some(object), Some(member)) = (at.child_by_field_name(object), at.child_by_field_name(member)) else {
                break;
            };
            let written = text(source, member);
            segments.push(strip_generics(written.strip_prefix("template ").unwrap_or(written)));
            last = last.or(Some(member));
            at = object;
            continue;
        }
        let wrapped = spec.wrappers.iter().find(|(wrapper, _)| *wrapper == kind);
        if let Some(inside) = wrapped.and_then(|(_, field)| inner(at, field)) {
            at = inside;
            continue;
        }
        let is_name = spec.paths.contains(&kind) || spec.selves.contains(&kind) || matches!(kind, "super" | "this");
        if is_name {
            segments.push(strip_generics(text(source, at)));
        } else if text(source, at) == "super()" {
            segments.push("super".to_owned());
        } else {
            segments.push("_".to_owned());
            opaque = Some(at);
        }
        break;
    }
    segments.reverse();
    Chain { segments, opaque, last: last.unwrap_or(at) }
}

/// Collects the chain of a call, from its callee node or from its own fields `object` and `name`.
pub(super) fn call_chain<'t>(
    spec: &LanguageSpec,
    source: &str,
    call: Node<'t>,
    callee: Option<Node<'t>>,
) -> Option<Chain<'t>> {
    if let Some(callee) = callee {
        return Some(chain(spec, source, callee));
    }
    let name = call.child_by_field_name("name")?;
    let mut found = match call.child_by_field_name("object") {
        Some(object) => chain(spec, source, object),
        None => Chain { segments: Vec::new(), opaque: None, last: name },
    };
    found.segments.push(text(source, name).to_owned());
    found.last = name;
    Some(found)
}

/// Extracts a call; `None` if the callee has no name.
pub(super) fn read(
    spec: &LanguageSpec,
    source: &str,
    call: Node<'_>,
    callee: Option<Node<'_>>,
    arguments: Option<Node<'_>>,
) -> Option<RawCall> {
    let chain = call_chain(spec, source, call, callee)?;
    let (last, before) = chain.segments.split_last()?;
    if last == "_" || last.is_empty() || (before.is_empty() && spec.builtins.contains(&last.as_str())) {
        return None;
    }
    let (form, receiver) = if before.is_empty() {
        path_form(spec, last)
    } else {
        (CallForm::Method, receiver(spec, source, &chain, before))
    };
    Some(RawCall {
        at: call.start_byte(),
        name: names::last_segment(last).to_owned(),
        callee: chain.text(),
        form,
        receiver,
        arguments: arguments.map(count_arguments),
        line: line(chain.last),
    })
}

/// Returns the line of a node, from 1. For a path over several lines it is the last one, which has the name.
fn line(node: Node<'_>) -> u32 {
    u32::try_from(node.end_position().row + 1).unwrap_or(u32::MAX)
}

/// Returns form and receiver of a callee of one segment, which may be a path whose last prefix is `Self`.
fn path_form(spec: &LanguageSpec, callee: &str) -> (CallForm, Receiver) {
    // A constructor's type may be a path with dots.
    match callee.rsplit_once("::").or_else(|| callee.rsplit_once('.')) {
        Some((prefix, _)) if spec.selves.contains(&prefix) => (CallForm::Path, Receiver::Own),
        Some(_) => (CallForm::Path, Receiver::None),
        None => (CallForm::Free, Receiver::None),
    }
}

/// Classifies the receiver of a method call.
fn receiver(spec: &LanguageSpec, source: &str, chain: &Chain<'_>, before: &[String]) -> Receiver {
    let root = before.first().map_or("", String::as_str);
    match chain.opaque {
        Some(value) if before.len() == 1 => Receiver::Value(locals::known(spec, source, value)),
        Some(_) => Receiver::Value(ValueType::Unknown),
        None if root == "super" => Receiver::Value(ValueType::Unknown),
        None if before.len() == 1 && spec.selves.contains(&root) => Receiver::Own,
        None if before.len() == 1 => Receiver::Name(root.to_owned()),
        None => Receiver::Root(root.to_owned()),
    }
}

/// Counts the arguments in parentheses.
fn count_arguments(arguments: Node<'_>) -> u32 {
    if !arguments.kind().contains("argument") {
        // A generator expression or a template string is one argument without parentheses of its own.
        return 1;
    }
    let mut cursor = arguments.walk();
    let count = arguments.named_children(&mut cursor).filter(|child| !child.is_extra()).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Extracts a macro call.
pub(super) fn expansion(source: &str, call: Node<'_>, callee: Node<'_>) -> RawCall {
    let callee_text = strip_generics(text(source, callee));
    RawCall {
        at: call.start_byte(),
        name: names::last_segment(&callee_text).to_owned(),
        callee: callee_text,
        form: CallForm::Macro,
        receiver: Receiver::None,
        arguments: None,
        line: line(callee),
    }
}

/// Finds calls in token trees that the grammar does not parse, as in Rust macros: a name directly before parentheses.
pub(super) fn in_tokens(spec: &LanguageSpec, source: &str, tokens: Node<'_>) -> Vec<RawCall> {
    let mut found = Vec::new();
    let mut trees = vec![tokens];
    while let Some(tree) = trees.pop() {
        let mut cursor = tree.walk();
        let children: Vec<Node<'_>> = tree.children(&mut cursor).collect();
        for (at, child) in children.iter().enumerate() {
            if child.kind() != "token_tree" && child.kind() != "token_repetition" {
                continue;
            }
            trees.push(*child);
            if child.kind() == "token_tree" {
                found.extend(token_call(spec, source, &children, at, locals::MAX_CHAIN));
            }
        }
    }
    found.sort_by_key(|call| call.at);
    found
}

/// Extracts the call whose arguments are the token tree at `at`; `None` if there is no call.
///
/// `left` is the number of preceding calls in a chain that may still be examined.
fn token_call(spec: &LanguageSpec, source: &str, tokens: &[Node<'_>], at: usize, left: usize) -> Option<RawCall> {
    let kind = |at: usize| tokens.get(at).map_or("", |token| token.kind());
    let word = |at: usize| tokens.get(at).map_or("", |token| text(source, *token));
    let is_name =
        |at: usize| matches!(kind(at), "identifier" | "self" | "super" | "crate" | "primitive_type" | "metavariable");
    let mut name_at = at.checked_sub(1)?;
    if kind(name_at) == "!" && name_at > 0 && kind(name_at - 1) == "identifier" {
        return Some(expansion(source, tokens[name_at - 1], tokens[name_at - 1]));
    }
    if !word(at).starts_with('(') {
        return None;
    }
    if kind(name_at) == ">" {
        name_at = before_generics(tokens, name_at)?;
    }
    if kind(name_at) != "identifier" || (name_at > 0 && matches!(kind(name_at - 1), "fn" | "'")) {
        return None;
    }
    let mut segments = vec![word(name_at)];
    let mut separators = Vec::new();
    let mut first = name_at;
    let mut opaque = None;
    while first >= 1 && matches!(kind(first - 1), "." | "::") {
        separators.push(kind(first - 1));
        if first >= 2 && is_name(first - 2) {
            segments.push(word(first - 2));
            first -= 2;
        } else {
            segments.push("_");
            opaque = first.checked_sub(2);
            break;
        }
    }
    let is_method_of = |opaque: &usize| segments.len() == 2 && kind(opaque + 1) == ".";
    let value =
        opaque.filter(is_method_of).map_or(ValueType::Unknown, |end| token_value(spec, source, tokens, end, left));
    segments.reverse();
    separators.reverse();
    let mut callee = String::new();
    for (index, segment) in segments.iter().enumerate() {
        callee.push_str(segment);
        callee.push_str(separators.get(index).unwrap_or(&""));
    }
    let name = word(name_at);
    if segments.len() == 1 && spec.builtins.contains(&name) {
        return None;
    }
    let (form, receiver) = match (separators.last(), segments.as_slice()) {
        (None, _) => (CallForm::Free, Receiver::None),
        (Some(&"::"), _) => path_form(spec, &callee),
        (_, ["_", ..]) => (CallForm::Method, Receiver::Value(value)),
        (_, [root, _]) if spec.selves.contains(root) => (CallForm::Method, Receiver::Own),
        (_, [root, _]) => (CallForm::Method, Receiver::Name((*root).to_owned())),
        (_, [root, ..]) => (CallForm::Method, Receiver::Root((*root).to_owned())),
        (_, []) => return None,
    };
    Some(RawCall {
        at: tokens[name_at].start_byte(),
        name: name.to_owned(),
        callee,
        form,
        receiver,
        arguments: Some(count_tokens(source, tokens[at])),
        line: line(tokens[name_at]),
    })
}

/// Returns the value type of the call that ends at token `end`, if there is one: `b.c()?` in `b.c()?.d()`.
fn token_value(spec: &LanguageSpec, source: &str, tokens: &[Node<'_>], end: usize, left: usize) -> ValueType {
    let marks = tokens[..=end].iter().rev().take(MAX_GENERICS).take_while(|token| token.kind() == "?").count();
    let end = end.saturating_sub(marks);
    let call = match left.checked_sub(1) {
        Some(left) if end > 0 && tokens[end].kind() == "token_tree" => token_call(spec, source, tokens, end, left),
        _ => None,
    };
    let Some(call) = call.filter(|call| call.form != CallForm::Macro) else { return ValueType::Unknown };
    let receiver = match &call.receiver {
        Receiver::Value(known) => Some(known.clone()),
        Receiver::Name(name) => Some(ValueType::Same(name.clone())),
        Receiver::Own if call.form == CallForm::Method => Some(ValueType::Owner),
        _ => None,
    };
    if let Some(receiver) = &receiver
        && spec.transparent_methods.contains(&call.name.as_str())
    {
        return receiver.clone();
    }
    if let Some(made) = (spec.constructor)(&call.callee, "", "") {
        return ValueType::Type(made);
    }
    let through = receiver.filter(|_| call.callee.starts_with('_'));
    match through {
        Some(receiver) => locals::method_of(&receiver, &call.name).map_or(ValueType::Unknown, ValueType::Call),
        None if call.callee.starts_with('_') => ValueType::Unknown,
        None => ValueType::Call(call.callee),
    }
}

/// Largest number of tokens in generic arguments, which bounds the search in a token tree.
const MAX_GENERICS: usize = 100;

/// Returns the position of the name before `::<..>` that closes at `at`.
fn before_generics(tokens: &[Node<'_>], at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for index in (at.saturating_sub(MAX_GENERICS)..=at).rev() {
        match tokens[index].kind() {
            ">" => depth += 1,
            "<" => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return index.checked_sub(2).filter(|_| tokens[index - 1].kind() == "::");
        }
    }
    None
}

/// Counts the arguments of a token tree by its commas.
fn count_tokens(source: &str, tree: Node<'_>) -> u32 {
    let mut cursor = tree.walk();
    let children: Vec<Node<'_>> = tree.children(&mut cursor).collect();
    let inside = children.get(1..children.len().saturating_sub(1)).unwrap_or(&[]);
    let commas = inside.iter().filter(|token| text(source, **token) == ",").count();
    let trailing = inside.last().is_some_and(|token| text(source, *token) == ",");
    let count = if inside.is_empty() { 0 } else { commas + 1 - usize::from(trailing) };
    u32::try_from(count).unwrap_or(u32::MAX)
}
