//! Subnets: the smallest, those that overlap, those of one family, and none at all.

use crate::world::{Ability, NEIGHBOUR, ROUTER, Scene, Standpoint, refused_with};

#[test]
fn a_subnet_of_two_addresses_is_a_link_to_the_router() {
    let Some(scene) = Scene::where_engine_can(Ability::SmallSubnets) else { return };
    scene.by_hand(
        "ip -n router address add 192.168.31.0/31 dev lan0",
        "ip -n router address delete 192.168.31.0/31 dev lan0",
    );
    scene.network("--subnet=192.168.31.0/31 --gateway=192.168.31.0 -o parent=eth0 pair");
    let one = scene.container("one", "--net=pair alpine sleep 1d");

    assert_eq!(one.interface("eth0").addresses, ["192.168.31.1/31"]);
    assert_eq!(one.default_route(), "default via 192.168.31.0 dev eth0");
    one.reaches("192.168.31.0");
    NEIGHBOUR.reaches("192.168.31.1");
    let sentence = scene.refused_container("other", "--net=pair alpine sleep 1d");
    refused_with(&sentence, &["no available IPv4 addresses"]);
}

#[test]
fn a_subnet_of_two_addresses_holds_two_containers_in_l3() {
    let Some(scene) = Scene::where_engine_can(Ability::NoNeedlessGateway) else { return };
    scene.network("--subnet=192.168.214.0/31 -o parent=eth0 -o ipvlan_mode=l3 pair");
    scene.container("one", "--net=pair alpine sleep 1d");
    let other = scene.container("other", "--net=pair alpine sleep 1d");

    assert_eq!(other.interface("eth0").addresses, ["192.168.214.1/31"]);
    other.reaches("192.168.214.0");
    NEIGHBOUR.reaches("192.168.214.0");
    NEIGHBOUR.reaches("192.168.214.1");
}

#[test]
fn an_ipv6_subnet_of_two_addresses_holds_one_container_in_l3() {
    let Some(scene) = Scene::where_engine_can(Ability::NoNeedlessGateway) else { return };
    scene.network("--ipv4=false --ipv6 --subnet=2001:db8:214::/127 -o parent=eth0 -o ipvlan_mode=l3 pair");
    let one = scene.container("one", "--net=pair alpine sleep 1d");

    assert_eq!(one.interface("eth0").addresses, ["2001:db8:214::1/127"]);
    NEIGHBOUR.reaches("2001:db8:214::1");
    // The first address of an IPv6 subnet is that of its routers: the engine gives it to nobody.
    let sentence = scene.refused_container("other", "--net=pair alpine sleep 1d");
    refused_with(&sentence, &["no available IPv6 addresses"]);
}

#[test]
fn one_subnet_serves_two_networks_with_ranges_of_their_own() {
    let scene = Scene::begin();
    // The engine gives out a gateway's address once, so the second network names the other router of the LAN.
    let lan = "--subnet=192.168.1.0/24 -o parent=eth0";
    scene.network(&format!("{lan} --gateway=192.168.1.1 --ip-range=192.168.1.64/28 low"));
    scene.network(&format!("{lan} --gateway=192.168.1.200 --ip-range=192.168.1.80/28 high"));
    let low = scene.container("low_1", "--net=low alpine sleep 1d");
    let high = scene.container("high_1", "--net=high alpine sleep 1d");

    assert_eq!((low.address("low"), high.address("high")), ("192.168.1.64".into(), "192.168.1.80".into()));
    assert_eq!(low.default_route(), "default via 192.168.1.1 dev eth0");
    assert_eq!(high.default_route(), "default via 192.168.1.200 dev eth0");
    low.reaches("192.168.1.80");
    NEIGHBOUR.reaches("192.168.1.64");
    NEIGHBOUR.reaches("192.168.1.80");
}

#[test]
fn ipv6_alone_in_l2() {
    let Some(scene) = Scene::where_engine_can(Ability::WithoutIpv4) else { return };
    scene.network("--ipv4=false --ipv6 --subnet=2001:db8:1::/64 --gateway=2001:db8:1::1 -o parent=eth0 six");
    let one = scene.container("one", "--net=six --ip6=2001:db8:1::77 alpine sleep 1d");
    let other = scene.container("other", "--net=six alpine sleep 1d");

    assert_eq!(one.address("six"), "");
    assert_eq!(one.interface("eth0").addresses, ["2001:db8:1::77/64"]);
    assert_eq!(one.default_route(), "");
    assert!(one.default_route_v6().starts_with("default via 2001:db8:1::1 dev eth0"), "{}", one.default_route_v6());
    other.reaches_by_name("one");
    ROUTER.reaches("2001:db8:1::77");
    NEIGHBOUR.reaches("2001:db8:1::77");
}

#[test]
fn ipv6_alone_in_l3() {
    let Some(scene) = Scene::where_engine_can(Ability::WithoutIpv4) else { return };
    scene.network("--ipv4=false --ipv6 --subnet=2001:db8:214::/64 -o parent=eth0 -o ipvlan_mode=l3 six");
    let one = scene.container("one", "--net=six --ip6=2001:db8:214::77 alpine sleep 1d");

    assert_eq!(one.interface("eth0").addresses, ["2001:db8:214::77/64"]);
    assert_eq!(one.default_route(), "");
    assert!(one.default_route_v6().starts_with("default dev eth0"), "{}", one.default_route_v6());
    NEIGHBOUR.reaches("2001:db8:214::77");
}

#[test]
fn no_addresses_at_all() {
    let scene = Scene::begin();
    scene.network("--ipam-driver=null -o parent=eth0 bare");
    let one = scene.container("one", "--net=bare alpine sleep 1d");

    assert_eq!(one.address("bare"), "");
    let eth0 = one.interface("eth0");
    eth0.is_slave_on("eth0", "l2/bridge");
    assert_eq!(eth0.addresses, [""; 0]);
    // It is on the wire all the same, for whoever brings an address.
    one.run("ip address add 192.168.1.88/24 dev eth0");
    one.reaches("192.168.1.200");
    NEIGHBOUR.reaches("192.168.1.88");
    scene.has_no_faults();
}
