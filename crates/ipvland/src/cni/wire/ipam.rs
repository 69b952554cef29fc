//! What a configuration says of the addresses, where the ledger deals them.

use std::net::IpAddr;
use std::path::PathBuf;

use model::{IpamOptions, SegmentName};
use serde::Deserialize;
use serde_json::Value;

use super::ranges::{Dealt, Range, Wire as WireRange, options};
use super::routes::{RouteWish, Wire as WireRoute};
use super::{Configuration, parse, wrong};
use crate::cni::failure::Failure;
use crate::cni::text::asked_address;

/// How the ledger deals to the containers of a network.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LedgerIpam {
    /// One address is dealt from each: from the first range that has one left.
    pub(crate) sets: Vec<Vec<Range>>,
    /// How the subnet of the parent is dealt from, where there are no ranges.
    pub(crate) options: IpamOptions,
    /// Where they are to lead.
    pub(crate) routes: Vec<RouteWish>,
    /// Whose content is the answer's `dns`.
    pub(crate) resolv_conf: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    ipam: Option<Ipam>,
    runtime_config: Option<RuntimeConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ipam {
    #[serde(flatten)]
    range: WireRange,
    ranges: Option<Vec<Vec<WireRange>>>,
    routes: Option<Vec<WireRoute>>,
    resolv_conf: Option<PathBuf>,
    segment: Option<String>,
    exclude: Option<Vec<String>>,
    probe: Option<String>,
    quarantine: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuntimeConfig {
    ip_ranges: Option<Vec<Vec<WireRange>>>,
}

impl Configuration<'_> {
    /// How the ledger deals, in the segment that the links are in where that is said.
    ///
    /// # Errors
    /// Code 7 with the key that is wrong, 2 for what is not possible here.
    pub(crate) fn ledger(&self, of_links: Option<&SegmentName>) -> Result<LedgerIpam, Failure> {
        let wire: Wire = self.part()?;
        let Some(ipam) = wire.ipam else { return Err(wrong("ipam", "it is missing")) };
        let segment =
            ipam.segment.filter(|text| !text.is_empty()).map(|text| parse("ipam.segment", &text)).transpose()?;
        let segment: Option<SegmentName> = match (segment, of_links) {
            (Some(segment), Some(links)) if segment != *links => {
                return Err(wrong("ipam.segment", format!("`{segment}` was given, and the links are in `{links}`")));
            }
            (segment, links) => segment.or_else(|| links.cloned()),
        };
        let said = |key, text: Option<String>| text.filter(|text| !text.is_empty()).map(|text| (key, text));
        let how = [said("probe", ipam.probe), said("quarantine", ipam.quarantine)];
        let dealt = Dealt {
            segment: segment.clone().unwrap_or_default(),
            exclude: ipam.exclude.unwrap_or_default(),
            options: how.into_iter().flatten().collect(),
        };
        let single = (!ipam.range.is_empty()).then(|| vec![ipam.range]);
        // What the runtime says of this container comes first, then the one range, then the list.
        let sets = wire.runtime_config.and_then(|config| config.ip_ranges).unwrap_or_default();
        let sets = sets.into_iter().chain(single).chain(ipam.ranges.unwrap_or_default());
        let sets: Vec<Vec<Range>> = sets.map(|set| read_set(&set, &dealt)).collect::<Result<_, Failure>>()?;
        let exclude = Some(("exclude", dealt.exclude.join(","))).filter(|(_, list)| !list.is_empty());
        let options = options(dealt.options.iter().cloned().chain(exclude))?;
        Ok(LedgerIpam {
            sets,
            options: IpamOptions { segment, ..options },
            routes: ipam.routes.unwrap_or_default().iter().map(WireRoute::read).collect::<Result<_, _>>()?,
            resolv_conf: ipam.resolv_conf.filter(|path| !path.as_os_str().is_empty()),
        })
    }

    /// The addresses that are asked for: by the capability `ips` and by `args`.
    ///
    /// # Errors
    /// Code 7 for what is no address.
    pub(crate) fn asked(&self) -> Result<Vec<IpAddr>, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            runtime_config: Option<RuntimeConfig>,
            args: Option<Value>,
        }
        #[derive(Deserialize)]
        struct RuntimeConfig {
            ips: Option<Vec<String>>,
        }
        let wire: Wire = self.part()?;
        let by_capability = wire.runtime_config.and_then(|config| config.ips).unwrap_or_default();
        // What else is in `args` is somebody else's, and may be anything.
        let by_args = wire.args.as_ref().and_then(|args| args.pointer("/cni/ips")?.as_array()).into_iter().flatten();
        let by_args = by_args.map(|address| match address {
            Value::String(text) => ("args.cni.ips", text.clone()),
            other => ("args.cni.ips", other.to_string()),
        });
        let asked = by_capability.into_iter().map(|text| ("runtimeConfig.ips", text)).chain(by_args);
        asked.map(|(key, text)| asked_address(&text).map_err(|error| wrong(key, error))).collect()
    }
}

fn read_set(set: &[WireRange], dealt: &Dealt) -> Result<Vec<Range>, Failure> {
    let ranges: Vec<Range> = set.iter().map(|range| range.read(dealt)).collect::<Result<_, _>>()?;
    let Some(first) = ranges.first() else { return Err(wrong("ranges", "a set of ranges has none in it")) };
    let of_first = |range: &Range| range.pool.subnet().addr().is_ipv4() == first.pool.subnet().addr().is_ipv4();
    match ranges.iter().find(|range| !of_first(range)) {
        Some(other) => Err(wrong(
            "ranges",
            format!("a set has {} and {} in it, which are of two families", first.pool.subnet(), other.pool.subnet()),
        )),
        None => Ok(ranges),
    }
}
