//! Merges definitions of one file with the same kind and qualified name. Their item key is the same, so they must be
//! one item, whatever they mean.

use std::collections::HashMap;

use super::parsed::{Definition, DefinitionKind, Parsed};
use super::shape;

/// Merges definitions of the same name in source order and updates the callers of calls.
pub(super) fn merged(parsed: Parsed) -> Parsed {
    let mut places: HashMap<(DefinitionKind, String), usize> = HashMap::new();
    let mut definitions: Vec<Definition> = Vec::with_capacity(parsed.definitions.len());
    let mut became = Vec::with_capacity(parsed.definitions.len());
    for definition in parsed.definitions {
        let place = *places.entry((definition.kind, definition.qualified.clone())).or_insert(definitions.len());
        became.push(place);
        match definitions.get_mut(place) {
            Some(first) => join(first, definition),
            None => definitions.push(definition),
        }
    }
    let mut calls = parsed.calls;
    for call in &mut calls {
        call.caller = call.caller.and_then(|caller| became.get(caller).copied());
    }
    Parsed { definitions, calls, ..parsed }
}

/// Merges a definition into an earlier one.
fn join(first: &mut Definition, next: Definition) {
    if !first.signature.lines().any(|line| line == next.signature) {
        push_line(&mut first.signature, &next.signature);
    }
    push_line(&mut first.text, &next.text);
    if first.doc != next.doc {
        push_line(&mut first.doc, &next.doc);
    }
    first.shape = shape::joined(&first.shape, &next.shape);
    first.owner = first.owner.take().or(next.owner);
    first.return_type = first.return_type.take().or(next.return_type);
    for field in next.fields {
        if !first.fields.contains(&field) {
            first.fields.push(field);
        }
    }
    for base in next.bases {
        if !first.bases.contains(&base) {
            first.bases.push(base);
        }
    }
    first.line = first.line.min(next.line);
    first.end_line = first.end_line.max(next.end_line);
}

/// Appends a line.
fn push_line(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push('\n');
    }
    text.push_str(more);
}
