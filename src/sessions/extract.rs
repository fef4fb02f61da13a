//! Extracts entries from an agent's message without a language model.
//!
//! Decisions, work, problems and findings are recognised by labels, headings and strict sentence forms; all other text
//! is dropped.

use std::sync::LazyLock;

use regex::Regex;

use super::Category;
use super::forms;
use super::message_blocks::{self, ProseBlock};
use super::message_labels::{self, MessageSection, normalized};
use crate::event::cap_words;

/// The longest content of one entry from prose, in bytes: a paragraph.
const MAX_POINT: usize = 1_500;

/// The most entries of one message; a message with more is a document.
const MAX_POINTS: usize = 40;

/// The fewest words of a title; fewer are an exclamation.
const MIN_TITLE_WORDS: usize = 3;

/// The length at which a text counts as a summary, in bytes.
const MIN_SUMMARY_BYTES: usize = 400;

/// The position of a text in the agent's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TurnPosition {
    /// Between tool calls.
    MidTurn,
    /// At the end of the turn.
    Final,
}

/// An entry extracted from a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MessagePoint {
    pub category: Category,
    pub content: String,
    /// The label above it, which may name a file.
    pub about: String,
}

/// Extracts the entries of a message.
pub(super) fn extract_points(text: &str, position: TurnPosition) -> Vec<MessagePoint> {
    let mut reader = MessageReader {
        points: Vec::new(),
        heading: MessageSection::Open,
        section: MessageSection::Open,
        names_decision: false,
        lead: false,
        about: String::new(),
    };
    for block in message_blocks::blocks(text) {
        match block {
            ProseBlock::Heading(words) => {
                reader.heading = message_labels::section_for_label(&words).unwrap_or(MessageSection::Open);
                reader.names_decision = message_labels::names_one_decision(&words);
                (reader.section, reader.lead) = (reader.heading, false);
                reader.about = words;
            }
            ProseBlock::Label(words) => {
                reader.section =
                    message_labels::section_for_label(&words).unwrap_or_else(|| reader.section_below_unknown(&words));
                (reader.about, reader.lead) = (words, false);
            }
            ProseBlock::Para(words) => reader.read_paragraph(&words),
            ProseBlock::Item(head, below) => {
                reader.names_decision = false;
                reader.read_item(&head, &below);
            }
        }
    }
    let mut points = reader.points;
    if position == TurnPosition::MidTurn {
        points.retain(|point| point.category == Category::Decision);
    }
    // A text that introduces something that was skipped, such as code, means nothing alone, unless it reports work.
    let is_said = |point: &MessagePoint| {
        let content = point.content.trim();
        !content.is_empty() && (point.category == Category::Work || !content.ends_with(':'))
    };
    points.retain(is_said);
    points.truncate(MAX_POINTS);
    for point in &mut points {
        point.content = cap_words(point.content.trim(), MAX_POINT).trim_end().to_string();
    }
    points
}

/// The state of reading a message, block by block.
struct MessageReader {
    points: Vec<MessagePoint>,
    /// The section of the last heading.
    heading: MessageSection,
    /// The section of the current position.
    section: MessageSection,
    /// Whether the last heading names one decision, and nothing has followed it yet.
    names_decision: bool,
    /// Whether the last entry expects a list that belongs to it.
    lead: bool,
    /// The last heading or label.
    about: String,
}

impl MessageReader {
    /// Returns the section below an unknown label.
    ///
    /// A file name only divides its section further, and so does any label under work or findings. A list of decisions
    /// ends there, because anything may follow.
    fn section_below_unknown(&self, label: &str) -> MessageSection {
        match self.heading {
            _ if message_labels::is_file_name(label) => self.section,
            MessageSection::Of(Category::Work | Category::Observation | Category::Plan) | MessageSection::Muted => {
                self.heading
            }
            MessageSection::Of(_) | MessageSection::Open => MessageSection::Open,
        }
    }

    /// Reads a paragraph.
    fn read_paragraph(&mut self, words: &str) {
        // `Here's the plan:` is not a label; it introduces a list.
        let label = message_labels::split_label(words)
            .filter(|(label, rest)| !rest.is_empty() || message_labels::section_for_label(label).is_some());
        if let Some((label, rest)) = label {
            if message_labels::section_for_label(&label).is_none() {
                self.section = self.section_below_unknown(&label);
            }
            return self.read_labelled(&label, &rest);
        }
        self.lead = false;
        let mut open = false;
        let mut names_decision = std::mem::take(&mut self.names_decision);
        let sentences: Vec<String> =
            message_blocks::sentences(words).into_iter().map(message_blocks::plain_text).collect();
        for sentence in
            sentences.iter().map(|sentence| without_exclamations(sentence)).filter(|sentence| !sentence.is_empty())
        {
            if let Some(rest) = sentence.strip_suffix(':') {
                open = self.lead_in(rest, sentence);
                continue;
            }
            self.section = self.heading;
            let own = match forms::category(sentence) {
                _ if self.section == MessageSection::Muted => None,
                None if names_decision && forms::is_statement(sentence) => Some(Category::Decision),
                own => own,
            };
            names_decision = false;
            match own {
                Some(category) if open && self.points.last().is_some_and(|last| last.category == category) => {
                    self.extend_last(" ", sentence);
                }
                Some(category) => {
                    self.add_point(category, sentence);
                    open = true;
                }
                // A sentence that gives the reason belongs to the one before it; one that addresses the user does not.
                None if open && !forms::addresses_user(sentence) && !forms::is_check_report(sentence) => {
                    self.extend_last(" ", sentence)
                }
                None => open = open && !forms::addresses_user(sentence),
            }
        }
    }

    /// Reads words that introduce a list. Returns whether they form an entry that the list belongs to.
    fn lead_in(&mut self, words: &str, sentence: &str) -> bool {
        let told = message_labels::section_for_lead_in(words);
        if told.is_none() && self.heading != MessageSection::Muted {
            let is_said = words.split_whitespace().count() > 4 || forms::category(words) == Some(Category::Work);
            if let Some(category) = forms::category(words).filter(|_| is_said) {
                self.add_point(category, sentence);
                (self.section, self.lead) = (MessageSection::Open, true);
                return true;
            }
        }
        self.section = told.unwrap_or(if self.heading == MessageSection::Muted {
            MessageSection::Muted
        } else {
            MessageSection::Open
        });
        if self.section == MessageSection::Of(Category::Plan) {
            self.add_point(Category::Plan, "");
            self.lead = true;
        }
        false
    }

    /// Reads a list item.
    fn read_item(&mut self, head: &str, below: &[String]) {
        let words = message_blocks::plain_text(head);
        if self.lead {
            self.extend_last("\n", &words);
            below.iter().for_each(|line| self.extend_last("\n", line));
            return;
        }
        if self.section == MessageSection::Muted {
            return;
        }
        if let Some((label, rest)) = message_labels::split_label(head) {
            let is_known = message_labels::section_for_label(&label).is_some() && self.section == MessageSection::Open;
            if is_known
                || self.section == MessageSection::Of(Category::Challenge) && self.continues_last_problem(&label)
            {
                self.read_labelled(&label, &rest);
                return below.iter().for_each(|line| self.extend_last("\n", line));
            }
        }
        let Some(category) = self.item_category(head, &words) else { return };
        self.add_point(category, &words);
        below.iter().for_each(|line| self.extend_last("\n", line));
    }

    /// Returns the category of a list item.
    fn item_category(&self, head: &str, words: &str) -> Option<Category> {
        let sentence = message_blocks::sentences(words).first().copied().unwrap_or_default();
        let is_open = self.section == MessageSection::Of(Category::Decision) && forms::is_unsettled(head);
        if forms::is_check_report(sentence) || words.ends_with('?') || is_open {
            return None;
        }
        // Bold text, or text before a dash or colon, is a name; the sentence form is in the rest.
        let tail = words.split_once(" — ").or(words.split_once(" – ")).or(words.split_once(": ")).map(|(_, tail)| tail);
        let own = forms::category(sentence).or_else(|| tail.and_then(forms::category));
        match self.section {
            MessageSection::Of(Category::Work) => match own {
                Some(category @ (Category::Decision | Category::Observation)) => Some(category),
                _ => Some(Category::Work),
            },
            MessageSection::Of(Category::Observation) => match own {
                Some(category @ (Category::Decision | Category::Work)) => Some(category),
                _ => Some(Category::Observation),
            },
            MessageSection::Of(category) => Some(category),
            MessageSection::Open if own.is_none() => {
                let bold = head.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '*').strip_prefix("**");
                let name = bold.and_then(|rest| rest.split("**").next()).unwrap_or_default();
                forms::reports_work(&message_blocks::plain_text(name)).then_some(Category::Work)
            }
            MessageSection::Open => own,
            MessageSection::Muted => None,
        }
    }

    /// Reads a label and the text after it.
    fn read_labelled(&mut self, label: &str, rest: &str) {
        let words = message_blocks::plain_text(rest);
        self.lead = false;
        match message_labels::section_for_label(label) {
            _ if self.heading == MessageSection::Muted => {}
            Some(MessageSection::Of(_)) if self.continues_last_problem(label) => {
                self.extend_last("\n", &words);
                self.lead = true;
            }
            Some(MessageSection::Of(category)) if words.is_empty() => self.section = MessageSection::Of(category),
            Some(MessageSection::Of(category)) => {
                let sentence = message_blocks::sentences(&words).first().copied().unwrap_or_default();
                let category = match (category, forms::category(sentence)) {
                    (Category::Observation, Some(own @ (Category::Decision | Category::Work))) => own,
                    _ => category,
                };
                let is_said = match category {
                    // Decisions are written in the imperative (`Decision: Use a queue`) without being requests.
                    Category::Decision if forms::is_unsettled(rest) => false,
                    Category::Decision | Category::Pattern | Category::Challenge => !forms::is_question(&words),
                    _ => !forms::is_request(&words) && !words.ends_with('?'),
                };
                if is_said {
                    self.add_point(category, &words);
                    self.lead = words.ends_with(':');
                }
            }
            Some(MessageSection::Muted) => self.section = MessageSection::Muted,
            Some(MessageSection::Open) | None => {
                let sentence = message_blocks::sentences(&words).first().copied().unwrap_or_default();
                if let Some(category) = forms::category(sentence) {
                    let whole = format!("{}: {words}", message_blocks::plain_text(label));
                    self.add_point(category, &whole);
                    self.lead = words.ends_with(':');
                }
            }
        }
    }

    /// Returns whether a label continues the last problem: its solution or its cause.
    fn continues_last_problem(&self, label: &str) -> bool {
        let label = normalized(label);
        let is = |words: &[&str]| words.contains(&label.as_str());
        let solves = is(&["fix", "the fix", "solution", "the solution", "resolution", "fixed", "fix applied"]);
        let explains = is(&["root cause", "the root cause", "cause", "root causes"]);
        let last = self.points.last().filter(|last| last.category == Category::Challenge);
        last.is_some_and(|last| solves || explains && last.about == self.about)
    }

    /// Adds an entry.
    fn add_point(&mut self, category: Category, content: &str) {
        let about = self.about.clone();
        self.points.push(MessagePoint { category, content: content.to_string(), about });
    }

    /// Appends to the last entry.
    fn extend_last(&mut self, between: &str, words: &str) {
        if let Some(last) = self.points.last_mut().filter(|last| last.content.len() < MAX_POINT) {
            if !last.content.is_empty() {
                last.content.push_str(between);
            }
            last.content.push_str(words);
        }
    }
}

/// Exclamations at the beginning of messages.
static EXCLAMATION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:(?:all )?done|perfect|great|good|excellent|clean|all set|ok|okay|right|sure|yes|no problem|agreed|got it|makes sense|good (?:call|point|question|catch)|you're right|nice|awesome|absolutely|clear|updated|fixed|accepted and fixed|accepted|both done|all clean)(?: here)?\s*(?:[.!,]|[—–-](?: |$)|$)\s*").expect("the constant pattern is valid")
});

/// Strips leading exclamations.
fn without_exclamations(sentence: &str) -> &str {
    let mut rest = sentence;
    while let Some(cheer) = EXCLAMATION.find(rest).filter(|cheer| !cheer.is_empty()) {
        rest = &rest[cheer.end()..];
    }
    rest
}

/// Returns whether a text has the form of a final summary: it lists what was done, or is long, and announces no further
/// step.
pub(super) fn is_summary(text: &str) -> bool {
    let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let last = message_blocks::sentences(last).last().map(|sentence| sentence.to_lowercase()).unwrap_or_default();
    let announces = last.ends_with(':')
        || last.ends_with("...")
        || ["let me", "now ", "next,", "i'll", "i will", "first,", "let's"].iter().any(|start| last.starts_with(start))
        || last.contains(" let me ");
    let is_item = |line: &str| ["- ", "* ", "1. ", "2. "].iter().any(|mark| line.trim_start().starts_with(mark));
    let items = text.lines().filter(|line| is_item(line)).count();
    !announces && (items >= 2 || text.len() >= MIN_SUMMARY_BYTES)
}

/// Returns the first informative sentence of a message, on one line.
pub(super) fn first_informative_sentence(text: &str) -> String {
    for block in message_blocks::blocks(text) {
        let (ProseBlock::Para(words) | ProseBlock::Item(words, _)) = block else { continue };
        let words = message_blocks::plain_text(&words);
        let says_little = |sentence: &str| {
            let words = sentence.split_whitespace().count();
            words < MIN_TITLE_WORDS
                || sentence.ends_with(':')
                || forms::is_check_report(sentence)
                || forms::addresses_user(sentence)
        };
        let said = message_blocks::sentences(&words)
            .into_iter()
            .map(without_exclamations)
            .find(|sentence| !says_little(sentence));
        if let Some(said) = said {
            return one_line(said.trim_end_matches('.'));
        }
    }
    String::new()
}

/// Joins a text into one line without invisible characters.
pub(super) fn one_line(text: &str) -> String {
    let shown: String =
        text.chars().map(|c| if c.is_whitespace() || crate::event::is_hidden(c) { ' ' } else { c }).collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
