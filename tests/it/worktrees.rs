//! Tests of several worktrees with one store: each is answered as of its own HEAD, shared content is stored once, and a
//! removed worktree leaves nothing behind, whether git or a person removed it.

use std::fs;

use Heard::{Hook, Next};
use rusqlite::Connection;

use crate::support::{Heard, TestRepo, answers, assert_same, audit, is_current, step, texts, until, verified};

fn work(name: &str) -> String {
    format!("/// Does {name}.\npub fn {name}() {{\n    help_{name}();\n}}\n\nfn help_{name}() {{}}\n")
}

fn repository() -> TestRepo {
    let repo = TestRepo::with_hooks();
    for index in 0..4 {
        repo.silent().commit_files(&[(&format!("src/f{index}.rs"), &work(&format!("work{index}")))], "step");
    }
    repo.patina(&["reindex"]);
    repo
}

/// Adds a linked worktree on its own branch.
fn linked(repo: &TestRepo, name: &str) -> TestRepo {
    let path = repo.root().join(name);
    repo.git(&["worktree", "add", "-q", "-b", name, path.to_str().expect("UTF-8")]);
    repo.at(path)
}

fn keys(repo: &TestRepo, question: &str) -> Vec<String> {
    texts(&repo.json(&["query", question, "--kind", "function"])["hits"], "key")
}

#[test]
fn each_worktree_is_answered_as_of_its_own_head_from_one_store() {
    let repo = repository();
    let all: Vec<TestRepo> = ["one", "two", "three"].iter().map(|name| linked(&repo, name)).collect();
    for (index, linked) in all.iter().enumerate() {
        let name = format!("only{index}");
        step(&repo, &name, Hook, |_| {
            linked.commit_files(&[("src/own.rs", &work(&name)), ("src/f0.rs", &work(&name))], &name);
            until("the linked worktree", || is_current(linked));
        });
        assert_eq!(linked.state(), repo.state(), "one store");
    }
    for (index, linked) in all.iter().enumerate() {
        assert_eq!(linked.json(&["related", "src/own.rs"])["as_of"].as_str(), Some(linked.head().as_str()));
        let mut found = keys(linked, "only0 only1 only2");
        found.truncate(2);
        found.sort();
        assert_eq!(found, [format!("src/f0.rs#only{index}"), format!("src/own.rs#only{index}")]);
        assert_eq!(linked.json(&["who", "src/own.rs"])["people"][0]["commits"], 3, "history is that of all HEADs");
    }
    let elsewhere = repo.patina(&["who", "src/own.rs"]).stderr;
    assert!(elsewhere.contains("src/own.rs is not in the tree of this answer"), "{elsewhere}");
    assert!(!keys(&repo, "only0").iter().any(|key| key.contains("only")), "the main worktree has none of them");
}

#[test]
fn what_worktrees_have_in_common_is_embedded_once() {
    let repo = TestRepo::new().with_model();
    for index in 0..4 {
        repo.commit_files(&[(&format!("src/f{index}.rs"), &work(&format!("work{index}")))], &format!("step {index}"));
    }
    let embedded = || repo.json(&["reindex"])["texts_embedded"].as_u64();
    assert!(embedded() > Some(8));
    let one = linked(&repo, "one");
    assert_eq!(embedded(), Some(0), "another worktree at the same commit");
    one.commit_files(&[("src/f9.rs", &work("work0"))], "step 0");
    assert_eq!(embedded(), Some(0), "a file of another name that says the same");
    let two = linked(&repo, "two");
    two.git(&["reset", "-q", "--hard", "one"]);
    assert_eq!(embedded(), Some(0));
    verified(&repo, "three worktrees");
}

/// Counts the rows that the cache still holds for a removed worktree.
fn left_behind(repo: &TestRepo) -> Vec<(&'static str, i64)> {
    let cache = Connection::open(repo.cache()).expect("the cache opens");
    let count = |sql: &str| cache.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("it runs");
    let dead = "NOT IN (SELECT seq FROM parse_item JOIN view_file USING (parse) UNION SELECT seq FROM reachable)";
    vec![
        // All worktrees share one view, of sessions that are in no tree.
        ("views", count("SELECT count(*) FROM view WHERE worktree NOT IN ('', 'session:')")),
        ("files", count("SELECT count(*) FROM view_file WHERE view NOT IN (SELECT id FROM view)")),
        ("texts", count(&format!("SELECT count(*) FROM item_text WHERE seq {dead}"))),
        ("full text", count(&format!("SELECT count(*) FROM text_index WHERE rowid {dead}"))),
    ]
}

#[test]
fn a_worktree_that_goes_leaves_nothing_behind() {
    let repo = repository();
    let before = answers(&repo);
    for (name, removed) in [("told", true), ("untold", false)] {
        let side = linked(&repo, name);
        step(&repo, "a worktree with work of its own", Hook, |_| {
            side.commit_files(&[("src/f0.rs", &work(name)), ("src/ghost.rs", &work("ghost"))], "ghostly");
            until("the linked worktree", || is_current(&side));
        });
        assert_eq!(repo.json(&["who", "src/f0.rs"])["people"][0]["commits"], 2);
        if removed {
            repo.git(&["worktree", "remove", side.path.to_str().expect("UTF-8")]);
        } else {
            fs::remove_dir_all(&side.path).expect("it goes");
        }
        // git runs no hook: the next command notices that the worktree is gone, and with `--fresh` waits for the
        // update.
        assert_eq!(repo.json(&["who", "src/f0.rs", "--fresh"])["people"][0]["commits"], 1, "{name}");
        repo.rest();
        let left = left_behind(&repo);
        assert!(left.iter().all(|(_, count)| *count == 0), "{name}: {left:?}");
        assert_eq!(repo.count("SELECT count(*) FROM eventlog WHERE data LIKE '%ghost%'"), 0, "{name}");
        assert_eq!(repo.count("SELECT count(*) FROM commit_files WHERE file_path = 'src/ghost.rs'"), 0, "{name}");
        audit(&repo, name);
        assert_same(&answers(&repo), &before, name);
        assert!(repo.count("SELECT count(*) FROM event WHERE data LIKE '%ghostly%'") > 0, "the fact itself stays");
    }
}

#[test]
fn worktrees_that_move_and_are_locked_or_detached() {
    let repo = repository();
    let side = linked(&repo, "side");
    step(&side, "a commit there", Hook, |side| {
        side.commit_files(&[("src/side.rs", &work("side"))], "side");
    });
    let moved = repo.at(repo.root().join("elsewhere"));
    repo.git(&["worktree", "move", side.path.to_str().expect("UTF-8"), moved.path.to_str().expect("UTF-8")]);
    assert_eq!(keys(&moved, "side")[0], "src/side.rs#side");
    verified(&moved, "a move");
    step(&moved, "a detached HEAD there", Hook, |moved| drop(moved.git(&["checkout", "-q", "--detach", "HEAD~2"])));
    step(&moved, "a branch of the main worktree, rewritten there", Hook, |moved| {
        moved.git(&["checkout", "-q", "-B", "side", "main"]);
        moved.git(&["commit", "-q", "--amend", "-m", "in other words"]);
    });
    assert_eq!(repo.count("SELECT count(*) FROM eventlog WHERE event_type = 'git.commit'"), 5);
    step(&repo, "a branch that another worktree stands on", Next, |repo| {
        assert_ne!(repo.try_git(&["branch", "-D", "side"]).code, 0, "git keeps it");
    });
}

const FILES: usize = 500;
const FUNCTIONS: usize = 10;

fn write_all(repo: &TestRepo, side: &str) {
    for file in 0..FILES {
        let text = (0..FUNCTIONS).map(|at| format!("pub fn f{file}_{at}() {{ {side}({at}); }}\n")).collect::<String>();
        repo.write(format!("src/file{file}.rs"), text);
    }
}

#[test]
fn a_switch_of_five_thousand_items_and_back_appends_nothing() {
    let repo = TestRepo::with_hooks();
    write_all(&repo, "here");
    repo.silent().commit("here");
    repo.git(&["checkout", "-q", "-b", "other"]);
    write_all(&repo, "there");
    repo.commit("there");
    repo.settle();
    repo.git(&["checkout", "-q", "main"]);
    repo.settle();
    let events = repo.count("SELECT count(*) FROM event");
    let items = "SELECT count(*) FROM eventlog WHERE event_type = 'code.function'";
    assert_eq!(repo.count(items), (FILES * FUNCTIONS) as i64);
    for (branch, people) in [("other", 2), ("main", 1)] {
        repo.git(&["checkout", "-q", branch]);
        let answer = repo.json(&["who", "src/file7.rs", "--fresh"]);
        assert_eq!(answer["as_of"].as_str(), Some(repo.head().as_str()));
        assert_eq!(answer["people"][0]["commits"], people, "{branch}");
        // Full text is as current as the counts.
        let hits = repo.json(&["query", "f7_3", "--fresh"]);
        assert_eq!(hits["hits"][0]["key"], "src/file7.rs#f7_3");
        repo.rest();
        assert_eq!(repo.count("SELECT count(*) FROM event"), events, "{branch}");
        assert_eq!(repo.count(items), (FILES * FUNCTIONS) as i64);
    }
    audit(&repo, "there and back");
}
