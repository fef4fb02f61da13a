//! Tests that the library answers every question as the program does, so that a second front end needs no code of the
//! commands.

use patina::config::Config;
use patina::git::Repository;
use patina::query::{self, CallDirection, CallWalk, Filter, NoteLevel, Reader, TextQuery};
use patina::workspace::Workspace;
use serde::Serialize;
use serde_json::Value;

use crate::support::TestRepo;

const FILTER: Filter = Filter { k: 10, kinds: Vec::new(), path: None, since: None };

fn repo() -> TestRepo {
    let repo = TestRepo::new();
    let lexer = "/// Splits a text into tokens.\npub fn tokens(text: &str) -> usize {\n    text.len()\n}\n";
    let parser = "use crate::lexer::tokens;\n\npub fn parse(text: &str) -> usize {\n    tokens(text)\n}\n";
    repo.commit_files(
        &[("src/lexer.rs", lexer), ("src/parser.rs", parser), ("src/lib.rs", "mod lexer;\nmod parser;\n")],
        "parse",
    );
    let lexer = lexer.replace("text.len()", "text.trim().len()");
    let parser = parser.replace("tokens(text)", "tokens(text) + 1");
    repo.commit_files(&[("src/lexer.rs", &lexer), ("src/parser.rs", &parser)], "count tokens because blanks are none");
    repo.reindex();
    repo
}

/// Returns the JSON as it is printed: an `f32` in its shortest form.
fn printed(answer: &impl Serialize) -> Value {
    serde_json::from_str(&serde_json::to_string(answer).expect("it is JSON")).expect("it is JSON")
}

/// Returns the hits that the program prints, without `path_from_here`, which only the program adds.
fn hits(repo: &TestRepo, args: &[&str]) -> Value {
    let mut hits = repo.json(args)["hits"].take();
    for hit in hits.as_array_mut().expect("a list") {
        hit.as_object_mut().expect("an object").remove("path_from_here").expect("every hit has it");
    }
    hits
}

#[test]
fn the_library_answers_as_the_program_does() {
    let repo = repo();
    let git = Repository::discover(&repo.path).expect("a repository");
    let config = Config::from_texts(None, None).expect("defaults");
    let workspace = Workspace::locate(&git.common_dir().expect("a folder"), &config);
    let begin = |text| TextQuery::begin(&config.model, text).expect("there are words");
    let question = begin("split tokens");
    let reader = Reader::open(&git, &workspace, &config).expect("it is indexed");

    let found = query::search(&reader, question, &FILTER, &[]).expect("answers");
    assert_eq!(printed(&found.hits), hits(&repo, &["query", "split tokens"]));
    assert!(!found.hits.is_empty() && found.used.is_empty() && !found.is_damaged);
    assert!(found.notes.iter().any(|note| note.level == NoteLevel::Info && note.text.contains("full text alone")));

    let found = query::task(&reader, begin("trim tokens"), &FILTER).expect("answers");
    assert_eq!(printed(&found.hits), hits(&repo, &["task", "trim tokens"]));

    let targets = |texts: &[&str]| reader.targets(texts).expect("they are there");
    let found = query::related(&reader, &targets(&["src/lexer.rs"]), &FILTER, &[]).expect("answers");
    assert_eq!(printed(&found.hits), hits(&repo, &["related", "src/lexer.rs"]));
    assert_eq!((found.targets[0].as_str(), found.hits[0].key.as_str()), ("src/lexer.rs", "src/parser.rs"));

    let found = query::who(&reader, &targets(&["tokens"]), false, 5).expect("answers");
    assert_eq!(printed(&found.people), repo.json(&["who", "tokens"])["people"]);
    assert!(found.notes[0].text.contains("src/lexer.rs"));

    let found = query::why(&reader, &targets(&["src/lexer.rs:3"]), 5).expect("answers").remove(0);
    let told = repo.json(&["why", "src/lexer.rs:3"]);
    assert_eq!((printed(&found.commits), printed(&found.reasons)), (told["commits"].clone(), told["reasons"].clone()));

    let walk = CallWalk { direction: CallDirection::Callers, depth: 2, confidence: 0.0, k: 10 };
    let found = query::calls(&reader, &targets(&["tokens"]), &walk).expect("answers");
    let callers: Vec<&str> = found.calls.iter().map(|call| call.edge.caller.key.as_str()).collect();
    assert_eq!((callers, found.total), (vec!["src/parser.rs#parse"], 1));

    let found = query::explain(&reader, &targets(&["src/lexer.rs", "parse"])).expect("answers");
    assert_eq!(printed(&found.ties), repo.json(&["explain", "src/lexer.rs", "parse"])["ties"]);
}

#[test]
fn a_question_without_a_word_is_none() {
    let config = Config::from_texts(None, None).expect("defaults");
    assert!(TextQuery::begin(&config.model, " .. ").is_none());
}
