//! `-o com.docker.network.driver.mtu`.

use crate::world::{Host, Scene, Standpoint, refused_with};

const LAN: &str = "--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0";

#[test]
fn the_mtu_asked_for_is_in_effect_in_the_container() {
    let scene = Scene::begin();
    scene.network(&format!("{LAN} -o com.docker.network.driver.mtu=1400 small"));
    let one = scene.container("one", "--net=small alpine sleep 1d");
    assert_eq!(one.interface("eth0").mtu, 1400);
    assert_eq!(Host.interface("eth0").mtu, 1500);
    one.run("ping -q -c 1 -w 8 -M do -s 1372 192.168.1.1");
    assert!(
        one.attempt("ping -q -c 1 -w 1 -M do -s 1373 192.168.1.1").is_err(),
        "28 bytes of headers, and one too many"
    );
}

fn is_in_effect_in(mode: &str) {
    let scene = Scene::begin();
    scene.network(&format!(
        "--ipv6 --subnet=192.168.214.0/24 --subnet=2001:db8:214::/64 -o parent=eth0 -o ipvlan_mode={mode} \
         -o com.docker.network.driver.mtu=1400 small"
    ));
    let one = scene.container("one", "--net=small alpine sleep 1d");
    assert_eq!(one.interface("eth0").mtu, 1400);
    one.run("ping -q -c 1 -w 8 -M do -s 1372 192.168.1.1");
    assert!(one.attempt("ping -q -c 1 -w 1 -M do -s 1373 192.168.1.1").is_err());
    one.run("ping -q -c 1 -w 8 -M do -s 1352 2001:db8:1::1");
    assert!(one.attempt("ping -q -c 1 -w 1 -M do -s 1353 2001:db8:1::1").is_err());
}

#[test]
fn the_mtu_asked_for_is_in_effect_in_l3() {
    is_in_effect_in("l3");
}

#[test]
fn the_mtu_asked_for_is_in_effect_in_l3s() {
    is_in_effect_in("l3s");
}

#[test]
fn a_wrong_mtu_is_refused() {
    let scene = Scene::begin();
    for (mtu, parts) in [
        ("1501", ["an MTU of 1501 is more than the 1500 of parent `eth0`", "ask for at most 1500"]),
        ("67", ["`67` was given", "from 68 to 65535 was expected"]),
        ("big", ["`big` was given", "from 68 to 65535 was expected"]),
    ] {
        let sentence = scene.refused_network(&format!("{LAN} -o com.docker.network.driver.mtu={mtu} refused"));
        refused_with(&sentence, &parts);
    }
    let sentence = scene.refused_network(
        "--ipv6 --subnet=192.168.1.0/24 --subnet=2001:db8:1::/64 -o parent=eth0 -o com.docker.network.driver.mtu=1279 refused",
    );
    refused_with(&sentence, &["an MTU of 1279 is too small for an IPv6 subnet, which needs 1280"]);
}
