//! Tests of self-repair: missing logs, damaged caches, malformed commits. No answer is ever silently wrong.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use crate::support::{TestRepo, answers, assert_same};

fn repository() -> TestRepo {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.rs", "pub fn alpha() { beta(); }\n"), ("b.rs", "pub fn beta() {}\n")], "begin");
    repo.commit_files(&[("a.rs", "pub fn alpha() { beta(); beta(); }\n"), ("b.rs", "pub fn beta() { }\n")], "go on");
    repo.reindex();
    repo
}

#[test]
fn a_log_that_is_gone_or_empty_is_said_and_built_again() {
    let repo = repository();
    let before = answers(&repo);
    let log = repo.state().join("eventlog.db");
    for emptied in [false, true] {
        for ending in ["-wal", "-shm"] {
            let _ = fs::remove_file(repo.state().join(format!("eventlog.db{ending}")));
        }
        if emptied {
            fs::write(&log, "").expect("emptied")
        } else {
            fs::remove_file(&log).expect("gone")
        }
        let refused = repo.try_patina(&["query", "alpha"]);
        assert_eq!(refused.code, 4, "{}", refused.stderr);
        assert!(refused.stderr.contains("patina reindex"), "{}", refused.stderr);
        assert!(repo.reindex() > 0, "everything is taken in again");
        assert_same(&answers(&repo), &before, "after the log was built again");
    }
}

#[test]
fn a_cache_made_from_another_log_is_not_taken_for_one_of_this() {
    let repo = repository();
    let before = answers(&repo);
    let (cache, aside) = (repo.state().join("cache"), repo.root().join("aside"));
    fs::rename(&cache, &aside).expect("put aside");
    for ending in ["", "-wal", "-shm", ".seal"] {
        let _ = fs::remove_file(repo.state().join(format!("eventlog.db{ending}")));
    }
    // The new log records other events first, and more of them, so the event numbers in the old cache mean other
    // events.
    repo.git(&["checkout", "-q", "--orphan", "other"]);
    repo.commit_files(&[("c.rs", "pub fn gamma() { delta(); }\npub fn delta() {}\npub fn epsilon() {}\n")], "apart");
    repo.reindex();
    repo.git(&["checkout", "-q", "main"]);
    repo.reindex();
    fs::remove_dir_all(&cache).expect("removed");
    fs::rename(&aside, &cache).expect("put back");
    repo.reindex();
    assert_same(&answers(&repo), &before, "beside another log");
    assert_eq!(repo.json(&["doctor", "--verify"])["equal"], true);
}

#[test]
fn an_answer_over_a_damaged_cache_comes_once_it_is_built_again() {
    let repo = repository();
    let before = repo.patina(&["who", "a.rs"]).stdout;
    for entry in fs::read_dir(repo.state().join("cache")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "db") {
            let mut bytes = fs::read(&path).expect("readable");
            bytes[4096..].fill(0x5a);
            fs::write(path, bytes).expect("damage");
        }
    }
    let ringing = repo.with("PATINA", "");
    let asked = ringing.try_patina(&["who", "a.rs"]);
    assert_eq!((asked.code, asked.stdout), (0, before), "{}", asked.stderr);
    assert!(asked.stderr.contains("damaged"), "{}", asked.stderr);
    ringing.rest();
}

/// Removes a file's seal, so that the next write to it looks like one of patina's.
fn unsealed(path: &std::path::Path) {
    let mut seal = path.as_os_str().to_owned();
    seal.push(".seal");
    fs::remove_file(seal).expect("it rests under a seal");
}

#[test]
fn a_cache_that_something_else_wrote_to_is_not_believed() {
    let repo = repository();
    let before = answers(&repo);
    let folder = repo.state().join("cache");
    let path = folder.join(fs::read_to_string(folder.join("current")).expect("a cache").trim());
    let mut bytes = fs::read(&path).expect("readable");
    // Changes a name inside a row: for SQLite, the file is still valid.
    let at = bytes.windows(4).position(|window| window == b"b.rs").expect("a path");
    bytes[at] = b'x';
    fs::write(&path, bytes).expect("damage");
    let refused = repo.try_patina(&["query", "beta"]);
    assert_eq!(refused.code, 6, "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("changed by something other than patina"), "{}", refused.stderr);
    let ringing = repo.with("PATINA", "");
    let asked = ringing.json(&["query", "beta", "--kind", "function"]);
    assert_eq!(asked["hits"][0]["key"], "b.rs#beta", "it is built again meanwhile");
    ringing.rest();
    assert_same(&answers(&repo), &before, "built again");
    assert_eq!(repo.json(&["doctor", "--verify"])["equal"], true);
}

#[test]
fn a_log_that_somebody_touched_is_held_against_its_sums_and_sealed_again() {
    let repo = repository();
    let log = repo.state().join("eventlog.db");
    let seal = || fs::read_to_string(repo.state().join("eventlog.db.seal")).expect("it rests under a seal");
    let before = seal();
    let file = fs::File::options().append(true).open(&log).expect("opens");
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000)).expect("a time");
    drop(file);
    assert_eq!(repo.json(&["query", "beta", "--kind", "function"])["hits"][0]["key"], "b.rs#beta");
    assert_eq!(seal(), before, "whoever only reads leaves it");
    let ringing = repo.with("PATINA", "");
    ringing.patina(&["query", "beta"]);
    ringing.rest();
    assert_ne!(seal(), before);
    assert_eq!(repo.json(&["doctor", "--verify"])["equal"], true);
}

#[test]
fn a_copied_repository_is_taken_as_it_is() {
    let repo = repository();
    let copy = repo.copy();
    assert_same(&answers(&copy), &answers(&repo), "copied");
    assert_eq!(copy.reindex(), 0);
    assert!(copy.state().join("cache/cache-1.db").exists(), "nothing was built again");
}

#[test]
fn a_malformed_commit_hides_nothing() {
    let repo = repository();
    let (tree, parent) = (repo.git(&["write-tree"]).stdout, repo.head());
    for (line, name) in [("author A 1700000000 +0000", "A"), ("author B <b 1700000000 +0000", "B"), ("author", "")] {
        let text = format!(
            "tree {}\nparent {parent}\n{line}\ncommitter C <c@example.org> 1700000000 +0000\n\nodd\n",
            tree.trim()
        );
        let mut child = repo.command("git");
        child.args(["hash-object", "-t", "commit", "-w", "--literally", "--stdin"]);
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("git runs");
        child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("written");
        let id = String::from_utf8(child.wait_with_output().expect("git ends").stdout).expect("an id");
        repo.git(&["update-ref", "HEAD", id.trim()]);
        repo.git(&["commit", "-q", "--allow-empty", "-m", "and on"]);
        repo.reindex();
        assert_eq!(repo.json(&["status"])["pending"], 0, "{line}");
        assert_eq!(repo.json(&["who", "a.rs"])["people"][0]["commits"], 2, "what came before still counts: {line}");
        let author = "SELECT count(*) FROM eventlog WHERE event_type = 'git.commit' AND content = 'odd\n'";
        assert!(repo.count(author) >= 1, "it is an event itself: {line}");
        let like = format!("{author} AND data ->> '$.author' LIKE '{name}%'");
        assert!(repo.count(&like) >= 1, "with what there is of its author: {line}");
    }
}

#[test]
fn an_index_made_under_other_settings_is_not_served() {
    let repo = repository();
    let config = repo.root().join("home/.config/patina/config.toml");
    fs::create_dir_all(config.parent().expect("a folder")).expect("a folder");
    fs::write(config, "[index]\nmax_file_bytes = 5\n").expect("settings");
    let refused = repo.try_patina(&["query", "alpha"]);
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    repo.reindex();
    assert_eq!(repo.json(&["status"])["files"]["oversize"], 2);
}

#[test]
fn whoever_was_amended_away_is_nobody() {
    let repo = repository();
    repo.write("a.rs", "pub fn alpha() {}\n");
    repo.git(&["commit", "-q", "-a", "--author", "Typo <typo@example.org>", "-m", "typo"]);
    repo.reindex();
    assert!(repo.patina(&["who", "a.rs"]).stdout.contains("Typo"));
    repo.git(&["commit", "-q", "--amend", "--reset-author", "-m", "right"]);
    repo.reindex();
    assert!(!repo.patina(&["who", "a.rs"]).stdout.contains("Typo"));
}

#[test]
fn an_absolute_path_names_a_file_and_a_hit_has_evidence() {
    let repo = repository();
    let path = repo.git(&["rev-parse", "--show-toplevel"]).stdout.trim().to_string() + "/a.rs";
    let found = repo.json(&["related", &path]);
    assert_eq!(found["hits"][0]["key"], "b.rs");
    for hit in found["hits"].as_array().expect("hits") {
        assert!(!hit["evidence"].as_array().expect("evidence").is_empty(), "{hit}");
    }
}

#[test]
fn what_was_taken_in_step_by_step_verifies_and_a_planted_fault_does_not() {
    let repo = repository();
    repo.git(&["mv", "a.rs", "c.rs"]);
    repo.commit("rename");
    repo.reindex();
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    repo.commit_files(
        &[("b.rs", "use a::alpha;\n/// Greets.\npub fn beta() { gamma(); }\nfn gamma() {}\n")],
        "another way",
    );
    repo.reindex();
    let verified = repo.json(&["doctor", "--verify"]);
    assert_eq!(
        (&verified["equal"], verified["differences"].as_array().map(Vec::len)),
        (&true.into(), Some(0)),
        "{verified}"
    );
    let faults: [(&str, &str, &str); 10] = [
        ("calls", "cache", "DELETE FROM parse_call"),
        ("items", "cache", "UPDATE definition SET qualified = 'x' WHERE name = 'beta'"),
        ("history", "cache", "DELETE FROM touched WHERE status = 'A'"),
        ("commits", "cache", "DELETE FROM reachable WHERE seq = (SELECT min(seq) FROM reachable)"),
        ("parents", "cache", "UPDATE parent SET sha = x'00'"),
        ("imports", "cache", "DELETE FROM import"),
        ("files", "cache", "DELETE FROM view_file WHERE path = (SELECT id FROM path WHERE path = 'b.rs')"),
        ("full text", "cache", "DELETE FROM text_index WHERE rowid = (SELECT max(seq) FROM definition)"),
        ("texts", "cache", "DELETE FROM item_text WHERE kind = 'function'"),
        ("sql tree", "log", "DELETE FROM tree"),
    ];
    let before = answers(&repo);
    for (part, file, sql) in faults {
        let folder = repo.state().join("cache");
        let name = fs::read_to_string(folder.join("current")).expect("a cache");
        let path = if file == "log" { repo.state().join("eventlog.db") } else { folder.join(name.trim()) };
        unsealed(&path);
        let changed = rusqlite::Connection::open(path).expect("opens").execute(sql, []).expect("a fault");
        assert!(changed > 0, "{part}: {sql}");
        let ran = repo.try_patina(&["--json", "doctor", "--verify"]);
        assert_eq!(ran.code, 6, "{part}: {}", ran.stderr);
        let said: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let parts = crate::support::texts(&said["differences"], "part");
        assert!(parts.iter().any(|found| found == part), "{part}: {parts:?}");
        repo.json(&["reindex", "--full"]);
        assert_same(&answers(&repo), &before, part);
        assert_eq!(repo.json(&["doctor", "--verify"])["equal"], true, "{part}: a full run mends it");
    }
}
