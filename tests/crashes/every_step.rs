//! Each step of a network's and an endpoint's life is once the last one.

use crate::engine::{DRAWN, Endpoint, Network};
use crate::remark;
use crate::stage::Stage;

/// Lives through everything an endpoint can, on a daemon that dies after so many steps; whether it did die.
fn life(network: Network, exact: bool, kill_after: u64) -> bool {
    let mut stage = Stage::open(None);
    let beside = Network { id: "beside", parent: "eth1", subnet: "192.168.81", ..network };
    stage.create_network(beside);
    let bystander = stage.create_endpoint(&Endpoint { id: "bystander".into(), network: beside, host: 5, exact: false });
    stage.join(&bystander);

    stage.arm(kill_after);
    stage.create_network(network);
    stage.is_as_known();
    let endpoint = stage.create_endpoint(&Endpoint { id: "mover".into(), network, host: 7, exact });
    stage.join(&endpoint);
    stage.is_as_known();
    stage.leave(&endpoint);
    stage.delete_endpoint(&endpoint);
    stage.is_as_known();
    stage.delete_network(network);
    stage.is_as_known();
    stage.live_anew();

    let died = stage.deaths > 0;
    stage.leave(&bystander);
    stage.delete_endpoint(&bystander);
    stage.delete_network(beside);
    stage.is_as_known();
    died
}

fn lives(network: Network, exact: bool) {
    let last = (1..).find(|step| !life(network, exact, *step)).expect("every life has an end");
    remark(&format!("killed after each of {} steps", last - 1));
    assert!(last > 10, "that many steps there are at least");
}

#[test]
fn beside_others_on_a_parent() {
    lives(Network::of("shared", "eth1", "192.168.82"), false);
}

#[test]
fn on_a_vlan_link_that_is_made_for_it() {
    lives(Network::of("tagged", "eth1.30", "192.168.83"), false);
}

#[test]
fn on_an_isolated_network() {
    lives(Network::of(DRAWN[0], "", "192.168.84"), false);
}

#[test]
fn with_a_link_that_is_set_up_by_the_driver() {
    lives(Network::of("exact", "eth1", "192.168.85"), true);
}

#[test]
fn with_an_address_that_the_ledger_deals() {
    lives(Network::dealt("dealt", "eth1", "192.168.86"), false);
}
