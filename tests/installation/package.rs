//! The Debian package.

use std::os::unix::fs::PermissionsExt;

use crate::machine::{Machine, NEWER, PACKAGE, Pings, active, property, traces};
use crate::world::{Host, NEIGHBOUR, Standpoint, attempt, run};

const SOCKET: &str = "/run/docker/plugins/ipvland.sock";

#[test]
fn installed_beside_a_running_engine_it_serves() {
    let machine = Machine::begin();
    let engine = property("docker.service", "MainPID");
    run(&format!("dpkg --install {PACKAGE}"));
    assert_eq!(active(), (true, false), "the socket waits for the first call");
    assert_eq!(run("systemctl is-enabled ipvland.socket"), "enabled");
    let rights = std::fs::metadata(SOCKET).expect("the socket is there").permissions().mode() & 0o777;
    assert_eq!(rights, 0o600);

    machine.network("lan");
    assert_eq!(active(), (true, true));
    let one = machine.container("one", "lan", "");
    one.interface("eth0").is_slave_on("eth0", "l2/bridge");
    assert_eq!(property("docker.service", "MainPID"), engine, "Docker was not restarted");
    run("ipvland status");
    assert!(run("ipvland --version").starts_with("ipvland "));
    for file in ["usr/share/man/man8/ipvland.8.gz", "usr/share/bash-completion/completions/ipvland"] {
        assert!(run("dpkg --listfiles ipvland").contains(file), "{file} is not in the package");
    }
    for folder in ["netavark", "cni"] {
        assert_eq!(run(&format!("realpath /usr/lib/{folder}/ipvland")), "/usr/bin/ipvland");
    }
}

#[test]
fn an_upgrade_under_running_containers_loses_nothing() {
    let machine = Machine::with_package();
    machine.network("lan");
    let one = machine.container("one", "lan", "");
    let interface = one.interface("eth0");
    let daemon = property("ipvland.service", "MainPID");
    let socket = || (property("ipvland.socket", "ActiveEnterTimestampMonotonic"), run(&format!("stat -c %i {SOCKET}")));
    let before = socket();

    let pings = Pings::begin(&one.address("lan"));
    // What Docker asks meanwhile waits in the socket.
    std::thread::scope(|scope| {
        scope.spawn(|| run(&format!("dpkg --install {NEWER}")));
        machine.container("two", "lan", "");
    });
    let (answered, lost) = pings.end();
    assert_eq!(lost, [""; 0], "pings without an answer, {answered} had one");
    assert!(answered > 20, "only {answered} pings");

    assert!(run("dpkg-query --show ipvland").ends_with("-2"));
    assert_eq!(active(), (true, true));
    assert_ne!(property("ipvland.service", "MainPID"), daemon, "another daemon");
    assert_eq!(socket(), before, "the same socket");
    assert_eq!(one.interface("eth0"), interface);
    machine.container("three", "lan", "");
    run("ipvland status");
}

#[test]
fn a_removal_with_networks_in_use_is_refused_and_changes_nothing() {
    let machine = Machine::with_package();
    let id = machine.network("lan");
    let one = machine.container("one", "lan", "");
    let state = || {
        let pids =
            (property("ipvland.service", "MainPID"), property("ipvland.socket", "ActiveEnterTimestampMonotonic"));
        (pids, traces(), one.interface("eth0"), run("dpkg --listfiles ipvland"))
    };
    let before = state();
    for how in ["--remove", "--purge"] {
        let refusal = attempt(&format!("dpkg {how} ipvland")).expect_err("a network is in use");
        let id = &id[..12];
        for part in [&format!("error: a network is on record: {id} on eth0"), &format!("`docker network rm {id}`")[..]]
        {
            assert!(refusal.contains(part), "`{part}` was expected in: {refusal}");
        }
        assert!(run("dpkg --status ipvland").contains("ok installed"), "{how}");
        assert_eq!(state(), before, "{how}");
    }
    NEIGHBOUR.reaches(&one.address("lan"));
    machine.container("two", "lan", "");
}

#[test]
fn a_removal_leaves_nothing() {
    let machine = Machine::with_package();
    machine.network("lan");
    machine.container("one", "lan", "");
    assert!(traces().len() > 10, "it leaves traces while it is there: {:?}", traces());
    machine.remove_all();
    run("dpkg --remove ipvland");
    assert_eq!(traces(), [""; 0]);
    assert!(!Host.interfaces().iter().any(|name| name.starts_with("ipl")));

    // Installed again it is as new, and an upgrade that came back is no obstacle.
    run(&format!("dpkg --install {NEWER}"));
    assert_eq!(active(), (true, false));
    machine.network("again");
    machine.remove_all();
    run("dpkg --remove ipvland");

    // What was left by hand goes with a purge.
    run("mkdir /var/lib/ipvland");
    run("dpkg --purge ipvland");
    assert_eq!(traces(), [""; 0]);
    assert!(attempt("dpkg --status ipvland").is_err(), "dpkg has forgotten it");
}
