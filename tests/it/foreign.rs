//! Tests beside hooks of other tools: they work as before with patina installed, and are restored byte for byte. The
//! tools themselves are not needed: the hooks have their shape, in our own words.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{PATINA, TestRepo, put, ran, until};

/// Creates a repository where hooks are enabled but none is installed.
fn ringing() -> TestRepo {
    TestRepo::new().with("PATINA", "")
}

/// Returns every entry below a folder with its mode, and the target of a link or the bytes of a file.
fn below(folder: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    let (mut all, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            let meta = fs::symlink_metadata(&path).expect("a stat");
            let bytes = match fs::read_link(&path) {
                Ok(target) => target.into_os_string().into_encoded_bytes(),
                Err(_) => fs::read(&path).unwrap_or_default(),
            };
            all.push((path.clone(), meta.permissions().mode(), bytes));
            if meta.is_dir() {
                folders.push(path);
            }
        }
    }
    all.sort();
    all
}

fn rings(repo: &TestRepo) -> u64 {
    fs::metadata(repo.state().join("wake")).map_or(0, |meta| meta.len())
}

/// Runs `ring`, and waits until the doorbell file has grown.
fn heard(repo: &TestRepo, about: &str, ring: impl FnOnce()) {
    let before = rings(repo);
    ring();
    until(&format!("a ring of {about}"), || rings(repo) > before);
}

fn hook_states(repo: &TestRepo) -> Vec<(String, String)> {
    let hooks = repo.json(&["hook", "status"])["hooks"].clone();
    let text = |hook: &Value, field: &str| hook[field].as_str().unwrap_or_default().to_string();
    hooks.as_array().expect("hooks").iter().map(|hook| (text(hook, "state"), text(hook, "note"))).collect()
}

/// Hooks that patina adds its block to: a description and the text of each.
const SHELL_HOOKS: &[(&str, &str)] = &[
    ("that ends in exit 0", "#!/bin/sh\necho mine\nexit 0\n"),
    ("that fails", "#!/bin/sh\necho mine >&2\nexit 3\n"),
    ("without a last line end", "#!/bin/sh\necho mine"),
    ("of a shebang alone", "#!/bin/sh"),
    ("without a shebang", "echo mine\n"),
    ("that is empty", ""),
    ("with carriage returns below", "#!/bin/sh\necho mine #\r\ntrue #\r\n"),
    ("that stops at the first error", "#!/bin/sh\nset -eu\necho mine\nfalse\necho not reached\n"),
    ("that begins with exec", "#!/bin/sh\nexec printf 'mine %s\\n' \"$#\"\n"),
    (
        "that reads its input",
        "#!/usr/bin/env bash\nset -euo pipefail\nwhile read -r line; do echo \"got $line\"; done\n",
    ),
    (
        "of husky 4",
        "#!/bin/sh\n# husky\n\n# created by a package manager\nhookname=$(basename \"$0\")\nparams=\"$*\"\n\
         if [ -f \"$(dirname \"$0\")/husky.sh\" ]; then\n  . \"$(dirname \"$0\")/husky.sh\"\nfi\necho \"$hookname [$params]\"\n",
    ),
    (
        "of lefthook",
        "#!/bin/sh\n\nif [ \"$LEFTHOOK\" = \"0\" ]; then\n  exit 0\nfi\n\ncall()\n{\n  if command -v no-such-runner >/dev/null 2>&1\n  then\n\
         \x20   no-such-runner run \"$@\"\n  else\n    echo \"Can't find the runner in PATH\"\n  fi\n}\n\ncall \"post-commit\" \"$@\"\n",
    ),
    (
        "of pre-commit",
        "#!/usr/bin/env bash\n# made by a framework\n# ID: 0123456789abcdef\n\n# start templated\nINSTALL_PYTHON=/no/such/python\n\
         ARGS=(hook-impl --hook-type=post-commit)\n# end templated\n\nHERE=\"$(cd \"$(dirname \"$0\")\" && pwd)\"\nARGS+=(--hook-dir \"$HERE\" -- \"$@\")\n\n\
         if [ -x \"$INSTALL_PYTHON\" ]; then\n    exec \"$INSTALL_PYTHON\" -m framework \"${ARGS[@]}\"\nelse\n    echo 'not found' 1>&2\n    exit 1\nfi\n",
    ),
];

/// Makes a commit, and returns git's exit code and output.
fn commit(repo: &TestRepo) -> (i32, String, String) {
    let ran = repo.try_git(&["commit", "-q", "--allow-empty", "-m", "again"]);
    (ran.code, ran.stdout, ran.stderr)
}

fn lives_beside(hooks: &[(&str, &str)]) {
    let repo = ringing();
    let folder = repo.path.join(".git/hooks");
    for (what, text) in hooks {
        put(&folder.join("post-commit"), text.as_bytes(), 0o750);
        let (before, said) = (below(&repo.path.join(".git/hooks")), commit(&repo));
        repo.patina(&["hook", "install"]);
        let once = below(&folder);
        assert_eq!(hook_states(&repo)[0].0, "installed", "a hook {what}");
        repo.patina(&["hook", "install"]);
        assert_eq!(below(&folder), once, "twice equals once, a hook {what}");
        heard(&repo, what, || assert_eq!(commit(&repo), said, "a hook {what}"));
        repo.patina(&["hook", "uninstall"]);
        assert_eq!(below(&folder), before, "a hook {what}");
    }
    repo.rest();
}

#[test]
fn shell_hooks_work_as_before_and_come_back_byte_for_byte() {
    lives_beside(&SHELL_HOOKS[..7]);
}

#[test]
fn hooks_of_tools_work_as_before_and_come_back_byte_for_byte() {
    lives_beside(&SHELL_HOOKS[7..]);
}

#[test]
fn the_four_hooks_of_git_lfs_stay_in_force() {
    let repo = ringing();
    let folder = repo.path.join(".git/hooks");
    for event in ["post-checkout", "post-commit", "post-merge", "pre-push"] {
        let text = format!(
            "#!/bin/sh\ncommand -v git >/dev/null 2>&1 || {{ printf >&2 '%s\\n' 'not found'; exit 2; }}\necho \"{event} $#\" >>\"$GIT_DIR_OF_TEST/seen\"\n"
        );
        put(&folder.join(event), text.as_bytes(), 0o755);
    }
    let repo = repo.with("GIT_DIR_OF_TEST", repo.root().to_str().expect("UTF-8"));
    let before = below(&folder);
    repo.patina(&["hook", "install"]);
    assert!(hook_states(&repo).iter().all(|(state, _)| state == "installed"));
    heard(&repo, "a commit", || drop(repo.commit("one")));
    heard(&repo, "a checkout", || drop(repo.git(&["checkout", "-q", "-b", "side"])));
    repo.commit("aside");
    repo.git(&["checkout", "-q", "main"]);
    heard(&repo, "a merge", || drop(repo.git(&["merge", "-q", "--no-ff", "-m", "merged", "side"])));
    let remote = repo.root().join("remote");
    repo.git(&["init", "-q", "--bare", remote.to_str().expect("UTF-8")]);
    repo.git(&["push", "-q", remote.to_str().expect("UTF-8"), "main"]);
    let seen = fs::read_to_string(repo.root().join("seen")).expect("the hooks ran");
    for line in ["post-commit 0", "post-checkout 3", "post-merge 1", "pre-push 2"] {
        assert!(seen.contains(line), "{line}: {seen}");
    }
    repo.rest();
    repo.patina(&["hook", "uninstall"]);
    assert_eq!(below(&folder), before);
}

#[test]
fn what_a_block_cannot_go_into_is_left_alone_and_rings_by_a_line_of_its_owner() {
    let repo = ringing();
    let (folder, outside) = (repo.path.join(".git/hooks"), repo.root().join("theirs"));
    put(&outside, b"#!/bin/sh\necho linked\n", 0o755);
    fs::create_dir_all(&folder).expect("a folder");
    symlink(&outside, folder.join("post-commit")).expect("a link");
    put(&folder.join("post-merge"), b"#!/usr/bin/env python3\nprint('no shell')\n", 0o755);
    put(&folder.join("post-rewrite"), b"\x7fELF\x02\x01\x01\0\0\0\0", 0o755);
    put(&folder.join("post-checkout"), b"#!/bin/sh\necho never run\n", 0o644);
    put(&folder.join("post-applypatch"), b"#!/bin/sh\r\necho from elsewhere\r\n", 0o755);
    let before = below(&folder);
    repo.patina(&["hook", "install"]);
    assert_eq!(below(&folder), before);
    let states = hook_states(&repo);
    let names: Vec<&str> = states.iter().map(|(state, _)| state.as_str()).collect();
    assert_eq!(names, ["foreign", "foreign", "foreign", "not_executable", "foreign"]);
    let line = |n: usize| {
        let note: &String = &states[n].1;
        note.split_once("this line: ").unwrap_or_else(|| panic!("{note}")).1.to_string()
    };
    put(&outside, format!("#!/bin/sh\n{}\necho linked\n", line(0)).as_bytes(), 0o755);
    let python = format!("#!/usr/bin/env python3\nimport os\nos.system(\"\"\"{}\"\"\")\n", line(1));
    put(&folder.join("post-merge"), python.as_bytes(), 0o755);
    heard(&repo, "a link", || assert!(commit(&repo).2.contains("linked")));
    repo.silent().with("PATINA", "0").git(&["checkout", "-q", "-b", "side"]);
    repo.with("PATINA", "0").commit("aside");
    repo.with("PATINA", "0").git(&["checkout", "-q", "main"]);
    heard(&repo, "a python hook", || drop(repo.git(&["merge", "-q", "--no-ff", "-m", "merged", "side"])));
    let states = hook_states(&repo);
    assert_eq!((states[0].0.as_str(), states[1].0.as_str()), ("installed", "installed"), "{states:?}");
    repo.rest();
    let before = below(&folder);
    repo.patina(&["hook", "uninstall"]);
    assert_eq!(below(&folder), before, "what a person wrote is theirs to take out");
}

/// Creates the folder that husky 9 makes, and sets `core.hooksPath` to it.
fn husky(repo: &TestRepo) {
    let folder = repo.path.join(".husky/_");
    put(&folder.join(".gitignore"), b"*", 0o644);
    let runner = b"#!/usr/bin/env sh\nn=$(basename \"$0\")\ns=$(dirname \"$(dirname \"$0\")\")/$n\n[ ! -f \"$s\" ] && exit 0\nsh -e \"$s\" \"$@\"\nc=$?\nexit $c\n";
    put(&folder.join("h"), runner, 0o644);
    for event in ["pre-commit", "post-commit", "post-merge", "post-rewrite", "post-checkout", "post-applypatch"] {
        put(&folder.join(event), b"#!/usr/bin/env sh\n. \"$(dirname \"$0\")/h\"", 0o755);
    }
}

#[test]
fn husky_and_patina_live_in_one_folder_and_either_comes_back_after_the_other() {
    let repo = ringing();
    husky(&repo);
    repo.write(".husky/post-commit", "echo from the project\nexit 1\n");
    repo.git(&["config", "core.hooksPath", ".husky/_"]);
    let said = commit(&repo);
    assert!(said.2.contains("from the project"), "{said:?}");
    let folder = repo.path.join(".husky");
    let before = below(&folder);
    repo.patina(&["hook", "install"]);
    heard(&repo, "husky", || assert_eq!(commit(&repo), said));
    husky(&repo);
    assert_eq!(below(&folder), before, "its own installation takes its files back");
    assert_eq!(hook_states(&repo)[0].0, "absent", "and that is seen");
    let inside = repo.at(repo.path.join(".husky"));
    inside.patina(&["hook", "install"]);
    heard(&repo, "husky after its own installation", || assert_eq!(commit(&repo), said));
    repo.rest();
    inside.patina(&["hook", "uninstall"]);
    assert_eq!(below(&folder), before);
}

#[test]
fn a_block_that_another_tool_has_put_aside_with_its_hook_goes_too() {
    for (kept, chained) in [("post-commit.old", false), ("post-commit.legacy", true)] {
        for own in [Some(&b"#!/bin/sh\necho mine\n"[..]), None] {
            let repo = ringing();
            let folder = repo.path.join(".git/hooks");
            if let Some(text) = own {
                put(&folder.join("post-commit"), text, 0o755);
            }
            repo.patina(&["hook", "install"]);
            fs::rename(folder.join("post-commit"), folder.join(kept)).expect("the other tool");
            let chain = if chained { format!("\"$(dirname \"$0\")/{kept}\"\n") } else { String::new() };
            let theirs = format!("#!/bin/sh\n# theirs\n{chain}");
            put(&folder.join("post-commit"), theirs.as_bytes(), 0o755);
            if chained {
                heard(&repo, "the hook that is run on", || drop(commit(&repo)));
            }
            repo.patina(&["hook", "install"]);
            heard(&repo, "both", || drop(commit(&repo)));
            repo.rest();
            repo.patina(&["hook", "uninstall"]);
            assert_eq!(fs::read(folder.join("post-commit")).expect("theirs"), theirs.as_bytes());
            assert_eq!(fs::read(folder.join(kept)).ok().as_deref(), own, "{kept}");
            let before = rings(&repo);
            commit(&repo);
            repo.rest();
            assert_eq!(rings(&repo), before, "nothing rings any more");
        }
    }
}

#[test]
fn a_folder_of_hooks_that_is_not_this_repositorys_is_not_written_to() {
    let repo = ringing();
    let global = repo.root().join("home/.gitconfig");
    let folder = repo.root().join("home/hooks");
    put(&folder.join("post-commit"), b"#!/bin/sh\necho everywhere\n", 0o755);
    put(&global, format!("[core]\n\thooksPath = {}\n", folder.display()).as_bytes(), 0o644);
    let repo = repo.with("GIT_CONFIG_GLOBAL", global.to_str().expect("UTF-8"));
    let before = below(&folder);
    let said = repo.patina(&["hook", "install"]);
    assert!(said.stdout.contains("belongs to another tool"), "{}", said.stdout);
    assert_eq!(below(&folder), before);
    assert!(hook_states(&repo).iter().all(|(state, _)| state == "foreign"));
    let note = hook_states(&repo)[0].1.clone();
    let line = note.split_once("post-commit hook: ").unwrap_or_else(|| panic!("{note}")).1;
    put(&folder.join("post-commit"), format!("#!/bin/sh\n{line}\necho everywhere\n").as_bytes(), 0o755);
    heard(&repo, "a line by hand", || assert!(commit(&repo).2.contains("everywhere")));
    repo.rest();
    // Hooks in a folder that git tracks belong to the project and are not changed.
    let repo = ringing();
    repo.write(".githooks/post-commit", "#!/bin/sh\n");
    repo.git(&["config", "core.hooksPath", ".githooks"]);
    repo.commit("hooks for everybody");
    let before = below(&repo.path.join(".githooks"));
    repo.patina(&["hook", "install"]);
    assert!(hook_states(&repo).iter().all(|(state, _)| state == "foreign"));
    assert_eq!(below(&repo.path.join(".githooks")), before);
}

#[test]
fn hooks_ring_from_linked_worktrees_submodules_and_relative_folders() {
    let repo = ringing();
    let folder = repo.path.join(".git/hooks");
    put(&folder.join("post-commit"), b"#!/bin/sh\necho mine", 0o711);
    repo.with("PATINA", "0").commit("one");
    let before = below(&folder);
    let path = repo.root().join("linked");
    repo.with("PATINA", "0").git(&["worktree", "add", "-q", "-b", "side", path.to_str().expect("UTF-8")]);
    let linked = repo.at(&path);
    linked.patina(&["hook", "install"]);
    heard(&repo, "a linked worktree", || drop(linked.commit("from there")));
    heard(&repo, "the main one", || drop(repo.commit("from here")));
    repo.rest();
    linked.patina(&["hook", "uninstall"]);
    assert_eq!(below(&folder), before);

    let outer = ringing();
    outer.git(&["submodule", "add", "-q", repo.path.to_str().expect("UTF-8"), "sub"]);
    let sub = outer.at(outer.path.join("sub"));
    let folder = outer.path.join(".git/modules/sub/hooks");
    let before = below(&folder);
    sub.patina(&["hook", "install"]);
    heard(&sub, "a submodule", || drop(sub.commit("inside")));
    outer.rest();
    assert!(!outer.path.join(".git/patina").exists(), "the outer repository was not meant");
    sub.patina(&["hook", "uninstall"]);
    assert_eq!(below(&folder), before);

    let repo = ringing();
    repo.git(&["config", "core.hooksPath", "tools/hooks"]);
    let deep = repo.path.join("deep/down");
    fs::create_dir_all(&deep).expect("a folder");
    repo.at(&deep).patina(&["hook", "install"]);
    heard(&repo, "a relative folder", || drop(repo.at(&deep).commit("from below")));
    repo.rest();
    repo.patina(&["hook", "uninstall"]);
    assert!(!repo.path.join("tools").exists());
}

#[test]
fn hooks_of_a_bare_repository_ring_when_they_are_run() {
    let repo = TestRepo::folder().with("PATINA", "");
    repo.git(&["init", "-q", "--bare", "."]);
    let before = (below(&repo.path.join("hooks")), fs::read(repo.path.join("config")).expect("the config"));
    repo.patina(&["hook", "install"]);
    heard(&repo, "a bare repository", || drop(repo.git(&["hook", "run", "post-merge"])));
    repo.rest();
    assert!(repo.patina(&["doctor"]).stdout.contains("5 hooks ran and reached patina"));
    repo.patina(&["hook", "uninstall"]);
    assert_eq!((below(&repo.path.join("hooks")), fs::read(repo.path.join("config")).expect("the config")), before);
}

#[test]
fn what_was_edited_around_the_block_stays_when_it_goes() {
    let repo = ringing();
    let hook = repo.path.join(".git/hooks/post-commit");
    put(&hook, b"#!/bin/sh\necho one\n", 0o755);
    repo.patina(&["hook", "install"]);
    let text = fs::read_to_string(&hook).expect("UTF-8");
    let edited = text.replace("echo one\n", "echo two\n").replace("#!/bin/sh\n", "#!/bin/sh\n# above\n");
    put(&hook, format!("{edited}echo three\n").as_bytes(), 0o700);
    assert_eq!(hook_states(&repo)[0].0, "installed");
    heard(&repo, "an edited hook", || assert!(commit(&repo).2.contains("three")));
    repo.rest();
    // An editor may have converted the line ends to CRLF.
    let text = fs::read_to_string(&hook).expect("UTF-8");
    repo.patina(&["hook", "uninstall"]);
    assert_eq!(fs::read_to_string(&hook).expect("UTF-8"), "#!/bin/sh\n# above\necho two\necho three\n");
    assert_eq!(fs::metadata(&hook).expect("a stat").permissions().mode() & 0o7777, 0o700);
    put(&hook, text.replace('\n', "\r\n").as_bytes(), 0o700);
    repo.patina(&["hook", "uninstall"]);
    assert_eq!(fs::read_to_string(&hook).expect("UTF-8"), "#!/bin/sh\r\n# above\r\necho two\r\necho three\r\n");
}

/// Sets environment variables of git to values that point to another repository.
fn poisoned(repo: &TestRepo, other: &TestRepo) -> TestRepo {
    let away = other.path.join(".git");
    let path = |below: &str| away.join(below).display().to_string();
    let mut repo = repo.with("PATINA", "");
    for (name, value) in [
        ("GIT_INDEX_FILE", path("index")),
        ("GIT_WORK_TREE", other.path.display().to_string()),
        ("GIT_OBJECT_DIRECTORY", path("objects")),
        ("GIT_ALTERNATE_OBJECT_DIRECTORIES", path("objects")),
        ("GIT_COMMON_DIR", away.display().to_string()),
        ("GIT_NAMESPACE", "elsewhere".to_string()),
        ("GIT_CEILING_DIRECTORIES", repo.path.display().to_string()),
        ("GIT_PREFIX", "no/such/folder/".to_string()),
        ("GIT_SHALLOW_FILE", path("shallow")),
        ("GIT_GRAFT_FILE", path("grafts")),
        ("GIT_REPLACE_REF_BASE", "refs/heads/".to_string()),
        ("GIT_CONFIG", path("config")),
        ("GIT_CONFIG_PARAMETERS", "'core.bare'='true' 'core.worktree'='/' 'core.hooksPath'='/'".to_string()),
        ("GIT_DEFAULT_HASH", "sha256".to_string()),
        ("GIT_QUARANTINE_PATH", path("objects")),
        ("GIT_INTERNAL_SUPER_PREFIX", "x/".to_string()),
        ("GIT_DISCOVERY_ACROSS_FILESYSTEM", "nonsense".to_string()),
    ] {
        repo = repo.with(name, &value);
    }
    repo
}

#[test]
fn a_ring_among_poisoned_variables_takes_in_this_repository_and_touches_no_index() {
    let (repo, other) = (TestRepo::new(), TestRepo::new());
    for repo in [&repo, &other] {
        repo.commit_files(&[("a.rs", "fn here() {}\n")], "one");
        repo.write("staged.rs", "fn staged() {}\n");
        repo.git(&["add", "staged.rs"]);
    }
    let index = |repo: &TestRepo| {
        let path = repo.path.join(".git/index");
        let times = fs::metadata(&path).expect("the index");
        (fs::read(&path).expect("the index"), times.modified().expect("a time"), below(&repo.path.join(".git/refs")))
    };
    let before = (index(&repo), index(&other));
    let poisoned = poisoned(&repo, &other);
    let is_taken_in =
        || repo.try_patina(&["--json", "status"]).stdout.contains(&format!("\"indexed_commit\": \"{}\"", repo.head()));
    assert_eq!(ran(poisoned.command(PATINA).args(["hook", "ring", "post-commit"])).code, 0);
    until("the ring", is_taken_in);
    repo.rest();
    assert_eq!((index(&repo), index(&other)), before);
    repo.git(&["commit", "-q", "-m", "two", "--only", "--allow-empty"]);
    let before = (index(&repo), index(&other));
    assert_eq!(ran(poisoned.command(PATINA).arg("worker").arg(repo.path.join(".git"))).code, 0);
    assert!(is_taken_in());
    for args in
        [&["status"][..], &["query", "here"], &["who", "a.rs"], &["doctor"], &["doctor", "--verify"], &["reindex"]]
    {
        poisoned.with("PATINA", "0").patina(args);
    }
    assert_eq!((index(&repo), index(&other)), before);
    assert!(!other.path.join(".git/patina").exists());
    // If the user points git at another repository explicitly, that repository is meant.
    let told = repo.with("GIT_DIR", other.path.join(".git").to_str().expect("UTF-8"));
    told.patina(&["reindex"]);
    assert!(other.path.join(".git/patina").exists());
}

#[test]
fn a_commit_with_an_index_of_its_own_rings_for_its_repository() {
    let repo = ringing();
    repo.patina(&["hook", "install"]);
    repo.with("PATINA", "0").commit_files(&[("a.rs", "fn here() {}\n")], "one");
    let index = repo.path.join(".git/index");
    let before =
        (fs::read(&index).expect("the index"), fs::metadata(&index).expect("a stat").modified().expect("a time"));
    let own = repo.root().join("own-index");
    let git = repo
        .with("GIT_INDEX_FILE", own.to_str().expect("UTF-8"))
        .with("GIT_DIR", repo.path.join(".git").to_str().expect("UTF-8"))
        .with("GIT_WORK_TREE", repo.path.to_str().expect("UTF-8"));
    git.git(&["read-tree", "HEAD"]);
    put(&repo.path.join("b.rs"), b"fn apart() {}\n", 0o644);
    git.git(&["add", "b.rs"]);
    let at = git.at(repo.root());
    at.git(&["commit", "-q", "-m", "two"]);
    let head = repo.head();
    until("the ring", || {
        repo.try_patina(&["--json", "status"]).stdout.contains(&format!("\"indexed_commit\": \"{head}\""))
    });
    repo.rest();
    assert_eq!(
        (fs::read(&index).expect("the index"), fs::metadata(&index).expect("a stat").modified().expect("a time")),
        before
    );
}

fn doctor(repo: &TestRepo, name: &str) -> (String, String) {
    let checks = repo.json(&["doctor"])["checks"].clone();
    let check = checks.as_array().expect("checks").iter().find(|check| check["name"] == name).cloned();
    let check = check.unwrap_or_else(|| panic!("no check {name}: {checks}"));
    let text = |field: &str| check[field].as_str().unwrap_or_default().to_string();
    (text("state"), text("detail"))
}

#[test]
fn the_doctor_runs_the_hooks_and_nothing_else_in_them() {
    let repo = ringing();
    let mark = repo.root().join("mark");
    put(
        &repo.path.join(".git/hooks/post-commit"),
        format!("#!/bin/sh\ntouch '{}'\n", mark.display()).as_bytes(),
        0o755,
    );
    put(&repo.path.join(".git/hooks/post-merge"), format!("touch '{}'\n", mark.display()).as_bytes(), 0o755);
    assert_eq!(doctor(&repo, "reachability").1, "no hook of patina is installed to try");
    repo.patina(&["hook", "install"]);
    assert_eq!(doctor(&repo, "reachability"), ("ok".to_string(), "5 hooks ran and reached patina".to_string()));
    assert_eq!(doctor(&repo.silent(), "reachability").0, "ok", "PATINA=0 is this process's alone");
    assert!(!mark.exists(), "what follows the block is not run");
    assert_eq!(rings(&repo), 0, "to try is not to ring");
    let left: Vec<_> =
        fs::read_dir(repo.state()).expect("the folder").flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("probe")), "{left:?}");
    repo.patina(&["hook", "disable"]);
    assert_eq!(doctor(&repo, "reachability").0, "ok");
    assert!(doctor(&repo, "hooks").1.contains("post-commit is disabled"));
}

#[test]
fn the_doctor_finds_out_why_a_hook_does_not_ring() {
    let repo = ringing();
    let hook = repo.path.join(".git/hooks/post-commit");
    repo.patina(&["hook", "install"]);
    let whole = fs::read_to_string(&hook).expect("UTF-8");

    put(&hook, whole.replacen('\n', "\nexit 0\n", 1).as_bytes(), 0o755);
    let (state, detail) = doctor(&repo, "reachability");
    assert!(state == "warning" && detail.starts_with("post-commit does not reach patina"), "{detail}");
    assert!(!detail.contains("post-merge"), "{detail}");

    put(&hook, whole.as_bytes(), 0o644);
    let (state, detail) = doctor(&repo, "hooks");
    assert!(state == "warning" && detail == "post-commit is not_executable", "{detail}");
    assert_eq!(doctor(&repo, "reachability").1, "4 hooks ran and reached patina");
    put(&hook, whole.as_bytes(), 0o755);

    let elsewhere = repo.root().join("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    repo.git(&["config", "core.hooksPath", elsewhere.to_str().expect("UTF-8")]);
    let (state, detail) = doctor(&repo, "hooks");
    assert!(state == "warning" && detail.contains("post-commit is absent"), "{detail}");
    repo.git(&["config", "--unset", "core.hooksPath"]);

    let global = repo.root().join("settings");
    put(&global, format!("[core]\n\thooksPath = {}\n", elsewhere.display()).as_bytes(), 0o644);
    let (state, detail) = doctor(&repo.with("GIT_CONFIG_GLOBAL", global.to_str().expect("UTF-8")), "reachability");
    assert!(state == "warning" && detail.contains("git looks in") && detail.contains("elsewhere"), "{detail}");
}

#[test]
fn the_doctor_finds_out_where_a_program_has_gone() {
    let repo = ringing();
    let program = repo.own_program();
    assert_eq!(ran(repo.command(&program).args(["hook", "install"])).code, 0);
    let moved = repo.root().join("moved/patina");
    fs::create_dir(repo.root().join("moved")).expect("a folder");
    fs::rename(&program, &moved).expect("it moves");
    let path = repo.command("sh").args(["-c", "echo $PATH"]).output().expect("a shell").stdout;
    let path = format!("{}:{}", moved.parent().expect("a folder").display(), String::from_utf8_lossy(&path).trim());
    let (state, detail) = doctor(&repo.with("PATH", &path), "reachability");
    assert!(state == "warning" && detail.contains("only on your PATH"), "{detail}");
    let (state, detail) = doctor(&repo, "reachability");
    assert!(state == "warning" && detail.contains("post-commit does not reach patina"), "{detail}");
    repo.commit("nobody answers");
    until("a crumb", || repo.state().join("crumbs").exists());
    repo.patina(&["hook", "install"]);
    assert_eq!(doctor(&repo, "reachability").0, "ok", "what was lost before is told no more");
}
