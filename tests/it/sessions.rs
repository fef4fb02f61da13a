//! Tests of development sessions: tracked logs, transcripts with consent, and notes. Every entry is found once, and
//! none is lost.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{TestRepo, column, figure, held, secrets, standing, texts, until, verified};

/// Returns a session log in the form people write them.
pub fn log(id: &str, decisions: &[&str]) -> String {
    let decisions: String = decisions.iter().map(|decision| format!("- {decision}\n")).collect();
    format!(
        "# Session: making the parser faster\n**ID**: {id}\n**Started**: 2025-06-15T09:00:00Z\n**Git Branch**: main\n\n\
         ## Goals\n- [x] make src/parser.rs faster\n- [ ] write the benchmark\n\n## Activity Log\n### 09:30 - Measuring\n\n\
         **Work Completed:**\n- Profiled src/parser.rs and found the copies\n\n**Key Decisions:**\n{decisions}\n\
         **Challenges & Solutions:**\n- Challenge: the arena outlived its tokens\n  - Solution: tokens borrow from the arena\n"
    )
}

pub fn entries(repo: &TestRepo, id: &str) -> Vec<(String, String)> {
    let shown = repo.json(&["session", "show", id]);
    let list = shown["entries"].as_array().expect("a list");
    let text = |entry: &Value, field: &str| entry[field].as_str().expect("a text").to_string();
    list.iter().map(|entry| (text(entry, "category"), text(entry, "content"))).collect()
}

pub fn decisions(repo: &TestRepo, id: &str) -> Vec<String> {
    entries(repo, id).into_iter().filter(|(category, _)| category == "decision").map(|(_, content)| content).collect()
}

pub fn sessions(repo: &TestRepo) -> Vec<String> {
    texts(&repo.json(&["session", "list"])["sessions"], "id")
}

pub fn appended(repo: &TestRepo) -> i64 {
    repo.count("SELECT count(*) FROM event")
}

pub const LOG: &str = "notes/sessions/20250615-090000.md";

#[test]
fn a_tracked_log_is_read_like_any_file_at_head() {
    let repo = TestRepo::new();
    repo.commit_files(&[("src/parser.rs", "pub fn parse() {}\n"), ("README.md", "# A project\n")], "A parser");
    repo.commit_files(&[(LOG, &log("20250615-090000", &["Use an arena because copies cost most"]))], "A session");
    repo.reindex();
    assert_eq!(sessions(&repo), ["20250615-090000"]);
    let said = entries(&repo, "20250615-090000");
    let has = |category: &str, content: &str| said.contains(&(category.to_string(), content.to_string()));
    assert!(has("goal", "make src/parser.rs faster") && has("goal", "write the benchmark"), "{said:?}");
    assert!(has("decision", "Use an arena because copies cost most"), "{said:?}");
    assert!(said.iter().any(|(category, content)| category == "challenge" && content.contains("tokens borrow")));
    let hits = repo.json(&["query", "why an arena", "--kind", "decision"]);
    assert_eq!(hits["hits"][0]["path"], json!(LOG));
    let line = hits["hits"][0]["line"].as_u64().expect("a line") as usize;
    let text = fs::read_to_string(repo.path.join(LOG)).expect("the log");
    assert!(text.lines().nth(line - 1).expect("there is such a line").contains("Use an arena"), "line {line}");
    assert_eq!(hits["hits"][0]["evidence"][0]["kind"], "session", "{hits}");
    verified(&repo, "a log");
}

#[test]
fn an_edited_log_says_what_it_says_now() {
    let repo = TestRepo::new();
    let id = "20250615-090000";
    let first = repo.commit_files(&[(LOG, &log(id, &["Use an arena", "Keep the old lexer"]))], "A session");
    repo.reindex();
    let whole = appended(&repo);
    repo.commit_files(&[(LOG, &log(id, &["Use an arena", "Write a new lexer"]))], "Changed our mind");
    repo.reindex();
    assert_eq!(decisions(&repo, id), ["Use an arena", "Write a new lexer"]);
    let decided = "SELECT content FROM eventlog WHERE event_type = 'session.decision' ORDER BY content";
    assert_eq!(column(&repo, decided), ["Use an arena", "Write a new lexer"]);
    let new = appended(&repo) - whole;
    assert_eq!(new, 4, "a commit, a file, a reading and one entry");
    verified(&repo, "an edit");
    repo.git(&["checkout", "-q", &first]);
    assert_eq!(repo.reindex(), 0, "what was said stays known");
    assert_eq!(decisions(&repo, id), ["Use an arena", "Keep the old lexer"]);
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["rm", "-q", LOG]);
    repo.commit("Sessions are elsewhere now");
    repo.reindex();
    assert!(sessions(&repo).is_empty() && column(&repo, decided).is_empty());
    verified(&repo, "a log that was removed");
}

#[test]
fn each_worktree_has_the_sessions_of_its_own_head() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.txt", "a\n")], "Begin");
    let other = repo.root().join("other");
    repo.git(&["worktree", "add", "-q", "-b", "other", &other.display().to_string()]);
    let other = repo.at(&other);
    other.commit_files(&[(LOG, &log("20250615-090000", &["Only here"]))], "A session");
    repo.reindex();
    assert!(sessions(&repo).is_empty());
    assert_eq!(decisions(&other, "20250615-090000"), ["Only here"]);
}

#[test]
fn of_two_logs_with_one_id_the_fullest_is_told() {
    let repo = TestRepo::new();
    repo.commit_files(&[("src/parser.rs", "pub fn parse() {}\n"), ("src/other.rs", "pub fn other() {}\n")], "begin");
    let pointer = "# Session: see there\n**ID**: 20250615-090000\n**Started**: 2025-06-15T09:00:00Z\n\n\
        ## Goals\n- [ ] look at src/other.rs\n";
    let full = log("20250615-090000", &["Use an arena because copies cost most"]);
    repo.commit_files(&[("notes/sessions/20250615-090000-a.md", pointer), (LOG, &full)], "two logs");
    repo.reindex();
    let first = &repo.json(&["session", "show", "20250615-090000"])["entries"][0];
    assert_eq!((&first["n"], &first["files"]), (&json!(1), &json!(["src/parser.rs"])));
    let near = texts(&repo.json(&["related", "session:20250615-090000/1"])["hits"], "key");
    assert!(near.contains(&"src/parser.rs".to_string()) && !near.contains(&"src/other.rs".to_string()), "{near:?}");
}

#[test]
fn the_log_shows_what_sessions_say_and_reads_a_path_from_where_one_stands() {
    let repo = TestRepo::new();
    repo.commit_files(&[("src/a file%.rs", "pub fn parse() {}\n")], "A parser");
    repo.commit_files(&[(LOG, &log("20250615-090000", &["Use an arena because copies cost most"]))], "A session");
    repo.reindex();
    let page = repo.patina(&["log", "--type", "session."]).stdout;
    assert!(page.contains("session.decision Use an arena because copies cost most"), "{page}");
    assert!(page.contains("making the parser faster"), "{page}");
    let src = repo.at(repo.path.join("src"));
    let here = src.json(&["log", "--type", "", "--path", "a file%.rs"])["events"].as_array().map(Vec::len);
    assert!(here.is_some_and(|events| events > 0), "{here:?}");
    for path in ["src/a file%.rs", "./a file%.rs", &repo.path.join("src/a file%.rs").display().to_string()] {
        assert_eq!(src.json(&["log", "--type", "", "--path", path])["events"].as_array().map(Vec::len), here, "{path}");
    }
}

#[test]
fn what_is_written_by_hand_is_found_everywhere_and_stays() {
    let repo = TestRepo::new();
    repo.commit_files(&[("src/parser.rs", "pub fn parse() {}\n")], "A parser");
    repo.reindex();
    let src = repo.at(repo.path.join("src"));
    let noted =
        src.json(&["note", "--decision", "Parse twice, because the first pass is cheap", "--files", "parser.rs"]);
    assert_eq!((&noted["key"], &noted["files"]), (&json!("session:notes/1"), &json!(["src/parser.rs"])));
    let noted = src.json(&["note", "--goal", "Be fast", "--files", "parser.rs, ../b.rs"]);
    assert_eq!(noted["files"], json!(["src/parser.rs", "b.rs"]));
    fs::write(repo.path.join("a,b.rs"), "").expect("a file");
    let noted = repo.json(&["note", "--goal", "Be fast", "--files", "a,b.rs"]);
    assert_eq!(noted["files"], json!(["a,b.rs"]), "what is there is meant");
    assert_eq!(entries(&repo, "notes").len(), 3, "the same said twice is two entries");
    assert_eq!(repo.json(&["query", "parse twice"])["hits"][0]["key"], "session:notes/1");
    verified(&repo, "notes");
    fs::remove_dir_all(repo.state().join("cache")).expect("the cache goes");
    repo.reindex();
    assert_eq!(entries(&repo, "notes").len(), 3);
    for wrong in
        [vec!["note", "--decision", "  "], vec!["note", "text"], vec!["note", "--goal", "x", "--files", "../../x"]]
    {
        assert_eq!(repo.try_patina(&wrong).code, 2, "{wrong:?}");
    }
    let outside = repo.try_patina(&["note", "--goal", "x", "--files", "../../x"]).stderr;
    assert!(outside.contains("outside this worktree"), "{outside}");
}

#[test]
fn an_exported_session_is_read_back_as_it_was() {
    let repo = TestRepo::new();
    let id = "20250615-090000";
    repo.commit_files(&[(LOG, &log(id, &["Use an arena\n  - copies cost most", "Keep the lexer"]))], "A session");
    repo.reindex();
    let before = entries(&repo, id);
    let exported = repo.patina(&["session", "export", id, "--md"]).stdout;
    repo.commit_files(&[(LOG, &exported)], "The same, exported");
    repo.reindex();
    assert_eq!(entries(&repo, id), before, "{exported}");
    assert_eq!(repo.patina(&["session", "export", id, "--md"]).stdout, exported);
}

/// A transcript that grows, in the test's own home folder.
pub struct Transcript {
    path: PathBuf,
    pub id: String,
    pub cwd: String,
    written: u32,
}

impl Transcript {
    pub fn new(repo: &TestRepo, id: &str) -> Self {
        let top = fs::canonicalize(&repo.path).expect("it is there");
        let name: String =
            top.to_string_lossy().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let folder = repo.root().join("home/.claude/projects").join(name);
        fs::create_dir_all(&folder).expect("a folder");
        let cwd = top.to_string_lossy().into_owned();
        Transcript { path: folder.join(format!("{id}.jsonl")), id: id.to_string(), cwd, written: 0 }
    }

    /// Returns the transcript of a session that ran in a subfolder.
    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.cwd = fs::canonicalize(folder).expect("it is there").to_string_lossy().into_owned();
        self
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn line(&mut self, said: &str) -> String {
        self.written += 1;
        let line = json!({
            "type": "assistant", "uuid": format!("{}-{}", self.id, self.written), "sessionId": self.id, "cwd": self.cwd,
            "timestamp": format!("2025-06-15T10:{:02}:{:02}.000Z", self.written / 60 % 60, self.written % 60), "gitBranch": "main", "version": "2.0.1",
            "message": {"role": "assistant", "id": format!("m{}", self.written), "stop_reason": "end_turn",
                        "content": [{"type": "text", "text": said}]},
        });
        format!("{line}\n")
    }

    /// Appends a command that succeeds.
    pub fn run(&mut self, command: &str) {
        self.call(
            "Bash",
            json!({"command": command}),
            json!({"stdout": command, "stderr": "", "interrupted": false}),
            "done",
        );
    }

    /// Appends a commit, with git's output.
    pub fn commit(&mut self, sha: &str, subject: &str) {
        let told = format!("[main {}] {subject}\n 1 file changed, 1 insertion(+)", &sha[..7]);
        let result = json!({"stdout": told, "stderr": "", "interrupted": false});
        self.call("Bash", json!({"command": format!("git commit -am '{subject}'")}), result, &told);
    }

    /// Appends an edit of a file.
    pub fn edit(&mut self, file: &Path) {
        let input = json!({"file_path": file, "old_string": "a", "new_string": "b"});
        self.call("Edit", input, json!({"filePath": file}), "done");
    }

    /// Appends a tool call that succeeds.
    fn call(&mut self, tool: &str, input: Value, result: Value, output: &str) {
        self.written += 1;
        let common = json!({
            "sessionId": self.id, "cwd": self.cwd, "timestamp": "2025-06-15T11:00:00.000Z", "gitBranch": "main", "version": "2.0.1",
        });
        let call = format!("t{}", self.written);
        let mut asked = common.clone();
        asked["type"] = json!("assistant");
        asked["uuid"] = json!(format!("{}-{}", self.id, self.written));
        asked["message"] = json!({"role": "assistant", "id": format!("m{}", self.written), "stop_reason": "tool_use",
            "content": [{"type": "tool_use", "id": call, "name": tool, "input": input}]});
        let mut ended = common;
        ended["type"] = json!("user");
        ended["uuid"] = json!(format!("{}-{}-r", self.id, self.written));
        ended["message"] =
            json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": call, "content": output}]});
        ended["toolUseResult"] = result;
        self.append(&format!("{asked}\n{ended}\n"));
    }

    pub fn append(&self, text: &str) {
        let mut file = File::options().append(true).create(true).open(&self.path).expect("it opens");
        file.write_all(text.as_bytes()).expect("it is written");
    }

    pub fn say(&mut self, said: &str) {
        let line = self.line(said);
        self.append(&line);
    }
}

pub fn decided(what: u32) -> String {
    format!("Decision: we use plan number {what} because the others are slower.")
}

/// Consents to reading Claude's transcripts of a repository.
pub fn consent(repo: &TestRepo) {
    fs::create_dir_all(repo.root().join("home/.claude")).expect("a home");
    // The original settings are kept in the data folder beside the models, and the tests share one.
    let own = repo.root().join("home/.local/share/patina").display().to_string();
    repo.with("PATINA_DATA_DIR", &own).patina(&["hook", "install", "--agent", "claude", "--yes"]);
}

/// Counts the indexed decisions of a transcript, and checks that each is there once.
pub fn known(repo: &TestRepo, id: &str) -> usize {
    if !sessions(repo).contains(&id.to_string()) {
        return 0;
    }
    let mut all = decisions(repo, id);
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count, "nothing is taken twice");
    count
}

#[test]
fn a_transcript_is_read_only_where_it_was_consented_to() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.txt", "a\n")], "Begin");
    let mut transcript = Transcript::new(&repo, "11111111-2222-3333-4444-555555555555");
    transcript.say(&decided(1));
    repo.reindex();
    assert!(sessions(&repo).is_empty());
    consent(&repo);
    repo.reindex();
    assert_eq!(known(&repo, &transcript.id), 1);
    assert_eq!(repo.json(&["query", "plan number 1"])["hits"][0]["path"], Value::Null);
    repo.patina(&["hook", "uninstall", "--agent", "claude"]);
    transcript.say(&decided(2));
    repo.reindex();
    assert_eq!(known(&repo, &transcript.id), 1, "what was taken stays, and nothing more comes");
    verified(&repo, "consent that was withdrawn");
}

#[test]
fn whatever_becomes_of_a_transcript_nothing_is_lost_or_taken_twice() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.txt", "a\n")], "Begin");
    consent(&repo);
    let mut transcript = Transcript::new(&repo, "aaaaaaaa-2222-3333-4444-555555555555");
    let id = transcript.id.clone();
    for what in 0..3 {
        transcript.say(&decided(what));
    }
    repo.reindex();
    assert_eq!(known(&repo, &id), 3);
    assert_eq!(repo.reindex(), 0, "what did not change is not read again");

    let line = transcript.line(&decided(3));
    let (half, rest) = line.split_at(line.len() / 2);
    transcript.append(half);
    repo.reindex();
    assert_eq!(known(&repo, &id), 3, "half a line is none");
    transcript.append(rest);
    repo.reindex();
    assert_eq!(known(&repo, &id), 4);

    let text = fs::read_to_string(&transcript.path).expect("it reads");
    let first: String = text.lines().take(1).map(|line| format!("{line}\n")).collect();
    fs::write(&transcript.path, first).expect("it is cut short");
    repo.reindex();
    assert_eq!(known(&repo, &id), 4, "cut short, and nothing is lost");
    transcript.say(&decided(9));
    repo.reindex();
    assert_eq!(known(&repo, &id), 5);

    let aside = transcript.path.with_extension("jsonl.1");
    fs::rename(&transcript.path, &aside).expect("it is turned over");
    transcript.say(&decided(10));
    repo.reindex();
    assert_eq!(known(&repo, &id), 6, "turned over");
    transcript.append("{\"type\":\"news-of-tomorrow\"}\nno json at all\n\u{0}\u{1}\n");
    transcript.say(&decided(11));
    repo.reindex();
    assert_eq!(known(&repo, &id), 7, "what is not understood stands in nobody's way");
    verified(&repo, "a transcript's life");

    fs::remove_file(&transcript.path).expect("it goes");
    fs::remove_dir_all(repo.state().join("cache")).expect("the cache goes");
    repo.reindex();
    assert_eq!(known(&repo, &id), 7, "the log knows what exists nowhere else");
    repo.patina(&["reindex", "--full"]);
    assert_eq!(known(&repo, &id), 7);
    repo.patina(&["gc", "--days", "0"]);
    assert_eq!(known(&repo, &id), 7);
    verified(&repo, "a transcript's end");
}

#[test]
fn two_sessions_at_once_and_a_thousand_lines_between_two_looks() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.txt", "a\n")], "Begin");
    consent(&repo);
    let mut both = ["bbbbbbbb-0000-0000-0000-000000000001", "bbbbbbbb-0000-0000-0000-000000000002"]
        .map(|id| Transcript::new(&repo, id));
    for what in 0..1000 {
        both[0].say(&decided(what));
        both[1].say(&decided(what + 5000));
    }
    repo.reindex();
    for transcript in &both {
        assert_eq!(known(&repo, &transcript.id), 1000);
    }
}

#[test]
fn a_hook_of_the_agent_is_heard() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.txt", "a\n")], "Begin");
    repo.reindex();
    consent(&repo);
    let mut transcript = Transcript::new(&repo, "cccccccc-2222-3333-4444-555555555555");
    transcript.say(&decided(1));
    let ringing = repo.ringing();
    let heard = json!({
        "session_id": transcript.id, "transcript_path": transcript.path, "cwd": transcript.cwd, "hook_event_name": "SessionEnd", "reason": "exit",
    });
    let settings = fs::read_to_string(repo.root().join("home/.claude/settings.json")).expect("settings");
    let settings: Value = serde_json::from_str(&settings).expect("JSON");
    let command = settings["hooks"]["SessionEnd"][0]["hooks"][0]["command"].as_str().expect("a command").to_string();
    let mut shell = ringing.command("sh");
    shell.args(["-c", &command]).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = shell.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(heard.to_string().as_bytes()).expect("it reads");
    // Keeps stdin open: an agent may never close it.
    let ended = child.wait_with_output().expect("it ends");
    drop(stdin);
    assert!(ended.status.success() && ended.stdout.is_empty(), "{ended:?}");
    until("the session to be taken in", || known(&repo, &transcript.id) == 1);
    repo.rest();
}

/// Returns every file below the state folder, with its bytes.
fn state_files(repo: &TestRepo) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut files, mut folders) = (Vec::new(), vec![repo.state()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => files.push((path.clone(), fs::read(&path).expect("it reads"))),
            }
        }
    }
    files
}

/// Returns the files of the state folder that contain a text.
pub fn stands_in(repo: &TestRepo, text: &str) -> Vec<PathBuf> {
    let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    state_files(repo).into_iter().filter(|(_, bytes)| holds(bytes)).map(|(path, _)| path).collect()
}

#[test]
fn nothing_planted_in_a_session_is_kept_or_said() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.txt", "a\n")], "Begin");
    consent(&repo);
    let [in_log, in_speech, in_commands, in_notes] = [4, 5, 6, 7].map(secrets);
    let indented = |line: &str| line.replace('\n', "\n  ");
    let decisions: Vec<String> =
        in_log.iter().map(|one| format!("We sign in like this:\n  {}", indented(&one.line))).collect();
    let decisions: Vec<&str> = decisions.iter().map(String::as_str).collect();
    repo.commit_files(&[(LOG, &log("20250615-090000", &decisions))], "A session");
    let mut transcript = Transcript::new(&repo, "99999999-2222-3333-4444-555555555555");
    for (number, one) in in_speech.iter().enumerate() {
        transcript.say(&format!("Decision: we sign in by way {number} because it works.\n\n{}\n", one.line));
    }
    in_commands.iter().for_each(|one| transcript.run(&one.line));
    repo.reindex();
    // Notes have a length limit.
    let short: Vec<_> = in_notes.iter().filter(|one| one.line.len() < 2_000).collect();
    for one in short.iter().step_by(short.len() / 10) {
        repo.patina(&["note", "--decision", &format!("Sign in so:\n{}", one.line)]);
    }
    let all = [in_log, in_speech, in_commands, in_notes].concat();
    let kept = held(&repo.state(), &all);
    assert!(kept.is_empty(), "{} of {} are kept:\n{}", kept.len(), all.len(), kept.join("\n"));
    assert!(known(&repo, &transcript.id) > 50, "they were read");
    let commands = entries(&repo, &transcript.id).into_iter().filter(|(category, _)| category == "command").count();
    assert!(commands > 50, "{commands} commands were read");
    for question in [
        &["session", "show", "20250615"][..],
        &["session", "show", &transcript.id],
        &["session", "export", "20250615", "--md"],
        &["--json", "query", "how do we sign in", "-k", "200"],
        &["--json", "log", "--type", "", "-k", "10000"],
    ] {
        let ran = repo.with("PATINA_LOG", "trace").patina(question);
        let said = standing(&[ran.stdout.as_bytes(), ran.stderr.as_bytes()].concat(), &all);
        assert!(said.is_empty(), "patina {question:?} says {said:#?}");
    }
    figure(&format!("secrets: {} planted in sessions, none kept or said", all.len()));
}

#[test]
fn a_file_from_anywhere_is_imported_by_name() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.txt", "a\n")], "Begin");
    repo.reindex();
    let path = repo.root().join("elsewhere.md");
    fs::write(&path, log("20250615-090000", &["From elsewhere"])).expect("a file");
    let file = path.display().to_string();
    let taken = repo.json(&["session", "import", &file]);
    assert_eq!(taken["sessions"][0]["id"], "20250615-090000");
    assert_eq!(repo.json(&["session", "import", &file])["sessions"][0]["new"], 0, "twice is once");
    assert_eq!(decisions(&repo, "20250615-090000"), ["From elsewhere"]);
    let mut transcript = Transcript::new(&repo, "77777777-2222-3333-4444-555555555555");
    transcript.say(&decided(1));
    let taken = repo.json(&["session", "import", &transcript.path.display().to_string()]);
    assert_eq!((&taken["sessions"][0]["id"], &taken["sessions"][0]["new"]), (&json!(transcript.id), &json!(1)));
    let rollout = repo.root().join("rollout.jsonl");
    let cwd = &transcript.cwd;
    fs::write(
        &rollout,
        [
            json!({"timestamp": "2026-03-01T10:00:00.000Z", "type": "session_meta",
                   "payload": {"id": "0195-a", "timestamp": "2026-03-01T10:00:00.000Z", "cwd": cwd, "cli_version": "0.46.0"}}),
            json!({"timestamp": "2026-03-01T10:00:02.000Z", "type": "response_item",
                   "payload": {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": decided(2)}]}}),
            json!({"timestamp": "2026-03-01T10:00:03.000Z", "type": "event_msg",
                   "payload": {"type": "task_complete", "last_agent_message": decided(2)}}),
        ]
        .map(|line| format!("{line}\n"))
        .concat(),
    )
    .expect("a rollout");
    let taken = repo.json(&["session", "import", &rollout.display().to_string()]);
    assert_eq!((&taken["sessions"][0]["id"], &taken["sessions"][0]["new"]), (&json!("0195-a"), &json!(1)), "{taken}");
    let no = repo.try_patina(&["session", "import", "a.txt"]);
    assert_eq!(no.code, 1, "{}", no.stderr);
    assert!(no.stderr.contains("no session"), "{}", no.stderr);
}
