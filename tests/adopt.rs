//! Coming to a host in use: who has given out which address, besides ipvland.

use serde_json::{Value, json};

use crate::world::{Scene, Standpoint, ipvland_json, refused_with, run};

const CNI: &str = "/run/adopt-cni";

/// What a machine reads of `ipvland adopt` with the CNI folder of these scenarios: address, holder and entry of each.
#[track_caller]
fn adopt(arguments: &str) -> Vec<[String; 3]> {
    let told = ipvland_json(&format!("adopt --cni-dir {CNI} {arguments}"));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let row = |it: &Value| ["address", "holder", "entry"].map(|key| text(&it[key]));
    told.as_array().expect("a list").iter().map(row).collect()
}

/// The same, of which all is the same to the ledger.
#[track_caller]
fn adopts(arguments: &str, entry: &str, expected: &[(&str, &str)]) {
    let expected: Vec<_> =
        expected.iter().map(|(address, holder)| [*address, *holder, entry].map(str::to_owned)).collect();
    assert_eq!(adopt(arguments), expected);
}

fn file(name: &str, content: &str) {
    std::fs::write(format!("{CNI}/pods/{name}"), content).expect("a file on /run");
}

/// The folder of CNI's, and a ledger without what the scenario adopts once it is over and all is gone.
fn begin() -> Scene {
    let scene = Scene::begin();
    scene.by_hand(&format!("mkdir -p {CNI}/pods"), "ipvland adopt");
    scene.by_hand("true", &format!("rm -r {CNI}"));
    scene
}

#[test]
fn what_others_on_the_host_have_given_out_is_told_with_its_holder() {
    let scene = begin();
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
    adopts("--dry-run", "new", &expected);
    adopts("--dry-run", "new", &expected);
    let table = run(&format!("ipvland adopt --cni-dir {CNI}"));
    assert!(expected.iter().all(|(address, holder)| table.contains(address) && table.contains(holder)), "{table}");
    adopts("", "known", &expected);

    // Without the engine's word, the kernel's. Whoever is gone has nothing.
    scene.remove_containers(&["two"]);
    std::fs::remove_file(format!("{CNI}/pods/192.168.10.5")).expect("it is there");
    let silent = adopt("--dry-run --engine-socket /run/nobody.sock");
    let of = |wanted: &str| silent.iter().find(|[address, ..]| address == wanted).expect("it was adopted");
    let [_, holder, entry] = of("192.168.1.5");
    assert!(holder.starts_with("ipvlan link eth0 in /var/run/docker/netns/") && entry == "known", "{holder} {entry}");
    assert_eq!(of("192.168.10.5")[2], "gone");
    let later: Vec<_> = expected.into_iter().filter(|(address, _)| *address != "192.168.10.5").collect();
    adopt("");
    adopts("", "known", &later);
}

#[test]
fn what_was_adopted_is_given_to_nobody() {
    let scene = begin();
    scene.network("--subnet=192.168.20.0/24 --gateway=192.168.20.1 -o parent=eth0 ours");
    let one = scene.container("one", "--net=ours --ip=192.168.20.5 alpine sleep 1d");
    file("192.168.20.6", "0123456789abcdef0123456789abcdef\r\neth0");
    // What ipvland has given out itself is its own.
    file("192.168.20.5", "");
    adopts("", "new", &[("192.168.20.6", "CNI network pods, container 0123456789ab eth0")]);

    let refusal = scene.refused_container("two", "--net=ours --ip=192.168.20.6 alpine sleep 1d");
    refused_with(&refusal, &["192.168.20.6", "held by CNI network pods, container 0123456789ab eth0"]);
    scene.remove_containers(&["two"]);
    std::fs::remove_file(format!("{CNI}/pods/192.168.20.6")).expect("it is there");
    adopts("", "gone", &[("192.168.20.6", "CNI network pods, container 0123456789ab eth0")]);
    let two = scene.container("two", "--net=ours --ip=192.168.20.6 alpine sleep 1d");
    one.reaches("192.168.20.6");
    assert_eq!(two.interface("eth0").addresses, ["192.168.20.6/24"]);
}

#[test]
fn the_ledger_deals_around_what_was_adopted() {
    let scene = begin();
    let subnet = "--subnet=192.168.1.0/24 --gateway=192.168.1.1";
    // On the same wire, by two links; Docker deals the first address there.
    scene.network_of("macvlan", &format!("{subnet} -o parent=eth1 yard"));
    let theirs = scene.container("theirs", "--net=yard alpine sleep 1d");
    assert_eq!(theirs.interface("eth0").addresses, ["192.168.1.2/24"]);
    adopts(
        "",
        "new",
        &[
            ("192.168.1.1", "gateway of Docker's network yard"),
            ("192.168.1.2", "container theirs on Docker's network yard"),
        ],
    );

    scene.network(&format!("--ipam-driver ipvland {subnet} -o parent=eth0 lan"));
    let ours = scene.container("ours", "--net=lan alpine sleep 1d");
    assert_eq!(ours.interface("eth0").addresses, ["192.168.1.3/24"]);
    assert_eq!(ours.default_route(), "default via 192.168.1.1 dev eth0");
    ours.reaches("192.168.1.2");
    // What was dealt is ipvland's own.
    assert_eq!(adopt("").len(), 2);
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
