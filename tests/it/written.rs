//! Tests answers against a model of the repository: random files of functions that call one another, rewritten by
//! several people.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Random, TestRepo, texts};

const FILES: usize = 6;
const FUNCTIONS: usize = 7;
const PEOPLE: [&str; 3] = ["Ada", "Grace", "Mary"];

fn name(file: usize, function: usize) -> String {
    format!("work{file}x{function}")
}

fn key(file: usize, function: usize) -> String {
    format!("src/m{file}.rs#{}", name(file, function))
}

/// Returns a word that occurs in one function only, and that identifier splitting keeps whole.
fn word(file: usize, function: usize) -> String {
    let letter = |number: usize| char::from(b"bcdfghjk"[number]);
    format!("w{}{}zzq", letter(file), letter(function))
}

/// Returns a file's text and the calls of each of its functions.
fn file(random: &mut Random, file: usize, version: usize) -> (String, Vec<BTreeSet<String>>) {
    let (mut text, mut calls) = (String::new(), Vec::new());
    for function in 0..FUNCTIONS {
        let mut called = BTreeSet::new();
        let (name_here, said) = (name(file, function), word(file, function));
        text.push_str(&format!("pub fn {name_here}() {{\n    let _ = \"{said} in version {version}\";\n"));
        for _ in 0..random.below(4) {
            let (other, callee) = (random.below(FILES), random.below(FUNCTIONS));
            text.push_str(&format!("    crate::m{other}::{}();\n", name(other, callee)));
            called.insert(key(other, callee));
        }
        text.push_str("}\n\n");
        calls.push(called);
    }
    (text, calls)
}

#[test]
fn what_was_written_is_what_is_answered() {
    for seed in 0..2 {
        let mut random = Random::new(seed);
        let repo = TestRepo::new();
        let modules: String = (0..FILES).map(|file| format!("pub mod m{file};\n")).collect();
        repo.write("src/lib.rs", modules);
        let mut calls: BTreeMap<usize, Vec<BTreeSet<String>>> = BTreeMap::new();
        let mut commits: BTreeMap<(usize, &str), u64> = BTreeMap::new();
        for round in 0..20 {
            let person = *random.pick(&PEOPLE);
            for number in 0..FILES {
                if round == 0 || random.percent(40) {
                    let (text, called) = file(&mut random, number, round);
                    repo.write(format!("src/m{number}.rs"), text);
                    calls.insert(number, called);
                    *commits.entry((number, person)).or_default() += 1;
                }
            }
            repo.git(&["add", "-A"]);
            let author = format!("{person} <{}@example.org>", person.to_lowercase());
            repo.git(&["commit", "-q", "--allow-empty", "-m", "A round", "--author", &author]);
            if random.percent(30) {
                repo.reindex();
            }
        }
        repo.reindex();
        for (number, functions) in &calls {
            let path = format!("src/m{number}.rs");
            let who = repo.json(&["who", &path]);
            let people = who["people"].as_array().expect("a list");
            let counted: BTreeMap<&str, u64> = people
                .iter()
                .map(|person| (person["name"].as_str().expect("a name"), person["commits"].as_u64().expect("a number")))
                .collect();
            let wrote = PEOPLE.iter().filter_map(|person| Some((*person, *commits.get(&(*number, *person))?)));
            assert_eq!(counted, wrote.collect(), "{path}, seed {seed}");
            for (function, called) in functions.iter().enumerate() {
                let own = key(*number, function);
                let found: BTreeSet<String> =
                    texts(&repo.json(&["calls", &own])["edges"], "callee").into_iter().collect();
                assert_eq!(&found, called, "{own}, seed {seed}");
                let callers: BTreeSet<String> =
                    texts(&repo.json(&["callers", &own])["edges"], "caller").into_iter().collect();
                let call = |other: &usize, at: usize| calls[other][at].contains(&own).then(|| key(*other, at));
                let expect = calls.keys().flat_map(|other| (0..FUNCTIONS).filter_map(move |at| call(other, at)));
                assert_eq!(callers, expect.collect(), "{own}, seed {seed}");
                let said = word(*number, function);
                let hits = texts(&repo.json(&["query", &said, "--kind", "function"])["hits"], "key");
                assert_eq!(hits, [own], "{said}, seed {seed}");
            }
        }
    }
}
