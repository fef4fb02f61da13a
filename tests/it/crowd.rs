//! Tests of concurrency: commits of several worktrees, reads and full runs at once, and git clients that run no hooks.
//! No commit is lost, no lock error is shown, and no reader waits for a writer.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use Heard::Next;
use rusqlite::Connection;
use serde_json::Value;

use crate::support::{Heard, PATINA, TestRepo, audit, commits, is_current, step, texts, until};

fn work(name: &str) -> String {
    format!("pub fn {name}() {{\n    help_{name}();\n}}\n\nfn help_{name}() {{}}\n")
}

fn repository() -> TestRepo {
    let repo = TestRepo::with_hooks();
    for index in 0..4 {
        let name = format!("work{index}");
        repo.silent().commit_files(&[(&format!("src/f{index}.rs"), &work(&name)), ("docs/log.md", &name)], &name);
    }
    repo.patina(&["reindex"]);
    repo
}

/// A shell script that commits in one worktree as a user would.
const COMMITS: &str = "for i in 1 2 3 4 5 6 7 8 9 10; do
  echo \"pub fn $1_$i() { work1(); }\" >\"src/$1.rs\"; echo \"$1 $i\" >>docs/log.md
  git add -A && git commit -q -m \"$1 $i\" || exit 1
done";

/// A shell script that runs a query until a file exists. It stops at the first failure and prints how many queries it
/// ran.
const ASKS: &str = "stop=$1; out=$2; shift 2; n=0
while [ ! -e \"$stop\" ]; do
  \"$@\" >\"$out\" 2>>\"$out.stderr\" || { echo \"exit code $?\" >>\"$out.stderr\"; exit 1; }
  n=$((n + 1))
done; echo \"$n\" >\"$out.count\"";

fn shell(repo: &TestRepo, script: &str, name: &str, arguments: &[&str]) -> Child {
    let mut command = repo.command("sh");
    command.args(["-c", script, "sh", name]).args(arguments).stdout(Stdio::null());
    let stderr = File::create(repo.root().join(format!("{}.sh.stderr", name.replace('/', "_")))).expect("a file");
    command.stderr(stderr).spawn().expect("a shell")
}

#[test]
fn fifty_commits_of_five_worktrees_among_questions_and_full_runs() {
    let repo = repository();
    let linked: Vec<TestRepo> = (0..4)
        .map(|index| {
            let path = repo.root().join(format!("linked{index}"));
            repo.git(&["worktree", "add", "-q", "-b", &format!("b{index}"), path.to_str().expect("UTF-8")]);
            repo.at(path)
        })
        .collect();
    let stop = repo.root().join("stop").display().to_string();
    let asked: [(&str, &[&str]); 4] = [
        ("query", &["--json", "query", "work1"]),
        ("related", &["--json", "related", "docs/log.md"]),
        ("reindex", &["--json", "--quiet", "reindex"]),
        ("full", &["--json", "--quiet", "reindex", "--full"]),
    ];
    let out = |name: &str| repo.root().join(format!("{name}.out")).display().to_string();
    let asking: Vec<Child> = asked
        .iter()
        .map(|(name, args)| shell(&repo, ASKS, &stop, &[&[out(name).as_str(), PATINA], *args].concat()))
        .collect();
    let worktrees: Vec<&TestRepo> = linked.iter().chain([&repo]).collect();
    let committing: Vec<Child> =
        worktrees.iter().enumerate().map(|(index, repo)| shell(repo, COMMITS, &format!("p{index}"), &[])).collect();
    for mut child in committing {
        assert!(child.wait().expect("it ends").success(), "git commits");
    }
    fs::write(&stop, "").expect("a file");
    for (mut child, (name, _)) in asking.into_iter().zip(asked) {
        let ended = child.wait().expect("it ends").success();
        let said = fs::read_to_string(out(name) + ".stderr").unwrap_or_default();
        assert!(ended, "{name}: {said}");
        let is_talk = |line: &str| !["error", "locked", "busy", "panicked"].iter().any(|word| line.contains(word));
        assert!(said.lines().all(is_talk), "{name}: {said}");
        let count = fs::read_to_string(out(name) + ".count").expect("it counted");
        assert!(count.trim().parse::<u32>().expect("a number") > 0, "{name} was asked");
        let last: Value = serde_json::from_slice(&fs::read(out(name)).expect("an answer")).expect("whole JSON");
        assert_eq!(last["schema_version"], 1, "{name}");
    }
    for worktree in &worktrees {
        until("its last ring to be answered", || is_current(worktree));
    }
    repo.rest();
    assert_eq!(commits(&repo).len(), 54);
    audit(&repo, "fifty commits at once");
    assert!(!repo.state().join("crumbs").exists(), "every hook found its patina");
}

/// Opens a connection with a write transaction that stays open.
fn writing(path: &Path, sql: &str) -> Connection {
    let connection = Connection::open(path).expect("it opens");
    connection.execute_batch(&format!("BEGIN IMMEDIATE; {sql}")).expect("nobody else writes");
    connection
}

#[test]
fn readers_do_not_wait_for_whoever_holds_the_lock_and_both_transactions() {
    let repo = repository().silent();
    let questions: [&[&str]; 9] = [
        &["query", "work1"],
        &["related", "docs/log.md"],
        &["who", "src/f1.rs"],
        &["calls", "work1"],
        &["callers", "help_work1"],
        &["explain", "src/f1.rs", "docs/log.md"],
        &["status", "--digest"],
        &["log"],
        &["doctor"],
    ];
    let ask = |repo: &TestRepo| -> Vec<Value> { questions.iter().map(|args| repo.json(args)).collect() };
    let before = ask(&repo);
    let lock = repo.lock();
    let cache = writing(&repo.cache(), "DELETE FROM view_file; DELETE FROM reachable; DELETE FROM definition;");
    let log = writing(&repo.state().join("eventlog.db"), "DELETE FROM reachable; DELETE FROM tree;");
    let held = ask(&repo);
    for ((question, before), held) in questions.iter().zip(&before).zip(&held) {
        if question[0] == "doctor" {
            continue;
        }
        let (mut before, mut held) = (before.clone(), held.clone());
        if question[0] == "status" {
            let working = [&mut before, &mut held].map(|status| status["worker"].take()["is_working"].take());
            assert_eq!(working, [Value::from(false), Value::from(true)], "whoever holds the lock is at work");
        }
        assert_eq!(held, before, "{question:?} while somebody writes");
    }
    // The answer reports that HEAD moved, and still does not wait.
    repo.commit_files(&[("src/f9.rs", &work("unseen"))], "unseen");
    let answer = repo.json(&["query", "work1"]);
    assert_eq!(answer["behind"], 1);
    assert_eq!(answer["hits"], before[0]["hits"]);
    log.execute_batch("ROLLBACK").expect("it was open");
    cache.execute_batch("ROLLBACK").expect("it was open");
    lock.unlock().expect("it is ours");
    repo.reindex();
    audit(&repo, "all of it");
}

#[test]
fn a_reader_in_the_middle_of_a_full_run_is_answered_from_what_serves() {
    let repo = repository().silent();
    let before = repo.json(&["query", "work1"]);
    // The old cache answers until the new one is complete, and a reader that has it open keeps using it.
    let reader = Connection::open(repo.cache()).expect("the cache opens");
    reader.execute_batch("BEGIN; SELECT count(*) FROM view_file;").expect("a snapshot");
    let old = repo.cache();
    repo.patina(&["reindex", "--full"]);
    assert_ne!(repo.cache(), old);
    let held: i64 = reader.query_row("SELECT count(*) FROM view_file", [], |row| row.get(0)).expect("it reads on");
    assert_eq!(held, 5);
    assert_eq!(repo.json(&["query", "work1"]), before);
}

fn piped(repo: &TestRepo, args: &[&str], input: &str) -> String {
    let file = repo.root().join("input");
    fs::write(&file, input).expect("a file");
    let mut command: Command = repo.command("git");
    let ran = crate::support::ran(command.args(args).stdin(File::open(file).expect("a file")));
    assert_eq!(ran.code, 0, "git {args:?}: {}", ran.stderr);
    ran.stdout.trim().to_string()
}

/// Writes a tree with the files of HEAD and one more, and returns its id.
fn tree_with(repo: &TestRepo, path: &str, text: &str) -> String {
    let blob = piped(repo, &["hash-object", "-w", "--stdin"], text);
    let repo = repo.with("GIT_INDEX_FILE", &repo.root().join("index").display().to_string());
    repo.git(&["read-tree", "HEAD"]);
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{path}")]);
    repo.git(&["write-tree"]).stdout.trim().to_string()
}

#[test]
fn clients_that_ring_nobody_are_caught_up_with_by_the_next_command() {
    let repo = repository();
    let found = |name: &str| texts(&repo.json(&["query", name, "--kind", "function"])["hits"], "key");
    step(&repo, "commit-tree and update-ref", Next, |repo| {
        let tree = tree_with(repo, "src/plumbed.rs", &work("plumbed"));
        let commit = repo.git(&["commit-tree", "-p", "HEAD", "-m", "plumbed", &tree]).stdout;
        repo.stand_at(commit.trim());
        assert_eq!(repo.json(&["query", "plumbed"])["behind"], 1, "a read answers at once and says so");
    });
    assert_eq!(found("plumbed")[0], "src/plumbed.rs#plumbed");
    step(&repo, "fast-import", Next, |repo| {
        let text = work("imported");
        let stream = format!(
            "commit refs/heads/main\ncommitter Ada <ada@example.org> 1760000000 +0000\ndata 8\nimported\nfrom refs/heads/main^0\nM 100644 inline src/imported.rs\ndata {}\n{text}\n",
            text.len()
        );
        piped(repo, &["fast-import", "--quiet", "--date-format=raw"], &stream);
    });
    assert_eq!(found("imported")[0], "src/imported.rs#imported");
    step(&repo, "symbolic-ref", Next, |repo| {
        repo.git(&["update-ref", "refs/heads/elsewhere", "HEAD~3"]);
        repo.git(&["symbolic-ref", "HEAD", "refs/heads/elsewhere"]);
    });
    assert!(!found("imported").iter().any(|key| key.contains("imported")));
    step(&repo, "packed refs alone", Next, |repo| {
        repo.git(&["symbolic-ref", "HEAD", "refs/heads/main"]);
        let commit = repo.git(&["commit-tree", "-p", "HEAD", "-m", "packed", "HEAD~1^{tree}"]).stdout;
        repo.stand_at(commit.trim());
        repo.git(&["pack-refs", "--all", "--prune"]);
        assert!(!repo.path.join(".git/refs/heads/main").exists());
    });
    step(&repo, "an update of many refs at once", Next, |repo| {
        let tip = repo.git(&["rev-parse", "HEAD~2"]).stdout;
        piped(
            repo,
            &["update-ref", "--stdin"],
            &format!("start\nupdate refs/heads/main {0}\ncreate refs/heads/new {0}\ncommit\n", tip.trim()),
        );
    });
    // With `--fresh` the command itself waits for the worker.
    let tree = tree_with(&repo, "src/waited.rs", &work("waited"));
    let commit = repo.git(&["commit-tree", "-p", "HEAD", "-m", "waited", &tree]).stdout;
    repo.stand_at(commit.trim());
    let fresh = repo.json(&["query", "waited", "--kind", "function", "--fresh"]);
    assert_eq!((fresh["as_of"].as_str(), &fresh["behind"]), (Some(repo.head().as_str()), &0.into()));
    assert_eq!(fresh["hits"][0]["key"], "src/waited.rs#waited");
    audit(&repo, "all of it");
}

#[test]
fn another_worktrees_head_that_moved_without_a_ring_is_caught_up_with() {
    let repo = repository();
    let path = repo.root().join("side");
    repo.git(&["worktree", "add", "-q", "-b", "side", path.to_str().expect("UTF-8")]);
    let side = repo.at(path);
    side.silent().commit_files(&[("docs/log.md", "beside\n")], "beside");
    assert_eq!(
        repo.json(&["who", "docs/log.md", "--fresh"])["people"][0]["commits"],
        5,
        "history is that of all HEADs"
    );
    audit(&repo, "a silent commit elsewhere");
}
