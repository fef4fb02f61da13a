//! Tests against two other readers of git, libgit2 and `git diff-tree`: all agree on what every commit changed. Renames
//! are left out, because readers differ on them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use patina::event::Status;
use patina::git::{ObjectId, Recorded, Repository};

use crate::support::{Entry, TestRepo, history, import, ran};

/// A changed path: its bytes, git's status letter, and the objects before and after (zeros for none).
type Change = (Vec<u8>, char, String, String);
type Changes = BTreeMap<String, BTreeSet<Change>>;

const NONE: &str = "0000000000000000000000000000000000000000";

#[test]
fn random_histories_read_the_same_by_three_readers() {
    for seed in 1..=6 {
        let repo = TestRepo::new();
        let plan = history(seed, 120);
        let ids = import(&repo, &plan);
        compare(&repo.path, &repo, &ids);
    }
}

#[test]
fn random_histories_hold_everything_that_is_hard() {
    let plans: Vec<_> = (1..=6).flat_map(|seed| history(seed, 120)).collect();
    let entries = || plans.iter().flat_map(|commit| commit.tree.iter());
    assert!(plans.iter().any(|commit| commit.parents.len() > 1), "merges");
    assert!(plans.iter().filter(|commit| commit.parents.is_empty()).count() > 6, "second roots");
    assert!(entries().any(|(_, entry)| matches!(entry, Entry::Submodule(_))), "submodules");
    assert!(entries().any(|(_, entry)| matches!(entry, Entry::Link(_))), "links");
    assert!(entries().any(|(_, entry)| matches!(entry, Entry::Executable(_))), "modes");
    assert!(entries().any(|(path, _)| path.contains(&0xff)), "names that are no UTF-8");
    assert!(entries().any(|(path, _)| path.contains(&b'\n')), "names with a line end");
    let statuses: BTreeSet<char> = {
        let repo = TestRepo::new();
        let ids = import(&repo, &history(1, 120));
        by_patina(&repo.path, &ids).into_values().flatten().map(|change| change.1).collect()
    };
    assert_eq!(statuses, BTreeSet::from(['A', 'D', 'M', 'T']));
}

#[test]
fn this_projects_own_history_reads_the_same_by_three_readers() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let repo = TestRepo::folder();
    let listed = ran(repo.command("git").arg("-C").arg(top).args(["rev-list", "HEAD"]));
    if listed.code != 0 || !top.join(".git").exists() {
        println!("skipped: {} is no git repository with history", top.display());
        return;
    }
    let ids: Vec<String> = listed.stdout.lines().map(str::to_string).collect();
    compare(top, &repo, &ids);
}

fn compare(path: &Path, repo: &TestRepo, ids: &[String]) {
    let (ours, git, git2) = (by_patina(path, ids), by_git(path, repo, ids), by_git2(path, ids));
    assert_eq!(ours.len(), ids.len(), "every commit is read");
    for (id, changes) in &ours {
        assert_eq!(Some(changes), git.get(id), "git diff-tree about {id}");
        assert_eq!(Some(changes), git2.get(id), "libgit2 about {id}");
    }
}

fn by_patina(path: &Path, ids: &[String]) -> Changes {
    let repository = Repository::discover(path).expect("it opens");
    let heads: Vec<ObjectId> = ids.iter().map(|id| ObjectId::from_hex(id.as_bytes()).expect("an id")).collect();
    let mut all = Changes::new();
    let hex = |side: Option<patina::git::DiffSide>| side.map_or(NONE.to_string(), |side| side.id.to_string());
    let take = |span: Vec<patina::git::RawCommit>, _| {
        for commit in span {
            let changes = commit.changes.iter().map(|change| {
                let letter = match change.status {
                    Status::A => 'A',
                    Status::M => 'M',
                    Status::D => 'D',
                    Status::T => 'T',
                };
                (change.path.to_vec(), letter, hex(change.old), hex(change.new))
            });
            all.insert(commit.id.to_string(), changes.collect());
        }
        Ok(())
    };
    let stop = AtomicBool::new(false);
    let reading =
        repository.read_history(&heads, |_| Ok(Recorded::No), |commit| commit, &stop, take).expect("it reads");
    assert_eq!((reading.commits, reading.pending.len()), (ids.len() as u64, 0));
    all
}

fn by_git(path: &Path, repo: &TestRepo, ids: &[String]) -> Changes {
    let list = repo.root().join("ids");
    std::fs::write(&list, ids.join("\n") + "\n").expect("a file");
    let mut command = repo.command("git");
    // Like patina, `git diff-tree` prints nothing for a merge.
    command.arg("-C").arg(path).args(["diff-tree", "--stdin", "--root", "-r", "--raw", "-z", "--no-renames"]);
    let printed = ran(command.stdin(std::fs::File::open(list).expect("a file")));
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    read_raw(&printed.bytes, ids)
}

/// Reads NUL-ended records: a commit's id, or `:mode mode old new letter` and then a path.
fn read_raw(bytes: &[u8], ids: &[String]) -> Changes {
    let mut all: Changes = ids.iter().map(|id| (id.clone(), BTreeSet::new())).collect();
    let mut commit = String::new();
    let mut records = bytes.split(|byte| *byte == 0).filter(|record| !record.is_empty());
    while let Some(record) = records.next() {
        let text = String::from_utf8_lossy(record).into_owned();
        let Some(words) = text.strip_prefix(':') else {
            commit = text.trim().to_string();
            continue;
        };
        let words: Vec<&str> = words.split(' ').collect();
        let letter = words[4].chars().next().expect("a letter");
        let path = records.next().expect("a path after its record").to_vec();
        let change = (path, letter, words[2].to_string(), words[3].to_string());
        all.get_mut(&commit).expect("a commit came before").insert(change);
    }
    all
}

fn by_git2(path: &Path, ids: &[String]) -> Changes {
    let repository = git2::Repository::open(path).expect("libgit2 opens it");
    let mut all = Changes::new();
    for id in ids {
        let commit = repository.find_commit(git2::Oid::from_str(id).expect("an id")).expect("a commit");
        let mut changes = BTreeSet::new();
        if commit.parent_count() < 2 {
            let old = commit.parent(0).ok().map(|parent| parent.tree().expect("a tree"));
            let new = commit.tree().expect("a tree");
            let mut options = git2::DiffOptions::new();
            options.include_typechange(true).ignore_submodules(false);
            let diff = repository.diff_tree_to_tree(old.as_ref(), Some(&new), Some(&mut options)).expect("a diff");
            changes.extend(diff.deltas().map(|delta| {
                let letter = match delta.status() {
                    git2::Delta::Added => 'A',
                    git2::Delta::Deleted => 'D',
                    git2::Delta::Modified => 'M',
                    git2::Delta::Typechange => 'T',
                    other => panic!("{id}: {other:?}"),
                };
                let file = if letter == 'D' { delta.old_file() } else { delta.new_file() };
                let path = file.path_bytes().expect("a path").to_vec();
                (path, letter, delta.old_file().id().to_string(), delta.new_file().id().to_string())
            }));
        }
        all.insert(id.clone(), changes);
    }
    all
}
