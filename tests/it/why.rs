//! Tests of `why`: the commits behind lines, compared with `git blame`, and the recorded reasons; without one the
//! answer says so.

use std::collections::{BTreeMap, BTreeSet};

use patina::config::Config;
use patina::event::hex;
use patina::git::{Blame, Repository};
use patina::query::{Reader, blamed};
use patina::workspace::Workspace;
use serde_json::{Value, json};

use crate::support::{Entry, Planned, Random, TestRepo, import, texts};

/// The lines of one file: their numbers, in order, each with its indentation. No two are equal and their order never
/// changes, so that the diff of two versions is unambiguous.
type Text = BTreeMap<usize, usize>;

const FILES: [&str; 2] = ["a file.txt", "deep/another file.txt"];

fn written(text: &Text) -> Vec<u8> {
    let line = |(place, indent): (&usize, &usize)| format!("{:indent$}line number {place} says {}\n", "", place * 7919);
    text.iter().map(line).collect::<String>().into_bytes()
}

fn planned(seed: u64, commits: usize) -> Vec<Planned> {
    let random = &mut Random::new(seed);
    let (mut all, mut texts): (Vec<Planned>, Vec<Text>) = (Vec::new(), Vec::new());
    let half = commits / 2;
    for index in 0..commits {
        // Halfway, all branches start from one commit, and the file is renamed.
        let oldest = if index > half { half } else { 0 };
        let mut parents = Vec::new();
        if index > 0 {
            let near = index - 1 - random.below((index - oldest).min(4));
            parents.push(if index <= half && random.percent(60) || index == half {
                index - 1
            } else {
                near.max(oldest)
            });
            let other = oldest + random.below(index - oldest);
            if index != half && random.percent(25) && !parents.contains(&other) {
                parents.push(other);
            }
        }
        let mut text = Text::new();
        for parent in parents.iter().rev() {
            for (place, indent) in &texts[*parent] {
                if parents.len() == 1
                    || parents.iter().all(|parent| texts[*parent].contains_key(place))
                    || random.percent(70)
                {
                    text.insert(*place, *indent);
                }
            }
        }
        for _ in 0..if index == half { 0 } else { 1 + random.below(5) } {
            match random.below(4) {
                0 => drop(text.pop_first().filter(|_| random.percent(30))),
                1 => {
                    let places: Vec<usize> = text.keys().copied().collect();
                    if !places.is_empty() {
                        text.insert(*random.pick(&places), random.below(9));
                    }
                }
                _ => drop(text.insert(random.below(4000), random.below(3))),
            }
        }
        let name = FILES[usize::from(index >= half)].as_bytes().to_vec();
        let mut tree = BTreeMap::from([(name, Entry::File(written(&text)))]);
        tree.insert(b"other.txt".to_vec(), Entry::File(format!("{index}\n").into_bytes()));
        all.push(Planned { parents, tree, author: 0, message: format!("step {index}\n") });
        texts.push(text);
    }
    all
}

/// Returns the commit of each line according to `git blame`.
fn by_git(repo: &TestRepo, path: &str) -> Vec<String> {
    let said = repo.git(&["blame", "-w", "-s", "-l", "--root", "--porcelain", "HEAD", "--", path]).stdout;
    let is_head = |line: &&str| {
        line.split(' ').next().is_some_and(|id| id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    said.lines().filter(is_head).map(|line| line[..40].to_string()).collect()
}

fn by_patina(repo: &TestRepo, target: &str) -> Vec<String> {
    blame(repo, target).lines.iter().map(|line| hex(line.commit.as_bytes())).collect()
}

fn blame(repo: &TestRepo, target: &str) -> Blame {
    let git = Repository::discover(&repo.path).expect("a repository");
    let config = Config::from_texts(None, None).expect("defaults");
    let workspace = Workspace::locate(&git.common_dir().expect("a folder"), &config);
    let reader = Reader::open(&git, &workspace, &config).expect("it is indexed");
    let target = reader.targets(&[target]).expect("there is such a file").all.remove(0);
    let lines = target.lines(&reader, &mut Vec::new()).expect("it has lines").remove(0);
    blamed(&reader, &lines).expect("reads").expect("there is a commit")
}

#[test]
fn random_histories_are_blamed_as_git_blames_them() {
    let (mut lines, mut commits) = (0, BTreeSet::new());
    for seed in 1..=8 {
        let repo = TestRepo::new();
        let plan = planned(seed, 70);
        assert!(plan.iter().filter(|commit| commit.parents.len() > 1).count() > 5, "seed {seed}: merges");
        let ids = import(&repo, &plan);
        repo.stand_at(&ids[69]);
        repo.reindex();
        let expected = by_git(&repo, FILES[1]);
        assert_eq!(by_patina(&repo, FILES[1]), expected, "seed {seed}");
        let part: Vec<String> = expected[4..9].to_vec();
        assert_eq!(by_patina(&repo, &format!("{}:5-9", FILES[1])), part, "seed {seed}: some lines");
        lines += expected.len();
        commits.extend(expected);
    }
    assert!(lines > 150 && commits.len() > 100, "{lines} lines of {} commits", commits.len());
}

/// Returns a session log that starts at a time of the test's clock.
fn log(id: &str, started: &str, blocks: &str) -> String {
    format!(
        "# Session: faster reading\n**ID**: {id}\n**Started**: {started}\n**Git Branch**: main\n\n## Activity Log\n{blocks}"
    )
}

fn reasons(answer: &Value) -> Vec<(String, String)> {
    let list = answer["reasons"].as_array().expect("a list");
    let text = |one: &Value, field: &str| one[field].as_str().unwrap_or_default().to_string();
    list.iter().map(|one| (text(one, "kind"), text(one, "text"))).collect()
}

const READER: &str =
    "pub fn read_block() {\n    let block = arena();\n    block.fill();\n}\n\npub fn close_all() {\n    shut();\n}\n";

/// Creates a repository where a session decides something and a commit implements it. The first commit is at 15:07 UTC.
fn decided() -> (TestRepo, String) {
    let repo = TestRepo::new();
    repo.commit_files(&[("src/reader.rs", "pub fn close_all() {\n    shut();\n}\n")], "a reader");
    let made = repo.commit_files(&[("src/reader.rs", READER)], "read blocks out of an arena");
    let blocks = "### 15:00 - Update (covering since 14:30)\n\n**Key Decisions:**\n- Lunch is at noon\n\n\
         ### 15:30 - Update (covering since 15:00)\n\n**Key Decisions:**\n- Blocks come out of an arena, because copies cost most of the time\n\
         - The website gets another colour\n\n**Work Completed:**\n- `read_block` in src/reader.rs takes from the arena\n\n\
         **Challenges:**\n- A pool of threads in `read_block` was abandoned: it waits for itself\n";
    repo.commit_files(
        &[("notes/sessions/20250615-143000.md", &log("20250615-143000", "2025-06-15T14:30:00Z", blocks))],
        "a log",
    );
    repo.reindex();
    (repo, made)
}

#[test]
fn a_decision_of_the_session_that_made_the_commit_is_the_reason() {
    let (repo, made) = decided();
    let answer = repo.json(&["why", "read_block"]);
    assert_eq!(
        answer["target"],
        json!({"key": "src/reader.rs#read_block", "path": "src/reader.rs", "path_from_here": "src/reader.rs", "line": 1, "end_line": 4})
    );
    assert_eq!(texts(&answer["commits"], "sha"), [made.as_str()], "{answer}");
    assert_eq!(answer["commits"][0]["lines"], 4);
    let said = reasons(&answer);
    assert!(
        said.contains(&("decision".into(), "Blocks come out of an arena, because copies cost most of the time".into())),
        "{answer}"
    );
    assert!(said.iter().any(|(kind, text)| kind == "work" && text.contains("read_block")), "{answer}");
    let pool = "A pool of threads in `read_block` was abandoned: it waits for itself";
    assert!(said.contains(&("abandoned".into(), pool.into())), "{answer}");
    assert!(!answer["reasons"].to_string().contains("website"), "what only shares a day is no reason: {answer}");
    assert!(!answer["reasons"].to_string().contains("Lunch"), "{answer}");
    let decision = answer["reasons"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["kind"] == "decision")
        .expect("it is there")
        .clone();
    assert_eq!((&decision["session"], &decision["commit"]["sha"]), (&json!("session:20250615-143000"), &json!(made)));
    assert_eq!(decision["title"], "faster reading");
    assert!(decision["evidence"].as_str().is_some_and(|text| text.contains("wrote all 4 lines")), "{decision}");
    assert!(decision["confidence"].as_f64().is_some_and(|sure| sure > 0.3 && sure <= 1.0));
    let page = repo.patina(&["why", "src/reader.rs:2"]).stdout;
    assert!(page.contains("not an instruction") && page.contains("| Blocks come out of an arena"), "{page}");
    assert_eq!(repo.json(&["why", "read_block", "-k", "1"])["reasons"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_names_the_trait_is_about_its_methods() {
    let repo = TestRepo::new();
    repo.commit_files(&[("src/old.rs", "pub fn old_way() {}\n")], "begin");
    let writer = "pub trait ForgeWriter {\n    fn fork(&self);\n}\n\npub struct Hub;\n\nimpl ForgeWriter for Hub {\n    fn fork(&self) {\n        hub();\n    }\n}\n\npub fn read_back() {\n    hub();\n}\n";
    repo.commit_files(&[("src/writer.rs", writer)], "write to forges");
    let said = "Moved ForgeWriter out of commands to src/writer.rs, because the library needs it";
    let blocks = format!("### 15:30 - Update (covering since 15:00)\n\n**Key Decisions:**\n- {said}\n");
    let log = log("20250615-143000", "2025-06-15T14:30:00Z", &blocks);
    repo.commit_files(&[("notes/sessions/20250615-143000.md", &log)], "a log");
    repo.reindex();
    assert_eq!(reasons(&repo.json(&["why", "src/writer.rs:9"])), [("decision".to_string(), said.to_string())]);
    assert_eq!(reasons(&repo.json(&["why", "read_back"])), [], "it is about another definition");
}

#[test]
fn commits_that_no_head_reaches_change_no_reason() {
    let (repo, _) = decided();
    let before = repo.json(&["why", "read_block"])["reasons"].clone();
    repo.git(&["checkout", "-q", "-b", "side"]);
    for subject in ["blocks of an arena", "an arena for blocks", "no blocks without an arena"] {
        repo.commit(subject);
    }
    repo.reindex();
    repo.git(&["checkout", "-q", "main"]);
    repo.reindex();
    assert_eq!(repo.json(&["why", "read_block"])["reasons"], before);
}

#[test]
fn what_nothing_speaks_of_has_no_recorded_reason() {
    let (repo, _) = decided();
    let answer = repo.json(&["why", "close_all"]);
    assert_eq!(answer["reasons"], json!([]), "{answer}");
    assert_eq!(texts(&answer["commits"], "subject"), ["a reader"]);
    let page = repo.patina(&["why", "close_all"]).stdout;
    assert!(page.contains("\nno recorded reason\n") && page.contains("3 lines: a reader"), "{page}");
}

#[test]
fn a_note_by_hand_is_a_reason_that_no_commit_ties() {
    let (repo, _) = decided();
    repo.patina(&["note", "--decision", "Everything is closed at once to free the lock", "--files", "src/reader.rs"]);
    let answer = repo.json(&["why", "close_all"]);
    assert_eq!(
        reasons(&answer),
        [("decision".to_string(), "Everything is closed at once to free the lock".to_string())]
    );
    assert_eq!(answer["reasons"][0]["commit"], Value::Null);
    assert!(answer["reasons"][0]["evidence"].as_str().is_some_and(|text| text.contains("by hand")), "{answer}");
}

#[test]
fn one_telling_word_ties_a_decision_and_another_definition_a_note() {
    let repo = TestRepo::new();
    repo.commit_files(&[("src/old.rs", "pub fn old_way() {}\n")], "begin");
    let queue = "pub fn push_item() {\n    sift();\n}\n\npub fn drop_last() {\n    cut();\n}\n";
    repo.commit_files(&[("src/queue.rs", queue)], "add a heap");
    let said = "I chose a heap over a sorted list so that inserts stay cheap";
    let blocks =
        format!("### 15:30 - Update (covering since 15:00)\n\n**Key Decisions:**\n- {said}\n- Lunch is at noon\n");
    let log = log("20250615-143000", "2025-06-15T14:30:00Z", &blocks);
    repo.commit_files(&[("notes/sessions/20250615-143000.md", &log)], "a log");
    repo.reindex();
    let note = "drop_last takes from the end, which is cheap";
    repo.patina(&["note", "--decision", note, "--files", "src/queue.rs"]);
    assert_eq!(reasons(&repo.json(&["why", "push_item"])), [("decision".to_string(), said.to_string())]);
    assert_eq!(reasons(&repo.json(&["why", "drop_last"]))[0], ("decision".to_string(), note.to_string()));
}

#[test]
fn the_end_of_a_name_that_is_anothers_names_no_file() {
    let repo = TestRepo::new();
    repo.commit_files(
        &[("src/lib.rs", "fn a() {}\n"), ("crates/alpha/src/lib.rs", "fn b() {}\n"), ("src/only.rs", "fn c() {}\n")],
        "begin",
    );
    repo.reindex();
    repo.patina(&["note", "--decision", "Everything is in one place, to read it at once", "--files", "src/lib.rs"]);
    assert_eq!(reasons(&repo.json(&["why", "src/lib.rs"])).len(), 1);
    assert_eq!(repo.json(&["why", "crates/alpha/src/lib.rs"])["reasons"], json!([]));
}

#[test]
fn a_note_is_found_whatever_its_file_is_called() {
    let repo = TestRepo::new();
    for name in ["100%.txt", "c#.txt"] {
        repo.commit_files(&[(name, "one\n")], "begin");
        repo.reindex();
        repo.patina(&["note", "--decision", &format!("It is called {name} so that all see it"), "--files", name]);
        assert_eq!(reasons(&repo.json(&["why", name])).len(), 1, "{name}");
        assert_eq!(repo.json(&["why", &format!("{name}:1")])["target"]["line"], 1, "{name}");
        assert_eq!(repo.json(&["who", name])["people"][0]["commits"], 1, "{name}");
    }
}

#[test]
fn a_message_that_states_a_reason_is_quoted() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.py", "def first():\n    return 1\n")], "begin");
    let message = "retry the call\n\nThe server drops idle connections. We try once more\nbecause the second call opens a new one.\n\nSigned-off-by: Ada <ada@example.org>";
    repo.commit_files(
        &[("a.py", "def first():\n    return 1\n\ndef again():\n    return call() or call()\n")],
        message,
    );
    repo.reindex();
    let answer = repo.json(&["why", "again"]);
    assert_eq!(
        reasons(&answer),
        [("commit".to_string(), "We try once more because the second call opens a new one.".to_string())]
    );
    assert_eq!(answer["reasons"][0]["commit"]["subject"], "retry the call");
    assert_eq!(repo.json(&["why", "first"])["reasons"], json!([]));
    assert_eq!(repo.json(&["why", "a.py:4-5"])["target"]["key"], "a.py#again");
}

#[test]
fn what_was_tried_and_taken_back_is_told_where_it_was() {
    let repo = TestRepo::new();
    let before = "fn work() {\n    begin();\n    end();\n}\n\nfn idle() {\n    rest();\n}\n";
    repo.commit_files(&[("a.rs", before)], "begin");
    repo.commit_files(
        &[("a.rs", &before.replace("    end();\n", "    pool();\n    end();\n"))],
        "work with a pool, because one thread waits for the disk",
    );
    repo.git(&["revert", "--no-edit", "HEAD"]);
    let head = repo.head();
    repo.reindex();
    let answer = repo.json(&["why", "work"]);
    let kinds: Vec<String> = reasons(&answer).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds.iter().map(String::as_str).collect::<BTreeSet<_>>(), ["abandoned", "revert"].into(), "{answer}");
    let abandoned = answer["reasons"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["kind"] == "abandoned")
        .expect("one")
        .clone();
    assert_eq!(abandoned["text"], "work with a pool, because one thread waits for the disk");
    assert!(abandoned["evidence"].as_str().is_some_and(|text| text.contains(&head[..10])), "{abandoned}");
    assert_eq!(repo.json(&["why", "idle"])["reasons"], json!([]), "it was no part of that");
    assert_eq!(repo.json(&["why", "a.rs"])["reasons"].as_array().map(Vec::len), Some(2));
    repo.git(&["revert", "--no-edit", "HEAD"]);
    repo.reindex();
    let again = reasons(&repo.json(&["why", "a.rs:3"]));
    let stated = ("commit".to_string(), "work with a pool, because one thread waits for the disk".to_string());
    assert_eq!(again, [stated], "it was put in again, for the reason that it had at first");
}

#[test]
fn a_reformat_of_many_files_does_not_hide_who_wrote_a_line() {
    let repo = TestRepo::new();
    let line = |n: usize| {
        format!(
            "fn f{n}() {{ let total_of_{n} = first_of_many({n}, alpha) + second_of_many({n}, beta); use_it(total_of_{n}); }}\n"
        )
    };
    let split = |n: usize| {
        format!(
            "fn f{n}() {{\n    let total_of_{n} = first_of_many({n}, alpha)\n        + second_of_many({n}, beta);\n    use_it(total_of_{n});\n}}\n"
        )
    };
    let name = |n: usize| format!("src/file {n}.rs");
    for n in 0..40 {
        repo.write(name(n), line(n));
    }
    repo.commit("begin");
    let wrote = repo.commit_files(&[("src/file 3.rs", &line(300))], "sum both so that nothing is left out");
    for n in 0..40 {
        repo.write(name(n), split(if n == 3 { 300 } else { n }));
    }
    let reformat = repo.commit("run the formatter");
    repo.reindex();
    let answer = repo.json(&["why", "src/file 3.rs:2-4"]);
    assert_eq!(answer["target"]["key"], "src/file 3.rs#f300", "{answer}");
    assert_eq!(texts(&answer["commits"], "sha"), [wrote, reformat], "{answer}");
    assert_eq!(
        (&answer["commits"][0]["lines"], &answer["commits"][1]["lines"], &answer["commits"][1]["reformed"]),
        (&json!(3), &json!(0), &json!(3))
    );
    assert_eq!(reasons(&answer), [("commit".to_string(), "sum both so that nothing is left out".to_string())]);
}

#[test]
fn a_formatter_that_says_so_does_not_hide_it_either() {
    let repo = TestRepo::new();
    let line = "fn f() { let total = first_of_many(alpha) + second_of_many(beta); use_it(total); }\n";
    let wrote = repo.commit_files(&[("a.rs", line)], "begin");
    let split =
        "fn f() {\n    let total = first_of_many(alpha)\n        + second_of_many(beta);\n    use_it(total);\n}\n";
    repo.commit_files(&[("a.rs", split)], "apply cargo fmt");
    repo.reindex();
    assert_eq!(texts(&repo.json(&["why", "a.rs:2-4"])["commits"], "sha")[0], wrote);
}

#[test]
fn two_reformats_of_a_long_file_are_within_the_bound() {
    let repo = TestRepo::new();
    let text = |from: usize, form: &dyn Fn(usize) -> String| (from..3000).map(form).collect::<String>();
    let words = |n: usize| [format!("total_of_{n} ="), format!("first_of_many({n}) +"), format!("second_of_many({n})")];
    let whole = |end: &str| text(0, &|n| format!("{}{end}\n", words(n).join(" ")));
    let half = repo.commit_files(&[("a.md", &text(1500, &|n| words(n).join(" ") + "\n"))], "one half");
    let other = repo.commit_files(&[("a.md", &whole(""))], "the other");
    repo.commit_files(&[("a.md", &whole(";"))], "reformat with an end");
    repo.commit_files(&[("a.md", &whole("; //"))], "reformat with another");
    repo.reindex();
    let blame = blame(&repo, "a.md");
    assert!(!blame.is_cut, "the lines of a change are compared once");
    let wrote: Vec<String> = blame.lines.iter().map(|line| hex(line.commit.as_bytes())).collect();
    assert!(wrote.len() == 3000 && wrote[..1500].iter().all(|commit| *commit == other), "{:?}", &wrote[..3]);
    assert!(wrote[1500..].iter().all(|commit| *commit == half), "{:?}", &wrote[1500..1503]);
}

#[test]
fn a_file_that_moved_and_changed_is_followed() {
    let repo = TestRepo::new();
    let text: String = (0..20).map(|n| format!("value {n} of the table\n")).collect();
    repo.commit_files(&[("old name.txt", &text)], "a table, because lists were too slow");
    repo.git(&["rm", "-q", "old name.txt"]);
    repo.commit_files(&[("deep/new name.txt", &format!("{text}another\n"))], "move it");
    repo.reindex();
    let answer = repo.json(&["why", "deep/new name.txt:3"]);
    assert_eq!(texts(&answer["commits"], "subject"), ["a table, because lists were too slow"], "{answer}");
    assert_eq!(answer["reasons"][0]["kind"], "commit");
}

#[test]
fn what_cannot_be_the_file_under_its_old_name_is_not_read() {
    let repo = TestRepo::new();
    repo.commit("begin");
    let table: String = (0..20).map(|n| format!("value {n} of the table\n")).collect();
    repo.write("old name.txt", &table);
    for file in 0..33 {
        repo.write(format!("data/{file}.md"), "x".repeat(8_300_000 + file));
    }
    repo.commit("a table and more than is read");
    repo.git(&["rm", "-rq", "data", "old name.txt"]);
    repo.commit_files(&[("new name.txt", &format!("{table}another\n"))], "move it, and drop the rest");
    repo.reindex();
    let blame = blame(&repo, "new name.txt");
    assert!(!blame.is_cut, "what is far larger is passed over");
    assert_ne!(blame.lines[0].commit, blame.lines[20].commit, "and what is not is looked at");
}

#[test]
fn as_many_bytes_as_one_answer_may_read_are_read_and_no_more() {
    let repo = TestRepo::new();
    let data = |file: usize| (0..90_000).map(|n| format!("{}\n", n * 60 + file)).collect::<String>();
    for file in 0..25 {
        repo.write(format!("data/{file}.txt"), data(file));
    }
    repo.commit("much of one size");
    repo.git(&["rm", "-rq", "data"]);
    repo.commit_files(&[("new.md", &data(50))], "another of that size");
    repo.reindex();
    assert!(blame(&repo, "new.md:1").is_cut, "so many of them are more than is read");
}

#[test]
fn what_came_from_a_file_that_is_too_large_to_read_may_be_older() {
    let repo = TestRepo::new();
    let text: String = (0..300_000).map(|n| format!("a line of some length that says {n}\n")).collect();
    repo.commit_files(&[("a.md", &text)], "more than is read");
    repo.commit_files(&[("a.md", &text[..900_000])], "no more than is read");
    repo.reindex();
    assert!(blame(&repo, "a.md:1").is_cut);
}

#[test]
fn a_merge_takes_no_lines_away() {
    let repo = TestRepo::new();
    let lines =
        |without: &[usize]| (0..12).filter(|n| !without.contains(n)).map(|n| format!("line {n}\n")).collect::<String>();
    repo.commit_files(&[("a.txt", &lines(&[]))], "begin");
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.commit_files(&[("a.txt", &lines(&[2]))], "drop one");
    repo.git(&["checkout", "-q", "main"]);
    let main = repo.commit_files(&[("a.txt", &lines(&[9]))], "drop another");
    repo.git(&["merge", "-q", "--no-ff", "-m", "both", "side"]);
    repo.reindex();
    let removed: Vec<String> = blame(&repo, "a.txt").removed.iter().map(|id| hex(id.as_bytes())).collect();
    assert_eq!(removed, [main]);
}

#[test]
fn what_is_no_line_is_refused() {
    let (repo, _) = decided();
    for (target, code, word) in [
        ("src/reader.rs:99", 1, "no line 99"),
        ("read_block:2", 2, "is not a file"),
        ("unheard", 1, "no indexed file or symbol"),
        ("src/reader.rs:0", 1, "no indexed file or symbol"),
    ] {
        let ran = repo.try_patina(&["why", target]);
        assert!(ran.code == code && ran.stderr.contains(word) && ran.stdout.is_empty(), "{target}: {ran:?}");
    }
    assert_eq!(repo.try_patina(&["why", "src/reader.rs", "-k", "0"]).code, 2);
    assert_eq!(repo.json(&["why", "src/reader.rs:7-99"])["target"]["end_line"], 8);
    repo.commit_files(&[("odd.txt:12", "one\ntwo\n"), ("odd.txt", "three\n")], "a name like a line");
    repo.reindex();
    assert_eq!(repo.json(&["why", "odd.txt:12"])["target"]["path"], "odd.txt:12");
}
