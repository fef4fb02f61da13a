//! How answers look: text for people, one object for scripts. Refuses to print a raw control byte, for what a
//! repository holds is not ours to trust.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Result;
use clap::ColorChoice;
use serde::Serialize;

use crate::event::is_hidden;
use crate::facts::ItemKind;
use crate::git::day;
use crate::query::{Evidence, Hit, Note, NoteLevel, Reader};

/// Version of the JSON that commands print.
const SCHEMA_VERSION: u32 = 1;

/// Where a command says things.
#[derive(Debug)]
pub struct Output {
    /// One JSON object instead of text.
    pub json: bool,
    quiet: bool,
    color: bool,
}

/// Text being put together for stdout.
#[derive(Debug, Default)]
pub struct Page {
    text: String,
    color: bool,
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    schema_version: u32,
    #[serde(flatten)]
    answer: &'a T,
}

impl Output {
    /// Reads how the person wants things to look.
    pub fn new(json: bool, quiet: bool, color: ColorChoice) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let color = match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if set("NO_COLOR") => false,
            ColorChoice::Auto => set("CLICOLOR_FORCE") || std::io::stdout().is_terminal(),
        };
        Output { json, quiet, color }
    }

    /// Whether anything is coloured.
    pub fn is_colored(&self) -> bool {
        self.color
    }

    /// Whether only the answer is wanted.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// A page to fill.
    pub fn page(&self) -> Page {
        Page { text: String::new(), color: self.color }
    }

    /// Prints a page; a reader that has gone is no error.
    pub fn print(&self, page: &Page) -> Result<ExitCode> {
        write_out(page.text.as_bytes())
    }

    /// Prints one JSON object.
    pub fn print_json(&self, answer: &impl Serialize) -> Result<ExitCode> {
        let text = serde_json::to_string_pretty(&Envelope { schema_version: SCHEMA_VERSION, answer })?;
        let mut text = escape_hidden(&text);
        text.push('\n');
        write_out(text.as_bytes())
    }

    /// Something the person should know beside the answer.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            talk(&format!("patina: {}\n", clean(text)));
        }
    }

    /// Something that may be wrong.
    pub fn warn(&self, text: &str) {
        if !self.quiet {
            talk(&format!("patina: warning: {}\n", clean(text)));
        }
    }

    /// What an answer says beside itself.
    pub fn notes(&self, notes: &[Note]) {
        for note in notes {
            match note.level {
                NoteLevel::Info => self.note(&note.text),
                NoteLevel::Warning => self.warn(&note.text),
            }
        }
    }

    /// What went wrong, and the next step.
    pub fn error(&self, message: &str, hint: Option<&str>) {
        talk(&format!("patina: {}\n", clean(message)));
        if let Some(hint) = hint {
            talk(&format!("  {}\n", clean(hint)));
        }
    }
}

impl Page {
    /// One line.
    pub fn line(&mut self, text: impl AsRef<str>) {
        self.text.push_str(&one_line(text.as_ref()));
        self.text.push('\n');
    }

    /// Text of our own, as it is.
    pub fn script(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// One line whose beginning stands out.
    pub fn heading(&mut self, bold: impl AsRef<str>, rest: impl AsRef<str>) {
        let (bold, rest) = (one_line(bold.as_ref()), one_line(rest.as_ref()));
        if self.color {
            self.text.push_str(&format!("\u{1b}[1m{bold}\u{1b}[0m{rest}\n"));
        } else {
            self.text.push_str(&format!("{bold}{rest}\n"));
        }
    }

    /// Which commit the answer is as of, and how far HEAD is ahead.
    pub fn as_of(&mut self, reader: &Reader<'_>) {
        let commit = reader.as_of().map_or_else(|| "an empty repository".to_string(), |id| short(&id).to_string());
        let ahead = match reader.behind {
            0 => String::new(),
            1 => "; HEAD has moved since, ask again or add --fresh".to_string(),
            n => format!("; HEAD is {n} commits ahead, ask again or add --fresh"),
        };
        self.line(format!("as of {commit}{ahead}"));
    }

    /// Hits with their evidence.
    pub fn hits(&mut self, hits: &[Hit]) {
        for hit in hits {
            let place = match (&hit.path, hit.line) {
                (Some(path), Some(line)) => format!("{path}:{line}"),
                _ => hit.key.strip_prefix("commit:").map_or(hit.key.clone(), |id| format!("commit {}", short(id))),
            };
            let name = if hit.kind == ItemKind::File { String::new() } else { format!(" {}", hit.name) };
            self.heading(place, format!("  {}{name}  {:.3}", hit.kind.name(), hit.score));
            self.evidence(&hit.evidence);
        }
    }

    /// Reasons, one a line.
    pub fn evidence(&mut self, evidence: &[Evidence]) {
        for one in evidence {
            let text = match one {
                Evidence::Commit(commit) => {
                    format!("{} {} {}", short(&commit.commit), day(commit.time), commit.subject)
                }
                Evidence::Text { line: Some(line), text } => format!("{line}: {text}"),
                Evidence::Text { line: None, text } => format!("| {text}"),
                Evidence::Together { commits: 1, weight } => format!("changed together once (weight {weight:.3})"),
                Evidence::Together { commits, weight } => {
                    format!("changed together {commits} times (weight {weight:.3})")
                }
                Evidence::Path { similarity } => format!("near in the tree ({similarity:.2})"),
                Evidence::Call { path, line, caller, callee, confidence } => {
                    format!("{path}:{line} {caller} calls {callee} ({confidence:.2})")
                }
                Evidence::Group { dimension, groups: 1, weight } => {
                    format!("one {dimension} group in common (weight {weight:.3})")
                }
                Evidence::Group { dimension, groups, weight } => {
                    format!("{groups} {dimension} groups in common (weight {weight:.3})")
                }
                Evidence::Near { dimension, cosine } => format!("alike, {dimension} ({cosine:.2})"),
                Evidence::Session { session, title, time } => {
                    let when = time.map(|time| format!(" of {}", day(time))).unwrap_or_default();
                    let title = if title.is_empty() { String::new() } else { format!(" \"{title}\"") };
                    format!("quoted from {session}{when}{title}, not an instruction")
                }
                Evidence::Authors { names } => format!("by {}", names.join(", ")),
            };
            self.line(format!("    {text}"));
        }
    }
}

/// The beginning of an object id, as long as people quote it.
pub fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

/// A text without what a terminal would act on: each such character is shown as an escape.
pub fn clean(text: &str) -> String {
    text.chars()
        .flat_map(|c| if is_unseen(c) && c != '\n' { c.escape_unicode().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}

/// Text for stderr, as it is. That nobody reads it any more is no reason to fail.
pub fn talk(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// Characters that are not printed as themselves: those that are not stored in keys either, and others that show
/// nothing. Keys are eternal, so what they encode is not widened; what is printed can be.
fn is_unseen(c: char) -> bool {
    is_hidden(c)
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The same on one line, tabs as spaces.
fn one_line(text: &str) -> String {
    clean(&text.replace(['\n', '\t'], " "))
}

/// JSON without what a terminal would act on. Such characters stand in strings only; the layout's own line ends stay.
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
