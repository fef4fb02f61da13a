//! Tests of vectors: what is embedded when, independence of order, adapters, and self-repair.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use patina::adapter;
use rusqlite::Connection;
use serde_json::Value;

use crate::support::{TestRepo, python, texts};

/// Files about different topics, in words that the questions do not use.
const FILES: [(&str, &str); 4] = [
    (
        "src/login.rs",
        "/// Checks the password of whoever signs in.\npub fn authenticate(name: &str) -> bool { verify(name) }\n\nfn verify(name: &str) -> bool { name.len() > 3 }\n",
    ),
    (
        "src/tree.rs",
        "/// Balances the branches after an insertion.\npub fn rotate(left: u32) -> u32 { left + 1 }\n\n/// Cuts a branch off.\npub fn prune(left: u32) -> u32 { left - 1 }\n",
    ),
    (
        "src/mail.rs",
        "/// Sends a letter to every subscriber.\npub fn broadcast(text: &str) { print(text) }\n\nfn print(text: &str) { println!(\"{text}\") }\n",
    ),
    ("README.md", "# Garden\n\nA shop that sells trees and writes to its customers.\n"),
];

fn repository() -> TestRepo {
    let repo = TestRepo::new().with_model();
    repo.commit_files(&FILES, "begin with a shop");
    repo.reindex();
    repo
}

fn keys(answer: &Value) -> Vec<String> {
    texts(&answer["hits"], "key")
}

fn digest(repo: &TestRepo) -> Value {
    let digest = repo.json(&["status", "--digest"])["digest"].clone();
    assert!(digest["vectors"].is_string(), "{digest}");
    digest
}

fn dimension(repo: &TestRepo, name: &str) -> Value {
    let status = repo.json(&["status"]);
    let all = status["dimensions"].as_array().expect("a list");
    all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {status}")).clone()
}

/// Opens the cache in use and removes its seal, so that a write to it looks like one of patina's.
fn cache(repo: &TestRepo) -> Connection {
    let folder = repo.state().join("cache");
    let name = fs::read_to_string(folder.join("current")).expect("a cache");
    let _ = fs::remove_file(folder.join(format!("{}.seal", name.trim())));
    Connection::open(folder.join(name.trim())).expect("opens")
}

#[test]
fn what_means_the_same_is_found_without_a_word_in_common() {
    let repo = repository();
    let found = repo.json(&["query", "user credentials"]);
    assert_eq!(keys(&found)[0], "src/login.rs", "{found}");
    assert_eq!(found["used_vectors"], true);
    assert_eq!(found["untrained"][0], "semantic");
    assert!(found["hits"][0]["ranks"]["semantic"].is_number() && found["hits"][0]["ranks"]["text"].is_null());
    let found = repo.json(&["query", "email newsletter", "-d", "semantic", "-d", "dependency", "--kind", "function"]);
    assert_eq!(keys(&found)[0], "src/mail.rs#broadcast", "{found}");
    let ranks = &found["hits"][0]["ranks"];
    assert_eq!((&ranks["semantic"], &ranks["dependency"]), (&1.into(), &1.into()), "one space, counted once");
    assert_eq!(keys(&repo.json(&["query", "qzx vfbl"])), Vec::<String>::new(), "nothing is alike to nonsense");
}

#[test]
fn an_edit_embeds_what_it_changed_and_nothing_is_embedded_twice() {
    let repo = repository();
    let report = |repo: &TestRepo| -> (u64, u64) {
        let report = repo.json(&["reindex"]);
        (report["texts_embedded"].as_u64().expect("a number"), report["texts_reused"].as_u64().expect("a number"))
    };
    assert_eq!(report(&repo), (0, 0));
    let edited = FILES[1].1.replace("left + 1", "left + 2");
    repo.commit_files(&[("src/tree.rs", &edited)], "turn twice");
    assert_eq!(report(&repo), (2, 0), "the function and the commit; the file still says the same");
    repo.git(&["mv", "src/tree.rs", "src/wood.rs"]);
    repo.commit("move");
    assert_eq!(report(&repo), (1, 0), "a moved file embeds nothing but what is said of it");
    assert_eq!(keys(&repo.json(&["query", "rotate", "--kind", "function"]))[0], "src/wood.rs#rotate");
    repo.git(&["checkout", "-q", "HEAD~2"]);
    assert_eq!(report(&repo), (0, 0), "what was known is known");
    repo.git(&["checkout", "-q", "main"]);
    assert_eq!(report(&repo), (0, 0));
}

#[test]
fn step_by_step_equals_at_once_and_a_lost_cache_comes_back_the_same() {
    let repo = repository();
    for step in 0..4 {
        let text = format!("/// Counts to {step}.\npub fn count_{step}() -> u32 {{ {step} }}\n");
        repo.commit_files(&[(&format!("src/step{step}.rs"), &text)], &format!("count to {step}"));
        repo.reindex();
    }
    repo.git(&["rm", "-q", "src/step0.rs"]);
    repo.commit("forget 0");
    repo.reindex();
    let ask = || {
        let asked = [
            &["query", "how far do we count", "-k", "50"][..],
            &["related", "src/step1.rs", "-d", "semantic"],
            &["related", "src/step1.rs"],
        ];
        asked.map(|asked| repo.json(asked))
    };
    let (before, answers) = (digest(&repo), ask());
    let full = repo.json(&["reindex", "--full"]);
    assert_eq!(full["texts_embedded"], 0, "{full}");
    assert_eq!((digest(&repo), ask()), (before.clone(), answers.clone()), "after a full run");
    let again = repo.json(&["reindex", "--full", "--re-embed"]);
    assert!(again["texts_embedded"].as_u64() > Some(10), "{again}");
    assert_eq!((digest(&repo), ask()), (before.clone(), answers.clone()), "after embedding again");
    fs::remove_dir_all(repo.state().join("cache")).expect("removed");
    repo.reindex();
    assert_eq!((digest(&repo), ask()), (before, answers), "without a cache");
}

#[test]
fn every_dimension_answers_first_what_it_counts() {
    let repo = repository();
    repo.commit_files(
        &[
            ("src/tree.rs", &FILES[1].1.replace("+ 1", "+ 3")),
            ("src/mail.rs", &FILES[2].1.replace("{text}", "- {text}")),
        ],
        "news of trees",
    );
    repo.reindex();
    let first = |target: &str, dimension: &str| -> Value {
        let found = repo.json(&["related", target, "-d", dimension]);
        assert_eq!(found["untrained"][0], dimension, "{found}");
        found["hits"][0].clone()
    };
    assert_eq!(first("src/tree.rs", "temporal")["key"], "src/mail.rs");
    let named = keys(&repo.json(&["related", "src/tree.rs", "-d", "semantic"]));
    assert!(named[..3].iter().any(|key| key.starts_with("commit:")), "what was said of it: {named:?}");
    assert!(named[..3].contains(&"src/mail.rs".to_string()), "and of what with it: {named:?}");
    assert_eq!(first("authenticate", "dependency")["key"], "src/login.rs#verify");
    assert_eq!(first("rotate", "syntactic")["key"], "src/tree.rs#prune");
    assert_eq!(first("rotate", "architectural")["key"], "src/tree.rs#prune");
    let social = repo.try_patina(&["related", "src/tree.rs", "-d", "social"]);
    assert_eq!(social.code, 0, "{}", social.stderr);
    assert!(social.stderr.contains("one person"), "{}", social.stderr);
    assert_eq!(dimension(&repo, "social")["adapter"], "off");
    repo.write("src/mail.rs", FILES[2].1);
    repo.git(&["commit", "-q", "-a", "--author", "Grace <grace@example.org>", "-m", "back"]);
    repo.reindex();
    assert_eq!(dimension(&repo, "social")["adapter"], "identity");
    let of_the_same = first("src/mail.rs", "social");
    assert_eq!(of_the_same["evidence"][0]["kind"], "group", "{of_the_same}");
    repo.commit_files(&[("patina.toml", "[dimensions]\noff = [\"syntactic\"]\n")], "narrow");
    repo.reindex();
    assert_eq!(dimension(&repo, "syntactic")["adapter"], "off");
    assert_eq!(keys(&repo.json(&["related", "rotate", "-d", "syntactic"])), Vec::<String>::new());
}

/// A script that writes an adapter with Python's safetensors, and prints numpy's projection of one vector.
const TRAIN: &str = "
import sys, numpy
from safetensors.numpy import save_file
path, width, hidden, out, model, seed = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5], int(sys.argv[6])
random = numpy.random.default_rng(seed)
shapes = {'w1.weight': (hidden, width), 'w1.bias': (hidden,), 'w2.weight': (out, hidden), 'w2.bias': (out,)}
if seed % 2: shapes['skip.weight'] = (out, width)
tensors = {name: (random.standard_normal(shape) / 20).astype('float32') for name, shape in shapes.items()}
save_file(tensors, path, {'model_sha256': model, 'dimension': 'semantic'} if model else None)
x = random.standard_normal(width).astype('float32')
x /= numpy.linalg.norm(x)
y = tensors['w2.weight'] @ numpy.maximum(tensors['w1.weight'] @ x + tensors['w1.bias'], 0) + tensors['w2.bias']
if seed % 2: y = y + tensors['skip.weight'] @ x
print(' '.join(map(str, x)))
print(' '.join(map(str, y / numpy.linalg.norm(y))))
";

fn train(path: &Path, shape: [usize; 3], model: &str, seed: usize) -> (Vec<f32>, Vec<f32>) {
    let numbers = shape.map(|number| number.to_string());
    let [width, hidden, out] = &numbers;
    let said = python(TRAIN, &[&path.display().to_string(), width, hidden, out, model, &seed.to_string()]);
    let mut lines = said.lines().map(|line| line.split(' ').map(|number| number.parse().expect("a number")).collect());
    (lines.next().expect("x"), lines.next().expect("y"))
}

#[test]
fn an_adapter_of_python_projects_as_numpy_does() {
    let folder = tempfile::tempdir().expect("a folder");
    for (seed, shape) in [[384, 256, 256], [768, 1024, 256], [16, 8, 4]].into_iter().enumerate() {
        let path = folder.path().join("a.safetensors");
        let (x, expect) = train(&path, shape, "", seed);
        let adapter = adapter::parse(&fs::read(&path).expect("readable")).expect("it loads");
        assert_eq!((adapter.input_width(), adapter.output_width()), (shape[0], shape[2]));
        let y = adapter.apply(&x);
        let length = y.iter().map(|value| value * value).sum::<f32>().sqrt();
        for (found, expect) in y.iter().zip(&expect) {
            assert!((found / length - expect).abs() < 1e-5, "{shape:?}: {} {expect}", found / length);
        }
    }
}

#[test]
fn an_adapter_in_its_place_is_used_and_taking_it_away_goes_back() {
    let repo = repository();
    let (before, model) =
        (digest(&repo), repo.json(&["status"])["model"]["sha256"].as_str().expect("a model").to_string());
    let ask = || keys(&repo.json(&["query", "letters to customers", "-d", "semantic", "-k", "20"]));
    let identity = ask();
    let path = repo.state().join("adapters/semantic.safetensors");
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    train(&path, [384, 32, 16], &model, 1);
    let report = repo.json(&["reindex"]);
    assert_eq!(report["texts_embedded"], 0, "stored embeddings are projected: {report}");
    let trained = dimension(&repo, "semantic");
    assert_eq!((&trained["adapter"], &trained["generation"]), (&"trained".into(), &2.into()), "{trained}");
    assert_eq!(dimension(&repo, "temporal")["adapter"], "identity");
    assert_ne!(digest(&repo)["vectors"], before["vectors"]);
    assert_ne!(ask(), identity, "a space of random directions ranks otherwise");
    repo.commit_files(&[("src/more.rs", "/// Waters the plants.\npub fn water() {}\n")], "water");
    repo.reindex();
    assert!(
        keys(&repo.json(&["query", "water plants", "-d", "semantic", "-k", "20"]))
            .contains(&"src/more.rs#water".to_string())
    );
    let stepwise = digest(&repo);
    repo.json(&["reindex", "--full"]);
    assert_eq!(digest(&repo), stepwise, "a full run projects the same");
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    fs::remove_file(&path).expect("removed");
    repo.reindex();
    assert_eq!(dimension(&repo, "semantic")["adapter"], "identity");
    assert_eq!((digest(&repo), ask()), (before, identity));
}

/// A script that writes an adapter whose output is always zero.
const NOTHING: &str = "
import sys, numpy
from safetensors.numpy import save_file
shapes = {'w1.weight': (8, 384), 'w1.bias': (8,), 'w2.weight': (4, 8), 'w2.bias': (4,)}
save_file({name: numpy.zeros(shape, 'float32') for name, shape in shapes.items()}, sys.argv[1], {'model_sha256': sys.argv[2]})
";

#[test]
fn what_an_adapter_makes_nothing_of_is_not_asked_for_again() {
    let repo = repository();
    let model = repo.json(&["status"])["model"]["sha256"].as_str().expect("a model").to_string();
    let path = repo.state().join("adapters/semantic.safetensors");
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    python(NOTHING, &[&path.display().to_string(), &model]);
    repo.reindex();
    assert_eq!(dimension(&repo, "semantic")["adapter"], "trained");
    let status = repo.json(&["status"]);
    assert_eq!(status["texts"]["wanted"], 0, "{status}");
    let found = repo.json(&["query", "letters to customers", "-d", "semantic"]);
    assert_eq!(keys(&found), Vec::<String>::new(), "a space of nothing has no neighbours");
}

#[test]
fn an_adapter_that_does_not_fit_is_said_and_not_used() {
    let repo = repository();
    let before = digest(&repo);
    let path = repo.state().join("adapters/semantic.safetensors");
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let model = repo.json(&["status"])["model"]["sha256"].as_str().expect("a model").to_string();
    let check = |spoil: &dyn Fn(), word: &str| {
        spoil();
        repo.reindex();
        let found = dimension(&repo, "semantic");
        assert_eq!(found["adapter"], "identity", "{word}");
        assert!(found["reason"].as_str().expect("a reason").contains(word), "{word}: {found}");
        assert_eq!(digest(&repo), before, "{word}");
        assert!(repo.with("COLUMNS", "200").try_patina(&["doctor"]).stdout.contains(word), "doctor says {word}");
    };
    check(&|| fs::write(&path, "no adapter").expect("written"), "not a safetensors");
    check(&|| drop(train(&path, [383, 8, 4], &model, 0)), "383");
    check(&|| drop(train(&path, [384, 8, 4], "another", 0)), "another model");
    let damage = || {
        train(&path, [384, 8, 4], &model, 0);
        let mut bytes = fs::read(&path).expect("readable");
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        fs::write(&path, bytes).expect("damage");
    };
    check(&damage, "not finite");
}

#[test]
fn a_switch_of_adapters_is_seen_whole_or_not_at_all() {
    let repo = repository();
    let model = repo.json(&["status"])["model"]["sha256"].as_str().expect("a model").to_string();
    let path = repo.state().join("adapters/semantic.safetensors");
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let ask = || repo.json(&["query", "letters to customers", "-d", "semantic", "-k", "20"])["hits"].to_string();
    let mut expect = vec![ask()];
    train(&path, [384, 32, 16], &model, 1);
    repo.reindex();
    expect.push(ask());
    assert_ne!(expect[0], expect[1]);
    let trained = fs::read(&path).expect("readable");
    let mut answers = Vec::new();
    for round in 0..4 {
        if round % 2 == 0 {
            fs::remove_file(&path).expect("removed")
        } else {
            fs::write(&path, &trained).expect("written")
        }
        let mut switching = repo.command(crate::support::PATINA);
        let mut switching = switching.arg("reindex").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("runs");
        let start = Instant::now();
        while switching.try_wait().expect("it runs").is_none() && start.elapsed() < Duration::from_secs(60) {
            // A query whose adapter is gone reports that, which is not a wrong answer.
            let ran = repo.try_patina(&["--json", "query", "letters to customers", "-d", "semantic", "-k", "20"]);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            let answer: Value = serde_json::from_str(&ran.stdout).expect("JSON");
            if answer["used_vectors"] == true {
                answers.push(answer["hits"].to_string());
            }
        }
        assert!(switching.wait().expect("it ends").success());
        assert_eq!(ask(), expect[round % 2], "round {round}");
    }
    for answer in &answers {
        assert!(expect.contains(answer), "a mixture: {answer}");
    }
}

#[cfg(feature = "fail-points")]
#[test]
fn an_adapter_serves_until_the_one_after_it_is_whole() {
    let repo = repository();
    let model = repo.json(&["status"])["model"]["sha256"].as_str().expect("a model").to_string();
    let path = repo.state().join("adapters/semantic.safetensors");
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    train(&path, [384, 32, 16], &model, 1);
    repo.reindex();
    let ask = || repo.json(&["query", "letters to customers", "-d", "semantic", "-k", "20"])["hits"].to_string();
    let (first, answers) = (fs::read(&path).expect("readable"), ask());
    train(&path, [384, 32, 16], &model, 2);
    let killed = repo.with("PATINA_FAIL", "spaces prepared:kill").try_patina(&["reindex"]);
    assert_eq!(killed.code, -1, "{}", killed.stderr);
    fs::write(&path, first).expect("written");
    assert_eq!((dimension(&repo, "semantic")["adapter"].as_str(), ask()), (Some("trained"), answers));
}

/// Creates enough functions that a segment is published.
fn large() -> TestRepo {
    let repo = TestRepo::new().with_model();
    for file in 0..42 {
        let functions = (0..50).map(|at| format!("fn f{file}_{at}() {{ {} }}\n", file * 50 + at));
        repo.write(format!("src/file{file}.rs"), functions.collect::<String>());
    }
    repo.commit("many");
    repo.reindex();
    repo
}

#[test]
fn damaged_segments_and_rows_give_no_wrong_answer_and_mend_themselves() {
    let repo = large();
    let folder = repo.state().join("cache/segments");
    let segment = || {
        let all = fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        all.filter(|path| path.extension().is_some_and(|ending| ending == "usearch"))
            .max_by_key(|path| fs::metadata(path).expect("a file").len())
    };
    let path = segment().expect("a segment was published");
    let ask = || repo.json(&["query", "function 1234", "-d", "semantic", "-k", "5"])["hits"].clone();
    let (before, answers) = (digest(&repo), ask());
    let good = fs::read(&path).expect("readable");
    let end = good.len();
    let damages = [
        ("one bit", Some(changed(&good, end / 2, 1))),
        ("the head", Some(changed(&good, 0, 64))),
        ("a page of zeroes", Some(changed(&good, end / 3, 4096))),
        ("cut short", Some(good[..end - 7].to_vec())),
        ("emptied", Some(Vec::new())),
        ("gone", None),
    ];
    for (name, damaged) in damages {
        let path = segment().expect("a segment is there");
        match damaged {
            Some(bytes) => fs::write(&path, bytes).expect("damage"),
            None => fs::remove_file(&path).expect("removed"),
        }
        assert_eq!(repo.try_patina(&["doctor"]).code, 6, "{name}: doctor says so");
        assert_eq!(ask(), answers, "{name}: searched another way");
        repo.reindex();
        assert_eq!(repo.try_patina(&["doctor"]).code, 0, "{name}: mended");
        assert_eq!((digest(&repo), ask()), (before.clone(), answers.clone()), "{name}");
    }
    let manifest = [
        "UPDATE segment SET blake3 = 'x', stamp = ''",
        "UPDATE generation SET model = '{'",
        "UPDATE space SET width = 7",
        "DELETE FROM generation_space",
    ];
    for sql in manifest {
        assert!(cache(&repo).execute(sql, []).expect("damage") > 0);
        let found = repo.try_patina(&["--json", "query", "function 1234", "-d", "semantic"]);
        assert_eq!(found.code, 4, "{sql}: what is not sealed is not searched: {}", found.stderr);
        repo.reindex();
        assert_eq!((digest(&repo), ask()), (before.clone(), answers.clone()), "{sql}");
    }
    // Adds rows to the delta.
    repo.commit_files(&[("src/late.rs", "/// Arrives late.\nfn late() {}\n")], "late");
    repo.reindex();
    let before = digest(&repo);
    let rows = cache(&repo)
        .execute("UPDATE delta SET vector = zeroblob(length(vector)) WHERE text % 2 = 0", [])
        .expect("damage");
    assert!(rows > 0);
    assert_eq!(repo.try_patina(&["doctor"]).code, 6);
    repo.reindex();
    assert_eq!(digest(&repo), before, "rows come back");
    let embeddings = repo.state().join("cache/embeddings.db");
    Connection::open(&embeddings)
        .expect("opens")
        .execute("UPDATE embedding SET vector = zeroblob(length(vector)) WHERE key < x'40'", [])
        .expect("damage");
    assert_eq!(repo.try_patina(&["doctor"]).code, 6);
    let report = repo.json(&["reindex", "--full"]);
    assert!(report["texts_embedded"].as_u64() > Some(100), "damaged ones are computed again: {report}");
    assert_eq!(digest(&repo), before);
    let mut bytes = fs::read(&embeddings).expect("readable");
    bytes[100..4000].fill(0x5a);
    fs::write(&embeddings, bytes).expect("damage");
    repo.commit_files(&[("src/later.rs", "fn later() {}\n")], "later");
    repo.reindex();
    assert_eq!(keys(&repo.json(&["query", "later", "--kind", "function"]))[0], "src/later.rs#later");
}

#[test]
fn what_nobody_says_any_more_is_swept_and_nothing_else() {
    let repo = repository();
    repo.commit_files(&[("src/gone.rs", "/// Leaves soon.\npub fn leave() {}\n")], "come");
    repo.reindex();
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    repo.reindex();
    let before = digest(&repo);
    let rows = || {
        let connection = Connection::open(repo.state().join("cache/embeddings.db")).expect("opens");
        connection.query_row("SELECT count(*) FROM embedding", [], |row| row.get::<_, i64>(0)).expect("rows")
    };
    let had = rows();
    repo.patina(&["gc"]);
    assert_eq!(rows(), had, "branches come back");
    std::thread::sleep(Duration::from_millis(1100));
    repo.patina(&["gc", "--days", "0"]);
    assert_eq!(rows(), had - 3, "the file, the function and the message");
    assert_eq!(digest(&repo), before);
    assert_eq!(repo.json(&["doctor", "--verify"])["equal"], true);
}

fn changed(good: &[u8], at: usize, count: usize) -> Vec<u8> {
    let mut bad = good.to_vec();
    for byte in &mut bad[at..at + count] {
        *byte ^= 0xff;
    }
    bad
}

#[test]
fn a_commit_touches_no_published_segment() {
    let repo = large();
    let listed = || {
        let folder = repo.state().join("cache/segments");
        let mut all: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .map(|path| (path.display().to_string(), fs::read(&path).expect("readable")))
            .collect();
        all.sort();
        all
    };
    let before = listed();
    assert!(!before.is_empty());
    repo.commit_files(&[("src/late.rs", "/// Arrives late.\nfn late() {}\n")], "late");
    repo.reindex();
    assert!(listed() == before, "the files are the same, byte for byte");
    let found = repo.json(&["query", "who arrives late", "--kind", "function"]);
    assert_eq!(keys(&found)[0], "src/late.rs#late", "and the new one is found beside them");
}

#[test]
fn a_commit_with_hooks_is_searchable_once_it_is_waited_for() {
    let mut repo = TestRepo::with_hooks();
    repo.commit_files(&FILES, "begin with a shop");
    repo.settle();
    assert_eq!(repo.json(&["query", "trees"])["used_vectors"], false, "there is no model");
    repo = repo.with_model();
    repo.commit_files(&[("src/new.rs", "/// Waters the plants.\nfn water() {}\n")], "water");
    repo.settle();
    let status = repo.json(&["status"]);
    assert_eq!(status["texts"]["wanted"], 0, "{status}");
    assert_eq!(keys(&repo.json(&["query", "irrigation of vegetation", "--kind", "function"]))[0], "src/new.rs#water");
}
