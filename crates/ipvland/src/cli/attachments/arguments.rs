//! What may be typed about attachments.

use std::net::IpAddr;

use clap::{Args, Subcommand};
use model::{EndpointName, InterfaceName, NameError, SandboxKey};

use crate::cli::arguments::OutputArgument;

/// Commands on containers of no engine's.
#[derive(Subcommand)]
pub(crate) enum AttachmentCommand {
    /// Put a network namespace on a network
    ///
    /// Makes an interface in it with an address that the ledger deals, one of each family that the network has, and the
    /// network's default routes, and tells the neighbours where the addresses are. The namespace is one of `ip netns`, of a
    /// process, or of whatever keeps one as a file; it need not know of ipvland. All or nothing; done already, it is
    /// success.
    ///
    /// What was attached is off again by `ipvland detach`, or when the namespace is gone: its addresses are free then as soon
    /// as somebody needs them. Under the same name the same address is dealt again; a namespace of `ip netns` has its own.
    #[command(after_long_help = "\
Examples:
  ip netns add web
  ipvland attach lan --netns web
  ip netns exec web ping -c 1 192.168.1.1

  # A process in a namespace of its own
  unshare --net sleep infinity &
  ipvland attach lan --pid $! --name job

  # Chosen addresses, and a second network beside the first that leads nowhere else
  ipvland attach lan --netns db --ip 192.168.1.7 --ip 2001:db8::7
  ipvland attach backup --netns db --ifname bak0 --no-default-route

Exit status:
  0  attached, or was already
  1  not attached; nothing was changed")]
    Attach(AttachArguments),
    /// Take a network namespace off a network
    ///
    /// Its interface goes, and its addresses are free at once. What is not on the network is off it, and that is success.
    #[command(after_long_help = "\
Examples:
  ipvland detach lan --netns web
  ipvland detach lan --name job")]
    Detach(DetachArguments),
}

/// A namespace to be put on a network.
#[derive(Args)]
pub(crate) struct AttachArguments {
    /// A network that was made with `ipvland network create`
    pub(super) network: String,
    #[command(flatten)]
    pub(super) sandbox: SandboxArgument,
    /// An address that it is to have, once for each; the next free one of a family, where none is named
    #[arg(long, value_name = "ADDRESS")]
    pub(super) ip: Vec<IpAddr>,
    /// What the interface is called in it; the first of eth0, eth1 and so on that is free, where it is not said
    #[arg(long, value_name = "NAME")]
    pub(super) ifname: Option<InterfaceName>,
    /// What people call it; what `ip netns` calls it, where it is not said
    #[arg(long)]
    pub(super) name: Option<EndpointName>,
    /// Reach the subnets of the network and nothing behind them
    #[arg(long)]
    pub(super) no_default_route: bool,
    #[command(flatten)]
    pub(super) output: OutputArgument,
}

/// What is to be taken off a network.
#[derive(Args)]
pub(crate) struct DetachArguments {
    /// The network
    pub(super) network: String,
    #[command(flatten)]
    pub(super) what: DetachedArgument,
    #[command(flatten)]
    pub(super) output: OutputArgument,
}

/// A namespace.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SandboxArgument {
    /// A network namespace: a name of `ip netns`, or the path of a file that it is mounted on
    #[arg(long, value_name = "NAME|PATH", value_parser = Netns::read)]
    pub(super) netns: Option<Netns>,
    /// The network namespace of a process
    #[arg(long, value_name = "PID")]
    pub(super) pid: Option<u32>,
}

/// A namespace, or what people call it.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct DetachedArgument {
    /// A network namespace: a name of `ip netns`, or the path of a file that it is, or was, mounted on
    #[arg(long, value_name = "NAME|PATH", value_parser = Netns::read)]
    pub(super) netns: Option<Netns>,
    /// The network namespace of a process
    #[arg(long, value_name = "PID")]
    pub(super) pid: Option<u32>,
    /// What people call it
    #[arg(long)]
    pub(super) name: Option<EndpointName>,
}

/// A namespace that is kept as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Netns {
    /// Where it is.
    pub(super) key: SandboxKey,
    /// What `ip netns` calls it, if it has it from there.
    pub(super) name: Option<EndpointName>,
}

/// Where `ip netns` keeps them (`NETNS_RUN_DIR` in iproute2's `include/namespace.h`).
const FOLDER: &str = "/run/netns";

impl Netns {
    fn read(text: &str) -> Result<Self, NameError> {
        let path = if text.contains('/') { text.to_owned() } else { format!("{FOLDER}/{text}") };
        let name = path.strip_prefix(FOLDER).and_then(|rest| rest.strip_prefix('/'));
        let name = name.filter(|name| !name.contains('/')).map(str::parse).transpose()?;
        Ok(Self { key: path.parse()?, name })
    }
}

/// The namespace of a process.
pub(super) fn of_process(pid: u32) -> SandboxKey {
    format!("/proc/{pid}/ns/net").parse().expect("it is an absolute path")
}

impl SandboxArgument {
    /// Where it is, and what it is called where it has a name.
    pub(super) fn place(&self) -> (SandboxKey, Option<EndpointName>) {
        match (&self.netns, self.pid) {
            (Some(netns), _) => (netns.key.clone(), netns.name.clone()),
            (None, pid) => (of_process(pid.expect("one of the two is required")), None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_is_one_of_ip_netns() {
        let read = |text: &str| {
            let netns = Netns::read(text).map_err(|error| error.to_string())?;
            Ok::<_, String>((netns.key.to_string(), netns.name.map(|name| name.to_string())))
        };
        assert_eq!(read("web"), Ok(("/run/netns/web".into(), Some("web".into()))));
        assert_eq!(read("/run/netns/web"), Ok(("/run/netns/web".into(), Some("web".into()))));
        assert_eq!(read("/var/lib/jails/web.net"), Ok(("/var/lib/jails/web.net".into(), None)));
        assert!(read("jails/web").unwrap_err().contains("the absolute path of a network namespace was expected"));
        assert!(read("").unwrap_err().contains("no name"));
    }
}
