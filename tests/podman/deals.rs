//! Who deals addresses: the ledger, Podman, or nobody.

use crate::world::{NEIGHBOUR, Podman, Scene, Standpoint, held_addresses, refused_with, run};

use super::{LAN, nobody_is_there};

#[test]
fn the_ledger_deals_from_a_range_and_around_what_is_reserved() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    podman.network(&format!("--ip-range 192.168.1.64-192.168.1.71 -o exclude=192.168.1.65 {LAN}"));
    scene.by_hand("ipvland reserve db 192.168.1.66", "ipvland unreserve 192.168.1.66");
    for (name, address) in [("one", "192.168.1.64"), ("two", "192.168.1.67"), ("db", "192.168.1.66")] {
        podman.container(name, "--network lan alpine sleep 1d");
        assert_eq!(podman.address(name, "lan"), address, "{name}");
    }
    let shown = run("podman network inspect --format {{.IPAMOptions.driver}} lan");
    assert_eq!(shown, "ipvland");
    scene.has_no_faults();
}

#[test]
fn what_podman_deals_is_in_the_same_ledger() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    podman.network(&format!("--ipam-driver host-local {LAN}"));
    podman.network("--subnet 192.168.1.0/24 --gateway 192.168.1.1 -o parent=eth0 dealt");
    let one = podman.container("one", "--network lan alpine sleep 1d");
    assert_eq!(podman.address("one", "lan"), "192.168.1.2");
    assert_eq!(one.interface("eth0").addresses, ["192.168.1.2/24"]);
    podman.container("two", "--network dealt alpine sleep 1d");
    assert_eq!(podman.address("two", "dealt"), "192.168.1.3");
    // Podman counts on by itself, and meets who is there already.
    refused_with(
        &podman.refused_container("three", "--network lan alpine sleep 1d"),
        &["192.168.1.3", "held by endpoint"],
    );
    podman.container("three", "--network lan --ip 192.168.1.9 alpine sleep 1d");
    NEIGHBOUR.reaches("192.168.1.9");
    run("podman rm --force --time 0 one two three");
    nobody_is_there();
}

#[test]
fn no_addresses_at_all() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    podman.network("--ipam-driver none -o parent=eth0 bare");
    let one = podman.container("one", "--network bare alpine sleep 1d");
    let eth0 = one.interface("eth0");
    eth0.is_slave_on("eth0", "l2/bridge");
    assert_eq!((eth0.addresses, held_addresses()), (vec![], vec![]));
    one.run("ip address add 192.168.1.88/24 dev eth0");
    NEIGHBOUR.reaches("192.168.1.88");
    scene.has_no_faults();
}
