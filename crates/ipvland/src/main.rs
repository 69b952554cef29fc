//! The one binary of ipvland: the daemon that Docker speaks to, and the command line.

mod cli;
mod docker;
mod logs;
mod serve;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    let outcome = match arguments.command {
        cli::Command::Serve { socket } => serve::run(&arguments.paths.into(), &socket),
        cli::Command::Report(report) => cli::run(&arguments.paths.into(), report),
    };
    outcome.unwrap_or_else(|error| {
        cli::complain(&error);
        ExitCode::FAILURE
    })
}
