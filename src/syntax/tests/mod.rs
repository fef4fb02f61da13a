//! Table-driven tests of parsing, through `parse` alone.

mod c_family;
mod go;
mod invariants;
mod javascript;
mod python;
mod rust;

use super::{Call, CallForm, Definition, Language, Parsed, parse};

fn read(language: Language, source: &str) -> Parsed {
    parse(language, source.as_bytes()).expect("the grammar reads anything")
}

/// Formats each definition as `kind qualified`.
fn check_definitions(language: Language, source: &str, expect: &[&str]) {
    let parsed = read(language, source);
    let found: Vec<String> =
        parsed.definitions.iter().map(|found| format!("{} {}", found.kind.name(), found.qualified)).collect();
    assert_eq!(found, expect, "in {source}");
}

/// Formats each call as `caller> form callee`, with what is known of the receiver.
fn check_calls(language: Language, source: &str, expect: &[&str]) {
    let parsed = read(language, source);
    let found: Vec<String> = parsed.calls.iter().map(|call| describe(&parsed, call)).collect();
    assert_eq!(found, expect, "in {source}");
}

fn describe(parsed: &Parsed, call: &Call) -> String {
    let caller = call.caller.map_or("", |caller| parsed.definitions[caller].qualified.as_str());
    let mut text = format!("{caller}> {} {}", call.form.name(), call.callee);
    if call.form != CallForm::Macro {
        text.push_str(&format!("/{}", call.arguments.expect("all but macros count their arguments")));
    }
    if let Some(typed) = &call.receiver_type {
        text.push_str(&format!(" :{typed}"));
    }
    if let Some(callee) = &call.receiver_call {
        text.push_str(&format!(" ={callee}"));
    }
    if call.local {
        text.push_str(" local");
    }
    text
}

/// Formats each import as `target name alias`, with a dash for a missing part, `pub` if re-exported, and the scope.
fn check_imports(language: Language, source: &str, expect: &[&str]) {
    let parsed = read(language, source);
    let found: Vec<String> = parsed
        .imports
        .iter()
        .map(|import| {
            let or_dash = |part: &Option<String>| part.clone().unwrap_or_else(|| "-".to_owned());
            let reexport = if import.reexport { " pub" } else { "" };
            let scope = import.scope.as_ref().map_or(String::new(), |scope| format!(" in {scope}"));
            format!("{} {} {}{reexport}{scope}", import.target, or_dash(&import.name), or_dash(&import.alias))
        })
        .collect();
    assert_eq!(found, expect, "in {source}");
}

/// Returns the only definition with a qualified name.
fn definition(language: Language, source: &str, qualified: &str) -> Definition {
    let parsed = read(language, source);
    let found = parsed.definitions.iter().find(|definition| definition.qualified == qualified);
    found.unwrap_or_else(|| panic!("no {qualified} in {:?}", parsed.definitions)).clone()
}
