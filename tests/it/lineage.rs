//! Tests of renames: what an exact rename continues, and what ends it. Renames by similarity are not followed.

use serde_json::Value;

use crate::support::TestRepo;

/// Creates a repository where Grace changed `old.rs` and `pair.rs` together twice.
fn with_a_pair() -> TestRepo {
    let repo = TestRepo::new();
    let grace = repo.with("GIT_AUTHOR_NAME", "Grace").with("GIT_AUTHOR_EMAIL", "grace@example.org");
    grace.commit_files(&[("old.rs", "fn old() {}\n"), ("pair.rs", "fn pair() {}\n")], "one");
    grace.commit_files(&[("old.rs", "fn old() { 1; }\n"), ("pair.rs", "fn pair() { 1; }\n")], "two");
    repo
}

fn rename(repo: &TestRepo, from: &str, to: &str) {
    let folder = repo.path.join(to);
    std::fs::create_dir_all(folder.parent().expect("a parent")).expect("a folder");
    repo.git(&["mv", from, to]);
    repo.commit(&format!("{from} is {to} now"));
    repo.reindex();
}

/// Returns how often two files changed together, according to `related`.
fn together(repo: &TestRepo, file: &str, other: &str) -> u64 {
    let hits = repo.json(&["related", file]);
    let hit = hits["hits"].as_array().expect("hits").iter().find(|hit| hit["key"] == other).cloned();
    let evidence = hit.map_or(Value::Null, |hit| hit["evidence"].clone());
    let counts = evidence.as_array().into_iter().flatten().filter_map(|one| one["commits"].as_u64());
    counts.sum()
}

fn commits_of(repo: &TestRepo, file: &str, email: &str) -> u64 {
    let people = repo.json(&["who", file])["people"].clone();
    let person = people.as_array().expect("people").iter().find(|person| person["email"] == email).cloned();
    person.map_or(0, |person| person["commits"].as_u64().expect("a number"))
}

#[test]
fn an_exact_rename_keeps_what_went_together_and_who_wrote_it() {
    let repo = with_a_pair();
    repo.reindex();
    assert_eq!(together(&repo, "old.rs", "pair.rs"), 2);
    rename(&repo, "old.rs", "src/new.rs");
    assert_eq!(together(&repo, "src/new.rs", "pair.rs"), 2);
    assert_eq!(together(&repo, "pair.rs", "src/new.rs"), 2);
    assert_eq!(commits_of(&repo, "src/new.rs", "grace@example.org"), 2);
    assert_eq!(commits_of(&repo, "src/new.rs", "ada@example.org"), 1, "the rename itself");
    let from = "SELECT count(*) FROM eventlog, json_each(data, '$.files_changed') AS file
      WHERE file.value ->> '$.from' = 'old.rs' AND file.value ->> '$.path' = 'src/new.rs'";
    assert_eq!(repo.count(from), 1);
}

#[test]
fn a_rename_back_is_the_same_file_still() {
    let repo = with_a_pair();
    rename(&repo, "old.rs", "new.rs");
    rename(&repo, "new.rs", "old.rs");
    assert_eq!(together(&repo, "old.rs", "pair.rs"), 2);
    assert_eq!(together(&repo, "pair.rs", "old.rs"), 2);
    assert_eq!(commits_of(&repo, "old.rs", "grace@example.org"), 2);
    assert_eq!(commits_of(&repo, "old.rs", "ada@example.org"), 2);
}

#[test]
fn renames_are_followed_over_several_steps() {
    let repo = with_a_pair();
    for (from, to) in [("old.rs", "b.rs"), ("b.rs", "c/b.rs"), ("c/b.rs", "d.rs")] {
        rename(&repo, from, to);
    }
    assert_eq!(together(&repo, "d.rs", "pair.rs"), 2);
    assert_eq!(commits_of(&repo, "d.rs", "grace@example.org"), 2);
}

#[test]
fn a_new_file_of_the_old_name_takes_the_name_back() {
    let repo = with_a_pair();
    rename(&repo, "old.rs", "new.rs");
    repo.commit_files(&[("old.rs", "fn another() {}\n")], "the name is used again");
    repo.reindex();
    assert_eq!(together(&repo, "new.rs", "pair.rs"), 0, "the old name's history belongs to whoever bears it");
    assert_eq!(together(&repo, "old.rs", "pair.rs"), 2);
    assert_eq!(commits_of(&repo, "new.rs", "grace@example.org"), 0);
    repo.git(&["rm", "-q", "old.rs"]);
    repo.commit("and given up");
    repo.reindex();
    assert_eq!(together(&repo, "new.rs", "pair.rs"), 2);
}

#[test]
fn a_changed_text_or_an_empty_file_is_no_rename() {
    let repo = with_a_pair();
    repo.commit_files(&[("empty.rs", "")], "empty");
    repo.git(&["mv", "old.rs", "new.rs"]);
    repo.git(&["mv", "empty.rs", "void.rs"]);
    repo.write("new.rs", "fn rewritten() {}\n");
    repo.commit("moved and rewritten");
    repo.reindex();
    assert_eq!(together(&repo, "new.rs", "pair.rs"), 0);
    let renames = "SELECT count(*) FROM eventlog, json_each(data, '$.files_changed') AS file WHERE file.value ->> '$.from' IS NOT NULL";
    assert_eq!(repo.count(renames), 0);
}

#[test]
fn a_rename_on_a_branch_that_is_gone_carries_nothing() {
    let repo = with_a_pair();
    rename(&repo, "old.rs", "new.rs");
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    repo.git(&["rm", "-q", "old.rs"]);
    repo.commit_files(&[("new.rs", "fn unrelated() {}\n")], "the name by chance");
    repo.reindex();
    assert_eq!(together(&repo, "new.rs", "pair.rs"), 0);
    assert_eq!(commits_of(&repo, "new.rs", "grace@example.org"), 0);
}
