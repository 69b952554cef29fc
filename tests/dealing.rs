//! Addresses dealt from the ledger: `docker network create --ipam-driver ipvland`.

use serde_json::{Value, json};

use crate::world::{
    Ability, Driver, NEIGHBOUR, ROUTER, Scene, Standpoint, held_addresses, ipvland_json, post, refused_with, run,
};

#[test]
fn the_address_of_every_container_comes_from_the_ledger() {
    let scene = Scene::begin();
    scene.network("--ipam-driver ipvland --subnet 192.168.1.0/24 -o parent=eth0 lan");
    let one = scene.container("one", "--net=lan nginx");
    let endpoint = one.endpoint("lan");
    assert_eq!((&endpoint["IPAddress"], &endpoint["Gateway"]), (&json!("192.168.1.2"), &json!("192.168.1.1")));
    let eth0 = one.interface("eth0");
    eth0.is_slave_on("eth0", "l2/bridge");
    assert_eq!(eth0.addresses, ["192.168.1.2/24"]);
    assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0");
    assert_eq!(NEIGHBOUR.page("http://192.168.1.2/"), "<h1>Welcome to nginx!</h1>");
    one.reaches("192.168.1.1");
    assert_eq!(held_addresses(), ["192.168.1.1 gateway", "192.168.1.2 endpoint"]);
    let pools = &ipvland_json("addresses")["pools"];
    assert_eq!(pools[0]["id"], "v1/default/192.168.1.0/24/192.168.1.0/24");
    assert_eq!((&pools[0]["free"], &pools[0]["taken"]), (&json!("252"), &json!(2)));
    let who = run("ipvland who-has 192.168.1.2");
    refused_with(&who, &["held by endpoint", "container one, for Docker, since 20"]);

    let two = scene.container("two", "--net=lan alpine sleep 1d");
    assert_eq!(two.address("lan"), "192.168.1.3");
    two.reaches("192.168.1.2");
    scene.remove_containers(&["one", "two"]);
    assert_eq!(held_addresses(), ["192.168.1.1 gateway"]);
    assert_eq!(scene.container("three", "--net=lan alpine sleep 1d").address("lan"), "192.168.1.4", "the others rest");
    scene.has_no_faults();
}

#[test]
fn both_families_a_range_a_gateway_and_auxiliary_addresses() {
    let scene = Scene::begin();
    scene.network(
        "--ipam-driver ipvland --ipv6 --subnet 192.168.1.0/24 --ip-range 192.168.1.64/30 --gateway 192.168.1.1 \
         --aux-address nas=192.168.1.65 --subnet 2001:db8:1::/64 --gateway 2001:db8:1::1 -o parent=eth0 dual",
    );
    let six = |name: &str| scene.container(name, "--net=dual alpine sleep 1d");
    let one = six("one");
    assert_eq!(one.interface("eth0").addresses, ["192.168.1.64/24", "2001:db8:1::2/64"]);
    assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0");
    NEIGHBOUR.reaches("2001:db8:1::2");
    ROUTER.reaches("192.168.1.64");
    assert_eq!(six("two").address("dual"), "192.168.1.66", "one is somebody's the user knows of");
    assert_eq!(six("three").address("dual"), "192.168.1.67");

    let sentence = scene.refused_container("four", "--net=dual alpine sleep 1d");
    refused_with(&sentence, &["no address is left in 192.168.1.64/30", "ipvland addresses"]);
    scene.remove_containers(&["four"]);
    let chosen = scene.container("five", "--net=dual --ip=192.168.1.77 --ip6=2001:db8:1::77 alpine sleep 1d");
    assert_eq!(chosen.interface("eth0").addresses, ["192.168.1.77/24", "2001:db8:1::77/64"]);
    for (address, why) in [
        ("192.168.1.64", "held by endpoint"),
        ("192.168.1.1", "is the gateway of network"),
        ("192.168.1.65", "is an auxiliary address of network"),
        ("192.168.1.255", "none for a container in 192.168.1.0/24"),
        ("192.168.1.250", "belongs to this host"),
    ] {
        let sentence = scene.refused_container("six", &format!("--net=dual --ip={address} alpine sleep 1d"));
        refused_with(&sentence, &[address, why]);
        scene.remove_containers(&["six"]);
    }
    scene.remove_containers(&["two"]);
    assert_eq!(six("seven").address("dual"), "192.168.1.66");
    scene.has_no_faults();
}

#[test]
fn networks_on_one_subnet_share_its_pool_and_its_gateway() {
    let scene = Scene::begin();
    for name in ["left", "right"] {
        scene.network(&format!("--ipam-driver ipvland --subnet 192.168.1.0/24 -o parent=eth0 {name}"));
    }
    let one = scene.container("one", "--net=left alpine sleep 1d");
    let two = scene.container("two", "--net=right alpine sleep 1d");
    assert_eq!((one.address("left"), two.address("right")), ("192.168.1.2".into(), "192.168.1.3".into()));
    assert_eq!(two.default_route(), "default via 192.168.1.1 dev eth0");
    let sentence = scene.refused_container("three", "--net=right --ip=192.168.1.2 alpine sleep 1d");
    refused_with(&sentence, &["192.168.1.2", "held by endpoint"]);
    scene.remove_containers(&["one", "three"]);
    scene.remove_network("left");
    assert_eq!(held_addresses(), ["192.168.1.1 gateway", "192.168.1.3 endpoint"], "the other still needs them");
    two.reaches("192.168.1.1");
    scene.has_no_faults();
}

#[test]
fn what_dockers_own_address_management_deals_is_in_the_same_ledger() {
    let scene = Scene::begin();
    scene.network("--subnet 192.168.1.0/24 -o parent=eth0 plain");
    scene.network("--ipam-driver ipvland --subnet 192.168.1.0/24 --gateway 192.168.1.1 -o parent=eth0 dealt");
    let one = scene.container("one", "--net=plain alpine sleep 1d");
    let two = scene.container("two", "--net=dealt alpine sleep 1d");
    assert_eq!((one.address("plain"), two.address("dealt")), ("192.168.1.2".into(), "192.168.1.3".into()));
    // Docker counts on by itself, and meets who is there already.
    let sentence = scene.refused_container("three", "--net=plain alpine sleep 1d");
    refused_with(&sentence, &["192.168.1.3", "held by endpoint"]);
    scene.has_no_faults();
}

#[test]
fn the_subnet_and_the_router_are_the_parents() {
    let Some(scene) = Scene::where_engine_can(Ability::SubnetOfParent) else { return };
    scene.network("--ipam-driver ipvland --ipv6 --ipam-opt parent=eth0 -o parent=eth0 lan");
    let one = scene.container("one", "--net=lan alpine sleep 1d");
    let [v4, v6] = &one.interface("eth0").addresses[..] else { panic!("one of each family") };
    assert_eq!(v4, "192.168.1.2/24");
    assert!(v6.starts_with("2001:db8:1::"), "{v6}");
    assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0");
    NEIGHBOUR.reaches("192.168.1.2");
    scene.has_no_faults();
}

#[test]
fn the_router_is_the_parents_where_the_subnet_is_named() {
    let scene = Scene::begin();
    let undo = "ip route replace default via 192.168.1.1";
    scene.by_hand("ip route replace default via 192.168.1.254 dev eth0", undo);
    scene.network("--ipam-driver ipvland --ipam-opt parent=eth0 --subnet 192.168.1.0/24 -o parent=eth0 lan");
    let one = scene.container("one", "--net=lan alpine sleep 1d");
    assert_eq!(one.default_route(), "default via 192.168.1.254 dev eth0");
    assert_eq!(held_addresses(), ["192.168.1.1 endpoint", "192.168.1.254 gateway"]);
    scene.has_no_faults();
}

#[test]
fn a_network_without_a_subnet_is_refused_in_one_sentence() {
    let scene = Scene::begin();
    let refusal = |arguments: &str| scene.refused_network(&format!("--ipam-driver ipvland {arguments}"));
    refused_with(&refusal("-o parent=eth0 nowhere"), &["neither a subnet nor a parent", "--ipam-opt parent="]);
    refused_with(&refusal("--ipam-opt parent=eth7 -o parent=eth0 nowhere"), &["eth7", "no link of this host"]);
    refused_with(
        &refusal("--subnet 10.7.0.0/24 --ipam-opt exlude=10.7.0.3 -o parent=eth0 nowhere"),
        &["no option `exlude`", "did you mean `exclude`?"],
    );
    if let Some(engine) = Ability::SubnetOfParent.lacking() {
        let sentence = refusal("--ipam-opt parent=eth0 -o parent=eth0 nowhere");
        refused_with(&sentence, &["Docker before 28", "pass `--subnet 192.168.1.0/24 --gateway 192.168.1.1`"]);
        assert!(engine.contains("when it is named"), "{engine}");
    }
}

#[test]
fn what_the_host_has_and_what_is_excluded_is_not_dealt() {
    let scene = Scene::begin();
    scene.network(
        "--ipam-driver ipvland --subnet 192.168.1.0/24 --ip-range 192.168.1.248/29 --ipam-opt \
         exclude=192.168.1.248-192.168.1.249,192.168.1.252 -o parent=eth0 lan",
    );
    let dealt = |name: &str| scene.container(name, "--net=lan alpine sleep 1d").address("lan");
    assert_eq!(dealt("one"), "192.168.1.251", "behind what is excluded and the host's 192.168.1.250");
    assert_eq!(dealt("two"), "192.168.1.253");
    let sentence = scene.refused_container("three", "--net=lan --ip=192.168.1.252 alpine sleep 1d");
    refused_with(&sentence, &["192.168.1.252 is excluded"]);
    scene.has_no_faults();
}

#[test]
fn who_is_on_the_wire_is_asked_before_an_address_is_dealt() {
    let scene = Scene::begin();
    scene.network(
        "--ipam-driver ipvland --ipv6 --subnet 192.168.1.0/24 --ip-range 192.168.1.200/30 --subnet 2001:db8:1::/64 \
         --ip-range 2001:db8:1::200/126 --ipam-opt probe=300ms -o parent=eth0 careful",
    );
    let one = scene.container("one", "--net=careful alpine sleep 1d");
    let addresses = one.interface("eth0").addresses;
    assert_eq!(addresses, ["192.168.1.201/24", "2001:db8:1::201/64"], "the neighbour has those before");
    let mac = NEIGHBOUR.interface("lan0").mac;
    for address in ["192.168.1.200", "2001:db8:1::200"] {
        let who = ipvland_json(&format!("who-has {address}"));
        assert_eq!((&who["held"][0]["kind"], &who["held"][0]["mac"]), (&json!("foreign"), &json!(mac)), "{who}");
        assert_eq!(who["wire"], json!(mac));
    }
    let sentence = scene.refused_container("two", "--net=careful --ip=192.168.1.200 alpine sleep 1d");
    refused_with(&sentence, &["192.168.1.200 is in use on the wire", &mac]);
    let nobody = json!({ "address": "192.168.1.99", "held": [], "host": null, "wire": null });
    assert_eq!(ipvland_json("who-has 192.168.1.99"), nobody);
    assert_eq!(ipvland_json("who-has 192.168.1.250")["host"], "eth0");
    scene.has_no_faults();
}

#[test]
fn an_address_rests_as_long_as_the_user_says() {
    let scene = Scene::begin();
    scene.network(
        "--ipam-driver ipvland --subnet 192.168.1.0/24 --ip-range 192.168.1.80/31 --ipam-opt quarantine=1h \
         -o parent=eth0 slow",
    );
    assert_eq!(scene.container("one", "--net=slow alpine sleep 1d").address("slow"), "192.168.1.80");
    scene.remove_containers(&["one"]);
    assert_eq!(scene.container("two", "--net=slow alpine sleep 1d").address("slow"), "192.168.1.81");
    let sentence = scene.refused_container("three", "--net=slow alpine sleep 1d");
    refused_with(&sentence, &["no address is left in 192.168.1.80/31 that has rested long enough", "try again in"]);
    assert_eq!(ipvland_json("addresses")["pools"][0]["resting"], json!(1));
    scene.has_no_faults();
}

#[test]
fn vlans_that_reuse_a_subnet_are_segments() {
    let scene = Scene::begin();
    for (name, parent) in [("north", "eth0.10"), ("south", "eth0.20")] {
        scene.network(&format!(
            "--ipam-driver ipvland --ipam-opt segment={name} -o segment={name} --subnet 192.168.10.0/24 \
             -o parent={parent} {name}"
        ));
    }
    for name in ["north", "south"] {
        let one = scene.container(name, &format!("--net={name} alpine sleep 1d"));
        assert_eq!(one.address(name), "192.168.10.2");
    }
    scene.plugin_network("own", &json!({ "parent": "eth1", "segment": "north" }), "10.7.0.0/24");
    let sentence = scene.refused_network(
        "--ipam-driver ipvland --ipam-opt segment=north --subnet 192.168.10.0/24 -o parent=eth0.10 astray",
    );
    refused_with(&sentence, &["segment `default`", "segment `north`", "`-o segment=` and as `--ipam-opt segment=`"]);
    let who = ipvland_json("who-has 192.168.10.2 --segment south");
    assert_eq!(who["held"].as_array().map(Vec::len), Some(1));
    scene.has_no_faults();
}

#[test]
fn small_and_isolated_networks_are_dealt_for_too() {
    let scene = Scene::begin();
    scene.network("--ipam-driver ipvland --subnet 10.9.0.0/24 --internal apart");
    let [one, two] = ["one", "two"].map(|name| scene.container(name, "--net=apart alpine sleep 1d"));
    one.reaches(&two.address("apart"));
    assert_ne!(one.address("apart"), two.address("apart"));
    scene.network(
        "--ipam-driver ipvland --ipv6 --subnet 192.168.1.96/30 --subnet 2001:db8:1::96/127 -o parent=eth0 tiny",
    );
    let three = scene.container("three", "--net=tiny alpine sleep 1d");
    assert_eq!(three.interface("eth0").addresses, ["192.168.1.98/30", "2001:db8:1::97/127"]);
    let sentence = scene.refused_container("four", "--net=tiny alpine sleep 1d");
    refused_with(&sentence, &["no address is left in 192.168.1.96/30"]);
    scene.has_no_faults();
}

#[test]
fn a_killed_daemon_forgets_no_address() {
    let scene = Scene::begin();
    scene.network("--ipam-driver ipvland --subnet 192.168.1.0/24 -o parent=eth0 lan");
    let one = scene.container("one", "--net=lan alpine sleep 1d");
    Driver::get().kill();
    Driver::get().start_again();
    assert_eq!(held_addresses(), ["192.168.1.1 gateway", "192.168.1.2 endpoint"]);
    assert_eq!(scene.container("two", "--net=lan alpine sleep 1d").address("lan"), "192.168.1.3");
    one.reaches("192.168.1.3");
    scene.has_no_faults();
}

/// A call on addresses as Docker sends it.
#[track_caller]
fn ipam(method: &str, body: &Value) -> Value {
    let reply = post(&format!("IpamDriver.{method}"), body.to_string().as_bytes());
    assert!(reply.error().is_none() && reply.body.is_object(), "{method} {body}: {reply:?}");
    reply.body
}

/// The engine of 29.7 tells what the container is called; none of the lab's does.
#[track_caller]
fn dealt_to(pool: &str, name: &str) -> String {
    let options = json!({ "com.docker.network.endpoint.name": name });
    let answer = ipam("RequestAddress", &json!({ "PoolID": pool, "Address": "", "Options": options }));
    answer["Address"].as_str().expect("an address").to_owned()
}

#[track_caller]
fn given_back(pool: &str, address: &str) {
    let address = address.split('/').next().expect("an address");
    ipam("ReleaseAddress", &json!({ "PoolID": pool, "Address": address }));
}

#[test]
fn a_container_that_is_made_again_under_its_name_gets_the_address_it_had() {
    let _scene = Scene::begin();
    let pool =
        json!({ "AddressSpace": "ipvland", "Pool": "192.168.1.0/24", "SubPool": "", "Options": {}, "V6": false });
    let pool = ipam("RequestPool", &pool)["PoolID"].as_str().expect("a pool has an id").to_owned();
    assert_eq!(pool, "v1/default/192.168.1.0/24/192.168.1.0/24");
    assert_eq!(["db", "web"].map(|name| dealt_to(&pool, name)), ["192.168.1.1/24", "192.168.1.2/24"]);
    given_back(&pool, "192.168.1.1/24");
    given_back(&pool, "192.168.1.2/24");
    assert_eq!(["web", "db"].map(|name| dealt_to(&pool, name)), ["192.168.1.2/24", "192.168.1.1/24"]);
    assert_eq!(dealt_to(&pool, "new"), "192.168.1.3/24");
    given_back(&pool, "192.168.1.3/24");

    run("ipvland reserve db 192.168.1.9");
    given_back(&pool, "192.168.1.1/24");
    assert_eq!(dealt_to(&pool, "db"), "192.168.1.9/24", "what is reserved comes before what was had");
    let who = ipvland_json("who-has 192.168.1.9");
    assert_eq!((&who["held"][0]["kind"], &who["held"][0]["name"]), (&json!("claim"), &json!("db")), "{who}");
    given_back(&pool, "192.168.1.9/24");
    run("ipvland unreserve 192.168.1.9");
    for address in ["192.168.1.2/24", "192.168.1.9/24"] {
        given_back(&pool, address);
    }
    ipam("ReleasePool", &json!({ "PoolID": pool }));
}

#[test]
fn what_was_dealt_and_never_used_dies_with_the_engine_that_asked() {
    let _scene = Scene::begin();
    let pool = "v1/default/10.7.0.0/24/10.7.0.0/24";
    assert_eq!(dealt_to(pool, "lost"), "10.7.0.1/24", "a pool is known by its id alone, as after a restart");
    assert_eq!(held_addresses(), ["10.7.0.1 claim"]);
    assert!(post("Plugin.Activate", b"").error().is_none());
    assert_eq!(held_addresses(), [""; 0]);
    assert_eq!(dealt_to(pool, "lost"), "10.7.0.1/24", "it rests under its name");
    given_back(pool, "10.7.0.1");
    ipam("ReleasePool", &json!({ "PoolID": pool }));
}

#[test]
fn broken_requests_for_addresses_are_refused_in_one_sentence() {
    let _scene = Scene::begin();
    for (method, body, sentence) in [
        ("RequestPool", json!({ "Pool": "192.168.1.0/33" }), "field Pool of the request: `192.168.1.0/33` was given"),
        (
            "RequestPool",
            json!({ "Pool": "", "SubPool": "10.0.0.0/9" }),
            "a range is named and no subnet; pass --subnet too",
        ),
        (
            "RequestPool",
            json!({ "Pool": "10.0.0.0/8", "SubPool": "11.0.0.0/9" }),
            "range 11.0.0.0/9 is not in subnet 10.0.0.0/8; pass another part of the subnet",
        ),
        ("RequestAddress", json!({ "PoolID": "LocalDefault/10.0.0.0/8" }), "is no pool of ours"),
        ("RequestAddress", json!({ "Address": "10.0.0.1" }), "missing field `PoolID`"),
        (
            "ReleaseAddress",
            json!({ "PoolID": "v1/default/10.0.0.0/8/10.0.0.0/8", "Address": "ten" }),
            "field Address of the request: `ten` was given and an address was expected",
        ),
    ] {
        let reply = post(&format!("IpamDriver.{method}"), body.to_string().as_bytes());
        refused_with(reply.error().unwrap_or_default(), &[sentence]);
    }
}
