//! Inserts the marked block into the text of a hook, and removes it. Pure: bytes in, bytes out.
//!
//! Invariant: removing after inserting gives the former bytes, whatever was written around the block.

use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// The environment variable of a probe: the number of the file in which to answer.
pub(super) const PROBE: &str = "PATINA_PROBE";

/// The block's template.
const TEMPLATE: &str = include_str!("../../hooks/ring.sh");
/// The mark at the beginning of the block.
const BEGIN: &[u8] = b"# >>> patina >>>";
/// The mark at the end of the block.
const END: &[u8] = b"# <<< patina <<<";

/// What a hook file that patina created contains before the block.
pub(super) const OWN_SHEBANG: &[u8] = b"#!/bin/sh\n";

/// The parts of the block that differ between repositories.
pub(super) struct HookBlock {
    /// The path of patina's executable; absolute.
    pub program: PathBuf,
    /// How to find the file that switches off the hooks.
    pub disabled: Disabled,
}

/// How a hook finds the file that switches it off.
pub(super) enum Disabled {
    /// In the folder that contains the hooks folder: found from the script's own path, so that it moves with the
    /// repository.
    BesideHooks,
    /// At this absolute path.
    At(PathBuf),
}

/// What an uninstallation must know to restore the former bytes; stored in the block itself.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Notes {
    /// Whether patina created the file.
    pub created: bool,
    /// The number of folders created for it, counted from the innermost.
    pub folders: usize,
    /// Whether the line before the block had no line end.
    pub newline_added: bool,
}

/// A hook's text, split at the marks.
pub(super) struct HookParts<'a> {
    pub before: &'a [u8],
    pub block: &'a [u8],
    pub after: &'a [u8],
}

impl HookParts<'_> {
    /// Returns the text with another block in place of this one.
    pub fn with(&self, block: &[u8]) -> Vec<u8> {
        [self.before, block, self.after].concat()
    }

    /// Returns the text without the block; `None` if only what patina wrote is left, so that the file can be removed.
    pub fn without(&self) -> Option<Vec<u8>> {
        let notes = notes(self.block);
        if notes.created && self.before == OWN_SHEBANG && self.after.is_empty() {
            return None;
        }
        // Text that was added below the block needs the line end that patina added.
        let before = match self.before.strip_suffix(b"\n") {
            Some(line) if notes.newline_added && self.after.is_empty() => line,
            _ => self.before,
        };
        Some([before, self.after].concat())
    }
}

/// Splits a hook at the marks: `Ok(None)` without a block, and `Err` with a description if the marks are damaged.
pub(super) fn split(text: &[u8]) -> Result<Option<HookParts<'_>>, &'static str> {
    let (mut begins, mut ends) = (Vec::new(), Vec::new());
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match line.trim_ascii_end() {
            BEGIN => begins.push(at),
            END => ends.push(at + line.len()),
            _ => {}
        }
        at += line.len();
    }
    match (begins[..].as_ref(), ends[..].as_ref()) {
        ([], []) => Ok(None),
        ([begin], [end]) if begin < end => {
            Ok(Some(HookParts { before: &text[..*begin], block: &text[*begin..*end], after: &text[*end..] }))
        }
        ([_], []) => Err("the line `# >>> patina >>>` has no `# <<< patina <<<`"),
        ([], [_]) => Err("the line `# <<< patina <<<` has no `# >>> patina >>>`"),
        _ => Err("the patina marks are doubled or out of order"),
    }
}

/// Inserts a block after the shebang, or at the top if there is none. `block` renders the block with its notes.
pub(super) fn insert(text: &[u8], block: impl Fn(Notes) -> Vec<u8>) -> Vec<u8> {
    let mut notes = Notes::default();
    if !text.starts_with(b"#!") {
        return [&block(notes), text].concat();
    }
    match text.iter().position(|byte| *byte == b'\n') {
        Some(end) => [&text[..=end], &block(notes), &text[end + 1..]].concat(),
        None => {
            notes.newline_added = true;
            [text, b"\n", &block(notes)].concat()
        }
    }
}

/// Renders the block for one event, with its marks.
pub(super) fn render(block: &HookBlock, event: &str, notes: Notes) -> Vec<u8> {
    let mut words = String::new();
    if notes.created {
        words.push_str("; file made by patina");
    }
    if notes.folders > 0 {
        words.push_str(&format!("; folders made: {}", notes.folders));
    }
    if notes.newline_added {
        words.push_str("; line end added");
    }
    fill(TEMPLATE.as_bytes(), block, event, words.as_bytes())
}

/// Renders the block as one shell command for git's configuration. git appends ` "$@"`, which the final `:` ignores.
pub(super) fn render_command(block: &HookBlock, event: &str) -> Vec<u8> {
    let lines: Vec<&str> = TEMPLATE.lines().map(str::trim).filter(|line| !line.starts_with('#')).collect();
    fill(lines.join("\n").as_bytes(), block, event, b"")
}

/// Returns the line that the user has to add to a hook that patina leaves alone.
pub(super) fn line_by_hand(block: &HookBlock, event: &str) -> String {
    let program = String::from_utf8_lossy(&quoted(block.program.as_os_str().as_bytes())).into_owned();
    format!("({program} hook ring {event} </dev/null >/dev/null 2>&1 &)")
}

/// Returns whether a block stops the script if it is only probed.
pub(super) fn can_be_tried(block: &[u8]) -> bool {
    block.windows(PROBE.len()).any(|window| window == PROBE.as_bytes())
}

/// Reads the notes of a block.
pub(super) fn notes(block: &[u8]) -> Notes {
    let line = block
        .split(|byte| *byte == b'\n')
        .find(|line| line.starts_with(b"# block "))
        .map(String::from_utf8_lossy)
        .unwrap_or_default();
    let folders = line.split("; folders made: ").nth(1).and_then(|rest| rest.split(';').next()?.trim().parse().ok());
    Notes {
        created: line.contains("; file made by patina"),
        folders: folders.unwrap_or(0),
        newline_added: line.contains("; line end added"),
    }
}

/// Replaces the placeholders in one pass, so that a path that looks like a placeholder is kept.
fn fill(template: &[u8], block: &HookBlock, event: &str, notes: &[u8]) -> Vec<u8> {
    let program = quoted(block.program.as_os_str().as_bytes());
    let disabled = match &block.disabled {
        Disabled::BesideHooks => br#""${0%/*}/../patina/disabled""#.to_vec(),
        Disabled::At(path) => quoted(path.as_os_str().as_bytes()),
    };
    let mut filled = Vec::with_capacity(template.len() + 200);
    for (n, piece) in template.split(|byte| *byte == b'@').enumerate() {
        match piece {
            b"PROGRAM" => filled.extend_from_slice(&program),
            b"DISABLED" => filled.extend_from_slice(&disabled),
            b"EVENT" => filled.extend_from_slice(event.as_bytes()),
            b"NOTES" => filled.extend_from_slice(notes),
            // Every `@` in the template belongs to a placeholder, so odd pieces are all known.
            _ => {
                debug_assert_eq!(n % 2, 0, "an unknown placeholder in hooks/ring.sh");
                filled.extend_from_slice(piece);
            }
        }
    }
    filled
}

/// Quotes a word for the shell.
pub(super) fn quoted_text(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Quotes a word of any bytes for the shell.
fn quoted(word: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for byte in word {
        match byte {
            b'\'' => quoted.extend_from_slice(br"'\''"),
            _ => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> HookBlock {
        HookBlock {
            program: PathBuf::from("/opt/pa'ti na/@EVENT@/patina"),
            disabled: Disabled::At(PathBuf::from("/r/.git/patina/disabled")),
        }
    }

    fn round_trip(text: &str) {
        let inserted = insert(text.as_bytes(), |notes| render(&block(), "post-merge", notes));
        let parts = split(&inserted).expect("whole marks").expect("a block");
        assert_eq!(parts.without().expect("a file of the user"), text.as_bytes());
        assert_eq!(parts.with(parts.block), inserted);
    }

    #[test]
    fn removal_restores_every_byte() {
        for text in [
            "",
            "#!/bin/sh",
            "#!/bin/sh\n",
            "#!/bin/sh\n\n",
            "#!/bin/sh\nexit 0",
            "echo a\n",
            "echo a",
            "\n",
            "#!/bin/sh\r\necho a\r\n",
            "#!/usr/bin/env bash\n\necho \"é\"\n\n\n",
            "#!/bin/sh\n# @EVENT@\n",
        ] {
            round_trip(text);
        }
    }

    #[test]
    fn lines_added_below_a_bare_shebang_stay_on_their_own() {
        let mut text = insert(b"#!/bin/sh", |notes| render(&block(), "post-merge", notes));
        text.extend_from_slice(b"echo mine");
        let parts = split(&text).expect("whole marks").expect("a block");
        assert_eq!(parts.without().expect("a file of the user"), b"#!/bin/sh\necho mine");
    }

    #[test]
    fn a_file_of_ours_goes_and_a_file_grown_since_stays() {
        let notes = Notes { created: true, folders: 2, newline_added: false };
        let mut text = [OWN_SHEBANG, &render(&block(), "post-commit", notes)].concat();
        assert_eq!(super::notes(split(&text).expect("whole").expect("a block").block), notes);
        assert_eq!(split(&text).expect("whole marks").expect("a block").without(), None);
        text.extend_from_slice(b"make tags\n");
        let left = split(&text).expect("whole marks").expect("a block").without();
        assert_eq!(left.as_deref(), Some(b"#!/bin/sh\nmake tags\n".as_slice()));
    }

    #[test]
    fn damaged_marks_are_named() {
        let case = |text: &str, words: &str| {
            let damage = split(text.as_bytes()).err().expect("damage");
            assert!(damage.contains(words), "{damage}");
        };
        case("# >>> patina >>>\nx\n", "has no");
        case("x\n# <<< patina <<<\n", "has no");
        case("# <<< patina <<<\n# >>> patina >>>\n", "out of order");
        case("# >>> patina >>>\n# <<< patina <<<\n# >>> patina >>>\n# <<< patina <<<\n", "doubled");
        assert!(split(b"echo '# >>> patina >>>'\n").expect("no mark on a line of its own").is_none());
    }

    #[test]
    fn a_path_keeps_its_quotes_and_look_alikes() {
        let text = String::from_utf8(render(&block(), "post-merge", Notes::default())).expect("UTF-8");
        assert!(text.contains(r"patina='/opt/pa'\''ti na/@EVENT@/patina'"), "{text}");
        assert!(text.contains("hook ring post-merge"), "{text}");
        let command = String::from_utf8(render_command(&block(), "post-merge")).expect("UTF-8");
        assert!(command.starts_with("(\nset +eu\n") && command.ends_with("|| exit 0; :"), "{command}");
    }
}
