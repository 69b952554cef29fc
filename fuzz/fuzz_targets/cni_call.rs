//! Environments of calls by runtimes of CNI.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ipvland::fuzz::cni_call(input));
