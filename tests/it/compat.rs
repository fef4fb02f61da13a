//! Tests that eventlogs of earlier schemas open: each file under `tests/compat/` migrates, answers, and keeps all of
//! its events. The ignored test below writes the file of the present schema.

use std::path::{Path, PathBuf};

use crate::support::{TestRepo, seed_rows};

/// The current schema version of the event log.
const PRESENT: u32 = 3;
/// The first schema version that can hold session entries.
const WITH_SESSIONS: u32 = 3;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat")
}

/// Creates the repository that every stored event log was made from; its commit ids are the same on every machine.
fn source() -> TestRepo {
    let repo = TestRepo::new();
    for index in 0..4 {
        let a = format!("use crate::b::help;\n\npub fn work() {{\n    help({index})\n}}\n");
        let b = format!("pub fn help(n: u32) -> u32 {{\n    n + {index}\n}}\n");
        repo.commit_files(&[("src/a.rs", &a), ("src/b.rs", &b)], &format!("step {index}"));
    }
    repo.git(&["mv", "src/b.rs", "src/c.rs"]);
    repo.commit("a rename");
    repo
}

/// Writes the file for a new schema version: `cargo test --release --test it write_the_present_eventlog -- --ignored`.
#[test]
#[ignore = "writes a file of the repository, once for each schema version"]
fn write_the_present_eventlog() {
    let repo = source();
    repo.reindex();
    repo.patina(&["note", "--decision", "Keep help where it is", "--files", "src/c.rs"]);
    assert_eq!(repo.count("PRAGMA user_version"), i64::from(PRESENT));
    let path = folder().join(format!("eventlog-{PRESENT}.db"));
    std::fs::create_dir_all(folder()).expect("a folder");
    let _ = std::fs::remove_file(&path);
    repo.log().execute("VACUUM INTO ?1", [path.to_str().expect("UTF-8")]).expect("it is written");
}

#[test]
fn an_eventlog_of_every_schema_opens_migrates_and_answers() {
    for version in 1..=PRESENT {
        let old = folder().join(format!("eventlog-{version}.db"));
        assert!(old.exists(), "{} is missing", old.display());
        let repo = source();
        std::fs::create_dir_all(repo.state()).expect("a folder");
        std::fs::copy(&old, repo.state().join("eventlog.db")).expect("a copy");
        assert_eq!(repo.count("PRAGMA user_version"), i64::from(version));
        let before = repo.count("SELECT count(*) FROM event");
        let fingerprint = format!("SELECT total(length(data) * seq) FROM event WHERE seq <= {before}");
        let old_data: f64 = repo.log().query_row(&fingerprint, [], |row| row.get(0)).expect("a sum");
        assert!(before > 10, "schema {version} holds {before} events");
        repo.reindex();
        assert_eq!(repo.count("PRAGMA user_version"), i64::from(PRESENT));
        let new_data: f64 = repo.log().query_row(&fingerprint, [], |row| row.get(0)).expect("a sum");
        assert!((old_data - new_data).abs() < 0.5, "schema {version}: an event changed");
        let rows = seed_rows(&repo.log());
        assert_eq!(rows["social"].len(), 5, "schema {version}");
        assert_eq!(rows["dependency"].len(), 1, "schema {version}");
        assert_eq!(repo.json(&["query", "help", "--kind", "function"])["hits"][0]["key"], "src/c.rs#help");
        assert_eq!(repo.json(&["who", "src/c.rs"])["people"][0]["commits"], 5, "schema {version}");
        if version >= WITH_SESSIONS {
            assert_eq!(repo.json(&["session", "show", "notes"])["entries"][0]["content"], "Keep help where it is");
        }
        assert_eq!(repo.try_patina(&["doctor"]).code, 0, "schema {version}: every sum holds");
    }
}
