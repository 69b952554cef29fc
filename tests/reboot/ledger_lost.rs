//! A boot without the ledger: what Docker remembers is all there is. At the end everything is removed.

use crate::estate::{NETWORKS, RESIDENTS, Resident, late_vlan_is_up, leases_are_as_they_live, make_late_parent, start};
use crate::machine::{begin_again, faults, our_links, record, verdicts};
use crate::world::{Driver, held_addresses, run, wait_until};

#[test]
fn networks_are_entered_again_and_can_be_used_and_removed() {
    begin_again();
    let before = record();
    run("find /var/lib/ipvland -mindepth 1 -delete");
    drop(Driver::get());
    run("engine start");
    let networks = |record: &str| record.matches("\"id\"").count();
    wait_until("the networks are on record", || networks(&record()) == networks(&before));
    assert_eq!(record(), before);
    let late = |resident: &&&Resident| resident.on_late_parent();
    let all: Vec<&Resident> = RESIDENTS.iter().collect();
    let (late, others): (Vec<&Resident>, Vec<&Resident>) = all.iter().partition(late);
    start(&others);
    others.iter().for_each(|resident| resident.is_at_home());

    make_late_parent();
    wait_until("the VLAN link on it is made", late_vlan_is_up);
    start(&late);
    late.iter().for_each(|resident| resident.is_at_home());
    assert_eq!(verdicts(), vec!["lives"; RESIDENTS.len()]);
    leases_are_as_they_live();
    assert_eq!(faults(), [""; 0]);

    let names: Vec<&str> = RESIDENTS.iter().map(|resident| resident.name).collect();
    run(&format!("docker rm --force {}", names.join(" ")));
    let networks: Vec<&str> = NETWORKS.iter().map(|(name, _)| *name).filter(|name| *name != "spare").collect();
    run(&format!("docker network rm {}", networks.join(" ")));
    assert_eq!((record().as_str(), verdicts().len()), ("[]", 0));
    assert_eq!(held_addresses(), [""; 0]);
    assert_eq!(our_links(), [""; 0]);
}
