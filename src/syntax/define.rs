//! Turns matches with known positions into definitions: names, documentation, signature, and the text in which members
//! are replaced by their names.
//!
//! Invariant: the text of a container never contains a member's body.

use std::collections::HashSet;
use std::ops::Range;

use tree_sitter::Node;

use super::comments::{self, LeadSort};
use super::gather::{QueryMatches, RawDefinition, RawMember};
use super::language::LanguageSpec;
use super::layout::{Extent, Layout, NameUse, Placed};
use super::names::{collapse, last_segment, strip_generics};
use super::parsed::{Definition, DefinitionKind};
use super::shape::{self, Shaper};

impl Extent {
    /// Computes the extent of a match, with its wrappers and leads.
    pub(super) fn of(source: &str, gathered: &QueryMatches<'_>, raw: &RawDefinition<'_>) -> Extent {
        let mut range = raw.node.byte_range();
        let (mut signature, mut signs, mut id) = (range.start, true, raw.node.id());
        // Wrappers of wrappers: an exported declaration, a decorated class of a template.
        for _ in 0..4 {
            let Some(wrapper) = gathered.wrappers.get(&id) else { break };
            range = range.start.min(wrapper.range.start)..range.end.max(wrapper.range.end);
            signs &= wrapper.signs;
            if signs {
                signature = range.start;
            }
            id = wrapper.id;
        }
        // Some grammars count the line end in.
        let end = range.start + source.get(range.clone()).unwrap_or("").trim_end().len();
        let attached = comments::attached(source, &gathered.leads, range.start);
        Extent {
            outer: attached.start..end.max(range.start),
            text: attached.attributes.unwrap_or(range.start),
            signature,
            docs: attached.docs,
        }
    }
}

/// Returns the qualified name of a definition, and the type of which it is a method.
pub(super) fn qualify(
    layout: &Layout<'_, '_>,
    raw: &RawDefinition<'_>,
    parent: Option<usize>,
    scope: Option<usize>,
) -> (String, Option<String>) {
    let spec = layout.spec;
    let mut path = Vec::new();
    let mut owner = raw.owner.clone();
    if raw.owner.is_none() {
        // An alias or a constant's type is not a scope; the enclosing definition is.
        let lender = layout.ancestors(parent).find(|index| !layout.placed[*index].raw.is_alias);
        path.extend(lender.map(|index| layout.placed[index].qualified.clone()));
        if let Some(around) = lender.map(|index| &layout.placed[index])
            && matches!(around.raw.kind, DefinitionKind::Type | DefinitionKind::Constant)
        {
            owner = Some(around.raw.name.clone());
        }
    }
    path.extend(raw.owner.clone());
    if let Some(scope) = scope.map(|index| &layout.scopes[index]) {
        owner = Some(scope.owner.clone());
        path.push(match &scope.implements {
            Some((implemented, _)) => format!("<{} as {implemented}>", scope.owner),
            None => scope.owner.clone(),
        });
    }
    if let Some(prefix) = &raw.prefix {
        owner = Some(prefix.clone());
        path.push(prefix.clone());
    }
    let mut name = raw.name.clone();
    if spec.overloads
        && raw.kind == DefinitionKind::Function
        && let Some(parameters) = raw.parameters
    {
        name = format!("{name}({})", parameter_types(spec, layout.source, parameters).join(","));
    }
    let owner = owner.filter(|_| raw.kind == DefinitionKind::Function);
    if spec.separator.is_empty() {
        return (name, owner.filter(|_| raw.owner.is_some()));
    }
    path.push(name);
    (path.join(spec.separator), owner)
}

/// Returns parameter types as written, without names, defaults and modifiers.
fn parameter_types(spec: &LanguageSpec, source: &str, parameters: Node<'_>) -> Vec<String> {
    let mut cursor = parameters.walk();
    let children: Vec<Node<'_>> = parameters.named_children(&mut cursor).filter(|child| !child.is_extra()).collect();
    let types = children.iter().filter(|child| child.kind() != "receiver_parameter").map(|child| {
        let mut cut = Vec::new();
        let mut cursor = child.walk();
        for (index, part) in child.children(&mut cursor).enumerate() {
            let field = child.field_name_for_child(u32::try_from(index).unwrap_or(u32::MAX));
            match (part.kind(), field) {
                ("modifiers" | "variable_declarator", _) | (_, Some("name" | "default_value")) | ("=", _) => {
                    cut.push(part.byte_range());
                }
                (_, Some("declarator")) => cut.extend(declarator_name(part)),
                _ => {}
            }
        }
        let written = collapse(&without(source, child.byte_range(), &cut));
        let written =
            if spec.docs.contains(&"//") && spec.separator == "." { strip_generics(&written) } else { written };
        written.replace(" *", "*").replace(" &", "&").replace(", ", ",").replace(" [", "[").replace(" ...", "...")
    });
    types.filter(|written| written != "void").collect()
}

/// Returns the range of the name in a parameter's declarator.
fn declarator_name(declarator: Node<'_>) -> Option<Range<usize>> {
    let mut at = declarator;
    while !at.kind().ends_with("identifier") {
        let count = u32::try_from(at.named_child_count()).ok()?;
        let children = (0..count).filter_map(|index| at.named_child(index));
        at = children.into_iter().find(|child| {
            child.kind().ends_with("declarator") && !child.kind().starts_with("abstract")
                || child.kind().ends_with("identifier")
        })?;
    }
    Some(at.byte_range())
}

/// Returns a range of the source without some parts.
fn without(source: &str, range: Range<usize>, cut: &[Range<usize>]) -> String {
    let cuts = cut.iter().map(|cut| (cut.clone(), "")).collect();
    with_replaced(source, range, cuts)
}

/// Returns a range of the source with some parts replaced. If two parts overlap, both are removed and both replacements
/// are inserted.
fn with_replaced(source: &str, range: Range<usize>, mut replaced: Vec<(Range<usize>, &str)>) -> String {
    replaced.sort_by_key(|(cut, _)| (cut.start, cut.end));
    let mut out = String::with_capacity(range.len());
    let mut from = range.start;
    for (cut, with) in replaced {
        if cut.start >= range.end || cut.end < range.start {
            continue;
        }
        if cut.start < from && !out.is_empty() && !with.is_empty() {
            out.push(' ');
        }
        out.push_str(source.get(from..cut.start).unwrap_or(""));
        out.push_str(with);
        from = from.max(cut.end);
    }
    out.push_str(source.get(from..range.end).unwrap_or(""));
    out
}

/// Extends a comment to whole lines if it fills them alone, so that cutting it leaves no empty line.
fn whole_lines(source: &str, range: &Range<usize>) -> Range<usize> {
    if !comments::is_first_of_line(source, range.start) {
        return range.clone();
    }
    let rest = &source[range.end..];
    let line = rest.find('\n').map_or(rest, |end| &rest[..=end]);
    if !line.trim().is_empty() {
        return range.clone();
    }
    let start = source[..range.start].rfind('\n').map_or(0, |end| end + 1);
    start..range.end + line.len()
}

/// Builds all definitions in source order, before duplicates are merged.
pub(super) fn all(layout: &Layout<'_, '_>) -> Vec<Definition> {
    let children = children(layout);
    let inside: HashSet<usize> = layout.placed.iter().map(|placed| placed.raw.node.id()).collect();
    let shaper = Shaper::new(layout.spec.language, &inside);
    let lines = LineStarts::of(layout.source);
    let mut definitions: Vec<Definition> = layout
        .placed
        .iter()
        .enumerate()
        .map(|(index, placed)| one(layout, &shaper, &lines, index, placed, &children[index]))
        .collect();
    implemented(layout, &mut definitions);
    definitions
}

/// Returns the definitions directly inside each; the last entry is the file's.
fn children(layout: &Layout<'_, '_>) -> Vec<Vec<usize>> {
    let mut children = vec![Vec::new(); layout.placed.len() + 1];
    for (index, placed) in layout.placed.iter().enumerate() {
        children[placed.parent.unwrap_or(layout.placed.len())].push(index);
    }
    children
}

/// Builds one definition.
fn one(
    layout: &Layout<'_, '_>,
    shaper: &Shaper<'_>,
    lines: &LineStarts,
    index: usize,
    placed: &Placed<'_>,
    children: &[usize],
) -> Definition {
    let (source, spec, raw, extent) = (layout.source, layout.spec, &placed.raw, &placed.extent);
    let (fields, bases) = members(layout, index, placed);
    let range = extent.text..extent.outer.end;
    let mut docs: Vec<&str> = extent.docs.iter().map(|doc| &source[doc.clone()]).collect();
    let is_comment = |range: &&Range<usize>| is_inner_comment(layout, range);
    docs.extend(placed.docstrings.iter().filter(is_comment).map(|range| &source[range.clone()]));
    let mut doc = comments::clean(docs, spec);
    for literal in placed.docstrings.iter().filter(|range| !is_comment(range)) {
        let said = comments::clean_docstring(&source[literal.clone()]);
        doc = if doc.is_empty() { said } else { format!("{doc}\n{said}") };
    }
    Definition {
        kind: raw.kind,
        name: raw.name.clone(),
        qualified: placed.qualified.clone(),
        owner: placed.owner.clone(),
        signature: signature(layout, extent, raw),
        return_type: raw.result.clone().filter(|result| !result.is_empty()),
        doc,
        shape: shape::truncated(shaper.shape(raw)),
        text: container(layout, range.clone(), extent.docs.iter().chain(&placed.docstrings), children),
        fields,
        bases,
        line: lines.at(range.start),
        end_line: lines.at(range.end.saturating_sub(1).max(range.start)),
    }
}

/// Returns whether documentation is a comment and not a string.
fn is_inner_comment(layout: &Layout<'_, '_>, range: &Range<usize>) -> bool {
    layout.spec.inner_docs.iter().any(|opening| layout.source[range.clone()].starts_with(opening))
}

/// Returns source without documentation, with members replaced by their names.
fn container<'a>(
    layout: &Layout<'_, '_>,
    range: Range<usize>,
    docs: impl Iterator<Item = &'a Range<usize>>,
    children: &[usize],
) -> String {
    let source = layout.source;
    let mut replaced: Vec<(Range<usize>, &str)> = docs.map(|doc| (whole_lines(source, doc), "")).collect();
    replaced.extend(children.iter().map(|child| {
        let placed = &layout.placed[*child];
        (placed.extent.outer.clone(), placed.raw.name.as_str())
    }));
    let text = with_replaced(source, range, replaced);
    text.trim().to_owned()
}

/// Returns the source from the start to the body, with white space collapsed, without comments and the mark that opens
/// the body.
fn signature(layout: &Layout<'_, '_>, extent: &Extent, raw: &RawDefinition<'_>) -> String {
    let end = raw.body.map_or(extent.outer.end, |body| body.start_byte().clamp(extent.signature, extent.outer.end));
    let leads = &layout.gathered.leads;
    let first = leads.partition_point(|lead| lead.range.start < extent.signature);
    let inside = leads[first..].iter().take_while(|lead| lead.range.start < end);
    let cut: Vec<Range<usize>> =
        inside.filter(|lead| lead.sort != LeadSort::Attribute).map(|lead| lead.range.clone()).collect();
    let signature = collapse(&without(layout.source, extent.signature..end, &cut));
    let mut signature = signature.as_str();
    if raw.kind == DefinitionKind::Type && raw.body.is_none() {
        // `typedef struct { .. } x` has its body inside.
        signature = signature.split('{').next().unwrap_or(signature);
    }
    loop {
        let shorter = signature.trim_end_matches(['{', ':', '=', ';', ',', ' ']);
        let shorter = shorter.strip_suffix("=>").unwrap_or(shorter);
        if shorter.len() == signature.len() {
            return signature.to_owned();
        }
        signature = shorter;
    }
}

/// Returns the fields and supertypes of a definition.
fn members(layout: &Layout<'_, '_>, index: usize, placed: &Placed<'_>) -> (Vec<(String, String)>, Vec<String>) {
    let (mut fields, mut bases) = (Vec::new(), Vec::new());
    let mut unnamed = 0_usize;
    for (at, member) in &placed.members {
        let found = match member {
            RawMember::Base(base) if placed.raw.kind == DefinitionKind::Type => {
                if !bases.contains(base) {
                    bases.push(base.clone());
                }
                continue;
            }
            RawMember::Field(name, typed) if name.is_empty() => {
                unnamed += 1;
                Some(((unnamed - 1).to_string(), typed.clone()))
            }
            RawMember::Field(name, typed) => Some((name.clone(), typed.clone())),
            RawMember::Assigned(name, known) => layout
                .resolve(known.clone(), NameUse { caller: Some(index), at: *at })
                .0
                .map(|typed| (name.clone(), typed)),
            RawMember::Base(_) => None,
        };
        let Some(found) = found else { continue };
        if matches!(placed.raw.kind, DefinitionKind::Type | DefinitionKind::Function) && !fields.contains(&found) {
            fields.push(found);
        }
    }
    (fields, bases)
}

/// Adds the traits that are implemented in the file to the bases of their type, if it is in the same file.
fn implemented(layout: &Layout<'_, '_>, definitions: &mut [Definition]) {
    for scope in &layout.scopes {
        let Some((_, written)) = &scope.implements else { continue };
        let name = last_segment(&scope.owner);
        let found = definitions
            .iter_mut()
            .find(|definition| definition.kind == DefinitionKind::Type && definition.name == name);
        if let Some(found) = found.filter(|found| !found.bases.contains(written)) {
            found.bases.push(written.clone());
        }
    }
}

/// Text and documentation of a file.
pub(super) struct FileText {
    pub text: String,
    pub doc: String,
}

/// Builds the text and documentation of the file as a container.
pub(super) fn file(layout: &Layout<'_, '_>) -> FileText {
    let (source, spec) = (layout.source, layout.spec);
    let children = children(layout).pop().unwrap_or_default();
    let comments: Vec<&Range<usize>> =
        layout.docstrings.iter().filter(|range| is_inner_comment(layout, range)).collect();
    let literal = layout.docstrings.iter().find(|range| !is_inner_comment(layout, range));
    let mut docs: Vec<Range<usize>> = comments.into_iter().cloned().collect();
    let mut doc = comments::clean(docs.iter().map(|range| &source[range.clone()]), spec);
    if let Some(literal) = literal {
        doc = comments::clean_docstring(&source[literal.clone()]);
        docs.push(literal.clone());
    }
    if doc.is_empty() {
        let documenting: HashSet<usize> =
            layout.placed.iter().flat_map(|placed| placed.extent.docs.iter().map(|doc| doc.start)).collect();
        let leads: Vec<_> = layout.gathered.leads.iter().filter(|lead| lead.sort != LeadSort::Inner).cloned().collect();
        docs = comments::opening(source, &leads, |start| documenting.contains(&start));
        doc = comments::clean(docs.iter().map(|range| &source[range.clone()]), spec);
    }
    let text = container(layout, 0..source.len(), docs.iter(), &children);
    FileText { text, doc }
}

/// Offsets of line ends, for converting offsets to lines.
struct LineStarts(Vec<usize>);

impl LineStarts {
    /// Collects the line ends of a source.
    fn of(source: &str) -> LineStarts {
        LineStarts(source.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect())
    }

    /// Returns the line of an offset, from 1.
    fn at(&self, offset: usize) -> u32 {
        u32::try_from(self.0.partition_point(|end| *end < offset) + 1).unwrap_or(u32::MAX)
    }
}
