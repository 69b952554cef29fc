//! VERSION, STATUS and GC, which are of no container.

use serde_json::{Value, json};

use super::{lan, ledger, nothing_is_left, with};
use crate::world::{Attachment, Runtime, Scene, Standpoint, ask_plugin, held_addresses, refused_with, run};

/// A configuration of the version that has these verbs.
fn latest(config: &Value) -> Value {
    with(config, &json!({ "cniVersion": "1.1.0" }))
}

#[test]
fn the_versions_that_are_spoken() {
    let answer = ask_plugin("VERSION", &json!({ "cniVersion": "1.0.0" })).done();
    let expected = json!({ "cniVersion": "1.0.0", "supportedVersions": ["0.3.1", "0.4.0", "1.0.0", "1.1.0"] });
    assert_eq!(answer, expected);
}

#[test]
fn a_container_could_be_put_on_a_network_with_room() {
    let _scene = Scene::begin();
    assert_eq!(ask_plugin("STATUS", &latest(&lan())).done(), Value::Null);
}

#[test]
fn a_pool_without_a_free_address_is_told() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    let ranges = json!([[{
        "subnet": "192.168.1.0/24", "rangeStart": "192.168.1.80", "rangeEnd": "192.168.1.80", "gateway": "192.168.1.1",
    }]]);
    let small = latest(&with(&lan(), &json!({ "ipam": ledger(&ranges) })));
    ask_plugin("STATUS", &small).done();
    let attachment = Attachment::of("c1", one);
    runtime.add(&attachment, &small);
    let refusal = ask_plugin("STATUS", &small).refused();
    refused_with(&refusal.sentence, &["no address is left", "192.168.1.80"]);
    assert_eq!(refusal.code, 50);

    let two = scene.namespace("two");
    let refusal = Attachment::of("c2", two).call("ADD", &small).refused();
    refused_with(&refusal.sentence, &["no address is left", "192.168.1.80"]);
    assert_eq!(two.interfaces(), ["lo"]);
    runtime.del(&attachment);
    ask_plugin("STATUS", &small).done();
}

#[test]
fn a_parent_that_is_not_there_is_told() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    let config = latest(&with(&lan(), &json!({ "master": "par0" })));
    let refusal = ask_plugin("STATUS", &config).refused();
    assert_eq!(refusal.code, 50, "{}", refusal.sentence);
    refused_with(&refusal.sentence, &["par0"]);

    scene.by_hand("ip link add par0 type dummy", "ip link delete par0");
    run("ip link set par0 up");
    ask_plugin("STATUS", &config).done();
    runtime.add(&Attachment::of("c1", one), &config);
    run("ip link delete par0");
    assert_eq!(ask_plugin("STATUS", &config).refused().code, 50);
}

#[test]
fn a_port_in_another_mode_is_told() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    runtime.add(&Attachment::of("c1", one), &lan());
    let refusal = ask_plugin("STATUS", &latest(&with(&lan(), &json!({ "mode": "l3" })))).refused();
    assert_eq!(refusal.code, 50, "{}", refusal.sentence);
    refused_with(&refusal.sentence, &["eth0", "l2/bridge"]);
}

#[test]
fn what_a_runtime_no_longer_knows_is_released_and_nothing_else() {
    let scene = Scene::begin();
    let (runtime, other) = (Runtime::default(), with(&lan(), &json!({ "name": "other" })));
    let [one, two, three] = ["one", "two", "three"].map(|name| scene.namespace(name));
    runtime.add(&Attachment::of("c1", one), &lan());
    runtime.add(&Attachment::of("c2", two), &lan());
    runtime.add(&Attachment::of("c2", two).interface("eth1"), &lan());
    runtime.add(&Attachment::of("c3", three), &other);
    // Of this one nobody can be asked any more.
    run("ip netns delete one");

    let known = json!([{ "containerID": "c2", "ifname": "eth1" }]);
    ask_plugin("GC", &latest(&with(&lan(), &json!({ "cni.dev/valid-attachments": known })))).done();
    assert_eq!(
        (two.interfaces(), three.interfaces()),
        (vec!["lo".into(), "eth1".into()], vec!["lo".into(), "eth0".into()])
    );
    two.interface("eth1").is_slave_on("eth0", "l2/bridge");
    runtime.check(&Attachment::of("c3", three)).done();
    assert_eq!(held_addresses().len(), 4, "the gateway and one of each network: {:?}", held_addresses());

    for config in [lan(), other] {
        ask_plugin("GC", &latest(&with(&config, &json!({ "cni.dev/valid-attachments": [] })))).done();
    }
    assert_eq!((two.interfaces(), three.interfaces()), (vec!["lo".to_owned()], vec!["lo".to_owned()]));
    nothing_is_left();
}
