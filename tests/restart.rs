//! The daemon dies and comes back under running containers.

use crate::world::{
    Driver, NEIGHBOUR, Scene, Standpoint, attempt, ipvland_json, recorded_networks, refused_with, wait_until,
};

#[test]
fn containers_outlive_the_daemon_and_are_removed_by_its_successor() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0 db_net");
    let one = scene.container("one", "--net=db_net alpine sleep 1d");
    let address = one.address("db_net");

    let before = one.interface("eth0");
    Driver::get().kill();
    NEIGHBOUR.reaches(&address);
    Driver::get().start_again();
    NEIGHBOUR.reaches(&address);
    assert_eq!(one.interface("eth0"), before);
    scene.has_no_faults();

    let two = scene.container("two", "--net=db_net alpine sleep 1d");
    two.reaches(&address);
    NEIGHBOUR.reaches(&two.address("db_net"));
    scene.has_no_faults();
}

#[test]
fn a_gateway_that_nobody_named_outlives_the_daemon() {
    let scene = Scene::begin();
    // Docker tells the driver of the gateway it has chosen, and nobody later.
    scene.network("--subnet=192.168.1.0/24 -o parent=eth0 db_net");
    scene.network("--subnet=192.168.10.0/24 --ip-range=192.168.10.64/26 -o parent=eth0.10 ranged");
    let before = ipvland_json("network ls");
    Driver::get().kill();
    Driver::get().start_again();
    wait_until("Docker was asked", || scene.log().contains("compared with what the engine remembers"));
    assert_eq!(ipvland_json("network ls"), before);
    let one = scene.container("one", "--net=db_net alpine sleep 1d");
    assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0");
    one.reaches("192.168.1.1");
    scene.has_no_faults();
}

#[test]
fn a_network_removed_while_the_daemon_is_down_goes_when_it_is_up() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0.10 lost");
    Driver::get().kill();
    // Docker tries for about fifteen seconds, then forgets the network whatever we say.
    scene.try_to_remove_network("lost");
    Driver::get().start_again();
    let gone = attempt("docker network inspect lost").is_err();
    assert!(gone, "Docker has forgotten the network");
    wait_until("the daemon has asked Docker which networks there are", || recorded_networks() == [""; 0]);
    assert!(attempt("ip link show eth0.10").is_err(), "its VLAN link went with it");
    assert!(scene.log().contains("the engine no longer has it: removed"));
}

#[test]
fn a_network_that_docker_still_has_can_be_forgotten_by_hand_only_when_nothing_lives_on_it() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0.10 kept");
    let id = scene.network_id("kept");
    scene.container("one", "--net=kept alpine sleep 1d");
    refused_with(
        &attempt(&format!("ipvland network forget {}", &id[..12])).unwrap_err(),
        &["is in use", "1 of its endpoints live"],
    );
    scene.remove_containers(&["one"]);
    crate::world::run(&format!("ipvland network forget {}", &id[..12]));
    assert_eq!(recorded_networks(), [""; 0]);
    assert!(attempt("ip link show eth0.10").is_err(), "its VLAN link went with it");
}
