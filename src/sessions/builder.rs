//! Collects the entries of a transcript, for all formats.
//!
//! Invariant: entries are only appended, once they are final, and never changed. Prompts are dropped unless requested.

use std::collections::{HashSet, VecDeque};

use super::extract::TurnPosition;
use super::shell::{self, CommandOutcome, ShellCommand};
use super::{
    Category, GoalState, MAX_CONTENT, MAX_ENTRIES, ParsedEntry, ParsedSession, TranscriptOptions, extract, paths,
};
use crate::event::cap_words;

/// The most tool calls that await a result, and the most results that are remembered.
///
/// An agent awaits a few at a time; the oldest is dropped first.
const MAX_PENDING_CALLS: usize = 64;

/// The longest title, in bytes.
const MAX_TITLE: usize = 120;

/// The most texts, steps and files that are remembered for deduplication; no real session has more.
const MAX_REMEMBERED: usize = 100_000;

/// Seconds of silence after which a text counts as the last one of its turn.
///
/// A working agent continues at once, and records its actions before it waits for anything.
pub const QUIET_SECONDS: i64 = 10 * 60;

/// A tool call that awaits its result.
#[derive(Debug, Clone)]
pub(super) enum PendingCall {
    /// A file is read.
    Read(String),
    /// Files are changed.
    Edit(Vec<String>),
    /// A command runs.
    Run(ShellCommand),
    /// A plan is shown to the user, who may reject it.
    Plan(String),
}

/// A text that ends its turn unless more follows.
struct UnsettledText {
    text: String,
    line: u32,
    line_id: Option<u64>,
    at: Option<i64>,
    cwd: Option<String>,
}

impl UnsettledText {
    /// Returns whether nothing followed for so long that it ended the turn.
    fn is_last_at(&self, moment: i64) -> bool {
        self.at.is_none_or(|at| at.saturating_add(QUIET_SECONDS) <= moment)
    }
}

/// Builds the result of reading a transcript.
pub(super) struct SessionBuilder {
    /// The result so far.
    pub reading: ParsedSession,
    options: TranscriptOptions,
    /// The folder of the current line.
    pub cwd: Option<String>,
    line: u32,
    /// The hash of the current object's id. Two objects on one line have different ids.
    pub line_id: Option<u64>,
    at: Option<i64>,
    touched: Vec<String>,
    seen: HashSet<[u8; 16]>,
    pending: VecDeque<(String, PendingCall)>,
    reported_commands: VecDeque<(String, String)>,
    unsettled: Option<UnsettledText>,
    first_words: String,
    prompted: bool,
}

impl SessionBuilder {
    /// Starts an empty session of an agent.
    pub(super) fn new(options: TranscriptOptions, tool: &str) -> SessionBuilder {
        let mut reading = ParsedSession::default();
        reading.head.tool = Some(tool.to_string());
        SessionBuilder {
            reading,
            options,
            cwd: None,
            line: 0,
            line_id: None,
            at: None,
            touched: Vec::new(),
            seen: HashSet::new(),
            pending: VecDeque::new(),
            reported_commands: VecDeque::new(),
            unsettled: None,
            first_words: String::new(),
            prompted: false,
        }
    }

    /// Starts the next line.
    pub(super) fn begin_line(&mut self) {
        self.line = self.line.saturating_add(1);
    }

    /// Sets the time of the current line.
    ///
    /// A long enough gap before it makes the previous text final, so that reading again later agrees with a reading at
    /// the time.
    pub(super) fn set_time(&mut self, at: Option<i64>) {
        if at.is_some_and(|at| self.unsettled.as_ref().is_some_and(|said| said.is_last_at(at))) {
            self.settle_text(TurnPosition::Final);
        }
        self.at = at.or(self.at);
        let head = &mut self.reading.head;
        head.started = head.started.or(at);
        head.ended = head.ended.max(at);
    }

    /// Counts the current line as not understood.
    pub(super) fn skip_line(&mut self) {
        self.reading.skipped += 1;
    }

    /// Returns whether something of this kind is seen for the first time.
    pub(super) fn is_first(&mut self, kind: &str, what: &str) -> bool {
        let mut key = [0; 16];
        let mut hasher = blake3::Hasher::new();
        hasher.update(kind.as_bytes()).update(&[0]).update(what.as_bytes());
        key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        self.seen.len() < MAX_REMEMBERED && self.seen.insert(key)
    }

    /// Appends an entry at the current position.
    fn push_entry(&mut self, category: Category, content: String, files: Vec<String>, commits: Vec<String>) {
        let state = (category == Category::Goal).then_some(GoalState::Open);
        let (line, line_id, at) = (self.line, self.line_id, self.at);
        self.append_entry(ParsedEntry { category, content, at, line, line_id, files, commits, state });
    }

    /// Appends an entry with its content capped. Entries beyond the maximum are counted as skipped.
    fn append_entry(&mut self, mut entry: ParsedEntry) {
        if self.reading.entries.len() >= MAX_ENTRIES {
            self.reading.skipped += 1;
        } else {
            entry.content = cap_words(entry.content.trim(), MAX_CONTENT).to_string();
            if !entry.content.is_empty() {
                self.reading.entries.push(entry);
            }
        }
    }

    /// Records a call that awaits its result.
    pub(super) fn await_result(&mut self, id: &str, call: PendingCall) {
        self.settle_text(TurnPosition::MidTurn);
        if self.pending.len() >= MAX_PENDING_CALLS {
            self.pending.pop_front();
        }
        self.pending.push_back((id.to_string(), call));
    }

    /// Removes and returns the pending call that a result belongs to.
    pub(super) fn take_call(&mut self, id: &str) -> Option<PendingCall> {
        let at = self.pending.iter().position(|(waiting, _)| waiting == id)?;
        self.pending.remove(at).map(|(_, call)| call)
    }

    /// Removes and returns the pending call that a report belongs to, found by its id or else by its command, since the
    /// report may carry another id.
    ///
    /// Returns `(None, true)` if the command was already reported.
    pub(super) fn take_reported_call(&mut self, id: &str, line: &str) -> (Option<PendingCall>, bool) {
        let same = |(waiting, call): &(String, PendingCall)| {
            waiting == id || matches!(call, PendingCall::Run(command) if command.line == line)
        };
        if let Some(at) = self.pending.iter().position(same) {
            return (self.pending.remove(at).map(|(_, call)| call), false);
        }
        let told = self.reported_commands.iter().position(|(settled, told)| settled == id || told == line);
        let is_told = told.and_then(|at| self.reported_commands.remove(at)).is_some();
        (None, is_told)
    }

    /// Remembers that a call's result was read, so that a later report of it is ignored.
    pub(super) fn remember_result(&mut self, id: &str, call: &PendingCall) {
        if let PendingCall::Run(command) = call {
            if self.reported_commands.len() >= MAX_PENDING_CALLS {
                self.reported_commands.pop_front();
            }
            self.reported_commands.push_back((id.to_string(), command.line.clone()));
        }
    }

    /// Records the end of a call and its output.
    pub(super) fn finish_call(&mut self, call: PendingCall, ended: CommandOutcome, output: &str) {
        if ended == CommandOutcome::Never {
            return;
        }
        match call {
            PendingCall::Read(path) => self.touch_file("read", &path),
            PendingCall::Edit(paths) => paths.iter().for_each(|path| self.touch_file("edited", path)),
            PendingCall::Plan(_) if !self.is_in_repository(self.cwd.as_deref()) => {}
            PendingCall::Plan(plan) => self.push_entry(Category::Plan, plan, Vec::new(), Vec::new()),
            PendingCall::Run(command) => self.finish_command(command, ended, output),
        }
    }

    /// Records the end of a command.
    fn finish_command(&mut self, command: ShellCommand, ended: CommandOutcome, output: &str) {
        let kept = std::mem::replace(&mut self.cwd, command.folder.clone());
        if !ended.is_failure() {
            command.printed_files.iter().for_each(|path| self.touch_file("read", path));
            let patch = command.patch.as_deref().unwrap_or_default();
            shell::patched_files(patch).iter().for_each(|path| self.touch_file("edited", path));
        }
        self.cwd = kept;
        let folder = command.folder.as_deref();
        let is_here = paths::is_below_top(folder, &self.options.tops) && self.is_in_repository(folder);
        if is_here && !command.is_read_only && command.patch.is_none() && !command.line.is_empty() {
            self.push_entry(Category::Command, format!("{}{}", command.line, ended.suffix()), Vec::new(), Vec::new());
        }
        if is_here && command.may_commit {
            for (commit, subject) in shell::commits_made(output) {
                if self.is_first("commit", &commit) {
                    self.push_entry(Category::Commit, subject, Vec::new(), vec![commit]);
                }
            }
        }
    }

    /// Records that a file was read or edited.
    pub(super) fn touch_file(&mut self, verb: &str, path: &str) {
        let Some(file) = paths::relative_to_top(path, self.cwd.as_deref(), &self.options.tops) else { return };
        if self.is_first(verb, &file) {
            if self.is_first("touched", &file) {
                self.touched.push(file.clone());
            }
            self.push_entry(Category::Touched, format!("{verb} {file}"), vec![file], Vec::new());
        }
    }

    /// Records the new steps of a plan as one entry.
    pub(super) fn add_plan_steps<'s>(&mut self, steps: impl Iterator<Item = &'s str>) {
        self.settle_text(TurnPosition::MidTurn);
        if !self.is_in_repository(self.cwd.as_deref()) {
            return;
        }
        let new: Vec<&str> =
            steps.map(str::trim).filter(|step| !step.is_empty() && self.is_first("step", step)).collect();
        if !new.is_empty() {
            let plan = new.join("\n");
            self.push_entry(Category::Plan, plan, Vec::new(), Vec::new());
        }
    }

    /// Records a prompt of the user, if prompts are kept.
    pub(super) fn add_prompt(&mut self, text: &str) {
        self.settle_text(TurnPosition::Final);
        let text = text.trim();
        if !self.options.prompts || !self.is_in_repository(self.cwd.as_deref()) || text.is_empty() || is_injected(text)
        {
            return;
        }
        let category = if std::mem::replace(&mut self.prompted, true) { Category::Note } else { Category::Goal };
        let (files, commits) = self.names_in(text);
        self.push_entry(category, text.to_string(), files, commits);
    }

    /// Returns whether prompts are kept.
    pub(super) fn takes_prompts(&self) -> bool {
        self.options.prompts
    }

    /// Returns whether lines of a session are read.
    pub(super) fn takes_session(&self, session: &str) -> bool {
        self.options.session.as_deref().is_none_or(|own| own == session)
    }

    /// Records a text of the agent whose position in the turn is known.
    pub(super) fn add_text(&mut self, text: &str, position: TurnPosition) {
        if self.is_repeated(text) {
            return self.settle_text(position);
        }
        self.settle_text(TurnPosition::MidTurn);
        if let Some(said) = self.located_text(text) {
            self.append_points(&said, position, |_| true);
        }
    }

    /// Records a text of the agent whose position in the turn is not known yet.
    ///
    /// Decisions are recorded at once, since they hold however the turn continues. A text in the form of a summary is
    /// final at once, because many versions write nothing after it.
    pub(super) fn add_unsettled_text(&mut self, text: &str) {
        if self.is_repeated(text) {
            return;
        }
        if extract::is_summary(text) {
            return self.add_text(text, TurnPosition::Final);
        }
        self.settle_text(TurnPosition::MidTurn);
        if let Some(said) = self.located_text(text) {
            self.append_points(&said, TurnPosition::MidTurn, |_| true);
            self.unsettled = Some(said);
        }
    }

    /// Decides the position of the last unsettled text.
    pub(super) fn settle_text(&mut self, position: TurnPosition) {
        if let Some(said) = self.unsettled.take().filter(|_| position == TurnPosition::Final) {
            self.append_points(&said, TurnPosition::Final, |category| category != Category::Decision);
        }
    }

    /// Returns whether a text repeats the unsettled one.
    fn is_repeated(&self, text: &str) -> bool {
        self.unsettled.as_ref().is_some_and(|said| said.text.trim() == text.trim())
    }

    /// Returns a text with its line, time and folder; `None` if it is a repetition or was written outside the
    /// repository.
    fn located_text(&mut self, text: &str) -> Option<UnsettledText> {
        if !self.is_in_repository(self.cwd.as_deref()) {
            return None;
        }
        let (text, cwd) = (text.to_string(), self.cwd.clone());
        let said = UnsettledText { text, line: self.line, line_id: self.line_id, at: self.at, cwd };
        self.is_first("text", said.text.trim()).then_some(said)
    }

    /// Appends those entries of a text whose category is wanted.
    fn append_points(&mut self, said: &UnsettledText, position: TurnPosition, is_wanted: impl Fn(Category) -> bool) {
        if position == TurnPosition::Final && self.first_words.is_empty() {
            self.first_words = extract::first_informative_sentence(&said.text);
        }
        let cwd = std::mem::replace(&mut self.cwd, said.cwd.clone());
        for point in extract::extract_points(&said.text, position).into_iter().filter(|point| is_wanted(point.category))
        {
            let (mut files, commits) = self.names_in(&point.content);
            for file in self.names_in(&point.about).0 {
                if !files.contains(&file) {
                    files.push(file);
                }
            }
            self.append_entry(ParsedEntry {
                category: point.category,
                content: point.content,
                at: said.at,
                line: said.line,
                line_id: said.line_id,
                files,
                commits,
                state: None,
            });
        }
        self.cwd = cwd;
    }

    /// Returns whether a folder is in the repository, since an agent may move between repositories.
    fn is_in_repository(&self, folder: Option<&str>) -> bool {
        self.options.is_here.as_ref().zip(folder).is_none_or(|(is_here, folder)| is_here(folder))
    }

    /// Returns the files and commits that a text names.
    fn names_in(&self, text: &str) -> (Vec<String>, Vec<String>) {
        (paths::files_named(text, self.cwd.as_deref(), &self.options.tops, &self.touched), paths::commits_named(text))
    }

    /// Returns the result. `title` is the title that the file itself states.
    pub(super) fn finish(mut self, title: Option<String>) -> ParsedSession {
        if self.unsettled.as_ref().zip(self.options.now).is_some_and(|(said, now)| said.is_last_at(now)) {
            self.settle_text(TurnPosition::Final);
        }
        let mut reading = self.reading;
        let head = &mut reading.head;
        let title = title.map(|title| extract::one_line(&title)).filter(|title| !title.is_empty());
        let title = title.or_else(|| Some(self.first_words).filter(|words| !words.is_empty()));
        head.title = cap_words(&title.unwrap_or_else(|| head.id.clone()), MAX_TITLE).trim().to_string();
        reading.is_stub = reading.entries.is_empty();
        reading
    }
}

/// Returns whether a prompt was inserted by a program.
fn is_injected(text: &str) -> bool {
    let is_tag = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.contains('>');
    text.strip_prefix('<').is_some_and(is_tag)
        || [
            "# AGENTS.md instructions",
            "[Request interrupted",
            "Caveat: The messages below",
            "This session is being continued",
        ]
        .iter()
        .any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::{TranscriptReader, claude, codex};
    use proptest::prelude::*;

    type Opened = fn(TranscriptOptions) -> Box<dyn TranscriptReader>;

    const FIXTURES: [(Opened, &str); 7] = [
        (claude::reader, include_str!("../../tests/fixtures/transcripts/claude-1.0.jsonl")),
        (claude::reader, include_str!("../../tests/fixtures/transcripts/claude-2.0.jsonl")),
        (claude::reader, include_str!("../../tests/fixtures/transcripts/claude-2.1.jsonl")),
        (codex::reader, include_str!("../../tests/fixtures/transcripts/codex-flat.jsonl")),
        (codex::reader, include_str!("../../tests/fixtures/transcripts/codex-0.46.jsonl")),
        (codex::reader, include_str!("../../tests/fixtures/transcripts/codex-0.146.jsonl")),
        (codex::reader, include_str!("../../tests/fixtures/transcripts/codex-0.151.jsonl")),
    ];

    /// Reads whole lines only, as callers do.
    fn read(open: Opened, bytes: &[u8], prompts: bool) -> ParsedSession {
        let mut reader = open(TranscriptOptions {
            prompts,
            tops: vec!["/home/mira/bakery".to_string()],
            ..TranscriptOptions::default()
        });
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        bytes[..whole].split_inclusive(|byte| *byte == b'\n').for_each(|line| reader.line(line.trim_ascii_end()));
        reader.finish()
    }

    #[test]
    fn every_prefix_yields_a_prefix_of_the_entries() {
        for (open, text) in FIXTURES {
            for prompts in [false, true] {
                let all = read(open, text.as_bytes(), prompts).entries;
                for (at, _) in text.match_indices('\n') {
                    let some = read(open, &text.as_bytes()[..=at], prompts).entries;
                    assert_eq!(some, all[..some.len()], "{}", &text[..at]);
                }
            }
        }
    }

    /// Returns the categories read from a text of unknown position, followed by later lines and read at time `now`.
    fn taken(behind: &[&str], now: Option<i64>) -> Vec<Category> {
        let said = |time: &str, text: &str| {
            format!(
                "{{\"type\":\"assistant\",\"timestamp\":\"2026-03-01T{time}Z\",\"message\":{{\"stop_reason\":null,\"content\":[{{\"type\":\"text\",\"text\":\"{text}\"}}]}}}}"
            )
        };
        let mut reader = claude::reader(TranscriptOptions { now, ..TranscriptOptions::default() });
        reader.line(
            said("10:00:00", "I fixed the timer. We decided to use a B-tree because ranges are common.").as_bytes(),
        );
        behind.iter().for_each(|time| reader.line(said(time, "Looking.").as_bytes()));
        reader.finish().entries.into_iter().map(|entry| entry.category).collect()
    }

    #[test]
    fn a_text_is_final_after_a_long_silence() {
        use Category::{Decision, Work};
        let moment = |seconds| Some(1_772_359_200 + seconds);
        assert_eq!(taken(&[], None), [Decision]);
        assert_eq!(taken(&[], moment(QUIET_SECONDS - 1)), [Decision]);
        assert_eq!(taken(&[], moment(QUIET_SECONDS)), [Decision, Work]);
        assert_eq!(taken(&["10:09:59"], None), [Decision], "it went on");
        assert_eq!(taken(&["10:09:59"], moment(QUIET_SECONDS)), [Decision]);
        assert_eq!(taken(&["10:10:00"], None), [Decision, Work], "as whoever read it before has taken it");
    }

    #[test]
    fn prompts_thinking_and_output_are_never_kept() {
        for (open, text) in FIXTURES {
            let reading = read(open, text.as_bytes(), false);
            for word in ["zwieback", "umbra", "crumbs"] {
                assert!(text.contains(word) || word == "umbra", "the fixture has it");
                assert!(!format!("{reading:?}").contains(word), "{word}: {reading:#?}");
            }
            assert!(!format!("{:?}", read(open, text.as_bytes(), true)).contains("umbra"));
        }
    }

    #[test]
    fn an_overlong_line_loses_only_itself() {
        let (open, text) = FIXTURES[0];
        let long = format!("{{\"type\":\"user\",\"x\":\"{}\"}}\n", "x".repeat(50 << 20));
        let all = read(open, text.as_bytes(), false);
        let with = read(open, (long + text).as_bytes(), false);
        assert_eq!(with.skipped, all.skipped + 1);
        assert_eq!(with.entries.len(), all.entries.len());
    }

    #[test]
    fn crash_padding_loses_no_entry() {
        for (open, text) in FIXTURES {
            let told = |bytes: &[u8]| -> Vec<(Category, String, Option<u64>)> {
                let entries = read(open, bytes, true).entries.into_iter();
                entries.map(|entry| (entry.category, entry.content, entry.line_id)).collect()
            };
            let padded: Vec<u8> = text.lines().flat_map(|line| [b"\0\0\0", line.as_bytes(), b"\n"].concat()).collect();
            let (lines, mut paired): (Vec<&str>, String) = (text.lines().collect(), String::new());
            lines.chunks(2).for_each(|pair| paired += &(pair.concat() + "\n"));
            // An invalid object makes the whole line fail, including others on it.
            if read(open, text.as_bytes(), true).skipped == 0 {
                assert_eq!(told(paired.as_bytes()), told(text.as_bytes()));
            }
            assert_eq!(told(&padded), told(text.as_bytes()));
        }
    }

    #[test]
    fn entries_beyond_the_maximum_are_counted() {
        let (open, _) = FIXTURES[0];
        let call = |n: usize| {
            format!(
                "{{\"type\":\"assistant\",\"message\":{{\"content\":[{{\"type\":\"tool_use\",\"id\":\"{n}\",\"name\":\"Bash\",\"input\":{{\"command\":\"make {n}\"}}}}]}}}}\n\
                 {{\"type\":\"user\",\"message\":{{\"content\":[{{\"type\":\"tool_result\",\"tool_use_id\":\"{n}\",\"content\":\"\"}}]}}}}\n"
            )
        };
        let text: String = (0..MAX_ENTRIES + 3).map(call).collect();
        let reading = read(open, text.as_bytes(), false);
        assert_eq!((reading.entries.len(), reading.skipped), (MAX_ENTRIES, 3));
    }

    proptest! {
        #[test]
        fn a_cut_at_any_byte_yields_a_prefix(which in 0..FIXTURES.len(), cut in 0.0..1.0_f64) {
            let (open, text) = FIXTURES[which];
            let at = (text.len() as f64 * cut) as usize;
            let (some, all) = (read(open, &text.as_bytes()[..at], false), read(open, text.as_bytes(), false));
            prop_assert_eq!(&some.entries[..], &all.entries[..some.entries.len()]);
            prop_assert!(some.skipped <= all.skipped);
        }

        #[test]
        fn lines_in_any_order_are_read_monotonically(which in 0..FIXTURES.len(), order in prop::collection::vec(0..64_usize, 1..40)) {
            let (open, text) = FIXTURES[which];
            let lines: Vec<&str> = text.lines().collect();
            let mixed: Vec<String> = order.iter().map(|at| format!("{}\n", lines[at % lines.len()])).collect();
            let all = read(open, mixed.concat().as_bytes(), true).entries;
            for end in 0..mixed.len() {
                let some = read(open, mixed[..end].concat().as_bytes(), true).entries;
                prop_assert_eq!(&some[..], &all[..some.len()]);
            }
        }

        #[test]
        fn any_bytes_are_read_or_counted(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            for open in [claude::reader as Opened, codex::reader] {
                let mut reader = open(TranscriptOptions::default());
                bytes.split(|byte| *byte == b'\n').for_each(|line| reader.line(line));
                reader.finish();
            }
        }

        #[test]
        fn damaged_lines_are_read_or_counted(which in 0..FIXTURES.len(), at in 0.0..1.0_f64, byte in any::<u8>(), cut in 0..80_usize) {
            let (open, text) = FIXTURES[which];
            let mut bytes = text.as_bytes().to_vec();
            let at = (bytes.len() as f64 * at) as usize;
            bytes[at] = byte;
            bytes.drain(at..(at + cut).min(text.len()));
            read(open, &bytes, true);
        }
    }
}
