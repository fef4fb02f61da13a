//! Everything a view knows of names, in memory: for resolving one whole view in one pass, and for
//! tests. Holds what it was given and judges nothing.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Candidate, Names, Site, Target, resolve, text};
use crate::syntax::{Import, Language, Parsed};

/// A live file as the table takes it.
#[derive(Debug, Clone)]
pub struct File {
    /// Its path from the root of the repository.
    pub path: String,
    /// Its definitions, in their order.
    pub candidates: Vec<Arc<Candidate>>,
    /// Its imports, in source order.
    pub imports: Vec<Import>,
}

impl File {
    /// A parsed file, its candidates under keys made of its path and their qualified names.
    pub fn parsed(path: &str, language: Language, parsed: &Parsed) -> Self {
        let candidates = parsed.definitions.iter().map(|definition| {
            let key = format!("{path}#{}", definition.qualified);
            Arc::new(Candidate::new(0, key, path, language, definition))
        });
        Self { path: path.to_owned(), candidates: candidates.collect(), imports: parsed.imports.clone() }
    }
}

/// The names of one view, in memory.
#[derive(Debug, Default)]
pub struct Table {
    by_name: HashMap<String, Vec<Arc<Candidate>>>,
    imports: HashMap<String, Arc<[Import]>>,
    by_base: HashMap<String, Arc<[String]>>,
}

impl Table {
    /// The table of a view's live files.
    pub fn new(files: impl IntoIterator<Item = File>) -> Self {
        let mut by_name: HashMap<String, Vec<Arc<Candidate>>> = HashMap::new();
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

    /// The targets of each call of a file, in the order of its calls; `candidates` as in its [`File`].
    pub fn resolve_file(
        &self,
        path: &str,
        language: Language,
        parsed: &Parsed,
        candidates: &[Arc<Candidate>],
    ) -> Vec<Vec<Target>> {
        parsed
            .calls
            .iter()
            .map(|call| {
                let caller = call.caller.and_then(|index| candidates.get(index)).map(|caller| &**caller);
                resolve(&Site { path, language, caller, call }, self)
            })
            .collect()
    }
}

impl Names for Table {
    fn named(&self, name: &str) -> Vec<Arc<Candidate>> {
        self.by_name.get(name).cloned().unwrap_or_default()
    }

    fn imports(&self, path: &str) -> Arc<[Import]> {
        self.imports.get(path).cloned().unwrap_or_else(|| Arc::from([]))
    }

    fn files_called(&self, base: &str) -> Arc<[String]> {
        self.by_base.get(base).cloned().unwrap_or_else(|| Arc::from([]))
    }
}
