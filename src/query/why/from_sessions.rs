//! Reasons from session entries: from the sessions that made the commits behind these lines, and from any that mention
//! the file or the symbol. An entry that merely has the same date is not a reason.

use std::collections::{BTreeSet, HashMap, HashSet};

use anyhow::Result;
use rusqlite::named_params;

use super::super::Reader;
use super::{BlamedCommit, BlamedLines, Reason, ReasonCommit, lines, words};
use crate::entries::{self, LiveSession, SessionCommits, SessionEntry};
use crate::eventlog;
use crate::facts::{EntryData, ItemKind, SessionData};
use crate::item::{self, Item};
use crate::sessions::Category;
use crate::text_index;

/// Confidence if the entry names the symbol.
const SYMBOL: f64 = 0.9;
/// Confidence if the entry names the file, and the target is the file.
const FILE: f64 = 0.85;
/// Confidence if the entry names the file, and the target is lines of it.
const FILE_OF_LINES: f64 = 0.6;
/// Confidence if the entry names the commit.
const COMMIT: f64 = 0.8;
/// Confidence if the entry is close to the commit in its session, and about the same topics.
const NEAR: f64 = 0.5;
/// As `NEAR`, for a decision that shares only one word with the target, if that word is rare in the session.
const NEAR_BY_ONE: f64 = 0.4;
/// Confidence of a session's goal that is about the same topics.
const GOAL: f64 = 0.47;
/// Factor if the commit touched more than a few files and the entry is about none of the target's words.
const BESIDE: f64 = 0.5;
/// A commit of at most this many files counts as being about each of them.
const FEW_FILES: usize = 6;
/// Confidence if the entry names the symbol, or the file that is the target, but its session made none of the commits.
const UNTIED_SYMBOL: f64 = 0.65;
const UNTIED_FILE: f64 = 0.5;
/// Confidence of a note recorded by hand about the file.
const BY_HAND: f64 = 0.75;
/// An entry that names more files than this is not about any one of them, and gets the factor `ONE_OF_MANY`.
const MANY_FILES: usize = 4;
const ONE_OF_MANY: f64 = 0.6;
/// The same limit for names in backticks.
const MANY_NAMES: usize = 6;
/// Factor if the entry names other definitions of the file, but not the target.
const ANOTHER: f64 = 0.4;
/// The number of shared words that makes two texts be about the same topics. Entries about work are long, and need
/// more.
const SHARED: f64 = 2.0;
const SHARED_WORK: f64 = 2.5;
/// A word that at most this many entries of a session contain may alone link one of them to a commit.
const RARE: usize = 2;
/// A word that more than one in this many entries of a session contain counts only half; likewise for the subjects of
/// commits.
const COMMON: usize = 5;
const COMMON_IN_COMMITS: usize = 60;
/// How many of the newest commits' subjects are read to find out how common a word is.
const SUBJECTS: i64 = 4_000;
/// An entry with fewer topics than this is only a list of commits.
const SOMETHING: usize = 4;
/// How many commits are searched for in entries by their id.
const MOST_COMMITS: usize = 20;
/// An entry dated to the minute may be this many seconds older than the commit it reports.
const MINUTE: i64 = 60;
/// An entry of a transcript can be about a commit if it was written at most `BEFORE` seconds before it, or `AFTER`
/// seconds after it.
const BEFORE: i64 = 1800;
const AFTER: i64 = 120;
/// How far a session's times may differ from its commits': they may be wrong by a time zone, and a commit may have been
/// rewritten a day later.
const DAY: i64 = 86_400;
/// How many seconds a session without an end is taken to last.
const LONGEST: i64 = DAY;
/// In a text of at most this many bytes, everything named counts as given up, even in another sentence.
const SHORT: usize = 300;
/// How many entries found by a word are examined.
const MOST_FOUND: usize = 400;

/// An entry with its whole text and its topics.
struct FullEntry {
    said: SessionEntry,
    data: EntryData,
    topics: BTreeSet<String>,
}

/// A session with all of its entries.
struct FullSession<'s> {
    session: &'s SessionData,
    entries: Vec<FullEntry>,
    /// The number of entries that contain each word.
    counts: HashMap<String, usize>,
}

impl<'s> FullSession<'s> {
    fn new(session: &'s LiveSession, entries: Vec<FullEntry>) -> Self {
        let mut counts = HashMap::new();
        for word in entries.iter().flat_map(|one| &one.topics) {
            *counts.entry(word.clone()).or_default() += 1;
        }
        FullSession { session: &session.data, entries, counts }
    }

    /// Returns whether very few of its entries contain a word.
    fn is_rare(&self, word: &str) -> bool {
        self.counts.get(word).copied().unwrap_or_default() <= RARE
    }

    /// Returns whether many of its entries contain a word.
    fn is_common(&self, word: &str) -> bool {
        self.counts.get(word).copied().unwrap_or_default() > 2.max(self.entries.len() / COMMON)
    }
}

/// A link from an entry to the lines, by way of a commit.
struct EntryLink<'a> {
    worth: f64,
    maker: &'a BlamedCommit,
    why: String,
}

/// Collects the reasons that session entries give.
pub fn reasons(reader: &Reader<'_>, asked: &BlamedLines<'_>) -> Result<Vec<Reason>> {
    let sessions = entries::load_sessions(&reader.cache, reader.view.id)?;
    if sessions.is_empty() {
        return Ok(Vec::new());
    }
    let search = ReasonSearch::new(reader, asked)?;
    let joins = SessionCommits::load(&reader.cache, reader.view.id, &sessions)?;
    let (mut reasons, mut tied) = (Vec::new(), HashSet::new());
    for session in &sessions {
        if !asked.makers.iter().any(|maker| may_hold(&session.data, maker.time)) {
            continue;
        }
        let made: HashSet<String> = joins.commits_of(reader.repository, &session.data).into_iter().collect();
        let makers: Vec<&BlamedCommit> = asked.makers.iter().filter(|maker| made.contains(&maker.sha)).collect();
        if makers.is_empty() {
            continue;
        }
        // The same session may be stored in several files; it is read once.
        if !tied.insert(session.data.session.clone()) {
            continue;
        }
        let whole = FullSession::new(session, entries_of(reader, session)?);
        for one in &whole.entries {
            reasons.extend(search.tied(one, &whole, &makers));
        }
    }
    reasons.extend(search.untied(reader, &sessions, &tied)?);
    Ok(reasons)
}

/// Returns whether a session may have made a commit at this time; a closer check follows.
fn may_hold(session: &SessionData, time: i64) -> bool {
    let Some(started) = session.head.started else { return true };
    let ended = session.head.ended.unwrap_or(started + LONGEST).max(started);
    (started - DAY..=ended + DAY).contains(&time)
}

/// Reads the entries of a session.
fn entries_of(reader: &Reader<'_>, session: &LiveSession) -> Result<Vec<FullEntry>> {
    let mut all = Vec::new();
    for said in entries::in_session(&reader.cache, reader.view.id, &session.data.session)? {
        if said.n > 0 {
            all.push(full_entry(reader, said)?);
        }
    }
    Ok(all)
}

/// Reads an entry with its whole text.
fn full_entry(reader: &Reader<'_>, said: SessionEntry) -> Result<FullEntry> {
    let data = eventlog::event(&reader.cache, said.seq)?.entry()?;
    let topics = words::topics(&data.content);
    Ok(FullEntry { said, data, topics })
}

/// The criteria that entries are matched by: the lines, their file and symbol, and words about them.
struct ReasonSearch<'a> {
    asked: &'a BlamedLines<'a>,
    about: BTreeSet<String>,
    /// `about`, and the words of the folders that the file is in.
    surroundings: BTreeSet<String>,
    /// The names of the file: all its paths, past and present, and every trailing part of them that is not ambiguous.
    files: HashSet<String>,
    symbol: Option<&'a str>,
    /// Whether the symbol's name is so distinctive that mentioning it means this symbol.
    is_telling: bool,
    /// Other definitions of the file with a distinctive name.
    others: Vec<String>,
    /// The topics of the subject of each commit behind the lines.
    subjects: HashMap<&'a str, BTreeSet<String>>,
    /// Words that many commits of the repository contain.
    common: HashSet<String>,
}

impl<'a> ReasonSearch<'a> {
    fn new(reader: &Reader<'_>, asked: &'a BlamedLines<'a>) -> Result<Self> {
        let mut files = HashSet::new();
        for name in &asked.names {
            let mut end = name.as_str();
            loop {
                if end == name || !lines::is_shared(reader, end, &asked.names)? {
                    files.insert(end.to_string());
                }
                match end.split_once('/') {
                    Some((_, rest)) => end = rest,
                    None => break,
                }
            }
        }
        let symbol = asked.symbol();
        let is_telling = symbol.is_some_and(words::is_telling);
        let own = asked.lines.item.as_ref();
        let others = item::in_file(&reader.cache, reader.view.id, &asked.lines.path)?.into_iter();
        let others = others.filter(|other| {
            // `<Writer as Forge>::fork` is a part of both.
            let is_part = |own: &Item| {
                other.qualified.starts_with(&own.qualified)
                    || own.qualified.starts_with(&other.qualified)
                    || words::names(&own.qualified, &other.name)
            };
            other.kind != ItemKind::File && own.is_some_and(|own| !is_part(own)) && words::is_telling(&other.name)
        });
        let others = others.map(|other| other.name).collect();
        let about = asked.topics();
        let subjects: HashMap<&str, BTreeSet<String>> =
            asked.makers.iter().map(|maker| (maker.sha.as_str(), words::topics(&maker.subject))).collect();
        let mut wanted = about.clone();
        wanted.extend(subjects.values().flatten().cloned());
        let common = common(reader, &wanted)?;
        let surroundings = asked.surroundings();
        Ok(ReasonSearch { asked, about, surroundings, files, symbol, is_telling, others, subjects, common })
    }

    fn names_file(&self, one: &FullEntry) -> bool {
        one.data.files.iter().any(|file| self.files.contains(file))
    }

    fn names_symbol(&self, one: &FullEntry) -> bool {
        let Some(symbol) = self.symbol else { return false };
        match self.is_telling {
            true => words::names(&one.data.content, symbol),
            false => self.is_qualified(one) || self.names_file(one) && words::names_as_code(&one.data.content, symbol),
        }
    }

    /// Returns whether an entry names other definitions of the file, but not the target.
    fn names_another(&self, one: &FullEntry) -> bool {
        let named = |name: &String| words::names(&one.data.content, name);
        self.others.iter().any(named) && !self.symbol.is_some_and(|symbol| words::names(&one.data.content, symbol))
    }

    /// Returns whether an entry names the symbol with its qualified name.
    fn is_qualified(&self, one: &FullEntry) -> bool {
        let qualified = self.asked.qualified();
        qualified.contains(['.', ':']) && one.data.content.contains(qualified)
    }

    /// Creates a reason from an entry of a session that made some of the commits; `None` if the entry is about none of
    /// them.
    fn tied(&self, one: &FullEntry, whole: &FullSession<'_>, makers: &[&'a BlamedCommit]) -> Option<Reason> {
        let worth = worth_of(one.data.category)?;
        let best = self.links(one, whole, makers).into_iter().max_by(|a, b| a.worth.total_cmp(&b.worth))?;
        let (sha, part) = (&best.maker.sha[..10], self.asked.part(best.maker));
        let evidence = format!("{}; made in this session, {sha} {part}", best.why);
        Some(self.reason(one, &whole.session.title, Some(best.maker), evidence, best.worth * worth))
    }

    /// Collects the links from an entry to the commits that its session made.
    fn links(&self, one: &FullEntry, whole: &FullSession<'_>, makers: &[&'a BlamedCommit]) -> Vec<EntryLink<'a>> {
        let asked = self.asked;
        let mut links = Vec::new();
        let heaviest = makers.iter().copied().max_by(|a, b| asked.weight(a).total_cmp(&asked.weight(b)));
        let Some(heaviest) = heaviest else { return links };
        if self.names_symbol(one) {
            let why = format!("names {}", self.symbol.unwrap_or_default());
            links.push(EntryLink { worth: SYMBOL * asked.weight(heaviest), maker: heaviest, why });
        }
        let another = if self.names_another(one) { ANOTHER } else { 1.0 };
        let is_note = one.data.category == Category::Note;
        if self.names_file(one) && (asked.lines.is_file || !is_note) {
            let worth = if asked.lines.is_file { FILE } else { FILE_OF_LINES } * of_many(one) * another;
            let why = format!("names {}", asked.lines.path);
            links.push(EntryLink { worth: worth * asked.weight(heaviest), maker: heaviest, why });
        }
        // Notes are about anything that happened, so only what a note names counts.
        if is_note {
            return links;
        }
        for maker in makers.iter().copied() {
            let subject = &self.subjects[maker.sha.as_str()];
            let is_about = one.topics.iter().any(|word| self.surroundings.contains(word));
            let beside = if !is_about && maker.files > FEW_FILES { BESIDE } else { 1.0 };
            let weight = asked.weight(maker) * beside * another * of_many(one);
            if is_named(one, maker) {
                links.push(EntryLink { worth: COMMIT * weight, maker, why: "names the commit".to_string() });
            }
            let common: Vec<&String> =
                one.topics.iter().filter(|word| self.about.contains(*word) || subject.contains(*word)).collect();
            // A compound and its parts count as one shared word.
            let is_whole =
                |word: &&&String| !common.iter().any(|other| other.len() > word.len() && other.contains(word.as_str()));
            let common: Vec<&String> = common.iter().filter(is_whole).copied().collect();
            let is_common =
                |word: &str| self.common.contains(word) || !self.about.contains(word) && whole.is_common(word);
            let shared: f64 = common.iter().map(|word| if is_common(word) { 0.5 } else { 1.0 }).sum();
            let is_goal = one.data.category == Category::Goal;
            let (needed, worth) = match one.data.category {
                Category::Work => (SHARED_WORK, NEAR),
                Category::Goal => (SHARED, GOAL),
                // For a decision one shared word is enough, but not if the session repeats that word all the time.
                Category::Decision if shared < SHARED && common.iter().any(|word| whole.is_rare(word)) => {
                    (1.0, NEAR_BY_ONE)
                }
                _ => (SHARED, NEAR),
            };
            if shared >= needed && (is_goal || is_near(one, whole, maker)) {
                let said: Vec<&str> = common.iter().take(4).map(|word| word.as_str()).collect();
                let why = format!("about the same ({})", said.join(", "));
                links.push(EntryLink { worth: worth * weight, maker, why });
            }
        }
        links
    }

    /// Collects the reasons from entries about the file or the symbol in other sessions, or recorded by hand.
    fn untied(&self, reader: &Reader<'_>, sessions: &[LiveSession], tied: &HashSet<String>) -> Result<Vec<Reason>> {
        let mut found: Vec<SessionEntry> = Vec::new();
        for file in &self.files {
            found.extend(entries::of_file(&reader.cache, reader.view.id, file)?);
        }
        if let Some(symbol) = self.symbol.filter(|_| self.is_telling) {
            let mut seqs = Vec::new();
            text_index::each_containing(&reader.cache, symbol, |seq| seqs.push(seq))?;
            seqs.sort_unstable();
            for seq in seqs.into_iter().rev().take(MOST_FOUND) {
                found.extend(entries::by_seq(&reader.cache, reader.view.id, seq)?);
            }
        }
        for maker in self.asked.makers.iter().take(MOST_COMMITS) {
            found.extend(entries::of_commit(&reader.cache, reader.view.id, &maker.sha)?);
        }
        let mut seen = HashSet::new();
        found.retain(|said| said.n > 0 && !tied.contains(&said.session) && seen.insert(said.seq));
        let mut reasons = Vec::new();
        for said in found {
            let one = full_entry(reader, said)?;
            let title = sessions.iter().find(|session| session.data.session == one.said.session);
            let title = title.map_or("", |session| session.data.title.as_str());
            reasons.extend(self.beside(&one, title));
        }
        Ok(reasons)
    }

    /// Creates a reason from an entry whose session made none of the commits.
    fn beside(&self, one: &FullEntry, title: &str) -> Option<Reason> {
        let worth = worth_of(one.data.category)?;
        let (file, symbol) = (self.names_file(one), self.names_symbol(one));
        let maker = self
            .asked
            .makers
            .iter()
            .find(|maker| is_named(one, maker))
            .filter(|_| one.data.category != Category::Note || symbol);
        let what = if symbol { self.symbol.unwrap_or_default() } else { &self.asked.lines.path };
        let is_of_file = file && self.asked.lines.is_file;
        let by_hand = one.said.path.is_none() && one.data.version == HAND && !self.names_another(one);
        if let Some(maker) = maker {
            let base = if symbol || is_of_file { SYMBOL } else { COMMIT };
            let is_about = symbol || file || one.topics.iter().any(|word| self.surroundings.contains(word));
            let beside = if !is_about && maker.files > FEW_FILES { BESIDE } else { 1.0 };
            let evidence = format!("names the commit {}, which {}", &maker.sha[..10], self.asked.part(maker));
            return Some(self.reason(
                one,
                title,
                Some(maker),
                evidence,
                base * worth * beside * self.asked.weight(maker),
            ));
        }
        let base = match (by_hand && file, symbol, is_of_file) {
            (true, ..) => BY_HAND,
            (_, true, _) if words::code_names(&one.data.content) > MANY_NAMES => UNTIED_SYMBOL * ONE_OF_MANY,
            (_, true, _) => UNTIED_SYMBOL,
            (.., true) => UNTIED_FILE * of_many(one),
            _ => return None,
        };
        let by = if by_hand { "written by hand" } else { "about it, though no commit of that session made the lines" };
        Some(self.reason(one, title, None, format!("names {what}; {by}"), base * worth))
    }

    fn reason(
        &self,
        one: &FullEntry,
        title: &str,
        maker: Option<&BlamedCommit>,
        evidence: String,
        confidence: f64,
    ) -> Reason {
        let kind = if self.is_given_up(one) { "abandoned" } else { one.data.category.name() };
        Reason {
            kind: kind.to_string(),
            text: one.data.content.clone(),
            time: one.data.time,
            key: one.said.key(),
            session: Some(crate::facts::source_of(&one.said.session)),
            n: Some(one.said.n),
            title: Some(title.to_string()),
            commit: maker.map(ReasonCommit::of),
            evidence,
            confidence,
        }
    }

    /// Returns whether an entry says that the file or symbol was tried and given up: in the same sentence, or anywhere
    /// in a short text.
    fn is_given_up(&self, one: &FullEntry) -> bool {
        let content = &one.data.content;
        let names = |text: &str| {
            self.symbol.is_some_and(|symbol| words::names(text, symbol))
                || self.files.iter().any(|file| words::names(text, file))
        };
        match content.len() <= SHORT {
            true => names(content) && words::gives_up(content),
            false => words::sentences(content).iter().any(|sentence| names(sentence) && words::gives_up(sentence)),
        }
    }
}

/// Returns whether an entry names a commit and says more than that. A heading that states where HEAD was does not
/// count.
fn is_named(one: &FullEntry, maker: &BlamedCommit) -> bool {
    let named = |commit: &String| maker.sha.starts_with(commit) && one.data.content.contains(commit);
    one.data.commits.iter().any(named) && one.topics.len() >= SOMETHING
}

/// Returns the words among `wanted` that are in the subjects of many of the newest reachable commits.
fn common(reader: &Reader<'_>, wanted: &BTreeSet<String>) -> Result<HashSet<String>> {
    let mut statement = reader.cache.prepare_cached(
        "SELECT subject FROM commit_row JOIN reachable ON reachable.seq = commit_row.seq ORDER BY time DESC, sha LIMIT :most",
    )?;
    let subjects = statement.query_map(named_params! {":most": SUBJECTS}, |row| row.get(0))?;
    let subjects: Vec<String> = subjects.collect::<rusqlite::Result<_>>()?;
    let counts = words::counted(wanted, subjects.iter().map(String::as_str));
    let is_common = |count: usize| count > 2.max(subjects.len() / COMMON_IN_COMMITS);
    Ok(counts.into_iter().filter(|(_, count)| is_common(*count)).map(|(word, _)| word).collect())
}

/// Returns a factor for the number of files that an entry names: one that names many is less about each.
fn of_many(one: &FullEntry) -> f64 {
    if one.data.files.len() > MANY_FILES { ONE_OF_MANY } else { 1.0 }
}

/// The reader version of entries that were recorded by hand.
const HAND: &str = "hand";

/// Returns how well a category explains why; `None` if it does not.
fn worth_of(category: Category) -> Option<f64> {
    match category {
        Category::Decision | Category::Challenge => Some(1.0),
        Category::Pattern | Category::Observation | Category::Work => Some(0.85),
        Category::Goal | Category::Note => Some(0.75),
        Category::Context | Category::Plan | Category::Touched | Category::Command | Category::Commit => None,
    }
}

/// Returns whether an entry is where its session reports the work up to a commit: in a log, in the first block written
/// after the commit; in a transcript, close to it in time.
fn is_near(one: &FullEntry, whole: &FullSession<'_>, maker: &BlamedCommit) -> bool {
    let Some(time) = one.data.time else { return false };
    if whole.session.format != "markdown" {
        return (maker.time - BEFORE..=maker.time + AFTER).contains(&time);
    }
    let times = whole.entries.iter().filter_map(|other| other.data.time);
    times.filter(|other| *other > maker.time - MINUTE).min() == Some(time)
}
