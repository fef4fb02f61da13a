//! Tests of where hooks are installed: worktrees, `core.hooksPath`, git's configuration.

use super::*;

#[test]
fn an_older_block_is_renewed_in_its_place() {
    let mut repo = Repo::new();
    let hook = repo.write_hook("post-commit", "#!/bin/sh\necho a\n");
    repo.install();
    let moved = repo.root.join("elsewhere").join("patina");
    repo.site.program = moved;
    repo.patina("");
    assert_eq!(states(&status(&repo.site).expect("succeeds")), [HookState::Outdated; 5]);
    assert_eq!(states(&repo.install()), [HookState::Installed; 5]);
    uninstall(&repo.site).expect("succeeds");
    assert_eq!(fs::read_to_string(&hook).expect("readable"), "#!/bin/sh\necho a\n");
    assert_eq!(snapshot(&repo.site.hooks_dir).len(), 1, "the notes survive a renewal");
}

#[test]
fn a_linked_worktree_rings_through_the_common_hooks() {
    let repo = Repo::new();
    repo.commit();
    repo.install();
    repo.git(&["worktree", "add", "-q", "../linked", "-b", "linked"]);
    let mut command = repo.command("git");
    command.current_dir(repo.root.join("linked"));
    command.args(["commit", "-q", "--allow-empty", "-m", "x"]);
    assert!(command.output().expect("runs").status.success());
    let calls = repo.calls(2);
    assert!(calls.contains(&"hook ring post-commit".to_owned()), "{calls:?}");
}

#[test]
fn folders_of_core_hooks_path_are_made_and_removed_from_wherever_they_were() {
    let mut repo = Repo::new();
    repo.git(&["config", "core.hooksPath", ".local/git hooks"]);
    repo.site.hooks_dir = repo.work.join(".local/git hooks");
    repo.install();
    repo.commit();
    assert_eq!(repo.calls(1), ["hook ring post-commit"]);
    disable(&repo.site).expect("succeeds");
    repo.commit();
    enable(&repo.site).expect("succeeds");
    repo.git(&["config", "--unset", "core.hooksPath"]);
    repo.site.hooks_dir = repo.site.common_dir.join("hooks");
    uninstall(&repo.site).expect("succeeds");
    assert!(!repo.work.join(".local").exists());
    assert_eq!(repo.calls(1).len(), 1);
}

#[test]
fn another_tools_folder_is_not_written_to() {
    let mut repo = Repo::new();
    repo.site.hooks_dir = repo.work.join(".husky");
    repo.site.hooks_path_setting = Some(".husky".to_owned());
    repo.site.hooks_path_is_ours_to_write = false;
    put(&repo.hook("post-commit"), "#!/bin/sh\n", 0o755);
    let before = snapshot(&repo.site.hooks_dir);
    let hooks = repo.install();
    assert_eq!(states(&hooks), [HookState::Foreign; 5]);
    assert!(hooks[0].note.as_deref().expect("works").contains("hook ring post-commit"));
    assert_eq!(snapshot(&repo.site.hooks_dir), before);
    assert!(install(&repo.site, Method::Config).is_err(), "git 2.47 has no config hooks");
}

#[test]
fn newer_git_rings_from_its_configuration() {
    for end in ["", "\n"] {
        let mut repo = Repo::new();
        repo.site.git_version = (2, 54, 0);
        repo.site.hooks_dir = repo.work.join(".husky");
        repo.site.hooks_path_is_ours_to_write = false;
        repo.git(&["config", "core.hooksPath", ".husky"]);
        let config = repo.site.common_dir.join("config");
        let before = fs::read_to_string(&config).expect("readable").trim_end().to_owned() + end;
        fs::write(&config, &before).expect("works");
        assert_eq!(states(&repo.install()), [HookState::Installed; 5]);
        let once = fs::read(&config).expect("readable");
        assert_eq!(states(&repo.install()), [HookState::Installed; 5]);
        assert_eq!(fs::read(&config).expect("readable"), once, "twice equals once");
        for (n, event) in EVENTS.into_iter().enumerate() {
            // As git runs it: by a shell, with the arguments appended.
            let key = format!("hook.patina-{event}.command");
            let command = String::from_utf8(repo.git(&["config", &key]).stdout).expect("works");
            let command = command.trim_end();
            let mut shell = repo.command("sh");
            shell.args(["-c", &format!("{command} \"$@\""), command, "one", "two words"]).stdin(Stdio::null());
            let output = shell.output().expect("runs");
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
            assert_eq!(repo.calls(n + 1)[n], format!("hook ring {event}"));
        }
        assert!(probe(&repo.site, &repo.work).expect("succeeds").iter().all(|one| one.failure.is_some()));
        let answers = r#"[ -z "${PATINA_PROBE-}" ] || echo "$3" >>"../work/.git/patina/probe-$PATINA_PROBE""#;
        repo.patina(answers);
        let tried = probe(&repo.site, &repo.work).expect("succeeds");
        assert!(tried.len() == 5 && tried.iter().all(|one| one.failure.is_none()), "{tried:?}");
        repo.patina("");
        repo.git(&["config", "hook.patina-post-merge.enabled", "false"]);
        assert_eq!(probe(&repo.site, &repo.work).expect("succeeds").len(), 4, "what is switched off is not run");
        repo.git(&["config", "--unset", "hook.patina-post-merge.enabled"]);
        fs::remove_file(repo.root.join("bin").join("calls")).expect("there were calls");
        repo.commit();
        let version = String::from_utf8(repo.git(&["version"]).stdout).expect("works");
        let runs_them = version.split('.').nth(1).and_then(|minor| minor.parse().ok()) >= Some(54);
        assert_eq!(repo.calls(usize::from(runs_them)).len(), usize::from(runs_them));
        disable(&repo.site).expect("succeeds");
        repo.commit();
        assert_eq!(states(&uninstall(&repo.site).expect("succeeds")), [HookState::Absent; 5]);
        assert_eq!(fs::read_to_string(&config).expect("readable"), before);
    }
}

#[test]
fn a_foreign_hook_gets_company_from_the_configuration() {
    let mut repo = Repo::new();
    repo.site.git_version = (2, 54, 0);
    repo.write_hook("post-merge", "#!/usr/bin/perl\n");
    let config = fs::read(repo.site.common_dir.join("config")).expect("readable");
    let hooks = repo.install();
    assert_eq!(states(&hooks), [HookState::Installed; 5]);
    assert_eq!(hooks[0].path, repo.hook("post-commit"));
    assert_eq!(hooks[1].path, repo.site.common_dir.join("config"));
    repo.site.git_version = (2, 47, 0);
    assert_eq!(status(&repo.site).expect("succeeds")[1].state, HookState::Unsupported);
    assert_eq!(repo.install()[1].state, HookState::Foreign);
    assert_eq!(fs::read(repo.site.common_dir.join("config")).expect("readable"), config);
}
