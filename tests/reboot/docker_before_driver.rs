//! A boot in the wrong order: Docker starts, and nobody answers for the driver until it is up.

use std::sync::LazyLock;

use crate::estate::{RESIDENTS, Resident, leases_are_as_they_live, make_late_parent, start};
use crate::machine::{begin_again, faults, record, verdicts};
use crate::world::{Driver, refused_with, run, wait_until};

struct Boot {
    /// The networks on record, before anything of ours ran.
    record: String,
    /// The verdicts on the endpoints of the life before, likewise.
    verdicts: Vec<String>,
}

static BOOT: LazyLock<Boot> = LazyLock::new(|| {
    begin_again();
    make_late_parent();
    let (record, verdicts) = (record(), verdicts());
    // Docker tries for a quarter of a minute, and more than once, to find somebody who answers: it took 37 s to start where it
    // was measured, and `engine start` fails after 90.
    run("engine start");
    for resident in RESIDENTS.iter().filter(|resident| resident.always) {
        let state = &resident.container().inspect()["State"];
        assert_eq!(state["Running"], false, "{state}");
        refused_with(&state["Error"].to_string(), &["ipvland"]);
    }
    drop(Driver::get());
    Boot { record, verdicts }
});

#[test]
fn what_ran_when_the_power_went_is_known_as_dead() {
    assert!(!BOOT.verdicts.is_empty());
    assert_eq!(BOOT.verdicts, vec!["dead"; BOOT.verdicts.len()]);
}

#[test]
fn containers_start_once_the_driver_is_there() {
    let all: Vec<&Resident> = RESIDENTS.iter().collect();
    LazyLock::force(&BOOT);
    start(&all);
    all.iter().for_each(|resident| resident.is_at_home());
    wait_until("nothing else is on record", || verdicts() == vec!["lives"; RESIDENTS.len()]);
    leases_are_as_they_live();
    assert_eq!(faults(), [""; 0]);
    assert_eq!(record(), BOOT.record);
}
