//! The scenarios: what was done, and what Docker, the containers and the kernel show afterwards. One file per capability.
//!
//! They run in the lab only, on a machine of their own, where they may do as they like:
//!
//! ```console
//! $ cargo test --package end-to-end --no-run
//! $ lab/lab run --docker --copy target/debug/ipvland --copy target/debug/deps/end_to_end-HASH:end-to-end -- end-to-end
//! ```

mod world;

mod addressing;
mod adopt;
mod announcements;
mod beside_a_bridge;
mod cni;
mod command_line;
mod compose;
mod damage;
mod dealing;
mod engine_restart;
mod exact_names;
mod flags;
mod inherited;
mod isolated;
mod isolation;
mod l2;
mod l3;
mod lifecycle;
mod mixed;
mod moving_over;
mod mtu;
mod names;
mod parents;
mod podman;
mod port_safety;
mod protocol;
mod refusals;
mod restart;
mod shared_parent;
mod shell;
mod stray_slaves;
mod subnets;
mod vlan;
