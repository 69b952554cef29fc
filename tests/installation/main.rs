//! ipvland on a machine with systemd and Docker's own units: put there, started, replaced, taken off again.
//!
//! They run in the lab only, on a machine whose process 1 is systemd, with two packages of different revisions:
//!
//! ```console
//! $ cargo xtask test-installation
//! ```

mod machine;
mod world;

mod package;
mod privileges;
mod socket;
mod source;
