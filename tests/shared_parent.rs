//! Several networks on one parent: the kernel has one mode and one flag for all of them.

use crate::world::{NEIGHBOUR, ROUTER, Scene, Standpoint, ipvland_json, refused_with};

#[test]
fn networks_that_agree_share_a_parent_and_its_wire() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0 first");
    scene.network("--subnet=192.168.2.0/24 --gateway=192.168.2.1 -o parent=eth0 -o ipvlan_mode=l2 second");
    let one = scene.container("one", "--net=first alpine sleep 1d");
    let other = scene.container("other", "--net=second alpine sleep 1d");

    let port = &ipvland_json("status")["ports"];
    assert_eq!(port.as_array().map(Vec::len), Some(1), "{port}");
    for container in [&one, &other] {
        container.interface("eth0").is_slave_on("eth0", "l2/bridge");
    }
    let (here, there) = (one.address("first"), other.address("second"));
    ROUTER.reaches(&here);
    NEIGHBOUR.reaches(&here);
    // Two subnets need a router between them, and this one knows nothing of the second ...
    one.does_not_reach(&there);
    // ... but the wire is the same: whoever knows that it is gets across.
    one.run("ip route add 192.168.2.0/24 dev eth0");
    other.run("ip route add 192.168.1.0/24 dev eth0");
    one.reaches(&there);
    other.reaches(&here);
    scene.has_no_faults();
}

#[test]
fn a_network_of_another_mode_or_flag_is_refused_with_the_holder_named() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0 holder");
    let holder = scene.network_id("holder")[..12].to_owned();
    let container = scene.container("one", "--net=holder alpine sleep 1d");

    for option in ["ipvlan_mode=l3", "ipvlan_mode=l3s", "ipvlan_flag=private", "ipvlan_flag=vepa"] {
        let sentence = scene.refused_network(&format!("--subnet=192.168.2.0/24 -o parent=eth0 -o {option} other"));
        refused_with(&sentence, &["eth0", &holder, "l2/bridge"]);
        container.interface("eth0").is_slave_on("eth0", "l2/bridge");
    }
    container.reaches("192.168.1.200");

    // Nothing holds it any more.
    scene.remove_containers(&["one"]);
    scene.remove_network("holder");
    scene.network("--subnet=192.168.2.0/24 -o parent=eth0 -o ipvlan_mode=l3 other");
}
