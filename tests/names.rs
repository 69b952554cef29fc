//! Names of the world outside: forwarded for networks that lead there, and for no others.

use crate::world::{Ability, Scene};

fn are_forwarded(scene: &Scene, options: &str, forwarded: bool) {
    scene.network(&format!("{options} named"));
    let one = scene.container("one", "--net=named alpine sleep 1d");
    let answer = one.looks_up("neighbour.lan");
    assert_eq!(answer.as_ref().is_ok_and(|text| text.contains("192.168.1.200")), forwarded, "{answer:?}");
}

#[test]
fn forwarded_in_l2_with_a_parent() {
    are_forwarded(&Scene::begin(), "--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0", true);
}

#[test]
fn forwarded_in_l3_with_a_parent() {
    let Some(scene) = Scene::where_engine_can(Ability::NamesForwardedInL3) else { return };
    are_forwarded(&scene, "--subnet=192.168.214.0/24 -o parent=eth0 -o ipvlan_mode=l3", true);
}

#[test]
fn not_forwarded_without_a_parent() {
    are_forwarded(&Scene::begin(), "--subnet=192.168.1.0/24", false);
}

#[test]
fn not_forwarded_on_internal_networks() {
    are_forwarded(&Scene::begin(), "--internal --subnet=192.168.1.0/24 -o parent=eth0", false);
}
