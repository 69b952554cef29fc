//! Waiting for a change that concerns what is on record.

use std::collections::BTreeMap;

use kernel::{Change, Scope};
use model::{Kind, Link, Network, Parent, is_birth_name};

use crate::{Engine, EngineError};

/// What has changed.
pub struct Changes(Vec<Change>);

/// Hears of changes of the kernel from when it is made.
pub struct Watch {
    kernel: kernel::Watch,
    /// The links of the host, by index, as they were last told: an attach alone makes the kernel tell of the parent
    /// several times.
    links: BTreeMap<u32, Link>,
}

impl Watch {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the kernel has no more sockets or watches to give, or its links cannot be read.
    pub fn begin() -> Result<Self, EngineError> {
        let kernel = kernel::Watch::begin()?;
        let links = kernel::observe(Scope::Host)?.host.into_iter().map(|link| (link.index, told(link))).collect();
        Ok(Self { kernel, links })
    }

    /// Waits until something has changed.
    ///
    /// # Errors
    /// When the kernel cannot be heard.
    pub fn wait(&self) -> Result<Changes, EngineError> {
        Ok(Changes(self.kernel.wait()?))
    }

    /// Whether changes concern what `engine` has on record: a parent has come, gone, been renamed, gone up or down or has
    /// another MTU; somebody has put a slave on one, or changed its port; a namespace has gone.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn concern(&mut self, changes: Changes, engine: &Engine) -> Result<bool, EngineError> {
        let networks = engine.networks()?;
        // Each is noted, whatever the others are.
        Ok(changes.0.into_iter().filter(|change| self.concerns(change, &networks)).count() > 0)
    }

    fn concerns(&mut self, change: &Change, networks: &[Network]) -> bool {
        match change {
            Change::NamespaceGone | Change::Lost => true,
            Change::LinkGone(link) => {
                self.links.remove(&link.index);
                carries(link, networks)
            }
            Change::Link(link) => {
                let link = told(link.clone());
                let before = self.links.insert(link.index, link.clone());
                before.as_ref() != Some(&link)
                    && (self.matters(&link, networks) || before.is_some_and(|it| carries(&it, networks)))
            }
        }
    }

    fn matters(&self, link: &Link, networks: &[Network]) -> bool {
        let Kind::Slave(settings) = link.kind else { return carries(link, networks) };
        let Some(parent) = link.on.and_then(|below| self.links.get(&below)) else { return false };
        let mut on_port = networks.iter().filter(|network| *network.parent.name() == parent.name);
        on_port.next().is_some_and(|network| network.settings != settings || !is_birth_name(&link.name))
    }
}

/// What is compared: the kernel tells the addresses apart.
fn told(link: Link) -> Link {
    Link { addresses: Vec::new(), alias: None, ..link }
}

/// Whether a link carries a network, or the VLAN link that carries one.
fn carries(link: &Link, networks: &[Network]) -> bool {
    networks.iter().any(|network| match &network.parent {
        Parent::Vlan { name, on, .. } => link.name == *name || link.name == *on,
        parent => link.name == *parent.name(),
    })
}

#[cfg(test)]
mod tests {
    use model::{Layer, NetworkState, PortSettings};

    use super::*;

    fn link(index: u32, name: &str) -> Link {
        Link {
            index,
            name: name.parse().unwrap(),
            alias: None,
            kind: Kind::Other(String::new()),
            layer: Layer::Ethernet,
            on: None,
            master: None,
            up: true,
            mtu: 1500,
            mac: None,
            addresses: Vec::new(),
        }
    }

    fn slave(index: u32, name: &str, settings: PortSettings) -> Link {
        Link { kind: Kind::Slave(settings), on: Some(2), ..link(index, name) }
    }

    fn networks() -> Vec<Network> {
        let network = |parent| Network { state: NetworkState::Ready, ..Network::plain("net".parse().unwrap(), parent) };
        let vlan =
            Parent::Vlan { name: "eth1.10".parse().unwrap(), on: "eth1".parse().unwrap(), id: "10".parse().unwrap() };
        vec![network(Parent::Link("eth0".parse().unwrap())), network(vlan)]
    }

    /// Which of these changes concern networks on `eth0` and `eth1.10`, where `eth0` has index 2.
    fn check(changes: Vec<Change>) -> Vec<bool> {
        let known = [link(1, "lo"), link(2, "eth0"), link(3, "docker0")];
        let links = known.into_iter().map(|link| (link.index, link)).collect();
        let mut watch = Watch { kernel: kernel::Watch::begin().unwrap(), links };
        changes.into_iter().map(|change| watch.concerns(&change, &networks())).collect()
    }

    #[test]
    fn parents_matter_when_something_is_different() {
        let down = Link { up: false, ..link(2, "eth0") };
        let changes = vec![
            Change::Link(link(2, "eth0")),
            Change::Link(down.clone()),
            Change::Link(down),
            Change::Link(Link { mtu: 1400, ..link(2, "eth0") }),
            Change::Link(link(2, "lan0")),
            Change::Link(link(2, "eth0")),
            Change::LinkGone(link(2, "eth0")),
            Change::Link(link(7, "eth1")),
            Change::LinkGone(link(8, "eth1.10")),
        ];
        assert_eq!(check(changes), [false, true, false, true, true, true, true, true, true]);
    }

    #[test]
    fn slaves_matter_that_are_not_ours_or_show_another_port() {
        let l3 = PortSettings { mode: model::Mode::L3, ..PortSettings::default() };
        let changes = vec![
            Change::Link(slave(9, "ipldebb9e424cbb", PortSettings::default())),
            Change::Link(slave(9, "ipldebb9e424cbb", l3)),
            Change::Link(slave(10, "other0", PortSettings::default())),
        ];
        assert_eq!(check(changes), [false, true, true]);
    }

    #[test]
    fn links_of_others_do_not_matter() {
        let changes = vec![
            Change::Link(link(11, "veth0")),
            Change::LinkGone(link(11, "veth0")),
            Change::Link(Link { mtu: 1400, ..link(3, "docker0") }),
            Change::NamespaceGone,
            Change::Lost,
        ];
        assert_eq!(check(changes), [false, false, false, true, true]);
    }
}
