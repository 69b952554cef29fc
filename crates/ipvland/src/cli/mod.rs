//! The command line: what was typed (`arguments`), what it means, how it is shown (`table`, `json`, `output`), and what
//! is made from its description (`generated`).

mod addresses;
mod arguments;
mod attachments;
mod doctor;
mod generated;
mod json;
mod names;
mod network;
mod output;
mod table;

#[cfg(test)]
mod golden;

use std::process::ExitCode;

use anyhow::{Result, bail};
use engine::{Adopt, Engine, Finding, Paths, Repair};
use model::Segment;

use arguments::Report;
pub(crate) use arguments::{Arguments, Command};
pub(crate) use doctor::doctor;
pub(crate) use generated::{completions, manual};
pub(crate) use output::complain;
use output::{print, write};

use crate::adopt;

/// Something is wrong, says `status`.
const FAULTS: u8 = 3;

/// Carries out a command that is no daemon.
pub(crate) fn run(paths: &Paths, report: Report) -> Result<ExitCode> {
    let engine = Engine::open(paths)?;
    match report {
        Report::Status { engines, output } => {
            let status = engine.status()?;
            let names = engines.names(&status.networks, &engine.addresses()?.holdings);
            print(output.output, || table::status(&status, &names), || json::Status::of(&status, &names))?;
            Ok(if status.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAULTS) })
        }
        Report::Network(command) => network::run(&engine, command),
        Report::Attachment(command) => attachments::run(&engine, command),
        Report::Addresses(command) => addresses::run(&engine, command),
        Report::Repair { dry_run, output } => {
            let findings = engine.repair(if dry_run { Repair::DryRun } else { Repair::Apply })?;
            print(output.output, || table::findings(&findings), || json::findings(&findings))?;
            let failed = findings.iter().any(|finding| matches!(finding, Finding::Failed { .. }));
            Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Report::Adopt { dry_run, segment, engine_socket, cni_dir, output } => {
            let told = adopt::told(&engine_socket, &cni_dir)?;
            let how = if dry_run { Adopt::DryRun } else { Adopt::Apply };
            let adoptions = engine.adopt(&Segment::Shared(segment), told, how)?;
            print(output.output, || table::adoptions(&adoptions), || json::adoptions(&adoptions))?;
            Ok(ExitCode::SUCCESS)
        }
        Report::Removable => {
            if let Some(refusal) = table::in_use(&engine.networks()?) {
                bail!(refusal);
            }
            write("no network is on record; ipvland can be removed\n")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
