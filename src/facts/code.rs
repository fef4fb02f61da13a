//! Facts of a file: the file itself, its definitions, their calls, its imports.
//!
//! Line numbers are kept beside the facts, not in them, so that moving a definition creates no new fact. So is whatever
//! depends on the rest of the file (supertypes, receiver types), because equal facts must have equal bodies.

use std::borrow::Cow;
use std::collections::HashSet;

use super::{
    Body, CODE_CALL, CODE_IMPORT, CODE_VERSION, CallData, EntryFact, ImportData, ItemData, ItemKind, storable,
};
use crate::event::{Fact, Idem, Origin, cap_at, definition_key};
use crate::redact::redact;
use crate::syntax::{Call, Definition, Import, Language, Parsed};

/// Longest signature kept, in bytes; a longer one is a table of parameters that nobody reads.
const MAX_SIGNATURE: usize = 2000;

/// The facts of one file.
#[derive(Debug, Clone, Default)]
pub struct CodeFacts {
    /// The file itself first, then its definitions in source order.
    pub items: Vec<ItemFact>,
    /// Calls, one for each combination of caller, callee and form.
    pub calls: Vec<CallFact>,
    /// Imports.
    pub imports: Vec<ImportFact>,
    /// Facts of the session, the session itself first, if the file is a session log; else empty.
    pub entries: Vec<EntryFact>,
}

/// The fact of an item version, with data that is not part of the fact.
#[derive(Debug, Clone)]
pub struct ItemFact {
    /// The fact.
    pub fact: Fact,
    /// Kind of the item.
    pub kind: ItemKind,
    /// Item key, `src/a.rs#Parser::parse`.
    pub key: String,
    /// The parsed definition; `None` for the file itself.
    pub definition: Option<Definition>,
    /// Doc comment for the full-text index, redacted.
    pub doc: String,
    /// Text for the full-text index, redacted.
    pub text: String,
    /// First line, from 1.
    pub line: u32,
    /// Last line, inclusive.
    pub end_line: u32,
}

/// The fact of a call, with data that is not part of the fact.
#[derive(Debug, Clone)]
pub struct CallFact {
    /// The fact.
    pub fact: Fact,
    /// Index of the caller in [`CodeFacts::items`]; 0 is the file.
    pub caller: usize,
    /// All call sites, each with what is known of its receiver's type.
    pub sites: Vec<Call>,
}

/// The fact of an import, with data that is not part of the fact.
#[derive(Debug, Clone)]
pub struct ImportFact {
    /// The fact.
    pub fact: Fact,
    /// The import as written.
    pub import: Import,
}

/// Returns the facts of a file that was parsed as code. `path` is encoded.
pub fn file_facts(path: &str, language: Language, parsed: Parsed, lines: u32) -> CodeFacts {
    let parsed = &without_secrets(parsed);
    let mut facts = CodeFacts {
        items: vec![file_item(path, Some(language), &parsed.doc, &parsed.text, lines)],
        ..CodeFacts::default()
    };
    facts.items.extend(parsed.definitions.iter().map(|definition| definition_item(path, language, definition)));
    let mut seen: std::collections::HashMap<Idem, usize> = std::collections::HashMap::new();
    for call in parsed.calls.iter().filter(|call| !call.local) {
        let caller = call.caller.map_or(0, |index| index + 1);
        let fact = call_fact(path, &facts.items[caller], call);
        match seen.get(&fact.idem) {
            Some(index) => facts.calls[*index].sites.push(call.clone()),
            None => {
                seen.insert(fact.idem, facts.calls.len());
                facts.calls.push(CallFact { fact, caller, sites: vec![call.clone()] });
            }
        }
    }
    let mut seen = HashSet::new();
    // Importing a package's `__init__.py` makes the names available that it imports itself.
    let is_package = language == Language::Python && path.rsplit('/').next() == Some("__init__.py");
    for import in &parsed.imports {
        let import = &Import { reexport: import.reexport || is_package, ..import.clone() };
        let fact = import_fact(path, import);
        if seen.insert(fact.idem) {
            facts.imports.push(ImportFact { fact, import: import.clone() });
        }
    }
    facts
}

/// Returns the facts of a file that is read as plain text. `path` is encoded.
pub fn text_facts(path: &str, text: &str) -> CodeFacts {
    let lines = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
    CodeFacts { items: vec![file_item(path, None, "", text, lines)], ..CodeFacts::default() }
}

/// Redacts all texts of a parsed file, before any fact is derived from them.
fn without_secrets(mut parsed: Parsed) -> Parsed {
    let clean = |text: &mut String| {
        if let Cow::Owned(redacted) = redact(text) {
            *text = redacted;
        }
    };
    let optional = |text: &mut Option<String>| text.iter_mut().for_each(clean);
    clean(&mut parsed.text);
    clean(&mut parsed.doc);
    for definition in &mut parsed.definitions {
        let Definition { name, qualified, signature, doc, text, fields, bases, return_type, owner, .. } = definition;
        [name, qualified, signature, doc, text].into_iter().for_each(clean);
        [return_type, owner].into_iter().for_each(optional);
        fields.iter_mut().for_each(|(field, kind)| {
            clean(field);
            clean(kind);
        });
        bases.iter_mut().for_each(clean);
    }
    for call in &mut parsed.calls {
        [&mut call.name, &mut call.callee].into_iter().for_each(clean);
        [&mut call.receiver_type, &mut call.receiver_call].into_iter().for_each(optional);
    }
    for import in &mut parsed.imports {
        clean(&mut import.target);
        [&mut import.name, &mut import.alias, &mut import.scope].into_iter().for_each(optional);
    }
    parsed
}

fn file_item(path: &str, language: Option<Language>, doc: &str, text: &str, lines: u32) -> ItemFact {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (doc, text) = (storable(doc), storable(text));
    let data = ItemData {
        file_path: path.into(),
        key: path.into(),
        name: name.into(),
        qualified_name: path.into(),
        kind: ItemKind::File,
        language: language.map(|language| language.name().into()),
        signature: "".into(),
        return_type: None,
        doc: doc.as_str().into(),
        shape: "".into(),
        text: text.as_str().into(),
        extractor: CODE_VERSION,
    };
    let (fact, kind) = (item_fact(data), ItemKind::File);
    ItemFact { fact, kind, key: path.to_string(), definition: None, doc, text, line: 1, end_line: lines.max(1) }
}

fn definition_item(path: &str, language: Language, definition: &Definition) -> ItemFact {
    let kind = ItemKind::from(definition.kind);
    let key = definition_key(path, &definition.qualified);
    let (doc, text, signature) =
        (storable(&definition.doc), storable(&definition.text), storable(&definition.signature));
    let data = ItemData {
        file_path: path.into(),
        key: key.as_str().into(),
        name: definition.name.as_str().into(),
        qualified_name: definition.qualified.as_str().into(),
        kind,
        language: Some(language.name().into()),
        signature: cap_at(&signature, MAX_SIGNATURE).into(),
        return_type: definition.return_type.as_deref().map(Cow::Borrowed),
        doc: doc.as_str().into(),
        shape: definition.shape.as_str().into(),
        text: text.as_str().into(),
        extractor: CODE_VERSION,
    };
    let fact = item_fact(data);
    ItemFact {
        fact,
        kind,
        key,
        definition: Some(definition.clone()),
        doc,
        text,
        line: definition.line,
        end_line: definition.end_line,
    }
}

fn item_fact(data: ItemData<'_>) -> Fact {
    let identity: [&[u8]; 4] =
        [data.key.as_bytes(), data.text.as_bytes(), data.doc.as_bytes(), &CODE_VERSION.to_le_bytes()];
    let idem = Idem::of(&data.kind.event_type(), &identity);
    code_fact(idem, &Body::Item(data))
}

fn call_fact(path: &str, caller: &ItemFact, call: &Call) -> Fact {
    let data = CallData {
        file_path: path.into(),
        caller: caller.key.as_str().into(),
        caller_name: caller.definition.as_ref().map(|definition| definition.name.as_str().into()),
        caller_version: caller.fact.idem.to_hex().into(),
        callee: call.callee.as_str().into(),
        callee_name: call.name.as_str().into(),
        form: call.form,
        extractor: CODE_VERSION,
    };
    let identity: [&[u8]; 4] =
        [&caller.fact.idem.0, call.callee.as_bytes(), call.form.name().as_bytes(), &CODE_VERSION.to_le_bytes()];
    code_fact(Idem::of(CODE_CALL, &identity), &Body::Call(data))
}

fn import_fact(path: &str, import: &Import) -> Fact {
    let data = ImportData {
        file_path: path.into(),
        target: import.target.as_str().into(),
        name: import.name.as_deref().map(Cow::Borrowed),
        alias: import.alias.as_deref().map(Cow::Borrowed),
        reexport: import.reexport,
        scope: import.scope.as_deref().map(Cow::Borrowed),
        extractor: CODE_VERSION,
    };
    let [name, alias, scope] =
        [&import.name, &import.alias, &import.scope].map(|text| text.as_deref().unwrap_or_default());
    let identity: [&[u8]; 7] = [
        path.as_bytes(),
        import.target.as_bytes(),
        name.as_bytes(),
        alias.as_bytes(),
        scope.as_bytes(),
        &[u8::from(import.reexport)],
        &CODE_VERSION.to_le_bytes(),
    ];
    code_fact(Idem::of(CODE_IMPORT, &identity), &Body::Import(data))
}

fn code_fact(idem: Idem, body: &Body<'_>) -> Fact {
    Fact {
        event_type: body.event_type(),
        at: None,
        origin: Origin::Code,
        source_file: body.file_path().map(str::to_string),
        idem,
        data: body.encode(),
    }
}
