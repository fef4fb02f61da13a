//! Tests that kill patina at random moments: the next hook brings everything to the state it would have had without the
//! kill, and no note is lost.

use std::time::{Duration, Instant};

use crate::support::{PATINA, Ran, Random, TestRepo, figure};

/// Returns the notes that the log of every repository here holds at the start.
pub fn said() -> Vec<String> {
    (0..5).map(|index| format!("note {index}")).collect()
}

pub fn ring(repo: &TestRepo) {
    repo.with("PATINA", "").patina(&["hook", "ring", "post-commit"]);
    repo.rest();
}

/// Checks that after one hook the index equals a full rebuild, every note is there, and no error is reported.
pub fn assert_mended(repo: &TestRepo, notes: &[String], case: &str) {
    ring(repo);
    let verified = repo.try_patina(&["--json", "doctor", "--verify", "--all"]);
    assert_eq!(verified.code, 0, "{case}: {}{}", verified.stdout, verified.stderr);
    assert_eq!(repo.notes(), notes, "{case}");
    let status = repo.json(&["status"]);
    assert_eq!((&status["behind"], &status["last_error"]), (&0.into(), &serde_json::Value::Null), "{case}");
    assert_eq!(repo.reindex(), 0, "{case}: nothing is left to do");
}

pub fn worker(repo: &TestRepo) -> Ran {
    let common = repo.path.join(".git");
    repo.try_patina(&["worker", common.to_str().expect("UTF-8")])
}

fn text(index: usize) -> String {
    format!("use crate::b::help;\n\n/// Number {index}.\npub fn work{index}() {{\n    help({index});\n}}\n")
}

/// Creates a repository that was indexed, has notes, and changed since: files changed, renamed and deleted, commits
/// rewritten.
pub fn gone_on() -> TestRepo {
    let repo = TestRepo::new().with_model();
    for index in 0..5 {
        repo.commit_files(&[("a.rs", &text(index)), (&format!("n{index}.rs"), &text(index))], "step");
    }
    repo.commit_files(&[("b.rs", "pub fn help(n: usize) {}\n")], "ghost");
    repo.reindex();
    repo.note(&said());
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    repo.git(&["mv", "n1.rs", "moved.rs"]);
    repo.git(&["rm", "-q", "n2.rs"]);
    repo.commit_files(&[("b.rs", "/// Helps.\npub fn help(n: usize) {}\n"), ("a.rs", &text(9))], "on");
    repo
}

/// The default number of kills; `PATINA_TEST_KILLS` sets another.
const KILLS: usize = 60;

#[test]
fn killed_at_any_moment_it_goes_on_from_there() {
    let kills = std::env::var("PATINA_TEST_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(KILLS);
    let random = &mut Random::new(7);
    let (mut repo, mut hit, mut longest) = (gone_on(), 0, Duration::from_millis(60));
    for kill in 0..kills {
        // A repository grows with every commit; starting over now and then keeps each trial short.
        if kill % 40 == 39 {
            repo = gone_on();
        }
        move_on(&repo, random, kill);
        let args: &[&str] = match random.below(10) {
            0 => &["reindex", "--full"],
            1 => &["gc", "--days", "0"],
            2 => &["reindex", "--full", "--re-embed"],
            _ => &["reindex"],
        };
        let start = Instant::now();
        let mut child = repo.command(PATINA).args(args).arg("--quiet").spawn().expect("it starts");
        let delay = longest.mul_f64(random.below(1_000) as f64 / 1_000.0);
        while start.elapsed() < delay && child.try_wait().expect("it can be asked").is_none() {
            std::thread::sleep(Duration::from_micros(200));
        }
        match child.try_wait().expect("it can be asked") {
            None => hit += 1,
            // The random delay is at most as long as the run that the kill should interrupt.
            Some(_) => longest = (longest * 3 + start.elapsed() * 2) / 4,
        }
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        repo.rest();
        assert_mended(&repo, &said(), &format!("kill {kill}, {args:?} after {delay:?}"));
    }
    figure(&format!("{kills} kills, {hit} of them while it was at work, each mended by one ring"));
    assert!(hit * 3 > kills, "only {hit} of {kills} hit");
}

/// Makes one random change that a user might make.
fn move_on(repo: &TestRepo, random: &mut Random, index: usize) {
    let name = format!("n{}.rs", random.below(6));
    match random.below(5) {
        0 => drop(repo.try_git(&["reset", "-q", "--hard", "HEAD~1"])),
        1 => drop(repo.try_git(&["checkout", "-q", "-B", "side", "HEAD~1"])),
        2 => drop(repo.git(&["commit", "-q", "--amend", "--allow-empty", "-m", &format!("amended {index}")])),
        _ => drop(repo.commit_files(&[(&name, &text(index)), ("a.rs", &text(index + 1))], &format!("kill {index}"))),
    }
}
