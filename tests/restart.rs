//! The daemon dies and comes back under running containers.

use crate::world::{Driver, NEIGHBOUR, Scene, Standpoint, attempt, recorded_networks};

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
fn a_network_removed_while_the_daemon_is_down_can_be_forgotten() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0.10 lost");
    let id = scene.network_id("lost");
    Driver::get().kill();
    // Docker tries for about fifteen seconds, then forgets the network whatever we say.
    scene.try_to_remove_network("lost");
    Driver::get().start_again();
    let gone = attempt("docker network inspect lost").is_err();
    assert!(gone, "Docker has forgotten the network");
    assert_eq!(recorded_networks(), [id.as_str()]);

    crate::world::run(&format!("ipvland network forget {}", &id[..12]));
    assert_eq!(recorded_networks(), [""; 0]);
    assert!(attempt("ip link show eth0.10").is_err(), "its VLAN link went with it");
}
