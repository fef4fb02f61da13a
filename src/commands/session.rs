//! `patina session`: what was said while the code was written.

use std::process::ExitCode;

use clap::Subcommand;

use super::session_end;

#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// What agents' hooks call; reads one JSON value from stdin.
    End(session_end::Arguments),
}

pub fn run(command: &SessionCommand) -> ExitCode {
    match command {
        SessionCommand::End(arguments) => session_end::run(arguments),
    }
}
