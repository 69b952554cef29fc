//! CHECK: whether all that ADD has answered is so.

use serde_json::json;

use super::{lan, nothing_is_left, with};
use crate::world::{Attachment, Runtime, Scene, Standpoint, refused_with};

#[test]
fn what_is_no_longer_as_it_was_made_is_told() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    for (damage, named) in [
        ("ip address delete 192.168.1.77/24 dev eth0", "192.168.1.77"),
        ("ip route delete default", "0.0.0.0/0"),
        ("ip link set eth0 down", "eth0"),
        ("ip link delete eth0", "eth0"),
    ] {
        let attachment = Attachment::of("c1", one).arguments("IgnoreUnknown=1;IP=192.168.1.77");
        runtime.add(&attachment, &lan());
        runtime.check(&attachment).done();
        one.run(damage);
        let refusal = runtime.check(&attachment).refused();
        refused_with(&refusal.sentence, &[named]);
        runtime.del(&attachment);
        assert_eq!(one.interfaces(), ["lo"], "after `{damage}`");
        nothing_is_left();
    }
}

#[test]
fn what_the_result_says_and_nobody_made_is_told() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    let attachment = Attachment::of("c1", one);
    let mut result = runtime.add(&attachment, &lan());
    result["ips"][0]["address"] = json!("192.168.1.99/24");
    let refusal = attachment.call("CHECK", &with(&lan(), &json!({ "prevResult": result }))).refused();
    refused_with(&refusal.sentence, &["192.168.1.99"]);
}

#[test]
fn a_container_that_nobody_has_put_there_is_unknown() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    let result = runtime.add(&Attachment::of("c1", one), &lan());
    let config = with(&lan(), &json!({ "prevResult": result }));
    assert_eq!(Attachment::of("c2", one).call("CHECK", &config).refused().code, 3);
}
