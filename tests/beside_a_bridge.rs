//! Containers that are on a bridge network as well: joined and left in both orders.

use crate::world::{Ability, Container, Host, NEIGHBOUR, Scene, Standpoint, run};

/// The name of the interface that is a slave; which number it has depends on the engine and on what was there before.
fn slave(container: &Container) -> String {
    let names = container.interfaces();
    let slave = names.iter().find(|name| container.try_interface(name).is_some_and(|shown| shown.kind == "ipvlan"));
    slave.unwrap_or_else(|| panic!("no slave among {names:?}")).clone()
}

fn both_orders(scene: &Scene, mode: &str, subnet: &str, address: &str) {
    scene.network(&format!("--subnet={subnet} -o parent=eth0 -o ipvlan_mode={mode} lan"));
    scene.network_of("bridge", "--subnet=172.30.0.0/24 inside");
    let one = scene.container("one", &format!("--net=lan --ip={address} alpine sleep 1d"));
    let is_on_both = || {
        one.interface(&slave(&one)).is_slave_on("eth0", &format!("{mode}/bridge"));
        assert_eq!(one.default_route().lines().count(), 1, "{}", one.default_route());
        Host.reaches(&one.address("inside"));
        scene.has_no_faults();
    };

    run("docker network connect inside one");
    is_on_both();
    run("docker network disconnect lan one");
    assert!(one.default_route().contains("172.30.0.1"), "{}", one.default_route());
    Host.reaches(&one.address("inside"));

    run(&format!("docker network connect --ip={address} lan one"));
    is_on_both();
    run("docker network disconnect inside one");
    let gateway = if mode == "l2" { "default via 192.168.1.1 dev " } else { "default dev " };
    assert!(one.default_route().starts_with(gateway), "{}", one.default_route());
    one.reaches("192.168.1.200");
    NEIGHBOUR.reaches(address);
    scene.has_no_faults();

    run("docker network connect inside one");
    run("docker network disconnect inside one");
    NEIGHBOUR.reaches(address);
}

#[test]
fn joined_and_left_in_both_orders_in_l2() {
    both_orders(&Scene::begin(), "l2", "192.168.1.0/24 --gateway=192.168.1.1", "192.168.1.66");
}

#[test]
fn joined_and_left_in_both_orders_in_l3() {
    let Some(scene) = Scene::where_engine_can(Ability::L3BesideOthers) else { return };
    both_orders(&scene, "l3", "192.168.214.0/24", "192.168.214.66");
}
