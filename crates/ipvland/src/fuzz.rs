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

/// The environment of a call by a runtime of CNI: variables as `NAME=VALUE`, a line each.
pub fn cni_call(input: &[u8]) {
    crate::cni::fuzz::call(input);
}

/// The configuration of a network of CNI's.
pub fn cni_configuration(input: &[u8]) {
    crate::cni::fuzz::configuration(input);
}

/// What another plugin of CNI answers.
pub fn cni_answer(input: &[u8]) {
    crate::cni::fuzz::answer(input);
}

/// A file in the format of resolv.conf(5).
pub fn resolv_conf(input: &[u8]) {
    crate::cni::fuzz::resolv_conf(&String::from_utf8_lossy(input));
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
        replay("cni_call", super::cni_call);
        replay("cni_configuration", super::cni_configuration);
        replay("cni_answer", super::cni_answer);
        replay("resolv_conf", super::resolv_conf);
    }
}
