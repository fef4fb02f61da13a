//! Tables whose rows are entries: decisions with their reasons, challenges with their solutions. Refuses to guess: what the
//! first row does not name is one note.

use super::super::{Category, forms};
use super::labels::{self, Section};
use super::{marks, writing};

/// Most words of the name of a column; what is longer is a cell of a table without names.
const MAX_WORDS: usize = 3;

/// Most columns of a table that people read.
const MAX_COLUMNS: usize = 32;

/// Names of columns that say why something was decided, or what; a table without one may speak of decisions of others.
const REASONS: &[&str] =
    &["because", "choice", "chosen", "justification", "rationale", "reason", "reasoning", "reasons", "why"];

/// What a table says of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    category: Category,
    /// The column that holds the decision or the challenge.
    column: usize,
    names: Vec<String>,
}

/// The cells of a row. A bar behind a backslash or between backticks is none.
pub(super) fn cells(row: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted, mut letters) =
        (Vec::new(), String::new(), false, row.trim().chars().peekable());
    while let Some(c) = letters.next() {
        match c {
            '\\' if letters.peek() == Some(&'|') => cell.extend(letters.next()),
            '|' if !quoted => cells.push(std::mem::take(&mut cell)),
            _ => {
                quoted ^= c == '`';
                cell.push(c);
            }
        }
    }
    cells.push(cell);
    let outer = |cells: &[String], at: usize| cells.get(at).is_some_and(|cell| cell.trim().is_empty());
    if row.trim().ends_with('|') && outer(&cells, cells.len() - 1) {
        cells.pop();
    }
    if row.trim().starts_with('|') && outer(&cells, 0) {
        cells.remove(0);
    }
    cells.iter().map(|cell| cell.trim().to_string()).collect()
}

/// Whether a row only divides the names from what stands below them.
pub(super) fn is_divider(cells: &[String]) -> bool {
    cells.iter().all(|cell| cell.chars().all(|c| matches!(c, '-' | ':' | ' ')))
}

/// What the first row says of the others; none where they are one note.
pub(super) fn named(cells: &[String]) -> Option<Table> {
    if cells.len() > MAX_COLUMNS {
        return None;
    }
    let names: Vec<String> = cells.iter().map(|cell| marks::plain(cell)).collect();
    let of = |name: &str| match labels::section(name) {
        Some(Section::Each(category)) if name.split_whitespace().count() <= MAX_WORDS => Some(category),
        _ => None,
    };
    let at = |wanted: Category| names.iter().position(|name| of(name) == Some(wanted));
    let is_reason =
        |name: &String| name.split_whitespace().any(|word| REASONS.iter().any(|r| word.eq_ignore_ascii_case(r)));
    if let Some(column) = at(Category::Decision).filter(|_| names.iter().any(is_reason)) {
        return Some(Table { category: Category::Decision, column, names });
    }
    // A table of issues may also list what somebody else wrote; one with their solutions does not.
    let solved = names.iter().any(|name| writing::is_answer(&format!("{name}:")));
    let column = at(Category::Challenge).filter(|_| solved)?;
    Some(Table { category: Category::Challenge, column, names })
}

impl Table {
    /// The entry that a row is: what was decided or hard, and each other cell on a line of its own behind its name.
    pub(super) fn entry(&self, cells: &[String]) -> Option<(Category, Vec<String>)> {
        let first = cells.get(self.column).filter(|cell| !cell.is_empty())?;
        let others = cells.iter().enumerate().filter(|(at, cell)| *at != self.column && !cell.is_empty());
        let is_said = |name: &String| name.chars().any(char::is_alphanumeric);
        let lines = others.map(|(at, cell)| match self.names.get(at).filter(|name| is_said(name)) {
            Some(name) => format!("{name}: {cell}"),
            None => cell.clone(),
        });
        let is_open = |cell: &String| forms::is_unsettled(cell) || labels::denies(cell);
        let is_taken_back = self.category == Category::Decision
            && (forms::is_unsettled(first)
                || cells.iter().any(|cell| cell.split_whitespace().count() == 1 && is_open(cell)));
        let category = if is_taken_back { Category::Note } else { self.category };
        Some((category, std::iter::once(first.clone()).chain(lines).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_entries_where_the_first_names_them() {
        let table = named(&cells("| # | Decision | Reason | Status |")).expect("it is named");
        let entry = |row: &str| table.entry(&cells(row));
        let told = |category, lines: &[&str]| Some((category, lines.iter().map(|line| line.to_string()).collect()));
        assert_eq!(
            entry("| 1 | Use `a|b` | small | |"),
            told(Category::Decision, &["Use `a|b`", "1", "Reason: small"])
        );
        let rejected = told(Category::Note, &["Use b", "Reason: \u{5c}", "Status: rejected"]);
        assert_eq!(entry("| | Use b | \\ | rejected |"), rejected);
        assert_eq!(entry("| 1 | | small |"), None);
        for row in [
            "| a | b |",
            "| Issue | Title |",
            "| Option | Pros |",
            "| Decision | Interface |",
            "| Rejected decision | Why |",
        ] {
            assert_eq!(named(&cells(row)), None, "{row}");
        }
        assert!(named(&cells("| Problem | Solution |")).is_some());
        assert_eq!(named(&cells(&format!("| Problem | Solution |{}", " |".repeat(MAX_COLUMNS)))), None);
    }
}
