//! Tests of background training: the worker trains when it is due, without the write lock, one training at a time, and
//! pauses for hooks and rebases. How good the result is, is not tested here.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use patina::dimensions::ALL;
use serde_json::Value;

use crate::support::{Made, PATINA, Random, TestRepo, WORDS, is_current, linear, texts, until, verified};

/// The number of codes. A code is four words; the base embedding does not see that they belong together.
const CODES: usize = 8;
const COMMITS: usize = 130;
/// Commits from this index on touch only files that no earlier commit changed.
const HELD_OUT: usize = 109;

/// Returns the path and text of a file of a word after `times` changes.
fn file(word: usize, member: usize, times: usize) -> (String, String) {
    (format!("f{word}_{member}.txt"), format!("{} number {member}\n{}", WORDS[word], "\n".repeat(times)))
}

/// Returns a history in which words determine which files change together; the first commit is too large to count as
/// co-change. Only the dimensions in `on` are enabled: one is enough for most tests, and fast.
fn history(commits: usize, on: &str) -> Vec<Made> {
    let off = ALL.iter().map(|dimension| dimension.name).filter(|name| !on.contains(name));
    let settings = format!("[dimensions]\noff = {:?}\n", off.collect::<Vec<_>>());
    let random = &mut Random::new(5);
    let words = 0..4 * CODES;
    let mut begin: Vec<_> = words.flat_map(|word| (0..2).map(move |member| file(word, member, 0))).collect();
    begin.push(("patina.toml".to_string(), settings));
    let mut made = vec![Made::new("begin", begin).by("Release Bot <ci@example.org>")];
    for commit in 1..commits {
        let code = random.below(CODES);
        let member = usize::from(commit >= HELD_OUT);
        let changed = [0, 1, 2, 3].map(|word| file(code + CODES * word, member, commit));
        made.push(Made::new(format!("change {commit}"), changed));
    }
    made
}

/// Creates a repository with that history.
pub fn planted(commits: usize, on: &str) -> TestRepo {
    let repo = linear(&history(commits, on)).with_model();
    repo.git(&["reset", "-q", "--hard"]);
    repo
}

/// Creates such a repository, indexed, with hooks that start the worker.
fn ringing() -> TestRepo {
    let repo = planted(COMMITS, "temporal");
    repo.reindex();
    repo.patina(&["hook", "install"]);
    repo.ringing()
}

fn temporal(repo: &TestRepo) -> Value {
    let status = repo.json(&["status"]);
    let all = status["dimensions"].as_array().expect("a list");
    all.iter().find(|one| one["name"] == "temporal").expect("it is one of them").clone()
}

fn adapters(repo: &TestRepo) -> Vec<String> {
    let all = fs::read_dir(repo.state().join("adapters")).into_iter().flatten().flatten();
    all.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// A training that waits at a fail point until it is released.
struct Held {
    repo: TestRepo,
    go: PathBuf,
    seen: PathBuf,
    point: &'static str,
}

impl Held {
    /// Makes every patina command that is started in `self.repo` wait at `point`.
    fn at(repo: &TestRepo, point: &'static str) -> Self {
        let [go, seen] = ["go", "seen"].map(|name| repo.root().join(name));
        let plan = format!("{point}:until {}", go.display());
        let repo = repo.with("PATINA_FAIL", &plan).with("PATINA_FAIL_SEEN", seen.to_str().expect("UTF-8"));
        Held { repo, go, seen, point }
    }

    fn wait(&self) {
        let is_there = || fs::read_to_string(&self.seen).is_ok_and(|seen| seen.lines().any(|line| line == self.point));
        until("the training to come by", is_there);
    }

    fn go_on(&self) {
        fs::write(&self.go, "").expect("a file");
    }

    fn start(&self, args: &[&str]) -> Child {
        let mut command = self.repo.command(PATINA);
        command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    }
}

#[test]
fn the_worker_trains_when_it_is_time_and_a_commit_meanwhile_does_not_wait() {
    let repo = ringing();
    let status = repo.json(&["status"]);
    assert!(status["training"]["due"].as_str().is_some_and(|due| due.contains("129 commits")), "{status}");
    let held = Held::at(&repo, "training");
    held.repo.commit_files(&[("more.txt", "more of it\n")], "It is time");
    held.wait();
    repo.commit_files(&[("late.rs", "/// Waters the plants.\nfn water() {}\n")], "While it trains");
    until("the commit to be taken in", || is_current(&repo));
    let found = repo.json(&["query", "water", "--kind", "function", "--fresh"]);
    assert_eq!((&found["behind"], &texts(&found["hits"], "key")[0]), (&0.into(), &"late.rs#water".to_string()));
    assert_eq!(temporal(&repo)["adapter"], "identity", "what served goes on serving");
    verified(&repo, "a commit while it trains");
    let second = repo.try_patina(&["retrain"]);
    assert!(second.code == 5 && second.stderr.contains("another patina is training"), "{second:?}");
    held.go_on();
    repo.rest();
    let trained = temporal(&repo);
    assert_eq!(trained["adapter"], "trained", "{trained}");
    verified(&repo, "the worker has trained");
    let status = repo.json(&["status"]);
    assert_eq!((&status["training"]["due"], &status["last_error"]), (&Value::Null, &Value::Null));
    let kept = || fs::read(repo.state().join("adapters/training.json")).expect("it is kept");
    let before = kept();
    repo.commit_files(&[("more.txt", "and more\n")], "Nothing is due");
    repo.settle();
    assert!(kept() == before, "it is not trained again");
}

#[test]
fn a_training_that_is_killed_leaves_what_serves_and_is_taken_up_by_the_next_worker() {
    let repo = ringing();
    repo.with("PATINA_FAIL", "judged:kill").commit_files(&[("more.txt", "more of it\n")], "It is time");
    repo.rest();
    assert_eq!((adapters(&repo), &temporal(&repo)["adapter"]), (Vec::new(), &"identity".into()));
    verified(&repo, "a kill");
    repo.with("PATINA_FAIL", "training:error").commit_files(&[("more.txt", "and more\n")], "It fails");
    repo.rest();
    let status = repo.json(&["status"]);
    assert_eq!((&status["last_error"], &status["training"]["due"]), (&Value::Null, &Value::Null), "{status}");
    assert!(repo.patina(&["status"]).stdout.contains("fail point training"), "a person is told");
    repo.commit_files(&[("more.txt", "and so on\n")], "It would fail again");
    repo.settle();
    assert_eq!((adapters(&repo), &temporal(&repo)["adapter"]), (vec!["training.json".to_string()], &"identity".into()));
    fs::remove_file(repo.state().join("adapters/training.json")).expect("it is noted there");
    repo.commit_files(&[("more.txt", "without end\n")], "It is taken up");
    repo.settle();
    assert_eq!(temporal(&repo)["adapter"], "trained");
    verified(&repo, "it is taken up");
}

#[test]
fn while_somebody_bisects_nothing_is_trained() {
    let repo = ringing();
    repo.git(&["bisect", "start"]);
    repo.commit_files(&[("more.txt", "more of it\n")], "It is time");
    repo.settle();
    assert_eq!((is_current(&repo), adapters(&repo)), (true, Vec::new()));
    assert!(repo.patina(&["status"]).stdout.contains("is under way"), "a person is told");
    // A rebase that starts meanwhile stops the running training.
    let held = Held::at(&repo, "training");
    held.repo.git(&["bisect", "reset"]);
    held.wait();
    repo.git(&["bisect", "start"]);
    held.go_on();
    repo.rest();
    assert_eq!(adapters(&repo), Vec::<String>::new());
    repo.git(&["bisect", "reset"]);
    repo.settle();
    assert_eq!(temporal(&repo)["adapter"], "trained");
}

#[test]
fn a_training_by_hand_holds_up_nobody_and_publishes_only_what_it_was_judged_against() {
    let repo = planted(COMMITS, "temporal");
    repo.reindex();
    let held = Held::at(&repo, "judged");
    let training = held.start(&["retrain"]);
    held.wait();
    repo.commit_files(&[("more.txt", "more of it\n")], "Meanwhile");
    assert!(repo.reindex() > 0, "the lock is free");
    let full = repo.patina(&["reindex", "--full"]);
    assert!(full.stderr.contains("another patina is training"), "{full:?}");
    fs::create_dir_all(repo.state().join("adapters")).expect("a folder");
    let other = repo.state().join("adapters/temporal.safetensors");
    fs::write(&other, "another").expect("a file");
    held.go_on();
    let ended = training.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.code() == Some(5) && said.contains("nothing is published"), "{said}");
    assert_eq!(fs::read_to_string(&other).expect("it is there"), "another");
    fs::remove_file(&other).expect("it goes");
    let full = repo.json(&["reindex", "--full"]);
    assert!(full["seconds"]["retrain"].as_f64() > Some(0.1), "{full}");
    assert_eq!(temporal(&repo)["adapter"], "trained");
    verified(&repo, "a full run that trained");
}

#[test]
fn where_it_is_switched_off_or_there_is_too_little_nothing_is_trained() {
    let repo = planted(99, "temporal");
    let full = repo.patina(&["reindex", "--full"]);
    assert!(full.stderr.contains("nothing was trained: the history has 98 commits"), "{full:?}");
    let off = repo.root().join("config.toml");
    fs::write(&off, "[retrain]\nauto = false\n").expect("settings");
    let repo = repo.with("PATINA_CONFIG", off.to_str().expect("UTF-8"));
    repo.patina(&["hook", "install"]);
    let repo = repo.ringing();
    for index in 0..2 {
        repo.commit_files(&[("more.txt", &format!("more {index}\n"))], "One more");
    }
    repo.settle();
    let said = repo.with("COLUMNS", "200").patina(&["status"]).stdout;
    assert!(said.contains("is due: 100 commits") && said.contains("`patina retrain` does it"), "{said}");
    assert_eq!(adapters(&repo), Vec::<String>::new());
}

/// Returns what `status` reports about the last training.
fn training(repo: &TestRepo) -> Value {
    let text = fs::read(repo.state().join("adapters/training.json")).expect("it is kept");
    serde_json::from_slice(&text).expect("JSON")
}

#[test]
fn adapters_are_looked_at_on_later_commits_and_trained_again_where_they_gain_no_more() {
    // So few new commits that they alone do not make training due.
    const NEW: usize = 21;
    let go_on = |is_planted: bool| {
        let mut made = history(COMMITS + NEW, "temporal");
        let random = &mut Random::new(9);
        for (commit, made) in made.iter_mut().enumerate().skip(COMMITS).filter(|_| !is_planted) {
            let changed = [0, 1, 2, 3].map(|word| file(random.below(CODES) + CODES * word, 1, commit));
            *made = Made::new(format!("change {commit}"), changed);
        }
        let repo = linear(&made).with_model();
        let tip = repo.head();
        repo.stand_at(&format!("HEAD~{NEW}"));
        repo.reindex();
        repo.patina(&["retrain"]);
        let lift = training(&repo)["outcomes"][0]["lift"].clone();
        assert!(lift["low"].as_f64() > Some(0.0), "{lift}");
        repo.stand_at(&tip);
        repo.ringing().settle();
        training(&repo)
    };
    let kept = go_on(true);
    assert_eq!((&kept["commits"], &kept["since"]["commits"]), (&129.into(), &150.into()), "{kept}");
    assert!(kept["since"]["lifts"]["temporal"]["high"].as_f64() > Some(0.0), "{kept}");
    let kept = go_on(false);
    assert_eq!((&kept["commits"], &kept["since"]), (&150.into(), &Value::Null), "it is trained again: {kept}");
}

#[test]
fn to_train_one_dimension_leaves_the_others_as_they_are() {
    let repo = planted(COMMITS, "temporal semantic");
    repo.reindex();
    repo.patina(&["retrain"]);
    let weights = || {
        let text = fs::read(repo.state().join("adapters/weights.json")).expect("they are kept");
        serde_json::from_slice::<Value>(&text).expect("JSON")["questions"].clone()
    };
    let (before, kept) = (weights(), training(&repo));
    assert!(before["task"].is_object() && before["files"].is_object(), "{before}");
    repo.patina(&["retrain", "-d", "temporal"]);
    assert_eq!(weights()["task"], before["task"]);
    assert_eq!(training(&repo)["outcomes"].as_array().map(Vec::len), Some(2));
    assert_eq!(training(&repo)["commits"], kept["commits"]);
}
