//! Tests that the order of ingestion does not matter: batches, branch switches, rewrites and lost objects lead to the
//! same index.

use std::collections::BTreeMap;

use rusqlite::{Connection, OpenFlags};

use crate::support::{
    Entry, PATINA, Planned, Random, TestRepo, afresh, answers, assert_same, figure, history, import, until,
};

#[test]
fn any_history_in_any_batches_equals_one_full_pass() {
    for seed in 11..=16 {
        let repo = TestRepo::new();
        let ids = import(&repo, &history(seed, 40));
        let random = &mut Random::new(seed);
        for _ in 0..14 {
            if random.percent(30) {
                let name = format!("refs/heads/b{}", random.below(3));
                repo.git(&["symbolic-ref", "HEAD", &name]);
            }
            let commit = random.pick(&ids);
            repo.stand_at(commit);
            if random.percent(60) {
                repo.reindex();
            }
        }
        repo.stand_at(&ids[39 - random.below(8)]);
        repo.reindex();
        let step_by_step = answers(&repo);
        assert_eq!(repo.reindex(), 0, "seed {seed}: a second time appends nothing");
        assert_eq!(answers(&repo), step_by_step, "seed {seed}: a second time changes nothing");
        assert_same(&step_by_step, &afresh(&repo), &format!("seed {seed}, afresh"));
        repo.patina(&["reindex", "--full"]);
        assert_same(&step_by_step, &answers(&repo), &format!("seed {seed}, rebuilt"));
        repo.patina(&["doctor"]);
    }
}

/// The default number of random histories; `PATINA_TEST_HISTORIES` sets another.
const HISTORIES: u64 = 200;
/// One in this many histories is embedded too.
const WITH_MODEL: u64 = 8;

#[test]
fn random_histories_with_lost_and_doubled_rings_verify() {
    let count = std::env::var("PATINA_TEST_HISTORIES").ok().and_then(|count| count.parse().ok()).unwrap_or(HISTORIES);
    let (mut steps, mut lost, mut doubled, mut cut, mut verified) = (0, 0, 0, 0, 0);
    let mut made = Made::default();
    for seed in 100..100 + count {
        let repo = TestRepo::new();
        let repo = if seed % WITH_MODEL == 0 { repo.with_model() } else { repo };
        let random = &mut Random::new(seed);
        let commits = 10 + random.below(40);
        let planned = history(seed, commits);
        made.count(&planned);
        let ids: Vec<String> = import(&repo, &planned);
        for _ in 0..10 {
            if random.percent(30) {
                let name = format!("refs/heads/b{}", random.below(3));
                repo.git(&["symbolic-ref", "HEAD", &name]);
            }
            let commit: &String = random.pick(&ids);
            repo.stand_at(commit);
            steps += 1;
            if random.percent(30) {
                lost += 1;
                continue;
            }
            if random.percent(20) {
                // Stops between two transactions; a build without fail points runs on.
                let place = random.pick(CUTS);
                let ran = repo.with("PATINA_FAIL", &format!("{place}:error")).try_patina(&["reindex", "--quiet"]);
                cut += usize::from(ran.code == 1);
            }
            repo.reindex();
            if random.percent(30) {
                repo.reindex();
                doubled += 1;
            }
            if random.percent(5) {
                verify(&repo, seed);
                verified += 1;
            }
        }
        verify(&repo, seed);
        verified += 1;
    }
    figure(&format!(
        "{count} histories, {made}; {steps} moves of HEAD, {lost} rings lost, {doubled} doubled, {cut} runs cut short, {verified} verified"
    ));
}

/// Statistics of what the random histories contained.
#[derive(Default)]
struct Made {
    commits: usize,
    merges: usize,
    roots: usize,
    renames: usize,
    links: usize,
    submodules: usize,
}

impl Made {
    fn count(&mut self, planned: &[Planned]) {
        for commit in planned {
            self.commits += 1;
            self.merges += usize::from(commit.parents.len() > 1);
            self.roots += usize::from(commit.parents.is_empty());
            let Some(before) = commit.parents.first().map(|parent| &planned[*parent].tree) else { continue };
            for (_, entry) in commit.tree.iter().filter(|(path, _)| !before.contains_key(*path)) {
                let came_from = |(other, held): (&Vec<u8>, &Entry)| held == entry && !commit.tree.contains_key(other);
                self.renames += usize::from(before.iter().any(came_from));
                self.links += usize::from(matches!(entry, Entry::Link(_)));
                self.submodules += usize::from(matches!(entry, Entry::Submodule(_)));
            }
        }
    }
}

impl std::fmt::Display for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Made { commits, merges, roots, renames, links, submodules } = self;
        write!(
            f,
            "{commits} commits ({merges} merges, {roots} roots, {renames} exact renames, {links} links, {submodules} submodules)"
        )
    }
}

/// Fail points between two transactions.
const CUTS: &[&str] = &[
    "append kept",
    "parses kept",
    "pending kept",
    "history read",
    "commits kept",
    "views kept",
    "live kept",
    "recorded",
    "updated",
    "embeddings kept",
    "embedded",
];

fn verify(repo: &TestRepo, seed: u64) {
    let verdict = repo.json(&["doctor", "--verify", "--all"]);
    assert_eq!(verdict["equal"], true, "seed {seed}: {}", verdict["differences"]);
}

#[test]
fn switching_a_branch_and_back_appends_nothing() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.rs", "pub fn one() { two(); }\npub fn two() {}\n")], "one");
    repo.reindex();
    let before = answers(&repo);
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.commit_files(&[("a.rs", "pub fn three() {}\n"), ("b.rs", "pub fn two() {}\n")], "two");
    assert!(repo.reindex() > 0);
    for branch in ["main", "side", "main"] {
        repo.git(&["checkout", "-q", branch]);
        assert_eq!(repo.reindex(), 0, "{branch}");
    }
    assert_eq!(answers(&repo), before);
}

#[test]
fn twenty_rewrites_that_end_where_they_began_leave_no_trace() {
    let repo = TestRepo::new();
    for index in 0..6 {
        let text = format!("pub fn work{index}() {{ help(); }}\npub fn help() {{}}\n");
        repo.commit_files(&[("src/a.rs", &text), ("src/b.rs", &text), (&format!("n{index}.md"), "# n\n")], "step");
    }
    repo.reindex();
    let (before, start) = (answers(&repo), repo.head());
    let appended = repo.count("SELECT count(*) FROM event");
    let random = &mut Random::new(5);
    for round in 0..20 {
        match random.below(5) {
            0 => drop(repo.git(&["commit", "-q", "--amend", "--allow-empty", "-m", &format!("amended {round}")])),
            1 => drop(repo.git(&["rebase", "-q", "--force-rebase", "HEAD~3"])),
            2 => drop(repo.git(&["reset", "-q", "--hard", "HEAD~2"])),
            3 => drop(repo.git(&["revert", "--no-edit", "HEAD"])),
            _ => {
                repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
                repo.git(&["cherry-pick", "--allow-empty", &start]);
            }
        }
        if random.percent(70) {
            repo.reindex();
        }
        repo.git(&["reset", "-q", "--hard", &start]);
        repo.reindex();
        assert_eq!(answers(&repo)["rows"], before["rows"], "after rewrite {round}");
    }
    assert_eq!(answers(&repo), before);
    assert!(repo.count("SELECT count(*) FROM event") > appended, "the rewrites were seen");
}

#[test]
fn a_commit_that_no_head_reaches_counts_nowhere() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.rs", "fn a() {}\n"), ("b.rs", "fn b() {}\n")], "both");
    let ghost = repo.commit_files(&[("a.rs", "fn a2() {}\n"), ("ghost.rs", "fn ghost() {}\n")], "ghostly words");
    repo.reindex();
    assert_eq!(repo.count("SELECT count(*) FROM commit_files WHERE file_path = 'ghost.rs'"), 1);
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    repo.git(&["-c", "gc.pruneExpire=now", "-c", "gc.reflogExpireUnreachable=now", "gc", "-q", "--prune=now"]);
    repo.reindex();
    let ghosts = "SELECT (SELECT count(*) FROM commit_files WHERE file_path = 'ghost.rs')
      + (SELECT count(*) FROM co_changes WHERE 'ghost.rs' IN (file_a, file_b))
      + (SELECT count(*) FROM eventlog WHERE data LIKE '%ghost%')";
    assert_eq!(repo.count(ghosts), 0);
    assert_eq!(repo.count("SELECT count(*) FROM event WHERE data LIKE '%ghostly words%'"), 1, "the fact itself stays");
    for args in [&["related", "a.rs"][..], &["who", "a.rs"], &["query", "ghostly ghost"]] {
        let answer = repo.json(args).to_string();
        assert!(!answer.contains("ghost.rs") && !answer.contains(&ghost), "{args:?}: {answer}");
    }
    assert_eq!(repo.json(&["who", "a.rs"])["people"][0]["commits"], 1);
}

#[test]
fn history_counts_over_the_heads_of_all_worktrees() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.rs", "fn a() {}\n"), ("b.rs", "fn b() {}\n")], "both");
    let side = repo.root().join("side");
    repo.git(&["worktree", "add", "-q", "-b", "side", side.to_str().expect("UTF-8")]);
    let linked = repo.at(&side);
    linked.commit_files(&[("a.rs", "fn a2() {}\n"), ("c.rs", "fn c() {}\n")], "in the side");
    repo.reindex();
    assert_eq!(repo.json(&["who", "a.rs"])["people"][0]["commits"], 2);
    let other = repo.patina(&["who", "c.rs"]);
    assert!(other.stderr.contains("c.rs is not in the tree of this answer"), "it is in the other worktree: {other:?}");
    assert_eq!(linked.json(&["who", "c.rs"])["people"][0]["commits"], 1);
    assert_eq!(linked.json(&["query", "a2", "--kind", "function"])["hits"][0]["key"], "a.rs#a2");
    assert_eq!(repo.json(&["query", "a2", "--kind", "function"])["hits"], serde_json::json!([]));
    std::fs::remove_dir_all(&side).expect("the folder goes");
    assert_eq!(repo.reindex(), 0);
    assert_eq!(repo.json(&["who", "a.rs"])["people"][0]["commits"], 1, "its HEAD went with it");
}

#[test]
fn a_merge_is_an_event_without_files() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.md", "a\n")], "base");
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.commit_files(&[("b.md", "b\n")], "side");
    repo.git(&["checkout", "-q", "main"]);
    repo.commit_files(&[("c.md", "c\n")], "main");
    repo.git(&["merge", "-q", "--no-ff", "-m", "merged", "side"]);
    repo.reindex();
    let merge = "SELECT data ->> '$.files_changed' FROM eventlog WHERE content LIKE 'merged%'";
    let files: String = repo.log().query_row(merge, [], |row| row.get(0)).expect("the merge is there");
    assert_eq!(files, "[]");
    assert_eq!(repo.count("SELECT count(*) FROM eventlog WHERE event_type = 'git.commit'"), 4);
    assert_eq!(repo.count("SELECT count(*) FROM commit_files"), 3);
}

#[test]
fn a_large_commit_says_nothing_about_what_goes_together() {
    let repo = TestRepo::new();
    for index in 0..31 {
        repo.write(format!("f{index}.md"), format!("{index}\n"));
    }
    repo.commit("everything at once");
    repo.commit_files(&[("f0.md", "x\n"), ("f1.md", "x\n")], "a pair");
    repo.reindex();
    let hits = &repo.json(&["related", "f0.md"])["hits"];
    assert_eq!(hits[0]["key"], "f1.md");
    let counted = hits.to_string().matches("\"together\"").count();
    assert_eq!(counted, 1, "{hits}");
}

/// Plans more commits than fit into one transaction, each of one or two files.
pub fn long_line(commits: usize) -> Vec<Planned> {
    let mut tree = BTreeMap::new();
    let mut all = Vec::new();
    for index in 0..commits {
        for place in [index % 7, index % 3] {
            tree.insert(format!("f{place}.md").into_bytes(), Entry::File(format!("{index}\n").into_bytes()));
        }
        let parents = index.checked_sub(1).into_iter().collect();
        all.push(Planned { parents, tree: tree.clone(), author: index % 2, message: format!("step {index}\n") });
    }
    all
}

#[test]
fn a_run_that_is_killed_goes_on_from_there() {
    let repo = TestRepo::new();
    let ids = import(&repo, &long_line(20_000));
    repo.stand_at(ids.last().expect("a commit"));
    let state = repo.state();
    // Kills the run as soon as events are stored, and again a little later. Wherever that is, nothing may be lost.
    for least in [1, 9_000] {
        let mut child = repo.command(PATINA).args(["reindex", "--quiet"]).spawn().expect("it starts");
        until("the first commits", || {
            let log = Connection::open_with_flags(state.join("eventlog.db"), OpenFlags::SQLITE_OPEN_READ_ONLY);
            let count = log.and_then(|log| log.query_row("SELECT count(*) FROM event", [], |row| row.get::<_, i64>(0)));
            count.is_ok_and(|count| count >= least)
        });
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }
    repo.reindex();
    assert_eq!(repo.count("SELECT count(*) FROM eventlog WHERE event_type = 'git.commit'"), 20_000);
    assert_eq!(repo.reindex(), 0);
    // Twenty thousand messages rank equally, so which of them an answer shows is unspecified.
    let all_but_found = |mut answers: serde_json::Value| {
        answers["found"] = serde_json::Value::Null;
        answers
    };
    assert_same(&all_but_found(answers(&repo)), &all_but_found(afresh(&repo)), "after two kills");
}
