//! The daemon dies after a step, any step, and its successor finds everything: nothing is left over, and nothing that was
//! in use is gone.
//!
//! They run in the lab only, without a container engine: what it would do is done here, over the plugin's socket and with
//! bare namespaces. `ipvland-mortal` is a build with the feature `kill-points`.
//!
//! ```console
//! $ cargo build --package ipvland --features kill-points
//! $ cargo test --package end-to-end --test crashes --no-run
//! $ lab/lab run --copy target/debug/ipvland:ipvland-mortal --copy target/debug/deps/crashes-HASH:crashes -- crashes
//! ```

mod address_audit;
mod at_random;
mod audit;
mod daemon;
mod dealing;
mod engine;
mod every_step;
mod stage;
mod together;

#[path = "../world/command.rs"]
#[allow(dead_code, reason = "the other scenarios use the rest")]
mod command;
#[path = "../world/http.rs"]
mod http;

/// Says something past libtest, which shows what a test prints only when it fails. On a line of its own.
fn remark(line: &str) {
    use std::io::Write;
    let written = write!(std::io::stdout(), "\n{line} ... ");
    written.expect("stdout is there");
}
