//! Flags: who on one parent sees whom.

use crate::world::{NEIGHBOUR, ROUTER, Scene, Standpoint};

#[test]
fn private_keeps_containers_apart_and_on_the_lan() {
    let scene = Scene::begin();
    scene.network("--ipv6 --subnet=192.168.1.0/24 --gateway=192.168.1.1 --subnet=2001:db8:1::/64 --gateway=2001:db8:1::1 -o parent=eth0 -o ipvlan_flag=private apart");
    let one = scene.container("one", "--net=apart --ip=192.168.1.101 --ip6=2001:db8:1::101 alpine sleep 1d");
    let other = scene.container("other", "--net=apart --ip=192.168.1.102 --ip6=2001:db8:1::102 alpine sleep 1d");

    assert_eq!(scene.inspect_network("apart")["Options"]["ipvlan_flag"], "private");
    for container in [&one, &other] {
        container.interface("eth0").is_slave_on("eth0", "l2/private");
        container.reaches("192.168.1.1");
        container.reaches("2001:db8:1::1");
    }
    one.does_not_reach("192.168.1.102");
    one.does_not_reach("2001:db8:1::102");
    other.does_not_reach("192.168.1.101");
    for address in ["192.168.1.101", "192.168.1.102", "2001:db8:1::101"] {
        ROUTER.reaches(address);
        NEIGHBOUR.reaches(address);
    }
    scene.has_no_faults();
}

#[test]
fn vepa_lets_containers_meet_through_a_switch_that_reflects() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0 -o ipvlan_flag=vepa reflected");
    let one = scene.container("one", "--net=reflected --ip=192.168.1.101 alpine sleep 1d");
    let other = scene.container("other", "--net=reflected --ip=192.168.1.102 alpine sleep 1d");

    one.interface("eth0").is_slave_on("eth0", "l2/vepa");
    for container in [&one, &other] {
        container.reaches("192.168.1.200");
    }
    one.does_not_reach("192.168.1.102");
    scene.by_hand("lan reflect on", "lan reflect off");
    one.reaches("192.168.1.102");
    other.reaches("192.168.1.101");
    scene.has_no_faults();
}
