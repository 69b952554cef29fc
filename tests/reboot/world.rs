//! What the other scenarios look with, and their driver.

#![allow(dead_code, reason = "they use the rest")]

#[path = "../world/cni.rs"]
mod cni;
#[path = "../world/command.rs"]
mod command;
#[path = "../world/driver.rs"]
mod driver;
#[path = "../world/engine.rs"]
mod engine;
#[path = "../world/http.rs"]
mod http;
#[path = "../world/scene.rs"]
mod scene;
#[path = "../world/standpoint.rs"]
mod standpoint;

pub(crate) use cni::Attachment;
pub(crate) use command::{attempt, run, wait_until};
pub(crate) use driver::Driver;
pub(crate) use scene::{held_addresses, ipvland_json, links_named, recorded_networks, refused_with};
pub(crate) use standpoint::{Container, Host, NEIGHBOUR, Namespace, Process, ROUTER, Standpoint, docker};
