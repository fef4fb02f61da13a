//! Adds notes to a log through the library: events that cannot be derived again from git.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use patina::event::{Fact, Idem, Origin};
use patina::eventlog::Eventlog;

use super::TestRepo;

/// Returns a note as an event with every kind of column value.
fn note(text: &str) -> Fact {
    let odd = text.len() % 2 == 1;
    Fact {
        event_type: "session.note".into(),
        at: (!odd).then(|| 1_750_000_000 - 700_000_000 * (text.len() as i64 % 5)),
        origin: Origin::Session,
        source_file: odd.then(|| "notes/today.md".into()),
        idem: Idem::of("session.note", &[text.as_bytes()]),
        data: serde_json::json!({"content": text}).to_string(),
    }
}

impl TestRepo {
    /// Appends notes, each acknowledged separately.
    pub fn note(&self, texts: &[String]) {
        let mut log = Eventlog::open(&self.state().join("eventlog.db"), true).expect("the log opens");
        for text in texts {
            assert_eq!(log.append([&note(text)]).expect("it is appended").new, 1);
        }
    }

    /// Returns every note that plain SQL sees, in order.
    pub fn notes(&self) -> Vec<String> {
        let log = self.log();
        let sql = "SELECT content FROM eventlog WHERE event_type = 'session.note' ORDER BY seq";
        let mut statement = log.prepare(sql).expect("SQL");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("every note reads")
    }
}

/// Appends notes in another process, so that the shim affects it. After each note, the file `acknowledged` beside the
/// log grows by one byte.
pub fn note_elsewhere(repo: &TestRepo, texts: &[String]) {
    let mut command: Command = repo.command(std::env::current_exe().expect("a test runs"));
    command.args(["support::notes::appends_for_another_test", "--exact", "--ignored", "--quiet"]);
    command.env("PATINA_TEST_LOG", repo.state().join("eventlog.db")).env("PATINA_TEST_NOTES", texts.join("\n"));
    let ran = super::ran(&mut command);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

#[test]
#[ignore = "it is run by other tests, in a process of its own"]
fn appends_for_another_test() {
    let Some(path) = std::env::var_os("PATINA_TEST_LOG").map(PathBuf::from) else { return };
    let mut log = Eventlog::open(&path, true).expect("the log opens");
    let mut acknowledged =
        File::options().append(true).create(true).open(path.with_file_name("acknowledged")).expect("a file");
    for text in std::env::var("PATINA_TEST_NOTES").expect("notes").lines() {
        log.append([&note(text)]).expect("it is appended");
        acknowledged.write_all(b".").expect("it is written");
    }
}
