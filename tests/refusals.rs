//! What is refused when a network is made: with one sentence that says what was wrong and what to do, and no change.
//!
//! [`Scene::refused_network`] compares the host's links and the networks on record before and after each.

use crate::world::{Scene, refused_with};

const SUBNET: &str = "--subnet=192.168.66.0/24";

#[track_caller]
fn refused(scene: &Scene, options: &str, parts: &[&str]) {
    refused_with(&scene.refused_network(&format!("{SUBNET} {options} refused")), parts);
}

#[test]
fn options_that_mean_nothing() {
    let scene = Scene::begin();
    for (options, parts) in [
        ("-o parent=eth0 -o ipvlan_mod=l3", ["there is no option `ipvlan_mod`", "did you mean `ipvlan_mode`?"]),
        ("-o master=eth0", ["there is no option `master`", "did you mean `parent`?"]),
        ("-o parent=eth0 -o ipvlan_mode=l4", ["`ipvlan_mode`", "`l4` was given and l2, l3 or l3s was expected"]),
        ("-o parent=eth0 -o ipvlan_mode=L2", ["`ipvlan_mode`", "`L2` was given and l2, l3 or l3s was expected"]),
        ("-o parent=eth0 -o ipvlan_mode=", ["`ipvlan_mode`", "l2, l3 or l3s was expected"]),
        (
            "-o parent=eth0 -o ipvlan_flag=none",
            ["`ipvlan_flag`", "`none` was given and bridge, private or vepa was expected"],
        ),
    ] {
        refused(&scene, options, &parts);
    }
}

#[test]
fn parents_that_do_not_exist_and_cannot_be_made() {
    let scene = Scene::begin();
    for (parent, parts) in [
        ("eth7", ["parent `eth7` is no link of this host", "`ip link` shows"]),
        ("eth7.10", ["neither does `eth7` to make the VLAN on", "create `eth7` first"]),
        ("eth0.0", ["`0` is no VLAN id", "1 to 4094 was expected"]),
        ("eth0.4095", ["`4095` is no VLAN id", "1 to 4094 was expected"]),
        ("eth0.ten", ["`ten` is no VLAN id", "1 to 4094 was expected"]),
        ("eth0.10.20", ["only one VLAN tag is made on demand", "make the link yourself"]),
        ("enx001122334455.10", ["18 bytes long and an interface name has at most 15", "shorter name"]),
        ("eth0/x", ["`eth0/x` is no interface name", "`ip link` shows"]),
    ] {
        refused(&scene, &format!("-o parent={parent}"), &parts);
    }
}

#[test]
fn vlan_links_that_cannot_be_made() {
    let scene = Scene::begin();
    scene.by_hand("ip link add link eth0 name office type vlan id 30", "ip link delete office");
    refused(&scene, "-o parent=eth0.30", &["there is a link for VLAN 30 on `eth0` already", "pass that link's name"]);
    scene.by_hand("ip link set eth1 down", "ip link set eth1 up");
    refused(&scene, "-o parent=eth1.30", &["cannot be set up while the link below it is down", "ip link set LINK up"]);
}

#[test]
fn options_of_a_container_that_mean_nothing() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0 db_net");
    let sentence = scene.refused_container("one", "--network=name=db_net,driver-opt=speed=9 alpine sleep 1d");
    refused_with(&sentence, &["an endpoint has no option `speed`", "leave `--driver-opt speed` out"]);
}

#[test]
fn parents_that_are_no_ethernet_links() {
    let scene = Scene::begin();
    refused(&scene, "-o parent=lo", &["parent `lo` is the loopback", "an internal network"]);
    scene.by_hand("ip tuntap add dev tun7 mode tun", "ip link delete tun7");
    refused(&scene, "-o parent=tun7", &["parent `tun7` is not an Ethernet link"]);
    refused(&scene, "-o parent=tun7.10", &["parent `tun7` is not an Ethernet link"]);
}

#[test]
fn parents_that_somebody_else_uses() {
    let scene = Scene::begin();
    scene.by_hand("ip link add busy0 type dummy", "ip link delete busy0");

    scene.by_hand("ip link add mv0 link busy0 type macvlan", "ip link delete mv0");
    refused(&scene, "-o parent=busy0", &["parent `busy0` already carries the macvlan link `mv0`", "remove `mv0`"]);
    crate::world::run("ip link delete mv0");

    for kind in ["bridge", "bond"] {
        scene.by_hand(&format!("ip link add over0 type {kind}"), "ip link delete over0");
        crate::world::run("ip link set busy0 master over0");
        refused(
            &scene,
            "-o parent=busy0",
            &[&format!("parent `busy0` is a member of the {kind} `over0`"), "parent=over0"],
        );
        crate::world::run("ip link delete over0");
    }

    scene.by_hand("ip link add sl0 link busy0 type ipvlan mode l2", "ip link delete sl0");
    refused(&scene, "-o parent=sl0", &["parent `sl0` is itself an ipvlan slave", "parent=busy0"]);
}
