//! `ipvland attach` and `ipvland detach`: the frontend of those who have no engine.
//!
//! The endpoint of a namespace is known by the network and by what tells the namespace from others as long as it lives, so that
//! it is the same whatever path is typed.

mod arguments;
mod attach;
mod choice;
mod detach;
#[cfg(test)]
mod golden;
mod json;
mod table;

use std::process::ExitCode;

use anyhow::{Result, bail};
use engine::{Connected, Engine, EngineError};
use model::{Endpoint, EndpointId, EndpointName, Frontend, Network};

pub(crate) use arguments::AttachmentCommand;

use super::output::print;

/// A namespace that is on a network.
struct Attached {
    endpoint: EndpointId,
    name: Option<EndpointName>,
    connected: Connected,
}

/// A namespace that was on a network.
struct Detached {
    endpoint: Endpoint,
    name: Option<EndpointName>,
}

pub(super) fn run(engine: &Engine, command: AttachmentCommand) -> Result<ExitCode> {
    match command {
        AttachmentCommand::Attach(arguments) => {
            let attached = attach::attach(engine, &arguments)?;
            print(arguments.output.output, || table::attached(&attached), || json::Attached::of(&attached))?;
        }
        AttachmentCommand::Detach(arguments) => {
            let detached = detach::detach(engine, &arguments)?;
            print(
                arguments.output.output,
                || table::detached(&arguments.network, &detached),
                || json::detached(&detached),
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The endpoint that a namespace has on a network.
fn endpoint_in(network: &Network, sandbox: &str) -> EndpointId {
    EndpointId::of(Frontend::Shell, &[network.id.as_str(), sandbox])
}

/// The network of that name, which no engine reckons with.
fn own_network(engine: &Engine, name: &str) -> Result<Network> {
    let network = engine.networks()?.into_iter().find(|network| network.id.as_str() == name);
    let network = network.ok_or_else(|| EngineError::NoNetwork(name.chars().take(80).collect()))?;
    let whose = match network.frontend {
        Frontend::Shell => return Ok(network),
        Frontend::Docker => "Docker's",
        Frontend::Cni => "CNI's",
        Frontend::Netavark => "Podman's",
    };
    bail!(
        "network {} is {whose}, which alone puts containers on it; make one at the shell, which may be on the same parent and \
         subnet: `ipvland network create`",
        network.id.short()
    )
}
