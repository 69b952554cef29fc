//! Files in the format of resolv.conf(5).

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ipvland::fuzz::resolv_conf(input));
