//! Rollouts of Codex: one JSON object a line, wrapped in `type` and `payload`, and flat before that. Takes what the agent
//! did and said last; refuses its reasoning, what tools printed, and what the person typed unless it is asked for.

use std::collections::HashMap;

use super::gather::{Call, Gathered, Standing};
use super::line::{self, Json};
use super::shell::{self, Command, Ended};
use super::{Reading, Taking, Transcript};

/// Kinds of wrapped lines that are understood and say nothing that is taken: a compacted history repeats what was told.
const BOOKKEEPING: &[&str] = &[
    "compacted",
    "inter_agent_communication",
    "inter_agent_communication_metadata",
    "token_usage",
    "token_usage_record",
    "world_state",
];

/// Kinds of items, wrapped or flat.
const ITEMS: &[&str] = &[
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

/// Most commands that run on and are asked after.
const MAX_RUNNING: usize = 64;

/// A reader of one rollout.
pub fn reader(taking: Taking) -> Box<dyn Transcript> {
    let gathered = Gathered::new(taking, "codex");
    Box::new(Codex { gathered, wrapped: false, folder: None, running: HashMap::new(), prompt: String::new() })
}

/// The folder a line says the session or the turn is in: the first lines of a file do.
pub fn cwd_of(line: &[u8]) -> Option<String> {
    Json::of_line(line).0.iter().find_map(folder_of)
}

fn folder_of(read: &Json) -> Option<String> {
    let own = read.at("payload").at("cwd").text().or(read.at("cwd").text());
    let own = own.map(|folder| folder.strip_prefix("file://").unwrap_or(folder).to_string());
    own.or_else(|| folder_told(&message_text(read))).or_else(|| folder_told(&message_text(read.at("payload"))))
}

fn message_text(item: &Json) -> String {
    match item.at("role").text() {
        Some("user") => item.at("content").spoken(&["input_text"]),
        _ => String::new(),
    }
}

/// Before the first line named it, the folder stood in a message of its own.
fn folder_told(text: &str) -> Option<String> {
    let context = text.trim_start().strip_prefix("<environment_context>")?;
    let tagged = context.split_once("<cwd>").and_then(|(_, rest)| rest.split_once("</cwd>")).map(|(folder, _)| folder);
    let folder = tagged.or_else(|| context.split_once("Current working directory: ")?.1.lines().next())?;
    Some(folder.trim().to_string()).filter(|folder| !folder.is_empty())
}

struct Codex {
    gathered: Gathered,
    /// Whether a wrapped line was seen; then prompts have lines of their own.
    wrapped: bool,
    /// The folder of the turn.
    folder: Option<String>,
    /// Commands that run on, by the session they are asked after.
    running: HashMap<i64, Call>,
    prompt: String,
}

impl Transcript for Codex {
    fn line(&mut self, line: &[u8]) {
        self.gathered.next_line();
        if line::unpadded(line).is_empty() {
            return;
        }
        let (objects, is_whole) = Json::of_line(line);
        objects.iter().for_each(|object| self.read(object));
        if !is_whole {
            self.gathered.skip();
        }
    }

    fn finish(self: Box<Self>) -> Reading {
        self.gathered.finish(None)
    }
}

impl Codex {
    fn read(&mut self, line: &Json) {
        self.gathered.at(line.at("timestamp").seconds());
        self.gathered.cwd.clone_from(&self.folder);
        let payload = line.at("payload");
        let kind = line.at("type").text().unwrap_or_default();
        self.wrapped |= matches!(payload, Json::Map(_));
        match kind {
            "session_meta" => self.meta(payload),
            "turn_context" => {
                self.gathered.settle(Standing::Final);
                self.go(payload);
            }
            "response_item" => self.item(payload),
            "event_msg" => self.event(payload),
            kind if BOOKKEEPING.contains(&kind) => {}
            kind if ITEMS.contains(&kind) => self.item(line),
            "" if line.at("record_type").text().is_some() => {}
            "" if line.at("id").text().is_some() => self.meta(line),
            _ => self.gathered.skip(),
        }
    }

    fn meta(&mut self, meta: &Json) {
        self.gathered.at(meta.at("timestamp").seconds());
        self.go(meta);
        let head = &mut self.gathered.reading.head;
        // A fork repeats the first line of the rollout it was made from.
        if !head.id.is_empty() {
            return;
        }
        head.id = meta.at("id").text().or(meta.at("session_id").text()).unwrap_or_default().to_string();
        let git = meta.at("git");
        head.branch = git.at("branch").text().map(str::to_string);
        head.start_commit = git.at("commit_hash").text().map(str::to_string);
    }

    fn go(&mut self, context: &Json) {
        if let Some(folder) = context.at("cwd").text() {
            self.folder = Some(folder.strip_prefix("file://").unwrap_or(folder).to_string());
            self.gathered.cwd.clone_from(&self.folder);
        }
    }

    fn event(&mut self, event: &Json) {
        match event.at("type").text().unwrap_or_default() {
            "user_message" => self.typed(event.at("message").text().unwrap_or_default()),
            "agent_message" => self.gathered.text_so_far(event.at("message").text().unwrap_or_default()),
            "task_started" | "turn_started" => self.gathered.settle(Standing::Final),
            "task_complete" | "turn_complete" => {
                self.gathered.settle(Standing::Final);
                if let Some(last) = event.at("last_agent_message").text() {
                    self.gathered.text(last, Standing::Final);
                }
            }
            "turn_aborted" => self.gathered.settle(Standing::Between),
            "exec_command_end" => self.report(event, event.at("call_id")),
            "patch_apply_end" => self.patched(event),
            "item_completed" => {
                let item = event.at("item");
                match item.at("type").text().unwrap_or_default() {
                    "CommandExecution" => self.report(item, item.at("id")),
                    "FileChange" => self.patched(item),
                    "AgentMessage" => self.gathered.text_so_far(&item.at("content").spoken(&["text", "Text"])),
                    "UserMessage" => self.typed(&item.at("content").spoken(&["text"])),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// The person typed something; it may be told twice.
    fn typed(&mut self, text: &str) {
        if self.prompt == text.trim() && !text.trim().is_empty() {
            return self.gathered.settle(Standing::Final);
        }
        self.prompt = text.trim().to_string();
        self.gathered.prompt(text);
    }

    fn item(&mut self, item: &Json) {
        match item.at("type").text().unwrap_or_default() {
            "message" => self.message(item),
            "function_call" => self.function(item),
            "local_shell_call" => {
                let (action, id) = (item.at("action"), item.at("call_id").text().or(item.at("id").text()));
                let command = self.command(action, "working_directory");
                self.run(id.unwrap_or_default(), command);
            }
            "custom_tool_call" => {
                let (id, input) = (item.at("call_id").text().unwrap_or_default(), item.at("input"));
                match (item.at("name").text(), input.text()) {
                    (Some("apply_patch"), Some(patch)) => self.gathered.call(id, Call::Edit(shell::patched(patch))),
                    (Some("shell"), _) => {
                        let command = self.command(&input.nested(), "workdir");
                        self.run(id, command);
                    }
                    _ => self.gathered.settle(Standing::Between),
                }
            }
            "function_call_output" | "custom_tool_call_output" | "local_shell_call_output" => self.output(item),
            _ => {}
        }
    }

    fn message(&mut self, message: &Json) {
        if message.at("role").text() == Some("assistant") {
            let text = message.at("content").spoken(&["output_text", "text"]);
            if let Some(plan) =
                text.split_once("<proposed_plan>").and_then(|(_, rest)| rest.split_once("</proposed_plan>"))
            {
                return self.gathered.steps(std::iter::once(plan.0));
            }
            return match message.at("phase").text() {
                _ if text.trim().is_empty() => {}
                Some("final_answer" | "final" | "output") => self.gathered.text(&text, Standing::Final),
                Some(_) => self.gathered.text(&text, Standing::Between),
                None => self.gathered.text_so_far(&text),
            };
        }
        let text = message_text(message);
        if let Some(folder) = folder_told(&text) {
            self.folder = Some(folder);
        }
        if !self.wrapped {
            self.typed(&text);
        }
    }

    fn function(&mut self, item: &Json) {
        let (id, arguments) = (item.at("call_id").text().unwrap_or_default(), item.at("arguments").nested());
        match item.at("name").text().unwrap_or_default() {
            "shell" | "container.exec" | "shell_command" | "exec_command" | "local_shell" => {
                let command = self.command(&arguments, "workdir");
                self.run(id, command);
            }
            "write_stdin" => {
                let call = arguments.at("session_id").whole().and_then(|session| self.running.remove(&session));
                match call {
                    Some(call) => self.gathered.call(id, call),
                    None => self.gathered.settle(Standing::Between),
                }
            }
            "apply_patch" => {
                let patch = arguments.at("input").text().or(arguments.at("patch").text()).unwrap_or_default();
                self.gathered.call(id, Call::Edit(shell::patched(patch)));
            }
            "update_plan" => {
                self.gathered.steps(arguments.at("plan").list().iter().filter_map(|step| step.at("step").text()));
            }
            _ => self.gathered.settle(Standing::Between),
        }
    }

    fn command(&self, arguments: &Json, folder: &str) -> Option<Command> {
        let written = match (arguments.at("command"), arguments.at("cmd")) {
            (Json::Null, cmd) => cmd,
            (command, _) => command,
        };
        let words: Vec<&str> = written.list().iter().filter_map(Json::text).collect();
        let script = written.text().map(str::to_string).unwrap_or_else(|| shell::of_words(&words));
        let folder = arguments.at(folder).text().map(|folder| folder.strip_prefix("file://").unwrap_or(folder));
        let folder = match folder {
            Some(folder) => super::paths::joined(folder, self.folder.as_deref()),
            None => self.folder.clone(),
        };
        (!script.trim().is_empty()).then(|| shell::command(&script, folder.as_deref()))
    }

    fn run(&mut self, id: &str, command: Option<Command>) {
        match command {
            Some(command) => self.gathered.call(id, Call::Run(command)),
            None => self.gathered.settle(Standing::Between),
        }
    }

    fn output(&mut self, item: &Json) {
        let Some(call) = self.gathered.answered(item.at("call_id").text().unwrap_or_default()) else { return };
        let output = item.at("output").spoken(&["input_text", "output_text", "text"]);
        let told = item.at("output").at("success");
        let (ended, printed) = ended(&output);
        if let Some(session) = session_of(&output) {
            if self.running.len() < MAX_RUNNING {
                self.running.insert(session, call);
            }
            return;
        }
        self.gathered.remember(item.at("call_id").text().unwrap_or_default(), &call);
        let ended = match (&call, ended) {
            (_, ended) if told.is(false) => {
                if ended == Ended::Unknown {
                    Ended::Failed
                } else {
                    ended
                }
            }
            (Call::Edit(_), Ended::Unknown) if !printed.contains("Success") => Ended::Never,
            (_, ended) => ended,
        };
        let is_undone = matches!(call, Call::Edit(_) | Call::Read(_)) && ended.is_failure();
        self.gathered.ended(call, if is_undone { Ended::Never } else { ended }, &printed);
    }

    /// A command that has ended, as the program tells it beside the result that the model sees.
    fn report(&mut self, report: &Json, id: &Json) {
        let Some(command) = self.command(report, "cwd") else { return };
        let (call, is_told) = self.gathered.reported(id.text().unwrap_or_default(), &command.line);
        if !is_told {
            let output =
                ["aggregated_output", "formatted_output", "stdout"].iter().find_map(|name| report.at(name).text());
            let ended = match report.at("exit_code").whole() {
                Some(code) => Ended::Exit(code),
                None if report.at("status").text() == Some("declined") => Ended::Never,
                None => Ended::Unknown,
            };
            self.gathered.ended(call.unwrap_or(Call::Run(command)), ended, output.unwrap_or_default());
        }
        let reads = report.at("parsed_cmd").list().iter().filter(|part| part.at("type").text() == Some("read"));
        for path in reads.filter_map(|part| part.at("path").text()) {
            self.gathered.touch("read", path);
        }
    }

    fn patched(&mut self, report: &Json) {
        let is_done = report.at("success").is(true) || report.at("status").text() == Some("completed");
        if !is_done {
            return;
        }
        let changes = report.at("changes");
        let named = changes.members().iter().map(|(path, _)| path.as_str());
        let listed = changes.list().iter().filter_map(|change| change.at("path").text());
        named.chain(listed).for_each(|path| self.gathered.touch("edited", path));
    }
}

/// How a command ended, and what it printed, in the forms that its output has had.
fn ended(output: &str) -> (Ended, String) {
    if output.trim_start().starts_with('{') {
        let read = Json::Text(output.to_string()).nested().into_owned();
        if let Some(code) = read.at("metadata").at("exit_code").whole() {
            return (Ended::Exit(code), read.at("output").text().unwrap_or_default().to_string());
        }
    }
    let head: Vec<&str> = output.lines().take_while(|line| line.trim() != "Output:").take(12).collect();
    let codes = ["Process exited with code ", "Exit code: ", "exit code: "];
    let code = head
        .iter()
        .find_map(|line| codes.iter().find_map(|start| line.trim().strip_prefix(start)?.trim().parse().ok()));
    let never = ["aborted by user", "rejected by user", "exec command rejected", "failed to parse function arguments"];
    let ended = match code {
        Some(code) => Ended::Exit(code),
        None if never.iter().any(|start| output.trim_start().starts_with(start)) => Ended::Never,
        None => Ended::Unknown,
    };
    (ended, output.to_string())
}

/// The session to ask after a command that runs on.
fn session_of(output: &str) -> Option<i64> {
    let head = output.lines().take_while(|line| line.trim() != "Output:").take(12);
    head.filter_map(|line| line.trim().strip_prefix("Process running with session ID "))
        .find_map(|id| id.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::Category;

    fn read(text: &str, prompts: bool) -> Reading {
        let tops = vec!["/home/mira/bakery".to_string()];
        let mut reader = reader(Taking { prompts, tops, ..Taking::default() });
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
    fn prompts_are_taken_once_where_they_are_asked_for() {
        for (text, expect) in [(FLAT, 2), (V0_46, 2), (V0_146, 1), (V0_151, 1)] {
            let typed: Vec<_> =
                read(text, true).entries.into_iter().filter(|entry| entry.content.contains("zwieback")).collect();
            assert_eq!(typed.len(), expect, "{typed:?}");
            assert_eq!(typed[0].category, Category::Goal);
        }
    }

    #[test]
    fn what_only_an_event_says_is_said_and_twice_is_once() {
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
    fn a_line_tells_its_folder() {
        let first = |text: &str| text.lines().find_map(|line| cwd_of(line.as_bytes()));
        for text in [FLAT, V0_46, V0_146, V0_151] {
            assert_eq!(first(text).as_deref(), Some("/home/mira/bakery"));
        }
    }
}
