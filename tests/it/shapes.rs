//! Tests of repository states that are no errors: shallow, bare, empty, orphan branches, detached HEAD, missing
//! objects, after `git gc`.

use std::fs;

use crate::support::{TestRepo, afresh, answers, assert_same, texts};

fn with_ten_commits() -> TestRepo {
    let repo = TestRepo::new();
    for index in 0..10 {
        let text = format!("pub fn work{index}() {{ help(); }}\npub fn help() {{}}\n");
        repo.commit_files(&[("src/a.rs", &text), (&format!("n{index}.md"), "# n\n")], &format!("step {index}"));
    }
    repo
}

fn clone_of(repo: &TestRepo, args: &[&str]) -> TestRepo {
    let path = repo.root().join("clone");
    let url = format!("file://{}", repo.path.display());
    repo.git(&[&["clone", "-q"], args, &[&url, path.to_str().expect("UTF-8")]].concat());
    repo.at(path)
}

#[test]
fn a_shallow_clone_says_what_waits_and_equals_the_whole_once_deepened() {
    let origin = with_ten_commits();
    let repo = clone_of(&origin, &["--depth", "4"]);
    repo.reindex();
    let status = repo.json(&["status"]);
    assert_eq!((&status["pending"], &status["behind"]), (&1.into(), &0.into()));
    assert_eq!(repo.count("SELECT count(*) FROM eventlog WHERE event_type = 'git.commit'"), 3);
    assert_eq!(repo.reindex(), 0);
    repo.git(&["fetch", "-q", "--unshallow"]);
    assert_eq!(repo.reindex(), 7);
    assert_eq!(repo.json(&["status"])["pending"], 0);
    origin.reindex();
    assert_same(&answers(&repo), &answers(&origin), "deepened");
}

#[test]
fn what_waits_in_a_shallow_clone_is_still_known_when_the_cache_is_gone() {
    let origin = with_ten_commits();
    let repo = clone_of(&origin, &["--depth", "4"]);
    repo.reindex();
    fs::remove_dir_all(repo.state().join("cache")).expect("the cache goes");
    assert_eq!(repo.reindex(), 0);
    assert_eq!(repo.json(&["status"])["pending"], 1);
    repo.git(&["fetch", "-q", "--unshallow"]);
    fs::remove_dir_all(repo.state().join("cache")).expect("the cache goes");
    repo.reindex();
    origin.reindex();
    assert_same(&answers(&repo), &answers(&origin), "deepened");
}

#[test]
fn an_empty_repository_is_no_error() {
    let repo = TestRepo::new();
    for args in [&["reindex"][..], &["status"], &["log"], &["doctor"], &["query", "anything"]] {
        repo.patina(args);
    }
    let status = repo.json(&["status"]);
    assert_eq!((&status["head"], &status["behind"]), (&serde_json::Value::Null, &0.into()));
    repo.commit_files(&[("a.rs", "fn first() {}\n")], "first");
    repo.reindex();
    assert_eq!(repo.json(&["query", "first"])["hits"][0]["key"], "a.rs#first");
}

#[test]
fn an_unborn_branch_shows_nothing_and_the_old_one_comes_back_for_free() {
    let repo = with_ten_commits();
    repo.reindex();
    let before = answers(&repo);
    repo.git(&["checkout", "-q", "--orphan", "other"]);
    assert_eq!(repo.reindex(), 0);
    assert_eq!(repo.json(&["query", "help"])["hits"], serde_json::json!([]));
    assert_eq!(repo.count("SELECT count(*) FROM eventlog"), 0);
    repo.git(&["rm", "-rfq", "."]);
    repo.commit_files(&[("b.rs", "fn alone() {}\n")], "a second root");
    repo.reindex();
    assert_eq!(repo.count("SELECT count(*) FROM commit_files"), 1);
    repo.git(&["checkout", "-q", "main"]);
    assert_eq!(repo.reindex(), 0);
    assert_eq!(answers(&repo), before);
}

#[test]
fn a_detached_head_is_a_head() {
    let repo = with_ten_commits();
    repo.git(&["checkout", "-q", "--detach", "HEAD~3"]);
    repo.reindex();
    assert_eq!(repo.count("SELECT count(*) FROM eventlog WHERE event_type = 'git.commit'"), 7);
    assert_eq!(repo.json(&["status"])["indexed_commit"].as_str(), Some(repo.head().as_str()));
    assert!(repo.patina(&["status"]).stdout.contains("detached"));
}

#[test]
fn a_bare_repository_is_answered_from_its_head() {
    let repo = clone_of(&with_ten_commits(), &["--bare"]);
    repo.reindex();
    assert_eq!(repo.json(&["query", "help"])["hits"][0]["key"], "src/a.rs#help");
    assert_eq!(repo.json(&["status"])["behind"], 0);
    assert!(repo.path.join("patina/eventlog.db").exists());
}

/// Removes the blob of a file from the object database, as if a partial clone had never fetched it.
fn lose(repo: &TestRepo, path: &str) -> (std::path::PathBuf, Vec<u8>) {
    let id = repo.git(&["rev-parse", &format!("HEAD:{path}")]).stdout.trim().to_string();
    let object = repo.path.join(".git/objects").join(&id[..2]).join(&id[2..]);
    let bytes = fs::read(&object).expect("a loose object");
    fs::remove_file(&object).expect("it goes");
    (object, bytes)
}

#[test]
fn a_missing_blob_is_counted_and_taken_in_when_it_comes() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.rs", "fn here() {}\n"), ("b.rs", "fn lost() { here(); }\n")], "both");
    let (object, bytes) = lose(&repo, "b.rs");
    repo.reindex();
    assert_eq!(repo.json(&["status"])["files"], serde_json::json!({"code": 1, "missing": 1}));
    assert_eq!(repo.json(&["query", "here"])["hits"][0]["key"], "a.rs#here");
    fs::write(object, bytes).expect("it comes back");
    repo.reindex();
    assert_eq!(texts(&repo.json(&["query", "lost", "--kind", "function"])["hits"], "key"), ["b.rs#lost"]);
    assert_same(&answers(&repo), &afresh(&repo), "late");
}

#[test]
fn a_missing_parent_tree_makes_its_commit_wait_and_nothing_else() {
    let repo = with_ten_commits();
    let tree = repo.git(&["rev-parse", "HEAD~5^{tree}"]).stdout.trim().to_string();
    let object = repo.path.join(".git/objects").join(&tree[..2]).join(&tree[2..]);
    let bytes = fs::read(&object).expect("a loose object");
    fs::remove_file(&object).expect("it goes");
    repo.reindex();
    assert_eq!(repo.json(&["status"])["pending"], 2, "the commit itself and its child");
    assert_eq!(repo.count("SELECT count(*) FROM event WHERE event_type = 'git.commit'"), 8);
    fs::write(object, bytes).expect("it comes back");
    repo.reindex();
    assert_same(&answers(&repo), &afresh(&repo), "late");
}

#[test]
fn what_a_sweep_dropped_comes_back_with_its_view() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.rs", "use x::y;\npub fn one() { y(); two(); }\npub fn two() {}\n")], "one");
    repo.commit_files(&[("a.rs", "pub fn one() { two(); }\npub fn two() {}\n"), ("b.rs", "fn b() {}\n")], "two");
    repo.reindex();
    let (before, tip) = (answers(&repo), repo.head());
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    repo.reindex();
    let older = answers(&repo);
    assert!(repo.json(&["gc", "--days", "0"])["events_dropped"].as_u64() > Some(0));
    assert_eq!(answers(&repo), older, "what is live stays");
    repo.git(&["reset", "-q", "--hard", &tip]);
    repo.reindex();
    assert_eq!(answers(&repo), before);
    repo.patina(&["gc", "--days", "0"]);
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    repo.reindex();
    assert_eq!(answers(&repo), older);
    repo.patina(&["doctor"]);
}

#[test]
fn replace_refs_and_grafts_change_nothing() {
    let repo = with_ten_commits();
    repo.reindex();
    let before = answers(&repo);
    repo.git(&["replace", "--graft", "HEAD~2"]);
    repo.patina(&["reindex", "--full"]);
    assert_eq!(answers(&repo), before);
}

#[test]
fn on_a_network_file_system_there_is_no_write_ahead_log() {
    let repo = with_ten_commits();
    let info = repo.root().join("mountinfo");
    fs::write(&info, format!("35 21 0:31 / {} rw,relatime - nfs4 host:/x rw\n", repo.root().display()))
        .expect("a file");
    let touched = repo.root().join("touched");
    let text = |path: &std::path::Path| path.to_str().expect("UTF-8").to_string();
    let remote = repo.with_shim(&[("MOUNTINFO", &text(&info)), ("TOUCHED", &text(&touched))]);
    remote.reindex();
    assert_eq!(remote.json(&["doctor", "--verify"])["equal"], true);
    let touched = fs::read_to_string(touched).expect("what was touched");
    assert!(touched.contains("eventlog.db-journal"), "{touched}");
    assert!(!touched.lines().any(|line| line.starts_with("write") && line.ends_with("-wal")), "{touched}");
}
