//! What a transcript has given so far, whatever its format. Keeps the reading monotone: an entry is appended once it is
//! settled, and never changed. Refuses what a person typed, unless it is asked for.

use std::collections::{HashSet, VecDeque};

use super::shell::{self, Command, Ended};
use super::{Category, Entry, MAX_CONTENT, MAX_ENTRIES, Reading, State, Taking, distil, paths};
use crate::event::cap_words;

/// Most calls that wait for their result, and most results that are remembered. An agent waits for a few at once; the
/// oldest is given up first.
const MAX_WAITING: usize = 64;

/// Longest title, in bytes.
const MAX_TITLE: usize = 120;

/// Most texts, steps and files that are remembered to take each once; more come from no real session.
const MAX_REMEMBERED: usize = 100_000;

/// After a text at which nothing follows for so many seconds the agent was done, or was killed: one that works goes on at
/// once, and writes down what it does before it waits for anything.
pub const QUIET: i64 = 10 * 60;

/// What is waited for.
#[derive(Debug, Clone)]
pub(super) enum Call {
    /// A file is read.
    Read(String),
    /// Files are changed.
    Edit(Vec<String>),
    /// A command runs.
    Run(Command),
    /// A plan is shown to the person, who may refuse it.
    Plan(String),
}

/// How sure it is that a text is the last word of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Said in the midst of work.
    Between,
    /// The last word of a turn.
    Final,
}

/// A text that is final if nothing is done after it.
struct Said {
    text: String,
    line: u32,
    line_id: Option<u64>,
    at: Option<i64>,
    cwd: Option<String>,
}

impl Said {
    /// Whether nothing came after it for so long that it was the last word.
    fn is_last_at(&self, moment: i64) -> bool {
        self.at.is_none_or(|at| at.saturating_add(QUIET) <= moment)
    }
}

/// The reading in the making.
pub(super) struct Gathered {
    /// So far.
    pub reading: Reading,
    taking: Taking,
    /// Of the line that is read.
    pub cwd: Option<String>,
    line: u32,
    /// What the object that is read is called; one in a line with others has its own.
    pub line_id: Option<u64>,
    at: Option<i64>,
    touched: Vec<String>,
    once: HashSet<[u8; 16]>,
    waiting: VecDeque<(String, Call)>,
    settled: VecDeque<(String, String)>,
    said: Option<Said>,
    first_words: String,
    prompted: bool,
}

impl Gathered {
    pub(super) fn new(taking: Taking, tool: &str) -> Gathered {
        let mut reading = Reading::default();
        reading.head.tool = Some(tool.to_string());
        Gathered {
            reading,
            taking,
            cwd: None,
            line: 0,
            line_id: None,
            at: None,
            touched: Vec::new(),
            once: HashSet::new(),
            waiting: VecDeque::new(),
            settled: VecDeque::new(),
            said: None,
            first_words: String::new(),
            prompted: false,
        }
    }

    /// Another line begins.
    pub(super) fn next_line(&mut self) {
        self.line = self.line.saturating_add(1);
    }

    /// The time of the line. It tells what whoever read the file before that moment knew as well: that the text before it
    /// was the last word.
    pub(super) fn at(&mut self, at: Option<i64>) {
        if at.is_some_and(|at| self.said.as_ref().is_some_and(|said| said.is_last_at(at))) {
            self.settle(Standing::Final);
        }
        self.at = at.or(self.at);
        let head = &mut self.reading.head;
        head.started = head.started.or(at);
        head.ended = head.ended.max(at);
    }

    /// The line was not understood.
    pub(super) fn skip(&mut self) {
        self.reading.skipped += 1;
    }

    /// Whether this is heard of for the first time, among things of its kind.
    pub(super) fn first(&mut self, kind: &str, what: &str) -> bool {
        let mut key = [0; 16];
        let mut hasher = blake3::Hasher::new();
        hasher.update(kind.as_bytes()).update(&[0]).update(what.as_bytes());
        key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        self.once.len() < MAX_REMEMBERED && self.once.insert(key)
    }

    fn push(&mut self, category: Category, content: String, files: Vec<String>, commits: Vec<String>) {
        let state = (category == Category::Goal).then_some(State::Open);
        let (line, line_id, at) = (self.line, self.line_id, self.at);
        self.append(Entry { category, content, at, line, line_id, files, commits, state });
    }

    fn append(&mut self, mut entry: Entry) {
        if self.reading.entries.len() >= MAX_ENTRIES {
            self.reading.skipped += 1;
        } else {
            entry.content = cap_words(entry.content.trim(), MAX_CONTENT).to_string();
            if !entry.content.is_empty() {
                self.reading.entries.push(entry);
            }
        }
    }

    /// A call whose result is waited for.
    pub(super) fn call(&mut self, id: &str, call: Call) {
        self.settle(Standing::Between);
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back((id.to_string(), call));
    }

    /// The call of a result, which is then waited for no more.
    pub(super) fn answered(&mut self, id: &str) -> Option<Call> {
        let at = self.waiting.iter().position(|(waiting, _)| waiting == id)?;
        self.waiting.remove(at).map(|(_, call)| call)
    }

    /// The same for a report that may carry another name: by name, else by the command. None and true where the command
    /// was told before.
    pub(super) fn reported(&mut self, id: &str, line: &str) -> (Option<Call>, bool) {
        let same = |(waiting, call): &(String, Call)| {
            waiting == id || matches!(call, Call::Run(command) if command.line == line)
        };
        if let Some(at) = self.waiting.iter().position(same) {
            return (self.waiting.remove(at).map(|(_, call)| call), false);
        }
        let told = self.settled.iter().position(|(settled, told)| settled == id || told == line);
        let is_told = told.and_then(|at| self.settled.remove(at)).is_some();
        (None, is_told)
    }

    /// The result of this call is told; a report of it that comes later says nothing new.
    pub(super) fn remember(&mut self, id: &str, call: &Call) {
        if let Call::Run(command) = call {
            if self.settled.len() >= MAX_WAITING {
                self.settled.pop_front();
            }
            self.settled.push_back((id.to_string(), command.line.clone()));
        }
    }

    /// A call has ended, and what it printed.
    pub(super) fn ended(&mut self, call: Call, ended: Ended, output: &str) {
        if ended == Ended::Never {
            return;
        }
        match call {
            Call::Read(path) => self.touch("read", &path),
            Call::Edit(paths) => paths.iter().for_each(|path| self.touch("edited", path)),
            Call::Plan(_) if !self.is_here(self.cwd.as_deref()) => {}
            Call::Plan(plan) => self.push(Category::Plan, plan, Vec::new(), Vec::new()),
            Call::Run(command) => self.ran(command, ended, output),
        }
    }

    fn ran(&mut self, command: Command, ended: Ended, output: &str) {
        let kept = std::mem::replace(&mut self.cwd, command.folder.clone());
        if !ended.is_failure() {
            command.prints.iter().for_each(|path| self.touch("read", path));
            let patch = command.patch.as_deref().unwrap_or_default();
            shell::patched(patch).iter().for_each(|path| self.touch("edited", path));
        }
        self.cwd = kept;
        let folder = command.folder.as_deref();
        let is_here = paths::is_here(folder, &self.taking.tops) && self.is_here(folder);
        if is_here && !command.looks && command.patch.is_none() && !command.line.is_empty() {
            self.push(Category::Command, format!("{}{}", command.line, ended.suffix()), Vec::new(), Vec::new());
        }
        if is_here && command.commits {
            for (commit, subject) in shell::commits_made(output) {
                if self.first("commit", &commit) {
                    self.push(Category::Commit, subject, Vec::new(), vec![commit]);
                }
            }
        }
    }

    /// A file was read or edited.
    pub(super) fn touch(&mut self, verb: &str, path: &str) {
        let Some(file) = paths::told(path, self.cwd.as_deref(), &self.taking.tops) else { return };
        if self.first(verb, &file) {
            if self.first("touched", &file) {
                self.touched.push(file.clone());
            }
            self.push(Category::Touched, format!("{verb} {file}"), vec![file], Vec::new());
        }
    }

    /// The steps of a plan: those that are new, as one entry.
    pub(super) fn steps<'s>(&mut self, steps: impl Iterator<Item = &'s str>) {
        self.settle(Standing::Between);
        if !self.is_here(self.cwd.as_deref()) {
            return;
        }
        let new: Vec<&str> = steps.map(str::trim).filter(|step| !step.is_empty() && self.first("step", step)).collect();
        if !new.is_empty() {
            let plan = new.join("\n");
            self.push(Category::Plan, plan, Vec::new(), Vec::new());
        }
    }

    /// The person typed something; nothing of it is kept unless it is asked for.
    pub(super) fn prompt(&mut self, text: &str) {
        self.settle(Standing::Final);
        let text = text.trim();
        if !self.taking.prompts || !self.is_here(self.cwd.as_deref()) || text.is_empty() || is_injected(text) {
            return;
        }
        let category = if std::mem::replace(&mut self.prompted, true) { Category::Note } else { Category::Goal };
        let (files, commits) = self.names(text);
        self.push(category, text.to_string(), files, commits);
    }

    /// Whether prompts are taken.
    pub(super) fn takes_prompts(&self) -> bool {
        self.taking.prompts
    }

    /// Whether lines of a session are taken.
    pub(super) fn takes(&self, session: &str) -> bool {
        self.taking.session.as_deref().is_none_or(|own| own == session)
    }

    /// The agent said something, and it is known how it stands.
    pub(super) fn text(&mut self, text: &str, standing: Standing) {
        if self.is_said(text) {
            return self.settle(standing);
        }
        self.settle(Standing::Between);
        if let Some(said) = self.heard(text) {
            self.told(&said, standing, |_| true);
        }
    }

    /// The agent said something, and what follows will tell how it stands. Decisions are taken at once, as they stand
    /// however it goes on. A text in the form of a summary is a last word at once: many versions write nothing behind it.
    pub(super) fn text_so_far(&mut self, text: &str) {
        if self.is_said(text) {
            return;
        }
        if distil::is_summary(text) {
            return self.text(text, Standing::Final);
        }
        self.settle(Standing::Between);
        if let Some(said) = self.heard(text) {
            self.told(&said, Standing::Between, |_| true);
            self.said = Some(said);
        }
    }

    /// What was said last stands so.
    pub(super) fn settle(&mut self, standing: Standing) {
        if let Some(said) = self.said.take().filter(|_| standing == Standing::Final) {
            self.told(&said, Standing::Final, |category| category != Category::Decision);
        }
    }

    /// Whether a text is told again of which it is not known yet how it stands.
    fn is_said(&self, text: &str) -> bool {
        self.said.as_ref().is_some_and(|said| said.text.trim() == text.trim())
    }

    /// A text with its place, once.
    fn heard(&mut self, text: &str) -> Option<Said> {
        if !self.is_here(self.cwd.as_deref()) {
            return None;
        }
        let (text, cwd) = (text.to_string(), self.cwd.clone());
        let said = Said { text, line: self.line, line_id: self.line_id, at: self.at, cwd };
        self.first("text", said.text.trim()).then_some(said)
    }

    /// Appends those of the entries of a text that are wanted.
    fn told(&mut self, said: &Said, standing: Standing, is_wanted: impl Fn(Category) -> bool) {
        if standing == Standing::Final && self.first_words.is_empty() {
            self.first_words = distil::first_words(&said.text);
        }
        let cwd = std::mem::replace(&mut self.cwd, said.cwd.clone());
        for point in distil::points(&said.text, standing).into_iter().filter(|point| is_wanted(point.category)) {
            let (mut files, commits) = self.names(&point.content);
            for file in self.names(&point.about).0 {
                if !files.contains(&file) {
                    files.push(file);
                }
            }
            self.append(Entry {
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

    /// Whether what is said in a folder is said in the repository: an agent goes from one to another.
    fn is_here(&self, folder: Option<&str>) -> bool {
        self.taking.is_here.as_ref().zip(folder).is_none_or(|(is_here, folder)| is_here(folder))
    }

    fn names(&self, text: &str) -> (Vec<String>, Vec<String>) {
        (paths::named(text, self.cwd.as_deref(), &self.taking.tops, &self.touched), paths::commits(text))
    }

    /// The reading. `title` is what the file says itself.
    pub(super) fn finish(mut self, title: Option<String>) -> Reading {
        if self.said.as_ref().zip(self.taking.now).is_some_and(|(said, now)| said.is_last_at(now)) {
            self.settle(Standing::Final);
        }
        let mut reading = self.reading;
        let head = &mut reading.head;
        let title = title.map(|title| distil::one_line(&title)).filter(|title| !title.is_empty());
        let title = title.or_else(|| Some(self.first_words).filter(|words| !words.is_empty()));
        head.title = cap_words(&title.unwrap_or_else(|| head.id.clone()), MAX_TITLE).trim().to_string();
        reading.is_stub = reading.entries.is_empty();
        reading
    }
}

/// Whether what stands in a person's place was put there by a program.
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
    use crate::sessions::{Transcript, claude, codex};
    use proptest::prelude::*;

    type Opened = fn(Taking) -> Box<dyn Transcript>;

    const FIXTURES: [(Opened, &str); 7] = [
        (claude::reader, include_str!("../../tests/fixtures/transcripts/claude-1.0.jsonl")),
        (claude::reader, include_str!("../../tests/fixtures/transcripts/claude-2.0.jsonl")),
        (claude::reader, include_str!("../../tests/fixtures/transcripts/claude-2.1.jsonl")),
        (codex::reader, include_str!("../../tests/fixtures/transcripts/codex-flat.jsonl")),
        (codex::reader, include_str!("../../tests/fixtures/transcripts/codex-0.46.jsonl")),
        (codex::reader, include_str!("../../tests/fixtures/transcripts/codex-0.146.jsonl")),
        (codex::reader, include_str!("../../tests/fixtures/transcripts/codex-0.151.jsonl")),
    ];

    /// Whole lines only, as the caller gives them.
    fn read(open: Opened, bytes: &[u8], prompts: bool) -> Reading {
        let mut reader = open(Taking { prompts, tops: vec!["/home/mira/bakery".to_string()], ..Taking::default() });
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        bytes[..whole].split_inclusive(|byte| *byte == b'\n').for_each(|line| reader.line(line.trim_ascii_end()));
        reader.finish()
    }

    #[test]
    fn every_beginning_gives_a_beginning() {
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

    /// What is taken of a text that says how it stands by what follows alone, and of lines behind it, at a moment.
    fn taken(behind: &[&str], now: Option<i64>) -> Vec<Category> {
        let said = |time: &str, text: &str| {
            format!(
                "{{\"type\":\"assistant\",\"timestamp\":\"2026-03-01T{time}Z\",\"message\":{{\"stop_reason\":null,\"content\":[{{\"type\":\"text\",\"text\":\"{text}\"}}]}}}}"
            )
        };
        let mut reader = claude::reader(Taking { now, ..Taking::default() });
        reader.line(
            said("10:00:00", "I fixed the timer. We decided to use a B-tree because ranges are common.").as_bytes(),
        );
        behind.iter().for_each(|time| reader.line(said(time, "Looking.").as_bytes()));
        reader.finish().entries.into_iter().map(|entry| entry.category).collect()
    }

    #[test]
    fn a_last_word_is_one_once_nothing_followed_for_long() {
        use Category::{Decision, Work};
        let moment = |seconds| Some(1_772_359_200 + seconds);
        assert_eq!(taken(&[], None), [Decision]);
        assert_eq!(taken(&[], moment(QUIET - 1)), [Decision]);
        assert_eq!(taken(&[], moment(QUIET)), [Decision, Work]);
        assert_eq!(taken(&["10:09:59"], None), [Decision], "it went on");
        assert_eq!(taken(&["10:09:59"], moment(QUIET)), [Decision]);
        assert_eq!(taken(&["10:10:00"], None), [Decision, Work], "as whoever read it before has taken it");
    }

    #[test]
    fn nothing_that_was_typed_thought_or_printed_is_kept() {
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
    fn a_line_that_is_too_long_costs_itself() {
        let (open, text) = FIXTURES[0];
        let long = format!("{{\"type\":\"user\",\"x\":\"{}\"}}\n", "x".repeat(50 << 20));
        let all = read(open, text.as_bytes(), false);
        let with = read(open, (long + text).as_bytes(), false);
        assert_eq!(with.skipped, all.skipped + 1);
        assert_eq!(with.entries.len(), all.entries.len());
    }

    #[test]
    fn what_a_crash_wrote_costs_no_entry() {
        for (open, text) in FIXTURES {
            let told = |bytes: &[u8]| -> Vec<(Category, String, Option<u64>)> {
                let entries = read(open, bytes, true).entries.into_iter();
                entries.map(|entry| (entry.category, entry.content, entry.line_id)).collect()
            };
            let padded: Vec<u8> = text.lines().flat_map(|line| [b"\0\0\0", line.as_bytes(), b"\n"].concat()).collect();
            let (lines, mut paired): (Vec<&str>, String) = (text.lines().collect(), String::new());
            lines.chunks(2).for_each(|pair| paired += &(pair.concat() + "\n"));
            // Where a line is none, what shares it with it is lost.
            if read(open, text.as_bytes(), true).skipped == 0 {
                assert_eq!(told(paired.as_bytes()), told(text.as_bytes()));
            }
            assert_eq!(told(&padded), told(text.as_bytes()));
        }
    }

    #[test]
    fn entries_over_the_most_are_counted() {
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
        fn a_cut_at_any_byte_gives_a_beginning(which in 0..FIXTURES.len(), cut in 0.0..1.0_f64) {
            let (open, text) = FIXTURES[which];
            let at = (text.len() as f64 * cut) as usize;
            let (some, all) = (read(open, &text.as_bytes()[..at], false), read(open, text.as_bytes(), false));
            prop_assert_eq!(&some.entries[..], &all.entries[..some.entries.len()]);
            prop_assert!(some.skipped <= all.skipped);
        }

        #[test]
        fn lines_in_any_order_give_beginnings(which in 0..FIXTURES.len(), order in prop::collection::vec(0..64_usize, 1..40)) {
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
                let mut reader = open(Taking::default());
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
