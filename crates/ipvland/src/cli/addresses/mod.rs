//! The commands on addresses.

mod arguments;
#[cfg(test)]
mod golden;
mod json;
mod table;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use engine::{Engine, WhoHas};
use model::{EndpointId, Hold};

use super::output::{print, write};
use crate::docker;

pub(crate) use arguments::AddressCommand;

/// Nobody has it, says `who-has`.
const NOBODY: u8 = 3;

pub(super) fn run(engine: &Engine, command: AddressCommand) -> Result<ExitCode> {
    match command {
        AddressCommand::Addresses { output } => {
            let addresses = engine.addresses()?;
            print(output.output, || table::addresses(&addresses), || json::Addresses::of(&addresses))?;
        }
        AddressCommand::WhoHas { address, segment, engine_socket, output } => {
            let who = engine.who_has(segment.as_ref(), address)?;
            let containers = containers(&who, &engine_socket);
            let nobody = who.holdings.is_empty() && who.host.is_none() && who.wire.is_none();
            print(
                output.output,
                || table::who_has(address, &who, &containers),
                || json::WhoHas::of(address, &who, &containers),
            )?;
            return Ok(if nobody { ExitCode::from(NOBODY) } else { ExitCode::SUCCESS });
        }
        AddressCommand::Reserve { name, address, segment } => {
            engine.reserve(&segment.segment, &name, address)?;
            write(&format!("{address} is reserved for {name}\n"))?;
        }
        AddressCommand::Unreserve { address, segment } => {
            engine.unreserve(&segment.segment, address)?;
            write(&format!("{address} is no longer reserved\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What the container engine calls the containers of these endpoints, as far as it answers: the ledger alone says enough.
fn containers(who: &WhoHas, socket: &Path) -> BTreeMap<EndpointId, String> {
    let networks = who.holdings.iter().filter_map(|holding| match &holding.hold {
        Hold::Endpoint { network, .. } => Some(network),
        _ => None,
    });
    networks.filter_map(|network| docker::containers(socket, network).ok()).flatten().collect()
}
