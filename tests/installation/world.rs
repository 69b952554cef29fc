//! What the other scenarios look with. The daemon is systemd's here.

#![allow(dead_code, reason = "they use the rest")]

#[path = "../world/command.rs"]
mod command;
#[path = "../world/driver.rs"]
mod driver;
#[path = "../world/http.rs"]
mod http;
#[path = "../world/standpoint.rs"]
mod standpoint;

pub(crate) use command::{attempt, run, wait_until};
pub(crate) use driver::{call, post};
pub(crate) use standpoint::{Container, Host, NEIGHBOUR, Namespace, ROUTER, Standpoint};
