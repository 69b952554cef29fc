//! The steps of the cases that occur, as people read them.

use insta::assert_snapshot;
use model::{
    Endpoint, EndpointState, Flag, Kind, Link, LinkIntent, Mark, Mode, Network, NetworkState, Observed, Parent,
    PortSettings, Presence, SandboxLink, converge, desired, extend,
};

use crate::scene::{endpoint, link, marked, network, on, slave, text};

const L2: PortSettings = PortSettings { mode: Mode::L2, flag: Flag::Bridge };
const L3: PortSettings = PortSettings { mode: Mode::L3, flag: Flag::Bridge };

fn check(networks: &[Network], endpoints: &[Endpoint], observed: &Observed) -> String {
    let steps = converge(&desired(networks, endpoints), observed);
    steps.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn net() -> Network {
    network("net", on("eth0"), L2)
}

/// `lo`, `eth0` with index 2, and these.
fn host(more: impl IntoIterator<Item = Link>) -> Observed {
    Observed { host: [link(1, "lo"), link(2, "eth0")].into_iter().chain(more).collect(), ..Observed::default() }
}

/// With these links in the sandbox `/run/ID`.
fn sandbox(mut observed: Observed, id: &str, links: impl IntoIterator<Item = Link>) -> Observed {
    observed.sandboxes.insert(text(&format!("/run/{id}")), links.into_iter().collect());
    observed
}

/// The whole sentinel of the port on `eth0`.
fn sentinel(settings: PortSettings) -> Link {
    let mark = Mark::Sentinel(text("eth0"));
    marked(slave(10, mark.birth_name().as_str(), 2, settings), &mark)
}

/// The slave of an endpoint on the host, before anything else was done to it.
fn newborn(index: u32, endpoint: &Endpoint) -> Link {
    slave(index, endpoint.mark().birth_name().as_str(), 2, L2)
}

#[test]
fn a_network_in_creation_tries_its_port() {
    let creating = Network { state: NetworkState::Creating, ..net() };
    assert_snapshot!(check(&[creating], &[], &host([])), @"
    create slave ipldebb9e424cbb on eth0 (l2/bridge)
    mark ipldebb9e424cbb as ipvland:sentinel:eth0
    ");
}

#[test]
fn a_network_in_use_without_containers_needs_nothing() {
    assert_snapshot!(check(&[net()], &[], &host([])), @"");
    assert_snapshot!(check(&[net()], &[], &host([sentinel(L2)])), @"delete ipldebb9e424cbb");
}

#[test]
fn the_first_container_gets_a_sentinel_beside_it() {
    assert_snapshot!(check(&[net()], &[endpoint("one", 2, EndpointState::Attaching)], &host([])), @"
    create slave ipldebb9e424cbb on eth0 (l2/bridge)
    mark ipldebb9e424cbb as ipvland:sentinel:eth0
    create slave ipl63828841227b on eth0 (l2/bridge)
    mark ipl63828841227b as ipvland:docker:net:one
    ");
    let mtu = Network { mtu: Some(text("1400")), settings: L3, ..net() };
    assert_snapshot!(check(&[mtu], &[endpoint("one", 2, EndpointState::Attaching)], &host([])), @"
    create slave ipldebb9e424cbb on eth0 (l3/bridge)
    mark ipldebb9e424cbb as ipvland:sentinel:eth0
    create slave ipl63828841227b on eth0 (l3/bridge, mtu 1400)
    mark ipl63828841227b as ipvland:docker:net:one
    ");
}

#[test]
fn the_second_container_gets_its_slave_only() {
    let one = endpoint("one", 2, EndpointState::Attached);
    let two = endpoint("two", 3, EndpointState::Attaching);
    let observed = sandbox(host([sentinel(L2)]), "one", [marked(slave(5, "eth0", 2, L2), &one.mark())]);
    assert_snapshot!(check(&[net()], &[one, two], &observed), @"
    create slave ipla09b13bb63b9 on eth0 (l2/bridge)
    mark ipla09b13bb63b9 as ipvland:docker:net:two
    ");
}

#[test]
fn a_slave_that_was_made_and_not_marked_is_marked() {
    let one = endpoint("one", 2, EndpointState::Attaching);
    let observed = host([sentinel(L2), newborn(11, &one)]);
    assert_snapshot!(check(&[net()], &[one], &observed), @"mark ipl63828841227b as ipvland:docker:net:one");
}

#[test]
fn a_slave_that_is_set_up_gets_addresses_besides() {
    let one = endpoint("one", 2, EndpointState::Attached);
    let slave = LinkIntent::slave_of(&one, &net(), Presence::Present);
    let steps = |addresses, routes, observed: &Observed| {
        let steps = extend(&slave, &text(addresses), &text(routes), observed);
        steps.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let slave_link = crate::scene::slave(5, "lan0", 2, L2);
    let link = Link { up: true, addresses: vec![text("192.168.1.2/24")], ..marked(slave_link, &one.mark()) };
    let there = sandbox(host([sentinel(L2)]), "one", [link]);
    assert_snapshot!(steps("192.168.1.2/24 192.168.1.3/24", "0.0.0.0/0 via 192.168.1.1", &there), @"
    add 192.168.1.3/24 to lan0 in /run/one
    add the route 0.0.0.0/0 via 192.168.1.1 out of lan0 in /run/one
    ");
    assert_snapshot!(steps("2001:db8::3/64", "", &there), @"
    set net.ipv6.conf.IFNAME.disable_ipv6=0 for lan0 in /run/one
    add 2001:db8::3/64 to lan0 in /run/one
    ");
    assert_snapshot!(steps("192.168.1.3/24", "", &sandbox(host([sentinel(L2)]), "one", [])), @"");
    assert_snapshot!(steps("192.168.1.3/24", "", &host([newborn(5, &one)])), @"");
}

#[test]
fn a_slave_that_is_ours_to_set_up_is_moved_and_set_up() {
    let sysctls = text("net.ipv4.conf.IFNAME.log_martians=1");
    let routes = text("0.0.0.0/0 via 192.168.1.1,10.0.0.0/8 via 192.168.1.9 metric 100");
    let set_up = Some(SandboxLink { name: text("lan0"), sysctls, routes });
    let one = Endpoint { set_up, ..endpoint("one", 2, EndpointState::Attaching) };
    let observed = sandbox(host([sentinel(L2)]), "one", []);
    assert_snapshot!(check(&[net()], std::slice::from_ref(&one), &observed), @"
    create slave ipl63828841227b on eth0 (l2/bridge)
    mark ipl63828841227b as ipvland:docker:net:one
    move ipl63828841227b to /run/one as lan0
    set net.ipv6.conf.IFNAME.disable_ipv6=1 for lan0 in /run/one
    set net.ipv4.conf.IFNAME.log_martians=1 for lan0 in /run/one
    add 192.168.1.2/24 to lan0 in /run/one
    set lan0 up in /run/one
    add the route 0.0.0.0/0 via 192.168.1.1 out of lan0 in /run/one
    add the route 10.0.0.0/8 via 192.168.1.9 metric 100 out of lan0 in /run/one
    ");
    let moved = sandbox(host([sentinel(L2)]), "one", [marked(slave(5, "lan0", 2, L2), &one.mark())]);
    assert_snapshot!(check(&[net()], std::slice::from_ref(&one), &moved), @"
    set net.ipv6.conf.IFNAME.disable_ipv6=1 for lan0 in /run/one
    set net.ipv4.conf.IFNAME.log_martians=1 for lan0 in /run/one
    add 192.168.1.2/24 to lan0 in /run/one
    set lan0 up in /run/one
    add the route 0.0.0.0/0 via 192.168.1.1 out of lan0 in /run/one
    add the route 10.0.0.0/8 via 192.168.1.9 metric 100 out of lan0 in /run/one
    ");
    let set_up = Link { up: true, ..marked(slave(5, "lan0", 2, L2), &one.mark()) };
    assert_snapshot!(check(&[net()], std::slice::from_ref(&one), &sandbox(host([sentinel(L2)]), "one", [set_up])), @"");
    assert_snapshot!(check(&[net()], &[one], &host([sentinel(L2)])), @"");
}

#[test]
fn where_another_plugin_makes_the_links_none_is_called_for() {
    let network = network("net", Parent::elsewhere_for(&text("net")), L2);
    let endpoints = [endpoint("one", 2, EndpointState::Attached), endpoint("two", 3, EndpointState::Detaching)];
    assert_snapshot!(check(&[network], &endpoints, &host([])), @"");
}

#[test]
fn an_undone_attach_removes_the_slave_and_the_sentinel() {
    let one = endpoint("one", 2, EndpointState::Created);
    let observed = host([sentinel(L2), newborn(11, &one)]);
    assert_snapshot!(check(&[net()], &[one], &observed), @"
    delete ipldebb9e424cbb
    delete ipl63828841227b
    ");
}

#[test]
fn the_last_container_takes_the_sentinel_with_it() {
    let one = endpoint("one", 2, EndpointState::Detaching);
    let returned = host([sentinel(L2), marked(newborn(11, &one), &one.mark())]);
    assert_snapshot!(check(&[net()], std::slice::from_ref(&one), &returned), @"
    delete ipldebb9e424cbb
    delete ipl63828841227b
    ");
    let still_away = sandbox(host([sentinel(L2)]), "one", [marked(slave(5, "eth0", 2, L2), &one.mark())]);
    assert_snapshot!(check(&[net()], &[one], &still_away), @"
    delete ipldebb9e424cbb
    delete eth0 in /run/one
    ");
}

#[test]
fn a_lost_slave_of_an_attached_container_is_not_made_again() {
    let one = endpoint("one", 2, EndpointState::Attached);
    assert_snapshot!(check(&[net()], &[one], &sandbox(host([sentinel(L2)]), "one", [])), @"");
}

#[test]
fn an_mtu_of_ones_own_is_kept_when_the_parents_changes() {
    let net = Network { mtu: Some(text("1400")), ..net() };
    let one = endpoint("one", 2, EndpointState::Attached);
    let with = |parent: u32, mtu: u32| {
        let slave = Link { mtu, up: true, ..marked(slave(5, "eth0", 2, L2), &one.mark()) };
        let mut observed = sandbox(host([sentinel(L2)]), "one", [slave]);
        observed.host[1].mtu = parent;
        check(std::slice::from_ref(&net), std::slice::from_ref(&one), &observed)
    };
    assert_snapshot!(with(9000, 9000), @"set the MTU of eth0 in /run/one to 1400");
    assert_snapshot!(with(9000, 1400), @"");
    assert_snapshot!(with(1300, 1300), @"");
}

#[test]
fn a_dead_slave_is_removed_where_it_is_found() {
    let one = endpoint("one", 2, EndpointState::Detaching);
    let address = Link { addresses: vec![text("192.168.1.2/24")], ..slave(5, "eth0", 2, L2) };
    let moved = sandbox(host([]), "elsewhere", [marked(address, &one.mark())]);
    assert_snapshot!(check(&[net()], std::slice::from_ref(&one), &moved), @"delete eth0 in /run/elsewhere");
    let forged = sandbox(host([]), "elsewhere", [marked(slave(5, "eth0", 2, L2), &one.mark())]);
    assert_snapshot!(check(&[net()], &[one], &forged), @"");
}

#[test]
fn a_port_held_in_another_mode_is_left_alone() {
    let one = endpoint("one", 2, EndpointState::Attaching);
    let foreign = host([slave(20, "other0", 2, L3)]);
    assert_snapshot!(check(&[net()], std::slice::from_ref(&one), &foreign), @"");
    let in_a_container = sandbox(host([]), "other", [slave(3, "eth0", 2, L3)]);
    assert_snapshot!(check(&[net()], &[one], &in_a_container), @"");
}

#[test]
fn a_link_that_has_a_birth_name_of_ours_by_chance_is_left_alone() {
    let one = endpoint("one", 2, EndpointState::Attaching);
    let namesake = |mark: Mark| Link { kind: Kind::Other("tun".into()), ..link(20, mark.birth_name().as_str()) };
    let observed = host([sentinel(L2), namesake(one.mark())]);
    assert_snapshot!(check(&[net()], &[one], &observed), @"");
    assert_snapshot!(check(&[tagged(NetworkState::Ready)], &[], &host([namesake(vlan_mark())])), @"");
}

#[test]
fn a_missing_parent_is_left_to_its_owner() {
    let nothing = Observed { host: vec![link(1, "lo")], ..Observed::default() };
    assert_snapshot!(check(&[net()], &[endpoint("one", 2, EndpointState::Attaching)], &nothing), @"");
}

fn tagged(state: NetworkState) -> Network {
    let parent = Parent::Vlan { name: text("eth0.10"), on: text("eth0"), id: text("10") };
    Network { state, ..network("net", parent, L2) }
}

/// The VLAN link of [`tagged`], under any name and unmarked.
fn vlan(name: &str) -> Link {
    Link { kind: Kind::Vlan(text("10")), on: Some(2), ..link(30, name) }
}

fn vlan_mark() -> Mark {
    Mark::Parent(text("eth0.10"))
}

#[test]
fn a_vlan_network_makes_its_parent_and_tries_it() {
    assert_snapshot!(check(&[tagged(NetworkState::Creating)], &[], &host([])), @"
    create VLAN 10 on eth0 as ipld2000b7a8cc6
    mark ipld2000b7a8cc6 as ipvland:parent:eth0.10
    rename ipld2000b7a8cc6 to eth0.10
    set eth0.10 up
    create slave ipl64621022ec7b on eth0.10 (l2/bridge)
    mark ipl64621022ec7b as ipvland:sentinel:eth0.10
    ");
}

#[test]
fn a_half_made_parent_is_finished() {
    let ready = [tagged(NetworkState::Ready)];
    let newborn = Link { up: false, ..vlan(vlan_mark().birth_name().as_str()) };
    assert_snapshot!(check(&ready, &[], &host([newborn.clone()])), @"
    mark ipld2000b7a8cc6 as ipvland:parent:eth0.10
    rename ipld2000b7a8cc6 to eth0.10
    set eth0.10 up
    ");
    assert_snapshot!(check(&ready, &[], &host([marked(newborn, &vlan_mark())])), @"
    rename ipld2000b7a8cc6 to eth0.10
    set eth0.10 up
    ");
    let down = Link { up: false, ..marked(vlan("eth0.10"), &vlan_mark()) };
    assert_snapshot!(check(&ready, &[], &host([down])), @"set eth0.10 up");
    assert_snapshot!(check(&ready, &[], &host([marked(vlan("eth0.10"), &vlan_mark())])), @"");
}

#[test]
fn the_last_network_takes_its_parent_with_it() {
    let deleting = tagged(NetworkState::Deleting);
    let sentinel = Mark::Sentinel(text("eth0.10"));
    let whole = host([
        marked(vlan("eth0.10"), &vlan_mark()),
        marked(slave(31, sentinel.birth_name().as_str(), 30, L2), &sentinel),
    ]);
    assert_snapshot!(check(std::slice::from_ref(&deleting), &[], &whole), @"
    delete ipl64621022ec7b
    delete eth0.10
    ");
    let shared = Network { id: text("other"), ..tagged(NetworkState::Ready) };
    assert_snapshot!(check(&[deleting, shared], &[], &whole), @"delete ipl64621022ec7b");
}

#[test]
fn a_foreign_link_with_our_final_name_serves_and_stays() {
    assert_snapshot!(check(&[tagged(NetworkState::Creating)], &[], &host([vlan("eth0.10")])), @"
    create slave ipl64621022ec7b on eth0.10 (l2/bridge)
    mark ipl64621022ec7b as ipvland:sentinel:eth0.10
    ");
    assert_snapshot!(check(&[tagged(NetworkState::Deleting)], &[], &host([vlan("eth0.10")])), @"");
}

#[test]
fn a_parent_of_ours_that_carries_a_link_of_somebody_elses_stays() {
    let other = Link { kind: Kind::Vlan(text("20")), on: Some(30), ..link(40, "qinq") };
    let observed = host([marked(vlan("eth0.10"), &vlan_mark()), other]);
    assert_snapshot!(check(&[tagged(NetworkState::Deleting)], &[], &observed), @"");
}

#[test]
fn an_isolated_network_has_a_dummy_of_its_own() {
    let isolated = |state| Network { state, ..network("net", Parent::dummy_for(&text("net")), L2) };
    assert_snapshot!(check(&[isolated(NetworkState::Creating)], &[], &host([])), @"
    create dummy ipl3a164ca6b61e
    mark ipl3a164ca6b61e as ipvland:parent:ivd-529e770884e
    rename ipl3a164ca6b61e to ivd-529e770884e
    set ivd-529e770884e up
    create slave ipl7809f593c39f on ivd-529e770884e (l2/bridge)
    mark ipl7809f593c39f as ipvland:sentinel:ivd-529e770884e
    ");
    let dummy =
        marked(Link { kind: Kind::Dummy, ..link(30, "ivd-529e770884e") }, &Mark::Parent(text("ivd-529e770884e")));
    assert_snapshot!(check(&[isolated(NetworkState::Deleting)], &[], &host([dummy])), @"delete ivd-529e770884e");
}
