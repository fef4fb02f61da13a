//! Tests with secrets planted in code, commit messages and prose: none of them, whole or in part, is in anything that
//! patina stores or prints. False positives are measured by `benches/redact.rs`.

use std::collections::BTreeSet;

use crate::support::{Planted, TestRepo, figure, held, secrets, standing};

/// Returns a source file in a parsed language, with secrets in a definition, outside of one, and in a comment.
fn code(number: usize, planted: &[Planted]) -> (String, String) {
    let [first, second, third] = planted else { panic!("three a file") };
    let comment = |line: &str, mark: &str| line.lines().map(|line| format!("{mark} {line}\n")).collect::<String>();
    match number % 3 {
        0 => (
            format!("src/part{number}.rs"),
            format!(
                "{}/// Signs in.\npub fn sign_in{number}() {{\n{}\n}}\n\n{}\n",
                comment(&first.line, "//"),
                second.line,
                third.line
            ),
        ),
        1 => (
            format!("src/part{number}.py"),
            format!(
                "{}\n\ndef sign_in{number}():\n{}    {}\n    return 1\n",
                first.line,
                comment(&second.line, "    #"),
                third.line
            ),
        ),
        _ => (
            format!("src/part{number}.js"),
            format!(
                "{}function signIn{number}() {{\n{}\n}}\n{}\n",
                comment(&first.line, "//"),
                second.line,
                third.line
            ),
        ),
    }
}

/// Returns a prose file, with secrets in a code block or between paragraphs.
fn prose(number: usize, planted: &[Planted]) -> (String, String) {
    let lines: String = planted.iter().map(|one| format!("{}\n\n", one.line)).collect();
    match number % 2 {
        0 => (format!("docs/part{number}.md"), format!("# Part {number}\n\nHow to sign in.\n\n```\n{lines}```\n")),
        _ => (format!("docs/part{number}.txt"), format!("Notes on part {number}.\n\n{lines}The end.\n")),
    }
}

#[test]
fn nothing_planted_is_kept_or_said() {
    let repo = TestRepo::new();
    // Each of the three places gets its own secrets, so that a leak in one is not hidden by another.
    let (in_code, in_prose, in_messages) = (secrets(1), secrets(2), secrets(3));
    for (number, planted) in in_code.chunks_exact(3).enumerate() {
        let (path, text) = code(number, planted);
        repo.write(&path, text);
    }
    for (number, planted) in in_prose.chunks(5).enumerate() {
        let (path, text) = prose(number, planted);
        repo.write(&path, text);
    }
    repo.commit("parts");
    for (number, planted) in in_messages.chunks(8).enumerate() {
        let lines: Vec<&str> = planted.iter().map(|one| one.line.as_str()).collect();
        repo.write(format!("log{number}.txt"), "one more line\n".repeat(number + 1));
        repo.commit(&format!("part {number}: sign in\n\n{}", lines.join("\n\n")));
    }
    let all = [in_code, in_prose, in_messages].concat();
    let in_git = standing(&repo.git(&["log", "-p", "--format=%B"]).bytes, &all);
    assert_eq!(in_git.len(), all.len(), "every one of them was planted");

    repo.reindex();
    let asked: [&[&str]; 11] = [
        &["query", "sign in"],
        &["query", "password"],
        &["query", "token secret key"],
        &["--json", "query", "sign_in0"],
        &["--json", "related", "src/part0.rs"],
        &["--json", "who", "src/part0.rs"],
        &["--json", "task", "change how one signs in with a password"],
        &["--json", "explain", "docs/part0.md", "docs/part2.md"],
        &["--json", "log", "-k", "10000"],
        &["--json", "log", "--type", "", "-k", "10000"],
        &["--json", "status", "--digest"],
    ];
    for question in asked {
        let ran = repo.with("PATINA_LOG", "trace").patina(question);
        let said = standing(&[ran.stdout.as_bytes(), ran.stderr.as_bytes()].concat(), &all);
        assert!(said.is_empty(), "patina {question:?} says {said:#?}");
    }
    let kept = held(&repo.state(), &all);
    assert!(kept.is_empty(), "{} of {} are kept:\n{}", kept.len(), all.len(), kept.join("\n"));
    let marks = repo.count("SELECT sum((length(data) - length(replace(data, '[redacted:', ''))) / 10) FROM event");
    assert!(marks as usize >= all.len() / 2, "{marks} marks stand for {} secrets", all.len());
    let kinds: BTreeSet<&str> = all.iter().map(|one| one.kind).collect();
    figure(&format!("secrets: {} of {} kinds planted, none kept or said, {marks} marks", all.len(), kinds.len()));
    assert!(all.len() >= 300 && kinds.len() >= 60);
}
