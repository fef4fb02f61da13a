//! Tests of the model and the runtime: they are fetched and verified, rejected if a checksum differs, and never needed
//! by commands that embed nothing.

use std::fs;
use std::path::{Path, PathBuf};

use patina::config::{MODEL, ModelConfig, Provider};
use patina::embedding::{Setup, embed_all};
use serde_json::Value;

use crate::support::{TestRepo, own_data_dir, texts};

fn repository() -> TestRepo {
    let repo = TestRepo::new();
    repo.commit_files(
        &[
            ("src/login.rs", "/// Checks the password of whoever signs in.\npub fn authenticate() -> bool { true }\n"),
            ("src/tree.rs", "/// Balances the branches after an insertion.\npub fn rotate() {}\n"),
        ],
        "begin",
    );
    repo
}

/// Returns every file of the model and the runtime.
fn files(data: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![data.to_path_buf()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() { folders.push(entry) } else { files.push(entry) }
        }
    }
    files.retain(|file| file.file_name().is_some_and(|name| name != "checked.json"));
    files.sort();
    files
}

#[test]
fn a_wrong_byte_is_refused_with_six_and_a_missing_file_with_four() {
    let repo = repository();
    let data = own_data_dir(&repo);
    let repo = repo.with("PATINA_DATA_DIR", &data.display().to_string());
    assert_eq!(repo.json(&["model", "show"])["state"], "ready");
    repo.reindex();
    assert_eq!(repo.json(&["query", "sign", "in"])["used_vectors"], true);
    let all = files(&data);
    assert!(all.len() >= 7, "{all:?}");
    for file in &all {
        let good = fs::read(file).expect("readable");
        let mut bad = good.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 1;
        fs::write(file, &bad).expect("damage");
        refuses(&repo, 6, "sha256");
        fs::remove_file(file).expect("removed");
        refuses(&repo, 4, "patina model prepare");
        fs::write(file, &good).expect("mended");
        assert_eq!(repo.json(&["query", "sign", "in"])["used_vectors"], true, "{}", file.display());
    }
}

/// Checks that commands that need vectors exit with a code, and that all others still work.
fn refuses(repo: &TestRepo, code: i32, word: &str) {
    for asked in [&["query", "sign", "in", "-d", "semantic"][..], &["model", "show"]] {
        let ran = repo.try_patina(asked);
        assert_eq!(ran.code, code, "{asked:?}: {}{}", ran.stdout, ran.stderr);
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains(word), "{asked:?}: {}", ran.stderr);
    }
    let found = repo.try_patina(&["query", "authenticate"]);
    assert_eq!(found.code, 0, "{}", found.stderr);
    assert!(found.stdout.contains("src/login.rs:2") && found.stderr.contains("full text alone"), "{found:?}");
    assert_eq!(repo.try_patina(&["related", "src/login.rs"]).code, 0);
    assert_eq!(repo.try_patina(&["who", "src/login.rs"]).code, 0);
    let doctor = repo.try_patina(&["doctor"]);
    assert_eq!(doctor.code == 6, code == 6, "{}", doctor.stdout);
    // Indexing still works too, and reports the problem at its end.
    let reindexed = repo.try_patina(&["reindex"]);
    assert_eq!(reindexed.code, if code == 6 { 6 } else { 0 }, "{}", reindexed.stderr);
    assert!(reindexed.stderr.contains("nothing was embedded"), "{}", reindexed.stderr);
}

#[test]
fn what_is_damaged_is_fetched_again_and_nothing_else() {
    let repo = repository();
    let data = own_data_dir(&repo);
    let repo = repo.with("PATINA_DATA_DIR", &data.display().to_string());
    let vocabulary = files(&data).into_iter().find(|file| file.ends_with("tokenizer.json")).expect("a tokenizer");
    fs::write(&vocabulary, "{}").expect("damage");
    let said = repo.patina(&["model", "prepare"]);
    assert!(said.stdout.contains("fetched and checked"), "{}", said.stdout);
    let said = repo.patina(&["model", "prepare"]);
    assert!(said.stdout.contains("every checksum holds"), "{}", said.stdout);
    assert_eq!(repo.json(&["model", "show"])["state"], "ready");
}

#[test]
fn a_model_of_ones_own_is_a_manifest_more() {
    let repo = repository();
    let data = own_data_dir(&repo);
    let (theirs, own) = (data.join("models").join(MODEL), data.join("models/mine"));
    fs::create_dir_all(&own).expect("a folder");
    for entry in fs::read_dir(&theirs).expect("a folder").map(|entry| entry.expect("an entry")) {
        fs::copy(entry.path(), own.join(entry.file_name())).expect("copied");
    }
    let template = include_str!("../../templates/model/all-minilm-l6-v2-int8.toml");
    let manifest = template.split("# Where its files come from").next().expect("a beginning");
    let prefixed = manifest.replace("text_prefix = \"\"", "text_prefix = \"passage: \"");
    fs::write(own.join("manifest.toml"), prefixed).expect("a manifest");
    let repo = repo.with("PATINA_DATA_DIR", &data.display().to_string());
    let listed = repo.json(&["model", "list"]);
    assert_eq!(texts(&listed["models"], "id"), [MODEL, "mine"]);
    assert_eq!(repo.json(&["model", "show", "mine"])["text_prefix"], "passage: ");
    assert_eq!(repo.patina(&["model", "prepare", "mine"]).code, 0);

    let digest = |repo: &TestRepo| -> Value { repo.json(&["status", "--digest"])["digest"]["vectors"].clone() };
    repo.reindex();
    let before = digest(&repo);
    configure(&repo, "[model]\nid = \"mine\"\n");
    assert_eq!(repo.json(&["query", "sign", "in"])["used_vectors"], true, "the old generation serves with its model");
    let report = repo.json(&["reindex"]);
    assert!(report["texts_embedded"].as_u64() > Some(0), "{report}");
    let status = repo.json(&["status"]);
    assert_eq!(status["model"]["id"], "mine");
    assert_ne!(digest(&repo), before, "a prefix makes other vectors");
    assert_eq!(repo.json(&["query", "sign", "in"])["used_vectors"], true);
    configure(&repo, "");
    assert_eq!(repo.json(&["reindex"])["texts_embedded"], 0, "what was embedded before is known");
    assert_eq!(digest(&repo), before);

    configure(&repo, "[model]\nid = \"nobodys\"\n");
    let refused = repo.try_patina(&["model", "prepare"]);
    assert_eq!(refused.code, 4);
    assert!(refused.stderr.contains("nobodys") && refused.stderr.contains("model list"), "{}", refused.stderr);
    fs::write(own.join("manifest.toml"), manifest.replace("pooling", "poling")).expect("a manifest");
    let refused = repo.try_patina(&["model", "show", "mine"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("poling"), "{}", refused.stderr);
}

#[test]
fn a_provider_of_another_system_is_refused_in_one_sentence() {
    if cfg!(target_os = "macos") {
        return;
    }
    let repo = repository().with_model();
    repo.reindex();
    configure(&repo, "[model]\nprovider = \"coreml\"\n");
    let refused = repo.try_patina(&["query", "sign in", "-d", "semantic"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("macOS"), "{}", refused.stderr);
}

fn configure(repo: &TestRepo, text: &str) {
    let config = repo.root().join("home/.config/patina/config.toml");
    fs::create_dir_all(config.parent().expect("a folder")).expect("a folder");
    fs::write(config, text).expect("settings");
}

/// Loads the model in this process. Only one test may call this, because it sets the process-wide data folder.
fn setup() -> Setup {
    let mut manifest = patina::embedding::find(MODEL).expect("it comes with patina");
    manifest.folder = crate::support::data_dir().join("models").join(MODEL);
    let runtime = fs::read_dir(crate::support::data_dir().join("runtime")).expect("a folder");
    let runtime = runtime.map(|entry| entry.expect("an entry").path()).next().expect("a runtime");
    let library = fs::read_dir(runtime).expect("a folder").next().expect("a library").expect("an entry").path();
    Setup::at(manifest, Provider::Cpu, library).expect("it is whole")
}

#[test]
fn the_same_text_has_the_same_bits_alone_in_any_order_and_on_any_number_of_workers() {
    let setup = setup();
    let texts: Vec<String> =
        (0..40).map(|n| format!("text {n} about {}", ["trees", "locks", "parsers"][n % 3].repeat(n % 5 + 1))).collect();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let all = |order: &[usize], workers: usize| -> Vec<Vec<u8>> {
        let mut found = vec![Vec::new(); texts.len()];
        let each = order.iter().map(|at| Ok((*at, texts[*at].clone())));
        embed_all(&setup, order.len(), workers, &stop, each, |one| {
            found[one.key] = one.embedding.expect("a vector").0.to_bytes();
            Ok(true)
        })
        .expect("embeds");
        found
    };
    let forwards: Vec<usize> = (0..texts.len()).collect();
    let backwards: Vec<usize> = forwards.iter().rev().copied().collect();
    let expect = all(&forwards, 1);
    assert!(expect.iter().all(|vector| vector.len() == 768));
    assert_eq!(all(&backwards, 1), expect);
    assert_eq!(all(&forwards, 3), expect);
    let mut once = setup.load(true).expect("loads");
    for (text, expect) in texts.iter().zip(&expect) {
        assert_eq!(once.embed(text).expect("runs").expect("a vector").0.to_bytes(), *expect, "{text}");
    }
    assert_eq!(theirs(&setup, &texts), expect, "as fastembed loads and runs it by itself");
}

/// Embeds the same texts one by one with a model that fastembed loaded in its own way.
fn theirs(setup: &Setup, texts: &[String]) -> Vec<Vec<u8>> {
    use fastembed::{InitOptionsUserDefined, Pooling, TextEmbedding, TokenizerFiles, UserDefinedEmbeddingModel};
    let folder = crate::support::data_dir().join("models").join(MODEL);
    let read = |name: &str| fs::read(folder.join(name)).expect("a file of the model");
    let tokenizer = TokenizerFiles {
        tokenizer_file: read("tokenizer.json"),
        config_file: read("config.json"),
        special_tokens_map_file: read("special_tokens_map.json"),
        tokenizer_config_file: read("tokenizer_config.json"),
    };
    let model = UserDefinedEmbeddingModel::new(read("model.onnx"), tokenizer).with_pooling(Pooling::Mean);
    let options = InitOptionsUserDefined::new()
        .with_environment(setup.environment().expect("the runtime"))
        .with_max_length(128)
        .with_session_config("session.model_external_initializers_file_folder_path", folder.display().to_string());
    let mut model = TextEmbedding::try_new_from_user_defined(model, options).expect("loads");
    let each = texts.iter().map(|text| {
        let vector = model.embed([text], None).expect("runs").pop().expect("a vector");
        patina::embedding::UnitVector::from_f32(&vector).expect("a direction").to_bytes()
    });
    each.collect()
}

#[test]
fn settings_name_the_model_that_comes_with_patina() {
    let config = patina::config::Config::from_texts(None, None).expect("defaults");
    assert_eq!(config.model, ModelConfig { id: MODEL.to_string(), provider: Provider::Cpu });
}
