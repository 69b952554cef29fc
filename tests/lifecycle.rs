//! Containers come, go, die and change their networks; their slaves do the same.

use crate::world::{Ability, NEIGHBOUR, Scene, Standpoint, ipvland_json, links_named, run, wait_until};

fn endpoints() -> usize {
    ipvland_json("status")["endpoints"].as_array().expect("a list").len()
}

#[test]
fn a_container_is_stopped_started_restarted_and_killed() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0 db_net");
    let one = scene.container("one", "--net=db_net --ip=192.168.1.60 alpine sleep 1d");
    let is_well = || {
        one.interface("eth0").is_slave_on("eth0", "l2/bridge");
        NEIGHBOUR.reaches("192.168.1.60");
        scene.has_no_faults();
    };
    let is_gone = || {
        assert_eq!(endpoints(), 0);
        assert_eq!(links_named("ipl"), [""; 0], "neither slave nor sentinel");
    };
    is_well();

    run("docker stop --time 0 one");
    is_gone();
    run("docker start one");
    is_well();
    run("docker restart --time 0 one");
    is_well();

    run(&format!("kill -9 {}", one.pid()));
    wait_until("Docker has noticed", || one.inspect()["State"]["Running"] == false);
    wait_until("the endpoint is gone", || endpoints() == 0);
    is_gone();
    run("docker start one");
    is_well();

    scene.remove_containers(&["one"]);
    is_gone();
}

#[test]
fn a_container_changes_its_networks_while_it_runs() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0 first");
    scene.network("--subnet=192.168.10.0/24 --gateway=192.168.10.1 -o parent=eth0.10 second");
    let one = scene.container("one", "--net=first alpine sleep 1d");

    run("docker network connect --ip 192.168.10.60 second one");
    assert_eq!(one.interfaces(), ["lo", "eth0", "eth1"]);
    one.interface("eth0").is_slave_on("eth0", "l2/bridge");
    one.interface("eth1").is_slave_on("eth0.10", "l2/bridge");
    assert_eq!(one.default_route().lines().count(), 1, "{}", one.default_route());
    one.reaches("192.168.1.200");
    one.reaches("192.168.10.1");
    assert_eq!(endpoints(), 2);
    scene.has_no_faults();

    run("docker network disconnect first one");
    assert_eq!(one.interfaces(), ["lo", "eth1"]);
    assert_eq!(one.default_route(), "default via 192.168.10.1 dev eth1");
    one.reaches("192.168.10.1");
    assert_eq!(endpoints(), 1);

    run("docker network connect first one");
    // Which number the engine gives it this time depends on its version.
    let names = one.interfaces();
    let again = names.iter().find(|name| !["lo", "eth1"].contains(&name.as_str())).expect("a second interface");
    one.interface(again).is_slave_on("eth0", "l2/bridge");
    one.reaches("192.168.1.200");
    scene.has_no_faults();
}

#[test]
fn a_container_changes_from_l3_to_l2_and_back_while_it_runs() {
    let Some(scene) = Scene::where_engine_can(Ability::L3BesideOthers) else { return };
    scene.network("--subnet=192.168.214.0/24 -o parent=eth0 -o ipvlan_mode=l3 routed");
    scene.network("--subnet=192.168.10.0/24 --gateway=192.168.10.1 -o parent=eth0.10 ten");
    let one = scene.container("one", "--net=routed --ip=192.168.214.60 alpine sleep 1d");

    run("docker network connect ten one");
    one.interface("eth0").is_slave_on("eth0", "l3/bridge");
    one.interface("eth1").is_slave_on("eth0.10", "l2/bridge");
    assert_eq!(one.default_route().lines().count(), 1, "{}", one.default_route());
    one.reaches("192.168.10.1");
    scene.has_no_faults();

    run("docker network disconnect routed one");
    assert_eq!(one.default_route(), "default via 192.168.10.1 dev eth1");
    run("docker network connect --ip=192.168.214.60 routed one");
    run("docker network disconnect ten one");
    assert!(one.default_route().starts_with("default dev "), "{}", one.default_route());
    NEIGHBOUR.reaches("192.168.214.60");
    scene.has_no_faults();
}
