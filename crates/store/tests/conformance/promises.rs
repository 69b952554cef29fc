//! Verb by verb.

use model::{
    Endpoint, EndpointState, Flag, Frontend, Ipam, Mode, Network, NetworkState, Parent, PortSettings, SandboxLink,
};
use store::{Store, StoreError};

use crate::{Ledger, endpoint, id, network};

fn network_state(store: &Store, name: &str) -> Option<NetworkState> {
    store.network(&id(name)).unwrap().map(|network| network.state)
}

/// An endpoint's state and sandbox.
fn attachment(store: &Store, name: &str) -> Option<(EndpointState, Option<String>)> {
    let endpoint = store.endpoint(&id(name)).unwrap()?;
    Some((endpoint.state, endpoint.sandbox.map(|sandbox| sandbox.to_string())))
}

/// Its two addresses, claimed in the default segment.
fn claim(store: &Store, name: &str, v4: Option<&str>, v6: Option<&str>) -> Result<(), StoreError> {
    store.claim(&endpoint(name, v4, v6))
}

#[test]
fn a_new_ledger_is_empty() {
    let Ledger { store, .. } = Ledger::new();
    assert_eq!(store.networks().unwrap(), []);
    assert_eq!(store.endpoints().unwrap(), []);
    assert_eq!(store.generation().unwrap().0, 0);
}

#[test]
fn a_network_comes_back_as_it_was_given() {
    let Ledger { store, .. } = Ledger::new();
    let settings = PortSettings { mode: Mode::L3s, flag: Flag::Vepa };
    let link = Network { settings, ..network("link", "eth0") };
    let vlan = Parent::Vlan { name: id("eth0.10"), on: id("eth0"), id: id("10") };
    let vlan = Network { parent: vlan, mtu: Some(id("1400")), ..network("vlan", "-") };
    let dummy = Network { parent: Parent::dummy_for(&id("dummy")), subnets: Vec::new(), ..network("dummy", "-") };
    let elsewhere = Parent::elsewhere_for(&id("elsewhere"));
    let elsewhere = Network { parent: elsewhere, frontend: Frontend::Cni, ..network("elsewhere", "-") };
    let pools = ["v1/default/2001:db8::/64/2001:db8::/64", "v1/default/192.168.1.0/24/192.168.1.64/26/probe=200ms"];
    let pools = pools.map(id).to_vec();
    let dealt = Network { frontend: Frontend::Shell, ipam: Ipam::Ledger, pools, ..network("dealt", "eth1") };
    for given in [&link, &vlan, &dummy, &elsewhere, &dealt] {
        store.add_network(given).unwrap();
        assert_eq!(store.network(&given.id).unwrap().as_ref(), Some(given));
    }
    assert_eq!(store.networks().unwrap(), [dealt.clone(), dummy, elsewhere, link, vlan]);
    let restored = Network { pools: vec![dealt.pools[1].clone()], ..dealt };
    store.restore_network(&restored).unwrap();
    assert_eq!(store.network(&restored.id).unwrap(), Some(restored));
    assert_eq!(store.network(&id("other")).unwrap(), None);
}

#[test]
fn a_network_begins_as_an_intent_whatever_it_says() {
    let Ledger { store, .. } = Ledger::new();
    store.add_network(&Network { state: NetworkState::Ready, ..network("net", "eth0") }).unwrap();
    assert_eq!(network_state(&store, "net"), Some(NetworkState::Creating));
    store.confirm_network(&id("net")).unwrap();
    store.confirm_network(&id("net")).unwrap();
    assert_eq!(network_state(&store, "net"), Some(NetworkState::Ready));
}

#[test]
fn what_is_gone_or_doomed_is_not_confirmed() {
    let Ledger { store, .. } = Ledger::with_network();
    assert!(matches!(store.confirm_network(&id("other")), Err(StoreError::NoNetwork(_))));
    store.doom_network(&id("net")).unwrap();
    assert!(matches!(store.confirm_network(&id("net")), Err(StoreError::NoNetwork(_))));
    assert_eq!(network_state(&store, "net"), Some(NetworkState::Deleting));
}

#[test]
fn a_network_is_added_once() {
    let Ledger { store, .. } = Ledger::with_network();
    let again = store.add_network(&network("net", "eth1")).unwrap_err();
    assert!(matches!(&again, StoreError::NetworkExists(found) if found.as_str() == "net"), "{again}");
    assert_eq!(store.network(&id("net")).unwrap().unwrap().parent, Parent::Link(id("eth0")));
}

#[test]
fn a_parent_has_one_mode_and_one_flag() {
    let Ledger { store, .. } = Ledger::with_network();
    let settings = PortSettings { flag: Flag::Private, ..PortSettings::default() };
    let other = Network { settings, ..network("other", "eth0") };
    let held = store.add_network(&other).unwrap_err();
    assert_eq!(
        held.to_string(),
        "parent `eth0` carries network net as l2/bridge, and a parent has one mode and one flag"
    );
    assert_eq!(network_state(&store, "other"), None);

    store.add_network(&network("same", "eth0")).unwrap();
    let held = store.add_network(&other).unwrap_err();
    assert!(held.to_string().contains("carries networks net, same as l2/bridge"), "{held}");
    store.add_network(&Network { parent: Parent::Link(id("eth1")), ..other.clone() }).unwrap();
    store.remove_network(&id("other")).unwrap();
    for holder in ["net", "same"] {
        store.doom_network(&id(holder)).unwrap();
    }
    store.add_network(&other).expect("networks on their way out hold nothing");
}

#[test]
fn dooming_a_network_dooms_its_endpoints_and_no_others() {
    let Ledger { store, .. } = Ledger::with_network();
    store.add_network(&network("other", "eth0")).unwrap();
    store.confirm_network(&id("other")).unwrap();
    claim(&store, "doomed", None, None).unwrap();
    claim(&store, "other/safe", None, None).unwrap();
    store.doom_network(&id("net")).unwrap();
    store.doom_network(&id("gone")).unwrap();
    assert_eq!(network_state(&store, "net"), Some(NetworkState::Deleting));
    assert_eq!(attachment(&store, "doomed"), Some((EndpointState::Detaching, None)));
    assert_eq!(attachment(&store, "safe"), Some((EndpointState::Created, None)));
}

#[test]
fn a_network_goes_with_everything_on_it() {
    let Ledger { store, .. } = Ledger::with_network();
    claim(&store, "a", Some("192.168.1.2/24"), Some("2001:db8::2/64")).unwrap();
    store.remove_network(&id("net")).unwrap();
    store.remove_network(&id("net")).unwrap();
    assert_eq!((network_state(&store, "net"), attachment(&store, "a")), (None, None));
    store.add_network(&network("net", "eth0")).unwrap();
    store.confirm_network(&id("net")).unwrap();
    claim(&store, "b", Some("192.168.1.2/24"), Some("2001:db8::2/64")).expect("its addresses are free");
}

#[test]
fn an_endpoint_comes_back_as_it_was_given() {
    let Ledger { store, .. } = Ledger::with_network();
    for (name, v4, v6) in [
        ("none", None, None),
        ("v4", Some("192.168.1.2/24"), None),
        ("v6", None, Some("2001:db8::2/64")),
        ("both", Some("192.168.1.3/16"), Some("2001:db8::ffff:1.2.3.4/128")),
    ] {
        let given = endpoint(name, v4, v6);
        store.claim(&given).unwrap();
        assert_eq!(store.endpoint(&given.id).unwrap(), Some(given));
    }
    assert_eq!(store.endpoints().unwrap().len(), 4);
    assert_eq!(store.endpoint(&id("other")).unwrap(), None);
}

#[test]
fn an_endpoint_begins_unattached_whatever_it_says() {
    let Ledger { store, .. } = Ledger::with_network();
    let ahead = Endpoint { state: EndpointState::Attached, sandbox: Some(id("/run/a")), ..endpoint("a", None, None) };
    store.claim(&ahead).unwrap();
    assert_eq!(attachment(&store, "a"), Some((EndpointState::Created, None)));
}

#[test]
fn what_is_of_another_boot_is_known() {
    let Ledger { store, .. } = Ledger::with_network();
    assert!(!store.outlives_a_boot(&id("b007")).unwrap());
    store.claim(&endpoint("a", None, None)).unwrap();
    assert!(!store.outlives_a_boot(&id("b007")).unwrap());
    assert!(store.outlives_a_boot(&id("b008")).unwrap());
}

#[test]
fn an_endpoint_is_claimed_once() {
    let Ledger { store, .. } = Ledger::with_network();
    claim(&store, "a", Some("192.168.1.2/24"), None).unwrap();
    let again = claim(&store, "a", Some("192.168.1.3/24"), None).unwrap_err();
    assert!(matches!(again, StoreError::EndpointExists(_)), "{again}");
    claim(&store, "b", Some("192.168.1.3/24"), None).expect("the failed claim took nothing");
}

#[test]
fn only_a_network_in_use_takes_endpoints() {
    let Ledger { store, .. } = Ledger::with_network();
    store.add_network(&network("creating", "eth0")).unwrap();
    store.doom_network(&id("net")).unwrap();
    for name in ["gone/a", "creating/a", "net/a"] {
        assert!(matches!(claim(&store, name, None, None), Err(StoreError::NoNetwork(_))), "{name}");
    }
    assert_eq!(store.endpoints().unwrap(), []);
}

#[test]
fn an_address_is_held_once_in_a_segment_however_it_is_written() {
    let Ledger { store, .. } = Ledger::with_network();
    claim(&store, "a", Some("192.168.1.2/24"), Some("2001:db8::2/64")).unwrap();
    let held = claim(&store, "b", Some("192.168.1.2/16"), None).unwrap_err();
    assert_eq!(held.to_string(), "address 192.168.1.2 is held by endpoint a of network net");
    let held = claim(&store, "b", Some("192.168.1.9/24"), Some("2001:0DB8:0:0::0002/48")).unwrap_err();
    assert_eq!(held.to_string(), "address 2001:db8::2 is held by endpoint a of network net");
    assert_eq!(attachment(&store, "b"), None);
    claim(&store, "c", Some("192.168.1.9/24"), None).expect("half a claim holds nothing");
    store.add_network(&Network { parent: Parent::dummy_for(&id("apart")), ..network("apart", "-") }).unwrap();
    store.confirm_network(&id("apart")).unwrap();
    claim(&store, "apart/d", Some("192.168.1.2/24"), None).expect("another segment, another address");
}

#[test]
fn an_address_stays_held_until_its_endpoint_is_released() {
    let Ledger { store, .. } = Ledger::with_network();
    claim(&store, "a", Some("192.168.1.2/24"), None).unwrap();
    store.begin_detach(&id("a")).unwrap();
    assert!(matches!(claim(&store, "b", Some("192.168.1.2/24"), None), Err(StoreError::AddressHeld { .. })));
    store.release(&id("a")).unwrap();
    claim(&store, "b", Some("192.168.1.2/24"), None).unwrap();
    store.release(&id("a")).unwrap();
    assert_eq!(attachment(&store, "b"), Some((EndpointState::Created, None)), "a late release frees nobody else's");
}

#[test]
fn an_attach_is_begun_confirmed_and_undone() {
    let Ledger { store, .. } = Ledger::with_network();
    claim(&store, "a", None, None).unwrap();
    let state = |state, sandbox: Option<&str>| Some((state, sandbox.map(ToOwned::to_owned)));
    store.begin_attach(&id("a"), &id("/run/one")).unwrap();
    assert_eq!(attachment(&store, "a"), state(EndpointState::Attaching, Some("/run/one")));
    store.undo_attach(&id("a")).unwrap();
    assert_eq!(attachment(&store, "a"), state(EndpointState::Created, Some("/run/one")), "where it may still be");
    assert!(store.confirm_attach(&id("a")).is_err(), "what was undone is not confirmed");
    store.begin_attach(&id("a"), &id("/run/one")).unwrap();
    store.begin_attach(&id("a"), &id("/run/two")).unwrap();
    store.confirm_attach(&id("a")).unwrap();
    store.confirm_attach(&id("a")).unwrap();
    store.undo_attach(&id("a")).unwrap();
    assert_eq!(attachment(&store, "a"), state(EndpointState::Attached, Some("/run/two")), "nothing is left to undo");
    store.begin_attach(&id("a"), &id("/run/three")).unwrap();
    assert_eq!(attachment(&store, "a"), state(EndpointState::Attaching, Some("/run/three")));
}

#[test]
fn what_is_gone_or_on_its_way_out_is_not_attached() {
    let Ledger { store, .. } = Ledger::with_network();
    claim(&store, "a", None, None).unwrap();
    store.begin_attach(&id("a"), &id("/run/a")).unwrap();
    store.begin_detach(&id("a")).unwrap();
    for name in ["a", "gone"] {
        assert!(matches!(store.begin_attach(&id(name), &id("/run/b")), Err(StoreError::NoEndpoint(_))), "{name}");
        assert!(matches!(store.confirm_attach(&id(name)), Err(StoreError::NoEndpoint(_))), "{name}");
        store.undo_attach(&id(name)).unwrap();
    }
    let detaching = Some((EndpointState::Detaching, Some("/run/a".to_owned())));
    assert_eq!(attachment(&store, "a"), detaching, "where its slave is stays known");
    store.begin_detach(&id("gone")).unwrap();
    store.release(&id("gone")).unwrap();
}

#[test]
fn a_port_has_the_networks_of_its_parents_name_and_their_endpoints() {
    let Ledger { store, .. } = Ledger::with_network();
    let vlan = Parent::Vlan { name: id("eth0.10"), on: id("eth0"), id: id("10") };
    store.add_network(&Network { parent: vlan, ..network("tagged", "-") }).unwrap();
    store.confirm_network(&id("tagged")).unwrap();
    claim(&store, "b", None, None).unwrap();
    claim(&store, "a", None, None).unwrap();
    claim(&store, "tagged/c", None, None).unwrap();
    let names = |parent: &str| {
        let port = store.on_parent(&id(parent)).unwrap();
        let networks = port.networks.iter().map(|network| network.id.to_string());
        networks.chain(port.endpoints.iter().map(|endpoint| endpoint.id.to_string())).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("eth0"), "net a b");
    assert_eq!(names("eth0.10"), "tagged c");
    assert_eq!(names("eth1"), "");
}

#[test]
fn what_was_found_again_is_entered_as_it_lives() {
    let Ledger { store, .. } = Ledger::new();
    let found = Network { subnets: Vec::new(), ..network("net", "eth0") };
    store.restore_network(&found).unwrap();
    assert_eq!(store.network(&id("net")).unwrap().unwrap().state, NetworkState::Ready);

    let one = endpoint("one", Some("192.168.1.2/24"), None);
    store.restore_endpoint(&one, &id("/run/one")).unwrap();
    assert_eq!(attachment(&store, "one"), Some((EndpointState::Attached, Some("/run/one".to_owned()))));
    let thief = endpoint("thief", Some("192.168.1.2/24"), None);
    for refused in [store.restore_endpoint(&thief, &id("/run/thief")), store.claim(&thief)] {
        assert!(matches!(refused, Err(StoreError::AddressHeld { .. })), "{refused:?}");
    }
    assert_eq!(attachment(&store, "thief"), None, "all or nothing");

    // What is known later completes it, and takes neither its endpoints nor its state.
    store.restore_network(&network("net", "eth0")).unwrap();
    assert_eq!(store.network(&id("net")).unwrap().unwrap().subnets, network("net", "eth0").subnets);
    assert!(store.endpoint(&id("one")).unwrap().is_some());
    store.doom_network(&id("net")).unwrap();
    store.restore_network(&network("net", "eth0")).unwrap();
    assert_eq!(store.network(&id("net")).unwrap().unwrap().state, NetworkState::Deleting);
}

#[test]
fn what_the_engine_has_shown_is_remembered() {
    let ledger = Ledger::new();
    assert!(!ledger.store.takes_whole_links().unwrap());
    ledger.store.note_whole_links().unwrap();
    ledger.store.begin_generation().unwrap();
    assert!(Store::open(&ledger.path()).unwrap().takes_whole_links().unwrap());
}

#[test]
fn generations_are_counted_and_outlive_the_process() {
    let ledger = Ledger::new();
    assert_eq!(ledger.store.begin_generation().unwrap().0, 1);
    assert_eq!(ledger.store.begin_generation().unwrap().0, 2);
    assert_eq!(Store::open(&ledger.path()).unwrap().generation().unwrap().0, 2);
}

#[test]
fn what_its_engine_speaks_of_is_of_the_present_life() {
    let Ledger { store, .. } = Ledger::with_network();
    claim(&store, "a", None, None).unwrap();
    store.begin_generation().unwrap();
    store.begin_generation().unwrap();
    let born = || store.endpoint(&id("a")).unwrap().unwrap().born.generation.0;
    assert_eq!(born(), 1);
    store.recognise(&id("a")).unwrap();
    assert_eq!(born(), 2);
    store.recognise(&id("gone")).unwrap();
}

#[test]
fn an_endpoint_gets_addresses_and_routes_besides() {
    let Ledger { store, .. } = Ledger::with_network();
    let set_up = SandboxLink { name: id("eth0"), sysctls: id(""), routes: id("10.8.0.0/16") };
    store.claim(&Endpoint { set_up: Some(set_up), ..endpoint("a", None, Some("2001:db8::2/64")) }).unwrap();
    store.begin_attach(&id("a"), &id("/run/a")).unwrap();
    store.confirm_attach(&id("a")).unwrap();
    for _ in 0..2 {
        let extended = store.extend(&id("a"), &id("192.168.1.2/24 2001:db8::2/64"), &id("")).unwrap();
        assert_eq!(extended.addresses.to_string(), "2001:db8::2/64 192.168.1.2/24");
    }
    let extended = store.extend(&id("a"), &id(""), &id("0.0.0.0/0 via 192.168.1.1")).unwrap();
    assert_eq!(extended.set_up.as_ref().unwrap().routes.to_string(), "10.8.0.0/16,0.0.0.0/0 via 192.168.1.1");
    assert_eq!(store.endpoint(&id("a")).unwrap(), Some(extended), "and that is on record");
    let thief = claim(&store, "b", Some("192.168.1.2/24"), None).unwrap_err();
    assert!(matches!(thief, StoreError::AddressHeld { holder, .. } if holder == id("a")));
    store.bury(&id("a")).unwrap();
    claim(&store, "b", Some("192.168.1.2/24"), None).unwrap();
}

#[test]
fn an_endpoint_gets_all_that_comes_besides_or_nothing() {
    let Ledger { store, .. } = Ledger::with_network();
    claim(&store, "a", None, None).unwrap();
    claim(&store, "b", Some("192.168.1.2/24"), None).unwrap();
    for (addresses, part) in
        [("192.168.1.3/24 192.168.1.2/24", "held by endpoint b"), ("192.168.1.3/24 192.168.1.1/24", "the gateway")]
    {
        let refusal = store.extend(&id("a"), &id(addresses), &id("")).unwrap_err().to_string();
        assert!(refusal.contains(part), "{refusal}");
        assert_eq!(store.endpoint(&id("a")).unwrap().unwrap().addresses, id(""));
    }
    claim(&store, "c", Some("192.168.1.3/24"), None).unwrap();
    store.begin_detach(&id("a")).unwrap();
    for gone in ["a", "other"] {
        let refusal = store.extend(&id(gone), &id("192.168.1.4/24"), &id(""));
        assert!(matches!(refusal, Err(StoreError::NoEndpoint(_))), "{refusal:?}");
    }
}
