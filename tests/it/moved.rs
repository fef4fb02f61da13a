//! Tests of moved and restored lines in `why`: they are attributed to their first author, with the reason, and the
//! commit that moved them is listed too. Copies and coincidental similarity do not count.

use serde_json::{Value, json};

use crate::support::{TestRepo, texts};

/// Returns a function of seven lines that resembles no other.
fn work(name: &str) -> String {
    format!(
        "fn {name}(blocks: &[Block]) -> usize {{\n    let mut total_of_{name} = 0;\n    for block in blocks {{\n        total_of_{name} += block.length_in_{name}();\n    }}\n    total_of_{name}\n}}\n"
    )
}

/// Returns several such functions, separated by blank lines.
fn works(names: &[&str]) -> String {
    names.iter().map(|name| work(name)).collect::<Vec<_>>().join("\n")
}

/// Returns the subject of each commit behind a target, and how many lines it wrote, moved and restored.
fn made(repo: &TestRepo, target: &str) -> Vec<(String, [u64; 3])> {
    let answer = repo.json(&["why", target]);
    let count = |one: &Value, field: &str| one[field].as_u64().unwrap_or_default();
    let row = |one: &Value| {
        let counts = ["lines", "moved", "restored"].map(|field| count(one, field));
        (one["subject"].as_str().expect("a subject").to_string(), counts)
    };
    answer["commits"].as_array().expect("a list").iter().map(row).collect()
}

fn check(repo: &TestRepo, target: &str, expect: &[(&str, [u64; 3])]) {
    let expect: Vec<(String, [u64; 3])> = expect.iter().map(|(text, counts)| (text.to_string(), *counts)).collect();
    assert_eq!(made(repo, target), expect, "{target}");
}

/// Creates a repository with two functions in a file, and a commit that moves one of them; `files` is the result.
fn moved(files: &[(&str, &str)]) -> TestRepo {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.rs", &works(&["first"])), ("other.rs", &works(&["third"]))], "begin");
    repo.commit_files(
        &[("a.rs", &works(&["first", "count_all"]))],
        "count blocks, because copies cost most of the time",
    );
    repo.commit_files(files, "put it where it belongs");
    repo.reindex();
    repo
}

const WRITTEN: &str = "count blocks, because copies cost most of the time";
const MOVED: &str = "put it where it belongs";

#[test]
fn what_moved_to_a_new_file_names_who_wrote_it() {
    let repo = moved(&[("a.rs", &works(&["first"])), ("deep/b.rs", &works(&["count_all"]))]);
    check(&repo, "deep/b.rs", &[(WRITTEN, [7, 0, 0]), (MOVED, [0, 7, 0])]);
    check(&repo, "deep/b.rs:4", &[(WRITTEN, [1, 0, 0]), (MOVED, [0, 1, 0])]);
    let answer = repo.json(&["why", "count_all"]);
    assert_eq!(texts(&answer["reasons"], "text"), [WRITTEN], "{answer}");
    assert_eq!(answer["reasons"][0]["evidence"], "the message of a commit that wrote all 7 lines");
    let page = repo.patina(&["why", "count_all"]).stdout;
    assert!(page.contains(&format!("7 lines moved here: {MOVED}")), "{page}");
}

#[test]
fn what_moved_to_a_file_that_was_there_names_who_wrote_it() {
    let repo = moved(&[("a.rs", &works(&["first"])), ("other.rs", &works(&["count_all", "third"]))]);
    check(&repo, "count_all", &[(WRITTEN, [7, 0, 0]), (MOVED, [0, 7, 0])]);
    check(&repo, "third", &[("begin", [7, 0, 0])]);
}

#[test]
fn what_moved_within_its_file_names_who_wrote_it() {
    let repo = TestRepo::new();
    let names = ["first", "count_all", "third", "fourth"];
    for end in 1..=4 {
        repo.commit_files(&[("a.rs", &works(&names[..end]))], names[end - 1]);
    }
    repo.commit_files(&[("a.rs", &works(&["third", "first", "count_all", "fourth"]))], MOVED);
    repo.reindex();
    check(&repo, "third", &[("third", [7, 0, 0]), (MOVED, [0, 7, 0])]);
    check(&repo, "first", &[("first", [7, 0, 0])]);
}

#[test]
fn what_moved_and_was_indented_anew_names_who_wrote_it() {
    let inside: String = work("count_all").lines().map(|line| format!("        {line}\n")).collect();
    let text = format!("mod inner {{\n    impl Deep {{\n{inside}    }}\n}}\n");
    let repo = moved(&[("a.rs", &works(&["first"])), ("b.rs", &text)]);
    check(&repo, "b.rs:3-9", &[(WRITTEN, [7, 0, 0]), (MOVED, [0, 7, 0])]);
    check(&repo, "b.rs:1-2", &[(MOVED, [2, 0, 0])]);
}

#[test]
fn what_changed_on_its_way_is_the_movers() {
    let text = work("count_all").replace("    total_of_count_all\n", "    total_of_count_all + rest_of_all(blocks)\n");
    let repo = moved(&[("a.rs", &works(&["first"])), ("b.rs", &format!("{text}\n{}", work("new")))]);
    check(&repo, "count_all", &[(WRITTEN, [5, 0, 0]), (MOVED, [2, 5, 0])]);
    check(&repo, "new", &[(MOVED, [7, 0, 0])]);
}

#[test]
fn what_moved_again_and_with_its_file_is_followed_all_the_way() {
    let repo = moved(&[("a.rs", &works(&["first"])), ("other.rs", &works(&["third", "count_all"]))]);
    repo.git(&["rm", "-q", "other.rs"]);
    repo.commit_files(&[("deep/other.rs", &works(&["third", "count_all"]))], "rename it");
    repo.commit_files(&[("deep/other.rs", &works(&["third"])), ("c.rs", &works(&["count_all"]))], "and again");
    repo.reindex();
    check(&repo, "count_all", &[(WRITTEN, [7, 0, 0]), ("and again", [0, 7, 0])]);
}

#[test]
fn the_pieces_of_a_file_that_was_parted_name_who_wrote_them() {
    let repo =
        moved(&[("b.rs", &works(&["first", "new", "newest"])), ("c.rs", &works(&["count_all", "newer", "newly"]))]);
    repo.git(&["rm", "-q", "a.rs"]);
    repo.git(&["commit", "-q", "--amend", "--no-edit"]);
    repo.reindex();
    check(&repo, "first", &[("begin", [7, 0, 0]), (MOVED, [0, 7, 0])]);
    check(&repo, "count_all", &[(WRITTEN, [7, 0, 0]), (MOVED, [0, 7, 0])]);
}

#[test]
fn of_several_places_the_longest_run_is_where_lines_came_from() {
    let repo = TestRepo::new();
    let part: String = work("count_all").lines().take(4).map(|line| format!("{line}\n")).collect();
    repo.commit_files(&[("a.rs", &part)], "a part of it");
    repo.commit_files(&[("b.rs", &work("count_all"))], "all of it");
    repo.git(&["rm", "-q", "a.rs", "b.rs"]);
    repo.commit_files(&[("c.rs", &format!("{}\n{}", works(&["x", "y", "z"]), work("count_all")))], MOVED);
    repo.reindex();
    check(&repo, "count_all", &[("all of it", [7, 0, 0]), (MOVED, [0, 7, 0])]);
}

#[test]
fn a_copy_is_its_makers() {
    let repo = moved(&[("a.rs", &format!("{}\n", works(&["first", "count_all"]))), ("b.rs", &works(&["count_all"]))]);
    check(&repo, "b.rs", &[(MOVED, [7, 0, 0])]);
    let repo = moved(&[("a.rs", &works(&["count_all", "first", "count_all"]))]);
    assert!(made(&repo, "a.rs").iter().all(|(_, [_, moved, _])| *moved == 0), "it was there once, and is now twice");
    // It was moved within its file, and copied to this one.
    let repo = moved(&[("a.rs", &works(&["count_all", "first"])), ("b.rs", &works(&["count_all"]))]);
    check(&repo, "b.rs", &[(MOVED, [7, 0, 0])]);
}

#[test]
fn what_is_alike_by_chance_is_its_makers() {
    let head = "// Copyright 2025 The Authors of This Work\n// Licensed under the terms that stand in the file beside it\n\nuse std::collections::{BTreeMap, HashMap, HashSet};\nuse std::path::{\n    Path,\n    PathBuf,\n    MAIN_SEPARATOR_STR,\n};\n\n#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]\n";
    let tail =
        "\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn works() {\n        run();\n    }\n}\n";
    let text = |own: &str| format!("{head}pub struct {own} {{\n    length_of_{own}: usize,\n}}\n{tail}");
    let repo = TestRepo::new();
    repo.commit_files(&[("a.rs", &text("Reader"))], "begin");
    repo.git(&["rm", "-q", "a.rs"]);
    let other = format!("{}\n{}", text("Writer"), works(&["one", "two", "three", "four", "five"]));
    repo.commit_files(&[("b.rs", &other)], "another");
    repo.reindex();
    let total = other.lines().count() as u64;
    check(&repo, "b.rs", &[("another", [total, 0, 0])]);
}

#[test]
fn a_line_that_stands_everywhere_does_not_come_from_where_it_left() {
    let repo = TestRepo::new();
    let open = "    let statement_of_this = connection.prepare_cached(QUERY_OF_ALL)?;\n    let rows_of_this = statement_of_this.query(parameters_of_all)?;\n";
    let text = |names: &[&str]| {
        names.iter().map(|name| format!("fn {name}() {{\n{open}    {name}_rows();\n}}\n")).collect::<String>()
    };
    repo.commit_files(&[("a.rs", &text(&["one", "two", "more"])), ("b.rs", &text(&["three"]))], "begin");
    repo.commit_files(
        &[("a.rs", &text(&["two", "more"])), ("b.rs", &text(&["three", "four"])), ("c.rs", &text(&["five"]))],
        "drop one, add four",
    );
    repo.reindex();
    check(&repo, "four", &[("drop one, add four", [5, 0, 0])]);
    check(&repo, "five", &[("drop one, add four", [5, 0, 0])]);
}

#[test]
fn a_line_alone_is_followed_within_its_file_where_it_tells_enough() {
    let repo = TestRepo::new();
    let text = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let (long, short) = ("limit_of_the_cache = 65536", "a = 1");
    let others = ["one thing of many", "another of them", "and the last that is"];
    repo.commit_files(&[("a.toml", &text(&[long, short, others[0], others[1], others[2]]))], "begin");
    repo.commit_files(&[("a.toml", &text(&[others[0], others[1], others[2], long, "[table]", short]))], "sort");
    repo.reindex();
    check(&repo, "a.toml:4", &[("begin", [1, 0, 0]), ("sort", [0, 1, 0])]);
    check(&repo, "a.toml:6", &[("sort", [1, 0, 0])]);
}

#[test]
fn who_decided_it_is_told_where_it_moved_to() {
    let repo = moved(&[("a.rs", &works(&["first"])), ("b.rs", &works(&["count_all"]))]);
    let said = "`count_all` counts blocks and not bytes, because nobody needs bytes";
    let log = format!(
        "# Session: counting\n**ID**: 20250615-143000\n**Started**: 2025-06-15T14:30:00Z\n**Git Branch**: main\n\n## Activity Log\n### 15:30 - Update (covering since 15:00)\n\n**Key Decisions:**\n- {said}\n"
    );
    repo.commit_files(&[("notes/sessions/20250615-143000.md", &log)], "a log");
    repo.reindex();
    let answer = repo.json(&["why", "b.rs:2"]);
    let decision = answer["reasons"].as_array().expect("a list").iter().find(|one| one["text"] == said);
    let decision = decision.unwrap_or_else(|| panic!("it is told: {answer}"));
    assert_eq!(decision["commit"]["subject"], WRITTEN, "{decision}");
    assert!(decision["evidence"].as_str().is_some_and(|text| text.ends_with("wrote the line")), "{decision}");
}

#[test]
fn a_move_in_a_commit_of_many_files_is_found() {
    let repo = TestRepo::new();
    let name = |n: usize| format!("fn_{n}");
    for n in 0..60 {
        repo.write(format!("src/{n}.rs"), works(&[&name(n), &name(n + 100)]));
    }
    repo.commit("begin");
    for n in 0..60 {
        repo.write(format!("src/{n}.rs"), works(&[&name(n)]));
        repo.write(format!("lib/{n}.rs"), works(&[&name(n + 100)]));
    }
    repo.commit(MOVED);
    repo.reindex();
    check(&repo, "lib/7.rs", &[("begin", [7, 0, 0]), (MOVED, [0, 7, 0])]);
}

const TAKEN: &str = "work without blocks, since they are slow";

/// Creates a repository where one commit adds a function and a later one deletes it.
fn taken_away() -> TestRepo {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.rs", &works(&["first"]))], "begin");
    repo.commit_files(&[("a.rs", &works(&["first", "count_all"]))], WRITTEN);
    repo.commit_files(&[("a.rs", &works(&["first"]))], TAKEN);
    repo.commit_files(&[("b.rs", "fn b() {}\n")], "something else");
    repo
}

#[test]
fn what_a_revert_brought_back_names_who_wrote_it() {
    let repo = taken_away();
    repo.git(&["revert", "--no-edit", "HEAD~1"]);
    repo.reindex();
    let revert = format!("Revert \"{TAKEN}\"");
    check(&repo, "count_all", &[(WRITTEN, [7, 0, 0]), (&revert, [0, 0, 7])]);
    check(&repo, "first", &[("begin", [7, 0, 0])]);
    let answer = repo.json(&["why", "count_all"]);
    let told = |kind: &str| {
        let all = answer["reasons"].as_array().expect("a list").iter().filter(|one| one["kind"] == kind);
        all.map(|one| (one["text"].clone(), one["evidence"].as_str().unwrap_or_default().to_string()))
            .collect::<Vec<_>>()
    };
    assert_eq!(told("commit"), [(json!(WRITTEN), "the message of a commit that wrote all 7 lines".to_string())]);
    let [(text, evidence)] = &told("revert")[..] else { panic!("once: {answer}") };
    assert_eq!(text, &json!(revert));
    assert!(evidence.ends_with("back and brought all 7 lines back"), "{evidence}");
    let page = repo.patina(&["why", "a.rs:10"]).stdout;
    assert!(page.contains("1 line brought back"), "{page}");
}

#[test]
fn what_else_a_revert_does_is_its_own() {
    let repo = taken_away();
    repo.git(&["revert", "--no-commit", "HEAD~1"]);
    repo.write("a.rs", works(&["first", "count_all", "third"]));
    repo.commit(&format!("Revert \"{TAKEN}\""));
    repo.reindex();
    let revert = format!("Revert \"{TAKEN}\"");
    check(&repo, "count_all", &[(WRITTEN, [7, 0, 0]), (&revert, [0, 0, 7])]);
    check(&repo, "third", &[(&revert, [7, 0, 0])]);
}

#[test]
fn what_was_put_in_again_names_who_wrote_it_first() {
    for again in [None, Some(format!("Revert \"Revert \"{WRITTEN}\"\"")), Some(format!("Reapply \"{WRITTEN}\""))] {
        let repo = TestRepo::new();
        repo.commit_files(&[("a.rs", &works(&["first"]))], "begin");
        repo.commit_files(&[("a.rs", &works(&["first", "count_all"]))], WRITTEN);
        repo.git(&["revert", "--no-edit", "HEAD"]);
        repo.commit_files(&[("a.rs", &works(&["zeroth", "first"]))], "something else");
        repo.git(&["revert", "--no-edit", "HEAD~1"]);
        if let Some(message) = &again {
            repo.git(&["commit", "-q", "--amend", "-m", message]);
        }
        let subject = repo.git(&["log", "-1", "--format=%s"]).stdout.trim().to_string();
        repo.reindex();
        check(&repo, "count_all", &[(WRITTEN, [7, 0, 0]), (&subject, [0, 0, 7])]);
        assert_eq!(texts(&repo.json(&["why", "count_all"])["reasons"], "text"), [WRITTEN], "{subject}");
    }
}

#[test]
fn a_file_that_a_revert_brought_back_names_who_wrote_it() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.rs", &works(&["first"])), ("b.rs", "fn b() {}\n")], "begin");
    repo.git(&["rm", "-q", "a.rs"]);
    repo.commit("drop it");
    repo.git(&["revert", "--no-edit", "HEAD"]);
    repo.reindex();
    check(&repo, "a.rs", &[("begin", [7, 0, 0]), ("Revert \"drop it\"", [0, 0, 7])]);
}

#[test]
fn what_came_back_under_another_name_names_who_wrote_it() {
    let repo = taken_away();
    repo.git(&["mv", "a.rs", "c.rs"]);
    repo.commit("rename it");
    repo.commit_files(&[("c.rs", &works(&["first", "count_all"]))], &format!("Revert \"{TAKEN}\""));
    repo.reindex();
    check(&repo, "count_all", &[(WRITTEN, [7, 0, 0]), (&format!("Revert \"{TAKEN}\""), [0, 0, 7])]);
}

#[test]
fn what_a_reverted_merge_took_away_names_who_wrote_it() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.rs", &works(&["first", "count_all"]))], "begin");
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.commit_files(&[("a.rs", &works(&["first"]))], "drop it");
    repo.git(&["checkout", "-q", "main"]);
    repo.commit_files(&[("b.rs", "fn b() {}\n")], "something else");
    repo.git(&["merge", "-q", "--no-ff", "-m", "both", "side"]);
    repo.git(&["revert", "--no-edit", "-m", "1", "HEAD"]);
    repo.reindex();
    check(&repo, "count_all", &[("begin", [7, 0, 0]), ("Revert \"both\"", [0, 0, 7])]);
}

#[test]
fn what_came_back_and_moved_then_is_told_as_both() {
    let repo = taken_away();
    repo.git(&["revert", "--no-edit", "HEAD~1"]);
    repo.commit_files(&[("a.rs", &works(&["first"])), ("c.rs", &works(&["count_all"]))], MOVED);
    repo.reindex();
    let revert = format!("Revert \"{TAKEN}\"");
    check(&repo, "count_all", &[(WRITTEN, [7, 0, 0]), (&revert, [0, 0, 7]), (MOVED, [0, 7, 0])]);
    assert!(texts(&repo.json(&["why", "count_all"])["reasons"], "kind").contains(&"revert".to_string()));
}

#[test]
fn a_revert_that_names_nothing_of_the_file_writes_its_lines() {
    let repo = taken_away();
    repo.commit_files(&[("a.rs", &works(&["first", "count_all"]))], "Revert \"something else\"");
    repo.reindex();
    check(&repo, "count_all", &[("Revert \"something else\"", [7, 0, 0])]);
    let repo = taken_away();
    repo.commit_files(&[("a.rs", &works(&["first", "count_all"]))], "Revert \"unheard of\"");
    repo.reindex();
    check(&repo, "count_all", &[("Revert \"unheard of\"", [7, 0, 0])]);
}

#[test]
fn a_revert_of_what_comes_after_it_has_an_end() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.rs", &works(&["first"]))], "begin");
    let revert = "Revert \"tomorrow\"";
    repo.commit_files(&[("a.rs", &works(&["first", "count_all"]))], revert);
    // Clocks disagree: the child has an earlier time than its parent.
    let early = repo.with("GIT_COMMITTER_DATE", "1700000000 +0000");
    early.commit_files(&[("a.rs", &works(&["first", "count_all", "third"]))], "tomorrow");
    repo.reindex();
    let all = made(&repo, "count_all");
    assert_eq!(all.iter().map(|(subject, counts)| (subject.as_str(), counts[0])).collect::<Vec<_>>(), [(revert, 7)]);
}
