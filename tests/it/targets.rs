//! Tests of targets: every command accepts every form that patina or other tools print, and deleted or renamed paths
//! are answered.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{PATINA, Ran, TestRepo, ran, texts};

const RUST: &str = "pub struct Parser;

impl Parser {
    pub fn parse(&self) -> u8 { helper() }
}

pub fn helper() -> u8 { 1 }

#[cfg(test)]
mod tests {
    #[test]
    fn parses() { super::helper(); }
}
";
const PYTHON: &str = "class Runner:
    def run(self):
        return start()


def start():
    return 1
";
const JAVA: &str = "package com.example;

public class Reader {
    public int read(int n) { return n; }
    public int read(String s) { return close(); }
    public int close() { return 0; }
}
";
const JAVASCRIPT: &str = "export function render() { return paint(); }
function paint() { return 1; }
";

/// Creates a repository with code in four languages, all of it changed together twice.
fn with_code() -> TestRepo {
    let repo = TestRepo::new();
    for message in ["begin", "go on"] {
        repo.commit_files(
            &[
                ("src/lib.rs", &format!("pub mod parse;\n// {message}\n")),
                ("src/parse/mod.rs", &format!("{RUST}// {message}\n")),
                ("py/tool/__init__.py", &format!("def version():\n    return 1\n\n\n# {message}\n")),
                ("py/tool/runner.py", &format!("{PYTHON}# {message}\n")),
                ("java/com/example/Reader.java", &format!("{JAVA}// {message}\n")),
                ("web/index.js", &format!("{JAVASCRIPT}// {message}\n")),
                ("README.md", &format!("# About\n\n{message}\n")),
            ],
            message,
        );
    }
    repo.reindex();
    repo
}

/// Target texts, each with the key of the definition or file that it resolves to.
const FORMS: &[(&str, &str)] = &[
    ("src/parse/mod.rs", "src/parse/mod.rs"),
    ("./src/parse/mod.rs", "src/parse/mod.rs"),
    ("parse/mod.rs", "src/parse/mod.rs"),
    ("a/src/parse/mod.rs", "src/parse/mod.rs"),
    ("b/src/parse/mod.rs", "src/parse/mod.rs"),
    ("src/parse/mod.rs:", "src/parse/mod.rs"),
    ("src/parse/mod.rs,", "src/parse/mod.rs"),
    (" src/parse/mod.rs ", "src/parse/mod.rs"),
    ("src/parse/mod.rs:4", "src/parse/mod.rs#Parser::parse"),
    ("parse/mod.rs:4:9", "src/parse/mod.rs#Parser::parse"),
    ("src/parse/mod.rs:4-4", "src/parse/mod.rs#Parser::parse"),
    ("src/parse/mod.rs:4:", "src/parse/mod.rs#Parser::parse"),
    ("src/parse/mod.rs(4,9)", "src/parse/mod.rs#Parser::parse"),
    ("src/parse/mod.rs#L4", "src/parse/mod.rs#Parser::parse"),
    ("src/parse/mod.rs:1-13", "src/parse/mod.rs"),
    ("src/parse/mod.rs#Parser::parse", "src/parse/mod.rs#Parser::parse"),
    ("mod.rs#Parser::parse", "src/parse/mod.rs#Parser::parse"),
    ("Parser::parse", "src/parse/mod.rs#Parser::parse"),
    ("Parser.parse", "src/parse/mod.rs#Parser::parse"),
    ("Parser#parse", "src/parse/mod.rs#Parser::parse"),
    ("Parser::parse()", "src/parse/mod.rs#Parser::parse"),
    ("Parser::parse(text)", "src/parse/mod.rs#Parser::parse"),
    ("crate::parse::Parser::parse", "src/parse/mod.rs#Parser::parse"),
    ("self::Parser::parse", "src/parse/mod.rs#Parser::parse"),
    ("mycrate::parse::Parser::parse", "src/parse/mod.rs#Parser::parse"),
    ("parse.helper", "src/parse/mod.rs#helper"),
    ("src.parse.mod.helper", "src/parse/mod.rs#helper"),
    ("super::helper", "src/parse/mod.rs#helper"),
    ("src/parse/mod.rs::tests::parses", "src/parse/mod.rs#tests::parses"),
    ("parse::tests::parses", "src/parse/mod.rs#tests::parses"),
    ("py/tool/runner.py::Runner::run", "py/tool/runner.py#Runner.run"),
    ("runner.py::Runner::run[1-2]", "py/tool/runner.py#Runner.run"),
    ("py/tool/runner.py::start", "py/tool/runner.py#start"),
    ("tool.runner.Runner.run", "py/tool/runner.py#Runner.run"),
    ("py.tool.runner.start", "py/tool/runner.py#start"),
    ("tool.version", "py/tool/__init__.py#version"),
    ("tool.start", "py/tool/runner.py#start"),
    ("Reader.read(int)", "java/com/example/Reader.java#Reader.read(int)"),
    ("com.example.Reader.close", "java/com/example/Reader.java#Reader.close()"),
    ("com.example.Reader.close(Reader.java:6)", "java/com/example/Reader.java#Reader.close()"),
    ("Reader#close", "java/com/example/Reader.java#Reader.close()"),
    ("web.render", "web/index.js#render"),
    ("index.render", "web/index.js#render"),
    ("web/index.js:2:1", "web/index.js#paint"),
];

/// Every command that takes targets, with the arguments before them.
const COMMANDS: &[&[&str]] = &[&["related"], &["who"], &["why"], &["calls"], &["callers"], &["explain", "README.md"]];

#[test]
fn every_command_takes_every_form() {
    let repo = with_code();
    let key = |target: &str| repo.json(&["calls", target])["symbol"].clone();
    for (target, expect) in FORMS {
        assert_eq!(key(target), *expect, "{target}");
        let path = expect.split('#').next().expect("a path");
        for &command in COMMANDS {
            let answer = repo.json(&[command, &[*target][..]].concat());
            let about = match command[0] {
                "who" => repo.json(&["who", path])["people"] == answer["people"],
                "why" => answer["target"]["path"] == path,
                "explain" => answer["b"] == *expect,
                _ => true,
            };
            assert!(about, "{command:?} {target}: {answer}");
        }
    }
    assert_eq!(repo.json(&["why", "parse/mod.rs:4:9"])["target"]["line"], 4);
    assert_eq!(repo.json(&["why", "src/parse/mod.rs#L4-L7"])["target"]["end_line"], 7);
}

#[test]
fn a_name_whose_beginning_is_no_end_of_the_path_is_none() {
    let repo = with_code();
    for target in ["other.helper", "Other::parse", "lexer::Parser::parse", "org.example.Reader.close", "py.helper"] {
        let ran = repo.try_patina(&["calls", target]);
        assert_eq!(ran.code, 1, "{target}: {}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn a_target_is_read_from_where_one_stands() {
    let repo = with_code();
    let inside = repo.at(repo.path.join("src/parse"));
    for (target, expect) in [
        ("mod.rs:4", "src/parse/mod.rs#Parser::parse"),
        ("mod.rs#helper", "src/parse/mod.rs#helper"),
        ("../lib.rs", "src/lib.rs"),
        ("src/lib.rs", "src/lib.rs"),
        ("a/src/lib.rs", "src/lib.rs"),
    ] {
        assert_eq!(inside.json(&["calls", target])["symbol"], expect, "{target}");
    }
    let absolute = repo.path.join("src/parse/mod.rs:4").display().to_string();
    assert_eq!(inside.json(&["calls", &absolute])["symbol"], "src/parse/mod.rs#Parser::parse");
    for target in [".", "./", "../parse/", "src/parse", "*.rs", "src/parse/*.rs"] {
        assert_eq!(inside.json(&["who", target])["people"][0]["commits"], 2, "{target}");
        assert!(!texts(&inside.json(&["related", target])["hits"], "key").is_empty(), "{target}");
    }
    assert_eq!(texts(&inside.json(&["callers", "*.rs"])["edges"], "callee").len(), 2);
}

#[test]
fn folders_globs_and_several_targets_are_one_question() {
    let repo = with_code();
    repo.commit_files(&[("src/new.rs", "pub fn new() {}\n"), ("docs/new.md", "# New\n")], "only these");
    repo.reindex();
    for target in ["src", "src/", "./src", "src/**/*.rs", "*.{rs}"] {
        let hits = texts(&repo.json(&["related", target])["hits"], "key");
        assert!(hits.contains(&"docs/new.md".to_string()), "{target}: {hits:?}");
        assert!(!hits.iter().any(|key| key.starts_with("src/")), "what is asked about is no answer: {hits:?}");
        let edges = &repo.json(&["calls", target])["edges"];
        assert!(texts(edges, "caller").contains(&"src/parse/mod.rs#Parser::parse".to_string()), "{target}: {edges}");
        let answers = &repo.json(&["why", target])["answers"];
        assert_eq!(answers.as_array().map(Vec::len), Some(3), "{target}");
    }
    let several = ["src/lib.rs", "README.md", "web/index.js:1"];
    let answer = repo.json(&[&["related"][..], &several].concat());
    assert_eq!(
        (&answer["target"], texts_of(&answer["targets"])),
        (&Value::from("src/lib.rs"), several.map(String::from).to_vec())
    );
    let hits = texts(&answer["hits"], "key");
    assert!(
        hits.contains(&"src/parse/mod.rs".to_string())
            && !several[..2].iter().any(|own| hits.contains(&(*own).to_string()))
    );
    let together = answer["hits"][0]["evidence"][0].clone();
    assert_eq!((&together["kind"], &together["commits"]), (&Value::from("together"), &Value::from(2)));
    assert_eq!(repo.json(&["related", "src/lib.rs"])["targets"], Value::Null, "one target has no list");
    let near = texts(&repo.json(&[&["related", "-d", "temporal"][..], &several].concat())["hits"], "key");
    assert!(!near.is_empty() && !near.iter().any(|key| several.contains(&key.as_str())), "{near:?}");
    let who = repo.json(&["who", "src/new.rs", "src/lib.rs"]);
    assert_eq!((&who["people"][0]["commits"], texts_of(&who["targets"]).len()), (&Value::from(3), 2));
    assert_eq!(repo.json(&["callers", "helper", "paint"])["edges"].as_array().map(Vec::len), Some(3));
    let shown = repo.patina(&["why", "src/lib.rs:1", "web/index.js:2"]).stdout;
    assert!(shown.contains("src/lib.rs:1") && shown.contains("web/index.js:2"), "{shown}");
    for args in [
        &["explain", "src/lib.rs"][..],
        &["explain", "README.md", "src/lib.rs", "web/index.js"],
        &["explain", "README.md", "src"],
    ] {
        assert_eq!(repo.try_patina(args).code, 2, "{args:?}");
    }
    assert_eq!(
        repo.json(&["explain", "README.md", "docs/*.md"])["b"],
        "docs/new.md",
        "a glob of one file is that file"
    );
}

#[test]
fn a_large_folder_is_asked_by_what_changed_last() {
    let repo = TestRepo::new();
    for index in 0..30 {
        repo.write(format!("many/{index:02}.md"), format!("# Number {index}\n"));
        repo.git(&["add", "-A"]);
    }
    repo.commit("many");
    repo.commit_files(&[("many/07.md", "# Seven\n"), ("beside.md", "# Beside\n")], "one of them");
    repo.reindex();
    let ran = repo.patina(&["related", "many"]);
    assert!(ran.stderr.contains("many has 30 files: this is of the 20 that changed last"), "{}", ran.stderr);
    assert!(ran.stdout.contains("beside.md"), "{}", ran.stdout);
    assert_eq!(repo.json(&["who", "many"])["people"][0]["commits"], 2, "people are of all of them");
}

fn texts_of(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|one| one.as_str().map(String::from)).collect()
}

fn fed(repo: &TestRepo, args: &[&str], input: &[u8]) -> Ran {
    let file = repo.root().join("input");
    std::fs::write(&file, input).expect("a file");
    ran(repo.command(PATINA).args(args).stdin(Stdio::from(std::fs::File::open(file).expect("it is there"))))
}

#[test]
fn targets_come_from_stdin_one_a_line() {
    let repo = with_code();
    let ran = fed(&repo, &["--json", "who", "-"], b"src/lib.rs\n\n  \r\nREADME.md\r\n");
    let answer: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
    assert_eq!(texts_of(&answer["targets"]), ["src/lib.rs", "README.md"]);
    for &command in COMMANDS {
        let ran = fed(&repo, &[command, &["-"][..]].concat(), b"src/lib.rs:1\n");
        assert_eq!(ran.code, 0, "{command:?}: {}", ran.stderr);
    }
    let ran = fed(&repo, &["explain", "-"], b"src/lib.rs\nREADME.md\n");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for input in [&b""[..], b"\n\n"] {
        let ran = fed(&repo, &["who", "-"], input);
        assert!(ran.code == 2 && ran.stderr.contains("stdin names no target"), "{ran:?}");
    }
}

#[test]
fn a_path_need_not_be_text() {
    let repo = with_code();
    let odd = b"src/\xff\xfe.rs";
    repo.write(odd, "pub fn odd() {}\n");
    repo.commit("an odd name");
    repo.reindex();
    let run = |command: &[&str], target: &[u8]| {
        ran(repo.command(PATINA).arg("--json").args(command).arg(OsStr::from_bytes(target)))
    };
    for &command in COMMANDS {
        for target in [&odd[..], b"src/\xff\xfe.rs:1", b"\xff\xfe.rs#odd", b"src/%FF%FE.rs", b"src/%FF%FE.rs:1"] {
            let ran = run(command, target);
            assert_eq!(ran.code, 0, "{command:?} {target:?}: {}", ran.stderr);
        }
        let missing = run(command, b"src/\xff\x1b[31m.rs");
        assert!(missing.code == 1 && missing.stderr.contains("src/%FF%1B[31m.rs"), "{command:?}: {missing:?}");
    }
    let listed = fed(&repo, &["--json", "who", "-"], b"src/\xff\xfe.rs\nsrc/lib.rs\n");
    assert!(listed.code == 0 && listed.stdout.contains("src/%FF%FE.rs"), "{listed:?}");
    let words = [OsString::from_vec(b"od\xffd".to_vec()), OsString::from("parser")];
    for command in ["query", "task"] {
        let asked = ran(repo.command(PATINA).arg(command).args(&words));
        assert_eq!(asked.code, 0, "{command}: {}", asked.stderr);
    }
}

#[test]
fn commits_and_sessions_are_targets_where_they_have_files() {
    let repo = with_code();
    let commit = repo.commit_files(&[("src/lib.rs", "pub mod parse;\n"), ("README.md", "# New\n")], "two files");
    repo.reindex();
    let short = &commit[..10];
    let forms =
        [format!("commit:{commit}"), format!("commit:{short}"), short.into(), "HEAD".into(), format!("commit {short}")];
    for target in forms.iter().map(String::as_str) {
        assert_eq!(repo.json(&["who", target])["target"], format!("commit:{commit}"), "{target}");
        let hits = texts(&repo.json(&["related", target])["hits"], "key");
        assert!(hits.contains(&"src/parse/mod.rs".to_string()) && !hits.contains(&"README.md".to_string()), "{hits:?}");
        for command in [&["why"][..], &["calls"], &["explain", "README.md"]] {
            let ran = repo.try_patina(&[command, &[target][..]].concat());
            assert!(ran.code == 2 && ran.stderr.contains("is neither a file nor a symbol"), "{command:?}: {ran:?}");
        }
    }
    let ran = repo.try_patina(&["who", "commit:0123456789"]);
    assert!(ran.code == 1 && ran.stderr.contains("no indexed commit matches"), "{ran:?}");
    repo.patina(&["note", "--decision", "read lazily", "--files", "src/lib.rs"]);
    repo.reindex();
    let key = repo.json(&["query", "lazily", "--kind", "decision"])["hits"][0]["key"].clone();
    let key = key.as_str().expect("it is found");
    assert_eq!(repo.json(&["who", key])["target"], key);
    assert_eq!(repo.json(&["related", key])["target"], key);
    assert_eq!(repo.try_patina(&["related", "session:none/1"]).code, 1);
}

/// Creates a repository with renamed and deleted files.
fn with_past() -> (TestRepo, String, String) {
    let repo = with_code();
    repo.commit_files(
        &[("old/tokens.rs", "pub fn tokens() {}\n"), ("old/gone.rs", "pub fn gone() {}\n")],
        "to be moved",
    );
    repo.git(&["mv", "old/tokens.rs", "src/tokens.rs"]);
    let renamed = repo.commit("move tokens");
    repo.git(&["rm", "-q", "old/gone.rs"]);
    let deleted = repo.commit_files(&[("README.md", "# Less\n")], "drop what nobody calls");
    repo.reindex();
    (repo, renamed, deleted)
}

#[test]
fn a_renamed_path_is_what_it_became() {
    let (repo, renamed, _) = with_past();
    for target in
        ["old/tokens.rs", "old/tokens.rs:1", "old/tokens.rs#tokens", "old/tokens.rs::tokens", "a/old/tokens.rs"]
    {
        for &command in COMMANDS {
            let ran = repo.patina(&[command, &[target][..]].concat());
            let note = format!("old/tokens.rs was renamed to src/tokens.rs in {}", &renamed[..10]);
            assert!(ran.stderr.contains(&note), "{command:?} {target}: {}", ran.stderr);
        }
    }
    assert_eq!(repo.json(&["calls", "old/tokens.rs:1"])["symbol"], "src/tokens.rs#tokens");
    assert_eq!(repo.json(&["why", "old/tokens.rs"])["target"]["path"], "src/tokens.rs");
    let ran = repo.try_patina(&["calls", "old/tokens.rs#other"]);
    assert!(ran.code == 1 && ran.stderr.contains("`src/tokens.rs` now"), "{ran:?}");
}

#[test]
fn a_deleted_path_has_a_history_and_nothing_else() {
    let (repo, _, deleted) = with_past();
    let sentence = format!("old/gone.rs was deleted in {} (", &deleted[..10]);
    for target in ["old/gone.rs", "old/gone.rs:3", "old/gone.rs#gone", "gone.rs"] {
        let who = repo.patina(&["who", target]);
        assert!(who.stderr.contains(&sentence) && who.stdout.contains("2 commits"), "{target}: {who:?}");
        for &command in COMMANDS.iter().filter(|command| command[0] != "who") {
            let ran = repo.try_patina(&[command, &[target][..]].concat());
            assert_eq!(ran.code, 1, "{command:?} {target}: {ran:?}");
            assert!(ran.stderr.contains(&sentence) && ran.stderr.contains("drop what nobody calls"), "{}", ran.stderr);
            assert!(ran.stderr.contains("that commit also changed README.md"), "{}", ran.stderr);
        }
    }
    // One file of the deleted folder still exists under another name.
    let folder = repo.patina(&["related", "old"]);
    assert!(folder.stderr.contains("old is gone: this is of the 1 file"), "{folder:?}");
    repo.git(&["rm", "-q", "-r", "py"]);
    repo.commit("no more python");
    repo.reindex();
    assert_eq!(repo.json(&["who", "py/"])["people"][0]["commits"], 3);
    assert!(repo.try_patina(&["related", "py"]).stderr.contains("py was deleted in"));
}

#[test]
fn what_is_gone_is_found_by_words() {
    let (repo, renamed, deleted) = with_past();
    let hits = repo.json(&["query", "--gone", "gone"])["hits"].clone();
    assert_eq!(texts(&hits, "key"), ["old/gone.rs"]);
    assert_eq!(
        (&hits[0]["kind"], &hits[0]["evidence"][0]["commit"]),
        (&Value::from("gone"), &Value::from(deleted.as_str()))
    );
    let hits = repo.json(&["query", "--gone", "tokens"])["hits"].clone();
    assert_eq!(
        (texts_of(&hits[0]["renamed_to"]), &hits[0]["evidence"][0]["commit"]),
        (vec!["src/tokens.rs".to_string()], &Value::from(renamed.as_str()))
    );
    assert_eq!(
        texts(&repo.json(&["query", "--gone", "nobody calls"])["hits"], "key"),
        ["old/gone.rs"],
        "by the subject"
    );
    let page = repo.patina(&["query", "--gone", "old"]).stdout;
    assert!(page.contains(&format!("old/gone.rs  deleted in {}", &deleted[..10])), "{page}");
    assert!(page.contains("old/tokens.rs  renamed to src/tokens.rs in"), "{page}");
    assert!(repo.patina(&["query", "--gone", "parser"]).stdout.contains("no deleted or renamed path"));
}

#[test]
fn a_guess_keeps_the_folder_and_a_short_name_is_none() {
    let repo = with_code();
    let said = |target: &str| {
        let ran = repo.try_patina(&["calls", target]);
        assert_eq!(ran.code, 1, "{target}: {ran:?}");
        ran.stderr
    };
    for (target, guess) in [
        ("src/pars/mod.rs", "did you mean `src/parse/mod.rs`?"),
        ("src/parse/mood.rs", "did you mean `src/parse/mod.rs`?"),
        ("py/tool/runer.py:3", "did you mean `py/tool/runner.py`?"),
        ("hepler", "did you mean `helper`?"),
        ("src/parse/mod.rs#hepler", "did you mean `src/parse/mod.rs#helper`?"),
    ] {
        assert!(said(target).contains(guess), "{target}: {}", said(target));
    }
    for target in ["web/runner.py2", "lib/mod.rs", "x", "xy", "src/x.rs"] {
        assert!(!said(target).contains("did you mean"), "{target}: {}", said(target));
    }
}

#[test]
fn every_candidate_of_an_ambiguous_target_is_a_target() {
    let repo = with_code();
    repo.commit_files(&[("web/parse/mod.rs", "pub fn helper() {}\n")], "the same again");
    repo.reindex();
    for target in ["helper", "parse/mod.rs", "mod.rs:1", "Reader.read"] {
        for &command in COMMANDS {
            let ran = repo.try_patina(&[command, &[target][..]].concat());
            assert!(ran.code == 2 && ran.stderr.contains("names 2 things"), "{command:?} {target}: {ran:?}");
            let listed: Vec<&str> =
                ran.stderr.lines().filter_map(|line| line.strip_prefix("  ")?.split("  ").next()).collect();
            for candidate in listed.iter().filter(|line| !line.starts_with("name one")) {
                assert_eq!(repo.try_patina(&[command, &[*candidate][..]].concat()).code, 0, "{command:?} {candidate}");
            }
        }
    }
}

#[test]
fn a_path_filter_is_a_glob_or_a_folder_from_where_one_stands() {
    let repo = with_code();
    let keys = |repo: &TestRepo, path: &str| {
        let mut keys =
            texts(&repo.json(&["query", "helper start render", "--kind", "function", "--path", path])["hits"], "key");
        keys.sort();
        keys
    };
    for path in ["py", "py/", "./py", "py/**/*.py", "*.py"] {
        assert!(keys(&repo, path).contains(&"py/tool/runner.py#start".to_string()), "{path}");
        assert!(keys(&repo, path).iter().all(|key| key.starts_with("py/")), "{path}");
    }
    let inside = repo.at(repo.path.join("src"));
    for path in [".", "parse", "parse/", "*.rs", "src"] {
        assert!(keys(&inside, path).iter().all(|key| key.starts_with("src/")), "{path}");
        assert!(!keys(&inside, path).is_empty(), "{path}");
    }
    assert!(!keys(&inside, "py").is_empty(), "from the top, where there is none here");
    let related = texts(&repo.json(&["related", "README.md", "--path", "web"])["hits"], "key");
    assert_eq!(related, ["web/index.js"]);
    assert_eq!(texts(&repo.json(&["task", "render helper", "--path", "web/"])["hits"], "key"), ["web/index.js"]);
}

#[test]
fn an_empty_target_names_nothing() {
    let repo = with_code();
    for &command in COMMANDS {
        let ran = repo.try_patina(&[command, &[""][..]].concat());
        assert!(ran.code == 2 && ran.stderr.contains("an empty target"), "{command:?}: {ran:?}");
    }
}

#[test]
fn the_log_follows_renames_and_takes_folders_and_dates_as_git_prints_them() {
    let repo = TestRepo::new();
    repo.commit_files(&[("old/a.rs", "pub fn a() {}\n"), ("b.rs", "pub fn b() {}\n")], "begin");
    // An author far to the east, where it is already the next day.
    let east = repo.with("GIT_AUTHOR_DATE", "1750003200 +1400").with("GIT_AUTHOR_NAME", "Tomasi");
    east.commit_files(&[("old/a.rs", "pub fn a() { 1; }\n")], "change a");
    std::fs::create_dir(repo.path.join("new")).expect("a folder");
    repo.git(&["mv", "old/a.rs", "new/a.rs"]);
    repo.commit("move a");
    repo.commit_files(&[("b.rs", "pub fn b() { 2; }\n")], "change b");
    repo.reindex();
    let subjects = |args: &[&str]| texts(&repo.json(&[&["log"], args].concat())["commits"], "subject");
    assert_eq!(subjects(&[]), ["change b", "move a", "change a", "begin"]);
    assert_eq!(subjects(&["-k", "2"]), ["change b", "move a"]);
    for target in ["new/a.rs", "new", "new/", "old/a.rs", "new/*.rs", "new/a.rs:1", "new/a.rs#a"] {
        assert_eq!(subjects(&[target]), ["move a", "change a", "begin"], "{target}");
    }
    assert_eq!(subjects(&["b.rs", "new"]), ["change b", "move a", "change a", "begin"], "of both, once each");
    // Commits with the same time, indexed in one run and one by one.
    let at = repo.with("GIT_COMMITTER_DATE", "1750009000 +0000");
    for index in 0..3 {
        at.commit_files(&[("c.rs", &format!("pub fn c() {{ {index}; }}\n"))], &format!("same second {index}"));
    }
    repo.reindex();
    at.commit_files(&[("c.rs", "pub fn c() {}\n")], "same second 3");
    repo.reindex();
    assert_eq!(subjects(&["-k", "3"]), ["same second 3", "same second 2", "same second 1"]);
    assert_eq!(subjects(&["c.rs"]).len(), 4);
    let git = repo.git(&["log", "--format=%H %as %s"]).stdout;
    let page = repo.patina(&["log"]).stdout;
    for (line, git) in page.lines().zip(git.lines()) {
        let (id, rest) = git.split_once(' ').expect("an id");
        assert!(line.starts_with(&format!("{} {rest}", &id[..10])), "{line} and {git}");
    }
    let dates = texts(&repo.json(&["log", "-k", "3"])["commits"], "date");
    // Older versions of git print UTC as an offset.
    let git = repo.git(&["log", "-3", "--format=%aI"]).stdout.replace("+00:00", "Z");
    assert_eq!(dates, git.lines().collect::<Vec<_>>());
    let gone = repo.patina(&["log", "old/a.rs"]);
    assert!(gone.stderr.contains("old/a.rs was renamed to new/a.rs in"), "{gone:?}");
    let types = texts(&repo.json(&["log", "--type", "code.f"])["events"], "event_type");
    assert!(types.iter().all(|name| name == "code.file" || name == "code.function") && types.len() > 3, "{types:?}");
}

#[test]
fn a_path_to_filter_by_need_not_be_utf8() {
    let repo = TestRepo::new();
    for path in [&b"caf\xe9/a.rs"[..], b"caf\xe9/inner/b.rs", b"other/c.rs"] {
        repo.write(path, "pub fn brew() {}\n");
    }
    repo.commit("coffee");
    repo.reindex();
    let ask = |repo: &TestRepo, path: &[u8]| {
        let mut command = repo.command(PATINA);
        let ran =
            ran(command.args(["--json", "query", "brew", "--kind", "function", "--path"]).arg(OsStr::from_bytes(path)));
        assert_eq!(ran.code, 0, "{ran:?}");
        let answer: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        texts(&answer["hits"], "key")
    };
    let (a, b) = ("caf%E9/a.rs#brew", "caf%E9/inner/b.rs#brew");
    assert_eq!(ask(&repo, b"caf\xe9"), [a, b]);
    assert_eq!(ask(&repo, b"./caf\xe9/inner/"), [b]);
    assert_eq!(ask(&repo, b"caf\xe9/a.rs"), [a]);
    assert_eq!(ask(&repo, b"caf\xe8"), Vec::<String>::new());
    let inside = repo.at(repo.path.join(OsStr::from_bytes(b"caf\xe9")));
    assert_eq!(ask(&inside, b"inner"), [b], "seen from the folder");
    assert_eq!(ask(&inside, b"other"), ["other/c.rs#brew"], "else from the top");
}
