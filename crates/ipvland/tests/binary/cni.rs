//! The CNI plugin, as far as it gets without ipvlan: what is refused is refused before anything changes.

use serde_json::{Value, json};

use runtime::{CONTAINER, Runtime};

mod runtime;

#[test]
fn versions_are_told_in_the_version_that_is_spoken() {
    let runtime = Runtime::new();
    let all = json!(["0.3.1", "0.4.0", "1.0.0", "1.1.0"]);
    for (asked, version) in
        [("", "1.1.0"), (r#"{"cniVersion": "0.4.0"}"#, "0.4.0"), (r#"{"cniVersion": "9.0.0"}"#, "1.1.0")]
    {
        let answer = runtime.run(&[("CNI_COMMAND", "VERSION")], asked);
        assert!(answer.success, "{answer:?}");
        assert_eq!(answer.said, json!({ "cniVersion": version, "supportedVersions": all }));
    }
    let (code, _) = runtime.run(&[("CNI_COMMAND", "VERSION")], "{").refusal("1.1.0");
    assert_eq!(code, 6);
}

#[test]
fn a_wrong_environment_is_told_whatever_the_configuration_is() {
    let runtime = Runtime::new();
    for (variables, sentence) in [
        (&[("CNI_COMMAND", "")][..], "CNI_COMMAND: `` is no verb of CNI"),
        (&[("CNI_COMMAND", "UPDATE")], "CNI_COMMAND: `UPDATE` is no verb of CNI"),
        (&[("CNI_COMMAND", "DEL"), CONTAINER[0]], "DEL needs CNI_IFNAME, which the runtime did not set"),
        (
            &[("CNI_COMMAND", "ADD"), CONTAINER[0], CONTAINER[1], ("CNI_NETNS", "")],
            "ADD needs CNI_NETNS, which the runtime did not set",
        ),
    ] {
        assert_eq!(runtime.run(variables, "no JSON").refusal("1.1.0"), (4, sentence.to_owned()));
    }
}

#[test]
fn a_wrong_configuration_is_refused_and_nothing_is_entered() {
    let runtime = Runtime::new();
    let ledger = |ipam: Value| json!({ "ipam": ipam });
    for (keys, code, part) in [
        (json!({ "mode": "l4" }), 7, "key `mode`: `l4` was given and l2, l3 or l3s was expected"),
        (json!({ "linkInContainer": true }), 7, "key `linkInContainer`: `true` was given"),
        (json!({ "mtu": "1400" }), 6, "invalid type: string \"1400\", expected i64"),
        (json!({ "runtimeConfig": { "mac": "02:00:00:00:00:01" } }), 2, "key `runtimeConfig.mac`: `02:00:00:00:00:01`"),
        (json!({ "type": "ipvlan" }), 7, "key `type`: `ipvlan` was given"),
        (json!({ "ipam": { "type": "weave" } }), 7, "there is no plugin `weave` in CNI_PATH"),
        (
            ledger(json!({ "type": "ipvland", "subnet": "10.1.2.0/24", "gateway": "10.1.3.1" })),
            7,
            "key `gateway`: `10.1.3.1` was given, and a container in 10.1.2.0/24 cannot have it",
        ),
        (
            ledger(
                json!({ "type": "ipvland", "subnet": "10.1.2.0/24", "routes": [{ "dst": "10.0.0.0/8", "table": 7 }] }),
            ),
            2,
            "key `routes[].table`: `7` was given",
        ),
        (
            ledger(json!({ "type": "ipvland", "subnet": "10.1.2.0/24", "resolvConf": "/no/such/file" })),
            5,
            "key `ipam.resolvConf`: /no/such/file cannot be read",
        ),
        (
            json!({
                "args": { "cni": { "ips": ["10.9.9.9"] } },
                "ipam": { "type": "ipvland", "subnet": "10.1.2.0/24" }
            }),
            7,
            "address 10.9.9.9 is asked for, and no range is left that it could be dealt from",
        ),
        (json!({ "type": "macvlan", "ipam": { "type": "ipvland" } }), 7, "neither `subnet` nor `ranges` was given"),
        (json!({}), 7, "parent `no-such-link` is no link of this host"),
    ] {
        let (found, sentence) = runtime.refused("ADD", &runtime.network(&keys));
        assert_eq!(found, code, "{sentence}");
        assert!(sentence.contains(part), "{sentence}");
    }
    assert_eq!(runtime.ledger(), (json!([]), json!([])));
}

#[test]
fn a_failure_is_told_in_the_version_of_the_configuration() {
    let runtime = Runtime::new();
    for version in ["0.3.1", "0.4.0", "1.0.0", "1.1.0"] {
        let network = runtime.network(&json!({ "cniVersion": version }));
        assert_eq!(runtime.call("ADD", &network).refusal(version).0, 7);
    }
    let (code, sentence) = runtime.refused("ADD", &runtime.network(&json!({ "cniVersion": "0.2.0" })));
    assert_eq!((code, sentence.starts_with("key `cniVersion`: `0.2.0` was given")), (1, true), "{sentence}");
}

#[test]
fn what_goes_wrong_comes_with_a_remedy() {
    let runtime = Runtime::new();
    let answer = runtime.call("ADD", &runtime.network(&json!({})));
    assert_eq!(answer.said["details"], "name a link that `ip link` shows, or LINK.VLAN to have a VLAN link made");
}

#[test]
fn a_verb_is_refused_in_versions_that_do_not_have_it() {
    let runtime = Runtime::new();
    for (verb, version, since) in [("CHECK", "0.3.1", "0.4.0"), ("GC", "1.0.0", "1.1.0"), ("STATUS", "1.0.0", "1.1.0")]
    {
        let network = runtime.network(&json!({ "cniVersion": version }));
        let sentence = format!("key `cniVersion`: `{version}` was given, and this verb there is since {since}");
        assert_eq!(runtime.call(verb, &network).refusal(version), (1, sentence));
    }
}

#[test]
fn there_are_no_containers_in_the_hosts_own_namespace() {
    let runtime = Runtime::new();
    let variables = [("CNI_COMMAND", "ADD"), CONTAINER[0], CONTAINER[1], ("CNI_NETNS", "/proc/self/ns/net")];
    let network = runtime.network(&json!({ "master": "lo" }));
    let sentence = "CNI_NETNS: /proc/self/ns/net is the network namespace of this host";
    assert_eq!(runtime.run(&variables, network.to_string()).refusal("1.1.0"), (8, sentence.to_owned()));
}

#[test]
fn whoever_is_not_there_can_be_taken_off() {
    let runtime = Runtime::new();
    for keys in [json!({}), json!({ "master": null, "mode": "l4", "ipam": { "type": "ipvland", "subnet": "x" } })] {
        let network = runtime.network(&keys);
        runtime.call("DEL", &network).is_silent_success();
        let without_namespace = [("CNI_COMMAND", "DEL"), CONTAINER[0], CONTAINER[1], ("CNI_NETNS", "")];
        runtime.run(&without_namespace, network.to_string()).is_silent_success();
    }
    for valid in [json!([]), json!(null), json!([{ "containerID": "c1", "ifname": "eth0" }])] {
        let network = runtime.network(&json!({ "cni.dev/valid-attachments": valid }));
        runtime.run(&[("CNI_COMMAND", "GC")], network.to_string()).is_silent_success();
    }
    let (code, sentence) = runtime.refused("GC", &runtime.network(&json!({})));
    assert_eq!((code, sentence.as_str()), (7, "key `cni.dev/valid-attachments`: it is missing, and GC needs it"));
    assert_eq!(runtime.ledger(), (json!([]), json!([])));
}

#[test]
fn a_container_that_was_never_put_there_is_unknown() {
    let runtime = Runtime::new();
    let (code, sentence) = runtime.refused("CHECK", &runtime.network(&json!({})));
    assert_eq!((code, sentence.starts_with("key `prevResult` is missing")), (7, true), "{sentence}");
    let network = runtime.network(&json!({ "prevResult": { "cniVersion": "1.1.0" } }));
    let sentence = "container c1 has no interface `eth0` on network lan";
    assert_eq!(runtime.refused("CHECK", &network), (3, sentence.to_owned()));
}

#[test]
fn a_network_that_no_container_can_be_put_on_says_so() {
    let runtime = Runtime::new();
    let status = |keys: &Value| runtime.run(&[("CNI_COMMAND", "STATUS")], runtime.network(keys).to_string());
    let sentence = "parent `no-such-link` is no link of this host";
    assert_eq!(status(&json!({})).refusal("1.1.0"), (50, sentence.to_owned()));
    assert_eq!(status(&json!({ "mode": "l4" })).refusal("1.1.0").0, 7);
    runtime.spoil_ledger();
    let (code, sentence) = status(&json!({})).refusal("1.1.0");
    assert_eq!((code, sentence.starts_with("the ledger ")), (50, true), "{sentence}");
    let (code, sentence) = runtime.refused("DEL", &runtime.network(&json!({})));
    assert_eq!((code, sentence.starts_with("the ledger ")), (5, true), "{sentence}");
}

#[test]
fn a_pool_is_ready_until_it_is_exhausted() {
    let runtime = Runtime::new();
    let status = |exclude: &[&str], ranges: Value| {
        let ipam = json!({ "type": "ipvland", "ranges": [ranges], "exclude": exclude });
        runtime
            .run(&[("CNI_COMMAND", "STATUS")], runtime.network(&json!({ "type": "bridge", "ipam": ipam })).to_string())
    };
    let (one, two) = (json!({ "subnet": "10.1.2.0/24" }), json!({ "subnet": "10.1.3.0/24" }));
    status(&[], json!([one])).is_silent_success();
    let all = ["10.1.2.0/24"];
    assert_eq!(status(&all, json!([one])).refusal("1.1.0"), (50, "no address is left in 10.1.2.0/24".to_owned()));
    status(&all, json!([one, two])).is_silent_success();
    let router_only = json!({ "subnet": "10.1.2.0/24", "rangeEnd": "10.1.2.1" });
    assert_eq!(
        status(&[], json!([router_only])).refusal("1.1.0"),
        (50, "no address is left in 10.1.2.1/32".to_owned())
    );
    assert_eq!(runtime.ledger(), (json!([]), json!([])), "nothing was entered");
}

#[test]
fn what_another_plugin_has_dealt_is_taken_back_when_the_link_cannot_be_made() {
    let runtime = Runtime::new();
    let network = runtime.network(&json!({ "ipam": { "type": "dealer" } }));
    runtime.plugin("dealer", r#"[ "$CNI_COMMAND" = ADD ] && echo '{"ips": [{"address": "10.1.2.3/24"}]}'; true"#);
    let (code, sentence) = runtime.refused("ADD", &network);
    assert_eq!((code, sentence.as_str()), (7, "parent `no-such-link` is no link of this host"));
    assert_eq!(runtime.take_calls(), "ADD DEL");

    // What it may have done before it failed is undone too.
    runtime.plugin("dealer", r#"echo '{"code": 11, "msg": "nothing left", "details": "wait"}'; exit 1"#);
    let answer = runtime.call("ADD", &network);
    assert_eq!(answer.refusal("1.1.0"), (11, "plugin `dealer`: nothing left".to_owned()));
    assert_eq!((&answer.said["details"], runtime.take_calls().as_str()), (&json!("wait"), "ADD DEL"));

    runtime.plugin("dealer", "echo 10.1.2.3");
    let (code, sentence) = runtime.refused("ADD", &network);
    assert!(code == 6 && sentence.starts_with("plugin `dealer`: its answer cannot be read: "), "{code} {sentence}");
    assert_eq!(runtime.take_calls(), "ADD DEL");
}

#[test]
fn a_plugin_that_speaks_on_the_interface_is_not_called_before_there_is_one() {
    let runtime = Runtime::new();
    runtime.plugin("dhcp", "");
    let network = |mode| runtime.network(&json!({ "mode": mode, "ipam": { "type": "dhcp" } }));
    assert_eq!(runtime.refused("ADD", &network("l2")).1, "parent `no-such-link` is no link of this host");
    let sentence = "key `mode`: `l3` was given, and `dhcp` needs l2, where there is broadcast";
    assert_eq!(runtime.refused("ADD", &network("l3")), (7, sentence.to_owned()));
    assert_eq!(runtime.take_calls(), "");
    runtime.call("DEL", &network("l3")).is_silent_success();
    assert_eq!(runtime.take_calls(), "DEL");
}

#[test]
fn other_verbs_are_passed_on_to_the_plugin_that_deals_the_addresses() {
    let runtime = Runtime::new();
    let keys = json!({ "ipam": { "type": "dealer" }, "cni.dev/valid-attachments": [] });
    let network = runtime.network(&keys);
    runtime.plugin("dealer", "");
    runtime.call("DEL", &network).is_silent_success();
    runtime.call("GC", &network).is_silent_success();
    assert_eq!(runtime.take_calls(), "DEL GC");

    // Its failure, and that of the ledger beside it: both are told. 999 stands for no number at all.
    runtime.plugin("dealer", r#"echo '{"code": 999, "msg": "lost my files"}'; exit 1"#);
    assert_eq!(runtime.refused("DEL", &network), (100, "plugin `dealer`: lost my files".to_owned()));
    runtime.spoil_ledger();
    let (code, sentence) = runtime.refused("DEL", &network);
    assert!(code == 5 && sentence.starts_with("the ledger "), "{code} {sentence}");
    assert!(sentence.ends_with("; plugin `dealer`: lost my files"), "{sentence}");
}

#[test]
fn a_configuration_that_never_ends_is_not_waited_for() {
    let answer = Runtime::new().run(&[("CNI_COMMAND", "GC")], vec![b' '; 2 << 20]);
    let sentence = "the configuration cannot be read from stdin: it has more than 1048576 bytes";
    assert_eq!(answer.refusal("1.1.0"), (5, sentence.to_owned()));
}
