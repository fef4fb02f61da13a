//! Tests of a damaged eventlog: it is reported and never used silently, every event that verifies is saved, and the
//! damaged file is kept.

use std::fs;
use std::path::PathBuf;

use crate::support::{Random, TestRepo, answers, assert_same};

/// Creates a repository with long and short notes, and returns their texts too.
fn with_notes(count: usize) -> (TestRepo, Vec<String>) {
    let repo = TestRepo::new();
    repo.commit_files(
        &[("a.rs", "/// Begins.\npub fn alpha() { beta(); }\n"), ("b.rs", "pub fn beta() {}\n")],
        "begin",
    );
    repo.reindex();
    // Every fifth note needs more than one database page.
    let said: Vec<String> = (0..count)
        .map(|index| format!("note-{index}-{}", "why ".repeat(if index % 5 == 0 { 4_000 } else { 40 })))
        .collect();
    repo.note(&said);
    (repo, said)
}

fn kept(repo: &TestRepo) -> Vec<PathBuf> {
    let entries = fs::read_dir(repo.state()).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut kept: Vec<PathBuf> = entries
        .filter(|path| path.to_string_lossy().contains("damaged") && path.extension().is_some_and(|end| end == "db"))
        .collect();
    kept.sort();
    kept
}

#[test]
fn a_row_that_was_changed_is_named_and_refused_and_the_others_are_saved() {
    let (repo, said) = with_notes(12);
    let before = answers(&repo);
    let path = repo.state().join("eventlog.db");
    let mut bytes = fs::read(&path).expect("the log");
    let at = bytes.windows(8).position(|window| window == b"note-7-w").expect("the seventh note");
    bytes[at + 20] ^= 1;
    fs::write(&path, &bytes).expect("damage");
    let seq: i64 = repo
        .log()
        .query_row("SELECT seq FROM event WHERE content LIKE 'note-7-%'", [], |row| row.get(0))
        .expect("it still reads");
    let named = format!("event {seq} does not match its sum");
    for args in [&["doctor"][..], &["log", "--type", "session"]] {
        let ran = repo.try_patina(args);
        assert_eq!(ran.code, 6, "{args:?}: {}", ran.stdout);
        assert!((ran.stdout + &ran.stderr).contains(&named), "{args:?}");
    }
    let fixed = repo.patina(&["doctor", "--fix"]);
    assert!(fixed.stderr.contains(&named), "{}", fixed.stderr);
    let mut expect = said;
    expect.remove(7);
    assert_eq!(repo.notes(), expect);
    assert_eq!(kept(&repo).iter().map(|path| fs::read(path).expect("readable")).collect::<Vec<_>>(), [bytes]);
    assert_same(&answers(&repo), &before, "after the fix");
    assert_eq!(repo.json(&["doctor", "--verify"])["equal"], true);
    repo.patina(&["doctor", "--fix"]);
    assert_eq!((repo.notes(), kept(&repo).len()), (expect, 1), "twice equals once");
}

#[test]
fn a_damaged_row_is_refused_until_it_is_derived_again() {
    let (repo, _) = with_notes(1);
    let before = answers(&repo);
    let path = repo.state().join("eventlog.db");
    let mut bytes = fs::read(&path).expect("the log");
    let places = (0..bytes.len() - 7).filter(|at| &bytes[*at..at + 7] == b"Begins.").collect::<Vec<_>>();
    for at in places {
        bytes[at] = b'X';
    }
    fs::write(&path, &bytes).expect("damage");
    fs::remove_dir_all(repo.state().join("cache")).expect("the cache goes");
    let refused = repo.try_patina(&["reindex"]);
    assert_eq!(refused.code, 6, "{}", refused.stderr);
    assert!(refused.stderr.contains("does not match its sum") && refused.stderr.contains("doctor --fix"));
    repo.patina(&["doctor", "--fix"]);
    assert_same(&answers(&repo), &before, "after the fix");
}

#[test]
fn whatever_is_damaged_every_note_outside_of_it_is_saved() {
    let (repo, said) = with_notes(30);
    let before = answers(&repo);
    let path = repo.state().join("eventlog.db");
    let whole = fs::read(&path).expect("the log");
    for seed in 0..16 {
        let random = &mut Random::new(seed);
        for ending in ["-wal", "-shm"] {
            let _ = fs::remove_file(repo.state().join(format!("eventlog.db{ending}")));
        }
        let mut bytes = whole.clone();
        let (from, to) = match seed % 4 {
            0 => (0, 4096 * (1 + random.below(2))),
            1 => {
                let page = 4096 * random.below(bytes.len() / 4096);
                (page, page + 4096)
            }
            2 => {
                let at = random.below(bytes.len() - 64);
                (at, at + 1 + random.below(64))
            }
            _ => (bytes.len() - 4096 * random.below(6) - random.below(4096), bytes.len()),
        };
        if seed % 4 == 3 {
            bytes.truncate(from);
        } else {
            bytes[from..to].iter_mut().for_each(|byte| *byte = random.below(256) as u8);
        }
        fs::write(&path, &bytes).expect("damage");
        let case = format!("seed {seed}: bytes {from} to {to}");
        let fixed = repo.try_patina(&["doctor", "--fix"]);
        assert_eq!(fixed.code, 0, "{case}: {}{}", fixed.stdout, fixed.stderr);
        // A short note fits in one page, and is found even if the pages that lead to it are damaged.
        let saved = repo.notes();
        for text in said.iter().filter(|text| text.len() < 1_000) {
            let at = whole.windows(text.len()).position(|window| window == text.as_bytes()).expect("it stands there");
            let is_hit = from < at + text.len() + 32 && to > at.saturating_sub(120);
            assert!(is_hit || saved.contains(text), "{case}: {} was lost", &text[..8]);
        }
        assert!(saved.iter().all(|text| said.contains(text)), "{case}: a note was made up");
        assert_same(&answers(&repo), &before, &case);
        assert_eq!(repo.json(&["doctor", "--verify"])["equal"], true, "{case}");
        let is_kept = kept(&repo).iter().any(|kept| fs::read(kept).is_ok_and(|kept| kept == bytes));
        let is_same = fs::read(&path).expect("the log").len() >= bytes.len() && kept(&repo).is_empty();
        assert!(is_kept || is_same, "{case}: the damaged file is gone");
        for kept in kept(&repo) {
            fs::remove_file(kept).expect("it can go");
        }
    }
}

#[test]
fn what_stands_only_in_the_write_ahead_log_is_saved_too() {
    let (repo, said) = with_notes(6);
    // An open reader keeps the last writer from checkpointing the write-ahead log.
    let path = repo.state().join("eventlog.db");
    let holder = repo.log();
    holder.execute_batch("BEGIN; SELECT count(*) FROM event;").expect("reads");
    let late = "late ".repeat(2_000);
    repo.note(std::slice::from_ref(&late));
    let (main, wal) = (fs::read(&path).expect("the log"), fs::read(path.with_extension("db-wal")).expect("its WAL"));
    drop(holder);
    let mut broken = main;
    broken[..4096].fill(0);
    fs::write(&path, &broken).expect("damage");
    fs::write(path.with_extension("db-wal"), &wal).expect("as a crash leaves it");
    let _ = fs::remove_file(path.with_extension("db-shm"));
    repo.patina(&["doctor", "--fix"]);
    let mut expect = said;
    expect.push(late);
    assert_eq!(repo.notes(), expect);
}
