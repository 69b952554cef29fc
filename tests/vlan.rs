//! Parents that are 802.1Q links: made when they are missing, kept when they are not ours.

use crate::world::{Capture, Host, ROUTER, Scene, Standpoint, ipvland_json, links_named};

#[test]
fn a_missing_vlan_link_is_made_and_goes_with_its_last_network() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.10.0/24 --gateway=192.168.10.1 -o parent=eth0.10 ten");
    let link = Host.interface("eth0.10");
    assert_eq!((link.kind.as_str(), link.up), ("vlan", true));
    assert!(Host.run("ip -d link show eth0.10").contains("802.1Q id 10"));

    let one = scene.container("one", "--net=ten alpine sleep 1d");
    one.interface("eth0").is_slave_on("eth0.10", "l2/bridge");
    assert_eq!(one.default_route(), "default via 192.168.10.1 dev eth0");
    let tagged = Capture::at_router("vlan 10 and icmp");
    one.reaches("192.168.10.1");
    tagged.has_seen_it();
    ROUTER.reaches(&one.address("ten"));
    scene.has_no_faults();

    scene.network("--subnet=192.168.110.0/24 --gateway=192.168.110.1 -o parent=eth0.10 also_ten");
    scene.remove_containers(&["one"]);
    scene.remove_network("ten");
    assert_eq!(Host.interface("eth0.10"), link, "the other network is still on it");
    scene.has_no_faults();
    scene.remove_network("also_ten");
    assert_eq!(links_named("eth0."), [""; 0]);
}

#[test]
fn a_vlan_link_that_was_there_stays() {
    let scene = Scene::begin();
    for (name, id) in [("eth0.20", "20"), ("twenty", "20"), ("odd.name.30", "30")] {
        let make = format!("ip link add link eth0 name {name} type vlan id {id}");
        scene.by_hand(&make, &format!("ip link delete {name}"));
        Host.run(&format!("ip link set {name} up"));
        let before = Host.interface(name);
        scene.network(&format!("--subnet=192.168.20.0/24 --gateway=192.168.20.1 -o parent={name} kept"));
        assert_eq!(Host.interface(name), before, "{name}");
        if name == "twenty" {
            let one = scene.container("one", "--net=kept alpine sleep 1d");
            one.interface("eth0").is_slave_on("twenty", "l2/bridge");
            one.reaches("192.168.20.1");
            scene.remove_containers(&["one"]);
        }
        scene.remove_network("kept");
        assert_eq!(Host.interface(name), before, "{name}");
        Host.run(&format!("ip link delete {name}"));
    }
}

#[test]
fn vlans_keep_networks_apart() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.10.0/24 --gateway=192.168.10.1 -o parent=eth0.10 ten");
    // Another mode: a VLAN link is a port of its own.
    scene.network("--subnet=192.168.20.0/24 -o parent=eth0.20 -o ipvlan_mode=l3 twenty");
    let ports = ipvland_json("status")["ports"].as_array().expect("a list").len();
    assert_eq!(ports, 2);
    let ten = scene.container("ten_1", "--net=ten --ip=192.168.10.77 alpine sleep 1d");
    let twenty = scene.container("twenty_1", "--net=twenty --ip=192.168.20.77 alpine sleep 1d");

    ten.interface("eth0").is_slave_on("eth0.10", "l2/bridge");
    twenty.interface("eth0").is_slave_on("eth0.20", "l3/bridge");
    // The router routes between its VLANs, so it is neighbourhood that is looked at: nobody in VLAN 20 answers to ARP.
    ten.run("ip address add 192.168.20.78/24 dev eth0");
    ten.does_not_reach("192.168.20.77");
    ten.reaches("192.168.10.1");
}
