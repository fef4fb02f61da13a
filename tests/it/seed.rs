//! Tests of plain SQL on the eventlog: the six documented queries work, and events cannot be changed.

use rusqlite::Connection;

use crate::support::{SEED, TestRepo, seed_rows};

fn with_code() -> TestRepo {
    let repo = TestRepo::new();
    for index in 0..4 {
        let a = format!("use crate::b::help;\n\npub fn work(n: u32) -> u32 {{\n    help({index})\n}}\n");
        let b = format!("pub fn help(n: u32) -> u32 {{\n    n + {index}\n}}\n");
        repo.commit_files(&[("src/a.rs", &a), ("src/b.rs", &b)], &format!("step {index}"));
    }
    repo.reindex();
    repo
}

#[test]
fn the_six_queries_run_as_written_and_return_rows() {
    let rows = seed_rows(&with_code().log());
    for (dimension, _) in SEED.iter().filter(|(dimension, _)| *dimension != "semantic") {
        assert!(!rows[dimension].is_empty(), "{dimension}");
    }
    let check = |dimension: &str, expect: &[&str]| {
        assert_eq!(rows[dimension].len(), expect.len(), "{dimension}: {:?}", rows[dimension]);
        for (row, words) in rows[dimension].iter().zip(expect) {
            assert!(words.split(' ').all(|word| row.contains(word)), "{dimension}: {row}");
        }
    };
    check("semantic", &[]);
    check("temporal", &["src/a.rs src/b.rs Integer(4)"]);
    check("dependency", &["work help"]);
    check("syntactic", &["help u32", "work u32"]);
    check("social", &["Ada ada@example.org src/a.rs"; 4]);
}

#[test]
fn the_views_show_the_pairs_and_files_of_what_is_reachable() {
    let repo = with_code();
    let pair = "SELECT cochange_count FROM co_changes WHERE file_a = 'src/a.rs' AND file_b = 'src/b.rs'";
    assert_eq!(repo.count(pair), 4);
    assert_eq!(repo.count("SELECT count(*) FROM commit_files WHERE status = 'A'"), 2);
    assert_eq!(repo.count("SELECT count(*) FROM commit_files WHERE status = 'M'"), 6);
}

#[test]
fn an_event_is_never_updated_or_deleted() {
    let repo = with_code();
    let log = Connection::open(repo.state().join("eventlog.db")).expect("it opens");
    for sql in [
        "UPDATE event SET data = '{}'",
        "UPDATE event SET event_type = 'x' WHERE seq = 1",
        "UPDATE event SET seq = seq + 1000",
        "DELETE FROM event",
        "DELETE FROM event WHERE event_type = 'git.commit'",
    ] {
        let error = log.execute(sql, []).expect_err(sql);
        assert!(error.to_string().contains("append-only"), "{sql}: {error}");
    }
}

#[test]
fn a_damaged_event_is_named_by_the_doctor() {
    let repo = with_code();
    let log = Connection::open(repo.state().join("eventlog.db")).expect("it opens");
    log.execute_batch("DROP TRIGGER event_is_never_updated; UPDATE event SET source_file = 'x' WHERE seq = 3")
        .expect("damage");
    drop(log);
    let doctor = repo.try_patina(&["doctor"]);
    assert_eq!(doctor.code, 6, "{}", doctor.stdout);
    assert!(doctor.stdout.contains("event 3 "), "{}", doctor.stdout);
}
