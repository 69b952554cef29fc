//! Networks that reach nothing but themselves.

use crate::world::{Host, Scene, Standpoint, links_named};

fn reaches_nothing_but_itself(arguments: &str) {
    let scene = Scene::begin();
    scene.network(&format!("--subnet=192.168.1.0/24 {arguments} island"));
    let dummy = format!("ivd-{}", &scene.network_id("island")[..11]);
    assert_eq!(links_named("ivd-"), [dummy.as_str()]);
    assert_eq!((Host.interface(&dummy).kind.as_str(), Host.interface(&dummy).up), ("dummy", true));

    let one = scene.container("one", "--net=island --ip=192.168.1.201 alpine sleep 1d");
    let other = scene.container("other", "--net=island --ip=192.168.1.202 alpine sleep 1d");
    let mode = arguments.split_once("ipvlan_mode=").map_or("l2", |(_, mode)| mode);
    one.interface("eth0").is_slave_on(&dummy, &format!("{mode}/bridge"));
    assert_eq!(one.default_route(), "");
    one.reaches("192.168.1.202");
    one.reaches_by_name("other");
    other.reaches_by_name("one");
    // On the LAN these are a router and a machine.
    one.does_not_reach("192.168.1.1");
    one.does_not_reach("192.168.1.200");
    let said = one.does_not_reach("10.9.8.7");
    assert!(said.contains("Network is unreachable"), "{said}");
    scene.has_no_faults();

    scene.remove_containers(&["one", "other"]);
    scene.remove_network("island");
    assert_eq!(links_named("ivd-"), [""; 0]);
}

#[test]
fn without_a_parent() {
    reaches_nothing_but_itself("");
}

#[test]
fn without_a_parent_in_l3s() {
    reaches_nothing_but_itself("-o ipvlan_mode=l3s");
}

#[test]
fn internal_with_a_parent_which_is_left_alone() {
    let before = Host.interface("eth0");
    reaches_nothing_but_itself("--internal -o parent=eth0");
    assert_eq!(Host.interface("eth0"), before);
}

#[test]
fn internal_in_l3() {
    reaches_nothing_but_itself("--internal -o ipvlan_mode=l3");
}

#[test]
fn several_subnets_without_a_parent_in_l3() {
    let scene = Scene::begin();
    let subnets =
        "--subnet=192.168.66.0/24 --subnet=192.168.67.0/24 --subnet=2001:db8:66::/64 --subnet=2001:db8:67::/64";
    scene.network(&format!("--ipv6 {subnets} -o ipvlan_mode=l3 island"));
    assert_eq!(scene.inspect_network("island")["IPAM"]["Config"].as_array().map(Vec::len), Some(4));
    let one = scene.container("one", "--net=island --ip=192.168.66.7 --ip6=2001:db8:66::7 alpine sleep 1d");
    let other = scene.container("other", "--net=island --ip=192.168.67.7 --ip6=2001:db8:67::7 alpine sleep 1d");
    assert_eq!((one.default_route(), one.default_route_v6()), (String::new(), String::new()));
    // Without a default route a container knows its own subnets only.
    one.does_not_reach("192.168.67.7");
    one.run("ip route add 192.168.67.0/24 dev eth0");
    other.run("ip route add 192.168.66.0/24 dev eth0");
    one.reaches("192.168.67.7");
}

#[test]
fn isolated_networks_need_not_agree_and_may_hold_the_same_addresses() {
    let scene = Scene::begin();
    let options = serde_json::json!({ "ipvlan_mode": "l2" });
    scene.plugin_network("island-l2", &options, "192.168.1.0/24");
    scene.plugin_network("island-l3", &serde_json::json!({ "ipvlan_mode": "l3" }), "192.168.1.0/24");
    assert_eq!(links_named("ivd-").len(), 2);
    for network in ["island-l2", "island-l3"] {
        let endpoint = serde_json::json!({
            "NetworkID": network,
            "EndpointID": format!("{network}-endpoint"),
            "Interface": { "Address": "192.168.1.5/24", "AddressIPv6": "", "MacAddress": "" },
            "Options": {},
        });
        crate::world::call("CreateEndpoint", &endpoint);
    }
}
