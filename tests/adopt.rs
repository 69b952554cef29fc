//! Coming to a host in use: who has given out which address, besides ipvland.

use serde_json::{Value, json};

use crate::world::{Scene, Standpoint, ipvland_json, run};

const CNI: &str = "/run/adopt-cni";

/// What a machine reads of `ipvland adopt` with the CNI folder of these scenarios: address and holder of each.
#[track_caller]
fn adopt(arguments: &str) -> Vec<(String, String)> {
    let told = ipvland_json(&format!("adopt --cni-dir {CNI} {arguments}"));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    told.as_array().expect("a list").iter().map(|it| (text(&it["address"]), text(&it["holder"]))).collect()
}

#[track_caller]
fn told(expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(address, holder)| ((*address).into(), (*holder).into())).collect();
    assert_eq!(adopt("--dry-run"), expected);
}

#[test]
fn what_others_on_the_host_have_given_out_is_told_with_its_holder() {
    let scene = Scene::begin();
    // A parent carries ipvlan or macvlan: the first is on eth0, the second on eth1.
    scene.network_of(
        "ipvlan",
        "--subnet=192.168.1.0/24 --gateway=192.168.1.1 --aux-address nas=192.168.1.9 --ipv6 --subnet=2001:db8:1::/64 \
         --gateway=2001:db8:1::1 -o parent=eth0 lan",
    );
    scene.network_of("macvlan", "--subnet=192.168.10.0/24 --gateway=192.168.10.1 -o parent=eth1 yard");
    scene.network("--subnet=192.168.20.0/24 --gateway=192.168.20.1 -o parent=eth0 ours");
    let one = scene.container("one", "--net=lan --ip=192.168.1.5 --ip6=2001:db8:1::5 alpine sleep 1d");
    let two = scene.container("two", "--net=yard --ip=192.168.10.5 alpine sleep 1d");
    let three = scene.container("three", "--net=ours --ip=192.168.20.5 alpine sleep 1d");
    let four = scene.container("four", "alpine sleep 1d");
    let shed = scene.namespace("shed");
    run("ip link add hand0 link eth1 netns shed type macvlan mode bridge");
    shed.run("ip address add 192.168.10.77/24 dev hand0");
    shed.run("ip link set hand0 up");
    scene.by_hand(&format!("mkdir -p {CNI}/pods"), &format!("rm -r {CNI}"));
    let file =
        |name: &str, content: &str| std::fs::write(format!("{CNI}/pods/{name}"), content).expect("a file on /run");
    file("192.168.1.90", "0123456789abcdef0123456789abcdef\r\neth0");
    file("2001:db8:1::90", "");
    file("last_reserved_ip.0", "192.168.1.90");
    file("lock", "");
    // Of these two, the engine's word counts.
    file("192.168.10.5", "0123456789abcdef0123456789abcdef\r\neth0");
    assert_eq!(one.interface("eth0").addresses, ["192.168.1.5/24", "2001:db8:1::5/64"]);
    assert_eq!(two.interface("eth0").kind, "macvlan");
    assert_eq!(three.address("ours"), "192.168.20.5");
    assert!(four.address("bridge").starts_with("172."), "it is on no wire");
    assert_eq!(shed.interface("hand0").addresses, ["192.168.10.77/24"]);

    let expected = [
        ("192.168.1.1", "gateway of Docker's network lan"),
        ("192.168.1.5", "container one on Docker's network lan"),
        ("192.168.1.9", "auxiliary address nas of Docker's network lan"),
        ("192.168.1.90", "CNI network pods, container 0123456789ab eth0"),
        ("192.168.10.1", "gateway of Docker's network yard"),
        ("192.168.10.5", "container two on Docker's network yard"),
        ("192.168.10.77", "macvlan link hand0 in /run/netns/shed"),
        ("2001:db8:1::1", "gateway of Docker's network lan"),
        ("2001:db8:1::5", "container one on Docker's network lan"),
        ("2001:db8:1::90", "CNI network pods, a container that is not named"),
    ];
    told(&expected);
    let table = run(&format!("ipvland adopt --dry-run --cni-dir {CNI}"));
    assert!(expected.iter().all(|(address, holder)| table.contains(address) && table.contains(holder)), "{table}");

    // Without the engine's word, the kernel's.
    scene.remove_containers(&["two"]);
    std::fs::remove_file(format!("{CNI}/pods/192.168.10.5")).expect("it is there");
    let silent = adopt("--dry-run --engine-socket /run/nobody.sock");
    let (of_one, place) = silent.iter().find(|(address, _)| address == "192.168.1.5").expect("one runs");
    assert!(place.starts_with("ipvlan link eth0 in /var/run/docker/netns/"), "{of_one} {place}");
    assert_eq!(silent.iter().find(|(address, _)| address == "192.168.10.5"), None, "two is gone");
    assert_eq!(ipvland_json("status")["endpoints"].as_array().map(Vec::len), Some(1), "nothing was entered");
}

#[test]
fn a_host_that_nobody_uses_has_nothing_to_adopt() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 --aux-address nas=192.168.1.9 -o parent=eth0 ours");
    let one = scene.container("one", "--net=ours alpine sleep 1d");
    one.reaches("192.168.1.1");
    assert_eq!(ipvland_json("adopt --dry-run"), json!([]));
    assert_eq!(run("ipvland adopt --dry-run"), "nothing to adopt");
}
