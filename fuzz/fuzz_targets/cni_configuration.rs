//! Configurations of networks of CNI's.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ipvland::fuzz::cni_configuration(input));
