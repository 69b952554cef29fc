//! Many at once: on several networks and parents, by several processes on the same ledger.

use std::process::{Child, Command, Stdio};

use crate::command::{run, wait_until};
use crate::daemon::{Daemon, command};
use crate::dealing::ROOM;
use crate::engine::{DRAWN, Endpoint, Ipam, Network};
use crate::stage::{Attached, Stage};

const NETWORKS: [Network; 4] = [
    Network::of("crowd", "eth1", "192.168.71"),
    // These share a pool.
    Network::dealt("mates", "eth1", "192.168.72"),
    Network::dealt("tagged", "eth0.40", "192.168.72"),
    Network::of(DRAWN[0], "", "192.168.74"),
];

/// Sixteen on each network.
fn sixty_four() -> Vec<Endpoint> {
    let endpoint = |number: usize| Endpoint {
        id: format!("many{number}"),
        network: NETWORKS[number % NETWORKS.len()],
        host: u8::try_from(10 + number).expect("a small number"),
        exact: false,
    };
    (0..64).map(endpoint).collect()
}

/// Does the same for all of them, each in a thread of its own.
fn at_once<O: Sync, T: Send>(all: &[O], action: impl Fn(usize, &O) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let action = &action;
        let all = all.iter().enumerate();
        let running: Vec<_> = all.map(|(number, one)| scope.spawn(move || action(number, one))).collect();
        running.into_iter().map(|thread| thread.join().expect("its thread did not panic")).collect()
    })
}

#[test]
fn sixty_four_come_and_go_while_others_repair() {
    let mut stage = Stage::open(None);
    NETWORKS.iter().for_each(|network| stage.create_network(*network));
    let endpoints = sixty_four();
    endpoints.iter().for_each(|endpoint| drop(run(&format!("ip netns add {}", endpoint.sandbox()))));

    let second = Daemon::start_second();
    let daemon = |number: usize| if number.is_multiple_of(2) { stage.daemon() } else { &second };
    let endpoints = all_dealt(endpoints, &daemon);
    let links = std::thread::scope(|scope| {
        // Besides two daemons, command lines share the ledger and the ports.
        for work in ["repair", "status", "network ls"] {
            scope.spawn(move || (0..3).for_each(|_| drop(run(&command(work)))));
        }
        at_once(&endpoints, |number, endpoint| {
            endpoint.create(daemon(number)).expect("nobody told it to die");
            endpoint.join(daemon(number)).expect("nobody told it to die")
        })
    });
    let attached = endpoints.iter().cloned().zip(links.into_iter().map(Attached::Yes));
    stage.known.endpoints.extend(attached);
    stage.is_as_known();

    let daemon = |number: usize| if number.is_multiple_of(2) { &second } else { stage.daemon() };
    at_once(&endpoints, |number, endpoint| {
        let Some(Attached::Yes(link)) = stage.known.endpoints.get(endpoint) else { panic!("{endpoint:?} joined") };
        endpoint.leave(daemon(number), link.as_deref()).expect("nobody told it to die");
        endpoint.delete(daemon(number)).expect("nobody told it to die");
        if endpoint.network.ipam == Ipam::Ledger {
            endpoint.release_address(daemon(number)).expect("nobody told it to die");
        }
    });
    stage.known.endpoints.clear();
    stage.is_as_known();
    endpoints.iter().for_each(|endpoint| drop(run(&format!("ip netns delete {}", endpoint.sandbox()))));
    NETWORKS.iter().for_each(|network| stage.delete_network(*network));
    stage.is_as_known();
}

/// The same, and those whose addresses the ledger deals with the address they were dealt. As many ask at once as the pool has
/// addresses, and more give back what they do not need than there are left.
fn all_dealt<'d>(endpoints: Vec<Endpoint>, daemon: &(impl Fn(usize) -> &'d Daemon + Sync)) -> Vec<Endpoint> {
    let room: Vec<u8> = (64..64 + ROOM).collect();
    let mut dealt = at_once(&room, |number, _| {
        NETWORKS[1 + number % 2].request_address(daemon(number / 2)).expect("nobody told it to die")
    });
    dealt.sort_unstable();
    assert_eq!(dealt, room, "each once");
    for number in 0..2 {
        let sentence = NETWORKS[2].no_address_is_left(daemon(number));
        assert!(sentence.contains("no address is left in 192.168.72.64/26"), "{sentence}");
    }
    let mut given = |endpoint: Endpoint| match endpoint.network.ipam {
        Ipam::Engine => endpoint,
        Ipam::Ledger => Endpoint { host: dealt.pop().expect("there are more"), ..endpoint },
    };
    let endpoints: Vec<Endpoint> = endpoints.into_iter().map(&mut given).collect();
    at_once(&dealt, |number, host| {
        let unneeded = Endpoint { host: *host, ..endpoints[1].clone() };
        unneeded.release_address(daemon(number)).expect("nobody told it to die");
    });
    endpoints
}

/// A process that holds a lock until it is killed.
struct Holder(Child);

impl Holder {
    fn of(lock: &str) -> Self {
        let mut flock = Command::new("flock");
        let child = flock.args(["--no-fork", lock, "sleep", "1d"]).stdin(Stdio::null()).spawn();
        let holder = Self(child.expect("`flock` is on PATH"));
        let pid = format!(" {} ", holder.0.id());
        wait_until("it holds the lock", || std::fs::read_to_string("/proc/locks").is_ok_and(|all| all.contains(&pid)));
        holder
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_port_that_is_held_too_long_is_refused_by_name_and_free_when_its_holder_is_killed() {
    let mut stage = Stage::open(None);
    stage.create_network(NETWORKS[0]);
    let endpoint = Endpoint { id: "waiting".into(), network: NETWORKS[0], host: 5, exact: false };
    let endpoint = stage.create_endpoint(&endpoint);

    let index = run("cat /sys/class/net/eth1/ifindex");
    let holder = Holder::of(&format!("/run/mortal/run/port-{index}.lock"));
    let sentence = endpoint.join_is_refused(stage.daemon());
    assert!(sentence.contains("other operations have held the port on `eth1`"), "{sentence}");
    drop(holder);
    stage.join(&endpoint);
    stage.is_as_known();
    stage.leave(&endpoint);
    stage.delete_endpoint(&endpoint);
    stage.delete_network(NETWORKS[0]);
    stage.is_as_known();
}
