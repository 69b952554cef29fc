//! Everything Linux: what links there are, in which namespaces, and the steps that change them.
//!
//! Only this crate speaks netlink, and no type of that leaves it. It decides nothing: [`observe()`] tells what is
//! there and [`router()`] and its like where links lead to, [`apply()`] takes the steps that `model::converge` planned,
//! [`announce()`] and [`probe()`] speak with the neighbours on the wire, [`PortLock`] keeps two processes off one port.
//! Everything is synchronous, and "the host" is always the namespace of the calling thread.

#![deny(missing_docs)]

mod announce;
mod answer;
mod apply;
mod attributes;
mod below;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod host;
mod identity;
mod link;
mod lock;
mod namespace;
mod netlink;
mod observe;
mod packet;
mod probe;
mod reach;
mod refusal;
mod reply;
mod request;
mod route;
mod router;
mod sandbox;
mod watch;

pub use announce::announce;
pub use apply::apply;
pub use error::KernelError;
pub use host::{FileSystem, Host, LinkSettings, Medium, Module, file_system, host, link_settings};
pub use identity::{boot_id, release};
pub use lock::{LockKey, PortLock};
pub use observe::{Scope, host_link, observe, observe_on};
pub use probe::probe;
pub use router::{router, routes_in, way_out};
pub use sandbox::{SandboxIdentity, sandbox_identity};
pub use watch::{Change, Watch};
