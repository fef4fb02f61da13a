//! Tests of git hooks: everything that git does is indexed automatically, and no failure of patina affects git. Tests
//! poll with a limit instead of sleeping.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{TestRepo, afresh, answers, assert_same, put, ran, until};

fn with_history(commits: usize) -> TestRepo {
    let repo = TestRepo::with_hooks();
    for index in 0..commits {
        repo.commit_files(&[(&format!("f{index}.rs"), &format!("fn work{index}() {{}}\n"))], &format!("step {index}"));
    }
    repo.settle();
    repo
}

/// Counts how often the worker finished an update.
fn runs(repo: &TestRepo) -> usize {
    let log = fs::read_to_string(repo.state().join("patina.log")).unwrap_or_default();
    log.matches("caught up").count()
}

fn rings(repo: &TestRepo) -> u64 {
    fs::metadata(repo.state().join("wake")).map_or(0, |meta| meta.len())
}

fn assert_indexed(repo: &TestRepo, after: &str) {
    repo.settle();
    let status = repo.json(&["status"]);
    assert_eq!(status["indexed_commit"].as_str(), Some(repo.head().as_str()), "after {after}");
    assert_eq!((&status["behind"], &status["last_error"]), (&0.into(), &Value::Null), "after {after}");
}

#[test]
fn a_commit_is_found_once_it_was_waited_for() {
    let repo = with_history(1);
    repo.commit_files(&[("new.rs", "fn brand_new() {}\n")], "a new one");
    repo.settle();
    assert_eq!(repo.json(&["query", "brand_new", "--kind", "function"])["hits"][0]["key"], "new.rs#brand_new");
}

#[test]
fn a_commit_is_taken_in_although_nobody_asks() {
    let repo = with_history(1);
    repo.commit("unasked");
    let head = repo.head();
    until("the hook's own worker", || repo.silent().json(&["status"])["indexed_commit"] == head.as_str());
    repo.rest();
}

#[test]
fn whatever_git_does_is_indexed_and_equals_one_full_pass() {
    let repo = with_history(5);
    repo.git(&["commit", "-q", "--amend", "-m", "amended"]);
    assert_indexed(&repo, "an amend");
    repo.git(&["checkout", "-q", "-b", "side", "HEAD~2"]);
    assert_indexed(&repo, "a checkout");
    repo.commit_files(&[("side.rs", "fn side() {}\n")], "side");
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["merge", "-q", "--no-ff", "-m", "merged", "side"]);
    assert_indexed(&repo, "a merge");
    repo.git(&["checkout", "-q", "-b", "other", "HEAD~2"]);
    repo.commit_files(&[("other.rs", "fn other() { side(); }\n")], "other");
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["cherry-pick", "-x", "other"]);
    assert_indexed(&repo, "a cherry-pick");
    repo.git(&["revert", "--no-edit", "-m", "1", "HEAD~1"]);
    assert_indexed(&repo, "a revert");
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    assert_indexed(&repo, "a reset");
    repo.write("f0.rs", "fn stashed() {}\n");
    repo.git(&["stash", "-q"]);
    repo.git(&["stash", "pop", "-q"]);
    assert_indexed(&repo, "a stash");
    repo.git(&["checkout", "-q", "--", "."]);
    repo.git(&["checkout", "-q", "--detach", "HEAD~1"]);
    assert_indexed(&repo, "a detached checkout");
    repo.git(&["checkout", "-q", "main"]);
    assert_indexed(&repo, "the way back");
    assert_same(&answers(&repo), &afresh(&repo), "after all of it");
}

#[test]
fn a_rebase_of_twenty_is_few_runs() {
    let repo = with_history(1);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    for index in 0..20 {
        let file = format!("t{index}.rs");
        repo.silent().commit_files(&[(&file, "fn t() {}\n")], &format!("topic {index}"));
    }
    repo.git(&["checkout", "-q", "main"]);
    repo.commit_files(&[("base.rs", "fn base() {}\n")], "the base moves");
    repo.git(&["checkout", "-q", "topic"]);
    repo.settle();
    let before = runs(&repo);
    repo.git(&["rebase", "-q", "main"]);
    assert_indexed(&repo, "a rebase");
    let after = runs(&repo);
    assert!(after > before && after - before <= 4, "{} runs for twenty picks", after - before);
    let reachable = repo.count("SELECT count(*) FROM eventlog WHERE event_type = 'git.commit'");
    assert_eq!(reachable, 22);
    assert_same(&answers(&repo), &afresh(&repo), "after the rebase");
}

#[test]
fn linked_worktrees_come_work_and_go() {
    let repo = with_history(2);
    let names = |repo: &TestRepo| -> Vec<String> {
        let worktrees = repo.json(&["status"])["worktrees"].clone();
        worktrees
            .as_array()
            .expect("worktrees")
            .iter()
            .map(|one| one["name"].as_str().unwrap_or_default().to_string())
            .collect()
    };
    for (name, is_told) in [("one", true), ("two", false)] {
        let path = repo.root().join(name);
        repo.git(&["worktree", "add", "-q", "-b", name, path.to_str().expect("UTF-8")]);
        let linked = repo.at(&path);
        // git runs this hook with an absolute GIT_DIR and GIT_INDEX_FILE of the linked worktree.
        linked.commit_files(&[("linked.rs", &format!("fn in_{name}() {{}}\n"))], name);
        linked.settle();
        let hits = linked.json(&["query", &format!("in_{name}"), "--kind", "function"]);
        assert_eq!(hits["hits"][0]["key"], format!("linked.rs#in_{name}"));
        assert_eq!(names(&repo), ["", name]);
        assert!(linked.git(&["status", "--porcelain"]).stdout.is_empty(), "no index was touched");
        if is_told {
            repo.git(&["worktree", "remove", path.to_str().expect("UTF-8")]);
        } else {
            fs::remove_dir_all(&path).expect("the folder goes");
        }
        repo.commit(&format!("after {name}"));
        repo.settle();
        assert_eq!(names(&repo), [""], "{name}");
        assert_eq!(repo.json(&["query", &format!("in_{name}"), "--kind", "function"])["hits"], serde_json::json!([]));
    }
}

#[test]
fn a_worktree_that_was_never_indexed_is_answered_from_the_main_one() {
    let repo = with_history(2);
    let path = repo.root().join("side");
    repo.silent().git(&["worktree", "add", "-q", "-b", "side", path.to_str().expect("UTF-8")]);
    let linked = repo.at(&path).silent();
    linked.commit_files(&[("f0.rs", "fn differs() {}\n")], "differs");
    let said = linked.patina(&["query", "work0", "work1", "--kind", "function"]);
    assert!(said.stdout.contains("f1.rs") && !said.stdout.contains("f0.rs"), "{}", said.stdout);
    assert!(said.stderr.contains("has not been indexed yet"), "{}", said.stderr);
}

#[test]
fn nothing_rings_where_patina_is_switched_off() {
    let repo = with_history(1);
    let before = rings(&repo);
    repo.silent().commit("with PATINA=0");
    repo.patina(&["hook", "disable"]);
    repo.commit("disabled");
    assert_eq!(rings(&repo), before);
    repo.patina(&["hook", "enable"]);
    repo.commit("enabled");
    until("a ring", || rings(&repo) > before);
    assert_indexed(&repo, "enabling");
}

fn bytes_below(folder: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let mode = fs::metadata(&path).expect("a stat").permissions().mode();
        all.push((path.clone(), mode, fs::read(path).unwrap_or_default()));
    }
    all.sort();
    all
}

#[test]
fn uninstall_leaves_every_byte_as_it_was() {
    let repo = TestRepo::new();
    let hooks = repo.path.join(".git/hooks");
    put(&hooks.join("post-commit"), b"#!/bin/sh\necho mine\nexit 0\n", 0o750);
    put(&hooks.join("post-merge"), b"#!/bin/sh\necho no line end", 0o755);
    put(&hooks.join("post-checkout"), b"#!/usr/bin/env python3\nprint('not a shell')\n", 0o755);
    let before = (bytes_below(&hooks), fs::read(repo.path.join(".git/config")).expect("the config"));
    let states = repo.json(&["hook", "install"])["hooks"].clone();
    assert_eq!(states.as_array().map(Vec::len), Some(5), "{states}");
    assert_ne!(bytes_below(&hooks), before.0);
    assert_eq!(repo.json(&["hook", "install"])["hooks"], states, "twice equals once");
    repo.patina(&["hook", "uninstall"]);
    assert_eq!((bytes_below(&hooks), fs::read(repo.path.join(".git/config")).expect("the config")), before);
}

/// Returns git's output for many commands, after `spoil` damaged the patina binary that the hooks call.
fn everything_git_says(hooks: bool, spoil: impl Fn(&Path)) -> Vec<(i32, String, String)> {
    let mut repo = TestRepo::new();
    if hooks {
        let program = repo.own_program();
        assert_eq!(ran(repo.command(&program).args(["hook", "install"])).code, 0);
        spoil(&program);
        repo = repo.with("PATINA", "");
    }
    let mut said = Vec::new();
    for args in [
        &["commit", "--allow-empty", "-m", "one"][..],
        &["commit", "--allow-empty", "-m", "two"],
        &["commit", "--allow-empty", "--amend", "-m", "three"],
        &["checkout", "-b", "side", "HEAD~1"],
        &["commit", "--allow-empty", "-m", "aside"],
        &["checkout", "main"],
        &["merge", "--no-ff", "-m", "merged", "side"],
        &["cherry-pick", "--allow-empty", "side"],
        &["rebase", "--force-rebase", "HEAD~1"],
        &["commit", "-m", "nothing to commit"],
        &["reset", "--hard", "HEAD~1"],
    ] {
        let start = Instant::now();
        let ran = repo.try_git(args);
        assert!(start.elapsed() < HANGS / 2, "git {args:?} waited {:?}", start.elapsed());
        said.push((ran.code, ran.stdout, ran.stderr));
    }
    if hooks {
        repo.rest();
    }
    said
}

/// How long a simulated hanging patina runs. It ends by itself, so that no process is left behind for long.
const HANGS: Duration = Duration::from_secs(20);

#[test]
fn git_says_the_same_whatever_became_of_patina() {
    let script = |text: String| {
        move |program: &Path| {
            fs::remove_file(program).expect("it was there");
            put(program, text.as_bytes(), 0o755);
        }
    };
    let without = everything_git_says(false, |_| {});
    assert_eq!(everything_git_says(true, |_| {}), without, "working");
    assert_eq!(
        everything_git_says(true, |program| fs::remove_file(program).expect("it was there")),
        without,
        "deleted"
    );
    let crashing = script("#!/bin/sh\necho out; echo err >&2; kill -SEGV $$\n".into());
    assert_eq!(everything_git_says(true, crashing), without, "crashing");
    let hanging = script(format!("#!/bin/sh\ncd /; exec sleep {}\n", HANGS.as_secs()));
    assert_eq!(everything_git_says(true, hanging), without, "hanging");
    let no_program = script("\u{7f}ELF nonsense".into());
    assert_eq!(everything_git_says(true, no_program), without, "no program");
}

#[test]
fn a_hook_that_finds_no_patina_leaves_a_crumb_for_the_doctor() {
    let repo = with_history(1);
    let program = repo.own_program();
    assert_eq!(ran(repo.command(&program).args(["hook", "install"])).code, 0);
    fs::remove_file(&program).expect("it was there");
    repo.commit("nobody answers");
    until("a crumb", || repo.state().join("crumbs").exists());
    let doctor = repo.silent().patina(&["doctor"]).stdout;
    assert!(doctor.contains("reachability") && doctor.contains("post-commit"), "{doctor}");
}

#[test]
fn rings_while_the_lock_is_held_are_not_lost() {
    let repo = with_history(1);
    let lock = repo.lock();
    let before = rings(&repo);
    for index in 0..2 {
        repo.commit_files(&[(&format!("held{index}.rs"), "fn held() {}\n")], "while held");
    }
    until("two rings", || rings(&repo) >= before + 2);
    assert_eq!(repo.silent().json(&["status"])["behind"], 2);
    lock.unlock().expect("it is ours");
    repo.patina(&["hook", "ring", "post-commit"]);
    repo.rest();
    assert_eq!(repo.silent().json(&["status"])["behind"], 0);
}

#[test]
fn commits_of_many_processes_at_once_are_all_taken_in() {
    let repo = with_history(1);
    let mut linked = Vec::new();
    for name in ["one", "two", "three"] {
        let path = repo.root().join(name);
        repo.silent().git(&["worktree", "add", "-q", "-b", name, path.to_str().expect("UTF-8")]);
        linked.push(repo.at(path));
    }
    let script = "for i in 1 2 3 4 5; do echo \"fn work$i() {}\" >\"$1-$i.rs\"; git add -A; git commit -q -m \"$1 $i\" || exit 1; done";
    let start = |(index, linked): (usize, &TestRepo)| {
        let name = format!("p{index}");
        linked.command("sh").args(["-c", script, "sh", &name]).stderr(Stdio::null()).spawn().expect("a shell")
    };
    let children: Vec<_> = linked.iter().enumerate().map(start).collect();
    for mut child in children {
        assert!(child.wait().expect("it ends").success());
    }
    until("the last ring to be answered", || {
        linked.iter().all(|linked| linked.silent().json(&["status"])["indexed_commit"] == linked.head().as_str())
    });
    repo.rest();
    assert_eq!(repo.count("SELECT count(*) FROM eventlog WHERE event_type = 'git.commit'"), 16);
    assert_same(&answers(&repo), &afresh(&repo), "after all processes");
}
