//! Parses a source: one run of the query (capture names are described in `query`), one sweep over the matches in source
//! order that finds what is nested in what, then names, texts and receivers.
//!
//! Nothing here recurses over the tree, because sources may nest to any depth.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::ops::Range;

use anyhow::{Context, Result};
use tree_sitter::Parser;

use super::calls::RawCall;
use super::comments::LeadSort;
use super::define;
use super::gather::{QueryMatches, RawDefinition, gather};
use super::language::{Language, LanguageSpec};
use super::layout::{Extent, Layout, Placed};
use super::locals::{Binding, Locals};
use super::merge;
use super::parsed::{Definition, DefinitionKind, Import, Parsed};
use super::query::compiled;

/// Parses one source. Bytes that are not UTF-8 become replacement characters; offsets and texts refer to the resulting
/// text.
///
/// # Errors
/// If the grammar gives no tree at all.
pub fn parse(language: Language, source: &[u8]) -> Result<Parsed> {
    let source = String::from_utf8_lossy(source);
    let compiled = compiled(language);
    let mut parser = Parser::new();
    parser.set_language(&compiled.grammar).context("a grammar of another tree-sitter version")?;
    let tree = parser.parse(source.as_bytes(), None).context("the grammar gave no tree")?;
    let gathered = gather(compiled, &source, &tree);
    let mut parsed = Layout::sweep(compiled.spec, &source, gathered).finish();
    parsed.partial = tree.root_node().has_error();
    Ok(parsed)
}

/// The events of the sweep, in the order in which events at the same offset are processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SweepStep {
    Scope(usize),
    Block(usize),
    Definition(usize),
    Docstring(usize),
    Inner(usize),
    Member(usize),
    Binding(usize),
    Import(usize),
    Call(usize),
}

/// An open definition, scope or block.
struct Frame {
    start: usize,
    end: usize,
    what: Inside,
}

/// The kind of an open frame.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Definition(usize),
    Scope(usize),
    Block,
}

impl<'s, 't> Layout<'s, 't> {
    /// Sweeps over the matches in source order.
    fn sweep(spec: &'static LanguageSpec, source: &'s str, mut gathered: QueryMatches<'t>) -> Self {
        let raws = std::mem::take(&mut gathered.definitions);
        let extents: Vec<Extent> = raws.iter().map(|raw| Extent::of(source, &gathered, raw)).collect();
        let items = items(&gathered, &raws, &extents);
        let mut raws: Vec<Option<(RawDefinition<'t>, Extent)>> = raws.into_iter().zip(extents).map(Some).collect();
        let mut raw_calls: Vec<Option<RawCall>> = std::mem::take(&mut gathered.calls).into_iter().map(Some).collect();
        let import_names: HashSet<usize> = gathered.imports.iter().filter_map(|import| import.alias_at).collect();
        let scopes = std::mem::take(&mut gathered.scopes);
        let mut layout = Layout {
            spec,
            source,
            placed: Vec::new(),
            scopes,
            gathered,
            docstrings: Vec::new(),
            locals: Vec::new(),
            file_locals: Locals::default(),
            calls: Vec::new(),
            imports: Vec::new(),
        };
        let mut stack: Vec<Frame> = Vec::new();
        // A constant that is an import, `const x = require("x")`, is not a definition.
        let mut named = import_names.clone();
        for (start, Reverse(end), item) in items {
            while stack.last().is_some_and(|frame| {
                frame.end <= start && !(frame.end == start && end == start && start == source.len())
            }) {
                stack.pop();
            }
            match item {
                SweepStep::Scope(index) => stack.push(Frame { start, end, what: Inside::Scope(index) }),
                SweepStep::Block(_) => stack.push(Frame { start, end, what: Inside::Block }),
                SweepStep::Definition(index) => {
                    let Some((raw, extent)) = raws[index].take() else { continue };
                    if let Some(placed) = layout.place(&stack, &mut named, raw, extent) {
                        stack.push(Frame { start, end, what: Inside::Definition(placed) });
                    }
                }
                SweepStep::Docstring(index) => {
                    let range = layout.gathered.docstrings[index].clone();
                    layout.docstrings_of(&stack).push(range);
                }
                SweepStep::Inner(index) => {
                    let range = layout.gathered.leads[index].range.clone();
                    layout.docstrings_of(&stack).push(range);
                }
                SweepStep::Member(index) => {
                    let member = layout.gathered.members[index].clone();
                    if let Some(around) = innermost(&stack) {
                        layout.placed[around].members.push(member);
                    }
                }
                SweepStep::Binding(index) => layout.bind(&stack, &named, &import_names, index),
                SweepStep::Import(index) => layout.import(&stack, index),
                SweepStep::Call(index) => {
                    if let Some(call) = raw_calls[index].take() {
                        layout.calls.push((innermost(&stack), call));
                    }
                }
            }
        }
        layout.locals.iter_mut().for_each(Locals::settle);
        layout.file_locals.settle();
        layout
    }

    /// Places a definition; `None` if it turns out not to be one.
    fn place(
        &mut self,
        stack: &[Frame],
        named: &mut HashSet<usize>,
        raw: RawDefinition<'t>,
        extent: Extent,
    ) -> Option<usize> {
        let around = stack.iter().rev().filter(|frame| frame.what != Inside::Block);
        // Two names of one declaration, `int a = 1, b = 2`, are not nested.
        let mut around = around.skip_while(|frame| match frame.what {
            Inside::Definition(index) => self.placed[index].extent.outer == extent.outer,
            _ => false,
        });
        let (mut parent, mut scope) = (None, None);
        match around.next().map(|frame| frame.what) {
            Some(Inside::Definition(index)) => parent = Some(index),
            Some(Inside::Scope(index)) => {
                scope = Some(index);
                parent = around.find_map(|frame| match frame.what {
                    Inside::Definition(index) => Some(index),
                    _ => None,
                });
            }
            _ => {}
        }
        let is_top = scope.is_none()
            && self.ancestors(parent).all(|index| self.placed[index].raw.kind == DefinitionKind::Module);
        // A type alias inside a function is local.
        let is_local_alias =
            raw.is_alias && parent.is_some_and(|index| self.placed[index].raw.kind == DefinitionKind::Function);
        // A method of an anonymous object outside any definition is part of the file's text.
        let is_nameless = raw.is_inside && parent.is_none();
        let is_left_out = (raw.kind == DefinitionKind::Constant && !is_top) || is_local_alias || is_nameless;
        if is_left_out || !named.insert(raw.name_at) {
            return None;
        }
        let (qualified, owner) = define::qualify(self, &raw, parent, scope);
        self.placed.push(Placed { raw, extent, parent, qualified, owner, docstrings: Vec::new(), members: Vec::new() });
        self.locals.push(Locals::default());
        Some(self.placed.len() - 1)
    }

    /// Returns the docstrings of the innermost definition, or of the file.
    fn docstrings_of(&mut self, stack: &[Frame]) -> &mut Vec<Range<usize>> {
        match innermost(stack) {
            Some(index) => &mut self.placed[index].docstrings,
            None => &mut self.docstrings,
        }
    }

    /// Adds a local binding to the enclosing function or file.
    fn bind(&mut self, stack: &[Frame], named: &HashSet<usize>, imported: &HashSet<usize>, index: usize) {
        let raw = self.gathered.bindings[index].clone();
        if imported.contains(&raw.at) {
            return;
        }
        let mut around = innermost(stack);
        if named.contains(&raw.at) {
            // The name of a definition is not a local, but a file's variable has the type of its value.
            let constant = around.filter(|index| self.placed[*index].raw.kind == DefinitionKind::Constant);
            let Some(constant) = constant else { return };
            around = self.placed[constant].parent;
        }
        let block = stack.iter().rev().take_while(|frame| !matches!(frame.what, Inside::Definition(_)));
        let block = block.into_iter().find(|frame| frame.what == Inside::Block);
        let (start, to) = block.map_or((0, usize::MAX), |block| (block.start, block.end));
        let binding = Binding { from: raw.from.unwrap_or(start), to, known: raw.known };
        match around {
            Some(index) => self.locals[index].bind(raw.name, binding),
            None => self.file_locals.bind(raw.name, binding),
        }
    }

    /// Adds an import with its scope.
    fn import(&mut self, stack: &[Frame], index: usize) {
        let raw = self.gathered.imports[index].clone();
        let scope =
            self.ancestors(innermost(stack)).find(|index| self.placed[*index].raw.kind != DefinitionKind::Constant);
        let scope = scope.map(|index| self.placed[index].qualified.clone());
        self.imports.push(Import {
            target: raw.target,
            name: raw.name,
            alias: raw.alias,
            reexport: raw.reexport,
            scope,
            line: raw.line,
        });
    }

    /// Builds the result.
    fn finish(mut self) -> Parsed {
        let file = define::file(&self);
        let definitions: Vec<Definition> = define::all(&self);
        let calls = std::mem::take(&mut self.calls);
        let calls = calls.into_iter().map(|(caller, call)| self.call(caller, call)).collect();
        let imports = std::mem::take(&mut self.imports);
        merge::merged(Parsed { definitions, calls, imports, text: file.text, doc: file.doc, partial: false })
    }
}

/// Returns the innermost open definition.
fn innermost(stack: &[Frame]) -> Option<usize> {
    stack.iter().rev().find_map(|frame| match frame.what {
        Inside::Definition(index) => Some(index),
        _ => None,
    })
}

/// Returns all events in source order, outer before inner ones.
fn items(
    gathered: &QueryMatches<'_>,
    raws: &[RawDefinition<'_>],
    extents: &[Extent],
) -> Vec<(usize, Reverse<usize>, SweepStep)> {
    let mut items = Vec::new();
    let point = |at: usize, item| (at, Reverse(at), item);
    items.extend(
        gathered.scopes.iter().enumerate().map(|(i, s)| (s.range.start, Reverse(s.range.end), SweepStep::Scope(i))),
    );
    items.extend(gathered.blocks.iter().enumerate().map(|(i, b)| (b.start, Reverse(b.end), SweepStep::Block(i))));
    items.extend(
        extents.iter().enumerate().map(|(i, e)| (e.outer.start, Reverse(e.outer.end), SweepStep::Definition(i))),
    );
    items.extend(gathered.docstrings.iter().enumerate().map(|(i, d)| point(d.start, SweepStep::Docstring(i))));
    let inner = gathered.leads.iter().enumerate().filter(|(_, lead)| lead.sort == LeadSort::Inner);
    items.extend(inner.map(|(i, lead)| point(lead.range.start, SweepStep::Inner(i))));
    items.extend(gathered.members.iter().enumerate().map(|(i, member)| point(member.0, SweepStep::Member(i))));
    items.extend(gathered.bindings.iter().enumerate().map(|(i, binding)| point(binding.at, SweepStep::Binding(i))));
    items.extend(gathered.imports.iter().enumerate().map(|(i, import)| point(import.at, SweepStep::Import(i))));
    items.extend(gathered.calls.iter().enumerate().map(|(i, call)| point(call.at, SweepStep::Call(i))));
    items.sort_by_key(|(start, end, item)| {
        // Of two definitions of one name the more specific kind is taken; see `place`.
        let kind = match item {
            SweepStep::Definition(index) => raws[*index].kind as u8,
            _ => 0,
        };
        (*start, *end, rank(*item), kind)
    });
    items
}

/// Returns the order of an event among events at the same offset.
fn rank(item: SweepStep) -> u8 {
    match item {
        SweepStep::Scope(_) => 0,
        SweepStep::Block(_) => 1,
        SweepStep::Definition(_) => 2,
        SweepStep::Docstring(_) | SweepStep::Inner(_) | SweepStep::Member(_) => 3,
        SweepStep::Binding(_) => 4,
        SweepStep::Import(_) => 5,
        SweepStep::Call(_) => 6,
    }
}
