//! Records of a ledger that lies.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| store::fuzz::records(input));
