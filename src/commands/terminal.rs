//! What the terminal can show: its size, whether it supports colour and links, and git's pager.

use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

use clap::ColorChoice;

use super::context::stop_flag;

/// The number of columns if neither the terminal nor `COLUMNS` gives one.
const DEFAULT_WIDTH: usize = 80;
/// The least number of columns that a line is cut to.
const MIN_WIDTH: usize = 40;

/// How text is shown on stdout.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Columns in a line.
    pub width: usize,
    /// Visible lines; `None` if stdout is not a terminal.
    pub height: Option<usize>,
    /// Whether text is coloured.
    pub color: bool,
    /// Whether paths are OSC 8 hyperlinks.
    pub links: bool,
}

impl Terminal {
    /// Detects it from stdout and the environment.
    ///
    /// `COLUMNS` takes precedence over the terminal's own size, as in git. If `choice` is auto, `NO_COLOR` and
    /// `CLICOLOR_FORCE` decide.
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

/// Shows a text in git's pager. Returns false if there is none or it cannot be started; then nothing was shown.
///
/// The pager is what `git var GIT_PAGER` prints: `GIT_PAGER`, `core.pager`, `PAGER`, or `less`.
pub fn page(text: &str) -> bool {
    let named = Command::new("git").args(["var", "GIT_PAGER"]).stderr(Stdio::null()).output();
    let pager = named.ok().filter(|output| output.status.success());
    let pager = pager.map_or("less".to_string(), |output| String::from_utf8_lossy(&output.stdout).trim().to_string());
    if pager.is_empty() || pager == "cat" {
        return false;
    }
    // The pager handles Ctrl-C while it runs.
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
        // Writing fails if the user quits the pager early; that is not an error.
        let _ = stdin.write_all(text.as_bytes());
    }
    let status = child.wait();
    // The exit codes of `sh` for a program that it cannot find or run.
    !status.is_ok_and(|status| matches!(status.code(), Some(126 | 127)))
}
