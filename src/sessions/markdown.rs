//! The reader of session logs in Markdown: a state machine that reads a line at a time and keeps the section and the
//! time it stands in. Refuses fenced code, prompts, and to call a sentence a decision or a pattern because it stands
//! somewhere below one; such a sentence is a note.

pub(super) mod clock;
mod head;
pub(super) mod labels;
mod lines;
pub(super) mod marks;
mod table;
pub(super) mod writing;

use super::{Category, Head, Reading, forms};
use clock::Clock;
use labels::Section;
use lines::Kind;
use writing::{Shape, Writing};

/// Longest plain line that is a label because a colon ends it, in words.
const MAX_PLAIN_LABEL: usize = 4;

/// Columns by which a bullet is further in than the one it belongs to.
const NESTED: usize = 2;

/// What a program writes below the start of a session; the head says it.
const FRAME: [&str; 3] = ["Session initialized", "Working on branch:", "Tagged as:"];

/// Who answers in a dialogue.
const AGENTS: [&str; 8] = ["agent", "ai", "assistant", "claude", "codex", "copilot", "gemini", "gpt"];

/// Marks that begin a line of a list that has no list marks.
const MARKS: [char; 10] = ['✅', '❌', '⚠', '✓', '✗', '☑', '☐', '🔄', '🚧', '⏳'];

/// Whether a Markdown file is a session log. Looks at its beginning only.
pub fn is_session(path: &str, text: &str) -> bool {
    head::is_session(path, unmarked(text))
}

/// What a session log says; none where the file is no session log.
pub fn read(path: &str, text: &str) -> Option<Reading> {
    let text = unmarked(text);
    if !head::is_session(path, text) {
        return None;
    }
    if let Some((id, title)) = head::pointed_at(text) {
        let head = Head { id, title, ..Head::default() };
        return Some(Reading { head, is_stub: true, ..Reading::default() });
    }
    let raw: Vec<&str> = text.lines().collect();
    let body_at = head::front_end(&raw).map_or(0, |end| end + 1);
    let mut head = Head::default();
    let front = head::front(&raw[..body_at]);
    for (key, value) in &front {
        head::set(&mut head, key, value);
    }
    // Where nothing else says when it began, its date does.
    for (_, value) in front.iter().filter(|(key, _)| key == "date") {
        head::set(&mut head, "started", value);
    }
    // Empty lines in place of the front matter keep the numbers of lines right.
    let body = "\n".repeat(body_at) + &raw[body_at..].join("\n");
    let body = lines::uncommented(&body);
    let (kinds, warnings) = lines::lines(&body);
    for kind in &kinds {
        match (kind, kind.said()) {
            (Kind::Heading { level: 2.., .. }, _) => break,
            (kind, said) => {
                let is_own = said.is_some_and(|(label, value)| head::set(&mut head, label, value));
                if matches!(kind, Kind::Bullet { .. }) && !is_own {
                    break;
                }
            }
        }
    }
    if head.id.is_empty() {
        let name = path.rsplit('/').next().unwrap_or_default();
        head.id = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_string();
    }
    let mut reader = Reader::new(head);
    for (index, kind) in kinds.iter().enumerate() {
        reader.line(u32::try_from(index + 1).unwrap_or(u32::MAX), *kind);
    }
    let mut reading = reader.finish();
    reading.warnings = warnings;
    Some(reading)
}

/// The text without the mark of its byte order.
fn unmarked(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

struct Reader {
    head: Head,
    clock: Clock,
    writing: Writing,
    /// What the lines are made into, and what they will be when the label that said so is over.
    section: Section,
    parent: Section,
    /// The section that goes on at the next empty line or label, below a label that only what follows at once belongs to.
    resumed: Option<Section>,
    /// What the first row of the table says of the others.
    table: Option<table::Table>,
    /// Whether the last line was indented code.
    in_code: bool,
    /// The level of the last heading.
    level: usize,
    /// Whether a bullet or a heading of the second level was seen, before which the head stands.
    in_body: bool,
    /// Whether the section has had a bullet, after which its paragraphs are something else.
    listed: bool,
    /// Whether the agent speaks, in a dialogue.
    answers: bool,
    after_blank: bool,
    /// The time of the last heading that has one.
    last: Option<i64>,
    is_closed: bool,
    /// Whether anything was said that programs do not write into each log.
    is_written: bool,
}

impl Reader {
    fn new(head: Head) -> Self {
        let clock = Clock::new(&head.id, head.started);
        let writing = Writing::new(head.started);
        let note = Section::Each(Category::Note);
        Reader {
            head,
            clock,
            writing,
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

    fn line(&mut self, number: u32, kind: Kind<'_>) {
        self.writing.line = number;
        if self.is_code(kind) {
            return;
        }
        if !matches!(kind, Kind::Row(_)) {
            self.table = None;
        }
        match kind {
            Kind::Blank => {
                self.after_blank = true;
                self.resume();
            }
            Kind::Rule => {
                self.writing.close();
                if matches!(self.section, Section::Each(_)) {
                    self.enter(Section::Each(Category::Note));
                }
            }
            Kind::Code(code) => self.writing.comment(code),
            Kind::Heading { level, text } => self.heading(level, text),
            Kind::Label { label, value, colon } => self.label(label, value, colon),
            Kind::Bullet { indent, text } => self.bullet(indent, text),
            Kind::Row(row) => self.row(row),
            Kind::Text { indent, text } => self.text(indent, text),
        }
        if !matches!(kind, Kind::Blank | Kind::Code(_)) {
            self.after_blank = false;
        }
    }

    /// Whether a line is code because it is indented and belongs to no list.
    fn is_code(&mut self, kind: Kind<'_>) -> bool {
        let indent = match kind {
            Kind::Blank => return false,
            Kind::Bullet { indent, .. } | Kind::Text { indent, .. } => indent,
            _ => 0,
        };
        let is_free = matches!(self.section, Section::Each(_) | Section::Frame) && self.writing.bullet().is_none();
        self.in_code = indent >= lines::TAB && is_free && (self.in_code || self.after_blank);
        self.in_code
    }

    fn resume(&mut self) {
        if let Some(section) = self.resumed.take() {
            self.section = section;
        }
    }

    fn enter(&mut self, section: Section) {
        self.writing.close();
        self.resumed = None;
        self.section = section;
        self.listed = false;
    }

    fn heading(&mut self, level: usize, text: &str) {
        let known = labels::section(text);
        let timed = clock::heading(text);
        if self.is_typed(level, known.is_some() || timed.is_some()) {
            return;
        }
        self.writing.close();
        self.writing.tie("");
        if level == 1 && !self.in_body {
            if self.head.title.is_empty() {
                self.head.title = marks::plain(head::title(text).unwrap_or(text));
            }
            return;
        }
        self.in_body = true;
        self.level = level;
        if text.starts_with(clock::UNKNOWN) {
            self.writing.at = None;
            self.enter(Section::Each(Category::Note));
            self.parent = self.section;
            return;
        }
        if let Some(timed) = timed {
            self.timed(&timed);
            return;
        }
        self.resumed = None;
        match (labels::told(text), known) {
            (Some(category), _) => self.headed(category, text),
            (None, Some(section)) => self.enter(section),
            (None, None) => self.part(level, text),
        }
        if level <= 2 {
            self.parent = self.section;
            self.is_closed |= text.starts_with("Session Classification");
        }
    }

    /// An entry that a heading tells. One thing that was decided, seen or hard has below it why, and how it was met; below
    /// a goal there are others.
    fn headed(&mut self, category: Category, text: &str) {
        self.enter(Section::Each(category));
        if category == Category::Goal {
            self.open(category, Shape::Bullet, 0, text);
            self.writing.close();
        } else {
            self.open(category, Shape::Heading, 0, text);
            self.section = Section::Each(Self::aside_of(category));
        }
    }

    /// A heading that says nothing known: further in than a section, it is one of those things.
    fn part(&mut self, level: usize, text: &str) {
        let is_decided = matches!(self.parent, Section::Each(Category::Decision | Category::Pattern));
        let is_part = level > 2 && !(is_decided && (labels::denies(text) || forms::is_unsettled(text)));
        self.enter(if is_part { self.parent } else { Section::Each(Category::Note) });
        let category = self.category();
        let has_reasons =
            matches!(category, Category::Challenge | Category::Decision | Category::Observation | Category::Pattern);
        self.open(category, if has_reasons { Shape::Part } else { Shape::Prose }, 0, text);
        if !has_reasons {
            self.writing.close();
        }
    }

    /// Whether a label stands within what the heading above tells, and begins no list of its own.
    fn is_within(&self, label: &str, known: Option<Section>, value: &str) -> bool {
        let Some(headed) = self.writing.headed() else { return false };
        match known {
            _ if writing::is_answer(&format!("{label}:")) || writing::is_reason(label) => true,
            None => !value.is_empty(),
            Some(Section::Each(category)) => category == headed && !value.is_empty(),
            Some(_) => false,
        }
    }

    /// Whether a heading is a part of what a person typed: there, only one of the log's own that is not further in is
    /// another section.
    fn is_typed(&self, level: usize, is_own: bool) -> bool {
        match self.section {
            Section::Prompts => !is_own || level > self.level,
            Section::Dialogue => !self.answers && !is_own,
            _ => false,
        }
    }

    fn timed(&mut self, timed: &clock::Timed<'_>) {
        let at = self.clock.tell(timed);
        self.writing.at = at;
        self.last = at.or(self.last);
        let routine = labels::is_routine(timed.title);
        let speaker = timed.title.to_ascii_lowercase();
        self.answers = false;
        self.is_closed |= routine && speaker.starts_with("session end");
        let is_dialogue = timed.bracketed && ["user", "human", "assistant"].iter().any(|who| speaker.starts_with(who));
        let section = match routine {
            _ if is_dialogue => Section::Dialogue,
            true if speaker.starts_with("session start") => Section::Frame,
            true => Section::Each(Category::Note),
            false => labels::activity(timed.title),
        };
        if !routine && !is_dialogue {
            let (title, state) = timed.title.rsplit_once(" [").unwrap_or((timed.title, ""));
            let is_state = state.contains('@') && state.ends_with(']');
            self.open(Category::Note, Shape::Prose, 0, if is_state { title } else { timed.title });
            self.writing.beside(timed.title);
        }
        self.enter(section);
        self.parent = section;
        // A note is tied to the commit it was written at; what else stands below a heading may be older or newer.
        if routine && speaker.starts_with("note") {
            self.writing.tie(timed.title);
        }
    }

    fn label(&mut self, label: &str, value: &str, colon: bool) {
        if !self.in_body && colon && head::set(&mut Head::default(), label, value) {
            return;
        }
        match self.section {
            Section::Prompts => return,
            Section::Dialogue => {
                let speaker = label.to_ascii_lowercase();
                if AGENTS.contains(&speaker.as_str()) || self.head.tool.as_ref().is_some_and(|tool| *tool == speaker) {
                    self.answers = true;
                    self.open(Category::Note, Shape::Prose, 0, value);
                } else if matches!(speaker.as_str(), "human" | "user") {
                    self.answers = false;
                } else {
                    self.answered(&format!("{label}: {value}"));
                }
                return;
            }
            _ => {}
        }
        let known = labels::section(label);
        if self.is_within(label, known, value) {
            self.writing.append(format!("{label}: {value}").trim_end());
            return;
        }
        self.resume();
        let words = label.split_whitespace().count();
        match (known, value) {
            (Some(section), "") if colon || words <= MAX_PLAIN_LABEL => self.enter(section),
            (_, "") => {
                let category = if colon { Category::Note } else { self.aside() };
                self.open(category, Shape::Prose, 0, label);
                self.section = Section::Each(category);
                self.listed = false;
            }
            _ if writing::is_answer(&format!("{label}:")) && self.writing.answer(&format!("{label}: {value}")) => {}
            _ if writing::is_cause(label) && self.writing.answer(&format!("{label}: {value}")) => {
                self.section = Section::Each(Category::Observation);
            }
            (known, value) => self.named(label, value, known),
        }
    }

    /// A label that is an entry together with what stands behind it.
    fn named(&mut self, label: &str, value: &str, known: Option<Section>) {
        let category = match (known, self.category()) {
            (Some(Section::Each(category)), _) => category,
            (Some(_), _) => Category::Note,
            (None, category @ (Category::Work | Category::Challenge)) => category,
            (None, category @ (Category::Decision | Category::Pattern)) if !self.listed && !labels::denies(label) => {
                category
            }
            (None, _) => Category::Note,
        };
        if known.is_none() && !self.listed {
            self.resumed = Some(self.section);
        }
        let category = Self::settled(category, value);
        self.open(category, Shape::Prose, 0, &format!("{label}: {value}"));
        // What is listed below belongs to this label, except below work, where each line is a piece of it. Below a single
        // decision stand its reasons.
        self.section = match known {
            Some(_) if label.ends_with('s') => Section::Each(category),
            Some(_) => Section::Each(Self::aside_of(category)),
            None => Section::Each(self.aside()),
        };
    }

    fn bullet(&mut self, indent: usize, text: &str) {
        let said = Kind::Bullet { indent, text }.said();
        if !self.in_body && said.is_some_and(|(label, value)| head::set(&mut Head::default(), label, value)) {
            return;
        }
        self.in_body = true;
        let (state, text) = writing::checkbox(text);
        match self.section {
            Section::Prompts => return,
            Section::Together => {
                if let Some((_, tags)) = text.split_once(':').filter(|(key, _)| key.contains("Session Tags")) {
                    head::set(&mut self.head, "session_tags", tags.trim_matches('*'));
                }
                self.writing.together(text);
                return;
            }
            Section::Dialogue => {
                match writing::action(text.trim_start_matches(|c: char| !c.is_alphabetic() && c != '`')) {
                    Some((category, what)) => {
                        self.open(category, Shape::Prose, 0, what);
                        self.writing.close();
                    }
                    None => self.answered(text),
                }
                return;
            }
            Section::Each(_) | Section::Frame => {}
        }
        if state.is_none() && self.writing.headed().is_some() {
            if !self.writing.about(text) {
                self.writing.append(text);
            }
            return;
        }
        let nested = self.writing.bullet().is_some_and(|outer| indent >= outer + NESTED);
        let is_meant = marks::is_meant(text);
        if nested && state.is_none() {
            if is_meant || !self.writing.about(text) {
                self.writing.append(text);
            }
            return;
        }
        if !is_meant && writing::is_answer(text) && self.writing.answer(text) {
            return;
        }
        let category = if is_meant { self.category() } else { self.category_of(text) };
        self.open(category, Shape::Bullet, indent, text);
        self.writing.state(state);
        self.listed = true;
    }

    fn text(&mut self, indent: usize, text: &str) {
        let is_said = Kind::Text { indent, text }.said().is_some();
        if !self.in_body && is_said {
            return;
        }
        let text = text.trim_start_matches(['>', ' ']);
        match self.section {
            Section::Prompts => return,
            Section::Frame if FRAME.iter().any(|frame| text.starts_with(frame)) => {
                self.framed(text);
                return;
            }
            Section::Dialogue => {
                self.answered(text);
                return;
            }
            Section::Together => {
                self.writing.together(text);
                return;
            }
            _ => {}
        }
        let marked = indent == 0 && text.starts_with(MARKS);
        let is_within = self.writing.is_part();
        let goes_on = !self.after_blank || is_within || (indent >= NESTED && self.writing.bullet().is_some());
        if goes_on && (is_within || !marked) && self.writing.append(text) {
            return;
        }
        if let Some(label) = text.strip_suffix(':').filter(|label| label.split_whitespace().count() <= MAX_PLAIN_LABEL)
        {
            if let Some(section) = labels::section(label) {
                self.enter(section);
                return;
            }
            if labels::denies(label) {
                self.enter(Section::Each(Category::Note));
            }
        }
        let category = match self.category() {
            category if self.listed && !marked => Self::aside_of(category),
            category if text.ends_with(':') => Self::aside_of(category),
            category => Self::settled(category, text),
        };
        self.open(category, if marked { Shape::Bullet } else { Shape::Prose }, indent, text);
    }

    /// What stands in a dialogue is the agent's once it has begun to speak.
    fn answered(&mut self, text: &str) {
        if self.answers && !self.writing.append(text) {
            self.open(Category::Note, Shape::Prose, 0, text);
        }
    }

    /// A row of a table whose first row names decisions or challenges is an entry; another table is one note, a row a line.
    fn row(&mut self, row: &str) {
        if matches!(self.section, Section::Prompts | Section::Dialogue) {
            return;
        }
        let cells = table::cells(row);
        if table::is_divider(&cells) {
            return;
        }
        if let Some(told) = self.table.as_ref().map(|table| table.entry(&cells)) {
            let (category, lines) = told.unwrap_or((Category::Note, Vec::new()));
            if let Some((first, more)) = lines.split_first() {
                self.open(category, Shape::Bullet, 0, first);
                more.iter().for_each(|line| _ = self.writing.append(line));
            }
            self.writing.close();
            return;
        }
        let row = cells.join(" | ");
        if self.writing.headed().is_some() && self.writing.append(&row) || !self.after_blank && self.writing.row(&row) {
            return;
        }
        self.table = table::named(&cells);
        if self.table.is_none() {
            self.open(Category::Note, Shape::Table, 0, &row);
        } else {
            self.writing.close();
        }
    }

    /// What a program says of the session at its start: taken where the head does not say it.
    fn framed(&mut self, text: &str) {
        let value = text.split_once(':').map_or("", |(_, value)| value.trim());
        if text.starts_with("Working") {
            head::set(&mut self.head, "branch", value);
        } else if text.starts_with("Tagged") {
            head::set(&mut self.head, "session_tag", value);
        } else if !self.writing.has(Category::Goal) && !value.is_empty() {
            self.open(Category::Goal, Shape::Prose, 0, value);
            self.writing.close();
        }
    }

    /// The category of the section.
    fn category(&self) -> Category {
        match self.section {
            Section::Each(category) => category,
            _ => Category::Note,
        }
    }

    /// The category of a bullet: what it says of itself where the section says nothing, and no decision where nothing is
    /// decided.
    fn category_of(&self, text: &str) -> Category {
        let category = match self.category() {
            Category::Note => writing::own(text).unwrap_or(Category::Note),
            category => category,
        };
        Self::settled(category, text)
    }

    /// The category of a text, which is no decision where nothing is decided.
    fn settled(category: Category, text: &str) -> Category {
        if category == Category::Decision && forms::is_unsettled(text) { Category::Note } else { category }
    }

    fn aside(&self) -> Category {
        Self::aside_of(self.category())
    }

    /// What a sentence is that stands in a section without being one of its items.
    fn aside_of(category: Category) -> Category {
        match category {
            Category::Decision | Category::Pattern | Category::Goal => Category::Note,
            category => category,
        }
    }

    fn open(&mut self, category: Category, shape: Shape, indent: usize, text: &str) {
        let is_title = category == Category::Goal && marks::plain(text) == self.head.title;
        self.is_written |= !is_title && self.section != Section::Together && !text.is_empty();
        self.writing.open(category, shape, indent, text);
    }

    fn finish(mut self) -> Reading {
        self.writing.close();
        if self.head.ended.is_none() && self.is_closed {
            self.head.ended = self.last;
        }
        let (entries, skipped) = self.writing.finish();
        Reading { head: self.head, entries, skipped, is_stub: !self.is_written, warnings: Vec::new() }
    }
}

#[cfg(test)]
mod tests;
