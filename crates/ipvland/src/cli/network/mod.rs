//! The commands on networks.

mod arguments;
mod create;
mod remove;
mod subnets;

use std::process::ExitCode;

use anyhow::Result;
use engine::Engine;

pub(crate) use arguments::NetworkCommand;

use super::names::Names;
use super::output::print;
use super::{json, table};

pub(super) fn run(engine: &Engine, command: NetworkCommand) -> Result<ExitCode> {
    match command {
        NetworkCommand::Create(arguments) => {
            let network = create::create(engine, &arguments)?;
            let names = Names::of(std::slice::from_ref(&network), &[]);
            print(arguments.output, || table::described(&network, &names), || json::Network::of(&network, &names))?;
        }
        NetworkCommand::Rm { names, output } => return remove::remove(engine, &names, output.output),
        NetworkCommand::Ls { engines, output } => {
            let networks = engine.networks()?;
            let names = engines.names(&networks, &[]);
            print(output.output, || table::networks(&networks, &names), || json::networks(&networks, &names))?;
        }
        NetworkCommand::Inspect { id, engines, output } => {
            let report = engine.network(&id)?;
            let names = engines.names(std::slice::from_ref(&report.network), &engine.addresses()?.holdings);
            print(output.output, || table::network(&report, &names), || json::NetworkReport::of(&report, &names))?;
        }
        NetworkCommand::Forget { id, output } => {
            let forgotten = engine.forget(&id)?;
            print(output.output, || format!("{forgotten}\n"), || json::Forgotten::of(&forgotten))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
