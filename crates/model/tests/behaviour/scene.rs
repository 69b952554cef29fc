//! Records and links to plan with.

use std::fmt::Debug;
use std::str::FromStr;

use model::{
    Endpoint, EndpointState, Frontend, Generation, Kind, Layer, Link, Mark, Moment, Network, NetworkState, Parent,
    PortSettings,
};

/// Any of the model's texts.
pub(crate) fn text<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// A network in use.
pub(crate) fn network(id: &str, parent: Parent, settings: PortSettings) -> Network {
    Network { settings, state: NetworkState::Ready, ..Network::plain(text(id), parent) }
}

/// A link of the host's as a parent.
pub(crate) fn on(name: &str) -> Parent {
    Parent::Link(text(name))
}

/// An endpoint of network `net` with an address that ends in `number`. Attached or attaching, its sandbox is
/// `/run/ID`.
pub(crate) fn endpoint(id: &str, number: u8, state: EndpointState) -> Endpoint {
    let sandbox = (state != EndpointState::Created).then(|| text(&format!("/run/{id}")));
    Endpoint {
        id: text(id),
        network: text("net"),
        frontend: Frontend::Docker,
        addresses: text(&format!("192.168.1.{number}/24")),
        set_up: None,
        sandbox,
        born: Moment { generation: Generation(1), boot: text("b007") },
        state,
    }
}

/// An Ethernet link that is up.
pub(crate) fn link(index: u32, name: &str) -> Link {
    Link {
        index,
        name: text(name),
        alias: None,
        kind: Kind::Other(String::new()),
        layer: Layer::Ethernet,
        on: None,
        master: None,
        up: true,
        mtu: 1500,
        mac: None,
        addresses: Vec::new(),
    }
}

/// A slave that is down, on the link with index `on`.
pub(crate) fn slave(index: u32, name: &str, on: u32, settings: PortSettings) -> Link {
    Link { kind: Kind::Slave(settings), on: Some(on), up: false, ..link(index, name) }
}

/// The link, marked.
pub(crate) fn marked(link: Link, mark: &Mark) -> Link {
    Link { alias: Some(mark.to_string()), ..link }
}
