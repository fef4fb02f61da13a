//! Tests of exchanged history: pulls, mailed patches, force-pushed branches, pruned objects, shallow and partial
//! clones. After each step the index equals a full rebuild, and patina itself never fetches.

use std::fs;

use Heard::{Hook, Next};
use serde_json::json;

use crate::support::{Heard, TestRepo, answers, assert_same, audit, commits, step, texts, verified};

fn work(name: &str) -> String {
    format!("pub fn {name}() {{\n    help_{name}();\n}}\n\nfn help_{name}() {{}}\n")
}

/// Creates a bare repository, another developer's clone without hooks, and an indexed clone with hooks.
fn three() -> (TestRepo, TestRepo, TestRepo) {
    let origin = TestRepo::new();
    for index in 0..8 {
        let name = format!("work{index}");
        origin.commit_files(&[(&format!("src/f{}.rs", index % 5), &work(&name)), ("docs/log.md", &name)], &name);
    }
    let bare = clone_of(&origin, "origin.git", &["--bare"]);
    let other = clone_of(&bare, "other", &[]);
    let mine = hooked(clone_of(&bare, "mine", &[]));
    mine.patina(&["reindex"]);
    (bare, other, mine)
}

fn clone_of(repo: &TestRepo, name: &str, args: &[&str]) -> TestRepo {
    let path = repo.root().join(name);
    let url = format!("file://{}", repo.path.display());
    repo.git(&[&["clone", "-q"], args, &[&url, path.to_str().expect("UTF-8")]].concat());
    repo.at(path)
}

/// Installs hooks in the repository and enables them.
fn hooked(repo: TestRepo) -> TestRepo {
    let repo = repo.ringing();
    repo.patina(&["hook", "install"]);
    repo
}

#[test]
fn pulls_and_forced_branches() {
    let (_bare, other, mine) = three();
    let give = |name: &str| {
        other.commit_files(&[(&format!("src/{name}.rs"), &work(name))], name);
        other.git(&["push", "-q", "--force", "origin", "HEAD:main"]);
    };
    give("ahead");
    step(&mine, "a pull that fast-forwards", Hook, |mine| drop(mine.git(&["pull", "-q", "--ff-only"])));
    give("theirs");
    step(&mine, "a pull that merges", Hook, |mine| {
        mine.commit_files(&[("src/mine.rs", &work("mine"))], "mine");
        mine.git(&["pull", "-q", "--no-rebase", "--no-edit"]);
        assert_eq!(mine.git(&["rev-parse", "HEAD^@"]).stdout.lines().count(), 2);
    });
    mine.git(&["push", "-q"]);
    other.git(&["pull", "-q", "--ff-only"]);
    give("again");
    step(&mine, "a pull that rebases", Hook, |mine| {
        mine.commit_files(&[("src/mine.rs", &work("mine_too"))], "mine too");
        mine.git(&["pull", "-q", "--rebase"]);
        assert_eq!(mine.git(&["log", "-2", "--format=%s"]).stdout, "mine too\nagain\n");
    });
    other.git(&["reset", "-q", "--hard", "HEAD~3"]);
    give("another_way");
    let ghost = mine.head();
    step(&mine, "a forced fetch that is followed", Next, |mine| {
        mine.git(&["fetch", "-q", "--force", "origin", "+main:refs/remotes/origin/main"]);
        mine.git(&["reset", "-q", "--hard", "origin/main"]);
    });
    for args in [&["related", "src/another_way.rs"][..], &["who", "src"], &["query", "mine too again help"]] {
        let answer = mine.json(args).to_string();
        assert!(!answer.contains(&ghost) && !answer.contains("src/mine.rs"), "{args:?}: {answer}");
    }
    step(&mine, "a forced push", Hook, |mine| {
        mine.git(&["commit", "-q", "--amend", "-m", "in my words"]);
        mine.git(&["push", "-q", "--force"]);
    });
    step(&mine, "a branch of theirs", Hook, |mine| {
        other.git(&["push", "-q", "origin", "HEAD~1:refs/heads/theirs"]);
        mine.git(&["fetch", "-q"]);
        mine.git(&["checkout", "-q", "theirs"]);
    });
}

#[test]
fn mails() {
    let (_bare, other, mine) = three();
    let mails = |name: &str| {
        let folder = mine.root().join(name).display().to_string();
        other.git(&["format-patch", "-q", "-2", "-o", &folder]);
        let listed = fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        let mut listed: Vec<String> = listed.map(|path| path.display().to_string()).collect();
        listed.sort();
        listed
    };
    let apply = |listed: &[String]| -> Vec<String> { [&["am".to_string(), "-q".to_string()], listed].concat() };
    let strs = |owned: &[String]| -> Vec<String> { owned.to_vec() };
    other.commit_files(&[("src/mailed.rs", &work("mailed"))], "mailed");
    other.commit_files(&[("src/mailed.rs", &work("mailed_again"))], "mailed again");
    let good = strs(&apply(&mails("good")));
    step(&mine, "two mails", Hook, |mine| {
        mine.git(&good.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(mine.git(&["log", "-1", "--format=%s"]).stdout, "mailed again\n");
    });
    other.commit_files(&[("src/first.rs", &work("first"))], "applies");
    other.commit_files(&[("src/f0.rs", &work("conflicts"))], "does not");
    let bad = apply(&mails("bad"));
    let before = mine.head();
    step(&mine, "mails of which one does not apply", Hook, |mine| {
        mine.silent().commit_files(&[("src/f0.rs", &work("other_text"))], "in the way");
        assert_ne!(mine.try_git(&bad.iter().map(String::as_str).collect::<Vec<_>>()).code, 0);
        assert_eq!(mine.git(&["log", "-1", "--format=%s"]).stdout, "applies\n");
    });
    step(&mine, "their abort", Next, |mine| {
        mine.git(&["am", "--abort"]);
        assert_eq!(mine.git(&["rev-parse", "HEAD~1"]).stdout.trim(), before);
    });
}

#[test]
fn pruned_commits_that_a_fetch_brings_back_count_again_and_append_nothing() {
    let (_bare, _other, mine) = three();
    step(&mine, "a branch", Hook, |mine| {
        mine.git(&["checkout", "-q", "-b", "topic"]);
        mine.commit_files(&[("src/f0.rs", &work("topical")), ("src/f1.rs", &work("topical_too"))], "topical");
    });
    let (topic, before) = (mine.head(), answers(&mine));
    let events = mine.count("SELECT count(*) FROM event");
    mine.git(&["push", "-q", "origin", "topic"]);
    step(&mine, "its end", Hook, |mine| {
        mine.git(&["checkout", "-q", "main"]);
        mine.git(&["branch", "-q", "-D", "topic"]);
        mine.git(&["update-ref", "-d", "refs/remotes/origin/topic"]);
        mine.git(&["reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all"]);
        mine.git(&["gc", "-q", "--prune=now"]);
        assert_ne!(mine.try_git(&["cat-file", "-e", &topic]).code, 0, "its commit is gone");
    });
    let who = mine.json(&["who", "src/f0.rs"])["people"][0]["commits"].clone();
    assert!(!mine.json(&["query", "topical"])["hits"].to_string().contains("topical"));
    step(&mine, "its way back", Hook, |mine| {
        mine.git(&["fetch", "-q"]);
        mine.git(&["checkout", "-q", "topic"]);
    });
    assert_eq!(mine.json(&["who", "src/f0.rs"])["people"][0]["commits"].as_u64(), who.as_u64().map(|count| count + 1));
    assert_eq!(mine.count("SELECT count(*) FROM event"), events, "nothing was appended");
    assert_eq!(mine.reindex(), 0);
    assert_same(&answers(&mine), &before, "back again");
    step(&mine, "a full pass", Next, |mine| drop(mine.patina(&["reindex", "--full"])));
}

#[test]
fn a_shallow_clone_deepened_step_by_step_and_made_shallow_again() {
    let (bare, _other, _mine) = three();
    let shallow = hooked(clone_of(&bare, "shallow", &["--depth", "2"]));
    shallow.patina(&["reindex"]);
    audit(&shallow, "the clone");
    let pending = |expect: u64, name: &str| {
        assert_eq!(shallow.silent().json(&["status"])["pending"], expect, "after {name}");
    };
    pending(1, "the clone");
    // git runs no hook after a fetch, and HEAD does not move: the next command notices that the shallow boundary moved.
    for (name, args, told) in [
        ("a deepening", &["fetch", "-q", "--deepen=2"][..], 3),
        ("another", &["fetch", "-q", "--depth=6"], 5),
        ("a shorter depth", &["fetch", "-q", "--depth=3"], 2),
        ("the whole", &["fetch", "-q", "--unshallow"], 8),
        ("a depth again", &["fetch", "-q", "--depth=4"], 3),
        ("the whole again", &["fetch", "-q", "--unshallow"], 8),
    ] {
        shallow.git(args);
        shallow.patina(&["query", "work", "--fresh"]);
        pending(u64::from(told < 8), name);
        assert_eq!(commits(&shallow).len(), told, "after {name}");
        audit(&shallow, name);
    }
    shallow.git(&["fetch", "-q", "--depth=4"]);
    step(&shallow, "a root of its own", Hook, |shallow| {
        shallow.git(&["checkout", "-q", "--orphan", "alone"]);
        shallow.commit("alone");
    });
    pending(0, "a root of its own, from which the boundary is not reached");
    step(&shallow, "the way back", Hook, |shallow| drop(shallow.git(&["checkout", "-q", "main"])));
    pending(1, "the way back");
    step(&shallow, "a commit", Hook, |shallow| {
        shallow.commit_files(&[("src/new.rs", &work("new"))], "new");
    });
}

#[test]
fn a_partial_clone_is_read_as_far_as_it_goes_and_never_fetched() {
    let (bare, other, _mine) = three();
    bare.git(&["config", "uploadpack.allowFilter", "true"]);
    let partial = hooked(clone_of(&bare, "partial", &["--filter=blob:none", "--no-checkout"]));
    let objects = || partial.git(&["count-objects", "-v"]).stdout;
    let before = objects();
    let away = bare.root().join("away.git");
    fs::rename(&bare.path, &away).expect("nobody can be asked");
    let ran = partial.patina(&["--json", "reindex", "--quiet"]);
    assert_eq!(ran.stderr, "");
    verified(&partial, "nothing but trees");
    assert_eq!(partial.json(&["status"])["files"], json!({"missing": 6}));
    assert_eq!(partial.count("SELECT count(*) FROM eventlog WHERE event_type = 'git.commit'"), 8, "trees are enough");
    assert_eq!(objects(), before, "nothing was fetched, and nobody could be asked");
    fs::rename(&away, &bare.path).expect("and is there again");
    assert_eq!(objects(), before);
    step(&partial, "a checkout that brings blobs", Hook, |partial| drop(partial.git(&["checkout", "-q", "main"])));
    assert_eq!(texts(&partial.json(&["query", "work7", "--kind", "function"])["hits"], "key")[0], "src/f2.rs#work7");
    let after = objects();
    other.commit_files(&[("src/f0.rs", &work("elsewhere"))], "elsewhere");
    other.git(&["push", "-q", "origin", "HEAD:main"]);
    step(&partial, "a fetch that is not checked out", Next, |partial| {
        partial.git(&["fetch", "-q"]);
        fs::rename(&bare.path, &away).expect("nobody can be asked");
        partial.git(&["update-ref", "HEAD", "origin/main"]);
        partial.patina(&["query", "work", "--fresh"]);
        fs::rename(&away, &bare.path).expect("and is there again");
        assert_ne!(objects(), after, "git fetched a commit and its tree");
        assert_eq!(partial.json(&["status"])["files"], json!({"code": 4, "missing": 1, "text": 1}));
        partial.git(&["checkout", "-q", "--", "."]);
        partial.git(&["reset", "-q", "--hard"]);
        partial.patina(&["hook", "ring", "post-checkout"]);
    });
}
