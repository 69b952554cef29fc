//! Ranges of addresses, as host-local has them.

use std::net::IpAddr;

use ipnet::IpNet;
use model::{AddressRange, IpamOptions, OptionError, Pool, PoolError, SegmentName};
use serde::Deserialize;

use super::{parse_net, wrong};
use crate::cni::failure::Failure;

/// A range of a subnet.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wire {
    subnet: Option<String>,
    range_start: Option<String>,
    range_end: Option<String>,
    gateway: Option<String>,
}

/// A range that addresses are dealt from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    /// The pool.
    pub(crate) pool: Pool,
    /// Its first and its last address: what is asked for by name must be among them.
    within: AddressRange,
    /// The router that was named.
    gateway: Option<IpAddr>,
}

/// How all ranges of a configuration are dealt from.
pub(super) struct Dealt {
    pub(super) segment: SegmentName,
    /// What is never dealt, as `exclude` has it.
    pub(super) exclude: Vec<String>,
    /// `probe` and `quarantine`.
    pub(super) options: Vec<(&'static str, String)>,
}

impl Range {
    /// All that a pool has.
    pub(crate) fn all_of(pool: Pool, gateway: Option<IpAddr>) -> Self {
        let within = AddressRange::new(pool.first(), pool.last()).expect("the first is not behind the last");
        Self { pool, within, gateway }
    }

    /// Whether an address that is asked for may be dealt from here.
    pub(crate) fn offers(&self, address: IpAddr) -> bool {
        self.within.contains(address)
    }

    /// Its router: the one that was named, or, where the network has one, its first address, as host-local has it.
    pub(crate) fn gateway(&self, wanted: bool) -> Option<IpAddr> {
        let subnet = self.pool.subnet();
        let first = || self.pool.whole().first();
        let roomy = subnet.prefix_len() + 1 < subnet.max_prefix_len();
        self.gateway.or_else(|| (wanted && roomy).then(first))
    }
}

impl Wire {
    /// Whether nothing is said.
    pub(super) fn is_empty(&self) -> bool {
        self.subnet.as_deref().unwrap_or_default().is_empty()
    }

    pub(super) fn read(&self, dealt: &Dealt) -> Result<Range, Failure> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let address = |key: &str, text: &Option<String>| {
            given(text).map(|text| parse_net::<IpAddr>(key, &text, "an address")).transpose()
        };
        let subnet: IpNet = parse_net("subnet", self.subnet.as_deref().unwrap_or_default(), "ADDRESS/LENGTH")?;
        let whole = Pool::new(dealt.segment.clone(), subnet, None).map_err(|error| wrong("subnet", error))?;
        let subnet = whole.subnet();
        let of_it = |key: &str, address: IpAddr| match whole.whole().contains(address) {
            true => Ok(address),
            false => Err(wrong(key, format!("`{address}` was given, and a container in {subnet} cannot have it"))),
        };
        let gateway = address("gateway", &self.gateway)?.map(|gateway| of_it("gateway", gateway)).transpose()?;
        let first = address("rangeStart", &self.range_start)?.map(|first| of_it("rangeStart", first)).transpose()?;
        let last = address("rangeEnd", &self.range_end)?.map(|last| of_it("rangeEnd", last)).transpose()?;
        let (first, last) = (first.unwrap_or(whole.first()), last.unwrap_or(whole.last()));
        let within = AddressRange::new(first, last).ok_or_else(|| {
            wrong("rangeEnd", format!("`{last}` was given, which is before the start of the range, {first}"))
        })?;
        let pool = pool(&whole, within, dealt)?;
        Ok(Range { pool, within, gateway })
    }
}

/// What is excluded of the other family is of no account here.
fn pool(whole: &Pool, within: AddressRange, dealt: &Dealt) -> Result<Pool, Failure> {
    let subnet = whole.subnet();
    let of_family = |text: &&String| text.contains(':') == subnet.addr().is_ipv6();
    let exclude: Vec<String> = dealt.exclude.iter().filter(of_family).cloned().collect();
    let exclude = Some(("exclude", exclude.join(","))).filter(|(_, list)| !list.is_empty());
    let dealing = options(dealt.options.iter().cloned().chain(exclude))?.dealing;
    Pool::of_part(dealt.segment.clone(), subnet, within, dealing).map_err(|error| match error {
        PoolError::TooManyExcluded => wrong("ipam.exclude", error),
        _ => wrong("rangeStart", error),
    })
}

/// Reads options of ours as all frontends have them.
pub(super) fn options(given: impl Iterator<Item = (&'static str, String)>) -> Result<IpamOptions, Failure> {
    let given: Vec<(&str, String)> = given.collect();
    IpamOptions::parse(given.iter().map(|(key, value)| (*key, value.as_str()))).map_err(|error| match error {
        OptionError::Value { key, wrong: why } => wrong(&format!("ipam.{key}"), why),
        other => wrong("ipam", other),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(range: &Value, exclude: &[&str]) -> Result<Range, String> {
        let exclude = exclude.iter().map(ToString::to_string).collect();
        let dealt = Dealt { segment: SegmentName::default(), exclude, options: vec![("probe", "50ms".into())] };
        let wire: Wire = serde_json::from_value(range.clone()).unwrap();
        wire.read(&dealt).map_err(|failure| failure.sentence)
    }

    #[test]
    fn a_range_becomes_a_pool() {
        for (range, exclude, pool) in [
            (json!({ "subnet": "10.1.2.0/24" }), &[][..], "10.1.2.0/24/10.1.2.0/24/probe=50ms"),
            (json!({ "subnet": "10.1.2.0/24", "rangeStart": "" }), &[], "10.1.2.0/24/10.1.2.0/24/probe=50ms"),
            (
                json!({ "subnet": "10.1.2.0/24", "rangeStart": "10.1.2.64", "rangeEnd": "10.1.2.127" }),
                &[],
                "10.1.2.0/24/10.1.2.64/26/probe=50ms",
            ),
            (
                json!({ "subnet": "10.1.2.0/24", "rangeStart": "10.1.2.10", "rangeEnd": "10.1.2.20" }),
                &["10.1.2.12", "fd00::12"],
                "10.1.2.0/24/10.1.2.0/27/exclude=10.1.2.12,10.1.2.1-10.1.2.9,10.1.2.21-10.1.2.31/probe=50ms",
            ),
            (
                json!({ "subnet": "10.1.2.0/24", "rangeStart": "10.1.2.200" }),
                &[],
                "10.1.2.0/24/10.1.2.192/26/exclude=10.1.2.192-10.1.2.199/probe=50ms",
            ),
            (
                json!({ "subnet": "fd00::/64", "rangeStart": "fd00::1000", "rangeEnd": "fd00::2000" }),
                &["10.1.2.12", "fd00::1002"],
                "fd00::/64/fd00::/114/exclude=fd00::1002,fd00::1-fd00::fff,fd00::2001-fd00::3fff/probe=50ms",
            ),
        ] {
            let read = read(&range, exclude).unwrap().pool;
            assert_eq!(read.to_string(), format!("v1/default/{pool}"));
            assert_eq!(read.to_string().parse(), Ok(read), "the ledger keeps it as text");
        }
    }

    #[test]
    fn the_router_is_the_one_that_is_named_or_the_first_address() {
        let gateway = |range: &Value, wanted| read(range, &[]).unwrap().gateway(wanted).map(|it| it.to_string());
        let plain = json!({ "subnet": "10.1.2.0/24", "rangeStart": "10.1.2.9" });
        assert_eq!(gateway(&plain, true).as_deref(), Some("10.1.2.1"));
        assert_eq!(gateway(&plain, false), None);
        let named = json!({ "subnet": "10.1.2.0/24", "gateway": "10.1.2.254" });
        assert_eq!(gateway(&named, false).as_deref(), Some("10.1.2.254"));
        assert_eq!(gateway(&json!({ "subnet": "fd00::/64" }), true).as_deref(), Some("fd00::1"));
        assert_eq!(gateway(&json!({ "subnet": "10.1.2.4/31" }), true), None, "there is no room for one");
    }

    #[test]
    fn what_is_asked_for_must_be_in_the_range() {
        let range = read(&json!({ "subnet": "10.1.2.0/24", "rangeStart": "10.1.2.10", "rangeEnd": "10.1.2.20" }), &[]);
        let range = range.unwrap();
        for (address, offered) in [("10.1.2.10", true), ("10.1.2.20", true), ("10.1.2.21", false), ("fd00::1", false)] {
            assert_eq!(range.offers(address.parse().unwrap()), offered, "{address}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (range, sentence) in [
            (json!({}), "key `subnet`: `` was given and ADDRESS/LENGTH was expected"),
            (json!({ "subnet": "10.1.2.0" }), "key `subnet`: `10.1.2.0` was given and ADDRESS/LENGTH was expected"),
            (
                json!({ "subnet": "10.1.2.0/24", "gateway": "10.1.3.1" }),
                "key `gateway`: `10.1.3.1` was given, and a container in 10.1.2.0/24 cannot have it",
            ),
            (
                json!({ "subnet": "10.1.2.0/24", "rangeStart": "10.1.2.0" }),
                "key `rangeStart`: `10.1.2.0` was given, and a container in 10.1.2.0/24 cannot have it",
            ),
            (
                json!({ "subnet": "10.1.2.0/24", "rangeStart": "fd00::1" }),
                "key `rangeStart`: `fd00::1` was given, and a container in 10.1.2.0/24 cannot have it",
            ),
            (
                json!({ "subnet": "10.1.2.0/24", "rangeStart": "10.1.2.9", "rangeEnd": "10.1.2.8" }),
                "key `rangeEnd`: `10.1.2.8` was given, which is before the start of the range, 10.1.2.9",
            ),
            (
                json!({ "subnet": "10.1.2.0/24", "rangeEnd": "x" }),
                "key `rangeEnd`: `x` was given and an address was expected",
            ),
        ] {
            assert_eq!(read(&range, &[]).unwrap_err(), sentence);
        }
        let said = read(&json!({ "subnet": "10.1.2.0/24" }), &["10.1.2"]).unwrap_err();
        assert_eq!(
            said,
            "key `ipam.exclude`: `10.1.2` was given and ADDRESS, ADDRESS-ADDRESS or ADDRESS/LENGTH was expected"
        );
    }
}
