//! Snapshots of what people read: every command's answer at 80 columns, and every `--help`. `UPDATE_EXPECT=1` rewrites
//! them.

use std::fmt::Write as _;

use expect_test::{ExpectFile, expect_file};
use regex::Regex;

use crate::support::{PATINA, TestRepo, ran};

/// The width of the terminal that pages are made for.
const WIDTH: usize = 80;
/// Its height: a default answer fits it with its prompt.
const HEIGHT: usize = 24;

const LEXER: &str = "//! Splits a source text into tokens.\n\n/// Returns the tokens of a text.\n\
    pub fn tokens(text: &str) -> Vec<&str> {\n    text.split_whitespace().collect()\n}\n";

const PARSER: &str = "//! Parses tokens into expressions.\n\nuse crate::lexer;\n\npub struct Parser;\n\nimpl Parser {\n    \
    /// Parses one expression.\n    pub fn parse(&self, text: &str) -> usize {\n        \
    lexer::tokens(text).len()\n    }\n\n    /// Skips to the next line after an error.\n    \
    pub fn recover(&self, text: &str) -> usize {\n        self.parse(text) + 1\n    }\n}\n";

const REPORT: &str = "//! Prints parse errors.\n\nuse crate::parser::Parser;\n\n/// Prints how many errors a text has.\n\
    pub fn report(text: &str) {\n    println!(\"{} errors\", Parser.recover(text));\n}\n";

const SESSION: &str = "# Session: make the parser recover from errors\n**ID**: 20250616-090000\n\
    **Started**: 2025-06-15T15:20:00Z\n**LLM**: claude\n**Git Branch**: main\n\n## Goals\n\
    - [x] recover from errors\n- [ ] report columns\n\n## Activity Log\n### 09:10 - Errors\n\n\
    **Key Decisions:**\n- Recover at the next line because users edit line by line (`src/parser.rs`)\n\n\
    **Work Completed:**\n- Added Parser::recover and its test\n";

/// A small project of two people, with a changelog that changes with everything and one session log.
fn project() -> TestRepo {
    let repo = TestRepo::new().with("COLUMNS", &WIDTH.to_string());
    let grace = repo.with("GIT_AUTHOR_NAME", "Grace").with("GIT_AUTHOR_EMAIL", "grace@example.org");
    repo.commit_files(
        &[
            ("src/lib.rs", "pub mod lexer;\npub mod parser;\n"),
            ("src/lexer.rs", "pub fn tokens() {}\n"),
            ("src/parser.rs", "pub struct Parser;\n"),
            ("CHANGELOG.md", "# Changes\n"),
        ],
        "Start with a lexer and a parser",
    );
    for (index, (path, text, message)) in [
        ("src/lexer.rs", LEXER, "lexer: split a text at blanks"),
        ("src/parser.rs", &PARSER.replace("recover", "resume"), "parser: parse one expression"),
        ("src/parser.rs", PARSER, "parser: recover from errors at the next line"),
        ("src/report.rs", REPORT, "report: print how many errors there are"),
        ("src/lib.rs", "pub mod lexer;\npub mod parser;\npub mod report;\n", "lib: name the report module"),
        (
            "tests/parse.rs",
            "use project::parser::Parser;\n\n#[test]\nfn it_parses() {\n    Parser.parse(\"a\");\n}\n",
            "tests: parse a letter",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let who = if index % 2 == 0 { &grace } else { &repo };
        let lexer = format!("{LEXER}// {index}\n");
        let mut files = vec![(path, text), ("CHANGELOG.md", message)];
        if path == "src/parser.rs" {
            files.push(("src/lexer.rs", &lexer));
        }
        who.commit_files(&files, message);
    }
    repo.commit_files(&[("layer/session-log.md", SESSION)], "sessions: keep the log of the recovery");
    repo.git(&["mv", "src/report.rs", "src/errors.rs"]);
    repo.commit("report: rename to errors");
    repo
}

/// What a command prints, below the command itself; what differs from run to run is replaced.
fn shown(repo: &TestRepo, args: &[&str]) -> String {
    let ran = repo.try_patina(args);
    let words: Vec<String> =
        args.iter().map(|word| if word.contains(' ') { format!("'{word}'") } else { word.to_string() }).collect();
    let mut page = format!("$ patina {}\n{}", words.join(" "), ran.stdout);
    if !ran.stderr.is_empty() {
        let _ = write!(page, "[stderr]\n{}", ran.stderr);
    }
    if ran.code != 0 {
        let _ = writeln!(page, "[exit {}]", ran.code);
    }
    let root = repo.root().canonicalize().expect("a folder").display().to_string();
    let mut page = page.replace(&root, "/tmp/test").replace(&repo.root().display().to_string(), "/tmp/test");
    page = page.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    for (pattern, with) in [
        (r"\d+\.\d+ s\b", "N s"),
        (r"\d+ MB\b", "N MB"),
        (r"\d+ KB\b", "N KB"),
        (r"\d+(\.\d+)? ms\b", "N ms"),
        (r"/\S*/release/(deps/)?patina", "/bin/patina"),
        (r"(?m)^(ok +git +)\d\S*", "${1}N"),
        (r"libonnxruntime\.\w+", "libonnxruntime.so"),
    ] {
        page = Regex::new(pattern).expect("a constant").replace_all(&page, with).into_owned();
    }
    page
}

fn check(expect: ExpectFile, pages: &[String]) {
    expect.assert_eq(&pages.join("\n"));
}

/// The calls whose answer has to fit a terminal as it is.
const QUESTIONS: &[&[&str]] = &[
    &["query", "recover from errors"],
    &["query", "how is a text split into tokens"],
    &["query", "zebra quagga"],
    &["query", "--kind", "function", "parse"],
    &["query", "--gone", "report"],
    &["related", "src/parser.rs"],
    &["related", "src/parser.rs", "src/lexer.rs"],
    &["related", "Parser::recover"],
    &["task", "report the column of an error"],
    &["who", "src/parser.rs"],
    &["who", "src"],
    &["who", "--next", "src/lexer.rs"],
    &["why", "src/parser.rs:14"],
    &["why", "Parser::recover"],
    &["callers", "tokens"],
    &["callers", "Parser::recover"],
    &["calls", "report"],
    &["explain", "src/parser.rs", "src/lexer.rs"],
    &["log"],
    &["log", "src/parser.rs"],
    &["log", "src/errors.rs"],
    &["log", "src/report.rs"],
    &["log", "--type", "session."],
    &["session", "list"],
    &["session", "show", "20250616"],
    &["status"],
];

#[test]
fn answers_fit_a_terminal_and_read_as_before() {
    let repo = project();
    repo.reindex();
    let mut pages = Vec::new();
    for args in QUESTIONS {
        let page = shown(&repo, args);
        let answer = page.split("[stderr]").next().unwrap_or_default();
        let lines: Vec<&str> = answer.lines().skip(1).collect();
        assert!(lines.len() <= HEIGHT, "{} lines:\n{page}", lines.len());
        let wide: Vec<&&str> = lines.iter().filter(|line| line.chars().count() > WIDTH).collect();
        assert!(wide.is_empty(), "too wide for {WIDTH} columns: {wide:?}");
        pages.push(page);
    }
    check(expect_file!["pages/answers.txt"], &pages);
    let src = repo.at(repo.path.join("src"));
    let in_detail: &[&[&str]] = &[
        &["query", "-e", "recover from errors"],
        &["query", "--vimgrep", "recover from errors"],
        &["related", "-e", "parser.rs"],
        &["task", "-e", "report the column of an error"],
        &["why", "-e", "Parser::recover"],
        &["callers", "-e", "tokens"],
        &["callers", "--vimgrep", "tokens"],
        &["explain", "-e", "parser.rs", "lexer.rs"],
    ];
    let pages: Vec<String> = in_detail.iter().map(|args| shown(&src, args)).collect();
    check(expect_file!["pages/evidence.txt"], &pages);
}

#[test]
fn set_up_and_care_read_as_before() {
    let repo = project();
    let mut pages = Vec::new();
    for args in [
        &["status"][..],
        &["query", "parse"],
        &["hook", "status"],
        &["hook", "install"],
        &["hook", "status"],
        &["reindex"],
        &["note", "--decision", "Count columns in characters", "--files", "src/lexer.rs"],
        &["session", "export", "20250616", "--md"],
        &["forget", "--dry-run", "line by line"],
        &["forget", "--yes", "line by line"],
        &["doctor"],
        &["doctor", "--verify"],
        &["gc"],
        &["retrain"],
        &["eval"],
        &["model", "list"],
        &["hook", "uninstall"],
        &["query", "--kind", "functoin", "parse"],
        &["--json", "query", "--kind", "functoin", "parse"],
        &["who", "src/nothing.rs"],
        &["log", "--since", "yesterday"],
    ] {
        pages.push(shown(&repo, args));
    }
    check(expect_file!["pages/care.txt"], &pages);
}

#[test]
fn help_reads_as_before() {
    let repo = TestRepo::folder().with("COLUMNS", &WIDTH.to_string());
    let help = |words: &[&str]| shown(&repo, &[words, &["--help"]].concat());
    let root = help(&[]);
    let mut pages = vec![shown(&repo, &["-h"]), root.clone()];
    let command = Regex::new(r"(?m)^  ([a-z]+) {2,}[A-Z]").expect("a constant");
    let names = |page: &str| -> Vec<String> {
        command.captures_iter(page).map(|found| found[1].to_string()).filter(|name| name != "help").collect()
    };
    for name in names(&root) {
        let page = help(&[&name]);
        let inner = names(page.split("Examples:").next().unwrap_or_default());
        pages.push(page);
        pages.extend(inner.iter().map(|inner| help(&[&name, inner])));
    }
    assert!(pages.len() > 30, "only {} pages of help", pages.len());
    for page in &pages {
        let wide: Vec<&str> = page.lines().filter(|line| line.chars().count() > WIDTH).collect();
        assert!(wide.is_empty(), "too wide for {WIDTH} columns: {wide:#?}");
    }
    check(expect_file!["pages/help.txt"], &pages);
    let version = ran(repo.command(PATINA).arg("--version"));
    assert_eq!(version.stdout, format!("patina {}\n", env!("CARGO_PKG_VERSION")));
}
