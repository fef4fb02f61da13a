//! Checks after one step of a test: it was indexed automatically, and the index equals a full rebuild, without stale or
//! duplicate entries.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::{TestRepo, until};

/// What makes patina notice a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// A hook that git runs.
    Hook,
    /// No hook; the next command notices the change.
    Next,
}

/// Changes a repository with hooks, waits until the change is indexed, and audits the index.
pub fn step(repo: &TestRepo, name: &str, heard: Heard, work: impl FnOnce(&TestRepo)) {
    work(repo);
    if heard == Heard::Next {
        repo.patina(&["query", "work"]);
    }
    until(&format!("{name} to be taken in"), || is_current(repo));
    audit(repo, name);
}

/// Returns whether HEAD is indexed, without starting a worker.
pub fn is_current(repo: &TestRepo) -> bool {
    let status = repo.silent().json(&["status"]);
    status["indexed_commit"] == status["head"] && status["last_error"] == Value::Null
}

/// Checks that the index equals a full rebuild, and that plain SQL shows the same commits as git, without duplicates.
pub fn audit(repo: &TestRepo, after: &str) {
    verified(repo, after);
    let (shown, expect) = (commits(repo), reached(repo));
    assert_eq!(shown.iter().cloned().collect::<BTreeSet<_>>(), expect, "after {after}: the commits");
    assert_eq!(shown.len(), expect.len(), "after {after}: a commit is there twice");
    let keys = column(repo, "SELECT data ->> '$.key' FROM eventlog WHERE event_type IN ('code.file', 'code.function')");
    let once: BTreeSet<&String> = keys.iter().collect();
    assert_eq!(once.len(), keys.len(), "after {after}: an item is there twice: {keys:?}");
    let files = column(repo, "SELECT DISTINCT file_path FROM eventlog WHERE event_type = 'code.file'");
    let main = worktree_heads(repo).remove(0);
    let list = |head: String| repo.git(&["ls-tree", "-r", "--name-only", "--full-tree", &head]).stdout;
    let listed = main.map(list).unwrap_or_default();
    let listed: BTreeSet<String> = listed.lines().map(str::to_string).collect();
    assert_eq!(files.into_iter().collect::<BTreeSet<_>>(), listed, "after {after}: the files of the main worktree");
}

/// Checks that `patina doctor --verify` finds no difference.
pub fn verified(repo: &TestRepo, after: &str) {
    let ran = repo.try_patina(&["--json", "--quiet", "doctor", "--verify"]);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    assert_eq!((ran.code, &said["equal"]), (0, &true.into()), "after {after}: {}{}", said["differences"], ran.stderr);
}

/// Returns the commits that plain SQL shows.
pub fn commits(repo: &TestRepo) -> Vec<String> {
    column(repo, "SELECT data ->> '$.sha' FROM eventlog WHERE event_type = 'git.commit'")
}

/// Returns the commits that git reaches from the HEADs of existing worktrees, without those whose parents a shallow
/// clone does not have.
fn reached(repo: &TestRepo) -> BTreeSet<String> {
    let heads: Vec<String> = worktree_heads(repo).into_iter().flatten().collect();
    if heads.is_empty() {
        return BTreeSet::new();
    }
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let listed = repo.git(&[&["rev-list"], heads.as_slice()].concat()).stdout;
    let boundary = fs::read_to_string(repo.state().with_file_name("shallow")).unwrap_or_default();
    let waits: Vec<&str> = boundary.lines().collect();
    listed.lines().filter(|commit| !waits.contains(commit)).map(str::to_string).collect()
}

/// Returns the HEADs of the existing worktrees, the main one first; `None` for an unborn HEAD.
fn worktree_heads(repo: &TestRepo) -> Vec<Option<String>> {
    let listed = repo.git(&["worktree", "list", "--porcelain"]).stdout;
    let blocks = listed.split("\n\n").filter(|block| !block.contains("\nprunable"));
    let heads = blocks.filter_map(|block| block.lines().find_map(|line| line.strip_prefix("HEAD ")));
    heads.map(|head| head.bytes().any(|byte| byte != b'0').then(|| head.to_string())).collect()
}

/// Returns the first column of a query on the event log.
pub fn column(repo: &TestRepo, sql: &str) -> Vec<String> {
    let log = repo.log();
    let mut statement = log.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let rows = statement.query_map([], |row| row.get(0)).expect("it runs");
    rows.collect::<rusqlite::Result<_>>().expect("rows")
}
