//! Tests of `who`: authors and co-authors, the mailmap, and bots and agents apart. `eval` measures the ranking of
//! people.

use serde_json::Value;

use crate::support::{Made, TestRepo, linear, texts, verified};

const ADA: &str = "Ada <ada@example.org>";
const CLAUDE: &str = "Claude Opus 4.6 (1M context) <noreply@anthropic.com>";

/// Commits files as an author, with a co-author trailer for each of `others`, written by git itself.
fn commit(repo: &TestRepo, author: &str, files: &[&str], others: &[&str]) {
    for file in files {
        let text = std::fs::read_to_string(repo.path.join(file)).unwrap_or_default();
        repo.write(file, format!("{text}fn more() {{}}\n"));
    }
    repo.git(&["add", "."]);
    let trailers = others.iter().map(|other| format!("--trailer=Co-authored-by: {other}"));
    let author = format!("--author={author}");
    let args: Vec<String> =
        ["commit", "-q", "-m", "work", &author].map(str::to_string).into_iter().chain(trailers).collect();
    repo.git(&args.iter().map(String::as_str).collect::<Vec<_>>());
}

/// Returns the name, kind, commits and share of each person that `who` lists for a target.
fn who(repo: &TestRepo, target: &str) -> Vec<(String, String, u64, f64)> {
    let people = repo.json(&["who", target])["people"].clone();
    let text = |one: &Value, field: &str| one[field].as_str().expect("text").to_string();
    let row = |one: &Value| {
        let share = (one["share"].as_f64().expect("a share") * 1000.0).round() / 1000.0;
        (text(one, "name"), text(one, "kind"), one["commits"].as_u64().expect("a number"), share)
    };
    people.as_array().expect("people").iter().map(row).collect()
}

fn row(name: &str, kind: &str, commits: u64, share: f64) -> (String, String, u64, f64) {
    (name.to_string(), kind.to_string(), commits, share)
}

#[test]
fn a_co_author_wrote_it_and_an_agent_helped() {
    let repo = TestRepo::new();
    repo.write(".mailmap", "Grace Hopper <grace@example.org> <g@old.example>\n");
    let bot = "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>";
    commit(&repo, ADA, &["a.rs"], &["G <g@old.example>", CLAUDE]);
    commit(&repo, bot, &["a.rs"], &["Grace Hopper <grace@example.org>", ADA]);
    commit(&repo, "Grace Hopper <grace@example.org>", &["a.rs", "b.rs"], &["grace <GRACE@example.org>", ADA]);
    commit(&repo, CLAUDE, &["c.rs", "d.rs"], &[]);
    repo.reindex();
    let [ada, grace] = ["Ada", "Grace Hopper"].map(|name| row(name, "human", 3, 0.5));
    let [claude, dependabot] = [("Claude Opus 4.6 (1M context)", "agent"), ("dependabot[bot]", "bot")]
        .map(|(name, kind)| row(name, kind, 1, 0.0));
    assert_eq!(who(&repo, "a.rs"), [ada, grace, dependabot, claude.clone()]);
    assert_eq!(who(&repo, "c.rs"), [claude], "nobody else touched it");
    let said = repo.with("COLUMNS", "120").patina(&["who", "a.rs"]).stdout;
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[1].starts_with(" 50 %  Grace Hopper  ") && lines[1].ends_with("  <grace@example.org>"), "{said}");
    assert!(lines[3].starts_with("agent  Claude Opus 4.6 (1M context)  1 commit, last "), "{said}");

    let social = |target: &str| texts(&repo.json(&["related", "-d", "social", target])["hits"], "key");
    let mut near = social("a.rs");
    near.sort();
    assert_eq!(near, [".mailmap", "b.rs"], "the same two people wrote them, and an agent the others");
    assert_eq!(social("c.rs"), [""; 0], "what an agent wrote has nobody in common");
    let ties = repo.json(&["explain", "a.rs", "b.rs"])["ties"].to_string();
    assert!(ties.contains("Grace Hopper") && !ties.contains("Claude"), "{ties}");
    verified(&repo, "co-authors");
}

#[test]
fn a_co_author_that_was_amended_away_never_was() {
    let repo = TestRepo::new();
    commit(&repo, ADA, &["a.rs"], &["Alan <alan@example.org>"]);
    repo.reindex();
    assert_eq!(who(&repo, "a.rs").len(), 2);
    repo.git(&["commit", "-q", "--amend", "-m", "alone"]);
    repo.reindex();
    assert_eq!(who(&repo, "a.rs"), [row("Ada", "human", 1, 1.0)]);
    verified(&repo, "an amend");
}

#[test]
fn one_person_and_an_agent_are_one_person() {
    let social = |others: &[&str]| {
        let repo = TestRepo::new();
        commit(&repo, ADA, &["a.rs"], others);
        repo.reindex();
        let all = repo.json(&["status"])["dimensions"].as_array().expect("a list").clone();
        let reason = all.iter().find(|one| one["name"] == "social").expect("it is one of them")["reason"].clone();
        reason.as_str().expect("a sentence").contains("one person wrote everything")
    };
    assert!(social(&[CLAUDE]) && social(&["ada <ada@example.org>"]));
    assert!(!social(&["Grace <grace@example.org>"]));
}

#[test]
fn who_wrote_a_commit_is_asked_for_whichever_line_names_them() {
    let people = [ADA, "Grace <grace@example.org>", "Alan <alan@example.org>"];
    let file = |file: usize, step: usize| (format!("d{}/f{file}.txt", file % 3), format!("file {file}\n{step}\n"));
    let history = |by: &dyn Fn(&str, usize) -> Made| {
        let begin = Made::new("begin", (0..9).map(|number| file(number, 0))).by("Release Bot <ci@example.org>");
        let made = |step: usize| {
            let person = (step * step / 7) % 3;
            let mut made = by(people[person], step);
            let (path, text) = file(person * 3 + step % 3, step);
            made.files.push((path, Some(text)));
            made
        };
        linear(&std::iter::once(begin).chain((1..100).map(made)).collect::<Vec<_>>())
    };
    let told = |repo: &TestRepo| {
        repo.reindex();
        let report = repo.with_model().json(&["eval", "--task", "who"]);
        let task = report["tasks"][0].clone();
        let plain = ["counts", "decayed", "mix", "popular"].map(|method| task["methods"][method]["mrr"].clone());
        (task["n"].clone(), task["ceiling"].clone(), plain)
    };
    let author = told(&history(&|person, step| Made::new(format!("step {step}"), []).by(person)));
    assert!(author.0.as_u64() >= Some(15), "{author:?}");
    let trailer =
        |person: &str, step: usize| Made::new(format!("step {step}\n\nCo-authored-by: {person}\n"), []).by(CLAUDE);
    assert_eq!(told(&history(&trailer)), author, "by an agent with a person");
    let helped =
        |person: &str, step: usize| Made::new(format!("step {step}\n\nCo-authored-by: {CLAUDE}\n"), []).by(person);
    assert_eq!(told(&history(&helped)), author, "by a person with an agent");
}

#[test]
fn who_is_next_need_not_have_touched_it() {
    let repo = TestRepo::new();
    for _ in 0..6 {
        commit(&repo, ADA, &["src/a.rs"], &[]);
        commit(&repo, "Grace <grace@example.org>", &["src/b.rs", "src/c.rs"], &[]);
    }
    commit(&repo, "Alan <alan@example.org>", &["docs/z.md"], &[]);
    commit(&repo, CLAUDE, &["src/a.rs"], &[]);
    repo.reindex();
    let known = who(&repo, "src/a.rs");
    assert_eq!(known.iter().map(|one| one.0.as_str()).collect::<Vec<_>>(), ["Ada", "Claude Opus 4.6 (1M context)"]);
    let next = repo.json(&["who", "--next", "src/a.rs"])["people"].as_array().expect("people").clone();
    let names = next.iter().map(|one| one["name"].as_str().expect("a name")).collect::<Vec<_>>();
    assert_eq!((names[0], names.len()), ("Ada", 3), "agents change what they are told to: {names:?}");
    let shares: Vec<f64> = next.iter().map(|one| one["share"].as_f64().expect("a share")).collect();
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9 && shares.is_sorted_by(|a, b| a >= b), "{shares:?}");
    assert!(next[0]["commits"] == 6 && next[0]["last_commit"].is_number(), "{next:?}");
    assert!(next[1..].iter().all(|one| one["commits"] == 0 && one["last_commit"].is_null()), "{next:?}");
    let said = repo.patina(&["who", "--next", "src/a.rs"]).stdout;
    assert!(said.contains("Grace  never touched it  <grace@example.org>"), "{said}");
    let folder = repo.json(&["who", "--next", "."])["people"].as_array().map(Vec::len);
    assert_eq!((folder, repo.json(&["who", "--next", "docs"])["people"][0]["commits"].as_u64()), (Some(3), Some(1)));
}
