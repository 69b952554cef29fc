//! Configurations and results as runtimes and other plugins write them, and as nobody should.

use serde_json::{Value, json};

use super::*;

mod documentation;

/// The reference plugin's own example, but for `type`.
const REFERENCE: &str = r#"{
    "name": "mynet", "cniVersion": "0.3.1",
    "type": "ipvland", "master": "eth0", "mode": "l3s", "mtu": 1400, "linkInContainer": false,
    "ipam": {
        "type": "host-local", "subnet": "10.1.2.0/24",
        "routes": [{ "dst": "0.0.0.0/0" }, { "dst": "10.9.0.0/16", "gw": "10.1.2.9", "priority": 7 }]
    },
    "dns": { "nameservers": ["10.1.2.1"], "search": null }
}"#;

/// As containerd hands over one plugin of a list: with what the runtime knows, and what the list does not mean for plugins.
const BY_A_RUNTIME: &str = r#"{
    "cniVersion": "1.0.0", "name": "lan", "type": "ipvland", "master": "eth0.10", "flag": "private", "segment": "cellar",
    "capabilities": { "ips": true, "ipRanges": true }, "disableCheck": true, "somethingNew": [1],
    "runtimeConfig": {
        "ips": ["192.168.1.7/24", "fd00::7"],
        "ipRanges": [[{ "subnet": "10.9.0.0/16" }]],
        "portMappings": [{ "hostPort": 80, "containerPort": 80, "protocol": "tcp" }]
    },
    "args": { "cni": { "ips": ["192.168.1.8"], "labels": [{ "key": "a", "value": "b" }] } },
    "ipam": {
        "type": "ipvland", "segment": "cellar",
        "subnet": "192.168.1.0/24", "rangeStart": "192.168.1.128", "gateway": "192.168.1.254",
        "ranges": [[{ "subnet": "fd00::/64" }], [{ "subnet": "10.1.0.0/24" }, { "subnet": "10.2.0.0/24" }]],
        "exclude": ["192.168.1.200-192.168.1.210"], "probe": "100ms", "quarantine": "10m",
        "resolvConf": "/etc/lan.conf", "dataDir": "/var/lib/cni/networks"
    }
}"#;

/// The object, with these keys put into it.
fn with(text: &str, keys: &Value) -> String {
    let mut object: Value = serde_json::from_str(text).unwrap();
    let merged = object.as_object_mut().unwrap();
    merged.extend(keys.as_object().unwrap().clone());
    object.to_string()
}

const PLAIN: &str = r#"{ "cniVersion": "1.1.0", "name": "lan", "type": "ipvland" }"#;

fn read(text: &str) -> Result<Configuration<'_>, Failure> {
    Configuration::read(text.as_bytes())
}

#[test]
fn a_configuration_of_the_reference_plugin_is_one_of_ours() {
    let configuration = read(REFERENCE).unwrap();
    assert_eq!((configuration.version, configuration.name.as_str()), (SpecVersion::V0_3_1, "mynet"));
    assert_eq!(configuration.role, Role::Main);
    assert_eq!(configuration.dealer, Dealer::Plugin("host-local".parse().unwrap()));
    let link = configuration.link().unwrap();
    assert_eq!(link.options.parent.unwrap().as_str(), "eth0");
    assert_eq!(link.options.settings.to_string(), "l3s/bridge");
    assert_eq!((link.options.mtu.unwrap().get(), link.options.announcements.count()), (1400, 1));
    assert!(!link.internal);
    assert_eq!(json!(configuration.dns().unwrap()), json!({ "nameservers": ["10.1.2.1"] }));

    let ours = REFERENCE.replace("host-local", "ipvland");
    let ipam = read(&ours).unwrap().ledger(None).unwrap();
    assert_eq!(ipam.sets[0][0].pool.to_string(), "v1/default/10.1.2.0/24/10.1.2.0/24");
    let routes: Vec<Value> = ipam.routes.iter().map(|route| route.render(SpecVersion::V1_1_0)).collect();
    assert_eq!(
        json!(routes),
        json!([{ "dst": "0.0.0.0/0" }, { "dst": "10.9.0.0/16", "gw": "10.1.2.9", "priority": 7 }])
    );
}

#[test]
fn what_says_nothing_means_the_default() {
    let silent = json!({
        "master": "", "mode": "", "mtu": 0, "flag": null, "segment": "", "ipam": {}, "dns": {}, "prevResult": null,
        "runtimeConfig": {}, "args": null
    });
    let text = with(PLAIN, &silent);
    for text in [PLAIN, &text] {
        let configuration = read(text).unwrap();
        assert_eq!(configuration.dealer, Dealer::Nobody);
        let link = configuration.link().unwrap();
        assert_eq!((link.options.parent, link.options.settings.to_string()), (None, "l2/bridge".into()));
        assert_eq!((link.options.mtu, link.options.segment, link.internal), (None, None, false));
        assert_eq!(configuration.previous(), Ok(None));
        assert_eq!(configuration.asked(), Ok(Vec::new()));
        assert!(configuration.dns().unwrap().is_empty());
        assert_eq!(configuration.paths.state_dir, Paths::default().state_dir);
    }
}

#[test]
fn what_the_runtime_adds_is_read() {
    let configuration = read(BY_A_RUNTIME).unwrap();
    let link = configuration.link().unwrap();
    assert_eq!(link.options.parent.as_ref().unwrap().as_str(), "eth0.10");
    assert_eq!(link.options.settings.to_string(), "l2/private");
    let asked: Vec<String> = configuration.asked().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(asked, ["192.168.1.7", "fd00::7", "192.168.1.8"]);

    let ipam = configuration.ledger(link.options.segment.as_ref()).unwrap();
    let sets: Vec<Vec<String>> =
        ipam.sets.iter().map(|set| set.iter().map(|range| range.pool.to_string()).collect()).collect();
    let how = "probe=100ms/quarantine=600000ms";
    let v4 = format!("exclude=192.168.1.200-192.168.1.210/{how}");
    assert_eq!(
        sets,
        [
            vec![format!("v1/cellar/10.9.0.0/16/10.9.0.0/16/{v4}")],
            vec![format!("v1/cellar/192.168.1.0/24/192.168.1.128/25/{v4}")],
            vec![format!("v1/cellar/fd00::/64/fd00::/64/{how}")],
            vec![format!("v1/cellar/10.1.0.0/24/10.1.0.0/24/{v4}"), format!("v1/cellar/10.2.0.0/24/10.2.0.0/24/{v4}")],
        ]
    );
    assert_eq!(ipam.resolv_conf.unwrap().to_str(), Some("/etc/lan.conf"));
}

#[test]
fn a_plugin_of_others_has_its_addresses_dealt_here() {
    let keys = json!({ "type": "macvlan", "ipam": { "type": "ipvland", "ranges": [[{ "subnet": "10.1.2.0/24" }]] } });
    let text = with(PLAIN, &keys);
    let configuration = read(&text).unwrap();
    assert_eq!((configuration.role, &configuration.dealer), (Role::Ipam, &Dealer::Ledger));
    assert_eq!(configuration.ledger(None).unwrap().sets.len(), 1);
}

#[test]
fn what_no_verb_can_go_on_with_has_its_number() {
    let text = |keys: Value| with(PLAIN, &keys);
    for (text, code, sentence) in [
        (String::new(), Code::DECODE, "the network's configuration cannot be read: EOF while parsing"),
        ("[]".into(), Code::DECODE, "invalid type: sequence, expected a map"),
        (text(json!({ "name": 7 })), Code::DECODE, "invalid type: integer `7`, expected a string"),
        (text(json!({ "cniVersion": null })), Code::VERSION, "key `cniVersion` is missing"),
        (
            text(json!({ "cniVersion": "0.2.0" })),
            Code::VERSION,
            "key `cniVersion`: `0.2.0` was given and one of 0.3.1, 0.4.0, 1.0.0, 1.1.0 was expected",
        ),
        (text(json!({ "name": null })), Code::CONFIGURATION, "key `name`: `` is no network's name"),
        (text(json!({ "name": "a/b" })), Code::CONFIGURATION, "key `name`: `a/b` is no network's name"),
        (
            text(json!({ "type": "macvlan", "ipam": { "type": "host-local" } })),
            Code::CONFIGURATION,
            "key `type`: `macvlan` was given, and neither that nor `ipam.type` is `ipvland`",
        ),
        (
            text(json!({ "ipam": { "type": "../x" } })),
            Code::CONFIGURATION,
            "key `ipam.type`: `../x` was given and the name of a plugin was expected, without a path",
        ),
        (text(json!({ "stateDir": "x" })), Code::CONFIGURATION, "key `stateDir`: an absolute path was expected"),
    ] {
        let failure = read(&text).unwrap_err();
        assert_eq!(failure.code, code, "{text}");
        assert!(failure.sentence.contains(sentence), "{}", failure.sentence);
    }
}

#[test]
fn wrong_links_are_refused_with_one_sentence() {
    for (keys, code, sentence) in [
        (json!({ "mode": "l4" }), Code::CONFIGURATION, "key `mode`: `l4` was given and l2, l3 or l3s was expected"),
        (
            json!({ "flag": "none" }),
            Code::CONFIGURATION,
            "key `flag`: `none` was given and bridge, private or vepa was expected",
        ),
        (
            json!({ "mtu": -1 }),
            Code::CONFIGURATION,
            "key `mtu`: `-1` was given and a number of bytes from 68 to 65535 was expected",
        ),
        (
            json!({ "master": "a-name-that-is-too-long" }),
            Code::CONFIGURATION,
            "key `master`: `a-name-that-is-too-long` is 23 bytes long and an interface name has at most 15",
        ),
        (
            json!({ "linkInContainer": true }),
            Code::CONFIGURATION,
            "key `linkInContainer`: `true` was given, and a parent in the container is not known to the ledger: name a \
             parent of the host",
        ),
        (
            json!({ "runtimeConfig": { "mac": "02:00:00:00:00:01" } }),
            Code::FIELD,
            "key `runtimeConfig.mac`: `02:00:00:00:00:01` was given, and an ipvlan container has the MAC address of its \
             parent",
        ),
        (
            json!({ "sysctl": { "net.ipv4.ip_forward": "1" } }),
            Code::CONFIGURATION,
            "key `sysctl`: `net.ipv4.ip_forward=1` was given and net.ipv4.conf.IFNAME.NAME=VALUE (or ipv6, mpls, neigh) \
             was expected",
        ),
    ] {
        let text = with(PLAIN, &keys);
        assert_eq!(read(&text).unwrap().link().unwrap_err(), Failure::new(code, sentence));
    }
    let text = with(PLAIN, &json!({ "mtu": "1400" }));
    assert_eq!(read(&text).unwrap().link().unwrap_err().code, Code::DECODE);
}

#[test]
fn wrong_addresses_are_refused_with_one_sentence() {
    let check = |ipam: Value, code, sentence: &str| {
        let text = with(PLAIN, &json!({ "ipam": ipam, "segment": "lan" }));
        let configuration = read(&text).unwrap();
        let segment = configuration.link().unwrap().options.segment;
        assert_eq!(configuration.ledger(segment.as_ref()).unwrap_err(), Failure::new(code, sentence));
    };
    check(json!({ "ranges": [[]] }), Code::CONFIGURATION, "key `ranges`: a set of ranges has none in it");
    check(
        json!({ "ranges": [[{ "subnet": "10.0.0.0/24" }, { "subnet": "fd00::/64" }]] }),
        Code::CONFIGURATION,
        "key `ranges`: a set has 10.0.0.0/24 and fd00::/64 in it, which are of two families",
    );
    check(
        json!({ "segment": "cellar" }),
        Code::CONFIGURATION,
        "key `ipam.segment`: `cellar` was given, and the links are in `lan`",
    );
    check(
        json!({ "probe": "1h" }),
        Code::CONFIGURATION,
        "key `ipam.probe`: `1h` was given and a time from 1ms to 2s was expected",
    );
    check(
        json!({ "routes": [{ "dst": "10.0.0.1" }] }),
        Code::CONFIGURATION,
        "key `routes[].dst`: `10.0.0.1` was given and ADDRESS/LENGTH was expected",
    );
    check(
        json!({ "routes": [{ "dst": "10.0.0.0/8", "gw": "fd00::1" }] }),
        Code::CONFIGURATION,
        "key `routes[].gw`: `fd00::1` was given, and the route to 10.0.0.0/8 is of the other family",
    );
    check(
        json!({ "routes": [{ "dst": "10.0.0.0/8", "table": 7, "mtu": 0, "scope": null }] }),
        Code::FIELD,
        "key `routes[].table`: `7` was given, and a route has dst, gw and priority only",
    );
    let text = with(PLAIN, &json!({ "args": { "cni": { "ips": [7] } } }));
    assert_eq!(
        read(&text).unwrap().asked().unwrap_err().sentence,
        "key `args.cni.ips`: `7` was given and ADDRESS or ADDRESS/LENGTH was expected"
    );
}

#[test]
fn args_that_are_others_may_be_anything() {
    for args in [json!("x"), json!([7]), json!({ "cni": 7 }), json!({ "cni": { "ips": "x" } })] {
        let text = with(PLAIN, &json!({ "args": args }));
        assert_eq!(read(&text).unwrap().asked(), Ok(Vec::new()));
    }
}

#[test]
fn valid_attachments_are_a_list_that_may_be_empty() {
    let valid = |keys: &Value| {
        let text = with(PLAIN, keys);
        let valid = read(&text).unwrap().valid_attachments()?;
        Ok(valid.iter().map(|it| format!("{} {}", it.container.as_str(), it.interface)).collect::<Vec<_>>())
    };
    let list = json!([{ "containerID": "c1", "ifname": "eth0" }, { "containerID": "c2", "ifname": "net1", "x": 1 }]);
    for key in ["cni.dev/valid-attachments", "cni.dev/attachments"] {
        assert_eq!(valid(&json!({ key: list })), Ok(vec!["c1 eth0".into(), "c2 net1".into()]), "{key}");
        for empty in [json!([]), json!(null)] {
            assert_eq!(valid(&json!({ key: empty })), Ok(vec![]), "{key}");
        }
    }
    let missing = "key `cni.dev/valid-attachments`: it is missing, and GC needs it";
    assert_eq!(valid(&json!({})), Err(Failure::new(Code::CONFIGURATION, missing)));
    let wrong = json!({ "cni.dev/valid-attachments": [{ "containerID": "", "ifname": "eth0" }] });
    assert_eq!(valid(&wrong).unwrap_err().code, Code::CONFIGURATION);
}
