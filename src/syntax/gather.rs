//! One run of the query, its matches turned into plain records in no order. Refuses to know what stands
//! inside what; `extract` finds that out.

use std::collections::HashMap;
use std::ops::Range;

use tree_sitter::{Node, QueryCursor, QueryMatch, StreamingIterator, Tree};

use super::calls::{self, RawCall, text};
use super::comments::{self, Lead, LeadSort};
use super::imports::{self, Gathering, RawImport};
use super::language::Row;
use super::locals::{self, Known};
use super::names::{collapse, strip_generics, type_name};
use super::parsed::Kind;
use super::query::{Compiled, DETAILS, Detail, Meaning, Root};

/// A definition as it was matched.
#[derive(Debug, Clone)]
pub(super) struct RawDefinition<'t> {
    pub kind: Kind,
    /// Members do not nest inside it.
    pub is_alias: bool,
    /// A method of an object that may have no name, which counts only inside another definition.
    pub is_inside: bool,
    pub node: Node<'t>,
    /// Scope as written in front of the name, `A::B` of `A::B::m`.
    pub prefix: Option<String>,
    pub name: String,
    /// Where the name stands.
    pub name_at: usize,
    pub owner: Option<String>,
    pub parameters: Option<Node<'t>>,
    pub result: Option<String>,
    pub body: Option<Node<'t>>,
}

/// An extent that lends a scope and is no definition.
#[derive(Debug, Clone)]
pub(super) struct RawScope {
    pub range: Range<usize>,
    pub owner: String,
    /// The trait that is implemented, as written and without generics.
    pub implements: Option<(String, String)>,
}

/// A binding of local names, not yet placed in its function.
#[derive(Debug, Clone)]
pub(super) struct RawBinding {
    /// Where it stands.
    pub at: usize,
    /// From where on it is seen, the end of the declaration; `None` for all of the block.
    pub from: Option<usize>,
    pub name: String,
    pub known: Known,
}

/// A field or base of the definition around it.
#[derive(Debug, Clone)]
pub(super) enum RawMember {
    Base(String),
    /// Name and type as written.
    Field(String, String),
    /// A field assigned in a method: the type is what is known of the value.
    Assigned(String, Known),
}

/// An outer node that belongs to a definition.
#[derive(Debug, Clone)]
pub(super) struct Wrapper {
    pub id: usize,
    pub range: Range<usize>,
    /// Part of the signature too.
    pub signs: bool,
}

/// Everything matched.
#[derive(Default)]
pub(super) struct Gathered<'t> {
    pub definitions: Vec<RawDefinition<'t>>,
    pub scopes: Vec<RawScope>,
    pub blocks: Vec<Range<usize>>,
    pub bindings: Vec<RawBinding>,
    pub calls: Vec<RawCall>,
    pub imports: Vec<RawImport>,
    pub members: Vec<(usize, RawMember)>,
    pub leads: Vec<Lead>,
    pub docstrings: Vec<Range<usize>>,
    /// By the id of the node inside.
    pub wrappers: HashMap<usize, Wrapper>,
}

/// A pattern may be open at many places at once in deep trees; past this many the oldest are dropped, which
/// loses a fact and keeps time and memory in bounds.
const MATCH_LIMIT: u32 = 4096;

/// The parts of one match.
struct Parts<'t> {
    node: Node<'t>,
    details: [Option<Node<'t>>; DETAILS],
}

impl<'t> Parts<'t> {
    /// The captured detail.
    fn get(&self, detail: Detail) -> Option<Node<'t>> {
        self.details[detail as usize]
    }

    /// The captured detail or the first of the root's fields that is there.
    fn or_field(&self, detail: Detail, fields: &[&str]) -> Option<Node<'t>> {
        self.get(detail).or_else(|| first_field(self.node, fields))
    }
}

fn first_field<'t>(node: Node<'t>, fields: &[&str]) -> Option<Node<'t>> {
    fields.iter().find_map(|field| node.child_by_field_name(field))
}

/// Runs the query over the whole tree.
pub(super) fn gather<'t>(compiled: &Compiled, source: &str, tree: &'t Tree) -> Gathered<'t> {
    let mut gathered = Gathered::default();
    let mut cursor = QueryCursor::new();
    cursor.set_match_limit(MATCH_LIMIT);
    let mut matches = cursor.matches(&compiled.query, tree.root_node(), source.as_bytes());
    while let Some(found) = matches.next() {
        take(&mut gathered, compiled, source, found);
    }
    gathered.leads.sort_by_key(|lead| lead.range.start);
    gathered.leads.dedup_by_key(|lead| lead.range.start);
    gathered
}

fn take<'t>(into: &mut Gathered<'t>, compiled: &Compiled, source: &str, found: &QueryMatch<'_, 't>) {
    let row = compiled.row;
    let mut root = None;
    let mut details = [None; DETAILS];
    for capture in found.captures() {
        match compiled.meanings[capture.index as usize] {
            Meaning::Root(meaning) => root = Some((meaning, capture.node)),
            Meaning::Detail(detail) => details[detail as usize] = Some(capture.node),
            Meaning::Predicate => {}
        }
    }
    let Some((root, node)) = root else { return };
    let parts = Parts { node, details };
    let settings = &compiled.settings[found.pattern_index];
    match root {
        Root::Function => define(into, row, source, &parts, Kind::Function, settings.name.as_deref()),
        Root::Type | Root::Alias => define(into, row, source, &parts, Kind::Type, settings.name.as_deref()),
        Root::Module => define(into, row, source, &parts, Kind::Module, settings.name.as_deref()),
        Root::Constant => define(into, row, source, &parts, Kind::Constant, settings.name.as_deref()),
        Root::Macro => define(into, row, source, &parts, Kind::Macro, settings.name.as_deref()),
        Root::Scope => into.scopes.extend(scope(source, &parts)),
        Root::Wrapper | Root::Decorated => {
            if let Some(wrapped) = parts.get(Detail::Wrapped) {
                let wrapper = Wrapper { id: node.id(), range: node.byte_range(), signs: root == Root::Wrapper };
                into.wrappers.insert(wrapped.id(), wrapper);
            }
        }
        Root::Comment => into.leads.push(comments::lead(source, node.byte_range(), row)),
        Root::Attribute => into.leads.push(Lead { range: node.byte_range(), sort: LeadSort::Attribute }),
        Root::Docstring => into.docstrings.push(node.byte_range()),
        Root::Base => into.members.push((node.start_byte(), RawMember::Base(collapse(text(source, node))))),
        Root::Field => field(into, row, source, &parts),
        Root::Call => {
            let callee = parts.get(Detail::Callee);
            let arguments = parts.or_field(Detail::Arguments, &["arguments"]);
            into.calls.extend(calls::read(row, source, node, callee, arguments));
        }
        Root::Expansion => {
            into.calls.extend(parts.get(Detail::Callee).map(|callee| calls::expansion(source, node, callee)));
        }
        Root::Tokens => into.calls.extend(calls::in_tokens(row, source, node)),
        Root::Block => into.blocks.push(node.byte_range()),
        Root::Bind => bind(into, row, source, &parts, settings.early),
        Root::Import => {
            let of = |detail| parts.get(detail).map(|node| imports::unquoted(text(source, node)).to_owned());
            into.imports.extend(imports::plain(
                node,
                of(Detail::Target),
                of(Detail::Name).or_else(|| settings.name.clone()),
                of(Detail::Alias),
                parts.get(Detail::Glob).is_some(),
                settings.reexport,
                parts.get(Detail::Alias).or(parts.get(Detail::Name)).map(|node| node.start_byte()),
            ));
        }
        Root::Use => (row.use_tree)(&mut Gathering { source, imports: &mut into.imports }, node),
    }
    if root == Root::Alias
        && let Some(last) = into.definitions.last_mut()
    {
        last.is_alias = true;
    }
    if settings.inside
        && let Some(last) = into.definitions.last_mut()
    {
        last.is_inside = true;
    }
}

/// The end of a chain of C declarators.
#[derive(Default)]
struct Declared<'t> {
    name: Option<Node<'t>>,
    parameters: Option<Node<'t>>,
    /// The stars and ampersands in front.
    marks: String,
}

/// Follows declarators to the name: `*f(int a)` declares `f`.
fn declared(declarator: Node<'_>) -> Declared<'_> {
    let mut found = Declared::default();
    let mut at = declarator;
    loop {
        match at.kind() {
            "function_declarator" => found.parameters = at.child_by_field_name("parameters"),
            "pointer_declarator" if found.parameters.is_none() => found.marks.push('*'),
            "reference_declarator" if found.parameters.is_none() => found.marks.push('&'),
            "operator_cast" => {
                found.name = Some(at);
                return found;
            }
            _ => {}
        }
        let next = at.child_by_field_name("declarator").or_else(|| {
            if !at.kind().ends_with("_declarator") {
                return None;
            }
            let count = u32::try_from(at.named_child_count()).unwrap_or(0);
            (0..count).filter_map(|index| at.named_child(index)).find(|child| {
                child.kind().ends_with("declarator")
                    || child.kind().ends_with("identifier")
                    || child.kind() == "operator_name"
            })
        });
        match next {
            Some(next) => at = next,
            None => {
                found.name = (!at.kind().ends_with("_declarator")).then_some(at);
                return found;
            }
        }
    }
}

fn define<'t>(into: &mut Gathered<'t>, row: &Row, source: &str, parts: &Parts<'t>, kind: Kind, set_name: Option<&str>) {
    let declared = parts.get(Detail::Declarator).map(declared).unwrap_or_default();
    let name_node = parts.get(Detail::Name).or(declared.name).or_else(|| match set_name {
        Some(_) => None,
        None => parts.node.child_by_field_name("name"),
    });
    let written = match (name_node, set_name) {
        (Some(node), _) => definition_name(row, source, node),
        (None, Some(name)) => name.to_owned(),
        (None, None) => return,
    };
    let (prefix, name) = split_name(row, &written);
    if name.is_empty() || name == "_" {
        return;
    }
    let owner = parts.get(Detail::Owner).and_then(|owner| type_name(text(source, owner), row.pointers));
    // `const f = () => ..`: what is called is the value.
    let value = first_field(parts.node, &["value", "right"]).filter(|_| kind == Kind::Function);
    let callable = value.unwrap_or(parts.node);
    let or_field = |detail, fields: &[&str]| parts.get(detail).or_else(|| first_field(callable, fields));
    let result = or_field(Detail::Return, &["return_type", "result"]).map(|result| {
        let written = collapse(text(source, result));
        let written = written.strip_prefix(':').map_or(written.as_str(), str::trim);
        format!("{written}{}{}", if declared.marks.is_empty() { "" } else { " " }, declared.marks)
    });
    into.definitions.push(RawDefinition {
        kind,
        is_alias: false,
        is_inside: false,
        node: parts.node,
        prefix,
        name,
        name_at: name_node.map_or(parts.node.start_byte(), |node| node.start_byte()),
        owner,
        parameters: declared.parameters.or_else(|| or_field(Detail::Parameters, &["parameters", "parameter"])),
        result,
        body: or_field(Detail::Body, &["body", "value", "right"]),
    });
}

/// The name as written: a path, a chain of members, an operator, a quoted key.
fn definition_name(row: &Row, source: &str, node: Node<'_>) -> String {
    if row.members.iter().any(|(kind, ..)| *kind == node.kind()) {
        return calls::chain(row, source, node).text();
    }
    let written = text(source, node);
    if written.contains("operator") && row.overloads {
        // The parameters of a conversion operator are no part of its name, the call operator's parentheses are.
        let end = written.find("operator()").map_or_else(|| written.find('('), |at| Some(at + "operator()".len()));
        return collapse(&written[..end.unwrap_or(written.len())]);
    }
    imports::unquoted(&strip_generics(written)).to_owned()
}

/// Scopes in front of the name, and the name. What JavaScript assigns to is `exports.f` or `T.prototype.f`.
fn split_name(row: &Row, written: &str) -> (Option<String>, String) {
    const SILENT: [&str; 4] = ["prototype", "exports", "module", "this"];
    if row.separator.is_empty() {
        return (None, written.to_owned());
    }
    let split = match written.find("operator") {
        Some(at) if row.overloads => written[..at].strip_suffix(row.separator).map(|prefix| (prefix, &written[at..])),
        _ => written.rsplit_once(row.separator),
    };
    let Some((prefix, name)) = split else { return (None, written.to_owned()) };
    let kept: Vec<&str> =
        prefix.split(row.separator).filter(|part| !SILENT.contains(part) && !part.is_empty()).collect();
    ((!kept.is_empty()).then(|| kept.join(row.separator)), name.to_owned())
}

fn scope(source: &str, parts: &Parts<'_>) -> Option<RawScope> {
    let owner = parts.or_field(Detail::Owner, &["type"])?;
    let written = text(source, owner);
    let owner = type_name(written, &[]).unwrap_or_else(|| strip_generics(written));
    let implements = parts.or_field(Detail::Trait, &["trait"]).map(|node| {
        let written = text(source, node);
        (strip_generics(written), collapse(written))
    });
    Some(RawScope { range: parts.node.byte_range(), owner, implements })
}

fn field(into: &mut Gathered<'_>, row: &Row, source: &str, parts: &Parts<'_>) {
    let declared = parts.get(Detail::Declarator).map(declared).unwrap_or_default();
    let name = parts.get(Detail::Name).or(declared.name).or_else(|| match parts.get(Detail::Typed) {
        // A captured type alone is a field that has no name.
        Some(_) => None,
        None => parts.node.child_by_field_name("name"),
    });
    let typed = parts.or_field(Detail::Typed, &["type"]);
    let at = parts.node.start_byte();
    let member = match (name, typed) {
        (name, Some(typed)) => {
            let written = collapse(text(source, typed));
            let written = written.strip_prefix(':').map_or(written.as_str(), str::trim);
            // A tuple struct's fields have no names: they are counted when they meet their type.
            let name = name.map_or(String::new(), |name| text(source, name).to_owned());
            let space = if declared.marks.is_empty() { "" } else { " " };
            RawMember::Field(name, format!("{written}{space}{}", declared.marks))
        }
        (Some(name), None) => {
            let Some(value) = parts.or_field(Detail::Value, &["value", "right"]) else { return };
            RawMember::Assigned(text(source, name).to_owned(), locals::known(row, source, value))
        }
        (None, None) => return,
    };
    into.members.push((at, member));
}

fn bind(into: &mut Gathered<'_>, row: &Row, source: &str, parts: &Parts<'_>, early: bool) {
    let at = parts.node.start_byte();
    if let Some(pattern) = parts.get(Detail::Pattern) {
        // The value is read before its names are bound: `let (a, b) = a.f();`.
        let read = parts.or_field(Detail::Value, &["value", "right"]).map_or(0, |value| value.end_byte());
        for (name, from) in locals::pattern_names(source, pattern) {
            let from = (!early).then_some(from.max(read));
            into.bindings.push(RawBinding { at: pattern.start_byte().max(at), from, name, known: Known::Unknown });
        }
        return;
    }
    let declared = parts.get(Detail::Declarator).map(declared).unwrap_or_default();
    let Some(name) = parts.get(Detail::Name).or(declared.name) else { return };
    let typed = parts.or_field(Detail::Typed, &["type"]);
    let value = parts.or_field(Detail::Value, &["value", "right"]).and_then(|value| nth_value(parts.node, name, value));
    let known = if declared.parameters.is_some() {
        // A pointer to a function has the type of no object.
        Known::Unknown
    } else {
        locals::of_binding(row, source, typed, value)
    };
    // The value is read before the name is bound.
    let from = Some(value.map_or(name.end_byte(), |value| value.end_byte().max(name.end_byte())));
    into.bindings.push(RawBinding { at: name.start_byte(), from, name: text(source, name).to_owned(), known });
}

/// The value that belongs to one of several names: with as many values as names the one in its place, with a
/// single value the first name's, because the rest are errors and flags as a rule.
fn nth_value<'t>(binding: Node<'t>, name: Node<'_>, value: Node<'t>) -> Option<Node<'t>> {
    if value.kind() != "expression_list" {
        return Some(value);
    }
    let place = binding.child_by_field_name("left").map_or(0, |left| {
        let mut cursor = left.walk();
        left.named_children(&mut cursor).take_while(|child| child.start_byte() < name.start_byte()).count()
    });
    if value.named_child_count() == 1 && place > 0 {
        return None;
    }
    value.named_child(u32::try_from(place).ok()?)
}
