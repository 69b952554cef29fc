//! What may be typed about networks.

use std::net::IpAddr;

use clap::{Args, Subcommand};
use ipnet::IpNet;
use model::NetworkId;

use crate::cli::arguments::{Output, OutputArgument};
use crate::cli::names::EngineSockets;

/// What is to be done with networks.
#[derive(Subcommand)]
pub(crate) enum NetworkCommand {
    /// Make a network, for containers that no engine puts on it
    ///
    /// The flags are those of `docker network create`, and so are their meanings; the ledger deals the addresses. Without
    /// --subnet the network is on the subnet of the parent's own address, with the router that the host goes by. Made
    /// already with the same flags, it is there, and that is success.
    ///
    /// Networks of Docker, Podman and CNI are made by these, and may be on the same parent and the same subnet: no address is
    /// dealt twice.
    #[command(after_long_help = "\
Examples:
  # On the wire of eth0, with its subnet and router
  ipvland network create lan -o parent=eth0

  # On VLAN 10, whose link is made for it, of both families; a part of the subnet is dealt, and one address is not
  ipvland network create lan10 -o parent=eth0.10 --subnet 192.168.10.0/24 --gateway 192.168.10.1 \\
      --ip-range 192.168.10.128/25 --aux-address printer=192.168.10.200 --subnet 2001:db8:10::/64

  # Routed by the host; others need a route to the subnet
  ipvland network create routed -o parent=eth0 -o ipvlan_mode=l3 --subnet 10.9.0.0/24

  # One that reaches nothing but itself
  ipvland network create apart --internal --subnet 10.8.0.0/24

Options of -o:
  parent        a link, or LINK.VLAN; without one the network reaches nothing but itself
  ipvlan_mode   l2 (default), l3, l3s
  ipvlan_flag   bridge (default), private, vepa
  segment       the broadcast domain, where VLANs reuse a subnet
  com.docker.network.driver.mtu
                bytes, at most the parent's
  com.docker.network.advertise_addr_nmsgs
                0, and neighbours are not told where the addresses are

Options of --ipam-opt:
  parent        whose subnet and router are taken, where it is not the network's
  exclude       ADDRESS, FIRST-LAST or ADDRESS/LENGTH, with commas: never dealt
  probe         a time up to 2s: before an address is dealt, the wire is asked for so long
  quarantine    a time up to a year: how long an address that came back is not dealt to somebody else")]
    Create(CreateArguments),
    /// Remove networks that were made with `ipvland network create`
    ///
    /// A network goes when nothing is attached to it any more. Those of Docker are removed by `docker network rm`, those of
    /// Podman and CNI go with their last container.
    #[command(
        visible_alias = "remove",
        after_long_help = "\
Examples:
  ipvland network rm lan
  ipvland network rm lan10 routed apart

Exit status:
  0  all of them are gone
  1  some are not; a sentence on stderr says why, for each"
    )]
    Rm {
        /// Its name, once for each
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        #[command(flatten)]
        output: OutputArgument,
    },
    /// List networks
    ///
    /// Those that ipvland knows, whoever made them: FRONTEND is docker, cni, netavark (Podman) or shell. Docker and Podman do
    /// not tell ipvland what they call a network; NAME is what they answer when they are asked now.
    #[command(
        visible_alias = "list",
        after_long_help = "\
Examples:
  ipvland network ls
  ipvland network ls --output json | jq '.[] | select(.frontend == \"shell\") | .id'"
    )]
    Ls {
        #[command(flatten)]
        engines: EngineSockets,
        #[command(flatten)]
        output: OutputArgument,
    },
    /// Show one network and its endpoints
    #[command(after_long_help = "\
Examples:
  ipvland network inspect lan
  ipvland network inspect \"$(docker network inspect --format '{{.Id}}' lan)\"")]
    Inspect {
        /// The network's id, or the beginning of it
        id: String,
        #[command(flatten)]
        engines: EngineSockets,
        #[command(flatten)]
        output: OutputArgument,
    },
    /// Forget a network that Docker no longer knows
    ///
    /// Removes its record, its dead endpoints and the link that was made for it. Docker does not tell the driver of a
    /// `docker network rm` while the daemon is down; this is the way to catch up. Refused while endpoints on it live.
    #[command(after_long_help = "\
Examples:
  docker network ls --no-trunc --filter driver=ipvland    # what Docker knows
  ipvland network ls                                      # what is on record here
  ipvland network forget 3f2a")]
    Forget {
        /// The network's id, or the beginning of it
        id: String,
        #[command(flatten)]
        output: OutputArgument,
    },
}

/// A network to be made.
#[derive(Args)]
pub(crate) struct CreateArguments {
    /// What it is called: letters, digits, `_`, `-` and `.`
    pub(super) name: NetworkId,
    /// A subnet of it, once for each; the one that the parent has an address in, where there is none
    #[arg(long, value_delimiter = ',')]
    pub(super) subnet: Vec<IpNet>,
    /// The router of a subnet, at most one for each; where there is none, the parent's if the subnet is taken from it, else in
    /// l2 the first free address
    #[arg(long, value_delimiter = ',', value_name = "ADDRESS")]
    pub(super) gateway: Vec<IpAddr>,
    /// The part of a subnet that addresses are dealt from, at most one for each
    #[arg(long, value_delimiter = ',', value_name = "RANGE")]
    pub(super) ip_range: Vec<IpNet>,
    /// An address that is somebody else's, and what for; once for each
    #[arg(long, value_delimiter = ',', value_name = "NAME=ADDRESS", value_parser = auxiliary)]
    pub(super) aux_address: Vec<IpAddr>,
    /// Reach nothing but itself, whatever the parent
    #[arg(long)]
    pub(super) internal: bool,
    /// Have IPv6 as well, of the parent's subnet where none is named
    #[arg(long)]
    pub(super) ipv6: bool,
    /// An option of the network, once for each
    #[arg(long = "opt", short = 'o', value_name = "KEY=VALUE", value_parser = pair)]
    pub(super) options: Vec<(String, String)>,
    /// An option of how addresses are dealt, once for each
    #[arg(long = "ipam-opt", value_name = "KEY=VALUE", value_parser = pair)]
    pub(super) ipam_options: Vec<(String, String)>,
    // Without a short form, which is Docker's for options here.
    /// A table for people, or JSON for machines
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(super) output: Output,
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("KEY=VALUE was expected")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// The name is for whoever reads the command later.
fn auxiliary(text: &str) -> Result<IpAddr, &'static str> {
    let address = text.split_once('=').map(|(_, address)| address);
    address.and_then(|address| address.parse().ok()).ok_or("NAME=ADDRESS was expected")
}
