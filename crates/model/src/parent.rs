//! The parent of a network: a link of the host's, or one made for the network.

use crate::name::{InterfaceName, NetworkId, digest, is_drawn};
use crate::observed::{Kind, Layer, Link, Observed};
use crate::settings::VlanId;

/// The link that carries a network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Parent {
    /// A link that was there before; never removed.
    Link(InterfaceName),
    /// An 802.1Q link of ours, removed with the last network on it.
    Vlan {
        /// Its name, for example `eth0.10`.
        name: InterfaceName,
        /// The link below it.
        on: InterfaceName,
        /// The tag.
        id: VlanId,
    },
    /// A dummy of ours: the network reaches nothing but itself.
    Dummy(InterfaceName),
    /// None of ours: another plugin makes the links of the containers, and the ledger has their addresses. The name stands for
    /// it in locks; no link bears it.
    Elsewhere(InterfaceName),
}

impl Parent {
    /// The parent's name on the host.
    pub fn name(&self) -> &InterfaceName {
        match self {
            Parent::Link(name) | Parent::Dummy(name) | Parent::Elsewhere(name) | Parent::Vlan { name, .. } => name,
        }
    }

    /// The dummy that an isolated network gets: `ivd-` and the first eleven digits of its id.
    pub fn dummy_for(network: &NetworkId) -> Self {
        Parent::Dummy(own_name("ivd", network))
    }

    /// What stands for a network whose links another plugin makes.
    pub fn elsewhere_for(network: &NetworkId) -> Self {
        Parent::Elsewhere(own_name("ive", network))
    }

    /// What `parent=` means on this host.
    ///
    /// A link that is there is taken as it is, whatever its name; `ours` tells whether a record says that we made it.
    /// One that is missing is a VLAN to be made, if its name says so.
    ///
    /// # Errors
    /// A [`ParentFault`], when the link is missing and cannot be made.
    pub fn resolve(asked: &InterfaceName, ours: Option<&Parent>, observed: &Observed) -> Result<Self, ParentFault> {
        if let Some(ours) = ours {
            return Ok(ours.clone());
        }
        if observed.host_link(asked).is_some() {
            return Ok(Parent::Link(asked.clone()));
        }
        let Some((on, id)) = asked.as_vlan() else {
            return Err(match asked.as_str().split_once('.') {
                None => ParentFault::Missing(asked.clone()),
                Some((_, id)) if id.contains('.') => ParentFault::StackedVlan(asked.clone()),
                Some((_, id)) => ParentFault::BadVlanId { name: asked.clone(), id: id.to_owned() },
            });
        };
        match observed.host_link(&on) {
            None => Err(ParentFault::MissingBelowVlan { name: asked.clone(), on }),
            Some(below) if below.layer != Layer::Ethernet => Err(ParentFault::NotEthernet(on)),
            Some(_) => Ok(Parent::Vlan { name: asked.clone(), on, id }),
        }
    }
}

/// A name that is of one network alone: of an id as engines draw it the beginning is, of one that somebody has chosen a hash.
fn own_name(prefix: &str, network: &NetworkId) -> InterfaceName {
    let id = network.as_str();
    let id = if is_drawn(id) { id.to_owned() } else { digest(&[id]) };
    format!("{prefix}-{}", &id[..11]).parse().expect("15 letters, digits and dashes")
}

/// Whether the kernel will take `parent` as the parent of an ipvlan port, and if not, who is in the way.
///
/// Tells beforehand what the kernel would refuse without a reason: `ipvlan_link_new()` and
/// `netdev_rx_handler_register()` answer a bare EINVAL or EBUSY.
///
/// # Errors
/// A [`ParentFault`] that names the holder.
pub fn suitable(parent: &Link, observed: &Observed) -> Result<(), ParentFault> {
    let name = || parent.name.clone();
    match parent.layer {
        Layer::Loopback => return Err(ParentFault::Loopback(name())),
        Layer::Other => return Err(ParentFault::NotEthernet(name())),
        Layer::Ethernet => {}
    }
    if let Kind::Slave(_) = parent.kind {
        let below = observed.host.iter().find(|link| Some(link.index) == parent.on).map(|link| link.name.clone());
        return Err(ParentFault::IsSlave { name: name(), below });
    }
    let on_top = |link: &Link| link.on == Some(parent.index) && link.kind.is_macvlan();
    if let Some((_, holder)) = observed.all().find(|(_, link)| on_top(link)) {
        return Err(ParentFault::MacvlanPort { name: name(), holder: holder.name.clone() });
    }
    let master = parent.master.and_then(|index| observed.host.iter().find(|link| link.index == index));
    match master.map(|link| (&link.name, &link.kind)) {
        // Others (a VRF) leave the receive path alone.
        Some((holder, Kind::Other(kind))) if matches!(kind.as_str(), "bridge" | "bond" | "team" | "openvswitch") => {
            Err(ParentFault::Member { name: name(), kind: kind.clone(), holder: holder.clone() })
        }
        _ => Ok(()),
    }
}

/// Why a link cannot be a parent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParentFault {
    /// No such link, and no name that says how to make it.
    #[error("parent `{0}` is no link of this host")]
    Missing(InterfaceName),
    /// A VLAN link is asked for, and the link below it is missing.
    #[error("parent `{name}` does not exist, and neither does `{on}` to make the VLAN on")]
    MissingBelowVlan {
        /// What was asked for.
        name: InterfaceName,
        /// The link below.
        on: InterfaceName,
    },
    /// A VLAN link is asked for with a tag that is none.
    #[error("parent `{name}` does not exist, and `{id}` is no VLAN id to make it with: 1 to 4094 was expected")]
    BadVlanId {
        /// What was asked for.
        name: InterfaceName,
        /// What stands for the tag.
        id: String,
    },
    /// A VLAN on a VLAN is asked for.
    #[error("parent `{0}` does not exist, and only one VLAN tag is made on demand")]
    StackedVlan(InterfaceName),
    /// The loopback.
    #[error("parent `{0}` is the loopback, which ipvlan cannot use")]
    Loopback(InterfaceName),
    /// A tunnel or anything else that is not Ethernet.
    #[error("parent `{0}` is not an Ethernet link, which ipvlan needs")]
    NotEthernet(InterfaceName),
    /// An ipvlan slave: the kernel would silently use the link below it.
    #[error("parent `{name}` is itself an ipvlan slave")]
    IsSlave {
        /// What was asked for.
        name: InterfaceName,
        /// The link that the kernel would use in its stead, where it is in sight.
        below: Option<InterfaceName>,
    },
    /// Macvlan links sit on it.
    #[error("parent `{name}` already carries the macvlan link `{holder}`, and a link carries macvlan or ipvlan")]
    MacvlanPort {
        /// What was asked for.
        name: InterfaceName,
        /// One of the macvlan links.
        holder: InterfaceName,
    },
    /// It is a member of a bridge, bond or team.
    #[error("parent `{name}` is a member of the {kind} `{holder}`")]
    Member {
        /// What was asked for.
        name: InterfaceName,
        /// `bridge`, `bond`, `team` or `openvswitch`.
        kind: String,
        /// The bridge, bond or team.
        holder: InterfaceName,
    },
}

impl ParentFault {
    /// What the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            ParentFault::Missing(_) => "name a link that `ip link` shows, or LINK.VLAN to have a VLAN link made".into(),
            ParentFault::MissingBelowVlan { on, .. } => format!("create `{on}` first, or name another link"),
            ParentFault::BadVlanId { .. } => "name it LINK.VLAN, for example eth0.10".into(),
            ParentFault::StackedVlan(_) => {
                "make the link yourself (`ip link add link eth0.10 name qinq20 type vlan id 20`) and pass its name"
                    .into()
            }
            ParentFault::Loopback(_) => {
                "name another; an internal network, which reaches nothing but itself, needs none".into()
            }
            ParentFault::NotEthernet(_) => "name an Ethernet link: hardware, VLAN, bond, bridge, veth or dummy".into(),
            ParentFault::IsSlave { below: Some(below), .. } => format!("name the link below it: parent={below}"),
            ParentFault::IsSlave { below: None, .. } => "name the link below it".into(),
            ParentFault::MacvlanPort { holder, .. } => {
                format!("remove `{holder}` and its like, or use a VLAN link on top (LINK.VLAN)")
            }
            ParentFault::Member { holder, .. } => format!("use it as the parent instead: parent={holder}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::PortSettings;

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

    fn host(links: Vec<Link>) -> Observed {
        Observed { host: links, ..Observed::default() }
    }

    fn resolve(asked: &str) -> Result<Parent, ParentFault> {
        let lo = Link { layer: Layer::Loopback, ..link(1, "lo") };
        Parent::resolve(&asked.parse().unwrap(), None, &host(vec![lo, link(2, "eth0"), link(3, "odd.1.2")]))
    }

    #[test]
    fn what_is_there_is_taken_and_what_is_missing_is_made_if_its_name_says_how() {
        assert_eq!(resolve("eth0"), Ok(Parent::Link("eth0".parse().unwrap())));
        assert_eq!(resolve("odd.1.2"), Ok(Parent::Link("odd.1.2".parse().unwrap())));
        let Ok(Parent::Vlan { on, id, .. }) = resolve("eth0.10") else { panic!("a VLAN was expected") };
        assert_eq!((on.as_str(), id.get()), ("eth0", 10));
    }

    #[test]
    fn what_cannot_be_made_is_refused_with_the_cause() {
        for (asked, sentence) in [
            ("eth9", "parent `eth9` is no link of this host"),
            ("eth9.10", "parent `eth9.10` does not exist, and neither does `eth9` to make the VLAN on"),
            ("eth0.0", "parent `eth0.0` does not exist, and `0` is no VLAN id to make it with: 1 to 4094 was expected"),
            (
                "eth0.4095",
                "parent `eth0.4095` does not exist, and `4095` is no VLAN id to make it with: 1 to 4094 was expected",
            ),
            ("eth0.10.20", "parent `eth0.10.20` does not exist, and only one VLAN tag is made on demand"),
            ("lo.10", "parent `lo` is not an Ethernet link, which ipvlan needs"),
        ] {
            assert_eq!(resolve(asked).unwrap_err().to_string(), sentence);
        }
    }

    #[test]
    fn every_fault_has_a_remedy() {
        let name = |text: &str| text.parse::<InterfaceName>().unwrap();
        for (fault, hint) in [
            (
                ParentFault::Missing(name("eth9")),
                "name a link that `ip link` shows, or LINK.VLAN to have a VLAN link made",
            ),
            (
                ParentFault::MissingBelowVlan { name: name("eth9.10"), on: name("eth9") },
                "create `eth9` first, or name another link",
            ),
            (ParentFault::BadVlanId { name: name("eth0.0"), id: "0".into() }, "name it LINK.VLAN, for example eth0.10"),
            (
                ParentFault::StackedVlan(name("eth0.10.20")),
                "make the link yourself (`ip link add link eth0.10 name qinq20 type vlan id 20`) and pass its name",
            ),
            (
                ParentFault::Loopback(name("lo")),
                "name another; an internal network, which reaches nothing but itself, needs none",
            ),
            (
                ParentFault::NotEthernet(name("tun0")),
                "name an Ethernet link: hardware, VLAN, bond, bridge, veth or dummy",
            ),
            (
                ParentFault::IsSlave { name: name("sl0"), below: Some(name("eth0")) },
                "name the link below it: parent=eth0",
            ),
            (ParentFault::IsSlave { name: name("sl0"), below: None }, "name the link below it"),
            (
                ParentFault::MacvlanPort { name: name("eth0"), holder: name("mv0") },
                "remove `mv0` and its like, or use a VLAN link on top (LINK.VLAN)",
            ),
            (
                ParentFault::Member { name: name("eth0"), kind: "bond".into(), holder: name("bond0") },
                "use it as the parent instead: parent=bond0",
            ),
        ] {
            assert_eq!(fault.hint(), hint, "{fault}");
        }
    }

    #[test]
    fn a_busy_parent_is_refused_with_its_holder() {
        let check =
            |parent: Link, other: Link| suitable(&parent, &host(vec![parent.clone(), other])).unwrap_err().to_string();
        let of = |kind: &str| Kind::Other(kind.into());
        let eth0 = || link(2, "eth0");
        let member = || Link { master: Some(3), ..eth0() };
        assert_eq!(
            check(eth0(), Link { kind: of("macvlan"), on: Some(2), ..link(3, "mv0") }),
            "parent `eth0` already carries the macvlan link `mv0`, and a link carries macvlan or ipvlan"
        );
        assert_eq!(
            check(member(), Link { kind: of("bridge"), ..link(3, "br0") }),
            "parent `eth0` is a member of the bridge `br0`"
        );
        assert_eq!(
            check(member(), Link { kind: of("bond"), ..link(3, "bond0") }),
            "parent `eth0` is a member of the bond `bond0`"
        );
        let slave = Link { kind: Kind::Slave(PortSettings::default()), on: Some(3), ..eth0() };
        assert_eq!(check(slave, link(3, "eth1")), "parent `eth0` is itself an ipvlan slave");
        assert!(suitable(&member(), &host(vec![member(), Link { kind: of("vrf"), ..link(3, "vrf0") }])).is_ok());
    }
}
