//! Tests of the JSON fields that scripts rely on, by command. Additional fields are allowed.

use serde_json::Value;

use crate::support::TestRepo;

fn with_pairs() -> TestRepo {
    let repo = TestRepo::new();
    for index in 0..3 {
        let a = format!("use crate::b::help;\n\npub fn work() {{\n    help({index})\n}}\n");
        let b = format!("pub fn help(n: u32) {{\n    {index};\n}}\n");
        repo.commit_files(&[("src/a.rs", &a), ("src/b.rs", &b)], &format!("step {index}"));
    }
    repo.reindex();
    repo
}

/// Checks that an object has fields, each given as `name:type`. A type is number, text, list, object, flag or `any`.
fn check(what: &str, object: &Value, fields: &str) {
    for field in fields.split_whitespace() {
        let (name, kind) = field.split_once(':').expect("name:type");
        let Some(value) = object.get(name) else { panic!("{what} has no `{name}`: {object}") };
        let fits = match kind {
            "number" => value.is_number(),
            "text" => value.is_string(),
            "list" => value.is_array(),
            "object" => value.is_object(),
            "flag" => value.is_boolean(),
            "any" => true,
            other => panic!("no such type: {other}"),
        };
        assert!(fits, "{what}: `{name}` is no {kind}: {value}");
    }
}

/// Runs a command, and checks its answer and the first element of a list in it.
fn answer(repo: &TestRepo, args: &[&str], fields: &str, list: &str, of_each: &str) -> Value {
    let what = args.join(" ");
    let answer = repo.json(args);
    assert_eq!(answer["schema_version"], 1, "{what}");
    check(&what, &answer, fields);
    if !list.is_empty() {
        check(&what, answer[list].get(0).unwrap_or_else(|| panic!("{what}: no {list}: {answer}")), of_each);
    }
    let snake =
        |name: &String| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    assert!(answer.as_object().expect("an object").keys().all(snake), "{what}: {answer}");
    answer
}

#[test]
fn every_read_command_has_the_fields_that_scripts_rely_on() {
    let repo = with_pairs();
    let hit = "key:text kind:text path:any line:any name:text score:number ranks:object evidence:list";
    answer(&repo, &["query", "help"], "as_of:text behind:number used_vectors:flag hits:list", "hits", hit);
    answer(&repo, &["related", "a.rs"], "as_of:text behind:number used_vectors:flag hits:list", "hits", hit);
    answer(&repo, &["task", "help"], "as_of:text behind:number used_vectors:flag hits:list", "hits", hit);
    let person =
        "name:text email:text kind:text score:number share:number last_commit:number commits:number departed:flag";
    answer(&repo, &["who", "a.rs"], "as_of:text people:list", "people", person);
    let edge = "caller:text callee:text path:text line:number confidence:number depth:number";
    answer(&repo, &["calls", "work"], "as_of:text edges:list", "edges", edge);
    answer(&repo, &["callers", "help"], "as_of:text edges:list", "edges", edge);
    answer(&repo, &["explain", "a.rs", "b.rs"], "as_of:text ties:list", "ties", "kind:text detail:text evidence:list");
    let commit = "sha:text time:number author:text subject:text lines:number moved:number restored:number";
    let why = answer(
        &repo,
        &["why", "help"],
        "as_of:text behind:number target:object is_cut:flag reasons:list commits:list",
        "commits",
        commit,
    );
    check("the target", &why["target"], "key:text path:text path_from_here:text line:number end_line:number");
    answer(&repo, &["doctor"], "checks:list", "checks", "name:text state:text detail:text fix:any");
    let commit = "id:text time:number date:text author:text subject:text";
    answer(&repo, &["log"], "as_of:text behind:number commits:list", "commits", commit);
    let event = "seq:number event_type:text at:any data:object";
    answer(&repo, &["log", "--type", "code"], "events:list", "events", event);
    answer(&repo, &["gc"], "", "", "");
}

#[test]
fn what_sets_up_and_takes_in_says_what_it_did() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.rs", "fn a() {}\n")], "one");
    answer(&repo, &["hook", "install"], "hooks:list", "hooks", "event:text state:text path:text");
    for command in ["status", "disable", "enable", "uninstall"] {
        answer(&repo, &["hook", command], "hooks:list", "hooks", "event:text state:text path:text");
    }
    let fields = "commits:number events_appended:number items:number texts_embedded:number texts_reused:number seconds:object peak_rss_bytes:number";
    for args in [&["reindex"][..], &["reindex", "--full"]] {
        let report = answer(&repo, args, fields, "", "");
        let seconds =
            "history:number code:number sessions:number embed:number update:number retrain:number total:number";
        check("reindex", &report["seconds"], seconds);
        assert_eq!(report["commits"], if args.len() == 2 || report["events_appended"] != 0 { 1 } else { 0 });
    }
}

#[test]
fn status_says_where_everything_stands() {
    let repo = with_pairs();
    let fields = "head:text indexed_commit:text behind:number pending:number events:object items:object model:any dimensions:list last_error:any";
    let of_each = "name:text items:number adapter:text generation:any reason:any";
    let status = answer(&repo, &["status", "--digest"], fields, "dimensions", of_each);
    check("the digest", &status["digest"], "facts:text vectors:any");
    assert_eq!(status["events"]["git.commit"], 3);
    assert_eq!(status["items"], serde_json::json!({"file": 2, "function": 2}));
    let names: Vec<&str> =
        status["dimensions"].as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["semantic", "temporal", "dependency", "syntactic", "architectural", "social"]);
    repo.commit("one more");
    assert_eq!(repo.json(&["status"])["behind"], 1);
    assert_eq!(repo.json(&["who", "a.rs"])["behind"], 1);
}

#[test]
fn answers_carry_their_evidence() {
    let repo = with_pairs();
    let related = repo.json(&["related", "a.rs"])["hits"][0].clone();
    assert_eq!((related["key"].as_str(), related["ranks"]["temporal"].as_u64()), (Some("src/b.rs"), Some(1)));
    let evidence = related["evidence"].as_array().expect("a list");
    assert!(evidence.iter().any(|one| one["kind"] == "together" && one["commits"] == 3), "{related}");
    let subjects: Vec<&str> = evidence.iter().filter_map(|one| one["subject"].as_str()).collect();
    assert_eq!(subjects, ["step 2", "step 1", "step 0"]);
    let ties = repo.json(&["explain", "a.rs", "b.rs"])["ties"].clone();
    let kinds: Vec<&str> = ties.as_array().expect("a list").iter().filter_map(|tie| tie["kind"].as_str()).collect();
    assert!(kinds.contains(&"changed_together") && kinds.contains(&"calls"), "{ties}");
    let text = repo.patina(&["query", "help"]).stdout;
    assert!(
        text.contains("src/b.rs:1") && text.lines().last().is_some_and(|line| line.starts_with("as of ")),
        "{text}"
    );
}

#[test]
fn people_are_joined_by_the_mailmap_and_bots_come_last() {
    let repo = TestRepo::new();
    repo.write(".mailmap", "Grace Hopper <grace@example.org> <g@old.example>\n");
    for (name, email) in [
        ("G", "g@old.example"),
        ("Grace", "grace@example.org"),
        ("Release Bot", "bot@example.org"),
        ("R Bot", "bot@example.org"),
    ] {
        let by = repo.with("GIT_AUTHOR_NAME", name).with("GIT_AUTHOR_EMAIL", email);
        by.commit_files(&[("a.rs", &format!("fn by_{}() {{}}\n", name.len()))], name);
        by.commit_files(&[("a.rs", &format!("fn again_{}() {{}}\n", name.len()))], name);
    }
    repo.reindex();
    let people = repo.json(&["who", "a.rs"])["people"].clone();
    let said: Vec<_> = people
        .as_array()
        .expect("people")
        .iter()
        .map(|one| (one["email"].clone(), one["kind"].clone(), one["commits"].clone()))
        .collect();
    let expect = |email: &str, kind: &str, commits: u64| (Value::from(email), Value::from(kind), Value::from(commits));
    assert_eq!(said, [expect("grace@example.org", "human", 4), expect("bot@example.org", "bot", 4)]);
}
