//! Modes l3 and l3s: the host routes.

use crate::world::{NEIGHBOUR, ROUTER, Scene, Standpoint};

/// The router of the LAN has routes to these subnets through the host.
const SUBNETS: &str = "--ipv6 --subnet=192.168.214.0/24 --subnet=10.1.214.0/24 --subnet=2001:db8:214::/64";

fn two_subnets_meet_each_other_and_the_lan(mode: &str) {
    let scene = Scene::begin();
    scene.network(&format!("{SUBNETS} -o parent=eth0 -o ipvlan_mode={mode} routed"));
    let one = scene.container("one", "--net=routed --ip=192.168.214.10 --ip6=2001:db8:214::10 alpine sleep 1d");
    let other = scene.container("other", "--net=routed --ip=10.1.214.10 alpine sleep 1d");

    assert_eq!(scene.inspect_network("routed")["Options"]["ipvlan_mode"], mode);
    one.interface("eth0").is_slave_on("eth0", &format!("{mode}/bridge"));
    assert_eq!(one.interface("eth0").addresses, ["192.168.214.10/24", "2001:db8:214::10/64"]);
    for container in [&one, &other] {
        assert!(container.default_route().starts_with("default dev eth0"), "{}", container.default_route());
        assert!(container.default_route_v6().starts_with("default dev eth0"), "{}", container.default_route_v6());
    }

    one.reaches("10.1.214.10");
    other.reaches("192.168.214.10");
    other.reaches("2001:db8:214::10");
    one.reaches_by_name("other");
    for machine in ["192.168.1.1", "192.168.1.200", "2001:db8:1::1", "2001:db8:1::200"] {
        one.reaches(machine);
    }
    for address in ["192.168.214.10", "10.1.214.10", "2001:db8:214::10"] {
        NEIGHBOUR.reaches(address);
        ROUTER.reaches(address);
    }
    scene.has_no_faults();
}

#[test]
fn l3_subnets_meet_each_other_and_the_lan() {
    two_subnets_meet_each_other_and_the_lan("l3");
}

#[test]
fn l3s_subnets_meet_each_other_and_the_lan() {
    two_subnets_meet_each_other_and_the_lan("l3s");
}

#[test]
fn l3_ignores_a_gateway() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.214.0/24 --gateway=192.168.214.9 -o parent=eth0 -o ipvlan_mode=l3 routed");
    let one = scene.container("one", "--net=routed alpine sleep 1d");

    assert!(one.default_route().starts_with("default dev eth0"), "{}", one.default_route());
    assert_eq!(one.default_route_v6(), "", "there is no IPv6 on it");
    NEIGHBOUR.reaches(&one.address("routed"));
}
