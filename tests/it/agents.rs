//! Tests of hooks in agents' settings files: installing and removing them leaves every other byte unchanged. The home
//! folder of the user who runs the tests is never touched.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{PATINA, TestRepo, put, ran};

/// Returns realistic settings files, including forms that a careless parser would fail on.
fn shapes() -> Vec<(&'static str, Option<String>)> {
    let other = "{ \"type\": \"command\", \"command\": \"say 'done'\" }";
    let huge: Vec<String> = (0..20_000).map(|index| format!("    \"Bash(tool-{index}:*)\"")).collect();
    let shapes: Vec<(&str, String)> = vec![
        ("an empty file", String::new()),
        ("an empty object", "{}".into()),
        ("an object on two lines", "{\n}\n".into()),
        ("blanks and a comment", "\n// nothing yet\n".into()),
        ("one line", "{\"model\":\"x\",\"env\":{\"A\":\"1\"}}".into()),
        ("comments and trailing commas", "// mine\n{\n  \"model\": \"x\", // fast\n  /* \"hooks\": {} */\n  \"env\": { \"A\": \"1\", },\n}\n".into()),
        ("hooks of others", format!("{{\n  \"hooks\": {{\n    \"Stop\": [\n      {{\n        \"hooks\": [{other}]\n      }}\n    ],\n    \"SessionEnd\": []\n  }}\n}}\n")),
        ("groups with matchers", format!("{{\n    \"hooks\": {{\n        \"PreToolUse\": [{{\"matcher\": \"Edit|Write\", \"hooks\": [{other}, {other}]}}],\n        \"SessionEnd\": [\n            {{\"matcher\": \"clear\", \"hooks\": [{other}]}}, // keep\n        ],\n    }}\n}}\n")),
        ("tabs", "{\n\t\"model\": \"x\",\n\t\"env\": {\n\t\t\"A\": \"1\"\n\t}\n}\n".into()),
        ("line ends of Windows", "{\r\n  \"model\": \"x\",\r\n  \"hooks\": {\r\n  }\r\n}\r\n".into()),
        ("a byte order mark", "\u{feff}{\n  \"model\": \"x\"\n}\n".into()),
        ("no line end at the end", "{\n  \"model\": \"x\"\n}".into()),
        ("letters of everywhere", "{\n  \"größe\": \"😀 \\u00e9 \\\"\\\\\",\n  \"hooks\": {\"Stop\": [{\"hooks\": [{\"command\": \"echo 日本語\"}]}]}\n}\n".into()),
        ("a huge file", format!("{{\n  \"allow\": [\n{}\n  ]\n}}\n", huge.join(",\n"))),
    ];
    let shapes = shapes.into_iter().map(|(name, text)| (name, Some(text)));
    [("no file", None)].into_iter().chain(shapes).collect()
}

/// Returns the paths of an agent's settings files, the user's and the worktree's, each with the events hooked there.
fn paths(repo: &TestRepo, agent: &str) -> [(PathBuf, &'static [&'static str]); 2] {
    let (user, local) = match agent {
        "claude" => (".claude/settings.json", ".claude/settings.local.json"),
        _ => (".codex/hooks.json", ".codex/hooks.json"),
    };
    [(repo.root().join("home").join(user), &[]), (repo.path.join(local), &["--local"])]
}

fn install(repo: &TestRepo, agent: &str, more: &[&str]) -> Value {
    repo.json(&[&["hook", "install", "--agent", agent, "--yes"], more].concat())
}

/// Returns the state of each of an agent's hooks, by event.
fn states(repo: &TestRepo, agent: &str) -> Vec<(String, String)> {
    let answer = repo.json(&["hook", "status", "--agent", agent]);
    let text = |hook: &Value, field: &str| hook[field].as_str().expect("text").to_string();
    let hooks = answer["agents"][0]["hooks"].as_array().expect("hooks").iter();
    hooks.map(|hook| (text(hook, "event"), text(hook, "state"))).collect()
}

fn both(state: &str) -> Vec<(String, String)> {
    ["SessionEnd", "Stop"].map(|event| (event.to_string(), state.to_string())).to_vec()
}

/// Returns every file and folder below a folder, with its mode and, for a file, its bytes.
fn everything(below: &Path) -> Vec<(PathBuf, u32, Option<Vec<u8>>)> {
    let (mut all, mut folders) = (Vec::new(), vec![below.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let mode = fs::symlink_metadata(&path).expect("it is there").permissions().mode();
            all.push((path.clone(), mode, fs::read(&path).ok()));
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    all.sort();
    all
}

#[test]
fn every_shape_comes_back_byte_for_byte() {
    for agent in ["claude", "codex"] {
        for (place, (name, text)) in
            [0, 1].into_iter().flat_map(|place| shapes().into_iter().map(move |one| (place, one)))
        {
            let repo = TestRepo::new();
            let (path, local) = &paths(&repo, agent)[place];
            if let Some(text) = &text {
                put(path, text.as_bytes(), 0o640);
            }
            let home = everything(&repo.root().join("home"));
            let work = everything(&repo.path);
            install(&repo, agent, local);
            let with = fs::read(path).expect("it was written");
            assert_eq!(states(&repo, agent), both("installed"), "{agent}, {name}");
            install(&repo, agent, local);
            assert_eq!(fs::read(path).expect("it is there"), with, "{agent}, {name}: twice is once");
            if text.is_some() {
                assert_eq!(fs::metadata(path).expect("it is there").permissions().mode() & 0o7777, 0o640);
            }
            let text = String::from_utf8(with).expect("UTF-8");
            let program = serde_json::to_string(PATINA).expect("text");
            assert_eq!(text.matches(program.trim_matches('"')).count(), 2, "{agent}, {name}: {text}");
            repo.patina(&["hook", "uninstall", "--agent", agent]);
            let share = repo.root().join("home/.local");
            let left: Vec<_> = everything(&repo.root().join("home"))
                .into_iter()
                .filter(|(path, ..)| !path.starts_with(&share))
                .collect();
            assert_eq!(left, home, "{agent}, {name}");
            let state = repo.state();
            let (before, left) = (work, everything(&repo.path));
            let outside = |all: Vec<(PathBuf, u32, Option<Vec<u8>>)>| -> Vec<_> {
                all.into_iter().filter(|(path, ..)| !path.starts_with(&state)).collect()
            };
            assert_eq!(outside(left), outside(before), "{agent}, {name}");
            assert!(!state.join("agents.toml").exists() && !state.join("agents").exists(), "{agent}, {name}");
        }
    }
}

#[test]
fn what_a_strict_reader_reads_it_reads_afterwards() {
    let repo = TestRepo::new();
    for agent in ["claude", "codex"] {
        let (path, _) = &paths(&repo, agent)[0];
        for (name, text) in shapes() {
            let _ = fs::remove_file(path);
            let before = text.as_deref().map(serde_json::from_str::<Value>);
            if let Some(text) = &text {
                put(path, text.as_bytes(), 0o644);
            }
            install(&repo, agent, &[]);
            let after = serde_json::from_slice::<Value>(&fs::read(path).expect("it was written"));
            if let None | Some(Ok(_)) = before {
                let after = after.unwrap_or_else(|error| panic!("{agent}, {name}: {error}"));
                for event in ["Stop", "SessionEnd"] {
                    let groups = after["hooks"][event].as_array().expect("groups");
                    let ours = groups.last().expect("one")["hooks"][0].clone();
                    assert_eq!(ours["type"], "command", "{agent}, {name}: {ours}");
                    let line = ours["command"].as_str().expect("a line");
                    assert!(line.ends_with(&format!("session end --agent {agent} 2>/dev/null || true")), "{line}");
                }
            }
            repo.patina(&["hook", "uninstall", "--agent", agent]);
        }
    }
}

#[test]
fn an_edit_in_between_stays() {
    let repo = TestRepo::new();
    let (path, _) = &paths(&repo, "claude")[0];
    let check = |before: Option<&str>, edit: &dyn Fn(&str) -> String, expect: Option<&str>| {
        let _ = fs::remove_file(path);
        if let Some(before) = before {
            put(path, before.as_bytes(), 0o644);
        }
        install(&repo, "claude", &[]);
        let edited = edit(&fs::read_to_string(path).expect("it was written"));
        fs::write(path, edited).expect("it is edited");
        repo.patina(&["hook", "uninstall", "--agent", "claude"]);
        assert_eq!(fs::read_to_string(path).ok().as_deref(), expect, "{before:?}");
    };
    check(
        Some("{\n  \"a\": 1 // one\n}\n"),
        &|text| text.replace("\"a\": 1", "\"a\": 2"),
        Some("{\n  \"a\": 2 // one\n}\n"),
    );
    check(
        Some("{\n  \"a\": 1\n}\n"),
        &|text| text.replacen("{\n", "{\n  // new\n  \"b\": [],\n", 1),
        Some("{\n  // new\n  \"b\": [],\n  \"a\": 1\n}\n"),
    );
    check(None, &|text| text.replace("\n}\n", ",\n  \"b\": 2\n}\n"), Some("{\n  \"b\": 2\n}\n"));
    check(None, &|text| format!("{text}\n"), None);
    check(Some("{\"hooks\":{\"Stop\":[]}}"), &|text| format!("{text} "), Some("{\"hooks\":{\"Stop\":[]}} "));
}

#[test]
fn settings_that_are_not_understood_are_left_alone() {
    let repo = TestRepo::new();
    for agent in ["claude", "codex"] {
        let (path, _) = &paths(&repo, agent)[0];
        for (text, words) in [
            ("{\"a\" 1}", "line 1, column 6"),
            ("{\n  'a': 1\n}", "line 2"),
            ("{\"hooks\": []}", "`hooks` should be an object"),
            ("{\"hooks\": {\"Stop\": {}}}", "`hooks.Stop` is not a list"),
            ("{\"hooks\": {}, \"hooks\": {}}", "occurs twice"),
            ("[]", "should be an object"),
            ("{} {}", "something follows"),
        ] {
            put(path, text.as_bytes(), 0o644);
            let ran = repo.try_patina(&["hook", "install", "--agent", agent, "--yes"]);
            assert_eq!(ran.code, 1, "{text}: {}", ran.stderr);
            assert!(ran.stderr.contains(words) && ran.stderr.contains("left unchanged"), "{text}: {}", ran.stderr);
            assert_eq!(fs::read_to_string(path).expect("it is there"), text);
            assert!(!repo.state().join("agents.toml").exists(), "nobody consented to what does not ring");
            let damaged = |(event, state): &(String, String)| event == "Stop" && state == "damaged";
            assert!(states(&repo, agent).iter().any(damaged), "{text}");
        }
        put(path, b"\xff\xfe{}", 0o644);
        let ran = repo.try_patina(&["hook", "install", "--agent", agent, "--yes"]);
        assert!(ran.code == 1 && ran.stderr.contains("not UTF-8"), "{}", ran.stderr);
        fs::remove_file(path).expect("it goes");
    }
}

#[cfg(feature = "fail-points")]
#[test]
fn whoever_is_stopped_leaves_the_settings_whole() {
    let repo = TestRepo::new();
    let (path, _) = &paths(&repo, "claude")[0];
    let before = "{\n  \"a\": 1\n}\n";
    put(path, before.as_bytes(), 0o644);
    install(&repo, "claude", &[]);
    let with = fs::read_to_string(path).expect("it is there");
    repo.patina(&["hook", "uninstall", "--agent", "claude"]);
    for point in ["file begun", "file written", "file renamed", "hook written"] {
        let killed = repo.with("PATINA_FAIL", &format!("{point}:kill"));
        let ran = killed.try_patina(&["hook", "install", "--agent", "claude", "--yes"]);
        assert_eq!(ran.code, -1, "{point}: {}", ran.stderr);
        let left = fs::read_to_string(path).expect("it is there");
        assert!(left == before || left == with, "{point}: {left}");
        install(&repo, "claude", &[]);
        assert_eq!(fs::read_to_string(path).expect("it is there"), with, "{point}");
        let ran = killed.try_patina(&["hook", "uninstall", "--agent", "claude"]);
        let left = fs::read_to_string(path).expect("it is there");
        assert!(left == before || left == with, "{point}: {left}");
        assert!(ran.code == -1 || left == before, "{point}: {}", ran.stderr);
        repo.patina(&["hook", "uninstall", "--agent", "claude"]);
        let entries = fs::read_dir(path.parent().expect("a folder")).expect("a folder").count();
        assert_eq!((fs::read_to_string(path).expect("it is there").as_str(), entries), (before, 1), "{point}");
    }
}

#[test]
fn a_linked_file_is_followed_and_stays_a_link() {
    let repo = TestRepo::new();
    let (path, _) = &paths(&repo, "claude")[0];
    let dotfiles = repo.root().join("dotfiles/claude.json");
    put(&dotfiles, b"{\n  \"a\": 1\n}\n", 0o600);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    symlink("../../dotfiles/claude.json", path).expect("a link");
    install(&repo, "claude", &[]);
    assert!(fs::read_to_string(&dotfiles).expect("it is there").contains("session end"));
    assert!(fs::symlink_metadata(path).expect("it is there").is_symlink());
    assert_eq!(fs::metadata(&dotfiles).expect("it is there").permissions().mode() & 0o7777, 0o600);
    repo.patina(&["hook", "uninstall", "--agent", "claude"]);
    assert_eq!(fs::read_to_string(&dotfiles).expect("it is there"), "{\n  \"a\": 1\n}\n");
    assert!(fs::symlink_metadata(path).expect("it is there").is_symlink());
    fs::remove_file(&dotfiles).expect("it goes");
    let ran = repo.try_patina(&["hook", "install", "--agent", "claude", "--yes"]);
    assert!(ran.code == 1 && ran.stderr.contains("is a broken link"), "{}", ran.stderr);
    fs::remove_file(path).expect("it goes");
    put(&dotfiles, b"{}", 0o644);
    fs::hard_link(&dotfiles, path).expect("a link");
    let ran = repo.try_patina(&["hook", "install", "--agent", "claude", "--yes"]);
    assert!(ran.code == 1 && ran.stderr.contains("hard link"), "{}", ran.stderr);
}

#[test]
fn the_hooks_of_a_person_stay_while_another_repository_rings_by_them() {
    let repo = TestRepo::new();
    let other = repo.at(repo.root().join("other"));
    fs::create_dir(&other.path).expect("a folder");
    other.git(&["init", "-q", "."]);
    let (path, _) = &paths(&repo, "claude")[0];
    put(path, b"{}", 0o644);
    install(&repo, "claude", &[]);
    install(&other, "claude", &[]);
    let with = fs::read_to_string(path).expect("it is there");
    let left = repo.patina(&["hook", "uninstall"]);
    assert!(left.stderr.contains("stay") && left.stderr.contains("other"), "{}", left.stderr);
    assert_eq!(fs::read_to_string(path).expect("it is there"), with);
    assert_eq!(repo.json(&["hook", "status"])["agents"][0]["consent"], false);
    assert_eq!(other.json(&["hook", "status"])["agents"][0]["consent"], true);
    // Uninstalling in a repository without consent leaves the hooks; a deleted repository no longer keeps them.
    let third = repo.at(repo.root().join("third"));
    fs::create_dir(&third.path).expect("a folder");
    third.git(&["init", "-q", "."]);
    third.patina(&["hook", "uninstall"]);
    assert_eq!(fs::read_to_string(path).expect("it is there"), with);
    install(&third, "claude", &[]);
    fs::remove_dir_all(&third.path).expect("it goes");
    other.patina(&["hook", "uninstall"]);
    assert_eq!(fs::read_to_string(path).expect("it is there"), "{}");
}

#[test]
fn local_settings_of_every_worktree_come_out() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.txt", "a\n"), (".codex/hooks.json", "{}\n")], "begin");
    let linked = repo.at(repo.root().join("linked"));
    repo.git(&["worktree", "add", "-q", linked.path.to_str().expect("UTF-8")]);
    install(&linked, "claude", &["--local"]);
    let path = linked.path.join(".claude/settings.local.json");
    assert!(path.exists() && !repo.path.join(".claude").exists());
    assert_eq!(states(&linked, "claude"), both("installed"));
    repo.patina(&["hook", "uninstall", "--agent", "claude"]);
    assert!(!linked.path.join(".claude").exists());
    let consents = || linked.json(&["hook", "status", "--agent", "claude"])["agents"][0]["consent"].clone();
    install(&linked, "claude", &["--local"]);
    install(&repo, "claude", &["--local"]);
    for (at, stays) in [(&repo, true), (&linked, false)] {
        at.patina(&["hook", "uninstall", "--agent", "claude", "--local"]);
        assert_eq!((at.path.join(".claude").exists(), consents()), (false, stays.into()));
    }
    let ran = repo.try_patina(&["hook", "install", "--agent", "codex", "--local", "--yes"]);
    assert!(ran.code == 2 && ran.stderr.contains("is tracked"), "{}", ran.stderr);
}

#[test]
fn nobody_is_read_without_consent() {
    let repo = TestRepo::new();
    let folder = repo.path.display().to_string().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let projects = repo.root().join("home/.claude/projects");
    let line = |cwd: &str| format!("{{\"type\":\"summary\"}}\n{{\"cwd\":\"{cwd}\",\"type\":\"user\"}}\n");
    put(&projects.join(&folder).join("1.jsonl"), line(&repo.path.display().to_string()).as_bytes(), 0o600);
    put(&projects.join(format!("{folder}-two")).join("2.jsonl"), line("/w/other").as_bytes(), 0o600);
    let sessions = repo.root().join("home/.codex/sessions/2026/01/31");
    let meta = format!("{{\"type\":\"session_meta\",\"payload\":{{\"cwd\":\"{}/src\"}}}}\n", repo.path.display());
    put(&sessions.join("rollout-1.jsonl"), meta.as_bytes(), 0o600);
    put(&sessions.join("rollout-2.jsonl"), line("/w/other").as_bytes(), 0o600);
    for (agent, own, other) in [("claude", "1.jsonl", "2.jsonl"), ("codex", "rollout-1.jsonl", "rollout-2.jsonl")] {
        let ran = repo.try_patina(&["hook", "install", "--agent", agent]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("--yes") && ran.stderr.contains("1 transcript"), "{}", ran.stderr);
        assert!(ran.stderr.contains(own) && !ran.stderr.contains(other), "{}", ran.stderr);
        assert_eq!(repo.json(&["hook", "status", "--agent", agent])["agents"][0]["consent"], false);
        assert_eq!(states(&repo, agent), both("absent"));
    }
    let state = &install(&repo, "claude", &["--prompts"])["agents"][0];
    assert_eq!((&state["consent"], &state["prompts"]), (&true.into(), &true.into()));
    let state = &install(&repo, "claude", &[])["agents"][0];
    assert_eq!((&state["consent"], &state["prompts"]), (&true.into(), &false.into()), "less needs no question");
    let ran = repo.try_patina(&["hook", "install", "--agent", "claude"]);
    assert_eq!(ran.code, 0, "what was consented to is not asked again: {}", ran.stderr);
    assert_eq!(repo.try_patina(&["hook", "install", "--agent", "claude", "--prompts"]).code, 2);
    for words in [&["--local"][..], &["--prompts"], &["--yes"], &["--agent", "claude", "--method", "shim"]] {
        assert_eq!(repo.try_patina(&[&["hook", "install"], words].concat()).code, 2, "{words:?}");
    }
}

#[test]
fn what_is_private_stays_so() {
    use std::os::unix::fs::PermissionsExt as _;
    let repo = TestRepo::new();
    repo.commit_files(&[("a.txt", "a\n")], "Begin");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    install(&repo, "claude", &[]);
    install(&repo, "claude", &["--local"]);
    let state = repo.path.join(".git/patina");
    for folder in [state.clone(), state.join("agents"), repo.root().join("home/.local/share/patina/agents")] {
        assert_eq!(mode(&folder) & 0o077, 0, "{}", folder.display());
    }
    let shared = TestRepo::new();
    shared.git(&["config", "core.sharedRepository", "group"]);
    install(&shared, "claude", &[]);
    assert_ne!(mode(&shared.path.join(".git/patina")) & 0o070, 0);
}

#[test]
fn other_agents_get_a_snippet_and_nothing_is_written() {
    let repo = TestRepo::new();
    let before = everything(repo.root());
    for agent in ["gemini", "cursor", "copilot"] {
        let snippet = repo.patina(&["hook", "install", "--agent", agent]).stdout;
        let value: Value = serde_json::from_str(&snippet).unwrap_or_else(|error| panic!("{agent}: {error}"));
        assert!(value.to_string().contains(&format!("session end --agent {agent}")), "{snippet}");
        assert_eq!(repo.json(&["hook", "install", "--agent", agent])["snippet"], snippet);
    }
    let snippet = repo.patina(&["hook", "install", "--agent", "opencode"]).stdout;
    assert!(snippet.contains("session end --agent opencode") && !snippet.contains('@'), "{snippet}");
    assert_eq!(everything(repo.root()), before);
    assert_eq!(repo.try_patina(&["hook", "uninstall", "--agent", "gemini"]).code, 2);
    assert_eq!(repo.try_patina(&["hook", "install", "--agent", "nobody"]).code, 2);
}

#[test]
fn doctor_says_whether_agents_reach_patina() {
    let repo = TestRepo::new();
    let check = |repo: &TestRepo| -> Value {
        let ran = repo.try_patina(&["--json", "doctor"]);
        let said: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        said["checks"].as_array().expect("checks").iter().find(|check| check["name"] == "agents").expect("it").clone()
    };
    assert_eq!(check(&repo)["state"], "ok");
    let program = repo.own_program();
    let installed = ran(repo.command(&program).args(["hook", "install", "--agent", "claude", "--yes"]));
    assert_eq!(installed.code, 0, "{}", installed.stderr);
    let said: Value =
        serde_json::from_str(&ran(repo.command(&program).args(["--json", "doctor"])).stdout).expect("JSON");
    let own = said["checks"].as_array().expect("checks").iter().find(|check| check["name"] == "agents").expect("it");
    assert_eq!(own["state"], "ok", "{own}");
    assert!(own["detail"].as_str().expect("text").contains("claude: the hooks ran"), "{own}");
    // Another patina binary finds a foreign path there, and runs no command that it would not have written itself.
    let other = check(&repo);
    assert_eq!(other["state"], "warning");
    assert!(other["detail"].as_str().expect("text").contains("Stop of claude is outdated"), "{other}");
    install(&repo, "claude", &[]);
    assert_eq!(check(&repo)["state"], "ok");
    let (path, _) = &paths(&repo, "claude")[0];
    fs::write(path, "{}").expect("it is edited");
    assert!(check(&repo)["detail"].as_str().expect("text").contains("Stop of claude is absent"));
}

#[test]
fn doctor_runs_no_command_that_came_with_the_repository() {
    let repo = TestRepo::new();
    let mark = repo.root().join("ran");
    let ending = "session end --agent claude 2>/dev/null || true";
    for command in
        [format!("'touch' {}; : {ending}", mark.display()), format!("'{}' {ending}", repo.path.join("evil").display())]
    {
        let settings = serde_json::json!({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": command}]}]}});
        put(&repo.path.join("evil"), format!("#!/bin/sh\ntouch '{}'\n", mark.display()).as_bytes(), 0o755);
        repo.commit_files(&[(".claude/settings.local.json", &settings.to_string())], "Settings");
        repo.reindex();
        install(&repo, "claude", &[]);
        repo.try_patina(&["doctor"]);
        assert!(!mark.exists(), "{command}");
        repo.patina(&["hook", "uninstall", "--agent", "claude"]);
    }
}

#[test]
fn a_command_of_a_person_that_ends_like_ours_is_not_ours() {
    let repo = TestRepo::new();
    let (path, _) = &paths(&repo, "claude")[0];
    let command = "'/usr/local/bin/my notifier' done; '/x/patina' session end --agent claude 2>/dev/null || true";
    let settings = serde_json::json!({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": command}]}]}});
    let text = serde_json::to_string_pretty(&settings).expect("text");
    put(path, text.as_bytes(), 0o600);
    install(&repo, "claude", &[]);
    assert!(fs::read_to_string(path).expect("it reads").contains(command));
    repo.patina(&["hook", "uninstall", "--agent", "claude"]);
    assert_eq!(fs::read_to_string(path).expect("it reads"), text);
}

#[test]
fn hooks_that_other_settings_switch_off_are_said_to_be_off() {
    let repo = TestRepo::new();
    install(&repo, "claude", &[]);
    assert_eq!(states(&repo, "claude"), both("installed"));
    put(&repo.path.join(".claude/settings.json"), b"{\"disableAllHooks\": true}", 0o644);
    assert_eq!(states(&repo, "claude"), both("disabled"));
}

#[test]
fn a_consent_that_cannot_be_read_still_ends() {
    let repo = TestRepo::new();
    let (path, _) = &paths(&repo, "claude")[0];
    install(&repo, "claude", &[]);
    put(&repo.state().join("agents.toml"), b"no [toml", 0o600);
    let ran = repo.try_patina(&["hook", "uninstall"]);
    assert!(ran.code != 0 && ran.stderr.contains("agents.toml"), "{}", ran.stderr);
    assert!(!path.exists(), "nothing rings any more");
}
