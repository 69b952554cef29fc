//! What people and machines read of an examination, word for word. Machines depend on the keys: change them only on purpose.

use engine::{Diagnosis, Examination, ParentLink};
use model::{KernelVersion, ParentFault, PortSettings};

use super::{Engine, Report, json, table};
use crate::engine_api::Program;

fn link(name: &str, kind: &str) -> ParentLink {
    ParentLink {
        name: name.parse().unwrap(),
        kind: kind.into(),
        up: true,
        mtu: 1500,
        port: None,
        networks: Vec::new(),
        obstacle: None,
    }
}

fn report() -> Report {
    let name = |text: &str| text.parse().unwrap();
    let eth0 = ParentLink {
        port: Some(PortSettings::default()),
        networks: vec!["0123456789abcdef".parse().unwrap()],
        ..link("eth0", "ethernet")
    };
    let obstacle = ParentFault::Member { name: name("eth1"), kind: "bond".into(), holder: name("bond0") };
    let eth1 = ParentLink { up: false, obstacle: Some(obstacle), ..link("eth1", "ethernet") };
    Report {
        examination: Examination {
            kernel: KernelVersion { major: 6, minor: 12 },
            links: vec![eth0, eth1, link("bond0", "bond")],
            findings: vec![
                Diagnosis::fault("eth0", "parent `eth0` is down", "`ip link set eth0 up`"),
                Diagnosis::note("Docker 26.1.5", "Docker 26.1.5 is old", "install a newer one"),
            ],
        },
        engines: vec![Engine {
            program: Program { name: "Docker", version: "26.1.5".into() },
            socket: "/run/docker.sock".into(),
        }],
    }
}

#[test]
fn an_examination_for_people() {
    let expected = "\
kernel 6.12, Docker 26.1.5

Parents
 LINK   KIND      STATE  MTU   PORT       NETWORKS  SUITABLE
 eth0   ethernet  up     1500  l2/bridge  1         yes
 eth1   ethernet  down   1500  -          0         no
 bond0  bond      up     1500  -          0         yes

Findings
 SEVERITY  ABOUT          FINDING
 fault     eth0           parent `eth0` is down; `ip link set eth0 up`
 note      Docker 26.1.5  Docker 26.1.5 is old; install a newer one
";
    assert_eq!(table::report(&report()), expected);
    let mut well = report();
    well.examination.findings.clear();
    assert!(table::report(&well).ends_with("\nFindings\nnothing\n"));
}

#[test]
fn an_examination_for_machines() {
    let expected = serde_json::json!({
        "kernel": "6.12",
        "engines": [{ "name": "Docker", "version": "26.1.5", "socket": "/run/docker.sock" }],
        "links": [
            {
                "name": "eth0", "kind": "ethernet", "up": true, "mtu": 1500,
                "port": { "mode": "l2", "flag": "bridge" }, "networks": ["0123456789abcdef"], "obstacle": null,
            },
            {
                "name": "eth1", "kind": "ethernet", "up": false, "mtu": 1500, "port": null, "networks": [],
                "obstacle": "parent `eth1` is a member of the bond `bond0`",
            },
            {
                "name": "bond0", "kind": "bond", "up": true, "mtu": 1500, "port": null, "networks": [], "obstacle": null,
            },
        ],
        "findings": [
            {
                "severity": "fault", "about": "eth0", "sentence": "parent `eth0` is down",
                "remedy": "`ip link set eth0 up`",
            },
            {
                "severity": "note", "about": "Docker 26.1.5", "sentence": "Docker 26.1.5 is old",
                "remedy": "install a newer one",
            },
        ],
    });
    assert_eq!(serde_json::to_value(json::Report::of(&report())).unwrap(), expected);
}
