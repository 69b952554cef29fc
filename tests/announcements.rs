//! Neighbours are told where an address is, so that a container that moves is reached at once.

use crate::world::{NEIGHBOUR, Recording, Scene, Standpoint, wait_until};

/// The MAC at which the neighbour has an address.
fn known_mac(address: &str) -> String {
    let entry = NEIGHBOUR.run(&format!("ip neigh show {address} dev lan0"));
    entry.split_whitespace().skip_while(|word| *word != "lladdr").nth(1).unwrap_or_default().to_owned()
}

fn mac_of(link: &str) -> String {
    std::fs::read_to_string(format!("/sys/class/net/{link}/address")).expect("the link is there").trim().to_owned()
}

#[test]
fn a_container_that_moves_to_another_parent_is_reached_at_once() {
    let scene = Scene::begin();
    let subnets =
        "--ipv6 --subnet=192.168.1.0/24 --subnet=2001:db8:1::/64 --gateway=192.168.1.1 --gateway=2001:db8:1::1";
    scene.network(&format!("{subnets} -o parent=eth0 here"));
    let addresses = ["192.168.1.77", "2001:db8:1::77"];
    let with = |network: &str| format!("--net={network} --ip={} --ip6={} alpine sleep 1d", addresses[0], addresses[1]);
    scene.container("mover", &with("here"));
    for address in addresses {
        NEIGHBOUR.reaches(address);
        assert_eq!(known_mac(address), mac_of("eth0"), "{address}");
    }
    scene.remove_containers(&["mover"]);
    scene.remove_network("here");

    // No packet of its own: what the neighbour knows now it was told.
    scene.network(&format!("{subnets} -o parent=eth1 there"));
    scene.container("mover", &with("there"));
    for address in addresses {
        wait_until("the neighbour knows where the container is now", || known_mac(address) == mac_of("eth1"));
        NEIGHBOUR.reaches(address);
    }
    scene.has_no_faults();
}

#[test]
fn addresses_are_announced_as_often_and_as_far_apart_as_asked_for() {
    let scene = Scene::begin();
    for (network, third, count) in [("never", 61, 0), ("once", 62, 1), ("always", 63, 3)] {
        let count = format!("-o com.docker.network.advertise_addr_nmsgs={count}");
        scene.network(&format!("--subnet=192.168.{third}.0/24 -o parent=eth0 {count} {network}"));
    }
    let announced = Recording::at_neighbour("arp and arp[14:4] = arp[24:4]");
    let [never, once, always] = ["never", "once", "always"]
        .map(|network| scene.container(network, &format!("--net={network} alpine sleep 1d")).address(network));
    let about = |address: &str| {
        let about = format!("who-has {address} ");
        announced.lines().iter().filter(|line| line.contains(&about)).count()
    };
    // The last comes two seconds after the first, and the others would have come before.
    wait_until("the container is announced three times", || about(&always) == 3);
    assert_eq!((about(&never), about(&once)), (0, 1), "{:?}", announced.lines());
    let spacing = announced.seconds_between_the_last_two();
    assert!((0.5..3.0).contains(&spacing), "{spacing} s between the second and the third");
}

#[test]
fn l3_and_isolated_networks_announce_nothing() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.212.0/24 -o parent=eth1 -o ipvlan_mode=l3 routed");
    scene.network("--subnet=192.168.1.0/24 -o parent=eth0 last");
    let announced = Recording::at_neighbour("arp and arp[14:4] = arp[24:4]");
    scene.container("routed", "--net=routed alpine sleep 1d");
    scene.container("last", "--net=last --ip=192.168.1.77 alpine sleep 1d");
    wait_until("the other container is announced three times", || announced.lines().len() >= 3);
    assert!(announced.lines().iter().all(|line| line.contains("192.168.1.77")), "{:?}", announced.lines());
}
