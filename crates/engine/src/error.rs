//! What can go wrong, each with what to do about it.

use std::net::IpAddr;

use kernel::KernelError;
use model::{
    EndpointId, Family, Holder, InterfaceName, MacAddress, Mtu, NetworkId, ParentFault, Pool, PoolError, PortSettings,
    SandboxKey, Segment, SegmentName, TooOld,
};
use store::StoreError;

/// Why the engine did not do what was asked. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The ledger.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The kernel.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The kernel lacks the mode or flag.
    #[error(transparent)]
    TooOld(#[from] TooOld),
    /// The parent will not do.
    #[error(transparent)]
    Parent(#[from] ParentFault),
    /// Somebody else's slave holds the port in another mode or with another flag.
    #[error("parent `{parent}` is held by {holder}, which keeps it {held}; {wanted} was asked for and would flip it", held = holder.settings)]
    PortHeld {
        /// The parent.
        parent: InterfaceName,
        /// The other's slave.
        holder: Holder,
        /// What was asked for.
        wanted: PortSettings,
    },
    /// The port is not as the network's record says.
    #[error("the port on `{parent}` was switched to {found} by somebody else; network {network} needs {wanted}", network = network.short())]
    PortFlipped {
        /// The parent.
        parent: InterfaceName,
        /// What the kernel shows.
        found: PortSettings,
        /// What the network needs.
        wanted: PortSettings,
        /// The network.
        network: NetworkId,
    },
    /// The parent of an existing network is not there.
    #[error("parent `{parent}` of network {network} is not there", network = network.short())]
    ParentGone {
        /// The parent.
        parent: InterfaceName,
        /// The network.
        network: NetworkId,
    },
    /// A wish for a larger MTU than the parent's: the kernel would take it and lose packets.
    #[error("an MTU of {wanted} is more than the {available} of parent `{parent}`")]
    MtuTooLarge {
        /// What was asked for.
        wanted: Mtu,
        /// The parent's.
        available: u32,
        /// The parent.
        parent: InterfaceName,
    },
    /// Too small an MTU for IPv6.
    #[error("an MTU of {0} is too small for an IPv6 subnet, which needs {min}", min = Mtu::IPV6_MIN)]
    MtuTooSmall(Mtu),
    /// A segment was named for a network that is one by itself.
    #[error("segment `{0}` was asked for, and a network without a parent, or with `--internal`, is one by itself")]
    SegmentOfIsolated(SegmentName),
    /// The network is in one segment and its pool in another.
    #[error("the network is in segment `{network}` and its addresses are dealt in segment `{pool}`")]
    SegmentDiffers {
        /// The network's.
        network: Segment,
        /// The pool's.
        pool: Segment,
    },
    /// There is no such pool.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// Nothing says which addresses there are.
    #[error("addresses of {0} are to be dealt, and neither a subnet nor a parent is named")]
    NoSubnet(Family),
    /// A part of a subnet that is not known.
    #[error("a range is named and no subnet")]
    RangeWithoutSubnet,
    /// The parent has no address that would tell its subnet.
    #[error("parent `{parent}` has no address of {family} with a subnet around it")]
    NoSubnetOn {
        /// The parent.
        parent: InterfaceName,
        /// The family.
        family: Family,
    },
    /// Somebody on the wire has the address.
    #[error("address {address} is in use on the wire, by {mac}")]
    OnTheWire {
        /// The address.
        address: IpAddr,
        /// Whose it is.
        mac: MacAddress,
    },
    /// Whatever is tried is in use on the wire.
    #[error("{tried} addresses of {range} were tried, and all are in use on the wire, the last by {mac}", range = pool.range())]
    CrowdedWire {
        /// The pool.
        pool: Box<Pool>,
        /// How many.
        tried: u32,
        /// Whose the last one is.
        mac: MacAddress,
    },
    /// Nobody has reserved the address.
    #[error("address {0} is not reserved for a name")]
    NotReserved(IpAddr),
    /// The network exists with other content.
    #[error("network {id} exists and is not what is asked for now", id = .0.short())]
    NetworkDiffers(NetworkId),
    /// No such network.
    #[error("there is no network {0}")]
    NoNetwork(String),
    /// More than one network fits the abbreviation.
    #[error("more than one network's id begins with {0}")]
    Ambiguous(String),
    /// Endpoints of it live.
    #[error("network {network} is in use: {count} of its endpoints live, {example} among them", network = network.short(), example = example.short())]
    NetworkInUse {
        /// The network.
        network: NetworkId,
        /// How many.
        count: usize,
        /// One of them.
        example: EndpointId,
    },
    /// The endpoint exists with other content.
    #[error("endpoint {id} exists and is not what is asked for now", id = .0.short())]
    EndpointDiffers(EndpointId),
    /// No such endpoint.
    #[error("there is no endpoint {id}", id = .0.short())]
    NoEndpoint(EndpointId),
    /// The host itself has the address on the parent; the kernel would let the container take it away.
    #[error("address {address} belongs to this host, on `{parent}`")]
    HostAddress {
        /// The address.
        address: IpAddr,
        /// The parent.
        parent: InterfaceName,
    },
    /// A slave is to be set up in a sandbox that is not there.
    #[error("there is no network namespace at {0}")]
    NoSandbox(SandboxKey),
    /// A container without its namespace.
    #[error("there is no network namespace at {0}")]
    SandboxGone(SandboxKey),
    /// Nothing says which link the containers are to be on.
    #[error("no parent is named, and this host has no default route that would tell one")]
    NoWayOut,
    /// A link that was to be made is not there, and the kernel did not say why.
    #[error("the link for {0} was made and is not there: somebody else works on the same links")]
    Vanished(String),
}

impl EngineError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            EngineError::Store(error @ StoreError::PortHeld { .. }) => error.hint(),
            EngineError::Store(error) => error.hint(),
            EngineError::Kernel(error) => error.hint(),
            EngineError::TooOld(_) => "run a newer kernel, or leave the option out".into(),
            EngineError::Parent(fault) => fault.hint(),
            EngineError::PortHeld { holder, .. } => format!(
                "ask for ipvlan_mode={} and ipvlan_flag={}, remove that link, or use another parent",
                holder.settings.mode, holder.settings.flag
            ),
            EngineError::PortFlipped { .. } => {
                "stop whoever made the other slaves, then all containers on this parent, and start them again".into()
            }
            EngineError::ParentGone { parent, .. } => format!("bring `{parent}` back, or remove the network"),
            EngineError::MtuTooLarge { available, .. } => format!("ask for at most {available}, or leave it out"),
            EngineError::MtuTooSmall(_) => format!("ask for {} or more", Mtu::IPV6_MIN),
            EngineError::SegmentOfIsolated(_) => "leave the segment out, or name a parent".into(),
            EngineError::SegmentDiffers { .. } => {
                "pass the same name twice, as `-o segment=` and as `--ipam-opt segment=`".into()
            }
            EngineError::Pool(PoolError::RangeOutside { .. } | PoolError::Barren(_)) => "pass another part of the subnet".into(),
            EngineError::Pool(PoolError::TooManyExcluded) => {
                "put some of the excluded ranges together, or pass a range that begins and ends where a prefix does".into()
            }
            EngineError::Pool(PoolError::NotAPool(_)) => "remove the network and create it again".into(),
            EngineError::NoSubnet(_) => {
                "pass --subnet, or `--ipam-opt parent=IFACE` to take the subnet of that link's own address".into()
            }
            EngineError::RangeWithoutSubnet => "pass --subnet too".into(),
            EngineError::NoSubnetOn { .. } => "pass --subnet, or name a link that has such an address".into(),
            EngineError::OnTheWire { .. } => {
                "choose another; what is not to be dealt is for the option `exclude`, which does not ask the wire".into()
            }
            EngineError::CrowdedWire { .. } => {
                "try again, which goes on behind these; keep what others deal out of it with the option `exclude` (FIRST-LAST)"
                    .into()
            }
            EngineError::NotReserved(_) => "`ipvland addresses` lists what is".into(),
            EngineError::NetworkDiffers(_) => "remove it first".into(),
            EngineError::NoNetwork(_) => "`ipvland network ls` lists those there are".into(),
            EngineError::Ambiguous(_) => "give more of the id".into(),
            EngineError::NetworkInUse { .. } => "remove the containers first".into(),
            EngineError::EndpointDiffers(_) => "remove it first".into(),
            EngineError::NoEndpoint(_) => "`ipvland status` lists those there are".into(),
            EngineError::HostAddress { address, .. } => format!(
                "choose another, and keep it from being dealt: `--aux-address host={address}` for the network, or the option `exclude`"
            ),
            EngineError::NoSandbox(_) => {
                "the container engine makes it too late for an exact interface name: leave that out, or use Docker 28 or newer"
                    .into()
            }
            EngineError::SandboxGone(_) => {
                "name the namespace of a container that runs: a file in /run/netns, or /proc/PID/ns/net".into()
            }
            EngineError::NoWayOut => "name a link that `ip link` shows".into(),
            EngineError::Vanished(_) => "try again; `ipvland status` tells what is there".into(),
        })
    }

    /// Whether the request itself was wrong, rather than the host unable.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, EngineError::Kernel(_) | EngineError::Vanished(_))
    }
}
