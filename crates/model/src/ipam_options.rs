//! The `--ipam-opt` options of a network.

use std::time::Duration;

use crate::name::{InterfaceName, SegmentName};
use crate::options::OptionError;
use crate::pool::Dealing;
use crate::settings::SettingError;

/// What the user asked for with `--ipam-opt KEY=VALUE`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IpamOptions {
    /// `parent`: whose subnet and router are taken where no subnet is named.
    pub parent: Option<InterfaceName>,
    /// `segment`.
    pub segment: Option<SegmentName>,
    /// `exclude`, `probe` and `quarantine`.
    pub dealing: Dealing,
}

const PARENT: &str = "parent";
const SEGMENT: &str = "segment";
const EXCLUDE: &str = "exclude";
const PROBE: &str = "probe";
const QUARANTINE: &str = "quarantine";
const KEYS: [&str; 5] = [PARENT, SEGMENT, EXCLUDE, PROBE, QUARANTINE];

/// The engine waits for the answer with its locks held.
const PROBE_LIMIT: Duration = Duration::from_secs(2);
const QUARANTINE_LIMIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl IpamOptions {
    /// Reads options as an engine passes them. Keys under `com.docker.` belong to the engine and are left alone.
    ///
    /// # Errors
    /// An [`OptionError`] for the first key or value that is wrong.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, OptionError> {
        let mut options = Self::default();
        let wrong = |key| move |error| OptionError::Value { key, wrong: error };
        for (key, value) in pairs {
            match key {
                PARENT => options.parent = Some(value.parse().map_err(OptionError::Parent)?),
                SEGMENT => options.segment = Some(value.parse().map_err(OptionError::Segment)?),
                EXCLUDE | PROBE | QUARANTINE => options.dealing.set(key, value).map_err(wrong(known(key)))?,
                other if other.starts_with("com.docker.") => {}
                other => return Err(OptionError::unknown(other, &KEYS)),
            }
        }
        Ok(options)
    }
}

fn known(key: &str) -> &'static str {
    KEYS.into_iter().find(|known| *known == key).expect("one of them")
}

impl Dealing {
    /// How many ranges can be excluded.
    pub const EXCLUDABLE: usize = 64;

    /// Takes one of its options.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<(), SettingError> {
        match key {
            EXCLUDE => {
                for range in value.split(',') {
                    self.exclude.push(range.parse()?);
                }
                if self.exclude.len() > Self::EXCLUDABLE {
                    return wrong(value, "at most 64 ranges");
                }
            }
            PROBE => match humantime::parse_duration(value) {
                Ok(limit) if !limit.is_zero() && limit <= PROBE_LIMIT => self.probe = Some(whole(limit)),
                _ => return wrong(value, "a time from 1ms to 2s"),
            },
            QUARANTINE => match humantime::parse_duration(value) {
                Ok(limit) if limit <= QUARANTINE_LIMIT => self.quarantine = whole(limit),
                _ => return wrong(value, "a time such as 90s, 10m or 1h, of at most a year"),
            },
            _ => return wrong(key, "exclude, probe or quarantine"),
        }
        Ok(())
    }

    /// Its options as they are given, those that say something.
    pub(crate) fn options(&self) -> Vec<String> {
        let list: Vec<String> = self.exclude.iter().map(ToString::to_string).collect();
        let exclude = (!list.is_empty()).then(|| format!("{EXCLUDE}={}", list.join(",")));
        let probe = self.probe.map(|limit| format!("{PROBE}={}ms", limit.as_millis()));
        let quarantine =
            (!self.quarantine.is_zero()).then(|| format!("{QUARANTINE}={}ms", self.quarantine.as_millis()));
        [exclude, probe, quarantine].into_iter().flatten().collect()
    }
}

/// In milliseconds, and at least one.
fn whole(time: Duration) -> Duration {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(if time.is_zero() { 0 } else { millis.max(1) })
}

fn wrong<T>(value: &str, expected: &'static str) -> Result<T, SettingError> {
    Err(SettingError { value: value.chars().take(100).collect(), expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, value: &str) -> Result<IpamOptions, String> {
        IpamOptions::parse([(key, value)]).map_err(|error| format!("{error}; {}", error.hint()))
    }

    #[test]
    fn every_option_is_read() {
        let options = IpamOptions::parse([
            ("parent", "eth0"),
            ("segment", "cellar"),
            ("exclude", "10.0.0.4/30,10.0.0.99"),
            ("probe", "200ms"),
            ("quarantine", "1h 30m"),
            ("com.docker.network.anything", "x"),
        ])
        .unwrap();
        assert_eq!(options.parent.unwrap().as_str(), "eth0");
        assert_eq!(options.segment.unwrap().as_str(), "cellar");
        let said = options.dealing.options().join(" ");
        assert_eq!(said, "exclude=10.0.0.4-10.0.0.7,10.0.0.99 probe=200ms quarantine=5400000ms");
    }

    #[test]
    fn each_wrong_option_gets_one_sentence_and_a_remedy() {
        for (key, value, sentence) in [
            ("exlude", "", "there is no option `exlude`; did you mean `exclude`?"),
            ("x", "", "there is no option `x`; valid are parent, segment, exclude, probe, quarantine"),
            (
                "exclude",
                "10.0.0.9-10.0.0.1",
                "option `exclude`: `10.0.0.9-10.0.0.1` was given and ADDRESS, ADDRESS-ADDRESS or ADDRESS/LENGTH was \
                 expected; pass a value that `exclude` takes, or leave it out",
            ),
            (
                "probe",
                "5s",
                "option `probe`: `5s` was given and a time from 1ms to 2s was expected; pass a value that `probe` takes, \
                 or leave it out",
            ),
            (
                "quarantine",
                "300",
                "option `quarantine`: `300` was given and a time such as 90s, 10m or 1h, of at most a year was expected; \
                 pass a value that `quarantine` takes, or leave it out",
            ),
        ] {
            assert_eq!(check(key, value).unwrap_err(), sentence);
        }
    }
}
