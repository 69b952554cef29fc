//! Networks: what every endpoint on one has in common.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;

use crate::announcements::Announcements;
use crate::endpoint::Addresses;
use crate::family::Family;
use crate::frontend::Frontend;
use crate::name::{NameError, NetworkId, SegmentName};
use crate::parent::Parent;
use crate::pool::Pool;
use crate::settings::{Mode, Mtu, PortSettings};

/// A network as its record says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Its identity.
    pub id: NetworkId,
    /// Who asked for it.
    pub frontend: Frontend,
    /// The link that carries it. A dummy makes it an isolated network.
    pub parent: Parent,
    /// Mode and flag of the port it needs.
    pub settings: PortSettings,
    /// The MTU of its slaves; the parent's where it is not given.
    pub mtu: Option<Mtu>,
    /// How the addresses of its containers are announced.
    pub announcements: Announcements,
    /// Its subnets, of both families.
    pub subnets: Vec<Subnet>,
    /// Addresses that its containers do not get, as the user said when it was made.
    pub auxiliary: Vec<IpAddr>,
    /// Who deals its addresses.
    pub ipam: Ipam,
    /// The pools that they are dealt from, where its frontend has nobody else to remember them.
    pub pools: Vec<Pool>,
    /// What the broadcast domain of its parent is called.
    pub segment_name: SegmentName,
    /// Whether the record says all that it was made with. One that was found again by its slaves does so once its engine
    /// has told of it.
    pub complete: bool,
    /// How far its creation or removal has come.
    pub state: NetworkState,
}

/// Who deals the addresses of a network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ipam {
    /// The container engine, by its own means; the ledger hears of it when an endpoint is made.
    #[default]
    Engine,
    /// The ledger.
    Ledger,
}

/// How far a network's record and the kernel have come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkState {
    /// Recorded; its parent is being made and tried. Found by repair, it is undone.
    Creating,
    /// In use.
    Ready,
    /// To be removed. Found by repair, it is finished.
    Deleting,
}

/// A range of addresses with its gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    pool: IpNet,
    gateway: Option<IpAddr>,
}

/// Gateway and pool of a subnet are of two families.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("gateway {gateway} and subnet {pool} are of different families")]
pub struct MixedFamilies {
    pool: IpNet,
    gateway: IpAddr,
}

impl Subnet {
    /// A subnet; bits of `pool` behind its prefix are dropped.
    ///
    /// # Errors
    /// [`MixedFamilies`], when one is IPv4 and the other IPv6.
    pub fn new(pool: IpNet, gateway: Option<IpAddr>) -> Result<Self, MixedFamilies> {
        let pool = pool.trunc();
        match gateway {
            Some(gateway) if gateway.is_ipv4() != pool.addr().is_ipv4() => Err(MixedFamilies { pool, gateway }),
            _ => Ok(Self { pool, gateway }),
        }
    }

    /// The range.
    pub fn pool(&self) -> IpNet {
        self.pool
    }

    /// The gateway that the engine's address management names.
    pub fn gateway(&self) -> Option<IpAddr> {
        self.gateway
    }
}

/// A broadcast domain, in which an address is held once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// One that parents of the host belong to; all of them to the one, unless the user says otherwise.
    Shared(SegmentName),
    /// The one that an isolated network is by itself.
    Isolated(NetworkId),
}

impl Default for Segment {
    fn default() -> Self {
        Segment::Shared(SegmentName::default())
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Segment::Shared(name) => name.fmt(f),
            Segment::Isolated(network) => write!(f, "isolated:{network}"),
        }
    }
}

impl FromStr for Segment {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.strip_prefix("isolated:") {
            Some(network) => network.parse().map(Segment::Isolated),
            None => text.parse().map(Segment::Shared),
        }
    }
}

/// Where an endpoint's traffic of one family goes by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route<A> {
    /// Nowhere.
    None,
    /// To a router on the wire.
    Gateway(A),
    /// Out of the interface itself: the kernel routes it in the parent's namespace.
    Interface,
}

/// The default routes of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Routes {
    /// For IPv4.
    pub v4: Route<Ipv4Addr>,
    /// For IPv6.
    pub v6: Route<Ipv6Addr>,
}

impl Network {
    /// A network with nothing special about it, still to be made.
    pub fn plain(id: NetworkId, parent: Parent) -> Self {
        Self {
            id,
            frontend: Frontend::default(),
            parent,
            settings: PortSettings::default(),
            mtu: None,
            announcements: Announcements::default(),
            subnets: Vec::new(),
            auxiliary: Vec::new(),
            ipam: Ipam::default(),
            pools: Vec::new(),
            segment_name: SegmentName::default(),
            complete: true,
            state: NetworkState::Creating,
        }
    }

    /// Whether the network reaches nothing but itself.
    pub fn isolated(&self) -> bool {
        matches!(self.parent, Parent::Dummy(_))
    }

    /// The segment its addresses belong to. What the ledger deals for an isolated network is dealt from a pool, which does
    /// not know that.
    pub fn segment(&self) -> Segment {
        match self.ipam {
            Ipam::Engine if self.isolated() => Segment::Isolated(self.id.clone()),
            Ipam::Engine | Ipam::Ledger => Segment::Shared(self.segment_name.clone()),
        }
    }

    /// How addresses on it are announced; `None` where nobody would listen: in l3 and l3s neighbours see a route and no
    /// address, and nobody else is on the wire of an isolated network.
    pub fn announced(&self) -> Option<Announcements> {
        let listened_to = self.settings.mode == Mode::L2 && !self.isolated() && self.announcements.count() > 0;
        listened_to.then_some(self.announcements)
    }

    /// Where traffic of an endpoint with these addresses goes by default.
    ///
    /// In l2 that is the gateway of the subnet the first address is from that has one; in l3 and l3s it is the interface, and gateways
    /// are ignored. An isolated network has no default route.
    pub fn routes(&self, addresses: &Addresses) -> Routes {
        let none = Routes { v4: Route::None, v6: Route::None };
        if self.isolated() {
            return none;
        }
        if self.settings.mode != Mode::L2 {
            return Routes {
                v4: if addresses.has(Family::V4) { Route::Interface } else { Route::None },
                v6: if addresses.has(Family::V6) { Route::Interface } else { Route::None },
            };
        }
        addresses.iter().filter_map(|address| self.gateway_for(address.addr())).fold(none, |routes, gateway| {
            match gateway {
                IpAddr::V4(gateway) if routes.v4 == Route::None => Routes { v4: Route::Gateway(gateway), ..routes },
                IpAddr::V6(gateway) if routes.v6 == Route::None => Routes { v6: Route::Gateway(gateway), ..routes },
                _ => routes,
            }
        })
    }

    fn gateway_for(&self, address: IpAddr) -> Option<IpAddr> {
        // The longest prefix wins where subnets overlap.
        let holding = self.subnets.iter().filter(|subnet| subnet.pool.contains(&address));
        holding.max_by_key(|subnet| subnet.pool.prefix_len())?.gateway
    }

    /// Whether another record asks for the same network, however far either has come.
    pub fn same_as(&self, other: &Network) -> bool {
        let stated = |network: &Network| Network { state: NetworkState::Ready, complete: true, ..network.clone() };
        stated(self) == stated(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(pool: &str, gateway: Option<&str>) -> Subnet {
        Subnet::new(pool.parse().unwrap(), gateway.map(|g| g.parse().unwrap())).unwrap()
    }

    fn network(mode: Mode, parent: Parent) -> Network {
        Network {
            settings: PortSettings { mode, ..PortSettings::default() },
            subnets: vec![
                subnet("192.168.1.0/24", Some("192.168.1.1")),
                subnet("192.168.2.0/24", Some("192.168.2.254")),
                subnet("2001:db8:1::/64", Some("2001:db8:1::1")),
            ],
            ..Network::plain("n".parse().unwrap(), parent)
        }
    }

    fn addresses(text: &str) -> Addresses {
        text.parse().unwrap()
    }

    #[test]
    fn l2_takes_the_gateway_of_the_addresss_own_subnet() {
        let network = network(Mode::L2, Parent::Link("eth0".parse().unwrap()));
        let routes = network.routes(&addresses("192.168.2.7/24 192.168.1.7/24 2001:db8:1::7/64"));
        assert_eq!(routes.v4, Route::Gateway("192.168.2.254".parse().unwrap()));
        assert_eq!(routes.v6, Route::Gateway("2001:db8:1::1".parse().unwrap()));
        assert_eq!(network.routes(&addresses("192.168.1.9/24")).v6, Route::None);
        assert_eq!(network.routes(&addresses("10.0.0.1/8")).v4, Route::None);
    }

    #[test]
    fn l3_and_l3s_route_out_of_the_interface_for_the_families_in_use() {
        for mode in [Mode::L3, Mode::L3s] {
            let network = network(mode, Parent::Link("eth0".parse().unwrap()));
            let routes = network.routes(&addresses("192.168.1.7/24"));
            assert_eq!(routes, Routes { v4: Route::Interface, v6: Route::None });
        }
    }

    #[test]
    fn an_isolated_network_has_no_default_route_and_a_segment_of_its_own() {
        let network = network(Mode::L3, Parent::dummy_for(&"n".parse().unwrap()));
        let routes = network.routes(&addresses("192.168.1.7/24 2001:db8:1::7/64"));
        assert_eq!(routes, Routes { v4: Route::None, v6: Route::None });
        assert_eq!(network.segment().to_string(), "isolated:n");
    }

    #[test]
    fn a_segment_is_the_hosts_or_the_one_that_was_named() {
        let eth0 = network(Mode::L2, Parent::Link("eth0".parse().unwrap()));
        assert_eq!(eth0.segment(), Segment::default());
        assert_eq!(eth0.segment().to_string(), "default");
        let cellar = Network { segment_name: "cellar".parse().unwrap(), ..eth0 };
        assert_eq!(cellar.segment().to_string(), "cellar");
        let isolated = Network { parent: Parent::dummy_for(&cellar.id), ..cellar };
        assert_eq!(isolated.segment().to_string(), "isolated:n");
        assert_eq!("isolated:n".parse::<Segment>().unwrap(), isolated.segment());
        let dealt = Network { ipam: Ipam::Ledger, ..isolated };
        assert_eq!(dealt.segment().to_string(), "cellar", "as its pool is");
    }

    #[test]
    fn families_do_not_mix() {
        let pool = "192.168.1.0/24".parse().unwrap();
        assert!(Subnet::new(pool, Some("2001:db8::1".parse().unwrap())).is_err());
    }
}
