//! Requests as Podman and netavark write them, and requests as nobody should.
//!
//! Written after `plugin-API.md` of netavark and the types of both, not recorded: the recorded truth is in the end-to-end
//! scenarios, where a real Podman speaks.

use engine::{Connected, ConnectedLink};
use model::{Network as Record, Parent};
use serde_json::json;

use super::*;
use crate::netavark::addressing::Dealer;

/// Podman 5.4: `podman network create -d ipvland --subnet 192.168.1.0/24 --gateway 192.168.1.254
/// --ip-range 192.168.1.64-192.168.1.95 --ipv6 --subnet 2001:db8:1::/64 --interface-name eth0 --route
/// 10.0.0.0/8,192.168.1.9,50 --opt mode=l2 --label place=cellar lan`.
const CREATE: &str = r#"{
    "name": "lan", "id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9", "driver": "ipvland",
    "network_interface": "eth0", "created": "0001-01-01T00:00:00Z",
    "subnets": [
        {
            "subnet": "192.168.1.0/24", "gateway": "192.168.1.254",
            "lease_range": { "start_ip": "192.168.1.64", "end_ip": "192.168.1.95" }
        },
        { "subnet": "2001:db8:1::/64" }
    ],
    "routes": [{ "destination": "10.0.0.0/8", "gateway": "192.168.1.9", "metric": 50 }],
    "ipv6_enabled": true, "internal": false, "dns_enabled": true,
    "labels": { "place": "cellar" }, "options": { "mode": "l2" }
}"#;

/// netavark 1.14, which writes what is not there as null.
const SETUP: &str = r#"{
    "container_id": "752947ff91f961eb3cb47ffe9315016979f3ffbec09e4d96a4fae3fb03391697",
    "container_name": "web",
    "port_mappings": [
        { "container_port": 80, "host_ip": "127.0.0.1", "host_port": 8080, "protocol": "tcp", "range": 1 }
    ],
    "network": {
        "dns_enabled": true, "driver": "ipvland",
        "id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9",
        "internal": false, "ipv6_enabled": false, "name": "lan", "network_interface": "eth0", "options": null,
        "ipam_options": { "driver": "ipvland" },
        "subnets": [{ "gateway": "192.168.1.1", "lease_range": null, "subnet": "192.168.1.0/24" }],
        "routes": null, "network_dns_servers": ["192.168.1.53"]
    },
    "network_options": {
        "aliases": ["752947ff91f9"], "interface_name": "eth0", "static_ips": ["192.168.1.80"], "static_mac": null,
        "options": null
    }
}"#;

fn setup(change: impl FnOnce(&mut Value)) -> Result<Setup, String> {
    let mut request: Value = serde_json::from_str(SETUP).unwrap();
    change(&mut request);
    read(request.to_string().as_bytes()).map_err(|refusal| refusal.0)
}

fn said<T: std::fmt::Debug>(outcome: Result<T, Refusal>) -> String {
    outcome.unwrap_err().0
}

#[test]
fn a_network_is_read() {
    let network: Network = read(CREATE.as_bytes()).unwrap();
    assert_eq!(network.id().unwrap().short(), "2f259bab93aa");
    assert_eq!(network.interface().unwrap().unwrap().as_str(), "eth0");
    assert_eq!((network.internal, network.ipv6_enabled, network.ipam_driver()), (false, true, ""));
    assert_eq!(network.options["mode"], "l2");
    let shown: Vec<String> = network.subnets().unwrap().iter().map(|range| format!("{:?}", range.subnet)).collect();
    let expected = [("192.168.1.0/24", Some("192.168.1.254")), ("2001:db8:1::/64", None)].map(|(net, gateway)| {
        let gateway = gateway.map(|text: &str| text.parse().unwrap());
        format!("{:?}", model::Subnet::new(net.parse().unwrap(), gateway).unwrap())
    });
    assert_eq!(shown, expected);
    let route =
        SandboxRoute { to: "10.0.0.0/8".parse().unwrap(), via: Some("192.168.1.9".parse().unwrap()), metric: Some(50) };
    assert_eq!(network.routes().unwrap(), [route]);
}

#[test]
fn a_container_is_read() {
    let request = setup(|_| {}).unwrap();
    assert_eq!(request.interface().unwrap().as_str(), "eth0");
    assert_eq!(request.name().unwrap().as_str(), "web");
    assert_eq!(request.addresses().unwrap(), ["192.168.1.80".parse::<IpAddr>().unwrap()]);
    assert_eq!(request.network.dns_servers().unwrap(), ["192.168.1.53".parse::<IpAddr>().unwrap()]);
    assert_eq!(request.mac().unwrap(), None);
    assert!(request.publishes() && request.refuse_options().is_ok());
    assert_eq!(Dealer::named(request.network.ipam_driver()).unwrap(), Dealer::Ledger);
    assert_eq!(request.network.routes().unwrap(), []);
}

#[test]
fn what_goes_is_known_by_what_came() {
    let came = setup(|_| {}).unwrap().endpoint().unwrap();
    let goes = |text: &str| read::<Teardown>(text.as_bytes()).unwrap().endpoint().unwrap();
    assert_eq!(goes(SETUP), came);
    let least = json!({
        "container_id": "752947ff91f961eb3cb47ffe9315016979f3ffbec09e4d96a4fae3fb03391697",
        "network": { "id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9" },
        "network_options": { "interface_name": "eth0" },
    });
    assert_eq!(goes(&least.to_string()), came, "nothing else of a network that was changed meanwhile counts");
    for (part, other) in [("/network/id", "n"), ("/container_id", "c"), ("/network_options/interface_name", "eth1")] {
        let other = setup(|request| *request.pointer_mut(part).unwrap() = json!(other)).unwrap();
        assert_ne!(other.endpoint().unwrap(), came, "{part}");
    }
}

#[test]
fn what_may_be_left_out_is_none() {
    let request = setup(|request| {
        let request = request.as_object_mut().unwrap();
        request.remove("port_mappings");
        request["network"]
            .as_object_mut()
            .unwrap()
            .retain(|key, _| ["id", "internal", "ipv6_enabled"].contains(&key.as_str()));
        request["network_options"] = json!({ "interface_name": "eth0" });
    })
    .unwrap();
    assert!(!request.publishes() && request.addresses().unwrap().is_empty());
    assert!(request.network.subnets().unwrap().is_empty() && request.network.interface().unwrap().is_none());
}

#[test]
fn what_must_be_there_is_no_default() {
    for field in ["/container_id", "/network", "/network_options", "/network/id", "/network/internal"] {
        let (parent, name) = field.rsplit_once('/').unwrap();
        let remove = |request: &mut Value| request.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        let said = setup(|request| drop(remove(request))).unwrap_err();
        assert!(said.contains(&format!("missing field `{name}`")), "{said}");
        let said = setup(|request| *request.pointer_mut(field).unwrap() = json!([[7]])).unwrap_err();
        assert!(said.starts_with("what came on stdin is not what this verb takes: "), "{said}");
    }
    for input in ["", "null", "[]", "7", "{", "\u{0}"] {
        assert!(said(read::<Setup>(input.as_bytes())).contains("is no JSON object"), "{input}");
    }
    let nobody = setup(|request| request["container_id"] = json!("")).unwrap();
    assert!(said(nobody.endpoint()).contains("without a container_id"));
}

#[test]
fn wrong_values_are_named_as_the_user_gave_them() {
    let network = |change: Value| -> Network {
        let mut network: Value = serde_json::from_str(CREATE).unwrap();
        network.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        read(network.to_string().as_bytes()).unwrap()
    };
    let subnets = |subnet: Value| said(network(json!({ "subnets": [subnet] })).subnets());
    let routes = |route: Value| said(network(json!({ "routes": [route] })).routes());
    for (sentence, expected) in [
        (
            subnets(json!({ "subnet": "192.168.1.0" })),
            "--subnet: `192.168.1.0` was given and ADDRESS/LENGTH was expected",
        ),
        (
            subnets(json!({ "subnet": "192.168.1.0/24", "gateway": "x" })),
            "--gateway: `x` was given and an address was expected",
        ),
        (
            subnets(json!({ "subnet": "192.168.1.0/24", "gateway": "2001:db8::1" })),
            "--gateway: gateway 2001:db8::1 and subnet 192.168.1.0/24 are of different families",
        ),
        (
            subnets(json!({ "subnet": "192.168.1.0/24", "lease_range": { "start_ip": "10.0.0.1" } })),
            "--ip-range: 10.0.0.1 is not in subnet 192.168.1.0/24; pass a part of the subnet",
        ),
        (
            subnets(json!({
                "subnet": "192.168.1.0/24", "lease_range": { "start_ip": "192.168.1.9", "end_ip": "192.168.1.1" }
            })),
            "--ip-range: 192.168.1.9 is behind 192.168.1.1; pass the first address first",
        ),
        (
            routes(json!({ "destination": "10.0.0.0/8", "gateway": "2001:db8::1" })),
            "--route: 10.0.0.0/8 and its gateway 2001:db8::1 are of different families",
        ),
        (
            said(network(json!({ "network_interface": "a b" })).interface()),
            "--interface-name: `a b` is no interface name: it is empty, a dot path, or has a slash, a colon or white space in it",
        ),
        (
            said(network(json!({ "network_dns_servers": ["x"] })).dns_servers()),
            "--dns: `x` was given and an address was expected",
        ),
    ] {
        assert_eq!(sentence, expected);
    }
    let option = setup(|request| request["network_options"]["options"] = json!({ "host_interface_name": "veth0" }));
    assert_eq!(
        said(option.unwrap().refuse_options()),
        "a container's connection to an ipvland network has no option `host_interface_name`; leave it out"
    );
}

fn status(gateways: [Option<&str>; 2]) -> Value {
    let subnet = |net: &str, gateway: Option<&str>| {
        model::Subnet::new(net.parse().unwrap(), gateway.map(|text| text.parse().unwrap())).unwrap()
    };
    let mut network = Record::plain("n".parse().unwrap(), Parent::Link("eth0".parse().unwrap()));
    network.subnets = vec![subnet("192.168.1.0/24", gateways[0]), subnet("2001:db8:1::/64", gateways[1])];
    let link = ConnectedLink {
        name: "eth7".parse().unwrap(),
        mac: Some("aa:bb:cc:dd:ee:01".parse().unwrap()),
        mtu: 1500,
        up: true,
        routes: Vec::new(),
    };
    let connected = Connected {
        network,
        sandbox: "/run/netns/netns-1".parse().unwrap(),
        addresses: "192.168.1.80/24 2001:db8:1::80/64 192.168.1.81/24".parse().unwrap(),
        link: Some(link),
        elsewhere: Vec::new(),
    };
    serde_json::to_value(Status::of(&connected, vec!["192.168.1.53".parse().unwrap()])).unwrap()
}

#[test]
fn a_container_is_answered_with_its_interface_and_the_router_of_each_address() {
    let answer = |subnets: Value| {
        json!({
            "dns_search_domains": [], "dns_server_ips": ["192.168.1.53"],
            "interfaces": { "eth7": { "mac_address": "aa:bb:cc:dd:ee:01", "subnets": subnets } },
        })
    };
    assert_eq!(
        status([Some("192.168.1.1"), Some("2001:db8:1::1")]),
        answer(json!([
            { "ipnet": "192.168.1.80/24", "gateway": "192.168.1.1" },
            { "ipnet": "2001:db8:1::80/64", "gateway": "2001:db8:1::1" },
            { "ipnet": "192.168.1.81/24", "gateway": "192.168.1.1" },
        ]))
    );
    assert_eq!(
        status([None, None]),
        answer(json!([
            { "ipnet": "192.168.1.80/24" }, { "ipnet": "2001:db8:1::80/64" }, { "ipnet": "192.168.1.81/24" },
        ]))
    );
}

#[test]
fn the_plugin_says_which_it_is() {
    let info = serde_json::to_value(Info::OURS).unwrap();
    assert_eq!(info, json!({ "version": env!("CARGO_PKG_VERSION"), "api_version": "1.0.0" }));
    let refusal = Refusal("no".into());
    assert_eq!(serde_json::to_value(Failure::of(&refusal)).unwrap(), json!({ "error": "no" }));
}
