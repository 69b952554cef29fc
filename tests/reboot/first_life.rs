//! All is built, and runs when the power goes.

use crate::estate::{NETWORKS, RESIDENTS, make_late_parent};
use crate::machine::{boot_id, faults, note, record};
use crate::world::{Driver, run};

#[test]
fn all_runs_when_the_power_goes() {
    drop(Driver::get());
    run("engine start");
    // Docker does not wait for the disk with its images, and they are not what may be lost here.
    run("sync");
    make_late_parent();
    for (name, options) in NETWORKS {
        run(&format!("docker network create -d ipvland {options} {name}"));
    }
    RESIDENTS.iter().for_each(|resident| resident.move_in());
    RESIDENTS.iter().for_each(|resident| resident.is_at_home());
    assert_eq!(faults(), [""; 0]);
    note("boot id", &boot_id());

    // The last thing that is done; Docker and the ledger both write it through to the disk.
    run("docker network create -d ipvland --subnet=192.168.69.0/24 last");
    note("networks", &record());
}
