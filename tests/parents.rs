//! Parents of every kind, up and down. (The LAN's own eth0 is a veth; for VLANs see `vlan`.)

use serde_json::json;

use crate::world::{Host, NEIGHBOUR, Scene, Standpoint, ipvland_json, refused_with, run, wait_until};

/// A link of a kind with eth1 in it, which carries containers to the LAN.
fn carries_containers(kind: &str, parent: &str) {
    let scene = Scene::begin();
    scene.by_hand("ip link set eth1 down", "ip link set eth1 up");
    scene.by_hand(&format!("ip link add {parent} type {kind}"), &format!("ip link delete {parent}"));
    Host.run(&format!("ip link set eth1 master {parent}"));
    Host.run("ip link set eth1 up");
    Host.run(&format!("ip link set {parent} up"));
    scene.network(&format!("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent={parent} lan"));
    // Not an address that others have had with the hardware address of eth0, which the LAN may remember.
    let one = scene.container("one", "--net=lan --ip=192.168.1.167 alpine sleep 1d");

    one.interface("eth0").is_slave_on(parent, "l2/bridge");
    one.reaches("192.168.1.200");
    NEIGHBOUR.reaches("192.168.1.167");
    scene.has_no_faults();
}

#[test]
fn a_bond() {
    carries_containers("bond mode active-backup", "bond7");
}

#[test]
fn a_bridge() {
    carries_containers("bridge", "br7");
}

#[test]
fn a_dummy_that_was_there_stays() {
    let scene = Scene::begin();
    scene.by_hand("ip link add dum7 type dummy", "ip link delete dum7");
    Host.run("ip link set dum7 up");
    scene.network("--subnet=192.168.66.0/24 -o parent=dum7 -o ipvlan_mode=l3 lan");
    let one = scene.container("one", "--net=lan --ip=192.168.66.7 alpine sleep 1d");
    let other = scene.container("other", "--net=lan alpine sleep 1d");
    one.interface("eth0").is_slave_on("dum7", "l3/bridge");
    other.reaches("192.168.66.7");

    scene.remove_containers(&["one", "other"]);
    scene.remove_network("lan");
    assert_eq!(Host.interface("dum7").kind, "dummy");
}

#[test]
fn a_parent_that_has_gone_is_named_when_a_container_needs_it() {
    let scene = Scene::begin();
    scene.by_hand("ip link add dum7 type dummy", "ip link delete dum7");
    scene.network("--subnet=192.168.66.0/24 -o parent=dum7 lan");
    Host.run("ip link delete dum7");
    let sentence = scene.refused_container("one", "--net=lan alpine sleep 1d");
    refused_with(&sentence, &["parent `dum7` of network", "is not there", "bring `dum7` back, or remove the network"]);
    scene.remove_containers(&["one"]);
    scene.remove_network("lan");
}

#[test]
fn a_parent_that_is_down_is_taken_and_reported_and_works_once_it_is_up() {
    let scene = Scene::begin();
    scene.by_hand("ip link set eth1 down", "ip link set eth1 up");
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth1 lan");
    let one = scene.container("one", "--net=lan --ip=192.168.1.167 alpine sleep 1d");
    one.interface("eth0").is_slave_on("eth1", "l2/bridge");
    let faults = ipvland_json("status")["faults"].to_string();
    refused_with(&faults, &["parent `eth1` is down", "ip link set eth1 up"]);
    one.does_not_reach("192.168.1.200");

    Host.run("ip link set eth1 up");
    one.reaches("192.168.1.200");
    NEIGHBOUR.reaches("192.168.1.167");
    scene.has_no_faults();
}

fn faults() -> String {
    ipvland_json("status")["faults"].to_string()
}

#[test]
fn a_parent_that_goes_and_comes_back_takes_new_containers() {
    let scene = Scene::begin();
    let (make, take) = ("ip link add dum7 type dummy", "ip link delete dum7");
    scene.by_hand(make, take);
    run("ip link set dum7 up");
    scene.network("--subnet=192.168.66.0/24 -o parent=dum7 lan");
    let lost = scene.container("lost", "--net=lan alpine sleep 1d");
    run(take);
    assert_eq!(lost.interfaces(), ["lo"]);
    refused_with(&faults(), &["parent `dum7` is not there", "has lost its link; its container must be started again"]);

    run(make);
    run("ip link set dum7 up");
    let new = scene.container("new", "--net=lan alpine sleep 1d");
    new.interface("eth0").is_slave_on("dum7", "l2/bridge");
    run("docker restart --time 0 lost");
    lost.interface("eth0").is_slave_on("dum7", "l2/bridge");
    new.reaches(&lost.address("lan"));
    scene.has_no_faults();
}

#[test]
fn a_vlan_link_of_ours_that_somebody_deletes_is_made_again() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.10.0/24 --gateway=192.168.10.1 -o parent=eth0.10 tagged");
    let one = scene.container("one", "--net=tagged alpine sleep 1d");
    run("ip link delete eth0.10");
    // Nobody asks the daemon for it.
    wait_until("the link is there again, and up", || {
        std::fs::read_to_string("/sys/class/net/eth0.10/flags").is_ok_and(|flags| flags.trim() == "0x1003")
    });
    refused_with(&faults(), &["has lost its link; its container must be started again"]);
    run("docker restart --time 0 one");
    one.interface("eth0").is_slave_on("eth0.10", "l2/bridge");
    one.reaches("192.168.10.1");
    scene.has_no_faults();
}

#[test]
fn an_mtu_of_ones_own_outlives_a_change_of_the_parents_and_others_follow() {
    let scene = Scene::begin();
    scene.by_hand("ip link add dum7 type dummy", "ip link delete dum7");
    run("ip link set dum7 up mtu 1500");
    scene.network("--subnet=192.168.66.0/24 -o parent=dum7 -o com.docker.network.driver.mtu=1400 own");
    scene.network("--subnet=192.168.67.0/24 -o parent=dum7 parents");
    let own = scene.container("own", "--net=own alpine sleep 1d");
    let follower = scene.container("follower", "--net=parents alpine sleep 1d");
    run("ip link set dum7 mtu 1450");
    wait_until("its own MTU is back", || own.interface("eth0").mtu == 1400);
    assert_eq!(follower.interface("eth0").mtu, 1450);
    scene.has_no_faults();
}

#[test]
fn a_parent_that_is_renamed_carries_what_lives_and_is_missed_until_it_has_its_name_again() {
    let scene = Scene::begin();
    scene.by_hand("ip link add dum7 type dummy", "ip link delete dum7");
    run("ip link set dum7 up");
    scene.network("--subnet=192.168.66.0/24 -o parent=dum7 lan");
    let one = scene.container("one", "--net=lan alpine sleep 1d");
    let two = scene.container("two", "--net=lan alpine sleep 1d");
    let rename = |from: &str, to: &str| {
        // Kernels before 6.2 rename only what is down.
        run(&format!("ip link set {from} down"));
        run(&format!("ip link set {from} name {to}"));
        run(&format!("ip link set {to} up"));
    };
    rename("dum7", "dum8");
    one.reaches(&two.address("lan"));
    refused_with(&faults(), &["parent `dum7` is not there"]);
    rename("dum8", "dum7");
    scene.container("three", "--net=lan alpine sleep 1d").reaches(&two.address("lan"));
    assert_eq!(ipvland_json("status")["faults"], json!([]));
}
