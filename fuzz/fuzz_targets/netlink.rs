//! Datagrams as from the kernel.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| kernel::fuzz::netlink(input));
