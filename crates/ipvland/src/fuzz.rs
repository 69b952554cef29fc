//! What a fuzzer throws at the parsers of this crate; `fuzz/` has the targets and their corpora.

use model::Adopted;

/// A call of the plugin protocol: its name, a line break, and the body. Everything that a handler would read of it is
/// read; no value that comes out of it may be one that does not exist.
pub fn docker_wire(input: &[u8]) {
    crate::docker::read_call(input);
}

/// A request of Podman's: its verb, a line break, and what comes on stdin. Everything that the verb would read of it is read.
pub fn netavark_wire(input: &[u8]) {
    crate::netavark::read_request(input);
}

/// What a container engine tells of a network, with names that others have chosen.
pub fn engine_network(answer: &[u8]) {
    crate::adopt::read_network(answer).iter().for_each(can_be_printed);
}

/// A file of CNI's host-local: its network, its name and its content, a line break after each of the first two.
pub fn host_local(input: &[u8]) {
    let mut parts = input.splitn(3, |byte| *byte == b'\n').map(String::from_utf8_lossy);
    let mut next = || parts.next().unwrap_or_default();
    let (network, name, content) = (next(), next(), next());
    crate::adopt::read_reservation(&network, &name, content.as_bytes()).iter().for_each(can_be_printed);
}

fn can_be_printed(adopted: &Adopted) {
    let holder = adopted.holder();
    assert!(holder.chars().count() <= Adopted::LONGEST_HOLDER && !holder.contains(char::is_control), "{adopted:?}");
}

#[cfg(test)]
mod tests {
    fn replay(target: &str, read: fn(&[u8])) {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
        let inputs: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        assert!(inputs.len() > 3, "there is a corpus");
        inputs.iter().for_each(|input| read(input));
    }

    #[test]
    fn the_corpora_are_read_without_a_panic() {
        replay("docker_wire", super::docker_wire);
        replay("engine_network", super::engine_network);
        replay("host_local", super::host_local);
        replay("netavark_wire", super::netavark_wire);
    }
}
