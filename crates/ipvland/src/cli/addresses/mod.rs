//! The commands on addresses.

mod arguments;
#[cfg(test)]
mod golden;
mod json;
mod table;

use std::process::ExitCode;

use anyhow::Result;
use engine::Engine;
use model::{Hold, Holding, Network};

use super::output::{print, write};

pub(crate) use arguments::AddressCommand;

/// Nobody has it, says `who-has`.
const NOBODY: u8 = 3;

pub(super) fn run(engine: &Engine, command: AddressCommand) -> Result<ExitCode> {
    match command {
        AddressCommand::Addresses { engines, output } => {
            let addresses = engine.addresses()?;
            let names = engines.names(&engine.networks()?, &addresses.holdings);
            print(output.output, || table::addresses(&addresses, &names), || json::Addresses::of(&addresses, &names))?;
        }
        AddressCommand::WhoHas { address, segment, engines, output } => {
            let who = engine.who_has(segment.as_ref(), address)?;
            let mut networks = engine.networks()?;
            networks.retain(|network| who.holdings.iter().any(|holding| is_on(holding, network)));
            let names = engines.names(&networks, &who.holdings);
            let nobody = who.holdings.is_empty() && who.host.is_none() && who.wire.is_none();
            print(output.output, || table::who_has(address, &who, &names), || json::WhoHas::of(address, &who, &names))?;
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

/// Whether an address is one of a network's.
fn is_on(holding: &Holding, network: &Network) -> bool {
    match &holding.hold {
        Hold::Endpoint { network: on, .. } | Hold::Auxiliary(on) | Hold::Gateway(Some(on)) => *on == network.id,
        _ => false,
    }
}
