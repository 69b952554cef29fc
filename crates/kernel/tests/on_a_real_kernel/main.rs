//! The steps and the look, on a kernel that has ipvlan. Run as root, in the lab:
//! `lab/lab run --copy target/debug/deps/on_a_real_kernel-... -- on_a_real_kernel-... --include-ignored`
//!
//! Every test has a host of its own: a network namespace that its thread enters. No other thread leaves the one it
//! was started in.

#![expect(clippy::unwrap_used, reason = "a test that cannot get at what it needs has failed")]

mod host;
mod probe;
mod router;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;
use std::time::Duration;

use kernel::{KernelError, LockKey, PortLock, Scope, observe};
use model::{InterfaceName, Kind, Link, Mark, Observed, Place, SandboxKey, Step};

use host::{
    Sandbox, apply, create_slave, delete, host_link, ip, link_in, mark, name, on_a_host, output_of, own_key, run,
    settings,
};

#[test]
#[ignore = "needs root and a kernel with ipvlan: run in the lab"]
fn a_slave_is_made_marked_seen_and_deleted() {
    on_a_host("kt-slave", || {
        for words in ["l2 bridge", "l3 vepa", "l3s private"] {
            apply(&Step::CreateDummy { name: name("p0") }).unwrap();
            apply(&create_slave("ipl0", "p0", words, Some(1400))).unwrap();
            apply(&Step::SetAlias { name: name("ipl0"), mark: mark() }).unwrap();

            let seen = observe(Scope::Host).unwrap();
            let (parent, slave) = (host_link(&seen, "p0"), host_link(&seen, "ipl0"));
            assert_eq!(parent.kind, Kind::Dummy);
            assert_eq!((&slave.kind, slave.on), (&Kind::Slave(settings(words)), Some(parent.index)));
            assert_eq!((slave.mtu, slave.up, slave.mac), (1400, false, parent.mac));
            assert_eq!(slave.alias, Some(mark().to_string()));

            let alone = kernel::host_link(&name("ipl0")).unwrap().expect("it is there");
            assert_eq!(alone, Link { addresses: Vec::new(), ..slave.clone() });
            let step = delete(Place::Host, slave);
            apply(&step).unwrap();
            assert!(observe(Scope::Host).unwrap().host_link(&name("ipl0")).is_none());
            apply(&step).expect("deleting what is gone is success");
            apply(&delete(Place::Host, parent)).unwrap();
        }
    });
}

#[test]
#[ignore = "needs root and a kernel with ipvlan: run in the lab"]
fn a_vlan_link_grows_up() {
    on_a_host("kt-vlan", || {
        ip("link add p0 type veth peer name p1");
        let create =
            |name: InterfaceName| Step::CreateVlan { name, on: "p0".parse().unwrap(), id: 10.try_into().unwrap() };
        let mark = Mark::Parent(name("p0.10"));
        let (from, to) = (mark.birth_name(), name("p0.10"));
        for step in [
            create(from.clone()),
            Step::SetAlias { name: from.clone(), mark: mark.clone() },
            Step::Rename { from: from.clone(), to: to.clone() },
        ] {
            apply(&step).unwrap();
        }
        let refused = apply(&Step::SetUp { place: Place::Host, name: to.clone() }).unwrap_err();
        assert!(matches!(refused, KernelError::BelowIsDown { .. }), "{refused:?}");
        ip("link set p0 up");
        apply(&Step::SetUp { place: Place::Host, name: to }).unwrap();
        let seen = observe(Scope::Host).unwrap();
        let vlan = host_link(&seen, "p0.10");
        assert_eq!((&vlan.kind, vlan.up), (&Kind::Vlan(10.try_into().unwrap()), true));
        assert_eq!((vlan.on, &vlan.alias), (Some(host_link(&seen, "p0").index), &Some(mark.to_string())));

        let refused = apply(&create(from)).unwrap_err();
        assert!(matches!(refused, KernelError::VlanTaken { .. }), "{refused:?}");
        ip("link add x0 type dummy");
        let refused = apply(&Step::Rename { from: name("x0"), to: name("p0.10") }).unwrap_err();
        assert!(matches!(&refused, KernelError::NameTaken { name } if name.as_str() == "p0.10"), "{refused:?}");

        ip("link add link p0 name p0.20 type vlan proto 802.1ad id 20");
        let seen = observe(Scope::Host).unwrap();
        assert_eq!(host_link(&seen, "p0.20").kind, Kind::Other("vlan".into()), "no 802.1Q tag");
        apply(&delete(Place::Host, host_link(&seen, "p0.10"))).unwrap();
    });
}

#[test]
#[ignore = "needs root and a kernel with ipvlan: run in the lab"]
fn a_slave_is_set_up_in_its_sandbox() {
    on_a_host("kt-set-up", || {
        let sandbox = Sandbox::new("kt-set-up-box");
        let (key, lan0) = (sandbox.key(), name("lan0"));
        let sysctl = |text: &str| {
            let sysctl = text.parse().unwrap();
            Step::SetSysctl { sandbox: key.clone(), name: lan0.clone(), sysctl }
        };
        let address =
            |text: &str| Step::AddAddress { sandbox: key.clone(), name: lan0.clone(), address: text.parse().unwrap() };
        for step in [
            Step::CreateDummy { name: name("p0") },
            create_slave("ipl0", "p0", "l2 bridge", Some(1400)),
            Step::Move { name: name("ipl0"), to: key.clone(), called: lan0.clone() },
            sysctl("net.ipv4.conf.IFNAME.log_martians=1"),
            address("192.0.2.7/24"),
            address("2001:db8::7/64"),
            Step::SetUp { place: Place::Sandbox(key.clone()), name: lan0.clone() },
        ] {
            apply(&step).unwrap_or_else(|error| panic!("{step}: {error:?}"));
        }
        let seen = observe(Scope::Sandboxes(std::slice::from_ref(&key))).unwrap();
        let link = link_in(&seen, &key, "lan0");
        assert_eq!((link.up, link.mtu, link.on), (true, 1400, Some(host_link(&seen, "p0").index)));
        let near = kernel::observe_on(&name("p0"), &key).unwrap();
        assert_eq!(link_in(&near, &key, "lan0"), link, "all of it is seen from near");
        assert_eq!(near.host.iter().map(|link| link.name.as_str()).collect::<Vec<_>>(), ["p0"]);
        let held = ["192.0.2.7/24", "2001:db8::7/64"].map(|address| address.parse().unwrap());
        assert!(held.iter().all(|address| link.addresses.contains(address)), "{:?}", link.addresses);
        let inside = |command: &str| output_of("ip", format!("netns exec kt-set-up-box {command}").split(' '));
        assert_eq!(inside("cat /proc/sys/net/ipv4/conf/lan0/log_martians").trim(), "1");
        assert!(inside("ip -4 address show lan0").contains("brd 192.0.2.255"));
        assert!(!inside("ip -6 address show lan0 scope global").contains("tentative"), "it works at once");

        let route =
            |text: &str| Step::AddRoute { sandbox: key.clone(), name: lan0.clone(), route: text.parse().unwrap() };
        let wanted = ["0.0.0.0/0 via 192.0.2.1", "198.51.100.0/24 metric 9", "::/0 via 2001:db8::1 metric 5"];
        for text in wanted {
            apply(&route(text)).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        }
        apply(&route("0.0.0.0/0 via 192.0.2.2")).expect("the first one counts");
        let made = kernel::routes_in(&key).unwrap();
        assert_eq!(made, wanted.map(|text| (link.index, text.parse().unwrap())));
        for text in ["203.0.113.0/24 via 198.18.0.1", "2001:db8:9::/48 via 2001:db8:1::1"] {
            let refused = apply(&route(text)).unwrap_err();
            assert!(matches!(refused, KernelError::RouterOutOfReach { .. }), "{text}: {refused:?}");
        }

        let refused = apply(&sysctl("net.ipv4.conf.IFNAME.no_such_setting=1")).unwrap_err();
        assert!(matches!(refused, KernelError::NoSysctl { .. }), "{refused:?}");
        apply(&create_slave("ipl1", "p0", "l2 bridge", None)).unwrap();
        let refused = apply(&Step::Move { name: name("ipl1"), to: key.clone(), called: lan0.clone() }).unwrap_err();
        assert!(matches!(&refused, KernelError::NameTakenInSandbox { name, .. } if *name == lan0), "{refused:?}");
        ip("-n kt-set-up-box link set ipl1 name lan1");
        let taken =
            Step::AddAddress { sandbox: key.clone(), name: name("lan1"), address: "192.0.2.7/24".parse().unwrap() };
        let refused = apply(&taken).unwrap_err();
        assert!(matches!(refused, KernelError::AddressInUse { .. }), "{refused:?}");

        // What is given together: the one that is refused is told, and what was asked for with it is done.
        let routes = [route("0.0.0.0/0 via 192.0.2.2"), route("203.0.113.0/24 via 198.18.0.1")];
        let (at, refused) = kernel::apply(&routes).unwrap_err();
        assert!(at == 1 && matches!(refused, KernelError::RouterOutOfReach { .. }), "{at}: {refused:?}");
        let up = Step::SetUp { place: Place::Sandbox(key.clone()), name: name("lan1") };
        let (at, refused) = kernel::apply(&[up.clone(), taken, up]).unwrap_err();
        assert!(at == 1 && matches!(refused, KernelError::AddressInUse { .. }), "{at}: {refused:?}");
        assert!(link_in(&observe(Scope::Sandboxes(std::slice::from_ref(&key))).unwrap(), &key, "lan1").up);
    });
}

#[test]
#[ignore = "needs root and a kernel with ipvlan: run in the lab"]
fn a_slave_is_followed_into_its_sandbox_and_deleted_there() {
    on_a_host("kt-moved", || {
        let sandbox = Sandbox::new("kt-moved-box");
        let place = Place::Sandbox(sandbox.key());
        apply(&Step::CreateDummy { name: name("p0") }).unwrap();
        apply(&create_slave("ipl0", "p0", "l2 private", None)).unwrap();
        apply(&Step::SetAlias { name: name("ipl0"), mark: mark() }).unwrap();
        ip("link set ipl0 netns kt-moved-box name eth0");
        ip("-n kt-moved-box address add 192.0.2.7/24 dev eth0");
        ip("-n kt-moved-box address add 2001:db8::7/64 dev eth0 nodad");
        // A slave with its parent inside says nothing of the host, whatever its parent's index.
        ip("-n kt-moved-box link add q0 type dummy");
        ip("-n kt-moved-box link add q1 link q0 type ipvlan mode l2");

        let keys = [sandbox.key(), "/run/netns/kt-none".parse().unwrap(), "/etc/hostname".parse().unwrap(), own_key()];
        let seen = observe(Scope::Sandboxes(&keys)).unwrap();
        assert_eq!(seen.sandboxes.keys().collect::<Vec<_>>(), [&sandbox.key()]);
        let parent = host_link(&seen, "p0");
        let slave = link_in(&seen, &sandbox.key(), "eth0");
        assert!(seen.host_link(&name("ipl0")).is_none());
        assert_eq!((&slave.kind, slave.on), (&Kind::Slave(settings("l2 private")), Some(parent.index)));
        assert_eq!(slave.alias, Some(mark().to_string()), "the alias survives the move and the rename");
        let held = ["192.0.2.7/24", "2001:db8::7/64"].map(|address| address.parse().unwrap());
        assert!(held.iter().all(|address| slave.addresses.contains(address)), "{:?}", slave.addresses);
        assert_eq!(link_in(&seen, &sandbox.key(), "q1").on, None);

        let renamed = Step::Delete { place: place.clone(), index: slave.index, name: name("eth9") };
        let refused = apply(&renamed).unwrap_err();
        assert!(matches!(refused, KernelError::Replaced { .. }), "{refused:?}");
        let lo = link_in(&seen, &sandbox.key(), "lo");
        let refused = apply(&delete(place.clone(), lo)).unwrap_err();
        assert!(matches!(refused, KernelError::Replaced { .. }), "not of a kind that is ever ours: {refused:?}");

        let step = delete(place, slave);
        apply(&step).unwrap();
        let seen = observe(Scope::Sandboxes(&keys)).unwrap();
        assert!(!seen.sandboxes[&sandbox.key()].iter().any(|link| link.name.as_str() == "eth0"));
        apply(&step).expect("deleting what is gone is success");
        drop(sandbox);
        apply(&step).expect("and so is deleting where nothing is");
        assert!(observe(Scope::Sandboxes(&keys)).unwrap().sandboxes.is_empty());
    });
}

#[test]
#[ignore = "needs root and a kernel with ipvlan: run in the lab"]
fn everywhere_is_every_namespace_once() {
    on_a_host("kt-every", || {
        let sandbox = Sandbox::new("kt-every-box");
        apply(&Step::CreateDummy { name: name("p0") }).unwrap();
        apply(&create_slave("ipl0", "p0", "l3 bridge", None)).unwrap();
        ip("link set ipl0 netns kt-every-box");
        // What a container writes into its own link hides nothing.
        let alias = OsStr::from_bytes(b"\xff\xfe");
        let arguments = ["-n", "kt-every-box", "link", "set", "ipl0", "alias"].map(OsStr::new);
        run("ip", arguments.into_iter().chain([alias]));

        let at = |seen: &Observed| -> Vec<String> {
            let holding = seen.sandboxes.iter().filter(|(_, links)| links.iter().any(|link| link.name == name("ipl0")));
            holding.map(|(key, _)| key.to_string()).collect()
        };
        let seen = observe(Scope::Everywhere(&[])).unwrap();
        assert_eq!(at(&seen), ["/run/netns/kt-every-box"]);
        let parent = host_link(&seen, "p0").index;
        assert_eq!(link_in(&seen, &sandbox.key(), "ipl0").on, Some(parent));
        assert!(!seen.sandboxes.contains_key(&own_key()), "the host is no sandbox");

        let recorded: SandboxKey = "/var/run/netns/kt-every-box".parse().unwrap();
        let seen = observe(Scope::Everywhere(std::slice::from_ref(&recorded))).unwrap();
        assert_eq!(at(&seen), [recorded.as_str()]);

        // A namespace that only a process keeps.
        let mut process = Command::new("unshare").args(["--net", "sleep", "60"]).spawn().unwrap();
        let proc_key: SandboxKey = format!("/proc/{}/ns/net", process.id()).parse().unwrap();
        let own = std::fs::read_link("/proc/thread-self/ns/net").unwrap();
        while std::fs::read_link(proc_key.as_str()).is_ok_and(|namespace| namespace == own) {
            std::thread::yield_now();
        }
        let seen = observe(Scope::Everywhere(&[])).unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
        assert!(seen.sandboxes.contains_key(&proc_key), "{:?}", seen.sandboxes.keys());
    });
}

#[test]
#[ignore = "needs root and a kernel with ipvlan: run in the lab"]
fn a_refusal_says_what_is_in_the_way() {
    on_a_host("kt-refused", || {
        ip("link add p0 type dummy");
        ip("link add m0 link p0 type macvlan");
        ip("link add p1 type dummy");
        ip("link add b0 type bridge");
        ip("link add p2 type dummy");
        ip("link set p2 master b0");
        let refused = |new: &str, on: &str, mtu| apply(&create_slave(new, on, "l2 bridge", mtu)).unwrap_err();

        for on in ["p0", "p2"] {
            let error = refused("ipl0", on, None);
            assert!(matches!(&error, KernelError::Busy { parent } if parent.as_str() == on), "{error:?}");
        }
        let error = refused("ipl0", "lo", None);
        assert!(matches!(&error, KernelError::NotSuitable { parent } if parent.as_str() == "lo"), "{error:?}");
        let error = refused("ipl0", "none", None);
        assert!(matches!(&error, KernelError::Gone { name } if name.as_str() == "none"), "{error:?}");

        apply(&create_slave("ipl0", "p1", "l2 bridge", None)).unwrap();
        let error = refused("ipl0", "p1", None);
        assert!(matches!(&error, KernelError::NameTaken { name } if name.as_str() == "ipl0"), "{error:?}");
        let error = apply(&Step::CreateDummy { name: name("ipl0") }).unwrap_err();
        assert!(matches!(error, KernelError::NameTaken { .. }), "{error:?}");
        let error = apply(&Step::SetUp { place: Place::Host, name: name("none") }).unwrap_err();
        assert!(matches!(error, KernelError::Gone { .. }), "{error:?}");

        let seen = observe(Scope::Host).unwrap();
        assert_eq!(host_link(&seen, "m0").on, Some(host_link(&seen, "p0").index));
        assert_eq!(host_link(&seen, "p2").master, Some(host_link(&seen, "b0").index));
    });
}

#[test]
#[ignore = "needs root and a kernel with ipvlan: run in the lab"]
fn a_port_lock_dies_with_its_holder() {
    let folder = tempfile::tempdir().unwrap();
    let run_dir = folder.path().join("run");
    let lock = |limit| PortLock::acquire(&run_dir, &LockKey::Index(7), &"eth0".parse().unwrap(), limit);
    drop(lock(Duration::ZERO).unwrap());

    let file = run_dir.join("port-7.lock");
    let mut holder = Command::new("flock").args(["--no-fork", file.to_str().unwrap(), "sleep", "60"]).spawn().unwrap();
    while lock(Duration::ZERO).is_ok() {
        std::thread::yield_now();
    }
    let refused = lock(Duration::from_millis(50)).unwrap_err();
    assert!(matches!(refused, KernelError::LockTimeout { .. }), "{refused:?}");
    holder.kill().unwrap();
    holder.wait().unwrap();
    lock(Duration::from_secs(10)).expect("free, since the holder was killed");
}
