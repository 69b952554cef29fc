//! A boot in the wrong order: Docker starts, and nobody answers for the driver until it is up.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crate::estate::{RESIDENTS, Resident, make_late_parent, start};
use crate::machine::{begin_again, faults, record, verdicts};
use crate::world::{Driver, refused_with, run, wait_until};

struct Boot {
    /// The networks on record, before anything of ours ran.
    record: String,
    /// The verdicts on the endpoints of the life before, likewise.
    verdicts: Vec<String>,
    /// How long Docker took to start.
    took: Duration,
}

static BOOT: LazyLock<Boot> = LazyLock::new(|| {
    begin_again();
    make_late_parent();
    let (record, verdicts) = (record(), verdicts());
    let begun = Instant::now();
    run("engine start");
    let took = begun.elapsed();
    for resident in RESIDENTS.iter().filter(|resident| resident.always) {
        let state = &resident.container().inspect()["State"];
        assert_eq!(state["Running"], false, "{state}");
        refused_with(&state["Error"].to_string(), &["ipvland"]);
    }
    drop(Driver::get());
    Boot { record, verdicts, took }
});

#[test]
fn what_ran_when_the_power_went_is_known_as_dead() {
    assert!(!BOOT.verdicts.is_empty());
    assert_eq!(BOOT.verdicts, vec!["dead"; BOOT.verdicts.len()]);
}

#[test]
fn docker_does_not_wait_for_ever() {
    println!("Docker took {:?} to start", BOOT.took);
    assert!(BOOT.took < Duration::from_secs(60), "{:?}", BOOT.took);
}

#[test]
fn containers_start_once_the_driver_is_there() {
    let all: Vec<&Resident> = RESIDENTS.iter().collect();
    LazyLock::force(&BOOT);
    start(&all);
    all.iter().for_each(|resident| resident.is_at_home());
    wait_until("nothing else is on record", || verdicts() == vec!["lives"; RESIDENTS.len()]);
    assert_eq!(faults(), [""; 0]);
    assert_eq!(record(), BOOT.record);
}
