//! Files of CNI's host-local.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ipvland::fuzz::host_local(input));
