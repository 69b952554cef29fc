//! What a fuzzer throws at the parsers of this crate; `fuzz/` has the targets and their corpora.

/// A call of the plugin protocol: its name, a line break, and the body. Everything that a handler would read of it is
/// read; no value that comes out of it may be one that does not exist.
pub fn docker_wire(input: &[u8]) {
    crate::docker::read_call(input);
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_corpus_is_read_without_a_panic() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/docker_wire");
        let inputs: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        assert!(inputs.len() > 5, "there is a corpus");
        inputs.iter().for_each(|input| super::docker_wire(input));
    }
}
