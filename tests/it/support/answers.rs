//! Everything that a repository's users see, as one comparable value. Positions in the log are left out, because they
//! depend on the order of ingestion.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

use super::TestRepo;

/// The six queries as their author wrote them, by dimension. Those that were written as a fragment are completed only
/// by the `SELECT` around it.
pub const SEED: [(&str, &str); 6] = [
    (
        "semantic",
        "SELECT seq, content FROM eventlog
WHERE event_type IN ('session.decision', 'session.observation', 'session.pattern')",
    ),
    (
        "temporal",
        "SELECT a.file_path, b.file_path, COUNT(*) as cochange_count
FROM commit_files a
JOIN commit_files b ON a.commit_hash = b.commit_hash
WHERE a.file_path < b.file_path
GROUP BY a.file_path, b.file_path
HAVING cochange_count > 2",
    ),
    (
        "dependency",
        "SELECT caller_name, callee_name
FROM eventlog
WHERE event_type = 'code.call'
AND caller_name IS NOT NULL",
    ),
    (
        "syntactic",
        "SELECT name, json_extract(data, '$.signature') as signature,
       json_extract(data, '$.return_type') as return_type
FROM eventlog
WHERE event_type = 'code.function'",
    ),
    (
        "architectural",
        "SELECT json_extract(data, '$.file_path') as file_path,
       json_extract(data, '$.name') as name
FROM eventlog
WHERE event_type LIKE 'code.%'
AND file_path IS NOT NULL",
    ),
    (
        "social",
        "SELECT json_extract(data, '$.author') as author,
       json_extract(data, '$.files_changed') as files
FROM eventlog
WHERE event_type = 'git.commit'",
    ),
];

/// Returns the sorted rows of the six queries, by dimension.
pub fn seed_rows(log: &Connection) -> BTreeMap<&'static str, Vec<String>> {
    SEED.into_iter().map(|(dimension, sql)| (dimension, rows(log, sql))).collect()
}

/// Returns the rows of a query as sorted text, without the column `seq`.
fn rows(log: &Connection, sql: &str) -> Vec<String> {
    let mut statement = log.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns: Vec<usize> = (0..statement.column_count())
        .filter(|index| statement.column_name(*index).expect("it is below the count") != "seq")
        .collect();
    let text = |row: &rusqlite::Row<'_>| -> rusqlite::Result<String> {
        let cells: rusqlite::Result<Vec<Cell>> = columns.iter().map(|index| row.get(*index)).collect();
        Ok(format!("{:?}", cells?))
    };
    let rows = statement.query_map([], text).expect("it runs");
    let mut rows: Vec<String> = rows.collect::<rusqlite::Result<_>>().expect("rows");
    rows.sort();
    rows
}

/// Returns the keys of the files that are live in the main worktree.
fn live_files(repo: &TestRepo) -> Vec<String> {
    let log = repo.log();
    let sql = "SELECT DISTINCT file_path FROM eventlog WHERE event_type = 'code.file' ORDER BY 1";
    let mut statement = log.prepare(sql).expect("it prepares");
    let files = statement.query_map([], |row| row.get(0)).expect("it runs");
    files.collect::<rusqlite::Result<_>>().expect("rows")
}

/// Returns the digest, the answers of `related`, `who` and `calls` for every live file, and the rows of the six
/// queries.
pub fn answers(repo: &TestRepo) -> Value {
    let status = repo.json(&["status", "--digest"]);
    let mut files = BTreeMap::new();
    for file in live_files(repo) {
        let ask = |command: &str| repo.json(&[command, "--", &file]);
        files.insert(file.clone(), json!([ask("related"), ask("who"), ask("calls")]));
    }
    json!({
        "digest": status["digest"], "as_of": status["indexed_commit"], "behind": status["behind"], "items": status["items"],
        "skipped": status["files"], "files": files, "rows": seed_rows(&repo.log()),
        "found": repo.json(&["query", "work", "note", "step", "-k", "200"]),
    })
}

/// Returns the answers of a full rebuild: all state is set aside, and the same HEADs are indexed from scratch.
pub fn afresh(repo: &TestRepo) -> Value {
    let (state, aside) = (repo.state(), repo.root().join("aside"));
    std::fs::rename(&state, &aside).expect("the state moves");
    repo.silent().reindex();
    let fresh = answers(repo);
    std::fs::remove_dir_all(&state).expect("the fresh state goes");
    std::fs::rename(&aside, &state).expect("the state comes back");
    fresh
}

/// Compares two answers part by part, so that a failure shows the part that differs.
pub fn assert_same(a: &Value, b: &Value, about: &str) {
    for (part, value) in a.as_object().expect("parts").iter().filter(|(part, _)| *part != "files") {
        assert_eq!(value, &b[part], "{about}: {part}");
    }
    for (file, answer) in a["files"].as_object().expect("files") {
        assert_eq!(answer, &b["files"][file], "{about}: {file}");
    }
    assert_eq!(a, b, "{about}");
}
