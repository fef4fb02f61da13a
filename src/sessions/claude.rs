//! Reader of Claude Code transcripts: one JSON object per line, whose kinds change between versions.
//!
//! It reads what the agent did and its final texts; never its thinking or tool output, and prompts only if requested.

use std::collections::HashSet;

use super::builder::{PendingCall, SessionBuilder};
use super::extract::TurnPosition;
use super::json_line::{self, Json};
use super::shell::{self, CommandOutcome};
use super::{ParsedSession, TranscriptOptions, TranscriptReader};

/// Known kinds of lines that contain nothing of interest.
const IGNORED_KINDS: &[&str] = &[
    "agent-color",
    "agent-name",
    "agent-setting",
    "attachment",
    "attribution-snapshot",
    "content-replacement",
    "cost-state",
    "file-history-delta",
    "file-history-snapshot",
    "frame-link",
    "last-prompt",
    "mode",
    "permission-mode",
    "pr-link",
    "progress",
    "queue-operation",
    "relocated",
    "result",
    "started",
    "system",
    "tag",
    "task-summary",
    "worktree-state",
];

/// Subtypes of system lines that mark the end of a turn.
const TURN_END_SUBTYPES: &[&str] = &["away_summary", "stop_hook_summary", "turn_duration"];

/// The most line ids that are remembered for deduplication.
const MAX_LINES: usize = 2_000_000;

/// Returns a reader of one transcript.
pub fn reader(options: TranscriptOptions) -> Box<dyn TranscriptReader> {
    Box::new(ClaudeReader {
        builder: SessionBuilder::new(options, "claude"),
        lines: HashSet::new(),
        copied: Vec::new(),
        leaves: Vec::new(),
        summary: None,
        ai_title: None,
        custom_title: None,
    })
}

/// Returns the folder that a line was written in; most lines state it.
pub fn cwd_of(line: &[u8]) -> Option<String> {
    Json::parse_line(line).0.iter().find_map(|object| object.at("cwd").text()).map(str::to_string)
}

/// The state of the reader.
struct ClaudeReader {
    builder: SessionBuilder,
    lines: HashSet<u64>,
    /// Other sessions found on the file's lines.
    copied: Vec<String>,
    /// Summaries, by the hash of the line they describe. That line may belong to another session.
    leaves: Vec<(u64, String)>,
    summary: Option<String>,
    ai_title: Option<String>,
    custom_title: Option<String>,
}

/// The most summaries that are remembered. Old versions also write those of other sessions.
const MAX_SUMMARIES: usize = 256;

/// The most branches recorded for one session.
const MAX_BRANCHES: usize = 32;

/// The most other sessions recorded for one file, since each costs another reading. A continued session names its chain
/// of predecessors.
const MAX_COPIED: usize = 16;

/// Hashes a line's UUID.
fn line_hash(uuid: &str) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(uuid.as_bytes()).as_bytes()[..8]);
    u64::from_le_bytes(first)
}

impl TranscriptReader for ClaudeReader {
    fn line(&mut self, line: &[u8]) {
        self.builder.begin_line();
        if json_line::trim_padding(line).is_empty() {
            return;
        }
        let (objects, is_whole) = Json::parse_line(line);
        for object in &objects {
            self.read(object);
        }
        if !is_whole {
            self.builder.skip_line();
        }
    }

    fn copied(&self) -> &[String] {
        &self.copied
    }

    fn finish(mut self: Box<Self>) -> ParsedSession {
        let own = self.leaves.iter().rev().find(|(leaf, _)| self.lines.contains(leaf));
        let title = self.custom_title.take().or(self.ai_title.take());
        let title = title.or_else(|| own.map(|(_, summary)| summary.clone()));
        // A file that contains only summaries describes other files.
        let title = title.or_else(|| self.summary.take().filter(|_| self.lines.is_empty()));
        self.builder.finish(title)
    }
}

impl ClaudeReader {
    /// Reads one object.
    fn read(&mut self, line: &Json) {
        let Some(kind) = line.at("type").text() else { return self.builder.skip_line() };
        // A fork begins with a copy of another session's lines.
        if !matches!(line.at("forkedFrom"), Json::Null) {
            return;
        }
        if let Some(session) = line.at("sessionId").text().filter(|session| !self.builder.takes_session(session)) {
            if self.copied.len() < MAX_COPIED && !self.copied.iter().any(|known| known == session) {
                self.copied.push(session.to_string());
            }
            return;
        }
        self.builder.line_id = line.at("uuid").text().map(line_hash);
        if let Some(id) = self.builder.line_id {
            let is_new = self.lines.len() >= MAX_LINES || self.lines.insert(id);
            if !is_new {
                return;
            }
        }
        self.read_context(line);
        match kind {
            "user" => self.read_user(line),
            "assistant" => self.read_assistant(line),
            "summary" => self.read_summary(line),
            "ai-title" => self.ai_title = line.at("aiTitle").text().map(str::to_string),
            "custom-title" if self.builder.takes_prompts() => {
                self.custom_title = line.at("customTitle").text().map(str::to_string);
            }
            "custom-title" => {}
            "system" if line.at("subtype").text().is_some_and(|kind| TURN_END_SUBTYPES.contains(&kind)) => {
                self.builder.settle_text(TurnPosition::Final);
            }
            kind if IGNORED_KINDS.contains(&kind) => {}
            _ => self.builder.skip_line(),
        }
    }

    /// Reads the time, folder, session and branch of an object.
    fn read_context(&mut self, line: &Json) {
        self.builder.set_time(line.at("timestamp").seconds());
        if let Some(cwd) = line.at("cwd").text() {
            self.builder.cwd = Some(cwd.to_string());
        }
        let head = &mut self.builder.reading.head;
        if let Some(id) = line.at("sessionId").text() {
            id.clone_into(&mut head.id);
        }
        if let Some(branch) = line.at("gitBranch").text().filter(|branch| !branch.is_empty() && *branch != "HEAD") {
            let is_known = head.branch.as_deref() == Some(branch) || head.branches.iter().any(|known| known == branch);
            if head.branch.is_none() {
                head.branch = Some(branch.to_string());
            } else if !is_known && head.branches.len() < MAX_BRANCHES {
                head.branches.push(branch.to_string());
            }
        }
    }

    /// Reads a summary line.
    fn read_summary(&mut self, line: &Json) {
        let Some(summary) = line.at("summary").text() else { return self.builder.skip_line() };
        self.summary = Some(summary.to_string());
        if let Some(leaf) = line.at("leafUuid").text().filter(|_| self.leaves.len() < MAX_SUMMARIES) {
            self.leaves.push((line_hash(leaf), summary.to_string()));
        }
    }

    /// Reads an assistant message.
    fn read_assistant(&mut self, line: &Json) {
        let message = line.at("message");
        let is_aside = line.at("isSidechain").is_bool(true);
        let is_failure =
            line.at("isApiErrorMessage").is_bool(true) || message.at("model").text() == Some("<synthetic>");
        if is_failure {
            return self.builder.settle_text(TurnPosition::MidTurn);
        }
        let content = message.at("content");
        if let Some(text) = content.text().filter(|_| !is_aside) {
            return self.read_text(text, message);
        }
        for block in content.list() {
            match block.at("type").text() {
                Some("text") if !is_aside => {
                    if let Some(text) = block.at("text").text() {
                        self.read_text(text, message);
                    }
                }
                Some("tool_use") => self.read_tool_call(block),
                _ => {}
            }
        }
    }

    /// Reads a text of the agent. Its stop reason gives its position in the turn.
    fn read_text(&mut self, text: &str, message: &Json) {
        match message.at("stop_reason").text() {
            Some("end_turn" | "stop_sequence" | "refusal") => self.builder.add_text(text, TurnPosition::Final),
            Some("tool_use" | "pause_turn") => self.builder.add_text(text, TurnPosition::MidTurn),
            _ => self.builder.add_unsettled_text(text),
        }
    }

    /// Reads a tool call.
    fn read_tool_call(&mut self, block: &Json) {
        let (id, input) = (block.at("id").text().unwrap_or_default(), block.at("input").nested());
        let path = |name: &str| input.at(name).text().map(str::to_string);
        let edits = |path: Option<String>| path.map(|path| PendingCall::Edit(vec![path]));
        let call = match block.at("name").text().unwrap_or_default() {
            "Read" => path("file_path").map(PendingCall::Read),
            "NotebookRead" => path("notebook_path").map(PendingCall::Read),
            "Edit" | "MultiEdit" | "Write" => edits(path("file_path")),
            "NotebookEdit" => edits(path("notebook_path")),
            "ExitPlanMode" | "exit_plan_mode" => path("plan").map(PendingCall::Plan),
            "Bash" => {
                let command = path("command").map(|script| shell::parse_command(&script, self.builder.cwd.as_deref()));
                command.map(PendingCall::Run)
            }
            "TodoWrite" => {
                let todos = input.at("todos").nested().into_owned();
                return self.builder.add_plan_steps(todos.list().iter().filter_map(|todo| todo.at("content").text()));
            }
            "TaskCreate" => return self.builder.add_plan_steps(input.at("subject").text().into_iter()),
            _ => None,
        };
        match call {
            Some(call) => self.builder.await_result(id, call),
            None => self.builder.settle_text(TurnPosition::MidTurn),
        }
    }

    /// Reads a user line: tool results or a prompt.
    fn read_user(&mut self, line: &Json) {
        let content = line.at("message").at("content");
        let mut is_answer = false;
        for block in content.list().iter().filter(|block| block.at("type").text() == Some("tool_result")) {
            is_answer = true;
            let id = block.at("tool_use_id").text().unwrap_or_default();
            if let Some(call) = self.builder.take_call(id) {
                let output = block.at("content").joined_text(&["text"]);
                let ended = outcome_of(block, line.at("toolUseResult"), &output, matches!(call, PendingCall::Run(_)));
                self.builder.finish_call(call, ended, &output);
            }
        }
        let is_typed = !["isMeta", "isCompactSummary", "isVisibleInTranscriptOnly", "isSidechain"]
            .iter()
            .any(|mark| line.at(mark).is_bool(true));
        if !is_answer && is_typed {
            self.builder.add_prompt(&content.joined_text(&["text"]));
        }
    }
}

/// Returns how a tool call ended.
///
/// A rejected or malformed call is reported as an error too, and had no effect.
fn outcome_of(block: &Json, result: &Json, output: &str, is_command: bool) -> CommandOutcome {
    if block.at("is_error").is_bool(true) {
        let code = output.trim_start().trim_start_matches("Error: ").strip_prefix("Exit code ");
        let code = code.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
        return match code {
            Some(code) if is_command => CommandOutcome::Exit(code),
            _ if !is_command || was_refused(output) => CommandOutcome::Never,
            _ => CommandOutcome::Failed,
        };
    }
    let runs_on =
        ["backgroundTaskId", "shellId", "returnCodeInterpretation"].iter().any(|name| result.at(name).text().is_some());
    match is_command {
        true if runs_on || result.at("interrupted").is_bool(true) => CommandOutcome::Unknown,
        _ => CommandOutcome::Exit(0),
    }
}

/// Returns whether an error output means that the call was never run.
fn was_refused(output: &str) -> bool {
    let starts = [
        "<tool_use_error>",
        "The user doesn't want to",
        "User rejected",
        "[Request interrupted",
        "Permission to use",
        "Claude requested permissions",
        "This command requires approval",
        "InputValidationError",
        "Error: InputValidationError",
        "Cancelled: ",
    ];
    starts.iter().any(|start| output.trim_start().starts_with(start)) || output.contains("operation blocked by hook")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::Category;

    fn read(text: &str, prompts: bool) -> ParsedSession {
        let tops = vec!["/home/mira/bakery".to_string()];
        let mut reader = reader(TranscriptOptions { prompts, tops, ..TranscriptOptions::default() });
        text.lines().for_each(|line| reader.line(line.as_bytes()));
        reader.finish()
    }

    fn check(text: &str, title: &str, skipped: u64, expect: &[&str]) {
        let reading = read(text, false);
        let told = |category: Category, content: &str| format!("{}: {}", category.name(), content.replace('\n', " / "));
        let found: Vec<String> = reading.entries.iter().map(|entry| told(entry.category, &entry.content)).collect();
        assert_eq!(found, expect);
        assert_eq!((reading.head.title.as_str(), reading.skipped), (title, skipped));
        assert_eq!(reading.head.tool.as_deref(), Some("claude"));
        assert_eq!(reading.head.branch.as_deref(), Some("ovens"));
        assert!(!reading.is_stub);
    }

    const V1_0: &str = include_str!("../../tests/fixtures/transcripts/claude-1.0.jsonl");
    const V2_0: &str = include_str!("../../tests/fixtures/transcripts/claude-2.0.jsonl");
    const V2_1: &str = include_str!("../../tests/fixtures/transcripts/claude-2.1.jsonl");

    #[test]
    fn a_transcript_of_1_0_is_read() {
        check(
            V1_0,
            "Trays keep their order after a restart",
            0,
            &[
                "touched: read src/queue.rs",
                "plan: Store the order of trays / Test a restart",
                "touched: edited src/queue.rs",
                "command: cargo test --lib queue -> failed",
                "plan: Write the order before the first tray",
                "command: cargo test --lib queue -> exit 0",
                "decision: I kept the old file format because two ovens still read it.",
                "work: The queue now keeps the order of trays across a restart.",
                "command: git add -A && git commit -m \"queue: keep the order\" -> exit 0",
                "commit: queue: keep the order",
            ],
        );
        let reading = read(V1_0, false);
        let commit = reading.entries.last().expect("a commit");
        assert_eq!((commit.commits.as_slice(), commit.line), (&["4f3c2b1".to_string()][..], 21));
        assert_eq!(reading.entries[2].files, ["src/queue.rs"]);
        assert_eq!((reading.head.started, reading.head.ended), (Some(1_755_680_400), Some(1_755_681_010)));
        assert_eq!(reading.head.id, "11111111-aaaa-4aaa-8aaa-000000000001");
    }

    #[test]
    fn a_transcript_of_2_0_is_read() {
        check(
            V2_0,
            "One valve for steam",
            1,
            &[
                "plan: 1. Ask the oven for steam / 2. Refuse it above 220 degrees",
                "touched: read src/steam.rs",
                "decision: I'll use one valve instead of two because the second never opens.",
                "touched: edited src/steam.rs",
                "command: cargo clippy -- -D warnings -> exit 101",
                "command: make steam -> exit 0",
                "work: Added `src/steam.rs` with one valve",
                "work: Removed the second valve",
                "observation: the manual says 230 degrees, the oven stops at 220.",
            ],
        );
    }

    #[test]
    fn a_transcript_of_2_1_is_read() {
        check(
            V2_1,
            "A bell for each loaf",
            1,
            &[
                "plan: Ring once a tray",
                "touched: edited src/bell.rs",
                "command: npm run bell",
                "challenge: The bell rang twice for one loaf. / It now rings once a tray.",
                "decision: One bell for all ovens",
                "decision: No sound at night",
            ],
        );
    }

    #[test]
    fn prompts_are_kept_if_asked_for() {
        let typed = |text: &str| -> Vec<(Category, String)> {
            let entries = read(text, true).entries.into_iter();
            let typed = entries.filter(|entry| entry.content.contains("zwieback"));
            typed.map(|entry| (entry.category, entry.content)).collect()
        };
        let first = "zwieback: please keep the order of trays when the oven restarts";
        let expect = [(Category::Goal, first.to_string()), (Category::Note, "zwieback: good, commit it".to_string())];
        assert_eq!(typed(V1_0), expect);
        assert_eq!(typed(V2_0), [(Category::Goal, "zwieback: plan the steam oven".to_string())]);
        assert_eq!(typed(V2_1), [(Category::Goal, "zwieback: ring a bell when a loaf is done".to_string())]);
        assert_eq!(read(V2_1, true).head.title, "zwieback bell");
    }

    #[test]
    fn a_file_of_summaries_alone_is_a_stub() {
        let reading = read("{\"type\":\"summary\",\"summary\":\"Bread\",\"leafUuid\":\"a\"}\n", false);
        assert!(reading.is_stub);
        assert_eq!(reading.head.title, "Bread");
    }

    #[test]
    fn a_line_gives_its_folder() {
        let folders: Vec<String> = V1_0.lines().filter_map(|line| cwd_of(line.as_bytes())).collect();
        assert_eq!(folders[0], "/home/mira/bakery");
        assert_eq!(cwd_of(b"{\"type\":\"summary\"}"), None);
    }
}
