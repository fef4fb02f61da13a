//! What becomes of transcripts when worktrees, settings and other repositories change around them, and of what a person
//! hands in. Refuses to know how a reader reads.

use std::fs;

use serde_json::{Value, json};

use crate::sessions::{Transcript, appended, consent, decided, decisions, entries, known, log, sessions, stands_in};
use crate::support::{PATINA, TestRepo, until, verified};

fn begun() -> TestRepo {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.txt", "a\n")], "Begin");
    consent(&repo);
    repo
}

#[test]
fn a_repository_below_this_one_keeps_its_own() {
    let repo = begun();
    let nested = repo.path.join("nested/secret/deep");
    fs::create_dir_all(&nested).expect("a folder");
    repo.git(&["init", "-q", "nested/secret"]);
    let mut inside = Transcript::new(&repo, "11111111-0000-0000-0000-000000000001").in_folder(&nested);
    let plain = repo.path.join("plain/folder");
    fs::create_dir_all(&plain).expect("a folder");
    let mut below = Transcript::new(&repo, "11111111-0000-0000-0000-000000000002").in_folder(&plain);
    inside.say(&decided(1));
    below.say(&decided(2));
    repo.reindex();
    assert_eq!(sessions(&repo), ["11111111-0000-0000-0000-000000000002"]);
}

#[test]
fn a_worktree_that_went_keeps_its_sessions_as_they_were() {
    let repo = begun();
    let other = repo.path.join(".agents/b");
    repo.git(&["worktree", "add", "-q", "-b", "b", &other.display().to_string()]);
    let other = fs::canonicalize(other).expect("it is there");
    let mut transcript = Transcript::new(&repo, "22222222-0000-0000-0000-000000000001").in_folder(&other);
    transcript.edit(&other.join("src/a.rs"));
    repo.reindex();
    let touched = [("touched".to_string(), "edited src/a.rs".to_string())];
    assert_eq!(entries(&repo, &transcript.id), touched);
    repo.git(&["worktree", "remove", "--force", &other.display().to_string()]);
    repo.patina(&["reindex", "--full"]);
    assert_eq!(entries(&repo, &transcript.id), touched);
    transcript.edit(&other.join("src/b.rs"));
    repo.reindex();
    assert_eq!(entries(&repo, &transcript.id).len(), 2, "a session that goes on where its worktree was");
    // Another repository in its place is another's.
    fs::create_dir_all(&other).expect("a folder");
    repo.git(&["init", "-q", &other.display().to_string()]);
    transcript.edit(&other.join("src/c.rs"));
    repo.reindex();
    assert_eq!(entries(&repo, &transcript.id).len(), 2);
    verified(&repo, "a worktree that went");
}

#[test]
fn names_that_are_to_be_hidden_take_the_place_of_what_was_said() {
    let repo = begun();
    let mut transcript = Transcript::new(&repo, "33333333-0000-0000-0000-000000000001");
    transcript.say("Decision: we ask ada first because she knows.");
    transcript.say("Decision: we ask ada again because she still knows.");
    transcript.say(&decided(1));
    repo.reindex();
    assert_eq!(known(&repo, &transcript.id), 3);
    let settings = repo.root().join("home/.config/patina");
    fs::create_dir_all(&settings).expect("a folder");
    fs::write(settings.join("config.toml"), "[redact]\nusers = [\"ada\"]\n").expect("settings");
    // Cut short meanwhile: what is not read again stays as it was.
    let text = fs::read_to_string(transcript.path()).expect("it reads");
    let first: String = text.lines().take(1).map(|line| format!("{line}\n")).collect();
    fs::write(transcript.path(), first).expect("it is cut short");
    repo.reindex();
    let mut now = decisions(&repo, &transcript.id);
    now.sort();
    let hidden = "we ask [user] first because she knows.";
    assert_eq!(
        now,
        [hidden, "we ask ada again because she still knows.", "we use plan number 1 because the others are slower."]
    );
    verified(&repo, "names that are hidden");
}

#[test]
fn an_older_copy_turns_nothing_back() {
    let repo = begun();
    let mut transcript = Transcript::new(&repo, "44444444-0000-0000-0000-000000000001");
    transcript.say(&decided(1));
    let copy = repo.root().join(format!("copies/{}.jsonl", transcript.id));
    fs::create_dir_all(copy.parent().expect("a folder")).expect("a folder");
    fs::copy(transcript.path(), &copy).expect("a copy");
    transcript.say(&decided(2));
    repo.reindex();
    let before = repo.json(&["session", "show", &transcript.id]);
    repo.patina(&["session", "import", &copy.display().to_string()]);
    let after = repo.json(&["session", "show", &transcript.id]);
    assert_eq!((&after["session"], &after["entries"]), (&before["session"], &before["entries"]));
}

#[test]
fn however_late_the_folder_is_said_it_is_heard() {
    let repo = begun();
    let mut transcript = Transcript::new(&repo, "55555555-0000-0000-0000-000000000001");
    let summary = |n: u32| format!("{}\n", json!({"type": "summary", "summary": format!("part {n}"), "leafUuid": "x"}));
    transcript.append(&(0..150).map(summary).collect::<String>());
    transcript.say(&decided(1));
    repo.reindex();
    assert_eq!(known(&repo, &transcript.id), 1);
}

#[test]
fn a_long_text_of_cheer_stops_nobody() {
    let repo = begun();
    let mut transcript = Transcript::new(&repo, "66666666-0000-0000-0000-000000000001");
    transcript.say(&"ok, ".repeat(80_000));
    transcript.say(&decided(1));
    repo.reindex();
    assert_eq!(known(&repo, &transcript.id), 1);
}

#[test]
fn a_word_of_the_path_can_be_forgotten_and_the_rest_goes_on() {
    let repo = begun();
    let mut transcript = Transcript::new(&repo, "77777777-0000-0000-0000-000000000001");
    let word = repo.path.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(word.len() > 3, "{word}");
    transcript.say(&decided(1));
    repo.reindex();
    repo.patina(&["forget", &word, "--yes"]);
    transcript.say(&decided(2));
    repo.reindex();
    assert_eq!(known(&repo, &transcript.id), 2);
}

#[test]
fn what_was_forgotten_comes_back_by_nobodys_hand() {
    let repo = begun();
    let mut transcript = Transcript::new(&repo, "88888888-0000-0000-0000-000000000001");
    transcript.say(&decided(1));
    repo.reindex();
    let (name, file) = ("Umbragrove", transcript.path().display().to_string());
    repo.patina(&["forget", name, "--yes"]);
    repo.patina(&["forget", &transcript.id, "--yes"]);
    repo.patina(&["note", "--goal", &format!("Ship to {name} again")]);
    transcript.say(&format!("Decision: we ship to {name} because they pay."));
    repo.patina(&["session", "import", &file]);
    assert_eq!(stands_in(&repo, name), Vec::<std::path::PathBuf>::new());
    assert_eq!(sessions(&repo), ["notes"]);
}

#[test]
fn notes_go_on_beside_notes_of_others_and_after_they_were_forgotten() {
    let repo = begun();
    repo.patina(&["note", "--goal", "Be fast"]);
    let exported = repo.root().join("notes.md");
    fs::write(&exported, repo.patina(&["session", "export", "notes", "--md"]).stdout).expect("a file");
    let other = begun();
    other.patina(&["note", "--decision", "Be slow, because it is calm"]);
    other.patina(&["session", "import", &exported.display().to_string()]);
    let noted = other.json(&["note", "--pattern", "Rest first"]);
    let said: Vec<String> = entries(&other, "notes").into_iter().map(|(_, content)| content).collect();
    assert_eq!(said, ["Be slow, because it is calm", "Be fast", "Rest first"]);
    assert_eq!(noted["key"], "session:notes/3");
    verified(&other, "notes of two");

    other.patina(&["forget", "notes", "--yes"]);
    assert!(sessions(&other).is_empty());
    other.patina(&["note", "--goal", "Begin again"]);
    assert_eq!(entries(&other, "notes"), [("goal".to_string(), "Begin again".to_string())]);
    other.patina(&["forget", "Umbragrove", "--yes"]);
    assert_eq!(entries(&other, "notes").len(), 1, "forgetting something else leaves them");
    verified(&other, "notes after notes");
}

#[test]
fn what_grew_since_the_last_ring_is_no_difference() {
    let repo = begun();
    let mut transcript = Transcript::new(&repo, "99999999-0000-0000-0000-000000000001");
    transcript.say(&decided(1));
    repo.reindex();
    transcript.say(&decided(2));
    verified(&repo, "a transcript that has grown");
}

#[test]
fn a_transcript_that_is_exported_comes_back_with_its_times() {
    let repo = begun();
    let mut transcript = Transcript::new(&repo, "99999999-0000-0000-0000-000000000002");
    transcript.say(&decided(1));
    transcript.run("cargo test");
    transcript.run("make all");
    transcript.say(&decided(2));
    repo.reindex();
    let shown = |repo: &TestRepo| {
        let shown = repo.json(&["session", "show", &transcript.id]);
        let list = shown["entries"].as_array().expect("a list").clone();
        let mut all: Vec<[Value; 3]> =
            list.iter().map(|one| ["category", "content", "time"].map(|field| one[field].clone())).collect();
        all.sort_by_key(|one| format!("{one:?}"));
        all
    };
    let exported = repo.patina(&["session", "export", &transcript.id, "--md"]).stdout;
    let other = TestRepo::new();
    other.commit_files(&[("sessions/log.md", &exported)], "A session");
    other.reindex();
    assert_eq!(shown(&other), shown(&repo), "{exported}");
}

#[test]
fn what_is_refused_holds_nothing_else_back() {
    let repo = begun();
    let (good, bad) = (repo.path.join("sessions/2025-06-15.md"), repo.path.join("none.md"));
    fs::create_dir_all(good.parent().expect("a folder")).expect("a folder");
    fs::write(&good, "# A day\n\n## Goals\n- be fast\n\n## Key Decisions\n- Use an arena\n").expect("a file");
    fs::write(&bad, "no session\n").expect("a file");
    let below = repo.at(repo.path.join("sessions"));
    let ran = below.try_patina(&["session", "import", "2025-06-15.md", &bad.display().to_string()]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("none.md"), "{}", ran.stderr);
    assert_eq!(decisions(&repo, "2025-06-15"), ["Use an arena"]);
}

#[test]
fn what_lies_in_the_inbox_and_is_no_letter_is_left_there() {
    let repo = begun();
    let mut transcript = Transcript::new(&repo, "99999999-0000-0000-0000-000000000003");
    let odd = repo.state().join("inbox/folder");
    fs::create_dir_all(&odd).expect("a folder");
    transcript.say(&decided(1));
    repo.reindex();
    assert_eq!(known(&repo, &transcript.id), 1);
    assert!(odd.is_dir());
}

#[test]
fn a_transcript_that_lies_elsewhere_is_heard_of_by_its_letter() {
    let repo = begun();
    let mut transcript = Transcript::new(&repo, "99999999-0000-0000-0000-000000000004");
    transcript.say(&decided(1));
    let aside = repo.root().join(format!("home/.claude/projects/renamed/{}.jsonl", transcript.id));
    fs::create_dir_all(aside.parent().expect("a folder")).expect("a folder");
    fs::rename(transcript.path(), &aside).expect("it is moved");
    repo.reindex();
    assert!(sessions(&repo).is_empty());
    let heard = json!({"session_id": transcript.id, "transcript_path": aside, "cwd": repo.path});
    let own = repo.root().join("heard.json");
    fs::write(&own, heard.to_string()).expect("a file");
    let mut end = repo.ringing().command(PATINA);
    end.args(["session", "end", "--agent", "claude"]).stdin(fs::File::open(&own).expect("it is there"));
    assert!(end.status().expect("it runs").success());
    until("the session to be taken in", || known(&repo, &transcript.id) == 1);
    repo.rest();
}

#[test]
fn a_version_of_the_same_log_is_taken_once() {
    let repo = begun();
    let file = repo.root().join("log.md");
    fs::write(&file, log("20250615-090000", &["Use an arena"])).expect("a file");
    repo.patina(&["session", "import", &file.display().to_string()]);
    let before = appended(&repo);
    fs::write(&file, log("20250615-090000", &["Use an arena", "Keep the lexer"])).expect("a file");
    repo.patina(&["session", "import", &file.display().to_string()]);
    assert_eq!(decisions(&repo, "20250615-090000"), ["Use an arena", "Keep the lexer"]);
    assert_eq!(appended(&repo) - before, 2, "a reading and one entry");
}
