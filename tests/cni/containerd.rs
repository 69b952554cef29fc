//! A runtime that people use: containerd's `ctr run --cni`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{lan, nothing_is_left};
use crate::world::{
    Containerd, NEIGHBOUR, Process, ROUTER, Scene, Standpoint, attempt, documented_under, example, held_addresses,
    ipvland_json, refused_with, run, wait_until,
};

/// A network as it is described in a file of `/etc/cni/net.d`.
fn list() -> Value {
    json!({ "cniVersion": "1.0.0", "name": "lan", "plugins": [lan()] })
}

/// The only address of a container, by itself.
#[track_caller]
fn address(container: Process) -> String {
    let [address] = &container.interface("eth0").addresses[..] else { panic!("it has one address") };
    address.split('/').next().expect("an address").to_owned()
}

#[test]
fn two_containers_reach_each_other_and_the_router() {
    let Some(scene) = Scene::where_ctr_takes_off() else { return };
    let containerd = Containerd::of(&scene, &list());
    let [one, two] = ["one", "two"].map(|name| containerd.container(name));
    one.interface("eth0").is_slave_on("eth0", "l2/bridge");
    assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0");
    one.reaches(&address(two));
    two.reaches(&address(one));
    for container in [one, two] {
        container.reaches("192.168.1.1");
        ROUTER.reaches(&address(container));
        NEIGHBOUR.reaches(&address(container));
    }
    let who = ipvland_json(&format!("who-has {}", address(one)))["held"][0].clone();
    assert_eq!((&who["kind"], &who["frontend"]), (&json!("endpoint"), &json!("cni")), "{who}");
    refused_with(&containerd.runs("three", "ping -c 1 -w 8 192.168.1.200"), &["1 packets received"]);
    assert_eq!(held_addresses().len(), 3, "the gateway and two: {:?}", held_addresses());
    scene.has_no_faults();

    let freed = address(one);
    containerd.kill("one");
    assert!(!held_addresses().contains(&format!("{freed} endpoint")));
    containerd.kill("two");
    nothing_is_left();
}

#[test]
fn the_page_of_cni_is_run_as_it_is_written() {
    let Some(scene) = Scene::where_ctr_takes_off() else { return };
    let page = "docs/cni.md";
    let network = serde_json::from_str(&example(page, "## A network", "json")).expect("it is JSON");
    let containerd = Containerd::of(&scene, &network);
    containerd.expects(&["web".to_owned()]);
    let said: Vec<String> = documented_under(page, "### containerd").iter().map(|command| run(command)).collect();
    refused_with(&said.join("\n"), &["192.168.1.128", "cni"]);
    nothing_is_left();
}

#[test]
fn thirty_containers_start_at_once() {
    let Some(scene) = Scene::where_ctr_takes_off() else { return };
    let containerd = Containerd::of(&scene, &list());
    let names: Vec<String> = (0..30).map(|number| format!("many{number}")).collect();
    let containers = containerd.containers(&names);
    let addresses: BTreeSet<String> = containers.iter().map(|container| address(*container)).collect();
    assert_eq!(addresses.len(), 30, "{addresses:?}");
    addresses.iter().for_each(|address| ROUTER.reaches(address));
    containers[0].reaches(&address(containers[29]));
    let held: BTreeSet<String> = held_addresses().into_iter().collect();
    let expected = addresses.iter().map(|address| format!("{address} endpoint"));
    assert_eq!(held, expected.chain(["192.168.1.1 gateway".to_owned()]).collect());
    scene.has_no_faults();
}

#[test]
fn a_container_that_dies_by_itself_gives_its_address_back() {
    let scene = Scene::begin();
    let containerd = Containerd::of(&scene, &list());
    let one = containerd.container("one");
    run(&format!("kill -9 {}", one.0));
    wait_until("its namespace is gone", || {
        run("ipvland repair");
        held_addresses().is_empty()
    });
    nothing_is_left();
    // Its runtime tells of it later, or never.
    let _ = attempt("ctr task kill --signal SIGKILL one");
    nothing_is_left();
}

#[test]
fn a_plugin_that_is_killed_in_the_middle_leaves_nothing_behind() {
    let Some(scene) = Scene::where_ctr_takes_off() else { return };
    let containerd = Containerd::of(&scene, &list());
    let (ours, place) = ("/opt/ipvland/bin/ipvland", "/usr/lib/cni/ipvland");
    scene.by_hand(&format!("ln -sf {ours}-mortal {place}"), &format!("ln -sf {ours} {place}"));
    for steps in [2, 4, 6, 8] {
        let name = format!("dying{steps}");
        refused_with(&containerd.container_of_dying_plugin(&name, steps), &["killed"]);
        containerd.kill(&name);
    }
    run("ipvland repair");
    super::give_up_claims();
    let one = containerd.container("one");
    one.reaches("192.168.1.1");
    containerd.kill("one");
    nothing_is_left();
}
