//! The real binary, as Docker, systemd and a person at a shell meet it. Nothing here needs root or ipvlan: every request
//! is one that ends before the kernel is asked for a change.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test binary, helpers and all")]

mod adopt;
mod calls;
mod clients;
mod cni;
mod commands;
mod daemon;
mod doctor;
mod garbage;
mod lifecycle;
mod netavark;
mod shell;
