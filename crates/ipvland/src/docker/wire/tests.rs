//! Bodies as three generations of engines write them, and bodies as nobody should.
//!
//! Written after the engines' sources, not recorded: the recorded truth is in the end-to-end scenarios, where a real
//! engine speaks.

use serde_json::json;

use super::*;

/// Docker 26.1: `docker network create -d ipvland --subnet 192.168.1.0/24 --gateway 192.168.1.1 -o parent=eth0 lan`.
const CREATE_NETWORK_26: &str = r#"{
    "NetworkID": "3f1e0c9a5b7d2468ace013579bdf02468ace013579bdf02468ace013579bdf02",
    "Options": {
        "com.docker.network.enable_ipv6": false,
        "com.docker.network.generic": { "ipvlan_mode": "l2", "parent": "eth0" }
    },
    "IPv4Data": [{ "AddressSpace": "LocalDefault", "Gateway": "192.168.1.1/24", "Pool": "192.168.1.0/24" }],
    "IPv6Data": []
}"#;

/// Docker 28: dual stack, with an auxiliary address.
const CREATE_NETWORK_28: &str = r#"{
    "NetworkID": "8c2d4e6f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b",
    "Options": {
        "com.docker.network.enable_ipv4": true,
        "com.docker.network.enable_ipv6": true,
        "com.docker.network.generic": { "parent": "eth0.10" }
    },
    "IPv4Data": [
        {
            "AddressSpace": "LocalDefault", "AuxAddresses": { "host": "192.168.10.2/24" },
            "Gateway": "192.168.10.1/24", "Pool": "192.168.10.0/24"
        },
        { "AddressSpace": "LocalDefault", "Gateway": "192.168.11.254/24", "Pool": "192.168.11.0/24" }
    ],
    "IPv6Data": [{ "AddressSpace": "LocalDefault", "Gateway": "2001:db8:10::1/64", "Pool": "2001:db8:10::/64" }]
}"#;

/// Docker 29: no gateway was allocated, since GwAllocCheck said so; null for the family that is off.
const CREATE_NETWORK_29: &str = r#"{
    "NetworkID": "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff",
    "Options": {
        "com.docker.network.enable_ipv4": false,
        "com.docker.network.enable_ipv6": true,
        "com.docker.network.internal": true,
        "com.docker.network.generic": {}
    },
    "IPv4Data": null,
    "IPv6Data": [{ "AddressSpace": "LocalDefault", "Pool": "2001:db8:9::/64" }]
}"#;

const CREATE_ENDPOINT: &str = r#"{
    "NetworkID": "3f1e0c9a5b7d2468ace013579bdf02468ace013579bdf02468ace013579bdf02",
    "EndpointID": "e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1",
    "Interface": { "Address": "192.168.1.5/24", "AddressIPv6": "", "MacAddress": "" },
    "Options": {
        "com.docker.network.endpoint.exposedports": [{ "Proto": 6, "Port": 80 }],
        "com.docker.network.portmap": []
    }
}"#;

const JOIN: &str = r#"{
    "NetworkID": "3f1e0c9a5b7d2468ace013579bdf02468ace013579bdf02468ace013579bdf02",
    "EndpointID": "e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1",
    "SandboxKey": "/var/run/docker/netns/1a2b3c4d5e6f",
    "Options": { "com.docker.network.endpoint.exposedports": [], "com.docker.network.portmap": [] }
}"#;

fn create_network(body: &str) -> CreateNetwork {
    read(body.as_bytes()).map_err(|refusal| refusal.sentence).unwrap()
}

/// Subnets as `pool via gateway`.
fn subnets(body: &str) -> Result<Vec<String>, String> {
    let subnets = create_network(body).subnets().map_err(|refusal| refusal.sentence)?;
    let shown = |subnet: &Subnet| match subnet.gateway() {
        Some(gateway) => format!("{} via {gateway}", subnet.pool()),
        None => subnet.pool().to_string(),
    };
    Ok(subnets.iter().map(shown).collect())
}

#[test]
fn networks_of_three_generations_are_read() {
    assert_eq!(subnets(CREATE_NETWORK_26).unwrap(), ["192.168.1.0/24 via 192.168.1.1"]);
    assert_eq!(create_network(CREATE_NETWORK_26).network().unwrap().short(), "3f1e0c9a5b7d");
    assert_eq!(
        subnets(CREATE_NETWORK_28).unwrap(),
        [
            "192.168.10.0/24 via 192.168.10.1",
            "192.168.11.0/24 via 192.168.11.254",
            "2001:db8:10::/64 via 2001:db8:10::1"
        ]
    );
    assert_eq!(subnets(CREATE_NETWORK_29).unwrap(), ["2001:db8:9::/64"]);
    assert_eq!(create_network(CREATE_NETWORK_29).families(), Families { v4: false, v6: true });
}

#[test]
fn the_null_address_management_names_a_pool_that_is_none() {
    let body =
        r#"{"NetworkID":"n","Options":null,"IPv4Data":[{"AddressSpace":"null","Pool":"0.0.0.0/0"}],"IPv6Data":null}"#;
    assert_eq!(subnets(body).unwrap(), [""; 0]);
    assert_eq!(create_network(body).families(), Families { v4: true, v6: false });
}

#[test]
fn a_gateway_comes_with_or_without_its_prefix() {
    for gateway in ["10.0.0.254/8", "10.0.0.254"] {
        let data = json!([{ "AddressSpace": "", "Pool": "10.0.0.0/8", "Gateway": gateway }]);
        let body = json!({ "NetworkID": "n", "Options": {}, "IPv4Data": data, "IPv6Data": [] }).to_string();
        assert_eq!(subnets(&body).unwrap(), ["10.0.0.0/8 via 10.0.0.254"]);
    }
}

#[test]
fn wrong_subnets_name_their_field() {
    for (field, data, sentence) in [
        (
            "IPv4Data",
            json!({ "Pool": "10.0.0.0" }),
            "field IPv4Data of the request: `10.0.0.0` was given and ADDRESS/LENGTH was expected",
        ),
        ("IPv4Data", json!({ "Pool": "" }), "field IPv4Data of the request: `` was given"),
        ("IPv4Data", json!({ "Pool": "fd00::/8" }), "field IPv4Data of the request: `fd00::/8` is of the other family"),
        ("IPv6Data", json!({ "Pool": "10.0.0.0/8" }), "`10.0.0.0/8` is of the other family"),
        ("IPv4Data", json!({ "Pool": "10.0.0.0/8", "Gateway": "x" }), "field IPv4Data of the request"),
        ("IPv4Data", json!({ "Pool": "10.0.0.0/8", "Gateway": "fd00::1/8" }), "are of different families"),
    ] {
        let mut body = json!({ "NetworkID": "n", "Options": {}, "IPv4Data": null, "IPv6Data": null });
        body[field] = json!([data]);
        let said = subnets(&body.to_string()).unwrap_err();
        assert!(said.contains(sentence), "{said}");
    }
}

#[test]
fn an_endpoint_is_read() {
    let request: CreateEndpoint = read(CREATE_ENDPOINT.as_bytes()).unwrap();
    assert_eq!(request.ids.endpoint().unwrap().short(), "e1e1e1e1e1e1");
    let addresses = request.addresses().unwrap();
    assert_eq!(addresses.to_string(), "192.168.1.5/24");
    assert_eq!(request.mac(), None);
}

#[test]
fn a_sandbox_is_read() {
    let request: Join = read(JOIN.as_bytes()).unwrap();
    assert_eq!(request.sandbox().unwrap().as_str(), "/var/run/docker/netns/1a2b3c4d5e6f");
}

#[test]
fn what_must_be_there_is_no_default() {
    fn check<T: DeserializeOwned>(body: &serde_json::Value) -> String {
        read::<T>(body.to_string().as_bytes()).map(|_| ()).unwrap_err().sentence
    }
    let network = json!({ "NetworkID": "n" });
    assert!(check::<CreateNetwork>(&network).contains("missing field `Options`"));
    assert!(check::<CreateNetwork>(&json!({ "Options": {} })).contains("missing field `NetworkID`"));
    assert!(check::<OfNetwork>(&json!({ "NetworkID": null })).contains("null"));
    assert!(check::<OfEndpoint>(&network).contains("missing field `EndpointID`"));
    let ids = json!({ "NetworkID": "n", "EndpointID": "e" });
    assert!(check::<CreateEndpoint>(&ids).contains("missing field `Interface`"));
    assert!(check::<Join>(&ids).contains("missing field `SandboxKey`"));
    assert!(check::<GwAllocCheck>(&json!({})).contains("missing field `Options`"));
    assert!(check::<OfNetwork>(&json!(["n"])).contains("no JSON object"), "not read field by field");
    assert!(read::<OfNetwork>(b"").map(|_| ()).unwrap_err().sentence.contains("empty body"));
}

fn joined(v4: Route<std::net::Ipv4Addr>, v6: Route<std::net::Ipv6Addr>) -> serde_json::Value {
    let link = "ipl0123456789ab".parse().unwrap();
    serde_json::to_value(Joined::new(Some(&link), &Routes { v4, v6 })).unwrap()
}

#[test]
fn a_link_that_is_in_its_sandbox_already_has_no_name_to_move() {
    let routes = Routes { v4: Route::Gateway("192.168.1.1".parse().unwrap()), v6: Route::None };
    assert_eq!(
        serde_json::to_value(Joined::new(None, &routes)).unwrap(),
        json!({ "InterfaceName": null, "Gateway": "192.168.1.1", "DisableGatewayService": true })
    );
}

#[test]
fn a_join_is_answered_with_gateways_or_connected_routes() {
    let name = json!({ "SrcName": "ipl0123456789ab", "DstName": "", "DstPrefix": "eth" });
    assert_eq!(
        joined(Route::Gateway("192.168.1.1".parse().unwrap()), Route::Gateway("2001:db8::1".parse().unwrap())),
        json!({
            "InterfaceName": name, "Gateway": "192.168.1.1", "GatewayIPv6": "2001:db8::1", "DisableGatewayService": true
        })
    );
    assert_eq!(
        joined(Route::Interface, Route::Interface),
        json!({
            "InterfaceName": name,
            "StaticRoutes": [
                { "Destination": "0.0.0.0/0", "RouteType": 1 },
                { "Destination": "::/0", "RouteType": 1 }
            ],
            "DisableGatewayService": true
        })
    );
    assert_eq!(joined(Route::None, Route::None), json!({ "InterfaceName": name, "DisableGatewayService": true }));
}
