//! What an error number means for a step.

use model::{Mode, Step};
use rustix::io::Errno;

use crate::KernelError;
use crate::netlink::Failure;
use crate::reply::Refusal;

/// ENOTSUPP of `include/linux/errno.h`, which should never leave the kernel and has no name outside it.
const ENOTSUPP: i32 = 524;

/// Explains a refusal. ipvlan gives an error number and no sentence; where the kernel has one, it stands.
pub(crate) fn explain(step: &Step, refusal: Refusal) -> KernelError {
    let errno = refusal.errno;
    let silent = refusal.said.is_none();
    let kind = match step {
        Step::CreateDummy { .. } => Some("dummy"),
        Step::CreateVlan { .. } => Some("8021q"),
        Step::CreateSlave { .. } => Some("ipvlan"),
        _ => None,
    };
    let new_name = match step {
        Step::CreateDummy { name } | Step::CreateVlan { name, .. } | Step::CreateSlave { name, .. } => Some(name),
        Step::Rename { to, .. } => Some(to),
        _ => None,
    };
    let name = match step {
        Step::SetAlias { name, .. }
        | Step::SetMtu { name, .. }
        | Step::SetUp { name, .. }
        | Step::Move { name, .. }
        | Step::AddAddress { name, .. }
        | Step::AddRoute { name, .. }
        | Step::Rename { from: name, .. } => Some(name),
        Step::CreateVlan { on, .. } | Step::CreateSlave { on, .. } => Some(on),
        _ => None,
    };
    let l3s = matches!(step, Step::CreateSlave { settings, .. } if settings.mode == Mode::L3s);
    match (kind, new_name, name) {
        (Some(kind), ..) if errno == Errno::OPNOTSUPP => KernelError::NoModule { kind },
        _ if let (Errno::ADDRINUSE, Step::AddAddress { address, .. }) = (errno, step) => {
            KernelError::AddressInUse { address: address.addr() }
        }
        _ if let (Errno::EXIST, Step::Move { to, called, .. }) = (errno, step) => {
            KernelError::NameTakenInSandbox { name: called.clone(), sandbox: to.clone() }
        }
        _ if let (Errno::HOSTUNREACH | Errno::NETUNREACH | Errno::INVAL, Step::AddRoute { route, .. }) =
            (errno, step) =>
        {
            KernelError::RouterOutOfReach { route: *route }
        }
        (_, Some(name), _) if errno == Errno::EXIST => KernelError::NameTaken { name: name.clone() },
        (.., Some(name)) if errno == Errno::NODEV => KernelError::Gone { name: name.clone() },
        (Some("ipvlan"), _, Some(on)) if errno == Errno::BUSY => KernelError::Busy { parent: on.clone() },
        (Some(_), _, Some(on)) if errno == Errno::INVAL && silent => KernelError::NotSuitable { parent: on.clone() },
        (.., Some(name)) if errno == Errno::NETDOWN => KernelError::BelowIsDown { name: name.clone() },
        _ if l3s && errno.raw_os_error() == ENOTSUPP => KernelError::NoL3s,
        _ => Failure::Refused(refusal).while_trying_to(step.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(step: &Step, errno: i32, said: Option<&str>) -> String {
        explain(step, Refusal { errno: Errno::from_raw_os_error(errno), said: said.map(str::to_owned) }).to_string()
    }

    #[test]
    fn a_slave_is_refused_for_reasons() {
        let settings = "l3s".parse().map(|mode| model::PortSettings { mode, ..Default::default() }).unwrap();
        let step =
            Step::CreateSlave { name: "ipl0".parse().unwrap(), on: "eth0".parse().unwrap(), settings, mtu: None };
        for (errno, said, sentence) in [
            (95, Some("Unknown device type"), "this kernel has no `ipvlan` links, and no module that brings them"),
            (16, None, "parent `eth0` is in use by a bridge, a bond, a team or macvlan"),
            (22, None, "`eth0` is no link that the kernel will put another on"),
            (22, Some("mtu too big"), "the kernel refused to create slave ipl0 on eth0 (l3s/bridge): mtu too big"),
            (17, None, "there is a link `ipl0` already"),
            (19, None, "link `eth0` is not there"),
            (1, None, "not permitted to create slave ipl0 on eth0 (l3s/bridge)"),
            (524, None, "this kernel's ipvlan was built without the mode l3s"),
            (12, None, "the kernel refused to create slave ipl0 on eth0 (l3s/bridge)"),
        ] {
            assert_eq!(explained(&step, errno, said), sentence, "{errno}");
        }
    }

    #[test]
    fn a_vlan_link_stays_down_with_the_link_below() {
        let step = Step::SetUp { place: model::Place::Host, name: "eth0.10".parse().unwrap() };
        assert_eq!(explained(&step, 100, None), "`eth0.10` cannot be set up while the link below it is down");
    }

    #[test]
    fn a_rename_names_the_name_that_is_in_the_way() {
        let step = Step::Rename { from: "ipl0".parse().unwrap(), to: "eth0.10".parse().unwrap() };
        assert_eq!(explained(&step, 17, None), "there is a link `eth0.10` already");
        assert_eq!(explained(&step, 19, None), "link `ipl0` is not there");
        assert_eq!(explained(&step, 16, None), "the kernel refused to rename ipl0 to eth0.10");
    }
}
