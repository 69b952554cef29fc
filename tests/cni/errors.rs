//! What is refused, with the number that the specification has for it.

use serde_json::json;

use super::{lan, network, nothing_is_left, with};
use crate::world::{Attachment, Scene, Standpoint, ask_plugin, ask_plugin_so, refused_with, run};

#[test]
fn calls_that_no_runtime_may_make() {
    let _scene = Scene::begin();
    let container = ("CNI_CONTAINERID", "c1");
    let interface = ("CNI_IFNAME", "eth0");
    let sandbox = ("CNI_NETNS", "/run/netns/none");
    let verb = |verb| ("CNI_COMMAND", verb);
    for (variables, code, part) in [
        (vec![verb("DANCE"), container, interface, sandbox], 4, "DANCE"),
        (vec![verb("ADD"), container, interface], 4, "CNI_NETNS"),
        (vec![verb("ADD"), interface, sandbox], 4, "CNI_CONTAINERID"),
        (vec![verb("DEL"), container], 4, "CNI_IFNAME"),
        (vec![verb("ADD"), ("CNI_CONTAINERID", "../c1"), interface, sandbox], 4, "../c1"),
        (vec![verb("ADD"), container, ("CNI_IFNAME", "an-interface-too-long"), sandbox], 4, "an-interface-too-long"),
        (vec![verb("ADD"), container, interface, sandbox], 8, "/run/netns/none"),
        (vec![verb("ADD"), container, interface, ("CNI_NETNS", "/etc/hostname")], 8, "/etc/hostname"),
    ] {
        let refusal = ask_plugin_so(&variables, &lan().to_string()).refused();
        assert_eq!(refusal.code, code, "{variables:?}: {}", refusal.sentence);
        refused_with(&refusal.sentence, &[part]);
    }
    nothing_is_left();
}

#[test]
fn configurations_that_mean_nothing() {
    let scene = Scene::begin();
    let one = scene.namespace("one");
    let ranges = |range| json!({ "ipam": { "type": "ipvland", "ranges": [[range]] } });
    for (changes, code, part) in [
        (json!({ "cniVersion": "0.2.0" }), 1, "0.2.0"),
        (json!({ "cniVersion": "2.0.0" }), 1, "2.0.0"),
        (json!({ "name": null }), 7, "name"),
        (json!({ "mode": "l4" }), 7, "`l4` was given and l2, l3 or l3s was expected"),
        (json!({ "flag": "none" }), 7, "`none` was given and bridge, private or vepa was expected"),
        (json!({ "mtu": 9 }), 7, "from 68 to 65535 was expected"),
        (json!({ "mode": 2 }), 6, "cannot be read"),
        (json!({ "ipam": "ipvland" }), 6, "cannot be read"),
        (json!({ "linkInContainer": true }), 7, "linkInContainer"),
        (json!({ "runtimeConfig": { "mac": "02:00:00:00:00:01" } }), 2, "02:00:00:00:00:01"),
        (ranges(json!({ "subnet": "192.168.1.0/33" })), 7, "192.168.1.0/33"),
        (ranges(json!({ "subnet": "192.168.1.0/24", "rangeStart": "192.168.2.9" })), 7, "192.168.2.9"),
        (ranges(json!({ "subnet": "192.168.1.0/24", "gateway": "192.168.2.1" })), 7, "192.168.2.1"),
        (json!({ "master": "eth7" }), 7, "parent `eth7` is no link of this host"),
        (json!({ "master": "lo" }), 7, "parent `lo` is the loopback"),
    ] {
        let refusal = Attachment::of("c1", one).call("ADD", &with(&lan(), &changes)).refused();
        assert_eq!(refusal.code, code, "{changes}: {}", refusal.sentence);
        refused_with(&refusal.sentence, &[part]);
        assert_eq!(one.interfaces(), ["lo"], "{changes}");
    }
    nothing_is_left();
}

#[test]
fn what_is_no_json() {
    let _scene = Scene::begin();
    let variables =
        [("CNI_COMMAND", "ADD"), ("CNI_CONTAINERID", "c1"), ("CNI_IFNAME", "eth0"), ("CNI_NETNS", "/run/netns/one")];
    for garbage in ["", "{", "[]", "\"lan\"", "{\"cniVersion\": 1}", "\u{0}"] {
        assert_eq!(ask_plugin_so(&variables, garbage).refused().code, 6, "{garbage}");
    }
}

#[test]
fn verbs_that_the_version_does_not_have() {
    let scene = Scene::begin();
    let attachment = Attachment::of("c1", scene.namespace("one"));
    assert_eq!(attachment.call("CHECK", &with(&lan(), &json!({ "cniVersion": "0.3.1" }))).refused().code, 1);
    for verb in ["GC", "STATUS"] {
        assert_eq!(ask_plugin(verb, &lan()).refused().code, 1, "{verb}");
    }
}

#[test]
fn a_ledger_that_cannot_be_written() {
    let scene = Scene::begin();
    let one = scene.namespace("one");
    // Nobody may have it open for that.
    let _nobody = crate::world::NoDaemon::from_now_on();
    scene.by_hand("mount -o remount,ro /var/lib/ipvland", "mount -o remount,rw /var/lib/ipvland");
    let refusal = Attachment::of("c1", one).call("ADD", &lan()).refused();
    refused_with(&refusal.sentence, &["the ledger can be read and not written"]);
    assert_eq!((refusal.code, one.interfaces()), (5, vec!["lo".to_owned()]));
    run("mount -o remount,rw /var/lib/ipvland");
}

#[test]
fn an_interface_that_somebody_else_uses() {
    let scene = Scene::begin();
    let one = scene.namespace("one");
    scene.by_hand("ip link add busy0 type dummy", "ip link delete busy0");
    run("ip link add mv0 link busy0 type macvlan");
    let config = network("busy", &json!({ "master": "busy0" }));
    let refusal = Attachment::of("c1", one).call("ADD", &config).refused();
    refused_with(&refusal.sentence, &["parent `busy0` already carries the macvlan link `mv0`"]);
    nothing_is_left();
}
