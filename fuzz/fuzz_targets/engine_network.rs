//! Networks as container engines tell of them.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ipvland::fuzz::engine_network(input));
