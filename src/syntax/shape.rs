//! The shape of a definition: a normal form of its parameters, return type and statements, without names and literals.
//!
//! Invariant: the source text is never read, only node kinds, so renaming and reformatting cannot change a shape.

use std::collections::HashSet;
use std::fmt::Write;
use std::sync::OnceLock;

use tree_sitter::Node;

use super::gather::RawDefinition;
use super::language::Language;
use super::parsed::DefinitionKind;
use super::query::compiled;

/// Longest shape in bytes; a longer one ends in a hash of the whole.
const MAX_SHAPE: usize = 200;

/// Number of levels below a statement that are written; control flow is written at any depth.
const MAX_LEVELS: usize = 3;

/// How a kind of node appears in a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// Not written, nor its children: names, literals, comments.
    Silent,
    /// Not written, but its children are: braces, a statement around an expression.
    Transparent,
    /// Written if it has children, down to some levels.
    Plain,
    /// Always written: control flow.
    Control,
}

/// Computes the shapes of a file's definitions.
pub(super) struct Shaper<'a> {
    weights: &'static [(Weight, String)],
    /// Ids of the nodes of all definitions: a nested definition is written, not entered.
    inside: &'a HashSet<usize>,
}

impl<'a> Shaper<'a> {
    /// Creates a shaper for a file.
    pub(super) fn new(language: Language, inside: &'a HashSet<usize>) -> Shaper<'a> {
        Shaper { weights: weights(language), inside }
    }

    /// Returns the shape, at full length.
    pub(super) fn shape(&self, raw: &RawDefinition<'_>) -> String {
        let mut out = String::new();
        if let Some(parameters) = raw.parameters {
            self.parameters(&mut out, parameters);
        }
        if raw.result.is_some() {
            out.push_str("->");
        }
        match raw.body {
            Some(body) => self.statements(&mut out, body, false),
            // A function without a body ends here; a type without one, such as an alias, may still have content.
            None if raw.kind == DefinitionKind::Function => {}
            None => self.statements(&mut out, raw.node, true),
        }
        out
    }

    /// Returns weight and short name of a node's kind.
    fn of(&self, node: Node<'_>) -> (Weight, &str) {
        match self.weights.get(usize::from(node.kind_id())) {
            Some((weight, short)) => (*weight, short),
            // Error nodes have a kind outside the grammar's table.
            None => (Weight::Transparent, ""),
        }
    }

    /// Writes the shape of parameters.
    fn parameters(&self, out: &mut String, parameters: Node<'_>) {
        out.push('(');
        let mut cursor = parameters.walk();
        let mut children: Vec<Node<'_>> =
            parameters.named_children(&mut cursor).filter(|child| !child.is_extra()).collect();
        if children.is_empty() && parameters.kind().ends_with("identifier") {
            children.push(parameters);
        }
        for (index, child) in children.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            if child.kind().contains("self") {
                out.push_str("self");
                continue;
            }
            let Some(typed) = child.child_by_field_name("type") else {
                out.push_str(if child.kind().ends_with("identifier") { "_" } else { self.of(*child).1 });
                continue;
            };
            // Go writes `a, b int`: one type, two parameters.
            let mut cursor = child.walk();
            let names = child.children_by_field_name("name", &mut cursor).count().max(1);
            let mut shape = String::new();
            self.type_shape(&mut shape, typed, 2);
            if let Some(declarator) = child.child_by_field_name("declarator") {
                self.type_shape(&mut shape, declarator, 2);
            }
            if child.child_by_field_name("value").or(child.child_by_field_name("default_value")).is_some() {
                shape.push('=');
            }
            out.push_str(&vec![shape; names].join(","));
        }
        out.push(')');
    }

    /// Writes the shape of a type: `generic(path)`, `reference(path)`. `levels` bounds the depth.
    fn type_shape(&self, out: &mut String, node: Node<'_>, levels: usize) {
        let kind = node.kind();
        if node.named_child_count() == 0
            || kind.starts_with("scoped")
            || kind.starts_with("qualified")
            || kind.ends_with("identifier")
        {
            out.push_str(if kind.ends_with("declarator") { "*" } else { "p" });
            return;
        }
        if kind == "type_annotation" || kind == "type" {
            if let Some(inside) = node.named_child(0) {
                self.type_shape(out, inside, levels);
            }
            return;
        }
        out.push_str(self.of(node).1);
        if levels == 0 {
            return;
        }
        out.push('(');
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor).filter(|child| !child.is_extra() && child.kind() != "lifetime") {
            self.type_shape(out, child, levels - 1);
        }
        out.push(')');
    }

    /// Writes the shape of statements with a cursor. Each written node adds a level; control flow starts again at the
    /// first.
    fn statements(&self, out: &mut String, start: Node<'_>, skip_root: bool) {
        let mut cursor = start.walk();
        // For each open node: what to write when it closes, and the level outside it.
        let mut open: Vec<(&str, usize)> = Vec::new();
        let mut level = 0;
        let mut is_root = true;
        loop {
            let node = cursor.node();
            let (weight, short) = self.of(node);
            let nested = self.inside.contains(&node.id()) && !(is_root && skip_root);
            let (enter, close, next) = if is_root && (skip_root || weight == Weight::Silent) {
                (true, "", level)
            } else if nested {
                out.push_str("def ");
                (false, "", level)
            } else if !node.is_named() || node.is_extra() {
                (false, "", level)
            } else {
                match weight {
                    Weight::Silent => (false, "", level),
                    Weight::Transparent => (true, "", level),
                    Weight::Control => {
                        let _ = write!(out, "{short}{{");
                        (true, "}", 1)
                    }
                    Weight::Plain if node.named_child_count() == 0 => (false, "", level),
                    Weight::Plain if level < MAX_LEVELS => {
                        let _ = write!(out, "{short}(");
                        (true, ")", level + 1)
                    }
                    Weight::Plain => (true, "", level + 1),
                }
            };
            is_root = false;
            if enter && cursor.goto_first_child() {
                open.push((close, level));
                level = next;
                continue;
            }
            out.push_str(close);
            loop {
                if cursor.goto_next_sibling() {
                    break;
                }
                if !cursor.goto_parent() {
                    return;
                }
                if let Some((close, outside)) = open.pop() {
                    out.push_str(close);
                    level = outside;
                }
            }
        }
    }
}

/// Returns weight and short name by kind id, computed once for each language.
fn weights(language: Language) -> &'static [(Weight, String)] {
    static WEIGHTS: [OnceLock<Vec<(Weight, String)>>; Language::ALL.len()] =
        [const { OnceLock::new() }; Language::ALL.len()];
    WEIGHTS[language as usize].get_or_init(|| {
        let grammar = &compiled(language).grammar;
        let count = u16::try_from(grammar.node_kind_count()).unwrap_or(u16::MAX);
        let kinds = (0..count).map(|id| grammar.node_kind_for_id(id).unwrap_or(""));
        kinds.map(|kind| (weight(kind), short(kind))).collect()
    })
}

/// Returns the weight of a node kind.
fn weight(kind: &str) -> Weight {
    /// Endings of kinds that are not written.
    const SILENT: [&str; 9] =
        ["identifier", "literal", "string", "comment", "number", "label", "lifetime", "modifier", "specifier"];
    /// Kinds of which only the children are written.
    const THROUGH: [&str; 12] = [
        "block",
        "body",
        "statement_list",
        "statement_block",
        "compound_statement",
        "expression_statement",
        "declaration_list",
        "parenthesized_expression",
        "class_body",
        "else_clause",
        "expression_list",
        "condition_clause",
    ];
    /// Beginnings of kinds of control flow.
    const CONTROL: [&str; 34] = [
        "if_",
        "elif_",
        "for_",
        "enhanced_for",
        "while_",
        "loop_",
        "do_",
        "match_expression",
        "match_statement",
        "match_arm",
        "switch_",
        "expression_switch",
        "type_switch",
        "case_",
        "expression_case",
        "type_case",
        "default_case",
        "try_",
        "catch_",
        "except_",
        "finally_",
        "return_",
        "break_",
        "continue_",
        "throw_",
        "raise_",
        "yield",
        "defer_",
        "goto_",
        "go_statement",
        "select_",
        "await",
        "with_",
        "co_",
    ];
    if THROUGH.contains(&kind) {
        return Weight::Transparent;
    }
    if CONTROL.iter().any(|begin| kind.starts_with(begin)) && !kind.ends_with("pattern") {
        return Weight::Control;
    }
    if kind == "composite_literal" || kind.starts_with("struct_") || kind.ends_with("_expression") {
        return Weight::Plain;
    }
    if SILENT.iter().any(|end| kind.ends_with(end)) || kind.contains("literal") || kind.contains("string") {
        return Weight::Silent;
    }
    Weight::Plain
}

/// Returns the name of a node kind without uninformative suffixes.
fn short(kind: &str) -> String {
    let mut name = kind;
    for end in ["_expression", "_statement", "_declaration", "_item", "_clause", "_type", "_definition"] {
        name = name.strip_suffix(end).unwrap_or(name);
    }
    name.to_owned()
}

/// Truncates a shape to the limit: the beginning, and a hash of the whole.
pub(super) fn truncated(shape: String) -> String {
    let shape = shape.trim_end().to_owned();
    if shape.len() <= MAX_SHAPE {
        return shape;
    }
    let hash = format!("#{:016x}", fnv(shape.as_bytes()));
    let mut end = MAX_SHAPE - hash.len();
    while !shape.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{hash}", &shape[..end])
}

/// Returns the shape of merged definitions.
pub(super) fn joined(first: &str, next: &str) -> String {
    truncated(format!("{first}|{next}"))
}

/// Computes 64-bit FNV-1a, implemented here because a shape must not depend on the version of a library.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
