//! Options of a network, a line each, and each line as every other text that is read.

#![no_main]

#[path = "../../crates/model/tests/behaviour/texts.rs"]
mod texts;

libfuzzer_sys::fuzz_target!(|input: &str| texts::options(input));
