//! What a fuzzer throws at the parsers of this crate; `fuzz/` has the targets and their corpora.

use crate::reply::{Content, replies};
use crate::{attributes, link};

/// A datagram as from the kernel: every message in it is read as every kind of object there is.
pub fn netlink(datagram: &[u8]) {
    let _ = attributes::attributes(datagram).count();
    for reply in replies(datagram).unwrap_or_default() {
        if let Content::Object(_, body) = reply.content {
            let _ = (link::link(body), link::address(body));
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_corpus_is_read_without_a_panic() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/netlink");
        let inputs: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        assert!(inputs.len() > 1, "there is a corpus");
        inputs.iter().for_each(|input| super::netlink(input));
    }
}
