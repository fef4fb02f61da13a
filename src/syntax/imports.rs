//! Extracts imports as written, with trees of imports flattened. Targets are resolved to files later, in `edges`.

use tree_sitter::Node;

use super::calls::text;
use super::names::strip_generics;

/// An import, before its scope is known.
#[derive(Debug, Clone)]
pub(super) struct RawImport {
    /// Offset of the import.
    pub at: usize,
    pub target: String,
    pub name: Option<String>,
    pub alias: Option<String>,
    pub reexport: bool,
    pub line: u32,
    /// Offset of the local name, if the import names one.
    pub alias_at: Option<usize>,
}

/// The input of a language's function that flattens trees of imports.
pub(super) struct ImportCollector<'a> {
    pub source: &'a str,
    pub imports: &'a mut Vec<RawImport>,
}

/// Returns the line of a node, from 1.
fn line(node: Node<'_>) -> u32 {
    u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX)
}

/// Removes the quotes from a string or a system path.
pub(super) fn unquoted(text: &str) -> &str {
    for (open, close) in [("\"", "\""), ("'", "'"), ("`", "`"), ("<", ">")] {
        if let Some(inside) = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)) {
            return inside;
        }
    }
    text
}

/// Builds an import from the parts that the query captured.
pub(super) fn plain(
    node: Node<'_>,
    target: Option<String>,
    name: Option<String>,
    alias: Option<String>,
    glob: bool,
    reexport: bool,
    alias_at: Option<usize>,
) -> Option<RawImport> {
    let target = target.filter(|target| !target.is_empty())?;
    let (name, alias) = match alias.as_deref() {
        // Go's dot import is a glob.
        Some(".") => (Some("*".to_owned()), None),
        _ if glob => (Some("*".to_owned()), alias),
        _ => (name, alias),
    };
    let alias = alias.filter(|alias| name.as_ref() != Some(alias));
    Some(RawImport { at: node.start_byte(), target, name, alias, reexport, line: line(node), alias_at })
}

/// Flattens Rust's `use a::{b, c as d, e::*, self}` and `extern crate x as y`.
pub(super) fn rust_use(into: &mut ImportCollector<'_>, declaration: Node<'_>) {
    let mut cursor = declaration.walk();
    let reexport = declaration.named_children(&mut cursor).any(|child| child.kind() == "visibility_modifier");
    if let Some(name) = declaration.child_by_field_name("name") {
        let alias = declaration.child_by_field_name("alias").map(|alias| text(into.source, alias).to_owned());
        let target = text(into.source, name).to_owned();
        let at = declaration.start_byte();
        into.imports.push(RawImport { at, target, name: None, alias, reexport, line: line(name), alias_at: None });
        return;
    }
    let Some(argument) = declaration.child_by_field_name("argument") else { return };
    let mut found = Vec::new();
    let mut open = vec![(String::new(), argument)];
    while let Some((prefix, node)) = open.pop() {
        let join = |path: &str| match (prefix.as_str(), path) {
            ("", path) => path.to_owned(),
            (prefix, "self" | "") => prefix.to_owned(),
            (prefix, path) => format!("{prefix}::{path}"),
        };
        let path_of = |field: &str| {
            let path = node.child_by_field_name(field);
            path.map(|path| strip_generics(text(into.source, path))).unwrap_or_default()
        };
        let mut leaf = |target: String, name: Option<&str>, alias: Option<String>| {
            let name = name.map(str::to_owned);
            if !target.is_empty() {
                let at = node.start_byte();
                found.push(RawImport { at, target, name, alias, reexport, line: line(node), alias_at: None });
            }
        };
        match node.kind() {
            "use_list" => {
                let mut cursor = node.walk();
                open.extend(node.named_children(&mut cursor).map(|child| (prefix.clone(), child)));
            }
            "scoped_use_list" => {
                let path = join(&path_of("path"));
                open.extend(node.child_by_field_name("list").map(|list| (path, list)));
            }
            "use_as_clause" => leaf(join(&path_of("path")), None, Some(path_of("alias"))),
            "use_wildcard" => {
                let path = node.named_child(0).map(|path| strip_generics(text(into.source, path))).unwrap_or_default();
                leaf(join(&path), Some("*"), None);
            }
            _ if node.is_extra() => {}
            _ => leaf(join(&strip_generics(text(into.source, node))), None, None),
        }
    }
    found.sort_by_key(|import| import.at);
    into.imports.append(&mut found);
}
