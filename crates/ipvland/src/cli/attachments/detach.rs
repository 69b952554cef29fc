//! `ipvland detach`.

use std::collections::BTreeMap;

use anyhow::Result;
use engine::{Engine, EngineError, look_into};
use model::{Endpoint, EndpointId, EndpointName, Frontend, Hold, Network, SandboxKey};

use super::arguments::{DetachArguments, DetachedArgument, of_process};
use super::{Detached, endpoint_in, own_network};

/// Takes what is meant off a network. Nothing of it on it is success.
///
/// # Errors
/// When there is no such network, or ledger or kernel fail.
pub(super) fn detach(engine: &Engine, arguments: &DetachArguments) -> Result<Vec<Detached>> {
    let network = own_network(engine, &arguments.network)?;
    let meant = Meant::read(&network, &arguments.what)?;
    let names = engine.addresses()?.holdings.into_iter().filter_map(|holding| match (holding.hold, holding.name) {
        (Hold::Endpoint { endpoint, .. }, Some(name)) => Some((endpoint, name)),
        _ => None,
    });
    let names: BTreeMap<EndpointId, EndpointName> = names.collect();
    let mut detached = Vec::new();
    for endpoint in engine.endpoints_of(Frontend::Shell)? {
        let name = names.get(&endpoint.id).cloned();
        if endpoint.network == network.id && meant.is(&endpoint, name.as_ref()) {
            engine.disconnect(&endpoint.id)?;
            detached.push(Detached { endpoint, name });
        }
    }
    Ok(detached)
}

/// What is to be taken off a network.
enum Meant {
    /// Whatever is called so.
    Name(EndpointName),
    /// What is in the namespace at this path, or was when it was attached.
    Place {
        key: SandboxKey,
        /// What the namespace that is there now has on the network, if there is one.
        inside: Option<EndpointId>,
    },
}

impl Meant {
    /// A namespace that is gone is still known by its path.
    fn read(network: &Network, what: &DetachedArgument) -> Result<Self> {
        let key = match (&what.name, &what.netns, what.pid) {
            (Some(name), ..) => return Ok(Meant::Name(name.clone())),
            (None, Some(netns), _) => netns.key.clone(),
            (None, None, pid) => of_process(pid.expect("one of the three is required")),
        };
        let inside = match look_into(&key) {
            Ok(sandbox) => Some(endpoint_in(network, &sandbox.identity)),
            Err(EngineError::SandboxGone(_)) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Meant::Place { key, inside })
    }

    fn is(&self, endpoint: &Endpoint, called: Option<&EndpointName>) -> bool {
        match self {
            Meant::Name(name) => called == Some(name),
            Meant::Place { key, inside } => {
                Some(&endpoint.id) == inside.as_ref() || endpoint.sandbox.as_ref() == Some(key)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use model::{Addresses, EndpointState, Generation, Moment};

    use super::*;

    fn endpoint(id: &str, sandbox: &str) -> Endpoint {
        Endpoint {
            id: id.parse().unwrap(),
            network: "lan".parse().unwrap(),
            frontend: Frontend::Shell,
            addresses: Addresses::default(),
            set_up: None,
            sandbox: Some(sandbox.parse().unwrap()),
            born: Moment { generation: Generation(0), boot: "b".parse().unwrap() },
            state: EndpointState::Attached,
        }
    }

    #[test]
    fn a_namespace_is_known_by_itself_and_by_the_path_it_was_attached_by() {
        let at = |inside: Option<&str>| Meant::Place {
            key: "/run/netns/web".parse().unwrap(),
            inside: inside.map(|id| id.parse().unwrap()),
        };
        assert!(at(Some("one")).is(&endpoint("one", "/proc/7/ns/net"), None), "attached by another path");
        assert!(at(None).is(&endpoint("one", "/run/netns/web"), None), "gone");
        assert!(at(Some("two")).is(&endpoint("one", "/run/netns/web"), None), "another has come in its place");
        assert!(!at(Some("two")).is(&endpoint("one", "/run/netns/db"), None));
    }

    #[test]
    fn a_name_is_enough() {
        let [web, db]: [EndpointName; 2] = ["web", "db"].map(|name| name.parse().unwrap());
        let meant = Meant::Name(web.clone());
        let check = |called| meant.is(&endpoint("one", "/run/netns/web"), called);
        assert_eq!([check(Some(&web)), check(Some(&db)), check(None)], [true, false, false]);
    }
}
