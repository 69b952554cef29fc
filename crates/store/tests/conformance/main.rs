//! What the ledger promises, verb by verb, against sequences of verbs nobody thought of, against other processes and
//! against a file that lies.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod addresses;
mod dealing;
mod file;
mod giving_back;
mod promises;
mod reference;
mod sharing;

use std::path::PathBuf;

use model::{Endpoint, EndpointState, Frontend, Generation, Moment, Network, Parent, Subnet};
use store::Store;
use tempfile::TempDir;

/// A ledger in a folder of its own, which goes with it.
struct Ledger {
    folder: TempDir,
    store: Store,
}

impl Ledger {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("ledger.db")).unwrap();
        Self { folder, store }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    /// A ledger with network `net` on `eth0`, in use.
    fn with_network() -> Self {
        let ledger = Self::new();
        ledger.store.add_network(&network("net", "eth0")).unwrap();
        ledger.store.confirm_network(&id("net")).unwrap();
        ledger
    }
}

/// A folder in memory, where there is one: random sequences write through to the disk thousands of times, and power losses
/// are no part of them.
fn quick_folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Any of the model's names.
fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// A network on a link of the host's.
fn network(name: &str, parent: &str) -> Network {
    Network {
        subnets: vec![
            Subnet::new("192.168.1.0/24".parse().unwrap(), Some("192.168.1.1".parse().unwrap())).unwrap(),
            Subnet::new("2001:db8::/64".parse().unwrap(), None).unwrap(),
        ],
        ..Network::plain(id(name), Parent::Link(id(parent)))
    }
}

/// An endpoint of network `net`, or of the network named before a slash.
fn endpoint(name: &str, v4: Option<&str>, v6: Option<&str>) -> Endpoint {
    let (network, name) = name.split_once('/').unwrap_or(("net", name));
    Endpoint {
        id: id(name),
        network: id(network),
        frontend: Frontend::Docker,
        addresses: [v4, v6].into_iter().flatten().map(|address| address.parse().unwrap()).collect(),
        set_up: None,
        sandbox: None,
        born: Moment { generation: Generation(1), boot: id("b007") },
        state: EndpointState::Created,
    }
}
