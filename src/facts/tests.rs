//! Tests of every kind of fact: it contains no unredacted text of a person, and decodes to the body it was made of.

use std::collections::BTreeSet;

use super::*;
use crate::event::Fact;
use crate::git::{ObjectId, RawCommit};
use crate::sessions::{Category, ParsedEntry, ParsedSession, SessionHead};
use crate::syntax::{Call, CallForm, Definition, DefinitionKind, Import, Language, Parsed};

/// Returns a secret that does not appear literally in this file.
fn secret() -> String {
    ["AK", "IA", "ABCDEFGH23456789"].concat()
}

fn parsed(text: &str) -> Parsed {
    let text = || text.to_string();
    let definition = Definition {
        kind: DefinitionKind::Function,
        name: text(),
        qualified: text(),
        owner: Some(text()),
        signature: text(),
        return_type: Some(text()),
        doc: text(),
        // A real shape holds no names, and the source was redacted before it was parsed.
        shape: "fn()".to_string(),
        text: text(),
        fields: vec![(text(), text())],
        bases: vec![text()],
        line: 1,
        end_line: 2,
    };
    let call = Call {
        caller: Some(0),
        name: text(),
        callee: text(),
        form: CallForm::Free,
        receiver_type: Some(text()),
        receiver_call: Some(text()),
        local: false,
        line: 1,
        arguments: Some(0),
    };
    let import = Import {
        target: text(),
        name: Some(text()),
        alias: Some(text()),
        reexport: false,
        scope: Some(text()),
        line: 1,
    };
    let (definitions, calls, imports) = (vec![definition], vec![call], vec![import]);
    Parsed { definitions, calls, imports, text: text(), doc: text(), partial: false }
}

fn reading(text: &str) -> ParsedSession {
    let text = || text.to_string();
    let head = SessionHead {
        id: text(),
        title: text(),
        started: Some(1),
        ended: None,
        branch: Some(text()),
        branches: vec![text()],
        tool: Some(text()),
        start_tag: Some(text()),
        end_tag: Some(text()),
        start_commit: Some(text()),
        end_commit: Some(text()),
    };
    let entry = ParsedEntry {
        category: Category::Decision,
        content: text(),
        at: Some(2),
        line: 3,
        line_id: Some(4),
        files: vec![text()],
        commits: vec![text()],
        state: None,
    };
    ParsedSession { head, entries: vec![entry], warnings: vec![text()], ..ParsedSession::default() }
}

#[test]
fn nothing_that_a_person_wrote_gets_past_the_redaction() {
    let text = format!("before {} after", secret());
    let code = file_facts("src/a.rs", Language::Rust, parsed(&text), 9);
    let mut facts: Vec<Fact> = code.items.into_iter().map(|item| item.fact).collect();
    facts.extend(code.calls.into_iter().map(|call| call.fact));
    facts.extend(code.imports.into_iter().map(|import| import.fact));
    facts.extend(text_facts("a.txt", &text).items.into_iter().map(|item| item.fact));
    let session = session_facts(&reading(&text), None, "claude", "ff", &session_version());
    facts.extend(session.into_iter().map(|entry| entry.fact));
    facts.push(commit_fact(&RawCommit {
        id: ObjectId::try_from([1; 20].as_slice()).expect("twenty bytes"),
        parents: Vec::new(),
        author: "A <a@b>".to_string(),
        committer: "C <c@d>".to_string(),
        author_time: 1,
        committer_time: 2,
        message: text.clone(),
        changes: Vec::new(),
    }));
    let mut seen = BTreeSet::new();
    for fact in &facts {
        let body = Body::decode(&fact.event_type, &fact.data).expect("it decodes").expect("it is there");
        for text in body.written_texts() {
            assert!(!text.contains(&secret()), "{}: {text}", fact.event_type);
        }
        assert!(!fact.data.contains(&secret()), "{}", fact.event_type);
        assert_eq!((body.encode(), body.event_type()), (fact.data.clone(), fact.event_type.clone()));
        seen.insert(fact.event_type.as_str());
    }
    let each =
        ["code.call", "code.file", "code.function", "code.import", "git.commit", "session.decision", "session.read"];
    assert_eq!(seen, BTreeSet::from(each));
}
