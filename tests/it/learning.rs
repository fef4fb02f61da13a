//! Tests of `patina eval`: later commits never leak into earlier splits, the same seed gives the same bytes, and a
//! repository that cannot be measured is told why.

use std::collections::BTreeMap;

use patina::adapter::{self, Adapter};
use patina::dimensions::ALL;
use patina::fusion::{Question, shipped};
use serde_json::Value;

use crate::support::{Made, Random, TestRepo, WORDS, about, linear};

/// The number of commits. The newest fifth is the test split, and 15 % of the rest the validation split.
const COMMITS: usize = 100;
/// Indices of commits in the gating part of the validation split, which starts at 76 of 100.
const GATES: [usize; 3] = [77, 78, 79];
const PEOPLE: [&str; 2] = ["Ada <ada@example.org>", "Grace <grace@example.org>"];

/// A small and fast training configuration.
const QUICK: &str = "hidden = 32\nout = 32\nsteps = 60\nbatch = 64\n";

/// Returns a history of files in families that share a rare word; each commit changes two files of one family, and its
/// message contains the word.
fn history() -> Vec<Made> {
    history_of(COMMITS)
}

fn history_of(commits: usize) -> Vec<Made> {
    let random = &mut Random::new(11);
    let mut texts = Vec::new();
    for file in 0..60 {
        let words = [WORDS[file % 10], WORDS[20 + file]];
        texts.push((format!("d{}/f{file}.txt", file % 10 % 5), about(random, &words)));
    }
    let mut made = vec![Made::new("begin", texts.clone()).by("Release Bot <ci@example.org>")];
    for commit in 1..commits {
        let family = random.below(10);
        let first = random.below(6);
        let second = (first + 1 + random.below(5)) % 6;
        let mut files = Vec::new();
        for member in [first, second] {
            let (_, text) = &mut texts[member * 10 + family];
            text.push('\n');
            files.push(texts[member * 10 + family].clone());
        }
        let message = format!("mend the {} again {commit}", WORDS[family]);
        made.push(Made::new(message, files).by(PEOPLE[family % 2]));
    }
    made
}

/// The base history and variants of it: `newest` has a different newest commit; in `away`, the newest commit deletes a
/// file that it changed in the base; in `gates`, one commit of the gating part differs.
struct Variants {
    base: TestRepo,
    newest: TestRepo,
    away: TestRepo,
    gates: [TestRepo; 3],
}

fn other() -> Made {
    let text = |word: &str| format!("{word} and nothing of what stood here before, but words about {word}s\n");
    let files = [("d1/f1.txt", "zebra"), ("d2/f7.txt", "tulip"), ("d2/f22.txt", "igloo"), ("late.txt", "magnet")];
    Made::new("Say something about zebras that nobody said", files.map(|(path, word)| (path.to_string(), text(word))))
        .by("Grace <grace@example.org>")
}

impl Variants {
    fn new() -> Self {
        let base = history();
        let change = |place: usize, with: Made| {
            let mut commits = base.clone();
            commits[place] = with;
            linear(&commits)
        };
        let mut away = base[COMMITS - 1].clone();
        away.files[0].1 = None;
        let variants = Variants {
            newest: change(COMMITS - 1, other()),
            away: change(COMMITS - 1, away),
            gates: GATES.map(|place| change(place, other())),
            base: linear(&base),
        };
        for repo in [&variants.base, &variants.newest, &variants.away].into_iter().chain(&variants.gates) {
            repo.reindex();
        }
        variants
    }
}

/// Writes a training configuration that is small and fast for every dimension, and returns its path.
fn quick(repo: &TestRepo) -> String {
    let config = repo.root().join("quick.toml");
    let text: String = ALL.iter().map(|dimension| format!("[{}]\n{QUICK}", dimension.name)).collect();
    std::fs::write(&config, text).expect("a file");
    config.display().to_string()
}

/// Returns the report of `eval` with its results per commit; `leak` names a deliberate leak to enable.
fn eval(repo: &TestRepo, leak: Option<&str>, args: &[&str]) -> Value {
    let mut with = repo.with_model();
    if let Some(leak) = leak {
        with = with.with("PATINA_LEAK", leak);
    }
    with.json(&[&["eval", "--commits", "--config", &quick(repo)], args].concat())
}

/// Returns the hash of each trained adapter, by dimension.
fn adapters(report: &Value) -> BTreeMap<String, String> {
    let all = report["dimensions"].as_array().expect("a list").iter();
    all.filter_map(|one| Some((one["name"].as_str()?.to_string(), one["adapter"].as_str()?.to_string()))).collect()
}

/// Returns each commit's MRR, by task; the newest commit is keyed `newest`, whatever its id.
fn each(report: &Value) -> BTreeMap<String, BTreeMap<String, Value>> {
    let newest = report["as_of"].as_str().expect("a commit");
    let name = |sha: &String| if sha == newest { "newest".to_string() } else { sha.clone() };
    let tasks = report["tasks"].as_array().expect("a list").iter();
    let commits = tasks.filter_map(|task| {
        let commits = task["commits"].as_object()?.iter().map(|(sha, mrr)| (name(sha), mrr.clone()));
        Some((format!("{} {}", task["task"], task["subset"]), commits.collect()))
    });
    commits.collect()
}

/// Returns the same without the newest commit.
fn before_the_newest(report: &Value) -> BTreeMap<String, BTreeMap<String, Value>> {
    let mut each = each(report);
    each.values_mut().for_each(|commits| drop(commits.remove("newest")));
    each
}

#[test]
fn what_a_later_commit_says_or_touches_reaches_no_earlier_side() {
    let variants = Variants::new();
    let [base, newest, away] = [&variants.base, &variants.newest, &variants.away].map(|repo| eval(repo, None, &[]));
    let learned = adapters(&base);
    for name in ["temporal", "semantic", "social", "architectural"] {
        assert!(learned.contains_key(name), "{name} learns something: {learned:?}");
    }
    let asked = before_the_newest(&base);
    assert!(asked.values().filter(|commits| commits.len() >= 15).count() >= 4, "{asked:?}");
    for (other, about) in [(&newest, "the newest says and touches something else"), (&away, "it takes a file away")] {
        assert_eq!(adapters(other), learned, "{about}");
        assert_eq!(other["weights"], base["weights"], "{about}");
        assert_eq!(before_the_newest(other), asked, "{about}");
    }
    assert_eq!(each(&away), each(&base), "a commit is asked before what it does is taken in");
    let mut all = variants.gates.each_ref().map(|repo| eval(repo, None, &[])).to_vec();
    all.iter().for_each(|gate| assert_eq!(adapters(gate), learned, "what gates trains nothing"));
    all.push(base);
    let (same, others) = fitted(&all);
    assert!(same.len() >= 3 && others.is_empty(), "what gates fits nothing: {same:?} but {others:?}");
}

/// Lists the fitted weights that are equal in all reports, and those that differ. The gating part selects between
/// fitted weights but fits none, so weights are compared per question and selected variant. Weights that were never
/// fitted, or that only one report selected, are left out.
fn fitted(reports: &[Value]) -> (Vec<String>, Vec<String>) {
    let mut chosen: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for question in [Question::Files, Question::ColdFiles, Question::Missing, Question::Task, Question::Who] {
        let prior = shipped(question, &|_| false).expect("it fits").mean;
        for report in reports {
            let Some(weights) = report["weights"].get(question.name()) else { continue };
            let values = question.signals().into_iter().map(|signal| (weights[&signal].as_f64(), signal));
            let mut values = values.map(|(value, signal)| (value.expect("a weight"), signal));
            if values.clone().zip(&prior).all(|((value, _), mean)| (value - mean).abs() < 1e-9) {
                continue;
            }
            let has_adapter = values.any(|(value, signal)| signal.contains("adapter") && value.abs() > 1e-6);
            let choice = if has_adapter { "with adapters" } else { "without adapters" };
            chosen.entry(format!("{} {choice}", question.name())).or_default().push(weights);
        }
    }
    chosen.retain(|_, weights| weights.len() > 1);
    let (same, others): (Vec<_>, Vec<_>) =
        chosen.into_iter().partition(|(_, weights)| weights.iter().all(|other| *other == weights[0]));
    let names = |all: Vec<(String, Vec<&Value>)>| all.into_iter().map(|(name, _)| name).collect();
    (names(same), names(others))
}

#[cfg(feature = "fail-points")]
#[test]
fn each_way_to_look_ahead_would_be_noticed() {
    let variants = Variants::new();
    let pair = |leak: &str, other: &TestRepo| {
        [&variants.base, other].map(|repo| eval(repo, Some(leak), &["--task", "file_to_files"]))
    };
    for leak in ["a later text", "later directions"] {
        let [base, newest] = pair(leak, &variants.newest);
        assert_eq!((adapters(&base).len(), adapters(&newest).len()), (1, 1), "{leak}");
        assert_ne!(adapters(&base), adapters(&newest), "{leak}");
    }
    let [base, away] = pair("later counts", &variants.away);
    assert_eq!(adapters(&base), adapters(&away), "counts train nothing");
    assert_ne!(each(&base), each(&away), "later counts");
    let ask = |repo| eval(repo, Some("weights of the gate"), &["--task", "file_to_files"]);
    let all: Vec<Value> = variants.gates.iter().chain([&variants.base]).map(ask).collect();
    let (same, others) = fitted(&all);
    assert!(!others.is_empty(), "weights of the gate: {same:?}");
    let [base, newest] = pair("no leak of this name", &variants.newest);
    assert_eq!((adapters(&base), before_the_newest(&base)), (adapters(&newest), before_the_newest(&newest)));
}

#[test]
fn an_index_that_is_behind_knows_what_its_files_say() {
    // For an index that is 100 commits behind, all files are added after the first commit used for fitting and before
    // the test split. Counts and paths known by then carry no information about which files change together.
    let mut commits = history_of(130);
    commits[1..40].iter_mut().for_each(|commit| commit.files.truncate(1));
    commits.iter_mut().flat_map(|commit| &mut commit.files).for_each(|(path, _)| *path = path.replace('/', ""));
    let repo = linear(&commits);
    repo.reindex();
    let report = eval(&repo, None, &["--task", "file_to_files", "--staleness"]);
    let behind = report["staleness"].as_array().expect("a list").iter();
    let behind: BTreeMap<u64, f64> =
        behind.map(|one| (one["behind"].as_u64().expect("a number"), one["mrr"].as_f64().expect("a number"))).collect();
    let fused = report["tasks"][0]["methods"]["fused"]["mrr"].as_f64().expect("it was asked");
    assert_eq!(behind.keys().copied().collect::<Vec<u64>>(), [0, 1, 5, 20, 100, 500]);
    assert!((behind[&0] - fused).abs() < 1e-12, "{behind:?} {fused}");
    assert!(behind[&100] > 0.75 * fused, "{behind:?}");
}

#[test]
fn where_files_are_paired_by_chance_nothing_is_learned_or_published() {
    let random = &mut Random::new(23);
    let mut texts = Vec::new();
    for file in 0..80 {
        let words = [(); 3].map(|()| WORDS[random.below(WORDS.len())]);
        texts.push((format!("d{}/f{file}.txt", random.below(8)), about(random, &words)));
    }
    let mut commits = vec![Made::new("begin", texts.clone()).by("Release Bot <ci@example.org>")];
    for _ in 1..160 {
        let (first, by) = (random.below(80), random.below(79));
        let mut files = Vec::new();
        for file in [first, (first + 1 + by) % 80] {
            texts[file].1.push('\n');
            files.push(texts[file].clone());
        }
        let word = WORDS[random.below(WORDS.len())];
        let message = about(random, &[word]);
        commits.push(Made::new(message, files).by(PEOPLE[random.below(2)]));
    }
    let repo = linear(&commits);
    repo.reindex();
    let report = eval(&repo, None, &[]);
    let all = report["dimensions"].as_array().expect("a list");
    assert_eq!(all.len(), ALL.len(), "{all:?}");
    for worth in all {
        let (own, reason) = (&worth["own"], &worth["reason"]);
        match reason.as_str() {
            Some(reason) => assert!(reason.len() > 20 && own.is_null(), "{worth}"),
            None => assert!(own["low"].as_f64().expect("a lift") <= 0.0, "{worth}"),
        }
    }
    for outcome in repo.with_model().json(&["retrain"])["dimensions"].as_array().expect("a list") {
        let reason = outcome["reason"].as_str().unwrap_or_default();
        assert!(outcome["published"] == false && reason.len() > 20, "{outcome}");
    }
}

#[test]
fn an_adapter_that_has_become_worse_than_none_is_withdrawn() {
    // Each family repeats one word prominently, so the base embedding already separates them perfectly.
    let words = |file: usize| format!("{} {}\n", [WORDS[file % 10]; 6].join(" "), WORDS[20 + file]);
    let text = |file: usize, lines: usize| words(file) + &"\n".repeat(lines);
    let path = |file: usize| format!("f{file}.txt");
    let random = &mut Random::new(5);
    let begin = (0..60).map(|file| (path(file), text(file, 0))).collect::<Vec<_>>();
    let mut commits = vec![Made::new("begin", begin)];
    for commit in 1..220 {
        let (family, first) = (random.below(10), random.below(6));
        let members = [first, (first + 1 + random.below(5)) % 6].map(|member| member * 10 + family);
        commits.push(Made::new("more", members.map(|file| (path(file), text(file, commit)))).by(PEOPLE[0]));
    }
    let repo = linear(&commits).with_model();
    repo.reindex();
    repo.patina(&["status", "--wait"]);
    let model = repo.json(&["status"])["model"]["sha256"].as_str().expect("a model").to_string();
    let bad = adapter::bytes_of(&Adapter::random(384, 2, 1), &model, &[]).expect("an adapter");
    let file = repo.state().join("adapters/temporal.safetensors");
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    std::fs::write(&file, bad).expect("a file");
    repo.reindex();
    let state = |repo: &TestRepo| {
        repo.patina(&["status", "--wait"]);
        let all = repo.json(&["status"])["dimensions"].as_array().expect("a list").clone();
        all.into_iter().find(|one| one["name"] == "temporal").expect("it is there")["adapter"].clone()
    };
    assert_eq!(state(&repo), "trained");
    let outcome = repo.json(&["retrain", "--dimension", "temporal"])["dimensions"][0].clone();
    let reason = outcome["reason"].as_str().expect("a reason");
    assert!(outcome["published"] == false && reason.contains("withdrawn"), "{outcome}");
    assert!(!file.exists(), "{outcome}");
    assert_eq!(state(&repo), "identity");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let repo = linear(&history());
    repo.reindex();
    let [once, again] = [0; 2].map(|_| eval(&repo, None, &[]));
    assert!(adapters(&once).len() >= 3, "{}", once["dimensions"]);
    for part in ["dimensions", "weights", "tasks", "alarm", "as_of"] {
        assert_eq!(once[part], again[part], "{part}");
    }
    let text = format!("[temporal]\n{QUICK}seed = 2\n");
    let other = with_config(&repo, &text);
    assert_ne!(adapters(&other)["temporal"], adapters(&once)["temporal"], "another seed");
}

/// Returns what `eval` reports about co-change after training with a configuration text.
fn with_config(repo: &TestRepo, text: &str) -> Value {
    let path = repo.root().join("own.toml");
    std::fs::write(&path, text).expect("a file");
    repo.with_model().json(&["eval", "--task", "file_to_files", "--config", &path.display().to_string()])
}

#[test]
fn an_experiment_is_a_file() {
    let repo = linear(&history());
    repo.reindex();
    let answers = |report: &Value| report["tasks"][0]["methods"]["fused"]["mrr"].as_f64().unwrap_or_default();
    let first = with_config(&repo, &format!("[temporal]\n{QUICK}"));
    let other = with_config(&repo, "[temporal]\nhidden = 16\nout = 32\nsteps = 40\n");
    for report in [&first, &other] {
        assert_eq!(report["dimensions"].as_array().map(Vec::len), Some(1), "{}", report["dimensions"]);
        assert!(answers(report) > 0.1, "{report}");
    }
    assert_ne!(adapters(&first), adapters(&other));
    assert!(other["dimensions"][0]["steps"].as_u64() <= Some(40), "{}", other["dimensions"]);
    for (text, word) in [
        ("[temporl]\nhidden = 16\n", "temporl"),
        ("[temporal]\nhiden = 16\n", "hiden"),
        ("[temporal]\nout = 0\n", "out"),
        ("[temporal]\ndecay = nan\n", "decay"),
        ("temporal", "TOML"),
    ] {
        let path = repo.root().join("bad.toml");
        std::fs::write(&path, text).expect("a file");
        let ran = repo.with_model().try_patina(&["eval", "--config", &path.display().to_string()]);
        assert!(ran.code == 2 && ran.stderr.contains(word) && ran.stdout.is_empty(), "{text}: {ran:?}");
    }
    let ran = repo.with_model().try_patina(&["eval", "--config", "/nowhere.toml"]);
    assert!(ran.code == 2 && ran.stderr.contains("/nowhere.toml"), "{ran:?}");
}

#[test]
fn what_there_is_not_is_refused_by_name() {
    let repo = linear(&history()[..3]);
    repo.reindex();
    for (args, word) in [
        (["eval", "--task", "nonsense"], "task `nonsense`"),
        (["eval", "--dimension", "nonsense"], "dimension `nonsense`"),
    ] {
        let ran = repo.try_patina(&args);
        assert!(ran.code == 2 && ran.stderr.contains(word) && ran.stdout.is_empty(), "{args:?}: {ran:?}");
        let hint = if args[1] == "--task" { "file_to_files" } else { "temporal" };
        assert!(ran.stderr.contains(hint), "it says what there is: {ran:?}");
    }
    let ran = repo.try_patina(&["eval", "--dimension", "social", "--task", "file_to_files"]);
    assert!(ran.code == 2 && ran.stderr.contains("task of social") && ran.stderr.contains("who"), "{ran:?}");
}

#[test]
fn what_was_measured_is_kept() {
    let repo = linear(&history());
    repo.reindex();
    let kept = || repo.json(&["eval", "--history"])["evaluations"].as_array().expect("a list").clone();
    assert_eq!(kept(), Vec::<Value>::new());
    assert!(repo.patina(&["eval", "--history"]).stdout.contains("nothing has been measured"));
    let first = eval(&repo, None, &["--task", "file_to_files"]);
    let second = eval(&repo, None, &["--task", "who"]);
    for (kept, said) in kept().iter().zip([first, second]) {
        let parts = said.as_object().expect("a report").iter();
        for (name, value) in parts.filter(|(name, _)| *name != "schema_version") {
            assert_eq!(&kept[name], value, "{name}");
        }
    }
    assert_eq!(kept().len(), 2, "the oldest first");
    assert_eq!(kept()[0]["as_of"].as_str(), Some(repo.head().as_str()));
    let said = repo.patina(&["eval", "--history"]).stdout;
    assert!(said.contains("file_to_files all") && said.contains("who all"), "{said}");
    assert!(said.contains("learned with: hidden = 32"), "what was learned otherwise says so: {said}");
}

#[test]
fn where_a_repository_cannot_answer_it_says_why() {
    let alone: Vec<Made> = history().into_iter().map(|commit| commit.by(PEOPLE[0])).collect();
    let repo = linear(&alone);
    repo.reindex();
    let report = eval(&repo, None, &["--task", "who"]);
    let who = &report["tasks"][0];
    assert_eq!((&who["task"], &who["n"]), (&"who".into(), &0.into()), "{who}");
    assert!(who["reason"].as_str().is_some_and(|reason| reason.contains("one person")), "{who}");
    assert_eq!(report["dimensions"], serde_json::json!([]), "nobody learns it");
    let session = eval(&repo, None, &["--task", "session"])["tasks"][0].clone();
    assert!(session["reason"].as_str().is_some_and(|reason| reason.contains("session")), "{session}");

    let few = linear(&history()[..2]);
    few.reindex();
    let report = eval(&few, None, &["--task", "file_to_files"]);
    for one in report["tasks"].as_array().expect("a list").iter().chain(report["dimensions"].as_array().expect("one")) {
        assert!(one["reason"].as_str().is_some_and(|reason| reason.len() > 20), "two commits: {one}");
    }

    let ran = repo.try_patina(&["eval"]);
    assert!(ran.code == 4 && ran.stderr.contains("patina model prepare") && ran.stdout.is_empty(), "{ran:?}");
    let empty = TestRepo::new().with_model();
    empty.reindex();
    let ran = empty.try_patina(&["eval"]);
    assert!(ran.code == 4 && ran.stderr.contains("no commits") && ran.stdout.is_empty(), "{ran:?}");
}
