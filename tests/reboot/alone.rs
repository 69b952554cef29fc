//! A machine without Docker, and so without a daemon: Podman, a CNI runtime and a person at a shell share it.

use serde_json::{Value, json};

use crate::world::{Attachment, Namespace, Standpoint, run};

/// The network of the CNI runtime.
pub(crate) fn pods() -> Value {
    json!({
        "cniVersion": "1.0.0",
        "name": "pods",
        "type": "ipvland",
        "master": "eth0",
        "ipam": { "type": "ipvland", "ranges": [[{ "subnet": "192.168.1.0/24", "gateway": "192.168.1.1" }]] },
    })
}

/// A container of the runtime's, of a name that outlives it.
pub(crate) fn pod(container: &str, sandbox: Namespace<'_>) -> Attachment {
    Attachment::of(container, sandbox).arguments("K8S_POD_NAMESPACE=shop;K8S_POD_NAME=db-0")
}

/// A namespace, which goes with the machine.
#[track_caller]
pub(crate) fn namespace(name: &str) -> Namespace<'_> {
    run(&format!("ip netns add {name}"));
    Namespace(name)
}

/// The address of an interface, with the length of its prefix.
#[track_caller]
pub(crate) fn address(place: &impl Standpoint) -> String {
    let [address] = &place.interface("eth0").addresses[..] else { panic!("it has one address") };
    address.clone()
}

/// Where a container of Podman's is.
#[track_caller]
pub(crate) fn container(name: &str) -> crate::world::Process {
    let pid = run(&format!("podman inspect --format {{{{.State.Pid}}}} {name}"));
    crate::world::Process(pid.parse().expect("a number"))
}
