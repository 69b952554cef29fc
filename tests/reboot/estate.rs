//! What the first life builds and the others find: networks of every kind, and containers on them.

use std::collections::BTreeSet;

use crate::world::{Container, Host, NEIGHBOUR, ROUTER, Standpoint, docker, held_addresses, run, wait_until};

/// The networks: the name of each, and how it was made. `dum7` is no link that a boot makes.
pub(crate) const NETWORKS: [(&str, &str); 8] = [
    ("lan", "--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0"),
    // The ledger deals its addresses, on the same wire.
    ("leased", "--ipam-driver=ipvland --subnet=192.168.1.0/24 --ip-range=192.168.1.96/28 -o parent=eth0"),
    // Docker tells of a gateway that it chose itself when it makes the network, and never again.
    ("tagged", "--subnet=192.168.10.0/24 -o parent=eth0.10"),
    ("island", "--subnet=192.168.66.0/24"),
    ("routed", "--subnet=192.168.214.0/24 -o parent=eth1 -o ipvlan_mode=l3"),
    ("late", "--subnet=192.168.67.0/24 -o parent=dum7"),
    ("late_tagged", "--subnet=192.168.68.0/24 -o parent=dum7.30"),
    ("spare", "--subnet=192.168.20.0/24 --gateway=192.168.20.1 -o parent=eth0.20"),
];

/// A container of the estate.
pub(crate) struct Resident {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its network.
    network: &'static str,
    /// What was asked for; else one is dealt.
    address: Option<&'static str>,
    /// Whether Docker is to start it as it starts itself.
    pub(crate) always: bool,
}

const fn resident(name: &'static str, network: &'static str, address: &'static str, always: bool) -> Resident {
    Resident { name, network, address: if address.is_empty() { None } else { Some(address) }, always }
}

/// All of them.
pub(crate) const RESIDENTS: [Resident; 13] = [
    resident("web", "lan", "192.168.1.70", true),
    resident("dealt", "lan", "", true),
    resident("idle", "lan", "192.168.1.71", false),
    // One only: where nobody answers for the driver, Docker tries a quarter of a minute and more for each address that it gives back.
    resident("tenant", "leased", "", true),
    resident("db", "tagged", "192.168.10.70", true),
    resident("idle_db", "tagged", "", false),
    resident("hermit", "island", "192.168.66.70", true),
    resident("recluse", "island", "", true),
    resident("far", "routed", "192.168.214.70", true),
    resident("farther", "routed", "", true),
    resident("waiting", "late", "192.168.67.70", true),
    resident("idle_waiting", "late", "", false),
    resident("waiting_tagged", "late_tagged", "192.168.68.70", true),
];

impl Resident {
    /// The one of that name.
    pub(crate) fn named(name: &str) -> &'static Self {
        RESIDENTS.iter().find(|resident| resident.name == name).expect("it is of the estate")
    }

    /// Whether its network is on a link that comes late.
    pub(crate) fn on_late_parent(&self) -> bool {
        self.network.starts_with("late")
    }

    /// The container.
    pub(crate) fn container(&self) -> Container {
        Container(self.name.to_owned())
    }

    /// `docker run` of it.
    #[track_caller]
    pub(crate) fn move_in(&self) {
        let policy = if self.always { "--restart=always" } else { "" };
        let address = self.address.map(|address| format!("--ip={address}")).unwrap_or_default();
        let (name, network) = (self.name, self.network);
        // `sleep` as process 1 would ignore the usual signal.
        run(&format!(
            "docker run -d --name {name} --net={network} {address} {policy} --stop-signal=KILL alpine sleep 1d"
        ));
    }

    /// Whether it runs, as Docker says.
    pub(crate) fn runs(&self) -> bool {
        self.container().inspect()["State"]["Running"] == true
    }

    /// Asserts that it runs on its network's parent, with the address that was asked for, and is reached: from the LAN, and where
    /// that leads nowhere by the others on its network.
    #[track_caller]
    pub(crate) fn is_at_home(&self) {
        wait_until(&format!("{} runs", self.name), || self.runs());
        let (container, network) = (self.container(), self.network);
        let address = container.address(network);
        assert!(self.address.is_none_or(|asked| asked == address), "{} has {address}", self.name);
        let (parent, settings) = port(network);
        let interface = container.interface("eth0");
        interface.is_slave_on(&parent, settings);
        assert_eq!(interface.addresses, [format!("{address}/24")], "{}", self.name);
        match network {
            "lan" | "leased" => {
                assert_eq!(container.default_route(), "default via 192.168.1.1 dev eth0");
                NEIGHBOUR.reaches(&address);
            }
            "tagged" => {
                assert_eq!(container.default_route(), "default via 192.168.10.1 dev eth0");
                ROUTER.reaches(&address);
            }
            _ => {
                let others = RESIDENTS.iter().filter(|other| other.network == network && other.name != self.name);
                others.filter(|other| other.runs()).for_each(|other| other.container().reaches(&address));
            }
        }
    }
}

/// Waits until what endpoints hold on the wire of `eth0`, and nothing but that, is what those have that run there.
#[track_caller]
pub(crate) fn leases_are_as_they_live() {
    let there = RESIDENTS.iter().filter(|resident| ["lan", "leased"].contains(&resident.network) && resident.runs());
    let lease = |resident: &Resident| format!("{} endpoint", resident.container().address(resident.network));
    let expected: BTreeSet<String> = there.map(lease).collect();
    wait_until("nobody else holds an address on the wire", || {
        let held = held_addresses().into_iter();
        let leases = held.filter(|held| held.starts_with("192.168.1.") && *held != "192.168.1.1 gateway");
        leases.collect::<BTreeSet<String>>() == expected
    });
}

/// The link that a network of the estate is on, and the mode and flag of its port.
#[track_caller]
fn port(network: &str) -> (String, &'static str) {
    let (parent, settings) = match network {
        "lan" | "leased" => ("eth0", "l2/bridge"),
        "tagged" => ("eth0.10", "l2/bridge"),
        "routed" => ("eth1", "l3/bridge"),
        "late" => ("dum7", "l2/bridge"),
        "late_tagged" => ("dum7.30", "l2/bridge"),
        isolated => {
            let id = docker(&format!("/networks/{isolated}"))["Id"].as_str().expect("a network has an id").to_owned();
            return (format!("ivd-{}", &id[..11]), "l2/bridge");
        }
    };
    (parent.to_owned(), settings)
}

/// Makes the link that no boot makes.
#[track_caller]
pub(crate) fn make_late_parent() {
    run("ip link add dum7 type dummy");
    run("ip link set dum7 up");
}

/// `docker start` of these, which must all succeed.
#[track_caller]
pub(crate) fn start(residents: &[&Resident]) {
    let names: Vec<&str> = residents.iter().map(|resident| resident.name).collect();
    run(&format!("docker start {}", names.join(" ")));
}

/// Whether the VLAN link on it is there, and up.
pub(crate) fn late_vlan_is_up() -> bool {
    Host.try_interface("dum7.30").is_some_and(|link| link.kind == "vlan" && link.up)
}
