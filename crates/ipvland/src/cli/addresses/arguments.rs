//! What may be typed about addresses.

use std::net::IpAddr;

use clap::{Args, Subcommand};
use model::{EndpointName, Segment};

use crate::cli::arguments::OutputArgument;
use crate::cli::names::EngineSockets;

/// Commands on addresses.
#[derive(Subcommand)]
pub(crate) enum AddressCommand {
    /// List the addresses that are not free, and how full the pools are
    ///
    /// Every address that the ledger knows of: those of containers, whoever dealt them, gateways, auxiliary addresses,
    /// what is reserved for a name, what others on this host have, and what was found on the wire. FRONTEND is who made the
    /// endpoint: docker, cni, netavark (Podman) or shell. A pool is what the ledger deals from, for example of
    /// `docker network create --ipam-driver ipvland` or `ipvland network create`; what others have in its range counts as
    /// taken.
    #[command(after_long_help = "\
Examples:
  ipvland addresses
  ipvland addresses --output json | jq '.pools[] | {range, free}'")]
    Addresses {
        #[command(flatten)]
        engines: EngineSockets,
        #[command(flatten)]
        output: OutputArgument,
    },
    /// Tell who has an address
    ///
    /// The ledger is asked first: container, network, since when. Where it knows of no container, the wires of the
    /// networks that the address could be on are asked, and whoever answers is named by its MAC.
    #[command(after_long_help = "\
Examples:
  ipvland who-has 192.168.1.7
  ipvland who-has 192.168.1.7 --segment cellar --output json

Exit status:
  0  somebody has it
  1  it could not be found out
  3  nobody has it")]
    WhoHas {
        /// The address
        address: IpAddr,
        /// In this segment only
        #[arg(long, value_name = "NAME")]
        segment: Option<Segment>,
        #[command(flatten)]
        engines: EngineSockets,
        #[command(flatten)]
        output: OutputArgument,
    },
    /// Reserve an address for a container by its name
    ///
    /// The container that comes with that name gets it, from a pool of ipvland's; nobody else does. Podman, `ipvland attach`
    /// and Docker 29 or newer tell the name; with an older Docker it is got by `--ip`. What has the address now keeps it
    /// while it lives. A reservation outlives its network.
    #[command(after_long_help = "\
Examples:
  ipvland reserve db 192.168.1.7
  docker run --name db --net lan alpine    # with Docker 29
  docker run --name db --net lan --ip 192.168.1.7 alpine
  ipvland attach lan --netns db")]
    Reserve {
        /// What the container is called
        name: EndpointName,
        /// The address
        address: IpAddr,
        #[command(flatten)]
        segment: SegmentArgument,
    },
    /// Take a reservation back
    #[command(after_long_help = "\
Examples:
  ipvland unreserve 192.168.1.7")]
    Unreserve {
        /// The address
        address: IpAddr,
        #[command(flatten)]
        segment: SegmentArgument,
    },
}

/// Where an address is meant.
#[derive(Args)]
pub(crate) struct SegmentArgument {
    /// The broadcast domain of the address, as `-o segment=` of its network says
    #[arg(long, default_value = "default", value_name = "NAME")]
    pub(super) segment: Segment,
}
