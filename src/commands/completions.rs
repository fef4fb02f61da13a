//! `patina completions`: prints completions for a shell.

use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;

use super::output::Output;

#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// Shell to print completions for
    shell: Shell,
}

pub fn run<C: CommandFactory>(arguments: &CompletionsArgs, output: &Output) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut C::command(), "patina", &mut script);
    let mut page = output.page();
    page.script(&String::from_utf8_lossy(&script));
    output.print(&page)
}
