//! Tests of errors: one clear sentence, a hint, and the right exit code.

use std::fs;

use rusqlite::Connection;

use crate::support::{TestRepo, answers, assert_same, ran, texts};

fn with_code() -> TestRepo {
    let repo = TestRepo::new();
    repo.write(
        "src/a.rs",
        "pub struct Parser;\n\nimpl Parser {\n    pub fn parse(&self) { help(); }\n}\n\nfn help() {}\n",
    );
    repo.write("src/b.rs", "pub fn parse() {}\n");
    repo.write("docs/a.md", "# About\n");
    repo.commit("code");
    repo.reindex();
    repo
}

/// Checks a command's exit code, and words that stderr must contain.
fn refuses(repo: &TestRepo, args: &[&str], code: i32, words: &[&str]) {
    let ran = repo.try_patina(args);
    assert_eq!(ran.code, code, "patina {args:?}: {}{}", ran.stdout, ran.stderr);
    for word in words {
        assert!(ran.stderr.contains(word), "patina {args:?} without {word:?}: {}", ran.stderr);
    }
    assert!(ran.stdout.is_empty(), "patina {args:?} is talk and no data: {}", ran.stdout);
    assert!(!ran.stderr.contains("panicked") && !ran.stderr.contains("os error 2)\n\n"), "{}", ran.stderr);
}

const READS: [&[&str]; 8] = [
    &["query", "words"],
    &["task", "words"],
    &["related", "src/a.rs"],
    &["who", "src/a.rs"],
    &["calls", "help"],
    &["callers", "help"],
    &["explain", "src/a.rs", "src/b.rs"],
    &["status"],
];

#[test]
fn outside_of_a_repository_is_three() {
    let repo = TestRepo::folder();
    for args in READS.into_iter().chain([&["reindex"][..], &["hook", "install"], &["log"], &["doctor"], &["gc"]]) {
        refuses(&repo, args, 3, &["no git repository", "-C DIR"]);
    }
}

#[test]
fn what_is_not_indexed_is_four_and_names_the_command_that_mends_it() {
    let repo = TestRepo::new();
    repo.commit("something");
    let others: [&[&str]; 12] = [
        &["log"],
        &["log", "--type", "git"],
        &["why", "src/a.rs:1"],
        &["gc"],
        &["eval"],
        &["retrain"],
        &["forget", "--yes", "something"],
        &["note", "--goal", "Be fast"],
        &["session", "list"],
        &["session", "show", "2025"],
        &["session", "export", "2025", "--md"],
        &["session", "import", "log.md"],
    ];
    for args in READS.into_iter().chain(others).filter(|args| args[0] != "status") {
        refuses(&repo, args, 4, &["not been indexed", "patina reindex"]);
        let answer = repo.try_patina(&[&["--json"], args].concat()).stdout;
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("an object");
        assert_eq!((&answer["schema_version"], &answer["error"]["exit"]), (&1.into(), &4.into()), "{args:?}: {answer}");
    }
    assert!(repo.patina(&["status"]).stdout.contains("indexed    nothing"), "status says what there is");
    assert_eq!(repo.json(&["status"])["indexed_commit"], serde_json::Value::Null);
}

#[test]
fn words_of_a_call_that_do_not_fit_are_two() {
    let repo = with_code();
    refuses(&repo, &["qurey", "x"], 2, &["qurey", "query"]);
    refuses(&repo, &["query", "x", "--knd", "file"], 2, &["--knd"]);
    refuses(&repo, &["query"], 2, &["TEXT"]);
    refuses(&repo, &["query", "?!"], 2, &["no word to search for"]);
    refuses(&repo, &["query", "x", "-k", "many"], 2, &["many"]);
    for args in [&["query", "x"][..], &["who", "src/a.rs"], &["calls", "help"], &["callers", "help"], &["log"]] {
        refuses(&repo, &[args, &["-k", "0"]].concat(), 2, &["-k 0 asks for nothing", "at least one"]);
    }
    refuses(&repo, &["query", "x", "--kind", "functoin"], 2, &["unknown kind `functoin`", "function"]);
    refuses(&repo, &["query", "x", "--path", "src/["], 2, &["`src/[` is not a valid glob"]);
    refuses(
        &repo,
        &["query", "x", "--since", "yesterday"],
        2,
        &["cannot parse `yesterday` as a date or duration", "2026-01-31"],
    );
    refuses(&repo, &["eval", "--commits"], 2, &["needs --json"]);
    refuses(&repo, &["log", "--since", "2026-13-45"], 2, &["cannot parse `2026-13-45`"]);
    refuses(&repo, &["-C", "no/such/folder", "status"], 2, &["no/such/folder"]);
    refuses(&repo, &["status", "--timeout", "3"], 2, &["--wait"]);
    refuses(&repo, &["completions", "tcsh"], 2, &["bash"]);
    refuses(&repo, &["hook", "install", "--method", "magic"], 2, &["shim"]);
    refuses(&repo, &["calls", "help", "--depth", "0"], 2, &["0"]);
}

#[test]
fn a_target_is_found_by_its_unique_end_from_where_one_stands() {
    let repo = with_code();
    let check = |repo: &TestRepo, target: &str, key: &str| {
        assert_eq!(repo.json(&["calls", target])["symbol"], key, "{target}");
    };
    check(&repo, "src/a.rs#Parser::parse", "src/a.rs#Parser::parse");
    check(&repo, "Parser::parse", "src/a.rs#Parser::parse");
    check(&repo, "b.rs#parse", "src/b.rs#parse");
    check(&repo, "help", "src/a.rs#help");
    check(&repo, "a.md", "docs/a.md");
    check(&repo, "./src/b.rs", "src/b.rs");
    let inside = repo.at(repo.path.join("src"));
    check(&inside, "a.rs", "src/a.rs");
    check(&inside, "../docs/a.md", "docs/a.md");
    check(&inside, "src/b.rs", "src/b.rs");
    assert_eq!(inside.json(&["who", "."])["target"], "src");
    let link = repo.root().join("a link");
    std::os::unix::fs::symlink(&repo.path, &link).expect("a link");
    for from in [&repo, &inside, &repo.at(&link)] {
        for top in [&repo.path, &link] {
            let path = |name: &str| top.join(name).display().to_string();
            check(from, &path("src/b.rs"), "src/b.rs");
            assert_eq!(from.json(&["who", &path("src")])["target"], "src");
            assert_eq!(from.json(&["who", &path("")])["target"], ".");
        }
    }
    assert_eq!(repo.json(&["who", "src"])["people"][0]["commits"], 1);
    assert_eq!(repo.json(&["-C", "docs", "who", "a.md"])["target"], "docs/a.md");
}

#[test]
fn an_ambiguous_or_unknown_target_says_what_there_is() {
    let repo = with_code();
    refuses(&repo, &["calls", "parse"], 2, &["names 2 things", "src/a.rs#Parser::parse", "src/b.rs:1"]);
    refuses(&repo, &["calls", "hepl"], 1, &["`hepl`", "did you mean `help`?"]);
    refuses(&repo, &["related", "scr/c.rs"], 1, &["scr/c.rs"]);
}

#[test]
fn a_newer_eventlog_is_six_and_left_alone() {
    let repo = with_code();
    let path = repo.state().join("eventlog.db");
    Connection::open(&path).and_then(|log| log.pragma_update(None, "user_version", 99)).expect("a newer one");
    for args in [&["reindex"][..], &["query", "help"], &["log"], &["status"], &["reindex", "--full"]] {
        refuses(&repo, args, 6, &["newer patina"]);
    }
    assert_eq!(repo.count("PRAGMA user_version"), 99);
}

#[test]
fn a_damaged_cache_is_built_again_with_the_same_answers() {
    let repo = with_code();
    let before = answers(&repo);
    let caches =
        || fs::read_dir(repo.state().join("cache")).expect("a folder").map(|entry| entry.expect("an entry").path());
    for damage in [0..100, 0..usize::MAX] {
        for path in caches().filter(|path| path.extension().is_some_and(|extension| extension == "db")) {
            let mut bytes = fs::read(&path).expect("readable");
            let end = damage.end.min(bytes.len());
            bytes[damage.start..end].fill(0x5a);
            fs::write(path, bytes).expect("damage");
        }
        assert_eq!(repo.reindex(), 0, "the log knows everything");
        assert_same(&answers(&repo), &before, "after damage");
    }
}

#[test]
fn a_deleted_cache_comes_back_the_same() {
    let repo = with_code();
    let before = answers(&repo);
    fs::remove_dir_all(repo.state().join("cache")).expect("it goes");
    refuses(&repo, &["query", "help"], 4, &["patina reindex"]);
    assert_eq!(repo.reindex(), 0, "the log knows everything");
    assert_same(&answers(&repo), &before, "after the cache was deleted");
}

#[test]
fn whoever_waits_too_long_for_the_lock_gets_five() {
    let repo = with_code();
    let lock = repo.lock();
    repo.commit("unseen");
    let ringing = repo.with("PATINA", "");
    refuses(&ringing, &["status", "--wait", "--timeout", "0"], 5, &["not indexed within 0 s"]);
    refuses(&repo, &["status", "--wait"], 5, &["PATINA=0"]);
    assert_eq!(repo.json(&["query", "help"])["behind"], 1, "readers never wait");
    lock.unlock().expect("it is ours");
    ringing.rest();
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let repo = with_code();
    for args in [&["log"][..], &["query", "help"], &["completions", "bash"], &["status", "--json"], &["--help"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = repo.command(crate::support::PATINA);
        let child = command.args(args).stdout(writer).stderr(std::process::Stdio::piped()).spawn().expect("it starts");
        let ended = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
        assert_eq!(ended.status.code(), Some(0), "{args:?}: {stderr}");
    }
}

#[test]
fn data_goes_to_stdout_and_talk_to_stderr_unless_quiet() {
    let repo = with_code();
    let talk = repo.patina(&["query", "help"]);
    assert!(talk.stderr.contains("no model") && !talk.stdout.contains("no model"), "{talk:?}");
    assert_eq!(repo.patina(&["query", "help", "--quiet"]).stderr, "");
    assert!(!talk.stdout.contains('\u{1b}'), "no colour in a pipe");
    let forced = repo.with("CLICOLOR_FORCE", "1");
    assert!(forced.patina(&["query", "help"]).stdout.contains('\u{1b}'));
    assert!(!forced.with("NO_COLOR", "1").patina(&["query", "help"]).stdout.contains('\u{1b}'));
    assert!(repo.patina(&["query", "help", "--color", "always"]).stdout.contains('\u{1b}'));
}

#[test]
fn shells_learn_the_words() {
    let repo = TestRepo::folder();
    for (shell, check) in [("bash", &["-n"][..]), ("zsh", &["-n"]), ("fish", &["--no-execute"])] {
        let script = repo.patina(&["completions", shell]).stdout;
        for word in ["reindex", "callers", "explain", "doctor"] {
            assert!(script.contains(word), "{shell} without {word}");
        }
        let path = repo.write(format!("completions.{shell}"), &script);
        let is_there =
            repo.command("sh").args(["-c", &format!("command -v {shell}")]).output().expect("sh").status.success();
        if is_there {
            let read = ran(repo.command(shell).args(check).arg(path));
            assert_eq!((read.code, read.stderr.as_str()), (0, ""), "{shell}");
        }
    }
}

#[test]
fn answers_are_narrowed_by_kind_path_time_and_number() {
    let repo = with_code();
    let keys = |args: &[&str]| texts(&repo.json(&[&["query", "parse parser help"], args].concat())["hits"], "key");
    assert!(keys(&[]).len() > 3);
    assert_eq!(keys(&["-k", "1"]).len(), 1);
    assert_eq!(keys(&["--kind", "type"]), ["src/a.rs#Parser"]);
    assert_eq!(keys(&["--path", "src/b*", "--kind", "function"]), ["src/b.rs#parse"]);
    assert_eq!(keys(&["--since", "2100-01-01"]), [""; 0]);
    assert_eq!(keys(&["--since", "2000-01-01", "-k", "50"]), keys(&["-k", "50"]));
}
