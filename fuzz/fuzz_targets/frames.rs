//! Frames as from the wire.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| kernel::fuzz::frames(input));
