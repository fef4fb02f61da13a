//! Secrets in table columns: Markdown and database tables, CSV, and rows of SQL inserts. The column's name says what it
//! contains.
//!
//! Rows with another number of cells than the header are skipped, and so are values that could be a word or a type.

use super::heuristics::is_line_margin;
use super::named::{is_secret_cell, is_secret_name};
use super::rule::{AnchorMatch, LeftBoundary, Matcher, MinVariety, Rule, SecretRanges};

/// Rules for table columns.
pub(super) const TABLE_RULES: &[Rule] = &[
    table_rule(&["|--", "|:-", "| --", "| :-", "-|-", "- | -", "-+-"], ruled_table),
    table_rule(
        &[
            "password,",
            ",password",
            ",passwd",
            "password\",",
            ",\"password",
            "secret,",
            ",secret",
            "token,",
            ",token",
            "key,",
            ",api",
        ],
        csv_table,
    ),
    table_rule(&["insert into "], sql_insert),
];

/// Builds a case-insensitive rule for the cells of a table.
const fn table_rule(anchors: &'static [&'static str], found: fn(&AnchorMatch, &mut SecretRanges)) -> Rule {
    Rule {
        kind: "secret",
        anchors,
        ignores_case: true,
        left: LeftBoundary::Any,
        matcher: Matcher::CustomMany(found),
        proven_by: None,
        must_satisfy: None,
        variety: MinVariety::Nothing,
    }
}

/// The longest header line, in bytes.
const MAX_HEADER_BYTES: usize = 400;
/// The longest row, in bytes.
const MAX_ROW_BYTES: usize = 1000;
/// The most rows that are read.
const MAX_ROWS: usize = 100;
/// The most columns that are read.
const MAX_COLUMNS: usize = 32;

/// Finds the cells below a header that is followed by a ruled line; the anchor is the first mark of that line.
fn ruled_table(anchor: &AnchorMatch, all: &mut SecretRanges) {
    let text = anchor.text;
    let Some(start) = line_start(text, anchor.start) else { return };
    let is_first = text[start..anchor.start]
        .iter()
        .enumerate()
        .all(|(at, byte)| (is_line_margin(*byte) && *byte != b'|') || *byte == b':' || (at == 0 && *byte == b'+'));
    let Some(rule) = line_at(text, start).filter(|_| is_first && start > 0) else { return };
    let is_rule = rule.windows(2).any(|two| two == b"--")
        && rule
            .iter()
            .all(|byte| matches!(byte, b'|' | b'+' | b'-' | b':' | b' ' | b'\t' | b'\r' | b'>' | b'/' | b'#'));
    let Some(above) = line_start(text, start - 1).filter(|_| is_rule) else { return };
    scan_rows(text, &text[above..start - 1], start + rule.len() + 1, b'|', all);
}

/// Finds the cells below a comma-separated header.
fn csv_table(anchor: &AnchorMatch, all: &mut SecretRanges) {
    let text = anchor.text;
    let Some(start) = line_start(text, anchor.start) else { return };
    let Some(head) = line_at(text, start).filter(|head| head.len() <= MAX_HEADER_BYTES) else { return };
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b" _-.,\"\r".contains(byte);
    if head.iter().all(is_word) && !is_code_line(head) {
        scan_rows(text, head, start + head.len() + 1, b',', all);
    }
}

/// Returns the start of the line around `at`; `None` if the line is too long for a header.
fn line_start(text: &[u8], at: usize) -> Option<usize> {
    let before = text[..at].iter().rev().take(MAX_HEADER_BYTES).take_while(|byte| **byte != b'\n').count();
    (before < MAX_HEADER_BYTES).then(|| at - before)
}

/// Returns the line that begins at `from`, without its end.
fn line_at(text: &[u8], from: usize) -> Option<&[u8]> {
    let rest = text.get(from..)?;
    let most = rest.len().min(MAX_ROW_BYTES);
    let length = rest[..most].iter().position(|byte| *byte == b'\n').or((most < MAX_ROW_BYTES).then_some(most))?;
    Some(&rest[..length])
}

/// Returns the cells of a line with their offsets.
fn cells(line: &[u8], separator: u8) -> impl Iterator<Item = (usize, &[u8])> {
    let mut from = 0;
    line.split(move |byte| *byte == separator).map(move |cell| {
        let begun = from;
        from += cell.len() + 1;
        (begun, cell)
    })
}

/// Counts the separators of a line.
fn count_separators(line: &[u8], separator: u8) -> usize {
    line.iter().filter(|byte| **byte == separator).count()
}

/// Strips spaces, quotes and emphasis from a cell; returns the offset of the rest and the rest.
fn trim_cell(cell: &[u8]) -> (usize, &[u8]) {
    let is_around = |byte: &&u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'`' | b'\'' | b'*');
    let from = cell.iter().take_while(is_around).count();
    let behind = cell[from..].iter().rev().take_while(is_around).count();
    (from, &cell[from..cell.len() - behind])
}

/// Returns the numbers and names of the columns that announce secrets.
fn secret_columns(head: &[u8], separator: u8) -> Vec<(usize, &[u8])> {
    let names = cells(head, separator).take(MAX_COLUMNS).map(|(_, cell)| trim_cell(cell).1).enumerate();
    names.filter(|(_, name)| is_secret_name(name)).collect()
}

/// Finds the values in the rows below a header. `at` is the start of the first row.
fn scan_rows(text: &[u8], head: &[u8], mut at: usize, separator: u8, all: &mut SecretRanges) {
    let (columns, names, is_data) =
        (count_separators(head, separator), secret_columns(head, separator), separator == b',');
    let rows = if columns == 0 || names.is_empty() { 0 } else { MAX_ROWS };
    for _ in 0..rows {
        let Some(row) = line_at(text, at) else { break };
        let marks = count_separators(row, separator);
        if marks < columns || (is_data && (marks != columns || is_code_line(row))) {
            break;
        }
        for (number, name) in &names {
            let Some((from, cell)) = cells(row, separator).nth(*number) else { continue };
            let (margin, value) = trim_cell(cell);
            // This is another header; its rows are found from its own anchor.
            if is_secret_name(value) {
                return;
            }
            if is_secret_cell(name, value, is_data) {
                all.push((at + from + margin, at + from + margin + value.len()));
            }
        }
        at += row.len() + 1;
    }
}

/// Returns whether a line with commas is code or prose: a space follows a comma, or it ends like code.
fn is_code_line(row: &[u8]) -> bool {
    let row = row.trim_ascii_end();
    row.windows(2).any(|two| two == b", ") || matches!(row.last(), Some(b',' | b';' | b'(' | b')' | b'{'))
}

/// Finds the values of an SQL insert that names its columns.
fn sql_insert(anchor: &AnchorMatch, all: &mut SecretRanges) {
    let text = anchor.text;
    let rest = &text[anchor.end..text.len().min(anchor.end + MAX_ROW_BYTES)];
    let Some(open) = rest.iter().take(MAX_HEADER_BYTES).position(|byte| *byte == b'(') else { return };
    let Some(close) = rest.iter().position(|byte| *byte == b')').filter(|close| *close > open) else { return };
    let names = secret_columns(&rest[open + 1..close], b',');
    let mut at = anchor.end + close + 1;
    at += blank_length(&text[at..]);
    let says_values = text[at..text.len().min(at + 6)].eq_ignore_ascii_case(b"values");
    let rows = if names.is_empty() || !says_values { 0 } else { MAX_ROWS };
    at += 6;
    for _ in 0..rows {
        at += blank_length(text.get(at..).unwrap_or_default());
        let Some(end) =
            text.get(at).filter(|byte| **byte == b'(').and_then(|_| scan_sql_row(text, at + 1, &names, all))
        else {
            break;
        };
        at = end + blank_length(&text[end..]);
        at += usize::from(text.get(at) == Some(&b','));
    }
}

/// Counts leading whitespace.
fn blank_length(text: &[u8]) -> usize {
    text.iter().take(MAX_HEADER_BYTES).take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Reads one row of an SQL insert; returns the offset after its closing bracket.
fn scan_sql_row(text: &[u8], from: usize, names: &[(usize, &[u8])], all: &mut SecretRanges) -> Option<usize> {
    let (mut column, mut depth) = (0, 0);
    let until = text.len().min(from + MAX_ROW_BYTES);
    let mut at = from;
    while at < until {
        match text[at] {
            b'\'' => {
                let length = text[at + 1..until].iter().position(|byte| *byte == b'\'')?;
                let value = &text[at + 1..at + 1 + length];
                let name = names.iter().find(|(number, _)| *number == column && depth == 0);
                if name.is_some_and(|(_, name)| is_secret_cell(name, value, true)) {
                    all.push((at + 1, at + 1 + length));
                }
                at += length + 1;
            }
            b'(' => depth += 1,
            b')' if depth == 0 => return Some(at + 1),
            b')' => depth -= 1,
            b',' if depth == 0 => column += 1,
            _ => {}
        }
        at += 1;
    }
    None
}
