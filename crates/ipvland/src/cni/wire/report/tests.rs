//! Results as each version has them, and answers as nobody should give them.

use serde_json::{Value, json};

use super::*;

/// What a chain before us has answered, as version 1.1 has it.
fn chained() -> Value {
    json!({
        "cniVersion": "1.1.0",
        "interfaces": [{ "name": "eth0" }, { "name": "net0", "mac": "02:00:00:00:00:01", "sandbox": "/run/netns/a", "pciID": "0" }],
        "ips": [{ "address": "10.0.0.7/24", "gateway": "10.0.0.1", "interface": 1 }, { "address": "fd00::7/64" }],
        "routes": [{ "dst": "0.0.0.0/0", "table": 100 }],
        "dns": { "nameservers": ["10.0.0.1"] }
    })
}

#[test]
fn what_was_answered_before_is_passed_on_as_it_was() {
    let text = json!({ "cniVersion": "1.1.0", "name": "lan", "type": "ipvland", "prevResult": chained() }).to_string();
    let report = Configuration::read(text.as_bytes()).unwrap().previous().unwrap().unwrap();
    assert_eq!(report.render(SpecVersion::V1_1_0), chained());
    assert_eq!(report.on_host().collect::<Vec<_>>(), ["eth0"]);
    assert_eq!(report.routes[0].wish().unwrap_err().code, Code::FIELD);
}

#[test]
fn a_result_is_rendered_as_its_version_has_it() {
    let link = ConnectedLink {
        name: "eth0".parse().unwrap(),
        mac: "02:00:00:00:00:01".parse().ok(),
        mtu: 1500,
        up: true,
        routes: Vec::new(),
    };
    let ours = Interface::in_sandbox(&"/run/netns/a".parse().unwrap(), &link);
    let route = RouteWish { to: "0.0.0.0/0".parse().unwrap(), via: Some([10, 0, 0, 1].into()), metric: Some(7) };
    let ip = |address: &str, gateway: Option<[u8; 4]>| Ip {
        address: address.parse().unwrap(),
        gateway: gateway.map(Into::into),
        interface: Some(0),
    };
    let report = Report {
        interfaces: vec![ours],
        ips: vec![ip("10.0.0.7/24", Some([10, 0, 0, 1])), ip("fd00::7/64", None)],
        routes: vec![ReportedRoute::Ours(route)],
        dns: Dns::default(),
    };
    let interface = json!({ "name": "eth0", "mac": "02:00:00:00:00:01", "sandbox": "/run/netns/a" });
    for version in ["0.3.1", "0.4.0"] {
        assert_eq!(
            report.render(version.parse().unwrap()),
            json!({
                "cniVersion": version,
                "interfaces": [interface],
                "ips": [
                    { "version": "4", "address": "10.0.0.7/24", "gateway": "10.0.0.1", "interface": 0 },
                    { "version": "6", "address": "fd00::7/64", "interface": 0 }
                ],
                "routes": [{ "dst": "0.0.0.0/0", "gw": "10.0.0.1" }]
            })
        );
    }
    let mut later = json!({
        "cniVersion": "1.0.0",
        "interfaces": [interface],
        "ips": [
            { "address": "10.0.0.7/24", "gateway": "10.0.0.1", "interface": 0 },
            { "address": "fd00::7/64", "interface": 0 }
        ],
        "routes": [{ "dst": "0.0.0.0/0", "gw": "10.0.0.1" }]
    });
    assert_eq!(report.render(SpecVersion::V1_0_0), later);
    later["cniVersion"] = json!("1.1.0");
    later["interfaces"][0]["mtu"] = json!(1500);
    later["routes"][0]["priority"] = json!(7);
    assert_eq!(report.render(SpecVersion::V1_1_0), later);
}

#[test]
fn an_answer_that_is_none_is_not_believed() {
    let answer = |value: &Value| Report::of_answer(value.to_string().as_bytes());
    let good = json!({ "cniVersion": "0.4.0", "ips": [{ "version": "4", "address": "10.1.2.3/24" }], "dns": {} });
    assert_eq!(answer(&good).unwrap().ips[0].address.to_string(), "10.1.2.3/24");
    for bad in [
        json!([]),
        json!({ "ips": {} }),
        json!({ "ips": [{ "address": "10.1.2.3" }] }),
        json!({ "ips": [{ "address": "10.1.2.3/24", "gateway": "x" }] }),
        json!({ "ips": [{ "address": "10.1.2.3/24", "interface": 0 }] }),
        json!({ "ips": [{ "address": "10.1.2.3/24", "interface": -1 }], "interfaces": [{ "name": "a" }] }),
    ] {
        let failure = answer(&bad).unwrap_err();
        assert_eq!(failure.code, Code::DECODE, "{bad}");
        assert!(failure.sentence.starts_with("its answer cannot be read: "), "{}", failure.sentence);
    }
    assert_eq!(Report::of_answer(b"").unwrap_err().code, Code::DECODE);
}
