//! What people and machines read, word for word. Machines depend on the keys: change them only on purpose.

use engine::{Adoption, EndpointReport, Entry, NetworkReport, PortReport, Status};
use model::{
    Adopted, Endpoint, EndpointState, Flag, Frontend, Generation, KernelVersion, Mode, Moment, Network, NetworkState,
    Parent, Place, PortSettings, Subnet, Verdict,
};
use serde::Serialize;
use serde_json::Value;

use super::names::Names;
use super::{json, table};

fn names() -> Names {
    Names::made_up(&[(network().id, "lan")], &[(endpoint().endpoint.id, "web")])
}

fn network() -> Network {
    let subnet = |pool: &str, gateway: Option<&str>| {
        Subnet::new(pool.parse().unwrap(), gateway.map(|text| text.parse().unwrap())).unwrap()
    };
    let parent =
        Parent::Vlan { name: "eth0.10".parse().unwrap(), on: "eth0".parse().unwrap(), id: 10.try_into().unwrap() };
    Network {
        settings: PortSettings { mode: Mode::L2, flag: Flag::Private },
        mtu: Some(1400.try_into().unwrap()),
        subnets: vec![subnet("192.168.10.0/24", Some("192.168.10.1")), subnet("2001:db8::/64", None)],
        segment_name: "cellar".parse().unwrap(),
        state: NetworkState::Ready,
        ..Network::plain("0123456789abcdef".repeat(4).parse().unwrap(), parent)
    }
}

fn endpoint() -> EndpointReport {
    let sandbox: model::SandboxKey = "/run/docker/netns/1a2b".parse().unwrap();
    EndpointReport {
        endpoint: Endpoint {
            id: "fedcba9876543210".repeat(4).parse().unwrap(),
            network: network().id,
            frontend: Frontend::Docker,
            addresses: "192.168.10.5/24 2001:db8::5/64".parse().unwrap(),
            set_up: None,
            sandbox: Some(sandbox.clone()),
            born: Moment { generation: Generation(3), boot: "b".parse().unwrap() },
            state: EndpointState::Attached,
        },
        verdict: Verdict::Lives,
        place: Some(Place::Sandbox(sandbox)),
    }
}

fn status() -> Status {
    let port = PortReport {
        parent: network().parent,
        index: Some(7),
        up: false,
        mtu: Some(1500),
        wanted: network().settings,
        observed: None,
        networks: vec![network().id],
        endpoints: 1,
    };
    Status {
        kernel: KernelVersion { major: 6, minor: 12 },
        generation: Generation(3),
        ports: vec![port],
        networks: vec![network()],
        endpoints: vec![endpoint()],
        faults: vec!["parent `eth0.10` is down".into()],
    }
}

#[track_caller]
fn check_json(report: &impl Serialize, expected: &str) {
    assert_eq!(serde_json::to_string_pretty(report).unwrap(), expected.trim());
}

const NETWORK_JSON: &str = r#"
{
  "id": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
  "name": "lan",
  "frontend": "docker",
  "parent": "eth0.10",
  "kind": "vlan",
  "mode": "l2",
  "flag": "private",
  "mtu": 1400,
  "segment": "cellar",
  "subnets": [
    {
      "pool": "192.168.10.0/24",
      "gateway": "192.168.10.1"
    },
    {
      "pool": "2001:db8::/64",
      "gateway": null
    }
  ],
  "state": "ready"
}"#;

const ENDPOINT_JSON: &str = r#"
{
  "id": "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210",
  "name": "web",
  "frontend": "docker",
  "network": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
  "addresses": [
    "192.168.10.5/24",
    "2001:db8::5/64"
  ],
  "sandbox": "/run/docker/netns/1a2b",
  "state": "attached",
  "verdict": "lives",
  "place": "/run/docker/netns/1a2b"
}"#;

const PORT_JSON: &str = r#"
{
  "parent": "eth0.10",
  "kind": "vlan",
  "index": 7,
  "up": false,
  "mtu": 1500,
  "wanted": {
    "mode": "l2",
    "flag": "private"
  },
  "observed": null,
  "networks": [
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  ],
  "endpoints": 1
}"#;

/// A list of one, as it is printed `depth` levels down.
fn list_of(item: &str, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let item = item.trim().replace('\n', &format!("\n{indent}  "));
    format!("[\n{indent}  {item}\n{indent}]")
}

#[test]
fn networks_for_machines() {
    check_json(&json::networks(&[network()], &names()), &list_of(NETWORK_JSON, 0));
    check_json(&json::networks(&[], &names()), "[]");
}

#[test]
fn one_network_for_machines() {
    let report = NetworkReport { network: network(), endpoints: vec![endpoint()] };
    let network = NETWORK_JSON.trim().trim_end_matches("\n}");
    let expected = format!("{network},\n  \"endpoints\": {}\n}}", list_of(ENDPOINT_JSON, 1));
    check_json(&json::NetworkReport::of(&report, &names()), &expected);
}

#[test]
fn status_for_machines() {
    let expected = [
        "{".to_owned(),
        "  \"kernel\": \"6.12\",".to_owned(),
        "  \"generation\": 3,".to_owned(),
        format!("  \"faults\": {},", list_of("\"parent `eth0.10` is down\"", 1)),
        format!("  \"ports\": {},", list_of(PORT_JSON, 1)),
        format!("  \"networks\": {},", list_of(NETWORK_JSON, 1)),
        format!("  \"endpoints\": {}", list_of(ENDPOINT_JSON, 1)),
        "}".to_owned(),
    ];
    check_json(&json::Status::of(&status(), &names()), &expected.join("\n"));
}

#[test]
fn findings_for_machines() {
    let undone = engine::Finding::NetworkUndone(network().id);
    check_json(&json::findings(&[undone]), &list_of("\"network 0123456789ab: creation was cut off, undone\"", 0));
}

#[test]
fn a_forgotten_network_for_machines() {
    check_json(
        &json::Forgotten::of(&network().id),
        "{\n  \"forgotten\": \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"\n}",
    );
}

#[test]
fn status_for_people() {
    let expected = "\
kernel 6.12, generation 3

Ports
 PARENT   KIND  LINK  MTU   WANTED      SHOWN  NETWORKS  ENDPOINTS
 eth0.10  vlan  down  1500  l2/private  -      1         1

Networks
 NETWORK       NAME  FRONTEND  PARENT   KIND  MODE  FLAG     MTU   SEGMENT  SUBNETS
 0123456789ab  lan   docker    eth0.10  vlan  l2    private  1400  cellar   192.168.10.0/24 2001:db8::/64

Endpoints
 ENDPOINT      NAME  FRONTEND  NETWORK  ADDRESSES                       STATE  WHERE
 fedcba987654  web   docker    lan      192.168.10.5/24 2001:db8::5/64  lives  /run/docker/netns/1a2b

Wrong
parent `eth0.10` is down
";
    assert_eq!(table::status(&status(), &names()), expected);
}

#[test]
fn nothing_to_repair_for_people() {
    assert_eq!(table::findings(&[]), "nothing to repair\n");
}

fn adoptions() -> [Adoption; 3] {
    [
        ("192.0.2.5", "container web on Docker's network lan", Entry::New),
        ("192.0.2.77", "CNI network pods, container 0123456789ab eth0", Entry::Gone),
        ("2001:db8::5", "macvlan link eth0 in /run/netns/a", Entry::Known),
    ]
    .map(|(address, holder, entry)| Adoption { adopted: Adopted::new(address.parse().unwrap(), holder), entry })
}

#[test]
fn what_is_adopted_for_machines() {
    let expected = r#"
[
  {
    "address": "192.0.2.5",
    "entry": "new",
    "holder": "container web on Docker's network lan"
  },
  {
    "address": "192.0.2.77",
    "entry": "gone",
    "holder": "CNI network pods, container 0123456789ab eth0"
  },
  {
    "address": "2001:db8::5",
    "entry": "known",
    "holder": "macvlan link eth0 in /run/netns/a"
  }
]"#;
    check_json(&json::adoptions(&adoptions()), expected);
    check_json(&json::adoptions(&[]), "[]");
}

#[test]
fn what_is_adopted_for_people() {
    let expected = " ADDRESS      ENTRY  HOLDER
 192.0.2.5    new    container web on Docker's network lan
 192.0.2.77   gone   CNI network pods, container 0123456789ab eth0
 2001:db8::5  known  macvlan link eth0 in /run/netns/a
";
    assert_eq!(table::adoptions(&adoptions()), expected);
    assert_eq!(table::adoptions(&[]), "nothing to adopt\n");
}

#[test]
fn one_network_for_people() {
    let pools = vec!["v1/cellar/192.168.10.0/24/192.168.10.128/25".parse().unwrap()];
    let network = Network { id: "lan".parse().unwrap(), frontend: Frontend::Shell, pools, ..network() };
    let names = Names::of(std::slice::from_ref(&network), &[]);
    let expected = " \
NETWORK  NAME  FRONTEND  PARENT   KIND  MODE  FLAG     MTU   SEGMENT  SUBNETS
 lan      lan   shell     eth0.10  vlan  l2    private  1400  cellar   192.168.10.0/24 2001:db8::/64
gateway of 192.168.10.0/24: 192.168.10.1
dealt of 192.168.10.0/24: 192.168.10.128/25
";
    assert_eq!(table::described(&network, &names), expected);
    let report = NetworkReport { network, endpoints: Vec::new() };
    let endpoints = "\nEndpoints\n ENDPOINT  NAME  FRONTEND  NETWORK  ADDRESSES  STATE  WHERE\n";
    assert_eq!(table::network(&report, &names), format!("{expected}{endpoints}"));
}

#[test]
fn what_is_called_nothing_is_shown_by_its_id() {
    let shown = table::status(&status(), &Names::default());
    assert!(shown.contains(" 0123456789ab  -     docker "), "{shown}");
    assert!(shown.contains(" fedcba987654  -     docker    0123456789ab "), "{shown}");
    let told = serde_json::to_value(json::Status::of(&status(), &Names::default())).unwrap();
    assert_eq!((&told["networks"][0]["name"], &told["endpoints"][0]["name"]), (&Value::Null, &Value::Null));
}

#[test]
fn networks_keep_ipvland_from_being_removed() {
    assert_eq!(table::in_use(&[]), None);
    let forget = "or `ipvland network forget ID` where Docker no longer knows one";
    let shells = || Network { id: "lan".parse().unwrap(), frontend: Frontend::Shell, ..network() };
    let pods = || Network { id: "cni-pods-01234567".parse().unwrap(), frontend: Frontend::Cni, ..network() };
    let check = |networks: &[Network], expected: String| assert_eq!(table::in_use(networks), Some(expected));
    check(
        &[network()],
        format!(
            "a network is on record: 0123456789ab on eth0.10; remove the containers, then `docker network rm 0123456789ab`, \
             {forget}"
        ),
    );
    check(
        &[network(), shells(), network()],
        format!(
            "networks are on record: 0123456789ab on eth0.10, lan on eth0.10, 0123456789ab on eth0.10; remove the containers, \
             then `docker network rm 0123456789ab 0123456789ab`, {forget}, then `ipvland network rm lan`"
        ),
    );
    check(&[pods()], "a network is on record: cni-pods-01234567 on eth0.10; remove the containers".into());
}
