//! The command line: what was typed, and what it means.

mod json;
mod table;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};
use engine::{Engine, Paths, Repair};

/// Something is wrong, says `status`.
const FAULTS: u8 = 3;

#[derive(Parser)]
#[command(
    version,
    about = "An IPvlan network driver for Docker",
    after_help = "docker network create -d ipvland --subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0 lan\n\
                  \nExit status: 0 done, 1 failed, 2 wrong usage, 3 `status` found something wrong."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) paths: PathArguments,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Args)]
pub(crate) struct PathArguments {
    /// Where the ledger is
    #[arg(long, global = true, default_value = "/var/lib/ipvland", value_name = "FOLDER")]
    state_dir: PathBuf,
    /// Where the locks are
    #[arg(long, global = true, default_value = "/run/ipvland", value_name = "FOLDER")]
    run_dir: PathBuf,
}

impl From<PathArguments> for Paths {
    fn from(paths: PathArguments) -> Self {
        Self { state_dir: paths.state_dir, run_dir: paths.run_dir }
    }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the daemon that Docker speaks to
    Serve {
        /// Where Docker looks for a driver of this name; not used under systemd's socket activation
        #[arg(long, default_value = "/run/docker/plugins/ipvland.sock", value_name = "SOCKET")]
        socket: PathBuf,
    },
    #[command(flatten)]
    Report(Report),
}

#[derive(Subcommand)]
pub(crate) enum Report {
    /// Show ports with their mode and flag, networks, endpoints, and what is wrong
    Status {
        #[command(flatten)]
        output: OutputArgument,
    },
    /// Show and forget networks
    #[command(subcommand)]
    Network(NetworkCommand),
    /// Compare the ledger with the kernel and mend the differences
    Repair {
        /// Only tell what would be done
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        output: OutputArgument,
    },
}

#[derive(Subcommand)]
pub(crate) enum NetworkCommand {
    /// List networks
    Ls {
        #[command(flatten)]
        output: OutputArgument,
    },
    /// Show one network and its endpoints
    Inspect {
        /// The network's id, or the beginning of it
        id: String,
        #[command(flatten)]
        output: OutputArgument,
    },
    /// Forget a network that Docker no longer knows; refused while its endpoints live
    Forget {
        /// The network's id, or the beginning of it
        id: String,
    },
}

#[derive(Args, Clone, Copy)]
pub(crate) struct OutputArgument {
    /// Tables for people, JSON for machines
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Table,
    Json,
}

/// Carries out a command that is no daemon.
pub(crate) fn run(paths: &Paths, report: Report) -> Result<ExitCode> {
    let engine = Engine::open(paths)?;
    match report {
        Report::Status { output } => {
            let status = engine.status()?;
            print(output, || table::status(&status), || json::status(&status))?;
            return Ok(if status.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAULTS) });
        }
        Report::Network(NetworkCommand::Ls { output }) => {
            let networks = engine.networks()?;
            print(output, || table::networks(&networks), || json::networks(&networks))?;
        }
        Report::Network(NetworkCommand::Inspect { id, output }) => {
            let report = engine.network(&id)?;
            print(output, || table::network(&report), || json::network_report(&report))?;
        }
        Report::Network(NetworkCommand::Forget { id }) => {
            let forgotten = engine.forget(&id)?;
            write(&format!("{forgotten}\n"))?;
        }
        Report::Repair { dry_run, output } => {
            let findings = engine.repair(if dry_run { Repair::DryRun } else { Repair::Apply })?;
            print(output, || table::findings(&findings), || json::findings(&findings))?;
            let failed = findings.iter().any(|finding| matches!(finding, engine::Finding::Failed { .. }));
            return Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(
    output: OutputArgument,
    table: impl FnOnce() -> String,
    json: impl FnOnce() -> serde_json::Value,
) -> Result<()> {
    match output.output {
        Output::Table => write(&table()),
        Output::Json => write(&format!("{:#}\n", json())),
    }
}

/// Writes to stdout. Whoever stopped reading has what it wanted.
fn write(text: &str) -> Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Tells on stderr what went wrong, why, and what to do.
pub(crate) fn complain(error: &anyhow::Error) {
    let mut stderr = io::stderr();
    let _ = writeln!(stderr, "error: {error}");
    for cause in error.chain().skip(1) {
        let _ = writeln!(stderr, "  because: {cause}");
    }
    if let Some(hint) = error.downcast_ref::<engine::EngineError>().and_then(engine::EngineError::hint) {
        let _ = writeln!(stderr, "hint: {hint}");
    }
}
