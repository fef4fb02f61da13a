//! Tests of the ranking in `related` and `task`, on a history whose right answer stands out under any sensible weights.

use std::collections::BTreeMap;

use patina::config::Config;
use patina::embedding::VectorRows;
use patina::eventlog;
use patina::fusion::{FILE_SIGNALS, FileQuery, FileTableInput, PathFeatures, Question, file_table};
use patina::git::{Mailmap, Repository};
use patina::history::{self, AsOf, ChangeCounts, CountedCommit, Timeline};
use patina::store;
use patina::view;
use patina::workspace::Workspace;

use crate::support::{Random, TestRepo, history as random_history, import, texts};

/// The signals of each other file, by path.
type Signals = BTreeMap<String, Vec<u32>>;

fn signals(counts: &ChangeCounts, names: &[String], path: &str) -> Signals {
    let none = VectorRows::default();
    let vectors = FileTableInput { names, base_embeddings: &none, projections: &none };
    let file = counts.live().find(|file| names[counts.path(*file) as usize] == path).expect("it is live");
    let query = FileQuery { file: Some(file), path: counts.path(file), base_embedding: None, projection: None };
    let table = file_table(counts, &mut PathFeatures::default(), &vectors, &query);
    assert_eq!(table.columns.len(), FILE_SIGNALS.len());
    let row = |row: usize| table.columns.iter().map(|column| column[row].to_bits()).collect();
    (0..).zip(&table.candidates).map(|(at, file)| (names[counts.path(*file) as usize].clone(), row(at))).collect()
}

#[test]
fn what_is_counted_for_an_answer_is_what_a_measurement_counts() {
    let (mut compared, mut shared) = (0, 0);
    for seed in 1..=8 {
        let repo = TestRepo::new();
        let ids = import(&repo, &random_history(seed, 60));
        repo.stand_at(&ids[59 - Random::new(seed).below(8)]);
        repo.reindex();
        let git = Repository::discover(&repo.path).expect("a repository");
        let config = Config::from_texts(None, None).expect("defaults");
        let workspace = Workspace::locate(&git.common_dir().expect("a folder"), &config);
        let cache = store::open_reader(&workspace, &config).expect("a cache");
        let people = history::people_of(&cache, &Mailmap::empty()).expect("people");
        let view = view::view_of(&cache, "").expect("reads").expect("a view");
        let as_of = AsOf { view: view.id, time: view.head.expect("a commit").time };
        let loaded = history::load_counts(&cache, as_of, &people, &["a"], |_| true).expect("counts");
        let Timeline { commits, paths, .. } =
            history::timeline(&cache, &people, |seq| eventlog::event(&cache, seq), |_| true).expect("a timeline");
        let mut counts = ChangeCounts::default();
        for (index, commit) in commits.iter().enumerate() {
            counts.add_commit(index, commit);
        }
        let live: Vec<&str> = loaded.counts.live().map(|file| loaded.path(file)).collect();
        let mut names = paths.clone();
        let mut numbers = Vec::new();
        for path in &live {
            let known = names.iter().position(|name| name == path);
            numbers.push(known.unwrap_or(names.len()) as u32);
            if known.is_none() {
                names.push((*path).to_string());
            }
        }
        counts.set_live(as_of.time, numbers);
        assert_eq!(loaded.seqs, commits.iter().map(|commit| commit.seq).collect::<Vec<_>>(), "seed {seed}");
        let facts = |commit: &CountedCommit| (commit.time, commit.touched, commit.authors.len(), commit.timeline_index);
        let both = [&counts, &loaded.counts].map(|counts| counts.commits().iter().map(facts).collect::<Vec<_>>());
        assert_eq!(both[0], both[1], "seed {seed}");
        for path in live {
            let found = signals(&loaded.counts, &loaded.paths, path);
            assert_eq!(signals(&counts, &names, path), found, "seed {seed}: {path}");
            compared += found.len();
            shared += found.values().filter(|row| row[0] != 0).count();
        }
    }
    assert!(compared > 100 && shared > 20, "{compared} pairs, {shared} with commits");
}

/// Creates a repository with a parser and its test that change together, a page about hooks, and unrelated files.
fn planted() -> TestRepo {
    let repo = TestRepo::new();
    repo.commit_files(
        &[
            ("src/parser.rs", "pub fn read() {}\n"),
            ("tests/grammar.rs", "fn reads() {}\n"),
            ("src/net.rs", "pub fn dial() {}\n"),
            ("web/page.md", "# A page\n"),
            ("ops/deploy.sh", "echo\n"),
        ],
        "begin",
    );
    for step in 0..6 {
        let text = format!("pub fn read() {{ {step}; }}\n");
        repo.commit_files(&[("src/parser.rs", &text), ("tests/grammar.rs", &text)], "accept trailing commas in lists");
        let text = format!("pub fn dial() {{ {step}; }}\n");
        repo.commit_files(&[("src/net.rs", &text), ("ops/deploy.sh", &text)], "retry sockets after a timeout");
    }
    repo.reindex();
    repo
}

#[test]
fn what_changed_together_leads_and_says_why() {
    let repo = planted();
    let hits = repo.json(&["related", "src/parser.rs"])["hits"].clone();
    assert_eq!(hits[0]["key"], "tests/grammar.rs", "{hits}");
    assert!(texts(&hits[0]["evidence"], "kind").contains(&"together".to_string()), "{hits}");
    let scores: Vec<f64> = hits.as_array().expect("hits").iter().filter_map(|hit| hit["score"].as_f64()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    for hit in hits.as_array().expect("hits") {
        assert!(hit["evidence"].as_array().is_some_and(|reasons| !reasons.is_empty()), "{hit}");
    }
    assert_eq!(repo.json(&["related", "src/parser.rs", "-k", "1"])["hits"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_task_finds_the_files_whose_commits_said_it() {
    let repo = planted();
    let answer = repo.json(&["task", "trailing commas in lists"]);
    assert_eq!(answer["used_vectors"], false);
    assert_eq!(answer["as_of"].as_str(), Some(repo.head().as_str()));
    let keys = texts(&answer["hits"], "key");
    let first = std::collections::BTreeSet::from([keys[0].as_str(), keys[1].as_str()]);
    assert_eq!(first, ["src/parser.rs", "tests/grammar.rs"].into(), "{answer}");
    let reasons = &answer["hits"][0]["evidence"];
    assert!(texts(reasons, "subject").contains(&"accept trailing commas in lists".to_string()), "{reasons}");
    assert!(texts(&answer["hits"][1]["evidence"], "kind").contains(&"together".to_string()), "with the leader");
    let sockets = texts(&repo.json(&["task", "sockets", "timeout"])["hits"], "key");
    assert!(sockets[..2].contains(&"src/net.rs".to_string()), "{sockets:?}");
    let said = repo.patina(&["task", "trailing commas"]);
    assert!(said.stdout.contains("\nas of ") && said.stderr.contains("full text alone was searched"), "{said:?}");
}

#[test]
fn what_sessions_said_of_a_task_hides_no_commit() {
    let repo = planted();
    let decisions: String = (0..500).map(|n| format!("- Trailing commas, {n}\n")).collect();
    let log = format!(
        "# Session: commas\n**ID**: 20250615-090000\n**Started**: 2025-06-15T09:00:00Z\n\n## Activity Log\n\
         ### 09:30 - Commas\n\n**Key Decisions:**\n{decisions}"
    );
    repo.commit_files(&[("notes/sessions/20250615-090000.md", &log)], "a log");
    repo.reindex();
    let entries = repo.json(&["session", "show", "20250615-090000"])["entries"].as_array().map(Vec::len);
    assert!(entries.is_some_and(|entries| entries > 400), "{entries:?}");
    let hits = repo.json(&["task", "trailing commas"])["hits"].clone();
    let parser = hits.as_array().expect("a list").iter().find(|hit| hit["key"] == "src/parser.rs");
    let subjects = texts(&parser.expect("it is found")["evidence"], "subject");
    assert!(subjects.contains(&"accept trailing commas in lists".to_string()), "{hits}");
}

#[test]
fn a_task_is_narrowed_as_a_question_is() {
    let repo = planted();
    let keys = |args: &[&str]| texts(&repo.json(&[&["task", "trailing commas"], args].concat())["hits"], "key");
    assert_eq!(keys(&["-k", "1"]).len(), 1);
    assert_eq!(keys(&["--path", "tests/**"]), ["tests/grammar.rs"]);
    assert_eq!(keys(&["--since", "2100-01-01"]), [""; 0]);
    assert_eq!(keys(&["--kind", "file"]), keys(&[]));
    for (args, word) in [(&["task", "?!"][..], "no word"), (&["task", "x", "--kind", "type"], "files alone")] {
        let ran = repo.try_patina(args);
        assert!(ran.code == 2 && ran.stderr.contains(word) && ran.stdout.is_empty(), "{args:?}: {ran:?}");
    }
    assert_eq!(repo.try_patina(&["task", "x", "-d", "semantic"]).code, 2);
}

#[test]
fn where_little_or_nothing_is_known_it_is_said() {
    let repo = TestRepo::new();
    repo.reindex();
    assert_eq!(repo.json(&["task", "anything"])["hits"], serde_json::json!([]));
    repo.commit_files(&[("a.rs", "fn quick() {}\n")], "the only one");
    repo.reindex();
    assert_eq!(repo.json(&["related", "a.rs"])["hits"], serde_json::json!([]));
    assert_eq!(texts(&repo.json(&["task", "quick"])["hits"], "key"), ["a.rs"]);
    assert_eq!(texts(&repo.json(&["task", "unheard"])["hits"], "key"), [""; 0]);
    repo.commit_files(&[("b.rs", "/// Steers zeppelins.\nfn steer() {}\n")], "another");
    repo.reindex();
    let hits = repo.json(&["task", "zeppelins"])["hits"].clone();
    assert_eq!(
        (texts(&hits, "key").as_slice(), &hits[0]["evidence"][0]["line"]),
        (&["b.rs".to_string()][..], &serde_json::Value::Null)
    );
    assert_eq!(hits[0]["evidence"][0]["text"], "Steers zeppelins.");
    assert_eq!(repo.try_patina(&["related", "c.rs"]).code, 1);
}

#[test]
fn with_a_model_what_means_the_same_is_found_too() {
    let repo = planted().with_model();
    repo.reindex();
    let answer = repo.json(&["task", "connection should try again when the network is slow"]);
    assert_eq!(answer["used_vectors"], true);
    let keys = texts(&answer["hits"], "key");
    assert!(keys[..2].contains(&"src/net.rs".to_string()), "{answer}");
    assert!(answer["hits"][0]["ranks"]["semantic"].is_u64(), "{answer}");
    let related = repo.json(&["related", "src/parser.rs"]);
    assert_eq!(related["hits"][0]["key"], "tests/grammar.rs");
    assert_eq!(related["used_vectors"], true);
}

#[test]
fn kept_weights_decide_and_damaged_ones_do_not() {
    let repo = planted();
    let first = || texts(&repo.json(&["related", "src/parser.rs"])["hits"], "key")[0].clone();
    let folder = repo.state().join("adapters");
    let by_folder = FILE_SIGNALS.map(|signal| (signal, f64::from(u8::from(signal == "same_folder"))));
    let weights = patina::fusion::Weights(by_folder.map(|(_, weight)| weight).to_vec());
    let weights = BTreeMap::from([Question::Files, Question::ColdFiles].map(|question| (question, weights.clone())));
    patina::fusion::save_weights(&folder, "", &weights).expect("kept");
    assert_eq!(first(), "src/net.rs");
    std::fs::write(folder.join("weights.json"), "{").expect("damage");
    assert_eq!(first(), "tests/grammar.rs");
}
