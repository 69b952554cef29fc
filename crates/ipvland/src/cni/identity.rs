//! What the engine calls the networks and attachments of CNI, which have no ids of their own.

use model::{EndpointId, Frontend, NetworkId};
use sha2::{Digest, Sha256};

use super::call::Attachment;
use super::wire::NetworkName;

/// An attachment. What takes it off need not know the rest of the configuration, which may have changed since.
pub(super) fn endpoint(network: &NetworkName, attachment: &Attachment) -> EndpointId {
    let parts = [network.as_str(), attachment.container.as_str(), attachment.interface.as_str()];
    EndpointId::of(Frontend::Cni, &parts)
}

/// A network, by its name and by all that it is made with: a configuration that was edited is another network, beside the
/// one that the containers from before are on.
pub(super) fn network(name: &NetworkName, made_with: &str) -> NetworkId {
    format!("{}{}", beginning(name), digits(made_with))
        .parse()
        .expect("at most 64 letters, digits, dashes, dots and underscores")
}

/// Whether a network is of that name, whatever it was made with.
pub(super) fn is_of(network: &NetworkId, name: &NetworkName) -> bool {
    let behind = network.as_str().strip_prefix(&beginning(name));
    behind.is_some_and(|behind| behind.len() == DIGITS && behind.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// How many digits of a hash tell two of a name apart.
const DIGITS: usize = 8;
/// What an id has room for beside `cni-`, `-` and the digits.
const ROOM: usize = 64 - 5 - DIGITS;

/// A name that is too long is cut, and what is cut off told apart.
fn beginning(name: &NetworkName) -> String {
    let text = name.as_str();
    match text.len() <= ROOM {
        true => format!("cni-{text}-"),
        false => format!("cni-{}.{}-", &text[..ROOM - 1 - DIGITS], digits(text)),
    }
}

fn digits(of: &str) -> String {
    Sha256::digest(of).iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> NetworkName {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_is_known_by_its_name_and_by_what_it_is_made_with() {
        let lan = network(&name("lan"), "eth0 l2");
        assert!(lan.as_str().starts_with("cni-lan-") && lan.as_str().len() == 16, "{lan}");
        assert_eq!(lan, network(&name("lan"), "eth0 l2"));
        assert_ne!(lan, network(&name("lan"), "eth0 l3"));
        assert!(is_of(&lan, &name("lan")));
    }

    #[test]
    fn no_network_is_taken_for_one_of_another_name() {
        let long = "x".repeat(80);
        let names = ["lan", "lan-1", "lan-deadbeef", "l", &long, &long[..79], &long[..51], &long[..52]].map(name);
        for one in &names {
            for other in &names {
                let id = network(one, "eth0");
                assert!(id.as_str().len() <= 64, "{id}");
                assert_eq!(is_of(&id, other), one == other, "{id} {other:?}");
            }
        }
        assert!(!is_of(&"lan".parse().unwrap(), &name("lan")), "of another frontend");
    }

    #[test]
    fn an_attachment_is_a_container_and_an_interface_on_a_network() {
        let id = |network: &str, container: &str, interface: &str| {
            let (container, interface) = (container.parse().unwrap(), interface.parse().unwrap());
            endpoint(&name(network), &Attachment { container, interface })
        };
        assert_eq!(id("lan", "c1", "eth0"), id("lan", "c1", "eth0"));
        for other in
            [id("lan", "c1", "eth1"), id("lan", "c2", "eth0"), id("wan", "c1", "eth0"), id("lan", "c", "1eth0")]
        {
            assert_ne!(other, id("lan", "c1", "eth0"));
        }
    }
}
