//! Reader of Codex rollouts: one JSON object per line, wrapped in `type` and `payload`, or flat in older versions.
//!
//! It reads what the agent did and its final texts; never its reasoning or tool output, and prompts only if requested.

use std::collections::HashMap;

use super::builder::{PendingCall, SessionBuilder};
use super::extract::TurnPosition;
use super::json_line::{self, Json};
use super::shell::{self, CommandOutcome, ShellCommand};
use super::{ParsedSession, TranscriptOptions, TranscriptReader};

/// Known kinds of wrapped lines that contain nothing of interest; a compacted history repeats earlier lines.
const IGNORED_KINDS: &[&str] = &[
    "compacted",
    "inter_agent_communication",
    "inter_agent_communication_metadata",
    "token_usage",
    "token_usage_record",
    "world_state",
];

/// Kinds of items, wrapped or flat.
const ITEM_KINDS: &[&str] = &[
    "custom_tool_call",
    "custom_tool_call_output",
    "function_call",
    "function_call_output",
    "local_shell_call",
    "local_shell_call_output",
    "message",
    "reasoning",
    "web_search_call",
];

/// The most background commands that are tracked.
const MAX_RUNNING: usize = 64;

/// Returns a reader of one rollout.
pub fn reader(options: TranscriptOptions) -> Box<dyn TranscriptReader> {
    let builder = SessionBuilder::new(options, "codex");
    Box::new(CodexReader { builder, wrapped: false, folder: None, running: HashMap::new(), prompt: String::new() })
}

/// Returns the folder that a line states for the session or turn, as the first lines of a file do.
pub fn cwd_of(line: &[u8]) -> Option<String> {
    Json::parse_line(line).0.iter().find_map(folder_of)
}

/// Returns the folder that an object states.
fn folder_of(read: &Json) -> Option<String> {
    let own = read.at("payload").at("cwd").text().or(read.at("cwd").text());
    let own = own.map(|folder| folder.strip_prefix("file://").unwrap_or(folder).to_string());
    own.or_else(|| folder_in_environment(&message_text(read)))
        .or_else(|| folder_in_environment(&message_text(read.at("payload"))))
}

/// Returns the text of a user message; empty for anything else.
fn message_text(item: &Json) -> String {
    match item.at("role").text() {
        Some("user") => item.at("content").joined_text(&["input_text"]),
        _ => String::new(),
    }
}

/// Returns the folder stated in an environment message, as in old versions.
fn folder_in_environment(text: &str) -> Option<String> {
    let context = text.trim_start().strip_prefix("<environment_context>")?;
    let tagged = context.split_once("<cwd>").and_then(|(_, rest)| rest.split_once("</cwd>")).map(|(folder, _)| folder);
    let folder = tagged.or_else(|| context.split_once("Current working directory: ")?.1.lines().next())?;
    Some(folder.trim().to_string()).filter(|folder| !folder.is_empty())
}

/// The state of the reader.
struct CodexReader {
    builder: SessionBuilder,
    /// Whether a wrapped line was seen. Such files record prompts on lines of their own.
    wrapped: bool,
    /// The folder of the turn.
    folder: Option<String>,
    /// Background commands by the id under which they are polled.
    running: HashMap<i64, PendingCall>,
    /// The last prompt.
    prompt: String,
}

impl TranscriptReader for CodexReader {
    fn line(&mut self, line: &[u8]) {
        self.builder.begin_line();
        if json_line::trim_padding(line).is_empty() {
            return;
        }
        let (objects, is_whole) = Json::parse_line(line);
        objects.iter().for_each(|object| self.read(object));
        if !is_whole {
            self.builder.skip_line();
        }
    }

    fn finish(self: Box<Self>) -> ParsedSession {
        self.builder.finish(None)
    }
}

impl CodexReader {
    /// Reads one object.
    fn read(&mut self, line: &Json) {
        self.builder.set_time(line.at("timestamp").seconds());
        self.builder.cwd.clone_from(&self.folder);
        let payload = line.at("payload");
        let kind = line.at("type").text().unwrap_or_default();
        self.wrapped |= matches!(payload, Json::Map(_));
        match kind {
            "session_meta" => self.read_meta(payload),
            "turn_context" => {
                self.builder.settle_text(TurnPosition::Final);
                self.enter_folder(payload);
            }
            "response_item" => self.read_item(payload),
            "event_msg" => self.read_event(payload),
            kind if IGNORED_KINDS.contains(&kind) => {}
            kind if ITEM_KINDS.contains(&kind) => self.read_item(line),
            "" if line.at("record_type").text().is_some() => {}
            "" if line.at("id").text().is_some() => self.read_meta(line),
            _ => self.builder.skip_line(),
        }
    }

    /// Reads the metadata of the session.
    fn read_meta(&mut self, meta: &Json) {
        self.builder.set_time(meta.at("timestamp").seconds());
        self.enter_folder(meta);
        let head = &mut self.builder.reading.head;
        // A forked session repeats the first line of its origin.
        if !head.id.is_empty() {
            return;
        }
        head.id = meta.at("id").text().or(meta.at("session_id").text()).unwrap_or_default().to_string();
        let git = meta.at("git");
        head.branch = git.at("branch").text().map(str::to_string);
        head.start_commit = git.at("commit_hash").text().map(str::to_string);
    }

    /// Enters the folder that a turn context states.
    fn enter_folder(&mut self, context: &Json) {
        if let Some(folder) = context.at("cwd").text() {
            self.folder = Some(folder.strip_prefix("file://").unwrap_or(folder).to_string());
            self.builder.cwd.clone_from(&self.folder);
        }
    }

    /// Reads an event.
    fn read_event(&mut self, event: &Json) {
        match event.at("type").text().unwrap_or_default() {
            "user_message" => self.read_prompt(event.at("message").text().unwrap_or_default()),
            "agent_message" => self.builder.add_unsettled_text(event.at("message").text().unwrap_or_default()),
            "task_started" | "turn_started" => self.builder.settle_text(TurnPosition::Final),
            "task_complete" | "turn_complete" => {
                self.builder.settle_text(TurnPosition::Final);
                if let Some(last) = event.at("last_agent_message").text() {
                    self.builder.add_text(last, TurnPosition::Final);
                }
            }
            "turn_aborted" => self.builder.settle_text(TurnPosition::MidTurn),
            "exec_command_end" => self.read_command_report(event, event.at("call_id")),
            "patch_apply_end" => self.read_patch_report(event),
            "item_completed" => {
                let item = event.at("item");
                match item.at("type").text().unwrap_or_default() {
                    "CommandExecution" => self.read_command_report(item, item.at("id")),
                    "FileChange" => self.read_patch_report(item),
                    "AgentMessage" => {
                        self.builder.add_unsettled_text(&item.at("content").joined_text(&["text", "Text"]))
                    }
                    "UserMessage" => self.read_prompt(&item.at("content").joined_text(&["text"])),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// Reads a prompt, which may be recorded twice.
    fn read_prompt(&mut self, text: &str) {
        if self.prompt == text.trim() && !text.trim().is_empty() {
            return self.builder.settle_text(TurnPosition::Final);
        }
        self.prompt = text.trim().to_string();
        self.builder.add_prompt(text);
    }

    /// Reads a response item.
    fn read_item(&mut self, item: &Json) {
        match item.at("type").text().unwrap_or_default() {
            "message" => self.read_message(item),
            "function_call" => self.read_function_call(item),
            "local_shell_call" => {
                let (action, id) = (item.at("action"), item.at("call_id").text().or(item.at("id").text()));
                let command = self.parse_command(action, "working_directory");
                self.await_command(id.unwrap_or_default(), command);
            }
            "custom_tool_call" => {
                let (id, input) = (item.at("call_id").text().unwrap_or_default(), item.at("input"));
                match (item.at("name").text(), input.text()) {
                    (Some("apply_patch"), Some(patch)) => {
                        self.builder.await_result(id, PendingCall::Edit(shell::patched_files(patch)))
                    }
                    (Some("shell"), _) => {
                        let command = self.parse_command(&input.nested(), "workdir");
                        self.await_command(id, command);
                    }
                    _ => self.builder.settle_text(TurnPosition::MidTurn),
                }
            }
            "function_call_output" | "custom_tool_call_output" | "local_shell_call_output" => self.read_output(item),
            _ => {}
        }
    }

    /// Reads a message.
    fn read_message(&mut self, message: &Json) {
        if message.at("role").text() == Some("assistant") {
            let text = message.at("content").joined_text(&["output_text", "text"]);
            if let Some(plan) =
                text.split_once("<proposed_plan>").and_then(|(_, rest)| rest.split_once("</proposed_plan>"))
            {
                return self.builder.add_plan_steps(std::iter::once(plan.0));
            }
            return match message.at("phase").text() {
                _ if text.trim().is_empty() => {}
                Some("final_answer" | "final" | "output") => self.builder.add_text(&text, TurnPosition::Final),
                Some(_) => self.builder.add_text(&text, TurnPosition::MidTurn),
                None => self.builder.add_unsettled_text(&text),
            };
        }
        let text = message_text(message);
        if let Some(folder) = folder_in_environment(&text) {
            self.folder = Some(folder);
        }
        if !self.wrapped {
            self.read_prompt(&text);
        }
    }

    /// Reads a function call.
    fn read_function_call(&mut self, item: &Json) {
        let (id, arguments) = (item.at("call_id").text().unwrap_or_default(), item.at("arguments").nested());
        match item.at("name").text().unwrap_or_default() {
            "shell" | "container.exec" | "shell_command" | "exec_command" | "local_shell" => {
                let command = self.parse_command(&arguments, "workdir");
                self.await_command(id, command);
            }
            "write_stdin" => {
                let call = arguments.at("session_id").integer().and_then(|session| self.running.remove(&session));
                match call {
                    Some(call) => self.builder.await_result(id, call),
                    None => self.builder.settle_text(TurnPosition::MidTurn),
                }
            }
            "apply_patch" => {
                let patch = arguments.at("input").text().or(arguments.at("patch").text()).unwrap_or_default();
                self.builder.await_result(id, PendingCall::Edit(shell::patched_files(patch)));
            }
            "update_plan" => {
                self.builder
                    .add_plan_steps(arguments.at("plan").list().iter().filter_map(|step| step.at("step").text()));
            }
            _ => self.builder.settle_text(TurnPosition::MidTurn),
        }
    }

    /// Parses the command of a call.
    fn parse_command(&self, arguments: &Json, folder: &str) -> Option<ShellCommand> {
        let written = match (arguments.at("command"), arguments.at("cmd")) {
            (Json::Null, cmd) => cmd,
            (command, _) => command,
        };
        let words: Vec<&str> = written.list().iter().filter_map(Json::text).collect();
        let script = written.text().map(str::to_string).unwrap_or_else(|| shell::script_of(&words));
        let folder = arguments.at(folder).text().map(|folder| folder.strip_prefix("file://").unwrap_or(folder));
        let folder = match folder {
            Some(folder) => super::paths::join_folder(folder, self.folder.as_deref()),
            None => self.folder.clone(),
        };
        (!script.trim().is_empty()).then(|| shell::parse_command(&script, folder.as_deref()))
    }

    /// Records a command that awaits its result.
    fn await_command(&mut self, id: &str, command: Option<ShellCommand>) {
        match command {
            Some(command) => self.builder.await_result(id, PendingCall::Run(command)),
            None => self.builder.settle_text(TurnPosition::MidTurn),
        }
    }

    /// Reads the output of a call.
    fn read_output(&mut self, item: &Json) {
        let Some(call) = self.builder.take_call(item.at("call_id").text().unwrap_or_default()) else { return };
        let output = item.at("output").joined_text(&["input_text", "output_text", "text"]);
        let told = item.at("output").at("success");
        let (ended, printed) = outcome_of(&output);
        if let Some(session) = background_id(&output) {
            if self.running.len() < MAX_RUNNING {
                self.running.insert(session, call);
            }
            return;
        }
        self.builder.remember_result(item.at("call_id").text().unwrap_or_default(), &call);
        let ended = match (&call, ended) {
            (_, ended) if told.is_bool(false) => {
                if ended == CommandOutcome::Unknown {
                    CommandOutcome::Failed
                } else {
                    ended
                }
            }
            (PendingCall::Edit(_), CommandOutcome::Unknown) if !printed.contains("Success") => CommandOutcome::Never,
            (_, ended) => ended,
        };
        let is_undone = matches!(call, PendingCall::Edit(_) | PendingCall::Read(_)) && ended.is_failure();
        self.builder.finish_call(call, if is_undone { CommandOutcome::Never } else { ended }, &printed);
    }

    /// Reads the report of a finished command, which Codex writes in addition to the result that the model sees.
    fn read_command_report(&mut self, report: &Json, id: &Json) {
        let Some(command) = self.parse_command(report, "cwd") else { return };
        let (call, is_told) = self.builder.take_reported_call(id.text().unwrap_or_default(), &command.line);
        if !is_told {
            let output =
                ["aggregated_output", "formatted_output", "stdout"].iter().find_map(|name| report.at(name).text());
            let ended = match report.at("exit_code").integer() {
                Some(code) => CommandOutcome::Exit(code),
                None if report.at("status").text() == Some("declined") => CommandOutcome::Never,
                None => CommandOutcome::Unknown,
            };
            self.builder.finish_call(call.unwrap_or(PendingCall::Run(command)), ended, output.unwrap_or_default());
        }
        let reads = report.at("parsed_cmd").list().iter().filter(|part| part.at("type").text() == Some("read"));
        for path in reads.filter_map(|part| part.at("path").text()) {
            self.builder.touch_file("read", path);
        }
    }

    /// Reads the report of an applied patch.
    fn read_patch_report(&mut self, report: &Json) {
        let is_done = report.at("success").is_bool(true) || report.at("status").text() == Some("completed");
        if !is_done {
            return;
        }
        let changes = report.at("changes");
        let named = changes.members().iter().map(|(path, _)| path.as_str());
        let listed = changes.list().iter().filter_map(|change| change.at("path").text());
        named.chain(listed).for_each(|path| self.builder.touch_file("edited", path));
    }
}

/// Returns how a command ended and what it printed, from any of the formats that versions have used.
fn outcome_of(output: &str) -> (CommandOutcome, String) {
    if output.trim_start().starts_with('{') {
        let read = Json::Text(output.to_string()).nested().into_owned();
        if let Some(code) = read.at("metadata").at("exit_code").integer() {
            return (CommandOutcome::Exit(code), read.at("output").text().unwrap_or_default().to_string());
        }
    }
    let head: Vec<&str> = output.lines().take_while(|line| line.trim() != "Output:").take(12).collect();
    let codes = ["Process exited with code ", "Exit code: ", "exit code: "];
    let code = head
        .iter()
        .find_map(|line| codes.iter().find_map(|start| line.trim().strip_prefix(start)?.trim().parse().ok()));
    let never = ["aborted by user", "rejected by user", "exec command rejected", "failed to parse function arguments"];
    let ended = match code {
        Some(code) => CommandOutcome::Exit(code),
        None if never.iter().any(|start| output.trim_start().starts_with(start)) => CommandOutcome::Never,
        None => CommandOutcome::Unknown,
    };
    (ended, output.to_string())
}

/// Returns the id under which a background command is polled.
fn background_id(output: &str) -> Option<i64> {
    let head = output.lines().take_while(|line| line.trim() != "Output:").take(12);
    head.filter_map(|line| line.trim().strip_prefix("Process running with session ID "))
        .find_map(|id| id.trim().parse().ok())
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
        assert_eq!(reading.head.tool.as_deref(), Some("codex"));
    }

    const FLAT: &str = include_str!("../../tests/fixtures/transcripts/codex-flat.jsonl");
    const V0_46: &str = include_str!("../../tests/fixtures/transcripts/codex-0.46.jsonl");
    const V0_146: &str = include_str!("../../tests/fixtures/transcripts/codex-0.146.jsonl");
    const V0_151: &str = include_str!("../../tests/fixtures/transcripts/codex-0.151.jsonl");

    #[test]
    fn a_flat_rollout_is_read() {
        check(
            FLAT,
            "Root cause: the timer was started in two places",
            0,
            &[
                "touched: read src/dough.rs",
                "touched: edited src/dough.rs",
                "command: cargo test dough -> exit 101",
                "challenge: the timer was started in two places. I removed the second start from `src/dough.rs`.",
            ],
        );
        let reading = read(FLAT, false);
        assert_eq!(reading.head.start_commit.as_deref(), Some("0123456789abcdef0123456789abcdef01234567"));
        assert_eq!(reading.head.branch.as_deref(), Some("doughs"));
        assert_eq!(reading.entries[3].files, ["src/dough.rs"]);
    }

    #[test]
    fn a_rollout_without_ends_of_turns_is_read() {
        check(
            V0_46,
            "Added a timer for rye in `src/rye.rs`; the shared one is now `src/timers.rs`",
            0,
            &[
                "plan: Give rye a timer / Run the tests",
                "touched: edited src/rye.rs",
                "touched: edited src/timer.rs",
                "touched: edited src/timers.rs",
                "command: cargo test rye -> exit 0",
                "decision: I kept its unit because the panel shows seconds.",
                "work: Added a timer for rye in `src/rye.rs`; the shared one is now `src/timers.rs`.",
                "command: git commit -qam 'rye: a timer' && git log -1 -> exit 0",
                "commit: rye: a timer",
            ],
        );
    }

    #[test]
    fn a_rollout_with_phases_is_read() {
        check(
            V0_146,
            "I verified that the oven keeps 220 degrees for an hour, within two degrees",
            2,
            &[
                "decision: I'll keep the old probe rather than the new one because its log is complete.",
                "command: cargo bench oven -> exit 0",
                "touched: read src/oven.rs",
                "touched: edited src/probe.rs",
                "observation: I verified that the oven keeps 220 degrees for an hour, within two degrees.",
            ],
        );
    }

    #[test]
    fn a_rollout_with_items_tells_each_command_once() {
        check(
            V0_151,
            "Added labels to all trays in `src/label.rs`",
            0,
            &[
                "command: make labels -> exit 2",
                "command: make labels -> exit 0",
                "command: make check -> exit 0",
                "command: make ship -> exit 0",
                "touched: edited src/label.rs",
                "work: Added labels to all trays in `src/label.rs`.",
            ],
        );
    }

    #[test]
    fn prompts_are_kept_once_if_asked_for() {
        for (text, expect) in [(FLAT, 2), (V0_46, 2), (V0_146, 1), (V0_151, 1)] {
            let typed: Vec<_> =
                read(text, true).entries.into_iter().filter(|entry| entry.content.contains("zwieback")).collect();
            assert_eq!(typed.len(), expect, "{typed:?}");
            assert_eq!(typed[0].category, Category::Goal);
        }
    }

    #[test]
    fn an_event_alone_counts_and_repetitions_count_once() {
        let line = |kind: &str, payload: &str| format!("{{\"type\":\"{kind}\",\"payload\":{{{payload}}}}}\n");
        let event =
            line("event_msg", "\"type\":\"agent_message\",\"message\":\"We decided to rest. I fixed the timer.\"");
        let content = "\"content\":[{\"type\":\"output_text\",\"text\":\"We decided to rest. I fixed the timer.\"}]";
        let item = line("response_item", &format!("\"type\":\"message\",\"role\":\"assistant\",{content}"));
        let end = line("event_msg", "\"type\":\"task_complete\"");
        for text in [[&*event, &end].concat(), [&*event, &item, &end].concat(), [&*item, &event, &end].concat()] {
            let found: Vec<Category> = read(&text, false).entries.into_iter().map(|entry| entry.category).collect();
            assert_eq!(found, [Category::Decision, Category::Work], "{text}");
        }
    }

    #[test]
    fn a_line_gives_its_folder() {
        let first = |text: &str| text.lines().find_map(|line| cwd_of(line.as_bytes()));
        for text in [FLAT, V0_46, V0_146, V0_151] {
            assert_eq!(first(text).as_deref(), Some("/home/mira/bakery"));
        }
    }
}
