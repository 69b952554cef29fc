//! What is done with texts that nobody should write, by the tests here and by the fuzzer (`fuzz/fuzz_targets/options.rs`).

use model::{
    AddressRange, BootId, DriverOptions, EndpointId, EndpointName, InterfaceName, IpamOptions, KernelVersion,
    MacAddress, Pool, SandboxKey, Segment, Sysctls,
};

/// Options of a network, `KEY=VALUE` on a line each, and each line as everything else that is read from text. What was
/// read must read as the same again from its own text.
pub(crate) fn options(text: &str) {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    if let Err(error) = DriverOptions::parse(pairs) {
        assert!(!error.hint().is_empty() && !error.to_string().is_empty());
    }
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    if let Err(error) = IpamOptions::parse(pairs) {
        assert!(!error.hint().is_empty() && !error.to_string().is_empty());
    }
    for line in text.lines() {
        again::<AddressRange>(line);
        again::<EndpointName>(line);
        again::<Pool>(line);
        again::<Segment>(line);
        again::<InterfaceName>(line);
        again::<EndpointId>(line);
        again::<SandboxKey>(line);
        again::<BootId>(line);
        again::<MacAddress>(line);
        again::<Sysctls>(line);
        let _ = line.parse::<KernelVersion>();
    }
}

fn again<T: std::str::FromStr + std::fmt::Display + PartialEq>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert!(value.to_string().parse::<T>().is_ok_and(|read| read == value), "{text:?}");
    }
}
