//! What people and machines read of addresses, word for word. Machines depend on the keys: change them only on purpose.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use engine::{Addresses, WhoHas};
use model::{Fill, Frontend, Hold, Holding, Pool, Segment};

use super::{json, table};
use crate::cli::names::Names;

fn names() -> Names {
    let network = "0123456789abcdef".repeat(4).parse().unwrap();
    Names::made_up(&[(network, "lan")], &[("fedcba9876543210".repeat(4).parse().unwrap(), "web")])
}

fn holding(address: &str, hold: Hold) -> Holding {
    let since = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let since = (!matches!(hold, Hold::Gateway(_) | Hold::Auxiliary(_))).then_some(since);
    let name = matches!(hold, Hold::Endpoint { .. }).then(|| "db".parse().unwrap());
    Holding { segment: Segment::default(), address: address.parse().unwrap(), hold, name, since }
}

fn addresses() -> Addresses {
    let network = || "0123456789abcdef".repeat(4).parse().unwrap();
    let until = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_600);
    let holdings = vec![
        holding("192.168.1.1", Hold::Gateway(Some(network()))),
        holding("192.168.1.2", Hold::Auxiliary(network())),
        holding(
            "192.168.1.5",
            Hold::Endpoint {
                endpoint: "fedcba9876543210".repeat(4).parse().unwrap(),
                network: network(),
                frontend: Frontend::Docker,
            },
        ),
        holding("192.168.1.6", Hold::Claim),
        holding("192.168.1.7", Hold::Pinned("web".parse().unwrap())),
        holding("192.168.1.8", Hold::Adopted("container old on Docker's network mac".into())),
        holding("192.168.1.9", Hold::Foreign { mac: [2, 0, 0, 0, 0, 7].into(), until }),
    ];
    let pool = |text: &str| text.parse::<Pool>().unwrap();
    Addresses {
        holdings,
        pools: vec![
            Fill { pool: pool("v1/default/192.168.1.0/24/192.168.1.0/25"), taken: 7, resting: 1 },
            Fill { pool: pool("v1/default/2001:db8::/64/2001:db8::/64"), taken: 0, resting: 0 },
        ],
    }
}

#[test]
fn the_table_of_addresses() {
    let expected = "\
ADDRESS      SEGMENT  WHO                                                       NAME  FRONTEND  NETWORK       SINCE
192.168.1.1  default  gateway                                                   -     -         0123456789ab  -
192.168.1.2  default  auxiliary                                                 -     -         0123456789ab  -
192.168.1.5  default  endpoint fedcba987654                                     db    docker    0123456789ab  2027-01-15T08:00:00Z
192.168.1.6  default  to come                                                   -     -         -             2027-01-15T08:00:00Z
192.168.1.7  default  reserved for web                                          -     -         -             2027-01-15T08:00:00Z
192.168.1.8  default  container old on Docker's network mac                     -     -         -             2027-01-15T08:00:00Z
192.168.1.9  default  02:00:00:00:00:07 on the wire, until 2027-01-15T08:10:00Z -     -         -             2027-01-15T08:00:00Z

Pools
RANGE           SUBNET          SEGMENT  ADDRESSES             TAKEN  FREE                  RESTING
192.168.1.0/25  192.168.1.0/24  default  127                   7      120                   1
2001:db8::/64   2001:db8::/64   default  18446744073709551615  0      18446744073709551615  0
";
    let squeezed = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(squeezed(&table::addresses(&addresses(), &Names::default())), squeezed(expected));
    let named = table::addresses(&addresses(), &names());
    assert!(named.contains(" web   docker    lan "), "{named}");
}

#[test]
fn the_keys_of_an_address() {
    let report = serde_json::to_value(json::Addresses::of(&addresses(), &Names::default())).unwrap();
    let expected = serde_json::json!({
        "address": "192.168.1.5", "segment": "default", "kind": "endpoint", "endpoint": "fedcba9876543210".repeat(4),
        "network": "0123456789abcdef".repeat(4), "name": "db", "frontend": "docker", "holder": null, "mac": null,
        "since": "2027-01-15T08:00:00Z", "until": null,
    });
    assert_eq!(report["addresses"][2], expected);
    let kinds: Vec<&str> =
        report["addresses"].as_array().unwrap().iter().map(|held| held["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["gateway", "auxiliary", "endpoint", "claim", "reserved", "adopted", "foreign"]);
    let expected = serde_json::json!({
        "id": "v1/default/2001:db8::/64/2001:db8::/64", "segment": "default", "subnet": "2001:db8::/64",
        "range": "2001:db8::/64", "addresses": "18446744073709551615", "free": "18446744073709551615",
        "taken": 0, "resting": 0,
    });
    assert_eq!(report["pools"][1], expected);
}

#[test]
fn who_has_an_address_is_said_in_a_sentence() {
    let asked: IpAddr = "192.168.1.5".parse().unwrap();
    let said = |who: &WhoHas, names: &Names| table::who_has(asked, who, names);
    let of = |index: usize| WhoHas { holdings: vec![addresses().holdings[index].clone()], ..WhoHas::default() };
    let unnamed = Names::default();
    assert_eq!(
        said(&of(2), &names()),
        "192.168.1.5 in segment default is held by endpoint fedcba987654 of network 0123456789ab (lan), container web, for \
         Docker, since 2027-01-15T08:00:00Z\n"
    );
    assert_eq!(
        said(&of(2), &unnamed),
        "192.168.1.5 in segment default is held by endpoint fedcba987654 of network 0123456789ab, container db, for Docker, \
         since 2027-01-15T08:00:00Z\n"
    );
    assert_eq!(said(&of(0), &unnamed), "192.168.1.5 in segment default is the gateway of network 0123456789ab\n");
    let wire = WhoHas { wire: Some([2, 0, 0, 0, 0, 7].into()), ..WhoHas::default() };
    assert_eq!(said(&wire, &unnamed), "192.168.1.5 is in use on the wire, by 02:00:00:00:00:07\n");
    let host = WhoHas { host: Some("eth0".parse().unwrap()), ..WhoHas::default() };
    assert_eq!(said(&host, &unnamed), "192.168.1.5 is this host's own, on eth0\n");
    assert_eq!(said(&WhoHas::default(), &unnamed), "nobody has 192.168.1.5\n");
}

#[test]
fn who_made_the_endpoint_is_said() {
    for (frontend, expected) in [
        (Frontend::Docker, ", for Docker, since"),
        (Frontend::Cni, ", for CNI, since"),
        (Frontend::Netavark, ", for Podman, since"),
        (Frontend::Shell, ", by hand, since"),
    ] {
        let hold = Hold::Endpoint { endpoint: "e".parse().unwrap(), network: "lan".parse().unwrap(), frontend };
        let who = WhoHas { holdings: vec![holding("192.168.1.5", hold)], ..WhoHas::default() };
        let said = table::who_has("192.168.1.5".parse().unwrap(), &who, &Names::default());
        assert!(said.contains(expected), "{said}");
    }
}
