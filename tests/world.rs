//! The world the scenarios play in: one machine of the lab with its LAN, its Docker Engine, and one `ipvland serve`.
//!
//! A scenario takes the world with [`Scene::begin`], looks from several [`Standpoint`]s, and leaves it as it was: when
//! the scene is dropped, everything it made is removed and the host is compared with what it was before.

mod capture;
mod cni;
mod command;
mod containerd;
mod driver;
mod engine;
mod http;
mod podman;
mod scene;
mod standpoint;

pub(crate) use capture::{Capture, Recording};
pub(crate) use cni::{Answer, Attachment, Runtime, ask_plugin, ask_plugin_so};
pub(crate) use command::{attempt, documented, documented_under, example, run, wait_until};
pub(crate) use containerd::Containerd;
pub(crate) use driver::{Driver, NoDaemon, SOCKET, call, post, refuse};
pub(crate) use engine::Ability;
pub(crate) use podman::Podman;
pub(crate) use scene::{
    Scene, create_network, held_addresses, host_links, ipvland_json, links_named, recorded_networks, refused_with,
};
pub(crate) use standpoint::{Container, Host, NEIGHBOUR, Namespace, Process, ROUTER, Standpoint};
