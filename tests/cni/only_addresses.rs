//! As `ipam.type` of another main plugin: that one makes the link, and the ledger deals its addresses.

use serde_json::{Value, json};

use super::{address, addresses, lan, ledger, nothing_is_left, with};
use crate::world::{
    Attachment, NEIGHBOUR, Runtime, Scene, Standpoint, ask_plugin, held_addresses, ipvland_json, refused_with, run,
};

/// CNI's own macvlan plugin, on a link that ipvlan has no part in.
fn macvlan() -> Value {
    with(&lan(), &json!({ "name": "macvlan", "type": "macvlan", "master": "eth1", "mode": "bridge" }))
}

#[test]
fn a_container_of_the_macvlan_plugins_has_an_address_of_the_ledger() {
    let scene = Scene::begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    let attachment = Attachment::of("c1", one);
    let result = runtime.add(&attachment, &macvlan());
    assert_eq!(addresses(&result), ["192.168.1.2/24"]);
    let eth0 = one.interface("eth0");
    assert_eq!((eth0.kind.as_str(), eth0.addresses), ("macvlan", vec!["192.168.1.2/24".to_owned()]));
    assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0");
    NEIGHBOUR.reaches("192.168.1.2");
    let who = ipvland_json("who-has 192.168.1.2")["held"][0].clone();
    assert_eq!((&who["kind"], &who["frontend"]), (&json!("endpoint"), &json!("cni")), "{who}");
    runtime.check(&attachment).done();
    scene.has_no_faults();

    // On the same wire, by ipvlan.
    assert_eq!(address(&runtime.add(&Attachment::of("c2", two), &lan())), "192.168.1.3");
    two.reaches("192.168.1.2");
    assert_eq!(run("ipvland repair"), "nothing to repair");
    runtime.del(&Attachment::of("c2", two));
    runtime.del(&attachment);
    assert_eq!(one.interfaces(), ["lo"]);
    nothing_is_left();
}

#[test]
fn an_address_that_somebody_holds_is_refused() {
    let scene = Scene::begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    let holder = address(&runtime.add(&Attachment::of("c1", one), &lan()));
    let thief = Attachment::of("c2", two).arguments(&format!("IgnoreUnknown=1;IP={holder}"));
    let refusal = thief.call("ADD", &macvlan()).refused();
    refused_with(&refusal.sentence, &[&holder, "held by"]);
}

#[test]
fn an_address_goes_with_the_namespace_it_is_in() {
    let scene = Scene::begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    runtime.add(&Attachment::of("c1", one), &macvlan());
    runtime.add(&Attachment::of("c2", two), &macvlan());
    run("ip netns delete one");
    run("ipvland repair");
    assert_eq!(held_addresses().iter().filter(|held| held.ends_with(" endpoint")).count(), 1, "{:?}", held_addresses());
    let nothing = json!({ "cniVersion": "1.1.0", "cni.dev/valid-attachments": [] });
    ask_plugin("GC", &with(&macvlan(), &nothing)).done();
    nothing_is_left();
}

#[test]
fn it_says_when_it_has_no_address_left() {
    let _scene = Scene::begin();
    let latest = with(&macvlan(), &json!({ "cniVersion": "1.1.0" }));
    ask_plugin("STATUS", &latest).done();
    let ranges = json!([[{ "subnet": "192.168.1.0/24", "rangeStart": "192.168.1.1", "rangeEnd": "192.168.1.1", "gateway": "192.168.1.1" }]]);
    let full = with(&latest, &json!({ "ipam": ledger(&ranges) }));
    assert_eq!(ask_plugin("STATUS", &full).refused().code, 50);
}
