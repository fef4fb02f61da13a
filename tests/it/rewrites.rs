//! Tests of rewritten history: after each step, with or without a hook, the index equals a full rebuild, without stale
//! or duplicate entries.

use std::fs;

use Heard::{Hook, Next};

use crate::support::{
    Heard, Random, TestRepo, answers, assert_same, column, commits, history, import, step, texts, verified,
};

/// Creates an indexed repository with hooks: six commits on `main` by two people, each with a code file and a text
/// file, and three more on `topic`, which branched off two commits before the tip.
fn repository() -> TestRepo {
    let repo = TestRepo::with_hooks();
    let silent = repo.silent();
    for index in 0..6 {
        let author = ["Ada <ada@example.org>", "Grace <grace@example.org>"][index % 2];
        silent.write(format!("src/f{index}.rs"), work(&format!("work{index}")));
        silent.write(format!("docs/n{index}.md"), format!("# Note {index}\n"));
        silent.git(&["add", "-A"]);
        silent.git(&["commit", "-q", "--author", author, "-m", &format!("step {index}")]);
    }
    silent.git(&["checkout", "-q", "-b", "topic", "HEAD~2"]);
    for name in ["one", "two", "three"] {
        silent.commit_files(&[(&format!("src/{name}.rs"), &work(name))], name);
    }
    silent.git(&["checkout", "-q", "main"]);
    repo.patina(&["reindex"]);
    repo
}

fn work(name: &str) -> String {
    format!("/// Does {name}.\npub fn {name}() {{\n    help_{name}();\n}}\n\nfn help_{name}() {{}}\n")
}

/// Returns the repository with interactive rebases whose todo list an awk program edits.
fn edited(repo: &TestRepo, program: &str) -> TestRepo {
    let editor = format!("edit() {{ awk '{program}' \"$1\" >\"$1.new\" && mv \"$1.new\" \"$1\"; }}; edit");
    repo.with("GIT_SEQUENCE_EDITOR", &editor)
}

fn subjects(repo: &TestRepo, range: &str) -> Vec<String> {
    repo.git(&["log", "--format=%s", range]).stdout.lines().map(str::to_string).collect()
}

#[test]
fn amends_and_rebases() {
    let repo = repository();
    step(&repo, "an amend", Hook, |repo| {
        repo.write("src/f5.rs", work("amended"));
        repo.git(&["commit", "-q", "-a", "--amend", "-m", "step 5, again"]);
    });
    step(&repo, "a rebase that merges", Hook, |repo| {
        repo.git(&["checkout", "-q", "topic"]);
        repo.git(&["rebase", "-q", "--merge", "main"]);
    });
    step(&repo, "a rebase that applies", Hook, |repo| {
        repo.git(&["rebase", "-q", "--apply", "--onto", "main~1", "main", "topic"]);
    });
    step(&repo, "two commits that change places", Hook, |repo| {
        edited(repo, "NR == 1 { first = $0; next } { print } NR == 2 { print first }")
            .git(&["rebase", "-q", "-i", "HEAD~3"]);
        assert_eq!(subjects(repo, "HEAD~3.."), ["three", "one", "two"]);
    });
    step(&repo, "a squash", Hook, |repo| {
        edited(repo, "NR == 2 { sub(/^pick/, \"squash\") } { print }").git(&["rebase", "-q", "-i", "HEAD~2"]);
    });
    step(&repo, "a commit that is dropped", Hook, |repo| {
        edited(repo, "NR == 1 { next } { print }").git(&["rebase", "-q", "-i", "HEAD~2"]);
        assert!(!repo.path.join("src/two.rs").exists());
    });
    step(&repo, "an autosquash", Hook, |repo| {
        repo.commit_files(&[("src/mended.rs", &work("broken"))], "to be mended");
        repo.commit_files(&[("src/between.rs", &work("between"))], "between");
        repo.write("src/mended.rs", work("mended"));
        repo.git(&["commit", "-q", "-a", "--fixup=HEAD~1"]);
        repo.with("GIT_SEQUENCE_EDITOR", "true").git(&["rebase", "-q", "-i", "--autosquash", "HEAD~3"]);
        assert_eq!(subjects(repo, "HEAD~2.."), ["between", "to be mended"]);
    });
    let before = repo.head();
    step(&repo, "a rebase that stops at a conflict", Hook, |repo| {
        repo.commit_files(&[("src/f5.rs", &work("theirs"))], "in the way");
        assert_ne!(repo.try_git(&["rebase", "-q", "main"]).code, 0);
        assert_ne!(repo.head(), before);
    });
    step(&repo, "its abort", Next, |repo| {
        repo.git(&["rebase", "--abort"]);
        assert_eq!(subjects(repo, "HEAD~1.."), ["in the way"]);
    });
    assert!(
        texts(&repo.json(&["query", "theirs", "--kind", "function"])["hits"], "key")
            .contains(&"src/f5.rs#theirs".into())
    );
}

#[test]
fn resets_reverts_and_picks() {
    let repo = repository();
    let tip = repo.head();
    for (how, back) in [("--soft", 1), ("--mixed", 2), ("--hard", 3)] {
        step(&repo, &format!("reset {how}"), Next, |repo| {
            drop(repo.git(&["reset", "-q", how, &format!("HEAD~{back}")]))
        });
        step(&repo, &format!("the way back from {how}"), Next, |repo| drop(repo.git(&["reset", "-q", "--hard", &tip])));
    }
    step(&repo, "a commit of what a soft reset left", Hook, |repo| {
        repo.git(&["reset", "-q", "--soft", "HEAD~2"]);
        repo.git(&["commit", "-q", "-m", "two in one"]);
    });
    step(&repo, "a cherry-pick", Hook, |repo| drop(repo.git(&["cherry-pick", "-x", "topic~1"])));
    step(&repo, "a revert", Hook, |repo| drop(repo.git(&["revert", "--no-edit", "HEAD"])));
    step(&repo, "a pick that is aborted", Next, |repo| {
        repo.silent().git(&["checkout", "-q", "-b", "conflicts", "HEAD~1"]);
        repo.silent().commit_files(&[("src/f0.rs", &work("one_way"))], "one way");
        repo.silent().git(&["checkout", "-q", "main"]);
        repo.commit_files(&[("src/f0.rs", &work("another_way"))], "another way");
        assert_ne!(repo.try_git(&["cherry-pick", "conflicts"]).code, 0);
        repo.git(&["cherry-pick", "--abort"]);
    });
    step(&repo, "a pick whose conflict is resolved", Hook, |repo| {
        assert_ne!(repo.try_git(&["cherry-pick", "conflicts"]).code, 0);
        repo.write("src/f0.rs", work("both_ways"));
        repo.git(&["add", "-A"]);
        repo.git(&["cherry-pick", "--continue"]);
    });
}

#[test]
fn stashes_detours_and_orphans() {
    let repo = repository();
    step(&repo, "a stash", Next, |repo| {
        repo.write("src/f1.rs", work("put_aside"));
        repo.git(&["stash", "-q"]);
    });
    assert!(!repo.json(&["query", "put_aside"])["hits"].to_string().contains("src/f1.rs#put_aside"));
    step(&repo, "its pop", Next, |repo| drop(repo.git(&["stash", "pop", "-q"])));
    repo.git(&["checkout", "-q", "--", "."]);
    step(&repo, "a detached HEAD", Hook, |repo| drop(repo.git(&["checkout", "-q", "--detach", "topic"])));
    step(&repo, "a commit on no branch", Hook, |repo| {
        repo.commit_files(&[("src/loose.rs", &work("loose"))], "on no branch");
    });
    step(&repo, "the way back to a branch", Hook, |repo| drop(repo.git(&["checkout", "-q", "main"])));
    assert!(!repo.json(&["query", "loose"])["hits"].to_string().contains("loose"));
    step(&repo, "a bisect that begins", Hook, |repo| drop(repo.git(&["bisect", "start", "HEAD", "HEAD~5"])));
    step(&repo, "a bisect that runs", Hook, |repo| {
        let found = repo.git(&["bisect", "run", "sh", "-c", "test ! -e src/f3.rs"]).stdout;
        assert!(found.contains("is the first bad commit"), "{found}");
    });
    step(&repo, "a bisect that ends", Hook, |repo| drop(repo.git(&["bisect", "reset"])));
    step(&repo, "an orphan branch that is not born", Next, |repo| {
        drop(repo.git(&["checkout", "-q", "--orphan", "alone"]))
    });
    step(&repo, "its first commit", Hook, |repo| {
        repo.git(&["rm", "-rfq", "."]);
        repo.commit_files(&[("src/alone.rs", &work("alone"))], "alone");
    });
    assert_eq!(repo.json(&["who", "src/alone.rs"])["people"][0]["commits"], 1);
    step(&repo, "the way back from it", Hook, |repo| drop(repo.git(&["checkout", "-q", "main"])));
}

#[test]
fn merges_of_every_sort() {
    let repo = repository();
    let silent = repo.silent();
    for (name, from) in [("ahead", "main"), ("left", "main~1"), ("right", "main~2")] {
        silent.git(&["checkout", "-q", "-b", name, from]);
        silent.commit_files(&[(&format!("src/{name}.rs"), &work(name)), ("docs/n0.md", "# Note 0\n")], name);
    }
    silent.git(&["checkout", "-q", "main"]);
    step(&repo, "a fast-forward", Hook, |repo| drop(repo.git(&["merge", "-q", "--ff-only", "ahead"])));
    step(&repo, "a merge", Hook, |repo| drop(repo.git(&["merge", "-q", "--no-ff", "-m", "merged", "topic"])));
    step(&repo, "an octopus", Hook, |repo| {
        repo.git(&["merge", "-q", "-m", "three", "left", "right"]);
        assert_eq!(repo.git(&["rev-parse", "HEAD^@"]).stdout.lines().count(), 3);
    });
    silent.git(&["checkout", "-q", "-b", "against", "HEAD~1"]);
    silent.commit_files(&[("src/f2.rs", &work("against"))], "against");
    silent.git(&["checkout", "-q", "main"]);
    step(&repo, "a merge that stops", Hook, |repo| {
        repo.commit_files(&[("src/f2.rs", &work("with"))], "with");
        assert_ne!(repo.try_git(&["merge", "-q", "against"]).code, 0);
    });
    step(&repo, "a conflict resolved by hand", Hook, |repo| {
        repo.write("src/f2.rs", work("peace"));
        repo.git(&["commit", "-q", "-a", "-m", "peace"]);
    });
    step(&repo, "a merge undone", Next, |repo| drop(repo.git(&["reset", "-q", "--hard", "HEAD~1"])));
    step(&repo, "a squash merge", Hook, |repo| {
        silent.git(&["checkout", "-q", "-b", "many", "HEAD~1"]);
        silent.commit_files(&[("src/many.rs", &work("many"))], "many");
        silent.commit_files(&[("src/more.rs", &work("more"))], "more");
        silent.git(&["checkout", "-q", "main"]);
        repo.git(&["merge", "-q", "--squash", "many"]);
        repo.git(&["commit", "-q", "-m", "many in one"]);
    });
    step(&repo, "a branch that is deleted", Next, |repo| drop(repo.git(&["branch", "-D", "many", "against"])));
}

#[test]
fn exact_renames_keep_their_history_over_rewrites() {
    let repo = repository();
    repo.git(&["checkout", "-q", "topic"]);
    repo.commit_files(&[("src/one.rs", &work("one_more")), ("src/two.rs", &work("two_more"))], "together");
    step(&repo, "a rename", Hook, |repo| {
        repo.git(&["mv", "src/one.rs", "src/first.rs"]);
        repo.commit("rename");
    });
    let known = |repo: &TestRepo, path: &str| {
        let people = repo.json(&["who", path])["people"].clone();
        let beside = texts(&repo.json(&["related", path])["hits"], "key");
        (people[0]["commits"].as_u64(), beside.first().cloned())
    };
    let renamed = known(&repo, "src/first.rs");
    assert_eq!(renamed, (Some(3), Some("src/two.rs".to_string())));
    for (name, backend) in [("a rebase that merges", "--merge"), ("a rebase that applies", "--apply")] {
        step(&repo, name, Hook, |repo| {
            repo.git(&["rebase", "-q", backend, "--force-rebase", "--onto", "main", "HEAD~5"]);
        });
        assert_eq!(known(&repo, "src/first.rs"), renamed, "{name}");
        let old = repo.patina(&["who", "src/one.rs"]).stderr;
        assert!(old.contains("src/one.rs was renamed to src/first.rs"), "{old}");
    }
    step(&repo, "the rename undone", Next, |repo| drop(repo.git(&["reset", "-q", "--hard", "HEAD~1"])));
    assert_eq!(known(&repo, "src/one.rs"), (Some(2), Some("src/two.rs".to_string())));
}

#[test]
fn a_history_rewritten_as_a_whole_counts_once_and_back_again_appends_nothing() {
    let repo = repository();
    let (before, tip) = (answers(&repo), repo.head());
    step(&repo, "another name for everybody", Next, |repo| {
        let script =
            "git fast-export --all | sed 's/^author [A-Z][a-z]* /author Countess /' | git fast-import --force --quiet";
        let ran = crate::support::ran(repo.command("sh").args(["-ec", script]));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_ne!(repo.head(), tip);
    });
    let people = repo.json(&["who", "src"])["people"].clone();
    assert_eq!(
        (texts(&people, "name"), &people[0]["commits"]),
        (vec!["Countess".to_string(); people.as_array().map_or(0, Vec::len)], &3.into())
    );
    let authors = column(&repo, "SELECT DISTINCT data ->> '$.author' FROM eventlog WHERE event_type = 'git.commit'");
    assert!(authors.iter().all(|author| author.starts_with("Countess ")), "{authors:?}");
    let events = repo.count("SELECT count(*) FROM event");
    step(&repo, "the old history", Next, |repo| drop(repo.git(&["reset", "-q", "--hard", &tip])));
    assert_eq!(repo.count("SELECT count(*) FROM event"), events);
    assert_same(&answers(&repo), &before, "back again");
}

#[test]
fn what_was_taken_in_once_is_appended_and_embedded_once() {
    let repo = TestRepo::new().with_model();
    for index in 0..4 {
        repo.commit_files(&[(&format!("src/f{index}.rs"), &work(&format!("work{index}")))], &format!("step {index}"));
    }
    let run = |what: &str| {
        let report = repo.json(&["reindex"]);
        let number = |field: &str| report[field].as_u64().unwrap_or_else(|| panic!("{field} after {what}: {report}"));
        (number("events_appended"), number("texts_embedded"))
    };
    assert!(run("the beginning").1 > 8);
    let tip = repo.head();
    repo.git(&["rebase", "-q", "--force-rebase", "HEAD~3"]);
    assert_eq!(run("a rebase"), (3, 0), "three new commits that say what is known");
    repo.git(&["commit", "-q", "--amend", "-m", "said in other words"]);
    assert_eq!(run("an amend"), (1, 1));
    repo.git(&["checkout", "-q", "-b", "side", "HEAD~2"]);
    assert_eq!(run("a branch"), (0, 0));
    repo.git(&["mv", "src/f0.rs", "src/moved.rs"]);
    repo.commit("moved");
    assert_eq!(run("a moved file").1, 1, "its message and nothing else");
    for (what, args) in [
        ("back to what was", ["reset", "-q", "--hard", &tip]),
        ("a switch", ["checkout", "-q", "-f", "main"]),
        ("a switch back", ["checkout", "-q", "-f", "side"]),
    ] {
        repo.git(&args);
        assert_eq!(run(what), (0, 0), "{what}");
    }
    verified(&repo, "all of it");
}

#[test]
fn replace_refs_and_a_grafts_file_say_nothing() {
    let repo = repository();
    let before = answers(&repo);
    let (id, parent) = (repo.git(&["rev-parse", "HEAD~2"]).stdout, repo.git(&["rev-parse", "HEAD~4"]).stdout);
    fs::create_dir_all(repo.path.join(".git/info")).expect("a folder");
    fs::write(repo.path.join(".git/info/grafts"), format!("{} {}\n", id.trim(), parent.trim())).expect("a file");
    assert_eq!(repo.git(&["rev-list", "--count", "HEAD"]).stdout.trim(), "5", "git itself believes it");
    repo.patina(&["reindex"]);
    assert_same(&answers(&repo), &before, "a graft");
    verified(&repo, "a graft");
    repo.git(&["-c", "advice.graftFileDeprecated=false", "replace", "--graft", "HEAD~1"]);
    repo.patina(&["reindex", "--full"]);
    assert_same(&answers(&repo), &before, "a replaced commit");
    verified(&repo, "a replaced commit");
    fs::remove_file(repo.path.join(".git/info/grafts")).expect("it was there");
    repo.git(&["replace", "-d", "HEAD~1"]);
    step(&repo, "both gone", Hook, |repo| drop(repo.commit_files(&[("src/new.rs", &work("new"))], "new")));
}

/// Rewrites history at random between the commits of a random history, which git itself recreates so that hooks run.
#[test]
fn twenty_random_rewrites_among_replayed_commits() {
    let repo = TestRepo::with_hooks();
    let (seed, count) = (77, 36);
    let ids = import(&repo, &history(seed, count));
    let random = &mut Random::new(seed);
    let mut rewrites = 0;
    for (index, id) in ids.iter().enumerate() {
        repo.git(&["read-tree", "--reset", id]);
        repo.git(&["commit", "-q", "--allow-empty", "-C", id]);
        if index > 6 && rewrites < 20 && random.percent(75) {
            rewrites += 1;
            rewrite(&repo, random, rewrites);
        }
        if index % 6 == 5 {
            // git may have run no hook for the last rewrite; the command that waits starts the worker.
            repo.settle();
            verified(&repo, &format!("{} commits and {rewrites} rewrites", index + 1));
        }
    }
    assert_eq!(rewrites, 20);
    let shown = commits(&repo);
    let expect = repo.git(&["rev-list", "HEAD"]).stdout;
    assert_eq!(shown.len(), expect.lines().count());
    assert!(shown.iter().all(|commit| expect.contains(commit)));
}

/// Rewrites history without reading the worktree, because a file system may not support the random names.
fn rewrite(repo: &TestRepo, random: &mut Random, round: usize) {
    match random.below(6) {
        0 => drop(repo.git(&["commit", "-q", "--amend", "--allow-empty", "-m", &format!("amended {round}")])),
        1 => drop(repo.git(&["reset", "-q", "--soft", "HEAD~2"])),
        2 => {
            let tip = repo.head();
            repo.git(&["reset", "-q", "--soft", "HEAD~3"]);
            repo.git(&["commit", "-q", "--allow-empty", "-m", "squashed"]);
            if random.percent(50) {
                repo.git(&["reset", "-q", "--soft", &tip]);
            }
        }
        3 => {
            let parents = ["-p", "HEAD~1", "-p", "HEAD~4"];
            let tree = repo.git(&["rev-parse", "HEAD^{tree}"]).stdout;
            let made = repo.git(&[&["commit-tree", "-m", "made by hand"], parents.as_slice(), &[tree.trim()]].concat());
            repo.stand_at(made.stdout.trim());
        }
        4 => {
            repo.git(&["branch", "-f", "aside", "HEAD~2"]);
            repo.git(&["symbolic-ref", "HEAD", "refs/heads/aside"]);
            repo.git(&["commit", "-q", "--allow-empty", "-m", "aside"]);
            repo.git(&["symbolic-ref", "HEAD", "refs/heads/main"]);
        }
        _ => {
            repo.git(&["checkout", "-q", "--orphan", &format!("root{round}")]);
            repo.git(&["commit", "-q", "--allow-empty", "-m", "another root"]);
            repo.git(&["symbolic-ref", "HEAD", "refs/heads/main"]);
        }
    }
}
