//! Every way of the engine to say no, as people read it: what, why, and what to do.
//!
//! The scenarios meet those that can be provoked; here are all, those of ledger and kernel among them. A frontend puts
//! the causes of a source between sentence and remedy.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io;
use std::time::Duration;

use engine::EngineError;
use kernel::KernelError;
use model::{Holder, ParentFault, Place, PortSettings};
use store::StoreError;

#[track_caller]
fn check(error: impl Into<EngineError>, sentence: &str) {
    let error = error.into();
    let hint = error.hint().expect("every refusal has a remedy");
    assert_eq!(format!("{error}; {hint}"), sentence);
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("it is a valid one")
}

fn l3() -> PortSettings {
    PortSettings { mode: id("l3"), ..PortSettings::default() }
}

#[test]
fn parents_and_ports() {
    let eth0 = || id("eth0");
    check(
        ParentFault::Missing(eth0()),
        "parent `eth0` is no link of this host; name a link that `ip link` shows, or LINK.VLAN to have a VLAN link made",
    );
    check(
        EngineError::PortHeld {
            parent: eth0(),
            holder: Holder { place: Place::Sandbox(id("/run/netns/a")), name: id("sl0"), settings: l3() },
            wanted: PortSettings::default(),
        },
        "parent `eth0` is held by link `sl0` in namespace /run/netns/a, which keeps it l3/bridge; l2/bridge was asked for \
         and would flip it; ask for ipvlan_mode=l3 and ipvlan_flag=bridge, remove that link, or use another parent",
    );
    check(
        EngineError::PortFlipped { parent: eth0(), found: l3(), wanted: PortSettings::default(), network: id("net") },
        "the port on `eth0` was switched to l3/bridge by somebody else; network net needs l2/bridge; stop whoever made the \
         other slaves, then all containers on this parent, and start them again",
    );
    check(
        EngineError::ParentGone { parent: eth0(), network: id("net") },
        "parent `eth0` of network net is not there; bring `eth0` back, or remove the network",
    );
    check(
        EngineError::Vanished("net".into()),
        "the link for net was made and is not there: somebody else works on the same links; try again; `ipvland status` \
         tells what is there",
    );
    let old: model::KernelVersion = id("4.4.0");
    check(
        old.supports(PortSettings { mode: id("l3s"), ..PortSettings::default() }).unwrap_err(),
        "this host runs kernel 4.4 and ipvlan_mode=l3s needs 4.9 or newer; run a newer kernel, or leave the option out",
    );
}

#[test]
fn networks_and_endpoints() {
    check(
        EngineError::MtuTooLarge { wanted: id("9000"), available: 1500, parent: id("eth0") },
        "an MTU of 9000 is more than the 1500 of parent `eth0`; ask for at most 1500, or leave it out",
    );
    check(
        EngineError::MtuTooSmall(id("1279")),
        "an MTU of 1279 is too small for an IPv6 subnet, which needs 1280; ask for 1280 or more",
    );
    check(
        EngineError::NetworkDiffers(id("net")),
        "network net exists and is not what is asked for now; remove it first",
    );
    check(
        EngineError::SegmentOfIsolated(id("cellar")),
        "segment `cellar` was asked for, and a network without a parent, or with `--internal`, is one by itself; leave the \
         segment out, or name a parent",
    );
    check(EngineError::NoNetwork("net".into()), "there is no network net; `ipvland network ls` lists those there are");
    check(EngineError::Ambiguous("n".into()), "more than one network's id begins with n; give more of the id");
    check(
        EngineError::NetworkInUse { network: id("net"), count: 2, example: id("end") },
        "network net is in use: 2 of its endpoints live, end among them; remove the containers first",
    );
    check(
        EngineError::EndpointDiffers(id("end")),
        "endpoint end exists and is not what is asked for now; remove it first",
    );
    check(EngineError::NoEndpoint(id("end")), "there is no endpoint end; `ipvland status` lists those there are");
    check(
        EngineError::HostAddress { address: id("192.0.2.1"), parent: id("eth0") },
        "address 192.0.2.1 belongs to this host, on `eth0`; choose another, and keep it from being dealt: \
         `--aux-address host=192.0.2.1` for the network, or the option `exclude`",
    );
}

#[test]
fn addresses() {
    let pool = || Box::new(id::<model::Pool>("v1/default/192.0.2.0/24/192.0.2.64/28/quarantine=60000ms"));
    check(
        model::PoolError::RangeOutside { range: id("192.0.3.0/26"), subnet: id("192.0.2.0/24") },
        "range 192.0.3.0/26 is not in subnet 192.0.2.0/24; pass another part of the subnet",
    );
    check(
        model::PoolError::TooManyExcluded,
        "more than 64 ranges are excluded, with those beside the range that is dealt from; put some of the excluded ranges \
         together, or pass a range that begins and ends where a prefix does",
    );
    check(
        model::PoolError::NotAPool("LocalDefault".into()),
        "`LocalDefault` is no pool of ours: v1/SEGMENT/SUBNET/RANGE was expected; remove the network and create it again",
    );
    check(
        EngineError::NoSubnet(model::Family::V6),
        "addresses of IPv6 are to be dealt, and neither a subnet nor a parent is named; pass --subnet, or `--ipam-opt \
         parent=IFACE` to take the subnet of that link's own address",
    );
    check(EngineError::RangeWithoutSubnet, "a range is named and no subnet; pass --subnet too");
    check(
        EngineError::NoSubnetOn { parent: id("eth0"), family: model::Family::V4 },
        "parent `eth0` has no address of IPv4 with a subnet around it; pass --subnet, or name a link that has such an address",
    );
    check(
        EngineError::SegmentDiffers { network: id("default"), pool: id("cellar") },
        "the network is in segment `default` and its addresses are dealt in segment `cellar`; pass the same name twice, as \
         `-o segment=` and as `--ipam-opt segment=`",
    );
    check(
        EngineError::OnTheWire { address: id("192.0.2.7"), mac: id("02:00:00:00:00:07") },
        "address 192.0.2.7 is in use on the wire, by 02:00:00:00:00:07; choose another; what is not to be dealt is for \
         the option `exclude`, which does not ask the wire",
    );
    check(
        EngineError::CrowdedWire { pool: pool(), tried: 9, mac: id("02:00:00:00:00:07") },
        "9 addresses of 192.0.2.64/28 were tried, and all are in use on the wire, the last by 02:00:00:00:00:07; try again, \
         which goes on behind these; keep what others deal out of it with the option `exclude` (FIRST-LAST)",
    );
    check(
        EngineError::NotReserved(id("192.0.2.7")),
        "address 192.0.2.7 is not reserved for a name; `ipvland addresses` lists what is",
    );
    let taken = |hold| StoreError::AddressTaken { address: id("192.0.2.7"), hold };
    check(
        taken(model::Hold::Claim),
        "address 192.0.2.7 is dealt to a container that is still to come; try again in a minute, or choose another",
    );
    check(
        taken(model::Hold::Gateway(Some(id("net")))),
        "address 192.0.2.7 is the gateway of network net; choose another",
    );
    check(taken(model::Hold::Pinned(id("db"))), "address 192.0.2.7 is reserved for db; choose another");
    check(
        StoreError::Excluded { address: id("192.0.2.7"), range: id("192.0.2.4/30") },
        "address 192.0.2.7 is excluded: exclude=192.0.2.4-192.0.2.7; choose another, or leave it out of the option `exclude`",
    );
    check(
        StoreError::NotInPool { address: id("192.0.2.255"), pool: pool() },
        "address 192.0.2.255 is none for a container in 192.0.2.0/24; choose another",
    );
    check(
        StoreError::PoolExhausted(pool()),
        "no address is left in 192.0.2.64/28; `ipvland addresses` lists who has them; remove containers, or make a network \
         with a larger range",
    );
    check(
        StoreError::PoolResting { pool: pool(), wait: Duration::from_millis(1001) },
        "no address is left in 192.0.2.64/28 that has rested long enough; try again in 2 s; the option `quarantine` said \
         how long they rest",
    );
}

#[test]
fn the_ledger() {
    check(
        StoreError::Open { path: "/var/lib/x".into(), source: "full".into() },
        "the ledger /var/lib/x cannot be opened; check the disk and the rights of its folder",
    );
    check(StoreError::ReadOnly, "the ledger can be read and not written; check the disk and the rights of its folder");
    check(
        StoreError::NewerSchema { found: 9, known: 1 },
        "the ledger has schema 9 and this version knows up to 1; run the version of ipvland that wrote it, or a later one",
    );
    check(
        StoreError::Corrupt { table: "networks", column: "mode", value: "l9".into() },
        "the ledger is corrupt: mode of networks says `l9`; start the daemon anew: it puts a \
         damaged ledger aside, and finds again what lives",
    );
    let held = |holders: Vec<_>| StoreError::PortHeld { parent: id("eth0"), holders, settings: l3() };
    check(
        held(vec![id("net")]),
        "parent `eth0` carries network net as l3/bridge, and a parent has one mode and one flag; ask for ipvlan_mode=l3 and \
         ipvlan_flag=bridge, use a VLAN link (LINK.VLAN), or remove that network; what Docker no longer knows goes by \
         `ipvland network forget ID`",
    );
    check(
        held(vec![id("net"), id("other")]),
        "parent `eth0` carries networks net, other as l3/bridge, and a parent has one mode and one flag; ask for \
         ipvlan_mode=l3 and ipvlan_flag=bridge, use a VLAN link (LINK.VLAN), or remove those networks; what Docker no \
         longer knows goes by `ipvland network forget ID`",
    );
    check(StoreError::NetworkExists(id("net")), "network net exists; remove it first");
    check(StoreError::NoNetwork(id("net")), "there is no network net; `ipvland status` lists those there are");
    check(
        StoreError::AddressHeld { address: id("192.0.2.1"), holder: id("end"), network: id("net") },
        "address 192.0.2.1 is held by endpoint end of network net; choose another address, or remove that container; VLANs \
         that reuse a subnet need a segment each (option `segment`)",
    );
    check(StoreError::EndpointExists(id("end")), "endpoint end exists; remove it first");
    check(StoreError::NoEndpoint(id("end")), "there is no endpoint end; `ipvland status` lists those there are");
}

#[test]
fn the_kernel() {
    check(
        KernelError::NoModule { kind: "ipvlan" },
        "this kernel has no `ipvlan` links, and no module that brings them; `modprobe ipvlan` must work; slim kernels have \
         the module in a package of its own, such as linux-modules-extra-$(uname -r)",
    );
    check(
        KernelError::NoL3s,
        "this kernel's ipvlan was built without the mode l3s; use ipvlan_mode=l3, or a kernel with CONFIG_IPVLAN_L3S",
    );
    check(
        KernelError::Busy { parent: id("eth0") },
        "parent `eth0` is in use by a bridge, a bond, a team or macvlan; use the bridge, bond or team itself as the parent, \
         or a VLAN link on top of the link (LINK.VLAN)",
    );
    check(
        KernelError::NotSuitable { parent: id("tun0") },
        "`tun0` is no link that the kernel will put another on; name an Ethernet link: hardware, VLAN, bond, bridge, veth \
         or dummy",
    );
    check(
        KernelError::NameTaken { name: id("eth0.10") },
        "there is a link `eth0.10` already; remove it (`ip link delete eth0.10`), or rename it",
    );
    check(
        KernelError::NameTakenInSandbox { name: id("lan0"), sandbox: id("/run/netns/a") },
        "the container has an interface `lan0` already, in /run/netns/a; ask for another name",
    );
    check(
        KernelError::AddressInUse { address: id("192.0.2.7") },
        "another slave on the same parent has the address 192.0.2.7; choose another; `ipvland status` and `ip netns` tell \
         who else is on the parent",
    );
    check(
        KernelError::NoSysctl { sysctl: "net.ipv4.conf.IFNAME.x=1".into() },
        "this kernel has no setting `net.ipv4.conf.IFNAME.x=1`; leave it out, or load the module that brings it",
    );
    check(
        EngineError::NoSandbox(id("/run/netns/a")),
        "there is no network namespace at /run/netns/a; the container engine makes it too late for an exact interface \
         name: leave that out, or use Docker 28 or newer",
    );
    check(
        KernelError::VlanTaken { on: id("eth0"), id: id("10") },
        "there is a link for VLAN 10 on `eth0` already, under another name; pass that link's name as the parent; `ip -d \
         link show type vlan` lists it (id 10 on eth0)",
    );
    check(
        KernelError::BelowIsDown { name: id("eth0.10") },
        "`eth0.10` cannot be set up while the link below it is down; set the link below up first: `ip link set LINK up`",
    );
    check(KernelError::Gone { name: id("eth0") }, "link `eth0` is not there; try again; `ip link` tells what is there");
    check(
        KernelError::Replaced { name: id("eth0") },
        "link `eth0` was renamed or replaced in the meantime; try again; `ip link` tells what is there",
    );
    check(
        KernelError::NotPermitted { doing: "create dummy d0".into() },
        "not permitted to create dummy d0; run as root, or with CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_ADMIN",
    );
    check(
        KernelError::LockTimeout { parent: id("eth0"), limit: Duration::from_nanos(7_999_999_900) },
        "other operations have held the port on `eth0` for 8s; try again; `lslocks` names who holds it",
    );
    const LOOK: &str = "; the log of the daemon and `dmesg` may tell more";
    let source = || io::Error::from_raw_os_error(22);
    check(
        KernelError::Refused { doing: "create dummy d0".into(), said: Some("Nope".into()), source: source() },
        &format!("the kernel refused to create dummy d0: Nope{LOOK}"),
    );
    check(
        KernelError::Unreadable { what: "the boot id", text: "?".into() },
        &format!("the boot id is unreadable: `?`{LOOK}"),
    );
    check(
        KernelError::Io { doing: "open a socket".into(), source: source() },
        &format!("could not open a socket{LOOK}"),
    );
}
