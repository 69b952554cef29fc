//! Who deals the addresses of a network, and which of them a container gets.

use std::net::IpAddr;

use engine::Wanted;
use model::Ipam;

use super::ranges::{Pools, Range};
use super::refusal::Refusal;

/// Who deals the addresses of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dealer {
    /// The ledger, unless the user says otherwise.
    Ledger,
    /// Podman: `--ipam-driver host-local`.
    Podman,
    /// Nobody, since there are none: `--ipam-driver none`.
    Nobody,
}

/// The IPAM driver that a network has on record when the ledger deals its addresses. Podman knows none of that name, so it
/// deals nothing, and takes it from the plugin but not from the user.
pub(super) const LEDGER: &str = "ipvland";

impl Dealer {
    /// Reads the IPAM driver of a network.
    pub(super) fn named(driver: &str) -> Result<Self, Refusal> {
        match driver {
            "" | LEDGER => Ok(Self::Ledger),
            "host-local" => Ok(Self::Podman),
            "none" => Ok(Self::Nobody),
            "dhcp" => Err(Refusal(
                "--ipam-driver: `dhcp` was given, and a DHCP server cannot tell apart containers that have the MAC address \
                 of their parent; leave it out, and the ledger deals the addresses of the subnet"
                    .into(),
            )),
            other => {
                let other: String = other.chars().take(80).collect();
                Err(Refusal(format!(
                    "--ipam-driver: `{other}` was given and host-local or none was expected; leave it out, and the ledger \
                     deals the addresses"
                )))
            }
        }
    }

    pub(super) fn ipam(self) -> Ipam {
        match self {
            Self::Ledger => Ipam::Ledger,
            Self::Podman | Self::Nobody => Ipam::Engine,
        }
    }
}

/// What a container gets: of each range what is asked for, or one address.
pub(super) fn wanted(
    dealer: Dealer,
    ranges: &[Range],
    pools: &Pools<'_>,
    asked: &[IpAddr],
) -> Result<Vec<Wanted>, Refusal> {
    if let Some(stray) = asked.iter().find(|address| !ranges.iter().any(|range| range.contains(**address))) {
        return Err(Refusal(format!("--ip: {stray} is in no subnet of the network; pass an address of one of them")));
    }
    if dealer == Dealer::Podman && asked.is_empty() && !ranges.is_empty() {
        return Err(Refusal(
            "Podman deals the addresses of this network, and has passed none; this is between Podman and ipvland: report it"
                .into(),
        ));
    }
    let mut wanted = Vec::new();
    for range in ranges {
        // Podman, which asks for what a container had before, may do so twice.
        let mut of_it: Vec<IpAddr> = Vec::new();
        for address in asked.iter().filter(|address| range.contains(**address)) {
            if !of_it.contains(address) {
                of_it.push(*address);
            }
        }
        match dealer {
            Dealer::Nobody => {}
            Dealer::Podman => wanted.extend(of_it.into_iter().map(|address| Wanted::Given(range.with_prefix(address)))),
            Dealer::Ledger => {
                let asked = if of_it.is_empty() { vec![None] } else { of_it.into_iter().map(Some).collect() };
                for asked in asked {
                    wanted.push(Wanted::Dealt { pool: pools.of(range, asked)?, asked });
                }
            }
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use ipnet::IpNet;
    use model::{Dealing, SegmentName, Subnet};

    use super::*;
    use crate::netavark::ranges::Ends;

    fn range(net: &str) -> Range {
        Range::new(Subnet::new(net.parse::<IpNet>().unwrap(), None).unwrap(), Ends::default()).unwrap()
    }

    /// What is wanted, in words.
    fn check(dealer: Dealer, ranges: &[Range], asked: &[&str]) -> Result<Vec<String>, String> {
        let dealing = Dealing::default();
        let pools = Pools { segment: SegmentName::default(), dealing: &dealing };
        let asked: Vec<IpAddr> = asked.iter().map(|text| text.parse().unwrap()).collect();
        let wanted = wanted(dealer, ranges, &pools, &asked).map_err(|refusal| refusal.0)?;
        let shown = wanted.into_iter().map(|wanted| match wanted {
            Wanted::Given(net) => format!("given {net}"),
            Wanted::Dealt { pool, asked: None } => format!("any of {pool}"),
            Wanted::Dealt { pool, asked: Some(address) } => format!("{address} of {pool}"),
        });
        Ok(shown.collect())
    }

    #[test]
    fn the_ledger_deals_one_of_each_subnet() {
        let ranges = [range("10.1.0.0/16"), range("10.2.0.0/16"), range("fd00::/64")];
        assert_eq!(
            check(Dealer::Ledger, &ranges, &[]).unwrap(),
            [
                "any of v1/default/10.1.0.0/16/10.1.0.0/16",
                "any of v1/default/10.2.0.0/16/10.2.0.0/16",
                "any of v1/default/fd00::/64/fd00::/64"
            ]
        );
    }

    #[test]
    fn what_is_asked_for_is_had_in_its_subnet() {
        let ranges = [range("10.88.0.0/16"), range("10.89.0.0/16")];
        assert_eq!(
            check(Dealer::Ledger, &ranges, &["10.88.0.5", "10.88.0.15", "10.88.0.5"]).unwrap(),
            [
                "10.88.0.5 of v1/default/10.88.0.0/16/10.88.0.0/16",
                "10.88.0.15 of v1/default/10.88.0.0/16/10.88.0.0/16",
                "any of v1/default/10.89.0.0/16/10.89.0.0/16",
            ]
        );
        assert_eq!(
            check(Dealer::Ledger, &ranges, &["10.90.0.1"]).unwrap_err(),
            "--ip: 10.90.0.1 is in no subnet of the network; pass an address of one of them"
        );
    }

    #[test]
    fn what_podman_deals_is_entered_as_it_is() {
        let ranges = [range("10.88.0.0/16"), range("fd00::/64")];
        let given = ["given 10.88.0.5/16", "given fd00::5/64"];
        assert_eq!(check(Dealer::Podman, &ranges, &["fd00::5", "10.88.0.5"]).unwrap(), given);
        assert!(check(Dealer::Podman, &ranges, &[]).unwrap_err().contains("has passed none"));
        assert_eq!(check(Dealer::Nobody, &[], &[]).unwrap(), [""; 0]);
        assert!(check(Dealer::Nobody, &[], &["10.0.0.1"]).is_err(), "without a subnet there is no address");
    }

    #[test]
    fn who_deals_is_named() {
        assert_eq!(Dealer::named("").unwrap(), Dealer::Ledger);
        assert_eq!(Dealer::named(LEDGER).unwrap(), Dealer::Ledger);
        assert_eq!(Dealer::named("host-local").unwrap(), Dealer::Podman);
        assert_eq!(Dealer::named("none").unwrap(), Dealer::Nobody);
        for (driver, word) in [("dhcp", "MAC address"), ("static", "`static` was given")] {
            let said = Dealer::named(driver).unwrap_err().0;
            assert!(said.starts_with("--ipam-driver: ") && said.contains(word), "{said}");
        }
    }
}
