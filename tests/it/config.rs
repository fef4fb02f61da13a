//! Tests of settings: the user's settings may widen and narrow what is indexed, a repository's only narrow it, and
//! mistakes in either are reported.

use std::fs;

use serde_json::json;

use crate::support::{TestRepo, answers, put};

fn with_files() -> TestRepo {
    let repo = TestRepo::new();
    repo.write("src/kept.rs", "fn kept() {}\n");
    repo.write("gen/made.rs", "fn made() {}\n");
    repo.write("big.rs", format!("fn big() {{}}\n{}", "// padding\n".repeat(200)));
    repo.commit("files");
    repo
}

fn user(repo: &TestRepo, text: &str) {
    put(&repo.root().join("home/.config/patina/config.toml"), text.as_bytes(), 0o644);
}

fn live(repo: &TestRepo) -> Vec<String> {
    let files = answers(repo)["files"].clone();
    files.as_object().expect("files").keys().cloned().collect()
}

#[test]
fn ignored_files_are_in_no_answer_and_come_back_for_free() {
    let repo = with_files();
    repo.reindex();
    let before = answers(&repo);
    user(&repo, "[index]\nignore = [\"gen/**\"]\n");
    assert_eq!(repo.reindex(), 0);
    assert_eq!(live(&repo), ["big.rs", "src/kept.rs"]);
    assert_eq!(repo.json(&["query", "made", "--kind", "function"])["hits"], json!([]));
    user(&repo, "");
    assert_eq!(repo.reindex(), 0, "the log knows it still");
    assert_eq!(answers(&repo), before);
}

#[test]
fn a_tracked_file_adds_ignores_and_lowers_limits() {
    let repo = with_files();
    repo.commit_files(&[("patina.toml", "[index]\nignore = [\"gen/**\"]\nmax_file_bytes = 1000\n")], "narrow");
    user(&repo, "[index]\nignore = [\"patina.toml\"]\n");
    repo.reindex();
    assert_eq!(live(&repo), ["src/kept.rs"]);
    repo.commit_files(&[("patina.toml", "[index]\nmax_file_bytes = 99999999\n")], "wide again");
    repo.reindex();
    assert_eq!(live(&repo), ["big.rs", "gen/made.rs", "src/kept.rs"]);
}

#[test]
fn a_repository_cannot_widen_what_its_user_narrowed() {
    let repo = with_files();
    user(&repo, "[index]\nmax_file_bytes = 1000\nignore = [\"gen/**\"]\n");
    let elsewhere = repo.root().join("evil");
    let text =
        format!("[index]\nmax_file_bytes = 99999999\nignore = []\n\n[state]\ndir = \"{}\"\n", elsewhere.display());
    repo.commit_files(&[("patina.toml", &text)], "wide");
    let said = repo.patina(&["reindex"]);
    assert_eq!(live(&repo), ["patina.toml", "src/kept.rs"]);
    assert!(!elsewhere.exists());
    assert!(said.stderr.contains("patina.toml") && said.stderr.contains("state"), "{}", said.stderr);
}

#[test]
fn a_broken_file_is_an_error_for_its_owner_and_a_warning_for_others() {
    let repo = with_files();
    repo.commit_files(&[("patina.toml", "[index\n")], "broken");
    let said = repo.patina(&["reindex"]);
    assert!(said.stderr.contains("warning: patina.toml"), "{}", said.stderr);
    user(&repo, "[index\n");
    for command in ["reindex", "status"] {
        let said = repo.try_patina(&[command]);
        assert_eq!(said.code, 2, "{}", said.stderr);
        assert!(said.stderr.contains("config.toml") && said.stderr.contains("line 1"), "{}", said.stderr);
    }
    user(&repo, "[index]\nignore = [\"a[\"]\n");
    assert_eq!(repo.try_patina(&["status"]).code, 2);
    let said = repo.with("PATINA_CONFIG", "/no/such/file.toml").try_patina(&["status"]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("/no/such/file.toml"), "{}", said.stderr);
}

#[test]
fn an_unknown_key_warns_with_the_nearest_known_one() {
    let repo = with_files();
    user(&repo, "[index]\nignroe = []\n");
    let said = repo.patina(&["reindex"]);
    assert!(said.stderr.contains("unknown key `index.ignroe`, did you mean `index.ignore`?"), "{}", said.stderr);
    assert_eq!(repo.patina(&["reindex", "--quiet"]).stderr, "");
    assert!(repo.patina(&["doctor"]).stdout.contains("ignroe"));
}

#[test]
fn the_state_can_be_kept_elsewhere() {
    let repo = with_files();
    let elsewhere = repo.root().join("state folder");
    user(&repo, &format!("[state]\ndir = \"{}\"\n", elsewhere.display()));
    repo.reindex();
    assert_eq!(repo.json(&["query", "kept", "--kind", "function"])["hits"][0]["key"], "src/kept.rs#kept");
    assert!(!repo.state().exists(), "nothing inside of git's own folder");
    let inside: Vec<_> =
        fs::read_dir(&elsewhere).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    assert_eq!(inside.len(), 1, "one folder a repository: {inside:?}");
    assert!(inside[0].join("eventlog.db").exists());
}

#[test]
fn hooks_ring_for_a_state_elsewhere_too() {
    let repo = TestRepo::new();
    let elsewhere = repo.root().join("state");
    user(&repo, &format!("[state]\ndir = \"{}\"\n", elsewhere.display()));
    repo.patina(&["hook", "install"]);
    let ringing = repo.with("PATINA", "");
    ringing.commit_files(&[("a.rs", "fn rung() {}\n")], "one");
    ringing.settle();
    assert_eq!(repo.json(&["query", "rung", "--kind", "function"])["hits"][0]["key"], "a.rs#rung");
    repo.patina(&["hook", "disable"]);
    ringing.commit("unheard");
    ringing.rest();
    assert_eq!(repo.json(&["status"])["behind"], 1);
}

#[test]
fn the_printed_defaults_are_read_back_without_a_word() {
    let repo = with_files();
    let printed = repo.patina(&["config"]).stdout;
    user(&repo, &printed);
    assert_eq!(repo.patina(&["reindex", "--quiet"]).stderr, "");
    assert_eq!(live(&repo).len(), 3);
}
