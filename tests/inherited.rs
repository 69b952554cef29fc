//! Options that are not given with the network: those of a config-only network, and those of `daemon.json`.

use crate::world::{Ability, NEIGHBOUR, Scene, Standpoint, links_named};

#[test]
fn a_network_takes_after_a_config_only_network() {
    let scene = Scene::begin();
    scene.by_hand(
        "docker network create --config-only --subnet=192.168.10.0/24 --gateway=192.168.10.1 -o parent=eth0.10 \
         -o com.docker.network.driver.mtu=1400 template",
        "docker network rm template",
    );
    assert_eq!(links_named("eth0."), [""; 0], "a template is no network");
    scene.network("--config-from=template ten");
    assert_eq!(scene.inspect_network("ten")["ConfigFrom"]["Network"], "template");
    let one = scene.container("one", "--net=ten alpine sleep 1d");

    let eth0 = one.interface("eth0");
    eth0.is_slave_on("eth0.10", "l2/bridge");
    assert_eq!(eth0.mtu, 1400);
    one.reaches("192.168.10.1");
}

#[test]
fn the_engine_has_defaults_for_networks_of_ours() {
    let Some(scene) = Scene::where_engine_can(Ability::DefaultNetworkOptions) else { return };
    scene.restart_engine("--default-network-opt=ipvland=com.docker.network.driver.mtu=1400");
    let lan = "--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0";
    scene.network(&format!("{lan} plain"));
    let one = scene.container("one", "--net=plain alpine sleep 1d");
    assert_eq!(one.interface("eth0").mtu, 1400);
    NEIGHBOUR.reaches(&one.address("plain"));

    scene.remove_containers(&["one"]);
    scene.remove_network("plain");
    scene.network(&format!("{lan} -o com.docker.network.driver.mtu=1300 of_its_own"));
    let two = scene.container("two", "--net=of_its_own alpine sleep 1d");
    assert_eq!(two.interface("eth0").mtu, 1300);
}
