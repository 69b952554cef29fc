//! Addresses that another plugin deals: they are entered in the ledger, and given back when anything fails later.

use serde_json::{Value, json};

use super::{address, addresses, lan, network, nothing_is_left, with};
use crate::world::{Attachment, NEIGHBOUR, Runtime, Scene, Standpoint, held_addresses, refused_with, run};

/// Where host-local keeps what it has dealt.
const LEASES: &str = "/run/host-local";

/// On the wire of `eth0`, with addresses from CNI's host-local.
fn local() -> Value {
    let ipam = json!({
        "type": "host-local",
        "dataDir": LEASES,
        "ranges": [[{ "subnet": "192.168.1.0/24", "gateway": "192.168.1.1" }]],
        "routes": [{ "dst": "0.0.0.0/0" }],
    });
    network("local", &json!({ "master": "eth0", "ipam": ipam }))
}

fn begin() -> Scene {
    let scene = Scene::begin();
    scene.afterwards(&format!("rm -rf {LEASES}"));
    scene
}

/// What host-local has dealt.
fn leases() -> Vec<String> {
    let Ok(files) = std::fs::read_dir(format!("{LEASES}/local")) else { return Vec::new() };
    let names = files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
    let mut leases: Vec<String> = names.filter(|name| name.starts_with("192.168.")).collect();
    leases.sort_unstable();
    leases
}

#[test]
fn what_host_local_deals_is_entered_and_given_back() {
    let scene = begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    let attachment = Attachment::of("c1", one);
    let result = runtime.add(&attachment, &local());
    assert_eq!((addresses(&result), leases()), (vec!["192.168.1.2/24".into()], vec!["192.168.1.2".into()]));
    assert_eq!(one.interface("eth0").addresses, ["192.168.1.2/24"]);
    assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0");
    assert!(held_addresses().contains(&"192.168.1.2 endpoint".to_owned()), "{:?}", held_addresses());
    NEIGHBOUR.reaches("192.168.1.2");
    runtime.check(&attachment).done();

    // The ledger deals around it.
    assert_eq!(address(&runtime.add(&Attachment::of("c2", two), &lan())), "192.168.1.3");
    runtime.del(&Attachment::of("c2", two));
    runtime.del(&attachment);
    assert_eq!((leases(), one.interfaces()), (vec![], vec!["lo".to_owned()]));
    nothing_is_left();
}

#[test]
fn what_was_dealt_is_given_back_when_anything_fails_later() {
    let scene = begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    runtime.add(&Attachment::of("c0", two), &lan());
    let before = held_addresses();
    one.run("ip link add taken type dummy");
    for (why, interface, changes) in [
        ("the name is taken", "taken", json!({})),
        ("the port has another mode", "eth0", json!({ "mode": "l3" })),
        ("the MTU is too large", "eth0", json!({ "mtu": 9000 })),
        ("there is no such parent", "eth0", json!({ "master": "eth7" })),
    ] {
        let attachment = Attachment::of("c1", one).interface(interface);
        attachment.call("ADD", &with(&local(), &changes)).refused();
        assert_eq!(leases(), [""; 0], "{why}");
        assert_eq!((held_addresses(), one.interfaces()), (before.clone(), vec!["lo".into(), "taken".into()]), "{why}");
    }
}

#[test]
fn what_somebody_holds_is_refused_and_given_back() {
    let scene = begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    let holder = runtime.add(&Attachment::of("c1", one), &lan());
    assert_eq!(address(&holder), "192.168.1.2");
    let refusal = Attachment::of("c2", two).call("ADD", &local()).refused();
    refused_with(&refusal.sentence, &["192.168.1.2", "held by"]);
    assert_eq!((leases(), two.interfaces()), (vec![], vec!["lo".to_owned()]));
    // The runtime tries again, and host-local goes on.
    let result = runtime.add(&Attachment::of("c2", two), &local());
    assert_eq!((address(&result), leases()), ("192.168.1.3".into(), vec!["192.168.1.3".into()]));
    one.reaches("192.168.1.3");
}

#[test]
fn what_is_left_of_a_dead_container_is_given_back() {
    let scene = begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    runtime.add(&Attachment::of("c1", one), &local());
    run("ip netns delete one");
    runtime.del(&Attachment::of("c1", one));
    assert_eq!(leases(), [""; 0]);
    nothing_is_left();
    // Nor is anything needed for it ever to have been there.
    Attachment::of("c1", one).nowhere().call("DEL", &local()).done();
}

#[test]
fn addresses_that_the_configuration_names() {
    let scene = begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    let ipam = json!({
        "type": "static",
        "addresses": [{ "address": "192.168.1.77/24", "gateway": "192.168.1.1" }, { "address": "2001:db8:1::77/64" }],
        "routes": [{ "dst": "0.0.0.0/0" }],
    });
    let result = runtime.add(&Attachment::of("c1", one), &with(&lan(), &json!({ "ipam": ipam })));
    assert_eq!(addresses(&result), ["192.168.1.77/24", "2001:db8:1::77/64"]);
    assert_eq!(one.interface("eth0").addresses, addresses(&result));
    NEIGHBOUR.reaches("2001:db8:1::77");
    runtime.check(&Attachment::of("c1", one)).done();
    let two = scene.namespace("two");
    let refusal = Attachment::of("c2", two).call("ADD", &with(&lan(), &json!({ "ipam": ipam }))).refused();
    refused_with(&refusal.sentence, &["192.168.1.77", "held by"]);
}

#[test]
fn a_plugin_that_is_not_there_is_named() {
    let scene = begin();
    let one = scene.namespace("one");
    let refusal =
        Attachment::of("c1", one).call("ADD", &with(&lan(), &json!({ "ipam": { "type": "nobody" } }))).refused();
    refused_with(&refusal.sentence, &["nobody"]);
    nothing_is_left();
}

#[test]
fn what_the_plugin_refuses_is_passed_on() {
    let scene = begin();
    let one = scene.namespace("one");
    let ipam = json!({ "type": "host-local", "dataDir": LEASES, "ranges": [[{ "subnet": "192.168.1.0/33" }]] });
    let refusal = Attachment::of("c1", one).call("ADD", &with(&local(), &json!({ "ipam": ipam }))).refused();
    refused_with(&refusal.sentence, &["192.168.1.0/33"]);
    assert_eq!(leases(), [""; 0]);
    nothing_is_left();
}
