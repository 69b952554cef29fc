//! Networks of every kind, and those that are refused when they are made.

use crate::world::{NEIGHBOUR, Podman, Process, ROUTER, Scene, Standpoint, links_named, refused_with, run};

use super::{LAN, nobody_is_there};

/// Two containers on a network, with these addresses.
fn pair(podman: &Podman<'_>, network: &str, addresses: [&str; 2]) -> [Process; 2] {
    [("one", addresses[0]), ("two", addresses[1])]
        .map(|(name, address)| podman.container(name, &format!("--network {network} --ip {address} alpine sleep 1d")))
}

fn is_routed_in(mode: &str) {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    podman
        .network(&format!("--subnet 192.168.214.0/24 --subnet 2001:db8:214::/64 -o parent=eth0 -o mode={mode} routed"));
    let one = podman.container("one", "--network routed:ip=192.168.214.77,ip=2001:db8:214::77 alpine sleep 1d");
    one.interface("eth0").is_slave_on("eth0", &format!("{mode}/bridge"));
    assert!(one.default_route().starts_with("default dev eth0"), "{}", one.default_route());
    assert!(one.default_route_v6().starts_with("default dev eth0"), "{}", one.default_route_v6());
    for address in ["192.168.214.77", "2001:db8:214::77"] {
        NEIGHBOUR.reaches(address);
    }
    one.reaches("192.168.1.200");
    scene.has_no_faults();
}

#[test]
fn the_host_routes_in_l3() {
    is_routed_in("l3");
}

#[test]
fn the_host_routes_in_l3s() {
    is_routed_in("l3s");
}

#[test]
fn flags_and_dockers_names_for_options() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    podman.network("--subnet 192.168.1.0/24 -o parent=eth0 -o ipvlan_mode=l2 -o ipvlan_flag=private apart");
    let [one, two] = pair(&podman, "apart", ["192.168.1.77", "192.168.1.78"]);
    one.interface("eth0").is_slave_on("eth0", "l2/private");
    one.does_not_reach("192.168.1.78");
    two.reaches("192.168.1.1");
    NEIGHBOUR.reaches("192.168.1.78");
    scene.has_no_faults();
}

#[test]
fn an_internal_network_reaches_nothing_but_itself() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    podman.network("--internal --subnet 192.168.1.0/24 -o parent=eth0 island");
    let [one, _] = pair(&podman, "island", ["192.168.1.77", "192.168.1.78"]);
    assert_eq!(links_named("ivd-").len(), 1);
    one.interface("eth0").is_slave_on(&links_named("ivd-")[0], "l2/bridge");
    assert_eq!(one.default_route(), "");
    one.reaches("192.168.1.78");
    one.does_not_reach("192.168.1.1");
    scene.has_no_faults();
    run("podman rm --force --time 0 one two");
    assert_eq!(links_named("ivd-"), [""; 0]);
}

#[test]
fn both_families_with_chosen_addresses() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    podman.network(
        "--ipv6 --subnet 192.168.1.0/24 --gateway 192.168.1.1 --subnet 2001:db8:1::/64 --gateway 2001:db8:1::1 \
         -o parent=eth0 dual",
    );
    let one = podman.container("one", "--network dual --ip 192.168.1.77 --ip6 2001:db8:1::77 alpine sleep 1d");
    let two = podman.container("two", "--network dual alpine sleep 1d");
    assert_eq!(one.interface("eth0").addresses, ["192.168.1.77/24", "2001:db8:1::77/64"]);
    assert_eq!(two.interface("eth0").addresses, ["192.168.1.2/24", "2001:db8:1::2/64"]);
    assert_eq!(one.run("ip -6 address show dev eth0 scope global tentative"), "");
    assert!(one.default_route_v6().starts_with("default via 2001:db8:1::1 dev eth0"), "{}", one.default_route_v6());
    for address in ["192.168.1.77", "2001:db8:1::77"] {
        NEIGHBOUR.reaches(address);
        two.reaches(address);
    }
    for (asked, why) in [
        ("--ip 192.168.1.77", "held by endpoint"),
        ("--ip6 2001:db8:1::77", "held by endpoint"),
        ("--ip 192.168.1.1", "is the gateway of network"),
        ("--ip 192.168.1.250", "belongs to this host"),
        ("--ip 192.168.7.7", "is in no subnet of the network"),
        ("--mac-address 02:00:00:00:00:01", "leave --mac-address out"),
    ] {
        let sentence = podman.refused_container("three", &format!("--network dual {asked} alpine sleep 1d"));
        refused_with(&sentence, &[why]);
    }
    scene.has_no_faults();
}

#[test]
fn routes_mtu_and_metric() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    podman.network(&format!("--route 10.9.0.0/16,192.168.1.200,50 -o mtu=1400 -o metric=300 {LAN}"));
    podman.network("--subnet 192.168.10.0/24 --gateway 192.168.10.1 -o parent=eth0.10 -o no_default_route=true ten");
    let one =
        podman.container("one", "--network lan:interface_name=eth0 --network ten:interface_name=eth1 alpine sleep 1d");
    assert_eq!(one.interface("eth0").mtu, 1400);
    assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0 metric 300");
    assert_eq!(one.routes_to("10.9.0.0/16"), "10.9.0.0/16 via 192.168.1.200 dev eth0 metric 50");
    one.run("ping -q -c 1 -w 8 -M do -s 1372 192.168.1.1");
    one.reaches("192.168.10.1");
    run("podman network disconnect lan one");
    assert_eq!(one.routes_to("10.9.0.0/16"), "", "routes go with their link");
    assert_eq!(one.default_route(), "");
    scene.has_no_faults();
}

#[test]
fn parent_and_subnet_need_not_be_named() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    podman.network("plain");
    let one = podman.container("one", "--network plain alpine sleep 1d");
    one.interface("eth0").is_slave_on("eth0", "l2/bridge");
    assert_eq!(one.interface("eth0").addresses, ["192.168.1.2/24"]);
    assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0");
    ROUTER.reaches("192.168.1.2");
}

#[test]
fn networks_that_mean_nothing_are_refused_when_they_are_made() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    let subnet = "--subnet 192.168.1.0/24";
    for (arguments, parts) in [
        (format!("{subnet} -o parent=eth0 -o mod=l3 no"), ["there is no option `mod`", "did you mean `mode`?"]),
        (format!("{subnet} -o parent=eth0 -o mode=l4 no"), ["`l4` was given", "l2, l3 or l3s was expected"]),
        (format!("{subnet} -o parent=eth7 no"), ["parent `eth7` is no link of this host", "`ip link` shows"]),
        (
            format!("{subnet} -o parent=eth0 -o mtu=1501 no"),
            ["an MTU of 1501 is more than the 1500", "ask for at most 1500"],
        ),
        (format!("{subnet} --subnet 192.168.1.128/25 -o parent=eth0 no"), ["192.168.1.128/25", "overlap"]),
        (format!("{subnet} {subnet} -o parent=eth0 no"), ["192.168.1.0/24", "overlap"]),
        ("--internal no".to_owned(), ["has no subnet", "pass one with --subnet"]),
        (format!("{subnet} --ipam-driver dhcp -o parent=eth0 no"), ["dhcp", "leave it out"]),
    ] {
        refused_with(&podman.refused_network(&arguments), &parts);
        nobody_is_there();
    }
}

#[test]
fn another_mode_than_the_ports_is_refused() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    podman.network(LAN);
    podman.network("--subnet 192.168.214.0/24 -o parent=eth0 -o mode=l3 routed");
    let one = podman.container("one", "--network lan alpine sleep 1d");
    let sentence = podman.refused_container("two", "--network routed alpine sleep 1d");
    refused_with(&sentence, &["eth0", "l2/bridge"]);
    refused_with(
        &podman.refused_network("--subnet 192.168.213.0/24 -o parent=eth0 -o mode=l3 late"),
        &["eth0", "l2/bridge"],
    );
    one.interface("eth0").is_slave_on("eth0", "l2/bridge");
    // The other way round, and as soon as the first has gone.
    run("podman rm --force --time 0 one");
    podman.container("two", "--network routed alpine sleep 1d").interface("eth0").is_slave_on("eth0", "l3/bridge");
    scene.has_no_faults();
}

#[test]
fn a_container_on_dockers_network_is_met_on_the_wire() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    podman.network(LAN);
    scene.network("--ipam-driver ipvland --subnet 192.168.1.0/24 --gateway 192.168.1.1 -o parent=eth0 dockers");
    let theirs = scene.container("theirs", "--net=dockers alpine sleep 1d");
    let ours = podman.container("ours", "--network lan alpine sleep 1d");
    assert_ne!(theirs.address("dockers"), podman.address("ours", "lan"));
    ours.reaches(&theirs.address("dockers"));
    theirs.reaches(&podman.address("ours", "lan"));
}
