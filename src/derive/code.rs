//! A file's text to facts: the file, its definitions, their calls, its imports. Line numbers stay beside the
//! facts and out of them, so that moving a definition says nothing new; so does what the rest of the file says of
//! a definition (supertypes, the type of a receiver), because the same fact must have the same body for ever.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Serialize;

use super::{EntryFact, storable};
use crate::event::{CODE_CALL, CODE_FILE, CODE_IMPORT, Fact, Idem, Origin, cap_at, definition_key};
use crate::redact::redact;
use crate::syntax::{Call, Definition, EXTRACTOR, Form, Import, Language, Parsed};

/// Longest signature kept: what is longer is a table of parameters that nobody reads.
const MAX_SIGNATURE: usize = 2000;

/// Everything one file says.
#[derive(Debug, Clone, Default)]
pub struct CodeFacts {
    /// The file itself first, then its definitions in source order.
    pub items: Vec<ItemFact>,
    /// Calls, each once a caller, callee and form.
    pub calls: Vec<CallFact>,
    /// Imports.
    pub imports: Vec<ImportFact>,
    /// What a session log says, the session first; empty for what is none.
    pub entries: Vec<EntryFact>,
}

/// A version of an item.
#[derive(Debug, Clone)]
pub struct ItemFact {
    /// The fact.
    pub fact: Fact,
    /// `file`, `function`, `type`, ...
    pub kind: &'static str,
    /// `src/a.rs#Parser::parse`.
    pub key: String,
    /// What the text says of it; none for the file.
    pub definition: Option<Definition>,
    /// What full text finds it by, redacted.
    pub doc: String,
    /// What full text finds it by, redacted.
    pub text: String,
    /// First line, from 1.
    pub line: u32,
    /// Last line, inclusive.
    pub end_line: u32,
}

/// A caller's version calls something.
#[derive(Debug, Clone)]
pub struct CallFact {
    /// The fact.
    pub fact: Fact,
    /// Index of the caller in [`CodeFacts::items`]; 0 is the file.
    pub caller: usize,
    /// Everywhere it stands, with what is known of the receiver there.
    pub sites: Vec<Call>,
}

/// A file imports something.
#[derive(Debug, Clone)]
pub struct ImportFact {
    /// The fact.
    pub fact: Fact,
    /// As written.
    pub import: Import,
}

#[derive(Serialize)]
struct ItemData<'a> {
    file_path: &'a str,
    key: &'a str,
    name: &'a str,
    qualified_name: &'a str,
    kind: &'a str,
    language: Option<&'a str>,
    signature: &'a str,
    return_type: Option<&'a str>,
    doc: &'a str,
    shape: &'a str,
    text: &'a str,
    extractor: u32,
}

#[derive(Serialize)]
struct CallData<'a> {
    file_path: &'a str,
    caller: &'a str,
    caller_name: Option<&'a str>,
    caller_version: String,
    callee: &'a str,
    callee_name: &'a str,
    form: Form,
    extractor: u32,
}

#[derive(Serialize)]
struct ImportData<'a> {
    file_path: &'a str,
    target: &'a str,
    name: Option<&'a str>,
    alias: Option<&'a str>,
    reexport: bool,
    scope: Option<&'a str>,
    extractor: u32,
}

/// Facts of a file in a language that is read as code. `path` is encoded.
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
    // A package's front door offers what it imports.
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

/// Facts of a file that is read as text.
pub fn text_facts(path: &str, text: &str) -> CodeFacts {
    let lines = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
    CodeFacts { items: vec![file_item(path, None, "", text, lines)], ..CodeFacts::default() }
}

/// What a file says, without what must not be stored: whatever is made of it afterwards is clean.
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
        file_path: path,
        key: path,
        name,
        qualified_name: path,
        kind: "file",
        language: language.map(Language::name),
        signature: "",
        return_type: None,
        doc: &doc,
        shape: "",
        text: &text,
        extractor: EXTRACTOR,
    };
    let fact = item_fact(CODE_FILE, &data);
    ItemFact { fact, kind: "file", key: path.to_string(), definition: None, doc, text, line: 1, end_line: lines.max(1) }
}

fn definition_item(path: &str, language: Language, definition: &Definition) -> ItemFact {
    let kind = definition.kind.name();
    let key = definition_key(path, &definition.qualified);
    let (doc, text, signature) =
        (storable(&definition.doc), storable(&definition.text), storable(&definition.signature));
    let data = ItemData {
        file_path: path,
        key: &key,
        name: &definition.name,
        qualified_name: &definition.qualified,
        kind,
        language: Some(language.name()),
        signature: cap_at(&signature, MAX_SIGNATURE),
        return_type: definition.return_type.as_deref(),
        doc: &doc,
        shape: &definition.shape,
        text: &text,
        extractor: EXTRACTOR,
    };
    let fact = item_fact(&format!("code.{kind}"), &data);
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

fn item_fact(event_type: &str, data: &ItemData<'_>) -> Fact {
    let identity: [&[u8]; 4] =
        [data.key.as_bytes(), data.text.as_bytes(), data.doc.as_bytes(), &EXTRACTOR.to_le_bytes()];
    code_fact(event_type, data.file_path, Idem::of(event_type, &identity), data)
}

fn call_fact(path: &str, caller: &ItemFact, call: &Call) -> Fact {
    let data = CallData {
        file_path: path,
        caller: &caller.key,
        caller_name: caller.definition.as_ref().map(|definition| definition.name.as_str()),
        caller_version: caller.fact.idem.to_hex(),
        callee: &call.callee,
        callee_name: &call.name,
        form: call.form,
        extractor: EXTRACTOR,
    };
    let identity: [&[u8]; 4] =
        [&caller.fact.idem.0, call.callee.as_bytes(), call.form.name().as_bytes(), &EXTRACTOR.to_le_bytes()];
    code_fact(CODE_CALL, path, Idem::of(CODE_CALL, &identity), &data)
}

fn import_fact(path: &str, import: &Import) -> Fact {
    let data = ImportData {
        file_path: path,
        target: &import.target,
        name: import.name.as_deref(),
        alias: import.alias.as_deref(),
        reexport: import.reexport,
        scope: import.scope.as_deref(),
        extractor: EXTRACTOR,
    };
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let (name, alias, scope) = (optional(&import.name), optional(&import.alias), optional(&import.scope));
    let identity: [&[u8]; 7] = [
        path.as_bytes(),
        import.target.as_bytes(),
        name.as_bytes(),
        alias.as_bytes(),
        scope.as_bytes(),
        &[u8::from(import.reexport)],
        &EXTRACTOR.to_le_bytes(),
    ];
    code_fact(CODE_IMPORT, path, Idem::of(CODE_IMPORT, &identity), &data)
}

fn code_fact(event_type: &str, path: &str, idem: Idem, data: &impl Serialize) -> Fact {
    Fact {
        event_type: event_type.to_string(),
        at: None,
        origin: Origin::Code,
        source_file: Some(path.to_string()),
        idem,
        data: serde_json::to_string(data).expect("plain data has a JSON form"),
    }
}
