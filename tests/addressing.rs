//! Addresses: who gets which, and which nobody gets.

use serde_json::json;

use crate::world::{NEIGHBOUR, ROUTER, Scene, Standpoint, call, refuse, refused_with};

#[test]
fn addresses_of_both_families_can_be_chosen() {
    let scene = Scene::begin();
    scene.network("--ipv6 --subnet=192.168.1.0/24 --gateway=192.168.1.1 --subnet=2001:db8:1::/64 --gateway=2001:db8:1::1 -o parent=eth0 dual");
    let one = scene.container("one", "--net=dual --ip=192.168.1.77 --ip6=2001:db8:1::77 nginx");

    let endpoint = one.endpoint("dual");
    assert_eq!(
        (&endpoint["IPAddress"], &endpoint["GlobalIPv6Address"]),
        (&json!("192.168.1.77"), &json!("2001:db8:1::77"))
    );
    assert_eq!(endpoint["IPv6Gateway"], "2001:db8:1::1");
    let eth0 = one.interface("eth0");
    eth0.is_slave_on("eth0", "l2/bridge");
    assert_eq!(eth0.addresses, ["192.168.1.77/24", "2001:db8:1::77/64"]);
    assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0");
    assert!(one.default_route_v6().starts_with("default via 2001:db8:1::1 dev eth0"), "{}", one.default_route_v6());

    for address in ["192.168.1.77", "2001:db8:1::77"] {
        ROUTER.reaches(address);
        NEIGHBOUR.reaches(address);
    }
    for machine in ["2001:db8:1::1", "2001:db8:1::200", "192.168.1.200"] {
        one.reaches(machine);
    }
    assert_eq!(NEIGHBOUR.page("http://[2001:db8:1::77]/"), "<h1>Welcome to nginx!</h1>");
    scene.has_no_faults();
}

#[test]
fn each_of_several_subnets_has_its_own_gateway() {
    let scene = Scene::begin();
    scene.network(
        "--ipv6 --subnet=192.168.1.0/24 --gateway=192.168.1.1 --subnet=192.168.7.0/24 --gateway=192.168.7.254 \
         --subnet=2001:db8:1::/64 --gateway=2001:db8:1::1 --subnet=2001:db8:7::/64 --gateway=2001:db8:7::fe \
         -o parent=eth0 several",
    );
    let one = scene.container("one", "--net=several --ip=192.168.1.71 --ip6=2001:db8:1::71 alpine sleep 1d");
    let other = scene.container("other", "--net=several --ip=192.168.7.71 --ip6=2001:db8:7::71 alpine sleep 1d");

    assert_eq!(scene.inspect_network("several")["IPAM"]["Config"].as_array().map(Vec::len), Some(4));
    assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0");
    assert_eq!(other.default_route(), "default via 192.168.7.254 dev eth0");
    assert!(one.default_route_v6().starts_with("default via 2001:db8:1::1 dev eth0"), "{}", one.default_route_v6());
    assert!(
        other.default_route_v6().starts_with("default via 2001:db8:7::fe dev eth0"),
        "{}",
        other.default_route_v6()
    );
    assert_eq!(other.interface("eth0").addresses, ["192.168.7.71/24", "2001:db8:7::71/64"]);
    one.reaches("192.168.1.200");
    one.reaches("2001:db8:1::200");
}

#[test]
fn the_hosts_own_address_is_refused_and_can_be_set_aside() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0 greedy");
    let sentence = scene.refused_container("thief", "--net=greedy --ip=192.168.1.250 alpine sleep 1d");
    refused_with(&sentence, &["192.168.1.250", "belongs to this host", "eth0", "--aux-address"]);
    scene.remove_containers(&["thief"]);
    scene.remove_network("greedy");

    // Two addresses are left in the range, and one of them is the host's.
    scene.network(
        "--subnet=192.168.1.0/24 --gateway=192.168.1.1 --ip-range=192.168.1.250/31 --aux-address=host=192.168.1.250 -o parent=eth0 modest",
    );
    let one = scene.container("one", "--net=modest alpine sleep 1d");
    assert_eq!(one.address("modest"), "192.168.1.251");
    NEIGHBOUR.reaches("192.168.1.251");
    NEIGHBOUR.reaches("192.168.1.250");
}

#[test]
fn the_hosts_own_address_is_refused_in_ipv6_as_well() {
    let scene = Scene::begin();
    scene.plugin_network("six", &json!({ "parent": "eth0" }), "2001:db8:1::/64");
    let sentence = refuse(
        "CreateEndpoint",
        &json!({
            "NetworkID": "six",
            "EndpointID": "thief",
            "Interface": { "Address": "", "AddressIPv6": "2001:db8:1::250/64", "MacAddress": "" },
            "Options": {},
        }),
    );
    refused_with(&sentence, &["2001:db8:1::250", "belongs to this host", "eth0", "--aux-address"]);
}

#[test]
fn a_hardware_address_of_its_own_is_refused() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0 db_net");
    let sentence = scene.refused_container("one", "--net=db_net --mac-address=02:00:00:00:00:07 alpine sleep 1d");
    refused_with(&sentence, &["02:00:00:00:00:07", "MAC"]);
}

#[test]
fn an_address_is_held_once_on_the_lan_whatever_the_network() {
    let scene = Scene::begin();
    let endpoint = |network: &str, id: &str, address: &str| {
        json!({
            "NetworkID": network,
            "EndpointID": id,
            "Interface": { "Address": address, "AddressIPv6": "", "MacAddress": "" },
            "Options": {},
        })
    };
    scene.plugin_network("lan-a", &json!({ "parent": "eth0" }), "192.168.1.0/24");
    scene.plugin_network("lan-b", &json!({ "parent": "eth1" }), "192.168.1.0/24");
    call("CreateEndpoint", &endpoint("lan-a", "holder", "192.168.1.90/24"));
    let sentence = refuse("CreateEndpoint", &endpoint("lan-b", "wants", "192.168.1.90/24"));
    refused_with(&sentence, &["192.168.1.90", "holder"]);
    call("DeleteEndpoint", &json!({ "NetworkID": "lan-a", "EndpointID": "holder" }));
    call("CreateEndpoint", &endpoint("lan-b", "wants", "192.168.1.90/24"));
}
