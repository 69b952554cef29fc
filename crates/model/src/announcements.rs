//! How often neighbours are told where an address is.

use std::ops::RangeInclusive;

use crate::settings::{SettingError, number};

/// How often, and how far apart, the addresses of a new slave are announced on the wire.
///
/// Docker's options `com.docker.network.advertise_addr_nmsgs` and `..._ms`, with their ranges and defaults
/// (`daemon/libnetwork/netlabel/labels.go` in moby).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announcements {
    count: u8,
    interval_ms: u16,
}

const COUNT: RangeInclusive<u8> = 0..=3;
const INTERVAL_MS: RangeInclusive<u16> = 100..=2000;

impl Default for Announcements {
    fn default() -> Self {
        Self { count: 3, interval_ms: 1000 }
    }
}

impl Announcements {
    /// `count` of them, `interval_ms` apart.
    ///
    /// # Errors
    /// As [`Announcements::with_count`] and [`Announcements::with_interval_ms`].
    pub fn new(count: u8, interval_ms: u16) -> Result<Self, SettingError> {
        Self::default().with_count(&count.to_string())?.with_interval_ms(&interval_ms.to_string())
    }

    /// How many; 0 to 3.
    pub const fn count(self) -> u8 {
        self.count
    }

    /// From one to the next, in milliseconds; 100 to 2000.
    pub const fn interval_ms(self) -> u16 {
        self.interval_ms
    }

    /// The same with another count.
    ///
    /// # Errors
    /// When `text` is no number from 0 to 3.
    pub fn with_count(self, text: &str) -> Result<Self, SettingError> {
        Ok(Self { count: number(text, COUNT, "a number of messages from 0 to 3")?, ..self })
    }

    /// The same with another interval.
    ///
    /// # Errors
    /// When `text` is no number from 100 to 2000.
    pub fn with_interval_ms(self, text: &str) -> Result<Self, SettingError> {
        Ok(Self { interval_ms: number(text, INTERVAL_MS, "a number of milliseconds from 100 to 2000")?, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_and_interval_have_bounds() {
        let three = Announcements::default();
        for (text, count) in [("0", Some(0)), ("3", Some(3)), ("4", None), ("-1", None), ("", None), ("03", None)] {
            assert_eq!(three.with_count(text).map(Announcements::count).ok(), count, "{text}");
        }
        for (text, ms) in [("100", Some(100)), ("2000", Some(2000)), ("99", None), ("2001", None), ("1s", None)] {
            assert_eq!(three.with_interval_ms(text).map(Announcements::interval_ms).ok(), ms, "{text}");
        }
    }
}
