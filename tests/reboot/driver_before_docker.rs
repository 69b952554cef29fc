//! A boot as it should be: the driver is there before Docker. `dum7` comes later than both.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::estate::{RESIDENTS, Resident, late_vlan_is_up, leases_are_as_they_live, make_late_parent, start};
use crate::machine::{begin_again, faults, noted, our_links, record, verdicts};
use crate::world::{Driver, Host, Standpoint, attempt, docker, recorded_networks, refused_with, run, wait_until};

/// What was seen while the machine came up.
struct Boot {
    /// What was wrong with the driver up and without Docker.
    faults: Vec<String>,
    /// The links of ours, likewise.
    links: Vec<String>,
}

static BOOT: LazyLock<Boot> = LazyLock::new(|| {
    begin_again();
    // Before anybody can have learned of them from Docker.
    assert_eq!(record(), noted("networks"), "what was written through to the disk");
    drop(Driver::get());
    wait_until("what died with the machine is off the record", || verdicts().is_empty());
    wait_until("the links of ours are there again", || our_links().len() == 4);
    let (faults, links) = (faults(), our_links());
    run("engine start");
    Boot { faults, links }
});

fn with_policy() -> impl Iterator<Item = &'static Resident> {
    RESIDENTS.iter().filter(|resident| resident.always && !resident.on_late_parent())
}

#[test]
fn docker_and_the_record_agree_on_the_networks() {
    LazyLock::force(&BOOT);
    let networks = docker("/networks").as_array().expect("a list").clone();
    let ours = networks.iter().filter(|network| network["Driver"] == "ipvland");
    let ours: BTreeSet<String> = ours.map(|network| network["Id"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(ours, recorded_networks().into_iter().collect());
}

#[test]
fn vlan_links_and_dummies_are_there_before_docker() {
    let [ten, twenty, islands @ ..] = &BOOT.links[..] else { panic!("{:?}", BOOT.links) };
    assert_eq!((ten.as_str(), twenty.as_str()), ("eth0.10", "eth0.20"));
    assert!(islands.iter().all(|link| link.starts_with("ivd-")), "{islands:?}");
    for link in &BOOT.links {
        assert!(Host.interface(link).up, "{link}");
    }
}

#[test]
fn containers_with_a_policy_run_again() {
    LazyLock::force(&BOOT);
    with_policy().for_each(Resident::is_at_home);
}

#[test]
fn containers_without_a_policy_start() {
    LazyLock::force(&BOOT);
    for resident in ["idle", "idle_db"].map(Resident::named) {
        assert!(!resident.runs(), "nobody asked for it");
        start(&[resident]);
        resident.is_at_home();
    }
}

#[test]
fn nothing_is_on_record_but_what_runs() {
    LazyLock::force(&BOOT);
    with_policy().for_each(Resident::is_at_home);
    let running = || RESIDENTS.iter().filter(|resident| resident.runs()).count();
    wait_until("nothing else is on record", || verdicts() == vec!["lives"; running()]);
    leases_are_as_they_live();
}

#[test]
fn the_parent_that_is_late_is_named_and_taken_once_it_is_there() {
    let late: Vec<&Resident> = RESIDENTS.iter().filter(|resident| resident.on_late_parent()).collect();
    assert_eq!(
        BOOT.faults,
        [
            "parent `dum7` is not there; no container on it reaches anything",
            "parent `dum7.30` is not there; no container on it reaches anything",
        ]
    );
    for resident in &late {
        let state = &resident.container().inspect()["State"];
        assert_eq!(state["Running"], false, "{state}");
        let sentence = ["parent `dum7` of network", "is not there", "bring `dum7` back"];
        if resident.always {
            refused_with(&state["Error"].to_string(), &sentence);
        }
        refused_with(&attempt(&format!("docker start {}", resident.name)).unwrap_err(), &sentence);
    }

    make_late_parent();
    wait_until("the VLAN link on it is made, as nobody asks for it", late_vlan_is_up);
    assert_eq!(faults(), [""; 0]);
    start(&late);
    late.iter().for_each(|resident| resident.is_at_home());
    assert_eq!(faults(), [""; 0]);
    // Endpoints are not written through, as they do not outlive their links. The next life is to find some all the same.
    run("sync");
}

#[test]
fn what_was_made_in_a_former_life_can_be_removed() {
    LazyLock::force(&BOOT);
    run("docker network rm spare last");
    assert!(!record().contains("eth0.20"), "{}", record());
    assert_eq!(our_links().iter().filter(|link| *link == "eth0.20" || link.starts_with("ivd-")).count(), 1);
}
