//! What the other scenarios look with, but for what needs their daemon: here it is systemd's.

#![allow(dead_code, reason = "they use the rest")]

#[path = "../world/command.rs"]
mod command;
#[path = "../world/http.rs"]
mod http;
#[path = "../world/standpoint.rs"]
mod standpoint;

pub(crate) use command::{attempt, run, wait_until};
pub(crate) use standpoint::{Container, Host, NEIGHBOUR, ROUTER, Standpoint};
