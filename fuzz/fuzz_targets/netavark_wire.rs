//! What Podman and netavark write to the plugin's stdin.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ipvland::fuzz::netavark_wire(input));
