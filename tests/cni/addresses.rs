//! Addresses that the ledger deals.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{address, addresses, lan, ledger, network, nothing_is_left, with};
use crate::world::{
    Attachment, NEIGHBOUR, Runtime, Scene, Standpoint, ask_plugin, held_addresses, ipvland_json, refused_with,
};

/// The ways in which a runtime says which address a container is to have: the configuration, and `CNI_ARGS`.
fn ways_to_ask(address: &str) -> [(Value, String); 3] {
    [
        (json!({ "runtimeConfig": { "ips": [format!("{address}/24")] } }), String::new()),
        (json!({ "args": { "cni": { "ips": [address] } } }), String::new()),
        (json!({}), format!("IgnoreUnknown=1;IP={address}")),
    ]
}

#[test]
fn a_container_has_the_address_that_is_asked_for() {
    let scene = Scene::begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    for (keys, arguments) in ways_to_ask("192.168.1.77") {
        let config = with(&lan(), &with(&json!({ "capabilities": { "ips": true } }), &keys));
        let attachment = Attachment::of("c1", one).arguments(&arguments);
        let result = runtime.add(&attachment, &config);
        assert_eq!(addresses(&result), ["192.168.1.77/24"], "{config} {arguments}");
        assert_eq!(one.interface("eth0").addresses, ["192.168.1.77/24"]);
        assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0");

        let refusal = Attachment::of("c2", two).arguments(&arguments).call("ADD", &config).refused();
        refused_with(&refusal.sentence, &["192.168.1.77", "held by"]);
        assert_eq!(two.interfaces(), ["lo"]);
        runtime.del(&attachment);
    }
    for (asked, why) in [
        ("192.168.1.1", "is the gateway of network"),
        ("192.168.1.250", "belongs to this host"),
        ("192.168.1.255", "none for a container"),
        ("192.168.7.7", "192.168.7.7"),
    ] {
        // With somebody on it, the network has a gateway to defend.
        let first = Attachment::of("c1", one);
        runtime.add(&first, &lan());
        let refusal = Attachment::of("c2", two).arguments(&format!("IP={asked}")).call("ADD", &lan()).refused();
        refused_with(&refusal.sentence, &[asked, why]);
        runtime.del(&first);
    }
    nothing_is_left();
}

#[test]
fn a_range_is_dealt_in_order_and_to_its_last_address() {
    let scene = Scene::begin();
    let names = ["one", "two", "three", "four"];
    let (runtime, sandboxes) = (Runtime::default(), names.map(|name| scene.namespace(name)));
    let ranges = json!([[{
        "subnet": "192.168.1.0/24", "rangeStart": "192.168.1.248", "rangeEnd": "192.168.1.251", "gateway": "192.168.1.1",
    }]]);
    let ranged = with(&lan(), &json!({ "ipam": ledger(&ranges) }));
    let dealt =
        sandboxes[..3].iter().map(|sandbox| address(&runtime.add(&Attachment::of(sandbox.0, *sandbox), &ranged)));
    let dealt: Vec<String> = dealt.collect();
    assert_eq!(dealt, ["192.168.1.248", "192.168.1.249", "192.168.1.251"], "the host has the one between");
    dealt.iter().for_each(|address| NEIGHBOUR.reaches(address));
    let refusal = Attachment::of("four", sandboxes[3]).call("ADD", &ranged).refused();
    refused_with(&refusal.sentence, &["no address is left"]);
}

#[test]
fn the_second_range_of_a_set_is_dealt_when_the_first_is_full() {
    let scene = Scene::begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    let range = |host: u8| {
        let end = format!("192.168.1.{host}");
        json!({ "subnet": "192.168.1.0/24", "rangeStart": end, "rangeEnd": end, "gateway": "192.168.1.1" })
    };
    let config = with(&lan(), &json!({ "ipam": ledger(&json!([[range(80), range(90)]])) }));
    let dealt = [one, two].map(|sandbox| address(&runtime.add(&Attachment::of(sandbox.0, sandbox), &config)));
    assert_eq!(BTreeSet::from(dealt), BTreeSet::from(["192.168.1.80".to_owned(), "192.168.1.90".to_owned()]));
}

#[test]
fn a_pod_that_is_made_again_under_its_name_has_the_address_it_had() {
    let scene = Scene::begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    let pod = |container, sandbox, name: &str| {
        Attachment::of(container, sandbox).arguments(&format!("K8S_POD_NAMESPACE=shop;K8S_POD_NAME={name}"))
    };
    let [db, web] =
        [("c1", one, "db-0"), ("c2", two, "web-0")].map(|(container, sandbox, name)| pod(container, sandbox, name));
    let had = [&db, &web].map(|pod| address(&runtime.add(pod, &lan())));
    let who = ipvland_json(&format!("who-has {}", had[0]))["held"][0].clone();
    assert_eq!((&who["frontend"], &who["name"]), (&json!("cni"), &json!("shop/db-0")), "{who}");
    runtime.del(&db);
    runtime.del(&web);
    // In another order, and as other containers.
    let [web, db] =
        [("c3", one, "web-0"), ("c4", two, "db-0")].map(|(container, sandbox, name)| pod(container, sandbox, name));
    assert_eq!([&web, &db].map(|pod| address(&runtime.add(pod, &lan()))), [had[1].clone(), had[0].clone()]);
}

#[test]
fn an_address_that_is_reserved_for_a_pod_is_its_own() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    scene.by_hand("ipvland reserve shop/db-0 192.168.1.9", "ipvland unreserve 192.168.1.9");
    let other = Attachment::of("c1", one).arguments("IP=192.168.1.9;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0");
    let refusal = other.call("ADD", &lan()).refused();
    refused_with(&refusal.sentence, &["192.168.1.9", "shop/db-0"]);
    let pod = Attachment::of("c1", one).arguments("K8S_POD_NAMESPACE=shop;K8S_POD_NAME=db-0");
    assert_eq!(address(&runtime.add(&pod, &lan())), "192.168.1.9");
}

#[test]
fn routes_lead_where_the_configuration_says() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    let mut ipam = ledger(&json!([[{ "subnet": "192.168.1.0/24", "gateway": "192.168.1.1" }]]));
    ipam["routes"] = json!([{ "dst": "10.9.0.0/16", "gw": "192.168.1.200" }, { "dst": "10.8.0.0/16" }]);
    let result = runtime.add(&Attachment::of("c1", one), &with(&lan(), &json!({ "ipam": ipam })));
    let destinations = result["routes"].as_array().expect("a result has routes");
    assert_eq!(destinations.len(), 2, "{result}");
    assert_eq!(one.routes_to("10.9.0.0/16"), "10.9.0.0/16 via 192.168.1.200 dev eth0");
    assert_eq!(one.routes_to("10.8.0.0/16"), "10.8.0.0/16 via 192.168.1.1 dev eth0");
    assert_eq!(one.default_route(), "", "nobody asked for one");
    runtime.check(&Attachment::of("c1", one)).done();
}

#[test]
fn subnet_and_router_are_the_parents_where_no_range_is_named() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    let ipam = json!({ "type": "ipvland", "routes": [{ "dst": "0.0.0.0/0" }] });
    let result = runtime.add(&Attachment::of("c1", one), &with(&lan(), &json!({ "ipam": ipam })));
    assert_eq!(addresses(&result)[0], "192.168.1.2/24");
    assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0");
    one.reaches("192.168.1.200");
}

#[test]
fn two_networks_on_one_wire_deal_from_the_same_ledger() {
    let scene = Scene::begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    let other = network("other", &json!({ "master": "eth1", "ipam": lan()["ipam"] }));
    let first = address(&runtime.add(&Attachment::of("c1", one), &lan()));
    let second = address(&runtime.add(&Attachment::of("c1", two), &other));
    assert_ne!(first, second);
    one.reaches(&second);
    let refusal =
        Attachment::of("c2", one).interface("eth1").arguments(&format!("IP={second}")).call("ADD", &lan()).refused();
    refused_with(&refusal.sentence, &[&second, "held by"]);
}

#[test]
fn segments_may_reuse_a_subnet() {
    let scene = Scene::begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    let ranges = json!([[{ "subnet": "192.168.10.0/24", "gateway": "192.168.10.1" }]]);
    for (name, parent, sandbox) in [("north", "eth0.10", one), ("south", "eth0.20", two)] {
        let config = network(name, &json!({ "master": parent, "segment": name, "ipam": ledger(&ranges) }));
        let attachment = Attachment::of("c1", sandbox);
        assert_eq!(address(&runtime.add(&attachment, &config)), "192.168.10.2");
        assert_eq!(ipvland_json(&format!("who-has 192.168.10.2 --segment {name}"))["held"][0]["frontend"], "cni");
    }
    one.reaches("192.168.10.1");
}

#[test]
fn a_container_without_an_ipam_section_has_a_link_and_no_address() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    let bare = network("bare", &json!({ "master": "eth0" }));
    let result = runtime.add(&Attachment::of("c1", one), &bare);
    assert!(result["ips"].as_array().is_none_or(Vec::is_empty), "{result}");
    let eth0 = one.interface("eth0");
    eth0.is_slave_on("eth0", "l2/bridge");
    assert_eq!((eth0.addresses, held_addresses()), (vec![], vec![]));
    runtime.check(&Attachment::of("c1", one)).done();
    ask_plugin("STATUS", &with(&bare, &json!({ "cniVersion": "1.1.0" }))).done();
}
