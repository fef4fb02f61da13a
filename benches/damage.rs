//! Fuzzes the state folder: random damage to segments, their manifest, adapters, databases and stamps never leads to a
//! crash or a wrong answer, and the next run repairs it; a damaged log is reported, and `doctor --fix` repairs it.
//! Prints each damage, and fails at the first wrong answer.
//!
//! `cargo bench --bench damage -- [TRIALS] [SEED]`; the model is that of `patina model prepare`.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::Connection;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::Value;

/// Enough definitions that segments are published.
const FILES: usize = 42;
const A_FILE: usize = 50;
const WIDTH: usize = 384;
const NARROW: usize = 32;

/// An xorshift64* generator: the same damage for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let trials = numbers.first().copied().unwrap_or(300);
    let mut random = Random(numbers.get(1).copied().unwrap_or(1) * 2 + 1);
    let folder = tempfile::tempdir().expect("a folder");
    let path = &folder.path().join("repo");
    std::fs::create_dir(path).expect("a folder");
    own_data(folder.path());
    repository(path);
    patina(path, &["reindex"]);
    let identity = Known::of(path);
    let adapter = path.join(".git/patina/adapters/semantic.safetensors");
    std::fs::create_dir_all(adapter.parent().expect("a folder")).expect("a folder");
    let model = patina(path, &["status"])["model"]["sha256"].as_str().expect("a model").to_string();
    std::fs::write(&adapter, trained(&model, &mut random)).expect("an adapter");
    patina(path, &["reindex"]);
    let trained = Known::of(path);
    assert_ne!(identity.digest, trained.digest);

    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for trial in 0..trials {
        let good = std::fs::read(&adapter).expect("readable");
        let (kind, what) = match random.below(8) {
            0 | 1 => ("segments", damage_file(&segment(path, &mut random), &mut random)),
            2 => ("manifest rows", damage_manifest(path, &mut random)),
            3 | 4 => ("adapters", damage_file(&adapter, &mut random)),
            5 => ("caches", damage_file(&cache_path(path), &mut random)),
            6 => match random.below(2) {
                0 => ("embeddings", damage_file(&path.join(".git/patina/cache/embeddings.db"), &mut random)),
                _ => ("logs", damage_file(&path.join(".git/patina/eventlog.db"), &mut random)),
            },
            _ => ("stamps", damage_file(&stamp(path, &mut random), &mut random)),
        };
        let is_adapter = kind == "adapters";
        *counts.entry(kind).or_default() += 1;
        for (asked, expect) in &trained.answers {
            let (code, said) = run(path, asked);
            assert!([0, 4, 6].contains(&code), "trial {trial}, {what}: {asked:?} ended with {code}: {said}");
            let answer: Value = serde_json::from_str(&said).unwrap_or_default();
            // An answer without vectors differs, and says so.
            let is_said = code != 0 || answer["used_vectors"] == false;
            assert!(is_said || answer["hits"] == *expect, "trial {trial}, {what}: {asked:?} is answered wrongly");
        }
        if kind == "logs" {
            let (code, said) = run(path, &["doctor"]);
            // Bytes that belong to no row may be damaged without any loss.
            assert!(code == 6 || code == 0, "trial {trial}, {what}: doctor ended with {code}: {said}");
            patina(path, &["doctor", "--fix"]);
        }
        patina(path, &["reindex"]);
        let expect = if is_adapter { &identity } else { &trained };
        assert!(Known::of(path) == *expect, "trial {trial}, {what}: not mended");
        let (code, said) = run(path, &["doctor"]);
        assert_eq!(code, 0, "trial {trial}, {what}: {said}");
        if is_adapter {
            std::fs::write(&adapter, &good).expect("mended");
            patina(path, &["reindex"]);
            assert!(Known::of(path) == trained, "trial {trial}, {what}: the adapter is used again");
        }
    }
    let counts: Vec<String> = counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
    println!("{trials} damaged ({}): no crash, no wrong answer, every one mended", counts.join(", "));
}

/// Creates a data folder whose stamp files may be damaged; models and runtime are those of the real one.
fn own_data(folder: &Path) {
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share/patina"));
    let real = std::env::var_os("PATINA_DATA_DIR").map(PathBuf::from).or_else(home).expect("a data folder");
    let own = folder.join("data");
    std::fs::create_dir(&own).expect("a folder");
    for entry in std::fs::read_dir(&real).expect("`patina model prepare` was run").flatten() {
        if entry.path().is_dir() {
            std::os::unix::fs::symlink(entry.path(), own.join(entry.file_name())).expect("a link");
        }
    }
}

/// Picks one of the small files that record what was checked and what is in use.
fn stamp(path: &Path, random: &mut Random) -> PathBuf {
    let state = path.join(".git/patina");
    let mut log_seal = state.join("eventlog.db").into_os_string();
    log_seal.push(".seal");
    let mut cache_seal = cache_path(path).into_os_string();
    cache_seal.push(".seal");
    let checked = path.parent().expect("a folder").join("data/checked.json");
    let mut all =
        vec![PathBuf::from(log_seal), cache_seal.into(), checked, state.join("cache/current"), state.join("wake")];
    all.retain(|path| std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0));
    all.swap_remove(random.below(all.len()))
}

/// The answers, and the digest of all vectors.
#[derive(PartialEq)]
struct Known {
    digest: Value,
    answers: Vec<(Vec<&'static str>, Value)>,
}

impl Known {
    fn of(path: &Path) -> Self {
        let asked = [
            vec!["query", "function 1234", "-d", "semantic", "-k", "5"],
            vec!["query", "count a value", "-k", "5"],
            vec!["related", "src/file7.rs#f7_3", "-d", "dependency", "-k", "5"],
        ];
        let answers = asked.map(|asked| (asked.clone(), patina(path, &asked)["hits"].clone())).to_vec();
        Known { digest: patina(path, &["status", "--digest"])["digest"].clone(), answers }
    }
}

fn segment(path: &Path, random: &mut Random) -> PathBuf {
    let folder = path.join(".git/patina/cache/segments");
    let mut all: Vec<PathBuf> = cache(path)
        .prepare("SELECT file FROM segment ORDER BY file")
        .and_then(|mut statement| statement.query_map([], |row| row.get::<_, String>(0))?.collect())
        .map(|names: Vec<String>| names.iter().map(|name| folder.join(name)).collect())
        .expect("segments are listed");
    assert!(!all.is_empty(), "segments are published");
    all.swap_remove(random.below(all.len()))
}

fn damage_file(path: &Path, random: &mut Random) -> String {
    let good = std::fs::read(path).expect("readable");
    let mut bad = good.clone();
    let at = random.below(good.len());
    let what = match random.below(7) {
        0 => {
            bad[at] ^= 1 << random.below(8);
            "one bit"
        }
        1 => {
            let end = (at + 4096).min(bad.len());
            bad[at..end].fill(0);
            if bad == good {
                bad[at] ^= 1;
            }
            "a page of zeroes"
        }
        2 => {
            bad.truncate(at);
            "cut short"
        }
        3 => {
            bad.extend_from_slice(&good[..at.min(1000) + 1]);
            "made longer"
        }
        4 => {
            for byte in &mut bad {
                *byte = random.next() as u8;
            }
            "noise"
        }
        5 => {
            let head = bad.len().min(64);
            bad[..head].fill(0xff);
            "its head"
        }
        _ => {
            std::fs::remove_file(path).expect("removed");
            return format!("file {}: gone", path.display());
        }
    };
    std::fs::write(path, bad).expect("damage");
    format!("file {}: {what} at {at}", path.display())
}

fn damage_manifest(path: &Path, random: &mut Random) -> String {
    let rows = [
        "UPDATE segment SET blake3 = 'x' || blake3, stamp = ''",
        "UPDATE segment SET bytes = bytes + 1",
        "UPDATE segment SET count = count - 1",
        "UPDATE segment SET file = 'nothing.usearch'",
        "UPDATE segment SET space = space + 1000",
        "UPDATE segment SET stamp = 'x'",
        "DELETE FROM segment",
        "UPDATE generation SET model = '{'",
        "DELETE FROM generation",
        "DELETE FROM generation_space",
        "UPDATE generation_space SET space = 1 WHERE dimension = 'semantic'",
        "UPDATE space SET width = width / 2",
        "UPDATE space SET model = 'x'",
        "UPDATE space SET adapter = 'x' WHERE adapter <> ''",
        "UPDATE delta SET vector = zeroblob(length(vector)) WHERE text % 2 = 0",
        "UPDATE delta SET sum = x'00'",
        "DELETE FROM target",
    ];
    let sql = rows[random.below(rows.len())];
    cache(path).execute(sql, []).unwrap_or_else(|error| panic!("{sql}: {error}"));
    format!("row: {sql}")
}

fn cache_path(path: &Path) -> PathBuf {
    let folder = path.join(".git/patina/cache");
    let name = std::fs::read_to_string(folder.join("current")).expect("a cache");
    folder.join(name.trim())
}

/// Returns the cache without its seal, as a bug in patina would leave it.
fn cache(path: &Path) -> Connection {
    let path = cache_path(path);
    let mut seal = path.clone().into_os_string();
    seal.push(".seal");
    let _ = std::fs::remove_file(seal);
    Connection::open(path).expect("opens")
}

/// Returns an adapter of random numbers in the format that training writes.
fn trained(model: &str, random: &mut Random) -> Vec<u8> {
    let shapes: [(&str, Vec<usize>); 4] = [
        ("w1.bias", vec![NARROW]),
        ("w1.weight", vec![NARROW, WIDTH]),
        ("w2.bias", vec![NARROW]),
        ("w2.weight", vec![NARROW, NARROW]),
    ];
    let bytes: Vec<Vec<u8>> = shapes
        .iter()
        .map(|(_, shape)| {
            let count = shape.iter().product::<usize>();
            (0..count).flat_map(|_| ((random.next() as f32 / u64::MAX as f32) - 0.5).to_le_bytes()).collect()
        })
        .collect();
    let mut hasher = blake3::Hasher::new();
    for bytes in &bytes {
        hasher.update(bytes);
    }
    let metadata = HashMap::from([
        ("model_sha256".to_string(), model.to_string()),
        ("tensors_blake3".to_string(), hasher.finalize().to_hex().to_string()),
    ]);
    let views = shapes
        .iter()
        .zip(&bytes)
        .map(|((name, shape), bytes)| (*name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("it fits")));
    safetensors::serialize(views, Some(metadata)).expect("it serializes")
}

fn repository(path: &Path) {
    git(path, &["init", "-q", "-b", "main"]);
    std::fs::create_dir(path.join("src")).expect("a folder");
    for file in 0..FILES {
        let functions =
            (0..A_FILE).map(|at| format!("fn f{file}_{at}() {{ {} }}\n", file * A_FILE + at)).collect::<String>();
        std::fs::write(path.join(format!("src/file{file}.rs")), functions).expect("a file");
    }
    git(path, &["add", "."]);
    git(path, &["commit", "-q", "-m", "begin"]);
}

fn run(path: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_patina"))
        .args(["--json", "--quiet"])
        .args(arguments)
        .current_dir(path)
        .env("PATINA", "0")
        .env("PATINA_DATA_DIR", path.parent().expect("a folder").join("data"))
        .stdin(Stdio::null())
        .output()
        .expect("patina runs");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn patina(path: &Path, arguments: &[&str]) -> Value {
    let (code, said) = run(path, arguments);
    assert_eq!(code, 0, "patina {arguments:?}: {said}");
    serde_json::from_str(&said).expect("JSON")
}

fn git(path: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Bench", "-c", "user.email=bench@example.org"]).args(arguments);
    let status = command.current_dir(path).env("GIT_CONFIG_GLOBAL", "/dev/null").status().expect("git runs");
    assert!(status.success(), "git {arguments:?}");
}
