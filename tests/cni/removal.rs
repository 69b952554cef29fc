//! DEL: whatever is left of a container, it succeeds and nothing is left.

use serde_json::json;

use super::{lan, ledger, network, nothing_is_left, with};
use crate::world::{Attachment, Runtime, Scene, Standpoint, run};

#[test]
fn of_what_was_never_there_and_of_what_is_gone_already() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    let attachment = Attachment::of("c1", one);
    attachment.call("DEL", &lan()).done();
    runtime.add(&attachment, &lan());
    runtime.del(&attachment);
    for _ in 0..2 {
        attachment.call("DEL", &lan()).done();
    }
    assert_eq!(one.interfaces(), ["lo"]);
    nothing_is_left();
}

#[test]
fn without_a_namespace_as_ctr_does_it() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    let attachment = Attachment::of("c1", one);
    runtime.add(&attachment, &lan());
    attachment.nowhere().call("DEL", &lan()).done();
    assert_eq!(one.interfaces(), ["lo"], "it was found without being named");
    nothing_is_left();
}

#[test]
fn after_the_namespace_is_gone() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    runtime.add(&Attachment::of("c1", one), &lan());
    run("ip netns delete one");
    runtime.del(&Attachment::of("c1", one));
    nothing_is_left();
}

#[test]
fn after_the_parent_is_gone() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    scene.by_hand("ip link add par0 type dummy", "ip link delete par0");
    run("ip link set par0 up");
    let config = with(&lan(), &json!({ "master": "par0" }));
    runtime.add(&Attachment::of("c1", one), &config);
    run("ip link delete par0");
    runtime.del(&Attachment::of("c1", one));
    assert_eq!(one.interfaces(), ["lo"]);
    nothing_is_left();
}

#[test]
fn by_a_configuration_that_has_become_another() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    runtime.add(&Attachment::of("c1", one), &lan());
    let ranges = json!([[{ "subnet": "192.168.214.0/24" }]]);
    let edited = network("lan", &json!({ "master": "eth1", "mode": "l3", "ipam": ledger(&ranges) }));
    Attachment::of("c1", one).call("DEL", &edited).done();
    assert_eq!(one.interfaces(), ["lo"]);
    nothing_is_left();
}

#[test]
fn of_one_attachment_leaves_the_others() {
    let scene = Scene::begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    let [first, second] = [one, two].map(|sandbox| Attachment::of(sandbox.0, sandbox));
    runtime.add(&first, &lan());
    runtime.add(&second, &lan());
    runtime.del(&first);
    two.reaches("192.168.1.1");
    runtime.check(&second).done();
}

#[test]
fn a_namespace_that_goes_without_a_word_frees_its_address() {
    let scene = Scene::begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    let args = json!({ "cni": { "ips": ["192.168.1.77"] } });
    let config = with(&lan(), &json!({ "args": args }));
    runtime.add(&Attachment::of("c1", one), &config);
    run("ip netns delete one");
    // Whoever needs the address finds its holder dead.
    let result = runtime.add(&Attachment::of("c2", two), &config);
    assert_eq!(super::address(&result), "192.168.1.77");
    run("ipvland repair");
    runtime.del(&Attachment::of("c2", two));
    nothing_is_left();
}
