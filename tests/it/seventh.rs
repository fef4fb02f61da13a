//! Tests the example of one more dimension in `docs/`: built through the library's public API, it is mined, trained and
//! measured like the other six.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use patina::adapter::TrainingSettings;
use patina::config::{Config, MODEL};
// The example imports these from its parent module, as it would beside the other six dimensions.
use patina::dimensions::{AdapterTask, Dimension, Group, Holds, LiveFact, Reads, SURE, always_on};
use patina::embedding::{Embedder, EmbeddingCache, Manifest, NewEmbeddings, Setup};
use patina::evaluation::{
    CorpusSource, EvalData, EvalReport, EvalSelection, Experiment, Split, TrainedDimension, measure, train_dimensions,
};
use patina::fusion::shipped;
use patina::git::Repository;
use patina::pipeline::timeline;
use patina::store;
use patina::workspace::Workspace;

use crate::support::{Made, PATINA, Random, TestRepo, WORDS, about, data_dir, figure, linear};

#[path = "../../docs/seventh.rs"]
mod example;

/// The number of tested functions; `TESTS` is the number of tests for each.
const TESTED: usize = 20;
const TESTS: usize = 12;
/// The doc comment of functions that call the same things but are no tests.
const CALLS: &str = "calls it and asserts nothing";

/// Creates a repository of functions, their tests, and other callers. The text of a test is mostly about something
/// else, and contains one word that belongs to the function it tests.
fn tested() -> TestRepo {
    let random = &mut Random::new(12);
    let (mut code, mut tests) = (String::new(), String::new());
    for tested in 0..TESTED {
        let doc = about(random, &[WORDS[TESTED + tested]; 2]);
        code += &format!("/// {doc}.\npub fn step_{tested}() {{}}\n\n");
        code += &format!("/// {CALLS}.\npub fn user_{tested}() {{\n    step_{tested}()\n}}\n\n");
        for test in 0..TESTS {
            let noise = WORDS[2 * TESTED + random.below(2 * TESTED)];
            let doc = about(random, &[WORDS[tested], noise, WORDS[tested]]);
            tests += &format!("    /// {doc}.\n    #[test]\n    fn {noise}_{tested}_{test}() {{\n");
            tests += &format!("        step_{tested}()\n    }}\n\n");
        }
    }
    let all = format!("{code}#[cfg(test)]\nmod tests {{\n    use super::*;\n\n{tests}}}\n");
    let repo = linear(&[Made::new("begin", [("src/all.rs".to_string(), all)])]).with_model();
    repo.reindex();
    repo
}

/// Reads the training and evaluation data, with the embeddings that indexing stored.
fn read(repo: &TestRepo) -> EvalData {
    let git = Repository::discover(&repo.path).expect("a repository");
    let config = Config::from_texts(None, None).expect("defaults");
    let workspace = Workspace::locate(&git.common_dir().expect("a folder"), &config);
    let cache = store::open_reader(&workspace, &config).expect("a cache");
    let manifest = include_str!("../../templates/model/all-minilm-l6-v2-int8.toml");
    let manifest = Manifest::read(MODEL, manifest, data_dir().join("models").join(MODEL)).expect("a manifest");
    // Every text is embedded already, so the runtime is not needed.
    let setup = Setup::at(manifest, config.model.provider, PathBuf::new()).expect("a model");
    let known = EmbeddingCache::open_read_only(&workspace.embeddings_path(), &setup.identity).expect("embeddings");
    let stop = AtomicBool::new(false);
    let reading = CorpusSource { repository: &git, config: &config, program: Path::new(PATINA), stop: &stop };
    let keep = |new: NewEmbeddings| panic!("{} texts were not known", new.len());
    let embedder = Embedder {
        setup: &setup,
        known: Some(&known),
        sessions: 1,
        stop: &stop,
        should_continue: &|_, _| true,
        keep: &keep,
    };
    let head = git.head().expect("reads").expect("a commit");
    let timeline = timeline(&cache, &git, &config, head).expect("reads");
    let split = Split::for_evaluation(&timeline);
    EvalData::read(&reading, timeline, &[], split, head.commit, |texts| embedder.look_up(texts)).expect("reads")
}

/// Trains an adapter for the example dimension, and evaluates it on its own task.
fn learned(material: &EvalData) -> (TrainedDimension, EvalReport) {
    let training = TrainingSettings { hidden: 64, out: 64, batch: 96, steps: 240, ..TrainingSettings::default() };
    let name = example::TESTING.name;
    let experiments = BTreeMap::from([(name, Experiment { training, ..Experiment::default() })]);
    let mut all = train_dimensions(material, &[&example::TESTING], &experiments, false, &|_, _| true).expect("learns");
    let prior = |question| shipped(question, &|_| false).expect("it fits");
    let wanted = EvalSelection { dimension: Some(name.to_string()), ..EvalSelection::default() };
    let report = measure(material, &all, &prior, &wanted, &|| true).expect("measures");
    (all.remove(0), report)
}

#[test]
fn it_is_mined_learned_and_measured_like_the_six() {
    let material = read(&tested());
    let (learned, report) = learned(&material);
    let groups = &learned.training_set.groups.all;
    assert_eq!(groups.len(), TESTED, "one for each thing that is tested");
    for (members, _) in groups {
        let texts = || members.iter().map(|text| material.corpus.texts[*text as usize].as_str());
        assert!(texts().filter(|text| text.contains("pub fn step_")).count() == 1, "what is tested is one of them");
        assert!(members.len() > TESTS / 3, "its tests are the others, but for those held out: {}", members.len());
        assert!(!texts().any(|text| text.contains(CALLS)), "who calls it and is no test is none of them");
    }
    let [worth] = &report.dimensions[..] else { panic!("one dimension: {:?}", report.dimensions) };
    let [own] = &report.tasks[..] else { panic!("one task: {:?}", report.tasks) };
    assert_eq!((worth.name.as_str(), own.task.as_str(), &worth.reason), ("testing", "testing", &None));
    let mrr = |method: &str| own.methods[method].mrr;
    let low = worth.own.expect("a lift").low;
    figure(&format!(
        "a seventh: frozen {:.3}, adapter {:.3} of {}, lift from {low:+.3}",
        mrr("frozen"),
        mrr("adapter"),
        own.n
    ));
    assert!(mrr("frozen") < 0.4 && mrr("adapter") > 0.6 && low > 0.0, "{worth:?} {own:?}");
}

fn groups(caller: &str, callee: &str, confidence: f32) -> usize {
    (example::TESTING.groups)(&LiveFact::Edge { caller, callee, confidence }).len()
}

#[test]
fn a_test_is_known_by_its_key_in_every_language() {
    for test in
        ["tests/a.rs#finds", "src/a.rs#tests::finds", "test_a.py#test_find", "a_test.go#TestFind", "a.spec.ts#f"]
    {
        assert_eq!(groups(test, "src/a.rs#find", SURE), 1, "{test}");
        assert_eq!(groups(test, "tests/mod.rs#help", SURE), 0, "{test}: what helps tests is not tested");
        assert_eq!(groups(test, "src/a.rs#find", SURE - 0.1), 0, "{test}: that is a guess");
    }
    for other in ["src/main.rs#run", "src/latest.rs#attest"] {
        assert_eq!(groups(other, "src/a.rs#find", SURE), 0, "{other}");
    }
}
