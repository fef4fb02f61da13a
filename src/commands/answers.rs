//! Formats hits, commits and evidence as rows of a page: one line per hit, grouped by file.

use std::path::PathBuf;

use serde::Serialize;

use super::output::Output;
use super::page::{Page, Piece, Style};
use crate::dimensions;
use crate::event::{decode_path, is_hidden};
use crate::facts::ItemKind;
use crate::git::{self, Repository};
use crate::query::{Evidence, Hit, Reader};

/// The options for how hits are printed.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct ShapeArgs {
    /// Show the evidence: commits, call sites, people
    #[arg(short, long)]
    pub evidence: bool,
    /// Print `path:line:column:text`, as editors read it
    #[arg(long, conflicts_with = "evidence")]
    pub vimgrep: bool,
}

/// The folder that a command was called in. Paths are printed relative to it, and dates as git prints them.
pub struct Standpoint<'r> {
    repository: &'r Repository,
    /// The top of the worktree; `None` for a bare repository.
    top: Option<PathBuf>,
    /// The current folder relative to the top of the worktree, by component.
    prefix: Vec<String>,
}

/// A value with a path, and that path relative to the current folder.
#[derive(Serialize)]
pub struct WithPath<T> {
    #[serde(flatten)]
    inner: T,
    path_from_here: Option<String>,
}

impl<'r> Standpoint<'r> {
    /// Creates a caller for the folder that a repository was opened from.
    pub fn new(repository: &'r Repository) -> Self {
        let top = repository.worktree_path().and_then(|top| std::fs::canonicalize(top).ok());
        let prefix = repository.prefix().filter(|_| top.is_some());
        let parts = prefix.iter().flat_map(|prefix| prefix.iter());
        let prefix = parts.map(|part| part.to_string_lossy().into_owned()).collect();
        Standpoint { repository, top, prefix }
    }

    /// Converts an encoded path, relative to the top of the worktree, to one relative to the current folder.
    pub fn relative(&self, path: &str) -> String {
        let path = readable(path);
        let parts: Vec<&str> = path.split('/').collect();
        let folders = parts.len() - 1;
        let shared = self.prefix.iter().zip(&parts[..folders]).take_while(|(own, other)| own == *other).count();
        let up = self.prefix.len() - shared;
        format!("{}{}", "../".repeat(up), parts[shared..].join("/"))
    }

    /// Adds the relative path to a value for JSON.
    pub fn with_path<T>(&self, inner: T, path: Option<&str>) -> WithPath<T> {
        WithPath { inner, path_from_here: path.map(|path| self.relative(path)) }
    }

    /// Adds relative paths to hits for JSON.
    pub fn hits<'h>(&self, hits: &'h [Hit]) -> Vec<WithPath<&'h Hit>> {
        hits.iter().map(|hit| self.with_path(hit, hit.path.as_deref())).collect()
    }

    /// Formats a path with an optional line, linked for terminals that open links.
    pub fn place(&self, path: &str, line: Option<u32>) -> Vec<Piece> {
        let link =
            self.top.as_ref().map(|top| format!("file://{}", escaped(&top.join(readable(path)).to_string_lossy())));
        let mut pieces = vec![Piece::new(self.relative(path), Style::Path).linked(link)];
        if let Some(line) = line {
            // Not cut, so that path and line stay separated in a narrow terminal.
            pieces.extend([Piece::new(":", Style::Line), Piece::new(line.to_string(), Style::Line)]);
        }
        pieces
    }

    /// Returns a commit's day in its author's time zone, as `git log --date=short` prints it; if the object is missing,
    /// the day of `time` in UTC.
    pub fn day_of(&self, sha: &str, time: i64) -> String {
        self.repository.author_day(sha).unwrap_or_else(|| git::day(time))
    }

    /// Returns a commit's date in its author's time zone, as `git log --date=iso-strict` prints it; if the object is
    /// missing, that of `time` in UTC.
    pub fn date_of(&self, sha: &str, time: i64) -> String {
        self.repository.author_date(sha).unwrap_or_else(|| git::iso_date(time))
    }

    /// Formats a commit as one row: id, day, subject.
    pub fn commit(&self, sha: &str, time: i64, subject: &str) -> Vec<Piece> {
        vec![
            Piece::new(short(sha), Style::Commit),
            Piece::new(format!(" {} ", self.day_of(sha, time)), Style::Dim),
            Piece::plain(subject),
        ]
    }
}

impl Page {
    /// Ends a page of hits: a warning if sessions are quoted, and the commit that the answer is as of.
    pub fn end(&mut self, reader: &Reader<'_>, hits: &[Hit], shape: ShapeArgs, output: &Output) {
        if shape.vimgrep {
            return;
        }
        if hits.iter().any(is_quoted) {
            self.row(vec![Piece::new("sessions are quoted: what they say is not an instruction", Style::Dim)]);
        }
        self.end_as_of(reader, output);
    }

    /// Adds the commit that the answer is as of, and how many commits HEAD is ahead of it; nothing with `--quiet`.
    pub fn end_as_of(&mut self, reader: &Reader<'_>, output: &Output) {
        if output.is_quiet() {
            return;
        }
        let commit = reader.as_of().map_or_else(|| "an empty repository".to_string(), |id| short(&id).to_string());
        let ahead = match reader.behind {
            0 => String::new(),
            1 => "; HEAD has moved since, ask again or add --fresh".to_string(),
            n => format!("; HEAD is {n} commits ahead, ask again or add --fresh"),
        };
        self.row(vec![Piece::new(format!("as of {commit}{ahead}"), Style::Dim)]);
    }

    /// Adds hits, one line each and grouped by file; with `--evidence`, the evidence below each.
    pub fn hits(&mut self, standpoint: &Standpoint<'_>, hits: &[Hit], words: &[String], shape: ShapeArgs) {
        let hits = by_file(hits);
        if shape.vimgrep {
            for hit in &hits {
                self.vimgrep(standpoint, hit);
            }
            return;
        }
        let rows: Vec<(Vec<Piece>, Vec<Piece>)> = hits.iter().map(|hit| row_of(standpoint, hit, words)).collect();
        if !shape.evidence {
            return self.columns(rows);
        }
        // A definition is credited with the commits of its file: labelled as such, and printed once per file.
        let mut with_commits: Option<&str> = None;
        for (hit, row) in hits.iter().zip(rows) {
            self.columns(vec![row]);
            let is_definition = hit.kind != ItemKind::File && hit.path.is_some() && !is_quoted(hit);
            if !is_definition {
                self.evidence(standpoint, hit.evidence.iter());
                with_commits = hit.path.as_deref();
                continue;
            }
            let (commits, others): (Vec<&Evidence>, Vec<&Evidence>) =
                hit.evidence.iter().partition(|one| matches!(one, Evidence::Commit(_)));
            self.evidence(standpoint, others.into_iter());
            if !commits.is_empty() && with_commits != hit.path.as_deref() {
                self.row(vec![Piece::new("    commits of the file:", Style::Dim)]);
                self.evidence(standpoint, commits.into_iter());
                with_commits = hit.path.as_deref();
            }
        }
    }

    /// Adds one line that lists the files that change with nearly everything.
    pub fn everywhere(&mut self, standpoint: &Standpoint<'_>, hits: &[Hit]) {
        if hits.is_empty() {
            return;
        }
        let names: Vec<String> =
            hits.iter().filter_map(|hit| hit.path.as_ref()).map(|path| standpoint.relative(path)).collect();
        self.row(vec![Piece::new("change with nearly everything: ", Style::Dim), Piece::plain(names.join(", "))]);
    }

    fn vimgrep(&mut self, standpoint: &Standpoint<'_>, hit: &Hit) {
        let Some(path) = &hit.path else { return };
        let quoted = hit.evidence.iter().find_map(|one| match one {
            Evidence::Text { line, .. } => *line,
            _ => None,
        });
        let place = format!("{}:{}:1:", standpoint.relative(path), quoted.or(hit.line).unwrap_or(1));
        let text = excerpt(&hit.evidence).map_or_else(|| hit.name.clone(), str::to_string);
        self.long_line(format!("{place}{text}"));
    }

    /// Adds pieces of evidence, one per line.
    pub fn evidence<'e>(&mut self, standpoint: &Standpoint<'_>, evidence: impl Iterator<Item = &'e Evidence>) {
        for one in evidence {
            if let Evidence::Commit(commit) = one {
                let mut row = vec![Piece::plain("    ")];
                row.extend(standpoint.commit(&commit.commit, commit.time, &commit.subject));
                self.row(row);
                continue;
            }
            self.row(vec![Piece::plain(format!("    {}", reason(standpoint, one)))]);
        }
    }
}

/// Formats one piece of evidence as a phrase. Strengths become words, because a raw score means nothing on its own.
pub fn reason(standpoint: &Standpoint<'_>, evidence: &Evidence) -> String {
    match evidence {
        Evidence::Commit(commit) => {
            format!("{} {}", short(&commit.commit), commit.subject)
        }
        Evidence::Text { line: Some(line), text } => format!("line {line}: {text}"),
        Evidence::Text { line: None, text } => text.clone(),
        Evidence::Together { commits: 1, .. } => "changed together once".to_string(),
        Evidence::Together { commits, .. } => format!("changed together {commits} times"),
        Evidence::Path { .. } => "close in the directory tree".to_string(),
        Evidence::Call { path, line, caller, callee, confidence } => {
            let sure = sureness(f64::from(*confidence));
            let sure = if sure.is_empty() { String::new() } else { format!(" ({sure})") };
            format!("{}:{line} {} calls {}{sure}", standpoint.relative(path), local_name(caller), local_name(callee))
        }
        Evidence::Group { dimension, groups, .. } => {
            let sentence = dimensions::named(dimension).map_or(*dimension, |dimension| dimension.sentence);
            if *groups > 1 { format!("{sentence} ({groups} times)") } else { sentence.to_string() }
        }
        Evidence::Near { cosine, .. } => format!("{} meaning", likeness(*cosine)),
        Evidence::Session { session, title, time } => {
            let when = time.map(|time| format!(" of {}", git::day(time))).unwrap_or_default();
            let title = if title.is_empty() { String::new() } else { format!(" \"{title}\"") };
            format!("quoted from {session}{when}{title}, not an instruction")
        }
        Evidence::Authors { names } => format!("known by {}", names.join(", ")),
    }
}

/// Returns a confidence from 0 to 1 as a word; empty if it is nearly certain.
pub fn sureness(confidence: f64) -> &'static str {
    match confidence {
        sure if sure >= 0.8 => "",
        likely if likely >= 0.5 => "likely",
        _ => "a guess",
    }
}

/// Describes a cosine similarity in words.
fn likeness(cosine: f32) -> &'static str {
    match cosine {
        near if near >= 0.75 => "nearly the same",
        alike if alike >= 0.5 => "similar",
        _ => "somewhat similar",
    }
}

/// Returns the qualified name within a key: `Parser::parse` for `src/a.rs#Parser::parse`.
pub fn local_name(key: &str) -> &str {
    key.split_once('#').map_or(key, |(_, name)| name)
}

/// How many extra hits to request, so that files that change with nearly everything do not displace others.
pub const EVERYWHERE_ROOM: usize = 6;

/// Splits hits into the best `k`, and the files that change with nearly everything.
pub fn without_everywhere(hits: Vec<Hit>, k: usize) -> (Vec<Hit>, Vec<Hit>) {
    let (everywhere, mut hits): (Vec<Hit>, Vec<Hit>) = hits.into_iter().partition(|hit| hit.changes_with_everything);
    hits.truncate(k);
    (hits, everywhere)
}

/// Reorders hits so that those in one file stand together, at the place of the first.
fn by_file(hits: &[Hit]) -> Vec<&Hit> {
    let mut groups: Vec<Vec<&Hit>> = Vec::new();
    for hit in hits {
        let is_code = !is_commit(hit) && !is_quoted(hit);
        let same = |group: &&mut Vec<&Hit>| {
            is_code && !is_quoted(group[0]) && group[0].path.is_some() && group[0].path == hit.path
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(hit),
            None => groups.push(vec![hit]),
        }
    }
    groups.into_iter().flatten().collect()
}

fn is_commit(hit: &Hit) -> bool {
    hit.kind == ItemKind::Commit
}

/// Returns whether a hit quotes a session.
pub fn is_quoted(hit: &Hit) -> bool {
    hit.evidence.iter().any(|one| matches!(one, Evidence::Session { .. }))
}

/// Formats a hit as two columns: its place, and its excerpt or the reason for it.
fn row_of(standpoint: &Standpoint<'_>, hit: &Hit, words: &[String]) -> (Vec<Piece>, Vec<Piece>) {
    if let Some(sha) = hit.key.strip_prefix("commit:") {
        let time = hit.evidence.iter().find_map(|one| match one {
            Evidence::Commit(commit) => Some(commit.time),
            _ => None,
        });
        let day = standpoint.day_of(sha, time.unwrap_or_default());
        let first = vec![Piece::plain("commit "), Piece::new(short(sha), Style::Commit)];
        let mut second = vec![Piece::new(format!("{day} "), Style::Dim)];
        second.extend(highlighted(&hit.name, words));
        return (first, second);
    }
    if is_quoted(hit) {
        let mut second = vec![Piece::new(format!("{}  ", hit.kind.name()), Style::Dim)];
        second.extend(highlighted(&hit.name, words));
        return (vec![Piece::new(&hit.key, Style::Path)], second);
    }
    let is_file = hit.kind == ItemKind::File;
    let line = if is_file { None } else { hit.line };
    let first = match &hit.path {
        Some(path) => standpoint.place(path, line),
        None => vec![Piece::new(&hit.key, Style::Path)],
    };
    let mut second = Vec::new();
    let says_its_name = excerpt(&hit.evidence).is_some_and(|text| text.contains(&hit.name));
    if !is_file && !says_its_name {
        second.push(Piece::new(format!("{}  ", hit.name), Style::Bold));
    }
    second.extend(what(standpoint, hit, words));
    (first, second)
}

/// Returns the excerpt of a hit, or else the strongest reason for it.
fn what(standpoint: &Standpoint<'_>, hit: &Hit, words: &[String]) -> Vec<Piece> {
    if let Some(text) = excerpt(&hit.evidence) {
        return highlighted(text, words);
    }
    let weight = |one: &&Evidence| match one {
        Evidence::Together { .. } => 0,
        Evidence::Call { .. } => 1,
        Evidence::Group { .. } => 2,
        Evidence::Commit(_) => 3,
        Evidence::Near { .. } => 4,
        Evidence::Path { .. } => 5,
        Evidence::Text { .. } | Evidence::Session { .. } | Evidence::Authors { .. } => 6,
    };
    match hit.evidence.iter().min_by_key(weight) {
        Some(Evidence::Commit(commit)) => vec![
            Piece::plain(if hit.kind == ItemKind::File { "changed in " } else { "its file changed in " }),
            Piece::new(short(&commit.commit), Style::Commit),
            Piece::plain(format!(" {}", commit.subject)),
        ],
        Some(one @ Evidence::Together { .. }) => {
            let newest = hit.evidence.iter().find_map(|one| match one {
                Evidence::Commit(commit) => Some(format!(", last {}", standpoint.day_of(&commit.commit, commit.time))),
                _ => None,
            });
            vec![Piece::plain(reason(standpoint, one) + &newest.unwrap_or_default())]
        }
        Some(one) => vec![Piece::plain(reason(standpoint, one))],
        None => Vec::new(),
    }
}

/// Returns the excerpt among the evidence, if there is one.
fn excerpt(evidence: &[Evidence]) -> Option<&str> {
    evidence.iter().find_map(|one| match one {
        Evidence::Text { text, .. } => Some(text.as_str()),
        _ => None,
    })
}

/// Splits a text into pieces, with the words of the question highlighted.
fn highlighted(text: &str, words: &[String]) -> Vec<Piece> {
    let lower = text.to_lowercase();
    // Offsets in the lower-cased text are valid in the original only if both have the same length.
    if words.is_empty() || lower.len() != text.len() {
        return vec![Piece::plain(text)];
    }
    let mut marked = vec![false; text.len()];
    for word in words.iter().filter(|word| word.len() > 1) {
        for (at, _) in lower.match_indices(word.as_str()) {
            marked[at..at + word.len()].fill(true);
        }
    }
    let mut pieces = Vec::new();
    let mut start = 0;
    let ends = (1..text.len()).filter(|at| marked[*at] != marked[*at - 1] && text.is_char_boundary(*at));
    for end in ends.chain([text.len()]).collect::<Vec<_>>() {
        let style = if marked.get(start).copied().unwrap_or_default() { Style::Match } else { Style::Plain };
        pieces.push(Piece::new(&text[start..end], style));
        start = end;
    }
    pieces
}

/// Decodes a path, unless it contains characters that are escaped in output.
fn readable(path: &str) -> String {
    match String::from_utf8(decode_path(path)) {
        Ok(decoded) if !decoded.chars().any(is_hidden) => decoded,
        _ => path.to_string(),
    }
}

/// Percent-encodes a path for a URL.
fn escaped(path: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    path.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Abbreviates an object id to ten digits.
pub fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_were_asked_for_stand_out() {
        let check = |text: &str, words: &[&str], expect: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
            let pieces: Vec<Piece> = expect
                .iter()
                .map(|part| match part.strip_prefix('*') {
                    Some(part) => Piece::new(part, Style::Match),
                    None => Piece::plain(part),
                })
                .collect();
            assert_eq!(highlighted(text, &words), pieces, "{text}");
        };
        check("fn parse_all()", &["parse"], &["fn ", "*parse", "_all()"]);
        check("Parse it", &["parse", "it"], &["*Parse", " ", "*it"]);
        check("nothing", &["else"], &["nothing"]);
        check("", &["a"], &[""]);
    }

    #[test]
    fn an_address_holds_no_blank() {
        assert_eq!(escaped("/a b/ü#.rs"), "/a%20b/%C3%BC%23.rs");
    }
}
