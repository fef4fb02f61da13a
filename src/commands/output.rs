//! Prints answers: text for people, one JSON object for scripts. Invariant: no control character of a repository's
//! content reaches the terminal.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::ColorChoice;
use serde::Serialize;

use super::page::Page;
use super::terminal::{self, Terminal};
use crate::error::Exit;
use crate::event::is_hidden;
use crate::query::{Note, NoteLevel};

/// The version of the JSON schema that commands print.
const SCHEMA_VERSION: u32 = 1;

/// Where a command prints: the answer to stdout, notes and errors to stderr.
#[derive(Debug)]
pub struct Output {
    /// Whether to print one JSON object instead of text.
    pub json: bool,
    quiet: bool,
    terminal: Terminal,
    /// Whether a long answer is shown in a pager.
    pages: bool,
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    schema_version: u32,
    #[serde(flatten)]
    answer: &'a T,
}

#[derive(Serialize)]
struct ErrorAnswer<'a> {
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    /// The exit code of the process.
    exit: u8,
    message: &'a str,
    hint: Option<&'a str>,
}

impl Output {
    /// Creates an output from the global options and the state of the terminal.
    pub fn new(json: bool, quiet: bool, color: ColorChoice, no_pager: bool) -> Self {
        Output { json, quiet, terminal: Terminal::detect(color), pages: !no_pager && !json }
    }

    /// Returns whether output is coloured.
    pub fn is_colored(&self) -> bool {
        self.terminal.color
    }

    /// Returns whether only the answer is printed.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Creates an empty page.
    pub fn page(&self) -> Page {
        Page::new(self.terminal)
    }

    /// Prints a page, in a pager if it is longer than the terminal. A closed pipe is not an error.
    pub fn print(&self, page: &Page) -> Result<ExitCode> {
        let is_long = self.terminal.height.is_some_and(|height| page.text().lines().count() >= height);
        if is_long && self.pages && terminal::page(page.text()) {
            return Ok(ExitCode::SUCCESS);
        }
        write_out(page.text().as_bytes())
    }

    /// Prints one JSON object.
    pub fn print_json(&self, answer: &impl Serialize) -> Result<ExitCode> {
        write_out(json_text(answer)?.as_bytes())
    }

    /// Prints a note on stderr.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            talk(&format!("patina: {}\n", clean(text)));
        }
    }

    /// Prints a warning on stderr.
    pub fn warn(&self, text: &str) {
        if !self.quiet {
            talk(&format!("patina: warning: {}\n", clean(text)));
        }
    }

    /// Prints the notes and warnings of an answer.
    pub fn notes(&self, notes: &[Note]) {
        for note in notes {
            match note.level {
                NoteLevel::Info => self.note(&note.text),
                NoteLevel::Warning => self.warn(&note.text),
            }
        }
    }

    /// Prints an error with its hint on stderr, and with `--json` as an object on stdout too.
    pub fn error(&self, exit: Exit, message: &str, hint: Option<&str>) {
        if self.json {
            print_json_error(exit, message, hint);
        }
        self.complain(message, hint);
    }

    /// Prints an error with its hint on stderr, for a command that still prints an answer.
    pub fn complain(&self, message: &str, hint: Option<&str>) {
        talk(&format!("patina: {}\n", clean(message)));
        if let Some(hint) = hint {
            talk(&format!("  {}\n", clean(hint)));
        }
    }
}

/// Escapes every character that a terminal would act on.
pub fn clean(text: &str) -> String {
    text.chars()
        .flat_map(|c| if is_unseen(c) && c != '\n' { c.escape_unicode().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}

/// Writes text to stderr unchanged; a closed stderr is ignored.
pub fn talk(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// Returns whether output escapes a character: those that keys encode, and others that are invisible.
///
/// The set that keys encode can never grow, because stored keys would change; this one can.
fn is_unseen(c: char) -> bool {
    is_hidden(c)
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Escapes the characters in JSON that a terminal would act on. They occur only inside strings; the layout's line ends
/// stay.
fn escape_hidden(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unseen(c) && c != '\n' {
            out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out
}

/// Serializes an answer as one JSON object, with the schema version.
fn json_text(answer: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(&Envelope { schema_version: SCHEMA_VERSION, answer })?;
    Ok(escape_hidden(&text) + "\n")
}

/// Prints an error as a JSON object on stdout.
pub fn print_json_error(exit: Exit, message: &str, hint: Option<&str>) {
    let answer = ErrorAnswer { error: ErrorBody { exit: exit as u8, message, hint } };
    // If stdout cannot be written to, the exit code still reports the error.
    let _ = json_text(&answer).and_then(|text| write_out(text.as_bytes()));
}

fn write_out(bytes: &[u8]) -> Result<ExitCode> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn a_terminal_acts_on_nothing_a_repository_holds() {
        let check = |text: &str, expect: &str| assert_eq!(clean(text), expect);
        check("plain ü\n", "plain ü\n");
        check("\u{1b}[31mred", "\\u{1b}[31mred");
        check("a\u{202e}b\r", "a\\u{202e}b\\u{d}");
        check("a\u{ad}\u{61c}\u{e0041}b", "a\\u{ad}\\u{61c}\\u{e0041}b");
    }
}
