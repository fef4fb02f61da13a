//! Formats text for people: rows cut to the terminal's width, in the colours of ripgrep and git. Invariant: no control
//! character of a repository's content reaches the terminal.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::output::clean;
use super::terminal::Terminal;

/// Marks where a text is cut.
const CUT: &str = "…";
/// The most that the first column of a table may take of a line, in percent.
const FIRST_COLUMN: usize = 60;
/// Spaces between two columns.
const GAP: usize = 2;

/// How a piece of a row looks, and whether it may be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Unstyled.
    Plain,
    /// The subject of the row.
    Bold,
    /// Less important.
    Dim,
    /// A word of the question, as ripgrep shows a match.
    Match,
    /// A path; never cut, so that it can be opened.
    Path,
    /// A line number; never cut.
    Line,
    /// An object id, as git shows it; never cut.
    Commit,
}

/// A piece of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    text: String,
    style: Style,
    /// The URL that the piece links to.
    link: Option<String>,
}

/// The text of an answer, built line by line.
#[derive(Debug)]
pub struct Page {
    text: String,
    terminal: Terminal,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Plain => "",
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Match => "1;31",
            Style::Path => "35",
            Style::Line => "32",
            Style::Commit => "33",
        }
    }

    fn is_whole(self) -> bool {
        matches!(self, Style::Path | Style::Line | Style::Commit)
    }
}

impl Piece {
    /// Creates a piece in a style.
    pub fn new(text: impl AsRef<str>, style: Style) -> Self {
        Piece { text: one_line(text.as_ref()), style, link: None }
    }

    /// Creates an unstyled piece.
    pub fn plain(text: impl AsRef<str>) -> Self {
        Self::new(text, Style::Plain)
    }

    /// Links the piece to a URL, for terminals that support it.
    pub fn linked(mut self, link: Option<String>) -> Self {
        self.link = link;
        self
    }

    fn width(&self) -> usize {
        self.text.width()
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

impl Page {
    /// Creates an empty page for a terminal.
    pub fn new(terminal: Terminal) -> Self {
        Page { text: String::new(), terminal }
    }

    /// Returns the text so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds a sentence, wrapped at the terminal's width.
    pub fn line(&mut self, text: impl AsRef<str>) {
        self.field("", text);
    }

    /// Adds a line as it is, without wrapping.
    pub fn long_line(&mut self, text: impl AsRef<str>) {
        self.text.push_str(&one_line(text.as_ref()));
        self.text.push('\n');
    }

    /// Adds patina's own text unchanged, without escaping.
    pub fn script(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a bold label and a text, wrapped with a hanging indent.
    pub fn field(&mut self, label: impl AsRef<str>, text: impl AsRef<str>) {
        let (label, text) = (one_line(label.as_ref()), one_line(text.as_ref()));
        let indent = text.len() - text.trim_start().len();
        let hanging = label.width() + indent;
        // A label that leaves too little room gets a smaller indent.
        let hanging = if hanging * 2 > self.terminal.width { 4 } else { hanging };
        let mut rest = format!("{}{text}", " ".repeat(label.width()));
        let mut first = true;
        loop {
            let (line, more) = wrapped(&rest, self.terminal.width, hanging.max(label.width()));
            match first {
                true => {
                    let text = line.get(label.width()..).unwrap_or_default().to_string();
                    self.put(&[Piece::new(&label, Style::Bold), Piece { text, style: Style::Plain, link: None }]);
                }
                false => self.put(&[Piece { text: line, style: Style::Plain, link: None }]),
            }
            let Some(more) = more else { break };
            rest = format!("{}{more}", " ".repeat(hanging));
            first = false;
        }
    }

    /// Adds one row of pieces, cut to the terminal's width. Paths, line numbers and ids are never cut.
    pub fn row(&mut self, pieces: Vec<Piece>) {
        let pieces = cut_to(pieces, self.terminal.width);
        self.put(&pieces);
    }

    /// Adds rows of two columns, each cut to the terminal's width. The second column is aligned, except in rows whose
    /// first column is too long.
    pub fn columns(&mut self, rows: Vec<(Vec<Piece>, Vec<Piece>)>) {
        let most = self.terminal.width * FIRST_COLUMN / 100;
        let width_of = |pieces: &[Piece]| pieces.iter().map(Piece::width).sum::<usize>();
        let widths = rows.iter().map(|(first, _)| width_of(first)).filter(|width| *width <= most);
        let column = widths.max().unwrap_or_default();
        for (first, second) in rows {
            let gap = column.saturating_sub(width_of(&first)) + GAP;
            let mut pieces = first;
            if second.iter().any(|piece| !piece.is_empty()) {
                pieces.push(Piece::plain(" ".repeat(gap)));
                pieces.extend(second);
            }
            self.row(pieces);
        }
    }

    /// Writes pieces, and ends the line.
    fn put(&mut self, pieces: &[Piece]) {
        let start = self.text.len();
        for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
            let link = piece.link.as_ref().filter(|_| self.terminal.links);
            if let Some(link) = link {
                self.text.push_str(&format!("\u{1b}]8;;{link}\u{1b}\\"));
            }
            match piece.style.code() {
                code if self.terminal.color && !code.is_empty() => {
                    self.text.push_str(&format!("\u{1b}[{code}m{}\u{1b}[0m", piece.text));
                }
                _ => self.text.push_str(&piece.text),
            }
            if link.is_some() {
                self.text.push_str("\u{1b}]8;;\u{1b}\\");
            }
        }
        let end = start + self.text[start..].trim_end_matches(' ').len();
        self.text.truncate(end);
        self.text.push('\n');
    }
}

/// Splits a text into what fits `width` and the rest, at a space after column `least` if there is one.
fn wrapped(text: &str, width: usize, least: usize) -> (String, Option<String>) {
    let (mut used, mut space) = (0, None);
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if c == ' ' && at >= least.max(1) && used > least {
            space = Some(at);
        }
        if used > width {
            // A word that is longer than a line is not broken.
            let Some(at) = space.or_else(|| text[at..].find(' ').map(|blank| at + blank)) else { break };
            let rest = text[at..].trim_start();
            return (text[..at].trim_end().to_string(), (!rest.is_empty()).then(|| rest.to_string()));
        }
    }
    (text.to_string(), None)
}

/// Cuts the pieces of a row to a width.
fn cut_to(pieces: Vec<Piece>, width: usize) -> Vec<Piece> {
    // Only the first run of uncuttable pieces, a place or an id, stays whole; text before it is cut to make room.
    let start = pieces.iter().position(|piece| piece.style.is_whole()).unwrap_or_default();
    let end = start + pieces[start..].iter().take_while(|piece| piece.style.is_whole()).count();
    let mut whole: usize = pieces[start..end].iter().map(Piece::width).sum();
    let mut kept: Vec<Piece> = Vec::new();
    let mut used = 0;
    for (at, mut piece) in pieces.into_iter().enumerate() {
        let own = piece.width();
        if (start..end).contains(&at) {
            whole -= own;
        } else if used + own + whole > width {
            let room = width.saturating_sub(used + whole);
            piece.text = cut(&piece.text, room);
        }
        used += piece.width();
        if !piece.is_empty() {
            kept.push(piece);
        }
    }
    kept
}

/// Cuts a text to `width` columns, and marks the cut with `…`.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_string();
    }
    let (mut used, mut end) = (CUT.width(), 0);
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        end = at + c.len_utf8();
    }
    if width == 0 { String::new() } else { format!("{}{CUT}", text[..end].trim_end()) }
}

/// Replaces line ends and tabs by spaces, and escapes control characters.
fn one_line(text: &str) -> String {
    clean(&text.replace(['\n', '\t'], " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NARROW: Terminal = Terminal { width: 40, height: None, color: false, links: false };

    #[test]
    fn a_row_is_cut_but_for_its_path() {
        let check = |pieces: Vec<Piece>, expect: &str| {
            let mut page = Page::new(NARROW);
            page.row(pieces);
            assert_eq!(page.text(), format!("{expect}\n"));
        };
        let path = |text: &str| Piece::new(text, Style::Path);
        check(vec![path("src/a.rs"), Piece::plain("  short")], "src/a.rs  short");
        check(
            vec![path("src/a.rs"), Piece::plain("  a text that is much longer than the line")],
            "src/a.rs  a text that is much longer th…",
        );
        let long = "a/path/that/is/longer/than/forty/columns/all/by/itself.rs";
        check(vec![path(long), Piece::plain("  text")], long);
        check(
            vec![path("src/a.rs"), Piece::plain("  renamed in "), Piece::new("0123456789abcdef0123", Style::Commit)],
            "src/a.rs  renamed in 0123456789abcdef01…",
        );
        check(
            vec![Piece::plain("宽宽宽宽宽宽宽宽宽宽宽宽宽宽宽宽宽宽宽宽宽宽")],
            "宽宽宽宽宽宽宽宽宽宽宽宽宽宽宽宽宽宽宽…",
        );
    }

    #[test]
    fn a_field_goes_on_below_its_text() {
        let mut page = Page::new(NARROW);
        page.field("label   ", "words that take more than a single line of forty columns");
        page.line("a sentence that does not fit either, and so goes on");
        let expect = "label   words that take more than a\n        single line of forty columns\n\
                      a sentence that does not fit either, and\nso goes on\n";
        assert_eq!(page.text(), expect);
    }

    #[test]
    fn columns_stand_below_each_other() {
        let mut page = Page::new(NARROW);
        let row = |a: &str, b: &str| (vec![Piece::plain(a)], vec![Piece::plain(b)]);
        page.columns(vec![row("a", "one"), row("a longer", "two"), row("one that is far too long to align", "three")]);
        assert_eq!(page.text(), "a         one\na longer  two\none that is far too long to align  three\n");
    }

    #[test]
    fn nothing_that_a_terminal_acts_on_is_printed() {
        let mut page = Page::new(NARROW);
        page.row(vec![Piece::new("a\u{1b}[31m\n\tb", Style::Path)]);
        assert_eq!(page.text(), "a\\u{1b}[31m  b\n");
    }
}
