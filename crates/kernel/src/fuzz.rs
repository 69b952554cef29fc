//! What a fuzzer throws at the parsers of this crate; `fuzz/` has the targets and their corpora.

use std::net::{Ipv4Addr, Ipv6Addr};

use model::MacAddress;

use crate::answer::answer;
use crate::reply::{Content, replies};
use crate::{attributes, link, route};

/// A datagram as from the kernel: every message in it is read as every kind of object there is.
pub fn netlink(datagram: &[u8]) {
    let _ = attributes::attributes(datagram).count();
    for reply in replies(datagram).unwrap_or_default() {
        if let Content::Object(_, body) = reply.content {
            let _ = (link::link(body), link::address(body), route::route(body));
        }
    }
}

/// A frame as from anybody on the wire, while 192.0.2.9 and 2001:db8::9 are asked for. We are never who has them.
pub fn frames(frame: &[u8]) {
    let own = MacAddress::from([2, 0, 0, 0, 0, 7]);
    let asked = [Ipv4Addr::new(192, 0, 2, 9).into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 9).into()];
    assert!(asked.iter().all(|address| answer(frame, *address, own) != Some(own)));
}

#[cfg(test)]
mod tests {
    fn check(target: &str, read: fn(&[u8])) {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
        let inputs: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        assert!(inputs.len() > 1, "there is a corpus");
        inputs.iter().for_each(|input| read(input));
    }

    #[test]
    fn the_corpora_are_read_without_a_panic() {
        check("netlink", super::netlink);
        check("frames", super::frames);
    }
}
