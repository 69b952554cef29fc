//! Lets a test stop the process dead after a step it chose.
//!
//! What ipvland promises of a power loss between any two steps is tested by killing it there. The two crates that take
//! steps, `store` at the end of each transaction and `kernel` after each request that changes something, say so here.
//! With the feature `armed` the process is killed after the step whose number stands in `IPVLAND_KILL_AFTER`, counted
//! from 1. Without it, as in everything that is installed, this is nothing.

#![deny(missing_docs)]

/// A step was taken: it is in the kernel, or in the ledger.
#[cfg(not(feature = "armed"))]
#[inline]
pub fn step_taken() {}

/// A step was taken: it is in the kernel, or in the ledger.
#[cfg(feature = "armed")]
pub fn step_taken() {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static TAKEN: AtomicU64 = AtomicU64::new(0);
    static LAST: LazyLock<Option<u64>> = LazyLock::new(|| std::env::var("IPVLAND_KILL_AFTER").ok()?.parse().ok());

    let number = TAKEN.fetch_add(1, Ordering::SeqCst) + 1;
    if *LAST == Some(number) {
        // Not an exit: nothing is flushed, no destructor runs, nobody is told.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}
