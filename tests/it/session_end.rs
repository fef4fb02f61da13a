//! Tests of `patina session end`, as agents call it: it accepts any input, and neither waits nor fails.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{PATINA, Ran, TestRepo, put, ran, until};

/// Far longer than the command takes. In these tests stdin never ends, so a command that waits for it exceeds this.
const SOON: Duration = Duration::from_secs(10);

/// Creates a repository with consent to read Claude's transcripts, and one transcript.
fn consented() -> (TestRepo, PathBuf) {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.rs", "fn a() {}\n")], "begin");
    repo.patina(&["hook", "install", "--agent", "claude", "--yes"]);
    let transcript = repo.root().join("home/.claude/projects/-w/1.jsonl");
    put(&transcript, b"{}\n", 0o600);
    (repo.ringing(), transcript)
}

fn message(repo: &TestRepo, transcript: &PathBuf) -> String {
    json!({"session_id": "1", "transcript_path": transcript, "cwd": repo.path, "hook_event_name": "Stop"}).to_string()
}

fn start(repo: &TestRepo, agent: &str) -> (Child, UnixStream) {
    let (stdin, theirs) = UnixStream::pair().expect("a pair");
    let mut command = repo.command(PATINA);
    command.args(["session", "end", "--agent", agent]);
    command.stdin(OwnedFd::from(theirs)).stdout(Stdio::piped()).stderr(Stdio::piped());
    (command.spawn().expect("it starts"), stdin)
}

/// Runs `session end`, writes `pieces` to stdin before it exits and `late` after that, and keeps stdin open meanwhile.
/// Waits until the process that reads the rest of stdin has ended too.
fn told_late(repo: &TestRepo, agent: &str, pieces: &[&[u8]], late: &[&[u8]]) -> Ran {
    let (mut child, mut stdin) = start(repo, agent);
    let mut write = |pieces: &[&[u8]]| {
        for piece in pieces {
            // The command may have exited already, because it had read enough.
            let _ = stdin.write_all(piece).and_then(|()| stdin.flush());
            std::thread::sleep(Duration::from_millis(2));
        }
    };
    write(pieces);
    let begun = Instant::now();
    while child.try_wait().expect("it is ours").is_none() {
        assert!(begun.elapsed() < SOON, "it waits for stdin to end");
        std::thread::sleep(Duration::from_millis(1));
    }
    write(late);
    stdin.shutdown(Shutdown::Write).expect("it is open");
    stdin.set_read_timeout(Some(SOON)).expect("a time");
    // If a piece was not read, the read fails with an error.
    let left = stdin.read(&mut [0]);
    assert!(
        left.as_ref().is_ok_and(|length| *length == 0)
            || left.is_err_and(|error| error.kind() != ErrorKind::WouldBlock)
    );
    let ended = child.wait_with_output().expect("it ended");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran {
        code: ended.status.code().unwrap_or(-1),
        stdout: text(&ended.stdout),
        stderr: text(&ended.stderr),
        bytes: ended.stdout,
    }
}

fn told(repo: &TestRepo, agent: &str, pieces: &[&[u8]]) -> Ran {
    told_late(repo, agent, pieces, &[])
}

fn silent_success(ran: &Ran) {
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
}

/// Returns the session notices in the inbox.
fn letters(repo: &TestRepo) -> Vec<Value> {
    let entries = fs::read_dir(repo.state().join("inbox")).into_iter().flatten().flatten();
    entries.map(|entry| serde_json::from_slice(&fs::read(entry.path()).expect("a letter")).expect("JSON")).collect()
}

fn rings(repo: &TestRepo) -> u64 {
    fs::metadata(repo.state().join("wake")).map_or(0, |meta| meta.len())
}

/// Holds the worker's lock, so that the worker reads no notice.
fn held(repo: &TestRepo) -> fs::File {
    repo.lock()
}

#[test]
fn a_session_that_ends_is_in_the_inbox_and_rings() {
    let (repo, transcript) = consented();
    let lock = held(&repo);
    let before = rings(&repo);
    silent_success(&told(&repo, "claude", &[message(&repo, &transcript).as_bytes()]));
    silent_success(&told(&repo, "claude", &[message(&repo, &transcript).as_bytes(), b"\n"]));
    let real = fs::canonicalize(&transcript).expect("it is there");
    assert_eq!(letters(&repo), [json!({"agent": "claude", "transcript": real})]);
    assert_eq!(rings(&repo), before + 2);
    lock.unlock().expect("it is ours");
    repo.rest();
}

#[test]
fn the_worker_is_started_and_takes_in_what_moved() {
    let (repo, transcript) = consented();
    silent_success(&told(&repo, "claude", &[message(&repo, &transcript).as_bytes()]));
    let head = repo.head();
    until("the worker", || {
        let status = repo.silent().try_patina(&["--json", "status"]).stdout;
        serde_json::from_str::<Value>(&status).is_ok_and(|status| status["indexed_commit"] == head.as_str())
    });
    repo.rest();
}

#[test]
fn a_message_in_pieces_from_a_stdin_that_stays_open_is_heard() {
    let (repo, transcript) = consented();
    let lock = held(&repo);
    let message = message(&repo, &transcript);
    let pieces: Vec<&[u8]> = message.as_bytes().chunks(7).collect();
    silent_success(&told(&repo, "claude", &pieces));
    assert_eq!(letters(&repo).len(), 1);
    lock.unlock().expect("it is ours");
    repo.rest();
}

#[test]
fn whoever_is_slow_is_waited_for_and_waits_for_nobody() {
    let (repo, transcript) = consented();
    let lock = held(&repo);
    let message = message(&repo, &transcript);
    let (first, rest) = message.as_bytes().split_at(20);
    silent_success(&told_late(&repo, "claude", &[], &[first, rest]));
    assert_eq!(letters(&repo).len(), 1);
    lock.unlock().expect("it is ours");
    repo.rest();
}

#[test]
fn whoever_calls_it_wrongly_never_hears_of_it() {
    let repo = TestRepo::new();
    for words in [&["--nope"][..], &["--agent"], &["--agent", "claude", "more"], &["--json", "--nope"]] {
        silent_success(&ran(repo.command(PATINA).args(["session", "end"]).args(words)));
    }
    silent_success(&ran(repo.command(PATINA).args(["-C", "/nowhere", "session", "end"])));
    assert_eq!(ran(repo.command(PATINA).args(["session", "begin"])).code, 2);
    assert_eq!(ran(repo.command(PATINA).args(["-C", "/nowhere", "session", "list"])).code, 2);
}

#[test]
fn garbage_and_silence_are_nothing() {
    let (repo, transcript) = consented();
    let before = rings(&repo);
    let half = message(&repo, &transcript);
    let elsewhere = json!({"transcript_path": transcript, "cwd": repo.root()}).to_string();
    let pieces: [&[u8]; 8] = [
        b"",
        b"{",
        b"\xff\x00\xfe}",
        b"[1, 2]",
        b"{\"cwd\": 7}",
        b"{\"cwd\": \"/no/such/folder\"}",
        &half.as_bytes()[..half.len() - 1],
        elsewhere.as_bytes(),
    ];
    for piece in pieces {
        silent_success(&told(&repo, "claude", &[piece]));
    }
    let closed = ran(repo.command(PATINA).args(["session", "end", "--agent", "claude"]));
    silent_success(&closed);
    assert_eq!((letters(&repo).len(), rings(&repo)), (0, before));
}

#[test]
fn without_consent_nothing_is_written() {
    let (repo, transcript) = consented();
    let message = message(&repo, &transcript);
    let before = rings(&repo);
    silent_success(&told(&repo, "codex", &[message.as_bytes()]));
    silent_success(&told(&repo.silent(), "claude", &[message.as_bytes()]));
    repo.patina(&["hook", "disable"]);
    silent_success(&told(&repo, "claude", &[message.as_bytes()]));
    repo.patina(&["hook", "enable"]);
    repo.patina(&["hook", "uninstall", "--agent", "claude"]);
    silent_success(&told(&repo, "claude", &[message.as_bytes()]));
    assert_eq!((letters(&repo).len(), rings(&repo)), (0, before));
    let other = TestRepo::new();
    other.commit("untouched");
    silent_success(&told(&other.ringing(), "claude", &[self::message(&other, &transcript).as_bytes()]));
    silent_success(&told(&other.ringing(), "gemini", &[self::message(&other, &transcript).as_bytes()]));
    assert!(!other.state().exists(), "a repository that patina does not know stays as it is");
}

#[test]
fn a_transcript_elsewhere_is_not_followed() {
    let (repo, transcript) = consented();
    let outside = repo.root().join("home/.claude/secret.jsonl");
    put(&outside, b"{}\n", 0o600);
    let link = transcript.with_file_name("link.jsonl");
    std::os::unix::fs::symlink(&outside, &link).expect("a link");
    let lock = held(&repo);
    for path in [outside, link, transcript.join("../../../secret.jsonl"), PathBuf::from("1.jsonl")] {
        silent_success(&told(&repo, "claude", &[message(&repo, &path).as_bytes()]));
    }
    assert_eq!(letters(&repo).len(), 0);
    lock.unlock().expect("it is ours");
    repo.rest();
}

#[test]
fn an_agent_that_is_not_read_rings_where_patina_is_known() {
    let (repo, _) = consented();
    let lock = held(&repo);
    let before = rings(&repo);
    let message = json!({"workspace_roots": [repo.path], "hook_event_name": "stop"}).to_string();
    silent_success(&told(&repo, "cursor", &[message.as_bytes()]));
    assert_eq!((letters(&repo).len(), rings(&repo)), (0, before + 1));
    lock.unlock().expect("it is ours");
    repo.rest();
}

#[test]
fn what_stands_in_the_settings_works_in_a_shell_and_waits_for_nobody() {
    let (repo, transcript) = consented();
    let settings = fs::read(repo.root().join("home/.claude/settings.json")).expect("settings");
    let settings: Value = serde_json::from_slice(&settings).expect("JSON");
    let line = settings["hooks"]["SessionEnd"][0]["hooks"][0]["command"].as_str().expect("a line").to_string();
    let lock = held(&repo);
    let mut command = repo.command("sh");
    command.args(["-c", &line]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("a shell");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(message(&repo, &transcript).as_bytes()).expect("it is read");
    // The worker must not inherit the pipes that an agent waits on.
    let ended = child.wait_with_output().expect("it ends");
    drop(stdin);
    assert!(ended.status.success() && ended.stdout.is_empty() && ended.stderr.is_empty());
    until("the letter", || letters(&repo).len() == 1);
    lock.unlock().expect("it is ours");
    repo.rest();
    let gone = ran(repo.command("sh").args(["-c", &line.replace(PATINA, "/no/such/patina")]));
    silent_success(&gone);
}
