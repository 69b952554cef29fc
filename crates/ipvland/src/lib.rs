//! The one binary of ipvland: the daemon that Docker speaks to, and the command line. A library only for those who throw
//! broken bytes at its parsers.
//!
//! A frontend sees the engine and the model, and nothing below them. `docker` speaks the plugin protocol, `netavark` is what
//! Podman starts, `cni` what runtimes of CNI start. `serve` owns the daemon's socket, signals and background work, `standby`
//! holds its engine, `cli` is what a person types and reads. `adopt` finds out what others on the host have given out,
//! `engine_api` asks container engines.

#![forbid(unsafe_code)]

mod adopt;
mod cli;
mod cni;
mod docker;
mod engine_api;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod logs;
mod netavark;
mod sentence;
mod serve;
mod standby;

use std::process::ExitCode;

use clap::Parser;

/// What the binary does: the environment of the process decides, and then its arguments.
pub fn main() -> ExitCode {
    if cni::is_called() {
        return cni::run();
    }
    let cli::Arguments { settings, command } = cli::Arguments::parse();
    logs::start(&settings.log_filter(&command));
    let paths = settings.paths();
    let outcome = match command {
        cli::Command::Serve { socket, engine_socket } => {
            serve::run(paths, &socket, engine_socket).map(|()| ExitCode::SUCCESS)
        }
        cli::Command::Doctor(arguments) => cli::doctor(&paths, &arguments),
        cli::Command::Report(report) => cli::run(&paths, report),
        cli::Command::Netavark(verb) => Ok(netavark::run(&paths, &verb)),
        cli::Command::Completions { shell } => cli::completions(shell).map(|()| ExitCode::SUCCESS),
        cli::Command::Man { folder } => cli::manual(&folder).map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|error| {
        cli::complain(&error);
        ExitCode::FAILURE
    })
}
