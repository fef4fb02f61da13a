//! `patina config`: prints the settings with their defaults.

use std::process::ExitCode;

use anyhow::Result;

use super::output::Output;
use crate::config::{Config, TEMPLATE};

pub fn run(output: &Output) -> Result<ExitCode> {
    let mut page = output.page();
    match Config::user_path() {
        Some(path) => page.long_line(format!(
            "# {} ({})",
            path.display(),
            if path.exists() { "in use" } else { "not there: the defaults hold" }
        )),
        None => page.long_line("# neither PATINA_CONFIG, XDG_CONFIG_HOME nor HOME is set: the defaults hold"),
    }
    for line in TEMPLATE.lines() {
        page.long_line(line);
    }
    output.print(&page)
}
