//! Tests of the `session` task on a synthetic history with known ground truth: a session shares a word with its commits
//! and files. Nothing of a session that is asked about may be trained on.

use std::collections::BTreeMap;

use patina::git::minute;
use serde_json::{Value, json};

use crate::support::{Made, Random, TestRepo, WORDS, about, linear, texts};

/// The number of sessions; each is three commits of work and one that adds its log.
const SESSIONS: usize = 30;
const EACH: usize = 4;
/// Index of the first commit of the test split: the newest fifth of the first commit and the 120 after it.
const TESTS: usize = 97;
/// The number of searchable entries of a session: its goal, a heading, one piece of work and one decision.
const ENTRIES: usize = 4;
/// The number of files per word.
const FAMILY: usize = 6;
const FAMILIES: usize = 10;

/// The time of the first commit; the others follow an hour apart.
const BEGIN: i64 = 1_740_000_000;

fn when(place: usize) -> i64 {
    BEGIN + 3600 * place as i64
}

fn iso(seconds: i64) -> String {
    format!("{}:00Z", minute(seconds).replace(' ', "T"))
}

fn id(session: usize) -> String {
    format!("session-{session:02}")
}

fn log_path(session: usize) -> String {
    format!("notes/sessions/{}.md", id(session))
}

/// Returns the log of a session that starts before its first commit and ends with the commit that adds the log.
fn log(session: usize, word: &str, named: &str) -> String {
    let first = 1 + EACH * session;
    let (started, ended) = (iso(when(first) - 600), iso(when(first + EACH - 1)));
    format!(
        "# Session: number {session}\n**ID**: {}\n**Started**: {started}\n**Ended**: {ended}\n**Git Branch**: main\n\n\
         ## Goals\n- [x] mend the {word}, time {session}\n\n## Activity Log\n### 09:30 - Mending the {word}\n\n\
         **Work Completed:**\n- Looked into {named} for the {word} of day {session}\n\n\
         **Key Decisions:**\n- Keep the {word} because nobody wants another, says {session}\n",
        id(session)
    )
}

/// Returns a history of files in families that share a word; each commit of a session changes two files of one family.
fn history() -> Vec<Made> {
    let random = &mut Random::new(31);
    let mut texts = Vec::new();
    for file in 0..FAMILY * FAMILIES {
        let words = [WORDS[file % FAMILIES], WORDS[20 + file]];
        texts.push((format!("d{}/f{file}.txt", file % 5), about(random, &words)));
    }
    let mut commits = vec![Made::new("begin", texts.clone())];
    for session in 0..SESSIONS {
        let family = random.below(FAMILIES);
        let mut named = String::new();
        for work in 0..EACH - 1 {
            let first = random.below(FAMILY);
            let second = (first + 1 + random.below(FAMILY - 1)) % FAMILY;
            let mut files = Vec::new();
            for member in [first, second] {
                let (path, text) = &mut texts[member * FAMILIES + family];
                text.push('\n');
                named.clone_from(path);
                files.push((path.clone(), text.clone()));
            }
            commits.push(Made::new(format!("mend the {} again, {session} {work}", WORDS[family]), files));
        }
        let log = log(session, WORDS[family], &named);
        commits.push(Made::new(format!("session: archive {}", id(session)), [(log_path(session), log)]));
    }
    commits
}

/// Returns the same history, but with an unrelated log of the last session.
fn other() -> Vec<Made> {
    let mut commits = history();
    let last = commits.last_mut().expect("there are some");
    let log = log(SESSIONS - 1, "zebra that nobody heard of", "d1/f1.txt");
    *last = Made::new(last.message.clone(), [(log_path(SESSIONS - 1), log)]);
    commits
}

fn eval(repo: &TestRepo, leak: Option<&str>, more: &str) -> Value {
    let config = repo.root().join("quick.toml");
    let text = format!("[semantic]\nhidden = 32\nout = 32\nsteps = 60\nbatch = 64\n{more}");
    std::fs::write(&config, text).expect("a file");
    let repo = repo.with_model();
    let repo = leak.map_or(repo.with("PATINA_LEAK", ""), |leak| repo.with("PATINA_LEAK", leak));
    repo.json(&["eval", "--dimension", "semantic", "--commits", "--config", &config.display().to_string()])
}

fn rows(report: &Value) -> BTreeMap<String, Value> {
    let tasks = report["tasks"].as_array().expect("a list").iter();
    let word = |task: &Value, field: &str| task[field].as_str().expect("a text").to_string();
    let name = |task: &Value| format!("{} {}", word(task, "task"), word(task, "subset"));
    tasks.map(|task| (name(task), task.clone())).collect()
}

fn adapter(report: &Value) -> String {
    report["dimensions"][0]["adapter"].as_str().expect("it learned something").to_string()
}

#[test]
fn sessions_are_asked_for_their_files_and_commits() {
    let repo = linear(&history());
    repo.reindex();
    let report = eval(&repo, None, "");
    let rows = rows(&report);
    let asked = (0..SESSIONS).filter(|session| 1 + EACH * session >= TESTS).count();
    let check = |name: &str, n: usize, methods: &[&str]| {
        let row = &rows[name];
        assert_eq!((&row["n"], &row["units"], &row["reason"]), (&json!(n), &json!(asked), &Value::Null), "{name}");
        assert_eq!(row["commits"].as_object().map(serde_json::Map::len), Some(asked), "{name}: {row}");
        for method in methods {
            assert!(row["methods"][method]["mrr"].is_f64(), "{name} {method}: {}", row["methods"]);
        }
    };
    let methods = ["random", "popular", "bm25", "frozen", "identity", "random_projection", "plain", "fused"];
    check("session all", 2 * asked * ENTRIES, &methods);
    check("session files", asked * ENTRIES, &methods);
    check("session commits", asked * ENTRIES, &methods);
    check("task_to_files sessions", asked, &[&methods[..], &["path", "messages"]].concat());
    assert!(rows["session all"]["commits"][&format!("session:{}", id(SESSIONS - 1))].is_f64(), "{rows:?}");
    let mrr = |name: &str, method: &str| rows[name]["methods"][method]["mrr"].as_f64().expect("it was asked");
    for (name, bm25, fused) in
        [("session files", 0.6, 0.8), ("task_to_files sessions", 0.6, 0.8), ("session commits", 0.2, 0.3)]
    {
        assert!(mrr(name, "bm25") > bm25, "the word is in the texts of both: {name} {}", rows[name]["methods"]);
        assert!(mrr(name, "fused") > fused, "{name} {}", rows[name]["methods"]);
    }
    assert!(mrr("session commits", "fused") > mrr("session commits", "popular"), "no commit is more popular");
}

#[test]
fn where_no_session_is_recorded_or_none_tests_the_reason_is_said() {
    let commits = history().into_iter().filter(|commit| !commit.message.starts_with("session:"));
    let repo = linear(&commits.collect::<Vec<_>>());
    repo.reindex();
    let reason = |report: &Value, name: &str| rows(report)[name]["reason"].as_str().expect("a reason").to_string();
    let report = eval(&repo, None, "");
    for name in ["session all", "task_to_files sessions"] {
        assert_eq!(reason(&report, name), "no development session is recorded here");
    }
    assert!(rows(&report)["task_to_files all"]["reason"].is_null());
    let early = [&history()[..1 + EACH], &commits_without_logs()[1 + EACH..]].concat();
    let early = linear(&early);
    early.reindex();
    let report = eval(&early, None, "");
    for name in ["session all", "session files", "session commits", "task_to_files sessions"] {
        assert!(reason(&report, name).starts_with("no test session"), "{name}");
    }
}

/// Returns the same history with logs that have no content.
fn commits_without_logs() -> Vec<Made> {
    let silent = |commit: Made| match commit.message.starts_with("session:") {
        true => Made::new("nothing to see", [("notes/empty.txt".to_string(), commit.message)]),
        false => commit,
    };
    history().into_iter().map(silent).collect()
}

/// Returns the result of each session and commit except the last ones.
fn before_the_last(report: &Value) -> BTreeMap<String, BTreeMap<String, Value>> {
    let last = [report["as_of"].as_str().expect("a commit").to_string(), format!("session:{}", id(SESSIONS - 1))];
    let units = |row: Value| {
        let all = row["commits"].as_object().expect("units").clone().into_iter();
        all.filter(|(unit, _)| !last.contains(unit)).collect()
    };
    rows(report).into_iter().map(|(name, row)| (name, units(row))).collect()
}

#[test]
fn what_a_later_session_says_reaches_no_earlier_side() {
    let [base, newest] = [history(), other()].map(|commits| linear(&commits));
    for repo in [&base, &newest] {
        repo.reindex();
    }
    let both = |leak: Option<&str>| [&base, &newest].map(|repo| eval(repo, leak, "sessions = true\n"));
    let [one, two] = both(None);
    assert_eq!(adapter(&one), adapter(&two));
    assert_eq!(one["weights"], two["weights"]);
    assert_eq!(before_the_last(&one), before_the_last(&two));
    assert!(before_the_last(&one).values().all(|units| units.len() >= 4), "{:?}", before_the_last(&one));
    assert_ne!(
        rows(&one)["session all"]["commits"],
        rows(&two)["session all"]["commits"],
        "it is asked something else"
    );
    if cfg!(feature = "fail-points") {
        let [one, two] = both(Some("a later session"));
        assert_ne!(adapter(&one), adapter(&two), "an entry that is asked was learned from, and that is noticed");
    }
}

#[test]
fn what_sessions_say_is_learned_from_where_an_experiment_wants_it() {
    let repo = linear(&history());
    repo.reindex();
    let [always, without, with] =
        ["", "sessions = false\n", "sessions = true\n"].map(|more| adapter(&eval(&repo, None, more)));
    assert!(always == without && always != with, "{always} {without} {with}");
}

#[test]
fn what_an_entry_names_is_near_it_and_it_is_near_what_it_names() {
    let repo = linear(&history());
    repo.reindex();
    let entries = repo.json(&["session", "show", &id(3)])["entries"].as_array().expect("a list").clone();
    let named = entries.iter().find(|entry| entry["files"] != json!([])).expect("one names a file");
    let file = named["files"][0].as_str().expect("a path");
    let key = format!("session:{}/{}", id(3), named["n"]);
    let near = repo.json(&["related", &key]);
    assert_eq!((&near["target"], &near["hits"][0]["key"]), (&json!(key), &json!(file)), "{near}");
    assert_eq!(near["hits"][0]["evidence"][0]["dimension"], "semantic", "{near}");
    let whole = repo.json(&["related", &format!("session:{}", id(3))]);
    assert!(texts(&whole["hits"], "key").contains(&file.to_string()), "{whole}");
    let near = repo.json(&["related", file, "-d", "semantic", "-k", "200"]);
    assert!(texts(&near["hits"], "key").contains(&key), "{near}");
    let ran = repo.try_patina(&["related", "session:nobody/1"]);
    assert!(ran.code == 1 && ran.stderr.contains("session:nobody/1") && ran.stdout.is_empty(), "{ran:?}");
    let ran = repo.patina(&["related", &key, "-d", "temporal"]);
    assert!(ran.stderr.contains("temporal has no vectors of session entries"), "{ran:?}");
}
