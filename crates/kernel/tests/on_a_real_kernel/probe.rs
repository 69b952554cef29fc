//! Whether somebody has an address.
//!
//! Here is `p0` with 192.0.2.250 and 2001:db8::250, and at its other end a bridge that has 192.0.2.1 and 2001:db8::1 and
//! sends back to us what it hears from us.

use std::net::{IpAddr, Ipv6Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kernel::{KernelError, Scope, announce, observe, probe};
use model::{Link, MacAddress, Place, Step};

use crate::host::{Sandbox, apply, create_slave, host_link, ip, name, on_a_host, output_of, run};

/// What an answer is waited for. It takes far less.
const LIMIT: Duration = Duration::from_secs(5);

/// What nobody is waited for, where nothing else is to happen meanwhile, and where something is.
const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(2);

const FAR_MAC: &str = "02:00:00:00:00:01";

fn wire(far: &Sandbox) {
    let there = |command: &str| ip(&format!("-n {} {command}", far.name()));
    ip(&format!("link add p0 type veth peer name n0 netns {}", far.name()));
    there(&format!("link add b0 address {FAR_MAC} type bridge forward_delay 0 mcast_snooping 0"));
    there("link set n0 master b0");
    there("link set n0 up");
    there("link set n0 type bridge_slave hairpin on");
    there("link set b0 up");
    there("address add 192.0.2.1/24 dev b0");
    there("address add 2001:db8::1/64 dev b0 nodad");
    ip("link set p0 up");
    ip("address add 192.0.2.250/24 dev p0");
    ip("address add 2001:db8::250/64 dev p0 nodad");
}

fn link(called: &str) -> Link {
    host_link(&observe(Scope::Host).unwrap(), called).clone()
}

fn who_has(address: &str, on: &str, limit: Duration) -> Option<MacAddress> {
    probe(address.parse().unwrap(), &link(on), limit).unwrap()
}

fn far() -> Option<MacAddress> {
    Some(FAR_MAC.parse().unwrap())
}

/// Does something over and over in another namespace, while something else is done here.
fn meanwhile<T>(there: &Sandbox, prepare: impl FnOnce() -> Box<dyn FnMut()> + Send, here: impl FnOnce() -> T) -> T {
    let (began, over) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            there.inside(|| {
                let mut work = prepare();
                while !over.load(Ordering::Relaxed) {
                    work();
                    began.store(true, Ordering::Relaxed);
                }
            });
        });
        while !began.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        // Ended even if what is done here panics.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(here));
        over.store(true, Ordering::Relaxed);
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[test]
#[ignore = "needs root and a kernel with ipvlan: run in the lab"]
fn a_neighbour_is_named_by_its_mac_and_nobody_takes_the_limit() {
    on_a_host("kt-probe", || {
        let there = Sandbox::new("kt-probe-far");
        wire(&there);
        for address in ["192.0.2.1", "2001:db8::1"] {
            assert_eq!(who_has(address, "p0", LIMIT), far(), "{address}");
        }
        for address in ["192.0.2.7", "2001:db8::7"] {
            let begin = Instant::now();
            assert_eq!(
                who_has(address, "p0", SHORT),
                None,
                "{address}: our own question came back, and is not an answer"
            );
            let took = begin.elapsed();
            assert!(took >= SHORT && took < SHORT * 3, "{took:?}");
        }
        // Without IPv6 on the parent, as where only containers have it.
        run("sysctl", ["-q", "net.ipv6.conf.p0.disable_ipv6=1"]);
        assert_eq!(who_has("2001:db8::1", "p0", LIMIT), far());

        ip("link set p0 down");
        let refused = probe("192.0.2.1".parse().unwrap(), &link("p0"), LIMIT).unwrap_err();
        assert!(matches!(refused, KernelError::Io { .. }), "{refused:?}");
    });
}

#[test]
#[ignore = "needs root and a kernel with ipvlan: run in the lab"]
fn an_own_slave_is_nobody_and_hides_no_neighbour() {
    on_a_host("kt-slaves", || {
        let (there, sandbox) = (Sandbox::new("kt-slaves-far"), Sandbox::new("kt-slaves-box"));
        wire(&there);
        for mode in ["l2 bridge", "l3 bridge"] {
            apply(&create_slave("ipl0", "p0", mode, None)).unwrap();
            apply(&Step::Move { name: name("ipl0"), to: sandbox.key(), called: name("eth0") }).unwrap();
            for address in ["192.0.2.7/24", "2001:db8::7/64"] {
                let (sandbox, address) = (sandbox.key(), address.parse().unwrap());
                apply(&Step::AddAddress { sandbox, name: name("eth0"), address }).unwrap();
            }
            apply(&Step::SetUp { place: Place::Sandbox(sandbox.key()), name: name("eth0") }).unwrap();
            for (address, holder) in
                [("192.0.2.7", None), ("2001:db8::7", None), ("192.0.2.1", far()), ("2001:db8::1", far())]
            {
                let limit = if holder.is_some() { LIMIT } else { SHORT };
                assert_eq!(who_has(address, "p0", limit), holder, "{address}, {mode}");
            }
            ip("-n kt-slaves-box link delete eth0");
        }
    });
}

#[test]
#[ignore = "needs root and a kernel with ipvlan: run in the lab"]
fn a_vlan_is_a_wire_of_its_own() {
    on_a_host("kt-vlans", || {
        let there = Sandbox::new("kt-vlans-far");
        wire(&there);
        ip("-n kt-vlans-far link add link b0 name b0.10 type vlan id 10");
        ip("-n kt-vlans-far link set b0.10 up");
        ip("-n kt-vlans-far address add 192.0.2.10/24 dev b0.10");
        ip("-n kt-vlans-far address add 2001:db8::10/64 dev b0.10 nodad");
        // Otherwise b0 answers for whatever is on b0.10.
        ip("netns exec kt-vlans-far sysctl -q net.ipv4.conf.b0.arp_ignore=1");
        let vlan_link = there.inside(|| link("b0.10"));
        for address in ["192.0.2.10", "2001:db8::10"] {
            let address: IpAddr = address.parse().unwrap();
            let announces = || -> Box<dyn FnMut()> {
                let vlan_link = vlan_link.clone();
                Box::new(move || announce(address, &vlan_link).unwrap())
            };
            // The VLAN has no link here, and then it has one.
            assert_eq!(meanwhile(&there, announces, || who_has(&address.to_string(), "p0", SHORT)), None, "{address}");
            ip("link add link p0 name p0.10 type vlan id 10");
            ip("link set p0.10 up");
            assert_eq!(meanwhile(&there, announces, || who_has(&address.to_string(), "p0", SHORT)), None, "{address}");
            assert_eq!(who_has(&address.to_string(), "p0.10", LIMIT), far(), "{address}");
            ip("link delete p0.10");
        }
    });
}

#[test]
#[ignore = "needs root and a kernel with ipvlan: run in the lab"]
fn two_that_probe_at_once_hear_of_each_other() {
    on_a_host("kt-both", || {
        let there = Sandbox::new("kt-both-far");
        wire(&there);
        let ours = link("p0").mac;
        for address in ["192.0.2.7", "2001:db8::7"] {
            let (here, over_there) = std::thread::scope(|scope| {
                let over_there = scope.spawn(|| there.inside(|| who_has(address, "b0", LONG)));
                (who_has(address, "p0", LONG), over_there.join().unwrap())
            });
            // Who hears of the other asks no more, so the other may not hear of it.
            assert!(here.is_some() || over_there.is_some(), "{address}");
            assert!(here.is_none() || here == far(), "{address}: {here:?}");
            assert!(over_there.is_none() || over_there == ours, "{address}: {over_there:?}");
        }
    });
}

#[test]
#[ignore = "needs root and a kernel with ipvlan: run in the lab"]
fn hardware_is_told_to_take_in_the_solicitations_of_others() {
    on_a_host("kt-group", || {
        let there = Sandbox::new("kt-group-far");
        wire(&there);
        let member = || output_of("ip", ["maddress", "show", "dev", "p0"]).contains("33:33:ff:00:00:07");
        assert!(!member());
        std::thread::scope(|scope| {
            let probing = scope.spawn(|| who_has("2001:db8::7", "p0", LONG));
            let mut was_member = false;
            while !was_member && !probing.is_finished() {
                was_member = member();
            }
            assert!(was_member);
        });
        assert!(!member(), "and not for longer than it takes");
    });
}

#[test]
#[ignore = "needs root and a kernel with ipvlan: run in the lab"]
fn a_flood_neither_hides_an_answer_nor_takes_longer() {
    on_a_host("kt-flood", || {
        let there = Sandbox::new("kt-flood-far");
        wire(&there);
        let flood = || -> Box<dyn FnMut()> {
            let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).unwrap();
            Box::new(move || drop(socket.send_to(&[0; 64], "[2001:db8::250]:9")))
        };
        meanwhile(&there, flood, || {
            assert_eq!(who_has("2001:db8::1", "p0", LIMIT), far());
            let begin = Instant::now();
            assert_eq!(who_has("2001:db8::7", "p0", SHORT), None);
            let took = begin.elapsed();
            assert!(took >= SHORT && took < SHORT * 3, "{took:?}");
        });
    });
}
