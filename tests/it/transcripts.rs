//! Tests of transcripts when worktrees, settings and other repositories change, and of `session import`.

use std::fs;
use std::path::Path;

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
    // A new repository at the same path is a different repository.
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
    fs::write(settings.join("config.toml"), "[redact]\nusers = [\"ada\", \"main\"]\n").expect("settings");
    // The transcript is truncated meanwhile: entries that cannot be read again stay unchanged.
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
    assert_eq!(repo.json(&["session", "list"])["sessions"][0]["branch"], "[user]");
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
    repo.reindex();
    repo.patina(&["note", "--goal", "Be fast"]);
    let exported = repo.root().join("notes.md");
    fs::write(&exported, repo.patina(&["session", "export", "notes", "--md"]).stdout).expect("a file");
    let other = begun();
    other.reindex();
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
    transcript.edit(&repo.path.join("a file%.rs"));
    for (n, day) in ["2025-08-22T09", "2025-08-23T09", "2025-12-11T23"].into_iter().enumerate() {
        let line = transcript.line(&decided(3 + n as u32));
        transcript.append(&line.replace("2025-06-15T10", day));
    }
    repo.reindex();
    repo.patina(&["note", "--decision", "Bake by night", "--files", "src/oven.rs,a,b.rs"]);
    repo.patina(&["note", "--goal", "Be calm"]);
    repo.reindex();
    let shown = |repo: &TestRepo| {
        let fields = ["category", "content", "time", "files", "commits"];
        let shown = [&*transcript.id, "notes"].map(|id| repo.json(&["session", "show", id])["entries"].clone());
        let entries = shown.iter().flat_map(|entries| entries.as_array().expect("a list"));
        let mut all: Vec<[Value; 5]> = entries.map(|one| fields.map(|field| one[field].clone())).collect();
        all.sort_by_key(|one| format!("{one:?}"));
        all
    };
    let notes = repo.patina(&["session", "export", "notes", "--md"]).stdout;
    let exported = repo.patina(&["session", "export", &transcript.id, "--md"]).stdout;
    let other = TestRepo::new();
    other.commit_files(&[("sessions/log.md", &exported), ("sessions/notes.md", &notes)], "Sessions");
    other.reindex();
    assert_eq!(shown(&other), shown(&repo), "{exported}{notes}");
}

#[test]
fn what_is_refused_holds_nothing_else_back() {
    let repo = begun();
    repo.reindex();
    let (good, bad) = (repo.path.join("sessions/2025-06-15.md"), repo.path.join("none.md"));
    fs::create_dir_all(good.parent().expect("a folder")).expect("a folder");
    fs::write(&good, "# A day\n\n## Goals\n- be fast\n\n## Key Decisions\n- Use an arena\n").expect("a file");
    fs::write(&bad, "no session\n").expect("a file");
    let mut transcript = Transcript::new(&repo, "99999999-0000-0000-0000-000000000005");
    let line = transcript.line(&decided(1));
    transcript.append(&format!("\u{feff}{line}"));
    let (bad, last) = (bad.display().to_string(), transcript.path().display().to_string());
    let below = repo.at(repo.path.join("sessions"));
    let ran = below.try_patina(&["session", "import", "2025-06-15.md", &bad, "/no/such", &last]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("none.md") && ran.stderr.contains("/no/such"), "{}", ran.stderr);
    assert!(ran.stdout.contains("2025-06-15") && ran.stdout.contains(&transcript.id), "{}", ran.stdout);
    assert_eq!(decisions(&repo, "2025-06-15"), ["Use an arena"]);
    assert_eq!(known(&repo, &transcript.id), 1, "what stands behind it, and behind the mark of a byte order");
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
    repo.reindex();
    let file = repo.root().join("log.md");
    fs::write(&file, log("20250615-090000", &["Use an arena"])).expect("a file");
    repo.patina(&["session", "import", &file.display().to_string()]);
    let before = appended(&repo);
    fs::write(&file, log("20250615-090000", &["Use an arena", "Keep the lexer"])).expect("a file");
    repo.patina(&["session", "import", &file.display().to_string()]);
    assert_eq!(decisions(&repo, "20250615-090000"), ["Use an arena", "Keep the lexer"]);
    assert_eq!(appended(&repo) - before, 2, "a reading and one entry");
}

#[test]
fn a_session_that_goes_on_from_another_does_not_say_again_what_that_said() {
    let repo = begun();
    let mut first = Transcript::new(&repo, "aaaaaaaa-0000-0000-0000-000000000001");
    first.say(&decided(1));
    first.say(&decided(2));
    let mut second = Transcript::new(&repo, "aaaaaaaa-0000-0000-0000-000000000002");
    second.append(&fs::read_to_string(first.path()).expect("it reads"));
    repo.reindex();
    assert_eq!(sessions(&repo), [first.id.clone()], "a copy alone says nothing of its own");
    second.say(&decided(3));
    first.say(&decided(4));
    repo.reindex();
    assert_eq!((known(&repo, &first.id), known(&repo, &second.id)), (3, 1));
    // The entries of the first session are also available from the second transcript.
    let other = begun();
    let mut copy = Transcript::new(&other, &second.id);
    copy.cwd = fs::canonicalize(&other.path).expect("it is there").display().to_string();
    let text = fs::read_to_string(second.path()).expect("it reads").replace(&second.cwd, &copy.cwd);
    copy.append(&text);
    other.reindex();
    assert_eq!((known(&other, &first.id), known(&other, &second.id)), (2, 1));
    verified(&repo, "a session that goes on from another");
}

#[test]
fn a_copy_under_a_new_name_says_what_is_new_alone() {
    let repo = begun();
    let ids = [1, 2, 3].map(|n| format!("bbbbbbbb-0000-0000-0000-00000000000{n}"));
    let mut first = Transcript::new(&repo, &ids[0]);
    first.say(&decided(1));
    first.run("cargo test");
    first.say(&decided(2));
    // Each continues the one before, and begins with a copy of its lines under its own session id.
    let goes_on = |from: &Transcript, id: &str| {
        let to = Transcript::new(&repo, id);
        to.append(
            &fs::read_to_string(from.path())
                .expect("it reads")
                .replace(&format!("\"sessionId\":\"{}\"", from.id), &format!("\"sessionId\":\"{id}\"")),
        );
        to
    };
    let mut second = goes_on(&first, &ids[1]);
    repo.reindex();
    assert_eq!(sessions(&repo), [first.id.clone()], "a copy alone says nothing of its own");
    let later = |transcript: &mut Transcript, what: u32| {
        let line = transcript.line(&decided(what)).replace("2025-06-15T10", &format!("2025-06-15T1{what}"));
        transcript.append(&line);
    };
    later(&mut second, 3);
    let mut third = goes_on(&second, &ids[2]);
    later(&mut third, 4);
    // Another session has the same text at the same time, and is not a copy.
    let mut beside = Transcript::new(&repo, "bbbbbbbb-0000-0000-0000-000000000004");
    beside.say(&decided(1));
    let as_told = || {
        let all = ids.iter().map(|id| decisions(&repo, id)).collect::<Vec<_>>();
        assert_eq!(
            all,
            [vec![decided(1), decided(2)], vec![decided(3)], vec![decided(4)]]
                .map(|all| all.iter().map(|text| text.replace("Decision: ", "")).collect::<Vec<_>>())
        );
        assert_eq!(known(&repo, &beside.id), 1);
    };
    repo.reindex();
    as_told();
    assert_eq!(repo.json(&["session", "show", &ids[1]])["session"]["started"], json!(1_749_992_401_i64));
    repo.patina(&["reindex", "--full"]);
    as_told();
    verified(&repo, "copies of a session");
    // Forgotten entries of the first session do not come back from its continuations.
    repo.patina(&["forget", &first.id, "--yes"]);
    later(&mut third, 5);
    repo.reindex();
    assert_eq!((known(&repo, &ids[2]), stands_in(&repo, "plan number 2 ").len()), (2, 0));
}

#[test]
fn an_export_that_was_committed_stands_for_its_transcript() {
    let repo = begun();
    let mut transcript = Transcript::new(&repo, "cccccccc-0000-0000-0000-000000000001");
    transcript.say(&decided(1));
    transcript.say(&decided(2));
    repo.reindex();
    let shown = || entries(&repo, &transcript.id);
    let before = shown();
    let exported = repo.patina(&["session", "export", &transcript.id, "--md"]).stdout;
    let path = |hit: &Value| hit["path"].as_str().map(str::to_string);
    let told = || {
        let hits = repo.json(&["query", "plan number 1", "--kind", "decision"]);
        let hits = hits["hits"].as_array().expect("a list").iter();
        let hits: Vec<_> =
            hits.filter(|hit| hit["name"].as_str().is_some_and(|name| name.contains("number 1"))).map(path).collect();
        (sessions(&repo).len(), hits, repo.json(&["status"])["items"]["decision"].clone())
    };
    repo.commit_files(&[("sessions/log.md", &exported)], "A session");
    repo.reindex();
    assert_eq!((shown(), told()), (before, (1, vec![Some("sessions/log.md".to_string())], json!(2))));
    // On a branch that has the file, the file's text is shown.
    repo.commit_files(
        &[("sessions/log.md", &exported.replace("plan number 1", "the plan number 1"))],
        "In other words",
    );
    repo.reindex();
    assert!(shown()[0].1.contains("the plan number 1"), "{:?}", shown());
    verified(&repo, "an export that was committed");
    // The session continues after the export.
    transcript.say(&decided(3));
    repo.reindex();
    assert_eq!((known(&repo, &transcript.id), told()), (3, (1, vec![None], json!(3))));
    repo.git(&["checkout", "-q", "HEAD~2"]);
    repo.reindex();
    assert_eq!((known(&repo, &transcript.id), told()), (3, (1, vec![None], json!(3))));
    verified(&repo, "an export that is older");
}

#[test]
fn a_transcript_under_another_name_is_the_session_it_says() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.txt", "a\n")], "Begin");
    repo.reindex();
    let ids = ["aaaaaaaa-0000-0000-0000-000000000003", "aaaaaaaa-0000-0000-0000-000000000004"];
    for (at, id) in ids.into_iter().enumerate() {
        let mut transcript = Transcript::new(&repo, id);
        transcript.say(&decided(1));
        let copy = repo.root().join(format!("copies/{at}/session.jsonl"));
        fs::create_dir_all(copy.parent().expect("a folder")).expect("a folder");
        fs::copy(transcript.path(), &copy).expect("a copy");
        for file in [&copy, &transcript.path().to_path_buf()] {
            repo.patina(&["session", "import", &file.display().to_string()]);
        }
    }
    let mut found = sessions(&repo);
    found.sort();
    assert_eq!(found, ids);
    assert!(ids.iter().all(|id| known(&repo, id) == 1));
}

#[test]
fn what_is_said_last_is_taken_however_the_file_ends() {
    let repo = begun();
    let mut transcript = Transcript::new(&repo, "aaaaaaaa-0000-0000-0000-000000000005");
    let last = transcript.line("I fixed the timer. We decided to use a B-tree because range scans are common.");
    transcript.append(last.replace("\"end_turn\"", "null").trim_end());
    repo.reindex();
    let said: Vec<String> = entries(&repo, &transcript.id).into_iter().map(|(category, _)| category).collect();
    assert_eq!(said, ["decision", "work"]);
    transcript.append("\n");
    transcript.say(&decided(1));
    repo.reindex();
    assert_eq!(entries(&repo, &transcript.id).len(), 3);
    verified(&repo, "a last line without an end");
}

#[test]
fn what_is_said_in_another_repository_is_that_ones() {
    let repo = begun();
    let mut transcript = Transcript::new(&repo, "aaaaaaaa-0000-0000-0000-000000000006");
    let (here, other) = (transcript.cwd.clone(), repo.root().join("other"));
    repo.git(&["init", "-q", &other.display().to_string()]);
    transcript.say(&decided(1));
    transcript = transcript.in_folder(&other);
    transcript.say(&decided(2));
    transcript.run("cargo test");
    transcript = transcript.in_folder(Path::new(&here));
    transcript.say(&decided(3));
    repo.reindex();
    assert_eq!(known(&repo, &transcript.id), 2);
    assert_eq!(entries(&repo, &transcript.id).len(), 2);
}

#[test]
fn what_was_consented_to_is_taken_in_at_once_and_an_empty_session_is_none() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.txt", "a\n")], "Begin");
    repo.reindex();
    let mut transcript = Transcript::new(&repo, "aaaaaaaa-0000-0000-0000-000000000007");
    transcript.say(&decided(1));
    let mut part = Transcript::new(&repo, "agent-7");
    part.run("cargo test");
    let text = fs::read_to_string(part.path())
        .expect("it reads")
        .replace("\"sessionId\":\"agent-7\"", &format!("\"sessionId\":\"{}\"", transcript.id));
    fs::write(part.path(), text).expect("it is written");
    let empty = Transcript::new(&repo, "aaaaaaaa-0000-0000-0000-000000000008");
    let typed = json!({"type": "user", "sessionId": empty.id, "cwd": empty.cwd, "message": {"role": "user", "content": "hello"}});
    empty.append(&format!("{typed}\n"));
    consent(&repo.ringing());
    until("the session to be taken in", || known(&repo, &transcript.id) == 1);
    repo.rest();
    let mut all = sessions(&repo);
    all.sort();
    assert_eq!(all, [transcript.id.clone(), part.id.clone()]);
    assert_eq!(
        repo.json(&["session", "show", "agent-7"])["session"]["title"],
        json!(format!("a part of {}", transcript.id))
    );
}
