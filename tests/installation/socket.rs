//! The units: the socket is always there, the daemon when it is needed.

use std::time::{Duration, Instant, SystemTime};

use crate::machine::{Machine, active, property};
use crate::world::{NEIGHBOUR, ROUTER, Standpoint, attempt, run, wait_until};

#[test]
fn the_first_request_starts_a_daemon_that_is_down() {
    let machine = Machine::with_package();
    machine.network("lan");
    let one = machine.container("one", "lan", "");
    run("systemctl stop ipvland.service");
    assert_eq!(active(), (true, false));
    NEIGHBOUR.reaches(&one.address("lan"));
    machine.container("two", "lan", "");
    assert_eq!(active(), (true, true));
    run("ipvland status");
}

#[test]
fn a_killed_daemon_comes_back_by_itself() {
    let machine = Machine::with_package();
    machine.network("lan");
    let daemon = property("ipvland.service", "MainPID");
    run("systemctl kill --signal=KILL ipvland.service");
    machine.container("one", "lan", "");
    wait_until("it runs again", || active() == (true, true));
    assert_ne!(property("ipvland.service", "MainPID"), daemon);
}

#[test]
fn an_engine_that_starts_finds_a_daemon_that_was_down() {
    let machine = Machine::with_package();
    machine.network_of("vlan", "--subnet=192.168.10.0/24 --gateway=192.168.10.1 -o parent=eth0.10");
    let one = machine.container("one", "vlan", "--restart=always");
    run("systemctl stop docker.service docker.socket");
    run("systemctl stop ipvland.service");
    // A boot has no links of the life before.
    run("ip link delete eth0.10");
    let started = now();
    run("systemctl start docker");
    wait_until("the container runs again", || one.inspect()["State"]["Running"] == true);
    ROUTER.reaches(&one.address("vlan"));
    assert_eq!(active(), (true, true));
    run("ipvland status");
    let complaints = attempt(&format!("journalctl --unit=docker --quiet --since=@{started} --grep=ipvland"));
    assert!(complaints.is_err(), "Docker complains: {complaints:?}");
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970").as_secs()
}

#[test]
fn the_socket_is_there_before_docker_starts_and_until_it_has_stopped() {
    let machine = Machine::with_package();
    machine.network("lan");
    let needed = run("systemctl list-dependencies --plain sockets.target");
    assert!(needed.contains("ipvland.socket"), "a boot starts it: {needed}");

    let order = property("docker.service", "After");
    for unit in ["ipvland.socket", "ipvland.service"] {
        assert!(order.contains(unit), "Docker starts after {order}");
    }

    // Boot and shutdown are one transaction each, in which systemd orders what is started or stopped.
    let units = "docker.service docker.socket ipvland.service ipvland.socket";
    let unit = format!("[Unit]\nWants=docker.service ipvland.socket\nPropagatesStopTo={units}\n");
    std::fs::write("/run/systemd/system/life.target", unit).expect("/run is writable");
    run("systemctl daemon-reload");
    run(&format!("systemctl stop {units}"));
    let at = |unit, what| -> u64 { property(unit, what).parse().expect("a number of microseconds") };
    run("systemctl start life.target");
    machine.container("one", "lan", "");
    assert_eq!(active(), (true, true));
    let (begins, is_up) = ("InactiveExitTimestampMonotonic", "ActiveEnterTimestampMonotonic");
    assert!(at("ipvland.socket", is_up) <= at("docker.service", begins), "Docker starts later than the socket");

    // That waits for the target alone, which goes first.
    run("systemctl stop life.target");
    wait_until("all have stopped", || {
        active() == (false, false) && property("docker.service", "ActiveState") == "inactive"
    });
    let (ends, is_down) = ("ActiveExitTimestampMonotonic", "InactiveEnterTimestampMonotonic");
    for unit in ["ipvland.service", "ipvland.socket"] {
        assert!(at("docker.service", is_down) <= at(unit, ends), "{unit} stops later than Docker");
    }
    run("systemctl start docker.service ipvland.socket");
}

#[test]
fn a_daemon_that_cannot_start_is_given_up() {
    let machine = Machine::with_package();
    machine.drop_in("[Service]\nExecStart=\nExecStart=/bin/false\n");
    let asked = Instant::now();
    let refusal = attempt("docker network create -d ipvland --subnet=192.168.1.0/24 -o parent=eth0 lan");
    assert!(refusal.is_err(), "nobody answers: {refusal:?}");
    assert!(asked.elapsed() < Duration::from_secs(60), "Docker waited {:?}", asked.elapsed());
    wait_until("systemd gives up", || property("ipvland.socket", "ActiveState") == "failed");

    machine.drop_nothing_in();
    run("systemctl reset-failed ipvland.service ipvland.socket");
    run("systemctl start ipvland.socket");
    machine.network("lan");
}
