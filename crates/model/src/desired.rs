//! The links that the records of a port call for.

use crate::endpoint::{Addresses, Endpoint, EndpointState};
use crate::mark::Mark;
use crate::name::{InterfaceName, SandboxKey};
use crate::network::{Network, NetworkState};
use crate::observed::{Kind, Link, Observed, Place};
use crate::parent::Parent;
use crate::sandbox_link::SandboxLink;
use crate::settings::{Mtu, PortSettings, VlanId};

/// A link that a record calls for, or calls to be gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkIntent {
    /// Which record.
    pub mark: Mark,
    /// What the link is like.
    pub shape: Shape,
    /// Whether it should be there.
    pub presence: Presence,
    /// Where else than on the host it may be.
    pub sandbox: Option<SandboxKey>,
    /// The addresses that only this slave can hold.
    pub addresses: Addresses,
    /// How it is set up in its sandbox, where that is ours to do.
    pub set_up: Option<SandboxLink>,
}

/// Whether a link should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It should.
    Present,
    /// It should be as it is meant to be for as long as it is there; gone, it is not made again.
    Kept,
    /// It should not.
    Absent,
}

/// What a link of ours is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A dummy.
    Dummy,
    /// An 802.1Q link.
    Vlan {
        /// The link below.
        on: InterfaceName,
        /// The tag.
        id: VlanId,
    },
    /// An ipvlan slave.
    Slave {
        /// The parent.
        on: InterfaceName,
        /// What its port must be set to.
        settings: PortSettings,
        /// Its MTU, where it is not the parent's.
        mtu: Option<Mtu>,
    },
}

impl LinkIntent {
    /// The slave that an endpoint calls for, or calls to be gone.
    pub fn slave_of(endpoint: &Endpoint, network: &Network, presence: Presence) -> Self {
        Self {
            mark: endpoint.mark(),
            shape: Shape::Slave { on: network.parent.name().clone(), settings: network.settings, mtu: network.mtu },
            presence,
            sandbox: endpoint.sandbox.clone(),
            addresses: endpoint.addresses.clone(),
            set_up: endpoint.set_up.clone(),
        }
    }

    /// The name the link has on the host once it is whole.
    pub fn name(&self) -> InterfaceName {
        match &self.mark {
            Mark::Parent(name) => name.clone(),
            mark => mark.birth_name(),
        }
    }

    /// The links in sight that realise this intent. Usually none or one.
    pub fn find<'o>(&self, observed: &'o Observed) -> Vec<(Place, &'o Link)> {
        observed.all().filter(|(place, link)| self.is_realised_by(place, link, observed)).collect()
    }

    /// Whether a link is ours, and this one.
    ///
    /// The kind must match wherever it is. On the host the birth name is proof, or the alias under the final name.
    /// In the sandbox that the record names, the alias is. A container can forge an alias, so anywhere else the link
    /// must also hold the endpoint's address: a port gives an address to one slave only
    /// (`ipvlan_addr_busy()` in `drivers/net/ipvlan/ipvlan_core.c`).
    fn is_realised_by(&self, place: &Place, link: &Link, observed: &Observed) -> bool {
        let below = |name: &InterfaceName| match observed.host_link(name) {
            Some(below) => link.on == Some(below.index),
            None => true, // renamed, or gone and its index free for others: the other signs must do
        };
        let kind = match (&self.shape, &link.kind) {
            (Shape::Dummy, Kind::Dummy) => true,
            (Shape::Vlan { on, id }, Kind::Vlan(found)) => id == found && below(on),
            (Shape::Slave { on, .. }, Kind::Slave(_)) => below(on),
            _ => false,
        };
        let alias = || link.alias.as_deref() == Some(self.mark.to_string().as_str());
        let holds_address = || self.addresses.iter().any(|held| link.addresses.iter().any(|a| a.addr() == held.addr()));
        kind && match place {
            Place::Host => link.name == self.mark.birth_name() || link.name == self.name() && alias(),
            Place::Sandbox(key) if Some(key) == self.sandbox.as_ref() => alias(),
            Place::Sandbox(_) => alias() && holds_address(),
        }
    }
}

/// The links that the records of one port call for: its parent, if that is ours; its sentinel; its slaves.
///
/// The sentinel is there while a network is being tried on the port and while endpoints live on it. The slave of an
/// endpoint that is attached was made and handed over; should it be lost, another one on the host would not bring the
/// container back. Where another plugin makes the links, none is called for.
pub fn desired(networks: &[Network], endpoints: &[Endpoint]) -> Vec<LinkIntent> {
    let present_if = |condition: bool| if condition { Presence::Present } else { Presence::Absent };
    let staying = |network: &Network| network.state != NetworkState::Deleting;
    // Networks on one port agree on its settings; one that is on its way out may still disagree with its successor.
    let Some(first) = networks.iter().find(|network| staying(network)).or(networks.first()) else { return Vec::new() };
    if let Parent::Elsewhere(_) = first.parent {
        return Vec::new();
    }
    let parent = first.parent.name();
    let bare = |mark, shape, presence| {
        let (sandbox, addresses, set_up) = (None, Addresses::default(), None);
        LinkIntent { mark, shape, presence, sandbox, addresses, set_up }
    };

    let mut intents = Vec::new();
    let made = networks.iter().find_map(|network| match &network.parent {
        Parent::Link(_) | Parent::Elsewhere(_) => None,
        Parent::Dummy(_) => Some(Shape::Dummy),
        Parent::Vlan { on, id, .. } => Some(Shape::Vlan { on: on.clone(), id: *id }),
    });
    if let Some(shape) = made {
        intents.push(bare(Mark::Parent(parent.clone()), shape, present_if(networks.iter().any(staying))));
    }

    let tried = networks.iter().any(|network| network.state == NetworkState::Creating);
    let has_slave = |endpoint: &Endpoint| matches!(endpoint.state, EndpointState::Attaching | EndpointState::Attached);
    let sentinel = Shape::Slave { on: parent.clone(), settings: first.settings, mtu: None };
    let watched = tried || endpoints.iter().any(has_slave);
    intents.push(bare(Mark::Sentinel(parent.clone()), sentinel, present_if(watched)));

    for endpoint in endpoints {
        let Some(network) = networks.iter().find(|network| network.id == endpoint.network) else { continue };
        let presence = match endpoint.state {
            EndpointState::Attached => Presence::Kept,
            EndpointState::Attaching => Presence::Present,
            EndpointState::Created | EndpointState::Detaching => Presence::Absent,
        };
        intents.push(LinkIntent::slave_of(endpoint, network, presence));
    }
    intents
}
