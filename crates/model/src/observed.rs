//! What the kernel shows, as far as ipvland cares.

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::mac::MacAddress;
use crate::name::{InterfaceName, SandboxKey};
use crate::settings::{PortSettings, VlanId};

/// A network namespace that was looked into.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The host's own namespace, where parents live.
    Host,
    /// A container's namespace.
    Sandbox(SandboxKey),
}

/// One look at the host: its own links and those of the sandboxes that were reachable and asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Links of the host namespace.
    pub host: Vec<Link>,
    /// Links of each sandbox that was there.
    pub sandboxes: BTreeMap<SandboxKey, Vec<Link>>,
}

impl Observed {
    /// The host's link of that name.
    pub fn host_link(&self, name: &InterfaceName) -> Option<&Link> {
        self.host.iter().find(|link| link.name == *name)
    }

    /// Every link seen, with its place; the host's first.
    pub fn all(&self) -> impl Iterator<Item = (Place, &Link)> {
        let host = self.host.iter().map(|link| (Place::Host, link));
        let sandboxes = self.sandboxes.iter();
        host.chain(sandboxes.flat_map(|(key, links)| links.iter().map(|link| (Place::Sandbox(key.clone()), link))))
    }
}

/// A link as the kernel reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its index, unique in its namespace only.
    pub index: u32,
    /// Its name, unique in its namespace only.
    pub name: InterfaceName,
    /// `ifalias`, where it has one.
    pub alias: Option<String>,
    /// What kind of link it is.
    pub kind: Kind,
    /// What it carries.
    pub layer: Layer,
    /// Index, in the host namespace, of the link it sits on. `None` when it sits on none or on one elsewhere.
    pub on: Option<u32>,
    /// Index of the bridge, bond or team it is a member of.
    pub master: Option<u32>,
    /// Administratively up.
    pub up: bool,
    /// Maximum transmission unit in bytes.
    pub mtu: u32,
    /// Hardware address, where it has an Ethernet one.
    pub mac: Option<MacAddress>,
    /// Addresses on it, each with the length of its prefix.
    pub addresses: Vec<IpNet>,
}

/// The kinds of links that are told apart (`IFLA_INFO_KIND`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// An ipvlan (or ipvtap) link; it shows the settings of its port.
    Slave(PortSettings),
    /// A dummy.
    Dummy,
    /// An 802.1Q link.
    Vlan(VlanId),
    /// Any other, by the kernel's word for it; empty for hardware.
    Other(String),
}

impl Kind {
    /// A macvlan or macvtap, which is not told apart further: what counts is that no ipvlan can be beside it.
    pub fn is_macvlan(&self) -> bool {
        matches!(self, Kind::Other(word) if word == "macvlan" || word == "macvtap")
    }

    /// What puts whoever has it on the wire of the link below, in the kernel's word: `ipvlan` or `macvlan`, their taps
    /// among them. `None` for any other.
    pub fn on_the_wire(&self) -> Option<&'static str> {
        match self {
            Kind::Slave(_) => Some("ipvlan"),
            // One in a mode still to be invented.
            Kind::Other(word) if word == "ipvlan" || word == "ipvtap" => Some("ipvlan"),
            _ => self.is_macvlan().then_some("macvlan"),
        }
    }
}

/// What a link carries (`ARPHRD_*` in `include/uapi/linux/if_arp.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// Ethernet frames, which ipvlan needs.
    Ethernet,
    /// The loopback.
    Loopback,
    /// Anything else: tunnels, PPP, InfiniBand.
    Other,
}
