//! Addresses and times as they stand in the ledger.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

/// An address: its family, then its bytes, so that those of one family lie together and in order.
pub(crate) fn key(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => [&[4][..], &address.octets()].concat(),
        IpAddr::V6(address) => [&[6][..], &address.octets()].concat(),
    }
}

/// The address that a key stands for.
pub(crate) fn address(key: &[u8]) -> Option<IpAddr> {
    match key {
        [4, octets @ ..] => <[u8; 4]>::try_from(octets).ok().map(IpAddr::from),
        [6, octets @ ..] => <[u8; 16]>::try_from(octets).ok().map(IpAddr::from),
        _ => None,
    }
}

/// A time in milliseconds since 1970. What is before that, or long after us, is at the end of the scale.
pub(crate) fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    span(since)
}

/// A span of time in milliseconds.
pub(crate) fn span(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The time that stands for itself.
pub(crate) fn time(millis: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}
