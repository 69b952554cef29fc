//! The power goes and comes back: the ledger and Docker's own state are of a former life, and the kernel knows nothing of it.
//!
//! Each module is one life of the same machine, in the order of `xtask/src/reboot.rs`. The first builds what the others find,
//! and each ends as the emulator ends. Those that begin with `alone` are of another machine, which has no Docker. They run in the
//! lab only, on a disk that outlives the machine:
//!
//! ```console
//! $ cargo test --package end-to-end --test reboot --no-run
//! $ copies="--copy target/debug/ipvland --copy target/debug/deps/reboot-HASH:reboot"
//! $ lab/lab run --new-disk reboot $copies -- reboot first_life
//! $ lab/lab run --disk reboot $copies -- reboot driver_before_docker
//! ```

mod alone;
mod alone_after;
mod alone_before;
mod docker_before_driver;
mod driver_before_docker;
mod estate;
mod first_life;
mod ledger_lost;
mod machine;
mod world;
