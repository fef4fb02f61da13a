//! Tests of `forget`: the text disappears from every file of the state folder and does not come back, and nothing else
//! is lost. The files themselves are searched, not patina's answers.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::sessions::{LOG, Transcript, consent, decided, entries, known, log, sessions, stands_in};
use crate::support::{TestRepo, column, texts, verified};

#[test]
fn what_was_forgotten_stands_nowhere_and_does_not_come_back() {
    let repo = TestRepo::new().with_model();
    let name = "Umbragrove";
    repo.commit_files(
        &[("src/parser.rs", &format!("/// For {name}.\npub fn parse() {{}}\npub fn other() {{}}\n"))],
        &format!("A parser, asked for by {name}"),
    );
    repo.commit_files(&[("b.txt", "b\n")], "Another");
    consent(&repo);
    let mut transcript = Transcript::new(&repo, "dddddddd-2222-3333-4444-555555555555");
    transcript.say(&decided(1));
    transcript.say(&format!("Decision: we ship to {name} first because they pay."));
    repo.reindex();
    repo.patina(&["note", "--goal", &format!("Please {name}")]);
    assert!(!stands_in(&repo, name).is_empty());
    let asked = repo.try_patina(&["forget", name]);
    assert_eq!(asked.code, 2, "nobody to ask: {}", asked.stderr);
    let looked = repo.json(&["forget", name, "--dry-run"]);
    assert_eq!(looked["found"]["session.decision"], 1, "{looked}");
    assert!(!stands_in(&repo, name).is_empty(), "looking erases nothing");

    let done = repo.json(&["forget", name, "--yes"]);
    assert_eq!((done["erased"].as_u64(), &done["left"]), (Some(2), &json!([])), "{done}");
    assert_eq!(stands_in(&repo, name), Vec::<PathBuf>::new());
    verified(&repo, "forgetting");
    for again in ["reindex", "reindex --full"] {
        repo.patina(&again.split(' ').collect::<Vec<_>>());
        assert_eq!(stands_in(&repo, name), Vec::<PathBuf>::new(), "after {again}");
    }
    transcript.say(&format!("Decision: we still ship to {name} because they still pay."));
    repo.commit_files(&[("c.txt", &format!("for {name}\n"))], &format!("More for {name}"));
    repo.reindex();
    assert_eq!(stands_in(&repo, name), Vec::<PathBuf>::new(), "and what is new is kept out");
    assert_eq!(known(&repo, &transcript.id), 1);
    assert_eq!(texts(&repo.json(&["related", "src/parser.rs"])["hits"], "key").len(), 0);
    assert_eq!(repo.json(&["who", "src/parser.rs"])["people"][0]["commits"], 1, "the commit still counts");
    verified(&repo, "what came after");
}

#[test]
fn a_session_can_be_forgotten_as_a_whole() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.txt", "a\n")], "Begin");
    consent(&repo);
    let mut both = ["eeeeeeee-0000-0000-0000-000000000001", "eeeeeeee-0000-0000-0000-000000000002"]
        .map(|id| Transcript::new(&repo, id));
    both.iter_mut().for_each(|transcript| transcript.say(&decided(1)));
    repo.reindex();
    let done = repo.json(&["forget", &both[0].id, "--yes"]);
    assert_eq!(done["erased"], 2, "its reading and its entry: {done}");
    assert_eq!(sessions(&repo), [both[1].id.as_str()]);
    both[0].say(&decided(2));
    repo.reindex();
    repo.patina(&["reindex", "--full"]);
    assert_eq!(sessions(&repo), [both[1].id.as_str()]);
    verified(&repo, "a forgotten session");
}

#[test]
fn the_beginning_of_a_name_is_asked_about() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.txt", "a\n")], "Begin");
    consent(&repo);
    let mut transcript = Transcript::new(&repo, "eeeeeeee-1111-0000-0000-000000000001");
    transcript.say(&decided(1));
    repo.reindex();
    let asked = repo.try_patina(&["forget", "eeeeeeee-1111", "--yes"]);
    assert_eq!(asked.code, 2, "{}", asked.stderr);
    assert!(asked.stderr.contains(&transcript.id) && asked.stderr.contains("--regex"), "{}", asked.stderr);
    assert_eq!(known(&repo, &transcript.id), 1);
    repo.patina(&["forget", "session:eeeeeeee-1111", "--yes"]);
    assert_eq!(known(&repo, &transcript.id), 0);
    assert!(stands_in(&repo, "plan number 1").is_empty());
}

#[test]
fn a_tracked_session_goes_with_its_file_and_asking_twice_is_asking_once() {
    let repo = TestRepo::new();
    let id = "20250615-090000";
    repo.commit_files(&[(LOG, &log(id, &["Use an arena"])), ("a.txt", "a\n")], "A session");
    repo.reindex();
    repo.patina(&["note", "--goal", &format!("Go on with {id}")]);
    repo.patina(&["forget", id, "--yes"]);
    for word in ["Use an arena", "Profiled", "outlived"] {
        assert_eq!(stands_in(&repo, word), Vec::<PathBuf>::new(), "{word}");
    }
    let again = repo.json(&["forget", id, "--yes"]);
    assert_eq!(again["erased"], 0, "{again}");
    assert_eq!(sessions(&repo), ["notes"]);
    assert_eq!(entries(&repo, "notes").len(), 1, "what only names it stays");
    assert!(
        column(&repo, "SELECT file_path FROM tree").contains(&LOG.to_string()),
        "the file is there, and says nothing"
    );
    verified(&repo, "a tracked session");
}

#[test]
fn a_session_whose_title_said_it_stays_without_it() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.txt", "a\n")], "Begin");
    repo.reindex();
    let file = repo.root().join("log.md");
    let text = log("20250615-090000", &["Use an arena"]).replace("making the parser faster", "Plans for Umbragrove");
    fs::write(&file, text).expect("a file");
    let file = file.display().to_string();
    repo.patina(&["session", "import", &file]);
    let before = entries(&repo, "20250615-090000");
    for _ in 0..2 {
        repo.patina(&["forget", "Umbragrove", "--yes"]);
        assert_eq!(stands_in(&repo, "Umbragrove"), Vec::<PathBuf>::new());
        assert_eq!(repo.json(&["session", "list"])["sessions"][0]["title"], "Plans for [forgotten]");
        assert_eq!(entries(&repo, "20250615-090000"), before);
        repo.patina(&["session", "import", &file]);
    }
    verified(&repo, "a title");
}

#[test]
fn words_that_only_patina_writes_take_nothing_with_them() {
    let repo = TestRepo::new();
    repo.commit_files(&[("src/a.rs", "pub fn a() {}\n")], "Begin");
    repo.reindex();
    repo.patina(&["note", "--goal", "Be fast"]);
    for word in ["version", "goal", "null", "files", "code.file", "src/a.rs"] {
        let looked = repo.json(&["forget", word, "--dry-run"]);
        assert_eq!(looked["found"], json!({}), "{word}");
    }
    repo.patina(&["forget", "hand", "--yes"]);
    assert_eq!(entries(&repo, "notes").len(), 1, "the title alone says it");
    fs::remove_file(repo.state().join("forgotten")).expect("a list");
    assert_eq!(repo.try_patina(&["forget", "forgotten", "--yes"]).code, 2);
    let none = repo.try_patina(&["forget", "--regex", "Umbra.*", "--yes"]);
    assert_eq!(none.code, 1);
    assert!(none.stderr.contains("nothing was erased"), "{}", none.stderr);
    assert!(!repo.state().join("forgotten").exists());
}

#[test]
fn authors_can_be_forgotten() {
    let repo = TestRepo::new();
    repo.git(&["commit", "-q", "--allow-empty", "--author=Ada <ada@umbragrove.example>", "-m", "Begin"]);
    repo.reindex();
    let done = repo.json(&["forget", "ada@umbragrove.example", "--yes"]);
    assert_eq!((&done["read_again"], &done["left"]), (&json!(1), &json!([])), "{done}");
    assert_eq!(stands_in(&repo, "umbragrove"), Vec::<PathBuf>::new());
    verified(&repo, "an author");
}

#[test]
fn what_a_half_made_salvage_holds_goes_and_a_folder_behind_a_link_is_looked_into() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.txt", "for Umbragrove\n")], "Begin");
    repo.reindex();
    fs::copy(repo.state().join("eventlog.db"), repo.state().join("eventlog.salvaged")).expect("a copy");
    let (cache, elsewhere) = (repo.state().join("cache"), repo.root().join("disk"));
    fs::rename(&cache, &elsewhere).expect("it is moved");
    std::os::unix::fs::symlink(&elsewhere, &cache).expect("a link");
    let done = repo.json(&["forget", "Umbragrove", "--yes"]);
    assert_eq!(done["left"], json!([]), "{done}");
    assert_eq!(stands_in(&repo, "Umbragrove"), Vec::<PathBuf>::new());
    fs::write(elsewhere.join("left"), "Umbragrove").expect("a file");
    let done = repo.json(&["forget", "Umbragrove", "--yes"]);
    // All caches are deleted; copies elsewhere are reported.
    assert_eq!(done["left"], json!([]), "{done}");
    fs::write(repo.state().join("strange"), "x".repeat((1 << 20) - 3) + "Umbragrove").expect("a file");
    let done = repo.json(&["forget", "Umbragrove", "--yes"]);
    assert_eq!(texts_of(&done["left"]), [repo.state().join("strange").display().to_string()]);
}

fn texts_of(list: &serde_json::Value) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|one| one.as_str().expect("a text").to_string()).collect()
}
