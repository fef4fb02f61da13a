//! What the terminal can show: its size, whether it takes colour and links, and the pager that git would use.

use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

use clap::ColorChoice;

use super::context::stop_flag;

/// Columns where neither a terminal nor `COLUMNS` says how many there are.
const DEFAULT_WIDTH: usize = 80;
/// A line is never cut shorter than this.
const MIN_WIDTH: usize = 40;

/// How stdout shows text.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Columns of a line.
    pub width: usize,
    /// Lines that are visible at once; `None` where stdout is no terminal.
    pub height: Option<usize>,
    /// Whether text is coloured.
    pub color: bool,
    /// Whether paths become OSC 8 hyperlinks.
    pub links: bool,
}

impl Terminal {
    /// Looks at stdout and the environment.
    ///
    /// `COLUMNS` comes before the terminal's own size, as in git; `NO_COLOR` and `CLICOLOR_FORCE` decide where `choice`
    /// is auto.
    pub fn detect(choice: ColorChoice) -> Self {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_terminal = std::io::stdout().is_terminal();
        let color = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if is_set("NO_COLOR") => false,
            ColorChoice::Auto => is_set("CLICOLOR_FORCE") || is_terminal,
        };
        let size = is_terminal.then(|| rustix::termios::tcgetwinsize(std::io::stdout()).ok()).flatten();
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let width = columns.or(size.map(|size| usize::from(size.ws_col))).filter(|width| *width > 0);
        Terminal {
            width: width.unwrap_or(DEFAULT_WIDTH).max(MIN_WIDTH),
            height: size.map(|size| usize::from(size.ws_row)).filter(|height| *height > 0),
            color,
            links: color && is_terminal && supports_hyperlinks::supports_hyperlinks(),
        }
    }
}

/// Shows a text in the pager that git would use; `false` where there is none or it cannot be started, and nothing was
/// shown.
///
/// The pager is what `git var GIT_PAGER` names: `GIT_PAGER`, `core.pager`, `PAGER`, or `less`.
pub fn page(text: &str) -> bool {
    let named = Command::new("git").args(["var", "GIT_PAGER"]).stderr(Stdio::null()).output();
    let pager = named.ok().filter(|output| output.status.success());
    let pager = pager.map_or("less".to_string(), |output| String::from_utf8_lossy(&output.stdout).trim().to_string());
    if pager.is_empty() || pager == "cat" {
        return false;
    }
    // An interrupt belongs to the pager while it runs.
    let _ = stop_flag();
    let mut command = Command::new("sh");
    command.args(["-c", &pager]).stdin(Stdio::piped());
    for (name, value) in [("LESS", "FRX"), ("LV", "-c")] {
        if std::env::var_os(name).is_none() {
            command.env(name, value);
        }
    }
    let Ok(mut child) = command.spawn() else { return false };
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever leaves the pager early has read enough.
        let _ = stdin.write_all(text.as_bytes());
    }
    let status = child.wait();
    // What `sh` says of a program that it cannot find or run.
    !status.is_ok_and(|status| matches!(status.code(), Some(126 | 127)))
}
