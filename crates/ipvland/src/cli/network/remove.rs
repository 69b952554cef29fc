//! `ipvland network rm`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use engine::{Engine, EngineError};
use model::{Frontend, Network, NetworkId};
use serde::Serialize;

use crate::cli::arguments::Output;
use crate::cli::output::{complain, print};

/// What is gone now.
#[derive(Serialize)]
struct Removed {
    removed: Vec<String>,
}

/// Removes networks by name, each for itself: one that stays does not keep the others.
pub(super) fn remove(engine: &Engine, names: &[String], output: Output) -> Result<ExitCode> {
    let mut removed = Removed { removed: Vec::new() };
    for name in names {
        match remove_one(engine, name) {
            Ok(id) => removed.removed.push(id.to_string()),
            Err(error) => complain(&error),
        }
    }
    let whole = removed.removed.len() == names.len();
    let lines = || removed.removed.iter().map(|name| format!("{name}\n")).collect();
    print(output, lines, || &removed)?;
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn remove_one(engine: &Engine, name: &str) -> Result<NetworkId> {
    let network = engine.networks()?.into_iter().find(|network| network.id.as_str() == name);
    let network = network.ok_or_else(|| EngineError::NoNetwork(name.chars().take(80).collect()))?;
    if let Some(refusal) = refusal(&network) {
        bail!(refusal);
    }
    Ok(engine.forget(network.id.as_str())?)
}

/// Why a network is not for a person at a shell to remove: its maker would still reckon with it.
fn refusal(network: &Network) -> Option<String> {
    let id = network.id.short();
    match network.frontend {
        Frontend::Shell => None,
        Frontend::Docker => Some(format!(
            "network {id} is Docker's; `docker network rm {id}` removes it, and `ipvland network forget {id}` where Docker no \
             longer knows it"
        )),
        Frontend::Cni => Some(format!("network {id} is CNI's; it goes with its last container")),
        Frontend::Netavark => Some(format!("network {id} is Podman's; it goes with its last container")),
    }
}

#[cfg(test)]
mod tests {
    use model::Parent;

    use super::*;

    #[test]
    fn what_others_made_is_for_them_to_remove() {
        let refused = |frontend| {
            let plain = Network::plain("lan".parse().unwrap(), Parent::Link("eth0".parse().unwrap()));
            refusal(&Network { frontend, ..plain })
        };
        assert_eq!(refused(Frontend::Shell), None);
        assert_eq!(
            refused(Frontend::Docker).unwrap(),
            "network lan is Docker's; `docker network rm lan` removes it, and `ipvland network forget lan` where Docker no \
             longer knows it"
        );
        assert_eq!(refused(Frontend::Cni).unwrap(), "network lan is CNI's; it goes with its last container");
        assert_eq!(refused(Frontend::Netavark).unwrap(), "network lan is Podman's; it goes with its last container");
    }
}
