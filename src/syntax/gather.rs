//! Runs the query once and turns its matches into plain records, in no order. What is nested in what is found by
//! `extract`.

use std::collections::HashMap;
use std::ops::Range;

use tree_sitter::{Node, QueryCursor, QueryMatch, StreamingIterator, Tree};

use super::calls::{self, RawCall, text};
use super::comments::{self, Lead, LeadSort};
use super::imports::{self, ImportCollector, RawImport};
use super::language::LanguageSpec;
use super::locals::{self, ValueType};
use super::names::{collapse, strip_generics, type_name};
use super::parsed::DefinitionKind;
use super::query::{CaptureMeaning, Compiled, DETAILS, Detail, Root};

/// A definition as matched.
#[derive(Debug, Clone)]
pub(super) struct RawDefinition<'t> {
    pub kind: DefinitionKind,
    /// Whether its name is not a scope for its members.
    pub is_alias: bool,
    /// Whether it is a method of a possibly anonymous object, which counts only inside another definition.
    pub is_inside: bool,
    pub node: Node<'t>,
    /// Scope written before the name, `A::B` of `A::B::m`.
    pub prefix: Option<String>,
    pub name: String,
    /// Offset of the name.
    pub name_at: usize,
    pub owner: Option<String>,
    pub parameters: Option<Node<'t>>,
    pub result: Option<String>,
    pub body: Option<Node<'t>>,
}

/// A range that is a scope but not a definition, such as `impl`.
#[derive(Debug, Clone)]
pub(super) struct RawScope {
    pub range: Range<usize>,
    pub owner: String,
    /// The implemented trait, without generics and as written.
    pub implements: Option<(String, String)>,
}

/// A binding of a local name, not assigned to its function yet.
#[derive(Debug, Clone)]
pub(super) struct RawBinding {
    /// Offset of the binding.
    pub at: usize,
    /// Offset from which the name is visible, the end of the declaration; `None` for the whole block.
    pub from: Option<usize>,
    pub name: String,
    pub known: ValueType,
}

/// A field or base of the enclosing definition.
#[derive(Debug, Clone)]
pub(super) enum RawMember {
    Base(String),
    /// Name and type, as written.
    Field(String, String),
    /// A field assigned in a method, with what the text shows of the value's type.
    Assigned(String, ValueType),
}

/// An outer node that belongs to a definition.
#[derive(Debug, Clone)]
pub(super) struct Wrapper {
    pub id: usize,
    pub range: Range<usize>,
    /// Whether it is part of the signature.
    pub signs: bool,
}

/// All matches of a source, by what they are.
#[derive(Default)]
pub(super) struct QueryMatches<'t> {
    pub definitions: Vec<RawDefinition<'t>>,
    pub scopes: Vec<RawScope>,
    pub blocks: Vec<Range<usize>>,
    pub bindings: Vec<RawBinding>,
    pub calls: Vec<RawCall>,
    pub imports: Vec<RawImport>,
    pub members: Vec<(usize, RawMember)>,
    pub leads: Vec<Lead>,
    pub docstrings: Vec<Range<usize>>,
    /// Wrappers, by the id of the node inside.
    pub wrappers: HashMap<usize, Wrapper>,
}

/// Limit of simultaneously open matches.
///
/// In deep trees a pattern may be open at many places at once. Beyond the limit the oldest are dropped, which loses
/// facts but bounds time and memory.
const MATCH_LIMIT: u32 = 4096;

/// The captures of one match.
struct MatchParts<'t> {
    node: Node<'t>,
    details: [Option<Node<'t>>; DETAILS],
}

impl<'t> MatchParts<'t> {
    /// Returns a captured detail.
    fn get(&self, detail: Detail) -> Option<Node<'t>> {
        self.details[detail as usize]
    }

    /// Returns a captured detail, or the first of these fields of the root that exists.
    fn or_field(&self, detail: Detail, fields: &[&str]) -> Option<Node<'t>> {
        self.get(detail).or_else(|| first_field(self.node, fields))
    }
}

/// Returns the first of these fields that exists.
fn first_field<'t>(node: Node<'t>, fields: &[&str]) -> Option<Node<'t>> {
    fields.iter().find_map(|field| node.child_by_field_name(field))
}

/// Runs the query over the whole tree.
pub(super) fn gather<'t>(compiled: &Compiled, source: &str, tree: &'t Tree) -> QueryMatches<'t> {
    let mut gathered = QueryMatches::default();
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

/// Stores one match.
fn take<'t>(into: &mut QueryMatches<'t>, compiled: &Compiled, source: &str, found: &QueryMatch<'_, 't>) {
    let spec = compiled.spec;
    let mut root = None;
    let mut details = [None; DETAILS];
    for capture in found.captures() {
        match compiled.meanings[capture.index as usize] {
            CaptureMeaning::Root(meaning) => root = Some((meaning, capture.node)),
            CaptureMeaning::Detail(detail) => details[detail as usize] = Some(capture.node),
            CaptureMeaning::Predicate => {}
        }
    }
    let Some((root, node)) = root else { return };
    let parts = MatchParts { node, details };
    let settings = &compiled.settings[found.pattern_index];
    match root {
        Root::Function => define(into, spec, source, &parts, DefinitionKind::Function, settings.name.as_deref()),
        Root::Type | Root::Alias => define(into, spec, source, &parts, DefinitionKind::Type, settings.name.as_deref()),
        Root::Module => define(into, spec, source, &parts, DefinitionKind::Module, settings.name.as_deref()),
        Root::Constant => define(into, spec, source, &parts, DefinitionKind::Constant, settings.name.as_deref()),
        Root::Macro => define(into, spec, source, &parts, DefinitionKind::Macro, settings.name.as_deref()),
        Root::Scope => into.scopes.extend(scope(source, &parts)),
        Root::Wrapper | Root::Decorated => {
            if let Some(wrapped) = parts.get(Detail::Wrapped) {
                let wrapper = Wrapper { id: node.id(), range: node.byte_range(), signs: root == Root::Wrapper };
                into.wrappers.insert(wrapped.id(), wrapper);
            }
        }
        Root::Comment => into.leads.push(comments::lead(source, node.byte_range(), spec)),
        Root::Attribute => into.leads.push(Lead { range: node.byte_range(), sort: LeadSort::Attribute }),
        Root::Docstring => into.docstrings.push(node.byte_range()),
        Root::Base => into.members.push((node.start_byte(), RawMember::Base(collapse(text(source, node))))),
        Root::Field => field(into, spec, source, &parts),
        Root::Call => {
            let callee = parts.get(Detail::Callee);
            let arguments = parts.or_field(Detail::Arguments, &["arguments"]);
            into.calls.extend(calls::read(spec, source, node, callee, arguments));
        }
        Root::Expansion => {
            into.calls.extend(parts.get(Detail::Callee).map(|callee| calls::expansion(source, node, callee)));
        }
        Root::Tokens => into.calls.extend(calls::in_tokens(spec, source, node)),
        Root::Block => into.blocks.push(node.byte_range()),
        Root::Bind => bind(into, spec, source, &parts, settings.early),
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
        Root::Use => (spec.use_tree)(&mut ImportCollector { source, imports: &mut into.imports }, node),
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
    /// The stars and ampersands before the name.
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

/// Stores a definition.
fn define<'t>(
    into: &mut QueryMatches<'t>,
    spec: &LanguageSpec,
    source: &str,
    parts: &MatchParts<'t>,
    kind: DefinitionKind,
    set_name: Option<&str>,
) {
    let declared = parts.get(Detail::Declarator).map(declared).unwrap_or_default();
    let name_node = parts.get(Detail::Name).or(declared.name).or_else(|| match set_name {
        Some(_) => None,
        None => parts.node.child_by_field_name("name"),
    });
    let written = match (name_node, set_name) {
        (Some(node), _) => definition_name(spec, source, node),
        (None, Some(name)) => name.to_owned(),
        (None, None) => return,
    };
    let (prefix, name) = split_name(spec, &written);
    if name.is_empty() || name == "_" {
        return;
    }
    let owner = parts.get(Detail::Owner).and_then(|owner| type_name(text(source, owner), spec.pointers));
    // `const f = () => ..`: what is called is the value.
    let value = first_field(parts.node, &["value", "right"]).filter(|_| kind == DefinitionKind::Function);
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

/// Returns the name as written: a path, a chain of members, an operator, a quoted key.
fn definition_name(spec: &LanguageSpec, source: &str, node: Node<'_>) -> String {
    if spec.members.iter().any(|(kind, ..)| *kind == node.kind()) {
        return calls::chain(spec, source, node).text();
    }
    let written = text(source, node);
    if written.contains("operator") && spec.overloads {
        // The name excludes the parameters of a conversion operator, but includes the parentheses of `operator()`.
        let end = written.find("operator()").map_or_else(|| written.find('('), |at| Some(at + "operator()".len()));
        return collapse(&written[..end.unwrap_or(written.len())]);
    }
    imports::unquoted(&strip_generics(written)).to_owned()
}

/// Splits a name into the scopes before it and the name. JavaScript assigns to `exports.f` or `T.prototype.f`.
fn split_name(spec: &LanguageSpec, written: &str) -> (Option<String>, String) {
    /// Parts that are not scopes.
    const SILENT: [&str; 4] = ["prototype", "exports", "module", "this"];
    if spec.separator.is_empty() {
        return (None, written.to_owned());
    }
    let split = match written.find("operator") {
        Some(at) if spec.overloads => written[..at].strip_suffix(spec.separator).map(|prefix| (prefix, &written[at..])),
        _ => written.rsplit_once(spec.separator),
    };
    let Some((prefix, name)) = split else { return (None, written.to_owned()) };
    let kept: Vec<&str> =
        prefix.split(spec.separator).filter(|part| !SILENT.contains(part) && !part.is_empty()).collect();
    ((!kept.is_empty()).then(|| kept.join(spec.separator)), name.to_owned())
}

/// Reads a scope.
fn scope(source: &str, parts: &MatchParts<'_>) -> Option<RawScope> {
    let owner = parts.or_field(Detail::Owner, &["type"])?;
    let written = text(source, owner);
    let owner = type_name(written, &[]).unwrap_or_else(|| strip_generics(written));
    let implements = parts.or_field(Detail::Trait, &["trait"]).map(|node| {
        let written = text(source, node);
        (strip_generics(written), collapse(written))
    });
    Some(RawScope { range: parts.node.byte_range(), owner, implements })
}

/// Stores a field.
fn field(into: &mut QueryMatches<'_>, spec: &LanguageSpec, source: &str, parts: &MatchParts<'_>) {
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
            RawMember::Assigned(text(source, name).to_owned(), locals::known(spec, source, value))
        }
        (None, None) => return,
    };
    into.members.push((at, member));
}

/// Stores the bindings of local names.
fn bind(into: &mut QueryMatches<'_>, spec: &LanguageSpec, source: &str, parts: &MatchParts<'_>, early: bool) {
    let at = parts.node.start_byte();
    if let Some(pattern) = parts.get(Detail::Pattern) {
        // The value is read before its names are bound: `let (a, b) = a.f();`.
        let read = parts.or_field(Detail::Value, &["value", "right"]).map_or(0, |value| value.end_byte());
        for (name, from) in locals::pattern_names(source, pattern) {
            let from = (!early).then_some(from.max(read));
            into.bindings.push(RawBinding { at: pattern.start_byte().max(at), from, name, known: ValueType::Unknown });
        }
        return;
    }
    let declared = parts.get(Detail::Declarator).map(declared).unwrap_or_default();
    let Some(name) = parts.get(Detail::Name).or(declared.name) else { return };
    let typed = parts.or_field(Detail::Typed, &["type"]);
    let value = parts.or_field(Detail::Value, &["value", "right"]).and_then(|value| nth_value(parts.node, name, value));
    let known = if declared.parameters.is_some() {
        // A pointer to a function has no object type.
        ValueType::Unknown
    } else {
        locals::of_binding(spec, source, typed, value)
    };
    // The value is read before the name is bound.
    let from = Some(value.map_or(name.end_byte(), |value| value.end_byte().max(name.end_byte())));
    into.bindings.push(RawBinding { at: name.start_byte(), from, name: text(source, name).to_owned(), known });
}

/// Returns the value that belongs to one of several names: with as many values as names the one in its position, with a
/// single value the first name's, because the others are usually errors and flags.
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
