//! How the kernel says no, and what that means.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use model::{InterfaceName, SandboxKey, SandboxRoute, VlanId};

/// Why the kernel could not be read or changed. ipvlan itself gives an error number and no reason, so the reasons
/// here are read from its source.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// The kind of link is unknown and no module brings it: EOPNOTSUPP from `rtnl_newlink()`, `net/core/rtnetlink.c`.
    #[error("this kernel has no `{kind}` links, and no module that brings them")]
    NoModule {
        /// The kind, which is also the module's name.
        kind: &'static str,
    },
    /// ipvlan was built without l3s: ENOTSUPP from `ipvlan_l3s_register()`, `drivers/net/ipvlan/ipvlan.h`.
    #[error("this kernel's ipvlan was built without the mode l3s")]
    NoL3s,
    /// Something else has the parent's receive path: EBUSY from `netdev_rx_handler_register()`, `net/core/dev.c`.
    #[error("parent `{parent}` is in use by a bridge, a bond, a team or macvlan")]
    Busy {
        /// The parent.
        parent: InterfaceName,
    },
    /// The kernel will not put the link on this parent (EINVAL without a word), such as ipvlan on what is not
    /// Ethernet: `ipvlan_link_new()`, `drivers/net/ipvlan/ipvlan_main.c`.
    #[error("`{parent}` is no link that the kernel will put another on")]
    NotSuitable {
        /// The parent.
        parent: InterfaceName,
    },
    /// The name is taken (EEXIST).
    #[error("there is a link `{name}` already")]
    NameTaken {
        /// The name.
        name: InterfaceName,
    },
    /// The name is taken where the link is moved to (EEXIST).
    #[error("the container has an interface `{name}` already, in {sandbox}")]
    NameTakenInSandbox {
        /// The name.
        name: InterfaceName,
        /// The sandbox.
        sandbox: SandboxKey,
    },
    /// The tag is taken, by a VLAN link of another name: EEXIST from `vlan_check_real_dev()`, `net/8021q/vlan.c`.
    #[error("there is a link for VLAN {id} on `{on}` already, under another name")]
    VlanTaken {
        /// The link below.
        on: InterfaceName,
        /// The tag.
        id: VlanId,
    },
    /// The link is not there (ENODEV).
    #[error("link `{name}` is not there")]
    Gone {
        /// Its name.
        name: InterfaceName,
    },
    /// A VLAN link goes up only while the link below is: ENETDOWN from `vlan_dev_open()`, `net/8021q/vlan_dev.c`.
    #[error("`{name}` cannot be set up while the link below it is down")]
    BelowIsDown {
        /// The VLAN link.
        name: InterfaceName,
    },
    /// Another slave of the port has the address: EADDRINUSE from `ipvlan_addr4_validator_event()`,
    /// `drivers/net/ipvlan/ipvlan_main.c`.
    #[error("another slave on the same parent has the address {address}")]
    AddressInUse {
        /// The address.
        address: IpAddr,
    },
    /// The router of a route is on none of the link's subnets: EINVAL or ENETUNREACH from `fib_check_nh()`,
    /// `net/ipv4/fib_semantics.c`; EHOSTUNREACH or EINVAL from `ip6_route_check_nh()`, `net/ipv6/route.c`.
    #[error("the route {route} leads through a router that no address of the container reaches")]
    RouterOutOfReach {
        /// The route.
        route: SandboxRoute,
    },
    /// The kernel has no such setting (ENOENT).
    #[error("this kernel has no setting `{sysctl}`")]
    NoSysctl {
        /// The setting, as it was asked for.
        sysctl: String,
    },
    /// Another link has the index of the one to be deleted, or somebody renamed that. Nothing was deleted.
    #[error("link `{name}` was renamed or replaced in the meantime")]
    Replaced {
        /// The name it had.
        name: InterfaceName,
    },
    /// Not allowed (EPERM, EACCES).
    #[error("not permitted to {doing}")]
    NotPermitted {
        /// What was to be done.
        doing: String,
    },
    /// Any other refusal.
    #[error("the kernel refused to {doing}{}", behind_a_colon(.said))]
    Refused {
        /// What was to be done.
        doing: String,
        /// The kernel's sentence (extended acknowledgement), where it had one.
        said: Option<String>,
        /// The error number.
        source: io::Error,
    },
    /// Others held the port for too long.
    #[error("other operations have held the port on `{parent}` for {limit:.0?}")]
    LockTimeout {
        /// The parent.
        parent: InterfaceName,
        /// How long was waited.
        limit: Duration,
    },
    /// A text of the kernel's that is not what it should be.
    #[error("{what} is unreadable: `{text}`")]
    Unreadable {
        /// What was read.
        what: &'static str,
        /// What it said.
        text: String,
    },
    /// A file, a socket or a thread.
    #[error("could not {doing}")]
    Io {
        /// What was to be done.
        doing: String,
        /// Why not.
        source: io::Error,
    },
}

impl KernelError {
    /// What the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            KernelError::NoModule { kind } => format!(
                "`modprobe {kind}` must work; slim kernels have the module in a package of its own, such as \
                 linux-modules-extra-$(uname -r)"
            ),
            KernelError::NoL3s => "use ipvlan_mode=l3, or a kernel with CONFIG_IPVLAN_L3S".into(),
            KernelError::Busy { .. } => {
                "use the bridge, bond or team itself as the parent, or a VLAN link on top of the link (LINK.VLAN)"
                    .into()
            }
            KernelError::NotSuitable { .. } => {
                "name an Ethernet link: hardware, VLAN, bond, bridge, veth or dummy".into()
            }
            KernelError::NameTaken { name } => format!("remove it (`ip link delete {name}`), or rename it"),
            KernelError::NameTakenInSandbox { .. } => "ask for another name".into(),
            KernelError::VlanTaken { on, id } => {
                format!("pass that link's name as the parent; `ip -d link show type vlan` lists it (id {id} on {on})")
            }
            KernelError::BelowIsDown { .. } => "set the link below up first: `ip link set LINK up`".into(),
            KernelError::AddressInUse { .. } => {
                "choose another; `ipvland status` and `ip netns` tell who else is on the parent".into()
            }
            KernelError::RouterOutOfReach { .. } => "name a router in the subnet of the container's address".into(),
            KernelError::NoSysctl { .. } => "leave it out, or load the module that brings it".into(),
            KernelError::Gone { .. } | KernelError::Replaced { .. } => {
                "try again; `ip link` tells what is there".into()
            }
            KernelError::NotPermitted { .. } => {
                "run as root, or with CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_ADMIN".into()
            }
            KernelError::LockTimeout { .. } => "try again; `lslocks` names who holds it".into(),
            KernelError::Refused { .. } | KernelError::Unreadable { .. } | KernelError::Io { .. } => {
                "the log of the daemon and `dmesg` may tell more".into()
            }
        }
    }
}

fn behind_a_colon(said: &Option<String>) -> String {
    said.as_ref().map(|text| format!(": {text}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_the_kernel_said_and_leaves_the_number_to_its_source() {
        let refused = |said: Option<&str>| KernelError::Refused {
            doing: "create dummy d0".into(),
            said: said.map(str::to_owned),
            source: io::Error::from_raw_os_error(22),
        };
        assert_eq!(refused(Some("Nope")).to_string(), "the kernel refused to create dummy d0: Nope");
        assert_eq!(refused(None).to_string(), "the kernel refused to create dummy d0");
    }
}
