//! Tests that stop patina at every fail point (`src/fail.rs`), by a kill and by an error: the next hook repairs it. A
//! fail point that is never reached fails the test.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::background::planted;
use crate::crashes::{assert_mended, gone_on, ring, said, worker};
use crate::history::long_line;
use crate::sessions::{Transcript, consent, stands_in};
use crate::support::{Ran, TestRepo, figure, import, put, texts, verified};

/// A command of patina and the state it starts from.
struct Scenario {
    name: &'static str,
    before: fn() -> TestRepo,
    act: fn(&TestRepo) -> Ran,
}

const SCENARIOS: &[Scenario] = &[
    Scenario { name: "a ring is answered", before: gone_on, act: worker },
    Scenario { name: "a full run", before: gone_on, act: |repo| repo.try_patina(&["reindex", "--full"]) },
    Scenario {
        name: "a first run",
        before: || {
            let repo = gone_on();
            for entry in fs::read_dir(repo.state().join("cache")).expect("a folder") {
                fs::remove_file(entry.expect("an entry").path()).ok();
            }
            repo
        },
        act: |repo| repo.try_patina(&["reindex"]),
    },
    Scenario {
        name: "a ring",
        before: gone_on,
        act: |repo| repo.with("PATINA", "").try_patina(&["hook", "ring", "post-commit"]),
    },
    Scenario {
        name: "a sweep",
        before: || {
            let repo = gone_on();
            repo.reindex();
            repo
        },
        act: |repo| repo.try_patina(&["gc", "--days", "0"]),
    },
    Scenario {
        name: "events of a damaged log are saved",
        before: || {
            let repo = gone_on();
            let path = repo.state().join("eventlog.db");
            let mut bytes = fs::read(&path).expect("the log");
            let at = bytes.windows(9).position(|window| window == b"Number 3.").expect("a doc");
            bytes[at] ^= 1;
            fs::write(path, bytes).expect("damage");
            repo
        },
        act: |repo| repo.try_patina(&["doctor", "--fix"]),
    },
    Scenario {
        name: "the worker trains",
        before: || {
            let repo = planted(130, "temporal");
            repo.reindex();
            repo.note(&said());
            repo
        },
        act: worker,
    },
    Scenario {
        name: "a transcript is taken in",
        before: gone_on,
        act: |repo| {
            // The copy is in another folder, and a transcript belongs to a folder.
            Transcript::new(repo, "12345678-2222-3333-4444-555555555555").say(SAID_SO);
            let folder = repo.root().join("home/.claude/projects").display().to_string();
            let consent = format!("[claude]\nsince = 0\nprompts = false\nfolder = \"{folder}\"\n");
            fs::write(repo.state().join("agents.toml"), consent).expect("a file");
            worker(repo)
        },
    },
    Scenario {
        name: "a person forgets what the log says",
        before: || {
            let repo = transcribed();
            let source = format!("/// By {SAID}.\npub fn planned() {{}}\n");
            repo.commit_files(&[("src/planned.rs", &source)], &format!("Go by {SAID}"));
            repo.reindex();
            repo
        },
        act: |repo| repo.try_patina(&["forget", SAID, "--yes"]),
    },
    Scenario { name: "a delta becomes a segment", before: || many(false), act: worker },
    Scenario { name: "a damaged segment is made again", before: || many(true), act: worker },
];

/// A phrase in a transcript, and the sentence around it.
const SAID: &str = "plan number 7";
const SAID_SO: &str = "Decision: we use plan number 7 because the others are slower.";

/// Creates a repository that changed since it was indexed, with a transcript that has consent but was not read yet.
fn transcribed() -> TestRepo {
    let repo = gone_on();
    consent(&repo);
    let mut transcript = Transcript::new(&repo, "ffffffff-2222-3333-4444-555555555555");
    transcript.say(SAID_SO);
    transcript.say("Decision: we keep the lexer because it is fast.");
    repo
}

/// Creates so many items that the next run publishes a segment of their vectors; with `damaged`, a damaged segment
/// exists already.
fn many(damaged: bool) -> TestRepo {
    let repo = TestRepo::new().with_model();
    let functions: String = (0..2_010).map(|index| format!("fn f{index}() {{}}\n")).collect();
    repo.commit_files(&[("a.rs", &functions)], "many");
    repo.reindex();
    if !damaged {
        // Keeps the embeddings, but no segment.
        let cache = repo.state().join("cache");
        for entry in fs::read_dir(&cache).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                fs::remove_dir_all(path).expect("segments go");
            } else if !path.ends_with("embeddings.db") {
                fs::remove_file(path).expect("the cache goes");
            }
        }
    }
    repo.note(&said());
    if damaged {
        let folder = repo.state().join("cache/segments");
        let segment = fs::read_dir(folder).expect("a folder").next().expect("a segment").expect("an entry").path();
        let mut bytes = fs::read(&segment).expect("readable");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        fs::write(segment, bytes).expect("damage");
    }
    repo
}

/// Returns the name of every fail point in the source code.
fn all_points() -> BTreeSet<String> {
    fn read(folder: &Path, into: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                read(&path, into);
            } else {
                let text = fs::read_to_string(path).expect("UTF-8");
                into.extend(
                    text.split("fail::point(\"").skip(1).map(|rest| rest.split('"').next().unwrap_or("").into()),
                );
            }
        }
    }
    let mut all = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    let names: BTreeSet<String> = all.iter().cloned().collect();
    assert_eq!(names.len(), all.len(), "a name stands for one place: {all:?}");
    names
}

/// Returns the fail points that a run reaches.
fn seen(repo: &TestRepo, act: impl Fn(&TestRepo) -> Ran) -> BTreeSet<String> {
    let file = repo.root().join("seen");
    let ran = act(&repo.with("PATINA_FAIL_SEEN", file.to_str().expect("UTF-8")));
    assert_eq!(ran.code, 0, "undisturbed: {}", ran.stderr);
    repo.rest();
    fs::read_to_string(file).unwrap_or_default().lines().map(str::to_string).collect()
}

/// Stops the creation of a repository's first log, before it has any events.
fn a_first_log_is_stopped(trials: &mut usize) -> BTreeSet<String> {
    let point = "log begun";
    for how in ["kill", "error"] {
        let repo = TestRepo::new().with_model();
        repo.commit_files(&[("a.rs", "fn a() {}\n")], "Begin");
        let ran = repo.with("PATINA_FAIL", &format!("{point}:{how}")).try_patina(&["reindex"]);
        assert_ne!(ran.code, 0, "{how}: it went on");
        assert!(!repo.state().join("eventlog.db").exists(), "what is there is whole");
        assert_mended(&repo, &[], how);
        *trials += 1;
    }
    BTreeSet::from([point.to_string()])
}

#[test]
fn whatever_stops_patina_at_a_named_place_the_next_ring_mends_it() {
    let all = all_points();
    assert!(all.len() >= 30, "{} points", all.len());
    let every = std::env::var_os("PATINA_TEST_EVERY_POINT").is_some();
    let mut tried: BTreeSet<String> = BTreeSet::new();
    let mut trials = 0;
    for Scenario { name, before, act } in SCENARIOS {
        let base = before();
        let here = seen(&base.copy(), act);
        for point in here.iter().filter(|point| every || !tried.contains(*point)) {
            for how in ["kill", "error"] {
                let case = format!("{name}, {point}, {how}");
                let repo = base.copy();
                let ran = act(&repo.with("PATINA_FAIL", &format!("{point}:{how}")));
                repo.rest();
                assert!(how == "error" || ran.code == -1 || *name == "a ring", "{case}: it went on");
                if name.contains("log") {
                    // The user repeats the command they started, unless it was past the point of no return.
                    repo.try_patina(&["doctor", "--fix"]);
                }
                assert_mended(&repo, &said(), &case);
                if name.contains("forgets") {
                    // Once the text is on the list, the next hook continues; before that, nothing was started.
                    if !repo.state().join("forgotten").exists() {
                        repo.patina(&["forget", SAID, "--yes"]);
                    }
                    assert!(stands_in(&repo, SAID).is_empty(), "{case}: it stands there still");
                    verified(&repo, &case);
                }
                trials += 1;
            }
        }
        tried.extend(here);
    }
    tried.extend(hooks_are_stopped(&mut trials));
    tried.extend(a_first_log_is_stopped(&mut trials));
    let missed: Vec<&String> = all.difference(&tried).collect();
    assert!(missed.is_empty(), "no scenario comes by {missed:?}");
    figure(&format!("{} points, {trials} stops, each mended by one ring", tried.len()));
}

/// Stops installing and uninstalling in the middle, and checks that a repeated command leaves the hooks as they should
/// be.
fn hooks_are_stopped(trials: &mut usize) -> BTreeSet<String> {
    let hooked = || {
        let repo = TestRepo::new();
        put(&repo.path.join(".git/hooks/post-commit"), b"#!/bin/sh\necho mine\nexit 0\n", 0o750);
        let config = repo.path.join(".git/config");
        let ours = "[hook \"patina-post-merge\"]\n\tcommand = x\n\tevent = post-merge\n";
        let text = fs::read_to_string(&config).expect("the config") + ours;
        fs::write(config, text).expect("a setting");
        repo
    };
    let state = |repo: &TestRepo| {
        let config = fs::read_to_string(repo.path.join(".git/config")).expect("the config");
        let hook = fs::read_to_string(repo.path.join(".git/hooks/post-commit")).expect("the hook");
        (config.replace(&repo.path.display().to_string(), ""), hook)
    };
    let plain = hooked();
    plain.patina(&["hook", "install"]);
    plain.patina(&["hook", "uninstall"]);
    let expect = state(&plain);
    let mut tried = BTreeSet::new();
    for act in ["install", "uninstall"] {
        let before = || {
            let repo = hooked();
            if act == "uninstall" {
                repo.patina(&["hook", "install"]);
                let config = repo.path.join(".git/config");
                let text = fs::read_to_string(&config).expect("the config");
                fs::write(config, text + "[hook \"patina-post-merge\"]\n\tcommand = x\n\tevent = post-merge\n")
                    .expect("a setting");
            }
            repo
        };
        let here = seen(&before(), |repo| repo.try_patina(&["hook", act]));
        for point in &here {
            for how in ["kill", "error"] {
                let repo = before();
                let ran = repo.with("PATINA_FAIL", &format!("{point}:{how}")).try_patina(&["hook", act]);
                assert_ne!(ran.code, 0, "{act}, {point}, {how}");
                // Removes by hand the lock file that a killed git left, as git asks the user to do.
                let _ = fs::remove_file(repo.path.join(".git/config.lock"));
                repo.patina(&["hook", act]);
                repo.patina(&["hook", "uninstall"]);
                assert_eq!(state(&repo), expect, "{act}, {point}, {how}");
                *trials += 1;
            }
        }
        tried.extend(here);
    }
    tried
}

#[test]
fn a_long_way_that_is_stopped_between_two_batches_goes_on_from_there() {
    let repo = TestRepo::new();
    let ids = import(&repo, &long_line(20_000));
    repo.stand_at(&ids[10]);
    repo.reindex();
    repo.stand_at(ids.last().expect("a commit"));
    let killed = repo.with("PATINA_FAIL", "append kept:kill").try_patina(&["reindex"]);
    assert_eq!(killed.code, -1, "{}", killed.stderr);
    let told = repo.count("SELECT count(*) FROM event WHERE event_type = 'git.commit'");
    assert!(11 < told && told < 20_000, "{told} commits are in");
    ring(&repo);
    assert_eq!(repo.count("SELECT count(*) FROM eventlog WHERE event_type = 'git.commit'"), 20_000);
}

#[test]
fn what_a_stopped_sweep_has_half_forgotten_comes_back_with_its_branch() {
    let repo = gone_on();
    repo.reindex();
    let tip = repo.head();
    repo.git(&["reset", "-q", "--hard", "HEAD~2"]);
    repo.reindex();
    let killed = repo.with("PATINA_FAIL", "cache forgot:kill").try_patina(&["gc", "--days", "0"]);
    assert_eq!(killed.code, -1, "{}", killed.stderr);
    repo.git(&["reset", "-q", "--hard", &tip]);
    assert_mended(&repo, &said(), "back again");
}

#[test]
fn a_text_that_left_before_it_was_embedded_is_embedded_when_it_comes_back() {
    let repo = TestRepo::new().with_model();
    let before = repo.commit_files(&[("src/a.rs", "pub fn first() {}\n")], "First");
    repo.reindex();
    let stars = "/// Counts the stars that stand in the sky.\npub fn stars() {}\n";
    let tip = repo.commit_files(&[("src/b.rs", stars)], "Second");
    // The text appears and disappears again; each run is killed before anything is embedded.
    for commit in [&tip, &before] {
        repo.stand_at(commit);
        let killed = repo.with("PATINA_FAIL", "updated:kill").try_patina(&["reindex"]);
        assert_eq!(killed.code, -1, "{}", killed.stderr);
    }
    repo.stand_at(&tip);
    repo.reindex();
    let hits = texts(&repo.json(&["query", "how many stars are in the sky", "-d", "syntactic"])["hits"], "key");
    assert_eq!(hits.first().map(String::as_str), Some("src/b.rs#stars"));
    verified(&repo, "it came back");
}

#[test]
fn a_full_text_that_did_not_follow_says_so_and_follows() {
    let repo = TestRepo::new();
    let before = repo.commit_files(&[("src/a.rs", "pub fn first() {}\n")], "First");
    let tip = repo.commit_files(&[("src/b.rs", "pub fn stars() {}\n")], "Second");
    repo.reindex();
    let found = |repo: &TestRepo, options: &[&str]| repo.json(&[&["query", "stars"], options].concat());
    let first = |answer: &Value| texts(&answer["hits"], "key").first().cloned();
    // The file disappears and comes back while full text is not updated: the last recorded change counts.
    for commit in [&before, &tip] {
        repo.stand_at(commit);
        let killed = repo.with("PATINA_FAIL", "views kept:kill").try_patina(&["reindex"]);
        assert_eq!(killed.code, -1, "{}", killed.stderr);
    }
    assert_eq!(repo.json(&["who", "src/a.rs"])["behind"], 0, "what is counted is there");
    assert_eq!(found(&repo, &[])["behind"], 1, "what is searched is not");
    let ringing = repo.with("PATINA", "");
    let answer = found(&ringing, &["--fresh"]);
    assert_eq!((&answer["behind"], first(&answer).as_deref()), (&json!(0), Some("src/b.rs#stars")));
    repo.stand_at(&before);
    assert_eq!(first(&found(&ringing, &["--fresh"])), None);
    verified(&repo, "full text followed");
}
