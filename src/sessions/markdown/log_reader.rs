//! The state machine that turns the classified lines of a session log into entries. It tracks the section and the time.

use super::super::{Category, ParsedSession, SessionHead, forms};
use super::clock::{self, LogClock};
use super::entry_writer::{self, EntryShape, EntryWriter};
use super::lines::{self, LineKind};
use super::log_labels::{self, LogSection};
use super::{head, inline_marks, table};

/// The most words of a plain line that counts as a label because it ends in a colon.
const MAX_PLAIN_LABEL_WORDS: usize = 4;

/// The additional indentation of a nested bullet, in columns.
const NESTED_COLUMNS: usize = 2;

/// Lines that a program writes below the start of a session, which the head contains as well.
const FRAME_LINES: [&str; 3] = ["Session initialized", "Working on branch:", "Tagged as:"];

/// Names under which an agent answers in a dialogue.
const AGENT_SPEAKERS: [&str; 8] = ["agent", "ai", "assistant", "claude", "codex", "copilot", "gemini", "gpt"];

/// Emoji that begin list items without a list mark.
const LIST_EMOJI: [char; 10] = ['✅', '❌', '⚠', '✓', '✗', '☑', '☐', '🔄', '🚧', '⏳'];

/// The state of the reader.
pub(super) struct LogReader {
    head: SessionHead,
    clock: LogClock,
    entries: EntryWriter,
    /// The section of the current line, and the one to return to when a label's section ends.
    section: LogSection,
    parent: LogSection,
    /// Below a label that owns only the next lines: the section to return to at the next empty line or label.
    resumed: Option<LogSection>,
    /// The columns of the current table, if its rows are entries.
    table: Option<table::EntryTable>,
    /// Whether the last line was indented code.
    in_code: bool,
    /// The level of the last heading.
    level: usize,
    /// Whether a bullet or a second-level heading was seen, which ends the head.
    in_body: bool,
    /// Whether the section has had a bullet; paragraphs after it are asides.
    listed: bool,
    /// Whether it is the agent who speaks, in a dialogue.
    answers: bool,
    after_blank: bool,
    /// The time of the last heading that has one.
    last: Option<i64>,
    is_closed: bool,
    /// Whether the log has content beyond what programs write into every log.
    is_written: bool,
}

impl LogReader {
    /// Creates a reader for the text below a head.
    pub(super) fn new(head: SessionHead) -> Self {
        let clock = LogClock::new(&head.id, head.started);
        let entries = EntryWriter::new(head.started);
        let note = LogSection::Each(Category::Note);
        LogReader {
            head,
            clock,
            entries,
            section: note,
            parent: note,
            resumed: None,
            table: None,
            in_code: false,
            level: 1,
            in_body: false,
            listed: false,
            answers: false,
            after_blank: false,
            last: None,
            is_closed: false,
            is_written: false,
        }
    }

    /// Reads one line.
    pub(super) fn read_line(&mut self, number: u32, kind: LineKind<'_>) {
        self.entries.line = number;
        if self.is_code(kind) {
            return;
        }
        if !matches!(kind, LineKind::Row(_)) {
            self.table = None;
        }
        match kind {
            LineKind::Blank => {
                self.after_blank = true;
                self.resume_section();
            }
            LineKind::Rule => {
                self.entries.close();
                if matches!(self.section, LogSection::Each(_)) {
                    self.enter_section(LogSection::Each(Category::Note));
                }
            }
            LineKind::Code(code) => self.entries.append_comment(code),
            LineKind::Heading { level, text } => self.read_heading(level, text),
            LineKind::Label { label, value, colon } => self.read_label(label, value, colon),
            LineKind::Bullet { indent, text } => self.read_bullet(indent, text),
            LineKind::Row(row) => self.read_row(row),
            LineKind::Text { indent, text } => self.read_text(indent, text),
        }
        if !matches!(kind, LineKind::Blank | LineKind::Code(_)) {
            self.after_blank = false;
        }
    }

    /// Returns whether a line is code because it is indented outside any list.
    fn is_code(&mut self, kind: LineKind<'_>) -> bool {
        let indent = match kind {
            LineKind::Blank => return false,
            LineKind::Bullet { indent, .. } | LineKind::Text { indent, .. } => indent,
            _ => 0,
        };
        let is_free = matches!(self.section, LogSection::Each(_) | LogSection::Frame)
            && self.entries.open_bullet_indent().is_none();
        self.in_code = indent >= lines::TAB_COLUMNS && is_free && (self.in_code || self.after_blank);
        self.in_code
    }

    /// Returns to the section that a label's lines interrupted, if there is one.
    fn resume_section(&mut self) {
        if let Some(section) = self.resumed.take() {
            self.section = section;
        }
    }

    /// Enters a section.
    fn enter_section(&mut self, section: LogSection) {
        self.entries.close();
        self.resumed = None;
        self.section = section;
        self.listed = false;
    }

    /// Reads a heading.
    fn read_heading(&mut self, level: usize, text: &str) {
        let known = log_labels::section_below(text);
        let timed = clock::timed_heading(text);
        if self.is_part_of_prompt(level, known.is_some() || timed.is_some()) {
            return;
        }
        self.entries.close();
        self.entries.tie_commits("");
        if level == 1 && !self.in_body {
            if self.head.title.is_empty() {
                self.head.title = inline_marks::plain(head::session_title(text).unwrap_or(text));
            }
            return;
        }
        self.in_body = true;
        self.level = level;
        if text.starts_with(clock::UNKNOWN_TIME) {
            self.entries.at = None;
            self.enter_section(LogSection::Each(Category::Note));
            self.parent = self.section;
            return;
        }
        if let Some(timed) = timed {
            self.read_timed_heading(&timed);
            return;
        }
        self.resumed = None;
        match (log_labels::heading_entry_category(text), known) {
            (Some(category), _) => self.open_heading_entry(category, text),
            (None, Some(section)) => self.enter_section(section),
            (None, None) => self.read_unknown_heading(level, text),
        }
        if level <= 2 {
            self.parent = self.section;
            self.is_closed |= text.starts_with("Session Classification");
        }
    }

    /// Opens an entry that a heading states.
    ///
    /// Below a single decision, pattern or problem, its reasons and solution follow; below a goal, further goals.
    fn open_heading_entry(&mut self, category: Category, text: &str) {
        self.enter_section(LogSection::Each(category));
        if category == Category::Goal {
            self.open_entry(category, EntryShape::Bullet, 0, text);
            self.entries.close();
        } else {
            self.open_entry(category, EntryShape::Heading, 0, text);
            self.section = LogSection::Each(Self::aside_category_of(category));
        }
    }

    /// Reads an unknown heading: within a section, it is one of the section's entries.
    fn read_unknown_heading(&mut self, level: usize, text: &str) {
        let is_decided = matches!(self.parent, LogSection::Each(Category::Decision | Category::Pattern));
        let is_part = level > 2 && !(is_decided && (log_labels::negates_decision(text) || forms::is_unsettled(text)));
        self.enter_section(if is_part { self.parent } else { LogSection::Each(Category::Note) });
        let category = self.section_category();
        let has_reasons =
            matches!(category, Category::Challenge | Category::Decision | Category::Observation | Category::Pattern);
        self.open_entry(category, if has_reasons { EntryShape::Part } else { EntryShape::Prose }, 0, text);
        if !has_reasons {
            self.entries.close();
        }
    }

    /// Returns whether a label belongs to the entry of the heading above, rather than starting a list of its own.
    fn belongs_to_heading(&self, label: &str, known: Option<LogSection>, value: &str) -> bool {
        let Some(headed) = self.entries.heading_category() else { return false };
        match known {
            _ if entry_writer::is_answer(&format!("{label}:")) || entry_writer::is_reason(label) => true,
            None => !value.is_empty(),
            Some(LogSection::Each(category)) => category == headed && !value.is_empty(),
            Some(_) => false,
        }
    }

    /// Returns whether a heading is part of a prompt, which only a heading of the log itself ends, on the same or a
    /// higher level.
    fn is_part_of_prompt(&self, level: usize, is_own: bool) -> bool {
        match self.section {
            LogSection::Prompts => !is_own || level > self.level,
            LogSection::Dialogue => !self.answers && !is_own,
            _ => false,
        }
    }

    /// Reads a heading with a time.
    fn read_timed_heading(&mut self, timed: &clock::TimedHeading<'_>) {
        let at = self.clock.instant_of(timed);
        self.entries.at = at;
        self.last = at.or(self.last);
        let routine = log_labels::is_routine_title(timed.title);
        let speaker = timed.title.to_ascii_lowercase();
        self.answers = false;
        self.is_closed |= routine && speaker.starts_with("session end");
        let is_dialogue = timed.bracketed && ["user", "human", "assistant"].iter().any(|who| speaker.starts_with(who));
        let section = match routine {
            _ if is_dialogue => LogSection::Dialogue,
            true if speaker.starts_with("session start") => LogSection::Frame,
            true => LogSection::Each(Category::Note),
            false => log_labels::section_below_activity(timed.title),
        };
        if !routine && !is_dialogue {
            let (title, state) = timed.title.rsplit_once(" [").unwrap_or((timed.title, ""));
            let is_state = state.contains('@') && state.ends_with(']');
            self.open_entry(Category::Note, EntryShape::Prose, 0, if is_state { title } else { timed.title });
            self.entries.set_commits_from(timed.title);
        }
        self.enter_section(section);
        self.parent = section;
        // A note refers to the commit at which it was written; other content below a heading may be older or newer.
        if routine && speaker.starts_with("note") {
            self.entries.tie_commits(timed.title);
        }
    }

    /// Reads a label.
    fn read_label(&mut self, label: &str, value: &str, colon: bool) {
        if !self.in_body && colon && head::set_field(&mut SessionHead::default(), label, value) {
            return;
        }
        match self.section {
            LogSection::Prompts => return,
            LogSection::Dialogue => {
                let speaker = label.to_ascii_lowercase();
                if AGENT_SPEAKERS.contains(&speaker.as_str())
                    || self.head.tool.as_ref().is_some_and(|tool| *tool == speaker)
                {
                    self.answers = true;
                    self.open_entry(Category::Note, EntryShape::Prose, 0, value);
                } else if matches!(speaker.as_str(), "human" | "user") {
                    self.answers = false;
                } else {
                    self.append_dialogue(&format!("{label}: {value}"));
                }
                return;
            }
            _ => {}
        }
        let known = log_labels::section_below(label);
        if self.belongs_to_heading(label, known, value) {
            self.entries.append(format!("{label}: {value}").trim_end());
            return;
        }
        self.resume_section();
        let words = label.split_whitespace().count();
        match (known, value) {
            (Some(section), "") if colon || words <= MAX_PLAIN_LABEL_WORDS => self.enter_section(section),
            (_, "") => {
                let category = if colon { Category::Note } else { self.aside_category() };
                self.open_entry(category, EntryShape::Prose, 0, label);
                self.section = LogSection::Each(category);
                self.listed = false;
            }
            _ if entry_writer::is_answer(&format!("{label}:"))
                && self.entries.append_answer(&format!("{label}: {value}")) => {}
            _ if entry_writer::is_cause(label) && self.entries.append_answer(&format!("{label}: {value}")) => {
                self.section = LogSection::Each(Category::Observation);
            }
            (known, value) => self.open_labelled(label, value, known),
        }
    }

    /// Opens an entry that consists of a label and its text.
    fn open_labelled(&mut self, label: &str, value: &str, known: Option<LogSection>) {
        let category = match (known, self.section_category()) {
            (Some(LogSection::Each(category)), _) => category,
            (Some(_), _) => Category::Note,
            (None, category @ (Category::Work | Category::Challenge)) => category,
            (None, category @ (Category::Decision | Category::Pattern))
                if !self.listed && !log_labels::negates_decision(label) =>
            {
                category
            }
            (None, _) => Category::Note,
        };
        if known.is_none() && !self.listed {
            self.resumed = Some(self.section);
        }
        let category = Self::unless_unsettled(category, value);
        self.open_entry(category, EntryShape::Prose, 0, &format!("{label}: {value}"));
        // A list below belongs to this label. Under a single decision it lists reasons; under work, each line is a
        // piece of work.
        self.section = match known {
            Some(_) if label.ends_with('s') => LogSection::Each(category),
            Some(_) => LogSection::Each(Self::aside_category_of(category)),
            None => LogSection::Each(self.aside_category()),
        };
    }

    /// Reads a bullet.
    fn read_bullet(&mut self, indent: usize, text: &str) {
        let said = LineKind::Bullet { indent, text }.head_field();
        if !self.in_body
            && said.is_some_and(|(label, value)| head::set_field(&mut SessionHead::default(), label, value))
        {
            return;
        }
        self.in_body = true;
        let (state, text) = entry_writer::checkbox(text);
        match self.section {
            LogSection::Prompts => return,
            LogSection::SingleNote => {
                if let Some((_, tags)) = text.split_once(':').filter(|(key, _)| key.contains("Session Tags")) {
                    head::set_field(&mut self.head, "session_tags", tags.trim_matches('*'));
                }
                self.entries.append_to_single_note(text);
                return;
            }
            LogSection::Dialogue => {
                match entry_writer::action_category(text.trim_start_matches(|c: char| !c.is_alphabetic() && c != '`')) {
                    Some((category, what)) => {
                        self.open_entry(category, EntryShape::Prose, 0, what);
                        self.entries.close();
                    }
                    None => self.append_dialogue(text),
                }
                return;
            }
            LogSection::Each(_) | LogSection::Frame => {}
        }
        if state.is_none() && self.entries.heading_category().is_some() {
            if !self.entries.take_declaration(text) {
                self.entries.append(text);
            }
            return;
        }
        let nested = self.entries.open_bullet_indent().is_some_and(|outer| indent >= outer + NESTED_COLUMNS);
        let is_meant = inline_marks::is_literal(text);
        if nested && state.is_none() {
            if is_meant || !self.entries.take_declaration(text) {
                self.entries.append(text);
            }
            return;
        }
        if !is_meant && entry_writer::is_answer(text) && self.entries.append_answer(text) {
            return;
        }
        let category = if is_meant { self.section_category() } else { self.bullet_category(text) };
        self.open_entry(category, EntryShape::Bullet, indent, text);
        self.entries.set_goal_state(state);
        self.listed = true;
    }

    /// Reads a plain line.
    fn read_text(&mut self, indent: usize, text: &str) {
        let is_said = LineKind::Text { indent, text }.head_field().is_some();
        if !self.in_body && is_said {
            return;
        }
        let text = text.trim_start_matches(['>', ' ']);
        match self.section {
            LogSection::Prompts => return,
            LogSection::Frame if FRAME_LINES.iter().any(|frame| text.starts_with(frame)) => {
                self.read_frame_line(text);
                return;
            }
            LogSection::Dialogue => {
                self.append_dialogue(text);
                return;
            }
            LogSection::SingleNote => {
                self.entries.append_to_single_note(text);
                return;
            }
            _ => {}
        }
        let marked = indent == 0 && text.starts_with(LIST_EMOJI);
        let is_within = self.entries.collects_paragraphs();
        let goes_on =
            !self.after_blank || is_within || (indent >= NESTED_COLUMNS && self.entries.open_bullet_indent().is_some());
        if goes_on && (is_within || !marked) && self.entries.append(text) {
            return;
        }
        if let Some(label) =
            text.strip_suffix(':').filter(|label| label.split_whitespace().count() <= MAX_PLAIN_LABEL_WORDS)
        {
            if let Some(section) = log_labels::section_below(label) {
                self.enter_section(section);
                return;
            }
            if log_labels::negates_decision(label) {
                self.enter_section(LogSection::Each(Category::Note));
            }
        }
        let category = match self.section_category() {
            category if self.listed && !marked => Self::aside_category_of(category),
            category if text.ends_with(':') => Self::aside_category_of(category),
            category => Self::unless_unsettled(category, text),
        };
        self.open_entry(category, if marked { EntryShape::Bullet } else { EntryShape::Prose }, indent, text);
    }

    /// Reads a line of a dialogue. Only the agent's lines are kept.
    fn append_dialogue(&mut self, text: &str) {
        if self.answers && !self.entries.append(text) {
            self.open_entry(Category::Note, EntryShape::Prose, 0, text);
        }
    }

    /// Reads a table row.
    ///
    /// If the header names decisions or problems, each row is an entry; any other table becomes one note with a line
    /// per row.
    fn read_row(&mut self, row: &str) {
        if matches!(self.section, LogSection::Prompts | LogSection::Dialogue) {
            return;
        }
        let cells = table::split_row(row);
        if table::is_divider(&cells) {
            return;
        }
        if let Some(told) = self.table.as_ref().map(|table| table.row_entry(&cells)) {
            let (category, lines) = told.unwrap_or((Category::Note, Vec::new()));
            if let Some((first, more)) = lines.split_first() {
                self.open_entry(category, EntryShape::Bullet, 0, first);
                more.iter().for_each(|line| _ = self.entries.append(line));
            }
            self.entries.close();
            return;
        }
        let row = cells.join(" | ");
        if self.entries.heading_category().is_some() && self.entries.append(&row)
            || !self.after_blank && self.entries.append_row(&row)
        {
            return;
        }
        self.table = table::entry_table(&cells);
        if self.table.is_none() {
            self.open_entry(Category::Note, EntryShape::Table, 0, &row);
        } else {
            self.entries.close();
        }
    }

    /// Reads a line that a program wrote at the start, for fields that the head does not have.
    fn read_frame_line(&mut self, text: &str) {
        let value = text.split_once(':').map_or("", |(_, value)| value.trim());
        if text.starts_with("Working") {
            head::set_field(&mut self.head, "branch", value);
        } else if text.starts_with("Tagged") {
            head::set_field(&mut self.head, "session_tag", value);
        } else if !self.entries.has_collected(Category::Goal) && !value.is_empty() {
            self.open_entry(Category::Goal, EntryShape::Prose, 0, value);
            self.entries.close();
        }
    }

    /// Returns the category of the current section.
    fn section_category(&self) -> Category {
        match self.section {
            LogSection::Each(category) => category,
            _ => Category::Note,
        }
    }

    /// Returns the category of a bullet. In a section without a category, the bullet's own label decides; an open item
    /// is not a decision.
    fn bullet_category(&self, text: &str) -> Category {
        let category = match self.section_category() {
            Category::Note => entry_writer::labelled_category(text).unwrap_or(Category::Note),
            category => category,
        };
        Self::unless_unsettled(category, text)
    }

    /// Returns the category, or `Note` if it is a decision that is still open.
    fn unless_unsettled(category: Category, text: &str) -> Category {
        if category == Category::Decision && forms::is_unsettled(text) { Category::Note } else { category }
    }

    /// Returns the category of an aside in the current section.
    fn aside_category(&self) -> Category {
        Self::aside_category_of(self.section_category())
    }

    /// Returns the category of an aside: a sentence in a section that is not one of its items.
    fn aside_category_of(category: Category) -> Category {
        match category {
            Category::Decision | Category::Pattern | Category::Goal => Category::Note,
            category => category,
        }
    }

    /// Opens an entry.
    fn open_entry(&mut self, category: Category, shape: EntryShape, indent: usize, text: &str) {
        let is_title = category == Category::Goal && inline_marks::plain(text) == self.head.title;
        self.is_written |= !is_title && self.section != LogSection::SingleNote && !text.is_empty();
        self.entries.open(category, shape, indent, text);
    }

    /// Returns the result.
    pub(super) fn finish(mut self) -> ParsedSession {
        self.entries.close();
        if self.head.ended.is_none() && self.is_closed {
            self.head.ended = self.last;
        }
        let (entries, skipped) = self.entries.finish();
        ParsedSession { head: self.head, entries, skipped, is_stub: !self.is_written, warnings: Vec::new() }
    }
}
