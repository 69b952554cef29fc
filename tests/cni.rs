//! The CNI plugin: a runtime that calls it, and a network namespace for each container. Real runtimes are in `containerd`.

mod addresses;
mod ask;
mod chained;
mod check;
mod containerd;
mod delegated;
mod dhcp;
mod errors;
mod killed;
mod only_addresses;
mod removal;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::{
    Attachment, Host, NEIGHBOUR, NoDaemon, ROUTER, Recording, Runtime, Scene, Standpoint, held_addresses, ipvland_json,
    links_named, post, recorded_networks, refused_with, run, wait_until,
};

/// The configuration of a network, of the version that most runtimes speak.
fn network(name: &str, more: &Value) -> Value {
    with(&json!({ "cniVersion": "1.0.0", "name": name, "type": "ipvland" }), more)
}

/// The same with other values of some keys. Null takes a key away.
fn with(config: &Value, changes: &Value) -> Value {
    let mut config = config.clone();
    let keys = config.as_object_mut().expect("a configuration is an object");
    for (key, value) in changes.as_object().expect("changes are by key") {
        match value {
            Value::Null => keys.remove(key),
            value => keys.insert(key.clone(), value.clone()),
        };
    }
    config
}

/// On the wire of `eth0`, with addresses from the ledger.
fn lan() -> Value {
    let ranges = json!([[{ "subnet": "192.168.1.0/24", "gateway": "192.168.1.1" }]]);
    network("lan", &json!({ "master": "eth0", "ipam": ledger(&ranges) }))
}

/// Addresses from the ledger, and a way out.
fn ledger(ranges: &Value) -> Value {
    json!({ "type": "ipvland", "ranges": ranges, "routes": [{ "dst": "0.0.0.0/0" }] })
}

/// The addresses of a result, with the lengths of their prefixes.
#[track_caller]
fn addresses(result: &Value) -> Vec<String> {
    let ips = result["ips"].as_array().unwrap_or_else(|| panic!("a result has addresses: {result}"));
    ips.iter().map(|ip| ip["address"].as_str().expect("an address is a text").to_owned()).collect()
}

/// The only address of a result, by itself.
#[track_caller]
fn address(result: &Value) -> String {
    let [address] = &addresses(result)[..] else { panic!("one address was expected: {result}") };
    address.split('/').next().expect("an address").to_owned()
}

/// Asserts that nobody has ever been on a network.
#[track_caller]
fn nothing_is_left() {
    assert_eq!((held_addresses(), recorded_networks()), (vec![], vec![]));
    assert_eq!(links_named("ipl"), [""; 0], "neither slave nor sentinel");
}

/// Asserts the same once what was dealt and never used is given up: with the life of an engine, sooner than by itself.
#[track_caller]
fn give_up_claims() {
    assert!(post("Plugin.Activate", b"").error().is_none());
    nothing_is_left();
}

#[test]
fn a_container_comes_and_goes_in_every_version() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    for version in ["0.3.1", "0.4.0", "1.0.0", "1.1.0"] {
        let attachment = Attachment::of("c1", one);
        let result = runtime.add(&attachment, &with(&lan(), &json!({ "cniVersion": version })));
        assert_eq!(result["cniVersion"], version);
        let interface = &result["interfaces"][0];
        let expected = json!(["eth0", Host.interface("eth0").mac, one.path()]);
        assert_eq!(json!([interface["name"], interface["mac"], interface["sandbox"]]), expected, "{result}");
        let ip = &result["ips"][0];
        assert_eq!((&ip["gateway"], &ip["interface"]), (&json!("192.168.1.1"), &json!(0)), "{result}");
        assert_eq!(ip["version"], if version < "1" { json!("4") } else { Value::Null }, "{result}");
        assert_eq!(result["routes"][0]["dst"], "0.0.0.0/0", "{result}");

        let eth0 = one.interface("eth0");
        eth0.is_slave_on("eth0", "l2/bridge");
        assert_eq!(eth0.addresses, addresses(&result));
        assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0");
        one.reaches("192.168.1.200");
        NEIGHBOUR.reaches(&address(&result));
        assert_eq!(held_addresses(), ["192.168.1.1 gateway".to_owned(), format!("{} endpoint", address(&result))]);
        scene.has_no_faults();
        if version != "0.3.1" {
            runtime.check(&attachment).done();
        }
        runtime.del(&attachment);
        assert_eq!(one.interfaces(), ["lo"]);
        nothing_is_left();
    }
}

#[test]
fn both_families_are_there_at_once_and_neighbours_are_told() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    let ranges = json!([
        [{ "subnet": "192.168.1.0/24", "gateway": "192.168.1.1" }],
        [{ "subnet": "2001:db8:1::/64", "gateway": "2001:db8:1::1" }],
    ]);
    let mut ipam = ledger(&ranges);
    ipam["routes"] = json!([{ "dst": "0.0.0.0/0" }, { "dst": "::/0" }]);
    let told = Recording::at_neighbour("(arp and arp[14:4] = arp[24:4]) or (icmp6 and ip6[40] = 136)");
    let result = runtime.add(&Attachment::of("c1", one), &with(&lan(), &json!({ "ipam": ipam })));
    // Nobody waits for a duplicate that the ledger knows there is not.
    assert_eq!(one.run("ip -6 address show dev eth0 scope global tentative"), "");
    assert_eq!(addresses(&result), ["192.168.1.2/24", "2001:db8:1::2/64"]);
    assert_eq!(one.interface("eth0").addresses, addresses(&result));
    assert!(one.default_route_v6().starts_with("default via 2001:db8:1::1 dev eth0"), "{}", one.default_route_v6());
    for about in ["who-has 192.168.1.2 ", "tgt is 2001:db8:1::2,"] {
        wait_until("the neighbour is told", || told.lines().iter().any(|line| line.contains(about)));
    }
    NEIGHBOUR.reaches("192.168.1.2");
    NEIGHBOUR.reaches("2001:db8:1::2");
    runtime.check(&Attachment::of("c1", one)).done();
}

fn is_routed_in(mode: &str) {
    let scene = Scene::begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    let ranges = json!([[{ "subnet": "192.168.214.0/24" }]]);
    let routed = network("routed", &json!({ "master": "eth0", "mode": mode, "ipam": ledger(&ranges) }));
    let [first, second] = [one, two].map(|sandbox| address(&runtime.add(&Attachment::of(sandbox.0, sandbox), &routed)));
    one.interface("eth0").is_slave_on("eth0", &format!("{mode}/bridge"));
    assert!(one.default_route().starts_with("default dev eth0"), "{}", one.default_route());
    one.reaches(&second);
    two.reaches("192.168.1.200");
    NEIGHBOUR.reaches(&first);
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
fn a_flag_keeps_containers_apart() {
    let scene = Scene::begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    let apart = with(&lan(), &json!({ "flag": "private" }));
    let [_, second] = [one, two].map(|sandbox| address(&runtime.add(&Attachment::of(sandbox.0, sandbox), &apart)));
    one.interface("eth0").is_slave_on("eth0", "l2/private");
    one.does_not_reach(&second);
    one.reaches("192.168.1.1");
    ROUTER.reaches(&second);
}

#[test]
fn a_vlan_link_is_made_with_the_first_container_and_goes_with_the_last() {
    let scene = Scene::begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    let ranges = json!([[{ "subnet": "192.168.10.0/24", "gateway": "192.168.10.1" }]]);
    let ten = network("ten", &json!({ "master": "eth0.10", "ipam": ledger(&ranges) }));
    let attachments = [one, two].map(|sandbox| Attachment::of(sandbox.0, sandbox));
    attachments.iter().for_each(|attachment| drop(runtime.add(attachment, &ten)));
    one.interface("eth0").is_slave_on("eth0.10", "l2/bridge");
    one.reaches("192.168.10.1");
    runtime.del(&attachments[0]);
    two.reaches("192.168.10.1");
    runtime.del(&attachments[1]);
    assert_eq!(links_named("eth0."), [""; 0]);
}

#[test]
fn the_mtu_asked_for_is_in_effect_and_no_larger_one_than_the_parents() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    let attachment = Attachment::of("c1", one);
    let refusal = attachment.call("ADD", &with(&lan(), &json!({ "mtu": 1501 }))).refused();
    refused_with(&refusal.sentence, &["an MTU of 1501 is more than the 1500 of parent `eth0`", "ask for at most 1500"]);
    assert_eq!((refusal.code, one.interfaces()), (7, vec!["lo".to_owned()]));
    nothing_is_left();
    runtime.add(&attachment, &with(&lan(), &json!({ "mtu": 1400 })));
    assert_eq!(one.interface("eth0").mtu, 1400);
    runtime.check(&attachment).done();
}

#[test]
fn the_parent_is_the_link_of_the_default_route_where_none_is_named() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    let attachment = Attachment::of("c1", one);
    runtime.add(&attachment, &with(&lan(), &json!({ "master": null })));
    one.interface("eth0").is_slave_on("eth0", "l2/bridge");

    // That was then.
    scene.by_hand("ip route delete default", "ip route add default via 192.168.1.1");
    runtime.check(&attachment).done();
    runtime.del(&attachment);
    assert_eq!(one.interfaces(), ["lo"]);
    nothing_is_left();
}

#[test]
fn a_container_may_call_its_interface_as_the_host_calls_one() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    let second = Attachment::of("c1", one).interface("eth1");
    runtime.add(&Attachment::of("c1", one), &lan());
    runtime.add(&second, &lan());
    assert_eq!(one.interfaces(), ["lo", "eth0", "eth1"]);
    one.interface("eth1").is_slave_on("eth0", "l2/bridge");
    runtime.check(&second).done();
    runtime.del(&second);
    assert_eq!(one.interfaces(), ["lo", "eth0"], "an attachment is one interface of a container");
}

#[test]
fn a_name_that_the_container_has_already_is_refused_and_nothing_is_left() {
    let scene = Scene::begin();
    let one = scene.namespace("one");
    one.run("ip link add eth0 type dummy");
    let refusal = Attachment::of("c1", one).call("ADD", &lan()).refused();
    refused_with(&refusal.sentence, &["eth0"]);
    assert_eq!((one.interfaces(), one.interface("eth0").kind), (vec!["lo".into(), "eth0".into()], "dummy".into()));
    nothing_is_left();
}

#[test]
fn a_mode_that_would_flip_others_is_refused() {
    let scene = Scene::begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    runtime.add(&Attachment::of("c1", one), &lan());
    let other = network(
        "other",
        &json!({ "master": "eth0", "mode": "l3", "ipam": ledger(&json!([[{ "subnet": "192.168.214.0/24" }]])) }),
    );
    let refusal = Attachment::of("c2", two).call("ADD", &other).refused();
    refused_with(&refusal.sentence, &["eth0", "l2/bridge", "cni-lan-"]);
    assert_eq!(two.interfaces(), ["lo"]);
    one.interface("eth0").is_slave_on("eth0", "l2/bridge");
    scene.has_no_faults();
}

#[test]
fn thirty_that_start_at_once_get_thirty_addresses() {
    let scene = Scene::begin();
    let names: Vec<String> = (0..30).map(|number| format!("pod{number}")).collect();
    let pods: Vec<_> = names.iter().map(|name| (Attachment::of(name, scene.namespace(name)), name)).collect();
    let runtime = Runtime::default();
    let dealt = std::thread::scope(|scope| {
        let start = |pod: &Attachment| address(&runtime.add(pod, &lan()));
        let starting: Vec<_> = pods.iter().map(|(pod, _)| scope.spawn(move || start(pod))).collect();
        starting.into_iter().map(|thread| thread.join().expect("it starts")).collect::<BTreeSet<String>>()
    });
    assert_eq!(dealt.len(), 30, "{dealt:?}");
    dealt.iter().for_each(|address| NEIGHBOUR.reaches(address));
    scene.has_no_faults();
    std::thread::scope(|scope| {
        let runtime = &runtime;
        pods.iter().for_each(|(pod, _)| drop(scope.spawn(move || runtime.del(pod))));
    });
    nothing_is_left();
}

#[test]
fn no_daemon_is_needed_and_one_that_starts_leaves_everything_alone() {
    let scene = Scene::begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    let nobody = NoDaemon::from_now_on();
    let first = address(&runtime.add(&Attachment::of("c1", one), &lan()));
    NEIGHBOUR.reaches(&first);
    let before = (one.interface("eth0"), held_addresses(), ipvland_json("network ls"));
    drop(nobody);
    assert_eq!((one.interface("eth0"), held_addresses(), ipvland_json("network ls")), before);
    let second = address(&runtime.add(&Attachment::of("c2", two), &lan()));
    one.reaches(&second);
    assert_eq!(run("ipvland repair"), "nothing to repair");
    scene.has_no_faults();
}
