//! One parent, one mode: nobody's containers are switched by a network of ours.

use serde_json::json;

use crate::world::{Host, NEIGHBOUR, Scene, Standpoint, ipvland_json, refused_with, run, wait_until};

#[test]
fn a_slave_somebody_made_by_hand_holds_the_port() {
    let scene = Scene::begin();
    scene.by_hand("ip link add theirs link eth1 type ipvlan mode l3", "ip link delete theirs");
    let sentence = scene.refused_network("--subnet=192.168.1.0/24 -o parent=eth1 late");
    refused_with(&sentence, &["eth1", "`theirs`", "l3/bridge", "l2/bridge"]);
    assert_eq!(Host.interface("theirs").settings, "l3/bridge");
}

#[test]
fn a_slave_in_another_namespace_holds_the_port() {
    let scene = Scene::begin();
    let elsewhere = scene.namespace("elsewhere");
    elsewhere.run("ip link set lo up");
    run("ip link add theirs link eth1 netns elsewhere type ipvlan mode l3s");
    let sentence = scene.refused_network("--subnet=192.168.1.0/24 -o parent=eth1 late");
    refused_with(&sentence, &["eth1", "`theirs`", "elsewhere", "l3s/bridge", "l2/bridge"]);
    assert_eq!(elsewhere.interface("theirs").settings, "l3s/bridge");
    elsewhere.run("ip link delete theirs");
}

#[test]
fn a_slave_that_agrees_is_tolerated_and_reported() {
    let scene = Scene::begin();
    scene.by_hand("ip link add theirs link eth1 type ipvlan mode l2", "ip link delete theirs");
    scene.network("--subnet=192.168.1.0/24 -o parent=eth1 late");
    let faults = &ipvland_json("status")["faults"];
    assert!(faults[0].as_str().is_some_and(|fault| fault.contains("`theirs`")), "{faults}");
    run("ip link delete theirs");
    assert_eq!(ipvland_json("status")["faults"], json!([]));
}

#[test]
fn the_built_in_drivers_containers_hold_the_port() {
    let scene = Scene::begin();
    scene.network_of("ipvlan", "--subnet=192.168.214.0/24 -o parent=eth1 -o ipvlan_mode=l3 built_in");
    let theirs = scene.container("theirs", "--net=built_in alpine sleep 1d");
    let sentence = scene.refused_network("--subnet=192.168.1.0/24 -o parent=eth1 late");
    refused_with(&sentence, &["eth1", "`eth0`", "l3/bridge", "l2/bridge"]);
    assert_eq!(theirs.interface("eth0").settings, "l3/bridge");
}

#[test]
fn a_port_that_somebody_flipped_is_a_fault_and_takes_no_new_container() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0 db_net");
    let one = scene.container("one", "--net=db_net alpine sleep 1d");
    scene.by_hand("ip link add theirs link eth0 type ipvlan mode l3", "ip link delete theirs");
    assert_eq!(one.interface("eth0").settings, "l3/bridge", "the kernel has switched everyone");

    let faults = ipvland_json("status")["faults"].to_string();
    refused_with(&faults, &["the port on `eth0` is l3/bridge and its networks need l2/bridge", "`theirs`"]);
    // Nobody had asked the daemon: it has heard of it, and says it once.
    let said = || scene.log().matches("is l3/bridge and its networks need l2/bridge, left alone").count();
    wait_until("the daemon has heard of it", || said() > 0);
    let sentence = scene.refused_container("two", "--net=db_net alpine sleep 1d");
    refused_with(&sentence, &["eth0", "l3/bridge", "l2/bridge"]);
    run("ipvland repair");
    assert_eq!(said(), 1);

    // With the stranger gone and every container too, the port is free again.
    run("ip link delete theirs");
    scene.remove_containers(&["one", "two"]);
    let again = scene.container("again", "--net=db_net alpine sleep 1d");
    again.interface("eth0").is_slave_on("eth0", "l2/bridge");
    NEIGHBOUR.reaches(&again.address("db_net"));
}
