//! Tests of what a hook does when it runs, and of what it leaves of other tools' hooks.

use super::*;

#[test]
fn hooks_come_ring_and_go_without_a_trace() {
    let repo = Repo::new();
    assert_eq!(states(&status(&repo.site).expect("succeeds")), [HookState::Absent; 5]);
    assert_eq!(states(&repo.install()), [HookState::Installed; 5]);
    let first = snapshot(&repo.site.hooks_dir);
    assert_eq!(first.len(), 5);
    assert!(first.iter().all(|(_, mode, _)| mode & 0o777 == 0o755));
    repo.install();
    assert_eq!(snapshot(&repo.site.hooks_dir), first, "twice equals once");
    repo.commit();
    assert_eq!(repo.calls(1), ["hook ring post-commit"]);
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.calls(2);
    repo.commit();
    repo.calls(3);
    repo.git(&["checkout", "-q", "main"]);
    repo.calls(4);
    repo.git(&["merge", "-q", "--no-ff", "-m", "m", "side"]);
    let mut calls = repo.calls(5);
    calls.sort();
    calls.dedup();
    assert_eq!(calls, ["hook ring post-checkout", "hook ring post-commit", "hook ring post-merge"]);
    assert_eq!(states(&uninstall(&repo.site).expect("succeeds")), [HookState::Absent; 5]);
    assert!(!repo.site.hooks_dir.exists(), "the folder was made by install");
    assert!(snapshot(&repo.site.state_dir).is_empty());
}

#[test]
fn a_users_hook_behaves_as_before_and_comes_back_byte_for_byte() {
    let scripts = [
        "#!/bin/sh\necho out; echo err >&2; exit 0\n",
        "#!/bin/sh\nset -eu\ntrue",
        "#!/usr/bin/env bash\nset -euo pipefail\n[ $? = 0 ]; [ $# = 0 ]; echo \"$PWD\" >seen\n",
        "#!/bin/sh\necho err >&2\nexit 3\n",
        "#!/bin/sh",
        "echo no shebang\n",
        "#!/bin/sh\necho crlf #\r\n",
        "#!/bin/sh\nwait\necho \"[${!-}]\" >seen\n",
        "",
    ];
    for text in scripts {
        let repo = Repo::new();
        repo.patina("sleep 3");
        let hook = repo.write_hook("post-commit", text);
        let before = repo.commit();
        let seen = fs::read(repo.work.join("seen")).ok();
        assert_eq!(states(&repo.install()), [HookState::Installed; 5], "{text:?}");
        let start = Instant::now();
        let after = repo.commit();
        assert!(start.elapsed() < Duration::from_secs(2), "{text:?} waited");
        assert_eq!((before.status, &before.stdout, &before.stderr), (after.status, &after.stdout, &after.stderr));
        assert_eq!(seen, fs::read(repo.work.join("seen")).ok());
        assert_eq!(repo.calls(1), ["hook ring post-commit"], "{text:?}");
        uninstall(&repo.site).expect("succeeds");
        assert_eq!(fs::read(&hook).expect("readable"), text.as_bytes());
        assert_eq!(fs::metadata(&hook).expect("a stat").permissions().mode() & 0o7777, 0o750);
        assert_eq!(snapshot(&repo.site.hooks_dir).len(), 1);
    }
}

#[test]
fn what_the_user_changes_later_stays() {
    let repo = Repo::new();
    let hook = repo.write_hook("post-commit", "#!/bin/sh\necho one\n");
    repo.install();
    let text = fs::read_to_string(&hook).expect("readable").replace("echo one", "echo two") + "echo three\n";
    fs::write(&hook, text).expect("works");
    let grown = repo.hook("post-merge");
    fs::write(&grown, fs::read_to_string(&grown).expect("readable") + "make tags\n").expect("works");
    uninstall(&repo.site).expect("succeeds");
    assert_eq!(fs::read_to_string(&hook).expect("readable"), "#!/bin/sh\necho two\necho three\n");
    assert_eq!(fs::read_to_string(&grown).expect("readable"), "#!/bin/sh\nmake tags\n");
}

#[test]
fn post_rewrite_still_reads_all_of_its_input() {
    let repo = Repo::new();
    repo.write_hook("post-rewrite", "#!/bin/sh\ncat >got\n");
    repo.install();
    repo.commit();
    repo.git(&["commit", "-q", "--allow-empty", "--amend", "-m", "y"]);
    let got = fs::read_to_string(repo.work.join("got")).expect("readable");
    assert_eq!(got.trim_end().split(' ').count(), 2, "{got:?}");
    assert_eq!(got.lines().count(), 1);
    assert!(repo.calls(3).contains(&"hook ring post-rewrite".to_owned()));
}

#[test]
fn a_crashing_or_missing_patina_changes_nothing() {
    let repo = Repo::new();
    repo.install();
    repo.patina("kill -SEGV $$");
    let output = repo.commit();
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    repo.calls(1);
    fs::remove_file(&repo.site.program).expect("works");
    let output = repo.commit();
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    let crumbs = repo.site.state_dir.join("crumbs");
    let start = Instant::now();
    while fs::metadata(&crumbs).map_or(0, |meta| meta.len()) == 0 && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(fs::read_to_string(&crumbs).expect("readable").starts_with("post-commit 20"));
}

#[test]
fn a_program_that_moved_is_found_on_the_path() {
    let repo = Repo::new();
    repo.install();
    let moved = repo.root.join("bin").join("moved");
    fs::create_dir(&moved).expect("works");
    fs::rename(&repo.site.program, moved.join("patina")).expect("works");
    let path = format!("{}:{}", moved.display(), std::env::var("PATH").expect("works"));
    let mut command = repo.command("git");
    command.env("PATH", path).args(["commit", "-q", "--allow-empty", "-m", "x"]);
    assert!(command.output().expect("runs").status.success());
    let start = Instant::now();
    while !moved.join("calls").exists() && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(moved.join("calls").exists());
}

#[test]
fn nothing_rings_while_switched_off() {
    let repo = Repo::new();
    repo.install();
    assert_eq!(states(&disable(&repo.site).expect("succeeds")), [HookState::Disabled; 5]);
    repo.commit();
    let mut command = repo.command("git");
    command.env("PATINA", "0").args(["commit", "-q", "--allow-empty", "-m", "x"]);
    enable(&repo.site).expect("succeeds");
    assert!(command.output().expect("runs").status.success());
    repo.git(&["checkout", "-q", "-b", "side"]);
    assert_eq!(repo.calls(1), ["hook ring post-checkout"]);
}

#[test]
fn what_is_not_a_shell_script_is_left_alone() {
    let repo = Repo::new();
    repo.write_hook("post-commit", "#!/usr/bin/env python3\nprint()\n");
    repo.write_hook("post-merge", "#!/bin/sh\r\necho\r\n");
    let outside = repo.root.join("theirs");
    put(&outside, "#!/bin/sh\n", 0o755);
    std::os::unix::fs::symlink(&outside, repo.hook("post-rewrite")).expect("works");
    put(&repo.hook("post-checkout"), "#!/bin/sh\n", 0o644);
    put(&repo.hook("post-applypatch"), "#!/bin/sh\n# >>> patina >>>\nexit 0\n", 0o755);
    let before = snapshot(&repo.site.hooks_dir);
    let hooks = repo.install();
    let expected =
        [HookState::Foreign, HookState::Foreign, HookState::Foreign, HookState::NotExecutable, HookState::Damaged];
    assert_eq!(states(&hooks), expected);
    assert!(hooks.iter().all(|hook| hook.note.is_some()));
    uninstall(&repo.site).expect("succeeds");
    assert_eq!(snapshot(&repo.site.hooks_dir), before);
    assert!(fs::symlink_metadata(repo.hook("post-rewrite")).expect("works").is_symlink());
    // The line that the note names does ring.
    let line = script::line_by_hand(&block_for_files(&repo.site), "post-checkout");
    put(&repo.hook("post-checkout"), &format!("#!/bin/sh\nset -eu\n{line}\n"), 0o755);
    repo.commit();
    repo.git(&["checkout", "-q", "-b", "side"]);
    assert_eq!(repo.calls(1), ["hook ring post-checkout"]);
    assert_eq!(status(&repo.site).expect("succeeds")[3].state, HookState::Installed);
}

#[test]
fn every_shell_that_may_be_added_to_runs_the_block() {
    for shell in ["sh", "bash", "dash", "zsh", "ksh"] {
        if Command::new(shell).arg("-c").arg(":").output().is_err() {
            continue; // Not on this machine.
        }
        let repo = Repo::new();
        repo.patina("sleep 3");
        repo.write_hook("post-commit", &format!("#!/usr/bin/env -S {shell} -eu\nread -r line\necho \"$line $#\"\n"));
        repo.install();
        let mut command = repo.command("sh");
        command.args(["-c", "printf 'a\\nb\\n' | { \"$0\" x y; cat; }"]).arg(repo.hook("post-commit"));
        let start = Instant::now();
        let output = command.output().expect("runs");
        assert!(start.elapsed() < Duration::from_secs(2), "{shell} waited");
        assert!(output.stderr.is_empty(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("a 2\n"), "{shell}: {output:?}");
        assert_eq!(repo.calls(1), ["hook ring post-commit"], "{shell}");
    }
}
