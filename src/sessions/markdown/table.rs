//! Tables whose rows are entries: decisions with reasons, or problems with solutions. Any other table is one note.

use super::super::{Category, forms};
use super::log_labels::{self, LogSection};
use super::{entry_writer, inline_marks};

/// The most words of a column name; a longer cell is content.
const MAX_NAME_WORDS: usize = 3;

/// The most columns of a table that was written for people.
const MAX_COLUMNS: usize = 32;

/// Names of columns that give reasons. A table without one may list the decisions of others.
const REASON_COLUMNS: &[&str] =
    &["because", "choice", "chosen", "justification", "rationale", "reason", "reasoning", "reasons", "why"];

/// The columns of a table whose rows are entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntryTable {
    category: Category,
    /// The column with the decision or the problem.
    column: usize,
    names: Vec<String>,
}

/// Splits a row into cells. An escaped or quoted bar does not separate.
pub(super) fn split_row(row: &str) -> Vec<String> {
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

/// Returns whether a row is the divider between header and body.
pub(super) fn is_divider(cells: &[String]) -> bool {
    cells.iter().all(|cell| cell.chars().all(|c| matches!(c, '-' | ':' | ' ')))
}

/// Interprets a header row; `None` if the whole table is one note.
pub(super) fn entry_table(cells: &[String]) -> Option<EntryTable> {
    if cells.len() > MAX_COLUMNS {
        return None;
    }
    let names: Vec<String> = cells.iter().map(|cell| inline_marks::plain(cell)).collect();
    let of = |name: &str| match log_labels::section_below(name) {
        Some(LogSection::Each(category)) if name.split_whitespace().count() <= MAX_NAME_WORDS => Some(category),
        _ => None,
    };
    let at = |wanted: Category| names.iter().position(|name| of(name) == Some(wanted));
    let is_reason =
        |name: &String| name.split_whitespace().any(|word| REASON_COLUMNS.iter().any(|r| word.eq_ignore_ascii_case(r)));
    if let Some(column) = at(Category::Decision).filter(|_| names.iter().any(is_reason)) {
        return Some(EntryTable { category: Category::Decision, column, names });
    }
    // A table of issues may list what others reported; one with a column of solutions does not.
    let solved = names.iter().any(|name| entry_writer::is_answer(&format!("{name}:")));
    let column = at(Category::Challenge).filter(|_| solved)?;
    Some(EntryTable { category: Category::Challenge, column, names })
}

impl EntryTable {
    /// Returns the entry of a row: the decision or problem, then each other cell on a line of its own, after its column
    /// name.
    pub(super) fn row_entry(&self, cells: &[String]) -> Option<(Category, Vec<String>)> {
        let first = cells.get(self.column).filter(|cell| !cell.is_empty())?;
        let others = cells.iter().enumerate().filter(|(at, cell)| *at != self.column && !cell.is_empty());
        let is_said = |name: &String| name.chars().any(char::is_alphanumeric);
        let lines = others.map(|(at, cell)| match self.names.get(at).filter(|name| is_said(name)) {
            Some(name) => format!("{name}: {cell}"),
            None => cell.clone(),
        });
        let is_open = |cell: &String| forms::is_unsettled(cell) || log_labels::negates_decision(cell);
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
    fn rows_are_entries_under_a_known_header() {
        let table = entry_table(&split_row("| # | Decision | Reason | Status |")).expect("it is named");
        let entry = |row: &str| table.row_entry(&split_row(row));
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
            assert_eq!(entry_table(&split_row(row)), None, "{row}");
        }
        assert!(entry_table(&split_row("| Problem | Solution |")).is_some());
        assert_eq!(entry_table(&split_row(&format!("| Problem | Solution |{}", " |".repeat(MAX_COLUMNS)))), None);
    }
}
