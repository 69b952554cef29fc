//! What people and machines read of an attachment, word for word. Machines depend on the keys: change them only on purpose.

use engine::{Connected, ConnectedLink};
use model::{Endpoint, EndpointState, Frontend, Generation, Moment, Network, Parent, SandboxKey};

use super::{Attached, Detached, json, table};

fn sandbox() -> SandboxKey {
    "/run/netns/web".parse().unwrap()
}

fn network() -> Network {
    let plain = Network::plain("lan".parse().unwrap(), Parent::Link("eth0".parse().unwrap()));
    Network { frontend: Frontend::Shell, ..plain }
}

fn attached() -> Attached {
    let link = ConnectedLink {
        name: "eth0".parse().unwrap(),
        mac: Some([2, 0, 0, 0, 0, 7].into()),
        mtu: 1500,
        up: true,
        routes: vec!["0.0.0.0/0 via 192.168.1.1".parse().unwrap(), "::/0 metric 1024".parse().unwrap()],
    };
    Attached {
        endpoint: "fedcba9876543210".repeat(4).parse().unwrap(),
        name: Some("web".parse().unwrap()),
        connected: Connected {
            network: network(),
            sandbox: sandbox(),
            addresses: "192.168.1.7/24 2001:db8::7/64".parse().unwrap(),
            link: Some(link),
            elsewhere: Vec::new(),
        },
    }
}

fn detached(name: Option<&str>, addresses: &str) -> Detached {
    let endpoint = Endpoint {
        id: "fedcba9876543210".repeat(4).parse().unwrap(),
        network: network().id,
        frontend: Frontend::Shell,
        addresses: addresses.parse().unwrap(),
        set_up: None,
        sandbox: Some(sandbox()),
        born: Moment { generation: Generation(0), boot: "b".parse().unwrap() },
        state: EndpointState::Attached,
    };
    Detached { endpoint, name: name.map(|name| name.parse().unwrap()) }
}

#[test]
fn an_attachment_for_people() {
    let expected = " \
NETWORK  NAME  INTERFACE  ADDRESSES                      MAC                MTU   WHERE
 lan      web   eth0       192.168.1.7/24 2001:db8::7/64  02:00:00:00:00:07  1500  /run/netns/web
route 0.0.0.0/0 via 192.168.1.1
route ::/0 metric 1024
";
    assert_eq!(table::attached(&attached()), expected);
}

#[test]
fn an_attachment_for_machines() {
    let expected = serde_json::json!({
        "endpoint": "fedcba9876543210".repeat(4), "network": "lan", "name": "web", "sandbox": "/run/netns/web",
        "interface": "eth0", "mac": "02:00:00:00:00:07", "mtu": 1500,
        "addresses": ["192.168.1.7/24", "2001:db8::7/64"],
        "routes": [
            { "to": "0.0.0.0/0", "via": "192.168.1.1", "metric": null },
            { "to": "::/0", "via": null, "metric": 1024 },
        ],
    });
    assert_eq!(serde_json::to_value(json::Attached::of(&attached())).unwrap(), expected);
}

#[test]
fn what_was_detached_for_people() {
    let check = |detached: &[Detached], expected: &str| assert_eq!(table::detached("lan", detached), expected);
    check(&[], "it is not on network lan\n");
    check(
        &[detached(Some("web"), "192.168.1.7/24"), detached(None, "")],
        "web is off network lan, free again: 192.168.1.7/24\n/run/netns/web is off network lan\n",
    );
}

#[test]
fn what_was_detached_for_machines() {
    let expected = serde_json::json!([{
        "endpoint": "fedcba9876543210".repeat(4), "network": "lan", "name": "web", "sandbox": "/run/netns/web",
        "addresses": ["192.168.1.7/24"],
    }]);
    let told = json::detached(&[detached(Some("web"), "192.168.1.7/24")]);
    assert_eq!(serde_json::to_value(told).unwrap(), expected);
}
