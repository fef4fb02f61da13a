//! Secrets in the columns of tables: of Markdown and of databases, of comma-separated values, and of rows that a statement
//! inserts. The head of a column says what is in it. Refuses rows that have not as many cells as the head, and values that
//! could be a word or a type.

use super::judge::is_margin;
use super::named::{is_secret_name, is_told};
use super::rules::{Form, Left, Need, Place, Rule};

pub(super) const RULES: &[Rule] = &[
    table(&["|--", "|:-", "| --", "| :-", "-|-", "- | -", "-+-"], drawn),
    table(
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
        separated,
    ),
    table(&["insert into "], inserted),
];

/// Where secrets stand.
type Spans = Vec<(usize, usize)>;

const fn table(starts: &'static [&'static str], found: fn(&Place, &mut Spans)) -> Rule {
    Rule {
        kind: "secret",
        starts,
        is_folded: true,
        left: Left::Any,
        form: Form::Many(found),
        holds: None,
        only: None,
        needs: Need::Nothing,
    }
}

/// Longest head of a table.
const HEAD: usize = 400;
/// Longest row.
const ROW: usize = 1000;
/// Most rows, and most columns, that are looked at.
const ROWS: usize = 100;
const COLUMNS: usize = 32;

/// The cells below a head that a line is drawn under, from the first mark of that line on.
fn drawn(place: &Place, all: &mut Spans) {
    let text = place.text;
    let Some(start) = begin(text, place.start) else { return };
    let is_first = text[start..place.start]
        .iter()
        .enumerate()
        .all(|(at, byte)| (is_margin(*byte) && *byte != b'|') || *byte == b':' || (at == 0 && *byte == b'+'));
    let Some(rule) = line(text, start).filter(|_| is_first && start > 0) else { return };
    let is_rule = rule.windows(2).any(|two| two == b"--")
        && rule
            .iter()
            .all(|byte| matches!(byte, b'|' | b'+' | b'-' | b':' | b' ' | b'\t' | b'\r' | b'>' | b'/' | b'#'));
    let Some(above) = begin(text, start - 1).filter(|_| is_rule) else { return };
    below(text, &text[above..start - 1], start + rule.len() + 1, b'|', all);
}

/// The cells below a line of words that commas separate.
fn separated(place: &Place, all: &mut Spans) {
    let text = place.text;
    let Some(start) = begin(text, place.start) else { return };
    let Some(head) = line(text, start).filter(|head| head.len() <= HEAD) else { return };
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b" _-.,\"\r".contains(byte);
    if head.iter().all(is_word) && !is_code(head) {
        below(text, head, start + head.len() + 1, b',', all);
    }
}

/// Where the line begins that a place is in; none where it is too long for a head.
fn begin(text: &[u8], at: usize) -> Option<usize> {
    let before = text[..at].iter().rev().take(HEAD).take_while(|byte| **byte != b'\n').count();
    (before < HEAD).then(|| at - before)
}

/// The line that begins at a place, without its end.
fn line(text: &[u8], from: usize) -> Option<&[u8]> {
    let rest = text.get(from..)?;
    let most = rest.len().min(ROW);
    let length = rest[..most].iter().position(|byte| *byte == b'\n').or((most < ROW).then_some(most))?;
    Some(&rest[..length])
}

/// The cells of a line, each with where it begins.
fn cells(line: &[u8], separator: u8) -> impl Iterator<Item = (usize, &[u8])> {
    let mut from = 0;
    line.split(move |byte| *byte == separator).map(move |cell| {
        let begun = from;
        from += cell.len() + 1;
        (begun, cell)
    })
}

fn count(line: &[u8], separator: u8) -> usize {
    line.iter().filter(|byte| **byte == separator).count()
}

/// A cell without blanks, quotes and stars, and where that begins in it.
fn inner(cell: &[u8]) -> (usize, &[u8]) {
    let is_around = |byte: &&u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'`' | b'\'' | b'*');
    let from = cell.iter().take_while(is_around).count();
    let behind = cell[from..].iter().rev().take_while(is_around).count();
    (from, &cell[from..cell.len() - behind])
}

/// The names of secrets among the cells of a head, each with its column.
fn names(head: &[u8], separator: u8) -> Vec<(usize, &[u8])> {
    let names = cells(head, separator).take(COLUMNS).map(|(_, cell)| inner(cell).1).enumerate();
    names.filter(|(_, name)| is_secret_name(name)).collect()
}

/// The values below a head, from a place on.
fn below(text: &[u8], head: &[u8], mut at: usize, separator: u8, all: &mut Spans) {
    let (columns, names, is_data) = (count(head, separator), names(head, separator), separator == b',');
    let rows = if columns == 0 || names.is_empty() { 0 } else { ROWS };
    for _ in 0..rows {
        let Some(row) = line(text, at) else { break };
        let marks = count(row, separator);
        if marks < columns || (is_data && (marks != columns || is_code(row))) {
            break;
        }
        for (number, name) in &names {
            let Some((from, cell)) = cells(row, separator).nth(*number) else { continue };
            let (margin, value) = inner(cell);
            // Another head: what is below it is looked at from there.
            if is_secret_name(value) {
                return;
            }
            if is_told(name, value, is_data) {
                all.push((at + from + margin, at + from + margin + value.len()));
            }
        }
        at += row.len() + 1;
    }
}

/// Whether a line with commas is one of a program or of prose: a blank stands behind one, or it ends as those do.
fn is_code(row: &[u8]) -> bool {
    let row = row.trim_ascii_end();
    row.windows(2).any(|two| two == b", ") || matches!(row.last(), Some(b',' | b';' | b'(' | b')' | b'{'))
}

/// The values of rows that a statement inserts, whose columns it names.
fn inserted(place: &Place, all: &mut Spans) {
    let text = place.text;
    let rest = &text[place.after..text.len().min(place.after + ROW)];
    let Some(open) = rest.iter().take(HEAD).position(|byte| *byte == b'(') else { return };
    let Some(close) = rest.iter().position(|byte| *byte == b')').filter(|close| *close > open) else { return };
    let names = names(&rest[open + 1..close], b',');
    let mut at = place.after + close + 1;
    at += blanks(&text[at..]);
    let says_values = text[at..text.len().min(at + 6)].eq_ignore_ascii_case(b"values");
    let rows = if names.is_empty() || !says_values { 0 } else { ROWS };
    at += 6;
    for _ in 0..rows {
        at += blanks(text.get(at..).unwrap_or_default());
        let Some(end) = text.get(at).filter(|byte| **byte == b'(').and_then(|_| row(text, at + 1, &names, all)) else {
            break;
        };
        at = end + blanks(&text[end..]);
        at += usize::from(text.get(at) == Some(&b','));
    }
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take(HEAD).take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Reads the values of a row up to behind its bracket.
fn row(text: &[u8], from: usize, names: &[(usize, &[u8])], all: &mut Spans) -> Option<usize> {
    let (mut column, mut depth) = (0, 0);
    let until = text.len().min(from + ROW);
    let mut at = from;
    while at < until {
        match text[at] {
            b'\'' => {
                let length = text[at + 1..until].iter().position(|byte| *byte == b'\'')?;
                let value = &text[at + 1..at + 1 + length];
                let name = names.iter().find(|(number, _)| *number == column && depth == 0);
                if name.is_some_and(|(_, name)| is_told(name, value, true)) {
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
