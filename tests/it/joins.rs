//! Tests of which commits belong to a session: by its tags, by the commits it names, by time and branch.

use serde_json::{Value, json};

use crate::sessions::{Transcript, consent};
use crate::support::{TestRepo, verified};

/// Returns a session log with one goal.
fn log(id: &str, head: &str) -> String {
    format!("# Session: s\n**ID**: {id}\n{head}\n\n## Goals\n- [x] write\n")
}

fn made(repo: &TestRepo, id: &str) -> Value {
    repo.json(&["session", "show", id])["commits"].clone()
}

#[test]
fn a_session_whose_last_commit_was_reworded_keeps_the_others() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.txt", "a\n")], "begin");
    repo.git(&["tag", "s-start"]);
    let first = repo.commit_files(&[("a.txt", "b\n")], "one");
    repo.commit_files(&[("a.txt", "c\n")], "two");
    repo.git(&["tag", "s-end"]);
    repo.git(&["commit", "-q", "--amend", "-m", "two, in other words"]);
    let text = "# Session: tagged\n**ID**: 20240101-090000\n**Started**: 2024-01-01T09:00:00Z\n**Start Tag**: s-start\n\
        **End Tag**: s-end\n\n## Goals\n- [x] write\n";
    repo.commit_files(&[("notes/sessions/20240101-090000.md", text)], "a log");
    repo.reindex();
    assert_eq!(repo.json(&["session", "show", "20240101-090000"])["commits"], json!([first]));
}

#[test]
fn a_session_that_never_ended_has_the_commits_of_its_branch() {
    let repo = TestRepo::new();
    let at = |clock: &str, branch: &str, name: &str| {
        if !branch.is_empty() {
            repo.git(&["checkout", "-q", branch]);
        }
        let date = format!("2024-01-01T{clock}:00Z");
        repo.with("GIT_COMMITTER_DATE", &date).commit_files(&[(name, clock)], name)
    };
    at("08:00", "", "begin");
    repo.git(&["branch", "fix"]);
    let own = at("09:10", "main", "own");
    let others = at("09:20", "fix", "others");
    let later = at("09:30", "main", "later");
    repo.with("GIT_COMMITTER_DATE", "2024-01-02T09:00:00Z").git(&["merge", "-q", "--no-edit", "fix"]);
    repo.git(&["branch", "-q", "-D", "fix"]);
    let logs =
        [("a", "main", vec![&own, &later]), ("b", "fix", vec![&others]), ("c", "gone", vec![&own, &others, &later])];
    for (id, branch, expect) in logs {
        repo.commit_files(
            &[("sessions/log.md", &log(id, &format!("**Started**: 2024-01-01T09:00:00Z\n**Git Branch**: {branch}")))],
            "a log",
        );
        repo.reindex();
        assert_eq!(repo.json(&["session", "show", id])["commits"], json!(expect), "on {branch}");
    }
}

#[test]
fn a_commit_is_of_the_session_that_went_on_and_began_last() {
    let repo = TestRepo::new();
    let at = |clock: &str| {
        let date = format!("2024-01-01T{clock}:00Z");
        repo.with("GIT_COMMITTER_DATE", &date).commit_files(&[("a.txt", clock)], clock)
    };
    let [before, within, after, late] = ["09:58", "10:06", "11:00", "13:00"].map(at);
    let of = |from: &str, to: &str| format!("**Started**: 2024-01-01T{from}:00Z\n**Ended**: 2024-01-01T{to}:00Z");
    let open = "**Started**: 2024-01-01T12:00:00Z";
    let logs = [("long", of("09:55", "12:30")), ("short", of("10:05", "10:07")), ("open", open.to_string())];
    for (id, head) in &logs {
        repo.commit_files(&[(&format!("sessions/{id}.md"), &log(id, head))], "a log");
    }
    repo.reindex();
    for (id, expect) in [("long", vec![&before, &after]), ("short", vec![&within]), ("open", vec![&late])] {
        assert_eq!(made(&repo, id), json!(expect), "{id}");
    }
}

#[test]
fn a_commit_that_a_session_wrote_down_is_no_other_ones() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.txt", "a\n")], "Begin");
    consent(&repo);
    let at = |clock: &str| {
        let date = format!("2025-06-15T{clock}:00Z");
        repo.with("GIT_COMMITTER_DATE", &date).commit_files(&[("a.txt", clock)], &format!("At {clock}"))
    };
    let shas = ["11:00", "11:00", "11:00"].map(at);
    let ids = [1, 2].map(|n| format!("dddddddd-0000-0000-0000-00000000000{n}"));
    let mut first = Transcript::new(&repo, &ids[0]);
    first.say("Looking.");
    first.commit(&shas[0], "At 11:00");
    let mut second = Transcript::new(&repo, &ids[1]);
    // The session begins one second later.
    second.line("");
    second.say("Looking.");
    second.commit(&shas[1], "At 11:00");
    repo.reindex();
    assert_eq!(made(&repo, &ids[0]), json!([shas[0]]));
    let mut both: Vec<String> = serde_json::from_value(made(&repo, &ids[1])).expect("names of commits");
    both.sort();
    // The third commit was made by hand during the session.
    let mut expect = shas[1..].to_vec();
    expect.sort();
    assert_eq!(both, expect);
    verified(&repo, "commits that were written down");
}
