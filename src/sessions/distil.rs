//! What an agent said, in entries, without a language model: decisions, work, difficulties and what was found out, by
//! labels, headings and strict forms of sentences. What is not surely one of them is not taken.

use std::sync::LazyLock;

use regex::Regex;

use super::Category;
use super::forms;
use super::gather::Standing;
use super::prose::{self, Block};
use super::sections::{self, Section, normal};
use crate::event::cap_words;

/// Longest content of one entry that is made of prose, in bytes: a paragraph.
const MAX_POINT: usize = 1_500;

/// Most entries of one message; a message that gives more is a document that was written into the answer.
const MAX_POINTS: usize = 40;

/// Fewest words of a title: less is cheer.
const MIN_TITLE: usize = 3;

/// A text of so many bytes is no word on the way to the next call.
const SUMMARY_BYTES: usize = 400;

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Point {
    pub category: Category,
    pub content: String,
    /// The label it stands under, where that may name a file.
    pub about: String,
}

/// The entries of a message.
pub(super) fn points(text: &str, standing: Standing) -> Vec<Point> {
    let mut reader = Reader {
        points: Vec::new(),
        heading: Section::Open,
        section: Section::Open,
        names_decision: false,
        lead: false,
        about: String::new(),
    };
    for block in prose::blocks(text) {
        match block {
            Block::Heading(words) => {
                reader.heading = sections::of(&words).unwrap_or(Section::Open);
                reader.names_decision = sections::is_one_decision(&words);
                (reader.section, reader.lead) = (reader.heading, false);
                reader.about = words;
            }
            Block::Label(words) => {
                reader.section = sections::of(&words).unwrap_or_else(|| reader.below_unknown(&words));
                (reader.about, reader.lead) = (words, false);
            }
            Block::Para(words) => reader.paragraph(&words),
            Block::Item(head, below) => {
                reader.names_decision = false;
                reader.item(&head, &below);
            }
        }
    }
    let mut points = reader.points;
    if standing == Standing::Between {
        points.retain(|point| point.category == Category::Decision);
    }
    // What leads into something that is not taken, as code, says nothing by itself; work does.
    let is_said = |point: &Point| {
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

struct Reader {
    points: Vec<Point>,
    /// What the last heading said.
    heading: Section,
    /// What is said of what stands here.
    section: Section,
    /// Whether the last heading named one decision, and nothing stood below it so far.
    names_decision: bool,
    /// Whether the last entry waits for a list that belongs to it.
    lead: bool,
    about: String,
}

impl Reader {
    /// What is said of what stands below a label that is not known. The name of a file divides what it stands in, and so
    /// does any name what was done or found; a list of decisions ends there, because what follows may be anything.
    fn below_unknown(&self, label: &str) -> Section {
        match self.heading {
            _ if sections::is_file(label) => self.section,
            Section::Of(Category::Work | Category::Observation | Category::Plan) | Section::Muted => self.heading,
            Section::Of(_) | Section::Open => Section::Open,
        }
    }

    fn paragraph(&mut self, words: &str) {
        // `Here's the plan:` is no label but leads into a list.
        let label = sections::labelled(words).filter(|(label, rest)| !rest.is_empty() || sections::of(label).is_some());
        if let Some((label, rest)) = label {
            if sections::of(&label).is_none() {
                self.section = self.below_unknown(&label);
            }
            return self.labelled(&label, &rest);
        }
        self.lead = false;
        let mut open = false;
        let mut names_decision = std::mem::take(&mut self.names_decision);
        let sentences: Vec<String> = prose::sentences(words).into_iter().map(prose::plain).collect();
        for sentence in sentences.iter().map(|sentence| without_cheer(sentence)).filter(|sentence| !sentence.is_empty())
        {
            if let Some(rest) = sentence.strip_suffix(':') {
                open = self.lead_in(rest, sentence);
                continue;
            }
            self.section = self.heading;
            let own = match forms::category(sentence) {
                _ if self.section == Section::Muted => None,
                None if names_decision && forms::is_plain(sentence) => Some(Category::Decision),
                own => own,
            };
            names_decision = false;
            match own {
                Some(category) if open && self.points.last().is_some_and(|last| last.category == category) => {
                    self.append(" ", sentence);
                }
                Some(category) => {
                    self.add(category, sentence);
                    open = true;
                }
                // A reason belongs to what it stands behind; talk to the person does not.
                None if open && !forms::is_talk(sentence) && !forms::is_check(sentence) => self.append(" ", sentence),
                None => open = open && !forms::is_talk(sentence),
            }
        }
    }

    /// Words that lead into a list. True where they are an entry themselves, and the list belongs to it.
    fn lead_in(&mut self, words: &str, sentence: &str) -> bool {
        let told = sections::of_lead(words);
        if told.is_none() && self.heading != Section::Muted {
            let is_said = words.split_whitespace().count() > 4 || forms::category(words) == Some(Category::Work);
            if let Some(category) = forms::category(words).filter(|_| is_said) {
                self.add(category, sentence);
                (self.section, self.lead) = (Section::Open, true);
                return true;
            }
        }
        self.section = told.unwrap_or(if self.heading == Section::Muted { Section::Muted } else { Section::Open });
        if self.section == Section::Of(Category::Plan) {
            self.add(Category::Plan, "");
            self.lead = true;
        }
        false
    }

    fn item(&mut self, head: &str, below: &[String]) {
        let words = prose::plain(head);
        if self.lead {
            self.append("\n", &words);
            below.iter().for_each(|line| self.append("\n", line));
            return;
        }
        if self.section == Section::Muted {
            return;
        }
        if let Some((label, rest)) = sections::labelled(head) {
            let is_known = sections::of(&label).is_some() && self.section == Section::Open;
            if is_known || self.section == Section::Of(Category::Challenge) && self.goes_with_last(&label) {
                self.labelled(&label, &rest);
                return below.iter().for_each(|line| self.append("\n", line));
            }
        }
        let Some(category) = self.of_item(head, &words) else { return };
        self.add(category, &words);
        below.iter().for_each(|line| self.append("\n", line));
    }

    fn of_item(&self, head: &str, words: &str) -> Option<Category> {
        let sentence = prose::sentences(words).first().copied().unwrap_or_default();
        let is_open = self.section == Section::Of(Category::Decision) && forms::is_unsettled(head);
        if forms::is_check(sentence) || words.ends_with('?') || is_open {
            return None;
        }
        // What stands in bold or before a dash or colon is a name; the form is in what follows.
        let tail = words.split_once(" — ").or(words.split_once(" – ")).or(words.split_once(": ")).map(|(_, tail)| tail);
        let own = forms::category(sentence).or_else(|| tail.and_then(forms::category));
        match self.section {
            Section::Of(Category::Work) => match own {
                Some(category @ (Category::Decision | Category::Observation)) => Some(category),
                _ => Some(Category::Work),
            },
            Section::Of(Category::Observation) => match own {
                Some(category @ (Category::Decision | Category::Work)) => Some(category),
                _ => Some(Category::Observation),
            },
            Section::Of(category) => Some(category),
            Section::Open if own.is_none() => {
                let bold = head.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '*').strip_prefix("**");
                let name = bold.and_then(|rest| rest.split("**").next()).unwrap_or_default();
                forms::is_done(&prose::plain(name)).then_some(Category::Work)
            }
            Section::Open => own,
            Section::Muted => None,
        }
    }

    /// A label and what stands behind it.
    fn labelled(&mut self, label: &str, rest: &str) {
        let words = prose::plain(rest);
        self.lead = false;
        match sections::of(label) {
            _ if self.heading == Section::Muted => {}
            Some(Section::Of(_)) if self.goes_with_last(label) => {
                self.append("\n", &words);
                self.lead = true;
            }
            Some(Section::Of(category)) if words.is_empty() => self.section = Section::Of(category),
            Some(Section::Of(category)) => {
                let sentence = prose::sentences(&words).first().copied().unwrap_or_default();
                let category = match (category, forms::category(sentence)) {
                    (Category::Observation, Some(own @ (Category::Decision | Category::Work))) => own,
                    _ => category,
                };
                let is_said = match category {
                    // `Decision: Use a queue` is how they are written, and asks nothing of anybody.
                    Category::Decision if forms::is_unsettled(rest) => false,
                    Category::Decision | Category::Pattern | Category::Challenge => !forms::is_question(&words),
                    _ => !forms::is_asked(&words) && !words.ends_with('?'),
                };
                if is_said {
                    self.add(category, &words);
                    self.lead = words.ends_with(':');
                }
            }
            Some(Section::Muted) => self.section = Section::Muted,
            Some(Section::Open) | None => {
                let sentence = prose::sentences(&words).first().copied().unwrap_or_default();
                if let Some(category) = forms::category(sentence) {
                    let whole = format!("{}: {words}", prose::plain(label));
                    self.add(category, &whole);
                    self.lead = words.ends_with(':');
                }
            }
        }
    }

    /// Whether the label names what solved the difficulty before it, or where that came from.
    fn goes_with_last(&self, label: &str) -> bool {
        let label = normal(label);
        let is = |words: &[&str]| words.contains(&label.as_str());
        let solves = is(&["fix", "the fix", "solution", "the solution", "resolution", "fixed", "fix applied"]);
        let explains = is(&["root cause", "the root cause", "cause", "root causes"]);
        let last = self.points.last().filter(|last| last.category == Category::Challenge);
        last.is_some_and(|last| solves || explains && last.about == self.about)
    }

    fn add(&mut self, category: Category, content: &str) {
        let about = self.about.clone();
        self.points.push(Point { category, content: content.to_string(), about });
    }

    fn append(&mut self, between: &str, words: &str) {
        if let Some(last) = self.points.last_mut().filter(|last| last.content.len() < MAX_POINT) {
            if !last.content.is_empty() {
                last.content.push_str(between);
            }
            last.content.push_str(words);
        }
    }
}

static CHEER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:(?:all )?done|perfect|great|good|excellent|clean|all set|ok|okay|right|sure|yes|no problem|agreed|got it|makes sense|good (?:call|point|question|catch)|you're right|nice|awesome|absolutely|clear|updated|fixed|accepted and fixed|accepted|both done|all clean)(?: here)?\s*(?:[.!,]|[—–-](?: |$)|$)\s*").expect("a constant")
});

/// Without the cheer that a message begins with.
fn without_cheer(sentence: &str) -> &str {
    let mut rest = sentence;
    while let Some(cheer) = CHEER.find(rest).filter(|cheer| !cheer.is_empty()) {
        rest = &rest[cheer.end()..];
    }
    rest
}

/// Whether a text has the form of a last word: a list of what was done, or long, and no step is announced at its end.
pub(super) fn is_summary(text: &str) -> bool {
    let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let last = prose::sentences(last).last().map(|sentence| sentence.to_lowercase()).unwrap_or_default();
    let announces = last.ends_with(':')
        || last.ends_with("...")
        || ["let me", "now ", "next,", "i'll", "i will", "first,", "let's"].iter().any(|start| last.starts_with(start))
        || last.contains(" let me ");
    let is_item = |line: &str| ["- ", "* ", "1. ", "2. "].iter().any(|mark| line.trim_start().starts_with(mark));
    let items = text.lines().filter(|line| is_item(line)).count();
    !announces && (items >= 2 || text.len() >= SUMMARY_BYTES)
}

/// The first sentence of a message that says something, on one line.
pub(super) fn first_words(text: &str) -> String {
    for block in prose::blocks(text) {
        let (Block::Para(words) | Block::Item(words, _)) = block else { continue };
        let words = prose::plain(&words);
        let says_little = |sentence: &str| {
            let words = sentence.split_whitespace().count();
            words < MIN_TITLE || sentence.ends_with(':') || forms::is_check(sentence) || forms::is_talk(sentence)
        };
        let said = prose::sentences(&words).into_iter().map(without_cheer).find(|sentence| !says_little(sentence));
        if let Some(said) = said {
            return one_line(said.trim_end_matches('.'));
        }
    }
    String::new()
}

/// On one line, without what no terminal shows.
pub(super) fn one_line(text: &str) -> String {
    let shown: String =
        text.chars().map(|c| if c.is_whitespace() || crate::event::is_hidden(c) { ' ' } else { c }).collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Below, a category is left out altogether.
    const MIN_PRECISION: f64 = 0.9;

    #[derive(serde::Deserialize)]
    struct Turn {
        text: String,
        /// Whether it is the last word of its turn.
        last: bool,
        /// Whether the forms were made without looking at it.
        #[serde(default = "held_out")]
        held_out: bool,
        labels: Vec<Label>,
    }

    #[derive(serde::Deserialize)]
    struct Label {
        category: Category,
        content: String,
    }

    #[derive(Default)]
    struct Tally {
        right: usize,
        wrong: Vec<String>,
        labelled: usize,
        found: usize,
    }

    impl Tally {
        fn precision(&self) -> f64 {
            self.right as f64 / (self.right + self.wrong.len()).max(1) as f64
        }
    }

    fn held_out() -> bool {
        true
    }

    /// Those of the fixture, or of the file that `PATINA_TEST_TURNS` names.
    fn turns() -> Vec<Turn> {
        let own = std::env::var("PATINA_TEST_TURNS").map(|path| std::fs::read_to_string(path).expect("labelled turns"));
        let text = own.unwrap_or_else(|_| include_str!("../../tests/fixtures/turns.jsonl").to_string());
        text.lines().map(|line| serde_json::from_str(line).expect("a turn")).collect()
    }

    /// Without what a person who labels leaves out.
    fn bare(text: &str) -> String {
        prose::plain(text).replace(['`', '*'], "")
    }

    fn tallies(turns: &[Turn]) -> BTreeMap<Category, Tally> {
        let mut tallies: BTreeMap<Category, Tally> = BTreeMap::new();
        for turn in turns {
            let standing = if turn.last { Standing::Final } else { Standing::Between };
            let points = points(&turn.text, standing);
            for point in &points {
                let is_labelled = |label: &&Label| {
                    label.category == point.category && bare(&point.content).starts_with(&bare(&label.content))
                };
                let tally = tallies.entry(point.category).or_default();
                match turn.labels.iter().find(is_labelled) {
                    Some(_) => tally.right += 1,
                    None => tally.wrong.push(cap_words(&point.content, 100).to_string()),
                }
            }
            for label in &turn.labels {
                let tally = tallies.entry(label.category).or_default();
                let content = bare(&label.content);
                tally.labelled += 1;
                tally.found += usize::from(
                    points
                        .iter()
                        .any(|point| point.category == label.category && bare(&point.content).contains(&content)),
                );
            }
        }
        tallies
    }

    #[test]
    fn what_is_taken_from_turns_that_were_labelled_by_hand_is_right() {
        let (all, is_fixture) = (turns(), std::env::var_os("PATINA_TEST_TURNS").is_none());
        let (held_out, seen): (Vec<Turn>, Vec<Turn>) = all.into_iter().partition(|turn| turn.held_out);
        let mut breaches = Vec::new();
        for (name, turns) in [("seen", seen), ("held out", held_out)] {
            assert!(turns.len() >= 90 || !is_fixture, "{} turns", turns.len());
            let tallies = tallies(&turns);
            let taken = |category| tallies.get(&category).map_or(0, |tally: &Tally| tally.right);
            // What takes nothing is never wrong.
            let least = [(Category::Decision, 2), (Category::Work, 60), (Category::Observation, 3)];
            assert!(!is_fixture || least.iter().all(|(category, least)| taken(*category) >= *least), "{name}");
            for (category, tally) in tallies {
                let (taken, precision) = (tally.right + tally.wrong.len(), tally.precision());
                let recall = tally.found as f64 / tally.labelled.max(1) as f64;
                let measured =
                    format!("{name}: {}: precision {precision:.3} of {taken}, recall {recall:.3}", category.name());
                println!("{measured} of {}", tally.labelled);
                if taken > 0 && precision < MIN_PRECISION {
                    breaches.push(format!("{measured}; wrong: {:#?}", tally.wrong));
                }
            }
        }
        assert!(breaches.is_empty(), "{}", breaches.join("\n"));
    }

    fn check(text: &str, expect: &[(Category, &str)]) {
        let found: Vec<(Category, String)> =
            points(text, Standing::Final).into_iter().map(|point| (point.category, point.content)).collect();
        let expect: Vec<(Category, String)> =
            expect.iter().map(|(category, content)| (*category, content.to_string())).collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn decisions_are_said_to_be_ones() {
        use Category::Decision;
        for text in [
            "Decision: one file per oven.",
            "I kept the old name because callers rely on it.",
            "We decided to bake at night.",
            "I'll use a lock file instead of a socket because it survives a crash.",
            "Left the timer alone on purpose.",
            "I deliberately did not touch the menu.",
            "Decision: Use one file per oven.",
            "**Decision:** keep one file per oven",
            "Decided: don't share ovens",
            "Decision - one file per oven",
            "Decision \u{2014} one file per oven",
            "Final decision: one file per oven.",
            "Our decision: make one file per oven.",
            "Decision made: one file per oven.",
            "**Chosen approach:** one file per oven.",
            "## Decision\n\nOne file per oven. They fail apart.",
            "I'm going with one file per oven because they fail apart.",
            "Going with one file per oven because they fail apart.",
            "We picked one file per oven because they fail apart.",
            "I selected one file per oven over a folder.",
            "We rejected a folder because nobody looks there.",
            "The decision was to use one file per oven.",
            "I decided that we would use UTC.",
        ] {
            let found = points(text, Standing::Final);
            assert_eq!(found.iter().map(|point| point.category).collect::<Vec<_>>(), [Decision], "{text}");
        }
        check(
            "## Key Decisions\n\n- One file per oven\n  - they fail apart\n",
            &[(Decision, "One file per oven\nthey fail apart")],
        );
    }

    #[test]
    fn guesses_offers_and_questions_are_nothing() {
        for text in [
            "The problem is probably the cache.",
            "Should I keep the old name because callers rely on it?",
            "I'd recommend that we use a lock instead of a socket.",
            "You can now run it:\n\n1. Fixed port\n2. Added flag\n",
            "## Next steps\n\n- Added tests would help\n",
            "All tests pass.",
            "```\nFixed it.\n```",
            "Let me fix this now.",
            "Decision: whether to keep one file per oven",
            "Decision: keep the file?",
            "Note: make sure that the oven is off.",
            "Fix: use another oven.",
            "## Decision\n\nShould it be one file per oven?",
            "## Decision\n\nYou may want one file per oven.",
            "## Decision\n\nWhat was asked:\n\nMore of it.",
            "## Decisions\n\nThere were some of them.",
            "I'm going with you to the oven.",
            "I picked up the thread where it was left.",
            "The decision is to be made by the baker.",
            "I decided that I would probably rest.",
            "This could break if we picked another oven because of the heat.",
        ] {
            check(text, &[]);
        }
    }

    #[test]
    fn a_list_of_decisions_ends_at_the_next_label() {
        use Category::{Challenge, Decision, Pattern, Work};
        check(
            "**Key Decisions:**\n- Use one oven\n\n**Challenges & Solutions:**\n- Cold dough: waited\n\n**Blockers:**\n- No flour\n\n\
             **Files touched:**\n- `src/a.rs`\n\n**Commands:**\n- bake all\n\n**Known limitations:**\n- no rye\n\n**Menu:**\n- rye",
            &[(Decision, "Use one oven"), (Challenge, "Cold dough: waited"), (Challenge, "No flour")],
        );
        check("**Patterns:**\n- One oven\n\n**Timeline:**\n- Monday: kickoff", &[(Pattern, "One oven")]);
        check("**Root cause:**\n- Cold\n\n**Environment:**\n- Oven 21", &[(Challenge, "Cold")]);
        check("**Decisions:**\n- Use one oven\n\n**Menu:** long\n- rye", &[(Decision, "Use one oven")]);
        for label in ["Rejected decisions", "Not decided", "Decisions to make", "Decisions reverted", "Open decisions"]
        {
            check(&format!("**Decisions:**\n- Use one oven\n\n**{label}:**\n- Use two"), &[(Decision, "Use one oven")]);
        }
        // What was done is divided by names.
        let work = "## Changes\n\n**Oven**\n- The timer\n\n**`a.rs`**\n- The light";
        check(work, &[(Work, "The timer"), (Work, "The light")]);
        check("**Decisions**\n\n**`a.rs`**\n- Use one oven", &[(Decision, "Use one oven")]);
    }

    #[test]
    fn what_is_not_settled_is_no_decision() {
        for item in [
            "~~Use one oven~~",
            "**~~Use one oven~~** (too small)",
            "Should we use one oven?",
            "TBD: name of the oven",
            "**Pending:** name of the oven",
            "Name of the oven \u{2014} to be decided",
            "Name of the oven (TBD)",
            "Undecided between two ovens",
        ] {
            check(&format!("## Key Decisions\n\n- {item}"), &[]);
        }
        check("Decision: TBD", &[]);
        for item in ["~~Use one oven~~ Use two", "Open files late", "Pending orders stay", "Use tbd.rs for names"] {
            check(&format!("## Key Decisions\n\n- {item}"), &[(Category::Decision, item)]);
        }
    }

    #[test]
    fn a_difficulty_takes_what_solved_it() {
        let text = "**Problem:** The oven blocks.\n\n**Root cause:** It waits.\n\n**Fix:** It now opens when asked.";
        check(text, &[(Category::Challenge, "The oven blocks.\nIt waits.\nIt now opens when asked.")]);
        let text = "**Problem:** The oven blocks at the start.\n\n**Fix:** It now opens when first asked.";
        check(text, &[(Category::Challenge, "The oven blocks at the start.\nIt now opens when first asked.")]);
    }

    #[test]
    fn a_plan_is_one_entry() {
        let text = "Clear. Here's the plan:\n\n1. Move the reader\n2. Test it\n\nShall I start?";
        check(text, &[(Category::Plan, "Move the reader\nTest it")]);
    }

    #[test]
    fn in_between_only_decisions_are_taken() {
        let text = "I fixed the lock. I kept the old name because callers rely on it.";
        let found = points(text, Standing::Between);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].category, Category::Decision);
    }

    #[test]
    fn a_summary_is_known_by_its_form() {
        assert!(is_summary("Changes:\n\n- Added x\n- Removed y"));
        assert!(!is_summary("- a\n- b\n\nNow let me run the tests:"));
        assert!(!is_summary("Looking at the lock."));
    }
}
