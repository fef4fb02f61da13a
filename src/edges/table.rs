//! Name lookup in memory, for resolving a whole view in one pass, and for tests.

use std::collections::HashMap;
use std::sync::Arc;

use super::{CallSite, CallTarget, LiveDefinition, NameLookup, resolve, text};
use crate::syntax::{Import, Language, Parsed};

/// A live file, the input of the table.
#[derive(Debug, Clone)]
pub struct FileDefinitions {
    /// Path from the root of the repository.
    pub path: String,
    /// Definitions, in their order.
    pub candidates: Vec<Arc<LiveDefinition>>,
    /// Imports, in source order.
    pub imports: Vec<Import>,
}

impl FileDefinitions {
    /// Converts a parsed file; keys are made of its path and the qualified names.
    pub fn parsed(path: &str, language: Language, parsed: &Parsed) -> Self {
        let candidates = parsed.definitions.iter().map(|definition| {
            let key = format!("{path}#{}", definition.qualified);
            Arc::new(LiveDefinition::new(0, key, path, language, definition))
        });
        Self { path: path.to_owned(), candidates: candidates.collect(), imports: parsed.imports.clone() }
    }
}

/// The names of one view, in memory.
#[derive(Debug, Default)]
pub struct NameTable {
    by_name: HashMap<String, Vec<Arc<LiveDefinition>>>,
    imports: HashMap<String, Arc<[Import]>>,
    by_base: HashMap<String, Arc<[String]>>,
}

impl NameTable {
    /// Builds the table from a view's live files.
    pub fn new(files: impl IntoIterator<Item = FileDefinitions>) -> Self {
        let mut by_name: HashMap<String, Vec<Arc<LiveDefinition>>> = HashMap::new();
        let mut imports = HashMap::new();
        let mut by_base: HashMap<String, Vec<String>> = HashMap::new();
        for file in files {
            for candidate in file.candidates {
                by_name.entry(candidate.name.clone()).or_default().push(candidate);
            }
            by_base.entry(text::base_name(&file.path).to_owned()).or_default().push(file.path.clone());
            imports.insert(file.path, file.imports.into());
        }
        let by_base = by_base.into_iter().map(|(base, files)| (base, files.into())).collect();
        Self { by_name, imports, by_base }
    }

    /// Resolves each call of a file, in their order; `candidates` as in its [`FileDefinitions`].
    pub fn resolve_file(
        &self,
        path: &str,
        language: Language,
        parsed: &Parsed,
        candidates: &[Arc<LiveDefinition>],
    ) -> Vec<Vec<CallTarget>> {
        parsed
            .calls
            .iter()
            .map(|call| {
                let caller = call.caller.and_then(|index| candidates.get(index)).map(|caller| &**caller);
                resolve(&CallSite { path, language, caller, call }, self)
            })
            .collect()
    }
}

impl NameLookup for NameTable {
    fn named(&self, name: &str) -> Vec<Arc<LiveDefinition>> {
        self.by_name.get(name).cloned().unwrap_or_default()
    }

    fn imports(&self, path: &str) -> Arc<[Import]> {
        self.imports.get(path).cloned().unwrap_or_else(|| Arc::from([]))
    }

    fn files_called(&self, base: &str) -> Arc<[String]> {
        self.by_base.get(base).cloned().unwrap_or_else(|| Arc::from([]))
    }
}
