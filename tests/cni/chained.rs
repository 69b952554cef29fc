//! Several plugins, one after the other: each is told what the one before it has answered.

use serde_json::{Value, json};

use super::{addresses, lan, network, nothing_is_left};
use crate::world::{Attachment, NEIGHBOUR, Runtime, Scene, Standpoint, refused_with};

/// A plugin of CNI's that changes settings of an interface, and passes on what it was told.
fn tuning() -> Value {
    json!({
        "cniVersion": "1.0.0", "name": "lan", "type": "tuning", "sysctl": { "net.ipv4.conf.eth0.log_martians": "1" },
    })
}

/// What a plugin in front may have found out.
fn found(interfaces: &Value) -> Value {
    json!({
        "cniVersion": "1.0.0",
        "interfaces": interfaces,
        "ips": [{ "address": "192.168.1.77/24", "gateway": "192.168.1.1" }],
        "routes": [{ "dst": "0.0.0.0/0" }],
    })
}

#[test]
fn another_plugin_goes_on_with_what_was_made() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    let attachment = Attachment::of("c1", one);
    let result = runtime.add_chained(&attachment, &[lan(), tuning()]);
    assert_eq!(one.interface("eth0").addresses, addresses(&result));
    assert_eq!(one.run("cat /proc/sys/net/ipv4/conf/eth0/log_martians"), "1");
    NEIGHBOUR.reaches(&super::address(&result));
    runtime.check(&attachment).done();
    runtime.del(&attachment);
    assert_eq!(one.interfaces(), ["lo"]);
    nothing_is_left();
}

#[test]
fn parent_and_addresses_may_come_from_the_plugin_before() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    let config = network("chained", &json!({ "prevResult": found(&json!([{ "name": "eth1" }])) }));
    let attachment = Attachment::of("c1", one);
    let result = runtime.add(&attachment, &config);
    one.interface("eth0").is_slave_on("eth1", "l2/bridge");
    assert_eq!(
        (addresses(&result), &result["interfaces"][1]["name"]),
        (vec!["192.168.1.77/24".into()], &json!("eth0"))
    );
    assert_eq!(one.interface("eth0").addresses, ["192.168.1.77/24"]);
    assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0");
    NEIGHBOUR.reaches("192.168.1.77");
    runtime.check(&attachment).done();
    runtime.del(&attachment);
    nothing_is_left();
}

#[test]
fn of_several_links_none_is_guessed_to_be_the_parent() {
    let scene = Scene::begin();
    let one = scene.namespace("one");
    for interfaces in [json!([{ "name": "eth0" }, { "name": "eth1" }]), json!([])] {
        let config = network("chained", &json!({ "prevResult": found(&interfaces) }));
        let refusal = Attachment::of("c1", one).call("ADD", &config).refused();
        assert_eq!(refusal.code, 7, "{}", refusal.sentence);
        refused_with(&refusal.sentence, &["master"]);
    }
    nothing_is_left();
}
